//! Panels: what is wide or cannot be taken back names its consequence and asks once.

use crate::console::action::Action;
use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::overlay::Overlay;
use crate::console::model::panel::{Ask, Deed, Focus, Panel, Rule};
use crate::console::model::reads::Slot;
use crate::console::model::{Model, Weight};
use crate::console::panes::words;
use crate::console::task::{Order, Task};
use crate::desk::act::Act;
use crate::domain::ids::IntentId;
use crate::domain::job::{JobKind, Selection};
use crate::domain::status::State;

use super::{acts, agents, bulk, handing, jobs, keys, navigate, views};

/// Opens the panel of an action.
pub(super) fn open(model: &mut Model, action: Action) {
    let panel = model.may_act().and_then(|()| match action {
        Action::DiscardMany => discard(model),
        Action::ReplayMany => replay(model),
        Action::CancelMany => cancel(model),
        Action::AgentPause => agents::pause(model),
        Action::AgentKill => agents::kill(model),
        Action::Delegate => handing::delegate(model),
        Action::Take => handing::take(model),
        Action::Compose => Ok(handing::compose(model)),
        Action::AgentLimit => agents::limit(model),
        Action::AgentBreaker => agents::reset_breaker(model),
        Action::JobPause | Action::JobCancel => jobs::control(model, action),
        Action::ApproveMany => bulk::decide(model, true),
        Action::RejectMany => bulk::decide(model, false),
        _ => Err("no panel for that".to_owned()),
    });
    match panel {
        Ok(panel) => {
            model.overlay = Some(Overlay::Panel(panel));
            model.agents.rows.choose();
            model.dead.groups.choose();
            model.reads.hurry(Slot::Plan);
        }
        Err(reason) => model.say(Weight::Warn, reason),
    }
}

/// More than so many are acted on only once their count was typed.
const COUNT_TYPED_FROM: usize = 26;

/// Asks for the count where it is large, and in a protected environment always.
pub(super) fn ask_count(panel: &mut Panel, count: usize, is_protected: bool) {
    if count >= COUNT_TYPED_FROM || (is_protected && count > 0) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        panel.asks.push(Ask::new("count", Rule::Count(count)));
        panel
            .facts
            .push(fact("count", format!("type {count} to enable")));
    }
}

/// A panel without facts, with a reason.
pub(super) fn panel(model: &Model, deed: Deed, title: String, button: &'static str) -> Panel {
    Panel {
        deed,
        title,
        facts: Vec::new(),
        asks: vec![Ask::new("why", Rule::Required)],
        focus: Focus::Ask(0),
        button,
        opened: model.at.mono,
        problem: None,
    }
}

pub(super) fn fact(name: &str, text: impl Into<String>) -> (String, String) {
    (name.to_owned(), text.into())
}

/// `1 dead letter`, `3 dead letters`.
pub(super) fn counted(count: usize, one: &str) -> String {
    words::counted(u64::try_from(count).unwrap_or(u64::MAX), one)
}

pub(super) fn ids_text(ids: &[IntentId]) -> String {
    let names: Vec<String> = ids.iter().take(6).map(|id| id.short()).collect();
    let more = ids.len().saturating_sub(6);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{rest}", names.join(" "))
}

/// The dead letters that a panel acts on, and a word for where they come from.
pub(super) fn letters(model: &Model) -> Result<(Vec<IntentId>, &'static str), String> {
    if model.view.intent.is_some() {
        let view = model
            .detail
            .intent
            .as_ref()
            .ok_or("the intent is still being read")?;
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
        Place::DeadLetters if model.pane() == 1 => (
            vec![model.dead.letters.live_row()?.intent],
            "the row under the cursor",
        ),
        Place::DeadLetters => {
            let group = model.dead.groups.live_row()?;
            if model.dead.letters.next().is_some() {
                return Err(format!(
                    "group of {}: R and D order a job",
                    format::count(group.count)
                ));
            }
            let ids = model
                .dead
                .letters
                .rows()
                .iter()
                .map(|letter| letter.intent)
                .collect();
            (ids, "the whole group")
        }
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
fn must_be_whole(model: &Model) -> Result<(), String> {
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

/// The job over everything in a group, where that is more than its first letters.
fn group_job(model: &Model, kind: JobKind) -> Option<Panel> {
    let is_on_groups = model.view.intent.is_none()
        && model.view.place == Place::DeadLetters
        && model.pane() == 0
        && model.dead.letters.marked() == 0;
    let group = model.dead.groups.live_row().ok().filter(|_| is_on_groups)?;
    let from = u64::try_from(COUNT_TYPED_FROM).unwrap_or(u64::MAX);
    if group.count < from && model.dead.letters.next().is_none() {
        return None;
    }
    let selection = Selection {
        fingerprint: Some(group.fingerprint.clone()),
        agent: model.dead.wanted.agent.clone(),
        intent_type: model.dead.wanted.intent_type.clone(),
        since: model.dead.wanted.since,
        until: model.dead.wanted.until,
        ..Selection::default()
    };
    let scope = format!(
        "all {} of group {}, and none that dies later",
        format::count(group.count),
        words::group_label(&group.fingerprint)
    );
    Some(jobs::order(kind, selection, scope, model))
}

fn discard(model: &Model) -> Result<Panel, String> {
    must_be_whole(model)?;
    if let Some(panel) = group_job(model, JobKind::Discard) {
        return Ok(panel);
    }
    let (ids, word) = letters(model)?;
    let title = format!("Discard {}", counted(ids.len(), "dead letter"));
    let mut panel = panel(model, Deed::Discard(ids.clone()), title, "Discard");
    panel.facts = vec![
        fact("scope", format!("{word}: {}", ids_text(&ids))),
        fact(
            "effect",
            "put aside for good; the record stays readable, later failures are not touched",
        ),
        fact("hold", hold_text(model)),
    ];
    ask_count(&mut panel, ids.len(), model.is_protected());
    Ok(panel)
}

fn replay(model: &Model) -> Result<Panel, String> {
    must_be_whole(model)?;
    if let Some(panel) = group_job(model, JobKind::Replay) {
        return Ok(panel);
    }
    let (ids, word) = letters(model)?;
    let title = format!("Replay {}", counted(ids.len(), "dead letter"));
    let mut panel = panel(model, Deed::Replay(ids.clone()), title, "Replay");
    panel.asks = vec![Ask::new("why", Rule::Optional)];
    panel.facts = vec![
        fact("scope", format!("{word}: {}", ids_text(&ids))),
        fact(
            "effect",
            "each becomes a new intent with a fresh budget, to its original agent",
        ),
        fact(
            "note",
            "the receiver sees the old webhook-id and can ignore what it has finished",
        ),
        fact("hold", hold_text(model)),
    ];
    ask_count(&mut panel, ids.len(), model.is_protected());
    Ok(panel)
}

pub(super) fn hold_text(model: &Model) -> String {
    match model.hold().as_seconds() {
        0 => "none: final at once".to_owned(),
        seconds => format!("{seconds} s first; one u takes all of them back"),
    }
}

/// The unfinished intents that a panel would cancel, and how many were asked for.
pub(super) fn to_cancel(model: &Model) -> Result<(Vec<IntentId>, usize), String> {
    let rows: Vec<(IntentId, bool)> = if model.view.intent.is_some() {
        let view = model
            .detail
            .intent
            .as_ref()
            .ok_or("the intent is still being read")?;
        vec![(view.row.id, view.row.status.is_terminal())]
    } else if model.view.place == Place::Intents {
        if model.intents.rows.marked() > 0 {
            let marked = model.intents.rows.marked_rows();
            marked
                .map(|row| (row.id, row.status.is_terminal()))
                .collect()
        } else {
            let row = model.intents.rows.live_row()?;
            vec![(row.id, row.status.is_terminal())]
        }
    } else {
        return Err("dead letters have ended: r replays, D discards".to_owned());
    };
    let all = rows.len();
    let ids: Vec<IntentId> = rows
        .into_iter()
        .filter(|(_, is_terminal)| !is_terminal)
        .map(|(id, _)| id)
        .collect();
    if ids.is_empty() {
        return Err("it has ended: nothing can cancel it".to_owned());
    }
    Ok((ids, all))
}

fn cancel(model: &Model) -> Result<Panel, String> {
    let (ids, all) = to_cancel(model)?;
    let title = format!("Cancel {}", counted(ids.len(), "intent"));
    let mut panel = panel(model, Deed::Cancel(ids.clone()), title, "Cancel them");
    let left_out = all - ids.len();
    let scope = match left_out {
        0 => ids_text(&ids),
        _ => format!(
            "acts on {} of {all}, the others have ended: {}",
            ids.len(),
            ids_text(&ids)
        ),
    };
    panel.facts = vec![
        fact("scope", scope),
        fact(
            "effect",
            "CANCELED at once; cannot be taken back; the sender is told",
        ),
    ];
    ask_count(&mut panel, ids.len(), model.is_protected());
    Ok(panel)
}

/// Tab in a panel: to the next field, to the button, and back.
pub(super) fn turn(model: &mut Model, is_forward: bool) {
    handing::complete(model);
    if let Some(Overlay::Panel(panel)) = &mut model.overlay {
        panel.turn(is_forward);
    }
    handing::reckon(model);
}

/// Enter in a panel.
pub(super) fn press(model: &mut Model, is_repeat: bool, tasks: &mut Vec<Task>) {
    let Some(Overlay::Panel(panel)) = &model.overlay else {
        return;
    };
    if let Err(problem) = check(model, panel, is_repeat) {
        if let Some(Overlay::Panel(panel)) = &mut model.overlay {
            panel.problem = Some(problem);
        }
        return;
    }
    let deed = agents::with_options(jobs::with_options(panel), panel);
    let reason = panel.reason_text();
    let name = Some(panel.text("name")).filter(|name| !name.is_empty());
    let overlay = model.overlay.take();
    if let Some(Overlay::Panel(panel)) = overlay
        && (handing::needs_agents(&panel) || matches!(panel.deed, Deed::Take(..)))
    {
        return handing::carry_out(model, &panel, tasks);
    }
    if let (Deed::SaveView(place, filter), Some(name)) = (&deed, name) {
        return views::save(model, *place, filter.clone(), &name);
    }
    carry_out(model, deed, reason, tasks);
}

fn check(model: &Model, panel: &Panel, is_repeat: bool) -> Result<(), String> {
    if panel.deed == Deed::Quit {
        return if panel.is_on_button() {
            Ok(())
        } else {
            Err("Tab goes to the button; Q quits at once, Esc stays".to_owned())
        };
    }
    if matches!(panel.deed, Deed::SaveView(..)) {
        return panel.check();
    }
    model.may_act()?;
    jobs::check(panel)?;
    panel.check()?;
    handing::check(model, panel)?;
    keys::armed(model, panel.opened, is_repeat, "Enter")
}

fn carry_out(model: &mut Model, deed: Deed, reason: String, tasks: &mut Vec<Task>) {
    let batch = model.number();
    let hold = model.hold();
    let optional = Some(reason.clone()).filter(|reason| !reason.is_empty());
    match deed {
        Deed::Discard(ids) => each(model, &ids, "discard", batch, tasks, |intent| {
            Act::Discard {
                intent,
                reason: reason.clone(),
                hold,
            }
        }),
        Deed::Replay(ids) => each(model, &ids, "replay", batch, tasks, |intent| Act::Replay {
            intent,
            payload: None,
            to: None,
            is_forced: false,
            reason: optional.clone(),
            hold,
        }),
        Deed::Cancel(ids) => each(model, &ids, "cancel", batch, tasks, |intent| Act::Cancel {
            intent,
            reason: optional.clone(),
        }),
        Deed::Decide(items, outcome) => {
            bulk::send(model, &items, &outcome, optional.as_deref(), batch, tasks);
        }
        deed @ (Deed::Pause(_)
        | Deed::Unpause(_)
        | Deed::Kill(_)
        | Deed::Revive(_)
        | Deed::Limit(..)
        | Deed::ResetBreaker(_)) => agents::carry_out(model, deed, reason, tasks),
        // Carried out with the panel at hand.
        Deed::Delegate(..) | Deed::Take(..) | Deed::Send | Deed::SaveView(..) => {}
        Deed::Order(job, _) => {
            let what = job.kind.name().to_owned();
            jobs::send(model, Order::Start(job), what, tasks);
        }
        Deed::Control(job, control) => {
            let what = control.name().to_owned();
            jobs::send(model, Order::Control(job, control), what, tasks);
        }
        Deed::Quit => navigate::end(model, tasks),
    }
}

fn each(
    model: &mut Model,
    ids: &[IntentId],
    word: &str,
    batch: u64,
    tasks: &mut Vec<Task>,
    act: impl Fn(IntentId) -> Act,
) {
    for id in ids {
        let what = format!("{word} {}", id.short());
        acts::send_in(
            model,
            batch,
            Some(*id),
            what,
            word.to_owned(),
            act(*id),
            tasks,
        );
    }
    model.dead.letters.clear_marks();
    model.intents.rows.clear_marks();
}
