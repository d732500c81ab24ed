//! One call: posts what was handed over, and tells the broker what came of it.

use std::sync::Arc;
use std::time::Duration;

use super::answer::Answer;
use super::dispatcher::Shared;
use super::message::Push;
use super::pusher::PushResult;
use crate::broker::request::{BrokerError, Request};
use crate::broker::session::Handover;
use crate::domain::agent::{Agent, Secret};
use crate::domain::fact::Actor;
use crate::domain::failure::{ErrorClass, Failure};
use crate::domain::intent::Kind;
use crate::domain::time::Span;
use crate::domain::via::Via;
use crate::engine::command::{Acknowledge, Command, Fail, Resume};

/// How long to wait when the broker is busy, before telling it again.
const PAUSE: Duration = Duration::from_millis(200);

/// Makes one call and tells the broker. Its place is given back before the broker is told, so that the
/// commit of the outcome can fill it again.
pub(super) async fn call(shared: Shared, mut handover: Handover) {
    let slot = handover.slot.take();
    let result = post(&shared, &handover).await;
    drop(slot);
    tell(&shared, &handover, result).await;
}

/// Posts to where the agent is now, signed by the secrets it has now.
async fn post(shared: &Shared, handover: &Handover) -> Result<PushResult, Failure> {
    let registry = shared.broker.registry();
    let agent: Option<&Arc<Agent>> = registry.agent(&handover.intent.to);
    let Some((agent, url)) = agent.and_then(|agent| Some((agent, agent.callback_url.as_ref()?)))
    else {
        return Err(Failure::new(
            ErrorClass::LeaseLost,
            "the agent lost its callback URL before it was sent",
        ));
    };
    let default: Option<&Secret> = shared.config.default_secret.as_ref();
    let secrets = match default {
        Some(secret) if agent.secrets.is_empty() => std::slice::from_ref(secret),
        _ => agent.secrets.as_slice(),
    };
    let push = Push {
        url,
        intent: &handover.intent,
        payload: &handover.payload,
        attempt: handover.attempt,
        number: handover.number,
        secrets,
        now: shared.broker.clock().now(),
    };
    Ok(shared.pusher.post(&push).await)
}

/// Hands the outcome to the broker. A broker that is busy, or has no room to write it down, is asked again
/// until the lease is over anyway.
async fn tell(shared: &Shared, handover: &Handover, result: Result<PushResult, Failure>) {
    let command = command_of(handover, result);
    loop {
        let request = Request::plain(handover.intent.id, command.clone());
        match shared.broker.run(request).await {
            Ok(_receipt) => return,
            Err(BrokerError::Busy | BrokerError::StorageFull)
                if shared.broker.clock().now() < handover.lease_until =>
            {
                tokio::time::sleep(PAUSE).await;
            }
            Err(BrokerError::Refused(refusal)) => {
                // The intent has moved on: resumed meanwhile, withdrawn, or superseded.
                tracing::debug!(attempt = %handover.attempt, %refusal, "outcome came too late");
                return;
            }
            Err(error) => {
                tracing::warn!(attempt = %handover.attempt, %error, "outcome could not be kept");
                return;
            }
        }
    }
}

fn command_of(handover: &Handover, result: Result<PushResult, Failure>) -> Command {
    let (attempt, receiver) = (Some(handover.attempt), &handover.intent.to);
    let by = Actor::at(receiver);
    let (answer, report) = match result {
        Ok(PushResult { answer, report }) => (answer, Some(Arc::new(report))),
        Err(not_sent) => {
            return Command::Fail(Fail {
                attempt,
                failure: not_sent,
                delay: Some(Span::ZERO),
                by: Actor::Broker,
                report: None,
            });
        }
    };
    match answer {
        Answer::Acknowledged => Command::Acknowledge(Acknowledge {
            attempt,
            by,
            report,
        }),
        // Whatever stands in the answer: an event was taken, and there is nothing to come.
        Answer::Resumed(_) if handover.intent.kind() == Kind::Webhook => {
            Command::Acknowledge(Acknowledge {
                attempt,
                by,
                report,
            })
        }
        Answer::Resumed(body) => Command::Resume(Box::new(Resume {
            body,
            by: receiver.clone(),
            via: Via::Api,
            actor: by,
            attempt,
            expected_generation: None,
            report,
        })),
        Answer::Failed(failure) => Command::Fail(Fail {
            attempt,
            failure,
            delay: None,
            by: Actor::Broker,
            report,
        }),
    }
}
