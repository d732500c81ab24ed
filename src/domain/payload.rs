//! JSON that belongs to others: carried, never interpreted.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::value::RawValue;

use crate::domain::json::fault_of;

/// One JSON value in compact form, checked once when it came in. Cloning is cheap.
///
/// Key order and number spelling are those of the sender; white space between tokens is not kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Payload(Arc<str>);

/// Why a text is not a payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPayload {
    /// Not JSON; the text says where and why.
    #[error("not valid JSON: {0}")]
    NotJson(String),
    /// JSON, but not an object.
    #[error("must be an object")]
    NotObject,
}

impl Payload {
    /// The empty object.
    #[must_use]
    pub fn empty() -> Self {
        Self(Arc::from("{}"))
    }

    /// Any JSON value, compacted.
    ///
    /// # Errors
    /// [`BadPayload::NotJson`] when the text is not one JSON value.
    pub fn any(text: &str) -> Result<Self, BadPayload> {
        let value: &RawValue =
            serde_json::from_str(text).map_err(|error| BadPayload::NotJson(error.to_string()))?;
        Ok(Self(compact(value.get())))
    }

    /// A JSON object, compacted.
    ///
    /// # Errors
    /// [`BadPayload`] when the text is not JSON, or not an object.
    pub fn object(text: &str) -> Result<Self, BadPayload> {
        let payload = Self::any(text)?;
        if payload.0.starts_with('{') {
            Ok(payload)
        } else {
            Err(BadPayload::NotObject)
        }
    }

    /// A JSON object that somebody typed: held to what a request is held to.
    ///
    /// # Errors
    /// [`BadPayload`] when the text is not JSON, not an object, or JSON that nobody takes.
    pub fn typed(text: &str) -> Result<Self, BadPayload> {
        let payload = Self::object(text)?;
        match fault_of(text) {
            None => Ok(payload),
            Some(fault) => Err(BadPayload::NotJson(format!("it {fault}"))),
        }
    }

    /// A value made here.
    #[must_use]
    pub fn of(value: &serde_json::Value) -> Self {
        Self(Arc::from(value.to_string()))
    }

    /// Text that this type printed before, such as a row of the store. Not checked again.
    #[must_use]
    pub fn trusted(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The compact JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Bytes of the compact text.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True for `{}`, `[]` and `""`... that is, never: JSON text has at least one byte. Here for lints.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An object of these keys.
    #[must_use]
    pub fn of_keys(keys: &[(&str, Self)]) -> Self {
        Self::joined(keys.iter().map(|(key, value)| (*key, value.as_str())))
    }

    /// The object with the keys of another as well, which win over its own. Each value is as it was written: a
    /// parsed one has lost the order of its keys and the spelling of its numbers. Anything but an object counts
    /// as empty.
    #[must_use]
    pub fn overlaid(&self, over: &Self) -> Self {
        let read = |payload: &Self| payload.entries().unwrap_or_default();
        let mut all = read(self);
        all.lay_over(read(over));
        all.payload()
    }

    /// The keys of an object with their values, each as it was written; none when it is no object.
    #[must_use]
    pub fn entries(&self) -> Option<Entries> {
        let read: IndexMap<String, &RawValue> = serde_json::from_str(&self.0).ok()?;
        let entries = read.into_iter();
        Some(Entries(
            entries
                .map(|(key, value)| (key, Self::trusted(value.get())))
                .collect(),
        ))
    }

    /// The string that it is, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        serde_json::from_str(&self.0).ok()
    }

    /// True for `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        &*self.0 == "null"
    }

    fn joined<'text>(entries: impl Iterator<Item = (&'text str, &'text str)>) -> Self {
        let entries =
            entries.map(|(key, value)| format!("{}:{value}", serde_json::Value::from(key)));
        Self::trusted(format!("{{{}}}", entries.collect::<Vec<_>>().join(",")))
    }

    /// The parsed value; `null` if a store gave us something broken.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or(serde_json::Value::Null)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Payload({} bytes)", self.0.len())
    }
}

/// An object by its keys, in the order in which they first came, each value as it was written (a parsed one has lost
/// the spelling of its numbers). Of a key that comes twice the last value counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries(IndexMap<String, Payload>);

impl Entries {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Payload> {
        self.0.get(key)
    }

    /// The string under a key, if there is one.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(Payload::text)
    }

    /// Removes a key and gives its value.
    pub fn take(&mut self, key: &str) -> Option<Payload> {
        self.0.shift_remove(key)
    }

    /// Gives a key a value, whatever it had.
    pub fn set(&mut self, key: &str, value: Payload) {
        self.0.insert(key.to_owned(), value);
    }

    /// Gives all keys of another their values there.
    pub fn lay_over(&mut self, over: Self) {
        self.0.retain(|key, _| !over.0.contains_key(key));
        self.0.extend(over.0);
    }

    /// Keeps the keys for which this is true.
    pub fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.0.retain(|key, _| is_kept(key));
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The keys, and the values to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Payload)> {
        self.0.iter_mut().map(|(key, value)| (key.as_str(), value))
    }

    /// True without any key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object again.
    #[must_use]
    pub fn payload(&self) -> Payload {
        let entries = self.0.iter();
        Payload::joined(entries.map(|(key, value)| (key.as_str(), value.as_str())))
    }
}

/// Drops white space outside strings. The text is known to be valid JSON.
fn compact(text: &str) -> Arc<str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    // What is before `copied` is in `out`, or was white space.
    let (mut at, mut copied) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b' ' | b'\t' | b'\n' | b'\r' => {
                out.push_str(text.get(copied..at).unwrap_or_default());
                at += 1;
                copied = at;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Arc::from(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Arc::from(out)
}

/// The place behind the string that begins at `start`.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|byte| matches!(byte, b'"' | b'\\')))
    {
        at += found;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        // What is escaped ends nothing.
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compaction_keeps_strings_numbers_and_key_order_as_they_came() {
        let payload = Payload::object("{ \"b\" : 1.50, \"a\":[ \"x \\\" y\" , null ] }\n").unwrap();
        assert_eq!(payload.as_str(), r#"{"b":1.50,"a":["x \" y",null]}"#);
        let strings = [
            "",
            "\\",
            "\"",
            "\\\"",
            " \t\n",
            "\u{e9} \u{1f600}",
            ", :",
            "\\\\",
        ];
        for (one, other) in strings.iter().zip(strings.iter().rev()) {
            let value = serde_json::json!({ *one: [*other, { " ": *one }], "\\ ": *other });
            let spread = format!("\r{}\n\t", serde_json::to_string_pretty(&value).unwrap());
            let compact = value.to_string();
            assert_eq!(Payload::any(&spread).unwrap().as_str(), compact);
            assert_eq!(Payload::any(&compact).unwrap().as_str(), compact);
        }
    }

    #[test]
    fn what_is_laid_over_an_object_wins_and_the_rest_stays_as_it_was_written() {
        let any = |text: &str| Payload::any(text).unwrap();
        let payload = any(r#"{"b":1.50,"a\"":12345678901234567890123,"c":1,"b":2.0}"#);
        let over = Payload::of_keys(&[("c", any("{\"y\":1,\"x\":2}")), ("d", any("null"))]);
        assert_eq!(
            payload.overlaid(&over).as_str(),
            r#"{"b":2.0,"a\"":12345678901234567890123,"c":{"y":1,"x":2},"d":null}"#
        );
        assert_eq!(Payload::empty().overlaid(&any("[1]")).as_str(), "{}");
        assert_eq!(any("1").overlaid(&over), over);
    }

    #[test]
    fn as_many_keys_as_a_body_can_hold_are_read_and_laid_over_without_comparing_each_with_each() {
        let numbers = 0..200_000_u32;
        let keys: Vec<_> = numbers.map(|number| format!("\"{number:x}\":0")).collect();
        let text = format!("{{{},{}}}", keys.join(","), keys.join(","));
        let payload = Payload::any(&text).unwrap();
        let laid = payload.overlaid(&payload);
        assert_eq!(laid.as_str(), format!("{{{}}}", keys.join(",")));
    }

    #[test]
    fn what_is_not_an_object_is_refused_by_name() {
        assert_eq!(Payload::object("[1]"), Err(BadPayload::NotObject));
        let infinite = Payload::typed("{\"a\":1e400}").unwrap_err().to_string();
        assert!(
            infinite.ends_with("it has a number out of range, 1e400"),
            "{infinite}"
        );
        assert!(matches!(Payload::object("{"), Err(BadPayload::NotJson(_))));
    }
}
