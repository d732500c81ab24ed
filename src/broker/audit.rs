//! What the audit log says of a write: who, through what, on what, why, what it changed, what came of it.
//!
//! An entry is written in the commit of what it tells, also of a refusal. It never holds a secret.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::broker::batch::Batch;
use crate::broker::push;
use crate::broker::request::{AdminReceipt, AuditNote, BrokerError, Receipt, Request};
use crate::domain::agent::Agent;
use crate::domain::fact::FactBody;
use crate::domain::intent::{DeadLetterState, Intent};
use crate::domain::payload::Payload;
use crate::domain::time::Span;
use crate::store::Write;
use crate::store::error::StoreError;
use crate::store::query::AuditEntry;

/// Writes down what an operator asked of an intent, which was as `before`.
pub(super) fn of_request(
    batch: &mut Batch<'_>,
    request: &Request,
    before: Option<&Intent>,
    result: &Result<Receipt, BrokerError>,
) -> Result<(), StoreError> {
    let Some(note) = &request.audit else {
        return Ok(());
    };
    let (result, details) = match result {
        // It was written down when it was done.
        Ok(receipt) if receipt.is_repeat => return Ok(()),
        Ok(receipt) => (done(receipt), before_and_after(before, receipt)),
        Err(BrokerError::Refused(refusal)) => (refusal.code().to_owned(), None),
        Err(other) => (other.to_string(), None),
    };
    put(batch, note, result, details.as_ref().map(Payload::of))
}

/// Writes down an operator's command to agents, keys or jobs.
pub(super) fn of_command(
    batch: &mut Batch<'_>,
    note: &AuditNote,
    before: &Subject,
    result: &Result<AdminReceipt, BrokerError>,
) -> Result<(), StoreError> {
    let (word, details) = match result {
        Ok(receipt) => ("done".to_owned(), changed(batch, before, receipt)),
        Err(BrokerError::Store(fault)) => return Err(fault.clone()),
        Err(BrokerError::Denied(denial)) => (denial.code().to_owned(), None),
        Err(other) => (other.to_string(), None),
    };
    // A job has its id from here on.
    let started = result
        .as_ref()
        .ok()
        .and_then(|receipt| receipt.job.as_ref());
    let note = AuditNote {
        target: started.map_or_else(|| note.target.clone(), |job| job.id.to_string()),
        ..note.clone()
    };
    put(batch, &note, word, details.as_ref().map(Payload::of))
}

/// Writes down what a desk says it has shown or written.
pub(super) fn of_note(
    batch: &mut Batch<'_>,
    note: &AuditNote,
    details: Option<Payload>,
) -> Result<(), StoreError> {
    put(batch, note, "done".to_owned(), details)
}

fn put(
    batch: &mut Batch<'_>,
    note: &AuditNote,
    result: String,
    details: Option<Payload>,
) -> Result<(), StoreError> {
    let AuditNote {
        actor,
        key,
        via,
        action,
        target,
        owner,
        reason,
        trace_id,
    } = note.clone();
    batch.txn.put(Write::Audit(AuditEntry {
        at: batch.now,
        owner: owner.unwrap_or_else(|| actor.clone()),
        actor,
        key,
        via,
        action,
        target,
        reason,
        result,
        details,
        trace_id,
    }))
}

/// `held` when it takes effect later.
fn done(receipt: &Receipt) -> String {
    let is_held = receipt
        .facts
        .iter()
        .any(|fact| matches!(fact.body, FactBody::HoldPlaced(_)));
    if is_held { "held" } else { "done" }.to_owned()
}

fn before_and_after(before: Option<&Intent>, receipt: &Receipt) -> Option<Value> {
    let before = before.map_or_else(Map::new, of_intent);
    let after = of_intent(&receipt.intent);
    let mut details = difference(&before, &after);
    let made: Vec<String> = receipt
        .caused
        .iter()
        .map(|intent| intent.id.to_string())
        .collect();
    if !made.is_empty() {
        details.insert("made".to_owned(), json!(made));
    }
    (!details.is_empty()).then_some(Value::Object(details))
}

/// What operators change of an intent.
fn of_intent(intent: &Intent) -> Map<String, Value> {
    let letter = intent
        .dead_letter
        .as_ref()
        .map(|letter| match &letter.state {
            DeadLetterState::Open => "open",
            DeadLetterState::Replayed { .. } => "replayed",
            DeadLetterState::Discarded { .. } => "discarded",
        });
    let decision = intent
        .task
        .as_ref()
        .and_then(|task| task.decision.as_ref())
        .map(|decision| decision.outcome.as_str());
    object(json!({
        "status": intent.status.name(),
        "delivery": intent.delivery.name(),
        "dead_letter": letter,
        "decision": decision,
        "holds": intent.holds.len(),
        "policy_generation": intent.policy_generation,
        "deadline_at": intent.deadline.map(|at| at.to_string()),
        "max_delivery_attempts": intent.max_attempts,
    }))
}

fn changed(batch: &mut Batch<'_>, before: &Subject, receipt: &AdminReceipt) -> Option<Value> {
    let mut details = match &receipt.agent {
        Some(agent) => {
            let mut after = of_agent(agent);
            after.extend(push::settings(batch, agent));
            difference(&before.0, &after)
        }
        None => Map::new(),
    };
    if let Some(job) = &receipt.job {
        let job = json!({
            "job_id": job.id.to_string(), "kind": job.kind.name(), "state": job.state.name(),
            "selected": job.selected, "done": job.done(),
        });
        details.insert("job".to_owned(), job);
    }
    if let Some(mark) = &receipt.group {
        let mark = json!({
            "state": mark.stand.name(), "owner": mark.owner.as_ref().map(ToString::to_string),
            "note": mark.note,
        });
        details.insert("group".to_owned(), mark);
    }
    if let Some(registered) = &receipt.schema {
        let schema = &registered.schema;
        let schema = json!({
            "semantic_type": schema.semantic_type, "schema_hash": schema.hash,
            "compatibility_mode": schema.mode.name(), "active": schema.is_active,
        });
        details.insert("schema".to_owned(), schema);
    }
    if let Some(one) = &receipt.subscription {
        let one = json!({
            "subscription_id": one.id.to_string(), "owner_agent": one.owner.to_string(),
            "callback_url": one.callback_url, "event_types": one.event_types,
            "active": one.is_active,
        });
        details.insert("subscription".to_owned(), one);
    }
    if let Some(key) = &receipt.key {
        let key = json!({
            "key_id": key.id.to_string(), "key_hint": key.hint, "role": key.role.name(),
            "is_revoked": key.revoked_at.is_some(),
        });
        details.insert("key".to_owned(), key);
    }
    (!details.is_empty()).then_some(Value::Object(details))
}

/// What operators change of an agent. Of its secrets only how many there are.
fn of_agent(agent: &Agent) -> Map<String, Value> {
    object(json!({
        "display_name": agent.display_name,
        "description": agent.description,
        "status": agent.status.name(),
        "delivery_mode": agent.binding.name(),
        "callback_url": agent.callback_url,
        "ack_timeout_seconds": agent.ack_timeout.map(Span::as_seconds),
        "max_in_flight": agent.max_in_flight,
        "secrets": agent.secrets.len(),
        "paused": agent.pause.as_ref().map(|pause| pause.reason.as_str()),
        "killed": agent.kill.as_ref().map(|kill| kill.reason.as_str()),
        "policy": agent.policy.mode.name(),
        "policy_entries": agent.policy.entries.iter()
            .map(|entry| entry.pattern.to_string()).collect::<Vec<_>>(),
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The keys that differ, under `before` and `after`; empty when none does.
fn difference(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let differing = |this: &Map<String, Value>, other: &Map<String, Value>| {
        this.iter()
            .filter(|(key, value)| other.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect::<Map<String, Value>>()
    };
    let (was, is) = (differing(before, after), differing(after, before));
    let mut details = Map::new();
    if !(was.is_empty() && is.is_empty()) {
        details.insert("before".to_owned(), Value::Object(was));
        details.insert("after".to_owned(), Value::Object(is));
    }
    details
}

/// What operators change of the agent that a command is about, as it is now; empty when there is none.
#[derive(Debug)]
pub(super) struct Subject(Map<String, Value>);

/// The agent that a command is about, with its endpoint.
pub(super) fn subject(
    batch: &mut Batch<'_>,
    command: &crate::broker::request::AdminCommand,
) -> Subject {
    let Some(agent) = agent_of(batch, command) else {
        return Subject(Map::new());
    };
    let mut all = of_agent(&agent);
    all.extend(push::settings(batch, &agent));
    Subject(all)
}

fn agent_of(
    batch: &Batch<'_>,
    command: &crate::broker::request::AdminCommand,
) -> Option<Arc<Agent>> {
    use crate::broker::request::AdminCommand;
    let registry = batch.registry();
    match command {
        AdminCommand::Register(new) => registry.agent(&new.address),
        AdminCommand::PutSchema(_)
        | AdminCommand::Note(_)
        | AdminCommand::MarkGroup { .. }
        | AdminCommand::Subscribe(_)
        | AdminCommand::Unsubscribe { .. }
        | AdminCommand::PublishEvent(_)
        | AdminCommand::Keep(..)
        | AdminCommand::StartJob(_)
        | AdminCommand::ControlJob(..) => None,
        AdminCommand::Pause { address, .. }
        | AdminCommand::Unpause { address }
        | AdminCommand::Kill { address, .. }
        | AdminCommand::Revive { address }
        | AdminCommand::Limit { address, .. }
        | AdminCommand::ResetBreaker { address }
        | AdminCommand::ChangePolicy { address, .. } => registry.agent(address),
        AdminCommand::Update { account, .. }
        | AdminCommand::Delete { account }
        | AdminCommand::CreateKey { account, .. }
        | AdminCommand::RevokeKey { account, .. } => registry.account(*account),
    }
    .cloned()
}
