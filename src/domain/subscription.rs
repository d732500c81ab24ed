//! Webhook subscriptions: who wants to be told of which events, and where (wire contract 17).
//!
//! To everything that delivers, a subscription is an agent that is called: it has an address of its own
//! (`webhook://<id>`), a URL, a secret and an endpoint. It is in no list of agents.

use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::agent::{Agent, AgentStatus, Binding, Secret};
use crate::domain::ids::BadId;
use crate::domain::time::Timestamp;

/// The type of the intents that carry events to subscriptions.
pub const EVENT_TYPE: &str = "webhook.event.v1";

/// Most subscriptions of one owner: each event is an intent for each of them.
pub const SUBSCRIPTIONS_MAX: usize = 100;

/// A subscription's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub Uuid);

impl std::fmt::Display for SubscriptionId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

impl std::str::FromStr for SubscriptionId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Uuid::try_parse(text).map(Self).map_err(|_ignored| BadId {
            given: text.to_owned(),
            expected: "a subscription id, which is a UUID",
        })
    }
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose it is: it tells of this party's intents and threads.
    pub owner: Address,
    /// True when it tells of everybody's: an operator's own.
    pub is_of_all: bool,
    /// Where events are posted.
    pub callback_url: String,
    /// Which events; a trailing `*` matches any rest.
    pub event_types: Vec<String>,
    /// False while nothing is to be sent.
    pub is_active: bool,
    /// What it is for.
    pub description: Option<String>,
    /// What signs.
    pub secret: Secret,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was taken away.
    pub revoked_at: Option<Timestamp>,
}

impl Subscription {
    /// Where its events go.
    #[must_use]
    pub fn address(&self) -> Address {
        Address::webhook(&self.id.to_string())
    }

    /// True when an event of this type concerns it, whoever the event is of.
    #[must_use]
    pub fn wants(&self, event_type: &str) -> bool {
        self.is_active
            && self.revoked_at.is_none()
            && self
                .event_types
                .iter()
                .any(|pattern| match pattern.strip_suffix('*') {
                    Some(start) => event_type.starts_with(start),
                    None => event_type == pattern,
                })
    }

    /// The subscription as whoever delivers sees it.
    #[must_use]
    pub fn agent(&self) -> Agent {
        let status = match (self.revoked_at, self.is_active) {
            (Some(_), _) => AgentStatus::Deleted,
            (None, true) => AgentStatus::Active,
            (None, false) => AgentStatus::Suspended,
        };
        Agent {
            display_name: self.description.clone(),
            created_by: self.owner.to_string(),
            updated_at: self.updated_at,
            status,
            binding: Binding::Http,
            callback_url: Some(self.callback_url.clone()),
            secrets: vec![self.secret.clone()],
            ..Agent::mailbox(self.address(), self.created_at)
        }
    }
}
