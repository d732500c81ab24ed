//! Tasks that are handed on, words that are emptied, and what has been read.

use serde_json::{Value, json};

use crate::house::{House, house};

/// A question to finance; answers with the intent's and the thread's id.
async fn ask(house: &House, more: Value) -> (String, String) {
    let mut body = json!({
        "intent_type": "intent.refund.v1", "to_agent": "finance", "payload": { "amount": 12 },
        "human_task": { "title": "Refund?" },
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let made = house.post("/v1/intents", &house.admin, body).await.ok();
    let id = made["intent_id"].as_str().unwrap().to_owned();
    let thread = house.intent(&id).await["thread_id"].clone();
    (id, thread.as_str().unwrap().to_owned())
}

fn kinds(thread: &Value) -> Vec<&str> {
    let timeline = thread["timeline"].as_array().unwrap();
    timeline
        .iter()
        .map(|entry| entry["event_type"].as_str().unwrap())
        .collect()
}

async fn inbox(house: &House, key: &str) -> Vec<Value> {
    let answer = house.get("/v1/inbox", key).await.ok();
    answer["threads"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_was_handed_on_is_in_both_inboxes_and_either_may_decide() {
    let house = house().await;
    let finance = house.key("finance", "agent").await;
    let bob = house.key("bob", "agent").await;
    let eve = house.key("eve", "agent").await;
    let (id, thread) = ask(&house, json!({})).await;
    assert!(inbox(&house, &bob).await.is_empty());
    let path = format!("/v1/inbox/{thread}/delegate");
    let body = json!({ "delegate_to": "bob", "note": "you know them" });
    let headers = [("idempotency-key", "k-1")];
    let handed = house
        .post_with(&path, &finance, &headers, body.clone())
        .await
        .ok();
    assert_eq!(handed["thread"]["status"], "active");
    assert_eq!(handed["thread"]["human_task"]["version"], 2);
    assert_eq!(
        handed["thread"]["human_task"]["delegated_to"],
        "agent://local/default/bob"
    );
    assert_eq!(
        kinds(&handed["thread"]),
        ["intent_received", "inbox.delegated"]
    );
    let again = house.post_with(&path, &finance, &headers, body).await.ok();
    assert_eq!(again["thread"]["human_task"]["version"], 2);
    for (key, name) in [(&finance, "finance"), (&bob, "bob")] {
        let threads = inbox(&house, key).await;
        assert_eq!(threads.len(), 1, "{name}");
        assert_eq!(threads[0]["thread_id"], json!(thread));
        let owner = format!("agent://local/default/{name}");
        assert_eq!(threads[0]["owner_agent"], json!(owner));
        assert_eq!(threads[0]["to_agent"], "agent://local/default/finance");
        let tasks = house.get("/v1/me/tasks", key).await.ok();
        assert_eq!(tasks["tasks"][0]["intent_id"], json!(id), "{name}");
        let changes = house.get("/v1/inbox/changes", key).await.ok();
        let changed = &changes["changes"][0]["thread"]["thread_id"];
        assert_eq!(*changed, json!(thread), "{name}");
    }
    assert!(inbox(&house, &eve).await.is_empty());
    house
        .post(&format!("/v1/inbox/{thread}/approve"), &eve, json!({}))
        .await
        .refused(404, "thread_not_found");
    let intent = house.intent(&id).await;
    assert_eq!(intent["pending_with"]["name"], "bob");
    assert_eq!(
        house.event_types(&id).await[3..],
        [
            "intent.waiting",
            "intent.human_task_assigned",
            "intent.waiting"
        ],
        "a change of holder is an event"
    );
    let stale = house
        .post(
            &format!("/v1/inbox/{thread}/approve"),
            &finance,
            json!({ "task_version": 1 }),
        )
        .await;
    stale.refused(409, "task_version_stale");
    let done = house
        .post(
            &format!("/v1/inbox/{thread}/approve"),
            &bob,
            json!({ "task_version": 2 }),
        )
        .await
        .ok();
    assert_eq!(done["thread"]["status"], "done");
    let intent = house.intent(&id).await;
    assert_eq!(
        intent["human_task"]["decision"]["by"],
        "agent://local/default/bob"
    );
    house
        .post(&path, &finance, json!({ "delegate_to": "eve" }))
        .await
        .refused(409, "already_decided");
    let audit = house
        .get("/v1/audit/events?action_prefix=task.delegate", &house.admin)
        .await
        .ok();
    let results: Vec<_> = audit["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["result"].clone(), entry["reason"].clone()))
        .collect();
    assert_eq!(results.len(), 2, "{audit}");
    let feed = house
        .get("/v1/events?types=inbox.thread_updated", &house.admin)
        .await
        .ok();
    assert_eq!(
        feed["events"][0]["data"]["delegated_to"],
        "agent://local/default/bob"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_taken_and_given_back_without_saying_to_whom_twice() {
    let house = house().await;
    let (id, thread) = ask(&house, json!({})).await;
    let path = format!("/v1/inbox/{thread}/delegate");
    let taken = house.post(&path, &house.admin, json!({})).await.ok();
    let me = "agent://local/default/operator";
    assert_eq!(taken["thread"]["human_task"]["delegated_to"], me);
    let again = house.post(&path, &house.admin, json!({})).await.ok();
    assert_eq!(again["thread"]["human_task"]["version"], 2, "{again}");
    let back = json!({ "delegate_to": "finance" });
    let back = house.post(&path, &house.admin, back).await.ok();
    assert_eq!(back["thread"]["human_task"]["version"], 3);
    assert_eq!(back["thread"]["human_task"]["delegated_to"], Value::Null);
    let intent = house.intent(&id).await;
    assert_eq!(intent["pending_with"]["name"], "finance");
    house
        .post(&path, &house.admin, json!({ "delegate_to": "a b" }))
        .await
        .refused(422, "invalid_agent_address");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_on_a_task_that_was_handed_on_meanwhile_is_refused() {
    let house = house().await;
    let (id, thread) = ask(&house, json!({})).await;
    let body = json!({ "hold_seconds": 5 });
    let path = format!("/v1/inbox/{thread}/approve?owner_agent=finance");
    house.post(&path, &house.admin, body).await.ok();
    let body = json!({ "delegate_to": "bob" });
    let path = format!("/v1/inbox/{thread}/delegate");
    house.post(&path, &house.admin, body).await.ok();
    house.pass(6).await;
    assert_eq!(house.intent(&id).await["status"], "WAITING");
    let feed = house
        .get("/v1/events?types=hold.elapsed", &house.admin)
        .await;
    assert!(feed.text.contains("task_version_stale"), "{}", feed.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_handed_on_moves_its_run_and_its_new_holder_may_decide_by_the_run() {
    let house = house().await;
    let bob = house.key("bob", "agent").await;
    let body = json!({
        "scenario_id": "hand.on.v1", "agents": [], "humans": [{ "role": "ops", "contact": "ops" }],
        "workflow": { "steps": [{ "step_id": "ask", "tool_id": "tool.human.approval.v1", "assigned_to": "ops" }] },
        "intent": { "type": "intent.x.v1" },
    });
    let applied = house
        .post("/v1/scenarios/apply", &house.admin, body)
        .await
        .ok();
    let run = applied["intent_id"].as_str().unwrap().to_owned();
    let step = house.intent(&run).await["step_intent_id"].clone();
    let path = format!("/v1/intents/{run}/resume");
    let decision = json!({ "task_result": { "outcome": "approved" } });
    house
        .post(&path, &bob, decision.clone())
        .await
        .refused(404, "intent_not_found");
    let delegate = format!("/v1/inbox/{}/delegate", step.as_str().unwrap());
    let body = json!({ "delegate_to": "bob" });
    house.post(&delegate, &house.admin, body).await.ok();
    let parent = house.intent(&run).await;
    assert_eq!(parent["pending_with"]["name"], "bob");
    assert_eq!(
        house.event_types(&run).await[3..],
        ["intent.waiting", "intent.waiting"]
    );
    house.post(&path, &bob, decision).await.ok();
    assert_eq!(house.intent(&run).await["status"], "COMPLETED");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_emptied_one_s_own_or_everybody_s_also_when_all_is_decided() {
    let house = house().await;
    let finance = house.key("finance", "agent").await;
    let (_, thread) = ask(&house, json!({})).await;
    let reply = format!("/v1/inbox/{thread}/reply");
    let empty = format!("/v1/inbox/{thread}/messages/delete");
    for (key, words) in [
        (&finance, "mine 1"),
        (&house.admin, "yours"),
        (&finance, "mine 2"),
    ] {
        let body = json!({ "message": words });
        let answer = house.post(&reply, key, body).await.ok();
        assert_eq!(answer["thread"]["status"], "pending");
    }
    let path = format!("/v1/inbox/{thread}/approve");
    let body = json!({ "comment": "fine" });
    let done = house.post(&path, &finance, body).await.ok();
    let ids: Vec<String> = done["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["message_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 4);
    let headers = [("idempotency-key", "k-1")];
    let body = json!({ "message_ids": [ids[0], ids[1], ids[3], "no such"] });
    let first = house
        .post_with(&empty, &finance, &headers, body.clone())
        .await
        .ok();
    assert_eq!(first["mode"], "self");
    assert_eq!(
        first["message_ids"],
        json!([ids[0]]),
        "one's own words alone"
    );
    assert_eq!(first["deleted_count"], 1);
    let repeat = house.post_with(&empty, &finance, &headers, body).await.ok();
    assert_eq!(repeat["message_ids"], first["message_ids"]);
    let contents = |answer: &Value| -> Vec<String> {
        let messages = answer["messages"].as_array().unwrap();
        let words = messages.iter().map(|message| message["content"].as_str());
        words.map(|words| words.unwrap().to_owned()).collect()
    };
    assert_eq!(contents(&first), ["", "yours", "mine 2", "fine"]);
    let body = json!({ "mode": "both", "limit": 1 });
    let newest = house.post(&empty, &finance, body).await.ok();
    assert_eq!(newest["message_ids"], json!([ids[2]]));
    let body = json!({ "mode": "both" });
    let rest = house.post(&empty, &finance, body.clone()).await.ok();
    assert_eq!(
        contents(&rest),
        ["", "", "", "fine"],
        "a decision's words stay"
    );
    let nothing = house.post(&empty, &finance, body).await.ok();
    assert_eq!(nothing["deleted_count"], 0);
    assert_eq!(nothing["thread"]["status"], "done");
    assert!(kinds(&nothing["thread"]).contains(&"messages_deleted"));
    let body = json!({ "mode": "all", "limit": 101 });
    let refusal = house.post(&empty, &finance, body).await;
    refusal.refused(422, "schema_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_read_until_something_new_happens_to_it() {
    let house = house().await;
    let finance = house.key("finance", "agent").await;
    let (_, thread) = ask(&house, json!({ "reply_to": "web" })).await;
    let path = format!("/v1/inbox/{thread}/read");
    assert_eq!(inbox(&house, &finance).await[0]["read"], json!(false));
    let read = house.post(&path, &finance, json!({})).await.ok();
    assert_eq!(read["thread"]["read"], json!(true));
    assert_eq!(kinds(&read["thread"]), ["intent_received", "read"]);
    let again = house.post(&path, &finance, json!({})).await.ok();
    assert_eq!(kinds(&again["thread"]), ["intent_received", "read"]);
    assert_eq!(inbox(&house, &finance).await[0]["read"], json!(true));
    let body = json!({ "message": "which order?" });
    let reply = format!("/v1/inbox/{thread}/reply");
    house.post(&reply, &house.admin, body).await.ok();
    assert_eq!(inbox(&house, &finance).await[0]["read"], json!(false));
    // A completion is a thread of its own, of another owner.
    let approve = format!("/v1/inbox/{thread}/approve");
    house.post(&approve, &finance, json!({})).await.ok();
    let web = house.key("web", "agent").await;
    let completion = inbox(&house, &web).await[0].clone();
    assert_eq!(completion["read"], json!(false));
    let id = completion["thread_id"].as_str().unwrap();
    let path = format!("/v1/inbox/{id}/read");
    let read = house.post(&path, &web, json!({})).await.ok();
    assert_eq!(read["thread"]["read"], json!(true));
    assert_eq!(inbox(&house, &finance).await[0]["read"], json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_tell_what_a_task_is_about_unless_that_is_large() {
    let house = house().await;
    let finance = house.key("finance", "agent").await;
    let small = ask(&house, json!({})).await;
    let large = ask(&house, json!({ "payload": { "text": "x".repeat(9000) } })).await;
    let changes = house.get("/v1/inbox/changes", &finance).await.ok();
    let changed = changes["changes"].as_array().unwrap().iter();
    let changed = changed.map(|change| change["thread"].clone()).collect();
    for threads in [inbox(&house, &finance).await, changed] {
        for ((_, id), details) in [
            (&small, json!({ "payload": { "amount": 12 } })),
            (&large, json!({ "payload_truncated": true })),
        ] {
            let thread = threads
                .iter()
                .find(|thread| thread["thread_id"] == json!(id));
            assert_eq!(thread.unwrap()["timeline"][0]["details"], details, "{id}");
        }
    }
    let path = format!("/v1/inbox/{}", large.1);
    let whole = house.get(&path, &finance).await.ok();
    let text = &whole["thread"]["timeline"][0]["details"]["payload"]["text"];
    assert_eq!(text.as_str().unwrap().len(), 9000);
}
