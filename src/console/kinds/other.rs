//! Any other type: as an approval, with the outcome as text where the sender names none.

use serde_json::Map;

use super::{Brief, Fault, Filled, HandedIn, Kind, comment, verb_of};
use crate::console::model::strip::entry::{Entry, Key, Need};

/// Most characters of an outcome, as the wire takes it.
const OUTCOME_CHARS_MAX: usize = 64;

/// A type that is not known here.
#[derive(Debug)]
pub(super) struct Other;

impl Kind for Other {
    fn question(&self, brief: &Brief<'_>, outcome: &str) -> String {
        format!("{} {}?", verb_of(outcome), brief.task.intent.short())
    }

    fn entries(&self, brief: &Brief<'_>) -> Vec<Entry> {
        let mut entries = vec![comment(brief)];
        if brief.task.outcomes.is_empty() {
            let outcome = Entry::line(Key::Outcome, "outcome", Need::Always)
                .hinted("any word; rejected, declined, failed mean no");
            entries.push(outcome);
        }
        entries
    }

    fn hand_in(&self, _brief: &Brief<'_>, filled: &Filled<'_>) -> HandedIn {
        if filled.outcome.chars().count() > OUTCOME_CHARS_MAX {
            let text = format!("at most {OUTCOME_CHARS_MAX} characters");
            return Err(vec![Fault::at(Key::Outcome, text)]);
        }
        Ok(Map::new())
    }
}
