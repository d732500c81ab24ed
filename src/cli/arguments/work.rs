//! Verbs that run something, send, receive, or watch.

use std::path::PathBuf;

use clap::Args;

use super::{ConsoleFlags, Export};

/// `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArguments {
    /// Keep everything in memory: gone when this stops.
    #[arg(long = "ephemeral", id = "serve_ephemeral")]
    pub is_ephemeral: bool,
}

/// `attach`.
#[derive(Debug, Clone, Args)]
pub struct AttachArguments {
    /// The broker; without it, the one of the data directory.
    #[arg(value_name = "URL", id = "broker_url")]
    pub broker: Option<String>,
    /// What goes with the console.
    #[command(flatten)]
    pub console: ConsoleFlags,
}

/// `send`.
#[derive(Debug, Clone, Args)]
pub struct SendArguments {
    /// The type, such as intent.order.process.v1.
    #[arg(value_name = "TYPE")]
    pub intent_type: String,
    /// The receiver, such as orders or `agent://local/default/orders`.
    #[arg(value_name = "TO")]
    pub to: String,
    /// What it carries: JSON, @file, or - for standard input.
    #[arg(long, short = 'p', value_name = "JSON|@FILE|-")]
    pub payload: Option<String>,
    /// Wait for the end and print the result; any end but COMPLETED is exit code 1.
    #[arg(long, short = 'w')]
    pub wait: bool,
    /// Give up waiting after this many seconds; 0 waits for ever.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, requires = "wait")]
    pub timeout: u64,
    /// Idempotency key: the same key and content give the same intent.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Whose inbox gets the completion.
    #[arg(long, value_name = "ADDRESS")]
    pub reply_to: Option<String>,
    /// When it is too late: a time such as 2026-04-11T10:00:00Z, or from now such as 30s, 10m, 2h.
    #[arg(long, value_name = "TIME")]
    pub deadline: Option<String>,
    /// Attempts, the first included.
    #[arg(long, value_name = "N")]
    pub max_attempts: Option<u32>,
    /// Ask a person: title, description, `task_type`, `allowed_outcomes`, `required_comment`, ...
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub human_task: Option<String>,
    /// Correlation id, a UUID.
    #[arg(long, value_name = "UUID")]
    pub correlation: Option<String>,
    /// In whose name; needs an admin key.
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,
}

/// How an agent of the command line answers.
#[derive(Debug, Clone, Args)]
#[group(id = "handler", required = false)]
pub struct Handler {
    /// Run this shell command per intent: payload on standard input, result (JSON) on standard output.
    /// Exit code 75 gives the intent back for another attempt, any other but 0 fails it.
    #[arg(long, value_name = "CMD", conflicts_with = "echo")]
    pub exec: Option<String>,
    /// Answer with the payload itself.
    #[arg(long)]
    pub echo: bool,
    /// Share of the intents to give back for another attempt, 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub fail_rate: f64,
    /// Milliseconds to wait before each answer.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub delay: u64,
}

/// `listen`.
#[derive(Debug, Clone, Args)]
pub struct ListenArguments {
    /// Whose intents.
    pub address: String,
    /// How to answer; without any of these, intents are printed and left unanswered.
    #[command(flatten)]
    pub handler: Handler,
    /// Intents at work at once.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub workers: u32,
    /// Stop after this many intents.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
}

/// `poll`.
#[derive(Debug, Clone, Args)]
pub struct PollArguments {
    /// Whose intents.
    pub address: String,
    /// How to answer; without any of these, intents are printed and left to their lease.
    #[command(flatten)]
    pub handler: Handler,
    /// Most intents of one fetch.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub limit: u32,
    /// Fetch once, do not wait for more.
    #[arg(long)]
    pub once: bool,
}

/// `events`.
#[derive(Debug, Clone, Args)]
pub struct EventsArguments {
    /// Go on with what happens from now.
    #[arg(long, short = 'f')]
    pub follow: bool,
    /// Start after this position of the feed; without it, near its end.
    #[arg(long, value_name = "CURSOR")]
    pub since: Option<u64>,
    /// Only these types, between commas; a trailing * matches any rest.
    #[arg(long, value_name = "TYPES")]
    pub types: Option<String>,
    /// Only of this intent.
    #[arg(long, value_name = "ID")]
    pub intent: Option<String>,
    /// Most rows without --follow: 50, with --format all from --since or the oldest on.
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// For programs.
    #[command(flatten)]
    pub export: Export,
}

/// `demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArguments {
    /// No console: print what goes on now and then.
    #[arg(long)]
    pub headless: bool,
    /// Stop by itself after this many seconds.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Keep the scratch directory and say where it is. One that --data names is empty before and always kept.
    #[arg(long)]
    pub keep: bool,
    /// How much traffic, times the usual.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub rate: f64,
    /// What goes with the console.
    #[command(flatten)]
    pub console: ConsoleFlags,
}

/// `bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchArguments {
    /// Make the scratch directory in this one, on the disk that counts; beside the data directory when missing.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Seconds of measuring, shared by everything that is measured and its three rounds.
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Only what has one of these words in its name, between commas, and its ceilings: disk, accepts, cycles,
    /// latency, stream, ...
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    pub only: Vec<String>,
}

/// `config`.
#[derive(Debug, Clone, Args)]
pub struct ConfigArguments {
    /// Print a commented file with every key and its default instead.
    #[arg(long)]
    pub template: bool,
}

/// `man`.
#[derive(Debug, Clone, Args)]
pub struct ManArguments {
    /// Write the page of each verb into this directory, such as `/usr/local/share/man/man1`.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArguments {
    /// The shell.
    pub shell: clap_complete::Shell,
}
