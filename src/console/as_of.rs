//! An intent as it was: header, end, attempts and state, recomputed from its facts up to one of them.
//!
//! The payload of an intent never changes, so it is the same then and now.

use serde_json::Value;

use crate::desk::rows::{AttemptRow, EventRow, IntentView};
use crate::domain::attempt::Outcome;
use crate::domain::payload::Payload;
use crate::domain::status::{State, Status, WaitingReason};
use crate::domain::time::Timestamp;

/// The intent right after the fact `last`.
pub(crate) fn view(intent: &IntentView, last: &EventRow) -> IntentView {
    let events: Vec<EventRow> = intent
        .events
        .iter()
        .filter(|event| event.seq <= last.seq)
        .cloned()
        .collect();
    let attempts = attempts(intent, &events, last.at);
    let is_dead = seen(&events, "dead_letter.opened") && !seen(&events, "dead_letter.replayed");
    let is_dead = is_dead && !seen(&events, "dead_letter.discarded");
    let waiting = waiting(&events);
    let mut row = intent.row.clone();
    row.status = last.status;
    row.waiting = waiting.filter(|_| last.status == Status::Waiting);
    row.attempts = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
    row.next_at = next_at(&events);
    row.state = state(last.status, row.waiting, &attempts, is_dead);
    row.updated_at = last.at;
    row.note = events.iter().rev().find_map(failure);
    let replayed_as = intent
        .replayed_as
        .filter(|_| seen(&events, "dead_letter.replayed"));
    IntentView {
        row,
        replayed_as,
        end: end(&events),
        letter: intent.letter.clone().filter(|_| is_dead),
        task: intent
            .task
            .clone()
            .filter(|_| seen(&events, "intent.human_task_assigned"))
            .map(|mut task| {
                task.decision = task.decision.filter(|made| made.at <= last.at);
                task.is_open = task.decision.is_none() && !last.status.is_terminal();
                task.held = None;
                task
            }),
        events,
        attempts,
        ..intent.clone()
    }
}

fn seen(events: &[EventRow], kind: &str) -> bool {
    events.iter().any(|event| event.event_type == kind)
}

/// The attempts that had begun; what ended later was still running.
fn attempts(intent: &IntentView, events: &[EventRow], at: Timestamp) -> Vec<AttemptRow> {
    let begun = events
        .iter()
        .filter(|event| event.event_type == "intent.attempt_started")
        .count();
    let begun = intent.attempts.iter().take(begun).cloned();
    let is_terminal = events.last().is_some_and(|last| last.status.is_terminal());
    begun
        .map(|mut attempt| {
            let is_over = is_terminal
                || attempt.finished_at.is_some_and(|end| end < at)
                || events.iter().any(|event| tells(event, &attempt));
            if !is_over {
                attempt.finished_at = None;
                attempt.outcome = Outcome::InFlight;
                attempt.error_class = None;
                attempt.http_status = None;
                attempt.error = None;
                attempt.next_attempt_at = None;
                attempt.report = None;
            }
            attempt
        })
        .collect()
}

/// Whether a fact says how an attempt went.
fn tells(event: &EventRow, attempt: &AttemptRow) -> bool {
    let is_word = matches!(
        event.event_type.as_str(),
        "intent.attempt_failed" | "intent.delivery_failed" | "intent.acknowledged"
    );
    let details = event.details.to_value();
    let id = details.get("attempt_id").and_then(Value::as_str);
    is_word && id == Some(attempt.id.to_string().as_str())
}

/// When the next try was due, if one was planned.
fn next_at(events: &[EventRow]) -> Option<Timestamp> {
    let moved = events.iter().rev().find(|event| {
        matches!(
            event.event_type.as_str(),
            "intent.attempt_failed" | "intent.attempt_started" | "intent.retried_now"
        ) || event.status.is_terminal()
    })?;
    let details = moved.details.to_value();
    let next = details.get("next_attempt_at").and_then(Value::as_str)?;
    next.parse().ok()
}

fn waiting(events: &[EventRow]) -> Option<WaitingReason> {
    let wait = events
        .iter()
        .rev()
        .find(|event| event.event_type == "intent.waiting")?;
    let details = wait.details.to_value();
    let name = details.get("waiting_reason").and_then(Value::as_str)?;
    [
        WaitingReason::Human,
        WaitingReason::Agent,
        WaitingReason::Tool,
        WaitingReason::Time,
    ]
    .into_iter()
    .find(|reason| reason.name() == name)
}

/// Where it stood among the eight states.
fn state(
    status: Status,
    waiting: Option<WaitingReason>,
    attempts: &[AttemptRow],
    is_dead: bool,
) -> State {
    let is_running = attempts
        .iter()
        .any(|attempt| attempt.outcome == Outcome::InFlight);
    match status {
        _ if is_dead => State::DeadLetter,
        Status::Created | Status::Submitted => State::Queued,
        Status::Delivered if is_running => State::InFlight,
        Status::Delivered if attempts.is_empty() => State::Queued,
        Status::Delivered => State::Retrying,
        Status::Acknowledged | Status::InProgress => State::InFlight,
        Status::Waiting if waiting == Some(WaitingReason::Human) => State::WaitingHuman,
        Status::Waiting => State::WaitingOther,
        Status::Completed => State::Completed,
        Status::Failed | Status::Canceled | Status::TimedOut => State::Failed,
    }
}

/// Its result or error, once it had ended.
fn end(events: &[EventRow]) -> Option<Payload> {
    let last = events
        .iter()
        .rev()
        .find(|event| event.status.is_terminal())?;
    let details = last.details.to_value();
    let end = ["result", "error"]
        .into_iter()
        .find_map(|name| details.get(name).filter(|value| value.is_object()));
    Some(end.map_or_else(|| last.details.clone(), Payload::of))
}

/// What went wrong with an attempt, in a line.
fn failure(event: &EventRow) -> Option<String> {
    let details = event.details.to_value();
    let error = details.get("error").and_then(|error| error.get("message"));
    let message = error.or_else(|| details.get("message"))?;
    let is_failure = event.event_type.ends_with("failed") || event.status.is_terminal();
    message
        .as_str()
        .filter(|_| is_failure)
        .map(ToOwned::to_owned)
}
