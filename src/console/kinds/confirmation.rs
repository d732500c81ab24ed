//! Confirmation: is it so? One sentence and its consequence: `consequence`, `effect` or `impact`.

use super::{Brief, Fact, Kind, leaves, said};
use crate::domain::task::is_negative;

const CONSEQUENCE: [&str; 3] = ["consequence", "effect", "impact"];

/// A confirmation.
#[derive(Debug)]
pub(super) struct Confirmation;

impl Kind for Confirmation {
    fn question(&self, brief: &Brief<'_>, outcome: &str) -> String {
        let verb = if is_negative(outcome) {
            "reject"
        } else {
            "confirm"
        };
        format!("{verb} {}?", brief.task.intent.short())
    }

    fn facts(&self, brief: &Brief<'_>) -> Vec<Fact> {
        let mut facts = vec![Fact::essential("confirm", brief.task.title.clone())];
        if let Some(text) = said(brief.payload, &CONSEQUENCE) {
            facts.push(Fact::essential("means", text));
        }
        facts.extend(leaves(brief.payload, &CONSEQUENCE));
        facts
    }
}
