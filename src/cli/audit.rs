//! `audit`: who has done what, through what, why, and what came of it.

use super::arguments::AuditArguments;
use super::client::{Call, list, text};
use super::failure::Failure;
use super::{Context, when};

pub(super) async fn run(arguments: AuditArguments, context: &Context) -> Result<(), Failure> {
    let call = Call::get("/v1/audit/events")
        .with_some("action_prefix", arguments.action)
        .with("limit", arguments.window.limit)
        .with_some("cursor", arguments.window.cursor);
    let answer = context.client()?.call(call).await?;
    context.out.either(&answer, |out| {
        let rows = list(&answer, "/events").iter().map(|entry| {
            vec![
                when::ago(entry, "/at", context.clock.now()),
                context.short(&text(entry, "/actor")),
                text(entry, "/via"),
                text(entry, "/action"),
                context.short(&text(entry, "/target")),
                text(entry, "/result"),
                text(entry, "/reason"),
            ]
        });
        let headings = ["age", "who", "via", "did", "on", "result", "why"];
        out.table(&headings, rows.collect(), "nobody has done anything")?;
        super::intents::print_more(&answer);
        Ok(())
    })
}
