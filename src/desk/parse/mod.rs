//! From the wire's JSON to rows.
//!
//! 1. Unknown keys are ignored and missing optional ones are none: an older or newer broker is readable.
//! 2. Foreign JSON (payloads, results, details) is kept as it came.
//! 3. What one derives from the other's numbers is derived in `desk::convert`, the same for both desks.
//!
//! Not here: requests (`desk::remote`). Tested by the suite of `tests/desk.rs`, which compares both desks.

pub(super) mod activity;
pub(super) mod intents;
pub(super) mod jobs;
pub(super) mod letters;
pub(super) mod numbers;
pub(super) mod retry;
pub(super) mod threads;

use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::domain::address::Address;
use crate::domain::payload::Payload;

use super::rows::HeldRow;

/// An id or an instant.
pub(super) fn shown<'de, D, T>(reader: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    String::deserialize(reader)?
        .parse()
        .map_err(D::Error::custom)
}

/// An id or an instant, or none.
pub(super) fn maybe_shown<'de, D, T>(reader: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    Option::<String>::deserialize(reader)?
        .map(|text| text.parse().map_err(D::Error::custom))
        .transpose()
}

/// An address as the wire writes it.
pub(super) fn address<'de, D: Deserializer<'de>>(reader: D) -> Result<Address, D::Error> {
    Ok(to_address(&String::deserialize(reader)?))
}

/// An address as the wire writes it, or none.
pub(super) fn maybe_address<'de, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<Address>, D::Error> {
    Ok(Option::<String>::deserialize(reader)?.map(|text| to_address(&text)))
}

/// The broker has normalised it, so only its scheme is in the way.
pub(super) fn to_address(text: &str) -> Address {
    Address::trusted(text.strip_prefix("agent://").unwrap_or(text))
}

/// One of our words, such as a status.
pub(super) fn word<T, E: Error>(
    kind: &str,
    text: &str,
    find: impl FnOnce(&str) -> Option<T>,
) -> Result<T, E> {
    find(text).ok_or_else(|| E::custom(format!("{kind} {text:?} is unknown here")))
}

/// Defines a reader of one of our words for `deserialize_with`.
macro_rules! word_reader {
    ($name:ident, $kind:ty, $what:literal, $find:expr) => {
        pub(super) fn $name<'de, D: Deserializer<'de>>(reader: D) -> Result<$kind, D::Error> {
            word($what, &String::deserialize(reader)?, $find)
        }
    };
}

word_reader!(
    status,
    crate::domain::status::Status,
    "status",
    crate::domain::status::Status::from_name
);
word_reader!(
    binding,
    crate::domain::agent::Binding,
    "binding",
    crate::domain::agent::Binding::from_name
);
word_reader!(
    outcome,
    crate::domain::attempt::Outcome,
    "outcome",
    crate::domain::attempt::Outcome::from_name
);
word_reader!(
    reason,
    crate::domain::failure::DeadReason,
    "reason",
    crate::domain::failure::DeadReason::from_name
);
word_reader!(
    letter_state,
    crate::store::query::LetterState,
    "state of a dead letter",
    |text| {
        use crate::store::query::LetterState;
        [
            LetterState::Open,
            LetterState::Replayed,
            LetterState::Discarded,
        ]
        .into_iter()
        .find(|state| state.name() == text)
    }
);

word_reader!(
    job_kind,
    crate::domain::job::JobKind,
    "kind of job",
    crate::domain::job::JobKind::from_name
);
word_reader!(
    job_state,
    crate::domain::job::JobState,
    "state of a job",
    crate::domain::job::JobState::from_name
);

/// A status, or none.
pub(super) fn maybe_status<'de, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<crate::domain::status::Status>, D::Error> {
    Ok(Option::<String>::deserialize(reader)?
        .and_then(|name| crate::domain::status::Status::from_name(&name)))
}

/// A class of failure; one that this program does not know is none.
pub(super) fn error_class<'de, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<crate::domain::failure::ErrorClass>, D::Error> {
    Ok(Option::<String>::deserialize(reader)?
        .and_then(|name| crate::domain::failure::ErrorClass::from_name(&name)))
}

/// Foreign JSON as it came.
pub(super) fn payload(raw: Option<&RawValue>) -> Payload {
    raw.map_or_else(Payload::empty, |raw| {
        Payload::any(raw.get()).unwrap_or_else(|_not_json| Payload::empty())
    })
}

/// Something staged, as the wire shows it.
#[derive(Debug, Deserialize)]
pub(super) struct Held {
    #[serde(deserialize_with = "shown")]
    hold_id: crate::domain::ids::HoldId,
    action: String,
    #[serde(deserialize_with = "shown")]
    subject: crate::domain::ids::IntentId,
    by: String,
    #[serde(deserialize_with = "shown")]
    effective_at: crate::domain::time::Timestamp,
}

impl Held {
    pub(super) fn row(self) -> HeldRow {
        HeldRow {
            hold: self.hold_id,
            intent: self.subject,
            act: self.action,
            by: self.by,
            effective_at: self.effective_at,
        }
    }

    /// True for what is staged on a dead letter, false for a decision.
    pub(super) fn is_of_letter(&self) -> bool {
        matches!(self.action.as_str(), "replay" | "discard")
    }
}
