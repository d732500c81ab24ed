//! Instants as people say them: how old, how soon, until when.

use serde_json::Value;

use super::failure::Failure;
use crate::domain::time::{Span, Timestamp};

/// Reads an RFC 3339 instant, or a length of time from `now` such as `30s`, `10m`, `2h`, `1d`.
pub(super) fn deadline(given: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Some(span) = span(given) {
        return Ok(now.after(span));
    }
    given
        .parse()
        .map_err(|error: crate::domain::time::BadTimestamp| {
            Failure::usage(error.to_string()).hint("or from now: 30s, 10m, 2h, 1d")
        })
}

/// An instant so long before `now`, such as `2h`.
pub(super) fn before(given: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let span = span(given).ok_or_else(|| {
        Failure::usage(format!("{given:?} is no length of time")).hint("such as 30s, 10m, 2h, 1d")
    })?;
    Ok(now.before(span))
}

fn span(given: &str) -> Option<Span> {
    let unit = given.chars().last()?;
    let number: i64 = given.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    (number >= 0).then(|| Span::from_seconds(number.saturating_mul(seconds)))
}

/// How long ago the instant at `pointer` was: `4s`, `12m`, `3h`, `2d`; empty when there is none.
pub(super) fn ago(value: &Value, pointer: &str, now: Timestamp) -> String {
    instant(value, pointer).map_or_else(String::new, |at| length(now.since(at)))
}

/// How soon the instant at `pointer` comes: `in 4s`, `4s ago`; empty when there is none.
pub(super) fn until(value: &Value, pointer: &str, now: Timestamp) -> String {
    match instant(value, pointer) {
        None => String::new(),
        Some(at) if at > now => format!("in {}", length(at.since(now))),
        Some(at) => format!("{} ago", length(now.since(at))),
    }
}

/// The time of day at `pointer`, in UTC with milliseconds.
pub(super) fn clock_time(value: &Value, pointer: &str) -> String {
    let text = super::client::text(value, pointer);
    let time = text
        .split_once('T')
        .map(|(_, time)| time.trim_end_matches('Z').to_owned());
    time.unwrap_or(text)
}

/// A length in its largest two units.
pub(super) fn length(span: Span) -> String {
    let seconds = span.as_seconds();
    match seconds {
        0 if span.as_millis() > 0 => format!("{}ms", span.as_millis()),
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

fn instant(value: &Value, pointer: &str) -> Option<Timestamp> {
    value.pointer(pointer)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_taken_in_both_forms() {
        let now = Timestamp::from_millis(1_775_901_600_000);
        assert_eq!(
            deadline("10m", now).unwrap(),
            now.after(Span::from_seconds(600))
        );
        assert_eq!(deadline("2026-04-11T10:00:00Z", now).unwrap(), now);
        assert!(deadline("tomorrow", now).is_err());
        assert!(deadline("5ü", now).is_err());
    }

    #[test]
    fn lengths_keep_their_two_largest_units() {
        let text = |seconds| length(Span::from_seconds(seconds));
        assert_eq!(
            [text(4), text(72), text(7260), text(90_000)],
            ["4s", "1m12s", "2h01m", "1d01h"]
        );
        assert_eq!(length(Span::from_millis(40)), "40ms");
    }
}
