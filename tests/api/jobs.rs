//! Bulk replay, discard and cancel, as jobs of the broker.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::house::{House, house};

/// So many letters of an agent, oldest first.
async fn letters(house: &House, to: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let id = house.submit(&house.admin, to, json!({ "order": 1 })).await;
        let path = format!("/v1/intents/{id}/resume");
        let body = json!({ "action": "fail", "reason": "no stock" });
        house.post(&path, &house.admin, body).await.ok();
        house.pass(1).await;
        ids.push(id);
    }
    ids
}

async fn order(house: &House, body: Value) -> Value {
    let path = "/v1/dead-letters/replay";
    house.post(path, &house.admin, body).await.ok()
}

/// The job as it is now, with its items.
async fn shown(house: &House, job: &Value) -> Value {
    let id = job["job"]["job_id"].as_str().unwrap();
    house
        .get(&format!("/v1/jobs/{id}?limit=1000"), &house.admin)
        .await
        .ok()
}

async fn steer(house: &House, job: &Value, verb: &str) -> crate::house::Reply {
    let id = job["job"]["job_id"].as_str().unwrap();
    house
        .post(&format!("/v1/jobs/{id}/{verb}"), &house.admin, json!({}))
        .await
}

/// Has the receiver take what is there, and answer.
async fn answer(house: &House, agent: &str, body: Value) -> usize {
    let rows = house.poll(&house.admin, agent).await;
    for row in &rows {
        let id = row["intent_id"].as_str().unwrap();
        house
            .post(
                &format!("/v1/intents/{id}/resume"),
                &house.admin,
                body.clone(),
            )
            .await
            .ok();
    }
    rows.len()
}

fn counts(shown: &Value) -> (&str, [u64; 4]) {
    let job = &shown["job"];
    let count = |key: &str| job[key].as_u64().unwrap();
    let all = ["in_flight", "succeeded", "failed", "skipped"].map(count);
    assert_eq!(count("done"), all[1] + all[2] + all[3]);
    (job["state"].as_str().unwrap(), all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_be_taken_and_does_nothing() {
    let house = house().await;
    let ids = letters(&house, "orders", 4).await;
    letters(&house, "billing", 1).await;
    house
        .post(
            &format!("/v1/dead-letters/{}/replay", ids[0]),
            &house.admin,
            json!({}),
        )
        .await
        .ok();
    let body = json!({ "filter": { "agent": "orders" }, "limit": 2 });
    let plan = order(&house, body).await;
    assert_eq!(plan["dry_run"], json!(true));
    assert_eq!(
        (&plan["matched"], &plan["selected"]),
        (&json!(4), &json!(2))
    );
    assert_eq!(plan["intent_ids"], json!([ids[1], ids[2]]), "oldest first");
    let skipped: BTreeMap<_, _> = plan["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["reason"].as_str().unwrap(),
                one["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        skipped,
        BTreeMap::from([("already_replayed", 1), ("over_limit", 1)])
    );
    let by_id = json!({ "filter": { "intent_ids": [ids[3], ids[0], ids[3]] } });
    let plan = order(&house, by_id).await;
    assert_eq!(plan["intent_ids"], json!([ids[3]]));
    assert_eq!(
        plan["skipped"],
        json!([{ "reason": "already_replayed", "count": 1 }])
    );
    let none = house.get("/v1/jobs", &house.admin).await.ok();
    assert_eq!(none["jobs"], json!([]));
    let open = house.get("/v1/dead-letters", &house.admin).await.ok();
    assert_eq!(open["total"], json!(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_letter_of_a_job_is_replayed_once_at_its_pace_and_its_fate_is_counted() {
    let house = house().await;
    let ids = letters(&house, "orders", 5).await;
    let body = json!({
        "dry_run": false, "rate_per_second": 2, "max_in_flight": 3, "reason": "fixed",
    });
    let headers = [("Idempotency-Key", "k1"), ("x-postroom-via", "cli")];
    let path = "/v1/dead-letters/replay";
    let job = house
        .post_with(path, &house.admin, &headers, body.clone())
        .await
        .ok();
    let again = house
        .post_with(path, &house.admin, &headers, body)
        .await
        .ok();
    assert_eq!(
        again["job"]["job_id"], job["job"]["job_id"],
        "asked twice, done once"
    );
    assert_eq!(job["job"]["selected"], json!(5));
    // What dies from here on is not this job's.
    let later = letters(&house, "orders", 1).await;
    let (_, [in_flight, ..]) = counts(&shown(&house, &job).await);
    assert!((1..=3).contains(&in_flight), "{in_flight}");
    house.pass(10).await;
    house.pass(10).await;
    assert_eq!(
        counts(&shown(&house, &job).await),
        ("running", [3, 0, 0, 0])
    );
    // The answers are given one commit each: the freed places are used as they come free.
    let mut taken = 0;
    for _ in 0..4 {
        taken += answer(&house, "orders", json!({ "done": true })).await;
        house.pass(1).await;
    }
    assert_eq!(taken, 5);
    let done = shown(&house, &job).await;
    assert_eq!(counts(&done), ("done", [0, 5, 0, 0]));
    assert!(done["job"]["finished_at"].is_string());
    let items = done["items"].as_array().unwrap();
    let replayed: Vec<_> = items.iter().map(|item| item["intent_id"].clone()).collect();
    assert_eq!(json!(replayed), json!(ids), "in their order");
    for item in items {
        assert_eq!(item["outcome"], "succeeded");
        let new = house.intent(item["new_intent_id"].as_str().unwrap()).await;
        assert_eq!(new["replay_of"], item["intent_id"]);
        let old = house
            .get(
                &format!("/v1/dead-letters/{}", item["intent_id"].as_str().unwrap()),
                &house.admin,
            )
            .await
            .ok();
        assert_eq!(old["dead_letter"]["replayed_as"], item["new_intent_id"]);
    }
    let untouched = house
        .get(&format!("/v1/dead-letters/{}", later[0]), &house.admin)
        .await
        .ok();
    assert_eq!(untouched["dead_letter"]["state"], "open");
    let audit = house
        .get("/v1/audit/events?action_prefix=job.", &house.admin)
        .await
        .ok();
    let entry = &audit["events"][0];
    assert_eq!(
        (&entry["action"], &entry["target"]),
        (&json!("job.start"), &job["job"]["job_id"])
    );
    assert_eq!(
        (&entry["reason"], &entry["via"]),
        (&json!("fixed"), &json!("cli"))
    );
    assert_eq!(audit["events"].as_array().unwrap().len(), 1);
    let feed = house.get("/v1/events?types=job.*", &house.admin).await.ok();
    let kinds: Vec<_> = feed["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    assert_eq!(kinds.first(), Some(&json!("job.started")));
    assert_eq!(kinds.last(), Some(&json!("job.finished")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_canary_stops_the_job_and_an_operator_may_go_on_without_it() {
    let house = house().await;
    letters(&house, "orders", 4).await;
    let body = json!({ "dry_run": false, "canary": 1, "rate_per_second": 1000 });
    let job = order(&house, body).await;
    house.pass(5).await;
    assert_eq!(
        counts(&shown(&house, &job).await),
        ("running", [1, 0, 0, 0])
    );
    answer(&house, "orders", json!({ "action": "fail" })).await;
    house.pass(5).await;
    let stopped = shown(&house, &job).await;
    assert_eq!(counts(&stopped), ("paused", [0, 0, 1, 0]));
    assert_eq!(stopped["job"]["stopped_because"], "the canary has died");
    let overview = house.get("/v1/overview", &house.admin).await.ok();
    assert_eq!(overview["jobs"]["running"], json!(0));
    steer(&house, &job, "resume").await.ok();
    house.pass(5).await;
    assert_eq!(
        counts(&shown(&house, &job).await),
        ("running", [3, 0, 1, 0])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_stops_when_too_many_die_again() {
    let house = house().await;
    letters(&house, "orders", 5).await;
    let body = json!({
        "dry_run": false, "rate_per_second": 1000, "max_in_flight": 2, "stop_after_failures": 2,
    });
    let job = order(&house, body).await;
    house.pass(5).await;
    answer(&house, "orders", json!({ "action": "fail" })).await;
    house.pass(5).await;
    let stopped = shown(&house, &job).await;
    let (state, [_, _, failed, _]) = counts(&stopped);
    assert_eq!((state, failed), ("paused", 2));
    assert_eq!(
        stopped["job"]["stopped_because"],
        "2 replays have died again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_can_be_paused_resumed_and_canceled_and_what_it_did_stays_done() {
    let house = house().await;
    letters(&house, "orders", 4).await;
    let job = order(&house, json!({ "dry_run": false, "rate_per_second": 1 })).await;
    let paused = steer(&house, &job, "pause").await.ok();
    assert_eq!(paused["job"]["state"], "paused");
    house.pass(60).await;
    let (_, [in_flight, ..]) = counts(&shown(&house, &job).await);
    assert_eq!(in_flight, 1, "only what was begun before");
    steer(&house, &job, "resume").await.ok();
    house.pass(1).await;
    steer(&house, &job, "cancel").await.ok();
    steer(&house, &job, "cancel").await.ok();
    house.pass(60).await;
    steer(&house, &job, "resume")
        .await
        .refused(409, "job_finished");
    let answered = answer(&house, "orders", json!({ "done": true })).await;
    println!(
        "DBG {answered} {}",
        house
            .get("/v1/intents?status=pending", &house.admin)
            .await
            .text
    );
    let canceled = shown(&house, &job).await;
    let (state, [in_flight, succeeded, ..]) = counts(&canceled);
    assert_eq!((state, in_flight), ("canceled", 0));
    assert_eq!(
        usize::try_from(succeeded).unwrap(),
        answered,
        "their fates are still counted"
    );
    assert!(answered < 4);
    house
        .get("/v1/jobs/job_9", &house.admin)
        .await
        .refused(404, "job_not_found");
    house
        .post("/v1/jobs/x/pause", &house.admin, json!({}))
        .await
        .refused(404, "job_not_found");
    let all = house
        .get("/v1/jobs?state=canceled", &house.admin)
        .await
        .ok();
    assert_eq!(all["jobs"].as_array().unwrap().len(), 1);
    house
        .get("/v1/jobs?state=asleep", &house.admin)
        .await
        .refused(422, "schema_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_replayed_meanwhile_is_skipped_with_its_reason() {
    let house = house().await;
    let ids = letters(&house, "orders", 3).await;
    let job = order(&house, json!({ "dry_run": false, "rate_per_second": 0.1 })).await;
    house
        .post(
            &format!("/v1/dead-letters/{}/replay", ids[1]),
            &house.admin,
            json!({}),
        )
        .await
        .ok();
    let discard = json!({ "reason": "old" });
    house
        .post(
            &format!("/v1/dead-letters/{}/discard", ids[2]),
            &house.admin,
            discard,
        )
        .await
        .ok();
    house.pass(10).await;
    house.pass(10).await;
    let shown = shown(&house, &job).await;
    assert_eq!(counts(&shown).1, [1, 0, 0, 2]);
    assert_eq!(shown["items"][1]["code"], "already_replayed");
    assert_eq!(shown["items"][2]["code"], "dead_letter_closed");
    assert_eq!(shown["items"][1]["new_intent_id"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_discards_and_cancels_are_jobs_too() {
    let house = house().await;
    letters(&house, "orders", 3).await;
    for _ in 0..3 {
        house.submit(&house.admin, "billing", json!({})).await;
    }
    let discard = json!({ "dry_run": false, "reason": "noise", "filter": { "agent": "orders" } });
    let job = house
        .post("/v1/dead-letters/discard", &house.admin, discard)
        .await
        .ok();
    let cancel = json!({
        "kind": "cancel", "dry_run": false, "reason": "wrong", "filter": { "agent": "billing" }, "limit": 2,
    });
    let other = house.post("/v1/jobs", &house.admin, cancel).await.ok();
    house.pass(1).await;
    assert_eq!(counts(&shown(&house, &job).await), ("done", [0, 3, 0, 0]));
    let canceled = shown(&house, &other).await;
    assert_eq!(counts(&canceled), ("done", [0, 2, 0, 0]));
    let id = canceled["items"][0]["intent_id"].as_str().unwrap();
    assert_eq!(house.intent(id).await["status"], "CANCELED");
    let open = house
        .get("/v1/dead-letters?agent=orders", &house.admin)
        .await
        .ok();
    assert_eq!(open["total"], json!(0));
    house
        .post("/v1/dead-letters/discard", &house.admin, json!({}))
        .await
        .refused(422, "schema_invalid");
    house
        .post("/v1/jobs", &house.admin, json!({}))
        .await
        .refused(422, "schema_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_replay_may_go_to_another_agent_and_its_dry_run_leaves_out_what_that_one_refuses() {
    let house = house().await;
    house.account("spare", json!({})).await;
    let ids = letters(&house, "orders", 2).await;
    let web = house.key("web", "sender").await;
    let other = house.submit(&web, "orders", json!({})).await;
    let path = format!("/v1/intents/{other}/resume");
    let failed = json!({ "action": "fail", "reason": "no stock" });
    house.post(&path, &house.admin, failed).await.ok();
    let policy = json!({ "policy_type": "denylist" });
    let put = house.request("PUT", "/v1/agents/spare/policy", &house.admin);
    house.send(put.body(policy.to_string())).await.ok();
    let entry = json!({ "sender_pattern": "agent://local/default/web" });
    house
        .post("/v1/agents/spare/policy/entries", &house.admin, entry)
        .await
        .ok();

    let plan = order(&house, json!({ "to_agent": "spare" })).await;
    assert_eq!(plan["intent_ids"], json!(ids));
    assert_eq!(plan["matched"], 3);
    let refused = json!([{ "reason": "policy_denied", "count": 1 }]);
    assert_eq!(plan["skipped"], refused);
    let job = order(&house, json!({ "to_agent": "spare", "dry_run": false })).await;
    assert_eq!(job["skipped"], refused);
    assert_eq!(job["job"]["to_agent"], "agent://local/default/spare");
    house.pass(1).await;
    assert_eq!(house.poll(&house.admin, "orders").await.len(), 0);
    assert_eq!(answer(&house, "spare", json!({ "done": true })).await, 2);
    house.pass(1).await;
    let done = shown(&house, &job).await;
    assert_eq!(counts(&done), ("done", [0, 2, 0, 0]));
    for item in done["items"].as_array().unwrap() {
        let new = house.intent(item["new_intent_id"].as_str().unwrap()).await;
        assert_eq!(new["to_agent"], "agent://local/default/spare");
    }
    let discard = json!({ "to_agent": "spare", "reason": "x" });
    house
        .post("/v1/dead-letters/discard", &house.admin, discard)
        .await
        .refused(422, "schema_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_job_is_removed_when_it_is_old_and_one_that_runs_never() {
    const DAY: i64 = 86_400;
    let house = house().await;
    letters(&house, "orders", 2).await;
    let one = json!({ "dry_run": false, "limit": 1 });
    let done = order(&house, one.clone()).await;
    house.pass(1).await;
    assert_eq!(answer(&house, "orders", json!({ "done": true })).await, 1);
    house.pass(1).await;
    let running = order(&house, one).await;
    house.pass(89 * DAY).await;
    assert_eq!(shown(&house, &done).await["job"]["state"], "done");
    house.pass(2 * DAY).await;
    let id = done["job"]["job_id"].as_str().unwrap();
    house
        .get(&format!("/v1/jobs/{id}"), &house.admin)
        .await
        .refused(404, "job_not_found");
    assert_eq!(shown(&house, &running).await["job"]["in_flight"], 1);
    let all = house.get("/v1/jobs", &house.admin).await.ok();
    assert_eq!(all["jobs"].as_array().unwrap().len(), 1, "{all}");
}
