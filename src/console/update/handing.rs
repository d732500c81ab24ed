//! Handing on: taking a task, giving it back, giving it to somebody else; and sending an intent.

use crate::console::model::Model;
use crate::console::model::desks::Lane;
use crate::console::model::overlay::Overlay;
use crate::console::model::panel::{Ask, Deed, Panel, Rule};
use crate::console::task::Task;
use crate::desk::act::{Act, NewIntent};
use crate::desk::rows::TaskRow;
use crate::domain::address::Address;
use crate::domain::payload::Payload;

use super::acts;
use super::panels::{fact, panel};

/// Agents that are named as proposals.
const PROPOSALS_MAX: usize = 6;

/// Whether this console's operator has the task now.
pub(crate) fn is_mine(model: &Model, task: &TaskRow) -> bool {
    let Some(me) = model.identity() else {
        return false;
    };
    match &task.delegated_to {
        Some(holder) => holder == me.key() || *holder == me.to_string(),
        None => *me == task.owner,
    }
}

/// Whether a task is listed in a lane. What somebody else has taken is not the team's any more.
pub(crate) fn is_in_lane(model: &Model, lane: Lane, task: &TaskRow) -> bool {
    match lane {
        Lane::All => true,
        Lane::Team => task.delegated_to.is_none() || is_mine(model, task),
        Lane::Mine => is_mine(model, task),
    }
}

/// `m`: the panel that takes the task under the cursor, or gives it back.
pub(super) fn take(model: &Model) -> Result<Panel, String> {
    let task = open_task(model)?;
    let is_mine = is_mine(model, &task);
    if is_mine && task.delegated_to.is_none() {
        return Err("it is in your own inbox already; @ hands it on".to_owned());
    }
    let (verb, button, to, effect) = if is_mine {
        let effect = format!("it is {}'s alone again", task.owner.name());
        ("Give back", "Give back", Some(task.owner.clone()), effect)
    } else {
        let effect = format!(
            "it is in your inbox as well; {} still can decide it",
            task.owner.name()
        );
        ("Take", "Take", None, effect)
    };
    let title = format!("{verb} {}", task.intent.short());
    let deed = Deed::Take(task.intent, task.version, to);
    let mut panel = panel(model, deed, title, button);
    panel.asks = vec![Ask::new("why", Rule::Optional)];
    panel.facts = vec![
        fact("asks", task.title),
        fact("effect", effect),
        fact(
            "others",
            "what they have staged on it since is refused: it is another version",
        ),
        fact("back", "m again"),
    ];
    Ok(panel)
}

fn open_task(model: &Model) -> Result<TaskRow, String> {
    model.may_act()?;
    let task = model.inbox.tasks.live_row()?;
    if !task.is_open {
        return Err("it is decided; nobody has to take it".to_owned());
    }
    if model.is_sent(task.intent) {
        return Err("an answer for this task is under way".to_owned());
    }
    Ok(task.clone())
}

/// `@`: the panel that hands a task to somebody else.
pub(super) fn delegate(model: &Model) -> Result<Panel, String> {
    let task = open_task(model)?;
    let title = format!("Hand on {}", task.intent.short());
    let deed = Deed::Delegate(task.intent, task.version);
    let mut panel = panel(model, deed, title, "Hand on");
    panel.asks = vec![
        Ask::new("to", Rule::Required),
        Ask::new("note", Rule::Optional),
    ];
    let has = match &task.delegated_to {
        Some(holder) => format!("{}, for {}", short(holder), task.owner.name()),
        None => task.owner.name().to_owned(),
    };
    panel.facts = vec![
        fact("asks", task.title),
        fact("with", has),
        fact(
            "effect",
            "they find it in their inbox and may decide it; its owner still can",
        ),
        fact("known", String::new()),
    ];
    propose(model, &mut panel);
    Ok(panel)
}

/// `+`: the panel that sends an intent.
pub(super) fn compose(model: &Model) -> Panel {
    let to = (model.view.intent.is_some())
        .then(|| model.detail.intent.as_ref().map(|view| &view.row))
        .flatten();
    let mut panel = panel(model, Deed::Send, "Send an intent".to_owned(), "Send");
    let mut asks = vec![
        Ask::new("to", Rule::Required),
        Ask::new("type", Rule::Required),
        Ask::new("payload", Rule::Object),
        Ask::new("key", Rule::Optional),
        Ask::new("attempts", Rule::Optional),
    ];
    for ask in &mut asks {
        match (ask.name, to) {
            ("to", Some(row)) => ask.field.set_text(row.to.name()),
            ("type", Some(row)) => ask.field.set_text(&row.intent_type),
            ("payload", _) => ask.field.set_text("{}"),
            _ => {}
        }
    }
    panel.asks = asks;
    panel.facts = vec![
        fact(
            "effect",
            "a new intent from you; it cannot be taken back, C cancels it while it waits",
        ),
        fact("known", String::new()),
        fact("same as", String::new()),
    ];
    propose(model, &mut panel);
    panel
}

fn short(who: &str) -> &str {
    who.rsplit('/').next().unwrap_or(who)
}

/// Whether a panel names agents, so that they should be read.
pub(super) const fn needs_agents(panel: &Panel) -> bool {
    matches!(panel.deed, Deed::Send | Deed::Delegate(..))
}

/// The text in a panel changed: who it could mean, and the command that does the same.
pub(super) fn reckon(model: &mut Model) {
    let Some(Overlay::Panel(mut panel)) = model.overlay.take() else {
        return;
    };
    if needs_agents(&panel) {
        propose(model, &mut panel);
    }
    model.overlay = Some(Overlay::Panel(panel));
}

fn fitting(model: &Model, text: &str) -> Vec<String> {
    let agents = model
        .agents
        .all
        .iter()
        .map(|agent| agent.address.name().to_owned());
    let owners = model
        .inbox
        .tasks
        .rows()
        .iter()
        .map(|task| task.owner.name().to_owned());
    let mut names: Vec<String> = agents
        .chain(owners)
        .filter(|name| name.contains(text))
        .collect();
    names.sort_by_key(|name| (!name.starts_with(text), name.clone()));
    names.dedup();
    names
}

fn propose(model: &Model, panel: &mut Panel) {
    let names = fitting(model, &panel.text("to"));
    let more = names.len().saturating_sub(PROPOSALS_MAX);
    let mut text = names
        .iter()
        .take(PROPOSALS_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join("  ");
    if more > 0 {
        text = format!("{text}  and {more} more");
    }
    if text.is_empty() {
        "nobody of that name is known; an address is made by its first use".clone_into(&mut text);
    }
    let command = format!(
        "postroom send {} {} --payload '{}'",
        panel.text("to"),
        panel.text("type"),
        panel.text("payload").replace('\'', "'\\''"),
    );
    for (name, value) in &mut panel.facts {
        match name.as_str() {
            "known" => text.clone_into(value),
            "same as" => command.clone_into(value),
            _ => {}
        }
    }
}

/// Tab leaves the name of an agent: the only one that fits is completed.
pub(super) fn complete(model: &mut Model) {
    let Some(Overlay::Panel(panel)) = &model.overlay else {
        return;
    };
    let is_on_name = matches!(panel.focus, crate::console::model::panel::Focus::Ask(0));
    if !needs_agents(panel) || !is_on_name {
        return;
    }
    let text = panel.text("to");
    let names = fitting(model, &text);
    let starting: Vec<&String> = names
        .iter()
        .filter(|name| name.starts_with(&text))
        .collect();
    if let ([only], false, Some(Overlay::Panel(panel))) =
        (starting.as_slice(), text.is_empty(), &mut model.overlay)
        && let Some(field) = panel.field()
    {
        field.set_text(only);
    }
}

/// Whether what was typed can be sent.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(model: &Model, panel: &Panel) -> Result<(), String> {
    if !needs_agents(panel) {
        return Ok(());
    }
    address(model, &panel.text("to"))?;
    let attempts = panel.text("attempts");
    if !attempts.is_empty()
        && !attempts
            .parse::<u32>()
            .is_ok_and(|count| (1..=20).contains(&count))
    {
        return Err("attempts: a number from 1 to 20, or nothing".to_owned());
    }
    if panel.deed == Deed::Send && !panel.is_on_button() {
        return Err("Tab goes to the button, Enter on it sends".to_owned());
    }
    Ok(())
}

fn address(model: &Model, text: &str) -> Result<Address, String> {
    Address::parse(text, &model.home()).map_err(|error| format!("to: {error}"))
}

/// Does it.
pub(super) fn carry_out(model: &mut Model, panel: &Panel, tasks: &mut Vec<Task>) {
    let optional = |name: &str| Some(panel.text(name)).filter(|text| !text.is_empty());
    match panel.deed {
        Deed::Delegate(intent, version) => {
            let to = address(model, &panel.text("to")).ok();
            let act = Act::Delegate {
                intent,
                to,
                note: optional("note"),
                version: Some(version),
            };
            let what = format!("hand on {} to {}", intent.short(), panel.text("to"));
            acts::send(model, Some(intent), what, "hand on".to_owned(), act, tasks);
        }
        Deed::Take(intent, version, ref to) => {
            let verb = if to.is_some() { "give back" } else { "take" };
            let act = Act::Delegate {
                intent,
                to: to.clone(),
                note: optional("why"),
                version: Some(version),
            };
            let what = format!("{verb} {}", intent.short());
            acts::send(model, Some(intent), what, verb.to_owned(), act, tasks);
        }
        Deed::Send => {
            let Ok(payload) = Payload::typed(&panel.text("payload")) else {
                return;
            };
            let named = panel.text("type");
            let intent_type = if named.starts_with("intent.") {
                named
            } else {
                format!("intent.{named}")
            };
            let new = NewIntent {
                intent_type,
                to: panel.text("to"),
                payload,
                reply_to: None,
                correlation_id: None,
                deadline: None,
                max_attempts: panel.text("attempts").parse().ok(),
                human_task: None,
                key: optional("key"),
            };
            let what = format!("send {} to {}", new.intent_type, new.to);
            let act = Act::Send(Box::new(new));
            acts::send(model, None, what, "send".to_owned(), act, tasks);
        }
        _ => {}
    }
}
