//! Statuses that the protocol knows, and the eight states that operators see.

use std::fmt;

/// The public status of an intent. The moves between them are in `engine/lifecycle.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Stored, nothing more.
    Created,
    /// Checked and taken in.
    Submitted,
    /// Available at its receiver's binding, whether or not anybody listens.
    Delivered,
    /// A receiver has taken it; the result is to come.
    Acknowledged,
    /// A receiver says that it works on it.
    InProgress,
    /// Waits for what the [`WaitingReason`] names.
    Waiting,
    /// Ended with a result.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended by its sender or an operator.
    Canceled,
    /// Ended by its deadline.
    TimedOut,
}

impl Status {
    /// Every status, in the order of the lifecycle.
    pub const ALL: [Self; 10] = [
        Self::Created,
        Self::Submitted,
        Self::Delivered,
        Self::Acknowledged,
        Self::InProgress,
        Self::Waiting,
        Self::Completed,
        Self::Failed,
        Self::Canceled,
        Self::TimedOut,
    ];

    /// True when nothing can follow.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Canceled | Self::TimedOut
        )
    }

    /// The protocol's spelling.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Submitted => "SUBMITTED",
            Self::Delivered => "DELIVERED",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::InProgress => "IN_PROGRESS",
            Self::Waiting => "WAITING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    /// The status of that name, in any case; `CANCELLED` is understood.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        if upper == "CANCELLED" {
            return Some(Self::Canceled);
        }
        Self::ALL.into_iter().find(|status| status.name() == upper)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a waiting intent waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitingReason {
    /// A person's decision.
    Human,
    /// An agent's step.
    Agent,
    /// A tool.
    Tool,
    /// An instant.
    Time,
}

impl WaitingReason {
    /// The protocol's spelling.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "WAITING_FOR_HUMAN",
            Self::Agent => "WAITING_FOR_AGENT",
            Self::Tool => "WAITING_FOR_TOOL",
            Self::Time => "WAITING_FOR_TIME",
        }
    }
}

/// The eight states of the overview. Every stored intent is in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not handed over yet, and no try has failed.
    Queued,
    /// An attempt runs, or the receiver has taken it.
    InFlight,
    /// Failed at least once and waiting for the next try.
    Retrying,
    /// Waiting for a person.
    WaitingHuman,
    /// Waiting for an agent, a tool or an instant.
    WaitingOther,
    /// Completed.
    Completed,
    /// Failed, canceled or timed out, except open dead letters.
    Failed,
    /// Open dead letters.
    DeadLetter,
}

impl State {
    /// Every state, in the order of the overview.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::InFlight,
        Self::Retrying,
        Self::WaitingHuman,
        Self::WaitingOther,
        Self::Completed,
        Self::Failed,
        Self::DeadLetter,
    ];

    /// The word that screens and filters use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InFlight => "in flight",
            Self::Retrying => "retrying",
            Self::WaitingHuman => "waiting-human",
            Self::WaitingOther => "waiting-other",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::DeadLetter => "dead letters",
        }
    }
}
