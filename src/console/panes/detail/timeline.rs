//! What happened to an intent, fact by fact, alike attempts folded.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::model::detail::{Detail, Sheet};
use crate::console::panes::words;
use crate::console::story::{self, Line as Told};
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Size};
use crate::console::widgets::table::first_shown;
use crate::console::widgets::timeline::{Fact, Line, Timeline};
use crate::desk::rows::EventRow;
use crate::domain::time::Timestamp;

/// Draws it.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let detail = &model.detail;
    let Some(intent) = &detail.intent else {
        return;
    };
    let is_focused = detail.sheet == Sheet::Timeline;
    let right = heading(detail, intent.events.len(), canvas.size);
    let inner = canvas.section(area, "Timeline", &right, Some((0, is_focused)));
    let told = detail.lines();
    let none = canvas.paint.glyphs.none;
    let lines: Vec<Line> = told
        .iter()
        .map(|line| told_line(line, &intent.events, detail, (model.at.wall, none)))
        .collect();
    let cursor = detail.line_index(&told);
    let shown = usize::from(inner.height).saturating_sub(1).max(1);
    let timeline = Timeline {
        lines: &lines,
        cursor: (!lines.is_empty()).then_some(cursor),
        first: first_shown(0, cursor, lines.len(), shown),
        unfold_key: "z",
        is_focused,
    };
    timeline.draw(inner, canvas.buffer, canvas.paint);
}

fn heading(detail: &Detail, count: usize, size: Size) -> String {
    let facts = words::counted(u64::try_from(count).unwrap_or(u64::MAX), "fact");
    match (&detail.as_of, size) {
        (Some(as_of), _) => format!(
            "as of {}, fact {} of {count}",
            format::clock_millis(as_of.at),
            as_of.seq
        ),
        (None, Size::Tiny) => facts,
        (None, _) => format!("{facts}   [ ] scrub as-of"),
    }
}

fn told_line(
    line: &Told,
    events: &[EventRow],
    detail: &Detail,
    (now, none): (Timestamp, &str),
) -> Line {
    let seq_at = |place: usize| events.get(place).map_or(0, |event| u64::from(event.seq));
    match *line {
        Told::Folded { from, to, attempts } => Line::Folded {
            from: seq_at(from),
            to: seq_at(to),
            text: format!("attempts {}–{}, same error", attempts.0, attempts.1),
        },
        Told::Fact(place) => {
            let before = place.checked_sub(1).and_then(|before| events.get(before));
            events
                .get(place)
                .map_or_else(empty, |event| fact(event, before, detail, (now, none)))
        }
    }
}

const fn empty() -> Line {
    Line::Folded {
        from: 0,
        to: 0,
        text: String::new(),
    }
}

fn fact(
    event: &EventRow,
    before: Option<&EventRow>,
    detail: &Detail,
    (now, none): (Timestamp, &str),
) -> Line {
    let value = event.details.to_value();
    let is_later = detail
        .as_of
        .as_ref()
        .is_some_and(|as_of| event.seq > as_of.seq);
    let by = match words::actor(&event.actor) {
        "postroom" => "broker",
        name => name,
    };
    Line::Fact(Fact {
        seq: u64::from(event.seq),
        time: format::clock_millis(event.at),
        since: before.map_or_else(
            || none.to_owned(),
            |before| format::gap(event.at.since(before.at)),
        ),
        event: words::fact_word(&event.event_type, &value),
        by: by.to_owned(),
        is_by_person: story::is_by_person(event),
        is_later,
        detail: words::event_text(&event.event_type, &value, now),
        role: if is_later {
            Role::Ghost
        } else {
            words::event_role(&event.event_type, Some(event.status))
        },
    })
}
