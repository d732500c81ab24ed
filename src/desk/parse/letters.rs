//! Dead letters, alone and in groups.

use serde::Deserialize;

use crate::desk::rows::{LetterGroupRow, LetterRow};
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::failure::{DeadReason, ErrorClass};
use crate::domain::group::{GroupStand, GroupState};
use crate::domain::ids::IntentId;
use crate::domain::time::Timestamp;
use crate::store::query::LetterState;

use super::Held;

/// The object of section 11.2.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Letter {
    #[serde(deserialize_with = "super::shown")]
    intent_id: IntentId,
    intent_type: String,
    #[serde(deserialize_with = "super::address")]
    from_agent: Address,
    #[serde(deserialize_with = "super::address")]
    to_agent: Address,
    #[serde(deserialize_with = "super::binding")]
    binding: Binding,
    #[serde(deserialize_with = "super::reason")]
    reason: DeadReason,
    #[serde(default, deserialize_with = "super::error_class")]
    error_class: Option<ErrorClass>,
    #[serde(default)]
    http_status: Option<u16>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    attempts: u32,
    #[serde(deserialize_with = "super::shown")]
    dead_at: Timestamp,
    fingerprint: String,
    #[serde(deserialize_with = "super::letter_state")]
    state: LetterState,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    replayed_as: Option<IntentId>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    replay_of: Option<IntentId>,
    #[serde(default)]
    held: Option<Held>,
}

impl Letter {
    pub(in crate::desk) fn row(self) -> LetterRow {
        LetterRow {
            intent: self.intent_id,
            intent_type: self.intent_type,
            from: self.from_agent,
            to: self.to_agent,
            binding: self.binding,
            reason: self.reason,
            error_class: self.error_class,
            http_status: self.http_status,
            message: self.message,
            attempts: self.attempts,
            dead_at: self.dead_at,
            fingerprint: self.fingerprint,
            state: self.state,
            replayed_as: self.replayed_as,
            replay_of: self.replay_of,
            held: self.held.filter(Held::is_of_letter).map(Held::row),
        }
    }
}

/// A group of section 11.3.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Group {
    fingerprint: String,
    count: u64,
    #[serde(deserialize_with = "super::reason")]
    reason: DeadReason,
    #[serde(default, deserialize_with = "super::error_class")]
    error_class: Option<ErrorClass>,
    #[serde(default)]
    http_status: Option<u16>,
    intent_type: String,
    #[serde(deserialize_with = "super::address")]
    to_agent: Address,
    #[serde(default)]
    sample_message: String,
    #[serde(deserialize_with = "super::shown")]
    first_at: Timestamp,
    #[serde(deserialize_with = "super::shown")]
    last_at: Timestamp,
    #[serde(default)]
    intent_ids: Vec<String>,
    #[serde(default)]
    hourly: Vec<u32>,
    #[serde(default)]
    state: String,
    #[serde(default, deserialize_with = "super::maybe_address")]
    owner: Option<Address>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    marked_by: Option<String>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    marked_at: Option<Timestamp>,
}

impl Group {
    pub(in crate::desk) fn row(self) -> LetterGroupRow {
        LetterGroupRow {
            fingerprint: self.fingerprint,
            count: self.count,
            reason: self.reason,
            error_class: self.error_class,
            http_status: self.http_status,
            intent_type: self.intent_type,
            to: self.to_agent,
            message: self.sample_message,
            first_at: self.first_at,
            last_at: self.last_at,
            hourly: self.hourly,
            newest: self
                .intent_ids
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect(),
            state: GroupState::from_name(&self.state).unwrap_or(GroupState::Said(GroupStand::New)),
            owner: self.owner,
            note: self.note,
            marked: self.marked_by.zip(self.marked_at),
        }
    }
}
