//! Every type of task, from the question to its decision, and everything that is refused on the way.

use serde_json::{Value, json};

use crate::house::{House, Reply, house};

/// A type with the outcomes that move on and those that end in a no.
struct Type {
    name: &'static str,
    yes: &'static [&'static str],
    no: &'static [&'static str],
}

const TYPES: [Type; 10] = [
    Type {
        name: "approval",
        yes: &["approved"],
        no: &["rejected"],
    },
    Type {
        name: "review",
        yes: &["approved"],
        no: &["changes_requested", "rejected"],
    },
    Type {
        name: "clarification",
        yes: &["provided"],
        no: &["rejected"],
    },
    Type {
        name: "manual_action",
        yes: &["completed"],
        no: &["failed"],
    },
    Type {
        name: "confirmation",
        yes: &["confirmed"],
        no: &["rejected"],
    },
    Type {
        name: "assignment",
        yes: &["assigned"],
        no: &["declined"],
    },
    Type {
        name: "override",
        yes: &["override_approved"],
        no: &["rejected"],
    },
    Type {
        name: "form",
        yes: &["submitted"],
        no: &["rejected"],
    },
    // A word of the protocol that is no type of ours, and one that nobody has heard of: their outcome is free.
    Type {
        name: "validate_output",
        yes: &["looks_good", "approved"],
        no: &["rejected"],
    },
    Type {
        name: "weigh_the_odds",
        yes: &["even", "approved"],
        no: &["rejected", "failed"],
    },
];

impl Type {
    fn is_free(&self) -> bool {
        matches!(self.name, "validate_output" | "weigh_the_odds")
    }

    /// The outcomes as they are shown, in their order.
    fn shown(&self) -> Value {
        if self.is_free() {
            return json!([]);
        }
        json!([self.yes, self.no].concat())
    }
}

struct Asked {
    id: String,
    thread: String,
}

async fn ask(house: &House, kind: &Type, more: Value) -> Asked {
    let mut task = json!({ "title": format!("A {}?", kind.name), "task_type": kind.name });
    for (key, value) in more.as_object().unwrap() {
        task[key] = value.clone();
    }
    let body = json!({
        "intent_type": "intent.ask.v1", "to_agent": "desk", "payload": { "n": 1 }, "human_task": task,
    });
    let made = house.post("/v1/intents", &house.admin, body).await.ok();
    let id = made["intent_id"].as_str().unwrap().to_owned();
    let thread = house.intent(&id).await["thread_id"].clone();
    Asked {
        id,
        thread: thread.as_str().unwrap().to_owned(),
    }
}

async fn resume(house: &House, id: &str, body: Value) -> Reply {
    let path = format!("/v1/intents/{id}/resume?owner_agent=desk");
    let headers = [("x-postroom-via", "cli")];
    house.post_with(&path, &house.admin, &headers, body).await
}

async fn decide(house: &House, asked: &Asked, result: Value) -> Reply {
    resume(house, &asked.id, json!({ "task_result": result })).await
}

async fn verb(house: &House, asked: &Asked, verb: &str, body: Value) -> Reply {
    let path = format!("/v1/inbox/{}/{verb}?owner_agent=desk", asked.thread);
    house.post(&path, &house.admin, body).await
}

/// The newest decision in the audit log about an intent.
async fn audited(house: &House, id: &str) -> Value {
    let path = "/v1/audit/events?action_prefix=task.decide";
    let log = house.get(path, &house.admin).await.ok();
    let events = log["events"].as_array().unwrap();
    events
        .iter()
        .find(|entry| entry["target"] == json!(id))
        .unwrap_or_else(|| panic!("{id} is not in {log}"))
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_listed_shown_and_decided_by_each_of_its_outcomes() {
    let house = house().await;
    for kind in &TYPES {
        let outcomes = kind.yes.iter().map(|yes| (yes, true));
        for (outcome, is_yes) in outcomes.chain(kind.no.iter().map(|no| (no, false))) {
            let at = format!("{} {outcome}", kind.name);
            let asked = ask(&house, kind, json!({})).await;
            let tasks = house.get("/v1/me/tasks", &house.admin).await.ok();
            let listed = &tasks["tasks"][0];
            assert_eq!(listed["intent_id"], json!(asked.id), "{at}");
            assert_eq!(listed["thread_id"], json!(asked.thread), "{at}");
            assert_eq!(listed["human_task"]["task_type"], kind.name, "{at}");
            assert_eq!(
                listed["human_task"]["allowed_outcomes"],
                kind.shown(),
                "{at}"
            );
            let shown = house.intent(&asked.id).await;
            assert_eq!(shown["human_task"], listed["human_task"], "{at}");
            assert_eq!(shown["human_task"]["version"], 1, "{at}");
            assert_eq!(
                shown["human_task"]["required_comment"],
                kind.name == "override"
            );
            let done = decide(
                &house,
                &asked,
                json!({ "outcome": outcome, "comment": "so it is" }),
            );
            let done = done.await.ok();
            assert_eq!(done["applied"], json!(true), "{at}");
            let intent = house.intent(&asked.id).await;
            let told = if is_yes {
                assert_eq!(intent["status"], "COMPLETED", "{at}");
                intent["result"].clone()
            } else {
                assert_eq!(intent["status"], "FAILED", "{at}");
                assert_eq!(intent["error"]["code"], "rejected", "{at}");
                intent["error"]["details"].clone()
            };
            assert_eq!(told["outcome"], json!(outcome), "{at}");
            assert_eq!(told["comment"], "so it is", "{at}");
            assert_eq!(
                intent["human_task"]["decision"],
                json!({
                    "outcome": outcome, "comment": "so it is", "by": "agent://local/default/desk",
                    "via": "cli", "at": "2026-04-11T10:00:00.000Z", "version": 1,
                }),
                "{at}"
            );
            let entry = audited(&house, &asked.id).await;
            assert_eq!(entry["via"], "cli", "{at}");
            assert_eq!(entry["actor"], "agent://local/default/operator", "{at}");
            assert_eq!(entry["owner_agent"], "agent://local/default/desk", "{at}");
            assert_eq!(entry["reason"], "so it is", "{at}");
            assert_eq!(entry["result"], "done", "{at}");
            let path = format!("/v1/inbox/{}?owner_agent=desk", asked.thread);
            let thread = house.get(&path, &house.admin).await.ok();
            let last = thread["thread"]["timeline"]
                .as_array()
                .unwrap()
                .last()
                .unwrap();
            let event = if is_yes {
                "inbox.approved"
            } else {
                "inbox.rejected"
            };
            assert_eq!(last["event_type"], event, "{at}");
            assert_eq!(last["details"]["outcome"], json!(outcome), "{at}");
            let open = house.get("/v1/me/tasks", &house.admin).await.ok();
            assert_eq!(open["tasks"], json!([]), "{at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn approve_and_reject_mean_the_first_positive_and_the_negative_outcome_of_every_type() {
    let house = house().await;
    let words = json!({ "comment": "c" });
    for kind in &TYPES {
        let plain_no = if kind.no.contains(&"rejected") {
            "rejected"
        } else {
            kind.no[0]
        };
        let plain_yes = if kind.is_free() {
            "approved"
        } else {
            kind.yes[0]
        };
        for (way, outcome) in [("approve", plain_yes), ("reject", plain_no)] {
            let asked = ask(&house, kind, json!({})).await;
            verb(&house, &asked, way, words.clone()).await.ok();
            let made = house.intent(&asked.id).await["human_task"]["decision"].clone();
            assert_eq!(made["outcome"], outcome, "{} {way}", kind.name);
            // The same again changes nothing; the opposite comes too late and says who was first.
            verb(&house, &asked, way, words.clone()).await.ok();
            let other = if way == "approve" {
                "reject"
            } else {
                "approve"
            };
            let late = verb(&house, &asked, other, words.clone()).await;
            let late = late.refused(409, "already_decided");
            assert_eq!(late["details"]["outcome"], outcome);
            assert_eq!(late["details"]["by"], "agent://local/default/desk");
            assert_eq!(late["details"]["at"], "2026-04-11T10:00:00.000Z");
            let late = decide(
                &house,
                &asked,
                json!({ "outcome": outcome, "comment": "c" }),
            )
            .await;
            let ended = late.refused(409, "intent_terminal");
            assert_eq!(
                ended["details"]["status"],
                house.intent(&asked.id).await["status"]
            );
            assert_eq!(
                audited(&house, &asked.id).await["result"],
                "intent_terminal"
            );
        }
        for (body, outcome) in [
            (json!({ "approved": true, "comment": "c" }), plain_yes),
            (json!({ "approved": "true", "comment": "c" }), plain_yes),
            (
                json!({ "approve_current_step": true, "comment": "c" }),
                plain_yes,
            ),
            (
                json!({ "task_result": { "approved": false, "comment": "c" } }),
                plain_no,
            ),
            (json!({ "action": "reject", "reason": "c" }), plain_no),
        ] {
            let asked = ask(&house, kind, json!({})).await;
            resume(&house, &asked.id, body.clone()).await.ok();
            let made = house.intent(&asked.id).await["human_task"]["decision"].clone();
            assert_eq!(made["outcome"], outcome, "{} {body}", kind.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_words_unless_the_form_asks_for_one() {
    let house = house().await;
    let form = json!({ "form_schema": { "properties": { "reason": { "type": "string" } } } });
    for (more, body, comment) in [
        (
            json!({}),
            json!({ "outcome": "approved", "reason": "r" }),
            json!("r"),
        ),
        (
            form.clone(),
            json!({ "outcome": "approved", "reason": "r" }),
            Value::Null,
        ),
        (
            form,
            json!({ "outcome": "approved", "data": { "reason": "r" }, "comment": "c" }),
            json!("c"),
        ),
    ] {
        let asked = ask(&house, &TYPES[0], more).await;
        decide(&house, &asked, body.clone()).await.ok();
        let result = house.intent(&asked.id).await["result"].clone();
        assert_eq!(result["reason"], "r", "{body}");
        assert_eq!(result["comment"], comment, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_answer_the_question_is_refused_and_changes_nothing() {
    let house = house().await;
    for kind in &TYPES {
        let yes = kind.yes[0];
        let more = json!({ "required_comment": true, "evidence_required": true, "form_schema": {
            "required": ["amount"], "properties": { "amount": { "type": "integer", "maximum": 9 } } } });
        let asked = ask(&house, kind, more).await;
        let nothing = decide(&house, &asked, json!({ "comment": "c" })).await;
        let nothing = nothing.refused(422, "outcome_not_allowed");
        let said = nothing["message"].as_str().unwrap();
        assert!(said.starts_with("no outcome is given; hint: "), "{said}");
        assert_eq!(nothing["details"]["allowed"], kind.shown(), "{}", kind.name);
        if !kind.is_free() {
            let wrong = decide(
                &house,
                &asked,
                json!({ "outcome": "maybe", "comment": "c" }),
            )
            .await;
            let wrong = wrong.refused(422, "outcome_not_allowed");
            assert_eq!(wrong["details"]["allowed"], kind.shown(), "{}", kind.name);
            assert_eq!(wrong["message"], "outcome \"maybe\" is not allowed");
        }
        for blank in [
            json!({ "outcome": yes }),
            json!({ "outcome": yes, "comment": " " }),
        ] {
            let silent = decide(&house, &asked, blank).await;
            silent.refused(422, "comment_required");
        }
        let bare = json!({ "outcome": yes, "comment": "c", "amount": 1 });
        decide(&house, &asked, bare)
            .await
            .refused(422, "evidence_required");
        let large =
            json!({ "outcome": yes, "comment": "c", "data": { "evidence": "e", "amount": "10" } });
        let large = decide(&house, &asked, large)
            .await
            .refused(422, "form_invalid");
        let errors = large["details"]["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{large}");
        assert!(
            errors[0].as_str().unwrap().starts_with("/amount: "),
            "{large}"
        );
        let hand = json!({ "delegate_to": "bob" });
        verb(&house, &asked, "delegate", hand).await.ok();
        let good =
            json!({ "outcome": yes, "comment": "c", "data": { "evidence": "e", "amount": "9" } });
        let stale = json!({ "task_version": 1, "task_result": good });
        let stale = resume(&house, &asked.id, stale)
            .await
            .refused(409, "task_version_stale");
        assert_eq!(
            stale["details"],
            json!({ "seen": 1, "version": 2, "decision": null })
        );
        let intent = house.intent(&asked.id).await;
        assert_eq!(intent["status"], "WAITING", "{}", kind.name);
        assert_eq!(intent["human_task"]["decision"], Value::Null);
        for guard in [json!(true), json!("x"), json!(1.5), json!(-1), json!({})] {
            for (place, key) in [("body", "task_version"), ("task_result", "hold_seconds")] {
                let mut body = json!({ "task_result": good });
                let holder = match place {
                    "body" => &mut body,
                    nested => &mut body[nested],
                };
                holder[key] = guard.clone();
                let refused = resume(&house, &asked.id, body).await;
                let said = refused.refused(422, "schema_invalid");
                assert!(said["message"].as_str().unwrap().contains(key), "{said}");
            }
        }
        for (lost, named) in [
            (
                json!({ "task_result": { "outcome": yes, "comment": 7 } }),
                "comment",
            ),
            (
                json!({ "task_result": { "outcome": yes, "comment": "x".repeat(2001) } }),
                "comment",
            ),
            (json!({ "comment": ["c"], "task_result": good }), "comment"),
            (
                json!({ "task_result": { "outcome": yes, "data": "amount=9" } }),
                "data",
            ),
            (
                json!({ "approved": true, "task_result": "approved" }),
                "task_result",
            ),
            (
                json!({ "hold_seconds": 61, "task_result": good }),
                "hold_seconds",
            ),
        ] {
            let refused = resume(&house, &asked.id, lost).await;
            let said = refused.refused(422, "schema_invalid");
            assert!(said["message"].as_str().unwrap().contains(named), "{said}");
        }
        let mut old = json!({ "task_result": good });
        old["task_result"]["task_version"] = json!("1");
        let old = resume(&house, &asked.id, old).await;
        old.refused(409, "task_version_stale");
        let body = json!({ "task_version": 2, "task_result": good });
        resume(&house, &asked.id, body).await.ok();
        let result = house.intent(&asked.id).await["result"].clone();
        assert_eq!(
            result["amount"],
            json!(9),
            "{}: a number, not a word",
            kind.name
        );
        assert_eq!(result["evidence"], "e");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_the_command_line_become_what_the_form_wants_and_flat_fields_win() {
    let house = house().await;
    let schema = json!({ "type": "object", "additionalProperties": false,
        "required": ["approved", "amount", "share", "note"], "properties": {
            "approved": { "type": "boolean" }, "amount": { "type": "integer" },
            "share": { "type": "number" }, "note": { "type": "string" },
            "is_urgent": { "type": ["boolean", "null"] }, "evidence": {} } });
    let kind = &TYPES[7];
    let asked = ask(&house, kind, json!({ "form_schema": schema })).await;
    let fields = json!({
        "outcome": "submitted", "amount": "12", "share": "0.5", "note": "7", "is_urgent": "false",
        "data": { "amount": "13", "note": "other" },
    });
    decide(&house, &asked, fields).await.ok();
    assert_eq!(
        house.intent(&asked.id).await["result"],
        json!({ "approved": true, "amount": 12, "share": 0.5, "note": "7", "is_urgent": false,
            "outcome": "submitted" })
    );
    // A no needs no form.
    let asked = ask(
        &house,
        kind,
        json!({ "form_schema": { "required": ["amount"] } }),
    )
    .await;
    decide(&house, &asked, json!({ "outcome": "rejected" }))
        .await
        .ok();
    assert_eq!(house.intent(&asked.id).await["status"], "FAILED");
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_of_one_s_own_replace_those_of_the_type() {
    let house = house().await;
    let outcomes = json!(["ship", "hold", "failed"]);
    for kind in &TYPES {
        let asked = ask(&house, kind, json!({ "allowed_outcomes": outcomes })).await;
        let old = decide(
            &house,
            &asked,
            json!({ "outcome": kind.yes[0], "comment": "c" }),
        )
        .await;
        let old = old.refused(422, "outcome_not_allowed");
        assert_eq!(old["details"]["allowed"], outcomes, "{}", kind.name);
        decide(&house, &asked, json!({ "outcome": "hold", "comment": "c" }))
            .await
            .ok();
        assert_eq!(house.intent(&asked.id).await["result"]["outcome"], "hold");
        let asked = ask(&house, kind, json!({ "allowed_outcomes": outcomes })).await;
        verb(&house, &asked, "reject", json!({ "comment": "c" }))
            .await
            .ok();
        let error = house.intent(&asked.id).await["error"].clone();
        assert_eq!(error["details"]["outcome"], "failed", "{}", kind.name);
        let asked = ask(&house, kind, json!({ "allowed_outcomes": ["ship"] })).await;
        let no = verb(&house, &asked, "reject", json!({ "comment": "c" })).await;
        no.refused(422, "outcome_not_allowed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_asked_there_is_nothing_to_decide() {
    let house = house().await;
    let body = json!({
        "scenario_id": "nobody.v1", "agents": [{ "address": "orders", "create_if_missing": true }],
        "humans": [{ "role": "ops", "contact": "ops" }],
        "workflow": { "steps": [
            { "step_id": "work", "tool_id": "tool.agent.task.v1", "assigned_to": "orders" },
            { "step_id": "ask", "tool_id": "tool.human.approval.v1", "assigned_to": "ops" }] },
        "intent": { "type": "intent.x.v1" },
    });
    let applied = house
        .post("/v1/scenarios/apply", &house.admin, body)
        .await
        .ok();
    let run = applied["intent_id"].as_str().unwrap().to_owned();
    let decision = json!({ "task_result": { "outcome": "approved", "comment": "ok" } });
    let early = resume(&house, &run, decision.clone()).await;
    early.refused(409, "task_not_pending");
    let step = house.poll(&house.admin, "orders").await[0]["intent_id"].clone();
    resume(&house, step.as_str().unwrap(), json!({ "done": true }))
        .await
        .ok();
    // Held on the run, it is held on its step, and can be taken back there.
    let held = json!({ "task_result": { "outcome": "rejected" }, "hold_seconds": 5 });
    let held = resume(&house, &run, held).await.ok();
    let ask = house.intent(&run).await["step_intent_id"].clone();
    assert_eq!(held["held"]["subject"], ask);
    assert_eq!(held["intent"]["status"], "WAITING");
    let hold = held["held"]["hold_id"].as_str().unwrap();
    let path = format!("/v1/holds/{hold}/cancel");
    house.post(&path, &house.admin, json!({})).await.ok();
    house.pass(6).await;
    resume(&house, &run, decision).await.ok();
    assert_eq!(house.intent(&run).await["status"], "COMPLETED");
    let entry = audited(&house, &run).await;
    assert_eq!(
        (entry["reason"].clone(), entry["via"].clone()),
        (json!("ok"), json!("cli"))
    );
    let plain = house.submit(&house.admin, "orders", json!({})).await;
    let path = format!("/v1/inbox/{plain}/approve");
    house
        .post(&path, &house.admin, json!({}))
        .await
        .refused(404, "thread_not_found");
    let path = format!("/v1/approvals/{plain}/decision");
    house
        .post(&path, &house.admin, json!({ "decision": "approve" }))
        .await
        .refused(404, "approval_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_says_through_what_it_was_made_wherever_it_is_shown() {
    let house = house().await;
    // Only our own programs are believed, and nobody who calls is the page.
    let ways = [
        (None, "api"),
        (Some("console"), "console"),
        (Some("cli"), "cli"),
        (Some("page"), "api"),
        (Some("pigeon"), "api"),
    ];
    for ((said, via), hold) in ways.into_iter().zip([0, 5].into_iter().cycle()) {
        let at = format!("{said:?}, held {hold} s");
        let asked = ask(&house, &TYPES[0], json!({})).await;
        let headers: Vec<_> = said.iter().map(|&said| ("x-postroom-via", said)).collect();
        let path = format!("/v1/intents/{}/resume?owner_agent=desk", asked.id);
        let body = json!({ "task_result": { "outcome": "approved" }, "hold_seconds": hold });
        house
            .post_with(&path, &house.admin, &headers, body)
            .await
            .ok();
        house.pass(6).await;
        let intent = house.intent(&asked.id).await;
        assert_eq!(intent["human_task"]["decision"]["via"], via, "{at}");
        let entry = audited(&house, &asked.id).await;
        assert_eq!(entry["via"], via, "{at}");
        let path = format!("/v1/inbox/{}?owner_agent=desk", asked.thread);
        let thread = house.get(&path, &house.admin).await.ok();
        let timeline = thread["thread"]["timeline"].as_array().unwrap();
        let decided = timeline
            .iter()
            .find(|entry| entry["event_type"] == "inbox.approved");
        assert_eq!(decided.unwrap()["details"]["via"], via, "{at}");
        let path = format!("/v1/events?types=inbox.task_decided&intent_id={}", asked.id);
        let feed = house.get(&path, &house.admin).await.ok();
        assert_eq!(feed["events"][0]["data"]["via"], via, "{at}: {feed}");
        let late = verb(&house, &asked, "reject", json!({})).await;
        let problem = late.refused(409, "already_decided");
        assert_eq!(problem["details"]["via"], via, "{at}");
    }
}
