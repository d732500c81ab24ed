//! Agents that listen and the one that fetches.

use std::time::Duration;

use serde_json::{Value, json};

use super::Stage;
use super::cast::Cast;
use crate::cli::client::{Call, Client, list, text};
use crate::cli::failure::Failure;
use crate::cli::listen::Listening;

/// How one listener works.
#[derive(Debug, Clone, Copy)]
struct Manner {
    agent: &'static str,
    /// The shortest and the longest piece of work.
    work_ms: (u64, u64),
    /// Rows at work at once.
    workers: u32,
    /// Rows of a hundred that it gives back.
    nack_percent: u64,
    /// Rows of a hundred that it fails for good.
    fail_percent: u64,
    /// Seconds that it is there and seconds that it is gone; never gone when the second is zero.
    shift_seconds: (u64, u64),
}

const LISTENERS: &[Manner] = &[
    Manner {
        agent: "order-processor",
        work_ms: (40, 400),
        workers: 4,
        nack_percent: 3,
        fail_percent: 0,
        shift_seconds: (0, 0),
    },
    Manner {
        agent: "order-processor",
        work_ms: (80, 700),
        workers: 2,
        nack_percent: 6,
        fail_percent: 0,
        shift_seconds: (0, 0),
    },
    // The slow one.
    Manner {
        agent: "order-processor",
        work_ms: (1500, 6000),
        workers: 2,
        nack_percent: 12,
        fail_percent: 0,
        shift_seconds: (0, 0),
    },
    Manner {
        agent: "search-indexer",
        work_ms: (10, 120),
        workers: 4,
        nack_percent: 2,
        fail_percent: 0,
        shift_seconds: (35, 15),
    },
    Manner {
        agent: "fraud-check",
        work_ms: (100, 900),
        workers: 3,
        nack_percent: 2,
        fail_percent: 6,
        shift_seconds: (0, 0),
    },
];

const COMPLAINTS: &[&str] = &[
    "stock service timed out",
    "lock on SKU held elsewhere",
    "warming up",
    "deadlock detected, retry",
];
const VERDICTS: &[&str] = &[
    "card is on a block list",
    "address does not exist",
    "velocity limit: 9 orders in 4 minutes",
];

pub(super) fn start(stage: &Stage, cast: &Cast) {
    for manner in LISTENERS {
        let (stage, client) = (stage.clone(), cast.client(manner.agent, stage));
        let tasks = stage.tasks.clone();
        tasks.spawn("demo listener", listen(stage, client, *manner));
    }
    let (stage, client) = (stage.clone(), cast.client("ledger", stage));
    let tasks = stage.tasks.clone();
    tasks.spawn("demo poller", poll(stage, client));
}

async fn listen(stage: Stage, client: Client, manner: Manner) {
    let address = format!("agent://local/default/{}", manner.agent);
    loop {
        let mut listening = Listening::new(client.clone(), &address, manner.workers, quiet);
        let (there, gone) = manner.shift_seconds;
        let shift = if gone == 0 {
            Duration::from_hours(24)
        } else {
            Duration::from_secs(there)
        };
        // Dropping `serve` is what a crash of the agent looks like to the broker; that is the play.
        let goes_on = tokio::select! {
            () = stage.tasks.token().cancelled() => false,
            () = tokio::time::sleep(shift) => stage.pause(Duration::from_secs(gone)).await,
            _ended = listening.serve(|row| answer(&stage, &client, manner, row), None) => {
                stage.pause(Duration::from_secs(1)).await
            }
        };
        if !goes_on {
            return;
        }
    }
}

/// The console owns the terminal.
fn quiet(text: &str) {
    tracing::debug!(text, "demo agent");
}

async fn answer(stage: &Stage, client: &Client, manner: Manner, row: Value) -> Result<(), Failure> {
    let (low, high) = manner.work_ms;
    tokio::time::sleep(Duration::from_millis(stage.dice.between(low, high))).await;
    let id = text(&row, "/intent_id");
    let attempt = text(&row, "/attempt_id");
    let call = if stage.dice.percent(manner.nack_percent) {
        let path = format!(
            "/v1/agents/local/default/{}/intents/{id}/nack",
            manner.agent
        );
        let reason = stage.dice.pick(COMPLAINTS);
        Call::post(path, json!({"attempt_id": attempt, "reason": reason}))
    } else if stage.dice.percent(manner.fail_percent) {
        let reason = stage.dice.pick(VERDICTS);
        resume(
            &id,
            json!({"action": "fail", "reason": reason, "attempt_id": attempt}),
        )
    } else {
        let result = result(stage, &row);
        resume(
            &id,
            json!({"action": "complete", "result": result, "attempt_id": attempt}),
        )
    };
    settled(client.call(call).await)
}

fn resume(id: &str, body: Value) -> Call {
    Call::post(format!("/v1/intents/{id}/resume"), body)
}

/// A no to an answer is no trouble: the intent was withdrawn, or its deadline passed.
fn settled(answer: Result<Value, Failure>) -> Result<(), Failure> {
    match answer {
        Ok(_) | Err(Failure::Refused(_)) => Ok(()),
        Err(failure) => Err(failure),
    }
}

fn result(stage: &Stage, row: &Value) -> Value {
    match text(row, "/intent_type").as_str() {
        "intent.order.process.v1" => json!({
            "order_id": text(row, "/payload/order_id"),
            "reserved": true,
            "picks": stage.dice.between(1, 9),
        }),
        "intent.fraud.score.v1" => {
            json!({"score": stage.dice.between(1, 70), "decision": "accept"})
        }
        _ => json!({"ok": true, "took_ms": stage.dice.between(5, 90)}),
    }
}

async fn poll(stage: Stage, client: Client) {
    let path = "/v1/agents/local/default/ledger/intents";
    loop {
        let call = Call::get(path)
            .with("limit", 12_u32)
            .with("wait_seconds", 5_u32);
        // A poll that is dropped leaves its rows to their lease.
        let fetched = tokio::select! {
            () = stage.tasks.token().cancelled() => return,
            fetched = client.call(call) => fetched,
        };
        let Ok(fetched) = fetched else {
            if stage.pause(Duration::from_secs(1)).await {
                continue;
            }
            return;
        };
        for row in list(&fetched, "/intents") {
            let _said_again_after_the_lease = book(&stage, &client, row).await;
        }
        if !stage
            .pause(Duration::from_millis(stage.dice.between(300, 2500)))
            .await
        {
            return;
        }
    }
}

async fn book(stage: &Stage, client: &Client, row: &Value) -> Result<(), Failure> {
    let id = text(row, "/intent_id");
    let attempt = text(row, "/attempt_id");
    tokio::time::sleep(Duration::from_millis(stage.dice.between(10, 80))).await;
    let call = if stage.dice.percent(2) {
        let path = format!("/v1/agents/local/default/ledger/intents/{id}/nack");
        Call::post(
            path,
            json!({"attempt_id": attempt, "reason": "period is being closed", "delay_seconds": 4}),
        )
    } else {
        let result =
            json!({"booked": text(row, "/payload/entry"), "page": stage.dice.between(1, 400)});
        resume(
            &id,
            json!({"action": "complete", "result": result, "attempt_id": attempt}),
        )
    };
    settled(client.call(call).await)
}
