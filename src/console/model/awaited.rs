//! Our held acts whose fate has not been told yet.

use crate::domain::ids::{HoldId, IntentId};
use crate::domain::time::Timestamp;

/// Acts that are waited for at most; beyond that the oldest are no longer told.
const AWAITED_MAX: usize = 256;

/// A held act of this console.
#[derive(Debug, Clone)]
pub(crate) struct Awaited {
    /// Its id.
    pub(crate) hold: HoldId,
    /// On which intent.
    pub(crate) intent: IntentId,
    /// The word for it: `approved`.
    pub(crate) word: String,
    /// Who decided the intent meanwhile, as what, and when.
    pub(crate) decided: Option<(String, String, Timestamp)>,
}

/// What is waited for, oldest first.
#[derive(Debug, Default)]
pub(crate) struct AwaitedActs(Vec<Awaited>);

impl AwaitedActs {
    /// Waits for one more.
    pub(crate) fn push(&mut self, hold: HoldId, intent: IntentId, word: String) {
        if self.0.len() >= AWAITED_MAX {
            self.0.remove(0);
        }
        self.0.push(Awaited {
            hold,
            intent,
            word,
            decided: None,
        });
    }

    /// Somebody decided this intent.
    pub(crate) fn decided(&mut self, intent: IntentId, by: &str, outcome: &str, at: Timestamp) {
        for awaited in self.0.iter_mut().filter(|one| one.intent == intent) {
            awaited.decided = Some((by.to_owned(), outcome.to_owned(), at));
        }
    }

    /// The fate of this hold is known.
    pub(crate) fn take(&mut self, hold: HoldId) -> Option<Awaited> {
        let place = self.0.iter().position(|one| one.hold == hold)?;
        Some(self.0.remove(place))
    }
}
