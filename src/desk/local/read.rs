//! Pages and single things, read on the broker's reader threads.

use crate::broker::{Broker, groups};
use crate::desk::DeskError;
use crate::desk::convert::{
    attempt_row, audit_row, held_rows, intent_row, letter_group_row, letter_row, task_row,
    thread_row,
};
use crate::desk::parse;
use crate::desk::rows::jobs::AuditRow;
use crate::desk::rows::{
    AttemptRow, EventRow, HeldRow, IntentRow, IntentView, LetterGroupRow, LetterRow, TaskRow,
    ThreadView,
};
use crate::domain::ids::{IntentId, ThreadId};
use crate::domain::intent::{Delivery, End, Intent};
use crate::domain::payload::Payload;
use crate::store::query::{
    AttemptFilter, AuditFilter, IntentFilter, LetterFilter, Page, PageRequest, ThreadFilter,
    ThreadKind,
};
use crate::wire::errors::Problem;
use crate::wire::facts;
use crate::wire::inbox::Told;
use crate::wire::intents::error;
use crate::wire::json::Object;

/// Groups of dead letters in one answer.
const GROUPS_MAX: u32 = 500;
/// Attempts of one intent in its view; budgets are far below it.
const ATTEMPTS_MAX: u32 = 500;
/// Staged acts in one answer.
const HELD_MAX: u32 = 500;

pub(super) async fn intents(
    broker: &Broker,
    filter: IntentFilter,
    page: PageRequest,
) -> Result<Page<IntentRow>, DeskError> {
    let found = broker
        .read(move |reader| reader.intents(&filter, &page))
        .await?;
    Ok(found.map(|intent| parked_row(&intent, broker)))
}

/// A row; what lies ready for an agent that gets nothing now is called parked.
fn parked_row(intent: &Intent, broker: &Broker) -> IntentRow {
    let mut row = intent_row(intent);
    if broker.parked(&intent.to).is_some() && matches!(intent.delivery, Delivery::Ready { .. }) {
        "parked".clone_into(&mut row.delivery);
    }
    row
}

pub(super) async fn intent(broker: &Broker, id: IntentId) -> Result<IntentView, DeskError> {
    let read = broker
        .read(move |reader| {
            let Some(intent) = reader.intent(id)? else {
                return Ok(None);
            };
            let of_intent = AttemptFilter {
                intent: Some(id),
                ..AttemptFilter::default()
            };
            let all = PageRequest {
                limit: ATTEMPTS_MAX,
                cursor: None,
            };
            Ok(Some((
                intent,
                reader.payload(id)?.unwrap_or_else(Payload::empty),
                reader.facts(id, 0)?,
                reader.attempts(&of_intent, &all)?.items,
            )))
        })
        .await?;
    let Some((intent, payload, facts, attempts)) = read else {
        return Err(not_found("intent_not_found", "intent", id).into());
    };
    let letter = letter_row(&intent);
    let mut attempts: Vec<AttemptRow> = attempts.into_iter().map(attempt_row).collect();
    attempts.reverse();
    Ok(IntentView {
        row: parked_row(&intent, broker),
        origin: intent.origin,
        replayed_as: letter.as_ref().and_then(|letter| letter.replayed_as),
        reply_to: intent.reply_to.clone(),
        trace_id: intent.trace_id.clone(),
        payload,
        end: intent.end.as_ref().map(|end| end_payload(end, &intent)),
        events: facts::objects(&facts)
            .into_iter()
            .map(|fact| event_row(&fact.finish()))
            .collect::<Result<_, _>>()?,
        attempts,
        letter,
        task: task_row(&intent),
    })
}

fn end_payload(end: &End, intent: &Intent) -> Payload {
    match end {
        End::Completed { result } => result.clone(),
        End::Failed { error: failed } | End::TimedOut { error: failed } => {
            Payload::trusted(error(failed, Some(intent)).finish())
        }
        End::Canceled { reason } => Payload::trusted(
            Object::new()
                .text_or_null("reason", reason.as_deref())
                .finish(),
        ),
    }
}

/// Facts are told by the wire's own words, so that both desks tell the same story.
fn event_row(json: &str) -> Result<EventRow, DeskError> {
    serde_json::from_str(json)
        .map(parse::intents::Fact::row)
        .map_err(|error| DeskError::Fault(format!("read a fact: {error}")))
}

pub(super) async fn attempts(
    broker: &Broker,
    filter: AttemptFilter,
    page: PageRequest,
) -> Result<Page<AttemptRow>, DeskError> {
    let found = broker
        .read(move |reader| reader.attempts(&filter, &page))
        .await?;
    Ok(found.map(attempt_row))
}

pub(super) async fn letters(
    broker: &Broker,
    filter: LetterFilter,
    page: PageRequest,
) -> Result<Page<LetterRow>, DeskError> {
    let found = broker
        .read(move |reader| reader.letters(&filter, &page))
        .await?;
    Ok(Page {
        items: found
            .items
            .iter()
            .filter_map(|intent| letter_row(intent))
            .collect(),
        next: found.next,
    })
}

pub(super) async fn letter_groups(
    broker: &Broker,
    filter: LetterFilter,
) -> Result<Vec<LetterGroupRow>, DeskError> {
    let now = broker.clock().now();
    let (groups, marks) = broker
        .read(move |reader| {
            let groups = reader.letter_groups(&filter, now, GROUPS_MAX)?;
            Ok((groups, groups::marks(reader)?))
        })
        .await?;
    Ok(groups
        .iter()
        .filter_map(|group| letter_group_row(group, marks.get(&group.fingerprint)))
        .collect())
}

pub(super) async fn tasks(
    broker: &Broker,
    filter: ThreadFilter,
    page: PageRequest,
) -> Result<Page<TaskRow>, DeskError> {
    let found = broker
        .read(move |reader| reader.threads(&filter, &page))
        .await?;
    Ok(found.map(|thread| thread_row(&thread)))
}

pub(super) async fn thread(broker: &Broker, id: ThreadId) -> Result<ThreadView, DeskError> {
    let read = broker
        .read(move |reader| {
            let Some(thread) = reader.thread(id)? else {
                return Ok(None);
            };
            let facts = reader.facts(thread.intent.id, 0)?;
            let payload = reader.payload(thread.intent.id)?;
            let run = match &thread.intent.step {
                Some(step) => reader.intent(step.run)?,
                None => None,
            };
            let run = run.as_deref().and_then(|run| run.run.as_deref());
            let after = run.and_then(|run| run.after(thread.intent.id));
            Ok(Some((thread, facts, payload, after)))
        })
        .await?;
    let Some((thread, facts, payload, after)) = read else {
        return Err(not_found("thread_not_found", "thread", id).into());
    };
    let told = Told {
        id: thread.id,
        is_task: thread.kind == ThreadKind::Task,
        owner: &thread.owner,
        is_pending: thread.is_pending,
        updated_at: thread.updated_at,
        intent: &thread.intent,
        facts: &facts,
        payload: payload.as_ref(),
        is_listed: false,
    };
    let timeline = serde_json::from_str::<parse::threads::Thread>(&told.object().finish())
        .map_err(|error| DeskError::Fault(format!("read a thread: {error}")))?
        .events();
    Ok(ThreadView {
        row: thread_row(&thread),
        payload: payload.unwrap_or_else(Payload::empty),
        timeline,
        after,
    })
}

pub(super) async fn held(broker: &Broker) -> Result<Vec<HeldRow>, DeskError> {
    let holders = broker.read(|reader| reader.held(HELD_MAX)).await?;
    Ok(held_rows(&holders))
}

pub(super) async fn audit(
    broker: &Broker,
    filter: AuditFilter,
    page: PageRequest,
) -> Result<Page<AuditRow>, DeskError> {
    let found = broker
        .read(move |reader| reader.audit(&filter, &page))
        .await?;
    Ok(found.map(audit_row))
}

fn not_found(code: &str, what: &str, id: impl std::fmt::Display) -> Problem {
    Problem::new(code, format!("no {what} {id}"))
}
