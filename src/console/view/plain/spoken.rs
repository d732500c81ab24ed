//! A line of a screen as words.

use ratatui::buffer::Buffer;

use super::is_reversed;
use crate::console::sanitise::width;
use crate::console::theme::glyphs::spoken as sign;

/// A line as words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The words.
    pub(super) text: String,
    /// Where the terminal's cursor stands in them, if this line has the focus.
    pub(super) cursor: Option<u16>,
    /// Whether it is the focused row of a list.
    pub(super) is_focused: bool,
}

/// The cells at the beginning of a row in which lists put their signs.
const GUTTER: u16 = 2;

/// A row of the screen as words.
pub(super) fn line(buffer: &Buffer, y: u16) -> Line {
    let area = buffer.area;
    let mut text = String::new();
    let mut is_focused = false;
    let mut cursor = None;
    let mut is_field = false;
    let mut is_marked = false;
    let mut is_selected = false;
    let mut x = area.left();
    while x < area.right() {
        let Some(cell) = buffer.cell((x, y)) else {
            break;
        };
        let symbol = cell.symbol();
        match symbol {
            sign::CURSOR if x < GUTTER => {
                is_selected = true;
                is_focused = is_reversed(cell);
            }
            sign::MARK if x < GUTTER => is_marked = true,
            sign::FIELD => {
                is_field = true;
                text.push_str(" : ");
            }
            _ => {
                if is_field && cursor.is_none() && is_reversed(cell) {
                    cursor = Some(text.clone());
                }
                text.push_str(symbol);
            }
        }
        x = x.saturating_add(u16::try_from(width(symbol)).unwrap_or(1).max(1));
    }
    let lead = match (is_selected, is_focused, is_marked) {
        (true, true, false) => "selected: ",
        (true, true, true) => "selected, marked: ",
        (true, false, false) => "current: ",
        (true, false, true) => "current, marked: ",
        (false, _, true) => "marked: ",
        (false, _, false) => "",
    };
    let cells = |text: &str| u16::try_from(width(text)).unwrap_or(u16::MAX);
    let cursor = match cursor {
        Some(before) => Some(
            cells(&words(&format!("{lead}{}", before.trim_end_matches(' '))))
                .saturating_add(u16::from(before.ends_with(' '))),
        ),
        None => is_focused.then_some(0),
    };
    Line {
        text: words(&format!("{lead}{}", text.trim_start())),
        cursor,
        is_focused,
    }
}

/// A text with words for its signs, and a comma where there was a gap.
pub(super) fn words(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let symbol = letter.to_string();
        if sign::PAINT.contains(&symbol.as_str()) {
            plain.push_str("  ");
        } else if symbol == sign::MASKED {
            while letters.next_if_eq(&letter).is_some() {}
            plain.push_str("hidden");
        } else if let Some((_, word)) = sign::WORDS.iter().find(|(one, _)| *one == symbol) {
            if !plain.ends_with(' ') {
                plain.push(' ');
            }
            plain.push_str(word);
            if letters.peek().is_some_and(|next| *next != ' ') {
                plain.push(' ');
            }
        } else {
            plain.push(letter);
        }
    }
    let mut said = String::with_capacity(plain.len());
    for part in plain.split("  ") {
        let part = part.split(' ').filter(|word| !word.is_empty()).map(word);
        let part: Vec<String> = part.filter(|word| !word.is_empty()).collect();
        let part = part.join(" ").replace(" ,", ",");
        let part = part.trim_matches([',', ' ']);
        if part.is_empty() {
            continue;
        }
        if !said.is_empty() && !said.ends_with([':', ',']) {
            said.push(',');
        }
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(part);
    }
    said
}

/// A word whose sign is spelled out.
fn word(text: &str) -> String {
    match text {
        "!!" => "overdue".to_owned(),
        "!" => "late".to_owned(),
        "–" => "none".to_owned(),
        "→" => "to".to_owned(),
        "·" => ",".to_owned(),
        "▲" => "up".to_owned(),
        "▼" => "down".to_owned(),
        "▸" | "▾" | "│" | "●" => String::new(),
        _ => match text.strip_suffix('!') {
            Some(number) if number.ends_with(|letter: char| letter.is_ascii_digit()) => {
                format!("{number} with overdue")
            }
            _ => text.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_become_words_and_gaps_become_commas() {
        let text = format!(
            "Agents {} 9   worst first {}  {}{}{}",
            sign::DOT,
            sign::DOWN,
            sign::RULE,
            sign::RULE,
            sign::BAR_OF_CHART,
        );
        assert_eq!(words(&text), "Agents, 9, worst first down");
        assert_eq!(
            words("-12m !!  override    c41f07d2  –"),
            "-12m overdue, override, c41f07d2, none"
        );
        assert_eq!(
            words("inbox 9!  wire 12 → ACME"),
            "inbox 9 with overdue, wire 12 to ACME"
        );
        let masked = sign::MASKED.repeat(6);
        assert_eq!(words(&format!("iban {masked}")), "iban hidden");
    }
}
