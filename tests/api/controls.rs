//! What governs an intent can be changed while it is open: deadline, budget, waits, and who else may act.

use serde_json::{Value, json};

use crate::house::{House, Reply, house};

async fn change(house: &House, key: &str, id: &str, what: &str, body: Value) -> Reply {
    house
        .post(&format!("/v1/intents/{id}/{what}"), key, body)
        .await
}

async fn envelope(house: &House, id: &str, patch: Value) -> Value {
    let body = json!({ "envelope_patch": patch });
    let answer = change(house, &house.admin, id, "policy", body).await.ok();
    assert_eq!(answer["applied"], true, "{answer}");
    answer["intent"].clone()
}

/// Gives the open attempt back, for a retry by the schedule.
async fn nack(house: &House, id: &str) -> Value {
    let path = format!("/v1/agents/orders/intents/{id}/nack");
    house.post(&path, &house.admin, json!({})).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_deadline_counts_from_now_from_the_birth_or_is_an_instant() {
    let house = house().await;
    let key = &house.admin;
    let ways = [
        (
            "controls",
            json!({ "controls_patch": { "timeout_seconds": 30 } }),
            "2026-04-11T10:00:40.000Z",
        ),
        (
            "policy",
            json!({ "envelope_patch": { "ttl_seconds": 30 } }),
            "2026-04-11T10:00:30.000Z",
        ),
        (
            "policy",
            json!({ "envelope_patch": { "expires_at": "2026-04-11T12:00:20+02:00" } }),
            "2026-04-11T10:00:20.000Z",
        ),
    ];
    let mut made = Vec::new();
    for _ in &ways {
        made.push(house.submit(key, "orders", json!({})).await);
    }
    house.pass(10).await;
    for (id, (what, body, deadline)) in made.iter().zip(&ways) {
        let answer = change(&house, key, id, what, body.clone()).await.ok();
        assert_eq!(answer["policy_generation"], 1);
        assert_eq!(answer["intent"]["deadline_at"], json!(deadline), "{body}");
    }
    // They end in the order of their new deadlines, and not before.
    for (seconds, open) in [(9, 3), (1, 2), (10, 1), (9, 1), (1, 0)] {
        house.pass(seconds).await;
        let list = house.get("/v1/intents?status=pending", key).await.ok();
        let left = list["intents"].as_array().unwrap().len();
        assert_eq!(left, open, "after {seconds} s more: {list}");
    }
    let intent = house.intent(&made[0]).await;
    assert_eq!(intent["status"], "TIMED_OUT");
    assert_eq!(intent["error"]["code"], "intent_timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_has_passed_and_two_at_once_are_refused() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    house.pass(100).await;
    for (patch, code) in [
        (json!({ "ttl_seconds": 100 }), "invalid_deadline"),
        (
            json!({ "expires_at": "2026-04-11T10:01:40Z" }),
            "invalid_deadline",
        ),
        (
            json!({ "ttl_seconds": 200, "expires_at": "2027-01-01T00:00:00Z" }),
            "schema_invalid",
        ),
        (json!({ "ttl_seconds": "soon" }), "schema_invalid"),
        (json!({ "max_retry_count": -1 }), "schema_invalid"),
        (json!({ "execution_timeout_seconds": 0 }), "schema_invalid"),
    ] {
        let body = json!({ "envelope_patch": patch });
        change(&house, &house.admin, &id, "policy", body)
            .await
            .refused(422, code);
    }
    for (what, body) in [
        ("controls", json!({})),
        ("controls", json!({ "controls_patch": [] })),
        ("policy", json!({ "reason": "none" })),
        (
            "policy",
            json!({ "grants_patch": { "delegate:ops": { "allow": "resume" } } }),
        ),
    ] {
        change(&house, &house.admin, &id, what, body)
            .await
            .refused(422, "schema_invalid");
    }
    let body = json!({ "grants_patch": { "delegate:a b": { "allow": ["resume"] } } });
    change(&house, &house.admin, &id, "policy", body)
        .await
        .refused(422, "invalid_agent_address");
    let intent = house.intent(&id).await;
    assert_eq!(intent["policy_generation"], 0);
    assert_eq!(intent.get("deadline_at"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_raised_and_lowered_but_not_below_what_is_used() {
    let house = house().await;
    let key = &house.admin;
    let id = house.submit(key, "orders", json!({})).await;
    assert_eq!(
        envelope(&house, &id, json!({ "max_retry_count": 4 })).await["max_delivery_attempts"],
        5
    );
    for attempt in 1..=4 {
        assert_eq!(house.poll(key, "orders").await.len(), 1, "try {attempt}");
        nack(&house, &id).await;
        house.pass(300).await;
    }
    // The fifth is under way, and stays: none follows it.
    assert_eq!(house.poll(key, "orders").await.len(), 1);
    let lowered = envelope(&house, &id, json!({ "max_retry_count": 0 })).await;
    assert_eq!(lowered["max_delivery_attempts"], 5);
    assert_eq!(lowered["status"], "DELIVERED");
    nack(&house, &id).await;
    let intent = house.intent(&id).await;
    assert_eq!(intent["status"], "FAILED");
    assert_eq!(intent["dead_letter"]["reason"], "attempts");

    // Between two tries, a budget that is used up is the end.
    let id = house.submit(key, "orders", json!({})).await;
    house.poll(key, "orders").await;
    nack(&house, &id).await;
    let ended = envelope(&house, &id, json!({ "max_retry_count": 0 })).await;
    assert_eq!(ended["status"], "FAILED");
    assert_eq!(ended["dead_letter"]["reason"], "attempts");
    let types = house.event_types(&id).await;
    let last: Vec<&str> = types.iter().rev().take(2).map(String::as_str).collect();
    assert_eq!(last, ["intent.failed", "intent.delivery_failed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_delay_takes_the_place_of_the_schedule_until_it_is_taken_away() {
    let house = house().await;
    let key = &house.admin;
    let id = house.submit(key, "orders", json!({})).await;
    envelope(
        &house,
        &id,
        json!({ "retry_backoff_seconds": 77, "max_retry_count": 9 }),
    )
    .await;
    house.poll(key, "orders").await;
    let back = nack(&house, &id).await;
    assert_eq!(back["next_attempt_at"], "2026-04-11T10:01:17.000Z");
    house.pass(77).await;
    envelope(&house, &id, json!({ "retry_backoff_seconds": null })).await;
    house.poll(key, "orders").await;
    // The second failure, by the schedule: one second, doubled.
    let back = nack(&house, &id).await;
    assert_eq!(back["next_attempt_at"], "2026-04-11T10:01:19.000Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_timeout_is_how_long_an_attempt_is_held() {
    let house = house().await;
    let key = &house.admin;
    let id = house.submit(key, "orders", json!({})).await;
    envelope(&house, &id, json!({ "execution_timeout_seconds": 42 })).await;
    let row = &house.poll(key, "orders").await[0];
    assert_eq!(row["lease_expires_at"], "2026-04-11T10:00:42.000Z");
    house.pass(10).await;
    let path = format!("/v1/intents/{id}/resume");
    let body = json!({ "action": "progress" });
    house.post(&path, key, body).await.ok();
    let delivery = &house.intent(&id).await["delivery"];
    assert_eq!(delivery["lease_expires_at"], "2026-04-11T10:00:52.000Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_made_on_an_older_generation_is_not_applied() {
    let house = house().await;
    let key = &house.admin;
    let id = house.submit(key, "orders", json!({})).await;
    let at = |generation: u32, seconds: u32| {
        json!({ "controls_patch": { "timeout_seconds": seconds },
            "expected_policy_generation": generation })
    };
    let first = change(&house, key, &id, "controls", at(0, 60)).await.ok();
    assert_eq!(
        (&first["applied"], &first["policy_generation"]),
        (&json!(true), &json!(1))
    );
    let late = change(&house, key, &id, "controls", at(0, 5)).await.ok();
    assert_eq!(
        late,
        json!({ "ok": true, "applied": false, "reason": "stale_policy_generation",
            "policy_generation": 1 })
    );
    let path = format!("/v1/intents/{id}/resume");
    let body = json!({ "done": 1, "expected_policy_generation": 0 });
    let resumed = house.post(&path, key, body).await.ok();
    assert_eq!(resumed["reason"], "stale_policy_generation");
    let intent = house.intent(&id).await;
    assert_eq!(intent["deadline_at"], "2026-04-11T10:01:00.000Z");
    let second = change(&house, key, &id, "controls", at(1, 5)).await.ok();
    assert_eq!(second["policy_generation"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_effect_is_kept_shown_and_bounded() {
    let house = house().await;
    let key = &house.admin;
    let id = house.submit(key, "orders", json!({})).await;
    let body = json!({ "controls_patch": { "colour": "red", "shape": { "x": 1 } } });
    change(&house, key, &id, "controls", body).await.ok();
    let body = json!({ "controls_patch": { "colour": null, "timeout_seconds": 60 } });
    change(&house, key, &id, "controls", body).await.ok();
    envelope(&house, &id, json!({ "note": [1, 2] })).await;
    let intent = house.intent(&id).await;
    assert_eq!(
        intent["controls"],
        json!({ "shape": { "x": 1 }, "timeout_seconds": 60 })
    );
    assert_eq!(
        intent["policy"],
        json!({ "grants": {}, "envelope": { "note": [1, 2] } })
    );
    let body = json!({ "controls_patch": { "large": "x".repeat(17_000) } });
    let error = change(&house, key, &id, "controls", body)
        .await
        .refused(413, "payload_too_large");
    assert_eq!(error["details"]["limit"], 16_384);
    let path = format!("/v1/events?types=intent.controls_changed&intent_id={id}");
    let feed = house.get(&path, key).await.ok();
    let changes = feed["events"].as_array().unwrap();
    assert_eq!(changes.len(), 3, "{feed}");
    assert_eq!(changes[1]["data"]["policy_generation"], 2);
    assert_eq!(
        changes[1]["data"]["deadline_at"],
        "2026-04-11T10:01:00.000Z"
    );
    let types = house.event_types(&id).await;
    assert_eq!(types.len(), 3, "no public event: {types:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_not_changed_any_more() {
    let house = house().await;
    let key = &house.admin;
    let id = house.submit(key, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/resume");
    house.post(&path, key, json!({ "done": 1 })).await.ok();
    let body = json!({ "controls_patch": { "timeout_seconds": 60 } });
    change(&house, key, &id, "controls", body)
        .await
        .refused(409, "intent_terminal");
    let body = json!({ "envelope_patch": { "max_retry_count": 6 } });
    change(&house, key, &id, "policy", body)
        .await
        .refused(409, "intent_terminal");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_granted_something_may_do_that_and_nothing_else() {
    let house = house().await;
    let (web, ops) = (
        house.key("web", "sender").await,
        house.key("ops", "agent").await,
    );
    let id = house.submit(&web, "orders", json!({})).await;
    let timeout = || json!({ "controls_patch": { "timeout_seconds": 60 } });
    let grant = |allow: Value| json!({ "grants_patch": { "delegate:agent://ops": allow } });
    // A stranger does not know that it exists.
    change(&house, &ops, &id, "controls", timeout())
        .await
        .refused(404, "intent_not_found");
    let allow = grant(json!({ "allow": ["update_controls"] }));
    change(&house, &web, &id, "policy", allow).await.ok();
    let path = format!("/v1/intents/{id}");
    house.get(&path, &ops).await.ok();
    change(&house, &ops, &id, "controls", timeout()).await.ok();
    let more = grant(json!({ "allow": ["update_controls", "update_policy"] }));
    change(&house, &ops, &id, "policy", more.clone())
        .await
        .refused(403, "forbidden");
    let resume = format!("/v1/intents/{id}/resume");
    house
        .post(&resume, &ops, json!({ "done": 1 }))
        .await
        .refused(403, "forbidden");
    // Taken away, it is as if it had never been.
    change(&house, &web, &id, "policy", grant(Value::Null))
        .await
        .ok();
    house
        .get(&path, &ops)
        .await
        .refused(404, "intent_not_found");
    let allow = grant(json!({ "allow": ["resume", "update_policy"] }));
    change(&house, &web, &id, "policy", allow).await.ok();
    change(&house, &ops, &id, "policy", more).await.ok();
    let allow = grant(json!({ "allow": ["resume"] }));
    change(&house, &web, &id, "policy", allow).await.ok();
    house
        .post(&format!("{path}/cancel"), &ops, json!({}))
        .await
        .refused(403, "forbidden");
    let done = house.post(&resume, &ops, json!({ "done": 1 })).await.ok();
    assert_eq!(done["intent"]["status"], "COMPLETED");
    assert_eq!(done["policy_generation"], 6);
    let path = "/v1/audit/events?action_prefix=intent.policy";
    let audit = house.get(path, &house.admin).await.ok();
    let entries = audit["events"].as_array().unwrap();
    let actors: Vec<&str> = entries
        .iter()
        .map(|entry| entry["actor"].as_str().unwrap())
        .collect();
    assert_eq!(entries.len(), 5, "{actors:?}");
    assert_eq!(actors[1], "agent://local/default/ops");
    assert_eq!(
        entries[1]["details"]["after"]["policy_generation"], 5,
        "{audit}"
    );
}
