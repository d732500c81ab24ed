//! The payload of a dead letter, edited before its replay.

use ratatui::layout::Rect;

use crate::console::model::overlay::EditReplay;
use crate::console::theme::Role;
use crate::console::view::kit::Canvas;

/// Draws it.
pub(super) fn draw(canvas: &mut Canvas<'_>, body: Rect, edit: &EditReplay) {
    canvas.clear(body);
    let title = format!("Edit and replay {}", edit.intent.short());
    let inner = canvas.section(
        body,
        &title,
        "Ctrl-S checks and stages, Esc leaves",
        Some((9, true)),
    );
    let text = Rect {
        height: inner.height.saturating_sub(1),
        ..inner
    };
    edit.editor.draw(text, canvas.buffer, canvas.paint, true);
    let foot = Rect {
        y: text.bottom(),
        height: 1,
        ..inner
    };
    let rule = "the original stays as it is; the replay is a new intent with this payload";
    let (text, role) = match &edit.problem {
        Some(problem) => (problem.as_str(), Role::Warn),
        None => (rule, Role::Dim),
    };
    canvas.text(foot, text, role);
}
