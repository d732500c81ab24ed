//! Inboxes, approvals and tasks.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::house::{House, house};

/// Sends a refund that finance has to approve; answers with the intent's and the thread's id.
async fn refund(house: &House, task: Value) -> (String, String) {
    let body = json!({
        "intent_type": "intent.refund.v1", "to_agent": "finance",
        "payload": { "amount": 12 }, "human_task": task,
    });
    let made = house.post("/v1/intents", &house.admin, body).await.ok();
    assert_eq!(made["status"], "WAITING");
    let id = made["intent_id"].as_str().unwrap().to_owned();
    let thread = house.intent(&id).await["thread_id"]
        .as_str()
        .unwrap()
        .to_owned();
    (id, thread)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_human_intent_waits_in_its_owner_s_inbox_with_its_task() {
    let house = house().await;
    let finance = house.key("finance", "agent").await;
    let (id, thread) = refund(&house, json!({ "title": "Refund?" })).await;
    let intent = house.intent(&id).await;
    assert_eq!(intent["waiting_reason"], "WAITING_FOR_HUMAN");
    assert_eq!(intent["pending_with"]["type"], "human");
    assert_eq!(
        house.event_types(&id).await[3..],
        ["intent.waiting", "intent.human_task_assigned"]
    );
    let inbox = house.get("/v1/inbox?status=pending", &finance).await.ok();
    let shown = &inbox["threads"][0];
    assert_eq!(shown["thread_id"], json!(thread));
    assert_eq!(shown["status"], "pending");
    assert_eq!(shown["subject"], "Refund?");
    assert_eq!(
        shown["human_task"]["allowed_outcomes"],
        json!(["approved", "rejected"])
    );
    let whole = house
        .get(&format!("/v1/inbox/{thread}"), &finance)
        .await
        .ok();
    let first = &whole["thread"]["timeline"][0];
    assert_eq!(first["event_type"], "intent_received");
    assert_eq!(first["details"]["payload"], json!({ "amount": 12 }));
    let tasks = house.get("/v1/me/tasks", &finance).await.ok();
    assert_eq!(tasks["tasks"][0]["intent_id"], json!(id));
    assert_eq!(tasks["tasks"][0]["status"], "WAITING");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_with_more_tasks_than_a_page_sees_each_by_following_the_cursor() {
    let house = house().await;
    let finance = house.key("finance", "agent").await;
    let item = |to: &str| {
        let task = json!({ "title": "?" });
        json!({ "intent_type": "a.b.v1", "to_agent": to, "payload": {}, "human_task": task })
    };
    let mut made = BTreeSet::new();
    for _ in 0..2 {
        // 600 of hers behind 600 of somebody else's, and one that is hers by name alone.
        for (to, count) in [("other", 300), ("finance", 299), ("finance", 1)] {
            let mut items: Vec<Value> = (0..count).map(|_| item(to)).collect();
            items.extend((count == 1).then(|| {
                let mut by_name = item("other");
                by_name["human_task"]["assignees"] = json!(["finance"]);
                by_name
            }));
            let body = json!({ "intents": items });
            let answer = house
                .post("/v1/intents/batch", &house.admin, body)
                .await
                .ok();
            if to == "finance" {
                let results = answer["results"].as_array().unwrap();
                made.extend(results.iter().map(|one| one["intent_id"].to_string()));
            }
        }
    }
    for (limit, pages) in [(500, 2), (101, 6), (7, 86)] {
        let (mut seen, mut asked, mut cursor) = (Vec::new(), 0, String::new());
        loop {
            let path = format!("/v1/me/tasks?limit={limit}{cursor}");
            let page = house.get(&path, &finance).await.ok();
            let tasks = page["tasks"].as_array().unwrap();
            assert!(tasks.len() <= limit);
            seen.extend(tasks.iter().map(|task| task["intent_id"].to_string()));
            asked += 1;
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 602, "each once");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made);
        // The last page may be empty: what is left may be somebody else's.
        assert!((pages..=pages + 1).contains(&asked), "{asked} of {limit}");
    }
    let bad = house.get("/v1/me/tasks?cursor=x", &finance).await;
    bad.refused(400, "bad_cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn approve_completes_and_the_opposite_comes_too_late() {
    let house = house().await;
    let (id, thread) = refund(&house, json!({ "title": "Refund?" })).await;
    let path = format!("/v1/inbox/{thread}/approve?owner_agent=finance");
    let body = house
        .post(&path, &house.admin, json!({ "comment": "fine" }))
        .await
        .ok();
    assert_eq!(body["thread"]["status"], "done");
    let types: Vec<_> = body["thread"]["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["event_type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["intent_received", "inbox.approved"]);
    let intent = house.intent(&id).await;
    assert_eq!(intent["status"], "COMPLETED");
    assert_eq!(intent["result"]["outcome"], "approved");
    assert_eq!(intent["human_task"]["decision"]["comment"], "fine");
    house
        .post(&path, &house.admin, json!({ "comment": "fine" }))
        .await
        .ok();
    let refusal = house
        .post(
            &format!("/v1/inbox/{thread}/reject?owner_agent=finance"),
            &house.admin,
            json!({}),
        )
        .await
        .refused(409, "already_decided");
    assert_eq!(refusal["details"]["outcome"], "approved");
    assert_eq!(refusal["details"]["by"], "agent://local/default/finance");
}

#[tokio::test(flavor = "multi_thread")]
async fn reject_fails_the_intent_with_the_comment() {
    let house = house().await;
    let (id, _) = refund(&house, json!({})).await;
    // A thread's routes take the id of an open task's intent too.
    let path = format!("/v1/inbox/{id}/reject?owner_agent=finance");
    house
        .post(&path, &house.admin, json!({ "comment": "too much" }))
        .await
        .ok();
    let intent = house.intent(&id).await;
    assert_eq!(intent["status"], "FAILED");
    assert_eq!(intent["error"]["code"], "rejected");
    let letters = house.get("/v1/dead-letters", &house.admin).await.ok();
    assert_eq!(
        letters["dead_letters"],
        json!([]),
        "a person's no is an answer"
    );
    let asked = house
        .get("/v1/dead-letters?reason=rejected", &house.admin)
        .await
        .ok();
    assert_eq!(asked["dead_letters"][0]["intent_id"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_by_resume_is_checked_against_the_task() {
    let house = house().await;
    let (id, _) = refund(&house, json!({ "title": "?", "required_comment": true })).await;
    let path = format!("/v1/intents/{id}/resume");
    let decide = async |result: Value| {
        house
            .post(&path, &house.admin, json!({ "task_result": result }))
            .await
    };
    let refusal = decide(json!({ "outcome": "maybe", "comment": "x" }))
        .await
        .refused(422, "outcome_not_allowed");
    assert_eq!(refusal["message"], "outcome \"maybe\" is not allowed");
    assert_eq!(
        refusal["details"]["allowed"],
        json!(["approved", "rejected"])
    );
    decide(json!({ "outcome": "approved" }))
        .await
        .refused(422, "comment_required");
    decide(json!({ "outcome": "approved", "comment": "ok" }))
        .await
        .ok();
    decide(json!({ "outcome": "rejected", "comment": "no" }))
        .await
        .refused(409, "intent_terminal");
    let plain = house.submit(&house.admin, "orders", json!({})).await;
    let thread = house
        .post(
            &format!("/v1/inbox/{plain}/approve"),
            &house.admin,
            json!({}),
        )
        .await;
    thread.refused(404, "thread_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_decided_by_its_id_and_unknown_ones_are_not_there() {
    let house = house().await;
    let (id, thread) = refund(&house, json!({})).await;
    for unknown in ["x", "018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d"] {
        house
            .post(
                &format!("/v1/approvals/{unknown}/decision"),
                &house.admin,
                json!({ "decision": "approve" }),
            )
            .await
            .refused(404, "approval_not_found");
        house
            .post(
                &format!("/v1/inbox/{unknown}/reply"),
                &house.admin,
                json!({ "message": "hi" }),
            )
            .await
            .refused(404, "thread_not_found");
    }
    let path = format!("/v1/approvals/{thread}/decision");
    house
        .post(&path, &house.admin, json!({ "decision": "maybe" }))
        .await
        .refused(422, "schema_invalid");
    let body = json!({ "decision": "approve", "comment": "ok" });
    let answer = house.post(&path, &house.admin, body).await.ok();
    assert_eq!(answer["approval"]["approval_id"], json!(thread));
    assert_eq!(answer["approval"]["decision"], "approve");
    assert_eq!(answer["approval"]["decided_at"], "2026-04-11T10:00:00.000Z");
    assert_eq!(house.intent(&id).await["status"], "COMPLETED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused_and_foreign_threads_are_not_there() {
    let house = house().await;
    let other = house.key("other", "agent").await;
    let (_, thread) = refund(&house, json!({})).await;
    let path = format!("/v1/inbox/{thread}/approve");
    house
        .post(&path, &other, json!({}))
        .await
        .refused(404, "thread_not_found");
    house
        .get(&format!("/v1/inbox/{thread}"), &other)
        .await
        .refused(404, "thread_not_found");
    house
        .post(&path, &house.admin, json!({ "task_version": 0 }))
        .await
        .refused(422, "schema_invalid");
    house
        .post(&path, &house.admin, json!({ "hold_seconds": 61 }))
        .await
        .refused(422, "schema_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_agent_s_reply_is_the_answer() {
    let house = house().await;
    house
        .account("desk", json!({ "delivery_mode": "inbox" }))
        .await;
    let id = house.submit(&house.admin, "desk", json!({ "q": 1 })).await;
    assert_eq!(house.intent(&id).await["status"], "WAITING");
    let path = format!("/v1/inbox/{id}/reply?owner_agent=desk");
    let answer = house
        .post(&path, &house.admin, json!({ "message": "42" }))
        .await
        .ok();
    assert_eq!(answer["thread"]["status"], "done");
    let intent = house.intent(&id).await;
    assert_eq!(intent["status"], "COMPLETED");
    assert_eq!(intent["result"]["outcome"], "replied");
    assert_eq!(intent["result"]["message"], "42");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_decision_can_be_taken_back_and_takes_effect_otherwise() {
    let house = house().await;
    let (id, thread) = refund(&house, json!({})).await;
    let path = format!("/v1/inbox/{thread}/approve?owner_agent=finance");
    let held = house
        .post(&path, &house.admin, json!({ "hold_seconds": 5 }))
        .await
        .ok();
    assert_eq!(held["thread"]["status"], "pending");
    assert_eq!(held["held"]["effective_at"], "2026-04-11T10:00:05.000Z");
    assert_eq!(held["held"]["by"], "agent://local/default/finance");
    let list = house.get("/v1/holds", &house.admin).await.ok();
    assert_eq!(list["holds"][0]["subject"], json!(id));
    let hold = list["holds"][0]["hold_id"].as_str().unwrap();
    let cancel = format!("/v1/holds/{hold}/cancel");
    let canceled = house.post(&cancel, &house.admin, json!({})).await.ok();
    assert_eq!(canceled["hold"]["hold_id"], json!(hold));
    house.pass(6).await;
    assert_eq!(house.intent(&id).await["status"], "WAITING");
    house
        .post(&cancel, &house.admin, json!({}))
        .await
        .refused(409, "hold_elapsed");

    house
        .post(&path, &house.admin, json!({ "hold_seconds": 5 }))
        .await
        .ok();
    house.pass(6).await;
    assert_eq!(house.intent(&id).await["status"], "COMPLETED");
}

#[tokio::test(flavor = "multi_thread")]
async fn holding_and_taking_back_are_answered_alike_under_the_same_key() {
    let house = house().await;
    let (id, thread) = refund(&house, json!({})).await;
    let twice = async |path: &str, key: &str, body: Value| {
        let headers = [("idempotency-key", key)];
        let first = house
            .post_with(path, &house.admin, &headers, body.clone())
            .await
            .ok();
        let again = house
            .post_with(path, &house.admin, &headers, body)
            .await
            .ok();
        (first, again)
    };
    let approve = format!("/v1/inbox/{thread}/approve?owner_agent=finance");
    let other = json!({ "hold_seconds": 9 });
    house.post(&approve, &house.admin, other).await.ok();
    let (held, again) = twice(&approve, "k-1", json!({ "hold_seconds": 5 })).await;
    assert_eq!(held["held"]["effective_at"], "2026-04-11T10:00:05.000Z");
    assert_eq!(again["held"], held["held"]);
    let hold = held["held"]["hold_id"].as_str().unwrap();
    let cancel = format!("/v1/holds/{hold}/cancel");
    let (canceled, again) = twice(&cancel, "k-2", json!({})).await;
    assert_eq!(canceled["hold"]["state"], "canceled");
    assert_eq!(again, canceled);
    house.pass(6).await;
    assert_eq!(house.intent(&id).await["status"], "WAITING");
    let audit = house.get("/v1/audit/events", &house.admin).await.text;
    assert_eq!(audit.matches("hold.cancel").count(), 1, "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_an_inbox_come_once_each_under_rising_cursors() {
    let house = house().await;
    let path = "/v1/inbox/changes?owner_agent=finance";
    let none = house.get(path, &house.admin).await.ok();
    assert_eq!(none["changes"], json!([]));
    assert_eq!(none["next_cursor"], json!(null));
    let (_, first) = refund(&house, json!({})).await;
    let (_, second) = refund(&house, json!({})).await;
    let page = house
        .get(&format!("{path}&limit=1"), &house.admin)
        .await
        .ok();
    assert_eq!(page["changes"][0]["thread"]["thread_id"], json!(first));
    assert_eq!(page["has_more"], json!(true));
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = house
        .get(&format!("{path}&cursor={cursor}"), &house.admin)
        .await
        .ok();
    assert_eq!(page["changes"][0]["thread"]["thread_id"], json!(second));
    assert_eq!(page["has_more"], json!(false));
    let cursor = page["next_cursor"].as_str().unwrap().to_owned();
    let empty = house
        .get(&format!("{path}&cursor={cursor}"), &house.admin)
        .await
        .ok();
    assert_eq!(empty["changes"], json!([]));
    assert_eq!(empty["next_cursor"], json!(cursor));
    // Nor does it wait at a place that nobody was ever given.
    for foreign in ["nonsense", "ch_99999999", "ch_-1", "CH_1"] {
        house
            .get(&format!("{path}&cursor={foreign}"), &house.admin)
            .await
            .refused(400, "bad_cursor");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_who_names_an_inbox_gets_what_lies_there_and_nothing_else() {
    let house = house().await;
    let key = &house.admin;
    let task = json!({ "title": "Refund?", "assignees": ["anna"] });
    let (id, thread) = refund(&house, task).await;
    let there = format!("/v1/inbox/{thread}");
    for (verb, body) in [
        ("reply", json!({ "message": "m" })),
        ("approve", json!({})),
        ("reject", json!({})),
        ("delegate", json!({ "delegate_to": "bob" })),
        ("read", json!({})),
        ("messages/delete", json!({})),
    ] {
        let path = format!("{there}/{verb}?owner_agent=elsewhere");
        let foreign = house.post(&path, key, body).await;
        foreign.refused(404, "thread_not_found");
    }
    let path = format!("{there}?owner_agent=elsewhere");
    house.get(&path, key).await.refused(404, "thread_not_found");
    let path = format!("/v1/approvals/{id}/decision?owner_agent=elsewhere");
    let body = json!({ "decision": "approve" });
    let foreign = house.post(&path, key, body).await;
    foreign.refused(404, "approval_not_found");
    assert_eq!(house.intent(&id).await["status"], "WAITING");
    for (owner, tasks) in [("elsewhere", 0), ("finance", 1), ("anna", 1)] {
        let path = format!("/v1/me/tasks?owner_agent={owner}");
        let listed = house.get(&path, key).await.ok();
        assert_eq!(listed["tasks"].as_array().unwrap().len(), tasks, "{owner}");
    }
    let everybody_s = house.get("/v1/me/tasks", key).await.ok();
    assert_eq!(everybody_s["tasks"][0]["intent_id"], json!(id));
    for owner in [
        "",
        "?owner_agent=*",
        "?owner_agent=finance",
        "?owner_agent=anna",
    ] {
        house.get(&format!("{there}{owner}"), key).await.ok();
    }
}
