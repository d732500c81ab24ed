//! Puts the writes of a transaction down: table by table, each statement prepared once.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, params};

use crate::domain::address::Address;
use crate::domain::ids::IntentId;
use crate::domain::intent::Intent;
use crate::store::error::StoreError;
use crate::store::record::{self, Record as _, seal};
use crate::store::{Write, derive};

use super::columns::{self, Columns, derived};
use super::failure::Named as _;
use super::known::{Book, Known};
use super::names::Names;
use super::pending::{Moved, Pending, Source, fault};
use super::schema::SHELF_BITS;
use super::{attempts, jobs, removal, threads};

/// What `spans` keeps times of.
pub(super) const SPAN_INTENTS: i64 = 1;
pub(super) const SPAN_ATTEMPTS: i64 = 2;

/// Puts everything pending down. The states stay in `moved`, which is then as the file is.
pub(super) fn flush(
    connection: &Connection,
    book: &mut Book,
    pending: &mut Pending,
) -> Result<(), StoreError> {
    if pending.is_empty() {
        return Ok(());
    }
    let mut sums = Sums::default();
    let dirty = std::mem::take(&mut pending.dirty);
    let mut states = StateWriter::new(connection, &book.updates)?;
    for id in &dirty {
        if let Some(moved) = pending.moved.get_mut(id) {
            states.write(&mut book.names, moved, &mut sums)?;
        }
    }
    drop(states);
    write_payloads(connection, pending, &dirty)?;
    write_feed(connection, pending)?;
    write_attempts(connection, book, pending, &mut sums)?;
    for id in &dirty {
        if let Some(moved) = pending.moved.get_mut(id) {
            let change = (moved.stored.as_deref(), &*moved.known.intent);
            threads::write_threads(connection, &mut book.names, moved.known.local, change)?;
            threads::write_letter(connection, &mut book.names, moved.known.local, change)?;
            moved.stored = Some(Arc::clone(&moved.known.intent));
            moved.is_dirty = false;
        }
    }
    for intent in std::mem::take(&mut pending.removed) {
        let receiver = book.names.number(connection, intent.to.key())?;
        sums.count_intent(&intent, &derived(&intent), receiver, -1);
        removal::remove(connection, book, &intent)?;
        pending.moved.remove(&intent.id);
    }
    sums.write(connection)?;
    write_answers(connection, book, pending)?;
    write_others(connection, pending)
}

/// Sums over a commit, so that each counter and span is written once.
#[derive(Debug, Default)]
struct Sums {
    tally: BTreeMap<(i64, i64), i64>,
    spans: BTreeMap<(i64, i64), (i64, i64)>,
}

impl Sums {
    fn count(&mut self, kind: i64, key: i64, by: i64) {
        *self.tally.entry((kind, key)).or_default() += by;
    }

    fn count_intent(&mut self, intent: &Intent, columns: &Columns, receiver: i64, by: i64) {
        self.count(columns::TALLY_PLACES, columns.place, by);
        for depth in derive::depths_of(intent) {
            let binding = columns::binding_number(intent.binding);
            self.count(columns::agent_tally(depth), receiver, by);
            self.count(columns::binding_tally(depth), binding, by);
        }
        if intent.open_task().is_some() {
            self.count(columns::TALLY_TASKS, 0, by);
        }
    }

    fn span(&mut self, kind: i64, number: i64, at: i64) {
        let (first, last) = self
            .spans
            .entry((kind, number >> SHELF_BITS))
            .or_insert((at, at));
        *first = at.min(*first);
        *last = at.max(*last);
    }

    fn write(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut add = connection
            .prepare_cached(
                "INSERT INTO tally (kind, key, count) VALUES (?1, ?2, ?3)
                 ON CONFLICT (kind, key) DO UPDATE SET count = count + excluded.count",
            )
            .named("write counters")?;
        for ((kind, key), by) in &self.tally {
            if *by != 0 {
                add.execute(params![kind, key, by])
                    .named("write counters")?;
            }
        }
        let mut widen = connection
            .prepare_cached(
                "INSERT INTO spans (kind, shelf, first_at, last_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (kind, shelf) DO UPDATE SET
                     first_at = min(first_at, excluded.first_at),
                     last_at = max(last_at, excluded.last_at)
                 WHERE excluded.first_at < first_at OR excluded.last_at > last_at",
            )
            .named("write spans")?;
        for ((kind, shelf), (first, last)) in &self.spans {
            widen
                .execute(params![kind, shelf, first, last])
                .named("write spans")?;
        }
        Ok(())
    }
}

/// The columns of [`Columns`] in the order of their bits.
const MOVING: [&str; 4] = ["place", "due_at", "ready_at", "held_until"];

/// The statements that update a state and exactly the columns of their bits: an index is touched only when
/// its column is among them.
#[derive(Debug)]
pub(super) struct Updates([String; 16]);

impl Default for Updates {
    fn default() -> Self {
        Self(std::array::from_fn(|bits| {
            let mut sql =
                "UPDATE intents SET last_fact = ?, last_attempt = ?, state = ?".to_owned();
            for (bit, column) in MOVING.iter().enumerate() {
                if bits >> bit & 1 == 1 {
                    sql.push_str(", ");
                    sql.push_str(column);
                    sql.push_str(" = ?");
                }
            }
            sql.push_str(" WHERE local = ?");
            sql
        }))
    }
}

impl Updates {
    /// The statement for a move between these columns, and the values of those that it names.
    fn of(&self, before: &Columns, after: &Columns) -> (&str, impl Iterator<Item = Option<i64>>) {
        let moves = [
            (Some(before.place), Some(after.place)),
            (before.due_at, after.due_at),
            (before.ready_at, after.ready_at),
            (before.held_until, after.held_until),
        ];
        let bits = moves.iter().rev().fold(0, |bits, (before, after)| {
            bits << 1 | usize::from(before != after)
        });
        let values = moves
            .into_iter()
            .filter(|(before, after)| before != after)
            .map(|(_before, after)| after);
        (self.0.get(bits).map_or("", String::as_str), values)
    }
}

struct StateWriter<'file> {
    connection: &'file Connection,
    updates: &'file Updates,
    insert: CachedStatement<'file>,
    record: Vec<u8>,
}

impl<'file> StateWriter<'file> {
    fn new(connection: &'file Connection, updates: &'file Updates) -> Result<Self, StoreError> {
        let insert = connection
            .prepare_cached(
                "INSERT INTO intents (local, id, place, kind, receiver, sender, reply, type,
                     created_at, due_at, ready_at, held_until, origin, tail, head, last_fact,
                     last_attempt, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                     ?17, ?18)",
            )
            .named("insert intent")?;
        Ok(Self {
            connection,
            updates,
            insert,
            record: Vec::new(),
        })
    }

    fn write(
        &mut self,
        names: &mut Names,
        moved: &Moved,
        sums: &mut Sums,
    ) -> Result<(), StoreError> {
        let known = &moved.known;
        let receiver = names.number(self.connection, known.intent.to.key())?;
        let columns = derived(&known.intent);
        record::encode_intent(&known.intent, &mut self.record);
        if let Some(stored) = &moved.stored {
            let before = derived(stored);
            let had = names.number(self.connection, stored.to.key())?;
            sums.count_intent(stored, &before, had, -1);
            self.update(known, &before, &columns)?;
            if had != receiver {
                self.readdress(known.local, receiver)?;
            }
        } else {
            let created_at = known.intent.created_at.as_millis();
            sums.span(SPAN_INTENTS, known.local, created_at);
            self.insert(names, known, &columns, receiver)?;
        }
        sums.count_intent(&known.intent, &columns, receiver, 1);
        Ok(())
    }

    fn insert(
        &mut self,
        names: &mut Names,
        known: &Known,
        columns: &Columns,
        receiver: i64,
    ) -> Result<(), StoreError> {
        let intent = &*known.intent;
        let mut number = |address: &Address| names.number(self.connection, address.key());
        let sender = number(&intent.from)?;
        let reply = intent.reply_to.as_ref().map(&mut number).transpose()?;
        let intent_type = names.number(self.connection, &intent.intent_type)?;
        let origin = (intent.origin != intent.id).then(|| *intent.origin.0.as_bytes());
        self.insert
            .execute(params![
                known.local,
                intent.id.0.as_bytes(),
                columns.place,
                columns::kind_number(intent.kind()),
                receiver,
                sender,
                reply,
                intent_type,
                intent.created_at.as_millis(),
                columns.due_at,
                columns.ready_at,
                columns.held_until,
                origin,
                columns::tail(intent.id),
                columns::head(&intent.correlation_id),
                known.last_fact,
                known.last_attempt,
                self.record,
            ])
            .named("insert intent")?;
        Ok(())
    }

    /// It lies at another receiver now.
    fn readdress(&self, local: i64, receiver: i64) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE intents SET receiver = ?2 WHERE local = ?1")
            .and_then(|mut statement| statement.execute(params![local, receiver]))
            .named("readdress intent")
            .map(|_one| ())
    }

    fn update(&self, known: &Known, before: &Columns, after: &Columns) -> Result<(), StoreError> {
        let (sql, values) = self.updates.of(before, after);
        let run = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.raw_bind_parameter(1, known.last_fact)?;
            statement.raw_bind_parameter(2, known.last_attempt)?;
            statement.raw_bind_parameter(3, &self.record)?;
            let mut place = 3;
            for value in values {
                place += 1;
                statement.raw_bind_parameter(place, value)?;
            }
            statement.raw_bind_parameter(place + 1, known.local)?;
            statement.raw_execute()
        };
        match run().named("update intent")? {
            1 => Ok(()),
            _ => Err(fault(
                "update intent",
                format!("{} is gone", known.intent.id),
            )),
        }
    }
}

fn write_payloads(
    connection: &Connection,
    pending: &mut Pending,
    dirty: &[IntentId],
) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached("INSERT INTO payloads (local, sum, body) VALUES (?1, ?2, ?3)")
        .named("insert payload")?;
    let mut copy = connection
        .prepare_cached("INSERT INTO payloads SELECT ?1, sum, body FROM payloads WHERE local = ?2")
        .named("copy payload")?;
    for id in dirty {
        let Some(moved) = pending.moved.get_mut(id) else {
            continue;
        };
        let local = moved.known.local;
        match moved.payload.take() {
            None => {}
            Some(Source::Given(payload)) => {
                insert
                    .execute(params![
                        local,
                        seal::sum(payload.as_str().as_bytes()).cast_signed(),
                        payload.as_str()
                    ])
                    .named("insert payload")?;
            }
            Some(Source::CopyOf(other)) => {
                let copied = copy.execute(params![local, other]).named("copy payload")?;
                if copied == 0 {
                    return Err(fault("copy payload", format!("{id} has no source")));
                }
            }
        }
    }
    Ok(())
}

fn write_feed(connection: &Connection, pending: &mut Pending) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO feed (cursor, local, previous, status, record)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .named("insert fact")?;
    for row in pending.feed.drain(..) {
        let record = pending.arena.get(row.record).unwrap_or_default();
        insert
            .execute(params![
                row.cursor,
                row.local,
                row.previous,
                row.status,
                record
            ])
            .named("insert fact")?;
    }
    pending.arena.clear();
    Ok(())
}

fn write_attempts(
    connection: &Connection,
    book: &mut Book,
    pending: &mut Pending,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    if pending.attempts.is_empty() {
        return Ok(());
    }
    let moved = std::mem::take(&mut pending.attempts);
    let mut rows = Vec::with_capacity(moved.len());
    for attempt in moved.values() {
        if attempt.is_new {
            let started_at = attempt.attempt.started_at.as_millis();
            sums.span(
                SPAN_ATTEMPTS,
                attempt.attempt.id.0.cast_signed(),
                started_at,
            );
        }
        let receiver = book.names.number(connection, attempt.attempt.agent.key())?;
        rows.push((attempt, receiver));
    }
    attempts::write(connection, &rows)
}

fn write_answers(
    connection: &Connection,
    book: &mut Book,
    pending: &mut Pending,
) -> Result<(), StoreError> {
    if let Some(instant) = pending.forget.take() {
        book.days.forget(connection, instant)?;
    }
    if pending.answers.is_empty() {
        return Ok(());
    }
    let mut answers = Vec::with_capacity(pending.answers.len());
    for answer in pending.answers.drain(..) {
        let scope = book.names.number(connection, &answer.scope)?;
        answers.push((scope, answer));
    }
    book.days.insert(connection, &answers)
}

fn write_others(connection: &Connection, pending: &mut Pending) -> Result<(), StoreError> {
    let execute = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map(drop)
            .named("write")
    };
    for (name, number) in std::mem::take(&mut pending.numbers) {
        execute(
            "INSERT OR REPLACE INTO numbers (name, value) VALUES (?1, ?2)",
            params![name, number.cast_signed()],
        )?;
    }
    for write in pending.others.drain(..) {
        match write {
            Write::Agent(agent) => execute(
                "INSERT OR REPLACE INTO agents (address, record) VALUES (?1, ?2)",
                params![agent.address.key(), agent.encode()],
            )?,
            Write::Endpoint(endpoint) => execute(
                "INSERT OR REPLACE INTO endpoints (address, record) VALUES (?1, ?2)",
                params![endpoint.agent.key(), endpoint.encode()],
            )?,
            Write::Beats(beats) => execute(
                "INSERT OR REPLACE INTO beats (address, record) VALUES (?1, ?2)",
                params![beats.agent.key(), beats.encode()],
            )?,
            Write::Subscription(one) => execute(
                "INSERT OR REPLACE INTO subscriptions (id, record) VALUES (?1, ?2)",
                params![one.id.0.as_bytes(), one.encode()],
            )?,
            Write::Schema(schema) => execute(
                "INSERT OR REPLACE INTO schemas (semantic_type, record) VALUES (?1, ?2)",
                params![schema.semantic_type, schema.encode()],
            )?,
            Write::Key(key) => execute(
                "INSERT OR REPLACE INTO api_keys (id, record) VALUES (?1, ?2)",
                params![key.id.0.cast_signed(), key.encode()],
            )?,
            Write::Audit(entry) => execute(
                "INSERT INTO audit (at, record) VALUES (?1, ?2)",
                params![entry.at.as_millis(), entry.encode()],
            )?,
            Write::ForgetAuditBefore(instant, limit) => {
                removal::forget_audit(connection, instant, limit)?;
            }
            of_job @ (Write::Job(_)
            | Write::JobSelection(..)
            | Write::JobItem(..)
            | Write::RemoveJobItems(..)
            | Write::RemoveJob(_)) => jobs::put(connection, &of_job)?,
            Write::Text(name, text) => execute(
                "INSERT OR REPLACE INTO texts (name, value) VALUES (?1, ?2)",
                params![name, text],
            )?,
            // These are kept apart and have been put down before.
            Write::Intent(_)
            | Write::Notice(_)
            | Write::Remember(_)
            | Write::Remove(_)
            | Write::ForgetKeysBefore(_)
            | Write::Number(..) => {}
        }
    }
    Ok(())
}
