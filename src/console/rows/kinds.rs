//! The rows of the desk: what names each, and where it stands.

use crate::desk::rows::jobs::{AuditRow, JobRow};
use crate::desk::rows::{AgentRow, AttemptRow, IntentRow, LetterGroupRow, LetterRow, TaskRow};
use crate::domain::address::Address;
use crate::domain::ids::{AttemptId, AuditId, IntentId, JobId};

use super::Row;

impl Row for IntentRow {
    type Key = IntentId;

    fn key(&self) -> IntentId {
        self.id
    }

    fn age_order(&self) -> (i64, u128) {
        // The ids sort by time of acceptance, which is the order of the list.
        (0, self.id.0.as_u128())
    }
}

impl Row for AttemptRow {
    type Key = AttemptId;

    fn key(&self) -> AttemptId {
        self.id
    }

    fn age_order(&self) -> (i64, u128) {
        (0, u128::from(self.id.0))
    }
}

impl Row for LetterRow {
    type Key = IntentId;

    fn key(&self) -> IntentId {
        self.intent
    }

    fn age_order(&self) -> (i64, u128) {
        (self.dead_at.as_millis(), self.intent.0.as_u128())
    }
}

impl Row for TaskRow {
    type Key = IntentId;

    fn key(&self) -> IntentId {
        self.intent
    }

    fn age_order(&self) -> (i64, u128) {
        (self.opened_at.as_millis(), self.intent.0.as_u128())
    }
}

impl Row for LetterGroupRow {
    type Key = String;

    fn key(&self) -> String {
        self.fingerprint.clone()
    }

    fn age_order(&self) -> (i64, u128) {
        (0, u128::from(self.count))
    }
}

impl Row for AgentRow {
    type Key = Address;

    fn key(&self) -> Address {
        self.address.clone()
    }

    fn age_order(&self) -> (i64, u128) {
        (0, 0)
    }
}

impl Row for JobRow {
    type Key = JobId;

    fn key(&self) -> JobId {
        self.id
    }

    fn age_order(&self) -> (i64, u128) {
        (self.created_at.as_millis(), u128::from(self.id.0))
    }
}

impl Row for AuditRow {
    type Key = AuditId;

    fn key(&self) -> AuditId {
        self.id
    }

    fn age_order(&self) -> (i64, u128) {
        (self.at.as_millis(), u128::from(self.id.0))
    }
}
