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
    let printed = context.config.print();
    if !context.out.is_json() {
        return context.out.raw(&printed);
    }
    // What is printed is TOML with dotted keys; secrets are masked in it already.
    let values: serde_json::Value = toml::from_str(&printed)
        .map_err(|error| Failure::refused(format!("print the configuration: {error}")))?;
    context.out.json(&values)
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
