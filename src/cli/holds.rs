//! `held` and `undo`: what has been said and has not taken effect yet.

use serde_json::json;

use super::arguments::Export;
use super::client::{self, Call, segment, text};
use super::failure::Failure;
use super::{Context, export, when};

pub(super) async fn list(export: Export, context: &Context) -> Result<(), Failure> {
    let call = Call::get("/v1/holds").with("limit", 500_u32);
    if export::one(context, export.format, export::HOLDS, call).await? {
        return Ok(());
    }
    let answer = context.client()?.call(Call::get("/v1/holds")).await?;
    context.out.either(&answer, |out| {
        let rows = client::list(&answer, "/holds").iter().map(|hold| {
            vec![
                text(hold, "/hold_id"),
                text(hold, "/action"),
                text(hold, "/subject"),
                context.short(&text(hold, "/by")),
                when::until(hold, "/effective_at", context.clock.now()),
            ]
        });
        let headings = ["hold", "does", "on", "by", "takes effect"];
        out.table(&headings, rows.collect(), "nothing is held")
    })
}

pub(super) async fn undo(hold: &str, context: &Context) -> Result<(), Failure> {
    let path = format!("/v1/holds/{}/cancel", segment(hold));
    let answer = context.client()?.call(Call::post(path, json!({}))).await?;
    context
        .out
        .either(&answer, |out| out.line(format!("{hold}  taken back")))
}
