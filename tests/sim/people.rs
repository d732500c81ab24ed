//! People who decide, and an operator who changes what is under way.

use postroom::broker::request::AdminCommand;
use postroom::domain::agent::Binding;
use postroom::domain::controls::RetryDelay;
use postroom::domain::fact::Actor;
use postroom::domain::ids::{IntentId, ThreadId};
use postroom::domain::intent::Intent;
use postroom::domain::payload::Payload;
use postroom::domain::status::Status;
use postroom::domain::time::Span;
use postroom::domain::via::Via;
use postroom::engine::command::{
    Choice, Command, Control, Decide, Discard, Replay, Reply, Resolve, Start,
};

use crate::world::{AGENTS, Broken, World, address, note};

impl World {
    pub(crate) fn decide(&mut self) -> Result<(), Broken> {
        let Some(intent) = self.some_intent(|intent| intent.task.is_some()) else {
            return Ok(());
        };
        let by = address("alice");
        if let Some(hold) = intent.holds.first()
            && self.rng.chance(40)
        {
            let command = Command::CancelHold {
                hold: hold.id,
                by: Actor::at(&by),
            };
            self.ask(intent.id, command)?;
            return Ok(());
        }
        let hold = self.hold(50);
        let choice = if self.rng.chance(60) {
            Choice::Yes
        } else {
            Choice::No
        };
        let command = if self.rng.chance(90) {
            let version = self.rng.chance(50).then_some(1);
            let comment = None;
            Command::Decide(Box::new(Decide {
                choice,
                comment,
                data: None,
                version,
                hold,
                by,
                via: Via::Page,
            }))
        } else {
            Command::Reply(Reply {
                message: "which account?".to_owned(),
                by,
                via: Via::Mcp,
            })
        };
        // What is said to a run is meant for whom it asks.
        let run = intent.step.as_ref().map(|step| step.run);
        let id = run.filter(|_run| self.rng.chance(40)).unwrap_or(intent.id);
        self.ask(id, command)?;
        Ok(())
    }

    pub(crate) fn operate(&mut self) -> Result<(), Broken> {
        let by = address("ops");
        let actor = Actor::at(&by);
        let is_letter = self.rng.chance(60);
        let wanted = |intent: &Intent| intent.dead_letter.is_some() == is_letter;
        let Some(intent) = self.some_intent(wanted) else {
            return Ok(());
        };
        let hold = self.hold(50);
        let command = match (is_letter, self.rng.below(4)) {
            (true, 0) => Command::Discard(Discard {
                reason: "noise".to_owned(),
                hold,
                by,
            }),
            (true, _) => Command::Replay(Box::new(Replay {
                new_id: self.new_id(),
                new_thread: ThreadId(self.new_id().0),
                payload: self.rng.chance(20).then(Payload::empty),
                to: None,
                max_attempts: None,
                is_forced: self.rng.chance(10),
                reason: None,
                hold,
                by,
            })),
            (false, 0) => Command::RetryNow { by: actor },
            (false, 1) => Command::Resolve(Resolve {
                status: Status::Canceled,
                result: None,
                error: None,
                reason: None,
                by: actor,
                expected_generation: None,
            }),
            (false, 2) => Command::Control(Box::new(self.control(&intent, actor))),
            (false, _) => return self.start_again(),
        };
        self.ask(intent.id, command)?;
        Ok(())
    }

    /// What governs an intent is changed, at times by somebody who has not seen the last change.
    pub(crate) fn control(&mut self, intent: &Intent, by: Actor) -> Control {
        let mut span = || {
            let seconds = 1 + i64::try_from(self.rng.below(600)).unwrap_or(0);
            self.rng.chance(40).then(|| Span::from_seconds(seconds))
        };
        let (timeout, ttl, ack_timeout, retry_delay) = (span(), span(), span(), span());
        let tries = u32::try_from(self.rng.below(5)).unwrap_or(0);
        let patch = Payload::object(r#"{"simulated":true}"#).expect("an object");
        Control {
            controls: self.rng.chance(50).then(|| patch.clone()),
            envelope: self.rng.chance(50).then_some(patch),
            grants: None,
            timeout,
            ttl,
            expires_at: None,
            max_attempts: self.rng.chance(50).then_some(1 + tries),
            ack_timeout,
            retry_delay: self
                .rng
                .chance(50)
                .then(|| retry_delay.map_or(RetryDelay::Scheduled, RetryDelay::Fixed)),
            reason: None,
            by,
            expected_generation: self
                .rng
                .chance(50)
                .then_some(intent.policy_generation.saturating_sub(tries / 4)),
        }
    }

    /// An eager hand-over of what another has: the writer itself starts only what lies ready. A call starts
    /// only with a place in hand, which nobody has here.
    pub(crate) fn start_again(&mut self) -> Result<(), Broken> {
        let is_held = |intent: &Intent| intent.lease().is_some() && intent.binding != Binding::Http;
        let session = self.connections.first().map(|connection| connection.id);
        let (Some(session), Some(intent)) = (session, self.some_intent(is_held)) else {
            return Ok(());
        };
        let start = Start {
            session,
            binding: intent.binding,
            rows_before: 0,
        };
        self.ask(intent.id, Command::Start(start))?;
        Ok(())
    }

    pub(crate) fn pause(&mut self) -> Result<(), Broken> {
        let (name, _) = *self.rng.pick(&AGENTS[..4]).expect("not empty");
        let address = address(name);
        let command = if self.rng.chance(50) {
            AdminCommand::Pause {
                address,
                reason: "cutover".to_owned(),
            }
        } else {
            AdminCommand::Unpause { address }
        };
        drop(self.core().administer(command, note())?);
        Ok(())
    }

    /// At times a hold: a short one, or one that outlasts retries, leases and reminders of its intent.
    pub(crate) fn hold(&mut self, percent: u64) -> Span {
        if !self.rng.chance(percent) {
            return Span::ZERO;
        }
        let most = if self.rng.chance(50) { 5 } else { 900 };
        Span::from_seconds(1 + i64::try_from(self.rng.below(most)).unwrap_or(0))
    }

    pub(crate) fn some_intent(&mut self, wanted: impl Fn(&Intent) -> bool) -> Option<Intent> {
        let found: Vec<IntentId> = self
            .checker
            .model
            .values()
            .filter(|intent| wanted(intent))
            .map(|intent| intent.id)
            .collect();
        let id = *self.rng.pick(&found)?;
        self.checker.model.get(&id).cloned()
    }
}
