//! What an operator can see and do: one trait, two implementations.
//!
//! 1. The console and the operator verbs know the broker only through [`Desk`].
//! 2. `local` (the embedded broker) and `remote` (the HTTP API) give the same answers for the same data;
//!    one suite runs on both (`tests/desk.rs`).
//! 3. Every act is one request: a caller that vanishes half-way has either acted or not.
//! 4. Foreign text passes through unchanged; whoever draws it makes it harmless.
//!
//! Not here: how it looks (`console`), who may (`api`).

pub mod act;
pub mod local;
pub mod remote;
pub mod rows;

mod bodies;
mod convert;
mod derive;
mod parse;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use crate::desk::act::{Act, Done};
use crate::desk::rows::agents::AgentView;
use crate::desk::rows::jobs::{AuditRow, JobPlan, JobRow, JobView};
use crate::desk::rows::{
    AgentRow, AttemptRow, FeedRow, HeldRow, Hello, IntentRow, IntentView, LetterGroupRow,
    LetterRow, Overview, TaskRow, ThreadView,
};
use crate::domain::address::Address;
use crate::domain::ids::{Cursor, IntentId, JobId, ThreadId};
use crate::domain::job::{JobControl, JobState, NewJob};
use crate::domain::payload::BadPayload;
use crate::store::query::{
    AttemptFilter, AuditFilter, IntentFilter, LetterFilter, Page, PageRequest, ThreadFilter,
};
use crate::wire::errors::Problem;

/// An answer that takes a while.
pub type Answer<'desk, T> = Pin<Box<dyn Future<Output = Result<T, DeskError>> + Send + 'desk>>;

/// The operator's side of a broker, here or elsewhere.
pub trait Desk: Send + Sync + std::fmt::Debug {
    /// Who is on the other side, and what this desk may do.
    fn hello(&self) -> Answer<'_, Hello>;

    /// The numbers of the overview.
    fn overview(&self) -> Answer<'_, Overview>;

    /// A page of intents, newest first.
    fn intents(&self, filter: IntentFilter, page: PageRequest) -> Answer<'_, Page<IntentRow>>;

    /// One intent with its timeline, its attempts and its payload.
    fn intent(&self, id: IntentId) -> Answer<'_, IntentView>;

    /// A page of attempts, newest first.
    fn attempts(&self, filter: AttemptFilter, page: PageRequest) -> Answer<'_, Page<AttemptRow>>;

    /// A page of dead letters, newest first.
    fn letters(&self, filter: LetterFilter, page: PageRequest) -> Answer<'_, Page<LetterRow>>;

    /// Groups of open dead letters, largest first.
    fn letter_groups(&self, filter: LetterFilter) -> Answer<'_, Vec<LetterGroupRow>>;

    /// A page of tasks and threads.
    fn tasks(&self, filter: ThreadFilter, page: PageRequest) -> Answer<'_, Page<TaskRow>>;

    /// One thread with its timeline.
    fn thread(&self, id: ThreadId) -> Answer<'_, ThreadView>;

    /// Every agent.
    fn agents(&self) -> Answer<'_, Vec<AgentRow>>;

    /// What became of an agent's attempts lately, and how it is served.
    fn agent(&self, address: Address) -> Answer<'_, AgentView>;

    /// Everything that is held and not final.
    fn held(&self) -> Answer<'_, Vec<HeldRow>>;

    /// What was committed after a cursor (none: after now), at the latest when `wait_ms` have passed.
    /// Bounded: when more has happened than one answer holds, the next call brings the rest.
    fn feed(&self, since: Option<Cursor>, wait_ms: u64) -> Answer<'_, FeedPage>;

    /// A page of the audit log, newest first. A page may be short, or empty, and still have a next one.
    fn audit(&self, filter: AuditFilter, page: PageRequest) -> Answer<'_, Page<AuditRow>>;

    /// A page of jobs, newest first; of one state, or of all.
    fn jobs(&self, state: Option<JobState>, page: PageRequest) -> Answer<'_, Page<JobRow>>;

    /// One job with a page of its items.
    fn job(&self, id: JobId, page: PageRequest) -> Answer<'_, JobView>;

    /// What a job would do, without doing it.
    fn plan_job(&self, job: NewJob) -> Answer<'_, JobPlan>;

    /// Starts a job. Answers when it is durable; it goes on without us.
    fn start_job(&self, job: NewJob) -> Answer<'_, JobRow>;

    /// Pauses, resumes or cancels a job.
    fn control_job(&self, id: JobId, control: JobControl) -> Answer<'_, JobRow>;

    /// Does something. Answers when it is durable.
    fn act(&self, act: Act) -> Answer<'_, Done>;
}

/// A piece of the feed: the newest of what was committed, and those before that somebody may wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// The items, in order.
    pub rows: Vec<FeedRow>,
    /// How many are left out, as there were more than anybody can read.
    pub skipped: u64,
    /// Where to go on.
    pub next: Cursor,
    /// The last position there is.
    pub head: Cursor,
}

impl FeedPage {
    /// How many items came, shown or left out.
    #[must_use]
    pub fn count(&self) -> u64 {
        let shown = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        shown.saturating_add(self.skipped)
    }
}

/// Why a desk has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// The broker said no: its code and its sentence.
    #[error("{message}")]
    Refused {
        /// The code of the wire's error table.
        code: String,
        /// The sentence for people.
        message: String,
        /// More: who decided, what is allowed, ... as the wire gives it.
        details: serde_json::Value,
    },
    /// The broker cannot be reached.
    #[error("reach broker at {url}: {reason}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The broker does not take this key.
    #[error("broker at {url} does not accept this key; hint: set POSTROOM_KEY")]
    Unauthorised {
        /// Where it is.
        url: String,
    },
    /// The broker is busy or stopping; trying again helps.
    #[error("{0}")]
    Busy(String),
    /// The answer makes no sense: another version, or a fault.
    #[error("{0}")]
    Fault(String),
}

impl From<Problem> for DeskError {
    fn from(problem: Problem) -> Self {
        Self::Refused {
            code: problem.code,
            message: problem.message,
            details: problem.details,
        }
    }
}

/// What the HTTP API says to a body that is no object.
fn not_an_object(error: &BadPayload) -> DeskError {
    match error {
        BadPayload::NotJson(_) => Problem::new("malformed_json", error.to_string()),
        BadPayload::NotObject => Problem::new("schema_invalid", "body must be a JSON object"),
    }
    .into()
}

/// A broker found through its data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it listens.
    pub url: String,
    /// The administrator's key, when we may read it.
    pub key: Option<String>,
}

/// The broker that owns this data directory, as its files tell: `address` and `admin.key`. None when
/// there is no address; whether it still runs is for the first call to see.
#[must_use]
pub fn find_broker(data_dir: &Path) -> Option<Found> {
    let line = |name: &str| {
        let text = std::fs::read_to_string(data_dir.join(name)).ok()?;
        let line = text.lines().next()?.trim().to_owned();
        (!line.is_empty()).then_some(line)
    };
    Some(Found {
        url: reachable(&line("address")?),
        key: line("admin.key"),
    })
}

/// A broker that listens on every address of its machine is reached over loopback.
fn reachable(address: &str) -> String {
    let spelled = if address.contains("://") {
        address.to_owned()
    } else {
        format!("http://{address}")
    };
    spelled
        .replacen("://0.0.0.0:", "://127.0.0.1:", 1)
        .replacen("://[::]:", "://[::1]:", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_broker_is_found_by_the_files_it_leaves() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(find_broker(directory.path()), None);
        std::fs::write(directory.path().join("address"), "0.0.0.0:8123\n").unwrap();
        let found = find_broker(directory.path()).unwrap();
        assert_eq!(
            (found.url.as_str(), found.key),
            ("http://127.0.0.1:8123", None)
        );
        std::fs::write(directory.path().join("admin.key"), "axme_sa_sa_1_x\n").unwrap();
        std::fs::write(directory.path().join("address"), "https://[::]:1\n").unwrap();
        let found = find_broker(directory.path()).unwrap();
        assert_eq!(found.url, "https://[::1]:1");
        assert_eq!(found.key.as_deref(), Some("axme_sa_sa_1_x"));
    }
}
