//! What the writer knows without asking: where it stands, and the states that moved lately.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::attempt::Attempt;
use crate::domain::ids::{IdMap, IntentId};
use crate::domain::intent::Intent;
use crate::store::error::StoreError;

use super::answers::Days;
use super::failure::Named as _;
use super::flush::Updates;
use super::names::Names;
use super::{attempts, removal, rows};

/// An intent with the ends of its chains.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) local: i64,
    pub(super) last_fact: i64,
    pub(super) last_attempt: i64,
    pub(super) intent: Arc<Intent>,
    /// The attempt of its lease, without its report.
    pub(super) open: Option<Attempt>,
}

/// The writer's memory.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) at: Position,
    pub(super) recent: Recent,
    pub(super) names: Names,
    pub(super) days: Days,
    pub(super) updates: Updates,
}

/// The last numbers that were given out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) local: i64,
    pub(super) cursor: i64,
}

fn last(connection: &Connection, sql: &str) -> Result<i64, StoreError> {
    connection
        .query_row(sql, [], |row| row.get::<_, Option<i64>>(0))
        .named("read position")
        .map(Option::unwrap_or_default)
}

/// The last position of the feed that was given out.
pub(super) fn last_cursor(connection: &Connection) -> Result<i64, StoreError> {
    let last = last(connection, "SELECT max(cursor) FROM feed")?;
    Ok(last.max(removal::number(connection, removal::FLOOR)?))
}

impl Book {
    pub(super) fn read(connection: &Connection, recent: usize) -> Result<Self, StoreError> {
        Ok(Self {
            at: Position {
                local: last(connection, "SELECT max(local) FROM intents")?
                    .max(removal::number(connection, removal::PLACE)?),
                cursor: last_cursor(connection)?,
            },
            recent: Recent::new(recent),
            names: Names::default(),
            days: Days::read(connection)?,
            updates: Updates::default(),
        })
    }

    /// An intent as it is stored.
    pub(super) fn find(
        &mut self,
        connection: &Connection,
        id: IntentId,
    ) -> Result<Option<Known>, StoreError> {
        if let Some(known) = self.recent.get(id) {
            return Ok(Some(known));
        }
        let known = connection
            .prepare_cached(rows::KNOWN_BY_ID)
            .named("load intent")?
            .query_row(params![id.0.as_bytes()], |row| Ok(rows::known(row)))
            .optional()
            .named("load intent")?
            .transpose()?;
        self.keep(connection, known)
    }

    /// Completes an intent that was read with the attempt of its lease, and remembers it.
    pub(super) fn keep(
        &mut self,
        connection: &Connection,
        known: Option<Known>,
    ) -> Result<Option<Known>, StoreError> {
        let Some(mut known) = known else {
            return Ok(None);
        };
        if let Some(lease) = known.intent.lease() {
            known.open = attempts::find(connection, lease.attempt, &known)?;
        }
        self.recent.put(&known);
        Ok(Some(known))
    }
}

/// The states that moved lately, in two generations: when the young one is full, it becomes the old one.
#[derive(Debug)]
pub(super) struct Recent {
    size: usize,
    young: IdMap<Known>,
    old: IdMap<Known>,
}

impl Recent {
    fn new(size: usize) -> Self {
        Self {
            size,
            young: IdMap::default(),
            old: IdMap::default(),
        }
    }

    pub(super) fn get(&mut self, id: IntentId) -> Option<Known> {
        if let Some(known) = self.young.get(&id) {
            return Some(known.clone());
        }
        let known = self.old.remove(&id)?;
        self.put(&known);
        Some(known)
    }

    /// Keeps the state of an unfinished intent. A finished one is not expected to be asked for again.
    pub(super) fn put(&mut self, known: &Known) {
        let id = known.intent.id;
        if known.intent.is_finished() {
            self.young.remove(&id);
            self.old.remove(&id);
            return;
        }
        if self.young.len() >= self.size {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, known.clone());
    }
}
