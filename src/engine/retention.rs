//! What may be removed: only what is finished, holds nothing back, and is old enough.

use crate::domain::intent::Intent;
use crate::domain::policy::Retention;
use crate::domain::time::Timestamp;

/// True when nobody needs the intent any more.
#[must_use]
pub fn is_expired(intent: &Intent, now: Timestamp, retention: &Retention) -> bool {
    if !intent.is_finished() || !intent.holds.is_empty() {
        return false;
    }
    let (since, keep) = match &intent.dead_letter {
        Some(letter) => (
            letter.at.max(intent.updated_at),
            retention.dead_letters.max(retention.finished),
        ),
        None => (intent.updated_at, retention.finished),
    };
    // Not while an answer under an idempotency key may still name it.
    since.after(keep.max(retention.answers)) <= now
}
