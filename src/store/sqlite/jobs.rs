//! Jobs: their state, what they selected, and what became of each.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::ids::{IntentId, JobId};
use crate::domain::job::{ItemOutcome, Job, JobItem, JobState};
use crate::store::Write;
use crate::store::cursor::{self, List};
use crate::store::error::StoreError;
use crate::store::query::{Page, PageRequest};
use crate::store::record::Record;

use super::failure::Named as _;

/// Puts down what is written of jobs.
pub(super) fn put(file: &Connection, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Job(job) => write_job(file, job),
        Write::JobSelection(job, piece, intents) => write_piece(file, *job, *piece, intents),
        Write::JobItem(job, item) => write_item(file, *job, item),
        Write::RemoveJobItems(job, from, count) => remove_items(file, *job, *from, *count),
        Write::RemoveJob(job) => remove(file, *job),
        // Nothing else is of jobs.
        _ => Ok(()),
    }
}

fn write_job(file: &Connection, job: &Job) -> Result<(), StoreError> {
    file.prepare_cached("INSERT OR REPLACE INTO jobs (id, is_live, record) VALUES (?1, ?2, ?3)")
        .and_then(|mut statement| {
            statement.execute(params![job.id.0.cast_signed(), job.is_live(), job.encode()])
        })
        .map(drop)
        .named("write job")
}

fn write_piece(
    file: &Connection,
    job: JobId,
    piece: u32,
    intents: &[IntentId],
) -> Result<(), StoreError> {
    let bytes: Vec<u8> = intents
        .iter()
        .flat_map(|intent| *intent.0.as_bytes())
        .collect();
    file.prepare_cached("INSERT INTO job_pieces (job, piece, intents) VALUES (?1, ?2, ?3)")
        .and_then(|mut statement| statement.execute(params![job.0.cast_signed(), piece, bytes]))
        .map(drop)
        .named("write job")
}

fn write_item(file: &Connection, job: JobId, item: &JobItem) -> Result<(), StoreError> {
    let is_in_flight = matches!(item.outcome, ItemOutcome::InFlight { .. });
    file.prepare_cached(
        "INSERT OR REPLACE INTO job_items (job, position, is_in_flight, record)
         VALUES (?1, ?2, ?3, ?4)",
    )
    .and_then(|mut statement| {
        statement.execute(params![
            job.0.cast_signed(),
            item.position,
            is_in_flight,
            item.encode()
        ])
    })
    .map(drop)
    .named("write job item")
}

fn remove_items(file: &Connection, job: JobId, from: u32, count: u32) -> Result<(), StoreError> {
    let end = i64::from(from) + i64::from(count);
    file.prepare_cached("DELETE FROM job_items WHERE job = ?1 AND position >= ?2 AND position < ?3")
        .and_then(|mut statement| statement.execute(params![job.0.cast_signed(), from, end]))
        .map(drop)
        .named("remove job")
}

fn remove(file: &Connection, job: JobId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM job_pieces WHERE job = ?1",
        "DELETE FROM jobs WHERE id = ?1",
    ] {
        file.prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params![job.0.cast_signed()]))
            .named("remove job")?;
    }
    Ok(())
}

/// A page of jobs. They are few, so a state is looked for row by row.
pub(super) fn page(
    file: &Connection,
    state: Option<JobState>,
    request: &PageRequest,
) -> Result<Page<Job>, StoreError> {
    let end = cursor::decode(List::Jobs, request)?.map_or(i64::MAX, |[id]| id);
    let mut statement = file
        .prepare_cached("SELECT record FROM jobs WHERE id < ?1 ORDER BY id DESC")
        .named("read jobs")?;
    let rows = statement
        .query_map(params![end], |row| row.get::<_, Vec<u8>>(0))
        .named("read jobs")?
        .map(|bytes| decode::<Job>(&bytes.named("read jobs")?, "job"))
        .filter(|job| {
            let state_of = |job: &Job| state.is_none_or(|state| state == job.state);
            job.as_ref().map_or(true, state_of)
        })
        .map(|job| job.map(|job| ([job.id.0.cast_signed()], job)));
    cursor::page(List::Jobs, request, rows)
}

pub(super) fn find(file: &Connection, id: JobId) -> Result<Option<Job>, StoreError> {
    let bytes: Option<Vec<u8>> = file
        .prepare_cached("SELECT record FROM jobs WHERE id = ?1")
        .named("read job")?
        .query_row(params![id.0.cast_signed()], |row| row.get(0))
        .optional()
        .named("read job")?;
    bytes.map(|bytes| decode(&bytes, "job")).transpose()
}

pub(super) fn live(file: &Connection) -> Result<Vec<Job>, StoreError> {
    all(
        file,
        "SELECT record FROM jobs INDEXED BY jobs_live WHERE is_live = 1 ORDER BY id",
        params![],
        "job",
    )
}

pub(super) fn piece(file: &Connection, id: JobId, piece: u32) -> Result<Vec<IntentId>, StoreError> {
    let bytes: Option<Vec<u8>> = file
        .prepare_cached("SELECT intents FROM job_pieces WHERE job = ?1 AND piece = ?2")
        .named("read job")?
        .query_row(params![id.0.cast_signed(), piece], |row| row.get(0))
        .optional()
        .named("read job")?;
    let bytes = bytes.unwrap_or_default();
    let (ids, _rest) = bytes.as_chunks::<16>();
    Ok(ids
        .iter()
        .map(|id| IntentId(uuid::Uuid::from_bytes(*id)))
        .collect())
}

pub(super) fn items(
    file: &Connection,
    id: JobId,
    request: &PageRequest,
) -> Result<Page<JobItem>, StoreError> {
    let after = cursor::decode(List::JobItems, request)?.map_or(-1, |[position]| position);
    let limit = i64::from(request.limit.max(1)) + 1;
    let found: Vec<JobItem> = all(
        file,
        "SELECT record FROM job_items WHERE job = ?1 AND position > ?2
         ORDER BY position LIMIT ?3",
        params![id.0.cast_signed(), after, limit],
        "job item",
    )?;
    let rows = found
        .into_iter()
        .map(|item| Ok(([i64::from(item.position)], item)));
    cursor::page(List::JobItems, request, rows)
}

pub(super) fn in_flight(file: &Connection, id: JobId) -> Result<Vec<JobItem>, StoreError> {
    all(
        file,
        "SELECT record FROM job_items INDEXED BY job_items_in_flight
         WHERE job = ?1 AND is_in_flight = 1 ORDER BY position",
        params![id.0.cast_signed()],
        "job item",
    )
}

fn all<T: Record>(
    file: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    what: &'static str,
) -> Result<Vec<T>, StoreError> {
    let mut statement = file.prepare_cached(sql).named("read jobs")?;
    let rows = statement
        .query_map(params, |row| row.get::<_, Vec<u8>>(0))
        .named("read jobs")?;
    rows.map(|bytes| decode(&bytes.named("read jobs")?, what))
        .collect()
}

fn decode<T: Record>(bytes: &[u8], what: &'static str) -> Result<T, StoreError> {
    T::decode(bytes).map_err(|broken| broken.of(what))
}
