//! What became of one receiver's attempts in the last quarter of an hour, bucket by bucket, and of its breaker
//! today. Kept in memory, from the start of the broker on.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Mono;
use crate::domain::activity::{Activity, BUCKET_SECONDS, BUCKETS, BreakerHistory, ErrorCount};
use crate::domain::attempt::Outcome;
use crate::domain::fact::Notice;
use crate::domain::failure::ErrorClass;
use crate::domain::time::Timestamp;
use crate::telemetry::Lengths;

/// Different errors of a bucket that are told; others are counted as failures alone.
const ERRORS_MAX: usize = 16;

/// The end of an attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) class: Option<ErrorClass>,
    pub(super) http_status: Option<u16>,
    pub(super) took: Duration,
}

#[derive(Debug, Default)]
struct Bucket {
    succeeded: u32,
    failed: u32,
    lengths: Lengths,
    errors: Vec<ErrorCount>,
}

/// The buckets of one receiver.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Oldest first; the last one runs.
    buckets: VecDeque<Bucket>,
    /// The number of the last one.
    newest: u64,
    /// The lengths of all of them.
    lengths: Lengths,
}

impl Recent {
    /// Counts an attempt that has ended. One that was withdrawn says nothing of its receiver.
    pub(super) fn record(&mut self, now: Mono, ended: Ended) {
        self.move_on(now);
        let Some(bucket) = self.buckets.back_mut() else {
            return;
        };
        match ended.outcome {
            Outcome::Acknowledged | Outcome::Completed => {
                bucket.succeeded = bucket.succeeded.saturating_add(1);
            }
            Outcome::Withdrawn | Outcome::InFlight => return,
            Outcome::Failed
            | Outcome::TimedOut
            | Outcome::Lost
            | Outcome::UnknownCrash
            | Outcome::RejectedStale => bucket.failed = bucket.failed.saturating_add(1),
        }
        bucket.lengths.record(ended.took);
        self.lengths.record(ended.took);
        if let Some(class) = ended.class {
            let error = ErrorCount {
                class,
                http_status: ended.http_status,
                count: 1,
            };
            count(&mut bucket.errors, error);
        }
    }

    /// The length that 95 % did not exceed in the last fifteen minutes, in milliseconds.
    pub(super) fn p95_ms(&mut self, now: Mono) -> Option<f64> {
        self.move_on(now);
        percentile(&self.lengths, 95)
    }

    /// Everything, but what is not of attempts.
    pub(super) fn view(&mut self, now: Mono) -> Activity {
        self.move_on(now);
        let mut errors: Vec<ErrorCount> = Vec::new();
        for error in self.buckets.iter().flat_map(|bucket| &bucket.errors) {
            count(&mut errors, *error);
        }
        errors.sort_by_key(|error| (std::cmp::Reverse(error.count), error.class));
        let buckets = || self.buckets.iter();
        Activity {
            running_seconds: now.as_seconds() % BUCKET_SECONDS,
            succeeded: buckets().map(|bucket| bucket.succeeded).collect(),
            failed: buckets().map(|bucket| bucket.failed).collect(),
            p95_ms: buckets()
                .map(|bucket| percentile(&bucket.lengths, 95))
                .collect(),
            lengths_ms: [50, 95, 99].map(|percent| percentile(&self.lengths, percent)),
            errors,
            ..Activity::default()
        }
    }

    fn move_on(&mut self, now: Mono) {
        let number = now.as_seconds() / BUCKET_SECONDS;
        let passed = if self.buckets.is_empty() {
            1
        } else {
            number.saturating_sub(self.newest)
        };
        self.newest = self.newest.max(number);
        // After a long silence only the buckets that are still kept are worth writing.
        for _ in 0..passed.min(u64::try_from(BUCKETS).unwrap_or(u64::MAX)) {
            self.buckets.push_back(Bucket::default());
            if self.buckets.len() > BUCKETS
                && let Some(oldest) = self.buckets.pop_front()
            {
                self.lengths.subtract(&oldest.lengths);
            }
        }
    }
}

/// Whether an item of the feed says something of a breaker.
pub(super) fn is_of_breaker(notice: &Notice) -> bool {
    matches!(
        notice.kind.as_str(),
        "agent.breaker_changed" | "agent.breaker_reset"
    )
}

/// Takes in what the feed says of a breaker.
pub(super) fn observe(history: &mut BreakerHistory, notice: &Notice) {
    let data = notice.data.to_value();
    let word = |name: &str| data.get(name).and_then(serde_json::Value::as_str);
    match (notice.kind.as_str(), word("breaker")) {
        ("agent.breaker_changed", Some("open")) => {
            let is_same_day = history
                .opened_at
                .is_some_and(|at| day(at) == day(notice.at));
            let before = if is_same_day {
                history.opened_on_day
            } else {
                0
            };
            history.opened_on_day = before.saturating_add(1);
            history.opened_at = Some(notice.at);
            history.opened_for = word("error_class").and_then(ErrorClass::from_name);
        }
        ("agent.breaker_changed", Some("closed")) | ("agent.breaker_reset", _) => {
            history.closed_at = Some(notice.at);
        }
        _ => {}
    }
}

fn day(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(24 * 3_600)
}

fn percentile(lengths: &Lengths, percent: u64) -> Option<f64> {
    let length = lengths.percentile(percent)?;
    Some(length.as_secs_f64() * 1000.0)
}

fn count(errors: &mut Vec<ErrorCount>, error: ErrorCount) {
    let is_full = errors.len() >= ERRORS_MAX;
    let known = errors
        .iter_mut()
        .find(|known| (known.class, known.http_status) == (error.class, error.http_status));
    match known {
        Some(known) => known.count = known.count.saturating_add(error.count),
        None if is_full => {}
        None => errors.push(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::{Address, Home};
    use crate::domain::fact::Actor;
    use crate::domain::payload::Payload;
    use serde_json::json;

    fn at(seconds: u64) -> Mono {
        Mono::from_start(Duration::from_secs(seconds))
    }

    fn ended(outcome: Outcome, millis: u64) -> Ended {
        let is_good = matches!(outcome, Outcome::Completed | Outcome::Acknowledged);
        Ended {
            outcome,
            class: (!is_good).then_some(ErrorClass::Http5xx),
            http_status: (!is_good).then_some(503),
            took: Duration::from_millis(millis),
        }
    }

    #[test]
    fn attempts_fall_into_the_bucket_of_their_end_and_leave_with_it() {
        let mut activity = Recent::default();
        activity.record(at(0), ended(Outcome::Completed, 10));
        activity.record(at(17), ended(Outcome::Failed, 9_000));
        activity.record(at(18), ended(Outcome::Acknowledged, 10));
        activity.record(at(18), ended(Outcome::Withdrawn, 10));
        let view = activity.view(at(40));
        assert_eq!(view.succeeded, [1, 1, 0]);
        assert_eq!(view.failed, [1, 0, 0]);
        assert_eq!(view.running_seconds, 4);
        assert!(view.p95_ms[0].unwrap() >= 9_000.0);
        assert!(view.p95_ms[1].unwrap() < 11.0);
        assert_eq!(view.p95_ms[2], None);
        assert!(view.lengths_ms[0].unwrap() < 11.0 && view.lengths_ms[2].unwrap() >= 9_000.0);
        let error = ErrorCount {
            class: ErrorClass::Http5xx,
            http_status: Some(503),
            count: 1,
        };
        assert_eq!(view.errors, [error]);
        // The first bucket leaves when the fifty-first begins, and with it the long attempt.
        let last = activity.view(at(899));
        assert_eq!((last.succeeded.len(), last.failed[0]), (50, 1));
        let next = activity.view(at(900));
        assert_eq!((next.succeeded.len(), next.failed[0]), (50, 0));
        assert_eq!(next.errors, []);
        assert!(activity.p95_ms(at(900)).unwrap() < 11.0);
        assert_eq!(activity.p95_ms(at(100_000)), None);
    }

    #[test]
    fn the_breaker_counts_its_openings_of_a_day() {
        let agent = Address::parse("orders", &Home::default()).unwrap();
        let mut history = BreakerHistory::default();
        let mut tell = |seconds: i64, kind: &str, data| {
            observe(
                &mut history,
                &Notice {
                    at: Timestamp::from_millis(seconds * 1000),
                    actor: Actor::Broker,
                    kind: kind.to_owned(),
                    agent: Some(agent.clone()),
                    data: Payload::of(&data),
                },
            );
            history
        };
        let open = json!({ "breaker": "open", "error_class": "timeout" });
        let closed = json!({ "breaker": "closed" });
        tell(10, "agent.breaker_changed", open.clone());
        let again = tell(20, "agent.breaker_changed", open.clone());
        assert_eq!(again.opened_on_day, 2);
        assert_eq!(again.opened_for, Some(ErrorClass::Timeout));
        assert_eq!(again.closed_at, None);
        let well = tell(30, "agent.breaker_changed", closed);
        assert_eq!(well.closed_at, Some(Timestamp::from_millis(30_000)));
        let reset = tell(40, "agent.breaker_reset", json!({ "reason": null }));
        assert_eq!(reset.closed_at, Some(Timestamp::from_millis(40_000)));
        let tomorrow = tell(86_400, "agent.breaker_changed", open);
        assert_eq!(tomorrow.opened_on_day, 1);
    }
}
