//! A backup in the middle of everything, and a broker made from it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::broker::{Broker, program};

const TYPE: &str = "intent.a.v1";
/// Completed before the backup is asked for.
const BEFORE: usize = 12;

#[test]
fn a_backup_under_load_sends_nothing_again_that_was_completed_before_it() {
    let broker = Broker::start();
    let mut listener = broker.keep_running(&["listen", "orders", "--echo", "--json"]);
    // Whoever reads nothing stops the listener in the end.
    let out = BufReader::new(listener.child.stdout.take().unwrap());
    let reading = std::thread::spawn(move || out.lines().map_while(Result::ok).count());
    let completed: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let is_over = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..3)
        .map(|_| {
            let (completed, is_over) = (Arc::clone(&completed), Arc::clone(&is_over));
            let data = broker.data().to_owned();
            std::thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let words = ["send", TYPE, "orders", "--wait", "--json"];
                    let sent = program(&data, &words).output().unwrap();
                    assert!(sent.status.success(), "{sent:?}");
                    let sent: Value = serde_json::from_slice(&sent.stdout).unwrap();
                    let id = sent["intent_id"].as_str().map(str::to_owned);
                    let id = id.or_else(|| sent["intent"]["intent_id"].as_str().map(str::to_owned));
                    completed.lock().unwrap().insert(id.unwrap());
                    // Nobody works on these: the backup has something left to do.
                    let left = ["send", TYPE, "stock", "--json"];
                    assert!(program(&data, &left).status().unwrap().success());
                }
            })
        })
        .collect();
    while completed.lock().unwrap().len() < BEFORE {
        assert_eq!(broker.run(&["status"]).code, 0);
    }
    let before = completed.lock().unwrap().clone();
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("copy.db");
    let file = file.to_str().unwrap();
    assert_eq!(broker.json(&["backup", file])["ok"], true);
    is_over.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.join().unwrap();
    }
    drop(listener);
    assert!(reading.join().unwrap() > 0);
    assert_eq!(broker.run(&["verify"]).code, 0);

    let data = tempfile::tempdir().unwrap();
    let restored = program(data.path(), &["restore", file]).output().unwrap();
    assert!(restored.status.success(), "{restored:?}");
    let verified = program(data.path(), &["verify"]).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    let other = Broker::start_in(data, &[]);
    for address in ["orders", "stock"] {
        let taken = other.run(&["poll", address, "--echo", "--once", "--json"]);
        assert_eq!(taken.out.trim(), "", "paused, {address} gets nothing");
        assert_eq!(other.run(&["agents", "resume", address]).code, 0);
    }
    for id in &before {
        let shown = other.json(&["intents", "show", id]);
        assert_eq!(shown["intent"]["status"], "COMPLETED", "{shown}");
    }
    let mut again = String::new();
    for address in ["orders", "stock"] {
        let words = [
            "poll", address, "--echo", "--once", "--limit", "100", "--json",
        ];
        again.push_str(&other.run(&words).out);
    }
    assert_ne!(again.trim(), "", "what was left undone goes on");
    let twice: Vec<_> = before.iter().filter(|id| again.contains(*id)).collect();
    assert!(twice.is_empty(), "sent again: {twice:?}");
}
