//! Those who send and receive at a rate: receivers crash, hang, forget, give back, answer 500 and report late.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use eventsource_stream::Eventsource;
use futures_util::StreamExt;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::book::{Book, Said, end_of, since};
use crate::dice::Dice;
use crate::receivers::{HOOK, LEDGER, ORDERS};
use crate::world::{Ask, Shared, text};

/// Intents under way beyond which senders wait, so that a slow machine is told instead of drowned.
const OPEN_MAX: usize = 60_000;
/// Rows that one report carries at most.
const REPORTED: usize = 100;
/// Longer than a lease, in milliseconds.
const LATE_MS: u64 = 3000;

/// What every actor has.
#[derive(Clone)]
pub(super) struct Seat {
    pub(super) world: Shared,
    pub(super) book: Arc<Mutex<Book>>,
    pub(super) dice: Arc<Dice>,
    /// Milliseconds that senders waited for receivers.
    pub(super) held_back: Arc<AtomicU64>,
}

/// Sends `per_second` in batches until the load ends.
pub(super) async fn send(seat: Seat, name: String, per_second: u64) {
    let world = &seat.world;
    let batch = (per_second / 10).clamp(1, 50);
    let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 * batch / per_second));
    let mut count = 0_u64;
    while world.is_load() {
        tick.tick().await;
        while seat.book.lock().open() > OPEN_MAX && world.is_load() {
            world.pause(10).await;
            seat.held_back.fetch_add(10, Ordering::Relaxed);
        }
        let items: Vec<Value> = (0..batch)
            .map(|_| {
                count += 1;
                let pad = usize::try_from(seat.dice.between(0, 900)).unwrap();
                let to = match seat.dice.between(0, 99) {
                    0..45 => ORDERS,
                    45..75 => LEDGER,
                    _ => HOOK,
                };
                json!({
                    "intent_type": "intent.soak.v1",
                    "to_agent": to,
                    "idempotency_key": format!("{name}-{count}"),
                    "max_delivery_attempts": 30,
                    "payload": { "length": pad, "pad": "x".repeat(pad) },
                })
            })
            .collect();
        let ask = Ask::post(
            &world.sender,
            "/v1/intents/batch",
            &json!({ "intents": items }),
        );
        let reply = world.call(ask).await;
        let mut book = seat.book.lock();
        for result in reply.list("/results") {
            if result["status"] == json!(200) {
                book.accept(&text(&result, "/intent_id"), reply.during);
            } else {
                book.complain(format!("an intent was refused: {result}"));
            }
        }
        if !reply.is_ok() {
            book.complain(format!("a batch was refused: {}", reply.body));
        }
    }
}

/// Listens, one window after another, and crashes now and then.
pub(super) async fn listen(seat: Seat, token: String, rows: mpsc::Sender<Value>) {
    let world = &seat.world;
    while !world.is_done() {
        let path = "/v1/agents/local/default/orders/intents/stream?since=0&wait_seconds=5&max_in_flight=256";
        let base = world.up().await;
        let request = world
            .client
            .get(format!("{base}{path}"))
            .header("x-api-key", &token);
        let Ok(response) = request.send().await else {
            world.pause(5).await;
            continue;
        };
        let mut frames = response.bytes_stream().eventsource();
        // A frame that is no frame, or the end of the bytes, is how a kill looks from here.
        while let Some(Ok(frame)) = frames.next().await {
            if frame.event != "intent.delivered" {
                continue;
            }
            let row: Value = serde_json::from_str(&frame.data).unwrap();
            take(&seat, &row);
            // Nobody reads any more when the run is over.
            drop(rows.send(row).await);
            if world.is_load() && seat.dice.number().is_multiple_of(3000) {
                break;
            }
        }
    }
}

/// Polls until everything is over.
pub(super) async fn poll(seat: Seat, token: String, rows: mpsc::Sender<Value>) {
    let world = &seat.world;
    while !world.is_done() {
        let path = "/v1/agents/local/default/ledger/intents?limit=100&wait_seconds=1";
        let Some(reply) = world.once(&Ask::get(&token, path)).await else {
            world.pause(5).await;
            continue;
        };
        for row in reply.list("/intents") {
            take(&seat, &row);
            drop(rows.send(row).await);
        }
    }
}

fn take(seat: &Seat, row: &Value) {
    let length = row["payload"]["length"].as_u64().unwrap_or(u64::MAX);
    let pad = u64::try_from(text(row, "/payload/pad").len()).unwrap();
    let at = seat.world.micros();
    let mut book = seat.book.lock();
    if length != pad {
        book.complain(format!("not what was sent: {row}"));
    }
    let number = row["delivery_attempt"].as_u64().unwrap_or(0);
    book.hand(
        &text(row, "/intent_id"),
        &text(row, "/attempt_id"),
        number,
        at,
    );
}

/// Reports what was taken, many at a time, and some of it wrongly or late.
pub(super) async fn report(
    seat: Seat,
    agent: &'static str,
    token: String,
    mut rows: mpsc::Receiver<Value>,
) {
    let (mut batch, mut late) = (Vec::new(), JoinSet::new());
    while rows.recv_many(&mut batch, REPORTED).await > 0 {
        let mut items = Vec::new();
        for row in batch.drain(..) {
            let mood = if seat.world.is_load() {
                seat.dice.between(0, 99)
            } else {
                0
            };
            match mood {
                // It forgets; the lease runs out.
                0 if seat.world.is_load() => {}
                1..3 => {
                    let (seat, token) = (seat.clone(), token.clone());
                    late.spawn(async move {
                        seat.world.pause(LATE_MS).await;
                        let item = outcome(&seat, &row, 99);
                        results(&seat, agent, &token, vec![item]).await;
                    });
                }
                3 => {
                    items.push(outcome(&seat, &row, 99));
                    items.push(outcome(&seat, &row, 99));
                }
                mood => items.push(outcome(&seat, &row, mood)),
            }
        }
        if !items.is_empty() {
            results(&seat, agent, &token, items).await;
        }
        while late.try_join_next().is_some() {}
    }
    late.join_all().await;
}

fn outcome(seat: &Seat, row: &Value, mood: u64) -> Value {
    let mut item = json!({
        "intent_id": row["intent_id"],
        "attempt_id": row["attempt_id"],
        "action": "complete",
    });
    let nonce = seat.dice.nonce();
    match mood {
        4..8 => {
            item["action"] = json!("nack");
        }
        8..10 => {
            item["action"] = json!("fail");
            item["reason"] = json!(nonce);
        }
        _ => item["result"] = json!({ "nonce": nonce }),
    }
    item
}

async fn results(seat: &Seat, agent: &str, token: &str, items: Vec<Value>) {
    let path = format!("/v1/agents/local/default/{agent}/intents/results");
    let ask = Ask::post(token, path, &json!({ "results": items })).key(seat.dice.nonce());
    let reply = seat.world.call(ask).await;
    let answers = reply.list("/results");
    let mut book = seat.book.lock();
    if answers.len() != items.len() {
        book.complain(format!("results were refused: {}", reply.body));
    }
    for (item, answer) in items.iter().zip(answers) {
        let id = text(item, "/intent_id");
        let end = match text(item, "/action").as_str() {
            "complete" => Some(format!("COMPLETED {}", text(item, "/result/nonce"))),
            "fail" => Some(format!("FAILED {}", text(item, "/reason"))),
            _ => None,
        };
        if answer["status"] == json!(200) {
            book.fence(&id, reply.during, text(item, "/attempt_id"));
            if let Some(end) = end {
                book.say(&id, reply.during, Said::Wrote(end, true));
            }
        } else if text(&answer, "/error/code") == "intent_terminal" {
            book.say(&id, reply.during, Said::TooLate);
        }
    }
}

/// What the receiver that is called answers.
pub(super) async fn called(seat: &Seat, body: &Bytes) -> (StatusCode, String) {
    let push: Value = serde_json::from_slice(body).unwrap();
    let (id, attempt) = (text(&push, "/intent_id"), text(&push, "/delivery_id"));
    let number = push["delivery_attempt"].as_u64().unwrap_or(0);
    let at = seat.world.micros();
    seat.book.lock().hand(&id, &attempt, number, at);
    let mood = if seat.world.is_load() {
        seat.dice.between(0, 99)
    } else {
        99
    };
    match mood {
        0..4 => return (StatusCode::INTERNAL_SERVER_ERROR, "no".to_owned()),
        // It hangs for longer than anybody waits.
        4 => seat.world.pause(LATE_MS).await,
        _ => {}
    }
    let nonce = seat.dice.nonce();
    let end = format!("COMPLETED {nonce}");
    seat.book
        .lock()
        .say(&id, since(at), Said::Wrote(end, false));
    (
        StatusCode::OK,
        json!({ "result": { "nonce": nonce } }).to_string(),
    )
}

/// Reads the feed from its beginning, page by page, until everything is over.
pub(super) async fn follow(seat: Seat) {
    let world = &seat.world;
    while !world.is_done() {
        let from = seat.book.lock().since;
        let path = format!("/v1/events?since={from}&limit=500&wait_seconds=1");
        let Some(reply) = world.once(&Ask::get(&world.admin, path)).await else {
            world.pause(5).await;
            continue;
        };
        let head = reply.body["head"].as_u64().unwrap_or(0);
        let events = reply.list("/events");
        seat.book.lock().follow(reply.during, &events, head);
    }
}

/// Judges what has ended, over and over.
pub(super) async fn judge(seat: Seat) {
    while !seat.world.is_done() {
        seat.world.pause(1000).await;
        let now = seat.world.micros();
        seat.book.lock().judge(now, false);
    }
}

/// Looks at intents that were accepted or reported lately.
pub(super) async fn look(seat: Seat) {
    while seat.world.is_load() {
        seat.world.pause(seat.dice.between(2, 20)).await;
        let recent = seat.book.lock().recent(&seat.dice);
        let Some(id) = recent else { continue };
        let ask = Ask::get(&seat.world.admin, format!("/v1/intents/{id}"));
        if let Some(reply) = seat.world.once(&ask).await {
            if reply.is_ok() {
                let end = end_of(&reply.body["intent"]);
                seat.book.lock().say(&id, reply.during, Said::Saw(end));
            } else {
                seat.book.lock().miss(&id);
            }
        }
    }
}
