//! Indices by shelf: the intents, or attempts, of each 4096 numbers have their own piece of the index.
//!
//! A key without an order in time then makes a commit touch a few pages at the end of the index instead of
//! one page for each row. A search asks shelf after shelf, from the newest.

use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::store::error::StoreError;
use crate::store::matching;
use crate::store::query::IntentFilter;

use super::columns::{self, HEADLESS};
use super::failure::Named as _;
use super::lists::Conditions;
use super::rows;
use super::schema::SHELF_BITS;

/// Most intents that a search for a part of an id looks at, newest first. Whoever finds more must type more.
const FOUND_MAX: u32 = 20_000;

/// The last intent's number.
pub(super) fn newest(connection: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(max(local), 0) FROM intents";
    Ok(rows::column(connection, sql, [])?
        .first()
        .copied()
        .unwrap_or(0))
}

/// The first column of a statement on one shelf after another, from the newest, until there are `limit`
/// values. The statement is made for the parameter that is the shelf, and the conditions.
pub(super) fn one_by_one(
    connection: &Connection,
    mut all: Conditions,
    (first, last): (i64, i64),
    limit: i64,
    statement: impl FnOnce(&str, &str) -> String,
) -> Result<Vec<i64>, StoreError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let shelf = all.parameter(0);
    let sql = statement(&shelf, &all.sql);
    let mut found = Vec::new();
    for shelf in (first >> SHELF_BITS..=last >> SHELF_BITS).rev() {
        if let Some(parameter) = all.values.last_mut() {
            *parameter = Value::Integer(shelf);
        }
        found.append(&mut all.column(connection, &sql)?);
        if found.len() >= limit {
            found.truncate(limit);
            break;
        }
    }
    Ok(found)
}

/// The intents that share what is nearly unique, when the filter names such a thing.
pub(super) fn search(
    connection: &Connection,
    filter: &IntentFilter,
) -> Result<Option<Vec<i64>>, StoreError> {
    let text = filter
        .text
        .as_deref()
        .map(matching::needle)
        .filter(|needle| !needle.is_empty());
    if let Some(origin) = filter.origin {
        let sql = "SELECT local FROM intents WHERE origin = ?1
                   UNION ALL SELECT local FROM intents WHERE id = ?1";
        return rows::column(connection, sql, params![origin.0.as_bytes()]).map(Some);
    }
    if let Some(correlation) = &filter.correlation_id {
        let head = columns::head(correlation);
        return on_shelves(connection, BY_HEAD, &[(head, head)]).map(Some);
    }
    let Some(needle) = text else {
        return Ok(None);
    };
    let mut heads = vec![(HEADLESS, HEADLESS)];
    heads.extend(columns::head_range(&needle));
    let mut found = on_shelves(connection, BY_HEAD, &heads)?;
    if let Some(tail) = columns::tail_range(&needle) {
        found.append(&mut on_shelves(connection, BY_TAIL, &[tail])?);
    }
    if let Some((first, last)) = columns::id_range(&needle) {
        found.append(&mut rows::column(
            connection,
            "SELECT local FROM intents INDEXED BY intents_by_id
             WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT ?3",
            params![first, last, FOUND_MAX],
        )?);
    }
    Ok(Some(found))
}

const BY_HEAD: &str = "SELECT local FROM intents INDEXED BY intents_by_head
     WHERE local >> 12 = ?1 AND head BETWEEN ?2 AND ?3";
const BY_TAIL: &str = "SELECT local FROM intents INDEXED BY intents_by_tail
     WHERE local >> 12 = ?1 AND tail BETWEEN ?2 AND ?3";

/// What lies in these ranges on any shelf, from the newest shelf on until enough is found.
fn on_shelves(
    connection: &Connection,
    sql: &str,
    ranges: &[(i64, i64)],
) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(sql).named("search intents")?;
    let mut found = Vec::new();
    for shelf in (0..=newest(connection)? >> SHELF_BITS).rev() {
        for (first, last) in ranges {
            let mut rows = statement
                .query(params![shelf, first, last])
                .named("search intents")?;
            while let Some(row) = rows.next().named("search intents")? {
                found.push(row.get(0).named("search intents")?);
            }
        }
        if found.len() >= usize::try_from(FOUND_MAX).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(found)
}
