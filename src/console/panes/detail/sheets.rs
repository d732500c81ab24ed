//! The sheets of an intent.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::model::detail::{Detail, Relative, Sheet};
use crate::console::model::reads::Slot;
use crate::console::panes::words;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Rows, Size, Span, fact, span, spans_width};
use crate::console::widgets::json::{JsonView, Tree};
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row, first_shown};
use crate::desk::rows::IntentView;
use crate::domain::attempt::Excerpt;
use crate::domain::payload::Payload;
use crate::domain::time::Timestamp;

/// What stands for a masked value in the raw text.
const MASK: &str = "••••";

/// Whether a sheet has the focus.
fn is_at(model: &Model, sheet: Sheet) -> bool {
    model.detail.sheet == sheet
}

/// What it carries, and how it ended.
pub(super) fn payload(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let is_focused = is_at(model, Sheet::Payload);
    let size = format::bytes(u64::try_from(intent.payload.len()).unwrap_or(0));
    let right = match (is_focused, canvas.size) {
        (true, Size::Tiny) => size,
        (true, _) => format!("{size}   z fold  / search  . path  Enter reveals"),
        (false, _) => format!("{size}   g p open  z fold  / search"),
    };
    let tree = model.detail.tree.as_ref();
    let path = tree
        .filter(|_| is_focused)
        .and_then(|tree| tree.path(model.detail.line))
        .map_or_else(String::new, |path| format!(" {path}"));
    let title = format!("Payload{}", path.trim_end());
    let inner = canvas.section(area, &title, &right, Some((2, is_focused)));
    let Some(tree) = tree else {
        return;
    };
    if !is_focused {
        return brief(canvas, inner, tree);
    }
    let end = intent.end.as_ref();
    let lines = usize::from(inner.height).max(1);
    let reserved = if end.is_some() {
        3.min(inner.height / 2)
    } else {
        0
    };
    let body = Rect {
        height: inner.height - reserved,
        ..inner
    };
    let cursor = model.detail.line.min(tree.height().saturating_sub(1));
    let view = JsonView {
        tree,
        cursor: is_focused.then_some(cursor),
        first: if is_focused {
            first_shown(
                0,
                cursor,
                tree.height(),
                lines.saturating_sub(usize::from(reserved)).max(1),
            )
        } else {
            0
        },
        search: &model.detail.search,
        is_focused,
    };
    view.draw(body, canvas.buffer, canvas.paint);
    if let Some(end) = end {
        let place = Rect {
            y: body.bottom(),
            height: reserved,
            ..inner
        };
        canvas.facts(place, 9, &[fact("end", end.as_str())]);
    }
}

/// The fields of the payload one after another, as many as fit.
fn brief(canvas: &mut Canvas<'_>, inner: Rect, tree: &Tree) {
    let mut y = inner.y;
    let mut x = inner.x.saturating_add(2);
    for (name, text, role) in tree.brief(canvas.paint.glyphs.masked) {
        let pieces = [
            span(name, Role::Strong),
            span(" ", Role::Text),
            span(text, role),
        ];
        let columns = u16::try_from(spans_width(&pieces)).unwrap_or(u16::MAX);
        let is_first = x <= inner.x.saturating_add(2);
        if x.saturating_add(columns) > inner.right() && !is_first {
            y += 1;
            x = inner.x.saturating_add(2);
        }
        if y >= inner.bottom() {
            return;
        }
        x = canvas.spans(x, y, inner.right().saturating_sub(x), &pieces);
        x = x.saturating_add(4);
    }
}

/// The last exchange: request and answer with their headers.
pub(super) fn headers(model: &Model, canvas: &mut Canvas<'_>, area: Rect, _intent: &IntentView) {
    let inner = canvas.section(
        area,
        "Headers and body",
        "of the attempt under the cursor",
        Some((3, true)),
    );
    let Some(report) = model
        .detail
        .attempt_row()
        .and_then(|attempt| attempt.report.as_deref())
    else {
        let text = "only http attempts have headers; this one was not posted";
        return canvas.text(inner, text, Role::Dim);
    };
    let mut facts: Vec<(String, Span)> = Vec::new();
    if let Some(remote) = &report.remote_addr {
        facts.push(fact("remote", remote.clone()));
    }
    for (name, excerpt) in [("sent", &report.request), ("got", &report.response)] {
        if let Some(excerpt) = excerpt {
            excerpt_facts(name, excerpt, &mut facts);
        }
    }
    let skip = model.detail.line.min(facts.len().saturating_sub(1));
    canvas.facts(inner, 24, facts.get(skip..).unwrap_or_default());
}

fn excerpt_facts(name: &str, excerpt: &Excerpt, facts: &mut Vec<(String, Span)>) {
    facts.push((name.to_owned(), span(excerpt.line.clone(), Role::Strong)));
    for (header, value) in &excerpt.headers {
        facts.push(fact(&format!("  {header}"), value.clone()));
    }
    let cut = if excerpt.is_truncated { " (cut)" } else { "" };
    facts.push(fact(
        &format!("  body, {} B{cut}", excerpt.bytes),
        excerpt.body.clone(),
    ));
}

const RELATIVES: &[Column] = &[
    Column::new("WHAT", 0, 18, 26),
    Column::new("INTENT", 0, 8, 8),
    Column::new("STATUS", 1, 9, 12),
    Column::new("TO", 3, 8, 16),
    Column::new("TYPE", 4, 8, 20).growing(),
    Column::new("AGE", 2, 4, 5).right(),
];

/// Where it comes from and what came of it, each below what it came from.
pub(super) fn lineage(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let right = match (&model.detail.family, model.reads.error(Slot::Family)) {
        (None, Some(error)) => error,
        (None, None) => "reading",
        (Some(_), _) => "Enter goes there",
    };
    let inner = canvas.section(area, "Lineage", right, Some((4, true)));
    let relatives = model.detail.relatives();
    let rows: Vec<Row> = relatives
        .iter()
        .map(|relative| relative_row(relative, model.at.wall))
        .collect();
    let cursor = model.detail.line.min(rows.len().saturating_sub(1));
    let facts_lines = 4.min(inner.height / 3);
    let list_area = Rect {
        height: inner.height - facts_lines,
        ..inner
    };
    let list = Rows {
        pane: 4,
        columns: RELATIVES,
        rows: &rows,
        cursor: Some(cursor),
        is_focused: true,
        has_header: true,
        empty: "",
    };
    canvas.table(list_area, &list);
    let place = Rect {
        y: list_area.bottom(),
        height: facts_lines,
        ..inner
    };
    let none = || "–".to_owned();
    let facts = [
        fact(
            "id",
            relatives
                .get(cursor)
                .map_or_else(none, |one| one.id.to_string()),
        ),
        fact("corr", intent.row.correlation_id.clone()),
        fact("trace", intent.trace_id.clone().unwrap_or_else(none)),
        fact(
            "reply to",
            intent
                .reply_to
                .as_ref()
                .map_or_else(none, ToString::to_string),
        ),
    ];
    canvas.facts(place, 9, &facts);
}

fn relative_row(relative: &Relative, now: Timestamp) -> Row {
    let indent = "  ".repeat(relative.depth);
    let what = if relative.depth > 0 {
        format!("{indent}└ {}", relative.what)
    } else {
        relative.what.to_owned()
    };
    let Some(row) = &relative.row else {
        return Row::of(vec![
            Cell::from(what),
            Cell::from(relative.id.short()),
            Cell::of("–", Role::Dim),
            Cell::of("–", Role::Dim),
            Cell::of("", Role::Dim),
            Cell::of("–", Role::Dim),
        ]);
    };
    let status = words::status_text(row);
    Row::of(vec![
        Cell::from(what),
        Cell::from(relative.id.short()),
        Cell::of(status, words::state_role(row.state)),
        Cell::from(row.to.name()),
        Cell::of(words::type_text(&row.intent_type), Role::Dim),
        Cell::from(format::age_short(now.since(row.created_at))),
    ])
}

/// Everything as it is stored.
pub(super) fn raw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let inner = canvas.section(area, "Raw", "j k scroll", Some((5, true)));
    let lines = raw_lines(&model.detail);
    let last = lines.len().saturating_sub(usize::from(inner.height));
    let skip = model.detail.line.min(last);
    for (line, y) in lines.iter().skip(skip).zip(inner.top()..inner.bottom()) {
        let place = Rect {
            y,
            height: 1,
            ..inner
        };
        canvas.text(place, line, Role::Text);
    }
}

/// The lines of the raw text.
pub(crate) fn raw_lines(detail: &Detail) -> Vec<String> {
    let Some(intent) = detail.shown() else {
        return Vec::new();
    };
    let text = raw_text(intent, detail.tree.as_ref());
    text.lines().map(str::to_owned).collect()
}

/// The intent as JSON; what the payload sheet masks is masked here too.
fn raw_text(intent: &IntentView, tree: Option<&Tree>) -> String {
    let value = |payload: &Payload| payload.to_value();
    let mut shown = value(&intent.payload);
    for path in tree.map(Tree::masked).unwrap_or_default() {
        if let Some(secret) = shown.pointer_mut(&path) {
            *secret = serde_json::Value::from(MASK);
        }
    }
    let events: Vec<serde_json::Value> = intent
        .events
        .iter()
        .map(|event| {
            serde_json::json!({
                "seq": event.seq, "at": event.at.to_string(), "event_type": event.event_type,
                "status": event.status.name(), "actor": event.actor,
                "details": value(&event.details),
            })
        })
        .collect();
    let raw = serde_json::json!({
        "intent_id": intent.row.id.to_string(),
        "intent_type": intent.row.intent_type,
        "from": intent.row.from.to_string(),
        "to": intent.row.to.to_string(),
        "status": intent.row.status.name(),
        "payload": shown,
        "end": intent.end.as_ref().map(value),
        "events": events,
    });
    serde_json::to_string_pretty(&raw).unwrap_or_default()
}
