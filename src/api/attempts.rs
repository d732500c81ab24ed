//! Attempts over everything, newest first.

use axum::extract::State;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::Call;
use crate::domain::agent::Binding;
use crate::domain::attempt::Outcome;
use crate::domain::failure::ErrorClass;
use crate::store::query::AttemptFilter;
use crate::wire::attempts;
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// `GET /v1/attempts`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    call.caller.must_be_admin()?;
    let query = &call.query;
    let filter = AttemptFilter {
        intent: query.parsed("intent_id")?,
        agent: query.address("agent", &api)?,
        binding: named(&call, "binding", Binding::from_name)?,
        outcome: named(&call, "outcome", Outcome::from_name)?,
        error_class: named(&call, "error_class", ErrorClass::from_name)?,
        since: query.instant("since")?,
    };
    let page = query.page(50, 500)?;
    let page = api
        .broker()
        .read(move |reader| reader.attempts(&filter, &page))
        .await?;
    let items = page
        .items
        .iter()
        .map(|attempt| attempts::attempt(attempt, None));
    Ok(Answer(
        Object::ok()
            .list("attempts", items)
            .text_or_null("next_cursor", page.next.as_deref()),
    ))
}

/// A word of a closed list.
fn named<T>(
    call: &Call,
    key: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    match call.query.get(key) {
        None => Ok(None),
        Some(name) => read(name).map(Some).ok_or_else(|| {
            Problem::field(
                "query",
                key,
                format!("no {key} is called {name:?}"),
                "string",
            )
        }),
    }
}
