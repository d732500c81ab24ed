//! Workflows: the steps of a scenario, and how far a run of them has come.
//!
//! The run is an intent, the parent. Each step that is under way is a child intent of its own, so that leases,
//! tasks, deadlines and retries of delivery are those of any intent.

use crate::domain::address::Address;
use crate::domain::ids::IntentId;
use crate::domain::payload::Payload;
use crate::domain::status::WaitingReason;
use crate::domain::task::{ReminderPlan, TaskSpec};
use crate::domain::time::{Span, Timestamp};

/// Who holds what the broker does itself, as the wire names it.
pub const BROKER_HOLDER: &str = "agent_core";

/// What runs: the steps in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// The scenario's id, for people and receivers.
    pub scenario: String,
    /// The place of the first step in `steps`.
    pub entry: u32,
    /// At least one.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, unique in the workflow.
    pub id: String,
    /// What is done.
    pub work: StepWork,
    /// Who does it; for what the broker does, whom it tells.
    pub holder: Address,
    /// Handed to whoever does it, an object.
    pub input: Option<Payload>,
    /// How long one try may take.
    pub deadline: Option<Span>,
    /// Tries after the first.
    pub retries_max: u32,
    /// Before another try.
    pub retry_delay: Span,
    /// When to remind its holder.
    pub reminders: ReminderPlan,
    /// Where to go on; the next of the list when absent.
    pub on_success: Option<u32>,
    /// Where to go on after a failure; the run fails when absent.
    pub on_failure: Option<u32>,
}

/// What a step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepWork {
    /// An agent works.
    Agent,
    /// A person decides.
    Person(Box<TaskSpec>),
    /// Nothing happens for a while.
    Delay {
        /// How long.
        span: Span,
    },
    /// Words to an inbox.
    Notice {
        /// The line above; `{{intent_id}}` is filled in.
        subject: String,
        /// The words; `{{intent_id}}` is filled in.
        body: String,
    },
    /// Words to somebody who is to look after it.
    Escalation {
        /// Why.
        reason: String,
    },
}

impl StepWork {
    /// What a run waits for at such a step.
    #[must_use]
    pub const fn waiting(&self) -> WaitingReason {
        match self {
            Self::Agent => WaitingReason::Agent,
            Self::Person(_) => WaitingReason::Human,
            Self::Delay { .. } => WaitingReason::Time,
            Self::Notice { .. } | Self::Escalation { .. } => WaitingReason::Tool,
        }
    }
}

/// How far a workflow has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What runs.
    pub workflow: Workflow,
    /// Where it stands.
    pub place: Place,
    /// Tries of steps begun so far.
    pub started: u32,
    /// The last result of each step that gave one, in the order of the first results.
    pub results: Vec<StepResult>,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Between two steps, before the first or after the last.
    Between,
    /// At a step.
    At {
        /// Its place in the list.
        step: u32,
        /// The child that does it.
        child: IntentId,
        /// 1 for the first try.
        attempt: u32,
        /// When the child is too late.
        due: Option<Timestamp>,
    },
    /// Before another try of a step.
    Pausing {
        /// Its place in the list.
        step: u32,
        /// The number of the coming try.
        attempt: u32,
    },
}

/// What a step gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepResult {
    /// Its place in the list.
    pub step: u32,
    /// The result, an object.
    pub result: Payload,
}

/// Where a run goes on after the step that it is at, by the names of the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// After a success; without one the run is complete.
    pub success: Option<String>,
    /// After a failure that is not tried again, such as a no; without one the run fails.
    pub failure: Option<String>,
}

impl After {
    /// The step that follows a decision; none when the run ends with it.
    #[must_use]
    pub fn next(&self, is_no: bool) -> Option<&str> {
        let next = if is_no { &self.failure } else { &self.success };
        next.as_deref()
    }
}

/// What a child knows of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepOf {
    /// The parent.
    pub run: IntentId,
    /// The step's name.
    pub step: String,
    /// The scenario's id.
    pub scenario: String,
    /// 1 for the first try.
    pub attempt: u32,
}

impl Workflow {
    /// The step at a place of the list.
    #[must_use]
    pub fn step(&self, place: u32) -> Option<&Step> {
        self.steps.get(usize::try_from(place).ok()?)
    }
}

impl Run {
    /// A run before its first step.
    #[must_use]
    pub const fn new(workflow: Workflow) -> Self {
        Self {
            workflow,
            place: Place::Between,
            started: 0,
            results: Vec::new(),
        }
    }

    /// The step it is at.
    #[must_use]
    pub fn step(&self) -> Option<&Step> {
        match self.place {
            Place::At { step, .. } | Place::Pausing { step, .. } => self.workflow.step(step),
            Place::Between => None,
        }
    }

    /// The child that is under way.
    #[must_use]
    pub const fn child(&self) -> Option<IntentId> {
        match self.place {
            Place::At { child, .. } => Some(child),
            Place::Between | Place::Pausing { .. } => None,
        }
    }

    /// Where it goes on after this child; none when it is not at it.
    #[must_use]
    pub fn after(&self, asked: IntentId) -> Option<After> {
        let Place::At { step, child, .. } = self.place else {
            return None;
        };
        let current = self.workflow.step(step).filter(|_| child == asked)?;
        let name = |place: u32| self.workflow.step(place).map(|step| step.id.clone());
        Some(After {
            success: name(current.on_success.unwrap_or_else(|| step.saturating_add(1))),
            failure: current.on_failure.and_then(name),
        })
    }

    /// The question that a person is asked now.
    #[must_use]
    pub fn open_question(&self) -> Option<(IntentId, &TaskSpec)> {
        match (&self.step()?.work, self.child()) {
            (StepWork::Person(spec), Some(child)) => Some((child, spec)),
            _ => None,
        }
    }

    /// Keeps the result of a step in place of its earlier one.
    pub fn keep(&mut self, step: u32, result: Payload) {
        match self.results.iter_mut().find(|kept| kept.step == step) {
            Some(kept) => kept.result = result,
            None => self.results.push(StepResult { step, result }),
        }
    }
}
