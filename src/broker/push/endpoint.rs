//! One endpoint: its health, its rate, what waits for it and what runs there.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::bucket::Bucket;
use super::health::{Change, Health, LIMIT_MAX, Room, Verdict};
use super::view::Known;
use crate::domain::address::Address;
use crate::domain::endpoint::Endpoint as Record;
use crate::domain::failure::ErrorClass;
use crate::domain::ids::{AttemptId, IntentId};
use crate::domain::time::{Span, Timestamp};

/// First offers that are remembered by id; more lie in the store like any backlog.
const FRESH_MAX: usize = 1024;
/// Calls whose begin is remembered. There are never more at once; beyond that somebody forgot to report.
const CALLS_MAX: usize = 4 * LIMIT_MAX as usize;

/// What a call carries: something that has just been accepted, or something that has waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fresh,
    Backlog,
}

/// Places for calls that may begin now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    /// All of them.
    pub(super) all: u32,
    /// Those that backlog may have.
    pub(super) backlog: u32,
    /// Most calls at once that the agent allows.
    pub(super) most: u32,
}

/// How long after the last one fresh intents are still expected.
const FRESH_FOR: Span = Span::from_seconds(10);

/// True while fresh intents come.
pub(super) fn is_recent(fresh_at: Option<Timestamp>, now: Timestamp) -> bool {
    fresh_at.is_some_and(|at| now.since(at) < FRESH_FOR)
}

/// What is to be started for an endpoint.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// So many of what has lain ready longest.
    pub(super) backlog: u32,
    /// Then these.
    pub(super) fresh: Vec<IntentId>,
}

#[derive(Debug)]
pub(super) struct Endpoint {
    agent: Address,
    start: u32,
    health: Health,
    bucket: Option<Bucket>,
    rate_millihertz: Option<u32>,
    pub(super) notice: Option<IntentId>,
    pub(super) open_notice: Option<IntentId>,
    /// How the last call failed that failed.
    pub(super) trouble: Option<ErrorClass>,
    /// Intents accepted a moment ago, in order, while they have not been started.
    fresh: VecDeque<IntentId>,
    /// When the last one came.
    fresh_at: Option<Timestamp>,
    /// True when the store may hold intents that lie ready and are not in `fresh`.
    has_backlog: bool,
    /// With room for one call, backlog and fresh intents take turns.
    last: Kind,
    /// When each call began that has not been reported.
    calls: HashMap<AttemptId, Timestamp>,
    in_flight: Arc<AtomicU32>,
    in_flight_backlog: Arc<AtomicU32>,
}

impl Endpoint {
    pub(super) fn new(agent: Address, start: u32) -> Self {
        Self {
            agent,
            start,
            health: Health::new(start),
            bucket: None,
            rate_millihertz: None,
            notice: None,
            open_notice: None,
            trouble: None,
            fresh: VecDeque::new(),
            fresh_at: None,
            has_backlog: false,
            last: Kind::Fresh,
            calls: HashMap::new(),
            in_flight: Arc::default(),
            in_flight_backlog: Arc::default(),
        }
    }

    /// The endpoint as it was before the broker stopped.
    pub(super) fn remembered(record: Record, start: u32, now: Timestamp) -> Self {
        let Record {
            agent,
            trips,
            open_until,
            held_until,
            rate_millihertz,
            notice,
            open_notice,
        } = record;
        let mut endpoint = Self {
            notice,
            open_notice,
            health: Health::new(start).remembering(trips, open_until, held_until),
            ..Self::new(agent, start)
        };
        endpoint.limit_rate(rate_millihertz, now);
        endpoint
    }

    /// What a restart must not forget.
    pub(super) fn record(&self) -> Record {
        Record {
            agent: self.agent.clone(),
            trips: self.health.trips(),
            open_until: self.health.open_until(),
            held_until: self.health.held_until(),
            rate_millihertz: self.rate_millihertz,
            notice: self.notice,
            open_notice: self.open_notice,
        }
    }

    /// Forgets calls that are not made after all. True when there were any.
    pub(super) fn undo_begun(&mut self, is_undone: impl Fn(AttemptId) -> bool) -> bool {
        let before = self.calls.len();
        self.calls.retain(|attempt, _begun| !is_undone(*attempt));
        self.calls.len() < before
    }

    /// As it was before a commit that has not happened, with what calls have taught since.
    pub(super) fn restore(&mut self, stored: Option<&Record>, now: Timestamp) {
        self.fresh.clear();
        self.has_backlog = true;
        self.notice = stored.and_then(|stored| stored.notice);
        self.open_notice = stored.and_then(|stored| stored.open_notice);
        let rate = stored.and_then(|stored| stored.rate_millihertz);
        if rate != self.rate_millihertz {
            self.limit_rate(rate, now);
        }
    }

    /// What others may see.
    pub(super) fn known(&mut self, now: Timestamp) -> Known {
        let next_call_at = self
            .bucket
            .as_mut()
            .map(|bucket| bucket.next_at(now))
            .filter(|next| *next > now);
        Known {
            record: self.record(),
            limit: self.health.limit(),
            in_flight: Arc::clone(&self.in_flight),
            next_call_at,
        }
    }

    /// Limits how fast it is called. Said again, it changes nothing: what was used up stays so.
    pub(super) fn limit_rate(&mut self, rate_millihertz: Option<u32>, now: Timestamp) {
        if self.rate_millihertz == rate_millihertz {
            return;
        }
        self.rate_millihertz = rate_millihertz;
        self.bucket = rate_millihertz.map(|rate| Bucket::new(rate, now));
    }

    /// Another endpoint is behind the agent now: nothing is known of it.
    pub(super) fn forget_health(&mut self) {
        self.health = Health::new(self.start);
    }

    /// Starts slowly: much may have waited meanwhile.
    pub(super) fn restart(&mut self) {
        self.health.restart();
    }

    pub(super) const fn expect_backlog(&mut self) {
        self.has_backlog = true;
    }

    pub(super) const fn settle_backlog(&mut self) {
        self.has_backlog = false;
    }

    /// Something lies ready.
    pub(super) fn wake(&mut self, intent: IntentId, kind: Kind, now: Timestamp) {
        if kind == Kind::Fresh {
            self.fresh_at = Some(now);
        }
        if kind == Kind::Fresh && self.fresh.len() < FRESH_MAX {
            self.fresh.push_back(intent);
        } else {
            self.has_backlog = true;
        }
    }

    /// True when, as far as is known, something lies ready.
    pub(super) fn is_waiting(&self) -> bool {
        self.has_backlog || !self.fresh.is_empty()
    }

    /// True from the first trip of its breaker until a probe is answered.
    pub(super) const fn is_open(&self) -> bool {
        self.health.is_open()
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// What it may get now: never more than `most` calls at once, and not faster than its rate.
    pub(super) fn room(&mut self, now: Timestamp, most: u32) -> Room {
        let room = self.health.room(now, self.in_flight(), most);
        let (Room::Places(places), Some(bucket)) = (room, &mut self.bucket) else {
            return room;
        };
        match bucket.calls(now).min(places) {
            0 => Room::ClosedUntil(bucket.next_at(now)),
            places => Room::Places(places),
        }
    }

    /// What to start in so many places, of which so many may be backlog. While fresh intents come, at most
    /// half of what runs at once is backlog: what is sent now does not stand behind an hour of outage.
    pub(super) fn plan(&mut self, now: Timestamp, places: Places) -> Plan {
        let fresh = u32::try_from(self.fresh.len()).unwrap_or(u32::MAX);
        let limit = self.health.limit().min(places.most.max(1));
        let backlog = if !self.has_backlog {
            0
        } else if self.health.is_open() {
            // The probe is the one that has waited longest.
            1
        } else if limit == 1 {
            u32::from(fresh == 0 || self.last == Kind::Fresh).min(places.backlog)
        } else {
            let runs = self.in_flight_backlog.load(Ordering::Relaxed);
            let share = if is_recent(self.fresh_at, now) {
                limit / 2
            } else {
                limit
            };
            share.saturating_sub(runs).min(places.backlog)
        };
        let backlog = backlog.min(places.all);
        let count = places.all.saturating_sub(backlog).min(fresh);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Plan {
            backlog,
            fresh: self.fresh.drain(..count.min(self.fresh.len())).collect(),
        }
    }

    /// An attempt started: a call is about to begin.
    pub(super) fn begin(
        &mut self,
        attempt: AttemptId,
        intent: IntentId,
        kind: Kind,
        now: Timestamp,
    ) -> Vec<Arc<AtomicU32>> {
        self.last = kind;
        if let Some(bucket) = &mut self.bucket {
            bucket.take();
        }
        if self.calls.len() >= CALLS_MAX {
            self.calls.clear();
        }
        self.calls.insert(attempt, now);
        let mut counts = vec![Arc::clone(&self.in_flight)];
        if kind == Kind::Backlog {
            self.fresh.retain(|id| *id != intent);
            counts.push(Arc::clone(&self.in_flight_backlog));
        }
        counts
    }

    /// Takes in what came of a call. A call that was reported before says nothing new.
    pub(super) fn observe(
        &mut self,
        attempt: AttemptId,
        now: Timestamp,
        verdict: Verdict,
        hold: Option<Span>,
    ) -> Option<Observed> {
        let begun = self.calls.remove(&attempt)?;
        let is_held = hold.is_some_and(|span| self.health.hold(now, span));
        let change = self.health.observe(begun, now, verdict);
        Some(Observed { change, is_held })
    }
}

/// What an outcome changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed {
    pub(super) change: Option<Change>,
    pub(super) is_held: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::Home;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_775_901_600_000 + seconds * 1000)
    }

    fn id(number: u8) -> IntentId {
        IntentId::new(1, [number; 10])
    }

    fn endpoint() -> Endpoint {
        Endpoint::new(Address::parse("orders", &Home::default()).unwrap(), 4)
    }

    /// An endpoint that takes eight calls at once.
    fn warm() -> Endpoint {
        let mut endpoint = endpoint();
        for attempt in 0..32 {
            endpoint.begin(AttemptId(attempt), id(0), Kind::Fresh, at(0));
            endpoint.observe(AttemptId(attempt), at(0), Verdict::Well, None);
        }
        assert_eq!(endpoint.health.limit(), 8);
        endpoint
    }

    const EIGHT: Places = Places {
        all: 8,
        backlog: 8,
        most: 64,
    };

    #[test]
    fn while_fresh_intents_come_half_of_what_runs_is_backlog() {
        let mut endpoint = warm();
        endpoint.expect_backlog();
        let plan = |endpoint: &mut Endpoint, seconds: i64, fresh: u8| {
            for number in 1..=fresh {
                endpoint.wake(id(number), Kind::Fresh, at(seconds));
            }
            let plan = endpoint.plan(at(seconds), EIGHT);
            endpoint.fresh.clear();
            (plan.backlog, plan.fresh.len())
        };
        assert_eq!(plan(&mut endpoint, 0, 0), (8, 0));
        assert_eq!(plan(&mut endpoint, 1, 20), (4, 4));
        assert_eq!(plan(&mut endpoint, 10, 0), (4, 0), "more may come");
        assert_eq!(plan(&mut endpoint, 11, 0), (8, 0));
        endpoint.in_flight_backlog.store(4, Ordering::Relaxed);
        assert_eq!(plan(&mut endpoint, 20, 20), (0, 8));
        endpoint.in_flight_backlog.store(0, Ordering::Relaxed);
        for number in 1..=20 {
            endpoint.wake(id(number), Kind::Fresh, at(20));
        }
        let few = Places {
            backlog: 1,
            ..EIGHT
        };
        let mixed = endpoint.plan(at(20), few);
        assert_eq!((mixed.backlog, mixed.fresh.len()), (1, 7));
        endpoint.settle_backlog();
        assert_eq!(endpoint.plan(at(20), EIGHT).backlog, 0);
    }

    #[test]
    fn with_one_place_backlog_and_fresh_intents_take_turns_and_a_probe_is_the_oldest() {
        let mut endpoint = endpoint();
        endpoint.expect_backlog();
        for number in 1..=9 {
            endpoint.wake(id(number), Kind::Fresh, at(0));
        }
        let next = |endpoint: &mut Endpoint| {
            let plan = endpoint.plan(at(0), Places { all: 1, ..EIGHT });
            let kind = if plan.backlog == 1 {
                Kind::Backlog
            } else {
                Kind::Fresh
            };
            endpoint.begin(AttemptId(1), id(0), kind, at(0));
            kind
        };
        let (fresh, backlog) = (Kind::Fresh, Kind::Backlog);
        assert_eq!(
            [(); 4].map(|()| next(&mut endpoint)),
            [backlog, fresh, backlog, fresh]
        );
        for attempt in 10..15 {
            endpoint.begin(AttemptId(attempt), id(0), Kind::Fresh, at(0));
            let verdict = Verdict::of(ErrorClass::Connect);
            endpoint.observe(AttemptId(attempt), at(0), verdict, None);
        }
        assert!(endpoint.health.is_open());
        assert_eq!([(); 3].map(|()| next(&mut endpoint)), [backlog; 3]);
    }

    #[test]
    fn an_outcome_counts_once_and_a_stranger_s_not_at_all() {
        let mut endpoint = endpoint();
        let counts = endpoint.begin(AttemptId(1), id(1), Kind::Backlog, at(0));
        assert_eq!(counts.len(), 2);
        let hold = Some(Span::from_seconds(60));
        let observed = endpoint.observe(AttemptId(1), at(1), Verdict::Busy, hold);
        assert!(observed.unwrap().is_held);
        assert!(
            endpoint
                .observe(AttemptId(1), at(1), Verdict::Busy, hold)
                .is_none()
        );
        assert!(
            endpoint
                .observe(AttemptId(2), at(1), Verdict::Busy, hold)
                .is_none()
        );
        assert_eq!(endpoint.room(at(1), 64), Room::ClosedUntil(at(61)));
    }

    #[test]
    fn a_rate_leaves_no_room_until_its_next_call() {
        let mut endpoint = warm();
        endpoint.limit_rate(Some(2000), at(0));
        assert_eq!(endpoint.room(at(0), 64), Room::Places(2));
        endpoint.begin(AttemptId(90), id(0), Kind::Fresh, at(0));
        endpoint.begin(AttemptId(91), id(0), Kind::Fresh, at(0));
        let half = at(0).after(Span::from_millis(500));
        assert_eq!(endpoint.room(at(0), 64), Room::ClosedUntil(half));
        assert_eq!(endpoint.record().rate_millihertz, Some(2000));
        let again = Endpoint::remembered(endpoint.record(), 4, at(9));
        assert_eq!(again.record(), endpoint.record());
    }

    #[test]
    fn a_rate_said_again_gives_back_nothing_that_was_used_up() {
        let mut endpoint = warm();
        endpoint.limit_rate(Some(1000), at(0));
        endpoint.begin(AttemptId(90), id(1), Kind::Fresh, at(0));
        endpoint.limit_rate(Some(1000), at(0));
        assert!(matches!(endpoint.room(at(0), 64), Room::ClosedUntil(_)));
        endpoint.limit_rate(Some(2000), at(0));
        assert_eq!(endpoint.room(at(0), 64), Room::Places(2));
    }
}
