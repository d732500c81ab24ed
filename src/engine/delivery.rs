//! Handing over, with lease and fence; what comes back; giving up.

use std::sync::Arc;

use crate::domain::attempt::AttemptReport;
use crate::domain::fact::{Actor, FactBody};
use crate::domain::failure::{DeadReason, ErrorClass, Failure};
use crate::domain::ids::AttemptId;
use crate::domain::intent::{Delivery, IntentError, Kind, Lease};
use crate::domain::payload::Payload;
use crate::domain::status::Status;
use crate::engine::command::{Acknowledge, Extend, Fail, Start};
use crate::engine::refusal::Refusal;
use crate::engine::{Draft, capped, dead_letters, escalate, resolve, retry};

pub(super) fn start(draft: &mut Draft<'_>, start: &Start) -> Result<(), Refusal> {
    draft.must_be_open()?;
    let intent = &draft.intent;
    let is_ready = matches!(intent.delivery, Delivery::Ready { .. })
        && intent
            .deadline
            .is_none_or(|deadline| deadline > draft.ctx.now)
        && intent.attempts < intent.max_attempts;
    if !is_ready {
        return Err(Refusal::NotReady);
    }
    let rows = i64::from(start.rows_before).saturating_add(1);
    draft.say(
        Actor::Broker,
        FactBody::AttemptStarted {
            attempt: draft.ctx.attempt,
            number: draft.intent.attempts.saturating_add(1),
            binding: start.binding,
            session: start.session,
            lease_until: draft.ctx.now.after(draft.intent.ack_timeout.times(rows)),
        },
    );
    Ok(())
}

pub(super) fn acknowledge(draft: &mut Draft<'_>, ack: &Acknowledge) -> Result<(), Refusal> {
    draft.must_be_open()?;
    let lease = current(draft, ack.attempt)?;
    if draft.intent.kind() == Kind::Webhook {
        // There is nothing to come after an event was taken.
        resolve::complete(draft, ack.by.clone(), Payload::empty(), ack.report.clone());
        return Ok(());
    }
    draft.say(
        ack.by.clone(),
        FactBody::Acknowledged {
            attempt: lease.attempt,
            lease_until: draft.ctx.now.after(draft.intent.ack_timeout),
            report: ack.report.clone(),
        },
    );
    Ok(())
}

pub(super) fn extend(draft: &mut Draft<'_>, extend: &Extend) -> Result<(), Refusal> {
    draft.must_be_open()?;
    let lease = current(draft, extend.attempt)?;
    let span = extend.span.unwrap_or(draft.intent.ack_timeout);
    draft.say(
        extend.by.clone(),
        FactBody::LeaseExtended {
            attempt: lease.attempt,
            lease_until: draft.ctx.now.after(span),
        },
    );
    Ok(())
}

pub(super) fn fail(draft: &mut Draft<'_>, fail: &Fail) -> Result<(), Refusal> {
    draft.must_be_open()?;
    let lease = current(draft, fail.attempt)?;
    end_attempt(draft, &lease, fail);
    Ok(())
}

/// Ends an attempt that failed: a retry follows, or delivery is given up.
pub(super) fn end_attempt(draft: &mut Draft<'_>, lease: &Lease, fail: &Fail) {
    let ctx = draft.ctx;
    let failure = Failure {
        message: capped(&fail.failure.message),
        ..fail.failure.clone()
    };
    let fixed = draft.intent.controls.as_ref();
    let fixed = fixed.and_then(|controls| controls.retry_delay);
    let own = || {
        retry::delay(
            lease.binding,
            lease.number,
            &failure,
            fixed,
            ctx.policy,
            ctx.entropy,
        )
    };
    let next_at = ctx.now.after(fail.delay.unwrap_or_else(own));
    let reason = if failure.class == ErrorClass::BlockedAddress {
        Some(DeadReason::SsrfBlocked)
    } else if retry::is_permanent(failure.class, ctx.policy) {
        Some(DeadReason::Permanent)
    } else if draft.intent.attempts >= draft.intent.max_attempts {
        let is_crash = failure.class == ErrorClass::Crash;
        Some(if is_crash {
            DeadReason::PoisonCrash
        } else {
            DeadReason::Attempts
        })
    } else if draft
        .intent
        .deadline
        .is_some_and(|deadline| next_at >= deadline)
    {
        Some(DeadReason::Deadline)
    } else {
        None
    };
    // Somebody else is asked as well, so that an agent who cannot be reached is no end.
    let is_asked = draft.intent.open_task().is_some();
    if let Some(reason) = reason.filter(|_| !is_asked) {
        give_up(draft, lease, reason, &failure, fail);
    } else {
        draft.say(
            fail.by.clone(),
            FactBody::AttemptFailed {
                attempt: lease.attempt,
                number: lease.number,
                failure,
                next_at,
                report: fail.report.clone(),
            },
        );
        if reason.is_some() {
            escalate::back_to_person(draft);
        } else if next_at <= ctx.now {
            offer_again(draft);
        }
    }
}

fn give_up(
    draft: &mut Draft<'_>,
    lease: &Lease,
    reason: DeadReason,
    failure: &Failure,
    fail: &Fail,
) {
    let attempts = draft.intent.attempts;
    draft.say(
        fail.by.clone(),
        FactBody::DeliveryFailed {
            attempt: Some(lease.attempt),
            attempts,
            reason,
            failure: Some(failure.clone()),
            report: fail.report.clone(),
        },
    );
    end_undelivered(draft, Some(lease.attempt), reason, failure);
}

/// Gives it up while no attempt is open: what was used is all there is.
pub(super) fn out_of_tries(draft: &mut Draft<'_>, reason: DeadReason, failure: &Failure) {
    let attempts = draft.intent.attempts;
    draft.say(
        Actor::Broker,
        FactBody::DeliveryFailed {
            attempt: None,
            attempts,
            reason,
            failure: Some(failure.clone()),
            report: None,
        },
    );
    end_undelivered(draft, None, reason, failure);
}

fn end_undelivered(
    draft: &mut Draft<'_>,
    attempt: Option<AttemptId>,
    reason: DeadReason,
    failure: &Failure,
) {
    let attempts = draft.intent.attempts;
    let word = if attempts == 1 { "attempt" } else { "attempts" };
    let message = format!(
        "{}: {} after {attempts} {word}",
        failure.class, failure.message
    );
    let error = IntentError {
        code: "delivery_failed".to_owned(),
        message: capped(&message),
        category: "transport".to_owned(),
        is_retryable: true,
        details: None,
    };
    draft.say(
        Actor::Broker,
        FactBody::Failed {
            attempt,
            error,
            report: None,
        },
    );
    dead_letters::open(draft, reason);
}

/// Puts it back at its binding: silently while it is DELIVERED, as an event after more than that.
pub(super) fn offer_again(draft: &mut Draft<'_>) {
    if draft.intent.status == Status::Delivered {
        draft.say(Actor::Broker, FactBody::Offered);
    } else {
        let (binding, attempts) = (draft.intent.binding, draft.intent.attempts);
        draft.say(Actor::Broker, FactBody::Delivered { binding, attempts });
    }
}

pub(super) fn retry_now(draft: &mut Draft<'_>, by: &Actor) -> Result<(), Refusal> {
    draft.must_be_open()?;
    match draft.intent.delivery {
        Delivery::BackingOff { .. } => {
            draft.say(by.clone(), FactBody::RetriedNow);
            offer_again(draft);
            Ok(())
        }
        Delivery::Ready { .. } => Ok(()),
        Delivery::Leased(_) => Err(Refusal::AttemptInProgress),
        _ => Err(Refusal::NothingToRetry),
    }
}

/// After a start of the broker: a push that was under way has an unknown fate, and counts, so that a
/// message that kills its receiver, or us, cannot go on for ever. Leases of receivers that came for
/// their intents go on: they may be working.
pub(super) fn recover(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    draft.must_be_open()?;
    let lease = draft.intent.lease().cloned().ok_or(Refusal::NotReady)?;
    let is_push_under_way = !lease.binding.is_pull() && draft.intent.status == Status::Delivered;
    if !is_push_under_way {
        return Err(Refusal::NotReady);
    }
    let failure = Failure::new(
        ErrorClass::Crash,
        "the broker stopped while this attempt ran",
    );
    let fail = Fail {
        attempt: Some(lease.attempt),
        failure,
        delay: None,
        by: Actor::Broker,
        report: None::<Arc<AttemptReport>>,
    };
    end_attempt(draft, &lease, &fail);
    Ok(())
}

/// The open lease, if the fence that was given is its own.
fn current(draft: &Draft<'_>, given: Option<AttemptId>) -> Result<Lease, Refusal> {
    match (draft.intent.lease(), given) {
        (Some(lease), Some(given)) if lease.attempt != given => Err(Refusal::StaleAttempt {
            given,
            current: Some(lease.attempt),
        }),
        (Some(lease), _) => Ok(lease.clone()),
        (None, Some(given)) => Err(Refusal::StaleAttempt {
            given,
            current: None,
        }),
        (None, None) => Err(Refusal::NoLease),
    }
}
