//! Agents: receivers, the accounts behind them, and how they want their intents.

use std::fmt;

use crate::domain::address::Address;
use crate::domain::admission::SendPolicy;
use crate::domain::ids::AccountId;
use crate::domain::time::{Span, Timestamp};

/// The five ways an intent reaches somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binding {
    /// A server-sent event stream that the receiver keeps open.
    Stream,
    /// The receiver asks.
    Poll,
    /// We post to the receiver's URL.
    Http,
    /// A person decides.
    Inbox,
    /// The broker does it itself.
    Internal,
}

impl Binding {
    /// Every binding, in the order of the overview.
    pub const ALL: [Self; 5] = [
        Self::Stream,
        Self::Poll,
        Self::Http,
        Self::Inbox,
        Self::Internal,
    ];

    /// The word on the wire and on screens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Poll => "poll",
            Self::Http => "http",
            Self::Inbox => "inbox",
            Self::Internal => "internal",
        }
    }

    /// The binding of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|binding| binding.name() == name)
    }

    /// True when receivers come for their intents, false when we act.
    #[must_use]
    pub const fn is_pull(self) -> bool {
        matches!(self, Self::Stream | Self::Poll)
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentStatus {
    /// In use.
    Active,
    /// Keys are refused, intents wait.
    Suspended,
    /// Taken away; intents are kept.
    Deleted,
}

impl AgentStatus {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }
}

/// A pause that an operator asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// Bounds on how fast an agent is served; what is none stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AgentLimit {
    /// Most calls begun per 1000 seconds; zero for as many as it can take. Only for agents that are called.
    pub rate_millihertz: Option<u32>,
    /// Most unfinished rows of one connection, or posts at once; zero for the usual.
    pub max_in_flight: Option<u32>,
}

/// A signing secret. Never shown again after it was made; `Debug` keeps it to itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The whole secret string, `whsec_` prefix included if it has one.
    pub text: String,
    /// Until when it still signs; none for the newest.
    pub valid_until: Option<Timestamp>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret(redacted, until {:?})", self.valid_until)
    }
}

/// A receiver (and sender) with an address. A mailbox that nobody registered is one too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its address; unique.
    pub address: Address,
    /// The account; `None` for a mailbox made by its first use.
    pub account: Option<AccountId>,
    /// The account's name, verbatim.
    pub name: String,
    /// A name for people.
    pub display_name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Whether it may be used.
    pub status: AgentStatus,
    /// How it receives.
    pub binding: Binding,
    /// Where we post, for [`Binding::Http`].
    pub callback_url: Option<String>,
    /// Its own acknowledgement timeout.
    pub ack_timeout: Option<Span>,
    /// Most unfinished rows of one connection, or posts at once.
    pub max_in_flight: Option<u32>,
    /// Signing secrets, newest first.
    pub secrets: Vec<Secret>,
    /// Set while an operator holds it: intents are accepted and wait.
    pub pause: Option<Pause>,
    /// Set while it is killed: nothing goes to it or comes from it, and what is open waits.
    pub kill: Option<Pause>,
    /// Who may send to it.
    pub policy: SendPolicy,
}

impl Agent {
    /// A mailbox for an address nobody registered: a stream, usable by poll too.
    #[must_use]
    pub fn mailbox(address: Address, now: Timestamp) -> Self {
        let name = address.name().to_owned();
        Self {
            address,
            account: None,
            name,
            display_name: None,
            description: None,
            created_by: "postroom".to_owned(),
            created_at: now,
            updated_at: now,
            status: AgentStatus::Active,
            binding: Binding::Stream,
            callback_url: None,
            ack_timeout: None,
            max_in_flight: None,
            secrets: Vec::new(),
            pause: None,
            kill: None,
            policy: SendPolicy::default(),
        }
    }

    /// True when its intents may be handed over now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.pause.is_none() && self.kill.is_none() && self.status == AgentStatus::Active
    }
}
