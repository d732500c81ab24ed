//! The receivers: listeners, pollers, and a server that is called.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use tokio::sync::{Mutex, mpsc};

use super::Receiver;
use super::line::{Line, request, text_of, texts_of};
use super::load::{Gate, HANDS, Load, Mark, Parts, WINDOW};
use crate::cli::failure::Failure;
use crate::clock::Clock;

/// Event streams of a run of full cycles.
const STREAMS: usize = 4;
/// What a result says.
const RESULT: &str = "{\"action\":\"complete\",\"result\":{\"ok\":1}}";
/// The agent that polls, and the one that is called.
const POLLER: &str = "ledger";
const CALLED: &str = "hook";
/// Marks that may wait to be read; more than are sent in the patience of a run.
const MARKS_MAX: usize = 8192;

/// Starts those who receive in a run of full cycles.
///
/// # Errors
/// When the server does not take them.
pub(super) async fn start(
    receiver: Receiver,
    load: &mut Load,
    gate: &Arc<Gate>,
) -> Result<Parts, Failure> {
    let mut parts = Parts::new(gate);
    match receiver {
        Receiver::Stream => listen(load, gate, &mut parts).await?,
        Receiver::Poll => {
            register_poller(load).await?;
            for _ in 0..HANDS {
                poll(load, gate, &mut parts);
            }
        }
        Receiver::PollBatched => {
            register_poller(load).await?;
            for _ in 0..HANDS / 8 {
                poll_batched(load, gate, &mut parts);
            }
        }
        Receiver::Http => {
            let gate = Arc::clone(gate);
            let url = sink(&mut parts, move |_body| gate.finish(1)).await?;
            register_called(load, &url).await?;
        }
    }
    Ok(parts)
}

/// Starts one receiver that says when each marked message comes.
///
/// # Errors
/// When the server does not take it.
pub(super) async fn marking(
    receiver: Receiver,
    load: &mut Load,
    gate: &Arc<Gate>,
) -> Result<(Parts, mpsc::Receiver<Mark>), Failure> {
    let mut parts = Parts::new(gate);
    let (marks, ended) = mpsc::channel(MARKS_MAX);
    if receiver == Receiver::Http {
        let clock = Arc::clone(&load.clock);
        let url = sink(&mut parts, move |body| {
            let mark = text_of(body, "mark").and_then(|mark| mark.parse().ok());
            if let Some(mark) = mark {
                // A mark that finds no place is counted as one that did not arrive.
                let _lost = marks.try_send((mark, clock.elapsed()));
            }
        })
        .await?;
        register_called(load, &url).await?;
    } else {
        listen_for_marks(load, marks, &mut parts).await?;
    }
    Ok((parts, ended))
}

/// Listeners over event streams, and hands that say that each message is done.
async fn listen(load: &Load, gate: &Arc<Gate>, parts: &mut Parts) -> Result<(), Failure> {
    let (rows, queue) = mpsc::channel::<String>(WINDOW * 2);
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..HANDS {
        let (queue, gate, target) = (Arc::clone(&queue), Arc::clone(gate), load.target.clone());
        parts.play(async move {
            let mut line = Line::open(target.address).await?;
            loop {
                let next = queue.lock().await.recv().await;
                let Some(id) = next else { return Ok(()) };
                let path = target.done.replace("{id}", &id);
                line.call(&request("POST", &path, &target.token, RESULT.as_bytes()))
                    .await?;
                gate.finish(1);
            }
        });
    }
    for _ in 0..STREAMS {
        let line = Line::open(load.target.address).await?;
        let ask = request("GET", load.target.stream, &load.target.token, b"");
        let mut events = line.listen(&ask).await?;
        let rows = rows.clone();
        parts.play(async move {
            while let Some(frames) = events.next().await? {
                for frame in frames {
                    if let Some(id) = text_of(&frame, "intent_id") {
                        // Nobody takes it once the run is over.
                        drop(rows.send(id.to_owned()).await);
                    }
                }
            }
            Err(Failure::refused("the server ended an event stream"))
        });
    }
    Ok(())
}

/// Polls for up to sixteen, and reports each result alone.
fn poll(load: &Load, gate: &Arc<Gate>, parts: &mut Parts) {
    let (gate, target) = (Arc::clone(gate), load.target.clone());
    parts.play(async move {
        let mut line = Line::open(target.address).await?;
        let path = format!("/v1/agents/{POLLER}/intents?limit=16&wait_seconds=5");
        let poll = request("GET", &path, &target.token, b"");
        loop {
            for id in texts_of(&line.call(&poll).await?, "intent_id") {
                let path = target.done.replace("{id}", &id);
                line.call(&request("POST", &path, &target.token, RESULT.as_bytes()))
                    .await?;
                gate.finish(1);
            }
        }
    });
}

/// Polls for up to a hundred, and reports all results in one call.
fn poll_batched(load: &Load, gate: &Arc<Gate>, parts: &mut Parts) {
    let (gate, target) = (Arc::clone(gate), load.target.clone());
    parts.play(async move {
        let mut line = Line::open(target.address).await?;
        let path = format!("/v1/agents/{POLLER}/intents?limit=100&wait_seconds=5");
        let poll = request("GET", &path, &target.token, b"");
        let results = format!("/v1/agents/{POLLER}/intents/results");
        loop {
            let ids = texts_of(&line.call(&poll).await?, "intent_id");
            let items: Vec<String> = ids
                .iter()
                .map(|id| {
                    let rest = RESULT.strip_prefix('{').unwrap_or_default();
                    format!("{{\"intent_id\":\"{id}\",{rest}")
                })
                .collect();
            if !items.is_empty() {
                let body = format!("{{\"results\":[{}]}}", items.join(","));
                line.call(&request("POST", &results, &target.token, body.as_bytes()))
                    .await?;
                gate.finish(items.len());
            }
        }
    });
}

/// Marks as they arrive over an event stream; a hand says that each is done.
async fn listen_for_marks(
    load: &Load,
    marks: mpsc::Sender<Mark>,
    parts: &mut Parts,
) -> Result<(), Failure> {
    let (rows, mut queue) = mpsc::channel::<String>(MARKS_MAX);
    let ask = request("GET", load.target.stream, &load.target.token, b"");
    let mut events = Line::open(load.target.address).await?.listen(&ask).await?;
    let clock: Arc<dyn Clock> = Arc::clone(&load.clock);
    parts.play(async move {
        while let Some(frames) = events.next().await? {
            let now = clock.elapsed();
            for frame in frames {
                let mark = text_of(&frame, "mark").and_then(|mark| mark.parse().ok());
                if let (Some(id), Some(mark)) = (text_of(&frame, "intent_id"), mark) {
                    // Nobody takes them once the run is over.
                    let _over = marks.send((mark, now)).await;
                    drop(rows.send(id.to_owned()).await);
                }
            }
        }
        Err(Failure::refused("the server ended an event stream"))
    });
    let target = load.target.clone();
    parts.play(async move {
        let mut line = Line::open(target.address).await?;
        while let Some(id) = queue.recv().await {
            let path = target.done.replace("{id}", &id);
            line.call(&request("POST", &path, &target.token, RESULT.as_bytes()))
                .await?;
        }
        Ok(())
    });
    Ok(())
}

/// A server on loopback that finishes each intent at once, and tells of its body.
async fn sink(
    parts: &mut Parts,
    seen: impl Fn(&[u8]) + Clone + Send + Sync + 'static,
) -> Result<String, Failure> {
    let fault = |error: std::io::Error| Failure::refused(format!("open a receiver: {error}"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    let answer = move |body: Bytes| {
        seen(&body);
        std::future::ready("{\"result\":{\"ok\":1}}")
    };
    let app = Router::new().route("/hook", post(answer));
    parts.play(async move { axum::serve(listener, app).await.map_err(fault) });
    Ok(format!("http://{address}/hook"))
}

async fn register_poller(load: &mut Load) -> Result<(), Failure> {
    register(load, POLLER, "\"delivery_mode\":\"poll\"").await
}

async fn register_called(load: &mut Load, url: &str) -> Result<(), Failure> {
    let more = format!("\"delivery_mode\":\"http\",\"callback_url\":\"{url}\"");
    register(load, CALLED, &more).await
}

/// Makes an account, and sends to it from now on.
async fn register(load: &mut Load, name: &str, more: &str) -> Result<(), Failure> {
    let body = format!("{{\"name\":\"{name}\",{more}}}");
    let target = &load.target;
    let ask = request(
        "POST",
        "/v1/service-accounts",
        &target.token,
        body.as_bytes(),
    );
    Line::open(target.address).await?.call(&ask).await?;
    load.send_to(name);
    Ok(())
}
