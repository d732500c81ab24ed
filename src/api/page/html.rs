//! HTML, written so that nothing of others is ever part of it but as text.

use crate::domain::text;

/// A page in the making. What is not a literal goes through [`Html::text`] or [`Html::lines`].
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup of ours.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Anybody's text: hidden characters are shown, markup is escaped. Fit for an attribute in quotes too.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for letter in text::harmless(text).chars() {
            self.letter(letter);
        }
        self
    }

    /// What was typed before, as it was: for the value of a field, where it must not change.
    pub(super) fn value(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            self.letter(letter);
        }
        self
    }

    /// Anybody's text, blank lines between paragraphs.
    pub(super) fn lines(&mut self, text: &str) -> &mut Self {
        for paragraph in text.replace("\r\n", "\n").split("\n\n") {
            let paragraph = paragraph.trim_matches('\n');
            if !paragraph.trim().is_empty() {
                self.raw("<p class=\"prose\">").text(paragraph).raw("</p>");
            }
        }
        self
    }

    /// An attribute with anybody's text.
    pub(super) fn attribute(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.raw(" ").raw(name).raw("=\"").value(value).raw("\"")
    }

    /// An attribute without a value, if it applies.
    pub(super) fn flag(&mut self, name: &'static str, applies: bool) -> &mut Self {
        if applies {
            self.raw(" ").raw(name);
        }
        self
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn letter(&mut self, letter: char) {
        match letter {
            '&' => self.0.push_str("&amp;"),
            '<' => self.0.push_str("&lt;"),
            '>' => self.0.push_str("&gt;"),
            '"' => self.0.push_str("&quot;"),
            '\'' => self.0.push_str("&#39;"),
            _ => self.0.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_is_markup() {
        let mut html = Html::default();
        html.raw("<p>")
            .text("<script>alert('1')</script> & \"x\"")
            .raw("</p>");
        assert_eq!(
            html.finish(),
            "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;</p>"
        );
    }

    #[test]
    fn hidden_letters_are_shown_in_text_and_kept_in_values() {
        let mut html = Html::default();
        html.text("a\u{202E}b").attribute("value", "a\u{202E}\"b");
        assert_eq!(html.finish(), "a⟨U+202E⟩b value=\"a\u{202E}&quot;b\"");
    }

    #[test]
    fn blank_lines_part_paragraphs() {
        let mut html = Html::default();
        html.lines("one\r\ntwo\n\n\n\nthree");
        assert_eq!(
            html.finish(),
            "<p class=\"prose\">one\ntwo</p><p class=\"prose\">three</p>"
        );
    }
}
