//! Who may send to whom: send policies, and agents that were killed.
//!
//! Checked before a new intent is taken in, whoever asks; nothing is stored of what is refused. Steps of a
//! run were checked when it was applied: a run under way is not cut by a policy, and what goes to a killed
//! agent waits.

use std::sync::Arc;

use serde_json::json;

use crate::broker::admin;
use crate::broker::batch::Batch;
use crate::broker::push;
use crate::broker::registry::Registry;
use crate::broker::request::{AdminReceipt, AdminRefusal, AuditNote, BrokerError, PolicyChange};
use crate::domain::address::Address;
use crate::domain::admission::{Denial, ENTRIES_MAX, SendPolicy};
use crate::domain::agent::{Agent, Pause};
use crate::domain::ids::IntentId;
use crate::domain::intent::Intent;
use crate::domain::scenario::{StepWork, Workflow};
use crate::engine::command::{Command, Part};
use crate::engine::refusal::Refusal;

/// Refuses a command that makes an intent between two who may not meet.
pub(super) fn check(
    batch: &mut Batch<'_>,
    id: IntentId,
    command: &Command,
) -> Result<(), BrokerError> {
    match command {
        Command::Submit(submit) => {
            let workflow = match &submit.part {
                Part::Run(workflow) => Some(&**workflow),
                Part::Plain | Part::Step(_) => None,
            };
            may_send(batch, &submit.from, &submit.to, workflow)?;
        }
        Command::Replay(replay) => {
            batch.load(&[id])?;
            let Some(old) = batch.intent(id).cloned() else {
                return Ok(());
            };
            let to = replay.to.as_ref().or(old.first_to.as_ref());
            let to = to.unwrap_or(&old.to);
            let workflow = old.run.as_ref().map(|run| &run.workflow);
            may_send(batch, &old.from, to, workflow)?;
        }
        _ => {}
    }
    Ok(())
}

fn may_send(
    batch: &Batch<'_>,
    from: &Address,
    to: &Address,
    workflow: Option<&Workflow>,
) -> Result<(), Refusal> {
    refuse(batch, from, to)?;
    for step in workflow.into_iter().flat_map(|workflow| &workflow.steps) {
        if matches!(step.work, StepWork::Agent | StepWork::Person(_)) {
            refuse(batch, from, &step.holder)?;
        }
    }
    Ok(())
}

/// Whoever an intent is escalated to, where that is a known agent to whom its sender may send.
pub(super) fn escalation(
    batch: &Batch<'_>,
    intent: &Intent,
    command: &Command,
) -> Option<Arc<Agent>> {
    let to = match command {
        Command::Tick => intent.reminders.escalate_to.as_ref()?,
        Command::Escalate { to } => to,
        _ => return None,
    };
    let registry = batch.registry();
    let to = Address::parse(to, &registry.home).ok()?;
    let agent = registry.agent(&to).cloned()?;
    refuse(batch, &intent.from, &to).ok().map(|()| agent)
}

fn refuse(batch: &Batch<'_>, from: &Address, to: &Address) -> Result<(), Refusal> {
    may_meet(batch.registry(), from, to)
}

/// Refuses what goes between two who may not meet.
pub(super) fn may_meet(registry: &Registry, from: &Address, to: &Address) -> Result<(), Refusal> {
    let is_killed = |address: &&Address| {
        registry
            .agent(address)
            .is_some_and(|agent| agent.kill.is_some())
    };
    let killed = [from, to].into_iter().find(is_killed);
    let denial = match (killed, registry.agent(to)) {
        (Some(_), _) => Some(Denial::AgentKilled),
        (None, Some(agent)) => agent.policy.denies(from),
        (None, None) => None,
    };
    match denial {
        None => Ok(()),
        Some(denial) => Err(Refusal::PolicyDenied {
            denial,
            from: from.clone(),
            to: to.clone(),
            killed: killed.cloned(),
        }),
    }
}

pub(super) fn kill(
    batch: &mut Batch<'_>,
    address: &Address,
    reason: &str,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let agent = admin::at(batch, address)?;
    if agent.kill.is_some() {
        return Ok(unchanged(agent));
    }
    let changed = Agent {
        kill: Some(Pause {
            by: note.actor.clone(),
            reason: reason.to_owned(),
            at: batch.now,
        }),
        ..(*agent).clone()
    };
    let words = vec![reason.to_owned()];
    let mesh = &batch.outbox.mesh;
    mesh.note(address, batch.now, "agent.killed", &note.actor, words);
    let data = json!({ "reason": reason });
    admin::agent_receipt(batch, changed, "agent.killed", &data, note)
}

pub(super) fn revive(
    batch: &mut Batch<'_>,
    address: &Address,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let agent = admin::at(batch, address)?;
    if agent.kill.is_none() {
        return Ok(unchanged(agent));
    }
    batch.outbox.expect_backlog(address);
    push::slow_start(batch, &agent);
    let mesh = &batch.outbox.mesh;
    mesh.note(address, batch.now, "agent.revived", &note.actor, Vec::new());
    let changed = Agent {
        kill: None,
        ..(*agent).clone()
    };
    admin::agent_receipt(batch, changed, "agent.revived", &json!({}), note)
}

pub(super) fn change_policy(
    batch: &mut Batch<'_>,
    address: &Address,
    change: &PolicyChange,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    // One may be set before the first intent comes.
    let agent = batch.registry().agent_or_mailbox(address, batch.now);
    let policy = match change {
        PolicyChange::Mode(mode) => SendPolicy {
            mode: *mode,
            ..agent.policy.clone()
        },
        PolicyChange::Add(pattern) => agent.policy.with(pattern.clone(), batch.now).0,
        PolicyChange::Remove(id) => {
            let mut policy = agent.policy.clone();
            policy.entries.retain(|entry| entry.id != *id);
            if policy.entries.len() == agent.policy.entries.len() {
                return Err(AdminRefusal::NoPolicyEntry(address.clone(), *id).into());
            }
            policy
        }
    };
    if policy.entries.len() > ENTRIES_MAX {
        return Err(AdminRefusal::PolicyFull(address.clone()).into());
    }
    if policy == agent.policy {
        return Ok(unchanged(agent));
    }
    let data = json!({
        "policy_type": policy.mode.name(),
        "entries": policy.entries.len(),
    });
    let changed = Agent {
        policy,
        ..(*agent).clone()
    };
    admin::agent_receipt(batch, changed, "policy.changed", &data, note)
}

fn unchanged(agent: Arc<Agent>) -> AdminReceipt {
    AdminReceipt {
        agent: Some(agent),
        is_repeat: true,
        ..AdminReceipt::default()
    }
}
