//! The eight desks.

use super::{Action, Context};

/// A desk, by its number key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// 1: flow, states, agents, what needs attention, the live tail.
    Overview,
    /// 2: tasks that wait for a person.
    Inbox,
    /// 3: all intents.
    Intents,
    /// 4: all attempts.
    Attempts,
    /// 5: dead letters in groups.
    DeadLetters,
    /// 6: agents.
    Agents,
    /// 7: jobs.
    Jobs,
    /// 8: who did what.
    Audit,
}

impl Place {
    /// Every desk, by number.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Inbox,
        Self::Intents,
        Self::Attempts,
        Self::DeadLetters,
        Self::Agents,
        Self::Jobs,
        Self::Audit,
    ];

    /// The title on the tab, as `(wide, narrow)`.
    #[must_use]
    pub const fn titles(self) -> (&'static str, &'static str) {
        match self {
            Self::Overview => ("Overview", "Ovw"),
            Self::Inbox => ("Inbox", "Inbox"),
            Self::Intents => ("Intents", "Int"),
            Self::Attempts => ("Attempts", "Att"),
            Self::DeadLetters => ("Dead letters", "Dead"),
            Self::Agents => ("Agents", "Agt"),
            Self::Jobs => ("Jobs", "Job"),
            Self::Audit => ("Audit", "Aud"),
        }
    }

    /// The innermost context of the desk's own list.
    #[must_use]
    pub const fn context(self) -> Context {
        match self {
            Self::Overview => Context::Overview,
            Self::Inbox => Context::Inbox,
            Self::Intents => Context::Intents,
            Self::Attempts => Context::Attempts,
            Self::DeadLetters => Context::DeadLetters,
            Self::Agents => Context::Agents,
            Self::Jobs => Context::Jobs,
            Self::Audit => Context::Audit,
        }
    }

    /// Its name where words are typed: `--desk dead`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Inbox => "inbox",
            Self::Intents => "intents",
            Self::Attempts => "attempts",
            Self::DeadLetters => "dead",
            Self::Agents => "agents",
            Self::Jobs => "jobs",
            Self::Audit => "audit",
        }
    }

    /// The desk of that name, or of its number.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .zip(1_u8..)
            .find(|(place, number)| place.word() == name || number.to_string() == name)
            .map(|(place, _)| place)
    }

    /// The action that opens it.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::Overview => Action::GoOverview,
            Self::Inbox => Action::GoInbox,
            Self::Intents => Action::GoIntents,
            Self::Attempts => Action::GoAttempts,
            Self::DeadLetters => Action::GoDeadLetters,
            Self::Agents => Action::GoAgents,
            Self::Jobs => Action::GoJobs,
            Self::Audit => Action::GoAudit,
        }
    }
}
