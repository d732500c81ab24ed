//! Tools over the Model Context Protocol.

use serde_json::{Value, json};

use crate::house::{House, Reply, house};

async fn rpc(house: &House, key: &str, body: Value) -> Reply {
    house.post("/mcp", key, body).await
}

async fn ask(house: &House, key: &str, method: &str, params: Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": "1", "method": method, "params": params });
    let reply = rpc(house, key, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let answer = reply.json();
    assert_eq!(
        (&answer["jsonrpc"], &answer["id"]),
        (&json!("2.0"), &json!("1"))
    );
    answer
}

async fn tool(house: &House, key: &str, name: &str, arguments: Value) -> Value {
    let params = json!({ "name": format!("axme.{name}"), "arguments": arguments });
    ask(house, key, "tools/call", params).await
}

fn code(answer: &Value) -> i64 {
    answer["error"]["code"]
        .as_i64()
        .unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_is_introduced_and_told_the_tools_without_a_key() {
    let house = house().await;
    let hello = ask(
        &house,
        "",
        "initialize",
        json!({ "protocolVersion": "2025-06-18" }),
    )
    .await;
    assert_eq!(hello["result"]["protocolVersion"], json!("2024-11-05"));
    assert_eq!(
        ask(&house, "", "ping", json!({})).await["result"],
        json!({})
    );
    let tools = ask(&house, "", "tools/list", json!({})).await["result"]["tools"].clone();
    assert_eq!(tools.as_array().unwrap().len(), 8);
    assert_eq!(tools[1]["inputSchema"]["required"], json!(["intent_id"]));
    assert_eq!(
        code(&ask(&house, "", "resources/list", json!({})).await),
        -32001
    );
    let listed = ask(&house, &house.admin, "resources/list", json!({})).await;
    assert_eq!(listed["result"], json!({ "resources": [] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_send_read_decide_and_replay() {
    let house = house().await;
    let key = &house.admin;
    let sent = tool(
        &house,
        key,
        "send_intent",
        json!({
            "intent_type": "intent.refund.v1", "to_agent": "finance", "payload": { "amount": 3 },
            "human_task": { "title": "May we?" }, "correlation_id": null, "idempotency_key": "k1",
        }),
    );
    let sent = sent.await["result"].clone();
    assert_eq!(sent["tool"], json!("axme.send_intent"));
    let id = sent["data"]["intent_id"].as_str().unwrap().to_owned();
    let text: Value = serde_json::from_str(sent["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, sent["data"]);

    let inbox = tool(
        &house,
        key,
        "list_inbox",
        json!({ "owner_agent": "finance", "limit": 5 }),
    )
    .await;
    assert_eq!(
        inbox["result"]["data"]["threads"][0]["intent_id"],
        json!(id)
    );
    assert_eq!(inbox["result"]["owner_agent"], json!("finance"));
    let yes = json!({ "thread_id": id, "comment": "fine", "owner_agent": "finance" });
    let approved = tool(&house, key, "approve", yes).await;
    assert_eq!(
        approved["result"]["data"]["thread"]["status"],
        json!("done")
    );
    let no = json!({ "thread_id": id, "owner_agent": "finance" });
    let refused = tool(&house, key, "reject", no).await;
    assert_eq!(code(&refused), -32010);
    assert_eq!(refused["error"]["data"]["code"], json!("already_decided"));
    let read = tool(&house, key, "get_intent", json!({ "intent_id": id })).await;
    assert_eq!(
        read["result"]["data"]["intent"]["status"],
        json!("COMPLETED")
    );
    let decision = &read["result"]["data"]["intent"]["human_task"]["decision"];
    assert_eq!(decision["via"], json!("mcp"), "{read}");

    let dead = house.submit(key, "orders", json!({})).await;
    house
        .post(
            &format!("/v1/intents/{dead}/resume"),
            key,
            json!({ "action": "fail" }),
        )
        .await
        .ok();
    let letters = tool(&house, key, "list_dead_letters", json!({})).await;
    assert_eq!(
        letters["result"]["data"]["dead_letters"][0]["intent_id"],
        json!(dead)
    );
    let replayed = tool(
        &house,
        key,
        "replay",
        json!({ "intent_id": dead, "payload": { "n": 2 } }),
    )
    .await;
    assert_eq!(
        replayed["result"]["data"]["intent"]["replay_of"],
        json!(dead)
    );

    let audit = house.get("/v1/audit/events?via=mcp", key).await.ok();
    let actions: Vec<&Value> = audit["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["action"])
        .collect();
    assert!(
        actions.contains(&&json!("dead_letter.replay")),
        "{actions:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_in_a_tool_s_arguments_and_answers_stay_as_they_were_written() {
    let house = house().await;
    let written = r#"{"big":123456789012345678901234567890,"price":1.10,"tiny":1.50e-3}"#;
    let said = async |name: &str, arguments: String| {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1.10,"method":"tools/call","params":{{"name":"axme.{name}","arguments":{arguments}}}}}"#
        );
        let request = house.request("POST", "/mcp", &house.admin).body(body);
        house.send(request).await.text
    };
    let send = format!(r#"{{"intent_type":"a.b.v1","to_agent":"orders","payload":{written}}}"#);
    let sent: Value = serde_json::from_str(&said("send_intent", send).await).unwrap();
    let id = &sent["result"]["data"]["intent_id"];
    let shown = said("get_intent", format!(r#"{{"intent_id":{id}}}"#)).await;
    assert!(shown.contains(written), "{shown}");
    assert!(shown.contains(r#""id":1.10"#), "{shown}");
    let rows = house.get("/v1/agents/orders/intents", &house.admin).await;
    assert!(rows.text.contains(written), "{}", rows.text);
    let infinite = said("get_intent", r#"{"intent_id":1e400}"#.to_owned()).await;
    assert!(
        infinite.contains("-32700") && infinite.contains("1e400"),
        "{infinite}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_under_the_same_key_acts_once() {
    let house = house().await;
    let send = |n: i64| {
        json!({
            "intent_type": "intent.order.process.v1", "to_agent": "orders", "payload": { "n": n }, "idempotency_key": "k",
        })
    };
    let first = tool(&house, &house.admin, "send_intent", send(1)).await;
    let again = tool(&house, &house.admin, "send_intent", send(1)).await;
    assert_eq!(
        first["result"]["data"]["intent_id"],
        again["result"]["data"]["intent_id"]
    );
    let other = tool(&house, &house.admin, "send_intent", send(2)).await;
    assert_eq!(
        other["error"]["data"]["code"],
        json!("idempotency_conflict")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_has_the_code_made_for_it() {
    let house = house().await;
    let web = house.key("web", "sender").await;
    let get = |id: &str| json!({ "intent_id": id });
    assert_eq!(
        code(&tool(&house, "", "get_intent", get("x")).await),
        -32001
    );
    assert_eq!(
        code(&tool(&house, "axme_sa_nobody", "get_intent", get("x")).await),
        -32001
    );
    assert_eq!(
        code(&tool(&house, &web, "list_dead_letters", json!({})).await),
        -32003
    );
    let foreign = json!({ "owner_agent": "finance" });
    assert_eq!(
        code(&tool(&house, &web, "list_inbox", foreign).await),
        -32003
    );
    let two = json!({ "name": "axme.list_inbox", "arguments": { "owner_agent": "web" }, "owner_agent": "finance" });
    let two = ask(&house, &house.admin, "tools/call", two).await;
    assert_eq!(code(&two), -32002, "{two}");
    assert_eq!(
        code(&tool(&house, &web, "get_intent", json!({})).await),
        -32602
    );
    assert_eq!(
        code(&tool(&house, &web, "get_intent", json!({ "intent_id": 5 })).await),
        -32602
    );
    assert_eq!(code(&tool(&house, &web, "fly", json!({})).await), -32602);
    assert_eq!(
        code(&tool(&house, &web, "get_intent", get("x")).await),
        -32010
    );
    assert_eq!(
        code(&ask(&house, &web, "tools/fly", json!({})).await),
        -32601
    );
    assert_eq!(
        code(
            &rpc(&house, &web, json!({ "id": 1, "method": "ping" }))
                .await
                .json()
        ),
        -32600
    );
    assert_eq!(code(&rpc(&house, &web, json!([])).await.json()), -32600);
    assert_eq!(code(&rpc(&house, &web, json!(5)).await.json()), -32600);
    let broken = house
        .send(house.request("POST", "/mcp", &web).body("{"))
        .await;
    assert_eq!((broken.status, code(&broken.json())), (200, -32700));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_in_its_order_and_notifications_not_at_all() {
    let house = house().await;
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let ping = |id: i64| json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
    let reply = rpc(&house, "", json!([ping(1), note, ping(2)]))
        .await
        .json();
    let ids: Vec<&Value> = reply
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| &answer["id"])
        .collect();
    assert_eq!(ids, [&json!(1), &json!(2)]);
    for alone in [note.clone(), json!([note])] {
        let reply = rpc(&house, "", alone).await;
        assert_eq!((reply.status, reply.text.as_str()), (202, ""));
    }
    house
        .get("/mcp", "")
        .await
        .refused(405, "method_not_allowed");
}
