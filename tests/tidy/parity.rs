//! What the console says is the same on the command line can be said there.

use clap::Parser as _;
use postroom::cli::arguments::Arguments;
use postroom::console::action::registry;

/// What stands for a word in angle brackets.
fn filled(command: &str) -> String {
    let mut filled = command.to_owned();
    for (word, example) in [
        ("<filter>", "agent:orders"),
        ("<hold-id>", "hld_1"),
        ("<number>", "5"),
        ("<type>", "intent.order.process.v1"),
    ] {
        filled = filled.replace(word, example);
    }
    let rest = [
        "<id>", "<agent>", "<job>", "<file>", "<who>", "<why>", "<words>",
    ];
    rest.iter()
        .fold(filled, |filled, word| filled.replace(word, "x"))
}

#[test]
fn every_command_that_the_console_names_is_one() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for spec in registry().filter(|spec| !spec.command.is_empty()) {
        count += 1;
        let command = filled(spec.command);
        let parsed = Arguments::try_parse_from(command.split(' '));
        if let Err(error) = parsed {
            wrong.push(format!("{}: {}\n{error}", spec.name, spec.command));
        } else if command.contains(['<', '>']) {
            wrong.push(format!(
                "{}: {} has a word that nobody fills in",
                spec.name, spec.command
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 30, "only {count} actions name a command");
}
