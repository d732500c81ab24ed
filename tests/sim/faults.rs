//! A store that loses, cuts off or has no room for commits when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use postroom::domain::address::Address;
use postroom::domain::ids::{Cursor, IntentId};
use postroom::domain::intent::Intent;
use postroom::domain::time::Timestamp;
use postroom::store::error::StoreError;
use postroom::store::{Reader, Remembered, Store, Txn, Write};

/// What happens to the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It is lost: the power went before it was durable.
    Lost,
    /// It is durable, but nobody was told.
    Untold,
}

/// What a commit says that was told to fail.
pub(crate) fn crash() -> StoreError {
    StoreError::Fault {
        operation: "commit",
        reason: "simulated crash".to_owned(),
    }
}

/// The plan that the simulation changes and the store obeys.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    next: AtomicU8,
    /// Transactions for which there is no room.
    full: AtomicU32,
}

impl Plan {
    /// The disk is full for so many transactions from now on. Zero is room again.
    pub(crate) fn fill(&self, transactions: u32) {
        self.full.store(transactions, Ordering::Relaxed);
    }

    fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed) > 0
    }

    /// True at every second one: then the first write finds no room, else the commit.
    fn is_full_early(&self) -> bool {
        self.full.load(Ordering::Relaxed) % 2 == 1
    }

    fn found_no_room(&self) -> StoreError {
        let left = self.full.load(Ordering::Relaxed);
        self.full.store(left.saturating_sub(1), Ordering::Relaxed);
        StoreError::Full
    }

    pub(crate) fn next(&self, fault: Fault) {
        let number = match fault {
            Fault::None => 0,
            Fault::Lost => 1,
            Fault::Untold => 2,
        };
        self.next.store(number, Ordering::Relaxed);
    }

    fn take(&self) -> Fault {
        match self.next.swap(0, Ordering::Relaxed) {
            1 => Fault::Lost,
            2 => Fault::Untold,
            _ => Fault::None,
        }
    }
}

pub(crate) struct FaultyStore {
    pub(crate) inner: Box<dyn Store>,
    pub(crate) plan: Arc<Plan>,
}

struct FaultyTxn<'a> {
    inner: Box<dyn Txn + 'a>,
    plan: Arc<Plan>,
}

impl Store for FaultyStore {
    fn begin(&mut self) -> Result<Box<dyn Txn + '_>, StoreError> {
        Ok(Box::new(FaultyTxn {
            inner: self.inner.begin()?,
            plan: Arc::clone(&self.plan),
        }))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.inner.reader()
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }
}

impl Txn for FaultyTxn<'_> {
    fn load(&mut self, ids: &[IntentId]) -> Result<Vec<Option<Arc<Intent>>>, StoreError> {
        self.inner.load(ids)
    }

    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Arc<Intent>>, StoreError> {
        self.inner.due(now, limit)
    }

    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        self.inner.next_due()
    }

    fn ready(
        &mut self,
        agent: &Address,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Intent>>, StoreError> {
        self.inner.ready(agent, now, limit)
    }

    fn leased(
        &mut self,
        agent: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Arc<Intent>>, StoreError> {
        self.inner.leased(agent, limit)
    }

    fn remembered(&mut self, scope: &str, key: &str) -> Result<Option<Remembered>, StoreError> {
        self.inner.remembered(scope, key)
    }

    fn survey(&mut self, after: u64, limit: u32) -> Result<Vec<(u64, Arc<Intent>)>, StoreError> {
        self.inner.survey(after, limit)
    }

    fn put(&mut self, write: Write) -> Result<(), StoreError> {
        if self.plan.is_full_early() {
            return Err(self.plan.found_no_room());
        }
        self.inner.put(write)
    }

    fn commit(self: Box<Self>) -> Result<Cursor, StoreError> {
        if self.plan.is_full() {
            return Err(self.plan.found_no_room());
        }
        let crash = crash();
        match self.plan.take() {
            Fault::None => self.inner.commit(),
            Fault::Lost => Err(crash),
            Fault::Untold => {
                self.inner.commit()?;
                Err(crash)
            }
        }
    }
}
