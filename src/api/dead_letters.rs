//! Dead letters: lists, groups, and what can be done with one.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Path, State};

use crate::api::answer::{Answer, Result, named};
use crate::api::call::{Call, Upload};
use crate::api::moves::with_hold;
use crate::api::{Api, intents, schemas};
use crate::broker::groups;
use crate::broker::request::{AdminCommand, Receipt, Request};
use crate::domain::failure::ErrorClass;
use crate::domain::ids::IntentId;
use crate::domain::intent::DeadLetterState;
use crate::domain::payload::Payload;
use crate::engine::command::{Command, Discard, Replay};
use crate::store::query::{AttemptFilter, LetterFilter, LetterState, PageRequest};
use crate::wire::body::Body;
use crate::wire::dead_letters::{self, Group};
use crate::wire::errors::Problem;
use crate::wire::groups::{Marked, with_mark};
use crate::wire::intents::Shown;
use crate::wire::json::Object;
use crate::wire::{attempts, intents as wire_intents};

/// Groups of one answer.
const GROUPS_MAX: u32 = 500;

fn id(text: &str) -> Result<IntentId, Problem> {
    IntentId::from_str(text).map_err(|_not_an_id| {
        Problem::new("dead_letter_not_found", format!("no dead letter {text:?}"))
    })
}

fn filter(api: &Api, call: &Call) -> Result<LetterFilter, Problem> {
    let query = &call.query;
    let state = match query.get("state") {
        None | Some("open") => LetterState::Open,
        Some("replayed") => LetterState::Replayed,
        Some("discarded") => LetterState::Discarded,
        Some(other) => {
            return Err(Problem::field(
                "query",
                "state",
                format!("{other:?} is none of open, replayed, discarded"),
                "string",
            ));
        }
    };
    let error_class = match query.get("error_class") {
        None => None,
        Some(name) => Some(ErrorClass::from_name(name).ok_or_else(|| {
            Problem::field(
                "query",
                "error_class",
                format!("no class {name:?}"),
                "string",
            )
        })?),
    };
    Ok(LetterFilter {
        agent: query.address("agent", api)?,
        intent_type: query.get("intent_type").map(str::to_owned),
        reason: query.get("reason").map(dead_letters::reason).transpose()?,
        error_class,
        since: query.instant("since")?,
        until: query.instant("until")?,
        fingerprint: query.get("fingerprint").map(str::to_owned),
        state: Some(state),
    })
}

/// `GET /v1/dead-letters`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    call.caller.must_be_admin()?;
    let filter = filter(&api, &call)?;
    let now = api.broker().clock().now();
    match call.query.get("group_by") {
        None => {}
        Some("fingerprint") => return groups(&api, filter).await,
        Some(other) => {
            return Err(Problem::field(
                "query",
                "group_by",
                format!("{other:?} is not fingerprint"),
                "string",
            )
            .into());
        }
    }
    let page = call.query.page(50, 500)?;
    let (page, total) = api
        .broker()
        .read(move |reader| {
            let page_items = reader.letters(&filter, &page)?;
            Ok((page_items, reader.letter_count(&filter)?))
        })
        .await?;
    let items = page
        .items
        .iter()
        .filter_map(|intent| dead_letters::letter(intent, now));
    Ok(Answer(
        Object::ok()
            .list("dead_letters", items)
            .text_or_null("next_cursor", page.next.as_deref())
            .number("total", total),
    ))
}

async fn groups(api: &Api, filter: LetterFilter) -> Result {
    let now = api.broker().clock().now();
    let (groups, marks) = api
        .broker()
        .read(move |reader| {
            let groups = reader.letter_groups(&filter, now, GROUPS_MAX)?;
            Ok((groups, groups::marks(reader)?))
        })
        .await?;
    let items = groups.iter().map(|group| {
        let object = Group {
            fingerprint: &group.fingerprint,
            count: group.count,
            first_at: group.first_at,
            last_at: group.last_at,
            newest: &group.newest,
            hourly: &group.hourly,
        }
        .object();
        with_mark(object, marks.get(&group.fingerprint), group.last_at)
    });
    Ok(Answer(Object::ok().list("groups", items)))
}

/// `POST /v1/dead-letters/groups/{fingerprint}`.
pub(super) async fn mark(
    State(api): State<Api>,
    call: Call,
    Path(fingerprint): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let home = &api.broker().registry().home;
    let marked = Marked::read(&Body::parse(&bytes)?, home)?;
    let note = call.note("dead_letter.group", &fingerprint, marked.reason.as_deref());
    let command = AdminCommand::MarkGroup {
        fingerprint: fingerprint.clone(),
        change: Box::new(marked.change),
    };
    let receipt = api.broker().administer(command, note).await?;
    let mark = receipt.group.ok_or_else(Problem::internal)?;
    let group = Object::new().text("fingerprint", &fingerprint);
    let group = with_mark(group, Some(&mark), mark.at);
    Ok(Answer(Object::ok().object("group", group)))
}

/// `GET /v1/dead-letters/{intent_id}`.
pub(super) async fn show(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    call.caller.must_be_admin()?;
    let id = id(&text)?;
    let now = api.broker().clock().now();
    let (intent, payload, tries) = api
        .broker()
        .read(move |reader| {
            let filter = AttemptFilter {
                intent: Some(id),
                ..AttemptFilter::default()
            };
            let page = PageRequest {
                limit: 500,
                cursor: None,
            };
            Ok((
                reader.intent(id)?,
                reader.payload(id)?,
                reader.attempts(&filter, &page)?,
            ))
        })
        .await?;
    let not_found = || dead_letters::not_found(id);
    let intent = intent.ok_or_else(not_found)?;
    let letter = dead_letters::letter(&intent, now).ok_or_else(not_found)?;
    let payload = payload.unwrap_or_else(Payload::empty);
    let trace = intent.trace_id.as_deref();
    // Stored newest first, read in the order in which they were made.
    let tries = tries
        .items
        .iter()
        .rev()
        .map(|attempt| attempts::attempt(attempt, trace));
    let shown = Shown {
        payload: Some(&payload),
        ..Shown::default()
    };
    Ok(Answer(
        Object::ok()
            .object("dead_letter", letter)
            .object("intent", wire_intents::intent(&intent, shown))
            .list("attempts", tries),
    ))
}

/// `POST /v1/dead-letters/{intent_id}/replay`.
pub(super) async fn replay(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let by = call.owner(&api)?;
    let body = Body::parse(&bytes)?;
    let broker = api.broker();
    let read = dead_letters::replay(&body, &broker.registry().home)?;
    if let Some(payload) = read
        .payload
        .as_ref()
        .filter(|payload| payload.len() > api.settings().payload_bytes_max)
    {
        let limit = api.settings().payload_bytes_max;
        return Err(Problem::new(
            "payload_too_large",
            format!(
                "payload has {} bytes, at most {limit} are allowed",
                payload.len()
            ),
        )
        .with(serde_json::json!({ "limit": limit }))
        .into());
    }
    let id = id(&text)?;
    let remember = call.remember(|| body.fingerprint(&[]))?;
    if let Some(payload) = &read.payload
        && let Some(letter) = broker.intent(id).await?
    {
        // A replay has nowhere to warn; what only warns lets it through.
        schemas::check_new(&api, remember.as_ref(), &letter.intent_type, payload).await?;
    }
    let note = call.note("dead_letter.replay", id, read.reason.as_deref());
    let command = Command::Replay(Box::new(Replay {
        new_id: broker.new_intent_id(),
        new_thread: broker.new_thread_id(),
        payload: read.payload,
        to: read.to,
        max_attempts: read.max_attempts,
        is_forced: read.is_forced,
        reason: read.reason,
        hold: read.hold,
        by,
    }));
    let receipt = broker
        .run(Request {
            intent: id,
            command,
            remember,
            audit: Some(note),
        })
        .await
        .map_err(|error| named(error, "dead_letter_not_found"))?;
    replayed(&api, &receipt).await
}

/// The new intent and the old letter; only the letter while the replay is held.
async fn replayed(api: &Api, receipt: &Receipt) -> Result {
    let letter = &receipt.intent;
    let now = api.broker().clock().now();
    let fresh = match receipt.caused.first() {
        Some(fresh) => Some(Arc::clone(fresh)),
        // A repeat caused nothing: what the first one made is named by the letter.
        None => match letter.dead_letter.as_ref().map(|letter| &letter.state) {
            Some(DeadLetterState::Replayed { as_intent }) => {
                let id = *as_intent;
                api.broker().read(move |reader| reader.intent(id)).await?
            }
            _ => None,
        },
    };
    Ok(Answer(
        Object::ok()
            .object(
                "intent",
                intents::object(api, fresh.as_ref().unwrap_or(letter)),
            )
            .maybe_object("dead_letter", dead_letters::letter(letter, now))
            .with(|object| with_hold(object, receipt)),
    ))
}

/// `POST /v1/dead-letters/{intent_id}/discard`.
pub(super) async fn discard(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
    Upload(bytes): Upload,
) -> Result {
    call.caller.must_be_admin()?;
    let by = call.owner(&api)?;
    let body = Body::parse(&bytes)?;
    let (reason, hold) = dead_letters::discard(&body)?;
    let id = id(&text)?;
    let note = call.note("dead_letter.discard", id, Some(&reason));
    let receipt = api
        .broker()
        .run(Request {
            intent: id,
            command: Command::Discard(Discard { reason, hold, by }),
            remember: call.remember(|| body.fingerprint(&[]))?,
            audit: Some(note),
        })
        .await
        .map_err(|error| named(error, "dead_letter_not_found"))?;
    let now = api.broker().clock().now();
    Ok(Answer(
        Object::ok()
            .maybe_object("dead_letter", dead_letters::letter(&receipt.intent, now))
            .with(|object| with_hold(object, &receipt)),
    ))
}
