//! Jobs in the simulation: ordered, steered, crashed in the middle, and recounted after every step.

use std::collections::{BTreeMap, BTreeSet};

use postroom::broker::request::{AdminCommand, StartJob};
use postroom::domain::ids::{IntentId, JobId};
use postroom::domain::job::{
    ItemOutcome, Job, JobControl, JobItem, JobKind, JobState, NewJob, Pace, Selection,
};
use postroom::domain::time::Timestamp;
use postroom::engine::jobs;
use postroom::store::Reader;
use postroom::store::query::PageRequest;

use crate::checker::Checker;
use crate::world::{Broken, RETENTION, World, address, note};

/// What was seen of jobs, and what was said to them.
#[derive(Debug, Default)]
pub(crate) struct JobsSeen {
    last: BTreeMap<JobId, (Timestamp, Job)>,
    /// Microseconds of waiting that each has not spent on a turn.
    saved: BTreeMap<JobId, i64>,
    /// Something was said to them since the last look.
    steered: BTreeSet<JobId>,
    /// Somebody let them go on, which may end a canary.
    resumed: BTreeSet<JobId>,
}

const ALL: PageRequest = PageRequest {
    limit: u32::MAX,
    cursor: None,
};

impl World {
    /// An operator orders a job, or steers one.
    pub(crate) fn job(&mut self) -> Result<(), Broken> {
        if self.rng.chance(40) {
            return self.order();
        }
        let known = self.reader().jobs(None, &ALL)?.items;
        let Some(job) = self.rng.pick(&known).map(|job| job.id) else {
            return self.order();
        };
        let words = [JobControl::Pause, JobControl::Resume, JobControl::Cancel];
        let word = *self.rng.pick(&words).expect("not empty");
        self.say(job, word);
        drop(
            self.core()
                .administer(AdminCommand::ControlJob(job, word), note())?,
        );
        Ok(())
    }

    fn say(&mut self, job: JobId, word: JobControl) {
        self.checker.jobs.steered.insert(job);
        if word == JobControl::Resume {
            self.checker.jobs.resumed.insert(job);
        }
    }

    fn order(&mut self) -> Result<(), Broken> {
        let kind = *self.rng.pick(&JobKind::ALL).expect("not empty");
        let pace = Pace {
            per_1000_seconds: *self.rng.pick(&[100, 1_000, 1_000_000]).expect("not empty"),
            in_flight_max: 1 + u32::try_from(self.rng.below(4)).unwrap_or(0),
            canary: u32::try_from(self.rng.below(3)).unwrap_or(0),
            stop_after_failures: u32::try_from(self.rng.below(3)).unwrap_or(0),
        };
        // What is named need not be what the job can do something to, and may be named twice over.
        let mut intents = Vec::new();
        for _ in 0..self.rng.below(12) {
            let is_letter = self.rng.chance(80);
            let found = self.some_intent(|intent| intent.dead_letter.is_some() == is_letter);
            intents.extend(found.map(|intent| intent.id));
        }
        let job = NewJob {
            pace,
            reason: Some("simulated".to_owned()),
            ..NewJob::new(kind, Selection::default())
        };
        let start = StartJob {
            job,
            matched: u64::try_from(intents.len()).unwrap_or(0),
            left_out: Vec::new(),
            remember: None,
            intents,
            by: address("boss"),
            via: "api".to_owned(),
        };
        let command = AdminCommand::StartJob(Box::new(start));
        drop(self.core().administer(command, note())?);
        Ok(())
    }

    /// Lets every job that somebody or its own rule has paused go on.
    pub(crate) fn resume_jobs(&mut self) -> Result<(), String> {
        let paused = self.reader().jobs(Some(JobState::Paused), &ALL);
        for job in paused.map_err(|error| error.to_string())?.items {
            self.say(job.id, JobControl::Resume);
            let command = AdminCommand::ControlJob(job.id, JobControl::Resume);
            let resumed = self.core().administer(command, note());
            resumed
                .map_err(|error| error.to_string())?
                .map_err(|refusal| refusal.to_string())?;
        }
        Ok(())
    }

    pub(crate) fn has_live_jobs(&mut self) -> bool {
        self.reader().live_jobs().is_ok_and(|live| !live.is_empty())
    }
}

/// Every job against its items, and every item against the intents.
pub(crate) fn check(reader: &mut dyn Reader, checker: &mut Checker) -> Result<(), String> {
    let found = reader.jobs(None, &ALL).map_err(|error| error.to_string())?;
    are_kept(&found.items, checker)?;
    let mut made: BTreeMap<IntentId, JobId> = BTreeMap::new();
    for job in found.items {
        jobs::check(&job)?;
        let items = reader.job_items(job.id, &ALL);
        let items = items.map_err(|error| error.to_string())?.items;
        recount(&job, &items)?;
        obeys(&job, checker)?;
        is_canary_kept(&job, &items, checker)?;
        for item in &items {
            let Some(new) = item.new_intent else {
                continue;
            };
            if let Some(other) = made.insert(item.intent, job.id) {
                return Err(format!(
                    "{} was replayed by {other} and by {}",
                    item.intent, job.id
                ));
            }
            if checker.removed.contains(&new) {
                continue;
            }
            let replay = checker
                .model
                .get(&new)
                .ok_or_else(|| format!("{} made {new}, which is not there", job.id))?;
            if replay.replay_of != Some(item.intent) {
                return Err(format!("{new} is no replay of {}", item.intent));
            }
            let fate = jobs::fate(replay);
            // What a person or an instant has is counted as done, and may come back.
            if fate != item.outcome && item.outcome != ItemOutcome::Succeeded {
                return Err(format!(
                    "{new} is {fate:?}, {} says {:?}",
                    job.id, item.outcome
                ));
            }
        }
        checker.jobs.last.insert(job.id, (checker.now, job));
    }
    checker.jobs.steered.clear();
    Ok(())
}

/// A job that has gone was finished and old.
fn are_kept(found: &[Job], checker: &mut Checker) -> Result<(), String> {
    let there: BTreeSet<JobId> = found.iter().map(|job| job.id).collect();
    let now = checker.now;
    let seen = std::mem::take(&mut checker.jobs.last);
    for (id, (at, job)) in seen {
        if there.contains(&id) {
            checker.jobs.last.insert(id, (at, job));
            continue;
        }
        // It may have ended after the last look, which was not long before what is removed was old.
        let ended = job.finished_at.unwrap_or(at);
        if ended.after(RETENTION.jobs) > now {
            return Err(format!("{id} was removed too early: {job:?}"));
        }
    }
    Ok(())
}

/// A job takes turns at its pace, none while it stands, and stands when its rule says so.
fn obeys(job: &Job, checker: &mut Checker) -> Result<(), String> {
    let failed = job.failed.saturating_sub(job.forgiven);
    let most = job.pace.stop_after_failures;
    if job.state == JobState::Running && most > 0 && failed >= most {
        return Err(format!(
            "{} goes on after {failed} deaths of {most}",
            job.id
        ));
    }
    let seen = checker.jobs.last.get(&job.id);
    let (since, before) = seen.map_or((job.created_at, 0), |(at, seen)| (*at, seen.begun));
    let turns = i64::from(job.begun.saturating_sub(before));
    let stands = |job: &Job| job.state != JobState::Running;
    let stood = seen.is_some_and(|(_, seen)| stands(seen) && stands(job));
    if stood && turns > 0 && !checker.jobs.steered.contains(&job.id) {
        return Err(format!("{} took {turns} turns while it stood", job.id));
    }
    // A turn that is late may be made up for within 20 ms, or within its own step: that much is saved at most
    // between two looks, and what is spent is gone. The first is free.
    let step = 1_000_000_000 / i64::from(job.pace.per_1000_seconds);
    let most = step + 20_000.max(step - 1);
    let saved = checker.jobs.saved.get(&job.id).copied().unwrap_or(most);
    let waited = checker.now.since(since).as_millis().saturating_mul(1000);
    let allowed = saved.saturating_add(waited);
    let spent = turns.saturating_mul(step);
    if spent > allowed {
        return Err(format!(
            "{} took {turns} turns in {waited} us with {saved} us saved, of {step} us each",
            job.id
        ));
    }
    checker.jobs.saved.insert(job.id, most.min(allowed - spent));
    Ok(())
}

/// Until so many have done well as the canary asks for, no more than that are replayed.
fn is_canary_kept(job: &Job, items: &[JobItem], checker: &Checker) -> Result<(), String> {
    let canary = usize::try_from(job.pace.canary).unwrap_or(0);
    if canary == 0 || job.kind != JobKind::Replay || checker.jobs.resumed.contains(&job.id) {
        return Ok(());
    }
    let did_well = |item: &&JobItem| match (&item.outcome, item.new_intent) {
        (ItemOutcome::Succeeded, _) => true,
        (_, Some(new)) => {
            let replay = checker.model.get(&new);
            replay.is_none_or(|replay| replay.acknowledged_at.is_some())
        }
        (_, None) => false,
    };
    let well = items.iter().filter(did_well).count();
    let under_way = usize::try_from(job.succeeded.saturating_add(job.in_flight)).unwrap_or(0);
    if well < canary && under_way > canary {
        return Err(format!(
            "{} replays {under_way} while {well} of its canary of {canary} did well",
            job.id
        ));
    }
    Ok(())
}

fn recount(job: &Job, items: &[JobItem]) -> Result<(), String> {
    let of = |is_it: fn(&ItemOutcome) -> bool| {
        let found = items.iter().filter(|item| is_it(&item.outcome));
        u32::try_from(found.count()).unwrap_or(u32::MAX)
    };
    let counted = [
        of(|_any| true),
        of(|outcome| matches!(outcome, ItemOutcome::InFlight { .. })),
        of(|outcome| {
            matches!(
                outcome,
                ItemOutcome::InFlight {
                    is_acknowledged: true
                }
            )
        }),
        of(|outcome| *outcome == ItemOutcome::Succeeded),
        of(|outcome| *outcome == ItemOutcome::Failed),
    ];
    let kept = [
        job.begun,
        job.in_flight,
        job.acknowledged,
        job.succeeded,
        job.failed,
    ];
    let is_in_order = items
        .iter()
        .zip(0..)
        .all(|(item, position)| item.position == position);
    if counted == kept && is_in_order {
        Ok(())
    } else {
        Err(format!(
            "{} counts {kept:?}, its items are {counted:?}",
            job.id
        ))
    }
}

/// At the end nothing is left to do.
pub(crate) fn finish(reader: &mut dyn Reader) -> Result<(), String> {
    let live = reader.live_jobs().map_err(|error| error.to_string())?;
    match live.first() {
        None => Ok(()),
        Some(job) => Err(format!("a job is stuck: {job:?}")),
    }
}
