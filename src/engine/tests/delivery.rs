//! Hand-over, retries, ends.

use super::*;

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
