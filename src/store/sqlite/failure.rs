//! What SQLite's errors mean to us.

use rusqlite::ErrorCode;

use crate::store::error::StoreError;

/// Gives a result of the database the name of what was being done.
pub(super) trait Named<T> {
    fn named(self, operation: &'static str) -> Result<T, StoreError>;
}

impl<T> Named<T> for rusqlite::Result<T> {
    fn named(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| meaning(&error, operation))
    }
}

fn meaning(error: &rusqlite::Error, operation: &'static str) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        // The index of the log, which is shared memory in a file, could not grow: nothing was written yet.
        _ if error
            .sqlite_error()
            .is_some_and(|code| is_index_full(*code)) =>
        {
            StoreError::Full
        }
        // Only readers have a limit; they put in how long it was.
        Some(ErrorCode::OperationInterrupted) => StoreError::Slow { limit_ms: 0 },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt {
            what: operation.to_owned(),
            reason: error.to_string(),
        },
        // The extended code says which call of the system failed (sqlite.org/rescode.html#extrc).
        _ => StoreError::Fault {
            operation,
            reason: match error.sqlite_error() {
                Some(code) => format!("{error} (SQLite {})", code.extended_code),
                None => error.to_string(),
            },
        },
    }
}

const fn is_index_full(error: rusqlite::ffi::Error) -> bool {
    error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
}
