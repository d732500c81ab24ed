//! Groups of one error gathered by something else: nothing lost, nothing twice.

use proptest::prelude::*;

use super::fixtures;
use crate::console::regroup::{GroupBy, gather};
use crate::desk::rows::LetterGroupRow;
use crate::domain::failure::ErrorClass;
use crate::domain::time::{Span, Timestamp};
use crate::store::query::LetterFilter;

/// A group of one error with so many letters in each of the last hours, newest first, and so many before.
fn group(
    number: usize,
    agent: u8,
    status: Option<u16>,
    hourly: &[u32],
    before: u64,
) -> LetterGroupRow {
    let mut row = fixtures::deliveries::groups().remove(0);
    row.fingerprint = format!("1:{number:04}");
    row.to = fixtures::address(&format!("agent-{agent}"));
    row.intent_type = format!("intent.type-{}.v1", agent % 2);
    row.http_status = status;
    row.error_class = status.map(|_| ErrorClass::Http5xx);
    row.hourly = vec![0; 24];
    for (hour, deaths) in hourly.iter().enumerate() {
        row.hourly[23 - hour] = *deaths;
    }
    row.count = before + hourly.iter().map(|deaths| u64::from(*deaths)).sum::<u64>();
    row.first_at = fixtures::now().before(Span::from_seconds(90_000));
    row.last_at = fixtures::now();
    row
}

fn groups() -> impl Strategy<Value = Vec<LetterGroupRow>> {
    let one = (
        0_u8..4,
        prop::option::of(prop::sample::select(vec![500_u16, 502, 503])),
        prop::collection::vec(0_u32..5, 0..24),
        0_u64..4,
    );
    prop::collection::vec(one, 0..12).prop_map(|parts| {
        let rows = parts.into_iter().enumerate();
        rows.map(|(number, (agent, status, hourly, before))| {
            group(number, agent, status, &hourly, before)
        })
        .filter(|row| row.count > 0)
        .collect()
    })
}

proptest! {
    #[test]
    fn gathering_loses_no_letter_and_counts_none_twice(groups in groups()) {
        let sum = |rows: &[LetterGroupRow]| rows.iter().map(|row| row.count).sum::<u64>();
        for by in [GroupBy::Agent, GroupBy::Type, GroupBy::Code, GroupBy::Hour] {
            let (rows, bundles) = gather(&groups, by, fixtures::now());
            prop_assert_eq!(sum(&rows), sum(&groups), "by {}", by.word());
            prop_assert_eq!(rows.len(), bundles.len());
        }
    }
}

#[test]
fn hours_follow_each_other_without_a_gap_and_end_in_what_was_before() {
    let groups = [group(1, 0, Some(503), &[2, 0, 1], 4)];
    let (rows, bundles) = gather(&groups, GroupBy::Hour, fixtures::now());
    let counts: Vec<(&str, u64)> = rows
        .iter()
        .map(|row| (bundles[&row.fingerprint].label.as_str(), row.count))
        .collect();
    assert_eq!(counts, [("last hour", 2), ("2h ago", 1), ("before", 4)]);
    let hour = |hours: i64| Some(fixtures::now().before(Span::from_seconds(hours * 3_600)));
    let filters: Vec<_> = rows
        .iter()
        .map(|row| bundles[&row.fingerprint].letters(&LetterFilter::default()))
        .map(|filter| (filter.since, filter.until))
        .collect();
    assert_eq!(
        filters,
        [(hour(1), None), (hour(3), hour(2)), (None, hour(24))]
    );
}

#[test]
fn a_job_is_given_a_status_only_where_its_class_has_no_other() {
    let alone = [
        group(1, 0, Some(503), &[1], 0),
        group(2, 1, Some(503), &[1], 0),
    ];
    let (_, bundles) = gather(&alone, GroupBy::Code, fixtures::now());
    let among = LetterFilter::default();
    let selection = bundles["code:503"].selection(&among).unwrap();
    assert_eq!(selection.error_class, Some(ErrorClass::Http5xx));
    let beside = [
        group(1, 0, Some(503), &[1], 0),
        group(2, 1, Some(502), &[1], 0),
    ];
    let (_, bundles) = gather(&beside, GroupBy::Code, fixtures::now());
    let refused = bundles["code:503"].selection(&among).unwrap_err();
    assert!(refused.contains("mark the letters"), "{refused}");
    let bundle = &bundles["code:503"];
    assert!(bundle.is_wide() && bundle.takes(Some(503)) && !bundle.takes(Some(502)));
}

#[test]
fn an_hour_that_began_yesterday_is_named_with_its_day_and_its_minute() {
    // 2026-03-06T00:10Z: the last hour began on Thursday.
    let now = Timestamp::from_millis(1_772_755_800_000);
    let groups = [group(1, 0, Some(503), &[2, 0, 1], 4)];
    let (rows, bundles) = gather(&groups, GroupBy::Hour, now);
    let about: Vec<String> = rows
        .iter()
        .map(|row| bundles[&row.fingerprint].about(now))
        .collect();
    assert_eq!(
        about,
        [
            "letters that died since Thu 23:10",
            "letters that died from Thu 21:10 to Thu 22:10",
            "letters that died before Thu 00:10",
        ]
    );
}
