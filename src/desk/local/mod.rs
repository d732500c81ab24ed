//! The desk over the broker in this process.
//!
//! 1. Reads run on the broker's reader threads, acts on its writer; nothing here blocks.
//! 2. An act carries the identity and the way it came by (`console`, `cli`) into the audit log.
//! 3. What the HTTP API refuses is refused here, with the same code and the same details.
//!
//! Not here: the derivations that both desks share (`desk::convert`).
//! Tested by the suite of `tests/desk.rs`.

mod act;
mod numbers;
mod read;

use crate::broker::Broker;
use crate::broker::request::BrokerError;
use crate::domain::address::Address;
use crate::domain::ids::{Cursor, IntentId, ThreadId};
use crate::domain::time::Span;
use crate::store::error::StoreError;
use crate::store::query::{
    AttemptFilter, IntentFilter, LetterFilter, Page, PageRequest, ThreadFilter,
};
use crate::wire::errors::Problem;

use super::act::{Act, Done};
use super::rows::{
    AgentRow, AttemptRow, HeldRow, Hello, IntentRow, IntentView, LetterGroupRow, LetterRow,
    Overview, TaskRow, ThreadView,
};
use super::{Answer, Desk, DeskError, FeedPage};

/// Who sits at the desk, and what the broker cannot know.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// Who acts: the operator's address.
    pub identity: Address,
    /// Through what, for the audit log: `console`, `cli`.
    pub via: String,
    /// The label of the environment; empty when none is configured.
    pub environment: String,
    /// How long acts are held by default.
    pub hold: Span,
    /// True when nothing may be done from here.
    pub is_read_only: bool,
}

/// The desk over the broker in this process.
#[derive(Debug, Clone)]
pub struct LocalDesk {
    broker: Broker,
    options: LocalOptions,
}

impl LocalDesk {
    /// A desk at this broker.
    #[must_use]
    pub const fn new(broker: Broker, options: LocalOptions) -> Self {
        Self { broker, options }
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

    fn held(&self) -> Answer<'_, Vec<HeldRow>> {
        Box::pin(read::held(&self.broker))
    }

    fn feed(&self, since: Option<Cursor>, wait_ms: u64) -> Answer<'_, FeedPage> {
        Box::pin(read::feed(&self.broker, since, wait_ms))
    }

    fn act(&self, act: Act) -> Answer<'_, Done> {
        Box::pin(async move {
            if self.options.is_read_only {
                return Err(refused(&Problem::new(
                    "forbidden",
                    "this desk is read-only",
                )));
            }
            act::run(&self.broker, &self.options, act).await
        })
    }
}

fn refused(problem: &Problem) -> DeskError {
    DeskError::Refused {
        code: problem.code.clone(),
        message: problem.message.clone(),
        details: problem.details.clone(),
    }
}

impl From<BrokerError> for DeskError {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Busy
            | BrokerError::Stopping
            | BrokerError::Store(StoreError::Slow { .. }) => Self::Busy(error.to_string()),
            BrokerError::Store(StoreError::BadCursor(_)) => {
                refused(&Problem::new("bad_cursor", error.to_string()))
            }
            BrokerError::Store(fault) => Self::Fault(fault.to_string()),
            BrokerError::Refused(refusal) => refused(&Problem::from(&refusal)),
            BrokerError::Denied(denial) => refused(&denied(&denial)),
            BrokerError::KeyConflict => {
                refused(&Problem::new("idempotency_conflict", error.to_string()))
            }
        }
    }
}

fn denied(refusal: &crate::broker::request::AdminRefusal) -> Problem {
    use crate::broker::request::AdminRefusal;
    let code = match refusal {
        AdminRefusal::NoAccount(_) => "account_not_found",
        AdminRefusal::NoKey(_) => "key_not_found",
        AdminRefusal::NoAgent(_) => "agent_not_found",
        AdminRefusal::AddressTaken(_) => "address_taken",
        AdminRefusal::NoCallback => "schema_invalid",
    };
    Problem::new(code, refusal.to_string())
}
