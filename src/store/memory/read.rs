//! Reading the reference memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use crate::domain::address::Address;
use crate::domain::agent::Agent;
use crate::domain::attempt::Attempt;
use crate::domain::endpoint::Endpoint;
use crate::domain::fact::{Fact, FeedEntry, FeedItem};
use crate::domain::ids::{AuditId, Cursor, IntentId, JobId, ThreadId};
use crate::domain::intent::{DeadLetter, Intent};
use crate::domain::job::{Job, JobItem, JobOrder, JobState};
use crate::domain::key::Key;
use crate::domain::mesh::Beats;
use crate::domain::payload::Payload;
use crate::domain::schema::Schema;
use crate::domain::subscription::Subscription;
use crate::domain::time::Timestamp;
use crate::store::cursor::{self, List};
use crate::store::derive::{self, ThreadRow};
use crate::store::error::StoreError;
use crate::store::matching::{self, AUDIT_EXAMINED_MAX};
use crate::store::query::{
    AttemptFilter, AuditFilter, Audited, Counters, FeedFilter, IntentFilter, LetterFilter,
    LetterGroup, LetterState, Page, PageRequest, Thread, ThreadFilter, ThreadKind,
};
use crate::store::{Reader, Remembered};

use super::tables::{Local, Tables, size};

pub(super) struct MemoryReader {
    pub(super) tables: Arc<RwLock<Tables>>,
    pub(super) room: Option<Arc<AtomicU64>>,
}

impl Reader for MemoryReader {
    fn intent(&mut self, id: IntentId) -> Result<Option<Arc<Intent>>, StoreError> {
        Ok(self.tables.read().intent(id))
    }

    fn payload(&mut self, id: IntentId) -> Result<Option<Payload>, StoreError> {
        Ok(self.tables.read().payload(id))
    }

    fn facts(&mut self, id: IntentId, after: u32) -> Result<Vec<Fact>, StoreError> {
        let tables = self.tables.read();
        let places = tables.row(id).map_or(&[][..], |row| &row.facts);
        Ok(places
            .iter()
            .filter_map(|place| match &tables.feed.get(place)?.entry {
                FeedEntry::Intent { fact, .. } => Some(fact),
                FeedEntry::Notice(_) => None,
            })
            .filter(|fact| fact.seq > after)
            .cloned()
            .collect())
    }

    fn intents(
        &mut self,
        filter: &IntentFilter,
        page: &PageRequest,
    ) -> Result<Page<Arc<Intent>>, StoreError> {
        let tables = self.tables.read();
        let end = match cursor::decode(List::Intents, page)? {
            Some([local]) => Local::try_from(local).unwrap_or(0),
            None => Local::MAX,
        };
        let rows = tables
            .rows
            .range(..end)
            .rev()
            .filter(|(_, row)| matching::intent_matches(filter, &row.intent))
            .map(|(local, row)| Ok((number(*local), row)));
        let found = cursor::looked_through(List::Intents, page, rows, |row| {
            let payload = row.payload.as_ref().map(Payload::as_str);
            filter.contains.is_empty()
                || matching::contains_all(&filter.contains, &row.intent, payload)
        })?;
        Ok(found.map(|row| Arc::clone(&row.intent)))
    }

    fn attempts(
        &mut self,
        filter: &AttemptFilter,
        page: &PageRequest,
    ) -> Result<Page<Attempt>, StoreError> {
        let tables = self.tables.read();
        let after = cursor::decode(List::Attempts, page)?;
        let rows = tables
            .attempts
            .values()
            .rev()
            .map(|attempt| ([number(attempt.id.0)], attempt))
            .filter(|(key, attempt)| {
                after.is_none_or(|after| *key < after) && matching::attempt_matches(filter, attempt)
            })
            .map(|(key, attempt)| Ok((key, attempt.clone())));
        cursor::page(List::Attempts, page, rows)
    }

    fn letters(
        &mut self,
        filter: &LetterFilter,
        page: &PageRequest,
    ) -> Result<Page<Arc<Intent>>, StoreError> {
        let tables = self.tables.read();
        let after = cursor::decode(List::Letters, page)?;
        let state = filter.state.unwrap_or(LetterState::Open);
        let rows = letters(&tables, filter, state)
            .map(|(local, intent, letter)| ([letter.at.as_millis(), number(local)], intent))
            .filter(|(key, _)| after.is_none_or(|after| *key < after))
            .map(|(key, intent)| Ok((key, Arc::clone(intent))));
        cursor::page(List::Letters, page, rows)
    }

    fn letter_groups(
        &mut self,
        filter: &LetterFilter,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<LetterGroup>, StoreError> {
        let tables = self.tables.read();
        let mut groups: BTreeMap<&str, LetterGroup> = BTreeMap::new();
        for (_, intent, letter) in letters(&tables, filter, LetterState::Open) {
            let group = groups
                .entry(&letter.fingerprint)
                .or_insert_with(|| LetterGroup {
                    fingerprint: letter.fingerprint.clone(),
                    count: 0,
                    first_at: letter.at,
                    last_at: letter.at,
                    newest: Vec::new(),
                    hourly: vec![0; 24],
                });
            group.count += 1;
            group.first_at = letter.at;
            if group.newest.len() < 5 {
                group.newest.push(Arc::clone(intent));
            }
            let hours_ago = usize::try_from(now.since(letter.at).as_seconds() / 3600).ok();
            if let Some(hour) = hours_ago.and_then(|hours| group.hourly.iter_mut().nth_back(hours))
            {
                *hour += 1;
            }
        }
        let mut groups: Vec<LetterGroup> = groups.into_values().collect();
        groups.sort_by_key(|group| Reverse((group.count, group.last_at)));
        groups.truncate(size(limit));
        Ok(groups)
    }

    fn threads(
        &mut self,
        filter: &ThreadFilter,
        page: &PageRequest,
    ) -> Result<Page<Thread>, StoreError> {
        let tables = self.tables.read();
        let mut rows: Vec<([i64; 2], ThreadRow, Arc<Intent>)> = Vec::new();
        for local in &tables.threads {
            let Some(intent) = tables.at(*local) else {
                continue;
            };
            for thread in threads_of(&intent) {
                if matching::thread_matches(filter, &thread) {
                    let key = number(*local) * 2 + i64::from(thread.kind == ThreadKind::Completion);
                    let instant = if filter.is_due_first {
                        thread.due_at
                    } else {
                        thread.updated_at
                    };
                    rows.push(([instant.as_millis(), key], thread, Arc::clone(&intent)));
                }
            }
        }
        rows.sort_by_key(|(key, _, _)| *key);
        let list = if filter.is_due_first {
            List::ThreadsByDue
        } else {
            rows.reverse();
            List::Threads
        };
        let after = cursor::decode(list, page)?;
        let rows = rows
            .into_iter()
            .filter(|(key, _, _)| match after {
                None => true,
                Some(after) if filter.is_due_first => *key > after,
                Some(after) => *key < after,
            })
            .map(|(key, row, intent)| Ok((key, thread(row, intent))));
        cursor::page(list, page, rows)
    }

    fn thread(&mut self, id: ThreadId) -> Result<Option<Thread>, StoreError> {
        let tables = self.tables.read();
        let of_intent = tables.intent(IntentId(id.0));
        let of_task = tables
            .threads_by_id
            .get(&id)
            .and_then(|local| tables.at(*local));
        Ok(of_task
            .into_iter()
            .chain(of_intent)
            .flat_map(|intent| {
                let rows: Vec<ThreadRow> = threads_of(&intent).collect();
                rows.into_iter()
                    .map(move |row| thread(row, Arc::clone(&intent)))
            })
            .max_by_key(|thread| (thread.id == id, thread.kind == ThreadKind::Task)))
    }

    fn held(&mut self, limit: u32) -> Result<Vec<Arc<Intent>>, StoreError> {
        let tables = self.tables.read();
        Ok(tables
            .held
            .iter()
            .take(size(limit))
            .filter_map(|(_, local)| tables.at(*local))
            .collect())
    }

    fn oldest_unfinished(&mut self) -> Result<Option<Arc<Intent>>, StoreError> {
        let tables = self.tables.read();
        Ok(tables
            .unfinished
            .first()
            .and_then(|local| tables.at(*local)))
    }

    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Arc<Intent>>, StoreError> {
        Ok(self.tables.read().due(now, limit))
    }

    fn oldest_ready(&mut self, agent: &Address) -> Result<Option<Timestamp>, StoreError> {
        let latest = Timestamp::from_millis(i64::MAX);
        let first = self.tables.read().ready(agent, latest, 1).pop();
        Ok(first.and_then(|intent| intent.ready_at()))
    }

    fn counters(&mut self) -> Result<Counters, StoreError> {
        Ok(self.tables.read().tally.counters())
    }

    fn agents(&mut self) -> Result<Vec<Agent>, StoreError> {
        Ok(self.tables.read().agents.values().cloned().collect())
    }

    fn endpoints(&mut self) -> Result<Vec<Endpoint>, StoreError> {
        Ok(self.tables.read().endpoints.values().cloned().collect())
    }

    fn beats(&mut self) -> Result<Vec<Beats>, StoreError> {
        Ok(self.tables.read().beats.values().cloned().collect())
    }

    fn subscriptions(&mut self) -> Result<Vec<Subscription>, StoreError> {
        Ok(self.tables.read().subscriptions.values().cloned().collect())
    }

    fn schemas(&mut self) -> Result<Vec<Schema>, StoreError> {
        Ok(self.tables.read().schemas.values().cloned().collect())
    }

    fn keys(&mut self) -> Result<Vec<Key>, StoreError> {
        Ok(self.tables.read().keys.values().cloned().collect())
    }

    fn feed(
        &mut self,
        filter: &FeedFilter,
        limit: u32,
    ) -> Result<(Vec<FeedItem>, Cursor), StoreError> {
        let tables = self.tables.read();
        let mut examined = filter.since;
        let mut items = Vec::new();
        for item in tables
            .feed
            .range(filter.since.0.saturating_add(1)..)
            .map(|(_, item)| item)
            .take(size(matching::FEED_EXAMINED_MAX))
        {
            if items.len() == size(limit) {
                break;
            }
            examined = item.cursor;
            if matching::feed_matches(filter, &item.entry) {
                items.push(FeedItem::clone(item));
            }
        }
        Ok((items, examined))
    }

    fn oldest(&mut self) -> Result<Cursor, StoreError> {
        Ok(Cursor(self.tables.read().floor + 1))
    }

    fn head(&mut self) -> Result<Cursor, StoreError> {
        Ok(self.tables.read().head())
    }

    fn audit(
        &mut self,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<Audited>, StoreError> {
        let tables = self.tables.read();
        let end = match cursor::decode(List::Audit, page)? {
            Some([id]) => u64::try_from(id).unwrap_or(0),
            None => u64::MAX,
        };
        let rows = tables.audit.range(..end).rev().map(|(id, entry)| {
            let audited = Audited {
                id: AuditId(*id),
                entry: entry.clone(),
            };
            Ok((number(*id), audited))
        });
        cursor::sifted(List::Audit, page, AUDIT_EXAMINED_MAX, rows, |audited| {
            matching::audit_matches(filter, &audited.entry)
        })
    }

    fn letter_count(&mut self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let tables = self.tables.read();
        let state = filter.state.unwrap_or(LetterState::Open);
        Ok(u64::try_from(letters(&tables, filter, state).count()).unwrap_or(u64::MAX))
    }

    fn letter_ids(
        &mut self,
        filter: &LetterFilter,
        order: JobOrder,
        limit: u32,
    ) -> Result<Vec<IntentId>, StoreError> {
        let tables = self.tables.read();
        let state = filter.state.unwrap_or(LetterState::Open);
        let newest = letters(&tables, filter, state).map(|(_, intent, _)| intent.id);
        Ok(match order {
            JobOrder::Newest => newest.take(size(limit)).collect(),
            JobOrder::Oldest => {
                let mut all: Vec<IntentId> = newest.collect();
                all.reverse();
                all.truncate(size(limit));
                all
            }
        })
    }

    fn jobs(
        &mut self,
        state: Option<JobState>,
        page: &PageRequest,
    ) -> Result<Page<Job>, StoreError> {
        self.tables.read().job_page(state, page)
    }

    fn job(&mut self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.tables.read().jobs.get(&id).cloned())
    }

    fn live_jobs(&mut self) -> Result<Vec<Job>, StoreError> {
        let tables = self.tables.read();
        let live = tables.jobs.values().filter(|job| job.is_live());
        Ok(live.cloned().collect())
    }

    fn job_selection(&mut self, id: JobId, piece: u32) -> Result<Vec<IntentId>, StoreError> {
        let tables = self.tables.read();
        Ok(tables
            .job_pieces
            .get(&(id, piece))
            .cloned()
            .unwrap_or_default())
    }

    fn job_items(&mut self, id: JobId, page: &PageRequest) -> Result<Page<JobItem>, StoreError> {
        self.tables.read().job_item_page(id, page)
    }

    fn job_items_in_flight(&mut self, id: JobId) -> Result<Vec<JobItem>, StoreError> {
        Ok(self.tables.read().job_items_in_flight(id))
    }

    fn remembered(&mut self, scope: &str, key: &str) -> Result<Option<Remembered>, StoreError> {
        Ok(self.tables.read().remembered(scope, key))
    }

    fn number(&mut self, name: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.tables.read().numbers.get(name).copied())
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.tables.read().texts.get(name).cloned())
    }

    fn bytes(&mut self) -> Result<u64, StoreError> {
        Ok(0)
    }

    fn free_bytes(&mut self) -> Result<Option<u64>, StoreError> {
        let free = self.room.as_ref();
        Ok(free.map(|free| free.load(Ordering::Relaxed)))
    }
}

/// The dead letters of a state that the filter lets through, newest first.
fn letters<'tables>(
    tables: &'tables Tables,
    filter: &'tables LetterFilter,
    state: LetterState,
) -> impl Iterator<Item = (Local, &'tables Arc<Intent>, &'tables DeadLetter)> {
    tables.letters.iter().rev().filter_map(move |(_, local)| {
        let intent = &tables.rows.get(local)?.intent;
        let letter = intent.dead_letter.as_ref()?;
        matching::letter_matches(filter, state, intent, letter).then_some((*local, intent, letter))
    })
}

fn threads_of(intent: &Intent) -> impl Iterator<Item = ThreadRow> {
    derive::task_thread(intent)
        .into_iter()
        .chain(derive::completion_thread(intent))
}

fn thread(row: ThreadRow, intent: Arc<Intent>) -> Thread {
    Thread {
        id: row.id,
        kind: row.kind,
        owner: row.owner,
        is_pending: row.is_pending,
        updated_at: row.updated_at,
        intent,
    }
}

/// A number of ours as part of a page key.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
