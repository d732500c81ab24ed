//! The columns of the list below, and which of them are shown.

use ratatui::layout::Rect;

use crate::console::model::Model;
use crate::console::model::columns::ListName;
use crate::console::panes;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Rows, Size};
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row};

const COLUMNS: &[Column] = &[
    Column::new("SHOWN", 0, 5, 5),
    Column::new("COLUMN", 0, 8, 14),
    Column::new("", 1, 10, 24).growing(),
];

/// Cells of the chooser.
const WIDTH: u16 = 52;

/// Draws it at the right edge, so that the list can be seen to change.
pub(super) fn draw(
    model: &Model,
    canvas: &mut Canvas<'_>,
    body: Rect,
    list: ListName,
    cursor: usize,
) {
    let columns = panes::columns_of(list, canvas.size);
    let has_boxes = canvas.size == Size::Wide;
    let lines = u16::try_from(columns.len())
        .unwrap_or(u16::MAX)
        .saturating_add(if has_boxes { 2 } else { 1 })
        .min(body.height);
    // Without boxes nothing would tell it from what is beside it.
    let width = if has_boxes { WIDTH } else { body.width };
    let area = Rect {
        x: body.right() - width,
        y: body.bottom() - lines,
        width,
        height: lines,
    };
    canvas.clear(area);
    let title = format!("Columns of {}", list.word());
    let inner = canvas.section(area, &title, "Space shows or hides", Some((9, true)));
    let rows: Vec<Row> = columns
        .iter()
        .map(|column| {
            let is_shown = model.columns.is_shown(list, column);
            let sign = if is_shown { "[x]" } else { "[ ]" };
            let note = match (column.importance, column.is_optional) {
                (0, _) => "always",
                (_, true) => "off until chosen",
                (_, false) => "",
            };
            let title = if column.title.is_empty() {
                "(sign)"
            } else {
                column.title
            };
            Row::of(vec![
                Cell::from(sign),
                Cell::from(title),
                Cell::of(note, Role::Dim),
            ])
        })
        .collect();
    let list = Rows {
        pane: 9,
        columns: COLUMNS,
        rows: &rows,
        cursor: Some(cursor),
        is_focused: true,
        has_header: false,
        empty: "no columns",
    };
    canvas.table(inner, &list);
}
