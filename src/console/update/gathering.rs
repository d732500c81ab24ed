//! `:group`: dead letters gathered by something else than their error.

use std::collections::BTreeMap;

use crate::console::action::place::Place;
use crate::console::model::desks::Order;
use crate::console::model::{Model, View, Weight};
use crate::console::regroup::{self, GroupBy};

use super::sorting;

/// From the palette: gathers so, and goes there.
pub(super) fn choose(model: &mut Model, by: GroupBy) {
    if model.view.place != Place::DeadLetters || model.view.intent.is_some() {
        model.go_in(View {
            place: Place::DeadLetters,
            intent: None,
        });
    }
    model.panes.insert(Place::DeadLetters, 0);
    self::by(model, by);
    model.say(Weight::Info, format!("grouped by {}", by.word()));
}

/// Gathers so. What was open below belongs to a group that is gone.
pub(super) fn by(model: &mut Model, by: GroupBy) {
    if model.dead.by == by {
        return;
    }
    // Hours stand in their own order until another is asked for.
    let order = model.orders.entry(Place::DeadLetters).or_default();
    let is_last = order.by == sorting::BY_LAST;
    if by == GroupBy::Hour {
        *order = Order {
            by: sorting::BY_LAST,
            is_reversed: false,
        };
    } else if model.dead.by == GroupBy::Hour && is_last {
        *order = Order::default();
    }
    model.dead.by = by;
    model.dead.groups.reset();
    model.dead.letters.reset();
    model.dead.letters.clear_marks();
    model.dead.letters_of = None;
    show(model);
}

/// Puts what was read into the list, gathered and in order.
pub(super) fn show(model: &mut Model) {
    let (mut rows, bundles) = match model.dead.by {
        GroupBy::Error => (model.dead.read.clone(), BTreeMap::new()),
        by => regroup::gather(&model.dead.read, by, model.at.wall),
    };
    sorting::groups(model, &mut rows);
    model.dead.bundles = bundles;
    let reason = |_: &_| "no open letter left".to_owned();
    model.dead.groups.rank(rows, reason);
}
