//! The rules: pure and deterministic.
//!
//! Three functions with three lives:
//! - [`decide`]: what happens. Facts are stored.
//! - [`evolve::evolve`]: what is true then. The state of an intent is the fold of its facts, so recovery,
//!   simulation and normal running share one path.
//! - [`effect::effects_of`]: what the world must do. Never stored: after a crash the lease runs out and the
//!   timer asks again.
//!
//! 1. No clock, no randomness, no I/O, no async: all of that arrives in [`Context`].
//! 2. Facts of one intent have consecutive `seq` from 1; public events among them have consecutive numbers too.
//! 3. A finished intent never changes again, but for its life as a dead letter, its holds and who has
//!    read of it; that a result came too late is written down beside it.
//! 4. An outcome of an old attempt changes nothing; every fact caused by an attempt names it.
//! 5. Attempts never exceed the budget; waiting spends none of it.
//! 6. A refusal changes nothing.
//!
//! Not here: agents and keys (the writer keeps them), how facts are kept (`store`), when
//! and in which order commands run (`broker`).
//! Tested by sentences beside each rule, by [`check`] in debug builds and by the simulator.

pub mod check;
pub mod command;
pub mod dead_letters;
pub mod effect;
pub mod evolve;
pub mod jobs;
pub mod lifecycle;
pub mod refusal;
pub mod retention;
pub mod schema;
pub mod workflow;

mod controls;
mod delivery;
mod escalate;
pub mod form;
mod inbox;
mod resolve;
mod retry;
mod submit;
mod timers;

#[cfg(test)]
mod tests;

use crate::domain::agent::Agent;
use crate::domain::fact::{Actor, Fact, FactBody};
use crate::domain::failure::DeadReason;
use crate::domain::ids::{AttemptId, HoldId, IntentId};
use crate::domain::intent::Intent;
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::engine::command::Command;
use crate::engine::refusal::Refusal;

/// The actions of a resume that mean something, as a hint for who named another.
const ACTIONS: &str = "complete, fail or progress; leave it out to complete with the other keys";

/// Everything a decision depends on that is not in the intent.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The instant of the decision, the same for the whole command.
    pub now: Timestamp,
    /// Chance for this command: jitter, and ids of what a timer makes.
    pub entropy: u64,
    /// The numbers of the rules.
    pub policy: &'a Policy,
    /// The receiver of the intent.
    pub agent: &'a Agent,
    /// Whoever it is escalated to, where that is an agent who may be sent it.
    pub escalation: Option<&'a Agent>,
    /// The fence, should an attempt start.
    pub attempt: AttemptId,
    /// The id, should a hold be placed.
    pub hold: HoldId,
}

/// What a command does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decided {
    /// What happens to the intent, in order. May be empty: asked for what is so already.
    pub facts: Vec<Fact>,
    /// Commands to other intents, to be run in the same commit.
    pub then: Vec<(IntentId, Command)>,
}

/// What the command does to the intent, or why it does nothing.
///
/// # Errors
/// [`Refusal`] names every reason; nothing has changed then.
pub fn decide(
    id: IntentId,
    intent: Option<&Intent>,
    command: &Command,
    ctx: &Context<'_>,
) -> Result<Decided, Refusal> {
    let Some(intent) = intent else {
        return match command {
            Command::Submit(submit) => submit::submit(submit, ctx),
            _ => Err(Refusal::Unknown(id)),
        };
    };
    let mut draft = Draft::of(intent, ctx);
    let is_for_a_person = matches!(
        command,
        Command::Resume(_) | Command::Decide(_) | Command::Reply(_) | Command::Delegate(_)
    );
    if is_for_a_person && intent.run.is_some() {
        workflow::forward(&mut draft, command.clone())?;
        return Ok(draft.done());
    }
    match command {
        Command::Submit(_) => return Err(Refusal::Exists(id)),
        Command::Start(start) => delivery::start(&mut draft, start)?,
        Command::Acknowledge(acknowledge) => delivery::acknowledge(&mut draft, acknowledge)?,
        Command::Fail(fail) => delivery::fail(&mut draft, fail)?,
        Command::Extend(extend) => delivery::extend(&mut draft, extend)?,
        Command::Resume(resume) => resolve::resume(&mut draft, resume)?,
        Command::Resolve(resolve) => resolve::resolve(&mut draft, resolve)?,
        Command::Decide(decide) => inbox::decide(&mut draft, decide)?,
        Command::Reply(reply) => inbox::reply(&mut draft, reply)?,
        Command::Delegate(delegate) => inbox::delegate(&mut draft, delegate)?,
        Command::EmptyMessages { messages, by } => inbox::empty(&mut draft, messages, by),
        Command::MarkRead { by } => inbox::mark_read(&mut draft, by),
        Command::Control(control) => controls::control(&mut draft, control)?,
        Command::RetryNow { by } => delivery::retry_now(&mut draft, by)?,
        Command::Replay(replay) => dead_letters::replay(&mut draft, replay)?,
        Command::Discard(discard) => dead_letters::discard(&mut draft, discard)?,
        Command::CancelHold { hold, by } => inbox::cancel_hold(&mut draft, *hold, by)?,
        Command::RejectResult { attempt, by } => {
            draft.say(by.clone(), FactBody::ResultRejected { attempt: *attempt });
        }
        Command::StepEnded(ended) => workflow::step_ended(&mut draft, ended),
        Command::StepMoved(moved) => workflow::step_moved(&mut draft, moved),
        Command::Escalate { to } => workflow::escalate(&mut draft, to),
        Command::Withdraw => workflow::withdraw(&mut draft),
        Command::Tick => timers::tick(&mut draft)?,
        Command::Recover => delivery::recover(&mut draft)?,
    }
    workflow::follow(&mut draft, intent.is_finished());
    Ok(draft.done())
}

/// Facts being written down. Each is folded at once, so that the next rule sees what is true by then.
struct Draft<'a> {
    intent: Intent,
    ctx: &'a Context<'a>,
    decided: Decided,
    /// Why a step of a run failed, which is for its run to say.
    lost: Option<DeadReason>,
}

impl<'a> Draft<'a> {
    fn of(intent: &Intent, ctx: &'a Context<'a>) -> Self {
        Self {
            intent: intent.clone(),
            ctx,
            decided: Decided::default(),
            lost: None,
        }
    }

    /// Writes down one fact.
    fn say(&mut self, actor: Actor, body: FactBody) {
        let fact = Fact {
            intent: self.intent.id,
            seq: self.intent.seq.saturating_add(1),
            event: body
                .is_public()
                .then(|| self.intent.event_seq.saturating_add(1)),
            at: self.ctx.now,
            actor,
            body,
        };
        evolve::apply(&mut self.intent, &fact);
        self.decided.facts.push(fact);
    }

    /// Asks another intent for something, in the same commit.
    fn then(&mut self, intent: IntentId, command: Command) {
        self.decided.then.push((intent, command));
    }

    fn done(self) -> Decided {
        self.decided
    }

    /// Refuses when the intent has ended.
    fn must_be_open(&self) -> Result<(), Refusal> {
        if self.intent.is_finished() {
            Err(Refusal::Terminal {
                status: self.intent.status,
            })
        } else {
            Ok(())
        }
    }
}

/// A sentence of at most 2000 characters.
fn capped(text: &str) -> String {
    text.chars().take(2000).collect()
}
