//! Who owns a data directory. What a crash left half-written, SQLite takes back when it opens the file.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::store::error::StoreError;

/// The right to a data directory. The operating system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the directory, making the file `lock` in it.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when another process has it; [`StoreError::Open`] when the file cannot be used.
    pub fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("lock");
        let open = |error: std::io::Error| StoreError::Open {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(open)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Taken {
                path: directory.display().to_string(),
            }),
            Err(TryLockError::Error(error)) => Err(open(error)),
        }
    }
}
