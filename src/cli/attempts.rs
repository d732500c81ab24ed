//! `attempts`: every try to hand an intent over.

use serde_json::Value;

use super::arguments::AttemptsVerb;
use super::client::{Call, list, text};
use super::failure::Failure;
use super::{Context, export, terms, when};

pub(super) async fn run(verb: AttemptsVerb, context: &Context) -> Result<(), Failure> {
    let AttemptsVerb::List {
        intent,
        agent,
        binding,
        outcome,
        error_class,
        filter,
        window,
    } = verb;
    let terms = terms::read(filter.as_deref(), terms::ATTEMPTS, context.clock.now())?;
    let call = Call::get("/v1/attempts")
        .with_some("intent_id", intent)
        .with_some("agent", agent)
        .with_some("binding", binding)
        .with_some("outcome", outcome)
        .with_some("error_class", error_class)
        .with_all(terms);
    if export::pages(context, &window, export::ATTEMPTS, &call).await? {
        return Ok(());
    }
    let answer = context.client()?.call(window.first(call)).await?;
    context.out.either(&answer, |out| {
        let rows = list(&answer, "/attempts").iter().map(|attempt| {
            let mut row = vec![text(attempt, "/attempt_id"), text(attempt, "/intent_id")];
            row.push(context.short(&text(attempt, "/agent")));
            row.extend(common(attempt, context));
            row
        });
        let headings = [
            "attempt", "intent", "agent", "no", "binding", "outcome", "class", "http", "took",
            "age",
        ];
        out.table(&headings, rows.collect(), "no attempts")?;
        super::intents::print_more(&answer);
        Ok(())
    })
}

/// The attempts beneath an intent, oldest first.
pub(super) fn print_of_intent(whole: &Value, context: &Context) -> Result<(), Failure> {
    let attempts = list(whole, "/attempts");
    if attempts.is_empty() {
        return Ok(());
    }
    context.out.line("")?;
    let rows = attempts.iter().rev().map(|attempt| {
        let mut row = vec![text(attempt, "/attempt_id")];
        row.extend(common(attempt, context));
        row.push(text(attempt, "/error"));
        row
    });
    let headings = [
        "attempt", "no", "binding", "outcome", "class", "http", "took", "age", "error",
    ];
    context.out.table(&headings, rows.collect(), "")
}

fn common(attempt: &Value, context: &Context) -> Vec<String> {
    let took = match text(attempt, "/latency_ms") {
        took if took.is_empty() => took,
        took => format!("{took}ms"),
    };
    vec![
        text(attempt, "/number"),
        text(attempt, "/binding"),
        text(attempt, "/outcome"),
        text(attempt, "/error_class"),
        text(attempt, "/http_status"),
        took,
        when::ago(attempt, "/started_at", context.clock.now()),
    ]
}
