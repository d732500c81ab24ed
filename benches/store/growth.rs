//! One file that grows: what a lifecycle costs at each power of ten, and how long pages take then.

use std::time::{Duration, Instant};

use postroom::domain::attempt::Outcome;
use postroom::domain::failure::ErrorClass;
use postroom::domain::ids::IntentId;
use postroom::domain::status::{State, Status};
use postroom::store::Reader;
use postroom::store::query::{
    AttemptFilter, FeedFilter, IntentFilter, LetterFilter, PageRequest, ThreadFilter,
};

use crate::timed;
use crate::yard::{Yard, address};

/// Intents in one commit, of which these stay unfinished, die, or wait for a person.
const FLIGHT: usize = 256;
const ASLEEP: usize = 16;
const DEAD: usize = 8;
const ASKED: usize = 1;

/// How often each page is read.
const READS: u32 = 60;

/// How long lifecycles are timed at each mark.
const SPAN: Duration = Duration::from_secs(4);

pub(crate) fn measure() {
    let rows = std::env::var("BENCH_ROWS").ok();
    let rows: usize = rows.and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let directory = tempfile::tempdir().unwrap();
    let mut yard = Yard::open(directory.path(), FLIGHT);
    let mut stored = 0;
    let mut mark = 10_000;
    while mark <= rows {
        while stored < mark {
            stored += fill(&mut yard);
        }
        let run = timed(SPAN, || yard.lifecycle(FLIGHT));
        let accepts = timed(SPAN / 4, || yard.accept(FLIGHT, true).len());
        let bytes = std::fs::metadata(directory.path().join("postroom.db"))
            .unwrap()
            .len();
        println!(
            "\n{stored} intents, {} MB: lifecycles {:.0}/s, {:.1} us CPU each; accepts with key {:.0}/s, {:.1} us",
            bytes / 1_000_000,
            run.per_second,
            run.cpu,
            accepts.per_second,
            accepts.cpu
        );
        let sample = yard.accept(1, false).first().copied().unwrap();
        pages(yard.core.reader().unwrap().as_mut(), sample);
        mark *= 10;
    }
}

fn fill(yard: &mut Yard) -> usize {
    yard.lifecycle(FLIGHT - ASLEEP - DEAD - ASKED);
    yard.accept(ASLEEP, true);
    yard.dead(DEAD);
    yard.ask(ASKED);
    FLIGHT
}

type Ask = fn(&mut dyn Reader, IntentId) -> usize;

/// What an operator and a client look at.
const PAGES: [(&str, Ask); 18] = [
    ("one intent", |reader, id| {
        usize::from(reader.intent(id).unwrap().is_some())
    }),
    ("its facts", |reader, id| reader.facts(id, 0).unwrap().len()),
    ("intents", |reader, _| {
        intents(reader, &IntentFilter::default())
    }),
    ("intents completed", |reader, _| {
        intents(reader, &of_status(Status::Completed))
    }),
    ("intents waiting", |reader, _| {
        intents(reader, &of_status(Status::Waiting))
    }),
    ("intents unfinished", |reader, _| {
        intents(
            reader,
            &IntentFilter {
                is_unfinished: true,
                ..IntentFilter::default()
            },
        )
    }),
    ("intents of state dead letter", |reader, _| {
        intents(
            reader,
            &IntentFilter {
                states: vec![State::DeadLetter],
                ..IntentFilter::default()
            },
        )
    }),
    ("intents to a receiver", |reader, _| {
        intents(reader, &to_orders(IntentFilter::default()))
    }),
    ("failed to a receiver", |reader, _| {
        intents(reader, &to_orders(of_status(Status::Failed)))
    }),
    ("unfinished to a busy receiver", |reader, _| {
        intents(
            reader,
            &to_orders(IntentFilter {
                is_unfinished: true,
                ..IntentFilter::default()
            }),
        )
    }),
    ("intents of a party", |reader, _| {
        intents(
            reader,
            &IntentFilter {
                party: Some(address("web")),
                ..IntentFilter::default()
            },
        )
    }),
    ("end of an id", |reader, id| {
        let id = id.to_string();
        let text = id.chars().skip(id.len() - 8).collect();
        intents(
            reader,
            &IntentFilter {
                text: Some(text),
                ..IntentFilter::default()
            },
        )
    }),
    ("attempts", |reader, _| {
        attempts(reader, &AttemptFilter::default())
    }),
    ("attempts to a receiver", |reader, _| {
        attempts(
            reader,
            &AttemptFilter {
                agent: Some(address("orders")),
                ..AttemptFilter::default()
            },
        )
    }),
    ("attempts failed", |reader, _| {
        let failed = AttemptFilter {
            outcome: Some(Outcome::Failed),
            error_class: Some(ErrorClass::BlockedAddress),
            ..AttemptFilter::default()
        };
        attempts(reader, &failed)
    }),
    ("dead letters", |reader, _| {
        reader
            .letters(&LetterFilter::default(), &PageRequest::default())
            .unwrap()
            .items
            .len()
    }),
    ("groups of dead letters", |reader, id| {
        let now = reader.intent(id).unwrap().unwrap().created_at;
        reader
            .letter_groups(&LetterFilter::default(), now, 50)
            .unwrap()
            .len()
    }),
    ("open tasks by due instant", |reader, _| {
        let open = ThreadFilter {
            is_pending: Some(true),
            is_due_first: true,
            ..ThreadFilter::default()
        };
        reader
            .threads(&open, &PageRequest::default())
            .unwrap()
            .items
            .len()
    }),
];

fn pages(reader: &mut dyn Reader, sample: IntentId) {
    println!("| page | rows | p50 us | worst of {READS} us |\n|---|---|---|---|");
    for (name, ask) in PAGES {
        let mut found = 0;
        let mut times: Vec<Duration> = (0..READS)
            .map(|_| {
                let began = Instant::now();
                found = ask(reader, sample);
                began.elapsed()
            })
            .collect();
        times.sort();
        let half = times.get(times.len() / 2).copied().unwrap_or_default();
        let worst = times.last().copied().unwrap_or_default();
        println!(
            "| {name} | {found} | {} | {} |",
            half.as_micros(),
            worst.as_micros()
        );
    }
    let began = Instant::now();
    let counters = reader.counters().unwrap();
    let took = began.elapsed().as_micros();
    println!(
        "| counters | {} agents | {took} | |",
        counters.by_agent.len()
    );
    let began = Instant::now();
    let (items, _examined) = reader.feed(&FeedFilter::default(), 500).unwrap();
    println!(
        "| oldest 500 of the feed | {} | {} | |",
        items.len(),
        began.elapsed().as_micros()
    );
}

fn of_status(status: Status) -> IntentFilter {
    IntentFilter {
        statuses: vec![status],
        ..IntentFilter::default()
    }
}

fn to_orders(filter: IntentFilter) -> IntentFilter {
    IntentFilter {
        to: Some(address("orders")),
        ..filter
    }
}

fn intents(reader: &mut dyn Reader, filter: &IntentFilter) -> usize {
    reader
        .intents(filter, &PageRequest::default())
        .unwrap()
        .items
        .len()
}

fn attempts(reader: &mut dyn Reader, filter: &AttemptFilter) -> usize {
    reader
        .attempts(filter, &PageRequest::default())
        .unwrap()
        .items
        .len()
}
