//! `keymap`: the operator's own keys, checked without starting a console.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::Context;
use crate::cli::arguments::{KeymapCheckArguments, KeymapVerb};
use crate::cli::failure::Failure;
use crate::config;
use crate::console::keymap::Keymap;

/// Does what was asked about keys.
pub(super) fn run(verb: KeymapVerb, context: &Context) -> Result<(), Failure> {
    match verb {
        KeymapVerb::Check(arguments) => check(arguments, context),
    }
}

/// The file that a console would read.
fn usual_file() -> Option<PathBuf> {
    let config = config::usual_file()?;
    Some(config.parent()?.join("keys.toml"))
}

fn check(arguments: KeymapCheckArguments, context: &Context) -> Result<(), Failure> {
    let is_named = arguments.file.is_some();
    let Some(file) = arguments.file.or_else(usual_file) else {
        return Err(Failure::usage(
            "there is no home directory to look for keys.toml in",
        ));
    };
    let place = file.display().to_string();
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_named => {
            let text = format!("{place} is not there: every key is as it comes");
            let body = json!({ "file": place, "found": false, "problems": [] });
            return if context.out.is_json() {
                context.out.json(&body)
            } else {
                context.out.line(text)
            };
        }
        Err(error) => return Err(Failure::usage(format!("read {place}: {error}"))),
    };
    let (_, problems) = Keymap::with_overrides(&text);
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if context.out.is_json() {
        context
            .out
            .json(&json!({ "file": place, "found": true, "problems": problems }))?;
    } else {
        for problem in &problems {
            context.out.line(problem)?;
        }
        if problems.is_empty() {
            context.out.line(format!("{place}: every line applies"))?;
        }
    }
    match problems.len() {
        0 => Ok(()),
        1 => Err(Failure::refused(
            "1 line of it does not apply; the rest does",
        )),
        count => Err(Failure::refused(format!(
            "{count} lines of it do not apply; the rest does"
        ))),
    }
}
