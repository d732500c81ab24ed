//! Removing what is finished and old: a few intents in each commit while a sweep runs, one sweep an hour.
//!
//! A sweep walks through all intents in order of acceptance and stops at the first page that is younger
//! than anything that may be removed. What is unfinished is never removed (`engine::retention`).

use crate::broker::batch::Batch;
use crate::domain::ids::JobId;
use crate::domain::time::{Span, Timestamp};
use crate::engine::retention::is_expired;
use crate::store::Write;
use crate::store::error::StoreError;
use crate::store::query::PageRequest;

/// Intents that one commit looks at: a few milliseconds of work.
const LOOKED_AT: u32 = 100;
/// Intents of finished jobs that one commit forgets.
const JOB_ITEMS_MAX: u32 = 1000;
/// Entries of the audit log that one sweep forgets at a time.
const AUDIT_MAX: u32 = 1000;
/// Between two steps, so that what is removed never crowds out what is delivered.
const STEP_EVERY: Span = Span::from_millis(100);
/// The same while every intent that a step looks at is old: what comes in all day must also go.
const FULL_STEP_EVERY: Span = Span::from_millis(25);
/// Between two sweeps.
const SWEEP_EVERY: Span = Span::from_seconds(3600);

/// How far the sweep is.
#[derive(Debug, Default, Clone)]
pub(super) struct Sweep {
    /// The place of the last intent that was looked at.
    place: u64,
    /// Finished jobs that are old, each with how many intents have had their turn and are to be forgotten.
    jobs: Vec<(JobId, u32)>,
    next_at: Option<Timestamp>,
}

impl Sweep {
    /// True while a sweep has begun and has not come to its end.
    pub(super) const fn is_under_way(&self) -> bool {
        self.place > 0 || !self.jobs.is_empty()
    }

    /// When the next step of a sweep that is under way is to be taken, whether anything else happens or not.
    pub(super) fn next_step(&self) -> Option<Timestamp> {
        self.next_at.filter(|_| self.is_under_way())
    }
}

/// Takes one step, when it is time. True when it removed an intent.
pub(super) fn round(batch: &mut Batch<'_>, sweep: &mut Sweep) -> Result<bool, StoreError> {
    if sweep.next_at.is_some_and(|at| batch.now < at) {
        return Ok(false);
    }
    let keep = batch.policy.retention;
    if !sweep.is_under_way() {
        let answers = batch.now.before(keep.answers);
        batch.txn.put(Write::ForgetKeysBefore(answers))?;
        sweep.jobs = old_jobs(batch, batch.now.before(keep.jobs))?;
    }
    remove_job(batch, &mut sweep.jobs)?;
    let audit = batch.now.before(keep.audit);
    batch.txn.put(Write::ForgetAuditBefore(audit, AUDIT_MAX))?;
    let found = batch.txn.survey(sweep.place, LOOKED_AT)?;
    let youngest = batch.now.before(keep.finished.min(keep.dead_letters));
    let mut is_end = u32::try_from(found.len()).unwrap_or(u32::MAX) < LOOKED_AT;
    is_end |= found.iter().all(|(_, intent)| intent.created_at > youngest);
    let mut removed = 0;
    for (place, intent) in found {
        sweep.place = place;
        // What this commit has touched is looked at again by the next sweep.
        if is_expired(&intent, batch.now, &keep) && batch.intent(intent.id).is_none() {
            batch.txn.put(Write::Remove(intent))?;
            removed += 1;
        }
    }
    if is_end {
        sweep.place = 0;
    }
    let pause = match (sweep.is_under_way(), removed == LOOKED_AT) {
        (true, true) => FULL_STEP_EVERY,
        (true, false) => STEP_EVERY,
        (false, _) => SWEEP_EVERY,
    };
    sweep.next_at = Some(batch.now.after(pause));
    Ok(removed > 0)
}

/// Finished jobs that ended before an instant and follow no replay any more.
fn old_jobs(batch: &mut Batch<'_>, before: Timestamp) -> Result<Vec<(JobId, u32)>, StoreError> {
    let mut old = Vec::new();
    let mut page = PageRequest {
        limit: LOOKED_AT,
        cursor: None,
    };
    loop {
        let found = batch.reader.jobs(None, &page)?;
        let ended = |at: Option<Timestamp>| at.is_some_and(|at| at < before);
        let found_old = found
            .items
            .iter()
            .filter(|job| !job.is_live() && ended(job.finished_at));
        old.extend(found_old.map(|job| (job.id, job.begun)));
        page.cursor = found.next;
        if page.cursor.is_none() {
            return Ok(old);
        }
    }
}

/// Removes a piece of the last of these jobs, its row with the last piece.
fn remove_job(batch: &mut Batch<'_>, jobs: &mut Vec<(JobId, u32)>) -> Result<(), StoreError> {
    let Some((job, left)) = jobs.last_mut() else {
        return Ok(());
    };
    let from = left.saturating_sub(JOB_ITEMS_MAX);
    let count = left.saturating_sub(from);
    batch.txn.put(Write::RemoveJobItems(*job, from, count))?;
    *left = from;
    if from == 0 {
        batch.txn.put(Write::RemoveJob(*job))?;
        jobs.pop();
    }
    Ok(())
}
