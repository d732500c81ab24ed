//! Deciding in place: the strip under a task.

use crate::console::model::strip::{self, Purpose, Strip, first_outcome, outcomes_of};
use crate::console::model::{Model, Sent, Weight};
use crate::console::task::{Moment, Task, Ticket};
use crate::desk::act::Act;
use crate::desk::rows::TaskRow;
use crate::domain::task::is_negative;
use crate::domain::time::Span;
use crate::engine::command::Choice;

use super::{acts, keys};

/// The least hold of an override.
const OVERRIDE_HOLD: Span = Span::from_seconds(5);

/// Opens the strip on the first positive or negative outcome.
pub(super) fn open(model: &mut Model, is_positive: bool) {
    let Some(task) = task_to_decide(model) else {
        return;
    };
    let outcomes = outcomes_of(&task);
    let Some(chosen) = first_outcome(&outcomes, is_positive) else {
        let side = if is_positive { "a yes" } else { "a no" };
        let all = outcomes.join(", ");
        model.say(
            Weight::Warn,
            format!("{side} is not among its outcomes: {all}"),
        );
        return;
    };
    let draft = model.drafts.get(&task.intent);
    let purpose = Purpose::Decide { outcomes, chosen };
    let mut strip = Strip::new(&task, purpose, draft, model.at.mono);
    if let Some(held) = model.held_on(task.intent) {
        let name = held.by.rsplit('/').next().unwrap_or(&held.by);
        strip.problem = Some(format!(
            "{name} holds {} on it already; u takes it back",
            held.act
        ));
    }
    model.strip = Some(strip);
}

/// Opens the strip for a reply.
pub(super) fn open_reply(model: &mut Model) {
    if let Some(task) = task_to_decide(model) {
        let draft = model.drafts.get(&task.intent);
        model.strip = Some(Strip::new(&task, Purpose::Reply, draft, model.at.mono));
    }
}

/// The task under the cursor, if it can be decided now; else says why not.
fn task_to_decide(model: &mut Model) -> Option<TaskRow> {
    let checked = model.may_act().and_then(|()| {
        let task = model.inbox.tasks.live_row()?;
        if let Some(decision) = &task.decision {
            let name = decision.by.rsplit('/').next().unwrap_or(&decision.by);
            return Err(format!("decided already: {name} {}", decision.outcome));
        }
        if model.is_sent(task.intent) {
            return Err("an answer for this task is under way".to_owned());
        }
        Ok(task.clone())
    });
    match checked {
        Ok(task) => Some(task),
        Err(reason) => {
            model.say(Weight::Warn, reason);
            None
        }
    }
}

/// Enter in the strip: stages the decision, or sends the reply.
pub(super) fn stage(model: &mut Model, is_repeat: bool, tasks: &mut Vec<Task>) {
    let checked = check(model, is_repeat);
    let Some(strip) = model.strip.as_mut() else {
        return;
    };
    if let Err(problem) = checked {
        strip.problem = Some(problem);
        return;
    }
    strip.is_sent = true;
    strip.problem = None;
    let intent = strip.intent;
    let comment = strip.comment();
    let version = strip.version;
    let outcome = strip.outcome().map(str::to_owned);
    let is_override = outcome.as_deref() == Some("override_approved");
    let hold = model.hold();
    let hold = if is_override {
        hold.max(OVERRIDE_HOLD)
    } else {
        hold
    };
    let (act, what, word) = if let Some(outcome) = outcome {
        let act = Act::Decide {
            intent,
            choice: Choice::Outcome(outcome.clone()),
            comment,
            data: None,
            version: Some(version),
            hold,
        };
        (act, format!("{} {outcome}", intent.short()), outcome)
    } else {
        let message = comment.unwrap_or_default();
        let act = Act::Reply { intent, message };
        (
            act,
            format!("reply to {}", intent.short()),
            "reply".to_owned(),
        )
    };
    acts::send(model, Some(intent), what, word, act, tasks);
}

fn check(model: &Model, is_repeat: bool) -> Result<(), String> {
    let Some(strip) = &model.strip else {
        return Ok(());
    };
    model.may_act()?;
    if strip.is_sent {
        return Err("sent; waiting for the answer".to_owned());
    }
    if strip.is_overtaken && strip.outcome().is_some() {
        let kept = "Esc keeps the words, c sends them as a reply";
        let problem = strip.problem.as_deref().unwrap_or("the task was decided");
        return Err(if problem.ends_with(kept) {
            problem.to_owned()
        } else {
            format!("{problem}; {kept}")
        });
    }
    if strip.change.is_some() && !strip.is_change_shown {
        return Err("the task changed: Ctrl-R shows how, then Enter stages".to_owned());
    }
    if strip.is_comment_required && strip.comment().is_none() {
        return Err(if strip.outcome().is_some() {
            "a comment is required here".to_owned()
        } else {
            "a reply needs words".to_owned()
        });
    }
    keys::armed(model, strip.armed_from, is_repeat, "Enter")
}

/// Tab in the strip.
pub(super) fn turn(model: &mut Model, is_forward: bool) {
    if let Some(strip) = &mut model.strip
        && !strip.is_sent
    {
        strip.turn(is_forward);
        if !strip.is_overtaken {
            strip.problem = None;
        }
    }
}

/// Ctrl-J in the strip.
pub(super) fn new_line(model: &mut Model) {
    if let Some(strip) = &mut model.strip {
        strip.editor.new_line();
    }
}

/// Ctrl-R in the strip: shows what changed and arms Enter again.
pub(super) fn show_change(model: &mut Model) {
    let now = model.at.mono;
    if let Some(strip) = &mut model.strip {
        if strip.change.is_some() {
            strip.is_change_shown = true;
            strip.armed_from = now;
            strip.problem = None;
        } else {
            strip.problem = Some("nothing changed since the strip opened".to_owned());
        }
    }
}

/// Esc in the strip: the words stay as a draft.
pub(super) fn close(model: &mut Model) {
    let Some(strip) = model.strip.take() else {
        return;
    };
    if strip.comment().is_some() {
        model.drafts.insert(strip.intent, strip.draft());
        model.say(
            Weight::Info,
            format!("draft kept for {}", strip.intent.short()),
        );
    } else {
        model.drafts.remove(&strip.intent);
    }
}

/// The task under an open strip was read again.
pub(super) fn task_changed(
    strip: &mut Strip,
    before: Option<&TaskRow>,
    task: Option<&TaskRow>,
    at: Moment,
) {
    let Some(task) = task else {
        if !strip.is_overtaken && !strip.is_sent {
            strip.is_overtaken = true;
            strip.armed_from = at.mono;
            strip.problem = Some("the task has left the inbox: decided or withdrawn".to_owned());
        }
        return;
    };
    if task.version > strip.version {
        let old = before.filter(|before| before.intent == strip.intent);
        strip.change = Some(difference(old, task));
        strip.is_change_shown = false;
        strip.version = task.version;
        strip.armed_from = at.mono;
        strip.is_comment_required = strip.outcome().is_none() || strip::needs_comment(task);
    }
}

/// What is different, in words.
fn difference(before: Option<&TaskRow>, now: &TaskRow) -> String {
    let Some(before) = before else {
        return format!("now version {}", now.version);
    };
    let mut parts = Vec::new();
    if before.title != now.title {
        parts.push(format!("title {:?} to {:?}", before.title, now.title));
    }
    if before.description != now.description {
        parts.push("description".to_owned());
    }
    if before.due_at != now.due_at || before.deadline != now.deadline {
        parts.push("due time".to_owned());
    }
    if before.owner != now.owner {
        parts.push(format!("now with {}", now.owner.name()));
    }
    if parts.is_empty() {
        parts.push("its thread or payload".to_owned());
    }
    format!(
        "version {} to {}: {}",
        before.version,
        now.version,
        parts.join(", ")
    )
}

/// Moves to the next task that nobody has decided and nothing is held on.
pub(super) fn go_to_undecided(model: &mut Model, is_forward: bool) {
    let rows = model.inbox.tasks.rows();
    let here = model.inbox.tasks.cursor_line().unwrap_or(0);
    let is_undecided = |task: &&TaskRow| {
        task.is_open
            && task.held.is_none()
            && !super::news::is_taken(model, task.intent)
            && Some(&task.intent) != model.inbox.tasks.cursor()
    };
    let after = rows.iter().skip(here).find(is_undecided);
    let before = rows.iter().take(here).rev().find(is_undecided);
    let found = if is_forward {
        after.or_else(|| rows.iter().take(here).find(is_undecided))
    } else {
        before.or_else(|| rows.iter().skip(here).rev().find(is_undecided))
    };
    match found.map(|task| task.intent) {
        Some(intent) => {
            model.inbox.tasks.go_to_key(&intent);
        }
        None => model.say(Weight::Info, "no other undecided task"),
    }
}

/// The words for what an outcome leads to.
pub(crate) fn effect_of(outcome: &str, sender: &str, hold: Span) -> String {
    let end = if is_negative(outcome) {
        format!("FAILED, outcome {outcome}; {sender} is told")
    } else {
        format!("COMPLETED, outcome {outcome}; {sender} is told")
    };
    let seconds = hold.as_seconds();
    if seconds == 0 {
        format!("{end}. Final at once")
    } else {
        format!("{end}. Held {seconds} s, u undoes")
    }
}

/// Sends an act and remembers what for.
pub(super) fn remember(model: &mut Model, sent: Sent, act: Act, tasks: &mut Vec<Task>) {
    let ticket = Ticket(model.number());
    model.sent.insert(ticket, sent);
    tasks.push(Task::Act(ticket, Box::new(act)));
}
