//! The disk is low, and is fine again: told in the feed and in the operator's inbox, once each.
//!
//! What was told last is kept in the store, so that a restart tells nothing twice.

use serde_json::json;

use crate::broker::batch::Batch;
use crate::broker::notices::{self, Words};
use crate::broker::rounds::run_quietly;
use crate::domain::fact::{Actor, Notice};
use crate::domain::ids::IntentId;
use crate::domain::payload::Payload;
use crate::domain::status::Status;
use crate::engine::command::{Command, Resolve};
use crate::store::error::StoreError;
use crate::store::{Reader, Write};

/// The number under which is kept whether the disk was told to be low.
const LOW: &str = "disk_low";
/// The text under which the notice about it is kept.
const NOTICE: &str = "disk_notice";

/// What was told last.
#[derive(Debug, Clone, Default)]
pub(super) struct Alarms {
    is_low: bool,
    notice: Option<IntentId>,
}

impl Alarms {
    /// What a former process told.
    pub(super) fn read(reader: &mut dyn Reader) -> Result<Self, StoreError> {
        Ok(Self {
            is_low: reader.number(LOW)?.unwrap_or(0) > 0,
            notice: reader.text(NOTICE)?.and_then(|text| text.parse().ok()),
        })
    }
}

/// Tells what has changed.
pub(super) fn round(batch: &mut Batch<'_>, alarms: &mut Alarms) -> Result<(), StoreError> {
    let room = batch.vitals.room();
    if room.is_low == alarms.is_low {
        return Ok(());
    }
    alarms.is_low = room.is_low;
    batch.txn.put(Write::Number(LOW, u64::from(room.is_low)))?;
    let data = Payload::of(&json!({
        "free_bytes": room.free_bytes, "low_bytes": room.low_bytes, "is_full": room.is_full,
    }));
    let kind = if room.is_low {
        "storage.low"
    } else {
        "storage.fine"
    };
    batch.notice(Notice {
        at: batch.now,
        actor: Actor::Broker,
        kind: kind.to_owned(),
        agent: None,
        data: data.clone(),
    })?;
    if room.is_low {
        tracing::warn!(?room, "the disk is low: new intents are refused");
        let words = Words {
            intent_type: "intent.storage.low.v1",
            title: "The broker's disk is low".to_owned(),
            description:
                "New intents are refused until there is more room than store.disk_low_bytes; \
                          deliveries and results go on. This notice ends by itself then."
                    .to_owned(),
            payload: data,
            correlation_id: None,
            trace_id: None,
        };
        if let Some(id) = notices::give(batch, alarms.notice, words)? {
            alarms.notice = Some(id);
            batch.txn.put(Write::Text(NOTICE, id.to_string()))?;
        }
        return Ok(());
    }
    tracing::warn!(?room, "there is enough room on the disk again");
    if let Some(notice) = alarms.notice.take() {
        let over = Command::Resolve(Resolve {
            status: Status::Completed,
            result: None,
            error: None,
            reason: Some("there is enough room again".to_owned()),
            by: Actor::Broker,
            expected_generation: None,
        });
        // Somebody may have answered it.
        run_quietly(batch, notice, &over)?;
    }
    Ok(())
}
