//! Agents, accounts and keys as one immutable snapshot: read on every request, replaced on every change.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::address::{Address, Home};
use crate::domain::agent::Agent;
use crate::domain::ids::AccountId;
use crate::domain::key::{Key, KeyHash};
use crate::domain::schema::Schema;
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
        self.agents.get(address)
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
