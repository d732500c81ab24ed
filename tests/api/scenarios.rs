//! Scenarios from the bundle to the end of the run.

use serde_json::{Value, json};

use crate::house::{House, house};

fn bundle(name: &str) -> Value {
    let path = format!("{}/tests/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn apply(house: &House, bundle: &Value) -> Value {
    house
        .post("/v1/scenarios/apply", &house.admin, bundle.clone())
        .await
        .ok()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The only child that is under way.
async fn child(house: &House, run: &str) -> Value {
    let parent = house.intent(run).await;
    house.intent(&text(&parent["step_intent_id"])).await
}

async fn resume(house: &House, id: &str, body: Value) -> Value {
    let path = format!("/v1/intents/{id}/resume");
    house.post(&path, &house.admin, body).await.ok()
}

/// Claims what lies at an agent and answers it.
async fn work(house: &House, agent: &str, body: Value) -> Value {
    let rows = house.poll(&house.admin, agent).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    resume(house, &text(&rows[0]["intent_id"]), body).await;
    rows[0].clone()
}

async fn pending(house: &House, run: &str) -> (String, String) {
    let intent = house.intent(run).await;
    let holder = &intent["pending_with"];
    (text(&holder["type"]), text(&holder["name"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_to_its_agent_and_the_agent_s_answer_ends_the_run_in_the_same_commit() {
    let house = house().await;
    let applied = apply(&house, &bundle("order-stream")).await;
    assert_eq!(applied["status"], "WAITING");
    assert_eq!(
        applied["pending_with"],
        "agent://local/default/order-processor"
    );
    assert_eq!(applied["idempotent"], json!(false));
    assert_eq!(applied["agents"][0]["created"], json!(true));
    assert_eq!(applied["warnings"], json!([]));
    let run = text(&applied["intent_id"]);
    assert_eq!(
        house.event_types(&run).await,
        [
            "intent.created",
            "intent.submitted",
            "intent.delivered",
            "intent.waiting"
        ]
    );
    assert_eq!(
        pending(&house, &run).await,
        ("agent".to_owned(), "order-processor".to_owned())
    );
    let parent = house.intent(&run).await;
    assert_eq!(parent["waiting_reason"], "WAITING_FOR_AGENT");
    assert_eq!(parent["delivery"]["state"], "held");
    let child = child(&house, &run).await;
    assert_eq!(child["status"], "DELIVERED");
    let payload = &child["payload"];
    assert_eq!(payload["order_id"], "ORD-2026-00142");
    assert_eq!(payload["parent_payload"], parent["payload"]);
    assert_eq!(payload["step_id"], "process");
    assert_eq!(payload["parent_intent_id"], json!(run));
    assert_eq!(payload["scenario_id"], "orders.process.v1");
    assert_eq!(payload["previous_results"], json!({}));
    work(
        &house,
        "order-processor",
        json!({ "action": "complete", "captured": true }),
    )
    .await;
    let parent = house.intent(&run).await;
    assert_eq!(parent["status"], "COMPLETED");
    assert_eq!(
        parent["result"],
        json!({ "captured": true, "steps": { "process": { "captured": true } } })
    );
    assert_eq!(
        house.event_types(&run).await[4..],
        ["intent.completed".to_owned()]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_applies_once_and_a_repeat_says_so() {
    let house = house().await;
    let mut order = bundle("order-stream");
    order["idempotency_key"] = json!("once");
    let first = apply(&house, &order).await;
    let second = apply(&house, &order).await;
    assert_eq!(second["intent_id"], first["intent_id"]);
    assert_eq!(second["idempotent"], json!(true));
    assert_eq!(second["status"], "WAITING");
    assert_eq!(house.poll(&house.admin, "order-processor").await.len(), 1);
    order["intent"]["payload"] = json!({ "other": 1 });
    house
        .post("/v1/scenarios/apply", &house.admin, order)
        .await
        .refused(409, "idempotency_conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_polled_fails_and_fails_its_run_which_is_the_dead_letter() {
    let house = house().await;
    let applied = apply(&house, &bundle("report-poll")).await;
    let run = text(&applied["intent_id"]);
    work(
        &house,
        "nightly-reports",
        json!({ "action": "fail", "reason": "no data" }),
    )
    .await;
    let parent = house.intent(&run).await;
    assert_eq!(parent["status"], "FAILED");
    assert_eq!(parent["error"]["code"], "step_failed");
    assert_eq!(parent["error"]["message"], "step render: no data");
    assert_eq!(parent["error"]["details"]["step_id"], "render");
    let letters = house.get("/v1/dead-letters", &house.admin).await.ok();
    let letters = letters["dead_letters"].as_array().unwrap().clone();
    assert_eq!(letters.len(), 1, "the step is none: {letters:?}");
    assert_eq!(letters[0]["intent_id"], json!(run));
    assert_eq!(letters[0]["reason"], "handler_failed");
    // Replaying it runs the scenario anew.
    let path = format!("/v1/dead-letters/{run}/replay");
    let replayed = house.post(&path, &house.admin, json!({})).await.ok();
    let again = text(&replayed["intent"]["intent_id"]);
    let row = work(&house, "nightly-reports", json!({ "pages": 3 })).await;
    assert_eq!(row["payload"]["parent_intent_id"], json!(again));
    assert_eq!(row["payload"]["day"], "2026-11-22");
    assert_eq!(house.intent(&again).await["status"], "COMPLETED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_checked_signed_off_by_its_parent_s_id_and_announced() {
    let house = house().await;
    let run = text(&apply(&house, &bundle("deploy-approval")).await["intent_id"]);
    work(&house, "readiness-checker", json!({ "ready": true })).await;
    assert_eq!(
        pending(&house, &run).await,
        ("human".to_owned(), "ops@example.test".to_owned())
    );
    let parent = house.intent(&run).await;
    assert_eq!(
        parent["human_task"]["title"],
        "Deploy api-gateway 3.2.1 to production?"
    );
    assert!(parent["due_at"].is_string(), "{parent}");
    let tasks = house.get("/v1/me/tasks", &house.admin).await.ok();
    let task = &tasks["tasks"][0];
    assert_eq!(task["parent_intent_id"], json!(run));
    assert_eq!(task["scenario_id"], "deploy.approval.v1");
    let thread = format!("/v1/inbox/{}", text(&task["thread_id"]));
    let asked = house.get(&thread, &house.admin).await.ok();
    assert_eq!(
        asked["thread"]["leads_to"],
        json!({ "on_success": "announce", "on_failure": null })
    );
    let signoff = child(&house, &run).await;
    assert_eq!(
        signoff["payload"]["previous_results"],
        json!({ "readiness": { "ready": true } })
    );
    // Reminders are those of any task; after the last one the lead holds it too.
    house.pass(600).await;
    house.pass(600).await;
    house.pass(600).await;
    house.pass(600).await;
    let signoff = child(&house, &run).await;
    assert_eq!(signoff["remind_count"], json!(3));
    assert_eq!(signoff["pending_with"]["name"], "lead@example.test");
    assert_eq!(
        pending(&house, &run).await,
        ("human".to_owned(), "lead@example.test".to_owned()),
        "the run says who has to act"
    );
    house
        .post(
            &format!("/v1/intents/{run}/resume"),
            &house.admin,
            json!({ "task_result": { "outcome": "maybe" } }),
        )
        .await
        .refused(422, "outcome_not_allowed");
    let answer = resume(
        &house,
        &run,
        json!({ "task_result": { "outcome": "approved", "comment": "ok" } }),
    )
    .await;
    assert_eq!(answer["intent"]["intent_id"], json!(run));
    assert_eq!(answer["intent"]["status"], "COMPLETED");
    let parent = house.intent(&run).await;
    assert_eq!(parent["result"]["ready"], json!(true));
    let steps = &parent["result"]["steps"];
    assert_eq!(steps["signoff"]["outcome"], "approved");
    assert_eq!(
        steps["announce"]["body"],
        json!(format!("Intent {run} approved."))
    );
    assert_eq!(
        house.event_types(&run).await[3..],
        [
            "intent.waiting",
            "intent.waiting",
            "intent.escalated",
            "intent.waiting",
            "intent.completed"
        ]
    );
    let inbox = house
        .get("/v1/inbox?owner_agent=ops@example.test", &house.admin)
        .await
        .ok();
    let notice = inbox["threads"]
        .as_array()
        .unwrap()
        .iter()
        .find(|thread| thread["kind"] == "notice")
        .expect("the notice")
        .clone();
    assert_eq!(notice["subject"], "Deployment released");
    assert_eq!(notice["status"], "done");
    house
        .post(
            &format!("/v1/intents/{run}/resume"),
            &house.admin,
            json!({ "task_result": { "outcome": "rejected" } }),
        )
        .await
        .refused(409, "intent_terminal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_s_deadline_ends_its_child_and_fails_the_run() {
    let house = house().await;
    let run = text(&apply(&house, &bundle("deploy-approval")).await["intent_id"]);
    let checker = child(&house, &run).await;
    house.pass(61).await;
    let checker = house.intent(&text(&checker["intent_id"])).await;
    assert_eq!(checker["status"], "TIMED_OUT");
    let parent = house.intent(&run).await;
    assert_eq!(parent["status"], "FAILED", "the run itself is not late");
    assert_eq!(parent["error"]["code"], "step_timeout");
}

async fn assess(house: &House, run: &str, form: Value) {
    resume(house, run, json!({ "task_result": form })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_refund_cools_off_and_is_paid_with_a_retry() {
    let house = house().await;
    let run = text(&apply(&house, &bundle("refund-branches")).await["intent_id"]);
    let bad = json!({ "task_result": { "outcome": "submitted", "amount_minor": "900000" } });
    let path = format!("/v1/intents/{run}/resume");
    let refused = house.post(&path, &house.admin, bad).await;
    let refused = refused.refused(422, "form_invalid");
    assert_eq!(
        refused["message"],
        "form is not filled in right: /reason: is required; /amount_minor: value is greater than the maximum of 500000"
    );
    assess(
        &house,
        &run,
        json!({ "outcome": "submitted", "amount_minor": "4990", "reason": "damaged" }),
    )
    .await;
    let parent = house.intent(&run).await;
    assert_eq!(parent["waiting_reason"], "WAITING_FOR_TIME");
    assert_eq!(
        pending(&house, &run).await,
        ("internal".to_owned(), "agent_core".to_owned())
    );
    house.pass(4).await;
    assert_eq!(house.intent(&run).await["step_id"], "cool_off");
    house.pass(1).await;
    assert_eq!(house.intent(&run).await["step_id"], "pay");
    let first = work(
        &house,
        "payouts",
        json!({ "action": "fail", "reason": "bank closed" }),
    )
    .await;
    assert_eq!(
        first["payload"]["previous_results"]["assess"]["amount_minor"],
        json!(4990)
    );
    // The second try is a new child, after the pause.
    assert!(house.poll(&house.admin, "payouts").await.is_empty());
    assert_eq!(house.intent(&run).await["status"], "WAITING");
    house.pass(10).await;
    let second = work(&house, "payouts", json!({ "paid": true })).await;
    assert_ne!(second["intent_id"], first["intent_id"]);
    let parent = house.intent(&run).await;
    assert_eq!(parent["status"], "COMPLETED");
    assert_eq!(parent["result"]["paid"], json!(true));
    assert_eq!(parent["result"]["steps"]["assess"]["reason"], "damaged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_refund_is_clarified_assessed_again_and_may_fail_in_the_end() {
    let house = house().await;
    let run = text(&apply(&house, &bundle("refund-branches")).await["intent_id"]);
    assess(
        &house,
        &run,
        json!({ "outcome": "rejected", "comment": "no photo", "amount_minor": 1, "reason": "late" }),
    )
    .await;
    assert_eq!(house.intent(&run).await["step_id"], "clarify");
    let clarify = child(&house, &run).await;
    let earlier = &clarify["payload"]["previous_results"]["assess"];
    assert_eq!(earlier["comment"], "no photo");
    assess(
        &house,
        &run,
        json!({ "outcome": "provided", "comment": "photo attached" }),
    )
    .await;
    assert_eq!(house.intent(&run).await["step_id"], "assess");
    assess(
        &house,
        &run,
        json!({ "outcome": "rejected", "amount_minor": 1, "reason": "late" }),
    )
    .await;
    assess(
        &house,
        &run,
        json!({ "outcome": "rejected", "comment": "never" }),
    )
    .await;
    let parent = house.intent(&run).await;
    assert_eq!(parent["status"], "FAILED");
    assert_eq!(parent["error"]["code"], "rejected");
    assert_eq!(parent["error"]["details"]["comment"], "never");
    let letters = house.get("/v1/dead-letters", &house.admin).await.ok();
    assert_eq!(letters["dead_letters"], json!([]), "a no is an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_the_run_withdraws_its_open_child() {
    let house = house().await;
    let mut late = bundle("report-poll");
    late["intent"]["deadline_at"] = json!("2026-04-11T11:00:00Z");
    let (one, other) = (
        text(&apply(&house, &bundle("report-poll")).await["intent_id"]),
        text(&apply(&house, &late).await["intent_id"]),
    );
    let children = [child(&house, &one).await, child(&house, &other).await];
    house
        .post(
            &format!("/v1/intents/{one}/cancel"),
            &house.admin,
            json!({ "reason": "not needed" }),
        )
        .await
        .ok();
    house.pass(7000).await;
    assert_eq!(house.intent(&one).await["status"], "CANCELED");
    assert_eq!(house.intent(&other).await["status"], "TIMED_OUT");
    for child in children {
        let child = house.intent(&text(&child["intent_id"])).await;
        assert_eq!(child["status"], "CANCELED");
    }
    assert!(house.poll(&house.admin, "nightly-reports").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_bundle_is_named_by_its_path() {
    let house = house().await;
    let wrong = json!({
        "scenario_id": "x.y.v1", "colour": "red",
        "agents": [{ "role": "a", "address": "worker" }],
        "workflow": { "entry_step": "nowhere", "steps": [
            { "step_id": "one", "tool_id": "tool.agent.task.v1", "assigned_to": "x" },
            { "step_id": "one", "tool_id": "tool.agent.task.v1", "assigned_to": "a", "on_failure": "two" },
            { "step_id": "three", "tool_id": "" },
            { "step_id": "four", "tool_id": "t", "assigned_to": "a", "step_deadline_seconds": 0 },
        ]},
        "intent": { "type": "intent.x" },
    });
    let read = house
        .post("/v1/scenarios/validate", &house.admin, wrong.clone())
        .await
        .ok();
    assert_eq!(read["valid"], json!(false));
    let errors: Vec<_> = read["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    assert_eq!(
        errors,
        [
            "steps[1].step_id: \"one\" is the name of an earlier step",
            "steps[0].assigned_to: unknown role \"x\"",
            "steps[1].on_failure: unknown step \"two\"",
            "steps[2].tool_id: \"\" with neither assigned_to nor a human part is nobody's step",
            "steps[3].step_deadline_seconds: must be a whole number from 1 to 4294967295",
            "workflow.entry_step: unknown step \"nowhere\"",
        ]
    );
    assert_eq!(
        read["warnings"],
        json!(["colour: is not known and was left alone"])
    );
    let refused = house.post("/v1/scenarios/apply", &house.admin, wrong).await;
    refused.refused(422, "bundle_invalid");
    assert!(refused.json()["detail"].is_string());
    for name in [
        "order-stream",
        "report-poll",
        "deploy-approval",
        "refund-branches",
        "invoice-webhook",
    ] {
        let read = house
            .post("/v1/scenarios/validate", &house.admin, bundle(name))
            .await
            .ok();
        assert_eq!(read["errors"], json!([]), "{name}");
        assert_eq!(read["warnings"], json!([]), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_that_may_not_be_made_must_be_there() {
    let house = house().await;
    let mut order = bundle("order-stream");
    order["agents"][0]["create_if_missing"] = json!(false);
    house
        .post("/v1/scenarios/apply", &house.admin, order.clone())
        .await
        .refused(404, "agent_not_found");
    house.account("order-processor", json!({})).await;
    let applied = apply(&house, &order).await;
    assert_eq!(applied["agents"][0]["created"], json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_grow_beyond_the_bound_of_a_run_fail_the_step_and_name_the_limit() {
    let house = house().await;
    let step = |id: &str| {
        json!({ "step_id": id, "tool_id": "tool.agent.task.v1", "assigned_to": "orders",
        "retry": { "max_retries": 3, "retry_delay_seconds": 0 } })
    };
    let body = json!({
        "scenario_id": "large.v1", "agents": [{ "address": "orders", "create_if_missing": true }],
        "workflow": { "steps": [step("one"), step("two"), step("three")] },
        "intent": { "type": "intent.x.v1" },
    });
    let run = text(&apply(&house, &body).await["intent_id"]);
    let large = json!({ "text": "x".repeat(600_000) });
    work(&house, "orders", large.clone()).await;
    let second = child(&house, &run).await;
    let earlier = &second["payload"]["previous_results"]["one"]["text"];
    assert_eq!(earlier.as_str().unwrap().len(), 600_000);
    work(&house, "orders", large).await;
    // Its own work stands; the run cannot carry it on, and another try would be no smaller.
    let step = house.intent(&text(&second["intent_id"])).await;
    assert_eq!(step["status"], "COMPLETED");
    let parent = house.intent(&run).await;
    assert_eq!(parent["status"], "FAILED");
    assert_eq!(parent["error"]["code"], "step_failed");
    assert_eq!(parent["error"]["details"]["step_error"], "result_too_large");
    let message = text(&parent["error"]["message"]);
    assert!(
        message.contains("1048576 bytes (limits.run_bytes)"),
        "{message}"
    );
    let letters = house.get("/v1/dead-letters", &house.admin).await.ok();
    assert_eq!(letters["dead_letters"][0]["reason"], "schema");
}
