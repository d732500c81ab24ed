//! Override: may a rule be bypassed? The payload names the `rule`, its `rule_text`, `from`, `to` and what it
//! `touches`. The last four characters of the id show that this row was meant.

use serde_json::Map;

use super::{Brief, Fact, Fault, Filled, HandedIn, Kind, comment, leaves, said};
use crate::console::model::strip::entry::{Entry, Key, Need};
use crate::console::theme::Role;
use crate::domain::task::is_negative;

const RULE: [&str; 2] = ["rule", "policy"];
const TEXT: [&str; 3] = ["rule_text", "policy_text", "says"];
const FROM: [&str; 3] = ["from", "current", "before"];
const TO: [&str; 3] = ["to", "requested", "after"];
const TOUCHES: [&str; 3] = ["touches", "affects", "scope"];

/// An override.
#[derive(Debug)]
pub(super) struct Override;

impl Kind for Override {
    fn question(&self, brief: &Brief<'_>, outcome: &str) -> String {
        let id = brief.task.intent.short();
        match said(brief.payload, &RULE) {
            _ if is_negative(outcome) => format!("keep the rule, reject {id}?"),
            Some(rule) => format!("bypass {rule}? {id}"),
            None => format!("bypass the rule? {id}"),
        }
    }

    fn facts(&self, brief: &Brief<'_>) -> Vec<Fact> {
        let mut facts = Vec::new();
        let payload = brief.payload;
        if let (from, Some(to)) = (said(payload, &FROM), said(payload, &TO)) {
            let from = from.unwrap_or_else(|| "nothing".to_owned());
            facts.push(Fact::essential("change", format!("{from} → {to}")).with_role(Role::Strong));
        }
        let rule = said(payload, &TEXT).or_else(|| said(payload, &RULE));
        if let Some(rule) = rule {
            facts.push(Fact::essential("rule", rule));
        }
        if let Some(touches) = said(payload, &TOUCHES) {
            facts.push(Fact::essential("touches", touches).with_role(Role::Warn));
        }
        let keys = RULE
            .into_iter()
            .chain(TEXT)
            .chain(FROM)
            .chain(TO)
            .chain(TOUCHES);
        let keys: Vec<&str> = keys.collect();
        facts.extend(leaves(payload, &keys));
        facts
    }

    fn entries(&self, brief: &Brief<'_>) -> Vec<Entry> {
        let last = last_four(brief);
        vec![
            comment(brief),
            Entry::line(Key::LastFour, "last four", Need::ForYes)
                .hinted(format!("of the id: …{last}")),
        ]
    }

    fn needs_more(&self, _brief: &Brief<'_>) -> Option<&'static str> {
        Some("are overrides, never in bulk")
    }

    fn hand_in(&self, brief: &Brief<'_>, filled: &Filled<'_>) -> HandedIn {
        let last = last_four(brief);
        let typed = filled.text(&Key::LastFour).unwrap_or_default();
        if filled.is_no() || typed.eq_ignore_ascii_case(&last) {
            return Ok(Map::new());
        }
        let text = format!("the id ends in {last}");
        Err(vec![Fault::at(Key::LastFour, text)])
    }
}

fn last_four(brief: &Brief<'_>) -> String {
    let short = brief.task.intent.short();
    let start = short.len().saturating_sub(4);
    short.get(start..).unwrap_or_default().to_owned()
}
