//! Deciding in place: the strip under a task.

pub(super) mod change;
pub(super) mod people;

use crossterm::event::KeyEvent;

use crate::console::kinds::{self, Fault, Handed};
use crate::console::model::strip::entry::{Input, Key};
use crate::console::model::strip::{Purpose, Strip, first_outcome, outcomes_of};
use crate::console::model::{Model, Sent, Weight};
use crate::console::task::{Task, Ticket};
use crate::desk::act::Act;
use crate::desk::rows::TaskRow;
use crate::domain::payload::Payload;
use crate::domain::task::TaskType;
use crate::domain::time::Span;
use crate::engine::command::Choice;

use super::{acts, keys};

/// The least hold of an override.
const OVERRIDE_HOLD: Span = Span::from_seconds(5);
/// How long after the last key what was typed is kept as a draft.
const DRAFT_MS: u64 = 300;

/// Opens the strip on the first positive or negative outcome.
pub(super) fn open(model: &mut Model, is_positive: bool) {
    let Some(task) = task_to_decide(model) else {
        return;
    };
    let outcomes = outcomes_of(&task);
    let Some(chosen) = first_outcome(&outcomes, is_positive) else {
        let (key, side) = if is_positive {
            ("a", "yes")
        } else {
            ("x", "no")
        };
        let all = outcomes.join(", ");
        let text = format!("{key} is off: none of its outcomes is a {side} ({all})");
        return model.say(Weight::Warn, text);
    };
    let mut strip = strip_on(model, &task, Purpose::Decide { outcomes, chosen });
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
        let strip = strip_on(model, &task, Purpose::Reply);
        model.strip = Some(strip);
    }
}

fn strip_on(model: &Model, task: &TaskRow, purpose: Purpose) -> Strip {
    let thread = model.inbox.thread.as_ref();
    let thread = thread.filter(|one| one.row.thread == task.thread);
    let people = people::of(model);
    let mut strip = Strip::new(task, thread, people, purpose, model.at.mono);
    if let Some(draft) = model.drafts.get(&task.intent) {
        strip.restore(draft);
    }
    strip
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
    let checked = check(model).and_then(|handed| {
        let from = model
            .strip
            .as_ref()
            .map_or(model.at.mono, |strip| strip.armed_from);
        match keys::armed(model, from, is_repeat, "Enter") {
            Ok(()) => Ok(handed),
            Err(text) => Err(vec![Fault { key: None, text }]),
        }
    });
    let hold = model.hold();
    let Some(strip) = model.strip.as_mut() else {
        return;
    };
    for entry in &mut strip.entries {
        entry.problem = None;
    }
    let handed = match checked {
        Ok(handed) => handed,
        Err(faults) => return point_out(strip, faults),
    };
    strip.is_sent = true;
    strip.problem = None;
    let intent = strip.intent;
    let (act, what, word) = if let Some(outcome) = strip.outcome() {
        let is_override = TaskType::from_name(&strip.task.task_type) == TaskType::Override;
        let act = Act::Decide {
            intent,
            choice: Choice::Outcome(outcome.clone()),
            comment: handed.comment,
            data: handed.data.as_ref().map(Payload::of),
            version: Some(strip.version),
            hold: if is_override {
                hold.max(OVERRIDE_HOLD)
            } else {
                hold
            },
        };
        (act, format!("{} {outcome}", intent.short()), outcome)
    } else {
        let message = handed.comment.unwrap_or_default();
        let act = Act::Reply { intent, message };
        let what = format!("reply to {}", intent.short());
        (act, what, "reply".to_owned())
    };
    acts::send(model, Some(intent), what, word, act, tasks);
}

/// Shows what is wrong where it is wrong, and goes to the first of it.
fn point_out(strip: &mut Strip, faults: Vec<Fault>) {
    let mut said = None;
    let mut count = 0_usize;
    for Fault { key, text } in faults {
        let place = strip
            .entries
            .iter()
            .position(|entry| Some(&entry.key) == key.as_ref());
        let entry = place.and_then(|place| strip.entries.get_mut(place));
        let Some(entry) = entry else {
            said.get_or_insert(text);
            continue;
        };
        if count == 0 {
            let is_named = matches!(entry.key, Key::Property(_) | Key::Step(_));
            let line = if is_named {
                format!("{}: {text}", entry.label)
            } else {
                text.clone()
            };
            said.get_or_insert(line);
            strip.focus = place.unwrap_or(strip.focus);
        }
        count += 1;
        if let Some(entry) = strip.entries.get_mut(place.unwrap_or(usize::MAX)) {
            entry.leave();
            entry.problem = Some(text);
        }
    }
    strip.problem = said.map(|text| match count {
        0 | 1 => text,
        more => format!("{text}; {} more to mend", more - 1),
    });
}

/// What would be handed in.
fn check(model: &Model) -> Result<Handed, Vec<Fault>> {
    let whole = |text: String| vec![Fault { key: None, text }];
    let Some(strip) = &model.strip else {
        return Err(Vec::new());
    };
    model.may_act().map_err(whole)?;
    if strip.is_sent {
        return Err(whole("sent; waiting for the answer".to_owned()));
    }
    let outcome = strip.outcome();
    if strip.is_overtaken && outcome.is_some() {
        let kept = "Esc keeps the words; c sends them as a reply while the task is open";
        let problem = strip.problem.as_deref().unwrap_or("the task was decided");
        return Err(whole(if problem.ends_with(kept) {
            problem.to_owned()
        } else {
            format!("{problem}; {kept}")
        }));
    }
    if strip.change.is_some() && !strip.is_change_shown {
        let text = "the task changed: Ctrl-R shows how, then Enter stages";
        return Err(whole(text.to_owned()));
    }
    let Some(outcome) = outcome else {
        let words = strip.comment();
        return match words {
            Some(_) => Ok(Handed {
                comment: words,
                data: None,
            }),
            None => Err(whole("a reply needs words".to_owned())),
        };
    };
    if strip.payload.is_none() && kinds::of(&strip.task.task_type).needs_payload() {
        let text = "the task is still being read: press Enter again";
        return Err(whole(text.to_owned()));
    }
    kinds::hand_in(&strip.brief(), &strip.entries, &outcome)
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

/// A key in the strip that is no command: for the entry that has the focus, or between entries.
pub(super) fn press(model: &mut Model, key: KeyEvent) {
    use crossterm::event::KeyCode;
    let Some(strip) = model.strip.as_mut().filter(|strip| !strip.is_sent) else {
        return;
    };
    let is_arrow = matches!(key.code, KeyCode::Up | KeyCode::Down);
    let is_outside = strip.focused().is_none_or(|entry| !entry.wants_arrows());
    if is_arrow && is_outside && strip.is_long() {
        strip.step(key.code == KeyCode::Down);
        return;
    }
    match strip.focused_mut() {
        Some(entry) => {
            entry.press(key);
            entry.problem = None;
        }
        None => match key.code {
            KeyCode::Right | KeyCode::Char(' ') => strip.turn_outcome(true),
            KeyCode::Left => strip.turn_outcome(false),
            _ => {}
        },
    }
    touched(model);
}

/// Pasted text in the strip.
pub(super) fn paste(model: &mut Model, text: &str) {
    let strip = model.strip.as_mut().filter(|strip| !strip.is_sent);
    if let Some(entry) = strip.and_then(Strip::focused_mut) {
        entry.paste(text);
        entry.problem = None;
    }
    touched(model);
}

/// Alt and a digit in the strip: the answer with that number.
pub(super) fn answer(model: &mut Model, number: usize) {
    let Some(strip) = model.strip.as_mut().filter(|strip| !strip.is_sent) else {
        return;
    };
    let answers = kinds::answers(strip.brief().payload);
    let chosen = answers.get(number.wrapping_sub(1));
    let is_answer = |entry: &crate::console::model::strip::entry::Entry| entry.key == Key::Answer;
    let place = strip.entries.iter().position(is_answer);
    match (chosen, place) {
        (Some(text), Some(place)) => {
            strip.focus = place;
            if let Some(field) = strip.focused_mut().and_then(|entry| entry.field_mut()) {
                field.set_text(text);
            }
            touched(model);
        }
        (_, None) => strip.problem = Some("quick answers are for questions".to_owned()),
        (None, Some(_)) => {
            strip.problem = Some(match answers.len() {
                0 => "the question names no answers to choose from".to_owned(),
                count => format!("there are {count} answers to choose from"),
            });
        }
    }
}

/// `}` and `{` in a diff.
pub(super) fn hunk(model: &mut Model, is_forward: bool) {
    if let Some(entry) = model.strip.as_mut().and_then(Strip::focused_mut) {
        entry.hunk(is_forward);
    }
}

/// Something was filled in: the draft is kept a moment after the last key.
pub(super) fn touched(model: &mut Model) {
    let now = model.at.mono;
    if let Some(strip) = &mut model.strip {
        strip.typed_at = Some(now);
        if !strip.is_overtaken {
            strip.problem = None;
        }
    }
}

/// Keeps the draft once nothing was typed for a moment.
pub(super) fn keep_draft(model: &mut Model) {
    if draft_due_in(model) == Some(0) {
        store_draft(model);
    }
}

/// Milliseconds until the draft is kept; none when there is nothing to keep.
pub(super) fn draft_due_in(model: &Model) -> Option<u64> {
    let typed_at = model.strip.as_ref()?.typed_at?;
    Some(DRAFT_MS.saturating_sub(model.at.millis_since(typed_at)))
}

/// Keeps what the strip has. Says whether there is anything.
fn store_draft(model: &mut Model) -> bool {
    let Some(strip) = &mut model.strip else {
        return false;
    };
    strip.typed_at = None;
    let draft = strip.draft(model.drafts.get(&strip.intent));
    let is_something = !draft.0.is_empty();
    if is_something {
        model.drafts.insert(strip.intent, draft);
    } else {
        model.drafts.remove(&strip.intent);
    }
    model.wants_keeping = true;
    is_something
}

/// Ctrl-J in the strip.
pub(super) fn new_line(model: &mut Model) {
    let strip = model.strip.as_mut();
    if let Some(field) = strip
        .and_then(Strip::focused_mut)
        .and_then(|entry| entry.field_mut())
    {
        field.new_line();
    }
    touched(model);
}

/// Esc in the strip: the words stay as a draft.
pub(super) fn close(model: &mut Model) {
    let has_draft = store_draft(model);
    if let (Some(strip), true) = (model.strip.take(), has_draft) {
        let text = format!("draft kept for {}", strip.intent.short());
        model.say(Weight::Info, text);
    }
}

/// The answer was refused, or could not be had: the strip stays, with what was filled in.
pub(super) fn refused(
    model: &mut Model,
    intent: Option<crate::domain::ids::IntentId>,
    text: &str,
    is_conflict: bool,
) {
    let now = model.at.mono;
    let strip = model.strip.as_mut();
    let Some(strip) = strip.filter(|strip| strip.is_sent && intent == Some(strip.intent)) else {
        return;
    };
    strip.is_sent = false;
    strip.is_overtaken = is_conflict;
    strip.armed_from = now;
    strip.problem = Some(text.to_owned());
    store_draft(model);
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

/// The hold that a decision of this task gets.
pub(crate) fn hold_of(model: &Model, task: &TaskRow) -> Span {
    if TaskType::from_name(&task.task_type) == TaskType::Override {
        model.hold().max(OVERRIDE_HOLD)
    } else {
        model.hold()
    }
}

/// Sends an act and remembers what for.
pub(super) fn remember(model: &mut Model, sent: Sent, act: Act, tasks: &mut Vec<Task>) {
    let ticket = Ticket(model.number());
    model.sent.insert(ticket, sent);
    tasks.push(Task::Act(ticket, Box::new(act)));
}

/// Whether letters move in what has the focus instead of being text.
pub(super) fn is_looking(model: &Model) -> bool {
    let strip = model.strip.as_ref().filter(|_| model.overlay.is_none());
    strip.is_some_and(Strip::is_looking)
}

/// The text of the entry that has the focus, for the operator's editor.
pub(super) fn text(model: &Model) -> Option<String> {
    let entry = model.strip.as_ref()?.focused()?;
    match &entry.input {
        Input::One(..) | Input::Some(..) | Input::Look(..) => None,
        _ => Some(entry.field()?.text()),
    }
}

/// What the operator's editor left.
pub(super) fn set_text(model: &mut Model, text: &str) {
    let now = model.at.mono;
    let Some(strip) = &mut model.strip else {
        return;
    };
    strip.armed_from = now;
    if let Some(field) = strip.focused_mut().and_then(|entry| entry.field_mut()) {
        field.set_text(text);
    }
    touched(model);
}
