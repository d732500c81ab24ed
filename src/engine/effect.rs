//! Everything done to the world. Never stored: after a crash the lease runs out and the timer asks again.

use crate::domain::address::Address;
use crate::domain::fact::{Fact, FactBody};
use crate::domain::ids::{AttemptId, IntentId, SessionId};
use crate::domain::intent::{Delivery, Intent};

/// What must happen once a fact is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Show the intent once more to the receiver that has it, as a row of its own: nobody else, and no new attempt.
    Remind {
        /// What.
        intent: IntentId,
        /// Under which fence it has it.
        attempt: AttemptId,
    },
    /// Something lies ready for this receiver.
    Wake {
        /// Who.
        agent: Address,
    },
}

/// What must happen in the world once `fact` is committed. `before` is the intent before the fact,
/// `after` the intent after it.
#[must_use]
pub fn effects_of(before: Option<&Intent>, fact: &Fact, after: &Intent) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(lease) = before.and_then(Intent::lease) {
        let is_same = after
            .lease()
            .is_some_and(|current| current.attempt == lease.attempt);
        if !is_same {
            effects.push(Effect::Release {
                attempt: lease.attempt,
                session: lease.session,
            });
        }
    }
    match &fact.body {
        FactBody::AttemptStarted {
            attempt, session, ..
        } => effects.push(Effect::Deliver {
            intent: fact.intent,
            attempt: *attempt,
            session: *session,
        }),
        // What lies ready is shown to whoever comes, in a row that is new to everybody.
        FactBody::Reminded { .. } => {
            if let Some(lease) = after.lease().filter(|lease| lease.binding.is_pull()) {
                effects.push(Effect::Remind {
                    intent: fact.intent,
                    attempt: lease.attempt,
                });
            }
        }
        FactBody::Delivered { .. } | FactBody::Offered => {
            if matches!(after.delivery, Delivery::Ready { .. }) {
                effects.push(Effect::Wake {
                    agent: after.to.clone(),
                });
            }
        }
        _ => {}
    }
    effects
}
