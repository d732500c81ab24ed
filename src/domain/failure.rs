//! What can go wrong with a delivery, and why an intent is a dead letter.

use std::fmt;

use crate::domain::time::Span;

/// The class of a failed attempt. Each says whether a retry makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// The name did not resolve.
    Dns,
    /// No connection.
    Connect,
    /// No TLS session.
    Tls,
    /// The connection broke.
    Reset,
    /// No full answer in time.
    Timeout,
    /// 3xx: never followed.
    Http3xx,
    /// Another 4xx.
    Http4xx,
    /// 408, 409 or 425.
    HttpConflict,
    /// 429.
    Http429,
    /// 5xx.
    Http5xx,
    /// 410: the receiver is gone for good.
    Gone410,
    /// The address guard refused the target.
    BlockedAddress,
    /// The receiver's secret cannot sign.
    BadSignatureConfig,
    /// The receiver gave it back.
    Nack,
    /// The lease ended, or the connection broke.
    LeaseLost,
    /// The receiver answered that it failed.
    HandlerFailed,
    /// It was running when the broker died.
    Crash,
}

impl ErrorClass {
    /// Every class.
    pub const ALL: [Self; 17] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Reset,
        Self::Timeout,
        Self::Http3xx,
        Self::Http4xx,
        Self::HttpConflict,
        Self::Http429,
        Self::Http5xx,
        Self::Gone410,
        Self::BlockedAddress,
        Self::BadSignatureConfig,
        Self::Nack,
        Self::LeaseLost,
        Self::HandlerFailed,
        Self::Crash,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::Timeout => "timeout",
            Self::Http3xx => "http_3xx",
            Self::Http4xx => "http_4xx",
            Self::HttpConflict => "http_408_409_425",
            Self::Http429 => "http_429",
            Self::Http5xx => "http_5xx",
            Self::Gone410 => "gone_410",
            Self::BlockedAddress => "blocked_address",
            Self::BadSignatureConfig => "bad_signature_config",
            Self::Nack => "nack",
            Self::LeaseLost => "lease_lost",
            Self::HandlerFailed => "handler_failed",
            Self::Crash => "unknown_crash",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// True when no retry can help, whatever the policy says.
    #[must_use]
    pub const fn is_permanent(self) -> bool {
        matches!(self, Self::Gone410 | Self::BlockedAddress)
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its class.
    pub class: ErrorClass,
    /// The HTTP status, when there was one.
    pub http_status: Option<u16>,
    /// A sentence for people, at most 2000 characters.
    pub message: String,
    /// What the receiver asked for: not before this long from now.
    pub retry_after: Option<Span>,
}

impl Failure {
    /// A failure of `class` without an HTTP status.
    #[must_use]
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self {
            class,
            http_status: None,
            message: message.into(),
            retry_after: None,
        }
    }
}

/// Why an intent is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeadReason {
    /// The budget of attempts is used up.
    Attempts,
    /// The receiver said that no retry can help.
    Permanent,
    /// The target address was refused.
    SsrfBlocked,
    /// The last attempt was running when the broker died.
    PoisonCrash,
    /// The deadline came before anybody acknowledged, or the next attempt would be past it.
    Deadline,
    /// The receiver answered with a failure.
    HandlerFailed,
    /// A person said no. Listed only when asked for.
    Rejected,
    /// The payload was refused at hand-over.
    Schema,
    /// An operator ended it as failed.
    Operator,
}

impl DeadReason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Attempts,
        Self::Permanent,
        Self::SsrfBlocked,
        Self::PoisonCrash,
        Self::Deadline,
        Self::HandlerFailed,
        Self::Rejected,
        Self::Schema,
        Self::Operator,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Permanent => "permanent",
            Self::SsrfBlocked => "ssrf_blocked",
            Self::PoisonCrash => "poison_crash",
            Self::Deadline => "deadline",
            Self::HandlerFailed => "handler_failed",
            Self::Rejected => "rejected",
            Self::Schema => "schema",
            Self::Operator => "operator",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// True when delivery was given up, false when somebody answered no.
    #[must_use]
    pub const fn is_given_up(self) -> bool {
        matches!(
            self,
            Self::Attempts
                | Self::Permanent
                | Self::SsrfBlocked
                | Self::PoisonCrash
                | Self::Deadline
        )
    }
}
