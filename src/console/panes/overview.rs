//! The first screen: flow, states, agents, what needs attention, the live tail.

pub(crate) mod attention;
mod flow;

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::model::reads::Slot;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, List, Rows, Size, columns_of, empty_text, rows_of};
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row};
use crate::domain::ids::IntentId;

use super::{agents, words};

/// Draws the desk.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    match canvas.size {
        Size::Wide => draw_wide(model, canvas, area),
        Size::Medium | Size::Narrow => draw_medium(model, canvas, area),
        Size::Tiny | Size::None => draw_tiny(model, canvas, area),
    }
}

fn draw_wide(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let agents = u16::try_from(model.agents.rows.len()).unwrap_or(u16::MAX);
    let spare = area.height.saturating_sub(30);
    let agent_lines = agents.clamp(5, 5 + spare / 2) + 3;
    let rest = area.height.saturating_sub(10 + agent_lines);
    let attention_lines = (rest / 2).clamp(3, 8);
    let [top, middle, attention, tail] = rows_of(area, [10, agent_lines, attention_lines, 0], 3);
    let (left, right) = columns_of(top, top.width / 2 - 2);
    flow::flow(model, canvas, left);
    flow::states(model, canvas, right);
    agent_list(model, canvas, middle);
    attention::list(model, canvas, attention);
    tail_list(model, canvas, tail);
}

fn draw_medium(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let spare = area.height.saturating_sub(20);
    let (agents, attention) = if area.height < 17 {
        // No room for a tail; two rows of what needs attention come before more agents.
        (area.height.saturating_sub(8), 3)
    } else {
        (6 + spare / 3, 5 + spare / 3)
    };
    let [top, middle, attention, tail] = rows_of(area, [5, agents, attention, 0], 3);
    flow::flow_small(model, canvas, top);
    agent_list(model, canvas, middle);
    attention::list(model, canvas, attention);
    tail_list(model, canvas, tail);
}

/// The smallest screen shows one pane: the one that has the focus.
fn draw_tiny(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    match model.pane() {
        1 => attention::list(model, canvas, area),
        2 => tail_list(model, canvas, area),
        _ => {
            let [top, list] = rows_of(area, [2, 0], 1);
            if let Some(overview) = &model.overview {
                for (index, line) in flow::state_lines_tiny(overview).into_iter().enumerate() {
                    let y = top.y + u16::try_from(index).unwrap_or(0);
                    canvas.spans(top.x, y, top.width, &line);
                }
            }
            agent_list(model, canvas, list);
        }
    }
}

fn agent_list(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let is_focused = model.pane() == 0;
    let count = model.agents.rows.len();
    let dot = canvas.paint.glyphs.dot;
    let title = format!(
        "Agents {dot} {}",
        format::count(u64::try_from(count).unwrap_or(0))
    );
    let right = format!("worst first {}", canvas.paint.glyphs.down);
    let inner = canvas.section(area, &title, &right, Some((0, is_focused)));
    let nothing = "no agents yet: an agent appears with its first intent or connection";
    let list = List {
        window: &model.agents.rows,
        pane: 0,
        columns: agents::overview_columns(canvas.size),
        chosen: None,
        is_focused,
        has_marks: false,
        below: 0,
        empty: empty_text(model, &model.agents.rows, Slot::Agents, nothing),
    };
    let size = canvas.size;
    canvas.list(inner, &list, |agent| {
        agents::cells(agent, model.at.wall, size)
    });
}

const TAIL: &[Column] = &[
    Column::new("TIME", 0, 8, 8),
    Column::new("EVENT", 0, 9, 15),
    Column::new("INTENT", 1, 8, 8),
    Column::new("AGENT", 2, 8, 16),
    Column::new("DETAIL", 3, 10, 20).growing(),
];

fn tail_list(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let is_focused = model.pane() == 2;
    let now = model.at.wall.as_seconds();
    let per_second = model.tail.per_second(now);
    let right = match model.tail.missed {
        Some(missed) => format!("stands still, +{}", format::count(missed)),
        None if model.tail.is_thinned(now) => {
            format!("the newest of {} ev/s", format::count(per_second))
        }
        None => format!("follow {}  {per_second} ev/s", canvas.paint.glyphs.mark),
    };
    let inner = canvas.section(area, "Live tail", &right, Some((2, is_focused)));
    let cursor = is_focused.then(|| {
        let place = model
            .tail
            .rows
            .iter()
            .position(|row| Some(row.cursor) == model.front.tail);
        place.unwrap_or(0)
    });
    let most = usize::from(inner.height).max(1) + cursor.unwrap_or(0);
    let rows: Vec<Row> = model
        .tail
        .rows
        .iter()
        .take(most)
        .map(|fact| {
            let value = fact.data.to_value();
            let intent = fact.intent.map(IntentId::short).unwrap_or_default();
            let agent = fact.agent.as_ref().map(|agent| agent.name().to_owned());
            Row::of(vec![
                Cell::of(format::clock(fact.at), Role::Dim),
                Cell::of(
                    words::event_word(&fact.kind),
                    words::event_role(&fact.kind, fact.status),
                ),
                Cell::from(intent),
                Cell::from(agent.unwrap_or_else(|| words::actor(&fact.actor).to_owned())),
                Cell::from(words::event_text(&fact.kind, &value, model.at.wall)),
            ])
        })
        .collect();
    let rows = Rows {
        pane: 2,
        columns: TAIL,
        rows: &rows,
        cursor,
        is_focused,
        has_header: true,
        empty: "nothing has happened since this console started",
    };
    canvas.table(inner, &rows);
}
