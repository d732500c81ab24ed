//! What a value may be, and how each form of it is read and printed.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::domain::time::Span;

/// The unit that a key has in its name, for durations given as plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds: `_ms`.
    Millis,
    /// Seconds: `_seconds`.
    Seconds,
    /// Hours: `_hours`.
    Hours,
    /// Days: `_days`.
    Days,
}

impl Unit {
    const fn millis(self) -> i64 {
        match self {
            Self::Millis => 1,
            Self::Seconds => 1000,
            Self::Hours => 3_600_000,
            Self::Days => 86_400_000,
        }
    }

    /// The unit as a word for tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Millis => "ms",
            Self::Seconds => "s",
            Self::Hours => "h",
            Self::Days => "days",
        }
    }
}

/// What the value of a key must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// Text that must be there.
    Name,
    /// Text that is never shown.
    Hidden,
    /// A file or directory; empty means none.
    Path,
    /// `HOST:PORT` with an address of this machine or `localhost`.
    Listen,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number {
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// A number of bytes, also as `64KiB` or `1MiB`.
    Bytes {
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// A share between 0 and 1.
    Ratio,
    /// A duration: a number in the key's unit, or `30s`, `2m`, `1h`.
    Time {
        /// The unit of a plain number.
        unit: Unit,
        /// The shortest allowed, in that unit.
        min: i64,
        /// The longest allowed, in that unit.
        max: i64,
    },
    /// Durations one after the other, at least one.
    Times,
    /// Any number of texts.
    Texts,
    /// Any number of host names, addresses and networks.
    Networks,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// A value as it came from one of the sources, before it is known what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    /// A quoted text of the file.
    Text(String),
    /// A number or a truth value of the file.
    Bare(String),
    /// A list of the file.
    List(Vec<String>),
    /// Something else of the file, such as a date: no key takes one.
    Other(&'static str),
    /// From the environment or the command line, where everything is text.
    Loose(String),
}

/// A value that fits its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Path(Option<PathBuf>),
    Listen(SocketAddr),
    Flag(bool),
    Number(u64),
    Percent(u32),
    Time(Span),
    Times(Vec<Span>),
    Texts(Vec<String>),
}

impl Kind {
    /// Reads a value, or says what would have been one.
    pub(super) fn read(self, given: &Given) -> Result<Value, String> {
        self.try_read(given).ok_or_else(|| self.expected())
    }

    fn try_read(self, given: &Given) -> Option<Value> {
        match self {
            Self::Text | Self::Hidden => text(given).map(|text| Value::Text(text.to_owned())),
            Self::Name => text(given)
                .filter(|text| !text.trim().is_empty())
                .map(|text| Value::Text(text.to_owned())),
            Self::Path => {
                text(given).map(|text| Value::Path((!text.is_empty()).then(|| PathBuf::from(text))))
            }
            Self::Listen => text(given).and_then(listen).map(Value::Listen),
            Self::Flag => match bare(given)? {
                "true" => Some(Value::Flag(true)),
                "false" => Some(Value::Flag(false)),
                _ => None,
            },
            Self::Number { min, max } => bare(given)
                .and_then(|text| text.replace('_', "").parse().ok())
                .filter(|number| (min..=max).contains(number))
                .map(Value::Number),
            Self::Bytes { min, max } => word(given)
                .and_then(bytes)
                .filter(|number| (min..=max).contains(number))
                .map(Value::Number),
            Self::Ratio => bare(given).and_then(percent).map(Value::Percent),
            Self::Time { unit, min, max } => word(given)
                .and_then(|text| span(text, Some(unit)))
                .filter(|span| {
                    let range =
                        min.saturating_mul(unit.millis())..=max.saturating_mul(unit.millis());
                    range.contains(&span.as_millis())
                })
                .map(Value::Time),
            Self::Times => {
                let spans: Option<Vec<Span>> =
                    list(given)?.iter().map(|text| span(text, None)).collect();
                spans.filter(|spans| !spans.is_empty()).map(Value::Times)
            }
            Self::Texts => list(given).map(Value::Texts),
            Self::Networks => list(given)
                .filter(|entries| entries.iter().all(|entry| is_network_or_host(entry)))
                .map(Value::Texts),
            Self::Choice(words) => text(given)
                .filter(|text| words.contains(text))
                .map(|text| Value::Text(text.to_owned())),
        }
    }

    /// What a value of this kind looks like, to follow "must be".
    pub(super) fn expected(self) -> String {
        match self {
            Self::Text | Self::Hidden | Self::Path => "a text in quotes".to_owned(),
            Self::Name => "a text in quotes that is not empty".to_owned(),
            Self::Listen => {
                "HOST:PORT with an IP address or localhost, such as 127.0.0.1:8100".to_owned()
            }
            Self::Flag => "true or false".to_owned(),
            Self::Number { min, max: u64::MAX } => format!("a whole number, at least {min}"),
            Self::Number { min, max } => format!("a whole number from {min} to {max}"),
            Self::Bytes { min, max } => {
                format!("a number of bytes from {min} to {max}, such as 65536 or 64KiB")
            }
            Self::Ratio => "a number from 0 to 1, such as 0.2".to_owned(),
            Self::Time { unit, min, max } => format!(
                "a duration from {min} to {max} {}, as a whole number or such as 30s, 2m, 1h",
                unit.word()
            ),
            Self::Times => "durations such as 5s 30s 2m, at least one".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Networks => {
                "a list of host names, IP addresses and networks such as 10.0.0.0/8".to_owned()
            }
            Self::Choice(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// What was given, for a message.
    pub(super) fn shown(self, given: &Given) -> String {
        match given {
            _ if self == Self::Hidden => "***".to_owned(),
            Given::Text(text) | Given::Loose(text) => quoted(text),
            Given::Bare(text) => text.clone(),
            Given::List(texts) => format!("{texts:?}"),
            Given::Other(name) => (*name).to_owned(),
        }
    }

    /// The value as TOML; hidden ones are masked.
    pub(super) fn print(self, value: &Value) -> String {
        match (self, value) {
            (Self::Hidden, Value::Text(text)) if !text.is_empty() => quoted("***"),
            (Self::Time { unit, .. }, Value::Time(span)) => print_time(*span, unit),
            (_, Value::Text(text)) => quoted(text),
            (_, Value::Path(path)) => quoted(
                &path
                    .as_ref()
                    .map_or_else(String::new, |path| path.display().to_string()),
            ),
            (_, Value::Listen(address)) => quoted(&address.to_string()),
            (_, Value::Flag(flag)) => flag.to_string(),
            (_, Value::Number(number)) => number.to_string(),
            (_, Value::Percent(percent)) => format!("{}.{:02}", percent / 100, percent % 100),
            (_, Value::Time(span)) => quoted(&span_text(*span)),
            (_, Value::Times(spans)) => {
                let texts: Vec<String> = spans.iter().map(|span| span_text(*span)).collect();
                quoted(&texts.join(" "))
            }
            (_, Value::Texts(texts)) => {
                let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                format!("[{}]", texts.join(", "))
            }
        }
    }
}

/// A text that prints as stars: secrets never reach logs, events or screens.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Every caller has a reason.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// True when there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_empty() { "none" } else { "***" })
    }
}

fn text(given: &Given) -> Option<&str> {
    match given {
        Given::Text(text) | Given::Loose(text) => Some(text),
        Given::Bare(_) | Given::List(_) | Given::Other(_) => None,
    }
}

fn bare(given: &Given) -> Option<&str> {
    match given {
        Given::Bare(text) | Given::Loose(text) => Some(text.trim()),
        Given::Text(_) | Given::List(_) | Given::Other(_) => None,
    }
}

fn word(given: &Given) -> Option<&str> {
    match given {
        Given::Bare(text) | Given::Text(text) | Given::Loose(text) => Some(text.trim()),
        Given::List(_) | Given::Other(_) => None,
    }
}

/// A list of the file, or words between commas and spaces; with brackets and quotes if one likes.
fn list(given: &Given) -> Option<Vec<String>> {
    match given {
        Given::List(texts) => Some(texts.clone()),
        Given::Text(text) | Given::Loose(text) => {
            let text = text.trim();
            let inner = text
                .strip_prefix('[')
                .and_then(|text| text.strip_suffix(']'));
            let words = inner.unwrap_or(text).split([',', ' ']);
            let words = words.map(|word| word.trim().trim_matches(['"', '\'']));
            let words = words.filter(|word| !word.is_empty());
            Some(words.map(str::to_owned).collect())
        }
        Given::Bare(_) | Given::Other(_) => None,
    }
}

fn listen(text: &str) -> Option<SocketAddr> {
    let numeric = text.strip_prefix("localhost:");
    numeric.map_or_else(
        || text.parse().ok(),
        |port| format!("127.0.0.1:{port}").parse().ok(),
    )
}

/// Splits `64KiB` into its number and its unit.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|character: char| !character.is_ascii_digit() && character != '_')
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    Some((digits.replace('_', "").parse().ok()?, unit.trim()))
}

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" | "K" => 1024,
        "MiB" | "M" => 1024 * 1024,
        "GiB" | "G" => 1024 * 1024 * 1024,
        _ => return None,
    };
    number.checked_mul(factor)
}

fn percent(text: &str) -> Option<u32> {
    let ratio: f64 = text.parse().ok()?;
    let is_share = (0.0..=1.0).contains(&ratio);
    // Printed and read back: no rounding rule of our own, and no cast that could truncate.
    let percent = is_share.then(|| format!("{:.0}", ratio * 100.0))?;
    percent.parse().ok()
}

/// Reads `500ms`, `30s`, `2m`, `1h`, `7d`, or a number in `plain`.
pub(super) fn span(text: &str, plain: Option<Unit>) -> Option<Span> {
    let (number, unit) = number_and_unit(text)?;
    let factor = match unit {
        "" if number == 0 => 1,
        "" => plain?.millis(),
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let millis = i64::try_from(number).ok()?.checked_mul(factor)?;
    Some(Span::from_millis(millis))
}

fn print_time(span: Span, unit: Unit) -> String {
    if span.as_millis() % unit.millis() == 0 {
        (span.as_millis() / unit.millis()).to_string()
    } else {
        quoted(&span_text(span))
    }
}

/// The span in the largest unit that takes it whole.
fn span_text(span: Span) -> String {
    let millis = span.as_millis();
    let units = [("h", 3_600_000), ("m", 60_000), ("s", 1000)];
    let whole = units
        .iter()
        .find(|(_, factor)| millis > 0 && millis % factor == 0);
    match whole {
        Some((unit, factor)) => format!("{}{unit}", millis / factor),
        None if millis == 0 => "0s".to_owned(),
        None => format!("{millis}ms"),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn is_network_or_host(text: &str) -> bool {
    if text.contains('/') {
        return text.parse::<ipnet::IpNet>().is_ok();
    }
    let is_host_character =
        |character: char| character.is_ascii_alphanumeric() || "-._*".contains(character);
    text.parse::<std::net::IpAddr>().is_ok()
        || (!text.is_empty() && text.chars().all(is_host_character))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loose(text: &str) -> Given {
        Given::Loose(text.to_owned())
    }

    #[test]
    fn durations_are_read_in_their_unit_or_with_one() {
        let kind = Kind::Time {
            unit: Unit::Seconds,
            min: 1,
            max: 3600,
        };
        let read = |text: &str| kind.read(&loose(text));
        assert_eq!(read("30"), Ok(Value::Time(Span::from_seconds(30))));
        assert_eq!(read("2m"), Ok(Value::Time(Span::from_seconds(120))));
        assert_eq!(read("1500ms"), Ok(Value::Time(Span::from_millis(1500))));
        for wrong in ["", "m", "30x", "-1", "0", "2h", "99999999999999999999"] {
            assert!(read(wrong).is_err(), "{wrong:?} was taken");
        }
        for text in ["30", "\"1500ms\""] {
            let value = read(text.trim_matches('"')).unwrap();
            assert_eq!(kind.print(&value), text);
        }
    }

    #[test]
    fn what_the_file_must_quote_is_told_from_what_it_must_not() {
        let number = Kind::Number { min: 1, max: 9 };
        assert!(number.read(&Given::Text("3".to_owned())).is_err());
        assert_eq!(
            number.read(&Given::Bare("3".to_owned())),
            Ok(Value::Number(3))
        );
        assert!(Kind::Text.read(&Given::Bare("3".to_owned())).is_err());
        assert!(Kind::Flag.read(&loose("yes")).is_err());
    }

    #[test]
    fn sizes_shares_lists_and_addresses_read_as_people_write_them() {
        let size = Kind::Bytes {
            min: 1,
            max: 1 << 30,
        };
        assert_eq!(size.read(&loose("64KiB")), Ok(Value::Number(65536)));
        assert_eq!(Kind::Ratio.read(&loose("0.2")), Ok(Value::Percent(20)));
        assert!(Kind::Ratio.read(&loose("1.5")).is_err());
        let spans = [5, 30, 120].map(Span::from_seconds).to_vec();
        let times = Kind::Times.read(&loose("[\"5s\", \"30s\", \"2m\"]"));
        assert_eq!(times, Ok(Value::Times(spans)));
        assert_eq!(Kind::Times.print(&times.unwrap()), "\"5s 30s 2m\"");
        assert!(Kind::Times.read(&loose("")).is_err());
        assert!(
            Kind::Networks
                .read(&loose("10.0.0.0/8, hooks.example"))
                .is_ok()
        );
        assert!(Kind::Networks.read(&loose("10.0.0.0/99")).is_err());
        assert!(Kind::Listen.read(&loose("localhost:0")).is_ok());
        assert!(Kind::Listen.read(&loose("8100")).is_err());
    }

    #[test]
    fn a_secret_is_never_printed() {
        let value = Value::Text("hunter2".to_owned());
        assert_eq!(Kind::Hidden.print(&value), "\"***\"");
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "***");
    }
}
