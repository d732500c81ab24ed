//! Pages of threads.

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use crate::domain::ids::{IntentId, ThreadId};
use crate::store::cursor::{self, List};
use crate::store::derive;
use crate::store::error::StoreError;
use crate::store::query::{Page, PageRequest, Thread, ThreadFilter, ThreadKind};

use super::failure::Named as _;
use super::lists::Conditions;
use super::threads::{key, unkey};
use super::{names, rows};

/// A page: open tasks by due instant, or everything by its last change.
pub(super) fn page(
    file: &Connection,
    filter: &ThreadFilter,
    request: &PageRequest,
) -> Result<Page<Thread>, StoreError> {
    let list = if filter.is_due_first {
        List::ThreadsByDue
    } else {
        List::Threads
    };
    let after = cursor::decode::<2>(list, request)?;
    let mut found = select(file, filter, request, after, Source::Own)?;
    if filter.owner.is_some() {
        found.append(&mut select(file, filter, request, after, Source::Shared)?);
        found.sort_unstable();
        if !filter.is_due_first {
            found.reverse();
        }
    }
    let rows = found.into_iter().filter_map(|(instant, key)| {
        let thread = read(file, key).transpose()?;
        Some(thread.map(|thread| ([instant, key], thread)))
    });
    cursor::page(list, request, rows)
}

/// Whose threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Those that an owner owns.
    Own,
    /// Those that somebody holds beside the owner.
    Shared,
}

/// The keys of a page with the instants that order them.
fn select(
    file: &Connection,
    filter: &ThreadFilter,
    request: &PageRequest,
    after: Option<[i64; 2]>,
    source: Source,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut all = Conditions::default();
    let mut index = "threads_by_time";
    if let Some(owner) = &filter.owner {
        let Some(owner) = names::find(file, owner.key())? else {
            return Ok(Vec::new());
        };
        index = "threads_by_owner";
        all.and("owner =", owner);
    }
    match filter.is_pending {
        Some(false) => all.and_sql("is_pending = 0"),
        None if !filter.is_due_first => {}
        Some(true) | None => {
            index = "threads_pending";
            all.and_sql("is_pending = 1");
        }
    }
    if filter.is_due_first && filter.is_pending == Some(false) {
        return Ok(Vec::new());
    }
    if let Some(kind) = filter.kind {
        all.and_sql(match kind {
            ThreadKind::Task => "key & 1 = 0",
            ThreadKind::Completion => "key & 1 = 1",
        });
    }
    let (instant, order, beyond) = if filter.is_due_first {
        ("due_at", "", ">")
    } else {
        ("updated_at", "DESC", "<")
    };
    if let Some([at, key]) = after {
        let (at, key) = (all.parameter(at), all.parameter(key));
        all.and_sql(&format!("({instant}, key) {beyond} ({at}, {key})"));
    }
    let limit = all.parameter(i64::from(request.limit.max(1)) + 1);
    let conditions = &all.sql;
    let from = match source {
        Source::Own => format!("threads INDEXED BY {index}"),
        Source::Shared => "shared_threads".to_owned(),
    };
    file.prepare_cached(&format!(
        "SELECT {instant}, key FROM {from}
         WHERE 1{conditions} ORDER BY {instant} {order}, key {order} LIMIT {limit}"
    ))
    .and_then(|mut statement| {
        statement
            .query_map(params_from_iter(&all.values), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect()
    })
    .named("read threads")
}

/// The thread of that id, else that of that id's intent.
pub(super) fn thread(file: &Connection, id: ThreadId) -> Result<Option<Thread>, StoreError> {
    let of_task: Option<i64> = file
        .prepare_cached("SELECT key FROM threads INDEXED BY threads_by_id WHERE id = ?1")
        .named("read thread")?
        .query_row(params![id.0.as_bytes()], |row| row.get(0))
        .optional()
        .named("read thread")?;
    if let Some(key) = of_task {
        return read(file, key);
    }
    let Some(local) = rows::local_of(file, IntentId(id.0))? else {
        return Ok(None);
    };
    match read(file, key(local, ThreadKind::Completion))? {
        None => read(file, key(local, ThreadKind::Task)),
        thread => Ok(thread),
    }
}

/// The thread with this key, as its intent says.
fn read(file: &Connection, key: i64) -> Result<Option<Thread>, StoreError> {
    let (local, kind) = unkey(key);
    let Some(intent) = rows::intent_at(file, local)? else {
        return Ok(None);
    };
    let row = match kind {
        ThreadKind::Task => derive::task_thread(&intent),
        ThreadKind::Completion => derive::completion_thread(&intent),
    };
    Ok(row.map(|row| Thread {
        id: row.id,
        kind: row.kind,
        owner: row.owner,
        is_pending: row.is_pending,
        updated_at: row.updated_at,
        intent,
    }))
}
