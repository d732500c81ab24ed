//! Review: is this change right? The payload holds a unified `diff`, or the texts `before` and `after`.

use serde_json::Value;

use super::{Brief, Fact, Kind, comment, leaves, verb_of};
use crate::console::compare::compare;
use crate::console::model::strip::entry::{Entry, Input, Key, Need};
use crate::domain::task::is_negative;

const DIFF: [&str; 3] = ["diff", "patch", "unified_diff"];
/// Lines of a diff that are kept; more are said to be left out.
const LINES_MAX: usize = 5_000;

/// A review.
#[derive(Debug)]
pub(super) struct Review;

impl Kind for Review {
    fn question(&self, brief: &Brief<'_>, outcome: &str) -> String {
        let id = brief.task.intent.short();
        if is_negative(outcome) {
            format!("{} {id}?", verb_of(outcome))
        } else {
            format!("accept this change? {id}")
        }
    }

    fn facts(&self, brief: &Brief<'_>) -> Vec<Fact> {
        let mut facts = Vec::new();
        let lines = lines(brief.payload);
        if !lines.is_empty() {
            facts.push(Fact::new("change", counted(&lines)).until_opened());
        }
        let keys: Vec<&str> = DIFF.into_iter().chain(["before", "after"]).collect();
        facts.extend(leaves(brief.payload, &keys));
        facts
    }

    fn entries(&self, brief: &Brief<'_>) -> Vec<Entry> {
        let mut entries = vec![comment(brief)];
        let lines = lines(brief.payload);
        if !lines.is_empty() {
            let hint = counted(&lines);
            let diff = Entry::new(Key::Diff, "diff", Input::Look(lines, 0), Need::Never);
            entries.push(diff.hinted(hint));
        }
        entries
    }

    fn needs_payload(&self) -> bool {
        true
    }
}

/// How much is added and removed, as `+12 −3 in 2 hunks`.
fn counted(lines: &[String]) -> String {
    let count = |sign: char, head: &str| {
        let fits = |line: &&String| line.starts_with(sign) && !line.starts_with(head);
        lines.iter().filter(fits).count()
    };
    let hunks = lines.iter().filter(|line| line.starts_with("@@")).count();
    let hunks = match hunks {
        0 => String::new(),
        1 => " in 1 hunk".to_owned(),
        more => format!(" in {more} hunks"),
    };
    format!("+{} −{}{hunks}", count('+', "+++"), count('-', "---"))
}

/// The lines of the diff.
fn lines(payload: &Value) -> Vec<String> {
    let given = DIFF.iter().find_map(|key| payload.get(*key)?.as_str());
    let mut lines: Vec<String> = match (given, payload.get("before"), payload.get("after")) {
        (Some(text), _, _) => text.lines().map(str::to_owned).collect(),
        (None, Some(before), Some(after)) => compared(before, after),
        _ => Vec::new(),
    };
    if lines.len() > LINES_MAX {
        let left_out = lines.len() - LINES_MAX;
        lines.truncate(LINES_MAX);
        lines.push(format!("… {left_out} more lines are not shown here"));
    }
    lines
}

/// Two texts line by line, or two values leaf by leaf.
fn compared(before: &Value, after: &Value) -> Vec<String> {
    if let (Value::String(before), Value::String(after)) = (before, after) {
        let removed = before.lines().map(|line| format!("-{line}"));
        return removed
            .chain(after.lines().map(|line| format!("+{line}")))
            .collect();
    }
    let leaf = |sign: char, path: &str, text: &Option<String>| {
        text.as_ref().map(|text| format!("{sign}{path} {text}"))
    };
    let differences = compare(before, after).differences;
    differences
        .iter()
        .flat_map(|one| {
            [
                Some(format!("@@ {} @@", one.path)),
                leaf('-', &one.path, &one.before),
                leaf('+', &one.path, &one.after),
            ]
        })
        .flatten()
        .collect()
}
