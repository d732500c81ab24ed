//! What an intent carries, as rows that a person can read.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::domain::text::line;

/// Rows at most; a page is no place for more.
const ROWS_MAX: usize = 40;
/// Levels that become names such as `customer.address`; what lies deeper is shown as JSON.
const DEPTH_MAX: usize = 3;
/// Characters of a value.
const VALUE_CHARS: usize = 600;

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
}

/// An object whose keys stand as they were written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Ordered(pub(super) Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Ordered;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Ordered, M::Error> {
                let mut entries: Vec<(String, Value)> = Vec::new();
                while let Some(entry) = map.next_entry::<String, Value>()? {
                    entries.retain(|(key, _)| *key != entry.0);
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Keys)
    }
}

/// The rows of an object, and how many more there are.
pub(super) fn of(text: &str) -> (Vec<Fact>, usize) {
    let Ordered(entries) = serde_json::from_str(text).unwrap_or_default();
    let mut rows = Vec::new();
    for (key, value) in &entries {
        collect(key, value, 1, &mut rows);
    }
    let more = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    (rows, more)
}

fn collect(name: &str, value: &Value, depth: usize, rows: &mut Vec<Fact>) {
    match value {
        Value::Object(object) if !object.is_empty() && depth < DEPTH_MAX => {
            for (key, value) in object {
                collect(
                    &format!("{name}.{key}"),
                    value,
                    depth.saturating_add(1),
                    rows,
                );
            }
        }
        _ => rows.push(Fact {
            name: line(name, 120),
            value: shown(value),
        }),
    }
}

/// A value for people: words and numbers as they are, short lists between commas.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(is_plain) => {
            items.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    if text.chars().count() <= VALUE_CHARS {
        return text;
    }
    let kept: String = text.chars().take(VALUE_CHARS).collect();
    format!("{kept}…")
}

const fn is_plain(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_stand_as_they_were_written_with_their_path() {
        let (rows, more) = of(
            r#"{"zebra":1,"amount":4990,"customer":{"name":"Ada","vip":true},
            "items":["a","b"],"deep":{"a":{"b":{"c":1}}},"none":null}"#,
        );
        let told: Vec<String> = rows
            .iter()
            .map(|row| format!("{}={}", row.name, row.value))
            .collect();
        assert_eq!(
            told,
            [
                "zebra=1",
                "amount=4990",
                "customer.name=Ada",
                "customer.vip=yes",
                "items=a, b",
                r#"deep.a.b={"c":1}"#,
                "none=nothing"
            ]
        );
        assert_eq!(more, 0);
    }

    #[test]
    fn what_is_long_is_cut_and_what_is_much_is_counted() {
        let many: Vec<String> = (0..50).map(|at| format!("\"k{at}\":{at}")).collect();
        let (rows, more) = of(&format!("{{{}}}", many.join(",")));
        assert_eq!((rows.len(), more), (ROWS_MAX, 10));
        let (rows, _) = of(&format!(r#"{{"a":"{}"}}"#, "x".repeat(5000)));
        assert_eq!(rows[0].value.chars().count(), VALUE_CHARS + 1);
        assert_eq!(of("[1]").0, []);
    }
}
