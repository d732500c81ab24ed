//! Pieces the panes are made of: tables, boxes, sparks, waterfalls, fields, trees.
//!
//! Invariants:
//! 1. A widget knows neither the domain nor the desk; it gets text and roles.
//! 2. Every text passes `sanitise` on its way to the buffer, and no widget draws outside its area.
//! 3. Meaning is never colour alone: the cursor has a sign, marks have a sign, ghosts say why.
//! 4. A widget draws in any area, also one of no cells.
//!
//! Not here: where panes stand (`view`), what the rows are (`panes`).
//!
//! Tested: on a test backend at 120, 80 and 40 columns.

pub mod field;
pub mod json;
pub mod section;
pub mod spark;
pub mod table;
pub mod timeline;
pub mod waterfall;

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::sanitise;
use super::theme::glyphs::Glyphs;
use super::theme::{Role, Theme};

/// What a widget draws with: the theme and the signs.
#[derive(Debug, Clone, Copy)]
pub struct Paint<'a> {
    /// Colours and attributes.
    pub theme: &'a Theme,
    /// Signs.
    pub glyphs: &'static Glyphs,
}

impl Paint<'_> {
    /// How a role looks.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }
}

/// Draws clean text cut to `columns`; returns the column after it.
pub fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, columns: u16, style: Style) -> u16 {
    let area = buffer.area;
    if y < area.top() || y >= area.bottom() || x >= area.right() {
        return x;
    }
    let columns = columns.min(area.right() - x);
    let text = sanitise::fit(text, usize::from(columns));
    buffer
        .set_stringn(x, y, text, usize::from(columns), style)
        .0
}

#[cfg(test)]
mod testing {
    use std::sync::OnceLock;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::Paint;
    use crate::console::theme::Theme;
    use crate::console::theme::glyphs::UNICODE;

    /// The default theme in Unicode.
    pub(super) fn paint() -> Paint<'static> {
        static THEME: OnceLock<Theme> = OnceLock::new();
        Paint {
            theme: THEME.get_or_init(Theme::default),
            glyphs: &UNICODE,
        }
    }

    /// What stands on a screen of that size after `draw`, line by line.
    pub(super) fn draw(columns: u16, rows: u16, draw: impl FnOnce(Rect, &mut Buffer)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal
            .draw(|frame| draw(frame.area(), frame.buffer_mut()))
            .unwrap();
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for y in 0..rows {
            let mut x = 0;
            while x < columns {
                let symbol = buffer[(x, y)].symbol();
                text.push_str(symbol);
                x += u16::try_from(crate::console::sanitise::width(symbol))
                    .unwrap()
                    .max(1);
            }
            text.push('\n');
        }
        text
    }
}
