//! What became of an agent's attempts lately.

use crate::domain::activity::{Activity, BUCKET_SECONDS, BreakerHistory, ErrorCount};
use crate::domain::agent::Agent;
use crate::domain::failure::ErrorClass;
use crate::domain::time::Span;
use crate::wire::json::Object;

/// What became of an agent's attempts lately, and by what its calls are signed.
#[must_use]
pub fn object(agent: &Agent, activity: &Activity, lease: Span) -> Object {
    let Activity {
        measured_since,
        running_seconds,
        succeeded,
        failed,
        p95_ms,
        lengths_ms: [p50, p95, p99],
        errors,
        breaker,
    } = activity;
    let rounded = |length: &Option<f64>| length.map(|length| (length * 1000.0).round() / 1000.0);
    let lengths: Vec<Option<f64>> = p95_ms.iter().map(rounded).collect();
    let older = agent.secrets.iter().filter_map(|secret| secret.valid_until);
    Object::new()
        .shown("measured_since", measured_since)
        .number("bucket_seconds", BUCKET_SECONDS)
        .number("running_seconds", *running_seconds)
        .value("succeeded", &serde_json::json!(succeeded))
        .value("failed", &serde_json::json!(failed))
        .value("p95_ms", &serde_json::json!(lengths))
        .object(
            "latency_ms",
            Object::new()
                .decimal("p50", *p50)
                .decimal("p95", *p95)
                .decimal("p99", *p99),
        )
        .list("errors", errors.iter().map(error_count))
        .object("breaker", breaker_history(breaker))
        .number(
            "signing_keys",
            i128::try_from(agent.secrets.len()).unwrap_or(0),
        )
        .shown_or_null("older_key_until", older.max())
        .number(
            "ack_timeout_seconds",
            agent.ack_timeout.unwrap_or(lease).as_seconds(),
        )
}

fn error_count(error: &ErrorCount) -> Object {
    Object::new()
        .text("error_class", error.class.name())
        .number_or_null("http_status", error.http_status)
        .number("count", error.count)
}

fn breaker_history(breaker: &BreakerHistory) -> Object {
    Object::new()
        .number("opened_on_day", breaker.opened_on_day)
        .shown_or_null("opened_at", breaker.opened_at)
        .text_or_null("opened_for", breaker.opened_for.map(ErrorClass::name))
        .shown_or_null("closed_at", breaker.closed_at)
}
