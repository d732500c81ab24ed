//! What became of a receiver's attempts lately, and of its breaker.

use crate::domain::failure::ErrorClass;
use crate::domain::time::Timestamp;

/// Buckets that are kept: a spark of fifty cells.
pub const BUCKETS: usize = 50;
/// Seconds of a bucket: fifty of them are fifteen minutes.
pub const BUCKET_SECONDS: u64 = 18;

/// What became of a receiver's attempts in the last fifteen minutes, or since the broker started.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Activity {
    /// Since when the broker measures: its start.
    pub measured_since: Timestamp,
    /// Seconds of the newest bucket that are over, less than [`BUCKET_SECONDS`].
    pub running_seconds: u64,
    /// Attempts that succeeded, by bucket, the one that still runs last; at most [`BUCKETS`].
    pub succeeded: Vec<u32>,
    /// Attempts that failed, by bucket.
    pub failed: Vec<u32>,
    /// The length in milliseconds that 95 % of the attempts of a bucket did not exceed; none where none ended.
    pub p95_ms: Vec<Option<f64>>,
    /// The lengths in milliseconds that 50, 95 and 99 % of all of them did not exceed.
    pub lengths_ms: [Option<f64>; 3],
    /// How they failed, the most frequent first.
    pub errors: Vec<ErrorCount>,
    /// What its breaker did, for one that is called.
    pub breaker: BreakerHistory,
}

/// How often attempts failed in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCount {
    /// The class.
    pub class: ErrorClass,
    /// The HTTP status, when there was one.
    pub http_status: Option<u16>,
    /// How many.
    pub count: u64,
}

/// What the breaker of an endpoint did since the broker started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BreakerHistory {
    /// Times that it opened on the day (UTC) of its last opening.
    pub opened_on_day: u32,
    /// When it opened last.
    pub opened_at: Option<Timestamp>,
    /// How the call failed that opened it then.
    pub opened_for: Option<ErrorClass>,
    /// When it closed last.
    pub closed_at: Option<Timestamp>,
}
