//! `listen`: a stream agent over the public API.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::Context;
use super::arguments::ListenArguments;
use super::client::{Call, Client, Frame, Frames, address_in_path};
use super::failure::Failure;
use super::handler::Answering;
use super::output::note;

/// The longest pause between two tries to connect.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// The first pause; it doubles.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) async fn run(arguments: ListenArguments, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let address = context.address(&arguments.address)?;
    let answering = Answering::new(
        arguments.handler.clone(),
        &client,
        &address,
        &context.entropy,
        &context.out,
    )?;
    let mut listening = Listening::new(client, &address, arguments.workers, note);
    let ended = tokio::select! {
        // Dropping `serve` drops its connection: the broker gives unfinished rows to the next listener.
        ended = listening.serve(|row| answering.answer(row), arguments.count) => ended,
        stop = stop_signal() => stop,
    };
    match ended {
        Err(Failure::PipeClosed) | Ok(()) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// A connection of a stream agent that is taken up again when it breaks.
#[derive(Debug)]
pub(super) struct Listening {
    client: Client,
    address: String,
    workers: u32,
    say: fn(&str),
    since: u64,
    has_connected: bool,
}

impl Listening {
    /// For `address`, with at most `workers` rows at work at once. `say` is told of connections.
    pub(super) fn new(client: Client, address: &str, workers: u32, say: fn(&str)) -> Self {
        Self {
            client,
            address: address.to_owned(),
            workers: workers.max(1),
            say,
            since: 0,
            has_connected: false,
        }
    }

    /// Takes rows, has them answered, until `count` have come or something fails for good.
    pub(super) async fn serve<A>(
        &mut self,
        answer: impl Fn(Value) -> A,
        count: Option<u64>,
    ) -> Result<(), Failure>
    where
        A: Future<Output = Result<(), Failure>>,
    {
        let mut pause = PAUSE;
        let mut left = count;
        loop {
            if left == Some(0) {
                return Ok(());
            }
            match self.window(&answer, &mut left).await {
                Ok(()) => pause = PAUSE,
                Err(Failure::Unreachable(said)) if self.has_connected => {
                    let millis = pause.as_millis();
                    (self.say)(&format!("{}; trying again in {millis} ms", said.message));
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2).min(PAUSE_MAX);
                    // What was in hand when the connection broke is offered anew.
                    self.since = 0;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// One window of the stream, with everything that it brought answered.
    async fn window<A>(
        &mut self,
        answer: &impl Fn(Value) -> A,
        left: &mut Option<u64>,
    ) -> Result<(), Failure>
    where
        A: Future<Output = Result<(), Failure>>,
    {
        let mut frames = self.connect().await?;
        let mut at_work = FuturesUnordered::new();
        let mut is_open = true;
        let workers = usize::try_from(self.workers).unwrap_or(usize::MAX);
        loop {
            let has_room = is_open && at_work.len() < workers && *left != Some(0);
            if !has_room && at_work.is_empty() {
                return Ok(());
            }
            // Both are `next` of a stream: dropping one loses nothing.
            tokio::select! {
                frame = frames.next(), if has_room => match frame {
                    None => is_open = false,
                    Some(frame) => {
                        if let Some(row) = self.row(frame?) {
                            *left = left.map(|left| left.saturating_sub(1));
                            at_work.push(answer(row));
                        }
                    }
                },
                Some(answered) = at_work.next() => answered?,
            }
        }
    }

    async fn connect(&mut self) -> Result<Frames, Failure> {
        let path = format!(
            "/v1/agents/{}/intents/stream",
            address_in_path(&self.address)
        );
        let call = Call::get(path)
            .with("since", self.since)
            .with("wait_seconds", 60_u32)
            .with("max_in_flight", self.workers);
        let frames = self.client.stream(call).await?;
        if !self.has_connected {
            let base = self.client.base();
            (self.say)(&format!("listening for {} at {base}", self.address));
            self.has_connected = true;
        }
        Ok(frames)
    }

    /// The row that a frame brings; none for the frame that ends a window.
    fn row(&mut self, frame: Frame) -> Option<Value> {
        if !frame.event.starts_with("intent.") {
            return None;
        }
        let seq = frame.data.get("seq").and_then(Value::as_u64).or(frame.id);
        self.since = self.since.max(seq.unwrap_or(0));
        Some(frame.data)
    }
}

/// Completes when somebody wants this process to end.
pub(super) async fn stop_signal() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let fault = |error: std::io::Error| Failure::refused(format!("watch signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(fault)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(fault)?;
    // `recv` is cancel-safe, and after the first signal nobody asks for a second.
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
