//! What panes draw with: a buffer, a theme, and the few shapes that all of them share.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::console::model::columns::{Chosen, ListName};
use crate::console::model::reads::Slot;
use crate::console::model::{Drawn, Hit, Model, Target};
use crate::console::rows::{Row, Window};
use crate::console::sanitise::{beginning, clean, width};
use crate::console::theme::Role;
use crate::console::widgets::section::Section;
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{self, Cell, Shape, Table};
use crate::console::widgets::{Paint, put};

/// Fewest lines of a list in a medium size that has headings.
const HEADED_FROM: u16 = 10;

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// 110x30 and up: boxes, list and detail side by side.
    Wide,
    /// 80 columns and up: ruled sections, a list with a peek.
    Medium,
    /// 60 to 79 columns: fewer columns, no peek.
    Narrow,
    /// 40 to 59 columns, or under 16 rows: the focused row in two lines.
    Tiny,
    /// Under 40x9.
    None,
}

impl Size {
    /// The size of a screen.
    pub(crate) const fn of(columns: u16, rows: u16) -> Self {
        match (columns, rows) {
            (..40, _) | (_, ..9) => Self::None,
            (..60, _) | (_, ..16) => Self::Tiny,
            (..80, _) => Self::Narrow,
            (110.., 30..) => Self::Wide,
            _ => Self::Medium,
        }
    }
}

/// What is drawn on.
#[derive(Debug)]
pub(crate) struct Canvas<'a> {
    /// The cells.
    pub(crate) buffer: &'a mut Buffer,
    /// Colours and signs.
    pub(crate) paint: Paint<'a>,
    /// How much room there is.
    pub(crate) size: Size,
    /// What landed where.
    pub(crate) drawn: Drawn,
}

/// A piece of a line.
pub(crate) type Span = (String, Role);

/// Rows that are no window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The number of the pane.
    pub(crate) pane: usize,
    /// Its columns.
    pub(crate) columns: &'a [Column],
    /// The rows.
    pub(crate) rows: &'a [table::Row],
    /// The row under the cursor.
    pub(crate) cursor: Option<usize>,
    /// Whether it has the focus.
    pub(crate) is_focused: bool,
    /// Whether the columns have headings.
    pub(crate) has_header: bool,
    /// What stands there when there are no rows.
    pub(crate) empty: &'a str,
}

/// A list to draw.
#[derive(Debug)]
pub(crate) struct List<'a, T: Row> {
    /// The rows.
    pub(crate) window: &'a Window<T>,
    /// The number of the pane.
    pub(crate) pane: usize,
    /// Its columns.
    pub(crate) columns: &'a [Column],
    /// Which of them are chosen; none for a list as it comes.
    pub(crate) chosen: Option<(&'a Chosen, ListName)>,
    /// Whether it has the focus.
    pub(crate) is_focused: bool,
    /// Whether rows can be marked.
    pub(crate) has_marks: bool,
    /// Lines kept free under the cursor.
    pub(crate) below: u16,
    /// What stands there when there are no rows.
    pub(crate) empty: String,
}

impl Canvas<'_> {
    /// Writes pieces one after another; returns the column after them.
    pub(crate) fn spans(&mut self, x: u16, y: u16, columns: u16, spans: &[Span]) -> u16 {
        let end = x.saturating_add(columns);
        let mut at = x;
        for (text, role) in spans {
            if at >= end {
                break;
            }
            at = put(self.buffer, at, y, text, end - at, self.paint.style(*role));
        }
        at
    }

    /// Writes one text.
    pub(crate) fn text(&mut self, area: Rect, text: &str, role: Role) {
        if !area.is_empty() {
            put(
                self.buffer,
                area.x,
                area.y,
                text,
                area.width,
                self.paint.style(role),
            );
        }
    }

    /// Writes a text that ends at the right edge of `area`.
    pub(crate) fn text_right(&mut self, area: Rect, text: &str, role: Role) {
        let columns = u16::try_from(width(text))
            .unwrap_or(u16::MAX)
            .min(area.width);
        let x = area.right().saturating_sub(columns);
        put(
            self.buffer,
            x,
            area.y,
            text,
            columns,
            self.paint.style(role),
        );
    }

    /// Empties an area.
    pub(crate) fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            // The left half of a wide character would lie over the first cell.
            if let Some(left) = area.x.checked_sub(1)
                && let Some(cell) = self.buffer.cell_mut((left, y))
                && width(cell.symbol()) > 1
            {
                cell.set_symbol(" ");
            }
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
        self.buffer.set_style(area, self.paint.style(Role::Text));
    }

    /// Draws a frame; boxes at wide sizes, ruled otherwise. Returns the cells inside.
    pub(crate) fn section(
        &mut self,
        area: Rect,
        title: &str,
        right: &str,
        focus: Option<(usize, bool)>,
    ) -> Rect {
        let is_focused = focus.is_some_and(|(_, is_focused)| is_focused);
        if let Some((pane, _)) = focus {
            self.drawn.hits.push(Hit {
                area,
                target: Target::Pane(pane),
            });
        }
        let is_wide = self.size == Size::Wide;
        let marked = match (is_wide, is_focused, focus) {
            (false, true, Some(_)) => format!("{} {title}", self.paint.glyphs.cursor),
            _ => title.to_owned(),
        };
        Section::at_size(&marked, right, is_wide, is_focused).draw(area, self.buffer, self.paint)
    }

    /// Draws the lines of a window. Returns the lines kept free under the cursor.
    pub(crate) fn list<T: Row>(
        &mut self,
        area: Rect,
        list: &List<'_, T>,
        cells: impl Fn(&T) -> Vec<Cell>,
    ) -> Option<Rect> {
        let shape = if self.size == Size::Tiny {
            Shape::TwoForCursor
        } else {
            Shape::Lines
        };
        let has_header = self.size != Size::Tiny;
        let extra = usize::from(shape == Shape::TwoForCursor);
        let head = usize::from(has_header);
        let lines = usize::from(area.height)
            .saturating_sub(head + extra + usize::from(list.below))
            .max(1);
        let kept: Vec<(usize, Column)> = if let Some((chosen, name)) = list.chosen {
            chosen.of(name, list.columns)
        } else {
            let all = list.columns.iter().copied().enumerate();
            all.filter(|(_, column)| !column.is_optional).collect()
        };
        let columns: Vec<Column> = kept.iter().map(|(_, column)| *column).collect();
        let top = list.window.top_for(lines);
        let mut cursor = None;
        let rows: Vec<table::Row> = list
            .window
            .lines(lines)
            .enumerate()
            .map(|(index, line)| {
                if line.is_cursor {
                    cursor = Some(index);
                }
                table::Row {
                    cells: pick(cells(line.row), &kept),
                    is_marked: line.is_marked,
                    ghost: line.ghost.map(str::to_owned),
                }
            })
            .collect();
        let table = Table {
            cursor,
            has_marks: list.has_marks,
            has_header,
            is_focused: list.is_focused,
            shape,
            below_cursor: list.below,
            empty: &list.empty,
            ..Table::new(&columns, &rows)
        };
        let drawn = table.draw(area, self.buffer, self.paint);
        self.drawn.heights.insert(list.pane, lines);
        for (index, area) in drawn.headings {
            if let Some(column) = columns.get(index) {
                let target = Target::Heading(list.pane, column.title);
                self.drawn.hits.push(Hit { area, target });
            }
        }
        for (index, area) in drawn.rows {
            self.drawn.hits.push(Hit {
                area,
                target: Target::Line(list.pane, top + index),
            });
        }
        drawn.below_cursor
    }

    /// Draws rows that are no window, with headings where there is room for them.
    pub(crate) fn table(&mut self, area: Rect, rows: &Rows<'_>) {
        let is_roomy = match self.size {
            Size::Wide => true,
            Size::Medium => area.height >= HEADED_FROM,
            Size::Narrow | Size::Tiny | Size::None => false,
        };
        let has_header = rows.has_header && is_roomy;
        let Rows {
            pane,
            columns,
            rows,
            cursor,
            is_focused,
            empty,
            ..
        } = *rows;
        let lines = usize::from(area.height)
            .saturating_sub(usize::from(has_header))
            .max(1);
        let first = table::first_shown(0, cursor.unwrap_or(0), rows.len(), lines);
        let table = Table {
            cursor,
            first,
            has_header,
            is_focused,
            empty,
            ..Table::new(columns, rows)
        };
        let drawn = table.draw(area, self.buffer, self.paint);
        for (index, area) in drawn.rows {
            self.drawn.hits.push(Hit {
                area,
                target: Target::Line(pane, index),
            });
        }
    }

    /// Writes labelled facts, one to a line, long ones wrapped. Returns the line after them.
    pub(crate) fn facts(&mut self, area: Rect, label: u16, facts: &[(String, Span)]) -> u16 {
        let room = usize::from(area.width.saturating_sub(label));
        let mut y = area.y;
        for (name, (text, role)) in facts {
            let mut heading = name.as_str();
            let cells = room.saturating_mul(usize::from(area.height).saturating_add(1));
            for line in wrap(beginning(text, cells), room) {
                if y >= area.bottom() {
                    return y;
                }
                let row = Rect {
                    y,
                    height: 1,
                    ..area
                };
                self.text(
                    Rect {
                        width: label.min(row.width),
                        ..row
                    },
                    heading,
                    Role::Dim,
                );
                heading = "";
                let x = area.x.saturating_add(label);
                let width = area.width.saturating_sub(label);
                self.text(Rect { x, width, ..row }, &line, *role);
                y += 1;
            }
        }
        y
    }
}

/// The cells of the columns that are kept.
fn pick(cells: Vec<Cell>, kept: &[(usize, Column)]) -> Vec<Cell> {
    if kept.len() == cells.len() {
        return cells;
    }
    kept.iter()
        .filter_map(|(place, _)| cells.get(*place).cloned())
        .collect()
}

/// A piece of a line.
pub(crate) fn span(text: impl Into<String>, role: Role) -> Span {
    (text.into(), role)
}

/// A labelled fact as body text.
pub(crate) fn fact(name: &str, text: impl Into<String>) -> (String, Span) {
    (name.to_owned(), (text.into(), Role::Text))
}

/// Cells that pieces take.
pub(crate) fn spans_width(spans: &[Span]) -> usize {
    spans.iter().map(|(text, _)| width(text)).sum()
}

/// What separates two things that are said beside each other.
const GAP: &str = "   ";

/// Breaks clean text at spaces; a longer word is cut. What stands between wide gaps stays together where a line
/// has room for it, so that no value is torn from its name. At least one line.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let text = text.replace('\n', " ");
    let text = clean(&text);
    let mut lines = Vec::new();
    let mut line = String::new();
    for (index, piece) in text.split(GAP).enumerate() {
        let whole = width(&line) + GAP.len() + width(piece);
        if !line.is_empty() && whole > columns && width(piece) <= columns {
            lines.push(std::mem::take(&mut line));
        } else if index > 0 && !line.is_empty() {
            // The words put the last blank of the gap themselves.
            line.push_str("  ");
        }
        wrap_words(piece, columns, &mut line, &mut lines);
    }
    lines.push(line);
    lines
}

fn wrap_words(text: &str, columns: usize, line: &mut String, lines: &mut Vec<String>) {
    for word in text.split(' ') {
        let mut word = word;
        let gap = usize::from(!line.is_empty());
        if width(line) + gap + width(word) > columns && !line.is_empty() {
            lines.push(std::mem::take(line));
        }
        while width(word) > columns {
            let head = crate::console::sanitise::head(word, columns);
            if head.is_empty() {
                break;
            }
            lines.push(head.to_owned());
            word = word.strip_prefix(head).unwrap_or_default();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
}

/// What stands in an empty list: that it is being read, why it could not be, or `nothing`.
pub(crate) fn empty_text<T: Row>(
    model: &Model,
    window: &Window<T>,
    slot: Slot,
    nothing: &str,
) -> String {
    match (model.reads.error(slot), window.is_loaded()) {
        (Some(error), _) => error.to_owned(),
        (None, false) => "reading".to_owned(),
        (None, true) => nothing.to_owned(),
    }
}

/// Splits `area` into rows of the given heights; what is left goes to the one at `grows`.
pub(crate) fn rows_of<const N: usize>(area: Rect, heights: [u16; N], grows: usize) -> [Rect; N] {
    let fixed: u16 = heights
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != grows)
        .map(|(_, height)| *height)
        .sum();
    let rest = area.height.saturating_sub(fixed);
    let mut y = area.y;
    let mut index = 0;
    heights.map(|height| {
        let height = if index == grows { rest } else { height };
        let height = height.min(area.bottom().saturating_sub(y));
        let row = Rect { y, height, ..area };
        y += height;
        index += 1;
        row
    })
}

/// Splits `area` into two columns, the left one of `left` cells.
pub(crate) fn columns_of(area: Rect, left: u16) -> (Rect, Rect) {
    let left = left.min(area.width);
    (
        Rect {
            width: left,
            ..area
        },
        Rect {
            x: area.x + left,
            width: area.width - left,
            ..area
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_classes_are_those_of_the_specification() {
        assert_eq!(Size::of(120, 36), Size::Wide);
        assert_eq!(Size::of(120, 29), Size::Medium);
        assert_eq!(Size::of(80, 24), Size::Medium);
        assert_eq!(Size::of(79, 24), Size::Narrow);
        assert_eq!(Size::of(59, 24), Size::Tiny);
        assert_eq!(Size::of(120, 15), Size::Tiny);
        assert_eq!(Size::of(40, 9), Size::Tiny);
        assert_eq!(Size::of(39, 9), Size::None);
        assert_eq!(Size::of(40, 8), Size::None);
    }

    #[test]
    fn text_is_broken_at_spaces_and_long_words_are_cut() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
