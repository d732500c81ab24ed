//! Acts over HTTP: one request each.

use serde::Deserialize;

use crate::desk::act::{Act, Done, NewIntent};
use crate::desk::bodies;
use crate::desk::parse::Held;
use crate::desk::parse::intents::Intent;
use crate::desk::parse::threads::Thread;
use crate::desk::rows::HeldRow;
use crate::desk::{DeskError, not_an_object};
use crate::domain::address::Address;
use crate::domain::ids::{HoldId, IntentId};
use crate::domain::status::Status;
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
            data,
            version,
            hold,
        } => {
            let (comment, data) = (comment.as_deref(), data.as_ref());
            let (verb, body) = bodies::decision(&choice, comment, data, version, hold)
                .map_err(|error| not_an_object(&error))?;
            in_thread(link, intent, verb, &body).await
        }
        Act::Reply { intent, message } => {
            in_thread(link, intent, "reply", &bodies::reply(&message)).await
        }
        Act::Delegate {
            intent,
            to,
            note,
            version,
        } => {
            let body = bodies::delegate(to.as_ref(), note.as_deref(), version);
            in_thread(link, intent, "delegate", &body).await
        }
        Act::Replay {
            intent,
            payload,
            to,
            is_forced,
            reason,
            hold,
        } => {
            let (payload, to) = (payload.as_ref(), to.as_ref());
            let body = bodies::replay(payload, to, is_forced, reason.as_deref(), hold);
            on_letter(link, intent, "replay", &body).await
        }
        Act::Discard {
            intent,
            reason,
            hold,
        } => on_letter(link, intent, "discard", &bodies::discard(&reason, hold)).await,
        Act::Cancel { intent, reason } => {
            let reason = bodies::reason(reason.as_deref());
            on_intent(link, intent, "cancel", &reason).await
        }
        Act::RetryNow { intent, reason } => hasten(link, intent, &reason).await,
        Act::Resume {
            intent,
            body,
            attempt,
        } => {
            let body = bodies::resume(&body, attempt).map_err(|error| not_an_object(&error))?;
            on_intent(link, intent, "resume", &body).await
        }
        Act::Undo { hold } => undo(link, hold).await,
        noted @ (Act::Record { .. } | Act::MarkGroup { .. }) => record(link, noted).await,
        Act::Send(new) => send(link, &new).await,
        about_agent @ (Act::Pause { .. }
        | Act::Unpause { .. }
        | Act::Kill { .. }
        | Act::Revive { .. }
        | Act::Limit { .. }
        | Act::ResetBreaker { .. }) => to_agent(link, about_agent).await,
    }
}

async fn hasten(link: &Link, intent: IntentId, reason: &str) -> Result<Done, DeskError> {
    on_intent(link, intent, "retry-now", &bodies::reason(Some(reason))).await
}

/// What changes no intent and no agent.
async fn record(link: &Link, act: Act) -> Result<Done, DeskError> {
    let (path, body) = match act {
        Act::Record {
            action,
            target,
            reason,
            details,
        } => (
            Path::of("v1/audit/events"),
            bodies::noted(action, &target, reason.as_deref(), &details),
        ),
        Act::MarkGroup {
            fingerprint,
            change,
            reason,
        } => (
            Path::of("v1/dead-letters/groups").then(fingerprint),
            bodies::marked(&change, reason.as_deref()),
        ),
        _ => return Err(DeskError::Fault("this act is no record".to_owned())),
    };
    let Fine {} = link.post(path, &body, None).await?;
    Ok(nothing())
}

/// What is done to an agent.
async fn to_agent(link: &Link, act: Act) -> Result<Done, DeskError> {
    match act {
        Act::Pause { agent, reason } => {
            on_agent(link, &agent, "pause", &bodies::reason(Some(&reason))).await
        }
        Act::Unpause { agent, reason } => {
            on_agent(link, &agent, "resume", &bodies::reason(Some(&reason))).await
        }
        Act::Kill { agent, reason } => {
            on_mesh(link, &agent, "kill", &bodies::reason(Some(&reason))).await
        }
        Act::Revive { agent, reason } => {
            on_mesh(link, &agent, "resume", &bodies::reason(Some(&reason))).await
        }
        Act::Limit {
            agent,
            limit,
            reason,
        } => on_agent(link, &agent, "limit", &bodies::limit(limit, &reason)).await,
        Act::ResetBreaker { agent, reason } => {
            let body = bodies::reason(Some(&reason));
            on_agent(link, &agent, "reset-breaker", &body).await
        }
        _ => Err(DeskError::Fault(
            "this act is not about an agent".to_owned(),
        )),
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
            &bodies::create(new),
            new.key.as_deref(),
        )
        .await?;
    Ok(Done {
        intent: Some(created.intent_id),
        status: Some(created.status),
        ..nothing()
    })
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
        Ok(Exists {}) => DeskError::from(Problem::from(&Refusal::NoOpenTask)),
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
    let path = Path::to_agent(agent).then(verb);
    let Fine {} = link.post(path, body, None).await?;
    Ok(nothing())
}

async fn on_mesh(link: &Link, agent: &Address, verb: &str, body: &str) -> Result<Done, DeskError> {
    let path = Path::of("v1/mesh/agents").then(agent.key()).then(verb);
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
