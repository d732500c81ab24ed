//! The receiver that is called: a small server on loopback that outlives every broker.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::history::{During, NEVER};
use crate::ledger::{Answer, End};
use crate::world::{Ask, Shared, text};

/// Known once the world is.
pub(crate) type Guest = Arc<OnceCell<(Shared, Dice)>>;

/// Opens the door. Calls are refused until the guest is there.
pub(crate) async fn open(guest: Guest, tasks: &mut JoinSet<()>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route(
        "/hook",
        post(move |body: Bytes| {
            let guest = Arc::clone(&guest);
            async move {
                match guest.get() {
                    Some((world, dice)) => receive(world, dice, &body).await,
                    None => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
                }
            }
        }),
    );
    tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

async fn receive(world: &Shared, dice: &Dice, body: &[u8]) -> (StatusCode, String) {
    let Ok(push) = serde_json::from_slice::<Value>(body) else {
        world.ledger().wrong("a push that is no JSON");
        return (StatusCode::BAD_REQUEST, String::new());
    };
    let id = text(&push, "/intent_id");
    let attempt = text(&push, "/delivery_id");
    let number = push["delivery_attempt"].as_u64().unwrap_or(0);
    let at = world.micros();
    world.ledger().see(&attempt, &id, number, "the webhook", at);
    let mood = if world.is_load() {
        dice.between(0, 99)
    } else {
        0
    };
    let nonce = dice.nonce();
    let unknown = During {
        from: world.micros(),
        to: NEVER,
    };
    match mood {
        60..72 => (StatusCode::INTERNAL_SERVER_ERROR, "busy".to_owned()),
        72..75 => (StatusCode::GONE, String::new()),
        75..80 => {
            let end = End::Failed(nonce.clone());
            world.ledger().report(&id, end, Answer::Unknown, unknown);
            let body = json!({ "action": "fail", "reason": nonce });
            (StatusCode::OK, body.to_string())
        }
        80..90 => {
            // It reports before it answers, as a quick receiver may. When the broker dies meanwhile,
            // so does this, and nobody knows.
            let end = End::Completed(nonce.clone());
            world.ledger().report(&id, end, Answer::Unknown, unknown);
            let path = format!("/v1/intents/{id}/resume");
            let result = json!({ "nonce": nonce });
            let body = json!({ "action": "complete", "result": result, "attempt_id": attempt });
            let ask = Ask::post(&world.admin, path, &body).key(&nonce);
            let reply = world.call(ask).await;
            let answer = if reply.is_ok() {
                Answer::Kept
            } else {
                Answer::Refused(reply.code())
            };
            let end = End::Completed(nonce);
            world.ledger().report(&id, end, answer, reply.during);
            (StatusCode::ACCEPTED, "{\"ack\":true}".to_owned())
        }
        // It takes it and never comes back.
        90..93 => (StatusCode::ACCEPTED, "{\"ack\":true}".to_owned()),
        _ => {
            if mood > 0 {
                world.pause(dice.between(0, 40)).await;
            }
            let end = End::Completed(nonce.clone());
            world.ledger().report(&id, end, Answer::Unknown, unknown);
            (
                StatusCode::OK,
                json!({ "result": { "nonce": nonce } }).to_string(),
            )
        }
    }
}
