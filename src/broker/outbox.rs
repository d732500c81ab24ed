//! Slots: which connections can take how much, and what they hold.
//!
//! Lives in the writer's thread alone. Nothing of it is stored: after a restart connections come anew.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::broker::listeners::Listeners;
use crate::broker::mesh::Mesh;
use crate::broker::push::Endpoints;
use crate::broker::session::{Handover, SessionMode, SessionSpec};
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::ids::{AttemptId, IntentId, SessionId};
use crate::domain::time::Timestamp;

/// Every connection, by receiver.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    // Ordered, so that the same commands give the same hand-overs again.
    agents: BTreeMap<Address, AgentSlots>,
    sessions: BTreeMap<SessionId, OpenSession>,
    /// Agents that are called rather than coming themselves.
    pub(super) endpoints: Endpoints,
    /// Which streams listen where, and whether alone.
    pub(super) listeners: Listeners,
    /// Agents that beat. Shared with whoever takes heartbeats.
    pub(super) mesh: Arc<Mesh>,
}

#[derive(Debug, Default)]
struct AgentSlots {
    /// Round robin: the next connection to serve is in front.
    turn: VecDeque<SessionId>,
    /// Intents that became ready in this batch, in order, while nothing older lay ready.
    fresh: VecDeque<IntentId>,
    /// True when the store may hold intents that lie ready and are not in `fresh`.
    has_backlog: bool,
}

#[derive(Debug)]
struct OpenSession {
    spec: SessionSpec,
    sender: mpsc::Sender<Handover>,
    unfinished: BTreeMap<AttemptId, IntentId>,
}

impl OpenSession {
    fn credit(&self) -> u32 {
        let used = u32::try_from(self.unfinished.len()).unwrap_or(u32::MAX);
        self.spec.credit.saturating_sub(used)
    }

    /// True for the binding's own connection, which is none of a receiver.
    const fn is_caller(&self) -> bool {
        matches!(self.spec.mode, SessionMode::Calls { .. })
    }
}

/// A connection that can take an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) session: SessionId,
    pub(super) binding: Binding,
    pub(super) rows_before: u32,
}

/// Where the next intents of a receiver come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Supply {
    /// These, which became ready in this batch.
    Fresh(Vec<IntentId>),
    /// The store, at most so many.
    Store(u32),
}

impl Outbox {
    pub(super) fn open(
        &mut self,
        id: SessionId,
        spec: SessionSpec,
        sender: mpsc::Sender<Handover>,
    ) {
        if let SessionMode::Calls { start } = spec.mode {
            self.endpoints.open(id, spec.credit, start);
        } else {
            let slots = self
                .agents
                .entry(spec.agent.clone())
                .or_insert_with(|| AgentSlots {
                    has_backlog: true,
                    ..AgentSlots::default()
                });
            slots.turn.push_back(id);
        }
        self.sessions.insert(
            id,
            OpenSession {
                spec,
                sender,
                unfinished: BTreeMap::new(),
            },
        );
    }

    /// Forgets a connection and says what it held.
    pub(super) fn close(&mut self, id: SessionId, now: Timestamp) -> Vec<(AttemptId, IntentId)> {
        let Some(session) = self.sessions.remove(&id) else {
            return Vec::new();
        };
        let is_idle = session.unfinished.is_empty();
        self.listeners.go(&session.spec.agent, id, is_idle, now);
        self.endpoints.close(id);
        if let Some(slots) = self.agents.get_mut(&session.spec.agent) {
            slots.turn.retain(|other| *other != id);
            if slots.turn.is_empty() {
                self.agents.remove(&session.spec.agent);
            }
        }
        session.unfinished.into_iter().collect()
    }

    /// Forgets every connection: their receivers see the end of their channel.
    pub(super) fn close_all(&mut self) {
        self.agents.clear();
        self.sessions.clear();
        self.listeners.clear();
    }

    pub(super) fn is_alive(&self, id: SessionId) -> bool {
        self.sessions.contains_key(&id)
    }

    /// An attempt of that connection is over.
    pub(super) fn release(&mut self, id: SessionId, attempt: AttemptId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.unfinished.remove(&attempt);
        }
    }

    /// Something became ready for this receiver.
    pub(super) fn wake(&mut self, agent: &Address, intent: IntentId) {
        if let Some(slots) = self.agents.get_mut(agent) {
            slots.fresh.push_back(intent);
        }
    }

    /// The store may hold something for this receiver that nobody was woken for.
    pub(super) fn expect_backlog(&mut self, agent: &Address) {
        if let Some(slots) = self.agents.get_mut(agent) {
            slots.has_backlog = true;
        }
    }

    /// Receivers with credit and, as far as is known, something to get.
    pub(super) fn hungry(&self) -> Vec<Address> {
        self.agents
            .iter()
            .filter(|(_, slots)| slots.has_backlog || !slots.fresh.is_empty())
            .filter(|(_, slots)| self.credit(slots) > 0)
            .map(|(agent, _)| agent.clone())
            .collect()
    }

    /// What a hungry receiver is to be given.
    pub(super) fn supply(&mut self, agent: &Address) -> Supply {
        let Some(slots) = self.agents.get(agent) else {
            return Supply::Fresh(Vec::new());
        };
        let credit = self.credit(slots);
        let Some(slots) = self.agents.get_mut(agent) else {
            return Supply::Fresh(Vec::new());
        };
        if slots.has_backlog {
            slots.fresh.clear();
            return Supply::Store(credit);
        }
        let count = usize::try_from(credit)
            .unwrap_or(usize::MAX)
            .min(slots.fresh.len());
        Supply::Fresh(slots.fresh.drain(..count).collect())
    }

    /// The store gave everything it had ready.
    pub(super) fn settle_backlog(&mut self, agent: &Address) {
        if let Some(slots) = self.agents.get_mut(agent) {
            slots.has_backlog = false;
        }
    }

    /// The next connection of this receiver that has credit, in turn.
    pub(super) fn next_slot(&mut self, agent: &Address) -> Option<Slot> {
        let slots = self.agents.get_mut(agent)?;
        for _ in 0..slots.turn.len() {
            let id = slots.turn.pop_front()?;
            slots.turn.push_back(id);
            let Some(session) = self.sessions.get(&id) else {
                continue;
            };
            if session.credit() > 0 {
                return Some(Slot {
                    session: id,
                    binding: session.spec.binding,
                    rows_before: u32::try_from(session.unfinished.len()).unwrap_or(u32::MAX),
                });
            }
        }
        None
    }

    /// An attempt was given to that connection.
    pub(super) fn hold(&mut self, id: SessionId, attempt: AttemptId, intent: IntentId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.unfinished.insert(attempt, intent);
        }
    }

    /// Hands a committed attempt over. False when the connection is gone.
    pub(super) fn send(&self, id: SessionId, handover: Handover) -> bool {
        self.sessions
            .get(&id)
            .is_some_and(|session| session.sender.try_send(handover).is_ok())
    }

    /// Shows a receiver what it has, over the stream that gave it or another that lives. A reminder never takes the
    /// room of a hand-over: where rows are unread, that one may be among them.
    pub(super) fn remind(&self, agent: &Address, holder: SessionId, reminder: Handover) {
        let turn = self
            .agents
            .get(agent)
            .into_iter()
            .flat_map(|slots| &slots.turn);
        let stream = std::iter::once(&holder)
            .chain(turn)
            .filter_map(|id| self.sessions.get(id))
            .find(|session| session.spec.binding == Binding::Stream);
        if let Some(session) = stream {
            let credit = usize::try_from(session.credit()).unwrap_or(usize::MAX);
            if session.sender.capacity() > credit {
                // A connection that is gone has nothing to be reminded over.
                drop(session.sender.try_send(reminder));
            }
        }
    }

    /// Ends the one-time connections that have had their hand-over.
    pub(super) fn end_spent(&mut self, now: Timestamp) {
        let spent: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, session)| {
                session.spec.mode == SessionMode::Once && !session.unfinished.is_empty()
            })
            .map(|(id, _)| *id)
            .collect();
        for id in spent {
            // What it holds stays leased: the receiver has it.
            drop(self.close(id, now));
        }
    }

    /// Places that nobody needs are given back; what is fresh and was not given to anybody lies in the store from now on.
    pub(super) fn end_batch(&mut self) {
        self.endpoints.end_batch();
        for slots in self.agents.values_mut() {
            if !slots.fresh.is_empty() {
                slots.fresh.clear();
                slots.has_backlog = true;
            }
        }
    }

    /// What the connections hold and wait for, after a commit that has not happened: what the store says,
    /// and anything may lie ready.
    pub(super) fn restore(&mut self, leases: &[(SessionId, AttemptId, IntentId)]) {
        for session in self.sessions.values_mut() {
            session.unfinished.clear();
        }
        for (id, attempt, intent) in leases {
            self.hold(*id, *attempt, *intent);
        }
        for slots in self.agents.values_mut() {
            slots.fresh.clear();
            slots.has_backlog = true;
        }
    }

    /// Live connections by binding and by receiver.
    pub(super) fn connections(&self) -> ([u64; 5], HashMap<Address, u64>) {
        let mut by_binding = [0; 5];
        let mut by_agent: HashMap<Address, u64> = HashMap::new();
        let comes = |session: &&OpenSession| !session.is_caller();
        for session in self.sessions.values().filter(comes) {
            let place = Binding::ALL
                .iter()
                .position(|binding| *binding == session.spec.binding);
            if let Some(count) = place.and_then(|place| by_binding.get_mut(place)) {
                *count += 1;
            }
            *by_agent.entry(session.spec.agent.clone()).or_default() += 1;
        }
        (by_binding, by_agent)
    }

    /// Attempts that connections could take beside what they hold.
    pub(super) fn free(&self) -> u64 {
        let comes = |session: &&OpenSession| !session.is_caller();
        let free = self.sessions.values().filter(comes);
        free.map(|session| u64::from(session.credit()))
            .sum::<u64>()
            .saturating_add(u64::from(self.endpoints.free()))
    }

    fn credit(&self, slots: &AgentSlots) -> u32 {
        slots
            .turn
            .iter()
            .filter_map(|id| self.sessions.get(id))
            .fold(0, |sum, session| sum.saturating_add(session.credit()))
    }
}
