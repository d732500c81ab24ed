//! An endpoint that says it is gone for good (410) is a matter for a person.

use serde_json::json;

use crate::broker::batch::Batch;
use crate::broker::writer::faultless;
use crate::domain::address::Address;
use crate::domain::ids::{IntentId, ThreadId};
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::domain::task::{ReminderPlan, TaskSpec, TaskType};
use crate::engine::command::{Command, PayloadSource, Submit};
use crate::store::error::StoreError;

/// Puts a notice into the operator's inbox, unless one about this agent lies there unanswered.
pub(super) fn give_notice(batch: &mut Batch<'_>, gone: &Intent) -> Result<(), StoreError> {
    let agent = &gone.to;
    let earlier = batch.outbox.endpoints.of(agent, batch.now).notice;
    if let Some(earlier) = earlier {
        batch.load(&[earlier])?;
        let is_open = batch
            .intent(earlier)
            .is_some_and(|intent| !intent.is_finished());
        if is_open {
            return Ok(());
        }
    }
    let id = new_id(batch);
    let submit = notice(batch, id, gone);
    let command = Command::Submit(Box::new(submit));
    if let Err(refusal) = faultless(batch.command(id, &command))? {
        tracing::error!(%agent, %refusal, "no notice could be given of an endpoint that is gone");
        return Ok(());
    }
    let endpoints = &mut batch.outbox.endpoints;
    endpoints.of(agent, batch.now).notice = Some(id);
    endpoints.unkept.insert(agent.clone());
    Ok(())
}

fn new_id(batch: &Batch<'_>) -> IntentId {
    let mut bytes = [0; 10];
    batch.entropy.fill(&mut bytes);
    IntentId::new(batch.now.as_millis(), bytes)
}

fn notice(batch: &Batch<'_>, id: IntentId, gone: &Intent) -> Submit {
    let home = &batch.policy.home;
    let at = |name: &str| Address::trusted(format!("{}/{}/{name}", home.org, home.workspace));
    let registry = batch.registry();
    let url = registry
        .agent(&gone.to)
        .and_then(|agent| agent.callback_url.clone())
        .unwrap_or_default();
    let payload = Payload::of(&json!({
        "agent": gone.to.to_string(),
        "callback_url": url,
        "intent_id": gone.id.to_string(),
    }));
    let task = TaskSpec {
        title: format!("{} answers 410 Gone", gone.to.name()),
        description: Some(format!(
            "{} says that it is gone for good: intent {} is a dead letter, and so will be whatever is \
             sent there. Give the agent another callback URL, pause it or delete its account.",
            gone.to, gone.id
        )),
        task_type: TaskType::ManualAction,
        allowed_outcomes: Vec::new(),
        is_comment_required: false,
        assignees: Vec::new(),
        is_evidence_required: false,
        form_schema: None,
        notify_email: None,
    };
    Submit {
        id,
        thread: ThreadId(new_id(batch).0),
        intent_type: "intent.endpoint.gone.v1".to_owned(),
        correlation_id: gone.correlation_id.clone(),
        from: at("postroom"),
        to: at("operator"),
        reply_to: None,
        trace_id: gone.trace_id.clone(),
        payload_bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
        payload: PayloadSource::Given(payload),
        deadline: None,
        ttl: None,
        max_attempts: None,
        reminders: ReminderPlan::default(),
        task: Some(Box::new(task)),
        replay: None,
        part: crate::engine::command::Part::Plain,
    }
}
