//! A panel: what would happen, why, and a button.

use ratatui::layout::Rect;

use crate::console::model::overlay::Panel;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Size, fact, span, wrap};

use super::{lower, middle};

const LABEL: u16 = 9;

/// Draws it.
pub(super) fn draw(canvas: &mut Canvas<'_>, body: Rect, panel: &Panel) {
    let area = place(canvas, body, panel);
    canvas.clear(area);
    let inner = canvas.section(area, &panel.title, "", Some((9, true)));
    let facts: Vec<_> = panel
        .facts
        .iter()
        .map(|(name, text)| fact(name, text.clone()))
        .collect();
    // What is asked and the button always have their place; facts give way.
    let is_tight = inner.height < 8;
    let gap = u16::from(!is_tight);
    let asks = if panel.reason.is_some() { 1 + gap } else { 0 };
    let problem = u16::from(panel.problem.is_some() || !is_tight);
    let room = inner.height.saturating_sub(asks + problem + 1);
    let mut y = canvas.facts(
        Rect {
            height: room,
            ..inner
        },
        LABEL,
        &facts,
    );
    if let Some(reason) = &panel.reason {
        y += gap;
        let line = Rect {
            y,
            height: 1,
            ..inner
        };
        if y < inner.bottom() {
            canvas.text(line, "why", Role::Dim);
            let x = inner.x + LABEL;
            let width = inner.width.saturating_sub(LABEL);
            let field = Rect { x, width, ..line };
            reason.draw(field, canvas.buffer, canvas.paint, !panel.is_on_button);
        }
        y += 1;
    }
    if let Some(problem) = &panel.problem
        && y < inner.bottom()
    {
        canvas.text(
            Rect {
                y,
                height: 1,
                ..inner
            },
            problem,
            Role::Warn,
        );
    }
    foot(canvas, inner, panel);
}

fn place(canvas: &Canvas<'_>, body: Rect, panel: &Panel) -> Rect {
    let is_wide = canvas.size == Size::Wide;
    let columns = if is_wide { 84 } else { body.width };
    let room = usize::from(columns.saturating_sub(LABEL + 4));
    let lines: usize = panel
        .facts
        .iter()
        .map(|(_, text)| wrap(text, room).len())
        .sum();
    let asks = usize::from(panel.reason.is_some()) * 2;
    let height = u16::try_from(lines + asks + 4 + usize::from(is_wide)).unwrap_or(u16::MAX);
    if is_wide {
        middle(body, columns, height)
    } else {
        lower(body, height)
    }
}

fn foot(canvas: &mut Canvas<'_>, inner: Rect, panel: &Panel) {
    let foot = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1,
        ..inner
    };
    let button = format!("[ {} ]", panel.button);
    let role = if panel.is_on_button {
        Role::Cursor
    } else {
        Role::Strong
    };
    let lead = if panel.is_on_button {
        canvas.paint.glyphs.cursor
    } else {
        " "
    };
    let enter = match (&panel.reason, panel.is_reason_optional) {
        (Some(_), true) => "why is optional, Tab to the button, Enter acts",
        (Some(_), false) => "why is required, Enter acts",
        (None, _) => "Tab to the button, Enter acts",
    };
    let spans = [
        span(format!("{lead} "), Role::Strong),
        span(button, role),
        span(format!("   {enter}   Esc cancels"), Role::Dim),
    ];
    canvas.spans(foot.x, foot.y, foot.width, &spans);
}
