//! Jobs: one operator's order about many intents, worked off by the broker.

use crate::domain::address::Address;
use crate::domain::failure::{DeadReason, ErrorClass};
use crate::domain::ids::{IntentId, JobId};
use crate::domain::status::Status;
use crate::domain::time::{Span, Timestamp};

/// What is done to each intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// Replay a dead letter.
    Replay,
    /// Put a dead letter aside.
    Discard,
    /// Withdraw an unfinished intent.
    Cancel,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Replay, Self::Discard, Self::Cancel];

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Discard => "discard",
            Self::Cancel => "cancel",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobState {
    /// It goes on by itself.
    Running,
    /// Somebody, or its own rule, has stopped it for now.
    Paused,
    /// Nothing is left to do.
    Done,
    /// Somebody has ended it; what it has done stays done.
    Canceled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Running, Self::Paused, Self::Done, Self::Canceled];

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Canceled => "canceled",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// True when nothing can change it again.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Done | Self::Canceled)
    }
}

/// What an operator does to a job that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobControl {
    /// Stop for now.
    Pause,
    /// Go on, also after the job's own rule has stopped it.
    Resume,
    /// End it; what it has done stays done.
    Cancel,
}

impl JobControl {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }
}

/// In which order the intents are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum JobOrder {
    /// What died, or was accepted, first.
    #[default]
    Oldest,
    /// What died, or was accepted, last.
    Newest,
}

impl JobOrder {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oldest => "oldest",
            Self::Newest => "newest",
        }
    }

    /// The order of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Oldest, Self::Newest]
            .into_iter()
            .find(|order| order.name() == name)
    }
}

/// Which intents a job is about. Everything given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Their receiver.
    pub agent: Option<Address>,
    /// Their sender; for cancels.
    pub from: Option<Address>,
    /// Their type; a trailing `*` matches any rest.
    pub intent_type: Option<String>,
    /// Why they are dead letters.
    pub reason: Option<DeadReason>,
    /// The class of their last failure.
    pub error_class: Option<ErrorClass>,
    /// Their fingerprint, or its label.
    pub fingerprint: Option<String>,
    /// Dead, or accepted, at or after.
    pub since: Option<Timestamp>,
    /// Dead, or accepted, before.
    pub until: Option<Timestamp>,
    /// One of these statuses; for cancels; empty means any.
    pub statuses: Vec<Status>,
    /// These only; empty means any.
    pub intents: Vec<IntentId>,
    /// The replays of that job that have died again.
    pub failed_of: Option<JobId>,
}

/// How fast, and when to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Intents in a thousand seconds: 10000 is ten a second.
    pub per_1000_seconds: u32,
    /// Most unfinished replays at once.
    pub in_flight_max: u32,
    /// So many first; the rest when they are all acknowledged or completed. Zero means none.
    pub canary: u32,
    /// Pause when so many replays have died again. Zero means never.
    pub stop_after_failures: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            per_1000_seconds: 10_000,
            in_flight_max: 50,
            canary: 0,
            stop_after_failures: 20,
        }
    }
}

/// What each replay of a job is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplayTerms {
    /// The budget of attempts of each; none is the receiver's usual.
    pub max_attempts: Option<u32>,
    /// Also what was replayed before.
    pub is_forced: bool,
}

/// A job as an operator orders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// What is done.
    pub kind: JobKind,
    /// To which.
    pub selection: Selection,
    /// To how many at most.
    pub limit: u32,
    /// In which order.
    pub order: JobOrder,
    /// How fast.
    pub pace: Pace,
    /// Another receiver than the letters had; for replays.
    pub to: Option<Address>,
    /// What the replays are like.
    pub terms: ReplayTerms,
    /// Why, for the record. A discard needs one.
    pub reason: Option<String>,
}

impl NewJob {
    /// A job with the defaults of the contract.
    #[must_use]
    pub fn new(kind: JobKind, selection: Selection) -> Self {
        Self {
            kind,
            selection,
            limit: 100,
            order: JobOrder::default(),
            pace: Pace::default(),
            to: None,
            terms: ReplayTerms::default(),
            reason: None,
        }
    }
}

/// A job and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it does to each.
    pub kind: JobKind,
    /// Where it stands.
    pub state: JobState,
    /// Who ordered it.
    pub by: Address,
    /// Through what: `api`, `console`, `cli`.
    pub via: String,
    /// Why.
    pub reason: Option<String>,
    /// Which intents were asked for.
    pub selection: Selection,
    /// In which order.
    pub order: JobOrder,
    /// How fast.
    pub pace: Pace,
    /// Another receiver than the letters had.
    pub to: Option<Address>,
    /// Intents that matched when it was ordered: those taken and those left out.
    pub matched: u64,
    /// Why others were left out, and how many.
    pub left_out: Vec<(String, u64)>,
    /// What its replays are like.
    pub terms: ReplayTerms,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Intents that were selected when it was ordered.
    pub selected: u32,
    /// Of those, how many have had their turn.
    pub begun: u32,
    /// Replays that are unfinished.
    pub in_flight: u32,
    /// Of those, how many their receiver has acknowledged.
    pub acknowledged: u32,
    /// Done, and for replays completed as well.
    pub succeeded: u32,
    /// Replays that have died again.
    pub failed: u32,
    /// Nothing to do any more when their turn came, or withdrawn meanwhile.
    pub skipped: u32,
    /// Failures that an operator has seen and gone on after.
    pub forgiven: u32,
    /// True when the canary has done well, or an operator went on without it.
    pub is_canary_over: bool,
    /// Why it does not go on, while it is paused.
    pub stopped_because: Option<String>,
    /// Microseconds of the wall clock before which its pace allows nothing more.
    pub not_before_us: i64,
}

impl Job {
    /// Those whose outcome is known.
    #[must_use]
    pub const fn done(&self) -> u32 {
        self.begun.saturating_sub(self.in_flight)
    }

    /// How long it has been at work, or was.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Span {
        self.finished_at.unwrap_or(now).since(self.created_at)
    }

    /// True while the broker has to follow it.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        !self.state.is_finished() || self.in_flight > 0
    }
}

/// What became of one intent of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemOutcome {
    /// Replayed; the replay is unfinished.
    InFlight {
        /// True when its receiver has acknowledged it.
        is_acknowledged: bool,
    },
    /// Done, and a replay completed.
    Succeeded,
    /// The replay has died again.
    Failed,
    /// The replay was withdrawn.
    Withdrawn,
    /// There was nothing to do: the code of the refusal.
    Skipped {
        /// `already_replayed`, `dead_letter_closed`, `intent_terminal`, ...
        code: String,
    },
}

impl ItemOutcome {
    /// The word on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InFlight {
                is_acknowledged: false,
            } => "in_flight",
            Self::InFlight {
                is_acknowledged: true,
            } => "acknowledged",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
            Self::Skipped { .. } => "skipped",
        }
    }
}

/// One intent of a job that has had its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobItem {
    /// Its place in the job's selection, from 0.
    pub position: u32,
    /// The intent.
    pub intent: IntentId,
    /// The replay.
    pub new_intent: Option<IntentId>,
    /// What became of it.
    pub outcome: ItemOutcome,
}
