//! Pages and filters of intents, and the cursors of every list.

use std::sync::Arc;

use postroom::domain::failure::DeadReason;
use postroom::domain::intent::Intent;
use postroom::domain::status::{State, Status};
use postroom::store::error::StoreError;
use postroom::store::query::{
    AttemptFilter, AuditFilter, IntentFilter, LetterFilter, PageRequest, ThreadFilter,
};

use crate::contract;
use crate::moves::*;
use crate::world::{World, walk};

type Set = fn(&mut IntentFilter);

contract!(
    pages_give_everything_once_while_more_comes_in,
    every_filter_of_intents_means_what_it_says,
    intents_are_found_by_any_beginning_and_end_of_their_id,
    intents_are_found_by_their_correlation_id,
    intents_are_found_by_a_text_a_piece_of_the_list_at_a_time,
    the_times_of_a_filter_hold_when_the_clock_went_back,
    a_cursor_that_was_not_issued_for_the_list_is_refused,
    the_oldest_unfinished_intent_is_the_one_accepted_first,
);

fn found(world: &World, filter: &IntentFilter) -> Vec<i64> {
    let mut reader = world.reader();
    let all = walk(2, |page| reader.intents(filter, page).unwrap());
    names(&all)
}

pub(crate) fn names(intents: &[Arc<Intent>]) -> Vec<i64> {
    intents
        .iter()
        .map(|intent| intent.created_at.since(at(0)).as_millis())
        .collect()
}

fn pages_give_everything_once_while_more_comes_in(world: &mut World) {
    world.write(all_accepted((0..25).map(intent)));
    let mut next = 25;
    let mut reader = world.reader();
    let filter = IntentFilter::default();
    let mut seen = walk(4, |page| {
        let found = reader.intents(&filter, page).unwrap();
        world.write(all_accepted([intent(next)]));
        next += 1;
        found
    });
    seen.retain(|intent| intent.created_at < at(25));
    assert_eq!(names(&seen), (0..25).rev().collect::<Vec<_>>());
    assert_eq!(found(world, &filter), (0..next).rev().collect::<Vec<_>>());
}

fn every_filter_of_intents_means_what_it_says(world: &mut World) {
    let mut second = intent(2);
    second.to = address("billing");
    second.intent_type = "intent.bill.v1".to_owned();
    let mut third = intent(3);
    third.from = address("orders");
    third.reply_to = Some(address("desk"));
    let mut fourth = intent(4);
    (fourth.origin, fourth.replay_of) = (id(1), Some(id(1)));
    world.write(all_accepted([intent(1), second, third, fourth]));
    let first = world.read(id(1)).unwrap();
    let first = world.apply(started(&first, 10, 1));
    world.apply(dead(&first, 11, DeadReason::Attempts, "f1:aaaa"));
    let third = world.read(id(3)).unwrap();
    let third = world.apply(started(&third, 12, 2));
    world.apply(completed(&third, 13));
    let fourth = world.read(id(4)).unwrap();
    world.apply(started(&fourth, 14, 3));

    let cases: [(&str, Set, &[i64]); 22] = [
        ("any", |_| {}, &[4, 3, 2, 1]),
        ("status", |f| f.statuses = vec![Status::Delivered], &[4, 2]),
        (
            "statuses",
            |f| f.statuses = vec![Status::Failed, Status::Completed],
            &[3, 1],
        ),
        (
            "absent status",
            |f| f.statuses = vec![Status::Canceled],
            &[],
        ),
        ("state", |f| f.states = vec![State::DeadLetter], &[1]),
        (
            "states",
            |f| f.states = vec![State::Queued, State::InFlight],
            &[4, 2],
        ),
        ("unfinished", |f| f.is_unfinished = true, &[4, 2]),
        ("to", |f| f.to = Some(address("orders")), &[4, 3, 1]),
        ("from", |f| f.from = Some(address("orders")), &[3]),
        (
            "from and to",
            |f| {
                f.from = Some(address("web"));
                f.to = Some(address("orders"));
            },
            &[4, 1],
        ),
        ("party", |f| f.party = Some(address("orders")), &[4, 3, 1]),
        ("party by reply", |f| f.party = Some(address("desk")), &[3]),
        (
            "party and to",
            |f| {
                f.party = Some(address("orders"));
                f.to = Some(address("orders"));
                f.statuses = vec![Status::Delivered];
            },
            &[4],
        ),
        ("stranger", |f| f.party = Some(address("stranger")), &[]),
        (
            "type",
            |f| f.intent_type = Some("intent.bill.v1".to_owned()),
            &[2],
        ),
        (
            "type begins",
            |f| f.intent_type = Some("intent.order.*".to_owned()),
            &[4, 3, 1],
        ),
        (
            "any type",
            |f| f.intent_type = Some("*".to_owned()),
            &[4, 3, 2, 1],
        ),
        (
            "absent type",
            |f| f.intent_type = Some("intent.bill".to_owned()),
            &[],
        ),
        ("origin", |f| f.origin = Some(id(1)), &[4, 1]),
        ("since", |f| f.since = Some(at(3)), &[4, 3]),
        ("until", |f| f.until = Some(at(3)), &[2, 1]),
        (
            "all at once",
            |f| {
                f.statuses = vec![Status::Delivered, Status::Failed];
                f.states = vec![State::DeadLetter, State::Queued];
                f.to = Some(address("orders"));
                f.intent_type = Some("intent.order*".to_owned());
                (f.since, f.until) = (Some(at(1)), Some(at(4)));
            },
            &[1],
        ),
    ];
    for (name, set, expected) in cases {
        let mut filter = IntentFilter::default();
        set(&mut filter);
        assert_eq!(found(world, &filter), expected, "{name}");
    }
}

fn intents_are_found_by_any_beginning_and_end_of_their_id(world: &mut World) {
    world.write(all_accepted((1..40).map(intent)));
    let wanted = id(17);
    let text = wanted.to_string();
    for length in [8, 9, 13, 14, 20, 30, 36] {
        for part in [&text[..length], &text[36 - length..]] {
            for part in [part.to_owned(), part.to_uppercase(), format!(" {part} ")] {
                let filter = IntentFilter {
                    text: Some(part.clone()),
                    ..IntentFilter::default()
                };
                assert!(found(world, &filter).contains(&17), "{part:?}");
            }
        }
    }
    let end = |text: &str| {
        let filter = IntentFilter {
            text: Some(text.to_owned()),
            ..IntentFilter::default()
        };
        found(world, &filter)
    };
    assert_eq!(end(&wanted.short()), vec![17]);
    assert_eq!(end(&text[27..]), vec![17]);
    assert_eq!(end("no such thing"), Vec::<i64>::new());
    assert_eq!(end(&format!("f{}", &text[28..])), Vec::<i64>::new());
    assert_eq!(end(" ").len(), 39);
}

fn intents_are_found_by_a_text_a_piece_of_the_list_at_a_time(world: &mut World) {
    world.write(all_accepted((1..40).map(intent)));
    let dying = world.read(id(17)).unwrap();
    let dying = world.apply(started(&dying, 50, 1));
    world.apply(dead(&dying, 51, DeadReason::Attempts, "f1:aaaa"));
    let message = world.read(id(17)).unwrap().last_failure.clone().unwrap();
    let part = message.message.get(1..).unwrap().to_uppercase();
    let mut reader = world.reader();
    let payload = reader.payload(id(3)).unwrap().unwrap();
    let mut look = |texts: &[&str], limit: u32| {
        let filter = IntentFilter {
            contains: texts.iter().map(|text| (*text).to_owned()).collect(),
            ..IntentFilter::default()
        };
        let mut pages = 0;
        let all = walk(limit, |page| {
            pages += 1;
            reader.intents(&filter, page).unwrap()
        });
        (names(&all), pages)
    };
    // Thirty-nine intents, ten to a page, most of which hold nothing.
    assert_eq!(look(&[&part], 10), (vec![17], 4));
    assert_eq!(look(&[&part, &id(17).short()], 100), (vec![17], 1));
    assert_eq!(look(&[&part, &id(18).short()], 100), (Vec::new(), 1));
    // The payload is looked through as well, and so is the receiver.
    assert!(
        look(&[payload.as_str().trim_matches(['{', '}'])], 100)
            .0
            .contains(&3)
    );
}

fn intents_are_found_by_their_correlation_id(world: &mut World) {
    let mut odd = intent(2);
    odd.correlation_id = "order-77".to_owned();
    let mut same = intent(3);
    same.correlation_id = "00000000-0000-4000-8000-00000000abcd".to_owned();
    let mut alike = intent(4);
    alike.correlation_id = "00000000-0000-4000-8000-00000000abce".to_owned();
    let again = {
        let mut again = intent(5);
        again.correlation_id = same.correlation_id.clone();
        again
    };
    world.write(all_accepted([intent(1), odd, same, alike, again]));
    let by = |correlation: Option<&str>, text: Option<&str>| {
        let filter = IntentFilter {
            correlation_id: correlation.map(str::to_owned),
            text: text.map(str::to_owned),
            ..IntentFilter::default()
        };
        found(world, &filter)
    };
    assert_eq!(by(Some("order-77"), None), vec![2]);
    assert_eq!(
        by(Some("00000000-0000-4000-8000-00000000abcd"), None),
        vec![5, 3]
    );
    assert_eq!(by(Some("00000000-0000-4000-8000"), None), Vec::<i64>::new());
    assert_eq!(
        by(None, Some("0000-0000-4000-8000-00000000ABC")),
        Vec::<i64>::new()
    );
    assert_eq!(
        by(None, Some("00000000-0000-4000-8000-00000000ABC")),
        vec![5, 4, 3]
    );
    assert_eq!(by(None, Some("order-7")), vec![2]);
}

fn the_times_of_a_filter_hold_when_the_clock_went_back(world: &mut World) {
    // More than one shelf of intents, accepted out of order here and there.
    let times = (0..5_000).map(|n: i64| {
        if n % 1_000 == 999 {
            n - 900
        } else {
            n + 10_000
        }
    });
    let intents = times.clone().map(intent);
    world.write(all_accepted(intents));
    for (since, until) in [
        (9_000, 9_500),
        (13_000, 13_005),
        (14_990, 20_000),
        (0, 100),
        (0, 1),
    ] {
        let filter = IntentFilter {
            since: Some(at(since)),
            until: Some(at(until)),
            ..IntentFilter::default()
        };
        let mut expected: Vec<i64> = times.clone().collect();
        expected.reverse();
        expected.retain(|time| (since..until).contains(time));
        let mut reader = world.reader();
        let all = walk(100, |page| reader.intents(&filter, page).unwrap());
        assert_eq!(names(&all), expected, "{since}..{until}");
    }
}

fn a_cursor_that_was_not_issued_for_the_list_is_refused(world: &mut World) {
    world.write(all_accepted((0..3).map(intent)));
    let mut reader = world.reader();
    let first = PageRequest {
        limit: 1,
        cursor: None,
    };
    let issued = reader.intents(&IntentFilter::default(), &first).unwrap();
    let issued = issued.next.unwrap();
    for cursor in [issued.as_str(), "", "?", "AAAAAAAAAAAA"] {
        let page = PageRequest {
            limit: 1,
            cursor: Some(cursor.to_owned()),
        };
        let bad = StoreError::BadCursor(cursor.to_owned());
        if cursor == issued {
            assert!(reader.intents(&IntentFilter::default(), &page).is_ok());
        } else {
            let refused = reader.intents(&IntentFilter::default(), &page);
            assert_eq!(refused.unwrap_err(), bad);
        }
        let refused = reader.attempts(&AttemptFilter::default(), &page);
        assert_eq!(refused.unwrap_err(), bad);
        let refused = reader.letters(&LetterFilter::default(), &page);
        assert_eq!(refused.unwrap_err(), bad);
        let refused = reader.threads(&ThreadFilter::default(), &page);
        assert_eq!(refused.unwrap_err(), bad);
        assert_eq!(
            reader.audit(&AuditFilter::default(), &page).unwrap_err(),
            bad
        );
    }
}

fn the_oldest_unfinished_intent_is_the_one_accepted_first(world: &mut World) {
    assert_eq!(world.reader().oldest_unfinished().unwrap(), None);
    world.write(all_accepted((1..4).map(intent)));
    let first = world.read(id(1)).unwrap();
    world.apply(canceled(&first, 5));
    let second = world.read(id(2)).unwrap();
    world.apply(slept(&second, 6, 60));
    let oldest = world.reader().oldest_unfinished().unwrap();
    assert_eq!(oldest.map(|oldest| oldest.id), Some(id(2)));
}
