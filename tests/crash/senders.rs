//! Those who send, send again, and take back.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::ledger::{Answer, End};
use crate::receivers::{HOOK, LEDGER, ORDERS};
use crate::world::{Ask, Shared, text};

/// The inbox agent, and the mailbox of somebody who is asked.
pub(crate) const DESK: &str = "agent://local/default/desk";
const BOSS: &str = "agent://local/default/boss";
/// Whose inbox hears of ends.
pub(crate) const ARCHIVE: &str = "agent://local/default/archive";

/// Sends one after another, each under a key of its own.
pub(crate) async fn send(world: Shared, dice: Dice, name: String) {
    let mut count = 0_u64;
    while world.is_load() {
        count += 1;
        let key = format!("{name}-{count}");
        if dice.percent(15) {
            batch(&world, &dice, &key).await;
        } else {
            let body = body(&dice, &key);
            let reply = world
                .call(Ask::post(&world.sender, "/v1/intents", &body).key(&key))
                .await;
            if reply.is_ok() {
                let id = reply.text("/intent_id");
                let during = reply.during;
                world
                    .ledger()
                    .accept(&key, &id, &body, &world.sender, during);
            } else if reply.code() != "invalid_deadline" {
                // A deadline may pass while no broker is there; everything else is in order.
                world
                    .ledger()
                    .wrong(format!("I1: {body} was refused: {}", reply.body));
            }
        }
        world.pause(dice.between(0, 6)).await;
    }
}

async fn batch(world: &Shared, dice: &Dice, key: &str) {
    let items: Vec<(String, Value)> = (0..dice.between(1, 8))
        .map(|index| {
            let key = format!("{key}-{index}");
            let mut body = body(dice, &key);
            body["idempotency_key"] = json!(key);
            (key, body)
        })
        .collect();
    let bodies: Vec<&Value> = items.iter().map(|(_, body)| body).collect();
    let ask = Ask::post(
        &world.sender,
        "/v1/intents/batch",
        &json!({ "intents": bodies }),
    );
    let reply = world.call(ask).await;
    let results = reply.list("/results");
    if !reply.is_ok() || results.len() != items.len() {
        world
            .ledger()
            .wrong(format!("I1: a batch was refused: {}", reply.body));
        return;
    }
    for ((key, body), result) in items.iter().zip(results) {
        if result["status"] == json!(200) {
            let id = text(&result, "/intent_id");
            let during = reply.during;
            world.ledger().accept(key, &id, body, &world.sender, during);
        } else if text(&result, "/error/code") != "invalid_deadline" {
            world
                .ledger()
                .wrong(format!("I1: {body} was refused: {result}"));
        }
    }
}

fn body(dice: &Dice, key: &str) -> Value {
    let kind = dice.between(0, 99);
    let pad = "x".repeat(usize::try_from(dice.between(0, 700)).unwrap());
    let budget = [3, 8, 30][usize::try_from(dice.between(0, 2)).unwrap()];
    let mut body = json!({
        "intent_type": "intent.crash.v1",
        "payload": { "key": key, "pad": pad, "text": "ä€\u{2028}\"\\" },
        "max_delivery_attempts": budget,
    });
    body["to_agent"] = json!(match kind {
        0..40 => ORDERS,
        40..65 => LEDGER,
        65..90 => HOOK,
        90..95 => DESK,
        _ => BOSS,
    });
    if kind >= 95 {
        body["human_task"] = json!({ "title": key, "task_type": "approval" });
    }
    if kind >= 90 && dice.percent(30) {
        body["remind_after_seconds"] = json!(1);
        body["max_reminders"] = json!(2);
    }
    if dice.percent(10) {
        body["reply_to"] = json!(ARCHIVE);
    }
    if dice.percent(4) {
        let after =
            jiff::SignedDuration::from_millis(i64::try_from(dice.between(300, 2500)).unwrap());
        body["deadline_at"] = json!((now() + after).to_string());
    }
    body
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program under test runs by the clock of the system"
)]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Sends what was acknowledged long ago once more: the same key gives the same intent.
pub(crate) async fn send_again(world: Shared, dice: Dice) {
    while world.is_load() {
        world.pause(dice.between(5, 40)).await;
        let known = {
            let ledger = world.ledger();
            let keys: Vec<&String> = ledger.accepted.keys().collect();
            dice.pick(&keys)
                .map(|key| ((*key).clone(), ledger.accepted[*key].clone()))
        };
        let Some((key, accepted)) = known else {
            continue;
        };
        let mut body = accepted.body.clone();
        let is_other = dice.percent(20);
        if is_other {
            body["payload"]["other"] = json!(true);
        }
        let ask = Ask::post(&accepted.token, "/v1/intents", &body).key(&key);
        let reply = world.call(ask).await;
        let is_as_promised = match (is_other, reply.status) {
            (true, 409) => reply.code() == "idempotency_conflict",
            (false, 200) => reply.text("/intent_id") == accepted.id,
            _ => false,
        };
        if !is_as_promised {
            world.ledger().wrong(format!(
                "I5: key {key} of {} again: {} {}",
                accepted.id, reply.status, reply.body
            ));
        }
    }
}

/// Takes back what was sent.
pub(crate) async fn cancel(world: Shared, dice: Dice) {
    while world.is_load() {
        world.pause(dice.between(5, 50)).await;
        let recent = {
            let ledger = world.ledger();
            let from = ledger.ids.len().saturating_sub(60);
            dice.pick(&ledger.ids[from..]).cloned()
        };
        let Some(id) = recent else { continue };
        let reason = dice.nonce();
        let path = format!("/v1/intents/{id}/cancel");
        let ask = Ask::post(&world.sender, path, &json!({ "reason": reason })).key(&reason);
        let reply = world.call(ask).await;
        let answer = if reply.is_ok() {
            Answer::Kept
        } else {
            Answer::Refused(reply.code())
        };
        let end = End::Canceled(reason);
        world.ledger().report(&id, end, answer, reply.during);
    }
}
