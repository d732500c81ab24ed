//! Two intents side by side: what differs, by path, and the whole of what is under the cursor.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::comparing::Comparing;
use crate::console::theme::Role;
use crate::console::update::compared_under_cursor;
use crate::console::view::kit::{Canvas, Rows, Size, span};
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row};

const COLUMNS: &[Column] = &[
    Column::new("", 0, 1, 1),
    Column::new("PATH", 0, 12, 36),
    Column::new("BEFORE", 1, 12, 20).growing(),
    Column::new("AFTER", 1, 12, 20).growing(),
];

const NARROW: &[Column] = &[
    Column::new("", 0, 1, 1),
    Column::new("PATH", 0, 12, 16),
    Column::new("AFTER", 1, 12, 20).growing(),
];

/// Draws it.
pub(super) fn draw(canvas: &mut Canvas<'_>, body: Rect, comparing: &Comparing) {
    canvas.clear(body);
    let title = format!(
        "Compare {} with {}",
        comparing.intent.short(),
        comparing.left
    );
    let right = match comparing.choices.len() {
        0 | 1 => String::new(),
        count => format!("{} of {count}, Tab", comparing.chosen + 1),
    };
    let inner = canvas.section(body, &title, &right, Some((9, true)));
    if let Some(problem) = &comparing.problem {
        return canvas.text(inner, problem, Role::Warn);
    }
    let Some(payload) = &comparing.payload else {
        return canvas.text(inner, "reading", Role::Dim);
    };
    let whole = match canvas.size {
        Size::Wide => 7,
        Size::Medium | Size::Narrow => 5,
        Size::Tiny | Size::None => 0,
    };
    let table = Rect {
        height: inner.height.saturating_sub(whole + 1),
        ..inner
    };
    draw_table(canvas, table, comparing);
    let foot = Rect {
        y: table.bottom(),
        height: 1,
        ..inner
    };
    let cut = if payload.is_cut {
        "; it is too large to be compared whole"
    } else {
        ""
    };
    let are = if payload.same == 1 {
        "value is"
    } else {
        "values are"
    };
    let same = format!(
        "{} differ, {} {are} the same{cut}",
        comparing.count(),
        format::count(u64::try_from(payload.same).unwrap_or(u64::MAX))
    );
    canvas.text(foot, &same, Role::Dim);
    if whole > 0 {
        draw_whole(canvas, inner, foot.bottom(), comparing);
    }
}

fn draw_table(canvas: &mut Canvas<'_>, area: Rect, comparing: &Comparing) {
    let is_narrow = canvas.size == Size::Tiny;
    let rows: Vec<Row> = comparing
        .lines()
        .map(|one| {
            let (sign, role) = match (&one.before, &one.after) {
                (Some(_), None) => ("-", Role::Bad),
                (None, Some(_)) => ("+", Role::Good),
                _ => ("~", Role::Warn),
            };
            let side = |side: &Option<String>, role| match side {
                Some(text) => Cell::of(text.clone(), role),
                None => Cell::of("–", Role::Dim),
            };
            let path = if one.path.is_empty() {
                "(everything)"
            } else {
                one.path.as_str()
            };
            let mut cells = vec![
                Cell::of(sign, role),
                Cell::of(path, Role::Strong),
                side(&one.before, Role::Bad),
                side(&one.after, Role::Good),
            ];
            if is_narrow {
                cells.remove(2);
            }
            Row::of(cells)
        })
        .collect();
    let list = Rows {
        pane: 9,
        columns: if is_narrow { NARROW } else { COLUMNS },
        rows: &rows,
        cursor: Some(comparing.line.min(rows.len().saturating_sub(1))),
        is_focused: true,
        has_header: true,
        empty: "nothing differs",
    };
    canvas.table(area, &list);
}

/// The value under the cursor, as much of it as there is room for.
fn draw_whole(canvas: &mut Canvas<'_>, inner: Rect, top: u16, comparing: &Comparing) {
    let Some(one) = compared_under_cursor(comparing) else {
        return;
    };
    let area = Rect {
        y: top + 1,
        height: inner.bottom().saturating_sub(top + 1),
        ..inner
    };
    let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "not there".to_owned());
    let half = Rect {
        height: area.height / 2,
        ..area
    };
    let before = vec![("before".to_owned(), span(side(&one.before), Role::Bad))];
    let y = canvas.facts(half, 8, &before);
    let rest = Rect {
        y,
        height: area.bottom().saturating_sub(y),
        ..area
    };
    let after = vec![("after".to_owned(), span(side(&one.after), Role::Good))];
    canvas.facts(rest, 8, &after);
}
