//! Who sends what, and how often.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Stage;
use super::asks;
use super::cast::Cast;
use super::goods::{self, Parcel};
use crate::cli::client::{Call, Client};
use crate::domain::time::Span;

/// Dead letters beyond which nothing is sent that is meant to die.
const DEAD_MAX: u64 = 120;
/// Open tasks beyond which nobody is asked anything.
const PENDING_MAX: u64 = 26;

/// Makes the next parcel; none when there is enough of that kind.
type Make = fn(&Stage) -> Option<Parcel>;

/// Sender, mean pause in milliseconds, what it sends.
const LINES: &[(&str, u64, Make)] = &[
    ("web-shop", 330, |stage| Some(goods::order(&stage.dice))),
    ("web-shop", 900, |stage| {
        Some(goods::index_update(&stage.dice))
    }),
    ("web-shop", 1400, |stage| {
        Some(goods::fraud_check(&stage.dice))
    }),
    ("web-shop", 1100, |stage| Some(text_message(stage))),
    ("back-office", 520, |stage| {
        Some(goods::ledger_entry(&stage.dice))
    }),
    ("back-office", 800, |stage| {
        Some(goods::invoice(&stage.dice))
    }),
    ("back-office", 1300, |stage| {
        Some(goods::shipment(&stage.dice))
    }),
    ("back-office", 23_000, crm_note),
    ("back-office", 12_000, report),
    ("web-shop", 11_000, |stage| asked(stage, goods::refund)),
    ("back-office", 31_000, |stage| asked(stage, goods::question)),
    ("back-office", 29_000, |stage| asked(stage, asks::any)),
    ("deploy-bot", 19_000, |stage| {
        asked(stage, goods::deployment)
    }),
];

pub(super) fn start(stage: &Stage, cast: &Cast) {
    for (sender, pause_ms, make) in LINES {
        let (stage, client) = (stage.clone(), cast.client(sender, stage));
        let tasks = stage.tasks.clone();
        let mean = Duration::from_millis(*pause_ms);
        tasks.spawn("demo sender", async move {
            while stage.beat(mean).await {
                if let Some(parcel) = make(&stage) {
                    send(&client, &parcel).await;
                }
            }
        });
    }
    let (stage, web, office, bot) = (
        stage.clone(),
        cast.client("web-shop", stage),
        cast.client("back-office", stage),
        cast.client("deploy-bot", stage),
    );
    let tasks = stage.tasks.clone();
    tasks.spawn("demo opening", async move {
        opening(&stage, &web, &office, &bot).await;
    });
}

/// What is on every desk within the first seconds.
async fn opening(stage: &Stage, web: &Client, office: &Client, bot: &Client) {
    let dice = &stage.dice;
    for remind_after in [1, 2, 90] {
        send(web, &goods::refund(dice, remind_after)).await;
        send(bot, &goods::deployment(dice, remind_after)).await;
    }
    send(office, &goods::question(dice, 30)).await;
    for parcel in asks::each(dice) {
        send(office, &parcel).await;
    }
    for _ in 0..4 {
        send(web, &goods::text_message(dice, true)).await;
        send(web, &goods::order(dice)).await;
    }
    send(office, &goods::crm_note(dice)).await;
    if let Some(parcel) = report(stage) {
        send(office, &parcel).await;
    }
}

fn text_message(stage: &Stage) -> Parcel {
    let is_bad = stage.dice.percent(9) && has_room_for_dead(stage);
    goods::text_message(&stage.dice, is_bad)
}

fn crm_note(stage: &Stage) -> Option<Parcel> {
    has_room_for_dead(stage).then(|| goods::crm_note(&stage.dice))
}

fn report(stage: &Stage) -> Option<Parcel> {
    if !has_room_for_dead(stage) {
        return None;
    }
    let seconds = i64::try_from(stage.dice.between(8, 90)).unwrap_or(60);
    let deadline = stage.clock.now().after(Span::from_seconds(seconds));
    Some(goods::report(&stage.dice, &deadline.to_string()))
}

fn asked(stage: &Stage, make: fn(&super::dice::Dice, u64) -> Parcel) -> Option<Parcel> {
    let has_room = stage.mood.pending.load(Ordering::Relaxed) < PENDING_MAX;
    has_room.then(|| make(&stage.dice, stage.dice.between(10, 240)))
}

fn has_room_for_dead(stage: &Stage) -> bool {
    stage.mood.dead_letters.load(Ordering::Relaxed) < DEAD_MAX
}

async fn send(client: &Client, parcel: &Parcel) {
    // A sender that meets a busy broker would try again; here the next parcel does.
    if let Err(failure) = client.call(Call::post("/v1/intents", parcel.body())).await {
        tracing::debug!(%failure, "demo sender");
    }
}
