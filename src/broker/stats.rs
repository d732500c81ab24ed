//! Rates and latencies of this run, fed by the writer after each commit. Lost at a restart, and said so.

mod activity;
mod agents;
mod minutes;
mod timings;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use self::activity::Ended;
use self::agents::AgentMeters;
use self::minutes::MinuteCounts;
use self::timings::Timings;
use crate::broker::outbox::Outbox;
use crate::broker::request::Published;
use crate::clock::Clock;
use crate::domain::activity::Activity;
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::attempt::Outcome;
use crate::domain::fact::{Fact, FactBody, FeedEntry};
use crate::domain::failure::ErrorClass;
use crate::domain::ids::AttemptId;
use crate::domain::status::Status;
use crate::domain::time::Timestamp;
use crate::telemetry::{Histogram, RATE_SECONDS_MAX, Rates};

pub use self::agents::AgentRates;
pub use self::timings::TimingCounts;

/// The measuring point.
#[derive(Debug)]
pub struct Stats {
    clock: Arc<dyn Clock>,
    started_at: Timestamp,
    meters: Meters,
    state: Mutex<State>,
}

/// Everything measured, at one moment. Series have one number per second, oldest first, at most 300.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// When the broker started.
    pub started_at: Timestamp,
    /// Accepted intents.
    pub accepted: Vec<u32>,
    /// Completed intents.
    pub completed: Vec<u32>,
    /// Intents that ended otherwise.
    pub failed: Vec<u32>,
    /// Attempts that succeeded: acknowledged or completed.
    pub delivered: Vec<u32>,
    /// Attempts that failed.
    pub attempts_failed: Vec<u32>,
    /// Acceptance to first hand-over.
    pub deliver: Quantiles,
    /// Acceptance to completion.
    pub complete: Quantiles,
    /// Length of http attempts.
    pub attempt_http: Quantiles,
    /// Hand-over to acknowledgement or end, any binding.
    pub attempt: Quantiles,
    /// Commits.
    pub commit: Quantiles,
    /// Everything of these lengths since the broker started, by bucket.
    pub timings: TimingCounts,
    /// Attempts that succeeded and that ended otherwise in the last five minutes.
    pub attempts_last_5_minutes: (u64, u64),
    /// Dead letters opened in the last hour.
    pub dead_last_hour: u64,
    /// Completed in the last 24 hours, as far back as this run goes.
    pub completed_last_day: u64,
    /// Per binding, in the order of `Binding::ALL`: attempts and failures per second over ten seconds.
    pub bindings: [(f64, f64); 5],
    /// Live connections per binding, in the order of `Binding::ALL`.
    pub connections: [u64; 5],
    /// Attempts that the connections could take beside what they hold.
    pub free_slots: u64,
    /// Per receiver.
    pub agents: Vec<(Address, AgentRates)>,
    /// Attempts started since the broker started, by binding, outcome and error class.
    pub attempts_total: Vec<AttemptCount>,
    /// Intents accepted since the broker started.
    pub accepted_total: u64,
    /// Intents finished since the broker started, in the order of `Status::ALL`.
    pub finished_total: [u64; 10],
    /// The last commit.
    pub last_commit_at: Option<Timestamp>,
}

/// A row of the counter of attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptCount {
    /// `stream`, ...
    pub binding: &'static str,
    /// `acknowledged`, ...
    pub outcome: &'static str,
    /// `http_5xx`, ..., empty for none.
    pub error_class: &'static str,
    /// How many.
    pub count: u64,
}

/// Quantiles in milliseconds over the last five minutes; none when nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quantiles {
    /// The median.
    pub p50: Option<f64>,
    /// 90 %.
    pub p90: Option<f64>,
    /// 95 %.
    pub p95: Option<f64>,
    /// 99 %.
    pub p99: Option<f64>,
}

/// How far back quantiles look.
const WINDOW: Duration = Duration::from_mins(5);
/// Attempts whose start is remembered for their length; beyond that lengths are not measured.
const RUNNING_MAX: usize = 65_536;

/// What is measured of everything.
#[derive(Debug)]
struct Meters {
    accepted: Rates,
    completed: Rates,
    failed: Rates,
    delivered: Rates,
    attempts_failed: Rates,
    deliver: Histogram,
    complete: Histogram,
    attempt: Histogram,
    attempt_http: Histogram,
    commit: Histogram,
    timings: Timings,
    started: [Rates; 5],
    broken: [Rates; 5],
}

/// What is counted, and what is needed to measure lengths.
#[derive(Debug, Default)]
struct State {
    agents: HashMap<Address, AgentMeters>,
    running: HashMap<AttemptId, (Timestamp, Binding)>,
    attempts_total: HashMap<(&'static str, &'static str, &'static str), u64>,
    accepted_total: u64,
    finished_total: [u64; 10],
    dead_by_minute: MinuteCounts,
    completed_by_minute: MinuteCounts,
    connections: [u64; 5],
    free_slots: u64,
    connections_by_agent: HashMap<Address, u64>,
    last_commit_at: Option<Timestamp>,
}

impl Stats {
    /// Starts measuring.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let rates = || Rates::new(Arc::clone(&clock));
        let histogram = || Histogram::new(Arc::clone(&clock), WINDOW);
        let meters = Meters {
            accepted: rates(),
            completed: rates(),
            failed: rates(),
            delivered: rates(),
            attempts_failed: rates(),
            deliver: histogram(),
            complete: histogram(),
            attempt: histogram(),
            attempt_http: histogram(),
            commit: histogram(),
            timings: Timings::default(),
            started: std::array::from_fn(|_| rates()),
            broken: std::array::from_fn(|_| rates()),
        };
        let started_at = clock.now();
        Self {
            clock,
            started_at,
            meters,
            state: Mutex::new(State::default()),
        }
    }

    /// When something was last committed.
    #[must_use]
    pub fn last_commit_at(&self) -> Option<Timestamp> {
        self.state.lock().last_commit_at
    }

    /// Everything measured so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let meters = &self.meters;
        let mut state = self.state.lock();
        let now = self.clock.now();
        let State {
            agents,
            connections_by_agent,
            ..
        } = &mut *state;
        let agents = agents.iter_mut().map(|(address, agent)| {
            let connections = connections_by_agent.get(address).copied().unwrap_or(0);
            (address.clone(), agent.rates(connections))
        });
        let mut agents: Vec<_> = agents.collect();
        for (address, connections) in &state.connections_by_agent {
            if !state.agents.contains_key(address) {
                let rates = AgentRates {
                    connections: *connections,
                    last_seen_at: Some(now),
                    ..AgentRates::default()
                };
                agents.push((address.clone(), rates));
            }
        }
        let attempts_total = state.attempts_total.iter().map(|(key, count)| {
            let (binding, outcome, error_class) = *key;
            AttemptCount {
                binding,
                outcome,
                error_class,
                count: *count,
            }
        });
        Snapshot {
            started_at: self.started_at,
            accepted: series(&meters.accepted),
            completed: series(&meters.completed),
            failed: series(&meters.failed),
            delivered: series(&meters.delivered),
            attempts_failed: series(&meters.attempts_failed),
            deliver: quantiles(&meters.deliver),
            complete: quantiles(&meters.complete),
            attempt_http: quantiles(&meters.attempt_http),
            attempt: quantiles(&meters.attempt),
            commit: quantiles(&meters.commit),
            timings: meters.timings.counts(),
            attempts_last_5_minutes: (sum(&meters.delivered), sum(&meters.attempts_failed)),
            dead_last_hour: state.dead_by_minute.since(now, 60),
            completed_last_day: state.completed_by_minute.since(now, 24 * 60),
            bindings: std::array::from_fn(|place| {
                let rate =
                    |rates: &[Rates; 5]| rates.get(place).map_or(0.0, |rates| rates.per_second(10));
                (rate(&meters.started), rate(&meters.broken))
            }),
            connections: state.connections,
            free_slots: state.free_slots,
            agents,
            attempts_total: attempts_total.collect(),
            accepted_total: state.accepted_total,
            finished_total: state.finished_total,
            last_commit_at: state.last_commit_at,
        }
    }

    /// What became of the attempts of one receiver lately; nothing of one that had none.
    #[must_use]
    pub fn activity(&self, agent: &Address) -> Activity {
        let mut state = self.state.lock();
        let known = state.agents.get_mut(agent);
        Activity {
            measured_since: self.started_at,
            ..known.map_or_else(Activity::default, AgentMeters::activity)
        }
    }

    /// Takes in one commit.
    pub(super) fn observe(&self, published: &Published, took: Duration, outbox: &Outbox) {
        let mut state = self.state.lock();
        self.observe_connections(&mut state, outbox);
        state.free_slots = outbox.free();
        if published.items.is_empty() {
            return;
        }
        self.meters.commit.record(took);
        self.meters.timings.commit.record(took);
        state.last_commit_at = Some(self.clock.now());
        for item in &published.items {
            match &item.entry {
                FeedEntry::Intent { fact, agent, .. } => {
                    self.observe_fact(&mut state, fact, agent, published);
                }
                FeedEntry::Notice(notice) => {
                    if let Some(agent) = &notice.agent
                        && activity::is_of_breaker(notice)
                    {
                        self.meters_of(&mut state, agent).notice(notice);
                    }
                }
            }
        }
    }

    /// Who is connected, and who was a moment ago: between two windows of a stream an agent has no connection.
    fn observe_connections(&self, state: &mut State, outbox: &Outbox) {
        let (by_binding, by_agent) = outbox.connections();
        state.connections = by_binding;
        let before = std::mem::replace(&mut state.connections_by_agent, by_agent);
        for (agent, _) in before {
            if !state.connections_by_agent.contains_key(&agent) {
                let now = self.clock.now();
                self.meters_of(state, &agent).seen(now);
            }
        }
    }

    fn observe_fact(&self, state: &mut State, fact: &Fact, agent: &Address, published: &Published) {
        let meters = &self.meters;
        let accepted_at = || {
            let mut intents = published.intents.iter();
            intents
                .find(|intent| intent.id == fact.intent)
                .map(|intent| intent.created_at)
        };
        match &fact.body {
            FactBody::Created(_) => {
                meters.accepted.add(1);
                state.accepted_total = state.accepted_total.saturating_add(1);
            }
            FactBody::AttemptStarted {
                attempt,
                binding,
                number,
                ..
            } => {
                if state.running.len() < RUNNING_MAX {
                    state.running.insert(*attempt, (fact.at, *binding));
                }
                if let Some(rates) = meters.started.get(place(*binding)) {
                    rates.add(1);
                }
                if *number == 1
                    && let Some(accepted_at) = accepted_at()
                {
                    record(&meters.deliver, accepted_at, fact.at);
                    meters
                        .timings
                        .deliver(place(*binding), fact.at.since(accepted_at));
                }
            }
            FactBody::DeadLetterOpened { .. } => {
                state.dead_by_minute.add(fact.at);
                self.meters_of(state, agent).dead(fact.at);
            }
            _ => {}
        }
        if let Some((status, was_good)) = end_of(&fact.body) {
            if let Some(total) = state.finished_total.get_mut(status) {
                *total = total.saturating_add(1);
            }
            if was_good {
                meters.completed.add(1);
                state.completed_by_minute.add(fact.at);
                if let Some(accepted_at) = accepted_at() {
                    record(&meters.complete, accepted_at, fact.at);
                    meters.timings.complete(fact.at.since(accepted_at));
                }
            } else {
                meters.failed.add(1);
            }
        }
        self.observe_attempt(state, fact, agent);
    }

    fn meters_of<'state>(
        &self,
        state: &'state mut State,
        agent: &Address,
    ) -> &'state mut AgentMeters {
        let meters = || AgentMeters::new(&self.clock);
        state.agents.entry(agent.clone()).or_insert_with(meters)
    }

    /// The end of an attempt: its first acknowledgement, its result or its failure.
    fn observe_attempt(&self, state: &mut State, fact: &Fact, agent: &Address) {
        let Some(attempt) = fact.body.attempt() else {
            return;
        };
        let (outcome, class, http_status) = match &fact.body {
            FactBody::Acknowledged { .. } => (Outcome::Acknowledged, None, None),
            FactBody::Completed { .. } => (Outcome::Completed, None, None),
            FactBody::AttemptFailed { failure, .. }
            | FactBody::DeliveryFailed {
                failure: Some(failure),
                ..
            } => {
                let class = failure.class;
                (Outcome::of_failure(class), Some(class), failure.http_status)
            }
            FactBody::Failed { .. } => (Outcome::Failed, Some(ErrorClass::HandlerFailed), None),
            FactBody::Canceled { .. } | FactBody::TimedOut { .. } => {
                (Outcome::Withdrawn, None, None)
            }
            _ => return,
        };
        // An attempt that was acknowledged before, or given up a fact ago, has been counted.
        let Some((started_at, binding)) = state.running.remove(&attempt) else {
            return;
        };
        let counted = state
            .attempts_total
            .entry((
                binding.name(),
                outcome.name(),
                class.map_or("", ErrorClass::name),
            ))
            .or_default();
        *counted = counted.saturating_add(1);
        record(&self.meters.attempt, started_at, fact.at);
        let length = fact.at.since(started_at);
        self.meters.timings.attempt(place(binding), length);
        if binding == Binding::Http {
            record(&self.meters.attempt_http, started_at, fact.at);
        }
        let ended = Ended {
            outcome,
            class,
            http_status,
            took: length.to_std(),
        };
        self.meters_of(state, agent).attempt(fact.at, ended);
        match outcome {
            Outcome::Acknowledged | Outcome::Completed => {
                self.meters.delivered.add(1);
            }
            Outcome::Withdrawn => {}
            _ => {
                self.meters.attempts_failed.add(1);
                if let Some(rates) = self.meters.broken.get(place(binding)) {
                    rates.add(1);
                }
            }
        }
    }
}

/// The status that a fact ends its intent with, by its place in `Status::ALL`; true when it is a success.
fn end_of(body: &FactBody) -> Option<(usize, bool)> {
    let status = match body {
        FactBody::Completed { .. } => Status::Completed,
        FactBody::Failed { .. } => Status::Failed,
        FactBody::Canceled { .. } => Status::Canceled,
        FactBody::TimedOut { .. } => Status::TimedOut,
        _ => return None,
    };
    let place = Status::ALL.iter().position(|other| *other == status)?;
    Some((place, status == Status::Completed))
}

fn place(binding: Binding) -> usize {
    Binding::ALL
        .iter()
        .position(|other| *other == binding)
        .unwrap_or(0)
}

fn record(histogram: &Histogram, from: Timestamp, to: Timestamp) {
    histogram.record(to.since(from).to_std());
}

fn series(rates: &Rates) -> Vec<u32> {
    let points = rates.series(RATE_SECONDS_MAX);
    points
        .into_iter()
        .map(|point| u32::try_from(point).unwrap_or(u32::MAX))
        .collect()
}

fn sum(rates: &Rates) -> u64 {
    rates.series(RATE_SECONDS_MAX).into_iter().sum()
}

fn quantiles(histogram: &Histogram) -> Quantiles {
    let measured = histogram.quantiles();
    let ms = |length: Duration| (measured.count > 0).then_some(length.as_secs_f64() * 1000.0);
    Quantiles {
        p50: ms(measured.p50),
        p90: ms(measured.p90),
        p95: ms(measured.p95),
        p99: ms(measured.p99),
    }
}
