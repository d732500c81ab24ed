//! A colleague who decides what has piled up, so that the inbox stays a size for people.

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
