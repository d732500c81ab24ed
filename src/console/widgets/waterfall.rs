//! Attempts as lanes on a time axis: what ran, what waited, what is planned.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::Duration;

use super::{Paint, put};
use crate::console::sanitise::{pad_right, width};
use crate::console::theme::Role;

/// How time is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Axis {
    /// Growing backoff becomes even steps.
    #[default]
    Log,
    /// True to scale.
    Linear,
    /// One step for each lane.
    Step,
}

impl Axis {
    /// The word in the title.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Linear => "linear",
            Self::Step => "step",
        }
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Log => Self::Linear,
            Self::Linear => Self::Step,
            Self::Step => Self::Log,
        }
    }
}

/// What happened in a piece of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An attempt ran.
    Running,
    /// It waited for its instant.
    Backoff,
    /// It waited for a lease.
    Lease,
    /// The lease was lost.
    Lost,
    /// It may start in this range.
    Planned,
}

/// A piece of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// What happened.
    pub kind: Kind,
    /// Milliseconds since the axis began.
    pub from_ms: i64,
    /// The same for its end.
    pub to_ms: i64,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Number, start, duration, code, gap: laid out by the caller.
    pub lead: String,
    /// How the lead and what ran look.
    pub role: Role,
    /// What happened, in order.
    pub pieces: Vec<Piece>,
}

/// The lanes to draw.
#[derive(Debug, Clone)]
pub struct Waterfall<'a> {
    /// Headings over the leads.
    pub lead_title: &'a str,
    /// Cells the leads take, without the gap after them.
    pub lead_columns: u16,
    /// The lanes.
    pub lanes: &'a [Lane],
    /// How time is laid out.
    pub axis: Axis,
    /// Milliseconds from the beginning of the axis to now, or to the end of a finished intent.
    pub now_ms: i64,
    /// The lane under the cursor.
    pub cursor: Option<usize>,
    /// The first lane shown.
    pub first: usize,
    /// Whether it has the focus.
    pub is_focused: bool,
}

/// Instants the axis may name, in milliseconds.
const TICKS: [(i64, &str); 14] = [
    (1, "1ms"),
    (10, "10ms"),
    (100, "100ms"),
    (1_000, "1s"),
    (10_000, "10s"),
    (60_000, "1m"),
    (600_000, "10m"),
    (3_600_000, "1h"),
    (36_000_000, "10h"),
    (86_400_000, "1d"),
    (259_200_000, "3d"),
    (864_000_000, "10d"),
    (2_592_000_000, "30d"),
    (8_640_000_000, "100d"),
];

/// Where each column of the axis begins in time.
#[derive(Debug, Clone)]
struct Scale {
    starts_ms: Vec<i64>,
}

impl Scale {
    fn new(axis: Axis, columns: u16, unit_ms: i64, end_ms: i64) -> Self {
        let end = seconds(end_ms);
        let unit = seconds(unit_ms.max(1));
        let start = |column: u16| {
            let share = f64::from(column) / f64::from(columns.max(1));
            let at = match axis {
                Axis::Log => unit * ((1.0 + end / unit).powf(share) - 1.0),
                Axis::Linear | Axis::Step => end * share,
            };
            let at = Duration::try_from_secs_f64(at).unwrap_or_default();
            i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
        };
        Self {
            starts_ms: (0..columns).map(start).collect(),
        }
    }

    fn column(&self, at_ms: i64) -> u16 {
        let after = self.starts_ms.partition_point(|start| *start <= at_ms);
        u16::try_from(after.saturating_sub(1)).unwrap_or(u16::MAX)
    }
}

fn seconds(ms: i64) -> f64 {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0)).as_secs_f64()
}

impl Waterfall<'_> {
    /// Draws it; returns the lanes on the screen with their index.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, paint: Paint<'_>) -> Vec<(usize, Rect)> {
        let area = area.intersection(buffer.area);
        let mut drawn = Vec::new();
        if area.is_empty() {
            return drawn;
        }
        let lead = self.lead_columns.min(area.width);
        let chart = Rect {
            x: area.x.saturating_add(lead + 2).min(area.right()),
            width: area.width.saturating_sub(lead + 2),
            ..area
        };
        let scale = self.scale(chart.width);
        let heading = pad_right(self.lead_title, lead.into());
        put(
            buffer,
            area.x.saturating_add(1),
            area.y,
            &heading,
            lead,
            paint.style(Role::Dim),
        );
        self.draw_axis(&scale, chart, buffer, paint);
        for (row, (index, lane)) in self.lanes.iter().enumerate().skip(self.first).enumerate() {
            let Some(y) = u16::try_from(row)
                .ok()
                .and_then(|row| area.y.checked_add(row + 1))
            else {
                break;
            };
            if y >= area.bottom() {
                break;
            }
            let line = Rect {
                y,
                height: 1,
                ..area
            };
            let place = Rect {
                y,
                height: 1,
                ..chart
            };
            let style = paint.style(lane.role);
            put(buffer, area.x.saturating_add(1), y, &lane.lead, lead, style);
            self.draw_lane(index, lane, &scale, place, buffer, paint);
            if self.cursor == Some(index) {
                let width = lead.saturating_add(1).min(area.width);
                self.draw_cursor(Rect { width, ..line }, buffer, paint);
            }
            drawn.push((index, line));
        }
        drawn
    }

    fn draw_cursor(&self, reach: Rect, buffer: &mut Buffer, paint: Paint<'_>) {
        let sign = paint.glyphs.cursor;
        put(buffer, reach.x, reach.y, sign, 1, paint.style(Role::Strong));
        if self.is_focused {
            buffer.set_style(reach, paint.style(Role::Cursor));
        }
    }

    fn end_ms(&self) -> i64 {
        let ends = self
            .lanes
            .iter()
            .flat_map(|lane| &lane.pieces)
            .map(|piece| piece.to_ms);
        ends.chain([self.now_ms, 1]).max().unwrap_or(1)
    }

    fn scale(&self, columns: u16) -> Scale {
        let pieces = self.lanes.iter().flat_map(|lane| &lane.pieces);
        let first = pieces
            .filter(|piece| piece.kind == Kind::Running)
            .map(|piece| piece.to_ms - piece.from_ms)
            .find(|length| *length > 0);
        // A tenth of the first attempt makes that attempt about a quarter of the axis.
        Scale::new(
            self.axis,
            columns,
            first.unwrap_or(1_000) / 10,
            self.end_ms(),
        )
    }

    fn draw_axis(&self, scale: &Scale, chart: Rect, buffer: &mut Buffer, paint: Paint<'_>) {
        let style = paint.style(Role::Dim);
        if self.axis == Axis::Step {
            put(
                buffer,
                chart.x,
                chart.y,
                "one step per attempt",
                chart.width,
                style,
            );
            return;
        }
        let now = if self.now_ms >= self.end_ms() {
            chart.width.saturating_sub(3)
        } else {
            scale.column(self.now_ms).min(chart.width.saturating_sub(3))
        };
        if chart.width >= 3 {
            put(
                buffer,
                chart.x.saturating_add(now),
                chart.y,
                "now",
                3,
                style,
            );
        }
        let mut free = 0_u16;
        for (at_ms, label) in std::iter::once((0, "0")).chain(TICKS) {
            let columns = u16::try_from(width(label)).unwrap_or(u16::MAX);
            let at = scale.column(at_ms);
            if at < free || at.saturating_add(columns + 1) > now || at_ms >= self.now_ms {
                continue;
            }
            put(
                buffer,
                chart.x.saturating_add(at),
                chart.y,
                label,
                columns,
                style,
            );
            free = at.saturating_add(columns + 4);
        }
    }

    fn draw_lane(
        &self,
        index: usize,
        lane: &Lane,
        scale: &Scale,
        chart: Rect,
        buffer: &mut Buffer,
        paint: Paint<'_>,
    ) {
        for (piece_index, piece) in lane.pieces.iter().enumerate() {
            let (from, to) = match self.axis {
                Axis::Log | Axis::Linear => {
                    (scale.column(piece.from_ms), scale.column(piece.to_ms))
                }
                Axis::Step => self.step(index, piece_index, lane.pieces.len(), chart.width),
            };
            let (sign, role) = match piece.kind {
                Kind::Running => (paint.glyphs.running, Role::Fill),
                Kind::Backoff => (paint.glyphs.backoff, Role::Rest),
                Kind::Lease => (paint.glyphs.lease, Role::Rest),
                Kind::Lost => (paint.glyphs.lost_lease, Role::Bad),
                Kind::Planned => (paint.glyphs.planned, Role::Fill),
            };
            let role = if piece.kind == Kind::Running {
                lane.role
            } else {
                role
            };
            let is_waiting = matches!(piece.kind, Kind::Backoff | Kind::Lease);
            // What ran is never too short to be seen; a wait may be.
            let to = if is_waiting {
                to
            } else {
                to.max(from.saturating_add(1))
            };
            let length = to
                .saturating_sub(from)
                .min(chart.width.saturating_sub(from));
            let x = chart.x.saturating_add(from);
            put(
                buffer,
                x,
                chart.y,
                &sign.repeat(length.into()),
                length,
                paint.style(role),
            );
        }
    }

    /// The columns of a piece where every lane has the same share of the width.
    fn step(&self, lane: usize, piece: usize, pieces: usize, columns: u16) -> (u16, u16) {
        let all = usize::from(columns);
        let lanes = self.lanes.len().max(1);
        let at = |part: usize| {
            let column = (lane * pieces + part) * all / (lanes * pieces.max(1));
            u16::try_from(column).unwrap_or(u16::MAX)
        };
        (at(piece), at(piece + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{draw, paint};
    use super::*;

    fn lanes() -> Vec<Lane> {
        let starts = [0_i64, 15_000, 52_000, 193_000, 764_000, 2_674_000];
        let mut before = 0;
        let mut lanes = Vec::new();
        for (index, start) in starts.into_iter().enumerate() {
            let mut pieces = Vec::new();
            if index > 0 {
                pieces.push(Piece {
                    kind: Kind::Backoff,
                    from_ms: before,
                    to_ms: start,
                });
            }
            before = start + 10_000;
            pieces.push(Piece {
                kind: Kind::Running,
                from_ms: start,
                to_ms: before,
            });
            let lead = format!("{:>2}  10.0s  503", index + 1);
            lanes.push(Lane {
                lead,
                role: Role::Bad,
                pieces,
            });
        }
        lanes
    }

    fn text(axis: Axis, columns: u16) -> String {
        let lanes = lanes();
        let waterfall = Waterfall {
            lead_title: " #  DUR    CODE",
            lead_columns: 15,
            lanes: &lanes,
            axis,
            now_ms: 2_684_000,
            cursor: Some(5),
            first: 0,
            is_focused: true,
        };
        draw(columns, 7, |area, buffer| {
            waterfall.draw(area, buffer, paint());
        })
    }

    #[test]
    fn on_a_log_axis_growing_backoff_becomes_even_steps() {
        insta::assert_snapshot!("waterfall_log_116", text(Axis::Log, 116));
        insta::assert_snapshot!("waterfall_log_80", text(Axis::Log, 80));
    }

    #[test]
    fn on_the_other_axes_every_attempt_is_still_seen() {
        for axis in [Axis::Linear, Axis::Step] {
            for columns in [116, 80, 40] {
                let text = text(axis, columns);
                assert_eq!(
                    text.lines().filter(|line| line.contains('█')).count(),
                    6,
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn it_draws_in_any_area() {
        for columns in 1..30 {
            text(Axis::Log, columns);
            text(Axis::Step, columns);
        }
    }
}
