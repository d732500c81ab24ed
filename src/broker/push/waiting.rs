//! Endpoints for which something lies ready: those that each commit looks at, and those that rest.
//!
//! A broken receiver is the normal case, and a thousand of them must not make every commit slower. Whoever can
//! get nothing before an instant rests until then, and whoever can get nothing until somebody changes it, until
//! then. Anything that may make a difference rouses it: an endpoint that is touched, another registry, a clock
//! that was set back.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::address::Address;
use crate::domain::time::Timestamp;

// Ordered, so that the same commands give the same calls again.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    awake: BTreeSet<Address>,
    resting: BTreeMap<Address, Option<Timestamp>>,
    wakes: BTreeSet<(Timestamp, Address)>,
    looked_at: Option<Timestamp>,
}

impl Waiting {
    /// Something lies ready for it.
    pub(super) fn insert(&mut self, agent: &Address) {
        self.rouse(agent);
        if !self.awake.contains(agent) {
            self.awake.insert(agent.clone());
        }
    }

    /// Nothing lies ready for it any more.
    pub(super) fn remove(&mut self, agent: &Address) {
        self.rouse(agent);
        self.awake.remove(agent);
    }

    /// It can get nothing before this instant; none: before something changes.
    pub(super) fn rest(&mut self, agent: &Address, until: Option<Timestamp>) {
        if let Some(agent) = self.awake.take(agent) {
            if let Some(until) = until {
                self.wakes.insert((until, agent.clone()));
            }
            self.resting.insert(agent, until);
        }
    }

    /// Something of it may have changed.
    pub(super) fn rouse(&mut self, agent: &Address) {
        if let Some((agent, until)) = self.resting.remove_entry(agent) {
            if let Some(until) = until {
                self.wakes.remove(&(until, agent.clone()));
            }
            self.awake.insert(agent);
        }
    }

    /// Something may have changed for all.
    pub(super) fn rouse_all(&mut self) {
        self.wakes.clear();
        self.awake
            .extend(std::mem::take(&mut self.resting).into_keys());
    }

    /// Those whose instant has come are looked at again.
    pub(super) fn rouse_due(&mut self, now: Timestamp) {
        if self
            .looked_at
            .replace(now)
            .is_some_and(|before| now < before)
        {
            return self.rouse_all();
        }
        while let Some((_, agent)) = self.wakes.first().filter(|(until, _)| *until <= now) {
            let agent = agent.clone();
            self.rouse(&agent);
        }
    }

    /// When the first of those that rest is to be looked at.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(until, _)| *until)
    }

    /// Those that are looked at now.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Address> {
        self.awake.iter()
    }

    /// True when there is none to be looked at now.
    pub(super) fn is_empty(&self) -> bool {
        self.awake.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(name: &str) -> Address {
        Address::trusted(format!("agent://local/default/{name}"))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    fn awake(waiting: &Waiting) -> Vec<&str> {
        waiting.iter().map(Address::name).collect()
    }

    /// `a` rests until 10, `b` until somebody changes it, `c` is awake.
    fn three() -> Waiting {
        let mut waiting = Waiting::default();
        for name in ["a", "b", "c"] {
            waiting.insert(&agent(name));
        }
        waiting.rest(&agent("a"), Some(at(10)));
        waiting.rest(&agent("b"), None);
        waiting
    }

    #[test]
    fn those_that_rest_are_looked_at_when_their_instant_has_come() {
        let mut waiting = three();
        assert_eq!(awake(&waiting), ["c"]);
        assert_eq!(waiting.next_wake(), Some(at(10)));
        waiting.rouse_due(at(9));
        assert_eq!(awake(&waiting), ["c"]);
        waiting.rouse_due(at(10));
        assert_eq!(awake(&waiting), ["a", "c"]);
        assert_eq!(waiting.next_wake(), None);
    }

    #[test]
    fn one_that_is_touched_is_looked_at_and_wakes_once() {
        let mut waiting = three();
        waiting.rouse(&agent("a"));
        waiting.insert(&agent("b"));
        assert_eq!(awake(&waiting), ["a", "b", "c"]);
        assert_eq!(waiting.next_wake(), None);
        waiting.rouse(&agent("nobody"));
        assert_eq!(awake(&waiting), ["a", "b", "c"]);
    }

    #[test]
    fn one_without_anything_ready_is_forgotten_also_while_it_rests() {
        let mut waiting = three();
        waiting.remove(&agent("a"));
        waiting.remove(&agent("c"));
        waiting.rouse_due(at(10));
        assert!(waiting.is_empty());
        assert_eq!(waiting.next_wake(), None);
    }

    #[test]
    fn a_clock_that_was_set_back_and_another_registry_rouse_all() {
        let mut waiting = three();
        waiting.rouse_due(at(9));
        waiting.rouse_due(at(8));
        assert_eq!(awake(&waiting), ["a", "b", "c"]);
        let mut waiting = three();
        waiting.rouse_all();
        assert_eq!(awake(&waiting), ["a", "b", "c"]);
    }
}
