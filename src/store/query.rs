//! What readers ask for: filters, pages, counters. Plain data; no store is named here.

use std::sync::Arc;

use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::attempt::Outcome;
use crate::domain::failure::{DeadReason, ErrorClass};
use crate::domain::ids::{AuditId, Cursor, IntentId, ThreadId};
use crate::domain::intent::{Intent, Kind};
use crate::domain::payload::Payload;
use crate::domain::status::{State, Status};
use crate::domain::time::Timestamp;

/// A window of a list: where it starts and how much it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Most items.
    pub limit: u32,
    /// Where the last page ended, as that page said.
    pub cursor: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            limit: 50,
            cursor: None,
        }
    }
}

/// A window of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page starts; none on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The same page of other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
        }
    }
}

/// Which intents. Everything given must hold. Newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IntentFilter {
    /// One of these statuses; empty means any.
    pub statuses: Vec<Status>,
    /// One of these states of the overview; empty means any.
    pub states: Vec<State>,
    /// Of one of these kinds; empty means any.
    pub kinds: Vec<Kind>,
    /// Only unfinished ones.
    pub is_unfinished: bool,
    /// Its receiver.
    pub to: Option<Address>,
    /// Its sender.
    pub from: Option<Address>,
    /// Sent by, addressed to, or replying to this party: what a non-admin may see.
    pub party: Option<Address>,
    /// Its type; a trailing `*` matches any rest.
    pub intent_type: Option<String>,
    /// Its correlation id.
    pub correlation_id: Option<String>,
    /// Its first ancestor.
    pub origin: Option<IntentId>,
    /// Accepted at or after.
    pub since: Option<Timestamp>,
    /// Accepted before.
    pub until: Option<Timestamp>,
    /// The id starts or ends with this, or the correlation id starts with it.
    pub text: Option<String>,
    /// All of these stand in its payload or in what a row says of it, in any case. No index knows, so a page
    /// looks at as many intents as its limit says and may hold fewer, or none, and still have a next one.
    pub contains: Vec<String>,
}

/// Which attempts. Newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptFilter {
    /// Of this intent.
    pub intent: Option<IntentId>,
    /// To this receiver.
    pub agent: Option<Address>,
    /// Over this binding.
    pub binding: Option<Binding>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// With this error class.
    pub error_class: Option<ErrorClass>,
    /// Started at or after.
    pub since: Option<Timestamp>,
}

/// The state of a dead letter, without what goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LetterState {
    /// Nobody has dealt with it.
    Open,
    /// Replayed.
    Replayed,
    /// Put aside.
    Discarded,
}

impl LetterState {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }
}

/// Which dead letters. Newest first. Letters with reason `rejected` only when asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LetterFilter {
    /// Its receiver.
    pub agent: Option<Address>,
    /// Its type; a trailing `*` matches any rest.
    pub intent_type: Option<String>,
    /// Its reason.
    pub reason: Option<DeadReason>,
    /// Its error class.
    pub error_class: Option<ErrorClass>,
    /// Dead at or after.
    pub since: Option<Timestamp>,
    /// Dead before.
    pub until: Option<Timestamp>,
    /// Its fingerprint; the short label (first four characters of the hash) is understood too.
    pub fingerprint: Option<String>,
    /// Its state; open when not said.
    pub state: Option<LetterState>,
}

/// Open dead letters that look alike. Largest group first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterGroup {
    /// The rule's version and a hash.
    pub fingerprint: String,
    /// How many.
    pub count: u64,
    /// When the first died.
    pub first_at: Timestamp,
    /// When the last died.
    pub last_at: Timestamp,
    /// The newest of them, at most five; the first is the sample.
    pub newest: Vec<Arc<Intent>>,
    /// How many died in each of the last 24 hours, oldest first.
    pub hourly: Vec<u32>,
}

/// What a thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ThreadKind {
    /// A question to a person.
    Task,
    /// The end of an intent, told to its `reply_to`.
    Completion,
}

impl ThreadKind {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Completion => "completion",
        }
    }
}

/// Which threads of an inbox.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadFilter {
    /// Whose inbox; none means everybody's.
    pub owner: Option<Address>,
    /// Only open tasks, or only finished threads.
    pub is_pending: Option<bool>,
    /// Only this kind.
    pub kind: Option<ThreadKind>,
    /// Open tasks by due instant (soonest first) instead of newest change first.
    pub is_due_first: bool,
}

/// A thread: derived from its intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Its id; that of the intent for a completion.
    pub id: ThreadId,
    /// What it is.
    pub kind: ThreadKind,
    /// Whose inbox it lies in.
    pub owner: Address,
    /// True while it waits for a decision.
    pub is_pending: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The intent that it is about.
    pub intent: Arc<Intent>,
}

/// How many intents of a receiver stand where. Maintained, never counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AgentDepth {
    /// Ready at the binding.
    pub ready: u64,
    /// With a lease.
    pub leased: u64,
    /// Waiting for the next try.
    pub backing_off: u64,
    /// With a person, or until an instant.
    pub held: u64,
    /// Open dead letters.
    pub dead: u64,
}

/// The maintained counters of everything stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Intents by status, in the order of [`Status::ALL`].
    pub by_status: [u64; 10],
    /// Intents by state, in the order of [`State::ALL`].
    pub by_state: [u64; 8],
    /// Depths by binding, in the order of [`Binding::ALL`].
    pub by_binding: [AgentDepth; 5],
    /// Depths by receiver.
    pub by_agent: Vec<(Address, AgentDepth)>,
    /// Open tasks.
    pub open_tasks: u64,
}

/// Which part of the feed. Oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedFilter {
    /// After this position.
    pub since: Cursor,
    /// Of these types; a trailing `*` matches any rest; empty means any.
    pub types: Vec<String>,
    /// Of this intent.
    pub intent: Option<IntentId>,
    /// About this receiver.
    pub agent: Option<Address>,
}

/// An operator's write, done or refused, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// With which key.
    pub key: Option<String>,
    /// `api`, `console`, `cli`.
    pub via: String,
    /// `intent.cancel`, `dead_letter.replay`, `task.decide`, `agent.pause`, `key.create`, ...
    pub action: String,
    /// On what.
    pub target: String,
    /// On whose behalf; the same as `actor` unless the request named somebody else.
    pub owner: String,
    /// Why.
    pub reason: Option<String>,
    /// `done`, `held` when it takes effect later, or the refusal's code.
    pub result: String,
    /// What it changed, an object with `before` and `after`. Never secrets.
    pub details: Option<Payload>,
    /// The trace.
    pub trace_id: Option<String>,
}

/// An entry of the audit log with its place there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// Its id, rising.
    pub id: AuditId,
    /// What was written down.
    pub entry: AuditEntry,
}

/// Which entries of the audit log. Everything given must hold. Newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Done by this party, or on its behalf.
    pub party: Option<Address>,
    /// Actions that begin so.
    pub action_prefix: Option<String>,
    /// Through this: `api`, `console`, `cli`.
    pub via: Option<String>,
    /// Targets that contain this.
    pub target: Option<String>,
    /// Only what was refused, or only what was not.
    pub is_refused: Option<bool>,
    /// At or after.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

impl AuditEntry {
    /// True when nothing came of it.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !matches!(self.result.as_str(), "done" | "held")
    }
}
