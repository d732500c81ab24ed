//! The rules as sentences. Every step is checked against the invariants.

use serde_json::{Value, json};

use crate::domain::address::{Address, Home};
use crate::domain::agent::{Agent, Binding};
use crate::domain::fact::{Actor, FactBody};
use crate::domain::failure::{DeadReason, ErrorClass, Failure};
use crate::domain::ids::{AttemptId, HoldId, IntentId, SessionId, ThreadId};
use crate::domain::intent::{DeadLetterState, Delivery, End, Intent};
use crate::domain::payload::Payload;
use crate::domain::policy::Policy;
use crate::domain::status::{State, Status};
use crate::domain::task::{ReminderPlan, TaskSpec, TaskType};
use crate::domain::time::{Span, Timestamp};
use crate::domain::via::Via;
use crate::engine::command::*;
use crate::engine::evolve::evolve;
use crate::engine::refusal::Refusal;
use crate::engine::{Context, Decided, check, decide};

/// One intent, a clock and the next fence.
struct World {
    agent: Agent,
    escalation: Option<Agent>,
    policy: Policy,
    now: Timestamp,
    next_attempt: u64,
    intent: Option<Intent>,
    then: Vec<(IntentId, Command)>,
    names: Vec<&'static str>,
}

fn address(name: &str) -> Address {
    Address::parse(name, &Home::default()).unwrap()
}

fn id(number: u8) -> IntentId {
    IntentId::new(1_000, [number; 10])
}

impl World {
    fn of(binding: Binding) -> Self {
        let now = Timestamp::from_millis(1_775_901_600_000);
        let mut agent = Agent::mailbox(address("orders"), now);
        agent.binding = binding;
        let policy = Policy {
            jitter_percent: 0,
            ..Policy::default()
        };
        Self {
            agent,
            escalation: None,
            policy,
            now,
            next_attempt: 1,
            intent: None,
            then: vec![],
            names: vec![],
        }
    }

    fn submitted(binding: Binding) -> Self {
        Self::submitted_as(binding, |_| {})
    }

    fn submitted_as(binding: Binding, change: impl FnOnce(&mut Submit)) -> Self {
        let mut world = Self::of(binding);
        let mut submit = Submit {
            id: id(1),
            thread: ThreadId(id(9).0),
            intent_type: "intent.order.process.v1".to_owned(),
            correlation_id: "0d3e".to_owned(),
            from: address("web"),
            to: address("orders"),
            reply_to: None,
            trace_id: None,
            payload: PayloadSource::Given(Payload::empty()),
            payload_bytes: 2,
            deadline: None,
            ttl: None,
            max_attempts: None,
            reminders: ReminderPlan::default(),
            task: None,
            replay: None,
            part: Part::Plain,
        };
        change(&mut submit);
        world.run(Command::Submit(Box::new(submit))).unwrap();
        world
    }

    #[expect(
        clippy::needless_pass_by_value,
        clippy::unwrap_in_result,
        reason = "tests read better that way"
    )]
    fn run(&mut self, command: Command) -> Result<Decided, Refusal> {
        let ctx = Context {
            now: self.now,
            entropy: 7,
            policy: &self.policy,
            agent: &self.agent,
            escalation: self.escalation.as_ref(),
            attempt: AttemptId(self.next_attempt),
            hold: HoldId(self.next_attempt),
        };
        self.next_attempt += 1;
        let decided = decide(id(1), self.intent.as_ref(), &command, &ctx)?;
        let before = self.intent.clone();
        for fact in &decided.facts {
            self.intent = evolve(self.intent.take(), fact);
        }
        check::check_step(
            before.as_ref(),
            &decided.facts,
            self.intent.as_ref().unwrap(),
        )
        .unwrap();
        self.names
            .extend(decided.facts.iter().map(|fact| fact.body.type_name()));
        self.then.extend(decided.then.clone());
        Ok(decided)
    }

    fn wait(&mut self, seconds: i64) -> &mut Self {
        self.now = self.now.after(Span::from_seconds(seconds));
        self
    }

    fn start(&mut self) -> AttemptId {
        let start = Start {
            session: SessionId(1),
            binding: self.agent.binding,
            rows_before: 0,
        };
        self.run(Command::Start(start)).unwrap();
        self.intent().lease().unwrap().attempt
    }

    fn fail(&mut self, class: ErrorClass) -> Result<Decided, Refusal> {
        self.fail_as(None, class, None)
    }

    fn fail_as(
        &mut self,
        attempt: Option<AttemptId>,
        class: ErrorClass,
        delay: Option<Span>,
    ) -> Result<Decided, Refusal> {
        let failure = Failure::new(class, "503 upstream unavailable");
        self.run(Command::Fail(Fail {
            attempt,
            failure,
            delay,
            by: Actor::Broker,
            report: None,
        }))
    }

    #[expect(clippy::needless_pass_by_value, reason = "written where it is passed")]
    fn resume(&mut self, body: Value, attempt: Option<AttemptId>) -> Result<Decided, Refusal> {
        let body = Payload::of(&body).entries().expect("an object");
        let by = address("orders");
        let actor = Actor::at(&by);
        let expected_generation = None;
        let report = None;
        self.run(Command::Resume(Box::new(Resume {
            body,
            by,
            via: Via::Api,
            actor,
            attempt,
            expected_generation,
            report,
        })))
    }

    fn decide(
        &mut self,
        choice: Choice,
        comment: &str,
        version: u32,
        hold: i64,
    ) -> Result<Decided, Refusal> {
        self.run(Command::Decide(Box::new(Decide {
            choice,
            comment: Some(comment.to_owned()),
            data: None,
            version: Some(version),
            hold: Span::from_seconds(hold),
            by: address("alice"),
            via: Via::Console,
        })))
    }

    fn intent(&self) -> &Intent {
        self.intent.as_ref().unwrap()
    }
}

fn task() -> Box<TaskSpec> {
    Box::new(TaskSpec {
        title: "Approve refund".to_owned(),
        description: None,
        task_type: TaskType::Approval,
        allowed_outcomes: vec![],
        is_comment_required: false,
        assignees: vec![],
        is_evidence_required: false,
        form_schema: None,
        notify_email: None,
    })
}

mod delivery;
mod people;
