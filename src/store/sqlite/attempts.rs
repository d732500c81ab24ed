//! Rows of attempts.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::domain::address::Address;
use crate::domain::attempt::Attempt;
use crate::domain::ids::{AttemptId, IntentId};
use crate::domain::intent::Intent;
use crate::domain::time::Timestamp;
use crate::store::error::StoreError;

use super::columns::{self, binding_of, class_of, outcome_of};
use super::failure::Named as _;
use super::known::Known;

/// An attempt that a transaction began or moved.
#[derive(Debug)]
pub(super) struct MovedAttempt {
    pub(super) attempt: Attempt,
    pub(super) local: i64,
    pub(super) previous: i64,
    pub(super) is_new: bool,
    /// The cursor of the fact that carries its report, when that is among the writes.
    pub(super) report: Option<i64>,
}

/// The columns that make an attempt, in the order that [`attempt`] reads them.
pub(super) const COLUMNS: &str = "id, number, binding, started_at, finished_at, outcome, class, error, next_at, report, local, previous";

/// An attempt without its report, and what leads on from it.
pub(super) struct AttemptRow {
    pub(super) attempt: Attempt,
    pub(super) report: Option<i64>,
    pub(super) local: i64,
    pub(super) previous: i64,
}

/// A row of [`COLUMNS`]. Intent and receiver are for the caller to fill in.
pub(super) fn row(row: &Row<'_>) -> rusqlite::Result<Option<AttemptRow>> {
    let (Some(binding), Some(outcome)) = (binding_of(row.get(2)?), outcome_of(row.get(5)?)) else {
        return Ok(None);
    };
    let time = |column| {
        row.get::<_, Option<i64>>(column)
            .map(|millis| millis.map(Timestamp::from_millis))
    };
    Ok(Some(AttemptRow {
        attempt: Attempt {
            id: AttemptId(row.get::<_, i64>(0)?.cast_unsigned()),
            intent: IntentId(uuid::Uuid::nil()),
            number: row.get(1)?,
            agent: Address::trusted(""),
            binding,
            started_at: Timestamp::from_millis(row.get(3)?),
            finished_at: time(4)?,
            outcome,
            error_class: row.get::<_, Option<i64>>(6)?.and_then(class_of),
            error: row.get(7)?,
            next_attempt_at: time(8)?,
            report: None,
        },
        report: row.get(9)?,
        local: row.get(10)?,
        previous: row.get(11)?,
    }))
}

/// The row of this attempt.
pub(super) fn row_of(
    connection: &Connection,
    id: AttemptId,
) -> Result<Option<AttemptRow>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM attempts WHERE id = ?1"))
        .named("read attempt")?
        .query_row(params![id.0.cast_signed()], row)
        .optional()
        .named("read attempt")?
        .map(|row| {
            row.ok_or_else(|| StoreError::Corrupt {
                what: format!("attempt {id}"),
                reason: "unknown binding or outcome".to_owned(),
            })
        })
        .transpose()
}

/// A stored attempt of this intent, without its report.
pub(super) fn find(
    connection: &Connection,
    id: AttemptId,
    known: &Known,
) -> Result<Option<Attempt>, StoreError> {
    let Some(row) = row_of(connection, id)? else {
        return Ok(None);
    };
    Ok(Some(Attempt {
        intent: known.intent.id,
        agent: receiver_of(connection, id, &known.intent)?,
        ..row.attempt
    }))
}

/// Whose attempt it was: the intent's receiver, unless that has become another meanwhile.
pub(super) fn receiver_of(
    connection: &Connection,
    id: AttemptId,
    intent: &Intent,
) -> Result<Address, StoreError> {
    if intent.first_to.is_none() {
        return Ok(intent.to.clone());
    }
    let text: String = connection
        .prepare_cached(
            "SELECT text FROM names JOIN attempts ON names.id = receiver WHERE attempts.id = ?1",
        )
        .and_then(|mut statement| {
            statement.query_row(params![id.0.cast_signed()], |row| row.get(0))
        })
        .named("read receiver")?;
    Ok(Address::trusted(text))
}

/// Puts attempts down, new ones and moved ones.
pub(super) fn write(
    connection: &Connection,
    moved: &[(&MovedAttempt, i64)],
) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO attempts (id, local, previous, number, receiver, binding, started_at,
                 finished_at, outcome, class, error, next_at, report)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )
        .named("insert attempt")?;
    // The usual end touches no column of an index.
    let mut succeed = connection
        .prepare_cached(
            "UPDATE attempts SET finished_at = ?2, outcome = ?3, report = coalesce(?4, report)
             WHERE id = ?1",
        )
        .named("update attempt")?;
    let mut fail = connection
        .prepare_cached(
            "UPDATE attempts SET finished_at = ?2, outcome = ?3, report = coalesce(?4, report),
                 class = ?5, error = ?6, next_at = ?7
             WHERE id = ?1",
        )
        .named("update attempt")?;
    for (moved, receiver) in moved {
        let attempt = &moved.attempt;
        let id = attempt.id.0.cast_signed();
        let finished_at = attempt.finished_at.map(Timestamp::as_millis);
        let outcome = columns::outcome_number(attempt.outcome);
        let class = attempt.error_class.map(columns::class_number);
        let next_at = attempt.next_attempt_at.map(Timestamp::as_millis);
        if moved.is_new {
            insert.execute(params![
                id,
                moved.local,
                moved.previous,
                attempt.number,
                receiver,
                columns::binding_number(attempt.binding),
                attempt.started_at.as_millis(),
                finished_at,
                outcome,
                class,
                attempt.error,
                next_at,
                moved.report,
            ])
        } else if class.is_none() {
            succeed.execute(params![id, finished_at, outcome, moved.report])
        } else {
            fail.execute(params![
                id,
                finished_at,
                outcome,
                moved.report,
                class,
                attempt.error,
                next_at
            ])
        }
        .named("write attempt")?;
    }
    Ok(())
}
