//! Who may send to whom: agents that were killed, and send policies.

use serde_json::{Value, json};

use crate::house::{House, house};

const CREATE: &str = "/v1/intents";

fn order(to: &str) -> Value {
    json!({ "intent_type": "intent.order.process.v1", "to_agent": to, "payload": {} })
}

async fn address_id(house: &House, name: &str) -> String {
    let shown = house.get(&format!("/v1/agents/{name}"), &house.admin).await;
    let id = shown.ok()["agent"]["address_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(id.starts_with("adr_"), "{id}");
    id
}

async fn put(house: &House, path: &str, key: &str, body: Value) -> crate::house::Reply {
    let request = house.request("PUT", path, key).body(body.to_string());
    house.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_sends_and_receives_nothing_and_loses_nothing() {
    let house = house().await;
    let orders = house.key("orders", "agent").await;
    let waits = house
        .submit(&house.admin, "orders", json!({ "n": 1 }))
        .await;
    let id = address_id(&house, "orders").await;
    let stream = house
        .request(
            "GET",
            "/v1/agents/orders/intents/stream?wait_seconds=60",
            &orders,
        )
        .send()
        .await
        .unwrap();
    let kill = format!("/v1/mesh/agents/{id}/kill");
    house.get("/v1/me", &orders).await.ok();
    let killed = house.send(house.request("POST", &kill, &house.admin)).await;
    assert_eq!(killed.ok()["status"], "killed");

    // The window ends long before its time, and cleanly.
    let text = stream.text().await.unwrap();
    assert!(text.contains(&waits), "{text}");
    assert!(text.contains("stream.timeout"), "{text}");
    for path in [
        "/v1/agents/orders/intents/stream",
        "/v1/agents/orders/intents",
    ] {
        let error = house.get(path, &orders).await.refused(403, "policy_denied");
        assert_eq!(error["details"]["reason"], "agent_killed");
    }
    let intent = house.intent(&waits).await;
    assert_eq!(intent["delivery"]["state"], "parked", "{intent}");
    assert_eq!(intent["delivery"]["parked_reason"], "agent_killed");

    let to = house.post(CREATE, &house.admin, order("orders")).await;
    let error = to.refused(403, "policy_denied");
    assert_eq!(error["details"]["reason"], "agent_killed");
    let from = house.post(CREATE, &orders, order("web")).await;
    from.refused(403, "policy_denied");
    let batch = json!({ "intents": [order("orders"), order("web")] });
    let batch = house.post("/v1/intents/batch", &house.admin, batch).await;
    let batch = batch.ok();
    assert_eq!(batch["results"][0]["error"]["code"], "policy_denied");
    assert_eq!(batch["results"][1]["status"], 200);

    let by_address = "/v1/mesh/agents/agent:%2F%2Flocal%2Fdefault%2Forders/resume";
    let revived = house.send(house.request("POST", by_address, &house.admin));
    assert_eq!(revived.await.ok()["status"], "active");
    let rows = house.poll(&orders, "orders").await;
    assert_eq!(rows[0]["intent_id"], json!(waits), "{rows:?}");

    let feed = house
        .get("/v1/events?types=agent.killed,agent.revived", &house.admin)
        .await
        .ok();
    let types: Vec<_> = feed["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    assert_eq!(types, ["agent.killed", "agent.revived"]);
    let audit = house
        .get("/v1/audit/events?action_prefix=agent.kill", &house.admin)
        .await
        .ok();
    assert_eq!(audit["events"][0]["result"], "done");
    let unknown = "/v1/mesh/agents/adr_0/kill";
    house
        .post(unknown, &house.admin, json!({}))
        .await
        .refused(404, "agent_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_policy_is_checked_wherever_an_intent_is_made_and_admins_are_not_exempt() {
    let house = house().await;
    let (web, app) = (
        house.key("web", "sender").await,
        house.key("app", "sender").await,
    );
    let orders = house.key("orders", "agent").await;
    let letter = house.submit(&app, "orders", json!({})).await;
    let fail = json!({ "action": "fail" });
    let resume = format!("/v1/intents/{letter}/resume");
    house.post(&resume, &house.admin, fail).await.ok();

    let policy = "/v1/agents/orders/policy";
    let open = house.get(policy, &orders).await.ok();
    assert_eq!(
        open["policy"],
        json!({ "policy_type": "open", "entries": [] })
    );
    let entries = format!("{policy}/entries");
    let pattern = json!({ "sender_pattern": "agent://local/default/web" });
    let added = house.post(&entries, &orders, pattern.clone()).await.ok();
    assert_eq!(added["entry"]["entry_id"], "pol_1");
    let again = house.post(&entries, &orders, pattern).await.ok();
    assert_eq!(again["entry"], added["entry"]);
    let mode = |word: &str| json!({ "policy_type": word });
    let allow = put(&house, policy, &orders, mode("allowlist")).await.ok();
    assert_eq!(allow["policy"]["entries"], json!([added["entry"]]));

    house.post(CREATE, &web, order("orders")).await.ok();
    let not_in_list = "sender_not_in_receive_allowlist";
    for key in [&app, &house.admin] {
        let refused = house.post(CREATE, key, order("orders")).await;
        let error = refused.refused(403, "policy_denied");
        assert_eq!(error["details"]["reason"], not_in_list);
    }
    let scenario = json!({
        "agents": [{ "address": "orders" }], "intent": { "type": "intent.order.process.v1" },
        "workflow": { "steps": [{
            "step_id": "one", "tool_id": "tool.agent.task.v1", "assigned_to": "orders",
        }] },
    });
    let applied = house.post("/v1/scenarios/apply", &app, scenario.clone());
    applied.await.refused(403, "policy_denied");
    house.post("/v1/scenarios/apply", &web, scenario).await.ok();
    let replay = format!("/v1/dead-letters/{letter}/replay");
    let replayed = house.post(&replay, &house.admin, json!({})).await;
    replayed.refused(403, "policy_denied");
    let held = json!({ "hold_seconds": 5 });
    let held = house.post(&replay, &house.admin, held).await;
    held.refused(403, "policy_denied");

    put(&house, policy, &house.admin, mode("denylist"))
        .await
        .ok();
    let refused = house.post(CREATE, &web, order("orders")).await;
    let error = refused.refused(403, "policy_denied");
    assert_eq!(error["details"]["reason"], "sender_denied");
    house.post(CREATE, &app, order("orders")).await.ok();
    house.post(&replay, &house.admin, json!({})).await.ok();

    let entry = format!("{entries}/pol_1");
    let gone = house.send(house.request("DELETE", &entry, &orders)).await;
    assert_eq!(gone.ok()["removed"], true);
    let gone = house.send(house.request("DELETE", &entry, &orders)).await;
    gone.refused(404, "not_found");
    house.post(CREATE, &web, order("orders")).await.ok();
    put(&house, policy, &orders, mode("closed"))
        .await
        .refused(422, "schema_invalid");
    let wrong = json!({ "sender_pattern": "a/*/b" });
    let wrong = house.post(&entries, &orders, wrong).await;
    wrong.refused(422, "invalid_agent_address");

    let feed = house.get("/v1/events?types=policy.*", &house.admin).await;
    assert_eq!(feed.ok()["events"].as_array().unwrap().len(), 4);
    let audit = house
        .get("/v1/audit/events?action_prefix=policy", &house.admin)
        .await
        .ok();
    let newest = &audit["events"][1];
    assert_eq!(
        newest["details"]["before"]["policy_entries"][0],
        "agent://local/default/web"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_has_beaten_and_falls_silent_is_not_called_until_it_is_heard_again() {
    let house = house().await;
    let body = json!({
        "name": "billing", "delivery_mode": "http", "callback_url": "http://127.0.0.1:9/x",
    });
    let made = house
        .post("/v1/service-accounts", &house.admin, body)
        .await
        .ok();
    let id = made["service_account"]["service_account_id"]
        .as_str()
        .unwrap();
    let keys = format!("/v1/service-accounts/{id}/keys");
    let key = house.post(&keys, &house.admin, json!({})).await.ok();
    let key = key["api_key"].as_str().unwrap().to_owned();
    let beat = async |metrics: Value| {
        let answer = house.post("/v1/mesh/heartbeat", &key, metrics).await.ok();
        assert_eq!(answer["health_status"], "healthy");
        house.broker.tick().await.unwrap();
    };
    let health = async || {
        let found = house.get("/v1/mesh/agents/billing", &key).await.ok();
        found["agent"]["health_status"].as_str().unwrap().to_owned()
    };
    assert_eq!(health().await, "unknown");
    let metrics = json!({ "metrics": {
        "intents_total": 4, "intents_succeeded": 3, "intents_failed": 1, "avg_latency_ms": 2.5,
        "cost_usd": 0.25,
    } });
    beat(metrics.clone()).await;
    let head = house.get("/v1/overview", &house.admin).await.ok()["cursor"].clone();
    for _ in 0..20 {
        beat(metrics.clone()).await;
    }
    let after = house.get("/v1/overview", &house.admin).await.ok()["cursor"].clone();
    assert_eq!(head, after, "a heartbeat is no fact");
    let list = house.get("/v1/mesh/agents?health=healthy", &key).await.ok();
    assert_eq!(list["agents"][0]["intents_period"], 84);
    assert_eq!(list["agents"][0]["cost_period"], 5.25);
    assert_eq!(list["summary"]["healthy"], 1);

    let mut calls = house
        .broker
        .open_session(postroom::broker::session::SessionSpec::calls(8, 4))
        .await
        .unwrap();
    house.pass(90).await;
    assert_eq!(health().await, "degraded");
    house.pass(211).await;
    assert_eq!(health().await, "unreachable");
    let waits = house.submit(&house.admin, "billing", json!({})).await;
    house.broker.tick().await.unwrap();
    assert!(calls.try_next().is_none());
    let intent = house.intent(&waits).await;
    assert_eq!(
        intent["delivery"]["parked_reason"], "agent_unreachable",
        "{intent}"
    );
    beat(json!({})).await;
    assert_eq!(calls.next().await.unwrap().intent.id.to_string(), waits);

    let events = house.get("/v1/mesh/events?event_type=agent.health_changed", &key);
    let words: Vec<_> = events.await.ok()["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["details"]["to"].clone())
        .collect();
    assert_eq!(words, ["healthy", "unreachable", "degraded", "healthy"]);
    let feed = house
        .get("/v1/events?types=agent.health_changed", &house.admin)
        .await;
    assert_eq!(feed.ok()["events"].as_array().unwrap().len(), 4);
}
