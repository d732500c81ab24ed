//! Agents and keys: what an operator's command does to them, and the notice it leaves in the feed.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::broker::batch::Batch;
use crate::broker::push;
use crate::broker::request::{
    AdminCommand, AdminReceipt, AdminRefusal, AgentPatch, AuditNote, BrokerError, NewAgent,
};
use crate::broker::{admission, audit, groups, jobs, schemas, webhooks};
use crate::domain::address::Address;
use crate::domain::agent::{Agent, AgentLimit, AgentStatus, Binding, Pause};
use crate::domain::fact::{Actor, Notice};
use crate::domain::ids::{AccountId, KeyId};
use crate::domain::job::JobKind;
use crate::domain::key::Key;
use crate::domain::payload::Payload;
use crate::store::Write;
use crate::store::error::StoreError;

/// Runs the command and writes the audit entry, also of a refusal.
pub(super) fn run(
    batch: &mut Batch<'_>,
    command: &AdminCommand,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    if let AdminCommand::PublishEvent(event) = command {
        // What happens every second is no operator's write.
        return webhooks::publish(batch, event);
    }
    if let AdminCommand::Note(details) = command {
        audit::of_note(batch, note, details.clone())?;
        return Ok(AdminReceipt::default());
    }
    if let AdminCommand::Keep(name, text) = command {
        return keep(batch, name, text);
    }
    let before = audit::subject(batch, command);
    let result = decide(batch, command, note);
    audit::of_command(batch, note, &before, &result)?;
    result
}

fn decide(
    batch: &mut Batch<'_>,
    command: &AdminCommand,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    match command {
        AdminCommand::Register(new) => register(batch, new, note),
        AdminCommand::Update { account, patch } => update(batch, *account, patch, note),
        AdminCommand::Delete { account } => delete(batch, *account, note),
        AdminCommand::Pause { address, reason } => pause(batch, address, reason, note),
        AdminCommand::Unpause { address } => unpause(batch, address, note),
        AdminCommand::Kill { address, reason } => admission::kill(batch, address, reason, note),
        AdminCommand::Revive { address } => admission::revive(batch, address, note),
        AdminCommand::Subscribe(new) => webhooks::subscribe(batch, new, note),
        AdminCommand::Unsubscribe { id, owner } => {
            webhooks::unsubscribe(batch, *id, owner.as_ref(), note)
        }
        AdminCommand::PublishEvent(event) => webhooks::publish(batch, event),
        AdminCommand::Keep(name, text) => keep(batch, name, text),
        AdminCommand::ChangePolicy { address, change } => {
            admission::change_policy(batch, address, change, note)
        }
        AdminCommand::Limit { address, limit } => bound(batch, address, *limit, note),
        AdminCommand::ResetBreaker { address } => reset_breaker(batch, address, note),
        AdminCommand::CreateKey {
            id,
            account,
            hash,
            hint,
            role,
            expires_at,
        } => {
            of_account(batch, *account)?;
            let key = Key {
                id: *id,
                account: *account,
                hash: *hash,
                hint: hint.clone(),
                role: *role,
                created_at: batch.now,
                expires_at: *expires_at,
                revoked_at: None,
            };
            key_receipt(batch, key, "key.created", note)
        }
        // It was written down before it came here.
        AdminCommand::Note(_) => Ok(AdminReceipt::default()),
        AdminCommand::PutSchema(new) => schemas::put(batch, new, note),
        AdminCommand::MarkGroup {
            fingerprint,
            change,
        } => groups::mark(batch, fingerprint, change, note),
        AdminCommand::StartJob(start) => match jobs::repeated(batch, start)? {
            Some(receipt) => Ok(receipt),
            None => match batch.vitals.refusal() {
                Some(low) if start.job.kind == JobKind::Replay => Err(low),
                _ => Ok(jobs::start(batch, start)?),
            },
        },
        AdminCommand::ControlJob(id, word) => jobs::control(batch, *id, *word),
        AdminCommand::RevokeKey { account, id } => revoke(batch, *account, *id, note),
    }
}

/// Nobody's write: it is in no audit log and no feed.
fn keep(
    batch: &mut Batch<'_>,
    name: &'static str,
    text: &str,
) -> Result<AdminReceipt, BrokerError> {
    batch.txn.put(Write::Text(name, text.to_owned()))?;
    Ok(AdminReceipt::default())
}

fn pause(
    batch: &mut Batch<'_>,
    address: &Address,
    reason: &str,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let agent = at(batch, address)?;
    let pause = Pause {
        by: note.actor.clone(),
        reason: reason.to_owned(),
        at: batch.now,
    };
    let changed = Agent {
        pause: Some(pause),
        ..(*agent).clone()
    };
    let data = json!({ "reason": reason });
    agent_receipt(batch, changed, "agent.paused", &data, note)
}

fn unpause(
    batch: &mut Batch<'_>,
    address: &Address,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let agent = at(batch, address)?;
    batch.outbox.expect_backlog(address);
    push::slow_start(batch, &agent);
    let changed = Agent {
        pause: None,
        ..(*agent).clone()
    };
    agent_receipt(batch, changed, "agent.resumed", &json!({}), note)
}

/// Bounds how fast an agent is served. A bound that is let go takes what waits slowly.
fn bound(
    batch: &mut Batch<'_>,
    address: &Address,
    limit: AgentLimit,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let agent = at(batch, address)?;
    let AgentLimit {
        rate_millihertz,
        max_in_flight,
    } = limit;
    if rate_millihertz.is_some() && agent.binding != Binding::Http {
        return Err(AdminRefusal::NotCalled(address.clone()).into());
    }
    if let Some(rate) = rate_millihertz {
        push::set_rate(batch, address, Some(rate).filter(|rate| *rate > 0));
    }
    let changed = Agent {
        max_in_flight: match max_in_flight {
            None => agent.max_in_flight,
            Some(most) => Some(most).filter(|most| *most > 0),
        },
        ..(*agent).clone()
    };
    batch.outbox.expect_backlog(address);
    push::expect(batch, &Arc::new(changed.clone()));
    let data = json!({
        "reason": note.reason,
        "rate_per_second": rate_millihertz.map(|rate| f64::from(rate) / 1000.0),
        "max_in_flight": max_in_flight,
    });
    agent_receipt(batch, changed, "agent.limited", &data, note)
}

/// Takes the endpoint for well: an operator knows that it is, or wants to see.
fn reset_breaker(
    batch: &mut Batch<'_>,
    address: &Address,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let agent = at(batch, address)?;
    if agent.binding != Binding::Http {
        return Err(AdminRefusal::NotCalled(address.clone()).into());
    }
    push::reach_anew(batch, address);
    batch.outbox.expect_backlog(address);
    push::expect(batch, &agent);
    let data = json!({ "reason": note.reason });
    let changed = (*agent).clone();
    agent_receipt(batch, changed, "agent.breaker_reset", &data, note)
}

fn revoke(
    batch: &mut Batch<'_>,
    account: AccountId,
    id: KeyId,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let keys = batch.registry().keys_of(account);
    let key = keys
        .iter()
        .find(|key| key.id == id)
        .ok_or(AdminRefusal::NoKey(id))?;
    if key.revoked_at.is_some() {
        let key = Some(Arc::clone(key));
        return Ok(AdminReceipt {
            key,
            is_repeat: true,
            ..AdminReceipt::default()
        });
    }
    let revoked = Key {
        revoked_at: Some(batch.now),
        ..(**key).clone()
    };
    key_receipt(batch, revoked, "key.revoked", note)
}

fn register(
    batch: &mut Batch<'_>,
    new: &NewAgent,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let existing = batch.registry().agent(&new.address).cloned();
    if let Some(agent) = &existing
        && agent.account.is_some()
        && agent.status != AgentStatus::Deleted
    {
        if agent.name == new.name {
            let agent = Some(Arc::clone(agent));
            return Ok(AdminReceipt {
                agent,
                is_repeat: true,
                ..AdminReceipt::default()
            });
        }
        return Err(AdminRefusal::AddressTaken(new.address.clone()).into());
    }
    let highest = batch
        .registry()
        .agents()
        .iter()
        .filter_map(|agent| agent.account)
        .max();
    let account = AccountId(highest.map_or(1, |id| id.0.saturating_add(1)));
    let agent = Agent {
        account: Some(account),
        name: new.name.clone(),
        display_name: new.display_name.clone(),
        description: new.description.clone(),
        created_by: note.actor.clone(),
        binding: new.binding,
        callback_url: new.callback_url.clone(),
        ack_timeout: new.ack_timeout,
        max_in_flight: new.max_in_flight,
        ..Agent::mailbox(new.address.clone(), batch.now)
    };
    push::expect(batch, &Arc::new(agent.clone()));
    agent_receipt(
        batch,
        agent,
        "agent.registered",
        &json!({ "binding": new.binding.name() }),
        note,
    )
}

fn update(
    batch: &mut Batch<'_>,
    account: AccountId,
    patch: &AgentPatch,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let agent = of_account(batch, account)?;
    let AgentPatch {
        display_name,
        description,
        status,
        binding,
        callback_url,
        ack_timeout,
        max_in_flight,
        secrets,
        rate_millihertz,
    } = patch.clone();
    let changed = Agent {
        display_name: display_name.or_else(|| agent.display_name.clone()),
        description: description.or_else(|| agent.description.clone()),
        status: status.unwrap_or(agent.status),
        binding: binding.unwrap_or(agent.binding),
        callback_url: callback_url.or_else(|| agent.callback_url.clone()),
        ack_timeout: ack_timeout.or(agent.ack_timeout),
        max_in_flight: max_in_flight.or(agent.max_in_flight),
        secrets: secrets.unwrap_or_else(|| agent.secrets.clone()),
        updated_at: batch.now,
        ..(*agent).clone()
    };
    // One that was made without, by a bundle that lost it, waits for its URL and may be changed meanwhile.
    let becomes_called = changed.binding == Binding::Http && agent.binding != Binding::Http;
    if becomes_called && changed.callback_url.is_none() {
        return Err(AdminRefusal::NoCallback.into());
    }
    if let Some(rate) = rate_millihertz {
        push::set_rate(batch, &agent.address, Some(rate).filter(|rate| *rate > 0));
    }
    if changed.binding == Binding::Http && changed.callback_url != agent.callback_url {
        push::reach_anew(batch, &agent.address);
    }
    batch.outbox.expect_backlog(&agent.address);
    push::expect(batch, &Arc::new(changed.clone()));
    agent_receipt(batch, changed, "agent.updated", &json!({}), note)
}

fn delete(
    batch: &mut Batch<'_>,
    account: AccountId,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let agent = of_account(batch, account)?;
    for key in batch.registry().keys_of(account) {
        if key.revoked_at.is_none() {
            let revoked = Key {
                revoked_at: Some(batch.now),
                ..(*key).clone()
            };
            key_receipt(batch, revoked, "key.revoked", note)?;
        }
    }
    webhooks::forget_owner(batch, &agent.address, note)?;
    let changed = Agent {
        status: AgentStatus::Deleted,
        updated_at: batch.now,
        ..(*agent).clone()
    };
    agent_receipt(batch, changed, "agent.deleted", &json!({}), note)
}

pub(super) fn at(batch: &Batch<'_>, address: &Address) -> Result<Arc<Agent>, AdminRefusal> {
    batch
        .registry()
        .agent(address)
        .cloned()
        .ok_or_else(|| AdminRefusal::NoAgent(address.clone()))
}

fn of_account(batch: &Batch<'_>, account: AccountId) -> Result<Arc<Agent>, AdminRefusal> {
    batch
        .registry()
        .account(account)
        .cloned()
        .ok_or(AdminRefusal::NoAccount(account))
}

pub(super) fn agent_receipt(
    batch: &mut Batch<'_>,
    agent: Agent,
    kind: &str,
    data: &Value,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let agent = Arc::new(Agent {
        updated_at: batch.now,
        ..agent
    });
    batch.txn.put(Write::Agent((*agent).clone()))?;
    batch.registry_mut().put_agent(Arc::clone(&agent));
    tell(batch, kind, Some(agent.address.clone()), data, note)?;
    Ok(AdminReceipt {
        agent: Some(agent),
        ..AdminReceipt::default()
    })
}

fn key_receipt(
    batch: &mut Batch<'_>,
    key: Key,
    kind: &str,
    note: &AuditNote,
) -> Result<AdminReceipt, BrokerError> {
    let key = Arc::new(key);
    batch.txn.put(Write::Key((*key).clone()))?;
    batch.registry_mut().put_key(Arc::clone(&key));
    let agent = batch.registry().account(key.account).cloned();
    let data = json!({ "key_id": key.id.to_string(), "key_hint": key.hint });
    tell(
        batch,
        kind,
        agent.as_ref().map(|agent| agent.address.clone()),
        &data,
        note,
    )?;
    Ok(AdminReceipt {
        agent,
        key: Some(key),
        ..AdminReceipt::default()
    })
}

pub(super) fn tell(
    batch: &mut Batch<'_>,
    kind: &str,
    agent: Option<Address>,
    data: &Value,
    note: &AuditNote,
) -> Result<(), StoreError> {
    batch.notice(Notice {
        at: batch.now,
        actor: Actor::Party(note.actor.clone()),
        kind: kind.to_owned(),
        agent,
        data: Payload::of(data),
    })
}
