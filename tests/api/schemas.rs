//! Registered schemas: registering, what is held against them, and which changes are let through.

use serde_json::{Value, json};

use crate::house::{House, house};

const TYPE: &str = "intent.order.process.v1";

async fn register(house: &House, mode: &str, schema: Value) -> Value {
    let body = json!({ "semantic_type": TYPE, "schema_json": schema, "compatibility_mode": mode });
    house.post("/v1/schemas", &house.admin, body).await.ok()["schema"].clone()
}

fn needs(names: &[&str]) -> Value {
    json!({ "type": "object", "required": names, "properties": { "n": { "type": "integer" } } })
}

fn order(payload: &Value) -> Value {
    json!({ "intent_type": TYPE, "to_agent": "orders", "payload": payload })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_read_back_and_the_same_again_changes_nothing() {
    let house = house().await;
    let made = register(&house, "strict", needs(&["n"])).await;
    assert_eq!(made["active"], json!(true));
    assert_eq!(made["scope"], json!("tenant"));
    assert_eq!(made["schema_hash"].as_str().unwrap().len(), 64);
    house.pass(60).await;
    assert_eq!(register(&house, "strict", needs(&["n"])).await, made);
    let path = format!("/v1/schemas/{TYPE}");
    let mut read = house.get(&path, &house.admin).await.ok()["schema"].clone();
    assert_eq!(read["schema_json"], needs(&["n"]));
    read.as_object_mut().unwrap().remove("schema_json");
    assert_eq!(read, made);
    house
        .get("/v1/schemas/intent.none.v1", &house.admin)
        .await
        .refused(404, "schema_not_found");
    let events = house
        .get("/v1/events?types=schema.*", &house.admin)
        .await
        .ok();
    assert_eq!(events["events"].as_array().unwrap().len(), 1, "{events}");
    let audit = house
        .get("/v1/audit/events?action_prefix=schema", &house.admin)
        .await
        .ok();
    assert_eq!(
        audit["events"][0]["details"]["schema"]["semantic_type"],
        json!(TYPE)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_schema_is_refused() {
    let house = house().await;
    for schema in [
        json!({ "type": "objekt" }),
        json!({ "$ref": "http://127.0.0.1:1/x.json" }),
        json!([]),
    ] {
        let body =
            json!({ "semantic_type": TYPE, "schema_json": schema, "compatibility_mode": "warn" });
        let reply = house.post("/v1/schemas", &house.admin, body).await;
        reply.refused(422, "schema_invalid");
    }
    let task = json!({ "form_schema": { "type": "objekt" } });
    let mut body = order(&json!({}));
    body["human_task"] = task;
    let reply = house.post("/v1/intents", &house.admin, body).await;
    reply.refused(422, "schema_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_does_not_fit_is_refused_with_pointers_wherever_it_comes_in() {
    let house = house().await;
    register(&house, "strict", needs(&["n"])).await;
    let reply = house
        .post("/v1/intents", &house.admin, order(&json!({ "n": "x" })))
        .await;
    let error = reply.refused(422, "payload_schema_mismatch");
    assert_eq!(error["details"]["errors"][0]["pointer"], json!("/n"));

    let batch = json!({ "intents": [order(&json!({ "n": 1 })), order(&json!({}))] });
    let made = house
        .post("/v1/intents/batch", &house.admin, batch)
        .await
        .ok();
    assert_eq!(
        (&made["accepted"], &made["refused"]),
        (&json!(1), &json!(1))
    );
    let refused = &made["results"][1]["error"];
    assert_eq!(refused["code"], json!("payload_schema_mismatch"));
    assert_eq!(refused["details"]["errors"][0]["pointer"], json!("/n"));

    let scenario = json!({
        "agents": [{ "address": "fresh", "create_if_missing": true }],
        "intent": { "type": TYPE, "payload": {} },
    });
    let checked = house
        .post("/v1/scenarios/validate", &house.admin, scenario.clone())
        .await
        .ok();
    assert_eq!(checked["valid"], json!(false), "{checked}");
    let reply = house
        .post("/v1/scenarios/apply", &house.admin, scenario)
        .await;
    reply.refused(422, "payload_schema_mismatch");
    house
        .get("/v1/agents/fresh", &house.admin)
        .await
        .refused(404, "agent_not_found");

    let id = made["results"][0]["intent_id"].as_str().unwrap();
    let path = format!("/v1/intents/{id}/resume");
    house
        .post(&path, &house.admin, json!({ "action": "fail" }))
        .await
        .ok();
    let path = format!("/v1/dead-letters/{id}/replay");
    let reply = house
        .post(&path, &house.admin, json!({ "payload": { "n": "x" } }))
        .await;
    reply.refused(422, "payload_schema_mismatch");
    house
        .post(&path, &house.admin, json!({ "payload": { "n": 2 } }))
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_warns_lets_through_and_an_inactive_one_says_nothing() {
    let house = house().await;
    register(&house, "warn", needs(&["n"])).await;
    let made = house
        .post("/v1/intents", &house.admin, order(&json!({})))
        .await
        .ok();
    let warning = made["warnings"][0].as_str().unwrap();
    assert!(warning.contains("/n: is required"), "{warning}");
    let body = json!({
        "semantic_type": TYPE, "schema_json": needs(&["n"]), "compatibility_mode": "strict", "active": false,
    });
    house.post("/v1/schemas", &house.admin, body).await.ok();
    let made = house
        .post("/v1/intents", &house.admin, order(&json!({})))
        .await
        .ok();
    assert!(made.get("warnings").is_none(), "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_counts_from_its_answer_on_and_a_repeat_is_answered_as_before() {
    let house = house().await;
    let keyed = [("idempotency-key", "k1")];
    let first = house
        .post_with("/v1/intents", &house.admin, &keyed, order(&json!({})))
        .await
        .ok();
    for round in 0..20 {
        let names: &[&str] = if round % 2 == 0 { &["n"] } else { &[] };
        register(&house, "strict", needs(names)).await;
        let reply = house
            .post("/v1/intents", &house.admin, order(&json!({})))
            .await;
        assert_eq!(
            reply.status,
            if round % 2 == 0 { 422 } else { 200 },
            "round {round}"
        );
    }
    register(&house, "strict", needs(&["n"])).await;
    let again = house
        .post_with("/v1/intents", &house.admin, &keyed, order(&json!({})))
        .await
        .ok();
    assert_eq!(again["intent_id"], first["intent_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backward_compatible_schema_may_not_require_more() {
    let house = house().await;
    register(&house, "backward", needs(&["n"])).await;
    let body = json!({
        "semantic_type": TYPE, "schema_json": needs(&["n", "m"]), "compatibility_mode": "backward",
    });
    let reply = house.post("/v1/schemas", &house.admin, body).await;
    reply.refused(409, "schema_incompatible");
    register(&house, "backward", needs(&[])).await;
    // Whoever says that it is compatible no more may.
    register(&house, "strict", needs(&["n", "m"])).await;
}
