//! Verbs about people and about what asks them.

use clap::{Args, Subcommand};

use super::{DecisionArguments, Export, Window, examples};

/// `tasks decide`, `inbox decide`.
#[derive(Debug, Clone, Args)]
pub struct DecideArguments {
    /// The outcome, such as approved.
    #[arg(long, value_name = "NAME")]
    pub outcome: String,
    /// A field of its form, or evidence; may be repeated. Words that the form wants as numbers become numbers.
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub fields: Vec<String>,
    /// All fields at once: JSON, @file, or - for standard input.
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub form: Option<String>,
    /// On what, and how.
    #[command(flatten)]
    pub decision: DecisionArguments,
}

/// `tasks delegate`, `inbox delegate`.
#[derive(Debug, Clone, Args)]
pub struct DelegateArguments {
    /// The task's thread, or its intent.
    pub id: String,
    /// To whom; its owner goes on seeing it and may decide.
    #[arg(long, value_name = "ADDRESS")]
    pub to: String,
    /// The words with it.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// The version that was seen; a newer one refuses.
    #[arg(long, value_name = "N")]
    pub task_version: Option<u32>,
}

/// `tasks ...`.
#[derive(Debug, Subcommand)]
pub enum TasksVerb {
    /// List open tasks, soonest due first.
    List {
        /// Only those that this person may decide.
        #[arg(long, value_name = "ADDRESS")]
        owner: Option<String>,
        /// Most rows.
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
        /// For programs.
        #[command(flatten)]
        export: Export,
    },
    /// Show one with its form, its payload and what has been said.
    Show {
        /// The task's intent, its run, or its thread.
        id: String,
    },
    /// Decide one.
    #[command(after_help = examples::TASKS_DECIDE)]
    Decide(DecideArguments),
    /// Say something in its thread.
    Reply {
        /// The task's intent, its run, or its thread.
        id: String,
        /// The words.
        message: String,
    },
    /// Hand one to somebody else as well.
    Delegate(DelegateArguments),
}

/// `scenarios ...`.
#[derive(Debug, Subcommand)]
pub enum ScenariosVerb {
    /// Check a bundle; nothing happens.
    Validate {
        /// The bundle, JSON; - for standard input.
        file: String,
    },
    /// Make its agents where they are missing, and run it.
    #[command(after_help = examples::SCENARIOS_APPLY)]
    Apply {
        /// The bundle, JSON; - for standard input.
        file: String,
        /// Follow the run to its end, an event a line; any end but COMPLETED is exit code 1.
        #[arg(long, short = 'w')]
        watch: bool,
        /// Idempotency key: the same key and content give the same run.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

/// `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArguments {
    /// The intent.
    pub id: String,
}

/// `inbox ...`.
#[derive(Debug, Subcommand)]
pub enum InboxVerb {
    /// List questions that wait for a person.
    List {
        /// Only of this inbox.
        #[arg(long, value_name = "ADDRESS")]
        owner: Option<String>,
        /// Answered ones and completions as well.
        #[arg(long)]
        all: bool,
        /// How much.
        #[command(flatten)]
        window: Window,
    },
    /// Show one with what has been said.
    Show {
        /// The thread, or its intent.
        id: String,
    },
    /// Say yes: the first positive outcome.
    Approve(DecisionArguments),
    /// Say no: the negative outcome.
    Reject(DecisionArguments),
    /// Choose an outcome by its name.
    Decide(DecideArguments),
    /// Say something; on a question without a form it is the answer.
    Reply {
        /// The thread, or its intent.
        id: String,
        /// The words.
        message: String,
    },
    /// Hand one to somebody else as well.
    Delegate(DelegateArguments),
    /// Take one: hand it to oneself.
    Take {
        /// The thread, or its intent.
        id: String,
        /// In whose name; the key's own otherwise.
        #[arg(long = "as", value_name = "ADDRESS")]
        owner: Option<String>,
    },
}
