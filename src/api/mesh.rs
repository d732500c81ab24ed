//! The mesh: agents that may be killed and revived.

use axum::extract::{Path, State};

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::broker::request::AdminCommand;
use crate::domain::address::Address;
use crate::domain::admission::Denial;
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
pub(super) async fn revive(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    call.caller.must_be_admin()?;
    let address = agent_of(&api, &text)?;
    let note = call.note("agent.revive", &address, None);
    let command = AdminCommand::Revive { address };
    api.broker().administer(command, note).await?;
    Ok(Answer(Object::ok().text("status", "active")))
}
