//! What happens by itself: holds, deadlines, lease ends, retries, wake-ups, reminders, escalation.

use crate::domain::fact::{Actor, FactBody};
use crate::domain::failure::{DeadReason, ErrorClass, Failure};
use crate::domain::intent::{Delivery, IntentError, Lease};
use crate::domain::payload::Payload;
use crate::domain::status::WaitingReason;
use crate::domain::task::{HeldAct, Hold};
use crate::domain::time::{Span, Timestamp};
use crate::engine::command::{Choice, Decide, Discard, Fail, Replay};
use crate::engine::refusal::Refusal;
use crate::engine::{Decided, Draft, dead_letters, delivery, escalate, inbox, resolve, workflow};

/// Most things one tick does to one intent; more wait for the next tick, which is due at once.
const STEPS_MAX: usize = 32;

pub(super) fn tick(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let now = draft.ctx.now;
    let is_due = |draft: &Draft<'_>| draft.intent.next_due().is_some_and(|due| due <= now);
    if !is_due(draft) {
        return Err(Refusal::NotYet {
            until: draft.intent.next_due(),
        });
    }
    for _ in 0..STEPS_MAX {
        if !is_due(draft) {
            break;
        }
        step(draft);
    }
    Ok(())
}

/// Does the one thing that comes first: a staged act before the deadline that follows it.
fn step(draft: &mut Draft<'_>) {
    let now = draft.ctx.now;
    if let Some(hold) = draft
        .intent
        .holds
        .iter()
        .find(|hold| hold.effective_at <= now)
        .cloned()
    {
        elapse(draft, &hold);
        return;
    }
    let deadline = draft.intent.deadline.filter(|deadline| *deadline <= now);
    if deadline.is_some_and(|deadline| !was_over_before(draft, deadline)) {
        time_out(draft);
        return;
    }
    match draft.intent.delivery.clone() {
        Delivery::Leased(lease) if lease.until <= now => end_lease(draft, &lease),
        Delivery::BackingOff { until } if until <= now => delivery::offer_again(draft),
        Delivery::HeldByTime { until } if until <= now => wake(draft),
        _ => remind(draft),
    }
}

/// True when the broker's own wait was over at the deadline, however late it is seen: that it was stopped in
/// between changes nothing. A pause of a run is no end of it, so there the deadline is the last word.
fn was_over_before(draft: &Draft<'_>, deadline: Timestamp) -> bool {
    let intent = &draft.intent;
    let is_wait = intent.run.is_none();
    is_wait && matches!(intent.delivery, Delivery::HeldByTime { until } if until <= deadline)
}

/// A staged act takes effect, or is refused for what has happened meanwhile.
fn elapse(draft: &mut Draft<'_>, hold: &Hold) {
    let mut trial = Draft {
        intent: draft.intent.clone(),
        ctx: draft.ctx,
        decided: Decided::default(),
        lost: None,
    };
    trial.say(
        Actor::at(&hold.by),
        FactBody::HoldElapsed {
            hold: hold.id,
            refused: None,
        },
    );
    let result = act(&mut trial, hold);
    match result {
        Ok(()) => {
            draft.intent = trial.intent;
            draft.decided.facts.extend(trial.decided.facts);
            draft.decided.then.extend(trial.decided.then);
            draft.lost = trial.lost.or(draft.lost);
        }
        Err(refusal) => draft.say(
            Actor::at(&hold.by),
            FactBody::HoldElapsed {
                hold: hold.id,
                refused: Some(refusal.code().to_owned()),
            },
        ),
    }
}

fn act(trial: &mut Draft<'_>, hold: &Hold) -> Result<(), Refusal> {
    match &hold.act {
        HeldAct::Decide {
            outcome,
            comment,
            version,
            data,
            via,
        } => inbox::decide(
            trial,
            &Decide {
                choice: Choice::Outcome(outcome.clone()),
                comment: comment.clone(),
                data: data.clone(),
                version: *version,
                hold: Span::ZERO,
                by: hold.by.clone(),
                via: *via,
            },
        ),
        HeldAct::Replay => {
            let (new_id, new_thread) = dead_letters::ids_of_chance(trial);
            let replay = Replay {
                new_id,
                new_thread,
                payload: None,
                to: None,
                max_attempts: None,
                is_forced: false,
                reason: None,
                hold: Span::ZERO,
                by: hold.by.clone(),
            };
            dead_letters::replay(trial, &replay)
        }
        HeldAct::Discard { reason } => dead_letters::discard(
            trial,
            &Discard {
                reason: reason.clone(),
                hold: Span::ZERO,
                by: hold.by.clone(),
            },
        ),
    }
}

/// The deadline has come. Never acknowledged means a dead letter.
fn time_out(draft: &mut Draft<'_>) {
    let attempt = draft.intent.lease().map(|lease| lease.attempt);
    let is_dead = draft.intent.acknowledged_at.is_none();
    let is_asked = draft.intent.waiting.is_some() || draft.intent.open_task().is_some();
    if is_dead && !is_asked {
        draft.say(
            Actor::Broker,
            FactBody::DeliveryFailed {
                attempt,
                attempts: draft.intent.attempts,
                reason: DeadReason::Deadline,
                failure: None,
                report: None,
            },
        );
    }
    let error = IntentError {
        code: "intent_timeout".to_owned(),
        message: "the deadline passed".to_owned(),
        category: "timeout".to_owned(),
        is_retryable: true,
        details: None,
    };
    draft.say(Actor::Broker, FactBody::TimedOut { attempt, error });
    if is_dead {
        dead_letters::open(draft, DeadReason::Deadline);
    }
}

fn end_lease(draft: &mut Draft<'_>, lease: &Lease) {
    let fail = Fail {
        attempt: Some(lease.attempt),
        failure: Failure::new(ErrorClass::LeaseLost, "the lease ended without a result"),
        delay: None,
        by: Actor::Broker,
        report: None,
    };
    delivery::end_attempt(draft, lease, &fail);
}

/// An internal delay is over.
pub(super) fn wake(draft: &mut Draft<'_>) {
    if draft.intent.run.is_some() {
        workflow::wake(draft);
    } else if draft.intent.waiting == Some(WaitingReason::Time) {
        let waited = draft.ctx.now.since(draft.intent.created_at).as_millis();
        let result = Payload::of(&serde_json::json!({ "waited_ms": waited }));
        resolve::complete(draft, Actor::Broker, result, None);
    } else {
        delivery::offer_again(draft);
    }
}

/// A reminder, or after the last one the escalation.
fn remind(draft: &mut Draft<'_>) {
    let plan = draft.intent.reminders.clone();
    let intent = &draft.intent;
    let holder = match (&intent.handed_to, intent.open_task()) {
        (Some(holder), _) => holder.clone(),
        (None, Some(task)) => task.owner.to_string(),
        (None, None) => intent.to.to_string(),
    };
    let max = plan
        .max
        .unwrap_or(if plan.interval.is_some() { u32::MAX } else { 1 });
    if draft.intent.reminded < max {
        let number = draft.intent.reminded.saturating_add(1);
        draft.say(Actor::Broker, FactBody::Reminded { number, holder });
    } else if let Some(to) = plan.escalate_to {
        escalate::escalate(draft, &to, holder);
    }
}
