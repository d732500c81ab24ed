//! The breaker of an endpoint has opened, and is closed again: told to the operator once each, however often a
//! probe fails in between.
//!
//! The notice in the endpoint's record is what was told. It is in the commit of the change itself.

use serde_json::{Value, json};

use crate::broker::alarms::{announce, end, news};
use crate::broker::batch::Batch;
use crate::broker::notices::{self, Words};
use crate::domain::address::Address;
use crate::domain::failure::ErrorClass;
use crate::domain::payload::Payload;
use crate::store::error::StoreError;

/// Tells of each endpoint that has changed what was not told yet.
pub(in crate::broker) fn round(batch: &mut Batch<'_>) -> Result<(), StoreError> {
    if batch.outbox.endpoints.unkept.is_empty() {
        return Ok(());
    }
    let changed = batch.outbox.endpoints.unkept.clone();
    for agent in changed {
        let endpoint = batch.outbox.endpoints.of(&agent, batch.now);
        match (endpoint.is_open(), endpoint.open_notice) {
            (true, None) => begin(batch, &agent)?,
            (false, Some(notice)) => {
                endpoint.open_notice = None;
                let data = json!({ "agent": agent.to_string(), "breaker": "closed" });
                tell(batch, &agent, &data)?;
                end(batch, notice, "its breaker is closed")?;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    Ok(())
}

fn begin(batch: &mut Batch<'_>, agent: &Address) -> Result<(), StoreError> {
    let endpoint = batch.outbox.endpoints.of(agent, batch.now);
    let class = endpoint.trouble.map_or("none", ErrorClass::name);
    let until = endpoint.record().open_until.unwrap_or(batch.now);
    let called = batch.registry().agent(agent);
    let url = called
        .and_then(|agent| agent.callback_url.clone())
        .unwrap_or_default();
    let data = json!({
        "agent": agent.to_string(),
        "breaker": "open",
        "callback_url": url,
        "error_class": class,
        "until": until.to_string(),
    });
    let words = Words {
        intent_type: "intent.endpoint.open.v1",
        title: format!("{} fails: its breaker is open", agent.name()),
        description: format!(
            "Calls to {agent} fail ({class}). Nothing is sent there before {until}; then one call sees whether it \
             answers. What waits spends no attempt. This notice ends by itself when it answers; once you know \
             that it does, `postroom agents reset-breaker` goes on at once."
        ),
        payload: Payload::of(&data),
        correlation_id: None,
        trace_id: None,
    };
    if let Some(id) = notices::give(batch, None, words)? {
        batch.outbox.endpoints.of(agent, batch.now).open_notice = Some(id);
        tell(batch, agent, &data)?;
    }
    Ok(())
}

/// To subscriptions alone: the feed has every change of a breaker, in `agent.breaker_changed` too.
fn tell(batch: &mut Batch<'_>, agent: &Address, data: &Value) -> Result<(), StoreError> {
    let news = news(batch, "agent.breaker_changed", Some(agent), data);
    announce(batch, &news)
}
