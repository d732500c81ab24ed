//! The real program, killed over and over under mixed load, against what it acknowledged.
//!
//! Senders, receivers on every binding, people and operators go on over all kills, making calls of
//! unknown outcome again under the same key. A ledger outside keeps everything that was acknowledged.
//! In the end nothing may be lost, doubled, stuck or miscounted.
//!
//! `CRASH_CYCLES=200 cargo test --release --test crash -- --nocapture` is the long run, and
//! `CRASH_SEED=7` repeats the choices of one (what is killed in between is up to the machine).
//! `CRASH_PROGRAM=target/release/postroom` tests another program than the one built with the test.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, and what only tests use"
)]

mod bulk;
mod dice;
mod faults;
mod history;
mod ledger;
mod people;
mod power;
mod program;
mod receivers;
mod senders;
mod soak;
mod verify;
mod webhook;
mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Notify, OnceCell, watch};
use tokio::task::JoinSet;

use dice::Dice;
use ledger::Ledger;
use program::{Place, Running};
use world::{Ask, Phase, Shared, World, text};

/// Cycles of a run that nobody asked to be longer.
const CYCLES: u64 = 6;
/// How long a kill waits for an acknowledgement to follow.
const KEPT_PATIENCE: Duration = Duration::from_millis(300);
/// Without a fault everything ends within this time; policies here are short.
const DRAIN_PATIENCE: Duration = Duration::from_secs(90);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_every_kill() {
    let seed = number("CRASH_SEED").unwrap_or_else(rand::random);
    let cycles = number("CRASH_CYCLES").unwrap_or(CYCLES);
    eprintln!("crash: seed {seed}, {cycles} cycles; CRASH_SEED={seed} chooses the same again");
    postroom::bindings::http::install_crypto_provider();
    let scratch = tempfile::tempdir().unwrap();
    let place = Place::in_directory(scratch.path());
    let (link, phase) = (watch::Sender::new(None), watch::Sender::new(Phase::Load));
    let guest: webhook::Guest = Arc::new(OnceCell::new());
    let mut doors = JoinSet::new();
    let hook = webhook::open(Arc::clone(&guest), &mut doors).await;

    let first = started(&place).await;
    let cast = Cast::hire(&place, &first.url, hook).await;
    let world: Shared = Arc::new(World {
        client: client(),
        admin: place.admin_key(),
        sender: cast.sender.clone(),
        link: link.subscribe(),
        phase: phase.subscribe(),
        ledger: Mutex::new(Ledger::default()),
        began: tokio::time::Instant::now(),
        kept: Notify::new(),
    });
    assert!(guest.set((Arc::clone(&world), Dice::new(seed, 2))).is_ok());
    let mut actors = cast.play(&world, seed);

    let mut story = Story {
        place: &place,
        link: &link,
        dice: Dice::new(seed, 1),
        starts: 1,
    };
    let mut running = first;
    for cycle in 0..cycles {
        running = story.cycle(running, &world).await;
        if cycle % 20 == 19 {
            eprintln!("crash: {} cycles, {}", cycle + 1, progress(&world));
        }
    }
    phase.send_replace(Phase::Drain);
    let is_drained = drain(&world).await;
    phase.send_replace(Phase::Done);
    if is_drained {
        while let Some(ended) = actors.join_next().await {
            ended.unwrap();
        }
    } else {
        actors.shutdown().await;
    }
    let told = verify::verify(&world, &Dice::new(seed, 3), story.starts).await;
    eprintln!(
        "crash: {} brokers, {}; {} attempts, {} events",
        story.starts,
        progress(&world),
        told.attempts.len(),
        told.head
    );
    end(&place, running, &world, &told).await;
    let ledger = world.ledger();
    assert!(
        ledger.violations.is_empty(),
        "seed {seed}, {} violations:\n{}\nand the brokers said:\n{}",
        ledger.violations.len(),
        ledger.violations[..ledger.violations.len().min(30)].join("\n"),
        tail(&place.complaints())
    );
}

fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy();
    builder
        .connect_timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

async fn started(place: &Place) -> Running {
    let ready = place.start().ready(place).await;
    ready.unwrap_or_else(|complaint| panic!("{complaint}"))
}

fn progress(world: &Shared) -> String {
    let ledger = world.ledger();
    format!(
        "{} accepted, {} looks, {} reports, {} holds, {} replays, {} attempts seen, {} of {} calls of unknown outcome, {} violations",
        ledger.accepted.len(),
        ledger.looks.len(),
        ledger.reports.values().map(Vec::len).sum::<usize>(),
        ledger.holds.len(),
        ledger.replays.len(),
        ledger.attempts.len(),
        ledger.unknown,
        ledger.calls,
        ledger.violations.len()
    )
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// What is done to brokers.
struct Story<'place> {
    place: &'place Place,
    link: &'place watch::Sender<Option<String>>,
    dice: Dice,
    /// Brokers that took requests.
    starts: u64,
}

impl Story<'_> {
    /// Lets a broker live for a while, ends it, and starts the next one.
    async fn cycle(&mut self, mut running: Running, world: &Shared) -> Running {
        self.link.send_replace(Some(running.url.clone()));
        world.pause(self.dice.between(50, 600)).await;
        if self.dice.percent(70) {
            // The worst moment: right after somebody was told that a write is kept.
            let kept = tokio::time::timeout(KEPT_PATIENCE, world.kept.notified());
            drop(kept.await);
        }
        if let Some(code) = running.ended() {
            let said = tail(&self.place.complaints());
            panic!("a broker ended by itself with {code}: {said}");
        }
        if self.dice.percent(10) {
            let code = running.stop().await;
            if code != Some(0) {
                let what = format!("a broker that was asked to stop ended with {code:?}");
                world.ledger().wrong(what);
            }
        } else {
            running.kill().await;
        }
        self.link.send_replace(None);
        if self.dice.percent(20) {
            // Killed while it starts: recovery must bear being cut short.
            let starting = self.place.start();
            world.pause(self.dice.between(0, 60)).await;
            starting.kill().await;
        }
        let next = started(self.place).await;
        self.starts += 1;
        self.link.send_replace(Some(next.url.clone()));
        next
    }
}

/// Waits until nothing is open. False when that takes too long.
async fn drain(world: &Shared) -> bool {
    let until = tokio::time::Instant::now() + DRAIN_PATIENCE;
    while tokio::time::Instant::now() < until {
        world.pause(50).await;
        let open = Ask::get(&world.admin, "/v1/intents?kind=all&status=pending&limit=1");
        let holds = Ask::get(&world.admin, "/v1/holds");
        let (open, holds) = (world.call(open).await, world.call(holds).await);
        if open.list("/intents").is_empty() && holds.list("/holds").is_empty() {
            return true;
        }
    }
    false
}

/// Stops the last broker, looks at what it left on disk, and at what the next one makes of it.
async fn end(place: &Place, running: Running, world: &Shared, told: &verify::Told) {
    let mut wrong = Vec::new();
    if running.stop().await != Some(0) {
        wrong.push("the last broker did not stop well".to_owned());
    }
    let disk = rusqlite::Connection::open(place.data.join("postroom.db")).unwrap();
    let checked: String = disk
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    drop(disk);
    if checked != "ok" {
        wrong.push(format!("the store on disk: {checked}"));
    }
    let next = started(place).await;
    let client = client();
    let overview = get(&client, &next.url, &world.admin, "/v1/overview").await;
    let counted: u64 = overview["intents"]
        .as_object()
        .map(|counts| counts.values().filter_map(Value::as_u64).sum())
        .unwrap_or_default();
    if counted != u64::try_from(told.intents.len()).unwrap() {
        wrong.push(format!("I10: after one more start there are {counted}"));
    }
    next.kill().await;
    for line in place.complaints().lines() {
        if line.contains("panicked") || line.contains("ERROR") {
            wrong.push(format!("a broker said: {line}"));
        }
    }
    let mut ledger = world.ledger();
    for what in wrong {
        ledger.wrong(what);
    }
}

async fn get(client: &reqwest::Client, base: &str, token: &str, path: &str) -> Value {
    let request = client.get(format!("{base}{path}"));
    let response = request.header("x-api-key", token).send().await.unwrap();
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// Keys of those who play.
struct Cast {
    sender: String,
    orders: String,
    ledger: String,
}

impl Cast {
    /// Registers everybody, before anything is killed.
    async fn hire(place: &Place, base: &str, hook: std::net::SocketAddr) -> Self {
        let (client, admin) = (client(), place.admin_key());
        let post = async |path: &str, body: Value| -> Value {
            let request = client.post(format!("{base}{path}")).body(body.to_string());
            let sent = request.header("x-api-key", &admin).send().await.unwrap();
            assert_eq!(sent.status().as_u16(), 200, "{path} {body}");
            serde_json::from_slice(&sent.bytes().await.unwrap()).unwrap()
        };
        let account = async |name: &str, more: Value| -> String {
            let mut body = more;
            body["name"] = json!(name);
            let made = post("/v1/service-accounts", body).await;
            text(&made, "/service_account/service_account_id")
        };
        let key = async |account: &str, role: &str| -> String {
            let path = format!("/v1/service-accounts/{account}/keys");
            text(&post(&path, json!({ "role": role })).await, "/api_key")
        };
        let callback = format!("http://{hook}/hook");
        account(
            "hook",
            json!({ "delivery_mode": "http", "callback_url": callback }),
        )
        .await;
        account("desk", json!({ "delivery_mode": "inbox" })).await;
        let orders = account("orders", json!({})).await;
        let ledger = account("ledger", json!({ "delivery_mode": "poll" })).await;
        let sender = account("web", json!({})).await;
        Self {
            sender: key(&sender, "sender").await,
            orders: key(&orders, "agent").await,
            ledger: key(&ledger, "agent").await,
        }
    }

    fn play(&self, world: &Shared, seed: u64) -> JoinSet<()> {
        let mut actors = JoinSet::new();
        let dice = |salt: u64| Dice::new(seed, salt);
        let world = || Arc::clone(world);
        for index in 0..4 {
            let name = format!("s{index}");
            actors.spawn(senders::send(world(), dice(10 + index), name));
        }
        actors.spawn(senders::send_again(world(), dice(20)));
        actors.spawn(senders::cancel(world(), dice(21)));
        for (salt, name) in [(30, "listener 1"), (31, "listener 2")] {
            let token = self.orders.clone();
            actors.spawn(receivers::listen(world(), dice(salt), token, name));
        }
        actors.spawn(receivers::poll(world(), dice(32), self.ledger.clone()));
        actors.spawn(people::decide(world(), dice(40)));
        actors.spawn(people::decide(world(), dice(41)));
        actors.spawn(people::look_after_letters(world(), dice(42)));
        actors.spawn(people::pause_agents(world(), dice(43)));
        actors.spawn(people::look(world(), dice(45)));
        actors.spawn(people::look(world(), dice(46)));
        actors.spawn(people::read_feed(world(), dice(44)));
        actors.spawn(people::stream_feed(world()));
        actors
    }
}
