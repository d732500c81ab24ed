//! Lengths since the start by bucket, for scrapers; bindings in the order of `Binding::ALL`.

use crate::domain::time::Span;
use crate::telemetry::{BucketCounts, Buckets};

#[derive(Debug, Default)]
pub(super) struct Timings {
    deliver: [Buckets; 5],
    attempt: [Buckets; 5],
    complete: Buckets,
    pub(super) commit: Buckets,
}

/// What was counted of each length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimingCounts {
    /// Acceptance to first hand-over, by the binding that it was handed over by.
    pub deliver: [BucketCounts; 5],
    /// Hand-over to acknowledgement or end, by binding.
    pub attempt: [BucketCounts; 5],
    /// Acceptance to completion.
    pub complete: BucketCounts,
    /// Commits.
    pub commit: BucketCounts,
}

impl Timings {
    pub(super) fn deliver(&self, binding: usize, took: Span) {
        record(&self.deliver, binding, took);
    }

    pub(super) fn attempt(&self, binding: usize, took: Span) {
        record(&self.attempt, binding, took);
    }

    pub(super) fn complete(&self, took: Span) {
        self.complete.record(took.to_std());
    }

    pub(super) fn counts(&self) -> TimingCounts {
        let Self {
            deliver,
            attempt,
            complete,
            commit,
        } = self;
        TimingCounts {
            deliver: deliver.each_ref().map(Buckets::counts),
            attempt: attempt.each_ref().map(Buckets::counts),
            complete: complete.counts(),
            commit: commit.counts(),
        }
    }
}

fn record(by_binding: &[Buckets; 5], binding: usize, took: Span) {
    if let Some(buckets) = by_binding.get(binding) {
        buckets.record(took.to_std());
    }
}
