//! The transcript of the contract, section 27, request by request as it is written there.

use serde_json::{Value, json};

use crate::house::{House, house};

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}

/// The events of an intent: number, type, status.
async fn events(house: &House, id: &str) -> Vec<(u64, String, String)> {
    let answer = house
        .get(&format!("/v1/intents/{id}/events"), &house.admin)
        .await
        .ok();
    let events = answer["events"].as_array().unwrap().clone();
    let told = events.iter().map(|event| {
        let seq = event["seq"].as_u64().unwrap();
        (seq, text(&event["event_type"]), text(&event["status"]))
    });
    told.collect()
}

fn told(seq: u64, kind: &str, status: &str) -> (u64, String, String) {
    (seq, format!("intent.{kind}"), status.to_owned())
}

/// The organisation and the workspace that the command line has in its context.
const PLACE: &str = "org_id=O&workspace_id=W";

#[tokio::test(flavor = "multi_thread")]
async fn a_scenario_is_applied_by_the_command_line_and_worked_by_its_agent() {
    let house = house().await;
    let listed = house
        .get(&format!("/v1/service-accounts?{PLACE}"), &house.admin)
        .await
        .ok();
    let mut accounts = listed["service_accounts"].as_array().unwrap().iter();
    assert!(
        accounts.all(|account| account["name"] != "orders"),
        "{listed}"
    );
    let body =
        json!({ "name": "orders", "display_name": "Orders", "org_id": "O", "workspace_id": "W" });
    let made = house
        .post("/v1/service-accounts", &house.admin, body)
        .await
        .ok();
    let account = &made["service_account"];
    assert_eq!(
        (&account["org_id"], &account["workspace_id"]),
        (&json!("O"), &json!("W"))
    );
    assert_eq!(account["name"], "orders");
    assert_eq!(account["address"], "agent://local/default/orders");
    let path = format!(
        "/v1/service-accounts/{}/keys",
        text(&account["service_account_id"])
    );
    let key = house.post(&path, &house.admin, json!({})).await.ok();
    let k1 = text(&key["api_key"]);
    assert_eq!(key["key"]["token"], json!(k1));
    assert_eq!(key["key"]["status"], "active");
    assert_eq!(
        key["key"]["service_account_id"],
        account["service_account_id"]
    );
    assert!(k1.starts_with(&text(&key["key"]["key_hint"])), "{key}");

    // The bundle as the command line re-encodes it: what it does not know is dropped, what is empty is there.
    let bundle = json!({
        "scenario_id": "billing.demo.v1", "title": "", "description": "",
        "agents": [{ "role": "orders", "address": "orders", "display_name": "Orders",
            "create_if_missing": true, "delivery_mode": "stream" }],
        "humans": [],
        "workflow": { "macro_id": "", "parameters": null, "steps": [
            { "step_id": "process", "tool_id": "tool.agent.task.v1", "assigned_to": "orders",
              "requires_approval": false, "step_deadline_seconds": 120 }] },
        "intent": { "type": "intent.order.process.v1", "payload": { "order_id": "ORD-1" },
            "max_delivery_attempts": 3 },
    });
    let applied = house
        .post("/v1/scenarios/apply", &house.admin, bundle)
        .await
        .ok();
    assert_eq!(applied["status"], "WAITING");
    assert!(text(&applied["compile_id"]).starts_with("wf_"), "{applied}");
    let run = text(&applied["intent_id"]);
    assert_eq!(
        events(&house, &run).await,
        [
            told(1, "created", "CREATED"),
            told(2, "submitted", "SUBMITTED"),
            told(3, "delivered", "DELIVERED"),
            told(4, "waiting", "WAITING"),
        ]
    );
    let parent = house.intent(&run).await;
    assert_eq!(parent["waiting_reason"], "WAITING_FOR_AGENT");
    assert_eq!(parent["pending_with"]["name"], "orders");

    let path = "/v1/agents/orders/intents/stream?since=0&wait_seconds=15";
    let mut stream = house.stream(path, &k1).await;
    let frame = stream.event().await;
    assert_eq!(
        (frame.id.as_str(), frame.event.as_str()),
        ("2", "intent.delivered")
    );
    let row = frame.json();
    assert_eq!(
        (&row["seq"], &row["status"]),
        (&json!(2), &json!("DELIVERED"))
    );
    assert!(text(&frame.json()["attempt_id"]).starts_with("att_"));
    let child = text(&frame.json()["intent_id"]);
    let whole = house.get(&format!("/v1/intents/{child}"), &k1).await.ok();
    assert_eq!(whole["intent"]["lifecycle_status"], "DELIVERED");
    assert_eq!(whole["payload"], whole["intent"]["payload"]);
    assert_eq!(whole["payload"]["order_id"], "ORD-1");
    assert_eq!(
        whole["payload"]["parent_payload"],
        json!({ "order_id": "ORD-1" })
    );
    let done = json!({ "action": "complete", "order_id": "ORD-1", "status": "captured" });
    let path = format!("/v1/intents/{child}/resume?owner_agent=orders");
    let answer = house.post(&path, &k1, done).await.ok();
    assert_eq!(
        (&answer["applied"], &answer["policy_generation"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(answer["intent"]["intent_id"], json!(child));
    assert_eq!(answer["intent"]["status"], "COMPLETED");
    let result = json!({ "order_id": "ORD-1", "status": "captured" });
    assert_eq!(answer["intent"]["result"], result);
    assert_eq!(
        events(&house, &run).await[4..],
        [told(5, "completed", "COMPLETED")]
    );
    let parent = house.intent(&run).await;
    assert_eq!(parent["lifecycle_status"], "COMPLETED");
    assert_eq!(parent["result"]["status"], "captured");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_sender_sees_its_intent_s_events_to_the_end() {
    let house = house().await;
    let body = json!({
        "intent_type": "intent.order.process.v1", "to_agent": "orders", "payload": { "order_id": "ORD-2" },
        "correlation_id": "0d3e2f6a-7b8c-4d1e-9f00-112233445566",
    });
    let sent = house.post("/v1/intents", &house.admin, body).await.ok();
    assert_eq!(sent["status"], "DELIVERED");
    let id = text(&sent["intent_id"]);
    let path = format!("/v1/intents/{id}/events/stream?since=0&wait_seconds=15");
    let mut stream = house.stream(&path, &house.admin).await;
    for (number, kind) in ["created", "submitted", "delivered"].iter().enumerate() {
        let frame = stream.event().await;
        assert_eq!(frame.id, (number + 1).to_string());
        assert_eq!(frame.event, format!("intent.{kind}"));
    }
    house.poll(&house.admin, "orders").await;
    assert_eq!(stream.event().await.event, "intent.attempt_started");
    let path = format!("/v1/intents/{id}/resume?owner_agent=orders");
    house
        .post(&path, &house.admin, json!({ "ok": 1 }))
        .await
        .ok();
    let end = stream.event().await;
    assert_eq!(
        (end.id.as_str(), end.event.as_str()),
        ("5", "intent.completed")
    );
    assert_eq!(end.json()["intent_id"], json!(id));
    assert_eq!(end.json()["status"], "COMPLETED");
    assert_eq!(end.json()["actor"], "agent://local/default/orders");
    assert_eq!(end.json()["details"], json!({ "result": { "ok": 1 } }));
    assert_eq!(end.json()["result"], json!({ "ok": 1 }));
    assert_eq!(stream.rest().await, [], "the stream ends with the intent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_decides_and_a_dead_letter_is_replayed() {
    let house = house().await;
    let body = json!({ "intent_type": "intent.refund.v1", "to_agent": "finance", "payload": {},
        "human_task": { "title": "Refund?" } });
    let human = text(&house.post("/v1/intents", &house.admin, body).await.ok()["intent_id"]);
    let path = format!("/v1/intents/{human}/resume");
    let body = json!({ "task_result": { "outcome": "maybe" } });
    let refused = house.post(&path, &house.admin, body).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.json(),
        json!({ "ok": false, "error": { "code": "outcome_not_allowed",
            "message": "outcome \"maybe\" is not allowed", "retryable": false,
            "details": { "allowed": ["approved", "rejected"] } },
            "detail": "outcome \"maybe\" is not allowed" })
    );
    let body = json!({ "task_result": { "outcome": "approved", "comment": "ok" } });
    let applied = house.post(&path, &house.admin, body).await.ok();
    assert_eq!(applied["applied"], json!(true));
    let body = json!({ "task_result": { "outcome": "rejected" } });
    let late = house.post(&path, &house.admin, body).await;
    let late = late.refused(409, "intent_terminal");
    assert_eq!(late["details"]["status"], "COMPLETED");

    let dead = house
        .submit(&house.admin, "orders", json!({ "order_id": "ORD-3" }))
        .await;
    let path = format!("/v1/intents/{dead}/resume?owner_agent=orders");
    let body = json!({ "action": "fail", "reason": "receiver broken" });
    house.post(&path, &house.admin, body).await.ok();
    let path = format!("/v1/dead-letters/{dead}/replay");
    let body = json!({ "reason": "receiver fixed" });
    let replayed = house.post(&path, &house.admin, body).await.ok();
    let new = &replayed["intent"];
    assert_eq!(new["status"], "DELIVERED");
    assert_eq!(
        (&new["replay_of"], &new["origin_id"]),
        (&json!(dead), &json!(dead))
    );
    let letter = &replayed["dead_letter"];
    assert_eq!(letter["intent_id"], json!(dead));
    assert_eq!(
        (&letter["state"], &letter["replayed_as"]),
        (&json!("replayed"), &new["intent_id"])
    );
}
