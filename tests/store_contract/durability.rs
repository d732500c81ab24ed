//! What only a store on disk can promise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use postroom::domain::failure::ErrorClass;
use postroom::store::error::StoreError;
use postroom::store::query::{IntentFilter, PageRequest};
use postroom::store::sqlite::recover::DirectoryLock;
use postroom::store::sqlite::{Settings, SqliteStore, Ticks};
use postroom::store::{Store, Write};

use crate::moves::*;
use crate::world::World;

#[test]
fn everything_that_was_committed_is_there_after_reopening() {
    let mut world = World::in_sqlite();
    world.write(all_accepted((0..50).map(intent)));
    let first = world.read(id(0)).unwrap();
    let first = world.apply(started(&first, 60, 1));
    let facts = world.reader().facts(first.id, 0).unwrap();
    let counters = world.reader().counters().unwrap();
    world.reopen();
    assert_eq!(world.read(first.id), Some(Arc::clone(&first)));
    assert_eq!(world.reader().facts(first.id, 0).unwrap(), facts);
    assert_eq!(world.reader().counters().unwrap(), counters);
    assert!(world.reader().payload(id(7)).unwrap().is_some());
    assert!(world.reader().bytes().unwrap() > 0);
    let first = world.apply(backed_off(&first, 61, ErrorClass::Tls));
    let head = world.write(all_accepted([intent(51)]));
    assert_eq!(world.reader().head().unwrap(), head);
    assert_eq!(world.reader().facts(first.id, 4).unwrap().len(), 1);
}

#[test]
fn a_directory_has_one_owner_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let lock = DirectoryLock::take(directory.path()).unwrap();
    let taken = StoreError::Taken {
        path: directory.path().display().to_string(),
    };
    assert_eq!(DirectoryLock::take(directory.path()).unwrap_err(), taken);
    drop(lock);
    let _lock = DirectoryLock::take(directory.path()).unwrap();
    let absent = DirectoryLock::take(&directory.path().join("absent"));
    assert!(matches!(absent, Err(StoreError::Open { .. })));
}

#[test]
fn a_file_of_a_newer_program_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("postroom.db");
    drop(SqliteStore::open(&path, Settings::default()).unwrap());
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute(
        "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
         VALUES (99, 'later', '2030-01-01T00:00:00Z', '1')",
        [],
    )
    .unwrap();
    drop(file);
    let error = SqliteStore::open(&path, Settings::default()).unwrap_err();
    let expected = StoreError::TooNew {
        path: path.display().to_string(),
        found: 99,
        known: 1,
    };
    assert_eq!(error, expected);
}

#[test]
fn a_file_that_is_no_store_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("postroom.db");
    std::fs::write(
        &path,
        "certainly not a database, and long enough to be looked at",
    )
    .unwrap();
    let error = SqliteStore::open(&path, Settings::default()).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    let absent = directory.path().join("absent").join("postroom.db");
    let error = SqliteStore::open(&absent, Settings::default()).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
}

#[test]
fn a_read_that_takes_too_long_is_stopped_and_the_next_one_runs() {
    let directory = tempfile::tempdir().unwrap();
    let step = Arc::new(AtomicU64::new(0));
    let now = Arc::new(AtomicU64::new(0));
    let ticks = {
        let (step, now) = (Arc::clone(&step), Arc::clone(&now));
        // Every look at this clock takes `step` milliseconds.
        Ticks(Arc::new(move || {
            let step = step.load(Ordering::Relaxed);
            now.fetch_add(step, Ordering::Relaxed)
        }))
    };
    let settings = Settings {
        read_limit_ms: 100,
        ticks: Some(ticks),
        ..Settings::default()
    };
    let path = directory.path().join("postroom.db");
    let mut store = SqliteStore::open(&path, settings).unwrap();
    let mut txn = store.begin().unwrap();
    let mut other = intent(0);
    other.intent_type = "intent.rare".to_owned();
    for write in all_accepted([other].into_iter().chain((1..3_000).map(intent))) {
        txn.put(write).unwrap();
    }
    txn.commit().unwrap();
    let mut reader = store.reader().unwrap();
    let rare = IntentFilter {
        intent_type: Some("intent.rare".to_owned()),
        ..IntentFilter::default()
    };
    let page = PageRequest::default();
    assert_eq!(reader.intents(&rare, &page).unwrap().items.len(), 1);
    step.store(1_000, Ordering::Relaxed);
    let slow = reader.intents(&rare, &page).unwrap_err();
    assert_eq!(slow, StoreError::Slow { limit_ms: 100 });
    assert!(reader.intent(id(7)).unwrap().is_some());
}

#[test]
fn a_store_whose_commit_failed_refuses_writes_until_it_is_reopened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("postroom.db");
    let mut store = SqliteStore::open(&path, Settings::default()).unwrap();
    let mut txn = store.begin().unwrap();
    txn.put(Write::Intent(accepted(intent(1)))).unwrap();
    txn.commit().unwrap();
    // The same intent again, which the store meets at the latest when it writes: its memory has been emptied.
    drop(store);
    let mut store = SqliteStore::open(&path, Settings::default()).unwrap();
    let mut txn = store.begin().unwrap();
    txn.put(Write::Intent(accepted(intent(1)))).unwrap();
    assert!(matches!(txn.commit(), Err(StoreError::Fault { .. })));
    assert_eq!(store.begin().err(), Some(StoreError::Poisoned));
    assert!(store.reader().unwrap().intent(id(1)).unwrap().is_some());
    drop(store);
    let mut store = SqliteStore::open(&path, Settings::default()).unwrap();
    assert!(store.begin().is_ok());
}
