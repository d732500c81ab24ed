//! The ports to time and chance, and the only file of the crate that reads either.
//!
//! Invariants:
//! 1. Wall time ([`Clock::now`]) is for facts that outlive the process; it may jump either way.
//! 2. Monotonic time ([`Clock::elapsed`]) is for durations; it never goes back and means nothing
//!    outside this process.
//! 3. A [`ManualClock`] and a [`SeededEntropy`] of the same seed give the same run again, on every
//!    machine and with every version of the libraries.
//!
//! Not here: sleeping and timeouts (the runtime's), and how often anything happens (`config`).
//! Tested at the end of this file.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::{Span, Timestamp};

/// A source of time. Use it as `Arc<dyn Clock>`.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The wall clock, for what is written down.
    fn now(&self) -> Timestamp;

    /// The monotonic clock, for how long something took.
    fn elapsed(&self) -> Mono;
}

/// A source of randomness. Use it as `Arc<dyn Entropy>`.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Sixty-four fresh bits.
    fn u64(&self) -> u64;

    /// Fills `bytes` with fresh bits.
    fn fill(&self, bytes: &mut [u8]);
}

/// An instant of the monotonic clock: the time since the clock was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mono(Duration);

impl Mono {
    /// The instant `since_start` after the clock was made.
    #[must_use]
    pub const fn from_start(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// How long after `earlier` this instant is; zero when it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// This instant moved into the future, saturating.
    #[must_use]
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// Whole milliseconds since the clock was made.
    #[must_use]
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// Whole seconds since the clock was made.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0.as_secs()
    }
}

/// The time of the machine.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic side starts now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place that reads the clock"
    )]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place that reads the clock"
    )]
    fn now(&self) -> Timestamp {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            // A machine set to before 1970 is wrong, but that is no reason to stop.
            Err(before) => i64::try_from(before.duration().as_millis())
                .unwrap_or(i64::MAX)
                .saturating_neg(),
        };
        Timestamp::from_millis(millis)
    }

    fn elapsed(&self) -> Mono {
        Mono(self.start.elapsed())
    }
}

/// The randomness of the machine, fit for keys and secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn u64(&self) -> u64 {
        rand::random()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place that reads randomness"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        rand::Rng::fill_bytes(&mut rand::rng(), bytes);
    }
}

/// A clock that stands still until it is moved: for tests and the simulator.
#[derive(Debug)]
pub struct ManualClock {
    wall_ms: AtomicI64,
    elapsed_us: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self {
            wall_ms: AtomicI64::new(now.as_millis()),
            elapsed_us: AtomicU64::new(0),
        }
    }

    /// Lets time pass: both clocks move by `span`.
    pub fn advance(&self, span: Span) {
        self.advance_by(span.to_std());
        self.set(self.now().after(span));
    }

    /// Lets less than a millisecond pass, or any other time, on the monotonic clock alone.
    pub fn advance_by(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let before = self.elapsed_us.load(Ordering::SeqCst);
        self.elapsed_us
            .store(before.saturating_add(micros), Ordering::SeqCst);
    }

    /// Sets the wall clock, as an administrator or a time server would; the monotonic one stays.
    pub fn set(&self, now: Timestamp) {
        self.wall_ms.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall_ms.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Mono {
        Mono(Duration::from_micros(
            self.elapsed_us.load(Ordering::SeqCst),
        ))
    }
}

/// Randomness that can be had again: `SplitMix64` over a shared counter. Not for secrets.
#[derive(Debug)]
pub struct SeededEntropy {
    state: AtomicU64,
}

impl SeededEntropy {
    /// The step of the counter: 2^64 divided by the golden ratio (Steele, Lea and Flood, 2014).
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    /// The sequence of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            state: AtomicU64::new(seed),
        }
    }
}

impl Entropy for SeededEntropy {
    fn u64(&self) -> u64 {
        let counter = self.state.fetch_add(Self::STEP, Ordering::SeqCst);
        let mut mixed = counter.wrapping_add(Self::STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            for (target, source) in chunk.iter_mut().zip(self.u64().to_le_bytes()) {
                *target = source;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_ports_can_be_shared_as_trait_objects() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        assert!(clock.now() > Timestamp::from_millis(1_700_000_000_000));
        assert!(clock.elapsed() >= Mono::default());
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        assert_ne!(bytes, [0; 32]);
        assert_ne!(entropy.u64(), entropy.u64());
    }

    #[test]
    fn a_manual_clock_moves_both_sides_and_jumps_only_the_wall() {
        let clock = ManualClock::at(Timestamp::from_millis(1000));
        let start = clock.elapsed();
        clock.advance(Span::from_seconds(2));
        assert_eq!(clock.now(), Timestamp::from_millis(3000));
        assert_eq!(clock.elapsed().since(start), Duration::from_secs(2));
        clock.set(Timestamp::from_millis(5));
        assert_eq!(clock.now(), Timestamp::from_millis(5));
        assert_eq!(clock.elapsed().as_millis(), 2000);
        assert_eq!(start.since(clock.elapsed()), Duration::ZERO);
    }

    #[test]
    fn a_seed_gives_the_published_splitmix_sequence() {
        // Reference values of SplitMix64 for the seed 1234567.
        let entropy = SeededEntropy::new(1_234_567);
        assert_eq!(entropy.u64(), 6_457_827_717_110_365_317);
        assert_eq!(entropy.u64(), 3_203_168_211_198_807_973);
        let mut bytes = [0; 11];
        SeededEntropy::new(1_234_567).fill(&mut bytes);
        assert_eq!(
            u64::from_le_bytes(bytes[..8].try_into().unwrap()),
            6_457_827_717_110_365_317
        );
        assert_ne!(bytes[8..], [0; 3]);
    }
}
