//! The mesh: agents that say from time to time that they live, and what they count (wire contract 13).

use crate::domain::address::Address;
use crate::domain::time::{Span, Timestamp};

/// Days of counts that are kept: a month and the day under way.
pub const DAYS_MAX: usize = 31;

/// Events of one agent that are kept, the newest.
pub const EVENTS_MAX: usize = 50;

const DAY_MILLIS: i64 = 86_400_000;

/// What the age of the last heartbeat means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MeshPolicy {
    /// From this age on an agent is degraded.
    pub degraded: Span,
    /// Beyond this age it is unreachable.
    pub unreachable: Span,
    /// Whether nothing is pushed to an unreachable one.
    pub is_unreachable_held: bool,
}

impl Default for MeshPolicy {
    fn default() -> Self {
        Self {
            degraded: Span::from_seconds(90),
            unreachable: Span::from_seconds(300),
            is_unreachable_held: true,
        }
    }
}

/// How an agent is, as far as its heartbeats tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Health {
    /// It has never beaten.
    #[default]
    Unknown,
    /// It beats.
    Healthy,
    /// It is late.
    Degraded,
    /// It is very late.
    Unreachable,
}

impl Health {
    /// Every health.
    pub const ALL: [Self; 4] = [
        Self::Unknown,
        Self::Healthy,
        Self::Degraded,
        Self::Unreachable,
    ];

    /// The health of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|health| health.name() == name)
    }

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unreachable => "unreachable",
        }
    }
}

/// What an agent counts. It sends what came since its last heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Metrics {
    /// Intents it worked on.
    pub intents_total: u64,
    /// Of those that ended well.
    pub intents_succeeded: u64,
    /// Of those that did not.
    pub intents_failed: u64,
    /// The sum of its latencies in microseconds.
    pub latency_micros: u64,
    /// What it cost, in millionths of a dollar.
    pub cost_micros: u64,
}

impl Metrics {
    /// Both together.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self {
            intents_total: self.intents_total.saturating_add(more.intents_total),
            intents_succeeded: self
                .intents_succeeded
                .saturating_add(more.intents_succeeded),
            intents_failed: self.intents_failed.saturating_add(more.intents_failed),
            latency_micros: self.latency_micros.saturating_add(more.latency_micros),
            cost_micros: self.cost_micros.saturating_add(more.cost_micros),
        }
    }
}

/// The counts of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970.
    pub number: u64,
    /// What was counted.
    pub metrics: Metrics,
}

/// Something that became of an agent in the mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeshEvent {
    /// 1, 2, 3, ... within its agent.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// `agent.killed`, `agent.revived`, `agent.health_changed`.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// The health before and after, or why.
    pub words: Vec<String>,
}

/// What is known of an agent in the mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beats {
    /// Whose.
    pub agent: Address,
    /// When it beat last.
    pub last_at: Option<Timestamp>,
    /// Its health as it was last told.
    pub told: Health,
    /// What it counted, oldest day first.
    pub days: Vec<Day>,
    /// What became of it, oldest first.
    pub events: Vec<MeshEvent>,
}

impl Beats {
    /// Of an agent of which nothing is known.
    #[must_use]
    pub const fn of(agent: Address) -> Self {
        Self {
            agent,
            last_at: None,
            told: Health::Unknown,
            days: Vec::new(),
            events: Vec::new(),
        }
    }

    /// One heartbeat with its counts.
    pub fn beat(&mut self, now: Timestamp, metrics: Metrics) {
        self.last_at = Some(self.last_at.map_or(now, |last| last.max(now)));
        if metrics == Metrics::default() {
            return;
        }
        let number = day_of(now);
        match self.days.last_mut() {
            Some(day) if day.number >= number => day.metrics = day.metrics.plus(metrics),
            _ => self.days.push(Day { number, metrics }),
        }
        let surplus = self.days.len().saturating_sub(DAYS_MAX);
        self.days.drain(..surplus);
    }

    /// How it is. Silence from before `awake`, when nobody could hear it, is not its own.
    #[must_use]
    pub fn health(&self, now: Timestamp, awake: Timestamp, policy: &MeshPolicy) -> Health {
        let Some(last) = self.heard(awake) else {
            return Health::Unknown;
        };
        let age = now.since(last);
        if age > policy.unreachable {
            Health::Unreachable
        } else if age >= policy.degraded {
            Health::Degraded
        } else {
            Health::Healthy
        }
    }

    /// When it will be worse if it keeps silent.
    #[must_use]
    pub fn next_change(
        &self,
        now: Timestamp,
        awake: Timestamp,
        policy: &MeshPolicy,
    ) -> Option<Timestamp> {
        let last = self.heard(awake)?;
        let just_beyond = Span::from_millis(policy.unreachable.as_millis().saturating_add(1));
        [last.after(policy.degraded), last.after(just_beyond)]
            .into_iter()
            .filter(|at| *at > now)
            .min()
    }

    fn heard(&self, awake: Timestamp) -> Option<Timestamp> {
        let last = self.last_at?;
        Some(match self.told {
            Health::Unreachable => last,
            Health::Unknown | Health::Healthy | Health::Degraded => last.max(awake),
        })
    }

    /// What it counted in the last days, today included.
    #[must_use]
    pub fn counted(&self, now: Timestamp, days: u64) -> Metrics {
        let first = day_of(now).saturating_sub(days.saturating_sub(1));
        let within = self.days.iter().filter(|day| day.number >= first);
        within.fold(Metrics::default(), |sum, day| sum.plus(day.metrics))
    }

    /// Writes down what became of it.
    pub fn note(&mut self, at: Timestamp, kind: &str, actor: &str, words: Vec<String>) {
        let number = self.events.last().map_or(1, |last| last.number + 1);
        self.events.push(MeshEvent {
            number,
            at,
            kind: kind.to_owned(),
            actor: actor.to_owned(),
            words,
        });
        let surplus = self.events.len().saturating_sub(EVENTS_MAX);
        self.events.drain(..surplus);
    }
}

fn day_of(now: Timestamp) -> u64 {
    u64::try_from(now.as_millis().div_euclid(DAY_MILLIS)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::Home;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_775_901_600_000 + seconds * 1000)
    }

    #[test]
    fn health_is_the_age_of_the_last_heartbeat() {
        let policy = MeshPolicy::default();
        let mut beats = Beats::of(Address::parse("orders", &Home::default()).unwrap());
        assert_eq!(beats.health(at(0), at(-1), &policy), Health::Unknown);
        beats.beat(at(0), Metrics::default());
        for (seconds, health, next) in [
            (0, Health::Healthy, Some(at(90))),
            (89, Health::Healthy, Some(at(90))),
            (
                90,
                Health::Degraded,
                Some(at(300).after(Span::from_millis(1))),
            ),
            (
                300,
                Health::Degraded,
                Some(at(300).after(Span::from_millis(1))),
            ),
            (301, Health::Unreachable, None),
        ] {
            assert_eq!(
                beats.health(at(seconds), at(-1), &policy),
                health,
                "{seconds}"
            );
            assert_eq!(
                beats.next_change(at(seconds), at(-1), &policy),
                next,
                "{seconds}"
            );
        }
    }

    #[test]
    fn counts_add_up_by_day_and_old_days_go() {
        let mut beats = Beats::of(Address::parse("orders", &Home::default()).unwrap());
        let one = Metrics {
            intents_total: 1,
            ..Metrics::default()
        };
        for day in 0..40 {
            beats.beat(at(day * 86_400), one);
            beats.beat(at(day * 86_400 + 1), one);
        }
        assert_eq!(beats.days.len(), DAYS_MAX);
        let now = at(39 * 86_400 + 2);
        for (days, total) in [(1, 2), (7, 14), (30, 60)] {
            assert_eq!(beats.counted(now, days).intents_total, total, "{days}");
        }
    }
}
