//! The power goes: from a record of every write and sync of the real program, disks are laid down as they
//! may be after a cut at any point, and opened again.
//!
//! `POWER_IMAGES=50000 cargo test --release --test crash power -- --nocapture` is the long run, and
//! `POWER_SEED=7` repeats the choices of one over its own record.

mod disk;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use postroom::domain::ids::{Cursor, IntentId};
use postroom::domain::status::Status;
use postroom::store::Store;
use postroom::store::query::{FeedFilter, IntentFilter, PageRequest};
use postroom::store::sqlite::{Settings, SqliteStore};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::program::{Place, Running};
use crate::{client, number, started};
use disk::{Disk, Entry, Luck};

/// Disks of a run that nobody asked to be longer.
const IMAGES: u64 = 240;
/// Who sends at once, and how much each, in each of two lives of the program.
const SENDERS: u64 = 6;
const SENT: u64 = 25;

/// What was acknowledged: an intent, and whether its end was. With the length of the record at that time.
#[derive(Debug, Clone)]
struct Acknowledged {
    intent: IntentId,
    is_ended: bool,
    at: u64,
}

/// Compiles a library to be preloaded. SQLite is compiled from C as well, so a compiler is there.
pub(crate) fn compile(source: &str, library: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let compiler = std::env::var("CC").unwrap_or_else(|_unset| "cc".to_owned());
    let mut command = Command::new(compiler);
    command.args(["-shared", "-fPIC", "-O2", "-o"]);
    command.arg(library).arg(&source).arg("-lpthread");
    assert!(command.status().unwrap().success(), "{command:?}");
    library.to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_on_every_disk_that_a_power_cut_may_leave() {
    let seed = number("POWER_SEED").unwrap_or_else(rand::random);
    let images = number("POWER_IMAGES").unwrap_or(IMAGES);
    eprintln!("power: seed {seed}, {images} disks; POWER_SEED={seed} chooses the same again");
    postroom::bindings::http::install_crypto_provider();
    let scratch = tempfile::tempdir().unwrap();
    let record = scratch.path().join("record");
    let mut place = Place::in_directory(scratch.path());
    let library = scratch.path().join("recorder.so");
    let library = compile("tests/crash/power/recorder.c", &library);
    place.env = vec![
        ("LD_PRELOAD", library.into_os_string()),
        (
            "POWER_FILE",
            place.data.join("postroom.db").into_os_string(),
        ),
        ("POWER_LOG", record.clone().into_os_string()),
    ];
    let first = started(&place).await;
    let mut acknowledged = work(&first, &place, &record).await;
    assert_eq!(first.stop().await, Some(0));
    let log = std::fs::metadata(place.data.join("postroom.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0, "a clean stop leaves everything in the file itself");
    let second = started(&place).await;
    acknowledged.append(&mut work(&second, &place, &record).await);
    second.kill().await;

    let entries = disk::read(&std::fs::read(&record).unwrap());
    let honest = trial(&entries, &acknowledged, images, seed, false);
    eprintln!(
        "power: {} steps, {} acknowledged, {} disks, {} violations",
        entries.len(),
        acknowledged.len(),
        images,
        honest.len()
    );
    assert!(
        honest.is_empty(),
        "seed {seed}, {} violations:\n{}",
        honest.len(),
        honest[..honest.len().min(20)].join("\n")
    );
    // The control: on a disk that lies about syncs the same trial finds losses.
    let liar = trial(&entries, &acknowledged, 20, seed, true);
    assert!(!liar.is_empty(), "the trial cannot fail");
}

/// Sends from several sides at once; every second intent is also ended.
async fn work(running: &Running, place: &Place, record: &Path) -> Vec<Acknowledged> {
    let client = client();
    let key = place.admin_key();
    let all = Arc::new(Mutex::new(Vec::new()));
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let (client, key, all) = (client.clone(), key.clone(), Arc::clone(&all));
        let (base, record) = (running.url.clone(), record.to_owned());
        senders.spawn(async move {
            let post = async |path: String, body: Value| -> Value {
                let request = client.post(format!("{base}{path}")).body(body.to_string());
                let sent = request.header("x-api-key", &key).send().await.unwrap();
                assert_eq!(sent.status().as_u16(), 200, "{path} {body}");
                serde_json::from_slice(&sent.bytes().await.unwrap()).unwrap()
            };
            let keep = |id: &str, is_ended: bool| {
                let at = std::fs::metadata(&record).unwrap().len();
                let intent = id.parse().unwrap();
                let told = Acknowledged {
                    intent,
                    is_ended,
                    at,
                };
                all.lock().unwrap().push(told);
            };
            for number in 0..SENT {
                let pad = "x".repeat(usize::try_from(number * 90).unwrap());
                let body = json!({
                    "intent_type": "intent.order.process.v1", "to_agent": "orders",
                    "payload": { "sender": sender, "number": number, "pad": pad },
                });
                let made = post("/v1/intents".to_owned(), body).await;
                let id = made["intent_id"].as_str().unwrap().to_owned();
                keep(&id, false);
                if number % 2 == 0 {
                    let end = json!({ "status": "COMPLETED", "result": { "number": number } });
                    post(format!("/v1/intents/{id}/resolve"), end).await;
                    keep(&id, true);
                }
            }
        });
    }
    while let Some(ended) = senders.join_next().await {
        ended.unwrap();
    }
    let mut all = all.lock().unwrap();
    std::mem::take(&mut *all)
}

/// Cuts the power at chosen points of the record and looks at what is left.
fn trial(
    entries: &[Entry],
    acknowledged: &[Acknowledged],
    images: u64,
    seed: u64,
    is_liar: bool,
) -> Vec<String> {
    let dice = Dice::new(seed, 4);
    let last = u64::try_from(entries.len() - 1).unwrap();
    // The first start makes the file, and is a small part of the record.
    let point = |number| match number % 4 {
        0 => dice.between(0, last.min(150)),
        _ => dice.between(0, last),
    };
    let mut points: Vec<u64> = (0..images).map(point).collect();
    points.sort_unstable();
    let mut points = points.into_iter().peekable();
    let memory = Path::new("/dev/shm");
    let mut disk = Disk::new(is_liar);
    let mut violations = Vec::new();
    for (number, entry) in (0_u64..).zip(entries) {
        disk.follow(entry);
        while points.next_if_eq(&number).is_some() {
            let luck = match dice.between(0, 9) {
                0..2 => Luck::Nothing,
                2 => Luck::Everything,
                _ => Luck::Torn,
            };
            let room = if memory.is_dir() {
                tempfile::tempdir_in(memory)
            } else {
                tempfile::tempdir()
            };
            let room = room.unwrap();
            let path = room.path().join("postroom.db");
            disk.lay(&path, luck, &dice);
            let told = acknowledged.iter().filter(|told| told.at <= entry.end);
            let told: Vec<&Acknowledged> = told.collect();
            for wrong in inspect(&path, &told) {
                let open = disk.open_steps();
                violations.push(format!(
                    "step {number}, {luck:?} of {open} open steps: {wrong}"
                ));
            }
        }
    }
    violations
}

/// What is wrong with a disk.
fn inspect(path: &Path, acknowledged: &[&Acknowledged]) -> Vec<String> {
    let opened = SqliteStore::open(path, Settings::default());
    let (store, mut reader) = match opened.and_then(|store| Ok((store.reader()?, store))) {
        Ok((reader, store)) => (store, reader),
        Err(error) => return vec![format!("the store does not open: {error}")],
    };
    let mut wrong = Vec::new();
    for told in acknowledged {
        match reader.intent(told.intent) {
            Ok(None) => wrong.push(format!("I1: {} is lost", told.intent)),
            Ok(Some(intent)) if told.is_ended && intent.status != Status::Completed => {
                wrong.push(format!("I4: {} is {}", told.intent, intent.status.name()));
            }
            Ok(Some(_)) => {}
            Err(error) => wrong.push(format!("{}: {error}", told.intent)),
        }
    }
    wrong.extend(miscounted(reader.as_mut()).unwrap_or_else(|error| Some(error.to_string())));
    drop((reader, store));
    let file = rusqlite::Connection::open(path).unwrap();
    let checked = file.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    match checked {
        Ok(checked) if checked == "ok" => {}
        Ok(checked) => wrong.push(format!("the file: {checked}")),
        Err(error) => wrong.push(format!("the file: {error}")),
    }
    wrong
}

/// What the counters and the feed say against what is there.
fn miscounted(
    reader: &mut dyn postroom::store::Reader,
) -> Result<Option<String>, postroom::store::error::StoreError> {
    let mut by_status = [0_u64; 10];
    let mut page = PageRequest {
        limit: 500,
        cursor: None,
    };
    loop {
        let found = reader.intents(&IntentFilter::default(), &page)?;
        for intent in found.items {
            let place = Status::ALL.iter().position(|one| *one == intent.status);
            by_status[place.unwrap()] += 1;
        }
        if found.next.is_none() {
            break;
        }
        page.cursor = found.next;
    }
    let counted = reader.counters()?.by_status;
    if counted != by_status {
        return Ok(Some(format!(
            "I10: counted {counted:?}, there are {by_status:?}"
        )));
    }
    let (head, mut at) = (reader.head()?, Cursor(0));
    while at < head {
        let filter = FeedFilter {
            since: at,
            ..FeedFilter::default()
        };
        let (items, examined) = reader.feed(&filter, 500)?;
        for (item, expected) in items.iter().zip(at.0 + 1..) {
            if item.cursor.0 != expected {
                let found = item.cursor.0;
                return Ok(Some(format!(
                    "I14: feed item {found} where {expected} belongs"
                )));
            }
        }
        if examined <= at {
            return Ok(Some(format!(
                "I14: the feed ends at {}, not {}",
                at.0, head.0
            )));
        }
        at = examined;
    }
    Ok(None)
}
