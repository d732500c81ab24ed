//! Where the operator goes: desks, panes, into a row and back, out of the console.

use crate::console::action::Action;
use crate::console::action::place::Place;
use crate::console::model::detail::Sheet;
use crate::console::model::overlay::Overlay;
use crate::console::model::panel::Deed;
use crate::console::model::reads::Slot;
use crate::console::model::{Model, View, Weight};
use crate::console::panes::overview::attention::{Subject, attention};
use crate::console::regroup::GroupBy;
use crate::console::story;
use crate::console::task::Task;
use crate::domain::address::Address;
use crate::domain::ids::IntentId;

use super::{acts, decide, gathering, intent, overlays, panels};

/// To a desk by its number.
pub(super) fn go_to_desk(model: &mut Model, action: Action) {
    if let Some(place) = action.place() {
        model.overlay = None;
        model.go(View {
            place,
            intent: None,
        });
    }
}

/// Into an intent, seen from the desk we are on.
pub(super) fn open_intent(model: &mut Model, id: IntentId) {
    model.overlay = None;
    let place = model.view.place;
    model.go_in(View {
        place,
        intent: Some(id),
    });
}

/// To an agent on its desk.
pub(super) fn open_agent(model: &mut Model, agent: Address) {
    model.overlay = None;
    model.go_in(View {
        place: Place::Agents,
        intent: None,
    });
    model.agents.rows.await_key(agent);
}

/// Esc: closes what is open, else comes back.
pub(super) fn back(model: &mut Model) {
    if model.overlay.is_some() {
        overlays::close(model);
    } else if model.strip.is_some() {
        decide::close(model);
    } else if model.view.intent.is_some() && model.detail.as_of.take().is_some() {
        model.say(Weight::Info, "back to now");
    } else if super::sifting::stop(model) {
        // Esc stops a search first; the next one leads back.
    } else if model.view.intent.is_some() || (model.pane() == 0 && model.depth > 0) {
        let view = model.back.pop().unwrap_or(View {
            place: model.view.place,
            intent: None,
        });
        model.depth = model.depth.saturating_sub(1);
        model.forth.push(model.view);
        model.enter(view);
    } else if model.pane() > 0 {
        set_pane(model, 0);
    } else {
        model.say(
            Weight::Info,
            "this is the top; - goes to the last view, q quits",
        );
    }
}

/// `-`: swaps with the last view.
pub(super) fn last_view(model: &mut Model) {
    match model.back.pop() {
        Some(view) => {
            let here = model.view;
            model.enter(view);
            model.back.push(here);
        }
        None => model.say(Weight::Info, "no view before this one"),
    }
}

/// `[` and `]`: walks the history.
pub(super) fn history(model: &mut Model, is_back: bool) {
    let view = if is_back {
        model.back.pop()
    } else {
        model.forth.pop()
    };
    let Some(view) = view else {
        let text = if is_back {
            "no view before this one"
        } else {
            "no view after this one"
        };
        return model.say(Weight::Info, text);
    };
    let here = model.view;
    if is_back {
        model.forth.push(here);
    } else {
        model.back.push(here);
    }
    model.enter(view);
}

/// Tab: the next pane, or the next sheet of an intent.
pub(super) fn turn_pane(model: &mut Model, is_forward: bool) {
    if model.view.intent.is_some() {
        let sheets = Sheet::ALL;
        let count = sheets.len();
        let here = sheets
            .iter()
            .position(|sheet| *sheet == model.detail.sheet)
            .unwrap_or(0);
        let next = (here + if is_forward { 1 } else { count - 1 }) % count;
        set_sheet(model, sheets.get(next).copied().unwrap_or_default());
        return;
    }
    let count = Model::panes_of(model.view.place);
    if count == 1 {
        return model.say(Weight::Info, "this desk has one pane");
    }
    let next = (model.pane() + if is_forward { 1 } else { count - 1 }) % count;
    set_pane(model, next);
}

/// Puts the focus on a pane. The live tail stands still while it has the focus.
pub(super) fn set_pane(model: &mut Model, pane: usize) {
    model.set_pane(pane);
    model.entered = model.at.mono;
    if model.view.place != Place::Overview {
        return;
    }
    if pane == 2 {
        if model.tail.missed.is_none() {
            model.tail.missed = Some(0);
        }
        if model.front.tail.is_none() {
            model.front.tail = model.tail.rows.front().map(|row| row.cursor);
        }
    } else {
        model.tail.missed = None;
        model.front.tail = None;
    }
}

/// `g t` and its kin.
pub(super) fn sheet(model: &mut Model, action: Action) {
    set_sheet(
        model,
        match action {
            Action::SheetAttempts => Sheet::Attempts,
            Action::SheetPayload => Sheet::Payload,
            Action::SheetHeaders => Sheet::Headers,
            Action::SheetLineage => Sheet::Lineage,
            Action::SheetRaw => Sheet::Raw,
            _ => Sheet::Timeline,
        },
    );
}

fn set_sheet(model: &mut Model, sheet: Sheet) {
    if model.detail.sheet != sheet {
        model.detail.sheet = sheet;
        model.detail.line = 0;
    }
}

/// Enter: into the row under the cursor.
pub(super) fn open(model: &mut Model, is_repeat: bool, tasks: &mut Vec<Task>) {
    match &model.overlay {
        Some(Overlay::Held(_)) => return acts::undo(model, tasks),
        Some(Overlay::Themes { .. }) => return overlays::accept(model, is_repeat, tasks),
        Some(Overlay::Crumbs { .. }) => return super::crumbs::accept(model, is_repeat, tasks),
        Some(_) => return overlays::close(model),
        None => {}
    }
    if model.view.intent.is_some() {
        return open_in_intent(model, tasks);
    }
    let intent = match model.view.place {
        Place::Overview => return open_from_overview(model),
        Place::Inbox => model.inbox.tasks.cursor_row().map(|task| task.intent),
        Place::Intents => model.intents.rows.cursor_row().map(|row| row.id),
        Place::Attempts => model.attempts.rows.cursor_row().map(|row| row.intent),
        Place::DeadLetters if model.pane() == 0 => {
            if !model.dead.groups.is_empty() {
                set_pane(model, 1);
            }
            return;
        }
        Place::DeadLetters => model.dead.letters.cursor_row().map(|letter| letter.intent),
        Place::Agents => return open_from_agents(model),
        Place::Jobs if model.pane() == 0 => {
            if model.jobs.rows.is_empty() {
                return model.say(Weight::Info, "no row here");
            }
            return set_pane(model, 1);
        }
        Place::Jobs => {
            let job = model.jobs.job.as_ref();
            let item = job.and_then(|job| job.items.get(model.jobs.item));
            item.map(|item| item.new_intent.unwrap_or(item.intent))
        }
        Place::Audit => {
            let entry = model.audit.rows.cursor_row();
            let Some(id) = entry.and_then(|entry| entry.target.parse().ok()) else {
                return model.say(Weight::Info, "this entry is not about an intent");
            };
            Some(id)
        }
    };
    match intent {
        Some(intent) => open_intent(model, intent),
        None => model.say(Weight::Info, "no row here"),
    }
}

fn open_from_agents(model: &mut Model) {
    if model.pane() == 1 {
        let attempt = model
            .agents
            .attempts
            .get(model.agents.attempt)
            .map(|row| row.intent);
        if let Some(intent) = attempt {
            open_intent(model, intent);
        }
        return;
    }
    let Some(agent) = model
        .agents
        .rows
        .cursor_row()
        .map(|row| row.address.clone())
    else {
        return;
    };
    super::filter::set(model, Place::Intents, &format!("agent:{}", agent.key()));
    model.go_in(View {
        place: Place::Intents,
        intent: None,
    });
}

fn open_from_overview(model: &mut Model) {
    match model.pane() {
        0 => {
            if let Some(agent) = model
                .agents
                .rows
                .cursor_row()
                .map(|row| row.address.clone())
            {
                open_agent(model, agent);
            }
        }
        1 => {
            let items = attention(model);
            match items
                .into_iter()
                .nth(model.front.attention)
                .map(|item| item.subject)
            {
                Some(Subject::Task(intent)) => {
                    model.go_in(View {
                        place: Place::Inbox,
                        intent: None,
                    });
                    model.inbox.tasks.await_key(intent);
                }
                Some(Subject::Group(group)) => {
                    model.go_in(View {
                        place: Place::DeadLetters,
                        intent: None,
                    });
                    gathering::by(model, GroupBy::Error);
                    model.dead.groups.await_key(group);
                }
                Some(Subject::Agent(agent)) => open_agent(model, agent),
                None => model.say(Weight::Info, "nothing needs attention"),
            }
        }
        _ => {
            let cursor = model.front.tail;
            let row = model
                .tail
                .rows
                .iter()
                .find(|row| Some(row.cursor) == cursor);
            match row.and_then(|row| row.intent) {
                Some(intent) => open_intent(model, intent),
                None => model.say(Weight::Info, "this event is not about an intent"),
            }
        }
    }
}

fn open_in_intent(model: &mut Model, tasks: &mut Vec<Task>) {
    let sheet = model.detail.sheet;
    match sheet {
        Sheet::Timeline if intent::unfold(model) => {}
        Sheet::Timeline => {
            let number = model.detail.event_row().and_then(story::attempt_of);
            let number = number.and_then(|number| u32::try_from(number).ok());
            if number.is_some() {
                model.detail.attempt = number;
            }
            set_sheet(model, Sheet::Attempts);
        }
        Sheet::Attempts => set_sheet(model, Sheet::Headers),
        Sheet::Payload => {
            if !intent::reveal(model, tasks) {
                super::moves::shape(model, Action::Fold);
            }
        }
        Sheet::Lineage => {
            let relatives = model.detail.relatives();
            if let Some(relative) = relatives.get(model.detail.line)
                && model.detail.id != Some(relative.id)
            {
                open_intent(model, relative.id);
            }
        }
        Sheet::Headers | Sheet::Raw => {}
    }
}

/// `p`: freezes the rows, or lets them go on.
pub(super) fn pause(model: &mut Model) {
    match model.paused.take() {
        Some(_) => {
            model.reads.touch_all();
            model.say(Weight::Info, "the rows go on");
        }
        None => model.paused = Some((model.at.mono, 0)),
    }
}

/// `f`: to the top, and new rows stream in.
pub(super) fn follow(model: &mut Model) {
    if model.view.place == Place::Overview && model.view.intent.is_none() {
        let is_still = model.tail.missed.is_some();
        model.tail.missed = if is_still { None } else { Some(0) };
        let text = if is_still {
            "the live tail follows"
        } else {
            "the live tail stands still"
        };
        return model.say(Weight::Info, text);
    }
    model.is_following = true;
    model.paused = None;
    model.moves += 1;
    match (model.view.place, model.pane()) {
        (Place::Intents, _) => model.intents.rows.follow(),
        (Place::Attempts, _) => model.attempts.rows.follow(),
        (Place::DeadLetters, 1) => model.dead.letters.follow(),
        _ => super::moves::go(model, Action::MoveTop),
    }
    for slot in [Slot::Intents, Slot::Attempts, Slot::Letters] {
        model.reads.hurry(slot);
    }
}

/// `q`: back, and quits at the root.
pub(super) fn quit(model: &mut Model, tasks: &mut Vec<Task>) {
    let is_top = model.overlay.is_none()
        && model.strip.is_none()
        && model.view.intent.is_none()
        && model.depth == 0
        && (model.pane() == 0 || model.view.place == Place::Overview);
    if is_top {
        quit_all(model, tasks);
    } else {
        back(model);
    }
}

/// `Q`: quits; asks first when the broker is in this process.
pub(super) fn quit_all(model: &mut Model, tasks: &mut Vec<Task>) {
    let is_asked =
        matches!(&model.overlay, Some(Overlay::Panel(panel)) if panel.deed == Deed::Quit);
    if is_asked || !model.settings.is_embedded {
        return end(model, tasks);
    }
    let mut panel = panels::panel(model, Deed::Quit, "Quit Postroom".to_owned(), "Quit");
    panel.ask_nothing();
    let unfinished = model
        .overview
        .as_ref()
        .map_or(0, |overview| overview.states.iter().take(5).sum());
    let unfinished = crate::console::format::count(unfinished);
    panel.facts = vec![
        (
            "effect".to_owned(),
            "the broker in this process stops: nothing is delivered meanwhile".to_owned(),
        ),
        (
            "kept".to_owned(),
            format!("{unfinished} unfinished intents are on disk and go on with the next start"),
        ),
        (
            "held".to_owned(),
            format!(
                "{} held acts become final with the next start",
                model.held_now().len()
            ),
        ),
        (
            "instead".to_owned(),
            "Ctrl-Z leaves the screen and goes on delivering".to_owned(),
        ),
        ("keys".to_owned(), "Q again quits, Esc stays".to_owned()),
    ];
    model.overlay = Some(Overlay::Panel(panel));
}

/// `:detach`: steps aside when the broker is in this process, else ends the console alone.
pub(super) fn detach(model: &mut Model, tasks: &mut Vec<Task>) {
    if model.settings.is_embedded {
        tasks.push(Task::Suspend);
    } else {
        end(model, tasks);
    }
}

/// Ends the console.
pub(super) fn end(model: &mut Model, tasks: &mut Vec<Task>) {
    model.is_ending = true;
    tasks.push(Task::Quit);
}
