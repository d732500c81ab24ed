//! The filter of each desk: what was typed, and what the desk is asked.

use crate::console::action::place::Place;
use crate::console::filter::Filter;
use crate::console::model::desks::Inbox;
use crate::console::model::reads::Slot;
use crate::console::model::scan::Scan;
use crate::console::model::{Model, Weight};
use crate::domain::status::State;
use crate::store::query::{IntentFilter, ThreadFilter};

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

/// Sets the filter of a desk.
///
/// # Errors
/// A sentence about what makes no sense; the old filter stays.
pub(super) fn apply(model: &mut Model, place: Place, text: &str) -> Result<(), String> {
    let mut filter = Filter::parse(text)?;
    let home = model.home();
    let now = model.at.wall;
    match place {
        Place::Inbox => {
            filter.here(place)?;
            model.inbox.wanted = Some(threads(model, &filter));
            model.inbox.filter = filter;
            model.inbox.tasks.reset();
            model.reads.hurry(Slot::Tasks);
        }
        Place::Intents => {
            let wanted = filter.intents(&home, now)?;
            let is_sifted = !filter.rest.is_empty() || !wanted.contains.is_empty();
            model.intents.scan = is_sifted.then(|| Scan::new(total_of(model, &wanted)));
            model.intents.wanted = wanted;
            model.intents.filter = filter;
            model.intents.rows.reset();
            model.reads.hurry(Slot::Intents);
            model.reads.hurry(Slot::MoreIntents);
        }
        Place::Attempts => {
            model.attempts.wanted = filter.attempts(&home, now)?;
            model.attempts.scan = (!filter.rest.is_empty()).then(|| Scan::new(None));
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
            filter.here(place)?;
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

/// How many intents a scan looks at, where the counters tell.
fn total_of(model: &Model, wanted: &IntentFilter) -> Option<u64> {
    let counted = IntentFilter {
        contains: Vec::new(),
        states: Vec::new(),
        ..wanted.clone()
    };
    if counted != IntentFilter::default() {
        return None;
    }
    let states = model.overview.as_ref()?.states;
    let of = State::ALL.into_iter().zip(states);
    let is_wanted = |state| wanted.states.is_empty() || wanted.states.contains(&state);
    Some(
        of.filter(|(state, _)| is_wanted(*state))
            .map(|(_, count)| count)
            .sum(),
    )
}

/// What the desk is asked for: open tasks, unless `state:` says otherwise.
fn threads(model: &Model, filter: &Filter) -> ThreadFilter {
    let mut wanted = Inbox::open_tasks();
    match filter.value("state") {
        Some("decided" | "closed") => {
            wanted.is_pending = Some(false);
            wanted.is_due_first = false;
        }
        Some("all") => {
            wanted.is_pending = None;
            wanted.is_due_first = false;
        }
        _ => {}
    }
    if filter.value("is") == Some("mine") {
        wanted.owner = model.identity().cloned();
    }
    wanted
}
