//! Who did what, through what, on what, and what came of it.

use ratatui::layout::Rect;
use serde_json::{Map, Value};

use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::Model;
use crate::console::model::columns::ListName;
use crate::console::model::reads::Slot;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, List, Size, Span, empty_text, fact, rows_of, span};
use crate::console::widgets::table::Cell;
use crate::console::widgets::table::columns::Column;
use crate::desk::rows::jobs::AuditRow;
use crate::domain::ids::IntentId;
use crate::domain::time::Timestamp;

use super::{intents, words};

const WIDE: &[Column] = &[
    Column::new("TIME", 0, 8, 8),
    Column::new("WHO", 0, 8, 12),
    Column::new("ACTION", 0, 18, 19),
    Column::new("TARGET", 1, 10, 18),
    Column::new("RESULT", 2, 8, 16),
    Column::new("VIA", 4, 7, 7),
    Column::new("KEY", 5, 8, 10).optional(),
    Column::new("TRACE", 5, 8, 8).optional(),
    Column::new("DETAILS", 5, 16, 28).optional(),
    Column::new("WHY", 3, 14, 20).growing(),
];

/// The reason is what an entry is read for: everything else takes no more than it needs.
const MEDIUM: &[Column] = &[
    Column::new("TIME", 0, 6, 6),
    Column::new("WHO", 0, 8, 8),
    Column::new("ACTION", 0, 18, 19),
    Column::new("TARGET", 1, 8, 10),
    Column::new("RESULT", 2, 8, 8),
    Column::new("VIA", 4, 7, 7),
    Column::new("KEY", 5, 8, 8).optional(),
    Column::new("TRACE", 5, 8, 8).optional(),
    Column::new("DETAILS", 5, 16, 24).optional(),
    Column::new("WHY", 3, 14, 20).growing(),
];

/// The columns at a size.
pub(crate) const fn columns(size: Size) -> &'static [Column] {
    match size {
        Size::Wide => WIDE,
        _ => MEDIUM,
    }
}

fn cells(row: &AuditRow, now: Timestamp) -> Vec<Cell> {
    let role = match row.result.as_str() {
        "done" => Role::Good,
        "held" => Role::Active,
        _ => Role::Bad,
    };
    let none = || "–".to_owned();
    let details = row
        .details
        .as_ref()
        .map_or_else(none, |details| words::flat(&details.to_value()));
    vec![
        Cell::of(format::moment(row.at, now), Role::Dim),
        Cell::from(words::actor(&row.actor)),
        Cell::from(row.action.clone()),
        Cell::from(target(row)),
        Cell::of(row.result.replace('_', " "), role),
        Cell::of(row.via.clone(), Role::Dim),
        Cell::of(row.key.clone().unwrap_or_else(none), Role::Dim),
        Cell::of(row.trace_id.clone().unwrap_or_else(none), Role::Dim),
        Cell::of(details, Role::Dim),
        Cell::from(row.reason.clone().unwrap_or_default()),
    ]
}

/// Intents by their label, agents by their name.
fn target(row: &AuditRow) -> String {
    match row.target.parse::<IntentId>() {
        Ok(intent) => intent.short(),
        Err(_) => words::actor(&row.target).to_owned(),
    }
}

/// Draws the desk.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let peek = match canvas.size {
        Size::Wide => 10,
        Size::Medium => 8,
        Size::Narrow | Size::Tiny | Size::None => 0,
    };
    let [list, detail] = rows_of(area, [0, peek], 0);
    draw_list(model, canvas, list);
    if peek > 0 {
        let inner = canvas.section(detail, "Entry", "", None);
        if let Some(row) = model.audit.rows.cursor_row() {
            canvas.facts(inner, 9, &facts(row));
        }
    }
}

fn draw_list(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let window = &model.audit.rows;
    let right = intents::right_of(
        model,
        canvas,
        window,
        &model.audit.filter.text,
        Place::Audit,
    );
    let title = intents::title_of("Audit", canvas, window);
    let inner = canvas.section(area, &title, &right, Some((0, true)));
    let nothing = if model.audit.filter.is_empty() {
        "no operator has done anything yet"
    } else {
        "no entry fits the filter; // clears it"
    };
    let list = List {
        window,
        pane: 0,
        columns: columns(canvas.size),
        chosen: Some((&model.columns, ListName::Audit)),
        is_focused: true,
        has_marks: false,
        below: 0,
        empty: empty_text(model, window, Slot::Audit, nothing),
    };
    canvas.list(inner, &list, |row| cells(row, model.at.wall));
}

fn facts(row: &AuditRow) -> Vec<(String, Span)> {
    let behalf = if row.owner == row.actor {
        String::new()
    } else {
        format!(" on behalf of {}", row.owner)
    };
    let key = row.key.as_deref();
    let key = key.map_or_else(String::new, |key| format!(" with {key}"));
    let result = match row.result.as_str() {
        "done" => "done".to_owned(),
        "held" => "staged; it takes effect after its hold".to_owned(),
        code => format!("refused: {code}; nothing was changed"),
    };
    let mut facts = vec![
        fact(
            "who",
            format!("{}{behalf} through {}{key}", row.actor, row.via),
        ),
        fact(
            "did",
            format!("{} at {}", row.action, format::clock_millis(row.at)),
        ),
        fact("to", row.target.clone()),
        fact("result", result),
        match &row.reason {
            Some(reason) => fact("why", reason.clone()),
            None => ("why".to_owned(), span("no reason given", Role::Dim)),
        },
    ];
    if let Some(details) = &row.details {
        facts.push(fact("changed", change_text(&details.to_value())));
    }
    if let Some(trace) = &row.trace_id {
        facts.push(fact("trace", trace.clone()));
    }
    facts
}

/// What became what: `status ACKNOWLEDGED → COMPLETED   delivery leased → done`.
fn change_text(details: &Value) -> String {
    let side = |name: &str| details.get(name).and_then(Value::as_object);
    let (Some(before), Some(after)) = (side("before"), side("after")) else {
        return words::flat(details);
    };
    let names = before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)));
    let changes: Vec<String> = names
        .map(|name| {
            let of =
                |side: &Map<String, Value>| side.get(name).map_or_else(|| "none".to_owned(), plain);
            format!("{} {} → {}", name.replace('_', " "), of(before), of(after))
        })
        .collect();
    changes.join("   ")
}

/// A value as people write it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_names_each_thing_with_what_it_was_and_is() {
        let details = json!({
            "before": { "status": "ACKNOWLEDGED", "max_in_flight": null },
            "after": { "status": "COMPLETED", "max_in_flight": 4, "paused": "cutover" },
        });
        assert_eq!(
            change_text(&details),
            "max in flight none → 4   status ACKNOWLEDGED → COMPLETED   paused none → cutover"
        );
        assert_eq!(change_text(&json!({ "hold": "hold_1" })), "hold hold_1");
    }
}
