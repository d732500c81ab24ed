//! Held commands: what is staged and can still be taken back.

use std::sync::Arc;

use axum::extract::{Path, State};

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::broker::LAST_HOLD;
use crate::broker::request::{RememberKey, Request};
use crate::domain::fact::FactBody;
use crate::domain::ids::HoldId;
use crate::domain::intent::Intent;
use crate::domain::task::Hold;
use crate::engine::command::Command;
use crate::engine::refusal::Refusal;
use crate::store::Reader;
use crate::store::error::StoreError;
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
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let key = remember.clone();
    let found = api
        .broker()
        .read(move |reader| find(reader, hold, key.as_ref()))
        .await?;
    let (intent, hold) = match found {
        Found::Open(intent, hold) => (intent, hold),
        Found::Over => return Err(Problem::from(&Refusal::HoldElapsed).into()),
        Found::Never => {
            return Err(Problem::new("hold_not_found", format!("no hold {text:?}")).into());
        }
    };
    let shown = intents::held(&intent, &hold);
    let (intent, hold) = (intent.id, hold.id);
    api.broker()
        .run(Request {
            intent,
            command: Command::CancelHold { hold, by },
            remember,
            audit: Some(call.note("hold.cancel", format!("{hold} on {intent}"), None)),
        })
        .await?;
    Ok(Answer(
        Object::ok().object("hold", shown.text("state", "canceled")),
    ))
}

/// What is known of a hold.
enum Found {
    /// It is open, or this very request took it back before.
    Open(Arc<Intent>, Hold),
    /// It was placed once.
    Over,
    /// No hold ever had that id.
    Never,
}

type OnIntent = Option<(Arc<Intent>, Hold)>;

fn find(
    reader: &mut dyn Reader,
    hold: HoldId,
    key: Option<&RememberKey>,
) -> Result<Found, StoreError> {
    if let Some((intent, hold)) = open(reader, hold)? {
        return Ok(Found::Open(intent, hold));
    }
    if let Some((intent, hold)) = canceled(reader, hold, key)? {
        return Ok(Found::Open(intent, hold));
    }
    // Ids rise for ever, so the last one given out tells which have been.
    let last = reader.number(LAST_HOLD)?.unwrap_or(0);
    Ok(if hold.0 == 0 || hold.0 > last {
        Found::Never
    } else {
        Found::Over
    })
}

/// An open hold, with the intent that it is on.
fn open(reader: &mut dyn Reader, hold: HoldId) -> Result<OnIntent, StoreError> {
    let mut held = reader.held(LOOKED_AT_MAX)?.into_iter();
    Ok(held.find_map(|intent| {
        let found = intent.holds.iter().find(|one| one.id == hold)?.clone();
        Some((intent, found))
    }))
}

/// A hold that this key has taken back before: it is not open any more, and the answer is the same.
fn canceled(
    reader: &mut dyn Reader,
    hold: HoldId,
    key: Option<&RememberKey>,
) -> Result<OnIntent, StoreError> {
    let Some(key) = key else { return Ok(None) };
    let Some(known) = reader.remembered(&key.scope, &key.key)? else {
        return Ok(None);
    };
    let Some(intent) = reader.intent(known.intent)? else {
        return Ok(None);
    };
    let facts = reader.facts(known.intent, 0)?;
    let found = facts.into_iter().find_map(|fact| match fact.body {
        FactBody::HoldPlaced(placed) if placed.id == hold => Some(*placed),
        _ => None,
    });
    Ok(found.map(|hold| (intent, hold)))
}
