//! Removing what is finished: an intent with its payload, facts, attempts, letter and threads.
//!
//! The last number that was ever given out is kept when its row goes, so that none is given out twice.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::intent::Intent;
use crate::domain::time::Timestamp;
use crate::store::derive;
use crate::store::error::StoreError;
use crate::store::query::ThreadKind;

use super::failure::Named as _;
use super::known::Book;
use super::pending::fault;
use super::threads;

/// The number under which the position is kept up to which the feed may have gaps.
pub(super) const FLOOR: &str = "feed_floor";
/// The number under which the highest place of a removed intent is kept.
pub(super) const PLACE: &str = "removed_place";

/// Removes an intent. Its counters are the caller's.
pub(super) fn remove(
    connection: &Connection,
    book: &mut Book,
    intent: &Intent,
) -> Result<(), StoreError> {
    let known = book
        .find(connection, intent.id)?
        .filter(|known| known.intent.is_finished())
        .ok_or_else(|| fault("remove intent", format!("{} is not there", intent.id)))?;
    follow(
        connection,
        "DELETE FROM feed WHERE cursor = ?1 RETURNING previous",
        known.last_fact,
    )?;
    follow(
        connection,
        "DELETE FROM attempts WHERE id = ?1 RETURNING previous",
        known.last_attempt,
    )?;
    for sql in [
        "DELETE FROM payloads WHERE local = ?1",
        "DELETE FROM letters WHERE local = ?1",
        "DELETE FROM intents WHERE local = ?1",
    ] {
        execute(connection, sql, known.local)?;
    }
    let thread = derive::task_thread(&known.intent);
    let key = threads::key(known.local, ThreadKind::Task);
    threads::share(connection, &mut book.names, key, (thread.as_ref(), None))?;
    for kind in [ThreadKind::Task, ThreadKind::Completion] {
        let key = threads::key(known.local, kind);
        execute(connection, "DELETE FROM threads WHERE key = ?1", key)?;
    }
    let floor = number(connection, FLOOR)?;
    if known.last_fact > floor {
        connection
            .prepare_cached("DELETE FROM feed WHERE cursor BETWEEN ?1 AND ?2 AND local = 0")
            .and_then(|mut statement| statement.execute(params![floor, known.last_fact]))
            .named("remove notices")?;
    }
    raise(connection, FLOOR, known.last_fact)?;
    raise(connection, PLACE, known.local)
}

/// Deletes a chain from its last row back to its first.
fn follow(connection: &Connection, sql: &str, last: i64) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql).named("remove intent")?;
    let mut next = last;
    while next != 0 {
        next = statement
            .query_row(params![next], |row| row.get(0))
            .optional()
            .named("remove intent")?
            .unwrap_or(0);
    }
    Ok(())
}

fn execute(connection: &Connection, sql: &str, key: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(params![key]))
        .map(drop)
        .named("remove intent")
}

/// A number of the store's own; zero when there is none.
pub(super) fn number(connection: &Connection, name: &str) -> Result<i64, StoreError> {
    let found: Option<i64> = connection
        .prepare_cached("SELECT value FROM numbers WHERE name = ?1")
        .named("read number")?
        .query_row(params![name], |row| row.get(0))
        .optional()
        .named("read number")?;
    Ok(found.unwrap_or(0))
}

fn raise(connection: &Connection, name: &str, value: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO numbers (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
        )
        .and_then(|mut statement| statement.execute(params![name, value]))
        .map(drop)
        .named("remove intent")
}

/// Forgets the oldest entries of the audit log. Their ids rise with their times.
pub(super) fn forget_audit(
    connection: &Connection,
    before: Timestamp,
    limit: u32,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "DELETE FROM audit WHERE id IN (
                 SELECT id FROM audit
                 WHERE id < coalesce(
                     (SELECT id FROM audit WHERE at >= ?1 ORDER BY id LIMIT 1),
                     9223372036854775807)
                 ORDER BY id LIMIT ?2)",
        )
        .and_then(|mut statement| statement.execute(params![before.as_millis(), limit]))
        .map(drop)
        .named("forget audit entries")
}
