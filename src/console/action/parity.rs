//! The same things on the command line: for each action the words that do it, or why there are none.

use std::collections::BTreeMap;

use super::{Spec, registry};

/// Why a kind of action has no command, by what its name begins with. The longest beginning counts.
const ALONE: &[(&str, &str)] = &[
    ("app.", "is about the screen itself"),
    (
        "as-of.",
        "moves on the screen; `intents show` prints every fact",
    ),
    ("copy.", "fills the clipboard; `--json` and a pipe do"),
    ("diff.", "moves on the screen"),
    ("field.", "is writing on the screen; flags take its place"),
    ("fold.", "folds on the screen"),
    ("group.", "has no verb yet; the API does it"),
    (
        "group.by",
        "gathers on the screen; `--format csv` and a table do",
    ),
    ("help.", "`--help` and `postroom man` have every verb"),
    ("history.", "moves on the screen"),
    (
        "inbox.lane",
        "chooses what is shown; `inbox list` shows every lane",
    ),
    ("list.", "moves or orders on the screen"),
    (
        "mark.",
        "marks on the screen; `--filter` and many ids take its place",
    ),
    ("palette.", "is the command line of the screen"),
    ("pane.", "moves on the screen"),
    ("panel.", "is an option on the screen; flags take its place"),
    ("screen.", "is about the screen itself"),
    (
        "screen.record",
        "records what is done on the screen; `audit` and `events` tell the rest",
    ),
    ("search.", "moves on the screen; `grep` does"),
    ("strip.", "is writing on the screen; flags take its place"),
    ("task.next", "moves on the screen"),
    ("task.previous", "moves on the screen"),
    ("view.", "is about the screen itself"),
    ("waterfall.", "draws on the screen"),
    ("filter.clear", "is about the screen itself"),
    (
        "job.replay-failed",
        "has no verb of its own; `jobs show --format csv` names them for `replay`",
    ),
];

/// Why there is no command for an action; none when nothing is said about it.
#[must_use]
pub fn alone(spec: &Spec) -> Option<&'static str> {
    let fitting = ALONE
        .iter()
        .filter(|(begin, _)| spec.name.starts_with(begin));
    let longest = fitting.max_by_key(|(begin, _)| begin.len());
    longest.map(|(_, reason)| *reason)
}

/// The table of the README: every action once, with its command or, together, with the reason.
#[must_use]
pub fn readme_table() -> String {
    let mut lines = vec!["| in the console | on the command line |\n|---|---|\n".to_owned()];
    let mut without: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for spec in registry() {
        if spec.command.is_empty() {
            let reason = alone(spec).unwrap_or_default();
            without
                .entry(reason)
                .or_default()
                .push(format!("`{}`", spec.name));
        } else {
            let command = spec.command.replace('|', "\\|");
            lines.push(format!(
                "| `{}`: {} | `{command}` |\n",
                spec.name, spec.sentence
            ));
        }
    }
    let without = without.into_iter();
    lines.extend(
        without.map(|(reason, names)| format!("| {} | none: {reason} |\n", names.join(" "))),
    );
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_command_or_a_reason_and_never_both_by_mistake() {
        for spec in registry() {
            let has_reason = alone(spec).is_some_and(|reason| !reason.is_empty());
            assert!(
                !spec.command.is_empty() || has_reason,
                "{} has neither",
                spec.name
            );
        }
        for (begin, _) in ALONE {
            let is_used =
                registry().any(|spec| spec.name.starts_with(begin) && spec.command.is_empty());
            assert!(is_used, "no action without a command begins with {begin}");
        }
    }
}
