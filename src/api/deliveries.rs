//! Deliveries: how far intents have got to their receivers, and sending one again.

use std::sync::Arc;

use axum::extract::{Path, State};

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::broker::request::Request;
use crate::domain::address::Address;
use crate::domain::ids::AccountId;
use crate::domain::intent::{DeadLetterState, Intent};
use crate::domain::payload::Payload;
use crate::domain::time::Span;
use crate::engine::command::{Command, Replay};
use crate::engine::refusal::Refusal;
use crate::store::Reader;
use crate::store::error::StoreError;
use crate::store::query::{IntentFilter, Page, PageRequest};
use crate::wire::body::Body;
use crate::wire::deliveries::{self, DeliveryStatus};
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// Pages of intents that one call looks through for a status; the cursor goes on from there.
const PAGES_MAX: usize = 50;

type Found = (Arc<Intent>, Payload);

fn object(api: &Api, call: &Call, (intent, payload): &Found) -> Object {
    let registry = api.broker().registry();
    let receiver = registry.agent(&intent.to).map(AsRef::as_ref);
    deliveries::delivery(intent, payload, receiver, &call.place(api))
}

/// `GET /v1/deliveries`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    let status = call.query.get("status").map(DeliveryStatus::from_name);
    let status = status.transpose()?;
    let filter = IntentFilter {
        to: call
            .query
            .get("principal_id")
            .map(|text| principal(&api, text))
            .transpose()?,
        party: (!call.caller.is_admin()).then(|| call.caller.address.clone()),
        ..IntentFilter::default()
    };
    let page = call.query.page(200, 1000)?;
    let found = api
        .broker()
        .read(move |reader| look(reader, &filter, status, page))
        .await?;
    Ok(Answer(
        Object::ok()
            .list(
                "deliveries",
                found.items.iter().map(|found| object(&api, &call, found)),
            )
            .text_or_null("next_cursor", found.next.as_deref()),
    ))
}

/// The address of an account.
fn principal(api: &Api, text: &str) -> Result<Address, Problem> {
    let unknown = || Problem::new("account_not_found", format!("no account {text:?}"));
    let id: AccountId = text.parse().map_err(|_not_an_id| unknown())?;
    let registry = api.broker().registry();
    let agent = registry.account(id).ok_or_else(unknown)?;
    Ok(agent.address.clone())
}

fn look(
    reader: &mut dyn Reader,
    filter: &IntentFilter,
    status: Option<DeliveryStatus>,
    mut page: PageRequest,
) -> std::result::Result<Page<Found>, StoreError> {
    let wanted = page.limit;
    let mut items: Vec<Found> = Vec::new();
    let mut next = None;
    for _ in 0..PAGES_MAX {
        let read = reader.intents(filter, &page)?;
        for intent in read.items {
            if status.is_none_or(|status| DeliveryStatus::of(&intent) == status) {
                let payload = reader.payload(intent.id)?;
                items.push((intent, payload.unwrap_or_else(Payload::empty)));
            }
        }
        next = read.next;
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        page.limit = wanted.saturating_sub(count);
        page.cursor.clone_from(&next);
        if page.limit == 0 || next.is_none() {
            break;
        }
    }
    Ok(Page { items, next })
}

/// The delivery of a path, if it is any of the caller's business.
async fn visible(api: &Api, call: &Call, text: &str) -> Result<Found> {
    let id = deliveries::id(text)?;
    let (intent, payload) = api
        .broker()
        .read(move |reader| Ok((reader.intent(id)?, reader.payload(id)?)))
        .await?;
    let home = &api.broker().registry().home;
    let intent = intent
        .filter(|intent| call.caller.may_see(intent, home))
        .ok_or_else(|| deliveries::not_found(text))?;
    Ok((intent, payload.unwrap_or_else(Payload::empty)))
}

/// `GET /v1/deliveries/{id}`.
pub(super) async fn show(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    let found = visible(&api, &call, &text).await?;
    Ok(Answer(
        Object::ok().object("delivery", object(&api, &call, &found)),
    ))
}

/// `POST /v1/deliveries/{id}/replay`: a replay of its dead letter, without options.
pub(super) async fn replay(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let by = call.owner(&api)?;
    let body = Body::parse(&bytes)?;
    let (intent, _) = visible(&api, &call, &text).await?;
    let status = DeliveryStatus::of(&intent);
    if intent.dead_letter.is_none() || status != DeliveryStatus::DeadLettered {
        return Err(not_replayable(&text, status).into());
    }
    let broker = api.broker();
    let command = Command::Replay(Box::new(Replay {
        new_id: broker.new_intent_id(),
        new_thread: broker.new_thread_id(),
        payload: None,
        to: None,
        max_attempts: None,
        is_forced: false,
        reason: None,
        hold: Span::ZERO,
        by,
    }));
    let receipt = broker
        .run(Request {
            intent: intent.id,
            command,
            remember: call.remember(|| body.fingerprint(&[]))?,
            audit: Some(call.note("delivery.replay", intent.id, None)),
        })
        .await?;
    let letter = receipt.intent.dead_letter.as_ref();
    let Some(DeadLetterState::Replayed { as_intent }) = letter.map(|letter| &letter.state) else {
        return Err(Problem::from(&Refusal::NotDeadLetter(intent.id)).into());
    };
    let found = visible(&api, &call, &as_intent.to_string()).await?;
    Ok(Answer(
        Object::ok().object("delivery", object(&api, &call, &found)),
    ))
}

fn not_replayable(text: &str, status: DeliveryStatus) -> Problem {
    let name = status.name();
    let message = format!("delivery {text} is {name}; only a dead letter is delivered anew");
    Problem::new("not_replayable", message).with(serde_json::json!({ "status": name }))
}
