//! Held commands: what is staged and can still be taken back.

use axum::extract::{Path, State};

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::broker::request::Request;
use crate::domain::ids::HoldId;
use crate::engine::command::Command;
use crate::engine::refusal::Refusal;
use crate::wire::body::Body;
use crate::wire::errors::Problem;
use crate::wire::intents;
use crate::wire::json::Object;

/// Open holds that one call looks at. They last a minute at most.
const LOOKED_AT_MAX: u32 = 10_000;

/// `GET /v1/holds`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    call.caller.must_be_admin()?;
    let limit = call.query.limit(500, LOOKED_AT_MAX)?;
    let held = api.broker().read(move |reader| reader.held(limit)).await?;
    let items = held
        .iter()
        .flat_map(|intent| intent.holds.iter().map(|hold| intents::held(intent, hold)));
    Ok(Answer(Object::ok().list("holds", items)))
}

/// `POST /v1/holds/{hold_id}/cancel`.
pub(super) async fn cancel(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let by = call.caller.actor();
    let body = Body::parse(&bytes)?;
    let hold: HoldId = text
        .parse()
        .map_err(|_not_an_id| Problem::new("hold_not_found", format!("no hold {text:?}")))?;
    let held = api
        .broker()
        .read(|reader| reader.held(LOOKED_AT_MAX))
        .await?;
    let found = held.iter().find_map(|intent| {
        let found = intent.holds.iter().find(|one| one.id == hold)?;
        Some((intent.id, intents::held(intent, found)))
    });
    let (intent, shown) = found.ok_or_else(|| Problem::from(&Refusal::HoldElapsed))?;
    api.broker()
        .run(Request {
            intent,
            command: Command::CancelHold { hold, by },
            remember: call.remember(|| body.fingerprint(&[]))?,
            audit: Some(call.note("hold.cancel", format!("{hold} on {intent}"), None)),
        })
        .await?;
    Ok(Answer(
        Object::ok().object("hold", shown.text("state", "canceled")),
    ))
}
