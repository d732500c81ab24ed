//! Text fields: one line or many, with the editing keys of a shell.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::widgets::Widget as _;
use tui_textarea::{CursorMove, TextArea, WrapMode};

use super::{Paint, put};
use crate::console::sanitise::{is_hidden, width};
use crate::console::theme::Role;

/// How many lines a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// One; line ends in a paste become spaces.
    One,
    /// As many as are written.
    Many,
}

/// A text field. It never decides what a key means: commands are taken out before.
#[derive(Debug, Clone)]
pub struct Field {
    area: TextArea<'static>,
    lines: Lines,
}

impl Field {
    /// An empty field.
    #[must_use]
    pub fn new(lines: Lines) -> Self {
        Self::with_text(lines, "")
    }

    /// A field with a text in it, the cursor at its end.
    #[must_use]
    pub fn with_text(lines: Lines, text: &str) -> Self {
        let mut field = Self {
            area: blank(lines, Vec::new()),
            lines,
        };
        field.set_text(text);
        field
    }

    /// A field that shows a sign for every letter.
    #[must_use]
    pub fn masked() -> Self {
        let mut field = Self::new(Lines::One);
        field.area.set_mask_char('*');
        field
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// Lines written.
    #[must_use]
    pub fn height(&self) -> usize {
        self.area.lines().len()
    }

    /// Replaces the text and forgets the steps that led to it.
    pub fn set_text(&mut self, text: &str) {
        let text = typable(text, self.lines);
        let mask = self.area.mask_char();
        self.area = blank(self.lines, text.split('\n').map(str::to_owned).collect());
        if let Some(mask) = mask {
            self.area.set_mask_char(mask);
        }
        self.area.move_cursor(CursorMove::Bottom);
        self.area.move_cursor(CursorMove::End);
    }

    /// Takes a key that is no command; says whether the text changed.
    pub fn input(&mut self, key: KeyEvent) -> bool {
        let is_line_end = matches!(key.code, KeyCode::Enter)
            || (key.modifiers.contains(KeyModifiers::CONTROL)
                && matches!(key.code, KeyCode::Char('m' | 'j')));
        if is_line_end && self.lines == Lines::One {
            return false;
        }
        match key.code {
            KeyCode::Char(letter) if is_hidden(letter) => false,
            KeyCode::Tab | KeyCode::BackTab | KeyCode::Esc => false,
            _ => self.area.input(key),
        }
    }

    /// Takes pasted text as it is, but for characters that cannot be seen.
    pub fn paste(&mut self, text: &str) -> bool {
        self.area.insert_str(typable(text, self.lines))
    }

    /// Begins a new line, where there may be several.
    pub fn new_line(&mut self) {
        if self.lines == Lines::Many {
            self.area.insert_newline();
        }
    }

    /// Takes the last edit back.
    pub fn undo(&mut self) -> bool {
        self.area.undo()
    }

    /// Draws it: a line on its left edge, the text, and the cursor while it has the focus.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, paint: Paint<'_>, is_focused: bool) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        let edge = paint.style(if is_focused {
            Role::Focus
        } else {
            Role::Border
        });
        for y in area.top()..area.bottom() {
            put(buffer, area.x, y, paint.glyphs.field, 1, edge);
        }
        let inner = Rect {
            x: area.x.saturating_add(1),
            width: area.width.saturating_sub(1),
            ..area
        };
        if inner.is_empty() {
            return;
        }
        if is_focused && self.lines == Lines::Many {
            (&self.area).render(inner, buffer);
            buffer.set_style(inner, paint.style(Role::Input));
            return;
        }
        let style = paint.style(Role::Input);
        for (line, y) in self.shown().zip(inner.top()..inner.bottom()) {
            put(buffer, inner.x, y, &line, inner.width, style);
        }
        if is_focused {
            self.draw_cursor_line(inner, buffer, paint);
        }
    }

    fn shown(&self) -> impl Iterator<Item = String> {
        let mask = self.area.mask_char();
        self.area.lines().iter().map(move |line| match mask {
            Some(mask) => line.chars().map(|_| mask).collect(),
            None => line.clone(),
        })
    }

    /// The one line with its cursor in view. The editor's own drawing keeps its scroll when the window
    /// grows and would show an empty field then.
    fn draw_cursor_line(&self, inner: Rect, buffer: &mut Buffer, paint: Paint<'_>) {
        let line = self.shown().next().unwrap_or_default();
        let letters = self.area.cursor().1;
        let mut before: Vec<char> = line.chars().take(letters).collect();
        let room = usize::from(inner.width).saturating_sub(1);
        let mut cut = 0;
        while width(&before.iter().collect::<String>()) > room && !before.is_empty() {
            before.remove(0);
            cut += 1;
        }
        let style = paint.style(Role::Input);
        let text: String = line.chars().skip(cut).collect();
        put(
            buffer,
            inner.x,
            inner.y,
            &" ".repeat(inner.width.into()),
            inner.width,
            style,
        );
        put(buffer, inner.x, inner.y, &text, inner.width, style);
        let columns = u16::try_from(width(&before.iter().collect::<String>())).unwrap_or(0);
        let cursor = Rect {
            x: inner.x.saturating_add(columns),
            width: 1,
            height: 1,
            ..inner
        };
        buffer.set_style(
            cursor.intersection(inner),
            style.add_modifier(Modifier::REVERSED),
        );
    }
}

fn blank(lines: Lines, text: Vec<String>) -> TextArea<'static> {
    let mut area = TextArea::new(text);
    area.set_cursor_line_style(ratatui::style::Style::new());
    if lines == Lines::Many {
        area.set_wrap_mode(WrapMode::WordOrGlyph);
    }
    area
}

/// Text without what cannot be seen; line ends only where there may be several lines.
fn typable(text: &str, lines: Lines) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter_map(|letter| match (letter, lines) {
            ('\n', Lines::Many) => Some('\n'),
            ('\n', Lines::One) | ('\t', _) => Some(' '),
            (letter, _) if is_hidden(letter) => None,
            (letter, _) => Some(letter),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{draw, paint};
    use super::*;

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    #[test]
    fn letters_are_text_and_editing_keys_edit() {
        let mut field = Field::new(Lines::One);
        for letter in "axe".chars() {
            assert!(field.input(key(KeyCode::Char(letter))));
        }
        field.input(key(KeyCode::Backspace));
        assert_eq!(field.text(), "ax");
        assert!(!field.input(key(KeyCode::Enter)));
        assert!(!field.input(key(KeyCode::Char('\u{202E}'))));
        assert_eq!(field.text(), "ax");
    }

    #[test]
    fn a_paste_stays_one_line_where_there_is_one_and_hides_nothing() {
        let mut field = Field::new(Lines::One);
        field.paste("matches\r\nPO-7731\u{200B}\t!");
        assert_eq!(field.text(), "matches PO-7731 !");
        let mut field = Field::with_text(Lines::Many, "a");
        field.new_line();
        field.paste("b\nc");
        assert_eq!((field.text().as_str(), field.height()), ("a\nb\nc", 3));
    }

    #[test]
    fn it_draws_with_and_without_the_focus_in_any_area() {
        let field = Field::with_text(Lines::One, "callback verified");
        for is_focused in [true, false] {
            for columns in 1..30 {
                let text = draw(columns, 1, |area, buffer| {
                    field.draw(area, buffer, paint(), is_focused);
                });
                assert!(text.starts_with('▏'));
                assert!(columns < 19 || text.contains("callback verified"), "{text}");
            }
        }
    }

    #[test]
    fn a_masked_field_never_shows_its_text() {
        let mut field = Field::masked();
        field.set_text("hunter2");
        for is_focused in [true, false] {
            let text = draw(20, 1, |area, buffer| {
                field.draw(area, buffer, paint(), is_focused);
            });
            assert!(
                !text.contains("hunter2") && text.contains("*******"),
                "{text}"
            );
        }
    }
}
