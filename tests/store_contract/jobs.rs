//! Jobs: what they selected, how far they are, what became of each.

use postroom::domain::ids::JobId;
use postroom::domain::job::{
    ItemOutcome, Job, JobItem, JobKind, JobOrder, JobState, NewJob, Pace, Selection,
};
use postroom::store::query::PageRequest;
use postroom::store::{JOB_PIECE, Write};

use crate::contract;
use crate::moves::*;
use crate::world::{World, walk};

contract!(
    a_job_is_what_was_written_last_and_lists_know_its_state,
    a_selection_reads_back_piece_by_piece,
    items_are_listed_in_their_order_and_those_in_flight_apart,
    a_removed_job_leaves_nothing_and_takes_nothing_of_others,
    a_dropped_transaction_leaves_no_job,
);

const ALL: PageRequest = PageRequest {
    limit: 100,
    cursor: None,
};

fn job(number: u64, state: JobState) -> Job {
    let order = NewJob::new(JobKind::Replay, Selection::default());
    Job {
        id: JobId(number),
        kind: order.kind,
        state,
        by: address("operator"),
        via: "cli".to_owned(),
        reason: Some("receiver fixed".to_owned()),
        selection: order.selection,
        order: JobOrder::Oldest,
        pace: Pace::default(),
        to: None,
        matched: 3,
        left_out: Vec::new(),
        terms: order.terms,
        created_at: at(1),
        updated_at: at(2),
        finished_at: state.is_finished().then(|| at(2)),
        selected: 3,
        begun: 0,
        in_flight: 0,
        acknowledged: 0,
        succeeded: 0,
        failed: 0,
        skipped: 0,
        forgiven: 0,
        is_canary_over: true,
        stopped_because: None,
        not_before_us: 0,
    }
}

fn put(job: &Job) -> Write {
    Write::Job(Box::new(job.clone()))
}

fn a_job_is_what_was_written_last_and_lists_know_its_state(world: &mut World) {
    let mut first = job(1, JobState::Running);
    let canceled = Job {
        in_flight: 1,
        ..job(2, JobState::Canceled)
    };
    let paused = job(3, JobState::Paused);
    world.write([put(&first), put(&canceled), put(&paused)]);
    assert_eq!(
        world.reader().live_jobs().unwrap(),
        vec![first.clone(), canceled.clone(), paused.clone()],
        "a canceled job is followed while replays are in flight"
    );
    first.state = JobState::Done;
    world.write([put(&first)]);
    world.reopen();
    let mut reader = world.reader();
    assert_eq!(reader.job(JobId(1)).unwrap(), Some(first.clone()));
    assert_eq!(reader.job(JobId(9)).unwrap(), None);
    assert_eq!(
        reader.live_jobs().unwrap(),
        vec![canceled.clone(), paused.clone()]
    );
    let all = walk(2, |page| reader.jobs(None, page).unwrap());
    assert_eq!(all, vec![paused, canceled, first.clone()]);
    let done = walk(2, |page| reader.jobs(Some(JobState::Done), page).unwrap());
    assert_eq!(done, vec![first]);
    let foreign = PageRequest {
        limit: 1,
        cursor: Some("x".to_owned()),
    };
    assert!(reader.jobs(None, &foreign).is_err());
    assert!(reader.job_items(JobId(1), &foreign).is_err());
}

fn a_selection_reads_back_piece_by_piece(world: &mut World) {
    let whole: Vec<_> = (0..i64::from(JOB_PIECE)).map(id).collect();
    let rest: Vec<_> = (9000..9003).map(id).collect();
    world.write([
        Write::JobSelection(JobId(1), 0, whole.clone()),
        Write::JobSelection(JobId(1), 1, rest.clone()),
        Write::JobSelection(JobId(2), 0, rest.clone()),
    ]);
    world.reopen();
    let mut reader = world.reader();
    assert_eq!(reader.job_selection(JobId(1), 0).unwrap(), whole);
    assert_eq!(reader.job_selection(JobId(1), 1).unwrap(), rest);
    assert_eq!(reader.job_selection(JobId(2), 0).unwrap(), rest);
    assert_eq!(reader.job_selection(JobId(2), 1).unwrap(), vec![]);
}

fn items_are_listed_in_their_order_and_those_in_flight_apart(world: &mut World) {
    let item = |position: u32, outcome: ItemOutcome| JobItem {
        position,
        intent: id(i64::from(position)),
        new_intent: Some(id(100 + i64::from(position))),
        outcome,
    };
    let in_flight = |is_acknowledged| ItemOutcome::InFlight { is_acknowledged };
    let skipped = ItemOutcome::Skipped {
        code: "already_replayed".to_owned(),
    };
    let job = JobId(7);
    world.write([
        Write::JobItem(job, item(0, in_flight(false))),
        Write::JobItem(job, item(1, in_flight(false))),
        Write::JobItem(job, item(2, skipped.clone())),
        Write::JobItem(JobId(8), item(0, in_flight(false))),
    ]);
    world.write([
        Write::JobItem(job, item(0, ItemOutcome::Succeeded)),
        Write::JobItem(job, item(1, in_flight(true))),
    ]);
    world.reopen();
    let mut reader = world.reader();
    let wanted = [
        item(0, ItemOutcome::Succeeded),
        item(1, in_flight(true)),
        item(2, skipped),
    ];
    let all = walk(2, |page| reader.job_items(job, page).unwrap());
    assert_eq!(all, wanted);
    let open = reader.job_items_in_flight(job).unwrap();
    assert_eq!(open, wanted[1..2]);
}

fn a_removed_job_leaves_nothing_and_takes_nothing_of_others(world: &mut World) {
    let item = |position: u32| JobItem {
        position,
        intent: id(i64::from(position)),
        new_intent: None,
        outcome: ItemOutcome::Succeeded,
    };
    let mut writes = Vec::new();
    for number in [1, 2] {
        let of = JobId(number);
        writes.push(put(&job(number, JobState::Done)));
        writes.push(Write::JobSelection(of, 0, vec![id(1), id(2), id(3)]));
        writes.extend((0..3).map(|position| Write::JobItem(of, item(position))));
    }
    world.write(writes);
    let positions = |world: &mut World, number: u64| {
        let found = world.reader().job_items(JobId(number), &ALL).unwrap().items;
        found.iter().map(|item| item.position).collect::<Vec<_>>()
    };
    world.write([Write::RemoveJobItems(JobId(1), 1, 2)]);
    assert_eq!(positions(world, 1), [0]);
    world.write([
        Write::RemoveJobItems(JobId(1), 0, 1),
        Write::RemoveJob(JobId(1)),
    ]);
    world.reopen();
    assert_eq!(positions(world, 1), [0_u32; 0]);
    assert_eq!(positions(world, 2), [0, 1, 2]);
    let mut reader = world.reader();
    assert_eq!(reader.job(JobId(1)).unwrap(), None);
    assert_eq!(reader.job_selection(JobId(1), 0).unwrap(), vec![]);
    assert_eq!(reader.job_selection(JobId(2), 0).unwrap().len(), 3);
    assert!(reader.job(JobId(2)).unwrap().is_some());
}

fn a_dropped_transaction_leaves_no_job(world: &mut World) {
    {
        let mut txn = world.store.begin().unwrap();
        txn.put(put(&job(1, JobState::Running))).unwrap();
        txn.put(Write::JobSelection(JobId(1), 0, vec![id(1)]))
            .unwrap();
    }
    let mut reader = world.reader();
    assert_eq!(reader.job(JobId(1)).unwrap(), None);
    assert_eq!(reader.job_selection(JobId(1), 0).unwrap(), vec![]);
}
