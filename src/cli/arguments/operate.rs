//! Verbs of an operator.

use clap::{Args, Subcommand};

use super::{BulkArguments, Export, Window, examples};

/// `intents ...`.
#[derive(Debug, Subcommand)]
pub enum IntentsVerb {
    /// List intents, newest first.
    List {
        /// Only these statuses, between commas; `pending` means unfinished.
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        /// Only to this agent.
        #[arg(long, value_name = "ADDRESS")]
        to: Option<String>,
        /// Only from this sender.
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
        /// Only of this type.
        #[arg(long = "type", value_name = "TYPE")]
        intent_type: Option<String>,
        /// Only with this correlation id.
        #[arg(long, value_name = "UUID")]
        correlation: Option<String>,
        /// Terms as in the console's filter line, such as `agent:orders status:FAILED age<1h`.
        #[arg(long, value_name = "TERMS")]
        filter: Option<String>,
        /// How much.
        #[command(flatten)]
        window: Window,
    },
    /// Show one with its events, attempts and payload.
    Show {
        /// The intent.
        id: String,
    },
    /// Withdraw unfinished intents.
    Cancel {
        /// The intents.
        #[arg(required = true)]
        ids: Vec<String>,
        /// Why, for the record.
        #[arg(long, visible_alias = "reason", value_name = "TEXT")]
        why: Option<String>,
    },
    /// Make waiting retries due at once.
    RetryNow {
        /// The intents.
        #[arg(required = true)]
        ids: Vec<String>,
        /// Why, for the record.
        #[arg(long, visible_alias = "reason", value_name = "TEXT")]
        why: Option<String>,
    },
}

/// `attempts ...`.
#[derive(Debug, Subcommand)]
pub enum AttemptsVerb {
    /// List attempts, newest first.
    List {
        /// Only of this intent.
        #[arg(long, value_name = "ID")]
        intent: Option<String>,
        /// Only to this agent.
        #[arg(long, value_name = "ADDRESS")]
        agent: Option<String>,
        /// Only over this binding: stream, poll, http, inbox, internal.
        #[arg(long, value_name = "BINDING")]
        binding: Option<String>,
        /// Only with this outcome.
        #[arg(long, value_name = "OUTCOME")]
        outcome: Option<String>,
        /// Only with this error class.
        #[arg(long, value_name = "CLASS")]
        error_class: Option<String>,
        /// Terms as in the console's filter line, such as `agent:orders outcome:failed`.
        #[arg(long, value_name = "TERMS")]
        filter: Option<String>,
        /// How much.
        #[command(flatten)]
        window: Window,
    },
}

/// A decision, held or at once.
#[derive(Debug, Clone, Args)]
pub struct DecisionArguments {
    /// The task's thread, or its intent.
    pub id: String,
    /// The words with it.
    #[arg(long, short = 'c', value_name = "TEXT")]
    pub comment: Option<String>,
    /// Hold it for this many seconds; `undo` takes it back until then.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub hold: u32,
    /// The version that was seen; a newer one refuses.
    #[arg(long, value_name = "N")]
    pub task_version: Option<u32>,
}

/// Which dead letters.
#[derive(Debug, Clone, Default, Args)]
pub struct LetterSelection {
    /// Only to this agent.
    #[arg(long, value_name = "ADDRESS")]
    pub agent: Option<String>,
    /// Only of this type.
    #[arg(long = "type", value_name = "TYPE")]
    pub intent_type: Option<String>,
    /// Only with this reason.
    #[arg(long, value_name = "REASON")]
    pub because: Option<String>,
    /// Only with this fingerprint.
    #[arg(long, value_name = "FINGERPRINT")]
    pub group: Option<String>,
    /// Terms as in the console's filter line, such as `agent:orders reason:attempts_exhausted age<1d`.
    #[arg(long, value_name = "TERMS")]
    pub filter: Option<String>,
}

/// `dead replay`.
#[derive(Debug, Clone, Args)]
pub struct ReplayArguments {
    /// The dead letters.
    #[arg(required_unless_present_any = ["matching", "filter"], conflicts_with = "filter")]
    pub ids: Vec<String>,
    /// Everything that matches, as a job; without --apply, only say what it would do.
    #[arg(long, conflicts_with_all = ["ids", "edit", "force", "hold"])]
    pub matching: bool,
    /// Which, as a job; --filter needs no --matching.
    #[command(flatten)]
    pub selection: LetterSelection,
    /// How, as a job.
    #[command(flatten)]
    pub bulk: BulkArguments,
    /// Another payload: JSON, @file, or - for standard input.
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub edit: Option<String>,
    /// Another receiver.
    #[arg(long, value_name = "ADDRESS")]
    pub to: Option<String>,
    /// Also when it has been replayed before.
    #[arg(long)]
    pub force: bool,
    /// Hold it for this many seconds; `undo` takes it back until then.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub hold: u32,
    /// Why, for the record.
    #[arg(long, visible_alias = "reason", value_name = "TEXT")]
    pub why: Option<String>,
}

/// `dead ...`.
#[derive(Debug, Subcommand)]
pub enum DeadVerb {
    /// List dead letters, newest first.
    List {
        /// Which.
        #[command(flatten)]
        selection: LetterSelection,
        /// Their state: open, replayed, discarded.
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// How much.
        #[command(flatten)]
        window: Window,
    },
    /// Group open dead letters that look alike, largest group first.
    Groups {
        /// Which.
        #[command(flatten)]
        selection: LetterSelection,
        /// For programs.
        #[command(flatten)]
        export: Export,
    },
    /// Show one with its attempts and payload.
    Show {
        /// The intent.
        id: String,
    },
    /// Replay dead letters as new intents.
    Replay(ReplayArguments),
    /// Put dead letters aside; their record stays.
    Discard(DiscardArguments),
    /// Compare one with the last success of its type and receiver, or with another intent.
    Diff {
        /// The intent.
        id: String,
        /// With this one instead.
        #[arg(long, value_name = "ID")]
        with: Option<String>,
    },
}

/// `dead discard`.
#[derive(Debug, Clone, Args)]
pub struct DiscardArguments {
    /// The dead letters.
    #[arg(required_unless_present = "filter", conflicts_with = "filter")]
    pub ids: Vec<String>,
    /// Everything that matches these terms, as a job; without --apply, only say what it would do.
    #[arg(long, value_name = "TERMS", conflicts_with = "hold")]
    pub filter: Option<String>,
    /// How, as a job.
    #[command(flatten)]
    pub bulk: BulkArguments,
    /// Why, for the record.
    #[arg(long, visible_alias = "reason", value_name = "TEXT")]
    pub why: String,
    /// Hold it for this many seconds; `undo` takes it back until then.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub hold: u32,
}

/// `audit`.
#[derive(Debug, Clone, Args)]
pub struct AuditArguments {
    /// Only actions that begin with this, such as `dead_letter.` or `key.create`.
    #[arg(long, value_name = "PREFIX")]
    pub action: Option<String>,
    /// Only what this party did, or what was done on its behalf.
    #[arg(long, value_name = "ADDRESS")]
    pub who: Option<String>,
    /// Only through this: api, console, cli.
    #[arg(long, value_name = "WAY")]
    pub via: Option<String>,
    /// Only targets that contain this.
    #[arg(long, value_name = "TEXT")]
    pub on: Option<String>,
    /// Only what was refused.
    #[arg(long)]
    pub refused: bool,
    /// Only from this time on, such as 2026-04-11T10:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only before this time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Terms as in the console's filter line, such as `who:ops action:dead_letter. is:refused`.
    #[arg(long, value_name = "TERMS")]
    pub filter: Option<String>,
    /// How much.
    #[command(flatten)]
    pub window: Window,
}

/// `undo`.
#[derive(Debug, Clone, Args)]
pub struct UndoArguments {
    /// The hold, such as `hld_3`.
    pub hold: String,
}

/// `agents add`.
#[derive(Debug, Clone, Args)]
pub struct AddArguments {
    /// Its name; a full address is taken as it is.
    pub name: String,
    /// How it receives: stream, poll, http, inbox.
    #[arg(long, value_name = "BINDING", default_value = "stream")]
    pub binding: String,
    /// Where to post, for http.
    #[arg(long = "callback", value_name = "URL", id = "callback_url")]
    pub callback: Option<String>,
    /// A name for people.
    #[arg(long, value_name = "TEXT")]
    pub display_name: Option<String>,
    /// What it does.
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Its own acknowledgement timeout.
    #[arg(long, value_name = "SECONDS")]
    pub ack_timeout: Option<u32>,
    /// Most unfinished intents at once.
    #[arg(long, value_name = "N")]
    pub max_in_flight: Option<u32>,
    /// Make a key for it as well, and print it.
    #[arg(long)]
    pub with_key: bool,
}

/// `agents ...`.
#[derive(Debug, Subcommand)]
pub enum AgentsVerb {
    /// List agents.
    List(Export),
    /// Show one.
    Show {
        /// Its address.
        address: String,
    },
    /// Register one.
    #[command(after_help = examples::AGENTS_ADD)]
    Add(AddArguments),
    /// Hold its intents back; what is at work is finished.
    Pause {
        /// Its address.
        address: String,
        /// Why, for the record.
        #[arg(long, visible_alias = "reason", value_name = "TEXT")]
        why: Option<String>,
    },
    /// Let its intents go on.
    Resume {
        /// Its address.
        address: String,
        /// Why, for the record.
        #[arg(long, visible_alias = "reason", value_name = "TEXT")]
        why: Option<String>,
    },
    /// Stop it at once: nothing goes to it or comes from it, and what is open waits.
    Kill {
        /// Its address.
        address: String,
        /// Why, for the record.
        #[arg(long, visible_alias = "reason", value_name = "TEXT")]
        why: Option<String>,
    },
    /// Let it go on after a kill.
    Revive {
        /// Its address.
        address: String,
        /// Why, for the record.
        #[arg(long, visible_alias = "reason", value_name = "TEXT")]
        why: Option<String>,
    },
    /// Bound how fast it is served; 0 takes a bound away.
    Limit {
        /// Its address.
        address: String,
        /// Most calls begun a second, for an agent that is called.
        #[arg(long, value_name = "PER_SECOND")]
        rate: Option<f64>,
        /// Most unfinished intents at once.
        #[arg(long, value_name = "COUNT")]
        at_once: Option<u32>,
        /// Why, for the record.
        #[arg(long, visible_alias = "reason", value_name = "TEXT")]
        why: Option<String>,
    },
    /// Take its endpoint for well: its breaker closes and what waits goes on slowly.
    ResetBreaker {
        /// Its address.
        address: String,
        /// Why, for the record.
        #[arg(long, visible_alias = "reason", value_name = "TEXT")]
        why: Option<String>,
    },
    /// Make or rotate its signing secret, and print it once.
    Secret {
        /// Its address.
        address: String,
        /// Seconds for which the old one still signs as well.
        #[arg(long, value_name = "SECONDS")]
        overlap: Option<u32>,
    },
}

/// `keys ...`.
#[derive(Debug, Subcommand)]
pub enum KeysVerb {
    /// List keys, and how to point clients at this broker.
    List {
        /// Only of this agent.
        agent: Option<String>,
        /// For programs.
        #[command(flatten)]
        export: Export,
    },
    /// Make a key and print it once.
    #[command(after_help = examples::KEYS_CREATE)]
    Create {
        /// Whose: an agent's name or address; registered if there is none.
        agent: String,
        /// What it may do: admin, sender, agent.
        #[arg(long, value_name = "ROLE", default_value = "agent")]
        role: String,
        /// When it ends by itself: a time such as 2026-04-11T10:00:00Z.
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// Revoke a key, at once.
    Revoke {
        /// The key, such as `key_7`.
        key: String,
    },
}
