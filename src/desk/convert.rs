//! From the broker's own types to rows. What both desks derive from the same numbers is here, once.

use std::sync::Arc;

use crate::domain::address::Address;
use crate::domain::attempt::{Attempt, AttemptReport, Excerpt};
use crate::domain::group::{GroupMark, GroupStand, GroupState};
use crate::domain::intent::{DeadLetterState, Delivery, End, Intent};
use crate::domain::job::{ItemOutcome, Job, JobItem, Selection};
use crate::domain::payload::Payload;
use crate::domain::status::{State, Status, WaitingReason};
use crate::domain::task::{HeldAct, Hold};
use crate::domain::time::Timestamp;
use crate::store::query::{AuditEntry, Audited, LetterGroup, LetterState, Thread, ThreadKind};
use crate::wire::{dead_letters, jobs};

use super::rows::jobs::{AuditRow, JobItemRow, JobRow};
use super::rows::{
    AttemptRow, DecisionRow, HeldRow, IntentRow, LetterGroupRow, LetterRow, TaskRow,
};

/// Who a completion is from, without its scheme.
const COMPLETION_SENDER: &str = "axme.intent-protocol";

pub(super) fn job_row(job: &Job) -> JobRow {
    let brief = Selection {
        intents: Vec::new(),
        ..job.selection.clone()
    };
    JobRow {
        id: job.id,
        kind: job.kind,
        state: job.state,
        by: job.by.to_string(),
        reason: job.reason.clone(),
        filter: Payload::trusted(jobs::filter(&brief)),
        created_at: job.created_at,
        updated_at: job.updated_at,
        finished_at: job.finished_at,
        selected: job.selected,
        done: job.done(),
        succeeded: job.succeeded,
        failed: job.failed,
        skipped: job.skipped,
        in_flight: job.in_flight,
        per_1000_seconds: job.pace.per_1000_seconds,
        max_in_flight: job.pace.in_flight_max,
        canary: job.pace.canary,
        stop_after_failures: job.pace.stop_after_failures,
        stopped_because: job.stopped_because.clone(),
    }
}

pub(super) fn job_item_row(item: JobItem) -> JobItemRow {
    let outcome = item.outcome.name().to_owned();
    JobItemRow {
        intent: item.intent,
        new_intent: item.new_intent,
        outcome,
        code: match item.outcome {
            ItemOutcome::Skipped { code } => Some(code),
            _ => None,
        },
    }
}

pub(super) fn audit_row(audited: Audited) -> AuditRow {
    let AuditEntry {
        at,
        actor,
        key,
        via,
        action,
        target,
        owner,
        reason,
        result,
        details,
        trace_id,
    } = audited.entry;
    AuditRow {
        id: audited.id,
        at,
        actor,
        owner,
        key,
        via,
        action,
        target,
        reason,
        result,
        details,
        trace_id,
    }
}

pub(super) fn intent_row(intent: &Intent) -> IntentRow {
    IntentRow {
        id: intent.id,
        intent_type: intent.intent_type.clone(),
        from: intent.from.clone(),
        to: intent.to.clone(),
        status: intent.status,
        state: intent.state(),
        waiting: intent.waiting,
        delivery: intent.delivery.name().to_owned(),
        binding: intent.binding,
        attempts: intent.attempts,
        max_attempts: intent.max_attempts,
        next_at: next_at(&intent.delivery),
        created_at: intent.created_at,
        updated_at: intent.updated_at,
        deadline: intent.deadline,
        correlation_id: intent.correlation_id.clone(),
        replay_of: intent.replay_of,
        parent: intent.step.as_ref().map(|step| step.run),
        note: note(intent),
    }
}

const fn next_at(delivery: &Delivery) -> Option<Timestamp> {
    match delivery {
        Delivery::Leased(lease) => Some(lease.until),
        Delivery::BackingOff { until } | Delivery::HeldByTime { until } => Some(*until),
        Delivery::Ready { .. }
        | Delivery::HeldByPerson
        | Delivery::HeldBySteps
        | Delivery::Done
        | Delivery::Dead
        | Delivery::Withdrawn => None,
    }
}

/// The error of its end, or the last failure, in a line. A completed intent has nothing to note.
fn note(intent: &Intent) -> Option<String> {
    match &intent.end {
        Some(End::Completed { .. }) => None,
        Some(End::Failed { error } | End::TimedOut { error }) => Some(error.message.clone()),
        Some(End::Canceled { reason }) => reason.clone(),
        None => intent
            .last_failure
            .as_ref()
            .map(|failure| failure.message.clone()),
    }
}

pub(super) fn held_row(intent: &Intent, hold: &Hold) -> HeldRow {
    HeldRow {
        hold: hold.id,
        intent: intent.id,
        act: hold.act.name().to_owned(),
        by: hold.by.to_string(),
        effective_at: hold.effective_at,
    }
}

/// Everything that is staged on these intents, soonest first.
pub(super) fn held_rows(intents: &[Arc<Intent>]) -> Vec<HeldRow> {
    let mut rows: Vec<HeldRow> = intents
        .iter()
        .flat_map(|intent| intent.holds.iter().map(|hold| held_row(intent, hold)))
        .collect();
    rows.sort_by_key(|row| (row.effective_at, row.hold));
    rows
}

fn held_decision(intent: &Intent) -> Option<HeldRow> {
    intent
        .holds
        .iter()
        .find(|hold| matches!(hold.act, HeldAct::Decide { .. }))
        .map(|hold| held_row(intent, hold))
}

fn held_letter_act(intent: &Intent) -> Option<HeldRow> {
    intent
        .holds
        .iter()
        .find(|hold| matches!(hold.act, HeldAct::Replay | HeldAct::Discard { .. }))
        .map(|hold| held_row(intent, hold))
}

pub(super) fn letter_row(intent: &Intent) -> Option<LetterRow> {
    let letter = intent.dead_letter.as_ref()?;
    let (state, replayed_as) = match &letter.state {
        DeadLetterState::Open => (LetterState::Open, None),
        DeadLetterState::Replayed { as_intent } => (LetterState::Replayed, Some(*as_intent)),
        DeadLetterState::Discarded { .. } => (LetterState::Discarded, None),
    };
    Some(LetterRow {
        intent: intent.id,
        intent_type: intent.intent_type.clone(),
        from: intent.from.clone(),
        to: intent.to.clone(),
        binding: intent.binding,
        reason: letter.reason,
        error_class: intent.last_failure.as_ref().map(|failure| failure.class),
        http_status: intent
            .last_failure
            .as_ref()
            .and_then(|failure| failure.http_status),
        message: dead_letters::message(intent),
        attempts: intent.attempts,
        dead_at: letter.at,
        fingerprint: letter.fingerprint.clone(),
        state,
        replayed_as,
        replay_of: intent.replay_of,
        held: held_letter_act(intent),
    })
}

/// A group without a sample has nothing to show and gives no row.
pub(super) fn letter_group_row(
    group: &LetterGroup,
    mark: Option<&GroupMark>,
) -> Option<LetterGroupRow> {
    let sample = letter_row(group.newest.first()?)?;
    Some(LetterGroupRow {
        fingerprint: group.fingerprint.clone(),
        count: group.count,
        reason: sample.reason,
        error_class: sample.error_class,
        http_status: sample.http_status,
        intent_type: sample.intent_type,
        to: sample.to,
        message: sample.message,
        first_at: group.first_at,
        last_at: group.last_at,
        hourly: group.hourly.clone(),
        newest: group.newest.iter().map(|intent| intent.id).collect(),
        state: mark.map_or(GroupState::Said(GroupStand::New), |mark| {
            mark.state(group.last_at)
        }),
        owner: mark.and_then(|mark| mark.owner.clone()),
        note: mark.and_then(|mark| mark.note.clone()),
        marked: mark.map(|mark| (mark.by.clone(), mark.at)),
    })
}

pub(super) fn attempt_row(attempt: Attempt) -> AttemptRow {
    let http_status = attempt
        .report
        .as_ref()
        .and_then(|report| report.http_status);
    AttemptRow {
        id: attempt.id,
        intent: attempt.intent,
        number: attempt.number,
        agent: attempt.agent,
        binding: attempt.binding,
        started_at: attempt.started_at,
        finished_at: attempt.finished_at,
        outcome: attempt.outcome,
        error_class: attempt.error_class,
        http_status,
        error: attempt.error,
        next_attempt_at: attempt.next_attempt_at,
        report: attempt.report.and_then(tidy_report),
    }
}

/// A report in the form that the wire can carry too: headers by name, one value each; a report that
/// says nothing is none.
pub(super) fn tidy_report(mut report: Arc<AttemptReport>) -> Option<Arc<AttemptReport>> {
    let tidied = Arc::make_mut(&mut report);
    for excerpt in [tidied.request.as_mut(), tidied.response.as_mut()]
        .into_iter()
        .flatten()
    {
        tidy_headers(excerpt);
    }
    (*report != AttemptReport::default()).then_some(report)
}

fn tidy_headers(excerpt: &mut Excerpt) {
    excerpt.headers.sort_by(|one, other| one.0.cmp(&other.0));
    excerpt.headers.dedup_by(|next, kept| next.0 == kept.0);
}

/// The row of a task, or of the completion that a `reply_to` got.
pub(super) fn thread_row(thread: &Thread) -> TaskRow {
    let intent = thread.intent.as_ref();
    match (thread.kind, task_row(intent)) {
        (ThreadKind::Task, Some(mut row)) => {
            row.thread = thread.id;
            row
        }
        (kind, _) => TaskRow {
            thread: thread.id,
            intent: intent.id,
            kind,
            owner: thread.owner.clone(),
            from: Address::trusted(COMPLETION_SENDER),
            intent_type: intent.intent_type.clone(),
            title: completion_title(&intent.intent_type, intent.status),
            description: None,
            task_type: String::new(),
            outcomes: Vec::new(),
            is_comment_required: false,
            is_evidence_required: false,
            form: None,
            assignees: Vec::new(),
            version: 0,
            is_open: false,
            opened_at: thread.updated_at,
            due_at: None,
            is_overdue: false,
            deadline: intent.deadline,
            reminded: intent.reminded,
            reminders_max: None,
            escalates_to: None,
            decision: None,
            held: None,
            delegated_to: None,
        },
    }
}

/// A completion has no question; its line says what ended and how.
pub(super) fn completion_title(intent_type: &str, status: Status) -> String {
    format!("{intent_type} {status}")
}

/// The row of an intent's task, if it has one.
pub(super) fn task_row(intent: &Intent) -> Option<TaskRow> {
    let task = intent.task.as_ref()?;
    let is_open = intent.open_task().is_some();
    Some(TaskRow {
        thread: task.thread,
        intent: intent.id,
        kind: ThreadKind::Task,
        owner: task.owner.clone(),
        from: intent.from.clone(),
        intent_type: intent.intent_type.clone(),
        title: task.spec.title.clone(),
        description: task.spec.description.clone(),
        task_type: task.spec.task_type.name().to_owned(),
        outcomes: task.spec.outcomes(),
        is_comment_required: task.spec.needs_comment(),
        is_evidence_required: task.spec.is_evidence_required,
        form: task.spec.form_schema.clone(),
        assignees: task.spec.assignees.clone(),
        version: task.version,
        is_open,
        opened_at: task.opened_at,
        due_at: intent.task_due_at(),
        is_overdue: is_open && intent.reminded > 0,
        deadline: intent.deadline,
        reminded: intent.reminded,
        reminders_max: intent.reminders.max,
        escalates_to: intent.reminders.escalate_to.clone(),
        decision: task.decision.as_ref().map(|decision| DecisionRow {
            outcome: decision.outcome.clone(),
            comment: decision.comment.clone(),
            by: decision.by.to_string(),
            via: decision.via.name().to_owned(),
            at: decision.at,
        }),
        held: held_decision(intent),
        delegated_to: intent
            .handed_to
            .clone()
            .filter(|to| *to != task.owner.to_string()),
    })
}

/// What tells the state of an intent, from either side.
#[derive(Debug)]
pub(super) struct DeliveryWords {
    /// The status.
    pub(super) status: Status,
    /// What it waits for.
    pub(super) waiting: Option<WaitingReason>,
    /// True while an attempt runs.
    pub(super) is_leased: bool,
    /// True when an attempt has failed.
    pub(super) has_failed: bool,
    /// True for a dead letter that nobody has dealt with.
    pub(super) is_open_letter: bool,
}

/// The state among the eight of the overview: the rule of [`Intent::state`] over what the wire shows.
pub(super) const fn state_of(words: &DeliveryWords) -> State {
    if words.is_open_letter {
        return State::DeadLetter;
    }
    match words.status {
        Status::Completed => State::Completed,
        Status::Failed | Status::Canceled | Status::TimedOut => State::Failed,
        Status::Acknowledged | Status::InProgress => State::InFlight,
        Status::Waiting => match words.waiting {
            Some(WaitingReason::Human) => State::WaitingHuman,
            _ => State::WaitingOther,
        },
        Status::Delivered if words.is_leased => State::InFlight,
        Status::Delivered if words.has_failed => State::Retrying,
        Status::Created | Status::Submitted | Status::Delivered => State::Queued,
    }
}
