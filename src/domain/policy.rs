//! The numbers by which the rules decide. Defaults are the protocol's; `config` may change them.

use crate::domain::address::Home;
use crate::domain::mesh::MeshPolicy;
use crate::domain::time::Span;

/// Everything the engine decides by that is neither in the intent nor in the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Names that complete a bare address.
    pub home: Home,
    /// Attempts of an intent that does not say, the first included.
    pub max_delivery_attempts: u32,
    /// How long a receiver may hold an attempt without result, when its account does not say.
    pub ack_timeout: Span,
    /// Deadline of an intent that has none; zero means none.
    pub default_ttl: Span,
    /// Stream and poll: delay after the first failed attempt; doubles with each one.
    pub pull_retry_base: Span,
    /// Stream and poll: the longest delay.
    pub pull_retry_max: Span,
    /// Push: delays after attempt 1, 2, 3, ...; the last one repeats.
    pub push_retry_delays: Vec<Span>,
    /// The longest `Retry-After` that is obeyed.
    pub retry_after_max: Span,
    /// Jitter of every delay, uniform, in percent to either side.
    pub jitter_percent: u32,
    /// True when a 4xx other than 408, 409, 425, 429 ends the intent at once.
    pub is_4xx_permanent: bool,
    /// The longest hold of a decision or replay.
    pub hold_max: Span,
    /// Most bytes of the results of a run's steps together, and of what a step is given beside the payload.
    pub run_bytes_max: usize,
    /// Most bytes of what is said of an intent by changes of its controls and policy.
    pub controls_bytes_max: usize,
    /// How long what is finished stays.
    pub retention: Retention,
    /// What the age of heartbeats means.
    pub mesh: MeshPolicy,
    /// How listeners at one address are told apart.
    pub listening: Listening,
    /// Dead letters within an hour beyond which the operator is told; zero is never.
    pub letters_per_hour_max: u32,
}

/// When a listener that remembers nothing may take over what streams hold that live no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// How long it has to be the only one first.
    pub alone: Span,
    /// How long after two were seen at once nobody may: they share the work, and one without a connection may be at it.
    pub company_remembered: Span,
}

impl Default for Listening {
    fn default() -> Self {
        Self {
            alone: Span::from_seconds(2),
            company_remembered: Span::from_seconds(3600),
        }
    }
}

/// How long what is finished stays. What is unfinished is never removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Finished intents.
    pub finished: Span,
    /// Dead letters, whatever became of them.
    pub dead_letters: Span,
    /// Entries of the audit log.
    pub audit: Span,
    /// Answers under idempotency keys.
    pub answers: Span,
    /// Finished jobs, with what became of each of their intents.
    pub jobs: Span,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: i64| Span::from_seconds(days.saturating_mul(86_400));
        Self {
            finished: days(30),
            dead_letters: days(90),
            audit: days(90),
            answers: days(7),
            jobs: days(90),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            home: Home::default(),
            max_delivery_attempts: 3,
            ack_timeout: Span::from_seconds(300),
            default_ttl: Span::ZERO,
            pull_retry_base: Span::from_seconds(1),
            pull_retry_max: Span::from_seconds(300),
            push_retry_delays: [5, 30, 120, 600, 1800, 3600]
                .map(Span::from_seconds)
                .to_vec(),
            retry_after_max: Span::from_seconds(3600),
            jitter_percent: 20,
            is_4xx_permanent: false,
            hold_max: Span::from_seconds(60),
            run_bytes_max: 1 << 20,
            controls_bytes_max: 16 << 10,
            retention: Retention::default(),
            mesh: MeshPolicy::default(),
            listening: Listening::default(),
            letters_per_hour_max: 100,
        }
    }
}
