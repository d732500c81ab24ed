//! The desks: each file draws one from the model.
//!
//! 1. A pane reads the model and draws; work travels as tasks of the reducer.
//! 2. A row says what it is in words; colour only repeats it.
//! 3. Text of others is made harmless by the widgets, which clean whatever they draw.

pub(crate) mod agents;
pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod dead_letters;
pub(crate) mod detail;
pub(crate) mod inbox;
pub(crate) mod intents;
pub(crate) mod jobs;
pub(crate) mod overview;
pub(crate) mod strip;
pub(crate) mod words;

use super::model::columns::ListName;
use super::view::kit::Size;
use super::widgets::table::columns::Column;

/// The columns of a list at a size, those that are off until chosen among them.
pub(crate) const fn columns_of(list: ListName, size: Size) -> &'static [Column] {
    match list {
        ListName::Inbox => inbox::columns(size),
        ListName::Intents => intents::COLUMNS,
        ListName::Attempts => attempts::COLUMNS,
        ListName::Groups => dead_letters::GROUPS,
        ListName::Letters => dead_letters::LETTERS,
        ListName::Agents => agents::columns(size),
        ListName::Jobs => jobs::COLUMNS,
        ListName::Audit => audit::columns(size),
    }
}
