//! How bad a number of the header is: in a word, and as a role.

use crate::config::Limit;
use crate::console::theme::Role;

/// How bad a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Normal,
    Warn,
    Crit,
}

impl Level {
    /// Of a number that is bad when it is high.
    pub(super) const fn above(value: u64, limit: Limit) -> Self {
        if value >= limit.crit && limit.crit > 0 {
            Self::Crit
        } else if value >= limit.warn && limit.warn > 0 {
            Self::Warn
        } else {
            Self::Normal
        }
    }

    /// Of a share in percent, which is bad when it is low.
    pub(super) fn below(percent: f64, limit: Limit) -> Self {
        let is_under = |limit: u64| percent < f64::from(u32::try_from(limit).unwrap_or(u32::MAX));
        if is_under(limit.crit) {
            Self::Crit
        } else if is_under(limit.warn) {
            Self::Warn
        } else {
            Self::Normal
        }
    }

    /// The word after the number; normal ones need none.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Normal => "",
            Self::Warn => " warn",
            Self::Crit => " crit",
        }
    }

    /// How it looks; `normal` while nothing is wrong.
    pub(super) const fn role(self, normal: Role) -> Role {
        match self {
            Self::Normal => normal,
            Self::Warn => Role::Warn,
            Self::Crit => Role::Crit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_bad_from_its_limit_on_and_a_share_below_it() {
        let limit = Limit { warn: 5, crit: 60 };
        assert_eq!(Level::above(4, limit), Level::Normal);
        assert_eq!(Level::above(5, limit), Level::Warn);
        assert_eq!(Level::above(60, limit), Level::Crit);
        let never = Limit { warn: 0, crit: 0 };
        assert_eq!(
            Level::above(u64::MAX, never),
            Level::Normal,
            "zero is never"
        );
        let share = Limit { warn: 99, crit: 90 };
        assert_eq!(Level::below(99.0, share), Level::Normal);
        assert_eq!(Level::below(96.7, share), Level::Warn);
        assert_eq!(Level::below(12.0, share), Level::Crit);
    }
}
