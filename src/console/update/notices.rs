//! Notices: a task given to the operator, an overdue one, dead letters over the limit, a job that paused
//! itself, a lost link.
//!
//! Always on the status line. The terminal is rung only while it has lost the focus, at most once in a
//! while, and never with a word that a sender wrote.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::console::model::{Model, Weight};
use crate::console::task::Task;
use crate::desk::rows::{FeedRow, TaskRow};
use crate::domain::ids::{IntentId, JobId};
use crate::domain::task::TaskType;

use super::handing;

/// The terminal gained or lost the focus.
pub(super) fn focus(model: &mut Model, has_it: bool) {
    model.notices.is_away = !has_it;
    if has_it {
        model.notices.waiting = None;
    }
}

/// Open tasks were read.
pub(super) fn tasks(model: &mut Model) {
    if model.hello.is_none() {
        return;
    }
    let of = |fits: &dyn Fn(&TaskRow) -> bool| -> BTreeSet<IntentId> {
        let open = model
            .inbox
            .open
            .iter()
            .filter(|task| task.is_open && fits(task));
        open.map(|task| task.intent).collect()
    };
    let mine = of(&|task| handing::is_mine(model, task));
    let overdue = of(&|task| task.is_overdue);
    let taken = std::mem::take(&mut model.notices.taken);
    let before = model.notices.mine.replace(mine.clone());
    let given: Vec<IntentId> = match before {
        Some(before) => mine.difference(&before).copied().collect(),
        None => Vec::new(),
    };
    let given: Vec<IntentId> = given.into_iter().filter(|id| !taken.contains(id)).collect();
    tell_tasks(model, &given, "given to you");
    let late: Vec<IntentId> = match model.notices.overdue.replace(overdue.clone()) {
        Some(before) => overdue.difference(&before).copied().collect(),
        None => Vec::new(),
    };
    tell_tasks(model, &late, "overdue");
}

fn tell_tasks(model: &mut Model, ids: &[IntentId], what: &str) {
    let task = |id: &IntentId| model.inbox.open.iter().find(|task| task.intent == *id);
    let text = match ids {
        [] => return,
        [one] => match task(one) {
            Some(task) => {
                // The word of an unknown type is the sender's own.
                let kind = match TaskType::from_name(&task.task_type) {
                    TaskType::Other(_) => "task",
                    known => &known.name().replace('_', " "),
                };
                format!("{kind} {} is {what}", one.short())
            }
            None => return,
        },
        several => format!("{} tasks are {what}", several.len()),
    };
    tell(model, Weight::Warn, text);
}

/// The numbers were read.
pub(super) fn numbers(model: &mut Model) {
    let Some(dying) = model
        .overview
        .as_ref()
        .map(|overview| overview.dead_last_hour)
    else {
        return;
    };
    let limit = u64::from(model.settings.notices.dead_letters_per_hour);
    let is_over = limit > 0 && dying > limit;
    let was_over = model.notices.is_over.replace(is_over);
    if is_over && was_over == Some(false) {
        let text = format!("{dying} dead letters in the last hour, more than {limit}");
        tell(model, Weight::Warn, text);
    }
}

/// Committed facts: what a job says of itself.
pub(super) fn facts(model: &mut Model, facts: &[FeedRow]) {
    for fact in facts.iter().filter(|fact| fact.kind.starts_with("job.")) {
        let data = fact.data.to_value();
        let text = |name: &str| data.get(name).and_then(Value::as_str);
        let Some(job) = text("job_id").and_then(|id| id.parse::<JobId>().ok()) else {
            continue;
        };
        let is_stopped = text("state") == Some("paused") && text("stopped_because").is_some();
        if !is_stopped {
            model.notices.paused.remove(&job);
        } else if model.notices.paused.insert(job) {
            tell(model, Weight::Warn, format!("{job} has paused itself"));
        }
    }
}

/// The link to the broker is lost. The sentence for the status line names where and why; the terminal is
/// rung with neither.
pub(super) fn link_lost(model: &mut Model, text: String) {
    model.say(Weight::Error, text);
    wait(model, "the link to the broker is lost".to_owned());
}

fn tell(model: &mut Model, weight: Weight, text: String) {
    model.say(weight, text.clone());
    wait(model, text);
}

fn wait(model: &mut Model, text: String) {
    let notices = &mut model.notices;
    if notices.is_away {
        let before = notices.waiting.take().map_or(0, |(_, before)| before + 1);
        notices.waiting = Some((text, before));
    }
}

/// Rings for what waits, if it may be rung now.
pub(super) fn ring(model: &mut Model, tasks: &mut Vec<Task>) {
    if due_in(model) != Some(0) {
        return;
    }
    if let Some((text, before)) = model.notices.waiting.take() {
        model.notices.rung_at = Some(model.at.mono);
        let text = match before {
            0 => format!("postroom: {text}"),
            more => format!("postroom: {text}, and {more} more"),
        };
        tasks.push(Task::Notify(text));
    }
}

/// Milliseconds until the terminal may be rung for what waits; none when nothing does.
pub(super) fn due_in(model: &Model) -> Option<u64> {
    model.notices.waiting.as_ref()?;
    let since = model
        .notices
        .rung_at
        .map(|rung| model.at.millis_since(rung));
    let pause = model.settings.notices.pause.as_millis();
    let pause = u64::try_from(pause).unwrap_or(0);
    Some(since.map_or(0, |since| pause.saturating_sub(since)))
}
