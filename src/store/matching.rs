//! What a filter means, said once. Memories may use indices, but never another meaning.

use crate::domain::attempt::Attempt;
use crate::domain::fact::FeedEntry;
use crate::domain::failure::DeadReason;
use crate::domain::intent::{DeadLetter, End, Intent};
use crate::store::derive::{ThreadRow, letter_state};
use crate::store::query::{
    AttemptFilter, AuditEntry, AuditFilter, FeedFilter, IntentFilter, LetterFilter, LetterState,
    ThreadFilter,
};

/// Most items of the feed that one read examines, so that a rare match does not hold a reader for long.
pub(super) const FEED_EXAMINED_MAX: u32 = 20_000;

/// True when `name` is `pattern`, or begins with what stands before its trailing `*`.
pub(super) fn type_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    }
}

fn given<T>(wanted: Option<&T>, holds: impl FnOnce(&T) -> bool) -> bool {
    wanted.is_none_or(holds)
}

/// True when the intent is one of those asked for.
pub(super) fn intent_matches(filter: &IntentFilter, intent: &Intent) -> bool {
    let IntentFilter {
        statuses,
        states,
        kinds,
        is_unfinished,
        to,
        from,
        party,
        intent_type,
        correlation_id,
        origin,
        since,
        until,
        text,
        // Needs the payload: `contains_all`.
        contains: _,
    } = filter;
    (statuses.is_empty() || statuses.contains(&intent.status))
        && (states.is_empty() || states.contains(&intent.state()))
        && (kinds.is_empty() || kinds.contains(&intent.kind()))
        && !(*is_unfinished && intent.is_finished())
        && given(to.as_ref(), |to| *to == intent.to)
        && given(from.as_ref(), |from| *from == intent.from)
        && given(party.as_ref(), |party| {
            *party == intent.to || *party == intent.from || intent.reply_to.as_ref() == Some(party)
        })
        && given(intent_type.as_ref(), |pattern| {
            type_matches(pattern, &intent.intent_type)
        })
        && given(correlation_id.as_ref(), |id| *id == intent.correlation_id)
        && given(origin.as_ref(), |origin| *origin == intent.origin)
        && given(since.as_ref(), |since| intent.created_at >= *since)
        && given(until.as_ref(), |until| intent.created_at < *until)
        && given(text.as_ref(), |text| text_matches(&needle(text), intent))
}

/// How much of a payload is looked through, so that a page of large ones holds no reader for long.
pub(super) const PAYLOAD_LOOKED_AT: usize = 64 * 1024;

/// True when each needle stands in the beginning of the payload or in what a row says of the intent.
pub(super) fn contains_all(needles: &[String], intent: &Intent, payload: Option<&str>) -> bool {
    let reason = match &intent.end {
        Some(End::Failed { error } | End::TimedOut { error }) => Some(error.message.as_str()),
        Some(End::Canceled { reason }) => reason.as_deref(),
        Some(End::Completed { .. }) | None => None,
    };
    let failure = intent.last_failure.as_ref();
    let payload = payload.map(|text| text.get(..text.floor_char_boundary(PAYLOAD_LOOKED_AT)));
    let id = intent.id.to_string();
    let texts: Vec<String> = [
        Some(id.as_str()),
        Some(intent.intent_type.as_str()),
        Some(intent.from.key()),
        Some(intent.to.key()),
        Some(intent.correlation_id.as_str()),
        reason,
        failure.map(|failure| failure.message.as_str()),
        payload.flatten(),
    ]
    .into_iter()
    .flatten()
    .map(str::to_lowercase)
    .collect();
    needles.iter().all(|needle| {
        let needle = needle.to_lowercase();
        texts.iter().any(|text| text.contains(&needle))
    })
}

/// A text to look for in identifiers: lower case, without the hyphens of a UUID.
pub(super) fn needle(text: &str) -> String {
    text.trim()
        .chars()
        .filter(|character| *character != '-')
        .flat_map(char::to_lowercase)
        .collect()
}

/// True when the id starts or ends with the needle, or the correlation id starts with it.
pub(super) fn text_matches(needle: &str, intent: &Intent) -> bool {
    let id = intent.id.0.simple().to_string();
    id.starts_with(needle)
        || id.ends_with(needle)
        || self::needle(&intent.correlation_id).starts_with(needle)
}

/// True when the attempt is one of those asked for.
pub(super) fn attempt_matches(filter: &AttemptFilter, attempt: &Attempt) -> bool {
    let AttemptFilter {
        intent,
        agent,
        binding,
        outcome,
        error_class,
        since,
    } = filter;
    given(intent.as_ref(), |id| *id == attempt.intent)
        && given(agent.as_ref(), |agent| *agent == attempt.agent)
        && given(binding.as_ref(), |binding| *binding == attempt.binding)
        && given(outcome.as_ref(), |outcome| *outcome == attempt.outcome)
        && given(error_class.as_ref(), |class| {
            Some(*class) == attempt.error_class
        })
        && given(since.as_ref(), |since| attempt.started_at >= *since)
}

/// True when the dead letter is one of those asked for. A person's no is listed only on demand.
pub(super) fn letter_matches(
    filter: &LetterFilter,
    state: LetterState,
    intent: &Intent,
    letter: &DeadLetter,
) -> bool {
    let LetterFilter {
        agent,
        intent_type,
        reason,
        error_class,
        since,
        until,
        fingerprint,
        state: _,
    } = filter;
    let class = intent.last_failure.as_ref().map(|failure| failure.class);
    letter_state(&letter.state) == state
        && match reason {
            Some(reason) => *reason == letter.reason,
            None => letter.reason != DeadReason::Rejected,
        }
        && given(agent.as_ref(), |agent| *agent == intent.to)
        && given(intent_type.as_ref(), |pattern| {
            type_matches(pattern, &intent.intent_type)
        })
        && given(error_class.as_ref(), |wanted| Some(*wanted) == class)
        && given(since.as_ref(), |since| letter.at >= *since)
        && given(until.as_ref(), |until| letter.at < *until)
        && given(fingerprint.as_ref(), |fingerprint| {
            fingerprint_matches(fingerprint, &letter.fingerprint)
        })
}

/// True for the fingerprint itself and for its label: the first four characters of the hash.
fn fingerprint_matches(wanted: &str, fingerprint: &str) -> bool {
    let hash = fingerprint
        .split_once(':')
        .map_or(fingerprint, |(_version, hash)| hash);
    wanted == fingerprint || (wanted.chars().count() == 4 && hash.starts_with(wanted))
}

/// True when the thread is one of those asked for.
pub(super) fn thread_matches(filter: &ThreadFilter, thread: &ThreadRow) -> bool {
    let ThreadFilter {
        owner,
        is_pending,
        kind,
        is_due_first,
    } = filter;
    given(owner.as_ref(), |owner| {
        *owner == thread.owner || thread.shared.contains(owner)
    }) && given(is_pending.as_ref(), |is_pending| {
        *is_pending == thread.is_pending
    }) && given(kind.as_ref(), |kind| *kind == thread.kind)
        && (!is_due_first || thread.is_pending)
}

/// Most entries of the audit log that one read examines.
pub(super) const AUDIT_EXAMINED_MAX: u32 = 20_000;

/// True when the entry of the audit log is one of those asked for.
pub(super) fn audit_matches(filter: &AuditFilter, entry: &AuditEntry) -> bool {
    let AuditFilter {
        party,
        action_prefix,
        via,
        target,
        is_refused,
        since,
        until,
    } = filter;
    given(party.as_ref(), |party| {
        let party = party.to_string();
        entry.actor == party || entry.owner == party
    }) && given(action_prefix.as_ref(), |prefix| {
        entry.action.starts_with(prefix.as_str())
    }) && given(via.as_ref(), |via| *via == entry.via)
        && given(target.as_ref(), |target| {
            entry.target.contains(target.as_str())
        })
        && given(is_refused.as_ref(), |is_refused| {
            *is_refused == entry.is_refused()
        })
        && given(since.as_ref(), |since| entry.at >= *since)
        && given(until.as_ref(), |until| entry.at < *until)
}

/// True when the item of the feed is one of those asked for.
pub(super) fn feed_matches(filter: &FeedFilter, entry: &FeedEntry) -> bool {
    let FeedFilter {
        since: _,
        types,
        intent,
        agent,
    } = filter;
    let (name, of_intent, of_agent) = match entry {
        FeedEntry::Intent { fact, agent, .. } => {
            (fact.body.type_name(), Some(fact.intent), Some(agent))
        }
        FeedEntry::Notice(notice) => (notice.kind.as_str(), None, notice.agent.as_ref()),
    };
    (types.is_empty() || types.iter().any(|pattern| type_matches(pattern, name)))
        && given(intent.as_ref(), |intent| Some(intent) == of_intent.as_ref())
        && given(agent.as_ref(), |agent| Some(agent) == of_agent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_its_fingerprint_and_by_its_label() {
        for wanted in ["f1:9c2e41d07a55", "9c2e"] {
            assert!(fingerprint_matches(wanted, "f1:9c2e41d07a55"), "{wanted}");
        }
        for wanted in ["9c2", "f1:9", "41d0", "9c2e41d07a55", ""] {
            assert!(!fingerprint_matches(wanted, "f1:9c2e41d07a55"), "{wanted}");
        }
    }

    #[test]
    fn a_star_matches_any_rest() {
        assert!(type_matches("intent.*", "intent.created"));
        assert!(type_matches("*", ""));
        assert!(!type_matches("intent.*", "key.created"));
        assert!(!type_matches("intent", "intent.created"));
    }
}
