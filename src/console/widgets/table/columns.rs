//! The columns of a table: which fit, and how wide each is.

use crate::console::sanitise::width;

/// Which side of its cell a text keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers and times.
    Right,
}

/// One column. When the width shrinks, the column of the highest `importance` number goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// Zero is what the list is about; the highest goes first.
    pub importance: u8,
    /// Cells below which it is not worth showing; its heading always fits.
    pub least: u16,
    /// Cells it wants.
    pub width: u16,
    /// Whether it takes what is left over. In a list of two-line rows it is the second line.
    pub grows: bool,
    /// Which side it keeps to.
    pub align: Align,
    /// Whether it is off until somebody chooses it.
    pub is_optional: bool,
}

impl Column {
    /// A column of words.
    #[must_use]
    pub const fn new(title: &'static str, importance: u8, least: u16, width: u16) -> Self {
        Self {
            title,
            importance,
            least,
            width,
            grows: false,
            align: Align::Left,
            is_optional: false,
        }
    }

    /// Keeps to the right side.
    #[must_use]
    pub const fn right(self) -> Self {
        Self {
            align: Align::Right,
            ..self
        }
    }

    /// Is off until somebody chooses it.
    #[must_use]
    pub const fn optional(self) -> Self {
        Self {
            is_optional: true,
            ..self
        }
    }

    /// Takes what is left over.
    #[must_use]
    pub const fn growing(self) -> Self {
        Self {
            grows: true,
            ..self
        }
    }
}

/// A column with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its index in the table.
    pub index: usize,
    /// Cells from the left edge of the columns.
    pub x: u16,
    /// Cells it takes.
    pub width: u16,
}

/// Chooses the columns that fit `room` cells with `gap` between them, and gives out the room: to each
/// its least, then by importance what it wants, then the rest to those that grow.
#[must_use]
pub fn place(columns: &[Column], room: u16, gap: u16) -> Vec<Placed> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|index| columns.get(*index).map(|column| column.importance));
    let mut chosen: Vec<(usize, Column, u16)> = Vec::new();
    let mut used = 0_u16;
    for index in order {
        let Some(column) = columns.get(index).copied() else {
            continue;
        };
        let gap = if chosen.is_empty() { 0 } else { gap };
        let title = u16::try_from(width(column.title)).unwrap_or(u16::MAX);
        let least = column.least.max(title);
        let needed = least.saturating_add(gap);
        if used.saturating_add(needed) > room {
            if chosen.is_empty() {
                chosen.push((index, column, room));
                used = room;
            }
            break;
        }
        used += needed;
        chosen.push((index, column, least));
    }
    let mut spare = room.saturating_sub(used);
    for (_, column, width) in chosen.iter_mut().filter(|(_, column, _)| !column.grows) {
        let more = column.width.saturating_sub(*width).min(spare);
        *width += more;
        spare -= more;
    }
    let growing = u16::try_from(chosen.iter().filter(|(_, column, _)| column.grows).count());
    let share = spare.checked_div(growing.unwrap_or(0)).unwrap_or(0);
    for (_, column, width) in &mut chosen {
        if column.grows {
            *width += share;
        }
    }
    chosen.sort_by_key(|(index, _, _)| *index);
    let mut x = 0;
    chosen
        .into_iter()
        .map(|(index, _, width)| {
            let placed = Placed { index, x, width };
            x = x.saturating_add(width).saturating_add(gap);
            placed
        })
        .collect()
}
