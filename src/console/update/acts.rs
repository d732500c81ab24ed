//! Acts on one row: replaying a dead letter, trying again at once, taking something back.

use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::overlay::{EditReplay, Overlay};
use crate::console::model::panel::{Deed, Panel};
use crate::console::model::{Model, Sent, Weight};
use crate::console::sanitise;
use crate::console::task::{Query, Task};
use crate::console::widgets::field::{Field, Lines};
use crate::desk::act::{Act, Recorded};
use crate::desk::rows::IntentView;
use crate::domain::ids::{HoldId, IntentId};
use crate::domain::payload::Payload;
use crate::domain::status::State;
use crate::domain::time::Span;
use crate::store::query::LetterState;

use super::panels::{fact, panel};
use super::{decide, keys};

/// Sends an act as a batch of its own.
pub(super) fn send(
    model: &mut Model,
    intent: Option<IntentId>,
    what: String,
    word: String,
    act: Act,
    tasks: &mut Vec<Task>,
) {
    let batch = model.number();
    send_in(model, batch, intent, what, word, act, tasks);
}

/// Sends an act as part of a batch.
pub(super) fn send_in(
    model: &mut Model,
    batch: u64,
    intent: Option<IntentId>,
    what: String,
    word: String,
    act: Act,
    tasks: &mut Vec<Task>,
) {
    let undoes = match &act {
        Act::Undo { hold } => Some(*hold),
        _ => None,
    };
    let reveals = match &act {
        Act::Record {
            action: Recorded::Reveal,
            target,
            ..
        } => target.parse().ok().map(|id| (id, word.clone())),
        _ => None,
    };
    let sent = Sent {
        intent,
        what,
        word,
        batch,
        moves: model.moves,
        undoes,
        reveals,
    };
    decide::remember(model, sent, act, tasks);
}

/// What `r` would do to the row under the cursor.
pub(super) enum Again {
    /// Replay a dead letter.
    Replay(IntentId),
    /// Make a waiting retry due at once.
    RetryNow(IntentId),
}

/// `r`: replays a dead letter as a new intent, or makes a waiting retry due now.
pub(super) fn replay(model: &mut Model, is_repeat: bool, tasks: &mut Vec<Task>) {
    let checked = model.may_act().and_then(|()| again(model));
    match checked {
        Err(reason) => model.say(Weight::Warn, reason),
        // It cannot be taken back, so a panel asks first; that one only opens.
        Ok(Again::RetryNow(intent)) => match hasten(model, intent) {
            Ok(panel) => model.overlay = Some(Overlay::Panel(panel)),
            Err(reason) => model.say(Weight::Warn, reason),
        },
        Ok(Again::Replay(intent)) => match keys::armed(model, model.entered, is_repeat, "r") {
            Ok(()) => replay_one(model, intent, None, tasks),
            Err(reason) => model.say(Weight::Warn, reason),
        },
    }
}

/// What trying at once would spend, and why it should.
fn hasten(model: &Model, intent: IntentId) -> Result<Panel, String> {
    let row = match &model.detail.intent {
        Some(view) if view.row.id == intent => &view.row,
        _ => model.intents.rows.live_row()?,
    };
    let title = format!("Retry {} now", intent.short());
    let mut panel = panel(model, Deed::RetryNow(intent), title, "Retry now");
    let due = match row.next_at.map(|at| at.since(model.at.wall)) {
        Some(left) if left > Span::ZERO => format!("due by itself in {}", format::age(left)),
        Some(_) | None => "due already; it waits for its agent".to_owned(),
    };
    let next = row.attempts.saturating_add(1);
    panel.facts = vec![
        fact("waits", format!("for {}; {due}", row.to.name())),
        fact(
            "effect",
            format!(
                "attempt {next} of {} starts as soon as {} takes it",
                row.max_attempts,
                row.to.name()
            ),
        ),
        fact(
            "back",
            "an attempt that is made cannot be taken back; if it fails, the retries go on as planned",
        ),
    ];
    if let Some(note) = &row.note {
        panel.facts.insert(1, fact("failed", note.clone()));
    }
    Ok(panel)
}

/// Makes it due.
pub(super) fn retry_now(
    model: &mut Model,
    intent: IntentId,
    reason: String,
    tasks: &mut Vec<Task>,
) {
    let what = format!("retry {} now", intent.short());
    let act = Act::RetryNow { intent, reason };
    send(model, Some(intent), what, "retry".to_owned(), act, tasks);
}

/// Stages the replay of one dead letter.
pub(super) fn replay_one(
    model: &mut Model,
    intent: IntentId,
    payload: Option<Payload>,
    tasks: &mut Vec<Task>,
) {
    let what = match &payload {
        Some(_) => format!("edited replay of {}", intent.short()),
        None => format!("replay {}", intent.short()),
    };
    let act = Act::Replay {
        intent,
        payload,
        to: None,
        is_forced: false,
        reason: None,
        hold: model.hold(),
    };
    send(model, Some(intent), what, "replay".to_owned(), act, tasks);
}

pub(super) fn again(model: &Model) -> Result<Again, String> {
    if model.view.intent.is_some() {
        let view = model.detail.now()?;
        let replayed = view.replayed_as;
        return again_of(
            model,
            view.row.id,
            view.row.state,
            view.row.status.name(),
            replayed,
        );
    }
    match model.view.place {
        Place::DeadLetters if model.pane() == 1 => {
            let letter = model.dead.letters.live_row()?;
            letter_is_open(model, letter.intent, letter.state, letter.replayed_as)?;
            Ok(Again::Replay(letter.intent))
        }
        Place::DeadLetters => {
            Err("r replays one letter: Enter goes into the group, R replays many".to_owned())
        }
        Place::Intents => {
            let row = model.intents.rows.live_row()?;
            again_of(model, row.id, row.state, row.status.name(), None)
        }
        _ => Err("nothing to replay here".to_owned()),
    }
}

fn again_of(
    model: &Model,
    id: IntentId,
    state: State,
    status: &str,
    replayed_as: Option<IntentId>,
) -> Result<Again, String> {
    not_taken(model, id)?;
    match state {
        State::DeadLetter => Ok(Again::Replay(id)),
        State::Retrying => Ok(Again::RetryNow(id)),
        _ => match replayed_as {
            Some(replay) => Err(format!("already replayed as {}", replay.short())),
            None => Err(format!(
                "r replays dead letters and hastens retries; this one is {status}"
            )),
        },
    }
}

fn letter_is_open(
    model: &Model,
    intent: IntentId,
    state: LetterState,
    replayed_as: Option<IntentId>,
) -> Result<(), String> {
    match (state, replayed_as) {
        (_, Some(replay)) => return Err(format!("already replayed as {}", replay.short())),
        (LetterState::Discarded, None) => return Err("it was discarded".to_owned()),
        (LetterState::Open | LetterState::Replayed, None) => {}
    }
    not_taken(model, intent)
}

fn not_taken(model: &Model, intent: IntentId) -> Result<(), String> {
    if model.is_sent(intent) {
        return Err("an act on it is under way".to_owned());
    }
    match model.held_on(intent) {
        Some(held) => {
            let name = held.by.rsplit('/').next().unwrap_or(&held.by);
            Err(format!(
                "{name} holds {} on it; u takes one's own back, U lists all",
                held.act
            ))
        }
        None => Ok(()),
    }
}

/// `e`: edits the payload of a dead letter before its replay.
pub(super) fn edit(model: &mut Model, tasks: &mut Vec<Task>) {
    let checked = model.may_act().and_then(|()| match again(model)? {
        Again::RetryNow(_) => {
            Err("only a dead letter can be edited; this one is still being tried".to_owned())
        }
        Again::Replay(intent) => Ok(intent),
    });
    let intent = match checked {
        Ok(intent) => intent,
        Err(reason) => return model.say(Weight::Warn, reason),
    };
    let known = model
        .detail
        .intent
        .as_ref()
        .filter(|view| view.row.id == intent)
        .map(|view| view.payload.clone());
    if let Some(payload) = known {
        open_editor(model, intent, payload);
    } else {
        model.wants_edit = Some((intent, model.moves));
        tasks.push(Task::Read(Box::new(Query::Source(intent))));
    }
}

/// The payload came. It opens only where the operator still is.
pub(super) fn edit_source(model: &mut Model, id: IntentId, view: &IntentView) {
    let is_wanted = model.wants_edit.take() == Some((id, model.moves));
    if is_wanted && model.overlay.is_none() && model.strip.is_none() {
        open_editor(model, id, view.payload.clone());
    }
}

fn open_editor(model: &mut Model, intent: IntentId, payload: Payload) {
    let pretty = serde_json::to_string_pretty(&payload.to_value()).unwrap_or_default();
    let pretty = sanitise::escape_json(&pretty);
    let editor = Field::with_text(Lines::Many, &pretty);
    model.overlay = Some(Overlay::Edit(Box::new(EditReplay {
        intent,
        before: payload,
        editor,
        problem: None,
        opened: model.at.mono,
    })));
}

/// Ctrl-S in the editor: checks the JSON and stages the replay.
pub(super) fn stage_edit(model: &mut Model, is_repeat: bool, tasks: &mut Vec<Task>) {
    let Some(Overlay::Edit(edit)) = &model.overlay else {
        return;
    };
    let intent = edit.intent;
    let text = edit.editor.text();
    let checked = keys::armed(model, edit.opened, is_repeat, "Ctrl-S").and_then(|()| {
        let payload = Payload::typed(&text).map_err(|bad| bad.to_string())?;
        // By value: the editor shows the payload with its lines broken.
        if payload.to_value() == edit.before.to_value() {
            return Err("nothing was changed; Esc leaves, r replays it as it is".to_owned());
        }
        Ok(payload)
    });
    match checked {
        Ok(payload) => {
            model.overlay = None;
            replay_one(model, intent, Some(payload), tasks);
        }
        Err(problem) => {
            if let Some(Overlay::Edit(edit)) = &mut model.overlay {
                edit.problem = Some(problem);
            }
        }
    }
}

/// `u`: takes back the last thing that was staged here.
pub(super) fn undo(model: &mut Model, tasks: &mut Vec<Task>) {
    if let Some(Overlay::Held(cursor)) = model.overlay {
        let held = model
            .held_now()
            .get(cursor)
            .map(|held| (held.hold, held.intent, held.act.clone()));
        if let Some((hold, intent, act)) = held {
            take_back(model, hold, Some(intent), &act, tasks);
        }
        return;
    }
    let Some(last) = model.staged.last().cloned() else {
        let others = model.held_now().len();
        let text = match others {
            0 => {
                "nothing is held: what was final stays. A finished intent never changes".to_owned()
            }
            count => format!("nothing of yours is held; U lists {count} held by others"),
        };
        return model.say(Weight::Info, text);
    };
    let batch: Vec<_> = model
        .staged
        .iter()
        .filter(|staged| staged.batch == last.batch)
        .cloned()
        .collect();
    for staged in batch {
        take_back(model, staged.hold, staged.intent, &staged.word, tasks);
    }
}

fn take_back(
    model: &mut Model,
    hold: HoldId,
    intent: Option<IntentId>,
    word: &str,
    tasks: &mut Vec<Task>,
) {
    if let Err(reason) = model.may_act() {
        return model.say(Weight::Warn, reason);
    }
    if model.sent.values().any(|sent| sent.undoes == Some(hold)) {
        return;
    }
    let name = intent.map(IntentId::short).unwrap_or_default();
    let what = format!("{word} {name}");
    send(
        model,
        intent,
        what.trim().to_owned(),
        "undo".to_owned(),
        Act::Undo { hold },
        tasks,
    );
}

/// The countdown of a hold: whole seconds left, rounded up.
pub(crate) fn seconds_left(
    until: crate::domain::time::Timestamp,
    now: crate::domain::time::Timestamp,
) -> String {
    let millis = until.since(now).as_millis();
    format!("{}s", (millis + 999) / 1_000)
}
