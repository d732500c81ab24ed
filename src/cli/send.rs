//! `send`: create an intent, and with `--wait` stay for its end.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;

use super::arguments::SendArguments;
use super::client::{Call, Client, text};
use super::failure::Failure;
use super::{Context, input, when};
use crate::domain::payload::Payload;
use crate::domain::status::Status;
use crate::wire::json::Object;

/// Pause before a broken wait is taken up again.
const AGAIN: Duration = Duration::from_millis(500);
/// How often a wait is taken up again without hearing anything.
const TRIES: u32 = 20;

pub(super) async fn run(arguments: SendArguments, context: &Context) -> Result<(), Failure> {
    let body = body(&arguments, context)?;
    let client = context.client()?;
    let call = Call::post("/v1/intents", body).once(arguments.key.as_deref());
    let created = client.call(call).await?;
    let id = text(&created, "/intent_id");
    for warning in super::client::list(&created, "/warnings") {
        super::output::note(&format!("warning: {}", text(warning, "")));
    }
    if !arguments.wait {
        return context.out.either(&created, |out| {
            out.line(format!("{id}  {}", text(&created, "/status")))
        });
    }
    if !context.out.is_json() {
        super::output::note(&format!("{id}  waiting"));
    }
    let ended = match arguments.timeout {
        0 => wait(&client, &id).await?,
        seconds => {
            let limit = Duration::from_secs(seconds);
            tokio::time::timeout(limit, wait(&client, &id))
                .await
                .map_err(|_elapsed| {
                    Failure::refused(format!("intent {id} has not ended within {seconds} s"))
                        .hint(format!("postroom intents show {id}"))
                })??
        }
    };
    report(&ended, context)
}

fn body(arguments: &SendArguments, context: &Context) -> Result<Object, Failure> {
    let payload = match &arguments.payload {
        Some(given) => input::as_given(given, "payload")?,
        None => Payload::empty(),
    };
    let mut body = Object::new()
        .text("intent_type", &arguments.intent_type)
        .text("to_agent", &arguments.to)
        .payload("payload", &payload);
    let texts = [
        ("reply_to", &arguments.reply_to),
        ("correlation_id", &arguments.correlation),
        ("from_agent", &arguments.from),
    ];
    for (name, value) in texts {
        body = body.maybe_text(name, value.as_deref());
    }
    if let Some(given) = &arguments.deadline {
        let deadline = when::deadline(given, context.clock.now())?;
        body = body.shown("deadline_at", deadline);
    }
    body = body.maybe_number("max_delivery_attempts", arguments.max_attempts);
    if let Some(given) = &arguments.human_task {
        body = body.payload("human_task", &input::as_given(given, "human task")?);
    }
    Ok(body)
}

async fn wait(client: &Client, id: &str) -> Result<Value, Failure> {
    follow(client, id, |_event| Ok(())).await
}

/// Follows the intent's events until the terminal one, then reads the whole intent. A stream that
/// ends or breaks is taken up again from the last event seen.
pub(super) async fn follow(
    client: &Client,
    id: &str,
    mut seen: impl FnMut(&Value) -> Result<(), Failure>,
) -> Result<Value, Failure> {
    let mut since = 0;
    let mut tries = 0_u32;
    loop {
        match window(client, id, &mut since, &mut seen).await {
            Ok(true) => break,
            Ok(false) => tries = 0,
            Err(Failure::Unreachable(_)) if tries < TRIES => {
                tries = tries.saturating_add(1);
                tokio::time::sleep(AGAIN).await;
            }
            Err(failure) => return Err(failure),
        }
    }
    client.call(Call::get(format!("/v1/intents/{id}"))).await
}

/// One window of the event stream. True when the intent has ended.
async fn window(
    client: &Client,
    id: &str,
    since: &mut u64,
    seen: &mut impl FnMut(&Value) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let call = Call::get(format!("/v1/intents/{id}/events/stream"))
        .with("since", *since)
        .with("wait_seconds", 30_u32);
    let mut frames = client.stream(call).await?;
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        if !frame.event.starts_with("intent.") {
            continue;
        }
        if let Some(seq) = frame.data.get("seq").and_then(Value::as_u64) {
            *since = (*since).max(seq);
        }
        seen(&frame.data)?;
        if is_over(&text(&frame.data, "/status")) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_over(status: &str) -> bool {
    Status::from_name(status).is_some_and(Status::is_terminal)
}

pub(super) fn report(ended: &Value, context: &Context) -> Result<(), Failure> {
    let intent = ended.get("intent").unwrap_or(ended);
    let status = text(intent, "/status");
    context.out.either(ended, |out| {
        out.line(&status)?;
        for pointer in ["/result", "/error"] {
            if let Some(end) = intent.pointer(pointer).filter(|end| !end.is_null()) {
                out.json(end)?;
            }
        }
        Ok(())
    })?;
    if status == Status::Completed.name() {
        Ok(())
    } else {
        Err(Failure::Silent)
    }
}
