//! One intent: what happened, the tries, what it carries, where it comes from.

pub(crate) mod sheets;
mod timeline;
mod told;
mod tries;

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::model::detail::Sheet;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Size, rows_of, span};
use crate::desk::rows::IntentView;
use crate::domain::status::State;

use super::words;

/// Draws the view.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(intent) = model.detail.shown() else {
        let id = model.detail.id.map(|id| id.to_string()).unwrap_or_default();
        let inner = canvas.section(area, &id, "", None);
        let text = model.detail.error.as_deref().unwrap_or("reading");
        return canvas.text(inner, text, Role::Dim);
    };
    let [summary, rest] = rows_of(area, [1, 0], 1);
    draw_summary(model, canvas, summary, intent);
    match canvas.size {
        Size::Wide => draw_wide(model, canvas, rest, intent),
        Size::Medium | Size::Narrow => {
            let [tabs, rest] = rows_of(rest, [1, 0], 1);
            draw_tabs(model, canvas, tabs);
            draw_sheet(model, canvas, rest, intent);
        }
        Size::Tiny | Size::None => draw_sheet(model, canvas, rest, intent),
    }
}

fn draw_summary(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let row = &intent.row;
    let is_wide = canvas.size == Size::Wide;
    let id = if is_wide {
        row.id.to_string()
    } else {
        row.id.short()
    };
    let state = match row.state {
        State::DeadLetter => format!("{}, dead letter", row.status),
        State::Retrying => format!("{}, retrying", row.status),
        State::WaitingHuman => format!("{}, for a person", row.status),
        _ => row.status.name().to_owned(),
    };
    let gap = if is_wide { "   " } else { "  " };
    let at = model.detail.shown_at(model.at.wall);
    let age = format::age(at.since(row.created_at));
    let mut spans = vec![
        span(if is_wide { "  " } else { "" }, Role::Text),
        span(id, Role::Strong),
        span(gap, Role::Text),
        span(state, words::state_role(row.state)),
        span(format!("{gap}{}", row.to.name()), Role::Text),
        span(format!("{gap}age {age}"), Role::Dim),
        span(
            format!("{gap}attempts {}/{}", row.attempts, row.max_attempts),
            Role::Dim,
        ),
    ];
    if let Some(as_of) = &model.detail.as_of {
        let when = format::clock_millis(as_of.at);
        spans.push(span(gap, Role::Text));
        spans.push(span(format!("AS OF {when}"), Role::Warn));
    } else if let Some(held) = model.held_on(row.id) {
        let left = crate::console::update::seconds_left(held.effective_at, model.at.wall);
        spans.push(span(gap, Role::Text));
        spans.push(span(
            format!("{} final in {left}, u undo", held.act),
            Role::Held,
        ));
    } else if let Some(replay) = intent.replayed_as {
        spans.push(span(
            format!("{gap}replayed as {}", replay.short()),
            Role::Text,
        ));
    } else if let Some(next) = row.next_at.filter(|next| *next > model.at.wall) {
        let left = format::age(next.since(model.at.wall));
        spans.push(span(format!("{gap}next in {left}"), Role::Retry));
    }
    canvas.spans(area.x, area.y, area.width, &spans);
}

fn draw_tabs(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let mut spans = Vec::new();
    for sheet in Sheet::ALL {
        let is_here = model.detail.sheet == sheet;
        let (text, role) = if is_here {
            (format!("[{}]", sheet.title()), Role::Tab)
        } else {
            (format!(" {} ", sheet.title()), Role::Text)
        };
        spans.push(span(text, role));
    }
    canvas.spans(area.x, area.y, area.width, &spans);
    if area.width >= 76 {
        canvas.text_right(area, "g + t a p h l r ", Role::Dim);
    }
}

/// Lanes of the waterfall: one for each attempt, and one for the next.
fn lanes_of(intent: &IntentView) -> u16 {
    let next = intent.attempts.last().and_then(|last| last.next_attempt_at);
    let lanes = intent.attempts.len() + usize::from(next.is_some());
    u16::try_from(lanes).unwrap_or(u16::MAX)
}

fn draw_wide(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    let lanes = lanes_of(intent).saturating_add(3).clamp(4, 9);
    match model.detail.sheet {
        Sheet::Timeline | Sheet::Attempts => {
            let facts = if model.detail.sheet == Sheet::Attempts {
                8
            } else {
                5
            };
            let heights = [0, lanes, facts, 4];
            let [timeline, waterfall, attempt, payload] = rows_of(area, heights, 0);
            timeline::draw(model, canvas, timeline);
            tries::draw(model, canvas, waterfall, intent);
            tries::draw_one(model, canvas, attempt, intent);
            sheets::payload(model, canvas, payload, intent);
        }
        sheet => {
            let [timeline, waterfall, rest] = rows_of(area, [7, lanes.min(6), 0], 2);
            timeline::draw(model, canvas, timeline);
            tries::draw(model, canvas, waterfall, intent);
            draw_one(model, canvas, rest, intent, sheet);
        }
    }
}

/// One sheet on all of the area, for narrow screens.
fn draw_sheet(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView) {
    match model.detail.sheet {
        Sheet::Attempts if canvas.size != Size::Tiny => {
            let most = area.height.saturating_sub(6).max(3);
            let lanes = lanes_of(intent).saturating_add(2).clamp(3, most);
            let [waterfall, attempt] = rows_of(area, [lanes, 0], 1);
            tries::draw(model, canvas, waterfall, intent);
            tries::draw_one(model, canvas, attempt, intent);
        }
        sheet => draw_one(model, canvas, area, intent, sheet),
    }
}

fn draw_one(model: &Model, canvas: &mut Canvas<'_>, area: Rect, intent: &IntentView, sheet: Sheet) {
    match sheet {
        Sheet::Timeline => timeline::draw(model, canvas, area),
        Sheet::Attempts => tries::draw(model, canvas, area, intent),
        Sheet::Payload => sheets::payload(model, canvas, area, intent),
        Sheet::Headers => sheets::headers(model, canvas, area, intent),
        Sheet::Lineage => sheets::lineage(model, canvas, area, intent),
        Sheet::Raw => sheets::raw(model, canvas, area),
    }
}
