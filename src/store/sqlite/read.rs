//! A reader: one connection, one snapshot a call, and a limit to how long a call may take.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::address::Address;
use crate::domain::agent::{Agent, Binding};
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
use crate::store::cursor::{self, List};
use crate::store::error::StoreError;
use crate::store::query::{
    AttemptFilter, AuditFilter, Audited, Counters, FeedFilter, IntentFilter, LetterFilter,
    LetterGroup, Page, PageRequest, Thread, ThreadFilter,
};
use crate::store::record::{Broken, Record, seal};
use crate::store::{Reader, Remembered, matching};

use super::answers::Days;
use super::columns::{self, DEPTHS, Place};
use super::failure::Named as _;
use super::lists::{self, Found};
use super::{Settings, attempt_pages, audit, feed, jobs, letter_pages, names, rows, thread_pages};

/// Steps of SQLite's machine between two looks at the clock: about a tenth of a millisecond.
const STEPS_PER_LOOK: i32 = 10_000;

/// No deadline.
const NEVER: u64 = u64::MAX;

pub(super) struct SqliteReader {
    connection: Connection,
    path: PathBuf,
    settings: Settings,
    deadline: Arc<AtomicU64>,
}

impl SqliteReader {
    pub(super) fn new(
        mut connection: Connection,
        path: &Path,
        settings: &Settings,
    ) -> Result<Self, StoreError> {
        let deadline = Arc::new(AtomicU64::new(NEVER));
        if let Some(ticks) = settings.ticks.clone() {
            let deadline = Arc::clone(&deadline);
            let is_late = move || (ticks.0)() >= deadline.load(Ordering::Relaxed);
            connection
                .progress_handler(STEPS_PER_LOOK, Some(is_late))
                .named("limit reader")?;
        }
        Ok(Self {
            connection,
            path: path.to_owned(),
            settings: settings.clone(),
            deadline,
        })
    }

    /// Runs a call on one snapshot and within the limit.
    fn call<T>(
        &mut self,
        call: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let limit_ms = self.settings.read_limit_ms;
        if let Some(ticks) = &self.settings.ticks {
            let deadline = (ticks.0)().saturating_add(limit_ms);
            self.deadline.store(deadline, Ordering::Relaxed);
        }
        let result = self
            .connection
            .transaction()
            .named("begin read")
            .and_then(|snapshot| call(&snapshot));
        self.deadline.store(NEVER, Ordering::Relaxed);
        match result {
            Err(StoreError::Slow { .. }) => Err(StoreError::Slow { limit_ms }),
            result => result,
        }
    }
}

impl Reader for SqliteReader {
    fn intent(&mut self, id: IntentId) -> Result<Option<Arc<Intent>>, StoreError> {
        self.call(|file| {
            file.prepare_cached("SELECT id, state FROM intents WHERE id = ?1")
                .named("read intent")?
                .query_row(params![id.0.as_bytes()], |row| Ok(rows::intent(row)))
                .optional()
                .named("read intent")?
                .transpose()
        })
    }

    fn payload(&mut self, id: IntentId) -> Result<Option<Payload>, StoreError> {
        self.call(|file| {
            let found: Option<(i64, String)> = file
                .prepare_cached(
                    "SELECT sum, body FROM payloads
                     WHERE local = (SELECT local FROM intents WHERE id = ?1)",
                )
                .named("read payload")?
                .query_row(params![id.0.as_bytes()], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()
                .named("read payload")?;
            let Some((sum, text)) = found else {
                return Ok(None);
            };
            if seal::sum(text.as_bytes()).cast_signed() != sum {
                return Err(StoreError::Corrupt {
                    what: format!("payload of intent {id}"),
                    reason: "it is not what was accepted".to_owned(),
                });
            }
            Ok(Some(Payload::trusted(text)))
        })
    }

    fn facts(&mut self, id: IntentId, after: u32) -> Result<Vec<Fact>, StoreError> {
        self.call(|file| feed::facts(file, id, after))
    }

    fn intents(
        &mut self,
        filter: &IntentFilter,
        page: &PageRequest,
    ) -> Result<Page<Arc<Intent>>, StoreError> {
        let end = cursor::decode(List::Intents, page)?.map_or(i64::MAX, |[local]| local);
        self.call(|file| {
            let (locals, is_checked) = match lists::intents(file, filter, end, page.limit)? {
                Found::Exactly(locals) => (locals, true),
                Found::Among(locals) => (locals, false),
            };
            let rows = locals.into_iter().filter_map(|local| {
                match rows::intent_at(file, local).transpose()? {
                    Ok(intent) if is_checked || matching::intent_matches(filter, &intent) => {
                        Some(Ok((local, intent)))
                    }
                    Ok(_other) => None,
                    Err(error) => Some(Err(error)),
                }
            });
            let needles = &filter.contains;
            if needles.is_empty() {
                return cursor::page(
                    List::Intents,
                    page,
                    rows.map(|row| row.map(|(local, intent)| ([local], intent))),
                );
            }
            let rows = rows.map(|row| {
                let (local, intent) = row?;
                let payload = rows::payload_at(file, local)?;
                let is_wanted = matching::contains_all(needles, &intent, payload.as_deref());
                Ok((local, (intent, is_wanted)))
            });
            let found =
                cursor::looked_through(List::Intents, page, rows, |(_, is_wanted)| *is_wanted)?;
            Ok(found.map(|(intent, _)| intent))
        })
    }

    fn attempts(
        &mut self,
        filter: &AttemptFilter,
        page: &PageRequest,
    ) -> Result<Page<Attempt>, StoreError> {
        let end = cursor::decode(List::Attempts, page)?.map_or(i64::MAX, |[id]| id);
        self.call(|file| attempt_pages::page(file, filter, page, end))
    }

    fn letters(
        &mut self,
        filter: &LetterFilter,
        page: &PageRequest,
    ) -> Result<Page<Arc<Intent>>, StoreError> {
        let after = cursor::decode(List::Letters, page)?;
        self.call(|file| letter_pages::page(file, filter, page, after))
    }

    fn letter_groups(
        &mut self,
        filter: &LetterFilter,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<LetterGroup>, StoreError> {
        self.call(|file| letter_pages::groups(file, filter, now, limit))
    }

    fn threads(
        &mut self,
        filter: &ThreadFilter,
        page: &PageRequest,
    ) -> Result<Page<Thread>, StoreError> {
        self.call(|file| thread_pages::page(file, filter, page))
    }

    fn thread(&mut self, id: ThreadId) -> Result<Option<Thread>, StoreError> {
        self.call(|file| thread_pages::thread(file, id))
    }

    fn held(&mut self, limit: u32) -> Result<Vec<Arc<Intent>>, StoreError> {
        self.call(|file| {
            let locals = rows::column(
                file,
                "SELECT local FROM intents INDEXED BY intents_held
                 WHERE held_until IS NOT NULL ORDER BY held_until, local LIMIT ?1",
                params![limit],
            )?;
            locals
                .into_iter()
                .filter_map(|local| rows::intent_at(file, local).transpose())
                .collect()
        })
    }

    fn oldest_unfinished(&mut self) -> Result<Option<Arc<Intent>>, StoreError> {
        self.call(|file| {
            let mut oldest = None;
            for (place, _) in lists::places(file, |place| !place.status.is_terminal())? {
                let first: Option<i64> = file
                    .prepare_cached(
                        "SELECT min(local) FROM intents INDEXED BY intents_by_place
                         WHERE place = ?1",
                    )
                    .named("read oldest")?
                    .query_row(params![place.number], |row| row.get(0))
                    .named("read oldest")?;
                oldest = first.into_iter().chain(oldest).min();
            }
            match oldest {
                None => Ok(None),
                Some(local) => rows::intent_at(file, local),
            }
        })
    }

    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Arc<Intent>>, StoreError> {
        self.call(|file| {
            let locals = rows::column(
                file,
                "SELECT local FROM intents INDEXED BY intents_due
                 WHERE due_at <= ?1 ORDER BY due_at, local LIMIT ?2",
                params![now.as_millis(), limit],
            )?;
            locals
                .into_iter()
                .filter_map(|local| rows::intent_at(file, local).transpose())
                .collect()
        })
    }

    fn oldest_ready(&mut self, agent: &Address) -> Result<Option<Timestamp>, StoreError> {
        self.call(|file| {
            let Some(receiver) = names::find(file, agent.key())? else {
                return Ok(None);
            };
            let first = rows::column(
                file,
                "SELECT ready_at FROM intents INDEXED BY intents_ready
                 WHERE receiver = ?1 AND ready_at IS NOT NULL ORDER BY ready_at LIMIT 1",
                params![receiver],
            )?;
            Ok(first.first().map(|millis| Timestamp::from_millis(*millis)))
        })
    }

    fn counters(&mut self) -> Result<Counters, StoreError> {
        self.call(counters)
    }

    fn agents(&mut self) -> Result<Vec<Agent>, StoreError> {
        self.call(|file| records(file, "SELECT record FROM agents ORDER BY address", "agent"))
    }

    fn endpoints(&mut self) -> Result<Vec<Endpoint>, StoreError> {
        let sql = "SELECT record FROM endpoints ORDER BY address";
        self.call(|file| records(file, sql, "endpoint"))
    }

    fn beats(&mut self) -> Result<Vec<Beats>, StoreError> {
        let sql = "SELECT record FROM beats ORDER BY address";
        self.call(|file| records(file, sql, "heartbeats"))
    }

    fn subscriptions(&mut self) -> Result<Vec<Subscription>, StoreError> {
        let sql = "SELECT record FROM subscriptions ORDER BY id";
        self.call(|file| records(file, sql, "subscription"))
    }

    fn schemas(&mut self) -> Result<Vec<Schema>, StoreError> {
        let sql = "SELECT record FROM schemas ORDER BY semantic_type";
        self.call(|file| records(file, sql, "schema"))
    }

    fn keys(&mut self) -> Result<Vec<Key>, StoreError> {
        self.call(|file| records(file, "SELECT record FROM api_keys ORDER BY id", "key"))
    }

    fn feed(
        &mut self,
        filter: &FeedFilter,
        limit: u32,
    ) -> Result<(Vec<FeedItem>, Cursor), StoreError> {
        self.call(|file| feed::page(file, filter, limit))
    }

    fn oldest(&mut self) -> Result<Cursor, StoreError> {
        self.call(feed::oldest)
    }

    fn head(&mut self) -> Result<Cursor, StoreError> {
        self.call(feed::head)
    }

    fn audit(
        &mut self,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<Audited>, StoreError> {
        self.call(|file| audit::page(file, filter, page))
    }

    fn letter_count(&mut self, filter: &LetterFilter) -> Result<u64, StoreError> {
        self.call(|file| letter_pages::count(file, filter))
    }

    fn letter_ids(
        &mut self,
        filter: &LetterFilter,
        order: JobOrder,
        limit: u32,
    ) -> Result<Vec<IntentId>, StoreError> {
        self.call(|file| letter_pages::ids(file, filter, order, limit))
    }

    fn jobs(
        &mut self,
        state: Option<JobState>,
        page: &PageRequest,
    ) -> Result<Page<Job>, StoreError> {
        self.call(|file| jobs::page(file, state, page))
    }

    fn job(&mut self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.call(|file| jobs::find(file, id))
    }

    fn live_jobs(&mut self) -> Result<Vec<Job>, StoreError> {
        self.call(jobs::live)
    }

    fn job_selection(&mut self, id: JobId, piece: u32) -> Result<Vec<IntentId>, StoreError> {
        self.call(|file| jobs::piece(file, id, piece))
    }

    fn job_items(&mut self, id: JobId, page: &PageRequest) -> Result<Page<JobItem>, StoreError> {
        self.call(|file| jobs::items(file, id, page))
    }

    fn job_items_in_flight(&mut self, id: JobId) -> Result<Vec<JobItem>, StoreError> {
        self.call(|file| jobs::in_flight(file, id))
    }

    fn remembered(&mut self, scope: &str, key: &str) -> Result<Option<Remembered>, StoreError> {
        self.call(|file| match names::find(file, scope)? {
            None => Ok(None),
            Some(number) => Days::read(file)?.find(file, (scope, number), key),
        })
    }

    fn number(&mut self, name: &str) -> Result<Option<u64>, StoreError> {
        self.call(|file| {
            let sql = "SELECT value FROM numbers WHERE name = ?1";
            let found = rows::column(file, sql, params![name])?;
            Ok(found.first().map(|value| value.cast_unsigned()))
        })
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        self.call(|file| {
            file.prepare_cached("SELECT value FROM texts WHERE name = ?1")
                .named("read text")?
                .query_row(params![name], |row| row.get(0))
                .optional()
                .named("read text")
        })
    }

    fn bytes(&mut self) -> Result<u64, StoreError> {
        let log = {
            let mut name = self.path.clone().into_os_string();
            name.push("-wal");
            PathBuf::from(name)
        };
        // A log that is not there takes no room.
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        Ok(size(&self.path) + size(&log))
    }

    fn free_bytes(&mut self) -> Result<Option<u64>, StoreError> {
        let free = rustix::fs::statvfs(&self.path).map_err(|error| StoreError::Fault {
            operation: "look at free space of disk",
            reason: error.to_string(),
        })?;
        Ok(Some(free.f_bavail.saturating_mul(free.f_frsize)))
    }
}

/// The records of the first column.
fn records<T: Record>(
    file: &Connection,
    sql: &str,
    what: &'static str,
) -> Result<Vec<T>, StoreError> {
    let mut statement = file.prepare_cached(sql).named("read records")?;
    let mut rows = statement.query([]).named("read records")?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().named("read records")? {
        let bytes: Vec<u8> = row.get(0).named("read records")?;
        found.push(T::decode(&bytes).map_err(|broken: Broken| broken.of(what))?);
    }
    Ok(found)
}

fn counters(file: &Connection) -> Result<Counters, StoreError> {
    let mut counters = Counters::default();
    for (place, count) in lists::places(file, |_place: &Place| true)? {
        let count = columns::unsigned(count);
        if let Some(total) = counters.by_status.get_mut(place.status as usize) {
            *total += count;
        }
        if let Some(total) = counters.by_state.get_mut(place.state as usize) {
            *total += count;
        }
    }
    let mut statement = file
        .prepare_cached("SELECT key, count FROM tally WHERE kind = ?1 AND count > 0")
        .named("read counters")?;
    let mut kind = |kind: i64| {
        statement
            .query_map(params![kind], |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<(i64, i64)>>>)
            .named("read counters")
    };
    let mut agents = std::collections::BTreeMap::new();
    for depth in DEPTHS {
        for (receiver, count) in kind(columns::agent_tally(depth))? {
            let agent = agents.entry(receiver).or_default();
            *depth.of_mut(agent) = columns::unsigned(count);
        }
        for (binding, count) in kind(columns::binding_tally(depth))? {
            let binding = columns::binding_of(binding).unwrap_or(Binding::Internal);
            if let Some(total) = counters.by_binding.get_mut(binding as usize) {
                *depth.of_mut(total) = columns::unsigned(count);
            }
        }
    }
    for (_key, count) in kind(columns::TALLY_TASKS)? {
        counters.open_tasks = columns::unsigned(count);
    }
    for (receiver, depth) in agents {
        let key: String = file
            .prepare_cached("SELECT text FROM names WHERE id = ?1")
            .named("read counters")?
            .query_row(params![receiver], |row| row.get(0))
            .named("read counters")?;
        counters.by_agent.push((Address::trusted(key), depth));
    }
    counters.by_agent.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(counters)
}
