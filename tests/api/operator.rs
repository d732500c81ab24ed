//! What operators watch: the overview, the feed, the audit log.

use postroom::domain::time::Span;
use serde_json::{Value, json};

use crate::house::house;

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_counts_what_is_stored() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    house.submit(&house.admin, "orders", json!({})).await;
    house.poll(&house.admin, "orders").await;
    house
        .post(
            &format!("/v1/intents/{id}/resume"),
            &house.admin,
            json!({ "a": 1 }),
        )
        .await
        .ok();
    house.pass(30).await;
    let body = house.get("/v1/overview", &house.admin).await.ok();
    assert_eq!(body["intents"]["COMPLETED"], json!(1));
    assert_eq!(body["intents"]["DELIVERED"], json!(1));
    let bindings = body["bindings"].as_array().unwrap();
    assert_eq!(bindings.len(), 5);
    assert_eq!(bindings[0]["binding"], "stream");
    assert_eq!(bindings[0]["leased"], json!(1));
    assert_eq!(body["oldest_waiting"]["age_seconds"], json!(30));
    assert_eq!(body["store"]["kind"], "memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_has_every_cursor_once_and_a_filter_says_how_far_it_looked() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let whole = house.get("/v1/events?limit=1000", &house.admin).await.ok();
    let head = whole["head"].as_u64().unwrap();
    let cursors: Vec<_> = whole["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["cursor"].as_u64().unwrap())
        .collect();
    assert_eq!(cursors, (1..=head).collect::<Vec<_>>());
    let some = house
        .get("/v1/events?types=intent.*&limit=2", &house.admin)
        .await
        .ok();
    assert_eq!(some["events"][0]["type"], "intent.created");
    assert_eq!(some["events"][0]["intent_id"], json!(id));
    let next = some["next_since"].as_u64().unwrap();
    let rest = house
        .get(
            &format!("/v1/events?types=intent.*&since={next}"),
            &house.admin,
        )
        .await
        .ok();
    assert_eq!(rest["events"][0]["type"], "intent.delivered");
    assert_eq!(rest["next_since"], json!(head));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_stream_starts_at_the_head_unless_told_otherwise() {
    let house = house().await;
    house.submit(&house.admin, "orders", json!({})).await;
    let mut stream = house
        .stream("/v1/events/stream?wait_seconds=30", &house.admin)
        .await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    for wanted in ["intent.created", "intent.submitted", "intent.delivered"] {
        let frame = stream.event().await;
        assert_eq!(frame.event, wanted);
        assert_eq!(frame.json()["intent_id"], json!(id));
        assert_eq!(frame.id, frame.json()["cursor"].to_string());
    }
    let path = "/v1/events/stream?wait_seconds=1&since=0&types=key.*";
    let frames = house.stream(path, &house.admin).await.rest().await;
    assert_eq!(frames[0].event, "key.created");
    let last = frames.last().unwrap().json();
    let head = house.get("/v1/events", &house.admin).await.ok()["head"].clone();
    assert_eq!(last, json!({ "ok": true, "next_since": head }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_of_the_feed_returns_with_the_first_item() {
    let house = house().await;
    let head = house.get("/v1/events", &house.admin).await.ok()["head"].clone();
    let path = format!("/v1/events?since={head}&wait_seconds=30");
    let waiting = house.get(&path, &house.admin);
    let (reply, id) = tokio::join!(waiting, house.submit(&house.admin, "orders", json!({})));
    assert_eq!(reply.ok()["events"][0]["intent_id"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_writes_are_in_the_audit_log_with_who_and_through_what() {
    let house = house().await;
    house.account("orders", json!({})).await;
    let headers = [("x-postroom-via", "console"), ("x-trace-id", "t-1")];
    let body = json!({ "reason": "deploy" });
    house
        .post_with("/v1/agents/orders/pause", &house.admin, &headers, body)
        .await
        .ok();
    let audit = house
        .get("/v1/audit/events?limit=1", &house.admin)
        .await
        .ok();
    let entry = &audit["events"][0];
    assert_eq!(entry["action"], "agent.pause");
    assert_eq!(entry["actor"], "agent://local/default/operator");
    assert_eq!(entry["via"], "console");
    assert_eq!(entry["reason"], "deploy");
    assert_eq!(entry["trace_id"], "t-1");
    assert_eq!(entry["result"], "done");
    assert!(audit["next_cursor"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_console_does_by_itself_can_be_put_on_record() {
    let house = house().await;
    let noted = async |action: &str| {
        let body = json!({"action": action, "target": "intents", "details": {"rows": 3}});
        house.post("/v1/audit/events", &house.admin, body).await
    };
    noted("export").await.ok();
    let forged = noted("agent.kill").await.refused(422, "schema_invalid");
    assert!(forged.to_string().contains("payload.reveal"), "{forged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_says_what_a_write_changed_on_whose_behalf_and_what_was_refused() {
    let house = house().await;
    let account = house.account("orders", json!({})).await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/cancel?owner_agent=boss");
    house
        .post(&path, &house.admin, json!({ "reason": "wrong" }))
        .await
        .ok();
    house
        .post(&path, &house.admin, json!({}))
        .await
        .refused(409, "intent_terminal");
    let secret = json!({ "secret": "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=" });
    let path = format!("/v1/service-accounts/{account}/webhook-secret");
    house.post(&path, &house.admin, secret).await.ok();
    let read = async |query: &str| {
        let path = format!("/v1/audit/events?{query}");
        house.get(&path, &house.admin).await
    };
    let cancels = read("action_prefix=intent.cancel").await.ok();
    let [refused, done] = [&cancels["events"][0], &cancels["events"][1]];
    assert_eq!(refused["result"], "intent_terminal");
    assert_eq!(done["details"]["before"]["status"], "DELIVERED");
    assert_eq!(done["details"]["after"]["status"], "CANCELED");
    assert_eq!(done["owner_agent"], "agent://local/default/boss");
    assert_eq!(done["actor"], "agent://local/default/operator");
    assert!(done["event_id"].as_str().unwrap().starts_with("aud_"));
    let only = read("result=refused&owner_agent=boss").await.ok();
    assert_eq!(only["events"].as_array().unwrap().len(), 1);
    let rotated = read("action_prefix=account.rotate").await;
    assert_eq!(
        rotated.ok()["events"][0]["details"]["after"]["secrets"],
        json!(1)
    );
    assert!(!rotated.text.contains("whsec_"), "{}", rotated.text);
    read("result=maybe").await.refused(422, "schema_invalid");
    // Page after page, every entry once.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = read(&format!("limit=2&{cursor}")).await.ok();
        let events = page["events"].as_array().unwrap();
        seen.extend(events.iter().map(|event| event["event_id"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("cursor={next}"),
            None => break,
        }
    }
    let wanted: Vec<_> = (1..=seen.len())
        .rev()
        .map(|n| json!(format!("aud_{n}")))
        .collect();
    assert_eq!(seen, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_finished_and_old_is_removed_and_what_is_unfinished_never() {
    const DAY: i64 = 86_400;
    let house = house().await;
    let done = house.submit(&house.admin, "orders", json!({})).await;
    let letter = house.submit(&house.admin, "orders", json!({})).await;
    let open = house.submit(&house.admin, "orders", json!({})).await;
    let resume = async |id: &str, body| {
        let path = format!("/v1/intents/{id}/resume");
        house.post(&path, &house.admin, body).await.ok();
    };
    resume(&done, json!({ "done": true })).await;
    resume(&letter, json!({ "action": "fail" })).await;
    house.pass(29 * DAY).await;
    house.intent(&done).await;
    house.pass(2 * DAY).await;
    let gone = async |id: &str| {
        for of_it in ["", "/events"] {
            let path = format!("/v1/intents/{id}{of_it}");
            house
                .get(&path, &house.admin)
                .await
                .refused(404, "intent_not_found");
        }
    };
    gone(&done).await;
    house.intent(&letter).await;
    house.pass(60 * DAY).await;
    gone(&letter).await;
    assert_eq!(house.intent(&open).await["status"], "DELIVERED");
    house
        .get("/v1/events?since=1", &house.admin)
        .await
        .refused(410, "cursor_expired");
    house
        .get("/v1/events/stream?since=1", &house.admin)
        .await
        .refused(410, "cursor_expired");
    let events = house.get("/v1/events", &house.admin).await.ok();
    let oldest = events["oldest"].as_u64().unwrap();
    assert!(oldest > 1, "{events}");
    let path = format!("/v1/events?since={}", oldest - 1);
    house.get(&path, &house.admin).await.ok();
    let audit = house
        .get("/v1/audit/events?action_prefix=intent.resume", &house.admin)
        .await
        .ok();
    assert_eq!(
        audit["events"],
        json!([]),
        "entries are forgotten after 90 days"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outside_clock_counts_what_is_due_in_a_dry_run_and_does_it_otherwise() {
    let house = house().await;
    let key = &house.admin;
    let ask = async |what: &str, body: Value| {
        let path = format!("/internal/scheduler/{what}");
        let answer = house.post(&path, key, body).await.ok();
        (
            answer["processed"].as_u64().unwrap(),
            answer["dry_run"].clone(),
        )
    };
    let (dry, wet) = (json!({ "dry_run": true }), json!({}));
    let soon = json!({ "intent_type": "intent.order.process.v1", "to_agent": "orders",
        "ttl_seconds": 60 });
    // The broker looks at the time by itself every second, and may be first; not each time.
    for _ in 0..50 {
        let made = house.post("/v1/intents", key, soon.clone()).await.ok();
        let id = made["intent_id"].as_str().unwrap().to_owned();
        assert_eq!(ask("workflow-tick", dry.clone()).await, (0, json!(true)));
        house.clock.advance(Span::from_seconds(60));
        let counted = [
            ask("workflow-tick", dry.clone()).await,
            ask("webhook-tick?dry_run=true", wet.clone()).await,
            ask("reconcile-safety", dry.clone()).await,
        ];
        let is_open = house.intent(&id).await["status"] == "DELIVERED";
        let done = ask("workflow-tick", wet.clone()).await;
        assert_eq!(house.intent(&id).await["status"], "TIMED_OUT");
        assert_eq!(
            ask("reconcile-safety", wet.clone()).await,
            (0, json!(false))
        );
        if done.0 == 1 {
            assert!(is_open, "counting has done it");
            assert_eq!(counted.map(|(count, _)| count), [1, 0, 1]);
            assert_eq!(done.1, json!(false));
            house
                .post("/internal/scheduler/other-tick", key, json!({}))
                .await
                .refused(404, "not_found");
            return;
        }
    }
    panic!("the broker was always first");
}
