//! What an operator must not have to look for: told in the feed, to webhook subscriptions, and by a notice in
//! the operator's inbox.
//!
//! 1. An episode is told once when it begins and once when it is over; what happens in its middle tells
//!    nothing.
//! 2. What was told last is in the commit that told it: a restart tells nothing twice.
//! 3. The notice ends by itself when the episode is over, unless somebody has answered it before.
//!
//! Not here: breakers of endpoints, whose record holds what was told (`push/episode.rs`). Tested beside the
//! writer (`broker/tests`), by the simulator, and over HTTP (`tests/api/alarms.rs`, `tests/pressure`).

mod disk;
mod letters;

use serde_json::Value;

use self::disk::Disk;
use self::letters::Letters;
use crate::broker::batch::Batch;
use crate::broker::rounds::run_quietly;
use crate::broker::webhooks;
use crate::broker::writer::faultless;
use crate::domain::address::Address;
use crate::domain::fact::{Actor, Notice};
use crate::domain::ids::IntentId;
use crate::domain::payload::Payload;
use crate::domain::policy::Policy;
use crate::domain::status::Status;
use crate::domain::time::Timestamp;
use crate::engine::command::{Command, Resolve};
use crate::store::Reader;
use crate::store::error::StoreError;

/// What was told last, and what is counted for the next time.
#[derive(Debug, Clone)]
pub(super) struct Alarms {
    disk: Disk,
    letters: Letters,
}

impl Alarms {
    /// What a former process told, and what it had counted.
    pub(super) fn read(
        reader: &mut dyn Reader,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            disk: Disk::read(reader)?,
            letters: Letters::read(reader, policy.letters_per_hour_max, now)?,
        })
    }
}

/// Tells what has changed.
pub(super) fn round(batch: &mut Batch<'_>, alarms: &mut Alarms) -> Result<(), StoreError> {
    let Alarms { disk, letters } = alarms;
    disk::round(batch, disk)?;
    letters::round(batch, letters)
}

/// Something of the house that operators and their subscriptions want to know.
pub(super) fn news(batch: &Batch<'_>, kind: &str, agent: Option<&Address>, data: &Value) -> Notice {
    Notice {
        at: batch.now,
        actor: Actor::Broker,
        kind: kind.to_owned(),
        agent: agent.cloned(),
        data: Payload::of(data),
    }
}

/// Carries it to whoever subscribed to such news.
pub(super) fn announce(batch: &mut Batch<'_>, news: &Notice) -> Result<(), StoreError> {
    webhooks::note_news(batch, news);
    if let Err(refusal) = faultless(webhooks::announce(batch))? {
        tracing::error!(kind = news.kind, %refusal, "news could not be carried to subscriptions");
    }
    Ok(())
}

/// What a notice said is over. Somebody may have answered it.
pub(super) fn end(batch: &mut Batch<'_>, notice: IntentId, why: &str) -> Result<(), StoreError> {
    let over = Command::Resolve(Resolve {
        status: Status::Completed,
        result: None,
        error: None,
        reason: Some(why.to_owned()),
        by: Actor::Broker,
        expected_generation: None,
    });
    run_quietly(batch, notice, &over)?;
    Ok(())
}
