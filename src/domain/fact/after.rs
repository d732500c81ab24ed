//! What a fact leaves behind: the status after it, the receiver it moves the intent to, and the attempt that caused it.

use super::FactBody;
use crate::domain::address::Address;
use crate::domain::ids::AttemptId;
use crate::domain::status::Status;

impl FactBody {
    /// The status of the intent after this fact, which the fact alone does not always tell.
    ///
    /// The one place of this rule: the fold, the store's feed and the wire's events follow it.
    #[must_use]
    pub const fn status_after(&self, before: Status) -> Status {
        match self {
            Self::Created(_) => Status::Created,
            Self::Submitted => Status::Submitted,
            Self::Delivered { .. } => Status::Delivered,
            Self::Waiting { .. } => Status::Waiting,
            // Whoever said that it works on it has gone further than taking it.
            Self::Acknowledged { .. } if matches!(before, Status::InProgress) => before,
            Self::Acknowledged { .. } => Status::Acknowledged,
            Self::InProgress { .. } => Status::InProgress,
            Self::Completed { .. } => Status::Completed,
            Self::Failed { .. } => Status::Failed,
            Self::Canceled { .. } => Status::Canceled,
            Self::TimedOut { .. } => Status::TimedOut,
            Self::TaskOpened { .. }
            | Self::AttemptStarted { .. }
            | Self::AttemptFailed { .. }
            | Self::Offered
            | Self::LeaseExtended { .. }
            | Self::RetriedNow
            | Self::ControlsChanged(_)
            | Self::TaskDecided(_)
            | Self::TaskReplied { .. }
            | Self::TaskDelegated { .. }
            | Self::MessagesEmptied { .. }
            | Self::ThreadRead { .. }
            | Self::Reminded { .. }
            | Self::Escalated { .. }
            | Self::DeliveryFailed { .. }
            | Self::ResultRejected { .. }
            | Self::StepStarted { .. }
            | Self::StepEnded { .. }
            | Self::DeadLetterOpened { .. }
            | Self::DeadLetterReplayed { .. }
            | Self::DeadLetterDiscarded { .. }
            | Self::HoldPlaced(_)
            | Self::HoldCanceled { .. }
            | Self::HoldElapsed { .. } => before,
        }
    }

    /// The receiver that has the intent from this fact on, where that is another than before.
    #[must_use]
    pub fn moves_to(&self) -> Option<Address> {
        match self {
            Self::Escalated {
                to,
                offered: Some(_),
                ..
            } => to.strip_prefix("agent://").map(Address::trusted),
            _ => None,
        }
    }

    /// The attempt that caused it, when one did. A rejected result caused nothing.
    #[must_use]
    pub const fn attempt(&self) -> Option<AttemptId> {
        match self {
            Self::AttemptStarted { attempt, .. }
            | Self::AttemptFailed { attempt, .. }
            | Self::Acknowledged { attempt, .. }
            | Self::LeaseExtended { attempt, .. } => Some(*attempt),
            Self::InProgress { attempt, .. }
            | Self::DeliveryFailed { attempt, .. }
            | Self::Completed { attempt, .. }
            | Self::Failed { attempt, .. }
            | Self::Canceled { attempt, .. }
            | Self::TimedOut { attempt, .. } => *attempt,
            _ => None,
        }
    }
}
