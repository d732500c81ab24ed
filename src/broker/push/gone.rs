//! An endpoint that says it is gone for good (410) is a matter for a person.

use serde_json::json;

use crate::broker::batch::Batch;
use crate::broker::notices::{self, Words};
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::store::error::StoreError;

/// Puts a notice into the operator's inbox, unless one about this agent lies there unanswered.
pub(super) fn give_notice(batch: &mut Batch<'_>, gone: &Intent) -> Result<(), StoreError> {
    let agent = &gone.to;
    let earlier = batch.outbox.endpoints.of(agent, batch.now).notice;
    let url = batch
        .registry()
        .agent(agent)
        .and_then(|agent| agent.callback_url.clone())
        .unwrap_or_default();
    let words = Words {
        intent_type: "intent.endpoint.gone.v1",
        title: format!("{} answers 410 Gone", agent.name()),
        description: format!(
            "{agent} says that it is gone for good: intent {} is a dead letter, and so will be whatever is \
             sent there. Give the agent another callback URL, pause it or delete its account.",
            gone.id
        ),
        payload: Payload::of(&json!({
            "agent": agent.to_string(),
            "callback_url": url,
            "intent_id": gone.id.to_string(),
        })),
        correlation_id: Some(gone.correlation_id.clone()),
        trace_id: gone.trace_id.clone(),
    };
    if let Some(id) = notices::give(batch, earlier, words)? {
        let endpoints = &mut batch.outbox.endpoints;
        endpoints.of(agent, batch.now).notice = Some(id);
        endpoints.unkept.insert(agent.clone());
    }
    Ok(())
}
