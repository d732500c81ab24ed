//! Who gets what at an address where several listen, and what becomes of it when they go.

use serde_json::json;

use crate::broker::request::BrokerError;
use crate::broker::session::SessionMode;
use crate::clock::Clock as _;
use crate::domain::time::Span;

use super::house;

#[tokio::test]
async fn a_connection_that_breaks_gives_back_at_once_and_the_next_row_is_higher() {
    let house = house().await;
    let id = house.send(1).await;
    let mut first = house.listen(16, true).await;
    let old = first.next().await.unwrap();
    drop(first);
    let mut second = house.listen(16, true).await;
    let new = second.next().await.unwrap();
    assert_eq!((new.intent.id, new.number), (id, 2));
    assert!(new.row_seq() > old.row_seq());
    let stale = house
        .resume(id, Some(old.attempt), json!({"late": true}))
        .await;
    assert!(matches!(stale, Err(BrokerError::Refused(_))));
}

#[tokio::test]
async fn a_window_that_ends_keeps_its_leases_until_a_cold_start_takes_them_over() {
    let house = house().await;
    house.send(1).await;
    let mut first = house.listen(16, true).await;
    first.next().await.unwrap();
    first.end_window();
    let mut warm = house.listen(16, false).await;
    house.broker.tick().await.unwrap();
    assert!(warm.try_next().is_none(), "the client may be working");
    warm.end_window();
    let mut cold = house.listen(16, true).await;
    house.broker.tick().await.unwrap();
    assert!(cold.try_next().is_none(), "another may yet show itself");
    house.clock.advance(Span::from_seconds(2));
    house.broker.tick().await.unwrap();
    assert_eq!(cold.next().await.unwrap().number, 2);
}

#[tokio::test]
async fn replicas_that_restart_one_after_the_other_leave_the_work_of_the_others_to_them() {
    let house = house().await;
    let mut busy = house.listen(16, true).await;
    let mut idle = house.listen(16, true).await;
    let id = house.send(1).await;
    assert_eq!(busy.next().await.unwrap().intent.id, id);
    busy.end_window();
    // More often than there are attempts.
    for _ in 0..4 {
        idle.end_window();
        idle = house.listen(16, true).await;
        house.clock.advance(Span::from_seconds(10));
        house.broker.tick().await.unwrap();
        assert!(idle.try_next().is_none(), "a handler is at work on it");
    }
    idle.end_window();
    house.clock.advance(Span::from_seconds(280));
    house.broker.tick().await.unwrap();
    house.clock.advance(Span::from_seconds(2));
    let mut next = house.listen(16, true).await;
    assert_eq!(next.next().await.unwrap().number, 2, "its lease has ended");
}

#[tokio::test]
async fn several_listeners_compete_and_each_row_goes_to_one() {
    let house = house().await;
    let mut one = house.listen(4, false).await;
    let mut other = house.listen(4, false).await;
    for number in 0..6 {
        house.send(number).await;
    }
    // Answers leave before hand-overs: one more commit, and all are written.
    house.broker.tick().await.unwrap();
    let mut counts = [0, 0];
    while let Some(handover) = one.try_next() {
        assert_eq!(handover.number, 1);
        counts[0] += 1;
    }
    while other.try_next().is_some() {
        counts[1] += 1;
    }
    assert_eq!(counts, [3, 3]);
}

#[tokio::test]
async fn a_poll_gets_up_to_its_limit_once() {
    let house = house().await;
    for number in 0..3 {
        house.send(number).await;
    }
    let mut poll = house.open(2, SessionMode::Once).await;
    let mut rows = 0;
    while poll.next().await.is_some() {
        rows += 1;
    }
    assert_eq!(rows, 2);
    poll.end_window();
    let mut again = house.open(10, SessionMode::Once).await;
    assert!(again.next().await.is_some());
    assert!(again.next().await.is_none(), "leased rows stay invisible");
}

#[tokio::test]
async fn a_poll_that_hangs_up_before_it_read_its_rows_gives_them_back() {
    let house = house().await;
    let id = house.send(1).await;
    let poll = house.open(2, SessionMode::Once).await;
    house.broker.tick().await.unwrap();
    drop(poll);
    let mut again = house.open(2, SessionMode::Once).await;
    let handover = again.next().await.unwrap();
    assert_eq!((handover.intent.id, handover.number), (id, 2));
}

#[tokio::test]
async fn an_agent_between_two_windows_was_seen_when_the_last_one_ended() {
    let house = house().await;
    let second = Span::from_seconds(1);
    let seen = || {
        let snapshot = house.broker.stats().snapshot();
        let rates = snapshot
            .agents
            .first()
            .map(|(_, rates)| rates.clone())
            .unwrap();
        (rates.connections, rates.last_seen_at.unwrap())
    };
    let window = house.listen(16, true).await;
    house.broker.tick().await.unwrap();
    house.clock.advance(second);
    assert_eq!(seen(), (1, house.clock.now()), "it is there");
    window.end_window();
    house.broker.tick().await.unwrap();
    let ended_at = house.clock.now();
    house.clock.advance(second);
    assert_eq!(seen(), (0, ended_at));
}
