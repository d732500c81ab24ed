//! Frames around panes: boxes, and ruled sections where there is no room for boxes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Paint, put};
use crate::console::sanitise::{fit, width};
use crate::console::theme::Role;

/// How a section is set apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A box.
    Light,
    /// The box that has the focus.
    Heavy,
    /// A strip within a list.
    Round,
    /// A line above, for narrow screens.
    Ruled,
}

/// A frame with a title on its left and facts on its right.
#[derive(Debug, Clone)]
pub struct Section<'a> {
    /// What it holds.
    pub title: &'a str,
    /// Filter, order, range; given up first when there is no room.
    pub right: &'a str,
    /// The lower edge, left and right; boxes only.
    pub bottom: (&'a str, &'a str),
    /// How it is set apart.
    pub look: Look,
    /// Whether it has the focus; a ruled section shows it by the weight of its title.
    pub is_focused: bool,
}

impl<'a> Section<'a> {
    /// A section of that look. Boxes are heavy when they have the focus.
    #[must_use]
    pub fn new(title: &'a str, right: &'a str, look: Look) -> Self {
        Self {
            title,
            right,
            bottom: ("", ""),
            look,
            is_focused: look == Look::Heavy,
        }
    }

    /// A box at wide sizes, a ruled section at narrow ones.
    #[must_use]
    pub fn at_size(title: &'a str, right: &'a str, is_wide: bool, is_focused: bool) -> Self {
        let look = match (is_wide, is_focused) {
            (false, _) => Look::Ruled,
            (true, true) => Look::Heavy,
            (true, false) => Look::Light,
        };
        Self {
            title,
            right,
            bottom: ("", ""),
            look,
            is_focused,
        }
    }

    /// The cells inside, without drawing.
    #[must_use]
    pub fn inner(&self, area: Rect) -> Rect {
        match self.look {
            Look::Ruled => Rect {
                y: area.y.saturating_add(area.height.min(1)),
                height: area.height.saturating_sub(1),
                ..area
            },
            Look::Light | Look::Heavy | Look::Round => {
                let side = if area.width >= 8 { 2 } else { 1 };
                Rect {
                    x: area.x.saturating_add(side),
                    y: area.y.saturating_add(1),
                    width: area.width.saturating_sub(2 * side),
                    height: area.height.saturating_sub(2),
                }
            }
        }
    }

    /// Draws the frame and returns the cells inside.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, paint: Paint<'_>) -> Rect {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return area;
        }
        match self.look {
            Look::Ruled => self.draw_ruled(area, buffer, paint),
            Look::Light | Look::Heavy | Look::Round => self.draw_box(area, buffer, paint),
        }
        self.inner(area)
    }

    fn draw_ruled(&self, area: Rect, buffer: &mut Buffer, paint: Paint<'_>) {
        let rule = paint.glyphs.rule;
        let line = paint.style(if self.is_focused {
            Role::Focus
        } else {
            Role::Border
        });
        put(
            buffer,
            area.x,
            area.y,
            &rule.repeat(area.width.into()),
            area.width,
            line,
        );
        self.draw_texts(area, area.y, (self.title, self.right), 2, buffer, paint);
    }

    fn draw_box(&self, area: Rect, buffer: &mut Buffer, paint: Paint<'_>) {
        let set = match self.look {
            Look::Heavy => paint.glyphs.heavy,
            Look::Round => paint.glyphs.round,
            Look::Light | Look::Ruled => paint.glyphs.light,
        };
        let style = paint.style(if self.is_focused {
            Role::Focus
        } else {
            Role::Border
        });
        let (left, right) = (area.x, area.right().saturating_sub(1));
        let (top, bottom) = (area.y, area.bottom().saturating_sub(1));
        let mut sign = |x, y, symbol: &str| {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.set_symbol(symbol).set_style(style);
            }
        };
        for x in left..=right {
            sign(x, top, set.horizontal_top);
            sign(x, bottom, set.horizontal_bottom);
        }
        for y in top..=bottom {
            sign(left, y, set.vertical_left);
            sign(right, y, set.vertical_right);
        }
        sign(left, top, set.top_left);
        sign(right, top, set.top_right);
        sign(left, bottom, set.bottom_left);
        sign(right, bottom, set.bottom_right);
        let lead = if self.look == Look::Round { 1 } else { 2 };
        self.draw_texts(area, top, (self.title, self.right), lead, buffer, paint);
        if bottom > top {
            self.draw_texts(area, bottom, self.bottom, 1, buffer, paint);
        }
    }

    /// Writes ` left ` after `lead` cells of the edge and ` right ` at its end.
    fn draw_texts(
        &self,
        area: Rect,
        y: u16,
        (left, right): (&str, &str),
        lead: u16,
        buffer: &mut Buffer,
        paint: Paint<'_>,
    ) {
        let trail = if self.look == Look::Ruled { 2 } else { 1 };
        let room = area.width.saturating_sub(lead + trail);
        let left_role = match (y == area.y, self.is_focused) {
            (true, true) => Role::Focus,
            (true, false) => Role::Title,
            (false, _) => Role::Dim,
        };
        if !left.is_empty() && room >= 4 {
            let text = format!(" {} ", fit(left, usize::from(room) - 2));
            put(
                buffer,
                area.x + lead,
                y,
                &text,
                room,
                paint.style(left_role),
            );
        }
        let taken = if left.is_empty() { 0 } else { width(left) + 2 };
        let right_room = usize::from(room).saturating_sub(taken + 1);
        if !right.is_empty() && width(right) + 2 <= right_room {
            let text = format!(" {right} ");
            let columns = u16::try_from(width(&text)).unwrap_or(room);
            let x = area.right().saturating_sub(trail + columns);
            put(buffer, x, y, &text, columns, paint.style(Role::Dim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{draw, paint};
    use super::*;

    fn drawn(section: &Section<'_>, columns: u16, rows: u16) -> (String, Rect) {
        let mut inner = Rect::default();
        let text = draw(columns, rows, |area, buffer| {
            inner = section.draw(area, buffer, paint());
        });
        (text, inner)
    }

    #[test]
    fn a_box_has_its_title_left_and_its_facts_right() {
        let mut section = Section::new("Agents · 9", "worst first ▼  1–5 of 9", Look::Heavy);
        let (text, inner) = drawn(&section, 60, 3);
        assert_eq!(
            text,
            "┏━ Agents · 9 ━━━━━━━━━━━━━━━━━━━━ worst first ▼  1–5 of 9 ┓\n\
             ┃                                                          ┃\n\
             ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛\n"
        );
        assert_eq!(inner, Rect::new(2, 1, 56, 1));
        section.look = Look::Light;
        assert!(
            drawn(&section, 30, 3)
                .0
                .starts_with("┌─ Agents · 9 ──────────────")
        );
    }

    #[test]
    fn a_ruled_section_is_one_line_without_sides() {
        let section = Section::new("Flow 5m", "in 190/s  out 182/s", Look::Ruled);
        let (text, inner) = drawn(&section, 80, 2);
        assert_eq!(
            text.lines().next().unwrap(),
            "── Flow 5m ────────────────────────────────────────────── in 190/s  out 182/s ──"
        );
        assert_eq!(inner, Rect::new(0, 1, 80, 1));
    }

    #[test]
    fn a_strip_is_round_and_has_words_on_its_lower_edge() {
        let section = Section {
            bottom: ("Enter stage   Esc keep draft", "comment required"),
            ..Section::new("approve 8fd03e1b?", "version 7", Look::Round)
        };
        assert_eq!(
            drawn(&section, 56, 2).0,
            "╭ approve 8fd03e1b? ──────────────────────── version 7 ╮\n\
             ╰ Enter stage   Esc keep draft ───── comment required ╯\n"
                .replace("───── comment", "────── comment")
        );
    }

    #[test]
    fn a_long_title_is_cut_and_pushes_the_facts_out() {
        let section = Section::new("Dead letters · 4 groups", "by group", Look::Light);
        let (text, _) = drawn(&section, 20, 2);
        assert_eq!(text.lines().next().unwrap(), "┌─ Dead letters ·… ┐");
        let (text, _) = drawn(&section, 30, 2);
        assert_eq!(
            text.lines().next().unwrap(),
            "┌─ Dead letters · 4 groups ──┐"
        );
    }

    #[test]
    fn it_draws_in_any_area() {
        for columns in 1..12 {
            for rows in 1..4 {
                for look in [Look::Light, Look::Heavy, Look::Round, Look::Ruled] {
                    let section = Section::new("a long title \u{202E}", "right", look);
                    assert!(!drawn(&section, columns, rows).0.contains('\u{202E}'));
                }
            }
        }
    }
}
