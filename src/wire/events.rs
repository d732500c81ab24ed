//! Public events of an intent: each with the status after it, told from the facts in order.

mod delivery;

use crate::domain::agent::Binding;
use crate::domain::attempt::Outcome;
use crate::domain::fact::{Fact, FactBody};
use crate::domain::intent::Intent;
use crate::domain::status::{Status, WaitingReason};
use crate::domain::task::TaskSpec;
use crate::wire::controls;
use crate::wire::intents::{self, Holder};
use crate::wire::json::Object;
use crate::wire::tasks;

/// Most bytes of an event on one line: published clients scan lines of 64 KiB.
pub const LINE_BYTES_MAX: usize = 60 * 1024;

/// A public event, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// 1, 2, 3, ... within the intent.
    pub seq: u32,
    /// `intent.created`, ...
    pub event_type: &'static str,
    /// The status after it.
    pub status: Status,
    /// The object, whole.
    pub json: String,
    /// The object with what is large left out; the same when nothing is.
    pub line: String,
}

/// Tells events from facts. The facts of one intent must come from the first one on, without gaps.
#[derive(Debug, Clone, Default)]
pub struct Teller {
    status: Option<Status>,
    waiting: Option<WaitingReason>,
    receiver: Option<String>,
    holder: Option<Holder>,
    /// The last fact told.
    pub fact_seq: u32,
}

impl Teller {
    /// Nothing told yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The event that a fact is, when it is a public one.
    pub fn tell(&mut self, fact: &Fact) -> Option<Event> {
        self.follow(&fact.body);
        self.fact_seq = fact.seq;
        let seq = fact.event?;
        let json = self.object(fact, seq, Size::Whole).finish();
        let line = if json.len() > LINE_BYTES_MAX {
            self.object(fact, seq, Size::Short).finish()
        } else {
            json.clone()
        };
        Some(Event {
            seq,
            event_type: fact.body.type_name(),
            status: self.status(),
            json,
            line,
        })
    }

    /// The events of a list of facts that starts with the first one.
    #[must_use]
    pub fn all(facts: &[Fact]) -> Vec<Event> {
        let mut teller = Self::new();
        facts.iter().filter_map(|fact| teller.tell(fact)).collect()
    }

    pub(super) fn status(&self) -> Status {
        self.status.unwrap_or(Status::Created)
    }

    fn follow(&mut self, body: &FactBody) {
        let status = body.status_after(self.status());
        match body {
            FactBody::Created(birth) => {
                self.receiver = Some(birth.to.to_string());
                self.holder = Some(Holder::new("agent", &birth.to.to_string()));
            }
            FactBody::Delivered { .. } => {
                self.waiting = None;
                self.holder = self.receiver.as_deref().map(|to| Holder::new("agent", to));
            }
            FactBody::Waiting { reason, holder, .. } => {
                self.waiting = Some(*reason);
                self.holder = Some(Holder::new(holder_kind(*reason), holder));
            }
            FactBody::Escalated { to, offered, .. } => {
                let kind = self.holder.as_ref().map_or("human", |holder| holder.kind);
                let kind = offered.map_or(kind, intents::kind_of_receiver);
                self.holder = Some(Holder::new(kind, to));
                if offered.is_some() {
                    self.receiver = Some(to.clone());
                }
            }
            // The others leave the holder as it is.
            _ => {}
        }
        if status != Status::Waiting {
            self.waiting = None;
        }
        if status.is_terminal() {
            self.holder = None;
        }
        self.status = Some(status);
    }

    fn object(&self, fact: &Fact, seq: u32, size: Size) -> Object {
        let handler = self.holder.as_ref().map(|holder| holder.reference.as_str());
        let object = Object::new()
            .shown("intent_id", fact.intent)
            .number("seq", seq)
            .text("event_type", fact.body.type_name())
            .text("status", self.status().name())
            .shown("at", fact.at)
            .text("actor", fact.actor.name())
            .text_or_null("handler", handler)
            .text_or_null("waiting_reason", self.waiting.map(WaitingReason::name))
            .with(|object| match &self.holder {
                Some(holder) => object.object("pending_with", holder.object()),
                None => object.null("pending_with"),
            })
            .object("details", details(&fact.body, size));
        let object = beside(object, &fact.body, size);
        match size {
            Size::Whole => object,
            Size::Short => object.flag("truncated", true),
        }
    }
}

/// Whether what may be large is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Whole,
    Short,
}

const fn holder_kind(reason: WaitingReason) -> &'static str {
    match reason {
        WaitingReason::Human => "human",
        WaitingReason::Agent => "agent",
        WaitingReason::Tool | WaitingReason::Time => "internal",
    }
}

/// What terminal events and opened tasks carry at the top level too.
pub(super) fn beside(object: Object, body: &FactBody, size: Size) -> Object {
    match (body, size) {
        (FactBody::Completed { result, .. }, Size::Whole) => object.payload("result", result),
        (FactBody::Failed { error, .. } | FactBody::TimedOut { error, .. }, size) => {
            object.object("error", error_object(error, size))
        }
        (FactBody::TaskOpened { spec, .. }, size) => {
            object.object("human_task", task_object(spec, size))
        }
        _ => object,
    }
}

fn error_object(error: &crate::domain::intent::IntentError, size: Size) -> Object {
    let mut shown = error.clone();
    if size == Size::Short {
        shown.details = None;
    }
    intents::error(&shown, None)
}

fn task_object(spec: &TaskSpec, size: Size) -> Object {
    let object = match size {
        Size::Whole => tasks::spec_object(spec),
        Size::Short => {
            let mut short = spec.clone();
            short.form_schema = None;
            tasks::spec_object(&short)
        }
    };
    object.number("version", 1)
}

/// The `details` of an event or of an item of the feed.
#[must_use]
pub fn fact_details(body: &FactBody) -> Object {
    details(body, Size::Whole)
}

pub(super) fn details(body: &FactBody, size: Size) -> Object {
    let object = Object::new();
    match body {
        FactBody::Created(birth) => object
            .text("binding", birth.binding.name())
            .number("payload_bytes", birth.payload_bytes),
        FactBody::Waiting {
            reason,
            holder,
            until,
        } => object
            .text("waiting_reason", reason.name())
            .text("holder", holder)
            .maybe_shown("until", *until),
        FactBody::TaskOpened { thread, owner, .. } => object
            .shown("thread_id", thread)
            .shown("owner_agent", owner),
        FactBody::Reminded { number, holder } => object
            .number("reminder_number", *number)
            .text("holder", holder),
        FactBody::Escalated { to, from, offered } => object
            .text("escalated_to", to)
            .text("from", from)
            .maybe_text("offered_by", offered.map(Binding::name)),
        FactBody::Completed { result, .. } => match size {
            Size::Whole => object.payload("result", result),
            Size::Short => object,
        },
        FactBody::Failed { error, .. } | FactBody::TimedOut { error, .. } => {
            object.object("error", error_object(error, size))
        }
        FactBody::Canceled { reason, .. } => object.text_or_null("reason", reason.as_deref()),
        FactBody::Submitted | FactBody::Offered | FactBody::RetriedNow => object,
        FactBody::Delivered { .. }
        | FactBody::AttemptStarted { .. }
        | FactBody::AttemptFailed { .. }
        | FactBody::Acknowledged { .. }
        | FactBody::InProgress { .. }
        | FactBody::LeaseExtended { .. }
        | FactBody::DeliveryFailed { .. } => delivery::details(object, body),
        FactBody::ControlsChanged(change) => controls::change_details(object, change),
        FactBody::TaskDecided(_)
        | FactBody::TaskReplied { .. }
        | FactBody::TaskDelegated { .. }
        | FactBody::MessagesEmptied { .. }
        | FactBody::ThreadRead { .. }
        | FactBody::ResultRejected { .. }
        | FactBody::StepStarted { .. }
        | FactBody::StepEnded { .. }
        | FactBody::DeadLetterOpened { .. }
        | FactBody::DeadLetterReplayed { .. }
        | FactBody::DeadLetterDiscarded { .. }
        | FactBody::HoldPlaced(_)
        | FactBody::HoldCanceled { .. }
        | FactBody::HoldElapsed { .. } => operator_details(object, body),
    }
}

/// Details of what people did.
fn operator_details(object: Object, body: &FactBody) -> Object {
    match body {
        FactBody::TaskDecided(decision) => object
            .text("outcome", &decision.outcome)
            .maybe_text("comment", decision.comment.as_deref())
            .text("via", decision.via.name())
            .number("version", decision.version),
        FactBody::TaskReplied { message } => object.text("message", message),
        FactBody::TaskDelegated { to, note } => object
            .shown("delegated_to", to)
            .maybe_text("note", note.as_deref()),
        FactBody::MessagesEmptied { messages } => object.number(
            "deleted_count",
            u32::try_from(messages.len()).unwrap_or(u32::MAX),
        ),
        FactBody::ThreadRead { by } => object.shown("read_by", by),
        FactBody::ResultRejected { attempt } => object
            .shown("attempt_id", attempt)
            .text("outcome", Outcome::RejectedStale.name()),
        FactBody::StepStarted {
            step,
            child,
            attempt,
            due,
        } => object
            .number("step", *step)
            .shown("step_intent_id", child)
            .number("step_attempt", *attempt)
            .maybe_shown("due_at", *due),
        FactBody::StepEnded {
            step,
            child,
            end,
            retry_at,
        } => object
            .number("step", *step)
            .shown("step_intent_id", child)
            .text("status", end.status().name())
            .maybe_shown("retry_at", *retry_at),
        FactBody::DeadLetterOpened {
            reason,
            fingerprint,
        } => object
            .text("reason", reason.name())
            .text("fingerprint", fingerprint),
        FactBody::DeadLetterReplayed { as_intent } => object.shown("replayed_as", as_intent),
        FactBody::DeadLetterDiscarded { reason } => object.text("reason", reason),
        FactBody::HoldPlaced(hold) => object
            .shown("hold_id", hold.id)
            .text("action", hold.act.name())
            .shown("by", &hold.by)
            .shown("effective_at", hold.effective_at),
        FactBody::HoldCanceled { hold } => object.shown("hold_id", hold),
        FactBody::HoldElapsed { hold, refused } => object
            .shown("hold_id", hold)
            .maybe_text("refused", refused.as_deref()),
        _ => object,
    }
}

/// The event that ended an intent, from its facts.
#[must_use]
pub fn last(intent: &Intent, facts: &[Fact]) -> Option<Event> {
    Teller::all(facts)
        .into_iter()
        .take_while(|event| event.seq <= intent.event_seq)
        .last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fact::Actor;
    use crate::domain::ids::{AttemptId, IntentId};
    use crate::domain::payload::Payload;
    use crate::domain::time::Timestamp;

    fn fact(seq: u32, event: Option<u32>, body: FactBody) -> Fact {
        Fact {
            intent: IntentId(uuid::Uuid::nil()),
            seq,
            event,
            at: Timestamp::from_millis(1_775_901_600_000),
            actor: Actor::Broker,
            body,
        }
    }

    fn completed(result: &str) -> FactBody {
        FactBody::Completed {
            attempt: Some(AttemptId(7)),
            result: Payload::object(result).unwrap(),
            report: None,
        }
    }

    #[test]
    fn an_acknowledgement_after_progress_does_not_turn_the_status_back() {
        let attempt = AttemptId(7);
        let events = Teller::all(&[
            fact(
                1,
                Some(1),
                FactBody::InProgress {
                    attempt: Some(attempt),
                    lease_until: None,
                },
            ),
            fact(
                2,
                Some(2),
                FactBody::Acknowledged {
                    attempt,
                    lease_until: Timestamp::from_millis(0),
                    report: None,
                },
            ),
        ]);
        let statuses: Vec<_> = events.iter().map(|event| event.status).collect();
        assert_eq!(statuses, [Status::InProgress; 2]);
    }

    #[test]
    fn every_event_carries_the_status_after_it_and_hidden_facts_are_no_events() {
        let events = Teller::all(&[
            fact(1, Some(1), FactBody::Submitted),
            fact(
                2,
                Some(2),
                FactBody::Waiting {
                    reason: WaitingReason::Human,
                    holder: "agent://local/default/finance".to_owned(),
                    until: None,
                },
            ),
            fact(3, None, FactBody::Offered),
            fact(
                4,
                Some(3),
                FactBody::Reminded {
                    number: 1,
                    holder: "x".to_owned(),
                },
            ),
            fact(5, Some(4), completed("{\"a\":1}")),
        ]);
        let told: Vec<_> = events
            .iter()
            .map(|event| (event.seq, event.event_type, event.status.name()))
            .collect();
        assert_eq!(
            told,
            [
                (1, "intent.submitted", "SUBMITTED"),
                (2, "intent.waiting", "WAITING"),
                (3, "intent.reminder", "WAITING"),
                (4, "intent.completed", "COMPLETED"),
            ]
        );
        assert!(
            events[2]
                .json
                .contains("\"pending_with\":{\"type\":\"human\"")
        );
        assert!(events[3].json.ends_with(
            "\"handler\":null,\"waiting_reason\":null,\"pending_with\":null,\
             \"details\":{\"result\":{\"a\":1}},\"result\":{\"a\":1}}"
        ));
    }

    #[test]
    fn a_result_too_large_for_a_line_is_left_out_of_it_and_said_so() {
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(LINE_BYTES_MAX));
        let event = &Teller::all(&[fact(1, Some(1), completed(&large))])[0];
        assert!(event.json.len() > LINE_BYTES_MAX);
        assert!(event.line.len() < 1000);
        assert!(event.line.ends_with("\"truncated\":true}"));
    }
}
