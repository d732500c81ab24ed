//! The `poll` binding: a receiver asks, and gets what is there or what comes while it waits.

use std::time::Duration;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::Call;
use crate::api::mesh;
use crate::api::stream::{is_pull, row, wants_open_rows};
use crate::broker::session::{Handover, Session, SessionMode, SessionSpec};
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::wire::json::Object;

/// `GET {addr}/intents`.
pub(super) async fn poll(api: &Api, call: &Call, agent: Address) -> Result {
    call.caller.must_receive_at(&agent)?;
    mesh::must_live(api, &agent)?;
    let since = call.query.number("since", 0)?;
    let limit = call.query.limit(10, 100)?;
    let wait = call.query.seconds("wait_seconds", 0, 60, 0)?;
    let mut rows = Vec::new();
    if is_pull(api, &agent) && wants_open_rows(call)? {
        let spec = SessionSpec {
            agent,
            binding: Binding::Poll,
            credit: limit,
            mode: SessionMode::Once,
        };
        let mut session = api.broker().open_session(spec).await?;
        rows = take(api, &mut session, wait).await?;
        session.end_window();
    } else if !wait.is_zero() {
        // Nothing is handed over here, but a long poll is held all the same: its caller would spin.
        tokio::select! {
            () = api.inner.stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    let cursor = rows.iter().map(Handover::row_seq).max().unwrap_or(since);
    let is_full = u64::try_from(rows.len()).is_ok_and(|count| count >= u64::from(limit));
    Ok(Answer(
        Object::ok()
            .list("intents", rows.iter().map(|handover| row(handover).item()))
            .text("next_cursor", &cursor.to_string())
            .number("cursor", cursor)
            .flag("has_more", is_full),
    ))
}

/// The one hand-over of a session: at once, or when something comes within `wait`.
async fn take(api: &Api, session: &mut Session, wait: Duration) -> Result<Vec<Handover>> {
    let first = if wait.is_zero() {
        let settled = async {
            // The session stands in the queue before the first tick. When the second one is answered,
            // whatever the session's commit handed out has been handed out.
            api.broker().tick().await?;
            api.broker().tick().await
        };
        // A session and a tick's answer lose nothing when dropped.
        tokio::select! {
            biased;
            first = session.next() => first,
            settled = settled => {
                settled?;
                session.try_next()
            }
        }
    } else {
        // As above: the session keeps what was not taken from it.
        tokio::select! {
            () = api.inner.stop.cancelled() => None,
            first = tokio::time::timeout(wait, session.next()) => first.ok().flatten(),
        }
    };
    let mut rows: Vec<_> = first.into_iter().collect();
    if !rows.is_empty() {
        // The hand-over is whole when the broker closes its end, which it does at once.
        while let Some(next) = session.next().await {
            rows.push(next);
        }
    }
    Ok(rows)
}
