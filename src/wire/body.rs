//! Reading a request's body: one object, its keys taken as they are asked for, every fault collected.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::domain::address::{Address, BadAddress, Home};
use crate::domain::json::fault_of;
use crate::domain::payload::Payload;
use crate::domain::time::{Span, Timestamp};
use crate::wire::errors::{FieldProblem, Problem};

/// The body of a request: an object whose values are still text.
#[derive(Debug, Clone, Default)]
pub struct Body<'text> {
    keys: BTreeMap<String, &'text RawValue>,
}

impl<'text> Body<'text> {
    /// Reads a body. An empty one is `{}`.
    ///
    /// # Errors
    /// `malformed_json`, or `schema_invalid` when it is no object.
    pub fn parse(bytes: &'text [u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| malformed(&format!("body is not UTF-8: {error}")))?;
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        if let Some(fault) = fault_of(text) {
            return Err(malformed(&format!("body {fault}")));
        }
        Self::object(text)
    }

    /// An object in a list of a body, which was looked through with the whole of it.
    ///
    /// # Errors
    /// `schema_invalid` when it is no object.
    pub fn item(value: &'text RawValue) -> Result<Self, Problem> {
        Self::object(value.get())
    }

    fn object(text: &'text str) -> Result<Self, Problem> {
        match serde_json::from_str(text) {
            Ok(keys) => Ok(Self { keys }),
            Err(_first) => Err(match serde_json::from_str::<&RawValue>(text) {
                Ok(_other) => Problem::fields(vec![FieldProblem {
                    place: vec!["body".to_owned()],
                    message: "body must be a JSON object".to_owned(),
                    kind: "object",
                }]),
                // The first error may only say that something else than an object begins.
                Err(error) => malformed(&format!("body is not valid JSON: {error}")),
            }),
        }
    }

    /// The object under a key of another body.
    ///
    /// # Errors
    /// `schema_invalid` when it is no object.
    pub fn nested(key: &str, value: &'text RawValue) -> Result<Self, Problem> {
        serde_json::from_str(value.get())
            .map(|keys| Self { keys })
            .map_err(|_not_object| Problem::field("body", key, "must be an object", "object"))
    }

    /// The value of a key; `null` counts as missing.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'text RawValue> {
        self.keys
            .get(key)
            .copied()
            .filter(|value| value.get() != "null")
    }

    /// True when the key is there, be its value `null`.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// Every key with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'text RawValue)> {
        self.keys.iter().map(|(key, value)| (key.as_str(), *value))
    }

    /// Gives a key another name unless that name is taken.
    pub fn rename(&mut self, from: &str, to: &str) {
        if let Some(value) = self.keys.remove(from) {
            self.keys.entry(to.to_owned()).or_insert(value);
        }
    }

    /// The whole as a map of values.
    #[must_use]
    pub fn to_map(&self) -> Map<String, Value> {
        self.iter()
            .map(|(key, value)| {
                let value = serde_json::from_str(value.get()).unwrap_or(Value::Null);
                (key.to_owned(), value)
            })
            .collect()
    }

    /// SHA-256 of the canonical JSON (keys sorted, no white space) without the keys of `leaving_out`.
    #[must_use]
    pub fn fingerprint(&self, leaving_out: &[&str]) -> [u8; 32] {
        let mut text = String::from("{");
        for (key, value) in self.iter().filter(|(key, _)| !leaving_out.contains(key)) {
            crate::wire::json::quote(&mut text, key);
            text.push(':');
            canonical(&mut text, value);
            text.push(',');
        }
        Sha256::digest(text.as_bytes()).into()
    }
}

/// Appends the canonical form. The depth is bounded: [`Body::parse`] has looked.
fn canonical(into: &mut String, value: &RawValue) {
    let text = value.get();
    if let Ok(keys) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        into.push('{');
        for (key, value) in keys {
            crate::wire::json::quote(into, &key);
            into.push(':');
            canonical(into, value);
            into.push(',');
        }
        into.push('}');
    } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
        into.push('[');
        for item in items {
            canonical(into, item);
            into.push(',');
        }
        into.push(']');
    } else if let Ok(text) = serde_json::from_str::<String>(text) {
        crate::wire::json::quote(into, &text);
    } else {
        into.push_str(text);
    }
}

fn malformed(message: &str) -> Problem {
    Problem::new("malformed_json", message)
}

/// Takes keys out of a body and collects what is wrong with them.
#[derive(Debug)]
pub struct Fields<'body, 'text> {
    body: &'body Body<'text>,
    problems: Vec<FieldProblem>,
    /// The first fault with a code of its own, such as an address.
    other: Option<Problem>,
}

impl<'body, 'text> Fields<'body, 'text> {
    /// Nothing taken yet.
    #[must_use]
    pub const fn of(body: &'body Body<'text>) -> Self {
        Self {
            body,
            problems: Vec::new(),
            other: None,
        }
    }

    /// A string of at most `chars_max` characters.
    pub fn text(&mut self, key: &str, chars_max: usize) -> Option<String> {
        let value = self.body.get(key)?;
        match serde_json::from_str::<String>(value.get()) {
            Ok(text) if text.chars().count() <= chars_max => Some(text),
            Ok(_long) => {
                self.wrong(
                    key,
                    format!("must have at most {chars_max} characters"),
                    "string",
                );
                None
            }
            Err(_other) => {
                self.wrong(key, "must be a string", "string");
                None
            }
        }
    }

    /// The same; its absence is a fault, and so is a blank one.
    pub fn required_text(&mut self, key: &str, chars_max: usize) -> Option<String> {
        if self.body.get(key).is_none() {
            self.wrong(key, "field required", "missing");
            return None;
        }
        let text = self.text(key, chars_max)?;
        if text.trim().is_empty() {
            self.wrong(key, "must not be blank", "string");
            return None;
        }
        Some(text)
    }

    /// A whole number between two bounds.
    pub fn integer(&mut self, key: &str, min: i64, max: i64) -> Option<i64> {
        let value = self.body.get(key)?;
        match serde_json::from_str::<i64>(value.get()) {
            Ok(number) if (min..=max).contains(&number) => Some(number),
            Ok(_outside) if max == i64::MAX => {
                self.wrong(key, format!("must be at least {min}"), "integer");
                None
            }
            Ok(_outside) => {
                self.wrong(key, format!("must be between {min} and {max}"), "integer");
                None
            }
            Err(_other) => {
                self.wrong(key, "must be an integer", "integer");
                None
            }
        }
    }

    /// The same as an unsigned number.
    pub fn count(&mut self, key: &str, min: u32, max: u32) -> Option<u32> {
        self.integer(key, i64::from(min), i64::from(max))
            .and_then(|number| u32::try_from(number).ok())
    }

    /// A number of seconds.
    pub fn seconds(&mut self, key: &str, min: i64, max: i64) -> Option<Span> {
        self.integer(key, min, max).map(Span::from_seconds)
    }

    /// A rate per second, of at most 10000: so many per 1000 seconds. Zero is allowed.
    pub fn rate(&mut self, key: &str) -> Option<u32> {
        let value = self.body.get(key)?;
        let rate = serde_json::from_str::<f64>(value.get())
            .ok()
            .filter(|rate| *rate == 0.0 || (0.001..=10_000.0).contains(rate));
        if rate.is_none() {
            self.wrong(key, "must be a number of 0.001 to 10000, or 0", "number");
        }
        // Milliseconds are to seconds what thousandths of a call are to calls.
        let millihertz = Span::from_seconds_f64(rate?).as_millis();
        u32::try_from(millihertz).ok()
    }

    /// A truth; `false` when missing.
    pub fn flag(&mut self, key: &str) -> bool {
        self.maybe_flag(key).unwrap_or(false)
    }

    /// A truth, if it is given.
    pub fn maybe_flag(&mut self, key: &str) -> Option<bool> {
        let value = self.body.get(key)?;
        let flag = serde_json::from_str::<bool>(value.get()).ok();
        if flag.is_none() {
            self.wrong(key, "must be true or false", "boolean");
        }
        flag
    }

    /// An instant.
    pub fn instant(&mut self, key: &str) -> Option<Timestamp> {
        let text = self.text(key, 64)?;
        match text.parse::<Timestamp>() {
            Ok(instant) => Some(instant),
            Err(error) => {
                self.wrong(key, error.to_string(), "datetime");
                None
            }
        }
    }

    /// An object, as it came.
    pub fn object(&mut self, key: &str) -> Option<Payload> {
        let value = self.body.get(key)?;
        match Payload::object(value.get()) {
            Ok(payload) => Some(payload),
            Err(error) => {
                self.wrong(key, error.to_string(), "object");
                None
            }
        }
    }

    /// A list of strings.
    pub fn texts(&mut self, key: &str, items_max: usize, chars_max: usize) -> Option<Vec<String>> {
        let value = self.body.get(key)?;
        match serde_json::from_str::<Vec<String>>(value.get()) {
            Ok(texts)
                if (1..=items_max).contains(&texts.len())
                    && texts
                        .iter()
                        .all(|text| (1..=chars_max).contains(&text.chars().count())) =>
            {
                Some(texts)
            }
            _ => {
                self.wrong(
                    key,
                    format!(
                        "must be a list of 1 to {items_max} strings of 1 to {chars_max} characters"
                    ),
                    "list",
                );
                None
            }
        }
    }

    /// An address in any accepted form.
    pub fn address(&mut self, key: &str, home: &Home) -> Option<Address> {
        let text = self.text(key, usize::MAX)?;
        match Address::parse(&text, home) {
            Ok(address) => Some(address),
            Err(error) => {
                self.other.get_or_insert(Problem::address(key, &error));
                None
            }
        }
    }

    /// An address, or a role that may become one; kept as it was given.
    pub fn role(&mut self, key: &str, home: &Home) -> Option<String> {
        let text = self.text(key, usize::MAX)?;
        match role_fault(&text, home) {
            None => Some(text.trim().to_owned()),
            Some(error) => {
                self.other.get_or_insert(Problem::address(key, &error));
                None
            }
        }
    }

    /// Notes a fault of a key.
    pub fn wrong(&mut self, key: &str, message: impl Into<String>, kind: &'static str) {
        self.problems.push(FieldProblem {
            place: vec!["body".to_owned(), key.to_owned()],
            message: message.into(),
            kind,
        });
    }

    /// Notes a fault with a code of its own.
    pub fn refuse(&mut self, problem: Problem) {
        self.other.get_or_insert(problem);
    }

    /// Everything that was wrong.
    ///
    /// # Errors
    /// `schema_invalid` with all fields, or the first fault with a code of its own.
    pub fn done(self) -> Result<(), Problem> {
        if !self.problems.is_empty() {
            return Err(Problem::fields(self.problems));
        }
        match self.other {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }
}

/// What keeps a text from being a role: the rule of addresses, but for spaces between its words.
#[must_use]
pub fn role_fault(text: &str, home: &Home) -> Option<BadAddress> {
    Address::parse(&text.trim().replace(' ', "-"), home).err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bytes: &[u8]) -> String {
        Body::parse(bytes).unwrap_err().code
    }

    #[test]
    fn an_empty_body_is_an_empty_object_and_broken_ones_are_named() {
        assert!(Body::parse(b" \n").unwrap().iter().next().is_none());
        assert_eq!(code(b"{\"a\":"), "malformed_json");
        assert_eq!(code(b"\xff"), "malformed_json");
        assert_eq!(code(b"[1]"), "schema_invalid");
        let deep = format!("{}1{}", "{\"a\":".repeat(101), "}".repeat(101));
        assert_eq!(code(deep.as_bytes()), "malformed_json");
        assert_eq!(code(b"{\"a\":1e400}"), "malformed_json");
    }

    #[test]
    fn a_fingerprint_ignores_white_space_key_order_and_what_is_left_out() {
        let one =
            Body::parse(b"{\"b\": {\"y\":1, \"x\":[1, 2]}, \"a\":\"\\u0041\", \"id\":1}").unwrap();
        let other = Body::parse(b"{\"a\":\"A\",\"id\":2,\"b\":{\"x\":[1,2],\"y\":1}}").unwrap();
        assert_eq!(one.fingerprint(&["id"]), other.fingerprint(&["id"]));
        assert_ne!(one.fingerprint(&[]), other.fingerprint(&[]));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let body = Body::parse(b"{\"n\":\"x\",\"t\":5}").unwrap();
        let mut fields = Fields::of(&body);
        assert_eq!(fields.integer("n", 1, 9), None);
        assert_eq!(fields.text("t", 5), None);
        assert_eq!(fields.required_text("missing", 5), None);
        let problem = fields.done().unwrap_err();
        assert_eq!(
            problem.message,
            "n: must be an integer; t: must be a string; missing: field required"
        );
    }
}
