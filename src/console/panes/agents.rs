//! Receivers: worst first, what is known of the one under the cursor, its newest attempts.

mod detail;

use ratatui::layout::Rect;

use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::Model;
use crate::console::model::columns::ListName;
use crate::console::model::reads::Slot;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, List, Rows, Size, columns_of, empty_text, rows_of};
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row};
use crate::desk::rows::{AgentRow, AgentState};
use crate::domain::agent::Binding;
use crate::domain::endpoint::Breaker;
use crate::domain::mesh::Health;
use crate::domain::time::{Span, Timestamp};

use super::{attempts, words};

/// Lines of what is told of an agent under the list, its rule included.
const PEEK: u16 = 6;

const WIDE: &[Column] = &[
    Column::new("AGENT", 0, 12, 20),
    Column::new("BINDING", 1, 7, 8),
    Column::new("STATE", 0, 9, 9),
    Column::new("OUT/S", 2, 5, 5).right(),
    Column::new("ERR%", 3, 5, 5).right(),
    Column::new("LAG", 4, 5, 6).right(),
    Column::new("BREAKER", 5, 11, 12),
    Column::new("LISTEN", 6, 6, 6).right(),
    Column::new("QUEUED", 5, 6, 7).right(),
    Column::new("RETRY", 7, 5, 6).right(),
    Column::new("FLIGHT", 4, 6, 6).right().optional(),
    Column::new("LIMIT", 4, 8, 10).right().optional(),
    Column::new("P95", 4, 6, 6).right().optional(),
    Column::new("SEEN", 4, 5, 5).right().optional(),
    Column::new("NOTE", 5, 18, 18).growing(),
];

const MEDIUM: &[Column] = &[
    Column::new("AGENT", 0, 15, 18),
    Column::new("BINDING", 5, 7, 8),
    Column::new("STATE", 0, 9, 9),
    Column::new("OUT/S", 3, 5, 5).right(),
    Column::new("ERR%", 2, 5, 5).right(),
    Column::new("LAG", 4, 5, 5).right(),
    Column::new("BREAKER", 5, 10, 12).optional(),
    Column::new("LISTEN", 5, 6, 6).right().optional(),
    Column::new("QUEUED", 6, 6, 6).right(),
    Column::new("RETRY", 5, 5, 6).right().optional(),
    Column::new("FLIGHT", 4, 6, 6).right().optional(),
    Column::new("LIMIT", 4, 8, 8).right().optional(),
    Column::new("P95", 4, 6, 6).right().optional(),
    Column::new("SEEN", 4, 5, 5).right().optional(),
    Column::new("NOTE", 1, 16, 16).growing(),
];

/// On the overview what is special has the room of what waits.
const OVERVIEW: &[Column] = &[
    Column::new("AGENT", 0, 12, 20),
    Column::new("BINDING", 1, 7, 8),
    Column::new("STATE", 0, 9, 9),
    Column::new("OUT/S", 2, 5, 5).right(),
    Column::new("ERR%", 3, 5, 5).right(),
    Column::new("LAG", 4, 5, 6).right(),
    Column::new("BREAKER", 5, 11, 12),
    Column::new("LISTEN", 6, 6, 6).right(),
    Column::new("QUEUED", 5, 6, 7).right().optional(),
    Column::new("RETRY", 7, 5, 6).right().optional(),
    Column::new("FLIGHT", 4, 6, 6).right().optional(),
    Column::new("LIMIT", 4, 8, 10).right().optional(),
    Column::new("P95", 4, 6, 6).right().optional(),
    Column::new("SEEN", 4, 5, 5).right().optional(),
    Column::new("NOTE", 5, 18, 18).growing(),
];

/// The columns at a size. Each of the three has them all, in this order.
pub(crate) const fn columns(size: Size) -> &'static [Column] {
    match size {
        Size::Wide => WIDE,
        _ => MEDIUM,
    }
}

/// The same on the overview.
pub(crate) const fn overview_columns(size: Size) -> &'static [Column] {
    match size {
        Size::Wide => OVERVIEW,
        _ => MEDIUM,
    }
}

/// The cells of an agent, one for each column.
pub(crate) fn cells(agent: &AgentRow, now: Timestamp, size: Size) -> Vec<Cell> {
    let none = || Cell::of("–", Role::Dim);
    let error = match agent.error_percent {
        Some(share) if share >= 10.0 => Cell::of(format!("{share:.1}"), Role::Bad),
        Some(share) => Cell::from(format!("{share:.1}")),
        None => none(),
    };
    let listeners = if agent.binding.is_pull() {
        words::number_cell(agent.listeners)
    } else {
        none()
    };
    let ago = |at: Timestamp| format::age_short(now.since(at));
    vec![
        Cell::from(agent.address.name()),
        Cell::of(agent.binding.name(), Role::Dim),
        Cell::of(agent.state.name(), words::agent_role(agent.state)),
        Cell::from(words::rate_cell(agent.out_per_second)),
        error,
        agent
            .lag_ms
            .map_or_else(none, |lag| Cell::from(words::millis_age(lag))),
        breaker_cell(agent, now),
        listeners,
        words::number_cell(agent.queued),
        words::number_cell(agent.retrying),
        words::number_cell(agent.leased),
        Cell::from(limit_cell(agent)),
        Cell::from(words::millis(agent.p95_ms)),
        agent
            .last_seen_at
            .map_or_else(none, |at| Cell::from(ago(at))),
        Cell::of(note(agent, now, size), Role::Dim),
    ]
}

/// Its own bounds: `20/s`, `20/s 4`, `4`.
fn limit_cell(agent: &AgentRow) -> String {
    let rate = agent
        .rate_millihertz()
        .map(|rate| format!("{}/s", words::pace(rate)));
    let most = agent.max_in_flight.map(|most| most.to_string());
    match (rate, most) {
        (None, None) => "–".to_owned(),
        (rate, most) => [rate, most]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// What the breaker lets through; only agents that are called have one.
fn breaker_cell(agent: &AgentRow, now: Timestamp) -> Cell {
    let until = agent.endpoint.and_then(|endpoint| endpoint.open_until);
    match (agent.breaker(), until) {
        (Some(Breaker::Closed), _) => Cell::of(running(agent), Role::Dim),
        (Some(Breaker::Open), Some(until)) => {
            let left = format::age_short(until.since(now).max(Span::ZERO));
            Cell::of(format!("open {left}"), Role::Crit)
        }
        (Some(Breaker::Open), None) => Cell::of("open", Role::Crit),
        (Some(Breaker::HalfOpen), _) => Cell::of("half-open", Role::Warn),
        (None, _) => Cell::of("–", Role::Dim),
    }
}

/// `closed 4/16`: calls that run, and that may.
fn running(agent: &AgentRow) -> String {
    agent.endpoint.map_or_else(String::new, |endpoint| {
        let most = agent
            .max_in_flight
            .map_or(endpoint.limit, |most| most.min(endpoint.limit));
        format!("closed {}/{most}", endpoint.in_flight)
    })
}

/// What is special about an agent: who stopped it and why, or what would make one look at it.
fn note(agent: &AgentRow, now: Timestamp, size: Size) -> String {
    if let Some(pause) = agent.kill.as_ref().or(agent.pause.as_ref()) {
        let at = format::moment(pause.at, now);
        return format!("{} {at} \"{}\"", words::actor(&pause.by), pause.reason);
    }
    let mut parts = Vec::new();
    match (agent.health, agent.state) {
        (Health::Unreachable, _) => parts.push("no heartbeat for long".to_owned()),
        (Health::Degraded, _) => parts.push("heartbeat is late".to_owned()),
        (_, AgentState::Offline) => parts.push("nobody listens".to_owned()),
        _ => {}
    }
    // Where there is a column for it, it says more.
    let has_column = size == Size::Wide;
    match agent.breaker().filter(|_| !has_column) {
        Some(Breaker::Open) => parts.push("breaker open".to_owned()),
        Some(Breaker::HalfOpen) => parts.push("breaker probes".to_owned()),
        Some(Breaker::Closed) | None => {}
    }
    match (agent.dead_last_hour, agent.dead) {
        (0, 0) => {}
        (0, dead) => parts.push(format!("{} dead", format::count(dead))),
        (lately, _) => parts.push(format!("{} dead in 1h", format::count(lately))),
    }
    if agent.held > 0 {
        let count = format::count(agent.held);
        parts.push(match agent.binding {
            Binding::Inbox => format!("{count} tasks"),
            Binding::Internal => format!("{count} timers armed"),
            Binding::Stream | Binding::Poll | Binding::Http => format!("{count} held"),
        });
    }
    if let Some(rate) = agent.rate_millihertz() {
        parts.push(format!("cap {}/s", words::pace(rate)));
    }
    if let Some(most) = agent.max_in_flight {
        parts.push(format!("{most} at once"));
    }
    parts.join(", ")
}

/// Draws the desk.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let rows = u16::try_from(model.agents.rows.len()).unwrap_or(u16::MAX);
    match canvas.size {
        Size::Wide => {
            let most = area.height.saturating_sub(18).max(6);
            let lines = rows.saturating_add(3).clamp(6, most);
            let [list, middle, recent] = rows_of(area, [lines, 10, 0], 2);
            draw_list(model, canvas, list);
            let (left, right) = columns_of(middle, middle.width / 2);
            detail::standing(model, canvas, left);
            detail::activity(model, canvas, right);
            draw_recent(model, canvas, recent);
        }
        Size::Medium => {
            let most = area.height.saturating_sub(PEEK + 5).max(4);
            let lines = rows.saturating_add(2).clamp(4, most);
            let [list, peek, recent] = rows_of(area, [lines, PEEK, 0], 2);
            draw_list(model, canvas, list);
            detail::peek(model, canvas, peek);
            draw_recent(model, canvas, recent);
        }
        Size::Narrow | Size::Tiny | Size::None => match model.pane() {
            0 => draw_list(model, canvas, area),
            _ => draw_recent(model, canvas, area),
        },
    }
}

fn draw_list(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let is_focused = model.pane() == 0;
    let dot = canvas.paint.glyphs.dot;
    let all = model.agents.all.len();
    let ok = model
        .agents
        .all
        .iter()
        .filter(|agent| agent.state == AgentState::Ok)
        .count();
    let title = format!("Agents {dot} {all} {dot} {ok} ok");
    let filter = match model.agents.filter.text.as_str() {
        "" => "none",
        text => text,
    };
    let order = words::order(model, Place::Agents, canvas.paint.glyphs);
    let right = format!("{order}   / {filter}");
    let inner = canvas.section(area, &title, &right, Some((0, is_focused)));
    let nothing = "no agents yet: an agent appears with its first intent or connection";
    let list = List {
        window: &model.agents.rows,
        pane: 0,
        columns: columns(canvas.size),
        chosen: Some((&model.columns, ListName::Agents)),
        is_focused,
        has_marks: false,
        below: 0,
        empty: empty_text(model, &model.agents.rows, Slot::Agents, nothing),
    };
    let size = canvas.size;
    canvas.list(inner, &list, |agent| cells(agent, model.at.wall, size));
}

/// What bounds how fast it is served.
pub(crate) fn limits_text(agent: &AgentRow) -> String {
    let most = match (agent.max_in_flight, agent.endpoint) {
        (Some(most), Some(endpoint)) => {
            format!("{most} at once ({} now)", endpoint.limit.min(most))
        }
        (Some(most), None) => format!("{most} unfinished at once"),
        (None, Some(endpoint)) => format!("as many at once as go well: {} now", endpoint.limit),
        (None, None) => "the usual at once".to_owned(),
    };
    match (agent.endpoint, agent.rate_millihertz()) {
        (None, _) => most,
        (Some(_), None) => format!("no rate, {most}"),
        (Some(_), Some(rate)) => format!("{}/s, {most}", words::pace(rate)),
    }
}

fn draw_recent(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let is_focused = model.pane() == 1;
    let name = model
        .agents
        .attempts_of
        .as_ref()
        .map_or("", |agent| agent.name());
    let title = format!("Recent attempts {} {name}", canvas.paint.glyphs.dot);
    let inner = canvas.section(area, &title, "newest first", Some((1, is_focused)));
    let rows: Vec<Row> = model
        .agents
        .attempts
        .iter()
        .map(|attempt| Row::of(attempts::cells(attempt, model.at.wall, false)))
        .collect();
    let cursor = is_focused.then_some(model.agents.attempt.min(rows.len().saturating_sub(1)));
    let empty = match (
        model.agents.attempts_of.is_some(),
        model.reads.error(Slot::AgentAttempts),
    ) {
        (true, Some(error)) => error,
        (true, None) => "no attempts yet",
        (false, _) => "",
    };
    let rows = Rows {
        pane: 1,
        columns: attempts::RECENT,
        rows: &rows,
        cursor,
        is_focused,
        has_header: true,
        empty,
    };
    canvas.table(inner, &rows);
}
