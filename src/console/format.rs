//! Numbers and times as the screens print them.

use crate::domain::time::{Span, Timestamp};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// An age with two units where they matter: `0.1s`, `42s`, `2m27s`, `52m`, `3h28m`, `2d4h`, `40d`.
#[must_use]
pub fn age(span: Span) -> String {
    let millis = span.as_millis();
    match millis {
        ..10_000 => format!("{}.{}s", millis / SECOND, millis % SECOND / 100),
        10_000..MINUTE => format!("{}s", millis / SECOND),
        MINUTE..600_000 => two(millis, MINUTE, "m", SECOND, "s"),
        600_000..HOUR => format!("{}m", millis / MINUTE),
        HOUR..DAY => two(millis, HOUR, "h", MINUTE, "m"),
        _ if millis < 10 * DAY => format_days(millis),
        _ => format!("{}d", millis / DAY),
    }
}

fn format_days(millis: i64) -> String {
    match millis % DAY / HOUR {
        0 => format!("{}d", millis / DAY),
        hours => format!("{}d{hours}h", millis / DAY),
    }
}

/// `3h28m`, `3h05m`, `3h`: the smaller unit in two digits, left out when it is zero.
fn two(millis: i64, big: i64, big_unit: &str, small: i64, small_unit: &str) -> String {
    match millis % big / small {
        0 => format!("{}{big_unit}", millis / big),
        rest => format!("{}{big_unit}{rest:02}{small_unit}", millis / big),
    }
}

/// An age in its largest unit: `0s`, `42s`, `20m`, `3h`, `1d`. For narrow columns.
#[must_use]
pub fn age_short(span: Span) -> String {
    let millis = span.as_millis();
    match millis {
        ..MINUTE => format!("{}s", millis / SECOND),
        MINUTE..HOUR => format!("{}m", millis / MINUTE),
        HOUR..DAY => format!("{}h", millis / HOUR),
        _ => format!("{}d", millis / DAY),
    }
}

/// Time left until `due`, in its largest unit; negative once it has passed: `9m`, `-12m`.
#[must_use]
pub fn left(due: Timestamp, now: Timestamp) -> String {
    if due >= now {
        age_short(due.since(now))
    } else {
        format!("-{}", age_short(now.since(due)))
    }
}

/// How long something took: `38ms`, `1.9s`, `10.0s`, `2m04s`, `1h02m`.
#[must_use]
pub fn duration(span: Span) -> String {
    let millis = span.as_millis();
    match millis {
        ..SECOND => format!("{millis}ms"),
        SECOND..MINUTE => format!("{}.{}s", millis / SECOND, millis % SECOND / 100),
        MINUTE..HOUR => format!("{}m{:02}s", millis / MINUTE, millis % MINUTE / SECOND),
        HOUR..DAY => format!("{}h{:02}m", millis / HOUR, millis % HOUR / MINUTE),
        _ => format!("{}d{:02}h", millis / DAY, millis % DAY / HOUR),
    }
}

/// The time since the one before: `+0ms`, `+10.0s`, `+31m40s`.
#[must_use]
pub fn gap(span: Span) -> String {
    format!("+{}", duration(span))
}

/// The time of day in UTC: `09:41:07`.
#[must_use]
pub fn clock(instant: Timestamp) -> String {
    let seconds = instant.as_seconds().rem_euclid(DAY / SECOND);
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The time of day in UTC with milliseconds: `08:56:23.084`.
#[must_use]
pub fn clock_millis(instant: Timestamp) -> String {
    format!(
        "{}.{:03}",
        clock(instant),
        instant.as_millis().rem_euclid(SECOND)
    )
}

/// The time of day in UTC without seconds: `09:50`.
#[must_use]
pub fn clock_short(instant: Timestamp) -> String {
    clock(instant).chars().take(5).collect()
}

/// The day in UTC: `2026-03-05`.
#[must_use]
pub fn day(instant: Timestamp) -> String {
    let (year, month, day) = civil(day_number(instant));
    format!("{year:04}-{month:02}-{day:02}")
}

/// The shortest name that is not ambiguous: a time of day for today and for less than twelve hours before or
/// after now, a weekday within a week, else the day.
#[must_use]
pub fn moment(instant: Timestamp, now: Timestamp) -> String {
    let is_near = (now.as_millis() - instant.as_millis()).abs() < DAY / 2;
    match day_number(now) - day_number(instant) {
        0 => clock_short(instant),
        _ if is_near => clock_short(instant),
        1..7 => weekday(instant).to_owned(),
        _ => day(instant),
    }
}

/// A moment to the minute, for a sentence that has the room: `09:50` for today, `Mon 23:29` within a week, else
/// `2026-03-05 23:29`.
#[must_use]
pub fn moment_to_the_minute(instant: Timestamp, now: Timestamp) -> String {
    let clock = clock_short(instant);
    match day_number(now) - day_number(instant) {
        0 => clock,
        1..7 => format!("{} {clock}", weekday(instant)),
        _ => format!("{} {clock}", day(instant)),
    }
}

/// The day of the week in UTC: `Mon`.
fn weekday(instant: Timestamp) -> &'static str {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let weekday = usize::try_from(day_number(instant).rem_euclid(7)).unwrap_or_default();
    WEEKDAYS.get(weekday).copied().unwrap_or_default()
}

/// Days since 1970-01-01 in UTC, which was a Thursday.
const fn day_number(instant: Timestamp) -> i64 {
    instant.as_seconds().div_euclid(DAY / SECOND)
}

/// Days since 1970-01-01 as year, month, day in the Gregorian calendar (Hinnant, `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 {
        month_shifted + 3
    } else {
        month_shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A count with thousands apart: `3,204`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count in at most four cells or so: `318`, `3.2k`, `41k`, `1.2M`.
#[must_use]
pub fn count_short(number: u64) -> String {
    const UNITS: [(u64, char); 4] = [
        (1_000_000_000_000, 'T'),
        (1_000_000_000, 'G'),
        (1_000_000, 'M'),
        (1_000, 'k'),
    ];
    for (unit, letter) in UNITS {
        if number >= unit * 10 {
            return format!("{}{letter}", number / unit);
        }
        if number >= unit {
            return format!("{}.{}{letter}", number / unit, number % unit * 10 / unit);
        }
    }
    number.to_string()
}

/// A share of `whole` in percent with one digit: `96.7%`; an en dash of nothing.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    match permille(part, whole) {
        Some(permille) => format!("{}.{}%", permille / 10, permille % 10),
        None => "–".to_owned(),
    }
}

/// A share in thousandths, rounded to the nearest but never up to a whole that is not one.
fn permille(part: u64, whole: u64) -> Option<u64> {
    let whole_wide = u128::from(whole);
    let rounded = (u128::from(part) * 1_000 + whole_wide / 2).checked_div(whole_wide)?;
    let rounded = u64::try_from(rounded).unwrap_or(u64::MAX);
    Some(if part < whole {
        rounded.min(999)
    } else {
        rounded
    })
}

/// A size: `20 B`, `1.2 kB`, `48 MB`.
#[must_use]
pub fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (unit, name) in UNITS {
        if number >= unit * 10 {
            return format!("{} {name}", number / unit);
        }
        if number >= unit {
            return format!("{}.{} {name}", number / unit, number % unit * 10 / unit);
        }
    }
    format!("{number} B")
}

/// The candidate that differs from `name` by the fewest letters, if it is near enough to be meant.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let far = |candidate: &str| 1 + candidate.len() / 3;
    candidates
        // Each letter more is a difference, and counting them all takes the product of both lengths.
        .filter(|candidate| length <= candidate.len() + far(candidate))
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= far(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `, did you mean "help.open"?` where a candidate is near enough, else nothing.
#[must_use]
pub fn did_you_mean(name: &str, candidates: impl IntoIterator<Item: AsRef<str>>) -> String {
    let candidates: Vec<_> = candidates.into_iter().collect();
    nearest(name, candidates.iter().map(AsRef::as_ref))
        .map(|near| format!(", did you mean \"{near}\"?"))
        .unwrap_or_default()
}

/// Levenshtein distance in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = vec![before];
        for (other, above) in right.iter().zip(row.iter().skip(1)) {
            let substituted = diagonal + usize::from(*other != letter);
            before = substituted.min(above + 1).min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: i64) -> Span {
        Span::from_seconds(seconds)
    }

    #[test]
    fn ages_show_two_units_only_where_they_matter() {
        let ages: Vec<_> = [
            100, 9_800, 42_000, 147_000, 3_120_000, 12_480_000, 90_000_000,
        ]
        .map(|millis| age(Span::from_millis(millis)))
        .into();
        assert_eq!(
            ages,
            ["0.1s", "9.8s", "42s", "2m27s", "52m", "3h28m", "1d1h"]
        );
        assert_eq!(age(seconds(7_500)), "2h05m");
        assert_eq!(age(seconds(40 * 86_400)), "40d");
        assert_eq!(
            [0, 59, 1_200, 10_800, 86_400]
                .map(|s| age_short(seconds(s)))
                .join(" "),
            "0s 59s 20m 3h 1d"
        );
    }

    #[test]
    fn time_left_turns_negative_once_due() {
        let now = Timestamp::from_millis(1_000_000_000);
        assert_eq!(left(now.after(seconds(540)), now), "9m");
        assert_eq!(left(now.before(seconds(720)), now), "-12m");
    }

    #[test]
    fn durations_and_gaps() {
        let texts: Vec<_> = [0, 38, 1_900, 10_000, 124_000, 1_900_000]
            .map(|millis| duration(Span::from_millis(millis)))
            .into();
        assert_eq!(texts, ["0ms", "38ms", "1.9s", "10.0s", "2m04s", "31m40s"]);
        assert_eq!(gap(seconds(1_900)), "+31m40s");
    }

    #[test]
    fn clocks_and_days_are_utc() {
        // 2026-03-05T08:56:23.084Z
        let instant = Timestamp::from_millis(1_772_700_983_084);
        assert_eq!(clock(instant), "08:56:23");
        assert_eq!(clock_millis(instant), "08:56:23.084");
        assert_eq!(clock_short(instant), "08:56");
        assert_eq!(day(instant), "2026-03-05");
        assert_eq!(day(Timestamp::from_millis(-1)), "1969-12-31");
        assert_eq!(moment(instant, instant), "08:56");
        assert_eq!(moment(instant, instant.after(seconds(86_400))), "Thu");
        assert_eq!(
            moment(instant, instant.after(seconds(9 * 86_400))),
            "2026-03-05"
        );
    }

    #[test]
    fn a_moment_of_the_night_before_is_told_by_its_clock() {
        // 2026-03-06T00:10Z, a Friday.
        let now = Timestamp::from_millis(1_772_755_800_000);
        let ago = |minutes: i64| now.before(seconds(minutes * 60));
        assert_eq!(moment(ago(40), now), "23:30");
        assert_eq!(moment(ago(12 * 60), now), "Thu");
        assert_eq!(moment(now.after(seconds(86_400)), now), "2026-03-07");
        let late = ago(40);
        assert_eq!(moment(now, late), "00:10", "before midnight, of after it");
        let minute = |minutes: i64| moment_to_the_minute(ago(minutes), now);
        let texts = [5, 40, 3 * 1_440, 9 * 1_440].map(minute);
        assert_eq!(
            texts,
            ["00:05", "Thu 23:30", "Tue 00:10", "2026-02-25 00:10"]
        );
    }

    #[test]
    fn counts_percentages_and_sizes() {
        assert_eq!(
            [0, 318, 3_204, 1_000_000].map(count),
            ["0", "318", "3,204", "1,000,000"]
        );
        assert_eq!(
            [318, 3_204, 41_999, 1_284_000].map(count_short),
            ["318", "3.2k", "41k", "1.2M"]
        );
        assert_eq!(percent(967, 1_000), "96.7%");
        assert_eq!(percent(99_999, 100_000), "99.9%");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(
            [20, 1_234, 48_000_000].map(bytes),
            ["20 B", "1.2 kB", "48 MB"]
        );
    }

    #[test]
    fn the_nearest_name_is_only_offered_when_it_is_near() {
        let known = ["status.bad", "status.good", "text"];
        assert_eq!(nearest("status.bda", known.into_iter()), Some("status.bad"));
        assert_eq!(nearest("quite other", known.into_iter()), None);
    }
}
