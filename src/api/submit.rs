//! Creating intents, one and many.

use axum::extract::State;
use serde_json::json;
use serde_json::value::RawValue;

use crate::api::Api;
use crate::api::answer::{Answer, ApiError, Result, problem_of};
use crate::api::call::{Call, LargeUpload, Upload};
use crate::api::schemas;
use crate::broker::request::{BrokerError, Receipt, RememberKey, Request};
use crate::domain::agent::Binding;
use crate::engine::command::{Command, PayloadSource, Submit};
use crate::wire::body::Body;
use crate::wire::errors::Problem;
use crate::wire::json::Object;
use crate::wire::submit::{self, Create, CreateRules};

/// Most intents of one batch.
const BATCH_MAX: usize = 500;

/// `POST /v1/intents`.
pub(super) async fn create(State(api): State<Api>, call: Call, Upload(bytes): Upload) -> Result {
    let mut body = Body::parse(&bytes)?;
    let create = read(&api, &call, &mut body)?;
    let remember = call.remember(|| submit::fingerprint(&body, call.caller.is_admin()))?;
    let mut warnings = create.warnings.clone();
    let (intent_type, payload) = (&create.intent_type, &create.payload);
    warnings.extend(schemas::check_new(&api, remember.as_ref(), intent_type, payload).await?);
    let mut request = request(&api, &call, create);
    request.remember = remember;
    let receipt = api.broker().run(request).await?;
    Ok(Answer(created(Object::ok(), &receipt, &warnings)))
}

fn created(object: Object, receipt: &Receipt, warnings: &[String]) -> Object {
    let intent = &receipt.intent;
    object
        .shown("intent_id", intent.id)
        .text("status", intent.status.name())
        .shown("created_at", intent.created_at)
        .maybe_texts("warnings", warnings)
}

/// Reads a create and checks what the registry knows of its receiver.
fn read(api: &Api, call: &Call, body: &mut Body<'_>) -> Result<Create, Problem> {
    let registry = api.broker().registry();
    let create = submit::create(
        body,
        &CreateRules {
            home: &registry.home,
            payload_bytes_max: api.settings().payload_bytes_max,
            may_name_sender: call.caller.is_admin(),
        },
    )?;
    match registry.agent(&create.to) {
        None if api.settings().is_strict => Err(Problem::new(
            "agent_not_found",
            format!(
                "no agent at {}; this broker takes registered addresses only",
                create.to
            ),
        )
        .with(json!({ "to_agent": create.to.to_string() }))),
        Some(agent) if agent.binding == Binding::Internal => Err(Problem::new(
            "invalid_agent_address",
            format!("{} is internal: only a scenario can address it", create.to),
        )
        .with(json!({ "to_agent": create.to.to_string() }))),
        _ => Ok(create),
    }
}

fn request(api: &Api, call: &Call, create: Create) -> Request {
    let broker = api.broker();
    let id = broker.new_intent_id();
    let payload_bytes = u32::try_from(create.payload.len()).unwrap_or(u32::MAX);
    let submit = Submit {
        id,
        thread: broker.new_thread_id(),
        intent_type: create.intent_type,
        correlation_id: create
            .correlation_id
            .unwrap_or_else(|| broker.new_thread_id().to_string()),
        from: create.from.unwrap_or_else(|| call.caller.address.clone()),
        to: create.to,
        reply_to: create.reply_to,
        trace_id: call.trace_id.clone(),
        payload: PayloadSource::Given(create.payload),
        payload_bytes,
        deadline: create.deadline,
        ttl: create.ttl,
        max_attempts: create.max_attempts,
        reminders: create.reminders,
        task: create.task,
        replay: None,
        part: crate::engine::command::Part::Plain,
    };
    Request::plain(id, Command::Submit(Box::new(submit)))
}

/// `POST /v1/intents/batch`: independent of each other, all that pass in one commit.
pub(super) async fn batch(
    State(api): State<Api>,
    call: Call,
    LargeUpload(bytes): LargeUpload,
) -> Result {
    let body = Body::parse(&bytes)?;
    let items = items(&body, "intents", BATCH_MAX)?;
    let batch_key = call.remember(|| body.fingerprint(&[]))?;
    let mut requests = Vec::new();
    // For each item its refusal, or its place among the requests with its warnings.
    let mut places: Vec<Result<(usize, Vec<String>), Problem>> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let key = batch_key.clone().map(|mut key| {
            key.key = format!("{}#{index}", key.key);
            key
        });
        let item = item_request(&api, &call, item, key).await;
        places.push(match item {
            Ok((request, warnings)) => {
                requests.push(request);
                Ok((requests.len().saturating_sub(1), warnings))
            }
            Err(ApiError(problem)) => Err(*problem),
        });
    }
    let receipts = if requests.is_empty() {
        Vec::new()
    } else {
        api.broker().run_all(requests).await?
    };
    if batch_key.is_some()
        && receipts
            .iter()
            .all(|receipt| matches!(receipt, Err(BrokerError::KeyConflict)))
        && !receipts.is_empty()
    {
        return Err(BrokerError::KeyConflict.into());
    }
    // With no room for any of them it is the broker's state, not theirs.
    let is_low =
        |receipt: &Result<Receipt, BrokerError>| matches!(receipt, Err(BrokerError::StorageLow(_)));
    if let Some(Err(low)) = receipts.first().filter(|_| receipts.iter().all(is_low)) {
        return Err(low.clone().into());
    }
    let results: Vec<_> = places
        .into_iter()
        .enumerate()
        .map(|(index, place)| result(index, place, &receipts))
        .collect();
    let accepted = receipts.iter().filter(|receipt| receipt.is_ok()).count();
    Ok(Answer(tally("accepted", "refused", accepted, results)))
}

/// The answer of a batch.
pub(super) fn tally(good: &str, bad: &str, count: usize, results: Vec<Object>) -> Object {
    let as_number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Object::ok()
        .number(good, as_number(count))
        .number(bad, as_number(results.len().saturating_sub(count)))
        .list("results", results)
}

/// The items of a batch, 1 to `max`.
pub(super) fn items<'text>(
    body: &Body<'text>,
    key: &str,
    max: usize,
) -> Result<Vec<&'text RawValue>, Problem> {
    let items = body
        .get(key)
        .and_then(|value| serde_json::from_str::<Vec<&RawValue>>(value.get()).ok())
        .filter(|items| (1..=max).contains(&items.len()));
    items.ok_or_else(|| {
        Problem::field(
            "body",
            key,
            format!("must be a list of 1 to {max} objects"),
            "list",
        )
    })
}

/// An item, under its own idempotency key or the batch's.
async fn item_request(
    api: &Api,
    call: &Call,
    item: &RawValue,
    batch_key: Option<RememberKey>,
) -> Result<(Request, Vec<String>)> {
    let mut body = Body::item(item)?;
    let key = match body.get("idempotency_key") {
        None => None,
        Some(value) => Some(
            serde_json::from_str::<String>(value.get()).map_err(|_other| {
                Problem::field("body", "idempotency_key", "must be a string", "string")
            })?,
        ),
    };
    let create = read(api, call, &mut body)?;
    let remember = key
        .map(|key| {
            let fingerprint = submit::fingerprint(&body, call.caller.is_admin());
            call.remember_as(&key, "/v1/intents", fingerprint)
        })
        .transpose()?
        .or(batch_key);
    let mut warnings = create.warnings.clone();
    let (intent_type, payload) = (&create.intent_type, &create.payload);
    warnings.extend(schemas::check_new(api, remember.as_ref(), intent_type, payload).await?);
    let mut request = request(api, call, create);
    request.remember = remember;
    Ok((request, warnings))
}

fn result(
    index: usize,
    place: Result<(usize, Vec<String>), Problem>,
    receipts: &[Result<Receipt, BrokerError>],
) -> Object {
    let problem = match place {
        Err(problem) => problem,
        Ok((at, warnings)) => match receipts.get(at) {
            Some(Ok(receipt)) => {
                return Object::new()
                    .number("status", 200)
                    .shown("intent_id", receipt.intent.id)
                    .text("intent_status", receipt.intent.status.name())
                    .maybe_texts("warnings", &warnings);
            }
            Some(Err(error)) => problem_of(error),
            None => Problem::internal(),
        },
    };
    refused(index, problem)
}

/// A refused item of a batch; its place is in the details.
pub(super) fn refused(index: usize, mut problem: Problem) -> Object {
    if let Some(details) = problem.details.as_object_mut() {
        details.insert("index".to_owned(), json!(index));
    }
    if problem.fields.is_empty() {
        return Object::new()
            .number("status", problem.status)
            .object("error", problem.object());
    }
    // The fields are in the message; the place is what a batch needs.
    problem.fields.clear();
    Object::new()
        .number("status", problem.status)
        .object("error", problem.object())
}
