//! Payloads that were accepted a moment ago and will be handed over a moment later.

use std::collections::VecDeque;

use crate::domain::ids::{IdMap, IntentId};
use crate::domain::payload::Payload;

/// Most payloads kept.
const COUNT_MAX: usize = 4096;
/// Most bytes kept.
const BYTES_MAX: usize = 16 << 20;

/// A bounded cache: what does not fit is read from the store instead.
#[derive(Debug, Default)]
pub(super) struct PayloadCache {
    kept: IdMap<Payload>,
    order: VecDeque<IntentId>,
    bytes: usize,
}

impl PayloadCache {
    /// Keeps a payload, at the cost of the oldest.
    pub(super) fn put(&mut self, id: IntentId, payload: Payload) {
        self.bytes = self.bytes.saturating_add(payload.len());
        if let Some(old) = self.kept.insert(id, payload) {
            self.bytes = self.bytes.saturating_sub(old.len());
        } else {
            self.order.push_back(id);
        }
        while self.order.len() > COUNT_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.forget(oldest);
        }
    }

    /// Gives a payload out; the first hand-over is the likely only one.
    pub(super) fn take(&mut self, id: IntentId) -> Option<Payload> {
        self.forget(id)
    }

    fn forget(&mut self, id: IntentId) -> Option<Payload> {
        let payload = self.kept.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(payload.len());
        Some(payload)
    }
}
