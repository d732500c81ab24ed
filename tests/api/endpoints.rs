//! Agents that are called: what their endpoints' health does to their intents, and how it is shown.

use std::sync::Arc;

use postroom::broker::request::Request;
use postroom::broker::session::{Handover, Session, SessionSpec};
use postroom::domain::attempt::AttemptReport;
use postroom::domain::fact::Actor;
use postroom::domain::failure::{ErrorClass, Failure};
use postroom::domain::time::Span;
use postroom::engine::command::{Command, Fail};
use serde_json::{Value, json};

use crate::house::{House, house};

/// A house whose agent `billing` is called, and who calls it.
async fn called() -> (House, Session, String) {
    let house = house().await;
    let account = house
        .post(
            "/v1/service-accounts",
            &house.admin,
            json!({ "name": "billing", "delivery_mode": "http", "callback_url": "http://127.0.0.1:9/x" }),
        )
        .await
        .ok();
    let id = account["service_account"]["service_account_id"].as_str();
    let path = format!("/v1/service-accounts/{}", id.unwrap());
    let calls = house.broker.open_session(SessionSpec::calls(8, 4)).await;
    (house, calls.unwrap(), path)
}

pub(crate) async fn fail(house: &House, mut handover: Handover, failure: Failure) {
    drop(handover.slot.take());
    let command = Command::Fail(Fail {
        attempt: Some(handover.attempt),
        failure,
        delay: None,
        by: Actor::Broker,
        report: Some(Arc::new(AttemptReport::default())),
    });
    let request = Request::plain(handover.intent.id, command);
    house.broker.run(request).await.unwrap();
}

async fn agent(house: &House) -> Value {
    house.get("/v1/agents/billing", &house.admin).await.ok()["agent"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_breaker_parks_intents_is_shown_everywhere_and_lets_the_oldest_through_first() {
    let (house, mut calls, _) = called().await;
    assert_eq!(agent(&house).await["endpoint"]["breaker"], "closed");
    let mut oldest = None;
    for _ in 0..5 {
        let id = house.submit(&house.admin, "billing", json!({})).await;
        oldest.get_or_insert(id);
        let handover = calls.next().await.unwrap();
        assert_eq!(agent(&house).await["endpoint"]["in_flight"], 1);
        let refused = Failure::new(ErrorClass::Connect, "refused");
        fail(&house, handover, refused).await;
    }
    let late = house.submit(&house.admin, "billing", json!({})).await;
    let row = agent(&house).await;
    assert_eq!(row["endpoint"]["breaker"], "open", "{row}");
    assert_eq!(row["parked_reason"], "breaker_open");
    assert_eq!((&row["ready"], &row["parked"]), (&json!(0), &json!(1)));
    let intent = house.intent(&late).await;
    assert_eq!(intent["delivery"]["state"], "parked");
    assert_eq!(intent["delivery"]["parked_reason"], "breaker_open");
    let overview = house.get("/v1/overview", &house.admin).await.ok();
    assert_eq!(overview["agents"]["breaker_open"], 1);
    let metrics = house.get("/metrics", &house.admin).await.text;
    let line = "postroom_breaker_open{agent=\"local/default/billing\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    let feed = house
        .get("/v1/events?types=agent.breaker_changed", &house.admin)
        .await
        .ok();
    assert_eq!(feed["events"][0]["data"]["breaker"], "open");

    house.pass(29).await;
    assert!(calls.try_next().is_none());
    house.pass(1).await;
    let probe = calls.next().await.unwrap();
    assert_eq!(agent(&house).await["endpoint"]["breaker"], "half_open");
    assert_eq!(
        Some(probe.intent.id.to_string()),
        Some(late),
        "it lay ready longest"
    );
    assert_eq!(probe.number, 1, "waiting has spent nothing");
    assert!(calls.try_next().is_none(), "one probe");
    drop(oldest);
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_that_was_asked_for_and_a_rate_park_intents_too() {
    let (house, mut calls, path) = called().await;
    house.submit(&house.admin, "billing", json!({})).await;
    let mut busy = Failure::new(ErrorClass::Http429, "429");
    (busy.http_status, busy.retry_after) = (Some(429), Some(Span::from_seconds(90)));
    let handover = calls.next().await.unwrap();
    fail(&house, handover, busy).await;
    let row = agent(&house).await;
    assert_eq!(row["endpoint"]["breaker"], "closed");
    assert_eq!(row["parked_reason"], "rate_limited");
    assert!(row["endpoint"]["held_until"].is_string(), "{row}");
    house.pass(90).await;
    assert_eq!(calls.next().await.unwrap().number, 2);

    let rate = json!({ "rate_per_second": 0.5 });
    house.patch(&path, &house.admin, rate).await.ok();
    house
        .patch(&path, &house.admin, json!({ "rate_per_second": -1 }))
        .await
        .refused(422, "schema_invalid");
    assert_eq!(agent(&house).await["endpoint"]["rate_per_second"], 0.5);
    for _ in 0..2 {
        house.submit(&house.admin, "billing", json!({})).await;
    }
    let first = calls.next().await.unwrap();
    drop(first);
    house.pass(1).await;
    assert!(calls.try_next().is_none());
    assert_eq!(agent(&house).await["parked_reason"], "rate_limited");
    house.pass(1).await;
    calls.next().await.unwrap();
    house
        .patch(&path, &house.admin, json!({ "rate_per_second": 0 }))
        .await
        .ok();
    assert_eq!(
        agent(&house).await["endpoint"]["rate_per_second"],
        Value::Null
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_raises_one_notice_in_the_operator_s_inbox() {
    let (house, mut calls, _) = called().await;
    for _ in 0..3 {
        house.submit(&house.admin, "billing", json!({})).await;
        let handover = calls.next().await.unwrap();
        let mut gone = Failure::new(ErrorClass::Gone410, "410 Gone");
        gone.http_status = Some(410);
        fail(&house, handover, gone).await;
    }
    let inbox = house
        .get("/v1/inbox?owner_agent=operator", &house.admin)
        .await
        .ok();
    let threads = inbox["threads"].as_array().unwrap();
    assert_eq!(threads.len(), 1, "{inbox}");
    let notice = threads[0].to_string();
    assert!(notice.contains("billing answers 410 Gone"), "{notice}");
    let dead = house.get("/v1/dead-letters", &house.admin).await.ok();
    assert_eq!(dead["total"], 3);
    // Answered, the next one is news again.
    let thread = threads[0]["thread_id"].as_str().unwrap();
    house
        .post(
            &format!("/v1/inbox/{thread}/approve?owner_agent=operator"),
            &house.admin,
            json!({}),
        )
        .await
        .ok();
    house.submit(&house.admin, "billing", json!({})).await;
    let handover = calls.next().await.unwrap();
    fail(
        &house,
        handover,
        Failure::new(ErrorClass::Gone410, "410 Gone"),
    )
    .await;
    let tasks = house
        .get(
            "/v1/inbox?owner_agent=operator&status=pending",
            &house.admin,
        )
        .await
        .ok();
    assert_eq!(tasks["threads"].as_array().unwrap().len(), 1, "{tasks}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_callback_url_is_another_endpoint() {
    let (house, mut calls, path) = called().await;
    for _ in 0..5 {
        house.submit(&house.admin, "billing", json!({})).await;
        let handover = calls.next().await.unwrap();
        fail(
            &house,
            handover,
            Failure::new(ErrorClass::Dns, "no such host"),
        )
        .await;
    }
    assert_eq!(agent(&house).await["endpoint"]["breaker"], "open");
    house.submit(&house.admin, "billing", json!({})).await;
    let elsewhere = json!({ "callback_url": "http://127.0.0.1:9/y" });
    house.patch(&path, &house.admin, elsewhere).await.ok();
    assert_eq!(agent(&house).await["endpoint"]["breaker"], "closed");
    calls.next().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_bounds_an_agent_and_resets_its_breaker_with_a_reason_on_record() {
    let (house, mut calls, _) = called().await;
    let path = |verb: &str| format!("/v1/agents/billing/{verb}");
    let body = json!({ "rate_per_second": 2.5, "max_in_flight": 3, "reason": "it melts" });
    let answer = house.post(&path("limit"), &house.admin, body).await.ok();
    let agent_now = &answer["agent"];
    assert_eq!(agent_now["endpoint"]["rate_per_second"], 2.5);
    assert_eq!(agent_now["max_in_flight"], 3);
    let nothing = house
        .post(&path("limit"), &house.admin, json!({ "reason": "x" }))
        .await;
    nothing.refused(422, "schema_invalid");
    let free = json!({ "rate_per_second": 0, "max_in_flight": 0 });
    let answer = house.post(&path("limit"), &house.admin, free).await.ok();
    assert_eq!(answer["agent"]["endpoint"]["rate_per_second"], Value::Null);
    assert_eq!(answer["agent"]["max_in_flight"], Value::Null);

    for _ in 0..5 {
        house.submit(&house.admin, "billing", json!({})).await;
        let handover = calls.next().await.unwrap();
        fail(
            &house,
            handover,
            Failure::new(ErrorClass::Connect, "refused"),
        )
        .await;
    }
    assert_eq!(agent(&house).await["endpoint"]["breaker"], "open");
    let body = json!({ "reason": "they fixed it" });
    let answer = house
        .post(&path("reset-breaker"), &house.admin, body)
        .await
        .ok();
    assert_eq!(answer["agent"]["endpoint"]["breaker"], "closed");

    let log = house
        .get("/v1/audit/events?limit=3", &house.admin)
        .await
        .ok();
    let entry = &log["events"][0];
    assert_eq!(entry["action"], "agent.reset_breaker", "{log}");
    assert_eq!(entry["reason"], "they fixed it");
    assert_eq!(entry["details"]["before"]["breaker"], "open");
    assert_eq!(entry["details"]["after"]["breaker"], "closed");
    assert_eq!(log["events"][2]["details"]["after"]["rate_per_second"], 2.5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_not_called_has_no_rate() {
    let house = house().await;
    house.submit(&house.admin, "orders", json!({})).await;
    let path = "/v1/agents/orders/limit";
    let body = json!({ "rate_per_second": 2 });
    let refused = house.post(path, &house.admin, body).await;
    refused.refused(422, "schema_invalid");
    let body = json!({ "max_in_flight": 2 });
    let answer = house.post(path, &house.admin, body).await.ok();
    assert_eq!(answer["agent"]["max_in_flight"], 2);
}
