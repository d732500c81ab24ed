//! The overview and the agents: counters and rates, never a scan.

use std::collections::HashMap;

use crate::broker::Broker;
use crate::broker::stats::{AgentRates, Snapshot};
use crate::domain::address::Address;
use crate::domain::agent::{Agent, Binding, Pause};
use crate::domain::endpoint::Breaker;
use crate::domain::ids::{Cursor, IntentId};
use crate::domain::mesh::Health;
use crate::domain::time::Timestamp;
use crate::store::Reader;
use crate::store::error::StoreError;
use crate::store::query::{AgentDepth, Counters, PageRequest, ThreadFilter, ThreadKind};

use crate::wire::errors::Problem;

use crate::desk::DeskError;
use crate::desk::convert::task_row;
use crate::desk::derive::{
    Traffic, by_heartbeat, due_lag_ms, per_second, retries_due, rounded, share_percent,
    sort_worst_first, throttled,
};
use crate::desk::rows::agents::{AgentView, EndpointRow};
use crate::desk::rows::disk::DiskState;
use crate::desk::rows::{AgentRow, AgentState, BindingRow, Overview, PauseRow};

/// Open tasks that are looked at for overdue ones; the soonest due come first.
const TASKS_EXAMINED_MAX: u32 = 500;

/// What one read brings for both screens.
struct Numbers {
    counters: Counters,
    head: Cursor,
    oldest: Option<(IntentId, Timestamp)>,
    tasks_overdue: u64,
    store_bytes: u64,
    oldest_ready: HashMap<Address, Timestamp>,
}

pub(super) async fn overview(broker: &Broker) -> Result<Overview, DeskError> {
    let snapshot = broker.stats().snapshot();
    let now = broker.clock().now();
    let room = broker.vitals().room();
    let numbers = broker.read(read_numbers).await?;
    let agents = agent_rows(
        broker,
        &snapshot,
        &numbers.counters,
        &numbers.oldest_ready,
        now,
    );
    let counters = &numbers.counters;
    let attempts_running: u64 = counters.by_binding.iter().map(|depth| depth.leased).sum();
    let bindings = binding_rows(counters, &snapshot);
    let (succeeded, failed) = snapshot.attempts_last_5_minutes;
    let uptime = now.since(snapshot.started_at).as_seconds();
    Ok(Overview {
        at: now,
        cursor: numbers.head,
        uptime_seconds: u64::try_from(uptime).unwrap_or(0),
        states: counters.by_state,
        statuses: counters.by_status,
        retries_due: retries_due(&counters.by_state, &bindings),
        bindings,
        in_per_second: rounded(per_second(&snapshot.accepted, 10)),
        out_per_second: rounded(per_second(&snapshot.delivered, 10)),
        accepted: snapshot.accepted,
        delivered: snapshot.delivered,
        failed: snapshot.attempts_failed,
        ok_percent: share_percent(succeeded, succeeded.saturating_add(failed)).map(rounded),
        latency_ms: [
            snapshot.attempt.p50,
            snapshot.attempt.p95,
            snapshot.attempt.p99,
        ]
        .map(|quantile| quantile.map(rounded)),
        attempts_running,
        slots: attempts_running.saturating_add(snapshot.free_slots),
        next_due_at: broker.next_due(),
        oldest_at: numbers.oldest.map(|(_, at)| at),
        oldest: numbers.oldest.map(|(id, _)| id),
        due_lag_ms: due_lag_ms(&agents),
        dead_last_hour: snapshot.dead_last_hour,
        tasks_open: counters.open_tasks,
        tasks_overdue: numbers.tasks_overdue,
        completed_last_day: snapshot.completed_last_day,
        store_bytes: numbers.store_bytes,
        commit_p99_ms: snapshot.commit.p99.map(rounded),
        disk: DiskState::of(room.is_low, room.is_full),
    })
}

pub(super) async fn agents(broker: &Broker) -> Result<Vec<AgentRow>, DeskError> {
    let snapshot = broker.stats().snapshot();
    let now = broker.clock().now();
    let (counters, oldest_ready) = broker
        .read(|reader| {
            let counters = reader.counters()?;
            let oldest_ready = read_oldest_ready(reader, &counters)?;
            Ok((counters, oldest_ready))
        })
        .await?;
    let mut rows = agent_rows(broker, &snapshot, &counters, &oldest_ready, now);
    sort_worst_first(&mut rows);
    Ok(rows)
}

/// One agent beside its row.
pub(super) fn agent(broker: &Broker, address: &Address) -> Result<AgentView, DeskError> {
    let registry = broker.registry();
    let Some(agent) = registry.agent(address) else {
        let details = serde_json::json!({ "address": address.to_string() });
        let problem = Problem::new("agent_not_found", format!("no agent at {address}"));
        return Err(problem.with(details).into());
    };
    let mut activity = broker.stats().activity(address);
    for length in activity.p95_ms.iter_mut().chain(&mut activity.lengths_ms) {
        *length = length.map(rounded);
    }
    let older = agent.secrets.iter().filter_map(|secret| secret.valid_until);
    Ok(AgentView {
        activity,
        signing_keys: u64::try_from(agent.secrets.len()).unwrap_or(u64::MAX),
        older_key_until: older.max(),
        lease: agent
            .ack_timeout
            .unwrap_or(broker.settings().policy.ack_timeout),
    })
}

fn read_numbers(reader: &mut dyn Reader) -> Result<Numbers, StoreError> {
    let counters = reader.counters()?;
    let oldest_ready = read_oldest_ready(reader, &counters)?;
    let tasks_overdue = if counters.open_tasks == 0 {
        0
    } else {
        read_overdue(reader)?
    };
    Ok(Numbers {
        head: reader.head()?,
        oldest: reader
            .oldest_unfinished()?
            .map(|intent| (intent.id, intent.created_at)),
        tasks_overdue,
        store_bytes: reader.bytes()?,
        oldest_ready,
        counters,
    })
}

/// One look at an index for each receiver with something ready.
fn read_oldest_ready(
    reader: &mut dyn Reader,
    counters: &Counters,
) -> Result<HashMap<Address, Timestamp>, StoreError> {
    let mut oldest = HashMap::new();
    for (address, depth) in &counters.by_agent {
        if depth.ready > 0
            && let Some(since) = reader.oldest_ready(address)?
        {
            oldest.insert(address.clone(), since);
        }
    }
    Ok(oldest)
}

fn read_overdue(reader: &mut dyn Reader) -> Result<u64, StoreError> {
    let filter = ThreadFilter {
        owner: None,
        is_pending: Some(true),
        kind: Some(ThreadKind::Task),
        is_due_first: true,
    };
    let page = PageRequest {
        limit: TASKS_EXAMINED_MAX,
        cursor: None,
    };
    let overdue = reader
        .threads(&filter, &page)?
        .items
        .iter()
        .filter(|thread| task_row(&thread.intent).is_some_and(|row| row.is_overdue))
        .count();
    Ok(u64::try_from(overdue).unwrap_or(u64::MAX))
}

fn binding_rows(counters: &Counters, snapshot: &Snapshot) -> Vec<BindingRow> {
    Binding::ALL
        .into_iter()
        .zip(counters.by_binding)
        .zip(snapshot.connections)
        .zip(snapshot.bindings)
        .map(
            |(((binding, depth), connections), (attempts, failures))| BindingRow {
                binding,
                ready: depth.ready,
                leased: depth.leased,
                backing_off: depth.backing_off,
                held: depth.held,
                connections,
                attempts_per_second: rounded(attempts),
                failures_per_second: rounded(failures),
            },
        )
        .collect()
}

fn agent_rows(
    broker: &Broker,
    snapshot: &Snapshot,
    counters: &Counters,
    oldest_ready: &HashMap<Address, Timestamp>,
    now: Timestamp,
) -> Vec<AgentRow> {
    let rates: HashMap<&Address, &AgentRates> = snapshot
        .agents
        .iter()
        .map(|(address, rates)| (address, rates))
        .collect();
    let depths: HashMap<&Address, AgentDepth> = counters
        .by_agent
        .iter()
        .map(|(address, depth)| (address, *depth))
        .collect();
    broker
        .registry()
        .agents()
        .iter()
        .map(|agent| {
            let known = broker.endpoints().of(&agent.address, now);
            let endpoint = known.map_or(EndpointRow::NEW, |known| EndpointRow {
                breaker: known.breaker,
                open_until: known.open_until,
                held_until: known.held_until,
                in_flight: known.in_flight,
                limit: known.limit,
                rate_millihertz: known.rate_millihertz,
            });
            agent_row(
                (agent, endpoint, broker.health(&agent.address)),
                rates.get(&agent.address).copied(),
                depths.get(&agent.address).copied().unwrap_or_default(),
                oldest_ready.get(&agent.address).copied(),
                now,
            )
        })
        .collect()
}

fn agent_row(
    (agent, endpoint, health): (&Agent, EndpointRow, Health),
    rates: Option<&AgentRates>,
    depth: AgentDepth,
    oldest_ready: Option<Timestamp>,
    now: Timestamp,
) -> AgentRow {
    let traffic = rates.map_or_else(Traffic::default, |rates| Traffic {
        connections: rates.connections,
        last_seen_at: rates.last_seen_at,
        leased: depth.leased,
        succeeded: rates.succeeded,
        failed: rates.failed,
    });
    let lag_ms = oldest_ready.map(|since| u64::try_from(now.since(since).as_millis()).unwrap_or(0));
    AgentRow {
        address: agent.address.clone(),
        display_name: agent.display_name.clone(),
        binding: agent.binding,
        callback_url: agent.callback_url.clone(),
        is_registered: agent.account.is_some(),
        state: if agent.kill.is_some() {
            AgentState::Killed
        } else if agent.pause.is_some() {
            AgentState::Paused
        } else if endpoint.breaker != Breaker::Closed {
            AgentState::Degraded
        } else {
            let state = traffic.state(agent.binding, depth.ready, now);
            let state = by_heartbeat(state, health);
            let is_throttled = endpoint.is_throttling(depth.ready, now);
            throttled(state, is_throttled)
        },
        out_per_second: rounded(rates.map_or(0.0, |rates| rates.out_per_second)),
        error_percent: traffic.error_percent().map(rounded),
        p95_ms: rates.and_then(|rates| rates.p95_ms).map(rounded),
        last_seen_at: traffic.last_seen_at,
        health,
        lag_ms,
        listeners: traffic.listeners(agent.binding, now),
        queued: depth.ready,
        leased: depth.leased,
        retrying: depth.backing_off,
        held: depth.held,
        dead: depth.dead,
        dead_last_hour: rates.map_or(0, |rates| rates.dead_last_hour),
        pause: agent.pause.as_ref().map(stop),
        kill: agent.kill.as_ref().map(stop),
        max_in_flight: agent.max_in_flight,
        endpoint: (agent.binding == Binding::Http).then_some(endpoint),
    }
}

fn stop(pause: &Pause) -> PauseRow {
    PauseRow {
        by: pause.by.clone(),
        reason: pause.reason.clone(),
        at: pause.at,
    }
}
