//! Items of the feed of committed facts, and entries of the audit log.

use crate::domain::fact::{FeedEntry, FeedItem};
use crate::wire::events;
use crate::wire::json::Object;

/// The type of an item.
#[must_use]
pub fn type_name(item: &FeedItem) -> &str {
    match &item.entry {
        FeedEntry::Intent { fact, .. } => fact.body.type_name(),
        FeedEntry::Notice(notice) => &notice.kind,
    }
}

/// True when `types` (names, or prefixes that end in `*`) has the item's type; an empty list has every.
#[must_use]
pub fn is_of_types(item: &FeedItem, types: &[String]) -> bool {
    let name = type_name(item);
    types.is_empty()
        || types.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == wanted,
        })
}

/// The item object.
#[must_use]
pub fn item(item: &FeedItem) -> Object {
    let object = Object::new()
        .number("cursor", item.cursor.0)
        .text("type", type_name(item));
    match &item.entry {
        FeedEntry::Intent {
            fact,
            agent,
            status,
        } => object
            .shown("at", fact.at)
            .shown("intent_id", fact.intent)
            .number_or_null("seq", fact.event)
            .text("status", status.name())
            .shown("agent", agent)
            .text("actor", fact.actor.name())
            .object("data", events::fact_details(&fact.body)),
        FeedEntry::Notice(notice) => object
            .shown("at", notice.at)
            .shown_or_null("agent", notice.agent.as_ref())
            .text("actor", notice.actor.name())
            .payload("data", &notice.data),
    }
}
