//! What every commit does for endpoints: takes in outcomes, starts attempts, puts down what is learnt.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::endpoint::{Kind, Places};
use super::gone;
use super::health::{Change, Verdict};
use super::{most, revoked};
use crate::broker::batch::Batch;
use crate::broker::request::Request;
use crate::broker::rounds::run_quietly;
use crate::domain::address::Address;
use crate::domain::agent::{Agent, Binding};
use crate::domain::fact::{Actor, Fact, Notice};
use crate::domain::failure::{ErrorClass, Failure};
use crate::domain::ids::{AttemptId, IntentId};
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::domain::time::Span;
use crate::engine::command::{Command, Start};
use crate::store::Write;
use crate::store::error::StoreError;

/// Rounds of one commit. What is refused in one leaves its place to the next.
const ROUNDS_MAX: usize = 8;

/// Starts attempts for endpoints that have room, as far as places go: each gets its share first.
pub(in crate::broker) fn grant(batch: &mut Batch<'_>) -> Result<(), StoreError> {
    let waiting = &mut batch.outbox.endpoints.waiting;
    if batch.changed_registry.is_some() {
        waiting.rouse_all();
    }
    waiting.rouse_due(batch.now);
    revoked::withdraw(batch)?;
    for _ in 0..ROUNDS_MAX {
        let endpoints = &mut batch.outbox.endpoints;
        let free = endpoints.free();
        if free == 0 || endpoints.waiting.is_empty() {
            return Ok(());
        }
        let registry = batch.changed_registry.as_ref().unwrap_or(&batch.registry);
        let hungry = endpoints.hungry(registry, batch.now);
        let count = u32::try_from(hungry.len()).unwrap_or(u32::MAX);
        if count == 0 {
            return Ok(());
        }
        let share = free.div_ceil(count);
        let mut started = 0_usize;
        for (agent, places) in hungry {
            let free = batch.outbox.endpoints.free_for(&agent);
            let places = places.min(share).min(free);
            if places > 0 {
                started = started.saturating_add(serve(batch, &agent, places)?);
            }
        }
        if started == 0 {
            return Ok(());
        }
    }
    Ok(())
}

/// Starts up to `places` attempts of one endpoint; says how many intents it looked at.
fn serve(batch: &mut Batch<'_>, agent: &Address, places: u32) -> Result<usize, StoreError> {
    let now = batch.now;
    let Some(caller) = batch.outbox.endpoints.caller else {
        return Ok(0);
    };
    let places = Places {
        all: places,
        backlog: batch.outbox.endpoints.free_for_backlog(now),
        most: batch.registry().agent(agent).map_or(1, |agent| most(agent)),
    };
    let plan = batch.outbox.endpoints.of(agent, now).plan(now, places);
    let mut intents: Vec<(IntentId, Kind)> = Vec::new();
    if plan.backlog > 0 {
        batch.flush()?;
        let ready = batch.txn.ready(agent, now, plan.backlog)?;
        if u32::try_from(ready.len()).unwrap_or(u32::MAX) < plan.backlog {
            batch.outbox.endpoints.of(agent, now).settle_backlog();
        }
        for intent in &ready {
            batch.know(intent);
            intents.push((intent.id, Kind::Backlog));
        }
    }
    let fresh = plan.fresh.into_iter();
    intents.extend(fresh.map(|intent| (intent, Kind::Fresh)));
    let looked_at = intents.len();
    for (intent, kind) in intents {
        let start = Command::Start(Start {
            session: caller.session,
            binding: Binding::Http,
            rows_before: 0,
        });
        let ran = run_quietly(batch, intent, &start)?;
        if let Some(lease) = ran.as_ref().and_then(|ran| ran.intent.lease()) {
            let endpoints = &mut batch.outbox.endpoints;
            endpoints.begin(agent, lease.attempt, intent, kind, now);
        }
    }
    Ok(looked_at)
}

/// What the binding said of a call.
struct Said {
    attempt: AttemptId,
    verdict: Verdict,
    hold: Option<Span>,
    class: Option<ErrorClass>,
}

/// The outcome of a call, if the command is one: the binding's carry what it saw.
fn said(command: &Command) -> Option<Said> {
    let well = |attempt: Option<AttemptId>| {
        Some(Said {
            attempt: attempt?,
            verdict: Verdict::Well,
            hold: None,
            class: None,
        })
    };
    match command {
        Command::Acknowledge(said) if said.report.is_some() => well(said.attempt),
        Command::Resume(said) if said.report.is_some() => well(said.attempt),
        Command::Fail(fail) if fail.report.is_some() => Some(Said {
            attempt: fail.attempt?,
            verdict: Verdict::of(fail.failure.class),
            hold: hold(&fail.failure),
            class: Some(fail.failure.class),
        }),
        _ => None,
    }
}

/// For how long the endpoint wants no more calls.
fn hold(failure: &Failure) -> Option<Span> {
    let holds_back = matches!(failure.http_status, Some(429 | 503));
    failure.retry_after.filter(|_| holds_back)
}

/// Takes in the outcome of a call, also one that came too late for its intent.
pub(in crate::broker) fn observe(
    batch: &mut Batch<'_>,
    request: &Request,
) -> Result<(), StoreError> {
    let Some(said) = said(&request.command) else {
        return Ok(());
    };
    let Some(intent) = batch.intent(request.intent).cloned() else {
        return Ok(());
    };
    let now = batch.now;
    let hold_max = batch.policy.retry_after_max;
    let hold = said.hold.map(|span| span.min(hold_max));
    let endpoints = &mut batch.outbox.endpoints;
    // What was called may have been its receiver before an escalation.
    let called = std::iter::once(&intent.to).chain(&intent.first_to);
    let observed = called.into_iter().find_map(|agent| {
        let endpoint = endpoints.of(agent, now);
        let observed = endpoint.observe(said.attempt, now, said.verdict, hold)?;
        endpoint.trouble = said.class.or(endpoint.trouble);
        Some((agent, observed))
    });
    let Some((agent, observed)) = observed else {
        return Ok(());
    };
    endpoints.untold.insert(agent.clone());
    if observed.is_held || observed.change.is_some() {
        endpoints.unkept.insert(agent.clone());
    }
    if let Some(change) = observed.change {
        tell(batch, agent, change, said.class)?;
    }
    if said.class == Some(ErrorClass::Gone410) {
        gone::give_notice(batch, &intent)?;
    }
    Ok(())
}

fn tell(
    batch: &mut Batch<'_>,
    agent: &Address,
    change: Change,
    class: Option<ErrorClass>,
) -> Result<(), StoreError> {
    let data: Value = match change {
        Change::Opened(span) => {
            let seconds = span.as_seconds();
            let class = class.map_or("none", ErrorClass::name);
            tracing::warn!(%agent, seconds, class, "endpoint fails: no calls until the next probe");
            json!({
                "breaker": "open",
                "until": batch.now.after(span).to_string(),
                "error_class": class,
            })
        }
        Change::Closed => {
            tracing::info!(%agent, "endpoint answers again");
            json!({ "breaker": "closed" })
        }
    };
    batch.notice(Notice {
        at: batch.now,
        actor: Actor::Broker,
        kind: "agent.breaker_changed".to_owned(),
        agent: Some(agent.clone()),
        data: Payload::of(&data),
    })
}

/// Puts down what a restart must not forget.
pub(in crate::broker) fn keep(batch: &mut Batch<'_>) -> Result<(), StoreError> {
    for agent in std::mem::take(&mut batch.outbox.endpoints.unkept) {
        let record = batch.outbox.endpoints.of(&agent, batch.now).record();
        batch.txn.put(Write::Endpoint(record))?;
    }
    Ok(())
}

/// An intent lies ready for this agent, if it is one that is called.
pub(in crate::broker) fn wake(batch: &mut Batch<'_>, agent: &Address, fact: &Fact, after: &Intent) {
    let called = batch.registry().agent(agent);
    if called.is_some_and(|agent| agent.binding == Binding::Http) {
        // What is offered for the first time, as it comes in: a replay or a retry has waited.
        let is_fresh =
            after.attempts == 0 && after.replay_of.is_none() && after.created_at == fact.at;
        let endpoints = &mut batch.outbox.endpoints;
        endpoints.wake(agent, fact.intent, is_fresh, batch.now);
    }
}

/// Something may lie ready for this agent that nobody was woken for.
pub(in crate::broker) fn expect(batch: &mut Batch<'_>, agent: &Arc<Agent>) {
    if agent.binding == Binding::Http {
        let endpoints = &mut batch.outbox.endpoints;
        endpoints.expect_backlog(&agent.address, batch.now);
    }
}

/// The agent goes on after a pause: what has waited comes slowly.
pub(in crate::broker) fn slow_start(batch: &mut Batch<'_>, agent: &Arc<Agent>) {
    if agent.binding == Binding::Http {
        let endpoints = &mut batch.outbox.endpoints;
        endpoints.of(&agent.address, batch.now).restart();
        endpoints.untold.insert(agent.address.clone());
    }
    expect(batch, agent);
}

/// The agent is called elsewhere from now on: nothing is known of that place.
pub(in crate::broker) fn reach_anew(batch: &mut Batch<'_>, agent: &Address) {
    let endpoints = &mut batch.outbox.endpoints;
    endpoints.of(agent, batch.now).forget_health();
    endpoints.untold.insert(agent.clone());
    endpoints.unkept.insert(agent.clone());
}

/// What operators change of an agent's endpoint, as the audit log names it; nothing for one that is
/// not called.
pub(in crate::broker) fn settings(batch: &mut Batch<'_>, agent: &Agent) -> Map<String, Value> {
    let mut settings = Map::new();
    if agent.binding == Binding::Http {
        let endpoints = &mut batch.outbox.endpoints;
        let record = endpoints.of(&agent.address, batch.now).record();
        let rate = record.rate_millihertz.map(|rate| f64::from(rate) / 1000.0);
        settings.insert("rate_per_second".to_owned(), json!(rate));
        let breaker = if record.trips == 0 { "closed" } else { "open" };
        settings.insert("breaker".to_owned(), json!(breaker));
    }
    settings
}

/// The agent is called at most so often; none for as often as it can take.
pub(in crate::broker) fn set_rate(batch: &mut Batch<'_>, agent: &Address, rate: Option<u32>) {
    let endpoints = &mut batch.outbox.endpoints;
    endpoints.of(agent, batch.now).limit_rate(rate, batch.now);
    endpoints.untold.insert(agent.clone());
    endpoints.unkept.insert(agent.clone());
}

/// The agent is silent and is left alone for that, or has been heard again.
pub(in crate::broker) fn hold_unreachable(batch: &mut Batch<'_>, agent: &Address, is_held: bool) {
    if is_held {
        batch.outbox.endpoints.unreachable.insert(agent.clone());
    } else if batch.outbox.endpoints.unreachable.remove(agent)
        && let Some(agent) = batch.registry().agent(agent).cloned()
    {
        slow_start(batch, &agent);
    }
}
