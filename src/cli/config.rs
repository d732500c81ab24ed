//! `config`, `completions` and `man`: text that is made from what the program knows about itself.

use clap::CommandFactory;

use super::Context;
use super::arguments::{Arguments, CompletionsArguments, ConfigArguments, ManArguments};
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

pub(super) fn manual(arguments: &ManArguments, context: &Context) -> Result<(), Failure> {
    let command = Arguments::command();
    let Some(directory) = &arguments.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|error| Failure::refused(format!("print the manual page: {error}")))?;
        return context.out.raw(&String::from_utf8_lossy(&page));
    };
    let place = directory.display();
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(command, directory))
        .map_err(|error| Failure::refused(format!("write manual pages to {place}: {error}")))?;
    context.out.line(format!("manual pages are in {place}"))
}
