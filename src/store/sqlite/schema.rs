//! What is in the file: tables, indices, and the steps from one format to the next.
//!
//! - `intents`: the state as a record, and beside it the columns that lists and timers look for. `local`
//!   numbers intents in order of acceptance, so rows that move together lie together.
//! - `feed`: every fact and notice by its cursor. Facts of one intent are a chain: each names the one
//!   before it (`previous`), and the intent names the last, so a timeline needs no index of its own.
//! - `attempts`: what follows from the facts; chained like facts. `report` is the cursor of the fact that
//!   carries what the binding saw.
//! - `payloads`: written once, each with a sum (`record/seal.rs`). `letters`, `threads`: rows only for intents that are such. `shared_threads`:
//!   threads in the inboxes of those who hold them beside their owners.
//! - `answers`: idempotency keys. `tally`: the counters. `spans`: when the intents (1) and attempts (2) of
//!   each 4096 numbers began. `names`: addresses and intent types by number.
//!
//! Keys without an order in time (parties, ends of ids, correlation ids) are indexed under `local >> 12`: new entries then touch a
//! handful of pages instead of one page each, and a search asks once for every 4096 intents.

use refinery::{Migration, Runner};
use rusqlite::Connection;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::store::error::StoreError;

use super::failure::Named as _;

/// The newest format that this program knows.
const NEWEST: u32 = 1;

/// Intents and attempts per entry of `spans`, as a power of two.
pub(super) const SHELF_BITS: u32 = 12;

/// Before the first table: the page size can not be changed later.
pub(super) const FIRST: &str = "
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
";

const VERSION_1: &str = "
CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);

CREATE TABLE intents (
    local INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    place INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    receiver INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    reply INTEGER,
    type INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER,
    ready_at INTEGER,
    held_until INTEGER,
    origin BLOB,
    tail INTEGER NOT NULL,
    head INTEGER NOT NULL,
    last_fact INTEGER NOT NULL,
    last_attempt INTEGER NOT NULL,
    state BLOB NOT NULL
);
CREATE UNIQUE INDEX intents_by_id ON intents (id);
CREATE INDEX intents_by_place ON intents (place);
CREATE INDEX intents_by_receiver ON intents (local >> 12, receiver, kind);
CREATE INDEX intents_by_sender ON intents (local >> 12, sender, kind);
CREATE INDEX intents_by_reply ON intents (local >> 12, reply, kind) WHERE reply IS NOT NULL;
CREATE INDEX intents_due ON intents (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX intents_ready ON intents (receiver, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX intents_held ON intents (held_until) WHERE held_until IS NOT NULL;
CREATE INDEX intents_by_origin ON intents (origin) WHERE origin IS NOT NULL;
CREATE INDEX intents_by_tail ON intents (local >> 12, tail);
CREATE INDEX intents_by_head ON intents (local >> 12, head);

CREATE TABLE payloads (
    local INTEGER PRIMARY KEY,
    sum INTEGER NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE feed (
    cursor INTEGER PRIMARY KEY,
    local INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    status INTEGER NOT NULL,
    record BLOB NOT NULL
);

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    local INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    number INTEGER NOT NULL,
    receiver INTEGER NOT NULL,
    binding INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    outcome INTEGER NOT NULL,
    class INTEGER,
    error TEXT,
    next_at INTEGER,
    report INTEGER
);
CREATE INDEX attempts_by_receiver ON attempts (id >> 12, receiver);
CREATE INDEX attempts_failed ON attempts (id) WHERE class IS NOT NULL;

CREATE TABLE letters (
    local INTEGER PRIMARY KEY,
    pile INTEGER NOT NULL,
    dead_at INTEGER NOT NULL,
    receiver INTEGER NOT NULL,
    type INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    class INTEGER,
    fingerprint TEXT NOT NULL
);
CREATE INDEX letters_by_time ON letters (pile, dead_at);
CREATE INDEX letters_by_receiver ON letters (pile, receiver, dead_at);
CREATE INDEX letters_by_fingerprint ON letters (pile, fingerprint, dead_at);

CREATE TABLE threads (
    key INTEGER PRIMARY KEY,
    id BLOB,
    owner INTEGER NOT NULL,
    is_pending INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL
);
CREATE INDEX threads_by_id ON threads (id) WHERE id IS NOT NULL;
CREATE INDEX threads_by_time ON threads (updated_at);
CREATE INDEX threads_by_owner ON threads (owner, updated_at);
CREATE INDEX threads_pending ON threads (due_at) WHERE is_pending = 1;

CREATE TABLE shared_threads (
    owner INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    key INTEGER NOT NULL,
    is_pending INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (owner, updated_at, key)
) WITHOUT ROWID;

CREATE TABLE tally (
    kind INTEGER NOT NULL,
    key INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

CREATE TABLE spans (
    kind INTEGER NOT NULL,
    shelf INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (kind, shelf)
) WITHOUT ROWID;

CREATE TABLE answers (
    row INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    at INTEGER NOT NULL,
    intent BLOB NOT NULL,
    seq INTEGER NOT NULL
);
CREATE INDEX answers_by_hash ON answers (day, hash);

CREATE TABLE agents (
    address TEXT PRIMARY KEY,
    record BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE endpoints (
    address TEXT PRIMARY KEY,
    record BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE beats (
    address TEXT PRIMARY KEY,
    record BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE subscriptions (
    id BLOB PRIMARY KEY,
    record BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE schemas (
    semantic_type TEXT PRIMARY KEY,
    record BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY,
    record BLOB NOT NULL
);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    record BLOB NOT NULL
);

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    is_live INTEGER NOT NULL,
    record BLOB NOT NULL
);
CREATE INDEX jobs_live ON jobs (id) WHERE is_live = 1;

CREATE TABLE job_pieces (
    job INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    intents BLOB NOT NULL,
    PRIMARY KEY (job, piece)
) WITHOUT ROWID;

CREATE TABLE job_items (
    job INTEGER NOT NULL,
    position INTEGER NOT NULL,
    is_in_flight INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (job, position)
) WITHOUT ROWID;
CREATE INDEX job_items_in_flight ON job_items (job, position) WHERE is_in_flight = 1;

CREATE TABLE numbers (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE texts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
";

/// Brings the file to the newest format.
///
/// # Errors
/// [`StoreError::TooNew`] when the file is ahead of this program; else the fault.
pub(super) fn migrate(connection: &mut Connection, path: &str) -> Result<(), StoreError> {
    let open = |error: refinery::Error| StoreError::Open {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let steps = [Migration::unapplied("V1__first", VERSION_1).map_err(open)?];
    // A step and its entry in the history are one transaction, or a cut between them closes the store for ever.
    let runner = Runner::new(&steps).set_grouped(true);
    let found = if is_fresh(connection)? {
        0
    } else {
        check_history(connection, path)?;
        runner
            .get_last_applied_migration(connection)
            .map_err(open)?
            .and_then(|step| u32::try_from(step.version()).ok())
            .unwrap_or(0)
    };
    if found > NEWEST {
        return Err(StoreError::TooNew {
            path: path.to_owned(),
            found,
            known: NEWEST,
        });
    }
    if found < NEWEST {
        runner.run(connection).map_err(open)?;
    }
    Ok(())
}

/// The library takes its own history for whole, and panics over a damaged one.
fn check_history(connection: &Connection, path: &str) -> Result<(), StoreError> {
    let reading = "read the history of formats";
    let mut statement = connection
        .prepare("SELECT version, applied_on, checksum FROM refinery_schema_history")
        .named(reading)?;
    let found = statement
        .query_map([], |row| {
            let applied_on: String = row.get(1)?;
            let checksum: String = row.get(2)?;
            Ok(row.get::<_, i32>(0).is_ok()
                && OffsetDateTime::parse(&applied_on, &Rfc3339).is_ok()
                && checksum.parse::<u64>().is_ok())
        })
        .named(reading)?;
    for is_whole in found {
        if !is_whole.named(reading)? {
            return Err(StoreError::Corrupt {
                what: path.to_owned(),
                reason: "the history of its formats is damaged".to_owned(),
            });
        }
    }
    Ok(())
}

/// True when no migration was ever run here.
fn is_fresh(connection: &Connection) -> Result<bool, StoreError> {
    connection
        .query_row(
            "SELECT count(*) = 0 FROM sqlite_master WHERE name = 'refinery_schema_history'",
            [],
            |row| row.get(0),
        )
        .named("read schema")
}
