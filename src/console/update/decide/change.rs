//! What changed under an open strip, in words.

use serde_json::Value;

use crate::console::compare::compare;
use crate::console::format;
use crate::console::model::Model;
use crate::console::model::strip::{Change, Strip};
use crate::console::task::Moment;
use crate::desk::rows::{TaskRow, ThreadView};

/// Changes of a payload that are named.
const CHANGES_MAX: usize = 6;

/// The task under an open strip was read again. Says whether it changed or has gone, so that its thread is
/// wanted: it tells by whom.
pub(in crate::console::update) fn task_came(
    strip: &mut Strip,
    task: Option<&TaskRow>,
    at: Moment,
) -> bool {
    let Some(task) = task else {
        let is_news = !strip.is_overtaken && !strip.is_sent;
        if is_news {
            strip.is_overtaken = true;
            strip.armed_from = at.mono;
            strip.problem = Some("the task has left the inbox: decided or withdrawn".to_owned());
        }
        return is_news;
    };
    strip.task.clone_from(task);
    if task.version > strip.version {
        strip.version = task.version;
        strip.armed_from = at.mono;
        strip.is_change_shown = false;
        strip.change = Some(difference(strip, None));
        return true;
    }
    false
}

/// The thread of the task under an open strip was read.
pub(in crate::console::update) fn thread_came(model: &mut Model) {
    let now = model.at.mono;
    let (Some(strip), Some(thread)) = (&mut model.strip, &model.inbox.thread) else {
        return;
    };
    if thread.row.thread != strip.task.thread {
        return;
    }
    if let (Some(decision), false) = (&thread.row.decision, strip.is_sent) {
        let ago = format::age_short(model.at.wall.since(decision.at));
        let words = decision.comment.as_ref();
        let words = words.map_or_else(String::new, |words| format!(": \"{words}\""));
        let (who, outcome) = (name_of(&decision.by), &decision.outcome);
        strip.is_overtaken = true;
        strip.problem = Some(format!("{who} {outcome} this {ago} ago{words}"));
        return;
    }
    let is_first = strip.payload.is_none();
    strip.read(thread, now);
    if is_first {
        if let Some(draft) = model.drafts.get(&strip.intent)
            && strip.typed_at.is_none()
        {
            strip.restore(draft);
        }
        return;
    }
    let payload = thread.payload.to_value();
    if strip.payload.as_ref() != Some(&payload) {
        strip.payload = Some(payload);
        strip.armed_from = now;
        strip.is_change_shown = false;
        strip.change = Some(difference(strip, Some(thread)));
    } else if strip.change.is_some() && !strip.is_change_shown {
        strip.change = Some(difference(strip, Some(thread)));
    }
}

/// Ctrl-R in the strip: shows what changed and arms Enter again.
pub(in crate::console::update) fn show(model: &mut Model) {
    let now = model.at.mono;
    let events = model
        .inbox
        .thread
        .as_ref()
        .map(|thread| thread.timeline.len());
    if let Some(strip) = &mut model.strip {
        if strip.change.is_some() {
            strip.is_change_shown = true;
            strip.armed_from = now;
            strip.problem = None;
            strip.seen = (strip.task.clone(), strip.payload.clone());
            strip.events = events.unwrap_or(strip.events);
        } else {
            strip.problem = Some("nothing changed since the strip opened".to_owned());
        }
    }
}

fn difference(strip: &Strip, thread: Option<&ThreadView>) -> Change {
    let (before, payload) = &strip.seen;
    let now = &strip.task;
    let mut all = Vec::new();
    if let (Some(before), Some(now)) = (payload, &strip.payload) {
        all.extend(of_payload(before, now));
    }
    all.extend(of_task(before, now));
    let news = thread.map(|thread| thread.timeline.get(strip.events..).unwrap_or_default());
    let news = news.unwrap_or_default();
    for event in news {
        if let Some(text) = &event.text {
            all.push(format!("{}: {text}", name_of(&event.actor)));
        }
    }
    if all.is_empty() {
        all.push(format!("version {} → {}", before.version, now.version));
    }
    let who = news
        .last()
        .map_or("somebody", |event| name_of(&event.actor));
    let first = all.first().cloned().unwrap_or_default();
    Change {
        line: format!("{who}: {first}"),
        all,
    }
}

fn name_of(actor: &str) -> &str {
    actor.rsplit('/').next().unwrap_or(actor)
}

fn of_payload(before: &Value, now: &Value) -> Vec<String> {
    let differences = compare(before, now).differences;
    let none = || "nothing".to_owned();
    differences
        .into_iter()
        .take(CHANGES_MAX)
        .map(|one| {
            let path = one.path.trim_start_matches(['.', '/', '$']).to_owned();
            let (before, after) = (
                one.before.unwrap_or_else(none),
                one.after.unwrap_or_else(none),
            );
            let plain = |text: String| text.trim_matches('"').to_owned();
            format!("{path} {} → {}", plain(before), plain(after))
        })
        .collect()
}

fn of_task(before: &TaskRow, now: &TaskRow) -> Vec<String> {
    let mut parts = Vec::new();
    if before.title != now.title {
        parts.push(format!("{} → {}", before.title, now.title));
    }
    if before.description != now.description {
        parts.push("another description".to_owned());
    }
    if before.due_at != now.due_at || before.deadline != now.deadline {
        parts.push("another due time".to_owned());
    }
    if before.delegated_to != now.delegated_to {
        let holder = now
            .delegated_to
            .as_deref()
            .map_or(now.owner.name(), name_of);
        parts.push(format!("now with {holder}"));
    }
    if before.outcomes != now.outcomes {
        parts.push(format!("outcomes {}", now.outcomes.join(", ")));
    }
    if before.is_comment_required != now.is_comment_required {
        parts.push("whether a comment is required".to_owned());
    }
    parts
}
