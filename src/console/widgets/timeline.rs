//! What happened to one thing, fact by fact.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Paint, put};
use crate::console::sanitise::{head, pad_left};
use crate::console::theme::Role;

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its number.
    pub seq: u64,
    /// When, with milliseconds: `08:56:23.084`. Narrow screens show the seconds only.
    pub time: String,
    /// Since the one before: `+10.0s`.
    pub since: String,
    /// What.
    pub event: String,
    /// Who.
    pub by: String,
    /// Whether a person did it.
    pub is_by_person: bool,
    /// Whether it happened after the instant that is looked at.
    pub is_later: bool,
    /// The particulars.
    pub detail: String,
    /// How the event looks.
    pub role: Role,
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A fact.
    Fact(Fact),
    /// Facts that repeat, folded into one line.
    Folded {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
        /// What they are: `attempts 1–5, same error`.
        text: String,
    },
}

/// A timeline to draw.
#[derive(Debug, Clone)]
pub struct Timeline<'a> {
    /// Its lines.
    pub lines: &'a [Line],
    /// The line under the cursor.
    pub cursor: Option<usize>,
    /// The first line shown.
    pub first: usize,
    /// The key that unfolds, as printed.
    pub unfold_key: &'a str,
    /// Whether it has the focus.
    pub is_focused: bool,
}

/// Cells of each column; nothing where a column is left out.
struct Widths {
    seq: u16,
    time: u16,
    since: u16,
    event: u16,
    by: u16,
}

impl Widths {
    fn at(columns: u16) -> Self {
        match columns {
            100.. => Self {
                seq: 3,
                time: 12,
                since: 7,
                event: 17,
                by: 14,
            },
            76..100 => Self {
                seq: 3,
                time: 8,
                since: 7,
                event: 16,
                by: 0,
            },
            52..76 => Self {
                seq: 3,
                time: 8,
                since: 0,
                event: 16,
                by: 0,
            },
            _ => Self {
                seq: 1,
                time: 8,
                since: 0,
                event: 14,
                by: 0,
            },
        }
    }
}

impl Timeline<'_> {
    /// Draws headings and lines; returns the lines on the screen with their index.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, paint: Paint<'_>) -> Vec<(usize, Rect)> {
        let area = area.intersection(buffer.area);
        let mut drawn = Vec::new();
        if area.is_empty() {
            return drawn;
        }
        let widths = Widths::at(area.width);
        let dim = paint.style(Role::Dim);
        let head = ["SEQ", "TIME", "+ΔT", "EVENT", "BY", "DETAIL"].map(|title| (title, dim));
        draw_cells(Rect { height: 1, ..area }, &widths, head, buffer);
        for (index, line) in self.lines.iter().enumerate().skip(self.first) {
            let row = u16::try_from(index - self.first)
                .unwrap_or(u16::MAX)
                .saturating_add(1);
            let y = area.y.saturating_add(row);
            if y >= area.bottom() {
                break;
            }
            let place = Rect {
                y,
                height: 1,
                ..area
            };
            self.draw_line(line, place, &widths, buffer, paint);
            if self.cursor == Some(index) {
                put(
                    buffer,
                    area.x,
                    y,
                    paint.glyphs.cursor,
                    1,
                    paint.style(Role::Strong),
                );
                if self.is_focused {
                    buffer.set_style(place, paint.style(Role::Cursor));
                }
            }
            drawn.push((index, place));
        }
        drawn
    }

    fn draw_line(
        &self,
        line: &Line,
        place: Rect,
        widths: &Widths,
        buffer: &mut Buffer,
        paint: Paint<'_>,
    ) {
        let dim = paint.style(Role::Dim);
        match line {
            Line::Fact(fact) => {
                let seq = pad_left(&fact.seq.to_string(), usize::from(widths.seq));
                let time = head(&fact.time, usize::from(widths.time));
                let by = match (fact.is_later, fact.is_by_person) {
                    (true, _) => Role::Ghost,
                    (false, true) => Role::Human,
                    (false, false) => Role::Text,
                };
                let dim = if fact.is_later {
                    paint.style(Role::Ghost)
                } else {
                    dim
                };
                let text = if fact.is_later {
                    Role::Ghost
                } else {
                    Role::Text
                };
                let cells = [
                    (seq.as_str(), dim),
                    (time, dim),
                    (fact.since.as_str(), dim),
                    (fact.event.as_str(), paint.style(fact.role)),
                    (fact.by.as_str(), paint.style(by)),
                    (fact.detail.as_str(), paint.style(text)),
                ];
                draw_cells(place, widths, cells, buffer);
            }
            Line::Folded { from, to, text } => {
                let key = self.unfold_key;
                let text = format!("{from}–{to} folded: {text} ({key} unfolds)");
                let sign = paint.glyphs.ellipsis;
                put(buffer, place.x.saturating_add(1), place.y, sign, 1, dim);
                let x = place.x.saturating_add(widths.seq + 2);
                put(
                    buffer,
                    x,
                    place.y,
                    &text,
                    place.right().saturating_sub(x),
                    dim,
                );
            }
        }
    }
}

fn draw_cells(
    place: Rect,
    widths: &Widths,
    cells: [(&str, ratatui::style::Style); 6],
    buffer: &mut Buffer,
) {
    let fixed = [
        widths.seq,
        widths.time,
        widths.since,
        widths.event,
        widths.by,
    ];
    let mut x = place.x;
    for ((text, style), columns) in cells.into_iter().zip(fixed.into_iter().chain([u16::MAX])) {
        if columns == 0 {
            continue;
        }
        let room = columns.min(place.right().saturating_sub(x));
        // A sequence column of one cell is the cursor's alone.
        if columns > 1 {
            put(buffer, x, place.y, text, room, style);
        }
        x = x
            .saturating_add(columns)
            .saturating_add(if columns == 1 { 1 } else { 2 });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{draw, paint};
    use super::*;

    fn text(columns: u16) -> String {
        let fact = |seq, time: &str, since: &str, event: &str, by: &str, detail: &str| {
            Line::Fact(Fact {
                seq,
                time: time.to_owned(),
                since: since.to_owned(),
                event: event.to_owned(),
                by: by.to_owned(),
                is_by_person: false,
                is_later: false,
                detail: detail.to_owned(),
                role: Role::Text,
            })
        };
        let lines = [
            fact(
                1,
                "08:56:23.084",
                "–",
                "created",
                "invoicing",
                "intent.invoice.paid.v1, 1.2 kB",
            ),
            Line::Folded {
                from: 4,
                to: 12,
                text: "attempts 1–5, same error".to_owned(),
            },
            fact(
                16,
                "09:41:07.101",
                "+0ms",
                "failed",
                "broker",
                "FAILED, dead letter in group 9c1e",
            ),
        ];
        let timeline = Timeline {
            lines: &lines,
            cursor: Some(2),
            first: 0,
            unfold_key: "Enter",
            is_focused: true,
        };
        draw(columns, 4, |area, buffer| {
            timeline.draw(area, buffer, paint());
        })
    }

    #[test]
    fn it_looks_as_designed_at_every_width() {
        insta::assert_snapshot!("timeline_116", text(116));
        insta::assert_snapshot!("timeline_80", text(80));
        insta::assert_snapshot!("timeline_40", text(40));
    }

    #[test]
    fn it_draws_in_any_area() {
        for columns in 1..60 {
            text(columns);
        }
    }
}
