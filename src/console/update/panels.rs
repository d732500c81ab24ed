//! Panels: what is wide or cannot be taken back names its consequence and asks once.

use crate::console::action::Action;
use crate::console::action::place::Place;
use crate::console::model::overlay::Overlay;
use crate::console::model::panel::{Ask, Deed, Focus, Panel, Rule};
use crate::console::model::reads::Slot;
use crate::console::model::{Model, Weight};
use crate::console::panes::words;
use crate::console::task::{Order, Task};
use crate::desk::act::Act;
use crate::domain::ids::IntentId;
use crate::domain::job::JobKind;

use super::order;
use super::scopes::{must_be_whole, scopes};
use super::{acts, agents, bulk, export, groups, handing, jobs, keys, navigate, views};

/// Opens the panel of an action.
pub(super) fn open(model: &mut Model, action: Action) {
    // Looking is free: an export only has to be put on record.
    let panel = model.may_act().and_then(|()| match action {
        Action::Export => export::open(model),
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
        Action::JobReplayFailed => jobs::replay_failed(model),
        Action::OwnGroup => groups::own(model),
        Action::TakeGroup => groups::take(model),
        Action::MuteGroup => groups::mute(model),
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
        // Right after the reason: Tab leads from the one to the other.
        let why = panel.asks.iter().position(|ask| ask.name == "why");
        let place = why.map_or(panel.asks.len(), |place| place + 1);
        let ask = Ask::new("count", Rule::Count(count));
        panel.asks.insert(place, ask);
        if let Focus::Ask(here) = panel.focus
            && here >= place
        {
            panel.focus = Focus::Ask(here + 1);
        }
        if !matches!(panel.deed, Deed::Order(..)) {
            let text = format!("type {count} to enable");
            panel.facts.push(fact("count", text));
        }
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
        scopes: Vec::new(),
        skipped: Vec::new(),
        planned_at: None,
        is_listing: false,
        scrolled: 0,
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

fn discard(model: &Model) -> Result<Panel, String> {
    must_be_whole(model)?;
    Ok(order::open(JobKind::Discard, scopes(model)?, model))
}

fn replay(model: &Model) -> Result<Panel, String> {
    must_be_whole(model)?;
    Ok(order::open(JobKind::Replay, scopes(model)?, model))
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
        let view = model.detail.now()?;
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

/// A page down or up in a panel: its facts, where they do not fit.
pub(super) fn scroll(model: &mut Model, is_down: bool) {
    if let Some(Overlay::Panel(panel)) = &mut model.overlay {
        panel.scrolled = if is_down {
            panel.scrolled + 1
        } else {
            panel.scrolled.saturating_sub(1)
        };
    }
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
    let deed = agents::with_options(order::with_options(panel, &model.home()), panel);
    let deed = groups::with_options(deed, panel, &model.home());
    let reason = panel.reason_text();
    let name = Some(panel.text("name")).filter(|name| !name.is_empty());
    let overlay = model.overlay.take();
    if let Some(Overlay::Panel(panel)) = &overlay
        && (handing::needs_agents(panel) || matches!(panel.deed, Deed::Take(..)))
    {
        return handing::carry_out(model, panel, tasks);
    }
    if let (Deed::Export(of), Some(Overlay::Panel(panel))) = (&deed, &overlay) {
        return export::send(model, panel, (**of).clone(), tasks);
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
    order::check(panel, &model.home())?;
    groups::check(panel, &model.home())?;
    panel.check()?;
    handing::check(model, panel)?;
    keys::armed(model, panel.opened, is_repeat, "Enter")
}

fn carry_out(model: &mut Model, deed: Deed, reason: String, tasks: &mut Vec<Task>) {
    let batch = model.number();
    let hold = model.hold();
    let optional = Some(reason.clone()).filter(|reason| !reason.is_empty());
    match deed {
        Deed::Cancel(ids) => each(model, &ids, "cancel", batch, tasks, |intent| Act::Cancel {
            intent,
            reason: optional.clone(),
        }),
        Deed::Decide(items, outcome) => {
            bulk::send(model, &items, &outcome, optional.as_deref(), batch, tasks);
        }
        Deed::RetryNow(intent) => acts::retry_now(model, intent, reason, tasks),
        deed @ (Deed::Pause(_)
        | Deed::Unpause(_)
        | Deed::Kill(_)
        | Deed::Revive(_)
        | Deed::Limit(..)
        | Deed::ResetBreaker(_)) => agents::carry_out(model, deed, reason, tasks),
        // Carried out with the panel at hand.
        Deed::Delegate(..) | Deed::Take(..) | Deed::Send | Deed::SaveView(..) | Deed::Export(_) => {
        }
        // Few named letters are put aside one by one: each is held, and one `u` takes all back.
        Deed::Order(job, _) if order::is_held(&job) => {
            each(
                model,
                &job.selection.intents,
                "discard",
                batch,
                tasks,
                |intent| Act::Discard {
                    intent,
                    reason: reason.clone(),
                    hold,
                },
            );
        }
        Deed::Order(job, _) => {
            let what = job.kind.name().to_owned();
            jobs::send(model, Order::Start(job), what, tasks);
        }
        Deed::Control(job, control) => {
            let what = control.name().to_owned();
            jobs::send(model, Order::Control(job, control), what, tasks);
        }
        Deed::Mark(fingerprint, change) => {
            groups::send(model, fingerprint, change, optional, tasks);
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
