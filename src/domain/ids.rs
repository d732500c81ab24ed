//! Identifiers. Public ones are text on the wire, numbers or UUIDs inside.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::str::FromStr;

use uuid::Uuid;

use crate::domain::excerpt::{WORD_CHARS_MAX, excerpt};

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{:?} is not {expected}", excerpt(.given, WORD_CHARS_MAX))]
pub struct BadId {
    /// The text as it came.
    pub given: String,
    /// What would have been right, with an example.
    pub expected: &'static str,
}

/// A map by intent. Ids are given out by this program and random, so their own bits are the hash.
pub type IdMap<T> = HashMap<IntentId, T, BuildHasherDefault<IdHasher>>;

/// Takes the random end of an id for its hash.
#[derive(Debug, Clone, Copy, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(end) = bytes.last_chunk() {
            // Two bits of the first of these bytes are fixed; maps look at the lowest and topmost bits.
            self.0 = u64::from_ne_bytes(*end).rotate_left(20);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// An intent: a UUID of version 7, so that ids sort by time of acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentId(pub Uuid);

impl IntentId {
    /// The id accepted at `unix_millis`, its random part from `entropy`.
    #[must_use]
    pub fn new(unix_millis: i64, entropy: [u8; 10]) -> Self {
        let millis = u64::try_from(unix_millis).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid())
    }

    /// The last eight hexadecimal characters: the label that lists show.
    #[must_use]
    pub fn short(self) -> String {
        let [.., a, b, c, d] = *self.0.as_bytes();
        format!("{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

impl fmt::Display for IntentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

impl FromStr for IntentId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Uuid::try_parse(text).map(Self).map_err(|_ignored| BadId {
            given: text.to_owned(),
            expected: "an intent id such as 018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d",
        })
    }
}

/// A thread of an inbox. The completion of an intent uses the intent's own UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(pub Uuid);

impl fmt::Display for ThreadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

impl FromStr for ThreadId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Uuid::try_parse(text).map(Self).map_err(|_ignored| BadId {
            given: text.to_owned(),
            expected: "a thread id, which is a UUID",
        })
    }
}

/// Makes a numbered identifier with a prefix, as the wire writes it.
macro_rules! numbered_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix($prefix)
                    .and_then(|number| number.parse().ok())
                    .map(Self)
                    .ok_or_else(|| BadId { given: text.to_owned(), expected: $expected })
            }
        }
    };
}

numbered_id!(
    /// An attempt: the fence. Given out by the writer in rising order and never twice, whatever crashes.
    AttemptId, "att_", "an attempt id such as att_7"
);
numbered_id!(
    /// A held command.
    HoldId, "hld_", "a hold id such as hld_3"
);
numbered_id!(
    /// A job.
    JobId, "job_", "a job id such as job_1"
);
numbered_id!(
    /// A service account.
    AccountId, "sa_", "an account id such as sa_1"
);
numbered_id!(
    /// A key of an account.
    KeyId, "key_", "a key id such as key_1"
);
numbered_id!(
    /// A live connection of a receiver; means nothing after a restart.
    SessionId, "ses_", "a session id such as ses_1"
);
numbered_id!(
    /// An entry of an agent's send policy.
    PolicyEntryId, "pol_", "an id of a policy entry such as pol_1"
);
numbered_id!(
    /// An entry of the audit log.
    AuditId, "aud_", "an audit id such as aud_1"
);

/// A position in the feed of committed facts: 1, 2, 3, ... without gaps. Zero is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cursor(pub u64);

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_what_they_print_and_refuse_the_rest() {
        assert_eq!("att_9".parse(), Ok(AttemptId(9)));
        assert_eq!(HoldId(3).to_string(), "hld_3");
        assert!("att_x".parse::<AttemptId>().is_err());
        assert!("9".parse::<AttemptId>().is_err());
        let id = IntentId::new(1_775_901_600_000, [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.0.get_version_num(), 7);
        assert!(id.to_string().ends_with(&id.short()));
    }
}
