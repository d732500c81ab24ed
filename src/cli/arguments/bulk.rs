//! Jobs: one order about many intents.

use clap::{Args, Subcommand};

use super::{LetterSelection, Window, examples};

/// How a job goes about it.
#[derive(Debug, Clone, Args)]
pub struct BulkArguments {
    /// Do it. Without this, only say what would be done.
    #[arg(long)]
    pub apply: bool,
    /// Most intents.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u32,
    /// The newest first; the oldest otherwise.
    #[arg(long)]
    pub newest: bool,
    /// So many a second, between 0.1 and 1000.
    #[arg(long, value_name = "N")]
    pub rate: Option<f64>,
    /// Most unfinished replays at once.
    #[arg(long, value_name = "N")]
    pub in_flight: Option<u32>,
    /// So many first; the rest once they are all acknowledged or completed.
    #[arg(long, value_name = "N")]
    pub canary: Option<u32>,
    /// Pause when so many replays have died again; 0 means never.
    #[arg(long, value_name = "N")]
    pub stop_after: Option<u32>,
    /// Only what died, or was accepted, from this time on, such as 2026-04-11T10:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only what died, or was accepted, before this time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// `jobs start ...`.
#[derive(Debug, Clone, Args)]
pub struct StartJobArguments {
    /// What to do to each: replay, discard (dead letters) or cancel (unfinished intents).
    #[arg(value_parser = ["replay", "discard", "cancel"])]
    pub kind: String,
    /// To which.
    #[command(flatten)]
    pub selection: LetterSelection,
    /// Only from this sender; for cancels.
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,
    /// Only in this status; for cancels; may be repeated.
    #[arg(long, value_name = "STATUS")]
    pub status: Vec<String>,
    /// How.
    #[command(flatten)]
    pub bulk: BulkArguments,
    /// Another receiver; for replays.
    #[arg(long, value_name = "ADDRESS")]
    pub to: Option<String>,
    /// Why, for the record.
    #[arg(long, visible_alias = "reason", value_name = "TEXT")]
    pub why: Option<String>,
}

/// `jobs ...`.
#[derive(Debug, Subcommand)]
pub enum JobsVerb {
    /// List jobs, newest first.
    List {
        /// Their state: running, paused, done, canceled.
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// How much.
        #[command(flatten)]
        window: Window,
    },
    /// Show one, with what became of its intents.
    Show {
        /// The job, such as `job_1`.
        job: String,
        /// How much.
        #[command(flatten)]
        window: Window,
    },
    /// Follow one to its end, a line when it has moved.
    Watch {
        /// The job.
        job: String,
    },
    /// Start one; without --apply, only say what it would do.
    #[command(after_help = examples::JOBS_START)]
    Start(Box<StartJobArguments>),
    /// Stop one for now.
    Pause {
        /// The job.
        job: String,
    },
    /// Let one go on, also after its own rule has stopped it.
    Resume {
        /// The job.
        job: String,
    },
    /// End one; what it has done stays done.
    Cancel {
        /// The job.
        job: String,
    },
}
