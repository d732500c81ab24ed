//! Hours in minutes: intents at a steady rate over stream, poll and push, receivers that crash, hang, forget,
//! give back and answer 500, brokers that are killed, and a wall clock that is a day later in each life, so that
//! retention removes what earlier lives left.
//!
//! Each intent is judged by the history checker some time after its end and then forgotten, so that an hour
//! needs no more of the machine than a minute. Beside it memory, open files and disk are watched; the middle
//! half of the time is one long life, in which none of them may grow.
//!
//! `SOAK_SECONDS=3600 SOAK_RATE=2000 cargo test --release --test crash soak -- --nocapture` is the long run,
//! and `SOAK_SEED=7` repeats the choices of one.

#![expect(clippy::print_stderr, reason = "a long run says how far it is")]

mod actors;
mod book;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use serde_json::Value;
use tokio::sync::{Notify, OnceCell, mpsc, watch as signal};
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::ledger::Ledger;
use crate::power::compile;
use crate::program::{Place, Running};
use crate::world::{Ask, Phase, Shared, World};
use crate::{Cast, DRAIN_PATIENCE, client, get, number, started, tail};
use actors::Seat;

/// A run that nobody asked to be longer.
const SECONDS: u64 = 8;
const RATE: u64 = 100;
/// Those who send; each takes its share of the rate.
const SENDERS: u64 = 4;
/// Rows that wait to be reported.
const ROWS_MAX: usize = 2048;
/// Between two looks at what the broker takes.
const LOOK: Duration = Duration::from_millis(500);
const DAY_SECONDS: u64 = 86_400;

/// What ended three lives ago is older than it may be; a call that is made again in the next life keeps its key.
const SETTINGS: [&str; 7] = [
    "retention.finished_days=2",
    "retention.dead_letter_days=2",
    "idempotency.retention_hours=30",
    "ack_timeout_seconds=2",
    "http.connect_timeout_seconds=2",
    "http.timeout_seconds=2",
    "http.per_endpoint_max=32",
];

/// The lengths of the lives, in seconds: short ones around a long one of half the time.
fn lives(seconds: u64) -> Vec<u64> {
    let short = (seconds / 16).max(1);
    let mut lives = vec![short; 4];
    lives.push(seconds / 2);
    lives.extend([short; 4]);
    lives
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soak_under_chaos_loses_nothing_and_grows_nowhere() {
    let seed = number("SOAK_SEED").unwrap_or_else(rand::random);
    let seconds = number("SOAK_SECONDS").unwrap_or(SECONDS);
    let rate = number("SOAK_RATE").unwrap_or(RATE);
    eprintln!(
        "soak: seed {seed}, {seconds} s at {rate}/s; SOAK_SEED={seed} chooses the same again"
    );
    postroom::bindings::http::install_crypto_provider();
    let scratch = tempfile::tempdir().unwrap();
    let mut place = Place::in_directory(scratch.path());
    place.sets = SETTINGS.to_vec();
    let library = compile("tests/crash/soak/ahead.c", &scratch.path().join("ahead.so"));
    place.env = vec![("LD_PRELOAD", library.into_os_string())];

    let guest: Arc<OnceCell<Seat>> = Arc::default();
    let hook = door(Arc::clone(&guest)).await;
    let first = started(&place).await;
    let cast = Cast::hire(&place, &first.url, hook).await;
    let (link, phase) = (signal::Sender::new(None), signal::Sender::new(Phase::Load));
    let world: Shared = Arc::new(World {
        client: client(),
        admin: place.admin_key(),
        sender: cast.sender.clone(),
        link: link.subscribe(),
        phase: phase.subscribe(),
        ledger: std::sync::Mutex::new(Ledger::default()),
        began: tokio::time::Instant::now(),
        kept: Notify::new(),
    });
    let seat = Seat {
        world: Arc::clone(&world),
        book: Arc::default(),
        dice: Arc::new(Dice::new(seed, 1)),
        held_back: Arc::new(AtomicU64::new(0)),
    };
    assert!(guest.set(seat.clone()).is_ok());
    let mut actors = play(&seat, &cast, rate);

    let mut story = Story {
        place,
        link,
        seat: seat.clone(),
        samples: Vec::new(),
        ended: Vec::new(),
    };
    let lives = lives(seconds);
    let mut running = first;
    for (life, seconds) in lives.iter().enumerate() {
        running = story.live(life, *seconds, running).await;
        let is_last = life + 1 == lives.len();
        if !is_last {
            running = story.kill(life, running).await;
        }
    }
    phase.send_replace(Phase::Drain);
    let is_drained = drain(&seat).await;
    phase.send_replace(Phase::Done);
    if is_drained {
        while let Some(ended) = actors.join_next().await {
            ended.unwrap();
        }
    } else {
        actors.shutdown().await;
    }
    seat.book.lock().judge(world.micros(), true);
    story.end(running, lives.len() / 2).await;
    tell(&seat, &story, seed);
}

/// The receiver that is called; it outlives every broker.
async fn door(guest: Arc<OnceCell<Seat>>) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move |body: Bytes| {
        let guest = Arc::clone(&guest);
        async move { actors::called(guest.get().unwrap(), &body).await }
    };
    let app = Router::new().route("/hook", post(answer));
    let mut doors = JoinSet::new();
    doors.spawn(async move { axum::serve(listener, app).await.unwrap() });
    doors.detach_all();
    address
}

fn play(seat: &Seat, cast: &Cast, rate: u64) -> JoinSet<()> {
    let mut actors = JoinSet::new();
    for index in 0..SENDERS {
        let share = (rate / SENDERS).max(1);
        actors.spawn(actors::send(seat.clone(), format!("s{index}"), share));
    }
    let (rows, queue) = mpsc::channel(ROWS_MAX);
    for _ in 0..2 {
        actors.spawn(actors::listen(
            seat.clone(),
            cast.orders.clone(),
            rows.clone(),
        ));
    }
    drop(rows);
    actors.spawn(actors::report(
        seat.clone(),
        "orders",
        cast.orders.clone(),
        queue,
    ));
    let (rows, queue) = mpsc::channel(ROWS_MAX);
    actors.spawn(actors::poll(seat.clone(), cast.ledger.clone(), rows));
    actors.spawn(actors::report(
        seat.clone(),
        "ledger",
        cast.ledger.clone(),
        queue,
    ));
    actors.spawn(actors::follow(seat.clone()));
    actors.spawn(actors::judge(seat.clone()));
    actors.spawn(actors::look(seat.clone()));
    actors
}

struct Story {
    place: Place,
    link: signal::Sender<Option<String>>,
    seat: Seat,
    samples: Vec<watch::Sample>,
    /// Intents that had ended by the end of each life.
    ended: Vec<u64>,
}

impl Story {
    /// Watches a broker for a while.
    async fn live(&mut self, life: usize, seconds: u64, mut running: Running) -> Running {
        self.link.send_replace(Some(running.url.clone()));
        let world = &self.seat.world;
        let until = world.micros() + seconds * 1_000_000;
        while world.micros() < until {
            tokio::time::sleep(LOOK).await;
            if let Some(code) = running.ended() {
                let said = tail(&self.place.complaints());
                panic!("a broker ended by itself with {code}: {said}");
            }
            let at = world.micros() / 1_000_000;
            let sample = watch::sample(life, at, running.id(), &self.place.data);
            self.samples.extend(sample);
        }
        let book = self.seat.book.lock();
        self.ended.push(book.ended());
        eprintln!(
            "soak: life {life} over at {} s: {} accepted, {} open, {} violations",
            world.micros() / 1_000_000,
            book.accepted,
            book.open(),
            book.wrong.len()
        );
        running
    }

    /// Kills it; the next one lives a day later.
    async fn kill(&mut self, life: usize, running: Running) -> Running {
        running.kill().await;
        self.link.send_replace(None);
        let days = u64::try_from(life).unwrap() + 1;
        self.place.env.retain(|(name, _)| *name != "AHEAD_SECONDS");
        let ahead = (days * DAY_SECONDS).to_string();
        self.place.env.push(("AHEAD_SECONDS", ahead.into()));
        started(&self.place).await
    }

    /// Waits for retention, stops the last broker, and looks at what it said.
    async fn end(&mut self, running: Running, longest: usize) {
        let world = &self.seat.world;
        // What had ended by the end of the third life before the last one is too old.
        let old = self.ended[self.ended.len().saturating_sub(4)];
        let most = self.seat.book.lock().ended() - old;
        let mut stored = u64::MAX;
        // A sweep looks at a hundred a second of a broker that does nothing else.
        let sweep = Duration::from_secs(old / 80);
        let until = tokio::time::Instant::now() + DRAIN_PATIENCE + sweep;
        while tokio::time::Instant::now() < until && stored > most {
            world.pause(200).await;
            let overview = get(&world.client, &running.url, &world.admin, "/v1/overview").await;
            let counts = overview["intents"].as_object();
            stored = counts.map_or(0, |counts| counts.values().filter_map(Value::as_u64).sum());
        }
        let mut wrong = watch::growth(&self.samples, longest);
        eprintln!("soak: {stored} intents are stored in the end, {most} are young enough");
        if stored > most {
            wrong.push(format!(
                "retention left {stored} intents where {most} are young enough"
            ));
        }
        if running.stop().await != Some(0) {
            wrong.push("the last broker did not stop well".to_owned());
        }
        let lines = self.place.complaints();
        let bad = lines
            .lines()
            .filter(|line| line.contains("panicked") || line.contains("ERROR"));
        wrong.extend(bad.map(|line| format!("a broker said: {line}")));
        let mut book = self.seat.book.lock();
        for what in wrong {
            book.complain(what);
        }
    }
}

/// Waits until nothing is open, as the feed tells it. False when that takes too long.
async fn drain(seat: &Seat) -> bool {
    let world = &seat.world;
    let until = tokio::time::Instant::now() + DRAIN_PATIENCE;
    while tokio::time::Instant::now() < until {
        world.pause(100).await;
        let open = Ask::get(&world.admin, "/v1/intents?kind=all&status=pending&limit=1");
        let is_idle = world.call(open).await.list("/intents").is_empty();
        let feed = world
            .call(Ask::get(&world.admin, "/v1/events?since=0&limit=1"))
            .await;
        let is_read = seat.book.lock().since >= feed.body["head"].as_u64().unwrap_or(u64::MAX);
        if is_idle && is_read {
            return true;
        }
    }
    false
}

fn tell(seat: &Seat, story: &Story, seed: u64) {
    let book = seat.book.lock();
    let ledger = seat.world.ledger();
    eprintln!("{}", watch::table(&story.samples));
    eprintln!(
        "soak: {} accepted in {} s, {:?}; {} attempts seen, {} words about them, {} of {} calls of unknown \
         outcome, {} events, senders held back for {} ms",
        book.accepted,
        seat.world.micros() / 1_000_000,
        book.ends,
        book.attempts,
        book.touches,
        ledger.unknown,
        ledger.calls,
        book.since,
        seat.held_back.load(Ordering::Relaxed),
    );
    let wrong: Vec<&String> = book.wrong.iter().chain(&ledger.violations).collect();
    assert!(
        wrong.is_empty(),
        "seed {seed}, {} violations:\n{}\nand the brokers said:\n{}",
        wrong.len(),
        wrong
            .iter()
            .take(30)
            .map(|one| one.as_str())
            .collect::<Vec<_>>()
            .join("\n"),
        tail(&story.place.complaints())
    );
}
