//! Deciding many tasks at once: of one type, with one outcome, each at the version that was seen.

use std::collections::BTreeMap;

use crate::console::kinds::{self, Brief};
use crate::console::model::Model;
use crate::console::model::panel::{Ask, Deed, Panel, Rule};
use crate::console::model::strip::{first_outcome, outcomes_of};
use crate::console::task::Task;
use crate::desk::act::Act;
use crate::desk::rows::TaskRow;
use crate::domain::ids::IntentId;
use crate::engine::command::Choice;

use super::panels::{ask_count, counted, fact, hold_text, ids_text, panel};
use super::{acts, effect::effect_of_many};

/// The panel of `A` and `X`.
pub(super) fn decide(model: &Model, is_positive: bool) -> Result<Panel, String> {
    let marked: Vec<&TaskRow> = model.inbox.tasks.marked_rows().collect();
    let Some(first) = marked
        .iter()
        .copied()
        .find(|task| why_not(model, task, is_positive).is_none())
    else {
        return Err(why_none(model, &marked, is_positive));
    };
    let outcomes = outcomes_of(first);
    let outcome = first_outcome(&outcomes, is_positive)
        .and_then(|index| outcomes.get(index))
        .cloned()
        .ok_or_else(|| format!("not among the outcomes of {}", first.task_type))?;
    let mut taken: Vec<&TaskRow> = Vec::new();
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    for task in &marked {
        let is_same = outcomes_of(task) == outcomes;
        let reason = if task.task_type == first.task_type {
            why_not(model, task, is_positive)
                .or_else(|| (!is_same).then(|| "with other outcomes".to_owned()))
        } else {
            Some(format!(
                "{}, another type",
                task.task_type.replace('_', " ")
            ))
        };
        match reason {
            Some(reason) => *left_out.entry(reason).or_default() += 1,
            None => taken.push(task),
        }
    }
    let ids: Vec<IntentId> = taken.iter().map(|task| task.intent).collect();
    let items = taken
        .iter()
        .map(|task| (task.intent, task.version))
        .collect();
    let kind = counted(ids.len(), &first.task_type);
    let title = format!("{outcome}: {kind}");
    let mut panel = panel(
        model,
        Deed::Decide(items, outcome.clone()),
        title,
        "Stage them",
    );
    let is_comment_required = taken.iter().any(|task| task.is_comment_required);
    let rule = if is_comment_required {
        Rule::Required
    } else {
        Rule::Optional
    };
    panel.asks = vec![Ask::new("why", rule)];
    panel.facts = vec![fact(
        "scope",
        format!(
            "acts on {} of {} marked: {}",
            ids.len(),
            marked.len(),
            ids_text(&ids)
        ),
    )];
    panel.facts.extend(left_out_fact(left_out));
    let effect = effect_of_many(&outcome, model.hold());
    panel.facts.push(fact("effect", effect));
    panel.facts.push(fact("hold", hold_text(model)));
    ask_count(&mut panel, ids.len(), model.is_protected());
    Ok(panel)
}

/// Why nothing of what is marked can be decided at once.
fn why_none(model: &Model, marked: &[&TaskRow], is_positive: bool) -> String {
    if marked.is_empty() {
        return "mark tasks first: Space marks one, v a range, * all that are listed".to_owned();
    }
    let mut reasons: Vec<String> = marked
        .iter()
        .filter_map(|task| why_not(model, task, is_positive))
        .collect();
    reasons.sort();
    reasons.dedup();
    format!("none of the marked tasks: {}", reasons.join(", "))
}

fn left_out_fact(left_out: BTreeMap<String, usize>) -> Option<(String, String)> {
    let reasons: Vec<String> = left_out
        .into_iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    (!reasons.is_empty()).then(|| fact("left out", reasons.join(", ")))
}

/// Why a task is left out of a decision on many.
fn why_not(model: &Model, task: &TaskRow, is_positive: bool) -> Option<String> {
    let reason = if task.decision.is_some() {
        "decided already"
    } else if model.is_sent(task.intent) {
        "under way"
    } else if model.held_on(task.intent).or(task.held.as_ref()).is_some() {
        "held already"
    } else if task.task_type == "override" {
        "overrides, never in bulk"
    } else if task.is_evidence_required {
        "want evidence each"
    } else if is_positive {
        let brief = Brief {
            task,
            payload: &serde_json::Value::Null,
            people: &[],
        };
        kinds::of(&task.task_type).needs_more(&brief)?
    } else {
        return None;
    };
    Some(reason.to_owned())
}

/// Stages one decision for each; one `u` takes all of them back.
pub(super) fn send(
    model: &mut Model,
    items: &[(IntentId, u32)],
    outcome: &str,
    comment: Option<&str>,
    batch: u64,
    tasks: &mut Vec<Task>,
) {
    let hold = model.hold();
    for (intent, version) in items {
        let act = Act::Decide {
            intent: *intent,
            choice: Choice::Outcome(outcome.to_owned()),
            comment: comment.map(str::to_owned),
            data: None,
            version: Some(*version),
            hold,
        };
        let what = format!("{} {outcome}", intent.short());
        acts::send_in(
            model,
            batch,
            Some(*intent),
            what,
            outcome.to_owned(),
            act,
            tasks,
        );
    }
    model.inbox.tasks.clear_marks();
}
