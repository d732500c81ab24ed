//! Those who receive: connections that come and go, and reports on any attempt that was ever in somebody's hands.

use std::sync::Arc;

use postroom::broker::session::{Handover, SessionMode, SessionSpec, Slot};
use postroom::clock::Clock;
use postroom::domain::agent::Binding;
use postroom::domain::attempt::AttemptReport;
use postroom::domain::fact::{Actor, FactBody};
use postroom::domain::failure::{ErrorClass, Failure};
use postroom::domain::ids::{AttemptId, IntentId, SessionId};
use postroom::domain::payload::{Entries, Payload};
use postroom::domain::time::{Span, Timestamp};
use postroom::domain::via::Via;
use postroom::engine::command::{Acknowledge, Command, Extend, Fail, Resume};
use tokio::sync::mpsc;

use crate::world::{AGENTS, Broken, World, address};

pub(crate) struct Connection {
    pub(crate) id: SessionId,
    pub(crate) handovers: mpsc::Receiver<Handover>,
}

/// An attempt that a receiver has in its hands, and may report on at any time, or never.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) intent: IntentId,
    pub(crate) attempt: AttemptId,
    pub(crate) binding: Binding,
    /// The connection that it came over.
    pub(crate) session: SessionId,
    /// The place of a call that has not ended.
    pub(crate) slot: Option<Slot>,
}

impl World {
    pub(crate) fn connect(&mut self) -> Result<(), Broken> {
        let (name, binding) = *self.rng.pick(&AGENTS[..4]).expect("not empty");
        if binding == Binding::Http {
            return self.open_calls();
        }
        let mode = if binding == Binding::Poll {
            SessionMode::Once
        } else {
            let is_cold_start = binding == Binding::Stream && self.rng.chance(50);
            SessionMode::Standing { is_cold_start }
        };
        let credit = 1 + u32::try_from(self.rng.below(4)).unwrap_or(0);
        let spec = SessionSpec {
            agent: address(name),
            binding,
            credit,
            mode,
        };
        let (id, handovers) = self.core().open(spec)?;
        self.connections.push(Connection { id, handovers });
        Ok(())
    }

    /// Receivers take what was written to them.
    pub(crate) fn receive(&mut self) {
        for connection in &mut self.connections {
            while let Ok(handover) = connection.handovers.try_recv() {
                let lease = handover.intent.lease();
                self.has_begun_calls |= handover.slot.is_some();
                self.works.push(Work {
                    session: connection.id,
                    slot: handover.slot,
                    intent: handover.intent.id,
                    attempt: handover.attempt,
                    binding: lease.map_or(Binding::Stream, |lease| lease.binding),
                });
            }
        }
    }

    pub(crate) fn disconnect(&mut self) -> Result<(), Broken> {
        if self.connections.is_empty() {
            return Ok(());
        }
        let place = self.rng.below(self.connections.len());
        let mut connection = self.connections.swap_remove(place);
        // Whoever made the calls of a connection has gone with it.
        for work in &mut self.works {
            if work.session == connection.id {
                work.slot = None;
            }
        }
        if self.rng.chance(50) {
            self.core().break_off(connection.id)?;
        } else {
            let mut unwritten = Vec::new();
            connection.handovers.close();
            while let Ok(handover) = connection.handovers.try_recv() {
                unwritten.push((handover.attempt, handover.intent.id));
            }
            self.core().end_window(connection.id, unwritten)?;
        }
        Ok(())
    }

    /// A receiver says something about an attempt: the newest, an old one, one it reported before.
    pub(crate) fn report(&mut self) -> Result<(), Broken> {
        let place = self.rng.below(self.works.len());
        let Some(work) = self.works.get_mut(place) else {
            return Ok(());
        };
        // Mostly it is the call's own end; else the receiver says it by a call of its own.
        let ends_call = work.binding == Binding::Http && self.rng.chance(80);
        let had_slot = work.slot.is_some();
        if ends_call {
            work.slot = None;
        }
        let work = work.clone();
        let is_known = self.is_there(work.intent);
        let report = ends_call.then(|| Arc::new(AttemptReport::default()));
        let mut patience = None;
        let attempt = Some(work.attempt);
        let by = Actor::Party("receiver".to_owned());
        let failure = |class| Failure::new(class, "simulated failure 503");
        let retry_after = self.rng.chance(20).then(|| Span::from_seconds(7));
        let command = match self.rng.below(10) {
            0..=3 => resume("complete", attempt),
            4 => resume("fail", attempt),
            5 => resume("progress", attempt),
            6 => Command::Acknowledge(Acknowledge {
                attempt,
                by,
                report,
            }),
            7 => {
                let span = self.rng.chance(70).then(|| self.seconds(1, 1_200));
                Command::Extend(Extend { attempt, span, by })
            }
            _ => {
                let class = match (work.binding, self.rng.below(4)) {
                    (Binding::Http, 0) => ErrorClass::Timeout,
                    (Binding::Http, 1) => ErrorClass::Gone410,
                    (Binding::Http, 2) => ErrorClass::Http429,
                    (Binding::Http, _) => ErrorClass::Http5xx,
                    _ => ErrorClass::Nack,
                };
                let mut failure = failure(class);
                failure.retry_after = retry_after;
                if class == ErrorClass::Http429 {
                    failure.http_status = Some(429);
                    let is_heard = had_slot && ends_call && is_known;
                    patience = retry_after
                        .filter(|_| is_heard)
                        .map(|span| self.clock.now().after(span));
                }
                let may_say = work.binding.is_pull() && self.rng.chance(50);
                let delay = may_say.then(|| self.seconds(0, 400));
                if delay.is_some() {
                    failure.retry_after = None;
                }
                Command::Fail(Fail {
                    attempt,
                    failure,
                    delay,
                    by,
                    report,
                })
            }
        };
        let asked = asked_time(&command);
        let command = if ends_call { told(command) } else { command };
        let answer = self.ask(work.intent, command)?;
        // What could not be written down need not have been heard.
        let is_full = self.core().vitals().room().is_full;
        if let Some(until) = patience.filter(|_until| !is_full) {
            self.checker.patience(until);
        }
        let Some(receipt) = answer else {
            return Ok(());
        };
        for fact in &receipt.facts {
            if fact
                .body
                .attempt()
                .is_some_and(|named| named != work.attempt)
            {
                let seen = format!(
                    "I7 a report of {} moved {:?}",
                    work.attempt,
                    fact.body.attempt()
                );
                return Err(Broken::Rule(seen));
            }
            if let (Some(span), Some(until)) = (asked, told_time(&fact.body))
                && fact.at.after(span) != until
            {
                let seen = format!("{span:?} asked for at {}, got {until}", fact.at);
                return Err(Broken::Rule(seen));
            }
        }
        Ok(())
    }

    /// False once retention has removed it. A call that outlives its intent is nobody's: real ones end in
    /// seconds.
    pub(crate) fn is_there(&mut self, id: IntentId) -> bool {
        let found = self.reader().intent(id);
        found.is_ok_and(|found| found.is_some())
    }
}

/// The time that a report asks for.
fn asked_time(command: &Command) -> Option<Span> {
    match command {
        Command::Extend(extend) => extend.span,
        Command::Fail(fail) => fail.delay,
        _ => None,
    }
}

/// Until when a fact says that something lasts.
fn told_time(body: &FactBody) -> Option<Timestamp> {
    match body {
        FactBody::LeaseExtended { lease_until, .. } => Some(*lease_until),
        FactBody::AttemptFailed { next_at, .. } => Some(*next_at),
        _ => None,
    }
}

/// The same, said by whoever made the call: with what it saw.
pub(crate) fn told(command: Command) -> Command {
    let report = Some(Arc::new(AttemptReport::default()));
    match command {
        Command::Resume(resume) => Command::Resume(Box::new(Resume { report, ..*resume })),
        other => other,
    }
}

pub(crate) fn resume(action: &str, attempt: Option<AttemptId>) -> Command {
    let mut body = Entries::default();
    body.set("action", Payload::of(&action.into()));
    let by = address("orders");
    Command::Resume(Box::new(Resume {
        body,
        actor: Actor::at(&by),
        by,
        via: Via::Api,
        attempt,
        expected_generation: None,
        report: None,
    }))
}
