//! Who listens at an address, and whether alone: only who is alone there may take over what a stream left behind.
//!
//! A listener that has just started and one that goes on without a row both ask from zero, and a listener at work
//! may have no connection at all. So a lease without a connection is either lost, because its listener fell over
//! and this is the same one back, or in good hands, because this is another one. Company tells the two apart:
//! where two have been seen at once, several share the work, and a lease ends by itself or by its own time.
//!
//! Lives in the writer's thread. Nothing of it is stored: after a restart the first wait shows who is there.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::address::Address;
use crate::domain::ids::SessionId;
use crate::domain::policy::Listening;
use crate::domain::time::Timestamp;

/// Places that are always kept before the forgotten ones are looked for.
const PLACES_MIN: usize = 256;

/// Every address at which streams have been seen lately.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    places: BTreeMap<Address, Place>,
    /// When whoever is alone there may take over.
    due: BTreeSet<(Timestamp, Address)>,
    /// How many places there may be before those that say nothing any more are forgotten.
    places_max: usize,
}

#[derive(Debug, Default)]
struct Place {
    open: BTreeSet<SessionId>,
    /// Since when one at most is there, window after window without a row.
    alone_since: Option<Timestamp>,
    /// When two were last seen at once.
    crowded_at: Option<Timestamp>,
    left_at: Option<Timestamp>,
    /// What is in `due` for this place.
    due_at: Option<Timestamp>,
}

impl Place {
    fn is_shared(&self, now: Timestamp, policy: &Listening) -> bool {
        self.open.len() > 1
            || self
                .crowded_at
                .is_some_and(|at| now.since(at) < policy.company_remembered)
    }
}

impl Listeners {
    /// A stream opens a window; `is_cold` when its reader remembers nothing.
    pub(super) fn come(
        &mut self,
        agent: &Address,
        id: SessionId,
        is_cold: bool,
        now: Timestamp,
        policy: &Listening,
    ) {
        self.forget(now, policy);
        let place = self.places.entry(agent.clone()).or_default();
        place.open.insert(id);
        if place.open.len() > 1 {
            place.crowded_at = Some(now);
        }
        let goes_on = place
            .left_at
            .is_some_and(|left| now.since(left) < policy.alone);
        let since = match place.alone_since {
            Some(since) if goes_on => since,
            _ => now,
        };
        place.alone_since = Some(since);
        if is_cold && !place.is_shared(now, policy) {
            let due = since.after(policy.alone);
            if let Some(before) = place.due_at.replace(due) {
                self.due.remove(&(before, agent.clone()));
            }
            self.due.insert((due, agent.clone()));
        }
    }

    /// A window ends; `is_idle` when its reader was given nothing that it still has.
    pub(super) fn go(&mut self, agent: &Address, id: SessionId, is_idle: bool, now: Timestamp) {
        let Some(place) = self.places.get_mut(agent) else {
            return;
        };
        if !place.open.remove(&id) {
            return;
        }
        place.left_at = Some(now);
        if !is_idle {
            place.alone_since = None;
        }
        if place.open.is_empty()
            && let Some(due) = place.due_at.take()
        {
            self.due.remove(&(due, agent.clone()));
        }
    }

    /// Where somebody has come who remembers nothing, and has been alone for long enough by now.
    pub(super) fn take_due(&mut self, now: Timestamp, policy: &Listening) -> Vec<Address> {
        let mut alone = Vec::new();
        while let Some((due, agent)) = self.due.pop_first() {
            if due > now {
                self.due.insert((due, agent));
                break;
            }
            if let Some(place) = self.places.get_mut(&agent) {
                place.due_at = None;
                if !place.is_shared(now, policy) {
                    alone.push(agent);
                }
            }
        }
        alone
    }

    /// When to look again.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Nobody is there any more.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.due.clear();
    }

    fn forget(&mut self, now: Timestamp, policy: &Listening) {
        if self.places.len() < self.places_max.max(PLACES_MIN) {
            return;
        }
        let longest = policy.alone.max(policy.company_remembered);
        self.places.retain(|_agent, place| {
            let last = place.left_at.max(place.crowded_at);
            !place.open.is_empty() || last.is_some_and(|last| now.since(last) < longest)
        });
        self.places_max = self.places.len().saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Span;

    const POLICY: Listening = Listening {
        alone: Span::from_seconds(2),
        company_remembered: Span::from_seconds(3600),
    };

    /// Listeners at one address, by the second.
    #[derive(Default)]
    struct House(Listeners);

    impl House {
        fn at(second: i64) -> Timestamp {
            Timestamp::from_millis(1_000_000_000_000).after(Span::from_seconds(second))
        }

        fn come(&mut self, second: i64, id: u64, is_cold: bool) {
            let agent = Address::trusted("agent://local/default/orders");
            self.0
                .come(&agent, SessionId(id), is_cold, Self::at(second), &POLICY);
        }

        fn go(&mut self, second: i64, id: u64, is_idle: bool) {
            let agent = Address::trusted("agent://local/default/orders");
            self.0.go(&agent, SessionId(id), is_idle, Self::at(second));
        }

        fn takes_over(&mut self, second: i64) -> bool {
            !self.0.take_due(Self::at(second), &POLICY).is_empty()
        }
    }

    #[test]
    fn one_that_stays_alone_takes_over_once() {
        let mut house = House::default();
        house.come(0, 1, true);
        assert!(!house.takes_over(1));
        assert_eq!(house.0.next_due(), Some(House::at(2)));
        assert!(house.takes_over(2));
        assert!(!house.takes_over(3));
        assert_eq!(house.0.next_due(), None);
    }

    #[test]
    fn company_within_the_first_seconds_forbids_it() {
        let mut house = House::default();
        house.come(0, 1, true);
        house.come(1, 2, true);
        assert!(!house.takes_over(5));
    }

    #[test]
    fn company_is_remembered_for_its_time() {
        let mut house = House::default();
        house.come(0, 1, true);
        house.come(0, 2, true);
        house.go(10, 1, true);
        house.go(10, 2, true);
        house.come(100, 3, true);
        assert!(!house.takes_over(200));
        house.go(200, 3, true);
        house.come(3700, 4, true);
        assert!(house.takes_over(3702));
    }

    #[test]
    fn short_windows_of_one_listener_are_one_wait() {
        let mut house = House::default();
        house.come(0, 1, true);
        house.go(1, 1, true);
        house.come(1, 2, true);
        assert!(house.takes_over(2));
    }

    #[test]
    fn who_comes_while_another_works_waits_anew() {
        let mut house = House::default();
        house.come(0, 1, true);
        house.go(10, 1, false);
        house.come(10, 2, true);
        assert!(!house.takes_over(11));
        assert!(house.takes_over(12));
    }

    #[test]
    fn one_that_leaves_before_its_time_takes_nothing() {
        let mut house = House::default();
        house.come(0, 1, true);
        house.go(1, 1, true);
        assert!(!house.takes_over(9));
        assert_eq!(house.0.next_due(), None);
    }

    #[test]
    fn one_that_knows_where_it_was_takes_nothing() {
        let mut house = House::default();
        house.come(0, 1, false);
        assert!(!house.takes_over(9));
    }

    #[test]
    fn places_that_say_nothing_any_more_are_forgotten() {
        let mut house = House::default();
        for number in 0..2000_u64 {
            let agent = Address::trusted(format!("agent://local/default/a{number}"));
            let now = House::at(i64::try_from(number).unwrap() * 10);
            house.0.come(&agent, SessionId(number), true, now, &POLICY);
            house.0.go(&agent, SessionId(number), true, now);
        }
        assert!(house.0.places.len() <= 800, "{}", house.0.places.len());
    }
}
