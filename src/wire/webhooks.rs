//! Webhook subscriptions, and what their receivers are sent.

use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::fact::{Fact, FactBody, Notice};
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::domain::status::WaitingReason;
use crate::domain::subscription::Subscription;
use crate::domain::time::Timestamp;
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::events::{self, LINE_BYTES_MAX, Size};
use crate::wire::json::Object;

/// What the broker's own events name as their source.
const SOURCE: &str = "postroom";

/// Characters of a generated secret that are shown later, beyond its prefix.
const HINT_CHARS: usize = 2;

/// The subscription object. Its secret is never in it.
#[must_use]
pub fn subscription(subscription: &Subscription) -> Object {
    Object::new()
        .shown("subscription_id", subscription.id)
        .shown("owner_agent", &subscription.owner)
        .text("callback_url", &subscription.callback_url)
        .texts("event_types", &subscription.event_types)
        .flag("active", subscription.is_active)
        .text_or_null("description", subscription.description.as_deref())
        .shown("created_at", subscription.created_at)
        .shown("updated_at", subscription.updated_at)
        .shown_or_null("revoked_at", subscription.revoked_at)
        .text("secret_hint", &hint(&subscription.secret.text))
}

/// The prefix and the first characters: enough to tell secrets apart.
fn hint(secret: &str) -> String {
    let (prefix, rest) = match secret.strip_prefix("whsec_") {
        Some(rest) => ("whsec_", rest),
        None => ("", secret),
    };
    let shown: String = rest.chars().take(HINT_CHARS).collect();
    format!("{prefix}{shown}...")
}

/// A subscription as its body says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscription {
    /// Where to post.
    pub callback_url: String,
    /// Which events.
    pub event_types: Vec<String>,
    /// What signs, if the owner chose it.
    pub secret: Option<String>,
    /// Whether anything is sent.
    pub is_active: bool,
    /// What it is for.
    pub description: Option<String>,
}

/// Reads the body of a subscription.
///
/// # Errors
/// `schema_invalid`.
pub fn new_subscription(body: &Body<'_>) -> Result<NewSubscription, Problem> {
    let mut fields = Fields::of(body);
    let callback_url = fields.required_text("callback_url", 2048);
    if callback_url
        .as_ref()
        .is_some_and(|url| url.chars().count() < 8)
    {
        fields.wrong("callback_url", "must have at least 8 characters", "string");
    }
    let event_types = fields.texts("event_types", 32, 128);
    match &event_types {
        Some(types) if types.is_empty() => {
            fields.wrong("event_types", "must name 1 to 32 types", "list");
        }
        Some(types) => {
            if let Some(bad) = types.iter().find(|text| !is_event_pattern(text)) {
                let message = format!("{bad:?} is no event type; hint: intent.completed, intent.*");
                fields.wrong("event_types", message, "string");
            }
        }
        None if body.get("event_types").is_none() => {
            fields.wrong("event_types", "field required", "missing");
        }
        None => {}
    }
    let secret = fields.text("secret", 128);
    if secret
        .as_ref()
        .is_some_and(|text| text.chars().count() < 16)
    {
        fields.wrong("secret", "must have 16 to 128 characters", "string");
    }
    let is_active = fields.maybe_flag("active").unwrap_or(true);
    let description = fields.text("description", 255);
    fields.done()?;
    Ok(NewSubscription {
        callback_url: callback_url.unwrap_or_default(),
        event_types: event_types.unwrap_or_default(),
        secret,
        is_active,
        description,
    })
}

/// `intent.completed`, `my_app.order_shipped`, `intent.*`, `*`. Types that never come are accepted.
fn is_event_pattern(text: &str) -> bool {
    let start = text.strip_suffix('*').unwrap_or(text);
    !text.is_empty() && is_event_text(start)
}

fn is_event_text(text: &str) -> bool {
    text.chars()
        .all(|one| one.is_ascii_alphanumeric() || matches!(one, '.' | '_' | '-' | ':' | '/'))
}

/// An event as somebody publishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Which.
    pub event_type: String,
    /// Whence.
    pub source: String,
    /// What, an object.
    pub payload: Payload,
}

/// Reads the body of an event.
///
/// # Errors
/// `schema_invalid`.
pub fn new_event(body: &Body<'_>) -> Result<NewEvent, Problem> {
    let mut fields = Fields::of(body);
    let event_type = fields.required_text("event_type", 128);
    if event_type.as_ref().is_some_and(|text| !is_event_text(text)) {
        let message = "must have letters, digits and . _ - : / alone";
        fields.wrong("event_type", message, "string");
    }
    let source = fields.required_text("source", 100);
    if source.as_ref().is_some_and(|text| text.chars().count() < 2) {
        fields.wrong("source", "must have 2 to 100 characters", "string");
    }
    let payload = fields.object("payload");
    if payload.is_none() && body.get("payload").is_none() {
        fields.wrong("payload", "field required", "missing");
    }
    fields.done()?;
    Ok(NewEvent {
        event_type: event_type.unwrap_or_default(),
        source: source.unwrap_or_default(),
        payload: payload.unwrap_or_else(Payload::empty),
    })
}

/// The body that receivers of a published event are sent.
#[must_use]
pub fn published(id: Uuid, event: &NewEvent, owner: &Address, at: Timestamp) -> Payload {
    let envelope = envelope(id, (&event.event_type, &event.source), owner, at);
    body_of(envelope.payload("payload", &event.payload))
}

/// The body that receivers of one of the broker's own events are sent.
#[must_use]
pub fn told(id: Uuid, event_type: &str, owner: &Address, fact: &Fact, intent: &Intent) -> Payload {
    let payload = if event_type.starts_with("inbox.") {
        thread(event_type, fact, intent)
    } else {
        let whole = moved(fact, intent, Size::Whole);
        let is_short = whole.clone().finish().len() > LINE_BYTES_MAX;
        if is_short {
            moved(fact, intent, Size::Short).flag("truncated", true)
        } else {
            whole
        }
    };
    body_of(envelope(id, (event_type, SOURCE), owner, fact.at).object("payload", payload))
}

/// The body that receivers of news of the house are sent: endpoints, dead letters, the disk.
#[must_use]
pub fn news(id: Uuid, owner: &Address, news: &Notice) -> Payload {
    let envelope = envelope(id, (&news.kind, SOURCE), owner, news.at);
    body_of(envelope.payload("payload", &news.data))
}

fn envelope(
    id: Uuid,
    (event_type, source): (&str, &str),
    owner: &Address,
    at: Timestamp,
) -> Object {
    Object::new()
        .shown("event_id", id.hyphenated())
        .text("event_type", event_type)
        .text("source", source)
        .shown("owner_agent", owner)
        .shown("occurred_at", at)
}

fn body_of(object: Object) -> Payload {
    // What we write is an object.
    Payload::object(&object.finish()).unwrap_or_else(|_never| Payload::empty())
}

/// The event of an intent as its list of events has it, with whom it is about.
fn moved(fact: &Fact, intent: &Intent, size: Size) -> Object {
    let object = Object::new()
        .shown("intent_id", intent.id)
        .maybe_number("seq", fact.event)
        .text("event_type", fact.body.type_name())
        .text("status", intent.status.name())
        .shown("at", fact.at)
        .text("actor", fact.actor.name())
        .text("intent_type", &intent.intent_type)
        .text("correlation_id", &intent.correlation_id)
        .shown("from_agent", &intent.from)
        .shown("to_agent", &intent.to)
        .maybe_shown("reply_to", intent.reply_to.as_ref())
        .maybe_shown(
            "parent_intent_id",
            intent.step.as_ref().map(|step| step.run),
        )
        .maybe_text("waiting_reason", intent.waiting.map(WaitingReason::name))
        .object("details", events::details(&fact.body, size));
    events::beside(object, &fact.body, size)
}

/// What changed in an inbox.
fn thread(event_type: &str, fact: &Fact, intent: &Intent) -> Object {
    let is_completion = event_type == "inbox.thread_created" && intent.is_finished();
    let task = intent.task.as_ref().filter(|_task| !is_completion);
    let (id, owner) = match (task, &intent.reply_to) {
        (Some(task), _) => (task.thread.0, Some(&task.owner)),
        (None, reply_to) => (intent.id.0, reply_to.as_ref()),
    };
    let status = if task.is_some() && intent.open_task().is_some() {
        "pending"
    } else {
        "done"
    };
    let message = match &fact.body {
        FactBody::TaskReplied { message } => Some(message.as_str()),
        _ => None,
    };
    Object::new()
        .shown("thread_id", id.hyphenated())
        .shown("intent_id", intent.id)
        .text("intent_type", &intent.intent_type)
        .text("kind", if task.is_some() { "task" } else { "completion" })
        .text("status", status)
        .maybe_shown("owner_agent", owner)
        .shown("from_agent", &intent.from)
        .shown("to_agent", &intent.to)
        .maybe_text("subject", task.map(|task| task.spec.title.as_str()))
        .text("cause", fact.body.type_name())
        .text("actor", fact.actor.name())
        .maybe_text("message", message)
        .text("intent_status", intent.status.name())
}
