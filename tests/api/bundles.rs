//! Bundles as the published command line sends them, and what is refused of them.

use serde_json::{Value, json};

use crate::house::house;

fn bundle(agent: &Value) -> Value {
    json!({
        "agents": [agent],
        "workflow": { "steps": [{ "step_id": "one", "tool_id": "tool.agent.task.v1",
            "assigned_to": "billing" }] },
        "intent": { "type": "intent.bill.v1" },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_whose_url_was_lost_on_the_way_is_called_once_it_has_one() {
    let house = house().await;
    let key = &house.admin;
    let agent = json!({ "role": "billing", "address": "billing", "create_if_missing": true,
        "delivery_mode": "http" });
    let run = house
        .post("/v1/scenarios/apply", key, bundle(&agent))
        .await
        .ok();
    let warnings = run["warnings"].to_string();
    assert!(warnings.contains("callback_url"), "{warnings}");
    let made = house.get("/v1/agents/billing", key).await.ok();
    assert_eq!(made["agent"]["delivery_mode"], "http");
    let run = run["intent_id"].as_str().unwrap();
    let step = house.intent(run).await["step_intent_id"].clone();
    let delivery = house.intent(step.as_str().unwrap()).await["delivery"].clone();
    assert_eq!(
        (&delivery["state"], &delivery["parked_reason"]),
        (&json!("parked"), &json!("no_callback_url"))
    );
    // Other settings may change meanwhile; the URL makes it an agent like any other.
    let account = made["agent"]["service_account_id"].as_str().unwrap();
    let path = format!("/v1/service-accounts/{account}");
    let named = json!({ "display_name": "Billing" });
    house.patch(&path, key, named).await.ok();
    let url = json!({ "callback_url": "http://127.0.0.1:9/bill" });
    house.patch(&path, key, url).await.ok();
    let delivery = house.intent(step.as_str().unwrap()).await["delivery"].clone();
    assert_eq!(delivery.get("parked_reason"), None, "{delivery}");
    // A bundle that comes again without it leaves it where it is.
    house
        .post("/v1/scenarios/apply", key, bundle(&agent))
        .await
        .ok();
    let kept = house.get("/v1/agents/billing", key).await.ok();
    assert_eq!(kept["agent"]["callback_url"], "http://127.0.0.1:9/bill");
    // By itself an account without a URL is still a mistake.
    let bare = json!({ "name": "bare", "delivery_mode": "http" });
    house
        .post("/v1/service-accounts", key, bare)
        .await
        .refused(422, "schema_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_of_a_scenario_is_one_sentence() {
    let house = house().await;
    for path in ["/v1/scenarios/validate", "/v1/scenarios/apply"] {
        let request = house.request("POST", path, &house.admin).body("[1]");
        let reply = house.send(request).await;
        let error = reply.refused(422, "schema_invalid");
        assert_eq!(reply.json()["detail"], error["message"], "{path}");
        let broken = house.request("POST", path, &house.admin).body("{");
        let reply = house.send(broken).await;
        let error = reply.refused(400, "malformed_json");
        assert_eq!(reply.json()["detail"], error["message"], "{path}");
    }
    // Elsewhere it is a list that names the fields.
    let request = house.request("POST", "/v1/intents", &house.admin);
    let reply = house.send(request.body("[1]")).await;
    reply.refused(422, "schema_invalid");
    assert!(reply.json()["detail"].is_array(), "{}", reply.text);
    house
        .get("/v1/tool-registry/macros/none", &house.admin)
        .await
        .refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bundle_carries_is_carried_as_it_was_written() {
    let house = house().await;
    // Neither the order of the alphabet, nor a number that a machine has.
    let carried = r#"{"zip":1.50,"id":12345678901234567890123,"city":{"b":1,"a":2}}"#;
    let form = r#"{"type":"object","properties":{"street":{},"zip":{},"city":{}}}"#;
    let text = format!(
        r#"{{"agents": [{{"address": "orders", "create_if_missing": true}}],
            "humans": [{{"role": "ops", "contact": "ops"}}],
            "workflow": {{"steps": [
                {{"step_id": "work", "assigned_to": "orders", "input": {carried}}},
                {{"step_id": "ask", "assigned_to": "ops", "human_task": {{"form_schema": {form}}}}}]}},
            "intent": {{"type": "intent.x.v1", "payload": {carried}}}}}"#
    );
    let apply = house.request("POST", "/v1/scenarios/apply", &house.admin);
    let run = house.send(apply.body(text)).await.ok()["intent_id"].clone();
    let whole = |id: &Value| format!("/v1/intents/{}", id.as_str().unwrap());
    let parent = house.get(&whole(&run), &house.admin).await.text;
    assert!(
        parent.contains(&format!(r#""payload":{carried}"#)),
        "{parent}"
    );
    let path = "/v1/agents/orders/intents";
    let row = house.get(path, &house.admin).await;
    let payload = format!(
        r#""payload":{},"parent_payload":{carried},"#,
        carried.strip_suffix('}').unwrap()
    );
    assert!(row.text.contains(&payload), "{}", row.text);
    assert!(
        row.text.contains(&format!(r#""input":{carried}"#)),
        "{}",
        row.text
    );
    let step = row.json()["intents"][0]["intent_id"].clone();
    let resume = format!("{}/resume", whole(&step));
    house
        .post(&resume, &house.admin, json!({ "done": 1 }))
        .await
        .ok();
    let ask = house.intent(run.as_str().unwrap()).await["step_intent_id"].clone();
    let asked = house.get(&whole(&ask), &house.admin).await.text;
    assert!(asked.contains(form), "{asked}");
}
