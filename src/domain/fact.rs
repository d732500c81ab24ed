//! Facts: what happened, as it is stored. The state of an intent is the fold of its facts.

mod after;

use std::sync::Arc;

use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::attempt::AttemptReport;
use crate::domain::controls::RetryDelay;
use crate::domain::failure::{DeadReason, Failure};
use crate::domain::ids::{AttemptId, Cursor, HoldId, IntentId, SessionId, ThreadId};
use crate::domain::intent::{End, IntentError};
use crate::domain::payload::Payload;
use crate::domain::scenario::{StepOf, Workflow};
use crate::domain::status::{Status, WaitingReason};
use crate::domain::task::{Decision, Hold, ReminderPlan, TaskSpec};
use crate::domain::time::{Span, Timestamp};

/// One thing that happened to one intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Whose fact it is.
    pub intent: IntentId,
    /// 1, 2, 3, ... without gaps within the intent.
    pub seq: u32,
    /// Its number among the public events of the intent, when it is one: also 1, 2, 3, ...
    pub event: Option<u32>,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What.
    pub body: FactBody,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The broker itself.
    Broker,
    /// Somebody with an address, or a name that the caller gave for the record.
    Party(String),
}

impl Actor {
    /// The wire's form.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Broker => "postroom",
            Self::Party(name) => name,
        }
    }

    /// The actor at an address.
    #[must_use]
    pub fn at(address: &Address) -> Self {
        Self::Party(address.to_string())
    }
}

/// Everything an intent is born with, but its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Birth {
    /// `intent.order.process.v1`.
    pub intent_type: String,
    /// A UUID.
    pub correlation_id: String,
    /// Who sent it.
    pub from: Address,
    /// Who is to get it.
    pub to: Address,
    /// Whose inbox gets the completion.
    pub reply_to: Option<Address>,
    /// The trace it belongs to.
    pub trace_id: Option<String>,
    /// The first ancestor.
    pub origin: IntentId,
    /// The dead letter that it replays.
    pub replay_of: Option<IntentId>,
    /// True when it replays with another payload.
    pub is_edited_replay: bool,
    /// How it is handed over.
    pub binding: Binding,
    /// When it is too late.
    pub deadline: Option<Timestamp>,
    /// The relative deadline it was given.
    pub ttl: Option<Span>,
    /// How long a receiver may hold an attempt.
    pub ack_timeout: Span,
    /// The budget of attempts.
    pub max_attempts: u32,
    /// When to remind.
    pub reminders: ReminderPlan,
    /// Bytes of the payload, for people.
    pub payload_bytes: u32,
    /// What it runs.
    pub workflow: Option<Box<Workflow>>,
    /// Whose step it is.
    pub step: Option<Box<StepOf>>,
}

/// A change of controls or policy, with the effects it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlsChange {
    /// 1 for the first.
    pub generation: u32,
    /// Laid over the controls, an object.
    pub controls: Option<Payload>,
    /// Laid over the envelope, an object.
    pub envelope: Option<Payload>,
    /// Laid over the grants, an object.
    pub grants: Option<Payload>,
    /// Why.
    pub reason: Option<String>,
    /// The new deadline.
    pub deadline: Option<Timestamp>,
    /// The new relative deadline, kept for replays.
    pub ttl: Option<Span>,
    /// The new budget of attempts.
    pub max_attempts: Option<u32>,
    /// The new span that a receiver may hold an attempt.
    pub ack_timeout: Option<Span>,
    /// The new delay between tries.
    pub retry_delay: Option<RetryDelay>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactBody {
    /// Stored.
    Created(Box<Birth>),
    /// Taken in.
    Submitted,
    /// Available at its receiver's binding; again whenever it is offered anew.
    Delivered {
        /// How.
        binding: Binding,
        /// Attempts started before.
        attempts: u32,
    },
    /// Waits for somebody or something else.
    Waiting {
        /// For what.
        reason: WaitingReason,
        /// For whom: an address, a role or a name.
        holder: String,
        /// Until when, for [`WaitingReason::Time`].
        until: Option<Timestamp>,
    },
    /// A question to a person was opened.
    TaskOpened {
        /// Its thread.
        thread: ThreadId,
        /// Whose inbox.
        owner: Address,
        /// The question.
        spec: Box<TaskSpec>,
    },
    /// Really handed over.
    AttemptStarted {
        /// The fence.
        attempt: AttemptId,
        /// 1 for the first.
        number: u32,
        /// How.
        binding: Binding,
        /// Over which connection.
        session: SessionId,
        /// When the lease ends.
        lease_until: Timestamp,
    },
    /// A try failed and a retry follows.
    AttemptFailed {
        /// Which.
        attempt: AttemptId,
        /// Its number.
        number: u32,
        /// Why.
        failure: Failure,
        /// When the next is due.
        next_at: Timestamp,
        /// What the binding saw.
        report: Option<Arc<AttemptReport>>,
    },
    /// Back at the binding after a pause between tries. Not a public event.
    Offered,
    /// A receiver has taken it.
    Acknowledged {
        /// Which attempt.
        attempt: AttemptId,
        /// When the lease ends now.
        lease_until: Timestamp,
        /// What the binding saw.
        report: Option<Arc<AttemptReport>>,
    },
    /// A receiver, or somebody for it, says that work goes on.
    InProgress {
        /// The attempt that is open, if one is.
        attempt: Option<AttemptId>,
        /// When the lease ends now, if one is open.
        lease_until: Option<Timestamp>,
    },
    /// The lease was made longer. Not a public event.
    LeaseExtended {
        /// Which attempt.
        attempt: AttemptId,
        /// When the lease ends now.
        lease_until: Timestamp,
    },
    /// An operator asked for the next try now. Not a public event.
    RetriedNow,
    /// What governs it was changed. Not a public event.
    ControlsChanged(Box<ControlsChange>),
    /// A task was decided. The move it causes follows. Not a public event.
    TaskDecided(Box<Decision>),
    /// Words in a task's thread that decide nothing. Not a public event.
    TaskReplied {
        /// The words.
        message: String,
    },
    /// A task was handed to somebody else as well. The wait that it causes follows. Not a public event.
    TaskDelegated {
        /// To whom.
        to: Address,
        /// The words with it.
        note: Option<String>,
    },
    /// Words in a task's thread were emptied: they are not shown any more. Not a public event.
    MessagesEmptied {
        /// The numbers of the facts that said them.
        messages: Vec<u32>,
    },
    /// An inbox has seen what it holds of the intent. Not a public event.
    ThreadRead {
        /// Whose inbox.
        by: Address,
    },
    /// A reminder went out.
    Reminded {
        /// 1 for the first.
        number: u32,
        /// To whom.
        holder: String,
    },
    /// Somebody became holder as well.
    Escalated {
        /// Who.
        to: String,
        /// After whom.
        from: String,
        /// How it is offered there, where that is an agent. Whoever had it before may still answer.
        offered: Option<Binding>,
    },
    /// Delivery was given up; the end follows.
    DeliveryFailed {
        /// The attempt that was the last, if one was running.
        attempt: Option<AttemptId>,
        /// Attempts started.
        attempts: u32,
        /// Why.
        reason: DeadReason,
        /// What went wrong last.
        failure: Option<Failure>,
        /// What the binding saw.
        report: Option<Arc<AttemptReport>>,
    },
    /// Ended with a result.
    Completed {
        /// The attempt that was open.
        attempt: Option<AttemptId>,
        /// The result, an object.
        result: Payload,
        /// What the binding saw, when the answer came with a push.
        report: Option<Arc<AttemptReport>>,
    },
    /// Ended with an error.
    Failed {
        /// The attempt that was open.
        attempt: Option<AttemptId>,
        /// The error.
        error: IntentError,
        /// What the binding saw, when the answer came with a push.
        report: Option<Arc<AttemptReport>>,
    },
    /// Withdrawn.
    Canceled {
        /// The attempt that was open.
        attempt: Option<AttemptId>,
        /// Why.
        reason: Option<String>,
    },
    /// The deadline came.
    TimedOut {
        /// The attempt that was open.
        attempt: Option<AttemptId>,
        /// The error.
        error: IntentError,
    },
    /// A result of an attempt came after that attempt was superseded, or after the intent had ended:
    /// it was refused and changed nothing. Not a public event of the intent.
    ResultRejected {
        /// Whose result.
        attempt: AttemptId,
    },
    /// A step of its run begins. The wait that it causes follows. Not a public event.
    StepStarted {
        /// Its place in the workflow.
        step: u32,
        /// The child that does it.
        child: IntentId,
        /// 1 for the first try.
        attempt: u32,
        /// When the child is too late.
        due: Option<Timestamp>,
    },
    /// A step of its run ended. The move that it causes follows. Not a public event.
    StepEnded {
        /// Its place in the workflow.
        step: u32,
        /// The child that did it.
        child: IntentId,
        /// How the child ended.
        end: Box<End>,
        /// When the next try begins, if one follows.
        retry_at: Option<Timestamp>,
    },
    /// Became a dead letter. Not a public event of the intent.
    DeadLetterOpened {
        /// Why.
        reason: DeadReason,
        /// The rule's version and a hash.
        fingerprint: String,
    },
    /// Replayed. Not a public event of the intent.
    DeadLetterReplayed {
        /// As which intent.
        as_intent: IntentId,
    },
    /// Put aside. Not a public event of the intent.
    DeadLetterDiscarded {
        /// Why.
        reason: String,
    },
    /// A command was staged. Not a public event of the intent.
    HoldPlaced(Box<Hold>),
    /// It was taken back. Not a public event of the intent.
    HoldCanceled {
        /// Which.
        hold: HoldId,
    },
    /// It took effect, or could not. Not a public event of the intent.
    HoldElapsed {
        /// Which.
        hold: HoldId,
        /// Why it could not: the code it would have got.
        refused: Option<String>,
    },
}

impl FactBody {
    /// The type in the feed, and of the public event when it is one.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Created(_) => "intent.created",
            Self::Submitted => "intent.submitted",
            Self::Delivered { .. } => "intent.delivered",
            Self::Waiting { .. } => "intent.waiting",
            Self::TaskOpened { .. } => "intent.human_task_assigned",
            Self::AttemptStarted { .. } => "intent.attempt_started",
            Self::AttemptFailed { .. } => "intent.attempt_failed",
            Self::Offered => "intent.offered",
            Self::Acknowledged { .. } => "intent.acknowledged",
            Self::InProgress { .. } => "intent.in_progress",
            Self::LeaseExtended { .. } => "intent.lease_extended",
            Self::RetriedNow => "intent.retried_now",
            Self::ControlsChanged(_) => "intent.controls_changed",
            Self::TaskDecided(_) => "inbox.task_decided",
            Self::TaskReplied { .. }
            | Self::TaskDelegated { .. }
            | Self::MessagesEmptied { .. }
            | Self::ThreadRead { .. } => "inbox.thread_updated",
            Self::Reminded { .. } => "intent.reminder",
            Self::Escalated { .. } => "intent.escalated",
            Self::DeliveryFailed { .. } => "intent.delivery_failed",
            Self::Completed { .. } => "intent.completed",
            Self::Failed { .. } => "intent.failed",
            Self::Canceled { .. } => "intent.canceled",
            Self::TimedOut { .. } => "intent.timed_out",
            Self::ResultRejected { .. } => "intent.result_rejected",
            Self::StepStarted { .. } => "intent.step_started",
            Self::StepEnded { .. } => "intent.step_ended",
            Self::DeadLetterOpened { .. } => "dead_letter.opened",
            Self::DeadLetterReplayed { .. } => "dead_letter.replayed",
            Self::DeadLetterDiscarded { .. } => "dead_letter.discarded",
            Self::HoldPlaced(_) => "hold.placed",
            Self::HoldCanceled { .. } => "hold.canceled",
            Self::HoldElapsed { .. } => "hold.elapsed",
        }
    }

    /// True when it is an event of the intent that its sender sees.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        !matches!(
            self,
            Self::Offered
                | Self::LeaseExtended { .. }
                | Self::RetriedNow
                | Self::ControlsChanged(_)
                | Self::TaskDecided(_)
                | Self::TaskReplied { .. }
                | Self::TaskDelegated { .. }
                | Self::MessagesEmptied { .. }
                | Self::ThreadRead { .. }
                | Self::ResultRejected { .. }
                | Self::StepStarted { .. }
                | Self::StepEnded { .. }
                | Self::DeadLetterOpened { .. }
                | Self::DeadLetterReplayed { .. }
                | Self::DeadLetterDiscarded { .. }
                | Self::HoldPlaced(_)
                | Self::HoldCanceled { .. }
                | Self::HoldElapsed { .. }
        )
    }
}

/// One thing that happened to an agent, a key or the broker; in the feed, not in an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// `agent.paused`, `key.created`, `broker.started`, ...
    pub kind: String,
    /// Whose agent, if it is about one.
    pub agent: Option<Address>,
    /// More, an object.
    pub data: Payload,
}

/// An item of the feed: everything that was committed, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedItem {
    /// Its position.
    pub cursor: Cursor,
    /// What happened.
    pub entry: FeedEntry,
}

/// What an item of the feed is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedEntry {
    /// An intent; with its receiver and its status after the fact, which the fact alone does not tell.
    Intent {
        /// The fact.
        fact: Fact,
        /// Its receiver.
        agent: Address,
        /// Its status after the fact.
        status: Status,
    },
    /// Something else.
    Notice(Notice),
}
