//! What lies over a desk: opening, choosing, closing.

use crossterm::event::{KeyCode, KeyEvent};

use crate::console::action::Action;
use crate::console::model::overlay::{Choice, Overlay, Picker};
use crate::console::model::{Model, View, Weight};
use crate::console::task::{Query, Task};

use super::{acts, filter, gathering, intent, keys, navigate, palette, proposals};

/// Opens an overlay; the same key closes it again where it is no text field.
pub(super) fn open(model: &mut Model, action: Action) {
    model.overlay = Some(match action {
        Action::Palette => Overlay::Palette(Picker::new("")),
        Action::GroupBy => Overlay::Palette(Picker::new("group ")),
        Action::Filter => {
            if model.view.intent.is_some() {
                return intent::ask_search(model);
            }
            let Some(filter) = filter::of(model, model.view.place) else {
                let text = "this desk has no list to filter; 3 goes to the intents";
                return model.say(Weight::Info, text);
            };
            let text = if filter.is_empty() {
                String::new()
            } else {
                format!("{} ", filter.text)
            };
            Overlay::Filter(Picker::new(&text))
        }
        Action::Help => Overlay::Help(Picker::new("")),
        Action::Held => Overlay::Held(0),
        Action::Themes => themes(model),
        _ => Overlay::Messages(0),
    });
}

fn themes(model: &Model) -> Overlay {
    let cursor = model
        .settings
        .themes
        .iter()
        .position(|name| *name == model.theme)
        .unwrap_or(0);
    Overlay::Themes {
        cursor,
        before: model.theme.clone(),
    }
}

/// Closes the overlay.
pub(super) fn close(model: &mut Model) {
    if let Some(Overlay::Themes { before, .. }) = model.overlay.take() {
        model.theme = before;
    }
}

/// Enter in a field or on a theme.
pub(super) fn accept(model: &mut Model, is_repeat: bool, tasks: &mut Vec<Task>) {
    match &model.overlay {
        Some(Overlay::Filter(picker)) => {
            let text = picker.text();
            let place = model.view.place;
            match filter::apply(model, place, &text) {
                Ok(()) => model.overlay = None,
                Err(problem) => {
                    if let Some(Overlay::Filter(picker)) = &mut model.overlay {
                        picker.problem = Some(problem);
                    }
                }
            }
        }
        Some(Overlay::Themes { .. }) => {
            model.overlay = None;
            model.say(Weight::Info, format!("theme {}", model.theme));
        }
        Some(Overlay::Palette(picker) | Overlay::Help(picker)) => {
            let cursor = picker.cursor;
            let proposals = palette::proposals(model);
            match proposals.into_iter().nth(cursor) {
                Some(proposal) => match proposal.off {
                    Some(reason) => set_problem(model, reason),
                    None => choose(model, proposal.choice, is_repeat, tasks),
                },
                None => set_problem(model, "nothing fits; Esc leaves".to_owned()),
            }
        }
        Some(Overlay::Search(_)) => intent::search(model),
        Some(Overlay::Edit(_)) => new_line(model),
        _ => {}
    }
}

fn set_problem(model: &mut Model, problem: String) {
    if let Some(Overlay::Palette(picker) | Overlay::Help(picker)) = &mut model.overlay {
        picker.problem = Some(problem);
    }
}

fn choose(model: &mut Model, choice: Choice, is_repeat: bool, tasks: &mut Vec<Task>) {
    match choice {
        Choice::Run(action) => {
            model.overlay = None;
            keys::run(model, action, is_repeat, tasks);
        }
        Choice::Intent(id) => navigate::open_intent(model, id),
        Choice::Find(text) => {
            set_problem(model, format!("looking for {text}"));
            tasks.push(Task::Read(Box::new(Query::Find(text))));
        }
        Choice::Agent(agent) => navigate::open_agent(model, agent),
        Choice::Theme(name) => {
            model.overlay = None;
            model.say(Weight::Info, format!("theme {name}"));
            model.theme = name;
        }
        Choice::Group(by) => {
            model.overlay = None;
            gathering::choose(model, by);
        }
        Choice::Filter(place, text) => {
            model.overlay = None;
            filter::set(model, place, &text);
            model.go_in(View {
                place,
                intent: None,
            });
        }
    }
}

/// Tab in a field: completes.
pub(super) fn complete(model: &mut Model) {
    match &mut model.overlay {
        Some(Overlay::Filter(_)) => complete_filter(model),
        Some(Overlay::Palette(picker)) => {
            let cursor = picker.cursor;
            if let Some(name) = palette::proposals(model)
                .into_iter()
                .nth(cursor)
                .map(|proposal| proposal.name)
                && let Some(Overlay::Palette(picker)) = &mut model.overlay
            {
                picker.field.set_text(&name);
                picker.cursor = 0;
            }
        }
        Some(Overlay::Edit(edit)) => {
            edit.editor.paste("  ");
        }
        Some(Overlay::Help(_)) => step(model, true),
        _ => {}
    }
}

/// Takes the offer under the cursor into the filter line.
fn complete_filter(model: &mut Model) {
    let place = model.view.place;
    let Some(Overlay::Filter(picker)) = &model.overlay else {
        return;
    };
    let text = picker.text();
    let offers = proposals::offers(model, place, &text);
    let Some(offer) = offers.get(picker.cursor.min(offers.len().saturating_sub(1))) else {
        return;
    };
    let line = proposals::completed(&text, offer);
    if let Some(Overlay::Filter(picker)) = &mut model.overlay {
        picker.field.set_text(&line);
        picker.cursor = 0;
        picker.is_touched = true;
        picker.problem = None;
    }
}

/// Up and down among proposals.
pub(super) fn step(model: &mut Model, is_down: bool) {
    let count = match &model.overlay {
        Some(Overlay::Palette(_) | Overlay::Help(_)) => palette::proposals(model).len(),
        Some(Overlay::Filter(picker)) => {
            proposals::offers(model, model.view.place, &picker.text()).len()
        }
        _ => 0,
    };
    match &mut model.overlay {
        Some(Overlay::Palette(picker) | Overlay::Help(picker) | Overlay::Filter(picker)) => {
            let last = count.saturating_sub(1);
            picker.cursor = if is_down {
                (picker.cursor + 1).min(last)
            } else {
                picker.cursor.saturating_sub(1)
            };
            picker.problem = None;
        }
        Some(Overlay::Edit(edit)) => {
            let code = if is_down { KeyCode::Down } else { KeyCode::Up };
            edit.editor.input(KeyEvent::from(code));
        }
        _ => {}
    }
}

/// Ctrl-S in a field.
pub(super) fn save(model: &mut Model, is_repeat: bool, tasks: &mut Vec<Task>) {
    if matches!(model.overlay, Some(Overlay::Edit(_))) {
        acts::stage_edit(model, is_repeat, tasks);
    } else {
        super::views::ask(model);
    }
}

/// Ctrl-J in a field.
pub(super) fn new_line(model: &mut Model) {
    if let Some(Overlay::Edit(edit)) = &mut model.overlay {
        edit.editor.new_line();
    }
}
