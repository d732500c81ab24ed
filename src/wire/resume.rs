//! The body of a resume: its keys as they were written, and the guards of a decision.

use crate::domain::payload::{Entries, Payload};
use crate::wire::body::Body;
use crate::wire::errors::{FieldProblem, Problem};

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

/// Refuses a decision whose guards would count as none: each is a whole number, be it in a string, as the published
/// command line writes it.
///
/// # Errors
/// `schema_invalid` with every one that is not.
pub fn must_be_guarded(body: &Body<'_>) -> Result<(), Problem> {
    let result = body.get("task_result");
    let result = result.and_then(|result| Body::nested("task_result", result).ok());
    let mut wrong = Vec::new();
    for (place, body) in [(None, Some(body)), (Some("task_result"), result.as_ref())] {
        for key in ["task_version", "hold_seconds"] {
            let Some(given) = body.and_then(|body| body.get(key)) else {
                continue;
            };
            let given = given.get();
            let said = serde_json::from_str::<String>(given);
            if said.as_deref().unwrap_or(given).parse::<u32>().is_err() {
                let place = ["body"].into_iter().chain(place).chain([key]);
                wrong.push(FieldProblem {
                    place: place.map(str::to_owned).collect(),
                    message: format!("{key} must be a whole number, 0 or more"),
                    kind: "integer",
                });
            }
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(wrong))
    }
}
