//! Heartbeats: taken in without a commit, and put down with the commits that happen anyway.
//!
//! 1. A heartbeat is a note in memory. What a crash takes away are counts of a minute or two.
//! 2. A change of health is a fact of the feed, and is in a commit of its own accord: the first heartbeat
//!    and the first after a silence ask for one, and silence itself has an instant.
//! 3. Nothing is pushed to an agent that has beaten before and is unreachable now; waiting spends nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;

use crate::broker::batch::Batch;
use crate::broker::{Broker, Message, push};
use crate::domain::address::Address;
use crate::domain::agent::{Agent, Binding};
use crate::domain::fact::{Actor, Notice};
use crate::domain::mesh::{Beats, Health, MeshPolicy, Metrics};
use crate::domain::payload::Payload;
use crate::domain::time::{Span, Timestamp};
use crate::store::Write;
use crate::store::error::StoreError;

/// How long counts may be in memory alone while there are commits.
const KEEP_EVERY: Span = Span::from_seconds(60);

/// Every agent of the mesh. Shared by the writer and whoever takes heartbeats.
#[derive(Debug, Default)]
pub struct Mesh(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    by_agent: BTreeMap<Address, Beats>,
    /// Those that have changed since they were put down.
    unkept: BTreeSet<Address>,
    kept_at: Option<Timestamp>,
    /// Since when heartbeats can be heard.
    awake: Timestamp,
}

impl Mesh {
    /// Takes what was known before the broker stopped.
    pub(super) fn remember(&self, all: Vec<Beats>, now: Timestamp) {
        let mut known = self.0.lock();
        if known.awake != Timestamp::default() {
            // The store was opened anew under a running broker, which knows more than it.
            return;
        }
        known.awake = now;
        for beats in all {
            known.by_agent.insert(beats.agent.clone(), beats);
        }
    }

    /// Takes a heartbeat in. True when the agent's health changes by it.
    pub(super) fn beat(&self, agent: &Address, now: Timestamp, metrics: Metrics) -> bool {
        let mut known = self.0.lock();
        let beats = known
            .by_agent
            .entry(agent.clone())
            .or_insert_with(|| Beats::of(agent.clone()));
        beats.beat(now, metrics);
        let is_news = beats.told != Health::Healthy;
        known.unkept.insert(agent.clone());
        is_news
    }

    /// What is known of an agent.
    #[must_use]
    pub fn of(&self, agent: &Address) -> Beats {
        let known = self.0.lock();
        known
            .by_agent
            .get(agent)
            .cloned()
            .unwrap_or_else(|| Beats::of(agent.clone()))
    }

    /// What is known of every agent that ever beat or was killed.
    #[must_use]
    pub fn all(&self) -> Vec<Beats> {
        self.0.lock().by_agent.values().cloned().collect()
    }

    /// How an agent is.
    #[must_use]
    pub fn health(&self, agent: &Address, now: Timestamp, policy: &MeshPolicy) -> Health {
        let known = self.0.lock();
        let beats = known.by_agent.get(agent);
        beats.map_or(Health::Unknown, |beats| {
            beats.health(now, known.awake, policy)
        })
    }

    /// When somebody's health changes by silence.
    pub(super) fn next_change(&self, now: Timestamp, policy: &MeshPolicy) -> Option<Timestamp> {
        let known = self.0.lock();
        let changes = known.by_agent.values();
        changes
            .filter_map(|beats| beats.next_change(now, known.awake, policy))
            .min()
    }

    /// Writes down what an operator did to an agent.
    pub(super) fn note(
        &self,
        agent: &Address,
        at: Timestamp,
        kind: &str,
        actor: &str,
        words: Vec<String>,
    ) {
        let mut known = self.0.lock();
        let beats = known
            .by_agent
            .entry(agent.clone())
            .or_insert_with(|| Beats::of(agent.clone()));
        beats.note(at, kind, actor, words);
        known.unkept.insert(agent.clone());
        // It is in the same commit as what it tells.
        known.kept_at = None;
    }

    /// Whose health is another than was told; it counts as told from here on.
    fn changed(&self, now: Timestamp, policy: &MeshPolicy) -> Vec<(Address, Health, Health)> {
        let mut guard = self.0.lock();
        let known = &mut *guard;
        let mut changed = Vec::new();
        let awake = known.awake;
        for (agent, beats) in &mut known.by_agent {
            let (was, is) = (beats.told, beats.health(now, awake, policy));
            if was == is {
                continue;
            }
            beats.told = is;
            let words = vec![was.name().to_owned(), is.name().to_owned()];
            beats.note(now, "agent.health_changed", Actor::Broker.name(), words);
            known.unkept.insert(agent.clone());
            known.kept_at = None;
            changed.push((agent.clone(), was, is));
        }
        changed
    }

    /// What is to be put down with this commit.
    fn to_keep(&self, now: Timestamp, is_last: bool) -> Vec<Beats> {
        let mut guard = self.0.lock();
        let known = &mut *guard;
        let is_time = known
            .kept_at
            .is_none_or(|kept| now.since(kept) >= KEEP_EVERY);
        if known.unkept.is_empty() || !(is_time || is_last) {
            return Vec::new();
        }
        known.kept_at = Some(now);
        let unkept = std::mem::take(&mut known.unkept);
        let beats = unkept.iter().filter_map(|agent| known.by_agent.get(agent));
        beats.cloned().collect()
    }
}

/// Tells whose health has changed, and puts down what was counted.
pub(super) fn round(batch: &mut Batch<'_>, is_last: bool) -> Result<(), StoreError> {
    let mesh = Arc::clone(&batch.outbox.mesh);
    let policy = batch.policy.mesh;
    let now = batch.now;
    for (agent, was, is) in mesh.changed(now, &policy) {
        let is_held = policy.is_unreachable_held && is == Health::Unreachable;
        push::hold_unreachable(batch, &agent, is_held);
        batch.notice(Notice {
            at: now,
            actor: Actor::Broker,
            kind: "agent.health_changed".to_owned(),
            agent: Some(agent),
            data: Payload::of(&json!({ "from": was.name(), "to": is.name() })),
        })?;
    }
    for beats in mesh.to_keep(now, is_last) {
        batch.txn.put(Write::Beats(Box::new(beats)))?;
    }
    Ok(())
}

impl Broker {
    /// Takes a heartbeat of an agent in. Nothing waits for a disk.
    pub async fn beat(&self, agent: &Address, metrics: Metrics) -> Timestamp {
        let now = self.clock().now();
        if self.inner.mesh.beat(agent, now, metrics)
            && let Err(error) = self.enqueue(Message::Tick(None)).await
        {
            tracing::debug!(%agent, %error, "the change of health is told with the next commit");
        }
        now
    }

    /// What is known of agents that beat.
    #[must_use]
    pub fn mesh(&self) -> &Mesh {
        &self.inner.mesh
    }

    /// How an agent is, as far as its heartbeats tell.
    #[must_use]
    pub fn health(&self, agent: &Address) -> Health {
        let policy = &self.settings().policy.mesh;
        self.mesh().health(agent, self.clock().now(), policy)
    }

    /// True when an agent is not called for its silence.
    pub(super) fn is_silent(&self, agent: &Agent) -> bool {
        agent.binding == Binding::Http
            && self.settings().policy.mesh.is_unreachable_held
            && self.health(&agent.address) == Health::Unreachable
    }
}
