//! The health of one endpoint: how many calls it gets at once, and when it gets none.
//!
//! ```text
//!            half of at least 10 fail in 60 s,
//!            or 5 in a row do not connect or say nothing
//!   closed ------------------------------------> open for 30 s, 60 s, 2 min ... 15 min
//!     ^                                            |  time is up
//!     |  the probe is answered                     v
//!     +---------------------------------------- half-open: one probe
//!                                                  |  the probe fails
//!                                                  +----> open, twice as long
//! ```
//! While it is open, and while `Retry-After` holds the endpoint back, no attempt starts: intents stay
//! ready and spend nothing. Instants are those of the wall clock, because the breaker survives a restart;
//! a clock that jumps back makes nobody wait longer than the longest wait there is.

use std::collections::VecDeque;

use crate::domain::failure::ErrorClass;
use crate::domain::time::{Span, Timestamp};

/// Most calls at once to one endpoint, however well it does.
pub(super) const LIMIT_MAX: u32 = 64;

/// How far back failures count.
const WINDOW: Span = Span::from_seconds(60);

/// Outcomes in the window before their share says anything.
const OUTCOMES_MIN: usize = 10;

/// Most outcomes that are kept; more than enough to tell a share.
const OUTCOMES_MAX: usize = 200;

/// Calls in a row without any answer that open the breaker: one that is silent at one call at a time never
/// has [`OUTCOMES_MIN`] outcomes in [`WINDOW`].
const UNREACHABLE_MAX: u32 = 5;

/// How long the breaker stays open the first time; doubles each time until [`OPEN_MAX`].
const OPEN_FIRST: Span = Span::from_seconds(30);

/// The longest time that the breaker stays open.
const OPEN_MAX: Span = Span::from_seconds(15 * 60);

/// The longest `Retry-After` that any configuration allows.
const HOLD_MAX: Span = Span::from_seconds(24 * 3600);

/// What an outcome says of the endpoint itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It answered, and not with a sign of trouble.
    Well,
    /// It is overloaded or broken.
    Sick,
    /// It asks for fewer calls, and is well otherwise.
    Busy,
    /// There is no talking to it: it does not connect, breaks off, or is silent.
    Unreachable,
    /// The outcome is about this intent, or about us.
    Neither,
}

impl Verdict {
    /// What a failure of this class says of the endpoint.
    pub(super) const fn of(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Dns
            | ErrorClass::Connect
            | ErrorClass::Tls
            | ErrorClass::Reset
            | ErrorClass::Timeout => Self::Unreachable,
            ErrorClass::Http5xx => Self::Sick,
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
pub(super) enum Room {
    /// So many calls more; never zero.
    Places(u32),
    /// None until one that runs has ended.
    Full,
    /// None until that instant.
    ClosedUntil(Timestamp),
}

/// A change that operators want to read of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The breaker opened for so long.
    Opened(Span),
    /// A probe was answered.
    Closed,
}

/// The health of one endpoint.
#[derive(Debug, Clone)]
pub(super) struct Health {
    limit: u32,
    /// Successes since the limit last moved.
    successes: u32,
    /// The limit doubles instead of rising by one until it is back here.
    slow_start_until: u32,
    /// Calls begun before this do not lower the limit once more.
    lowered_at: Option<Timestamp>,
    outcomes: VecDeque<(Timestamp, bool)>,
    unreachable_in_a_row: u32,
    trips: u32,
    open_until: Option<Timestamp>,
    held_until: Option<Timestamp>,
}

impl Health {
    /// An endpoint nobody has called yet, with that many calls at once to begin with.
    pub(super) fn new(start: u32) -> Self {
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

    /// The same, with what was known of it before the broker stopped.
    pub(super) const fn remembering(
        mut self,
        trips: u32,
        open_until: Option<Timestamp>,
        held_until: Option<Timestamp>,
    ) -> Self {
        self.trips = trips;
        self.open_until = open_until;
        self.held_until = held_until;
        self
    }

    /// Calls that it may get at once now.
    pub(super) const fn limit(&self) -> u32 {
        if self.is_open() { 1 } else { self.limit }
    }

    /// Times that the breaker opened without an answer since.
    pub(super) const fn trips(&self) -> u32 {
        self.trips
    }

    /// When a probe may go out, while the breaker is open.
    pub(super) const fn open_until(&self) -> Option<Timestamp> {
        self.open_until
    }

    /// Until when the endpoint asked for no calls.
    pub(super) const fn held_until(&self) -> Option<Timestamp> {
        self.held_until
    }

    /// True from the first trip until a probe is answered.
    pub(super) const fn is_open(&self) -> bool {
        self.trips > 0
    }

    /// What it may get now, while `in_flight` calls run; never more than `most` at once.
    pub(super) fn room(&mut self, now: Timestamp, in_flight: u32, most: u32) -> Room {
        // A clock that was set back must not close an endpoint for as long as it was set back.
        self.open_until.take_if(|until| until.since(now) > OPEN_MAX);
        self.held_until.take_if(|until| until.since(now) > HOLD_MAX);
        let closed_until = self.open_until.max(self.held_until);
        if let Some(until) = closed_until.filter(|until| *until > now) {
            return Room::ClosedUntil(until);
        }
        match self.limit().min(most.max(1)).saturating_sub(in_flight) {
            0 => Room::Full,
            places => Room::Places(places),
        }
    }

    /// Gives the endpoint no calls for so long, as it asked (`Retry-After` on 429 and 503). True when that
    /// is longer than before.
    pub(super) fn hold(&mut self, now: Timestamp, span: Span) -> bool {
        let wanted = Some(now.after(span.min(HOLD_MAX))).filter(|_| span > Span::ZERO);
        let is_longer = wanted > self.held_until;
        if is_longer {
            self.held_until = wanted;
        }
        is_longer
    }

    /// Starts slowly again, back to where it was: after a pause much may have waited.
    pub(super) fn restart(&mut self) {
        self.slow_start_until = self.slow_start_until.max(self.limit);
        self.limit = 1;
        self.successes = 0;
    }

    /// Takes in the outcome of a call that began at `begun`.
    pub(super) fn observe(
        &mut self,
        begun: Timestamp,
        now: Timestamp,
        verdict: Verdict,
    ) -> Option<Change> {
        match verdict {
            Verdict::Neither => None,
            // An endpoint that asks for patience is there again.
            Verdict::Busy if self.is_probe(begun) => Some(self.close()),
            Verdict::Busy => {
                self.lower(begun, now);
                None
            }
            Verdict::Well => {
                self.unreachable_in_a_row = 0;
                self.remember(now, true);
                self.raise();
                self.is_open().then(|| self.close())
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

    /// Only a probe says something new: calls from before the breaker opened do not.
    fn is_probe(&self, begun: Timestamp) -> bool {
        self.is_open() && self.open_until.is_none_or(|until| begun >= until)
    }

    fn close(&mut self) -> Change {
        self.trips = 0;
        self.open_until = None;
        self.outcomes.clear();
        Change::Closed
    }

    fn trip_if_due(&mut self, begun: Timestamp, now: Timestamp) -> Option<Change> {
        let is_due = if self.is_open() {
            self.is_probe(begun)
        } else {
            let failures = self.outcomes.iter().filter(|(_, is_well)| !is_well).count();
            let is_half = failures.saturating_mul(2) >= self.outcomes.len();
            self.unreachable_in_a_row >= UNREACHABLE_MAX
                || (self.outcomes.len() >= OUTCOMES_MIN && is_half)
        };
        is_due.then(|| {
            let factor = 1_i64.checked_shl(self.trips.min(32)).unwrap_or(i64::MAX);
            let span = OPEN_FIRST.times(factor).min(OPEN_MAX);
            self.trips = self.trips.saturating_add(1);
            self.open_until = Some(now.after(span));
            self.limit = 1;
            self.successes = 0;
            Change::Opened(span)
        })
    }

    fn remember(&mut self, now: Timestamp, is_well: bool) {
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
    fn lower(&mut self, begun: Timestamp, now: Timestamp) {
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

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_775_901_600_000 + seconds * 1000)
    }

    fn observe(health: &mut Health, seconds: i64, verdict: Verdict, times: u32) -> Option<Change> {
        let mut last = None;
        for _ in 0..times {
            last = health.observe(at(seconds), at(seconds), verdict).or(last);
        }
        last
    }

    #[test]
    fn five_silent_calls_one_after_the_other_open_the_breaker() {
        let mut health = Health::new(1);
        let verdict = Verdict::of(ErrorClass::Timeout);
        for call in 0..4 {
            assert_eq!(
                health.observe(at(call * 15), at(call * 15 + 15), verdict),
                None
            );
        }
        let change = health.observe(at(60), at(75), verdict);
        assert_eq!(change, Some(Change::Opened(OPEN_FIRST)));
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
        health.restart();
        let mut limits = vec![health.limit()];
        for _ in 0..7 {
            let window = health.limit();
            observe(&mut health, 1, Verdict::Well, window);
            limits.push(health.limit());
        }
        assert_eq!(limits, [1, 2, 4, 8, 16, 32, 64, 64]);
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
        assert_eq!(change, Some(Change::Opened(Span::from_seconds(30))));
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
            waits.push(span.as_seconds());
            now += span.as_seconds();
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);
    }

    #[test]
    fn a_probe_that_is_asked_for_patience_found_somebody() {
        let mut health = Health::new(4);
        observe(&mut health, 0, Verdict::Unreachable, 5);
        assert_eq!(observe(&mut health, 29, Verdict::Busy, 1), None);
        let change = observe(&mut health, 30, Verdict::Busy, 1);
        assert_eq!(change, Some(Change::Closed));
        assert_eq!(health.limit(), 1);
    }

    #[test]
    fn old_failures_are_forgotten_and_refusals_of_an_intent_are_no_sickness() {
        let mut health = Health::new(4);
        observe(&mut health, 1, Verdict::Sick, 9);
        assert_eq!(observe(&mut health, 100, Verdict::Sick, 4), None);
        let refused = Verdict::of(ErrorClass::Http4xx);
        assert_eq!(observe(&mut health, 100, refused, 50), None);
        let blocked = Verdict::of(ErrorClass::BlockedAddress);
        assert_eq!(observe(&mut health, 100, blocked, 50), None);
        assert!(!health.is_open());
    }

    #[test]
    fn an_endpoint_that_asks_for_a_pause_gets_it_and_the_longest_counts() {
        let mut health = Health::new(4);
        assert!(health.hold(at(10), Span::from_seconds(60)));
        assert!(!health.hold(at(10), Span::from_seconds(5)));
        assert!(!health.hold(at(10), Span::ZERO));
        assert_eq!(health.room(at(69), 0, 64), Room::ClosedUntil(at(70)));
        assert_eq!(health.room(at(70), 0, 64), Room::Places(1));
    }

    #[test]
    fn a_breaker_that_is_remembered_goes_on_and_a_clock_set_back_does_not_prolong_it() {
        let open = || Health::new(4).remembering(2, Some(at(60)), Some(at(10)));
        assert_eq!(open().room(at(0), 0, 64), Room::ClosedUntil(at(60)));
        assert_eq!(open().room(at(60), 0, 64), Room::Places(1));
        let mut health = open();
        let change = health.observe(at(60), at(61), Verdict::Sick);
        assert_eq!(change, Some(Change::Opened(Span::from_seconds(120))));
        assert_eq!(open().room(at(-86_400), 0, 64), Room::Places(1));
    }
}
