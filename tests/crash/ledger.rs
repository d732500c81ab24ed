//! What the outside knows: everything that was acknowledged, and everything that was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use crate::history::{During, FeedRead, Handed};

/// Kept by the driver alone; the brokers come and go.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// What was found wrong on the way.
    pub(crate) violations: Vec<String>,
    /// By idempotency key.
    pub(crate) accepted: BTreeMap<String, Accepted>,
    /// The same intents, in order, for those who pick one.
    pub(crate) ids: Vec<String>,
    /// Ends that receivers and people reported, by intent.
    pub(crate) reports: BTreeMap<String, Vec<Report>>,
    /// Attempts that reached a receiver.
    pub(crate) attempts: BTreeMap<String, Handed>,
    /// Calls that named an attempt and were kept.
    pub(crate) fenced: Vec<(During, String)>,
    /// Intents as somebody saw them: a whole answer, taken together.
    pub(crate) looks: Vec<(During, String, Option<String>)>,
    /// Who saw an intent in a list, and whether it had ended.
    pub(crate) glances: Vec<(During, String, bool)>,
    /// Pages of the feed as they came.
    pub(crate) pages: Vec<FeedRead>,
    /// Acknowledged acknowledgements: intent and attempt.
    pub(crate) acks: BTreeSet<(String, String)>,
    /// Holds that were placed, by id.
    pub(crate) holds: BTreeMap<String, Held>,
    /// Replays that took effect at once: letter and new intent.
    pub(crate) replays: BTreeMap<String, String>,
    /// Letters that were discarded at once.
    pub(crate) discards: BTreeSet<String>,
    /// Items of the feed that a reader saw as they came: a hash by cursor.
    pub(crate) feed: BTreeMap<u64, u64>,
    /// Calls whose outcome was not known at first.
    pub(crate) unknown: u64,
    /// Of these, calls that had to be made again on another broker.
    pub(crate) calls: u64,
}

/// An intent that a broker said it has.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    pub(crate) id: String,
    /// The body as it was sent.
    pub(crate) body: Value,
    /// Whose key sent it.
    pub(crate) token: String,
    pub(crate) during: During,
}

/// An end of an intent as somebody reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) end: End,
    pub(crate) answer: Answer,
    pub(crate) during: During,
}

/// How it ended, and a word that only this report carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Completed(String),
    Failed(String),
    Canceled(String),
    Decided { outcome: String, comment: String },
}

/// What the broker said to a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 200: it is kept.
    Kept,
    /// Refused, with the code.
    Refused(String),
    /// It was the answer to a push: nobody says whether it arrived.
    Unknown,
}

/// A hold that a broker said it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) subject: String,
    pub(crate) action: String,
    /// The word its decision would carry.
    pub(crate) comment: String,
    /// What was said to taking it back, if that was tried.
    pub(crate) cancel: Option<Answer>,
}

impl Ledger {
    pub(crate) fn wrong(&mut self, what: impl Into<String>) {
        // The first ones tell the story.
        if self.violations.len() < 200 {
            self.violations.push(what.into());
        }
    }

    /// Writes an acknowledged intent down.
    pub(crate) fn accept(
        &mut self,
        key: &str,
        id: &str,
        body: &Value,
        token: &str,
        during: During,
    ) {
        if let Some(before) = self.accepted.get(key) {
            if before.id != id {
                let first = before.id.clone();
                self.wrong(format!("I5: key {key} gave {first} and then {id}"));
            }
            return;
        }
        self.ids.push(id.to_owned());
        self.accepted.insert(
            key.to_owned(),
            Accepted {
                id: id.to_owned(),
                body: body.clone(),
                token: token.to_owned(),
                during,
            },
        );
    }

    /// Writes down that an attempt reached a receiver.
    pub(crate) fn see(&mut self, attempt: &str, intent: &str, number: u64, by: &str, at: u64) {
        let seen = Handed {
            intent: intent.to_owned(),
            number,
            at,
        };
        if let Some(before) = self.attempts.insert(attempt.to_owned(), seen.clone()) {
            self.wrong(format!(
                "I6: attempt {attempt} was handed over twice: {before:?}, then to {by} {seen:?}"
            ));
        }
    }

    pub(crate) fn report(&mut self, intent: &str, end: End, answer: Answer, during: During) {
        let reports = self.reports.entry(intent.to_owned()).or_default();
        reports.push(Report {
            end,
            answer,
            during,
        });
    }

    /// Compares an item of the feed with what anybody saw under its cursor before.
    pub(crate) fn see_event(&mut self, event: &Value) {
        let Some(cursor) = event["cursor"].as_u64() else {
            self.wrong(format!("I14: an item without cursor: {event}"));
            return;
        };
        let hash = hash_of(event);
        if *self.feed.entry(cursor).or_insert(hash) != hash {
            self.wrong(format!(
                "I14: cursor {cursor} is another event now: {event}"
            ));
        }
    }
}

/// A number for a value, to remember many of them by.
pub(crate) fn hash_of(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.to_string().hash(&mut hasher);
    hasher.finish()
}
