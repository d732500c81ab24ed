//! Colleagues: two decide what has piled up, so that the inbox stays a size for people; one is on shift, says
//! whose the dead letters are and replays some of them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::Stage;
use super::cast::Cast;
use crate::cli::client::{Call, Client, list, text};

/// Open tasks up to which the colleague leaves them to you.
const LEFT_TO_YOU: u64 = 16;
/// What the colleague knows about; all other questions are yours.
const KNOWN: [&str; 3] = [
    "intent.refund.approve.v1",
    "intent.deployment.release.v1",
    "intent.invoice.clarify.v1",
];

/// How often the one on shift replays what the carrier refused.
const SHIFT_SECONDS: u64 = 180;

const YES: &[&str] = &[
    "checked with the customer",
    "fine by policy 4.2",
    "looks good",
    "go ahead, thanks 👍",
];
const NO: &[&str] = &[
    "third refund this month",
    "receipt is missing",
    "wait for Monday",
];

pub(super) fn start(stage: &Stage, cast: &Cast) {
    for owner in ["finance", "ops"] {
        let (stage, client) = (stage.clone(), cast.client(owner, stage));
        let tasks = stage.tasks.clone();
        tasks.spawn("demo colleague", decide(stage, client));
    }
    let (stage, client) = (stage.clone(), cast.client("dana", stage));
    let tasks = stage.tasks.clone();
    tasks.spawn("demo shift", shift(stage, client));
}

async fn decide(stage: Stage, client: Client) {
    while stage.pause(stage.dice.around(Duration::from_secs(9))).await {
        if stage.mood.pending.load(Ordering::Relaxed) <= LEFT_TO_YOU {
            continue;
        }
        let call = Call::get("/v1/me/tasks");
        let Ok(tasks) = client.call(call).await else {
            continue;
        };
        let is_known = |task: &&Value| KNOWN.contains(&text(task, "/intent_type").as_str());
        let open: Vec<&Value> = list(&tasks, "/tasks").iter().filter(is_known).collect();
        let at = usize::try_from(stage.dice.between(0, 5)).unwrap_or(0);
        let Some(task) = open.get(at).or_else(|| open.first()) else {
            continue;
        };
        let (word, comment) = if stage.dice.percent(80) {
            ("approve", stage.dice.pick(YES))
        } else {
            ("reject", stage.dice.pick(NO))
        };
        let path = format!("/v1/inbox/{}/{word}", text(task, "/thread_id"));
        // Somebody else may have been faster.
        let _decided = client
            .call(Call::post(path, json!({"comment": comment})))
            .await;
    }
}

/// Minds the groups of dead letters, and believes the carrier once more every few minutes. The carrier is wrong
/// each time, so the job pauses itself, and is canceled before the next one.
async fn shift(stage: Stage, client: Client) {
    let mut jobs: Vec<String> = Vec::new();
    let mut next = 0;
    while stage.pause(Duration::from_secs(1)).await {
        if stage.seconds() < next {
            continue;
        }
        let groups = Call::get("/v1/dead-letters").with("group_by", "fingerprint");
        let Ok(groups) = client.call(groups).await else {
            continue;
        };
        let of = |agent: &str, at_least: u64| {
            let mut groups = list(&groups, "/groups").iter();
            let found = groups.find(|group| text(group, "/to_agent").ends_with(agent));
            let is_enough =
                |group: &&Value| group.get("count").and_then(Value::as_u64) >= Some(at_least);
            found
                .filter(is_enough)
                .map(|group| text(group, "/fingerprint"))
        };
        let (Some(texts), Some(gone)) = (of("/sms-relay", 4), of("/legacy-crm", 1)) else {
            continue;
        };
        for job in jobs.drain(..) {
            let why = json!({"reason": "the carrier says otherwise"});
            // It may have come to its end.
            let _ended = client
                .call(Call::post(format!("/v1/jobs/{job}/cancel"), why))
                .await;
        }
        for (fingerprint, note) in [
            (&texts, "ticket CAR-2291 with the carrier"),
            (&gone, "switched off in January"),
        ] {
            let body = json!({"state": "acknowledged", "owner": "dana", "note": note});
            let call = Call::post(format!("/v1/dead-letters/groups/{fingerprint}"), body);
            // What is said of a group is said again next time.
            let _said = client.call(call).await;
        }
        let order = json!({
            "kind": "replay", "dry_run": false, "filter": {"fingerprint": texts},
            "rate_per_second": 0.3, "stop_after_failures": 3, "limit": 12,
            "reason": "the carrier says the numbers exist now",
        });
        if let Ok(made) = client.call(Call::post("/v1/jobs", order)).await {
            jobs.push(text(&made, "/job/job_id"));
        }
        next = stage.seconds() + SHIFT_SECONDS;
    }
}
