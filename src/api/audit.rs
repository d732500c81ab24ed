//! The audit log: what operators wrote, and what was decided.

use axum::extract::State;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::broker::request::AdminCommand;
use crate::store::query::{AuditEntry, AuditFilter, Audited};
use crate::wire::audit::Noted;
use crate::wire::body::Body;
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// `GET /v1/audit/events`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    call.caller.must_be_admin()?;
    let page = call.query.page(100, 1000)?;
    let filter = filter(&api, &call)?;
    let found = api
        .broker()
        .read(move |reader| reader.audit(&filter, &page))
        .await?;
    Ok(Answer(
        Object::ok()
            .list("events", found.items.iter().map(event))
            .text_or_null("next_cursor", found.next.as_deref()),
    ))
}

/// `POST /v1/audit/events`.
pub(super) async fn note(State(api): State<Api>, call: Call, Upload(bytes): Upload) -> Result {
    call.caller.must_be_admin()?;
    let noted = Noted::read(&Body::parse(&bytes)?)?;
    let note = call.note(&noted.action, &noted.target, noted.reason.as_deref());
    api.broker()
        .administer(AdminCommand::Note(noted.details), note)
        .await?;
    Ok(Answer(Object::ok()))
}

fn filter(api: &Api, call: &Call) -> Result<AuditFilter, Problem> {
    let query = &call.query;
    let is_refused = match query.get("result") {
        None => None,
        Some("done") => Some(false),
        Some("refused") => Some(true),
        Some(other) => {
            return Err(Problem::field(
                "query",
                "result",
                format!("{other:?} is none of done, refused"),
                "string",
            ));
        }
    };
    Ok(AuditFilter {
        party: query.address("owner_agent", api)?,
        action_prefix: query.get("action_prefix").map(str::to_owned),
        via: query.get("via").map(str::to_owned),
        target: query.get("target").map(str::to_owned),
        is_refused,
        since: query.instant("since")?,
        until: query.instant("until")?,
    })
}

fn event(audited: &Audited) -> Object {
    let AuditEntry {
        at,
        actor,
        key,
        via,
        action,
        target,
        owner,
        reason,
        result,
        details,
        trace_id,
    } = &audited.entry;
    Object::new()
        .shown("event_id", audited.id)
        .shown("at", at)
        .text("actor", actor)
        .text_or_null("key_id", key.as_deref())
        .text("via", via)
        .text("action", action)
        .text("target", target)
        .text("owner_agent", owner)
        .text_or_null("reason", reason.as_deref())
        .with(|object| match details {
            Some(details) => object.payload("details", details),
            None => object.null("details"),
        })
        .text("result", result)
        .text_or_null("trace_id", trace_id.as_deref())
}
