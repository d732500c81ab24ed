//! The intent as the wire shows it.

use crate::domain::agent::Binding;
use crate::domain::intent::{DeadLetterState, Delivery, End, Intent, IntentError};
use crate::domain::payload::Payload;
use crate::domain::scenario::{BROKER_HOLDER, Place};
use crate::domain::status::{Status, WaitingReason};
use crate::domain::task::Hold;
use crate::wire::controls;
use crate::wire::json::Object;
use crate::wire::tasks;

/// What is shown beside the state of an intent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'intent> {
    /// What it carries; left out of lists.
    pub payload: Option<&'intent Payload>,
    /// Why nobody hands it over now, when something holds it back: `agent_paused`.
    pub parked: Option<&'static str>,
    /// True in lists: no result either.
    pub is_brief: bool,
}

/// The intent object.
#[must_use]
pub fn intent(intent: &Intent, shown: Shown<'_>) -> Object {
    Object::new()
        .shown("intent_id", intent.id)
        .text("intent_type", &intent.intent_type)
        .text("correlation_id", &intent.correlation_id)
        .shown("from_agent", &intent.from)
        .shown("to_agent", &intent.to)
        .maybe_shown("first_to_agent", intent.first_to.as_ref())
        .maybe_shown("reply_to", intent.reply_to.as_ref())
        .with(|object| match shown.payload {
            Some(payload) => object.payload("payload", payload),
            None => object,
        })
        .text("status", intent.status.name())
        .text("lifecycle_status", intent.status.name())
        .text("legacy_status", legacy(intent.status))
        .maybe_text("waiting_reason", intent.waiting.map(WaitingReason::name))
        .maybe_text(
            "lifecycle_waiting_reason",
            intent.waiting.map(WaitingReason::name),
        )
        .maybe_object("pending_with", pending_with(intent))
        .number("max_delivery_attempts", intent.max_attempts)
        .number("delivery_attempt", intent.attempts)
        .number("policy_generation", intent.policy_generation)
        .with(
            |object| match intent.controls.as_deref().filter(|_| !shown.is_brief) {
                Some(controls) => controls::shown(object, controls),
                None => object,
            },
        )
        .shown("created_at", intent.created_at)
        .shown("updated_at", intent.updated_at)
        .maybe_shown("deadline_at", intent.deadline)
        .with(|object| end(object, intent, shown.is_brief))
        .with(|object| task(object, intent))
        .with(|object| in_run(object, intent))
        .shown("origin_id", intent.origin)
        .maybe_shown("replay_of", intent.replay_of)
        .maybe_text("trace_id", intent.trace_id.as_deref())
        .object("delivery", delivery(intent, shown.parked))
        .maybe_object("dead_letter", dead_letter(intent))
        .with(|object| {
            if intent.holds.is_empty() {
                object
            } else {
                object.list("held", intent.holds.iter().map(|hold| held(intent, hold)))
            }
        })
}

/// The answer of `GET /v1/intents/{id}`: the object, and for receivers that read at the top level
/// the seven keys they read.
#[must_use]
pub fn answer(intent: &Intent, shown: Shown<'_>, is_flat: bool) -> Object {
    let answer = Object::ok().object("intent", self::intent(intent, shown));
    if !is_flat {
        return answer;
    }
    answer
        .shown("intent_id", intent.id)
        .text("intent_type", &intent.intent_type)
        .text("status", intent.status.name())
        .text("lifecycle_status", intent.status.name())
        .with(|object| match shown.payload {
            Some(payload) => object.payload("payload", payload),
            None => object,
        })
        .shown("from_agent", &intent.from)
        .shown("to_agent", &intent.to)
}

/// The status in the vocabulary of older clients.
#[must_use]
pub const fn legacy(status: Status) -> &'static str {
    match status {
        Status::Created | Status::Submitted => "accepted",
        Status::Delivered | Status::Acknowledged | Status::InProgress => "running",
        Status::Waiting => "blocked",
        Status::Completed => "done",
        Status::Failed | Status::Canceled | Status::TimedOut => "failed",
    }
}

/// Who has to act; nobody once it has ended.
#[must_use]
pub fn pending_with(intent: &Intent) -> Option<Object> {
    holder(intent).map(|holder| holder.object())
}

/// Who has to act, before it is written.
#[must_use]
pub fn holder(intent: &Intent) -> Option<Holder> {
    if intent.is_finished() {
        return None;
    }
    let holder = match (&intent.run, &intent.task, intent.waiting) {
        (_, _, Some(WaitingReason::Time | WaitingReason::Tool)) => {
            Holder::new("internal", BROKER_HOLDER)
        }
        (Some(run), _, waiting) => match (run.step(), waiting) {
            (Some(step), Some(WaitingReason::Human)) => {
                Holder::new("human", &step.holder.to_string())
            }
            (Some(step), _) => Holder::new("agent", &step.holder.to_string()),
            (None, _) => Holder::new("internal", BROKER_HOLDER),
        },
        (None, Some(task), Some(WaitingReason::Human)) => {
            Holder::new("human", &task.owner.to_string())
        }
        (None, None, Some(WaitingReason::Human)) => Holder::new("human", &intent.to.to_string()),
        (None, _, Some(WaitingReason::Agent) | None) => {
            Holder::new("agent", &intent.to.to_string())
        }
    };
    Some(match &intent.handed_to {
        Some(to) => Holder::new(holder.kind, to),
        None => holder,
    })
}

/// What whoever gets it that way is.
#[must_use]
pub const fn kind_of_receiver(binding: Binding) -> &'static str {
    match binding {
        Binding::Stream | Binding::Poll | Binding::Http => "agent",
        Binding::Inbox => "human",
        Binding::Internal => "internal",
    }
}

/// Somebody an intent waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// `agent`, `human` or `internal`.
    pub kind: &'static str,
    /// The address, role or name.
    pub reference: String,
}

impl Holder {
    /// Somebody of that kind.
    #[must_use]
    pub fn new(kind: &'static str, reference: &str) -> Self {
        Self {
            kind,
            reference: reference.to_owned(),
        }
    }

    /// The wire's object.
    #[must_use]
    pub fn object(&self) -> Object {
        let name = self.reference.rsplit('/').next();
        Object::new()
            .text("type", self.kind)
            .text("ref", &self.reference)
            .text("name", name.unwrap_or(&self.reference))
    }
}

fn end(object: Object, intent: &Intent, is_brief: bool) -> Object {
    match &intent.end {
        None => object,
        Some(end) => {
            let object = object.shown("completed_at", intent.updated_at);
            match end {
                End::Completed { result } if !is_brief => object.payload("result", result),
                End::Completed { .. } => object,
                End::Failed { error } | End::TimedOut { error } => {
                    object.object("error", self::error(error, Some(intent)))
                }
                End::Canceled { reason } => object.maybe_text("reason", reason.as_deref()),
            }
        }
    }
}

/// The error object of an intent.
#[must_use]
pub fn error(error: &IntentError, of: Option<&Intent>) -> Object {
    let IntentError {
        code,
        message,
        category,
        is_retryable,
        details,
    } = error;
    Object::new()
        .text("code", code)
        .text("message", message)
        .text("category", category)
        .flag("retryable", *is_retryable)
        .maybe_shown("at", of.map(|intent| intent.updated_at))
        .raw(
            "details",
            details.as_ref().map_or("{}", |details| details.as_str()),
        )
}

fn task(object: Object, intent: &Intent) -> Object {
    let Some(task) = &intent.task else {
        return object.with(|object| match intent.reminded {
            0 => object,
            reminded => object.number("remind_count", reminded),
        });
    };
    object
        .object("human_task", tasks::task_object(task, intent))
        .shown("thread_id", task.thread)
        .maybe_shown("due_at", intent.deadline)
        .maybe_shown("task_due_at", intent.task_due_at())
        .number("remind_count", intent.reminded)
}

/// What a run shows of its steps, and a step of its run.
fn in_run(object: Object, intent: &Intent) -> Object {
    let object = match &intent.step {
        None => object,
        Some(step) => object
            .shown("parent_intent_id", step.run)
            .text("scenario_id", &step.scenario)
            .text("step_id", &step.step)
            .number("step_attempt", step.attempt),
    };
    let Some(run) = &intent.run else {
        return object;
    };
    let object = object.text("scenario_id", &run.workflow.scenario);
    let object = match (&run.place, run.step()) {
        (Place::At { attempt, due, .. }, Some(step)) if !intent.is_finished() => object
            .text("step_id", &step.id)
            .number("step_attempt", *attempt)
            .maybe_shown("step_intent_id", run.child())
            .maybe_shown("due_at", *due),
        (Place::Pausing { attempt, .. }, Some(step)) if !intent.is_finished() => object
            .text("step_id", &step.id)
            .number("step_attempt", *attempt),
        _ => object,
    };
    match run.open_question().filter(|_| !intent.is_finished()) {
        Some((_, spec)) => object.object("human_task", tasks::spec_object(spec)),
        None => object,
    }
}

fn delivery(intent: &Intent, parked: Option<&'static str>) -> Object {
    let state = match (&intent.delivery, parked) {
        (Delivery::Ready { .. }, Some(_)) => "parked",
        (delivery, _) => delivery.name(),
    };
    let object = Object::new()
        .text("state", state)
        .text("binding", intent.binding.name());
    match &intent.delivery {
        Delivery::Ready { since } => object
            .shown("ready_since", since)
            .maybe_text("parked_reason", parked),
        Delivery::Leased(lease) => object
            .shown("attempt_id", lease.attempt)
            .shown("lease_expires_at", lease.until),
        Delivery::BackingOff { until } => object.shown("next_attempt_at", until),
        Delivery::HeldByTime { until } => object.shown("until", until),
        Delivery::HeldByPerson
        | Delivery::HeldBySteps
        | Delivery::Done
        | Delivery::Dead
        | Delivery::Withdrawn => object,
    }
    .with(|object| match &intent.last_failure {
        None => object,
        Some(failure) => object.object(
            "last_failure",
            Object::new()
                .text("error_class", failure.class.name())
                .maybe_number("http_status", failure.http_status)
                .text("message", &failure.message),
        ),
    })
}

/// The dead letter of an intent, as section 11 shows it.
#[must_use]
pub fn dead_letter(intent: &Intent) -> Option<Object> {
    let letter = intent.dead_letter.as_ref()?;
    let (replayed_as, discard_reason) = match &letter.state {
        DeadLetterState::Open => (None, None),
        DeadLetterState::Replayed { as_intent } => (Some(*as_intent), None),
        DeadLetterState::Discarded { reason } => (None, Some(reason.as_str())),
    };
    Some(
        Object::new()
            .text("reason", letter.reason.name())
            .text("fingerprint", &letter.fingerprint)
            .shown("dead_at", letter.at)
            .text("state", letter_state(&letter.state))
            .shown_or_null("replayed_as", replayed_as)
            .text_or_null("discard_reason", discard_reason),
    )
}

/// The word for what became of a dead letter.
#[must_use]
pub const fn letter_state(state: &DeadLetterState) -> &'static str {
    match state {
        DeadLetterState::Open => "open",
        DeadLetterState::Replayed { .. } => "replayed",
        DeadLetterState::Discarded { .. } => "discarded",
    }
}

/// A held command.
#[must_use]
pub fn held(intent: &Intent, hold: &Hold) -> Object {
    Object::new()
        .shown("hold_id", hold.id)
        .text("action", hold.act.name())
        .shown("subject", intent.id)
        .shown("by", &hold.by)
        .shown("placed_at", hold.placed_at)
        .shown("effective_at", hold.effective_at)
}
