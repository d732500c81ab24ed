//! How long something took since the start, by bucket: sums that only rise, which scrapers compare over time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets, in microseconds: from a read in memory to a delivery that waited an hour.
const BOUNDS_US: [u64; 17] = [
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
    3_600_000_000,
];

/// Durations counted by bucket, the last bucket being that of the longer ones.
#[derive(Debug, Default)]
pub struct Buckets {
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// What has been counted, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BucketCounts {
    counts: [u64; BOUNDS_US.len() + 1],
    sum_us: u64,
}

impl Buckets {
    /// Counts one that took `duration`.
    pub fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS_US.partition_point(|bound| *bound < micros);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// What has been counted so far.
    #[must_use]
    pub fn counts(&self) -> BucketCounts {
        BucketCounts {
            counts: std::array::from_fn(|place| {
                let count = self.counts.get(place);
                count.map_or(0, |count| count.load(Ordering::Relaxed))
            }),
            sum_us: self.sum_us.load(Ordering::Relaxed),
        }
    }
}

impl BucketCounts {
    /// Each bound, with how many took as long at most.
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, u64)> {
        let mut sum = 0_u64;
        BOUNDS_US
            .into_iter()
            .zip(self.counts)
            .map(move |(bound, count)| {
                sum = sum.saturating_add(count);
                (Duration::from_micros(bound), sum)
            })
    }

    /// How many there were: never fewer than in any bucket, also when some were counted meanwhile.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How long they took together.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        Duration::from_micros(self.sum_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_every_bucket_whose_bound_it_does_not_exceed() {
        let buckets = Buckets::default();
        for micros in [0, 1_000, 1_001, 3_600_000_001] {
            buckets.record(Duration::from_micros(micros));
        }
        let counts = buckets.counts();
        let cumulative: Vec<_> = counts.cumulative().collect();
        assert_eq!(cumulative[0], (Duration::from_millis(1), 2));
        assert_eq!(cumulative[1], (Duration::from_micros(2_500), 3));
        assert_eq!(cumulative[16], (Duration::from_hours(1), 3));
        assert_eq!(counts.count(), 4);
        assert_eq!(counts.sum(), Duration::from_micros(3_600_002_002));
    }
}
