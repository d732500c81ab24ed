//! The body of a resume: its keys as they were written, and what of a decision is checked before it is made.

use serde_json::value::RawValue;

use crate::domain::payload::{Entries, Payload};
use crate::wire::body::Body;
use crate::wire::dead_letters::HOLD_SECONDS_MAX;
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

/// Most characters of a comment.
pub const COMMENT_CHARS_MAX: u16 = 2000;

/// Refuses a decision of which something would be lost on the way: its guards are whole numbers, be they in
/// strings, as the published command line writes them; its comment is text, and what it is about is an object.
///
/// # Errors
/// `schema_invalid` with everything that is not.
pub fn must_be_a_decision(body: &Body<'_>) -> Result<(), Problem> {
    let mut wrong = Vec::new();
    let result = object(body, "task_result", &["body"], &mut wrong);
    let data = result
        .as_ref()
        .and_then(|result| object(result, "data", &["body", "task_result"], &mut wrong));
    let places: [(&[&str], Option<&Body<'_>>); 3] = [
        (&["body"], Some(body)),
        (&["body", "task_result"], result.as_ref()),
        (&["body", "task_result", "data"], data.as_ref()),
    ];
    for (place, body) in places {
        let Some(body) = body else { continue };
        for (key, most) in [
            ("task_version", u32::MAX.into()),
            ("hold_seconds", HOLD_SECONDS_MAX),
        ] {
            if body.get(key).is_some_and(|given| !is_whole(given, most)) {
                let message = format!("{key} must be a whole number from 0 to {most}");
                wrong.push(fault(place, key, message, "integer"));
            }
        }
        if body.get("comment").is_some_and(|given| !is_comment(given)) {
            let message =
                format!("comment must be a string of at most {COMMENT_CHARS_MAX} characters");
            wrong.push(fault(place, "comment", message, "string"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(wrong))
    }
}

/// The object at a key, if there is one.
fn object<'text>(
    body: &Body<'text>,
    key: &str,
    place: &[&str],
    wrong: &mut Vec<FieldProblem>,
) -> Option<Body<'text>> {
    let nested = Body::nested(key, body.get(key)?).ok();
    if nested.is_none() {
        wrong.push(fault(
            place,
            key,
            format!("{key} must be an object"),
            "object",
        ));
    }
    nested
}

fn is_whole(given: &RawValue, most: i64) -> bool {
    let said = serde_json::from_str::<String>(given.get());
    let number = said.as_deref().unwrap_or(given.get()).parse::<i64>();
    number.is_ok_and(|number| (0..=most).contains(&number))
}

fn is_comment(given: &RawValue) -> bool {
    serde_json::from_str::<String>(given.get())
        .is_ok_and(|comment| comment.chars().count() <= usize::from(COMMENT_CHARS_MAX))
}

fn fault(place: &[&str], key: &str, message: String, kind: &'static str) -> FieldProblem {
    let place = place.iter().copied().chain([key]);
    FieldProblem {
        place: place.map(str::to_owned).collect(),
        message,
        kind,
    }
}
