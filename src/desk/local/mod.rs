//! The desk over the broker in this process.
//!
//! 1. Reads run on the broker's reader threads, acts on its writer; nothing here blocks.
//! 2. An act carries the identity and the way it came by (`console`, `cli`) into the audit log.
//! 3. What the HTTP API refuses is refused here, with the same code and the same details.
//!
//! Not here: the derivations that both desks share (`desk::convert`).
//! Tested by the suite of `tests/desk.rs`.

mod act;
mod agents;
mod feed;
mod jobs;
mod numbers;
mod read;

use crate::broker::Broker;
use crate::broker::request::BrokerError;
use crate::config::Config;
use crate::domain::address::Address;
use crate::domain::ids::{Cursor, IntentId, JobId, ThreadId};
use crate::domain::job::{JobControl, JobState, NewJob};
use crate::domain::time::Span;
use crate::domain::via::Via;
use crate::store::error::StoreError;
use crate::store::query::{
    AttemptFilter, AuditFilter, IntentFilter, LetterFilter, Page, PageRequest, ThreadFilter,
};
use crate::wire::errors::Problem;

use super::act::{Act, Done};
use super::rows::agents::AgentView;
use super::rows::jobs::{AuditRow, JobPlan, JobRow, JobView};
use super::rows::{
    AgentRow, AttemptRow, HeldRow, Hello, IntentRow, IntentView, LetterGroupRow, LetterRow,
    Overview, RetryRule, TaskRow, ThreadView,
};
use super::{Answer, Desk, DeskError, FeedPage};

/// Who sits at the desk, and what the broker cannot know.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// Who acts: the operator's address.
    pub identity: Address,
    /// Through what, for the audit log and decisions.
    pub via: Via,
    /// The label of the environment; empty when none is configured.
    pub environment: String,
    /// True when acts on many have to be confirmed by typing their count, however few they are.
    pub is_protected: bool,
    /// How long acts are held by default.
    pub hold: Span,
    /// True when nothing may be done from here.
    pub is_read_only: bool,
    /// Most bytes of a payload as compact JSON.
    pub payload_bytes_max: usize,
    /// True when only registered addresses may be sent to.
    pub is_strict: bool,
}

impl LocalOptions {
    /// What the configuration says, for this operator.
    #[must_use]
    pub fn of(config: &Config, identity: Address, via: Via) -> Self {
        Self {
            identity,
            via,
            environment: config.env.name.clone(),
            is_protected: config.env.is_protected,
            hold: config.undo_hold,
            is_read_only: false,
            payload_bytes_max: config.limits.payload_bytes,
            is_strict: config.is_strict_about_addresses,
        }
    }
}

/// The desk over the broker in this process.
#[derive(Debug, Clone)]
pub struct LocalDesk {
    broker: Broker,
    options: LocalOptions,
    tap: feed::Tap,
}

impl LocalDesk {
    /// A desk at this broker.
    #[must_use]
    pub fn new(broker: Broker, options: LocalOptions) -> Self {
        Self {
            broker,
            options,
            tap: feed::Tap::default(),
        }
    }

    fn must_write(&self) -> Result<(), Problem> {
        if self.options.is_read_only {
            return Err(Problem::new("forbidden", "this desk is read-only"));
        }
        Ok(())
    }
}

impl Desk for LocalDesk {
    fn hello(&self) -> Answer<'_, Hello> {
        Box::pin(async move {
            let registry = self.broker.registry();
            let hold_seconds = u32::try_from(self.options.hold.as_seconds()).unwrap_or(u32::MAX);
            Ok(Hello {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                storage: self.broker.store_kind().to_owned(),
                environment: self.options.environment.clone(),
                identity: self.options.identity.clone(),
                may_write: !self.options.is_read_only,
                place: "embedded".to_owned(),
                org: registry.home.org.clone(),
                workspace: registry.home.workspace.clone(),
                hold_seconds,
                is_protected: self.options.is_protected,
                retry: RetryRule::of(&self.broker.settings().policy),
                letters_kept: self.broker.settings().policy.retention.dead_letters,
            })
        })
    }

    fn overview(&self) -> Answer<'_, Overview> {
        Box::pin(numbers::overview(&self.broker))
    }

    fn intents(&self, filter: IntentFilter, page: PageRequest) -> Answer<'_, Page<IntentRow>> {
        Box::pin(read::intents(&self.broker, filter, page))
    }

    fn intent(&self, id: IntentId) -> Answer<'_, IntentView> {
        Box::pin(read::intent(&self.broker, id))
    }

    fn attempts(&self, filter: AttemptFilter, page: PageRequest) -> Answer<'_, Page<AttemptRow>> {
        Box::pin(read::attempts(&self.broker, filter, page))
    }

    fn letters(&self, filter: LetterFilter, page: PageRequest) -> Answer<'_, Page<LetterRow>> {
        Box::pin(read::letters(&self.broker, filter, page))
    }

    fn letter_groups(&self, filter: LetterFilter) -> Answer<'_, Vec<LetterGroupRow>> {
        Box::pin(read::letter_groups(&self.broker, filter))
    }

    fn tasks(&self, filter: ThreadFilter, page: PageRequest) -> Answer<'_, Page<TaskRow>> {
        Box::pin(read::tasks(&self.broker, filter, page))
    }

    fn thread(&self, id: ThreadId) -> Answer<'_, ThreadView> {
        Box::pin(read::thread(&self.broker, id))
    }

    fn agents(&self) -> Answer<'_, Vec<AgentRow>> {
        Box::pin(numbers::agents(&self.broker))
    }

    fn agent(&self, address: Address) -> Answer<'_, AgentView> {
        Box::pin(async move { numbers::agent(&self.broker, &address) })
    }

    fn held(&self) -> Answer<'_, Vec<HeldRow>> {
        Box::pin(read::held(&self.broker))
    }

    fn feed(&self, since: Option<Cursor>, wait_ms: u64) -> Answer<'_, FeedPage> {
        Box::pin(self.tap.feed(&self.broker, since, wait_ms))
    }

    fn audit(&self, filter: AuditFilter, page: PageRequest) -> Answer<'_, Page<AuditRow>> {
        Box::pin(read::audit(&self.broker, filter, page))
    }

    fn jobs(&self, state: Option<JobState>, page: PageRequest) -> Answer<'_, Page<JobRow>> {
        Box::pin(jobs::list(&self.broker, state, page))
    }

    fn job(&self, id: JobId, page: PageRequest) -> Answer<'_, JobView> {
        Box::pin(jobs::show(&self.broker, id, page))
    }

    fn plan_job(&self, job: NewJob) -> Answer<'_, JobPlan> {
        Box::pin(jobs::plan(&self.broker, job))
    }

    fn start_job(&self, job: NewJob) -> Answer<'_, JobRow> {
        Box::pin(async move {
            self.must_write()?;
            jobs::start(&self.broker, &self.options, job).await
        })
    }

    fn control_job(&self, id: JobId, control: JobControl) -> Answer<'_, JobRow> {
        Box::pin(async move {
            self.must_write()?;
            jobs::control(&self.broker, &self.options, id, control).await
        })
    }

    fn act(&self, act: Act) -> Answer<'_, Done> {
        Box::pin(async move {
            self.must_write()?;
            act::run(&self.broker, &self.options, act).await
        })
    }
}

impl From<BrokerError> for DeskError {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::StorageLow(_) => Problem::new("storage_low", error.to_string()).into(),
            BrokerError::Busy
            | BrokerError::Stopping
            | BrokerError::StorageFull
            | BrokerError::Store(StoreError::Full | StoreError::Slow { .. }) => {
                Self::Busy(error.to_string())
            }
            BrokerError::Store(StoreError::BadCursor(_)) => {
                let message = format!("{error}; hint: start without one");
                Problem::new("bad_cursor", message).into()
            }
            BrokerError::Store(fault) => Self::Fault(fault.to_string()),
            BrokerError::Refused(refusal) => Problem::from(&refusal).into(),
            BrokerError::Denied(denial) => denied(&denial).into(),
            BrokerError::KeyConflict => {
                Problem::new("idempotency_conflict", error.to_string()).into()
            }
        }
    }
}

fn denied(refusal: &crate::broker::request::AdminRefusal) -> Problem {
    Problem::new(refusal.code(), refusal.to_string())
}
