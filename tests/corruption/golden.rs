//! A store as it was written by each released format, and what today's program makes of it.
//!
//! `WRITE_GOLDEN=1 cargo test --test corruption golden` writes the newest one anew, which is allowed only until
//! that format is released.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use postroom::broker::core::Core;
use postroom::broker::request::Request;
use postroom::broker::session::{SessionMode, SessionSpec};
use postroom::clock::{Clock, ManualClock};
use postroom::domain::agent::Binding;
use postroom::domain::fact::Actor;
use postroom::domain::ids::IntentId;
use postroom::domain::intent::Intent;
use postroom::domain::time::{Span, Timestamp};
use postroom::domain::via::Via;
use postroom::engine::command::{Choice, Command, Decide, Resume};
use postroom::store::query::{IntentFilter, PageRequest};

use crate::house::{self, House, address};

fn golden(version: u32) -> PathBuf {
    let name = format!("tests/corruption/golden/v{version}.sql");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The file as text: tables, rows, and then indices.
fn dump(path: &Path) -> String {
    let file = rusqlite::Connection::open(path).unwrap();
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = file.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let is_ours = "sql IS NOT NULL AND name NOT LIKE 'sqlite_%'";
    let mut out = vec!["PRAGMA page_size = 8192;".to_owned()];
    let make = |kind: &str| {
        let sql = format!(
            "SELECT sql || ';' FROM sqlite_master WHERE type = '{kind}' AND {is_ours} ORDER BY rowid"
        );
        texts(&sql)
    };
    out.extend(make("table"));
    let mut tables = texts(&format!(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND {is_ours} ORDER BY name"
    ));
    tables.push("sqlite_sequence".to_owned());
    for table in tables {
        let columns = texts(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let quoted: Vec<String> = columns
            .iter()
            .map(|name| format!("quote(\"{name}\")"))
            .collect();
        let row = quoted.join(" || ',' || ");
        let sql = format!(
            "SELECT 'INSERT INTO {table} VALUES (' || {row} || ');' FROM {table} ORDER BY 1"
        );
        out.extend(texts(&sql));
    }
    out.extend(make("index"));
    out.push(String::new());
    out.join("\n")
}

fn unfinished(broker: &Core) -> Vec<Arc<Intent>> {
    let page = PageRequest {
        limit: 500,
        cursor: None,
    };
    let mut reader = broker.reader().unwrap();
    let found = reader.intents(&IntentFilter::default(), &page).unwrap();
    let open = found
        .items
        .into_iter()
        .filter(|intent| !intent.is_finished());
    open.collect()
}

/// Whoever has something in hand completes it, and whoever is asked says yes.
fn answer(broker: &mut Core, intent: &Intent) {
    let by = address("alice");
    let command = if intent.open_task().is_some() {
        Command::Decide(Box::new(Decide {
            choice: Choice::Yes,
            comment: None,
            data: None,
            version: None,
            hold: Span::ZERO,
            by,
            via: Via::Console,
        }))
    } else if let Some(lease) = intent.lease() {
        Command::Resume(Box::new(Resume {
            body: postroom::domain::payload::Entries::default(),
            actor: Actor::at(&by),
            by,
            via: Via::Api,
            attempt: Some(lease.attempt),
            expected_generation: None,
            report: None,
        }))
    } else {
        return;
    };
    let id: IntentId = intent.id;
    broker
        .run(vec![Request::plain(id, command)])
        .unwrap()
        .pop()
        .unwrap()
        .unwrap();
}

#[test]
fn a_store_of_the_first_format_opens_and_finishes_what_is_open() {
    let scratch = tempfile::tempdir().unwrap();
    if std::env::var_os("WRITE_GOLDEN").is_some() {
        let _house = House::build(scratch.path());
        std::fs::write(golden(1), dump(&scratch.path().join("postroom.db"))).unwrap();
    }
    let path = scratch.path().join("old.db");
    let text = std::fs::read_to_string(golden(1)).unwrap();
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(&text)
        .unwrap();
    assert_eq!(postroom::app::complaints(&path), Vec::<String>::new());
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_775_905_200_000)));
    let mut broker = house::core(&path, &clock, 9).unwrap();
    assert!(unfinished(&broker).len() > 10, "nothing to finish");
    let mut doors = Vec::new();
    for (name, binding) in [("orders", Binding::Stream), ("ledger", Binding::Poll)] {
        let spec = SessionSpec {
            agent: address(name),
            binding,
            credit: 64,
            mode: SessionMode::Standing {
                is_cold_start: true,
            },
        };
        doors.push(broker.open(spec).unwrap());
    }
    for _round in 0..200 {
        let open = unfinished(&broker);
        if open.is_empty() {
            break;
        }
        for intent in open {
            answer(&mut broker, &intent);
        }
        for (_id, door) in &mut doors {
            while door.try_recv().is_ok() {}
        }
        let due = broker.next_due().unwrap_or(clock.now());
        clock.advance(due.since(clock.now()).max(Span::from_seconds(1)));
        broker.tick().unwrap();
    }
    let stuck = unfinished(&broker);
    assert!(stuck.is_empty(), "stuck: {stuck:?}");
    drop(broker.into_store());
    assert_eq!(postroom::app::complaints(&path), Vec::<String>::new());
}
