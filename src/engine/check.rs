//! The invariants, as a function: used by debug builds of the writer, the simulator and tests.

use crate::domain::fact::{Fact, FactBody};
use crate::domain::intent::{Delivery, Intent};
use crate::domain::status::{Status, WaitingReason};
use crate::engine::evolve::evolve;
use crate::engine::lifecycle::may_move;

/// An invariant that does not hold: its number in the list of the house, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invariant {rule}: {seen}")]
pub struct Violation {
    /// The invariant in a few words.
    pub rule: &'static str,
    /// What was seen instead.
    pub seen: String,
}

fn violated(rule: &'static str, seen: String) -> Result<(), Violation> {
    Err(Violation { rule, seen })
}

/// Checks one step: `facts` took the intent from `before` to `after`.
///
/// # Errors
/// The first invariant that does not hold.
pub fn check_step(
    before: Option<&Intent>,
    facts: &[Fact],
    after: &Intent,
) -> Result<(), Violation> {
    let mut state = before.cloned();
    for fact in facts {
        let expected = state
            .as_ref()
            .map_or(1, |intent| intent.seq.saturating_add(1));
        if fact.seq != expected {
            return violated(
                "facts are numbered without gaps",
                format!("{} after {}", fact.seq, expected),
            );
        }
        if let Some(event) = fact.event {
            let expected = state
                .as_ref()
                .map_or(1, |intent| intent.event_seq.saturating_add(1));
            if event != expected {
                return violated(
                    "events are numbered without gaps",
                    format!("{event}, not {expected}"),
                );
            }
        }
        check_fence(state.as_ref(), fact)?;
        let from = state.as_ref().map(|intent| intent.status);
        let was_finished = state.as_ref().is_some_and(Intent::is_finished);
        let frozen = state.clone();
        let Some(next) = evolve(state, fact) else {
            return violated(
                "the first fact is the birth",
                fact.body.type_name().to_owned(),
            );
        };
        if !may_move(from, next.status) {
            return violated(
                "statuses move as the lifecycle says",
                format!("{from:?} -> {}", next.status),
            );
        }
        if was_finished && frozen.is_some_and(|old| !is_same_end(&old, &next)) {
            return violated(
                "a finished intent never changes",
                fact.body.type_name().to_owned(),
            );
        }
        state = Some(next);
    }
    if state.as_ref() != Some(after) {
        return violated(
            "the state is the fold of the facts",
            format!("{} differs", after.id),
        );
    }
    check_state(after)
}

/// Checks one state by itself.
///
/// # Errors
/// The first invariant that does not hold.
pub fn check_state(intent: &Intent) -> Result<(), Violation> {
    if intent.attempts > intent.max_attempts {
        return violated(
            "attempts never exceed the budget",
            format!("{} of {}", intent.attempts, intent.max_attempts),
        );
    }
    if (intent.status == Status::Waiting) != intent.waiting.is_some() {
        return violated(
            "WAITING has a reason, and only it",
            format!("{}", intent.status),
        );
    }
    let is_ended = matches!(
        intent.delivery,
        Delivery::Done | Delivery::Dead | Delivery::Withdrawn
    );
    if intent.is_finished() != is_ended || intent.is_finished() != intent.end.is_some() {
        return violated(
            "an intent and its delivery end together",
            format!("{}", intent.status),
        );
    }
    if !intent.is_finished() && intent.next_due().is_none() && !waits_for_somebody(intent) {
        return violated(
            "an unfinished intent is due, or somebody it waits for is named",
            intent.delivery.name().to_owned(),
        );
    }
    Ok(())
}

/// A fact that an attempt caused names the attempt that is open.
fn check_fence(state: Option<&Intent>, fact: &Fact) -> Result<(), Violation> {
    let open = state.and_then(Intent::lease).map(|lease| lease.attempt);
    if let FactBody::AttemptStarted { attempt, .. } = &fact.body {
        return match open {
            None => Ok(()),
            Some(open) => violated(
                "one lease at a time",
                format!("{attempt} while {open} is open"),
            ),
        };
    }
    if let Some(named) = fact.body.attempt()
        && open != Some(named)
    {
        return violated(
            "a fact names the open attempt",
            format!("{named} in {}, open is {open:?}", fact.body.type_name()),
        );
    }
    Ok(())
}

fn waits_for_somebody(intent: &Intent) -> bool {
    match intent.delivery {
        Delivery::Ready { .. } => true,
        Delivery::HeldBySteps => intent.is_at_step(),
        Delivery::HeldByPerson => {
            intent.open_task().is_some() || intent.waiting == Some(WaitingReason::Human)
        }
        _ => false,
    }
}

/// True when nothing differs that an end fixes.
fn is_same_end(old: &Intent, new: &Intent) -> bool {
    let mut masked = new.clone();
    masked.seq = old.seq;
    masked.event_seq = old.event_seq;
    masked.holds.clone_from(&old.holds);
    masked.dead_letter.clone_from(&old.dead_letter);
    masked.read_by.clone_from(&old.read_by);
    masked == *old
}
