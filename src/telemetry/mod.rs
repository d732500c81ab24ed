//! What the process says about itself: log lines, and numbers for screens and scrapers.
//!
//! Invariants:
//! 1. Nobody waits for a log line: writing is off the caller's thread, and lines that the disk or
//!    the pipe cannot take are dropped and counted in the file, not queued without end.
//! 2. While the console is up nothing is written to the terminal; the newest lines are kept in a
//!    bounded [`LogRing`] that its log view reads.
//! 3. Numbers belong to whoever counts: there is no global recorder. Rates and histograms look
//!    back over a bounded window of the injected clock; buckets only rise.
//!
//! Not here: which numbers there are (`broker/stats.rs`), how they look to a scraper
//! (`api/metrics.rs`). Tested at the end of each file.

mod buckets;
mod lengths;
mod log;
mod measure;

pub use buckets::{BucketCounts, Buckets};
pub use lengths::Lengths;
pub use log::{LogError, LogGuard, LogLine, LogRing, LogTarget, start};
pub use measure::{Counter, Gauge, Histogram, Quantiles, RATE_SECONDS_MAX, Rates};
