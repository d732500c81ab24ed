//! The states that were committed last: whoever asks for one of these intents needs no reader thread.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::domain::ids::{IdMap, IntentId};
use crate::domain::intent::Intent;

/// States in each of two generations: when the young one is full, it becomes the old one.
const SIZE: usize = 2048;

/// Written by the writer after each commit, before anybody is answered: what is here is never older than
/// what a caller has been told.
#[derive(Debug, Default)]
pub(super) struct Recent {
    generations: RwLock<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: IdMap<Arc<Intent>>,
    old: IdMap<Arc<Intent>>,
}

impl Recent {
    /// The state of an intent that moved lately.
    pub(super) fn get(&self, id: IntentId) -> Option<Arc<Intent>> {
        let generations = self.generations.read();
        let found = generations
            .young
            .get(&id)
            .or_else(|| generations.old.get(&id));
        found.cloned()
    }

    /// Forgets all: some of them were removed from the store.
    pub(super) fn forget(&self) {
        *self.generations.write() = Generations::default();
    }

    /// Keeps what a commit has moved.
    pub(super) fn put(&self, moved: &[Arc<Intent>]) {
        if moved.is_empty() {
            return;
        }
        let mut generations = self.generations.write();
        for intent in moved {
            if generations.young.len() >= SIZE {
                generations.old = std::mem::take(&mut generations.young);
            }
            generations.young.insert(intent.id, Arc::clone(intent));
        }
    }
}
