//! What a mail says. Plain text; no payload of the intent leaves by mail.

use crate::domain::address::Address;
use crate::domain::fact::{Fact, FactBody};
use crate::domain::intent::Intent;
use crate::domain::task::Task;
use crate::domain::text::{harmless, line};
use crate::domain::time::Timestamp;

/// Characters of a title in a subject.
const TITLE_CHARS: usize = 120;

/// What a mail is written from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occasion<'now> {
    pub(super) fact: &'now Fact,
    pub(super) intent: &'now Intent,
    pub(super) task: &'now Task,
    pub(super) person: &'now Address,
    pub(super) link: &'now str,
    pub(super) expires: Timestamp,
}

/// An instant for people: `2026-04-11 10:00 UTC`.
#[must_use]
pub(super) fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    let text = text.get(..16).unwrap_or(&text);
    format!("{} UTC", text.replace('T', " "))
}

/// The subject: one line.
pub(super) fn subject(of: &Occasion<'_>) -> String {
    let title = line(&of.task.spec.title, TITLE_CHARS);
    match &of.fact.body {
        FactBody::Reminded { number, .. } => format!("Reminder {number}: {title}"),
        FactBody::Escalated { .. } => format!("Escalated to you: {title}"),
        FactBody::TaskDelegated { .. } => format!("Handed to you: {title}"),
        _ => format!("To decide: {title}"),
    }
}

/// The text.
pub(super) fn body(of: &Occasion<'_>) -> String {
    let spec = &of.task.spec;
    let outcomes = spec.outcomes().join(", ");
    let mut rows = vec![("Asked by", line(&of.intent.from.to_string(), 383))];
    if let Some(due) = of.intent.deadline {
        rows.push(("Due", minute(due)));
    }
    if !outcomes.is_empty() {
        rows.push(("Outcomes", line(&outcomes, 400)));
    }
    if spec.needs_comment() {
        rows.push(("Comment", "required".to_owned()));
    }
    let rows: Vec<String> = rows
        .iter()
        .map(|(name, value)| format!("  {name:<10}{value}"))
        .collect();
    let mut parts = vec![line(&spec.title, 255), reason(of), rows.join("\n")];
    if let Some(description) = &spec.description {
        parts.push(harmless(description).trim().to_owned());
    }
    parts.push(format!(
        "Read it and decide here; opening the page decides nothing:\n{}",
        of.link
    ));
    parts.push(format!(
        "The link decides once, until {}, as {}.\n\
         Whoever has it can decide: please do not pass it on.\n",
        minute(of.expires),
        line(name(of.person), 383),
    ));
    parts.join("\n\n")
}

/// Why this person is written to.
fn reason(of: &Occasion<'_>) -> String {
    let by = || line(of.fact.actor.name(), 383);
    match &of.fact.body {
        FactBody::Reminded { number, .. } => {
            format!("This still waits for your decision. It is reminder {number}.")
        }
        FactBody::Escalated { from, .. } => {
            format!(
                "This was escalated to you; it waits for {} as well.",
                line(from, 383)
            )
        }
        FactBody::TaskDelegated { note, .. } => {
            let handed = format!("{} has handed this to you.", by());
            match note {
                Some(note) => format!("{handed}\n\n{}", harmless(note).trim()),
                None => handed,
            }
        }
        _ => "This waits for your decision.".to_owned(),
    }
}

/// A person's name: the last segment of the address.
pub(super) fn name(person: &Address) -> &str {
    person.key().rsplit('/').next().unwrap_or_default()
}
