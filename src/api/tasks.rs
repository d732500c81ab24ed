//! Open tasks of a person, soonest due first.

use axum::extract::State;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::auth::is_asked;
use crate::api::call::Call;
use crate::store::query::{PageRequest, ThreadFilter, ThreadKind};
use crate::wire::json::Object;
use crate::wire::tasks;

/// Open tasks that one call looks at.
const LOOKED_AT_MAX: u32 = 500;

/// `GET /v1/me/tasks`.
pub(super) async fn mine(State(api): State<Api>, call: Call) -> Result {
    let owner = call.owner(&api)?;
    let limit = call.query.limit(100, LOOKED_AT_MAX)?;
    let filter = ThreadFilter {
        owner: None,
        is_pending: Some(true),
        kind: Some(ThreadKind::Task),
        is_due_first: true,
    };
    let page = PageRequest {
        limit: LOOKED_AT_MAX,
        cursor: None,
    };
    let page = api
        .broker()
        .read(move |reader| reader.threads(&filter, &page))
        .await?;
    let home = api.broker().registry().home.clone();
    let is_everybody_s = call.caller.is_admin() && owner == call.caller.address;
    let items = page
        .items
        .iter()
        .filter(|thread| is_everybody_s || is_asked(&owner, &thread.owner, &thread.intent, &home))
        .filter_map(|thread| {
            let task = thread.intent.open_task()?;
            Some(tasks::open_task(&thread.intent, task))
        })
        .take(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Answer(Object::ok().list("tasks", items)))
}
