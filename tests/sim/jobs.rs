//! Jobs in the simulation: ordered, steered, crashed in the middle, and recounted after every step.

use std::collections::BTreeMap;

use postroom::broker::request::{AdminCommand, StartJob};
use postroom::domain::ids::{IntentId, JobId};
use postroom::domain::job::{
    ItemOutcome, Job, JobControl, JobItem, JobKind, JobState, NewJob, Pace, Selection,
};
use postroom::engine::jobs;
use postroom::store::Reader;
use postroom::store::query::PageRequest;

use crate::checker::Checker;
use crate::world::{Broken, World, address, note};

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
        drop(
            self.core()
                .administer(AdminCommand::ControlJob(job, word), note())?,
        );
        Ok(())
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
pub(crate) fn check(reader: &mut dyn Reader, checker: &Checker) -> Result<(), String> {
    let found = reader.jobs(None, &ALL).map_err(|error| error.to_string())?;
    let mut made: BTreeMap<IntentId, JobId> = BTreeMap::new();
    for job in found.items {
        jobs::check(&job)?;
        let items = reader.job_items(job.id, &ALL);
        let items = items.map_err(|error| error.to_string())?.items;
        recount(&job, &items)?;
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
