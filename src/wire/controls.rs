//! Changes of an intent's controls and policy, in both directions.

use crate::domain::address::{Address, Home};
use crate::domain::controls::{Controls, DELEGATE, RetryDelay};
use crate::domain::fact::{Actor, ControlsChange};
use crate::domain::time::Span;
use crate::engine::command::Control;
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// The longest span a change may name: a leap year.
const SECONDS_MAX: i64 = 366 * 86_400;

/// Reads a change of controls: `controls_patch`, which must be there.
///
/// # Errors
/// `schema_invalid` with every wrong field.
pub fn controls(body: &Body<'_>, by: Actor) -> Result<Control, Problem> {
    let mut fields = Fields::of(body);
    if body.get("controls_patch").is_none() {
        fields.wrong("controls_patch", "field required", "missing");
    }
    let patch = fields.object("controls_patch");
    let mut change = common(&mut fields, by);
    fields.done()?;
    change.controls = patch;
    if let Some(value) = body.get("controls_patch") {
        let patch = Body::nested("controls_patch", value)?;
        let mut fields = Fields::of(&patch);
        change.timeout = fields.seconds("timeout_seconds", 1, SECONDS_MAX);
        fields.done()?;
    }
    Ok(change)
}

/// Reads a change of policy: `grants_patch`, `envelope_patch`, at least one of them.
///
/// # Errors
/// `schema_invalid` with every wrong field, `invalid_agent_address` for a grant to what is no address.
pub fn policy(body: &Body<'_>, by: Actor, home: &Home) -> Result<Control, Problem> {
    let mut fields = Fields::of(body);
    if body.get("grants_patch").is_none() && body.get("envelope_patch").is_none() {
        fields.wrong(
            "grants_patch",
            "grants_patch or envelope_patch is required",
            "missing",
        );
    }
    let (grants, envelope) = (
        fields.object("grants_patch"),
        fields.object("envelope_patch"),
    );
    let mut change = common(&mut fields, by);
    fields.done()?;
    if let Some(value) = body.get("grants_patch") {
        check_grants(&Body::nested("grants_patch", value)?, home)?;
    }
    if let Some(value) = body.get("envelope_patch") {
        read_envelope(&Body::nested("envelope_patch", value)?, &mut change)?;
    }
    (change.grants, change.envelope) = (grants, envelope);
    Ok(change)
}

fn common(fields: &mut Fields<'_, '_>, by: Actor) -> Control {
    let actor = fields.text("actor", 383);
    Control {
        controls: None,
        envelope: None,
        grants: None,
        timeout: None,
        ttl: None,
        expires_at: None,
        max_attempts: None,
        ack_timeout: None,
        retry_delay: None,
        reason: fields.text("reason", 2000),
        by: actor.map_or(by, Actor::Party),
        expected_generation: fields.count("expected_policy_generation", 0, u32::MAX),
    }
}

/// Whom nobody can be is refused, not kept without effect.
fn check_grants(grants: &Body<'_>, home: &Home) -> Result<(), Problem> {
    for (key, value) in grants.iter() {
        let Some(text) = key.strip_prefix(DELEGATE) else {
            continue;
        };
        Address::parse(text, home)
            .map_err(|error| Problem::address(&format!("grants_patch.{key}"), &error))?;
        if value.get() != "null" {
            let grant = Body::nested(key, value)?;
            let mut fields = Fields::of(&grant);
            fields.texts("allow", 20, 64);
            fields.done()?;
        }
    }
    Ok(())
}

fn read_envelope(envelope: &Body<'_>, change: &mut Control) -> Result<(), Problem> {
    let mut fields = Fields::of(envelope);
    change.ttl = fields.seconds("ttl_seconds", 1, SECONDS_MAX);
    change.expires_at = fields.instant("expires_at");
    if change.ttl.is_some() && change.expires_at.is_some() {
        fields.wrong("ttl_seconds", "together with expires_at", "value_error");
    }
    let retries = fields.count("max_retry_count", 0, u32::MAX - 1);
    change.max_attempts = retries.map(|retries| retries.saturating_add(1));
    change.ack_timeout = fields.seconds("execution_timeout_seconds", 1, SECONDS_MAX);
    let delay = fields.seconds("retry_backoff_seconds", 0, SECONDS_MAX);
    // Taken away, it gives the schedule back.
    let is_named = envelope.has("retry_backoff_seconds");
    change.retry_delay = is_named.then(|| delay.map_or(RetryDelay::Scheduled, RetryDelay::Fixed));
    fields.done()
}

/// What was said of an intent, as its object shows it.
#[must_use]
pub fn shown(object: Object, controls: &Controls) -> Object {
    object.payload("controls", &controls.controls).object(
        "policy",
        Object::new()
            .payload("grants", &controls.grants)
            .payload("envelope", &controls.envelope),
    )
}

/// The details of a change in the feed.
#[must_use]
pub fn change_details(object: Object, change: &ControlsChange) -> Object {
    let ControlsChange {
        generation,
        controls,
        envelope,
        grants,
        reason,
        deadline,
        ttl: _,
        max_attempts,
        ack_timeout,
        retry_delay: _,
    } = change;
    let patches = [
        ("controls_patch", controls),
        ("envelope_patch", envelope),
        ("grants_patch", grants),
    ];
    let object = patches.into_iter().fold(
        object.number("policy_generation", *generation),
        |object, (key, patch)| match patch {
            Some(patch) => object.payload(key, patch),
            None => object,
        },
    );
    object
        .maybe_text("reason", reason.as_deref())
        .maybe_shown("deadline_at", *deadline)
        .maybe_number("max_delivery_attempts", *max_attempts)
        .maybe_shown("ack_timeout_seconds", ack_timeout.map(Span::as_seconds))
}
