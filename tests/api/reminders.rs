//! Reminders as the agent sees them that has to act.

use serde_json::{Value, json};

use crate::house::{House, house};

/// An intent of which its agent is reminded twice, each second.
async fn urgent(house: &House, number: u32) -> String {
    let body = json!({
        "intent_type": "intent.order.process.v1", "to_agent": "orders", "payload": { "n": number },
        "remind_after_seconds": 1, "remind_interval_seconds": 1, "max_reminders": 2,
    });
    let made = house.post("/v1/intents", &house.admin, body).await.ok();
    made["intent_id"].as_str().unwrap().to_owned()
}

async fn attempts(house: &House, id: &str) -> usize {
    let path = format!("/v1/attempts?intent_id={id}");
    let listed = house.get(&path, &house.admin).await.ok();
    listed["attempts"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_has_it_is_shown_it_in_a_new_row_that_is_no_attempt() {
    let house = house().await;
    let key = house.key("orders", "agent").await;
    let id = urgent(&house, 1).await;
    let path = "/v1/agents/orders/intents/stream?since=0&wait_seconds=60&max_in_flight=1";
    let mut stream = house.stream(path, &key).await;
    let first = stream.event().await.json();
    assert_eq!(first["intent_id"], json!(id));
    let mut last = first["seq"].as_u64().unwrap();
    for number in 1..=2 {
        house.pass(1).await;
        let frame = stream.event().await;
        let row = frame.json();
        let seq = row["seq"].as_u64().unwrap();
        assert!(seq > last && frame.id == seq.to_string(), "{number}: {row}");
        last = seq;
        assert_eq!(frame.event, "intent.delivered");
        for same in [
            "intent_id",
            "attempt_id",
            "delivery_attempt",
            "payload",
            "status",
        ] {
            assert_eq!(row[same], first[same], "{number}: {same}");
        }
        assert_eq!(house.intent(&id).await["remind_count"], number);
    }
    assert_eq!(attempts(&house, &id).await, 1);
    let types = house.event_types(&id).await;
    assert_eq!(
        types[3..],
        [
            "intent.attempt_started",
            "intent.reminder",
            "intent.reminder"
        ]
    );
    // It ends as any other, and the next one is above it.
    let done = json!({ "attempt_id": first["attempt_id"], "done": 1 });
    let path = format!("/v1/intents/{id}/resume");
    house.post(&path, &key, done).await.ok();
    let next = urgent(&house, 2).await;
    let row = stream.event().await.json();
    assert_eq!(row["intent_id"], json!(next));
    assert!(row["seq"].as_u64().unwrap() > last, "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_poller_has_stays_with_it_and_what_nobody_has_comes_once() {
    let house = house().await;
    let key = house.key("orders", "agent").await;
    let ready = urgent(&house, 1).await;
    house.pass(1).await;
    house.pass(1).await;
    let rows = house.poll(&key, "orders").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["intent_id"], json!(ready));
    let held = urgent(&house, 2).await;
    assert_eq!(house.poll(&key, "orders").await.len(), 1);
    house.pass(1).await;
    assert_eq!(house.poll(&key, "orders").await, Vec::<Value>::new());
    let types = house.event_types(&held).await;
    assert_eq!(types[3..], ["intent.attempt_started", "intent.reminder"]);
    assert_eq!(attempts(&house, &held).await, 1);
    // Over a stream of the same agent it is shown, since it has to act.
    let path = "/v1/agents/orders/intents/stream?since=1&wait_seconds=60";
    let mut stream = house.stream(path, &key).await;
    let other = house.submit(&house.admin, "orders", json!({})).await;
    assert_eq!(stream.event().await.json()["intent_id"], json!(other));
    house.pass(1).await;
    let row = stream.event().await.json();
    assert_eq!(row["intent_id"], json!(held));
    assert_eq!(row["delivery_attempt"], 1);
}
