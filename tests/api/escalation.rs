//! An escalation to an agent offers it the intent; whoever had it before may still answer.

use serde_json::{Value, json};

use crate::house::{House, house};

/// An intent that is escalated two seconds from now.
async fn urgent(house: &House, more: Value) -> String {
    let mut body = json!({
        "intent_type": "intent.order.process.v1", "to_agent": "orders", "payload": { "n": 1 },
        "remind_after_seconds": 1, "max_reminders": 1, "escalate_to": "backup",
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let made = house.post("/v1/intents", &house.admin, body).await.ok();
    made["intent_id"].as_str().unwrap().to_owned()
}

async fn types_from(house: &House, id: &str, from: usize) -> Vec<String> {
    house.event_types(id).await.split_off(from)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_to_whom_an_intent_is_escalated_gets_it_and_its_first_receiver_may_still_answer() {
    let house = house().await;
    let orders = house.key("orders", "agent").await;
    let backup = house.key("backup", "agent").await;
    let id = urgent(&house, json!({})).await;
    house.pass(1).await;
    assert_eq!(house.poll(&backup, "backup").await, Vec::<Value>::new());
    house.pass(1).await;
    let types = types_from(&house, &id, 3).await;
    assert_eq!(types, ["intent.reminder", "intent.escalated"]);
    let intent = house.intent(&id).await;
    assert_eq!(
        intent["pending_with"],
        json!({ "type": "agent", "ref": "agent://local/default/backup", "name": "backup" })
    );
    assert_eq!(intent["to_agent"], "agent://local/default/backup");
    assert_eq!(intent["first_to_agent"], "agent://local/default/orders");
    assert_eq!(house.poll(&orders, "orders").await, Vec::<Value>::new());
    let listed = house.get("/v1/intents?status=pending", &backup).await.ok();
    assert_eq!(listed["intents"][0]["intent_id"], json!(id));
    let rows = house.poll(&backup, "backup").await;
    assert_eq!(rows[0]["intent_id"], json!(id));
    assert_eq!(rows[0]["payload"], json!({ "n": 1 }));
    let path = format!("/v1/intents/{id}/resume");
    let done = house.post(&path, &orders, json!({ "late": 1 })).await.ok();
    assert_eq!(done["intent"]["status"], "COMPLETED");
    house
        .post(&path, &backup, json!({ "n": 2 }))
        .await
        .refused(409, "intent_terminal");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_open_is_taken_back_and_the_new_holder_has_one_of_its_own() {
    let house = house().await;
    let backup = house.key("backup", "agent").await;
    house.account("orders", json!({})).await;
    let id = urgent(&house, json!({ "max_delivery_attempts": 1 })).await;
    let row = house.poll(&house.admin, "orders").await.remove(0);
    let path = format!("/v1/agents/orders/intents/{id}/ack");
    house.post(&path, &house.admin, json!({})).await.ok();
    house.pass(1).await;
    house.pass(1).await;
    let types = types_from(&house, &id, 4).await;
    assert_eq!(
        types,
        [
            "intent.acknowledged",
            "intent.reminder",
            "intent.attempt_failed",
            "intent.escalated",
            "intent.delivered",
        ]
    );
    let taken = house.poll(&backup, "backup").await.remove(0);
    assert_eq!(taken["delivery_attempt"], 2);
    assert_eq!(house.intent(&id).await["max_delivery_attempts"], 2);
    let attempts = house
        .get(&format!("/v1/attempts?intent_id={id}"), &house.admin)
        .await
        .ok();
    let told: Vec<_> = attempts["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["agent"].as_str().unwrap(),
                one["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("agent://local/default/backup", "in_flight"),
            ("agent://local/default/orders", "lost"),
        ],
        "{attempts}"
    );
    let path = format!("/v1/intents/{id}/resume");
    let stale = json!({ "n": 1, "attempt_id": row["attempt_id"] });
    house
        .post(&path, &house.admin, stale)
        .await
        .refused(409, "attempt_stale");
    let done = json!({ "n": 2, "attempt_id": taken["attempt_id"] });
    let done = house.post(&path, &backup, done).await.ok();
    assert_eq!(done["intent"]["result"], json!({ "n": 2 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_may_be_asked_what_a_person_did_not_answer_and_failing_gives_it_back() {
    let house = house().await;
    let backup = house.key("backup", "agent").await;
    let finance = house.key("finance", "agent").await;
    let question = json!({ "to_agent": "finance", "human_task": { "title": "May we?" },
        "max_delivery_attempts": 1 });
    let id = urgent(&house, question.clone()).await;
    house.pass(1).await;
    house.pass(1).await;
    let types = types_from(&house, &id, 5).await;
    assert_eq!(
        types,
        ["intent.reminder", "intent.escalated", "intent.delivered"]
    );
    assert_eq!(house.intent(&id).await["pending_with"]["type"], "agent");
    assert_eq!(house.poll(&backup, "backup").await.len(), 1);
    let path = format!("/v1/intents/{id}/resume");
    let working = json!({ "action": "progress" });
    house.post(&path, &backup, working).await.ok();
    assert_eq!(house.intent(&id).await["status"], "IN_PROGRESS");
    let nack = format!("/v1/agents/backup/intents/{id}/nack");
    house.post(&nack, &backup, json!({})).await.ok();
    let intent = house.intent(&id).await;
    assert_eq!(intent["status"], "WAITING", "{intent}");
    assert_eq!(
        intent["pending_with"],
        json!({ "type": "human", "ref": "agent://local/default/finance", "name": "finance" })
    );
    let answer = json!({ "task_result": { "outcome": "approved" } });
    house.post(&path, &finance, answer).await.ok();
    assert_eq!(house.intent(&id).await["status"], "COMPLETED");

    let id = urgent(&house, question).await;
    house.pass(1).await;
    house.pass(1).await;
    assert_eq!(house.poll(&backup, "backup").await.len(), 1);
    let path = format!("/v1/intents/{id}/resume");
    let done = json!({ "action": "complete" });
    let done = house.post(&path, &backup, done).await.ok();
    let decision = &done["intent"]["human_task"]["decision"];
    assert_eq!(decision["by"], "agent://local/default/backup");
    assert_eq!(done["intent"]["result"]["outcome"], "approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_s_inbox_and_a_role_are_asked_and_a_stranger_to_the_sender_is_only_named() {
    let house = house().await;
    house
        .account("boss", json!({ "delivery_mode": "inbox" }))
        .await;
    let id = urgent(&house, json!({ "escalate_to": "boss" })).await;
    house.pass(1).await;
    house.pass(1).await;
    let intent = house.intent(&id).await;
    assert_eq!(intent["pending_with"]["type"], "human", "{intent}");
    let inbox = house
        .get("/v1/inbox?owner_agent=boss", &house.admin)
        .await
        .ok();
    assert_eq!(inbox["threads"][0]["intent_id"], json!(id));
    let path = format!("/v1/inbox/{id}/approve?owner_agent=boss");
    house.post(&path, &house.admin, json!({})).await.ok();
    assert_eq!(house.intent(&id).await["status"], "COMPLETED");

    // Whoever may not be sent to is not reached by way of an escalation.
    house.account("vault", json!({})).await;
    let closed = json!({ "policy_type": "allowlist" });
    let request = house.request("PUT", "/v1/agents/vault/policy", &house.admin);
    house.send(request.body(closed.to_string())).await.ok();
    for to in ["vault", "on call"] {
        let id = urgent(&house, json!({ "escalate_to": to })).await;
        house.pass(1).await;
        house.pass(1).await;
        let intent = house.intent(&id).await;
        assert_eq!(intent["to_agent"], "agent://local/default/orders", "{to}");
        let types = house.event_types(&id).await;
        assert_eq!(types.last().unwrap(), "intent.escalated", "{to}");
    }
    assert_eq!(house.poll(&house.admin, "vault").await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_escalated_to_an_agent_is_done_by_it_and_its_run_says_so() {
    let house = house().await;
    let backup = house.key("backup", "agent").await;
    let bundle = |at_run: Value, at_step: Value| {
        let mut bundle = json!({
            "agents": [{ "role": "orders", "address": "orders", "create_if_missing": true }],
            "workflow": { "steps": [{ "step_id": "one", "tool_id": "tool.agent.task.v1",
                "assigned_to": "orders" }] },
            "intent": { "type": "intent.order.process.v1", "payload": { "n": 1 } },
        });
        for (key, value) in at_run.as_object().unwrap() {
            bundle["intent"][key] = value.clone();
        }
        for (key, value) in at_step.as_object().unwrap() {
            bundle["workflow"]["steps"][0][key] = value.clone();
        }
        bundle
    };
    let plan = json!({ "remind_after_seconds": 1, "max_reminders": 1, "escalate_to": "backup" });
    // Said of the step, or of the run that is held by it.
    for bundle in [bundle(json!({}), plan.clone()), bundle(plan, json!({}))] {
        let run = house
            .post("/v1/scenarios/apply", &house.admin, bundle)
            .await
            .ok();
        let run = run["intent_id"].as_str().unwrap().to_owned();
        house.pass(1).await;
        house.pass(1).await;
        let expected = ["intent.waiting", "intent.escalated", "intent.waiting"];
        assert_eq!(types_from(&house, &run, 3).await, expected);
        let parent = house.intent(&run).await;
        assert_eq!(
            parent["pending_with"],
            json!({ "type": "agent", "ref": "agent://local/default/backup", "name": "backup" }),
            "{parent}"
        );
        let row = house.poll(&backup, "backup").await.remove(0);
        assert_eq!(row["payload"]["parent_intent_id"], json!(run));
        let path = format!("/v1/intents/{}/resume", row["intent_id"].as_str().unwrap());
        house
            .post(&path, &backup, json!({ "by": "backup" }))
            .await
            .ok();
        let parent = house.intent(&run).await;
        assert_eq!(parent["status"], "COMPLETED");
        assert_eq!(parent["result"]["by"], "backup");
    }
}
