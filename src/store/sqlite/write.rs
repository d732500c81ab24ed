//! A transaction of the writer.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, params};

use crate::domain::address::Address;
use crate::domain::ids::{Cursor, IntentId};
use crate::domain::intent::Intent;
use crate::domain::time::Timestamp;
use crate::store::error::StoreError;
use crate::store::{Remembered, Txn, Write};

use super::columns::{self, Place};
use super::failure::Named as _;
use super::flush::flush;
use super::known::{Known, Position};
use super::pending::Pending;
use super::{SqliteStore, lists, rows};

/// What is due, soonest first; looked for in every commit.
pub(super) const DUE: &str = "SELECT id, state, local, last_fact, last_attempt
     FROM intents INDEXED BY intents_due
     WHERE due_at <= ?1 ORDER BY due_at, local LIMIT ?2";

/// What a receiver may have, longest waiting first.
pub(super) const READY: &str = "SELECT id, state, local, last_fact, last_attempt
     FROM intents INDEXED BY intents_ready
     WHERE receiver = ?1 AND ready_at <= ?2 ORDER BY ready_at, local LIMIT ?3";

pub(super) struct SqliteTxn<'store> {
    store: &'store mut SqliteStore,
    pending: Pending,
    start: Position,
    is_done: bool,
}

impl<'store> SqliteTxn<'store> {
    pub(super) fn begin(store: &'store mut SqliteStore) -> Result<Self, StoreError> {
        store
            .connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut statement| statement.execute([]))
            .named("begin transaction")?;
        Ok(Self {
            start: store.book.at,
            store,
            pending: Pending::default(),
            is_done: false,
        })
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        flush(
            &self.store.connection,
            &mut self.store.book,
            &mut self.pending,
        )
    }

    /// The intents of a statement whose rows are as [`rows::known`] reads them, after all own writes.
    fn list(
        &mut self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<Arc<Intent>>, StoreError> {
        let mut found = Vec::new();
        let mut fresh: Vec<(usize, Known)> = Vec::new();
        {
            let mut statement = self
                .store
                .connection
                .prepare_cached(sql)
                .named("read list")?;
            let mut cursor = statement.query(params).named("read list")?;
            while let Some(row) = cursor.next().named("read list")? {
                let id = rows::id(row)?;
                let known = match self.pending.moved.get(&id) {
                    Some(moved) => Some(Arc::clone(&moved.known.intent)),
                    None => self.store.book.recent.get(id).map(|known| known.intent),
                };
                found.push(if let Some(intent) = known {
                    intent
                } else {
                    let known = rows::known(row)?;
                    let intent = Arc::clone(&known.intent);
                    fresh.push((found.len(), known));
                    intent
                });
            }
        }
        for (_place, known) in fresh {
            self.store.book.keep(&self.store.connection, Some(known))?;
        }
        Ok(found)
    }
}

impl Txn for SqliteTxn<'_> {
    fn load(&mut self, ids: &[IntentId]) -> Result<Vec<Option<Arc<Intent>>>, StoreError> {
        let (connection, book) = (&self.store.connection, &mut self.store.book);
        ids.iter()
            .map(|id| match self.pending.moved.get(id) {
                Some(moved) => Ok(Some(Arc::clone(&moved.known.intent))),
                None => Ok(book.find(connection, *id)?.map(|known| known.intent)),
            })
            .collect()
    }

    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Arc<Intent>>, StoreError> {
        self.flush()?;
        self.list(DUE, params![now.as_millis(), limit])
    }

    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        self.flush()?;
        let first: Option<i64> = self
            .store
            .connection
            .prepare_cached(
                "SELECT due_at FROM intents INDEXED BY intents_due
                 WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1",
            )
            .named("read next due")?
            .query_row([], |row| row.get(0))
            .optional()
            .named("read next due")?;
        Ok(first.map(Timestamp::from_millis))
    }

    fn ready(
        &mut self,
        agent: &Address,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Intent>>, StoreError> {
        self.flush()?;
        let store = &mut *self.store;
        let Some(receiver) = store.book.names.find(&store.connection, agent.key())? else {
            return Ok(Vec::new());
        };
        self.list(READY, params![receiver, now.as_millis(), limit])
    }

    fn leased(
        &mut self,
        agent: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Arc<Intent>>, StoreError> {
        self.flush()?;
        let store = &mut *self.store;
        let receiver = match agent {
            None => None,
            Some(agent) => match store.book.names.find(&store.connection, agent.key())? {
                None => return Ok(Vec::new()),
                receiver => receiver,
            },
        };
        let places = lists::places(&store.connection, |place: &Place| place.is_leased)?;
        let mut locals: Vec<i64> = Vec::new();
        for (place, _count) in places {
            locals.extend(rows::column(
                &store.connection,
                "SELECT local FROM intents INDEXED BY intents_by_place
                 WHERE place = ?1 AND (?2 IS NULL OR receiver = ?2) ORDER BY local LIMIT ?3",
                params![place.number, receiver, limit],
            )?);
        }
        locals.sort_unstable();
        locals.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let mut found = Vec::with_capacity(locals.len());
        for local in locals {
            found.append(&mut self.list(
                "SELECT id, state, local, last_fact, last_attempt FROM intents WHERE local = ?1",
                params![local],
            )?);
        }
        Ok(found)
    }

    fn remembered(&mut self, scope: &str, key: &str) -> Result<Option<Remembered>, StoreError> {
        let is_it = |answer: &&Remembered| answer.scope == scope && answer.key == key;
        if let Some(answer) = self.pending.answers.iter().rev().find(is_it) {
            return Ok(Some(answer.clone()));
        }
        if self.pending.forget.is_some() {
            self.flush()?;
        }
        let store = &mut *self.store;
        match store.book.names.find(&store.connection, scope)? {
            None => Ok(None),
            Some(number) => store
                .book
                .days
                .find(&store.connection, (scope, number), key),
        }
    }

    fn survey(&mut self, after: u64, limit: u32) -> Result<Vec<(u64, Arc<Intent>)>, StoreError> {
        self.flush()?;
        let mut statement = self
            .store
            .connection
            .prepare_cached(
                "SELECT id, state, local FROM intents WHERE local > ?1 ORDER BY local LIMIT ?2",
            )
            .named("survey intents")?;
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let mut cursor = statement
            .query(params![after, limit])
            .named("survey intents")?;
        let mut found = Vec::new();
        while let Some(row) = cursor.next().named("survey intents")? {
            let local: i64 = row.get(2).named("survey intents")?;
            found.push((columns::unsigned(local), rows::intent(row)?));
        }
        Ok(found)
    }

    fn put(&mut self, write: Write) -> Result<(), StoreError> {
        let store = &mut *self.store;
        self.pending.put(&store.connection, &mut store.book, write)
    }

    fn commit(mut self: Box<Self>) -> Result<Cursor, StoreError> {
        let result = self.flush().and_then(|()| {
            self.store
                .connection
                .prepare_cached("COMMIT")
                .and_then(|mut statement| statement.execute([]))
                .named("commit")
        });
        if let Err(error) = result {
            // A log that could not grow ends before the mark that would have made this a commit: it has not
            // happened, SQLite has taken it back or takes it back when this is dropped, and the next commit
            // writes over what there is of it. After anything else what is on disk is unknown.
            self.store.is_poisoned = error != StoreError::Full;
            return Err(error);
        }
        self.is_done = true;
        for moved in self.pending.moved.values() {
            self.store.book.recent.put(&moved.known);
        }
        let cursor = Cursor(columns::unsigned(self.store.book.at.cursor));
        if self.start.cursor != self.store.book.at.cursor {
            self.store.watermark.note(cursor);
        }
        Ok(cursor)
    }
}

impl Drop for SqliteTxn<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        // What the memory learnt from this transaction has not happened.
        self.store.book.at = self.start;
        self.store.book.names.forget_all();
        // A full disk may have taken it back already.
        let connection = &self.store.connection;
        if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
            self.store.is_poisoned = true;
        }
        match super::answers::Days::read(&self.store.connection) {
            Ok(days) => self.store.book.days = days,
            Err(_unreadable) => self.store.is_poisoned = true,
        }
    }
}
