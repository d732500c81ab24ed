//! Inside one intent: looking back in time, folding alike attempts, searching, showing what is masked.

use crate::console::action::Action;
use crate::console::format;
use crate::console::model::detail::Sheet;
use crate::console::model::overlay::{Overlay, Picker};
use crate::console::model::{Model, Weight};
use crate::console::story::{self, Line};
use crate::console::task::Task;
use crate::console::widgets::json::Direction;
use crate::desk::act::{Act, Recorded};
use crate::domain::ids::IntentId;
use crate::domain::payload::Payload;

use super::{acts, moves};

/// `[` and `]`: one fact back or forth in time.
pub(super) fn scrub(model: &mut Model, is_back: bool) {
    if !model.detail.scrub(is_back) {
        let text = if is_back {
            "this is its first fact"
        } else {
            "this is now"
        };
        return model.say(Weight::Info, text);
    }
    if model.detail.as_of.is_none() {
        model.say(Weight::Info, "back to now");
    }
}

/// The cursor of the timeline goes from line to line; what is folded is one.
pub(super) fn go_in_timeline(model: &mut Model, action: Action) {
    let lines = model.detail.lines();
    let here = model.detail.line_index(&lines);
    let next = moves::step(here, lines.len(), 8, action);
    let place = lines.get(next).map(Line::first);
    let intent = model.detail.intent.as_ref();
    model.detail.event = place
        .and_then(|place| intent?.events.get(place))
        .map(|event| event.seq);
}

/// Whether some attempts of the timeline fold.
pub(super) fn can_fold(model: &Model) -> bool {
    let intent = model.detail.intent.as_ref();
    intent.is_some_and(|intent| !story::run_starts(&intent.events).is_empty())
}

/// `z` and `Z` on the timeline.
pub(super) fn fold(model: &mut Model, is_all: bool) {
    let Some(intent) = &model.detail.intent else {
        return;
    };
    if is_all {
        let starts = story::run_starts(&intent.events);
        let is_open = starts.iter().all(|seq| model.detail.unfolded.contains(seq));
        model.detail.unfolded = if is_open {
            std::collections::BTreeSet::new()
        } else {
            starts
        };
        return;
    }
    let seq = model.detail.event_row().map(|event| event.seq);
    let place = intent
        .events
        .iter()
        .position(|event| Some(event.seq) == seq);
    let Some(start) = place.and_then(|place| story::run_of(&intent.events, place)) else {
        return model.say(Weight::Info, "nothing folds here: three alike attempts do");
    };
    if !model.detail.unfolded.remove(&start) {
        model.detail.unfolded.insert(start);
    }
    model.detail.event = Some(start);
}

/// Whether Enter unfolded the line under the cursor.
pub(super) fn unfold(model: &mut Model) -> bool {
    let lines = model.detail.lines();
    let line = lines.get(model.detail.line_index(&lines));
    let is_folded = matches!(line, Some(Line::Folded { .. }));
    if is_folded {
        fold(model, false);
    }
    is_folded
}

/// Whether what is in view can be searched.
pub(super) fn can_search(model: &Model) -> bool {
    matches!(model.detail.sheet, Sheet::Payload | Sheet::Timeline)
}

/// `/`: asks what to search for.
pub(super) fn ask_search(model: &mut Model) {
    if !can_search(model) {
        model.detail.sheet = Sheet::Payload;
        model.detail.line = 0;
    }
    model.overlay = Some(Overlay::Search(Picker::new("")));
}

/// Enter in the search field: to the first match from the cursor on.
pub(super) fn search(model: &mut Model) {
    let Some(Overlay::Search(picker)) = &model.overlay else {
        return;
    };
    let text = picker.text().trim().to_owned();
    model.overlay = None;
    if !text.is_empty() {
        model.detail.search = text;
        step(model, Direction::Forth);
    }
}

/// `n` and `N`: the next match, or the one before.
pub(super) fn step(model: &mut Model, direction: Direction) {
    let text = model.detail.search.clone();
    if text.is_empty() {
        return model.say(Weight::Info, "nothing is searched for; / asks");
    }
    let found = match model.detail.sheet {
        Sheet::Timeline => find_fact(model, &text, direction),
        _ => find_field(model, &text, direction),
    };
    if !found {
        let where_to = model.detail.sheet.title();
        model.say(Weight::Info, format!("no {text:?} in the {where_to}"));
    }
}

fn find_field(model: &mut Model, text: &str, direction: Direction) -> bool {
    let line = model.detail.line;
    let tree = model.detail.tree.as_mut();
    let Some(line) = tree.and_then(|tree| tree.find(text, line, direction)) else {
        return false;
    };
    model.detail.sheet = Sheet::Payload;
    model.detail.line = line;
    true
}

/// Facts are searched by what stands on their lines; what is folded unfolds when it is found.
fn find_fact(model: &mut Model, text: &str, direction: Direction) -> bool {
    let Some(intent) = &model.detail.intent else {
        return false;
    };
    let events = &intent.events;
    let seq = model.detail.event_row().map(|event| event.seq);
    let here = events
        .iter()
        .position(|event| Some(event.seq) == seq)
        .unwrap_or(0);
    let needle = text.to_lowercase();
    let count = events.len();
    let found = (1..=count)
        .map(|step| match direction {
            Direction::Forth => (here + step) % count,
            Direction::Back => (here + count - step) % count,
        })
        .find(|place| {
            events
                .get(*place)
                .is_some_and(|event| story::text(event).contains(&needle))
        });
    let Some(place) = found else {
        return false;
    };
    let run = story::run_of(events, place);
    model.detail.event = events.get(place).map(|event| event.seq);
    model.detail.unfolded.extend(run);
    true
}

/// Enter on a masked value: it is shown once the broker has it on record.
pub(super) fn reveal(model: &mut Model, tasks: &mut Vec<Task>) -> bool {
    let line = model.detail.line;
    let masked = model
        .detail
        .tree
        .as_ref()
        .filter(|tree| tree.is_masked(line))
        .and_then(|tree| tree.path(line).map(str::to_owned));
    let (Some(path), Some(id)) = (masked, model.detail.id) else {
        return false;
    };
    if let Err(reason) = model.may_act() {
        model.say(Weight::Warn, format!("{reason}; showing it goes on record"));
        return true;
    }
    let what = format!("show {path}");
    let act = Act::Record {
        action: Recorded::Reveal,
        target: id.to_string(),
        reason: None,
        details: Payload::of(&serde_json::json!({ "path": path })),
    };
    acts::send(model, None, what, path, act, tasks);
    true
}

/// The broker has it on record: the value is shown.
pub(super) fn revealed(model: &mut Model, intent: IntentId, path: &str) {
    if model.detail.id == Some(intent)
        && let Some(tree) = &mut model.detail.tree
    {
        tree.reveal_path(path);
    }
    model.say(
        Weight::Info,
        format!("{path} is shown; the audit log says to whom"),
    );
}

/// What the status line says while an earlier instant is looked at.
pub(crate) fn as_of_text(model: &Model) -> Option<String> {
    let as_of = model.detail.as_of.as_ref()?;
    model.view.intent?;
    let left = format::age(model.at.wall.since(as_of.at));
    Some(format!(
        "AS OF {} ({left} ago): header, attempts and end are those of then; ] goes forth, acts act on now",
        format::clock_millis(as_of.at)
    ))
}
