//! When the next try is due.

use crate::domain::agent::Binding;
use crate::domain::failure::{ErrorClass, Failure};
use crate::domain::policy::Policy;
use crate::domain::time::Span;

/// How long to wait after failed attempt number `number` (from 1).
///
/// Push: the schedule of the policy, the last step repeating; `Retry-After` moves it later, never earlier,
/// and at most so far as the policy allows. Pull: doubling from the base to the maximum. Both with jitter.
/// A `fixed` delay of the intent's own takes the place of both, as it was asked for.
pub(super) fn delay(
    binding: Binding,
    number: u32,
    failure: &Failure,
    fixed: Option<Span>,
    policy: &Policy,
    entropy: u64,
) -> Span {
    let steps = number.saturating_sub(1);
    let own = if binding.is_pull() {
        let doubled = policy
            .pull_retry_base
            .times(1_i64.checked_shl(steps.min(40)).unwrap_or(1));
        doubled.min(policy.pull_retry_max)
    } else {
        let index = usize::try_from(steps).unwrap_or(usize::MAX);
        let schedule = &policy.push_retry_delays;
        schedule
            .get(index)
            .or_else(|| schedule.last())
            .copied()
            .unwrap_or(Span::ZERO)
    };
    let own = fixed.unwrap_or_else(|| jittered(own, policy.jitter_percent, entropy));
    match failure.retry_after {
        Some(asked) => own.max(asked.min(policy.retry_after_max)),
        None => own,
    }
}

/// The span moved by a uniform share of at most `percent` to either side.
fn jittered(span: Span, percent: u32, entropy: u64) -> Span {
    let percent = i64::from(percent.min(100));
    let width = span.as_millis().saturating_mul(percent) / 100;
    if width == 0 {
        return span;
    }
    let range = u64::try_from(width.saturating_mul(2).saturating_add(1)).unwrap_or(1);
    let offset = i64::try_from(entropy % range)
        .unwrap_or(0)
        .saturating_sub(width);
    Span::from_millis(span.as_millis().saturating_add(offset))
}

/// True when no retry can help.
pub(super) const fn is_permanent(class: ErrorClass, policy: &Policy) -> bool {
    class.is_permanent() || (matches!(class, ErrorClass::Http4xx) && policy.is_4xx_permanent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(binding: Binding, number: u32, entropy: u64) -> i64 {
        let failure = Failure::new(ErrorClass::Http5xx, "503");
        delay(binding, number, &failure, None, &Policy::default(), entropy).as_millis()
    }

    #[test]
    fn a_push_waits_five_seconds_then_thirty_and_at_last_an_hour_each_time() {
        let middle = |number| {
            let policy = Policy {
                jitter_percent: 0,
                ..Policy::default()
            };
            let failure = Failure::new(ErrorClass::Http5xx, "503");
            delay(Binding::Http, number, &failure, None, &policy, 0).as_seconds()
        };
        let delays: Vec<i64> = (1..=8).map(middle).collect();
        assert_eq!(delays, [5, 30, 120, 600, 1800, 3600, 3600, 3600]);
    }

    #[test]
    fn jitter_stays_within_twenty_percent_and_reaches_both_ends() {
        let delays: Vec<i64> = (0..4001)
            .map(|entropy| plain(Binding::Http, 1, entropy))
            .collect();
        assert_eq!(delays.iter().min(), Some(&4000));
        assert_eq!(delays.iter().max(), Some(&6000));
    }

    #[test]
    fn a_pull_doubles_to_five_minutes() {
        let policy = Policy {
            jitter_percent: 0,
            ..Policy::default()
        };
        let failure = Failure::new(ErrorClass::LeaseLost, "lease ended");
        let seconds =
            |number| delay(Binding::Poll, number, &failure, None, &policy, 0).as_seconds();
        assert_eq!([1, 2, 3, 9, 60].map(seconds), [1, 2, 4, 256, 300]);
    }

    #[test]
    fn retry_after_moves_the_next_try_later_but_never_earlier_nor_past_an_hour() {
        let policy = Policy {
            jitter_percent: 0,
            ..Policy::default()
        };
        let asked = |seconds| {
            let mut failure = Failure::new(ErrorClass::Http429, "429");
            failure.retry_after = Some(Span::from_seconds(seconds));
            delay(Binding::Http, 1, &failure, None, &policy, 0).as_seconds()
        };
        assert_eq!([1, 7, 315_360_000].map(asked), [5, 7, 3600]);
    }
}
