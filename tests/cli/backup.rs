//! A backup in the middle of everything, and a broker made from it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
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

/// A receiver that is called: it answers every POST with a result and notes whose intent it was.
struct Called {
    url: String,
    intents: Arc<Mutex<Vec<String>>>,
}

impl Called {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let intents: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&intents);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream);
                let mut length = 0;
                let mut line = String::new();
                while reader.read_line(&mut line).unwrap_or(0) > 2 {
                    let field = line.to_ascii_lowercase();
                    if let Some(bytes) = field.strip_prefix("content-length:") {
                        length = bytes.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let body: Value = serde_json::from_slice(&body).unwrap();
                let id = body["intent_id"].as_str().unwrap();
                noted.lock().unwrap().push(id.to_owned());
                let answer = r#"{"result":{"ok":true}}"#;
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}", answer.len());
                let whole = format!("{head}\r\nconnection: close\r\n\r\n{answer}");
                reader.get_mut().write_all(whole.as_bytes()).unwrap();
            }
        });
        Self { url, intents }
    }

    fn count(&self) -> usize {
        self.intents.lock().unwrap().len()
    }
}

#[test]
fn a_receiver_that_is_called_is_not_called_again_by_a_restored_broker_for_what_it_had_completed() {
    let called = Called::open();
    let broker = Broker::start();
    for name in ["orders", "stock"] {
        let add = ["agents", "add", name, "--binding", "http", "--callback"];
        assert_eq!(broker.run(&[&add[..], &[&called.url]].concat()).code, 0);
    }
    assert_eq!(broker.run(&["agents", "pause", "stock"]).code, 0);
    let mut left = BTreeSet::new();
    let mut before = BTreeSet::new();
    for _ in 0..5 {
        let sent = broker.json(&["send", TYPE, "stock"]);
        left.insert(sent["intent_id"].as_str().unwrap().to_owned());
        assert_eq!(broker.run(&["send", TYPE, "orders", "--wait"]).code, 0);
    }
    before.extend(called.intents.lock().unwrap().iter().cloned());
    assert_eq!(before.len(), 5);
    let is_over = Arc::new(AtomicBool::new(false));
    let (data, over) = (broker.data().to_owned(), Arc::clone(&is_over));
    let sender = std::thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            let sent = program(&data, &["send", TYPE, "orders"]).status().unwrap();
            assert!(sent.success());
        }
    });
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("copy.db");
    let file = file.to_str().unwrap();
    assert_eq!(broker.json(&["backup", file])["ok"], true);
    is_over.store(true, Ordering::Relaxed);
    sender.join().unwrap();
    drop(broker);

    let data = tempfile::tempdir().unwrap();
    let restored = program(data.path(), &["restore", file]).output().unwrap();
    assert!(restored.status.success(), "{restored:?}");
    let calls = called.count();
    let other = Broker::start_in(data, &[]);
    let shown = other.json(&["agents", "show", "orders"]);
    assert_eq!(shown["agent"]["paused"], true, "{shown}");
    for address in ["orders", "stock"] {
        assert_eq!(other.run(&["agents", "resume", address]).code, 0);
    }
    for id in &left {
        let show = ["intents", "show", id, "--json"];
        other.until(&show, |out| out.contains(r#""status":"COMPLETED""#));
    }
    let again: Vec<String> = called.intents.lock().unwrap()[calls..].to_vec();
    assert!(left.iter().all(|id| again.contains(id)), "{again:?}");
    let twice: Vec<_> = before.iter().filter(|id| again.contains(*id)).collect();
    assert!(twice.is_empty(), "called again: {twice:?}");
}
