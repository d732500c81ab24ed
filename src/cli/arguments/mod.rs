//! What can be said on the command line. Every line of help is here.

mod bulk;
mod examples;
mod export;
mod operate;
mod people;
pub mod table;
mod work;

pub use bulk::{BulkArguments, JobsVerb, StartJobArguments};
pub use export::{Export, Format, Window};
pub use operate::{
    AddArguments, AgentsVerb, AttemptsVerb, AuditArguments, DeadVerb, DecisionArguments,
    DiscardArguments, IntentsVerb, KeysVerb, LetterSelection, ReplayArguments, UndoArguments,
};
pub use people::{
    DecideArguments, DelegateArguments, ExplainArguments, InboxVerb, ScenariosVerb, TasksVerb,
};
pub use work::{
    AttachArguments, BenchArguments, CompletionsArguments, ConfigArguments, DemoArguments,
    EventsArguments, Handler, ListenArguments, ManArguments, PollArguments, SendArguments,
    ServeArguments,
};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Reliable delivery of intents between services, with an operations console in your terminal.
///
/// Without a verb: the broker and its console in one process; when a broker already owns the data
/// directory, the console alone, attached to that one.
#[derive(Debug, Parser)]
#[command(
    name = "postroom",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Arguments {
    /// What goes with every verb.
    #[command(flatten)]
    pub global: Global,
    /// What goes with the console.
    #[command(flatten)]
    pub console: ConsoleFlags,
    /// Keep everything in memory: gone when this stops.
    #[arg(long)]
    pub ephemeral: bool,
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// What goes with every verb.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// Directory of the broker: store, lock, admin.key, address, log.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help = "Directory of the broker: store, lock, admin.key, address, log [env: POSTROOM_DATA]",
        help_heading = "Everywhere"
    )]
    pub data: Option<PathBuf>,
    /// Address to listen on; port 0 picks a free one.
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT",
        help = "Address to listen on; port 0 picks a free one [env: POSTROOM_LISTEN]",
        help_heading = "Everywhere"
    )]
    pub listen: Option<String>,
    /// Configuration file.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "POSTROOM_CONFIG",
        help_heading = "Everywhere"
    )]
    pub config: Option<PathBuf>,
    /// Set any key of the configuration; may be repeated.
    #[arg(
        long,
        global = true,
        value_name = "SECTION.KEY=VALUE",
        help_heading = "Everywhere"
    )]
    pub set: Vec<String>,
    /// What is logged, as `level` or `target=level` between commas.
    #[arg(
        long,
        global = true,
        value_name = "FILTER",
        help_heading = "Everywhere"
    )]
    pub log: Option<String>,
    /// Another broker. The key for it comes from `POSTROOM_KEY`.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "POSTROOM_URL",
        help_heading = "Everywhere"
    )]
    pub url: Option<String>,
    /// Print JSON, as the HTTP API gives it.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
}

/// What goes with the console.
#[derive(Debug, Clone, Default, Args)]
pub struct ConsoleFlags {
    /// Look, but change nothing.
    #[arg(long, help_heading = "Console")]
    pub read_only: bool,
    /// Colours: terminal, mono, midnight, paper, high-contrast, auto.
    #[arg(long, value_name = "NAME", help_heading = "Console")]
    pub theme: Option<String>,
    /// Signs: auto, unicode or ascii.
    #[arg(long, value_name = "SIGNS", help_heading = "Console")]
    pub glyphs: Option<String>,
    /// For screen readers: one column of words, no boxes or bars, one repaint a second.
    #[arg(long, help_heading = "Console")]
    pub a11y: bool,
    /// Leave the mouse to the terminal.
    #[arg(long, help_heading = "Console")]
    pub no_mouse: bool,
    /// The desk to begin on: overview, inbox, intents, attempts, dead, agents, jobs, audit.
    #[arg(long, value_name = "NAME", help_heading = "Console")]
    pub desk: Option<String>,
}

impl ConsoleFlags {
    /// These, and where they say nothing, `before`: what stood before the verb.
    #[must_use]
    pub fn or(self, before: Self) -> Self {
        Self {
            read_only: self.read_only || before.read_only,
            theme: self.theme.or(before.theme),
            glyphs: self.glyphs.or(before.glyphs),
            a11y: self.a11y || before.a11y,
            no_mouse: self.no_mouse || before.no_mouse,
            desk: self.desk.or(before.desk),
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the broker alone; print one line with its address when it is ready.
    Serve(ServeArguments),
    /// Run the console alone, on a broker elsewhere.
    Attach(AttachArguments),
    /// Send an intent.
    #[command(after_help = examples::SEND)]
    Send(SendArguments),
    /// Be an agent: take intents from a stream as they come, and answer them.
    #[command(after_help = examples::LISTEN)]
    Listen(ListenArguments),
    /// Be an agent: fetch intents, and answer them.
    Poll(PollArguments),
    /// How the broker is doing.
    Status,
    /// Intents.
    #[command(subcommand)]
    Intents(IntentsVerb),
    /// Attempts to hand intents over.
    #[command(subcommand)]
    Attempts(AttemptsVerb),
    /// Why an intent stands where it stands, and what can be done.
    Explain(ExplainArguments),
    /// Questions to people.
    #[command(subcommand)]
    Inbox(InboxVerb),
    /// Open tasks, soonest due first; by the id of their intent or their run.
    #[command(subcommand)]
    Tasks(TasksVerb),
    /// Scenarios: check and run bundles.
    #[command(subcommand)]
    Scenarios(ScenariosVerb),
    /// Dead letters.
    #[command(subcommand)]
    Dead(DeadVerb),
    /// Jobs: bulk replay, discard and cancel.
    #[command(subcommand)]
    Jobs(JobsVerb),
    /// Replay dead letters; the same as `dead replay`.
    #[command(after_help = examples::REPLAY)]
    Replay(ReplayArguments),
    /// What is held and can still be taken back.
    Held(Export),
    /// Take back something that is held.
    Undo(UndoArguments),
    /// Agents.
    #[command(subcommand)]
    Agents(AgentsVerb),
    /// Keys.
    #[command(subcommand)]
    Keys(KeysVerb),
    /// What has happened, and with --follow what is happening.
    Events(EventsArguments),
    /// Who has done what: every operator's write and every decision.
    Audit(AuditArguments),
    /// Copy the store to a file, also while the broker runs, and check the copy.
    Backup(FileArguments),
    /// Make a store from a backup; its agents are paused until somebody resumes them.
    Restore(FileArguments),
    /// Check that a store is whole: pages, facts, states, counters.
    Verify(VerifyArguments),
    /// Find out what is wrong.
    Doctor,
    /// See it live: a broker on a scratch directory, with real agents and traffic.
    Demo(DemoArguments),
    /// Measure the broker on this machine beside what its disk allows, in a scratch directory.
    Bench(BenchArguments),
    /// The console's keys.
    #[command(subcommand)]
    Keymap(KeymapVerb),
    /// Print the configuration and where each value comes from.
    Config(ConfigArguments),
    /// Print a script that completes this command line in a shell.
    Completions(CompletionsArguments),
    /// Print the manual page, or write those of all verbs.
    Man(ManArguments),
    /// Repair a terminal that a killed console left behind.
    ResetTty,
}

/// What to do with the console's keys.
#[derive(Debug, Clone, Subcommand)]
pub enum KeymapVerb {
    /// Say which lines of keys.toml do not apply, and why.
    Check(KeymapCheckArguments),
}

/// A file of keys.
#[derive(Debug, Clone, Args)]
pub struct KeymapCheckArguments {
    /// The file; keys.toml beside the configuration when missing.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// A file.
#[derive(Debug, Clone, Args)]
pub struct FileArguments {
    /// The backup.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// A file, or the data directory's store.
#[derive(Debug, Clone, Args)]
pub struct VerifyArguments {
    /// The store or backup; that of the data directory when missing.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn flags_that_go_everywhere_may_stand_behind_the_verb() {
        let words = [
            "postroom", "intents", "list", "--json", "--data", "/x", "--to", "orders",
        ];
        let arguments = Arguments::try_parse_from(words).unwrap();
        assert!(arguments.global.json);
        assert_eq!(arguments.global.data, Some(PathBuf::from("/x")));
    }

    #[test]
    fn exec_and_echo_exclude_each_other() {
        let words = ["postroom", "listen", "orders", "--echo", "--exec", "cat"];
        assert!(Arguments::try_parse_from(words).is_err());
    }

    #[test]
    fn flags_of_the_console_stand_before_or_after_the_verb_and_the_later_one_counts() {
        let words = [
            "postroom",
            "--theme",
            "paper",
            "--no-mouse",
            "demo",
            "--theme",
            "mono",
            "--desk",
            "inbox",
        ];
        let arguments = Arguments::try_parse_from(words).unwrap();
        let Some(Verb::Demo(demo)) = arguments.verb else {
            panic!("the verb is demo");
        };
        let flags = demo.console.or(arguments.console);
        assert_eq!(flags.theme.as_deref(), Some("mono"));
        assert_eq!(flags.desk.as_deref(), Some("inbox"));
        assert!(flags.no_mouse && !flags.read_only);
    }
}
