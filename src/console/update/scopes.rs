//! What an act on dead letters may be about here: marked ones, the one under the cursor, a group, a filter.

use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::Model;
use crate::domain::ids::IntentId;
use crate::domain::job::Selection;
use crate::domain::status::State;

use super::order::Scope;

/// The dead letters that a panel acts on, and a word for where they come from.
pub(super) fn letters(model: &Model) -> Result<(Vec<IntentId>, &'static str), String> {
    if model.view.intent.is_some() {
        let view = model.detail.now()?;
        if view.row.state != State::DeadLetter {
            return Err(format!(
                "only open dead letters; this one is {}",
                view.row.status
            ));
        }
        return Ok((vec![view.row.id], "this one"));
    }
    let (ids, word): (Vec<IntentId>, _) = match model.view.place {
        Place::DeadLetters if model.dead.letters.marked() > 0 => (
            model
                .dead
                .letters
                .marked_rows()
                .map(|letter| letter.intent)
                .collect(),
            "marked",
        ),
        Place::DeadLetters => (
            vec![model.dead.letters.live_row()?.intent],
            "the row under the cursor",
        ),
        Place::Intents => {
            let rows: Vec<_> = if model.intents.rows.marked() > 0 {
                model.intents.rows.marked_rows().cloned().collect()
            } else {
                vec![model.intents.rows.live_row()?.clone()]
            };
            let dead = rows.iter().filter(|row| row.state == State::DeadLetter);
            (
                dead.map(|row| row.id).collect(),
                "dead letters among the marked",
            )
        }
        _ => return Err("no dead letters here".to_owned()),
    };
    let open: Vec<IntentId> = ids
        .into_iter()
        .filter(|id| model.held_on(*id).is_none())
        .collect();
    if open.is_empty() {
        return Err("no open dead letter here that nothing is held on".to_owned());
    }
    Ok((open, word))
}

/// A group of which the filter shows only some letters is not acted on as a whole: the number in its row is
/// not the number of what is shown.
pub(super) fn must_be_whole(model: &Model) -> Result<(), String> {
    let is_group = model.view.intent.is_none()
        && model.view.place == Place::DeadLetters
        && model.pane() == 0
        && model.dead.letters.marked() == 0;
    match model.dead.filter.rest.first().filter(|_| is_group) {
        None => Ok(()),
        Some(term) => Err(format!(
            "{} is held against each letter, so not all of the group is meant: mark the letters",
            term.text
        )),
    }
}

/// What a job over dead letters may be about here, the likeliest first.
pub(super) fn scopes(model: &Model) -> Result<Vec<Scope>, String> {
    let of_ids = |words: String, intents: Vec<IntentId>| Scope {
        words,
        selection: Selection {
            intents,
            ..Selection::default()
        },
    };
    if model.view.intent.is_some() {
        let (ids, word) = letters(model)?;
        return Ok(vec![of_ids(word.to_owned(), ids)]);
    }
    if model.view.place != Place::DeadLetters {
        let (ids, word) = letters(model)?;
        let words = match ids.as_slice() {
            [id] => format!("{} under the cursor", id.short()),
            ids => format!("{} {word}", ids.len()),
        };
        return Ok(vec![of_ids(words, ids)]);
    }
    let mut scopes = chosen(model);
    // A job takes no terms that only the console understands.
    if !scopes.is_empty() && !model.dead.filter.rest.is_empty() {
        return Ok(scopes);
    }
    let of_filter = of_filter(model);
    if let Ok(group) = model.dead.groups.live_row() {
        let label = model.dead.label(&group.fingerprint);
        let selection = match model.dead.bundles.get(&group.fingerprint) {
            Some(bundle) => bundle.selection(&model.dead.wanted),
            None => Ok(Selection {
                fingerprint: Some(group.fingerprint.clone()),
                ..of_filter.clone()
            }),
        };
        match selection {
            Ok(selection) => scopes.push(Scope {
                words: format!("all {} of {label}", format::count(group.count)),
                selection,
            }),
            // Something else may be meant; where nothing is, this says why.
            Err(reason) if scopes.is_empty() => return Err(reason),
            Err(_) => {}
        }
    }
    if scopes.is_empty() {
        return Err("no dead letter here".to_owned());
    }
    let words = if model.dead.filter.is_empty() {
        "every dead letter".to_owned()
    } else {
        format!("filter {}", model.dead.filter.text)
    };
    scopes.push(Scope {
        words,
        selection: of_filter,
    });
    Ok(scopes)
}

/// The marked letters, and the one under the cursor.
fn chosen(model: &Model) -> Vec<Scope> {
    let of_ids = |words: String, intents: Vec<IntentId>| Scope {
        words,
        selection: Selection {
            intents,
            ..Selection::default()
        },
    };
    let mut scopes = Vec::new();
    let rows = model.dead.letters.marked_rows();
    let marks: Vec<IntentId> = rows.map(|row| row.intent).collect();
    if !marks.is_empty() {
        let words = format!("{} marked", format::count(count_of(marks.len())));
        scopes.push(of_ids(words, marks));
    }
    if model.pane() == 1
        && let Ok(letter) = model.dead.letters.live_row()
    {
        let words = format!("{} under the cursor", letter.intent.short());
        scopes.push(of_ids(words, vec![letter.intent]));
    }
    scopes
}

/// Every letter that the desk's filter lets through.
fn of_filter(model: &Model) -> Selection {
    Selection {
        agent: model.dead.wanted.agent.clone(),
        intent_type: model.dead.wanted.intent_type.clone(),
        reason: model.dead.wanted.reason,
        error_class: model.dead.wanted.error_class,
        since: model.dead.wanted.since,
        until: model.dead.wanted.until,
        ..Selection::default()
    }
}

fn count_of(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
