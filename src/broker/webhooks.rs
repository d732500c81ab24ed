//! Webhook subscriptions, and telling them what happened.
//!
//! 1. An event and the intents that carry it are in the commit of the fact that it announces: neither is
//!    without the other, whatever crashes.
//! 2. Intents that carry events announce nothing themselves.
//! 3. Nothing here waits for a receiver: an event is delivered like any intent.
//!
//! Not here: how events look (`wire/webhooks.rs`, handed in by `app`), the calls (`bindings/http`).

use std::sync::Arc;

use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::broker::admin::tell;
use crate::broker::batch::Batch;
use crate::broker::push;
use crate::broker::request::{
    AdminReceipt, AdminRefusal, AuditNote, BrokerError, NewSubscription, PublishedEvent,
};
use crate::domain::address::Address;
use crate::domain::agent::Secret;
use crate::domain::fact::{Fact, FactBody, Notice};
use crate::domain::ids::{IntentId, ThreadId};
use crate::domain::intent::{Intent, Kind};
use crate::domain::payload::Payload;
use crate::domain::subscription::{EVENT_TYPE, SUBSCRIPTIONS_MAX, Subscription, SubscriptionId};
use crate::engine::command::{Command, Submit};
use crate::store::Write;

/// Something that happened, for one subscription.
#[derive(Debug, Clone, Copy)]
pub struct WebhookEvent<'fact> {
    /// The event's id, the same for every subscription.
    pub id: Uuid,
    /// `intent.completed`, `inbox.thread_created`, ...
    pub event_type: &'fact str,
    /// Whose subscription it is for.
    pub owner: &'fact Address,
    /// What it is about.
    pub subject: Subject<'fact>,
}

/// What an event is about.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'fact> {
    /// An intent.
    Intent {
        /// What happened.
        fact: &'fact Fact,
        /// The intent after it.
        intent: &'fact Intent,
    },
    /// The house: endpoints, dead letters, the disk.
    House(&'fact Notice),
}

/// How an event looks to its receiver: the whole body, an object.
pub type WebhookWords = fn(&WebhookEvent<'_>) -> Payload;

/// The plainest words: which event, and which intent.
#[must_use]
pub fn plain_words(event: &WebhookEvent<'_>) -> Payload {
    let (at, payload) = match event.subject {
        Subject::Intent { fact, intent } => {
            (fact.at, json!({ "intent_id": intent.id.to_string() }))
        }
        Subject::House(news) => (news.at, news.data.to_value()),
    };
    Payload::of(&json!({
        "event_id": event.id.to_string(), "event_type": event.event_type,
        "owner_agent": event.owner.to_string(), "occurred_at": at.to_string(), "payload": payload,
    }))
}

/// An event that is to be carried, not yet an intent.
#[derive(Debug)]
pub(super) struct Announced {
    subscription: Arc<Subscription>,
    event: Uuid,
    trace_id: Option<String>,
    body: Payload,
}

/// Notes what a fact means to subscriptions. With none it costs a look at an empty list.
pub(super) fn note(batch: &mut Batch<'_>, fact: &Fact, intent: &Intent) {
    if batch.registry().has_no_subscriptions() || intent.kind() == Kind::Webhook {
        return;
    }
    let subscriptions = batch.registry().live_subscriptions();
    for (event_type, parties) in events_of(fact, intent) {
        let id = event_id(fact, event_type);
        for subscription in &subscriptions {
            let is_theirs = subscription.is_of_all
                || parties
                    .iter()
                    .flatten()
                    .any(|one| **one == subscription.owner);
            if is_theirs && subscription.wants(event_type) {
                let body = (batch.words)(&WebhookEvent {
                    id,
                    event_type,
                    owner: &subscription.owner,
                    subject: Subject::Intent { fact, intent },
                });
                batch.announced.push(Announced {
                    subscription: Arc::clone(subscription),
                    event: id,
                    trace_id: intent.trace_id.clone(),
                    body,
                });
            }
        }
    }
}

/// Notes news of the house. They are the business of subscriptions to everything alone.
pub(super) fn note_news(batch: &mut Batch<'_>, news: &Notice) {
    let id = id_of(&[
        news.kind.as_bytes(),
        news.agent
            .as_ref()
            .map_or(&[], |agent| agent.key().as_bytes()),
        &news.at.as_millis().to_be_bytes(),
    ]);
    let subscriptions = batch.registry().live_subscriptions();
    for subscription in subscriptions {
        if subscription.is_of_all && subscription.wants(&news.kind) {
            let body = (batch.words)(&WebhookEvent {
                id,
                event_type: &news.kind,
                owner: &subscription.owner,
                subject: Subject::House(news),
            });
            batch.announced.push(Announced {
                subscription,
                event: id,
                trace_id: None,
                body,
            });
        }
    }
}

/// Makes an intent of everything noted.
pub(super) fn announce(batch: &mut Batch<'_>) -> Result<(), BrokerError> {
    for announced in std::mem::take(&mut batch.announced) {
        let id = new_id(batch);
        let thread = ThreadId(new_id(batch).0);
        let Announced {
            subscription,
            event,
            trace_id,
            body,
        } = announced;
        let submit = Submit {
            correlation_id: event.to_string(),
            trace_id,
            ..Submit::plain(
                id,
                thread,
                EVENT_TYPE,
                subscription.owner.clone(),
                subscription.address(),
                body,
            )
        };
        batch.step(id, &Command::Submit(Box::new(submit)))?;
    }
    Ok(())
}

type Parties<'intent> = [Option<&'intent Address>; 4];

/// The events that a fact is, each with whose business it is.
fn events_of<'intent>(
    fact: &Fact,
    intent: &'intent Intent,
) -> Vec<(&'static str, Parties<'intent>)> {
    let parties = [
        Some(&intent.from),
        Some(&intent.to),
        intent.reply_to.as_ref(),
        intent.first_to.as_ref(),
    ];
    let mut events = Vec::new();
    if fact.body.is_public() {
        events.push((fact.body.type_name(), parties));
    }
    let task_owner = intent.task.as_ref().map(|task| &task.owner);
    let of_thread = [task_owner, None, None, None];
    match &fact.body {
        FactBody::TaskOpened { .. } => events.push(("inbox.thread_created", of_thread)),
        FactBody::TaskReplied { .. } => {
            events.push(("inbox.thread_updated", of_thread));
            events.push((
                "inbox.reply_received",
                [task_owner, Some(&intent.from), None, None],
            ));
        }
        FactBody::TaskDecided(_) | FactBody::Reminded { .. } | FactBody::Escalated { .. }
            if task_owner.is_some() =>
        {
            events.push(("inbox.thread_updated", of_thread));
        }
        FactBody::Completed { .. }
        | FactBody::Failed { .. }
        | FactBody::Canceled { .. }
        | FactBody::TimedOut { .. } => {
            if task_owner.is_some() {
                events.push(("inbox.thread_updated", of_thread));
            }
            if let Some(reply_to) = &intent.reply_to {
                events.push(("inbox.thread_created", [Some(reply_to), None, None, None]));
            }
        }
        _ => {}
    }
    events
}

/// The same event has the same id, however often it is told.
fn event_id(fact: &Fact, event_type: &str) -> Uuid {
    id_of(&[
        fact.intent.0.as_bytes(),
        &fact.seq.to_be_bytes(),
        event_type.as_bytes(),
    ])
}

fn id_of(parts: &[&[u8]]) -> Uuid {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(hasher.finalize())
        .for_each(|(byte, drawn)| *byte = drawn);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn new_id(batch: &Batch<'_>) -> IntentId {
    let mut bytes = [0; 10];
    batch.entropy.fill(&mut bytes);
    IntentId::new(batch.now.as_millis(), bytes)
}

/// Carries an event that somebody published, or published again, to whoever of its owner's wants it.
pub(super) fn publish(
    batch: &mut Batch<'_>,
    event: &PublishedEvent,
) -> Result<AdminReceipt, BrokerError> {
    let wanting: Vec<_> = batch
        .registry()
        .live_subscriptions()
        .into_iter()
        .filter(|one| one.is_of_all || one.owner == event.owner)
        .filter(|one| one.wants(&event.event_type))
        .collect();
    let queued = u32::try_from(wanting.len()).unwrap_or(u32::MAX);
    batch
        .announced
        .extend(wanting.into_iter().map(|subscription| Announced {
            subscription,
            event: event.id,
            trace_id: event.trace_id.clone(),
            body: event.body.clone(),
        }));
    announce(batch)?;
    Ok(AdminReceipt {
        queued,
        ..AdminReceipt::default()
    })
}

/// Makes a subscription, or changes the one its owner has for this URL.
pub(super) fn subscribe(
    batch: &mut Batch<'_>,
    new: &NewSubscription,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let theirs = batch.registry().subscriptions_of(Some(&new.owner));
    let known = theirs
        .iter()
        .find(|one| one.revoked_at.is_none() && one.callback_url == new.callback_url);
    let live = theirs.iter().filter(|one| one.revoked_at.is_none()).count();
    if known.is_none() && live >= SUBSCRIPTIONS_MAX {
        return Err(AdminRefusal::TooManySubscriptions(new.owner.clone()).into());
    }
    let secret = |text: &String| Secret {
        text: text.clone(),
        valid_until: None,
    };
    let given = new.secret.as_ref().map(secret);
    let subscription = match known {
        Some(known) => Subscription {
            is_of_all: new.is_of_all,
            event_types: new.event_types.clone(),
            is_active: new.is_active,
            description: new.description.clone(),
            secret: given.unwrap_or_else(|| known.secret.clone()),
            updated_at: batch.now,
            ..(**known).clone()
        },
        None => Subscription {
            id: SubscriptionId(new_id(batch).0),
            owner: new.owner.clone(),
            is_of_all: new.is_of_all,
            callback_url: new.callback_url.clone(),
            event_types: new.event_types.clone(),
            is_active: new.is_active,
            description: new.description.clone(),
            secret: given.unwrap_or_else(|| secret(&new.fresh_secret)),
            created_at: batch.now,
            updated_at: batch.now,
            revoked_at: None,
        },
    };
    let is_repeat = known.is_some();
    keep(batch, subscription, "webhook.subscribed", is_repeat, note)
}

/// Takes a subscription away. What it has not been sent yet is withdrawn.
pub(super) fn unsubscribe(
    batch: &mut Batch<'_>,
    id: SubscriptionId,
    owner: Option<&Address>,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let theirs = batch.registry().subscriptions_of(owner);
    let known = theirs
        .iter()
        .find(|one| one.id == id && one.revoked_at.is_none())
        .ok_or(AdminRefusal::NoSubscription(id))?;
    let revoked = Subscription {
        revoked_at: Some(batch.now),
        is_active: false,
        updated_at: batch.now,
        ..(**known).clone()
    };
    keep(batch, revoked, "webhook.unsubscribed", false, note)
}

/// An account is gone, and so is what it subscribed to.
pub(super) fn forget_owner(
    batch: &mut Batch<'_>,
    owner: &Address,
    note: &AuditNote,
) -> Result<(), BrokerError> {
    for subscription in batch.registry().subscriptions_of(Some(owner)) {
        if subscription.revoked_at.is_none() {
            unsubscribe(batch, subscription.id, Some(owner), note)?;
        }
    }
    Ok(())
}

fn keep(
    batch: &mut Batch<'_>,
    subscription: Subscription,
    kind: &str,
    is_repeat: bool,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let subscription = Arc::new(subscription);
    batch
        .txn
        .put(Write::Subscription(Box::new((*subscription).clone())))?;
    batch
        .registry_mut()
        .put_subscription(Arc::clone(&subscription));
    push::expect(batch, &Arc::new(subscription.agent()));
    let data = json!({
        "subscription_id": subscription.id.to_string(), "owner_agent": subscription.owner.to_string(),
        "callback_url": subscription.callback_url, "event_types": subscription.event_types,
        "active": subscription.is_active,
    });
    tell(batch, kind, None, &data, note)?;
    Ok(AdminReceipt {
        subscription: Some(subscription),
        is_repeat,
        ..AdminReceipt::default()
    })
}
