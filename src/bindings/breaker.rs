//! The health of one endpoint: how many calls it gets at once, and when it gets none.
//!
//! ```text
//!            half of at least 10 fail in 60 s,
//!            or 5 in a row do not connect
//!   closed ------------------------------------> open for 30 s, 60 s, 2 min ... 15 min
//!     ^                                            |  time is up
//!     |  the probe is answered                     v
//!     +---------------------------------------- half-open: one probe
//!                                                  |  the probe fails
//!                                                  +----> open, twice as long
//! ```
//! While it is open, and while `Retry-After` holds the endpoint back, nothing is claimed: intents
//! stay due and spend nothing. It lives in memory; after a restart every endpoint starts afresh with
//! few calls at once.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Mono;
use crate::domain::failure::ErrorClass;

/// Most calls at once to one endpoint, however well it does.
pub const LIMIT_MAX: u32 = 64;

/// How far back failures count.
const WINDOW: Duration = Duration::from_mins(1);

/// Outcomes in the window before their share says anything.
const OUTCOMES_MIN: usize = 10;

/// Most outcomes that are kept; more than enough to tell a share.
const OUTCOMES_MAX: usize = 200;

/// Failures to connect in a row that open the breaker.
const UNREACHABLE_MAX: u32 = 5;

/// How long the breaker stays open the first time; doubles each time until [`OPEN_MAX`].
const OPEN_FIRST: Duration = Duration::from_secs(30);

/// The longest time that the breaker stays open.
const OPEN_MAX: Duration = Duration::from_mins(15);

/// What an outcome says of the endpoint itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It answered, and not with a sign of trouble.
    Well,
    /// It is overloaded or broken.
    Sick,
    /// It asks for fewer calls, and is well otherwise.
    Busy,
    /// There is no talking to it.
    Unreachable,
    /// The outcome is about this intent, or about us.
    Neither,
}

impl Verdict {
    /// What a failure of this class says of the endpoint.
    #[must_use]
    pub const fn of(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Dns | ErrorClass::Connect | ErrorClass::Tls => Self::Unreachable,
            ErrorClass::Reset | ErrorClass::Timeout | ErrorClass::Http5xx => Self::Sick,
            ErrorClass::Http429 => Self::Busy,
            ErrorClass::Http3xx
            | ErrorClass::Http4xx
            | ErrorClass::HttpConflict
            | ErrorClass::Gone410
            | ErrorClass::HandlerFailed => Self::Well,
            ErrorClass::BlockedAddress
            | ErrorClass::BadSignatureConfig
            | ErrorClass::Nack
            | ErrorClass::LeaseLost
            | ErrorClass::Crash => Self::Neither,
        }
    }
}

/// What the endpoint may get now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// So many calls more; never zero.
    Places(u32),
    /// None until one that runs has ended.
    Full,
    /// None until that instant.
    ClosedUntil(Mono),
}

/// A change that operators want to read of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The breaker opened for so long.
    Opened(Duration),
    /// A probe was answered.
    Closed,
}

/// The health of one endpoint.
#[derive(Debug, Clone)]
pub struct Health {
    limit: u32,
    /// Successes since the limit last moved.
    successes: u32,
    /// The limit doubles instead of rising by one until it is back here.
    slow_start_until: u32,
    /// Calls begun before this do not lower the limit once more.
    lowered_at: Option<Mono>,
    outcomes: VecDeque<(Mono, bool)>,
    unreachable_in_a_row: u32,
    /// Times that the breaker opened without an answer since; zero while it is closed.
    trips: u32,
    open_until: Option<Mono>,
    held_until: Option<Mono>,
}

impl Health {
    /// An endpoint nobody has called yet, with that many calls at once to begin with.
    #[must_use]
    pub fn new(start: u32) -> Self {
        let start = start.clamp(1, LIMIT_MAX);
        Self {
            limit: 1,
            successes: 0,
            slow_start_until: start,
            lowered_at: None,
            outcomes: VecDeque::new(),
            unreachable_in_a_row: 0,
            trips: 0,
            open_until: None,
            held_until: None,
        }
    }

    /// Calls that it may get at once while the breaker is closed.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// True from the first trip until a probe is answered.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.trips > 0
    }

    /// What it may get now, while `in_flight` calls run; never more than `most` at once.
    #[must_use]
    pub fn room(&self, now: Mono, in_flight: u32, most: u32) -> Room {
        let closed_until = self.open_until.max(self.held_until);
        if let Some(until) = closed_until.filter(|until| *until > now) {
            return Room::ClosedUntil(until);
        }
        let limit = if self.is_open() {
            1
        } else {
            self.limit.min(most)
        };
        match limit.saturating_sub(in_flight) {
            0 => Room::Full,
            places => Room::Places(places),
        }
    }

    /// Gives the endpoint no calls for so long, as it asked (`Retry-After` on 429 and 503).
    pub fn hold(&mut self, now: Mono, span: Duration) {
        self.held_until = self.held_until.max(Some(now.after(span)));
    }

    /// Takes in the outcome of a call that began at `begun`.
    pub fn observe(&mut self, begun: Mono, now: Mono, verdict: Verdict) -> Option<Change> {
        match verdict {
            Verdict::Neither => None,
            Verdict::Busy => {
                self.lower(begun, now);
                None
            }
            Verdict::Well => {
                self.unreachable_in_a_row = 0;
                self.remember(now, true);
                self.raise();
                (self.trips > 0).then(|| {
                    self.trips = 0;
                    self.open_until = None;
                    self.outcomes.clear();
                    Change::Closed
                })
            }
            Verdict::Sick | Verdict::Unreachable => {
                self.unreachable_in_a_row = match verdict {
                    Verdict::Unreachable => self.unreachable_in_a_row.saturating_add(1),
                    _ => 0,
                };
                self.remember(now, false);
                self.lower(begun, now);
                self.trip_if_due(begun, now)
            }
        }
    }

    fn trip_if_due(&mut self, begun: Mono, now: Mono) -> Option<Change> {
        let is_due = if self.is_open() {
            // Only the probe says something new: calls from before the breaker opened do not.
            self.open_until.is_some_and(|until| begun >= until)
        } else {
            let failures = self.outcomes.iter().filter(|(_, is_well)| !is_well).count();
            let is_half = failures.saturating_mul(2) >= self.outcomes.len();
            self.unreachable_in_a_row >= UNREACHABLE_MAX
                || (self.outcomes.len() >= OUTCOMES_MIN && is_half)
        };
        is_due.then(|| {
            let doubled =
                OPEN_FIRST.saturating_mul(1_u32.checked_shl(self.trips).unwrap_or(u32::MAX));
            let span = doubled.min(OPEN_MAX);
            self.trips = self.trips.saturating_add(1);
            self.open_until = Some(now.after(span));
            self.limit = 1;
            self.successes = 0;
            Change::Opened(span)
        })
    }

    fn remember(&mut self, now: Mono, is_well: bool) {
        self.outcomes.push_back((now, is_well));
        while self.outcomes.len() > OUTCOMES_MAX
            || self
                .outcomes
                .front()
                .is_some_and(|(at, _)| now.since(*at) > WINDOW)
        {
            self.outcomes.pop_front();
        }
    }

    /// One more for each window of successes; twice as many while it starts slowly.
    fn raise(&mut self) {
        self.successes = self.successes.saturating_add(1);
        if self.successes >= self.limit {
            self.successes = 0;
            self.limit = if self.limit < self.slow_start_until {
                self.limit.saturating_mul(2).min(self.slow_start_until)
            } else {
                self.limit.saturating_add(1).min(LIMIT_MAX)
            };
        }
    }

    /// Seven tenths, once for all calls that were under way together.
    fn lower(&mut self, begun: Mono, now: Mono) {
        if self.lowered_at.is_none_or(|at| begun >= at) {
            self.limit = (self.limit.saturating_mul(7) / 10).max(1);
            self.successes = 0;
            self.lowered_at = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::from_start(Duration::from_secs(seconds))
    }

    fn observe(health: &mut Health, seconds: u64, verdict: Verdict, times: u32) -> Option<Change> {
        let mut last = None;
        for _ in 0..times {
            last = health.observe(at(seconds), at(seconds), verdict).or(last);
        }
        last
    }

    #[test]
    fn calls_at_once_start_slowly_then_grow_by_one_per_window_up_to_the_bound() {
        let mut health = Health::new(4);
        let mut limits = vec![health.limit()];
        for _ in 0..4 {
            let window = health.limit();
            observe(&mut health, 1, Verdict::Well, window);
            limits.push(health.limit());
        }
        assert_eq!(limits, [1, 2, 4, 5, 6]);
        observe(&mut health, 1, Verdict::Well, 10_000);
        assert_eq!(health.limit(), LIMIT_MAX);
        assert_eq!(health.room(at(1), 60, 64), Room::Places(4));
        assert_eq!(health.room(at(1), 60, 8), Room::Full);
    }

    #[test]
    fn calls_that_were_under_way_together_lower_the_limit_once() {
        let mut health = Health::new(4);
        observe(&mut health, 1, Verdict::Well, 10_000);
        for _ in 0..9 {
            health.observe(at(1), at(2), Verdict::Busy);
        }
        assert_eq!(health.limit(), 44);
        health.observe(at(2), at(3), Verdict::Busy);
        assert_eq!(health.limit(), 30);
    }

    #[test]
    fn half_of_ten_failures_open_the_breaker_and_an_answered_probe_closes_it() {
        let mut health = Health::new(4);
        observe(&mut health, 1, Verdict::Well, 5);
        assert_eq!(observe(&mut health, 2, Verdict::Sick, 4), None);
        let change = observe(&mut health, 3, Verdict::Sick, 1);
        assert_eq!(change, Some(Change::Opened(Duration::from_secs(30))));
        assert_eq!(health.room(at(3), 0, 64), Room::ClosedUntil(at(33)));
        assert_eq!(health.room(at(33), 0, 64), Room::Places(1));
        assert_eq!(health.room(at(33), 1, 64), Room::Full);
        let late = health.observe(at(2), at(34), Verdict::Sick);
        assert_eq!(late, None, "a call from before it opened is no probe");
        assert_eq!(
            observe(&mut health, 34, Verdict::Well, 1),
            Some(Change::Closed)
        );
        assert!(!health.is_open());
        assert_eq!(health.limit(), 2);
    }

    #[test]
    fn each_failed_probe_doubles_the_wait_up_to_fifteen_minutes() {
        let mut health = Health::new(4);
        let mut now = 0;
        let mut waits = Vec::new();
        observe(&mut health, 0, Verdict::Unreachable, 4);
        for _ in 0..7 {
            let change = observe(&mut health, now, Verdict::Unreachable, 1);
            let Some(Change::Opened(span)) = change else {
                panic!("{change:?} at {now}");
            };
            waits.push(span.as_secs());
            now += span.as_secs();
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);
    }

    #[test]
    fn old_failures_are_forgotten_and_refusals_of_an_intent_are_no_sickness() {
        let mut health = Health::new(4);
        observe(&mut health, 1, Verdict::Sick, 9);
        assert_eq!(observe(&mut health, 100, Verdict::Sick, 4), None);
        assert_eq!(
            observe(&mut health, 100, Verdict::of(ErrorClass::Http4xx), 50),
            None
        );
        assert_eq!(
            observe(
                &mut health,
                100,
                Verdict::of(ErrorClass::BlockedAddress),
                50
            ),
            None
        );
        assert!(!health.is_open());
    }

    #[test]
    fn an_endpoint_that_asks_for_a_pause_gets_it() {
        let mut health = Health::new(4);
        health.hold(at(10), Duration::from_mins(1));
        health.hold(at(10), Duration::from_secs(5));
        assert_eq!(health.room(at(69), 0, 64), Room::ClosedUntil(at(70)));
        assert_eq!(health.room(at(70), 0, 64), Room::Places(1));
    }
}
