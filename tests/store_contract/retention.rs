//! Removing what is finished: nothing of it is left, everything else stands, and no number comes twice.

use std::sync::Arc;

use postroom::domain::fact::{Actor, Notice};
use postroom::domain::failure::{DeadReason, ErrorClass};
use postroom::domain::ids::{Cursor, ThreadId};
use postroom::domain::payload::Payload;
use postroom::store::Write;
use postroom::store::query::{
    AttemptFilter, AuditEntry, AuditFilter, Counters, FeedFilter, IntentFilter, LetterFilter,
    LetterState, PageRequest, ThreadFilter,
};

use crate::contract;
use crate::moves::*;
use crate::world::{World, walk};

contract!(
    nothing_of_a_removed_intent_is_left_and_everything_else_stands,
    no_number_is_given_out_again_when_the_last_intent_is_removed,
    what_is_unfinished_cannot_be_removed,
    a_survey_passes_every_intent_once_in_order,
    the_oldest_audit_entries_are_forgotten_so_many_at_a_time,
    a_removal_that_is_dropped_has_not_happened,
);

/// An intent with everything that can hang on one: an attempt that failed, a task, a completion, a letter.
fn rich(world: &mut World, number: i64) -> Arc<postroom::domain::intent::Intent> {
    let mut new = intent(number);
    new.reply_to = Some(address("web"));
    let first = world.apply(accepted(new));
    let attempt = u64::try_from(number).unwrap();
    let leased = world.apply(started(&first, number + 1, attempt));
    let waiting = world.apply(backed_off(&leased, number + 2, ErrorClass::Http5xx));
    let asked = world.apply(asked(&waiting, number + 3, &address("finance")));
    world.apply(dead(
        &asked,
        number + 4,
        DeadReason::Attempts,
        "f1:aaaa11111111",
    ))
}

fn nothing_of_a_removed_intent_is_left_and_everything_else_stands(world: &mut World) {
    let gone = rich(world, 10);
    world.write([Write::Notice(Notice {
        at: at(15),
        actor: Actor::Broker,
        kind: "agent.paused".to_owned(),
        agent: None,
        data: Payload::empty(),
    })]);
    let stays = rich(world, 20);
    let open = world.apply(accepted(intent(30)));
    let head = world.reader().head().unwrap();
    let whole = world.reader().counters().unwrap();
    assert_eq!(world.reader().oldest().unwrap(), Cursor(1));
    world.write([Write::Remove(Arc::clone(&gone))]);
    for _ in 0..2 {
        let mut reader = world.reader();
        assert_eq!(reader.intent(gone.id).unwrap(), None);
        assert_eq!(reader.payload(gone.id).unwrap(), None);
        assert_eq!(reader.facts(gone.id, 0).unwrap(), vec![]);
        assert_eq!(reader.thread(ThreadId(gone.id.0)).unwrap(), None);
        let of = |filter: AttemptFilter| filter;
        let attempts = walk(9, |page| {
            reader
                .attempts(&of(AttemptFilter::default()), page)
                .unwrap()
        });
        assert!(attempts.iter().all(|attempt| attempt.intent == stays.id));
        let intents = walk(9, |page| {
            reader.intents(&IntentFilter::default(), page).unwrap()
        });
        assert_eq!(crate::world::ids(&intents), vec![open.id, stays.id]);
        let letters = walk(9, |page| {
            reader.letters(&LetterFilter::default(), page).unwrap()
        });
        assert_eq!(crate::world::ids(&letters), vec![stays.id]);
        assert_eq!(reader.letter_count(&LetterFilter::default()).unwrap(), 1);
        let threads = walk(9, |page| {
            reader.threads(&ThreadFilter::default(), page).unwrap()
        });
        assert!(threads.iter().all(|thread| thread.intent.id == stays.id));
        assert!(!threads.is_empty());
        let counters = reader.counters().unwrap();
        assert_eq!(counters.by_status.iter().sum::<u64>(), 2);
        assert_eq!(whole.by_status.iter().sum::<u64>(), 3);
        assert_eq!(
            reader.facts(stays.id, 0).unwrap().len(),
            usize::try_from(stays.seq).unwrap()
        );
        // The feed goes on where it was, and says from where on nothing is missing.
        assert_eq!(reader.head().unwrap(), head);
        let oldest = reader.oldest().unwrap();
        assert!(oldest > Cursor(1));
        let filter = FeedFilter {
            since: Cursor(oldest.0 - 1),
            ..FeedFilter::default()
        };
        let (items, _) = reader.feed(&filter, 999).unwrap();
        let cursors: Vec<u64> = items.iter().map(|item| item.cursor.0).collect();
        assert_eq!(cursors, (oldest.0..=head.0).collect::<Vec<_>>());
        world.reopen();
    }
    // What is left can still move.
    let moved = letter_moved(
        &stays,
        40,
        postroom::domain::intent::DeadLetterState::Discarded {
            reason: "old".to_owned(),
        },
    );
    world.apply(moved);
    let discarded = LetterFilter {
        state: Some(LetterState::Discarded),
        ..LetterFilter::default()
    };
    assert_eq!(world.reader().letter_count(&discarded).unwrap(), 1);
}

fn no_number_is_given_out_again_when_the_last_intent_is_removed(world: &mut World) {
    let first = world.apply(accepted(intent(1)));
    let ended = world.apply(canceled(&first, 2));
    let head = world.reader().head().unwrap();
    world.write([Write::Remove(ended)]);
    assert_eq!(world.reader().counters().unwrap(), Counters::default());
    world.reopen();
    assert_eq!(world.reader().head().unwrap(), head);
    world.apply(accepted(intent(5)));
    let next = FeedFilter {
        since: head,
        ..FeedFilter::default()
    };
    let (items, _) = world.reader().feed(&next, 9).unwrap();
    assert_eq!(items[0].cursor, Cursor(head.0 + 1));
    let mut txn = world.store.begin().unwrap();
    assert_eq!(txn.survey(1, 9).unwrap().len(), 1, "its place is new too");
}

fn what_is_unfinished_cannot_be_removed(world: &mut World) {
    let open = world.apply(accepted(intent(1)));
    let absent = Arc::new(intent(7));
    for intent in [Arc::clone(&open), absent] {
        let mut txn = world.store.begin().unwrap();
        let put = txn.put(Write::Remove(intent));
        assert!(put.is_err() || txn.next_due().is_err());
    }
    assert_eq!(world.read(open.id), Some(open));
}

fn a_survey_passes_every_intent_once_in_order(world: &mut World) {
    world.write(all_accepted((1..8).map(intent)));
    let third = world.read(id(3)).unwrap();
    let third = world.apply(canceled(&third, 20));
    world.write([Write::Remove(third)]);
    let mut txn = world.store.begin().unwrap();
    let (mut seen, mut place) = (Vec::new(), 0);
    loop {
        let found = txn.survey(place, 2).unwrap();
        let Some((last, _)) = found.last() else {
            break;
        };
        place = *last;
        seen.extend(found.iter().map(|(_, intent)| intent.id));
    }
    assert_eq!(seen, [1, 2, 4, 5, 6, 7].map(id));
}

fn the_oldest_audit_entries_are_forgotten_so_many_at_a_time(world: &mut World) {
    let entry = |n: i64| AuditEntry {
        at: at(n),
        actor: "alice".to_owned(),
        key: None,
        via: "cli".to_owned(),
        action: "agent.pause".to_owned(),
        target: "orders".to_owned(),
        owner: "alice".to_owned(),
        reason: None,
        result: "done".to_owned(),
        details: None,
        trace_id: None,
    };
    world.write((1..8).map(|n| Write::Audit(entry(n))));
    let ids = |world: &World| {
        let page = PageRequest::default();
        let found = world
            .reader()
            .audit(&AuditFilter::default(), &page)
            .unwrap();
        found
            .items
            .iter()
            .map(|audited| audited.id.0)
            .collect::<Vec<_>>()
    };
    world.write([Write::ForgetAuditBefore(at(4), 2)]);
    assert_eq!(ids(world), [7, 6, 5, 4, 3]);
    world.write([Write::ForgetAuditBefore(at(4), 2)]);
    assert_eq!(ids(world), [7, 6, 5, 4]);
    world.write([Write::ForgetAuditBefore(at(4), 2)]);
    assert_eq!(ids(world), [7, 6, 5, 4]);
    world.write([Write::ForgetAuditBefore(at(99), 99)]);
    world.reopen();
    world.write([Write::Audit(entry(9))]);
    assert_eq!(ids(world), [8]);
}

fn a_removal_that_is_dropped_has_not_happened(world: &mut World) {
    let ended = rich(world, 10);
    let facts = world.reader().facts(ended.id, 0).unwrap();
    {
        let mut txn = world.store.begin().unwrap();
        txn.put(Write::Remove(Arc::clone(&ended))).unwrap();
        assert_eq!(txn.survey(0, 9).unwrap().len(), 0);
    }
    assert_eq!(world.read(ended.id), Some(Arc::clone(&ended)));
    assert_eq!(world.reader().facts(ended.id, 0).unwrap(), facts);
    assert_eq!(world.reader().oldest().unwrap(), Cursor(1));
    world.write([Write::Remove(ended)]);
}
