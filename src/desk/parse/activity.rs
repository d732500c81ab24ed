//! What became of an agent's attempts lately.

use serde::Deserialize;

use crate::desk::rows::agents::AgentView;
use crate::domain::activity::{Activity, BreakerHistory, ErrorCount};
use crate::domain::failure::ErrorClass;
use crate::domain::time::{Span, Timestamp};

/// An activity of section 12.6.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct ActivityBody {
    #[serde(deserialize_with = "super::shown")]
    measured_since: Timestamp,
    #[serde(default)]
    running_seconds: u64,
    #[serde(default)]
    succeeded: Vec<u32>,
    #[serde(default)]
    failed: Vec<u32>,
    #[serde(default)]
    p95_ms: Vec<Option<f64>>,
    #[serde(default)]
    latency_ms: Lengths,
    #[serde(default)]
    errors: Vec<Error>,
    #[serde(default)]
    breaker: Breaker,
    #[serde(default)]
    signing_keys: u64,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    older_key_until: Option<Timestamp>,
    #[serde(default)]
    ack_timeout_seconds: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Lengths {
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Error {
    error_class: String,
    #[serde(default)]
    http_status: Option<u16>,
    count: u64,
}

#[derive(Debug, Default, Deserialize)]
struct Breaker {
    #[serde(default)]
    opened_on_day: u32,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    opened_at: Option<Timestamp>,
    #[serde(default)]
    opened_for: Option<String>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    closed_at: Option<Timestamp>,
}

impl ActivityBody {
    pub(in crate::desk) fn view(self) -> AgentView {
        let breaker = BreakerHistory {
            opened_on_day: self.breaker.opened_on_day,
            opened_at: self.breaker.opened_at,
            opened_for: self
                .breaker
                .opened_for
                .as_deref()
                .and_then(ErrorClass::from_name),
            closed_at: self.breaker.closed_at,
        };
        AgentView {
            activity: Activity {
                measured_since: self.measured_since,
                running_seconds: self.running_seconds,
                succeeded: self.succeeded,
                failed: self.failed,
                p95_ms: self.p95_ms,
                lengths_ms: [
                    self.latency_ms.p50,
                    self.latency_ms.p95,
                    self.latency_ms.p99,
                ],
                errors: self.errors.into_iter().filter_map(Error::count).collect(),
                breaker,
            },
            signing_keys: self.signing_keys,
            older_key_until: self.older_key_until,
            lease: Span::from_seconds(self.ack_timeout_seconds),
        }
    }
}

impl Error {
    /// A class that is unknown here is left out: a newer broker may have one more.
    fn count(self) -> Option<ErrorCount> {
        Some(ErrorCount {
            class: ErrorClass::from_name(&self.error_class)?,
            http_status: self.http_status,
            count: self.count,
        })
    }
}
