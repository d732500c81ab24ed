//! What every commit does beside its commands: connections that have gone, what is due, who gets what.

use crate::broker::batch::{Batch, Ran};
use crate::broker::outbox::Supply;
use crate::broker::session::Closing;
use crate::broker::writer::faultless;
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::fact::Actor;
use crate::domain::failure::{ErrorClass, Failure};
use crate::domain::ids::{AttemptId, IntentId, SessionId};
use crate::domain::status::Status;
use crate::domain::time::{Span, Timestamp};
use crate::engine::command::{Command, Fail, Start};
use crate::store::error::StoreError;

/// Due intents that one commit looks at; more are due again at once.
const DUE_MAX: u32 = 512;
/// Rows of one receiver that one commit hands over.
const GRANTS_MAX: u32 = 256;
/// Leases that a cold start looks through.
const TAKEOVER_MAX: u32 = 1000;

/// A connection has gone.
pub(super) fn close(
    batch: &mut Batch<'_>,
    id: SessionId,
    closing: Closing,
) -> Result<(), StoreError> {
    let held = batch.outbox.close(id, batch.now);
    let Closing {
        is_broken,
        unwritten,
    } = closing;
    // A one-time connection is forgotten before it closes, so what it never wrote comes with the closing.
    give_back(
        batch,
        unwritten,
        "it was not written before the connection ended",
    )?;
    if !is_broken {
        return Ok(());
    }
    let ids: Vec<IntentId> = held.iter().map(|(_, id)| *id).collect();
    batch.load(&ids)?;
    // What the receiver has acknowledged is its own to finish.
    let held = held
        .into_iter()
        .filter(|(_, id)| {
            batch
                .intent(*id)
                .is_some_and(|intent| intent.status == Status::Delivered)
        })
        .collect();
    give_back(batch, held, "the connection broke")
}

/// Ends attempts as lost and offers their intents again at once.
pub(super) fn give_back(
    batch: &mut Batch<'_>,
    attempts: Vec<(AttemptId, IntentId)>,
    why: &str,
) -> Result<(), StoreError> {
    for (attempt, intent) in attempts {
        let command = Command::Fail(Fail {
            attempt: Some(attempt),
            failure: Failure::new(ErrorClass::LeaseLost, why),
            delay: Some(Span::ZERO),
            by: Actor::Broker,
            report: None,
        });
        run_quietly(batch, intent, &command)?;
    }
    Ok(())
}

/// Gives what streams hold that live no longer to whoever remembers nothing and is alone there.
pub(super) fn take_over(batch: &mut Batch<'_>) -> Result<(), StoreError> {
    for agent in batch
        .outbox
        .listeners
        .take_due(batch.now, &batch.policy.listening)
    {
        take_over_at(batch, &agent)?;
    }
    Ok(())
}

fn take_over_at(batch: &mut Batch<'_>, agent: &Address) -> Result<(), StoreError> {
    batch.flush()?;
    let mut orphans = Vec::new();
    for intent in batch.txn.leased(Some(agent), TAKEOVER_MAX)? {
        batch.know(&intent);
        let Some(lease) = batch.intent(intent.id).and_then(|intent| intent.lease()) else {
            continue;
        };
        if lease.binding == Binding::Stream && !batch.outbox.is_alive(lease.session) {
            orphans.push((lease.attempt, intent.id));
        }
    }
    give_back(batch, orphans, "a new listener took over")
}

/// Does what is due.
pub(super) fn tick(batch: &mut Batch<'_>, next_due: Option<Timestamp>) -> Result<(), StoreError> {
    if next_due.is_some_and(|due| due > batch.now) {
        return Ok(());
    }
    batch.flush()?;
    for intent in batch.txn.due(batch.now, DUE_MAX)? {
        batch.know(&intent);
        run_quietly(batch, intent.id, &Command::Tick)?;
    }
    Ok(())
}

/// Gives what lies ready to connections with credit.
pub(super) fn grant(batch: &mut Batch<'_>) -> Result<(), StoreError> {
    for agent in batch.outbox.hungry() {
        if batch
            .registry()
            .agent(&agent)
            .is_some_and(|agent| !agent.is_open())
        {
            continue;
        }
        let ids = match batch.outbox.supply(&agent) {
            Supply::Fresh(ids) => ids,
            Supply::Store(credit) => {
                let limit = credit.min(GRANTS_MAX);
                batch.flush()?;
                let ready = batch.txn.ready(&agent, batch.now, limit)?;
                if u32::try_from(ready.len()).unwrap_or(u32::MAX) < limit {
                    batch.outbox.settle_backlog(&agent);
                }
                for intent in &ready {
                    batch.know(intent);
                }
                ready.iter().map(|intent| intent.id).collect()
            }
        };
        for id in ids {
            let Some(slot) = batch.outbox.next_slot(&agent) else {
                batch.outbox.expect_backlog(&agent);
                break;
            };
            let start = Command::Start(Start {
                session: slot.session,
                binding: slot.binding,
                rows_before: slot.rows_before,
            });
            run_quietly(batch, id, &start)?;
        }
    }
    Ok(())
}

/// Runs a command that nobody waits for: a refusal means that there was nothing to do.
pub(super) fn run_quietly(
    batch: &mut Batch<'_>,
    id: IntentId,
    command: &Command,
) -> Result<Option<Ran>, StoreError> {
    match faultless(batch.command(id, command))? {
        Ok(ran) => Ok(Some(ran)),
        Err(refusal) => {
            tracing::trace!(%id, %refusal, "nothing to do");
            Ok(None)
        }
    }
}
