//! Panels of the agents desk: what would become of an agent's intents, in numbers, before it does.

use crate::console::format;
use crate::console::model::Model;
use crate::console::model::overlay::Overlay;
use crate::console::model::panel::{Ask, Deed, Focus, Panel};
use crate::console::panes::{agents, words};
use crate::console::task::Task;
use crate::desk::act::Act;
use crate::desk::rows::AgentRow;
use crate::domain::agent::AgentLimit;
use crate::domain::endpoint::Breaker;
use crate::domain::time::Span;

use super::acts;
use super::order::per_1000_seconds;
use super::panels::{fact, panel};

/// The largest rate that a broker takes, a second.
const RATE_MAX: f64 = 10_000.0;
/// The most at once that a broker takes.
const AT_ONCE_MAX: f64 = 4_096.0;

/// `P`: hold an agent's intents back, or let them go on.
pub(super) fn pause(model: &Model) -> Result<Panel, String> {
    let agent = model.agents.rows.live_row()?;
    let name = agent.address.name().to_owned();
    let waiting = agent.queued + agent.retrying;
    if let Some(pause) = &agent.pause {
        let title = format!("Resume {name}");
        let mut panel = panel(model, Deed::Unpause(agent.address.clone()), title, "Resume");
        let since = format::moment(pause.at, model.at.wall);
        panel.facts = vec![
            fact(
                "paused",
                format!(
                    "by {} since {since}: \"{}\"",
                    short(&pause.by),
                    pause.reason
                ),
            ),
            fact(
                "effect",
                format!(
                    "{} waiting intents are handed over again",
                    format::count(waiting)
                ),
            ),
        ];
        return Ok(panel);
    }
    let title = format!("Pause {name}");
    let mut panel = panel(model, Deed::Pause(agent.address.clone()), title, "Pause");
    panel.facts = vec![
        fact(
            "effect",
            format!("intents to {name} are accepted and kept, not handed over"),
        ),
        fact(
            "waiting",
            format!(
                "{} wait now, {} are running and may finish",
                format::count(waiting),
                format::count(agent.leased)
            ),
        ),
        fact("back", "P again resumes it"),
    ];
    Ok(panel)
}

/// `K`: stop an agent at once, or let it go on.
pub(super) fn kill(model: &Model) -> Result<Panel, String> {
    let agent = model.agents.rows.live_row()?;
    let name = agent.address.name();
    let open = agent.queued + agent.retrying + agent.leased + agent.held;
    let open = words::counted(open, "open intent");
    if let Some(kill) = &agent.kill {
        let deed = Deed::Revive(agent.address.clone());
        let mut panel = panel(model, deed, format!("Revive {name}"), "Revive");
        let since = format::moment(kill.at, model.at.wall);
        let by = short(&kill.by);
        panel.facts = vec![
            fact(
                "killed",
                format!("by {by} since {since}: \"{}\"", kill.reason),
            ),
            fact(
                "effect",
                format!("{open} of it go on; it may send and be sent to again"),
            ),
        ];
        return Ok(panel);
    }
    let deed = Deed::Kill(agent.address.clone());
    let mut panel = panel(model, deed, format!("Kill {name}"), "Kill");
    panel.facts = vec![
        fact(
            "effect",
            format!("new intents from {name} and to it are refused; its streams end at once"),
        ),
        fact(
            "open",
            format!(
                "{open} of it wait, {} of them are running",
                format::count(agent.leased)
            ),
        ),
        fact("instead", "P only holds its intents back, and refuses none"),
        fact("back", "K again revives it"),
    ];
    Ok(panel)
}

/// `L`: bound how fast an agent is served.
pub(super) fn limit(model: &Model) -> Result<Panel, String> {
    let agent = model.agents.rows.live_row()?;
    let name = agent.address.name();
    if !agent.binding.is_pull() && agent.endpoint.is_none() {
        return Err(format!(
            "{name} is {}: nothing is handed to it at a rate",
            agent.binding.name()
        ));
    }
    let deed = Deed::Limit(agent.address.clone(), AgentLimit::default());
    let mut panel = panel(model, deed, format!("Limit {name}"), "Limit");
    let mut asks = Vec::new();
    if agent.endpoint.is_some() {
        let rate = agent
            .rate_millihertz()
            .map_or_else(|| "0".to_owned(), words::pace);
        asks.push(Ask::number("rate /s", &rate, 0.0, RATE_MAX));
    }
    let most = agent.max_in_flight.unwrap_or(0).to_string();
    asks.push(Ask::number("at once", &most, 0.0, AT_ONCE_MAX));
    asks.append(&mut panel.asks);
    panel.asks = asks;
    panel.focus = Focus::Ask(0);
    panel.facts = vec![
        fact("now", agents::limits_text(agent)),
        fact("effect", limit_effect(agent, &panel)),
        fact("back", "L again; 0 takes a bound away"),
    ];
    Ok(panel)
}

/// What the bounds that are typed would mean for what waits.
fn limit_effect(agent: &AgentRow, panel: &Panel) -> String {
    let waiting = agent.queued.saturating_add(agent.retrying);
    let verb = if waiting == 1 { "waits" } else { "wait" };
    let wait = format!("{} {verb} now", words::counted(waiting, "intent"));
    let at_once = match panel.text("at once").parse::<u32>() {
        Ok(0) => ", as many at once as usual".to_owned(),
        Ok(1) => ", one at a time".to_owned(),
        Ok(most) => format!(", at most {most} at once"),
        Err(_) => String::new(),
    };
    if agent.endpoint.is_none() {
        return format!("{wait}{at_once}; the rest waits and spends no attempt");
    }
    match per_1000_seconds(&panel.text("rate /s")) {
        None => wait,
        Some(0) => format!("{wait}; no rate{at_once}"),
        Some(rate) => {
            let millis = waiting.saturating_mul(1_000_000) / u64::from(rate);
            let takes = format::age(Span::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)));
            format!("{wait}: {takes} at that rate{at_once}; they spend no attempt by waiting")
        }
    }
}

/// The text in a panel changed: its consequence is reckoned anew.
pub(super) fn reckon(model: &mut Model) {
    let Some(Overlay::Panel(panel)) = &mut model.overlay else {
        return;
    };
    let Deed::Limit(address, _) = &panel.deed else {
        return;
    };
    let agent = model.agents.all.iter().find(|row| row.address == *address);
    if let Some(agent) = agent {
        let effect = limit_effect(agent, panel);
        if let Some((_, text)) = panel.facts.iter_mut().find(|(name, _)| name == "effect") {
            *text = effect;
        }
    }
}

/// `B`: take an agent's endpoint for well.
pub(super) fn reset_breaker(model: &Model) -> Result<Panel, String> {
    let agent = model.agents.rows.live_row()?;
    let name = agent.address.name();
    let Some(endpoint) = agent.endpoint else {
        return Err(format!("{name} is not called, so it has no breaker"));
    };
    let left = |until: crate::domain::time::Timestamp| {
        format::age(until.since(model.at.wall).max(Span::ZERO))
    };
    let stands = match (endpoint.breaker, endpoint.open_until, endpoint.held_until) {
        (Breaker::Open, Some(until), _) => {
            format!("open; by itself it lets a probe through in {}", left(until))
        }
        (Breaker::Open, None, _) => "open".to_owned(),
        (Breaker::HalfOpen, _, _) => "half-open: a probe is out".to_owned(),
        (Breaker::Closed, _, Some(until)) => {
            format!("closed; it asked for no calls for another {}", left(until))
        }
        (Breaker::Closed, _, None) => {
            return Err(format!("the breaker of {name} is closed; nothing to reset"));
        }
    };
    let deed = Deed::ResetBreaker(agent.address.clone());
    let mut panel = panel(model, deed, format!("Reset breaker of {name}"), "Reset");
    panel.facts = vec![
        fact("breaker", stands),
        fact(
            "effect",
            format!(
                "{} tried at once, a few at a time and more as they go well",
                match agent.queued {
                    1 => "1 waiting intent is".to_owned(),
                    queued => format!("{} waiting intents are", format::count(queued)),
                }
            ),
        ),
        fact(
            "risk",
            "if it is still sick, calls that fail spend attempts until it opens again",
        ),
    ];
    Ok(panel)
}

/// The deed with what was typed.
pub(super) fn with_options(deed: Deed, panel: &Panel) -> Deed {
    let Deed::Limit(agent, _) = deed else {
        return deed;
    };
    let limit = AgentLimit {
        rate_millihertz: panel
            .asks
            .iter()
            .any(|ask| ask.name == "rate /s")
            .then(|| per_1000_seconds(&panel.text("rate /s")))
            .flatten(),
        max_in_flight: panel.text("at once").parse().ok(),
    };
    Deed::Limit(agent, limit)
}

/// Does it.
pub(super) fn carry_out(model: &mut Model, deed: Deed, reason: String, tasks: &mut Vec<Task>) {
    let (verb, agent, act) = match deed {
        Deed::Pause(agent) => ("pause", agent.clone(), Act::Pause { agent, reason }),
        Deed::Unpause(agent) => ("resume", agent.clone(), Act::Unpause { agent, reason }),
        Deed::Kill(agent) => ("kill", agent.clone(), Act::Kill { agent, reason }),
        Deed::Revive(agent) => ("revive", agent.clone(), Act::Revive { agent, reason }),
        Deed::Limit(agent, limit) => (
            "limit",
            agent.clone(),
            Act::Limit {
                agent,
                limit,
                reason,
            },
        ),
        Deed::ResetBreaker(agent) => (
            "reset breaker of",
            agent.clone(),
            Act::ResetBreaker { agent, reason },
        ),
        _ => return,
    };
    let what = format!("{verb} {}", agent.name());
    acts::send(model, None, what, verb.to_owned(), act, tasks);
}

fn short(who: &str) -> &str {
    who.rsplit('/').next().unwrap_or(who)
}
