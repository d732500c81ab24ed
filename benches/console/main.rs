//! What the console costs over a store of many intents: `cargo bench --bench console`.
//!
//! A file is filled with `BENCH_ROWS` intents (100,000 when not said; the budgets are for 1,000,000), a broker
//! is started over it, and the real reducer, view and terminal output run over its desk, as in the program but
//! for the tty. Printed are medians and 99th percentiles beside the budget of each row, and whether it is
//! kept. `BENCH_FRAMES` is how many frames or pages make a row (300 when not said).
//! The file lies in `TMPDIR`: name a directory of the disk that matters.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

#[path = "../store/yard.rs"]
mod yard;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use postroom::broker::{Broker, Settings};
use postroom::clock::{Clock, SystemClock, SystemEntropy};
use postroom::console::stage::Stage;
use postroom::desk::local::{LocalDesk, LocalOptions};
use postroom::desk::rows::FeedRow;
use postroom::desk::{Desk, FeedPage};
use postroom::domain::payload::Payload;
use postroom::domain::policy::Policy;
use postroom::domain::status::{State, Status};
use postroom::domain::time::Span;
use postroom::shutdown::Shutdown;
use postroom::store::query::{IntentFilter, LetterFilter, PageRequest};
use postroom::store::sqlite::{self, SqliteStore};
use tokio::runtime::Runtime;

use yard::{Yard, address};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of a payload.
const PAYLOAD_BYTES: usize = 256;

/// Intents of one commit while the file is filled, and what becomes of them; the rest completes.
const FLIGHT: usize = 256;
const ASLEEP: usize = 16;
const DEAD: usize = 6;

/// Dead letters that the groups are made over.
const LETTERS: usize = 20_000;

/// Rows of a page.
const PAGE: u32 = 200;

fn main() {
    let rows = number("BENCH_ROWS", 100_000);
    let frames = number("BENCH_FRAMES", 300);
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let letters = fill(directory.path(), rows);
    println!(
        "{rows} intents, {letters} of them dead letters, stored in {:.1} s\n",
        began.elapsed().as_secs_f64()
    );
    let runtime = Runtime::new().unwrap();
    runtime.block_on(measure(directory.path(), frames));
    runtime.shutdown_timeout(Duration::from_secs(5));
}

fn number(name: &str, usual: usize) -> usize {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Fills a file; answers with the dead letters in it.
fn fill(directory: &Path, rows: usize) -> usize {
    let mut yard = Yard::open(directory, FLIGHT);
    let (mut stored, mut letters) = (0, 0);
    while stored < rows {
        let dead = if letters < LETTERS.min(rows / 5) {
            FLIGHT / 4
        } else {
            DEAD
        };
        let dead = dead.min(LETTERS.saturating_sub(letters));
        yard.lifecycle(FLIGHT - ASLEEP - dead);
        yard.accept(ASLEEP, false);
        if dead > 0 {
            yard.dead(dead);
        }
        stored += FLIGHT;
        letters += dead;
    }
    yard.ask(9);
    letters
}

async fn desk_over(directory: &Path, clock: &Arc<dyn Clock>, shutdown: &Shutdown) -> Arc<dyn Desk> {
    let settings = Settings {
        policy: Policy::default(),
        queue_max: 4096,
        batch_commands_max: 4096,
        batch_bytes_max: 1 << 20,
        busy_wait: Duration::from_secs(5),
        bus_lag_max: 1024,
        readers: 3,
        room: postroom::broker::vitals::RoomSettings::default(),
        fresh_ids: ("org".to_owned(), "workspace".to_owned()),
        webhook_words: postroom::broker::webhooks::plain_words,
    };
    let store = SqliteStore::open(&directory.join("postroom.db"), sqlite::Settings::default());
    let tasks = shutdown.tasks("broker");
    let broker = Broker::start(
        Box::new(store.unwrap()),
        settings,
        Arc::clone(clock),
        Arc::new(SystemEntropy),
        &tasks,
    );
    let options = LocalOptions {
        identity: address("operator"),
        via: postroom::domain::via::Via::Console,
        environment: "BENCH".to_owned(),
        hold: Span::from_seconds(5),
        is_read_only: false,
        is_protected: false,
        payload_bytes_max: 131_072,
        is_strict: false,
    };
    Arc::new(LocalDesk::new(broker.await.unwrap(), options))
}

async fn measure(directory: &Path, frames: usize) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let shutdown = Shutdown::new(tokio::runtime::Handle::current());
    let desk = desk_over(directory, &clock, &shutdown).await;
    println!("| what | p50 | p99 | budget | kept |");
    println!("|---|---|---|---|---|");
    let began = Instant::now();
    let mut stage = stage(&desk, &clock, (120, 36));
    stage.frame().unwrap();
    time_row("first frame", vec![began.elapsed()], 50.0);
    for (size, budget) in [((120, 36), 2.0), ((200, 60), 4.0)] {
        every_row_changes(&desk, &clock, size, budget, frames).await;
    }
    steady(&desk, &clock, frames).await;
    pages(desk.as_ref(), frames).await;
    shutdown.request();
}

fn stage(desk: &Arc<dyn Desk>, clock: &Arc<dyn Clock>, size: (u16, u16)) -> Stage {
    Stage::new(Arc::clone(desk), Arc::clone(clock), size, "midnight").unwrap()
}

fn key(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

/// A list of intents on the screen, read and drawn.
async fn at_intents(stage: &mut Stage) {
    stage.settle().await;
    stage.press(key(KeyCode::Char('3')));
    for _ in 0..3 {
        stage.settle().await;
        stage.frame().unwrap();
    }
}

async fn every_row_changes(
    desk: &Arc<dyn Desk>,
    clock: &Arc<dyn Clock>,
    size: (u16, u16),
    budget: f64,
    frames: usize,
) {
    let mut stage = stage(desk, clock, size);
    at_intents(&mut stage).await;
    let (mut times, mut bytes) = (Vec::new(), Vec::new());
    for turn in 0..frames {
        let code = if turn % 2 == 0 {
            KeyCode::PageDown
        } else {
            KeyCode::PageUp
        };
        stage.press(key(code));
        stage.settle().await;
        let began = Instant::now();
        let written = stage.frame().unwrap();
        times.push(began.elapsed());
        bytes.push(written.len());
    }
    let name = format!(
        "build, difference and output, every row, {}x{}",
        size.0, size.1
    );
    time_row(&name, times, budget);
    if size == (120, 36) {
        byte_row("bytes of that", bytes, 8_000);
    }
}

/// A fact that changes one row, and the counters.
async fn steady(desk: &Arc<dyn Desk>, clock: &Arc<dyn Clock>, frames: usize) {
    let mut stage = stage(desk, clock, (120, 36));
    at_intents(&mut stage).await;
    let page = desk.feed(None, 0).await.unwrap();
    let (mut times, mut bytes) = (Vec::new(), Vec::new());
    let first = desk.intents(IntentFilter::default(), PageRequest::default());
    let intent = first.await.unwrap().items.first().map(|row| row.id);
    for turn in 0..frames {
        // The feed tells of one row; the counters are as they are.
        let status = if turn % 2 == 0 {
            Status::InProgress
        } else {
            Status::Acknowledged
        };
        stage.hear(FeedPage {
            rows: vec![FeedRow {
                cursor: page.next,
                at: clock.now(),
                kind: "intent.in_progress".to_owned(),
                intent,
                agent: None,
                status: Some(status),
                actor: "postroom".to_owned(),
                data: Payload::empty(),
            }],
            ..page.clone()
        });
        let began = Instant::now();
        let written = stage.frame().unwrap();
        times.push(began.elapsed());
        bytes.push(written.len());
        stage.settle().await;
    }
    time_row("steady frame, one row and the counters, 120x36", times, 1.0);
    byte_row("bytes of that", bytes, 500);
    moved(desk, &mut stage, frames).await;
}

/// The cursor goes on by one row: two rows change their look, and what is told of the row changes.
async fn moved(desk: &Arc<dyn Desk>, stage: &mut Stage, frames: usize) {
    let page = desk.feed(None, 0).await.unwrap();
    let (mut times, mut bytes) = (Vec::new(), Vec::new());
    for turn in 0..frames {
        let code = if turn % 2 == 0 {
            KeyCode::Down
        } else {
            KeyCode::Up
        };
        stage.press(key(code));
        stage.hear(FeedPage {
            rows: Vec::new(),
            ..page.clone()
        });
        stage.settle().await;
        let began = Instant::now();
        let written = stage.frame().unwrap();
        times.push(began.elapsed());
        bytes.push(written.len());
    }
    time_row("a move of the cursor, 120x36", times, 1.0);
    byte_row("bytes of that", bytes, 8_000);
}

async fn pages(desk: &dyn Desk, turns: usize) {
    let newest = IntentFilter::default();
    let dead = IntentFilter {
        states: vec![State::DeadLetter],
        ..IntentFilter::default()
    };
    let agent = IntentFilter {
        to: Some(address("asleep")),
        ..IntentFilter::default()
    };
    // Deep: as far as a tenth of the list, by key.
    let mut deep = None;
    for _ in 0..50 {
        let page = PageRequest {
            limit: PAGE,
            cursor: deep.clone(),
        };
        deep = desk
            .intents(newest.clone(), page)
            .await
            .unwrap()
            .next
            .or(deep);
    }
    for (name, filter, cursor) in [
        ("window of 200 intents, newest", &newest, None),
        ("the same, deep", &newest, deep),
        ("the same, of state dead letters", &dead, None),
        ("the same, of an agent", &agent, None),
    ] {
        let mut times = Vec::new();
        for _ in 0..turns {
            let page = PageRequest {
                limit: PAGE,
                cursor: cursor.clone(),
            };
            let began = Instant::now();
            let page = desk.intents(filter.clone(), page).await.unwrap();
            times.push(began.elapsed());
            assert!(!page.items.is_empty(), "{name} is empty");
        }
        time_row(name, times, 5.0);
    }
    let mut times = Vec::new();
    for _ in 0..turns {
        let began = Instant::now();
        let groups = desk.letter_groups(LetterFilter::default()).await.unwrap();
        times.push(began.elapsed());
        assert!(!groups.is_empty(), "there are no groups");
    }
    time_row("groups of the dead letters", times, 10.0);
    let text = IntentFilter {
        contains: vec!["no such text".to_owned()],
        ..IntentFilter::default()
    };
    let mut times = Vec::new();
    let mut cursor = None;
    for _ in 0..turns.min(100) {
        let began = Instant::now();
        let page = PageRequest {
            limit: PAGE,
            cursor: cursor.clone(),
        };
        let page = desk.intents(text.clone(), page).await.unwrap();
        times.push(began.elapsed());
        cursor = page.next;
    }
    time_row("a step of a text scan, 200 intents", times, 50.0);
}

fn time_row(name: &str, mut times: Vec<Duration>, budget_ms: f64) {
    times.sort();
    let ms = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
    let p50 = ms(times.get(times.len() / 2));
    let p99 = ms(times.get(times.len() * 99 / 100).or(times.last()));
    let kept = if p50 < budget_ms { "yes" } else { "NO" };
    println!("| {name} | {p50:.2} ms | {p99:.2} ms | < {budget_ms} ms | {kept} |");
}

fn byte_row(name: &str, mut bytes: Vec<usize>, budget: usize) {
    bytes.sort_unstable();
    let p50 = bytes.get(bytes.len() / 2).copied().unwrap_or(0);
    let most = bytes.last().copied().unwrap_or(0);
    let kept = if p50 < budget { "yes" } else { "NO" };
    println!("| {name} | {p50} B | {most} B (most) | < {budget} B | {kept} |");
}
