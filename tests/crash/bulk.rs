//! A bulk replay whose broker is killed in the middle: it goes on, and each letter is replayed once.
//!
//! `BULK_LETTERS=10000 cargo test --release --test crash bulk -- --nocapture` is the large one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::program::{Place, Running};
use crate::{client, number, started, tail};

/// Letters of a run that nobody asked to be larger.
const LETTERS: u64 = 300;
/// Intents of one request.
const BATCH: u64 = 100;
/// Everything here takes less.
const PATIENCE: Duration = Duration::from_mins(3);

/// Somebody who calls whichever broker is there.
#[derive(Clone)]
struct Caller {
    client: reqwest::Client,
    key: String,
    url: watch::Receiver<String>,
}

impl Caller {
    /// The answer, once a broker gives one.
    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        self.call_under(None, method, path, body).await
    }

    /// Orders the job under its key.
    async fn order(&self, body: &Value) -> Value {
        let (key, path) = (Some("the one"), "/v1/dead-letters/replay");
        self.call_under(key, "POST", path, body.clone()).await
    }

    async fn call_under(&self, key: Option<&str>, method: &str, path: &str, body: Value) -> Value {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        loop {
            let url = format!("{}{path}", *self.url.borrow());
            let mut request = self
                .client
                .request(method.clone(), url)
                .header("x-api-key", &self.key)
                .body(body.to_string());
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            let text = match request.send().await {
                Ok(response) => response.text().await.ok(),
                Err(_gone) => None,
            };
            if let Some(answer) = text.and_then(|text| serde_json::from_str::<Value>(&text).ok()) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn get(&self, path: &str) -> Value {
        self.call("GET", path, json!({})).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call("POST", path, body).await
    }
}

/// Makes so many letters of `orders`; answers with their ids.
async fn make_letters(caller: &Caller, count: u64) -> BTreeSet<String> {
    let intent = json!({ "intent_type": "intent.order.process.v1", "to_agent": "orders" });
    let mut ids = BTreeSet::new();
    for first in (0..count).step_by(usize::try_from(BATCH).unwrap()) {
        let size = BATCH.min(count - first);
        let intents = vec![intent.clone(); usize::try_from(size).unwrap()];
        let made = caller
            .post("/v1/intents/batch", json!({ "intents": intents }))
            .await;
        let made: Vec<String> = made["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["intent_id"].as_str().unwrap().to_owned())
            .collect();
        let fail = |id: &String| json!({ "intent_id": id, "action": "fail", "reason": "no stock" });
        let results: Vec<Value> = made.iter().map(fail).collect();
        caller
            .post(
                "/v1/agents/orders/intents/results",
                json!({ "results": results }),
            )
            .await;
        ids.extend(made);
    }
    ids
}

/// Takes what lies ready for `orders` and completes it, until nobody listens any more.
async fn receive(caller: Caller, stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let taken = caller
            .get("/v1/agents/orders/intents?limit=100&wait_seconds=1")
            .await;
        let rows = taken["intents"].as_array().cloned().unwrap_or_default();
        let results: Vec<Value> = rows
            .iter()
            .map(|row| json!({ "intent_id": row["intent_id"], "action": "complete", "result": {} }))
            .collect();
        if !results.is_empty() {
            caller
                .post(
                    "/v1/agents/orders/intents/results",
                    json!({ "results": results }),
                )
                .await;
        }
    }
}

async fn all(caller: &Caller, path: &str, key: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = caller.get(&format!("{path}limit=500{cursor}")).await;
        found.extend(page[key].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_replay_survives_kills_in_its_middle_and_replays_each_letter_once() {
    let count = number("BULK_LETTERS").unwrap_or(LETTERS);
    postroom::bindings::http::install_crypto_provider();
    let scratch = tempfile::tempdir().unwrap();
    let place = Place::in_directory(scratch.path());
    let first: Running = started(&place).await;
    let url = watch::Sender::new(first.url.clone());
    let caller = Caller {
        client: client(),
        key: place.admin_key(),
        url: url.subscribe(),
    };
    let letters = make_letters(&caller, count).await;
    assert_eq!(u64::try_from(letters.len()).unwrap(), count);
    let stop = watch::Sender::new(false);
    let mut receivers = JoinSet::new();
    receivers.spawn(receive(caller.clone(), stop.subscribe()));

    let body = json!({
        "dry_run": false, "limit": 100_000, "rate_per_second": 500, "max_in_flight": 200,
        "canary": 5, "stop_after_failures": 3, "reason": "receiver fixed",
    });
    let ordered = caller.order(&body).await;
    assert_eq!(ordered["selected"], json!(count), "{ordered}");
    let path = format!("/v1/jobs/{}", ordered["job"]["job_id"].as_str().unwrap());

    let mut running = first;
    let mut kills_at: Vec<u64> = (1..=3).map(|part| count * part / 4).collect();
    let watched = tokio::time::timeout(PATIENCE, async {
        loop {
            let job = caller.get(&path).await["job"].clone();
            if job["state"] != "running" {
                return (job, kills_at, running);
            }
            let begun = job["done"].as_u64().unwrap() + job["in_flight"].as_u64().unwrap();
            if kills_at.first().is_some_and(|at| begun >= *at) {
                kills_at.remove(0);
                running.kill().await;
                running = started(&place).await;
                url.send_replace(running.url.clone());
                // Who never heard the answer asks again, and is told of the same job.
                let again = caller.order(&body).await;
                assert_eq!(again["job"]["job_id"], ordered["job"]["job_id"], "{again}");
                for key in ["matched", "selected", "skipped", "intent_ids"] {
                    assert_eq!(again[key], ordered[key], "{key}");
                }
            }
        }
    });
    let (job, kills_left, running) = watched
        .await
        .unwrap_or_else(|_late| panic!("{}", tail(&place.complaints())));
    stop.send_replace(true);
    while let Some(ended) = receivers.join_next().await {
        ended.unwrap();
    }
    assert!(kills_left.is_empty(), "it was killed in its middle");
    assert_eq!(job["state"], "done", "{job}");
    assert_eq!(
        (&job["succeeded"], &job["failed"]),
        (&json!(count), &json!(0)),
        "{job}"
    );
    prove(&caller, &letters, &path).await;
    assert_eq!(running.stop().await, Some(0));
    let _kept = Arc::new(scratch);
}

/// Each letter has one replay, which names it, and which the job's report names too.
async fn prove(caller: &Caller, letters: &BTreeSet<String>, path: &str) {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let mut replays: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for intent in all(caller, "/v1/intents?", "intents").await {
        if intent["intent_type"] == "intent.dead_letters.rising.v1" {
            continue;
        }
        assert!(
            ["COMPLETED", "FAILED"].contains(&intent["status"].as_str().unwrap()),
            "{intent}"
        );
        if intent["replay_of"].is_string() {
            let replay = text(&intent, "intent_id");
            replays
                .entry(text(&intent, "replay_of"))
                .or_default()
                .push(replay);
        }
    }
    assert_eq!(replays.keys().cloned().collect::<BTreeSet<_>>(), *letters);
    let twice: Vec<_> = replays.iter().filter(|(_, made)| made.len() != 1).collect();
    assert!(twice.is_empty(), "replayed more than once: {twice:?}");
    let items = all(caller, &format!("{path}?"), "items").await;
    assert_eq!(items.len(), letters.len());
    for item in items {
        assert_eq!(
            replays[&text(&item, "intent_id")],
            [text(&item, "new_intent_id")]
        );
    }
}
