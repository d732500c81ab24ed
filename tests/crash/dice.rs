//! Chance that a seed repeats.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers from a seed; every actor has dice of its own. SplitMix64.
#[derive(Debug)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        Self(AtomicU64::new(
            seed ^ salt.wrapping_mul(0xd1b5_4a32_d192_ed03),
        ))
    }

    pub(crate) fn number(&self) -> u64 {
        let before = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = before.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&self, low: u64, high: u64) -> u64 {
        low + self.number() % (high - low + 1)
    }

    pub(crate) fn percent(&self, share: u64) -> bool {
        self.number() % 100 < share
    }

    pub(crate) fn pick<'list, T>(&self, list: &'list [T]) -> Option<&'list T> {
        let count = u64::try_from(list.len()).unwrap();
        (count > 0).then(|| &list[usize::try_from(self.number() % count).unwrap()])
    }

    /// A word nobody drew before.
    pub(crate) fn nonce(&self) -> String {
        format!("n{:016x}{:08x}", self.number(), self.number() >> 32)
    }
}
