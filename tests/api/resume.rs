//! The table of what a resume means, row by row.

use serde_json::{Value, json};

use crate::house::{House, house};

/// Sends an intent, claims it, resumes it with this body and answers with the intent.
async fn resumed(house: &House, body: Value) -> Value {
    let id = house.submit(&house.admin, "orders", json!({})).await;
    house.poll(&house.admin, "orders").await;
    let path = format!("/v1/intents/{id}/resume?owner_agent=orders");
    let answer = house.post(&path, &house.admin, body).await.ok();
    assert_eq!(answer["applied"], json!(true));
    assert_eq!(answer["policy_generation"], json!(0));
    let intent = house.intent(&id).await;
    assert_eq!(answer["intent"]["status"], intent["status"]);
    intent
}

/// Numbers that no machine's own kind of number holds, and one that it would spell otherwise.
const NUMBERS: &str =
    r#"{"big":123456789012345678901234567890,"deep":[{"e":1.50e+3}],"frac":0.1234567890123456789}"#;

#[tokio::test(flavor = "multi_thread")]
async fn numbers_come_back_as_they_were_written_wherever_they_go() {
    let house = house().await;
    let sent = async |path: &str, body: String| {
        let request = house.request("POST", path, &house.admin).body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
        response.text().await.unwrap()
    };
    let made = async |more: &str| {
        let body = format!(
            r#"{{"intent_type":"intent.sum.v1","to_agent":"sums","payload":{NUMBERS}{more}}}"#
        );
        let made = sent("/v1/intents", body).await;
        let made: Value = serde_json::from_str(&made).unwrap();
        made["intent_id"].as_str().unwrap().to_owned()
    };
    let form = r#","human_task":{"task_type":"form","form_schema":{"type":"object","properties":{"big":{"type":"integer"}}}}"#;
    let outside = NUMBERS.strip_prefix('{').unwrap();
    for (task, body) in [
        ("", format!(r#"{{"action":"complete",{outside}"#)),
        ("", format!(r#"{{"action":"complete","result":{NUMBERS}}}"#)),
        ("", format!(r#"{{"action":"fail","reason":"r",{outside}"#)),
        (
            form,
            format!(r#"{{"task_result":{{"outcome":"submitted","data":{NUMBERS}}}}}"#),
        ),
        (
            form,
            format!(r#"{{"task_result":{{"outcome":"rejected",{outside}}}"#),
        ),
    ] {
        let id = made(task).await;
        let answer = sent(&format!("/v1/intents/{id}/resume"), body.clone()).await;
        let whole = house.get(&format!("/v1/intents/{id}"), &house.admin).await;
        let events = format!("/v1/intents/{id}/events");
        let events = house.get(&events, &house.admin).await;
        for (what, text) in [
            ("answer", &answer),
            ("intent", &whole.text),
            ("events", &events.text),
        ] {
            for number in [
                r#""big":123456789012345678901234567890"#,
                r#""deep":[{"e":1.50e+3}]"#,
                r#""frac":0.1234567890123456789"#,
            ] {
                assert!(
                    text.contains(number),
                    "{number} of {body} in {what}: {text}"
                );
            }
        }
    }
    let id = made("").await;
    let failed = format!(r#"{{"status":"FAILED","error":{{"code":"x","details":{NUMBERS}}}}}"#);
    let answer = sent(&format!("/v1/intents/{id}/resolve"), failed).await;
    assert!(answer.contains(NUMBERS), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_says_done_completes_with_the_other_keys_as_result() {
    let house = house().await;
    for word in [
        "complete",
        "completed",
        "success",
        "done",
        "ok",
        "approve",
        "approved",
    ] {
        let body = json!({ "action": word, "order_id": "x", "status": "captured" });
        let intent = resumed(&house, body).await;
        assert_eq!(intent["status"], "COMPLETED", "{word}");
        assert_eq!(
            intent["result"],
            json!({ "order_id": "x", "status": "captured" })
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_says_no_fails_with_its_reason() {
    let house = house().await;
    for word in ["fail", "failed", "error", "reject", "rejected"] {
        let body = json!({ "action": word, "reason": "no stock", "sku": 7 });
        let intent = resumed(&house, body).await;
        assert_eq!(intent["status"], "FAILED", "{word}");
        assert_eq!(intent["error"]["code"], "agent_failed");
        assert_eq!(intent["error"]["message"], "no stock");
        assert_eq!(intent["error"]["details"]["sku"], json!(7));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_reports_progress_goes_on() {
    let house = house().await;
    for word in ["progress", "in_progress", "heartbeat", "ack", "working"] {
        let intent = resumed(&house, json!({ "action": word })).await;
        assert_eq!(intent["status"], "IN_PROGRESS", "{word}");
        assert_eq!(intent["delivery"]["state"], "leased");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_or_approved_that_says_no_fails() {
    let house = house().await;
    for body in [
        json!({ "outcome": "failed" }),
        json!({ "outcome": "rejected" }),
        json!({ "approved": false }),
    ] {
        assert_eq!(
            resumed(&house, body.clone()).await["status"],
            "FAILED",
            "{body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_other_key_completes_and_control_keys_alone_do_not() {
    let house = house().await;
    let intent = resumed(&house, json!({ "order_id": "x", "result": { "total": 3 } })).await;
    assert_eq!(intent["status"], "COMPLETED");
    assert_eq!(intent["result"], json!({ "order_id": "x", "total": 3 }));
    for body in [json!({}), json!({ "actor": "me", "reason": "because" })] {
        let intent = resumed(&house, body.clone()).await;
        assert_eq!(intent["status"], "IN_PROGRESS", "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_result_and_a_stale_attempt_change_nothing() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let rows = house.poll(&house.admin, "orders").await;
    let path = format!("/v1/intents/{id}/resume");
    house
        .post(
            &path,
            &house.admin,
            json!({ "attempt_id": "att_9999", "a": 1 }),
        )
        .await
        .refused(409, "attempt_stale");
    house
        .post(&path, &house.admin, json!({ "attempt_id": "nonsense" }))
        .await
        .refused(422, "schema_invalid");
    let body = json!({ "attempt_id": rows[0]["attempt_id"], "a": 1 });
    house.post(&path, &house.admin, body).await.ok();
    let refusal = house
        .post(&path, &house.admin, json!({ "a": 2 }))
        .await
        .refused(409, "intent_terminal");
    assert_eq!(refusal["details"]["status"], "COMPLETED");
    let events = house.event_types(&id).await;
    let ends = events
        .iter()
        .filter(|name| *name == "intent.completed")
        .count();
    assert_eq!(ends, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_generation_is_a_quiet_no() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let body = json!({ "a": 1, "expected_policy_generation": 3 });
    let answer = house
        .post(&format!("/v1/intents/{id}/resume"), &house.admin, body)
        .await
        .ok();
    assert_eq!(answer["applied"], json!(false));
    assert_eq!(answer["reason"], "stale_policy_generation");
    assert_eq!(house.intent(&id).await["status"], "DELIVERED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_resumes_what_is_addressed_to_it_and_nothing_else() {
    let house = house().await;
    let web = house.key("web", "sender").await;
    let orders = house.key("orders", "agent").await;
    let billing = house.key("billing", "agent").await;
    let body = json!({ "action": "done" });
    let id = house.submit(&web, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/resume");
    house
        .post(&path, &billing, body.clone())
        .await
        .refused(404, "intent_not_found");
    let as_other = format!("{path}?owner_agent=billing");
    house
        .post(&as_other, &orders, body.clone())
        .await
        .refused(403, "forbidden");
    house.post(&path, &orders, body).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_resume_with_a_key_gets_the_first_answer() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/intents/{id}/resume");
    let key = [("Idempotency-Key", "done-1")];
    let first = house
        .post_with(&path, &house.admin, &key, json!({ "a": 1 }))
        .await
        .ok();
    let second = house
        .post_with(&path, &house.admin, &key, json!({ "a": 1 }))
        .await
        .ok();
    assert_eq!(first, second);
    house
        .post_with(&path, &house.admin, &key, json!({ "a": 2 }))
        .await
        .refused(409, "idempotency_conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_is_none_is_refused_and_ends_nothing() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    house.poll(&house.admin, "orders").await;
    let path = format!("/v1/intents/{id}/resume?owner_agent=orders");
    for body in [
        json!({ "action": "dance" }),
        json!({ "action": "compelte", "order_id": "1" }),
        json!({ "action": 7 }),
    ] {
        let reply = house.post(&path, &house.admin, body.clone()).await;
        let error = reply.refused(422, "schema_invalid");
        assert_eq!(
            reply.json()["detail"][0]["loc"],
            json!(["body", "action"]),
            "{body}"
        );
        assert!(
            error["message"].as_str().unwrap().contains("hint"),
            "{error}"
        );
    }
    assert_eq!(house.intent(&id).await["status"], "DELIVERED");
    house
        .post(&path, &house.admin, json!({ "action": "done" }))
        .await
        .ok();
}

/// The outcomes of an intent's attempts, the first one first.
async fn outcomes(house: &House, id: &str) -> Vec<Value> {
    let path = format!("/v1/attempts?intent_id={id}");
    let page = house.get(&path, &house.admin).await.ok();
    let mut attempts = page["attempts"].as_array().unwrap().clone();
    attempts.reverse();
    attempts
        .iter()
        .map(|attempt| attempt["outcome"].clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_comes_too_late_is_refused_and_recorded_on_its_attempt() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    let first = house.poll(&house.admin, "orders").await;
    let first = first[0]["attempt_id"].clone();
    assert!(first.is_string(), "{first}");
    house.pass(301).await;
    house.pass(10).await;
    house.poll(&house.admin, "orders").await;
    let path = format!("/v1/intents/{id}/resume?owner_agent=orders");
    let late = json!({ "action": "done", "attempt_id": first });
    for _ in 0..2 {
        house
            .post(&path, &house.admin, late.clone())
            .await
            .refused(409, "attempt_stale");
    }
    assert_eq!(outcomes(&house, &id).await, ["rejected_stale", "in_flight"]);
    house
        .post(&path, &house.admin, json!({ "action": "done" }))
        .await
        .ok();
    // The second result of an attempt whose first one counted leaves that one as it is.
    house
        .post(&path, &house.admin, json!({ "action": "done" }))
        .await
        .refused(409, "intent_terminal");
    assert_eq!(outcomes(&house, &id).await, ["rejected_stale", "completed"]);
    let events = house
        .get(
            &format!("/v1/events?intent_id={id}&types=intent.result_rejected"),
            &house.admin,
        )
        .await
        .ok();
    let rejected = events["events"].as_array().unwrap();
    assert_eq!(rejected.len(), 2, "one for each attempt: {events}");
    assert_eq!(rejected[0]["data"]["attempt_id"], first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_after_the_cancel_is_recorded_and_a_stranger_s_is_not() {
    let house = house().await;
    let id = house.submit(&house.admin, "orders", json!({})).await;
    house.poll(&house.admin, "orders").await;
    house
        .post(&format!("/v1/intents/{id}/cancel"), &house.admin, json!({}))
        .await
        .ok();
    assert_eq!(outcomes(&house, &id).await, ["withdrawn"]);
    let path = format!("/v1/intents/{id}/resume");
    house
        .post(&path, &house.admin, json!({ "action": "done" }))
        .await
        .refused(409, "intent_terminal");
    assert_eq!(outcomes(&house, &id).await, ["withdrawn"]);
    house
        .post(
            &format!("{path}?owner_agent=orders"),
            &house.admin,
            json!({ "action": "done" }),
        )
        .await
        .refused(409, "intent_terminal");
    assert_eq!(outcomes(&house, &id).await, ["rejected_stale"]);
}
