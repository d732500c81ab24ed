//! The limits of the console's header.

use super::tree::Values;

/// A number that is normal up to a limit, to be warned of beyond it, and alarming beyond another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Where the header warns.
    pub warn: u64,
    /// Where it is alarmed.
    pub crit: u64,
}

/// The limits of the header. Shares are in percent and are bad when they fall below; times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Attempts that succeeded in five minutes, in percent.
    pub ok_percent: Limit,
    /// Lag of the worst agent that is ok, in seconds.
    pub due_lag_seconds: Limit,
    /// Age of the oldest unfinished intent, in seconds.
    pub oldest_seconds: Limit,
    /// Dead letters of the last hour.
    pub dead_per_hour: Limit,
    /// Retries that are due.
    pub due_retries: Limit,
}

impl Default for Header {
    /// As the table of keys has them.
    fn default() -> Self {
        let limit = |warn, crit| Limit { warn, crit };
        Self {
            ok_percent: limit(99, 90),
            due_lag_seconds: limit(5, 60),
            oldest_seconds: limit(86_400, 604_800),
            dead_per_hour: limit(1, 100),
            due_retries: limit(1_000, 100_000),
        }
    }
}

pub(super) fn header(values: &mut Values<'_>) -> Header {
    let mut limit = |warn: &'static str, crit: &'static str| Limit {
        warn: values.number(warn),
        crit: values.number(crit),
    };
    Header {
        ok_percent: limit("header.ok_percent_warn", "header.ok_percent_crit"),
        due_lag_seconds: limit("header.due_lag_seconds_warn", "header.due_lag_seconds_crit"),
        oldest_seconds: limit("header.oldest_seconds_warn", "header.oldest_seconds_crit"),
        dead_per_hour: limit("header.dead_per_hour_warn", "header.dead_per_hour_crit"),
        due_retries: limit("header.due_retries_warn", "header.due_retries_crit"),
    }
}
