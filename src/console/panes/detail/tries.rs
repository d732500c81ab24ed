//! The tries of an intent on a time axis, and the one under the cursor.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::model::detail::Sheet;
use crate::console::panes::words;
use crate::console::sanitise::pad_right;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Size};
use crate::console::widgets::table::first_shown;
use crate::console::widgets::waterfall::{Kind, Lane, Piece, Waterfall};
use crate::desk::rows::{AttemptRow, IntentView, RetryRule};
use crate::domain::attempt::Outcome;
use crate::domain::time::Timestamp;

use super::told;

/// What the lanes are laid out by.
#[derive(Clone, Copy)]
struct Times<'a> {
    /// Where the axis begins.
    origin: Timestamp,
    /// Now, or the end of what is over.
    now: Timestamp,
    /// How long a next try waits.
    rule: Option<&'a RetryRule>,
    is_wide: bool,
}

impl Times<'_> {
    fn ms(&self, at: Timestamp) -> i64 {
        at.since(self.origin).as_millis()
    }
}

/// The tries on a time axis.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let is_focused = model.detail.sheet == Sheet::Attempts;
    let glyphs = canvas.paint.glyphs;
    let axis = model.detail.axis.word();
    let right = match canvas.size {
        Size::Wide => format!(
            "axis {axis} (t)   {} attempt  {} backoff  {} for a lease  {} next",
            glyphs.running, glyphs.backoff, glyphs.lease, glyphs.planned
        ),
        _ => format!("axis {axis} (t)"),
    };
    let inner = canvas.section(area, "Attempts", &right, Some((1, is_focused)));
    let Some(first) = intent.attempts.first() else {
        let text = match intent.row.delivery.as_str() {
            "ready" => "no attempt yet: it is ready and waits for its receiver",
            "held_by_person" => "no attempt: a person is asked",
            _ => "no attempt yet",
        };
        return canvas.text(inner, text, Role::Dim);
    };
    let at = model.detail.shown_at(model.at.wall);
    let ended = intent
        .attempts
        .iter()
        .filter_map(|attempt| attempt.finished_at)
        .max();
    let is_over = intent.row.status.is_terminal();
    let times = Times {
        origin: first.started_at,
        now: ended.filter(|_| is_over).unwrap_or(at),
        rule: model.hello.as_ref().map(|hello| &hello.retry),
        is_wide: canvas.size == Size::Wide,
    };
    let lanes = lanes(intent, times);
    let cursor = model.detail.attempt_index();
    let shown = usize::from(inner.height).saturating_sub(1).max(1);
    let (lead_title, lead_columns) = if times.is_wide {
        ("#  START     DUR     CODE            GAP", 44)
    } else {
        ("#  START     DUR     CODE      GAP", 36)
    };
    let waterfall = Waterfall {
        lead_title,
        lead_columns,
        lanes: &lanes,
        axis: model.detail.axis,
        now_ms: times.ms(times.now),
        cursor: Some(cursor),
        first: first_shown(0, cursor, lanes.len(), shown),
        is_focused,
    };
    waterfall.draw(inner, canvas.buffer, canvas.paint);
}

fn lanes(intent: &IntentView, times: Times<'_>) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = Vec::new();
    let mut before: Option<&AttemptRow> = None;
    for attempt in &intent.attempts {
        lanes.push(lane(attempt, before, times));
        before = Some(attempt);
    }
    lanes.extend(before.and_then(|last| planned(last, times)));
    lanes
}

fn lane(attempt: &AttemptRow, before: Option<&AttemptRow>, times: Times<'_>) -> Lane {
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
        pad_right(&format::duration(words::ran(attempt, times.now)), 7),
        pad_right(&code, if times.is_wide { 15 } else { 9 }),
    );
    let piece = |kind, from: Timestamp, to: Timestamp| Piece {
        kind,
        from_ms: times.ms(from),
        to_ms: times.ms(to),
    };
    let mut pieces = Vec::new();
    if let Some(ended) = ended_before {
        // Due at this instant; from then on it waited for somebody to take it.
        let due = before
            .and_then(|before| before.next_attempt_at)
            .filter(|due| attempt.binding.is_pull() && *due < attempt.started_at)
            .unwrap_or(attempt.started_at);
        pieces.push(piece(Kind::Backoff, ended, due));
        if due < attempt.started_at {
            pieces.push(piece(Kind::Lease, due, attempt.started_at));
        }
    }
    let kind = match attempt.outcome {
        Outcome::Lost | Outcome::UnknownCrash => Kind::Lost,
        Outcome::InFlight
        | Outcome::Acknowledged
        | Outcome::Completed
        | Outcome::Failed
        | Outcome::TimedOut
        | Outcome::RejectedStale
        | Outcome::Withdrawn => Kind::Running,
    };
    let end = attempt.finished_at.unwrap_or(times.now);
    pieces.push(piece(kind, attempt.started_at, end));
    Lane {
        lead,
        role: words::outcome_role(attempt.outcome),
        pieces,
    }
}

/// The attempt that is to come, with the range that its jitter was drawn from.
fn planned(last: &AttemptRow, times: Times<'_>) -> Option<Lane> {
    let next = last.next_attempt_at.filter(|next| *next > times.now)?;
    let ended = last.finished_at?;
    let due = times.ms(next);
    let (from_ms, to_ms) = told::next_range(last, times.rule)
        .map_or((due, due + 1), |(from, to)| (times.ms(from), times.ms(to)));
    let from_ms = from_ms.max(times.ms(times.now));
    Some(Lane {
        lead: format!(
            "{:<2} {}  next, in {}{}",
            last.number + 1,
            format::clock(next),
            format::age(next.since(times.now)),
            told::jitter(last, times.rule)
        ),
        role: Role::Retry,
        pieces: vec![
            Piece {
                kind: Kind::Backoff,
                from_ms: times.ms(ended),
                to_ms: from_ms,
            },
            Piece {
                kind: Kind::Planned,
                from_ms,
                to_ms: to_ms.max(from_ms + 1),
            },
        ],
    })
}

/// What is known of the attempt under the cursor.
pub(super) fn draw_one(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let Some(attempt) = model.detail.attempt_row() else {
        let inner = canvas.section(area, "Attempt", "", None);
        let note = intent.row.note.as_deref().unwrap_or("nothing was tried");
        return canvas.text(inner, note, Role::Dim);
    };
    let title = format!("Attempt {} of {}", attempt.number, intent.row.max_attempts);
    let right = if model.detail.sheet == Sheet::Attempts {
        "Enter headers and body"
    } else {
        "g h headers and body"
    };
    let inner = canvas.section(area, &title, right, None);
    let rule = model.hello.as_ref().map(|hello| &hello.retry);
    let at = model.detail.shown_at(model.at.wall);
    canvas.facts(inner, 9, &told::facts(attempt, intent, rule, at));
}
