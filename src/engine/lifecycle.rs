//! The lifecycle of an intent.
//!
//! ```text
//!            ┌─────────┐   ┌───────────┐
//!  submit ──▶│ CREATED │──▶│ SUBMITTED │
//!            └─────────┘   └─────┬─────┘
//!                 ┌──────────────┴──────────────┐
//!                 ▼                             ▼
//!          ┌───────────┐  offered again  ┌───────────┐
//!          │ DELIVERED │◀───────────────▶│  WAITING  │ for a person, an agent, a tool, an instant
//!          └─────┬─────┘                 └─────┬─────┘
//!                ▼                             │
//!   ┌──────────────┐      ┌─────────────┐      │
//!   │ ACKNOWLEDGED │◀────▶│ IN_PROGRESS │◀─────┘
//!   └──────────────┘      └─────────────┘
//!    both may be offered again (DELIVERED) or wait (WAITING)
//!
//!   any of these ──▶ COMPLETED | FAILED | CANCELED | TIMED_OUT ──▶ nothing
//! ```

use crate::domain::status::Status;

/// True when a fact may take an intent from one status to the other. Staying is always allowed.
#[must_use]
pub fn may_move(from: Option<Status>, to: Status) -> bool {
    use Status::{Acknowledged, Created, Delivered, InProgress, Submitted, Waiting};
    let Some(from) = from else {
        return to == Created;
    };
    if from == to {
        return true;
    }
    if from.is_terminal() {
        return false;
    }
    if to.is_terminal() {
        return true;
    }
    matches!(
        (from, to),
        (Created, Submitted)
            | (Submitted, Delivered | Waiting)
            | (Delivered, Acknowledged | InProgress | Waiting)
            | (Acknowledged, InProgress | Waiting | Delivered)
            | (InProgress, Acknowledged | Waiting | Delivered)
            | (Waiting, InProgress | Delivered)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_an_end_and_nothing_but_created_comes_first() {
        for from in Status::ALL {
            for to in Status::ALL {
                if from.is_terminal() {
                    assert_eq!(may_move(Some(from), to), from == to, "{from} -> {to}");
                } else if to.is_terminal() {
                    assert!(may_move(Some(from), to), "{from} -> {to}");
                }
                assert_eq!(may_move(None, to), to == Status::Created);
            }
        }
        assert!(!may_move(Some(Status::Created), Status::Delivered));
        assert!(!may_move(Some(Status::Delivered), Status::Submitted));
    }
}
