//! Escalation: somebody becomes holder as well. An agent is offered the intent, for naming it alone would
//! reach nobody; its first receiver may still answer.

use crate::domain::address::Address;
use crate::domain::agent::{Agent, Binding};
use crate::domain::fact::{Actor, FactBody};
use crate::domain::failure::{ErrorClass, Failure};
use crate::domain::intent::Delivery;
use crate::domain::scenario::Run;
use crate::domain::status::WaitingReason;
use crate::engine::command::Command;
use crate::engine::submit::implied_task;
use crate::engine::{Draft, dead_letters, delivery, inbox};

/// What the last reminder was followed by.
pub(super) fn escalate(draft: &mut Draft<'_>, to: &str, from: String) {
    // A role that is no address stays the word that it is.
    let home = &draft.ctx.policy.home;
    let to = Address::parse(to, home).map_or_else(|_| to.to_owned(), |at| at.to_string());
    if let Some(child) = draft.intent.run.as_deref().and_then(Run::child) {
        // A run is held by its step, so that is where somebody else can act.
        draft.say(
            Actor::Broker,
            FactBody::Escalated {
                to: to.clone(),
                from,
                offered: None,
            },
        );
        draft.then(child, Command::Escalate { to });
        return;
    }
    let target = draft.ctx.escalation;
    let Some(agent) = target.filter(|agent| may_get(draft, agent)) else {
        let offered = None;
        draft.say(Actor::Broker, FactBody::Escalated { to, from, offered });
        return;
    };
    take_back(draft, &to);
    let offered = Some(agent.binding);
    draft.say(Actor::Broker, FactBody::Escalated { to, from, offered });
    if agent.binding == Binding::Inbox {
        let (_, thread) = dead_letters::ids_of_chance(draft);
        let spec = implied_task(&draft.intent.intent_type);
        inbox::open_task(draft, thread, spec);
    } else {
        delivery::offer_again(draft);
    }
}

/// True when it can be offered to that agent: it is somebody else, who receives, and the intent waits for
/// somebody and not for an instant. Another person sees an open question in the inbox as it is.
fn may_get(draft: &Draft<'_>, agent: &Agent) -> bool {
    let intent = &draft.intent;
    let is_held_by_us = matches!(
        intent.delivery,
        Delivery::HeldByTime { .. } | Delivery::HeldBySteps
    );
    let is_seen = agent.binding == Binding::Inbox && intent.open_task().is_some();
    let can_get = agent.binding != Binding::Internal && agent.address != intent.to;
    can_get && !is_held_by_us && !is_seen
}

/// Ends the attempt that its holder has open: nobody else could start one.
fn take_back(draft: &mut Draft<'_>, to: &str) {
    let Some(lease) = draft.intent.lease().cloned() else {
        return;
    };
    let next_at = draft.ctx.now;
    draft.say(
        Actor::Broker,
        FactBody::AttemptFailed {
            attempt: lease.attempt,
            number: lease.number,
            failure: Failure::new(ErrorClass::LeaseLost, format!("escalated to {to}")),
            next_at,
            report: None,
        },
    );
}

/// An agent that was offered a question could not be reached: whoever was asked still is.
pub(super) fn back_to_person(draft: &mut Draft<'_>) {
    let Some(owner) = draft.intent.open_task().map(|task| task.owner.to_string()) else {
        return;
    };
    draft.say(
        Actor::Broker,
        FactBody::Waiting {
            reason: WaitingReason::Human,
            holder: owner,
            until: None,
        },
    );
}
