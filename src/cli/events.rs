//! `events`: the feed of everything that is committed.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;

use super::Context;
use super::arguments::EventsArguments;
use super::client::{Call, Client, list, text};
use super::export::{self, Writer};
use super::failure::Failure;
use super::when;

/// Pause before a broken feed is taken up again.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) async fn run(arguments: EventsArguments, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let head = text(
        &client
            .call(Call::get("/v1/events").with("limit", 1_u32))
            .await?,
        "/head",
    );
    let head: u64 = head.parse().unwrap_or(0);
    let limit = arguments.limit.unwrap_or(50);
    let default = match (arguments.follow, arguments.export.format) {
        (true, _) => head,
        (false, Some(_)) => 0,
        (false, None) => head.saturating_sub(u64::from(limit)),
    };
    let since = arguments.since.unwrap_or(default);
    if arguments.follow {
        return follow(&client, since, &arguments, context).await;
    }
    if let Some(format) = arguments.export.format {
        let call = || filtered(Call::get("/v1/events"), &arguments);
        return export::feed(context, format, since, arguments.limit, call).await;
    }
    let call = Call::get("/v1/events")
        .with("since", since)
        .with("limit", limit);
    let answer = client.call(filtered(call, &arguments)).await?;
    context.out.either(&answer, |_out| {
        list(&answer, "/events")
            .iter()
            .try_for_each(|event| print(event, context))
    })
}

fn filtered(call: Call, arguments: &EventsArguments) -> Call {
    call.with_some("types", arguments.types.as_ref())
        .with_some("intent_id", arguments.intent.as_ref())
}

async fn follow(
    client: &Client,
    mut since: u64,
    arguments: &EventsArguments,
    context: &Context,
) -> Result<(), Failure> {
    let mut has_connected = false;
    let mut writer = match arguments.export.format {
        Some(format) => Some(Writer::begin(context, format, export::FEED)?),
        None => None,
    };
    loop {
        match window(client, &mut since, arguments, writer.as_mut(), context).await {
            Ok(()) => has_connected = true,
            Err(Failure::Unreachable(said)) if has_connected => {
                super::output::note(&format!("{}; trying again", said.message));
                tokio::time::sleep(AGAIN).await;
            }
            Err(failure) => return Err(failure),
        }
    }
}

async fn window(
    client: &Client,
    since: &mut u64,
    arguments: &EventsArguments,
    mut writer: Option<&mut Writer<'_>>,
    context: &Context,
) -> Result<(), Failure> {
    let call = Call::get("/v1/events/stream")
        .with("since", *since)
        .with("wait_seconds", 60_u32);
    let mut frames = client.stream(filtered(call, arguments)).await?;
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        if frame.event == "stream.timeout" {
            if let Some(next) = frame.data.get("next_since").and_then(Value::as_u64) {
                *since = (*since).max(next);
            }
            continue;
        }
        if let Some(cursor) = frame.id {
            *since = (*since).max(cursor);
        }
        if let Some(writer) = &mut writer {
            writer.value(&frame.data)?;
        } else if context.out.is_json() {
            context.out.json(&frame.data)?;
        } else {
            print(&frame.data, context)?;
        }
    }
    Ok(())
}

fn print(event: &Value, context: &Context) -> Result<(), Failure> {
    let data = event
        .get("data")
        .filter(|data| data.as_object().is_some_and(|data| !data.is_empty()));
    let data = data.map(Value::to_string).unwrap_or_default();
    let agent = context.short(&text(event, "/agent"));
    if let Some(width) = context.out.width().filter(|width| *width < 160) {
        // By the end of the id, in one line each; the type says the status, and --json has all of it.
        let id = text(event, "/intent_id");
        let line = format!(
            "{}  {:<26}  {:>8}  {agent}  {data}",
            when::clock_time(event, "/at"),
            text(event, "/type"),
            super::ids::end(&id),
        );
        let line = super::output::harmless(&line).replace('\n', " ");
        return context.out.line(super::fit::cut(&line, usize::from(width)));
    }
    context.out.line(format!(
        "{:>8}  {}  {:<26}  {:<12}  {}  {}  {}",
        text(event, "/cursor"),
        when::clock_time(event, "/at"),
        text(event, "/type"),
        text(event, "/status"),
        text(event, "/intent_id"),
        agent,
        super::handler::shortened(&data, 120),
    ))
}
