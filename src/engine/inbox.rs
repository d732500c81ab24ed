//! Human tasks: opening, deciding, saying something, and what is held.

use crate::domain::address::Address;
use crate::domain::fact::{Actor, FactBody};
use crate::domain::failure::DeadReason;
use crate::domain::ids::{HoldId, ThreadId};
use crate::domain::intent::IntentError;
use crate::domain::payload::{Entries, Payload};
use crate::domain::status::WaitingReason;
use crate::domain::task::{Decision, HeldAct, Hold, Task, TaskSpec, is_negative};
use crate::domain::time::Span;
use crate::domain::via::Via;
use crate::engine::command::{Choice, Decide, Delegate, Reply};
use crate::engine::refusal::Refusal;
use crate::engine::submit::implied_task;
use crate::engine::{Draft, capped, form, resolve};

/// Asks a person: the intent waits, and a thread opens in the receiver's inbox.
pub(super) fn open_task(draft: &mut Draft<'_>, thread: ThreadId, spec: TaskSpec) {
    let owner = draft.intent.to.clone();
    draft.say(
        Actor::Broker,
        FactBody::Waiting {
            reason: WaitingReason::Human,
            holder: owner.to_string(),
            until: None,
        },
    );
    draft.say(
        Actor::Broker,
        FactBody::TaskOpened {
            thread,
            owner,
            spec: Box::new(spec),
        },
    );
}

pub(super) fn decide(draft: &mut Draft<'_>, decide: &Decide) -> Result<(), Refusal> {
    let Some(task) = draft.intent.task.clone() else {
        draft.must_be_open()?;
        return Err(Refusal::NoOpenTask);
    };
    let outcome = outcome_of(&task.spec, &decide.choice)?;
    if let Some(made) = &task.decision {
        if made.outcome == outcome {
            return Ok(());
        }
        return Err(Refusal::AlreadyDecided(Box::new(made.clone())));
    }
    draft.must_be_open()?;
    must_be_version(&task, decide.version)?;
    let comment = decide
        .comment
        .as_deref()
        .map(str::trim)
        .filter(|comment| !comment.is_empty());
    if task.spec.needs_comment() && comment.is_none() {
        return Err(Refusal::CommentRequired);
    }
    if task.spec.is_evidence_required && !has_evidence(decide.data.as_ref()) {
        return Err(Refusal::EvidenceRequired);
    }
    let form = filled_in(&task.spec, &outcome, comment, decide.data.as_ref())?;
    let data = form.or_else(|| decide.data.clone());
    if decide.hold > Span::ZERO {
        let act = HeldAct::Decide {
            outcome,
            comment: comment.map(capped),
            version: Some(task.version),
            data,
            via: decide.via,
        };
        place_hold(draft, act, &decide.by, decide.hold);
        return Ok(());
    }
    let decision = Decision {
        outcome,
        comment: comment.map(capped),
        data,
        by: decide.by.clone(),
        via: decide.via,
        at: draft.ctx.now,
        version: task.version,
    };
    settle(draft, &task, decision);
    Ok(())
}

/// A resume body while a task is open: a decision, in one of its spellings.
pub(super) fn decide_by_body(
    draft: &mut Draft<'_>,
    body: &Entries,
    by: &Address,
    via: Via,
) -> Result<(), Refusal> {
    let result = body.get("task_result").and_then(Payload::entries);
    let mut flat = result.unwrap_or_default();
    let mut fields = flat
        .take("data")
        .and_then(|data| data.entries())
        .unwrap_or_default();
    fields.lay_over(flat);
    let flag = [
        fields.get("approved"),
        body.get("approved"),
        body.get("approve_current_step"),
    ]
    .into_iter()
    .flatten()
    .find_map(as_flag);
    let text = |key: &str| {
        let given = fields.get(key).or_else(|| body.get(key));
        given.and_then(Payload::text)
    };
    let named = text("outcome");
    let action = body.text("action").map(|word| word.to_ascii_lowercase());
    let choice = match (named, flag, action.as_deref()) {
        (Some(outcome), _, _) => Choice::Outcome(outcome),
        (None, Some(true), _) => Choice::Yes,
        (None, Some(false), _) | (None, None, Some("reject" | "rejected" | "fail" | "failed")) => {
            Choice::No
        }
        (None, None, Some("approve" | "approved" | "complete" | "completed" | "done" | "ok")) => {
            Choice::Yes
        }
        _ => Choice::Outcome(String::new()),
    };
    let number = |key: &str| {
        let given = body.get(key).or_else(|| fields.get(key));
        given.and_then(as_number)
    };
    // A reason beside the answer is words; one in the answer may be a field of the form.
    let task = draft.intent.open_task();
    let is_field = task.is_some_and(|task| form::asks_for(&task.spec, "reason"));
    let reason = || {
        body.text("reason")
            .or_else(|| fields.text("reason").filter(|_| !is_field))
    };
    let comment = text("comment").or_else(reason);
    let version = number("task_version").and_then(|version| u32::try_from(version).ok());
    let hold = number("hold_seconds").and_then(|seconds| i64::try_from(seconds).ok());
    let data = (!fields.is_empty()).then(|| fields.payload());
    let asked = Decide {
        choice,
        comment,
        data,
        version,
        hold: Span::from_seconds(hold.unwrap_or(0)).min(draft.ctx.policy.hold_max),
        by: by.clone(),
        via,
    };
    decide(draft, &asked)
}

/// A whole number, also in a string.
fn as_number(value: &Payload) -> Option<u64> {
    let said = value.text();
    said.as_deref().unwrap_or(value.as_str()).parse().ok()
}

/// A truth, also as the published command line writes it, which sends only strings.
fn as_flag(value: &Payload) -> Option<bool> {
    let said = value.text();
    said.as_deref().unwrap_or(value.as_str()).parse().ok()
}

pub(super) fn reply(draft: &mut Draft<'_>, reply: &Reply) -> Result<(), Refusal> {
    draft.must_be_open()?;
    let task = draft
        .intent
        .open_task()
        .cloned()
        .ok_or(Refusal::NoOpenTask)?;
    if task.spec == implied_task(&draft.intent.intent_type) {
        let decision = Decision {
            outcome: "replied".to_owned(),
            comment: Some(reply.message.clone()),
            data: None,
            by: reply.by.clone(),
            via: reply.via,
            at: draft.ctx.now,
            version: task.version,
        };
        settle(draft, &task, decision);
    } else {
        draft.say(
            Actor::at(&reply.by),
            FactBody::TaskReplied {
                message: reply.message.clone(),
            },
        );
    }
    Ok(())
}

/// Hands the task to somebody else as well. Whoever has it already gets nothing new.
pub(super) fn delegate(draft: &mut Draft<'_>, delegate: &Delegate) -> Result<(), Refusal> {
    let Some(task) = draft.intent.task.clone() else {
        draft.must_be_open()?;
        return Err(Refusal::NoOpenTask);
    };
    if let Some(made) = &task.decision {
        return Err(Refusal::AlreadyDecided(Box::new(made.clone())));
    }
    draft.must_be_open()?;
    must_be_version(&task, delegate.version)?;
    let to = delegate.to.to_string();
    let holder = draft.intent.handed_to.clone();
    if holder.unwrap_or_else(|| task.owner.to_string()) == to {
        return Ok(());
    }
    let actor = Actor::at(&delegate.by);
    draft.say(
        actor.clone(),
        FactBody::TaskDelegated {
            to: delegate.to.clone(),
            note: delegate.note.as_deref().map(capped),
        },
    );
    draft.say(
        actor,
        FactBody::Waiting {
            reason: WaitingReason::Human,
            holder: to,
            until: None,
        },
    );
    Ok(())
}

/// Empties words in the thread. What they are is for the caller to have looked up.
pub(super) fn empty(draft: &mut Draft<'_>, messages: &[u32], by: &Address) {
    if !messages.is_empty() {
        let messages = messages.to_vec();
        draft.say(Actor::at(by), FactBody::MessagesEmptied { messages });
    }
}

/// Notes that an inbox has seen it, once until something new happens.
pub(super) fn mark_read(draft: &mut Draft<'_>, by: &Address) {
    if !draft.intent.read_by.contains(by) {
        draft.say(Actor::at(by), FactBody::ThreadRead { by: by.clone() });
    }
}

pub(super) fn cancel_hold(draft: &mut Draft<'_>, hold: HoldId, by: &Actor) -> Result<(), Refusal> {
    let now = draft.ctx.now;
    let is_open = draft
        .intent
        .holds
        .iter()
        .any(|held| held.id == hold && held.effective_at > now);
    if !is_open {
        return Err(Refusal::HoldElapsed);
    }
    draft.say(by.clone(), FactBody::HoldCanceled { hold });
    Ok(())
}

/// Stores an act that takes effect later: at the deadline at the latest, where that is nearer.
pub(super) fn place_hold(draft: &mut Draft<'_>, act: HeldAct, by: &Address, hold: Span) {
    let now = draft.ctx.now;
    let wanted = now.after(hold.min(draft.ctx.policy.hold_max));
    let latest = draft
        .intent
        .deadline
        .filter(|_| !draft.intent.is_finished());
    // One millisecond before the deadline: a hold that is due together with it still counts.
    let effective_at = latest
        .map_or(wanted, |deadline| {
            wanted.min(deadline.before(Span::from_millis(1)))
        })
        .max(now);
    let hold = Hold {
        id: draft.ctx.hold,
        act,
        by: by.clone(),
        placed_at: now,
        effective_at,
    };
    draft.say(Actor::at(by), FactBody::HoldPlaced(Box::new(hold)));
}

/// Writes the decision down and moves the intent by it.
fn settle(draft: &mut Draft<'_>, task: &Task, decision: Decision) {
    let actor = Actor::at(&decision.by);
    let is_no = is_negative(&decision.outcome);
    let mut fields = decision
        .data
        .as_ref()
        .and_then(Payload::entries)
        .unwrap_or_default();
    fields.set("outcome", Payload::of(&decision.outcome.as_str().into()));
    if let Some(comment) = decision.comment.as_deref() {
        fields.set("comment", Payload::of(&comment.into()));
        if task.spec == implied_task(&draft.intent.intent_type) {
            fields.set("message", Payload::of(&comment.into()));
        }
    }
    let message = match &decision.comment {
        Some(comment) => format!("{} by {}: {comment}", decision.outcome, decision.by),
        None => format!("{} by {}", decision.outcome, decision.by),
    };
    draft.say(actor.clone(), FactBody::TaskDecided(Box::new(decision)));
    let details = fields.payload();
    if is_no {
        let error = IntentError {
            code: "rejected".to_owned(),
            message: capped(&message),
            category: "policy".to_owned(),
            is_retryable: false,
            details: Some(details),
        };
        resolve::fail(draft, actor, error, DeadReason::Rejected, None);
    } else {
        resolve::complete(draft, actor, details, None);
    }
}

fn outcome_of(spec: &TaskSpec, choice: &Choice) -> Result<String, Refusal> {
    let allowed = spec.outcomes();
    let refuse = |outcome: &str| Refusal::OutcomeNotAllowed {
        outcome: outcome.to_owned(),
        allowed: allowed.clone(),
    };
    match choice {
        Choice::Yes => spec.positive_outcome().ok_or_else(|| refuse("approve")),
        Choice::No => spec.negative_outcome().ok_or_else(|| refuse("reject")),
        Choice::Outcome(outcome) if outcome.is_empty() => Err(refuse("")),
        Choice::Outcome(outcome) if allowed.is_empty() || allowed.contains(outcome) => {
            Ok(outcome.clone())
        }
        Choice::Outcome(outcome) => Err(refuse(outcome)),
    }
}

/// What was filled in, as the form wants it. A no needs no form.
fn filled_in(
    spec: &TaskSpec,
    outcome: &str,
    comment: Option<&str>,
    data: Option<&Payload>,
) -> Result<Option<Payload>, Refusal> {
    let Some(schema) = spec.form_schema.as_ref().filter(|_| !is_negative(outcome)) else {
        return Ok(None);
    };
    form::fill(schema, outcome, comment, data)
        .map(Some)
        .map_err(Refusal::FormInvalid)
}

fn must_be_version(task: &Task, seen: Option<u32>) -> Result<(), Refusal> {
    match seen {
        Some(seen) if seen < task.version => Err(Refusal::StaleVersion {
            seen,
            current: task.version,
            decision: task.decision.clone().map(Box::new),
        }),
        _ => Ok(()),
    }
}

fn has_evidence(data: Option<&Payload>) -> bool {
    data.and_then(Payload::entries)
        .and_then(|mut fields| fields.take("evidence"))
        .is_some_and(|evidence| !evidence.is_null() && evidence.as_str() != "\"\"")
}
