//! Jobs: ordered from a panel with its dry run, watched and steered on their own desk.

use crate::console::action::Action;
use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::panel::{Deed, Panel};
use crate::console::model::reads::Slot;
use crate::console::model::{Model, Sent, Weight};
use crate::console::panes::words;
use crate::console::task::{Order, Query, Reply, Task, Ticket};
use crate::desk::DeskError;
use crate::desk::rows::jobs::JobRow;
use crate::domain::job::{JobControl, JobKind, JobState, Selection};

use super::order::{self, Scope};
use super::panels::{fact, panel};

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
        (Query::Plan(asked), Reply::Plan(plan)) => order::take_plan(model, asked, &plan),
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

/// The panel of `R` on the desk of jobs: what died again, once more.
pub(super) fn replay_failed(model: &Model) -> Result<Panel, String> {
    let job = model.jobs.rows.live_row()?;
    if job.kind != JobKind::Replay {
        return Err(format!("{} is no replay", job.id));
    }
    if job.failed == 0 {
        return Err(format!("nothing of {} has died again", job.id));
    }
    let failed = format::count(u64::from(job.failed));
    let scope = Scope {
        words: format!("{failed} that died again in {}", job.id),
        selection: Selection {
            failed_of: Some(job.id),
            ..Selection::default()
        },
    };
    Ok(order::open(JobKind::Replay, vec![scope], model))
}
