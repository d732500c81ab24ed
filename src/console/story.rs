//! The story of an intent: which of its facts fold into one line, who are people, who is whose child.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::console::model::detail::Relative;
use crate::desk::rows::{EventRow, IntentRow, IntentView};
use crate::domain::ids::IntentId;

/// Failed attempts with the same error that fold; fewer take little room.
const FOLDED_FROM: usize = 3;
/// Generations that are indented; deeper ones stand under each other.
const DEPTH_MAX: usize = 12;

/// One line of the timeline, by the places of its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// One fact.
    Fact(usize),
    /// Facts of attempts that failed alike, from the first to the last of them.
    Folded {
        /// The first.
        from: usize,
        /// The last.
        to: usize,
        /// The numbers of the attempts.
        attempts: (u64, u64),
    },
}

impl Line {
    /// Whether the fact at `place` is told by this line.
    pub(crate) fn holds(&self, place: usize) -> bool {
        match self {
            Self::Fact(at) => *at == place,
            Self::Folded { from, to, .. } => (*from..=*to).contains(&place),
        }
    }

    /// The place of its first fact.
    pub(crate) const fn first(&self) -> usize {
        match self {
            Self::Fact(at) => *at,
            Self::Folded { from, .. } => *from,
        }
    }
}

/// A run of attempts that failed alike; its last failure stays on a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    from: usize,
    to: usize,
    attempts: (u64, u64),
}

/// The lines of a timeline; `unfolded` names runs by the number of their first fact.
pub(crate) fn lines(events: &[EventRow], unfolded: &BTreeSet<u32>) -> Vec<Line> {
    let runs = runs(events);
    let mut lines = Vec::with_capacity(events.len());
    let mut next = 0;
    while next < events.len() {
        let run = runs.iter().find(|run| run.from == next);
        let is_open = events
            .get(next)
            .is_some_and(|event| unfolded.contains(&event.seq));
        if let Some(run) = run.filter(|_| !is_open) {
            lines.push(Line::Folded {
                from: run.from,
                to: run.to,
                attempts: run.attempts,
            });
            next = run.to + 1;
        } else {
            lines.push(Line::Fact(next));
            next += 1;
        }
    }
    lines
}

/// The number of the first fact of the run that the fact at `place` belongs to.
pub(crate) fn run_of(events: &[EventRow], place: usize) -> Option<u32> {
    let run = runs(events)
        .into_iter()
        .find(|run| (run.from..=run.to).contains(&place))?;
    events.get(run.from).map(|event| event.seq)
}

/// The numbers of the first facts of every run.
pub(crate) fn run_starts(events: &[EventRow]) -> BTreeSet<u32> {
    let runs = runs(events);
    runs.iter()
        .filter_map(|run| events.get(run.from).map(|event| event.seq))
        .collect()
}

fn runs(events: &[EventRow]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut failed: Vec<usize> = Vec::new();
    let mut from = 0;
    let mut close = |failed: &mut Vec<usize>, from: usize| {
        if failed.len() >= FOLDED_FROM
            && let (Some(first), Some(last)) = (failed.first(), failed.last())
        {
            let number = |at: &usize| events.get(*at).and_then(attempt_of).unwrap_or(0);
            runs.push(Run {
                from,
                to: last.saturating_sub(1),
                attempts: (number(first), number(last)),
            });
        }
        failed.clear();
    };
    for (place, event) in events.iter().enumerate() {
        match event.event_type.as_str() {
            "intent.attempt_failed" => {
                let is_alike = failed
                    .last()
                    .and_then(|before| events.get(*before))
                    .is_none_or(|before| error_of(before) == error_of(event));
                if !is_alike {
                    close(&mut failed, from);
                    from = started(events, place);
                }
                if failed.is_empty() {
                    from = started(events, place);
                }
                failed.push(place);
            }
            "intent.attempt_started" | "intent.offered" | "intent.delivered" => {}
            _ => close(&mut failed, from),
        }
    }
    close(&mut failed, from);
    runs
}

/// Where the attempt that failed at `place` was started.
fn started(events: &[EventRow], place: usize) -> usize {
    place
        .checked_sub(1)
        .filter(|before| {
            events
                .get(*before)
                .is_some_and(|event| event.event_type == "intent.attempt_started")
        })
        .unwrap_or(place)
}

fn error_of(event: &EventRow) -> [Option<Value>; 3] {
    let details = event.details.to_value();
    ["error_class", "http_status", "message"].map(|name| details.get(name).cloned())
}

/// The number of the attempt that a fact is about.
pub(crate) fn attempt_of(event: &EventRow) -> Option<u64> {
    let details = event.details.to_value();
    let number = details
        .get("delivery_attempt")
        .or_else(|| details.get("attempt"));
    number.and_then(Value::as_u64).filter(|number| *number > 0)
}

/// Whether a fact is somebody's deed and not the machine's.
pub(crate) fn is_by_person(event: &EventRow) -> bool {
    let kind = event.event_type.as_str();
    let is_deed = kind.starts_with("hold.")
        || kind.starts_with("inbox.")
        || matches!(
            kind,
            "dead_letter.replayed"
                | "dead_letter.discarded"
                | "intent.retried_now"
                | "intent.canceled"
        );
    is_deed && event.actor != "postroom"
}

/// Everybody of the family, each below what it came from; this intent is among them.
pub(crate) fn lineage(intent: &IntentView, family: &[IntentRow]) -> Vec<Relative> {
    let mut rows: BTreeMap<IntentId, Option<&IntentRow>> =
        family.iter().map(|row| (row.id, Some(row))).collect();
    let this = &intent.row;
    let named = [
        Some(intent.origin),
        this.replay_of,
        this.parent,
        intent.replayed_as,
    ];
    for id in named.into_iter().flatten() {
        rows.entry(id).or_insert(None);
    }
    rows.insert(this.id, Some(this));
    let parent = |id: IntentId| {
        let row = rows.get(&id).copied().flatten();
        let parent = row.and_then(|row| row.replay_of.or(row.parent));
        let after = (Some(id) == intent.replayed_as).then_some(this.id);
        parent.or(after).filter(|parent| rows.contains_key(parent))
    };
    let mut children: BTreeMap<Option<IntentId>, Vec<IntentId>> = BTreeMap::new();
    for id in rows.keys() {
        children.entry(parent(*id)).or_default().push(*id);
    }
    let mut relatives = Vec::new();
    let mut waiting: Vec<(IntentId, usize)> = children
        .get(&None)
        .map(|roots| roots.iter().rev().map(|id| (*id, 0)).collect())
        .unwrap_or_default();
    while let Some((id, depth)) = waiting.pop() {
        let row = rows.get(&id).copied().flatten();
        relatives.push(Relative {
            depth: depth.min(DEPTH_MAX),
            what: relation(intent, id, row),
            id,
            row: row.cloned(),
        });
        if let Some(below) = children.get(&Some(id)) {
            waiting.extend(below.iter().rev().map(|id| (*id, depth + 1)));
        }
    }
    relatives
}

fn relation(intent: &IntentView, id: IntentId, row: Option<&IntentRow>) -> &'static str {
    if id == intent.row.id {
        return "this intent";
    }
    let is_replay = row.is_some_and(|row| row.replay_of.is_some());
    let is_step = row.is_some_and(|row| row.parent.is_some());
    if is_replay || Some(id) == intent.replayed_as {
        "replay"
    } else if Some(id) == intent.row.parent {
        "run"
    } else if is_step {
        "step"
    } else if id == intent.origin {
        "origin"
    } else {
        "same correlation"
    }
}

/// What of a fact is searched, in lower case: its kind, its actor and its particulars.
pub(crate) fn text(event: &EventRow) -> String {
    let details = event.details.as_str();
    format!("{} {} {details}", event.event_type, event.actor).to_lowercase()
}
