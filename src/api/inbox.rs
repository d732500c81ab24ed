//! Inboxes: threads, what is said in them and what is decided.

use std::sync::Arc;

use axum::extract::{Path, State};

use crate::api::answer::{Answer, Result, named};
use crate::api::call::{Call, Upload};
use crate::api::moves::with_hold;
use crate::api::{Api, intents};
use crate::broker::request::{Receipt, Request};
use crate::domain::address::Address;
use crate::domain::fact::{Fact, FeedEntry};
use crate::domain::ids::{Cursor, IntentId, ThreadId};
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::engine::command::{Choice, Command, Decide, Reply};
use crate::store::Reader;
use crate::store::error::StoreError;
use crate::store::query::{FeedFilter, Thread, ThreadFilter, ThreadKind};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::inbox::{self, DecisionBody, Told};
use crate::wire::json::Object;

/// Items of the feed that one call for changes looks at.
const EXAMINED_MAX: u32 = 5000;

fn told<'thread>(
    thread: &'thread Thread,
    facts: &'thread [Fact],
    payload: Option<&'thread Payload>,
) -> Told<'thread> {
    Told {
        id: thread.id,
        is_task: thread.kind == ThreadKind::Task,
        owner: &thread.owner,
        is_pending: thread.is_pending,
        updated_at: thread.updated_at,
        intent: &thread.intent,
        facts,
        payload,
    }
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
    let page = call.query.page(50, 500)?;
    let page = api
        .broker()
        .read(move |reader| reader.threads(&filter, &page))
        .await?;
    let items = page
        .items
        .iter()
        .map(|thread| told(thread, &[], None).object());
    Ok(Answer(
        Object::ok()
            .list("threads", items)
            .text_or_null("next_cursor", page.next.as_deref()),
    ))
}

/// A thread with everything it is told from.
struct Whole {
    thread: Thread,
    facts: Vec<Fact>,
    payload: Option<Payload>,
}

impl Whole {
    fn answer(&self) -> Object {
        let told = told(&self.thread, &self.facts, self.payload.as_ref());
        Object::ok()
            .object("thread", told.object())
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
    let id: ThreadId = text.parse().map_err(|_not_an_id| not_found(code, text))?;
    let found = api
        .broker()
        .read(move |reader| {
            let Some(thread) = reader.thread(id)? else {
                return Ok(None);
            };
            let facts = reader.facts(thread.intent.id, 0)?;
            let payload = reader.payload(thread.intent.id)?;
            Ok(Some(Whole {
                thread,
                facts,
                payload,
            }))
        })
        .await?;
    let home = api.broker().registry().home.clone();
    let whole = found
        .filter(|whole| {
            let thread = &whole.thread;
            // An admin who names an owner asks for that inbox alone; without a name, for any.
            let is_owner_s = owner.as_ref().is_none_or(|owner| {
                *owner == thread.owner || (call.caller.is_admin() && !is_named(call))
            });
            is_owner_s || call.caller.may_decide(&thread.owner, &thread.intent, &home)
        })
        .ok_or_else(|| not_found(code, text))?;
    Ok(whole)
}

fn is_named(call: &Call) -> bool {
    call.query.get("owner_agent").is_some() || call.headers.contains_key("x-owner-agent")
}

/// `GET /v1/inbox/{thread_id}`.
pub(super) async fn show(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    let whole = whole(&api, &call, &text, "thread_not_found").await?;
    Ok(Answer(whole.answer()))
}

/// `POST .../read`: nothing is kept of it.
pub(super) async fn read(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    show(State(api), call, Path(text)).await
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
    after(&api, whole.thread.id, &receipt).await
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
    let command = command(decision, choice, call.owner(api)?);
    let receipt = run(
        api,
        call,
        &whole.thread.intent,
        command,
        &body,
        "task.decide",
    )
    .await?;
    after(api, whole.thread.id, &receipt).await
}

fn command(decision: DecisionBody, choice: Choice, by: Address) -> Command {
    Command::Decide(Box::new(Decide {
        choice: decision.outcome.map_or(choice, Choice::Outcome),
        comment: decision.comment,
        data: None,
        version: decision.version,
        hold: decision.hold,
        by,
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
async fn after(api: &Api, id: ThreadId, receipt: &Receipt) -> Result {
    let intent = Arc::clone(&receipt.intent);
    let whole = api
        .broker()
        .read(move |reader| {
            let thread = reader.thread(id)?;
            let facts = reader.facts(intent.id, 0)?;
            let payload = reader.payload(intent.id)?;
            Ok(thread.map(|thread| Whole {
                thread,
                facts,
                payload,
            }))
        })
        .await?
        .ok_or_else(|| not_found("thread_not_found", &id.to_string()))?;
    Ok(Answer(with_hold(whole.answer(), receipt)))
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
    let command = command(decision, choice, call.owner(&api)?);
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

/// `GET /v1/inbox/changes`: threads under the cursor of their last change.
pub(super) async fn changes(State(api): State<Api>, call: Call) -> Result {
    let owner = call.inbox_owner(&api)?;
    let limit = call.query.limit(50, 500)?;
    let given = call.query.get("cursor").map(str::to_owned);
    let since = match given.as_deref() {
        None => Cursor(0),
        Some(text) => text
            .strip_prefix("ch_")
            .and_then(|number| number.parse().ok())
            .map(Cursor)
            .ok_or_else(|| StoreError::BadCursor(text.to_owned()))
            .map_err(crate::broker::request::BrokerError::Store)?,
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (changes, end, has_more) = api
        .broker()
        .read(move |reader| find_changes(reader, owner.as_ref(), since, limit))
        .await?;
    // What was examined in vain is not examined again, unless nothing at all was there to be seen.
    let next = if changes.is_empty() && !has_more {
        given
    } else {
        Some(format!("ch_{}", end.0))
    };
    let items = changes.iter().map(|(cursor, thread)| {
        Object::new()
            .text("cursor", &format!("ch_{}", cursor.0))
            .object("thread", told(thread, &[], None).object())
    });
    Ok(Answer(
        Object::ok()
            .list("changes", items)
            .text_or_null("next_cursor", next.as_deref())
            .flag("has_more", has_more),
    ))
}

type Changes = (Vec<(Cursor, Thread)>, Cursor, bool);

/// Threads whose intents moved after `since`, each once, with the position of the page's end.
fn find_changes(
    reader: &mut dyn Reader,
    owner: Option<&Address>,
    since: Cursor,
    limit: usize,
) -> Result<Changes, StoreError> {
    let filter = FeedFilter {
        since,
        ..FeedFilter::default()
    };
    let (items, examined) = reader.feed(&filter, EXAMINED_MAX)?;
    let head = reader.head()?;
    // The last change of each intent counts: an earlier one would only show the same thread twice.
    let mut last: Vec<(Cursor, IntentId)> = Vec::new();
    for item in &items {
        if let FeedEntry::Intent { fact, .. } = &item.entry {
            last.retain(|(_, id)| *id != fact.intent);
            last.push((item.cursor, fact.intent));
        }
    }
    let mut changes = Vec::new();
    for (cursor, id) in last {
        for thread in threads_of(reader, id)? {
            if owner.is_none_or(|owner| *owner == thread.owner) {
                changes.push((cursor, thread));
            }
        }
        if changes.len() >= limit {
            return Ok((changes, cursor, cursor < head));
        }
    }
    Ok((changes, examined, examined < head))
}

fn threads_of(reader: &mut dyn Reader, id: IntentId) -> Result<Vec<Thread>, StoreError> {
    let Some(intent) = reader.intent(id)? else {
        return Ok(Vec::new());
    };
    let mut threads = Vec::new();
    if let Some(task) = &intent.task {
        threads.extend(reader.thread(task.thread)?);
    }
    if intent.reply_to.is_some() && intent.is_finished() {
        threads.extend(
            reader
                .thread(ThreadId(id.0))?
                .filter(|thread| thread.kind == ThreadKind::Completion),
        );
    }
    Ok(threads)
}
