//! The screen: frame around the desks, and which desk is drawn.
//!
//! 1. Drawing reads the model and nothing else, and changes nothing.
//! 2. What lies where for the mouse, and how many lines each list has, comes back as [`Drawn`].
//! 3. Every size from 40x9 up shows the same facts in less room; below, one line says what is needed.

mod chrome;
pub(crate) mod kit;
mod plain;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::action::place::Place;
use super::model::{Drawn, Model};
use super::overlays;
use super::panes;
use super::theme::Role;
use super::theme::glyphs::{ASCII, in_ascii};
use super::widgets::{Paint, put};

use kit::{Canvas, Size};

/// Draws the model.
pub(crate) fn view(model: &Model, paint: Paint<'_>, buffer: &mut Buffer) -> Drawn {
    let size = Size::of(buffer.area.width, buffer.area.height);
    let drawn = if model.settings.is_plain && size != Size::None {
        plain::view(model, paint, buffer)
    } else {
        draw(model, paint, buffer, size)
    };
    if *paint.glyphs == ASCII {
        spell(buffer);
    }
    drawn
}

/// Puts an ASCII sign where our sentences have another one. Names and words of others stay as they are.
fn spell(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if let Some(plain) = in_ascii(cell.symbol()) {
            cell.set_symbol(plain);
        }
    }
}

/// Draws the model as at a size.
fn draw(model: &Model, paint: Paint<'_>, buffer: &mut Buffer, size: Size) -> Drawn {
    let area = buffer.area;
    buffer.set_style(area, paint.style(Role::Text));
    let mut canvas = Canvas {
        buffer,
        paint,
        size,
        drawn: Drawn::default(),
    };
    if size == Size::None {
        let text = format!("{} needs 40x9", chrome::header::health(model, paint));
        put(
            canvas.buffer,
            area.x,
            area.y,
            &text,
            area.width,
            paint.style(Role::Text),
        );
        return canvas.drawn;
    }
    let header = if size == Size::Wide { 2 } else { 1 };
    let tabs = u16::from(size != Size::Tiny);
    let hints = if size == Size::Wide { 2 } else { 1 };
    let foot = hints + 1;
    let body = Rect {
        y: area.y + header + tabs,
        height: area.height.saturating_sub(header + tabs + foot),
        ..area
    };
    chrome::header::header(
        model,
        &mut canvas,
        Rect {
            height: header,
            ..area
        },
    );
    if tabs > 0 {
        chrome::tabs(
            model,
            &mut canvas,
            Rect {
                y: area.y + header,
                height: 1,
                ..area
            },
        );
    }
    draw_body(model, &mut canvas, body);
    let status = Rect {
        y: body.bottom(),
        height: 1,
        ..area
    };
    let foot = Rect {
        y: status.bottom(),
        height: hints,
        ..area
    };
    draw_foot(model, &mut canvas, status, foot);
    overlays::draw(model, &mut canvas, body, status);
    canvas.drawn
}

/// The status and the keys. Where there are few lines, the keys of a strip take the place of a status that says
/// nothing.
fn draw_foot(model: &Model, canvas: &mut Canvas<'_>, status: Rect, hints: Rect) {
    let is_open = model.strip.is_some() && model.overlay.is_none();
    let takes_status = canvas.size == Size::Tiny && is_open && !chrome::has_status(model);
    let hints = if takes_status {
        status.union(hints)
    } else {
        hints
    };
    chrome::status(model, canvas, status);
    chrome::hints(model, canvas, hints);
}

fn draw_body(model: &Model, canvas: &mut Canvas<'_>, body: Rect) {
    if model.view.intent.is_some() {
        return panes::detail::draw(model, canvas, body);
    }
    match model.view.place {
        Place::Overview => panes::overview::draw(model, canvas, body),
        Place::Inbox => panes::inbox::draw(model, canvas, body),
        Place::Intents => panes::intents::draw(model, canvas, body),
        Place::Attempts => panes::attempts::draw(model, canvas, body),
        Place::DeadLetters => panes::dead_letters::draw(model, canvas, body),
        Place::Agents => panes::agents::draw(model, canvas, body),
        Place::Jobs => panes::jobs::draw(model, canvas, body),
        Place::Audit => panes::audit::draw(model, canvas, body),
    }
}
