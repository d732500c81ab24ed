//! What a transaction writes.

use std::sync::Arc;

use crate::domain::address::Address;
use crate::domain::agent::Agent;
use crate::domain::endpoint::Endpoint;
use crate::domain::fact::{Fact, Notice};
use crate::domain::ids::{IntentId, JobId};
use crate::domain::intent::Intent;
use crate::domain::job::{Job, JobItem};
use crate::domain::key::Key;
use crate::domain::mesh::Beats;
use crate::domain::payload::Payload;
use crate::domain::schema::Schema;
use crate::domain::subscription::Subscription;
use crate::domain::time::Timestamp;
use crate::store::query::AuditEntry;

/// One write of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// An intent moved, or came to be.
    Intent(Change),
    /// An agent was made or changed.
    Agent(Agent),
    /// A key was made or changed.
    Key(Key),
    /// What is known of an agent in the mesh.
    Beats(Box<Beats>),
    /// A webhook subscription was made or changed.
    Subscription(Box<Subscription>),
    /// A schema was registered or changed.
    Schema(Box<Schema>),
    /// Something was learnt of an endpoint.
    Endpoint(Endpoint),
    /// Something happened that is no intent's fact: an item of the feed.
    Notice(Notice),
    /// An operator wrote.
    Audit(AuditEntry),
    /// A job was ordered or moved on.
    Job(Box<Job>),
    /// A piece of a job's selection: the intents from position `piece` times [`JOB_PIECE`] on.
    JobSelection(JobId, u32, Vec<IntentId>),
    /// An intent of a job has had its turn, or its replay moved on.
    JobItem(JobId, JobItem),
    /// Remove what became of a finished job's intents from this position on, so many of them.
    RemoveJobItems(JobId, u32, u32),
    /// Remove a finished job and its selection.
    RemoveJob(JobId),
    /// An answer under an idempotency key.
    Remember(Remembered),
    /// Remove a finished intent with everything that hangs on it: payload, facts, attempts, threads. The
    /// feed is without gaps only after its last fact then.
    Remove(Arc<Intent>),
    /// Forget entries of the audit log from before this instant, the oldest, so many at most.
    ForgetAuditBefore(Timestamp, u32),
    /// Forget idempotency keys from before this instant.
    ForgetKeysBefore(Timestamp),
    /// A named number of the broker: the boot epoch, the last attempt id, ...
    Number(&'static str, u64),
    /// A named text of the broker: the ids of organisation and workspace, ...
    Text(&'static str, String),
}

/// Intents in a piece of a job's selection. The last piece may have fewer.
pub const JOB_PIECE: u32 = 512;

/// An intent before and after some facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The state before; none when it is new.
    pub before: Option<Arc<Intent>>,
    /// The state after.
    pub after: Arc<Intent>,
    /// What happened in between, in order.
    pub facts: Vec<Fact>,
    /// The payload of a new intent.
    pub payload: Option<NewPayload>,
}

impl Change {
    /// The receiver after each of the facts, in order: what was, stays with whom it was with.
    #[must_use]
    pub fn receivers(&self) -> Vec<Address> {
        let mut receiver = match &self.before {
            Some(before) => &before.to,
            None => self.after.first_receiver(),
        }
        .clone();
        let follow = |fact: &Fact| {
            if let Some(to) = fact.body.moves_to() {
                receiver = to;
            }
            receiver.clone()
        };
        self.facts.iter().map(follow).collect()
    }
}

/// The payload of a new intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewPayload {
    /// This one.
    Given(Payload),
    /// A copy of that intent's.
    SameAs(IntentId),
}

/// What was answered under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Account, method and path.
    pub scope: String,
    /// The key as the client gave it.
    pub key: String,
    /// SHA-256 of the canonical request.
    pub fingerprint: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// The intent that was made or moved; of a job its number in this form.
    pub intent: IntentId,
    /// Its last fact then: the answer is that of the fold up to here. Facts count from 1; 0 is a job.
    pub seq: u32,
}

impl Remembered {
    /// The job that was made, if it was one.
    #[must_use]
    pub fn job(&self) -> Option<JobId> {
        let number = u64::try_from(self.intent.0.as_u128()).ok()?;
        (self.seq == 0).then_some(JobId(number))
    }

    /// The form in which a job is named here.
    #[must_use]
    pub fn named(job: JobId) -> (IntentId, u32) {
        (IntentId(uuid::Uuid::from_u128(job.0.into())), 0)
    }
}
