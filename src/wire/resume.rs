//! The body of a resume: its keys as they were written.

use crate::domain::payload::{Entries, Payload};
use crate::wire::body::Body;

/// The keys of a body, each value in the sender's spelling.
#[must_use]
pub fn entries(body: &Body<'_>) -> Entries {
    let mut entries = Entries::default();
    for (key, value) in body.iter() {
        // It was read as JSON already.
        let value = Payload::any(value.get());
        entries.set(key, value.unwrap_or_else(|_bad| Payload::trusted("null")));
    }
    entries
}
