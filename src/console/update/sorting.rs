//! The order of lists that come whole: agents, groups of dead letters, tasks. Lists that come page by
//! page have the one order their pages have.

use std::cmp::Ordering;

use crate::console::action::place::Place;
use crate::console::model::reads::Slot;
use crate::console::model::{Model, Weight};
use crate::desk::rows::{AgentRow, LetterGroupRow, TaskRow};

/// The place of `last` among the orders of dead letters.
pub(super) const BY_LAST: usize = 1;

/// The orders of a desk's list, the usual one first; none where there is only one.
pub(crate) const fn orders(place: Place) -> &'static [&'static str] {
    match place {
        Place::Overview | Place::Agents => {
            &["worst first", "name", "out/s", "errors", "lag", "queued"]
        }
        Place::DeadLetters => &["count", "last", "first", "agent"],
        Place::Inbox => &["due", "age", "type", "sender"],
        Place::Intents | Place::Attempts | Place::Jobs | Place::Audit => &[],
    }
}

/// The overview shows the agents in their desk's order.
const fn desk_of(place: Place) -> Place {
    match place {
        Place::Overview => Place::Agents,
        other => other,
    }
}

/// The order in force, and whether it is reversed.
fn order(model: &Model, place: Place) -> (usize, bool) {
    let order = model
        .orders
        .get(&desk_of(place))
        .copied()
        .unwrap_or_default();
    let is_known = order.by < orders(place).len();
    (if is_known { order.by } else { 0 }, order.is_reversed)
}

/// The order in force as it stands in a title: `count` and whether it goes down.
pub(crate) fn words(model: &Model, place: Place) -> (&'static str, bool) {
    let (by, is_reversed) = order(model, place);
    let word = orders(place).get(by).copied().unwrap_or("newest");
    // Names and what is due go up, numbers go down.
    let goes_up = matches!(word, "name" | "agent" | "due" | "type" | "sender");
    (word, goes_up == is_reversed)
}

/// `s` and `S`: the next order, or the same one from its other end.
pub(super) fn turn(model: &mut Model, is_reversing: bool) {
    let place = model.view.place;
    let all = orders(place);
    if all.is_empty() || model.view.intent.is_some() {
        let text = "this list comes page by page and has one order: newest first";
        return model.say(Weight::Info, text);
    }
    let order = model.orders.entry(desk_of(place)).or_default();
    if is_reversing {
        order.is_reversed = !order.is_reversed;
    } else {
        order.by = (order.by + 1) % all.len();
        order.is_reversed = false;
    }
    sorted(model, place);
}

/// A click on a heading: sorts by that column, or turns its order round when it is in force.
pub(super) fn by_heading(model: &mut Model, title: &str) {
    let place = model.view.place;
    let wanted = match (desk_of(place), title) {
        (Place::Agents, "AGENT") => "name",
        (Place::Agents, "STATE") => "worst first",
        (Place::Agents, "ERR%") => "errors",
        (_, other) => &other.to_lowercase(),
    };
    let Some(by) = orders(place).iter().position(|one| *one == wanted) else {
        let known = match orders(place) {
            [] => "newest first alone, since it comes page by page".to_owned(),
            all => all.join(", "),
        };
        let text = format!(
            "no order by {}; this list knows {known}",
            title.to_lowercase()
        );
        return model.say(Weight::Info, text);
    };
    let (in_force, is_reversed) = order(model, place);
    let order = model.orders.entry(desk_of(place)).or_default();
    order.by = by;
    order.is_reversed = by == in_force && !is_reversed;
    sorted(model, place);
}

fn sorted(model: &mut Model, place: Place) {
    let (word, goes_down) = words(model, place);
    let way = if goes_down { "down" } else { "up" };
    model.say(Weight::Info, format!("sorted by {word}, going {way}"));
    for slot in [Slot::Agents, Slot::Groups, Slot::Tasks] {
        model.reads.hurry(slot);
    }
}

fn put<T>(rows: &mut [T], is_reversed: bool, compare: impl Fn(&T, &T) -> Ordering) {
    rows.sort_by(compare);
    if is_reversed {
        rows.reverse();
    }
}

/// Puts agents in order.
pub(super) fn agents(model: &Model, rows: &mut [AgentRow]) {
    let share = |agent: &AgentRow| agent.error_percent.unwrap_or(0.0);
    let (by, is_reversed) = order(model, Place::Agents);
    put(rows, is_reversed, |left, right| {
        let chosen = match by {
            1 => Ordering::Equal,
            2 => right.out_per_second.total_cmp(&left.out_per_second),
            3 => share(right).total_cmp(&share(left)),
            4 => right.lag_ms.cmp(&left.lag_ms),
            5 => right.queued.cmp(&left.queued),
            _ => left
                .state
                .cmp(&right.state)
                .then(share(right).total_cmp(&share(left)))
                .then(right.queued.cmp(&left.queued)),
        };
        chosen.then(left.address.cmp(&right.address))
    });
}

/// Puts groups of dead letters in order.
pub(super) fn groups(model: &Model, rows: &mut [LetterGroupRow]) {
    let (by, is_reversed) = order(model, Place::DeadLetters);
    put(rows, is_reversed, |left, right| {
        let chosen = match by {
            BY_LAST => right.last_at.cmp(&left.last_at),
            2 => right.first_at.cmp(&left.first_at),
            3 => left.to.cmp(&right.to),
            _ => right.count.cmp(&left.count),
        };
        chosen.then_with(|| left.fingerprint.cmp(&right.fingerprint))
    });
}

/// Puts tasks in order. The usual order is the desk's: overdue, due soonest, oldest.
pub(super) fn tasks(model: &Model, rows: &mut [TaskRow]) {
    let (by, is_reversed) = order(model, Place::Inbox);
    if by == 0 && !is_reversed {
        return;
    }
    put(rows, is_reversed, |left, right| match by {
        1 => right.opened_at.cmp(&left.opened_at),
        2 => left.task_type.cmp(&right.task_type),
        3 => left.from.cmp(&right.from),
        // Already in the desk's order; reversing turns it round.
        _ => Ordering::Equal,
    });
}
