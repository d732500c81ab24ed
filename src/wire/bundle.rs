//! A bundle's objects while they are read: fields by type, each problem under its path.

use std::collections::HashMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::domain::address::{Address, Home};
use crate::domain::excerpt::{SENTENCE_CHARS_MAX, excerpt};
use crate::domain::payload::Payload;
use crate::domain::task::{ReminderPlan, TaskSpec};
use crate::domain::time::Span;
use crate::wire::body::Body;
use crate::wire::tasks;

/// What is found while a bundle is read.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) errors: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl Notes {
    pub(super) fn error(&mut self, path: &str, what: impl AsRef<str>) {
        self.errors.push(sentence(path, what.as_ref()));
    }

    pub(super) fn warning(&mut self, path: &str, what: impl AsRef<str>) {
        self.warnings.push(sentence(path, what.as_ref()));
    }
}

fn sentence(path: &str, what: &str) -> String {
    let whole = format!("{path}: {what}");
    excerpt(&whole, SENTENCE_CHARS_MAX).into_owned()
}

/// One object of a bundle, with its path.
pub(super) struct Part<'bundle, 'notes> {
    pub(super) path: String,
    pub(super) object: &'bundle Map<String, Value>,
    /// How it was written, where something of it is carried on: values have lost the order of their keys and
    /// the spelling of their numbers.
    pub(super) written: Option<&'bundle RawValue>,
    pub(super) notes: &'notes mut Notes,
}

/// What an object has at a key, as it was written.
pub(super) fn written<'text>(
    object: Option<&'text RawValue>,
    key: &str,
) -> Option<&'text RawValue> {
    let mut keys: HashMap<String, &RawValue> = serde_json::from_str(object?.get()).ok()?;
    keys.remove(key)
}

/// The items of a list, as they were written.
pub(super) fn written_items(list: Option<&RawValue>) -> Vec<&RawValue> {
    list.and_then(|list| serde_json::from_str(list.get()).ok())
        .unwrap_or_default()
}

impl<'bundle> Part<'bundle, '_> {
    fn at(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(super) fn wrong(&mut self, key: &str, what: impl AsRef<str>) {
        let path = self.at(key);
        self.notes.error(&path, what);
    }

    pub(super) fn warn(&mut self, key: &str, what: impl AsRef<str>) {
        let path = self.at(key);
        self.notes.warning(&path, what);
    }

    pub(super) fn get(&self, key: &str) -> Option<&'bundle Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, key: &str, chars_max: usize) -> Option<String> {
        match self.get(key)? {
            Value::String(text) if text.chars().count() <= chars_max => Some(text.clone()),
            Value::String(_) => {
                self.wrong(key, format!("has more than {chars_max} characters"));
                None
            }
            _ => {
                self.wrong(key, "must be a string");
                None
            }
        }
    }

    /// A text that says something.
    pub(super) fn word(&mut self, key: &str, chars_max: usize) -> Option<String> {
        self.text(key, chars_max)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    pub(super) fn flag(&mut self, key: &str) -> bool {
        match self.get(key) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.wrong(key, "must be true or false");
                false
            }
        }
    }

    pub(super) fn number(&mut self, key: &str, min: u32, max: u32) -> Option<u32> {
        let value = self.get(key)?;
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| (min..=max).contains(number));
        if number.is_none() {
            self.wrong(key, format!("must be a whole number from {min} to {max}"));
        }
        number
    }

    pub(super) fn object(&mut self, key: &str) -> Option<&'bundle Map<String, Value>> {
        let object = self.get(key)?.as_object();
        if object.is_none() {
            self.wrong(key, "must be an object");
        }
        object
    }

    /// An object that is carried and never interpreted, as it was written.
    pub(super) fn carried(&mut self, key: &str) -> Option<Payload> {
        let object = self.object(key)?;
        let written = written(self.written, key);
        let payload = written.and_then(|written| Payload::object(written.get()).ok());
        Some(payload.unwrap_or_else(|| Payload::of(&Value::Object(object.clone()))))
    }

    pub(super) fn list(&mut self, key: &str, max: usize) -> Vec<&'bundle Map<String, Value>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let objects: Vec<_> = items.iter().filter_map(Value::as_object).collect();
        if !value.is_array() || objects.len() != items.len() || items.len() > max {
            self.wrong(key, format!("must be a list of at most {max} objects"));
            return Vec::new();
        }
        objects
    }

    pub(super) fn address(&mut self, key: &str, text: &str, home: &Home) -> Option<Address> {
        match Address::parse(text, home) {
            Ok(address) => Some(address),
            Err(error) => {
                self.wrong(key, error.to_string());
                None
            }
        }
    }

    pub(super) fn reminders(&mut self) -> ReminderPlan {
        let seconds = |part: &mut Self, key: &str| {
            part.number(key, 1, u32::MAX)
                .map(|seconds| Span::from_seconds(seconds.into()))
        };
        ReminderPlan {
            after: seconds(self, "remind_after_seconds"),
            interval: seconds(self, "remind_interval_seconds"),
            max: self.number("max_reminders", 1, u32::MAX),
            escalate_to: self.word("escalate_to", 383),
        }
    }

    pub(super) fn task(&mut self, key: &str, intent_type: &str) -> Option<TaskSpec> {
        let task = self.carried(key)?;
        let read =
            Body::parse(task.as_str().as_bytes()).and_then(|body| tasks::spec(&body, intent_type));
        match read {
            Ok(spec) => Some(spec),
            Err(problem) => {
                self.wrong(key, problem.message);
                None
            }
        }
    }

    pub(super) fn unknown(&mut self, known: &[&str]) {
        let unknown: Vec<_> = self
            .object
            .keys()
            .filter(|key| !known.contains(&key.as_str()))
            .cloned()
            .collect();
        for key in unknown {
            self.warn(&key, "is not known and was left alone");
        }
    }
}
