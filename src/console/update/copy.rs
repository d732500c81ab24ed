//! Copying: the original bytes, to the terminal's clipboard.

use serde_json::json;

use crate::console::action::Action;
use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::{Model, Weight};
use crate::console::task::Task;
use crate::console::terminal::COPY_BYTES_MAX;
use crate::desk::rows::{IntentRow, TaskRow};

/// `y i` and its kin.
pub(super) fn copy(model: &mut Model, action: Action, tasks: &mut Vec<Task>) {
    let (what, text) = match action {
        Action::YankId => ("id", id(model)),
        Action::YankPayload => ("payload", payload(model)),
        Action::YankJson => ("row as JSON", row(model)),
        Action::YankError => ("error", error(model)),
        Action::YankTrace => ("trace", trace(model)),
        Action::YankCommand => ("command", command(model)),
        Action::CopyPath => ("path", path(model)),
        _ => (
            "key",
            Err("the idempotency key is known to its sender only".to_owned()),
        ),
    };
    match text {
        Ok(text) if text.len() > COPY_BYTES_MAX => {
            let size = format::bytes(u64::try_from(text.len()).unwrap_or(u64::MAX));
            model.say(
                Weight::Warn,
                format!("{what}: {size} are too much for a terminal's clipboard"),
            );
        }
        Ok(text) => {
            let size = format::bytes(u64::try_from(text.len()).unwrap_or(u64::MAX));
            model.say(
                Weight::Info,
                format!("{what} ({size}) sent to the terminal's clipboard"),
            );
            tasks.push(Task::Copy(text));
        }
        Err(reason) => model.say(Weight::Warn, reason),
    }
}

fn nothing<T>() -> Result<T, String> {
    Err("no row here".to_owned())
}

fn id(model: &Model) -> Result<String, String> {
    let id = match (model.view.intent, model.view.place) {
        (Some(id), _) => Some(id),
        (None, Place::Inbox) => model.inbox.tasks.cursor_row().map(|task| task.intent),
        (None, Place::Intents) => model.intents.rows.cursor_row().map(|row| row.id),
        (None, Place::Attempts) => model.attempts.rows.cursor_row().map(|row| row.intent),
        (None, Place::DeadLetters) if model.pane() == 1 => {
            model.dead.letters.cursor_row().map(|letter| letter.intent)
        }
        (None, Place::DeadLetters) => {
            let group = model
                .dead
                .groups
                .cursor_row()
                .map(|group| group.fingerprint.clone());
            return group.map_or_else(nothing, Ok);
        }
        (None, Place::Agents) => {
            let agent = model
                .agents
                .rows
                .cursor_row()
                .map(|row| row.address.to_string());
            return agent.map_or_else(nothing, Ok);
        }
        (None, Place::Overview) => match model.pane() {
            0 => {
                let agent = model
                    .agents
                    .rows
                    .cursor_row()
                    .map(|row| row.address.to_string());
                return agent.map_or_else(nothing, Ok);
            }
            _ => model
                .tail
                .rows
                .iter()
                .find(|row| Some(row.cursor) == model.front.tail)
                .and_then(|row| row.intent),
        },
        (None, Place::Jobs) => {
            let job = model.jobs.rows.cursor().map(ToString::to_string);
            return job.map_or_else(nothing, Ok);
        }
        (None, Place::Audit) => {
            let entry = model.audit.rows.cursor_row();
            return entry.map_or_else(nothing, |entry| Ok(entry.target.clone()));
        }
    };
    id.map_or_else(nothing, |id| Ok(id.to_string()))
}

fn payload(model: &Model) -> Result<String, String> {
    if model.view.intent.is_some() {
        let intent = model.detail.now()?;
        return Ok(intent.payload.as_str().to_owned());
    }
    match (&model.inbox.thread, model.view.place) {
        (Some(thread), Place::Inbox) => Ok(thread.payload.as_str().to_owned()),
        _ => Err("Enter opens the intent first, then y p copies its payload".to_owned()),
    }
}

fn row(model: &Model) -> Result<String, String> {
    if model.view.intent.is_some() {
        let intent = model.detail.now()?;
        return Ok(intent_json(&intent.row).to_string());
    }
    match model.view.place {
        Place::Inbox => model
            .inbox
            .tasks
            .cursor_row()
            .map_or_else(nothing, |task| Ok(task_json(task).to_string())),
        Place::Intents => model
            .intents
            .rows
            .cursor_row()
            .map_or_else(nothing, |row| Ok(intent_json(row).to_string())),
        Place::Attempts => model
            .attempts
            .rows
            .cursor_row()
            .map_or_else(nothing, |row| {
                Ok(json!({
                    "attempt_id": row.id.to_string(), "intent_id": row.intent.to_string(),
                    "number": row.number, "agent": row.agent.to_string(),
                    "started_at": row.started_at.to_string(), "outcome": row.outcome.name(),
                    "http_status": row.http_status, "error": row.error,
                })
                .to_string())
            }),
        Place::DeadLetters => model
            .dead
            .letters
            .cursor_row()
            .map_or_else(nothing, |letter| {
                Ok(json!({
                    "intent_id": letter.intent.to_string(), "intent_type": letter.intent_type,
                    "to": letter.to.to_string(), "reason": letter.reason.name(),
                    "http_status": letter.http_status, "message": letter.message,
                    "attempts": letter.attempts, "dead_at": letter.dead_at.to_string(),
                    "fingerprint": letter.fingerprint,
                })
                .to_string())
            }),
        _ => Err("no row as JSON here".to_owned()),
    }
}

fn intent_json(row: &IntentRow) -> serde_json::Value {
    json!({
        "intent_id": row.id.to_string(), "intent_type": row.intent_type,
        "from": row.from.to_string(), "to": row.to.to_string(), "status": row.status.name(),
        "state": row.state.name(), "attempts": row.attempts, "max_attempts": row.max_attempts,
        "created_at": row.created_at.to_string(), "updated_at": row.updated_at.to_string(),
        "correlation_id": row.correlation_id, "note": row.note,
    })
}

fn task_json(task: &TaskRow) -> serde_json::Value {
    json!({
        "intent_id": task.intent.to_string(), "thread_id": task.thread.to_string(),
        "task_type": task.task_type, "title": task.title, "from": task.from.to_string(),
        "owner": task.owner.to_string(), "outcomes": task.outcomes, "version": task.version,
        "opened_at": task.opened_at.to_string(),
    })
}

fn error(model: &Model) -> Result<String, String> {
    let none = || "no error here".to_owned();
    if model.view.intent.is_some() {
        let attempt = model
            .detail
            .attempt_row()
            .and_then(|attempt| attempt.error.clone());
        let note = model
            .detail
            .intent
            .as_ref()
            .and_then(|intent| intent.row.note.clone());
        return attempt.or(note).ok_or_else(none);
    }
    match model.view.place {
        Place::Intents => model
            .intents
            .rows
            .cursor_row()
            .and_then(|row| row.note.clone()),
        Place::Attempts => model
            .attempts
            .rows
            .cursor_row()
            .and_then(|row| row.error.clone()),
        Place::DeadLetters if model.pane() == 1 => model
            .dead
            .letters
            .cursor_row()
            .map(|letter| letter.message.clone()),
        Place::DeadLetters => model
            .dead
            .groups
            .cursor_row()
            .map(|group| group.message.clone()),
        _ => None,
    }
    .ok_or_else(none)
}

fn trace(model: &Model) -> Result<String, String> {
    let trace = model
        .detail
        .intent
        .as_ref()
        .filter(|_| model.view.intent.is_some());
    trace
        .and_then(|intent| intent.trace_id.clone())
        .ok_or_else(|| "no trace here; an open intent shows its own".to_owned())
}

/// The command that does what the first key on the hint line does.
fn command(model: &Model) -> Result<String, String> {
    let id = id(model)?;
    let context = model.desk_context();
    let hints = model.keymap.hints(context);
    let spec = hints
        .iter()
        .filter_map(|hint| hint.action)
        .map(Action::spec)
        .find(|spec| !spec.command.is_empty())
        .or_else(|| Some(model.view.place.action().spec()));
    spec.map(|spec| {
        spec.command
            .replace("<id>", &id)
            .replace("<agent>", &id)
            .replace("<job>", &id)
    })
    .filter(|command| !command.is_empty())
    .ok_or_else(|| "no command does this".to_owned())
}

fn path(model: &Model) -> Result<String, String> {
    let tree = model
        .detail
        .tree
        .as_ref()
        .filter(|_| model.view.intent.is_some());
    tree.and_then(|tree| tree.path(model.detail.line))
        .map(|path| {
            if path.is_empty() {
                "/".to_owned()
            } else {
                path.to_owned()
            }
        })
        .ok_or_else(|| "no payload here".to_owned())
}
