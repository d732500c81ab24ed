//! People: those who decide, those who look after dead letters and agents, and a reader of the feed.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::history::FeedRead;
use crate::ledger::{Answer, End, Held};
use crate::verify;
use crate::world::{Ask, NOTICES, Phase, Reply, Shared, text};

/// Decides open tasks, some of them with a hold that some of them take back.
pub(crate) async fn decide(world: Shared, dice: Dice) {
    while !world.is_done() {
        world.pause(dice.between(2, 20)).await;
        let Some(list) = world
            .once(&Ask::get(&world.admin, "/v1/me/tasks?limit=100"))
            .await
        else {
            continue;
        };
        let tasks = list.list("/tasks");
        let Some(task) = dice.pick(&tasks) else {
            continue;
        };
        let id = text(task, "/intent_id");
        let is_notice = NOTICES.contains(&text(task, "/intent_type").as_str());
        let (verb, outcome) = match (dice.percent(60), is_notice) {
            (true, false) => ("approve", "approved"),
            (false, false) => ("reject", "rejected"),
            (true, true) => ("approve", "completed"),
            (false, true) => ("reject", "failed"),
        };
        let comment = dice.nonce();
        let hold = if world.is_load() && dice.percent(40) {
            dice.between(1, 2)
        } else {
            0
        };
        let path = format!("/v1/inbox/{}/{verb}", text(task, "/thread_id"));
        let body = json!({ "comment": comment, "hold_seconds": hold });
        let ask = Ask::post(&world.admin, path, &body).key(&comment);
        let reply = world.call(ask).await;
        if hold > 0 && reply.is_ok() {
            if let Some(hold) = placed(&world, &id, &comment, &reply, "pending") {
                maybe_take_back(&world, &dice, &hold).await;
            }
            continue;
        }
        let end = End::Decided {
            outcome: outcome.to_owned(),
            comment,
        };
        let answer = if reply.is_ok() {
            Answer::Kept
        } else {
            Answer::Refused(reply.code())
        };
        world.ledger().report(&id, end, answer, reply.during);
    }
}

/// Writes a hold down. An answer without one while the subject still waits was no answer.
fn placed(
    world: &Shared,
    subject: &str,
    comment: &str,
    reply: &Reply,
    open: &str,
) -> Option<String> {
    let hold = reply.text("/held/hold_id");
    let state = reply.text("/thread/status") + &reply.text("/dead_letter/state");
    if hold.is_empty() {
        if state == open {
            let again = reply.is_again;
            world.ledger().wrong(format!(
                "I5: a held command on {subject} was answered without its hold (again: {again}): {}",
                reply.body
            ));
        }
        return None;
    }
    let held = Held {
        subject: subject.to_owned(),
        action: reply.text("/held/action"),
        comment: comment.to_owned(),
        cancel: None,
    };
    let mut ledger = world.ledger();
    if ledger.holds.insert(hold.clone(), held).is_some() {
        ledger.wrong(format!("hold {hold} was given out twice"));
    }
    Some(hold)
}

async fn maybe_take_back(world: &Shared, dice: &Dice, hold: &str) {
    if !dice.percent(50) {
        return;
    }
    world.pause(dice.between(0, 300)).await;
    let path = format!("/v1/holds/{hold}/cancel");
    let ask = Ask::post(&world.admin, path, &json!({})).key(format!("back-{hold}"));
    let reply = world.call(ask).await;
    let answer = if reply.is_ok() {
        Answer::Kept
    } else {
        Answer::Refused(reply.code())
    };
    let mut ledger = world.ledger();
    if let Some(held) = ledger.holds.get_mut(hold) {
        held.cancel = Some(answer);
    }
}

/// Replays and discards dead letters.
pub(crate) async fn look_after_letters(world: Shared, dice: Dice) {
    while world.is_load() {
        world.pause(dice.between(5, 40)).await;
        let Some(list) = world
            .once(&Ask::get(&world.admin, "/v1/dead-letters?limit=50"))
            .await
        else {
            continue;
        };
        let letters = list.list("/dead_letters");
        let Some(letter) = dice.pick(&letters) else {
            continue;
        };
        let id = text(letter, "/intent_id");
        let hold = u64::from(dice.percent(25));
        if dice.percent(25) {
            discard(&world, &dice, &id, hold).await;
        } else {
            replay(&world, &dice, &id, hold).await;
        }
    }
}

async fn replay(world: &Shared, dice: &Dice, id: &str, hold: u64) {
    let reason = dice.nonce();
    let mut body = json!({ "reason": reason, "hold_seconds": hold });
    if hold == 0 && dice.percent(20) {
        body["payload"] = json!({ "edited": reason });
    }
    let path = format!("/v1/dead-letters/{id}/replay");
    let reply = world
        .call(Ask::post(&world.admin, path, &body).key(&reason))
        .await;
    if !reply.is_ok() {
        return;
    }
    if hold > 0 {
        if let Some(hold) = placed(world, id, &reason, &reply, "open") {
            maybe_take_back(world, dice, &hold).await;
        }
        return;
    }
    let new = reply.text("/intent/intent_id");
    let mut ledger = world.ledger();
    if new == id {
        ledger.wrong(format!("a replay of {id} gave itself: {}", reply.body));
    } else if let Some(before) = ledger.replays.insert(id.to_owned(), new.clone()) {
        ledger.wrong(format!("{id} was replayed as {before} and as {new}"));
    }
}

async fn discard(world: &Shared, dice: &Dice, id: &str, hold: u64) {
    let reason = dice.nonce();
    let body = json!({ "reason": reason, "hold_seconds": hold });
    let path = format!("/v1/dead-letters/{id}/discard");
    let reply = world
        .call(Ask::post(&world.admin, path, &body).key(&reason))
        .await;
    if !reply.is_ok() {
        return;
    }
    if hold > 0 {
        if let Some(hold) = placed(world, id, &reason, &reply, "open") {
            maybe_take_back(world, dice, &hold).await;
        }
        return;
    }
    world.ledger().discards.insert(id.to_owned());
}

/// Pauses an agent and lets it go on; in between it is paused, whatever is killed.
pub(crate) async fn pause_agents(world: Shared, dice: Dice) {
    while world.is_load() {
        world.pause(dice.between(50, 400)).await;
        let agent = if dice.percent(50) { "orders" } else { "ledger" };
        for (verb, is_paused) in [("pause", true), ("resume", false)] {
            let path = format!("/v1/agents/local/default/{agent}/{verb}");
            let reason = json!({ "reason": dice.nonce() });
            let reply = world.call(Ask::post(&world.admin, path, &reason)).await;
            world.pause(dice.between(0, 120)).await;
            let path = format!("/v1/agents/local/default/{agent}");
            let now = world.call(Ask::get(&world.admin, path)).await;
            if !reply.is_ok() || now.body["agent"]["paused"] != json!(is_paused) {
                world.ledger().wrong(format!(
                    "I1: {verb} of {agent} was answered {} and then it was {}",
                    reply.status, now.body["agent"]["paused"]
                ));
            }
        }
    }
}

/// Follows the feed from where it was, by lists and by streams.
pub(crate) async fn read_feed(world: Shared, dice: Dice) {
    let mut since = 0;
    while world.phase() < Phase::Done {
        if dice.percent(5) {
            // A reader that forgot how far it was.
            since = dice.between(0, since);
        }
        let path = format!("/v1/events?since={since}&limit=300&wait_seconds=1");
        let Some(reply) = world.once(&Ask::get(&world.admin, path)).await else {
            continue;
        };
        let events = reply.list("/events");
        world.ledger().pages.push(FeedRead {
            during: reply.during,
            since,
            cursors: events
                .iter()
                .filter_map(|event| event["cursor"].as_u64())
                .collect(),
            head: reply.body["head"].as_u64().unwrap_or(0),
        });
        for event in events {
            take_event(&world, &event, &mut since);
        }
    }
}

/// The same over an event stream.
pub(crate) async fn stream_feed(world: Shared) {
    use eventsource_stream::Eventsource;
    use futures_util::StreamExt;
    let mut since = 0;
    while world.phase() < Phase::Done {
        let base = world.up().await;
        let request = world
            .client
            .get(format!(
                "{base}/v1/events/stream?since={since}&wait_seconds=1"
            ))
            .header("x-api-key", &world.admin);
        let Ok(response) = request.send().await else {
            world.pause(3).await;
            continue;
        };
        let mut frames = response.bytes_stream().eventsource();
        while let Some(Ok(frame)) = frames.next().await {
            if let Ok(event) = serde_json::from_str::<Value>(&frame.data)
                && event.get("cursor").is_some()
            {
                take_event(&world, &event, &mut since);
            }
        }
    }
}

fn take_event(world: &Shared, event: &Value, since: &mut u64) {
    let cursor = event["cursor"].as_u64().unwrap_or(0);
    let mut ledger = world.ledger();
    if cursor != *since + 1 {
        ledger.wrong(format!("I14: the feed went from {since} to {cursor}"));
    }
    *since = cursor;
    ledger.see_event(event);
}

/// Looks at what was accepted lately, for the history.
pub(crate) async fn look(world: Shared, dice: Dice) {
    while world.is_load() {
        world.pause(dice.between(0, 8)).await;
        if dice.percent(10) {
            look_at_list(&world).await;
            continue;
        }
        let recent = {
            let ledger = world.ledger();
            let from = ledger.ids.len().saturating_sub(40);
            dice.pick(&ledger.ids[from..]).cloned()
        };
        let Some(id) = recent else { continue };
        look_at(&world, id).await;
    }
}

/// Looks at one intent, for the history.
pub(crate) async fn look_at(world: &Shared, id: String) {
    let ask = Ask::get(&world.admin, format!("/v1/intents/{id}"));
    if let Some(reply) = world.once(&ask).await {
        let end = verify::end_of(&reply.body["intent"]);
        world.ledger().looks.push((reply.during, id, end));
    }
}

/// Looks at the newest ones in one call, which a reader of the store answers.
async fn look_at_list(world: &Shared) {
    let ask = Ask::get(&world.admin, "/v1/intents?kind=all&limit=20");
    if let Some(reply) = world.once(&ask).await {
        for intent in reply.list("/intents") {
            let glance = (
                reply.during,
                text(&intent, "/intent_id"),
                verify::is_ended(&intent),
            );
            world.ledger().glances.push(glance);
        }
    }
}
