//! The mesh: agents that beat, and that may be killed and revived.

use axum::extract::{Path, State};

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::broker::request::AdminCommand;
use crate::domain::address::Address;
use crate::domain::admission::Denial;
use crate::domain::agent::{Agent, AgentStatus};
use crate::domain::mesh::Health;
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;
use crate::wire::mesh;

/// Refuses what an agent that was killed may not do.
pub(super) fn must_live(api: &Api, address: &Address) -> Result<(), Problem> {
    if api.is_alive(address) {
        return Ok(());
    }
    let message = format!("{address} is killed; hint: an admin revives it");
    Err(
        Problem::new("policy_denied", message).with(serde_json::json!({
            "reason": Denial::AgentKilled.name(), "killed": address.to_string(),
        })),
    )
}

/// The agent that an id of the mesh, or an address, names.
fn agent_of(api: &Api, text: &str) -> Result<Address, Problem> {
    let registry = api.broker().registry();
    let by_id = || {
        let agents = registry.agents();
        let found = agents
            .iter()
            .find(|agent| mesh::address_id(&agent.address) == text)?;
        Some(found.address.clone())
    };
    let by_address = || {
        let address = Address::parse(text, &registry.home).ok()?;
        registry.agent(&address).map(|agent| agent.address.clone())
    };
    by_id().or_else(by_address).ok_or_else(|| {
        Problem::new("agent_not_found", format!("no agent {text:?} in the mesh"))
            .with(serde_json::json!({ "address_id": text }))
    })
}

/// `POST /v1/mesh/agents/{address_id}/kill`.
pub(super) async fn kill(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(&bytes)?;
    let mut fields = Fields::of(&body);
    let reason = fields.text("reason", 2000).unwrap_or_default();
    fields.done()?;
    let address = agent_of(&api, &text)?;
    let note = call.note("agent.kill", &address, Some(&reason));
    let command = AdminCommand::Kill { address, reason };
    api.broker().administer(command, note).await?;
    Ok(Answer(Object::ok().text("status", "killed")))
}

/// `POST /v1/mesh/agents/{address_id}/resume`.
pub(super) async fn revive(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(&bytes)?;
    let mut fields = Fields::of(&body);
    let reason = fields.text("reason", 2000);
    fields.done()?;
    let address = agent_of(&api, &text)?;
    let note = call.note("agent.revive", &address, reason.as_deref());
    let command = AdminCommand::Revive { address };
    api.broker().administer(command, note).await?;
    Ok(Answer(Object::ok().text("status", "active")))
}

/// `POST /v1/mesh/heartbeat`.
pub(super) async fn heartbeat(State(api): State<Api>, call: Call, Upload(bytes): Upload) -> Result {
    let metrics = mesh::metrics(&Body::parse(&bytes)?)?;
    let address = &call.caller.address;
    let now = api.broker().beat(address, metrics).await;
    Ok(Answer(
        Object::ok()
            .shown("address", address)
            .text("health_status", Health::Healthy.name())
            .shown("received_at", now),
    ))
}

fn health(api: &Api, agent: &Agent) -> &'static str {
    match agent.kill {
        Some(_) => "killed",
        None => api.broker().health(&agent.address).name(),
    }
}

/// `GET /v1/mesh/agents`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    let limit = call.query.limit(100, 1000)?;
    let wanted = call.query.get("health");
    let days = match call.query.get("window") {
        None | Some("day") => 1,
        Some("week") => 7,
        Some("month") => 30,
        Some(other) => {
            let message = format!("{other:?} is none of day, week, month");
            return Err(Problem::field("query", "window", message, "string").into());
        }
    };
    let now = api.broker().clock().now();
    let mut agents = api.broker().registry().agents();
    agents.retain(|agent| agent.status != AgentStatus::Deleted);
    let with_health: Vec<_> = agents
        .iter()
        .map(|agent| (agent, health(&api, agent)))
        .collect();
    let count = |name: &str| {
        let found = with_health.iter().filter(|(_, health)| *health == name);
        u32::try_from(found.count()).unwrap_or(u32::MAX)
    };
    let total = u32::try_from(agents.len()).unwrap_or(u32::MAX);
    let summary = ["healthy", "degraded", "unreachable", "killed", "unknown"]
        .into_iter()
        .fold(Object::new().number("total", total), |object, name| {
            object.number(name, count(name))
        });
    let items = with_health
        .iter()
        .filter(|(_, health)| wanted.is_none_or(|wanted| wanted == *health))
        .take(usize::try_from(limit).unwrap_or(usize::MAX))
        .map(|(agent, health)| {
            let beats = api.broker().mesh().of(&agent.address);
            let period = beats.counted(now, days);
            mesh::agent(agent, &beats, health, period)
        });
    Ok(Answer(
        Object::ok()
            .list("agents", items)
            .object("summary", summary),
    ))
}

/// `GET /v1/mesh/agents/{address_id}`.
pub(super) async fn show(State(api): State<Api>, _call: Call, Path(text): Path<String>) -> Result {
    let address = agent_of(&api, &text)?;
    let registry = api.broker().registry();
    let agent = registry.agent(&address).ok_or_else(Problem::internal)?;
    let beats = api.broker().mesh().of(&address);
    let month = beats.counted(api.broker().clock().now(), 30);
    let events = beats.events.iter().rev();
    let object = mesh::agent(agent, &beats, health(&api, agent), month)
        .object("metrics", mesh::counted(month))
        .list("events", events.map(|event| mesh::event(&address, event)));
    Ok(Answer(Object::ok().object("agent", object)))
}

/// `GET /v1/mesh/events`, newest first.
pub(super) async fn events(State(api): State<Api>, call: Call) -> Result {
    let limit = call.query.limit(50, 1000)?;
    let wanted = call.query.get("event_type");
    let all = api.broker().mesh().all();
    let mut found: Vec<_> = all
        .iter()
        .flat_map(|beats| beats.events.iter().map(|event| (&beats.agent, event)))
        .filter(|(_, event)| wanted.is_none_or(|wanted| wanted == event.kind))
        .collect();
    found.sort_by_key(|(agent, event)| (std::cmp::Reverse((event.at, event.number)), *agent));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let items = found.iter().map(|(agent, event)| mesh::event(agent, event));
    Ok(Answer(Object::ok().list("events", items)))
}
