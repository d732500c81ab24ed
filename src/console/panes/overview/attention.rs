//! What needs attention, worst first.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::panes::words;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Rows};
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row};
use crate::desk::rows::{AgentRow, AgentState, LetterGroupRow};
use crate::domain::address::Address;
use crate::domain::group::{GroupStand, GroupState};
use crate::domain::ids::IntentId;
use crate::domain::mesh::Health;

/// What an item of "needs attention" is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A task.
    Task(IntentId),
    /// A group of dead letters.
    Group(String),
    /// An agent.
    Agent(Address),
}

/// An item of "needs attention".
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// How bad: `!!`, `!` or a dot.
    pub(crate) sign: &'static str,
    /// `INBOX`, `DEAD`, `AGENT`.
    pub(crate) kind: &'static str,
    /// What.
    pub(crate) text: String,
    /// Who.
    pub(crate) who: String,
    /// What Enter opens.
    pub(crate) subject: Subject,
}

/// What needs attention, worst first.
pub(crate) fn attention(model: &Model) -> Vec<Item> {
    let mut items = tasks(model);
    items.extend(model.agents.all.iter().filter_map(agent));
    let is_loud = |group: &&LetterGroupRow| group.state != GroupState::Said(GroupStand::Muted);
    let groups = model.dead.read.iter().filter(is_loud);
    items.extend(groups.map(group));
    items.sort_by_key(|item| match item.sign {
        "!!" => 0,
        "!" => 1,
        _ => 2,
    });
    items
}

fn tasks(model: &Model) -> Vec<Item> {
    let now = model.at.wall;
    let overdue = model
        .inbox
        .open
        .iter()
        .filter(|task| task.is_overdue && task.is_open);
    overdue
        .map(|task| {
            let late = task
                .due_at
                .filter(|due| *due <= now)
                .map_or_else(String::new, |due| {
                    format!(" {}", format::age_short(now.since(due)))
                });
            let name = task.intent.short();
            Item {
                sign: if task.task_type == "override" {
                    "!!"
                } else {
                    "!"
                },
                kind: "INBOX",
                text: format!("{name} {} overdue{late}: {}", task.task_type, task.title),
                who: format!("from {}", task.from.name()),
                subject: Subject::Task(task.intent),
            }
        })
        .collect()
}

fn agent(agent: &AgentRow) -> Option<Item> {
    let (sign, text) = match agent.state {
        AgentState::Offline => offline(agent),
        AgentState::Degraded => {
            let share = agent.error_percent.unwrap_or(0.0);
            ("!", format!("{share:.1}% of its attempts fail"))
        }
        AgentState::Throttled | AgentState::Paused | AgentState::Killed | AgentState::Ok => {
            return None;
        }
    };
    Some(Item {
        sign,
        kind: "AGENT",
        text,
        who: agent.address.name().to_owned(),
        subject: Subject::Agent(agent.address.clone()),
    })
}

/// Nothing is lost where nothing waits: that nobody has come yet is a remark then and no alarm.
fn offline(agent: &AgentRow) -> (&'static str, String) {
    let why = match agent.health {
        Health::Unreachable => "its heartbeat is missing",
        Health::Unknown | Health::Healthy | Health::Degraded => "nobody listens",
    };
    match agent.queued {
        0 => ("·", format!("{why}, nothing waits")),
        1 => ("!!", format!("{why}, 1 intent waits")),
        queued => {
            let queued = format::count(queued);
            ("!!", format!("{why}, {queued} intents wait"))
        }
    }
}

fn group(group: &LetterGroupRow) -> Item {
    let last_hour = group.hourly.last().copied().unwrap_or(0);
    let hour = if last_hour > 0 {
        format!("  +{last_hour} in 1h")
    } else {
        String::new()
    };
    let label = words::group_label(&group.fingerprint);
    let count = format::count(group.count);
    Item {
        sign: if last_hour > 0 { "!" } else { "·" },
        kind: "DEAD",
        text: format!("{count} \"{}\"{hour}, group {label}", group.message),
        who: group.to.name().to_owned(),
        subject: Subject::Group(group.fingerprint.clone()),
    }
}

const ATTENTION: &[Column] = &[
    Column::new("", 1, 2, 2),
    Column::new("", 2, 5, 5),
    Column::new("", 0, 10, 20).growing(),
    Column::new("", 3, 10, 22),
];

/// Draws the pane.
pub(super) fn list(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let is_focused = model.pane() == 1;
    let items = attention(model);
    let title = match items.len() {
        0 => "Needs attention".to_owned(),
        count => format!("Needs attention {} {count}", canvas.paint.glyphs.dot),
    };
    let inner = canvas.section(area, &title, "", Some((1, is_focused)));
    let rows: Vec<Row> = items
        .into_iter()
        .map(|item| {
            let role = match item.sign {
                "!!" => Role::Crit,
                "!" => Role::Warn,
                _ => Role::Dim,
            };
            Row::of(vec![
                Cell::of(item.sign, role),
                Cell::of(item.kind, Role::Strong),
                Cell::from(item.text),
                Cell::of(item.who, Role::Dim),
            ])
        })
        .collect();
    let cursor = is_focused.then_some(model.front.attention.min(rows.len().saturating_sub(1)));
    let rows = Rows {
        pane: 1,
        columns: ATTENTION,
        rows: &rows,
        cursor,
        is_focused,
        has_header: false,
        empty: "nothing: no overdue task, no failing agent, no dead letter",
    };
    canvas.table(inner, &rows);
}
