//! `inbox`: questions to people, and their answers.

use serde_json::{Map, Value, json};

use super::arguments::{DecideArguments, DecisionArguments, DelegateArguments, InboxVerb};
use super::client::{Call, list, segment, text};
use super::failure::Failure;
use super::intents::{each, print_facts, print_more};
use super::{Context, export, input, when};

pub(super) async fn run(verb: InboxVerb, context: &Context) -> Result<(), Failure> {
    match verb {
        InboxVerb::List { owner, all, window } => {
            let call = Call::get("/v1/inbox")
                .with("owner_agent", owner.as_deref().unwrap_or("*"))
                .with_some("status", (!all).then_some("pending"));
            if export::pages(context, &window, export::THREADS, &call).await? {
                return Ok(());
            }
            let answer = context.client()?.call(window.first(call)).await?;
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
        InboxVerb::Decide(decided) => {
            let call = Call::get(thread_path(&decided.decision.id)).with("owner_agent", "*");
            let thread = context.client()?.call(call).await?;
            let intent = text(&thread, "/thread/intent_id");
            decide_as(&intent, &decided, context).await
        }
        InboxVerb::Reply { id, message } => reply(&id, &message, context).await,
        InboxVerb::Delegate(delegated) => delegate(&delegated.id, &delegated, context).await,
        InboxVerb::Take { id, owner } => {
            // Whoever takes it does not have it yet, so that it is no inbox of theirs to ask for.
            let body = owner.map_or_else(|| json!({}), |owner| json!({ "delegate_to": owner }));
            let path = format!("{}/delegate", thread_path(&id));
            let call = Call::post(path, body).with("owner_agent", "*");
            each(context, std::slice::from_ref(&id), "taken", |_id| {
                call.clone()
            })
            .await
        }
    }
}

/// Says something in the thread of `id`.
pub(super) async fn reply(id: &str, message: &str, context: &Context) -> Result<(), Failure> {
    let path = format!("{}/reply", thread_path(id));
    let call = Call::post(path, json!({ "message": message })).with("owner_agent", "*");
    each(context, &[id.to_owned()], "replied", |_id| call.clone()).await
}

/// Hands the task of the thread `id` on.
pub(super) async fn delegate(
    id: &str,
    delegated: &DelegateArguments,
    context: &Context,
) -> Result<(), Failure> {
    let mut body = json!({ "delegate_to": delegated.to });
    if let Some(object) = body.as_object_mut() {
        if let Some(note) = &delegated.note {
            object.insert("note".to_owned(), json!(note));
        }
        if let Some(version) = delegated.task_version {
            object.insert("task_version".to_owned(), json!(version));
        }
    }
    let path = format!("{}/delegate", thread_path(id));
    let call = Call::post(path, body).with("owner_agent", "*");
    let word = format!("handed to {}", delegated.to);
    each(context, &[id.to_owned()], &word, |_id| call.clone()).await
}

pub(super) fn thread_path(id: &str) -> String {
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

/// A named outcome, with a form where there is one, goes through the intent.
pub(super) async fn decide_as(
    intent: &str,
    decided: &DecideArguments,
    context: &Context,
) -> Result<(), Failure> {
    let DecideArguments {
        outcome,
        fields,
        form,
        decision,
    } = decided;
    let mut result = match form {
        Some(given) => input::object(given, "form")?,
        None => json!({}),
    };
    let mut body = Map::new();
    if let Some(object) = result.as_object_mut() {
        for field in fields {
            let (name, value) = field
                .split_once('=')
                .ok_or_else(|| Failure::usage(format!("--field {field:?} is not NAME=VALUE")))?;
            object.insert(name.to_owned(), json!(value));
        }
        object.insert("outcome".to_owned(), json!(outcome));
        if let Some(comment) = &decision.comment {
            object.insert("comment".to_owned(), json!(comment));
        }
    }
    body.insert("task_result".to_owned(), result);
    if let Some(version) = decision.task_version {
        body.insert("task_version".to_owned(), json!(version));
    }
    if decision.hold > 0 {
        body.insert("hold_seconds".to_owned(), json!(decision.hold));
    }
    let path = format!("/v1/intents/{}/resume", segment(intent));
    let call = Call::post(path, Value::Object(body));
    let ids = std::slice::from_ref(&decision.id);
    each(context, ids, outcome, |_id| call.clone()).await
}

fn print_list(answer: &Value, context: &Context) -> Result<(), Failure> {
    let now = context.clock.now();
    let rows = list(answer, "/threads").iter().map(|thread| {
        let outcomes = list(thread, "/human_task/allowed_outcomes").iter();
        let outcomes: Vec<String> = outcomes.map(|outcome| text(outcome, "")).collect();
        // A part of an intent's id is enough for every verb; a notice has no intent.
        let id = match text(thread, "/intent_id") {
            id if id.is_empty() => text(thread, "/thread_id"),
            id => id,
        };
        vec![
            id,
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
        "id", "status", "inbox", "asks for", "subject", "outcomes", "from", "age",
    ];
    context
        .out
        .table(&headings, rows.collect(), "nothing waits for a person")?;
    print_more(answer);
    Ok(())
}

fn outcomes(thread: &Value) -> String {
    let all = list(thread, "/human_task/allowed_outcomes").iter();
    let names: Vec<String> = all.map(|outcome| text(outcome, "")).collect();
    names.join(" / ")
}

/// Where the run goes on, or how it ends; nothing when the task is no step of one.
fn leads_to(thread: &Value, key: &str, end: &str) -> String {
    match thread.get("leads_to").map(|to| to.get(key)) {
        None => String::new(),
        Some(Some(Value::String(step))) => format!("goes to step {step}"),
        Some(_) => format!("the run {end}"),
    }
}

pub(super) fn print_thread(answer: &Value, context: &Context) -> Result<(), Failure> {
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
        ("outcomes", outcomes(thread)),
        ("version", text(thread, "/human_task/version")),
        ("after a yes", leads_to(thread, "on_success", "is complete")),
        ("after a no", leads_to(thread, "on_failure", "fails")),
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
