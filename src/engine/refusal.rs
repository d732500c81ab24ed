//! Every reason for a no. A refusal is an answer; nothing has changed when it is given.

use crate::domain::address::Address;
use crate::domain::admission::Denial;
use crate::domain::ids::{AttemptId, IntentId};
use crate::domain::status::Status;
use crate::domain::task::Decision;
use crate::domain::time::Timestamp;

/// Why a command was refused. [`Refusal::code`] is the wire's code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such intent.
    #[error("no intent {0}")]
    Unknown(IntentId),
    /// That id is taken; ids are random, so this is a repeated command.
    #[error("intent {0} exists already")]
    Exists(IntentId),
    /// It has ended.
    #[error("intent has ended as {status}; nothing can change it")]
    Terminal {
        /// How.
        status: Status,
    },
    /// Somebody has decided already.
    #[error("{} decided {} at {}", .0.by, .0.outcome, .0.at)]
    AlreadyDecided(Box<Decision>),
    /// The task has changed since it was seen.
    #[error("task is at version {current}, the decision was made on version {seen}")]
    StaleVersion {
        /// The version that was seen.
        seen: u32,
        /// The version that it has.
        current: u32,
        /// The decision that made it newer, if one did.
        decision: Option<Box<Decision>>,
    },
    /// Nobody is asked anything.
    #[error("no human task is open on this intent")]
    NoOpenTask,
    /// Not an answer to this question.
    #[error("{}", not_allowed(outcome, allowed))]
    OutcomeNotAllowed {
        /// What was chosen; empty when nothing was.
        outcome: String,
        /// What may be chosen.
        allowed: Vec<String>,
    },
    /// Words are required.
    #[error("this decision needs a comment")]
    CommentRequired,
    /// Evidence is required.
    #[error("this decision needs evidence in data.evidence")]
    EvidenceRequired,
    /// The form is not filled in as it should be.
    #[error("form is not filled in right: {}", .0.join("; "))]
    FormInvalid(Vec<String>),
    /// A resume names an action that is none: a typing error must not end an intent.
    #[error("action {action:?} is not known; hint: {}", crate::engine::ACTIONS)]
    UnknownAction {
        /// What was said.
        action: String,
    },
    /// No attempt is open.
    #[error("no lease is open on this intent")]
    NoLease,
    /// Another attempt is current.
    #[error("attempt {given} is not the current one")]
    StaleAttempt {
        /// The fence that was given.
        given: AttemptId,
        /// The fence that is current, if one is.
        current: Option<AttemptId>,
    },
    /// An attempt runs, so there is nothing to hasten.
    #[error("an attempt is in progress")]
    AttemptInProgress,
    /// Nothing waits for a retry.
    #[error("nothing waits for a retry here")]
    NothingToRetry,
    /// Not a dead letter.
    #[error("intent {0} is not a dead letter")]
    NotDeadLetter(IntentId),
    /// Replayed before.
    #[error("already replayed as {0}; force replays it again")]
    AlreadyReplayed(IntentId),
    /// Discarded before.
    #[error("dead letter was discarded: {0}")]
    Discarded(String),
    /// No such hold, or it has taken effect.
    #[error("hold has taken effect or does not exist")]
    HoldElapsed,
    /// The controls have changed since.
    #[error("policy generation is {current}")]
    StaleGeneration {
        /// The generation that it has.
        current: u32,
    },
    /// What is said of it would become too large.
    #[error(
        "its controls and policy would have {bytes} bytes, at most {limit} are kept (limits.controls_bytes)"
    )]
    ControlsTooLarge {
        /// What they would have.
        bytes: usize,
        /// The most.
        limit: usize,
    },
    /// Nothing is due; harmless.
    #[error("nothing is due before {until:?}")]
    NotYet {
        /// When something will be.
        until: Option<Timestamp>,
    },
    /// Not ready to be handed over; harmless.
    #[error("nothing is ready to be handed over")]
    NotReady,
    /// The deadline has passed already.
    #[error("deadline_at {deadline} is in the past")]
    DeadlinePast {
        /// The deadline.
        deadline: Timestamp,
    },
    /// The sender may not send there.
    #[error("{from} may not send to {to}: {}", .denial.name())]
    PolicyDenied {
        /// Why.
        denial: Denial,
        /// Who wants to send.
        from: Address,
        /// To whom.
        to: Address,
        /// Who is killed, if somebody is.
        killed: Option<Address>,
    },
    /// The receiver does not exist and addresses are strict.
    #[error("no agent at {0}")]
    NoAgent(String),
}

fn not_allowed(outcome: &str, allowed: &[String]) -> String {
    match (outcome, allowed) {
        ("", []) => "no outcome is given; hint: any word in task_result.outcome".to_owned(),
        ("", allowed) => format!(
            "no outcome is given; hint: one of {} in task_result.outcome",
            allowed.join(", ")
        ),
        (outcome, _) => format!("outcome {outcome:?} is not allowed"),
    }
}

impl Refusal {
    /// The code of the wire's error table.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "intent_not_found",
            Self::Exists(_) => "idempotency_conflict",
            Self::Terminal { .. } => "intent_terminal",
            Self::AlreadyDecided(_) => "already_decided",
            Self::StaleVersion { .. } => "task_version_stale",
            Self::NoOpenTask => "task_not_pending",
            Self::OutcomeNotAllowed { .. } => "outcome_not_allowed",
            Self::CommentRequired => "comment_required",
            Self::EvidenceRequired => "evidence_required",
            Self::FormInvalid(_) => "form_invalid",
            Self::UnknownAction { .. } => "schema_invalid",
            Self::NoLease => "lease_not_held",
            Self::StaleAttempt { .. } => "attempt_stale",
            Self::AttemptInProgress => "attempt_in_progress",
            Self::NothingToRetry => "not_replayable",
            Self::NotDeadLetter(_) => "dead_letter_not_found",
            Self::AlreadyReplayed(_) => "already_replayed",
            Self::Discarded(_) => "dead_letter_closed",
            Self::HoldElapsed => "hold_elapsed",
            Self::StaleGeneration { .. } => "stale_policy_generation",
            Self::ControlsTooLarge { .. } => "payload_too_large",
            Self::NotYet { .. } => "not_yet",
            Self::NotReady => "not_ready",
            Self::DeadlinePast { .. } => "invalid_deadline",
            Self::PolicyDenied { .. } => "policy_denied",
            Self::NoAgent(_) => "agent_not_found",
        }
    }
}
