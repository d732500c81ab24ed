//! Reading intents.

use std::sync::Arc;

use axum::extract::{Path, State};

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::Call;
use crate::domain::ids::IntentId;
use crate::domain::intent::{Intent, Kind};
use crate::domain::key::Role;
use crate::domain::payload::Payload;
use crate::domain::status::{State as IntentState, Status};
use crate::store::query::IntentFilter;
use crate::wire::errors::Problem;
use crate::wire::intents::{self, Shown};
use crate::wire::json::Object;

/// The id of a path; what is no id is no intent.
pub(super) fn id(text: &str) -> Result<IntentId, Problem> {
    text.parse().map_err(|_not_an_id| {
        Problem::new("intent_not_found", format!("no intent {text:?}"))
            .with(serde_json::json!({ "intent_id": text }))
    })
}

/// The intent of a path, if it is the caller's business.
pub(super) async fn visible(api: &Api, call: &Call, text: &str) -> Result<Arc<Intent>> {
    let id = id(text)?;
    let intent = api.broker().intent(id).await?;
    let home = &api.broker().registry().home;
    Ok(intent
        .filter(|intent| call.caller.may_see(intent, home))
        .ok_or_else(|| not_found(id))?)
}

/// No such intent, or none of the caller's business.
pub(super) fn not_found(id: IntentId) -> Problem {
    Problem::new("intent_not_found", format!("no intent {id}"))
        .with(serde_json::json!({ "intent_id": id.to_string() }))
}

/// Why nobody hands an intent over now.
pub(super) fn parked(api: &Api, intent: &Intent) -> Option<&'static str> {
    api.broker().parked(&intent.to)
}

/// The intent without its payload, as answers to writes carry it.
pub(super) fn object(api: &Api, intent: &Intent) -> Object {
    intents::intent(
        intent,
        Shown {
            parked: parked(api, intent),
            ..Shown::default()
        },
    )
}

/// `GET /v1/intents/{id}`.
pub(super) async fn show(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    let id = id(&text)?;
    let (intent, payload) = api
        .broker()
        .read(move |reader| Ok((reader.intent(id)?, reader.payload(id)?)))
        .await?;
    let home = &api.broker().registry().home;
    let intent = intent
        .filter(|intent| call.caller.may_see(intent, home))
        .ok_or_else(|| not_found(id))?;
    let payload = payload.unwrap_or_else(Payload::empty);
    let shown = Shown {
        payload: Some(&payload),
        parked: parked(&api, &intent),
        is_brief: false,
    };
    Ok(Answer(intents::answer(
        &intent,
        shown,
        api.settings().is_flat_intent,
    )))
}

/// `GET /v1/intents`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    let filter = filter(&api, &call)?;
    let page = call.query.page(50, 500)?;
    let has_payload = call.query.names("include").contains(&"payload");
    let (page, payloads) = api
        .broker()
        .read(move |reader| {
            let page = reader.intents(&filter, &page)?;
            let mut payloads = Vec::new();
            if has_payload {
                for intent in &page.items {
                    payloads.push(reader.payload(intent.id)?);
                }
            }
            Ok((page, payloads))
        })
        .await?;
    let mut payloads = payloads.into_iter();
    let items = page.items.iter().map(|intent| {
        let payload = payloads.next().flatten();
        let shown = Shown {
            payload: payload.as_ref(),
            parked: parked(&api, intent),
            is_brief: !has_payload,
        };
        intents::intent(intent, shown)
    });
    Ok(Answer(
        Object::ok()
            .list("intents", items)
            .text_or_null("next_cursor", page.next.as_deref()),
    ))
}

fn filter(api: &Api, call: &Call) -> Result<IntentFilter, Problem> {
    let query = &call.query;
    let mut filter = IntentFilter {
        to: query.address("to_agent", api)?,
        from: query.address("from_agent", api)?,
        party: if call.caller.is_admin() {
            query.address("party", api)?
        } else {
            Some(call.caller.address.clone())
        },
        intent_type: query.get("intent_type").map(str::to_owned),
        correlation_id: query.get("correlation_id").map(str::to_owned),
        origin: query.parsed("origin_id")?,
        since: query.instant("since")?,
        until: query.instant("until")?,
        text: query.get("q").map(str::to_lowercase),
        contains: query.all("contains"),
        ..IntentFilter::default()
    };
    for name in query.names("status") {
        if name == "pending" {
            filter.is_unfinished = true;
            if call.caller.role == Role::Agent && filter.to.is_none() {
                filter.to = Some(call.caller.address.clone());
            }
        } else {
            filter.statuses.push(status(name)?);
        }
    }
    filter.kinds = kinds(call, filter.is_unfinished)?;
    for name in query.names("state") {
        filter.states.push(state(name)?);
    }
    Ok(filter)
}

/// Which kinds a list shows. An agent that asks for what is pending asks for its work, steps included.
fn kinds(call: &Call, is_pending: bool) -> Result<Vec<Kind>, Problem> {
    let names = call.query.names("kind");
    if names.is_empty() {
        return Ok(if is_pending && call.caller.role == Role::Agent {
            vec![Kind::Intent, Kind::Step]
        } else {
            vec![Kind::Intent]
        });
    }
    if names.contains(&"all") {
        return Ok(Vec::new());
    }
    let read = |name: &str| {
        Kind::from_name(name).ok_or_else(|| {
            let message = format!("{name:?} is none of intent, step, webhook, all");
            Problem::field("query", "kind", message, "string")
        })
    };
    names.into_iter().map(read).collect()
}

/// The state of the overview of that name.
fn state(name: &str) -> Result<IntentState, Problem> {
    IntentState::ALL
        .into_iter()
        .find(|state| state.name() == name)
        .ok_or_else(|| {
            let names: Vec<_> = IntentState::ALL.iter().map(|state| state.name()).collect();
            Problem::field(
                "query",
                "state",
                format!("{name:?} is none of {}", names.join(", ")),
                "string",
            )
        })
}

/// The status of that name.
pub(super) fn status(name: &str) -> Result<Status, Problem> {
    Status::from_name(name).ok_or_else(|| {
        let names: Vec<_> = Status::ALL.iter().map(|status| status.name()).collect();
        Problem::field(
            "query",
            "status",
            format!("{name:?} is none of pending, {}", names.join(", ")),
            "string",
        )
    })
}
