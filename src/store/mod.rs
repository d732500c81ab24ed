//! Memory that survives: one contract, several memories.
//!
//! 1. Synchronous. One writer, many readers.
//! 2. [`Txn::commit`] returns only when the change is durable; before that nobody sees any of it.
//! 3. The feed's cursor is gap-free to readers: nobody sees n + 1 before n.
//! 4. After a failed commit the store refuses writes until it is reopened; but a commit for which there is
//!    no room ([`StoreError::Full`]) has not happened, and the store goes on.
//! 5. Derived columns and counters follow from the state and are written in the same commit.
//! 6. Payloads are written once, apart from the state.
//!
//! Not here: what may change and why (`engine`); who may see it (`api`).
//! Tested by one contract suite that runs on every memory (`tests/store_contract.rs`).

mod cursor;
mod derive;
pub mod error;
mod matching;
pub mod memory;
pub mod query;
mod record;
pub mod sqlite;
mod write;

use std::path::Path;
use std::sync::Arc;

use crate::domain::address::Address;
use crate::domain::agent::Agent;
use crate::domain::attempt::Attempt;
use crate::domain::endpoint::Endpoint;
use crate::domain::fact::{Fact, FeedItem};
use crate::domain::ids::{Cursor, IntentId, JobId, ThreadId};
use crate::domain::intent::Intent;
use crate::domain::job::{Job, JobItem, JobOrder, JobState};
use crate::domain::key::Key;
use crate::domain::mesh::Beats;
use crate::domain::payload::Payload;
use crate::domain::schema::Schema;
use crate::domain::subscription::Subscription;
use crate::domain::time::Timestamp;
use crate::store::error::{Missing, StoreError};
use crate::store::query::{
    AttemptFilter, AuditFilter, Audited, Counters, FeedFilter, IntentFilter, LetterFilter,
    LetterGroup, Page, PageRequest, Thread, ThreadFilter,
};

pub use self::write::{Change, JOB_PIECE, NewPayload, Remembered, Write};

/// A memory. Owned by the writer; readers are given out.
pub trait Store: Send {
    /// Starts a transaction. At most one is open.
    ///
    /// # Errors
    /// [`StoreError::Poisoned`] after a failed commit, or the fault.
    fn begin(&mut self) -> Result<Box<dyn Txn + '_>, StoreError>;

    /// A reader of committed state, for one thread.
    ///
    /// # Errors
    /// The fault that kept it from opening.
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError>;

    /// `sqlite`, `memory`.
    fn kind(&self) -> &'static str;

    /// The file it lies in, for messages; none for memory.
    fn file(&self) -> Option<&Path> {
        None
    }

    /// What it was known to have and had not when it was opened; none when nothing is known to be gone.
    fn missing(&self) -> Option<Missing> {
        None
    }
}

/// A transaction. Dropped without [`Txn::commit`], it has not happened. Its own writes are visible to it.
pub trait Txn {
    /// The intents of these ids, in their order.
    ///
    /// # Errors
    /// The fault.
    fn load(&mut self, ids: &[IntentId]) -> Result<Vec<Option<Arc<Intent>>>, StoreError>;

    /// Intents whose `next_due` is at or before `now`, soonest first.
    ///
    /// # Errors
    /// The fault.
    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Arc<Intent>>, StoreError>;

    /// The soonest `next_due` of all.
    ///
    /// # Errors
    /// The fault.
    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError>;

    /// Intents of this receiver whose `ready_at` is at or before `now`, in order of `ready_at`, then of acceptance.
    ///
    /// # Errors
    /// The fault.
    fn ready(
        &mut self,
        agent: &Address,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Intent>>, StoreError>;

    /// Intents with an open lease, of one receiver or of all, in order of acceptance.
    ///
    /// # Errors
    /// The fault.
    fn leased(
        &mut self,
        agent: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Arc<Intent>>, StoreError>;

    /// What was answered under this idempotency key.
    ///
    /// # Errors
    /// The fault.
    fn remembered(&mut self, scope: &str, key: &str) -> Result<Option<Remembered>, StoreError>;

    /// Intents with their places in order of acceptance, from after a place on. For whoever looks through
    /// all of them bit by bit.
    ///
    /// # Errors
    /// The fault.
    fn survey(&mut self, after: u64, limit: u32) -> Result<Vec<(u64, Arc<Intent>)>, StoreError>;

    /// Adds a write.
    ///
    /// # Errors
    /// The fault; the transaction is then good for nothing but dropping.
    fn put(&mut self, write: Write) -> Result<(), StoreError>;

    /// Makes it durable and visible. Answers with the cursor of the last item of the feed.
    ///
    /// # Errors
    /// [`StoreError::Full`]: it has not happened, and may be tried again. Any other fault: whether it is
    /// durable is unknown, and the store refuses further writes.
    fn commit(self: Box<Self>) -> Result<Cursor, StoreError>;
}

/// A reader. Sees one committed state per call, never a part of a transaction.
pub trait Reader: Send {
    /// One intent.
    ///
    /// # Errors
    /// The fault.
    fn intent(&mut self, id: IntentId) -> Result<Option<Arc<Intent>>, StoreError>;

    /// Its payload.
    ///
    /// # Errors
    /// The fault.
    fn payload(&mut self, id: IntentId) -> Result<Option<Payload>, StoreError>;

    /// Its facts with `seq` above `after`, in order.
    ///
    /// # Errors
    /// The fault.
    fn facts(&mut self, id: IntentId, after: u32) -> Result<Vec<Fact>, StoreError>;

    /// A page of intents, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or the fault.
    fn intents(
        &mut self,
        filter: &IntentFilter,
        page: &PageRequest,
    ) -> Result<Page<Arc<Intent>>, StoreError>;

    /// A page of attempts, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or the fault.
    fn attempts(
        &mut self,
        filter: &AttemptFilter,
        page: &PageRequest,
    ) -> Result<Page<Attempt>, StoreError>;

    /// A page of dead letters, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or the fault.
    fn letters(
        &mut self,
        filter: &LetterFilter,
        page: &PageRequest,
    ) -> Result<Page<Arc<Intent>>, StoreError>;

    /// Groups of open dead letters, largest first.
    ///
    /// # Errors
    /// The fault.
    fn letter_groups(
        &mut self,
        filter: &LetterFilter,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<LetterGroup>, StoreError>;

    /// A page of threads.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or the fault.
    fn threads(
        &mut self,
        filter: &ThreadFilter,
        page: &PageRequest,
    ) -> Result<Page<Thread>, StoreError>;

    /// The thread of that id, or of that id's intent.
    ///
    /// # Errors
    /// The fault.
    fn thread(&mut self, id: ThreadId) -> Result<Option<Thread>, StoreError>;

    /// Unfinished holds, soonest first: the intents that carry them.
    ///
    /// # Errors
    /// The fault.
    fn held(&mut self, limit: u32) -> Result<Vec<Arc<Intent>>, StoreError>;

    /// The unfinished intent that was accepted first.
    ///
    /// # Errors
    /// The fault.
    fn oldest_unfinished(&mut self) -> Result<Option<Arc<Intent>>, StoreError>;

    /// Intents whose `next_due` is at or before `now`, soonest first.
    ///
    /// # Errors
    /// The fault.
    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Arc<Intent>>, StoreError>;

    /// The instant since when this receiver's oldest ready intent has been ready.
    ///
    /// # Errors
    /// The fault.
    fn oldest_ready(&mut self, agent: &Address) -> Result<Option<Timestamp>, StoreError>;

    /// The maintained counters.
    ///
    /// # Errors
    /// The fault.
    fn counters(&mut self) -> Result<Counters, StoreError>;

    /// Every agent.
    ///
    /// # Errors
    /// The fault.
    fn agents(&mut self) -> Result<Vec<Agent>, StoreError>;

    /// Every endpoint of which something is known, by agent.
    ///
    /// # Errors
    /// The fault.
    fn endpoints(&mut self) -> Result<Vec<Endpoint>, StoreError>;

    /// What is known of every agent of the mesh, by address.
    ///
    /// # Errors
    /// The fault.
    fn beats(&mut self) -> Result<Vec<Beats>, StoreError>;

    /// Every webhook subscription, revoked ones too, by id.
    ///
    /// # Errors
    /// The fault.
    fn subscriptions(&mut self) -> Result<Vec<Subscription>, StoreError>;

    /// Every registered schema, by the type it is for.
    ///
    /// # Errors
    /// The fault.
    fn schemas(&mut self) -> Result<Vec<Schema>, StoreError>;

    /// Every key.
    ///
    /// # Errors
    /// The fault.
    fn keys(&mut self) -> Result<Vec<Key>, StoreError>;

    /// Items of the feed after a cursor, oldest first. The second value is the last position examined.
    ///
    /// # Errors
    /// The fault.
    fn feed(
        &mut self,
        filter: &FeedFilter,
        limit: u32,
    ) -> Result<(Vec<FeedItem>, Cursor), StoreError>;

    /// The position of the last item of the feed.
    ///
    /// # Errors
    /// The fault.
    fn head(&mut self) -> Result<Cursor, StoreError>;

    /// The first position from which on the feed has no gap.
    ///
    /// # Errors
    /// The fault.
    fn oldest(&mut self) -> Result<Cursor, StoreError>;

    /// A page of the audit log, newest first. A page may be short, or empty, and still have a next one:
    /// one call examines a bounded number of entries.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or the fault.
    fn audit(
        &mut self,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<Audited>, StoreError>;

    /// How many dead letters the filter lets through. Without a filter, or with an agent alone, a
    /// maintained counter.
    ///
    /// # Errors
    /// The fault.
    fn letter_count(&mut self, filter: &LetterFilter) -> Result<u64, StoreError>;

    /// The dead letters that the filter lets through, as of one instant.
    ///
    /// # Errors
    /// The fault.
    fn letter_ids(
        &mut self,
        filter: &LetterFilter,
        order: JobOrder,
        limit: u32,
    ) -> Result<Vec<IntentId>, StoreError>;

    /// A page of jobs, newest first; of one state, or of all.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or the fault.
    fn jobs(
        &mut self,
        state: Option<JobState>,
        page: &PageRequest,
    ) -> Result<Page<Job>, StoreError>;

    /// One job.
    ///
    /// # Errors
    /// The fault.
    fn job(&mut self, id: JobId) -> Result<Option<Job>, StoreError>;

    /// Jobs that are not finished, or have replays in flight, oldest first.
    ///
    /// # Errors
    /// The fault.
    fn live_jobs(&mut self) -> Result<Vec<Job>, StoreError>;

    /// A piece of a job's selection.
    ///
    /// # Errors
    /// The fault.
    fn job_selection(&mut self, id: JobId, piece: u32) -> Result<Vec<IntentId>, StoreError>;

    /// A page of those intents of a job that have had their turn, in their order.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or the fault.
    fn job_items(&mut self, id: JobId, page: &PageRequest) -> Result<Page<JobItem>, StoreError>;

    /// The intents of a job whose replays are in flight, in their order.
    ///
    /// # Errors
    /// The fault.
    fn job_items_in_flight(&mut self, id: JobId) -> Result<Vec<JobItem>, StoreError>;

    /// What was answered under this idempotency key.
    ///
    /// # Errors
    /// The fault.
    fn remembered(&mut self, scope: &str, key: &str) -> Result<Option<Remembered>, StoreError>;

    /// A named number of the broker.
    ///
    /// # Errors
    /// The fault.
    fn number(&mut self, name: &str) -> Result<Option<u64>, StoreError>;

    /// A named text of the broker.
    ///
    /// # Errors
    /// The fault.
    fn text(&mut self, name: &str) -> Result<Option<String>, StoreError>;

    /// Bytes on disk, zero for memory.
    ///
    /// # Errors
    /// The fault.
    fn bytes(&mut self) -> Result<u64, StoreError>;

    /// Bytes that the file system has left for it; none for memory.
    ///
    /// # Errors
    /// The fault.
    fn free_bytes(&mut self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }
}
