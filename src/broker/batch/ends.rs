//! What a batch starts from, and what it leaves.

use std::sync::Arc;

use super::Counters;
use crate::broker::jobs::Jobs;
use crate::broker::outbox::Outbox;
use crate::broker::registry::Registry;
use crate::broker::request::Published;
use crate::broker::vitals::Vitals;
use crate::broker::webhooks::WebhookWords;
use crate::clock::Entropy;
use crate::domain::fact::Fact;
use crate::domain::ids::{AttemptId, Cursor, IntentId};
use crate::domain::intent::Intent;
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::store::{Reader, Txn};

/// What one command did.
pub(in crate::broker) struct Ran {
    pub(in crate::broker) intent: Arc<Intent>,
    pub(in crate::broker) facts: Vec<Fact>,
    pub(in crate::broker) caused: Vec<Arc<Intent>>,
}

/// What became true.
pub(in crate::broker) struct Committed {
    pub(in crate::broker) published: Published,
    pub(in crate::broker) last: Cursor,
    pub(in crate::broker) next_due: Option<Timestamp>,
    pub(in crate::broker) registry: Option<Registry>,
    /// Hand-overs to be made now.
    pub(in crate::broker) deliveries: Vec<DueRow>,
}

/// A row to be shown to a receiver: a hand-over, or the same intent once more.
#[derive(Debug, Clone, Copy)]
pub(in crate::broker) struct DueRow {
    pub(in crate::broker) intent: IntentId,
    pub(in crate::broker) attempt: AttemptId,
    /// The attempt's own number where it begins with this row.
    pub(in crate::broker) row: AttemptId,
}

/// Everything a batch starts from.
pub(in crate::broker) struct Start<'a> {
    pub(in crate::broker) txn: Box<dyn Txn + 'a>,
    pub(in crate::broker) reader: &'a mut dyn Reader,
    pub(in crate::broker) outbox: &'a mut Outbox,
    pub(in crate::broker) jobs: &'a mut Jobs,
    pub(in crate::broker) counters: &'a mut Counters,
    pub(in crate::broker) registry: Arc<Registry>,
    pub(in crate::broker) policy: &'a Policy,
    pub(in crate::broker) vitals: &'a Vitals,
    pub(in crate::broker) entropy: &'a dyn Entropy,
    pub(in crate::broker) words: WebhookWords,
    pub(in crate::broker) now: Timestamp,
}
