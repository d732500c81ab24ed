//! Intents, their events and their attempts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::desk::convert::{DeliveryWords, state_of, tidy_report};
use crate::desk::rows::{AttemptRow, EventRow, IntentRow, IntentView, LetterRow, TaskRow};
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::attempt::{AttemptReport, Excerpt, Outcome, Timing};
use crate::domain::failure::{DeadReason, ErrorClass};
use crate::domain::ids::{AttemptId, IntentId, ThreadId};
use crate::domain::payload::Payload;
use crate::domain::status::{Status, WaitingReason};
use crate::domain::time::Timestamp;
use crate::store::query::{LetterState, ThreadKind};

use super::threads::HumanTask;
use super::{Held, payload};

/// The intent object of sections 7.4 and 7.5.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Intent {
    #[serde(deserialize_with = "super::shown")]
    intent_id: IntentId,
    intent_type: String,
    #[serde(deserialize_with = "super::address")]
    from_agent: Address,
    #[serde(deserialize_with = "super::address")]
    to_agent: Address,
    #[serde(default, deserialize_with = "super::maybe_address")]
    reply_to: Option<Address>,
    #[serde(deserialize_with = "super::status")]
    status: Status,
    #[serde(default)]
    waiting_reason: Option<String>,
    delivery: Delivery,
    #[serde(default)]
    delivery_attempt: u32,
    #[serde(default)]
    max_delivery_attempts: u32,
    #[serde(deserialize_with = "super::shown")]
    created_at: Timestamp,
    #[serde(deserialize_with = "super::shown")]
    updated_at: Timestamp,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    deadline_at: Option<Timestamp>,
    correlation_id: String,
    #[serde(deserialize_with = "super::shown")]
    origin_id: IntentId,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    replay_of: Option<IntentId>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    parent_intent_id: Option<IntentId>,
    #[serde(default)]
    trace_id: Option<String>,
    #[serde(default)]
    payload: Option<Box<RawValue>>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Box<RawValue>>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    dead_letter: Option<Letter>,
    #[serde(default)]
    human_task: Option<HumanTask>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    thread_id: Option<ThreadId>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    task_due_at: Option<Timestamp>,
    #[serde(default)]
    remind_count: u32,
    #[serde(default)]
    held: Vec<Held>,
}

#[derive(Debug, Deserialize)]
struct Delivery {
    state: String,
    #[serde(deserialize_with = "super::binding")]
    binding: Binding,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    lease_expires_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    next_attempt_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    until: Option<Timestamp>,
    #[serde(default)]
    last_failure: Option<LastFailure>,
}

#[derive(Debug, Deserialize)]
struct LastFailure {
    #[serde(default, deserialize_with = "super::error_class")]
    error_class: Option<ErrorClass>,
    #[serde(default)]
    http_status: Option<u16>,
    message: String,
}

#[derive(Debug, Deserialize)]
struct Letter {
    #[serde(deserialize_with = "super::reason")]
    reason: DeadReason,
    fingerprint: String,
    #[serde(deserialize_with = "super::shown")]
    dead_at: Timestamp,
    #[serde(deserialize_with = "super::letter_state")]
    state: LetterState,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    replayed_as: Option<IntentId>,
}

#[derive(Debug, Deserialize)]
struct Message {
    message: String,
}

impl Intent {
    pub(in crate::desk) fn row(&self) -> IntentRow {
        let is_open_letter = self.dead_letter.as_ref().is_some_and(|letter| {
            letter.state == LetterState::Open && letter.reason != DeadReason::Rejected
        });
        let waiting = self.waiting_reason.as_deref().and_then(waiting);
        let state = state_of(&DeliveryWords {
            status: self.status,
            waiting,
            is_leased: self.delivery.state == "leased",
            has_failed: self.delivery.last_failure.is_some(),
            is_open_letter,
        });
        IntentRow {
            id: self.intent_id,
            intent_type: self.intent_type.clone(),
            from: self.from_agent.clone(),
            to: self.to_agent.clone(),
            status: self.status,
            state,
            waiting,
            delivery: self.delivery.state.clone(),
            binding: self.delivery.binding,
            attempts: self.delivery_attempt,
            max_attempts: self.max_delivery_attempts,
            next_at: self
                .delivery
                .lease_expires_at
                .or(self.delivery.next_attempt_at)
                .or(self.delivery.until),
            created_at: self.created_at,
            updated_at: self.updated_at,
            deadline: self.deadline_at,
            correlation_id: self.correlation_id.clone(),
            replay_of: self.replay_of,
            parent: self.parent_intent_id,
            note: self.note(),
        }
    }

    /// The status, for the answers of acts.
    pub(in crate::desk) const fn status(&self) -> Status {
        self.status
    }

    /// The id, for the answers of acts.
    pub(in crate::desk) const fn id(&self) -> IntentId {
        self.intent_id
    }

    fn error_message(&self) -> Option<String> {
        let error = self.error.as_ref()?;
        serde_json::from_str::<Message>(error.get())
            .ok()
            .map(|error| error.message)
    }

    fn note(&self) -> Option<String> {
        match self.status {
            Status::Completed => None,
            Status::Failed | Status::TimedOut => self.error_message(),
            Status::Canceled => self.reason.clone(),
            Status::Created
            | Status::Submitted
            | Status::Delivered
            | Status::Acknowledged
            | Status::InProgress
            | Status::Waiting => self
                .delivery
                .last_failure
                .as_ref()
                .map(|failure| failure.message.clone()),
        }
    }

    fn end(&self) -> Option<Payload> {
        match self.status {
            Status::Canceled => Some(Payload::of(&serde_json::json!({ "reason": self.reason }))),
            _ => self
                .result
                .as_deref()
                .or(self.error.as_deref())
                .map(|raw| payload(Some(raw))),
        }
    }

    fn letter(&self) -> Option<LetterRow> {
        let letter = self.dead_letter.as_ref()?;
        let failure = self.delivery.last_failure.as_ref();
        Some(LetterRow {
            intent: self.intent_id,
            intent_type: self.intent_type.clone(),
            from: self.from_agent.clone(),
            to: self.to_agent.clone(),
            binding: self.delivery.binding,
            reason: letter.reason,
            error_class: failure.and_then(|failure| failure.error_class),
            http_status: failure.and_then(|failure| failure.http_status),
            message: failure
                .map(|failure| failure.message.clone())
                .or_else(|| self.error_message())
                .or_else(|| self.reason.clone())
                .unwrap_or_default(),
            attempts: self.delivery_attempt,
            dead_at: letter.dead_at,
            fingerprint: letter.fingerprint.clone(),
            state: letter.state,
            replayed_as: letter.replayed_as,
            replay_of: self.replay_of,
            held: None,
        })
    }

    fn task(&self) -> Option<TaskRow> {
        let task = self.human_task.as_ref()?;
        let is_open = !self.status.is_terminal() && task.decision.is_none();
        Some(TaskRow {
            thread: self.thread_id?,
            intent: self.intent_id,
            kind: ThreadKind::Task,
            owner: task
                .owner_agent
                .clone()
                .unwrap_or_else(|| self.to_agent.clone()),
            from: self.from_agent.clone(),
            intent_type: self.intent_type.clone(),
            title: task.title.clone(),
            description: task.description.clone(),
            task_type: task.task_type.clone(),
            outcomes: task.allowed_outcomes.clone(),
            is_comment_required: task.required_comment,
            is_evidence_required: task.evidence_required,
            form: task.form(),
            assignees: task.assignees.clone(),
            version: task.version,
            is_open,
            opened_at: task.opened_at.unwrap_or(self.created_at),
            due_at: self.task_due_at,
            is_overdue: is_open && self.remind_count > 0,
            deadline: self.deadline_at,
            reminded: self.remind_count,
            reminders_max: task.max_reminders,
            escalates_to: task.escalate_to.clone(),
            decision: task.decision(),
            held: None,
            delegated_to: task.delegated_to.clone(),
        })
    }

    /// The whole view, with what other calls have brought.
    pub(in crate::desk) fn view(
        self,
        events: Vec<EventRow>,
        attempts: Vec<AttemptRow>,
    ) -> IntentView {
        let (row, end) = (self.row(), self.end());
        let (mut letter, mut task) = (self.letter(), self.task());
        for held in self.held {
            let slot = if held.is_of_letter() {
                letter.as_mut().map(|letter| &mut letter.held)
            } else {
                task.as_mut().map(|task| &mut task.held)
            };
            if let Some(slot) = slot {
                slot.get_or_insert_with(|| held.row());
            }
        }
        IntentView {
            row,
            origin: self.origin_id,
            replayed_as: letter.as_ref().and_then(|letter| letter.replayed_as),
            reply_to: self.reply_to,
            trace_id: self.trace_id,
            payload: payload(self.payload.as_deref()),
            end,
            events,
            attempts,
            letter,
            task,
        }
    }
}

fn waiting(name: &str) -> Option<WaitingReason> {
    [
        WaitingReason::Human,
        WaitingReason::Agent,
        WaitingReason::Tool,
        WaitingReason::Time,
    ]
    .into_iter()
    .find(|reason| reason.name() == name)
}

/// A fact, as operators read it.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Fact {
    fact_seq: u32,
    #[serde(deserialize_with = "super::shown")]
    at: Timestamp,
    event_type: String,
    #[serde(deserialize_with = "super::status")]
    status: Status,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    details: Option<Box<RawValue>>,
}

impl Fact {
    pub(in crate::desk) fn row(self) -> EventRow {
        EventRow {
            seq: self.fact_seq,
            at: self.at,
            event_type: self.event_type,
            status: self.status,
            actor: self.actor,
            details: payload(self.details.as_deref()),
        }
    }
}

/// An attempt of section 21.2.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Attempt {
    #[serde(deserialize_with = "super::shown")]
    attempt_id: AttemptId,
    #[serde(deserialize_with = "super::shown")]
    intent_id: IntentId,
    number: u32,
    #[serde(deserialize_with = "super::address")]
    agent: Address,
    #[serde(deserialize_with = "super::binding")]
    binding: Binding,
    #[serde(deserialize_with = "super::shown")]
    started_at: Timestamp,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    finished_at: Option<Timestamp>,
    #[serde(deserialize_with = "super::outcome")]
    outcome: Outcome,
    #[serde(default, deserialize_with = "super::error_class")]
    error_class: Option<ErrorClass>,
    #[serde(default)]
    http_status: Option<u16>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    next_attempt_at: Option<Timestamp>,
    #[serde(default)]
    timing: Option<Times>,
    #[serde(default)]
    remote_addr: Option<String>,
    #[serde(default)]
    request: Option<Piece>,
    #[serde(default)]
    response: Option<Piece>,
    #[serde(default)]
    body_too_large: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Times {
    resolve_ms: Option<u32>,
    connect_ms: Option<u32>,
    tls_ms: Option<u32>,
    first_byte_ms: Option<u32>,
    total_ms: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Piece {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
    bytes: u64,
    truncated: bool,
}

impl Piece {
    fn excerpt(self) -> Excerpt {
        Excerpt {
            line: self.line,
            headers: self.headers.into_iter().collect(),
            body: self.body,
            bytes: self.bytes,
            is_truncated: self.truncated,
        }
    }
}

impl Attempt {
    pub(in crate::desk) fn row(self) -> AttemptRow {
        let times = self.timing.unwrap_or_default();
        let report = AttemptReport {
            timing: Timing {
                resolve_ms: times.resolve_ms,
                connect_ms: times.connect_ms,
                tls_ms: times.tls_ms,
                first_byte_ms: times.first_byte_ms,
                total_ms: times.total_ms,
            },
            remote_addr: self.remote_addr,
            request: self.request.map(Piece::excerpt),
            response: self.response.map(Piece::excerpt),
            http_status: self.http_status,
            is_body_too_large: self.body_too_large,
        };
        AttemptRow {
            id: self.attempt_id,
            intent: self.intent_id,
            number: self.number,
            agent: self.agent,
            binding: self.binding,
            started_at: self.started_at,
            finished_at: self.finished_at,
            outcome: self.outcome,
            error_class: self.error_class,
            http_status: self.http_status,
            error: self.error,
            next_attempt_at: self.next_attempt_at,
            report: tidy_report(Arc::new(report)),
        }
    }
}
