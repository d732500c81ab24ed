//! The senders: in a closed loop, or at a pace.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::line::{Line, request};
use super::{Target, body};
use crate::cli::failure::Failure;
use crate::clock::{Clock, Mono};

/// Messages under way at once in a run of full cycles.
pub(super) const WINDOW: usize = 1024;
/// Connections that send in a run of full cycles, and those that report results.
pub(super) const HANDS: usize = 64;
/// Connections of a paced run: one that waits for its answer holds no other up.
const PACED_LINES: usize = 16;
/// How long the first of a run, and the last of a paced one, are waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Pieces a second.
    pub per_second: f64,
    /// Pieces that were counted.
    pub count: u64,
    /// These and the ones before them, which filled the pipes.
    pub all: u64,
    /// Milliseconds from end to end, sorted, where that was asked.
    pub latencies: Vec<f64>,
}

impl Run {
    /// So many pieces in that time.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn of(count: usize, took: Duration) -> Self {
        Self {
            per_second: count as f64 / took.as_secs_f64(),
            count: u64::try_from(count).unwrap_or(u64::MAX),
            all: u64::try_from(count).unwrap_or(u64::MAX),
            latencies: Vec::new(),
        }
    }
}

/// Counts what is finished, lets the next one in, and ends the run when a part of it fails.
#[derive(Debug)]
pub(super) struct Gate {
    places: Semaphore,
    finished: AtomicU64,
    over: CancellationToken,
    fault: OnceLock<Failure>,
}

impl Gate {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            places: Semaphore::new(WINDOW),
            finished: AtomicU64::new(0),
            over: CancellationToken::new(),
            fault: OnceLock::new(),
        })
    }

    /// So many went all the way.
    pub(super) fn finish(&self, count: usize) {
        let more = u64::try_from(count).unwrap_or(u64::MAX);
        self.finished.fetch_add(more, Ordering::Relaxed);
        self.places.add_permits(count);
    }

    /// A part of the load cannot go on, and so the run cannot. The first failure is kept.
    pub(super) fn fail(&self, failure: Failure) {
        if !self.over.is_cancelled() {
            // The first one is the cause of the others.
            let _later = self.fault.set(failure);
            self.over.cancel();
        }
    }

    /// Lets the run go on for a while.
    async fn run(&self, span: Duration) -> Result<(), Failure> {
        // A token and a sleep keep nothing when dropped.
        tokio::select! {
            () = tokio::time::sleep(span) => Ok(()),
            () = self.over.cancelled() => Err(self.failure()),
        }
    }

    fn failure(&self) -> Failure {
        let kept = self.fault.get().cloned();
        kept.unwrap_or_else(|| Failure::refused("the run ended early"))
    }

    fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }
}

/// The parts of a load; they end when this is dropped.
pub(super) struct Parts {
    set: JoinSet<()>,
    gate: Arc<Gate>,
}

impl Parts {
    pub(super) fn new(gate: &Arc<Gate>) -> Self {
        Self {
            set: JoinSet::new(),
            gate: Arc::clone(gate),
        }
    }

    /// Runs a part until the run is over. What goes wrong with it before is the run's failure.
    pub(super) fn play<F>(&mut self, part: F)
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let gate = Arc::clone(&self.gate);
        self.set.spawn(async move {
            if let Err(failure) = part.await {
                gate.fail(failure);
            }
        });
    }

    async fn end(mut self) {
        self.gate.over.cancel();
        self.set.shutdown().await;
    }
}

/// The number of a message, and when it came.
pub(super) type Mark = (usize, Mono);

/// When a place is free for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    WhenAnswered,
    WhenFinished,
}

/// What is sent where, and for how long.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) target: Target,
    pub(super) clock: Arc<dyn Clock>,
    path: &'static str,
    body: String,
    span: Duration,
}

impl Load {
    pub(super) fn new(target: Target, span: Duration, clock: Arc<dyn Clock>) -> Self {
        Self {
            path: target.accept,
            target,
            clock,
            body: body("orders"),
            span,
        }
    }

    /// Sends to another receiver.
    pub(super) fn send_to(&mut self, agent: &str) {
        self.body = body(agent);
    }

    /// Sends the same create so many times in each call.
    pub(super) fn batch(&mut self, many: usize) {
        let items = vec![self.body.as_str(); many];
        self.body = format!("{{\"intents\":[{}]}}", items.join(","));
        self.path = self.target.batch;
    }

    /// Accepts alone, over so many connections; each call brings `many`.
    pub(super) async fn accepts(
        &self,
        gate: &Arc<Gate>,
        lines: usize,
        many: usize,
    ) -> Result<Run, Failure> {
        let parts = Parts::new(gate);
        self.counted(gate, (lines, many), Next::WhenAnswered, parts)
            .await
    }

    /// Full cycles; `received` runs already and tells the gate.
    pub(super) async fn cycles(
        &self,
        gate: &Arc<Gate>,
        many: usize,
        received: Parts,
    ) -> Result<Run, Failure> {
        // A batch keeps as much under way with fewer connections.
        let lines = if many > 1 { 8 } else { HANDS };
        self.counted(gate, (lines, many), Next::WhenFinished, received)
            .await
    }

    async fn counted(
        &self,
        gate: &Arc<Gate>,
        (lines, many): (usize, usize),
        next: Next,
        mut parts: Parts,
    ) -> Result<Run, Failure> {
        let target = &self.target;
        let message = request("POST", self.path, &target.token, self.body.as_bytes());
        let message = Arc::new(message);
        let places = u32::try_from(many).unwrap_or(u32::MAX);
        for _ in 0..lines {
            let (message, gate, address) = (Arc::clone(&message), Arc::clone(gate), target.address);
            parts.play(async move {
                let mut line = Line::open(address).await?;
                // The gate is never closed.
                while let Ok(place) = gate.places.acquire_many(places).await {
                    place.forget();
                    line.call(&message).await?;
                    if next == Next::WhenAnswered {
                        gate.finish(many);
                    }
                }
                Ok(())
            });
        }
        let fifth = self.span / 5;
        gate.run(fifth).await?;
        let (began, before) = (self.clock.elapsed(), gate.finished());
        gate.run(self.span.saturating_sub(fifth)).await?;
        // A machine that is busy otherwise may need longer for the first one.
        while gate.finished() == before && self.clock.elapsed().since(began) < PATIENCE {
            gate.run(fifth).await?;
        }
        let all = gate.finished();
        let took = self.clock.elapsed().since(began);
        parts.end().await;
        if all == before {
            let seconds = took.as_secs();
            return Err(Failure::refused(format!(
                "nothing went through in {seconds} s"
            )));
        }
        let count = usize::try_from(all.saturating_sub(before)).unwrap_or(usize::MAX);
        Ok(Run {
            all,
            ..Run::of(count, took)
        })
    }

    /// From the write of a create to its arrival, at a fixed pace.
    pub(super) async fn paced(
        &self,
        gate: &Arc<Gate>,
        mut marks: mpsc::Receiver<Mark>,
        per_second: u32,
        mut parts: Parts,
    ) -> Result<Run, Failure> {
        let started: Arc<Mutex<Vec<Mono>>> = Arc::default();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let free = Arc::new(Semaphore::new(PACED_LINES));
        for _ in 0..PACED_LINES {
            let line = Line::open(self.target.address).await?;
            lines.lock().push(line);
        }
        let millis = u64::try_from(self.span.as_millis()).unwrap_or(u64::MAX);
        let count = u64::from(per_second).saturating_mul(millis) / 1000;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let pause = Duration::from_secs(1) / per_second.max(1);
        let mut tick = tokio::time::interval(pause);
        for mark in 0..count {
            tick.tick().await;
            let marked = format!("\"mark\":\"{mark}\"");
            let text = self.body.replace("\"mark\":\"\"", &marked);
            let message = request("POST", self.path, &self.target.token, text.as_bytes());
            let place = Arc::clone(&free).acquire_owned().await;
            let line = lines.lock().pop();
            let (Ok(place), Some(mut line)) = (place, line) else {
                return Err(Failure::refused("no connection is left to send over"));
            };
            started.lock().push(self.clock.elapsed());
            let lines = Arc::clone(&lines);
            parts.play(async move {
                line.call(&message).await?;
                lines.lock().push(line);
                drop(place);
                Ok(())
            });
            if gate.over.is_cancelled() {
                return Err(gate.failure());
            }
        }
        let mut latencies = Vec::with_capacity(count);
        for arrived in 0..count {
            let Ok(Some((mark, came))) = tokio::time::timeout(PATIENCE, marks.recv()).await else {
                let late = Failure::refused(format!(
                    "{} of {count} intents had not arrived {} s after the last was sent",
                    count.saturating_sub(arrived),
                    PATIENCE.as_secs()
                ));
                return Err(gate.fault.get().cloned().unwrap_or(late));
            };
            let sent = started.lock().get(mark).copied();
            // The first fifth fills the pipes.
            if let Some(sent) = sent.filter(|_| mark >= count / 5) {
                latencies.push(came.since(sent).as_secs_f64() * 1000.0);
            }
        }
        parts.end().await;
        latencies.sort_by(f64::total_cmp);
        Ok(Run {
            per_second: f64::from(per_second),
            count: u64::try_from(latencies.len()).unwrap_or(u64::MAX),
            all: u64::try_from(count).unwrap_or(u64::MAX),
            latencies,
        })
    }
}
