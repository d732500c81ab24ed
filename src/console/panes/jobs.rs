//! Jobs: how far each is, what came of it, and why it does not go on.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::model::columns::ListName;
use crate::console::model::reads::Slot;
use crate::console::theme::Role;
use crate::console::view::kit::{
    Canvas, List, Rows, Size, Span, columns_of, empty_text, fact, rows_of, span,
};
use crate::console::widgets::spark::bar;
use crate::console::widgets::table::columns::Column;
use crate::console::widgets::table::{Cell, Row};
use crate::desk::rows::jobs::{JobItemRow, JobRow, OutcomeRow};
use crate::domain::job::{JobKind, JobState};
use crate::domain::time::{Span as Time, Timestamp};

use super::words;

/// Its columns.
pub(crate) const COLUMNS: &[Column] = &[
    Column::new("JOB", 0, 7, 8),
    Column::new("VERB", 1, 7, 7),
    Column::new("STATE", 0, 8, 8),
    Column::new("DONE", 0, 11, 13).right(),
    Column::new("OK", 4, 5, 6).right(),
    Column::new("FAILED", 2, 6, 6).right(),
    Column::new("SKIP", 6, 5, 5).right(),
    Column::new("RATE", 7, 6, 6).right(),
    Column::new("ETA", 5, 6, 6).right(),
    Column::new("BY", 8, 8, 12),
    Column::new("WHY", 5, 12, 24).optional(),
    Column::new("STARTED", 5, 8, 8).optional(),
    Column::new("NOTE", 3, 22, 24).growing(),
];

const ITEMS: &[Column] = &[
    Column::new("INTENT", 0, 8, 8),
    Column::new("OUTCOME", 0, 10, 14),
    Column::new("REPLAY", 1, 8, 8),
    Column::new("WHY", 2, 8, 12).growing(),
];

const fn role(state: JobState) -> Role {
    match state {
        JobState::Running => Role::Active,
        JobState::Paused => Role::Warn,
        JobState::Done => Role::Good,
        JobState::Canceled => Role::Off,
    }
}

fn number(count: u32) -> String {
    format::count(u64::from(count))
}

/// How long the rest takes at the job's pace.
fn eta(job: &JobRow) -> Option<Time> {
    let left = job.selected.saturating_sub(job.done + job.in_flight);
    if job.state != JobState::Running || left == 0 {
        return None;
    }
    let millis = i64::from(left) * 1_000_000 / i64::from(job.per_1000_seconds.max(1));
    Some(Time::from_millis(millis))
}

fn cells(job: &JobRow) -> Vec<Cell> {
    let note = job.stopped_because.as_ref().or(job.reason.as_ref());
    let failed = if job.failed > 0 {
        Role::Bad
    } else {
        Role::Text
    };
    vec![
        Cell::from(job.id.to_string()),
        Cell::from(job.kind.name()),
        Cell::of(job.state.name(), role(job.state)),
        Cell::from(format!("{}/{}", number(job.done), number(job.selected))),
        Cell::from(number(job.succeeded)),
        Cell::of(number(job.failed), failed),
        Cell::from(number(job.skipped)),
        Cell::from(words::pace(job.per_1000_seconds)),
        eta(job).map_or_else(
            || Cell::of("–", Role::Dim),
            |eta| Cell::from(format::age(eta)),
        ),
        Cell::from(words::actor(&job.by)),
        Cell::from(job.reason.clone().unwrap_or_default()),
        Cell::of(format::clock(job.created_at), Role::Dim),
        Cell::from(note.cloned().unwrap_or_default()),
    ]
}

/// Draws the desk.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    match canvas.size {
        Size::Wide => {
            let [list, below] = rows_of(area, [0, area.height / 2], 0);
            let (left, right) = columns_of(below, below.width / 2);
            draw_list(model, canvas, list);
            draw_job(model, canvas, left);
            draw_items(model, canvas, right);
        }
        Size::Medium => {
            let [list, job, items] = rows_of(area, [0, 8, 5], 0);
            draw_list(model, canvas, list);
            draw_job(model, canvas, job);
            draw_items(model, canvas, items);
        }
        Size::Narrow | Size::Tiny | Size::None => match model.pane() {
            0 => draw_list(model, canvas, area),
            _ => draw_items(model, canvas, area),
        },
    }
}

fn draw_list(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let window = &model.jobs.rows;
    let is_focused = model.pane() == 0;
    let open = window.rows().iter().filter(|job| !job.state.is_finished());
    let dot = canvas.paint.glyphs.dot;
    let title = format!(
        "Jobs {dot} {} {dot} {} open",
        window.rows().len(),
        open.count()
    );
    let right = format!("newest {}", canvas.paint.glyphs.down);
    let inner = canvas.section(area, &title, &right, Some((0, is_focused)));
    let nothing = "no jobs: R on a large group of dead letters orders one";
    let list = List {
        window,
        pane: 0,
        columns: COLUMNS,
        chosen: Some((&model.columns, ListName::Jobs)),
        is_focused,
        has_marks: false,
        below: 0,
        empty: empty_text(model, window, Slot::Jobs, nothing),
    };
    canvas.list(inner, &list, cells);
}

fn draw_job(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let job = model.jobs.rows.cursor_row();
    let title = job.map_or_else(|| "Job".to_owned(), |job| job.id.to_string());
    let inner = canvas.section(area, &title, "", None);
    let Some(job) = job else {
        return;
    };
    let columns = usize::from(inner.width.saturating_sub(30)).min(40);
    let (part, whole) = (u64::from(job.done), u64::from(job.selected));
    let done = bar(part, whole.max(1), columns, canvas.paint.glyphs);
    let progress = format!("{done:<columns$} {}", format::percent(part, whole));
    let mut facts = facts(job, model.at.wall);
    facts.insert(1, ("progress".to_owned(), span(progress, Role::Fill)));
    let classes = model.jobs.job.as_ref().filter(|view| view.row.id == job.id);
    if let Some(view) = classes.filter(|view| !view.outcomes.is_empty()) {
        facts.insert(
            3.min(facts.len()),
            fact("classes", classes_text(&view.outcomes)),
        );
    }
    canvas.facts(inner, 10, &facts);
}

/// `12 succeeded, 3 failed 503, 1 skipped already replayed`.
fn classes_text(classes: &[OutcomeRow]) -> String {
    let words: Vec<String> = classes
        .iter()
        .map(|class| {
            let code = class.code.as_deref().unwrap_or_default().replace('_', " ");
            let outcome = class.outcome.replace('_', " ");
            format!("{} {outcome} {code}", format::count(class.count))
                .trim()
                .to_owned()
        })
        .collect();
    words.join(" · ")
}

fn facts(job: &JobRow, now: Timestamp) -> Vec<(String, Span)> {
    let state = span(words::job_text(job), role(job.state));
    let mut facts = vec![("state".to_owned(), state)];
    if let Some(because) = &job.stopped_because {
        facts.push(("stopped".to_owned(), span(because.clone(), Role::Warn)));
    }
    let eta = eta(job).map_or_else(String::new, |eta| format!("   eta {}", format::age(eta)));
    let mut pace = format!("{} a second", words::pace(job.per_1000_seconds));
    if job.kind == JobKind::Replay {
        pace = format!(
            "{pace}, {} at once, canary {}, stops at {} deaths",
            job.max_in_flight, job.canary, job.stop_after_failures
        );
    }
    facts.extend([
        fact(
            "outcome",
            format!(
                "{} ok, {} failed, {} skipped, {} in flight{eta}",
                number(job.succeeded),
                number(job.failed),
                number(job.skipped),
                number(job.in_flight)
            ),
        ),
        fact(
            "by",
            format!(
                "{} {}: {}",
                words::actor(&job.by),
                format::moment(job.created_at, now),
                job.reason.as_deref().unwrap_or("no reason given")
            ),
        ),
        fact("pace", pace),
        fact("filter", words::flat(&job.filter.to_value())),
    ]);
    facts
}

fn item_role(outcome: &str) -> Role {
    match outcome {
        "succeeded" => Role::Good,
        "failed" => Role::Bad,
        "skipped" | "withdrawn" => Role::Off,
        _ => Role::Active,
    }
}

fn item_cells(item: &JobItemRow) -> Vec<Cell> {
    vec![
        Cell::from(item.intent.short()),
        Cell::of(item.outcome.replace('_', " "), item_role(&item.outcome)),
        item.new_intent
            .map_or_else(|| Cell::of("–", Role::Dim), |id| Cell::from(id.short())),
        Cell::from(item.code.clone().unwrap_or_default().replace('_', " ")),
    ]
}

fn draw_items(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let is_focused = model.pane() == 1;
    let job = model.jobs.job.as_ref();
    let more = job.is_some_and(|job| job.next.is_some());
    let count = job.map_or(0, |job| job.items.len());
    let plus = if more { "+" } else { "" };
    let title = format!("Its intents {} {count}{plus}", canvas.paint.glyphs.dot);
    let inner = canvas.section(area, &title, "Enter opens", Some((1, is_focused)));
    let items = job.map(|job| job.items.as_slice()).unwrap_or_default();
    let rows: Vec<Row> = items.iter().map(|item| Row::of(item_cells(item))).collect();
    let empty = match (job, model.reads.error(Slot::Job)) {
        (None, Some(error)) => error,
        (Some(_), _) => "none has had its turn yet",
        (None, None) => "",
    };
    let rows = Rows {
        pane: 1,
        columns: ITEMS,
        rows: &rows,
        cursor: is_focused.then_some(model.jobs.item.min(count.saturating_sub(1))),
        is_focused,
        has_header: true,
        empty,
    };
    canvas.table(inner, &rows);
}
