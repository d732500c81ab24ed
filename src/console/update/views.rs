//! Saved views: a filter of a desk under a name.

use crate::console::action::place::Place;
use crate::console::memory::SavedView;
use crate::console::model::overlay::{Choice, Overlay, Proposal};
use crate::console::model::panel::{Ask, Deed, Rule};
use crate::console::model::{Model, Weight};

use super::filter;
use super::panels::{fact, panel};

/// Views that are kept at most.
const VIEWS_MAX: usize = 100;

/// Ctrl-S in the filter line: asks for a name.
pub(super) fn ask(model: &mut Model) {
    let Some(Overlay::Filter(picker)) = &model.overlay else {
        return;
    };
    let text = picker.text().trim().to_owned();
    let place = model.view.place;
    if text.is_empty() {
        return model.say(
            Weight::Info,
            "type a filter first; Ctrl-S saves it as a view",
        );
    }
    if let Err(problem) = filter::apply(model, place, &text) {
        return model.say(Weight::Warn, problem);
    }
    let deed = Deed::SaveView(place, text.clone());
    let mut panel = panel(model, deed, "Save this filter as a view".to_owned(), "Save");
    panel.asks = vec![Ask::new("name", Rule::Required)];
    let known: Vec<&str> = model.views.iter().map(|view| view.name.as_str()).collect();
    panel.facts = vec![
        fact("desk", place.word()),
        fact("filter", text),
        fact(
            "known",
            if known.is_empty() {
                "none yet".to_owned()
            } else {
                known.join("  ")
            },
        ),
        fact(
            "effect",
            "`:view NAME` goes there; an old view of that name is replaced",
        ),
    ];
    model.overlay = Some(Overlay::Panel(panel));
}

/// Saves it.
pub(super) fn save(model: &mut Model, place: Place, filter: String, name: &str) {
    model.views.retain(|view| view.name != name);
    if model.views.len() >= VIEWS_MAX {
        return model.say(Weight::Warn, format!("there are {VIEWS_MAX} views already"));
    }
    model.views.push(SavedView {
        name: name.to_owned(),
        desk: place.word().to_owned(),
        filter,
    });
    model.say(
        Weight::Info,
        format!("view saved; `:view {name}` goes there"),
    );
}

/// The views whose names hold a text, as the palette proposes them.
pub(super) fn proposals(model: &Model, text: &str) -> Vec<Proposal> {
    let fits = |view: &&SavedView| view.name.contains(text);
    let views = model.views.iter().filter(fits).filter_map(|view| {
        let place = Place::named(&view.desk)?;
        Some(Proposal {
            choice: Choice::Filter(place, view.filter.clone()),
            name: format!("view {}", view.name),
            sentence: format!("{} / {}", view.desk, view.filter),
            key: String::new(),
            off: None,
        })
    });
    views.collect()
}
