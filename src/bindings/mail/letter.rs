//! Who is to be written to about what.

use serde::{Deserialize, Serialize};

use crate::domain::address::{Address, Home};
use crate::domain::fact::{Fact, FactBody};
use crate::domain::ids::IntentId;
use crate::domain::intent::Intent;

/// One mail to be written: to whom, about which fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) intent: IntentId,
    pub(super) seq: u32,
    pub(super) person: Address,
}

/// The same, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    intent: String,
    seq: u32,
    person: String,
}

impl Letter {
    pub(super) fn kept(&self) -> Kept {
        Kept {
            intent: self.intent.to_string(),
            seq: self.seq,
            person: self.person.key().to_owned(),
        }
    }

    pub(super) fn read(kept: Kept) -> Option<Self> {
        Some(Self {
            intent: kept.intent.parse().ok()?,
            seq: kept.seq,
            person: Address::trusted(kept.person),
        })
    }

    /// True for one that takes the other's place: of the same task to the same person.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self.intent == other.intent && self.person == other.person
    }
}

/// Types of the feed that may have to be written about.
pub(super) const TYPES: [&str; 4] = [
    "intent.human_task_assigned",
    "inbox.thread_updated",
    "intent.reminder",
    "intent.escalated",
];

/// True for a fact that may have to be written about.
pub(super) const fn is_told(body: &FactBody) -> bool {
    matches!(
        body,
        FactBody::TaskOpened { .. }
            | FactBody::TaskDelegated { .. }
            | FactBody::Reminded { .. }
            | FactBody::Escalated { .. }
    )
}

/// Whom a fact is told. Nobody when the task is over: the intent is as it is now.
pub(super) fn told(fact: &Fact, intent: &Intent, home: &Home) -> Vec<Address> {
    let Some(task) = intent.open_task() else {
        return Vec::new();
    };
    let read = |text: &String| Address::parse(text, home).ok();
    let assigned = || {
        let assignees = task.spec.assignees.iter().filter_map(read);
        std::iter::once(task.owner.clone()).chain(assignees)
    };
    let mut people: Vec<Address> = match &fact.body {
        FactBody::TaskOpened { .. } => assigned().collect(),
        FactBody::TaskDelegated { to, .. } => vec![to.clone()],
        FactBody::Escalated { to, .. } => read(to).into_iter().collect(),
        FactBody::Reminded { holder, .. } => match read(holder) {
            Some(holder) if holder == task.owner => assigned().collect(),
            holder => holder.into_iter().collect(),
        },
        _ => Vec::new(),
    };
    let mut seen = Vec::new();
    people.retain(|person| {
        let is_new = !seen.contains(person);
        seen.push(person.clone());
        is_new
    });
    people
}

/// Everybody who has the task of an intent: its owner, its assignees, whom it was handed or escalated to.
pub(super) fn holders(intent: &Intent, home: &Home) -> Vec<Address> {
    let Some(task) = &intent.task else {
        return Vec::new();
    };
    let read = |text: &String| Address::parse(text, home).ok();
    let assignees = task.spec.assignees.iter().filter_map(read);
    std::iter::once(task.owner.clone())
        .chain(assignees)
        .chain(task.delegates.iter().cloned())
        .chain(intent.escalated_to.iter().filter_map(read))
        .collect()
}
