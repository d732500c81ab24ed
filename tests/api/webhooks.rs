//! Webhook subscriptions: who is told of what, and that it goes the way of every intent that is called.

use std::sync::Arc;

use std::collections::BTreeSet;

use postroom::broker::request::Request;
use postroom::broker::session::{Handover, Session, SessionSpec};
use postroom::domain::attempt::AttemptReport;
use postroom::domain::fact::Actor;
use postroom::domain::failure::{ErrorClass, Failure};
use postroom::engine::command::{Acknowledge, Command, Fail};
use serde_json::{Value, json};

use crate::house::{House, house};

const SUBSCRIPTIONS: &str = "/v1/webhooks/subscriptions";

async fn subscribe(house: &House, key: &str, path: &str, types: Value) -> Value {
    let url = format!("http://127.0.0.1:9/{path}");
    let body = json!({ "callback_url": url, "event_types": types });
    let made = house.post(SUBSCRIPTIONS, key, body).await.ok();
    made["subscription"].clone()
}

/// Everything handed over by now, as the bodies that are posted.
async fn handed(house: &House, calls: &mut Session) -> Vec<(Handover, Value)> {
    house.broker.tick().await.unwrap();
    house.broker.tick().await.unwrap();
    let mut all = Vec::new();
    while let Some(handover) = calls.try_next() {
        let body = handover.payload.to_value();
        all.push((handover, body));
    }
    all
}

async fn taken(house: &House, mut handover: Handover) {
    drop(handover.slot.take());
    let command = Command::Acknowledge(Acknowledge {
        attempt: Some(handover.attempt),
        by: Actor::Broker,
        report: Some(Arc::new(AttemptReport::default())),
    });
    let request = Request::plain(handover.intent.id, command);
    house.broker.run(request).await.unwrap();
}

/// Everything that is told by now, each taken as it comes.
async fn told(house: &House, calls: &mut Session) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let some = handed(house, calls).await;
        if some.is_empty() {
            return all;
        }
        for (handover, body) in some {
            taken(house, handover).await;
            all.push(body);
        }
    }
}

async fn gone(house: &House, mut handover: Handover) {
    drop(handover.slot.take());
    let command = Command::Fail(Fail {
        attempt: Some(handover.attempt),
        failure: Failure::new(ErrorClass::Gone410, "410 Gone"),
        delay: None,
        by: Actor::Broker,
        report: Some(Arc::new(AttemptReport::default())),
    });
    let request = Request::plain(handover.intent.id, command);
    house.broker.run(request).await.unwrap();
}

fn types(all: &[Value]) -> BTreeSet<String> {
    all.iter()
        .map(|body| body["event_type"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_made_once_per_owner_and_url_and_its_secret_is_shown_once() {
    let house = house().await;
    let web = house.key("web", "sender").await;
    let made = subscribe(&house, &web, "a", json!(["intent.*"])).await;
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    for key in ["description", "revoked_at"] {
        assert!(made.get(key).is_some_and(Value::is_null), "{key} in {made}");
    }
    assert_eq!(made["owner_agent"], "agent://local/default/web");
    assert_eq!(made["active"], true);
    let again = subscribe(&house, &web, "a", json!(["intent.completed"])).await;
    assert_eq!(again["subscription_id"], made["subscription_id"]);
    assert_eq!(again.get("secret"), None);
    assert_eq!(again["event_types"], json!(["intent.completed"]));
    let other = subscribe(&house, &house.admin, "a", json!(["*"])).await;
    assert_ne!(other["subscription_id"], made["subscription_id"]);

    let listed = house.get(SUBSCRIPTIONS, &web).await.ok();
    assert_eq!(listed["subscriptions"], json!([again]));
    let all = house.get(SUBSCRIPTIONS, &house.admin).await.ok();
    assert_eq!(all["subscriptions"].as_array().unwrap().len(), 2);
    let agents = house.get("/v1/agents", &house.admin).await;
    assert!(!agents.text.contains("webhook"), "{}", agents.text);

    let id = other["subscription_id"].as_str().unwrap();
    let theirs = house.request("DELETE", &format!("{SUBSCRIPTIONS}/{id}"), &web);
    house
        .send(theirs)
        .await
        .refused(404, "subscription_not_found");
    let id = made["subscription_id"].as_str().unwrap();
    let path = format!("{SUBSCRIPTIONS}/{id}");
    let gone = house.send(house.request("DELETE", &path, &web)).await.ok();
    assert!(gone["revoked_at"].is_string());
    let again = house.send(house.request("DELETE", &path, &web)).await;
    again.refused(404, "subscription_not_found");
    let left = house.get(SUBSCRIPTIONS, &web).await.ok();
    assert_eq!(left["subscriptions"], json!([]));
    let inactive = format!("{SUBSCRIPTIONS}?include_inactive=true");
    let left = house.get(&inactive, &web).await.ok();
    assert_eq!(left["subscriptions"][0]["revoked_at"], gone["revoked_at"]);

    let good = |url: &str| json!({ "callback_url": url, "event_types": ["intent.*"] });
    for (body, code) in [
        (good("http://169.254.169.254/x"), "callback_url_refused"),
        (good("gopher://127.0.0.1/x"), "callback_url_refused"),
        (json!({ "event_types": ["*"] }), "schema_invalid"),
        (
            json!({ "callback_url": "http://127.0.0.1/x" }),
            "schema_invalid",
        ),
        (
            json!({ "callback_url": "http://127.0.0.1/x", "event_types": [] }),
            "schema_invalid",
        ),
        (
            json!({ "callback_url": "http://127.0.0.1/x", "event_types": ["a b"] }),
            "schema_invalid",
        ),
        (
            json!({ "callback_url": "http://127.0.0.1/x", "event_types": ["*"], "secret": "short" }),
            "schema_invalid",
        ),
    ] {
        house
            .post(SUBSCRIPTIONS, &web, body)
            .await
            .refused(422, code);
    }
    let audit = house
        .get("/v1/audit/events?action_prefix=webhook.", &house.admin)
        .await;
    assert!(!audit.text.contains("whsec_"), "{}", audit.text);
    assert_eq!(audit.ok()["events"].as_array().unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_are_told_of_their_intents_and_an_operator_of_all_in_intents_that_tell_nothing() {
    let house = house().await;
    let mut calls = house
        .broker
        .open_session(SessionSpec::calls(64, 16))
        .await
        .unwrap();
    let (web, app) = (
        house.key("web", "sender").await,
        house.key("app", "sender").await,
    );
    subscribe(&house, &web, "web", json!(["intent.*", "inbox.*"])).await;
    subscribe(&house, &app, "app", json!(["*"])).await;
    subscribe(&house, &house.admin, "all", json!(["intent.completed"])).await;
    let id = house.submit(&web, "orders", json!({ "n": 1 })).await;
    let news = told(&house, &mut calls).await;
    let created: BTreeSet<String> = ["intent.created", "intent.submitted", "intent.delivered"]
        .map(str::to_owned)
        .into();
    assert_eq!(types(&news), created, "and nothing of what carries them");
    for body in &news {
        assert_eq!(body["owner_agent"], "agent://local/default/web");
        assert_eq!(body["source"], "postroom");
        assert_eq!(body["payload"]["intent_id"], json!(id));
        assert_eq!(body["payload"]["from_agent"], "agent://local/default/web");
    }
    let resume = format!("/v1/intents/{id}/resume");
    house
        .post(&resume, &house.admin, json!({ "ok": 1 }))
        .await
        .ok();
    let news = told(&house, &mut calls).await;
    assert_eq!(types(&news), ["intent.completed".to_owned()].into());
    let owners: BTreeSet<_> = news
        .iter()
        .map(|body| body["owner_agent"].as_str().unwrap().to_owned())
        .collect();
    let expected = [
        "agent://local/default/operator",
        "agent://local/default/web",
    ];
    assert_eq!(owners, expected.map(str::to_owned).into());
    let ids: BTreeSet<_> = news
        .iter()
        .map(|body| body["event_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "it is one event");
    assert_eq!(news[0]["payload"]["result"], json!({ "ok": 1 }));

    // They are in no plain list, but there for whoever asks; and they are deliveries.
    let list = |query: &'static str| {
        let house = &house;
        async move {
            let found = house
                .get(&format!("/v1/intents{query}"), &house.admin)
                .await
                .ok();
            found["intents"].as_array().unwrap().len()
        }
    };
    assert_eq!(list("").await, 1);
    assert_eq!(list("?kind=webhook").await, 5);
    assert_eq!(list("?kind=webhook&status=COMPLETED").await, 5);
    assert_eq!(list("?kind=all").await, 6);
    assert_eq!(list("?kind=intent&from_agent=web").await, 1);
    assert_eq!(list("?kind=webhook&from_agent=web").await, 4);
    let own = house.get("/v1/deliveries", &web).await.ok();
    let transports: Vec<_> = own["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["transport_type"].as_str().unwrap())
        .collect();
    assert_eq!(
        transports.iter().filter(|one| **one == "webhook").count(),
        4
    );
    assert!(transports.contains(&"queue"));
    let wrong = house.get("/v1/intents?kind=letter", &house.admin).await;
    wrong.refused(422, "schema_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn inboxes_tell_of_their_threads() {
    let house = house().await;
    let mut calls = house
        .broker
        .open_session(SessionSpec::calls(64, 16))
        .await
        .unwrap();
    let (web, boss) = (
        house.key("web", "sender").await,
        house.key("boss", "agent").await,
    );
    subscribe(&house, &boss, "boss", json!(["inbox.*"])).await;
    subscribe(&house, &web, "web", json!(["inbox.*"])).await;
    let body = json!({
        "intent_type": "intent.order.process.v1", "to_agent": "boss", "payload": {},
        "human_task": { "title": "May we?" }, "reply_to": "web",
    });
    let made = house.post("/v1/intents", &web, body).await.ok();
    let id = made["intent_id"].as_str().unwrap();
    let news = told(&house, &mut calls).await;
    assert_eq!(types(&news), ["inbox.thread_created".to_owned()].into());
    let thread = news[0]["payload"]["thread_id"].as_str().unwrap().to_owned();
    assert_eq!(news[0]["payload"]["status"], "pending");
    house.get(&format!("/v1/inbox/{thread}"), &boss).await.ok();
    let message = json!({ "message": "hm" });
    house
        .post(&format!("/v1/inbox/{id}/reply"), &boss, message)
        .await
        .ok();
    let news = told(&house, &mut calls).await;
    let replies: BTreeSet<_> = news
        .iter()
        .filter(|body| body["event_type"] == "inbox.reply_received")
        .map(|body| body["owner_agent"].as_str().unwrap())
        .collect();
    let both = ["agent://local/default/boss", "agent://local/default/web"];
    assert_eq!(replies, both.into());
    house
        .post(&format!("/v1/inbox/{id}/approve"), &boss, json!({}))
        .await
        .ok();
    let news = told(&house, &mut calls).await;
    let mine: Vec<_> = news
        .iter()
        .filter(|body| body["owner_agent"] == "agent://local/default/web")
        .collect();
    assert_eq!(mine.len(), 1, "{mine:?}");
    assert_eq!(mine[0]["event_type"], "inbox.thread_created");
    assert_eq!(mine[0]["payload"]["thread_id"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_publishes_goes_to_its_owner_s_subscriptions_and_can_be_sent_again() {
    let house = house().await;
    let mut calls = house
        .broker
        .open_session(SessionSpec::calls(64, 16))
        .await
        .unwrap();
    let (web, app) = (
        house.key("web", "sender").await,
        house.key("app", "sender").await,
    );
    subscribe(&house, &web, "web", json!(["shop.*"])).await;
    subscribe(&house, &app, "app", json!(["*"])).await;
    let event = json!({ "event_type": "shop.opened", "source": "shop", "payload": { "door": 2 } });
    let path = "/v1/webhooks/events";
    let sent = house
        .post_with(path, &web, &[("idempotency-key", "once")], event.clone())
        .await
        .ok();
    assert_eq!(
        (
            &sent["queued_deliveries"],
            &sent["pending"],
            &sent["delivered"]
        ),
        (&json!(1), &json!(1), &json!(0))
    );
    let again = house
        .post_with(path, &web, &[("idempotency-key", "once")], event.clone())
        .await
        .ok();
    assert_eq!(again["event_id"], sent["event_id"]);
    let mut told = handed(&house, &mut calls).await;
    let (handover, body) = told.pop().unwrap();
    assert!(told.is_empty());
    assert_eq!(body["payload"], json!({ "door": 2 }));
    assert_eq!(body["event_id"], sent["event_id"]);
    assert_eq!(body["source"], "shop");

    // Gone for good: a dead letter like any other, replayed like any other.
    let letter = handover.intent.id.to_string();
    gone(&house, handover).await;
    let letters = house.get("/v1/dead-letters", &house.admin).await.ok();
    assert_eq!(letters["dead_letters"][0]["intent_id"], json!(letter));
    let to = letters["dead_letters"][0]["to_agent"].as_str().unwrap();
    assert!(to.starts_with("webhook://"), "{to}");
    let delivery = house.get(&format!("/v1/deliveries/{letter}"), &web).await;
    assert_eq!(delivery.ok()["delivery"]["status"], "dead_lettered");
    let replay = format!("/v1/dead-letters/{letter}/replay");
    house.post(&replay, &house.admin, json!({})).await.ok();
    let mut told = handed(&house, &mut calls).await;
    let (handover, body) = told.pop().unwrap();
    assert_eq!(body["event_id"], sent["event_id"]);
    taken(&house, handover).await;

    let id = sent["event_id"].as_str().unwrap();
    let replay = format!("{path}/{id}/replay");
    house
        .post(&replay, &app, json!({}))
        .await
        .refused(404, "event_not_found");
    let replayed = house.post(&replay, &web, json!({})).await.ok();
    assert_eq!(replayed["queued_deliveries"], 1);
    assert_eq!(replayed["event_type"], "shop.opened");
    let told = handed(&house, &mut calls).await;
    assert_eq!(told[0].1["event_id"], sent["event_id"]);
    let unknown = format!("{path}/nothing/replay");
    house
        .post(&unknown, &web, json!({}))
        .await
        .refused(404, "event_not_found");
    let bad = json!({ "event_type": "x", "source": "s", "payload": [] });
    house
        .post(path, &web, bad)
        .await
        .refused(422, "schema_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_subscription_that_is_taken_away_is_withdrawn() {
    let house = house().await;
    let web = house.key("web", "sender").await;
    let made = subscribe(&house, &web, "web", json!(["intent.*"])).await;
    for _ in 0..120 {
        house.submit(&web, "orders", json!({})).await;
    }
    let waiting = house.get("/v1/intents?kind=webhook&status=pending&limit=500", &web);
    assert_eq!(waiting.await.ok()["intents"].as_array().unwrap().len(), 360);
    let mut calls = house
        .broker
        .open_session(SessionSpec::calls(8, 4))
        .await
        .unwrap();
    let id = made["subscription_id"].as_str().unwrap();
    let taken: Vec<Handover> = handed(&house, &mut calls)
        .await
        .into_iter()
        .map(|(one, _)| one)
        .collect();
    assert!(!taken.is_empty());
    let path = format!("{SUBSCRIPTIONS}/{id}");
    house.send(house.request("DELETE", &path, &web)).await.ok();
    house.broker.tick().await.unwrap();
    house.broker.tick().await.unwrap();
    let waiting = house.get("/v1/intents?kind=webhook&status=pending&limit=500", &web);
    let left = waiting.await.ok()["intents"].as_array().unwrap().len();
    assert_eq!(left, taken.len(), "what is under way may end");
    house.submit(&web, "orders", json!({})).await;
    let canceled = house.get("/v1/intents?kind=webhook&status=CANCELED&limit=500", &web);
    let canceled = canceled.await.ok()["intents"].as_array().unwrap().len();
    assert_eq!(canceled + left, 360, "nothing new is made");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_in_the_commit_of_the_fact_that_it_announces() {
    let house = house().await;
    let web = house.key("web", "sender").await;
    subscribe(&house, &web, "web", json!(["intent.*"])).await;
    let mut bus = house.broker.subscribe();
    let id = house.submit(&web, "orders", json!({})).await;
    let published = loop {
        let published = bus.recv().await.unwrap();
        if published.intents.iter().any(|one| one.id.to_string() == id) {
            break published;
        }
    };
    let carried = published.intents.iter().filter(|one| one.to.is_webhook());
    assert_eq!(carried.count(), 3, "one for each of its three facts");
}
