//! Lists: rows under columns that go when the width shrinks, with a cursor, marks and ghosts.

pub mod columns;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use self::columns::{Align, Column, Placed, place};
use super::{Paint, put};
use crate::console::sanitise::{clean, pad_left, pad_right, width};
use crate::console::theme::Role;

/// The text of one cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// The text; foreign text is fine.
    pub text: String,
    /// How it looks, unless as body text.
    pub role: Option<Role>,
}

impl Cell {
    /// A cell that looks like `role`.
    #[must_use]
    pub fn of(text: impl Into<String>, role: Role) -> Self {
        Self {
            text: text.into(),
            role: Some(role),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            role: None,
        }
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// One cell for each column of the table, also for those not shown.
    pub cells: Vec<Cell>,
    /// Whether it is marked.
    pub is_marked: bool,
    /// Why it no longer belongs to the list, as words such as `completed 2s ago`.
    pub ghost: Option<String>,
}

impl Row {
    /// A row of these cells.
    #[must_use]
    pub fn of(cells: Vec<Cell>) -> Self {
        Self {
            cells,
            is_marked: false,
            ghost: None,
        }
    }
}

/// How many lines a row takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One.
    Lines,
    /// Two for the row under the cursor, one for the others; for screens under 60 columns.
    TwoForCursor,
}

impl Shape {
    /// The shape for a screen of that width.
    #[must_use]
    pub const fn at_width(columns: u16) -> Self {
        if columns < 60 {
            Self::TwoForCursor
        } else {
            Self::Lines
        }
    }
}

/// A list to draw.
#[derive(Debug, Clone)]
pub struct Table<'a> {
    /// Its columns, in their order on the screen.
    pub columns: &'a [Column],
    /// The rows at hand, which may be more than fit.
    pub rows: &'a [Row],
    /// The row under the cursor.
    pub cursor: Option<usize>,
    /// The first row shown; see [`first_shown`].
    pub first: usize,
    /// Whether rows can be marked, which takes one more cell on the left.
    pub has_marks: bool,
    /// Whether the headings are drawn.
    pub has_header: bool,
    /// Whether the list has the focus.
    pub is_focused: bool,
    /// How many lines a row takes.
    pub shape: Shape,
    /// Lines kept free under the cursor's row, for a strip.
    pub below_cursor: u16,
    /// What stands there when there are no rows.
    pub empty: &'a str,
}

impl<'a> Table<'a> {
    /// A list with headings and without marks, one line a row.
    #[must_use]
    pub fn new(columns: &'a [Column], rows: &'a [Row]) -> Self {
        Self {
            columns,
            rows,
            cursor: None,
            first: 0,
            has_marks: false,
            has_header: true,
            is_focused: false,
            shape: Shape::Lines,
            below_cursor: 0,
            empty: "",
        }
    }
}

/// Where things landed; for the mouse, and for what is drawn into the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drawn {
    /// Rows on the screen with their index.
    pub rows: Vec<(usize, Rect)>,
    /// Headings with the index of their column.
    pub headings: Vec<(usize, Rect)>,
    /// The lines kept free under the cursor's row.
    pub below_cursor: Option<Rect>,
}

/// The first row to show so that the cursor is in view, moving as little as possible.
#[must_use]
pub fn first_shown(first: usize, cursor: usize, rows: usize, lines: usize) -> usize {
    let lines = lines.max(1);
    let last_first = rows.saturating_sub(lines);
    let lowest = cursor.saturating_sub(lines - 1);
    first.min(last_first).clamp(lowest, cursor.max(lowest))
}

impl Table<'_> {
    /// Draws it and says where things landed.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, paint: Paint<'_>) -> Drawn {
        let area = area.intersection(buffer.area);
        let mut drawn = Drawn::default();
        if area.is_empty() {
            return drawn;
        }
        let gutter: u16 = if self.has_marks { 3 } else { 2 };
        let gap = if self.shape == Shape::Lines { 2 } else { 1 };
        let first_line: Vec<Column> = match self.shape {
            Shape::Lines => self.columns.to_vec(),
            Shape::TwoForCursor => self.without_growing(),
        };
        let places = place(&first_line, area.width.saturating_sub(gutter), gap);
        let places = self.indices(&first_line, places);
        let mut y = area.y;
        if self.has_header {
            self.draw_header(area, gutter, &places, buffer, paint, &mut drawn);
            y += 1;
        }
        if self.rows.is_empty() {
            let style = paint.style(Role::Dim);
            put(
                buffer,
                area.x.saturating_add(gutter),
                y,
                self.empty,
                area.width,
                style,
            );
        }
        for (index, row) in self.rows.iter().enumerate().skip(self.first) {
            if y >= area.bottom() {
                break;
            }
            let line = Rect {
                y,
                height: 1,
                ..area
            };
            let is_cursor = self.cursor == Some(index);
            self.draw_row(row, is_cursor, line, gutter, &places, buffer, paint);
            let mut height = 1;
            if is_cursor && self.shape == Shape::TwoForCursor && y + 1 < area.bottom() {
                let second = Rect { y: y + 1, ..line };
                self.draw_second(row, second, gutter, &places, buffer, paint);
                height = 2;
            }
            drawn.rows.push((index, Rect { height, ..line }));
            y += height;
            if is_cursor && self.below_cursor > 0 {
                let below = Rect {
                    y,
                    height: self.below_cursor,
                    ..area
                }
                .intersection(area);
                y = y.saturating_add(below.height);
                drawn.below_cursor = Some(below).filter(|below| !below.is_empty());
            }
        }
        drawn
    }

    fn without_growing(&self) -> Vec<Column> {
        let rest: Vec<Column> = self
            .columns
            .iter()
            .copied()
            .filter(|column| !column.grows)
            .collect();
        if rest.is_empty() {
            self.columns.to_vec()
        } else {
            rest
        }
    }

    /// Turns places among `shown` into places among the table's own columns.
    fn indices(&self, shown: &[Column], places: Vec<Placed>) -> Vec<Placed> {
        let own = |index: usize| {
            let column = shown.get(index)?;
            self.columns.iter().position(|own| own == column)
        };
        places
            .into_iter()
            .filter_map(|placed| {
                Some(Placed {
                    index: own(placed.index)?,
                    ..placed
                })
            })
            .collect()
    }

    fn draw_header(
        &self,
        area: Rect,
        gutter: u16,
        places: &[Placed],
        buffer: &mut Buffer,
        paint: Paint<'_>,
        drawn: &mut Drawn,
    ) {
        for placed in places {
            let Some(column) = self.columns.get(placed.index) else {
                continue;
            };
            let x = area.x.saturating_add(gutter).saturating_add(placed.x);
            let text = aligned(column.title, placed.width, column.align);
            put(
                buffer,
                x,
                area.y,
                &text,
                placed.width,
                paint.style(Role::Dim),
            );
            let heading = Rect {
                x,
                y: area.y,
                width: placed.width,
                height: 1,
            };
            drawn.headings.push((placed.index, heading));
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a leaf of one drawing, called in one place"
    )]
    fn draw_row(
        &self,
        row: &Row,
        is_cursor: bool,
        line: Rect,
        gutter: u16,
        places: &[Placed],
        buffer: &mut Buffer,
        paint: Paint<'_>,
    ) {
        let body = |role: Option<Role>| match (&row.ghost, role) {
            (Some(_), _) => paint.style(Role::Ghost),
            (None, role) => paint.style(role.unwrap_or(Role::Text)),
        };
        if is_cursor {
            put(
                buffer,
                line.x,
                line.y,
                paint.glyphs.cursor,
                1,
                paint.style(Role::Strong),
            );
        }
        if row.is_marked && self.has_marks {
            put(
                buffer,
                line.x + 1,
                line.y,
                paint.glyphs.mark,
                1,
                paint.style(Role::Mark),
            );
        }
        for placed in places {
            let (Some(column), Some(cell)) =
                (self.columns.get(placed.index), row.cells.get(placed.index))
            else {
                continue;
            };
            let x = line.x.saturating_add(gutter).saturating_add(placed.x);
            let text = aligned(&cell.text, placed.width, column.align);
            put(buffer, x, line.y, &text, placed.width, body(cell.role));
        }
        if let Some(reason) = &row.ghost {
            let reason = format!("  {}", clean(reason));
            let columns = u16::try_from(width(&reason))
                .unwrap_or(u16::MAX)
                .min(line.width);
            let x = line.right().saturating_sub(columns);
            put(buffer, x, line.y, &reason, columns, paint.style(Role::Dim));
        }
        if is_cursor {
            buffer.set_style(line, self.cursor_style(paint));
        }
    }

    fn draw_second(
        &self,
        row: &Row,
        line: Rect,
        gutter: u16,
        places: &[Placed],
        buffer: &mut Buffer,
        paint: Paint<'_>,
    ) {
        let grown = self.columns.iter().zip(&row.cells);
        let mut texts: Vec<String> = grown
            .filter(|(column, cell)| column.grows && !cell.text.is_empty())
            .map(|(_, cell)| cell.text.clone())
            .collect();
        if texts.is_empty() {
            // Nothing to say there: what the first line had no room for.
            let all = self.columns.iter().zip(&row.cells).enumerate();
            let hidden = all.filter(|(index, (column, cell))| {
                let is_shown = places.iter().any(|placed| placed.index == *index);
                !is_shown && !column.grows && !matches!(cell.text.as_str(), "" | "–" | "-")
            });
            texts = hidden
                .map(|(_, (column, cell))| format!("{} {}", column.title.to_lowercase(), cell.text))
                .collect();
        }
        let x = line.x.saturating_add(gutter);
        let room = line.width.saturating_sub(gutter);
        put(
            buffer,
            x,
            line.y,
            &texts.join("  "),
            room,
            paint.style(Role::Text),
        );
        buffer.set_style(line, self.cursor_style(paint));
    }

    /// Without the focus, the sign alone marks the row.
    fn cursor_style(&self, paint: Paint<'_>) -> Style {
        if self.is_focused {
            paint.style(Role::Cursor)
        } else {
            Style::new()
        }
    }
}

fn aligned(text: &str, columns: u16, align: Align) -> String {
    match align {
        Align::Left => pad_right(text, columns.into()),
        Align::Right => pad_left(text, columns.into()),
    }
}

#[cfg(test)]
mod tests;
