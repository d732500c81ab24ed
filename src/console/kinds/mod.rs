//! What each type of task asks, shows and hands in: one small renderer per type, one trait.
//!
//! 1. A renderer is pure: it gets the task, its payload and the people, and gives words and entries.
//! 2. What a payload holds is the sender's affair; each renderer says which keys it looks for, and
//!    shows what it does not know as plain leaves.
//! 3. Foreign text passes through unchanged; whoever draws it makes it harmless.
//!
//! Not here: which keys do what (`update/decide.rs`), how it is laid out (`panes/strip.rs`).
//! Tested: here for words and entries, on whole screens in `tests/kinds.rs`.

mod approval;
mod assignment;
mod clarification;
mod confirmation;
mod form;
mod manual_action;
mod other;
mod overriding;
mod review;

use serde_json::{Map, Value, json};

use crate::console::model::strip::entry::{Choice, Entry, Key, Need};
use crate::console::theme::Role;
use crate::desk::rows::TaskRow;
use crate::domain::task::{TaskType, is_negative};

/// Somebody who could take a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The short name.
    pub(crate) name: String,
    /// The whole address.
    pub(crate) address: String,
    /// Open tasks that are with them now.
    pub(crate) open: usize,
}

/// What a renderer works from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Brief<'a> {
    /// The task.
    pub(crate) task: &'a TaskRow,
    /// What its intent carries; `null` until it was read.
    pub(crate) payload: &'a Value,
    /// Who could take it.
    pub(crate) people: &'a [Person],
}

/// A line of what a task is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    /// Its label.
    pub(crate) label: String,
    /// What it says.
    pub(crate) text: String,
    /// How it looks.
    pub(crate) role: Role,
    /// When it is shown.
    pub(crate) shown: Shown,
}

/// When a fact is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// In the strip, whatever stands beside it.
    Always,
    /// Beside the strip; in it only where there is no room beside it.
    Beside,
    /// Only while no strip is open: the strip shows it by what is filled in.
    Closed,
}

impl Fact {
    fn new(label: &str, text: impl Into<String>) -> Self {
        Self {
            label: label.to_owned(),
            text: text.into(),
            role: Role::Text,
            shown: Shown::Beside,
        }
    }

    fn essential(label: &str, text: impl Into<String>) -> Self {
        Self {
            shown: Shown::Always,
            ..Self::new(label, text)
        }
    }

    fn until_opened(self) -> Self {
        Self {
            shown: Shown::Closed,
            ..self
        }
    }

    fn with_role(self, role: Role) -> Self {
        Self { role, ..self }
    }
}

/// What is wrong with what was filled in, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// At which entry; none for the whole.
    pub(crate) key: Option<Key>,
    /// What.
    pub(crate) text: String,
}

impl Fault {
    fn at(key: Key, text: impl Into<String>) -> Self {
        Self {
            key: Some(key),
            text: text.into(),
        }
    }
}

/// One type of task.
pub(crate) trait Kind: std::fmt::Debug + Sync {
    /// The question, as the title of the strip; `outcome` is the chosen one.
    fn question(&self, brief: &Brief<'_>, outcome: &str) -> String;

    /// What it is about.
    fn facts(&self, brief: &Brief<'_>) -> Vec<Fact> {
        leaves(brief.payload, &[])
    }

    /// What can be filled in, in order.
    fn entries(&self, brief: &Brief<'_>) -> Vec<Entry> {
        vec![comment(brief)]
    }

    /// Whether the payload has to be read before anything can be filled in.
    fn needs_payload(&self) -> bool {
        false
    }

    /// What a yes would need besides a comment, so that it cannot be given to many at once.
    fn needs_more(&self, _brief: &Brief<'_>) -> Option<&'static str> {
        None
    }

    /// What goes with the decision besides its words and its evidence.
    ///
    /// # Errors
    /// Everything that is wrong with what was filled in.
    fn hand_in(&self, _brief: &Brief<'_>, _filled: &Filled<'_>) -> HandedIn {
        Ok(Map::new())
    }
}

/// What goes with a decision, or everything that is wrong with it.
pub(crate) type HandedIn = Result<Map<String, Value>, Vec<Fault>>;

/// What was filled in, and the outcome that it goes with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled<'a> {
    /// The entries, in order.
    pub(crate) entries: &'a [Entry],
    /// The chosen outcome.
    pub(crate) outcome: &'a str,
}

impl Filled<'_> {
    /// Whether it is a no.
    fn is_no(&self) -> bool {
        is_negative(self.outcome)
    }

    /// The words of an entry; none where it is missing or empty.
    fn text(&self, key: &Key) -> Option<String> {
        let entry = self.entries.iter().find(|entry| entry.key == *key)?;
        (!entry.is_empty()).then(|| entry.text())
    }
}

/// `1 one   2 two`: what a digit chooses, or the order of what is to be done.
fn numbered(list: &[String]) -> String {
    let numbers = list.iter().zip(1..);
    let parts: Vec<String> = numbers
        .map(|(one, number)| format!("{number} {one}"))
        .collect();
    parts.join("   ")
}

/// The renderer of a type.
pub(crate) fn of(task_type: &str) -> &'static dyn Kind {
    match TaskType::from_name(task_type) {
        TaskType::Approval => &approval::Approval,
        TaskType::Review => &review::Review,
        TaskType::Clarification => &clarification::Clarification,
        TaskType::ManualAction => &manual_action::ManualAction,
        TaskType::Confirmation => &confirmation::Confirmation,
        TaskType::Assignment => &assignment::Assignment,
        TaskType::Override => &overriding::Override,
        TaskType::Form => &form::Form,
        TaskType::Other(_) => &other::Other,
    }
}

/// Everything that can be filled in on a strip: what the type asks, and evidence where it is wanted.
pub(crate) fn entries_of(brief: &Brief<'_>) -> Vec<Entry> {
    let mut entries = of(&brief.task.task_type).entries(brief);
    if brief.task.is_evidence_required {
        let evidence = Entry::line(Key::Evidence, "evidence", Need::Always)
            .hinted("a link, a number, where it can be looked up");
        let place = entries.iter().position(|entry| entry.key == Key::Comment);
        entries.insert(place.map_or(entries.len(), |place| place + 1), evidence);
    }
    entries
}

/// Who can be picked for a task, the likeliest first.
pub(crate) fn assignees(brief: &Brief<'_>) -> Vec<Choice> {
    assignment::choices(brief)
}

/// The answers to a question that a digit gives.
pub(crate) fn answers(payload: &Value) -> Vec<String> {
    clarification::choices(payload)
}

/// What is handed in with a decision: its words, and everything else as an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Handed {
    /// The words.
    pub(crate) comment: Option<String>,
    /// The rest; none when there is nothing.
    pub(crate) data: Option<Value>,
}

/// Collects it.
///
/// # Errors
/// Everything that is missing or wrong, in the order of the entries.
pub(crate) fn hand_in(
    brief: &Brief<'_>,
    entries: &[Entry],
    outcome: &str,
) -> Result<Handed, Vec<Fault>> {
    let filled = Filled { entries, outcome };
    let missing = entries
        .iter()
        .filter(|entry| entry.is_needed(filled.is_no()) && entry.is_empty())
        .map(|entry| Fault::at(entry.key.clone(), missing(entry)));
    let mut faults: Vec<Fault> = missing.collect();
    let comment = filled
        .text(&Key::Comment)
        .or_else(|| filled.text(&Key::Answer));
    match of(&brief.task.task_type).hand_in(brief, &filled) {
        Ok(mut data) if faults.is_empty() => {
            if let Some(evidence) = filled.text(&Key::Evidence) {
                data.insert("evidence".to_owned(), json!(evidence));
            }
            let data = (!data.is_empty()).then_some(Value::Object(data));
            Ok(Handed { comment, data })
        }
        Ok(_) => Err(faults),
        Err(more) => {
            let is_known = |fault: &Fault| faults.iter().any(|one| one.key == fault.key);
            let more: Vec<Fault> = more.into_iter().filter(|fault| !is_known(fault)).collect();
            faults.extend(more);
            let place = |fault: &Fault| {
                entries
                    .iter()
                    .position(|one| Some(&one.key) == fault.key.as_ref())
            };
            faults.sort_by_key(|fault| place(fault).unwrap_or(usize::MAX));
            Err(faults)
        }
    }
}

fn missing(entry: &Entry) -> String {
    match entry.key {
        Key::Comment => "a comment is required here".to_owned(),
        Key::Answer => "an answer is required for a yes".to_owned(),
        Key::Evidence => "evidence is required here".to_owned(),
        Key::Assignee => "say who takes it".to_owned(),
        Key::Outcome => "an outcome is required".to_owned(),
        Key::LastFour => "type the last four characters of the id".to_owned(),
        Key::Step(_) => "not ticked".to_owned(),
        Key::Property(_) | Key::Diff => "is required".to_owned(),
    }
}

/// The entry for the words of a decision.
fn comment(brief: &Brief<'_>) -> Entry {
    let is_override = TaskType::from_name(&brief.task.task_type) == TaskType::Override;
    let need = if brief.task.is_comment_required || is_override {
        Need::Always
    } else {
        Need::Never
    };
    Entry::words(Key::Comment, "comment", need)
}

/// The word for doing what an outcome says.
fn verb_of(outcome: &str) -> String {
    match outcome {
        "approved" => "approve".to_owned(),
        "rejected" => "reject".to_owned(),
        "changes_requested" => "ask for changes".to_owned(),
        "declined" => "decline".to_owned(),
        "" => "decide".to_owned(),
        other => other.replace('_', " "),
    }
}

/// The first of these keys that the payload has, as text.
fn said(payload: &Value, keys: &[&str]) -> Option<String> {
    keys.iter()
        .filter_map(|key| payload.get(*key))
        .map(shown)
        .find(|text| !text.is_empty())
}

/// A value in a few words.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            items.join(", ")
        }
        Value::Object(fields) => {
            let parts: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name} {}", shown(value)))
                .collect();
            parts.join(", ")
        }
        other => other.to_string(),
    }
}

/// The leaves of a payload as one fact, without the keys that were shown already.
fn leaves(payload: &Value, without: &[&str]) -> Vec<Fact> {
    let Some(fields) = payload.as_object() else {
        return Vec::new();
    };
    let parts: Vec<String> = fields
        .iter()
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .map(|(name, value)| match value {
            Value::Object(inner) => format!("{name} {{{}}}", inner.len()),
            Value::Array(items) => format!("{name} [{}]", items.len()),
            other => format!("{name} {}", shown(other)),
        })
        .collect();
    if parts.is_empty() {
        Vec::new()
    } else {
        vec![Fact::new("payload", parts.join("   "))]
    }
}

/// The names in a list of words or of objects with a name.
fn names(payload: &Value, keys: &[&str]) -> Vec<String> {
    let list = keys.iter().find_map(|key| payload.get(*key)?.as_array());
    let name = |item: &Value| match item {
        Value::Object(fields) => ["label", "title", "name", "text", "do"]
            .iter()
            .find_map(|key| fields.get(*key)?.as_str().map(str::to_owned))
            .unwrap_or_else(|| shown(item)),
        other => shown(other),
    };
    list.map(|list| list.iter().map(name).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
