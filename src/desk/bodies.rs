//! Bodies of acts, as the HTTP API takes them. The remote desk sends them; the local one reads them with
//! the wire's own readers, so that both desks refuse the same.

use serde_json::{Map, Value, json};

use crate::domain::address::Address;
use crate::domain::agent::AgentLimit;
use crate::domain::group::GroupChange;
use crate::domain::ids::AttemptId;
use crate::domain::payload::{BadPayload, Payload};
use crate::domain::task::is_negative;
use crate::domain::time::Span;
use crate::engine::command::Choice;
use crate::wire::json::Object;

use super::act::{NewIntent, Recorded};

/// The body of a create, as the HTTP API takes it.
pub(super) fn create(new: &NewIntent) -> String {
    Object::new()
        .text("intent_type", &new.intent_type)
        .text("to_agent", &new.to)
        .payload("payload", &new.payload)
        .maybe_text("reply_to", new.reply_to.as_deref())
        .maybe_text("correlation_id", new.correlation_id.as_deref())
        .maybe_shown("deadline_at", new.deadline)
        .maybe_number("max_delivery_attempts", new.max_attempts)
        .with(|object| match &new.human_task {
            Some(task) => object.payload("human_task", task),
            None => object,
        })
        .finish()
}

/// The verb of a decision and its body. A named outcome says what the verb means; a broker that does
/// not know it yet still takes a no for a no.
///
/// # Errors
/// When what is handed in is no object.
pub(super) fn decision(
    choice: &Choice,
    comment: Option<&str>,
    data: Option<&Payload>,
    version: Option<u32>,
    hold: Span,
) -> Result<(&'static str, String), BadPayload> {
    let (verb, outcome) = match choice {
        Choice::Yes => ("approve", None),
        Choice::No => ("reject", None),
        Choice::Outcome(outcome) if is_negative(outcome) => ("reject", Some(outcome.as_str())),
        Choice::Outcome(outcome) => ("approve", Some(outcome.as_str())),
    };
    let plain = body([
        ("outcome", outcome.map(Value::from)),
        ("comment", comment.map(Value::from)),
        ("task_version", version.map(Value::from)),
        ("hold_seconds", hold_seconds(hold)),
    ]);
    Ok(match data {
        None => (verb, plain),
        // Number spelling and key order are those of whoever filled it in.
        Some(data) => {
            let object = Payload::object(data.as_str())?;
            (verb, splice(&plain, "data", object.as_str()))
        }
    })
}

/// Words in a thread.
pub(super) fn reply(message: &str) -> String {
    body([("message", Some(message.into()))])
}

/// A task for somebody else.
pub(super) fn delegate(to: Option<&Address>, note: Option<&str>, version: Option<u32>) -> String {
    body([
        ("delegate_to", to.map(|to| json!(to.to_string()))),
        ("note", note.map(Value::from)),
        ("task_version", version.map(Value::from)),
    ])
}

/// A reason, where one may be given.
pub(super) fn reason(reason: Option<&str>) -> String {
    body([("reason", reason.map(Value::from))])
}

/// What is said of a group.
pub(super) fn marked(change: &GroupChange, reason: Option<&str>) -> String {
    let GroupChange { stand, owner, note } = change;
    let owner = owner.as_ref().map(|owner| {
        let name = owner.as_ref().map(ToString::to_string);
        Value::from(name.unwrap_or_default())
    });
    let note = note
        .as_ref()
        .map(|note| Value::from(note.clone().unwrap_or_default()));
    body([
        ("state", stand.map(|stand| stand.name().into())),
        ("owner", owner),
        ("note", note),
        ("reason", reason.map(Value::from)),
    ])
}

/// What is put on record.
pub(super) fn noted(
    action: Recorded,
    target: &str,
    reason: Option<&str>,
    details: &Payload,
) -> String {
    body([
        ("action", Some(action.name().into())),
        ("target", Some(target.into())),
        ("reason", reason.map(Value::from)),
        ("details", Some(details.to_value())),
    ])
}

/// Bounds of an agent.
pub(super) fn limit(limit: AgentLimit, reason: &str) -> String {
    let AgentLimit {
        rate_millihertz,
        max_in_flight,
    } = limit;
    let rate = rate_millihertz.map(|rate| json!(f64::from(rate) / 1000.0));
    body([
        ("rate_per_second", rate),
        ("max_in_flight", max_in_flight.map(Value::from)),
        ("reason", Some(reason.into())),
    ])
}

/// A discard.
pub(super) fn discard(reason: &str, hold: Span) -> String {
    body([
        ("reason", Some(reason.into())),
        ("hold_seconds", hold_seconds(hold)),
    ])
}

/// A body of what is given.
fn body<const COUNT: usize>(keys: [(&str, Option<Value>); COUNT]) -> String {
    let map: Map<String, Value> = keys
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key.to_owned(), value)))
        .collect();
    Value::Object(map).to_string()
}

/// Left out when there is none: older brokers do not know it.
fn hold_seconds(hold: Span) -> Option<Value> {
    let seconds = hold.as_millis().saturating_add(999) / 1000;
    (seconds > 0).then(|| json!(seconds))
}

/// The payload goes out as it is: key order and number spelling are the operator's.
pub(super) fn replay(
    payload: Option<&Payload>,
    to: Option<&Address>,
    is_forced: bool,
    reason: Option<&str>,
    hold: Span,
) -> String {
    let plain = body([
        ("to_agent", to.map(|to| json!(to.to_string()))),
        ("force", is_forced.then_some(Value::Bool(true))),
        ("reason", reason.map(Value::from)),
        ("hold_seconds", hold_seconds(hold)),
    ]);
    match payload {
        None => plain,
        Some(payload) => splice(&plain, "payload", payload.as_str()),
    }
}

/// The same object with one more key in front, whose value is JSON text.
fn splice(object: &str, key: &str, json: &str) -> String {
    let rest = object.strip_prefix('{').unwrap_or(object);
    let comma = if rest == "}" { "" } else { "," };
    format!("{{\"{key}\":{json}{comma}{rest}")
}

/// A resume under a fence. A fence in the body itself is taken for what it is: the later key wins.
pub(super) fn resume(given: &Payload, attempt: Option<AttemptId>) -> Result<String, BadPayload> {
    let object = Payload::object(given.as_str())?;
    Ok(match attempt {
        None => object.as_str().to_owned(),
        Some(attempt) => splice(
            object.as_str(),
            "attempt_id",
            &json!(attempt.to_string()).to_string(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_json_goes_out_as_it_was_written() {
        let payload = Payload::object(r#"{"z":1.50,"a":[]}"#).unwrap();
        assert_eq!(
            replay(Some(&payload), None, true, None, Span::from_millis(1)),
            r#"{"payload":{"z":1.50,"a":[]},"force":true,"hold_seconds":1}"#
        );
        assert_eq!(
            resume(&Payload::empty(), Some(AttemptId(7))).unwrap(),
            r#"{"attempt_id":"att_7"}"#
        );
        let list = Payload::any("[1]").unwrap();
        assert_eq!(resume(&list, None), Err(BadPayload::NotObject));
    }

    #[test]
    fn a_no_is_a_no_also_for_a_broker_that_does_not_know_named_outcomes() {
        let verb = |outcome: &str| {
            let choice = Choice::Outcome(outcome.to_owned());
            decision(&choice, None, None, None, Span::ZERO).unwrap().0
        };
        assert_eq!(verb("changes_requested"), "reject");
        assert_eq!(verb("confirmed"), "approve");
        let list = Payload::any("[1]").unwrap();
        let bad = decision(&Choice::Yes, None, Some(&list), None, Span::ZERO);
        assert_eq!(bad, Err(BadPayload::NotObject));
    }
}
