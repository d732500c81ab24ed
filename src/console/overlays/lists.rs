//! What is held, what was said, why something is, which themes there are.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::{Message, Model, Weight};
use crate::console::panes::words;
use crate::console::theme::Role;
use crate::console::update::seconds_left;
use crate::console::view::kit::{Canvas, Rows, span, wrap};
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row};

use super::middle;

const HELD: &[Column] = &[
    Column::new("FINAL IN", 0, 5, 8).right(),
    Column::new("ACT", 0, 8, 14),
    Column::new("INTENT", 0, 8, 8),
    Column::new("BY", 1, 8, 20).growing(),
];

/// Everything that is held by anybody.
pub(super) fn held(model: &Model, canvas: &mut Canvas<'_>, body: Rect, cursor: usize) {
    let held = model.held_now();
    let lines = u16::try_from(held.len())
        .unwrap_or(u16::MAX)
        .saturating_add(5);
    let area = middle(body, 78, lines.max(7));
    canvas.clear(area);
    let title = format!(
        "Held, not yet final {} {}",
        canvas.paint.glyphs.dot,
        held.len()
    );
    let inner = canvas.section(area, &title, "u takes back", Some((9, true)));
    let rows: Vec<Row> = held
        .iter()
        .map(|held| {
            Row::of(vec![
                Cell::of(seconds_left(held.effective_at, model.at.wall), Role::Held),
                Cell::from(held.act.clone()),
                Cell::from(held.intent.short()),
                Cell::from(words::actor(&held.by)),
            ])
        })
        .collect();
    let list = Rows {
        pane: 9,
        columns: HELD,
        rows: &rows,
        cursor: Some(cursor.min(rows.len().saturating_sub(1))),
        is_focused: true,
        has_header: true,
        empty: "nothing is held",
    };
    let table = Rect {
        height: inner.height.saturating_sub(1),
        ..inner
    };
    canvas.table(table, &list);
    let foot = Rect {
        y: table.bottom(),
        height: 1,
        ..inner
    };
    canvas.text(
        foot,
        "kept by the broker: it takes effect even if this console is gone",
        Role::Dim,
    );
}

/// What was said and what the log warns of, newest below.
pub(super) fn messages(model: &Model, canvas: &mut Canvas<'_>, body: Rect, back: usize) {
    canvas.clear(body);
    let right = model
        .settings
        .log_path
        .clone()
        .map(|path| format!("log {path}"))
        .unwrap_or_default();
    let inner = canvas.section(body, "Messages", &right, Some((9, true)));
    let room = usize::from(inner.width.saturating_sub(MESSAGE_INDENT)).max(10);
    let mut messages: Vec<_> = model.messages.iter().chain(&model.log).collect();
    messages.sort_by_key(|message| message.at);
    if messages.is_empty() {
        return canvas.text(inner, "nothing was said yet", Role::Dim);
    }
    messages.truncate(messages.len().saturating_sub(back).max(1));
    // From the newest up, as many as there is room for.
    let mut bottom = inner.bottom();
    let mut shown = Vec::new();
    for message in messages.into_iter().rev() {
        let lines = wrap(&message.text, room);
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        if bottom.saturating_sub(height) < inner.top() && !shown.is_empty() {
            break;
        }
        bottom = bottom.saturating_sub(height).max(inner.top());
        shown.push((message, lines));
    }
    let mut y = inner.top();
    for (message, lines) in shown.into_iter().rev() {
        y = draw_message(canvas, inner, y, message, lines);
    }
}

/// Columns before the words of a message: time and weight.
const MESSAGE_INDENT: u16 = 17;

fn draw_message(
    canvas: &mut Canvas<'_>,
    inner: Rect,
    mut y: u16,
    message: &Message,
    lines: Vec<String>,
) -> u16 {
    let role = match message.weight {
        Weight::Info => Role::Text,
        Weight::Warn => Role::Warn,
        Weight::Error => Role::Bad,
    };
    let head = [
        span(format!("{}  ", format::clock(message.at)), Role::Dim),
        span(format!("{:<5}  ", message.weight.word()), role),
    ];
    canvas.spans(inner.x, y, inner.width, &head);
    for line in lines {
        let x = inner.x + MESSAGE_INDENT;
        let width = inner.width.saturating_sub(MESSAGE_INDENT);
        if y < inner.bottom() {
            canvas.spans(x, y, width, &[span(line, Role::Text)]);
        }
        y += 1;
    }
    y
}

/// Why something is as it is.
pub(super) fn explain(canvas: &mut Canvas<'_>, body: Rect, title: &str, lines: &[String]) {
    let columns = body.width.min(90);
    let room = usize::from(columns.saturating_sub(4)).max(10);
    let wrapped: Vec<String> = lines.iter().flat_map(|line| wrap(line, room)).collect();
    let height = u16::try_from(wrapped.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let area = middle(body, columns, height);
    canvas.clear(area);
    let inner = canvas.section(area, title, "Esc", Some((9, true)));
    for (line, y) in wrapped.iter().zip(inner.top()..inner.bottom()) {
        canvas.text(
            Rect {
                y,
                height: 1,
                ..inner
            },
            line,
            Role::Text,
        );
    }
}

const THEMES: &[Column] = &[Column::new("THEME", 0, 10, 20).growing()];

/// The themes; the one under the cursor is in force.
pub(super) fn themes(model: &Model, canvas: &mut Canvas<'_>, body: Rect, cursor: usize) {
    let lines = u16::try_from(model.settings.themes.len())
        .unwrap_or(u16::MAX)
        .saturating_add(3);
    let area = middle(body, 46, lines);
    canvas.clear(area);
    let inner = canvas.section(
        area,
        "Themes",
        "Enter keeps, Esc goes back",
        Some((9, true)),
    );
    let rows: Vec<Row> = model
        .settings
        .themes
        .iter()
        .map(|name| Row::of(vec![Cell::from(name.clone())]))
        .collect();
    let list = Rows {
        pane: 9,
        columns: THEMES,
        rows: &rows,
        cursor: Some(cursor),
        is_focused: true,
        has_header: false,
        empty: "no themes",
    };
    canvas.table(inner, &list);
}
