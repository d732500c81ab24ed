//! Runs: a parent intent goes from step to step, and each step under way is a child intent.
//!
//! ```text
//!            ┌──────────────── a failed try with retries left: pause ◀──┐
//!            ▼                                                          │
//!  between ──▶ at a step (child submitted) ── child ended ──▶ success ──┼──▶ on_success, the next, or COMPLETED
//!                     │                                      failure ───┴──▶ on_failure, or FAILED
//!                     └── parent ended ──▶ child CANCELED
//! ```
//!
//! A child's end moves its parent by a command of the same commit, and so does a parent's end its open child.
//! Neither is ever refused: one that comes too late, or from a child that is not the current one, changes nothing.

use serde_json::json;

use crate::domain::address::{Address, Home};
use crate::domain::agent::Binding;
use crate::domain::fact::{Actor, FactBody};
use crate::domain::failure::DeadReason;
use crate::domain::ids::{IntentId, ThreadId};
use crate::domain::intent::{End, IntentError};
use crate::domain::payload::Payload;
use crate::domain::scenario::{BROKER_HOLDER, Place, Run, Step, StepOf, StepResult, StepWork};
use crate::domain::status::WaitingReason;
use crate::domain::task::ReminderPlan;
use crate::domain::time::Span;
use crate::engine::command::{Command, NewStep, Part, PayloadSource, StepEnded, StepMoved, Submit};
use crate::engine::refusal::Refusal;
use crate::engine::{Draft, capped, dead_letters, escalate, resolve};

mod bounds;

/// Most tries of steps in one run: jumps may go round, but not for ever.
pub const STEPS_MAX: u32 = 400;

/// The payload of a child: the run's own keys, and beside them what the step adds.
#[must_use]
pub fn child_payload(of_run: &Payload, beside: &Payload) -> Payload {
    let parent = Payload::of_keys(&[("parent_payload", of_run.clone())]);
    of_run.overlaid(&parent).overlaid(beside)
}

/// Begins a run that has just been taken in.
pub(super) fn begin(draft: &mut Draft<'_>) {
    let entry = draft.intent.run.as_ref().map(|run| run.workflow.entry);
    go(draft, entry);
}

/// An intent has just moved: its parent hears who holds it now and how it ended, its open child is withdrawn.
pub(super) fn follow(draft: &mut Draft<'_>, was_finished: bool) {
    tell_holder(draft);
    if was_finished || !draft.intent.is_finished() {
        return;
    }
    if let (Some(step), Some(end)) = (draft.intent.step.clone(), draft.intent.end.clone()) {
        let ended = StepEnded {
            child: draft.intent.id,
            end,
            reason: draft.lost,
        };
        draft.then(step.run, Command::StepEnded(Box::new(ended)));
    }
    if let Some(child) = draft.intent.run.as_ref().and_then(|run| run.child()) {
        draft.then(child, Command::Withdraw);
    }
}

/// Tells the run of a step that somebody else holds it.
fn tell_holder(draft: &mut Draft<'_>) {
    let Some(run) = draft.intent.step.as_ref().map(|step| step.run) else {
        return;
    };
    let moved = draft.decided.facts.iter().filter_map(|fact| {
        let (to, escalated_from, waiting) = match &fact.body {
            FactBody::TaskDelegated { to, .. } => {
                (to.to_string(), None, Some(WaitingReason::Human))
            }
            FactBody::Escalated { to, from, offered } => {
                let waiting = offered.map(|binding| match binding {
                    Binding::Inbox => WaitingReason::Human,
                    _ => WaitingReason::Agent,
                });
                (to.clone(), Some(from.clone()), waiting)
            }
            _ => return None,
        };
        Some(StepMoved {
            child: draft.intent.id,
            to,
            escalated_from,
            waiting,
            by: fact.actor.clone(),
        })
    });
    for moved in moved.collect::<Vec<_>>() {
        draft.then(run, Command::StepMoved(Box::new(moved)));
    }
}

/// Somebody else holds a child.
pub(super) fn step_moved(draft: &mut Draft<'_>, moved: &StepMoved) {
    let run = draft.intent.run.as_deref();
    let is_current = run.and_then(Run::child) == Some(moved.child);
    if draft.intent.is_finished() || !is_current {
        return;
    }
    let StepMoved { to, by, .. } = moved.clone();
    // Where the run itself was escalated, it has said so.
    let is_said = draft.intent.escalated_to.as_ref() == Some(&to);
    if let Some(from) = moved.escalated_from.clone().filter(|_| !is_said) {
        let (to, offered) = (to.clone(), None);
        draft.say(by.clone(), FactBody::Escalated { to, from, offered });
    }
    if let Some(reason) = moved.waiting {
        let waiting = FactBody::Waiting {
            reason,
            holder: to,
            until: None,
        };
        draft.say(by, waiting);
    }
}

/// The run of this step is escalated, and so its step is, unless that was escalated before.
pub(super) fn escalate(draft: &mut Draft<'_>, to: &str) {
    let intent = &draft.intent;
    let is_ours = intent.binding == Binding::Internal;
    if intent.is_finished() || intent.escalated_to.is_some() || is_ours {
        return;
    }
    let from = draft.intent.to.to_string();
    escalate::escalate(draft, to, from);
}

/// The run has ended, so its child does.
pub(super) fn withdraw(draft: &mut Draft<'_>) {
    if draft.intent.is_finished() {
        return;
    }
    let attempt = draft.intent.lease().map(|lease| lease.attempt);
    let reason = Some("its run has ended".to_owned());
    draft.say(Actor::Broker, FactBody::Canceled { attempt, reason });
}

/// A child has ended.
pub(super) fn step_ended(draft: &mut Draft<'_>, ended: &StepEnded) {
    if draft.intent.is_finished() {
        return;
    }
    let Some(run) = draft.intent.run.as_deref() else {
        return;
    };
    let Place::At {
        step: place,
        child,
        attempt,
        ..
    } = run.place
    else {
        return;
    };
    let Some(step) = run.workflow.step(place).cloned() else {
        return;
    };
    if child != ended.child {
        return;
    }
    let ended = &bounds::bounded(run, place, ended, draft.ctx.policy.run_bytes_max);
    let is_final = matches!(ended.end, End::Completed { .. } | End::Canceled { .. })
        || matches!(
            ended.reason,
            Some(DeadReason::Rejected | DeadReason::Schema)
        )
        || attempt > step.retries_max;
    let retry_at = (!is_final).then(|| draft.ctx.now.after(step.retry_delay));
    draft.say(
        Actor::Broker,
        FactBody::StepEnded {
            step: place,
            child,
            end: Box::new(ended.end.clone()),
            retry_at,
        },
    );
    match (&ended.end, retry_at) {
        (End::Completed { .. }, _) => {
            let next = step.on_success.unwrap_or_else(|| place.saturating_add(1));
            go(draft, Some(next));
        }
        (_, Some(_)) if step.retry_delay == Span::ZERO => {
            start(draft, place, &step, attempt.saturating_add(1));
        }
        (_, Some(until)) => draft.say(
            Actor::Broker,
            FactBody::Waiting {
                reason: WaitingReason::Time,
                holder: BROKER_HOLDER.to_owned(),
                until: Some(until),
            },
        ),
        (_, None) => match step.on_failure {
            Some(next) => go(draft, Some(next)),
            None => fail(draft, &step, ended, attempt),
        },
    }
}

/// The pause before another try is over.
pub(super) fn wake(draft: &mut Draft<'_>) {
    let Some(run) = draft.intent.run.as_deref() else {
        return;
    };
    if let Place::Pausing { step, attempt } = run.place
        && let Some(definition) = run.workflow.step(step).cloned()
    {
        start(draft, step, &definition, attempt);
    }
}

/// What is said to a run is meant for the person it asks.
pub(super) fn forward(draft: &mut Draft<'_>, command: Command) -> Result<(), Refusal> {
    draft.must_be_open()?;
    let run = draft.intent.run.as_deref();
    let (child, _) = run
        .and_then(Run::open_question)
        .ok_or(Refusal::NoOpenTask)?;
    draft.then(child, command);
    Ok(())
}

/// Goes on at a place of the list; beyond its end the run is complete.
fn go(draft: &mut Draft<'_>, place: Option<u32>) {
    let run = draft.intent.run.as_deref();
    let step = run
        .zip(place)
        .and_then(|(run, place)| run.workflow.step(place))
        .cloned();
    if let (Some(step), Some(place)) = (step, place) {
        start(draft, place, &step, 1);
        return;
    }
    let run = draft.intent.run.as_deref();
    let result = run.map_or_else(Payload::empty, result);
    resolve::complete(draft, Actor::Broker, result, None);
}

fn start(draft: &mut Draft<'_>, place: u32, step: &Step, attempt: u32) {
    let started = draft.intent.run.as_ref().map_or(0, |run| run.started);
    if started >= STEPS_MAX {
        let error = IntentError {
            code: "step_failed".to_owned(),
            message: format!("the run began {STEPS_MAX} steps without coming to an end"),
            category: "validation".to_owned(),
            is_retryable: false,
            details: Some(Payload::of(&json!({ "step_id": step.id }))),
        };
        resolve::fail(draft, Actor::Broker, error, DeadReason::Operator, None);
        return;
    }
    let (child, thread) = dead_letters::ids_of_chance(draft);
    let submit = child_of(draft, step, attempt, child, thread);
    if let Some(error) = bounds::too_large(draft, step, &submit.payload) {
        resolve::fail(draft, Actor::Broker, error, DeadReason::Schema, None);
        return;
    }
    draft.say(
        Actor::Broker,
        FactBody::StepStarted {
            step: place,
            child,
            attempt,
            due: submit.deadline,
        },
    );
    let (holder, until) = match step.work {
        StepWork::Agent | StepWork::Person(_) => (step.holder.to_string(), None),
        StepWork::Delay { span } => (BROKER_HOLDER.to_owned(), Some(draft.ctx.now.after(span))),
        StepWork::Notice { .. } | StepWork::Escalation { .. } => (BROKER_HOLDER.to_owned(), None),
    };
    draft.say(
        Actor::Broker,
        FactBody::Waiting {
            reason: step.work.waiting(),
            holder,
            until,
        },
    );
    if let StepWork::Escalation { .. } = step.work {
        let (to, from) = (step.holder.to_string(), BROKER_HOLDER.to_owned());
        let offered = None;
        draft.say(Actor::Broker, FactBody::Escalated { to, from, offered });
    }
    draft.then(child, Command::Submit(Box::new(submit)));
}

fn child_of(
    draft: &Draft<'_>,
    step: &Step,
    attempt: u32,
    id: IntentId,
    thread: ThreadId,
) -> Submit {
    let parent = &draft.intent;
    let broker = parent.to.clone();
    let told = told(step, parent.id);
    let (to, binding, task) = match &step.work {
        StepWork::Agent => (step.holder.clone(), None, None),
        StepWork::Person(spec) => (
            step.holder.clone(),
            Some(Binding::Inbox),
            Some(spec.clone()),
        ),
        StepWork::Delay { .. } | StepWork::Notice { .. } | StepWork::Escalation { .. } => {
            (broker, Some(Binding::Internal), None)
        }
    };
    let wait = match step.work {
        StepWork::Delay { span } => span,
        _ => Span::ZERO,
    };
    let scenario = parent
        .run
        .as_ref()
        .map_or_else(String::new, |run| run.workflow.scenario.clone());
    Submit {
        id,
        thread,
        intent_type: parent.intent_type.clone(),
        correlation_id: parent.correlation_id.clone(),
        from: parent.from.clone(),
        to,
        reply_to: told.is_some().then(|| step.holder.clone()),
        trace_id: parent.trace_id.clone(),
        payload: PayloadSource::OfRun {
            run: parent.id,
            beside: beside(parent.run.as_deref(), step, parent.id),
        },
        payload_bytes: 0,
        deadline: step.deadline.map(|span| draft.ctx.now.after(span)),
        ttl: None,
        max_attempts: Some(parent.max_attempts),
        reminders: ReminderPlan::clone(&step.reminders),
        task,
        replay: None,
        part: Part::Step(Box::new(NewStep {
            of: StepOf {
                run: parent.id,
                step: step.id.clone(),
                scenario,
                attempt,
            },
            binding,
            wait,
            done_with: told,
        })),
    }
}

/// What a step tells an inbox, which is its result too.
fn told(step: &Step, run: IntentId) -> Option<Payload> {
    let fill = |text: &str| text.replace("{{intent_id}}", &run.to_string());
    let to = step.holder.to_string();
    match &step.work {
        StepWork::Notice { subject, body } => Some(Payload::of(&json!({
            "subject": fill(subject), "body": fill(body), "to": to, "notified": true,
        }))),
        StepWork::Escalation { reason } => Some(Payload::of(&json!({
            "subject": "Escalated to you", "body": fill(reason), "to": to, "escalated": true,
        }))),
        StepWork::Agent | StepWork::Person(_) | StepWork::Delay { .. } => None,
    }
}

/// What the payload of a child has beside the keys of the run's own.
fn beside(run: Option<&Run>, step: &Step, parent: IntentId) -> Payload {
    let scenario = run.map_or("", |run| run.workflow.scenario.as_str());
    let input = step.input.clone().unwrap_or_else(Payload::empty);
    Payload::of_keys(&[
        ("step_id", Payload::of(&json!(step.id))),
        ("parent_intent_id", Payload::of(&json!(parent.to_string()))),
        ("scenario_id", Payload::of(&json!(scenario))),
        ("input", input),
        ("previous_results", run.map_or_else(Payload::empty, results)),
    ])
}

/// The results so far, by the names of the steps.
fn results(run: &Run) -> Payload {
    let named = run.results.iter().filter_map(|kept| {
        let step = run.workflow.step(kept.step)?;
        Some((step.id.as_str(), kept.result.clone()))
    });
    Payload::of_keys(&named.collect::<Vec<_>>())
}

/// The result of a run: the keys of the last agent's result, and beside them what every step gave.
fn result(run: &Run) -> Payload {
    let of_agent = |kept: &&StepResult| {
        let step = run.workflow.step(kept.step);
        step.is_some_and(|step| step.work == StepWork::Agent)
    };
    let last = run.results.iter().rev().find(of_agent);
    let last = last.map_or_else(Payload::empty, |kept| kept.result.clone());
    last.overlaid(&Payload::of_keys(&[("steps", results(run))]))
}

/// Ends the run because a step failed and nothing says where to go on.
fn fail(draft: &mut Draft<'_>, step: &Step, ended: &StepEnded, attempt: u32) {
    let (code, child) = match &ended.end {
        End::Failed { error } if ended.reason == Some(DeadReason::Rejected) => {
            ("rejected", Some(error))
        }
        End::TimedOut { error } => ("step_timeout", Some(error)),
        End::Failed { error } => ("step_failed", Some(error)),
        End::Completed { .. } | End::Canceled { .. } => ("step_failed", None),
    };
    let reason = match ended.end {
        End::TimedOut { .. } => DeadReason::Deadline,
        End::Canceled { .. } => DeadReason::Operator,
        _ => ended.reason.unwrap_or(DeadReason::HandlerFailed),
    };
    let message = child.map_or("it was canceled", |error| error.message.as_str());
    let message = capped(&format!("step {}: {message}", step.id));
    let mut details = child
        .and_then(|error| error.details.as_ref())
        .and_then(Payload::entries)
        .unwrap_or_default();
    details.set("step_id", Payload::of(&json!(step.id)));
    details.set(
        "step_intent_id",
        Payload::of(&json!(ended.child.to_string())),
    );
    details.set("step_attempts", Payload::of(&json!(attempt)));
    if let Some(error) = child {
        details.set("step_error", Payload::of(&json!(error.code)));
    }
    let error = IntentError {
        code: code.to_owned(),
        message,
        category: child
            .map_or("internal", |error| error.category.as_str())
            .to_owned(),
        is_retryable: child.is_none_or(|error| error.is_retryable),
        details: Some(details.payload()),
    };
    resolve::fail(draft, Actor::Broker, error, reason, None);
}

/// The broker's own address, to which runs and its own steps are sent.
#[must_use]
pub fn broker_address(home: &Home) -> Address {
    Address::trusted(format!("{}/{}/{BROKER_HOLDER}", home.org, home.workspace))
}
