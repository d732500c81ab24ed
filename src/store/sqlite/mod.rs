//! The embedded memory: one SQLite file, one writing connection, reading connections beside it.
//!
//! 1. Integers that the writer gives out lead every large table; random identifiers are secondary.
//! 2. A transaction keeps its writes in memory and puts each changed row down once, at its commit or when
//!    one of its own lists must see them.
//! 3. States of unfinished intents that moved lately are kept decoded. Only the writer changes the file, so
//!    they are never stale; a transaction that is dropped has not touched them.
//! 4. A commit is an fsync of the write-ahead log (`synchronous = FULL`).
//!
//! Not here: the bytes of a record (`record`), what a filter means (`matching`).

mod answers;
mod attempt_pages;
mod attempts;
mod audit;
pub mod backup;
mod columns;
mod failure;
mod feed;
mod flush;
mod jobs;
mod known;
mod letter_pages;
mod lists;
mod names;
mod pending;
mod read;
pub mod recover;
mod removal;
mod rows;
mod schema;
mod shelves;
mod thread_pages;
mod threads;
pub mod watermark;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::domain::ids::Cursor;
use crate::store::error::{Missing, StoreError};
use crate::store::{Reader, Store, Txn};

use self::failure::Named as _;
use self::known::Book;
use self::read::SqliteReader;
use self::watermark::Watermark;
use self::write::SqliteTxn;

/// The first SQLite whose write-ahead log cannot lose a checkpoint to a race (sqlite.org/wal.html#walresetbug).
const SQLITE_MIN: i32 = 3_051_003;

/// The milliseconds of a monotonic clock. The store reads no clock of its own.
#[derive(Clone)]
pub struct Ticks(pub Arc<dyn Fn() -> u64 + Send + Sync>);

impl fmt::Debug for Ticks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Ticks")
    }
}

/// How the file is used.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Page cache of the writer, in KiB: the hot ends of its tables.
    pub writer_cache_kib: u32,
    /// Page cache of each reader, in KiB.
    pub reader_cache_kib: u32,
    /// Pages in the write-ahead log at which it is checkpointed. 4000 (32 MB) stalls a commit for about 30 ms.
    pub checkpoint_pages: u32,
    /// Intents whose state is kept decoded, in each of two generations.
    pub recent_intents: usize,
    /// The longest that one call of a reader may take.
    pub read_limit_ms: u64,
    /// The clock for that limit; without one there is no limit.
    pub ticks: Option<Ticks>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            writer_cache_kib: 16_000,
            reader_cache_kib: 16_000,
            checkpoint_pages: 4_000,
            recent_intents: 4_096,
            read_limit_ms: 2_000,
            ticks: None,
        }
    }
}

/// A store in one file.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    settings: Settings,
    book: Book,
    watermark: Watermark,
    missing: Option<Missing>,
    is_poisoned: bool,
}

impl SqliteStore {
    /// Opens the file, making or migrating it first. Its directory must be there, and ours
    /// ([`recover::DirectoryLock`]).
    ///
    /// # Errors
    /// [`StoreError::TooNew`], [`StoreError::Open`], or the fault.
    pub fn open(path: &Path, settings: Settings) -> Result<Self, StoreError> {
        let failed = |reason: String| StoreError::Open {
            path: path.display().to_string(),
            reason,
        };
        if rusqlite::version_number() < SQLITE_MIN {
            let version = rusqlite::version();
            return Err(failed(format!("SQLite {version} may lose commits")));
        }
        let mut connection = Connection::open(path).map_err(|error| failed(error.to_string()))?;
        connection
            .execute_batch(schema::FIRST)
            .map_err(|error| failed(error.to_string()))?;
        connection
            .execute_batch(&format!(
                "PRAGMA synchronous = FULL;
                 PRAGMA wal_autocheckpoint = {};
                 PRAGMA journal_size_limit = 134217728;
                 PRAGMA cache_size = -{};
                 PRAGMA mmap_size = 0;
                 PRAGMA temp_store = MEMORY;",
                settings.checkpoint_pages, settings.writer_cache_kib
            ))
            .named("set up store")?;
        keep_statements(&connection)?;
        schema::migrate(&mut connection, &path.display().to_string())?;
        let book = Book::read(&connection, settings.recent_intents)?;
        let found = Cursor(columns::unsigned(book.at.cursor));
        Ok(Self {
            connection,
            path: path.to_owned(),
            settings,
            book,
            watermark: Watermark::beside(path),
            missing: watermark::read(path).and_then(|told| Missing::between(found, told)),
            is_poisoned: false,
        })
    }
}

/// Prepares each statement once. Without the stability guarantee (sqlite.org/queryplanner-ng.html#qpsg) the planner
/// weighs a range by the value that is bound to its end, and so prepares the statement anew for every value. Our
/// statements name their index where it matters.
fn keep_statements(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(128);
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .named("keep plans")?;
    Ok(())
}

/// Whoever opens the file next has nothing to catch up with, and it can be copied alone.
impl Drop for SqliteStore {
    fn drop(&mut self) {
        // After a sync that failed as well: what is moved into the file are commits that were synced before,
        // and with the log goes the failed one, which may look whole to the next start although it never
        // reached the disk. Without it nothing is lost: the log stays beside the file, and is read at the
        // next start.
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        drop(self.connection.query_row(checkpoint, [], |_row| Ok(())));
    }
}

impl Store for SqliteStore {
    fn begin(&mut self) -> Result<Box<dyn Txn + '_>, StoreError> {
        if self.is_poisoned {
            return Err(StoreError::Poisoned);
        }
        Ok(Box::new(SqliteTxn::begin(self)?))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).named("open reader")?;
        connection
            .execute_batch(&format!(
                "PRAGMA cache_size = -{};
                 PRAGMA mmap_size = 0;
                 PRAGMA temp_store = MEMORY;
                 PRAGMA busy_timeout = 5000;",
                self.settings.reader_cache_kib
            ))
            .named("set up reader")?;
        keep_statements(&connection)?;
        SqliteReader::new(connection, &self.path, &self.settings).map(|reader| {
            let reader: Box<dyn Reader> = Box::new(reader);
            reader
        })
    }

    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn file(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn missing(&self) -> Option<Missing> {
        self.missing
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_is_prepared_once_whatever_is_bound_to_it() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("postroom.db");
        let store = SqliteStore::open(&path, Settings::default()).unwrap();
        for sql in [write::DUE, write::READY] {
            let mut statement = store.connection.prepare_cached(sql).unwrap();
            for value in 1..4 {
                let values = vec![value; statement.parameter_count()];
                let mut rows = statement.query(rusqlite::params_from_iter(values)).unwrap();
                assert!(rows.next().unwrap().is_none());
            }
            let again = statement.get_status(StatementStatus::RePrepare);
            assert_eq!(again, 0, "{sql}");
        }
    }
}
