//! The form of a task as fields of a page, and what was filled in as the form wants it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::facts::{self, Ordered};
use crate::domain::json;
use crate::domain::payload::Payload;

/// What begins the names of a form's own fields, so that they are never taken for ours.
const PREFIX: &str = "field.";
/// What is asked for apart from the form, or follows from the outcome.
const ASKED_ELSEWHERE: [&str; 3] = ["outcome", "comment", "approved"];
/// Longer texts get more than one line.
const LINE_CHARS: u64 = 160;

/// What was sent back, in its order.
#[derive(Debug, Clone, Default)]
pub(super) struct Submitted(pub(super) Vec<(String, String)>);

impl Submitted {
    pub(super) fn read(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// The last value of that name: a button comes after the fields.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter().rev();
        let found = pairs.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(key, _)| key == name);
        values.map(|(_, value)| value.as_str())
    }
}

/// One field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) hint: Option<String>,
    pub(super) kind: Kind,
    pub(super) is_required: bool,
    pub(super) default: Option<Value>,
}

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// One line.
    Text { chars_max: Option<u64> },
    /// Several lines.
    Long { chars_max: Option<u64> },
    /// A number, whole or not.
    Number {
        is_whole: bool,
        min: Option<String>,
        max: Option<String>,
    },
    /// One of these.
    Choice(Vec<Choice>),
    /// Any of these.
    Several(Vec<Choice>),
    /// Yes or no.
    YesNo,
    /// A day.
    Date,
    /// A day and a time, UTC.
    Moment,
    /// Texts, one a line.
    Lines,
    /// Anything else, as JSON.
    Json,
    /// Nothing can be chosen.
    Fixed(Value),
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    pub(super) value: Value,
    pub(super) label: String,
}

impl Choice {
    /// What stands for it in what is sent back.
    pub(super) fn word(&self) -> String {
        self.value.to_string()
    }
}

/// The parts of a schema that a page needs.
#[derive(Debug, Default, Deserialize)]
struct Form {
    #[serde(default)]
    properties: Ordered,
    #[serde(default)]
    required: Vec<String>,
}

/// The fields of a form, in the order in which its sender wrote them.
pub(super) fn of(schema: &Payload) -> Vec<Field> {
    let form: Form = serde_json::from_str(schema.as_str()).unwrap_or_default();
    let Ordered(properties) = form.properties;
    properties
        .into_iter()
        .filter(|(key, _)| !ASKED_ELSEWHERE.contains(&key.as_str()))
        .map(|(key, declared)| Field {
            label: word(&declared, "title").unwrap_or_else(|| title_of(&key)),
            hint: word(&declared, "description"),
            kind: kind(&declared),
            is_required: form.required.contains(&key),
            default: declared.get("default").cloned(),
            key,
        })
        .collect()
}

impl Field {
    /// The name of its inputs.
    pub(super) fn name(&self) -> String {
        format!("{PREFIX}{}", self.key)
    }

    /// What was filled in, as the form wants it; what is no such thing stays the text that it is, and
    /// the form says what is wrong with it. None when it was left open.
    fn value(&self, submitted: &Submitted) -> Option<Value> {
        let name = self.name();
        let text = submitted.get(&name).unwrap_or_default();
        let read =
            |text: &str| json::read(text).unwrap_or_else(|_none| Value::String(text.to_owned()));
        match &self.kind {
            Kind::Fixed(value) => Some(value.clone()),
            Kind::Several(_) => {
                let chosen: Vec<Value> = submitted.all(&name).map(read).collect();
                (!chosen.is_empty() || self.is_required).then_some(Value::Array(chosen))
            }
            Kind::Lines => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                let lines: Vec<Value> = lines.map(Value::from).collect();
                (!lines.is_empty()).then_some(Value::Array(lines))
            }
            _ if text.trim().is_empty() => None,
            Kind::Text { .. } | Kind::Date => Some(Value::from(text)),
            Kind::Long { .. } => Some(Value::from(text.replace("\r\n", "\n"))),
            Kind::Moment => Some(Value::from(moment(text))),
            Kind::Number { .. } => Some(match read(text.trim()) {
                number @ Value::Number(_) => number,
                _other => Value::from(text),
            }),
            Kind::Choice(_) | Kind::YesNo | Kind::Json => Some(read(text)),
        }
    }
}

/// Everything that was filled in.
pub(super) fn filled(fields: &[Field], submitted: &Submitted) -> Map<String, Value> {
    let filled = fields.iter();
    filled
        .filter_map(|field| Some((field.key.clone(), field.value(submitted)?)))
        .collect()
}

/// What the form says is wrong, by field; what belongs to none goes under the empty name.
pub(super) fn faults(problems: &[String]) -> Vec<(String, String)> {
    let faults = problems.iter().map(|problem| {
        let (pointer, message) = problem.split_once(": ").unwrap_or(("/", problem));
        let key = pointer.split('/').nth(1).unwrap_or_default();
        (
            key.replace("~1", "/").replace("~0", "~"),
            message.to_owned(),
        )
    });
    faults.collect()
}

fn kind(declared: &Value) -> Kind {
    if let Some(fixed) = declared.get("const") {
        return Kind::Fixed(fixed.clone());
    }
    if let Some(choices) = choices(declared) {
        return Kind::Choice(choices);
    }
    let size = |name: &str| declared.get(name).and_then(Value::as_u64);
    let bound = |name: &str| {
        declared
            .get(name)
            .filter(|one| one.is_number())
            .map(Value::to_string)
    };
    match type_of(declared) {
        Some("boolean") => Kind::YesNo,
        Some(number @ ("integer" | "number")) => Kind::Number {
            is_whole: number == "integer",
            min: bound("minimum"),
            max: bound("maximum"),
        },
        Some("string") => match declared.get("format").and_then(Value::as_str) {
            Some("date") => Kind::Date,
            Some("date-time") => Kind::Moment,
            format => {
                let chars_max = size("maxLength");
                let is_long =
                    format == Some("textarea") || chars_max.is_some_and(|chars| chars > LINE_CHARS);
                if is_long {
                    Kind::Long { chars_max }
                } else {
                    Kind::Text { chars_max }
                }
            }
        },
        Some("array") => {
            let items = declared.get("items").unwrap_or(&Value::Null);
            match choices(items) {
                Some(choices) => Kind::Several(choices),
                None if type_of(items) == Some("string") => Kind::Lines,
                None => Kind::Json,
            }
        }
        Some(_) => Kind::Json,
        None => Kind::Text { chars_max: None },
    }
}

/// The first type that is not null.
fn type_of(declared: &Value) -> Option<&str> {
    match declared.get("type")? {
        Value::String(one) => Some(one),
        Value::Array(many) => many
            .iter()
            .filter_map(Value::as_str)
            .find(|one| *one != "null"),
        _ => None,
    }
}

/// What can be chosen: an `enum`, or `oneOf` of constants with titles.
fn choices(declared: &Value) -> Option<Vec<Choice>> {
    if let Some(values) = declared.get("enum").and_then(Value::as_array) {
        let choice = |value: &Value| Choice {
            value: value.clone(),
            label: facts::shown(value),
        };
        return Some(values.iter().map(choice).collect());
    }
    let one_of = declared.get("oneOf")?.as_array()?;
    let choice = |one: &Value| {
        let value = one.get("const")?.clone();
        let label = word(one, "title").unwrap_or_else(|| facts::shown(&value));
        Some(Choice { value, label })
    };
    one_of.iter().map(choice).collect()
}

fn word(declared: &Value, name: &str) -> Option<String> {
    let text = declared.get(name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// `amount_minor` as `Amount minor`.
pub(super) fn title_of(key: &str) -> String {
    let words = key.replace(['_', '-'], " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => key.to_owned(),
    }
}

/// What a browser says of a day and a time, as RFC 3339.
fn moment(text: &str) -> String {
    match text.len() {
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FORM: &str = r#"{"type":"object","required":["reason","amount","parts"],"properties":{
        "reason":{"type":"string","enum":["late","damaged"],"title":"Why"},
        "amount":{"type":"integer","minimum":1,"maximum":500},
        "share":{"type":["number","null"]},
        "paid":{"type":"boolean"},
        "day":{"type":"string","format":"date"},
        "at":{"type":"string","format":"date-time"},
        "note":{"type":"string","maxLength":2000},
        "name":{"type":"string"},
        "parts":{"type":"array","items":{"enum":["a","b"]}},
        "tags":{"type":"array","items":{"type":"string"}},
        "size":{"oneOf":[{"const":1,"title":"Small"},{"const":2,"title":"Large"}]},
        "more":{"type":"object"},
        "kind":{"const":"refund"},
        "comment":{"type":"string"},"approved":{"type":"boolean"}}}"#;

    fn sent(pairs: &[(&str, &str)]) -> Submitted {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Submitted(pairs.iter().map(own).collect())
    }

    #[test]
    fn fields_stand_as_they_were_written_each_by_its_type() {
        let fields = of(&Payload::trusted(FORM));
        let keys: Vec<&str> = fields.iter().map(|field| field.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "reason", "amount", "share", "paid", "day", "at", "note", "name", "parts", "tags",
                "size", "more", "kind"
            ]
        );
        assert_eq!(
            (fields[0].label.as_str(), fields[0].is_required),
            ("Why", true)
        );
        assert_eq!(
            (fields[1].label.as_str(), fields[2].is_required),
            ("Amount", false)
        );
        assert!(matches!(&fields[0].kind, Kind::Choice(all) if all.len() == 2));
        assert!(
            matches!(&fields[1].kind, Kind::Number { is_whole: true, min: Some(min), .. } if min == "1")
        );
        assert!(matches!(
            fields[2].kind,
            Kind::Number {
                is_whole: false,
                ..
            }
        ));
        assert!(matches!(
            fields[6].kind,
            Kind::Long {
                chars_max: Some(2000)
            }
        ));
        assert!(matches!(&fields[10].kind, Kind::Choice(all) if all[1].label == "Large"));
        assert!(matches!(fields[11].kind, Kind::Json));
    }

    #[test]
    fn what_is_filled_in_becomes_what_the_form_wants() {
        let fields = of(&Payload::trusted(FORM));
        let sent = sent(&[
            ("field.reason", "\"late\""),
            ("field.amount", "12"),
            ("field.share", "0.5"),
            ("field.paid", "false"),
            ("field.day", "2026-11-30"),
            ("field.at", "2026-11-30T14:05"),
            ("field.note", "one\r\ntwo"),
            ("field.name", "Ada"),
            ("field.parts", "\"a\""),
            ("field.parts", "\"b\""),
            ("field.tags", "x\r\n\r\n y "),
            ("field.size", "2"),
            ("field.more", r#"{"a":1}"#),
        ]);
        assert_eq!(
            Value::Object(filled(&fields, &sent)),
            json!({ "reason": "late", "amount": 12, "share": 0.5, "paid": false, "day": "2026-11-30",
                "at": "2026-11-30T14:05:00Z", "note": "one\ntwo", "name": "Ada", "parts": ["a", "b"],
                "tags": ["x", "y"], "size": 2, "more": { "a": 1 }, "kind": "refund" })
        );
    }

    #[test]
    fn what_is_left_open_is_left_out_and_what_is_wrong_stays_as_it_was_typed() {
        let fields = of(&Payload::trusted(FORM));
        let sent = sent(&[
            ("field.amount", "many"),
            ("field.name", " "),
            ("other", "1"),
        ]);
        assert_eq!(
            Value::Object(filled(&fields, &sent)),
            json!({ "amount": "many", "parts": [], "kind": "refund" })
        );
        assert!(of(&Payload::trusted("true")).is_empty());
    }

    #[test]
    fn a_fault_stands_with_its_field() {
        let problems = [
            "/amount: is too large",
            "/parts/1: is unknown",
            "/: no",
            "/a~1b: x",
        ];
        let problems: Vec<String> = problems.iter().map(|one| (*one).to_owned()).collect();
        let keys: Vec<String> = faults(&problems).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["amount", "parts", "", "a/b"]);
    }
}
