//! Jobs at work: each commit gives some of their intents their turn and notes what became of earlier ones.
//!
//! 1. A turn and its entry in the job are one commit: a crash in the middle has done both or neither.
//! 2. The fate of a replay is counted in the commit in which it moved.
//! 3. What a job will do next is decided by `engine::jobs`; here it is only carried out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::json;

use crate::broker::batch::Batch;
use crate::broker::request::{AdminReceipt, AdminRefusal, BrokerError, StartJob};
use crate::broker::writer::faultless;
use crate::domain::fact::{Actor, Notice};
use crate::domain::ids::{IntentId, JobId, ThreadId};
use crate::domain::job::{ItemOutcome, Job, JobControl, JobItem, JobKind, JobState};
use crate::domain::payload::Payload;
use crate::domain::status::Status;
use crate::domain::time::{Span, Timestamp};
use crate::engine::command::{Command, Discard, Replay, Resolve};
use crate::engine::jobs;
use crate::store::error::StoreError;
use crate::store::{JOB_PIECE, Reader, Remembered, Write};

/// The number under which the last job id is kept.
const JOB: &str = "job";
/// Progress is told so often at most; a change of state at once.
const TOLD_EVERY: Span = Span::from_millis(1000);

/// The jobs that have to be followed.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    live: BTreeMap<JobId, Live>,
    last: u64,
    /// Replays that moved in this commit and that no job has looked at yet.
    pub(super) moved: Vec<IntentId>,
}

/// Whether a step may give intents their turn, or only notes what became of earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turns {
    Given,
    None,
}

/// A job with what its next steps need.
#[derive(Debug)]
struct Live {
    job: Job,
    /// A piece of its selection, by its number.
    piece: Option<(u32, Vec<IntentId>)>,
    /// Its items whose replays are in flight, by replay.
    in_flight: HashMap<IntentId, JobItem>,
    /// True until every replay has been looked at once after a start.
    is_fresh: bool,
    told_at: Option<Timestamp>,
}

impl Jobs {
    /// The jobs that a former process left.
    pub(super) fn read(reader: &mut dyn Reader) -> Result<Self, StoreError> {
        let mut live = BTreeMap::new();
        for job in reader.live_jobs()? {
            let items = reader.job_items_in_flight(job.id)?;
            let in_flight = items
                .into_iter()
                .filter_map(|item| Some((item.new_intent?, item)))
                .collect();
            let one = Live {
                piece: None,
                in_flight,
                is_fresh: true,
                told_at: None,
                job,
            };
            live.insert(one.job.id, one);
        }
        Ok(Self {
            live,
            last: reader.number(JOB)?.unwrap_or(0),
            moved: Vec::new(),
        })
    }

    /// When the first of them is to be looked at by time alone. While the disk is low, replays are not.
    pub(super) fn next_due(&self, now: Timestamp, is_low: bool) -> Option<Timestamp> {
        self.live
            .values()
            .filter(|one| !(is_low && one.job.kind == JobKind::Replay))
            .filter_map(|one| jobs::due(&one.job, now))
            .min()
    }
}

/// The job that was ordered before under this key.
pub(super) fn repeated(
    batch: &mut Batch<'_>,
    start: &StartJob,
) -> Result<Option<AdminReceipt>, BrokerError> {
    let Some(key) = &start.remember else {
        return Ok(None);
    };
    let Some(known) = batch.txn.remembered(&key.scope, &key.key)? else {
        return Ok(None);
    };
    let id = known.job().ok_or(BrokerError::KeyConflict)?;
    if known.fingerprint != key.fingerprint {
        return Err(BrokerError::KeyConflict);
    }
    let job = match batch.jobs.live.get(&id) {
        Some(one) => one.job.clone(),
        None => batch.reader.job(id)?.ok_or(AdminRefusal::NoJob(id))?,
    };
    Ok(Some(receipt(&job, true)))
}

/// Takes a job in: its selection, and its first turns in this commit's round. Its key is in the same commit.
pub(super) fn start(batch: &mut Batch<'_>, start: &StartJob) -> Result<AdminReceipt, StoreError> {
    let id = JobId(batch.jobs.last.saturating_add(1));
    batch.jobs.last = id.0;
    batch.txn.put(Write::Number(JOB, id.0))?;
    let order = &start.job;
    let mut job = Job {
        id,
        kind: order.kind,
        state: JobState::Running,
        by: start.by.clone(),
        via: start.via.clone(),
        reason: order.reason.clone(),
        selection: order.selection.clone(),
        order: order.order,
        pace: order.pace,
        to: order.to.clone(),
        matched: start.matched,
        left_out: start.left_out.clone(),
        terms: order.terms,
        created_at: batch.now,
        updated_at: batch.now,
        finished_at: None,
        selected: u32::try_from(start.intents.len()).unwrap_or(u32::MAX),
        begun: 0,
        in_flight: 0,
        acknowledged: 0,
        succeeded: 0,
        failed: 0,
        skipped: 0,
        forgiven: 0,
        is_canary_over: order.pace.canary == 0 || order.kind != JobKind::Replay,
        stopped_because: None,
        not_before_us: batch.now.as_millis().saturating_mul(1000),
    };
    let size = usize::try_from(JOB_PIECE).unwrap_or(usize::MAX);
    let mut pieces = start.intents.chunks(size).map(<[IntentId]>::to_vec);
    let first = pieces.next().unwrap_or_default();
    batch.txn.put(Write::JobSelection(id, 0, first.clone()))?;
    for (number, piece) in (1..).zip(pieces) {
        batch.txn.put(Write::JobSelection(id, number, piece))?;
    }
    jobs::conclude(&mut job, batch.now);
    batch.txn.put(Write::Job(Box::new(job.clone())))?;
    if let Some(key) = &start.remember {
        let (intent, seq) = Remembered::named(id);
        batch.txn.put(Write::Remember(Remembered {
            scope: key.scope.clone(),
            key: key.key.clone(),
            fingerprint: key.fingerprint,
            at: batch.now,
            intent,
            seq,
        }))?;
    }
    tell(batch, "job.started", &job)?;
    let receipt = receipt(&job, false);
    let one = Live {
        job,
        piece: Some((0, first)),
        in_flight: HashMap::new(),
        is_fresh: false,
        told_at: None,
    };
    batch.jobs.live.insert(id, one);
    Ok(receipt)
}

/// Does what an operator says.
pub(super) fn control(
    batch: &mut Batch<'_>,
    id: JobId,
    word: JobControl,
) -> Result<AdminReceipt, BrokerError> {
    let job = match batch.jobs.live.get(&id) {
        Some(one) => one.job.clone(),
        None => batch.reader.job(id)?.ok_or(AdminRefusal::NoJob(id))?,
    };
    let Some(changed) = jobs::control(&job, word, batch.now)
        .map_err(|finished| AdminRefusal::JobFinished(id, finished.state))?
    else {
        return Ok(receipt(&job, true));
    };
    batch.txn.put(Write::Job(Box::new(changed.clone())))?;
    tell(batch, kind_of_news(&changed), &changed)?;
    if let Some(one) = batch.jobs.live.get_mut(&id) {
        one.job = changed.clone();
    }
    Ok(receipt(&changed, false))
}

fn receipt(job: &Job, is_repeat: bool) -> AdminReceipt {
    AdminReceipt {
        job: Some(Arc::new(job.clone())),
        is_repeat,
        ..AdminReceipt::default()
    }
}

/// What every commit does for jobs.
pub(super) fn round(batch: &mut Batch<'_>) -> Result<(), StoreError> {
    if batch.jobs.live.is_empty() {
        batch.jobs.moved.clear();
        return Ok(());
    }
    let mut live = std::mem::take(&mut batch.jobs.live);
    let mut moved = std::mem::take(&mut batch.jobs.moved);
    for one in live.values_mut() {
        one.step(batch, &moved, Turns::Given)?;
    }
    // One job may withdraw what another has just replayed.
    moved = std::mem::take(&mut batch.jobs.moved);
    while !moved.is_empty() {
        for one in live.values_mut() {
            one.step(batch, &moved, Turns::None)?;
        }
        moved = std::mem::take(&mut batch.jobs.moved);
    }
    live.retain(|_id, one| one.job.is_live());
    batch.jobs.live = live;
    Ok(())
}

impl Live {
    fn step(
        &mut self,
        batch: &mut Batch<'_>,
        moved: &[IntentId],
        given: Turns,
    ) -> Result<(), StoreError> {
        let before = self.job.clone();
        if std::mem::take(&mut self.is_fresh) {
            let all: Vec<IntentId> = self.in_flight.keys().copied().collect();
            batch.load(&all)?;
            self.settle(batch, &all)?;
        }
        self.settle(batch, moved)?;
        jobs::conclude(&mut self.job, batch.now);
        let is_held = batch.vitals.room().is_low && self.job.kind == JobKind::Replay;
        let turns = match given {
            Turns::Given if !is_held => jobs::turns(&self.job, batch.now),
            Turns::Given | Turns::None => 0,
        };
        for _ in 0..turns {
            self.turn(batch)?;
        }
        if turns > 0 {
            jobs::took(&mut self.job, turns, batch.now);
            jobs::conclude(&mut self.job, batch.now);
        }
        if self.job == before {
            return Ok(());
        }
        if cfg!(debug_assertions) {
            jobs::check(&self.job).map_err(|reason| StoreError::Corrupt {
                what: format!("job {}", self.job.id),
                reason,
            })?;
        }
        batch.txn.put(Write::Job(Box::new(self.job.clone())))?;
        let is_news = self.job.state != before.state;
        let is_time = self
            .told_at
            .is_none_or(|at| batch.now.since(at) >= TOLD_EVERY);
        if is_news || is_time {
            self.told_at = Some(batch.now);
            tell(batch, kind_of_news(&self.job), &self.job)?;
        }
        Ok(())
    }

    /// Notes what has become of replays that have moved.
    fn settle(&mut self, batch: &mut Batch<'_>, moved: &[IntentId]) -> Result<(), StoreError> {
        for replay in moved {
            let Some(item) = self.in_flight.get_mut(replay) else {
                continue;
            };
            let Some(intent) = batch.intent(*replay) else {
                continue;
            };
            let outcome = jobs::fate(intent);
            if outcome == item.outcome {
                continue;
            }
            jobs::count(&mut self.job, Some(&item.outcome), &outcome);
            self.job.updated_at = batch.now;
            item.outcome = outcome;
            batch.txn.put(Write::JobItem(self.job.id, item.clone()))?;
            if !matches!(item.outcome, ItemOutcome::InFlight { .. }) {
                self.in_flight.remove(replay);
            }
        }
        Ok(())
    }

    /// Gives the next intent its turn.
    fn turn(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        let position = self.job.begun;
        let intent = self.intent_at(batch, position)?;
        let (command, new_intent) = self.command(batch);
        let outcome = match faultless(batch.command(intent, &command))? {
            Ok(ran) => match ran.caused.first().filter(|_new| new_intent.is_some()) {
                Some(replay) => jobs::fate(replay),
                None => ItemOutcome::Succeeded,
            },
            Err(refusal) => ItemOutcome::Skipped {
                code: code_of(&refusal),
            },
        };
        let is_done = !matches!(outcome, ItemOutcome::Skipped { .. });
        let item = JobItem {
            position,
            intent,
            new_intent: new_intent.filter(|_id| is_done),
            outcome,
        };
        jobs::count(&mut self.job, None, &item.outcome);
        batch.txn.put(Write::JobItem(self.job.id, item.clone()))?;
        if let (Some(replay), ItemOutcome::InFlight { .. }) = (item.new_intent, &item.outcome) {
            self.in_flight.insert(replay, item);
        }
        Ok(())
    }

    fn intent_at(&mut self, batch: &mut Batch<'_>, position: u32) -> Result<IntentId, StoreError> {
        let (piece, place) = (position / JOB_PIECE, position % JOB_PIECE);
        if self.piece.as_ref().is_none_or(|(known, _)| *known != piece) {
            let intents = batch.reader.job_selection(self.job.id, piece)?;
            self.piece = Some((piece, intents));
        }
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let found = self.piece.as_ref().and_then(|(_, all)| all.get(place));
        found.copied().ok_or_else(|| StoreError::Corrupt {
            what: format!("selection of {}", self.job.id),
            reason: format!("it ends before position {position}"),
        })
    }

    /// What is asked of each intent, and the id of the replay should there be one.
    fn command(&self, batch: &Batch<'_>) -> (Command, Option<IntentId>) {
        let by = self.job.by.clone();
        let reason = self.job.reason.clone();
        match self.job.kind {
            JobKind::Replay => {
                let (new_id, new_thread) = (fresh_id(batch), ThreadId(fresh_id(batch).0));
                let replay = Replay {
                    new_id,
                    new_thread,
                    payload: None,
                    to: self.job.to.clone(),
                    max_attempts: self.job.terms.max_attempts,
                    is_forced: self.job.terms.is_forced,
                    reason,
                    hold: Span::ZERO,
                    by,
                };
                (Command::Replay(Box::new(replay)), Some(new_id))
            }
            JobKind::Discard => {
                let discard = Discard {
                    reason: reason.unwrap_or_default(),
                    hold: Span::ZERO,
                    by,
                };
                (Command::Discard(discard), None)
            }
            JobKind::Cancel => {
                let resolve = Resolve {
                    status: Status::Canceled,
                    result: None,
                    error: None,
                    reason,
                    by: Actor::at(&by),
                    expected_generation: None,
                };
                (Command::Resolve(resolve), None)
            }
        }
    }
}

fn fresh_id(batch: &Batch<'_>) -> IntentId {
    let mut bytes = [0; 10];
    batch.entropy.fill(&mut bytes);
    IntentId::new(batch.now.as_millis(), bytes)
}

fn code_of(refusal: &BrokerError) -> String {
    match refusal {
        BrokerError::Refused(refusal) => refusal.code().to_owned(),
        other => other.to_string(),
    }
}

const fn kind_of_news(job: &Job) -> &'static str {
    if job.state.is_finished() {
        "job.finished"
    } else {
        "job.progress"
    }
}

fn tell(batch: &mut Batch<'_>, kind: &str, job: &Job) -> Result<(), StoreError> {
    let data = json!({
        "job_id": job.id.to_string(),
        "kind": job.kind.name(),
        "state": job.state.name(),
        "selected": job.selected,
        "done": job.done(),
        "in_flight": job.in_flight,
        "succeeded": job.succeeded,
        "failed": job.failed,
        "skipped": job.skipped,
        "stopped_because": job.stopped_because,
    });
    batch.notice(Notice {
        at: batch.now,
        actor: Actor::at(&job.by),
        kind: kind.to_owned(),
        agent: job.selection.agent.clone(),
        data: Payload::of(&data),
    })
}
