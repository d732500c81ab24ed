//! The reference memory: everything in ordered maps, nothing on disk. It says what the other memories
//! mean, and serves brokers that are told to keep nothing.
//!
//! 1. The writer works on tables of its own; a commit plays the same writes into those that readers see.
//! 2. A transaction that is dropped takes the readers' tables as its own again.
//!
//! Not here: durability.

mod jobs;
mod read;
mod tables;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use crate::domain::address::Address;
use crate::domain::ids::{Cursor, IntentId};
use crate::domain::intent::Intent;
use crate::domain::time::Timestamp;
use crate::store::error::StoreError;
use crate::store::{Reader, Remembered, Store, Txn, Write};

use self::read::MemoryReader;
use self::tables::Tables;

/// A memory without a disk.
#[derive(Debug, Default)]
pub struct MemoryStore {
    working: Tables,
    committed: Arc<RwLock<Tables>>,
    /// Free bytes of the disk that it has not.
    room: Option<Arc<AtomicU64>>,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one that says of its room what it is told, and is full without any: for those who try what a
    /// broker does on a small disk.
    #[must_use]
    pub fn with_room(room: Arc<AtomicU64>) -> Self {
        Self {
            room: Some(room),
            ..Self::default()
        }
    }
}

impl Store for MemoryStore {
    fn begin(&mut self) -> Result<Box<dyn Txn + '_>, StoreError> {
        Ok(Box::new(MemoryTxn {
            store: self,
            writes: Vec::new(),
        }))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(MemoryReader {
            tables: Arc::clone(&self.committed),
            room: self.room.clone(),
        }))
    }

    fn kind(&self) -> &'static str {
        "memory"
    }
}

struct MemoryTxn<'store> {
    store: &'store mut MemoryStore,
    writes: Vec<Write>,
}

impl Txn for MemoryTxn<'_> {
    fn load(&mut self, ids: &[IntentId]) -> Result<Vec<Option<Arc<Intent>>>, StoreError> {
        Ok(ids
            .iter()
            .map(|id| self.store.working.intent(*id))
            .collect())
    }

    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Arc<Intent>>, StoreError> {
        Ok(self.store.working.due(now, limit))
    }

    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.store.working.next_due())
    }

    fn ready(
        &mut self,
        agent: &Address,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Intent>>, StoreError> {
        Ok(self.store.working.ready(agent, now, limit))
    }

    fn leased(
        &mut self,
        agent: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Arc<Intent>>, StoreError> {
        Ok(self.store.working.leased(agent, limit))
    }

    fn remembered(&mut self, scope: &str, key: &str) -> Result<Option<Remembered>, StoreError> {
        Ok(self.store.working.remembered(scope, key))
    }

    fn survey(&mut self, after: u64, limit: u32) -> Result<Vec<(u64, Arc<Intent>)>, StoreError> {
        Ok(self.store.working.survey(after, limit))
    }

    fn put(&mut self, write: Write) -> Result<(), StoreError> {
        // Recorded first: a write that fails half-way is undone with the rest when this is dropped.
        self.writes.push(write.clone());
        self.store.working.apply(write)
    }

    fn commit(mut self: Box<Self>) -> Result<Cursor, StoreError> {
        let room = self.store.room.as_ref();
        if room.is_some_and(|room| room.load(Ordering::Relaxed) == 0) {
            return Err(StoreError::Full);
        }
        let mut committed = self.store.committed.write();
        for write in std::mem::take(&mut self.writes) {
            committed.apply(write)?;
        }
        Ok(committed.head())
    }
}

impl Drop for MemoryTxn<'_> {
    fn drop(&mut self) {
        if !self.writes.is_empty() {
            self.store.working = self.store.committed.read().clone();
        }
    }
}
