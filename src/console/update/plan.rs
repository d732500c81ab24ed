//! What is read next: the slots of what is on the screen, when they are due.

use crate::console::action::place::Place;
use crate::console::model::Model;
use crate::console::model::desks::Inbox;
use crate::console::model::detail::Sheet;
use crate::console::model::overlay::Overlay;
use crate::console::model::reads::Slot;
use crate::console::model::scan::Scan;
use crate::console::rows::{Row, Window};
use crate::console::task::{Query, Task};
use crate::store::query::{LetterFilter, PageRequest};

/// Rows of a page; three screens of 120x36 and a little more.
const PAGE: u32 = 100;
/// Rows of a list that is read whole.
const WHOLE: u32 = 200;

/// Asks for what is due.
pub(super) fn plan(model: &mut Model, tasks: &mut Vec<Task>) {
    if model.is_aside {
        return;
    }
    follow_cursors(model);
    let now = model.at.mono;
    for slot in wanted(model) {
        if !model.reads.is_due(slot, now) {
            continue;
        }
        if let Some(query) = query_of(model, slot) {
            model.reads.started(slot, now);
            tasks.push(Task::Read(Box::new(query)));
        }
    }
}

/// Milliseconds until something is due.
pub(super) fn due_in(model: &Model) -> u64 {
    if model.is_aside {
        return u64::MAX;
    }
    let now = model.at.mono;
    wanted(model)
        .into_iter()
        .filter(|slot| query_of(model, *slot).is_some())
        .map(|slot| model.reads.due_in(slot, now))
        .min()
        .unwrap_or(u64::MAX)
}

/// The slots of what is on the screen.
fn wanted(model: &Model) -> Vec<Slot> {
    let mut slots = Vec::with_capacity(6);
    if model.hello.is_none() {
        slots.push(Slot::Hello);
    }
    slots.extend([Slot::Overview, Slot::Held]);
    let names_agents = match &model.overlay {
        Some(Overlay::Palette(_)) => true,
        Some(Overlay::Panel(panel)) => super::handing::needs_agents(panel),
        _ => false,
    };
    if names_agents || super::decide::people::are_needed(model) {
        slots.push(Slot::Agents);
    }
    if super::order::awaited(model).is_some() {
        slots.push(Slot::Plan);
    }
    let has_tasks = matches!(model.view.place, Place::Overview | Place::Inbox);
    if model.view.intent.is_some() || !has_tasks {
        slots.push(Slot::OpenTasks);
    }
    if model.view.intent.is_some() {
        slots.push(Slot::Intent);
        if model.detail.sheet == Sheet::Lineage {
            slots.push(Slot::Family);
        }
        return slots;
    }
    if model.paused.is_some() {
        return slots;
    }
    slots.extend(match model.view.place {
        Place::Overview => &[Slot::Agents, Slot::Tasks, Slot::Groups][..],
        Place::Inbox => &[Slot::Tasks, Slot::Thread],
        Place::Intents => &[Slot::Intents, Slot::MoreIntents],
        Place::Attempts => &[Slot::Attempts, Slot::MoreAttempts],
        Place::DeadLetters => &[Slot::Groups, Slot::Letters, Slot::MoreLetters],
        Place::Agents => &[Slot::Agents, Slot::AgentAttempts, Slot::Activity],
        Place::Jobs => &[Slot::Jobs, Slot::MoreJobs, Slot::Job],
        Place::Audit => &[Slot::Audit, Slot::MoreAudit],
    });
    slots.dedup();
    slots
}

/// The question of a slot; none when there is nothing to ask.
fn query_of(model: &Model, slot: Slot) -> Option<Query> {
    let first = |limit| PageRequest {
        limit,
        cursor: None,
    };
    let next = |cursor: Option<&str>| {
        cursor.map(|cursor| PageRequest {
            limit: PAGE,
            cursor: Some(cursor.to_owned()),
        })
    };
    Some(match slot {
        Slot::Hello => Query::Hello,
        Slot::Overview => Query::Overview,
        Slot::Held => Query::Held,
        Slot::Agents => Query::Agents,
        Slot::AgentAttempts => Query::AgentAttempts(model.agents.attempts_of.clone()?),
        Slot::Activity => Query::Agent(model.agents.attempts_of.clone()?),
        Slot::Tasks if model.view.place == Place::Overview => {
            Query::Tasks(Inbox::open_tasks(), first(WHOLE))
        }
        Slot::Tasks => Query::Tasks(model.inbox.query(), first(WHOLE)),
        Slot::OpenTasks => Query::OpenTasks(Inbox::open_tasks(), first(WHOLE)),
        Slot::Thread => Query::Thread(model.inbox.tasks.cursor_row()?.thread),
        Slot::Intents => Query::Intents(
            model.intents.wanted.clone(),
            first(page_of(model.intents.scan.as_ref())),
        ),
        Slot::MoreIntents => {
            let page = next_of(&model.intents.rows, model.intents.scan.as_ref())?;
            Query::Intents(model.intents.wanted.clone(), page)
        }
        Slot::Intent => Query::Intent(model.view.intent?),
        Slot::Family => {
            let intent = model.detail.intent.as_ref()?;
            Query::Family {
                of: intent.row.id,
                origin: intent.origin,
                correlation: intent.row.correlation_id.clone(),
            }
        }
        Slot::Attempts => Query::Attempts(
            model.attempts.wanted.clone(),
            first(page_of(model.attempts.scan.as_ref())),
        ),
        Slot::MoreAttempts => {
            let page = next_of(&model.attempts.rows, model.attempts.scan.as_ref())?;
            Query::Attempts(model.attempts.wanted.clone(), page)
        }
        Slot::Groups if model.view.place == Place::Overview => {
            Query::Groups(LetterFilter::default())
        }
        Slot::Groups => Query::Groups(model.dead.wanted.clone()),
        Slot::Letters => Query::Letters(letters_of(model)?, first(PAGE)),
        Slot::MoreLetters if model.dead.letters.wants_more() => {
            Query::Letters(letters_of(model)?, next(model.dead.letters.next())?)
        }
        Slot::Jobs => Query::Jobs(first(PAGE)),
        Slot::MoreJobs if model.jobs.rows.wants_more() => {
            Query::Jobs(next(model.jobs.rows.next())?)
        }
        Slot::Job => Query::Job(model.jobs.job_of?),
        Slot::Plan => Query::Plan(Box::new(super::order::awaited(model)?.clone())),
        Slot::Audit => Query::Audit(model.audit.wanted.clone(), first(PAGE)),
        Slot::MoreAudit if model.audit.rows.wants_more() => {
            Query::Audit(model.audit.wanted.clone(), next(model.audit.rows.next())?)
        }
        Slot::MoreLetters | Slot::MoreJobs | Slot::MoreAudit => return None,
    })
}

/// Rows of a page: those of a scan, or those of a few screens.
fn page_of(scan: Option<&Scan>) -> u32 {
    scan.map_or(PAGE, |scan| scan.page)
}

/// The next page, where it is wanted: by a scan that runs, or by a cursor near the end.
fn next_of<T: Row>(rows: &Window<T>, scan: Option<&Scan>) -> Option<PageRequest> {
    let is_wanted = match scan {
        Some(scan) => scan.is_running() && rows.is_loaded(),
        None => rows.wants_more(),
    };
    let cursor = rows.next().filter(|_| is_wanted)?;
    Some(PageRequest {
        limit: page_of(scan),
        cursor: Some(cursor.to_owned()),
    })
}

/// The filter of the letters of the group under the cursor.
pub(super) fn letters_of(model: &Model) -> Option<LetterFilter> {
    model.dead.letters_filter()
}

/// The slot of a question.
pub(super) fn slot_of(query: &Query) -> Slot {
    match query {
        Query::Hello => Slot::Hello,
        Query::Overview => Slot::Overview,
        Query::Held => Slot::Held,
        Query::Agents => Slot::Agents,
        Query::Tasks(..) => Slot::Tasks,
        Query::OpenTasks(..) => Slot::OpenTasks,
        Query::Thread(_) => Slot::Thread,
        Query::Intents(_, page) if page.cursor.is_some() => Slot::MoreIntents,
        Query::Intents(..) | Query::Find(_) => Slot::Intents,
        Query::Intent(_) | Query::Pair(..) | Query::Source(_) => Slot::Intent,
        Query::Family { .. } => Slot::Family,
        Query::Attempts(_, page) if page.cursor.is_some() => Slot::MoreAttempts,
        Query::Attempts(..) => Slot::Attempts,
        Query::AgentAttempts(_) => Slot::AgentAttempts,
        Query::Agent(_) => Slot::Activity,
        Query::Groups(_) => Slot::Groups,
        Query::Letters(_, page) if page.cursor.is_some() => Slot::MoreLetters,
        Query::Letters(..) => Slot::Letters,
        Query::Jobs(page) if page.cursor.is_some() => Slot::MoreJobs,
        Query::Jobs(_) => Slot::Jobs,
        Query::Job(_) => Slot::Job,
        Query::Plan(_) => Slot::Plan,
        Query::Audit(_, page) if page.cursor.is_some() => Slot::MoreAudit,
        Query::Audit(..) => Slot::Audit,
    }
}

/// What stands beside a list belongs to the row under the cursor.
fn follow_cursors(model: &mut Model) {
    let group = model.dead.groups.cursor().cloned();
    if group.is_some() && group != model.dead.letters_of {
        model.dead.letters_of = group;
        model.dead.letters.reset();
        model.dead.letters.clear_marks();
        model.reads.switch(Slot::Letters);
    }
    let agent = model.agents.rows.cursor().cloned();
    if agent.is_some() && agent != model.agents.attempts_of {
        model.agents.attempts_of = agent;
        model.agents.attempts.clear();
        model.agents.view = None;
        model.reads.switch(Slot::AgentAttempts);
        model.reads.switch(Slot::Activity);
    }
    let job = model.jobs.rows.cursor().copied();
    if job.is_some() && job != model.jobs.job_of {
        model.jobs.job_of = job;
        model.jobs.job = None;
        model.jobs.item = 0;
        model.reads.switch(Slot::Job);
    }
    let thread = model.inbox.tasks.cursor_row().map(|task| task.thread);
    if thread.is_some() && thread != model.inbox.thread_of {
        model.inbox.thread_of = thread;
        model.inbox.thread = None;
        model.reads.switch(Slot::Thread);
    }
}
