//! JSON that belongs to others: carried, never interpreted.

use std::fmt;
use std::sync::Arc;

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
        let value: &serde_json::value::RawValue =
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

/// Drops white space outside strings. The text is known to be valid JSON.
fn compact(text: &str) -> Arc<str> {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in text.chars() {
        if in_string {
            out.push(character);
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if !matches!(character, ' ' | '\t' | '\n' | '\r') {
            in_string = character == '"';
            out.push(character);
        }
    }
    Arc::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compaction_keeps_strings_numbers_and_key_order_as_they_came() {
        let payload = Payload::object("{ \"b\" : 1.50, \"a\":[ \"x \\\" y\" , null ] }\n").unwrap();
        assert_eq!(payload.as_str(), r#"{"b":1.50,"a":["x \" y",null]}"#);
    }

    #[test]
    fn what_is_not_an_object_is_refused_by_name() {
        assert_eq!(Payload::object("[1]"), Err(BadPayload::NotObject));
        assert!(matches!(Payload::object("{"), Err(BadPayload::NotJson(_))));
    }
}
