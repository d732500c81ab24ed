//! Moving within a list, marking, folding. These keys never do anything else.

use crate::console::action::Action;
use crate::console::action::place::Place;
use crate::console::model::detail::Sheet;
use crate::console::model::overlay::Overlay;
use crate::console::model::{Model, Weight};
use crate::console::panes::detail::sheets;
use crate::console::panes::overview::attention::attention;
use crate::console::rows::{Move, Row, Window};
use crate::console::widgets::json::Tree;

use super::intent;

/// Moves the cursor of whatever has the focus.
pub(super) fn go(model: &mut Model, action: Action) {
    model.moves += 1;
    if model.overlay.is_some() {
        return go_in_overlay(model, action);
    }
    if model.view.intent.is_some() {
        return go_in_intent(model, action);
    }
    match (model.view.place, model.pane()) {
        (Place::Overview | Place::Agents, 0) => go_in(&mut model.agents.rows, action),
        (Place::Overview, 1) => {
            let count = attention(model).len();
            model.front.attention = step(model.front.attention, count, 4, action);
        }
        (Place::Overview, _) => go_in_tail(model, action),
        (Place::Inbox, _) => go_in(&mut model.inbox.tasks, action),
        (Place::Intents, _) => go_in(&mut model.intents.rows, action),
        (Place::Attempts, _) => go_in(&mut model.attempts.rows, action),
        (Place::DeadLetters, 0) => go_in(&mut model.dead.groups, action),
        (Place::DeadLetters, _) => go_in(&mut model.dead.letters, action),
        (Place::Agents, _) => {
            let count = model.agents.attempts.len();
            model.agents.attempt = step(model.agents.attempt, count, 6, action);
        }
        (Place::Jobs, 0) => go_in(&mut model.jobs.rows, action),
        (Place::Jobs, _) => {
            let count = model.jobs.job.as_ref().map_or(0, |job| job.items.len());
            model.jobs.item = step(model.jobs.item, count, 8, action);
        }
        (Place::Audit, _) => go_in(&mut model.audit.rows, action),
    }
}

fn go_in<T: Row>(window: &mut Window<T>, action: Action) {
    let page = window.page().saturating_sub(1).max(1);
    window.go(match action {
        Action::MoveUp => Move::Up(1),
        Action::MoveTop => Move::Top,
        Action::MoveBottom => Move::Bottom,
        Action::HalfPageDown => Move::Down(window.half_page()),
        Action::HalfPageUp => Move::Up(window.half_page()),
        Action::PageDown => Move::Down(page),
        Action::PageUp => Move::Up(page),
        _ => Move::Down(1),
    });
}

/// The same for a plain list of `count` lines.
pub(super) fn step(here: usize, count: usize, page: usize, action: Action) -> usize {
    let last = count.saturating_sub(1);
    match action {
        Action::MoveUp => here.saturating_sub(1),
        Action::MoveTop => 0,
        Action::MoveBottom => last,
        Action::HalfPageDown => here + (page / 2).max(1),
        Action::HalfPageUp => here.saturating_sub((page / 2).max(1)),
        Action::PageDown => here + page,
        Action::PageUp => here.saturating_sub(page),
        _ => here + 1,
    }
    .min(last)
}

fn go_in_tail(model: &mut Model, action: Action) {
    let rows = &model.tail.rows;
    let here = model
        .front
        .tail
        .and_then(|cursor| rows.iter().position(|row| row.cursor == cursor))
        .unwrap_or(0);
    let index = step(here, rows.len(), 8, action);
    model.front.tail = rows.get(index).map(|row| row.cursor);
}

fn go_in_overlay(model: &mut Model, action: Action) {
    let held = model.held_now().len();
    let messages = model.messages.len() + model.log.len();
    match &mut model.overlay {
        Some(Overlay::Compare(comparing)) => {
            comparing.line = step(comparing.line, comparing.count(), 8, action);
        }
        Some(Overlay::Held(cursor)) => *cursor = step(*cursor, held, 8, action),
        Some(Overlay::Messages(back)) => {
            // Counted from the newest: moving up goes back in time.
            let flipped = match action {
                Action::MoveUp => Action::MoveDown,
                Action::MoveDown => Action::MoveUp,
                Action::MoveTop => Action::MoveBottom,
                Action::MoveBottom => Action::MoveTop,
                Action::PageUp | Action::HalfPageUp => Action::PageDown,
                _ => Action::PageUp,
            };
            *back = step(*back, messages, 10, flipped);
        }
        Some(Overlay::Columns { .. }) => super::columns::go(model, action),
        Some(Overlay::Crumbs { .. }) => super::crumbs::go(model, action),
        Some(Overlay::Themes { cursor, .. }) => {
            *cursor = step(*cursor, model.settings.themes.len(), 5, action);
            if let Some(name) = model.settings.themes.get(*cursor) {
                model.theme.clone_from(name);
            }
        }
        _ => {}
    }
}

fn go_in_intent(model: &mut Model, action: Action) {
    let Some(intent) = model.detail.shown() else {
        return;
    };
    match model.detail.sheet {
        Sheet::Timeline => intent::go_in_timeline(model, action),
        Sheet::Attempts | Sheet::Headers if model.detail.sheet == Sheet::Attempts => {
            let index = step(
                model.detail.attempt_index(),
                intent.attempts.len(),
                6,
                action,
            );
            model.detail.attempt = intent.attempts.get(index).map(|attempt| attempt.number);
        }
        Sheet::Payload => {
            let count = model.detail.tree.as_ref().map_or(0, Tree::height);
            model.detail.line = step(model.detail.line, count, 10, action);
        }
        Sheet::Lineage => {
            let count = model.detail.relatives().len();
            model.detail.line = step(model.detail.line, count, 5, action);
        }
        Sheet::Raw => {
            let count = sheets::raw_lines(&model.detail).len();
            model.detail.line = step(model.detail.line, count, 10, action);
        }
        Sheet::Attempts | Sheet::Headers => {
            // Scrolled text; the view stops at its end.
            model.detail.line = step(model.detail.line, 10_000, 10, action);
        }
    }
}

/// Space and its kin.
pub(super) fn mark(model: &mut Model, action: Action) {
    if matches!(model.overlay, Some(Overlay::Columns { .. })) && action == Action::Mark {
        return super::columns::toggle(model);
    }
    if model.overlay.is_some() || model.view.intent.is_some() {
        return;
    }
    if action == Action::MarkRange {
        return range(model);
    }
    let count = match (model.view.place, model.pane()) {
        (Place::Intents, _) => mark_in(&mut model.intents.rows, action),
        (Place::DeadLetters, 1) => mark_in(&mut model.dead.letters, action),
        (Place::Inbox, _) => mark_in(&mut model.inbox.tasks, action),
        (Place::DeadLetters, _) => {
            return model.say(
                Weight::Info,
                "letters are marked, not groups: Enter goes in",
            );
        }
        _ => return model.say(Weight::Info, "nothing to mark here"),
    };
    if count > 0 {
        model.say(Weight::Info, format!("{count} marked"));
    }
}

/// `v`: begins a range of marks, or ends it.
fn range(model: &mut Model) {
    let (has_begun, count) = match (model.view.place, model.pane()) {
        (Place::Intents, _) => range_in(&mut model.intents.rows),
        (Place::DeadLetters, 1) => range_in(&mut model.dead.letters),
        (Place::Inbox, _) => range_in(&mut model.inbox.tasks),
        _ => return model.say(Weight::Info, "nothing to mark here"),
    };
    model.say(
        Weight::Info,
        if has_begun {
            "a range of marks begins here; the cursor stretches it, v ends it".to_owned()
        } else {
            format!("{count} marked")
        },
    );
}

fn range_in<T: Row>(window: &mut Window<T>) -> (bool, usize) {
    (window.toggle_range(), window.marked())
}

fn mark_in<T: Row>(window: &mut Window<T>, action: Action) -> usize {
    match action {
        Action::MarkClear => window.clear_marks(),
        Action::MarkAll => window.mark_all(),
        _ => {
            window.toggle_mark();
            window.go(Move::Down(1));
        }
    }
    window.marked()
}

/// Folding, the axis of the waterfall, the as-of time.
pub(super) fn shape(model: &mut Model, action: Action) {
    match action {
        Action::Axis => model.detail.axis = model.detail.axis.next(),
        Action::AsOfBack => intent::scrub(model, true),
        Action::AsOfForth => intent::scrub(model, false),
        Action::Fold | Action::FoldAll if model.detail.sheet == Sheet::Timeline => {
            intent::fold(model, action == Action::FoldAll);
        }
        Action::FoldAll => {
            if let Some(tree) = &mut model.detail.tree {
                tree.toggle_all();
            }
            model.detail.line = 0;
        }
        _ => {
            let line = model.detail.line;
            if let Some(tree) = &mut model.detail.tree {
                model.detail.line = tree.toggle(line);
            }
        }
    }
}
