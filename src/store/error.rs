//! What can go wrong with memory.

use crate::domain::ids::Cursor;

/// A fault of the store. Not an answer: the caller can do nothing about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process owns the directory.
    #[error("open data directory {path}: another postroom owns it; hint: it can be attached to")]
    Taken {
        /// The directory.
        path: String,
    },
    /// The directory or file cannot be used.
    #[error("open store {path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Written by a newer program.
    #[error(
        "open store {path}: its format {found} is newer than {known}, which this program knows"
    )]
    TooNew {
        /// The file.
        path: String,
        /// The format in the file.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// A record cannot be understood.
    #[error("read {what}: {reason}")]
    Corrupt {
        /// Which record.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No room on the device. The transaction has not happened, and the store goes on.
    #[error("write to store: no space left on the device")]
    Full,
    /// A read took longer than its limit.
    #[error("read took longer than {limit_ms} ms and was stopped")]
    Slow {
        /// The limit.
        limit_ms: u64,
    },
    /// A cursor that this store did not issue.
    #[error("cursor {0:?} was not issued here")]
    BadCursor(String),
    /// The operating system or the database failed.
    #[error("{operation}: {reason}")]
    Fault {
        /// What was being done.
        operation: &'static str,
        /// What failed.
        reason: String,
    },
    /// A commit has failed before: nothing more is written until the store is reopened.
    #[error("store refuses writes after a failed commit; restart to reopen it")]
    Poisoned,
}

/// A memory that has less than was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// Where its feed ends.
    pub found: Cursor,
    /// How far it had come.
    pub acknowledged: Cursor,
}

impl Missing {
    /// The difference, if there is one.
    #[must_use]
    pub fn between(found: Cursor, acknowledged: Cursor) -> Option<Self> {
        (found < acknowledged).then_some(Self {
            found,
            acknowledged,
        })
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.acknowledged.0.saturating_sub(self.found.0);
        write!(
            formatter,
            "{count} events that were acknowledged are gone: the feed had come to {} and ends at {}; the log of \
             the store was damaged, or an older file was put in its place; hint: look for a backup, postroom restore",
            self.acknowledged, self.found
        )
    }
}
