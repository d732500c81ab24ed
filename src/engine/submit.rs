//! Taking in a new intent.

use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::fact::{Actor, Birth, Fact, FactBody};
use crate::domain::payload::Payload;
use crate::domain::status::WaitingReason;
use crate::domain::task::{TaskSpec, TaskType};
use crate::domain::time::{Span, Timestamp};
use crate::engine::command::{Part, PayloadSource, Submit};
use crate::engine::refusal::Refusal;
use crate::engine::{Context, Decided, Draft, evolve, inbox, resolve, timers, workflow};

pub(super) fn submit(submit: &Submit, ctx: &Context<'_>) -> Result<Decided, Refusal> {
    if let Some(deadline) = submit.deadline.filter(|deadline| *deadline <= ctx.now) {
        return Err(Refusal::DeadlinePast { deadline });
    }
    let birth = birth(submit, ctx);
    let created = Fact {
        intent: submit.id,
        seq: 1,
        event: Some(1),
        at: ctx.now,
        actor: Actor::at(&submit.from),
        body: FactBody::Created(Box::new(birth.clone())),
    };
    let mut draft = Draft {
        intent: evolve::born(&created, &birth),
        ctx,
        decided: Decided {
            facts: vec![created],
            then: Vec::new(),
        },
        lost: None,
    };
    draft.say(Actor::Broker, FactBody::Submitted);
    draft.say(
        Actor::Broker,
        FactBody::Delivered {
            binding: birth.binding,
            attempts: 0,
        },
    );
    if draft.intent.run.is_some() {
        workflow::begin(&mut draft);
    } else if let Part::Step(step) = &submit.part
        && let Some(result) = &step.done_with
    {
        resolve::complete(&mut draft, Actor::Broker, result.clone(), None);
    } else if let Some(spec) = task_of(submit, &birth) {
        inbox::open_task(&mut draft, submit.thread, spec);
    } else if birth.binding == Binding::Internal {
        let until = wake_at(submit, ctx.now);
        let holder = Address::key(&submit.to).to_owned();
        draft.say(
            Actor::Broker,
            FactBody::Waiting {
                reason: WaitingReason::Time,
                holder,
                until: Some(until),
            },
        );
        if until <= ctx.now {
            timers::wake(&mut draft);
        }
    }
    workflow::follow(&mut draft, false);
    Ok(draft.done())
}

fn birth(submit: &Submit, ctx: &Context<'_>) -> Birth {
    let default_ttl = Some(ctx.policy.default_ttl).filter(|ttl| *ttl > Span::ZERO);
    let ttl = submit
        .ttl
        .or_else(|| default_ttl.filter(|_| submit.deadline.is_none()));
    Birth {
        intent_type: submit.intent_type.clone(),
        correlation_id: submit.correlation_id.clone(),
        from: submit.from.clone(),
        to: submit.to.clone(),
        reply_to: submit.reply_to.clone(),
        trace_id: submit.trace_id.clone(),
        origin: submit
            .replay
            .as_ref()
            .map_or(submit.id, |lineage| lineage.origin),
        replay_of: submit.replay.as_ref().map(|lineage| lineage.replay_of),
        is_edited_replay: submit
            .replay
            .as_ref()
            .is_some_and(|lineage| lineage.is_edited),
        binding: match &submit.part {
            Part::Plain => ctx.agent.binding,
            Part::Run(_) => Binding::Internal,
            Part::Step(step) => step.binding.unwrap_or(ctx.agent.binding),
        },
        deadline: submit
            .deadline
            .or_else(|| ttl.map(|ttl| ctx.now.after(ttl))),
        ttl,
        ack_timeout: ctx.agent.ack_timeout.unwrap_or(ctx.policy.ack_timeout),
        max_attempts: submit
            .max_attempts
            .unwrap_or(ctx.policy.max_delivery_attempts)
            .max(1),
        reminders: submit.reminders.clone(),
        payload_bytes: submit.payload_bytes,
        workflow: match &submit.part {
            Part::Run(workflow) => Some(workflow.clone()),
            Part::Plain | Part::Step(_) => None,
        },
        step: match &submit.part {
            Part::Step(step) => Some(Box::new(step.of.clone())),
            Part::Plain | Part::Run(_) => None,
        },
    }
}

/// The question to a person: the sender's, or the plain one of an inbox.
fn task_of(submit: &Submit, birth: &Birth) -> Option<TaskSpec> {
    match &submit.task {
        Some(spec) => Some((**spec).clone()),
        None if birth.binding == Binding::Inbox => Some(implied_task(&birth.intent_type)),
        None => None,
    }
}

/// What an inbox asks when the sender asked nothing in particular.
pub(super) fn implied_task(intent_type: &str) -> TaskSpec {
    TaskSpec {
        title: intent_type.to_owned(),
        description: None,
        task_type: TaskType::Approval,
        allowed_outcomes: Vec::new(),
        is_comment_required: false,
        assignees: Vec::new(),
        is_evidence_required: false,
        form_schema: None,
        notify_email: None,
    }
}

/// When an internal delay ends: `seconds` of its payload from now, at most a year.
fn wake_at(submit: &Submit, now: Timestamp) -> Timestamp {
    const SECONDS_MAX: f64 = 366.0 * 86_400.0;
    if let Part::Step(step) = &submit.part {
        return now.after(step.wait);
    }
    let PayloadSource::Given(payload) = &submit.payload else {
        return now;
    };
    let seconds = Payload::to_value(payload)
        .get("seconds")
        .and_then(serde_json::Value::as_f64)
        .unwrap_or(0.0)
        .clamp(0.0, SECONDS_MAX);
    now.after(Span::from_seconds_f64(seconds))
}
