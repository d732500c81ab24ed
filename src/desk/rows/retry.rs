//! The schedule of tries as the broker has it, for what people are told of the next one.

use crate::domain::agent::Binding;
use crate::domain::policy::Policy;
use crate::domain::time::Span;

/// How long the broker waits between tries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetryRule {
    /// Attempts of an intent that does not say.
    pub max_attempts: u32,
    /// How long a receiver may hold an attempt, when its account does not say.
    pub lease: Span,
    /// Jitter of every delay, in percent to either side.
    pub jitter_percent: u32,
    /// Push: delays after attempt 1, 2, 3, ...; the last one repeats.
    pub push_delays: Vec<Span>,
    /// Stream and poll: delay after the first failed attempt; doubles with each one.
    pub pull_base: Span,
    /// Stream and poll: the longest delay.
    pub pull_max: Span,
}

impl RetryRule {
    /// What a policy says.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        Self {
            max_attempts: policy.max_delivery_attempts,
            lease: policy.ack_timeout,
            jitter_percent: policy.jitter_percent,
            push_delays: policy.push_retry_delays.clone(),
            pull_base: policy.pull_retry_base,
            pull_max: policy.pull_retry_max,
        }
    }

    /// The wait after failed attempt `number` (from 1), before jitter; none where nothing is retried.
    #[must_use]
    pub fn wait_after(&self, binding: Binding, number: u32) -> Option<Span> {
        let steps = number.saturating_sub(1);
        match binding {
            Binding::Http => {
                let index = usize::try_from(steps).unwrap_or(usize::MAX);
                let delays = &self.push_delays;
                delays.get(index).or_else(|| delays.last()).copied()
            }
            Binding::Stream | Binding::Poll => {
                let times = 1_i64.checked_shl(steps.min(40)).unwrap_or(1);
                Some(self.pull_base.times(times).min(self.pull_max))
            }
            Binding::Inbox | Binding::Internal => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_the_schedules() {
        let rule = RetryRule::of(&Policy::default());
        let seconds = |binding, number| rule.wait_after(binding, number).map(Span::as_seconds);
        assert_eq!(seconds(Binding::Http, 2), Some(30));
        assert_eq!(seconds(Binding::Http, 90), Some(3_600));
        assert_eq!(seconds(Binding::Poll, 4), Some(8));
        assert_eq!(seconds(Binding::Stream, 40), Some(300));
        assert_eq!(seconds(Binding::Inbox, 1), None);
    }
}
