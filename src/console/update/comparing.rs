//! `d`: an intent beside another one, or an attempt beside the one before.

use serde_json::{Value, json};

use crate::console::action::place::Place;
use crate::console::compare::{Difference, compare};
use crate::console::model::comparing::{Comparing, With};
use crate::console::model::detail::Sheet;
use crate::console::model::overlay::Overlay;
use crate::console::model::{Model, Weight};
use crate::console::task::{Pair, Query, Task};
use crate::desk::rows::{AttemptRow, IntentView};
use crate::domain::failure::ErrorClass;
use crate::domain::ids::IntentId;

/// Opens the comparison; inside it, goes on to the next thing to compare with.
pub(super) fn open(model: &mut Model, tasks: &mut Vec<Task>) {
    if matches!(model.overlay, Some(Overlay::Compare(_))) {
        return turn(model, true, tasks);
    }
    match subject(model) {
        Ok((intent, choices)) => {
            model.overlay = Some(Overlay::Compare(Box::new(Comparing::new(intent, choices))));
            ask(model, tasks);
        }
        Err(reason) => model.say(Weight::Info, reason),
    }
}

/// Whether there is something to compare here.
pub(super) fn is_possible(model: &Model) -> bool {
    subject(model).is_ok()
}

/// What would be compared, and with what, the most telling first.
fn subject(model: &Model) -> Result<(IntentId, Vec<With>), String> {
    if let Some(id) = model.view.intent {
        return Ok((id, of_open(model, model.detail.now()?)));
    }
    match model.view.place {
        Place::DeadLetters if model.pane() == 1 => {
            let letter = model.dead.letters.live_row()?;
            let marked: Vec<IntentId> = model
                .dead
                .letters
                .marked_rows()
                .map(|row| row.intent)
                .collect();
            let mut choices = of_marked(&marked, letter.intent);
            choices.extend(letter.replayed_as.map(|id| With::Intent(id, "its replay")));
            choices.extend(
                letter
                    .replay_of
                    .map(|id| With::Intent(id, "what it replays")),
            );
            choices.push(With::LastSuccess);
            let group = model.dead.groups.cursor_row();
            let sample = group.and_then(|group| group.newest.first().copied());
            choices.extend(
                sample
                    .filter(|id| *id != letter.intent)
                    .map(|id| With::Intent(id, "the group's newest")),
            );
            Ok((letter.intent, choices))
        }
        Place::DeadLetters => {
            let group = model.dead.groups.live_row()?;
            let newest = group.newest.first().copied();
            let newest = newest.ok_or("this group names no letter to compare")?;
            Ok((newest, vec![With::LastSuccess]))
        }
        Place::Intents => {
            let row = model.intents.rows.live_row()?;
            let marked: Vec<IntentId> =
                model.intents.rows.marked_rows().map(|row| row.id).collect();
            let mut choices = of_marked(&marked, row.id);
            choices.extend(row.replay_of.map(|id| With::Intent(id, "what it replays")));
            choices.push(With::LastSuccess);
            Ok((row.id, choices))
        }
        _ => Err("nothing to compare here".to_owned()),
    }
}

/// One other marked row is what is meant.
fn of_marked(marked: &[IntentId], here: IntentId) -> Vec<With> {
    let others: Vec<IntentId> = marked.iter().copied().filter(|id| *id != here).collect();
    match others.as_slice() {
        [one] => vec![With::Intent(*one, "the marked")],
        _ => Vec::new(),
    }
}

fn of_open(model: &Model, intent: &IntentView) -> Vec<With> {
    let mut choices = Vec::new();
    let number = model
        .detail
        .attempt_row()
        .map_or(0, |attempt| attempt.number);
    let is_on_tries = matches!(model.detail.sheet, Sheet::Attempts | Sheet::Headers);
    if is_on_tries && number > 1 {
        choices.push(With::Attempt(number));
    }
    choices.extend(
        intent
            .row
            .replay_of
            .map(|id| With::Intent(id, "what it replays")),
    );
    choices.extend(intent.replayed_as.map(|id| With::Intent(id, "its replay")));
    choices.push(With::LastSuccess);
    if !is_on_tries && number > 1 {
        choices.push(With::Attempt(number));
    }
    choices
}

/// Tab: the next thing to compare with, or the one before.
pub(super) fn turn(model: &mut Model, is_forward: bool, tasks: &mut Vec<Task>) {
    if let Some(Overlay::Compare(comparing)) = &mut model.overlay {
        let count = comparing.choices.len();
        if count < 2 {
            return model.say(Weight::Info, "nothing else to compare with");
        }
        let chosen = (comparing.chosen + if is_forward { 1 } else { count - 1 }) % count;
        let choices = std::mem::take(&mut comparing.choices);
        **comparing = Comparing {
            chosen,
            left: choices
                .get(chosen)
                .map_or_else(String::new, |with| with.words()),
            ..Comparing::new(comparing.intent, choices)
        };
        ask(model, tasks);
    }
}

/// Asks for what is not here yet.
fn ask(model: &mut Model, tasks: &mut Vec<Task>) {
    let Some(Overlay::Compare(comparing)) = &model.overlay else {
        return;
    };
    let (intent, with) = (comparing.intent, comparing.with());
    match with {
        Some(With::Attempt(number)) => compare_attempts(model, number),
        Some(with) => tasks.push(Task::Read(Box::new(Query::Pair(intent, with)))),
        None => {}
    }
}

/// Both were read.
pub(super) fn take(model: &mut Model, intent: IntentId, with: With, pair: Pair) {
    let Some(Overlay::Compare(comparing)) = &mut model.overlay else {
        return;
    };
    if comparing.intent != intent || comparing.with() != Some(with) {
        return;
    }
    let Some(other) = pair.other else {
        comparing.problem = Some(format!(
            "no intent of type {} to {} has completed yet; Tab compares with something else",
            pair.this.row.intent_type,
            pair.this.row.to.name()
        ));
        return;
    };
    if with == With::LastSuccess {
        comparing.left = format!("the last success {}", other.row.id.short());
    }
    comparing.about = compare(&about(&other), &about(&pair.this)).differences;
    comparing.payload = Some(compare(
        &other.payload.to_value(),
        &pair.this.payload.to_value(),
    ));
}

/// They could not be read.
pub(super) fn failed(model: &mut Model, intent: IntentId, text: String) {
    if let Some(Overlay::Compare(comparing)) = &mut model.overlay
        && comparing.intent == intent
    {
        comparing.problem = Some(text);
    }
}

/// What is compared beside the payload.
fn about(intent: &IntentView) -> Value {
    let row = &intent.row;
    json!({
        "(type)": row.intent_type,
        "(from)": row.from.to_string(),
        "(to)": row.to.to_string(),
        "(binding)": row.binding.name(),
        "(status)": row.status.name(),
        "(attempts)": row.attempts,
    })
}

fn compare_attempts(model: &mut Model, number: u32) {
    let all = model.detail.intent.as_ref().map(|intent| &intent.attempts);
    let of = |wanted: u32| {
        let attempts = all?;
        let row = attempts.iter().find(|attempt| attempt.number == wanted)?;
        Some(exchange(row))
    };
    let sides = (of(number.saturating_sub(1)), of(number));
    if let Some(Overlay::Compare(comparing)) = &mut model.overlay {
        match sides {
            (Some(before), Some(after)) => comparing.payload = Some(compare(&before, &after)),
            _ => comparing.problem = Some("that attempt is not known any more".to_owned()),
        }
    }
}

/// What was sent and what came back, as far as it was kept.
fn exchange(attempt: &AttemptRow) -> Value {
    let report = attempt.report.as_deref();
    let side = |excerpt: Option<&crate::domain::attempt::Excerpt>| {
        excerpt.map(|excerpt| {
            let headers: serde_json::Map<String, Value> = excerpt
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect();
            let body = serde_json::from_str::<Value>(&excerpt.body)
                .unwrap_or_else(|_| json!(excerpt.body));
            json!({ "line": excerpt.line, "headers": headers, "body": body })
        })
    };
    json!({
        "outcome": attempt.outcome.name(),
        "http_status": attempt.http_status,
        "error_class": attempt.error_class.map(ErrorClass::name),
        "error": attempt.error,
        "remote": report.and_then(|report| report.remote_addr.clone()),
        "sent": side(report.and_then(|report| report.request.as_ref())),
        "got": side(report.and_then(|report| report.response.as_ref())),
    })
}

/// `}` and `{`: the next line that differs, or the one before.
pub(super) fn step(model: &mut Model, is_forward: bool) {
    let Some(Overlay::Compare(comparing)) = &mut model.overlay else {
        return model.say(Weight::Info, "d compares first");
    };
    let last = comparing.count().saturating_sub(1);
    comparing.line = if is_forward {
        (comparing.line + 1).min(last)
    } else {
        comparing.line.saturating_sub(1)
    };
}

/// The difference under the cursor, for whoever shows it whole.
pub(crate) fn under_cursor(comparing: &Comparing) -> Option<&Difference> {
    comparing.lines().nth(comparing.line)
}
