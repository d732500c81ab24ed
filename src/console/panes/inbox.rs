//! Tasks that wait for a person: the list, the task under the cursor, its thread, the strip.

use ratatui::layout::Rect;

use crate::console::action::place::Place;
use crate::console::format;
use crate::console::kinds::{self, Brief, Fact, Shown};
use crate::console::model::Model;
use crate::console::model::columns::ListName;
use crate::console::model::desks::Lane;
use crate::console::model::reads::Slot;
use crate::console::model::strip::{Draft, needs_comment, outcomes_of};
use crate::console::theme::Role;
use crate::console::update::handing;
use crate::console::view::kit::{Canvas, List, Size, Span, empty_text, fact, rows_of, span};
use crate::console::widgets::table::Cell;
use crate::console::widgets::table::columns::Column;
use crate::desk::rows::TaskRow;
use crate::domain::scenario::After;
use crate::domain::task::is_negative;
use crate::domain::time::Timestamp;

use super::strip::Beside;
use super::{dead_letters, strip, words};

/// Lines of the task beside the list: framed, and as a peek.
const TASK: u16 = 8;
const PEEK: u16 = 6;
/// Lines that a list keeps while a strip is open: its title, its headings, two rows.
const LIST_MIN: u16 = 4;
/// The same in a frame, with two rows more around the strip.
const WIDE_LIST_MIN: u16 = 7;
/// A thread of fewer lines is not shown.
const THREAD_MIN: u16 = 4;

const WIDE: &[Column] = &[
    Column::new("DUE", 0, 5, 5).right(),
    Column::new("", 0, 2, 2),
    Column::new("TYPE", 1, 8, 13),
    Column::new("TASK", 0, 8, 8),
    Column::new("ASKS", 0, 12, 30).growing(),
    Column::new("SENDER", 6, 8, 14),
    Column::new("FOR", 4, 6, 12),
    Column::new("AGE", 5, 4, 5).right(),
    Column::new("REMINDED", 5, 8, 8).right().optional(),
    Column::new("DEADLINE", 5, 8, 8).right().optional(),
];

const NARROW: &[Column] = &[
    Column::new("DUE", 0, 4, 4).right(),
    Column::new("", 0, 2, 2),
    Column::new("TYPE", 1, 8, 8),
    Column::new("TASK", 0, 8, 8),
    Column::new("ASKS", 0, 10, 30).growing(),
    Column::new("SENDER", 4, 8, 10).optional(),
    Column::new("FOR", 4, 5, 8),
    Column::new("AGE", 3, 4, 4).right(),
    Column::new("REMINDED", 5, 8, 8).right().optional(),
    Column::new("DEADLINE", 5, 8, 8).right().optional(),
];

fn cells(model: &Model, task: &TaskRow, is_wide: bool) -> Vec<Cell> {
    let now = model.at.wall;
    let due = left(task.due_at, now);
    let (sign, role) = match (task.is_overdue, task.task_type.as_str()) {
        (true, "override") => ("!!", Role::Crit),
        (true, _) => ("!", Role::Crit),
        (false, _) => ("", Role::Text),
    };
    let held = model.held_on(task.intent).or(task.held.as_ref());
    let asks = match held.filter(|held| held.effective_at > now) {
        Some(held) => dead_letters::held_cell(held, now),
        None if model.is_sent(task.intent) => Cell::of("sent, waiting for the answer", Role::Dim),
        None => match &task.decision {
            Some(decision) => Cell::of(
                format!(
                    "{} {}: {}",
                    words::actor(&decision.by),
                    decision.outcome,
                    task.title
                ),
                Role::Dim,
            ),
            None => match model.drafts.get(&task.intent).and_then(Draft::progress) {
                Some((done, all)) => Cell::from(format!("{} [{done}/{all}]", task.title)),
                None => Cell::from(task.title.clone()),
            },
        },
    };
    let owner = match &task.delegated_to {
        _ if handing::is_mine(model, task) => "me",
        Some(holder) => words::actor(holder),
        None => task.owner.name(),
    };
    let (kind, age) = if is_wide {
        (
            task.task_type.as_str(),
            format::age(now.since(task.opened_at)),
        )
    } else {
        (
            short_type(&task.task_type),
            format::age_short(now.since(task.opened_at)),
        )
    };
    vec![
        Cell::of(
            due,
            if task.is_overdue {
                Role::Bad
            } else {
                Role::Text
            },
        ),
        Cell::of(sign, role),
        Cell::of(kind, Role::Human),
        Cell::from(task.intent.short()),
        asks,
        Cell::from(task.from.name()),
        Cell::from(owner),
        Cell::of(age, Role::Dim),
        Cell::from(reminded(task)),
        Cell::from(left(task.deadline, now)),
    ]
}

/// The time left until an instant, if there is one.
fn left(until: Option<Timestamp>, now: Timestamp) -> String {
    until.map_or_else(|| "–".to_owned(), |until| format::left(until, now))
}

/// How often people were reminded, and of how many times.
fn reminded(task: &TaskRow) -> String {
    match task.reminders_max {
        Some(most) => format!("{}/{most}", task.reminded),
        None => task.reminded.to_string(),
    }
}

/// The columns at a size.
pub(crate) const fn columns(size: Size) -> &'static [Column] {
    match size {
        Size::Wide => WIDE,
        _ => NARROW,
    }
}

/// The type in eight cells.
fn short_type(task_type: &str) -> &str {
    match task_type {
        "clarification" => "clarify",
        "manual_action" => "manual",
        "confirmation" => "confirm",
        "assignment" => "assign",
        other => other,
    }
}

/// Draws the desk.
pub(crate) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    match canvas.size {
        Size::Wide => draw_wide(model, canvas, area),
        Size::Medium => {
            let wanted = |beside| strip::height(model, Size::Medium, area.width, beside);
            let (peek, beside) = if wanted(Beside::Task) + PEEK + LIST_MIN <= area.height {
                (PEEK, Beside::Task)
            } else {
                (0, Beside::Nothing)
            };
            let under = wanted(beside).min(area.height.saturating_sub(peek + LIST_MIN));
            let [list, task, below] = rows_of(area, [0, peek, under], 0);
            draw_list(model, canvas, list, 0);
            if peek > 0 {
                draw_task(model, canvas, task);
            }
            strip::draw(model, canvas, below, beside);
        }
        Size::Narrow => {
            let wanted = strip::height(model, Size::Narrow, area.width, Beside::Nothing);
            let under = wanted.min(area.height.saturating_sub(LIST_MIN));
            let [list, below] = rows_of(area, [0, under], 0);
            draw_list(model, canvas, list, 0);
            strip::draw(model, canvas, below, Beside::Nothing);
        }
        Size::Tiny | Size::None => {
            if model.strip.is_some() {
                strip::draw(model, canvas, area, Beside::Nothing);
            } else {
                draw_list(model, canvas, area, 0);
            }
        }
    }
}

/// The strip stands in the list, under its row. What it needs is taken from the thread, then from the list.
fn draw_wide(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let columns = area.width.saturating_sub(8);
    let strip = strip::height(model, Size::Wide, columns, Beside::Task);
    let list = strip + WIDE_LIST_MIN;
    let thread = area
        .height
        .saturating_sub(list + TASK)
        .min(6 + area.height / 12);
    let thread = if thread < THREAD_MIN { 0 } else { thread };
    let [list, task, thread] = rows_of(area, [0, TASK, thread], 0);
    draw_list(
        model,
        canvas,
        list,
        strip.min(list.height.saturating_sub(WIDE_LIST_MIN - 2)),
    );
    draw_task(model, canvas, task);
    if !thread.is_empty() {
        draw_thread(model, canvas, thread);
    }
}

fn draw_list(model: &Model, canvas: &mut Canvas<'_>, area: Rect, below: u16) {
    let window = &model.inbox.tasks;
    let dot = canvas.paint.glyphs.dot;
    let is_ours = |task: &&TaskRow| model.identity().is_some_and(|who| *who == task.owner);
    let mine = window.rows().iter().filter(is_ours).count();
    let order = words::order(model, Place::Inbox, canvas.paint.glyphs);
    let overdue = window.rows().iter().filter(|task| task.is_overdue).count();
    let mut parts = vec![format!("Inbox {dot} {} open", window.rows().len())];
    if canvas.size != Size::Tiny {
        let counts = [
            (mine, "mine"),
            (overdue, "overdue"),
            (window.marked(), "marked"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        parts.extend(counts.map(|(count, word)| format!("{count} {word}")));
    }
    let title = parts.join(&format!(" {dot} "));
    let filter = match model.inbox.filter.text.as_str() {
        "" => "state:open",
        text => text,
    };
    let lane = match model.inbox.lane {
        Lane::All => String::new(),
        lane => format!("lane {}   ", lane.word()),
    };
    let right = if canvas.size == Size::Tiny {
        order
    } else {
        format!("{lane}/ {filter}   {order}")
    };
    let inner = canvas.section(area, &title, &right, Some((0, true)));
    let nothing = if model.inbox.filter.is_empty() {
        "no task waits for a person; a new one only changes the number on the tab"
    } else {
        "no task fits the filter; // clears it"
    };
    let list = List {
        window,
        pane: 0,
        columns: columns(canvas.size),
        chosen: Some((&model.columns, ListName::Inbox)),
        is_focused: true,
        has_marks: window.marked() > 0,
        below,
        empty: empty_text(model, window, Slot::Tasks, nothing),
    };
    let is_wide = canvas.size == Size::Wide;
    let below = canvas.list(inner, &list, |task| cells(model, task, is_wide));
    if let Some(below) = below {
        let place = Rect {
            x: below.x + 2,
            width: below.width.saturating_sub(4),
            ..below
        };
        strip::draw(model, canvas, place, Beside::Task);
    }
}

fn draw_task(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let task = model.inbox.tasks.cursor_row();
    let title = match (task, canvas.size) {
        (Some(task), Size::Wide) => format!("Task {}", task.intent.short()),
        (Some(task), _) => format!("{} {}", task.intent.short(), task.task_type),
        (None, _) => "Task".to_owned(),
    };
    let inner = canvas.section(area, &title, "", None);
    let Some(task) = task else {
        return;
    };
    if canvas.size == Size::Wide {
        let id = format!("intent {}", task.intent);
        let columns = u16::try_from(id.len()).unwrap_or(0);
        let room = inner.width.saturating_sub(columns + 2);
        canvas.text(
            Rect {
                width: room,
                height: 1,
                ..inner
            },
            &task.title,
            Role::Strong,
        );
        canvas.text_right(inner, &id, Role::Dim);
    } else {
        canvas.text(inner, &task.title, Role::Strong);
    }
    let rest = Rect {
        y: inner.y + inner.height.min(1),
        height: inner.height.saturating_sub(1),
        ..inner
    };
    canvas.facts(rest, 9, &task_facts(model, task));
}

fn task_facts(model: &Model, task: &TaskRow) -> Vec<(String, Span)> {
    let now = model.at.wall;
    let due = task.due_at.map_or_else(String::new, |due| {
        let then = match (task.is_open, &task.escalates_to) {
            (true, Some(to)) => {
                let times = task.reminders_max;
                let times =
                    times.map_or_else(String::new, |most| format!("reminds {most}×, then "));
                format!(", then {times}{}", words::actor(to))
            }
            _ => String::new(),
        };
        let when = format::moment(due, now);
        format!("   due {when} ({}){then}", format::left(due, now))
    });
    let deadline = task.deadline.map_or_else(String::new, |deadline| {
        format!("   deadline {} → TIMED_OUT", format::moment(deadline, now))
    });
    let asked = format!(
        "by {} {}{due}{deadline}",
        task.from.name(),
        format::moment(task.opened_at, now)
    );
    let mut facts = vec![fact("asked", asked)];
    let words = task.description.clone().unwrap_or_default();
    if !words.is_empty() {
        facts.push(fact("about", words));
    }
    facts.extend(kind_facts(model, task));
    if let Some(decision) = &task.decision {
        let who = words::actor(&decision.by);
        let when = format::moment(decision.at, now);
        let words = decision.comment.as_ref();
        let words = words.map_or_else(String::new, |words| format!(": {words}"));
        let text = format!(
            "{} by {who} {when} through {}, version {}{words}",
            decision.outcome, decision.via, task.version
        );
        facts.insert(0, fact("decided", text));
    } else {
        let thread = model.inbox.thread.as_ref();
        let thread = thread.filter(|one| one.row.thread == task.thread);
        let after = thread.and_then(|thread| thread.after.as_ref());
        let comment = if needs_comment(task) {
            "   comment required"
        } else {
            ""
        };
        let answers = answers(&outcomes_of(task), after);
        facts.push(fact("answers", format!("{answers}{comment}")));
    }
    facts
}

/// What the task is about, as its type tells it. What an open strip shows itself is not said twice.
fn kind_facts(model: &Model, task: &TaskRow) -> Vec<(String, Span)> {
    let thread = model.inbox.thread.as_ref();
    let Some(thread) = thread.filter(|one| one.row.thread == task.thread) else {
        return vec![fact("payload", "reading")];
    };
    let payload = thread.payload.to_value();
    let brief = Brief {
        task,
        payload: &payload,
        people: &[],
    };
    let is_open = model.strip.is_some();
    let is_shown = |fact: &Fact| !is_open || fact.shown == Shown::Beside;
    let facts = kinds::of(&task.task_type).facts(&brief);
    facts
        .into_iter()
        .filter(|fact| fact.text != task.title && is_shown(fact))
        .map(|one| (one.label, (one.text, one.role)))
        .collect()
}

/// Each outcome with the end that it makes, or the step of the run that it leads to.
fn answers(outcomes: &[String], after: Option<&After>) -> String {
    let parts: Vec<String> = outcomes
        .iter()
        .map(|outcome| {
            let is_no = is_negative(outcome);
            match after.and_then(|after| after.next(is_no)) {
                Some(step) => format!("{outcome} → step {step}"),
                None if is_no => format!("{outcome} → FAILED"),
                None => format!("{outcome} → COMPLETED"),
            }
        })
        .collect();
    parts.join("   ")
}

fn draw_thread(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let inner = canvas.section(area, "Thread", "Enter opens the intent   c replies", None);
    let task = model.inbox.tasks.cursor_row();
    let thread = model.inbox.thread.as_ref();
    let Some(thread) = thread.filter(|one| task.is_some_and(|task| task.thread == one.row.thread))
    else {
        let text = if task.is_some() { "reading" } else { "" };
        return canvas.text(inner, text, Role::Dim);
    };
    let lines = usize::from(inner.height);
    let skip = thread.timeline.len().saturating_sub(lines);
    for (event, y) in thread
        .timeline
        .iter()
        .skip(skip)
        .zip(inner.top()..inner.bottom())
    {
        let line = thread_line(&event.event_type, &event.actor, event.text.as_deref());
        let spans = [
            span(
                format!("{}  ", clock_of(event.at, model.at.wall)),
                Role::Dim,
            ),
            line,
        ];
        canvas.spans(inner.x, y, inner.width, &spans);
    }
}

fn clock_of(at: Timestamp, now: Timestamp) -> String {
    let moment = format::moment(at, now);
    if moment.len() <= 5 && moment.contains(':') {
        format::clock(at)
    } else {
        moment
    }
}

fn thread_line(kind: &str, who: &str, text: Option<&str>) -> Span {
    let who = words::actor(who);
    let word = kind
        .strip_prefix("inbox.")
        .unwrap_or(kind)
        .replace(['_', '.'], " ");
    let word = if kind == "notice" {
        "reminder".to_owned()
    } else {
        word
    };
    match (kind, text) {
        ("inbox.replied", Some(text)) => span(format!("{who}: {text}"), Role::Text),
        (_, Some(text)) => span(format!("{word} by {who}: {text}"), Role::Text),
        (_, None) => span(format!("{word} by {who}"), Role::Text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_reads_like_speech_and_an_event_like_an_event() {
        assert_eq!(
            thread_line("inbox.replied", "agent://l/d/carol", Some("on file")).0,
            "carol: on file"
        );
        assert_eq!(
            thread_line("intent_received", "agent://l/d/payouts", None).0,
            "intent received by payouts"
        );
    }

    #[test]
    fn an_answer_names_the_step_that_it_leads_to() {
        let outcomes = ["approved", "rejected"].map(str::to_owned);
        let after = After {
            success: None,
            failure: Some("explain".to_owned()),
        };
        for (after, said) in [
            (
                Some(&after),
                "approved → COMPLETED   rejected → step explain",
            ),
            (None, "approved → COMPLETED   rejected → FAILED"),
        ] {
            assert_eq!(answers(&outcomes, after), said);
        }
    }
}
