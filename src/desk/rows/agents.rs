//! Agents as operators see them, with the far end of those that are called.

use crate::domain::activity::Activity;
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::endpoint::Breaker;
use crate::domain::mesh::Health;
use crate::domain::time::{Span, Timestamp};

/// The state of an agent as operators see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentState {
    /// A stream or poll with work and nobody listening.
    Offline,
    /// Fails more often than the limit.
    Degraded,
    /// Its intents wait because of a rate, its own or the one it asked for.
    Throttled,
    /// An operator paused it.
    Paused,
    /// An operator killed it.
    Killed,
    /// None of these.
    Ok,
}

impl AgentState {
    /// The word on screens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Degraded => "degraded",
            Self::Throttled => "throttled",
            Self::Paused => "paused",
            Self::Killed => "killed",
            Self::Ok => "ok",
        }
    }
}

/// An agent in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentRow {
    /// Its address.
    pub address: Address,
    /// A name for people.
    pub display_name: Option<String>,
    /// How it receives.
    pub binding: Binding,
    /// Where we post.
    pub callback_url: Option<String>,
    /// True when it has an account.
    pub is_registered: bool,
    /// Its state.
    pub state: AgentState,
    /// Successful hand-overs per second, over ten seconds.
    pub out_per_second: f64,
    /// Failed share of the attempts that ended in the last five minutes, in percent.
    pub error_percent: Option<f64>,
    /// The length in milliseconds that 95 % of its attempts of the last fifteen minutes did not exceed.
    pub p95_ms: Option<f64>,
    /// When it last came for intents or answered.
    pub last_seen_at: Option<Timestamp>,
    /// How its heartbeats say that it is.
    pub health: Health,
    /// Age of its oldest intent that is ready and not handed over, in milliseconds.
    pub lag_ms: Option<u64>,
    /// Connected streams and recent pollers.
    pub listeners: u64,
    /// Ready and not handed over.
    pub queued: u64,
    /// With a lease.
    pub leased: u64,
    /// Waiting for the next try.
    pub retrying: u64,
    /// With a person, or until an instant.
    pub held: u64,
    /// Open dead letters.
    pub dead: u64,
    /// Dead letters that were opened in the last hour.
    pub dead_last_hour: u64,
    /// Who paused it, and why.
    pub pause: Option<PauseRow>,
    /// Who killed it, and why.
    pub kill: Option<PauseRow>,
    /// Its bound on unfinished rows of one connection, or posts at once.
    pub max_in_flight: Option<u32>,
    /// Its endpoint, for an agent that is called.
    pub endpoint: Option<EndpointRow>,
}

/// What is told of one agent beside its row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgentView {
    /// What became of its attempts lately.
    pub activity: Activity,
    /// Keys of its own that sign the calls to it.
    pub signing_keys: u64,
    /// Until when a key that was replaced still signs.
    pub older_key_until: Option<Timestamp>,
    /// How long it may hold an attempt.
    pub lease: Span,
}

/// A pause as an operator made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseRow {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// An endpoint as it is served now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointRow {
    /// What its breaker lets through.
    pub breaker: Breaker,
    /// While the breaker is open: when a probe may go out.
    pub open_until: Option<Timestamp>,
    /// Until when it asked for no calls.
    pub held_until: Option<Timestamp>,
    /// Calls that run.
    pub in_flight: u32,
    /// Calls that may run at once.
    pub limit: u32,
    /// Most calls begun per 1000 seconds.
    pub rate_millihertz: Option<u32>,
}

impl EndpointRow {
    /// Whether what waits for it waits because of a rate.
    #[must_use]
    pub fn is_throttling(&self, queued: u64, now: Timestamp) -> bool {
        let is_asked = self.held_until.is_some_and(|until| until > now);
        queued > 0
            && self.breaker == Breaker::Closed
            && (is_asked || self.rate_millihertz.is_some())
    }

    /// An endpoint of which nothing is known yet.
    pub const NEW: Self = Self {
        breaker: Breaker::Closed,
        open_until: None,
        held_until: None,
        in_flight: 0,
        limit: 1,
        rate_millihertz: None,
    };
}

impl AgentRow {
    /// What the breaker of its endpoint lets through, for an agent that is called.
    #[must_use]
    pub fn breaker(&self) -> Option<Breaker> {
        self.endpoint.map(|endpoint| endpoint.breaker)
    }

    /// Most calls begun per 1000 seconds, for an agent that is called and bounded so.
    #[must_use]
    pub fn rate_millihertz(&self) -> Option<u32> {
        self.endpoint?.rate_millihertz
    }
}
