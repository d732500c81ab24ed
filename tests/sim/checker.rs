//! The invariants over everything that was ever committed, looked at after every step.

use std::collections::{BTreeMap, BTreeSet};

use postroom::domain::agent::Binding;
use postroom::domain::fact::{Fact, FactBody, FeedEntry, Notice};
use postroom::domain::failure::{ErrorClass, Failure};
use postroom::domain::ids::{AttemptId, Cursor, HoldId, IntentId};
use postroom::domain::intent::Intent;
use postroom::domain::status::{State, Status};
use postroom::domain::time::{Span, Timestamp};
use postroom::engine::check::check_step;
use postroom::engine::evolve::evolve;
use postroom::engine::retention::is_expired;
use postroom::store::Reader;
use postroom::store::query::{AttemptFilter, FeedFilter, PageRequest};

/// What the checker has seen.
#[derive(Default)]
pub(crate) struct Checker {
    cursor: Cursor,
    /// The fold of every fact of the feed.
    pub(crate) model: BTreeMap<IntentId, Intent>,
    fences: BTreeSet<AttemptId>,
    ended: BTreeSet<AttemptId>,
    not_before: BTreeMap<IntentId, Timestamp>,
    holds: BTreeMap<HoldId, Timestamp>,
    rejected: BTreeSet<AttemptId>,
    /// Until when the breaker of the one endpoint lets nothing through; none while it is closed.
    open_until: Option<Timestamp>,
    /// Until when the endpoint asked for no calls.
    patience: Option<Timestamp>,
    /// How fast the endpoint may be called.
    rate: Option<Rate>,
    /// Until when attempts are leased.
    leases: BTreeMap<AttemptId, Timestamp>,
    /// Where runs must go on.
    runs: Runs,
    /// What was seen of jobs.
    pub(crate) jobs: JobsSeen,
    /// Everything a caller was told is kept.
    pub(crate) acknowledged: BTreeSet<IntentId>,
    /// What was removed for its age.
    pub(crate) removed: BTreeSet<IntentId>,
    /// The time of this look.
    pub(crate) now: Timestamp,
}

use crate::jobs::JobsSeen;
use crate::runs::Runs;
use crate::world::{RETENTION, address};

type Verdict = Result<(), String>;

/// The rate of the one endpoint that is called, as it is kept.
pub(crate) fn kept_rate(reader: &mut dyn Reader) -> Result<Option<u32>, String> {
    let kept = reader.endpoints().map_err(|error| error.to_string())?;
    let billing = kept.iter().find(|kept| kept.agent == address("billing"));
    Ok(billing.and_then(|kept| kept.rate_millihertz))
}

impl Checker {
    /// Reads what has been committed since the last look and checks it.
    pub(crate) fn look(&mut self, reader: &mut dyn Reader, log: &mut Vec<String>) -> Verdict {
        let filter = FeedFilter {
            since: self.cursor,
            ..FeedFilter::default()
        };
        let (items, _) = reader
            .feed(&filter, 10_000)
            .map_err(|error| error.to_string())?;
        let mut moved: BTreeMap<IntentId, (Option<Intent>, Vec<Fact>)> = BTreeMap::new();
        let mut unseen = 0;
        for item in items {
            // What is finished and old may be moved once more (a letter is discarded) and be removed before we
            // look: one item is then gone with it, and no other.
            unseen += item.cursor.0.saturating_sub(self.cursor.0 + 1);
            if item.cursor <= self.cursor || (unseen > 0 && unseen > self.lost(reader)?) {
                return Err(format!("I14 feed: {} follows {}", item.cursor, self.cursor));
            }
            self.cursor = item.cursor;
            match item.entry {
                FeedEntry::Notice(notice) => {
                    log.push(format!(
                        "{} {} {}",
                        item.cursor,
                        notice.kind,
                        notice.data.as_str()
                    ));
                    if notice.kind == "agent.updated" {
                        // In the commit of an update that nobody heard of, calls follow the new rate.
                        let rate = kept_rate(reader)?;
                        self.limit_rate(rate, notice.at, false);
                    }
                    self.look_at_notice(&notice)?;
                }
                FeedEntry::Intent { fact, status, .. } => {
                    log.push(format!("{} {:?}", item.cursor, fact));
                    self.look_at(&fact, status)?;
                    let before = moved
                        .entry(fact.intent)
                        .or_insert_with(|| (self.model.get(&fact.intent).cloned(), Vec::new()));
                    before.1.push(fact.clone());
                    let after =
                        evolve(self.model.remove(&fact.intent), &fact).ok_or_else(|| {
                            format!("I15 {} does not start with its birth", fact.intent)
                        })?;
                    if after.status != status {
                        return Err(format!(
                            "I15 status in the feed: {status}, not {}",
                            after.status
                        ));
                    }
                    self.model.insert(fact.intent, after);
                }
            }
        }
        for (id, (before, facts)) in moved {
            let stored = reader.intent(id).map_err(|error| error.to_string())?;
            let stored = stored.ok_or_else(|| format!("I1 {id} has facts and no state"))?;
            check_step(before.as_ref(), &facts, &stored)
                .map_err(|violation| violation.to_string())?;
        }
        self.forget(reader, log)?;
        self.count(reader)
    }

    /// Lets go of what was removed, which must have been finished and old.
    fn forget(&mut self, reader: &mut dyn Reader, log: &mut Vec<String>) -> Verdict {
        let counters = reader.counters().map_err(|error| error.to_string())?;
        let kept: u64 = counters.by_status.iter().sum();
        if usize::try_from(kept).ok() == Some(self.model.len()) {
            return Ok(());
        }
        let finished = self.model.values().filter(|intent| intent.is_finished());
        let ids: Vec<IntentId> = finished.map(|intent| intent.id).collect();
        for id in ids {
            let is_there = reader.intent(id).map_err(|error| error.to_string())?;
            if is_there.is_some() {
                continue;
            }
            let Some(mut intent) = self.model.remove(&id) else {
                continue;
            };
            // A hold may have ended after the last look, and its facts went with the intent.
            for hold in intent
                .holds
                .extract_if(.., |hold| hold.effective_at <= self.now)
            {
                self.holds.remove(&hold.id);
            }
            if !is_expired(&intent, self.now, &RETENTION) {
                return Err(format!("I16 {id} was removed too early"));
            }
            let facts = reader.facts(id, 0).map_err(|error| error.to_string())?;
            let payload = reader.payload(id).map_err(|error| error.to_string())?;
            if !facts.is_empty() || payload.is_some() {
                return Err(format!("I16 something of {id} was left"));
            }
            log.push("removed".to_owned());
            self.removed.insert(id);
        }
        Ok(())
    }

    /// The rate of the endpoint, as it is kept.
    pub(crate) fn limit_rate(&mut self, rate: Option<u32>, now: Timestamp, is_new: bool) {
        let before = self.rate.as_ref().map(|before| before.millihertz);
        let rate = rate.map(i64::from);
        if is_new || before != rate {
            self.rate = rate.map(|millihertz| Rate::full(millihertz, now));
        }
    }

    /// How many intents are gone that were there at the last look.
    fn lost(&self, reader: &mut dyn Reader) -> Result<u64, String> {
        let mut lost = 0;
        for id in self.model.keys() {
            let found = reader.intent(*id).map_err(|error| error.to_string())?;
            lost += u64::from(found.is_none());
        }
        Ok(lost)
    }

    /// The endpoint asked for no calls until then, and the broker heard it.
    pub(crate) fn patience(&mut self, until: Timestamp) {
        self.patience = self.patience.max(Some(until));
    }

    fn look_at_notice(&mut self, notice: &Notice) -> Verdict {
        if notice.kind != "agent.breaker_changed" {
            return Ok(());
        }
        let data = notice.data.to_value();
        let until = data["until"].as_str().map(str::parse);
        let until = until.transpose().map_err(|error| format!("{error}"))?;
        if until.is_none() && self.open_until.is_none() {
            return Err("I12 a breaker closed that was not open".to_owned());
        }
        self.open_until = until;
        Ok(())
    }

    /// No call while the breaker is open or the endpoint asked for none.
    fn look_at_call(&mut self, at: Timestamp, attempt: AttemptId) -> Verdict {
        if self.rate.as_mut().is_some_and(|rate| !rate.take(at)) {
            return Err(format!("I12 {attempt} started faster than its rate"));
        }
        if self.patience.is_some_and(|until| at < until) {
            return Err(format!(
                "I12 {attempt} started although patience was asked for"
            ));
        }
        let Some(until) = self.open_until else {
            return Ok(());
        };
        if at < until {
            return Err(format!("I12 {attempt} started before its breaker let it"));
        }
        Ok(())
    }

    fn look_at(&mut self, fact: &Fact, status: Status) -> Verdict {
        self.runs.look_at(self.model.get(&fact.intent), fact)?;
        let before = self.model.get(&fact.intent);
        let was_open = before.is_some_and(|intent| !intent.is_finished());
        match &fact.body {
            FactBody::AttemptStarted {
                attempt,
                number,
                binding,
                lease_until,
                ..
            } => {
                self.leases.insert(*attempt, *lease_until);
                if !self.fences.insert(*attempt) {
                    return Err(format!("I6 fence {attempt} was given out twice"));
                }
                if let Some(lease) = before.and_then(|intent| intent.lease()) {
                    let held = lease.attempt;
                    return Err(format!("I6 {attempt} started while {held} is leased"));
                }
                let used = before.map_or(0, |intent| intent.attempts);
                if *number != used + 1 {
                    return Err(format!("I9 attempt number {number} follows {used}"));
                }
                if self
                    .not_before
                    .get(&fact.intent)
                    .is_some_and(|instant| fact.at < *instant)
                {
                    return Err(format!("I12 {attempt} started before its instant"));
                }
                if *binding == Binding::Http {
                    self.look_at_call(fact.at, *attempt)?;
                }
            }
            FactBody::AttemptFailed {
                attempt,
                next_at,
                failure,
                ..
            } => {
                self.end(*attempt)?;
                self.look_at_lease(fact, *attempt, failure)?;
                // No longer than an hour is anybody's word waited for.
                let asked = failure.retry_after.unwrap_or(Span::ZERO);
                if *next_at < fact.at.after(asked.min(Span::from_seconds(3600))) {
                    return Err(format!(
                        "I12 {attempt} is tried again before its Retry-After"
                    ));
                }
                self.not_before.insert(fact.intent, *next_at);
            }
            FactBody::Acknowledged {
                attempt,
                lease_until,
                ..
            }
            | FactBody::LeaseExtended {
                attempt,
                lease_until,
            }
            | FactBody::InProgress {
                attempt: Some(attempt),
                lease_until: Some(lease_until),
            } => {
                self.leases.insert(*attempt, *lease_until);
            }
            // Whoever it was escalated to has not asked for patience.
            FactBody::RetriedNow
            | FactBody::Escalated {
                offered: Some(_), ..
            } => {
                self.not_before.remove(&fact.intent);
            }
            FactBody::DeliveryFailed {
                attempt: Some(attempt),
                failure,
                ..
            } => {
                self.end(*attempt)?;
                if let Some(failure) = failure {
                    self.look_at_lease(fact, *attempt, failure)?;
                }
            }
            FactBody::TimedOut { .. } => {
                let deadline = before.and_then(|intent| intent.deadline);
                if deadline.is_none_or(|deadline| fact.at < deadline) {
                    return Err(format!("I13 {} timed out early", fact.intent));
                }
            }
            FactBody::ResultRejected { attempt } => {
                if before
                    .and_then(Intent::lease)
                    .is_some_and(|lease| lease.attempt == *attempt)
                {
                    return Err(format!(
                        "I7 the result of the current {attempt} was rejected"
                    ));
                }
                if !self.fences.contains(attempt) || !self.rejected.insert(*attempt) {
                    return Err(format!(
                        "I7 {attempt} never ran, or was rejected before: it is no news"
                    ));
                }
            }
            FactBody::HoldPlaced(hold) => {
                if self.holds.insert(hold.id, hold.effective_at).is_some() {
                    return Err(format!("hold {} was placed twice", hold.id));
                }
            }
            FactBody::HoldCanceled { hold } => {
                if self
                    .holds
                    .remove(hold)
                    .is_none_or(|instant| fact.at >= instant)
                {
                    return Err(format!("hold {hold} was taken back when it was not open"));
                }
            }
            FactBody::HoldElapsed { hold, .. } => {
                if self
                    .holds
                    .remove(hold)
                    .is_none_or(|instant| fact.at < instant)
                {
                    return Err(format!(
                        "I13 hold {hold} took effect early, or after it was taken back"
                    ));
                }
            }
            _ => {}
        }
        if status.is_terminal()
            && was_open
            && let Some(attempt) = fact.body.attempt()
        {
            self.ended.insert(attempt);
        }
        Ok(())
    }

    /// A lease ends by itself when its time has come, not before.
    fn look_at_lease(&self, fact: &Fact, attempt: AttemptId, failure: &Failure) -> Verdict {
        let is_end = failure.class == ErrorClass::LeaseLost
            && failure.message == "the lease ended without a result";
        let until = self.leases.get(&attempt);
        if is_end && until.is_none_or(|until| fact.at < *until) {
            return Err(format!("I13 the lease of {attempt} ended early"));
        }
        Ok(())
    }

    fn end(&mut self, attempt: AttemptId) -> Verdict {
        if self.ended.insert(attempt) {
            Ok(())
        } else {
            Err(format!("I9 attempt {attempt} ended twice"))
        }
    }

    /// The maintained counters against a recount.
    fn count(&self, reader: &mut dyn Reader) -> Verdict {
        let counters = reader.counters().map_err(|error| error.to_string())?;
        let mut by_status = [0; 10];
        let mut by_state = [0; 8];
        for intent in self.model.values() {
            let status = Status::ALL.iter().position(|one| *one == intent.status);
            let state = State::ALL.iter().position(|one| *one == intent.state());
            by_status[status.unwrap_or(0)] += 1;
            by_state[state.unwrap_or(0)] += 1;
        }
        if counters.by_status != by_status || counters.by_state != by_state {
            return Err(format!(
                "I10 counters {:?} {:?}, recount {by_status:?} {by_state:?}",
                counters.by_status, counters.by_state
            ));
        }
        Ok(())
    }

    /// At the end: nothing acknowledged is lost, nothing is stuck, every attempt has one end.
    pub(crate) fn finish(&self, reader: &mut dyn Reader) -> Verdict {
        for id in &self.acknowledged {
            if !self.model.contains_key(id) && !self.removed.contains(id) {
                return Err(format!("I1 acknowledged intent {id} is gone"));
            }
        }
        if let Some(intent) = self.model.values().find(|intent| !intent.is_finished()) {
            return Err(format!("I17 {} is stuck: {:?}", intent.id, intent.delivery));
        }
        if let Some((hold, _)) = self.holds.first_key_value() {
            return Err(format!(
                "hold {hold} neither took effect nor was taken back"
            ));
        }
        for intent in self.model.values() {
            let filter = AttemptFilter {
                intent: Some(intent.id),
                ..AttemptFilter::default()
            };
            let page = PageRequest {
                limit: 500,
                cursor: None,
            };
            let attempts = reader
                .attempts(&filter, &page)
                .map_err(|error| error.to_string())?
                .items;
            if attempts.len() != usize::try_from(intent.attempts).unwrap_or(0) {
                return Err(format!(
                    "I9 {} has {} attempts, {} kept",
                    intent.id,
                    intent.attempts,
                    attempts.len()
                ));
            }
            if let Some(open) = attempts
                .iter()
                .find(|attempt| attempt.finished_at.is_none())
            {
                return Err(format!(
                    "I9 {} of the finished {} has no end",
                    open.id, intent.id
                ));
            }
        }
        Ok(())
    }
}

/// Calls that may begin, as the checker counts them: in thousandths of a call a second, per millisecond.
struct Rate {
    millihertz: i64,
    level: i64,
    at: Timestamp,
}

impl Rate {
    const CALL: i64 = 1_000_000;

    fn full(millihertz: i64, at: Timestamp) -> Self {
        let mut rate = Self {
            millihertz,
            level: i64::MAX / 2,
            at,
        };
        rate.fill(at);
        rate
    }

    /// What a second brings; at least one call, and a step.
    fn fill(&mut self, at: Timestamp) {
        let more = at
            .since(self.at)
            .as_millis()
            .saturating_mul(self.millihertz);
        let most = (self.millihertz * 1000).max(Self::CALL + self.millihertz);
        self.level = self.level.saturating_add(more).min(most);
        self.at = at;
    }

    /// False when a call that begins now is one too many.
    fn take(&mut self, at: Timestamp) -> bool {
        self.fill(at);
        self.level -= Self::CALL;
        self.level >= 0
    }
}
