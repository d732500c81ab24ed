//! Pages of attempts, newest first.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::attempt::{Attempt, Outcome};
use crate::domain::ids::{AttemptId, IntentId};
use crate::domain::intent::Intent;
use crate::domain::time::Timestamp;
use crate::store::cursor::{self, List};
use crate::store::derive;
use crate::store::error::StoreError;
use crate::store::matching;
use crate::store::query::{AttemptFilter, Page, PageRequest};

use super::attempts::{self, AttemptRow};
use super::columns::{self, Place};
use super::failure::Named as _;
use super::lists::{self, Conditions};
use super::{feed, names, rows, shelves};

/// The attempts with ids below `end` that the filter lets through.
pub(super) fn page(
    file: &Connection,
    filter: &AttemptFilter,
    request: &PageRequest,
    end: i64,
) -> Result<Page<Attempt>, StoreError> {
    let found = if let Some(intent) = filter.intent {
        of_intent(file, intent)?
    } else if filter.outcome == Some(Outcome::InFlight) {
        in_flight(file)?
    } else {
        by_columns(file, filter, request, end)?
    };
    let mut intents = HashMap::new();
    let rows = found
        .into_iter()
        .map(|row| complete(file, &mut intents, row))
        .filter(|attempt| {
            attempt.as_ref().map_or(true, |(attempt, _)| {
                attempt.id.0.cast_signed() < end && matching::attempt_matches(filter, attempt)
            })
        })
        .map(|attempt| {
            let (mut attempt, report) = attempt?;
            if let Some(cursor) = report {
                fill_report(file, &mut attempt, cursor)?;
            }
            Ok(([attempt.id.0.cast_signed()], attempt))
        });
    cursor::page(List::Attempts, request, rows)
}

/// All attempts of one intent, newest first: the chain from its last one back.
fn of_intent(file: &Connection, intent: IntentId) -> Result<Vec<AttemptRow>, StoreError> {
    let last: Option<i64> = file
        .prepare_cached("SELECT last_attempt FROM intents WHERE id = ?1")
        .named("read attempts")?
        .query_row(params![intent.0.as_bytes()], |row| row.get(0))
        .optional()
        .named("read attempts")?;
    let mut found: Vec<AttemptRow> = Vec::new();
    let mut id = last.unwrap_or(0);
    while let Some(row) = attempts::row_of(file, AttemptId(id.cast_unsigned()))? {
        let previous = row.previous;
        found.push(row);
        if previous == 0 || previous >= id {
            break;
        }
        id = previous;
    }
    Ok(found)
}

/// The last attempts of all leased intents: what is in flight is among them.
fn in_flight(file: &Connection) -> Result<Vec<AttemptRow>, StoreError> {
    let mut ids = Vec::new();
    for (place, _) in lists::places(file, |place: &Place| place.is_leased)? {
        ids.append(&mut rows::column(
            file,
            "SELECT last_attempt FROM intents INDEXED BY intents_by_place WHERE place = ?1",
            params![place.number],
        )?);
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    of_ids(file, ids)
}

fn by_columns(
    file: &Connection,
    filter: &AttemptFilter,
    request: &PageRequest,
    end: i64,
) -> Result<Vec<AttemptRow>, StoreError> {
    let mut all = Conditions::default();
    all.and("id <", end);
    let mut index = "NOT INDEXED";
    let is_failure = filter.error_class.is_some()
        || matches!(
            filter.outcome,
            Some(Outcome::Failed | Outcome::TimedOut | Outcome::Lost | Outcome::UnknownCrash)
        );
    if is_failure {
        index = "INDEXED BY attempts_failed";
        all.and_sql("class IS NOT NULL");
    }
    if let Some(agent) = &filter.agent {
        let Some(receiver) = names::find(file, agent.key())? else {
            return Ok(Vec::new());
        };
        all.and("receiver =", receiver);
    }
    if let Some(binding) = filter.binding {
        all.and("binding =", columns::binding_number(binding));
    }
    if let Some(outcome) = filter.outcome {
        all.and("outcome =", columns::outcome_number(outcome));
    }
    if let Some(class) = filter.error_class {
        all.and("class =", columns::class_number(class));
    }
    let since = filter.since.map(Timestamp::as_millis);
    let first = lists::attempts_since(file, since)?;
    if let Some(since) = since {
        all.and("id >=", first);
        all.and("started_at >=", since);
    }
    let limit = i64::from(request.limit.max(1)) + 1;
    let most = all.parameter(limit);
    let ids = if filter.agent.is_some() && !is_failure {
        let newest = rows::column(file, "SELECT coalesce(max(id), 0) FROM attempts", [])?;
        let last = newest.first().map_or(0, |newest| end.min(*newest));
        shelves::one_by_one(file, all, (first, last), limit, |shelf, conditions| {
            format!(
                "SELECT id FROM attempts INDEXED BY attempts_by_receiver
                 WHERE id >> 12 = {shelf}{conditions} ORDER BY id DESC LIMIT {most}"
            )
        })?
    } else {
        let conditions = &all.sql;
        let sql = format!(
            "SELECT id FROM attempts {index} WHERE 1{conditions} ORDER BY id DESC LIMIT {most}"
        );
        all.column(file, &sql)?
    };
    of_ids(file, ids)
}

fn of_ids(file: &Connection, ids: Vec<i64>) -> Result<Vec<AttemptRow>, StoreError> {
    ids.into_iter()
        .filter_map(|id| attempts::row_of(file, AttemptId(id.cast_unsigned())).transpose())
        .collect()
}

/// Puts in what the row leaves to the intent. Of the report there is only the cursor of its fact.
fn complete(
    file: &Connection,
    intents: &mut HashMap<i64, Arc<Intent>>,
    row: AttemptRow,
) -> Result<(Attempt, Option<i64>), StoreError> {
    let intent = if let Some(intent) = intents.get(&row.local) {
        Arc::clone(intent)
    } else {
        let intent = rows::intent_at(file, row.local)?.ok_or_else(|| StoreError::Corrupt {
            what: format!("attempt {}", row.attempt.id),
            reason: "its intent is missing".to_owned(),
        })?;
        intents.insert(row.local, Arc::clone(&intent));
        intent
    };
    let attempt = Attempt {
        intent: intent.id,
        agent: attempts::receiver_of(file, row.attempt.id, &intent)?,
        ..row.attempt
    };
    Ok((attempt, row.report))
}

fn fill_report(file: &Connection, attempt: &mut Attempt, cursor: i64) -> Result<(), StoreError> {
    if let Some(fact) = feed::fact_at(file, attempt.intent, cursor)? {
        attempt.report = derive::report_of(&fact.body).cloned();
    }
    Ok(())
}
