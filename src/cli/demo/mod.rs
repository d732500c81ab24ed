//! The demonstration: outsiders that speak the public API to a broker on a scratch directory.
//!
//! 1. Real traffic only: every row on a screen is an intent that somebody sent and somebody got.
//! 2. Each outsider has an account and a key of its own, and uses nothing but the HTTP API.
//! 3. Bounded: when people or dead letters pile up, less of that kind is sent.
//!
//! Not here: the broker and the console beneath and above it (`app`). Tested by `tests/cli`.

mod asks;
mod cast;
mod dice;
mod goods;
mod people;
mod receivers;
mod senders;
mod streams;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::client::{Call, Client};
use super::failure::Failure;
use super::output::Output;
use crate::clock::{Clock, Entropy, Mono};
use crate::shutdown::Tasks;
use dice::Dice;

/// How often the stage looks at the broker's numbers.
const LOOK: Duration = Duration::from_secs(4);

/// What the demonstration needs.
#[derive(Debug)]
pub struct Setting {
    /// The broker.
    pub url: Url,
    /// Its admin key.
    pub key: String,
    /// How much traffic, times the usual.
    pub rate: f64,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
}

/// What all outsiders share.
#[derive(Debug, Clone)]
struct Stage {
    admin: Client,
    base: Url,
    dice: Dice,
    clock: Arc<dyn Clock>,
    began: Mono,
    tasks: Tasks,
    mood: Arc<Mood>,
}

/// The load of the moment, and how much lies around.
#[derive(Debug)]
struct Mood {
    /// Traffic in percent of the usual.
    load_percent: AtomicU64,
    dead_letters: AtomicU64,
    pending: AtomicU64,
    base_percent: u64,
}

impl Stage {
    /// Seconds since the curtain rose.
    fn seconds(&self) -> u64 {
        self.clock.elapsed().since(self.began).as_secs()
    }

    /// Sleeps, unless the play is over. True when it goes on.
    async fn pause(&self, span: Duration) -> bool {
        tokio::select! {
            // Both are cancel-safe: a token and a sleep keep nothing.
            () = self.tasks.token().cancelled() => false,
            () = tokio::time::sleep(span) => true,
        }
    }

    /// A pause of about `mean`, shorter when much is going on.
    async fn beat(&self, mean: Duration) -> bool {
        let load = self.mood.load_percent.load(Ordering::Relaxed).max(1);
        let millis = u64::try_from(mean.as_millis()).unwrap_or(u64::MAX);
        let mean = Duration::from_millis(millis.saturating_mul(100) / load);
        self.pause(self.dice.around(mean)).await
    }
}

/// Registers everybody and starts the play; it ends with `tasks`.
///
/// # Errors
/// When the broker does not answer, or does not take the cast.
pub async fn start(setting: Setting, tasks: &Tasks) -> Result<(), Failure> {
    if !(0.01..=100.0).contains(&setting.rate) {
        return Err(Failure::usage("--rate must be a number from 0.01 to 100"));
    }
    let percent = format!("{:.0}", setting.rate * 100.0)
        .parse()
        .unwrap_or(100);
    let stage = Stage {
        admin: Client::with_key(&setting.url, &setting.key, "the demonstration")?,
        base: setting.url,
        dice: Dice::new(&setting.entropy),
        began: setting.clock.elapsed(),
        clock: setting.clock,
        tasks: tasks.clone(),
        mood: Arc::new(Mood {
            load_percent: AtomicU64::new(percent),
            dead_letters: AtomicU64::new(0),
            pending: AtomicU64::new(0),
            base_percent: percent,
        }),
    };
    let doors = receivers::open(&stage)?;
    let cast = cast::assemble(&stage, &doors).await?;
    streams::start(&stage, &cast);
    people::start(&stage, &cast);
    senders::start(&stage, &cast);
    let watched = stage.clone();
    tasks.spawn("demo mood", async move { watched.watch().await });
    Ok(())
}

impl Stage {
    /// Looks at the broker's numbers now and then, and lets the load rise and fall.
    async fn watch(self) {
        let mut turn: u64 = 0;
        while self.pause(LOOK).await {
            turn = turn.wrapping_add(1);
            if let Ok(overview) = self.admin.call(Call::get("/v1/overview")).await {
                let number = |pointer: &str| overview.pointer(pointer).and_then(Value::as_u64);
                let dead = number("/dead_letters/open").unwrap_or(0);
                self.mood.dead_letters.store(dead, Ordering::Relaxed);
                let pending = number("/inbox/pending").unwrap_or(0);
                self.mood.pending.store(pending, Ordering::Relaxed);
            }
            // Mostly even, sometimes quiet, now and then a rush of one turn.
            let swing = match turn % 10 {
                4 => 260,
                7 | 8 => 55,
                _ => self.dice.between(80, 130),
            };
            let load = self.mood.base_percent.saturating_mul(swing) / 100;
            self.mood.load_percent.store(load.max(1), Ordering::Relaxed);
        }
    }
}

/// Says every few seconds what goes on, until `ended` completes.
///
/// # Errors
/// When standard output is gone.
pub async fn narrate(
    client: &Client,
    out: &Output,
    ended: impl Future<Output = ()>,
) -> Result<(), Failure> {
    tokio::pin!(ended);
    loop {
        // A sleep and a pinned future: dropping the sleep loses nothing.
        tokio::select! {
            () = &mut ended => return Ok(()),
            () = tokio::time::sleep(LOOK) => {}
        }
        let Ok(overview) = client.call(Call::get("/v1/overview")).await else {
            continue;
        };
        out.either(&overview, |out| out.line(sentence(&overview)))?;
    }
}

fn sentence(overview: &Value) -> String {
    let number = |pointer: &str| {
        overview
            .pointer(pointer)
            .and_then(Value::as_f64)
            .unwrap_or(0.0)
    };
    format!(
        "{:>5.1}/s in  {:>5.1}/s done  {:>6} completed  {:>4} retrying  {:>4} dead letters  {:>3} for people",
        number("/rates/accepted_per_second"),
        number("/rates/completed_per_second"),
        number("/intents/COMPLETED"),
        overview
            .pointer("/bindings")
            .and_then(Value::as_array)
            .map_or(0, |bindings| bindings
                .iter()
                .filter_map(|binding| binding.get("backing_off")?.as_u64())
                .sum::<u64>()),
        number("/dead_letters/open"),
        number("/inbox/pending"),
    )
}
