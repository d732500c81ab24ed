//! Answers under idempotency keys.
//!
//! Keys are random, so they are indexed by day: what is inserted now touches the index of today, and a
//! question asks each day once. Forgetting is exact at once, because rows up to a mark and before an instant
//! no longer count; they are taken out a few at a time, while new ones come in.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::domain::ids::IntentId;
use crate::domain::time::Timestamp;
use crate::store::Remembered;
use crate::store::error::StoreError;

use super::failure::Named as _;

/// Forgotten rows that a commit takes out for each that it puts in, and at least.
const SWEPT_PER_ANSWER: usize = 2;
const SWEPT_MIN: usize = 64;

const FORGOTTEN_BEFORE: &str = "store.answers_forgotten_before";
const FORGOTTEN_TO: &str = "store.answers_forgotten_to";

/// The days that have answers, newest first, and the mark of what is forgotten.
#[derive(Debug)]
pub(super) struct Days {
    days: Vec<i64>,
    mark: Mark,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    before: i64,
    to: i64,
}

impl Days {
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let mut days = Vec::new();
        let mut older_than = i64::MAX;
        let mut statement = connection
            .prepare_cached("SELECT max(day) FROM answers WHERE day < ?1")
            .named("read answers")?;
        while let Some(day) = statement
            .query_row(params![older_than], |row| row.get::<_, Option<i64>>(0))
            .named("read answers")?
        {
            days.push(day);
            older_than = day;
        }
        let number = |name: &str| {
            connection
                .query_row(
                    "SELECT value FROM numbers WHERE name = ?1",
                    params![name],
                    |row| row.get(0),
                )
                .optional()
                .named("read answers")
        };
        let mark = Mark {
            before: number(FORGOTTEN_BEFORE)?.unwrap_or(i64::MIN),
            to: number(FORGOTTEN_TO)?.unwrap_or(0),
        };
        Ok(Self { days, mark })
    }

    /// What was answered under a key in the scope with this number.
    pub(super) fn find(
        &self,
        connection: &Connection,
        (scope, scope_number): (&str, i64),
        key: &str,
    ) -> Result<Option<Remembered>, StoreError> {
        let mut statement = connection
            .prepare_cached(
                "SELECT fingerprint, at, intent, seq, row FROM answers INDEXED BY answers_by_hash
                 WHERE day = ?1 AND hash = ?2 AND scope = ?3 AND key = ?4
                   AND NOT (row <= ?5 AND at < ?6)
                 ORDER BY row DESC LIMIT 1",
            )
            .named("read answer")?;
        let hash = hash(scope, key);
        let mut newest: Option<(i64, Remembered)> = None;
        for day in &self.days {
            let found: Option<(i64, Remembered)> = statement
                .query_row(
                    params![day, hash, scope_number, key, self.mark.to, self.mark.before],
                    |row| Ok((row.get(4)?, answer(row, scope, key)?)),
                )
                .optional()
                .named("read answer")?;
            // The last one put down counts, also when the clock went back over midnight meanwhile.
            newest = match (newest, found) {
                (Some(newest), Some(found)) if newest.0 > found.0 => Some(newest),
                (newest, found) => found.or(newest),
            };
        }
        Ok(newest.map(|(_row, answer)| answer))
    }

    /// Puts answers down, the last of equal keys last, and sweeps a little.
    pub(super) fn insert(
        &mut self,
        connection: &Connection,
        answers: &[(i64, Remembered)],
    ) -> Result<(), StoreError> {
        let mut statement = connection
            .prepare_cached(
                "INSERT INTO answers (day, hash, scope, key, fingerprint, at, intent, seq)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )
            .named("insert answer")?;
        for (scope_number, answer) in answers {
            let Remembered {
                scope,
                key,
                fingerprint,
                at,
                intent,
                seq,
            } = answer;
            let day = day(*at);
            statement
                .execute(params![
                    day,
                    hash(scope, key),
                    scope_number,
                    key,
                    fingerprint,
                    at.as_millis(),
                    intent.0.as_bytes(),
                    seq,
                ])
                .named("insert answer")?;
            if let Err(place) = self.days.binary_search_by(|known| day.cmp(known)) {
                self.days.insert(place, day);
            }
        }
        self.sweep(connection, SWEPT_MIN.max(answers.len() * SWEPT_PER_ANSWER))
    }

    /// Forgets what was answered before an instant.
    pub(super) fn forget(
        &mut self,
        connection: &Connection,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        let last: Option<i64> = connection
            .query_row("SELECT max(row) FROM answers", [], |row| row.get(0))
            .named("forget answers")?;
        self.mark = Mark {
            before: before.as_millis(),
            to: last.unwrap_or(0),
        };
        for (name, value) in [
            (FORGOTTEN_BEFORE, self.mark.before),
            (FORGOTTEN_TO, self.mark.to),
        ] {
            connection
                .prepare_cached("INSERT OR REPLACE INTO numbers (name, value) VALUES (?1, ?2)")
                .named("forget answers")?
                .execute(params![name, value])
                .named("forget answers")?;
        }
        self.sweep(connection, SWEPT_MIN)
    }

    /// Takes out the oldest rows, as long as they are forgotten.
    fn sweep(&self, connection: &Connection, limit: usize) -> Result<(), StoreError> {
        let mut oldest = connection
            .prepare_cached("SELECT row, at FROM answers WHERE row <= ?1 ORDER BY row LIMIT ?2")
            .named("sweep answers")?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found: Vec<(i64, i64)> = oldest
            .query_map(params![self.mark.to, limit], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .and_then(Iterator::collect)
            .named("sweep answers")?;
        let mut delete = connection
            .prepare_cached("DELETE FROM answers WHERE row = ?1")
            .named("sweep answers")?;
        for (row, _at) in found.iter().take_while(|(_, at)| *at < self.mark.before) {
            delete.execute(params![row]).named("sweep answers")?;
        }
        Ok(())
    }
}

fn answer(row: &Row<'_>, scope: &str, key: &str) -> rusqlite::Result<Remembered> {
    Ok(Remembered {
        scope: scope.to_owned(),
        key: key.to_owned(),
        fingerprint: row.get(0)?,
        at: Timestamp::from_millis(row.get(1)?),
        intent: IntentId(uuid::Uuid::from_bytes(row.get(2)?)),
        seq: row.get(3)?,
    })
}

const fn day(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(86_400)
}

/// FNV-1a over scope and key. Equal hashes are told apart by the columns beside them.
fn hash(scope: &str, key: &str) -> i64 {
    let bytes = scope.bytes().chain([0]).chain(key.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash.cast_signed()
}
