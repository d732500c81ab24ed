//! What the reducer asks for, and what comes back. Plain data: `feed` and the loop do the work.

use crate::clock::Mono;
use crate::console::export::Format;
use crate::console::model::comparing::With;
use crate::desk::act::{Act, Done};
use crate::desk::rows::agents::AgentView;
use crate::desk::rows::jobs::{AuditRow, JobPlan, JobRow, JobView};
use crate::desk::rows::{
    AgentRow, AttemptRow, HeldRow, Hello, IntentRow, IntentView, LetterGroupRow, LetterRow,
    Overview, TaskRow, ThreadView,
};
use crate::desk::{DeskError, FeedPage};
use crate::domain::address::Address;
use crate::domain::ids::{IntentId, JobId, ThreadId};
use crate::domain::job::{JobControl, NewJob};
use crate::domain::time::Timestamp;
use crate::store::query::{
    AttemptFilter, AuditFilter, IntentFilter, LetterFilter, Page, PageRequest, ThreadFilter,
};

/// When something happened, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Moment {
    /// The wall clock, for what is shown.
    pub(crate) wall: Timestamp,
    /// The monotonic clock, for how long something took.
    pub(crate) mono: Mono,
}

impl Moment {
    /// Milliseconds from `earlier` to here.
    pub(crate) fn millis_since(self, earlier: Mono) -> u64 {
        u64::try_from(self.mono.since(earlier).as_millis()).unwrap_or(u64::MAX)
    }
}

/// A question to the desk. The answer carries it back, so that an old one is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Query {
    /// Who is on the other side.
    Hello,
    /// The numbers.
    Overview,
    /// What is staged.
    Held,
    /// Every agent.
    Agents,
    /// A page of tasks.
    Tasks(ThreadFilter, PageRequest),
    /// Open tasks, for notices while another desk is on the screen.
    OpenTasks(ThreadFilter, PageRequest),
    /// One thread.
    Thread(ThreadId),
    /// A page of intents.
    Intents(IntentFilter, PageRequest),
    /// One intent.
    Intent(IntentId),
    /// Everything of the same origin or correlation as an intent.
    Family {
        /// The intent that is open.
        of: IntentId,
        /// Its first ancestor.
        origin: IntentId,
        /// Its correlation.
        correlation: String,
    },
    /// The intents whose id ends or starts with a text.
    Find(String),
    /// A page of attempts.
    Attempts(AttemptFilter, PageRequest),
    /// The newest attempts of an agent.
    AgentAttempts(Address),
    /// What became of an agent's attempts lately.
    Agent(Address),
    /// Groups of dead letters.
    Groups(LetterFilter),
    /// A page of dead letters.
    Letters(LetterFilter, PageRequest),
    /// A page of jobs.
    Jobs(PageRequest),
    /// One job.
    Job(JobId),
    /// An intent, and what it is compared with.
    Pair(IntentId, With),
    /// One intent, for the editor.
    Source(IntentId),
    /// What a job would do.
    Plan(Box<NewJob>),
    /// A page of the audit log.
    Audit(AuditFilter, PageRequest),
}

/// The answer to a [`Query`].
#[derive(Debug)]
pub(crate) enum Reply {
    /// To [`Query::Hello`].
    Hello(Box<Hello>),
    /// To [`Query::Overview`].
    Overview(Box<Overview>),
    /// To [`Query::Held`].
    Held(Vec<HeldRow>),
    /// To [`Query::Agents`].
    Agents(Vec<AgentRow>),
    /// To [`Query::Tasks`] and [`Query::OpenTasks`].
    Tasks(Page<TaskRow>),
    /// To [`Query::Thread`].
    Thread(Box<ThreadView>),
    /// To [`Query::Intents`] and [`Query::Find`].
    Intents(Page<IntentRow>),
    /// To [`Query::Family`].
    Family(Vec<IntentRow>),
    /// To [`Query::Pair`].
    Pair(Box<Pair>),
    /// To [`Query::Intent`] and [`Query::Source`].
    Intent(Box<IntentView>),
    /// To [`Query::Attempts`] and [`Query::AgentAttempts`].
    Attempts(Page<AttemptRow>),
    /// To [`Query::Agent`].
    Agent(Box<AgentView>),
    /// To [`Query::Groups`].
    Groups(Vec<LetterGroupRow>),
    /// To [`Query::Letters`].
    Letters(Page<LetterRow>),
    /// To [`Query::Jobs`].
    Jobs(Page<JobRow>),
    /// To [`Query::Job`].
    Job(Box<JobView>),
    /// To [`Query::Plan`].
    Plan(JobPlan),
    /// To [`Query::Audit`].
    Audit(Page<AuditRow>),
}

/// An intent beside another one.
#[derive(Debug)]
pub(crate) struct Pair {
    /// The one that was asked for.
    pub(crate) this: IntentView,
    /// What it is compared with; none when there is no such intent.
    pub(crate) other: Option<IntentView>,
}

/// What is asked of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// A new one.
    Start(Box<NewJob>),
    /// One that runs.
    Control(JobId, JobControl),
}

/// Names one act, so that its answer finds the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ticket(pub(crate) u64);

/// What is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExportOf {
    /// Tasks.
    Tasks(ThreadFilter),
    /// Intents.
    Intents(IntentFilter),
    /// Attempts.
    Attempts(AttemptFilter),
    /// Groups of dead letters.
    Groups(LetterFilter),
    /// Dead letters.
    Letters(LetterFilter),
    /// Agents.
    Agents,
    /// Jobs.
    Jobs,
    /// The audit log.
    Audit(AuditFilter),
}

impl ExportOf {
    /// Its name on record.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Tasks(_) => "inbox",
            Self::Intents(_) => "intents",
            Self::Attempts(_) => "attempts",
            Self::Groups(_) => "groups",
            Self::Letters(_) => "letters",
            Self::Agents => "agents",
            Self::Jobs => "jobs",
            Self::Audit(_) => "audit",
        }
    }
}

/// An export as it was ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExportOrder {
    /// What.
    pub(crate) of: ExportOf,
    /// Of these only; empty means all.
    pub(crate) only: Vec<IntentId>,
    /// How rows are written.
    pub(crate) format: Format,
    /// Where to.
    pub(crate) path: String,
    /// The filter line, for the record.
    pub(crate) filter: String,
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exported {
    /// Rows in the file.
    pub(crate) rows: u64,
    /// Whether there are more than a file may have.
    pub(crate) is_cut: bool,
    /// The whole path.
    pub(crate) shown: String,
}

/// Work that the reducer wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Task {
    /// Ask the desk.
    Read(Box<Query>),
    /// Let the desk act.
    Act(Ticket, Box<Act>),
    /// Order a job, or control one.
    Order(Ticket, Order),
    /// Write rows to a file.
    Export(Box<ExportOrder>),
    /// Let the operator's editor have a text.
    Edit(String),
    /// Put a text on the clipboard.
    Copy(String),
    /// Draw every cell again.
    Redraw,
    /// Begin the record of the session, or end it.
    Record,
    /// Hand the screen back for a while.
    Suspend,
    /// Take the screen again.
    Return,
    /// Ring.
    Bell,
    /// Let the terminal tell somebody who looks elsewhere.
    Notify(String),
    /// End the console.
    Quit,
}

/// What the feed brings.
#[derive(Debug)]
pub(crate) enum News {
    /// An answer of the desk.
    Answer(Box<Query>, Box<Result<Reply, DeskError>>),
    /// What an act did.
    Done(Ticket, Result<Done, DeskError>),
    /// What became of an export.
    Exported(String, Result<Exported, DeskError>),
    /// What became of an order.
    Ordered(Ticket, Box<Result<JobRow, DeskError>>),
    /// What was committed, or why we do not know.
    Feed(Result<FeedPage, DeskError>),
}
