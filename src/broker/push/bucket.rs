//! A token bucket: how many calls may begin now under an agent's rate.

use crate::domain::time::{Span, Timestamp};

/// One call, in the bucket's unit: a rate of one thousandth of a call per second fills one unit per
/// millisecond, so that nothing is ever rounded away.
const CALL: i64 = 1_000_000;

/// The bucket. It holds what one second brings, at least one call.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    rate_millihertz: i64,
    level: i64,
    filled_at: Timestamp,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(rate_millihertz: u32, now: Timestamp) -> Self {
        let mut bucket = Self {
            rate_millihertz: i64::from(rate_millihertz.max(1)),
            level: 0,
            filled_at: now,
        };
        bucket.level = bucket.size();
        bucket
    }

    /// Calls that may begin now.
    pub(super) fn calls(&mut self, now: Timestamp) -> u32 {
        self.fill(now);
        u32::try_from(self.level / CALL).unwrap_or(u32::MAX)
    }

    /// When the next call may begin.
    pub(super) fn next_at(&mut self, now: Timestamp) -> Timestamp {
        self.fill(now);
        let missing = CALL.saturating_sub(self.level).max(0);
        let millis = missing
            .saturating_add(self.rate_millihertz.saturating_sub(1))
            .checked_div(self.rate_millihertz)
            .unwrap_or(0);
        now.after(Span::from_millis(millis))
    }

    /// A call has begun.
    pub(super) const fn take(&mut self) {
        self.level = self.level.saturating_sub(CALL);
    }

    fn fill(&mut self, now: Timestamp) {
        let millis = now.since(self.filled_at).as_millis();
        let more = millis.saturating_mul(self.rate_millihertz);
        self.level = self.level.saturating_add(more).min(self.size());
        self.filled_at = now;
    }

    fn size(&self) -> i64 {
        // One step more than a call, so that a call that begins at once loses nothing of its step.
        let second = self.rate_millihertz.saturating_mul(1000);
        second.max(CALL.saturating_add(self.rate_millihertz))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_second_s_worth_may_begin_at_once_and_then_one_by_one() {
        let mut bucket = Bucket::new(2000, at(0));
        assert_eq!(bucket.calls(at(0)), 2);
        bucket.take();
        bucket.take();
        assert_eq!(bucket.calls(at(499)), 0);
        assert_eq!(bucket.next_at(at(499)), at(500));
        assert_eq!(bucket.calls(at(500)), 1);
        assert_eq!(bucket.calls(at(60_000)), 2);
    }

    #[test]
    fn a_rate_below_one_per_second_holds_one_call_and_loses_nothing_to_rounding() {
        let mut bucket = Bucket::new(300, at(0));
        let mut begun = 0;
        for millis in 0..=100_000 {
            while bucket.calls(at(millis)) > 0 {
                bucket.take();
                begun += 1;
            }
        }
        assert_eq!(begun, 31, "one at once, then thirty in a hundred seconds");
    }

    #[test]
    fn a_clock_that_is_set_back_neither_fills_nor_empties_it() {
        let mut bucket = Bucket::new(1000, at(10_000));
        bucket.take();
        assert_eq!(bucket.calls(at(5_000)), 0);
        assert_eq!(bucket.calls(at(6_000)), 1);
    }
}
