//! What became of our held acts: told when one could not take effect, with who was first and when.

use serde_json::Value;

use crate::console::format;
use crate::console::model::{Model, Weight};
use crate::desk::rows::FeedRow;
use crate::domain::ids::HoldId;

/// Looks through committed facts for the fates of our own acts.
pub(super) fn follow(model: &mut Model, facts: &[FeedRow]) {
    for fact in facts {
        match fact.kind.as_str() {
            "inbox.task_decided" => {
                let data = fact.data.to_value();
                let outcome = data.get("outcome").and_then(Value::as_str);
                if let (Some(intent), Some(outcome)) = (fact.intent, outcome) {
                    model.awaited.decided(intent, &fact.actor, outcome, fact.at);
                }
            }
            "hold.elapsed" | "hold.canceled" => settle(model, fact),
            _ => {}
        }
    }
}

fn settle(model: &mut Model, fact: &FeedRow) {
    let data = fact.data.to_value();
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    let Some(hold) = text("hold_id").and_then(|id| id.parse::<HoldId>().ok()) else {
        return;
    };
    model.held.retain(|held| held.hold != hold);
    model.staged.retain(|staged| staged.hold != hold);
    let Some(awaited) = model.awaited.take(hold) else {
        return;
    };
    let Some(refused) = text("refused") else {
        return;
    };
    let label = awaited.intent.short();
    // Who was first comes first: a narrow status line cuts the end.
    let first = match &awaited.decided {
        Some((by, outcome, at)) => {
            let name = by.rsplit('/').next().unwrap_or(by);
            format!("{name} {outcome} {label} at {}", format::clock(*at))
        }
        None => format!("{label}: {}", refused.replace('_', " ")),
    };
    let yours = &awaited.word;
    model.say(
        Weight::Error,
        format!("{first}; yours ({yours}) did not take effect"),
    );
}
