//! What every request and every response has in common: keys, ids, shapes, limits.

use std::time::Duration;

use postroom::api::Settings;
use postroom::domain::time::Span;
use serde_json::json;

use crate::house::{house, house_with};

#[tokio::test(flavor = "multi_thread")]
async fn health_needs_no_key_and_every_response_carries_its_headers() {
    let house = house().await;
    for path in ["/health", "/v1/health"] {
        let reply = house.get(path, "").await;
        let body = reply.ok();
        assert_eq!(body["service"], "postroom");
        assert_eq!(body["storage"], "memory");
        assert!(reply.header("x-request-id").starts_with("req_"));
        assert!(!reply.header("x-trace-id").is_empty());
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(reply.header("server").starts_with("Postroom/"));
    }
    let ready = house.get("/ready", "").await.ok();
    assert_eq!(ready["ready"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_a_request_are_taken_over_where_they_are_fit() {
    let house = house().await;
    let request = house
        .request("GET", "/health", "")
        .header("x-request-id", "mine-1")
        .header("x-trace-id", "trace-1");
    let reply = house.send(request).await;
    assert_eq!(reply.header("x-request-id"), "mine-1");
    assert_eq!(reply.header("x-trace-id"), "trace-1");
    let request = house
        .request("GET", "/health", "")
        .header("x-trace-id", "x".repeat(129));
    assert!(house.send(request).await.header("x-trace-id").len() < 129);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_taken_from_either_header_and_x_api_key_decides() {
    let house = house().await;
    let me = "/v1/me";
    let missing = house
        .get(me, "")
        .await
        .refused(401, "missing_platform_api_key");
    assert_eq!(missing["details"]["header"], "x-api-key");
    for bad in ["wrong", "axme_sa_sa_1_x"] {
        house
            .get(me, bad)
            .await
            .refused(401, "invalid_platform_api_key");
    }
    let bearer = |token: &str| {
        house
            .request("GET", me, "")
            .header("authorization", format!("Bearer {token}"))
    };
    let body = house.send(bearer(&house.admin)).await.ok();
    assert_eq!(body["role"], "admin");
    assert_eq!(body["address"], "agent://local/default/operator");
    house
        .send(bearer(&house.admin).header("x-api-key", "wrong"))
        .await
        .refused(401, "invalid_platform_api_key");
    house
        .send(bearer("someone's user token").header("x-api-key", &house.admin))
        .await
        .ok();
    let empty = house.request("GET", me, "").header("x-api-key", "");
    house
        .send(empty)
        .await
        .refused(401, "invalid_platform_api_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_and_revoked_keys_and_suspended_accounts_are_told_apart() {
    let house = house().await;
    let account = house.account("web", json!({})).await;
    let path = format!("/v1/service-accounts/{account}/keys");
    let body = json!({ "role": "sender", "expires_at": "2026-04-11T10:00:10Z" });
    let made = house.post(&path, &house.admin, body).await.ok();
    let key = made["api_key"].as_str().unwrap().to_owned();
    house.get("/v1/me", &key).await.ok();
    house.pass(10).await;
    house
        .get("/v1/me", &key)
        .await
        .refused(401, "token_expired");

    let made = house.post(&path, &house.admin, json!({})).await.ok();
    let key = made["key"]["token"].as_str().unwrap().to_owned();
    let request = house
        .request(
            "PATCH",
            &format!("/v1/service-accounts/{account}"),
            &house.admin,
        )
        .body(json!({ "status": "suspended" }).to_string());
    house.send(request).await.ok();
    house.get("/v1/me", &key).await.refused(403, "forbidden");
    let id = made["key"]["key_id"].as_str().unwrap();
    let revoked = house
        .post(&format!("{path}/{id}/revoke"), &house.admin, json!({}))
        .await
        .ok();
    assert_eq!(revoked["key"]["status"], "revoked");
    house
        .get("/v1/me", &key)
        .await
        .refused(401, "invalid_platform_api_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_open_what_they_should_and_nothing_else() {
    let house = house().await;
    let sender = house.key("web", "sender").await;
    let agent = house.key("orders", "agent").await;
    for path in [
        "/v1/overview",
        "/v1/dead-letters",
        "/v1/attempts",
        "/v1/events",
        "/v1/holds",
        "/v1/service-accounts",
        "/v1/audit/events",
        "/metrics",
    ] {
        for key in [&sender, &agent] {
            house.get(path, key).await.refused(403, "forbidden");
        }
        assert_eq!(house.get(path, &house.admin).await.status, 200, "{path}");
    }
    for path in [
        "/v1/capabilities",
        "/v1/agents",
        "/v1/agents/orders",
        "/v1/inbox",
    ] {
        for key in [&sender, &agent, &house.admin] {
            house.get(path, key).await.ok();
        }
    }
    house
        .get("/v1/agents/orders/intents", &sender)
        .await
        .refused(403, "forbidden");
    house
        .get("/v1/agents/billing/intents", &agent)
        .await
        .refused(403, "forbidden");
    house
        .get("/v1/agents/billing/intents/stream", &agent)
        .await
        .refused(403, "forbidden");
    house.get("/v1/agents/orders/intents", &agent).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_routes_other_methods_and_what_is_not_here_have_their_shapes() {
    let house = house().await;
    house.get("/v1/nothing", "").await.refused(404, "not_found");
    let wrong = house.post("/v1/intents/x", &house.admin, json!({})).await;
    wrong.refused(405, "method_not_allowed");
    assert_eq!(wrong.header("allow"), "GET,HEAD");
    assert_eq!(wrong.json()["detail"], wrong.json()["error"]["message"]);
    let wrong = house
        .post("/v1/agents/orders/intents", &house.admin, json!({}))
        .await;
    wrong.refused(405, "method_not_allowed");
    assert_eq!(wrong.header("allow"), "GET,HEAD");

    house
        .get("/v1/invites/abc", "")
        .await
        .refused(401, "missing_platform_api_key");
    let refusal = house
        .get("/v1/invites/abc", &house.admin)
        .await
        .refused(501, "not_supported");
    assert_eq!(refusal["message"], "invites is not part of Postroom");
    house
        .post("/v1/workspaces", &house.admin, json!({}))
        .await
        .refused(501, "not_supported");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_are_answered_in_the_same_shape() {
    let house = house().await;
    for path in ["/v1/intents/%ff", "/v1/agents/%ff", "/v1/inbox/%c3%28"] {
        house
            .get(path, &house.admin)
            .await
            .refused(404, "not_found");
    }
    house.get("/v1/intents?q=%ff", &house.admin).await.ok();
    let key = reqwest::header::HeaderValue::from_bytes(b"\xff\xfe").unwrap();
    let request = house.request("GET", "/v1/me", "").header("x-api-key", key);
    house
        .send(request)
        .await
        .refused(401, "invalid_platform_api_key");
    let request = house
        .request("POST", "/v1/intents", &house.admin)
        .body(b"{\"a\":\"\xff\"}".to_vec());
    house.send(request).await.refused(400, "malformed_json");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_bodies_are_told_apart_and_an_empty_one_is_an_empty_object() {
    let house = house().await;
    let send = |body: &str| {
        house
            .request("POST", "/v1/intents", &house.admin)
            .body(body.to_owned())
    };
    house
        .send(send("{\"a\":"))
        .await
        .refused(400, "malformed_json");
    let list = house.send(send("[]")).await;
    list.refused(422, "schema_invalid");
    let empty = house.send(send("")).await;
    empty.refused(422, "schema_invalid");
    assert_eq!(
        empty.json()["detail"],
        json!([
            { "loc": ["body", "intent_type"], "msg": "field required", "type": "missing" },
            { "loc": ["body", "to_agent"], "msg": "field required", "type": "missing" },
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_answered_with_its_limit() {
    let house = house().await;
    let payload = json!({ "text": "x".repeat(131_072) });
    let body = json!({ "intent_type": "a.b.v1", "to_agent": "o", "payload": payload });
    let refusal = house
        .post("/v1/intents", &house.admin, body)
        .await
        .refused(413, "payload_too_large");
    assert_eq!(refusal["details"]["limit"], json!(131_072));
    let huge = "x".repeat(1024 * 1024 + 1);
    let request = house
        .request("POST", "/v1/intents", &house.admin)
        .body(format!("{{\"a\":\"{huge}\"}}"));
    let refusal = house.send(request).await.refused(413, "payload_too_large");
    assert_eq!(refusal["details"]["limit"], json!(1_048_576));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_whose_behalf_must_be_said_once_and_be_allowed() {
    let house = house().await;
    let sender = house.key("web", "sender").await;
    house
        .get("/v1/inbox?owner_agent=finance", &sender)
        .await
        .refused(403, "forbidden");
    house
        .get("/v1/inbox?owner_agent=agent://local/default/web", &sender)
        .await
        .ok();
    let both = house
        .request("GET", "/v1/inbox?owner_agent=web", &house.admin)
        .header("x-owner-agent", "finance");
    house.send(both).await.refused(400, "owner_mismatch");
    let same = house
        .request("GET", "/v1/inbox?owner_agent=web", &house.admin)
        .header("x-owner-agent", "agent://local/default/web");
    house.send(same).await.ok();
    house
        .get("/v1/inbox?owner_agent=*", &house.admin)
        .await
        .ok();
    house
        .get("/v1/inbox?owner_agent=*", &sender)
        .await
        .refused(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_pages_are_refused_by_name() {
    let house = house().await;
    let get = async |path: &str| house.get(path, &house.admin).await;
    get("/v1/intents?limit=0")
        .await
        .refused(422, "schema_invalid");
    get("/v1/intents?limit=501")
        .await
        .refused(422, "schema_invalid");
    get("/v1/intents?cursor=zzz")
        .await
        .refused(400, "bad_cursor");
    get("/v1/intents?status=SOMETHING")
        .await
        .refused(422, "schema_invalid");
    get("/v1/intents?unknown=1&org_id=x").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_door_ends_open_streams_cleanly_and_promptly() {
    let house = house_with(Settings::default()).await;
    let path = "/v1/agents/orders/intents/stream?wait_seconds=60";
    let mut stream = house.stream(path, &house.admin).await;
    let closing = house.close();
    let reading = stream.rest();
    let ((), frames) = tokio::join!(closing, reading);
    let last = frames.last().unwrap();
    assert_eq!(last.event, "stream.timeout");
    assert_eq!(last.json(), json!({ "ok": true, "next_seq": 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let settings = Settings {
        requests_per_minute: 2,
        ..Settings::default()
    };
    let house = house_with(settings).await;
    for _ in 0..2 {
        house.get("/v1/me", &house.admin).await.ok();
    }
    let reply = house.get("/v1/me", &house.admin).await;
    reply.refused(429, "rate_limit_exceeded");
    assert_eq!(reply.json()["error"]["retryable"], json!(true));
    for (name, value) in [
        ("retry-after", "60"),
        ("x-ratelimit-limit", "2"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "60"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    house.pass(60).await;
    house.get("/v1/me", &house.admin).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_too_many_waits_for_rows_until_another_of_its_key_closes() {
    let settings = Settings {
        streams_per_key_max: 1,
        ..Settings::default()
    };
    let house = house_with(settings).await;
    let path = "/v1/agents/orders/intents/stream?since=0";
    let mut first = house
        .stream(&format!("{path}&wait_seconds=60"), &house.admin)
        .await;
    // Nobody else is at this address, and still it gets nothing.
    let crowded = "/v1/agents/bills/intents/stream?since=0";
    let mut short = house
        .stream(&format!("{crowded}&wait_seconds=1"), &house.admin)
        .await;
    house.submit(&house.admin, "bills", json!({})).await;
    let frames = short.rest().await;
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].event, "stream.timeout");
    let mut next = house
        .stream(&format!("{crowded}&wait_seconds=60"), &house.admin)
        .await;
    house.submit(&house.admin, "orders", json!({})).await;
    assert_eq!(first.event().await.event, "intent.delivered");
    drop(first);
    assert_eq!(next.event().await.event, "intent.delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_events_too_many_are_told_too_a_little_later() {
    let settings = Settings {
        streams_per_key_max: 1,
        crowded_look: Duration::from_millis(10),
        ..Settings::default()
    };
    let house = house_with(settings).await;
    // The one place stays taken.
    let other = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/intents/{other}/events/stream?wait_seconds=60");
    let _other = house.stream(&path, &house.admin).await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let intent = format!("/v1/intents/{id}/events/stream?since=3&wait_seconds=60");
    let feed = format!("/v1/events/stream?intent_id={id}&types=intent.completed&wait_seconds=60");
    let mut streams = Vec::new();
    for path in [&intent, &intent, &intent, &feed] {
        streams.push(house.stream(path, &house.admin).await);
    }
    let end = format!("/v1/intents/{id}/resume");
    house.post(&end, &house.admin, json!({ "a": 1 })).await.ok();
    for stream in &mut streams {
        let frame = stream.event().await;
        assert_eq!(frame.event, "intent.completed", "{}", frame.raw);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_allowed_are_closed_and_the_others_go_on() {
    let settings = Settings {
        connections_max: 1,
        ..Settings::default()
    };
    let house = house_with(settings).await;
    let path = "/v1/agents/orders/intents/stream?since=0&wait_seconds=30";
    let mut stream = house.stream(path, &house.admin).await;
    // The stream has the only place, so this one needs a second connection.
    let refused = house.request("GET", "/health", "").send().await;
    assert!(refused.is_err());
    house.broker.tick().await.unwrap();
    house.close().await;
    assert_eq!(stream.rest().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_requests_by_the_template_of_their_route() {
    let house = house().await;
    house.submit(&house.admin, "orders", json!({})).await;
    house.get("/v1/intents/x", &house.admin).await;
    let text = house.get("/metrics", &house.admin).await.text;
    for line in [
        "postroom_http_requests_total{route=\"/v1/intents/{id}\",status=\"404\"} 1\n",
        "postroom_intents{status=\"DELIVERED\"} 1\n",
        "postroom_intents_accepted_total 1\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_has_stopped_says_so_to_whoever_still_comes() {
    let house = house().await;
    house.broker.stop().await;
    let body = json!({ "intent_type": "intent.order.process.v1", "to_agent": "orders" });
    let late = house.post("/v1/intents", &house.admin, body).await;
    let error = late.refused(503, "shutting_down");
    assert_eq!(error["retryable"], json!(true));
    assert!(!late.header("retry-after").is_empty());
    house
        .get("/v1/intents", &house.admin)
        .await
        .refused(503, "shutting_down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_takes_in_without_going_on_is_not_ready() {
    let house = house().await;
    let body = json!({ "intent_type": "intent.order.process.v1", "to_agent": "orders",
        "ttl_seconds": 60 });
    // It looks at the time by itself every second, and may be first; not each time.
    for _ in 0..50 {
        house
            .post("/v1/intents", &house.admin, body.clone())
            .await
            .ok();
        house.clock.advance(Span::from_seconds(3600));
        let ready = house.get("/ready", "").await;
        if ready.status == 200 {
            continue;
        }
        let error = ready.refused(503, "not_ready");
        assert_eq!(error["details"]["reason"], "accepting without applying");
        assert!(error["details"]["oldest_due_ms"].as_u64().unwrap() >= 3_540_000);
        assert!(!ready.header("retry-after").is_empty());
        // A caller hears of a commit before the vitals do; when it hears of the next, they have heard of this one.
        for _ in 0..2 {
            house.broker.tick().await.unwrap();
        }
        house.get("/ready", "").await.ok();
        return;
    }
    panic!("always ready");
}
