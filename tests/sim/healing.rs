//! The end of a story: no more faults, healthy receivers, decided people. Everything must end.

use postroom::broker::request::{AdminCommand, AgentPatch};
use postroom::broker::session::{SessionMode, SessionSpec};
use postroom::clock::Clock;
use postroom::domain::agent::Binding;
use postroom::domain::ids::IntentId;
use postroom::domain::intent::Intent;
use postroom::domain::time::Span;
use postroom::domain::via::Via;
use postroom::engine::command::{Choice, Command, Decide};

use crate::calls::CALLS_MAX;
use crate::faults::Fault;
use crate::receivers::{Connection, resume, told};
use crate::world::{AGENTS, LOW_BYTES, Step, World, address, note};

impl World {
    /// No more faults, healthy receivers, decided people: everything must end.
    pub(crate) fn heal(&mut self) -> Step {
        self.plan.next(Fault::None);
        self.crash()?;
        self.core()
            .measure(Some(LOW_BYTES * 2))
            .map_err(|error| error.to_string())?;
        let unlimited = AgentPatch {
            rate_millihertz: Some(0),
            ..AgentPatch::default()
        };
        self.patch_endpoint(unlimited)
            .map_err(|broken| format!("{broken:?}"))?;
        for (name, _) in AGENTS {
            let command = AdminCommand::Unpause {
                address: address(name),
            };
            self.core()
                .administer(command, note())
                .map_err(|error| error.to_string())?
                .map_err(|refusal| refusal.to_string())?;
        }
        for (name, binding) in &AGENTS[..4] {
            let mode = SessionMode::Standing {
                is_cold_start: *binding == Binding::Stream,
            };
            let spec = if *binding == Binding::Http {
                SessionSpec::calls(CALLS_MAX, 4)
            } else {
                SessionSpec {
                    agent: address(name),
                    binding: *binding,
                    credit: 64,
                    mode,
                }
            };
            let (id, handovers) = self.core().open(spec).map_err(|error| error.to_string())?;
            self.connections.push(Connection { id, handovers });
        }
        for _ in 0..3_000 {
            if self
                .checker
                .model
                .values()
                .all(|intent| intent.is_finished() && intent.holds.is_empty())
                && !self.has_live_jobs()
            {
                break;
            }
            self.resume_jobs()?;
            self.works.clear();
            self.receive();
            self.check_calls()?;
            // What one end brings about at once is done at once: steps have deadlines.
            while self.settle_all()? {
                self.receive();
                self.check()?;
            }
            // As long as the writer would sleep.
            let most = self.clock.now().after(Span::from_seconds(120));
            let due = self.core().next_due().unwrap_or(most).min(most);
            let span = due.since(self.clock.now()).max(Span::from_seconds(1));
            self.clock.advance(span);
            self.core().tick().map_err(|error| error.to_string())?;
            self.check()?;
        }
        Ok(())
    }

    /// Everything that somebody has in hand, and every question, is answered well. False when there was none.
    pub(crate) fn settle_all(&mut self) -> Result<bool, String> {
        let works = std::mem::take(&mut self.works);
        let wanted = |intent: &&Intent| intent.open_task().is_some();
        let waiting = self.checker.model.values().filter(wanted);
        let waiting: Vec<IntentId> = waiting.map(|intent| intent.id).collect();
        let is_any = !works.is_empty() || !waiting.is_empty();
        for work in works {
            let mut command = resume("complete", Some(work.attempt));
            if work.binding == Binding::Http {
                command = told(command);
            }
            drop(work.slot);
            self.settle(work.intent, command)?;
        }
        for id in waiting {
            let by = address("alice");
            let (choice, hold) = (Choice::Yes, Span::ZERO);
            let decide = Decide {
                choice,
                comment: None,
                data: None,
                version: None,
                hold,
                by,
                via: Via::Api,
            };
            self.settle(id, Command::Decide(Box::new(decide)))?;
        }
        Ok(is_any)
    }

    pub(crate) fn settle(&mut self, id: IntentId, command: Command) -> Step {
        self.ask(id, command)
            .map(|_| ())
            .map_err(|broken| format!("{broken:?}"))
    }
}
