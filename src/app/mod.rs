//! The composition root: builds every room from the configuration, starts it, stops it in order.
//!
//! 1. Rooms start from left to right and stop doors first: doors, bindings, writer, store, terminal.
//! 2. One data directory has one owner; a second `postroom` on it attaches to the first.
//! 3. While the console is up, nothing is written to the terminal.
//! 4. One line says what stopping left undone; a second signal skips the waiting.
//!
//! Not here: what anything does. Tested through the real binary by `tests/cli`.

mod bench;
mod console;
mod demo;
mod first;
mod house;
mod keeping;
mod keymap;
mod serve;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use crate::cli::arguments::{Arguments, ConsoleFlags, Verb};
use crate::cli::failure::Failure;
use crate::cli::output::{Output, complain};
use crate::cli::{Context, place};
use crate::clock::{SystemClock, SystemEntropy};

/// How the console is wanted.
#[derive(Debug)]
struct Console {
    flags: ConsoleFlags,
}

/// Runs the program with these words and answers with its exit code.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nobody is left to be told that the terminal is gone.
            let _gone = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match go(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// What `verify` finds wrong with the store in a file that nobody uses; nothing when it is whole.
#[must_use]
pub fn complaints(store: &std::path::Path) -> Vec<String> {
    keeping::complaints(store)
}

fn go(mut arguments: Arguments) -> Result<(), Failure> {
    // One provider of cryptography for the whole process. A second call changes nothing.
    crate::bindings::http::install_crypto_provider();
    let is_ephemeral = match &arguments.verb {
        Some(Verb::Serve(serve)) => serve.is_ephemeral || arguments.ephemeral,
        _ => arguments.ephemeral,
    };
    let flags = match &mut arguments.verb {
        Some(Verb::Attach(attach)) => std::mem::take(&mut attach.console),
        Some(Verb::Demo(demo)) => std::mem::take(&mut demo.console),
        _ => ConsoleFlags::default(),
    };
    let console = Console {
        flags: flags.or(arguments.console),
    };
    if let Some(Verb::Attach(attach)) = &mut arguments.verb {
        arguments.global.url = attach.broker.take().or(arguments.global.url.take());
    }
    let context = Context {
        config: if needs_no_configuration(arguments.verb.as_ref()) {
            place::default_configuration()?
        } else {
            place::configuration(&arguments.global, &console.flags, is_ephemeral)?
        },
        out: Output::of_process(arguments.global.json),
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(SystemEntropy),
        global: arguments.global,
    };
    match arguments.verb {
        None => console::run(&context, &console),
        Some(Verb::Attach(_)) => console::attach_to(&context, &console),
        Some(Verb::Serve(_)) => serve::run(context),
        Some(Verb::Demo(arguments)) => demo::run(&arguments, context, &console),
        Some(Verb::Bench(arguments)) => bench::run(&arguments, context),
        Some(Verb::Backup(arguments)) => keeping::backup(&arguments.file, &context),
        Some(Verb::Restore(arguments)) => keeping::restore(&arguments.file, &context),
        Some(Verb::Verify(arguments)) => keeping::verify(arguments.file.as_deref(), &context),
        Some(Verb::Keymap(verb)) => keymap::run(verb, &context),
        Some(Verb::ResetTty) => {
            crate::console::terminal::reset();
            Ok(())
        }
        Some(verb) => client(verb, &context),
    }
}

/// What helps against a broken configuration must not need one.
fn needs_no_configuration(verb: Option<&Verb>) -> bool {
    match verb {
        Some(Verb::Completions(_) | Verb::ResetTty) => true,
        Some(Verb::Config(config)) => config.template,
        _ => false,
    }
}

/// Verbs that are clients need one thread and nothing else.
fn client(verb: Verb, context: &Context) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format!("start the runtime: {error}")))?;
    runtime.block_on(crate::cli::run(verb, context))
}
