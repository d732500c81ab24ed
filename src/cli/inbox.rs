//! `inbox`: questions to people, and their answers.

use serde_json::{Map, Value, json};

use super::arguments::{DecisionArguments, InboxVerb};
use super::client::{Call, list, segment, text};
use super::failure::Failure;
use super::intents::{each, print_facts, print_more};
use super::{Context, when};

pub(super) async fn run(verb: InboxVerb, context: &Context) -> Result<(), Failure> {
    match verb {
        InboxVerb::List { owner, all, window } => {
            let call = Call::get("/v1/inbox")
                .with("owner_agent", owner.as_deref().unwrap_or("*"))
                .with_some("status", (!all).then_some("pending"))
                .with("limit", window.limit)
                .with_some("cursor", window.cursor);
            let answer = context.client()?.call(call).await?;
            context
                .out
                .either(&answer, |_out| print_list(&answer, context))
        }
        InboxVerb::Show { id } => {
            let call = Call::get(thread_path(&id)).with("owner_agent", "*");
            let answer = context.client()?.call(call).await?;
            context
                .out
                .either(&answer, |_out| print_thread(&answer, context))
        }
        InboxVerb::Approve(decision) => {
            let call = decide(&decision, "approve");
            each(
                context,
                std::slice::from_ref(&decision.id),
                "approved",
                |_id| call.clone(),
            )
            .await
        }
        InboxVerb::Reject(decision) => {
            let call = decide(&decision, "reject");
            each(
                context,
                std::slice::from_ref(&decision.id),
                "rejected",
                |_id| call.clone(),
            )
            .await
        }
        InboxVerb::Decide { outcome, decision } => {
            decide_by_name(&outcome, &decision, context).await
        }
        InboxVerb::Reply { id, message } => {
            let call = Call::post(
                format!("{}/reply", thread_path(&id)),
                json!({"message": message}),
            )
            .with("owner_agent", "*");
            each(context, std::slice::from_ref(&id), "replied", |_id| {
                call.clone()
            })
            .await
        }
    }
}

fn thread_path(id: &str) -> String {
    format!("/v1/inbox/{}", segment(id))
}

fn decide(decision: &DecisionArguments, word: &str) -> Call {
    let mut body = Map::new();
    if let Some(comment) = &decision.comment {
        body.insert("comment".to_owned(), json!(comment));
    }
    if let Some(version) = decision.task_version {
        body.insert("task_version".to_owned(), json!(version));
    }
    if decision.hold > 0 {
        body.insert("hold_seconds".to_owned(), json!(decision.hold));
    }
    Call::post(
        format!("{}/{word}", thread_path(&decision.id)),
        Value::Object(body),
    )
    .with("owner_agent", "*")
}

/// A named outcome goes through the intent; the thread says which it is.
async fn decide_by_name(
    outcome: &str,
    decision: &DecisionArguments,
    context: &Context,
) -> Result<(), Failure> {
    let call = Call::get(thread_path(&decision.id)).with("owner_agent", "*");
    let thread = context.client()?.call(call).await?;
    let intent = text(&thread, "/thread/intent_id");
    let mut body = json!({"task_result": {"outcome": outcome, "comment": decision.comment}});
    if let Some(object) = body.as_object_mut() {
        if let Some(version) = decision.task_version {
            object.insert("task_version".to_owned(), json!(version));
        }
        if decision.hold > 0 {
            object.insert("hold_seconds".to_owned(), json!(decision.hold));
        }
    }
    let call = Call::post(format!("/v1/intents/{intent}/resume"), body);
    each(
        context,
        std::slice::from_ref(&decision.id),
        outcome,
        |_id| call.clone(),
    )
    .await
}

fn print_list(answer: &Value, context: &Context) -> Result<(), Failure> {
    let now = context.clock.now();
    let rows = list(answer, "/threads").iter().map(|thread| {
        let outcomes = list(thread, "/human_task/allowed_outcomes").iter();
        let outcomes: Vec<String> = outcomes.map(|outcome| text(outcome, "")).collect();
        vec![
            text(thread, "/thread_id"),
            text(thread, "/status"),
            context.short(&text(thread, "/owner_agent")),
            text(thread, "/human_task/task_type"),
            text(thread, "/subject"),
            outcomes.join(" / "),
            context.short(&text(thread, "/from_agent")),
            when::ago(thread, "/created_at", now),
        ]
    });
    let headings = [
        "thread", "status", "inbox", "asks for", "subject", "outcomes", "from", "age",
    ];
    context
        .out
        .table(&headings, rows.collect(), "nothing waits for a person")?;
    print_more(answer);
    Ok(())
}

fn print_thread(answer: &Value, context: &Context) -> Result<(), Failure> {
    let thread = answer.get("thread").unwrap_or(&Value::Null);
    let mut facts = vec![
        ("subject", text(thread, "/subject")),
        ("status", text(thread, "/status")),
        ("thread", text(thread, "/thread_id")),
        ("intent", text(thread, "/intent_id")),
        ("inbox", text(thread, "/owner_agent")),
        ("from", text(thread, "/from_agent")),
        ("asks for", text(thread, "/human_task/task_type")),
        ("says", text(thread, "/human_task/description")),
        ("outcomes", text(thread, "/human_task/allowed_outcomes")),
        ("version", text(thread, "/human_task/version")),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    print_facts(&context.out, &facts)?;
    context.out.line("")?;
    let rows = list(thread, "/timeline").iter().map(|event| {
        vec![
            when::clock_time(event, "/at"),
            text(event, "/event_type"),
            context.short(&text(event, "/actor")),
            super::handler::shortened(&text(event, "/details"), 300),
        ]
    });
    context
        .out
        .table(&["at", "event", "by", "details"], rows.collect(), "")
}
