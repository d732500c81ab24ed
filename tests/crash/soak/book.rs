//! What a soak knows of each intent, from its acceptance until it has ended and was judged. What was judged is
//! forgotten, so that a long run needs no more memory than a short one.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde_json::Value;

use crate::dice::Dice;
use crate::history::{During, FeedRead, Handed, History, Life, NEVER, Register, Touch};
use crate::world::text;

/// How long an ended intent is kept for late answers of calls about it, in microseconds.
const GRACE: u64 = 20_000_000;
/// How long reads of the feed are kept, in microseconds.
const READS_KEPT: u64 = 60_000_000;

/// Intents that were accepted or reported last, for those who look.
const RECENT_MAX: u64 = 64;

/// What somebody did to an intent, or saw of it.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// Reported this end; false when nobody knows whether it arrived.
    Wrote(String, bool),
    /// Was refused because it had ended.
    TooLate,
    /// Saw this end, or none.
    Saw(Option<String>),
}

#[derive(Debug, Default)]
struct Entry {
    register: Register,
    said: Vec<(During, Said)>,
    handed: Vec<(String, Handed)>,
    fenced: Vec<(During, String)>,
    lives: Vec<Life>,
    /// The last number of its own events.
    seq: u64,
    ended_at: Option<u64>,
    /// A notice of the broker itself to the operator, which nobody sent.
    is_notice: bool,
}

/// Everything that is open, and what was found wrong.
#[derive(Debug, Default)]
pub(super) struct Book {
    open: HashMap<String, Entry>,
    /// What was judged, by the part of the id that is chance.
    judged: HashSet<u64>,
    reads: VecDeque<FeedRead>,
    recent: VecDeque<String>,
    /// Where the feed was read to.
    pub(super) since: u64,
    pub(super) accepted: u64,
    pub(super) ends: BTreeMap<String, u64>,
    pub(super) attempts: u64,
    pub(super) touches: u64,
    pub(super) wrong: Vec<String>,
}

/// How an intent ended, in words, as it says itself.
pub(super) fn end_of(intent: &Value) -> Option<String> {
    word(intent, "/status", "/result/nonce", "/error/message")
}

fn word(of: &Value, status: &str, nonce: &str, message: &str) -> Option<String> {
    let status = text(of, status);
    let is_end = matches!(
        status.as_str(),
        "COMPLETED" | "FAILED" | "CANCELED" | "TIMED_OUT"
    );
    is_end.then(|| format!("{status} {}{}", text(of, nonce), text(of, message)))
}

fn chance(id: &str) -> u64 {
    let digits: String = id
        .chars()
        .filter(char::is_ascii_hexdigit)
        .skip(16)
        .collect();
    u64::from_str_radix(&digits, 16).unwrap()
}

impl Book {
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// One of those that were accepted or reported last, where most happens at once.
    pub(super) fn recent(&self, dice: &Dice) -> Option<String> {
        let place = dice.between(0, RECENT_MAX - 1);
        let id = self.recent.get(usize::try_from(place).unwrap())?;
        self.open.contains_key(id).then(|| id.clone())
    }

    fn remember(&mut self, id: &str) {
        self.recent.push_front(id.to_owned());
        self.recent.truncate(usize::try_from(RECENT_MAX).unwrap());
    }

    /// Intents that have ended, as the feed told it.
    pub(super) fn ended(&self) -> u64 {
        self.ends.values().sum()
    }

    pub(super) fn complain(&mut self, what: String) {
        // The first ones tell the story.
        if self.wrong.len() < 200 {
            self.wrong.push(what);
        }
    }

    fn entry(&mut self, id: &str) -> Option<&mut Entry> {
        if self.judged.contains(&chance(id)) {
            return None;
        }
        Some(self.open.entry(id.to_owned()).or_default())
    }

    /// A broker said that it has this intent.
    pub(super) fn accept(&mut self, id: &str, during: During) {
        self.accepted += 1;
        self.remember(id);
        let Some(entry) = self.entry(id) else {
            self.complain(format!("{id} was accepted after it had been judged"));
            return;
        };
        if entry.register.accepted.replace(during).is_some() {
            self.complain(format!("{id} was given out for two keys"));
        }
    }

    /// An attempt is in somebody's hands.
    pub(super) fn hand(&mut self, id: &str, attempt: &str, number: u64, at: u64) {
        self.attempts += 1;
        let handed = Handed {
            intent: id.to_owned(),
            number,
            at,
        };
        let Some(entry) = self.entry(id) else {
            self.complain(format!(
                "{id} was handed over long after its end: {attempt}"
            ));
            return;
        };
        let is_known = entry.handed.iter().any(|(known, _)| known == attempt);
        entry.handed.push((attempt.to_owned(), handed));
        if is_known {
            self.complain(format!("{attempt} of {id} was handed over twice"));
        }
    }

    /// A call about an intent. What comes later than its judgement says nothing new.
    pub(super) fn say(&mut self, id: &str, during: During, said: Said) {
        self.touches += 1;
        if matches!(said, Said::Wrote(_, true)) {
            self.remember(id);
        }
        if let Some(entry) = self.entry(id) {
            entry.said.push((during, said));
        }
    }

    /// A broker does not know it, which is right of what retention has removed.
    pub(super) fn miss(&mut self, id: &str) {
        if self.entry(id).is_some_and(|entry| entry.ended_at.is_none()) {
            self.complain(format!("{id} is gone, and has not ended"));
        }
    }

    /// A call that named an attempt, and was kept.
    pub(super) fn fence(&mut self, id: &str, during: During, attempt: String) {
        if let Some(entry) = self.entry(id) {
            entry.fenced.push((during, attempt));
        }
    }

    /// Takes in a page of the feed, read from where the last one ended.
    pub(super) fn follow(&mut self, during: During, events: &[Value], head: u64) {
        let since = self.since;
        let cursors: Vec<u64> = events
            .iter()
            .filter_map(|event| event["cursor"].as_u64())
            .collect();
        self.since = cursors.last().copied().unwrap_or(since);
        for event in events {
            if event["seq"].is_u64() {
                self.event(event, during.to);
            }
        }
        self.reads.push_back(FeedRead {
            during,
            since,
            cursors,
            head,
        });
        while let Some(old) = self.reads.front()
            && old.during.to + READS_KEPT < during.to
        {
            self.reads.pop_front();
        }
    }

    fn event(&mut self, event: &Value, at: u64) {
        let id = text(event, "/intent_id");
        let Some(entry) = self.entry(&id) else {
            self.complain(format!("{id} has an event long after its end: {event}"));
            return;
        };
        let seq = event["seq"].as_u64().unwrap_or(0);
        let expected = entry.seq + 1;
        entry.seq = seq;
        entry.register.cursor = entry.register.cursor.or(event["cursor"].as_u64());
        let when = text(event, "/at");
        match event["type"].as_str().unwrap_or_default() {
            "intent.created" => entry.is_notice = event["data"]["binding"] == "inbox",
            "intent.attempt_started" => entry.lives.push(Life {
                intent: id.clone(),
                number: event["data"]["delivery_attempt"].as_u64().unwrap_or(0),
                began: when,
                over: String::new(),
            }),
            "intent.attempt_failed" => entry.over(&when),
            _ => {}
        }
        let end = word(
            event,
            "/status",
            "/data/result/nonce",
            "/data/error/message",
        );
        if let Some(end) = end {
            entry.over(&text(event, "/at"));
            entry.ended_at = Some(at);
            let status = text(event, "/status");
            if let Some(before) = entry.register.end.replace(end.clone()) {
                self.complain(format!("{id} ended as {before} and as {end}"));
            }
            *self.ends.entry(status).or_default() += 1;
        }
        if seq != expected {
            self.complain(format!(
                "where event {expected} of {id} should be there is {event}"
            ));
        }
    }

    /// Judges what ended a while ago, or everything, and forgets it.
    pub(super) fn judge(&mut self, now: u64, is_over: bool) {
        let is_ripe = |entry: &Entry| {
            is_over
                || (entry.is_notice || entry.register.accepted.is_some())
                    && entry.ended_at.is_some_and(|at| at + GRACE < now)
        };
        let ripe = self.open.extract_if(|_, entry| is_ripe(entry));
        let ripe: Vec<(String, Entry)> = ripe.collect();
        let mut history = History {
            feed: self.reads.iter().cloned().collect(),
            ..History::default()
        };
        let mut wrong = Vec::new();
        for (id, mut entry) in ripe {
            self.judged.insert(chance(&id));
            if entry.is_notice {
                continue;
            }
            if entry.register.accepted.is_none() {
                wrong.push(format!("{id} was made, and nobody was told so"));
            }
            for (during, said) in entry.said {
                let touch = match said {
                    Said::TooLate => Touch::TooLate,
                    Said::Saw(end) => Touch::Read(end),
                    Said::Wrote(end, is_kept) => Touch::Write {
                        is_the_end: entry.register.end.as_ref() == Some(&end),
                        is_kept,
                    },
                };
                entry.register.touches.push((during, touch));
            }
            for life in &mut entry.lives {
                if life.over.is_empty() {
                    wrong.push(format!("attempt {} of {id} was never over", life.number));
                }
            }
            history.handed.extend(entry.handed);
            history.fenced.extend(entry.fenced);
            history.lives.extend(entry.lives);
            history.registers.insert(id, entry.register);
        }
        wrong.extend(history.violations());
        for what in wrong {
            self.complain(what);
        }
    }
}

impl Entry {
    /// The attempt at work is over.
    fn over(&mut self, when: &str) {
        if let Some(life) = self.lives.iter_mut().rfind(|life| life.over.is_empty()) {
            when.clone_into(&mut life.over);
        }
    }
}

/// From a call whose answer nobody will see.
pub(super) const fn since(from: u64) -> During {
    During { from, to: NEVER }
}
