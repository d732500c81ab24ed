//! Inboxes: threads, what is said in them and what is decided.

pub(super) mod changes;
pub(super) mod hand;

use std::sync::Arc;

use axum::extract::{Path, State};

use crate::api::answer::{Answer, Result, named};
use crate::api::auth::is_asked;
use crate::api::call::{Call, Upload};
use crate::api::moves::with_hold;
use crate::api::{Api, intents};
use crate::broker::request::{Receipt, Request};
use crate::domain::address::Address;
use crate::domain::fact::Fact;
use crate::domain::ids::ThreadId;
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::domain::scenario::After;
use crate::domain::via::Via;
use crate::engine::command::{Choice, Command, Decide, Reply};
use crate::store::Reader;
use crate::store::error::StoreError;
use crate::store::query::{Thread, ThreadFilter, ThreadKind};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::inbox::{self, DecisionBody, Told};
use crate::wire::json::Object;

/// A thread as the inbox of `viewer` holds it; as its owner's does when that is nobody who holds it.
fn told<'thread>(
    thread: &'thread Thread,
    viewer: Option<&'thread Address>,
    facts: &'thread [Fact],
    payload: Option<&'thread Payload>,
) -> Told<'thread> {
    let is_listed = facts.is_empty();
    Told {
        id: thread.id,
        is_task: thread.kind == ThreadKind::Task,
        owner: viewer
            .filter(|viewer| holds(thread, viewer))
            .unwrap_or(&thread.owner),
        is_pending: thread.is_pending,
        updated_at: thread.updated_at,
        intent: &thread.intent,
        facts,
        payload,
        is_listed,
    }
}

/// What the intent of a thread carries, if it is a task.
fn payload_of(reader: &mut dyn Reader, thread: &Thread) -> Result<Option<Payload>, StoreError> {
    match thread.kind {
        ThreadKind::Task => reader.payload(thread.intent.id),
        ThreadKind::Completion => Ok(None),
    }
}

/// True when a thread lies in somebody's inbox: its owner's, or that of whom it was handed to.
fn holds(thread: &Thread, who: &Address) -> bool {
    let task = thread.intent.task.as_ref();
    let task = task.filter(|_| thread.kind == ThreadKind::Task);
    thread.owner == *who || task.is_some_and(|task| task.delegates.contains(who))
}

/// `GET /v1/inbox`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    let is_pending = match call.query.get("status") {
        None | Some("all") => None,
        Some("pending" | "active" | "open") => Some(true),
        Some("done") => Some(false),
        Some(other) => {
            return Err(Problem::field(
                "query",
                "status",
                format!("{other:?} is none of pending, active, done"),
                "string",
            )
            .into());
        }
    };
    let kind = match call.query.get("kind") {
        Some("task") => Some(ThreadKind::Task),
        Some("completion") => Some(ThreadKind::Completion),
        _ => None,
    };
    let filter = ThreadFilter {
        owner: call.inbox_owner(&api)?,
        is_pending,
        kind,
        is_due_first: call.query.get("order") == Some("due"),
    };
    let viewer = filter.owner.clone();
    let page = call.query.page(50, 500)?;
    let (page, payloads) = api
        .broker()
        .read(move |reader| {
            let page = reader.threads(&filter, &page)?;
            let threads = page.items.iter();
            let payloads = threads.map(|thread| payload_of(reader, thread));
            let payloads = payloads.collect::<Result<Vec<_>, StoreError>>()?;
            Ok((page, payloads))
        })
        .await?;
    let items = page
        .items
        .iter()
        .zip(&payloads)
        .map(|(thread, payload)| told(thread, viewer.as_ref(), &[], payload.as_ref()).object());
    Ok(Answer(
        Object::ok()
            .list("threads", items)
            .text_or_null("next_cursor", page.next.as_deref()),
    ))
}

/// A thread with everything it is told from.
struct Whole {
    thread: Thread,
    /// Whose inbox was asked for.
    viewer: Option<Address>,
    facts: Vec<Fact>,
    payload: Option<Payload>,
    /// Where the run goes on that it is a step of.
    after: Option<After>,
}

impl Whole {
    fn told(&self) -> Told<'_> {
        let viewer = self.viewer.as_ref();
        told(&self.thread, viewer, &self.facts, self.payload.as_ref())
    }

    fn answer(&self) -> Object {
        let told = self.told();
        Object::ok()
            .object(
                "thread",
                told.object().with(|object| match &self.after {
                    Some(after) => object.object("leads_to", inbox::after(after)),
                    None => object,
                }),
            )
            .list("messages", told.messages())
    }
}

fn not_found(code: &str, text: &str) -> Problem {
    let what = if code == "approval_not_found" {
        "approval"
    } else {
        "thread"
    };
    Problem::new(
        code,
        format!("no {what} {text:?} in an inbox of yours; it takes a thread's id, or that of an open task's intent"),
    )
    .with(serde_json::json!({ "thread_id": text }))
}

/// The thread of a path, if it is the caller's business.
async fn whole(api: &Api, call: &Call, text: &str, code: &str) -> Result<Whole> {
    let owner = call.inbox_owner(api)?;
    let viewer = owner.clone();
    let id: ThreadId = text.parse().map_err(|_not_an_id| not_found(code, text))?;
    let found = api
        .broker()
        .read(move |reader| {
            let Some(thread) = reader.thread(id)? else {
                return Ok(None);
            };
            let facts = reader.facts(thread.intent.id, 0)?;
            let payload = reader.payload(thread.intent.id)?;
            let after = leads_to(reader, &thread.intent)?;
            Ok(Some(Whole {
                thread,
                viewer,
                facts,
                payload,
                after,
            }))
        })
        .await?;
    let home = api.broker().registry().home.clone();
    let whole = found
        .filter(|whole| {
            let thread = &whole.thread;
            // An admin who names an owner asks for that inbox alone; without a name, for any.
            let is_any = owner.is_none() || (call.caller.is_admin() && !is_named(call));
            is_any
                || owner.as_ref().is_some_and(|owner| {
                    holds(thread, owner) || is_asked(owner, &thread.owner, &thread.intent, &home)
                })
        })
        .ok_or_else(|| not_found(code, text))?;
    Ok(whole)
}

/// Where the run goes on that an intent is a step of.
fn leads_to(reader: &mut dyn Reader, intent: &Intent) -> Result<Option<After>, StoreError> {
    let Some(step) = &intent.step else {
        return Ok(None);
    };
    let run = reader.intent(step.run)?;
    let run = run.as_deref().and_then(|run| run.run.as_deref());
    Ok(run.and_then(|run| run.after(intent.id)))
}

fn is_named(call: &Call) -> bool {
    call.query.get("owner_agent").is_some() || call.headers.contains_key("x-owner-agent")
}

/// `GET /v1/inbox/{thread_id}`.
pub(super) async fn show(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    let whole = whole(&api, &call, &text, "thread_not_found").await?;
    Ok(Answer(whole.answer()))
}

/// `POST .../reply`.
pub(super) async fn reply(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    let body = Body::parse(&bytes)?;
    let mut fields = Fields::of(&body);
    let message = fields.required_text("message", api.settings().payload_bytes_max);
    fields.done()?;
    let whole = whole(&api, &call, &text, "thread_not_found").await?;
    let command = Command::Reply(Reply {
        message: message.unwrap_or_default(),
        by: call.owner(&api)?,
        via: call.via(),
    });
    let receipt = run(
        &api,
        &call,
        &whole.thread.intent,
        command,
        &body,
        "task.reply",
    )
    .await?;
    after(&api, &call, whole.thread.id, &receipt).await
}

/// `POST .../approve`.
pub(super) async fn approve(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    decide(&api, &call, &text, &bytes, Choice::Yes).await
}

/// `POST .../reject`.
pub(super) async fn reject(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    decide(&api, &call, &text, &bytes, Choice::No).await
}

async fn decide(api: &Api, call: &Call, text: &str, bytes: &[u8], choice: Choice) -> Result {
    let body = Body::parse(bytes)?;
    let decision = inbox::decision(&body, 2000)?;
    let whole = whole(api, call, text, "thread_not_found").await?;
    let command = command(decision, choice, call.owner(api)?, call.via());
    let receipt = run(
        api,
        call,
        &whole.thread.intent,
        command,
        &body,
        "task.decide",
    )
    .await?;
    after(api, call, whole.thread.id, &receipt).await
}

fn command(decision: DecisionBody, choice: Choice, by: Address, via: Via) -> Command {
    Command::Decide(Box::new(Decide {
        choice: decision.outcome.map_or(choice, Choice::Outcome),
        comment: decision.comment,
        data: decision.data,
        version: decision.version,
        hold: decision.hold,
        by,
        via,
    }))
}

async fn run(
    api: &Api,
    call: &Call,
    intent: &Intent,
    command: Command,
    body: &Body<'_>,
    action: &str,
) -> Result<Receipt> {
    let reason = match &command {
        Command::Decide(decide) => decide.comment.clone(),
        _ => None,
    };
    let request = Request {
        intent: intent.id,
        command,
        remember: call.remember(|| body.fingerprint(&[]))?,
        audit: Some(call.note(action, intent.id, reason.as_deref())),
    };
    api.broker()
        .run(request)
        .await
        .map_err(|error| named(error, "thread_not_found"))
}

/// The thread as it is after a write.
async fn after(api: &Api, call: &Call, id: ThreadId, receipt: &Receipt) -> Result {
    let whole = moved(api, call, id, receipt).await?;
    Ok(Answer(with_hold(whole.answer(), receipt)))
}

async fn moved(api: &Api, call: &Call, id: ThreadId, receipt: &Receipt) -> Result<Whole> {
    let intent = Arc::clone(&receipt.intent);
    let viewer = call.inbox_owner(api)?;
    let whole = api
        .broker()
        .read(move |reader| {
            let thread = reader.thread(id)?;
            let facts = reader.facts(intent.id, 0)?;
            let payload = reader.payload(intent.id)?;
            let after = leads_to(reader, &intent)?;
            Ok(thread.map(|thread| Whole {
                thread,
                viewer,
                facts,
                payload,
                after,
            }))
        })
        .await?
        .ok_or_else(|| not_found("thread_not_found", &id.to_string()))?;
    Ok(whole)
}

/// `POST /v1/approvals/{approval_id}/decision`.
pub(super) async fn decision(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    let body = Body::parse(&bytes)?;
    let decision = inbox::decision(&body, 1000)?;
    let mut fields = Fields::of(&body);
    let word = fields.required_text("decision", 32);
    let choice = match word.as_deref() {
        Some("approve" | "approved") => Some(Choice::Yes),
        Some("reject" | "rejected") => Some(Choice::No),
        Some(_other) => {
            fields.wrong("decision", "must be approve or reject", "string");
            None
        }
        None => None,
    };
    fields.done()?;
    let choice = choice.ok_or_else(Problem::internal)?;
    let whole = whole(&api, &call, &text, "approval_not_found").await?;
    let comment = decision.comment.clone();
    let command = command(decision, choice, call.owner(&api)?, call.via());
    let receipt = run(
        &api,
        &call,
        &whole.thread.intent,
        command,
        &body,
        "task.decide",
    )
    .await?;
    let made = receipt
        .intent
        .task
        .as_ref()
        .and_then(|task| task.decision.as_ref());
    let approval = Object::new()
        .text("approval_id", &text)
        .text("decision", word.as_deref().unwrap_or_default())
        .text_or_null("comment", comment.as_deref())
        .shown_or_null("decided_at", made.map(|decision| decision.at));
    Ok(Answer(with_hold(
        Object::ok()
            .object("approval", approval)
            .object("intent", intents::object(&api, &receipt.intent)),
        &receipt,
    )))
}
