//! Receivers: worst first, what is known of the one under the cursor, its newest attempts.

use ratatui::layout::Rect;

use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::Model;
use crate::console::model::reads::Slot;
use crate::console::sanitise::fit;
use crate::console::theme::Role;
use crate::console::view::kit::{
    Canvas, List, Rows, Size, Span, columns_of, empty_text, fact, rows_of, span,
};
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row};
use crate::desk::rows::{AgentRow, AgentState};
use crate::domain::agent::Binding;
use crate::domain::endpoint::Breaker;
use crate::domain::time::Timestamp;

use super::{attempts, words};

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
    Column::new("NOTE", 5, 18, 18).growing(),
];

const MEDIUM: &[Column] = &[
    Column::new("AGENT", 0, 15, 18),
    Column::new("BINDING", 6, 7, 8),
    Column::new("STATE", 0, 9, 9),
    Column::new("OUT/S", 3, 5, 5).right(),
    Column::new("ERR%", 2, 5, 5).right(),
    Column::new("LAG", 4, 5, 5).right(),
    Column::new("QUEUED", 5, 6, 6).right(),
    Column::new("NOTE", 1, 16, 16).growing(),
];

/// The columns at a size.
pub(crate) const fn columns(size: Size) -> &'static [Column] {
    match size {
        Size::Wide => WIDE,
        _ => MEDIUM,
    }
}

/// The cells of an agent; narrow screens leave listeners and retries out.
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
    let mut cells = vec![
        Cell::from(agent.address.name()),
        Cell::of(agent.binding.name(), Role::Dim),
        Cell::of(agent.state.name(), words::agent_role(agent.state)),
        Cell::from(words::rate_cell(agent.out_per_second)),
        error,
        agent
            .lag_ms
            .map_or_else(none, |lag| Cell::from(words::millis_age(lag))),
        words::number_cell(agent.queued),
        Cell::of(note(agent, now), Role::Dim),
    ];
    if size == Size::Wide {
        cells.insert(6, breaker_cell(agent));
        cells.insert(7, listeners);
        cells.insert(9, words::number_cell(agent.retrying));
    }
    cells
}

/// What the breaker lets through; only agents that are called have one.
fn breaker_cell(agent: &AgentRow) -> Cell {
    match agent.breaker() {
        Some(Breaker::Closed) => Cell::of(running(agent), Role::Dim),
        Some(Breaker::Open) => Cell::of("open", Role::Crit),
        Some(Breaker::HalfOpen) => Cell::of("half-open", Role::Warn),
        None => Cell::of("–", Role::Dim),
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

/// What a breaker means for what waits.
const fn breaker_text(breaker: Breaker) -> &'static str {
    match breaker {
        Breaker::Closed => "closed: it is called",
        Breaker::Open => {
            "open: nothing is sent until a probe goes well; what waits spends no attempt"
        }
        Breaker::HalfOpen => "half-open: one probe is out, the rest waits and spends no attempt",
    }
}

/// What is special about an agent.
fn note(agent: &AgentRow, now: Timestamp) -> String {
    if let Some(pause) = agent.kill.as_ref().or(agent.pause.as_ref()) {
        let at = format::moment(pause.at, now);
        return format!("{} {at} \"{}\"", words::actor(&pause.by), pause.reason);
    }
    let mut parts = Vec::new();
    if agent.state == AgentState::Offline {
        parts.push("nobody listens".to_owned());
    }
    match agent.breaker() {
        Some(Breaker::Open) => parts.push("breaker open".to_owned()),
        Some(Breaker::HalfOpen) => parts.push("breaker probes".to_owned()),
        Some(Breaker::Closed) | None => {}
    }
    if let Some(rate) = agent.rate_millihertz() {
        parts.push(format!("cap {}/s", words::pace(rate)));
    }
    if let Some(most) = agent.max_in_flight {
        parts.push(format!("{most} at once"));
    }
    if agent.dead > 0 {
        parts.push(format!("{} dead", format::count(agent.dead)));
    }
    if agent.held > 0 {
        let word = if agent.binding == Binding::Inbox {
            "tasks"
        } else {
            "held"
        };
        parts.push(format!("{} {word}", format::count(agent.held)));
    }
    if agent.leased > 0 {
        parts.push(format!("{} with it", format::count(agent.leased)));
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
            draw_agent(model, canvas, left);
            draw_depth(model, canvas, right);
            draw_recent(model, canvas, recent);
        }
        Size::Medium => {
            let most = area.height.saturating_sub(10).max(4);
            let lines = rows.saturating_add(2).clamp(4, most);
            let [list, peek, recent] = rows_of(area, [lines, 5, 0], 2);
            draw_list(model, canvas, list);
            draw_agent(model, canvas, peek);
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
        is_focused,
        has_marks: false,
        below: 0,
        empty: empty_text(model, &model.agents.rows, Slot::Agents, nothing),
    };
    let size = canvas.size;
    canvas.list(inner, &list, |agent| cells(agent, model.at.wall, size));
}

fn draw_agent(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let agent = model.agents.rows.cursor_row();
    let title = agent.map_or("Agent", |agent| agent.address.name());
    let inner = canvas.section(area, &fit(title, 40), "", None);
    let Some(agent) = agent else {
        return;
    };
    let binding = match (&agent.callback_url, agent.binding) {
        (Some(url), Binding::Http) => format!("http, POST {url}"),
        (_, binding) => binding.name().to_owned(),
    };
    let account = match (agent.is_registered, &agent.display_name) {
        (true, Some(name)) => format!("registered as {name}"),
        (true, None) => "registered".to_owned(),
        (false, _) => "a mailbox made by its first use; nobody registered it".to_owned(),
    };
    let state: Span = match agent.kill.as_ref().or(agent.pause.as_ref()) {
        Some(pause) => span(
            format!(
                "{} by {} at {}: \"{}\"",
                agent.state.name(),
                words::actor(&pause.by),
                format::moment(pause.at, model.at.wall),
                pause.reason
            ),
            Role::Off,
        ),
        None => span(agent.state.name(), words::agent_role(agent.state)),
    };
    let mut facts = vec![
        fact("address", agent.address.to_string()),
        fact("binding", binding),
        ("state".to_owned(), state),
    ];
    if let Some(breaker) = agent.breaker() {
        let role = match breaker {
            Breaker::Closed => Role::Text,
            Breaker::Open => Role::Bad,
            Breaker::HalfOpen => Role::Warn,
        };
        let text = span(breaker_text(breaker), role);
        facts.push(("breaker".to_owned(), text));
    }
    facts.push(fact("limits", limits_text(agent)));
    facts.push(fact("account", account));
    canvas.facts(inner, 10, &facts);
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

fn draw_depth(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let inner = canvas.section(area, "Where its intents are", "", None);
    let Some(agent) = model.agents.rows.cursor_row() else {
        return;
    };
    let lines = [
        ("ready", agent.queued, "not handed over yet"),
        ("with it", agent.leased, "handed over, no answer yet"),
        (
            "between tries",
            agent.retrying,
            "waiting for the next attempt",
        ),
        ("held", agent.held, "with a person or a moment"),
        ("dead letters", agent.dead, "given up; 5 shows them"),
    ];
    for ((name, count, note), y) in lines.into_iter().zip(inner.top()..inner.bottom()) {
        let role = if name == "dead letters" && count > 0 {
            Role::Bad
        } else {
            Role::Strong
        };
        let spans = [
            span(format!("{name:<14}"), Role::Dim),
            span(format!("{:>9}  ", format::count(count)), role),
            span(note, Role::Dim),
        ];
        canvas.spans(inner.x, y, inner.width, &spans);
    }
    let lag = agent
        .lag_ms
        .map_or_else(|| "–".to_owned(), words::millis_age);
    let foot = [
        span("lag ", Role::Dim),
        span(lag, Role::Text),
        span("   out ", Role::Dim),
        span(words::rate(agent.out_per_second), Role::Text),
        span("   listeners ", Role::Dim),
        span(format::count(agent.listeners), Role::Text),
    ];
    let y = inner.y + 6;
    if y < inner.bottom() {
        canvas.spans(inner.x, y, inner.width, &foot);
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
