//! `config` and `completions`: text that is made from what the program knows about itself.

use clap::CommandFactory;

use super::Context;
use super::arguments::{Arguments, CompletionsArguments, ConfigArguments};
use super::failure::Failure;
use crate::config;

pub(super) fn print(arguments: &ConfigArguments, context: &Context) -> Result<(), Failure> {
    if arguments.template {
        return context.out.raw(&config::template());
    }
    context.out.raw(&context.config.print())
}

pub(super) fn completions(
    arguments: &CompletionsArguments,
    context: &Context,
) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "postroom",
        &mut script,
    );
    context.out.raw(&String::from_utf8_lossy(&script))
}
