//! Every try, newest first.

use ratatui::layout::Rect;

use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::Model;
use crate::console::model::columns::ListName;
use crate::console::model::reads::Slot;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, List, Size, Span, empty_text, fact, rows_of, span};
use crate::console::widgets::table::Cell;
use crate::console::widgets::table::columns::Column;
use crate::desk::rows::AttemptRow;
use crate::domain::attempt::Outcome;
use crate::domain::time::Timestamp;

use super::{intents, words};

/// Its columns.
pub(crate) const COLUMNS: &[Column] = &[
    Column::new("START", 0, 8, 8),
    Column::new("INTENT", 0, 8, 8),
    Column::new("AGENT", 1, 15, 20),
    Column::new("ATT", 2, 3, 3).right(),
    Column::new("CODE", 3, 7, 14),
    Column::new("DUR", 4, 6, 6).right(),
    Column::new("OUTCOME", 5, 9, 12),
    Column::new("NEXT", 6, 8, 8),
    Column::new("BINDING", 5, 7, 8).optional(),
    Column::new("LISTENER", 5, 12, 21).optional(),
    Column::new("DETAIL", 7, 14, 20).growing(),
];

/// The columns of an agent's own attempts.
pub(crate) const RECENT: &[Column] = &[
    Column::new("TIME", 0, 8, 8),
    Column::new("INTENT", 0, 8, 8),
    Column::new("ATT", 1, 3, 3).right(),
    Column::new("CODE", 2, 4, 14),
    Column::new("DUR", 3, 6, 6).right(),
    Column::new("OUTCOME", 4, 9, 14),
    Column::new("NEXT", 5, 8, 8),
    Column::new("DETAIL", 6, 8, 12).growing(),
];

/// The cells of an attempt.
pub(crate) fn cells(attempt: &AttemptRow, now: Timestamp, has_agent: bool) -> Vec<Cell> {
    let role = words::outcome_role(attempt.outcome);
    let mut cells = vec![
        Cell::of(format::clock(attempt.started_at), Role::Dim),
        Cell::from(attempt.intent.short()),
    ];
    if has_agent {
        cells.push(Cell::from(attempt.agent.name()));
    }
    let next = attempt.next_attempt_at.map_or_else(
        || Cell::of("–", Role::Dim),
        |next| Cell::from(format::clock(next)),
    );
    cells.extend([
        Cell::from(attempt.number.to_string()),
        Cell::of(words::code(attempt), role),
        Cell::from(format::duration(words::ran(attempt, now))),
        Cell::of(attempt.outcome.name().replace('_', " "), role),
        next,
    ]);
    if has_agent {
        let report = attempt.report.as_deref();
        let far = report.and_then(|report| report.remote_addr.clone());
        cells.extend([
            Cell::of(attempt.binding.name(), Role::Dim),
            Cell::from(far.unwrap_or_else(|| "–".to_owned())),
        ]);
    }
    cells.push(Cell::from(attempt.error.clone().unwrap_or_default()));
    cells
}

/// Draws the desk.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let peek = match canvas.size {
        Size::Wide => 8,
        Size::Medium => 5,
        Size::Narrow | Size::Tiny | Size::None => 0,
    };
    let [list, detail] = rows_of(area, [0, peek], 0);
    draw_list(model, canvas, list);
    if peek > 0 {
        let attempt = model.attempts.rows.cursor_row();
        let title = attempt.map_or_else(
            || "Attempt".to_owned(),
            |attempt| format!("Attempt {} of {}", attempt.number, attempt.intent.short()),
        );
        let inner = canvas.section(detail, &title, "Enter opens the intent", None);
        if let Some(attempt) = attempt {
            canvas.facts(inner, 9, &facts(attempt, model.at.wall));
        }
    }
}

fn draw_list(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let window = &model.attempts.rows;
    let right = intents::right_of(
        model,
        canvas,
        window,
        &model.attempts.filter.text,
        Place::Attempts,
    );
    let title = intents::title_of("Attempts", canvas, window);
    let inner = canvas.section(area, &title, &right, Some((0, true)));
    let nothing = if model.attempts.filter.is_empty() {
        "no attempts yet"
    } else {
        "no attempt fits the filter; // clears it"
    };
    let list = List {
        window,
        pane: 0,
        columns: COLUMNS,
        chosen: Some((&model.columns, ListName::Attempts)),
        is_focused: true,
        has_marks: false,
        below: 0,
        empty: empty_text(model, window, Slot::Attempts, nothing),
    };
    canvas.list(inner, &list, |attempt| cells(attempt, model.at.wall, true));
}

/// What was sent and what came back, in a line.
pub(crate) fn exchange(attempt: &AttemptRow) -> String {
    let report = attempt.report.as_deref();
    let line = report
        .and_then(|report| report.request.as_ref())
        .map(|request| request.line.as_str());
    let answer = report.and_then(|report| report.response.as_ref());
    match (line, answer) {
        (Some(line), Some(answer)) => format!("{line} → {}", answer.line),
        (Some(line), None) => line.to_owned(),
        (None, _) => format!(
            "handed over by {} to {}",
            attempt.binding,
            attempt.agent.name()
        ),
    }
}

/// What is known of an attempt, as labelled facts.
pub(crate) fn facts(attempt: &AttemptRow, now: Timestamp) -> Vec<(String, Span)> {
    let mut facts = Vec::new();
    let report = attempt.report.as_deref();
    let answer = report.and_then(|report| report.response.as_ref());
    facts.push(fact("what", exchange(attempt)));
    let mut time = vec![format!(
        "started {}",
        format::clock_millis(attempt.started_at)
    )];
    if let Some(report) = report {
        let timing = report.timing;
        for (name, part) in [
            ("dns", timing.resolve_ms),
            ("connect", timing.connect_ms),
            ("tls", timing.tls_ms),
            ("first byte", timing.first_byte_ms),
        ] {
            if let Some(part) = part {
                time.push(format!("{name} {}", words::millis(Some(f64::from(part)))));
            }
        }
    }
    time.push(format!(
        "total {}",
        format::duration(words::ran(attempt, now))
    ));
    facts.push(fact("time", time.join("   ")));
    if let Some(body) = answer
        .map(|answer| answer.body.as_str())
        .filter(|body| !body.is_empty())
    {
        facts.push(fact("body", body));
    }
    if let Some(error) = &attempt.error {
        facts.push(("error".to_owned(), span(error.clone(), Role::Bad)));
    }
    facts.push(fact("decided", decided(attempt, now)));
    facts
}

/// What followed from an attempt, as a sentence.
fn decided(attempt: &AttemptRow, now: Timestamp) -> String {
    let code = words::code(attempt);
    match (attempt.outcome, attempt.next_attempt_at) {
        (Outcome::InFlight, _) => "still running; its lease ends it if nobody answers".to_owned(),
        (Outcome::Acknowledged, _) => "taken by the receiver; the result is to come".to_owned(),
        (Outcome::Completed, _) => "ended with the result".to_owned(),
        (Outcome::Withdrawn, _) => "the intent was canceled or timed out meanwhile".to_owned(),
        (Outcome::RejectedStale, _) => "its result came after it was superseded".to_owned(),
        (_, Some(next)) => {
            let at = format::clock(next);
            let left = if next > now {
                format!(", in {}", format::age(next.since(now)))
            } else {
                String::new()
            };
            format!("{code} can be retried: next attempt {at}{left}")
        }
        (_, None) => format!("{code}: no further attempt; r replays a dead letter as a new intent"),
    }
}
