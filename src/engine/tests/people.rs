//! Tasks, holds, replays and what happens by itself.

use super::*;

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

#[test]
fn a_wait_that_was_over_before_its_deadline_is_completed_however_late_the_broker_looks() {
    let waiting = |ttl: i64| {
        World::submitted_as(Binding::Internal, |submit| {
            submit.payload = PayloadSource::Given(Payload::of(&json!({"seconds": 20})));
            submit.ttl = Some(Span::from_seconds(ttl));
        })
    };
    let mut world = waiting(30);
    world.wait(3600).run(Command::Tick).unwrap();
    assert_eq!(world.intent().status, Status::Completed);
    let mut world = waiting(19);
    world.wait(3600).run(Command::Tick).unwrap();
    assert_eq!(world.intent().status, Status::TimedOut);
}

#[test]
fn what_is_handed_in_with_a_held_decision_counts_when_it_takes_effect() {
    let mut world = World::submitted_as(Binding::Stream, |submit| {
        submit.task = Some(Box::new(TaskSpec {
            is_evidence_required: true,
            form_schema: Some(Payload::of(&json!({ "required": ["amount"],
                "properties": { "amount": { "type": "integer" } } }))),
            ..*task()
        }));
    });
    let body = json!({"hold_seconds": 5, "task_result":
        {"outcome": "approved", "data": {"amount": "12", "evidence": "photo"}}});
    world.resume(body, None).unwrap();
    assert_eq!(world.intent().status, Status::Waiting);
    world.wait(5).run(Command::Tick).unwrap();
    let Some(End::Completed { result }) = &world.intent().end else {
        panic!("{:?}", world.intent().end)
    };
    assert_eq!(result.to_value()["amount"], json!(12));
    assert_eq!(result.to_value()["evidence"], json!("photo"));
}
