//! Subscriptions that were taken away: what still lies ready for them is withdrawn, a little in each commit.

use crate::broker::batch::Batch;
use crate::broker::registry::Registry;
use crate::broker::rounds::run_quietly;
use crate::domain::address::Address;
use crate::domain::agent::AgentStatus;
use crate::domain::fact::Actor;
use crate::domain::status::Status;
use crate::engine::command::{Command, Resolve};
use crate::store::error::StoreError;

/// Intents that one commit withdraws for one subscription.
const WITHDRAWN_MAX: u32 = 256;

/// True for a subscription that was taken away.
pub(super) fn is_revoked(registry: &Registry, address: &Address) -> bool {
    address.is_webhook()
        && registry
            .agent(address)
            .is_none_or(|agent| agent.status == AgentStatus::Deleted)
}

/// Withdraws what lies ready for subscriptions that were taken away.
pub(super) fn withdraw(batch: &mut Batch<'_>) -> Result<(), StoreError> {
    let registry = batch.changed_registry.as_ref().unwrap_or(&batch.registry);
    let revoked: Vec<Address> = batch
        .outbox
        .endpoints
        .waiting
        .iter()
        .filter(|address| is_revoked(registry, address))
        .cloned()
        .collect();
    for address in revoked {
        batch.flush()?;
        let ready = batch.txn.ready(&address, batch.now, WITHDRAWN_MAX)?;
        for intent in &ready {
            batch.know(intent);
            let cancel = Command::Resolve(Resolve {
                status: Status::Canceled,
                result: None,
                error: None,
                reason: Some("the subscription was taken away".to_owned()),
                by: Actor::Broker,
                expected_generation: None,
            });
            run_quietly(batch, intent.id, &cancel)?;
        }
        if u32::try_from(ready.len()).unwrap_or(u32::MAX) < WITHDRAWN_MAX {
            batch.outbox.endpoints.waiting.remove(&address);
        }
    }
    Ok(())
}
