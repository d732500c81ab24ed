//! Jobs and the audit log as a desk shows them.

use crate::domain::ids::{AuditId, IntentId, JobId};
use crate::domain::job::{JobKind, JobState};
use crate::domain::payload::Payload;
use crate::domain::time::Timestamp;

/// A job in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// What it does to each.
    pub kind: JobKind,
    /// Where it stands.
    pub state: JobState,
    /// Who ordered it.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// What was asked for, an object: the filter.
    pub filter: Payload,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Intents that were selected.
    pub selected: u32,
    /// Those whose outcome is known.
    pub done: u32,
    /// Done, and replays completed.
    pub succeeded: u32,
    /// Replays that have died again.
    pub failed: u32,
    /// Nothing to do any more when their turn came.
    pub skipped: u32,
    /// Replays that are unfinished.
    pub in_flight: u32,
    /// How many in a thousand seconds at most: 10000 is ten a second.
    pub per_1000_seconds: u32,
    /// Most unfinished replays at once.
    pub max_in_flight: u32,
    /// So many first.
    pub canary: u32,
    /// Pauses when so many have died again.
    pub stop_after_failures: u32,
    /// Why it does not go on, while it is paused.
    pub stopped_because: Option<String>,
}

/// One intent of a job that has had its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobItemRow {
    /// The intent.
    pub intent: IntentId,
    /// The replay.
    pub new_intent: Option<IntentId>,
    /// `in_flight`, `acknowledged`, `succeeded`, `failed`, `withdrawn`, `skipped`.
    pub outcome: String,
    /// Why it was skipped: the code of the refusal.
    pub code: Option<String>,
}

/// A job with a page of its items, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// The job.
    pub row: JobRow,
    /// Those of its intents that have had their turn.
    pub items: Vec<JobItemRow>,
    /// Where the next page of items starts; none on the last.
    pub next: Option<String>,
    /// What became of them by class, the largest first.
    pub outcomes: Vec<OutcomeRow>,
}

/// One class of outcomes of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRow {
    /// `succeeded`, `failed`, `skipped`, ...
    pub outcome: String,
    /// Why: the code of the refusal, the HTTP status or the class of the failure.
    pub code: Option<String>,
    /// How many.
    pub count: u64,
}

/// What a job would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPlan {
    /// Intents that the filter matches.
    pub matched: u64,
    /// Those that the job would take.
    pub selected: u64,
    /// Why the others would be left out, and how many.
    pub skipped: Vec<(String, u64)>,
    /// The first of those it would take.
    pub sample: Vec<IntentId>,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// On whose behalf; the same as `actor` unless the request named somebody else.
    pub owner: String,
    /// With which key.
    pub key: Option<String>,
    /// Through what: `api`, `console`, `cli`.
    pub via: String,
    /// `intent.cancel`, `dead_letter.replay`, `task.decide`, `agent.pause`, `job.start`, ...
    pub action: String,
    /// On what.
    pub target: String,
    /// Why.
    pub reason: Option<String>,
    /// `done`, `held` when it takes effect later, or the refusal's code.
    pub result: String,
    /// What it changed: an object with `before` and `after`.
    pub details: Option<Payload>,
    /// The trace.
    pub trace_id: Option<String>,
}
