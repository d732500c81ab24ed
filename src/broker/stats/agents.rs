//! What is measured of one receiver.

use std::sync::Arc;

use super::activity::{self, Ended, Recent};
use super::minutes::MinuteCounts;
use super::sum;
use crate::clock::Clock;
use crate::domain::activity::{Activity, BreakerHistory};
use crate::domain::attempt::Outcome;
use crate::domain::fact::Notice;
use crate::domain::failure::ErrorClass;
use crate::domain::time::Timestamp;
use crate::telemetry::Rates;

/// A receiver's rates.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgentRates {
    /// Successful hand-overs per second, over ten seconds.
    pub out_per_second: f64,
    /// Attempts that succeeded in the last five minutes.
    pub succeeded: u64,
    /// Attempts that ended otherwise in the last five minutes.
    pub failed: u64,
    /// The length in milliseconds that 95 % of the attempts of the last fifteen minutes did not exceed.
    pub p95_ms: Option<f64>,
    /// Dead letters opened in the last hour, as far back as this run goes.
    pub dead_last_hour: u64,
    /// Connected streams, waiting polls and pushers.
    pub connections: u64,
    /// When it was last connected, waited in a poll, or answered; now, while it is connected.
    pub last_seen_at: Option<Timestamp>,
}

/// The measuring point of one receiver.
#[derive(Debug)]
pub(super) struct AgentMeters {
    clock: Arc<dyn Clock>,
    out: Rates,
    failed: Rates,
    recent: Recent,
    breaker: BreakerHistory,
    dead: MinuteCounts,
    last_seen_at: Option<Timestamp>,
}

impl AgentMeters {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            clock: Arc::clone(clock),
            out: Rates::new(Arc::clone(clock)),
            failed: Rates::new(Arc::clone(clock)),
            recent: Recent::default(),
            breaker: BreakerHistory::default(),
            dead: MinuteCounts::default(),
            last_seen_at: None,
        }
    }

    /// An attempt has ended.
    pub(super) fn attempt(&mut self, at: Timestamp, ended: Ended) {
        if is_said_by_the_agent(ended) {
            self.seen(at);
        }
        self.recent.record(self.clock.elapsed(), ended);
        match ended.outcome {
            Outcome::Acknowledged | Outcome::Completed => self.out.add(1),
            Outcome::Withdrawn => {}
            _ => self.failed.add(1),
        }
    }

    /// It has been there until now.
    pub(super) fn seen(&mut self, at: Timestamp) {
        self.last_seen_at = Some(at);
    }

    /// A dead letter of it was opened.
    pub(super) fn dead(&mut self, at: Timestamp) {
        self.dead.add(at);
    }

    /// The feed says something of it.
    pub(super) fn notice(&mut self, notice: &Notice) {
        activity::observe(&mut self.breaker, notice);
    }

    pub(super) fn rates(&mut self, connections: u64) -> AgentRates {
        AgentRates {
            out_per_second: self.out.per_second(10),
            succeeded: sum(&self.out),
            failed: sum(&self.failed),
            p95_ms: self.recent.p95_ms(self.clock.elapsed()),
            dead_last_hour: self.dead.since(self.clock.now(), 60),
            connections,
            last_seen_at: if connections > 0 {
                Some(self.clock.now())
            } else {
                self.last_seen_at
            },
        }
    }

    pub(super) fn activity(&mut self) -> Activity {
        Activity {
            breaker: self.breaker,
            ..self.recent.view(self.clock.elapsed())
        }
    }
}

/// Whether an attempt ended by a word of its agent, and not because none came.
fn is_said_by_the_agent(ended: Ended) -> bool {
    match ended.outcome {
        Outcome::Acknowledged | Outcome::Completed | Outcome::RejectedStale => true,
        Outcome::Failed => !matches!(
            ended.class,
            Some(
                ErrorClass::Dns
                    | ErrorClass::Connect
                    | ErrorClass::Tls
                    | ErrorClass::Reset
                    | ErrorClass::BlockedAddress
                    | ErrorClass::BadSignatureConfig
            )
        ),
        Outcome::InFlight
        | Outcome::TimedOut
        | Outcome::Lost
        | Outcome::UnknownCrash
        | Outcome::Withdrawn => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_an_agent_said_is_a_sign_of_it() {
        let is_sign = |class| {
            is_said_by_the_agent(Ended {
                outcome: Outcome::of_failure(class),
                class: Some(class),
                http_status: None,
                took: Duration::ZERO,
            })
        };
        for class in [
            ErrorClass::Nack,
            ErrorClass::HandlerFailed,
            ErrorClass::Http5xx,
        ] {
            assert!(is_sign(class), "{class:?}");
        }
        for class in [
            ErrorClass::LeaseLost,
            ErrorClass::Timeout,
            ErrorClass::Connect,
        ] {
            assert!(!is_sign(class), "{class:?}");
        }
    }
}
