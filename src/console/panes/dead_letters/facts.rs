//! What is known of a group of dead letters, or of one letter, line by line.

use super::{code, note};
use crate::console::format;
use crate::console::panes::words;
use crate::console::regroup::Bundle;
use crate::console::theme::Role;
use crate::console::update::seconds_left;
use crate::console::view::kit::{self, fact, span};
use crate::desk::rows::{LetterGroupRow, LetterRow};
use crate::domain::time::Timestamp;

/// What is known of letters that are gathered from several errors.
pub(super) fn bundle_facts(
    group: &LetterGroupRow,
    bundle: &Bundle,
    now: Timestamp,
) -> Vec<(String, kit::Span)> {
    let counted = |count: usize, one| words::counted(u64::try_from(count).unwrap_or(0), one);
    vec![
        fact("holds", bundle.about(now)),
        fact(
            "mixed",
            format!(
                "{} to {}",
                counted(bundle.errors, "error"),
                counted(bundle.agents, "agent")
            ),
        ),
        fact("sample", group.message.clone()),
        fact("seen", seen(group, now)),
        fact("back", ":group error shows each error by itself"),
    ]
}

/// How often, since when and when last.
fn seen(group: &LetterGroupRow, now: Timestamp) -> String {
    format!(
        "{}, first {}, last {} ago",
        words::counted(group.count, "time"),
        format::moment(group.first_at, now),
        format::age(now.since(group.last_at))
    )
}

pub(super) fn group_facts(group: &LetterGroupRow, now: Timestamp) -> Vec<(String, kit::Span)> {
    vec![
        ("error".to_owned(), span(group.message.clone(), Role::Bad)),
        fact(
            "decided",
            format!(
                "{} → {}",
                code(group.http_status, group.error_class),
                words::reason(group.reason.name())
            ),
        ),
        fact("state", said(group, now)),
        fact("agent", format!("{}, {}", group.to, group.intent_type)),
        fact("seen", seen(group, now)),
    ]
}

pub(super) fn letter_facts(letter: &LetterRow, now: Timestamp) -> Vec<(String, kit::Span)> {
    let mut facts = vec![
        ("error".to_owned(), span(letter.message.clone(), Role::Bad)),
        fact(
            "decided",
            format!(
                "{}{} → {}",
                match (letter.http_status, letter.error_class) {
                    (None, None) => String::new(),
                    (status, class) => format!("{} ", code(status, class)),
                },
                format_args!(
                    "after {}",
                    words::counted(u64::from(letter.attempts), "attempt")
                ),
                words::reason(letter.reason.name())
            ),
        ),
        fact("intent", letter.intent.to_string()),
        fact(
            "from, to",
            format!(
                "{} → {} over {}",
                letter.from.name(),
                letter.to.name(),
                letter.binding
            ),
        ),
        fact(
            "dead",
            format!("{} ago", format::age(now.since(letter.dead_at))),
        ),
        fact("note", note(letter)),
    ];
    if let Some(held) = letter.held.as_ref().filter(|held| held.effective_at > now) {
        let left = seconds_left(held.effective_at, now);
        let by = words::actor(&held.by);
        facts.insert(
            0,
            (
                "held".to_owned(),
                span(format!("{} by {by}, final in {left}", held.act), Role::Held),
            ),
        );
    }
    facts
}

/// Who said what of a group.
fn said(group: &LetterGroupRow, now: Timestamp) -> String {
    let owner = group.owner.as_ref();
    let owner = owner.map_or_else(
        || "nobody's".to_owned(),
        |owner| format!("{}'s", owner.name()),
    );
    let by = group.marked.as_ref().map_or_else(String::new, |(by, at)| {
        format!(
            ", said by {} {}",
            words::actor(by),
            format::moment(*at, now)
        )
    });
    let note = group
        .note
        .as_ref()
        .map_or_else(String::new, |note| format!(": {note}"));
    format!("{}, {owner}{by}{note}", group.state.name())
}
