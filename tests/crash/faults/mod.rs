//! The disk fails: the so-manieth write, sync, truncation or opening of the real program's files does not
//! succeed, once or for ever, in the middle of load and of starts. The program may go on or stop, but what it
//! said is kept must be there when it is opened again, and whoever stops says so with an exit code.
//!
//! `FAULT_POSITIONS=500 cargo test --release --test crash faults -- --nocapture` is the long run, and
//! `FAULT_SEED=7` repeats the choices of one.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::power::compile;
use crate::program::{Ended, Place, Running, program};
use crate::{client, number, started, tail};

/// Positions of a run that nobody asked to be longer.
const POSITIONS: u64 = 10;
/// Who sends at once, and how much each.
const SENDERS: u64 = 3;
const SENT: u64 = 8;
/// A program that neither answers nor ends for so long hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Kinds of steps, as the shim counts them.
const KINDS: [char; 4] = ['w', 's', 't', 'o'];
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// What fails.
#[derive(Debug, Clone, Copy)]
struct Fault {
    kind: char,
    at: u64,
    is_forever: bool,
    is_short: bool,
    error: i32,
    /// In a directory where nothing is yet.
    is_first_start: bool,
}

/// What a sender knows of an intent.
#[derive(Debug, Clone)]
struct Sent {
    key: String,
    /// Its id, when it was acknowledged.
    id: Option<String>,
    /// True when its end was acknowledged too.
    is_ended: bool,
}

struct Trial<'a> {
    shim: &'a Path,
    /// A directory of a broker that was stopped, to begin with.
    seasoned: &'a Path,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_disk_loses_nothing_that_was_acknowledged() {
    let seed = number("FAULT_SEED").unwrap_or_else(rand::random);
    let positions = number("FAULT_POSITIONS").unwrap_or(POSITIONS);
    eprintln!(
        "faults: seed {seed}, {positions} positions; FAULT_SEED={seed} chooses the same again"
    );
    postroom::bindings::http::install_crypto_provider();
    let scratch = tempfile::tempdir().unwrap();
    let shim = compile("tests/crash/faults/shim.c", &scratch.path().join("shim.so"));
    let seasoned = Place::in_directory(&scratch.path().join("seasoned"));
    std::fs::create_dir(scratch.path().join("seasoned")).unwrap();
    let running = started(&seasoned).await;
    let sent = send(&running, &seasoned, "before").await;
    assert!(sent.iter().all(|sent| sent.id.is_some()), "no fault yet");
    assert_eq!(running.stop().await, Some(0));
    let trial = Trial {
        shim: &shim,
        seasoned: &seasoned.data,
    };
    // How many steps there are, with nothing failing.
    let none = Fault {
        kind: 'w',
        at: 0,
        is_forever: false,
        is_short: false,
        error: 0,
        is_first_start: false,
    };
    let calm = trial.run(none).await;
    assert_eq!(calm.wrong, Vec::<String>::new());
    let first = Fault {
        is_first_start: true,
        ..none
    };
    let young = trial.run(first).await;
    assert_eq!(young.wrong, Vec::<String>::new());

    let dice = Dice::new(seed, 5);
    let (mut wrong, mut stopped, mut went_on, mut missed) = (Vec::new(), 0_u64, 0_u64, 0_u64);
    for position in 0..positions {
        let is_first_start = dice.percent(20);
        let kind = dice.between(0, 3);
        let place = usize::try_from(kind).unwrap();
        let totals = if is_first_start {
            &young.totals
        } else {
            &calm.totals
        };
        let error = if dice.percent(50) { EIO } else { ENOSPC };
        let fault = Fault {
            kind: KINDS[place],
            at: dice.between(1, totals[place].max(1)),
            is_forever: dice.percent(50),
            is_short: kind == 0 && dice.percent(30),
            error,
            is_first_start,
        };
        let outcome = trial.run(fault).await;
        stopped += u64::from(outcome.is_stopped);
        went_on += u64::from(!outcome.is_stopped);
        missed += u64::from(!outcome.is_hit);
        for what in outcome.wrong {
            wrong.push(format!("position {position}, {fault:?}: {what}"));
        }
        if position % 50 == 49 {
            eprintln!(
                "faults: {} positions, {} violations",
                position + 1,
                wrong.len()
            );
        }
    }
    eprintln!("faults: {stopped} stopped, {went_on} went on, {missed} met nobody");
    assert!(
        wrong.is_empty(),
        "seed {seed}, {} violations:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    assert!(
        missed < positions / 2,
        "{missed} of {positions} faults met nobody"
    );
}

/// What came of a fault.
#[derive(Debug)]
struct Outcome {
    /// By kind, how many steps there were; nothing is known when it was killed.
    totals: [u64; 4],
    is_hit: bool,
    is_stopped: bool,
    wrong: Vec<String>,
}

impl Trial<'_> {
    async fn run(&self, fault: Fault) -> Outcome {
        let scratch = tempfile::tempdir().unwrap();
        let mut place = Place::in_directory(scratch.path());
        if !fault.is_first_start {
            copy(self.seasoned, &place.data);
        }
        let log = scratch.path().join("faults");
        place.env = self.environment(&fault, &place.data, &log);
        let mut wrong = Vec::new();
        let (mut sent, mut is_stopped) = (Vec::new(), true);
        match place.start().ready_or_ended().await {
            Ok(running) => {
                sent = send(&running, &place, "during").await;
                is_stopped = end(running, &mut wrong).await;
            }
            Err(Ended::ByItself(code)) => must_say(code, &place, &mut wrong),
            Err(Ended::Hangs) => wrong.push("it neither started nor ended".to_owned()),
        }
        if place.complaints().contains("panicked") {
            wrong.push(format!("it panicked: {}", tail(&place.complaints())));
        }
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        if fault.at > 0 {
            place.env.clear();
            wrong.extend(unsound(&place));
            inspect(&place, &sent, &mut wrong).await;
        }
        if !wrong.is_empty() {
            wrong.push(format!("it said {}", tail(&place.complaints())));
        }
        Outcome {
            totals: totals(&said),
            is_hit: said.contains("failed "),
            is_stopped,
            wrong,
        }
    }

    fn environment(&self, fault: &Fault, data: &Path, log: &Path) -> Vec<(&'static str, OsString)> {
        let flag = |is_set: bool| OsString::from(if is_set { "yes" } else { "" });
        vec![
            ("LD_PRELOAD", self.shim.as_os_str().to_owned()),
            ("FAULT_DIR", data.as_os_str().to_owned()),
            ("FAULT_OPS", fault.kind.to_string().into()),
            ("FAULT_AT", fault.at.to_string().into()),
            ("FAULT_ERROR", fault.error.to_string().into()),
            ("FAULT_FOREVER", flag(fault.is_forever)),
            ("FAULT_SHORT", flag(fault.is_short)),
            ("FAULT_LOG", log.as_os_str().to_owned()),
        ]
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_type().unwrap().is_dir() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn totals(said: &str) -> [u64; 4] {
    let line = said.lines().rfind(|line| line.starts_with("total "));
    let mut numbers = line.unwrap_or_default().split(' ').skip(1);
    [(); 4].map(|()| numbers.next().map_or(0, |text| text.parse().unwrap()))
}

/// Whoever stops by itself says why, and that it is no good end.
fn must_say(code: i32, place: &Place, wrong: &mut Vec<String>) {
    if code == 0 {
        wrong.push("it stopped by itself with exit code 0".to_owned());
    }
    if code < 0 || code == 101 {
        wrong.push(format!("it died with {code}"));
    }
    if place.complaints().trim().is_empty() {
        wrong.push("it stopped without a word".to_owned());
    }
}

/// Ends a broker after the load. True when it had stopped by itself.
async fn end(mut running: Running, wrong: &mut Vec<String>) -> bool {
    if let Some(code) = running.ended() {
        if code <= 0 || code == 101 {
            wrong.push(format!("it stopped by itself with {code}"));
        }
        return true;
    }
    match tokio::time::timeout(PATIENCE, running.stop()).await {
        // It may meet the fault only when it stops.
        Ok(Some(0 | 1)) => {}
        Ok(code) => wrong.push(format!("asked to stop, it ended with {code:?}")),
        Err(_elapsed) => wrong.push("it did not stop".to_owned()),
    }
    false
}

/// Sends until everything is sent or the broker is gone. Every second intent is also ended.
async fn send(running: &Running, place: &Place, prefix: &'static str) -> Vec<Sent> {
    let all: Arc<Mutex<Vec<Sent>>> = Arc::default();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let (all, base, token) = (Arc::clone(&all), running.url.clone(), place.admin_key());
        senders.spawn(async move {
            for number in 0..SENT {
                let key = format!("{prefix}-{sender}-{number}");
                let pad = "x".repeat(usize::try_from(number * 700).unwrap());
                let body = body(&key, &pad);
                let answer = post(&base, &token, "/v1/intents", &body, &key).await;
                let id = answer
                    .as_ref()
                    .and_then(|answer| answer["intent_id"].as_str());
                let id = id.map(str::to_owned);
                let mut is_ended = false;
                if let Some(id) = id.as_ref().filter(|_| number % 2 == 0) {
                    let end = json!({ "status": "COMPLETED", "result": { "key": key } });
                    let path = format!("/v1/intents/{id}/resolve");
                    is_ended = post(&base, &token, &path, &end, &format!("{key}-end"))
                        .await
                        .is_some();
                }
                all.lock().unwrap().push(Sent { key, id, is_ended });
            }
        });
    }
    while let Some(ended) = senders.join_next().await {
        ended.unwrap();
    }
    let mut all = all.lock().unwrap();
    std::mem::take(&mut *all)
}

fn body(key: &str, pad: &str) -> Value {
    json!({
        "intent_type": "intent.order.process.v1", "to_agent": "orders",
        "payload": { "key": key, "pad": pad },
    })
}

/// The answer when it was a yes; a no, or no answer at all, is none. A call that hangs ends the trial.
async fn post(base: &str, token: &str, path: &str, body: &Value, key: &str) -> Option<Value> {
    let request = client()
        .post(format!("{base}{path}"))
        .body(body.to_string());
    let request = request
        .header("x-api-key", token)
        .header("idempotency-key", key);
    let sent = request.timeout(PATIENCE).send().await;
    match sent {
        Ok(sent) if sent.status().as_u16() == 200 => {
            let bytes = sent.bytes().await.ok()?;
            serde_json::from_slice(&bytes).ok()
        }
        Ok(_) => None,
        Err(error) => {
            assert!(!error.is_timeout(), "no answer to {path} in {PATIENCE:?}");
            None
        }
    }
}

/// What `postroom verify` complains of, when there is a store.
fn unsound(place: &Place) -> Option<String> {
    let store = place.data.join("postroom.db");
    let length = std::fs::metadata(&store).map_or(0, |file| file.len());
    if length == 0 {
        return None;
    }
    let mut command = Command::new(program());
    command.arg("verify").arg("--data").arg(&place.data);
    let command = command.env("XDG_CONFIG_HOME", &place.data);
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    // A first start that was cut short may leave a file in which nothing is yet.
    let is_fine = out.status.success() || said.contains("no such table");
    (!is_fine).then(|| format!("verify: {said}"))
}

/// The next broker, on a disk that is well again, has everything that was acknowledged.
async fn inspect(place: &Place, sent: &[Sent], wrong: &mut Vec<String>) {
    let running = match place.start().ready(place).await {
        Ok(running) => running,
        Err(complaint) => {
            wrong.push(format!("opened again: {complaint}"));
            return;
        }
    };
    let (base, token) = (running.url.clone(), place.admin_key());
    for sent in sent {
        let Some(id) = &sent.id else {
            // What was not acknowledged can be sent again, under its key.
            let path = "/v1/intents";
            let pad = sent
                .key
                .rsplit('-')
                .next()
                .map_or(0, |number| number.parse().unwrap());
            let body = body(&sent.key, &"x".repeat(pad * 700));
            if post(&base, &token, path, &body, &sent.key).await.is_none() {
                wrong.push(format!("{} is not taken when it is sent again", sent.key));
            }
            continue;
        };
        let found = crate::get(&client(), &base, &token, &format!("/v1/intents/{id}")).await;
        let intent = &found["intent"];
        if intent["payload"]["key"] != json!(sent.key) {
            wrong.push(format!("I1: {} is lost: {found}", sent.key));
        } else if sent.is_ended && intent["status"] != "COMPLETED" {
            wrong.push(format!("I4: the end of {} is lost: {found}", sent.key));
        }
    }
    if running.stop().await != Some(0) {
        wrong.push("opened again, it does not stop well".to_owned());
    }
}
