//! All intents, newest first, under a filter.

use ratatui::layout::Rect;

use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::Model;
use crate::console::model::columns::ListName;
use crate::console::model::reads::Slot;
use crate::console::rows::{Row, Window};
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, List, Size, empty_text, fact, rows_of};
use crate::console::widgets::table::Cell;
use crate::console::widgets::table::columns::Column;
use crate::desk::rows::IntentRow;
use crate::domain::ids::IntentId;
use crate::domain::time::Timestamp;

use crate::console::update::sifting;

use super::words;

/// Its columns.
pub(crate) const COLUMNS: &[Column] = &[
    Column::new("INTENT", 0, 8, 8),
    Column::new("STATUS", 0, 14, 16),
    Column::new("AGENT", 1, 15, 20),
    Column::new("AGE", 2, 5, 5).right(),
    Column::new("ATT", 3, 4, 4).right(),
    Column::new("NEXT", 4, 9, 9).right(),
    Column::new("TYPE", 6, 16, 18),
    Column::new("SENDER", 7, 8, 12),
    Column::new("BINDING", 5, 7, 8).optional(),
    Column::new("DEADLINE", 5, 8, 8).right().optional(),
    Column::new("CORRELATION", 5, 11, 20).optional(),
    Column::new("REPLAYS", 5, 8, 8).optional(),
    Column::new("NOTE", 5, 22, 24).growing(),
];

/// The cells of an intent.
pub(crate) fn cells(row: &IntentRow, now: Timestamp) -> Vec<Cell> {
    let next = match row.next_at {
        Some(until) if row.delivery == "leased" => {
            Cell::of(format!("lease {}", format::left(until, now)), Role::Dim)
        }
        Some(next) if next > now => Cell::from(format!("in {}", format::age(next.since(now)))),
        Some(_) => Cell::of("due", Role::Warn),
        None => Cell::of("–", Role::Dim),
    };
    let replay = row
        .replay_of
        .map(|id| format!("replay of {}  ", id.short()));
    let note = format!(
        "{}{}",
        replay.unwrap_or_default(),
        row.note.as_deref().map_or("", words::plain_note)
    );
    let deadline = row
        .deadline
        .map_or_else(|| "–".to_owned(), |at| format::left(at, now));
    vec![
        Cell::from(row.id.short()),
        Cell::of(words::status_text(row), words::state_role(row.state)),
        Cell::from(row.to.name()),
        Cell::from(format::age(now.since(row.created_at))),
        Cell::from(format!("{}/{}", row.attempts, row.max_attempts)),
        if row.status.is_terminal() {
            Cell::of("–", Role::Dim)
        } else {
            next
        },
        Cell::of(words::type_text(&row.intent_type), Role::Dim),
        Cell::from(row.from.name()),
        Cell::of(row.binding.name(), Role::Dim),
        Cell::from(deadline),
        Cell::of(row.correlation_id.clone(), Role::Dim),
        Cell::from(
            row.replay_of
                .map_or_else(|| "–".to_owned(), IntentId::short),
        ),
        Cell::of(note, Role::Dim),
    ]
}

/// The title of a list: its name, how many are loaded, how many are marked.
pub(crate) fn title_of<T: Row>(name: &str, canvas: &Canvas<'_>, window: &Window<T>) -> String {
    let dot = canvas.paint.glyphs.dot;
    let more = if window.next().is_some() { "+" } else { "" };
    let loaded = format::count(u64::try_from(window.rows().len()).unwrap_or(0));
    let marked = match window.marked() {
        0 => String::new(),
        count => format!(" {dot} {} {count} marked", canvas.paint.glyphs.mark),
    };
    format!("{name} {dot} {loaded}{more}{marked}")
}

/// The right side of a title: what is new above, the filter, the order.
pub(crate) fn right_of<T: Row>(
    model: &Model,
    canvas: &Canvas<'_>,
    window: &Window<T>,
    filter: &str,
    place: Place,
) -> String {
    let glyphs = canvas.paint.glyphs;
    let mut parts = Vec::new();
    if window.unseen() > 0 {
        parts.push(format!("{} {} new (f)", glyphs.up, window.unseen()));
    } else if model.paused.is_some() {
        parts.push("PAUSED (p)".to_owned());
    }
    if let Some(scan) = sifting::scan_of(model, place) {
        parts.push(sifting::words(scan));
    }
    let filter = if filter.is_empty() { "none" } else { filter };
    parts.push(format!("/ {filter}"));
    parts.push(words::order(model, place, glyphs));
    parts.join("   ")
}

/// Draws the desk.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let peek = match canvas.size {
        Size::Wide => 7,
        Size::Medium => 4,
        Size::Narrow | Size::Tiny | Size::None => 0,
    };
    let [list, detail] = rows_of(area, [0, peek], 0);
    draw_list(model, canvas, list);
    if peek > 0 {
        draw_peek(model, canvas, detail);
    }
}

fn draw_list(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let window = &model.intents.rows;
    let right = right_of(
        model,
        canvas,
        window,
        &model.intents.filter.text,
        Place::Intents,
    );
    let title = title_of("Intents", canvas, window);
    let inner = canvas.section(area, &title, &right, Some((0, true)));
    let nothing = match &model.intents.scan {
        Some(scan) if scan.is_running() => "none found so far; the search goes on, Esc stops it",
        _ if model.intents.filter.is_empty() => "no intents yet: postroom send sends one",
        _ => "no intent fits the filter; // clears it",
    };
    let list = List {
        window,
        pane: 0,
        columns: COLUMNS,
        chosen: Some((&model.columns, ListName::Intents)),
        is_focused: true,
        has_marks: true,
        below: 0,
        empty: empty_text(model, window, Slot::Intents, nothing),
    };
    canvas.list(inner, &list, |row| {
        let mut cells = cells(row, model.at.wall);
        if let Some(held) = model.held_on(row.id)
            && let Some(note) = cells.last_mut()
        {
            *note = super::dead_letters::held_cell(held, model.at.wall);
        }
        cells
    });
}

fn draw_peek(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let row = model.intents.rows.cursor_row();
    let title = row.map_or_else(|| "Intent".to_owned(), |row| row.id.to_string());
    let inner = canvas.section(area, &title, "Enter opens", None);
    let Some(row) = row else {
        return;
    };
    let now = model.at.wall;
    let deadline = row.deadline.map_or_else(
        || "no deadline".to_owned(),
        |deadline| format!("deadline {}", format::moment(deadline, now)),
    );
    let facts = [
        fact(
            "what",
            format!(
                "{} from {} to {} over {}",
                row.intent_type,
                row.from.name(),
                row.to.name(),
                row.binding
            ),
        ),
        fact(
            "state",
            if row.status.is_terminal() {
                format!(
                    "{}, {} of {} started",
                    words::status_text(row),
                    row.attempts,
                    words::counted(u64::from(row.max_attempts), "attempt")
                )
            } else {
                format!(
                    "{}, delivery {}, attempt {} of {}, {deadline}",
                    words::status_text(row),
                    row.delivery.replace('_', " "),
                    row.attempts,
                    row.max_attempts
                )
            },
        ),
        fact("note", row.note.clone().unwrap_or_else(|| "–".to_owned())),
        fact("corr", row.correlation_id.clone()),
    ];
    canvas.facts(inner, 7, &facts);
}
