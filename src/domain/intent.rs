//! The intent: one unit of work from a sender to a receiver, as the fold of its facts.
//!
//! The payload is not here. It never changes, lies in a table of its own, and is read when needed.

use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::controls::Controls;
use crate::domain::failure::{DeadReason, Failure};
use crate::domain::ids::{AttemptId, IntentId, SessionId};
use crate::domain::payload::Payload;
use crate::domain::scenario::{Place, Run, StepOf};
use crate::domain::status::{State, Status, WaitingReason};
use crate::domain::task::{Hold, ReminderPlan, Task};
use crate::domain::time::{Span, Timestamp};

/// The current state of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its id.
    pub id: IntentId,
    /// `intent.order.process.v1`.
    pub intent_type: String,
    /// The sender's correlation id, a UUID.
    pub correlation_id: String,
    /// Who sent it.
    pub from: Address,
    /// Who is to get it.
    pub to: Address,
    /// Who was to get it at first, where an escalation has moved it. May still answer.
    pub first_to: Option<Address>,
    /// Whose inbox gets the completion.
    pub reply_to: Option<Address>,
    /// The trace it belongs to.
    pub trace_id: Option<String>,
    /// The first ancestor; itself when it is no replay.
    pub origin: IntentId,
    /// The dead letter that this one replays.
    pub replay_of: Option<IntentId>,
    /// True when it replays with another payload: receivers see another message then.
    pub is_edited_replay: bool,
    /// How it is handed over: as its receiver was reached when it was accepted, or when it was escalated there.
    pub binding: Binding,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it is too late.
    pub deadline: Option<Timestamp>,
    /// The relative deadline it was given, kept for replays.
    pub ttl: Option<Span>,
    /// How long a receiver may hold an attempt.
    pub ack_timeout: Span,
    /// The budget of attempts.
    pub max_attempts: u32,
    /// When to remind.
    pub reminders: ReminderPlan,
    /// Set when it is a step of a run.
    pub step: Option<Box<StepOf>>,

    /// Facts so far; the next one is `seq + 1`.
    pub seq: u32,
    /// Public events so far; the next one is `event_seq + 1`.
    pub event_seq: u32,
    /// Where it stands.
    pub status: Status,
    /// What it waits for, when WAITING.
    pub waiting: Option<WaitingReason>,
    /// Where its delivery stands.
    pub delivery: Delivery,
    /// Attempts started.
    pub attempts: u32,
    /// When a receiver first acknowledged it.
    pub acknowledged_at: Option<Timestamp>,
    /// The last failure of an attempt.
    pub last_failure: Option<Failure>,
    /// Reminders sent.
    pub reminded: u32,
    /// When the last reminder, or the start of the wait, was.
    pub reminder_base: Option<Timestamp>,
    /// To whom it was escalated.
    pub escalated_to: Option<String>,
    /// The question to a person, if there is one.
    pub task: Option<Task>,
    /// What is staged and not final yet, oldest first.
    pub holds: Vec<Hold>,
    /// How it ended.
    pub end: Option<End>,
    /// Its place among the dead letters.
    pub dead_letter: Option<DeadLetter>,
    /// Changes of controls and policy applied.
    pub policy_generation: u32,
    /// What they said, once there was one.
    pub controls: Option<Box<Controls>>,
    /// How far its workflow has come, when it runs one.
    pub run: Option<Box<Run>>,
    /// Who has to act now, where that is another than at first: by delegation or escalation.
    pub handed_to: Option<String>,
    /// The inboxes that have seen what they hold of it, as it is now.
    pub read_by: Vec<Address>,
}

/// Where an intent comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Somebody sent it.
    Intent,
    /// It is a step of a run.
    Step,
    /// It carries an event to a webhook subscription.
    Webhook,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Intent, Self::Step, Self::Webhook];

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Step => "step",
            Self::Webhook => "webhook",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where the delivery to the current holder stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Lies at the binding.
    Ready {
        /// Since when.
        since: Timestamp,
    },
    /// A receiver has it.
    Leased(Lease),
    /// Waits for its next try.
    BackingOff {
        /// Until when.
        until: Timestamp,
    },
    /// A person has it.
    HeldByPerson,
    /// Nobody has it until an instant.
    HeldByTime {
        /// Until when.
        until: Timestamp,
    },
    /// The steps of its run have it.
    HeldBySteps,
    /// Ended with an answer.
    Done,
    /// Ended as a dead letter.
    Dead,
    /// Ended because the intent was withdrawn.
    Withdrawn,
}

impl Delivery {
    /// The word on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::Leased(_) => "leased",
            Self::BackingOff { .. } => "backing_off",
            Self::HeldByPerson | Self::HeldByTime { .. } | Self::HeldBySteps => "held",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A receiver's right to one attempt until an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The fence.
    pub attempt: AttemptId,
    /// The attempt's number.
    pub number: u32,
    /// How it was handed over; a poll may take from a stream's mailbox.
    pub binding: Binding,
    /// The connection that has it.
    pub session: SessionId,
    /// When it was handed over.
    pub started_at: Timestamp,
    /// When the lease ends.
    pub until: Timestamp,
}

/// How an intent ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// COMPLETED with a result.
    Completed {
        /// The result, an object.
        result: Payload,
    },
    /// FAILED with an error.
    Failed {
        /// The error.
        error: IntentError,
    },
    /// CANCELED.
    Canceled {
        /// Why.
        reason: Option<String>,
    },
    /// TIMED_OUT.
    TimedOut {
        /// The error.
        error: IntentError,
    },
}

impl End {
    /// The status that goes with it.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Completed { .. } => Status::Completed,
            Self::Failed { .. } => Status::Failed,
            Self::Canceled { .. } => Status::Canceled,
            Self::TimedOut { .. } => Status::TimedOut,
        }
    }
}

/// The error object of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentError {
    /// `delivery_failed`, `intent_timeout`, `agent_failed`, `rejected`, ...
    pub code: String,
    /// At most 2000 characters.
    pub message: String,
    /// `validation auth policy transport timeout internal`.
    pub category: String,
    /// True when sending again may help.
    pub is_retryable: bool,
    /// Whatever the receiver added, an object.
    pub details: Option<Payload>,
}

/// A dead letter's own life, after its intent has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Why.
    pub reason: DeadReason,
    /// The rule's version and a hash: `f1:9c2e41d07a55`.
    pub fingerprint: String,
    /// When it became one.
    pub at: Timestamp,
    /// What became of it.
    pub state: DeadLetterState,
}

/// What became of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetterState {
    /// Nobody has dealt with it.
    Open,
    /// Replayed.
    Replayed {
        /// As which intent.
        as_intent: IntentId,
    },
    /// Put aside.
    Discarded {
        /// Why.
        reason: String,
    },
}

impl Intent {
    /// Who was to get it at first.
    #[must_use]
    pub fn first_receiver(&self) -> &Address {
        self.first_to.as_ref().unwrap_or(&self.to)
    }

    /// Where it comes from.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.step.is_some() {
            Kind::Step
        } else if self.to.is_webhook() {
            Kind::Webhook
        } else {
            Kind::Intent
        }
    }

    /// True when it has ended.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.status.is_terminal()
    }

    /// The lease that is open now.
    #[must_use]
    pub const fn lease(&self) -> Option<&Lease> {
        match &self.delivery {
            Delivery::Leased(lease) => Some(lease),
            _ => None,
        }
    }

    /// True while a step of its run is under way.
    #[must_use]
    pub fn is_at_step(&self) -> bool {
        self.run
            .as_ref()
            .is_some_and(|run| matches!(run.place, Place::At { .. }))
    }

    /// The task, while nobody has decided it.
    #[must_use]
    pub fn open_task(&self) -> Option<&Task> {
        if self.is_finished() {
            return None;
        }
        self.task.as_ref().filter(|task| task.decision.is_none())
    }

    /// True when it is a dead letter that nobody has dealt with. A person's no is listed apart.
    #[must_use]
    pub fn is_open_dead_letter(&self) -> bool {
        self.dead_letter.as_ref().is_some_and(|letter| {
            letter.state == DeadLetterState::Open && letter.reason != DeadReason::Rejected
        })
    }

    /// Its state among the eight of the overview.
    #[must_use]
    pub fn state(&self) -> State {
        if self.is_open_dead_letter() {
            return State::DeadLetter;
        }
        match self.status {
            Status::Completed => State::Completed,
            Status::Failed | Status::Canceled | Status::TimedOut => State::Failed,
            Status::Acknowledged | Status::InProgress => match self.delivery {
                Delivery::BackingOff { .. } => State::Retrying,
                _ => State::InFlight,
            },
            Status::Waiting if self.waiting == Some(WaitingReason::Human) => State::WaitingHuman,
            Status::Waiting => State::WaitingOther,
            Status::Created | Status::Submitted => State::Queued,
            Status::Delivered => match self.delivery {
                Delivery::Leased(_) => State::InFlight,
                _ if self.last_failure.is_some() => State::Retrying,
                _ => State::Queued,
            },
        }
    }

    /// When a binding may first hand it over: the instant by which `ready` lists are ordered.
    /// `None` when nothing is to be handed over.
    #[must_use]
    pub const fn ready_at(&self) -> Option<Timestamp> {
        match self.delivery {
            Delivery::Ready { since } => Some(since),
            _ => None,
        }
    }

    /// The next instant at which the engine must look at it: the least of retry instant, lease end,
    /// wake-up, reminder, hold and deadline.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let hold = self.holds.iter().map(|hold| hold.effective_at).min();
        if self.is_finished() {
            return hold;
        }
        let delivery = match &self.delivery {
            Delivery::BackingOff { until } | Delivery::HeldByTime { until } => Some(*until),
            Delivery::Leased(lease) => Some(lease.until),
            _ => None,
        };
        [hold, delivery, self.deadline, self.next_reminder()]
            .into_iter()
            .flatten()
            .min()
    }

    /// When its task should be answered: at its first reminder, or at the deadline when that is sooner.
    /// It does not move with later reminders, so that lists by due instant stay in order.
    #[must_use]
    pub fn task_due_at(&self) -> Option<Timestamp> {
        let task = self.task.as_ref()?;
        let reminder = self
            .reminders
            .after
            .map(|after| task.opened_at.after(after));
        [reminder, self.deadline].into_iter().flatten().min()
    }

    /// When the next reminder or the escalation is due.
    #[must_use]
    pub fn next_reminder(&self) -> Option<Timestamp> {
        let base = self.reminder_base?;
        let after = self.reminders.after?;
        let interval = self.reminders.interval.unwrap_or(after);
        let step = if self.reminded == 0 { after } else { interval };
        let limit = match (self.reminders.max, self.reminders.interval) {
            (Some(max), _) => max,
            (None, Some(_)) => u32::MAX,
            (None, None) => 1,
        };
        let is_escalation_open =
            self.reminders.escalate_to.is_some() && self.escalated_to.is_none();
        (self.reminded < limit || is_escalation_open).then(|| base.after(step))
    }
}
