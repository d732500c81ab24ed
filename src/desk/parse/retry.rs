//! The schedule of tries.

use serde::Deserialize;

use crate::desk::rows::RetryRule;
use crate::domain::time::Span;

/// What `/v1/me` says of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::desk) struct Retry {
    max_delivery_attempts: u32,
    ack_timeout_seconds: i64,
    jitter_percent: u32,
    push_delays_ms: Vec<i64>,
    pull_base_ms: i64,
    pull_max_ms: i64,
}

impl Retry {
    pub(in crate::desk) fn rule(self) -> RetryRule {
        let Self {
            max_delivery_attempts,
            ack_timeout_seconds,
            jitter_percent,
            push_delays_ms,
            pull_base_ms,
            pull_max_ms,
        } = self;
        RetryRule {
            max_attempts: max_delivery_attempts,
            lease: Span::from_seconds(ack_timeout_seconds),
            jitter_percent,
            push_delays: push_delays_ms.into_iter().map(Span::from_millis).collect(),
            pull_base: Span::from_millis(pull_base_ms),
            pull_max: Span::from_millis(pull_max_ms),
        }
    }
}
