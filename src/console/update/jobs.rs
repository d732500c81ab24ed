//! Jobs: ordered from a panel with its dry run, watched and steered on their own desk.

use crate::console::action::Action;
use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::overlay::Overlay;
use crate::console::model::panel::{Ask, Deed, Panel};
use crate::console::model::reads::Slot;
use crate::console::model::{Model, Sent, Weight};
use crate::console::panes::words;
use crate::console::task::{Order, Query, Reply, Task, Ticket};
use crate::desk::DeskError;
use crate::desk::rows::jobs::{JobPlan, JobRow};
use crate::domain::job::{JobControl, JobKind, JobState, NewJob, Pace, Selection};

use super::panels::{ask_count, fact, panel};

/// The panel that orders a job. The dry run is asked for as it opens.
pub(super) fn order(kind: JobKind, selection: Selection, scope: String, model: &Model) -> Panel {
    let (title, button, effect) = match kind {
        JobKind::Replay => (
            "Replay as a job",
            "Start replay",
            "each becomes a new intent with a fresh budget, to its original agent",
        ),
        JobKind::Discard => (
            "Discard as a job",
            "Start discard",
            "put aside for good; the records stay readable, later failures are not touched",
        ),
        JobKind::Cancel => (
            "Cancel as a job",
            "Start cancel",
            "CANCELED; cannot be taken back; the senders are told",
        ),
    };
    let job = Box::new(NewJob::new(kind, selection));
    let mut panel = panel(model, Deed::Order(job, None), title.to_owned(), button);
    panel.facts = vec![
        fact("scope", scope),
        fact("dry run", "being counted"),
        fact("effect", effect),
        fact(
            "runs",
            "in the broker, not here; 7 watches, pauses and cancels it",
        ),
    ];
    panel.asks.push(Ask::number("rate /s", "10", 0.1, 1_000.0));
    if kind == JobKind::Replay {
        let usual = Pace::default();
        panel.asks.extend([
            Ask::number("at once", &usual.in_flight_max.to_string(), 1.0, 10_000.0),
            Ask::number("canary", "5", 0.0, 1_000.0),
            Ask::number(
                "stop at",
                &usual.stop_after_failures.to_string(),
                0.0,
                100_000.0,
            ),
        ]);
        panel.facts.push(fact(
            "rules",
            "canary: so many first, the rest when they did well; stop at: pauses when so many died again; 0 is off",
        ));
    }
    panel
}

/// The order whose dry run is not known yet.
pub(super) fn awaited(model: &Model) -> Option<&NewJob> {
    match &model.overlay {
        Some(Overlay::Panel(Panel {
            deed: Deed::Order(job, None),
            ..
        })) => Some(job),
        _ => None,
    }
}

fn take_plan(model: &mut Model, asked: &NewJob, plan: &JobPlan) {
    let is_protected = model.is_protected();
    let Some(Overlay::Panel(panel)) = &mut model.overlay else {
        return;
    };
    let Deed::Order(job, planned) = &mut panel.deed else {
        return;
    };
    if **job != *asked {
        return;
    }
    *planned = Some(plan.selected);
    job.limit = u32::try_from(plan.selected).unwrap_or(u32::MAX).max(1);
    let skipped: Vec<String> = plan
        .skipped
        .iter()
        .map(|(reason, count)| format!("{} {}", format::count(*count), reason.replace('_', " ")))
        .collect();
    let skipped = if skipped.is_empty() {
        "none skipped".to_owned()
    } else {
        format!("skipped: {}", skipped.join(", "))
    };
    set_dry_run(
        panel,
        format!(
            "{} of {} eligible, {skipped}; checked again as each has its turn",
            format::count(plan.selected),
            format::count(plan.matched)
        ),
    );
    let count = usize::try_from(plan.selected).unwrap_or(usize::MAX);
    ask_count(panel, count, is_protected);
}

/// Why there is no dry run.
pub(super) fn plan_failed(model: &mut Model, asked: &NewJob, error: &str) {
    if let Some(Overlay::Panel(panel)) = &mut model.overlay
        && matches!(&panel.deed, Deed::Order(job, _) if **job == *asked)
    {
        set_dry_run(panel, error.to_owned());
        panel.problem = Some(error.to_owned());
    }
}

fn set_dry_run(panel: &mut Panel, text: String) {
    if let Some((_, value)) = panel.facts.iter_mut().find(|(name, _)| name == "dry run") {
        *value = text;
    }
}

/// Whether an order may be given.
///
/// # Errors
/// What it waits for, or why it would be in vain.
pub(super) fn check(panel: &Panel) -> Result<(), String> {
    match &panel.deed {
        Deed::Order(_, None) => Err("the dry run has not answered yet".to_owned()),
        Deed::Order(_, Some(0)) => Err("nothing is eligible; Esc leaves".to_owned()),
        _ => Ok(()),
    }
}

/// The deed with what was typed into the panel's fields.
pub(super) fn with_options(panel: &Panel) -> Deed {
    let Deed::Order(job, planned) = &panel.deed else {
        return panel.deed.clone();
    };
    let mut job = job.clone();
    job.reason = Some(panel.reason_text());
    let whole = |name: &str, otherwise: u32| panel.text(name).parse().unwrap_or(otherwise);
    let usual = Pace::default();
    job.pace = Pace {
        per_1000_seconds: per_1000_seconds(&panel.text("rate /s"))
            .unwrap_or(usual.per_1000_seconds),
        in_flight_max: whole("at once", usual.in_flight_max),
        canary: whole("canary", usual.canary),
        stop_after_failures: whole("stop at", usual.stop_after_failures),
    };
    Deed::Order(job, *planned)
}

/// `0.5` a second is 500 in a thousand seconds, read digit by digit.
pub(super) fn per_1000_seconds(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u32 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    whole.checked_mul(1_000)?.checked_add(part.parse().ok()?)
}

/// Sends an order.
pub(super) fn send(model: &mut Model, order: Order, what: String, tasks: &mut Vec<Task>) {
    let ticket = Ticket(model.number());
    let batch = model.number();
    let sent = Sent {
        intent: None,
        what,
        word: "job".to_owned(),
        batch,
        moves: model.moves,
        undoes: None,
        reveals: None,
    };
    model.sent.insert(ticket, sent);
    tasks.push(Task::Order(ticket, order));
}

/// What became of an order.
pub(super) fn ordered(
    model: &mut Model,
    ticket: Ticket,
    result: Result<JobRow, DeskError>,
    tasks: &mut Vec<Task>,
) {
    let Some(sent) = model.sent.remove(&ticket) else {
        return;
    };
    model.reads.touch_all();
    for slot in [Slot::Jobs, Slot::Job] {
        model.reads.hurry(slot);
    }
    match result {
        Ok(job) => {
            let state = job.state.name();
            let text = format!("{}: {} is {state}; 7 shows it", sent.what, job.id);
            model.say(Weight::Info, text);
            // A cursor that somebody looks at moves by their key alone.
            if model.view.place != Place::Jobs {
                model.jobs.rows.await_key(job.id);
            }
        }
        Err(error) => {
            model.say(Weight::Error, format!("{}: {error}", sent.what));
            tasks.push(Task::Bell);
        }
    }
}

/// Answers about jobs.
pub(super) fn answer(model: &mut Model, query: &Query, reply: Reply) {
    match (query, reply) {
        (Query::Jobs(page), Reply::Jobs(answer)) => {
            if page.cursor.is_some() {
                model.jobs.rows.append(answer.items, answer.next);
            } else {
                let reason = |_: &_| "gone".to_owned();
                let is_following = model.is_following && model.paused.is_none();
                let rows = &mut model.jobs.rows;
                rows.absorb(answer.items, answer.next, is_following, reason);
            }
        }
        (Query::Job(id), Reply::Job(job)) if model.jobs.job_of == Some(*id) => {
            model.jobs.job = Some(*job);
        }
        (Query::Plan(asked), Reply::Plan(plan)) => take_plan(model, asked, &plan),
        _ => {}
    }
}

/// The panels of `P` and `C` on the desk of jobs.
pub(super) fn control(model: &Model, action: Action) -> Result<Panel, String> {
    let job = model.jobs.rows.live_row()?;
    if job.state.is_finished() {
        let state = job.state.name();
        return Err(format!("{} is {state}; nothing can change it", job.id));
    }
    let left = job.selected.saturating_sub(job.done + job.in_flight);
    let left = format::count(u64::from(left));
    let under_way = words::counted(u64::from(job.in_flight), "replay");
    let (control, verb, button, effect) = match (action, job.state) {
        (Action::JobCancel, _) => (
            JobControl::Cancel,
            "Cancel",
            "Cancel job",
            format!("{left} have no turn any more; what it has done stays done"),
        ),
        (_, JobState::Paused) => (
            JobControl::Resume,
            "Resume",
            "Resume",
            format!("{left} go on at its pace"),
        ),
        _ => (
            JobControl::Pause,
            "Pause",
            "Pause",
            format!("{left} wait; {under_way} under way go on"),
        ),
    };
    let title = format!("{verb} {}", job.id);
    let mut panel = panel(model, Deed::Control(job.id, control), title, button);
    panel.ask_nothing();
    panel.facts = vec![fact("job", words::job_text(job)), fact("effect", effect)];
    if let Some(because) = &job.stopped_because {
        panel.facts.push(fact("stopped", because.clone()));
    }
    Ok(panel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_to_the_thousandth() {
        assert_eq!(per_1000_seconds("10"), Some(10_000));
        assert_eq!(per_1000_seconds("0.5"), Some(500));
        assert_eq!(per_1000_seconds(".1"), Some(100));
        assert_eq!(per_1000_seconds("2.2504"), Some(2_250));
        assert_eq!(per_1000_seconds("x"), None);
    }
}
