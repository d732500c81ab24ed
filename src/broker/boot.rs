//! What the writer does before it takes its first command.

use std::sync::Arc;

use crate::broker::LAST_HOLD;
use crate::broker::batch::{Batch, Counters, Start};
use crate::broker::jobs::{self, Jobs};
use crate::broker::outbox::Outbox;
use crate::broker::registry::{Registered, Registry};
use crate::broker::request::BrokerError;
use crate::broker::writer::Parts;
use crate::domain::fact::{Actor, Notice};
use crate::domain::payload::Payload;
use crate::engine::command::Command;
use crate::engine::schema::Checker;
use crate::store::error::{Missing, StoreError};
use crate::store::{Reader, Write};

/// The number under which the last attempt id is kept.
pub(super) const ATTEMPT: &str = "attempt";
/// The number of starts. Part of every session id, so that an old lease never looks alive.
const EPOCH: &str = "epoch";
const ORG: &str = "org_id";
const WORKSPACE: &str = "workspace_id";

/// Leases that are looked at when the broker starts.
const LEASES_MAX: u32 = 1_000_000;

/// What the handle needs to know of the store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boot {
    pub(super) first_session: u64,
    pub(super) next_key: u64,
}

/// What the writer goes on with.
pub(super) struct Recovered {
    pub(super) boot: Boot,
    pub(super) reader: Box<dyn Reader>,
    pub(super) jobs: Jobs,
    pub(super) counters: Counters,
    pub(super) outbox: Outbox,
}

/// Reads what is there, counts the start, and settles attempts of unknown fate.
pub(super) fn recover(
    parts: &mut Parts,
    mut reader: Box<dyn Reader>,
) -> Result<Recovered, StoreError> {
    let epoch = reader.number(EPOCH)?.unwrap_or(0).saturating_add(1);
    let mut counters = Counters {
        attempt: reader.number(ATTEMPT)?.unwrap_or(0),
        hold: reader.number(LAST_HOLD)?.unwrap_or(0),
    };
    let (fresh_org, fresh_workspace) = parts.settings.fresh_ids.clone();
    let mut registry = Registry::of(
        parts.settings.policy.home.clone(),
        reader.text(ORG)?.unwrap_or(fresh_org),
        reader.text(WORKSPACE)?.unwrap_or(fresh_workspace),
    );
    for agent in reader.agents()? {
        registry.put_agent(Arc::new(agent));
    }
    let mut next_key = 1;
    for key in reader.keys()? {
        next_key = next_key.max(key.id.0.saturating_add(1));
        registry.put_key(Arc::new(key));
    }
    remember_rest(&mut registry, reader.as_mut())?;
    let (org, workspace) = (registry.org_id.clone(), registry.workspace_id.clone());
    parts.registry.store(Arc::new(registry));

    let mut outbox = known_agents(parts, reader.as_mut())?;
    let mut jobs = Jobs::read(reader.as_mut())?;
    let missing = parts.store.missing();
    missing.inspect(|missing| tracing::error!("{missing}"));
    let mut batch = Batch::begin(Start {
        txn: parts.store.begin()?,
        reader: reader.as_mut(),
        outbox: &mut outbox,
        jobs: &mut jobs,
        counters: &mut counters,
        registry: parts.registry.load_full(),
        policy: &parts.settings.policy,
        vitals: parts.vitals.as_ref(),
        entropy: parts.entropy.as_ref(),
        words: parts.settings.webhook_words,
        now: parts.clock.now(),
    });
    batch.txn.put(Write::Number(EPOCH, epoch))?;
    batch.txn.put(Write::Text(ORG, org))?;
    batch.txn.put(Write::Text(WORKSPACE, workspace))?;
    let crashed = settle(&mut batch)?;
    jobs::round(&mut batch)?;
    batch.notice(Notice {
        at: batch.now,
        actor: Actor::Broker,
        kind: "broker.started".to_owned(),
        agent: None,
        data: Payload::of(&started(epoch, crashed, missing)),
    })?;
    batch.commit()?;
    let boot = Boot {
        first_session: epoch.checked_shl(32).unwrap_or(0).saturating_add(1),
        next_key,
    };
    Ok(Recovered {
        boot,
        reader,
        jobs,
        counters,
        outbox,
    })
}

/// What is told of a start. What was lost is told once: from then on the feed goes over it.
fn started(epoch: u64, crashed: u64, missing: Option<Missing>) -> serde_json::Value {
    match missing {
        None => serde_json::json!({ "epoch": epoch, "attempts_of_unknown_fate": crashed }),
        Some(Missing {
            found,
            acknowledged,
        }) => serde_json::json!({
            "epoch": epoch,
            "attempts_of_unknown_fate": crashed,
            "missing_after": found.0,
            "acknowledged_until": acknowledged.0,
        }),
    }
}

/// Reads subscriptions and schemas. A schema that does not compile was never let in, so it is damage.
fn remember_rest(registry: &mut Registry, reader: &mut dyn Reader) -> Result<(), StoreError> {
    for subscription in reader.subscriptions()? {
        registry.put_subscription(Arc::new(subscription));
    }
    for schema in reader.schemas()? {
        let checker = Checker::of(&schema.json).map_err(|bad| StoreError::Corrupt {
            what: format!("schema of {}", schema.semantic_type),
            reason: bad.to_string(),
        })?;
        registry.put_schema(Arc::new(Registered {
            schema,
            checker: Arc::new(checker),
        }));
    }
    Ok(())
}

/// Ends pushes that were under way when the broker stopped; says how many.
fn settle(batch: &mut Batch<'_>) -> Result<u64, StoreError> {
    let mut settled = 0;
    for intent in batch.txn.leased(None, LEASES_MAX)? {
        batch.know(&intent);
        match batch.command(intent.id, &Command::Recover) {
            Ok(_) => settled += 1,
            Err(BrokerError::Store(fault)) => return Err(fault),
            Err(_not_ours_to_settle) => {}
        }
    }
    batch.flush()?;
    Ok(settled)
}

/// An outbox that knows what was known of endpoints and of agents that beat.
fn known_agents(parts: &Parts, reader: &mut dyn Reader) -> Result<Outbox, StoreError> {
    parts.mesh.remember(reader.beats()?, parts.clock.now());
    let mut outbox = Outbox::default();
    outbox.mesh = Arc::clone(&parts.mesh);
    outbox.endpoints.remember(reader.endpoints()?);
    Ok(outbox)
}
