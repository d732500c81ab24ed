//! Rows of a mailbox: one hand-over each, as streams and polls show it.

use crate::domain::ids::AttemptId;
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::domain::time::Timestamp;
use crate::wire::events::LINE_BYTES_MAX;
use crate::wire::json::Object;

/// One hand-over.
#[derive(Debug, Clone, Copy)]
pub struct Row<'handover> {
    /// The intent after the attempt started.
    pub intent: &'handover Intent,
    /// What it carries.
    pub payload: &'handover Payload,
    /// The mailbox cursor.
    pub seq: u64,
    /// The fence.
    pub attempt: AttemptId,
    /// 1 for the first.
    pub number: u32,
    /// When it was handed over.
    pub at: Timestamp,
    /// When its lease ends.
    pub lease_until: Timestamp,
}

impl Row<'_> {
    /// The object on a line of a stream. A payload too large for a line is left out, and said so.
    #[must_use]
    pub fn line(&self) -> String {
        let head = Object::new()
            .shown("intent_id", self.intent.id)
            .number("seq", self.seq)
            .text("event_type", "intent.delivered")
            .text("status", "DELIVERED")
            .shown("at", self.at)
            .shown("attempt_id", self.attempt)
            .number("delivery_attempt", self.number)
            .with(|object| self.parties(object));
        if self.payload.len() > LINE_BYTES_MAX.saturating_sub(4096) {
            head.flag("payload_truncated", true).finish()
        } else {
            head.payload("payload", self.payload).finish()
        }
    }

    /// The item of a poll.
    #[must_use]
    pub fn item(&self) -> Object {
        Object::new()
            .shown("intent_id", self.intent.id)
            .number("seq", self.seq)
            .shown("attempt_id", self.attempt)
            .with(|object| self.parties(object))
            .text("status", "DELIVERED")
            .payload("payload", self.payload)
            .number("delivery_attempt", self.number)
            .shown("lease_expires_at", self.lease_until)
            .shown("created_at", self.intent.created_at)
            .shown_or_null("deadline_at", self.intent.deadline)
    }

    fn parties(&self, object: Object) -> Object {
        object
            .text("intent_type", &self.intent.intent_type)
            .text("correlation_id", &self.intent.correlation_id)
            .shown("from_agent", &self.intent.from)
            .shown("to_agent", &self.intent.to)
            .maybe_shown("reply_to", self.intent.reply_to.as_ref())
    }
}
