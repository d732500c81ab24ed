//! What everybody else may see of endpoints: as of the last commit, with calls counted as they run.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;

use crate::domain::address::Address;
use crate::domain::endpoint::{Breaker, Endpoint};
use crate::domain::time::Timestamp;

/// An endpoint as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointView {
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
    /// True when the rate allows no call now.
    pub is_at_rate: bool,
}

impl EndpointView {
    /// Why nothing is sent there now, although it is not full.
    #[must_use]
    pub const fn parked(&self) -> Option<&'static str> {
        match self.breaker {
            Breaker::Open | Breaker::HalfOpen => Some("breaker_open"),
            Breaker::Closed if self.held_until.is_some() || self.is_at_rate => Some("rate_limited"),
            Breaker::Closed => None,
        }
    }
}

/// An endpoint as the writer left it.
#[derive(Debug, Clone)]
pub(in crate::broker) struct Known {
    pub(in crate::broker) record: Endpoint,
    pub(in crate::broker) limit: u32,
    pub(in crate::broker) in_flight: Arc<AtomicU32>,
    /// When the rate allows the next call, while it allows none.
    pub(in crate::broker) next_call_at: Option<Timestamp>,
}

impl Known {
    fn view(&self, now: Timestamp) -> EndpointView {
        let record = &self.record;
        let still = |until: Option<Timestamp>| until.filter(|until| *until > now);
        let open_until = still(record.open_until);
        EndpointView {
            breaker: match (record.trips, open_until) {
                (0, _) => Breaker::Closed,
                (_, Some(_)) => Breaker::Open,
                (_, None) => Breaker::HalfOpen,
            },
            open_until,
            held_until: still(record.held_until),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            limit: self.limit,
            rate_millihertz: record.rate_millihertz,
            is_at_rate: still(self.next_call_at).is_some(),
        }
    }
}

/// Every endpoint. The writer puts in what a commit has changed.
#[derive(Debug, Default)]
pub struct Endpoints(Mutex<HashMap<Address, Known>>);

impl Endpoints {
    /// The endpoint of this agent, once something was learnt of it.
    #[must_use]
    pub fn of(&self, agent: &Address, now: Timestamp) -> Option<EndpointView> {
        self.0.lock().get(agent).map(|known| known.view(now))
    }

    /// Every endpoint of which something is known, by agent.
    #[must_use]
    pub fn all(&self, now: Timestamp) -> Vec<(Address, EndpointView)> {
        let mut all: Vec<_> = self
            .0
            .lock()
            .iter()
            .map(|(agent, known)| (agent.clone(), known.view(now)))
            .collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    }

    pub(in crate::broker) fn put(&self, changed: Vec<Known>) {
        if changed.is_empty() {
            return;
        }
        let mut all = self.0.lock();
        for known in changed {
            all.insert(known.record.agent.clone(), known);
        }
    }
}
