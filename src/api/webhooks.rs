//! Webhook subscriptions, and publishing events to them.

use axum::extract::{Path, State};
use serde_json::Value;
use uuid::Uuid;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::bindings::signature::{self, SECRET_BYTES};
use crate::broker::request::{AdminCommand, NewSubscription, PublishedEvent};
use crate::domain::address::Address;
use crate::domain::intent::Kind;
use crate::domain::payload::Payload;
use crate::domain::subscription::SubscriptionId;
use crate::domain::time::Timestamp;
use crate::store::query::{IntentFilter, PageRequest};
use crate::wire::body::Body;
use crate::wire::errors::Problem;
use crate::wire::json::Object;
use crate::wire::webhooks;

/// `POST /v1/webhooks/subscriptions`. The same URL again changes what there is.
pub(super) async fn subscribe(State(api): State<Api>, call: Call, Upload(bytes): Upload) -> Result {
    let body = Body::parse(&bytes)?;
    let owner = call.owner(&api)?;
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let new = webhooks::new_subscription(&body)?;
    api.settings()
        .guard
        .check_url(&new.callback_url)
        .map_err(|refused| Problem::new("callback_url_refused", refused.to_string()))?;
    if let Some(secret) = &new.secret {
        signature::check_secret(secret)
            .map_err(|bad| Problem::field("body", "secret", bad.to_string(), "string"))?;
    }
    let mut random = [0; SECRET_BYTES];
    api.broker().entropy().fill(&mut random);
    let fresh_secret = signature::new_secret(&random);
    let note = call.note("webhook.subscribe", &new.callback_url, None);
    let is_given = new.secret.is_some();
    let command = AdminCommand::Subscribe(Box::new(NewSubscription {
        is_of_all: call.caller.is_admin() && owner == call.caller.address,
        owner,
        callback_url: new.callback_url,
        event_types: new.event_types,
        secret: new.secret,
        fresh_secret: fresh_secret.clone(),
        is_active: new.is_active,
        description: new.description,
    }));
    let work = async {
        let receipt = api.broker().administer(command, note).await?;
        let subscription = receipt.subscription.ok_or_else(Problem::internal)?;
        // Shown once, to whoever had the broker make it.
        let shown = (!receipt.is_repeat && !is_given).then_some(fresh_secret.as_str());
        let object = webhooks::subscription(&subscription).maybe_text("secret", shown);
        Ok(Answer(Object::ok().object("subscription", object)))
    };
    api.inner.replies.once(remember, work).await
}

/// `GET /v1/webhooks/subscriptions`. An admin sees everybody's unless it names an owner.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    let owner = call.owner(&api)?;
    let names_owner =
        call.query.get("owner_agent").is_some() || call.headers.contains_key("x-owner-agent");
    let owner = (names_owner || !call.caller.is_admin()).then_some(owner);
    let with_inactive = matches!(call.query.get("include_inactive"), Some("true" | "1"));
    let registry = api.broker().registry();
    let found = registry.subscriptions_of(owner.as_ref());
    let items = found
        .iter()
        .filter(|one| with_inactive || one.is_active)
        .map(|one| webhooks::subscription(one));
    Ok(Answer(Object::ok().list("subscriptions", items)))
}

/// `DELETE /v1/webhooks/subscriptions/{id}`.
pub(super) async fn unsubscribe(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
) -> Result {
    let unknown = || {
        Problem::new(
            "subscription_not_found",
            format!("no subscription {text:?}"),
        )
        .with(serde_json::json!({ "subscription_id": text }))
    };
    let id: SubscriptionId = text.parse().map_err(|_not_an_id| unknown())?;
    let owner = (!call.caller.is_admin()).then(|| call.caller.address.clone());
    let note = call.note("webhook.unsubscribe", id, None);
    let command = AdminCommand::Unsubscribe { id, owner };
    let receipt = api.broker().administer(command, note).await?;
    let revoked_at = receipt.subscription.and_then(|one| one.revoked_at);
    Ok(Answer(
        Object::ok()
            .shown("subscription_id", id)
            .shown_or_null("revoked_at", revoked_at),
    ))
}

/// `POST /v1/webhooks/events`.
pub(super) async fn publish(State(api): State<Api>, call: Call, Upload(bytes): Upload) -> Result {
    let body = Body::parse(&bytes)?;
    let owner = call.owner(&api)?;
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let event = webhooks::new_event(&body)?;
    let limit = api.settings().payload_bytes_max;
    if event.payload.len() > limit {
        let message = format!(
            "payload has {} bytes, at most {limit} are allowed",
            event.payload.len()
        );
        return Err(Problem::new("payload_too_large", message)
            .with(serde_json::json!({ "limit": limit }))
            .into());
    }
    let now = api.broker().clock().now();
    let id = api.broker().new_intent_id().0;
    let sent = webhooks::published(id, &event, &owner, now);
    let work = async {
        let published = PublishedEvent {
            id,
            event_type: event.event_type.clone(),
            owner: owner.clone(),
            trace_id: call.trace_id.clone(),
            body: sent,
        };
        let queued = queue(&api, &call, published).await?;
        Ok(Answer(
            Object::ok()
                .shown("accepted_at", now)
                .text("event_type", &event.event_type)
                .text("source", &event.source)
                .with(|object| counters(object, id, &owner, queued)),
        ))
    };
    api.inner.replies.once(remember, work).await
}

/// `POST /v1/webhooks/events/{event_id}/replay`: sends it again to whoever of its owner's wants it now.
pub(super) async fn replay(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    let body = Body::parse(&bytes)?;
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let unknown = || {
        Problem::new(
            "event_not_found",
            format!("no event {text:?} was sent to anybody"),
        )
        .with(serde_json::json!({ "event_id": text }))
    };
    let id: Uuid = text.parse().map_err(|_not_an_id| unknown())?;
    let sent = carried(&api, id).await?.ok_or_else(unknown)?;
    let (event_type, owner) = read(&api, &sent).ok_or_else(unknown)?;
    if !call.caller.is_admin() && owner != call.caller.address {
        return Err(unknown().into());
    }
    let now: Timestamp = api.broker().clock().now();
    let work = async {
        let published = PublishedEvent {
            id,
            event_type: event_type.clone(),
            owner: owner.clone(),
            trace_id: call.trace_id.clone(),
            body: sent,
        };
        let queued = queue(&api, &call, published).await?;
        Ok(Answer(
            Object::ok()
                .text("event_type", &event_type)
                .shown("replayed_at", now)
                .with(|object| counters(object, id, &owner, queued)),
        ))
    };
    api.inner.replies.once(remember, work).await
}

async fn queue(api: &Api, call: &Call, event: PublishedEvent) -> Result<u32> {
    let note = call.note("webhook.publish", event.id, None);
    let command = AdminCommand::PublishEvent(Box::new(event));
    Ok(api.broker().administer(command, note).await?.queued)
}

/// The body that an event was sent with.
async fn carried(api: &Api, event: Uuid) -> Result<Option<Payload>> {
    let filter = IntentFilter {
        kinds: vec![Kind::Webhook],
        correlation_id: Some(event.to_string()),
        ..IntentFilter::default()
    };
    let page = PageRequest {
        limit: 1,
        cursor: None,
    };
    let read = move |reader: &mut dyn crate::store::Reader| {
        let found = reader.intents(&filter, &page)?;
        match found.items.first() {
            Some(intent) => reader.payload(intent.id),
            None => Ok(None),
        }
    };
    Ok(api.broker().read(read).await?)
}

/// Its type, and whose event it is.
fn read(api: &Api, sent: &Payload) -> Option<(String, Address)> {
    let value = sent.to_value();
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let home = &api.broker().registry().home;
    let owner = Address::parse(text("owner_agent")?, home).ok()?;
    Some((text("event_type")?.to_owned(), owner))
}

/// Calls never wait for receivers: everything queued is pending.
fn counters(object: Object, id: Uuid, owner: &Address, queued: u32) -> Object {
    object
        .shown("owner_agent", owner)
        .shown("event_id", id.hyphenated())
        .number("queued_deliveries", queued)
        .number("processed_deliveries", 0)
        .number("delivered", 0)
        .number("pending", queued)
        .number("dead_lettered", 0)
}
