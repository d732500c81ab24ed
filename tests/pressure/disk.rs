//! A disk that is low, full, broken or stuck, under the real program.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};

use crate::program::{Place, Running};

const POLL: &str = "/v1/agents/orders/intents";

fn new_intent(number: u32) -> Value {
    json!({
        "intent_type": "intent.ask.v1",
        "to_agent": "orders",
        "payload": { "number": number },
    })
}

async fn send(broker: &Running, number: u32) -> String {
    let said = broker
        .ask("POST", "/v1/intents", Some(&new_intent(number)))
        .await;
    assert_eq!(said.status, 200, "{}", said.text);
    said.json()["intent_id"].as_str().unwrap().to_owned()
}

/// Takes one intent for the receiver.
async fn take(broker: &Running) -> String {
    let said = broker
        .ask("GET", &format!("{POLL}?limit=1&wait_seconds=5"), None)
        .await;
    let rows = said.json();
    let id = rows["intents"][0]["intent_id"].as_str();
    id.unwrap_or_else(|| panic!("no row: {}", said.text))
        .to_owned()
}

fn done() -> Value {
    json!({ "action": "complete", "result": { "done": true } })
}

async fn status(broker: &Running, id: &str) -> String {
    let said = broker.ask("GET", &format!("/v1/intents/{id}"), None).await;
    assert_eq!(said.status, 200, "{id}: {}", said.text);
    said.json()["intent"]["status"].as_str().unwrap().to_owned()
}

async fn known(broker: &Running) -> usize {
    let said = broker
        .ask("GET", "/v1/intents?limit=100", None)
        .await
        .json();
    let all = said["intents"].as_array().unwrap().iter();
    all.filter(|intent| intent["intent_type"] == "intent.ask.v1")
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_what_is_new_loses_nothing_and_is_recovered_from_without_hands() {
    let place = Place::new();
    let broker = place.serve(&["shutdown.grace_seconds=5"]).await;
    for number in 0..5 {
        send(&broker, number).await;
    }
    let held = take(&broker).await;
    let resume = format!("/v1/intents/{held}/resume");

    place.raise("full");
    for _ in 0..3 {
        let said = broker
            .ask("POST", "/v1/intents", Some(&new_intent(9)))
            .await;
        assert_eq!(said.status, 507, "{}", said.text);
        assert_eq!(said.json()["error"]["code"], "storage_low");
        assert_eq!(said.json()["error"]["details"]["reason"], "disk_full");
        let batch = json!({ "intents": [new_intent(9), new_intent(10)] });
        let said = broker.ask("POST", "/v1/intents/batch", Some(&batch)).await;
        assert_eq!(said.status, 507, "{}", said.text);
        let said = broker.ask("POST", &resume, Some(&done())).await;
        assert_eq!(said.status, 503, "{}", said.text);
        assert!(said.retry_after.is_some());
        // Nothing is handed out whose attempt cannot be written down.
        let said = broker
            .ask("GET", &format!("{POLL}?wait_seconds=1"), None)
            .await;
        assert_eq!(said.json()["intents"], json!([]), "{}", said.text);
        let said = broker.ask("GET", POLL, None).await;
        assert_eq!(said.status, 503, "{}", said.text);
    }
    let ready = broker.ask("GET", "/ready", None).await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["error"]["details"]["reason"], "storage full");
    let overview = broker.ask("GET", "/v1/overview", None).await.json();
    assert_eq!(overview["store"]["disk_low"], true, "{overview}");
    let metrics = broker.ask("GET", "/metrics", None).await.text;
    assert!(metrics.contains("postroom_disk_full 1"), "{metrics}");
    assert_eq!(known(&broker).await, 5);
    assert_eq!(status(&broker, &held).await, "DELIVERED");

    place.lower("full");
    let ready = broker.until("/ready", |said| said.status == 200).await;
    assert_eq!(ready.json()["disk_low"], false, "{}", ready.text);
    let said = broker.ask("POST", &resume, Some(&done())).await;
    assert_eq!(said.status, 200, "{}", said.text);
    send(&broker, 11).await;
    for _ in 0..5 {
        let id = take(&broker).await;
        let resume = format!("/v1/intents/{id}/resume");
        let said = broker.ask("POST", &resume, Some(&done())).await;
        assert_eq!(said.status, 200, "{}", said.text);
        assert_eq!(status(&broker, &id).await, "COMPLETED");
    }
    assert_eq!(known(&broker).await, 6);
    let (code, said) = broker.stop().await;
    assert_eq!(code, Some(0), "{said}");
    let (is_sound, said) = place.run(&["verify"]).await;
    assert!(is_sound, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_stopped_on_a_full_disk_has_everything_that_was_acknowledged() {
    let place = Place::new();
    let broker = place.serve(&["shutdown.grace_seconds=5"]).await;
    let id = send(&broker, 1).await;
    place.raise("full");
    let said = broker
        .ask("POST", "/v1/intents", Some(&new_intent(2)))
        .await;
    assert_eq!(said.status, 507, "{}", said.text);
    let (code, said) = broker.stop().await;
    assert_eq!(code, Some(0), "{said}");
    // It cannot put down that it starts, and says what to do about it.
    let (code, said) = place.serve_in_vain().await;
    assert_eq!(code, Some(1), "{said}");
    for part in ["postroom.db", "no space left", "hint: make room"] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    place.lower("full");
    let broker = place.serve(&[]).await;
    assert_eq!(status(&broker, &id).await, "DELIVERED");
    assert_eq!(known(&broker).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_fails_stops_the_broker_loudly_and_the_store_opens_clean_again() {
    let place = Place::new();
    let broker = place.serve(&["shutdown.grace_seconds=1"]).await;
    let mut sent = Vec::new();
    for number in 0..5 {
        sent.push(send(&broker, number).await);
    }
    place.raise("eio");
    // Whatever it hears, it is no success.
    let said = broker
        .try_ask("POST", "/v1/intents", Some(&new_intent(9)))
        .await;
    assert!(
        said.is_err() || said.as_ref().is_ok_and(|said| said.status != 200),
        "{said:?}"
    );
    let (code, said) = broker.ended().await;
    assert_eq!(code, Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    for part in ["postroom.db", "disk I/O error", "hint: "] {
        assert!(said.contains(part), "{part:?} is not in {last:?} of {said}");
    }
    let (is_sound, said) = place.run(&["verify"]).await;
    assert!(is_sound, "{said}");
    let broker = place.serve(&[]).await;
    for id in &sent {
        assert_eq!(status(&broker, id).await, "DELIVERED");
    }
    send(&broker, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_low_disk_refuses_new_intents_and_nothing_else() {
    let place = Place::new();
    let broker = place.serve(&[]).await;
    for number in 0..2 {
        send(&broker, number).await;
    }
    let (code, said) = broker.stop().await;
    assert_eq!(code, Some(0), "{said}");
    // More than any disk of a machine that runs tests has free.
    let broker = place.serve(&["store.disk_low_bytes=1048576MiB"]).await;
    let said = broker
        .ask("POST", "/v1/intents", Some(&new_intent(9)))
        .await;
    assert_eq!(said.status, 507, "{}", said.text);
    assert_eq!(said.json()["error"]["details"]["reason"], "disk_low");
    let jobs = json!({ "reason": "test", "dry_run": false });
    let said = broker
        .ask("POST", "/v1/dead-letters/replay", Some(&jobs))
        .await;
    assert_eq!(said.status, 507, "{}", said.text);
    let ready = broker.ask("GET", "/ready", None).await;
    assert_eq!(ready.status, 200, "{}", ready.text);
    assert_eq!(ready.json()["disk_low"], true);
    let told = broker.ask("GET", "/v1/events?types=storage.*", None).await;
    assert_eq!(
        told.json()["events"][0]["type"],
        "storage.low",
        "{}",
        told.text
    );
    assert_eq!(notices(&broker).await, ["WAITING"]);
    let overview = broker.ask("GET", "/v1/overview", None).await.json();
    assert_eq!(overview["store"]["disk_low"], true, "{overview}");
    let id = take(&broker).await;
    let said = broker
        .ask("POST", &format!("/v1/intents/{id}/resume"), Some(&done()))
        .await;
    assert_eq!(said.status, 200, "{}", said.text);
    assert_eq!(status(&broker, &id).await, "COMPLETED");
    let (code, said) = broker.stop().await;
    assert_eq!(code, Some(0), "{said}");
    // With room again the notice has ended by itself.
    let broker = place.serve(&[]).await;
    let fine = |said: &crate::program::Said| said.text.contains("storage.fine");
    broker.until("/v1/events?types=storage.*", fine).await;
    assert_eq!(notices(&broker).await, ["COMPLETED"]);
    send(&broker, 10).await;
}

/// How the notices to the operator stand.
async fn notices(broker: &Running) -> Vec<String> {
    let said = broker
        .ask("GET", "/v1/intents?limit=100", None)
        .await
        .json();
    let all = said["intents"].as_array().unwrap().iter();
    let notices = all.filter(|intent| intent["intent_type"] == "intent.storage.low.v1");
    notices
        .map(|intent| intent["status"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_does_not_end_is_not_ready() {
    let place = Place::new();
    let broker = place.serve(&["limits.stall_seconds=1"]).await;
    place.raise("stall");
    let sending = async { send(&broker, 1).await };
    let looking = async {
        let said = broker.until("/ready", |said| said.status == 503).await;
        place.lower("stall");
        said
    };
    let (id, said) = tokio::join!(sending, looking);
    let details = &said.json()["error"]["details"];
    assert_eq!(
        details["reason"], "accepting without applying",
        "{}",
        said.text
    );
    broker.until("/ready", |said| said.status == 200).await;
    assert_eq!(status(&broker, &id).await, "DELIVERED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_queue_that_is_full_is_said_to_be_busy_and_what_is_in_it_is_done() {
    let place = Place::new();
    let settings = ["limits.commit_queue=16", "limits.busy_wait_ms=0"];
    let broker = place.serve(&settings).await;
    place.raise("stall");
    let body = new_intent(1);
    let mut asking: FuturesUnordered<_> = (0..64)
        .map(|_| broker.ask("POST", "/v1/intents", Some(&body)))
        .collect();
    // Nobody is answered while the commit stands still, but those for whom there is no place.
    let said = asking.next().await.unwrap();
    assert_eq!(said.status, 503, "{}", said.text);
    let error = &said.json()["error"];
    assert_eq!(
        (&error["code"], &error["retryable"]),
        (&json!("busy"), &json!(true))
    );
    assert!(said.retry_after.is_some(), "{}", said.text);
    place.lower("stall");
    let mut taken = 0;
    while let Some(said) = asking.next().await {
        match said.status {
            200 => taken += 1,
            status => assert_eq!(status, 503, "{}", said.text),
        }
    }
    assert!(taken >= 16, "{taken} taken");
    assert_eq!(known(&broker).await, taken);
}
