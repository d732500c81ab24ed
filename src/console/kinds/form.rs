//! Form: fill in. Fields from a JSON Schema: text, number, choice, yes or no, date, several; all else as JSON.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use super::{Brief, Fact, Fault, Filled, HandedIn, Kind, comment, leaves};
use crate::console::model::strip::entry::{Choice, Entry, Input, Key, Need};
use crate::console::widgets::field::{Field, Lines};
use crate::domain::payload::Payload;
use crate::domain::task::is_negative;
use crate::engine::form;

/// A text that may be longer than this gets several lines.
const LINE_CHARS: u64 = 200;

/// A form.
#[derive(Debug)]
pub(super) struct Form;

impl Kind for Form {
    fn question(&self, brief: &Brief<'_>, outcome: &str) -> String {
        let id = brief.task.intent.short();
        if is_negative(outcome) {
            format!("reject {id}?")
        } else {
            format!("fill in {id}")
        }
    }

    fn facts(&self, brief: &Brief<'_>) -> Vec<Fact> {
        leaves(brief.payload, &[])
    }

    fn entries(&self, brief: &Brief<'_>) -> Vec<Entry> {
        let mut entries = brief.task.form.as_ref().map(fields).unwrap_or_default();
        entries.push(comment(brief));
        entries
    }

    fn needs_more(&self, brief: &Brief<'_>) -> Option<&'static str> {
        brief.task.form.is_some().then_some("have a form each")
    }

    fn hand_in(&self, brief: &Brief<'_>, filled: &Filled<'_>) -> HandedIn {
        let Some(schema) = brief.task.form.as_ref().filter(|_| !filled.is_no()) else {
            return Ok(Map::new());
        };
        let mut data = Map::new();
        let mut faults = Vec::new();
        for entry in filled.entries {
            let Key::Property(name) = &entry.key else {
                continue;
            };
            match entry.value() {
                Ok(Some(value)) => drop(data.insert(name.clone(), value)),
                Ok(None) => {}
                Err(text) => faults.push(Fault::at(entry.key.clone(), text)),
            }
        }
        let words = filled.text(&Key::Comment);
        let mut checked = data.clone();
        if let Some(evidence) = filled.text(&Key::Evidence) {
            checked.insert("evidence".to_owned(), json!(evidence));
        }
        let checked = Payload::of(&Value::Object(checked));
        if let Err(problems) = form::fill(schema, filled.outcome, words.as_deref(), Some(&checked))
        {
            for problem in problems {
                let fault = fault_of(filled.entries, &problem);
                // What could not be read at all is said once.
                if fault.key.is_none() || faults.iter().all(|one| one.key != fault.key) {
                    faults.push(fault);
                }
            }
        }
        if faults.is_empty() {
            Ok(data)
        } else {
            Err(faults)
        }
    }
}

/// A problem of the schema, at the entry that its pointer leads to.
fn fault_of(entries: &[Entry], problem: &str) -> Fault {
    let (pointer, text) = problem.split_once(": ").unwrap_or(("/", problem));
    let name = pointer.split('/').nth(1).unwrap_or_default();
    let name = name.replace("~1", "/").replace("~0", "~");
    let key = entries
        .iter()
        .map(|entry| &entry.key)
        .find(|key| matches!(key, Key::Property(property) if *property == name));
    match key {
        Some(key) => Fault::at(key.clone(), text.strip_prefix("value ").unwrap_or(text)),
        None => Fault {
            key: None,
            text: problem.to_owned(),
        },
    }
}

/// The entries of a schema, in its own order.
fn fields(schema: &Payload) -> Vec<Entry> {
    let value = schema.to_value();
    let required: Vec<&str> = value
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let declared = value.get("properties").and_then(Value::as_object);
    in_order(schema)
        .into_iter()
        .filter(|name| !matches!(name.as_str(), "outcome" | "comment" | "evidence"))
        .filter_map(|name| {
            let schema = declared?.get(&name)?;
            let need = if required.contains(&name.as_str()) {
                Need::ForYes
            } else {
                Need::Never
            };
            let label = schema.get("title").and_then(Value::as_str).unwrap_or(&name);
            let mut entry = Entry::new(Key::Property(name.clone()), label, input(schema), need)
                .hinted(hint(schema));
            if let Some(value) = schema.get("default") {
                put(&mut entry, value);
            }
            Some(entry)
        })
        .collect()
}

/// Fills in a value that the schema proposes.
fn put(entry: &mut Entry, value: &Value) {
    match (&entry.input, value) {
        (Input::One(..) | Input::Some(..), _) | (_, Value::String(_)) => entry.restore(value),
        (_, other) => entry.restore(&Value::String(other.to_string())),
    }
}

fn input(schema: &Value) -> Input {
    if let Some(choices) = choices(schema) {
        return Input::One(choices, None);
    }
    let format = schema.get("format").and_then(Value::as_str);
    match type_of(schema) {
        Some("boolean") => {
            let answer = |label: &str, value: bool| Choice {
                label: label.to_owned(),
                ..Choice::of(json!(value))
            };
            Input::One(vec![answer("yes", true), answer("no", false)], None)
        }
        Some("integer") => Input::Number(Field::new(Lines::One), true),
        Some("number") => Input::Number(Field::new(Lines::One), false),
        Some("string") if format == Some("date") => Input::Date(Field::new(Lines::One)),
        Some("string") | None => {
            let longest = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(0);
            let is_long = longest > LINE_CHARS || format == Some("textarea");
            let lines = if is_long { Lines::Many } else { Lines::One };
            Input::Text(Field::new(lines))
        }
        Some("array") => match schema.get("items").and_then(choices) {
            Some(choices) => {
                let none = vec![false; choices.len()];
                Input::Some(choices, none, 0)
            }
            None => Input::Json(Field::new(Lines::One)),
        },
        Some(_) => Input::Json(Field::new(Lines::One)),
    }
}

fn type_of(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(one) => Some(one),
        Value::Array(several) => several
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null"),
        _ => None,
    }
}

/// What can be chosen: an `enum`, or `oneOf` with a `const` each.
fn choices(schema: &Value) -> Option<Vec<Choice>> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(values.iter().cloned().map(Choice::of).collect());
    }
    let listed = schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))?
        .as_array()?;
    listed
        .iter()
        .map(|one| {
            let choice = Choice::of(one.get("const")?.clone());
            let title = one.get("title").and_then(Value::as_str);
            Some(Choice {
                label: title.map_or(choice.label, str::to_owned),
                ..choice
            })
        })
        .collect()
}

fn hint(schema: &Value) -> String {
    if let Some(text) = schema.get("description").and_then(Value::as_str) {
        return text.to_owned();
    }
    match input(schema) {
        Input::Date(_) => "as 2026-04-11".to_owned(),
        Input::Json(_) => "as JSON".to_owned(),
        Input::Number(..) => {
            let bound = |name: &str| schema.get(name).map(Value::to_string);
            match (bound("minimum"), bound("maximum")) {
                (Some(least), Some(most)) => format!("{least} to {most}"),
                (Some(least), None) => format!("{least} or more"),
                (None, Some(most)) => format!("{most} at most"),
                (None, None) => String::new(),
            }
        }
        _ => String::new(),
    }
}

/// The names of the properties in the order of the schema; a parsed object has lost it.
fn in_order(schema: &Payload) -> Vec<String> {
    #[derive(Deserialize)]
    struct Schema {
        #[serde(default)]
        properties: Names,
    }
    let read: Result<Schema, _> = serde_json::from_str(schema.as_str());
    read.map(|schema| schema.properties.0).unwrap_or_default()
}

#[derive(Default)]
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Names;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
