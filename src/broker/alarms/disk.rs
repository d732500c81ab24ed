//! The disk is low, and is fine again.

use serde_json::json;

use super::{announce, end, news};
use crate::broker::batch::Batch;
use crate::broker::notices::{self, Words};
use crate::domain::ids::IntentId;
use crate::domain::payload::Payload;
use crate::store::error::StoreError;
use crate::store::{Reader, Write};

/// The number under which is kept whether the disk was told to be low.
const LOW: &str = "disk_low";
/// The text under which the notice about it is kept.
const NOTICE: &str = "disk_notice";

/// What was told last.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    is_low: bool,
    notice: Option<IntentId>,
}

impl Disk {
    pub(super) fn read(reader: &mut dyn Reader) -> Result<Self, StoreError> {
        Ok(Self {
            is_low: reader.number(LOW)?.unwrap_or(0) > 0,
            notice: reader.text(NOTICE)?.and_then(|text| text.parse().ok()),
        })
    }
}

pub(super) fn round(batch: &mut Batch<'_>, told: &mut Disk) -> Result<(), StoreError> {
    let room = batch.vitals.room();
    if room.is_low == told.is_low {
        return Ok(());
    }
    told.is_low = room.is_low;
    batch.txn.put(Write::Number(LOW, u64::from(room.is_low)))?;
    let data = json!({
        "free_bytes": room.free_bytes, "low_bytes": room.low_bytes, "is_full": room.is_full,
    });
    let kind = if room.is_low {
        "storage.low"
    } else {
        "storage.fine"
    };
    let news = news(batch, kind, None, &data);
    announce(batch, &news)?;
    batch.notice(news)?;
    if room.is_low {
        tracing::warn!(?room, "the disk is low: new intents are refused");
        let words = Words {
            intent_type: "intent.storage.low.v1",
            title: "The broker's disk is low".to_owned(),
            description:
                "New intents are refused until there is more room than store.disk_low_bytes; \
                          deliveries and results go on. This notice ends by itself then."
                    .to_owned(),
            payload: Payload::of(&data),
            correlation_id: None,
            trace_id: None,
        };
        if let Some(id) = notices::give(batch, told.notice, words)? {
            told.notice = Some(id);
            batch.txn.put(Write::Text(NOTICE, id.to_string()))?;
        }
        return Ok(());
    }
    tracing::warn!(?room, "there is enough room on the disk again");
    match told.notice.take() {
        Some(notice) => end(batch, notice, "there is enough room again"),
        None => Ok(()),
    }
}
