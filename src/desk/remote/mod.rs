//! The desk over the HTTP API of a broker elsewhere.
//!
//! 1. One request per question and per act; reads are tried once more when the connection broke, acts
//!    only when they cannot have arrived.
//! 2. Unreachable, not accepted and refused are three different answers.
//! 3. The feed is a long poll from a cursor: whoever asks again with the last cursor loses nothing.
//!
//! Not here: how JSON becomes rows (`desk::parse`).
//! Tested by the suite of `tests/desk.rs`, against a real API on a port of its own.

mod act;
mod jobs;
mod link;
mod read;

use crate::domain::address::Address;
use crate::domain::ids::{Cursor, IntentId, JobId, ThreadId};
use crate::domain::job::{JobControl, JobState, NewJob};
use crate::domain::time::Span;
use crate::store::query::{
    AttemptFilter, AuditFilter, IntentFilter, LetterFilter, Page, PageRequest, ThreadFilter,
};

use super::act::{Act, Done};
use super::rows::agents::AgentView;
use super::rows::jobs::{AuditRow, JobPlan, JobRow, JobView};
use super::rows::{
    AgentRow, AttemptRow, HeldRow, Hello, IntentRow, IntentView, LetterGroupRow, LetterRow,
    Overview, TaskRow, ThreadView,
};
use super::{Answer, Desk, DeskError, FeedPage};
use link::Link;

/// The desk over HTTP.
#[derive(Debug, Clone)]
pub struct RemoteDesk {
    link: Link,
    hold: Span,
}

impl RemoteDesk {
    /// A desk at the broker of this URL. Nothing is asked yet. `via` is for the audit log:
    /// `console`, `cli`.
    ///
    /// # Errors
    /// [`DeskError::Unreachable`] when the URL leads nowhere by its spelling alone.
    pub fn new(url: &str, key: &str, via: &str) -> Result<Self, DeskError> {
        Ok(Self {
            link: Link::new(url, key, via)?,
            hold: Span::from_seconds(5),
        })
    }

    /// The same with another default for how long acts are held.
    #[must_use]
    pub const fn with_hold(mut self, hold: Span) -> Self {
        self.hold = hold;
        self
    }
}

impl Desk for RemoteDesk {
    fn hello(&self) -> Answer<'_, Hello> {
        Box::pin(read::hello(&self.link, self.hold))
    }

    fn overview(&self) -> Answer<'_, Overview> {
        Box::pin(read::overview(&self.link))
    }

    fn intents(&self, filter: IntentFilter, page: PageRequest) -> Answer<'_, Page<IntentRow>> {
        Box::pin(read::intents(&self.link, filter, page))
    }

    fn intent(&self, id: IntentId) -> Answer<'_, IntentView> {
        Box::pin(read::intent(&self.link, id))
    }

    fn attempts(&self, filter: AttemptFilter, page: PageRequest) -> Answer<'_, Page<AttemptRow>> {
        Box::pin(read::attempts(&self.link, filter, page))
    }

    fn letters(&self, filter: LetterFilter, page: PageRequest) -> Answer<'_, Page<LetterRow>> {
        Box::pin(read::letters(&self.link, filter, page))
    }

    fn letter_groups(&self, filter: LetterFilter) -> Answer<'_, Vec<LetterGroupRow>> {
        Box::pin(read::letter_groups(&self.link, filter))
    }

    fn tasks(&self, filter: ThreadFilter, page: PageRequest) -> Answer<'_, Page<TaskRow>> {
        Box::pin(read::tasks(&self.link, filter, page))
    }

    fn thread(&self, id: ThreadId) -> Answer<'_, ThreadView> {
        Box::pin(read::thread(&self.link, id))
    }

    fn agents(&self) -> Answer<'_, Vec<AgentRow>> {
        Box::pin(read::agents(&self.link))
    }

    fn agent(&self, address: Address) -> Answer<'_, AgentView> {
        Box::pin(async move { read::agent(&self.link, &address).await })
    }

    fn held(&self) -> Answer<'_, Vec<HeldRow>> {
        Box::pin(read::held(&self.link))
    }

    fn feed(&self, since: Option<Cursor>, wait_ms: u64) -> Answer<'_, FeedPage> {
        Box::pin(read::feed(&self.link, since, wait_ms))
    }

    fn audit(&self, filter: AuditFilter, page: PageRequest) -> Answer<'_, Page<AuditRow>> {
        Box::pin(jobs::audit(&self.link, filter, page))
    }

    fn jobs(&self, state: Option<JobState>, page: PageRequest) -> Answer<'_, Page<JobRow>> {
        Box::pin(jobs::list(&self.link, state, page))
    }

    fn job(&self, id: JobId, page: PageRequest) -> Answer<'_, JobView> {
        Box::pin(jobs::show(&self.link, id, page))
    }

    fn plan_job(&self, job: NewJob) -> Answer<'_, JobPlan> {
        Box::pin(jobs::plan(&self.link, job))
    }

    fn start_job(&self, job: NewJob) -> Answer<'_, JobRow> {
        Box::pin(jobs::start(&self.link, job))
    }

    fn control_job(&self, id: JobId, control: JobControl) -> Answer<'_, JobRow> {
        Box::pin(jobs::control(&self.link, id, control))
    }

    fn act(&self, act: Act) -> Answer<'_, Done> {
        Box::pin(act::run(&self.link, act))
    }
}
