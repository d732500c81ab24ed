//! `audit`: who has done what, through what, why, and what came of it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::arguments::AuditArguments;
use super::client::{Call, list, text};
use super::failure::Failure;
use super::{Context, export, terms, when};

pub(super) async fn run(arguments: AuditArguments, context: &Context) -> Result<(), Failure> {
    let terms = terms::read(
        arguments.filter.as_deref(),
        terms::AUDIT,
        context.clock.now(),
    )?;
    let call = Call::get("/v1/audit/events")
        .with_some("action_prefix", arguments.action)
        .with_some("owner_agent", arguments.who)
        .with_some("via", arguments.via)
        .with_some("target", arguments.on)
        .with_some("result", arguments.refused.then_some("refused"))
        .with_some("since", arguments.since)
        .with_some("until", arguments.until)
        .with_all(terms);
    let window = arguments.window;
    if export::pages(context, &window, export::AUDIT, &call).await? {
        return Ok(());
    }
    let answer = context.client()?.call(window.first(call)).await?;
    context.out.either(&answer, |out| {
        let rows = list(&answer, "/events").iter().map(|entry| {
            vec![
                when::ago(entry, "/at", context.clock.now()),
                context.short(&text(entry, "/actor")),
                text(entry, "/via"),
                text(entry, "/action"),
                context.short(&text(entry, "/target")),
                text(entry, "/result"),
                change(entry),
                text(entry, "/reason"),
            ]
        });
        let headings = ["age", "who", "via", "did", "on", "result", "change", "why"];
        out.table(&headings, rows.collect(), "nobody has done anything")?;
        super::intents::print_more(&answer);
        Ok(())
    })
}

/// What changed: `status DELIVERED -> CANCELED`.
fn change(entry: &Value) -> String {
    let empty = Map::new();
    let side = |name: &str| {
        entry
            .pointer(name)
            .and_then(Value::as_object)
            .unwrap_or(&empty)
    };
    let (before, after) = (side("/details/before"), side("/details/after"));
    let word = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes: Vec<String> = keys
        .into_iter()
        .filter(|key| !before.is_empty() || after.get(*key).is_some_and(|value| !value.is_null()))
        .map(|key| {
            format!(
                "{key} {} -> {}",
                word(before.get(key)),
                word(after.get(key))
            )
        })
        .collect();
    changes.join(", ")
}
