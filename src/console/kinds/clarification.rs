//! Clarification: what is meant? The payload may hold the `question`, `context` and up to nine `choices`.

use serde_json::{Value, json};

use super::{Brief, Fact, Filled, HandedIn, Kind, leaves, names, numbered, said};
use crate::console::model::strip::entry::{Entry, Key, Need};
use crate::console::theme::Role;

const CONTEXT: [&str; 3] = ["context", "quote", "background"];
const CHOICES: [&str; 3] = ["choices", "options", "suggestions"];
/// As many as there are digits to choose one with.
const CHOICES_MAX: usize = 9;

/// A clarification.
#[derive(Debug)]
pub(super) struct Clarification;

/// The answers that a digit gives.
pub(crate) fn choices(payload: &Value) -> Vec<String> {
    let mut choices = names(payload, &CHOICES);
    choices.truncate(CHOICES_MAX);
    choices
}

impl Kind for Clarification {
    fn question(&self, brief: &Brief<'_>, _outcome: &str) -> String {
        said(brief.payload, &["question"]).unwrap_or_else(|| brief.task.title.clone())
    }

    fn facts(&self, brief: &Brief<'_>) -> Vec<Fact> {
        let mut facts = Vec::new();
        if let Some(text) = said(brief.payload, &CONTEXT) {
            facts.push(Fact::essential(
                "context",
                format!("\u{201c}{text}\u{201d}"),
            ));
        }
        let choices = choices(brief.payload);
        if !choices.is_empty() {
            facts.push(Fact::essential("Alt+", numbered(&choices)).with_role(Role::Key));
        }
        let shown: Vec<&str> = CONTEXT
            .into_iter()
            .chain(CHOICES)
            .chain(["question"])
            .collect();
        facts.extend(leaves(brief.payload, &shown));
        facts
    }

    fn entries(&self, brief: &Brief<'_>) -> Vec<Entry> {
        let need = if brief.task.is_comment_required {
            Need::Always
        } else {
            Need::ForYes
        };
        vec![Entry::words(Key::Answer, "answer", need)]
    }

    fn needs_more(&self, _brief: &Brief<'_>) -> Option<&'static str> {
        Some("want an answer each")
    }

    fn hand_in(&self, _brief: &Brief<'_>, filled: &Filled<'_>) -> HandedIn {
        let answer = filled.text(&Key::Answer).filter(|_| !filled.is_no());
        let data = answer.map(|answer| ("answer".to_owned(), json!(answer)));
        Ok(data.into_iter().collect())
    }
}
