//! Sending intents and reading them.

use serde_json::{Value, json};

use crate::house::house;

fn order(to: &str, number: u32) -> Value {
    json!({
        "intent_type": "intent.order.process.v1", "to_agent": to,
        "payload": { "order": number },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_intent_is_available_at_its_receiver_inside_the_call() {
    let house = house().await;
    let web = house.key("web", "sender").await;
    let made = house
        .post("/v1/intents", &web, order("orders", 1))
        .await
        .ok();
    assert_eq!(made["status"], "DELIVERED");
    assert_eq!(made["created_at"], "2026-04-11T10:00:00.000Z");
    assert!(made.get("warnings").is_none());
    let id = made["intent_id"].as_str().unwrap();
    assert_eq!(
        house.event_types(id).await,
        ["intent.created", "intent.submitted", "intent.delivered"]
    );
    let body = house.get(&format!("/v1/intents/{id}"), &web).await.ok();
    let intent = &body["intent"];
    assert_eq!(intent["from_agent"], "agent://local/default/web");
    assert_eq!(intent["to_agent"], "agent://local/default/orders");
    assert_eq!(intent["lifecycle_status"], "DELIVERED");
    assert_eq!(intent["legacy_status"], "running");
    assert_eq!(intent["origin_id"], json!(id));
    assert_eq!(intent["delivery"]["state"], "ready");
    assert_eq!(
        intent["pending_with"],
        json!({ "type": "agent", "ref": "agent://local/default/orders", "name": "orders" })
    );
    // Many receivers read at the top level.
    for key in [
        "intent_id",
        "intent_type",
        "status",
        "lifecycle_status",
        "payload",
        "from_agent",
        "to_agent",
    ] {
        assert_eq!(body[key], intent[key], "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_keeps_its_text_whatever_is_in_it() {
    let house = house().await;
    let text =
        "{\"z\":1.50,\"a\":\"\u{2028}\u{85}\u{1f600} \\\" \",\"big\":12345678901234567890123}";
    let body = format!("{{\"intent_type\":\"a.b.v1\",\"to_agent\":\"orders\",\"payload\":{text}}}");
    let request = house
        .request("POST", "/v1/intents", &house.admin)
        .body(body);
    let made = house.send(request).await.ok();
    let id = made["intent_id"].as_str().unwrap();
    let reply = house.get(&format!("/v1/intents/{id}"), &house.admin).await;
    assert!(reply.text.contains(text), "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_may_send_in_another_name() {
    let house = house().await;
    let web = house.key("web", "sender").await;
    let mut body = order("orders", 1);
    body["from_agent"] = json!("boss");
    for (key, from) in [
        (&web, "agent://local/default/web"),
        (&house.admin, "agent://local/default/boss"),
    ] {
        let made = house.post("/v1/intents", key, body.clone()).await.ok();
        let intent = house.intent(made["intent_id"].as_str().unwrap()).await;
        assert_eq!(intent["from_agent"], from);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_gets_the_first_answer_and_another_body_a_conflict() {
    let house = house().await;
    let web = house.key("web", "sender").await;
    let key = [("Idempotency-Key", "k-1")];
    let mut body = order("orders", 1);
    body["correlation_id"] = json!("0d3e0000-0000-4000-8000-000000000001");
    let first = house
        .post_with("/v1/intents", &web, &key, body.clone())
        .await
        .ok();
    // An honest retry draws a new correlation id; the intent has moved on meanwhile.
    let claimed = house.poll(&house.admin, "orders").await;
    assert_eq!(claimed.len(), 1);
    body["correlation_id"] = json!("0d3e0000-0000-4000-8000-000000000002");
    body["from_agent"] = json!("not honoured");
    let second = house
        .post_with("/v1/intents", &web, &key, body.clone())
        .await
        .ok();
    assert_eq!(first, second);
    let other = house
        .post_with("/v1/intents", &web, &key, order("orders", 2))
        .await
        .refused(409, "idempotency_conflict");
    assert_eq!(other["message"], "key reused with different payload");
    // Another account's key is another key.
    let shop = house.key("shop", "sender").await;
    let third = house
        .post_with("/v1/intents", &shop, &key, order("orders", 2))
        .await
        .ok();
    assert_ne!(first["intent_id"], third["intent_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_twins_at_once_make_one_intent() {
    let house = house().await;
    let key = [("Idempotency-Key", "twins")];
    let calls =
        (0..20).map(|_| house.post_with("/v1/intents", &house.admin, &key, order("orders", 1)));
    let replies = futures_util::future::join_all(calls).await;
    let first = replies[0].ok();
    for reply in &replies {
        assert_eq!(reply.ok(), first);
    }
    let list = house.get("/v1/intents", &house.admin).await.ok();
    assert_eq!(list["intents"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_that_is_none_of_ones_business_does_not_exist() {
    let house = house().await;
    let web = house.key("web", "sender").await;
    let stranger = house.key("stranger", "agent").await;
    let id = house.submit(&web, "orders", json!({})).await;
    for path in [
        format!("/v1/intents/{id}"),
        format!("/v1/intents/{id}/events"),
        format!("/v1/intents/{id}/events/stream"),
    ] {
        house
            .get(&path, &stranger)
            .await
            .refused(404, "intent_not_found");
    }
    for call in ["resume", "resolve", "cancel"] {
        let path = format!("/v1/intents/{id}/{call}");
        let body = json!({ "status": "COMPLETED" });
        house
            .post(&path, &stranger, body)
            .await
            .refused(404, "intent_not_found");
    }
    let list = house.get("/v1/intents", &stranger).await.ok();
    assert_eq!(list["intents"], json!([]));
    for unknown in ["x", "018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d"] {
        house
            .get(&format!("/v1/intents/{unknown}"), &house.admin)
            .await
            .refused(404, "intent_not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_intents_go_from_new_to_old_without_gap_or_double() {
    let house = house().await;
    let mut sent = Vec::new();
    for number in 0..7 {
        sent.push(
            house
                .submit(&house.admin, "orders", json!({ "n": number }))
                .await,
        );
    }
    sent.reverse();
    let mut seen = Vec::new();
    let mut path = "/v1/intents?limit=3".to_owned();
    loop {
        let page = house.get(&path, &house.admin).await.ok();
        for item in page["intents"].as_array().unwrap() {
            assert!(item.get("payload").is_none());
            seen.push(item["intent_id"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/intents?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, sent);
    let with = house
        .get("/v1/intents?include=payload&limit=1", &house.admin)
        .await
        .ok();
    assert_eq!(with["intents"][0]["payload"], json!({ "n": 6 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_is_what_an_agent_has_to_do() {
    let house = house().await;
    let orders = house.key("orders", "agent").await;
    let open = house.submit(&house.admin, "orders", json!({})).await;
    let done = house.submit(&house.admin, "orders", json!({})).await;
    house.submit(&house.admin, "billing", json!({})).await;
    house.submit(&orders, "billing", json!({})).await;
    house
        .post(
            &format!("/v1/intents/{done}/resume"),
            &orders,
            json!({ "action": "done" }),
        )
        .await
        .ok();
    let list = house.get("/v1/intents?status=pending", &orders).await.ok();
    let ids: Vec<_> = list["intents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|intent| intent["intent_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [open.as_str()]);
    let found = house
        .get(
            &format!("/v1/intents?q={}", open.split_at(13).0),
            &house.admin,
        )
        .await
        .ok();
    assert!(!found["intents"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_create_gets_its_answer_also_after_its_deadline() {
    let house = house().await;
    let key = [("Idempotency-Key", "k-1")];
    let mut body = order("orders", 1);
    body["deadline_at"] = json!("2026-04-11T10:00:05Z");
    let path = "/v1/intents";
    let first = house
        .post_with(path, &house.admin, &key, body.clone())
        .await
        .ok();
    house.pass(6).await;
    let again = house
        .post_with(path, &house.admin, &key, body.clone())
        .await
        .ok();
    assert_eq!(again, first);
    house
        .post(path, &house.admin, body)
        .await
        .refused(422, "invalid_deadline");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_takes_what_passes_and_says_why_the_rest_does_not() {
    let house = house().await;
    let mut keyed = order("orders", 3);
    keyed["idempotency_key"] = json!("k-3");
    let batch = json!({ "intents": [
        order("orders", 1), { "intent_type": "a.b.v1", "to_agent": "o", "payload": [] }, keyed, 7,
    ]});
    let key = [("Idempotency-Key", "batch-1")];
    let path = "/v1/intents/batch";
    let body = house
        .post_with(path, &house.admin, &key, batch.clone())
        .await
        .ok();
    assert_eq!(
        (&body["accepted"], &body["refused"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(body["results"][0]["intent_status"], "DELIVERED");
    assert_eq!(body["results"][1]["status"], json!(422));
    assert_eq!(body["results"][1]["error"]["details"]["index"], json!(1));
    let seven = &body["results"][3]["error"]["message"];
    assert_eq!(seven, "body must be a JSON object");
    // What nobody takes is found wherever it stands, before any item is looked at.
    let text = r#"{"intents":[{"intent_type":"a.b.v1","to_agent":"o","payload":{"a":1e400}}]}"#;
    let request = house.request("POST", path, &house.admin).body(text);
    house.send(request).await.refused(400, "malformed_json");
    let again = house.post_with(path, &house.admin, &key, batch).await.ok();
    assert_eq!(again["results"], body["results"]);
    // A key inside a batch is the same key as on the plain route, for the same intent.
    let key = [("Idempotency-Key", "k-3")];
    let plain = async |number| {
        let body = order("orders", number);
        house
            .post_with("/v1/intents", &house.admin, &key, body)
            .await
    };
    let same = plain(3).await.ok();
    assert_eq!(same["intent_id"], body["results"][2]["intent_id"]);
    plain(4).await.refused(409, "idempotency_conflict");
    house
        .post(path, &house.admin, json!({ "intents": [] }))
        .await
        .refused(422, "schema_invalid");
    let list = house.get("/v1/intents", &house.admin).await.ok();
    assert_eq!(list["intents"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn resolve_ends_an_intent_with_its_event_and_its_completion() {
    let house = house().await;
    let web = house.key("web", "sender").await;
    let mut body = order("orders", 1);
    body["reply_to"] = json!("web");
    let made = house.post("/v1/intents", &web, body).await.ok();
    let id = made["intent_id"].as_str().unwrap();
    let path = format!("/v1/intents/{id}/resolve");
    let key = [("Idempotency-Key", "r-1")];
    let resolve = json!({ "status": "COMPLETED", "result": { "done": 1 } });
    let body = house
        .post_with(&path, &web, &key, resolve.clone())
        .await
        .ok();
    assert_eq!(body["intent"]["status"], "COMPLETED");
    assert_eq!(body["event"]["event_type"], "intent.completed");
    assert_eq!(body["event"]["seq"], json!(4));
    assert_eq!(body["event"]["result"], json!({ "done": 1 }));
    assert_eq!(body["event"]["pending_with"], Value::Null);
    let delivery = &body["completion_delivery"];
    assert_eq!(delivery["delivered"], json!(true));
    assert_eq!(delivery["thread_id"], json!(id));
    assert_eq!(delivery["completion"]["type"], "intent.completion");
    let inbox = house.get("/v1/inbox?owner_agent=web", &web).await.ok();
    assert_eq!(inbox["threads"][0]["thread_id"], json!(id));
    assert_eq!(inbox["threads"][0]["kind"], "completion");
    assert_eq!(
        house.post_with(&path, &web, &key, resolve).await.ok(),
        body,
        "a repeat gets the first answer"
    );
    let refusal = house
        .post(&path, &web, json!({ "status": "CANCELLED" }))
        .await
        .refused(409, "intent_terminal");
    assert_eq!(refusal["details"]["status"], "COMPLETED");
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_is_its_sender_s_and_an_admin_s() {
    let house = house().await;
    let web = house.key("web", "sender").await;
    let orders = house.key("orders", "agent").await;
    let id = house.submit(&web, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/cancel");
    house
        .post(&path, &orders, json!({}))
        .await
        .refused(403, "forbidden");
    let body = house
        .post(&path, &web, json!({ "reason": "changed my mind" }))
        .await
        .ok();
    assert_eq!(body["intent"]["status"], "CANCELED");
    assert_eq!(body["event"]["details"]["reason"], "changed my mind");
    assert_eq!(body["completion_delivery"]["reason"], "reply_to_not_set");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_cancel_first_says_what_it_would_do() {
    let house = house().await;
    let old = house.submit(&house.admin, "orders", json!({})).await;
    house.pass(3600).await;
    house.submit(&house.admin, "orders", json!({})).await;
    let path = "/v1/intents/bulk-cancel";
    let body = json!({ "older_than_hours": 0.5 });
    let dry = house.post(path, &house.admin, body.clone()).await.ok();
    assert_eq!(dry["would_cancel"], json!(1));
    assert_eq!(dry["intent_ids"], json!([old]));
    assert_eq!(house.intent(&old).await["status"], "DELIVERED");
    let body = json!({ "older_than_hours": 0.5, "dry_run": false });
    let real = house.post(path, &house.admin, body).await.ok();
    assert_eq!(real["canceled"], json!(1));
    assert_eq!(house.intent(&old).await["status"], "CANCELED");
}
