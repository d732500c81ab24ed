//! Attempts: one try each at handing an intent over, and what is known of it.

use std::sync::Arc;

use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::failure::ErrorClass;
use crate::domain::ids::{AttemptId, IntentId};
use crate::domain::time::{Span, Timestamp};

/// How an attempt ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Running.
    InFlight,
    /// Taken; the result is to come.
    Acknowledged,
    /// The result came while it was current.
    Completed,
    /// It failed; the class says how.
    Failed,
    /// No answer in time.
    TimedOut,
    /// Its lease ended or its connection broke.
    Lost,
    /// It was running when the broker died.
    UnknownCrash,
    /// Its result came after it was superseded.
    RejectedStale,
    /// The intent was canceled or timed out meanwhile.
    Withdrawn,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 9] = [
        Self::InFlight,
        Self::Acknowledged,
        Self::Completed,
        Self::Failed,
        Self::TimedOut,
        Self::Lost,
        Self::UnknownCrash,
        Self::RejectedStale,
        Self::Withdrawn,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InFlight => "in_flight",
            Self::Acknowledged => "acknowledged",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Lost => "lost",
            Self::UnknownCrash => "unknown_crash",
            Self::RejectedStale => "rejected_stale",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// The outcome that a failure of `class` gives.
    #[must_use]
    pub const fn of_failure(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Timeout => Self::TimedOut,
            ErrorClass::LeaseLost => Self::Lost,
            ErrorClass::Crash => Self::UnknownCrash,
            _ => Self::Failed,
        }
    }
}

/// What a binding saw of one exchange. All of it is capped and redacted before it gets here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptReport {
    /// Where the time went.
    pub timing: Timing,
    /// The address that was connected to, `127.0.0.1:8080`.
    pub remote_addr: Option<String>,
    /// The request as sent.
    pub request: Option<Excerpt>,
    /// The answer as read.
    pub response: Option<Excerpt>,
    /// The answer's HTTP status, also when it was a good one.
    pub http_status: Option<u16>,
    /// True for a 2xx whose body was not read to its end.
    pub is_body_too_large: bool,
}

/// The parts of an exchange, in milliseconds; absent where unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// Name resolution.
    pub resolve_ms: Option<u32>,
    /// Connecting.
    pub connect_ms: Option<u32>,
    /// The TLS handshake.
    pub tls_ms: Option<u32>,
    /// Until the first byte of the answer.
    pub first_byte_ms: Option<u32>,
    /// All of it.
    pub total_ms: Option<u32>,
}

/// A capped, redacted piece of a request or an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    /// `POST /intent`, or the status line.
    pub line: String,
    /// Headers, values redacted where they are secret.
    pub headers: Vec<(String, String)>,
    /// At most 4 KiB of the body, as text.
    pub body: String,
    /// Bytes of the whole body as far as known.
    pub bytes: u64,
    /// True when `body` is not all of it.
    pub is_truncated: bool,
}

/// One attempt as the store keeps it and operators read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its id, the fence.
    pub id: AttemptId,
    /// Whose try it is.
    pub intent: IntentId,
    /// 1 for the first.
    pub number: u32,
    /// To whom.
    pub agent: Address,
    /// How.
    pub binding: Binding,
    /// When it was handed over.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Outcome,
    /// The class of its failure.
    pub error_class: Option<ErrorClass>,
    /// The sentence of its failure.
    pub error: Option<String>,
    /// When the next one is due.
    pub next_attempt_at: Option<Timestamp>,
    /// What the binding saw.
    pub report: Option<Arc<AttemptReport>>,
}

impl Attempt {
    /// How long it ran, once it has ended.
    #[must_use]
    pub fn latency(&self) -> Option<Span> {
        self.finished_at.map(|end| end.since(self.started_at))
    }
}
