//! What could not be delivered, and what can be done about it.

use serde_json::{Value, json};

use crate::house::{House, house};

/// An intent whose receiver answers that it failed.
async fn failed(house: &House, to: &str, reason: &str) -> String {
    let id = house.submit(&house.admin, to, json!({ "order": 1 })).await;
    let body = json!({ "action": "fail", "reason": reason });
    house
        .post(&format!("/v1/intents/{id}/resume"), &house.admin, body)
        .await
        .ok();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_given_back_too_often_is_a_dead_letter_with_its_attempts() {
    let house = house().await;
    let id = house
        .submit(&house.admin, "orders", json!({ "order": 1 }))
        .await;
    let mut last = Value::Null;
    for _ in 0..3 {
        house.poll(&house.admin, "orders").await;
        let path = format!("/v1/agents/orders/intents/{id}/nack");
        last = house
            .post(&path, &house.admin, json!({ "reason": "busy 7" }))
            .await
            .ok();
        house.pass(60).await;
    }
    assert_eq!(last["dead_letter"], json!(true));
    let intent = house.intent(&id).await;
    assert_eq!(intent["status"], "FAILED");
    assert_eq!(intent["error"]["code"], "delivery_failed");
    assert_eq!(intent["dead_letter"]["reason"], "attempts");
    let whole = house
        .get(&format!("/v1/dead-letters/{id}"), &house.admin)
        .await
        .ok();
    assert_eq!(whole["dead_letter"]["error_class"], "nack");
    assert_eq!(whole["intent"]["payload"], json!({ "order": 1 }));
    let numbers: Vec<_> = whole["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    let tail = house.event_types(&id).await;
    assert_eq!(
        tail[tail.len() - 2..],
        ["intent.delivery_failed", "intent.failed"]
    );
    let overview = house.get("/v1/overview", &house.admin).await.ok();
    assert_eq!(overview["dead_letters"]["open"], json!(1));
    let attempts = house
        .get(
            "/v1/attempts?outcome=failed&error_class=nack&limit=2",
            &house.admin,
        )
        .await
        .ok();
    assert_eq!(attempts["attempts"].as_array().unwrap().len(), 2);
    assert!(attempts["next_cursor"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_listed_filtered_and_grouped_by_what_went_wrong() {
    let house = house().await;
    let first = failed(&house, "orders", "no stock 17").await;
    let second = failed(&house, "orders", "no stock 23").await;
    let third = failed(&house, "billing", "card refused").await;
    let list = house
        .get("/v1/dead-letters?limit=2", &house.admin)
        .await
        .ok();
    assert_eq!(list["total"], json!(3));
    assert_eq!(list["dead_letters"][0]["intent_id"], json!(third));
    let cursor = list["next_cursor"].as_str().unwrap();
    let rest = house
        .get(
            &format!("/v1/dead-letters?limit=2&cursor={cursor}"),
            &house.admin,
        )
        .await
        .ok();
    assert_eq!(rest["dead_letters"][0]["intent_id"], json!(first));
    assert_eq!(rest["next_cursor"], json!(null));
    let of_orders = house
        .get("/v1/dead-letters?agent=orders", &house.admin)
        .await
        .ok();
    assert_eq!(of_orders["dead_letters"].as_array().unwrap().len(), 2);
    let groups = house
        .get("/v1/dead-letters?group_by=fingerprint", &house.admin)
        .await
        .ok();
    assert_eq!(groups["groups"].as_array().unwrap().len(), 2);
    assert_eq!(groups["groups"][0]["count"], json!(2));
    assert_eq!(groups["groups"][0]["intent_ids"], json!([second, first]));
    house
        .get("/v1/dead-letters?reason=bad_luck", &house.admin)
        .await
        .refused(422, "schema_invalid");
    let alive = house.submit(&house.admin, "orders", json!({})).await;
    house
        .get(&format!("/v1/dead-letters/{alive}"), &house.admin)
        .await
        .refused(404, "dead_letter_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_a_new_intent_that_names_the_old_one() {
    let house = house().await;
    let old = failed(&house, "orders", "no stock").await;
    let path = format!("/v1/dead-letters/{old}/replay");
    let key = [("Idempotency-Key", "again-1")];
    let body = json!({ "reason": "receiver fixed" });
    let answer = house
        .post_with(&path, &house.admin, &key, body.clone())
        .await
        .ok();
    let new = answer["intent"]["intent_id"].as_str().unwrap();
    assert_ne!(new, old);
    assert_eq!(answer["intent"]["status"], "DELIVERED");
    assert_eq!(answer["intent"]["replay_of"], json!(old));
    assert_eq!(answer["intent"]["origin_id"], json!(old));
    assert_eq!(answer["dead_letter"]["state"], "replayed");
    assert_eq!(answer["dead_letter"]["replayed_as"], json!(new));
    assert_eq!(house.intent(new).await["payload"], json!({ "order": 1 }));
    let again = house.post_with(&path, &house.admin, &key, body).await.ok();
    assert_eq!(again["intent"]["intent_id"], json!(new));
    let refusal = house
        .post(&path, &house.admin, json!({}))
        .await
        .refused(409, "already_replayed");
    assert_eq!(refusal["details"]["replayed_as"], json!(new));
    let forced = house
        .post(&path, &house.admin, json!({ "force": true }))
        .await
        .ok();
    assert_ne!(forced["intent"]["intent_id"], json!(new));
    let open = house.get("/v1/dead-letters", &house.admin).await.ok();
    assert_eq!(open["dead_letters"], json!([]));
    let replayed = house
        .get("/v1/dead-letters?state=replayed", &house.admin)
        .await
        .ok();
    assert_eq!(replayed["dead_letters"][0]["intent_id"], json!(old));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_may_change_payload_and_receiver() {
    let house = house().await;
    let old = failed(&house, "orders", "no stock").await;
    let body = json!({ "payload": { "order": 2 }, "to_agent": "billing" });
    let answer = house
        .post(
            &format!("/v1/dead-letters/{old}/replay"),
            &house.admin,
            body,
        )
        .await
        .ok();
    let new = house
        .intent(answer["intent"]["intent_id"].as_str().unwrap())
        .await;
    assert_eq!(new["payload"], json!({ "order": 2 }));
    assert_eq!(new["to_agent"], "agent://local/default/billing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_replay_can_be_undone() {
    let house = house().await;
    let old = failed(&house, "orders", "no stock").await;
    let path = format!("/v1/dead-letters/{old}/replay");
    let held = house
        .post(&path, &house.admin, json!({ "hold_seconds": 5 }))
        .await
        .ok();
    assert_eq!(held["dead_letter"]["state"], "open");
    assert_eq!(held["held"]["action"], "replay");
    let hold = held["held"]["hold_id"].as_str().unwrap();
    house
        .post(&format!("/v1/holds/{hold}/cancel"), &house.admin, json!({}))
        .await
        .ok();
    house.pass(6).await;
    assert_eq!(house.intent(&old).await["dead_letter"]["state"], "open");
    // Taken back before is another answer than never placed.
    for (hold, status, code) in [
        (hold, 409, "hold_elapsed"),
        ("hld_7777", 404, "hold_not_found"),
        ("hld_0", 404, "hold_not_found"),
        ("nonsense", 404, "hold_not_found"),
    ] {
        house
            .post(&format!("/v1/holds/{hold}/cancel"), &house.admin, json!({}))
            .await
            .refused(status, code);
    }
    house
        .post(&path, &house.admin, json!({ "hold_seconds": 5 }))
        .await
        .ok();
    house.pass(6).await;
    assert_eq!(house.intent(&old).await["dead_letter"]["state"], "replayed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discard_needs_a_reason_and_closes_the_letter() {
    let house = house().await;
    let id = failed(&house, "orders", "no stock").await;
    let path = format!("/v1/dead-letters/{id}/discard");
    house
        .post(&path, &house.admin, json!({}))
        .await
        .refused(422, "schema_invalid");
    let answer = house
        .post(&path, &house.admin, json!({ "reason": "a test" }))
        .await
        .ok();
    assert_eq!(answer["dead_letter"]["state"], "discarded");
    assert_eq!(answer["dead_letter"]["discard_reason"], "a test");
    house
        .post(
            &format!("/v1/dead-letters/{id}/replay"),
            &house.admin,
            json!({}),
        )
        .await
        .refused(409, "dead_letter_closed");
    let audit = house
        .get("/v1/audit/events?action_prefix=dead_letter", &house.admin)
        .await
        .ok();
    let entries = audit["events"].as_array().unwrap();
    assert_eq!(entries[0]["action"], "dead_letter.replay");
    assert_eq!(entries[0]["result"], "dead_letter_closed");
    assert_eq!(entries[1]["action"], "dead_letter.discard");
    assert_eq!(entries[1]["reason"], "a test");
    assert_eq!(entries[1]["via"], "api");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_can_be_hastened() {
    let house = house().await;
    house.account("orders", json!({})).await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/retry-now");
    house.poll(&house.admin, "orders").await;
    house
        .post(&path, &house.admin, json!({}))
        .await
        .refused(409, "attempt_in_progress");
    let nack = format!("/v1/agents/orders/intents/{id}/nack");
    house
        .post(&nack, &house.admin, json!({ "delay_seconds": 3600 }))
        .await
        .ok();
    house
        .post("/v1/agents/orders/pause", &house.admin, json!({}))
        .await
        .ok();
    house
        .post(&path, &house.admin, json!({}))
        .await
        .refused(409, "agent_paused");
    house
        .post("/v1/agents/orders/resume", &house.admin, json!({}))
        .await
        .ok();
    let answer = house.post(&path, &house.admin, json!({})).await.ok();
    assert_eq!(answer["intent"]["delivery"]["state"], "ready");
    let rows = house.poll(&house.admin, "orders").await;
    assert_eq!(rows[0]["delivery_attempt"], json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_say_how_far_intents_got_and_dead_ones_are_delivered_anew() {
    let house = house().await;
    let fresh = house
        .submit(&house.admin, "orders", json!({ "n": 1 }))
        .await;
    let shown = house
        .get(&format!("/v1/deliveries/{fresh}"), &house.admin)
        .await
        .ok();
    let delivery = &shown["delivery"];
    assert_eq!(delivery["delivery_id"], json!(format!("dlv_{fresh}")));
    assert_eq!(delivery["status"], "submitted");
    assert_eq!(delivery["transport_type"], "queue");
    assert_eq!(delivery["route_id"], "queue:local/default/orders");
    assert_eq!(delivery["payload"], json!({ "n": 1 }));
    let replay = format!("/v1/deliveries/dlv_{fresh}/replay");
    house
        .post(&replay, &house.admin, json!({}))
        .await
        .refused(409, "not_replayable");

    // Nobody takes it in time: given up by delivery.
    let late = house
        .post(
            "/v1/intents",
            &house.admin,
            json!({
                "intent_type": "intent.late.v1", "to_agent": "ledger", "payload": {},
                "deadline_at": "2026-04-11T10:00:05Z",
            }),
        )
        .await
        .ok();
    let late = late["intent_id"].as_str().unwrap().to_owned();
    house.pass(6).await;
    let dead = house
        .get("/v1/deliveries?status=dead_lettered", &house.admin)
        .await
        .ok();
    assert_eq!(dead["deliveries"].as_array().unwrap().len(), 1, "{dead}");
    assert_eq!(dead["deliveries"][0]["intent_id"], json!(late));
    let path = format!("/v1/deliveries/dlv_{late}/replay");
    let anew = house.post(&path, &house.admin, json!({})).await.ok();
    let named = &anew["delivery"]["replay_of_delivery_id"];
    assert_eq!(named, &json!(format!("dlv_{late}")));
    assert_eq!(anew["delivery"]["status"], "submitted");
    house
        .post(&path, &house.admin, json!({}))
        .await
        .refused(409, "already_replayed");

    // What the receiver refused was delivered.
    let refused = failed(&house, "stock", "no stock").await;
    let shown = house
        .get(&format!("/v1/deliveries/{refused}"), &house.admin)
        .await
        .ok();
    assert_eq!(shown["delivery"]["status"], "delivered");
    for path in [
        "/v1/deliveries/dlv_nonsense",
        "/v1/deliveries/dlv_018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d",
    ] {
        house
            .get(path, &house.admin)
            .await
            .refused(404, "delivery_not_found");
    }
    house
        .get("/v1/deliveries?status=lost", &house.admin)
        .await
        .refused(422, "schema_invalid");
    let mut seen = 0;
    let mut path = "/v1/deliveries?limit=1".to_owned();
    loop {
        let page = house.get(&path, &house.admin).await.ok();
        seen += page["deliveries"].as_array().unwrap().len();
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/v1/deliveries?limit=1&cursor={next}");
    }
    assert_eq!(seen, 4);
}
