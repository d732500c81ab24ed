//! Answers of the desk, committed facts, and what an act did.

use serde_json::Value;

use crate::console::format;
use crate::console::model::desks::{Inbox, Lane};
use crate::console::model::overlay::Overlay;
use crate::console::model::reads::Slot;
use crate::console::model::strip::Strip;
use crate::console::model::{Model, Sent, Staged, Weight};
use crate::console::task::{News, Query, Reply, Task, Ticket};
use crate::desk::act::Done;
use crate::desk::rows::{AgentRow, FeedRow, HeldRow, TaskRow};
use crate::desk::{DeskError, FeedPage};
use crate::domain::ids::IntentId;
use crate::domain::status::{State, Status};
use crate::domain::time::Timestamp;

use super::{
    acts, comparing, decide, export, fates, filter, gathering, handing, intent, jobs, notices,
    order, plan, sifting, sorting,
};

/// Takes what the feed brings.
pub(super) fn take(model: &mut Model, news: News, tasks: &mut Vec<Task>) {
    match news {
        News::Feed(Ok(page)) => feed(model, page),
        News::Feed(Err(error)) => feed_failed(model, &error),
        News::Answer(query, result) => match *result {
            Ok(reply) => {
                if !is_aside(&query) {
                    model.reads.ended(plan::slot_of(&query), None);
                }
                answer(model, &query, reply);
            }
            Err(error) => answer_failed(model, &query, &error),
        },
        News::Done(ticket, result) => done(model, ticket, result, tasks),
        News::Exported(path, result) => export::done(model, &path, result),
        News::Ordered(ticket, result) => jobs::ordered(model, ticket, *result, tasks),
    }
}

/// Questions that no slot asks again.
const fn is_aside(query: &Query) -> bool {
    matches!(query, Query::Find(_) | Query::Pair(..) | Query::Source(_))
}

fn feed(model: &mut Model, page: FeedPage) {
    let was_down = model.link.is_down();
    model.link.heard(model.at.mono);
    model.feed_head = Some(page.head);
    if was_down {
        model.say(Weight::Info, "the broker is back");
        model.hello = None;
        model.reads.hurry(Slot::Hello);
        model.reads.touch_all();
    }
    if page.rows.is_empty() {
        return;
    }
    let count = page.count();
    if let Some((_, missed)) = &mut model.paused {
        *missed = missed.saturating_add(count);
    }
    model.reads.touch_all();
    fates::follow(model, &page.rows);
    notices::facts(model, &page.rows);
    update_rows(model, &page.rows);
    let seconds = model.at.wall.as_seconds();
    model.tail.push(page, seconds);
}

/// A row on the screen learns its new status at once; the rest comes with the next read.
fn update_rows(model: &mut Model, facts: &[FeedRow]) {
    if model.paused.is_some() {
        return;
    }
    for fact in facts {
        let (Some(id), Some(status)) = (fact.intent, fact.status) else {
            continue;
        };
        for row in model.intents.rows.rows_mut() {
            if row.id == id && row.updated_at <= fact.at {
                row.status = status;
                row.updated_at = fact.at;
                row.state = match status {
                    Status::Completed => State::Completed,
                    Status::Failed | Status::Canceled | Status::TimedOut => State::Failed,
                    _ => row.state,
                };
            }
        }
    }
}

fn feed_failed(model: &mut Model, error: &DeskError) {
    let is_first = !model.link.is_down();
    model.link.failed(model.at.mono, error.to_string());
    if is_first {
        notices::link_lost(model, format!("could not {error}"));
    }
}

fn answer_failed(model: &mut Model, query: &Query, error: &DeskError) {
    let text = match error {
        DeskError::Refused { message, .. } => message.clone(),
        other => format!("could not {other}"),
    };
    if let Query::Intent(id) = query
        && model.detail.id == Some(*id)
    {
        model.detail.error = Some(text.clone());
    }
    if let Query::Plan(asked) = query {
        order::plan_failed(model, asked, &text);
    }
    if let Query::Pair(id, _) = query {
        return comparing::failed(model, *id, text);
    }
    if let Query::Source(id) = query {
        return model.say(Weight::Warn, format!("{}: {text}", id.short()));
    }
    if let Query::Find(asked) = query {
        if let Some(Overlay::Palette(picker)) = &mut model.overlay {
            picker.found = Some((asked.clone(), Vec::new()));
            picker.problem = Some(text);
        }
        return;
    }
    let text = sifting::refused(model, query).unwrap_or(text);
    model.reads.ended(plan::slot_of(query), Some(text));
}

fn answer(model: &mut Model, query: &Query, reply: Reply) {
    match (query, reply) {
        (_, Reply::Hello(hello)) => {
            model.hello = Some(*hello);
            for (place, text) in std::mem::take(&mut model.waiting_filters) {
                filter::set(model, place, &text);
            }
        }
        (_, Reply::Overview(overview)) => {
            model.overview = Some(*overview);
            notices::numbers(model);
        }
        (_, Reply::Held(held)) => take_held(model, held),
        (_, Reply::Agents(agents)) => {
            take_agents(model, agents);
            decide::people::came(model);
        }
        (Query::Tasks(asked, _), Reply::Tasks(page)) => {
            if *asked == Inbox::open_tasks() {
                take_open(model, page.items.clone());
            }
            if *asked == model.inbox.query() {
                take_tasks(model, page.items);
            }
        }
        (Query::OpenTasks(..), Reply::Tasks(page)) => take_open(model, page.items),
        (Query::Thread(id), Reply::Thread(thread)) if model.inbox.thread_of == Some(*id) => {
            model.inbox.thread = Some(*thread);
            decide::change::thread_came(model);
        }
        (Query::Pair(id, with), Reply::Pair(pair)) => comparing::take(model, *id, *with, *pair),
        (Query::Source(id), Reply::Intent(view)) => acts::edit_source(model, *id, &view),
        (Query::Find(text), Reply::Intents(page)) => {
            if let Some(Overlay::Palette(picker)) = &mut model.overlay {
                let found = page.items.into_iter().map(|row| {
                    let about = format!("{} {} → {}", row.status, row.intent_type, row.to.name());
                    (row.id, about)
                });
                picker.found = Some((text.clone(), found.collect()));
            }
        }
        (query, reply) => list_answer(model, query, reply),
    }
}

/// The answers that fill windows.
fn list_answer(model: &mut Model, query: &Query, reply: Reply) {
    match (query, reply) {
        (Query::Intents(asked, page), Reply::Intents(answer)) if *asked == model.intents.wanted => {
            sifting::intents(model, page, answer);
        }
        (Query::Intent(id), Reply::Intent(intent)) if model.detail.id == Some(*id) => {
            model.detail.take(*intent);
        }
        (Query::Family { of, .. }, Reply::Family(rows)) if model.detail.id == Some(*of) => {
            model.detail.family = Some(rows);
        }
        (Query::Attempts(asked, page), Reply::Attempts(answer))
            if *asked == model.attempts.wanted =>
        {
            sifting::attempts(model, page, answer);
        }
        (Query::AgentAttempts(agent), Reply::Attempts(answer))
            if model.agents.attempts_of.as_ref() == Some(agent) =>
        {
            model.agents.attempts = answer.items;
        }
        (Query::Agent(agent), Reply::Agent(view))
            if model.agents.attempts_of.as_ref() == Some(agent) =>
        {
            model.agents.view = Some(*view);
        }
        (Query::Groups(asked), Reply::Groups(groups)) if *asked == model.dead.wanted => {
            model.dead.read = sifting::groups(model, groups);
            gathering::show(model);
        }
        (Query::Letters(asked, page), Reply::Letters(answer))
            if plan::letters_of(model).as_ref() == Some(asked) =>
        {
            sifting::letters(model, page, answer);
        }
        (Query::Audit(asked, page), Reply::Audit(answer)) if *asked == model.audit.wanted => {
            sifting::audit(model, page, answer);
        }
        (query, reply) => jobs::answer(model, query, reply),
    }
}

fn take_held(model: &mut Model, held: Vec<HeldRow>) {
    // An act that was staged a moment ago may not be in an answer that was asked for before it.
    let known: Vec<_> = held.iter().map(|held| held.hold).collect();
    let ours = model.held.iter().filter(|held| {
        !known.contains(&held.hold)
            && model
                .staged
                .iter()
                .any(|staged| staged.hold == held.hold && staged.is_new)
    });
    let ours: Vec<HeldRow> = ours.cloned().collect();
    model.held = held;
    model.held.extend(ours);
    for staged in &mut model.staged {
        staged.is_new = false;
    }
    let held = model.held.clone();
    model
        .staged
        .retain(|staged| held.iter().any(|held| held.hold == staged.hold));
}

fn take_agents(model: &mut Model, mut agents: Vec<AgentRow>) {
    sorting::agents(model, &mut agents);
    model.agents.all.clone_from(&agents);
    let shown = sifting::agents(model, agents);
    model
        .agents
        .rows
        .rank(shown, |_| "no longer in the filter".to_owned());
}

fn take_open(model: &mut Model, tasks: Vec<TaskRow>) {
    model.inbox.open = tasks;
    decide::people::came(model);
    notices::tasks(model);
}

fn take_tasks(model: &mut Model, tasks: Vec<TaskRow>) {
    if let Some(strip) = &mut model.strip {
        let task = tasks.iter().find(|task| task.intent == strip.intent);
        if decide::change::task_came(strip, task, model.at) {
            model.reads.hurry(Slot::Thread);
        }
    }
    model.inbox.read.clone_from(&tasks);
    let shown = shown_tasks(model, tasks);
    model.inbox.tasks.replace(shown, |task| match &task.held {
        Some(held) => format!("{} just now", held.act),
        None => "decided or withdrawn".to_owned(),
    });
}

/// The tasks of the lane and the filter, in their order.
fn shown_tasks(model: &Model, tasks: Vec<TaskRow>) -> Vec<TaskRow> {
    let mut shown = sifting::tasks(model, tasks);
    shown.retain(|task| handing::is_in_lane(model, model.inbox.lane, task));
    sorting::tasks(model, &mut shown);
    shown
}

/// `l`: the next lane. The cursor stays on its task where that is in the lane as well.
pub(super) fn next_lane(model: &mut Model) {
    let lane = match model.inbox.lane {
        Lane::All => Lane::Team,
        Lane::Team => Lane::Mine,
        Lane::Mine => Lane::All,
    };
    model.inbox.lane = lane;
    let tasks = model.inbox.read.clone();
    let shown = shown_tasks(model, tasks);
    model.inbox.tasks.reset();
    model
        .inbox
        .tasks
        .replace(shown, |_| "not in this lane".to_owned());
    model.say(
        Weight::Info,
        format!("lane {}: {}", lane.word(), lane.meaning()),
    );
}

fn done(model: &mut Model, ticket: Ticket, result: Result<Done, DeskError>, tasks: &mut Vec<Task>) {
    let Some(sent) = model.sent.remove(&ticket) else {
        return;
    };
    model.reads.touch_all();
    model.reads.hurry(Slot::Held);
    match result {
        Ok(done) => succeeded(model, &sent, &done),
        Err(error) => {
            failed(model, &sent, &error);
            tasks.push(Task::Bell);
        }
    }
}

fn succeeded(model: &mut Model, sent: &Sent, done: &Done) {
    let is_strip = model
        .strip
        .as_ref()
        .is_some_and(|strip| strip.is_sent && sent.intent == Some(strip.intent));
    if is_strip && let Some(strip) = model.strip.take() {
        forget_draft(model, &strip);
        if strip.outcome().is_some() && sent.moves == model.moves {
            decide::go_to_undecided(model, true);
        }
    }
    if let Some((id, path)) = &sent.reveals {
        return intent::revealed(model, *id, path);
    }
    if let Some(hold) = sent.undoes {
        model.staged.retain(|staged| staged.hold != hold);
        model.held.retain(|held| held.hold != hold);
        model.say(
            Weight::Info,
            format!("{}: taken back, nothing was done", sent.what),
        );
        return;
    }
    if let (Some(hold), Some(effective_at)) = (done.hold, done.effective_at) {
        stage(model, sent, done, hold, effective_at);
    } else {
        let made = done
            .new_intent
            .map(|id| format!(" as {}", id.short()))
            .unwrap_or_default();
        let made = match (sent.intent, done.intent) {
            (None, Some(id)) => format!(" as {}", id.short()),
            _ => made,
        };
        model.say(Weight::Info, format!("{}: done{made}", sent.what));
    }
}

/// The words were sent. A reply leaves alone what else was filled in.
fn forget_draft(model: &mut Model, strip: &Strip) {
    let mut draft = model.drafts.remove(&strip.intent).unwrap_or_default();
    if strip.outcome().is_none() {
        draft.0.remove("comment");
        if !draft.0.is_empty() {
            model.drafts.insert(strip.intent, draft);
        }
    }
    model.wants_keeping = true;
}

fn stage(
    model: &mut Model,
    sent: &Sent,
    done: &Done,
    hold: crate::domain::ids::HoldId,
    effective_at: Timestamp,
) {
    let intent = done.intent.or(sent.intent);
    if let Some(intent) = intent {
        model.awaited.push(hold, intent, sent.word.clone());
    }
    model.staged.push(Staged {
        hold,
        intent,
        word: sent.word.clone(),
        effective_at,
        batch: sent.batch,
        is_new: true,
    });
    let by = model
        .identity()
        .map(ToString::to_string)
        .unwrap_or_default();
    if let Some(intent) = intent
        && model.held.iter().all(|held| held.hold != hold)
    {
        model.held.push(HeldRow {
            hold,
            intent,
            act: sent.word.clone(),
            by,
            effective_at,
        });
    }
}

fn failed(model: &mut Model, sent: &Sent, error: &DeskError) {
    let (text, is_conflict) = match error {
        DeskError::Refused {
            code,
            message,
            details,
        } => {
            let is_conflict = matches!(
                code.as_str(),
                "already_decided" | "task_version_stale" | "intent_terminal" | "task_not_pending"
            );
            (conflict(message, details, model.at.wall), is_conflict)
        }
        other => (format!("could not {other}"), false),
    };
    decide::refused(model, sent.intent, &text, is_conflict);
    model.say(Weight::Warn, format!("{}: {text}", sent.what));
}

/// Who won, when and with what, where the refusal says so; else its sentence.
pub(super) fn conflict(message: &str, details: &Value, now: Timestamp) -> String {
    let decision = details
        .get("decision")
        .filter(|one| one.is_object())
        .unwrap_or(details);
    let text = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| decision.get(*name))
            .and_then(Value::as_str)
    };
    let (Some(by), Some(outcome)) = (
        text(&["by", "decided_by", "actor"]),
        text(&["outcome", "decision"]),
    ) else {
        return message.to_owned();
    };
    let name = by.rsplit('/').next().unwrap_or(by);
    let when = text(&["at", "decided_at"])
        .and_then(|at| at.parse::<Timestamp>().ok())
        .map(|at| format!(" {} ago", format::age_short(now.since(at))))
        .unwrap_or_default();
    let words = text(&["comment"])
        .map(|words| format!(": \"{words}\""))
        .unwrap_or_default();
    format!("{name} {outcome} this{when}{words}")
}

/// Whether an act on an intent is known to be under way or held.
pub(super) fn is_taken(model: &Model, intent: IntentId) -> bool {
    model.is_sent(intent) || model.held_on(intent).is_some()
}
