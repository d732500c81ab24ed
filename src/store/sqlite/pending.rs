//! The writes of a transaction before they are put down: each intent and attempt once, however often it moved.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rusqlite::Connection;

use crate::domain::attempt::Attempt;
use crate::domain::fact::{FactBody, Notice};
use crate::domain::ids::{AttemptId, IdMap, IntentId};
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::domain::time::Timestamp;
use crate::store::error::StoreError;
use crate::store::record::{self, Record as _};
use crate::store::{Change, NewPayload, Remembered, Write, derive};

use super::attempts::{self, MovedAttempt};
use super::columns;
use super::known::{Book, Known};

/// An intent that the transaction made or moved.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) known: Known,
    /// Its state in the file; none while it has no row.
    pub(super) stored: Option<Arc<Intent>>,
    pub(super) payload: Option<Source>,
    pub(super) is_dirty: bool,
}

/// Where a new intent's payload comes from.
#[derive(Debug)]
pub(super) enum Source {
    Given(Payload),
    CopyOf(i64),
}

/// An item of the feed; its record lies in [`Pending::arena`].
#[derive(Debug)]
pub(super) struct FeedRow {
    pub(super) cursor: i64,
    pub(super) local: i64,
    pub(super) previous: i64,
    pub(super) status: i64,
    pub(super) record: Range<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) moved: IdMap<Moved>,
    /// Those of `moved` whose row is behind, in order of their first move.
    pub(super) dirty: Vec<IntentId>,
    pub(super) attempts: BTreeMap<AttemptId, MovedAttempt>,
    pub(super) feed: Vec<FeedRow>,
    pub(super) arena: Vec<u8>,
    pub(super) answers: Vec<Remembered>,
    pub(super) forget: Option<Timestamp>,
    /// Intents to be removed.
    pub(super) removed: Vec<Arc<Intent>>,
    pub(super) numbers: BTreeMap<&'static str, u64>,
    /// Agents, keys, texts and audit entries: few, written as they came.
    pub(super) others: Vec<Write>,
    buffer: Vec<u8>,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.dirty.is_empty()
            && self.attempts.is_empty()
            && self.feed.is_empty()
            && self.answers.is_empty()
            && self.forget.is_none()
            && self.removed.is_empty()
            && self.numbers.is_empty()
            && self.others.is_empty()
    }

    /// Takes a write in.
    pub(super) fn put(
        &mut self,
        connection: &Connection,
        book: &mut Book,
        write: Write,
    ) -> Result<(), StoreError> {
        match write {
            Write::Intent(change) => self.change(connection, book, change)?,
            Write::Notice(notice) => self.notice(book, &notice),
            Write::Remember(answer) => self.answers.push(answer),
            Write::ForgetKeysBefore(instant) => {
                self.answers.retain(|answer| answer.at >= instant);
                self.forget = self.forget.max(Some(instant));
            }
            Write::Remove(intent) => self.removed.push(intent),
            Write::Number(name, number) => {
                self.numbers.insert(name, number);
            }
            Write::Agent(_)
            | Write::Key(_)
            | Write::Endpoint(_)
            | Write::Schema(_)
            | Write::Subscription(_)
            | Write::Beats(_)
            | Write::Audit(_)
            | Write::ForgetAuditBefore(..)
            | Write::Job(_)
            | Write::JobSelection(..)
            | Write::JobItem(..)
            | Write::RemoveJobItems(..)
            | Write::RemoveJob(_)
            | Write::Text(..) => {
                self.others.push(write);
            }
        }
        Ok(())
    }

    fn change(
        &mut self,
        connection: &Connection,
        book: &mut Book,
        change: Change,
    ) -> Result<(), StoreError> {
        let mut moved = self.entry(connection, book, &change)?;
        let known = &mut moved.known;
        let attempts = {
            let (pending, known) = (&self.attempts, &*known);
            derive::attempts_of(&change, &mut |id| {
                if let Some(moved) = pending.get(&id) {
                    return Ok(Some(moved.attempt.clone()));
                }
                match &known.open {
                    Some(open) if open.id == id => Ok(Some(open.clone())),
                    _ => attempts::find(connection, id, known),
                }
            })?
        };
        let first_cursor = book.at.cursor + 1;
        let statuses = derive::statuses_of(&change);
        for (fact, status) in change.facts.iter().zip(statuses) {
            record::encode_fact(fact, &mut self.buffer);
            let status = columns::status_number(status);
            known.last_fact = self.append(book, (known.local, known.last_fact, status));
        }
        let leased = change.after.lease().map(|lease| lease.attempt);
        known.open = known.open.take().filter(|open| Some(open.id) == leased);
        for attempt in attempts {
            self.attempt(known, &change, attempt, first_cursor);
        }
        known.intent = change.after;
        let id = known.intent.id;
        if !moved.is_dirty {
            moved.is_dirty = true;
            self.dirty.push(id);
        }
        self.moved.insert(id, moved);
        Ok(())
    }

    /// Where the intent of a change stands before it.
    fn entry(
        &mut self,
        connection: &Connection,
        book: &mut Book,
        change: &Change,
    ) -> Result<Moved, StoreError> {
        let id = change.after.id;
        if change.before.is_some() {
            if let Some(moved) = self.moved.remove(&id) {
                return Ok(moved);
            }
            let known = book
                .find(connection, id)?
                .ok_or_else(|| fault("update intent", format!("{id} is not there")))?;
            return Ok(Moved {
                stored: Some(Arc::clone(&known.intent)),
                known,
                payload: None,
                is_dirty: false,
            });
        }
        if self.moved.contains_key(&id) || book.recent.get(id).is_some() {
            return Err(fault("insert intent", format!("{id} is there already")));
        }
        let payload = match &change.payload {
            None => None,
            Some(NewPayload::Given(payload)) => Some(Source::Given(payload.clone())),
            Some(NewPayload::SameAs(other)) => {
                let local = match self.moved.get(other) {
                    Some(moved) => Some(moved.known.local),
                    None => super::rows::local_of(connection, *other)?,
                };
                let local =
                    local.ok_or_else(|| fault("copy payload", format!("{other} has none")))?;
                Some(Source::CopyOf(local))
            }
        };
        book.at.local += 1;
        Ok(Moved {
            known: Known {
                local: book.at.local,
                last_fact: 0,
                last_attempt: 0,
                intent: Arc::clone(&change.after),
                open: None,
            },
            stored: None,
            payload,
            is_dirty: false,
        })
    }

    /// Takes in an attempt as it is after a change whose facts begin at `first_cursor`.
    fn attempt(
        &mut self,
        known: &mut Known,
        change: &Change,
        mut attempt: Attempt,
        first_cursor: i64,
    ) {
        let id = attempt.id;
        let mut report = None;
        let mut is_begun = false;
        for (cursor, fact) in (first_cursor..).zip(&change.facts) {
            if fact.body.attempt() == Some(id) {
                is_begun |= matches!(fact.body, FactBody::AttemptStarted { .. });
                if derive::report_of(&fact.body).is_some() {
                    report = Some(cursor);
                }
            }
        }
        attempt.report = None;
        if change.after.lease().map(|lease| lease.attempt) == Some(id) {
            known.open = Some(attempt.clone());
        }
        if let Some(moved) = self.attempts.get_mut(&id) {
            moved.attempt = attempt;
            moved.report = report.or(moved.report);
            return;
        }
        let previous = known.last_attempt;
        if is_begun {
            known.last_attempt = id.0.cast_signed();
        }
        self.attempts.insert(
            id,
            MovedAttempt {
                attempt,
                local: known.local,
                previous,
                is_new: is_begun,
                report,
            },
        );
    }

    fn notice(&mut self, book: &mut Book, notice: &Notice) {
        notice.encode_into(&mut self.buffer);
        self.append(book, (0, 0, 0));
    }

    /// Puts what is in the buffer at the end of the feed.
    fn append(&mut self, book: &mut Book, (local, previous, status): (i64, i64, i64)) -> i64 {
        book.at.cursor += 1;
        let start = self.arena.len();
        self.arena.extend_from_slice(&self.buffer);
        self.feed.push(FeedRow {
            cursor: book.at.cursor,
            local,
            previous,
            status,
            record: start..self.arena.len(),
        });
        book.at.cursor
    }
}

pub(super) fn fault(operation: &'static str, reason: String) -> StoreError {
    StoreError::Fault { operation, reason }
}
