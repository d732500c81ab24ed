//! `tasks`: what people are asked, by the id of its intent, its run or its thread.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::arguments::TasksVerb;
use super::client::{Call, list, segment, text};
use super::failure::Failure;
use super::{Context, export, inbox, output, when};

pub(super) async fn run(verb: TasksVerb, context: &Context) -> Result<(), Failure> {
    match verb {
        TasksVerb::List {
            owner,
            limit,
            export,
        } => {
            let call = Call::get("/v1/me/tasks")
                .with_some("owner_agent", owner)
                .with("limit", limit);
            if export::one(context, export.format, export::TASKS, call.clone()).await? {
                return Ok(());
            }
            let answer = context.client()?.call(call).await?;
            context
                .out
                .either(&answer, |_out| print_list(&answer, context))
        }
        TasksVerb::Show { id } => {
            let asked = asked(&id, context).await?;
            let path = inbox::thread_path(&asked.holder);
            let thread = Call::get(path).with("owner_agent", "*");
            let as_it_came = context.client()?.text(thread).await?;
            let thread: Value = serde_json::from_str(&as_it_came).unwrap_or_default();
            let whole = json!({
                "ok": true,
                "intent": asked.intent.get("intent"),
                "thread": thread.get("thread"),
                "messages": thread.get("messages"),
            });
            context.out.either(&whole, |out| {
                inbox::print_thread(&thread, context)?;
                let form = form_of(&as_it_came);
                let payload = whole.pointer("/intent/payload").map(Value::to_string);
                for (name, json) in [("form", form), ("payload", payload)] {
                    if let Some(json) = json.filter(|json| json != "null") {
                        out.line(format!("\n{name}"))?;
                        out.line(output::indented(&json))?;
                    }
                }
                Ok(())
            })
        }
        TasksVerb::Decide(decided) => {
            let asked = asked(&decided.decision.id, context).await?;
            inbox::decide_as(&asked.id, &decided, context).await
        }
        TasksVerb::Reply { id, message } => {
            let asked = asked(&id, context).await?;
            inbox::reply(&asked.holder, &message, context).await
        }
        TasksVerb::Delegate(delegated) => {
            let asked = asked(&delegated.id, context).await?;
            inbox::delegate(&asked.holder, &delegated, context).await
        }
    }
}

/// The form of a thread's task, its fields in the order in which they were written.
fn form_of(thread: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        thread: Thread,
    }
    #[derive(Deserialize)]
    struct Thread {
        human_task: Option<Task>,
    }
    #[derive(Deserialize)]
    struct Task {
        form_schema: Option<Box<RawValue>>,
    }
    let answer: Answer = serde_json::from_str(thread).ok()?;
    let form = answer.thread.human_task?.form_schema?;
    Some(form.get().to_owned())
}

/// Who asks.
struct Asked {
    /// The intent that a decision is sent to: the one that was named.
    id: String,
    /// The intent that holds the question: the step of a run.
    holder: String,
    /// The named one, as it is answered.
    intent: Value,
}

/// The intent of that id, or of the thread of that id.
async fn asked(id: &str, context: &Context) -> Result<Asked, Failure> {
    let client = context.client()?;
    let whole = |id: &str| Call::get(format!("/v1/intents/{}", segment(id)));
    let intent = match client.call(whole(id)).await {
        Ok(intent) => intent,
        Err(failure @ Failure::Refused(_)) => {
            let thread = Call::get(inbox::thread_path(id)).with("owner_agent", "*");
            let Ok(thread) = client.call(thread).await else {
                return Err(failure);
            };
            client
                .call(whole(&text(&thread, "/thread/intent_id")))
                .await?
        }
        Err(failure) => return Err(failure),
    };
    let id = text(&intent, "/intent/intent_id");
    let step = text(&intent, "/intent/step_intent_id");
    Ok(Asked {
        holder: if step.is_empty() { id.clone() } else { step },
        id,
        intent,
    })
}

fn print_list(answer: &Value, context: &Context) -> Result<(), Failure> {
    let now = context.clock.now();
    let rows = list(answer, "/tasks").iter().map(|task| {
        let outcomes = list(task, "/human_task/allowed_outcomes").iter();
        let outcomes: Vec<String> = outcomes.map(|outcome| text(outcome, "")).collect();
        let holder = match text(task, "/human_task/delegated_to") {
            to if to.is_empty() => text(task, "/human_task/owner_agent"),
            to => to,
        };
        vec![
            text(task, "/intent_id"),
            context.short(&holder),
            text(task, "/human_task/task_type"),
            text(task, "/human_task/title"),
            outcomes.join(" / "),
            context.short(&text(task, "/from_agent")),
            when::until(task, "/due_at", now),
            when::ago(task, "/assigned_at", now),
        ]
    });
    let headings = [
        "intent", "with", "asks for", "title", "outcomes", "from", "due", "age",
    ];
    context
        .out
        .table(&headings, rows.collect(), "nothing waits for a person")
}
