//! What a desk puts on record by itself: that it has shown a masked value, or written an export.

use crate::domain::payload::Payload;
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;

/// What may be put on record so. Everything else is recorded by the broker as it happens.
pub const ACTIONS: [&str; 2] = ["payload.reveal", "export"];

/// Most characters of a target or a reason.
const WORDS_CHARS_MAX: usize = 2000;

/// An entry as a desk asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// One of [`ACTIONS`].
    pub action: String,
    /// On what: an intent's id, or what was exported.
    pub target: String,
    /// Why.
    pub reason: Option<String>,
    /// More: the path that was shown, the filter and the count that were exported.
    pub details: Option<Payload>,
}

impl Noted {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// The fields that are wrong, or an action that is recorded by the broker alone.
    pub fn read(body: &Body<'_>) -> Result<Self, Problem> {
        let mut fields = Fields::of(body);
        let action = fields
            .required_text("action", WORDS_CHARS_MAX)
            .unwrap_or_default();
        if !action.is_empty() && !ACTIONS.contains(&action.as_str()) {
            let message = format!("{action:?} is none of {}", ACTIONS.join(", "));
            fields.wrong("action", message, "string");
        }
        let target = fields
            .required_text("target", WORDS_CHARS_MAX)
            .unwrap_or_default();
        let reason = fields.text("reason", WORDS_CHARS_MAX);
        let details = fields.object("details");
        fields.done()?;
        Ok(Self {
            action,
            target,
            reason,
            details,
        })
    }
}
