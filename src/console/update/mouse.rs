//! The mouse: click selects, the wheel scrolls, a click on a hint runs it. No click ever decides,
//! replays or discards.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use crate::console::action::place::Place;
use crate::console::action::{Action, Danger};
use crate::console::model::{Model, Target, View, Weight};
use crate::console::task::Task;

use super::{keys, moves, navigate, sorting};

/// Lines of one step of the wheel.
const WHEEL: usize = 3;

/// Takes a mouse event.
pub(super) fn mouse(model: &mut Model, event: MouseEvent, tasks: &mut Vec<Task>) {
    let position = Position::new(event.column, event.row);
    match event.kind {
        MouseEventKind::ScrollDown => scroll(model, position, Action::MoveDown),
        MouseEventKind::ScrollUp => scroll(model, position, Action::MoveUp),
        MouseEventKind::Down(MouseButton::Left) => click(model, position, tasks),
        _ => {}
    }
}

fn target(model: &Model, position: Position) -> Option<Target> {
    model
        .drawn
        .hits
        .iter()
        .rev()
        .find(|hit| hit.area.contains(position))
        .map(|hit| hit.target)
}

fn scroll(model: &mut Model, position: Position, action: Action) {
    if model.strip.is_some() {
        return;
    }
    if model.overlay.is_none()
        && let Some(Target::Pane(pane) | Target::Line(pane, _) | Target::Heading(pane, _)) =
            target(model, position)
        && model.view.intent.is_none()
        && pane < Model::panes_of(model.view.place)
        && pane != model.pane()
    {
        navigate::set_pane(model, pane);
    }
    for _ in 0..WHEEL {
        moves::go(model, action);
    }
}

fn click(model: &mut Model, position: Position, tasks: &mut Vec<Task>) {
    let Some(target) = target(model, position) else {
        return;
    };
    match target {
        Target::Hint(action) => {
            let is_harmless = action.spec().danger == Danger::No && action != Action::StripStage;
            if is_harmless {
                keys::run(model, action, false, tasks);
            } else {
                model.say(Weight::Info, "a click never acts; press the key");
            }
        }
        _ if model.overlay.is_some() || model.strip.is_some() => {}
        Target::Tab(place) => model.go(View {
            place,
            intent: None,
        }),
        Target::Pane(pane) => focus(model, pane),
        Target::Heading(pane, title) => {
            focus(model, pane);
            sorting::by_heading(model, title);
        }
        Target::Line(pane, line) => {
            focus(model, pane);
            select(model, pane, line);
        }
    }
}

fn focus(model: &mut Model, pane: usize) {
    if model.view.intent.is_none() && pane < Model::panes_of(model.view.place) {
        navigate::set_pane(model, pane);
    }
}

fn select(model: &mut Model, pane: usize, line: usize) {
    model.moves += 1;
    if model.view.intent.is_some() {
        return;
    }
    match (model.view.place, pane) {
        (Place::Overview | Place::Agents, 0) => {
            model.agents.rows.go_to_line(line);
        }
        (Place::Overview, 1) => model.front.attention = line,
        (Place::Overview, _) => {
            model.front.tail = model.tail.rows.get(line).map(|row| row.cursor);
        }
        (Place::Inbox, _) => {
            model.inbox.tasks.go_to_line(line);
        }
        (Place::Intents, _) => {
            model.intents.rows.go_to_line(line);
        }
        (Place::Attempts, _) => {
            model.attempts.rows.go_to_line(line);
        }
        (Place::DeadLetters, 0) => {
            model.dead.groups.go_to_line(line);
        }
        (Place::DeadLetters, _) => {
            model.dead.letters.go_to_line(line);
        }
        (Place::Agents, _) => model.agents.attempt = line,
        (Place::Jobs, 0) => {
            model.jobs.rows.go_to_line(line);
        }
        (Place::Jobs, _) => model.jobs.item = line,
        (Place::Audit, _) => {
            model.audit.rows.go_to_line(line);
        }
    }
}
