//! Foreign text: which of its characters are never shown as themselves.

/// Whether the character is never drawn as itself: it moves the cursor, reorders or hides text, or
/// has no width of its own without being a mark.
#[must_use]
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{00AD}'
                | '\u{034F}'
                | '\u{061C}'
                | '\u{115F}'
                | '\u{1160}'
                | '\u{17B4}'
                | '\u{17B5}'
                | '\u{180B}'..='\u{180F}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{3164}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}'
                | '\u{1BCA0}'..='\u{1BCA3}'
            // Shades of skin: they melt into the letter before them in some terminals and not in others.
            | '\u{1F3FB}'..='\u{1F3FF}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

/// A hidden character as it is shown: `⟨U+202E⟩`.
#[must_use]
pub fn shown(letter: char) -> String {
    format!("⟨U+{:04X}⟩", u32::from(letter))
}

/// The text with every hidden character shown instead; line ends stay, a tab becomes spaces.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.replace("\r\n", "\n").chars() {
        match letter {
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            _ if is_hidden(letter) => out.push_str(&shown(letter)),
            _ => out.push(letter),
        }
    }
    out
}

/// The same as one line of at most so many characters; what was cut ends in an ellipsis.
#[must_use]
pub fn line(text: &str, chars_max: usize) -> String {
    let line = harmless(text).replace('\n', " ");
    let line = line.trim();
    if line.chars().count() <= chars_max {
        return line.to_owned();
    }
    let kept: String = line.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_reorders_is_shown_and_lines_stay() {
        assert_eq!(harmless("a\u{202E}b\r\nc\td"), "a⟨U+202E⟩b\nc    d");
        assert_eq!(
            harmless("\u{1b}[31m Zürich 北京"),
            "⟨U+001B⟩[31m Zürich 北京"
        );
    }

    #[test]
    fn a_line_is_one_and_short_enough() {
        assert_eq!(line(" a\nb ", 10), "a b");
        assert_eq!(line("abcdef", 6), "abcdef");
        assert_eq!(line("abcdefg", 6), "abcde…");
        assert_eq!(line("Subject\r\nBcc: x", 99), "Subject Bcc: x");
    }
}
