//! `w`: which columns of the list in focus are shown.

use crate::console::action::Action;
use crate::console::model::columns::ListName;
use crate::console::model::overlay::Overlay;
use crate::console::model::{Model, Weight};
use crate::console::panes;
use crate::console::view::kit::Size;

use super::moves;

/// Opens the chooser.
pub(super) fn open(model: &mut Model) {
    match ListName::in_focus(model) {
        Some(list) => model.overlay = Some(Overlay::Columns { list, cursor: 0 }),
        None => model.say(Weight::Info, "no list with columns has the focus here"),
    }
}

/// The cursor moves among the columns.
pub(super) fn go(model: &mut Model, action: Action) {
    let size = Size::of(model.size.0, model.size.1);
    if let Some(Overlay::Columns { list, cursor }) = &mut model.overlay {
        *cursor = moves::step(*cursor, panes::columns_of(*list, size).len(), 5, action);
    }
}

/// Space: shows or hides the column under the cursor, at once and from now on.
pub(super) fn toggle(model: &mut Model) {
    let Some(Overlay::Columns { list, cursor }) = model.overlay else {
        return;
    };
    let size = Size::of(model.size.0, model.size.1);
    let Some(column) = panes::columns_of(list, size).get(cursor) else {
        return;
    };
    if column.importance == 0 {
        let text = format!("{} is what the list is about; it stays", column.title);
        return model.say(Weight::Info, text);
    }
    model.columns.toggle(list, column);
}
