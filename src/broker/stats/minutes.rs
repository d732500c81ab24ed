//! How often something happened, by minute of the wall clock, a day back.

use std::collections::BTreeMap;

use crate::domain::time::Timestamp;

/// Counts by minute of the wall clock.
#[derive(Debug, Default)]
pub(super) struct MinuteCounts(BTreeMap<i64, u64>);

impl MinuteCounts {
    pub(super) fn add(&mut self, at: Timestamp) {
        let minute = at.as_seconds().div_euclid(60);
        *self.0.entry(minute).or_default() += 1;
        while self.0.len() > 24 * 60 {
            self.0.pop_first();
        }
    }

    pub(super) fn since(&self, now: Timestamp, minutes: i64) -> u64 {
        let first = now.as_seconds().div_euclid(60).saturating_sub(minutes);
        self.0.range(first..).map(|(_, count)| count).sum()
    }
}
