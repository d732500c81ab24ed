//! More intents die within an hour than the operator wants to hear of in the morning.

use serde_json::json;

use super::{announce, end, news};
use crate::broker::batch::Batch;
use crate::broker::notices::{self, Words};
use crate::domain::failure::DeadReason;
use crate::domain::ids::IntentId;
use crate::domain::payload::Payload;
use crate::domain::time::{Span, Timestamp};
use crate::store::error::StoreError;
use crate::store::query::{LetterFilter, LetterState, PageRequest};
use crate::store::{Reader, Write};

/// The number under which is kept whether letters were told to rise.
const RISING: &str = "letters_rising";
/// The text under which the notice about it is kept.
const NOTICE: &str = "letters_notice";
/// Minutes of the window.
const MINUTES: usize = 60;
/// Letters of each state that a start looks at, at most.
const READ_MAX: u32 = 10_000;

/// What was told last, and the deaths of the last hour.
#[derive(Debug, Clone)]
pub(super) struct Letters {
    is_rising: bool,
    notice: Option<IntentId>,
    hour: Hour,
}

impl Letters {
    /// Counts the last hour anew, as far as it needs to be known.
    pub(super) fn read(
        reader: &mut dyn Reader,
        limit: u32,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut hour = Hour::at(now);
        let page = PageRequest {
            limit: limit.saturating_add(1).min(READ_MAX),
            cursor: None,
        };
        for state in [
            LetterState::Open,
            LetterState::Replayed,
            LetterState::Discarded,
        ] {
            let filter = LetterFilter {
                since: Some(now.before(Span::from_seconds(3600))),
                state: Some(state),
                ..LetterFilter::default()
            };
            for intent in reader.letters(&filter, &page)?.items {
                if let Some(letter) = &intent.dead_letter
                    && letter.reason != DeadReason::Rejected
                {
                    hour.add(letter.at);
                }
            }
        }
        Ok(Self {
            is_rising: reader.number(RISING)?.unwrap_or(0) > 0,
            notice: reader.text(NOTICE)?.and_then(|text| text.parse().ok()),
            hour,
        })
    }
}

/// Over the limit it begins; at half of it it is over, or it would begin and end by turns.
fn is_rising(count: u32, limit: u32, was_rising: bool) -> bool {
    match limit {
        0 => false,
        limit if was_rising => count > limit / 2,
        limit => count > limit,
    }
}

pub(super) fn round(batch: &mut Batch<'_>, told: &mut Letters) -> Result<(), StoreError> {
    let limit = batch.policy.letters_per_hour_max;
    told.hour.pass(batch.now);
    for at in std::mem::take(&mut batch.letters) {
        told.hour.add(at);
    }
    let count = told.hour.sum();
    let is_rising = is_rising(count, limit, told.is_rising);
    if is_rising == told.is_rising {
        return Ok(());
    }
    told.is_rising = is_rising;
    batch.txn.put(Write::Number(RISING, u64::from(is_rising)))?;
    let kind = if is_rising {
        "dead_letter.rising"
    } else {
        "dead_letter.calm"
    };
    let data = json!({ "last_hour": count, "limit_per_hour": limit });
    let news = news(batch, kind, None, &data);
    announce(batch, &news)?;
    batch.notice(news)?;
    if !is_rising {
        tracing::info!(count, limit, "few intents die again");
        return match told.notice.take() {
            Some(notice) => end(batch, notice, "few intents die again"),
            None => Ok(()),
        };
    }
    tracing::warn!(count, limit, "many intents die: see the dead letters");
    let words = Words {
        intent_type: "intent.dead_letters.rising.v1",
        title: format!("{count} intents died within an hour"),
        description: format!(
            "That is more than dead_letters.alarm_per_hour allows ({limit}). The dead letters, grouped by what \
             they have in common, say which receivers and why: `postroom dead`. This notice ends by itself when \
             the last hour has at most {}.",
            limit / 2
        ),
        payload: Payload::of(&data),
        correlation_id: None,
        trace_id: None,
    };
    if let Some(id) = notices::give(batch, told.notice, words)? {
        told.notice = Some(id);
        batch.txn.put(Write::Text(NOTICE, id.to_string()))?;
    }
    Ok(())
}

/// Counts by minute of the wall clock, the running one first.
#[derive(Debug, Clone, Copy)]
struct Hour {
    minute: i64,
    counts: [u32; MINUTES],
}

impl Hour {
    fn at(now: Timestamp) -> Self {
        Self {
            minute: minute_of(now),
            counts: [0; MINUTES],
        }
    }

    /// Moves on to now. A clock that was set back by more than the window starts it anew.
    fn pass(&mut self, now: Timestamp) {
        let passed = minute_of(now).saturating_sub(self.minute);
        let window = i64::try_from(MINUTES).unwrap_or(i64::MAX);
        if passed <= 0 && passed > -window {
            return;
        }
        let gone = usize::try_from(passed).unwrap_or(MINUTES).min(MINUTES);
        self.counts.rotate_right(gone);
        self.counts
            .iter_mut()
            .take(gone)
            .for_each(|count| *count = 0);
        self.minute = minute_of(now);
    }

    fn add(&mut self, at: Timestamp) {
        let age = self.minute.saturating_sub(minute_of(at));
        let place = usize::try_from(age).unwrap_or(0);
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add(1);
        }
    }

    fn sum(&self) -> u32 {
        self.counts
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }
}

fn minute_of(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis((29_598_360 + minute) * 60_000)
    }

    #[test]
    fn an_hour_forgets_minute_by_minute_and_a_clock_set_back_begins_anew() {
        let mut hour = Hour::at(at(0));
        for minute in [0, 0, 30, 59] {
            hour.pass(at(minute));
            hour.add(at(minute));
        }
        assert_eq!(hour.sum(), 4);
        hour.pass(at(60));
        assert_eq!(hour.sum(), 2, "the first minute is an hour ago");
        hour.pass(at(40));
        hour.add(at(40));
        assert_eq!(hour.sum(), 3, "set back a little, nothing is lost");
        hour.pass(at(-1000));
        assert_eq!(hour.sum(), 0);
        hour.add(at(-1000));
        hour.pass(at(-1000 + 59));
        assert_eq!(hour.sum(), 1);
        hour.pass(at(100_000));
        assert_eq!(hour.sum(), 0);
    }

    #[test]
    fn it_begins_over_the_limit_and_is_over_at_half_of_it() {
        let told = [(10, false), (11, true), (6, true), (5, false), (10, false)];
        let mut was = false;
        for (count, wanted) in told {
            was = is_rising(count, 10, was);
            assert_eq!(was, wanted, "{count}");
        }
        assert!(!is_rising(1_000_000, 0, true), "zero is never");
        assert!(is_rising(2, 1, false) && !is_rising(0, 1, true));
    }
}
