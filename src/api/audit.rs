//! The audit log: what operators wrote, and what was decided.

use axum::extract::State;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::Call;
use crate::store::query::{AuditEntry, PageRequest};
use crate::wire::json::Object;

/// Entries that one call looks at when it filters.
const EXAMINED_MAX: usize = 10_000;

/// `GET /v1/audit/events`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    call.caller.must_be_admin()?;
    let page = call.query.page(100, 1000)?;
    let actor = call
        .query
        .address("owner_agent", &api)?
        .map(|address| address.to_string());
    let prefix = call.query.get("action_prefix").map(str::to_owned);
    let since = call.query.instant("since")?;
    let (entries, next) = api
        .broker()
        .read(move |reader| {
            let wanted = usize::try_from(page.limit).unwrap_or(usize::MAX);
            let (mut entries, mut examined) = (Vec::new(), 0_usize);
            let mut cursor = page.cursor.clone();
            loop {
                let found = reader.audit(&PageRequest {
                    limit: page.limit,
                    cursor: cursor.take(),
                })?;
                examined = examined.saturating_add(found.items.len());
                let is_past = found
                    .items
                    .last()
                    .is_some_and(|last| since.is_some_and(|since| last.at < since));
                entries.extend(found.items.into_iter().filter(|entry| {
                    since.is_none_or(|since| entry.at >= since)
                        && actor.as_ref().is_none_or(|actor| entry.actor == *actor)
                        && prefix
                            .as_ref()
                            .is_none_or(|prefix| entry.action.starts_with(prefix.as_str()))
                }));
                cursor = if is_past { None } else { found.next };
                if entries.len() >= wanted || cursor.is_none() || examined >= EXAMINED_MAX {
                    return Ok((entries, cursor));
                }
            }
        })
        .await?;
    Ok(Answer(
        Object::ok()
            .list("events", entries.iter().map(entry))
            .text_or_null("next_cursor", next.as_deref()),
    ))
}

fn entry(entry: &AuditEntry) -> Object {
    let AuditEntry {
        at,
        actor,
        key,
        via,
        action,
        target,
        reason,
        result,
        trace_id,
    } = entry;
    Object::new()
        .shown("at", at)
        .text("actor", actor)
        .text_or_null("key_id", key.as_deref())
        .text("via", via)
        .text("action", action)
        .text("target", target)
        .text("owner_agent", actor)
        .text_or_null("reason", reason.as_deref())
        .text("result", result)
        .text_or_null("trace_id", trace_id.as_deref())
}
