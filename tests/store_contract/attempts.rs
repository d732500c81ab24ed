//! Attempts, as they follow from the facts.

use postroom::domain::agent::Binding;
use postroom::domain::attempt::Outcome;
use postroom::domain::failure::ErrorClass;
use postroom::domain::ids::AttemptId;
use postroom::store::query::{AttemptFilter, PageRequest};

use crate::contract;
use crate::moves::*;
use crate::world::{World, walk};

type Set = fn(&mut AttemptFilter);

contract!(
    attempts_follow_from_the_facts,
    attempts_are_filtered_and_paged,
    an_attempt_whose_lease_went_without_a_word_was_taken,
);

fn attempts_follow_from_the_facts(world: &mut World) {
    let mut first = intent(1);
    first.binding = Binding::Http;
    let first = world.apply(accepted(first));
    let first = world.apply(started(&first, 10, 1));
    let read = |world: &World, attempt: u64| {
        let mut reader = world.reader();
        let filter = AttemptFilter::default();
        let all = walk(9, |page| reader.attempts(&filter, page).unwrap());
        all.into_iter()
            .find(|found| found.id == AttemptId(attempt))
            .unwrap()
    };
    let running = read(world, 1);
    assert_eq!(running.outcome, Outcome::InFlight);
    assert_eq!((running.number, running.binding), (1, Binding::Http));
    assert_eq!((running.started_at, running.finished_at), (at(10), None));
    assert_eq!(
        (running.intent, running.agent),
        (first.id, first.to.clone())
    );

    let first = world.apply(backed_off(&first, 20, ErrorClass::Timeout));
    let failed = read(world, 1);
    assert_eq!(failed.outcome, Outcome::TimedOut);
    assert_eq!(failed.finished_at, Some(at(20)));
    assert_eq!(failed.error_class, Some(ErrorClass::Timeout));
    assert_eq!(failed.error.as_deref(), Some("503 upstream unavailable"));
    assert_eq!(failed.next_attempt_at, Some(at(5_020)));
    assert_eq!(failed.report, Some(report(503)));

    let first = world.apply(offered(&first, 5_020));
    let first = world.apply(started(&first, 5_021, 2));
    world.reopen();
    let first = world.apply(acknowledged(&first, 5_030));
    let taken = read(world, 2);
    assert_eq!(taken.outcome, Outcome::Acknowledged);
    assert_eq!((taken.finished_at, taken.number), (None, 2));
    assert_eq!(taken.report, Some(report(202)));
    world.apply(completed(&first, 5_040));
    let done = read(world, 2);
    assert_eq!(done.outcome, Outcome::Completed);
    assert_eq!(done.finished_at, Some(at(5_040)));
    assert_eq!(done.report, Some(report(202)));
    assert_eq!(read(world, 1), failed);
}

fn attempts_are_filtered_and_paged(world: &mut World) {
    for (millis, to, class) in [
        (1, "orders", Some(ErrorClass::Dns)),
        (2, "billing", Some(ErrorClass::Timeout)),
        (3, "orders", None),
        (4, "orders", Some(ErrorClass::Http5xx)),
    ] {
        let mut intent = intent(millis);
        intent.to = address(to);
        let intent = world.apply(accepted(intent));
        let attempt = u64::try_from(millis).unwrap();
        let intent = world.apply(started(&intent, 10 * millis, 10 + attempt));
        if let Some(class) = class {
            let intent = world.apply(backed_off(&intent, 10 * millis + 5, class));
            if millis == 4 {
                let intent = world.apply(offered(&intent, 50));
                let intent = world.apply(started(&intent, 60, 20));
                world.apply(canceled(&intent, 61));
            }
        }
    }
    let cases: [(&str, Set, &[u64]); 12] = [
        ("any", |_| {}, &[20, 14, 13, 12, 11]),
        ("intent", |f| f.intent = Some(id(4)), &[20, 14]),
        ("absent intent", |f| f.intent = Some(id(99)), &[]),
        (
            "agent",
            |f| f.agent = Some(address("orders")),
            &[20, 14, 13, 11],
        ),
        ("nobody", |f| f.agent = Some(address("nobody")), &[]),
        ("binding", |f| f.binding = Some(Binding::Http), &[]),
        ("in flight", |f| f.outcome = Some(Outcome::InFlight), &[13]),
        ("failed", |f| f.outcome = Some(Outcome::Failed), &[14, 11]),
        ("withdrawn", |f| f.outcome = Some(Outcome::Withdrawn), &[20]),
        (
            "class",
            |f| f.error_class = Some(ErrorClass::Timeout),
            &[12],
        ),
        ("since", |f| f.since = Some(at(30)), &[20, 14, 13]),
        (
            "all",
            |f| {
                f.agent = Some(address("orders"));
                f.error_class = Some(ErrorClass::Dns);
                f.since = Some(at(10));
            },
            &[11],
        ),
    ];
    for (name, set, expected) in cases {
        let mut filter = AttemptFilter::default();
        set(&mut filter);
        let mut reader = world.reader();
        let all = walk(2, |page| reader.attempts(&filter, page).unwrap());
        let all: Vec<u64> = all.iter().map(|attempt| attempt.id.0).collect();
        assert_eq!(all, expected, "{name}");
    }
}

fn an_attempt_whose_lease_went_without_a_word_was_taken(world: &mut World) {
    let first = world.apply(accepted(intent(1)));
    let first = world.apply(started(&first, 10, 1));
    world.apply(slept(&first, 20, 99));
    let mut reader = world.reader();
    let page = reader
        .attempts(&AttemptFilter::default(), &PageRequest::default())
        .unwrap();
    assert_eq!(page.items[0].outcome, Outcome::Acknowledged);
    assert_eq!(page.items[0].finished_at, Some(at(20)));
}
