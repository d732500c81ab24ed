//! Calls on attempts that are held: acknowledge, give back, keep longer; and many results at once.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::api::agents::LeaseCall;
use crate::api::answer::{Answer, Result, problem_of};
use crate::api::call::Call;
use crate::api::submit::{items, refused, tally};
use crate::api::{Api, intents, moves};
use crate::broker::request::{Receipt, RememberKey, Request};
use crate::domain::address::Address;
use crate::domain::fact::Actor;
use crate::domain::failure::{ErrorClass, Failure};
use crate::domain::ids::IntentId;
use crate::domain::intent::{Delivery, Intent};
use crate::domain::payload::{Entries, Payload};
use crate::domain::via::Via;
use crate::engine::command::{Acknowledge, Command, Extend, Fail};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// Most results of one batch.
const RESULTS_MAX: usize = 500;

/// The longest extension or delay, in seconds.
const SECONDS_MAX: i64 = 86_400;

/// `POST {addr}/intents/{id}/ack`, `nack`, `extend`.
pub(super) async fn change(
    api: &Api,
    call: &Call,
    agent: &Address,
    id: &str,
    lease: LeaseCall,
    bytes: &[u8],
) -> Result {
    call.caller.must_receive_at(agent)?;
    let body = Body::parse(bytes)?;
    let id = intents::id(id)?;
    let command = command(&body, lease, agent)?;
    at(api, agent, &[id])
        .await?
        .pop()
        .flatten()
        .ok_or_else(|| intents::not_found(id))?;
    let receipt = api
        .broker()
        .run(Request {
            intent: id,
            command,
            remember: call.remember(|| body.fingerprint(&[]))?,
            audit: None,
        })
        .await?;
    Ok(Answer(after(Object::ok(), &receipt)))
}

fn command(body: &Body<'_>, lease: LeaseCall, agent: &Address) -> Result<Command, Problem> {
    let by = Actor::at(agent);
    let mut fields = Fields::of(body);
    let attempt = moves::attempt(&mut fields);
    let command = match lease {
        LeaseCall::Ack => Command::Acknowledge(Acknowledge {
            attempt,
            by,
            report: None,
        }),
        LeaseCall::Nack => {
            let reason = fields.text("reason", 2000);
            let message = reason.unwrap_or_else(|| "given back by its receiver".to_owned());
            Command::Fail(Fail {
                attempt,
                failure: Failure::new(ErrorClass::Nack, message),
                delay: fields.seconds("delay_seconds", 0, SECONDS_MAX),
                by,
                report: None,
            })
        }
        LeaseCall::Extend => Command::Extend(Extend {
            attempt,
            span: fields.seconds("seconds", 1, SECONDS_MAX),
            by,
        }),
    };
    fields.done()?;
    Ok(command)
}

/// The intents of these ids that are addressed to an agent.
async fn at(api: &Api, agent: &Address, ids: &[IntentId]) -> Result<Vec<Option<Arc<Intent>>>> {
    let mut intents = api.broker().intents(ids).await?;
    for intent in &mut intents {
        intent.take_if(|intent| intent.to != *agent);
    }
    Ok(intents)
}

/// Where the delivery stands after a call.
fn after(object: Object, receipt: &Receipt) -> Object {
    let intent = &receipt.intent;
    let mut facts = receipt.facts.iter().rev();
    let attempt = facts.find_map(|fact| fact.body.attempt());
    let object = object
        .shown("intent_id", intent.id)
        .maybe_shown(
            "attempt_id",
            attempt.or_else(|| intent.lease().map(|lease| lease.attempt)),
        )
        .number("delivery_attempt", intent.attempts);
    match &intent.delivery {
        Delivery::Leased(lease) => object.shown("lease_expires_at", lease.until),
        Delivery::BackingOff { until } => object.shown("next_attempt_at", until),
        Delivery::Ready { since } => object.shown("next_attempt_at", since),
        Delivery::Dead => object.flag("dead_letter", true),
        Delivery::HeldByPerson
        | Delivery::HeldBySteps
        | Delivery::HeldByTime { .. }
        | Delivery::Done
        | Delivery::Withdrawn => object,
    }
}

/// `POST {addr}/intents/results`: many results in one commit.
pub(super) async fn results(api: &Api, call: &Call, agent: &Address, bytes: &[u8]) -> Result {
    call.caller.must_receive_at(agent)?;
    let body = Body::parse(bytes)?;
    let items = items(&body, "results", RESULTS_MAX)?;
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let read: Vec<_> = items.iter().map(|item| result(item, agent)).collect();
    let ids: Vec<_> = read.iter().flatten().map(|(id, _)| *id).collect();
    let known: std::collections::HashSet<_> = at(api, agent, &ids)
        .await?
        .into_iter()
        .flatten()
        .map(|intent| intent.id)
        .collect();
    let mut requests = Vec::new();
    let mut places = Vec::new();
    for (index, item) in read.into_iter().enumerate() {
        places.push(match item {
            Ok((id, command)) if known.contains(&id) => {
                requests.push(Request {
                    intent: id,
                    command,
                    remember: remember.as_ref().map(|key| RememberKey {
                        key: format!("{}#{index}", key.key),
                        ..key.clone()
                    }),
                    audit: None,
                });
                Ok(())
            }
            Ok((id, _)) => Err(intents::not_found(id)),
            Err(problem) => Err(problem),
        });
    }
    let mut receipts = if requests.is_empty() {
        Vec::new()
    } else {
        api.broker().run_all(requests).await?
    }
    .into_iter();
    let mut applied = 0;
    let mut results = Vec::new();
    for (index, place) in places.into_iter().enumerate() {
        results.push(match place.map(|()| receipts.next()) {
            Ok(Some(Ok(receipt))) => {
                applied += 1;
                after(Object::new().number("status", 200), &receipt)
                    .text("intent_status", receipt.intent.status.name())
            }
            Ok(Some(Err(error))) => refused(index, problem_of(&error)),
            Ok(None) => refused(index, Problem::internal()),
            Err(problem) => refused(index, problem),
        });
    }
    Ok(Answer(tally("applied", "refused", applied, results)))
}

fn result(item: &RawValue, agent: &Address) -> Result<(IntentId, Command), Problem> {
    let body = Body::item(item)?;
    let mut fields = Fields::of(&body);
    let id = fields.required_text("intent_id", 64);
    let action = fields.required_text("action", 32);
    fields.done()?;
    let id = intents::id(&id.unwrap_or_default())?;
    let lease = match action.unwrap_or_default().as_str() {
        "ack" => LeaseCall::Ack,
        "nack" => LeaseCall::Nack,
        "extend" => LeaseCall::Extend,
        word @ ("complete" | "fail") => return Ok((id, resume(&body, word, agent)?)),
        other => {
            return Err(Problem::field(
                "body",
                "action",
                format!("{other:?} is none of complete, fail, ack, nack, extend"),
                "string",
            ));
        }
    };
    Ok((id, command(&body, lease, agent)?))
}

/// A `complete` or `fail` as the resume that it is.
fn resume(body: &Body<'_>, word: &str, agent: &Address) -> Result<Command, Problem> {
    let mut resume = moves::resume_command(body, agent.clone(), Via::Api)?;
    let mut kept = Entries::default();
    kept.set("action", Payload::of(&word.into()));
    for key in ["result", "reason"] {
        if let Some(value) = resume.body.take(key).filter(|value| !value.is_null()) {
            kept.set(key, value);
        }
    }
    resume.body = kept;
    Ok(Command::Resume(Box::new(resume)))
}
