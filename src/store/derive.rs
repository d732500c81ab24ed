//! What follows from the state and the facts of an intent: derived here once, for every memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::address::Address;
use crate::domain::attempt::{Attempt, AttemptReport, Outcome};
use crate::domain::fact::{Fact, FactBody};
use crate::domain::failure::{ErrorClass, Failure};
use crate::domain::ids::{AttemptId, ThreadId};
use crate::domain::intent::{DeadLetterState, Delivery, Intent};
use crate::domain::status::Status;
use crate::domain::time::Timestamp;
use crate::store::Change;
use crate::store::error::StoreError;
use crate::store::query::{AgentDepth, Counters, LetterState, ThreadKind};

/// The status after each fact of a change, in order.
pub(super) fn statuses_of(change: &Change) -> Vec<Status> {
    let mut status = change
        .before
        .as_ref()
        .map_or(Status::Created, |before| before.status);
    let follow = |fact: &Fact| {
        status = fact.body.status_after(status);
        status
    };
    change.facts.iter().map(follow).collect()
}

/// The attempts that a change begins or moves, as they are after it. `find` gives those stored before.
///
/// An attempt that has finished does not change again, except that a report may still be added, and that
/// one which ended without a word of its receiver says so when that word comes after all. One whose lease is gone without a word of its own, because its receiver handed the intent on, was taken.
pub(super) fn attempts_of(
    change: &Change,
    find: &mut dyn FnMut(AttemptId) -> Result<Option<Attempt>, StoreError>,
) -> Result<Vec<Attempt>, StoreError> {
    let mut moved: Vec<Attempt> = Vec::new();
    for fact in &change.facts {
        if let FactBody::AttemptStarted {
            attempt,
            number,
            binding,
            ..
        } = &fact.body
        {
            moved.push(Attempt {
                id: *attempt,
                intent: change.after.id,
                number: *number,
                agent: change.after.to.clone(),
                binding: *binding,
                started_at: fact.at,
                finished_at: None,
                outcome: Outcome::InFlight,
                error_class: None,
                error: None,
                next_attempt_at: None,
                report: None,
            });
        } else if let FactBody::ResultRejected { attempt: id } = &fact.body {
            touch(&mut moved, *id, find)?;
            if let Some(attempt) = moved.iter_mut().find(|attempt| attempt.id == *id) {
                reject(attempt);
            }
        } else if let Some(id) = fact.body.attempt() {
            touch(&mut moved, id, find)?;
            if let Some(attempt) = moved.iter_mut().find(|attempt| attempt.id == id) {
                close(attempt, fact);
            }
        }
    }
    let open = change.after.lease().map(|lease| lease.attempt);
    if let Some(lease) = change.before.as_ref().and_then(|before| before.lease())
        && open != Some(lease.attempt)
    {
        touch(&mut moved, lease.attempt, find)?;
    }
    for attempt in &mut moved {
        if Some(attempt.id) != open && attempt.finished_at.is_none() {
            let end = change.facts.last().map(|fact| fact.at);
            attempt.finished_at = Some(end.unwrap_or(change.after.updated_at));
            attempt.outcome = Outcome::Acknowledged;
        }
    }
    Ok(moved)
}

fn touch(
    moved: &mut Vec<Attempt>,
    id: AttemptId,
    find: &mut dyn FnMut(AttemptId) -> Result<Option<Attempt>, StoreError>,
) -> Result<(), StoreError> {
    if !moved.iter().any(|attempt| attempt.id == id) {
        moved.extend(find(id)?);
    }
    Ok(())
}

/// The report that a fact carries.
pub(super) fn report_of(body: &FactBody) -> Option<&Arc<AttemptReport>> {
    match body {
        FactBody::AttemptFailed { report, .. }
        | FactBody::Acknowledged { report, .. }
        | FactBody::DeliveryFailed { report, .. }
        | FactBody::Completed { report, .. }
        | FactBody::Failed { report, .. } => report.as_ref(),
        _ => None,
    }
}

fn close(attempt: &mut Attempt, fact: &Fact) {
    if let Some(report) = report_of(&fact.body) {
        attempt.report = Some(Arc::clone(report));
    }
    if attempt.finished_at.is_some() {
        return;
    }
    let mut end = |outcome: Outcome| {
        attempt.finished_at = Some(fact.at);
        attempt.outcome = outcome;
    };
    match &fact.body {
        FactBody::Acknowledged { .. } => attempt.outcome = Outcome::Acknowledged,
        FactBody::AttemptFailed {
            failure, next_at, ..
        } => {
            end(Outcome::of_failure(failure.class));
            describe(attempt, failure);
            attempt.next_attempt_at = Some(*next_at);
        }
        FactBody::DeliveryFailed {
            failure: Some(failure),
            ..
        } => {
            end(Outcome::of_failure(failure.class));
            describe(attempt, failure);
        }
        FactBody::DeliveryFailed { failure: None, .. }
        | FactBody::Canceled { .. }
        | FactBody::TimedOut { .. } => end(Outcome::Withdrawn),
        FactBody::Completed { .. } => end(Outcome::Completed),
        FactBody::Failed { error, .. } => {
            end(Outcome::Failed);
            attempt.error_class = Some(ErrorClass::HandlerFailed);
            attempt.error = Some(error.message.clone());
        }
        _ => {}
    }
}

/// A result came that no longer counts. Where its receiver had spoken before, that stands.
const fn reject(attempt: &mut Attempt) {
    match attempt.outcome {
        Outcome::Lost | Outcome::TimedOut | Outcome::UnknownCrash | Outcome::Withdrawn => {
            attempt.outcome = Outcome::RejectedStale;
        }
        Outcome::InFlight
        | Outcome::Acknowledged
        | Outcome::Completed
        | Outcome::Failed
        | Outcome::RejectedStale => {}
    }
}

fn describe(attempt: &mut Attempt, failure: &Failure) {
    attempt.error_class = Some(failure.class);
    attempt.error = Some(failure.message.clone());
}

/// A thread, apart from its intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ThreadRow {
    pub(super) id: ThreadId,
    pub(super) kind: ThreadKind,
    pub(super) owner: Address,
    /// Whose inbox it lies in beside the owner's.
    pub(super) shared: Vec<Address>,
    pub(super) is_pending: bool,
    pub(super) updated_at: Timestamp,
    /// Where it stands among the open tasks by due instant; the last place when it has none.
    pub(super) due_at: Timestamp,
}

/// The thread of the intent's task, while it has one.
pub(super) fn task_thread(intent: &Intent) -> Option<ThreadRow> {
    intent.task.as_ref().map(|task| ThreadRow {
        id: task.thread,
        kind: ThreadKind::Task,
        owner: task.owner.clone(),
        shared: task.delegates.clone(),
        is_pending: intent.open_task().is_some(),
        updated_at: intent.updated_at,
        due_at: intent
            .task_due_at()
            .unwrap_or(Timestamp::from_millis(i64::MAX)),
    })
}

/// The thread that tells `reply_to` how the intent ended, once it has.
pub(super) fn completion_thread(intent: &Intent) -> Option<ThreadRow> {
    let owner = intent.reply_to.as_ref()?;
    intent.is_finished().then(|| ThreadRow {
        id: ThreadId(intent.id.0),
        kind: ThreadKind::Completion,
        owner: owner.clone(),
        shared: Vec::new(),
        is_pending: false,
        updated_at: intent.updated_at,
        due_at: Timestamp::from_millis(i64::MAX),
    })
}

/// When the first of its holds takes effect.
pub(super) fn held_until(intent: &Intent) -> Option<Timestamp> {
    intent.holds.iter().map(|hold| hold.effective_at).min()
}

/// The state of a dead letter without what goes with it.
pub(super) const fn letter_state(state: &DeadLetterState) -> LetterState {
    match state {
        DeadLetterState::Open => LetterState::Open,
        DeadLetterState::Replayed { .. } => LetterState::Replayed,
        DeadLetterState::Discarded { .. } => LetterState::Discarded,
    }
}

/// The lists of a receiver and of a binding in which an intent counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Depth {
    Ready,
    Leased,
    BackingOff,
    Held,
    Dead,
}

impl Depth {
    /// Where it counts in a depth.
    pub(super) const fn of_mut(self, depth: &mut AgentDepth) -> &mut u64 {
        match self {
            Self::Ready => &mut depth.ready,
            Self::Leased => &mut depth.leased,
            Self::BackingOff => &mut depth.backing_off,
            Self::Held => &mut depth.held,
            Self::Dead => &mut depth.dead,
        }
    }
}

/// The depths in which an intent counts: one for its delivery while that lives, one as an open dead letter.
pub(super) fn depths_of(intent: &Intent) -> impl Iterator<Item = Depth> {
    let delivery = match intent.delivery {
        Delivery::Ready { .. } => Some(Depth::Ready),
        Delivery::Leased(_) => Some(Depth::Leased),
        Delivery::BackingOff { .. } => Some(Depth::BackingOff),
        Delivery::HeldByPerson | Delivery::HeldByTime { .. } | Delivery::HeldBySteps => {
            Some(Depth::Held)
        }
        Delivery::Done | Delivery::Dead | Delivery::Withdrawn => None,
    };
    let letter = intent.is_open_dead_letter().then_some(Depth::Dead);
    delivery.into_iter().chain(letter)
}

/// The counters while they are kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    total: Counters,
    by_agent: BTreeMap<Address, AgentDepth>,
}

impl Tally {
    /// Counts an intent in.
    pub(super) fn add(&mut self, intent: &Intent) {
        self.each(intent, |count| *count = count.saturating_add(1));
    }

    /// Counts an intent out, as it was when it was counted in.
    pub(super) fn remove(&mut self, intent: &Intent) {
        self.each(intent, |count| *count = count.saturating_sub(1));
        if self
            .by_agent
            .get(&intent.to)
            .is_some_and(|depth| *depth == AgentDepth::default())
        {
            self.by_agent.remove(&intent.to);
        }
    }

    /// The counters as readers see them: receivers with nothing left are not named.
    pub(super) fn counters(&self) -> Counters {
        Counters {
            by_agent: self
                .by_agent
                .iter()
                .map(|(agent, depth)| (agent.clone(), *depth))
                .collect(),
            ..self.total.clone()
        }
    }

    fn each(&mut self, intent: &Intent, mut change: impl FnMut(&mut u64)) {
        let total = &mut self.total;
        if let Some(count) = total.by_status.get_mut(intent.status as usize) {
            change(count);
        }
        if let Some(count) = total.by_state.get_mut(intent.state() as usize) {
            change(count);
        }
        for depth in depths_of(intent) {
            if let Some(binding) = total.by_binding.get_mut(intent.binding as usize) {
                change(depth.of_mut(binding));
            }
            change(depth.of_mut(self.by_agent.entry(intent.to.clone()).or_default()));
        }
        if intent.open_task().is_some() {
            change(&mut total.open_tasks);
        }
    }
}
