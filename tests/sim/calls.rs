//! The endpoint that is called: places, storms, requests for patience, and the limits that an operator sets.

use std::sync::Arc;

use postroom::broker::request::{AdminCommand, AgentPatch};
use postroom::broker::session::SessionSpec;
use postroom::clock::Clock;
use postroom::domain::attempt::AttemptReport;
use postroom::domain::fact::Actor;
use postroom::domain::failure::{ErrorClass, Failure};
use postroom::domain::time::Span;
use postroom::engine::command::{Command, Fail};

use crate::checker::kept_rate;
use crate::receivers::{Connection, resume, told};
use crate::world::{Broken, Step, World, address, note};

/// Calls at once over all endpoints.
pub(crate) const CALLS_MAX: u32 = 3;

impl World {
    pub(crate) fn open_calls(&mut self) -> Result<(), Broken> {
        let start = 1 + u32::try_from(self.rng.below(4)).unwrap_or(0);
        let (id, handovers) = self.core().open(SessionSpec::calls(CALLS_MAX, start))?;
        self.connections.push(Connection { id, handovers });
        Ok(())
    }

    /// The endpoint of an agent cannot be reached for a while, although much is sent there.
    pub(crate) fn storm(&mut self) -> Result<(), Broken> {
        self.open_calls()?;
        for _ in 0..6 {
            let key = 1000 + self.rng.next() % 100_000;
            self.submit_to("billing", key)?;
        }
        for _ in 0..8 {
            self.receive();
            let class = if self.rng.chance(80) {
                ErrorClass::Connect
            } else {
                ErrorClass::Http5xx
            };
            self.end_calls(Some(Failure::new(class, "simulated failure")).as_ref())?;
            let seconds = 1 + i64::try_from(self.rng.below(40)).unwrap_or(0);
            self.clock.advance(Span::from_seconds(seconds));
            self.core().tick()?;
        }
        Ok(())
    }

    /// Every call that runs is answered, at times with a request for patience.
    pub(crate) fn answer_calls(&mut self) -> Result<(), Broken> {
        if self.rng.chance(60) {
            return self.end_calls(None);
        }
        let seconds = i64::try_from(self.rng.below(300)).unwrap_or(0);
        let mut busy = Failure::new(ErrorClass::Http429, "simulated failure");
        busy.http_status = Some(429);
        busy.retry_after = Some(Span::from_seconds(seconds));
        self.end_calls(Some(&busy))
    }

    /// Calls end, each for itself: its place is free before the broker hears of it.
    pub(crate) fn end_calls(&mut self, failure: Option<&Failure>) -> Result<(), Broken> {
        for place in 0..self.works.len() {
            let Some(slot) = self.works[place].slot.take() else {
                continue;
            };
            drop(slot);
            let work = self.works[place].clone();
            let report = Some(Arc::new(AttemptReport::default()));
            let attempt = Some(work.attempt);
            let command = match failure {
                None => told(resume("complete", attempt)),
                Some(failure) => Command::Fail(Fail {
                    attempt,
                    failure: failure.clone(),
                    delay: None,
                    by: Actor::Broker,
                    report,
                }),
            };
            let is_known = self.is_there(work.intent);
            self.ask(work.intent, command)?;
            let is_full = self.core().vitals().room().is_full;
            if !is_known || is_full {
                // Nothing was heard: what this commit started, it might start.
                self.check().map_err(Broken::Rule)?;
            } else if let Some(span) = failure.and_then(|failure| failure.retry_after) {
                self.checker.patience(self.clock.now().after(span));
            }
        }
        Ok(())
    }

    /// What runs fits into its places, seen from the outside.
    pub(crate) fn check_calls(&mut self) -> Step {
        let running = self.works.iter().filter(|work| work.slot.is_some()).count();
        let running = u32::try_from(running).unwrap_or(u32::MAX);
        let now = self.clock.now();
        let billing = self.core().endpoints().of(&address("billing"), now);
        let (told, limit) = billing.map_or((0, 0), |view| (view.in_flight, view.limit));
        let registry = self.core().registry();
        let most = registry.agent(&address("billing"));
        let most = most.and_then(|agent| agent.max_in_flight);
        let limit = limit.min(most.unwrap_or(u32::MAX));
        if running > CALLS_MAX || running != told {
            return Err(format!(
                "I11 {running} calls run, {told} are told, {CALLS_MAX} may"
            ));
        }
        if std::mem::take(&mut self.has_begun_calls) && running > limit {
            return Err(format!("I11 {running} calls run at once, {limit} may"));
        }
        Ok(())
    }

    /// Takes over the rate of the one endpoint that is called, as it is kept. Another one begins with all that
    /// a second brings, and so does the one of a broker that has just started.
    pub(crate) fn see_rate(&mut self, is_new: bool) -> Step {
        let rate = kept_rate(self.reader().as_mut())?;
        let now = self.clock.now();
        self.checker.limit_rate(rate, now, is_new);
        Ok(())
    }

    /// An operator limits how fast, or how many at once, an endpoint is called.
    pub(crate) fn change_endpoint(&mut self) -> Result<(), Broken> {
        let patch = AgentPatch {
            rate_millihertz: Some(*self.rng.pick(&[0, 50, 300, 2_000]).expect("not empty")),
            max_in_flight: self
                .rng
                .chance(50)
                .then(|| 1 + u32::try_from(self.rng.below(4)).unwrap_or(0)),
            ..AgentPatch::default()
        };
        self.patch_endpoint(patch)
    }

    pub(crate) fn patch_endpoint(&mut self, patch: AgentPatch) -> Result<(), Broken> {
        let registry = self.core().registry();
        let agent = registry.agent(&address("billing"));
        let account = agent.and_then(|agent| agent.account).expect("registered");
        let command = AdminCommand::Update {
            account,
            patch: Box::new(patch),
        };
        drop(self.core().administer(command, note())?);
        self.see_rate(false).map_err(Broken::Rule)
    }
}
