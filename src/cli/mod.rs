//! The command line: one file per group of verbs, each a client of the public HTTP API.
//!
//! 1. Results go to standard output, everything else to standard error.
//! 2. Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no broker answers. A closed pipe is 0.
//! 3. `--json` prints what the API answered, unchanged; tables are for people.
//! 4. What goes to a terminal cannot steer it.
//! 5. The key of a data directory is sent to the broker of that directory only.
//!
//! Not here: starting a broker or a console (`app`). Tested through the real binary by `tests/cli`.

pub mod arguments;
pub mod bench;
pub mod client;
pub mod demo;
pub mod failure;
pub mod frames;
pub mod output;
pub mod place;

mod agents;
mod attempts;
mod audit;
mod compare;
mod config;
mod dead_letters;
mod doctor;
mod events;
mod explain;
mod export;
mod fit;
mod handler;
mod holds;
mod ids;
mod inbox;
mod input;
mod intents;
mod jobs;
pub mod keys;
mod listen;
mod poll;
mod scenarios;
mod send;
mod status;
mod tasks;
mod terms;
mod when;

use std::sync::Arc;

use crate::cli::arguments::{Global, Verb};
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::clock::{Clock, Entropy};
use crate::config::Config;

/// What every verb is given.
#[derive(Debug, Clone)]
pub struct Context {
    /// What goes with every verb.
    pub global: Global,
    /// The configuration.
    pub config: Config,
    /// Where it writes to.
    pub out: Output,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
}

impl Context {
    /// A client of the broker that is meant.
    fn client(&self) -> Result<Client, Failure> {
        Client::new(&place::find(&self.global, &self.config)?)
    }

    /// The address as an agent's full address.
    fn address(&self, given: &str) -> Result<String, Failure> {
        let home = self.config.policy().home;
        crate::domain::address::Address::parse(given, &home)
            .map(|address| address.to_string())
            .map_err(|error| Failure::usage(error.to_string()))
    }

    /// An address without what every address here begins with.
    fn short(&self, address: &str) -> String {
        let home = format!("agent://{}/{}/", self.config.org, self.config.workspace);
        address.strip_prefix(&home).unwrap_or(address).to_owned()
    }
}

/// Runs a verb that is a client. Those that start a broker or a console are `app`'s.
///
/// # Errors
/// Why it was not done.
pub async fn run(mut verb: Verb, context: &Context) -> Result<(), Failure> {
    ids::resolve(&mut verb, context).await?;
    match verb {
        Verb::Send(arguments) => send::run(arguments, context).await,
        Verb::Listen(arguments) => listen::run(arguments, context).await,
        Verb::Poll(arguments) => poll::run(arguments, context).await,
        Verb::Status => status::run(context).await,
        Verb::Intents(verb) => intents::run(verb, context).await,
        Verb::Attempts(verb) => attempts::run(verb, context).await,
        Verb::Inbox(verb) => inbox::run(verb, context).await,
        Verb::Tasks(verb) => tasks::run(verb, context).await,
        Verb::Scenarios(verb) => scenarios::run(verb, context).await,
        Verb::Explain(arguments) => explain::run(&arguments, context).await,
        Verb::Dead(verb) => dead_letters::run(verb, context).await,
        Verb::Jobs(verb) => jobs::run(verb, context).await,
        Verb::Replay(arguments) => dead_letters::replay(arguments, context).await,
        Verb::Held(export) => holds::list(export, context).await,
        Verb::Undo(arguments) => holds::undo(&arguments.hold, context).await,
        Verb::Agents(verb) => agents::run(verb, context).await,
        Verb::Keys(verb) => keys::run(verb, context).await,
        Verb::Events(arguments) => events::run(arguments, context).await,
        Verb::Audit(arguments) => audit::run(arguments, context).await,
        Verb::Doctor => doctor::run(context).await,
        Verb::Config(arguments) => config::print(&arguments, context),
        Verb::Completions(arguments) => config::completions(&arguments, context),
        Verb::Man(arguments) => config::manual(&arguments, context),
        Verb::Backup(_)
        | Verb::Restore(_)
        | Verb::Verify(_)
        | Verb::Serve(_)
        | Verb::Attach(_)
        | Verb::Bench(_)
        | Verb::Demo(_)
        | Verb::Keymap(_)
        | Verb::ResetTty => Err(Failure::usage("this verb starts something of its own")),
    }
}
