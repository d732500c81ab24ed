//! Dead letters and their groups.

use postroom::domain::failure::{DeadReason, ErrorClass};
use postroom::domain::intent::DeadLetterState;
use postroom::store::query::{LetterFilter, LetterState};

use crate::contract;
use crate::lists::names;
use crate::moves::*;
use crate::world::{World, walk};

type Set = fn(&mut LetterFilter);

contract!(
    dead_letters_are_listed_newest_first_and_a_persons_no_on_demand_only,
    dead_letters_form_groups_by_fingerprint,
);

fn letters(world: &World, filter: &LetterFilter) -> Vec<i64> {
    let mut reader = world.reader();
    names(&walk(2, |page| reader.letters(filter, page).unwrap()))
}

fn with_letters(world: &mut World) {
    for (millis, to, dead_at, reason, fingerprint) in [
        (1, "orders", 50, DeadReason::Attempts, "f1:aaaa11112222"),
        (2, "orders", 40, DeadReason::Attempts, "f1:aaaa11112222"),
        (3, "billing", 40, DeadReason::Permanent, "f1:bbbb11112222"),
        (4, "orders", 60, DeadReason::Rejected, "f1:cccc11112222"),
        (5, "orders", 70, DeadReason::Deadline, "f1:aaaa99999999"),
        (6, "orders", 80, DeadReason::Attempts, "f1:aaaa11112222"),
    ] {
        let mut intent = intent(millis);
        intent.to = address(to);
        let intent = world.apply(accepted(intent));
        let attempt = u64::try_from(millis).unwrap();
        let intent = if reason == DeadReason::Deadline {
            intent
        } else {
            world.apply(started(&intent, millis + 10, attempt))
        };
        let intent = world.apply(dead(&intent, dead_at, reason, fingerprint));
        if millis == 6 {
            let reason = "noise".to_owned();
            let state = DeadLetterState::Discarded { reason };
            world.apply(letter_moved(&intent, 90, state));
        }
    }
}

fn dead_letters_are_listed_newest_first_and_a_persons_no_on_demand_only(world: &mut World) {
    with_letters(world);
    let cases: [(&str, Set, &[i64]); 13] = [
        ("open", |_| {}, &[5, 1, 3, 2]),
        ("rejected", |f| f.reason = Some(DeadReason::Rejected), &[4]),
        ("reason", |f| f.reason = Some(DeadReason::Attempts), &[1, 2]),
        (
            "discarded",
            |f| f.state = Some(LetterState::Discarded),
            &[6],
        ),
        ("replayed", |f| f.state = Some(LetterState::Replayed), &[]),
        ("agent", |f| f.agent = Some(address("billing")), &[3]),
        ("nobody", |f| f.agent = Some(address("nobody")), &[]),
        (
            "class",
            |f| f.error_class = Some(ErrorClass::Http5xx),
            &[1, 3, 2],
        ),
        ("since", |f| f.since = Some(at(50)), &[5, 1]),
        ("until", |f| f.until = Some(at(50)), &[3, 2]),
        (
            "fingerprint",
            |f| f.fingerprint = Some("f1:aaaa11112222".to_owned()),
            &[1, 2],
        ),
        (
            "label",
            |f| f.fingerprint = Some("aaaa".to_owned()),
            &[5, 1, 2],
        ),
        (
            "type",
            |f| f.intent_type = Some("intent.order.*".to_owned()),
            &[5, 1, 3, 2],
        ),
    ];
    for (name, set, expected) in cases {
        let mut filter = LetterFilter::default();
        set(&mut filter);
        assert_eq!(letters(world, &filter), expected, "{name}");
    }
}

fn dead_letters_form_groups_by_fingerprint(world: &mut World) {
    const HOUR: i64 = 3_600_000;
    with_letters(world);
    let old = world.apply(accepted(intent(7)));
    world.apply(dead(
        &old,
        50 - 2 * HOUR,
        DeadReason::Attempts,
        "f1:aaaa11112222",
    ));
    let older = world.apply(accepted(intent(8)));
    world.apply(dead(
        &older,
        50 - 30 * HOUR,
        DeadReason::Attempts,
        "f1:aaaa11112222",
    ));
    let mut reader = world.reader();
    let all = LetterFilter::default();
    let groups = reader.letter_groups(&all, at(50), 9).unwrap();
    let sizes: Vec<(&str, u64)> = groups
        .iter()
        .map(|group| (group.fingerprint.as_str(), group.count))
        .collect();
    let expected = [
        ("f1:aaaa11112222", 4),
        ("f1:aaaa99999999", 1),
        ("f1:bbbb11112222", 1),
    ];
    assert_eq!(sizes, expected);
    let first = &groups[0];
    assert_eq!(
        (first.first_at, first.last_at),
        (at(50 - 30 * HOUR), at(50))
    );
    assert_eq!(names(&first.newest), vec![1, 2, 7, 8]);
    assert_eq!(first.hourly.len(), 24);
    assert_eq!(first.hourly[21..], [1, 0, 2]);
    assert_eq!(first.hourly.iter().sum::<u32>(), 3);

    assert_eq!(reader.letter_groups(&all, at(50), 1).unwrap(), groups[..1]);
    let rejected = LetterFilter {
        reason: Some(DeadReason::Rejected),
        ..LetterFilter::default()
    };
    let groups = reader.letter_groups(&rejected, at(99), 9).unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(names(&groups[0].newest), vec![4]);
    let label = LetterFilter {
        fingerprint: Some("bbbb".to_owned()),
        agent: Some(address("billing")),
        ..LetterFilter::default()
    };
    assert_eq!(reader.letter_groups(&label, at(99), 9).unwrap().len(), 1);
}
