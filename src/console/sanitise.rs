//! Foreign text made fit for a cell.
//!
//! Payloads, errors, headers and names come from others. Before layout, control, bidi and zero-width
//! characters become `⟨U+202E⟩`, tabs become spaces, an escape becomes text, and combining marks stay
//! within their cell. Copying and exporting use the original bytes, never this.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::domain::text as foreign;

/// Cells a tab becomes.
const TAB: &str = "  ";
/// Combining marks kept on one character; more would paint over the lines above and below.
const MARKS_MAX: usize = 2;
/// Letters that are looked at for each cell, since marks take none.
const LETTERS_PER_CELL: usize = 4;
/// What a combining mark without a character stands on.
const MARK_BASE: char = '\u{25CC}';
/// What a text that was cut ends in.
pub const ELLIPSIS: &str = "…";

/// Whether the character is never drawn as itself: it moves the cursor, reorders or hides text, or
/// has no width of its own without being a mark.
#[must_use]
pub fn is_hidden(letter: char) -> bool {
    foreign::is_hidden(letter)
}

/// The text as one line that is safe to draw.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7F).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut marks = MARKS_MAX;
    let mut has_base = false;
    for letter in text.chars() {
        if letter == '\t' {
            clean.push_str(TAB);
            has_base = true;
            marks = 0;
        } else if is_hidden(letter) {
            clean.push_str(&foreign::shown(letter));
            has_base = true;
            marks = 0;
        } else if letter.width().unwrap_or(0) == 0 {
            if !has_base {
                clean.push(MARK_BASE);
                has_base = true;
                marks = 0;
            }
            if marks < MARKS_MAX {
                clean.push(letter);
                marks += 1;
            }
        } else {
            clean.push(letter);
            has_base = true;
            marks = 0;
        }
    }
    Cow::Owned(clean)
}

/// The text as lines that are safe to draw; only line ends split it.
pub fn clean_lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.split('\n')
        .map(|line| clean(line.strip_suffix('\r').unwrap_or(line)))
}

/// JSON text with every hidden character written as `\u` escapes, so that it can be edited without
/// being shown and without being lost. Only meant for text that is JSON already.
#[must_use]
pub fn escape_json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden(letter) && !matches!(letter, '\n' | '\r' | '\t') {
            let mut units = [0_u16; 2];
            for unit in letter.encode_utf16(&mut units) {
                let unit = format!("\\u{unit:04x}");
                escaped.push_str(&unit);
            }
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

/// Cells the text takes on the screen, as the drawing buffer counts them.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.graphemes(true).map(grapheme_width).sum()
    }
}

fn grapheme_width(grapheme: &str) -> usize {
    grapheme.width()
}

/// The clean text, cut to `columns` cells; what was cut ends in an ellipsis.
#[must_use]
pub fn fit(text: &str, columns: usize) -> String {
    fit_with(text, columns, ELLIPSIS)
}

/// The same with another ellipsis, such as `~` where only ASCII can be drawn.
#[must_use]
pub fn fit_with(whole: &str, columns: usize, ellipsis: &str) -> String {
    let beginning = beginning(whole, columns);
    let mut text = clean(beginning);
    if width(&text) <= columns {
        if beginning.len() == whole.len() {
            return text.into_owned();
        }
        // Nothing but marks: rare enough to look at all of it.
        text = clean(whole);
        if width(&text) <= columns {
            return text.into_owned();
        }
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut fitted = head(&text, room).to_owned();
    if width(ellipsis) <= columns {
        fitted.push_str(ellipsis);
    }
    fitted
}

/// As much of a long text as may be seen in so many cells; looking at all of it would take its length in
/// time for every frame.
#[must_use]
pub fn beginning(text: &str, columns: usize) -> &str {
    let letters = columns.saturating_add(2).saturating_mul(LETTERS_PER_CELL);
    match text.char_indices().nth(letters) {
        Some((at, _)) => text.get(..at).unwrap_or(text),
        None => text,
    }
}

/// The longest beginning of the text that takes at most `columns` cells.
#[must_use]
pub fn head(text: &str, columns: usize) -> &str {
    let mut used = 0_usize;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme_width(grapheme);
        if used > columns {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// The fitted text, filled with spaces on the right to exactly `columns` cells.
#[must_use]
pub fn pad_right(text: &str, columns: usize) -> String {
    let mut padded = fit(text, columns);
    let missing = columns.saturating_sub(width(&padded));
    padded.extend(std::iter::repeat_n(' ', missing));
    padded
}

/// The fitted text, filled with spaces on the left to exactly `columns` cells.
#[must_use]
pub fn pad_left(text: &str, columns: usize) -> String {
    let fitted = fit(text, columns);
    let missing = columns.saturating_sub(width(&fitted));
    let mut padded = " ".repeat(missing);
    padded.push_str(&fitted);
    padded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn controls_bidi_and_zero_width_are_shown_and_never_rendered() {
        assert_eq!(clean("plain"), "plain");
        assert_eq!(clean("\u{202E}0001"), "⟨U+202E⟩0001");
        assert_eq!(clean("a\u{200B}b"), "a⟨U+200B⟩b");
        assert_eq!(clean("\u{1b}[31mred"), "⟨U+001B⟩[31mred");
        assert_eq!(clean("a\tb\nc"), "a  b⟨U+000A⟩c");
        assert_eq!(clean("\u{9b}0m"), "⟨U+009B⟩0m");
        assert_eq!(clean("é über 北京"), "é über 北京");
    }

    #[test]
    fn combining_marks_stay_within_their_cell() {
        let many = format!("e{}x", "\u{0301}".repeat(50));
        assert_eq!(clean(&many), "e\u{0301}\u{0301}x");
        assert_eq!(clean("\u{0301}x"), "\u{25CC}\u{0301}x");
    }

    #[test]
    fn a_cut_ends_in_an_ellipsis_and_never_splits_a_wide_character() {
        assert_eq!(fit("upstream", 8), "upstream");
        assert_eq!(fit("upstream", 7), "upstre…");
        assert_eq!(fit("北京市", 4), "北…");
        assert_eq!(fit("x", 0), "");
        assert_eq!(fit("xy", 1), "…");
        assert_eq!(pad_right("北京市", 4), "北… ");
        assert_eq!(pad_left("7", 3), "  7");
        assert_eq!(fit_with("upstream", 4, "~"), "ups~");
    }

    #[test]
    fn json_keeps_its_meaning_when_hidden_characters_are_escaped() {
        let value = serde_json::json!({ "note": "a\u{202E}b\u{E0001}" });
        let text = escape_json(&value.to_string());
        assert!(text.is_ascii());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }

    proptest! {
        #[test]
        fn any_text_becomes_harmless_and_stays_in_its_cell(text in any::<String>(), columns in 0_usize..40) {
            let clean = clean(&text);
            prop_assert!(clean.chars().all(|letter| !is_hidden(letter)));
            let fitted = fit(&text, columns);
            prop_assert!(fitted.chars().all(|letter| !is_hidden(letter)));
            prop_assert!(width(&fitted) <= columns);
            prop_assert_eq!(width(&pad_right(&text, columns)), columns);
            prop_assert_eq!(width(&pad_left(&text, columns)), columns);
        }

        #[test]
        fn nasty_text_becomes_harmless_and_stays_in_its_cell(
            text in "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}\u{300}-\u{310}\u{fe0f}\u{1f468}\u{1f1e6}-\u{1f1ff}\u{1f3fb}ab北\u{0644}\u{0627}]{0,40}",
            columns in 0_usize..20,
        ) {
            let fitted = pad_right(&text, columns);
            prop_assert!(fitted.chars().all(|letter| !is_hidden(letter)));
            prop_assert_eq!(width(&fitted), columns);
            prop_assert!(clean_lines(&text).all(|line| line.chars().all(|letter| !is_hidden(letter))));
        }
    }
}
