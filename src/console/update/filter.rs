//! The filter of each desk: what was typed, and what the desk is asked.

use crate::console::action::place::Place;
use crate::console::filter::{
    AGENT_TERMS, ATTEMPT_TERMS, AUDIT_TERMS, Filter, INTENT_TERMS, LETTER_TERMS, TASK_TERMS,
};
use crate::console::model::desks::Inbox;
use crate::console::model::reads::Slot;
use crate::console::model::{Model, Weight};
use crate::desk::rows::{AgentRow, TaskRow};
use crate::store::query::ThreadFilter;

/// The filter line of a desk.
pub(crate) fn of(model: &Model, place: Place) -> Option<&Filter> {
    match place {
        Place::Inbox => Some(&model.inbox.filter),
        Place::Intents => Some(&model.intents.filter),
        Place::Attempts => Some(&model.attempts.filter),
        Place::DeadLetters => Some(&model.dead.filter),
        Place::Agents => Some(&model.agents.filter),
        Place::Audit => Some(&model.audit.filter),
        Place::Overview | Place::Jobs => None,
    }
}

/// The terms that a desk knows.
pub(crate) const fn terms(place: Place) -> &'static [&'static str] {
    match place {
        Place::Inbox => TASK_TERMS,
        Place::Intents => INTENT_TERMS,
        Place::Attempts => ATTEMPT_TERMS,
        Place::DeadLetters => LETTER_TERMS,
        Place::Agents => AGENT_TERMS,
        Place::Audit => AUDIT_TERMS,
        Place::Overview | Place::Jobs => &[],
    }
}

/// Sets the filter of a desk.
///
/// # Errors
/// A sentence about what makes no sense; the old filter stays.
pub(super) fn apply(model: &mut Model, place: Place, text: &str) -> Result<(), String> {
    let filter = Filter::parse(text)?;
    let home = model.home();
    let now = model.at.wall;
    match place {
        Place::Inbox => {
            filter.check(TASK_TERMS)?;
            model.inbox.wanted = Some(threads(model, &filter)?);
            model.inbox.filter = filter;
            model.inbox.tasks.reset();
            model.reads.hurry(Slot::Tasks);
        }
        Place::Intents => {
            model.intents.wanted = filter.intents(&home, now)?;
            model.intents.filter = filter;
            model.intents.rows.reset();
            model.reads.hurry(Slot::Intents);
            model.reads.hurry(Slot::MoreIntents);
        }
        Place::Attempts => {
            model.attempts.wanted = filter.attempts(&home, now)?;
            model.attempts.filter = filter;
            model.attempts.rows.reset();
            model.reads.hurry(Slot::Attempts);
            model.reads.hurry(Slot::MoreAttempts);
        }
        Place::DeadLetters => {
            model.dead.wanted = filter.letters(&home, now)?;
            model.dead.filter = filter;
            model.dead.groups.reset();
            model.dead.letters.reset();
            model.dead.letters_of = None;
            model.reads.hurry(Slot::Groups);
        }
        Place::Agents => {
            filter.check(AGENT_TERMS)?;
            model.agents.filter = filter;
            model.agents.rows.reset();
            model.reads.hurry(Slot::Agents);
        }
        Place::Audit => {
            model.audit.wanted = filter.audit(&home, now)?;
            model.audit.filter = filter;
            model.audit.rows.reset();
            model.reads.hurry(Slot::Audit);
            model.reads.hurry(Slot::MoreAudit);
        }
        Place::Overview | Place::Jobs => {
            return Err("this desk has no list to filter".to_owned());
        }
    }
    Ok(())
}

/// Sets the filter of a desk and says so if that fails.
pub(super) fn set(model: &mut Model, place: Place, text: &str) {
    if let Err(problem) = apply(model, place, text) {
        model.say(Weight::Warn, problem);
    }
}

/// `//`: no filter any more.
pub(super) fn clear(model: &mut Model) {
    model.overlay = None;
    let place = model.view.place;
    match apply(model, place, "") {
        Ok(()) => model.say(Weight::Info, "filter cleared"),
        Err(problem) => model.say(Weight::Warn, problem),
    }
}

/// What the desk is asked for: open tasks, unless `state:` says otherwise.
fn threads(model: &Model, filter: &Filter) -> Result<ThreadFilter, String> {
    let mut wanted = Inbox::open_tasks();
    match filter.value("state") {
        None | Some("open" | "pending") => {}
        Some("decided" | "closed") => {
            wanted.is_pending = Some(false);
            wanted.is_due_first = false;
        }
        Some("all") => {
            wanted.is_pending = None;
            wanted.is_due_first = false;
        }
        Some(other) => {
            return Err(format!(
                "state:{other} is not known; state: takes open, decided, all"
            ));
        }
    }
    match filter.value("is") {
        None | Some("overdue" | "held") => {}
        Some("mine") => wanted.owner = model.identity().cloned(),
        Some(other) => {
            return Err(format!(
                "is:{other} is not known; is: takes mine, overdue, held"
            ));
        }
    }
    Ok(wanted)
}

/// The tasks that a filter lets through.
pub(super) fn tasks(filter: &Filter, mut tasks: Vec<TaskRow>) -> Vec<TaskRow> {
    if filter.is_empty() {
        return tasks;
    }
    let task_type = filter.value("type").map(str::to_owned);
    let from = filter.value("from").map(str::to_owned);
    let is = filter.value("is").map(str::to_owned);
    tasks.retain(|task| {
        let text = format!(
            "{} {} {} {}",
            task.title, task.intent, task.from, task.intent_type
        );
        filter.words_match(&text)
            && task_type
                .as_ref()
                .is_none_or(|wanted| task.task_type.starts_with(wanted))
            && from
                .as_ref()
                .is_none_or(|wanted| task.from.key().contains(wanted.as_str()))
            && match is.as_deref() {
                Some("overdue") => task.is_overdue,
                Some("held") => task.held.is_some(),
                _ => true,
            }
    });
    tasks
}

/// The agents that a filter lets through.
pub(super) fn agents(filter: &Filter, mut agents: Vec<AgentRow>) -> Vec<AgentRow> {
    if filter.is_empty() {
        return agents;
    }
    let state = filter.value("state").map(str::to_owned);
    let binding = filter.value("binding").map(str::to_owned);
    agents.retain(|agent| {
        filter.words_match(agent.address.key())
            && state
                .as_ref()
                .is_none_or(|wanted| agent.state.name() == wanted)
            && binding
                .as_ref()
                .is_none_or(|wanted| agent.binding.name() == wanted)
    });
    agents
}
