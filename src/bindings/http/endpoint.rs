//! The caller of one endpoint: claims as many attempts as the endpoint has room for, makes the
//! calls, and tells the broker what came of them.
//!
//! It claims with sessions of one hand-over each. So an attempt starts only when there is room for
//! it, the room follows the endpoint's health from one claim to the next, and an intent that was
//! acknowledged and waits for its result takes no room.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::answer::Answer;
use super::dispatcher::Shared;
use super::message::Push;
use super::pusher::PushResult;
use crate::bindings::breaker::{Change, Health, LIMIT_MAX, Room, Verdict};
use crate::broker::request::{BrokerError, Request};
use crate::broker::session::{Handover, Session, SessionMode, SessionSpec};
use crate::clock::Mono;
use crate::domain::address::Address;
use crate::domain::agent::{Agent, Binding, Secret};
use crate::domain::fact::Actor;
use crate::domain::failure::{ErrorClass, Failure};
use crate::domain::time::Span;
use crate::engine::command::{Acknowledge, Command, Fail, Resume};

/// How long to wait when the broker is busy or gave nothing, before asking again.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest sleep before the room is looked at anew.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Room for outcomes on their way to the endpoint: as many as calls can run.
const DONE_MAX: usize = LIMIT_MAX as usize;

/// The caller of one endpoint.
#[derive(Debug)]
pub(super) struct Endpoint {
    shared: Shared,
    address: Address,
    health: Health,
    stop: CancellationToken,
    in_flight: u32,
}

/// What a call meant for the endpoint's health.
#[derive(Debug)]
struct Done {
    begun: Mono,
    ended: Mono,
    verdict: Verdict,
    hold: Option<Duration>,
}

impl Endpoint {
    pub(super) const fn new(
        shared: Shared,
        address: Address,
        health: Health,
        stop: CancellationToken,
    ) -> Self {
        Self {
            shared,
            address,
            health,
            stop,
            in_flight: 0,
        }
    }

    /// Calls until it is stopped. Calls in flight then go on by themselves.
    pub(super) async fn run(mut self) {
        let (sender, mut done) = mpsc::channel(DONE_MAX);
        while !self.stop.is_cancelled() {
            let now = self.shared.broker.clock().elapsed();
            match self.health.room(now, self.in_flight, self.most()) {
                Room::Places(places) => match self.claim(places, &mut done, &sender).await {
                    Ok(()) => {}
                    Err(BrokerError::Stopping) => return,
                    Err(_busy) => self.pause(PAUSE, &mut done).await,
                },
                Room::Full => self.pause(LOOK_EVERY, &mut done).await,
                Room::ClosedUntil(until) => {
                    self.pause(until.since(now).min(LOOK_EVERY), &mut done)
                        .await;
                }
            }
        }
    }

    /// Waits, and takes in one outcome if it comes first.
    async fn pause(&mut self, span: Duration, done: &mut mpsc::Receiver<Done>) {
        // Cancel-safe: a token, a receiver and a sleep keep nothing when dropped.
        let outcome = tokio::select! {
            () = self.stop.cancelled() => None,
            outcome = done.recv() => outcome,
            () = tokio::time::sleep(span) => None,
        };
        if let Some(outcome) = outcome {
            self.take_in(&outcome);
        }
    }

    /// Takes up to `places` attempts and starts their calls. Returns without any when room changes.
    async fn claim(
        &mut self,
        places: u32,
        done: &mut mpsc::Receiver<Done>,
        sender: &mpsc::Sender<Done>,
    ) -> Result<(), BrokerError> {
        let spec = SessionSpec {
            agent: self.address.clone(),
            binding: Binding::Http,
            credit: places,
            mode: SessionMode::Once,
        };
        let mut session = self.shared.broker.open_session(spec).await?;
        loop {
            // Cancel-safe: a hand-over that is not taken stays in the session, whose end gives it
            // back; a token and a receiver keep nothing.
            tokio::select! {
                () = self.stop.cancelled() => break,
                outcome = done.recv() => {
                    if let Some(outcome) = outcome {
                        self.take_in(&outcome);
                    }
                    if !self.has_room_for(places) {
                        break;
                    }
                }
                handover = session.next() => {
                    let Some(handover) = handover else {
                        // The broker wants none of us now: paused, deleted, or stopping.
                        session.end_window();
                        return Err(BrokerError::Busy);
                    };
                    self.call(handover, sender);
                    self.call_the_rest(session, sender).await;
                    return Ok(());
                }
            }
        }
        // What has come in between is started already and counts: it is called rather than lost.
        while let Some(handover) = session.try_next() {
            self.call(handover, sender);
        }
        session.end_window();
        Ok(())
    }

    /// The rest of the one hand-over, up to the end of the session.
    async fn call_the_rest(&mut self, mut session: Session, sender: &mpsc::Sender<Done>) {
        while let Some(handover) = session.next().await {
            self.call(handover, sender);
        }
        session.end_window();
    }

    /// True while what was claimed still fits. More room than that is taken by the next claim.
    fn has_room_for(&self, places: u32) -> bool {
        let now = self.shared.broker.clock().elapsed();
        match self.health.room(now, self.in_flight, self.most()) {
            Room::Places(free) => free >= places,
            Room::Full | Room::ClosedUntil(_) => false,
        }
    }

    fn call(&mut self, handover: Handover, sender: &mpsc::Sender<Done>) {
        self.in_flight = self.in_flight.saturating_add(1);
        let (shared, stop, sender) = (
            self.shared.clone(),
            self.shared.tasks.token().clone(),
            sender.clone(),
        );
        let push = async move {
            let done = call(&shared, &stop, &handover).await;
            // An endpoint that is gone needs no outcome any more.
            let _endpoint_gone = sender.send(done).await;
        };
        self.shared.tasks.spawn("push", push);
    }

    fn take_in(&mut self, done: &Done) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(span) = done.hold {
            self.health.hold(done.ended, span);
        }
        match self.health.observe(done.begun, done.ended, done.verdict) {
            Some(Change::Opened(span)) => tracing::warn!(
                agent = %self.address,
                seconds = span.as_secs(),
                "endpoint fails: no calls until the next probe"
            ),
            Some(Change::Closed) => {
                tracing::info!(agent = %self.address, "endpoint answers again");
            }
            None => {}
        }
    }

    /// The agent's own bound of posts at once.
    fn most(&self) -> u32 {
        let registry = self.shared.broker.registry();
        let agent = registry.agent(&self.address);
        agent
            .and_then(|agent| agent.max_in_flight)
            .unwrap_or(LIMIT_MAX)
            .max(1)
    }
}

/// Waits for a slot, makes one call and tells the broker.
async fn call(shared: &Shared, stop: &CancellationToken, handover: &Handover) -> Done {
    let clock = shared.broker.clock();
    // Cancel-safe: a permit that was not given and a token keep nothing when dropped.
    let slot = tokio::select! {
        slot = shared.slots.acquire() => slot.ok(),
        () = stop.cancelled() => None,
    };
    let begun = clock.elapsed();
    let result = match slot {
        Some(_held) => post(shared, handover).await,
        None => Err(Failure::new(
            ErrorClass::LeaseLost,
            "the broker stopped before it was sent",
        )),
    };
    // The answer's time counts, not that of its commit: `Retry-After` runs from here.
    let ended = clock.elapsed();
    let (verdict, hold) = match &result {
        Ok(result) => read(&result.answer, shared.config.retry_after_max),
        Err(_not_sent) => (Verdict::Neither, None),
    };
    tell(shared, handover, result).await;
    Done {
        begun,
        ended,
        verdict,
        hold,
    }
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

/// What an answer says of the endpoint, and for how long it wants no more calls.
fn read(answer: &Answer, hold_max: Duration) -> (Verdict, Option<Duration>) {
    match answer {
        Answer::Acknowledged | Answer::Resumed(_) => (Verdict::Well, None),
        Answer::Failed(failure) => {
            let holds_back = matches!(failure.http_status, Some(429 | 503));
            let hold = failure.retry_after.filter(|_| holds_back);
            (
                Verdict::of(failure.class),
                hold.map(|span| span.to_std().min(hold_max)),
            )
        }
    }
}

/// Hands the outcome to the broker. A busy broker is asked again until the lease is over anyway.
async fn tell(shared: &Shared, handover: &Handover, result: Result<PushResult, Failure>) {
    let command = command_of(handover, result);
    loop {
        let request = Request::plain(handover.intent.id, command.clone());
        match shared.broker.run(request).await {
            Ok(_receipt) => return,
            Err(BrokerError::Busy) if shared.broker.clock().now() < handover.lease_until => {
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
        Ok(PushResult { answer, report }) => (answer, Some(Box::new(report))),
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
        Answer::Resumed(body) => Command::Resume(Box::new(Resume {
            body,
            by: receiver.clone(),
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
