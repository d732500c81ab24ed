//! Everything an operator can do.

use crate::domain::address::Address;
use crate::domain::agent::AgentLimit;
use crate::domain::group::GroupChange;
use crate::domain::ids::{AttemptId, HoldId, IntentId};
use crate::domain::payload::Payload;
use crate::domain::time::{Span, Timestamp};
use crate::engine::command::Choice;

/// One act. What has a `hold` is staged and can be taken back until it elapses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Decide an open task.
    Decide {
        /// Of which intent.
        intent: IntentId,
        /// What.
        choice: Choice,
        /// The words with it.
        comment: Option<String>,
        /// What else is handed in, an object: a form, `evidence`, an `assignee`, `steps`.
        data: Option<Payload>,
        /// The version that was seen.
        version: Option<u32>,
        /// Take effect so much later.
        hold: Span,
    },
    /// Say something in a task's thread.
    Reply {
        /// Of which intent.
        intent: IntentId,
        /// The words.
        message: String,
    },
    /// Hand a task to somebody else as well; to oneself, which takes it; to its owner, which gives it back.
    Delegate {
        /// Of which intent.
        intent: IntentId,
        /// To whom; none means oneself.
        to: Option<Address>,
        /// The words with it.
        note: Option<String>,
        /// The version that was seen.
        version: Option<u32>,
    },
    /// Replay a dead letter.
    Replay {
        /// Which.
        intent: IntentId,
        /// Another payload.
        payload: Option<Payload>,
        /// Another receiver.
        to: Option<Address>,
        /// Also when it has been replayed before.
        is_forced: bool,
        /// Why.
        reason: Option<String>,
        /// Take effect so much later.
        hold: Span,
    },
    /// Put a dead letter aside.
    Discard {
        /// Which.
        intent: IntentId,
        /// Why.
        reason: String,
        /// Take effect so much later.
        hold: Span,
    },
    /// Withdraw an unfinished intent.
    Cancel {
        /// Which.
        intent: IntentId,
        /// Why.
        reason: Option<String>,
    },
    /// Make a waiting retry due at once.
    RetryNow {
        /// Of which intent.
        intent: IntentId,
        /// Why.
        reason: String,
    },
    /// Take a staged act back.
    Undo {
        /// Which.
        hold: HoldId,
    },
    /// Hold an agent's intents back.
    Pause {
        /// Whose.
        agent: Address,
        /// Why.
        reason: String,
    },
    /// Let them go on.
    Unpause {
        /// Whose.
        agent: Address,
        /// Why.
        reason: String,
    },
    /// Stop an agent: nothing goes to it or comes from it, and what is open waits.
    Kill {
        /// Whose.
        agent: Address,
        /// Why.
        reason: String,
    },
    /// Let it go on.
    Revive {
        /// Whose.
        agent: Address,
        /// Why.
        reason: String,
    },
    /// Bound how fast an agent is served.
    Limit {
        /// Which.
        agent: Address,
        /// How fast.
        limit: AgentLimit,
        /// Why.
        reason: String,
    },
    /// Take an agent's endpoint for well: its breaker closes.
    ResetBreaker {
        /// Whose.
        agent: Address,
        /// Why.
        reason: String,
    },
    /// Say whose a group of dead letters is, and whether it is dealt with.
    MarkGroup {
        /// Which: its fingerprint.
        fingerprint: String,
        /// What changes.
        change: GroupChange,
        /// Why.
        reason: Option<String>,
    },
    /// Put on record what this desk has shown or written. Nothing else changes.
    Record {
        /// What it did.
        action: Recorded,
        /// On what: an intent's id, or what was exported.
        target: String,
        /// Why.
        reason: Option<String>,
        /// More, an object: the path that was shown; the filter, the file and the count.
        details: Payload,
    },
    /// Send an intent.
    Send(Box<NewIntent>),
    /// End an intent for its receiver: what `resume` does.
    Resume {
        /// Which.
        intent: IntentId,
        /// The body, an object.
        body: Payload,
        /// The fence, when known.
        attempt: Option<AttemptId>,
    },
}

/// What a desk puts on record by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// A masked value was shown.
    Reveal,
    /// Rows were written to a file.
    Export,
}

impl Recorded {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reveal => "payload.reveal",
            Self::Export => "export",
        }
    }
}

/// An intent to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// `intent.order.process.v1`.
    pub intent_type: String,
    /// Its receiver, in any accepted form.
    pub to: String,
    /// What it carries, an object.
    pub payload: Payload,
    /// Whose inbox gets the completion, in any accepted form.
    pub reply_to: Option<String>,
    /// A UUID; made when missing.
    pub correlation_id: Option<String>,
    /// When it is too late.
    pub deadline: Option<Timestamp>,
    /// The budget of attempts.
    pub max_attempts: Option<u32>,
    /// What a person is asked, as the wire's `human_task` object.
    pub human_task: Option<Payload>,
    /// An idempotency key.
    pub key: Option<String>,
}

/// What an act did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The intent that it was about, or that it made.
    pub intent: Option<IntentId>,
    /// The new intent of a replay.
    pub new_intent: Option<IntentId>,
    /// The hold, when it was staged.
    pub hold: Option<HoldId>,
    /// When it takes effect, when it was staged.
    pub effective_at: Option<Timestamp>,
    /// The status of the intent after it.
    pub status: Option<crate::domain::status::Status>,
}
