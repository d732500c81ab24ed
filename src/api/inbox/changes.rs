//! What has changed in an inbox since a position.

use axum::extract::State;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::Call;
use crate::domain::address::Address;
use crate::domain::fact::FeedEntry;
use crate::domain::ids::{Cursor, IntentId, ThreadId};
use crate::store::Reader;
use crate::store::error::StoreError;
use crate::store::query::{FeedFilter, Thread, ThreadKind};
use crate::wire::json::Object;

use super::{holds, payload_of, told};

/// Items of the feed that one call for changes looks at.
const EXAMINED_MAX: u32 = 5000;

/// `GET /v1/inbox/changes`: threads under the cursor of their last change.
pub(in crate::api) async fn changes(State(api): State<Api>, call: Call) -> Result {
    let owner = call.inbox_owner(&api)?;
    let limit = call.query.limit(50, 500)?;
    let given = call.query.get("cursor").map(str::to_owned);
    let since = match given.as_deref() {
        None => Cursor(0),
        Some(text) => text
            .strip_prefix("ch_")
            .and_then(|number| number.parse().ok())
            .map(Cursor)
            .ok_or_else(|| StoreError::BadCursor(text.to_owned()))
            .map_err(crate::broker::request::BrokerError::Store)?,
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let viewer = owner.clone();
    let ((changes, end, has_more), payloads) = api
        .broker()
        .read(move |reader| {
            let found = find_changes(reader, owner.as_ref(), since, limit)?;
            let threads = found.0.iter().map(|(_, thread)| thread);
            let payloads = threads.map(|thread| payload_of(reader, thread));
            let payloads = payloads.collect::<Result<Vec<_>, StoreError>>()?;
            Ok((found, payloads))
        })
        .await?;
    // What was examined in vain is not examined again, unless nothing at all was there to be seen.
    let next = if changes.is_empty() && !has_more {
        given
    } else {
        Some(format!("ch_{}", end.0))
    };
    let items = changes.iter().zip(&payloads);
    let items = items.map(|((cursor, thread), payload)| {
        let told = told(thread, viewer.as_ref(), &[], payload.as_ref());
        Object::new()
            .text("cursor", &format!("ch_{}", cursor.0))
            .object("thread", told.object())
    });
    Ok(Answer(
        Object::ok()
            .list("changes", items)
            .text_or_null("next_cursor", next.as_deref())
            .flag("has_more", has_more),
    ))
}

type Changes = (Vec<(Cursor, Thread)>, Cursor, bool);

/// Threads whose intents moved after `since`, each once, with the position of the page's end.
fn find_changes(
    reader: &mut dyn Reader,
    owner: Option<&Address>,
    since: Cursor,
    limit: usize,
) -> Result<Changes, StoreError> {
    let filter = FeedFilter {
        since,
        ..FeedFilter::default()
    };
    if since > reader.head()? {
        // Nobody was given it here; waiting at it would hide all that happens until then.
        return Err(StoreError::BadCursor(format!("ch_{}", since.0)));
    }
    let (items, examined) = reader.feed(&filter, EXAMINED_MAX)?;
    let head = reader.head()?;
    // The last change of each intent counts: an earlier one would only show the same thread twice.
    let mut last: Vec<(Cursor, IntentId)> = Vec::new();
    for item in &items {
        if let FeedEntry::Intent { fact, .. } = &item.entry {
            last.retain(|(_, id)| *id != fact.intent);
            last.push((item.cursor, fact.intent));
        }
    }
    let mut changes = Vec::new();
    for (cursor, id) in last {
        for thread in threads_of(reader, id)? {
            if owner.is_none_or(|owner| holds(&thread, owner)) {
                changes.push((cursor, thread));
            }
        }
        if changes.len() >= limit {
            return Ok((changes, cursor, cursor < head));
        }
    }
    Ok((changes, examined, examined < head))
}

fn threads_of(reader: &mut dyn Reader, id: IntentId) -> Result<Vec<Thread>, StoreError> {
    let Some(intent) = reader.intent(id)? else {
        return Ok(Vec::new());
    };
    let mut threads = Vec::new();
    if let Some(task) = &intent.task {
        threads.extend(reader.thread(task.thread)?);
    }
    if intent.reply_to.is_some() && intent.is_finished() {
        threads.extend(
            reader
                .thread(ThreadId(id.0))?
                .filter(|thread| thread.kind == ThreadKind::Completion),
        );
    }
    Ok(threads)
}
