//! The next step of a job: how many intents may have their turn now, and what their fates mean for it.
//!
//! ```text
//!            pause            its own rule: canary died, too many died
//!  RUNNING ----------> PAUSED <--------------------------------------- RUNNING
//!     ^                  |
//!     +----- resume -----+            CANCELED: no further turn, nothing is undone
//!     |
//!     +--> DONE when all have had their turn and no replay is unfinished
//! ```
//!
//! 1. A turn is taken once: `begun` only rises, and the writer stores it with what the turn did.
//! 2. Never more than `in_flight_max` replays are unfinished, and never more turns than the pace allows.
//! 3. During the canary no more than its size is under way, and the rest waits until it has done well.

use crate::domain::intent::{End, Intent};
use crate::domain::job::{ItemOutcome, Job, JobControl, JobKind, JobState};
use crate::domain::status::Status;
use crate::domain::time::Timestamp;

/// Most turns of one commit, whatever the pace.
const TURNS_MAX: u32 = 256;
/// How long a job may save up turns that its pace would have allowed, and how often it looks: 20 ms is
/// short against a second, and long against a commit.
const SAVED_US: i64 = 20_000;
/// Microseconds in a thousand seconds.
const THOUSAND_SECONDS_US: i64 = 1_000_000_000;

/// Why a job was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("job is {}; nothing can change it", .state.name())]
pub struct JobFinished {
    /// How it ended.
    pub state: JobState,
}

/// How many intents may have their turn now.
#[must_use]
pub fn turns(job: &Job, now: Timestamp) -> u32 {
    if job.state != JobState::Running {
        return 0;
    }
    let left = job.selected.saturating_sub(job.begun);
    left.min(room(job)).min(paced(job, now)).min(TURNS_MAX)
}

/// How many more replays may be under way.
const fn room(job: &Job) -> u32 {
    if !matches!(job.kind, JobKind::Replay) {
        return u32::MAX;
    }
    let room = job.pace.in_flight_max.saturating_sub(job.in_flight);
    if job.is_canary_over {
        return room;
    }
    let under_way = job.succeeded.saturating_add(job.in_flight);
    let of_canary = job.pace.canary.saturating_sub(under_way);
    if of_canary < room { of_canary } else { room }
}

/// Turns that the pace allows by now.
fn paced(job: &Job, now: Timestamp) -> u32 {
    let late = us(now).saturating_sub(start(job, now));
    if late < 0 {
        return 0;
    }
    u32::try_from(late / step_us(job)).map_or(u32::MAX, |steps| steps.saturating_add(1))
}

/// Where the pace counts from: what was saved up longer ago is lost, and so is what a clock that jumped
/// back makes one wait for.
fn start(job: &Job, now: Timestamp) -> i64 {
    let step = step_us(job);
    let (first, last) = (SAVED_US.max(step.saturating_sub(1)), step);
    let now = us(now);
    job.not_before_us
        .clamp(now.saturating_sub(first), now.saturating_add(last))
}

const fn us(instant: Timestamp) -> i64 {
    instant.as_millis().saturating_mul(1000)
}

fn step_us(job: &Job) -> i64 {
    THOUSAND_SECONDS_US / i64::from(job.pace.per_1000_seconds.max(1))
}

/// The job after so many turns at `now`.
pub fn took(job: &mut Job, turns: u32, now: Timestamp) {
    let spent = step_us(job).saturating_mul(i64::from(turns));
    job.not_before_us = start(job, now).saturating_add(spent);
    job.updated_at = now;
}

/// When the job is to be looked at next by time alone; none when it waits for replays or for a person.
#[must_use]
pub fn due(job: &Job, now: Timestamp) -> Option<Timestamp> {
    let is_open = job.state == JobState::Running && job.begun < job.selected && room(job) > 0;
    // A step shorter than what may be saved up is waited for in larger ones, so that each commit has several.
    is_open.then(|| {
        let wait = SAVED_US.saturating_sub(step_us(job)).max(0);
        let at = start(job, now).saturating_add(wait);
        Timestamp::from_millis(at.div_euclid(1000).saturating_add(1))
    })
}

/// What the state of a replay says.
#[must_use]
pub fn fate(replay: &Intent) -> ItemOutcome {
    match &replay.end {
        Some(End::Completed { .. }) => ItemOutcome::Succeeded,
        Some(End::Failed { .. } | End::TimedOut { .. }) => ItemOutcome::Failed,
        Some(End::Canceled { .. }) => ItemOutcome::Withdrawn,
        // A person, or an instant, has it: that is not the job's to wait for.
        None if replay.status == Status::Waiting => ItemOutcome::Succeeded,
        None => ItemOutcome::InFlight {
            is_acknowledged: replay.acknowledged_at.is_some(),
        },
    }
}

/// Counts an outcome; `before` is none when the intent has just had its turn.
pub fn count(job: &mut Job, before: Option<&ItemOutcome>, after: &ItemOutcome) {
    let Some(before) = before else {
        job.begun = job.begun.saturating_add(1);
        add(job, after);
        return;
    };
    if let ItemOutcome::InFlight { is_acknowledged } = before {
        job.in_flight = job.in_flight.saturating_sub(1);
        if *is_acknowledged {
            job.acknowledged = job.acknowledged.saturating_sub(1);
        }
        add(job, after);
    }
}

const fn add(job: &mut Job, outcome: &ItemOutcome) {
    let count = match outcome {
        ItemOutcome::InFlight { is_acknowledged } => {
            if *is_acknowledged {
                job.acknowledged = job.acknowledged.saturating_add(1);
            }
            &mut job.in_flight
        }
        ItemOutcome::Succeeded => &mut job.succeeded,
        ItemOutcome::Failed => &mut job.failed,
        ItemOutcome::Withdrawn | ItemOutcome::Skipped { .. } => &mut job.skipped,
    };
    *count = count.saturating_add(1);
}

/// What follows from the counts: the canary is over, the job pauses itself, or it is done.
pub fn conclude(job: &mut Job, now: Timestamp) {
    if job.state == JobState::Running {
        let failed = job.failed.saturating_sub(job.forgiven);
        let is_too_bad = job.pace.stop_after_failures > 0 && failed >= job.pace.stop_after_failures;
        if !job.is_canary_over && failed > 0 {
            stop(job, "the canary has died");
        } else if is_too_bad {
            stop(job, &format!("{failed} replays have died again"));
        }
    }
    let did_well = job.succeeded.saturating_add(job.acknowledged);
    if did_well >= job.pace.canary {
        job.is_canary_over = true;
    }
    let is_all = job.begun == job.selected && job.in_flight == 0;
    if is_all && !job.state.is_finished() {
        job.state = JobState::Done;
        job.stopped_because = None;
        job.finished_at = Some(now);
        job.updated_at = now;
    }
}

fn stop(job: &mut Job, why: &str) {
    job.state = JobState::Paused;
    job.stopped_because = Some(why.to_owned());
}

/// The job after an operator's word; none when it is so already.
///
/// # Errors
/// [`JobFinished`].
pub fn control(job: &Job, control: JobControl, now: Timestamp) -> Result<Option<Job>, JobFinished> {
    let mut changed = job.clone();
    changed.updated_at = now;
    match (control, job.state) {
        (JobControl::Cancel, JobState::Canceled)
        | (JobControl::Pause, JobState::Paused)
        | (JobControl::Resume, JobState::Running) => return Ok(None),
        (_, JobState::Done | JobState::Canceled) => return Err(JobFinished { state: job.state }),
        (JobControl::Pause, JobState::Running) => stop(&mut changed, "an operator paused it"),
        (JobControl::Resume, JobState::Paused) => {
            changed.state = JobState::Running;
            changed.stopped_because = None;
            changed.forgiven = job.failed;
            changed.is_canary_over |= job.failed > job.forgiven;
        }
        (JobControl::Cancel, JobState::Running | JobState::Paused) => {
            changed.state = JobState::Canceled;
            changed.stopped_because = None;
            changed.finished_at = Some(now);
        }
    }
    Ok(Some(changed))
}

/// What must always hold of a job's counts.
///
/// # Errors
/// What does not hold.
pub fn check(job: &Job) -> Result<(), String> {
    let known = [job.in_flight, job.succeeded, job.failed, job.skipped]
        .into_iter()
        .fold(0_u32, u32::saturating_add);
    if known != job.begun || job.begun > job.selected || job.acknowledged > job.in_flight {
        return Err(format!(
            "{} counts {known} outcomes of {} begun",
            job.id, job.begun
        ));
    }
    if job.in_flight > job.pace.in_flight_max {
        return Err(format!("{} has {} in flight", job.id, job.in_flight));
    }
    if job.state == JobState::Done && (job.begun < job.selected || job.in_flight > 0) {
        return Err(format!("{} is done too early", job.id));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::Address;
    use crate::domain::ids::JobId;
    use crate::domain::job::{JobOrder, Pace, ReplayTerms, Selection};
    use crate::domain::time::Span;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn job(selected: u32, pace: Pace) -> Job {
        Job {
            id: JobId(1),
            kind: JobKind::Replay,
            state: JobState::Running,
            by: Address::trusted("local/default/operator"),
            via: "api".to_owned(),
            reason: None,
            selection: Selection::default(),
            order: JobOrder::Oldest,
            pace,
            to: None,
            matched: 3,
            left_out: Vec::new(),
            terms: ReplayTerms::default(),
            created_at: START,
            updated_at: START,
            finished_at: None,
            selected,
            begun: 0,
            in_flight: 0,
            acknowledged: 0,
            succeeded: 0,
            failed: 0,
            skipped: 0,
            forgiven: 0,
            is_canary_over: pace.canary == 0,
            stopped_because: None,
            not_before_us: 0,
        }
    }

    fn begin(job: &mut Job, turns: u32, now: Timestamp) {
        for _ in 0..turns {
            count(
                job,
                None,
                &ItemOutcome::InFlight {
                    is_acknowledged: false,
                },
            );
        }
        took(job, turns, now);
    }

    fn settle(job: &mut Job, outcome: &ItemOutcome) {
        let before = ItemOutcome::InFlight {
            is_acknowledged: false,
        };
        count(job, Some(&before), outcome);
        conclude(job, START);
        check(job).unwrap();
    }

    #[test]
    fn the_pace_holds_over_any_time_and_looking_more_often_changes_nothing() {
        for (per_1000_seconds, every_ms) in [(500_000, 1), (500_000, 7), (10_000, 30), (100, 999)] {
            let pace = Pace {
                per_1000_seconds,
                in_flight_max: u32::MAX,
                ..Pace::default()
            };
            let mut job = job(1_000_000, pace);
            let mut taken = 0_u32;
            for step in 0..(20_000 / every_ms) {
                let now = START.after(Span::from_millis(step * every_ms));
                let turns = turns(&job, now);
                begin(&mut job, turns, now);
                taken += turns;
            }
            let allowed = per_1000_seconds / 50;
            assert!(
                taken <= allowed + per_1000_seconds / 50_000 + 1,
                "{taken} of {allowed}"
            );
            assert!(taken + taken / 20 + 1 >= allowed, "{taken} of {allowed}");
        }
    }

    #[test]
    fn following_its_own_due_instants_a_job_keeps_its_pace() {
        let pace = Pace {
            per_1000_seconds: 500_000,
            in_flight_max: u32::MAX,
            ..Pace::default()
        };
        let mut job = job(5_000, pace);
        let (mut now, mut looks) = (START, 0);
        while job.begun < job.selected {
            let turns = turns(&job, now);
            assert!(turns > 0 || looks == 0, "woken for nothing at {now}");
            begin(&mut job, turns, now);
            looks += 1;
            if let Some(due) = due(&job, now) {
                now = due.max(now);
            }
        }
        let took_ms = now.since(START).as_millis();
        assert!((9_500..=10_500).contains(&took_ms), "{took_ms} ms");
        assert!(looks < 600, "{looks} looks");
    }

    #[test]
    fn what_was_not_used_for_an_hour_is_not_made_up_for() {
        let mut job = job(1000, Pace::default());
        begin(&mut job, 1, START);
        let later = START.after(Span::from_seconds(3600));
        assert_eq!(turns(&job, later), 1);
    }

    #[test]
    fn never_more_are_in_flight_than_allowed() {
        let pace = Pace {
            in_flight_max: 2,
            per_1000_seconds: 1_000_000,
            ..Pace::default()
        };
        let mut job = job(10, pace);
        assert_eq!(turns(&job, START), 2);
        begin(&mut job, 2, START);
        assert_eq!(turns(&job, START.after(Span::from_seconds(9))), 0);
        assert_eq!(due(&job, START), None, "it waits for news");
        settle(&mut job, &ItemOutcome::Succeeded);
        assert_eq!(turns(&job, START.after(Span::from_seconds(9))), 1);
    }

    #[test]
    fn the_rest_waits_for_the_canary_and_a_dead_canary_stops_it() {
        let pace = Pace {
            canary: 2,
            per_1000_seconds: 1_000_000,
            ..Pace::default()
        };
        let later = START.after(Span::from_seconds(9));
        let mut good = job(10, pace);
        begin(&mut good, 2, START);
        assert_eq!(turns(&good, later), 0);
        settle(
            &mut good,
            &ItemOutcome::InFlight {
                is_acknowledged: true,
            },
        );
        assert_eq!(turns(&good, later), 0, "one of two");
        settle(&mut good, &ItemOutcome::Succeeded);
        assert_eq!(turns(&good, later), 8);

        let mut bad = job(10, pace);
        begin(&mut bad, 2, START);
        settle(&mut bad, &ItemOutcome::Failed);
        assert_eq!(bad.state, JobState::Paused);
        assert_eq!(bad.stopped_because.as_deref(), Some("the canary has died"));
        let resumed = control(&bad, JobControl::Resume, later).unwrap().unwrap();
        assert!(turns(&resumed, later) > 2, "an operator went on without it");
    }

    #[test]
    fn a_skipped_canary_is_replaced_by_the_next() {
        let pace = Pace {
            canary: 1,
            ..Pace::default()
        };
        let mut job = job(3, pace);
        count(
            &mut job,
            None,
            &ItemOutcome::Skipped {
                code: "already_replayed".to_owned(),
            },
        );
        took(&mut job, 1, START);
        conclude(&mut job, START);
        assert_eq!(turns(&job, START.after(Span::from_seconds(1))), 1);
    }

    #[test]
    fn it_pauses_when_too_many_die_and_counts_anew_when_told_to_go_on() {
        let pace = Pace {
            stop_after_failures: 2,
            per_1000_seconds: 1_000_000,
            ..Pace::default()
        };
        let mut job = job(10, pace);
        begin(&mut job, 4, START);
        settle(&mut job, &ItemOutcome::Failed);
        assert_eq!(job.state, JobState::Running);
        settle(&mut job, &ItemOutcome::Failed);
        assert_eq!(job.state, JobState::Paused);
        let mut job = control(&job, JobControl::Resume, START).unwrap().unwrap();
        settle(&mut job, &ItemOutcome::Failed);
        assert_eq!((job.state, job.failed), (JobState::Running, 3));
        settle(&mut job, &ItemOutcome::Failed);
        assert_eq!(job.state, JobState::Paused);
    }

    #[test]
    fn it_is_done_when_the_last_replay_has_ended_also_while_it_is_paused() {
        let mut job = job(1, Pace::default());
        begin(&mut job, 1, START);
        let mut job = control(&job, JobControl::Pause, START).unwrap().unwrap();
        settle(&mut job, &ItemOutcome::Succeeded);
        assert_eq!(job.state, JobState::Done);
        assert_eq!(
            control(&job, JobControl::Resume, START),
            Err(JobFinished {
                state: JobState::Done
            })
        );
    }
}
