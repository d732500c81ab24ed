//! Dead letters: groups that look alike, the letters in one, what is known of the error.

mod facts;

use ratatui::layout::Rect;

use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::Model;
use crate::console::model::columns::ListName;
use crate::console::model::overlay::Overlay;
use crate::console::model::panel::Deed;
use crate::console::model::reads::Slot;
use crate::console::overlays::{ORDER_COLUMNS, order_height};
use crate::console::regroup::{Bundle, GroupBy};
use crate::console::theme::Role;
use crate::console::update::seconds_left;
use crate::console::view::kit::{Canvas, List, Size, columns_of, empty_text, rows_of};
use crate::console::widgets::spark::spark;
use crate::console::widgets::table::Cell;
use crate::console::widgets::table::columns::Column;
use crate::desk::rows::{HeldRow, LetterGroupRow, LetterRow};
use crate::domain::failure::ErrorClass;
use crate::domain::group::{GroupStand, GroupState};
use crate::domain::time::{Span, Timestamp};
use crate::store::query::LetterState;

use self::facts::{bundle_facts, group_facts, letter_facts};
use super::{intents, words};

/// Cells of the last day's letters; the newest is the last.
const SPARK_CELLS: usize = 8;

/// The columns of groups.
pub(crate) const GROUPS: &[Column] = &[
    Column::new("GROUP", 0, 5, 5),
    Column::new("COUNT", 0, 5, 6).right(),
    Column::new("24H", 4, 8, 12),
    Column::new("FIRST", 7, 6, 6),
    Column::new("LAST", 3, 4, 4).right(),
    Column::new("AGENT", 1, 15, 18),
    Column::new("ERROR", 2, 20, 24).growing(),
    Column::new("WHY", 8, 14, 14),
    Column::new("STATE", 2, 9, 9),
    Column::new("OWNER", 6, 8, 10),
];

/// The same where a group has a name instead of four letters.
const fn gathered(agent: Column) -> [Column; 10] {
    [
        Column::new("GROUP", 0, 15, 22),
        Column::new("COUNT", 0, 5, 6).right(),
        Column::new("24H", 4, 8, 12),
        Column::new("FIRST", 7, 6, 6),
        Column::new("LAST", 3, 4, 4).right(),
        agent,
        Column::new("ERROR", 2, 20, 24).growing(),
        Column::new("WHY", 9, 14, 14).optional(),
        Column::new("STATE", 6, 9, 9),
        Column::new("OWNER", 8, 8, 10),
    ]
}

const GATHERED: &[Column] = &gathered(Column::new("AGENT", 5, 15, 18));
const BY_AGENT: &[Column] = &gathered(Column::new("AGENT", 5, 15, 18).optional());

/// The columns of letters.
pub(crate) const LETTERS: &[Column] = &[
    Column::new("INTENT", 0, 8, 8),
    Column::new("DEAD AT", 0, 8, 8),
    Column::new("ATT", 1, 3, 3).right(),
    Column::new("CODE", 2, 5, 8).optional(),
    Column::new("SENDER", 2, 8, 14).optional(),
    Column::new("AGENT", 2, 8, 16).optional(),
    Column::new("NOTE", 2, 8, 28).growing(),
];

/// What is staged on a row, as it stands in its note.
pub(crate) fn held_cell(held: &HeldRow, now: Timestamp) -> Cell {
    let left = seconds_left(held.effective_at, now);
    Cell::of(
        format!("{} · final in {left} · u undo", held.act),
        Role::Held,
    )
}

/// Lines of the error below a panel that orders a job.
const ERROR_LINES: u16 = 7;

/// Groups, letters, and what is below them while a panel stands beside the letters.
fn split(model: &Model, area: Rect) -> [Rect; 3] {
    let groups = u16::try_from(model.dead.groups.len()).unwrap_or(u16::MAX);
    let lines = groups.saturating_add(3).clamp(6, 10);
    let below = match &model.overlay {
        Some(Overlay::Panel(panel)) if is_ordering(model) => area
            .height
            .saturating_sub(lines.saturating_add(order_height(panel)))
            .max(ERROR_LINES),
        _ => 0,
    };
    rows_of(area, [lines, 0, below], 1)
}

/// Whether a panel that orders a job is open.
fn is_ordering(model: &Model) -> bool {
    matches!(&model.overlay, Some(Overlay::Panel(panel)) if matches!(panel.deed, Deed::Order(..)))
}

/// Where a panel that orders a job stands, on the wide desk of dead letters.
pub(crate) fn beside(model: &Model, area: Rect) -> Option<Rect> {
    let is_here = model.view.place == Place::DeadLetters && model.view.intent.is_none();
    let [_, middle, below] = split(model, area);
    (is_here && !below.is_empty()).then_some(middle)
}

/// Draws the desk.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    match canvas.size {
        Size::Wide => {
            let [top, middle, below] = split(model, area);
            draw_groups(model, canvas, top);
            if below.is_empty() {
                let (left, right) = columns_of(middle, middle.width / 2);
                draw_letters(model, canvas, left);
                draw_error(model, canvas, right);
            } else {
                let (left, _) = columns_of(middle, middle.width.saturating_sub(ORDER_COLUMNS));
                draw_letters(model, canvas, left);
                draw_error(model, canvas, below);
            }
        }
        Size::Medium => {
            let [list, peek] = rows_of(area, [0, 6], 0);
            if model.pane() == 0 {
                draw_groups(model, canvas, list);
            } else {
                draw_letters(model, canvas, list);
            }
            draw_error(model, canvas, peek);
        }
        Size::Narrow | Size::Tiny | Size::None => {
            if model.pane() == 0 {
                draw_groups(model, canvas, area);
            } else {
                draw_letters(model, canvas, area);
            }
        }
    }
}

fn draw_groups(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    // One heavy box: that of the panel beside the letters.
    let is_focused = model.pane() == 0 && !is_ordering(model);
    let window = &model.dead.groups;
    let dot = canvas.paint.glyphs.dot;
    let sum: u64 = window.rows().iter().map(|group| group.count).sum();
    let title = format!(
        "Dead letters {dot} {} {dot} {}",
        words::counted(u64::try_from(window.rows().len()).unwrap_or(0), "group"),
        format::count(sum)
    ) + &by_words(model)
        + &expiry(model, canvas.size);
    let right = intents::right_of(
        model,
        canvas,
        window,
        &model.dead.filter.text,
        Place::DeadLetters,
    );
    let inner = canvas.section(area, &title, &right, Some((0, is_focused)));
    let nothing = if model.dead.filter.is_empty() {
        "no dead letters: nothing was given up"
    } else {
        "no dead letter fits the filter; // clears it"
    };
    let list = List {
        window,
        pane: 0,
        columns: match model.dead.by {
            GroupBy::Error => GROUPS,
            GroupBy::Agent => BY_AGENT,
            GroupBy::Type | GroupBy::Code | GroupBy::Hour => GATHERED,
        },
        chosen: Some((&model.columns, ListName::Groups)),
        is_focused,
        has_marks: false,
        below: 0,
        empty: empty_text(model, window, Slot::Groups, nothing),
    };
    let glyphs = canvas.paint.glyphs;
    canvas.list(inner, &list, |group| {
        let bundle = model.dead.bundles.get(&group.fingerprint);
        group_cells((group, bundle), model.at.wall, |values| {
            spark(values, SPARK_CELLS, None, glyphs)
        })
    });
}

/// How they are gathered, when it is not the usual way.
fn by_words(model: &Model) -> String {
    match model.dead.by {
        GroupBy::Error => String::new(),
        by => format!(" by {}", by.word()),
    }
}

/// When the first of them is removed for its age, at wide sizes.
fn expiry(model: &Model, size: Size) -> String {
    let kept = model.hello.as_ref().map(|hello| hello.letters_kept);
    let rows = model.dead.read.iter();
    let first = rows.map(|group| group.first_at).min();
    match (size, first, kept) {
        (Size::Wide, Some(first), Some(kept)) if kept > Span::ZERO => {
            let left = first.after(kept).since(model.at.wall).max(Span::ZERO);
            format!(", next removed for its age in {}", format::age(left))
        }
        _ => String::new(),
    }
}

fn group_cells(
    (group, bundle): (&LetterGroupRow, Option<&Bundle>),
    now: Timestamp,
    draw: impl Fn(&[u64]) -> String,
) -> Vec<Cell> {
    let hourly: Vec<u64> = group
        .hourly
        .iter()
        .map(|deaths| u64::from(*deaths))
        .collect();
    let code = group
        .http_status
        .map(|status| format!("{status} "))
        .unwrap_or_default();
    let message = match group.message.strip_prefix(code.as_str()) {
        Some(rest) if !code.is_empty() => rest,
        _ => &group.message,
    };
    let state = bundle.map_or(Some(group.state), |bundle| bundle.state);
    let of_many = |count: usize, one: &str, only: &str| match count {
        1 => only.to_owned(),
        count => words::counted(u64::try_from(count).unwrap_or(0), one),
    };
    let label = bundle.map_or_else(
        || words::group_label(&group.fingerprint),
        |bundle| bundle.short().to_owned(),
    );
    let agent = bundle.map_or_else(
        || group.to.name().to_owned(),
        |bundle| of_many(bundle.agents, "agent", group.to.name()),
    );
    let error = match bundle.map(|bundle| bundle.errors) {
        None | Some(1) => format!("{code}{message}"),
        Some(count) => format!("{count} errors: {code}{message}, …"),
    };
    vec![
        Cell::of(label, Role::Strong),
        Cell::of(format::count(group.count), Role::Bad),
        Cell::of(draw(&hourly), Role::Fill),
        Cell::of(format::moment(group.first_at, now), Role::Dim),
        Cell::from(format::age_short(now.since(group.last_at))),
        Cell::from(agent),
        Cell::from(error),
        Cell::of(group.reason.name().replace('_', " "), Role::Dim),
        state.map_or_else(
            || Cell::of("mixed", Role::Dim),
            |state| Cell::of(state_word(state), state_role(state)),
        ),
        group.owner.as_ref().map_or_else(
            || Cell::of("–", Role::Dim),
            |owner| Cell::from(owner.name()),
        ),
    ]
}

/// The state of a group as its column has it.
pub(crate) const fn state_word(state: GroupState) -> &'static str {
    match state {
        GroupState::Said(GroupStand::Acknowledged) => "ack",
        other => other.name(),
    }
}

const fn state_role(state: GroupState) -> Role {
    match state {
        GroupState::Regressed => Role::Crit,
        GroupState::Said(GroupStand::New) => Role::Warn,
        GroupState::Said(GroupStand::Acknowledged) => Role::Text,
        GroupState::Said(GroupStand::Resolved) => Role::Good,
        GroupState::Said(GroupStand::Muted) => Role::Off,
    }
}

fn draw_letters(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let is_focused = model.pane() == 1;
    let window = &model.dead.letters;
    let group = model
        .dead
        .letters_of
        .as_deref()
        .map(|key| format!(" {}", model.dead.label(key)))
        .unwrap_or_default();
    let dot = canvas.paint.glyphs.dot;
    let marked = match window.marked() {
        0 => String::new(),
        count => format!(" {dot} {} {count} marked", canvas.paint.glyphs.mark),
    };
    let title = format!("In group{group}{marked}");
    let right = match window.unseen() {
        0 => String::new(),
        unseen => format!("{} {unseen} new (f)", canvas.paint.glyphs.up),
    };
    let inner = canvas.section(area, &title, &right, Some((1, is_focused)));
    // Without a group nothing is asked for, so nothing is being read.
    let is_without = model.dead.letters_of.is_none() && model.dead.groups.is_loaded();
    let empty = if is_without {
        String::new()
    } else {
        empty_text(model, window, Slot::Letters, "no letters here")
    };
    let list = List {
        window,
        pane: 1,
        columns: LETTERS,
        chosen: Some((&model.columns, ListName::Letters)),
        is_focused,
        has_marks: true,
        below: 0,
        empty,
    };
    canvas.list(inner, &list, |letter| {
        let held = model.held_on(letter.intent).or(letter.held.as_ref());
        let note = match held.filter(|held| held.effective_at > model.at.wall) {
            Some(held) => held_cell(held, model.at.wall),
            None if model.is_sent(letter.intent) => Cell::of("sent, waiting", Role::Dim),
            None => Cell::of(note(letter), Role::Dim),
        };
        vec![
            Cell::from(letter.intent.short()),
            Cell::of(format::clock(letter.dead_at), Role::Dim),
            Cell::from(letter.attempts.to_string()),
            Cell::of(code(letter.http_status, letter.error_class), Role::Bad),
            Cell::from(letter.from.name()),
            Cell::from(letter.to.name()),
            note,
        ]
    });
}

fn code(status: Option<u16>, class: Option<ErrorClass>) -> String {
    match (status, class) {
        (Some(status), _) => status.to_string(),
        (None, Some(class)) => class.name().to_owned(),
        (None, None) => "–".to_owned(),
    }
}

fn note(letter: &LetterRow) -> String {
    let mut parts = Vec::new();
    match (letter.state, letter.replayed_as) {
        (_, Some(replay)) => parts.push(format!("replayed as {}", replay.short())),
        (LetterState::Replayed, None) => parts.push("replayed".to_owned()),
        (LetterState::Discarded, None) => parts.push("discarded".to_owned()),
        (LetterState::Open, None) => {}
    }
    if let Some(before) = letter.replay_of {
        parts.push(format!("replay of {}", before.short()));
    }
    parts.push(words::type_text(&letter.intent_type).to_owned());
    parts.join("  ")
}

fn draw_error(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let group = model.dead.groups.cursor_row();
    let letter = model
        .dead
        .letters
        .cursor_row()
        .filter(|_| model.pane() == 1);
    let title = match (letter, group) {
        (Some(letter), _) => format!("Letter {}", letter.intent.short()),
        (None, Some(group)) => {
            let what = match model.dead.by {
                GroupBy::Error => "Error",
                GroupBy::Agent | GroupBy::Type | GroupBy::Code | GroupBy::Hour => "Group",
            };
            format!("{what} {}", model.dead.label(&group.fingerprint))
        }
        (None, None) => "Error".to_owned(),
    };
    let right = if letter.is_some() {
        "Enter opens"
    } else {
        "Enter goes in   i explains"
    };
    let inner = canvas.section(area, &title, right, None);
    let facts = match (letter, group) {
        (Some(letter), _) => letter_facts(letter, model.at.wall),
        (None, Some(group)) => match model.dead.bundles.get(&group.fingerprint) {
            Some(bundle) => bundle_facts(group, bundle, model.at.wall),
            None => group_facts(group, model.at.wall),
        },
        (None, None) => return,
    };
    canvas.facts(inner, 10, &facts);
}
