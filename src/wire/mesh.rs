//! The mesh: what is said of agents that beat, and of those that were killed.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::address::Address;
use crate::domain::agent::Agent;
use crate::domain::mesh::{Beats, MeshEvent, Metrics};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// The opaque id of an address, the same on every broker and at every time.
#[must_use]
pub fn address_id(address: &Address) -> String {
    let digest = Sha256::digest(address.key().as_bytes());
    let mut id = "adr_".to_owned();
    for byte in digest.iter().take(8) {
        // Writing to a string cannot fail.
        let _infallible = write!(id, "{byte:02x}");
    }
    id
}

/// Reads `{metrics}` of a heartbeat.
///
/// # Errors
/// `schema_invalid`.
pub fn metrics(body: &Body<'_>) -> Result<Metrics, Problem> {
    let mut fields = Fields::of(body);
    let given = fields.object("metrics");
    fields.done()?;
    let value = given.map(|given| given.to_value()).unwrap_or_default();
    let count = |key: &str| value.get(key).and_then(Value::as_u64).unwrap_or(0);
    let total = count("intents_total");
    let average = micros(value.get("avg_latency_ms"), 1000.0);
    Ok(Metrics {
        intents_total: total,
        intents_succeeded: count("intents_succeeded"),
        intents_failed: count("intents_failed"),
        latency_micros: average.saturating_mul(total),
        cost_micros: micros(value.get("cost_usd"), 1_000_000.0),
    })
}

/// A number of so many units each; what is none, or below zero, is zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the clamp keeps it within what a count of micros can be"
)]
fn micros(value: Option<&Value>, units: f64) -> u64 {
    let number = value.and_then(Value::as_f64).unwrap_or(0.0);
    (number * units).clamp(0.0, 1e15).round() as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn units(micros: u64, units: f64) -> f64 {
    micros as f64 / units
}

/// An agent of the mesh.
#[must_use]
pub fn agent(agent: &Agent, beats: &Beats, health: &str, period: Metrics) -> Object {
    Object::new()
        .text("address_id", &address_id(&agent.address))
        .shown("address", &agent.address)
        .text_or_null("display_name", agent.display_name.as_deref())
        .text("health_status", health)
        .shown_or_null("last_heartbeat_at", beats.last_at)
        .shown("created_at", agent.created_at)
        .number("intents_period", period.intents_total)
        .decimal("cost_period", Some(units(period.cost_micros, 1_000_000.0)))
        .null("metadata")
}

/// What an agent has counted.
#[must_use]
pub fn counted(metrics: Metrics) -> Object {
    let average = metrics
        .latency_micros
        .checked_div(metrics.intents_total)
        .map(|average| units(average, 1000.0));
    Object::new()
        .number("intents_total", metrics.intents_total)
        .number("intents_succeeded", metrics.intents_succeeded)
        .number("intents_failed", metrics.intents_failed)
        .decimal("avg_latency_ms", average)
        .decimal("cost_usd", Some(units(metrics.cost_micros, 1_000_000.0)))
}

/// Something that became of an agent.
#[must_use]
pub fn event(agent: &Address, event: &MeshEvent) -> Object {
    let details = match (event.kind.as_str(), event.words.as_slice()) {
        ("agent.health_changed", [from, to]) => Object::new().text("from", from).text("to", to),
        (_, [reason, ..]) => Object::new().text("reason", reason),
        (_, []) => Object::new(),
    };
    Object::new()
        .text(
            "event_id",
            &format!("{}_{}", address_id(agent), event.number),
        )
        .shown("address", agent)
        .text("event_type", &event.kind)
        .object("details", details)
        .text("actor_id", &event.actor)
        .shown("created_at", event.at)
}
