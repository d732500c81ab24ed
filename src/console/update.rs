//! The reducer: an event changes the model, and what should be done about it comes back as tasks.
//!
//! 1. No clock, no input, no output, no channel: the same events give the same model.
//! 2. A task that acts exists only because of an action that asks for it, never because of a paste, a
//!    key repeat, or a key that came before the operator can have seen what it would do.
//! 3. Reading is planned here as well: what is looked at is read again when it changed.
//!
//! Not here: keys (`keymap`), how it looks (`view`). Tested with keys in and tasks out.

mod acts;
mod agents;
mod bulk;
mod columns;
mod comparing;
mod copy;
pub(crate) mod crumbs;
mod decide;
mod editing;
mod effect;
mod explain;
mod export;
mod fates;
mod filter;
mod gathering;
mod groups;
pub(crate) mod handing;
pub(crate) mod intent;
mod jobs;
mod keys;
mod log;
mod mouse;
mod moves;
mod navigate;
mod news;
mod notices;
pub(crate) mod offer;
pub(crate) mod order;
mod overlays;
pub(crate) mod palette;
mod panels;
mod plan;
pub(crate) mod proposals;
mod scopes;
pub(crate) mod sifting;
pub(crate) mod sorting;
mod views;

pub(crate) use acts::seconds_left;
pub(crate) use comparing::under_cursor as compared_under_cursor;
pub(crate) use decide::hold_of;
pub(crate) use effect::effect_of;
pub(crate) use filter::of as filter_of;

use std::sync::Arc;

use crossterm::event::KeyCode;

use crate::console::event::Event;
use crate::console::model::{Drawn, FOLLOWS_AFTER_MS, Model, Weight};
use crate::console::task::{Moment, News, Task};
use crate::telemetry::LogLine;

/// How long an answer about the background counts; a theme that changes later would surprise.
const BACKGROUND_MS: u64 = 100;

/// What the reducer is told.
#[derive(Debug)]
pub(crate) enum Input {
    /// From the terminal.
    Terminal(Event),
    /// From the feed.
    News(Box<News>),
    /// Time has passed.
    Tick,
    /// The log has new lines.
    Log(Vec<Arc<LogLine>>),
    /// What the operator's editor left, or why nothing.
    Edited(Result<String, String>),
    /// A frame was drawn.
    Drawn(Drawn),
    /// The channel to the feed is full; this was not taken.
    Refused(Box<Task>),
}

/// Takes one event.
pub(crate) fn update(model: &mut Model, at: Moment, input: Input) -> Vec<Task> {
    model.at = at;
    let mut tasks = Vec::new();
    match input {
        Input::Terminal(event) => terminal(model, event, &mut tasks),
        Input::News(news) => news::take(model, *news, &mut tasks),
        Input::Tick => {}
        Input::Log(lines) => log::take(model, &lines),
        Input::Edited(edited) => editing::take(model, edited),
        Input::Drawn(drawn) => take_frame(model, drawn),
        Input::Refused(task) => refused(model, &task),
    }
    expire(model);
    decide::keep_draft(model);
    notices::ring(model, &mut tasks);
    plan::plan(model, &mut tasks);
    tasks
}

/// Milliseconds until the model changes by itself; the loop wakes then.
pub(crate) fn wake_in(model: &Model) -> u64 {
    let held = model.held_now().first().map(|held| {
        let left = held.effective_at.since(model.at.wall).as_millis();
        // The countdown shows whole seconds: wake when the number changes.
        u64::try_from(left % 1_000).unwrap_or(0) + 1
    });
    let follows = if model.pressed.keys.is_empty() {
        u64::MAX
    } else {
        let since = model.at.millis_since(model.pressed.since);
        FOLLOWS_AFTER_MS
            .checked_sub(since)
            .map_or(u64::MAX, |left| left.max(1))
    };
    let draft = decide::draft_due_in(model).map_or(u64::MAX, |left| left.max(1));
    plan::due_in(model)
        .min(draft)
        .min(notices::due_in(model).map_or(u64::MAX, |left| left.max(1)))
        .min(held.unwrap_or(u64::MAX))
        .min(follows)
        .min(1_000)
}

fn terminal(model: &mut Model, event: Event, tasks: &mut Vec<Task>) {
    match event {
        Event::Key(key) if model.is_aside => {
            if key.code == KeyCode::Enter {
                model.is_aside = false;
                model.reads.touch_all();
                tasks.push(Task::Return);
            }
        }
        Event::Paste(_) | Event::Mouse(_) if model.is_aside => {}
        Event::Background(colour) => take_background(model, colour),
        Event::Key(key) => keys::key(model, key, tasks),
        Event::Paste(text) => keys::paste(model, &text),
        Event::Mouse(mouse) => mouse::mouse(model, mouse, tasks),
        Event::Resize { width, height } => model.size = (width, height),
        Event::Focus(has_it) => notices::focus(model, has_it),
        Event::Tick(_) => {}
        Event::InputEnded(reason) => {
            model.gone = Some(reason);
            model.is_ending = true;
        }
    }
}

/// The terminal's background, which chooses the theme of those who leave that to us, unless it comes late.
fn take_background(model: &mut Model, [red, green, blue]: [u8; 3]) {
    let Some(since) = model.asked_background.take() else {
        return;
    };
    if model.at.millis_since(since) > BACKGROUND_MS {
        return;
    }
    // Rec. 601: what an eye makes of the three.
    let light = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
    let name = if light > 127_500 { "paper" } else { "midnight" };
    name.clone_into(&mut model.theme);
}

fn take_frame(model: &mut Model, drawn: Drawn) {
    use crate::console::action::place::Place;
    let height = |pane: usize| drawn.heights.get(&pane).copied();
    if model.view.intent.is_none() {
        match (model.view.place, height(0)) {
            (Place::Overview | Place::Agents, Some(lines)) => model.agents.rows.set_height(lines),
            (Place::Inbox, Some(lines)) => model.inbox.tasks.set_height(lines),
            (Place::Intents, Some(lines)) => model.intents.rows.set_height(lines),
            (Place::Attempts, Some(lines)) => model.attempts.rows.set_height(lines),
            (Place::Jobs, Some(lines)) => model.jobs.rows.set_height(lines),
            (Place::Audit, Some(lines)) => model.audit.rows.set_height(lines),
            (Place::DeadLetters, Some(lines)) => model.dead.groups.set_height(lines),
            _ => {}
        }
        if let (Place::DeadLetters, Some(lines)) = (model.view.place, height(1)) {
            model.dead.letters.set_height(lines);
        }
    }
    model.drawn = drawn;
}

fn refused(model: &mut Model, task: &Task) {
    match task {
        Task::Read(query) => model.reads.ended(plan::slot_of(query), None),
        Task::Act(ticket, _) | Task::Order(ticket, _) => {
            if let Some(sent) = model.sent.remove(ticket) {
                model.say(
                    Weight::Error,
                    format!("{}: not sent, the desk is busy", sent.what),
                );
            }
        }
        Task::Export(order) => {
            let text = format!("{}: not written, the desk is busy", order.path);
            model.say(Weight::Error, text);
        }
        Task::Copy(_)
        | Task::Edit(_)
        | Task::Redraw
        | Task::Record
        | Task::Suspend
        | Task::Return
        | Task::Bell
        | Task::Notify(_)
        | Task::Quit => {}
    }
}

/// Drops what is final by now.
fn expire(model: &mut Model) {
    let now = model.at.wall;
    let before = model.staged.len();
    model.staged.retain(|staged| staged.effective_at > now);
    let held = model.held.len();
    model.held.retain(|held| held.effective_at > now);
    if before != model.staged.len() || held != model.held.len() {
        model.reads.touch_all();
    }
}
