//! Intents and their moves, made by hand: the rules of the engine play no part here.

use std::sync::Arc;

use postroom::domain::address::Address;
use postroom::domain::agent::Binding;
use postroom::domain::attempt::{AttemptReport, Timing};
use postroom::domain::fact::{Actor, Birth, Fact, FactBody};
use postroom::domain::failure::{DeadReason, ErrorClass, Failure};
use postroom::domain::ids::{AttemptId, HoldId, IntentId, SessionId, ThreadId};
use postroom::domain::intent::{
    DeadLetter, DeadLetterState, Delivery, End, Intent, IntentError, Lease,
};
use postroom::domain::payload::Payload;
use postroom::domain::status::{Status, WaitingReason};
use postroom::domain::task::{Decision, HeldAct, Hold, ReminderPlan, Task, TaskSpec, TaskType};
use postroom::domain::time::{Span, Timestamp};
use postroom::domain::via::Via;
use postroom::store::{Change, NewPayload, Write};
use uuid::Uuid;

/// Time of the checks: milliseconds after an arbitrary instant.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_775_901_600_000 + millis)
}

pub(crate) fn address(name: &str) -> Address {
    Address::trusted(format!("local/default/{name}"))
}

/// The id of the intent accepted at `at(millis)`; the rest of it looks random.
pub(crate) fn id(millis: i64) -> IntentId {
    let mixed = millis.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut entropy = [0; 10];
    entropy[2..].copy_from_slice(&mixed.to_be_bytes());
    IntentId::new(at(millis).as_millis(), entropy)
}

/// An intent at `at(millis)` from `web` to `orders`, lying ready.
pub(crate) fn intent(millis: i64) -> Intent {
    let id = id(millis);
    Intent {
        id,
        intent_type: "intent.order.process.v1".to_owned(),
        correlation_id: Uuid::from_u128(id.0.as_u128().rotate_left(64)).to_string(),
        from: address("web"),
        to: address("orders"),
        first_to: None,
        reply_to: None,
        trace_id: None,
        origin: id,
        replay_of: None,
        is_edited_replay: false,
        binding: Binding::Stream,
        created_at: at(millis),
        updated_at: at(millis),
        deadline: None,
        ttl: None,
        ack_timeout: Span::from_seconds(300),
        max_attempts: 3,
        reminders: ReminderPlan::default(),
        seq: 3,
        event_seq: 3,
        status: Status::Delivered,
        waiting: None,
        delivery: Delivery::Ready { since: at(millis) },
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
        run: None,
        handed_to: None,
        read_by: Vec::new(),
        step: None,
    }
}

fn fact(intent: &Intent, seq: u32, body: FactBody) -> Fact {
    Fact {
        intent: intent.id,
        seq,
        event: body.is_public().then_some(seq),
        at: intent.updated_at,
        actor: Actor::Broker,
        body,
    }
}

/// The change that brings a new intent in, with its three first facts and a payload.
pub(crate) fn accepted(intent: Intent) -> Change {
    let payload = Payload::object(&format!(r#"{{"order":"{}"}}"#, intent.id)).unwrap();
    let bodies = [
        FactBody::Created(Box::new(Birth {
            intent_type: intent.intent_type.clone(),
            correlation_id: intent.correlation_id.clone(),
            from: intent.from.clone(),
            to: intent.to.clone(),
            reply_to: intent.reply_to.clone(),
            trace_id: intent.trace_id.clone(),
            origin: intent.origin,
            replay_of: intent.replay_of,
            is_edited_replay: intent.is_edited_replay,
            binding: intent.binding,
            deadline: intent.deadline,
            ttl: intent.ttl,
            ack_timeout: intent.ack_timeout,
            max_attempts: intent.max_attempts,
            reminders: intent.reminders.clone(),
            payload_bytes: u32::try_from(payload.len()).unwrap(),
            workflow: None,
            step: None,
        })),
        FactBody::Submitted,
        FactBody::Delivered {
            binding: intent.binding,
            attempts: 0,
        },
    ];
    let facts = (1..)
        .zip(bodies)
        .map(|(seq, body)| fact(&intent, seq, body))
        .collect();
    Change {
        before: None,
        after: Arc::new(intent),
        facts,
        payload: Some(NewPayload::Given(payload)),
    }
}

/// The writes that bring these intents in.
pub(crate) fn all_accepted(intents: impl IntoIterator<Item = Intent>) -> Vec<Write> {
    intents
        .into_iter()
        .map(|intent| Write::Intent(accepted(intent)))
        .collect()
}

/// A change of an intent at an instant, by hand, with the facts of it.
pub(crate) fn moved(
    before: &Arc<Intent>,
    millis: i64,
    bodies: Vec<FactBody>,
    change: impl FnOnce(&mut Intent),
) -> Change {
    let mut after = Intent::clone(before);
    after.updated_at = at(millis);
    let public = bodies.iter().filter(|body| body.is_public()).count();
    after.event_seq += u32::try_from(public).unwrap();
    change(&mut after);
    let facts: Vec<Fact> = (before.seq + 1..)
        .zip(bodies)
        .map(|(seq, body)| fact(&after, seq, body))
        .collect();
    after.seq += u32::try_from(facts.len()).unwrap();
    Change {
        before: Some(Arc::clone(before)),
        after: Arc::new(after),
        facts,
        payload: None,
    }
}

pub(crate) fn started(before: &Arc<Intent>, millis: i64, attempt: u64) -> Change {
    let number = before.attempts + 1;
    let body = FactBody::AttemptStarted {
        attempt: AttemptId(attempt),
        number,
        binding: before.binding,
        session: SessionId(1),
        lease_until: at(millis + 300_000),
    };
    moved(before, millis, vec![body], |intent| {
        intent.attempts = number;
        intent.delivery = Delivery::Leased(Lease {
            attempt: AttemptId(attempt),
            number,
            binding: intent.binding,
            session: SessionId(1),
            started_at: at(millis),
            until: at(millis + 300_000),
        });
    })
}

/// What a binding saw, for the attempts that have something to tell.
pub(crate) fn report(status: u16) -> Arc<AttemptReport> {
    Arc::new(AttemptReport {
        timing: Timing {
            total_ms: Some(12),
            ..Timing::default()
        },
        http_status: Some(status),
        ..AttemptReport::default()
    })
}

fn attempt_of(intent: &Intent) -> AttemptId {
    intent.lease().expect("a lease").attempt
}

pub(crate) fn acknowledged(before: &Arc<Intent>, millis: i64) -> Change {
    let body = FactBody::Acknowledged {
        attempt: attempt_of(before),
        lease_until: at(millis + 300_000),
        report: Some(report(202)),
    };
    moved(before, millis, vec![body], |intent| {
        intent.status = Status::Acknowledged;
        intent.acknowledged_at = Some(at(millis));
    })
}

pub(crate) fn completed(before: &Arc<Intent>, millis: i64) -> Change {
    let result = Payload::object(r#"{"done":true}"#).unwrap();
    let body = FactBody::Completed {
        attempt: before.lease().map(|lease| lease.attempt),
        result: result.clone(),
        report: None,
    };
    moved(before, millis, vec![body], |intent| {
        intent.status = Status::Completed;
        intent.waiting = None;
        intent.delivery = Delivery::Done;
        intent.end = Some(End::Completed { result });
    })
}

pub(crate) fn failure(class: ErrorClass) -> Failure {
    Failure {
        http_status: Some(503),
        ..Failure::new(class, "503 upstream unavailable")
    }
}

pub(crate) fn backed_off(before: &Arc<Intent>, millis: i64, class: ErrorClass) -> Change {
    let next_at = at(millis + 5_000);
    let body = FactBody::AttemptFailed {
        attempt: attempt_of(before),
        number: before.attempts,
        failure: failure(class),
        next_at,
        report: Some(report(503)),
    };
    moved(before, millis, vec![body], |intent| {
        intent.last_failure = Some(failure(class));
        intent.delivery = Delivery::BackingOff { until: next_at };
    })
}

pub(crate) fn offered(before: &Arc<Intent>, millis: i64) -> Change {
    moved(before, millis, vec![FactBody::Offered], |intent| {
        intent.delivery = Delivery::Ready { since: at(millis) };
    })
}

pub(crate) fn dead(
    before: &Arc<Intent>,
    millis: i64,
    reason: DeadReason,
    fingerprint: &str,
) -> Change {
    let error = IntentError {
        code: "delivery_failed".to_owned(),
        message: "given up".to_owned(),
        category: "transport".to_owned(),
        is_retryable: true,
        details: None,
    };
    let attempt = before.lease().map(|lease| lease.attempt);
    let failure = attempt.map(|_| failure(ErrorClass::Http5xx));
    let bodies = vec![
        FactBody::DeliveryFailed {
            attempt,
            attempts: before.attempts,
            reason,
            failure: failure.clone(),
            report: None,
        },
        FactBody::Failed {
            attempt,
            error: error.clone(),
            report: None,
        },
        FactBody::DeadLetterOpened {
            reason,
            fingerprint: fingerprint.to_owned(),
        },
    ];
    moved(before, millis, bodies, |intent| {
        intent.status = Status::Failed;
        intent.waiting = None;
        intent.delivery = Delivery::Dead;
        intent.last_failure = failure.or(intent.last_failure.take());
        intent.end = Some(End::Failed { error });
        intent.dead_letter = Some(DeadLetter {
            reason,
            fingerprint: fingerprint.to_owned(),
            at: at(millis),
            state: DeadLetterState::Open,
        });
    })
}

pub(crate) fn letter_moved(before: &Arc<Intent>, millis: i64, state: DeadLetterState) -> Change {
    let body = match &state {
        DeadLetterState::Replayed { as_intent } => FactBody::DeadLetterReplayed {
            as_intent: *as_intent,
        },
        DeadLetterState::Open | DeadLetterState::Discarded { .. } => {
            FactBody::DeadLetterDiscarded {
                reason: "noise".to_owned(),
            }
        }
    };
    moved(before, millis, vec![body], |intent| {
        if let Some(letter) = &mut intent.dead_letter {
            letter.state = state;
        }
    })
}

pub(crate) fn asked(before: &Arc<Intent>, millis: i64, owner: &Address) -> Change {
    let spec = TaskSpec {
        title: "May it happen?".to_owned(),
        description: None,
        task_type: TaskType::Approval,
        allowed_outcomes: Vec::new(),
        is_comment_required: false,
        assignees: Vec::new(),
        is_evidence_required: false,
        form_schema: None,
        notify_email: None,
    };
    let thread = ThreadId(Uuid::from_u128(before.id.0.as_u128() ^ 0xffff));
    let bodies = vec![
        FactBody::Waiting {
            reason: WaitingReason::Human,
            holder: owner.to_string(),
            until: None,
        },
        FactBody::TaskOpened {
            thread,
            owner: owner.clone(),
            spec: Box::new(spec.clone()),
        },
    ];
    moved(before, millis, bodies, |intent| {
        intent.status = Status::Waiting;
        intent.waiting = Some(WaitingReason::Human);
        intent.delivery = Delivery::HeldByPerson;
        intent.task = Some(Task {
            thread,
            owner: owner.clone(),
            spec,
            version: 1,
            opened_at: at(millis),
            decision: None,
            delegates: Vec::new(),
        });
    })
}

pub(crate) fn delegated(before: &Arc<Intent>, millis: i64, to: &Address) -> Change {
    let body = FactBody::TaskDelegated {
        to: to.clone(),
        note: None,
    };
    moved(before, millis, vec![body], |intent| {
        intent.handed_to = Some(to.to_string());
        let task = intent.task.as_mut().unwrap();
        task.version += 1;
        task.delegates.push(to.clone());
    })
}

/// Offered to another agent after nobody answered.
pub(crate) fn escalated(before: &Arc<Intent>, millis: i64, to: &str) -> Change {
    let body = FactBody::Escalated {
        to: address(to).to_string(),
        from: before.to.to_string(),
        offered: Some(Binding::Stream),
    };
    moved(before, millis, vec![body, FactBody::Offered], |intent| {
        let first = std::mem::replace(&mut intent.to, address(to));
        intent.first_to = Some(first);
        intent.escalated_to = Some(address(to).to_string());
        intent.handed_to = Some(address(to).to_string());
    })
}

pub(crate) fn decided(before: &Arc<Intent>, millis: i64) -> Change {
    let decision = Decision {
        outcome: "approved".to_owned(),
        comment: None,
        data: None,
        by: address("alice"),
        via: Via::Page,
        at: at(millis),
        version: 1,
    };
    let result = Payload::object(r#"{"outcome":"approved"}"#).unwrap();
    let bodies = vec![
        FactBody::TaskDecided(Box::new(decision.clone())),
        FactBody::Completed {
            attempt: None,
            result: result.clone(),
            report: None,
        },
    ];
    moved(before, millis, bodies, |intent| {
        intent.status = Status::Completed;
        intent.waiting = None;
        intent.delivery = Delivery::Done;
        intent.end = Some(End::Completed { result });
        if let Some(task) = &mut intent.task {
            task.decision = Some(decision);
        }
    })
}

pub(crate) fn slept(before: &Arc<Intent>, millis: i64, until: i64) -> Change {
    let body = FactBody::Waiting {
        reason: WaitingReason::Time,
        holder: "postroom".to_owned(),
        until: Some(at(until)),
    };
    moved(before, millis, vec![body], |intent| {
        intent.status = Status::Waiting;
        intent.waiting = Some(WaitingReason::Time);
        intent.delivery = Delivery::HeldByTime { until: at(until) };
    })
}

pub(crate) fn canceled(before: &Arc<Intent>, millis: i64) -> Change {
    let body = FactBody::Canceled {
        attempt: before.lease().map(|lease| lease.attempt),
        reason: None,
    };
    moved(before, millis, vec![body], |intent| {
        intent.status = Status::Canceled;
        intent.waiting = None;
        intent.delivery = Delivery::Withdrawn;
        intent.end = Some(End::Canceled { reason: None });
    })
}

pub(crate) fn hold_placed(before: &Arc<Intent>, millis: i64, hold: u64, effective: i64) -> Change {
    let hold = Hold {
        id: HoldId(hold),
        act: HeldAct::Replay,
        by: address("alice"),
        placed_at: at(millis),
        effective_at: at(effective),
    };
    let body = FactBody::HoldPlaced(Box::new(hold.clone()));
    moved(before, millis, vec![body], |intent| {
        intent.holds.push(hold);
    })
}

pub(crate) fn holds_lifted(before: &Arc<Intent>, millis: i64) -> Change {
    let bodies = before
        .holds
        .iter()
        .map(|hold| FactBody::HoldCanceled { hold: hold.id })
        .collect();
    moved(before, millis, bodies, |intent| intent.holds.clear())
}
