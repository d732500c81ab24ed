//! The desks: each file draws one from the model.
//!
//! 1. A pane reads the model and draws; work travels as tasks of the reducer.
//! 2. A row says what it is in words; colour only repeats it.
//! 3. Text of others is made harmless by the widgets, which clean whatever they draw.

pub(crate) mod agents;
pub(crate) mod attempts;
pub(crate) mod dead_letters;
pub(crate) mod detail;
pub(crate) mod inbox;
pub(crate) mod intents;
pub(crate) mod overview;
pub(crate) mod strip;
pub(crate) mod words;

use ratatui::layout::Rect;

use super::model::Model;
use super::theme::Role;
use super::view::kit::{Canvas, fact};

/// A desk that is not there yet says so.
pub(crate) fn later(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let (title, _) = model.view.place.titles();
    let inner = canvas.section(area, title, "not in this release", Some((0, true)));
    let spec = model.view.place.action().spec();
    let facts = [
        fact(
            "",
            spec.later.unwrap_or("this desk comes with a later release"),
        ),
        fact("", ""),
        fact(
            "",
            match model.view.place {
                super::action::place::Place::Jobs => {
                    "Replaying many is possible now: mark letters on 5 Dead letters with Space, then R."
                }
                _ => "Who did what is kept by the broker already; postroom audit will print it.",
            },
        ),
    ];
    canvas.facts(inner, 0, &facts);
    let foot = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1,
        ..inner
    };
    canvas.text(
        foot,
        "- goes to the last view, 1 to the overview",
        Role::Dim,
    );
}
