//! Acts over HTTP: one request each.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::desk::DeskError;
use crate::desk::act::{Act, Done, NewIntent};
use crate::desk::convert::create_body;
use crate::desk::parse::Held;
use crate::desk::parse::intents::Intent;
use crate::desk::parse::threads::Thread;
use crate::desk::rows::HeldRow;
use crate::domain::address::Address;
use crate::domain::ids::{HoldId, IntentId};
use crate::domain::payload::Payload;
use crate::domain::status::Status;
use crate::domain::task::is_negative;
use crate::domain::time::Span;
use crate::engine::command::Choice;
use crate::engine::refusal::Refusal;
use crate::wire::errors::Problem;

use super::link::{Link, Path};

/// The answer of an act about one intent.
#[derive(Debug, Deserialize)]
struct Moved {
    #[serde(default)]
    intent: Option<Intent>,
    #[serde(default)]
    thread: Option<Thread>,
    #[serde(default)]
    dead_letter: Option<MovedLetter>,
    #[serde(default)]
    held: Option<Held>,
    #[serde(default)]
    hold: Option<Held>,
}

#[derive(Debug, Deserialize)]
struct MovedLetter {
    #[serde(deserialize_with = "crate::desk::parse::shown")]
    intent_id: IntentId,
    #[serde(default, deserialize_with = "crate::desk::parse::maybe_status")]
    intent_status: Option<Status>,
}

#[derive(Debug, Deserialize)]
struct Created {
    #[serde(deserialize_with = "crate::desk::parse::shown")]
    intent_id: IntentId,
    #[serde(deserialize_with = "crate::desk::parse::status")]
    status: Status,
}

/// An answer of which nothing is needed.
#[derive(Debug, Deserialize)]
struct Fine {}

pub(super) async fn run(link: &Link, act: Act) -> Result<Done, DeskError> {
    match act {
        Act::Decide {
            intent,
            choice,
            comment,
            version,
            hold,
        } => {
            let (verb, body) = decision(choice, comment, version, hold);
            in_thread(link, intent, verb, &body).await
        }
        Act::Reply { intent, message } => {
            let body = body([("message", Some(message.into()))]);
            in_thread(link, intent, "reply", &body).await
        }
        Act::Replay {
            intent,
            payload,
            to,
            is_forced,
            reason,
            hold,
        } => {
            let body = replay_body(payload.as_ref(), to.as_ref(), is_forced, reason, hold);
            on_letter(link, intent, "replay", &body).await
        }
        Act::Discard {
            intent,
            reason,
            hold,
        } => {
            let body = body([
                ("reason", Some(reason.into())),
                ("hold_seconds", hold_seconds(hold)),
            ]);
            on_letter(link, intent, "discard", &body).await
        }
        Act::Cancel { intent, reason } => {
            let body = body([("reason", reason.map(Value::from))]);
            on_intent(link, intent, "cancel", &body).await
        }
        Act::RetryNow { intent } => on_intent(link, intent, "retry-now", "{}").await,
        Act::Resume {
            intent,
            body,
            attempt,
        } => {
            let body = with_fence(&body, attempt.map(|attempt| attempt.to_string()))?;
            on_intent(link, intent, "resume", &body).await
        }
        Act::Undo { hold } => undo(link, hold).await,
        Act::Pause { agent, reason } => {
            let body = body([("reason", Some(reason.into()))]);
            on_agent(link, &agent, "pause", &body).await
        }
        Act::Unpause { agent } => on_agent(link, &agent, "resume", "{}").await,
        Act::Send(new) => send(link, &new).await,
    }
}

async fn undo(link: &Link, hold: HoldId) -> Result<Done, DeskError> {
    let path = Path::of("v1/holds").then(hold).then("cancel");
    let answer: Moved = link.post(path, "{}", None).await?;
    Ok(Done {
        intent: answer.hold.map(|hold| hold.row().intent),
        ..nothing()
    })
}

async fn send(link: &Link, new: &NewIntent) -> Result<Done, DeskError> {
    let created: Created = link
        .post(
            Path::of("v1/intents"),
            &create_body(new),
            new.key.as_deref(),
        )
        .await?;
    Ok(Done {
        intent: Some(created.intent_id),
        status: Some(created.status),
        ..nothing()
    })
}

/// The verb of a decision and its body. A named outcome says what the verb means; a broker that does
/// not know it yet still takes a no for a no.
fn decision(
    choice: Choice,
    comment: Option<String>,
    version: Option<u32>,
    hold: Span,
) -> (&'static str, String) {
    let (verb, outcome) = match choice {
        Choice::Yes => ("approve", None),
        Choice::No => ("reject", None),
        Choice::Outcome(outcome) if is_negative(&outcome) => ("reject", Some(outcome)),
        Choice::Outcome(outcome) => ("approve", Some(outcome)),
    };
    let body = body([
        ("outcome", outcome.map(Value::from)),
        ("comment", comment.map(Value::from)),
        ("task_version", version.map(Value::from)),
        ("hold_seconds", hold_seconds(hold)),
    ]);
    (verb, body)
}

const fn nothing() -> Done {
    Done {
        intent: None,
        new_intent: None,
        hold: None,
        effective_at: None,
        status: None,
    }
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
fn replay_body(
    payload: Option<&Payload>,
    to: Option<&Address>,
    is_forced: bool,
    reason: Option<String>,
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

fn with_fence(body: &Payload, attempt: Option<String>) -> Result<String, DeskError> {
    match attempt {
        None => Ok(body.as_str().to_owned()),
        Some(attempt) if body.as_str().starts_with('{') => Ok(splice(
            body.as_str(),
            "attempt_id",
            &json!(attempt).to_string(),
        )),
        Some(_) => Err(DeskError::Fault("the body is not an object".to_owned())),
    }
}

async fn on_intent(
    link: &Link,
    intent: IntentId,
    verb: &str,
    body: &str,
) -> Result<Done, DeskError> {
    let path = Path::of("v1/intents").then(intent).then(verb);
    let answer: Moved = link.post(path, body, None).await?;
    Ok(done(intent, answer))
}

async fn in_thread(
    link: &Link,
    intent: IntentId,
    verb: &str,
    body: &str,
) -> Result<Done, DeskError> {
    let path = Path::of("v1/inbox").then(intent).then(verb);
    match link.post::<Moved>(path, body, None).await {
        Ok(answer) => Ok(done(intent, answer)),
        Err(DeskError::Refused { code, .. }) if code == "thread_not_found" => {
            Err(no_thread(link, intent).await)
        }
        Err(error) => Err(error),
    }
}

/// The route knows threads; whoever asked knows an intent. Either it is not there, or it asks nothing.
async fn no_thread(link: &Link, intent: IntentId) -> DeskError {
    #[derive(Deserialize)]
    struct Exists {}
    match link
        .get::<Exists>(Path::of("v1/intents").then(intent))
        .await
    {
        Ok(Exists {}) => {
            let problem = Problem::from(&Refusal::NoOpenTask);
            DeskError::Refused {
                code: problem.code,
                message: problem.message,
                details: problem.details,
            }
        }
        Err(error) => error,
    }
}

async fn on_letter(
    link: &Link,
    intent: IntentId,
    verb: &str,
    body: &str,
) -> Result<Done, DeskError> {
    let path = Path::of("v1/dead-letters").then(intent).then(verb);
    let answer: Moved = link.post(path, body, None).await?;
    Ok(done(intent, answer))
}

async fn on_agent(link: &Link, agent: &Address, verb: &str, body: &str) -> Result<Done, DeskError> {
    let path = agent
        .key()
        .split('/')
        .fold(Path::of("v1/agents"), Path::then)
        .then(verb);
    let Fine {} = link.post(path, body, None).await?;
    Ok(nothing())
}

/// What an answer says to the operator about the intent that was asked for.
fn done(asked: IntentId, answer: Moved) -> Done {
    let held: Option<HeldRow> = answer.held.map(Held::row);
    let new_intent = answer
        .intent
        .as_ref()
        .map(Intent::id)
        .filter(|&id| id != asked);
    let of_letter = answer
        .dead_letter
        .filter(|letter| letter.intent_id == asked)
        .and_then(|letter| letter.intent_status);
    let status = answer
        .intent
        .as_ref()
        .filter(|intent| intent.id() == asked)
        .map(Intent::status)
        .or_else(|| answer.thread.as_ref().map(Thread::intent_status))
        .or(of_letter);
    Done {
        intent: Some(asked),
        new_intent,
        hold: held.as_ref().map(|held| held.hold),
        effective_at: held.as_ref().map(|held| held.effective_at),
        status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_json_goes_out_as_it_was_written() {
        let payload = Payload::object(r#"{"z":1.50,"a":[]}"#).unwrap();
        assert_eq!(
            replay_body(Some(&payload), None, true, None, Span::from_millis(1)),
            r#"{"payload":{"z":1.50,"a":[]},"force":true,"hold_seconds":1}"#
        );
        assert_eq!(
            with_fence(&Payload::empty(), Some("att_7".to_owned())).unwrap(),
            r#"{"attempt_id":"att_7"}"#
        );
    }
}
