//! Manual action: do this, then say so. The payload lists `steps`, as words or as objects with a title.

use serde_json::{Map, Value, json};

use super::{Brief, Fact, Fault, Filled, HandedIn, Kind, comment, leaves, names, numbered};
use crate::console::model::strip::entry::{Entry, Input, Key, Need};
use crate::console::widgets::field::{Field, Lines};
use crate::domain::task::is_negative;

const STEPS: [&str; 3] = ["steps", "checklist", "todo"];

/// A manual action.
#[derive(Debug)]
pub(super) struct ManualAction;

impl Kind for ManualAction {
    fn question(&self, brief: &Brief<'_>, outcome: &str) -> String {
        let id = brief.task.intent.short();
        if is_negative(outcome) {
            format!("could not do {id}?")
        } else {
            format!("do this, then say so: {id}")
        }
    }

    fn facts(&self, brief: &Brief<'_>) -> Vec<Fact> {
        let mut facts = vec![Fact::new("do", brief.task.title.clone())];
        let steps = names(brief.payload, &STEPS);
        if !steps.is_empty() {
            facts.push(Fact::new("steps", numbered(&steps)).until_opened());
        }
        facts.extend(leaves(brief.payload, &STEPS));
        facts
    }

    fn entries(&self, brief: &Brief<'_>) -> Vec<Entry> {
        let steps = names(brief.payload, &STEPS);
        let mut entries: Vec<Entry> = steps
            .iter()
            .enumerate()
            .map(|(index, step)| {
                let input = Input::Step {
                    is_done: false,
                    note: Field::new(Lines::One),
                    is_noting: false,
                };
                // A step is not done by being left empty: `hand_in` looks at the tick itself.
                Entry::new(Key::Step(index), step, input, Need::Never)
                    .hinted("Space ticks, letters are a note")
            })
            .collect();
        entries.push(comment(brief));
        entries
    }

    fn needs_payload(&self) -> bool {
        true
    }

    fn needs_more(&self, _brief: &Brief<'_>) -> Option<&'static str> {
        Some("are done one by one")
    }

    fn hand_in(&self, _brief: &Brief<'_>, filled: &Filled<'_>) -> HandedIn {
        let mut steps = Vec::new();
        let mut faults = Vec::new();
        for entry in filled.entries {
            let Input::Step { is_done, note, .. } = &entry.input else {
                continue;
            };
            if !is_done && !filled.is_no() {
                faults.push(Fault::at(entry.key.clone(), "not ticked yet"));
            }
            let mut step = json!({ "step": entry.label, "done": is_done });
            let note = note.text();
            if let (Some(step), false) = (step.as_object_mut(), note.trim().is_empty()) {
                step.insert("note".to_owned(), json!(note.trim()));
            }
            steps.push(step);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut data = Map::new();
        if !steps.is_empty() {
            data.insert("steps".to_owned(), Value::Array(steps));
        }
        Ok(data)
    }
}
