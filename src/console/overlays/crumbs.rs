//! The way to what is on the screen, with what stands beside it at the level in focus.

use ratatui::layout::Rect;

use crate::console::model::Model;
use crate::console::theme::Role;
use crate::console::update::crumbs;
use crate::console::view::kit::{Canvas, Rows, Size};
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row};

const COLUMNS: &[Column] = &[
    Column::new("NAME", 0, 8, 18),
    Column::new("ABOUT", 1, 10, 30).growing(),
];

/// Cells it takes.
const WIDTH: u16 = 76;

/// Draws it below the crumbs.
pub(super) fn draw(
    model: &Model,
    canvas: &mut Canvas<'_>,
    body: Rect,
    level: usize,
    cursor: usize,
) {
    let levels = crumbs::levels(model);
    let sign = format!(" {} ", canvas.paint.glyphs.crumb);
    let names: Vec<String> = levels
        .iter()
        .enumerate()
        .map(|(index, one)| {
            if index == level {
                format!("[{}]", one.name)
            } else {
                one.name.clone()
            }
        })
        .collect();
    let siblings = levels.get(level).map_or(&[][..], |level| &level.siblings);
    let has_boxes = canvas.size == Size::Wide;
    let lines = u16::try_from(siblings.len())
        .unwrap_or(u16::MAX)
        .saturating_add(if has_boxes { 2 } else { 1 });
    // Without boxes nothing would tell it from what is beside it.
    let width = if has_boxes { WIDTH } else { body.width };
    let area = Rect {
        x: body.right() - width,
        width,
        height: lines.min(body.height),
        ..body
    };
    canvas.clear(area);
    let inner = canvas.section(area, &names.join(&sign), "Tab level", Some((9, true)));
    let rows: Vec<Row> = siblings
        .iter()
        .map(|sibling| {
            Row::of(vec![
                Cell::from(sibling.name.clone()),
                Cell::of(sibling.about.clone(), Role::Dim),
            ])
        })
        .collect();
    let list = Rows {
        pane: 9,
        columns: COLUMNS,
        rows: &rows,
        cursor: Some(cursor.min(rows.len().saturating_sub(1))),
        is_focused: true,
        has_header: false,
        empty: "nothing here",
    };
    canvas.table(inner, &list);
}
