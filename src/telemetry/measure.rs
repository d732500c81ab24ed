//! Numbers: counters, gauges, rates and latencies. Each is shared by reference and cheap to touch.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::{Clock, Mono};

/// The longest look back of [`Rates`], in seconds: five minutes, the widest graph of the console.
pub const RATE_SECONDS_MAX: usize = 300;

/// Histograms tell durations up to this apart; longer ones count as this long.
const DURATION_US_MAX: u64 = 3_600_000_000;

/// Slices of a histogram's window; the oldest leaves as a whole.
const WINDOW_SLICES: u32 = 6;

/// How often something happened since the start.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts `count` more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The sum so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How much of something there is right now.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets the level.
    pub fn set(&self, level: i64) {
        self.0.store(level, Ordering::Relaxed);
    }

    /// Moves the level.
    pub fn add(&self, change: i64) {
        self.0.fetch_add(change, Ordering::Relaxed);
    }

    /// The level.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often something happened in each of the last [`RATE_SECONDS_MAX`] seconds.
#[derive(Debug)]
pub struct Rates {
    clock: Arc<dyn Clock>,
    seconds: Mutex<Seconds>,
}

/// The counts of whole seconds, newest last, and of the second that still runs.
#[derive(Debug)]
struct Seconds {
    whole: VecDeque<u64>,
    running: u64,
    running_second: u64,
}

impl Rates {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let seconds = Seconds {
            whole: VecDeque::with_capacity(RATE_SECONDS_MAX),
            running: 0,
            running_second: clock.elapsed().as_seconds(),
        };
        Self {
            clock,
            seconds: Mutex::new(seconds),
        }
    }

    /// Counts `count` more in the running second.
    pub fn add(&self, count: u64) {
        let mut seconds = self.current();
        seconds.running = seconds.running.saturating_add(count);
    }

    /// The mean per second over the last `window_seconds` whole seconds, or over as many as there
    /// have been.
    #[must_use]
    pub fn per_second(&self, window_seconds: usize) -> f64 {
        let seconds = self.current();
        let window = seconds.whole.len().min(window_seconds);
        let sum: u64 = seconds.whole.iter().rev().take(window).sum();
        // Counts far beyond 2^32 a second would be another machine's problem.
        let bounded = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        let divisor = bounded(u64::try_from(window).unwrap_or(u64::MAX)).max(1.0);
        bounded(sum) / divisor
    }

    /// The last `points` whole seconds, oldest first, [`RATE_SECONDS_MAX`] at most.
    #[must_use]
    pub fn series(&self, points: usize) -> Vec<u64> {
        let seconds = self.current();
        let skipped = seconds.whole.len().saturating_sub(points);
        seconds.whole.iter().skip(skipped).copied().collect()
    }

    /// The seconds, moved on to now.
    fn current(&self) -> parking_lot::MutexGuard<'_, Seconds> {
        let now = self.clock.elapsed().as_seconds();
        let mut seconds = self.seconds.lock();
        let passed = now.saturating_sub(seconds.running_second);
        // After a long silence only the seconds that are still visible are worth writing.
        let visible = u64::try_from(RATE_SECONDS_MAX)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        for _ in 0..passed.min(visible) {
            let ended = std::mem::take(&mut seconds.running);
            if seconds.whole.len() >= RATE_SECONDS_MAX {
                seconds.whole.pop_front();
            }
            seconds.whole.push_back(ended);
        }
        seconds.running_second = seconds.running_second.max(now);
        seconds
    }
}

/// How long something took, over the last minute or another window.
pub struct Histogram {
    clock: Arc<dyn Clock>,
    slice: Duration,
    state: Mutex<Slices>,
}

struct Slices {
    /// Newest last; never empty but when it could not be made.
    slices: VecDeque<hdrhistogram::Histogram<u32>>,
    newest_ends: Mono,
}

impl fmt::Debug for Histogram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Histogram")
            .field("quantiles", &self.quantiles())
            .finish_non_exhaustive()
    }
}

/// What a histogram says about its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quantiles {
    /// How many were measured.
    pub count: u64,
    /// Half were not longer.
    pub p50: Duration,
    /// Nine in ten were not longer.
    pub p90: Duration,
    /// Nineteen in twenty were not longer.
    pub p95: Duration,
    /// All but one in a hundred were not longer.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Histogram {
    /// Nothing measured yet; looks back over `window`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, window: Duration) -> Self {
        let slice = window / WINDOW_SLICES;
        let newest_ends = clock.elapsed().after(slice);
        Self {
            clock,
            slice,
            state: Mutex::new(Slices {
                slices: VecDeque::from_iter(fresh()),
                newest_ends,
            }),
        }
    }

    /// Measures one that took `duration`.
    pub fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let mut state = self.current();
        if let Some(newest) = state.slices.back_mut() {
            newest.saturating_record(micros.max(1));
        }
    }

    /// Measures one that took `millis` milliseconds.
    pub fn record_ms(&self, millis: u64) {
        self.record(Duration::from_millis(millis));
    }

    /// The quantiles of the window; all zero when nothing was measured. Two digits are exact.
    #[must_use]
    pub fn quantiles(&self) -> Quantiles {
        let state = self.current();
        let Some(mut sum) = fresh() else {
            return Quantiles::default();
        };
        for slice in &state.slices {
            // Same bounds on both sides: adding cannot fail.
            if sum.add(slice).is_err() {
                return Quantiles::default();
            }
        }
        drop(state);
        if sum.is_empty() {
            return Quantiles::default();
        }
        let quantile = |share| Duration::from_micros(sum.value_at_quantile(share));
        Quantiles {
            count: sum.len(),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p95: quantile(0.95),
            p99: quantile(0.99),
            max: Duration::from_micros(sum.max()),
        }
    }

    /// The slices, moved on to now.
    fn current(&self) -> parking_lot::MutexGuard<'_, Slices> {
        let now = self.clock.elapsed();
        let mut state = self.state.lock();
        if now.since(state.newest_ends) > self.slice * WINDOW_SLICES {
            state.slices.clear();
            state.newest_ends = now;
        }
        while now >= state.newest_ends && !self.slice.is_zero() {
            state.slices.extend(fresh());
            state.newest_ends = state.newest_ends.after(self.slice);
            while state.slices.len() > usize::try_from(WINDOW_SLICES).unwrap_or(1) {
                state.slices.pop_front();
            }
        }
        state
    }
}

/// One microsecond to an hour, two digits: 11 KiB. The bounds are constants, so there always is one.
fn fresh() -> Option<hdrhistogram::Histogram<u32>> {
    hdrhistogram::Histogram::new_with_bounds(1, DURATION_US_MAX, 2).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::time::{Span, Timestamp};

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::at(Timestamp::from_millis(0)))
    }

    fn port(clock: &Arc<ManualClock>) -> Arc<dyn Clock> {
        let clock: Arc<ManualClock> = Arc::clone(clock);
        clock
    }

    #[test]
    fn rates_count_whole_seconds_and_forget_old_ones() {
        let clock = clock();
        let rates = Rates::new(port(&clock));
        rates.add(5);
        assert_eq!(rates.series(10), Vec::<u64>::new());
        clock.advance(Span::from_seconds(1));
        rates.add(7);
        clock.advance(Span::from_seconds(2));
        assert_eq!(rates.series(10), [5, 7, 0]);
        assert_eq!(rates.series(2), [7, 0]);
        assert!((rates.per_second(60) - 4.0).abs() < 1e-9);
        assert!((rates.per_second(2) - 3.5).abs() < 1e-9);
        clock.advance(Span::from_seconds(100_000));
        let series = rates.series(usize::MAX);
        assert_eq!(
            (series.len(), series.iter().sum::<u64>()),
            (RATE_SECONDS_MAX, 0)
        );
    }

    #[test]
    fn a_histogram_gives_quantiles_of_its_window_only() {
        let clock = clock();
        let histogram = Histogram::new(port(&clock), Duration::from_mins(1));
        assert_eq!(histogram.quantiles(), Quantiles::default());
        for millis in 1..=100 {
            histogram.record_ms(millis);
        }
        let near = |actual: Duration, expected_ms: u64| {
            let expected = Duration::from_millis(expected_ms);
            assert!(
                actual.abs_diff(expected) <= expected / 50,
                "{actual:?} {expected:?}"
            );
        };
        let quantiles = histogram.quantiles();
        assert_eq!(quantiles.count, 100);
        near(quantiles.p50, 50);
        near(quantiles.p90, 90);
        near(quantiles.p99, 99);
        near(quantiles.max, 100);
        clock.advance(Span::from_seconds(49));
        histogram.record_ms(1);
        assert_eq!(histogram.quantiles().count, 101);
        clock.advance(Span::from_seconds(12));
        assert_eq!(histogram.quantiles().count, 1);
        clock.advance(Span::from_seconds(3600));
        assert_eq!(histogram.quantiles(), Quantiles::default());
        histogram.record(Duration::from_hours(100));
        near(histogram.quantiles().max, 3_600_000);
    }

    #[test]
    fn counters_and_gauges_are_shared_by_reference() {
        let (counter, gauge) = (Counter::default(), Gauge::default());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    counter.add(2);
                    gauge.add(-1);
                });
            }
        });
        assert_eq!((counter.value(), gauge.value()), (8, -4));
    }
}
