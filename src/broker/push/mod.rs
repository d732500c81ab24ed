//! Which agents that we call get how much, and when they get nothing.
//!
//! 1. An attempt starts only with a place in hand, and the place is held by the call until it is over: of
//!    all calls (`http.slots`), and of those to its endpoint (what `health` allows, the agent's own bound).
//! 2. An endpoint that is sick, asked for patience or is at its rate is left alone. Its intents stay ready
//!    and spend nothing.
//! 3. A quarter of all places is for endpoints that run nothing: slow ones cannot take them all. While
//!    intents come in, at most half of the places, of all and of each endpoint, are for what has waited.
//! 4. What a restart must not forget is put down in the commit that follows from it.
//! 5. When something is due by itself, the writer is woken for it; nothing here waits.
//!
//! Not here: the calls (`bindings/http`), when an intent is tried again (`engine/retry.rs`).
//! Tested beside the rules, by the simulator, by `tests/herd.rs` (an hour's outage under a manual clock)
//! and over real sockets by `tests/push.rs`.

mod bucket;
mod endpoint;
pub(super) mod episode;
mod gone;
mod health;
mod revoked;
mod round;
pub mod view;
mod waiting;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use self::endpoint::{Endpoint, Kind};
use self::health::Room;
use self::view::Known;
use self::waiting::Waiting;
use crate::broker::registry::Registry;
use crate::broker::session::Slot;
use crate::domain::address::Address;
use crate::domain::agent::{Agent, Binding};
use crate::domain::endpoint::Endpoint as Record;
use crate::domain::ids::{AttemptId, IntentId, SessionId};
use crate::domain::time::Timestamp;

pub(super) use self::round::{
    expect, grant, hold_unreachable, keep, observe, reach_anew, set_rate, settings, slow_start,
    wake,
};

/// The one connection of the binding that makes the calls.
#[derive(Debug, Clone, Copy)]
struct Caller {
    session: SessionId,
    /// Calls at once, over all endpoints.
    slots: u32,
    /// Calls at once to an endpoint of which nothing is known.
    start: u32,
}

/// Every endpoint. Lives in the writer's thread.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    // Ordered, so that the same commands give the same calls again.
    by_agent: BTreeMap<Address, Endpoint>,
    /// Those for which something lies ready, as far as is known.
    waiting: Waiting,
    /// What was read when the broker started and has not been used yet.
    remembered: HashMap<Address, Record>,
    caller: Option<Caller>,
    in_flight: Arc<AtomicU32>,
    in_flight_backlog: Arc<AtomicU32>,
    /// When something came in to be called about at once.
    fresh_at: Option<Timestamp>,
    /// Places of attempts that started in this commit.
    granted: HashMap<AttemptId, Slot>,
    /// Endpoints whose record must be put down with this commit.
    unkept: BTreeSet<Address>,
    /// Endpoints that others must be told of after this commit.
    untold: BTreeSet<Address>,
    /// Agents that are silent, and are not called for that.
    unreachable: BTreeSet<Address>,
    /// The endpoint that was served last: the next one goes first.
    turn: Option<Address>,
}

impl Endpoints {
    /// What was known before the broker stopped.
    pub(super) fn remember(&mut self, records: Vec<Record>) {
        for record in records {
            self.untold.insert(record.agent.clone());
            self.remembered.insert(record.agent.clone(), record);
        }
    }

    /// The calls that a commit would have begun are not made, as it has not happened.
    pub(super) fn undo_begun(&mut self) {
        let begun = std::mem::take(&mut self.granted);
        self.waiting.rouse_all();
        for (agent, endpoint) in &mut self.by_agent {
            if endpoint.undo_begun(|attempt| begun.contains_key(&attempt)) {
                self.untold.insert(agent.clone());
            }
        }
    }

    /// After a commit that has not happened: what it would have put down is as the store says, and anything
    /// may lie ready. What was learnt from calls stays true.
    pub(super) fn restore(&mut self, records: Vec<Record>, registry: &Registry, now: Timestamp) {
        self.waiting.rouse_all();
        let mut stored: HashMap<Address, Record> = records
            .into_iter()
            .map(|record| (record.agent.clone(), record))
            .collect();
        for (agent, endpoint) in &mut self.by_agent {
            let stored = stored.remove(agent);
            endpoint.restore(stored.as_ref(), now);
            self.unkept.insert(agent.clone());
            self.untold.insert(agent.clone());
        }
        for agent in registry.agents() {
            if agent.binding == Binding::Http {
                self.expect_backlog(&agent.address, now);
            }
        }
    }

    /// The binding is there, and may make so many calls at once.
    pub(super) fn open(&mut self, session: SessionId, slots: u32, start: u32) {
        self.caller = Some(Caller {
            session,
            slots,
            start,
        });
    }

    /// That connection has gone.
    pub(super) fn close(&mut self, session: SessionId) {
        self.caller.take_if(|caller| caller.session == session);
    }

    /// Calls that could begin beside those that run.
    pub(super) fn free(&self) -> u32 {
        self.caller.map_or(0, |caller| {
            caller
                .slots
                .saturating_sub(self.in_flight.load(Ordering::Relaxed))
        })
    }

    /// The place of an attempt that has just been committed.
    pub(super) fn take_slot(&mut self, attempt: AttemptId) -> Option<Slot> {
        self.granted.remove(&attempt)
    }

    /// Attempts that started in this commit and ended in it again need no place.
    pub(super) fn end_batch(&mut self) {
        self.granted.clear();
    }

    /// Something lies ready for this agent.
    pub(super) fn wake(
        &mut self,
        agent: &Address,
        intent: IntentId,
        is_fresh: bool,
        now: Timestamp,
    ) {
        let kind = if is_fresh { Kind::Fresh } else { Kind::Backlog };
        if is_fresh {
            self.fresh_at = Some(now);
        }
        self.of(agent, now).wake(intent, kind, now);
        self.waiting.insert(agent);
    }

    /// What others are to see, for each endpoint that changed.
    pub(super) fn changed(&mut self, now: Timestamp) -> Vec<Known> {
        std::mem::take(&mut self.untold)
            .iter()
            .map(|agent| self.of(agent, now).known(now))
            .collect()
    }

    /// When an endpoint that waits for an instant wants to be looked at.
    pub(super) fn next_due(&mut self, registry: &Registry, now: Timestamp) -> Option<Timestamp> {
        self.caller?;
        let mut next = self.waiting.next_wake();
        for agent in self.waiting.iter() {
            if revoked::is_revoked(registry, agent) {
                return Some(now);
            }
            let called = registry
                .agent(agent)
                .filter(|agent| is_called(agent) && !self.unreachable.contains(&agent.address));
            let (Some(called), Some(endpoint)) = (called, self.by_agent.get_mut(agent)) else {
                continue;
            };
            if let Room::ClosedUntil(until) = endpoint.room(now, most(called)) {
                next = Some(next.map_or(until, |next| next.min(until)));
            }
        }
        next
    }

    /// The endpoint of an agent, which may be changed: what was said of its room no longer counts.
    fn of(&mut self, agent: &Address, now: Timestamp) -> &mut Endpoint {
        self.waiting.rouse(agent);
        let start = self.caller.map_or(1, |caller| caller.start);
        if !self.by_agent.contains_key(agent) {
            let endpoint = match self.remembered.remove(agent) {
                Some(record) => Endpoint::remembered(record, start, now),
                None => Endpoint::new(agent.clone(), start),
            };
            self.by_agent.insert(agent.clone(), endpoint);
        }
        self.by_agent
            .entry(agent.clone())
            .or_insert_with(|| Endpoint::new(agent.clone(), start))
    }

    fn expect_backlog(&mut self, agent: &Address, now: Timestamp) {
        self.of(agent, now).expect_backlog();
        self.waiting.insert(agent);
    }

    /// Waiting endpoints with room, the one after the last served first; with their room.
    fn hungry(&mut self, registry: &Registry, now: Timestamp) -> Vec<(Address, u32)> {
        let mut hungry = Vec::new();
        let mut sated = Vec::new();
        let mut resting = Vec::new();
        for agent in self.waiting.iter() {
            // What lies ready for it is withdrawn, which takes more than one commit.
            if revoked::is_revoked(registry, agent) {
                continue;
            }
            let registered = registry.agent(agent);
            let Some(called) = registered.filter(|agent| agent.binding == Binding::Http) else {
                sated.push(agent.clone());
                continue;
            };
            if !is_called(called) || self.unreachable.contains(agent) {
                resting.push((agent.clone(), None));
                continue;
            }
            let Some(endpoint) = self.by_agent.get_mut(agent) else {
                continue;
            };
            if !endpoint.is_waiting() {
                sated.push(agent.clone());
                continue;
            }
            match endpoint.room(now, most(called)) {
                Room::Places(places) => hungry.push((agent.clone(), places)),
                Room::ClosedUntil(until) => resting.push((agent.clone(), Some(until))),
                Room::Full => {}
            }
        }
        for agent in sated {
            self.waiting.remove(&agent);
        }
        for (agent, until) in resting {
            self.waiting.rest(&agent, until);
        }
        let first = self
            .turn
            .as_ref()
            .map_or(0, |turn| hungry.partition_point(|(agent, _)| agent <= turn));
        hungry.rotate_left(first);
        hungry
    }

    /// Places of all that this endpoint may take now. The last quarter is for those that run nothing.
    fn free_for(&self, agent: &Address) -> u32 {
        let Some(caller) = self.caller else { return 0 };
        let runs = self.by_agent.get(agent).map_or(0, Endpoint::in_flight);
        let free = self.free();
        let beyond = free.saturating_sub(caller.slots / 4);
        if runs == 0 {
            beyond.max(free.min(1))
        } else {
            beyond
        }
    }

    /// Places of all that backlog may take now: half of them while fresh intents come.
    fn free_for_backlog(&self, now: Timestamp) -> u32 {
        let Some(caller) = self.caller else { return 0 };
        let runs = self.in_flight_backlog.load(Ordering::Relaxed);
        let share = if endpoint::is_recent(self.fresh_at, now) {
            caller.slots.div_ceil(2)
        } else {
            caller.slots
        };
        share.saturating_sub(runs)
    }

    /// An attempt started: a call is about to begin, and holds its places from here on.
    fn begin(
        &mut self,
        agent: &Address,
        attempt: AttemptId,
        intent: IntentId,
        kind: Kind,
        now: Timestamp,
    ) {
        let mut counts = self.of(agent, now).begin(attempt, intent, kind, now);
        counts.push(Arc::clone(&self.in_flight));
        if kind == Kind::Backlog {
            counts.push(Arc::clone(&self.in_flight_backlog));
        }
        self.granted.insert(attempt, Slot::taken(counts));
        self.turn = Some(agent.clone());
        self.untold.insert(agent.clone());
    }
}

/// True for an agent that is to be called now. Paused ones are not: their intents wait.
fn is_called(agent: &Agent) -> bool {
    agent.binding == Binding::Http && agent.callback_url.is_some() && agent.is_open()
}

/// The agent's own bound of calls at once.
fn most(agent: &Agent) -> u32 {
    agent.max_in_flight.unwrap_or(health::LIMIT_MAX).max(1)
}
