//! `--filter`: the terms of the console's filter line, as the questions of the HTTP API.

use super::failure::Failure;
use super::when;
use crate::domain::time::Timestamp;

/// A term and the name that the API has for it. `age` is two: `since` for `age<`, `until` for `age>`.
pub(super) type Names = &'static [(&'static str, &'static str)];

/// Terms of intents.
pub(super) const INTENTS: Names = &[
    ("status", "status"),
    ("state", "state"),
    ("agent", "to_agent"),
    ("from", "from_agent"),
    ("type", "intent_type"),
    ("corr", "correlation_id"),
    ("", "q"),
];
/// Terms of attempts.
pub(super) const ATTEMPTS: Names = &[
    ("agent", "agent"),
    ("outcome", "outcome"),
    ("err", "error_class"),
    ("binding", "binding"),
];
/// Terms of dead letters.
pub(super) const LETTERS: Names = &[
    ("agent", "agent"),
    ("type", "intent_type"),
    ("reason", "reason"),
    ("err", "error_class"),
    ("group", "fingerprint"),
    ("state", "state"),
];
/// Terms of the audit log.
pub(super) const AUDIT: Names = &[
    ("who", "owner_agent"),
    ("action", "action_prefix"),
    ("via", "via"),
    ("target", "target"),
    ("is", "result"),
];

/// Reads a filter: each name of the API with its value.
///
/// # Errors
/// Usage, for a term that this list does not have.
pub(super) fn read(
    given: Option<&str>,
    names: Names,
    now: Timestamp,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut terms = Vec::new();
    for word in given.unwrap_or_default().split_whitespace() {
        terms.push(term(word, names, now)?);
    }
    Ok(terms)
}

fn term(word: &str, names: Names, now: Timestamp) -> Result<(&'static str, String), Failure> {
    for (begin, name) in [("age<", "since"), ("age>", "until")] {
        if let Some(span) = word.strip_prefix(begin) {
            return Ok((name, when::before(span, now)?.to_string()));
        }
    }
    let (term, value) = word.split_once(':').unwrap_or(("", word));
    let known = names.iter().find(|(known, _)| *known == term);
    match known {
        Some((_, name)) if !value.is_empty() => Ok((name, value.to_owned())),
        _ => {
            let known = names.iter().filter(|(known, _)| !known.is_empty());
            let known: Vec<String> = known.map(|(known, _)| format!("{known}:")).collect();
            Err(
                Failure::usage(format!("--filter: {word:?} is no term of this list"))
                    .hint(format!("terms: {} age< age>", known.join(" "))),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_775_901_600_000);

    #[test]
    fn terms_become_what_the_api_asks() {
        let read = read(Some("agent:orders reason:rejected age<1h"), LETTERS, NOW).unwrap();
        let told: Vec<String> = read
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            told,
            [
                "agent=orders",
                "reason=rejected",
                "since=2026-04-11T09:00:00.000Z"
            ]
        );
    }

    #[test]
    fn a_term_that_a_list_has_not_is_wrong_usage() {
        for wrong in ["colour:red", "agent:", "word", "age<soon"] {
            let refused = read(Some(wrong), LETTERS, NOW).unwrap_err();
            assert_eq!(refused.exit_code(), 2, "{wrong}");
        }
        assert_eq!(
            read(Some("word"), INTENTS, NOW).unwrap(),
            [("q", "word".to_owned())]
        );
        assert_eq!(read(None, INTENTS, NOW).unwrap(), []);
    }
}
