//! What goes to the writer and what comes back.

use std::sync::Arc;

use uuid::Uuid;

use crate::broker::registry::Registered;
use crate::broker::vitals::Room;
use crate::domain::address::Address;
use crate::domain::admission::{ENTRIES_MAX, SendMode, SenderPattern};
use crate::domain::agent::{Agent, AgentLimit, AgentStatus, Binding, Secret};
use crate::domain::fact::{Fact, FeedItem};
use crate::domain::group::{GroupChange, GroupMark};
use crate::domain::ids::{AccountId, Cursor, IntentId, JobId, KeyId, PolicyEntryId};
use crate::domain::intent::Intent;
use crate::domain::job::{Job, JobControl, JobState, NewJob};
use crate::domain::key::{Key, KeyHash, Role};
use crate::domain::payload::Payload;
use crate::domain::subscription::{SUBSCRIPTIONS_MAX, Subscription, SubscriptionId};
use crate::domain::time::{Span, Timestamp};
use crate::engine::command::Command;
use crate::engine::refusal::Refusal;
use crate::store::error::StoreError;

/// One command for one intent, with what is to be stored beside it in the same commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Which intent; for a submit the new one.
    pub intent: IntentId,
    /// What.
    pub command: Command,
    /// Answer the same again when the same key comes again.
    pub remember: Option<RememberKey>,
    /// The entry of the audit log, for an operator's write.
    pub audit: Option<AuditNote>,
}

impl Request {
    /// A request with neither idempotency key nor audit entry.
    #[must_use]
    pub const fn plain(intent: IntentId, command: Command) -> Self {
        Self {
            intent,
            command,
            remember: None,
            audit: None,
        }
    }
}

/// An idempotency key as a client gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberKey {
    /// Account, method and path.
    pub scope: String,
    /// The key.
    pub key: String,
    /// SHA-256 of the canonical request.
    pub fingerprint: [u8; 32],
}

/// Who did what through what, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditNote {
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
    /// On whose behalf, when it is somebody else's.
    pub owner: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The trace.
    pub trace_id: Option<String>,
}

/// What was committed for a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The intent after it. For a repeated idempotency key: as it was after the first.
    pub intent: Arc<Intent>,
    /// What happened to it; for a repeated idempotency key, what the first did.
    pub facts: Vec<Fact>,
    /// Other intents that moved in the same commit: the new one of a replay.
    pub caused: Vec<Arc<Intent>>,
    /// The position of the commit in the feed.
    pub cursor: Cursor,
    /// True when this is the answer to an earlier, equal request.
    pub is_repeat: bool,
}

/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An operator's command was refused.
    #[error(transparent)]
    Denied(#[from] AdminRefusal),
    /// The idempotency key came with another request before.
    #[error("key reused with different payload")]
    KeyConflict,
    /// The commit queue is full.
    #[error("the broker is busy; hint: try again in a second")]
    Busy,
    /// The disk is low or full: no new intents.
    #[error("the broker's disk is {}; hint: deliveries and results go on, new intents need room first", state_of(.0))]
    StorageLow(Room),
    /// The disk is full: nothing can be written down.
    #[error(
        "no space is left on the broker's disk; hint: try again, it goes on by itself once there is room"
    )]
    StorageFull,
    /// The broker is stopping.
    #[error("the broker is stopping")]
    Stopping,
    /// Memory failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn state_of(room: &Room) -> String {
    match (room.is_full, room.free_bytes) {
        (true, _) => "full".to_owned(),
        (false, Some(free)) => format!(
            "low: {free} bytes are free, {} are wanted (store.disk_low_bytes)",
            room.low_bytes
        ),
        (false, None) => "low".to_owned(),
    }
}

/// A command to agents and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminCommand {
    /// Register an agent with an account; the same name gives the existing one.
    Register(Box<NewAgent>),
    /// Change an agent.
    Update {
        /// Which.
        account: AccountId,
        /// What.
        patch: Box<AgentPatch>,
    },
    /// Delete an account and revoke its keys; its intents are kept.
    Delete {
        /// Which.
        account: AccountId,
    },
    /// Hold an agent's intents back.
    Pause {
        /// Which.
        address: Address,
        /// Why.
        reason: String,
    },
    /// Let them go on.
    Unpause {
        /// Which.
        address: Address,
    },
    /// Stop an agent: nothing goes to it or comes from it until it is revived.
    Kill {
        /// Which.
        address: Address,
        /// Why.
        reason: String,
    },
    /// Let it go on.
    Revive {
        /// Which.
        address: Address,
    },
    /// Say who may send to an agent.
    ChangePolicy {
        /// To whom.
        address: Address,
        /// What changes.
        change: PolicyChange,
    },
    /// Bound how fast an agent is served; what is none stays.
    Limit {
        /// Which.
        address: Address,
        /// How fast.
        limit: AgentLimit,
    },
    /// Take an agent's endpoint for well: its breaker closes, and what waits goes on slowly.
    ResetBreaker {
        /// Which.
        address: Address,
    },
    /// Make a webhook subscription, or change the one its owner has for this URL.
    Subscribe(Box<NewSubscription>),
    /// Take one away.
    Unsubscribe {
        /// Which.
        id: SubscriptionId,
        /// Whose; none for whosever it is.
        owner: Option<Address>,
    },
    /// Carry an event to whoever of its owner's subscriptions wants it.
    PublishEvent(Box<PublishedEvent>),
    /// Keep a text of a binding's own under its name: how far it has come with what follows from commits.
    Keep(&'static str, String),
    /// Make a key. The token was made by the caller; only its hash comes here.
    CreateKey {
        /// Its id, given out by the broker before.
        id: KeyId,
        /// Whose.
        account: AccountId,
        /// SHA-256 of the token.
        hash: KeyHash,
        /// The token's first characters.
        hint: String,
        /// What it allows.
        role: Role,
        /// When it stops working by itself.
        expires_at: Option<Timestamp>,
    },
    /// Register a schema, or replace the one of its type. Its instants are the broker's to set.
    PutSchema(Box<Registered>),
    /// Put on record what a desk has shown or written, with its particulars. Nothing else changes.
    Note(Option<Payload>),
    /// Say something of a group of dead letters.
    MarkGroup {
        /// Which: its fingerprint.
        fingerprint: String,
        /// What changes.
        change: Box<GroupChange>,
    },
    /// Start a job.
    StartJob(Box<StartJob>),
    /// Pause, resume or cancel a job.
    ControlJob(JobId, JobControl),
    /// Revoke a key, at once.
    RevokeKey {
        /// Whose.
        account: AccountId,
        /// Which.
        id: KeyId,
    },
}

/// A job with what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartJob {
    /// What is done, and how fast.
    pub job: NewJob,
    /// To which, in their order.
    pub intents: Vec<IntentId>,
    /// Intents that matched, and why some of them were left out.
    pub matched: u64,
    /// Why, and how many.
    pub left_out: Vec<(String, u64)>,
    /// The key under which it is ordered once.
    pub remember: Option<RememberKey>,
    /// Who orders it.
    pub by: Address,
    /// Through what.
    pub via: String,
}

/// A webhook subscription to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscription {
    /// Whose.
    pub owner: Address,
    /// True when it tells of everybody's intents.
    pub is_of_all: bool,
    /// Where events are posted.
    pub callback_url: String,
    /// Which events; a trailing `*` matches any rest.
    pub event_types: Vec<String>,
    /// What signs, if the owner chose it.
    pub secret: Option<String>,
    /// What signs if not.
    pub fresh_secret: String,
    /// Whether anything is sent.
    pub is_active: bool,
    /// What it is for.
    pub description: Option<String>,
}

/// An event from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedEvent {
    /// Its id.
    pub id: Uuid,
    /// Which.
    pub event_type: String,
    /// Whose subscriptions get it.
    pub owner: Address,
    /// The trace.
    pub trace_id: Option<String>,
    /// What receivers are sent, an object.
    pub body: Payload,
}

/// A change of a send policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyChange {
    /// Another mode.
    Mode(SendMode),
    /// One more entry; the same pattern again changes nothing.
    Add(SenderPattern),
    /// One entry less.
    Remove(PolicyEntryId),
}

/// An agent to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgent {
    /// Its address.
    pub address: Address,
    /// Its name, verbatim.
    pub name: String,
    /// A name for people.
    pub display_name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// How it receives.
    pub binding: Binding,
    /// Where we post, for [`Binding::Http`].
    pub callback_url: Option<String>,
    /// Its own acknowledgement timeout.
    pub ack_timeout: Option<Span>,
    /// Most unfinished rows of one connection, or posts at once.
    pub max_in_flight: Option<u32>,
}

/// A change of an agent; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentPatch {
    /// A name for people.
    pub display_name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Whether it may be used.
    pub status: Option<AgentStatus>,
    /// How it receives.
    pub binding: Option<Binding>,
    /// Where we post.
    pub callback_url: Option<String>,
    /// Its own acknowledgement timeout.
    pub ack_timeout: Option<Span>,
    /// Most unfinished rows of one connection, or posts at once.
    pub max_in_flight: Option<u32>,
    /// Its signing secrets, newest first.
    pub secrets: Option<Vec<Secret>>,
    /// Most calls begun per 1000 seconds; zero for as many as it can take.
    pub rate_millihertz: Option<u32>,
}

/// What an operator's command did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdminReceipt {
    /// The agent after it.
    pub agent: Option<Arc<Agent>>,
    /// The key after it.
    pub key: Option<Arc<Key>>,
    /// The job after it.
    pub job: Option<Arc<Job>>,
    /// The schema after it.
    pub schema: Option<Arc<Registered>>,
    /// What is kept of the group after it.
    pub group: Option<Box<GroupMark>>,
    /// The webhook subscription after it.
    pub subscription: Option<Arc<Subscription>>,
    /// How many subscriptions an event goes to.
    pub queued: u32,
    /// True when nothing had to change.
    pub is_repeat: bool,
}

/// Why an operator's command was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminRefusal {
    /// No such account.
    #[error("no account {0}")]
    NoAccount(AccountId),
    /// No such key.
    #[error("no key {0} of this account")]
    NoKey(KeyId),
    /// No such agent.
    #[error("no agent at {0}")]
    NoAgent(Address),
    /// Another account has the address.
    #[error("address {0} belongs to another account")]
    AddressTaken(Address),
    /// No such job.
    #[error("no job {0}")]
    NoJob(JobId),
    /// No dead letter has this fingerprint.
    #[error("no dead letter of group {0}")]
    NoGroup(String),
    /// The job has ended.
    #[error("job {0} is {name}; nothing can change it", name = .1.name())]
    JobFinished(JobId, JobState),
    /// It would refuse what was good before.
    #[error(
        "schema of {semantic_type} is kept backward compatible, and this one newly requires {names}; \
         hint: register a new version of the type",
        names = .names.join(", ")
    )]
    SchemaIncompatible {
        /// Of which type.
        semantic_type: String,
        /// What it requires now and did not before.
        names: Vec<String>,
    },
    /// No such entry of a policy.
    #[error("no entry {1} in the policy of {0}")]
    NoPolicyEntry(Address, PolicyEntryId),
    /// The policy is full.
    #[error("the policy of {0} has {ENTRIES_MAX} entries, which is the most")]
    PolicyFull(Address),
    /// No such subscription.
    #[error("no subscription {0}")]
    NoSubscription(SubscriptionId),
    /// One owner has so many.
    #[error("{0} has {SUBSCRIPTIONS_MAX} subscriptions, which is the most")]
    TooManySubscriptions(Address),
    /// An http agent needs a URL.
    #[error("delivery_mode http needs a callback_url")]
    NoCallback,
    /// Only agents that are called have a rate and a breaker.
    #[error("{0} is not called by the broker: it has neither a rate nor a breaker")]
    NotCalled(Address),
}

impl AdminRefusal {
    /// The code of the wire's error table.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoAccount(_) => "account_not_found",
            Self::NoKey(_) => "key_not_found",
            Self::NoAgent(_) => "agent_not_found",
            Self::AddressTaken(_) => "address_taken",
            Self::NoJob(_) => "job_not_found",
            Self::NoGroup(_) => "dead_letter_not_found",
            Self::JobFinished(..) => "job_finished",
            Self::SchemaIncompatible { .. } => "schema_incompatible",
            Self::NoPolicyEntry(..) => "not_found",
            Self::NoSubscription(_) => "subscription_not_found",
            Self::NoCallback
            | Self::NotCalled(_)
            | Self::PolicyFull(_)
            | Self::TooManySubscriptions(_) => "schema_invalid",
        }
    }
}

/// A commit as the bus carries it: everything that became true together.
#[derive(Debug, Clone)]
pub struct Published {
    /// The items of the feed, in order.
    pub items: Vec<FeedItem>,
    /// The intents that moved, as they are now.
    pub intents: Vec<Arc<Intent>>,
}
