//! `i`: why something is as it is, in sentences, from what is on the screen.

use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::overlay::Overlay;
use crate::console::model::{Model, Weight};
use crate::console::panes::words;
use crate::desk::rows::{AgentRow, AgentState, IntentRow, LetterGroupRow, TaskRow};
use crate::domain::status::State;

/// Opens the explanation of what is under the cursor.
pub(super) fn open(model: &mut Model) {
    let found = if model.view.intent.is_some() {
        model
            .detail
            .intent
            .as_ref()
            .map(|intent| intent_text(model, &intent.row))
    } else {
        match (model.view.place, model.pane()) {
            (Place::Overview | Place::Agents, _) => model
                .agents
                .rows
                .cursor_row()
                .map(|agent| agent_text(model, agent)),
            (Place::Inbox, _) => model
                .inbox
                .tasks
                .cursor_row()
                .map(|task| task_text(model, task)),
            (Place::Intents, _) => model
                .intents
                .rows
                .cursor_row()
                .map(|row| intent_text(model, row)),
            (Place::DeadLetters, _) => model
                .dead
                .groups
                .cursor_row()
                .map(|group| group_text(model, group)),
            (Place::Attempts | Place::Jobs | Place::Audit, _) => None,
        }
    };
    match found {
        Some((title, lines)) => model.overlay = Some(Overlay::Explain { title, lines }),
        None => model.say(Weight::Info, "nothing to explain here"),
    }
}

fn intent_text(model: &Model, row: &IntentRow) -> (String, Vec<String>) {
    let now = model.at.wall;
    let mut lines = vec![format!(
        "{} is {}: {}.",
        row.id.short(),
        row.status,
        match row.state {
            State::Queued => "it waits to be handed over, and no try has failed",
            State::InFlight => "its receiver has it, or is being handed it now",
            State::Retrying => "a try failed and the next one is waited for",
            State::WaitingHuman => "a person is asked",
            State::WaitingOther => "it waits for an agent, a tool or an instant",
            State::Completed => "it has ended with a result",
            State::Failed => "it has ended without one",
            State::DeadLetter => "delivery was given up; it is kept with reason and history",
        }
    )];
    lines.push(format!(
        "Binding {}, {} of at most {} attempts started; the delivery is {}.",
        row.binding,
        row.attempts,
        row.max_attempts,
        row.delivery.replace('_', " ")
    ));
    if let Some(next) = row.next_at {
        let left = format::left(next, now);
        lines.push(format!("Next: {} ({left}).", format::clock(next)));
    }
    if let Some(deadline) = row.deadline {
        let at = format::moment(deadline, now);
        lines.push(format!("At its deadline {at} it becomes TIMED_OUT."));
    }
    if let Some(note) = &row.note {
        lines.push(format!("Last word: {note}"));
    }
    match row.state {
        State::DeadLetter => {
            lines.push("r replays it as a new intent; D puts it aside.".to_owned());
        }
        State::Retrying => lines.push("r makes the next try due now; C cancels it.".to_owned()),
        State::Completed | State::Failed => {
            lines.push("A finished intent never changes.".to_owned());
        }
        _ => lines.push("C cancels it.".to_owned()),
    }
    (
        format!("Why {} is {}", row.id.short(), row.state.name()),
        lines,
    )
}

fn agent_text(model: &Model, agent: &AgentRow) -> (String, Vec<String>) {
    let mut lines = vec![match agent.state {
        AgentState::Ok => "Nothing is wrong: it takes what comes.".to_owned(),
        AgentState::Offline => {
            "Nobody listens and intents wait. They are kept until somebody does.".to_owned()
        }
        AgentState::Degraded => format!(
            "Too many attempts fail: {:.1}% of those that ended in the last five minutes.",
            agent.error_percent.unwrap_or(0.0)
        ),
        AgentState::Killed => {
            "An operator killed it: nothing goes to it or comes from it, and what is open waits."
                .to_owned()
        }
        AgentState::Throttled => "It is well, and intents wait only because of a rate: L shows and changes it; one it asked for ends by itself.".to_owned(),
        AgentState::Paused => "An operator paused it: intents are accepted and wait.".to_owned(),
    }];
    if let Some(pause) = &agent.pause {
        let since = format::moment(pause.at, model.at.wall);
        let name = pause.by.rsplit('/').next().unwrap_or(&pause.by);
        lines.push(format!(
            "{name} at {since}: \"{}\". P resumes it.",
            pause.reason
        ));
    }
    lines.push(format!(
        "{} ready, {} with it, {} between tries, {} waiting for a person or a moment, {} dead.",
        format::count(agent.queued),
        format::count(agent.leased),
        format::count(agent.retrying),
        format::count(agent.held),
        format::count(agent.dead)
    ));
    lines.push("Lag is the age of its oldest intent that is ready and not handed over.".to_owned());
    (
        format!("Why {} is {}", agent.address.name(), agent.state.name()),
        lines,
    )
}

fn task_text(model: &Model, task: &TaskRow) -> (String, Vec<String>) {
    let now = model.at.wall;
    let mut lines = vec![format!(
        "{} asks {} a question of type {}.",
        task.from.name(),
        task.owner.name(),
        task.task_type
    )];
    if let Some(due) = task.due_at {
        let word = if task.is_overdue { "was due" } else { "is due" };
        lines.push(format!(
            "It {word} at {} ({}); {} reminders were sent.",
            format::moment(due, now),
            format::left(due, now),
            task.reminded
        ));
    }
    match task.deadline {
        Some(deadline) => lines.push(format!(
            "At {} the intent becomes TIMED_OUT and the task leaves the inbox.",
            format::moment(deadline, now)
        )),
        None => lines.push("It has no deadline: it waits as long as it takes.".to_owned()),
    }
    let outcomes = crate::console::model::strip::outcomes_of(task).join(", ");
    lines.push(format!("It can be answered with: {outcomes}."));
    if crate::console::model::strip::needs_comment(task) {
        lines.push("A comment is required.".to_owned());
    }
    (format!("About task {}", task.intent.short()), lines)
}

fn group_text(model: &Model, group: &LetterGroupRow) -> (String, Vec<String>) {
    let now = model.at.wall;
    if let Some(bundle) = model.dead.bundles.get(&group.fingerprint) {
        let lines = vec![
            format!("It holds {}.", bundle.about(now)),
            format!(
                "{} open, with {} to {}.",
                format::count(group.count),
                words::counted(u64::try_from(bundle.errors).unwrap_or(0), "error"),
                words::counted(u64::try_from(bundle.agents).unwrap_or(0), "agent"),
            ),
            "Owner, note and mute are said of letters with one error: :group error".to_owned(),
        ];
        return ("Why these are one group".to_owned(), lines);
    }
    let class = group
        .error_class
        .map_or("none", crate::domain::failure::ErrorClass::name);
    let lines = vec![
        "Alike are letters with the same agent, type, error class and message, digits and ids masked."
            .to_owned(),
        format!("Fingerprint {}, reason {}, class {class}.", group.fingerprint, group.reason.name()),
        format!(
            "{} open; the first at {}, the last {} ago.",
            format::count(group.count),
            format::moment(group.first_at, now),
            format::age(now.since(group.last_at))
        ),
    ];
    ("Why these are one group".to_owned(), lines)
}
