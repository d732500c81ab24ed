//! The tables of the reference memory, and the lists that follow from them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::address::Address;
use crate::domain::agent::Agent;
use crate::domain::attempt::Attempt;
use crate::domain::endpoint::Endpoint;
use crate::domain::fact::{FeedEntry, FeedItem, Notice};
use crate::domain::ids::{AttemptId, Cursor, IntentId, JobId, KeyId, ThreadId};
use crate::domain::intent::Intent;
use crate::domain::job::{Job, JobItem};
use crate::domain::key::Key;
use crate::domain::mesh::Beats;
use crate::domain::payload::Payload;
use crate::domain::schema::Schema;
use crate::domain::subscription::{Subscription, SubscriptionId};
use crate::domain::time::Timestamp;
use crate::store::derive::{self, Tally};
use crate::store::error::StoreError;
use crate::store::query::AuditEntry;
use crate::store::{Change, NewPayload, Remembered, Write};

/// The number of an intent in order of acceptance.
pub(super) type Local = u64;

/// An intent with what hangs on it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) intent: Arc<Intent>,
    pub(super) payload: Option<Payload>,
    /// Where its facts lie in the feed.
    pub(super) facts: Vec<u64>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub(super) locals: BTreeMap<IntentId, Local>,
    pub(super) rows: BTreeMap<Local, Row>,
    pub(super) threads_by_id: BTreeMap<ThreadId, Local>,

    pub(super) due: BTreeSet<(Timestamp, Local)>,
    pub(super) ready: BTreeSet<(Address, Timestamp, Local)>,
    pub(super) leased: BTreeSet<Local>,
    pub(super) held: BTreeSet<(Timestamp, Local)>,
    pub(super) unfinished: BTreeSet<Local>,
    pub(super) letters: BTreeSet<(Timestamp, Local)>,
    pub(super) threads: BTreeSet<Local>,

    pub(super) feed: BTreeMap<u64, Arc<FeedItem>>,
    pub(super) head: u64,
    /// The last position of the feed up to which items may be missing.
    pub(super) floor: u64,
    last_local: Local,
    pub(super) attempts: BTreeMap<AttemptId, Attempt>,
    pub(super) tally: Tally,
    pub(super) agents: BTreeMap<Address, Agent>,
    pub(super) endpoints: BTreeMap<Address, Endpoint>,
    pub(super) beats: BTreeMap<Address, Beats>,
    pub(super) subscriptions: BTreeMap<SubscriptionId, Subscription>,
    pub(super) schemas: BTreeMap<String, Schema>,
    pub(super) keys: BTreeMap<KeyId, Key>,
    pub(super) audit: BTreeMap<u64, AuditEntry>,
    /// Entries of the audit log there have ever been.
    pub(super) audited: u64,
    pub(super) jobs: BTreeMap<JobId, Job>,
    pub(super) job_pieces: BTreeMap<(JobId, u32), Vec<IntentId>>,
    pub(super) job_items: BTreeMap<(JobId, u32), JobItem>,
    pub(super) remembered: BTreeMap<(String, String), Remembered>,
    pub(super) numbers: BTreeMap<String, u64>,
    pub(super) texts: BTreeMap<String, String>,
}

impl Tables {
    pub(super) fn apply(&mut self, write: Write) -> Result<(), StoreError> {
        match write {
            Write::Intent(change) => self.change(change)?,
            Write::Agent(agent) => {
                self.agents.insert(agent.address.clone(), agent);
            }
            Write::Endpoint(endpoint) => {
                self.endpoints.insert(endpoint.agent.clone(), endpoint);
            }
            Write::Beats(beats) => {
                self.beats.insert(beats.agent.clone(), *beats);
            }
            Write::Subscription(one) => {
                self.subscriptions.insert(one.id, *one);
            }
            Write::Schema(schema) => {
                self.schemas.insert(schema.semantic_type.clone(), *schema);
            }
            Write::Key(key) => {
                self.keys.insert(key.id, key);
            }
            Write::Notice(notice) => self.notice(notice),
            Write::Audit(entry) => {
                self.audited += 1;
                self.audit.insert(self.audited, entry);
            }
            Write::Job(job) => {
                self.jobs.insert(job.id, *job);
            }
            Write::JobSelection(job, piece, intents) => {
                self.job_pieces.insert((job, piece), intents);
            }
            Write::JobItem(job, item) => {
                self.job_items.insert((job, item.position), item);
            }
            Write::RemoveJobItems(job, from, count) => {
                let end = from.saturating_add(count);
                self.job_items
                    .retain(|(of, position), _| *of != job || !(from..end).contains(position));
            }
            Write::RemoveJob(job) => {
                self.jobs.remove(&job);
                self.job_pieces.retain(|(of, _), _| *of != job);
            }
            Write::Remember(answer) => {
                let key = (answer.scope.clone(), answer.key.clone());
                self.remembered.insert(key, answer);
            }
            Write::Remove(intent) => self.remove(&intent)?,
            Write::ForgetAuditBefore(instant, limit) => {
                let old = self
                    .audit
                    .iter()
                    .take_while(|(_, entry)| entry.at < instant);
                let old: Vec<u64> = old.take(size(limit)).map(|(id, _)| *id).collect();
                self.audit.retain(|id, _entry| !old.contains(id));
            }
            Write::ForgetKeysBefore(instant) => {
                self.remembered.retain(|_key, answer| answer.at >= instant);
            }
            Write::Number(name, number) => {
                self.numbers.insert(name.to_owned(), number);
            }
            Write::Text(name, text) => {
                self.texts.insert(name.to_owned(), text);
            }
        }
        Ok(())
    }

    fn change(&mut self, change: Change) -> Result<(), StoreError> {
        let local = match &change.before {
            Some(before) => self.forget(before)?,
            None => self.admit(&change)?,
        };
        let attempts = &self.attempts;
        let moved = derive::attempts_of(&change, &mut |id| Ok(attempts.get(&id).cloned()))?;
        self.attempts
            .extend(moved.into_iter().map(|attempt| (attempt.id, attempt)));
        let told = derive::statuses_of(&change)
            .into_iter()
            .zip(change.receivers());
        let Change { after, facts, .. } = change;
        for (fact, (status, agent)) in facts.into_iter().zip(told) {
            if let Some(row) = self.rows.get_mut(&local) {
                row.facts.push(self.head + 1);
            }
            self.append(FeedEntry::Intent {
                fact,
                agent,
                status,
            });
        }
        self.list(local, &after);
        if let Some(row) = self.rows.get_mut(&local) {
            row.intent = after;
        }
        Ok(())
    }

    /// Takes an intent out with everything that hangs on it.
    fn remove(&mut self, intent: &Intent) -> Result<(), StoreError> {
        if !intent.is_finished() {
            let reason = format!("{} is unfinished", intent.id);
            return Err(fault("remove intent", reason));
        }
        let local = self.forget(intent)?;
        self.locals.remove(&intent.id);
        self.threads_by_id.retain(|_id, of| *of != local);
        self.attempts
            .retain(|_id, attempt| attempt.intent != intent.id);
        if let Some(row) = self.rows.remove(&local) {
            let last = row.facts.last().copied().unwrap_or(0);
            for cursor in row.facts {
                self.feed.remove(&cursor);
            }
            let was = self.floor;
            self.floor = was.max(last);
            let is_notice = |item: &Arc<FeedItem>| matches!(item.entry, FeedEntry::Notice(_));
            let passed: Vec<u64> = self
                .feed
                .range(was..=self.floor)
                .filter(|(_, item)| is_notice(item))
                .map(|(cursor, _)| *cursor)
                .collect();
            for cursor in passed {
                self.feed.remove(&cursor);
            }
        }
        Ok(())
    }

    pub(super) fn survey(&self, after: u64, limit: u32) -> Vec<(u64, Arc<Intent>)> {
        self.rows
            .range(after.saturating_add(1)..)
            .take(size(limit))
            .map(|(local, row)| (*local, Arc::clone(&row.intent)))
            .collect()
    }

    /// Makes the row of a new intent.
    fn admit(&mut self, change: &Change) -> Result<Local, StoreError> {
        let id = change.after.id;
        if self.locals.contains_key(&id) {
            return Err(fault("insert intent", format!("{id} is there already")));
        }
        let payload = match &change.payload {
            None => None,
            Some(NewPayload::Given(payload)) => Some(payload.clone()),
            Some(NewPayload::SameAs(other)) => Some(
                self.payload(*other)
                    .ok_or_else(|| fault("copy payload", format!("{other} has none")))?,
            ),
        };
        self.last_local += 1;
        let local = self.last_local;
        self.locals.insert(id, local);
        let row = Row {
            intent: Arc::clone(&change.after),
            payload,
            facts: Vec::new(),
        };
        self.rows.insert(local, row);
        Ok(local)
    }

    /// Takes an intent out of every list, as it was.
    fn forget(&mut self, before: &Intent) -> Result<Local, StoreError> {
        let local = *self
            .locals
            .get(&before.id)
            .ok_or_else(|| fault("update intent", format!("{} is not there", before.id)))?;
        self.tally.remove(before);
        if let Some(instant) = before.next_due() {
            self.due.remove(&(instant, local));
        }
        if let Some(instant) = before.ready_at() {
            self.ready.remove(&(before.to.clone(), instant, local));
        }
        if let Some(instant) = derive::held_until(before) {
            self.held.remove(&(instant, local));
        }
        if let Some(letter) = &before.dead_letter {
            self.letters.remove(&(letter.at, local));
        }
        self.leased.remove(&local);
        self.unfinished.remove(&local);
        self.threads.remove(&local);
        Ok(local)
    }

    /// Puts an intent into every list in which it belongs.
    fn list(&mut self, local: Local, intent: &Intent) {
        self.tally.add(intent);
        if let Some(instant) = intent.next_due() {
            self.due.insert((instant, local));
        }
        if let Some(instant) = intent.ready_at() {
            self.ready.insert((intent.to.clone(), instant, local));
        }
        if let Some(instant) = derive::held_until(intent) {
            self.held.insert((instant, local));
        }
        if let Some(letter) = &intent.dead_letter {
            self.letters.insert((letter.at, local));
        }
        if intent.lease().is_some() {
            self.leased.insert(local);
        }
        if !intent.is_finished() {
            self.unfinished.insert(local);
        }
        let (task, completion) = (
            derive::task_thread(intent),
            derive::completion_thread(intent),
        );
        if let Some(task) = &task {
            self.threads_by_id.insert(task.id, local);
        }
        if task.is_some() || completion.is_some() {
            self.threads.insert(local);
        }
    }

    fn notice(&mut self, notice: Notice) {
        self.append(FeedEntry::Notice(notice));
    }

    fn append(&mut self, entry: FeedEntry) {
        self.head += 1;
        let cursor = Cursor(self.head);
        self.feed
            .insert(self.head, Arc::new(FeedItem { cursor, entry }));
    }

    pub(super) fn head(&self) -> Cursor {
        Cursor(self.head)
    }

    pub(super) fn row(&self, id: IntentId) -> Option<&Row> {
        self.rows.get(self.locals.get(&id)?)
    }

    pub(super) fn intent(&self, id: IntentId) -> Option<Arc<Intent>> {
        self.row(id).map(|row| Arc::clone(&row.intent))
    }

    pub(super) fn payload(&self, id: IntentId) -> Option<Payload> {
        self.row(id)?.payload.clone()
    }

    pub(super) fn at(&self, local: Local) -> Option<Arc<Intent>> {
        self.rows.get(&local).map(|row| Arc::clone(&row.intent))
    }

    pub(super) fn due(&self, now: Timestamp, limit: u32) -> Vec<Arc<Intent>> {
        self.due
            .range(..=(now, Local::MAX))
            .take(size(limit))
            .filter_map(|(_, local)| self.at(*local))
            .collect()
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(instant, _)| *instant)
    }

    pub(super) fn ready(&self, agent: &Address, now: Timestamp, limit: u32) -> Vec<Arc<Intent>> {
        let first = (agent.clone(), Timestamp::from_millis(i64::MIN), 0);
        self.ready
            .range(first..=(agent.clone(), now, Local::MAX))
            .take(size(limit))
            .filter_map(|(_, _, local)| self.at(*local))
            .collect()
    }

    pub(super) fn leased(&self, agent: Option<&Address>, limit: u32) -> Vec<Arc<Intent>> {
        self.leased
            .iter()
            .filter_map(|local| self.at(*local))
            .filter(|intent| agent.is_none_or(|agent| *agent == intent.to))
            .take(size(limit))
            .collect()
    }

    pub(super) fn remembered(&self, scope: &str, key: &str) -> Option<Remembered> {
        self.remembered
            .get(&(scope.to_owned(), key.to_owned()))
            .cloned()
    }
}

fn fault(operation: &'static str, reason: String) -> StoreError {
    StoreError::Fault { operation, reason }
}

/// A limit as a count of things in memory.
pub(super) fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
