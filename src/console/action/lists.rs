//! Actions of every list: moving, marking, sorting, opening.

use super::{Action, Context, Danger, Spec, Takes};

const LIST: &[Context] = &[Context::List];

#[rustfmt::skip]
pub(super) const ACTIONS: &[Spec] = &[
    Spec { action: Action::MoveDown, name: "list.down", keys: &["j", "down"], contexts: LIST,
        sentence: "Move down one row", ..Spec::BASE },
    Spec { action: Action::MoveUp, name: "list.up", keys: &["k", "up"], contexts: LIST,
        sentence: "Move up one row", ..Spec::BASE },
    Spec { action: Action::MoveTop, name: "list.top", keys: &["g g", "home"], contexts: LIST,
        sentence: "Move to the first row", hint: "top", ..Spec::BASE },
    Spec { action: Action::MoveBottom, name: "list.bottom", keys: &["G", "end"], contexts: LIST,
        sentence: "Move to the last row", hint: "", ..Spec::BASE },
    Spec { action: Action::HalfPageDown, name: "list.half-page-down", keys: &["ctrl-d"],
        contexts: LIST, sentence: "Scroll down half a page", ..Spec::BASE },
    Spec { action: Action::HalfPageUp, name: "list.half-page-up", keys: &["ctrl-u"],
        contexts: LIST, sentence: "Scroll up half a page", ..Spec::BASE },
    Spec { action: Action::PageDown, name: "list.page-down", keys: &["pagedown"], contexts: LIST,
        sentence: "Scroll down a page", ..Spec::BASE },
    Spec { action: Action::PageUp, name: "list.page-up", keys: &["pageup"], contexts: LIST,
        sentence: "Scroll up a page", ..Spec::BASE },
    Spec { action: Action::Mark, name: "mark.row", keys: &["space"], contexts: LIST, hint: "mark",
        rank: 170, sentence: "Mark or unmark this row", takes: Takes::OneRow, ..Spec::BASE },
    Spec { action: Action::MarkRange, name: "mark.range", keys: &["v"], contexts: LIST,
        sentence: "Mark from here to where the cursor goes; once more ends it", takes: Takes::OneRow, ..Spec::BASE },
    Spec { action: Action::MarkClear, name: "mark.clear", keys: &["V"], contexts: LIST,
        sentence: "Clear all marks", ..Spec::BASE },
    Spec { action: Action::MarkAll, name: "mark.all", keys: &["*"], contexts: LIST,
        sentence: "Make the scope everything that matches", takes: Takes::ManyRows, ..Spec::BASE },
    Spec { action: Action::Sort, name: "list.sort", keys: &["s"], contexts: LIST, hint: "sort",
        rank: 228, sentence: "Sort by another column", ..Spec::BASE },
    Spec { action: Action::SortReverse, name: "list.reverse", keys: &["S"], contexts: LIST,
        sentence: "Reverse the order", ..Spec::BASE },
    Spec { action: Action::Columns, name: "list.columns", keys: &["w"], contexts: LIST,
        sentence: "Choose the columns", ..Spec::BASE },
    Spec { action: Action::Open, name: "list.open", keys: &["enter"], contexts: LIST, hint: "open",
        rank: 100, sentence: "Open this row", takes: Takes::OneRow, command: "postroom intents show <id>", ..Spec::BASE },
    Spec { action: Action::Export, name: "list.export", keys: &["E"], contexts: LIST,
        hint: "export", rank: 215, sentence: "Open the export panel: NDJSON or CSV of the scope",
        danger: Danger::Wide, takes: Takes::ManyRows, command: "postroom intents list --format ndjson", ..Spec::BASE },
];
