//! Receiving intents: streams, polls and the calls on what one holds.

use postroom::api::Settings;
use serde_json::json;

use crate::house::{house, house_with};

const STREAM: &str = "/v1/agents/orders/intents/stream";

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_gets_what_waited_and_what_comes() {
    let house = house().await;
    let orders = house.key("orders", "agent").await;
    let first = house
        .submit(&house.admin, "orders", json!({ "n": 1 }))
        .await;
    let path = format!("{STREAM}?since=0&wait_seconds=30");
    let mut stream = house.stream(&path, &orders).await;
    let row = stream.event().await;
    let data = row.json();
    assert_eq!(row.event, "intent.delivered");
    assert_eq!(row.id, data["seq"].to_string());
    assert_eq!(data["intent_id"], json!(first));
    assert_eq!(data["status"], "DELIVERED");
    assert_eq!(data["payload"], json!({ "n": 1 }));
    assert_eq!(data["delivery_attempt"], json!(1));
    let second = house
        .submit(&house.admin, "orders", json!({ "n": 2 }))
        .await;
    let next = stream.event().await.json();
    assert_eq!(next["intent_id"], json!(second));
    assert_eq!(
        next["seq"].as_u64(),
        data["seq"].as_u64().map(|seq| seq + 2)
    );
    let intent = house.intent(&first).await;
    assert_eq!(intent["delivery"]["state"], "leased");
    assert_eq!(intent["delivery"]["attempt_id"], data["attempt_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_an_address_in_a_path_is_the_same_mailbox() {
    let house = house().await;
    for form in [
        "orders",
        "local/default/orders",
        "agent://local/default/orders",
        "agent%3A%2F%2Flocal%2Fdefault%2Forders",
        "ORDERS",
    ] {
        let id = house.submit(&house.admin, "orders", json!({})).await;
        let rows = house.poll(&house.admin, form).await;
        assert_eq!(rows.len(), 1, "{form}");
        assert_eq!(rows[0]["intent_id"], json!(id), "{form}");
        let path = format!("/v1/agents/{form}/intents/{id}/ack");
        house.post(&path, &house.admin, json!({})).await.ok();
    }
    house
        .get("/v1/agents/a/b/c/d/intents", &house.admin)
        .await
        .refused(422, "invalid_agent_address");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_gives_its_rows_back_at_once() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("{STREAM}?since=0&wait_seconds=30");
    let mut broken = house.stream(&path, &house.admin).await;
    let first = broken.event().await.json();
    drop(broken);
    house.pass(2).await;
    let mut stream = house.stream(&path, &house.admin).await;
    let again = stream.event().await.json();
    assert_eq!(again["intent_id"], json!(id));
    assert_eq!(again["delivery_attempt"], json!(2));
    assert!(again["seq"].as_u64() > first["seq"].as_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_ends_well_keeps_its_leases() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("{STREAM}?since=0&wait_seconds=1");
    let frames = house.stream(&path, &house.admin).await.rest().await;
    assert_eq!(frames.len(), 2);
    let seq = frames[0].json()["seq"].clone();
    assert_eq!(frames[1].json(), json!({ "ok": true, "next_seq": seq }));
    let path = format!("{STREAM}?since={seq}&wait_seconds=1");
    let frames = house.stream(&path, &house.admin).await.rest().await;
    assert_eq!(frames.len(), 1, "the row is leased: {frames:?}");
    assert_eq!(house.intent(&id).await["delivery"]["state"], "leased");
    house
        .post(
            &format!("/v1/intents/{id}/resume"),
            &house.admin,
            json!({ "ok": 1 }),
        )
        .await
        .ok();
    assert_eq!(house.intent(&id).await["status"], "COMPLETED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_in_go_that_reads_to_the_end_first_gets_an_early_end() {
    let house = house_with(Settings {
        keepalive: std::time::Duration::from_millis(300),
        ..Settings::default()
    })
    .await;
    let orders = house.key("orders", "agent").await;
    let listen = async |since: u64, name: Option<&str>| {
        let path = format!("{STREAM}?since={since}&wait_seconds=60");
        let request = house
            .request("GET", &path, &orders)
            .header("user-agent", "Go-http-client/1.1")
            .header("accept", "text/event-stream");
        let request = match name {
            Some(name) => request.header("x-axme-client", name),
            None => request,
        };
        house.stream_of(request).await
    };
    let first = house.submit(&house.admin, "orders", json!({})).await;
    let frames = listen(0, None).await.rest().await;
    assert_eq!(frames.len(), 2, "{frames:?}");
    let seq = frames[0].json()["seq"].as_u64().unwrap();
    assert_eq!(frames[0].json()["intent_id"], json!(first));
    assert_eq!(frames[1].json(), json!({ "ok": true, "next_seq": seq }));
    assert_eq!(house.intent(&first).await["delivery"]["state"], "leased");
    // Whoever reads rows as they come says so by a name of its own.
    let mut stream = listen(seq, Some("orders/1.0")).await;
    let second = house.submit(&house.admin, "orders", json!({})).await;
    assert_eq!(stream.event().await.json()["intent_id"], json!(second));
    let later = stream.next().await.map(|frame| frame.raw);
    assert_eq!(later.as_deref(), Some(": keepalive"), "its window is open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_starts_again_alone_gets_at_once_what_it_had() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("{STREAM}?since=0&wait_seconds=1");
    let frames = house.stream(&path, &house.admin).await.rest().await;
    assert_eq!(frames[0].json()["delivery_attempt"], json!(1));
    let path = format!("{STREAM}?since=0&wait_seconds=60");
    let mut again = house.stream(&path, &house.admin).await;
    house.has_listeners(1).await;
    house.pass(2).await;
    let row = again.event().await.json();
    assert_eq!(row["intent_id"], json!(id));
    assert_eq!(row["delivery_attempt"], json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_that_share_an_address_leave_the_work_of_the_others_to_them() {
    let house = house().await;
    let path = format!("{STREAM}?since=0&wait_seconds=3");
    let mut first = house.stream(&path, &house.admin).await;
    house.has_listeners(1).await;
    let window = format!("{STREAM}?since=0&wait_seconds=1");
    let frames = house.stream(&window, &house.admin).await.rest().await;
    assert_eq!(frames.len(), 1, "{frames:?}");
    let id = house.submit(&house.admin, "orders", json!({})).await;
    assert_eq!(first.event().await.json()["delivery_attempt"], json!(1));
    first.rest().await;
    // The one works, others ask from zero again and again: as often as there are attempts.
    for _ in 0..3 {
        let mut idle = house.stream(&window, &house.admin).await;
        house.has_listeners(1).await;
        house.pass(10).await;
        let frames = idle.rest().await;
        assert_eq!(frames.len(), 1, "the row is leased: {frames:?}");
    }
    assert_eq!(house.intent(&id).await["delivery"]["state"], "leased");
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_bounds_what_a_connection_has_unfinished() {
    let house = house().await;
    for number in 0..3 {
        house
            .submit(&house.admin, "orders", json!({ "n": number }))
            .await;
    }
    let path = format!("{STREAM}?since=0&wait_seconds=30&max_in_flight=2");
    let mut stream = house.stream(&path, &house.admin).await;
    let first = stream.event().await.json();
    stream.event().await;
    let id = first["intent_id"].as_str().unwrap();
    house
        .post(
            &format!("/v1/intents/{id}/resume"),
            &house.admin,
            json!({ "ok": 1 }),
        )
        .await
        .ok();
    assert_eq!(stream.event().await.json()["payload"], json!({ "n": 2 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_too_large_for_a_line_is_left_out_of_it() {
    let house = house().await;
    let id = house
        .submit(
            &house.admin,
            "orders",
            json!({ "text": "x".repeat(100_000) }),
        )
        .await;
    let path = format!("{STREAM}?since=0&wait_seconds=1");
    let mut stream = house.stream(&path, &house.admin).await;
    let row = stream.event().await;
    assert!(row.raw.len() < 60 * 1024);
    assert_eq!(row.json()["payload_truncated"], json!(true));
    let intent = house.intent(&id).await;
    assert_eq!(intent["payload"]["text"].as_str().unwrap().len(), 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn characters_that_break_lines_are_escaped_on_the_stream() {
    let house = house().await;
    let text = "a\u{2028}b\u{2029}c\u{85}d\u{1f600}";
    house
        .submit(&house.admin, "orders", json!({ "text": text }))
        .await;
    let path = format!("{STREAM}?since=0&wait_seconds=1");
    let row = house.stream(&path, &house.admin).await.event().await;
    assert!(
        row.raw.contains("a\\u2028b\\u2029c\\u0085d\u{1f600}"),
        "{}",
        row.raw
    );
    assert_eq!(row.json()["payload"]["text"], json!(text));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_s_stream_is_idle_and_an_http_agent_s_takes_no_rows() {
    let house = house().await;
    let frames = house
        .stream(
            "/v1/agents/nobody/intents/stream?wait_seconds=1",
            &house.admin,
        )
        .await
        .rest()
        .await;
    assert_eq!(frames.len(), 1);
    let hook = json!({ "delivery_mode": "http", "callback_url": "http://127.0.0.1:9/intent" });
    house.account("pushed", hook).await;
    house.submit(&house.admin, "pushed", json!({})).await;
    let path = "/v1/agents/pushed/intents/stream?since=0&wait_seconds=1";
    let frames = house.stream(path, &house.admin).await.rest().await;
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert_eq!(house.poll(&house.admin, "pushed").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_ends_its_stream_and_gives_its_rows_back() {
    let house = house().await;
    let account = house.account("orders", json!({})).await;
    let keys = format!("/v1/service-accounts/{account}/keys");
    let made = house.post(&keys, &house.admin, json!({})).await.ok();
    let key = made["api_key"].as_str().unwrap();
    house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("{STREAM}?since=0&wait_seconds=60");
    let mut stream = house.stream(&path, key).await;
    stream.event().await;
    let id = made["key"]["key_id"].as_str().unwrap();
    house
        .post(&format!("{keys}/{id}/revoke"), &house.admin, json!({}))
        .await
        .ok();
    let frames = stream.rest().await;
    assert_eq!(frames.last().unwrap().event, "stream.timeout");
    house.pass(2).await;
    assert_eq!(house.poll(&house.admin, "orders").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_claims_up_to_its_limit_and_hides_what_it_claimed() {
    let house = house().await;
    for number in 0..3 {
        house
            .submit(&house.admin, "orders", json!({ "n": number }))
            .await;
    }
    let body = house
        .get("/v1/agents/orders/intents?limit=2", &house.admin)
        .await
        .ok();
    let rows = body["intents"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["payload"], json!({ "n": 0 }));
    assert_eq!(rows[0]["deadline_at"], json!(null));
    assert_eq!(rows[0]["lease_expires_at"], "2026-04-11T10:05:00.000Z");
    assert_eq!(body["cursor"], rows[1]["seq"]);
    assert_eq!(body["next_cursor"], json!(rows[1]["seq"].to_string()));
    assert_eq!(body["has_more"], json!(true));
    assert_eq!(house.poll(&house.admin, "orders").await.len(), 1);
    assert_eq!(house.poll(&house.admin, "orders").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_returns_with_the_first_row() {
    let house = house().await;
    let path = "/v1/agents/orders/intents?wait_seconds=30";
    let waiting = house.get(path, &house.admin);
    let sending = async {
        house.has_listeners(1).await;
        house
            .submit(&house.admin, "orders", json!({ "n": 1 }))
            .await
    };
    let (reply, id) = tokio::join!(waiting, sending);
    assert_eq!(reply.ok()["intents"][0]["intent_id"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_gets_all_that_came_together() {
    let house = house().await;
    let path = "/v1/agents/orders/intents?wait_seconds=30&limit=100";
    for _ in 0..5 {
        let waiting = house.get(path, &house.admin);
        let order = json!({ "intent_type": "a.b.v1", "to_agent": "orders" });
        let batch = json!({ "intents": vec![order; 40] });
        let sending = async {
            house.has_listeners(1).await;
            house
                .post("/v1/intents/batch", &house.admin, batch)
                .await
                .ok()
        };
        let (reply, _) = tokio::join!(waiting, sending);
        assert_eq!(reply.ok()["intents"].as_array().unwrap().len(), 40);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ack_nack_and_extend_change_the_lease_and_know_the_fence() {
    let house = house().await;
    let orders = house.key("orders", "agent").await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let base = format!("/v1/agents/orders/intents/{id}");
    house
        .post(&format!("{base}/ack"), &orders, json!({}))
        .await
        .refused(409, "lease_not_held");
    let rows = house.poll(&orders, "orders").await;
    let attempt = rows[0]["attempt_id"].clone();
    house
        .post(
            &format!("{base}/ack"),
            &orders,
            json!({ "attempt_id": "att_999" }),
        )
        .await
        .refused(409, "attempt_stale");
    house.pass(60).await;
    let acked = house
        .post(
            &format!("{base}/ack"),
            &orders,
            json!({ "attempt_id": attempt }),
        )
        .await
        .ok();
    assert_eq!(acked["lease_expires_at"], "2026-04-11T10:06:00.000Z");
    assert_eq!(house.intent(&id).await["status"], "ACKNOWLEDGED");
    let extended = house
        .post(
            &format!("{base}/extend"),
            &orders,
            json!({ "seconds": 3600 }),
        )
        .await
        .ok();
    assert_eq!(extended["lease_expires_at"], "2026-04-11T11:01:00.000Z");
    let nacked = house
        .post(
            &format!("{base}/nack"),
            &orders,
            json!({ "delay_seconds": 5, "reason": "later" }),
        )
        .await
        .ok();
    assert_eq!(nacked["attempt_id"], attempt);
    assert_eq!(nacked["next_attempt_at"], "2026-04-11T10:01:05.000Z");
    house
        .post(
            &format!("{base}/nack"),
            &orders,
            json!({ "delay_seconds": 100_000 }),
        )
        .await
        .refused(422, "schema_invalid");
    let stranger = house.submit(&house.admin, "billing", json!({})).await;
    house
        .post(
            &format!("/v1/agents/orders/intents/{stranger}/ack"),
            &orders,
            json!({}),
        )
        .await
        .refused(404, "intent_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_results_go_in_one_call() {
    let house = house().await;
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(
            house
                .submit(&house.admin, "orders", json!({ "n": number }))
                .await,
        );
    }
    house.poll(&house.admin, "orders").await;
    let body = json!({ "results": [
        { "intent_id": ids[0], "action": "complete", "result": { "a": 1 } },
        { "intent_id": ids[1], "action": "fail", "reason": "no stock" },
        { "intent_id": ids[2], "action": "nack", "delay_seconds": 5 },
        { "intent_id": ids[3], "action": "dance" },
        { "intent_id": ids[0], "action": "complete" },
    ]});
    let path = "/v1/agents/orders/intents/results";
    let answer = house.post(path, &house.admin, body).await.ok();
    assert_eq!(
        (&answer["applied"], &answer["refused"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(answer["results"][3]["status"], json!(422));
    assert_eq!(answer["results"][4]["error"]["code"], "intent_terminal");
    assert_eq!(house.intent(&ids[0]).await["result"], json!({ "a": 1 }));
    let failed = house.intent(&ids[1]).await;
    assert_eq!(failed["error"]["message"], "no stock");
    assert_eq!(
        house.intent(&ids[2]).await["delivery"]["state"],
        "backing_off"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_agent_s_intents_wait_and_are_shown_as_parked() {
    let house = house().await;
    house.account("orders", json!({})).await;
    let path = "/v1/agents/orders/pause";
    let paused = house
        .post(path, &house.admin, json!({ "reason": "audit" }))
        .await
        .ok();
    assert_eq!(paused["agent"]["paused"], json!(true));
    let id = house.submit(&house.admin, "orders", json!({})).await;
    assert_eq!(house.poll(&house.admin, "orders").await.len(), 0);
    let delivery = house.intent(&id).await["delivery"].clone();
    assert_eq!(delivery["state"], "parked");
    assert_eq!(delivery["parked_reason"], "agent_paused");
    let agent = house.get("/v1/agents/orders", &house.admin).await.ok();
    assert_eq!(agent["agent"]["parked"], json!(1));
    house
        .post("/v1/agents/orders/resume", &house.admin, json!({}))
        .await
        .ok();
    assert_eq!(house.poll(&house.admin, "orders").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_broker_takes_registered_addresses_only() {
    let settings = Settings {
        is_strict: true,
        ..Settings::default()
    };
    let house = house_with(settings).await;
    let body = json!({ "intent_type": "a.b.v1", "to_agent": "nobody" });
    let refusal = house
        .post("/v1/intents", &house.admin, body)
        .await
        .refused(404, "agent_not_found");
    assert_eq!(
        refusal["details"]["to_agent"],
        "agent://local/default/nobody"
    );
}
