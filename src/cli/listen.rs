//! `listen`: a stream agent over the public API.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::Context;
use super::arguments::ListenArguments;
use super::client::{Call, Client, Frames};
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
    let mut listening = Listening {
        client,
        path: format!("{}/intents/stream", answering.path()),
        workers: arguments.workers.max(1),
        since: 0,
        has_connected: false,
    };
    let ended = tokio::select! {
        // Dropping `serve` drops its connection: the broker gives unfinished rows to the next listener.
        ended = listening.serve(&answering, arguments.count, &address) => ended,
        stop = stop_signal() => stop,
    };
    match ended {
        Err(Failure::PipeClosed) | Ok(()) => Ok(()),
        Err(failure) => Err(failure),
    }
}

#[derive(Debug)]
struct Listening {
    client: Client,
    path: String,
    workers: u32,
    since: u64,
    has_connected: bool,
}

impl Listening {
    async fn serve(
        &mut self,
        answering: &Answering,
        count: Option<u64>,
        address: &str,
    ) -> Result<(), Failure> {
        let mut pause = PAUSE;
        let mut left = count;
        loop {
            if left == Some(0) {
                return Ok(());
            }
            match self.window(answering, &mut left, address).await {
                Ok(()) => pause = PAUSE,
                Err(Failure::Unreachable(said)) if self.has_connected => {
                    note(&format!(
                        "{}; trying again in {} ms",
                        said.message,
                        pause.as_millis()
                    ));
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
    async fn window(
        &mut self,
        answering: &Answering,
        left: &mut Option<u64>,
        address: &str,
    ) -> Result<(), Failure> {
        let mut frames = self.connect(address).await?;
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
                            at_work.push(answering.answer(row));
                        }
                    }
                },
                Some(answered) = at_work.next() => answered?,
            }
        }
    }

    async fn connect(&mut self, address: &str) -> Result<Frames, Failure> {
        let call = Call::get(self.path.clone())
            .with("since", self.since)
            .with("wait_seconds", 60_u32)
            .with("max_in_flight", self.workers);
        let frames = self.client.stream(call).await?;
        if !self.has_connected {
            note(&format!(
                "listening for {address} at {}",
                self.client.base()
            ));
            self.has_connected = true;
        }
        Ok(frames)
    }

    /// The row that a frame brings; none for the frame that ends a window.
    fn row(&mut self, frame: super::client::Frame) -> Option<Value> {
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
