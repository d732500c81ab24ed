//! Numbers that follow from other numbers: states of agents, shares, rates. The same for both desks.

use crate::domain::agent::Binding;
use crate::domain::mesh::Health;
use crate::domain::status::State;
use crate::domain::time::Timestamp;

use super::rows::{AgentRow, AgentState, BindingRow};

/// Attempts in five minutes below which a mixed error share says nothing.
const DEGRADED_ATTEMPTS_MIN: u64 = 10;
/// The error share above which an agent counts as degraded, in percent.
const DEGRADED_PERCENT: f64 = 10.0;
/// How long after its last request a poller still counts as listening, in milliseconds.
const POLLER_SEEN_MS: i64 = 60_000;

/// How long after its last window ended, or after its last answer, a stream still counts as listening, in
/// milliseconds. A window ends with its rows, and the next one is asked for when they are worked off: long enough
/// for a client that comes back within the few seconds after which an `EventSource` does, and short enough that an
/// agent that fell over is called offline before somebody looks twice.
const STREAM_SEEN_MS: i64 = 10_000;

/// What is known of an agent's traffic, from either side.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traffic {
    /// Live connections.
    pub(super) connections: u64,
    /// When it was last connected or answered.
    pub(super) last_seen_at: Option<Timestamp>,
    /// Intents that it holds.
    pub(super) leased: u64,
    /// Attempts that succeeded in the last five minutes.
    pub(super) succeeded: u64,
    /// Attempts that ended otherwise in the last five minutes.
    pub(super) failed: u64,
}

impl Traffic {
    /// The failed share in percent; none without attempts.
    pub(super) fn error_percent(self) -> Option<f64> {
        share_percent(self.failed, self.succeeded.saturating_add(self.failed))
    }

    /// Connected streams, and one where a poller or a stream between two windows has been seen lately. Who holds
    /// intents is at work on them, and may take longer to come back.
    pub(super) fn listeners(self, binding: Binding, now: Timestamp) -> u64 {
        let seen_ms = match binding {
            Binding::Poll => POLLER_SEEN_MS,
            Binding::Stream if self.leased > 0 => POLLER_SEEN_MS,
            Binding::Stream => STREAM_SEEN_MS,
            Binding::Http | Binding::Inbox | Binding::Internal => return self.connections,
        };
        let is_recent = |seen| now.since(seen).as_millis() < seen_ms;
        if self.last_seen_at.is_some_and(is_recent) {
            self.connections.max(1)
        } else {
            self.connections
        }
    }

    /// The state of an agent, its pause apart. A pull binding that nobody serves is offline when
    /// work waits there, or when nobody has ever come. Where everything failed, few attempts say enough.
    pub(super) fn state(self, binding: Binding, queued: u64, now: Timestamp) -> AgentState {
        let is_unserved = binding.is_pull() && self.listeners(binding, now) == 0;
        if is_unserved && (queued > 0 || self.last_seen_at.is_none()) {
            return AgentState::Offline;
        }
        let ended = self.succeeded.saturating_add(self.failed);
        let is_failing = self
            .error_percent()
            .is_some_and(|percent| percent > DEGRADED_PERCENT);
        let says_enough = ended >= DEGRADED_ATTEMPTS_MIN || self.succeeded == 0;
        if says_enough && is_failing {
            AgentState::Degraded
        } else {
            AgentState::Ok
        }
    }
}

/// The state of an agent whose heartbeats say more than its traffic: one that is late is degraded, one that is
/// very late is offline. One that never beat says nothing.
pub(super) fn by_heartbeat(state: AgentState, health: Health) -> AgentState {
    match health {
        Health::Unknown | Health::Healthy => state,
        Health::Degraded => state.min(AgentState::Degraded),
        Health::Unreachable => AgentState::Offline,
    }
}

/// An agent that is well and whose intents wait because of a rate.
pub(super) fn throttled(state: AgentState, is_throttled: bool) -> AgentState {
    match state {
        AgentState::Ok if is_throttled => AgentState::Throttled,
        other => other,
    }
}

/// A part of a whole in percent; none of nothing.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share on a screen; counts stay far below 2^52"
)]
pub(super) fn share_percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

/// Worst first; within a state by error share, then by what waits, then by address.
pub(super) fn sort_worst_first(rows: &mut [AgentRow]) {
    rows.sort_by(|one, other| {
        let share = |row: &AgentRow| row.error_percent.unwrap_or(0.0);
        one.state
            .cmp(&other.state)
            .then_with(|| share(other).total_cmp(&share(one)))
            .then_with(|| other.queued.cmp(&one.queued))
            .then_with(|| one.address.cmp(&other.address))
    });
}

/// The worst lag of an agent that is ok; inboxes are left out, for people are not late by milliseconds.
pub(super) fn due_lag_ms(agents: &[AgentRow]) -> u64 {
    agents
        .iter()
        .filter(|row| row.state == AgentState::Ok && row.binding != Binding::Inbox)
        .filter_map(|row| row.lag_ms)
        .max()
        .unwrap_or(0)
}

/// Retries whose instant has come: what retries, but what still backs off.
pub(super) fn retries_due(states: &[u64; 8], bindings: &[BindingRow]) -> u64 {
    let retrying = State::ALL
        .into_iter()
        .zip(states)
        .find_map(|(state, count)| (state == State::Retrying).then_some(*count))
        .unwrap_or(0);
    let backing_off = bindings
        .iter()
        .fold(0_u64, |sum, row| sum.saturating_add(row.backing_off));
    retrying.saturating_sub(backing_off)
}

/// The average of the last `seconds` numbers of a series with one number per second.
pub(super) fn per_second(series: &[u32], seconds: u32) -> f64 {
    let wanted = usize::try_from(seconds).unwrap_or(usize::MAX);
    let sum: u64 = series
        .iter()
        .rev()
        .take(wanted)
        .map(|&number| u64::from(number))
        .sum();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate on a screen; sums stay far below 2^52"
    )]
    let total = sum as f64;
    total / f64::from(seconds.max(1))
}

/// Three decimals: what the wire carries, so that both desks show the same.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Span;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_775_901_600_000)
    }

    #[test]
    fn an_agent_is_offline_only_when_nobody_serves_a_pull_binding_with_work_or_ever() {
        let seen = Traffic {
            last_seen_at: Some(Timestamp::from_millis(1)),
            ..Traffic::default()
        };
        let never = Traffic::default();
        assert_eq!(seen.state(Binding::Stream, 1, now()), AgentState::Offline);
        assert_eq!(seen.state(Binding::Stream, 0, now()), AgentState::Ok);
        assert_eq!(never.state(Binding::Poll, 0, now()), AgentState::Offline);
        assert_eq!(never.state(Binding::Http, 9, now()), AgentState::Ok);
        let polled = Traffic {
            last_seen_at: Some(now()),
            ..Traffic::default()
        };
        assert_eq!(polled.listeners(Binding::Poll, now()), 1);
        assert_eq!(polled.state(Binding::Poll, 5, now()), AgentState::Ok);
    }

    #[test]
    fn a_stream_between_two_windows_is_still_there_and_longer_while_it_holds_work() {
        let ago = |seconds: i64, leased: u64| Traffic {
            last_seen_at: Some(now().before(Span::from_seconds(seconds))),
            leased,
            ..Traffic::default()
        };
        let state = |traffic: Traffic| traffic.state(Binding::Stream, 4, now());
        assert_eq!(ago(9, 0).listeners(Binding::Stream, now()), 1);
        assert_eq!(state(ago(9, 0)), AgentState::Ok);
        assert_eq!(state(ago(10, 0)), AgentState::Offline);
        assert_eq!(ago(10, 0).listeners(Binding::Stream, now()), 0);
        assert_eq!(state(ago(59, 2)), AgentState::Ok);
        assert_eq!(state(ago(60, 2)), AgentState::Offline);
    }

    #[test]
    fn heartbeats_that_are_late_make_an_agent_degraded_then_offline() {
        let of = |state, health| by_heartbeat(state, health);
        assert_eq!(of(AgentState::Ok, Health::Degraded), AgentState::Degraded);
        assert_eq!(
            of(AgentState::Offline, Health::Degraded),
            AgentState::Offline
        );
        assert_eq!(of(AgentState::Ok, Health::Unreachable), AgentState::Offline);
        assert_eq!(
            of(AgentState::Degraded, Health::Healthy),
            AgentState::Degraded
        );
        assert_eq!(of(AgentState::Ok, Health::Unknown), AgentState::Ok);
    }

    #[test]
    fn an_agent_is_degraded_above_a_tenth_of_at_least_ten_attempts_or_when_all_failed() {
        let of = |succeeded, failed| {
            Traffic {
                connections: 1,
                last_seen_at: Some(now()),
                leased: 0,
                succeeded,
                failed,
            }
            .state(Binding::Http, 0, now())
        };
        assert_eq!(of(9, 1), AgentState::Ok);
        assert_eq!(of(8, 2), AgentState::Degraded);
        assert_eq!(of(1, 8), AgentState::Ok);
        assert_eq!(of(0, 1), AgentState::Degraded);
        assert_eq!(of(0, 0), AgentState::Ok);
    }

    #[test]
    fn a_rate_is_the_average_of_the_last_seconds_even_of_a_short_series() {
        assert!((per_second(&[100, 5, 5], 2) - 5.0).abs() < f64::EPSILON);
        assert!((per_second(&[10], 10) - 1.0).abs() < f64::EPSILON);
    }
}
