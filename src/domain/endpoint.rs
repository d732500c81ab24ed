//! Endpoints: what is known of the far end of an agent that we call, beyond its registration.

use crate::domain::address::Address;
use crate::domain::ids::IntentId;
use crate::domain::time::Timestamp;

/// What a restart must not forget of an agent's endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whose.
    pub agent: Address,
    /// Times that the breaker opened without an answer since; zero while it is closed.
    pub trips: u32,
    /// While the breaker is open: when a probe may go out.
    pub open_until: Option<Timestamp>,
    /// Until when it asked for no calls (`Retry-After` on 429 and 503).
    pub held_until: Option<Timestamp>,
    /// Most calls begun per 1000 seconds; none for as many as it can take.
    pub rate_millihertz: Option<u32>,
    /// The notice that it is gone for good (410), in the operator's inbox.
    pub notice: Option<IntentId>,
    /// The notice that its breaker is open; none once it was told to be closed.
    pub open_notice: Option<IntentId>,
}

impl Endpoint {
    /// An endpoint of which nothing is known.
    #[must_use]
    pub const fn new(agent: Address) -> Self {
        Self {
            agent,
            trips: 0,
            open_until: None,
            held_until: None,
            rate_millihertz: None,
            notice: None,
            open_notice: None,
        }
    }
}

/// What the breaker of an endpoint lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// Calls.
    Closed,
    /// Nothing.
    Open,
    /// One call, to see.
    HalfOpen,
}

impl Breaker {
    /// The breaker of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Closed, Self::Open, Self::HalfOpen]
            .into_iter()
            .find(|breaker| breaker.name() == name)
    }

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}
