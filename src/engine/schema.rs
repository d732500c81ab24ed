//! JSON Schema: the one place that names the library. Pure: nothing is fetched, and patterns take linear time.

use std::collections::BTreeSet;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::domain::payload::Payload;

/// Faults that are named at once; more tell nobody more.
const FAULTS_MAX: usize = 20;

/// A schema made ready. Equal when its text is.
#[derive(Debug)]
pub struct Checker {
    text: Payload,
    validator: Validator,
}

impl PartialEq for Checker {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Checker {}

/// Why something is no schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no valid JSON Schema (2020-12, without remote references): {reason}")]
pub struct BadSchema {
    reason: String,
}

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A JSON pointer to it; empty for the whole.
    pub pointer: String,
    /// The word of the schema that it breaks.
    pub keyword: String,
    /// What is wrong, without the value itself.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = if self.pointer.is_empty() {
            "/"
        } else {
            &self.pointer
        };
        write!(formatter, "{place}: {}", self.message)
    }
}

impl Checker {
    /// Makes a schema ready.
    ///
    /// # Errors
    /// [`BadSchema`] when it is none, or refers to something outside itself.
    pub fn of(schema: &Payload) -> Result<Self, BadSchema> {
        let bad = |error: &ValidationError<'_>| BadSchema {
            reason: short(&error.masked_with("schema").to_string()),
        };
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .offline()
            .build(&schema.to_value())
            .map_err(|error| bad(&error))?;
        Ok(Self {
            text: schema.clone(),
            validator,
        })
    }

    /// What is wrong with a value; empty when it fits.
    #[must_use]
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        let errors = self.validator.iter_errors(value);
        errors.take(FAULTS_MAX).map(|error| fault(&error)).collect()
    }
}

fn fault(error: &ValidationError<'_>) -> Fault {
    let mut pointer = error.instance_path().as_str().to_owned();
    let mut message = short(&error.masked().to_string());
    // The place of what is missing is where it should be.
    if let ValidationErrorKind::Required {
        property: Value::String(name),
    } = error.kind()
    {
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        "is required".clone_into(&mut message);
    }
    Fault {
        pointer,
        keyword: error.kind().keyword().to_owned(),
        message,
    }
}

fn short(message: &str) -> String {
    message.chars().take(300).collect()
}

/// The names that a new version requires at the top and the old one did not.
#[must_use]
pub fn newly_required(old: &Payload, new: &Payload) -> Vec<String> {
    let (old, new) = (required(&old.to_value()), required(&new.to_value()));
    new.difference(&old).cloned().collect()
}

fn required(schema: &Value) -> BTreeSet<String> {
    let names = schema.get("required").and_then(Value::as_array);
    names
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checker(schema: &Value) -> Result<Checker, BadSchema> {
        Checker::of(&Payload::of(schema))
    }

    #[test]
    fn every_fault_has_its_place_and_never_the_value() {
        let checker = checker(
            &json!({ "type": "object", "required": ["a/b"], "properties": {
            "card": { "type": "string", "pattern": "^[0-9]{4}$" }, "n": { "minimum": 1 } } }),
        )
        .unwrap();
        let found: Vec<String> = checker
            .faults(&json!({ "card": "secret", "n": 0 }))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            found.contains(&"/a~1b: is required".to_owned()),
            "{found:?}"
        );
        assert!(
            found.iter().any(|text| text.starts_with("/card: ")),
            "{found:?}"
        );
        assert!(
            found.iter().any(|text| text.starts_with("/n: ")),
            "{found:?}"
        );
        assert!(!found.concat().contains("secret"), "{found:?}");
        assert!(
            checker
                .faults(&json!({ "a/b": 1, "card": "1234" }))
                .is_empty()
        );
    }

    #[test]
    fn what_is_no_schema_or_lies_elsewhere_is_refused() {
        assert!(checker(&json!({ "type": "objekt" })).is_err());
        assert!(checker(&json!({ "$ref": "https://example.com/schema.json" })).is_err());
        assert!(checker(&json!({ "$ref": "file:///etc/passwd" })).is_err());
        assert!(checker(&json!({ "$ref": "#/$defs/none" })).is_err());
        assert!(checker(&json!({ "properties": { "a": { "pattern": "(" } } })).is_err());
        let own = json!({ "$defs": { "n": { "type": "integer" } }, "properties": { "n": { "$ref": "#/$defs/n" } } });
        assert_eq!(checker(&own).unwrap().faults(&json!({ "n": "1" })).len(), 1);
    }

    #[test]
    fn a_pattern_that_would_take_for_ever_elsewhere_takes_linear_time() {
        let checker = checker(&json!({ "pattern": "^(a+)+$" })).unwrap();
        let text = format!("{}b", "a".repeat(50_000));
        assert_eq!(checker.faults(&json!(text)).len(), 1);
    }

    #[test]
    fn what_is_newly_required_is_told() {
        let of = |names: &[&str]| Payload::of(&json!({ "required": names }));
        assert_eq!(newly_required(&of(&["a"]), &of(&["b", "a"])), ["b"]);
        assert!(newly_required(&of(&["a", "b"]), &of(&["b"])).is_empty());
        assert!(newly_required(&of(&["a"]), &Payload::empty()).is_empty());
    }
}
