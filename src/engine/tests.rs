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
use crate::engine::command::*;
use crate::engine::evolve::evolve;
use crate::engine::refusal::Refusal;
use crate::engine::{Context, Decided, check, decide};

/// One intent, a clock and the next fence.
struct World {
    agent: Agent,
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

    fn resume(&mut self, body: Value, attempt: Option<AttemptId>) -> Result<Decided, Refusal> {
        let Value::Object(body) = body else {
            panic!("not an object")
        };
        let by = address("orders");
        let actor = Actor::at(&by);
        let expected_generation = None;
        let report = None;
        self.run(Command::Resume(Box::new(Resume {
            body,
            by,
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

#[test]
fn a_fresh_intent_has_exactly_created_submitted_delivered() {
    let world = World::submitted(Binding::Stream);
    assert_eq!(
        world.names,
        ["intent.created", "intent.submitted", "intent.delivered"]
    );
    assert_eq!(world.intent().status, Status::Delivered);
    assert_eq!(world.intent().state(), State::Queued);
}

#[test]
fn a_result_completes_and_nothing_can_follow() {
    let mut world = World::submitted(Binding::Stream);
    let attempt = world.start();
    world.resume(json!({"order": 1}), Some(attempt)).unwrap();
    assert_eq!(world.intent().status, Status::Completed);
    let again = world.resume(json!({"order": 2}), None);
    assert_eq!(
        again,
        Err(Refusal::Terminal {
            status: Status::Completed
        })
    );
    assert!(matches!(&world.intent().end,
        Some(End::Completed { result }) if result.as_str() == r#"{"order":1}"#));
}

#[test]
fn the_outcome_of_an_old_attempt_changes_nothing() {
    let mut world = World::submitted(Binding::Poll);
    let old = world.start();
    world.wait(300).run(Command::Tick).unwrap();
    world.wait(1).run(Command::Tick).unwrap();
    let new = world.start();
    assert_ne!(old, new);
    let stale = Err(Refusal::StaleAttempt {
        given: old,
        current: Some(new),
    });
    assert_eq!(world.resume(json!({"a": 1}), Some(old)), stale);
    assert_eq!(world.fail_as(Some(old), ErrorClass::Nack, None), stale);
    assert_eq!(world.intent().lease().unwrap().attempt, new);
}

#[test]
fn a_push_is_tried_three_times_and_then_is_a_dead_letter() {
    let mut world = World::submitted(Binding::Http);
    for seconds in [5, 30] {
        world.start();
        world.fail(ErrorClass::Http5xx).unwrap();
        assert_eq!(world.intent().state(), State::Retrying);
        assert!(matches!(
            world.wait(seconds - 1).run(Command::Tick),
            Err(Refusal::NotYet { .. })
        ));
        world.wait(1).run(Command::Tick).unwrap();
    }
    world.start();
    world.fail(ErrorClass::Http5xx).unwrap();
    assert_eq!(world.intent().status, Status::Failed);
    assert_eq!(
        world.intent().dead_letter.as_ref().unwrap().reason,
        DeadReason::Attempts
    );
    assert_eq!(world.intent().state(), State::DeadLetter);
    let end = [
        "intent.attempt_started",
        "intent.delivery_failed",
        "intent.failed",
        "dead_letter.opened",
    ];
    assert_eq!(world.names[world.names.len() - 4..], end);
}

#[test]
fn gone_and_blocked_end_at_once() {
    for (class, reason) in [
        (ErrorClass::Gone410, DeadReason::Permanent),
        (ErrorClass::BlockedAddress, DeadReason::SsrfBlocked),
    ] {
        let mut world = World::submitted(Binding::Http);
        world.start();
        world.fail(class).unwrap();
        assert_eq!(world.intent().dead_letter.as_ref().unwrap().reason, reason);
        assert_eq!(world.intent().attempts, 1);
    }
}

#[test]
fn an_acknowledged_intent_without_result_is_offered_again_as_an_event() {
    let mut world = World::submitted(Binding::Http);
    let attempt = Some(world.start());
    let ack = Acknowledge {
        attempt,
        by: Actor::Broker,
        report: None,
    };
    world.run(Command::Acknowledge(ack)).unwrap();
    assert_eq!(world.intent().status, Status::Acknowledged);
    world.wait(300).run(Command::Tick).unwrap();
    assert_eq!(world.intent().state(), State::Retrying);
    world.wait(5).run(Command::Tick).unwrap();
    assert_eq!(world.intent().status, Status::Delivered);
    assert_eq!(world.names.last(), Some(&"intent.delivered"));
}

#[test]
fn a_broken_connection_gives_back_at_once_and_counts() {
    let mut world = World::submitted(Binding::Stream);
    world.start();
    world
        .fail_as(None, ErrorClass::LeaseLost, Some(Span::ZERO))
        .unwrap();
    assert!(matches!(world.intent().delivery, Delivery::Ready { .. }));
    assert_eq!(world.intent().attempts, 1);
}

#[test]
fn a_deadline_ends_what_nobody_took_as_a_dead_letter_and_is_never_early() {
    let mut world = World::submitted_as(Binding::Stream, |submit| {
        submit.ttl = Some(Span::from_seconds(60));
    });
    assert!(matches!(
        world.wait(59).run(Command::Tick),
        Err(Refusal::NotYet { .. })
    ));
    world.wait(1).run(Command::Tick).unwrap();
    assert_eq!(world.intent().status, Status::TimedOut);
    assert_eq!(
        world.intent().dead_letter.as_ref().unwrap().reason,
        DeadReason::Deadline
    );
    assert_eq!(
        world.resume(json!({}), None),
        Err(Refusal::Terminal {
            status: Status::TimedOut
        })
    );
}

#[test]
fn a_next_try_past_the_deadline_ends_now() {
    let mut world = World::submitted_as(Binding::Http, |submit| {
        submit.ttl = Some(Span::from_seconds(4));
    });
    world.start();
    world.fail(ErrorClass::Http5xx).unwrap();
    assert_eq!(
        world.intent().dead_letter.as_ref().unwrap().reason,
        DeadReason::Deadline
    );
    assert_eq!(world.intent().status, Status::Failed);
}

#[test]
fn an_inbox_intent_waits_for_a_person_whose_yes_completes_and_whose_no_fails() {
    let mut yes = World::submitted(Binding::Inbox);
    assert_eq!(yes.intent().state(), State::WaitingHuman);
    yes.decide(Choice::Yes, "ok", 1, 0).unwrap();
    assert_eq!(yes.intent().status, Status::Completed);
    let mut no = World::submitted(Binding::Inbox);
    no.decide(Choice::No, "duplicate", 1, 0).unwrap();
    assert_eq!(no.intent().status, Status::Failed);
    assert_eq!(
        no.intent().dead_letter.as_ref().unwrap().reason,
        DeadReason::Rejected
    );
    assert!(
        !no.intent().is_open_dead_letter(),
        "a person's no is an answer"
    );
}

#[test]
fn the_first_decision_wins_the_same_again_is_fine_and_the_opposite_is_told_who() {
    let mut world = World::submitted_as(Binding::Stream, |submit| submit.task = Some(task()));
    world.decide(Choice::Yes, "ok", 1, 0).unwrap();
    assert_eq!(world.decide(Choice::Yes, "me too", 1, 0).unwrap().facts, []);
    let Err(Refusal::AlreadyDecided(made)) = world.decide(Choice::No, "", 1, 0) else {
        panic!("the opposite went through")
    };
    assert_eq!(
        (made.outcome.as_str(), &made.by),
        ("approved", &address("alice"))
    );
}

#[test]
fn a_wrong_outcome_and_a_missing_comment_are_refused() {
    let mut world = World::submitted_as(Binding::Stream, |submit| {
        submit.task = Some(Box::new(TaskSpec {
            task_type: TaskType::Override,
            ..*task()
        }));
    });
    assert_eq!(
        world.decide(Choice::Yes, " ", 1, 0),
        Err(Refusal::CommentRequired)
    );
    let maybe = world.resume(json!({"task_result": {"outcome": "maybe"}}), None);
    assert!(matches!(maybe, Err(Refusal::OutcomeNotAllowed { .. })));
    let body = json!({"task_result": {"outcome": "override_approved", "comment": "INC-1"}});
    world.resume(body, None).unwrap();
    assert_eq!(world.intent().status, Status::Completed);
}

#[test]
fn a_held_decision_takes_effect_at_its_instant_unless_it_is_taken_back() {
    let mut world = World::submitted(Binding::Inbox);
    world.decide(Choice::Yes, "ok", 1, 5).unwrap();
    assert_eq!(world.intent().status, Status::Waiting);
    let hold = world.intent().holds[0].id;
    let by = Actor::Broker;
    world
        .wait(4)
        .run(Command::CancelHold {
            hold,
            by: by.clone(),
        })
        .unwrap();
    assert!(
        world.wait(60).run(Command::Tick).is_err(),
        "nothing is left to happen"
    );

    world.decide(Choice::Yes, "ok", 1, 5).unwrap();
    let hold = world.intent().holds[0].id;
    world.wait(5).run(Command::Tick).unwrap();
    assert_eq!(world.intent().status, Status::Completed);
    let late = world.run(Command::CancelHold { hold, by });
    assert_eq!(late, Err(Refusal::HoldElapsed));
}

#[test]
fn a_hold_whose_task_was_decided_meanwhile_ends_refused() {
    let mut world = World::submitted(Binding::Inbox);
    world.decide(Choice::No, "held", 1, 5).unwrap();
    world.wait(1).decide(Choice::Yes, "at once", 1, 0).unwrap();
    let decided = world.wait(4).run(Command::Tick).unwrap();
    assert!(matches!(&decided.facts[0].body,
        FactBody::HoldElapsed { refused: Some(code), .. } if code == "already_decided"));
    assert_eq!(world.intent().status, Status::Completed);
}

fn replay(is_forced: bool, hold: i64) -> Command {
    Command::Replay(Box::new(Replay {
        new_id: id(2),
        new_thread: ThreadId(id(3).0),
        payload: None,
        to: None,
        max_attempts: None,
        is_forced,
        reason: None,
        hold: Span::from_seconds(hold),
        by: address("alice"),
    }))
}

fn dead() -> World {
    let mut world = World::submitted(Binding::Http);
    world.start();
    world.fail(ErrorClass::Gone410).unwrap();
    world
}

#[test]
fn a_replay_is_a_new_intent_that_names_the_old_and_happens_once() {
    let mut world = dead();
    world.run(replay(false, 0)).unwrap();
    let (new_id, Command::Submit(submit)) = &world.then[0] else {
        panic!("no new intent")
    };
    assert_eq!(*new_id, id(2));
    let lineage = submit.replay.as_ref().unwrap();
    assert_eq!((lineage.origin, lineage.replay_of), (id(1), id(1)));
    assert_eq!(submit.payload, PayloadSource::SameAs(id(1)));
    assert_eq!(
        world.run(replay(false, 0)),
        Err(Refusal::AlreadyReplayed(id(2)))
    );
    world.run(replay(true, 0)).unwrap();
}

#[test]
fn a_held_replay_is_made_by_the_timer() {
    let mut world = dead();
    world.run(replay(false, 5)).unwrap();
    assert!(world.then.is_empty());
    world.wait(5).run(Command::Tick).unwrap();
    assert_eq!(world.then.len(), 1);
    let letter = world.intent().dead_letter.as_ref().unwrap();
    assert!(matches!(letter.state, DeadLetterState::Replayed { .. }));
}

#[test]
fn reminders_come_at_their_distances_and_then_the_escalation() {
    let mut world = World::submitted_as(Binding::Inbox, |submit| {
        submit.reminders = ReminderPlan {
            after: Some(Span::from_seconds(30)),
            interval: Some(Span::from_seconds(10)),
            max: Some(2),
            escalate_to: Some("lead".to_owned()),
        };
    });
    world.names.clear();
    for seconds in [30, 10, 10] {
        assert!(world.wait(seconds - 1).run(Command::Tick).is_err());
        world.wait(1).run(Command::Tick).unwrap();
    }
    assert_eq!(
        world.names,
        ["intent.reminder", "intent.reminder", "intent.escalated"]
    );
    assert!(world.wait(1000).run(Command::Tick).is_err());
}

#[test]
fn an_internal_delay_completes_by_itself() {
    let mut world = World::submitted_as(Binding::Internal, |submit| {
        submit.payload = PayloadSource::Given(Payload::of(&json!({"seconds": 2})));
    });
    assert_eq!(world.intent().state(), State::WaitingOther);
    assert!(world.wait(1).run(Command::Tick).is_err());
    world.wait(1).run(Command::Tick).unwrap();
    assert_eq!(world.intent().status, Status::Completed);
}

#[test]
fn a_push_under_way_at_a_crash_counts_and_a_stream_keeps_its_lease() {
    let mut push = World::submitted(Binding::Http);
    push.start();
    push.run(Command::Recover).unwrap();
    assert_eq!(
        push.intent().last_failure.as_ref().unwrap().class,
        ErrorClass::Crash
    );
    let mut stream = World::submitted(Binding::Stream);
    stream.start();
    assert_eq!(stream.run(Command::Recover), Err(Refusal::NotReady));
}

#[test]
fn facts_folded_from_the_first_give_the_state() {
    let mut world = World::submitted(Binding::Stream);
    let mut facts = Vec::new();
    let attempt = world.start();
    facts.extend(
        world
            .resume(json!({"action": "progress"}), Some(attempt))
            .unwrap()
            .facts,
    );
    facts.extend(
        world
            .resume(json!({"action": "fail", "reason": "no"}), None)
            .unwrap()
            .facts,
    );
    assert_eq!(world.intent().status, Status::Failed);
    assert!(
        facts
            .iter()
            .all(|fact| fact.body.attempt().is_none_or(|named| named == attempt))
    );
}
