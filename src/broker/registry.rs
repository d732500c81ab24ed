//! Agents, accounts and keys as one immutable snapshot: read on every request, replaced on every change.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::domain::address::{Address, Home};
use crate::domain::agent::Agent;
use crate::domain::ids::AccountId;
use crate::domain::key::{Key, KeyHash};
use crate::domain::schema::Schema;
use crate::domain::subscription::{Subscription, SubscriptionId};
use crate::domain::time::Timestamp;
use crate::engine::schema::Checker;

/// A registered schema with its compiled form. One snapshot holds both, so no payload is ever held against
/// a form that is older or newer than the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// As it is stored.
    pub schema: Schema,
    /// Ready for use.
    pub checker: Arc<Checker>,
}

/// The snapshot.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// Names that complete a bare address.
    pub home: Home,
    /// The organisation's UUID, made at first start.
    pub org_id: String,
    /// The workspace's UUID, made at first start.
    pub workspace_id: String,
    agents: HashMap<Address, Arc<Agent>>,
    accounts: HashMap<AccountId, Address>,
    keys: HashMap<[u8; 32], Arc<Key>>,
    schemas: HashMap<String, Arc<Registered>>,
    // Ordered, so that the same facts give the same intents again.
    subscriptions: BTreeMap<SubscriptionId, Arc<Subscription>>,
    live: Vec<Arc<Subscription>>,
    /// Subscriptions as whoever delivers sees them.
    hooks: HashMap<Address, Arc<Agent>>,
}

impl Registry {
    /// A registry of nobody, of this organisation and workspace.
    #[must_use]
    pub fn of(home: Home, org_id: String, workspace_id: String) -> Self {
        Self {
            home,
            org_id,
            workspace_id,
            ..Self::default()
        }
    }

    /// The agent at an address, registered or met before.
    #[must_use]
    pub fn agent(&self, address: &Address) -> Option<&Arc<Agent>> {
        match self.agents.get(address) {
            None if address.is_webhook() => self.hooks.get(address),
            found => found,
        }
    }

    /// True when nobody wants to be told of anything.
    #[must_use]
    pub const fn has_no_subscriptions(&self) -> bool {
        self.live.is_empty()
    }

    /// Webhook subscriptions that are active.
    #[must_use]
    pub fn live_subscriptions(&self) -> Vec<Arc<Subscription>> {
        self.live.clone()
    }

    /// Webhook subscriptions of one owner, or of all; revoked ones too.
    #[must_use]
    pub fn subscriptions_of(&self, owner: Option<&Address>) -> Vec<Arc<Subscription>> {
        self.subscriptions
            .values()
            .filter(|one| owner.is_none_or(|owner| one.owner == *owner))
            .cloned()
            .collect()
    }

    /// Puts a webhook subscription in, or in place of the one of its id.
    pub fn put_subscription(&mut self, subscription: Arc<Subscription>) {
        let agent = Arc::new(subscription.agent());
        self.hooks.insert(agent.address.clone(), agent);
        self.subscriptions.insert(subscription.id, subscription);
        self.live = self
            .subscriptions
            .values()
            .filter(|one| one.is_active && one.revoked_at.is_none())
            .cloned()
            .collect();
    }

    /// Every webhook subscription as whoever delivers sees it.
    #[must_use]
    pub fn hooks(&self) -> Vec<Arc<Agent>> {
        self.hooks.values().cloned().collect()
    }

    /// The agent at an address, or the mailbox that its first use would make.
    #[must_use]
    pub fn agent_or_mailbox(&self, address: &Address, now: Timestamp) -> Arc<Agent> {
        self.agents
            .get(address)
            .cloned()
            .unwrap_or_else(|| Arc::new(Agent::mailbox(address.clone(), now)))
    }

    /// The agent of an account.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Arc<Agent>> {
        self.accounts
            .get(&id)
            .and_then(|address| self.agents.get(address))
    }

    /// Every agent, by address.
    #[must_use]
    pub fn agents(&self) -> Vec<Arc<Agent>> {
        let mut agents: Vec<_> = self.agents.values().cloned().collect();
        agents.sort_by(|one, other| one.address.cmp(&other.address));
        agents
    }

    /// The key with this hash, whatever its state.
    #[must_use]
    pub fn key(&self, hash: &KeyHash) -> Option<&Arc<Key>> {
        self.keys.get(&hash.0)
    }

    /// The keys of an account, oldest first.
    #[must_use]
    pub fn keys_of(&self, account: AccountId) -> Vec<Arc<Key>> {
        let mut keys: Vec<_> = self
            .keys
            .values()
            .filter(|key| key.account == account)
            .cloned()
            .collect();
        keys.sort_by_key(|key| key.id);
        keys
    }

    /// Every key, oldest first.
    #[must_use]
    pub fn keys(&self) -> Vec<Arc<Key>> {
        let mut keys: Vec<_> = self.keys.values().cloned().collect();
        keys.sort_by_key(|key| key.id);
        keys
    }

    /// The schema that is registered for a type, active or not.
    #[must_use]
    pub fn schema(&self, semantic_type: &str) -> Option<&Arc<Registered>> {
        self.schemas.get(semantic_type)
    }

    /// Puts a schema in, or in place of the one of its type.
    pub fn put_schema(&mut self, schema: Arc<Registered>) {
        self.schemas
            .insert(schema.schema.semantic_type.clone(), schema);
    }

    /// Puts an agent in, or in place of the one at its address.
    pub fn put_agent(&mut self, agent: Arc<Agent>) {
        if let Some(account) = agent.account {
            self.accounts.insert(account, agent.address.clone());
        }
        self.agents.insert(agent.address.clone(), agent);
    }

    /// Puts a key in, or in place of the one with its hash.
    pub fn put_key(&mut self, key: Arc<Key>) {
        self.keys.insert(key.hash.0, key);
    }
}
