//! The broker under load, beside what the machine allows: what `postroom bench` drives and how it is told.
//!
//! 1. Everything that is said of the broker goes over real HTTP connections to its doors, with a key.
//! 2. What is compared was measured in the same run: each row names its ceiling, and is never run without it.
//! 3. Each run has a fresh store, so that no row pays for another.
//! 4. Medians are told together with the raw numbers they come from.
//!
//! Not here: the broker itself, and where its stores lie (`app/bench.rs`). Tested by `tests/cli/bench.rs`.

pub mod ceiling;
mod line;
mod load;
mod receivers;
mod report;
mod rows;

pub use load::Run;
pub use report::{CpuTime, Measured, Report};
pub use rows::{Receiver, Row, Server, Work, chosen};

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::failure::Failure;
use crate::clock::Clock;
use load::{Gate, Load};

/// Intents each call of a batched row brings.
const BATCH: usize = 50;
/// Intents a second in the rows of latency, as the budgets have them.
const PACE_PER_SECOND: u32 = 500;

/// A server to drive, and how it is spoken to.
#[derive(Debug, Clone)]
pub struct Target {
    address: SocketAddr,
    token: String,
    accept: &'static str,
    batch: &'static str,
    stream: &'static str,
    /// `{id}` stands for the intent.
    done: &'static str,
}

impl Target {
    /// The broker's doors, opened with an admin key.
    #[must_use]
    pub const fn broker(address: SocketAddr, token: String) -> Self {
        Self {
            address,
            token,
            accept: "/v1/intents",
            batch: "/v1/intents/batch",
            stream: "/v1/agents/orders/intents/stream?since=0&wait_seconds=60&max_in_flight=512",
            done: "/v1/intents/{id}/resume",
        }
    }

    /// The server that only appends, see [`ceiling`].
    #[must_use]
    pub const fn ceiling(address: SocketAddr) -> Self {
        Self {
            address,
            token: String::new(),
            accept: ceiling::ACCEPT,
            batch: ceiling::ACCEPT,
            stream: ceiling::STREAM,
            done: ceiling::DONE,
        }
    }
}

/// The body of a create: about 1 KiB, as the budgets have it.
fn body(agent: &str) -> String {
    let pad = "x".repeat(820);
    format!(
        "{{\"intent_type\":\"intent.order.process.v1\",\"to_agent\":\"{agent}\",\
         \"payload\":{{\"order_id\":\"ORD-1\",\"mark\":\"\",\"items\":[1,2,3],\"pad\":\"{pad}\"}}}}"
    )
}

/// Drives a server for `span`, of which the first fifth is not counted: it fills the pipes.
///
/// # Errors
/// What the server, or the system under the load, said no to.
pub async fn drive(
    work: Work,
    target: Target,
    span: Duration,
    clock: Arc<dyn Clock>,
) -> Result<Run, Failure> {
    let mut load = Load::new(target, span, clock);
    let gate = Gate::new();
    match work {
        Work::Append { .. } => Err(Failure::refused("an append has no server")),
        Work::Accepts { lines } => load.accepts(&gate, lines, 1).await,
        Work::AcceptsBatched { lines } => {
            load.batch(BATCH);
            load.accepts(&gate, lines, BATCH).await
        }
        Work::Cycles(Receiver::PollBatched) => {
            let received = receivers::start(Receiver::PollBatched, &mut load, &gate).await?;
            load.batch(BATCH);
            load.cycles(&gate, BATCH, received).await
        }
        Work::Cycles(receiver) => {
            let received = receivers::start(receiver, &mut load, &gate).await?;
            load.cycles(&gate, 1, received).await
        }
        Work::Latency(receiver) => {
            let (received, marks) = receivers::marking(receiver, &mut load, &gate).await?;
            load.paced(&gate, marks, PACE_PER_SECOND, received).await
        }
    }
}

/// The disk alone: the bytes of so many creates appended to a file and synced, over and over. Blocks.
///
/// # Errors
/// What the system said no to, naming the file.
pub fn append(
    directory: &Path,
    together: usize,
    span: Duration,
    clock: &dyn Clock,
) -> Result<Run, Failure> {
    use std::io::Write as _;
    let path = directory.join("log");
    let fault = |error: std::io::Error| ceiling::unwritable(&path, &error);
    let mut file = std::fs::File::create(&path).map_err(fault)?;
    let bytes = body("orders").repeat(together);
    let (began, mut count) = (clock.elapsed(), 0_usize);
    loop {
        file.write_all(bytes.as_bytes()).map_err(fault)?;
        file.sync_data().map_err(fault)?;
        count = count.saturating_add(together);
        let took = clock.elapsed().since(began);
        if took >= span {
            return Ok(Run::of(count, took));
        }
    }
}
