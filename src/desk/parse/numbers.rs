//! The overview, the agents and the feed.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::desk::derive::{
    Traffic, by_heartbeat, per_second, retries_due, rounded, share_percent, sort_worst_first,
    throttled,
};
use crate::desk::rows::agents::EndpointRow;
use crate::desk::rows::disk::DiskState;
use crate::desk::rows::{AgentRow, AgentState, BindingRow, FeedRow, Overview, PauseRow};
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::endpoint::Breaker;
use crate::domain::ids::{Cursor, IntentId};
use crate::domain::mesh::Health;
use crate::domain::status::{State, Status};
use crate::domain::time::{Span, Timestamp};

use super::payload;

/// The answer of section 21.1. What only consoles need stands under keys of its own.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct OverviewBody {
    #[serde(deserialize_with = "super::shown")]
    at: Timestamp,
    #[serde(default)]
    cursor: u64,
    #[serde(default)]
    free_slots: u64,
    #[serde(default)]
    uptime_seconds: u64,
    #[serde(default)]
    intents: HashMap<String, u64>,
    #[serde(default)]
    states: HashMap<String, u64>,
    #[serde(default)]
    bindings: Vec<BindingBody>,
    #[serde(default)]
    seconds: SecondsBody,
    #[serde(default)]
    last_five_minutes: MinutesBody,
    #[serde(default)]
    latency_ms: LatencyBody,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    next_due_at: Option<Timestamp>,
    #[serde(default)]
    oldest_waiting: Option<OldestBody>,
    #[serde(default)]
    dead_letters: DeadBody,
    #[serde(default)]
    inbox: InboxBody,
    #[serde(default)]
    store: StoreBody,
}

#[derive(Debug, Deserialize)]
struct BindingBody {
    #[serde(deserialize_with = "super::binding")]
    binding: Binding,
    #[serde(default)]
    ready: u64,
    #[serde(default)]
    parked: u64,
    #[serde(default)]
    leased: u64,
    #[serde(default)]
    backing_off: u64,
    #[serde(default)]
    held: u64,
    #[serde(default)]
    connections: u64,
    #[serde(default)]
    attempts_per_second: f64,
    #[serde(default)]
    failures_per_second: f64,
}

/// One number a second, oldest first.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SecondsBody {
    accepted: Vec<u32>,
    delivered: Vec<u32>,
    attempts_failed: Vec<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MinutesBody {
    attempts_succeeded: u64,
    attempts_failed: u64,
    completed_last_day: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LatencyBody {
    attempt: QuantilesBody,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QuantilesBody {
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct OldestBody {
    #[serde(deserialize_with = "super::shown")]
    intent_id: IntentId,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    created_at: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DeadBody {
    last_hour: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InboxBody {
    pending: u64,
    overdue: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StoreBody {
    bytes: u64,
    commit_p99_ms: Option<f64>,
    disk_low: bool,
    disk_full: bool,
}

impl OverviewBody {
    pub(in crate::desk) fn overview(self, due_lag_ms: u64) -> Overview {
        let bindings: Vec<BindingRow> = self.bindings.iter().map(BindingBody::row).collect();
        let states = State::ALL.map(|state| self.states.get(state.name()).copied().unwrap_or(0));
        let statuses =
            Status::ALL.map(|status| self.intents.get(status.name()).copied().unwrap_or(0));
        let minutes = self.last_five_minutes;
        let ended = minutes
            .attempts_succeeded
            .saturating_add(minutes.attempts_failed);
        let oldest = self.oldest_waiting.as_ref();
        let attempts_running: u64 = bindings.iter().map(|binding| binding.leased).sum();
        Overview {
            at: self.at,
            cursor: Cursor(self.cursor),
            uptime_seconds: self.uptime_seconds,
            states,
            statuses,
            retries_due: retries_due(&states, &bindings),
            attempts_running,
            slots: attempts_running.saturating_add(self.free_slots),
            bindings,
            in_per_second: rounded(per_second(&self.seconds.accepted, 10)),
            out_per_second: rounded(per_second(&self.seconds.delivered, 10)),
            accepted: self.seconds.accepted,
            delivered: self.seconds.delivered,
            failed: self.seconds.attempts_failed,
            ok_percent: share_percent(minutes.attempts_succeeded, ended).map(rounded),
            latency_ms: [
                self.latency_ms.attempt.p50,
                self.latency_ms.attempt.p95,
                self.latency_ms.attempt.p99,
            ],
            next_due_at: self.next_due_at,
            oldest_at: oldest.and_then(|oldest| oldest.created_at),
            oldest: oldest.map(|oldest| oldest.intent_id),
            due_lag_ms,
            dead_last_hour: self.dead_letters.last_hour,
            tasks_open: self.inbox.pending,
            tasks_overdue: self.inbox.overdue,
            completed_last_day: minutes.completed_last_day,
            store_bytes: self.store.bytes,
            commit_p99_ms: self.store.commit_p99_ms,
            disk: DiskState::of(self.store.disk_low, self.store.disk_full),
        }
    }
}

impl BindingBody {
    const fn row(&self) -> BindingRow {
        BindingRow {
            binding: self.binding,
            ready: self.ready.saturating_add(self.parked),
            leased: self.leased,
            backing_off: self.backing_off,
            held: self.held,
            connections: self.connections,
            attempts_per_second: self.attempts_per_second,
            failures_per_second: self.failures_per_second,
        }
    }
}

/// An agent of section 12.3.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Agent {
    #[serde(deserialize_with = "super::address")]
    address: Address,
    #[serde(default)]
    service_account_id: String,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(deserialize_with = "super::binding")]
    delivery_mode: Binding,
    #[serde(default)]
    callback_url: Option<String>,
    #[serde(default)]
    pause: Option<Pause>,
    #[serde(default)]
    kill: Option<Pause>,
    #[serde(default)]
    connections: u64,
    #[serde(default)]
    ready: u64,
    #[serde(default)]
    parked: u64,
    #[serde(default)]
    leased: u64,
    #[serde(default)]
    backing_off: u64,
    #[serde(default)]
    held: u64,
    #[serde(default)]
    dead_letters: u64,
    #[serde(default)]
    oldest_waiting_ms: Option<u64>,
    #[serde(default)]
    oldest_waiting_seconds: Option<u64>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    last_seen_at: Option<Timestamp>,
    #[serde(default)]
    rates: Rates,
    #[serde(default)]
    health_status: String,
    #[serde(default)]
    endpoint: Option<Endpoint>,
    #[serde(default)]
    max_in_flight: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Endpoint {
    breaker: String,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    open_until: Option<Timestamp>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    held_until: Option<Timestamp>,
    #[serde(default)]
    in_flight: u32,
    #[serde(default)]
    limit: u32,
    #[serde(default)]
    rate_per_second: Option<f64>,
}

impl Endpoint {
    fn row(self) -> Option<EndpointRow> {
        let rate = self.rate_per_second.map(|rate| {
            // Milliseconds are to seconds what thousandths of a call are to calls.
            u32::try_from(Span::from_seconds_f64(rate).as_millis()).unwrap_or(u32::MAX)
        });
        Some(EndpointRow {
            breaker: Breaker::from_name(&self.breaker)?,
            open_until: self.open_until,
            held_until: self.held_until,
            in_flight: self.in_flight,
            limit: self.limit,
            rate_millihertz: rate,
        })
    }
}

#[derive(Debug, Deserialize)]
struct Pause {
    by: String,
    reason: String,
    #[serde(deserialize_with = "super::shown")]
    at: Timestamp,
}

impl Pause {
    fn row(self) -> PauseRow {
        PauseRow {
            by: self.by,
            reason: self.reason,
            at: self.at,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rates {
    out_per_second: f64,
    succeeded: u64,
    failed: u64,
    p95_ms: Option<f64>,
    dead_last_hour: u64,
}

impl Agent {
    fn row(self, now: Timestamp) -> AgentRow {
        let traffic = Traffic {
            connections: self.connections,
            last_seen_at: self.last_seen_at,
            leased: self.leased,
            succeeded: self.rates.succeeded,
            failed: self.rates.failed,
        };
        let queued = self.ready.saturating_add(self.parked);
        let endpoint = self.endpoint.and_then(Endpoint::row);
        let health = Health::from_name(&self.health_status).unwrap_or(Health::Unknown);
        AgentRow {
            address: self.address,
            display_name: self.display_name,
            binding: self.delivery_mode,
            callback_url: self.callback_url,
            is_registered: self.service_account_id != "sa_unregistered",
            state: if self.kill.is_some() {
                AgentState::Killed
            } else if self.pause.is_some() {
                AgentState::Paused
            } else if endpoint.is_some_and(|endpoint| endpoint.breaker != Breaker::Closed) {
                AgentState::Degraded
            } else {
                let state = traffic.state(self.delivery_mode, queued, now);
                let state = by_heartbeat(state, health);
                let is_throttled =
                    endpoint.is_some_and(|endpoint| endpoint.is_throttling(queued, now));
                throttled(state, is_throttled)
            },
            out_per_second: self.rates.out_per_second,
            error_percent: traffic.error_percent().map(rounded),
            p95_ms: self.rates.p95_ms,
            last_seen_at: self.last_seen_at,
            health,
            lag_ms: self.oldest_waiting_ms.or_else(|| {
                self.oldest_waiting_seconds
                    .map(|seconds| seconds.saturating_mul(1000))
            }),
            listeners: traffic.listeners(self.delivery_mode, now),
            queued,
            leased: self.leased,
            retrying: self.backing_off,
            held: self.held,
            dead: self.dead_letters,
            dead_last_hour: self.rates.dead_last_hour,
            pause: self.pause.map(Pause::row),
            kill: self.kill.map(Pause::row),
            max_in_flight: self.max_in_flight,
            endpoint,
        }
    }
}

/// Every agent, worst first.
pub(in crate::desk) fn agent_rows(agents: Vec<Agent>, now: Timestamp) -> Vec<AgentRow> {
    let mut rows: Vec<AgentRow> = agents.into_iter().map(|agent| agent.row(now)).collect();
    sort_worst_first(&mut rows);
    rows
}

/// An item of section 21.3.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Item {
    cursor: u64,
    #[serde(rename = "type")]
    kind: String,
    #[serde(deserialize_with = "super::shown")]
    at: Timestamp,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    intent_id: Option<IntentId>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default, deserialize_with = "super::maybe_address")]
    agent: Option<Address>,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

impl Item {
    pub(in crate::desk) fn row(self) -> FeedRow {
        FeedRow {
            cursor: Cursor(self.cursor),
            at: self.at,
            kind: self.kind,
            intent: self.intent_id,
            agent: self.agent,
            status: self.status.as_deref().and_then(Status::from_name),
            actor: self.actor,
            data: payload(self.data.as_deref()),
        }
    }
}
