//! Rows of intents and of the feed, read by the writer and by readers alike.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::domain::ids::IntentId;
use crate::domain::intent::Intent;
use crate::store::error::StoreError;
use crate::store::record;

use super::failure::Named as _;
use super::known::Known;

pub(super) const KNOWN_BY_ID: &str =
    "SELECT id, state, local, last_fact, last_attempt FROM intents WHERE id = ?1";

/// A row that starts with `id, state, local, last_fact, last_attempt`, without the attempt of its lease.
pub(super) fn known(row: &Row<'_>) -> Result<Known, StoreError> {
    Ok(Known {
        intent: intent(row)?,
        local: row.get(2).named("read intent")?,
        last_fact: row.get(3).named("read intent")?,
        last_attempt: row.get(4).named("read intent")?,
        open: None,
    })
}

/// The id in the first column.
pub(super) fn id(row: &Row<'_>) -> Result<IntentId, StoreError> {
    let bytes: [u8; 16] = row.get(0).named("read intent")?;
    Ok(IntentId(uuid::Uuid::from_bytes(bytes)))
}

/// A row that starts with `id, state`.
pub(super) fn intent(row: &Row<'_>) -> Result<Arc<Intent>, StoreError> {
    let id = id(row)?;
    let state = row
        .get_ref(1)
        .and_then(|value| Ok(value.as_blob()?))
        .named("read intent")?;
    record::decode_intent(id, state)
        .map(Arc::new)
        .map_err(|broken| broken.of(format!("intent {id}")))
}

/// The intent with this local number.
pub(super) fn intent_at(
    connection: &Connection,
    local: i64,
) -> Result<Option<Arc<Intent>>, StoreError> {
    connection
        .prepare_cached("SELECT id, state FROM intents WHERE local = ?1")
        .named("read intent")?
        .query_row(params![local], |row| Ok(intent(row)))
        .optional()
        .named("read intent")?
        .transpose()
}

/// The payload of the intent with this local number, as it is stored.
pub(super) fn payload_at(
    connection: &Connection,
    local: i64,
) -> Result<Option<String>, StoreError> {
    connection
        .prepare_cached("SELECT body FROM payloads WHERE local = ?1")
        .named("read payload")?
        .query_row(params![local], |row| row.get(0))
        .optional()
        .named("read payload")
}

/// The local number of an intent.
pub(super) fn local_of(connection: &Connection, id: IntentId) -> Result<Option<i64>, StoreError> {
    connection
        .prepare_cached("SELECT local FROM intents WHERE id = ?1")
        .named("read intent")?
        .query_row(params![id.0.as_bytes()], |row| row.get(0))
        .optional()
        .named("read intent")
}

/// Every value of the first column.
pub(super) fn column(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<i64>, StoreError> {
    connection
        .prepare_cached(sql)
        .named("read list")?
        .query_map(params, |row| row.get(0))
        .named("read list")?
        .collect::<rusqlite::Result<_>>()
        .named("read list")
}
