//! The sheets of an intent.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::model::desks::Sheet;
use crate::console::panes::{attempts as tries, words};
use crate::console::sanitise::pad_right;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Rows, Size, Span, fact, span};
use crate::console::widgets::json::JsonView;
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row, first_shown};
use crate::console::widgets::timeline::{Fact, Line, Timeline};
use crate::console::widgets::waterfall::{Kind, Lane, Piece, Waterfall};
use crate::desk::rows::{AttemptRow, IntentView};
use crate::domain::attempt::{Excerpt, Outcome};
use crate::domain::payload::Payload;
use crate::domain::time::Timestamp;

/// Whether a sheet has the focus.
fn is_at(model: &Model, sheet: Sheet) -> bool {
    model.detail.sheet == sheet
}

/// What happened.
pub(super) fn timeline(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let is_focused = is_at(model, Sheet::Timeline);
    let right = format!("{} events", intent.events.len());
    let inner = canvas.section(area, "Timeline", &right, Some((0, is_focused)));
    let mut before: Option<Timestamp> = None;
    let lines: Vec<Line> = intent
        .events
        .iter()
        .map(|event| {
            let since = before.map_or_else(
                || canvas.paint.glyphs.none.to_owned(),
                |before| format::gap(event.at.since(before)),
            );
            before = Some(event.at);
            let value = event.details.to_value();
            let by = words::actor(&event.actor);
            Line::Fact(Fact {
                seq: u64::from(event.seq),
                time: format::clock_millis(event.at),
                since,
                event: words::event_word(&event.event_type),
                by: by.to_owned(),
                is_by_person: false,
                detail: words::event_text(&event.event_type, &value, model.at.wall),
                role: words::event_role(&event.event_type, Some(event.status)),
            })
        })
        .collect();
    let cursor = model.detail.event_index();
    let shown = usize::from(inner.height).saturating_sub(1).max(1);
    let timeline = Timeline {
        lines: &lines,
        cursor: (!lines.is_empty()).then_some(cursor),
        first: first_shown(0, cursor, lines.len(), shown),
        unfold_key: "Enter",
        is_focused,
    };
    timeline.draw(inner, canvas.buffer, canvas.paint);
}

/// The tries on a time axis.
pub(super) fn attempts(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let is_focused = is_at(model, Sheet::Attempts);
    let glyphs = canvas.paint.glyphs;
    let right = format!(
        "axis {} (t)   {} attempt  {} backoff",
        model.detail.axis.word(),
        glyphs.running,
        glyphs.backoff
    );
    let inner = canvas.section(area, "Attempts", &right, Some((1, is_focused)));
    let Some(first) = intent.attempts.first() else {
        let text = match intent.row.delivery.as_str() {
            "ready" => "no attempt yet: it is ready and waits for its receiver",
            "held_by_person" => "no attempt: a person is asked",
            _ => "no attempt yet",
        };
        return canvas.text(inner, text, Role::Dim);
    };
    let origin = first.started_at;
    let now = if intent.row.status.is_terminal() {
        intent
            .attempts
            .iter()
            .filter_map(|attempt| attempt.finished_at)
            .max()
            .unwrap_or(origin)
    } else {
        model.at.wall
    };
    let is_wide = canvas.size == Size::Wide;
    let mut lanes: Vec<Lane> = Vec::new();
    let mut before: Option<&AttemptRow> = None;
    for attempt in &intent.attempts {
        lanes.push(lane(attempt, before, origin, now, is_wide));
        before = Some(attempt);
    }
    lanes.extend(before.and_then(|last| planned(last, origin, now)));
    let cursor = model.detail.attempt_index();
    let shown = usize::from(inner.height).saturating_sub(1).max(1);
    let (lead_title, lead_columns) = if is_wide {
        ("#  START     DUR     CODE            GAP", 44)
    } else {
        ("#  START     DUR     CODE      GAP", 36)
    };
    let waterfall = Waterfall {
        lead_title,
        lead_columns,
        lanes: &lanes,
        axis: model.detail.axis,
        now_ms: now.since(origin).as_millis(),
        cursor: Some(cursor),
        first: first_shown(0, cursor, lanes.len(), shown),
        is_focused,
    };
    waterfall.draw(inner, canvas.buffer, canvas.paint);
}

fn lane(
    attempt: &AttemptRow,
    before: Option<&AttemptRow>,
    origin: Timestamp,
    now: Timestamp,
    is_wide: bool,
) -> Lane {
    let ms = |at: Timestamp| at.since(origin).as_millis();
    let ended_before = before.and_then(|before| before.finished_at);
    let gap = ended_before.map_or_else(
        || "first".to_owned(),
        |ended| format::gap(attempt.started_at.since(ended)),
    );
    let code = words::code(attempt);
    let lead = format!(
        "{:<2} {}  {} {} {gap}",
        attempt.number,
        format::clock(attempt.started_at),
        pad_right(&format::duration(words::ran(attempt, now)), 7),
        pad_right(&code, if is_wide { 15 } else { 9 }),
    );
    let mut pieces = Vec::new();
    if let Some(ended) = ended_before {
        pieces.push(Piece {
            kind: Kind::Backoff,
            from_ms: ms(ended),
            to_ms: ms(attempt.started_at),
        });
    }
    let kind = match attempt.outcome {
        Outcome::Lost | Outcome::UnknownCrash => Kind::Lost,
        Outcome::InFlight | Outcome::Acknowledged if attempt.binding.is_pull() => Kind::Running,
        _ => Kind::Running,
    };
    pieces.push(Piece {
        kind,
        from_ms: ms(attempt.started_at),
        to_ms: ms(attempt.finished_at.unwrap_or(now)),
    });
    Lane {
        lead,
        role: words::outcome_role(attempt.outcome),
        pieces,
    }
}

/// The attempt that is to come.
fn planned(last: &AttemptRow, origin: Timestamp, now: Timestamp) -> Option<Lane> {
    let next = last.next_attempt_at.filter(|next| *next > now)?;
    let ended = last.finished_at?;
    let ms = |at: Timestamp| at.since(origin).as_millis();
    Some(Lane {
        lead: format!(
            "{:<2} {}  next, in {}",
            last.number + 1,
            format::clock(next),
            format::age(next.since(now))
        ),
        role: Role::Retry,
        pieces: vec![
            Piece {
                kind: Kind::Backoff,
                from_ms: ms(ended),
                to_ms: ms(next),
            },
            Piece {
                kind: Kind::Planned,
                from_ms: ms(next),
                to_ms: ms(next) + 1,
            },
        ],
    })
}

/// What is known of the attempt under the cursor.
pub(super) fn attempt(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let Some(attempt) = model.detail.attempt_row() else {
        let inner = canvas.section(area, "Attempt", "", None);
        let note = intent.row.note.as_deref().unwrap_or("nothing was tried");
        return canvas.text(inner, note, Role::Dim);
    };
    let title = format!("Attempt {}", attempt.number);
    let inner = canvas.section(area, &title, "g h headers and body", None);
    canvas.facts(inner, 9, &tries::facts(attempt, model.at.wall));
}

/// What it carries, and how it ended.
pub(super) fn payload(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let is_focused = is_at(model, Sheet::Payload);
    let size = format::bytes(u64::try_from(intent.payload.len()).unwrap_or(0));
    let right = format!("{size}   g p open  z fold");
    let inner = canvas.section(area, "Payload", &right, Some((2, is_focused)));
    let Some(tree) = &model.detail.tree else {
        return;
    };
    let end = match (&intent.end, is_focused) {
        (Some(end), true) => Some(end),
        _ => None,
    };
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
        search: "",
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
    Column::new("WHAT", 0, 12, 14),
    Column::new("INTENT", 0, 8, 36),
    Column::new("NOTE", 1, 8, 20).growing(),
];

/// Where it comes from and what came of it.
pub(super) fn lineage(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let inner = canvas.section(area, "Lineage", "Enter goes there", Some((4, true)));
    let relatives = model.detail.relatives();
    let rows: Vec<Row> = relatives
        .iter()
        .map(|(word, id)| {
            let note = if *id == intent.row.id {
                intent.row.status.name()
            } else {
                ""
            };
            Row::of(vec![
                Cell::from(*word),
                Cell::from(id.to_string()),
                Cell::of(note, Role::Dim),
            ])
        })
        .collect();
    let cursor = model.detail.line.min(rows.len().saturating_sub(1));
    let list = Rows {
        pane: 4,
        columns: RELATIVES,
        rows: &rows,
        cursor: Some(cursor),
        is_focused: true,
        has_header: true,
        empty: "",
    };
    canvas.table(inner, &list);
    let used = u16::try_from(rows.len() + 2).unwrap_or(2);
    if inner.height > used {
        let place = Rect {
            y: inner.y + used,
            height: inner.height - used,
            ..inner
        };
        let facts = [
            fact("corr", intent.row.correlation_id.clone()),
            fact(
                "trace",
                intent.trace_id.clone().unwrap_or_else(|| "–".to_owned()),
            ),
            fact(
                "reply to",
                intent
                    .reply_to
                    .as_ref()
                    .map_or_else(|| "–".to_owned(), ToString::to_string),
            ),
        ];
        canvas.facts(place, 9, &facts);
    }
}

/// Everything as it is stored.
pub(super) fn raw(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let inner = canvas.section(area, "Raw", "j k scroll", Some((5, true)));
    let text = raw_text(intent);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len().saturating_sub(usize::from(inner.height));
    let skip = model.detail.line.min(last);
    for (line, y) in lines
        .into_iter()
        .skip(skip)
        .zip(inner.top()..inner.bottom())
    {
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

fn raw_text(intent: &IntentView) -> String {
    let value = |payload: &Payload| payload.to_value();
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
        "payload": value(&intent.payload),
        "end": intent.end.as_ref().map(value),
        "events": events,
    });
    serde_json::to_string_pretty(&raw).unwrap_or_default()
}
