//! Everything done to the world. Never stored: after a crash the lease runs out and the timer asks again.

use crate::domain::address::Address;
use crate::domain::ids::{AttemptId, IntentId, SessionId};
use crate::engine::command::Command;

/// What must happen once a fact is committed; [`Effect::Then`] before that, in the same commit.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Hand the intent over the connection that has the slot.
    Deliver {
        /// What.
        intent: IntentId,
        /// Under which fence.
        attempt: AttemptId,
        /// Over which connection.
        session: SessionId,
    },
    /// An attempt is no longer open: its slot is free, and a hand-over not yet written is void.
    Release {
        /// Which attempt.
        attempt: AttemptId,
        /// Of which connection.
        session: SessionId,
    },
    /// Something lies ready for this receiver.
    Wake {
        /// Who.
        agent: Address,
    },
    /// Ask another intent, inside the same commit.
    Then {
        /// Whom.
        intent: IntentId,
        /// What.
        command: Box<Command>,
    },
}
