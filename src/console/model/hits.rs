//! What the last frame put where.

use std::collections::BTreeMap;

use ratatui::layout::Rect;

use crate::console::action::Action;
use crate::console::action::place::Place;

/// A place on the screen that answers the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Its cells.
    pub(crate) area: Rect,
    /// What is there.
    pub(crate) target: Target,
}

/// What a click is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A tab.
    Tab(Place),
    /// A pane; the number is the one that Tab counts.
    Pane(usize),
    /// A line of a list in a pane.
    Line(usize, usize),
    /// A heading of a list in a pane, by its words.
    Heading(usize, &'static str),
    /// A hint.
    Hint(Action),
}

/// What the last frame put where.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drawn {
    /// The places that answer the mouse, later ones lie above earlier ones.
    pub(crate) hits: Vec<Hit>,
    /// Lines of the list in each pane, by the number that Tab counts.
    pub(crate) heights: BTreeMap<usize, usize>,
    /// Where the terminal's own cursor stands; nowhere unless the screen is read aloud.
    pub(crate) cursor: Option<(u16, u16)>,
}
