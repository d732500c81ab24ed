//! The numbers of the whole, from counters that are kept, never from a scan.

use std::sync::Arc;

use axum::extract::State;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::Call;
use crate::broker::Broker;
use crate::broker::push::view::EndpointView;
use crate::broker::stats::{Quantiles, Snapshot};
use crate::domain::address::Address;
use crate::domain::agent::{Agent, Binding};
use crate::domain::endpoint::Breaker;
use crate::domain::intent::Intent;
use crate::domain::job::{Job, JobState};
use crate::domain::status::{State as IntentState, Status};
use crate::domain::time::Timestamp;
use crate::store::Reader;
use crate::store::error::StoreError;
use crate::store::query::{AgentDepth, Counters, PageRequest, ThreadFilter, ThreadKind};
use crate::wire::json::Object;

/// Points of the series in an answer, one a second.
const POINTS_MAX: usize = 120;
/// Open tasks that are looked at for overdue ones; the soonest due come first.
const TASKS_EXAMINED_MAX: u32 = 500;

/// `GET /v1/overview`.
pub(super) async fn overview(State(api): State<Api>, call: Call) -> Result {
    call.caller.must_be_admin()?;
    let broker = api.broker();
    let (counters, oldest, head, bytes, overdue, jobs) = broker
        .read(|reader| {
            let counters = reader.counters()?;
            let overdue = if counters.open_tasks > 0 {
                overdue(reader)?
            } else {
                0
            };
            Ok((
                counters,
                reader.oldest_unfinished()?,
                reader.head()?,
                reader.bytes()?,
                overdue,
                reader.live_jobs()?,
            ))
        })
        .await?;
    let now = broker.clock().now();
    let snapshot = broker.stats().snapshot();
    let agents = broker.registry().agents();
    let parked = parked_by_binding(broker, &counters);
    let endpoints = broker.endpoints().all(now);
    let oldest = oldest.map(|intent| waiting(&intent, now));
    Ok(Answer(
        Object::ok()
            .shown("at", now)
            .text("version", env!("CARGO_PKG_VERSION"))
            .number(
                "uptime_seconds",
                now.since(snapshot.started_at).as_seconds(),
            )
            .number("cursor", head.0)
            .object("intents", statuses(&counters))
            .object("states", states(&counters))
            .list("bindings", bindings(&counters, &snapshot, parked))
            .object("rates", rates(&snapshot, now.as_millis()))
            .object("latency_ms", latencies(&snapshot))
            .with(|object| match oldest {
                Some(oldest) => object.object("oldest_waiting", oldest),
                None => object.null("oldest_waiting"),
            })
            .shown_or_null("next_due_at", broker.next_due())
            .object("dead_letters", dead_letters(&counters, &snapshot))
            .object(
                "inbox",
                Object::new()
                    .number("pending", counters.open_tasks)
                    .number("overdue", overdue),
            )
            .number("free_slots", snapshot.free_slots)
            .object("agents", agent_counts(&agents, &snapshot, &endpoints))
            .object("jobs", running(&jobs))
            .object("store", store(broker, &snapshot, bytes))
            .object("last_five_minutes", last_minutes(&snapshot))
            .object("seconds", seconds(&snapshot)),
    ))
}

fn store(broker: &Broker, snapshot: &Snapshot, bytes: u64) -> Object {
    let room = broker.vitals().room();
    Object::new()
        .text("kind", broker.store_kind())
        .decimal("commit_p99_ms", snapshot.commit.p99)
        .number("bytes", bytes)
        .flag("disk_low", room.is_low)
        .flag("disk_full", room.is_full)
        .number_or_null("free_bytes", room.free_bytes)
}

/// How much lies ready for receivers that get nothing now, in the order of `Binding::ALL`.
pub(super) fn parked_by_binding(broker: &Broker, counters: &Counters) -> [u64; 5] {
    let registry = broker.registry();
    let waiting = counters
        .by_agent
        .iter()
        .filter(|(_, depth)| depth.ready > 0);
    let parked: Vec<(Binding, u64)> = waiting
        .filter(|(address, _)| broker.parked(address).is_some())
        .filter_map(|(address, depth)| Some((registry.agent(address)?.binding, depth.ready)))
        .collect();
    Binding::ALL.map(|binding| {
        let of_it = parked.iter().filter(|(other, _)| *other == binding);
        of_it.map(|(_, ready)| ready).sum()
    })
}

/// The intent that waits longest.
fn waiting(intent: &Intent, now: Timestamp) -> Object {
    Object::new()
        .number("age_seconds", now.since(intent.created_at).as_seconds())
        .shown("intent_id", intent.id)
        .shown("agent", &intent.to)
        .shown("created_at", intent.created_at)
}

/// Open tasks past their first reminder, among those that are due first.
fn overdue(reader: &mut dyn Reader) -> Result<u64, StoreError> {
    let filter = ThreadFilter {
        is_pending: Some(true),
        kind: Some(ThreadKind::Task),
        is_due_first: true,
        ..ThreadFilter::default()
    };
    let page = PageRequest {
        limit: TASKS_EXAMINED_MAX,
        cursor: None,
    };
    let threads = reader.threads(&filter, &page)?.items;
    let overdue = threads.iter().filter(|thread| thread.intent.reminded > 0);
    Ok(u64::try_from(overdue.count()).unwrap_or(u64::MAX))
}

/// One number a second, oldest first: what a console draws.
fn seconds(snapshot: &Snapshot) -> Object {
    let list = |series: &[u32]| serde_json::Value::from(series.to_vec());
    Object::new()
        .value("accepted", &list(&snapshot.accepted))
        .value("delivered", &list(&snapshot.delivered))
        .value("attempts_failed", &list(&snapshot.attempts_failed))
}

fn statuses(counters: &Counters) -> Object {
    Status::ALL
        .into_iter()
        .zip(counters.by_status)
        .fold(Object::new(), |object, (status, count)| {
            object.number(status.name(), count)
        })
}

fn states(counters: &Counters) -> Object {
    IntentState::ALL
        .into_iter()
        .zip(counters.by_state)
        .fold(Object::new(), |object, (state, count)| {
            object.number(state.name(), count)
        })
}

fn bindings(counters: &Counters, snapshot: &Snapshot, parked: [u64; 5]) -> Vec<Object> {
    Binding::ALL
        .into_iter()
        .zip(counters.by_binding.into_iter().zip(parked))
        .zip(snapshot.bindings.into_iter().zip(snapshot.connections))
        .map(
            |((binding, (depth, parked)), ((attempts, failures), connections))| {
                let AgentDepth {
                    ready,
                    leased,
                    backing_off,
                    held,
                    dead: _,
                } = depth;
                Object::new()
                    .text("binding", binding.name())
                    .number("ready", ready.saturating_sub(parked))
                    .number("leased", leased)
                    .number("backing_off", backing_off)
                    .number("parked", parked)
                    .number("held", held)
                    .number("connections", connections)
                    .decimal("attempts_per_second", Some(attempts))
                    .decimal("failures_per_second", Some(failures))
            },
        )
        .collect()
}

fn rates(snapshot: &Snapshot, now_ms: i64) -> Object {
    let per_second = |series: &[u32]| {
        let window: Vec<_> = series.iter().rev().take(60).collect();
        let sum: u64 = window.iter().map(|count| u64::from(**count)).sum();
        let seconds = u32::try_from(window.len().max(1)).unwrap_or(u32::MAX);
        Some(u32::try_from(sum).map_or(f64::MAX, f64::from) / f64::from(seconds))
    };
    let points = snapshot.accepted.len();
    let skipped = points.saturating_sub(POINTS_MAX);
    let second = now_ms.div_euclid(1000);
    let series = (skipped..points).map(|index| {
        let at = |series: &[u32]| series.get(index).copied().unwrap_or(0);
        let age = i64::try_from(points.saturating_sub(index)).unwrap_or(0);
        let instant = second.saturating_sub(age).saturating_mul(1000);
        Object::new()
            .shown("at", Timestamp::from_millis(instant))
            .number("accepted", at(&snapshot.accepted))
            .number("completed", at(&snapshot.completed))
            .number("failed", at(&snapshot.failed))
            .number("delivered", at(&snapshot.delivered))
            .number("attempts_failed", at(&snapshot.attempts_failed))
    });
    Object::new()
        .number("window_seconds", 60)
        .decimal("accepted_per_second", per_second(&snapshot.accepted))
        .decimal("completed_per_second", per_second(&snapshot.completed))
        .decimal("failed_per_second", per_second(&snapshot.failed))
        .list("series", series)
}

fn latencies(snapshot: &Snapshot) -> Object {
    Object::new()
        .number("window_seconds", 300)
        .object("deliver", quantiles(snapshot.deliver))
        .object("complete", quantiles(snapshot.complete))
        .object("attempt", quantiles(snapshot.attempt))
        .object("attempt_http", quantiles(snapshot.attempt_http))
}

fn quantiles(quantiles: Quantiles) -> Object {
    let Quantiles { p50, p90, p95, p99 } = quantiles;
    Object::new()
        .decimal("p50", p50)
        .decimal("p90", p90)
        .decimal("p95", p95)
        .decimal("p99", p99)
}

fn dead_letters(counters: &Counters, snapshot: &Snapshot) -> Object {
    let open = IntentState::ALL
        .into_iter()
        .zip(counters.by_state)
        .find(|(state, _)| *state == IntentState::DeadLetter)
        .map_or(0, |(_, count)| count);
    Object::new()
        .number("open", open)
        .number("last_hour", snapshot.dead_last_hour)
}

fn agent_counts(
    agents: &[Arc<Agent>],
    snapshot: &Snapshot,
    endpoints: &[(Address, EndpointView)],
) -> Object {
    let open = endpoints
        .iter()
        .filter(|(_, endpoint)| endpoint.breaker != Breaker::Closed)
        .count();
    let breaker_open = u64::try_from(open).unwrap_or(u64::MAX);
    let count = |test: &dyn Fn(&Agent) -> bool| {
        let found = agents.iter().filter(|agent| test(agent)).count();
        u64::try_from(found).unwrap_or(u64::MAX)
    };
    let connected = snapshot
        .agents
        .iter()
        .filter(|(_, rates)| rates.connections > 0)
        .count();
    Object::new()
        .number("registered", count(&|agent| agent.account.is_some()))
        .number("connected", u64::try_from(connected).unwrap_or(u64::MAX))
        .number("paused", count(&|agent| agent.pause.is_some()))
        .number("breaker_open", breaker_open)
}

fn last_minutes(snapshot: &Snapshot) -> Object {
    let (succeeded, failed) = snapshot.attempts_last_5_minutes;
    Object::new()
        .number("attempts_succeeded", succeeded)
        .number("attempts_failed", failed)
        .number("completed_last_day", snapshot.completed_last_day)
}

fn running(live: &[Job]) -> Object {
    let running = live.iter().filter(|job| job.state == JobState::Running);
    Object::new().number(
        "running",
        u64::try_from(running.count()).unwrap_or(u64::MAX),
    )
}
