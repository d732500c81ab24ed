//! What lies over a desk: help, palette, filter, panels, lists of what is held and what was said.
//!
//! 1. One at a time; it opens by a key and closes by Esc, and what is below keeps its place.
//! 2. A panel never starts with the focus on its button.

mod columns;
mod compare;
mod confirm;
mod crumbs;
mod edit;
mod lists;
mod order;
mod picker;

use ratatui::layout::Rect;

use super::model::Model;
use super::model::overlay::Overlay;
use super::model::panel::{Deed, Panel};
use super::view::kit::{Canvas, Size};

/// Draws the overlay, if there is one.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, body: Rect, status: Rect) {
    match &model.overlay {
        None => {}
        Some(Overlay::Help(picker)) => picker::help(model, canvas, body, picker),
        Some(Overlay::Palette(picker)) => picker::palette(model, canvas, body, picker),
        Some(Overlay::Filter(picker)) => picker::filter(model, canvas, body, status, picker),
        Some(Overlay::Search(picker)) => picker::search(canvas, status, picker),
        Some(Overlay::Panel(panel)) if canvas.size == Size::Tiny => {
            confirm::draw_tiny(canvas, body, panel);
        }
        Some(Overlay::Panel(panel)) => match panel.deed {
            Deed::Order(..) => order::draw(model, canvas, body, panel),
            _ => confirm::draw(canvas, body, panel),
        },
        Some(Overlay::Held(cursor)) => lists::held(model, canvas, body, *cursor),
        Some(Overlay::Messages(back)) => lists::messages(model, canvas, body, *back),
        Some(Overlay::Explain { title, lines }) => lists::explain(canvas, body, title, lines),
        Some(Overlay::Themes { cursor, .. }) => lists::themes(model, canvas, body, *cursor),
        Some(Overlay::Crumbs { level, cursor }) => {
            crumbs::draw(model, canvas, body, *level, *cursor);
        }
        Some(Overlay::Columns { list, cursor }) => {
            columns::draw(model, canvas, body, *list, *cursor);
        }
        Some(Overlay::Compare(comparing)) => compare::draw(canvas, body, comparing),
        Some(Overlay::Edit(edit)) => edit::draw(canvas, body, edit),
    }
}

/// Cells of the panel that orders a job, where it stands beside a list.
pub(crate) const ORDER_COLUMNS: u16 = order::COLUMNS;

/// Lines of the panel that orders a job, where it stands beside a list.
pub(crate) fn order_height(panel: &Panel) -> u16 {
    order::height(panel)
}

/// A place in the middle of `body`; on screens without boxes it takes the whole width.
fn middle(body: Rect, columns: u16, lines: u16) -> Rect {
    let has_boxes = body.width >= 110;
    let width = if has_boxes {
        columns.min(body.width)
    } else {
        body.width
    };
    let height = lines.min(body.height);
    Rect {
        x: body.x + (body.width - width) / 2,
        y: body.y + (body.height - height) / 2,
        width,
        height,
    }
}

/// The lower part of `body`, for narrow screens.
fn lower(body: Rect, lines: u16) -> Rect {
    let height = lines.min(body.height);
    Rect {
        y: body.bottom() - height,
        height,
        ..body
    }
}
