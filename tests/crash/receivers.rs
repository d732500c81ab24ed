//! Receivers that come for their intents: listeners on a stream, and a poller.

use std::sync::Arc;

use eventsource_stream::Eventsource;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::ledger::{Answer, End};
use crate::people;
use crate::world::{Ask, Reply, Shared, text};

pub(crate) const ORDERS: &str = "agent://local/default/orders";
pub(crate) const LEDGER: &str = "agent://local/default/ledger";
pub(crate) const HOOK: &str = "agent://local/default/hook";

/// Rows that one listener works on at once.
const HANDS: usize = 8;

/// Listens, one window after another, over all restarts.
pub(crate) async fn listen(world: Shared, dice: Dice, token: String, name: &'static str) {
    let dice = Arc::new(dice);
    let mut hands = JoinSet::new();
    let mut since = 0;
    while !world.is_done() {
        if dice.percent(50) {
            since = 0;
        }
        let path =
            format!("/v1/agents/local/default/orders/intents/stream?since={since}&wait_seconds=1");
        let base = world.up().await;
        let request = world
            .client
            .get(format!("{base}{path}"))
            .header("x-api-key", &token);
        let Ok(response) = request.send().await else {
            world.pause(3).await;
            continue;
        };
        if response.status().as_u16() != 200 {
            let status = response.status();
            world.ledger().wrong(format!("a stream answered {status}"));
            world.pause(20).await;
            continue;
        }
        let mut frames = response.bytes_stream().eventsource();
        // A frame that is no frame, or the end of the bytes, is how a kill looks from here.
        while let Some(Ok(frame)) = frames.next().await {
            if frame.event != "intent.delivered" {
                continue;
            }
            let Ok(row) = serde_json::from_str::<Value>(&frame.data) else {
                world.ledger().wrong(format!("no JSON: {}", frame.data));
                continue;
            };
            since = row["seq"].as_u64().unwrap_or(since);
            note(&world, &row, name);
            if hands.len() >= HANDS {
                hands.join_next().await;
            }
            let hand = (Arc::clone(&world), Arc::clone(&dice), token.clone());
            hands.spawn(async move {
                let (world, dice, token) = hand;
                work(&world, &dice, &token, "orders", &row).await;
            });
            // A listener may crash as well.
            if world.is_load() && dice.percent(1) {
                break;
            }
        }
    }
    hands.join_all().await;
}

/// Polls, over all restarts.
pub(crate) async fn poll(world: Shared, dice: Dice, token: String) {
    while !world.is_done() {
        let limit = dice.between(1, 5);
        let wait = dice.between(0, 1);
        let path =
            format!("/v1/agents/local/default/ledger/intents?limit={limit}&wait_seconds={wait}");
        let Some(reply) = world.once(&Ask::get(&token, path)).await else {
            world.pause(3).await;
            continue;
        };
        let rows = reply.list("/intents");
        for row in &rows {
            note(&world, row, "the poller");
        }
        if dice.percent(40) && rows.len() > 1 {
            results(&world, &dice, &token, &rows).await;
        } else {
            for row in &rows {
                work(&world, &dice, &token, "ledger", row).await;
            }
        }
        if rows.is_empty() {
            world.pause(10).await;
        }
    }
}

fn note(world: &Shared, row: &Value, by: &str) {
    let (attempt, intent) = (text(row, "/attempt_id"), text(row, "/intent_id"));
    let number = row["delivery_attempt"].as_u64().unwrap_or(0);
    let at = world.micros();
    world.ledger().see(&attempt, &intent, number, by, at);
}

/// Reports many results in one call.
async fn results(world: &Shared, dice: &Dice, token: &str, rows: &[Value]) {
    let mut ends = Vec::new();
    let mut items = Vec::new();
    for row in rows {
        let (id, attempt) = (text(row, "/intent_id"), text(row, "/attempt_id"));
        let nonce = dice.nonce();
        if dice.percent(8) && world.is_load() {
            items.push(json!({ "intent_id": id, "attempt_id": attempt, "action": "fail", "reason": nonce }));
            ends.push((id, attempt, End::Failed(nonce)));
        } else {
            let result = json!({ "nonce": nonce });
            items.push(json!({ "intent_id": id, "attempt_id": attempt, "action": "complete", "result": result }));
            ends.push((id, attempt, End::Completed(nonce)));
        }
    }
    let path = "/v1/agents/local/default/ledger/intents/results";
    let ask = Ask::post(token, path, &json!({ "results": items })).key(dice.nonce());
    let reply = world.call(ask).await;
    let answers = reply.list("/results");
    if answers.len() != ends.len() {
        world
            .ledger()
            .wrong(format!("a batch of results was refused: {}", reply.body));
        return;
    }
    for ((id, attempt, end), answer) in ends.into_iter().zip(answers) {
        let kept = if answer["status"] == json!(200) {
            Answer::Kept
        } else {
            Answer::Refused(text(&answer, "/error/code"))
        };
        let during = reply.during;
        if kept == Answer::Kept {
            world.ledger().fenced.push((during, attempt));
        }
        world.ledger().report(&id, end, kept, during);
    }
}

/// What a receiver does with one row.
async fn work(world: &Shared, dice: &Dice, token: &str, agent: &str, row: &Value) {
    let row = Row {
        world,
        token,
        agent,
        id: text(row, "/intent_id"),
        attempt: text(row, "/attempt_id"),
    };
    let mood = if world.is_load() {
        dice.between(0, 99)
    } else {
        0
    };
    match mood {
        60..66 => row.fail(dice).await,
        66..73 => drop(row.lease("nack", dice, json!({ "delay_seconds": 0 })).await),
        73..79 => {
            let reply = row.lease("ack", dice, json!({})).await;
            if reply.is_ok() {
                let ack = (row.id.clone(), row.attempt.clone());
                world.ledger().acks.insert(ack);
            }
            row.complete(dice).await;
        }
        79..83 => {
            drop(row.resume(dice, json!({ "action": "progress" })).await);
            row.complete(dice).await;
        }
        83..86 => {
            drop(row.lease("extend", dice, json!({ "seconds": 2 })).await);
            row.complete(dice).await;
        }
        // It forgets.
        86..90 => {}
        90..94 => {
            row.complete(dice).await;
            row.complete(dice).await;
        }
        94..=99 => {
            world.pause(dice.between(5, 1500)).await;
            row.complete(dice).await;
        }
        _ => row.complete(dice).await,
    }
}

struct Row<'world> {
    world: &'world Shared,
    token: &'world str,
    agent: &'world str,
    id: String,
    attempt: String,
}

impl Row<'_> {
    async fn complete(&self, dice: &Dice) {
        let nonce = dice.nonce();
        let body = json!({ "action": "complete", "result": { "nonce": nonce } });
        let reply = self.resume(dice, body).await;
        self.report(End::Completed(nonce), &reply);
        // Whoever has been told that it is done sees it done, at once.
        if self.world.is_load() && dice.percent(50) {
            people::look_at(self.world, self.id.clone()).await;
        }
    }

    async fn fail(&self, dice: &Dice) {
        let nonce = dice.nonce();
        let reply = self
            .resume(dice, json!({ "action": "fail", "reason": nonce }))
            .await;
        self.report(End::Failed(nonce), &reply);
    }

    async fn resume(&self, dice: &Dice, mut body: Value) -> Reply {
        let is_fenced = dice.percent(50);
        if is_fenced {
            body["attempt_id"] = json!(self.attempt);
        }
        let path = format!("/v1/intents/{}/resume", self.id);
        let ask = Ask::post(self.token, path, &body).key(dice.nonce());
        let reply = self.world.call(ask).await;
        if is_fenced {
            self.note_fence(&reply);
        }
        reply
    }

    /// A call that named the attempt, if it was kept.
    fn note_fence(&self, reply: &Reply) {
        if reply.is_ok() {
            let fenced = (reply.during, self.attempt.clone());
            self.world.ledger().fenced.push(fenced);
        }
    }

    async fn lease(&self, call: &str, dice: &Dice, mut body: Value) -> Reply {
        body["attempt_id"] = json!(self.attempt);
        let path = format!(
            "/v1/agents/local/default/{}/intents/{}/{call}",
            self.agent, self.id
        );
        let ask = Ask::post(self.token, path, &body).key(dice.nonce());
        let reply = self.world.call(ask).await;
        self.note_fence(&reply);
        reply
    }

    fn report(&self, end: End, reply: &Reply) {
        let answer = match reply.status {
            200 if reply.body["applied"] == json!(true) => Answer::Kept,
            409 => Answer::Refused(reply.code()),
            _ => {
                self.world
                    .ledger()
                    .wrong(format!("a result for {}: {}", self.id, reply.body));
                return;
            }
        };
        let during = reply.during;
        self.world.ledger().report(&self.id, end, answer, during);
    }
}
