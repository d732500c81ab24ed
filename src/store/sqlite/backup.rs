//! A copy of the file while it is in use, and whether a file is sound.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use crate::store::error::StoreError;

use super::failure::Named as _;

fn open(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| StoreError::Open {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
    connection
        .execute_batch("PRAGMA busy_timeout = 5000;")
        .named("open store")?;
    Ok(connection)
}

/// Writes a whole copy of the store as of one commit. Readers and the writer go on meanwhile.
///
/// # Errors
/// The fault; whatever was written is then no copy.
pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let connection = open(from)?;
    connection
        .execute("VACUUM INTO ?1", params![to.display().to_string()])
        .named("copy store")?;
    // The copy is worth something only once it is on the disk.
    std::fs::File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::Fault {
            operation: "sync copy of store",
            reason: error.to_string(),
        })
}

/// What SQLite finds wrong with the file's pages and indices; nothing when it is sound.
///
/// # Errors
/// The fault that kept it from looking.
pub fn unsound(path: &Path) -> Result<Vec<String>, StoreError> {
    let connection = open(path)?;
    let mut statement = connection
        .prepare("PRAGMA integrity_check")
        .named("check store")?;
    let found: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .named("check store")?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}
