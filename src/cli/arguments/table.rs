//! The verbs as the README shows them.

use clap::CommandFactory;

use super::Arguments;

/// The table of the README: every verb with what it does and the verbs below it.
#[must_use]
pub fn readme_table() -> String {
    let command = Arguments::command();
    let head = "| verb | does | below it |\n|---|---|---|\n".to_owned();
    let alone = row("", &command, "");
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let rows = verbs.map(|verb| {
        let below: Vec<String> = verb
            .get_subcommands()
            .filter(|below| !below.is_hide_set())
            .map(|below| format!("`{}`", below.get_name()))
            .collect();
        row(verb.get_name(), verb, &below.join(" "))
    });
    let parts = [head, alone].into_iter().chain(rows);
    parts.collect::<Vec<_>>().concat()
}

fn row(name: &str, command: &clap::Command, below: &str) -> String {
    let space = if name.is_empty() { "" } else { " " };
    // The program itself is described where the README begins.
    let does = if name.is_empty() {
        "start broker and console, or attach to the broker that has the directory".to_owned()
    } else {
        command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    format!(
        "| `postroom{space}{name}` | {} | {below} |\n",
        does.replace('|', "\\|")
    )
}
