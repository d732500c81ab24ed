//! Pages and groups of dead letters.

use std::sync::Arc;

use rusqlite::{Connection, params, params_from_iter};

use crate::domain::failure::DeadReason;
use crate::domain::ids::IntentId;
use crate::domain::intent::Intent;
use crate::domain::job::JobOrder;
use crate::domain::time::Timestamp;
use crate::store::cursor::{self, List};
use crate::store::derive::Depth;
use crate::store::error::StoreError;
use crate::store::query::{LetterFilter, LetterGroup, LetterState, Page, PageRequest};

use super::columns;
use super::failure::Named as _;
use super::lists::Conditions;
use super::{names, rows};

const HOUR_MS: i64 = 3_600_000;
const HOURS: usize = 24;

/// Letters of a group that are shown.
const NEWEST: i64 = 5;

/// The page after the letter with this key: when it died, its local number.
pub(super) fn page(
    file: &Connection,
    filter: &LetterFilter,
    request: &PageRequest,
    after: Option<[i64; 2]>,
) -> Result<Page<Arc<Intent>>, StoreError> {
    let state = filter.state.unwrap_or(LetterState::Open);
    let Some((index, mut all)) = conditions(file, filter, state)? else {
        return cursor::page::<_, 2>(List::Letters, request, []);
    };
    if let Some([dead_at, local]) = after {
        let (dead_at, local) = (all.parameter(dead_at), all.parameter(local));
        all.and_sql(&format!("(dead_at, local) < ({dead_at}, {local})"));
    }
    let limit = i64::from(request.limit.max(1)) + 1;
    let found = newest(file, index, &mut all, limit)?;
    let rows = found.into_iter().filter_map(|(dead_at, local)| {
        let intent = rows::intent_at(file, local).transpose()?;
        Some(intent.map(|intent| ([dead_at, local], intent)))
    });
    cursor::page(List::Letters, request, rows)
}

/// The newest letters under these conditions: when they died, their local numbers.
fn newest(
    file: &Connection,
    index: &str,
    all: &mut Conditions,
    limit: i64,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let limit = all.parameter(limit);
    let conditions = &all.sql;
    file.prepare_cached(&format!(
        "SELECT dead_at, local FROM letters INDEXED BY {index}
         WHERE 1{conditions} ORDER BY dead_at DESC, local DESC LIMIT {limit}"
    ))
    .and_then(|mut statement| {
        statement
            .query_map(params_from_iter(&all.values), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect()
    })
    .named("read letters")
}

/// How many letters the filter lets through.
pub(super) fn count(file: &Connection, filter: &LetterFilter) -> Result<u64, StoreError> {
    let state = filter.state.unwrap_or(LetterState::Open);
    if let Some(kept) = kept_count(file, filter, state)? {
        return Ok(columns::unsigned(kept));
    }
    let Some((index, all)) = conditions(file, filter, state)? else {
        return Ok(0);
    };
    let conditions = &all.sql;
    let count = file
        .prepare_cached(&format!(
            "SELECT count(*) FROM letters INDEXED BY {index} WHERE 1{conditions}"
        ))
        .and_then(|mut statement| {
            statement.query_row(params_from_iter(&all.values), |row| row.get(0))
        })
        .named("count letters")?;
    Ok(columns::unsigned(count))
}

/// The counter of open letters, where one is kept: of all, or of one receiver.
fn kept_count(
    file: &Connection,
    filter: &LetterFilter,
    state: LetterState,
) -> Result<Option<i64>, StoreError> {
    let LetterFilter {
        agent,
        intent_type: None,
        reason: None,
        error_class: None,
        since: None,
        until: None,
        fingerprint: None,
        state: _,
    } = filter
    else {
        return Ok(None);
    };
    if state != LetterState::Open {
        return Ok(None);
    }
    let receiver = match agent {
        None => None,
        Some(agent) => match names::find(file, agent.key())? {
            None => return Ok(Some(0)),
            found => found,
        },
    };
    let kind = match receiver {
        None => columns::binding_tally(Depth::Dead),
        Some(_) => columns::agent_tally(Depth::Dead),
    };
    let sum = file
        .prepare_cached(
            "SELECT coalesce(sum(count), 0) FROM tally
             WHERE kind = ?1 AND (?2 IS NULL OR key = ?2)",
        )
        .and_then(|mut statement| statement.query_row(params![kind, receiver], |row| row.get(0)))
        .named("count letters")?;
    Ok(Some(sum))
}

/// The letters that the filter lets through.
pub(super) fn ids(
    file: &Connection,
    filter: &LetterFilter,
    order: JobOrder,
    limit: u32,
) -> Result<Vec<IntentId>, StoreError> {
    let state = filter.state.unwrap_or(LetterState::Open);
    let Some((index, mut all)) = conditions(file, filter, state)? else {
        return Ok(Vec::new());
    };
    let direction = match order {
        JobOrder::Oldest => "ASC",
        JobOrder::Newest => "DESC",
    };
    let limit = all.parameter(i64::from(limit));
    let conditions = &all.sql;
    file.prepare_cached(&format!(
        "SELECT (SELECT id FROM intents WHERE local = letters.local)
         FROM letters INDEXED BY {index} WHERE 1{conditions}
         ORDER BY dead_at {direction}, local {direction} LIMIT {limit}"
    ))
    .and_then(|mut statement| {
        statement
            .query_map(params_from_iter(&all.values), |row| {
                Ok(IntentId(uuid::Uuid::from_bytes(row.get(0)?)))
            })?
            .collect()
    })
    .named("read letters")
}

/// The groups of open letters that the filter lets through, largest first.
pub(super) fn groups(
    file: &Connection,
    filter: &LetterFilter,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<LetterGroup>, StoreError> {
    let Some((_, mut all)) = conditions(file, filter, LetterState::Open)? else {
        return Ok(Vec::new());
    };
    let count = all.values.len();
    let limit = all.parameter(i64::from(limit));
    let sql = format!(
        "SELECT fingerprint, count(*), min(dead_at), max(dead_at)
         FROM letters INDEXED BY letters_by_fingerprint WHERE 1{}
         GROUP BY fingerprint
         ORDER BY count(*) DESC, max(dead_at) DESC, fingerprint LIMIT {limit}",
        all.sql
    );
    let mut groups: Vec<LetterGroup> = file
        .prepare_cached(&sql)
        .and_then(|mut statement| {
            statement
                .query_map(params_from_iter(&all.values), |row| {
                    Ok(LetterGroup {
                        fingerprint: row.get(0)?,
                        count: columns::unsigned(row.get(1)?),
                        first_at: Timestamp::from_millis(row.get(2)?),
                        last_at: Timestamp::from_millis(row.get(3)?),
                        newest: Vec::new(),
                        hourly: vec![0; HOURS],
                    })
                })?
                .collect()
        })
        .named("read letter groups")?;
    all.values.truncate(count);
    for group in &mut groups {
        fill(file, &all, group, now)?;
    }
    Ok(groups)
}

/// Puts in the newest letters of a group, and how many died in each of the last hours.
fn fill(
    file: &Connection,
    all: &Conditions,
    group: &mut LetterGroup,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut of_group = Conditions {
        sql: all.sql.clone(),
        values: all.values.clone(),
    };
    of_group.and("fingerprint =", group.fingerprint.clone());
    let mut lately = Conditions {
        sql: of_group.sql.clone(),
        values: of_group.values.clone(),
    };
    for (_dead_at, local) in newest(file, "letters_by_fingerprint", &mut of_group, NEWEST)? {
        group.newest.extend(rows::intent_at(file, local)?);
    }
    let first = now.as_millis().saturating_sub(HOUR_MS * 24);
    lately.and("dead_at >", first);
    let now = lately.parameter(now.as_millis());
    let sql = format!(
        "SELECT max({now} - dead_at, 0) / {HOUR_MS} AS hours, count(*)
         FROM letters INDEXED BY letters_by_fingerprint WHERE 1{} GROUP BY hours",
        lately.sql
    );
    let hours: Vec<(u32, u32)> = file
        .prepare_cached(&sql)
        .and_then(|mut statement| {
            statement
                .query_map(params_from_iter(&lately.values), |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?
                .collect()
        })
        .named("read letter groups")?;
    for (hours_ago, count) in hours {
        if let Some(hour) = group
            .hourly
            .iter_mut()
            .nth_back(usize::try_from(hours_ago).unwrap_or(HOURS))
        {
            *hour = count;
        }
    }
    Ok(())
}

/// The conditions of a filter and the index that leads; `None` when nothing can match.
fn conditions(
    file: &Connection,
    filter: &LetterFilter,
    state: LetterState,
) -> Result<Option<(&'static str, Conditions)>, StoreError> {
    let mut all = Conditions::default();
    let mut index = "letters_by_time";
    let is_rejected = filter.reason == Some(DeadReason::Rejected);
    all.and("pile =", columns::pile(state, is_rejected));
    if let Some(reason) = filter.reason {
        all.and("reason =", columns::reason_number(reason));
    }
    if let Some(class) = filter.error_class {
        all.and("class =", columns::class_number(class));
    }
    if let Some(since) = filter.since {
        all.and("dead_at >=", since.as_millis());
    }
    if let Some(until) = filter.until {
        all.and("dead_at <", until.as_millis());
    }
    if let Some(agent) = &filter.agent {
        let Some(receiver) = names::find(file, agent.key())? else {
            return Ok(None);
        };
        index = "letters_by_receiver";
        all.and("receiver =", receiver);
    }
    if let Some(pattern) = &filter.intent_type
        && !all.and_type(file, pattern)?
    {
        return Ok(None);
    }
    if let Some(wanted) = &filter.fingerprint {
        let parameter = all.parameter(wanted.clone());
        if wanted.chars().count() == 4 {
            all.and_sql(&format!(
                "(fingerprint = {parameter}
                  OR substr(fingerprint, instr(fingerprint, ':') + 1, 4) = {parameter})"
            ));
        } else {
            index = "letters_by_fingerprint";
            all.and_sql(&format!("fingerprint = {parameter}"));
        }
    }
    Ok(Some((index, all)))
}
