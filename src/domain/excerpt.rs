//! Foreign text in our sentences: enough of it to be recognised.

use std::borrow::Cow;

/// Characters of a foreign text that a sentence repeats.
pub const WORD_CHARS_MAX: usize = 100;
/// Characters of a sentence of ours with foreign texts in it.
pub const SENTENCE_CHARS_MAX: usize = 2000;

/// The text, or its first `chars_max` characters and `…`. A refusal names what it refuses without being as
/// long.
#[must_use]
pub fn excerpt(text: &str, chars_max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars_max) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_told_by_its_beginning() {
        assert_eq!(excerpt("short", 5), "short");
        assert_eq!(excerpt(&"ü".repeat(5), 5), "ü".repeat(5));
        assert_eq!(excerpt(&"ü".repeat(6), 5), "ü".repeat(5) + "…");
    }
}
