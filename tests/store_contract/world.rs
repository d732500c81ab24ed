//! A store to try things on, with short words for what the checks do all the time.

use std::sync::Arc;

use postroom::domain::ids::{Cursor, IntentId};
use postroom::domain::intent::Intent;
use postroom::store::memory::MemoryStore;
use postroom::store::query::{Page, PageRequest};
use postroom::store::sqlite::{Settings, SqliteStore};
use postroom::store::{Change, Reader, Store, Write};

pub(crate) struct World {
    pub(crate) store: Box<dyn Store>,
    directory: Option<tempfile::TempDir>,
}

impl World {
    pub(crate) fn in_memory() -> Self {
        Self {
            store: Box::new(MemoryStore::new()),
            directory: None,
        }
    }

    pub(crate) fn in_sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            store: Box::new(open(&directory)),
            directory: Some(directory),
        }
    }

    /// The same data in a new process, for stores that keep any.
    pub(crate) fn reopen(&mut self) {
        if let Some(directory) = &self.directory {
            self.store = Box::new(MemoryStore::new());
            self.store = Box::new(open(directory));
        }
    }

    pub(crate) fn reader(&self) -> Box<dyn Reader> {
        self.store.reader().unwrap()
    }

    pub(crate) fn write(&mut self, writes: impl IntoIterator<Item = Write>) -> Cursor {
        let mut txn = self.store.begin().unwrap();
        for write in writes {
            txn.put(write).unwrap();
        }
        txn.commit().unwrap()
    }

    /// Commits a change and gives back the state after it.
    pub(crate) fn apply(&mut self, change: Change) -> Arc<Intent> {
        let after = Arc::clone(&change.after);
        self.write([Write::Intent(change)]);
        after
    }

    pub(crate) fn read(&self, id: IntentId) -> Option<Arc<Intent>> {
        self.reader().intent(id).unwrap()
    }
}

fn open(directory: &tempfile::TempDir) -> SqliteStore {
    // A small memory of states, so that the checks meet both what it holds and what it has dropped.
    let settings = Settings {
        recent_intents: 2,
        ..Settings::default()
    };
    SqliteStore::open(&directory.path().join("postroom.db"), settings).unwrap()
}

/// Everything that a list gives, page after page.
pub(crate) fn walk<T>(limit: u32, mut page: impl FnMut(&PageRequest) -> Page<T>) -> Vec<T> {
    let mut request = PageRequest {
        limit,
        cursor: None,
    };
    let mut all = Vec::new();
    loop {
        let found = page(&request);
        assert!(found.items.len() <= limit as usize, "a page is too long");
        all.extend(found.items);
        match found.next {
            None => return all,
            next => request.cursor = next,
        }
    }
}

pub(crate) fn ids(intents: &[Arc<Intent>]) -> Vec<IntentId> {
    intents.iter().map(|intent| intent.id).collect()
}
