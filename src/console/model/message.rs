//! Lines for the operator: on the status line for a while, in the log for longer.

use crate::clock::Mono;
use crate::domain::time::Timestamp;

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Something went as it should.
    Info,
    /// Something was refused or is off.
    Warn,
    /// Something is broken.
    Error,
}

impl Weight {
    /// The word in the message log.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// A line for the operator.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// When, for the log.
    pub(crate) at: Timestamp,
    /// When, for the status line.
    pub(crate) mono: Mono,
    /// How much it matters.
    pub(crate) weight: Weight,
    /// The words.
    pub(crate) text: String,
    /// Set once a key was pressed after it: it stays in the log alone.
    pub(crate) is_read: bool,
}
