//! The load: senders in a closed loop or at a pace, and receivers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::{Line, request, text_of, texts_of};

/// Messages under way at once in a run of full cycles.
const WINDOW: usize = 1024;
/// Connections that say that work is done.
const HANDS: usize = 64;
/// Event streams.
const STREAMS: usize = 4;

/// Where the load goes, and how it is spoken to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) accept: String,
    pub(crate) stream: String,
    /// `{id}` stands for the intent.
    pub(crate) done: String,
    pub(crate) done_body: String,
    pub(crate) body: String,
}

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    pub(crate) per_second: f64,
    /// Milliseconds from end to end, sorted, where that was asked.
    pub(crate) latencies: Vec<f64>,
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn rate(count: u64, took: Duration) -> Run {
    Run {
        per_second: count as f64 / took.as_secs_f64(),
        ..Run::default()
    }
}

/// Accepts alone, over so many connections.
pub(crate) async fn accepts(target: Target, lines: usize, span: Duration) -> Run {
    let message = request(
        "POST",
        &target.accept,
        &target.token,
        target.body.as_bytes(),
    );
    let message = Arc::new(message);
    let began = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..lines {
        let message = Arc::clone(&message);
        let address = target.address;
        senders.spawn(async move {
            let mut line = Line::open(address).await;
            let mut count = 0_u64;
            while began.elapsed() < span {
                line.call(&message).await;
                count += 1;
            }
            count
        });
    }
    let count = senders.join_all().await.into_iter().sum();
    rate(count, began.elapsed())
}

/// Counts what is finished and lets the next one in.
#[derive(Debug)]
pub(crate) struct Gate {
    places: Semaphore,
    finished: AtomicU64,
    is_over: AtomicBool,
}

impl Gate {
    pub(crate) fn new(window: usize) -> Arc<Self> {
        Arc::new(Self {
            places: Semaphore::new(window),
            finished: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        })
    }

    pub(crate) fn finish(&self, count: usize) {
        self.finished
            .fetch_add(u64::try_from(count).unwrap(), Ordering::Relaxed);
        self.places.add_permits(count);
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }
}

/// Full cycles; what receives is running already and tells the gate.
pub(crate) async fn cycles(target: &Target, gate: &Arc<Gate>, lines: usize, span: Duration) -> Run {
    cycles_of(target, gate, lines, span, 1).await
}

/// Full cycles of which each accept brings so many.
pub(crate) async fn cycles_of(
    target: &Target,
    gate: &Arc<Gate>,
    lines: usize,
    span: Duration,
    many: usize,
) -> Run {
    let message = request(
        "POST",
        &target.accept,
        &target.token,
        target.body.as_bytes(),
    );
    let message = Arc::new(message);
    let mut senders = JoinSet::new();
    for _ in 0..lines {
        let (message, gate, address) = (Arc::clone(&message), Arc::clone(gate), target.address);
        senders.spawn(async move {
            let mut line = Line::open(address).await;
            while !gate.is_over() {
                let places = u32::try_from(many).unwrap();
                gate.places.acquire_many(places).await.unwrap().forget();
                line.call(&message).await;
            }
        });
    }
    // The first moments fill the pipes.
    tokio::time::sleep(span / 5).await;
    let (began, before) = (Instant::now(), gate.finished());
    tokio::time::sleep(span).await;
    let (count, took) = (gate.finished() - before, began.elapsed());
    gate.is_over.store(true, Ordering::Relaxed);
    senders.shutdown().await;
    rate(count, took)
}

/// Listeners over event streams, and hands that say that each message is done.
pub(crate) async fn streams(target: &Target, gate: &Arc<Gate>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let (rows, queue) = mpsc::channel::<String>(WINDOW * 2);
    let queue = Arc::new(tokio::sync::Mutex::new(queue));
    for _ in 0..HANDS {
        let (queue, gate, target) = (Arc::clone(&queue), Arc::clone(gate), target.clone());
        tasks.spawn(async move {
            let mut line = Line::open(target.address).await;
            loop {
                let next = queue.lock().await.recv().await;
                let Some(id) = next else { return };
                let path = target.done.replace("{id}", &id);
                let body = target.done_body.as_bytes();
                line.call(&request("POST", &path, &target.token, body))
                    .await;
                gate.finish(1);
            }
        });
    }
    for _ in 0..STREAMS {
        let line = Line::open(target.address).await;
        let ask = request("GET", &target.stream, &target.token, b"");
        let mut events = line.listen(&ask).await;
        let rows = rows.clone();
        tasks.spawn(async move {
            while let Some(frames) = events.next().await {
                for frame in frames {
                    if let Some(id) = text_of(&frame, "intent_id") {
                        rows.send(id.to_owned()).await.unwrap();
                    }
                }
            }
        });
    }
    tasks
}

/// Pollers that report each result alone, or all of a poll in one call.
pub(crate) fn polls(target: &Target, gate: &Arc<Gate>, is_batched: bool) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let lines = if is_batched { 8 } else { HANDS };
    let limit = if is_batched { 100 } else { 16 };
    for _ in 0..lines {
        let (gate, target) = (Arc::clone(gate), target.clone());
        tasks.spawn(async move {
            let mut line = Line::open(target.address).await;
            let path = format!("/v1/agents/ledger/intents?limit={limit}&wait_seconds=5");
            let poll = request("GET", &path, &target.token, b"");
            loop {
                let ids = texts_of(&line.call(&poll).await, "intent_id");
                if is_batched {
                    let items: Vec<String> = ids
                        .iter()
                        .map(|id| {
                            format!("{{\"intent_id\":\"{id}\",\"action\":\"complete\",\"result\":{{\"ok\":1}}}}")
                        })
                        .collect();
                    if !items.is_empty() {
                        let body = format!("{{\"results\":[{}]}}", items.join(","));
                        let path = "/v1/agents/ledger/intents/results";
                        let ask = request("POST", path, &target.token, body.as_bytes());
                        line.call(&ask).await;
                        gate.finish(ids.len());
                    }
                    continue;
                }
                for id in ids {
                    let path = target.done.replace("{id}", &id);
                    let body = target.done_body.as_bytes();
                    line.call(&request("POST", &path, &target.token, body)).await;
                    gate.finish(1);
                }
            }
        });
    }
    tasks
}

/// Marks as they arrive over an event stream; a hand says that each is done.
pub(crate) async fn marks(target: &Target, tasks: &mut JoinSet<()>) -> mpsc::Receiver<Mark> {
    let (ends, ended) = mpsc::channel(4096);
    let (rows, mut queue) = mpsc::channel::<String>(4096);
    let ask = request("GET", &target.stream, &target.token, b"");
    let mut events = Line::open(target.address).await.listen(&ask).await;
    tasks.spawn(async move {
        while let Some(frames) = events.next().await {
            let now = Instant::now();
            for frame in frames {
                if let (Some(id), Some(mark)) =
                    (text_of(&frame, "intent_id"), text_of(&frame, "mark"))
                {
                    ends.send((mark.parse().unwrap(), now)).await.unwrap();
                    rows.send(id.to_owned()).await.unwrap();
                }
            }
        }
    });
    let hand = target.clone();
    tasks.spawn(async move {
        let mut line = Line::open(hand.address).await;
        while let Some(id) = queue.recv().await {
            let path = hand.done.replace("{id}", &id);
            let body = hand.done_body.as_bytes();
            line.call(&request("POST", &path, &hand.token, body)).await;
        }
    });
    ended
}

/// The number of a message, and when it came.
pub(crate) type Mark = (usize, Instant);

/// From the write of a POST to its arrival, at a fixed pace.
pub(crate) async fn paced(
    target: &Target,
    mut ended: mpsc::Receiver<Mark>,
    per_second: u32,
    span: Duration,
) -> Run {
    let started: Arc<std::sync::Mutex<Vec<Instant>>> = Arc::default();
    let mut tasks = JoinSet::new();
    let (lines, mut free) = mpsc::channel(64);
    for _ in 0..16 {
        lines.send(Line::open(target.address).await).await.unwrap();
    }
    let count = usize::try_from(u64::from(per_second) * span.as_secs()).unwrap();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / per_second);
    for mark in 0..count {
        tick.tick().await;
        let mut line = free.recv().await.unwrap();
        let body = target
            .body
            .replace("\"mark\":\"\"", &format!("\"mark\":\"{mark}\""));
        let message = request("POST", &target.accept, &target.token, body.as_bytes());
        started.lock().unwrap().push(Instant::now());
        let lines = lines.clone();
        tasks.spawn(async move {
            line.call(&message).await;
            drop(lines.send(line).await);
        });
    }
    let mut latencies = Vec::new();
    while latencies.len() < count {
        let end = tokio::time::timeout(Duration::from_secs(5), ended.recv()).await;
        let Ok(Some((mark, end))) = end else { break };
        let took = end.duration_since(started.lock().unwrap()[mark]);
        latencies.push(took.as_secs_f64() * 1000.0);
    }
    tasks.shutdown().await;
    latencies.sort_by(f64::total_cmp);
    Run {
        per_second: f64::from(per_second),
        latencies,
    }
}

/// The window of a run of full cycles.
pub(crate) fn gate() -> Arc<Gate> {
    Gate::new(WINDOW)
}
