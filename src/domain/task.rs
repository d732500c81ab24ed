//! Human tasks: what a person is asked, what was answered, what is held.

use crate::domain::address::Address;
use crate::domain::ids::{HoldId, ThreadId};
use crate::domain::payload::Payload;
use crate::domain::time::{Span, Timestamp};
use crate::domain::via::Via;

/// The kinds of question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TaskType {
    /// May it happen?
    Approval,
    /// Is this change right?
    Review,
    /// What is meant?
    Clarification,
    /// Do this, then say so.
    ManualAction,
    /// Is it so?
    Confirmation,
    /// Who takes this?
    Assignment,
    /// May a rule be bypassed? A comment is always required.
    Override,
    /// Fill in.
    Form,
    /// Any other word; its outcome is free.
    Other(String),
}

impl TaskType {
    /// The word on the wire.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Approval => "approval",
            Self::Review => "review",
            Self::Clarification => "clarification",
            Self::ManualAction => "manual_action",
            Self::Confirmation => "confirmation",
            Self::Assignment => "assignment",
            Self::Override => "override",
            Self::Form => "form",
            Self::Other(name) => name,
        }
    }

    /// The type of that name; an unknown one is [`TaskType::Other`].
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "approval" => Self::Approval,
            "review" => Self::Review,
            "clarification" => Self::Clarification,
            "manual_action" => Self::ManualAction,
            "confirmation" => Self::Confirmation,
            "assignment" => Self::Assignment,
            "override" => Self::Override,
            "form" => Self::Form,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Outcomes when the sender names none, the positive first; empty means any.
    #[must_use]
    pub const fn default_outcomes(&self) -> &'static [&'static str] {
        match self {
            Self::Approval => &["approved", "rejected"],
            Self::Review => &["approved", "changes_requested", "rejected"],
            Self::Clarification => &["provided", "rejected"],
            Self::ManualAction => &["completed", "failed"],
            Self::Confirmation => &["confirmed", "rejected"],
            Self::Assignment => &["assigned", "declined"],
            Self::Override => &["override_approved", "rejected"],
            Self::Form => &["submitted", "rejected"],
            Self::Other(_) => &[],
        }
    }
}

/// True for the outcomes that end in a no.
#[must_use]
pub fn is_negative(outcome: &str) -> bool {
    matches!(
        outcome,
        "rejected" | "failed" | "declined" | "changes_requested"
    )
}

/// What a sender asks of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSpec {
    /// The question in a line.
    pub title: String,
    /// More words.
    pub description: Option<String>,
    /// The kind of question.
    pub task_type: TaskType,
    /// Replaces the type's outcomes when not empty.
    pub allowed_outcomes: Vec<String>,
    /// True when every decision needs a comment.
    pub is_comment_required: bool,
    /// Addresses, roles or names that may decide besides the owner.
    pub assignees: Vec<String>,
    /// True when a decision needs evidence.
    pub is_evidence_required: bool,
    /// JSON Schema of a form.
    pub form_schema: Option<Payload>,
    /// Kept and shown; no mail is sent.
    pub notify_email: Option<String>,
}

impl TaskSpec {
    /// The outcomes that may be chosen, the positive first; empty means any.
    #[must_use]
    pub fn outcomes(&self) -> Vec<String> {
        if self.allowed_outcomes.is_empty() {
            self.task_type
                .default_outcomes()
                .iter()
                .map(|&outcome| outcome.to_owned())
                .collect()
        } else {
            self.allowed_outcomes.clone()
        }
    }

    /// The first outcome that is a yes.
    #[must_use]
    pub fn positive_outcome(&self) -> Option<String> {
        if matches!(self.task_type, TaskType::Other(_)) && self.allowed_outcomes.is_empty() {
            return Some("approved".to_owned());
        }
        self.outcomes()
            .into_iter()
            .find(|outcome| !is_negative(outcome))
    }

    /// The outcome that is a plain no: `rejected` where allowed, else the first negative one.
    #[must_use]
    pub fn negative_outcome(&self) -> Option<String> {
        if matches!(self.task_type, TaskType::Other(_)) && self.allowed_outcomes.is_empty() {
            return Some("rejected".to_owned());
        }
        let outcomes = self.outcomes();
        let mut negatives = outcomes.into_iter().filter(|outcome| is_negative(outcome));
        let first = negatives.next();
        match first {
            Some(outcome) if outcome != "rejected" => negatives
                .find(|other| other == "rejected")
                .or(Some(outcome)),
            other => other,
        }
    }

    /// True when a comment must be given with `outcome`.
    #[must_use]
    pub fn needs_comment(&self) -> bool {
        self.is_comment_required || self.task_type == TaskType::Override
    }
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its thread in the owner's inbox.
    pub thread: ThreadId,
    /// Whose inbox it lies in.
    pub owner: Address,
    /// The question.
    pub spec: TaskSpec,
    /// Starts at 1, rises with every change of the task.
    pub version: u32,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The decision that won.
    pub decision: Option<Decision>,
    /// Who holds it beside its owner, the last one last: by delegation, or because it was escalated.
    pub delegates: Vec<Address>,
}

/// A decision as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The chosen outcome.
    pub outcome: String,
    /// The words with it.
    pub comment: Option<String>,
    /// Everything else that was handed in, for forms and evidence.
    pub data: Option<Payload>,
    /// Who.
    pub by: Address,
    /// Through what.
    pub via: Via,
    /// When.
    pub at: Timestamp,
    /// The version that was decided.
    pub version: u32,
}

/// When to remind and whom to tell in the end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReminderPlan {
    /// Before the first reminder.
    pub after: Option<Span>,
    /// Between reminders; the first value when absent.
    pub interval: Option<Span>,
    /// At most so many.
    pub max: Option<u32>,
    /// Who becomes holder as well when all have passed.
    pub escalate_to: Option<String>,
}

/// What may be staged and taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldAct {
    /// A decision of a task, with the version that was seen.
    Decide {
        /// The chosen outcome.
        outcome: String,
        /// The words with it.
        comment: Option<String>,
        /// The version that was seen.
        version: Option<u32>,
        /// What was filled in or handed in with it, an object.
        data: Option<Payload>,
        /// Through what it was made.
        via: Via,
    },
    /// A replay of a dead letter.
    Replay,
    /// A discard of a dead letter.
    Discard {
        /// Why.
        reason: String,
    },
}

impl HeldAct {
    /// The word of the act: the outcome, `replay` or `discard`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Decide { outcome, .. } => outcome,
            Self::Replay => "replay",
            Self::Discard { .. } => "discard",
        }
    }
}

/// A command that is stored and takes effect later unless it is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// What will happen.
    pub act: HeldAct,
    /// Who staged it.
    pub by: Address,
    /// When it was staged.
    pub placed_at: Timestamp,
    /// When it takes effect.
    pub effective_at: Timestamp,
}
