//! Jobs and the audit log.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::desk::rows::jobs::{AuditRow, JobItemRow, JobPlan, JobRow, OutcomeRow};
use crate::domain::ids::{AuditId, IntentId, JobId};
use crate::domain::job::{JobKind, JobState};
use crate::domain::time::Timestamp;

/// The object of section 21.5.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Job {
    #[serde(deserialize_with = "super::shown")]
    job_id: JobId,
    #[serde(deserialize_with = "super::job_kind")]
    kind: JobKind,
    #[serde(deserialize_with = "super::job_state")]
    state: JobState,
    #[serde(deserialize_with = "super::shown")]
    created_at: Timestamp,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    updated_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    finished_at: Option<Timestamp>,
    by: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    filter: Option<Box<RawValue>>,
    selected: u32,
    done: u32,
    #[serde(default)]
    in_flight: u32,
    succeeded: u32,
    failed: u32,
    skipped: u32,
    #[serde(default)]
    rate_per_second: f64,
    #[serde(default)]
    max_in_flight: u32,
    #[serde(default)]
    canary: u32,
    #[serde(default)]
    stop_after_failures: u32,
    #[serde(default)]
    stopped_because: Option<String>,
}

impl Job {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float is cast saturating, and a rate is small"
    )]
    pub(in crate::desk) fn row(self) -> JobRow {
        JobRow {
            id: self.job_id,
            kind: self.kind,
            state: self.state,
            by: self.by,
            reason: self.reason,
            filter: super::payload(self.filter.as_deref()),
            created_at: self.created_at,
            updated_at: self.updated_at.unwrap_or(self.created_at),
            finished_at: self.finished_at,
            selected: self.selected,
            done: self.done,
            succeeded: self.succeeded,
            failed: self.failed,
            skipped: self.skipped,
            in_flight: self.in_flight,
            per_1000_seconds: (self.rate_per_second * 1000.0).round() as u32,
            max_in_flight: self.max_in_flight,
            canary: self.canary,
            stop_after_failures: self.stop_after_failures,
            stopped_because: self.stopped_because,
        }
    }
}

/// One intent of a job.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Item {
    #[serde(deserialize_with = "super::shown")]
    intent_id: IntentId,
    #[serde(default, deserialize_with = "super::maybe_shown")]
    new_intent_id: Option<IntentId>,
    outcome: String,
    #[serde(default)]
    code: Option<String>,
}

impl Item {
    pub(in crate::desk) fn row(self) -> JobItemRow {
        JobItemRow {
            intent: self.intent_id,
            new_intent: self.new_intent_id,
            outcome: self.outcome,
            code: self.code,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Skipped {
    reason: String,
    count: u64,
}

/// One class of outcomes.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Outcome {
    outcome: String,
    #[serde(default)]
    code: Option<String>,
    count: u64,
}

impl Outcome {
    pub(in crate::desk) fn row(self) -> OutcomeRow {
        OutcomeRow {
            outcome: self.outcome,
            code: self.code,
            count: self.count,
        }
    }
}

/// What a job would do.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Plan {
    matched: u64,
    selected: u64,
    #[serde(default)]
    skipped: Vec<Skipped>,
    #[serde(default)]
    intent_ids: Vec<String>,
}

impl Plan {
    pub(in crate::desk) fn plan(self) -> JobPlan {
        JobPlan {
            matched: self.matched,
            selected: self.selected,
            skipped: self
                .skipped
                .into_iter()
                .map(|skipped| (skipped.reason, skipped.count))
                .collect(),
            sample: self
                .intent_ids
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect(),
        }
    }
}

/// The object of section 21.4.
#[derive(Debug, Deserialize)]
pub(in crate::desk) struct Audit {
    #[serde(deserialize_with = "super::shown")]
    event_id: AuditId,
    #[serde(deserialize_with = "super::shown")]
    at: Timestamp,
    actor: String,
    #[serde(default)]
    owner_agent: Option<String>,
    #[serde(default)]
    key_id: Option<String>,
    via: String,
    action: String,
    target: String,
    #[serde(default)]
    reason: Option<String>,
    result: String,
    #[serde(default)]
    details: Option<Box<RawValue>>,
    #[serde(default)]
    trace_id: Option<String>,
}

impl Audit {
    pub(in crate::desk) fn row(self) -> AuditRow {
        AuditRow {
            id: self.event_id,
            at: self.at,
            owner: self.owner_agent.unwrap_or_else(|| self.actor.clone()),
            actor: self.actor,
            key: self.key_id,
            via: self.via,
            action: self.action,
            target: self.target,
            reason: self.reason,
            result: self.result,
            details: self
                .details
                .as_deref()
                .map(|details| super::payload(Some(details))),
            trace_id: self.trace_id,
        }
    }
}
