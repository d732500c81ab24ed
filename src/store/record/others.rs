//! What is stored beside intents: notices, agents, keys, the audit log.

use crate::domain::admission::{PolicyEntry, SendMode, SendPolicy, SenderPattern};
use crate::domain::agent::{Agent, AgentStatus, Pause, Secret};
use crate::domain::endpoint::Endpoint;
use crate::domain::fact::Notice;
use crate::domain::ids::ThreadId;
use crate::domain::key::{Key, KeyHash, Role};
use crate::domain::schema::{Schema, SchemaMode, SchemaScope};
use crate::domain::subscription::{Subscription, SubscriptionId};
use crate::store::query::AuditEntry;

use super::Broken;
use super::codec::{Field, Input, fields, variants};

fields!(Notice {
    at,
    actor,
    kind,
    agent,
    data,
});

variants!(AgentStatus, "agent status" {
    1 => Active,
    2 => Suspended,
    3 => Deleted,
});

fields!(Pause { by, reason, at });

fields!(Secret { text, valid_until });

fields!(Agent {
    address,
    account,
    name,
    display_name,
    description,
    created_by,
    created_at,
    updated_at,
    status,
    binding,
    callback_url,
    ack_timeout,
    max_in_flight,
    secrets,
    pause,
    kill,
    policy,
});

variants!(SendMode, "send mode" {
    1 => Open,
    2 => Allowlist,
    3 => Denylist,
});

impl Field for SenderPattern {
    fn put(&self, out: &mut Vec<u8>) {
        self.key().to_owned().put(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        String::read(input).map(Self::trusted)
    }
}

fields!(PolicyEntry {
    id,
    pattern,
    created_at,
});

fields!(SendPolicy {
    mode,
    entries,
    last_entry,
});

fields!(Endpoint {
    agent,
    trips,
    open_until,
    held_until,
    rate_millihertz,
    notice,
    open_notice,
});

variants!(SchemaMode, "mode of a schema" {
    1 => Strict,
    2 => Backward,
    3 => Warn,
});

variants!(SchemaScope, "scope of a schema" {
    1 => Tenant,
    2 => Core,
});

fields!(Schema {
    semantic_type,
    reference,
    hash,
    json,
    mode,
    scope,
    owner,
    is_active,
    created_at,
    updated_at,
});

variants!(Role, "role" {
    1 => Admin,
    2 => Sender,
    3 => Agent,
});

impl Field for KeyHash {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        Field::read(input).map(Self)
    }
}

fields!(Key {
    id,
    account,
    hash,
    hint,
    role,
    created_at,
    expires_at,
    revoked_at,
});

fields!(AuditEntry {
    at,
    actor,
    key,
    via,
    action,
    target,
    owner,
    reason,
    result,
    details,
    trace_id,
});

impl Field for SubscriptionId {
    fn put(&self, out: &mut Vec<u8>) {
        ThreadId(self.0).put(out);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Broken> {
        ThreadId::read(input).map(|id| Self(id.0))
    }
}

fields!(Subscription {
    id,
    owner,
    is_of_all,
    callback_url,
    event_types,
    is_active,
    description,
    secret,
    created_at,
    updated_at,
    revoked_at,
});
