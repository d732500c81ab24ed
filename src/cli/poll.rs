//! `poll`: an agent that fetches.

use futures_util::StreamExt;
use serde_json::Value;

use super::Context;
use super::arguments::PollArguments;
use super::client::{Call, Client, list};
use super::failure::Failure;
use super::handler::Answering;

/// How long one fetch waits for something to come.
const WAIT_SECONDS: u32 = 30;
/// Rows of one fetch that are answered at once.
const AT_ONCE: usize = 4;

pub(super) async fn run(arguments: PollArguments, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let address = context.address(&arguments.address)?;
    let answering = Answering::new(
        arguments.handler.clone(),
        &client,
        &address,
        &context.entropy,
        &context.out,
    )?;
    if arguments.once {
        return fetch(&client, &answering, arguments.limit, 0).await;
    }
    let forever = async {
        loop {
            fetch(&client, &answering, arguments.limit, WAIT_SECONDS).await?;
        }
    };
    let ended = tokio::select! {
        // Dropped in the middle, rows in hand are left to their leases.
        ended = forever => ended,
        stop = super::listen::stop_signal() => stop,
    };
    match ended {
        Err(Failure::PipeClosed) | Ok(()) => Ok(()),
        Err(failure) => Err(failure),
    }
}

async fn fetch(
    client: &Client,
    answering: &Answering,
    limit: u32,
    wait_seconds: u32,
) -> Result<(), Failure> {
    let call = Call::get(format!("{}/intents", answering.path()))
        .with("limit", limit)
        .with("wait_seconds", wait_seconds);
    let fetched = client.call(call).await?;
    let rows: Vec<Value> = list(&fetched, "/intents").to_vec();
    let mut answers = futures_util::stream::iter(rows)
        .map(|row| answering.answer(row))
        .buffer_unordered(AT_ONCE);
    while let Some(answered) = answers.next().await {
        answered?;
    }
    Ok(())
}
