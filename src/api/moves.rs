//! What ends an intent or moves it on: resume, resolve, cancel, the next try now.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::Value;

use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::api::{Api, intents};
use crate::broker::request::{AuditNote, BrokerError, Receipt, RememberKey, Request};
use crate::domain::address::Address;
use crate::domain::fact::{Actor, Fact, FactBody};
use crate::domain::ids::{AttemptId, IntentId};
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::domain::scenario::Run;
use crate::domain::status::Status;
use crate::domain::task::Hold;
use crate::domain::time::{Span, Timestamp};
use crate::domain::via::Via;
use crate::engine::command::{Command, Resolve, Resume};
use crate::engine::refusal::Refusal;
use crate::store::Reader;
use crate::store::error::StoreError;
use crate::store::query::{IntentFilter, PageRequest};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;
use crate::wire::{events, inbox, resume};

/// `POST /v1/intents/{id}/resume`: the receiver's "done", a person's answer.
pub(super) async fn resume(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    let owner = call.owner(&api)?;
    let body = Body::parse(&bytes)?;
    let intent = actable(&api, &call, &text).await?;
    if is_asked(&intent) {
        resume::must_be_a_decision(&body)?;
    }
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let resume = resume_command(&body, owner, call.via())?;
    let request = Request {
        intent: intent.id,
        command: Command::Resume(Box::new(resume)),
        remember,
        audit: resume_note(&call, &intent, &body),
    };
    match api.broker().run(request).await {
        Ok(receipt) => Ok(Answer(applied(&api, &receipt))),
        Err(BrokerError::Refused(Refusal::StaleGeneration { current })) => {
            Ok(Answer(not_applied(current)))
        }
        Err(error) => Err(error.into()),
    }
}

/// True when a resume decides something.
fn is_asked(intent: &Intent) -> bool {
    intent.task.is_some() || intent.run.as_deref().and_then(Run::open_question).is_some()
}

/// A decision is an operator's write, and so is an answer that an admin gives for a receiver.
fn resume_note(call: &Call, intent: &Intent, body: &Body<'_>) -> Option<AuditNote> {
    if is_asked(intent) {
        let body = Value::Object(body.to_map());
        let comment = [
            "/task_result/comment",
            "/task_result/data/comment",
            "/comment",
        ];
        let comment = comment.iter().find_map(|at| body.pointer(at)?.as_str());
        return Some(call.note("task.decide", intent.id, comment));
    }
    let is_for_another = call.caller.is_admin() && intent.to != call.caller.address;
    is_for_another.then(|| call.note("intent.resume", intent.id, None))
}

/// Reads the control keys of a resume; the body goes to the engine whole.
pub(super) fn resume_command(body: &Body<'_>, by: Address, via: Via) -> Result<Resume, Problem> {
    let mut fields = Fields::of(body);
    let actor = fields.text("actor", 383);
    let attempt = attempt(&mut fields);
    let expected_generation = fields.count("expected_policy_generation", 0, u32::MAX);
    fields.done()?;
    Ok(Resume {
        body: resume::entries(body),
        actor: actor.map_or_else(|| Actor::at(&by), Actor::Party),
        by,
        via,
        attempt,
        expected_generation,
        report: None,
    })
}

/// Takes `attempt_id`.
pub(super) fn attempt(fields: &mut Fields<'_, '_>) -> Option<AttemptId> {
    let text = fields.text("attempt_id", 64)?;
    match text.parse() {
        Ok(attempt) => Some(attempt),
        Err(error) => {
            fields.wrong("attempt_id", error.to_string(), "string");
            None
        }
    }
}

pub(super) fn applied(api: &Api, receipt: &Receipt) -> Object {
    Object::ok()
        .flag("applied", true)
        .number("policy_generation", receipt.intent.policy_generation)
        .object("intent", intents::object(api, &receipt.intent))
        .with(|object| with_hold(object, receipt))
}

pub(super) fn not_applied(generation: u32) -> Object {
    Object::ok()
        .flag("applied", false)
        .text("reason", "stale_policy_generation")
        .number("policy_generation", generation)
}

/// Adds the hold that a command placed instead of taking effect.
pub(super) fn with_hold(object: Object, receipt: &Receipt) -> Object {
    let held = placed_hold(&receipt.facts).map(|hold| (&receipt.intent, hold));
    match held.or_else(|| held_by_step(receipt)) {
        Some((intent, hold)) => object.object("held", crate::wire::intents::held(intent, hold)),
        None => object,
    }
}

/// The hold that was placed on the step of a run, when the run was asked.
fn held_by_step(receipt: &Receipt) -> Option<(&Arc<Intent>, &Hold)> {
    let child = receipt.intent.run.as_deref()?.child()?;
    let step = receipt.caused.iter().find(|intent| intent.id == child)?;
    let hold = step.holds.last().filter(|_| !step.is_finished())?;
    Some((step, hold))
}

fn placed_hold(facts: &[Fact]) -> Option<&Hold> {
    facts.iter().find_map(|fact| match &fact.body {
        FactBody::HoldPlaced(hold) => Some(hold.as_ref()),
        _ => None,
    })
}

/// The intent of a path, if the caller may end it.
async fn actable(api: &Api, call: &Call, text: &str) -> Result<Arc<Intent>> {
    let intent = intents::visible(api, call, text).await?;
    if call.caller.may_end(&intent, &api.broker().registry().home) {
        return Ok(intent);
    }
    Err(Problem::new(
        "forbidden",
        format!(
            "{} only hears the end of intent {}; its sender and its receiver may end it",
            call.caller.address, intent.id
        ),
    )
    .into())
}

/// `POST /v1/intents/{id}/resolve`.
pub(super) async fn resolve(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    let owner = call.owner(&api)?;
    let body = Body::parse(&bytes)?;
    let intent = actable(&api, &call, &text).await?;
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let resolve = resolve_command(&body, &owner)?;
    run_resolve(&api, &call, &intent, resolve, remember, "intent.resolve").await
}

fn resolve_command(body: &Body<'_>, by: &Address) -> Result<Resolve, Problem> {
    let mut fields = Fields::of(body);
    let name = fields.required_text("status", 32);
    let status = name
        .as_deref()
        .and_then(Status::from_name)
        .filter(|status| {
            matches!(
                status,
                Status::Completed | Status::Failed | Status::Canceled
            )
        });
    if name.is_some() && status.is_none() {
        fields.wrong("status", "must be COMPLETED, FAILED or CANCELED", "string");
    }
    let result = fields.object("result");
    let error = fields.object("error");
    let reason = fields.text("reason", 2000);
    let actor = fields.text("actor", 383);
    let expected_generation = fields.count("expected_policy_generation", 0, u32::MAX);
    fields.done()?;
    let status = status.ok_or_else(Problem::internal)?;
    Ok(Resolve {
        status,
        result: (status == Status::Completed).then(|| result.unwrap_or_else(Payload::empty)),
        error: if status == Status::Failed {
            error
        } else {
            None
        },
        reason,
        by: actor.map_or_else(|| Actor::at(by), Actor::Party),
        expected_generation,
    })
}

async fn run_resolve(
    api: &Api,
    call: &Call,
    intent: &Intent,
    resolve: Resolve,
    remember: Option<RememberKey>,
    action: &str,
) -> Result {
    let audit = call
        .caller
        .is_admin()
        .then(|| call.note(action, intent.id, resolve.reason.as_deref()));
    let request = Request {
        intent: intent.id,
        command: Command::Resolve(resolve),
        remember,
        audit,
    };
    match api.broker().run(request).await {
        Ok(receipt) => resolved(api, &receipt).await,
        Err(BrokerError::Refused(Refusal::StaleGeneration { current })) => {
            Ok(Answer(not_applied(current)))
        }
        Err(error) => Err(error.into()),
    }
}

async fn resolved(api: &Api, receipt: &Receipt) -> Result {
    let intent = &receipt.intent;
    let id = intent.id;
    let facts = api.broker().read(move |reader| reader.facts(id, 0)).await?;
    let event = events::last(intent, &facts);
    let delivery = match &intent.reply_to {
        None => Object::new()
            .flag("delivered", false)
            .text("reason", "reply_to_not_set"),
        Some(reply_to) => Object::new()
            .flag("delivered", true)
            .shown("reply_to", reply_to)
            .shown("thread_id", intent.id)
            .text("message_id", &format!("{}:{}", intent.id, intent.event_seq))
            .object("completion", inbox::completion(intent)),
    };
    Ok(Answer(
        Object::ok()
            .object("intent", intents::object(api, intent))
            .with(|object| match &event {
                Some(event) => object.raw("event", &event.json),
                None => object.null("event"),
            })
            .object("completion_delivery", delivery),
    ))
}

/// `POST /v1/intents/{id}/cancel`: its sender's, and an admin's.
pub(super) async fn cancel(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    let owner = call.owner(&api)?;
    let body = Body::parse(&bytes)?;
    let intent = intents::visible(&api, &call, &text).await?;
    if !call.caller.is_admin() && intent.from != call.caller.address {
        return Err(Problem::new(
            "forbidden",
            format!(
                "only its sender {} may cancel intent {}",
                intent.from, intent.id
            ),
        )
        .into());
    }
    let mut fields = Fields::of(&body);
    let reason = fields.text("reason", 2000);
    let actor = fields.text("actor", 383);
    fields.done()?;
    let resolve = Resolve {
        status: Status::Canceled,
        result: None,
        error: None,
        reason,
        by: actor.map_or_else(|| Actor::at(&owner), Actor::Party),
        expected_generation: None,
    };
    let remember = call.remember(|| body.fingerprint(&[]))?;
    run_resolve(&api, &call, &intent, resolve, remember, "intent.cancel").await
}

/// `POST /v1/intents/{id}/retry-now`.
pub(super) async fn retry_now(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(&bytes)?;
    let mut fields = Fields::of(&body);
    let reason = fields.text("reason", 2000);
    fields.done()?;
    let intent = intents::visible(&api, &call, &text).await?;
    // What an endpoint's health holds back becomes ready all the same, and goes first when it is well.
    let held = intents::parked(&api, &intent).filter(|reason| reason.starts_with("agent_"));
    if let Some(reason) = held {
        return Err(Problem::new(
            "agent_paused",
            format!(
                "{} takes nothing now ({reason}); hint: resume it",
                intent.to
            ),
        )
        .with(serde_json::json!({ "agent": intent.to.to_string(), "reason": reason }))
        .into());
    }
    let receipt = api
        .broker()
        .run(Request {
            intent: intent.id,
            command: Command::RetryNow {
                by: call.caller.actor(),
            },
            remember: call.remember(|| body.fingerprint(&[]))?,
            audit: Some(call.note("intent.retry_now", intent.id, reason.as_deref())),
        })
        .await?;
    Ok(Answer(
        Object::ok().object("intent", intents::object(&api, &receipt.intent)),
    ))
}

/// What a bulk cancel looks for.
struct BulkCancel {
    before: Timestamp,
    statuses: Vec<Status>,
    is_dry_run: bool,
    reason: Option<String>,
    limit: u32,
}

/// `POST /v1/intents/bulk-cancel`.
pub(super) async fn bulk_cancel(
    State(api): State<Api>,
    call: Call,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(&bytes)?;
    let bulk = bulk_body(&body, api.broker().clock().now())?;
    let (is_dry_run, reason) = (bulk.is_dry_run, bulk.reason.clone());
    let found = api
        .broker()
        .read(move |reader| find_stale(reader, &bulk))
        .await?;
    let as_number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    if is_dry_run {
        return Ok(Answer(
            Object::ok()
                .flag("dry_run", true)
                .number("would_cancel", as_number(found.len()))
                .texts("intent_ids", found.iter().map(ToString::to_string)),
        ));
    }
    let requests = found
        .iter()
        .map(|id| Request {
            intent: *id,
            command: Command::Resolve(Resolve {
                status: Status::Canceled,
                result: None,
                error: None,
                reason: reason.clone(),
                by: call.caller.actor(),
                expected_generation: None,
            }),
            remember: None,
            audit: Some(call.note("intent.cancel", id, reason.as_deref())),
        })
        .collect();
    let receipts = api.broker().run_all(requests).await?;
    let canceled: Vec<_> = receipts
        .iter()
        .flatten()
        .map(|receipt| receipt.intent.id.to_string())
        .collect();
    Ok(Answer(
        Object::ok()
            .flag("dry_run", false)
            .number("canceled", as_number(canceled.len()))
            .texts("intent_ids", canceled),
    ))
}

/// Unfinished intents that have not changed for as long as asked, newest first.
fn find_stale(reader: &mut dyn Reader, bulk: &BulkCancel) -> Result<Vec<IntentId>, StoreError> {
    let filter = IntentFilter {
        is_unfinished: true,
        statuses: bulk.statuses.clone(),
        ..IntentFilter::default()
    };
    let limit = usize::try_from(bulk.limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let mut page = PageRequest {
        limit: 500,
        cursor: None,
    };
    loop {
        let items = reader.intents(&filter, &page)?;
        let stale = items
            .items
            .iter()
            .filter(|intent| intent.updated_at <= bulk.before);
        found.extend(stale.map(|intent| intent.id));
        page.cursor = items.next;
        if found.len() >= limit || page.cursor.is_none() {
            found.truncate(limit);
            return Ok(found);
        }
    }
}

fn bulk_body(body: &Body<'_>, now: Timestamp) -> Result<BulkCancel, Problem> {
    let hours = match body.get("older_than_hours") {
        None => 24.0,
        Some(value) => serde_json::from_str::<f64>(value.get()).unwrap_or(0.0),
    };
    let mut fields = Fields::of(body);
    let age = if (0.1..=100_000.0).contains(&hours) {
        std::time::Duration::try_from_secs_f64(hours * 3600.0).unwrap_or_default()
    } else {
        fields.wrong(
            "older_than_hours",
            "must be a number of at least 0.1",
            "number",
        );
        std::time::Duration::ZERO
    };
    let names = fields.texts("status_filter", 10, 32).unwrap_or_default();
    let mut statuses = Vec::new();
    for name in &names {
        match Status::from_name(name).filter(|status| !status.is_terminal()) {
            Some(status) => statuses.push(status),
            None => fields.wrong(
                "status_filter",
                format!("{name:?} is no status of an unfinished intent"),
                "string",
            ),
        }
    }
    let bulk = BulkCancel {
        before: now.before(Span::from_millis(
            i64::try_from(age.as_millis()).unwrap_or(i64::MAX),
        )),
        statuses,
        is_dry_run: fields.maybe_flag("dry_run").unwrap_or(true),
        reason: fields.text("reason", 2000),
        limit: fields.count("limit", 1, 5000).unwrap_or(500),
    };
    fields.done()?;
    Ok(bulk)
}
