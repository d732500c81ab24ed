//! Instants of the wall clock and lengths of time, both in milliseconds.

use std::fmt;
use std::str::FromStr;

use crate::domain::excerpt::{WORD_CHARS_MAX, excerpt};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A length of time in milliseconds, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

impl Timestamp {
    /// The instant `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long after `earlier` this instant is; zero when it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        let span = self.0.saturating_sub(earlier.0);
        Span(if span < 0 { 0 } else { span })
    }

    /// This instant moved into the future, saturating.
    #[must_use]
    pub const fn after(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This instant moved into the past, saturating.
    #[must_use]
    pub const fn before(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of milliseconds; a negative number becomes zero.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < 0 { 0 } else { millis })
    }

    /// A span of seconds, saturating; a negative number becomes zero.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_millis(seconds.saturating_mul(1000))
    }

    /// A span of seconds with a fraction; anything that is no positive number becomes zero.
    #[must_use]
    pub fn from_seconds_f64(seconds: f64) -> Self {
        let millis =
            std::time::Duration::try_from_secs_f64(seconds).map_or(0, |span| span.as_millis());
        Self::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    /// The span in milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The span in whole seconds, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0 / 1000
    }

    /// The span `factor` times over, saturating.
    #[must_use]
    pub const fn times(self, factor: i64) -> Self {
        Self::from_millis(self.0.saturating_mul(factor))
    }

    /// The same span for the standard library; units are kept.
    #[must_use]
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

/// RFC 3339, UTC, `Z`, milliseconds: `2026-04-11T10:00:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What lies outside the calendar is only ever "never": its last instant stands for it.
        let (first, last) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
        let millis = self.0.clamp(first.as_millisecond(), last.as_millisecond());
        let instant = jiff::Timestamp::from_millisecond(millis).unwrap_or(last);
        write!(formatter, "{instant:.3}")
    }
}

/// Why a text is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{:?} is not an RFC 3339 time such as 2026-04-11T10:00:00Z", excerpt(.given, WORD_CHARS_MAX))]
pub struct BadTimestamp {
    /// The text as it came.
    pub given: String,
}

/// Any RFC 3339 offset is accepted. The last hours of the year 9999, which callers write for
/// "never", are read as the last instant that prints in every offset.
impl FromStr for Timestamp {
    type Err = BadTimestamp;

    fn from_str(text: &str) -> Result<Self, BadTimestamp> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .or_else(|| is_end_of_9999(text).then_some(jiff::Timestamp::MAX))
            .map(|instant| Self(instant.as_millisecond()))
            .ok_or_else(|| BadTimestamp {
                given: text.to_owned(),
            })
    }
}

/// Whether a text is an instant of RFC 3339 in the year 9999.
fn is_end_of_9999(text: &str) -> bool {
    jiff::fmt::temporal::Pieces::parse(text).is_ok_and(|pieces| {
        pieces.date().year() == 9999 && pieces.time().is_some() && pieces.offset().is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_prints_as_rfc_3339_with_milliseconds_and_reads_back() {
        let instant = Timestamp::from_millis(1_775_901_600_042);
        assert_eq!(instant.to_string(), "2026-04-11T10:00:00.042Z");
        assert_eq!("2026-04-11T12:00:00.042+02:00".parse(), Ok(instant));
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert!("9999-12-31".parse::<Timestamp>().is_err());
        assert!("+10000-01-01T00:00:00Z".parse::<Timestamp>().is_err());
    }

    #[test]
    fn never_is_the_last_instant_that_prints() {
        let never: Timestamp = "9999-12-31T23:59:59Z".parse().unwrap();
        assert_eq!(never.to_string(), "9999-12-30T22:00:00.999Z");
        assert_eq!(never.to_string().parse(), Ok(never));
        let later = never.after(Span::from_millis(i64::MAX));
        assert_eq!(later.to_string(), never.to_string());
    }

    #[test]
    fn a_clock_that_jumped_back_gives_no_negative_span() {
        let (early, late) = (Timestamp::from_millis(5), Timestamp::from_millis(9));
        assert_eq!(early.since(late), Span::ZERO);
        assert_eq!(late.since(early).as_millis(), 4);
        assert_eq!(
            Timestamp::from_millis(i64::MAX)
                .after(Span::from_seconds(9))
                .as_millis(),
            i64::MAX
        );
    }
}
