//! Everything one can ask of an intent.

use std::sync::Arc;

use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::attempt::AttemptReport;
use crate::domain::controls::RetryDelay;
use crate::domain::fact::Actor;
use crate::domain::failure::{DeadReason, Failure};
use crate::domain::ids::{AttemptId, HoldId, IntentId, SessionId, ThreadId};
use crate::domain::intent::End;
use crate::domain::payload::{Entries, Payload};
use crate::domain::scenario::{StepOf, Workflow};
use crate::domain::status::{Status, WaitingReason};
use crate::domain::task::{ReminderPlan, TaskSpec};
use crate::domain::time::{Span, Timestamp};
use crate::domain::via::Via;

/// One request to one intent. The writer runs them one after another.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Take in a new intent.
    Submit(Box<Submit>),
    /// Hand it over: a slot is in hand.
    Start(Start),
    /// The receiver has taken it (2xx, ack).
    Acknowledge(Acknowledge),
    /// The attempt failed, was given back, or its connection broke.
    Fail(Fail),
    /// Keep the lease longer.
    Extend(Extend),
    /// The receiver's answer; with an open task, a person's.
    Resume(Box<Resume>),
    /// End it with a status.
    Resolve(Resolve),
    /// Decide its open task.
    Decide(Box<Decide>),
    /// Say something in its task's thread.
    Reply(Reply),
    /// Hand its open task to somebody else as well.
    Delegate(Delegate),
    /// Empty words in its task's thread.
    EmptyMessages {
        /// The numbers of the facts that said them.
        messages: Vec<u32>,
        /// Who asks.
        by: Address,
    },
    /// Note that an inbox has seen what it holds of it.
    MarkRead {
        /// Whose inbox.
        by: Address,
    },
    /// Change what governs it.
    Control(Box<Control>),
    /// Make a waiting retry due at once.
    RetryNow {
        /// Who asks.
        by: Actor,
    },
    /// Replay a dead letter as a new intent.
    Replay(Box<Replay>),
    /// Put a dead letter aside.
    Discard(Discard),
    /// Take back a held command.
    CancelHold {
        /// Which.
        hold: HoldId,
        /// Who asks.
        by: Actor,
    },
    /// Write down that a result came too late. The writer runs it when the result was refused.
    RejectResult {
        /// Whose result.
        attempt: AttemptId,
        /// Who brought it.
        by: Actor,
    },
    /// A child has ended. Comes from its end alone, in the same commit.
    StepEnded(Box<StepEnded>),
    /// Somebody else holds a child. Comes from the child alone, in the same commit.
    StepMoved(Box<StepMoved>),
    /// The run of this step is escalated. Comes from its run alone, in the same commit.
    Escalate {
        /// To whom.
        to: String,
    },
    /// The run of this step has ended. Comes from its end alone, in the same commit.
    Withdraw,
    /// Do what is due.
    Tick,
    /// The broker has started anew: an attempt that was running is of unknown fate.
    Recover,
}

/// A new intent as its sender wants it. Checked by whoever built it; the engine fills in the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Submit {
    /// Its id, made at the door.
    pub id: IntentId,
    /// The id of its task's thread, should it have one.
    pub thread: ThreadId,
    /// `intent.order.process.v1`.
    pub intent_type: String,
    /// A UUID.
    pub correlation_id: String,
    /// Who sends it.
    pub from: Address,
    /// Who is to get it.
    pub to: Address,
    /// Whose inbox gets the completion.
    pub reply_to: Option<Address>,
    /// The trace it belongs to.
    pub trace_id: Option<String>,
    /// What it carries.
    pub payload: PayloadSource,
    /// Bytes of the payload.
    pub payload_bytes: u32,
    /// When it is too late.
    pub deadline: Option<Timestamp>,
    /// The same, from now.
    pub ttl: Option<Span>,
    /// The budget of attempts.
    pub max_attempts: Option<u32>,
    /// When to remind.
    pub reminders: ReminderPlan,
    /// What a person is asked.
    pub task: Option<Box<TaskSpec>>,
    /// Set when it replays a dead letter.
    pub replay: Option<Lineage>,
    /// Its part in a run.
    pub part: Part,
}

impl Submit {
    /// An intent of no run that asks for nothing special: no deadline, the usual budget, nobody to remind.
    /// It correlates with nothing but itself.
    #[must_use]
    pub fn plain(
        id: IntentId,
        thread: ThreadId,
        intent_type: &str,
        from: Address,
        to: Address,
        payload: Payload,
    ) -> Self {
        Self {
            id,
            thread,
            intent_type: intent_type.to_owned(),
            correlation_id: id.to_string(),
            from,
            to,
            reply_to: None,
            trace_id: None,
            payload_bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
            payload: PayloadSource::Given(payload),
            deadline: None,
            ttl: None,
            max_attempts: None,
            reminders: ReminderPlan::default(),
            task: None,
            replay: None,
            part: Part::Plain,
        }
    }
}

/// What a new intent is in a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Part {
    /// Nothing: it stands for itself.
    #[default]
    Plain,
    /// The parent.
    Run(Box<Workflow>),
    /// A step.
    Step(Box<NewStep>),
}

/// A step of a run, to be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStep {
    /// Whose step.
    pub of: StepOf,
    /// How it is handed over; its receiver's own way when absent.
    pub binding: Option<Binding>,
    /// How long the broker waits before it is done.
    pub wait: Span,
    /// Its result, when it is done at once.
    pub done_with: Option<Payload>,
}

/// A child of a run has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct StepEnded {
    /// Which.
    pub child: IntentId,
    /// How.
    pub end: End,
    /// Why, should it have failed.
    pub reason: Option<DeadReason>,
}

/// Somebody else holds a child of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepMoved {
    /// Which.
    pub child: IntentId,
    /// Who holds it now.
    pub to: String,
    /// After whom, when it was escalated; none when somebody handed it on.
    pub escalated_from: Option<String>,
    /// What its run waits for now; none when that has not changed.
    pub waiting: Option<WaitingReason>,
    /// Who moved it.
    pub by: Actor,
}

/// Where a new intent's payload comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayloadSource {
    /// With the command.
    Given(Payload),
    /// The stored payload of another intent.
    SameAs(IntentId),
    /// That of a run, with what its step adds: [`crate::engine::workflow::child_payload`].
    OfRun {
        /// The run.
        run: IntentId,
        /// What the step adds, an object.
        beside: Payload,
    },
}

/// What a replay descends from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// The first ancestor.
    pub origin: IntentId,
    /// The dead letter that is replayed.
    pub replay_of: IntentId,
    /// True when the payload was changed.
    pub is_edited: bool,
}

/// A slot for an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The connection that has the slot.
    pub session: SessionId,
    /// How it is handed over.
    pub binding: Binding,
    /// Rows that are already unfinished on that connection: the lease grows with them.
    pub rows_before: u32,
}

/// A receiver has taken it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledge {
    /// The fence; none means the attempt that is open.
    pub attempt: Option<AttemptId>,
    /// Who says so.
    pub by: Actor,
    /// What the binding saw.
    pub report: Option<Arc<AttemptReport>>,
}

/// An attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fail {
    /// The fence; none means the attempt that is open.
    pub attempt: Option<AttemptId>,
    /// Why.
    pub failure: Failure,
    /// Replaces the schedule's delay.
    pub delay: Option<Span>,
    /// Who says so.
    pub by: Actor,
    /// What the binding saw.
    pub report: Option<Arc<AttemptReport>>,
}

/// Keep the lease longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extend {
    /// The fence; none means the attempt that is open.
    pub attempt: Option<AttemptId>,
    /// From now; none means the acknowledgement timeout.
    pub span: Option<Span>,
    /// Who asks.
    pub by: Actor,
}

/// A body of `resume`, with its control keys taken out.
#[derive(Debug, Clone, PartialEq)]
pub struct Resume {
    /// The JSON object as it came.
    pub body: Entries,
    /// Who answers.
    pub by: Address,
    /// Through what, should it decide a task.
    pub via: Via,
    /// The name for the record, when the caller gave one.
    pub actor: Actor,
    /// The fence, when the caller names it.
    pub attempt: Option<AttemptId>,
    /// Refuse quietly when the intent's controls have changed since.
    pub expected_generation: Option<u32>,
    /// What the binding saw, when the answer came with a push.
    pub report: Option<Arc<AttemptReport>>,
}

/// A change of controls or policy. What is none stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Laid over the controls, an object; `null` takes a key away.
    pub controls: Option<Payload>,
    /// Laid over the envelope.
    pub envelope: Option<Payload>,
    /// Laid over the grants.
    pub grants: Option<Payload>,
    /// A deadline so long from now.
    pub timeout: Option<Span>,
    /// A deadline so long after its birth.
    pub ttl: Option<Span>,
    /// A deadline.
    pub expires_at: Option<Timestamp>,
    /// A budget of attempts, the first included.
    pub max_attempts: Option<u32>,
    /// How long a receiver may hold an attempt.
    pub ack_timeout: Option<Span>,
    /// A delay between tries.
    pub retry_delay: Option<RetryDelay>,
    /// Why.
    pub reason: Option<String>,
    /// Who asks.
    pub by: Actor,
    /// Refuse quietly when the intent's controls have changed since.
    pub expected_generation: Option<u32>,
}

/// End it with a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// COMPLETED, FAILED or CANCELED.
    pub status: Status,
    /// The result, for COMPLETED.
    pub result: Option<Payload>,
    /// The error object, for FAILED.
    pub error: Option<Payload>,
    /// Why.
    pub reason: Option<String>,
    /// Who asks.
    pub by: Actor,
    /// Refuse quietly when the intent's controls have changed since.
    pub expected_generation: Option<u32>,
}

/// A person's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The task's first positive outcome.
    Yes,
    /// The task's negative outcome.
    No,
    /// A named outcome.
    Outcome(String),
}

/// Decide an open task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decide {
    /// What.
    pub choice: Choice,
    /// The words with it.
    pub comment: Option<String>,
    /// Whatever else was handed in, an object.
    pub data: Option<Payload>,
    /// The version that was seen; a newer one refuses.
    pub version: Option<u32>,
    /// Take effect so much later.
    pub hold: Span,
    /// Who decides.
    pub by: Address,
    /// Through what.
    pub via: Via,
}

/// Say something in a task's thread. On an inbox intent without a task of its own it is the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The words.
    pub message: String,
    /// Who.
    pub by: Address,
    /// Through what, should it be the answer.
    pub via: Via,
}

/// Hand an open task to somebody else as well. Its owner goes on seeing it, and may decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegate {
    /// To whom.
    pub to: Address,
    /// The words with it.
    pub note: Option<String>,
    /// The version that was seen; a newer one refuses.
    pub version: Option<u32>,
    /// Who hands it on.
    pub by: Address,
}

/// Replay a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The id of the new intent.
    pub new_id: IntentId,
    /// The id of its task's thread, should it have one.
    pub new_thread: ThreadId,
    /// Another payload.
    pub payload: Option<Payload>,
    /// Another receiver.
    pub to: Option<Address>,
    /// Another budget.
    pub max_attempts: Option<u32>,
    /// Also when it has been replayed before.
    pub is_forced: bool,
    /// Why, for the record.
    pub reason: Option<String>,
    /// Take effect so much later.
    pub hold: Span,
    /// Who asks.
    pub by: Address,
}

/// Put a dead letter aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discard {
    /// Why.
    pub reason: String,
    /// Take effect so much later.
    pub hold: Span,
    /// Who asks.
    pub by: Address,
}
