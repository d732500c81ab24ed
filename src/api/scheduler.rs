//! An outside clock's routes. The broker needs none: what is due it does by itself, so they mostly find nothing.

use axum::extract::State;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::broker::request::Request;
use crate::domain::ids::IntentId;
use crate::domain::intent::Kind;
use crate::engine::command::Command;
use crate::wire::body::{Body, Fields};
use crate::wire::json::Object;

/// Intents that one call looks at; more wait for the next one, or for the broker itself.
const DUE_MAX: u32 = 1000;

/// `POST /internal/scheduler/workflow-tick`: what somebody sent, and the steps of runs.
pub(super) async fn workflow_tick(
    State(api): State<Api>,
    call: Call,
    Upload(bytes): Upload,
) -> Result {
    tick(&api, &call, &bytes, &[Kind::Intent, Kind::Step]).await
}

/// `POST /internal/scheduler/webhook-tick`: events on their way to subscriptions.
pub(super) async fn webhook_tick(
    State(api): State<Api>,
    call: Call,
    Upload(bytes): Upload,
) -> Result {
    tick(&api, &call, &bytes, &[Kind::Webhook]).await
}

/// `POST /internal/scheduler/reconcile-safety`: everything.
pub(super) async fn reconcile_safety(
    State(api): State<Api>,
    call: Call,
    Upload(bytes): Upload,
) -> Result {
    tick(&api, &call, &bytes, &Kind::ALL).await
}

/// Does what is due now among these, or counts it.
async fn tick(api: &Api, call: &Call, bytes: &[u8], kinds: &'static [Kind]) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(bytes)?;
    let mut fields = Fields::of(&body);
    let is_dry_run = fields.flag("dry_run") || call.query.get("dry_run") == Some("true");
    fields.done()?;
    let now = api.broker().clock().now();
    let due = api
        .broker()
        .read(move |reader| reader.due(now, DUE_MAX))
        .await?;
    let due: Vec<IntentId> = due
        .iter()
        .filter(|intent| kinds.contains(&intent.kind()))
        .map(|intent| intent.id)
        .collect();
    let processed = if is_dry_run {
        due.len()
    } else {
        let ticks = due.into_iter().map(|id| Request::plain(id, Command::Tick));
        let results = api.broker().run_all(ticks.collect()).await?;
        // One that something else has moved meanwhile is not due any more.
        results.iter().flatten().count()
    };
    Ok(Answer(
        Object::ok()
            .number("processed", u32::try_from(processed).unwrap_or(u32::MAX))
            .flag("dry_run", is_dry_run),
    ))
}
