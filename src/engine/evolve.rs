//! What is true after a fact.

use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::controls::{RetryDelay, patched};
use crate::domain::fact::{Birth, ControlsChange, Fact, FactBody};
use crate::domain::ids::ThreadId;
use crate::domain::intent::{
    DeadLetter, DeadLetterState, Delivery, End, Intent, IntentError, Lease,
};
use crate::domain::payload::Payload;
use crate::domain::scenario::{Place, Run};
use crate::domain::status::{Status, WaitingReason};
use crate::domain::task::{Task, TaskSpec};
use crate::domain::time::Timestamp;

/// The intent after one more fact. `None` only when the first fact is not its birth: a record that
/// cannot be applied.
#[must_use]
pub fn evolve(intent: Option<Intent>, fact: &Fact) -> Option<Intent> {
    match (intent, &fact.body) {
        (None, FactBody::Created(birth)) => Some(born(fact, birth)),
        (None, _) => None,
        (Some(mut intent), _) => {
            apply(&mut intent, fact);
            Some(intent)
        }
    }
}

/// The fold of facts from the first.
#[must_use]
pub fn fold(facts: &[Fact]) -> Option<Intent> {
    let mut intent = None;
    for fact in facts {
        intent = Some(evolve(intent, fact)?);
    }
    intent
}

pub(super) fn born(fact: &Fact, birth: &Birth) -> Intent {
    Intent {
        id: fact.intent,
        intent_type: birth.intent_type.clone(),
        correlation_id: birth.correlation_id.clone(),
        from: birth.from.clone(),
        to: birth.to.clone(),
        first_to: None,
        reply_to: birth.reply_to.clone(),
        trace_id: birth.trace_id.clone(),
        origin: birth.origin,
        replay_of: birth.replay_of,
        is_edited_replay: birth.is_edited_replay,
        binding: birth.binding,
        created_at: fact.at,
        updated_at: fact.at,
        deadline: birth.deadline,
        ttl: birth.ttl,
        ack_timeout: birth.ack_timeout,
        max_attempts: birth.max_attempts,
        reminders: birth.reminders.clone(),
        step: birth.step.clone(),
        seq: fact.seq,
        event_seq: fact.event.unwrap_or(0),
        status: Status::Created,
        waiting: None,
        delivery: Delivery::Ready { since: fact.at },
        attempts: 0,
        acknowledged_at: None,
        last_failure: None,
        reminded: 0,
        reminder_base: None,
        escalated_to: None,
        task: None,
        holds: Vec::new(),
        end: None,
        dead_letter: None,
        policy_generation: 0,
        controls: None,
        run: birth
            .workflow
            .as_ref()
            .map(|workflow| Box::new(Run::new((**workflow).clone()))),
        handed_to: None,
        read_by: Vec::new(),
    }
}

/// Changes the intent by one fact.
pub(super) fn apply(intent: &mut Intent, fact: &Fact) {
    intent.seq = fact.seq;
    if let Some(event) = fact.event {
        intent.event_seq = event;
    }
    let at = fact.at;
    match &fact.body {
        FactBody::HoldPlaced(hold) => intent.holds.push((**hold).clone()),
        FactBody::HoldCanceled { hold } | FactBody::HoldElapsed { hold, .. } => {
            intent.holds.retain(|held| held.id != *hold);
        }
        FactBody::DeadLetterOpened {
            reason,
            fingerprint,
        } => {
            intent.dead_letter = Some(DeadLetter {
                reason: *reason,
                fingerprint: fingerprint.clone(),
                at,
                state: DeadLetterState::Open,
            });
        }
        FactBody::DeadLetterReplayed { as_intent } => {
            set_letter(
                intent,
                DeadLetterState::Replayed {
                    as_intent: *as_intent,
                },
            );
        }
        // The record says that it came; nothing is otherwise than before.
        FactBody::ResultRejected { .. } | FactBody::MessagesEmptied { .. } => {}
        FactBody::ThreadRead { by } => intent.read_by.push(by.clone()),
        FactBody::DeadLetterDiscarded { reason } => {
            set_letter(
                intent,
                DeadLetterState::Discarded {
                    reason: reason.clone(),
                },
            );
        }
        body => {
            intent.updated_at = at;
            intent.status = body.status_after(intent.status);
            // Whoever has read it has not read this.
            intent.read_by.clear();
            apply_move(intent, at, body);
        }
    }
}

fn set_letter(intent: &mut Intent, state: DeadLetterState) {
    if let Some(letter) = &mut intent.dead_letter {
        letter.state = state;
    }
}

fn apply_move(intent: &mut Intent, at: Timestamp, body: &FactBody) {
    match body {
        FactBody::Delivered { .. } => {
            intent.waiting = None;
            intent.delivery = offered(intent, at);
            intent.reminder_base.get_or_insert(at);
        }
        FactBody::Waiting { .. } => apply_wait(intent, body),
        FactBody::TaskOpened { .. }
        | FactBody::TaskDecided(_)
        | FactBody::TaskDelegated { .. }
        | FactBody::Reminded { .. }
        | FactBody::Escalated { .. } => apply_task(intent, at, body),
        FactBody::StepStarted { .. } | FactBody::StepEnded { .. } => apply_run(intent, body),
        FactBody::ControlsChanged(change) => apply_controls(intent, change),
        FactBody::AttemptStarted { .. }
        | FactBody::AttemptFailed { .. }
        | FactBody::Offered
        | FactBody::Acknowledged { .. }
        | FactBody::InProgress { .. }
        | FactBody::LeaseExtended { .. }
        | FactBody::DeliveryFailed { .. } => apply_delivery(intent, at, body),
        FactBody::Completed { .. }
        | FactBody::Failed { .. }
        | FactBody::Canceled { .. }
        | FactBody::TimedOut { .. } => apply_end(intent, body),
        // These are in the record for people, or were applied before.
        FactBody::Created(_)
        | FactBody::Submitted
        | FactBody::TaskReplied { .. }
        | FactBody::RetriedNow
        | FactBody::ResultRejected { .. }
        | FactBody::MessagesEmptied { .. }
        | FactBody::ThreadRead { .. }
        | FactBody::DeadLetterOpened { .. }
        | FactBody::DeadLetterReplayed { .. }
        | FactBody::DeadLetterDiscarded { .. }
        | FactBody::HoldPlaced(_)
        | FactBody::HoldCanceled { .. }
        | FactBody::HoldElapsed { .. } => {}
    }
}

fn apply_controls(intent: &mut Intent, change: &ControlsChange) {
    let ControlsChange {
        generation,
        controls,
        envelope,
        grants,
        reason: _,
        deadline,
        ttl,
        max_attempts,
        ack_timeout,
        retry_delay,
    } = change;
    intent.policy_generation = *generation;
    intent.deadline = deadline.or(intent.deadline);
    intent.ttl = ttl.or(intent.ttl);
    intent.max_attempts = max_attempts.unwrap_or(intent.max_attempts);
    intent.ack_timeout = ack_timeout.unwrap_or(intent.ack_timeout);
    let kept = intent.controls.get_or_insert_default();
    kept.retry_delay = retry_delay.map_or(kept.retry_delay, RetryDelay::fixed);
    for (object, patch) in [
        (&mut kept.controls, controls),
        (&mut kept.envelope, envelope),
        (&mut kept.grants, grants),
    ] {
        if let Some(patch) = patch {
            *object = patched(object, patch);
        }
    }
}

fn apply_wait(intent: &mut Intent, body: &FactBody) {
    let FactBody::Waiting {
        reason,
        holder,
        until,
    } = body
    else {
        return;
    };
    intent.waiting = Some(*reason);
    if let Some(run) = intent.run.as_deref() {
        let is_of_step = run
            .step()
            .is_some_and(|step| step.holder.to_string() == *holder);
        let is_another = *reason == WaitingReason::Agent && !is_of_step;
        let is_named = *reason == WaitingReason::Human || is_another;
        intent.handed_to = is_named.then(|| holder.clone());
    } else if intent
        .task
        .as_ref()
        .is_some_and(|task| task.owner.to_string() == *holder)
    {
        intent.handed_to = None;
    }
    match (reason, until) {
        _ if intent.is_at_step() => intent.delivery = Delivery::HeldBySteps,
        (WaitingReason::Time, Some(until)) => {
            intent.delivery = Delivery::HeldByTime { until: *until };
        }
        (WaitingReason::Human, _) => intent.delivery = Delivery::HeldByPerson,
        _ => {}
    }
}

fn apply_task(intent: &mut Intent, at: Timestamp, body: &FactBody) {
    match body {
        FactBody::TaskOpened {
            thread,
            owner,
            spec,
        } => {
            intent.delivery = Delivery::HeldByPerson;
            intent.reminder_base = Some(at);
            intent.task = Some(opened(at, *thread, owner, spec));
        }
        FactBody::TaskDecided(decision) => {
            if let Some(task) = &mut intent.task {
                task.version = task.version.saturating_add(1);
                task.decision = Some((**decision).clone());
            }
        }
        FactBody::Reminded { number, .. } => {
            intent.reminded = *number;
            intent.reminder_base = Some(at);
        }
        FactBody::TaskDelegated { to, .. } => {
            hand_to(intent, to);
            if let Some(task) = &mut intent.task {
                task.version = task.version.saturating_add(1);
            }
        }
        FactBody::Escalated { to, offered, .. } => {
            (intent.escalated_to, intent.reminder_base) = (Some(to.clone()), Some(at));
            // Whoever has an address sees the task in the inbox there.
            match to.strip_prefix("agent://").map(Address::trusted) {
                Some(address) => {
                    hand_to(intent, &address);
                    if let Some(binding) = offered {
                        move_to(intent, address, *binding);
                    }
                }
                None => intent.handed_to = Some(to.clone()),
            }
        }
        _ => {} // The caller sends only facts of questions here.
    }
}

/// It lies at another receiver now, who has at least one attempt.
fn move_to(intent: &mut Intent, to: Address, binding: Binding) {
    let first = std::mem::replace(&mut intent.to, to);
    intent.first_to.get_or_insert(first);
    intent.binding = binding;
    intent.max_attempts = intent.max_attempts.max(intent.attempts.saturating_add(1));
}

/// Somebody else has to act now. Whoever had to before still may.
fn hand_to(intent: &mut Intent, to: &Address) {
    intent.handed_to = Some(to.to_string());
    if let Some(task) = &mut intent.task {
        task.delegates.retain(|one| one != to);
        if *to != task.owner {
            task.delegates.push(to.clone());
        }
    }
}

fn apply_run(intent: &mut Intent, body: &FactBody) {
    let Some(run) = &mut intent.run else {
        return;
    };
    match body {
        FactBody::StepStarted {
            step,
            child,
            attempt,
            due,
        } => {
            run.started = run.started.saturating_add(1);
            run.place = Place::At {
                step: *step,
                child: *child,
                attempt: *attempt,
                due: *due,
            };
            // An escalation of the step before; one of the run itself stays.
            if intent.reminders.escalate_to.is_none() {
                intent.escalated_to = None;
            }
        }
        FactBody::StepEnded {
            step,
            end,
            retry_at,
            ..
        } => {
            let tried = match run.place {
                Place::At { attempt, .. } => attempt,
                Place::Between | Place::Pausing { .. } => 0,
            };
            run.place = match retry_at {
                Some(_) => Place::Pausing {
                    step: *step,
                    attempt: tried.saturating_add(1),
                },
                None => Place::Between,
            };
            match (&**end, retry_at) {
                (End::Completed { result }, _) => run.keep(*step, result.clone()),
                (End::Failed { error } | End::TimedOut { error }, None) => {
                    run.keep(*step, failed_result(error));
                }
                (End::Canceled { .. } | End::Failed { .. } | End::TimedOut { .. }, _) => {}
            }
        }
        _ => {} // The caller sends only facts of runs here.
    }
}

/// What later steps see of one that failed.
fn failed_result(error: &IntentError) -> Payload {
    let details = error.details.clone().unwrap_or_else(Payload::empty);
    let said = serde_json::json!({ "code": error.code, "message": error.message });
    details.overlaid(&Payload::of_keys(&[("error", Payload::of(&said))]))
}

fn opened(at: Timestamp, thread: ThreadId, owner: &Address, spec: &TaskSpec) -> Task {
    Task {
        thread,
        owner: owner.clone(),
        spec: spec.clone(),
        version: 1,
        opened_at: at,
        decision: None,
        delegates: Vec::new(),
    }
}

/// What a binding has when an intent is offered to it.
const fn offered(intent: &Intent, at: Timestamp) -> Delivery {
    match intent.binding {
        _ if intent.run.is_some() => Delivery::HeldBySteps,
        Binding::Inbox => Delivery::HeldByPerson,
        Binding::Stream | Binding::Poll | Binding::Http | Binding::Internal => {
            Delivery::Ready { since: at }
        }
    }
}

fn apply_delivery(intent: &mut Intent, at: Timestamp, body: &FactBody) {
    match body {
        FactBody::AttemptStarted {
            attempt,
            number,
            binding,
            session,
            lease_until,
        } => {
            intent.attempts = *number;
            intent.delivery = Delivery::Leased(Lease {
                attempt: *attempt,
                number: *number,
                binding: *binding,
                session: *session,
                started_at: at,
                until: *lease_until,
            });
        }
        FactBody::AttemptFailed {
            failure, next_at, ..
        } => {
            intent.last_failure = Some(failure.clone());
            intent.delivery = Delivery::BackingOff { until: *next_at };
        }
        FactBody::Offered => intent.delivery = Delivery::Ready { since: at },
        FactBody::Acknowledged { lease_until, .. } => {
            intent.acknowledged_at.get_or_insert(at);
            move_lease(intent, *lease_until);
        }
        FactBody::InProgress { lease_until, .. } => {
            intent.acknowledged_at.get_or_insert(at);
            intent.waiting = None;
            if let Some(until) = lease_until {
                move_lease(intent, *until);
            }
        }
        FactBody::LeaseExtended { lease_until, .. } => move_lease(intent, *lease_until),
        FactBody::DeliveryFailed { failure, .. } => {
            if failure.is_some() {
                intent.last_failure.clone_from(failure);
            }
        }
        _ => {} // The caller sends only facts of deliveries here.
    }
}

fn apply_end(intent: &mut Intent, body: &FactBody) {
    let (delivery, end) = match body {
        FactBody::Completed { result, .. } => {
            let result = result.clone();
            (Delivery::Done, End::Completed { result })
        }
        FactBody::Failed { error, .. } => {
            let error = error.clone();
            (Delivery::Dead, End::Failed { error })
        }
        FactBody::Canceled { reason, .. } => {
            let reason = reason.clone();
            (Delivery::Withdrawn, End::Canceled { reason })
        }
        FactBody::TimedOut { error, .. } => {
            let error = error.clone();
            (out_of_time(intent), End::TimedOut { error })
        }
        _ => return, // The caller sends only ends here.
    };
    intent.waiting = None;
    intent.delivery = delivery;
    intent.end = Some(end);
}

/// Somebody who acknowledged in time gets it withdrawn; without anybody it is a dead letter.
const fn out_of_time(intent: &Intent) -> Delivery {
    if intent.acknowledged_at.is_some() {
        Delivery::Withdrawn
    } else {
        Delivery::Dead
    }
}

fn move_lease(intent: &mut Intent, lease_until: Timestamp) {
    if let Delivery::Leased(lease) = &mut intent.delivery {
        lease.until = lease_until;
    }
}
