//! A writer of JSON objects: in the order of the calls, in one pass, foreign JSON taken as it is.

use std::borrow::Cow;
use std::fmt::{Display, Write};

use crate::domain::payload::Payload;

/// An object being written. Keys are ours and need no escape, except for [`Object::foreign`].
#[derive(Debug, Clone)]
pub struct Object {
    text: String,
}

impl Default for Object {
    fn default() -> Self {
        Self::new()
    }
}

impl Object {
    /// An object without keys.
    #[must_use]
    pub fn new() -> Self {
        Self {
            text: String::from("{"),
        }
    }

    /// The body of a success: `{"ok":true` to be continued.
    #[must_use]
    pub fn ok() -> Self {
        Self::new().flag("ok", true)
    }

    /// A string.
    #[must_use]
    pub fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        quote(&mut self.text, value);
        self
    }

    /// A string, left out when there is none.
    #[must_use]
    pub fn maybe_text(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    /// A string, or `null`.
    #[must_use]
    pub fn text_or_null(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self.null(key),
        }
    }

    /// An id, an address or an instant as a string.
    #[must_use]
    pub fn shown(self, key: &str, value: impl Display) -> Self {
        self.text(key, &value.to_string())
    }

    /// The same, left out when there is none.
    #[must_use]
    pub fn maybe_shown(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.shown(key, value),
            None => self,
        }
    }

    /// The same, or `null`.
    #[must_use]
    pub fn shown_or_null(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.shown(key, value),
            None => self.null(key),
        }
    }

    /// A whole number.
    #[must_use]
    pub fn number(mut self, key: &str, value: impl Into<i128>) -> Self {
        self.key(key);
        put(&mut self.text, value.into());
        self
    }

    /// A whole number, left out when there is none.
    #[must_use]
    pub fn maybe_number(self, key: &str, value: Option<impl Into<i128>>) -> Self {
        match value {
            Some(value) => self.number(key, value),
            None => self,
        }
    }

    /// A whole number, or `null`.
    #[must_use]
    pub fn number_or_null(self, key: &str, value: Option<impl Into<i128>>) -> Self {
        match value {
            Some(value) => self.number(key, value),
            None => self.null(key),
        }
    }

    /// A number with three decimals at most; `null` when unknown or not finite.
    #[must_use]
    pub fn decimal(mut self, key: &str, value: Option<f64>) -> Self {
        match value.filter(|value| value.is_finite()) {
            Some(value) => {
                self.key(key);
                put(&mut self.text, (value * 1000.0).round() / 1000.0);
                self
            }
            None => self.null(key),
        }
    }

    /// A truth.
    #[must_use]
    pub fn flag(mut self, key: &str, value: bool) -> Self {
        self.key(key);
        self.text.push_str(if value { "true" } else { "false" });
        self
    }

    /// `null`.
    #[must_use]
    pub fn null(mut self, key: &str) -> Self {
        self.key(key);
        self.text.push_str("null");
        self
    }

    /// Foreign JSON, as it came.
    #[must_use]
    pub fn payload(self, key: &str, value: &Payload) -> Self {
        self.raw(key, value.as_str())
    }

    /// Text that is JSON already.
    #[must_use]
    pub fn raw(mut self, key: &str, json: &str) -> Self {
        self.key(key);
        self.text.push_str(json);
        self
    }

    /// A JSON value.
    #[must_use]
    pub fn value(mut self, key: &str, value: &serde_json::Value) -> Self {
        self.key(key);
        put(&mut self.text, value);
        self
    }

    /// A nested object.
    #[must_use]
    pub fn object(self, key: &str, value: Self) -> Self {
        self.raw(key, &value.finish())
    }

    /// A nested object, left out when there is none.
    #[must_use]
    pub fn maybe_object(self, key: &str, value: Option<Self>) -> Self {
        match value {
            Some(value) => self.object(key, value),
            None => self,
        }
    }

    /// A list of objects.
    #[must_use]
    pub fn list(mut self, key: &str, items: impl IntoIterator<Item = Self>) -> Self {
        self.key(key);
        self.text.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            self.text.push_str(&item.finish());
        }
        self.text.push(']');
        self
    }

    /// A list of strings.
    #[must_use]
    pub fn texts<T: AsRef<str>>(mut self, key: &str, items: impl IntoIterator<Item = T>) -> Self {
        self.key(key);
        self.text.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            quote(&mut self.text, item.as_ref());
        }
        self.text.push(']');
        self
    }

    /// A list of strings, left out when it is empty.
    #[must_use]
    pub fn maybe_texts<T: AsRef<str>>(self, key: &str, items: &[T]) -> Self {
        if items.is_empty() {
            return self;
        }
        self.texts(key, items)
    }

    /// A string under a key that is not ours, such as a header's name.
    #[must_use]
    pub fn foreign(mut self, key: &str, value: &str) -> Self {
        self.comma();
        quote(&mut self.text, key);
        self.text.push(':');
        quote(&mut self.text, value);
        self
    }

    /// Everything `more` adds.
    #[must_use]
    pub fn with(self, more: impl FnOnce(Self) -> Self) -> Self {
        more(self)
    }

    /// The JSON text.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    fn key(&mut self, key: &str) {
        self.comma();
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\":");
    }

    fn comma(&mut self) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
    }
}

/// Appends `text` as a JSON string.
pub fn quote(into: &mut String, text: &str) {
    let is_plain = !text
        .bytes()
        .any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
    if is_plain {
        into.push('"');
        into.push_str(text);
        into.push('"');
    } else {
        put(into, serde_json::Value::from(text));
    }
}

/// Writes the three characters at which some readers break lines as escapes. They can stand inside
/// JSON strings only, so the value stays the same.
#[must_use]
pub fn one_line(json: &str) -> Cow<'_, str> {
    if !json.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len().saturating_add(16));
    for character in json.chars() {
        match character {
            '\u{85}' => out.push_str("\\u0085"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// Writing to a `String` cannot fail.
fn put(into: &mut String, value: impl Display) {
    let written = write!(into, "{value}");
    debug_assert!(written.is_ok(), "a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_keeps_the_order_of_the_calls_and_escapes_what_is_foreign() {
        let text = Object::ok()
            .text("name", "a \"b\"\n\u{1}")
            .null("gone")
            .maybe_text("absent", None)
            .number("count", 3)
            .decimal("rate", Some(1.0 / 3.0))
            .payload("payload", &Payload::trusted("{\"b\":1.50,\"a\":2}"))
            .list("items", [Object::new().flag("x", false), Object::new()])
            .foreign("we\"ird", "v")
            .finish();
        assert_eq!(
            text,
            "{\"ok\":true,\"name\":\"a \\\"b\\\"\\n\\u0001\",\"gone\":null,\"count\":3,\"rate\":0.333,\
             \"payload\":{\"b\":1.50,\"a\":2},\"items\":[{\"x\":false},{}],\"we\\\"ird\":\"v\"}"
        );
    }

    #[test]
    fn characters_that_break_lines_for_some_readers_are_escaped_and_mean_the_same() {
        let json = "{\"a\":\"x\u{85}\u{2028}\u{2029}\u{1f600}\"}";
        let line = one_line(json);
        assert_eq!(line, "{\"a\":\"x\\u0085\\u2028\\u2029\u{1f600}\"}");
        let (one, other): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(json).unwrap(),
            serde_json::from_str(&line).unwrap(),
        );
        assert_eq!(one, other);
        assert!(matches!(one_line("{}"), Cow::Borrowed(_)));
    }
}
