//! What is done with a thread beside deciding: it is handed on, its words are emptied, it is read.

use axum::extract::{Path, State};

use crate::api::Api;
use crate::api::answer::{Answer, Result, named};
use crate::api::call::{Call, Upload};
use crate::broker::request::Request;
use crate::domain::fact::FactBody;
use crate::engine::command::Command;
use crate::wire::body::Body;
use crate::wire::inbox::{Delegation, Emptying};

use super::{after, moved, run, whole};

/// `POST .../delegate`. Without `delegate_to` whoever asks takes it.
pub(in crate::api) async fn delegate(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    let body = Body::parse(&bytes)?;
    let home = api.broker().registry().home.clone();
    let delegation = Delegation::read(&body, &home)?;
    let by = call.owner(&api)?;
    let whole = whole(&api, &call, &text, "thread_not_found").await?;
    let command = delegation.command(by);
    let intent = &whole.thread.intent;
    let receipt = run(&api, &call, intent, command, &body, "task.delegate").await?;
    after(&api, &call, whole.thread.id, &receipt).await
}

/// `POST .../messages/delete`.
pub(in crate::api) async fn empty(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    let body = Body::parse(&bytes)?;
    let emptying = Emptying::read(&body)?;
    let by = call.owner(&api)?;
    let whole = whole(&api, &call, &text, "thread_not_found").await?;
    let messages = emptying.chosen(whole.thread.id, &whole.facts, &by);
    let command = Command::EmptyMessages { messages, by };
    let intent = &whole.thread.intent;
    let receipt = run(&api, &call, intent, command, &body, "task.empty_messages").await?;
    // What was emptied is what the record says: a repeat under the same key answers the same.
    let emptied = receipt.facts.iter().find_map(|fact| match &fact.body {
        FactBody::MessagesEmptied { messages } => Some(messages.as_slice()),
        _ => None,
    });
    let moved = moved(&api, &call, whole.thread.id, &receipt).await?;
    let ids = moved.told().ids(emptied.unwrap_or_default());
    Ok(Answer(
        moved
            .answer()
            .text("mode", emptying.mode())
            .number(
                "deleted_count",
                u32::try_from(ids.len()).unwrap_or(u32::MAX),
            )
            .texts("message_ids", &ids),
    ))
}

/// `POST .../read`.
pub(in crate::api) async fn read(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    let body = Body::parse(&bytes)?;
    let whole = whole(&api, &call, &text, "thread_not_found").await?;
    let by = whole.told().owner.clone();
    // Looking is no write of an operator: it is in the thread, not in the audit log.
    let request = Request {
        intent: whole.thread.intent.id,
        command: Command::MarkRead { by },
        remember: call.remember(|| body.fingerprint(&[]))?,
        audit: None,
    };
    let receipt = api.broker().run(request).await;
    let receipt = receipt.map_err(|error| named(error, "thread_not_found"))?;
    after(&api, &call, whole.thread.id, &receipt).await
}
