//! Transactions: all or nothing, own writes visible, lists of the writer.

use std::sync::Arc;

use postroom::domain::failure::ErrorClass;
use postroom::domain::ids::Cursor;
use postroom::store::query::{Counters, FeedFilter, IntentFilter, PageRequest};
use postroom::store::{NewPayload, Remembered, Write};

use crate::contract;
use crate::lists::names;
use crate::moves::*;
use crate::world::{World, ids};

contract!(
    a_transaction_that_is_dropped_has_not_happened,
    nobody_sees_a_transaction_before_its_commit,
    a_transaction_sees_its_own_writes_in_every_list,
    due_gives_the_soonest_first_up_to_the_limit,
    ready_gives_one_receivers_intents_in_order_of_readiness,
    leased_gives_open_leases_in_order_of_acceptance,
    load_answers_in_the_order_of_the_question,
    an_intent_cannot_come_to_be_twice_nor_move_before_it_is_there,
    a_payload_can_be_the_copy_of_another,
    an_answer_is_remembered_under_its_scope_and_key,
    answers_from_before_an_instant_are_forgotten,
    the_last_answer_under_a_key_counts,
    moves_in_one_transaction_leave_every_fact,
    a_dropped_transaction_gives_its_numbers_back,
);

fn a_transaction_that_is_dropped_has_not_happened(world: &mut World) {
    let kept = world.apply(accepted(intent(1)));
    let head = world.reader().head().unwrap();
    {
        let mut txn = world.store.begin().unwrap();
        txn.put(Write::Intent(started(&kept, 2, 1))).unwrap();
        for write in all_accepted([intent(3)]) {
            txn.put(write).unwrap();
        }
        txn.put(Write::Number("epoch", 7)).unwrap();
        assert_eq!(txn.leased(None, 10).unwrap().len(), 1);
    }
    assert_eq!(world.reader().head().unwrap(), head);
    assert_eq!(world.read(kept.id), Some(Arc::clone(&kept)));
    assert_eq!(world.read(id(3)), None);
    assert_eq!(world.reader().number("epoch").unwrap(), None);
    let mut txn = world.store.begin().unwrap();
    assert_eq!(txn.leased(None, 10).unwrap(), vec![]);
    assert_eq!(txn.load(&[kept.id, id(3)]).unwrap(), vec![Some(kept), None]);
}

fn nobody_sees_a_transaction_before_its_commit(world: &mut World) {
    let mut reader = world.reader();
    let mut txn = world.store.begin().unwrap();
    for write in all_accepted([intent(1)]) {
        txn.put(write).unwrap();
    }
    assert_eq!(txn.due(at(9), 9).unwrap(), vec![]);
    assert_eq!(reader.intent(id(1)).unwrap(), None);
    assert_eq!(reader.head().unwrap(), Cursor(0));
    assert_eq!(reader.counters().unwrap(), Counters::default());
    assert_eq!(txn.commit().unwrap(), Cursor(3));
    assert!(reader.intent(id(1)).unwrap().is_some());
    assert_eq!(reader.head().unwrap(), Cursor(3));
    assert_eq!(reader.counters().unwrap().by_status[2], 1);
}

fn a_transaction_sees_its_own_writes_in_every_list(world: &mut World) {
    let mut txn = world.store.begin().unwrap();
    let change = accepted(intent(1));
    let first = Arc::clone(&change.after);
    txn.put(Write::Intent(change)).unwrap();
    assert_eq!(
        txn.load(&[first.id]).unwrap(),
        vec![Some(Arc::clone(&first))]
    );
    assert_eq!(
        txn.ready(&first.to, at(1), 9).unwrap(),
        vec![Arc::clone(&first)]
    );

    let change = started(&first, 2, 1);
    let leased = Arc::clone(&change.after);
    txn.put(Write::Intent(change)).unwrap();
    assert_eq!(txn.ready(&leased.to, at(9), 9).unwrap(), vec![]);
    assert_eq!(txn.leased(None, 9).unwrap(), vec![Arc::clone(&leased)]);
    assert_eq!(txn.next_due().unwrap(), Some(at(300_002)));

    let change = backed_off(&leased, 3, ErrorClass::Reset);
    let waiting = Arc::clone(&change.after);
    txn.put(Write::Intent(change)).unwrap();
    assert_eq!(txn.due(at(5_003), 9).unwrap(), vec![Arc::clone(&waiting)]);
    assert_eq!(txn.leased(None, 9).unwrap(), vec![]);
    let answer = remembered("key", 3);
    txn.put(Write::Remember(answer.clone())).unwrap();
    assert_eq!(txn.remembered(&answer.scope, "key").unwrap(), Some(answer));
    txn.commit().unwrap();
    assert_eq!(world.read(id(1)), Some(waiting));
}

fn due_gives_the_soonest_first_up_to_the_limit(world: &mut World) {
    let mut late = intent(1);
    late.deadline = Some(at(30));
    let mut soon = intent(2);
    soon.deadline = Some(at(10));
    let mut also_soon = intent(3);
    also_soon.deadline = Some(at(10));
    world.write(all_accepted([late, soon, also_soon, intent(4)]));
    let mut txn = world.store.begin().unwrap();
    assert_eq!(txn.next_due().unwrap(), Some(at(10)));
    assert_eq!(txn.due(at(9), 9).unwrap(), vec![]);
    assert_eq!(names(&txn.due(at(10), 9).unwrap()), vec![2, 3]);
    assert_eq!(names(&txn.due(at(99), 9).unwrap()), vec![2, 3, 1]);
    assert_eq!(names(&txn.due(at(99), 1).unwrap()), vec![2]);
}

fn ready_gives_one_receivers_intents_in_order_of_readiness(world: &mut World) {
    let mut others = intent(1);
    others.to = address("billing");
    world.write(all_accepted([others, intent(2), intent(3), intent(4)]));
    let second = world.read(id(2)).unwrap();
    let second = world.apply(started(&second, 5, 1));
    let second = world.apply(backed_off(&second, 6, ErrorClass::Nack));
    world.apply(offered(&second, 7));
    let mut txn = world.store.begin().unwrap();
    let orders = address("orders");
    assert_eq!(names(&txn.ready(&orders, at(9), 9).unwrap()), vec![3, 4, 2]);
    assert_eq!(names(&txn.ready(&orders, at(3), 9).unwrap()), vec![3]);
    assert_eq!(names(&txn.ready(&orders, at(9), 2).unwrap()), vec![3, 4]);
    assert_eq!(txn.ready(&address("nobody"), at(9), 9).unwrap(), vec![]);
    drop(txn);
    let mut reader = world.reader();
    assert_eq!(reader.oldest_ready(&orders).unwrap(), Some(at(3)));
    assert_eq!(reader.oldest_ready(&address("nobody")).unwrap(), None);
}

fn leased_gives_open_leases_in_order_of_acceptance(world: &mut World) {
    let mut third = intent(3);
    third.to = address("billing");
    world.write(all_accepted([intent(1), intent(2), third, intent(4)]));
    for (attempt, millis) in [(1, 4), (2, 3), (3, 1)] {
        let before = world.read(id(millis)).unwrap();
        world.apply(started(&before, 10, attempt));
    }
    let first = world.read(id(1)).unwrap();
    world.apply(acknowledged(&first, 11));
    let mut txn = world.store.begin().unwrap();
    assert_eq!(names(&txn.leased(None, 9).unwrap()), vec![1, 3, 4]);
    assert_eq!(names(&txn.leased(None, 2).unwrap()), vec![1, 3]);
    let orders = address("orders");
    assert_eq!(names(&txn.leased(Some(&orders), 9).unwrap()), vec![1, 4]);
    assert_eq!(txn.leased(Some(&address("nobody")), 9).unwrap(), vec![]);
}

fn load_answers_in_the_order_of_the_question(world: &mut World) {
    world.write(all_accepted((1..9).map(intent)));
    world.reopen();
    let mut txn = world.store.begin().unwrap();
    let found = txn.load(&[id(7), id(99), id(1), id(7)]).unwrap();
    let found: Vec<_> = found
        .into_iter()
        .map(|intent| intent.map(|intent| intent.id))
        .collect();
    assert_eq!(found, vec![Some(id(7)), None, Some(id(1)), Some(id(7))]);
}

fn an_intent_cannot_come_to_be_twice_nor_move_before_it_is_there(world: &mut World) {
    let first = world.apply(accepted(intent(1)));
    let mut txn = world.store.begin().unwrap();
    assert!(txn.put(Write::Intent(accepted(intent(1)))).is_err());
    drop(txn);
    let absent = Arc::new(intent(2));
    let mut txn = world.store.begin().unwrap();
    assert!(txn.put(Write::Intent(started(&absent, 3, 1))).is_err());
    drop(txn);
    assert_eq!(world.read(first.id), Some(Arc::clone(&first)));
    world.apply(started(&first, 3, 1));
}

fn a_payload_can_be_the_copy_of_another(world: &mut World) {
    let first = world.apply(accepted(intent(1)));
    let mut copy = accepted(intent(2));
    copy.payload = Some(NewPayload::SameAs(first.id));
    let mut copy_of_copy = accepted(intent(3));
    copy_of_copy.payload = Some(NewPayload::SameAs(id(2)));
    world.write([Write::Intent(copy), Write::Intent(copy_of_copy)]);
    let mut reader = world.reader();
    let payload = reader.payload(first.id).unwrap();
    assert!(payload.is_some());
    assert_eq!(reader.payload(id(2)).unwrap(), payload);
    assert_eq!(reader.payload(id(3)).unwrap(), payload);
    assert_eq!(reader.payload(id(4)).unwrap(), None);
    let mut orphan = accepted(intent(5));
    orphan.payload = Some(NewPayload::SameAs(id(99)));
    let mut txn = world.store.begin().unwrap();
    assert!(txn.put(Write::Intent(orphan)).is_err());
}

fn remembered(key: &str, millis: i64) -> Remembered {
    Remembered {
        scope: "sa_1 POST /v1/intents".to_owned(),
        key: key.to_owned(),
        fingerprint: [7; 32],
        at: at(millis),
        intent: id(millis),
        seq: 3,
    }
}

fn an_answer_is_remembered_under_its_scope_and_key(world: &mut World) {
    let answer = remembered("k", 1);
    world.write([Write::Remember(answer.clone())]);
    world.reopen();
    let scope = answer.scope.as_str();
    assert_eq!(
        world.reader().remembered(scope, "k").unwrap(),
        Some(answer.clone())
    );
    assert_eq!(world.reader().remembered(scope, "K").unwrap(), None);
    let mut txn = world.store.begin().unwrap();
    assert_eq!(txn.remembered(scope, "k").unwrap(), Some(answer.clone()));
    assert_eq!(txn.remembered("sa_2 POST /v1/intents", "k").unwrap(), None);
    assert_eq!(txn.remembered(scope, "other").unwrap(), None);
}

fn answers_from_before_an_instant_are_forgotten(world: &mut World) {
    const DAY: i64 = 86_400_000;
    let answers = (0..300).map(|n| Write::Remember(remembered(&format!("k{n}"), n * DAY / 100)));
    world.write(answers);
    world.write([Write::ForgetKeysBefore(at(DAY))]);
    let scope = remembered("k", 1).scope;
    for _ in 0..2 {
        for n in [0, 50, 99, 100, 101, 299] {
            let key = format!("k{n}");
            let is_kept = n >= 100;
            let found = world.reader().remembered(&scope, &key).unwrap();
            assert_eq!(found.is_some(), is_kept, "{key}");
            let mut txn = world.store.begin().unwrap();
            let found = txn.remembered(&scope, &key).unwrap();
            assert_eq!(found.is_some(), is_kept, "{key}");
        }
        world.write([Write::Remember(remembered("k0", 1))]);
        assert!(world.reader().remembered(&scope, "k0").unwrap().is_some());
        world.write([Write::ForgetKeysBefore(at(DAY))]);
        world.reopen();
    }
}

fn the_last_answer_under_a_key_counts(world: &mut World) {
    const DAY: i64 = 86_400_000;
    let (first, second) = (remembered("k", 3 * DAY), remembered("k", DAY));
    world.write([Write::Remember(first)]);
    world.write([Write::Remember(second.clone())]);
    let found = world.reader().remembered(&second.scope, "k").unwrap();
    assert_eq!(found, Some(second));
}

fn moves_in_one_transaction_leave_every_fact(world: &mut World) {
    let change = accepted(intent(1));
    let started = started(&change.after, 2, 1);
    let acknowledged = acknowledged(&started.after, 3);
    let completed = completed(&acknowledged.after, 4);
    let last = Arc::clone(&completed.after);
    let head = world.write([change, started, acknowledged, completed].map(Write::Intent));
    assert_eq!(head, Cursor(6));
    let mut reader = world.reader();
    assert_eq!(reader.intent(last.id).unwrap(), Some(Arc::clone(&last)));
    let facts = reader.facts(last.id, 0).unwrap();
    assert_eq!(
        facts.iter().map(|fact| fact.seq).collect::<Vec<_>>(),
        vec![1, 2, 3, 4, 5, 6]
    );
    let (items, examined) = reader.feed(&FeedFilter::default(), 99).unwrap();
    assert_eq!(examined, Cursor(6));
    let cursors: Vec<u64> = items.iter().map(|item| item.cursor.0).collect();
    assert_eq!(cursors, vec![1, 2, 3, 4, 5, 6]);
}

fn a_dropped_transaction_gives_its_numbers_back(world: &mut World) {
    let mut txn = world.store.begin().unwrap();
    for write in all_accepted((1..4).map(intent)) {
        txn.put(write).unwrap();
    }
    assert_eq!(txn.ready(&address("orders"), at(9), 9).unwrap().len(), 3);
    drop(txn);
    let mut other = intent(5);
    (other.to, other.from) = (address("new"), address("newer"));
    assert_eq!(world.write(all_accepted([other])), Cursor(3));
    let filter = IntentFilter {
        to: Some(address("new")),
        ..IntentFilter::default()
    };
    let page = world
        .reader()
        .intents(&filter, &PageRequest::default())
        .unwrap();
    assert_eq!(ids(&page.items), vec![id(5)]);
}
