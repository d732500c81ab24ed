//! What a desk shows: plain rows, the same from both sides.

pub mod agents;
pub mod disk;
pub mod jobs;
pub mod retry;

pub use self::agents::{AgentRow, AgentState, PauseRow};
pub use self::retry::RetryRule;

use std::sync::Arc;

use self::disk::DiskState;
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::attempt::{AttemptReport, Outcome};
use crate::domain::failure::{DeadReason, ErrorClass};
use crate::domain::group::GroupState;
use crate::domain::ids::{AttemptId, Cursor, HoldId, IntentId, ThreadId};
use crate::domain::payload::Payload;
use crate::domain::scenario::After;
use crate::domain::status::{State, Status, WaitingReason};
use crate::domain::time::{Span, Timestamp};
use crate::store::query::{LetterState, ThreadKind};

/// Who is on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The broker's version.
    pub version: String,
    /// `sqlite`, `memory`.
    pub storage: String,
    /// The label of the environment, `PROD`; empty when none is configured.
    pub environment: String,
    /// Who we are: an address.
    pub identity: Address,
    /// True when this key may act.
    pub may_write: bool,
    /// `embedded`, or the URL.
    pub place: String,
    /// The organisation, for short addresses.
    pub org: String,
    /// The workspace, for short addresses.
    pub workspace: String,
    /// How long acts are held by default.
    pub hold_seconds: u32,
    /// True when acts on many have to be confirmed by typing their count, however few they are.
    pub is_protected: bool,
    /// The schedule of tries.
    pub retry: RetryRule,
    /// How long dead letters are kept; zero when that is not known.
    pub letters_kept: Span,
}

/// The numbers of the overview.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overview {
    /// As of when.
    pub at: Timestamp,
    /// The feed's head then.
    pub cursor: Cursor,
    /// Seconds since the broker started.
    pub uptime_seconds: u64,
    /// Intents by state, in the order of [`State::ALL`].
    pub states: [u64; 8],
    /// Intents by status, in the order of [`Status::ALL`].
    pub statuses: [u64; 10],
    /// One per binding, in the order of [`Binding::ALL`].
    pub bindings: Vec<BindingRow>,
    /// Accepted in each of the last seconds, oldest first.
    pub accepted: Vec<u32>,
    /// Successful hand-overs in each of the last seconds, oldest first.
    pub delivered: Vec<u32>,
    /// Failed attempts in each of the last seconds, oldest first.
    pub failed: Vec<u32>,
    /// Accepted per second, over ten seconds.
    pub in_per_second: f64,
    /// Successful hand-overs per second, over ten seconds.
    pub out_per_second: f64,
    /// Successful share of the attempts that ended in the last five minutes, in percent.
    pub ok_percent: Option<f64>,
    /// Hand-over to first acknowledgement or end: p50, p95, p99 in milliseconds.
    pub latency_ms: [Option<f64>; 3],
    /// Attempts running now.
    pub attempts_running: u64,
    /// Slots for attempts.
    pub slots: u64,
    /// Retries that are due now.
    pub retries_due: u64,
    /// When the next retry or timer is due.
    pub next_due_at: Option<Timestamp>,
    /// When the oldest unfinished intent was accepted.
    pub oldest_at: Option<Timestamp>,
    /// That intent.
    pub oldest: Option<IntentId>,
    /// The worst lag of an agent that is ok, in milliseconds.
    pub due_lag_ms: u64,
    /// Dead letters opened in the last hour.
    pub dead_last_hour: u64,
    /// Open tasks.
    pub tasks_open: u64,
    /// Open tasks past their reminder or deadline.
    pub tasks_overdue: u64,
    /// Completed in the last 24 hours, as far back as this run of the broker goes.
    pub completed_last_day: u64,
    /// Bytes on disk.
    pub store_bytes: u64,
    /// Commit time, 99th percentile, in milliseconds.
    pub commit_p99_ms: Option<f64>,
    /// The room on disk.
    pub disk: DiskState,
}

/// A binding's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct BindingRow {
    /// Which.
    pub binding: Binding,
    /// Ready.
    pub ready: u64,
    /// With a lease.
    pub leased: u64,
    /// Waiting for the next try.
    pub backing_off: u64,
    /// With a person or until an instant.
    pub held: u64,
    /// Live connections.
    pub connections: u64,
    /// Attempts started per second.
    pub attempts_per_second: f64,
    /// Failures per second.
    pub failures_per_second: f64,
}

/// An intent in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentRow {
    /// Its id.
    pub id: IntentId,
    /// Its type.
    pub intent_type: String,
    /// Its sender.
    pub from: Address,
    /// Its receiver.
    pub to: Address,
    /// Where it stands.
    pub status: Status,
    /// Its state among the eight.
    pub state: State,
    /// What it waits for.
    pub waiting: Option<WaitingReason>,
    /// The word for its delivery: `ready`, `leased`, `backing_off`, `held`, ...
    pub delivery: String,
    /// How it is handed over.
    pub binding: Binding,
    /// Attempts started.
    pub attempts: u32,
    /// The budget.
    pub max_attempts: u32,
    /// When the next try is due, or the lease ends.
    pub next_at: Option<Timestamp>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its deadline.
    pub deadline: Option<Timestamp>,
    /// Its correlation id.
    pub correlation_id: String,
    /// What it replays.
    pub replay_of: Option<IntentId>,
    /// The run that it is a step of.
    pub parent: Option<IntentId>,
    /// The error or last failure in a line.
    pub note: Option<String>,
}

/// One intent whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentView {
    /// Its row.
    pub row: IntentRow,
    /// The first ancestor.
    pub origin: IntentId,
    /// As what it was replayed.
    pub replayed_as: Option<IntentId>,
    /// Whose inbox gets the completion.
    pub reply_to: Option<Address>,
    /// Its trace.
    pub trace_id: Option<String>,
    /// What it carries.
    pub payload: Payload,
    /// Its result or error, an object.
    pub end: Option<Payload>,
    /// Everything that happened to it, oldest first.
    pub events: Vec<EventRow>,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptRow>,
    /// Its place among the dead letters.
    pub letter: Option<LetterRow>,
    /// Its task.
    pub task: Option<TaskRow>,
}

/// A fact of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// 1, 2, 3, ...
    pub seq: u32,
    /// When.
    pub at: Timestamp,
    /// `intent.created`, ...
    pub event_type: String,
    /// The status after it.
    pub status: Status,
    /// Who.
    pub actor: String,
    /// More, an object.
    pub details: Payload,
}

/// An attempt in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// Its id.
    pub id: AttemptId,
    /// Whose try.
    pub intent: IntentId,
    /// 1 for the first.
    pub number: u32,
    /// To whom.
    pub agent: Address,
    /// How.
    pub binding: Binding,
    /// When it was handed over.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Outcome,
    /// The class of its failure.
    pub error_class: Option<ErrorClass>,
    /// Its HTTP status.
    pub http_status: Option<u16>,
    /// The sentence of its failure.
    pub error: Option<String>,
    /// When the next is due.
    pub next_attempt_at: Option<Timestamp>,
    /// What the binding saw.
    pub report: Option<Arc<AttemptReport>>,
}

/// A dead letter in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterRow {
    /// The intent.
    pub intent: IntentId,
    /// Its type.
    pub intent_type: String,
    /// Its sender.
    pub from: Address,
    /// Its receiver.
    pub to: Address,
    /// How it was to be handed over.
    pub binding: Binding,
    /// Why.
    pub reason: DeadReason,
    /// The class of the last failure.
    pub error_class: Option<ErrorClass>,
    /// The last HTTP status.
    pub http_status: Option<u16>,
    /// The error in a line.
    pub message: String,
    /// Attempts started.
    pub attempts: u32,
    /// When it died.
    pub dead_at: Timestamp,
    /// The group it belongs to.
    pub fingerprint: String,
    /// What became of it.
    pub state: LetterState,
    /// As what it was replayed.
    pub replayed_as: Option<IntentId>,
    /// What it replays itself.
    pub replay_of: Option<IntentId>,
    /// What is staged on it.
    pub held: Option<HeldRow>,
}

/// Open dead letters that look alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterGroupRow {
    /// The rule's version and a hash.
    pub fingerprint: String,
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: DeadReason,
    /// The class of the failure.
    pub error_class: Option<ErrorClass>,
    /// The HTTP status.
    pub http_status: Option<u16>,
    /// The type of the sample.
    pub intent_type: String,
    /// The receiver.
    pub to: Address,
    /// The error of the sample in a line.
    pub message: String,
    /// When the first died.
    pub first_at: Timestamp,
    /// When the last died.
    pub last_at: Timestamp,
    /// Deaths in each of the last 24 hours, oldest first.
    pub hourly: Vec<u32>,
    /// The newest, at most five.
    pub newest: Vec<IntentId>,
    /// What was said of it, and what has happened since.
    pub state: GroupState,
    /// Who looks after it.
    pub owner: Option<Address>,
    /// Words for those who come later.
    pub note: Option<String>,
    /// Who said so, and when.
    pub marked: Option<(String, Timestamp)>,
}

/// A task, or the completion that a `reply_to` got, in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Its thread.
    pub thread: ThreadId,
    /// The intent.
    pub intent: IntentId,
    /// What it is.
    pub kind: ThreadKind,
    /// Whose inbox.
    pub owner: Address,
    /// Who asks.
    pub from: Address,
    /// The type of the intent.
    pub intent_type: String,
    /// The question in a line.
    pub title: String,
    /// More words.
    pub description: Option<String>,
    /// `approval`, ...
    pub task_type: String,
    /// What may be chosen, the positive first; empty means any.
    pub outcomes: Vec<String>,
    /// True when a decision needs a comment.
    pub is_comment_required: bool,
    /// True when a decision needs evidence.
    pub is_evidence_required: bool,
    /// JSON Schema of what is to be filled in.
    pub form: Option<Payload>,
    /// Addresses, roles or names that may decide besides the owner.
    pub assignees: Vec<String>,
    /// The version to decide on.
    pub version: u32,
    /// True while nobody has decided.
    pub is_open: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it should be answered: at its first reminder, or at the deadline when that is sooner.
    pub due_at: Option<Timestamp>,
    /// True when it is past its first reminder.
    pub is_overdue: bool,
    /// Its deadline.
    pub deadline: Option<Timestamp>,
    /// Reminders sent.
    pub reminded: u32,
    /// Reminders that are sent at most, where the sender said so.
    pub reminders_max: Option<u32>,
    /// Who becomes holder as well when all reminders have passed.
    pub escalates_to: Option<String>,
    /// The decision, once there is one.
    pub decision: Option<DecisionRow>,
    /// What is staged on it.
    pub held: Option<HeldRow>,
    /// Who has it now, where that is another than its owner: an address, or the role it was escalated to.
    pub delegated_to: Option<String>,
}

/// A decision as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    /// What.
    pub outcome: String,
    /// The words with it.
    pub comment: Option<String>,
    /// Who.
    pub by: String,
    /// Through what: `console`, `cli`, `api`, `page`, `mcp`.
    pub via: String,
    /// When.
    pub at: Timestamp,
}

/// Something staged and not final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    /// Its id.
    pub hold: HoldId,
    /// On which intent.
    pub intent: IntentId,
    /// The outcome, `replay` or `discard`.
    pub act: String,
    /// Who.
    pub by: String,
    /// When it takes effect.
    pub effective_at: Timestamp,
}

/// A thread whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadView {
    /// Its row.
    pub row: TaskRow,
    /// What the intent carries.
    pub payload: Payload,
    /// What happened in it, oldest first.
    pub timeline: Vec<ThreadEvent>,
    /// Where the run goes on that it is a step of; none when it is none, or decided.
    pub after: Option<After>,
}

/// An entry of a thread's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadEvent {
    /// When.
    pub at: Timestamp,
    /// `intent_received`, `inbox.replied`, `inbox.approved`, ...
    pub event_type: String,
    /// Who.
    pub actor: String,
    /// The words, if there are any.
    pub text: Option<String>,
}

/// An item of the feed in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRow {
    /// Its position.
    pub cursor: Cursor,
    /// When.
    pub at: Timestamp,
    /// `intent.completed`, `dead_letter.opened`, `agent.paused`, ...
    pub kind: String,
    /// The intent, if it is about one.
    pub intent: Option<IntentId>,
    /// The receiver, if it is about one.
    pub agent: Option<Address>,
    /// The intent's status after it.
    pub status: Option<Status>,
    /// Who.
    pub actor: String,
    /// More, an object.
    pub data: Payload,
}
