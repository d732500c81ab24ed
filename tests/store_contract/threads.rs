//! Threads of inboxes, holds, and the counters.

use std::collections::BTreeMap;
use std::sync::Arc;

use postroom::domain::failure::{DeadReason, ErrorClass};
use postroom::domain::ids::ThreadId;
use postroom::domain::intent::{Delivery, Intent};
use postroom::store::query::{
    AgentDepth, Counters, IntentFilter, PageRequest, ThreadFilter, ThreadKind,
};

use ThreadKind::{Completion, Task};

use crate::contract;
use crate::moves::*;
use crate::world::{World, walk};

contract!(
    a_task_has_a_thread_in_its_owners_inbox_and_keeps_it,
    an_ended_intent_with_reply_to_has_a_completion_thread_with_its_own_id,
    threads_are_listed_by_their_newest_change,
    a_task_that_was_handed_on_is_in_every_holders_inbox,
    open_tasks_are_listed_by_due_instant,
    a_thread_is_found_by_its_id_and_by_its_intent,
    held_commands_are_listed_soonest_first,
    counters_say_where_everything_stands,
);

fn threads(world: &World, filter: &ThreadFilter) -> Vec<(ThreadKind, i64)> {
    let mut reader = world.reader();
    walk(2, |page| reader.threads(filter, page).unwrap())
        .iter()
        .map(|thread| {
            let accepted = thread.intent.created_at.since(at(0)).as_millis();
            (thread.kind, accepted)
        })
        .collect()
}

fn a_task_that_was_handed_on_is_in_every_holders_inbox(world: &mut World) {
    let of = |name: &str, is_due_first: bool| ThreadFilter {
        owner: Some(address(name)),
        is_due_first,
        ..ThreadFilter::default()
    };
    let mut last = None;
    for number in 1..=5 {
        let first = world.apply(accepted(intent(number)));
        let owner = if number % 2 == 0 { "alice" } else { "bob" };
        let millis = number * 10;
        let asked = world.apply(asked(&first, millis, &address(owner)));
        if owner == "alice" {
            last = Some(world.apply(delegated(&asked, millis + 5, &address("bob"))));
        }
    }
    assert_eq!(threads(world, &of("alice", false)).len(), 2);
    let bobs = threads(world, &of("bob", false));
    let mut newest_first = bobs.clone();
    newest_first.sort_by_key(|(_, accepted)| std::cmp::Reverse(*accepted));
    assert_eq!((bobs.len(), &bobs), (5, &newest_first));
    assert_eq!(threads(world, &of("bob", true)).len(), 5);
    // What follows moves it in each inbox once; a decision leaves the open ones alone.
    let last = last.unwrap();
    world.apply(decided(&last, 900));
    let again = threads(world, &of("bob", false));
    assert_eq!(
        (again.len(), again[0].1),
        (5, last.created_at.since(at(0)).as_millis())
    );
    assert_eq!(threads(world, &of("bob", true)).len(), 4);
    assert_eq!(threads(world, &of("alice", true)).len(), 1);
}

fn a_task_has_a_thread_in_its_owners_inbox_and_keeps_it(world: &mut World) {
    let first = world.apply(accepted(intent(1)));
    let asked = world.apply(asked(&first, 2, &address("alice")));
    let filter = ThreadFilter {
        owner: Some(address("alice")),
        ..ThreadFilter::default()
    };
    let only = |world: &World| {
        let mut page = world
            .reader()
            .threads(&filter, &PageRequest::default())
            .unwrap();
        assert_eq!(page.items.len(), 1);
        page.items.remove(0)
    };
    let thread = only(world);
    assert_eq!(thread.id, asked.task.as_ref().unwrap().thread);
    assert_eq!((thread.kind, thread.is_pending), (Task, true));
    assert_eq!((thread.owner, thread.updated_at), (address("alice"), at(2)));
    assert_eq!(thread.intent, asked);
    let decided = world.apply(decided(&asked, 3));
    let thread = only(world);
    assert_eq!((thread.is_pending, thread.updated_at), (false, at(3)));
    assert_eq!(thread.intent, decided);
    for (is_pending, count) in [(true, 0), (false, 1)] {
        let filter = ThreadFilter {
            is_pending: Some(is_pending),
            ..ThreadFilter::default()
        };
        assert_eq!(threads(world, &filter).len(), count, "{is_pending}");
    }
    let nobody = ThreadFilter {
        owner: Some(address("nobody")),
        ..ThreadFilter::default()
    };
    assert_eq!(threads(world, &nobody), vec![]);
}

fn an_ended_intent_with_reply_to_has_a_completion_thread_with_its_own_id(world: &mut World) {
    let mut first = intent(1);
    first.reply_to = Some(address("web"));
    let first = world.apply(accepted(first));
    let id = ThreadId(first.id.0);
    assert_eq!(world.reader().thread(id).unwrap(), None);
    let first = world.apply(started(&first, 2, 1));
    let first = world.apply(completed(&first, 3));
    let thread = world.reader().thread(id).unwrap().unwrap();
    assert_eq!((thread.id, thread.kind), (id, Completion));
    assert_eq!((thread.owner, thread.is_pending), (address("web"), false));
    assert_eq!(thread.intent, first);
    let filter = ThreadFilter {
        kind: Some(Completion),
        ..ThreadFilter::default()
    };
    assert_eq!(threads(world, &filter), vec![(Completion, 1)]);
    let filter = ThreadFilter {
        kind: Some(Task),
        ..ThreadFilter::default()
    };
    assert_eq!(threads(world, &filter), vec![]);
}

/// Four tasks: 1 decided with a completion beside it, 2 without due instant, 3 and 4 due late and soon.
fn with_threads(world: &mut World) {
    for (millis, deadline) in [(1, None), (2, None), (3, Some(90)), (4, Some(80))] {
        let mut intent = intent(millis);
        intent.reply_to = Some(address("web"));
        intent.deadline = deadline.map(at);
        let intent = world.apply(accepted(intent));
        world.apply(asked(&intent, 10 + millis, &address("alice")));
    }
    let first = world.read(id(1)).unwrap();
    world.apply(decided(&first, 50));
}

fn threads_are_listed_by_their_newest_change(world: &mut World) {
    with_threads(world);
    let all = threads(world, &ThreadFilter::default());
    assert_eq!(
        all,
        vec![(Completion, 1), (Task, 1), (Task, 4), (Task, 3), (Task, 2)]
    );
    let pending = ThreadFilter {
        is_pending: Some(true),
        owner: Some(address("alice")),
        ..ThreadFilter::default()
    };
    assert_eq!(
        threads(world, &pending),
        vec![(Task, 4), (Task, 3), (Task, 2)]
    );
    let finished = ThreadFilter {
        is_pending: Some(false),
        ..ThreadFilter::default()
    };
    assert_eq!(threads(world, &finished), vec![(Completion, 1), (Task, 1)]);
}

fn open_tasks_are_listed_by_due_instant(world: &mut World) {
    with_threads(world);
    let filter = ThreadFilter {
        is_due_first: true,
        ..ThreadFilter::default()
    };
    let tasks: Vec<i64> = threads(world, &filter)
        .iter()
        .map(|thread| thread.1)
        .collect();
    assert_eq!(tasks, vec![4, 3, 2]);
}

fn a_thread_is_found_by_its_id_and_by_its_intent(world: &mut World) {
    with_threads(world);
    let mut reader = world.reader();
    let second = world.read(id(2)).unwrap();
    let task = second.task.as_ref().unwrap().thread;
    let by_id = reader.thread(task).unwrap().unwrap();
    assert_eq!((by_id.id, &by_id.intent), (task, &second));
    let by_intent = reader.thread(ThreadId(second.id.0)).unwrap().unwrap();
    assert_eq!(by_intent, by_id);
    let ended = reader.thread(ThreadId(id(1).0)).unwrap().unwrap();
    assert_eq!(ended.kind, Completion);
    assert_eq!(reader.thread(ThreadId(id(99).0)).unwrap(), None);
}

fn held_commands_are_listed_soonest_first(world: &mut World) {
    world.write(all_accepted((1..5).map(intent)));
    for (millis, effective) in [(1, 90), (2, 70), (3, 80)] {
        let before = world.read(id(millis)).unwrap();
        let before = world.apply(hold_placed(&before, 10, 1, effective));
        if millis == 1 {
            world.apply(hold_placed(&before, 11, 2, 75));
        }
    }
    let third = world.read(id(3)).unwrap();
    world.apply(holds_lifted(&third, 20));
    let mut reader = world.reader();
    let held: Vec<_> = reader.held(9).unwrap().iter().map(|held| held.id).collect();
    assert_eq!(held, vec![id(2), id(1)]);
    assert_eq!(reader.held(1).unwrap().len(), 1);
    let mut txn = world.store.begin().unwrap();
    assert_eq!(txn.next_due().unwrap(), Some(at(70)));
}

fn counters_say_where_everything_stands(world: &mut World) {
    assert_eq!(world.reader().counters().unwrap(), Counters::default());
    with_threads(world);
    world.write(all_accepted((5..12).map(intent)));
    for millis in 5..10 {
        let before = world.read(id(millis)).unwrap();
        let attempt = u64::try_from(millis).unwrap();
        let before = world.apply(started(&before, 20, attempt));
        match millis {
            5 => world.apply(completed(&before, 21)),
            6 => world.apply(dead(&before, 21, DeadReason::Attempts, "f1:aaaa")),
            7 => world.apply(dead(&before, 21, DeadReason::Rejected, "f1:aaaa")),
            8 => world.apply(backed_off(&before, 21, ErrorClass::Dns)),
            _ => before,
        };
    }
    world.reopen();
    let counters = world.reader().counters().unwrap();
    assert_eq!(counters.open_tasks, 3);
    assert_eq!(counters, recounted(world));
    assert_eq!(counters.by_agent.len(), 1);
    let depth = counters.by_agent[0].1;
    let expected = AgentDepth {
        ready: 2,
        leased: 1,
        backing_off: 1,
        held: 3,
        dead: 1,
    };
    assert_eq!(depth, expected);
}

/// The counters, counted anew from every intent there is.
pub(crate) fn recounted(world: &World) -> Counters {
    let mut reader = world.reader();
    let filter = IntentFilter::default();
    let all = walk(500, |page| reader.intents(&filter, page).unwrap());
    let mut counters = Counters::default();
    let mut by_agent: BTreeMap<_, AgentDepth> = BTreeMap::new();
    for intent in &all {
        counters.by_status[intent.status as usize] += 1;
        counters.by_state[intent.state() as usize] += 1;
        counters.open_tasks += u64::from(intent.open_task().is_some());
        count(&mut counters.by_binding[intent.binding as usize], intent);
        count(by_agent.entry(intent.to.clone()).or_default(), intent);
    }
    by_agent.retain(|_, depth| *depth != AgentDepth::default());
    counters.by_agent = by_agent.into_iter().collect();
    counters
}

fn count(depth: &mut AgentDepth, intent: &Arc<Intent>) {
    match intent.delivery {
        Delivery::Ready { .. } => depth.ready += 1,
        Delivery::Leased(_) => depth.leased += 1,
        Delivery::BackingOff { .. } => depth.backing_off += 1,
        Delivery::HeldByPerson | Delivery::HeldByTime { .. } | Delivery::HeldBySteps => {
            depth.held += 1;
        }
        Delivery::Done | Delivery::Dead | Delivery::Withdrawn => {}
    }
    depth.dead += u64::from(intent.is_open_dead_letter());
}
