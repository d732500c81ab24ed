//! Send policies: who may send to an agent.

use crate::domain::address::Home;
use crate::domain::admission::{PolicyEntry, SendMode, SendPolicy, SenderPattern};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// The policy object.
#[must_use]
pub fn policy(policy: &SendPolicy) -> Object {
    Object::new()
        .text("policy_type", policy.mode.name())
        .list("entries", policy.entries.iter().map(entry))
}

/// An entry.
#[must_use]
pub fn entry(entry: &PolicyEntry) -> Object {
    Object::new()
        .shown("entry_id", entry.id)
        .shown("sender_pattern", &entry.pattern)
        .shown("created_at", entry.created_at)
}

/// Reads `{policy_type}`.
///
/// # Errors
/// `schema_invalid`.
pub fn mode(body: &Body<'_>) -> Result<SendMode, Problem> {
    let mut fields = Fields::of(body);
    let word = fields.required_text("policy_type", 32);
    let mode = word.as_deref().and_then(SendMode::from_name);
    if word.is_some() && mode.is_none() {
        fields.wrong("policy_type", "must be open, allowlist or denylist", "enum");
    }
    fields.done()?;
    mode.ok_or_else(Problem::internal)
}

/// Reads `{sender_pattern}`.
///
/// # Errors
/// `schema_invalid`, or `invalid_agent_address` for what is no pattern.
pub fn pattern(body: &Body<'_>, home: &Home) -> Result<SenderPattern, Problem> {
    let mut fields = Fields::of(body);
    let text = fields.required_text("sender_pattern", 400);
    fields.done()?;
    SenderPattern::parse(&text.unwrap_or_default(), home)
        .map_err(|error| Problem::address("sender_pattern", &error))
}
