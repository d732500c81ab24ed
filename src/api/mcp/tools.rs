//! The tools: what each takes, and the route whose work it does.

use axum::extract::{Path, State};
use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value, json};

use super::{ARGUMENTS, Fault, OWNER};
use crate::api::answer::{Answer, Result as Answered};
use crate::api::call::{Call, Upload};
use crate::api::{Api, dead_letters, inbox, intents, submit};
use crate::domain::payload::Payload;
use crate::engine::schema::Checker;
use crate::wire::json::Object;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    SendIntent,
    GetIntent,
    ListInbox,
    Reply,
    Approve,
    Reject,
    ListDeadLetters,
    Replay,
}

struct Tool {
    name: &'static str,
    does: Does,
    description: &'static str,
    /// The arguments with their types; a required one has a star.
    takes: &'static [(&'static str, &'static str)],
}

const TEXT: &str = "string";

#[rustfmt::skip]
const TOOLS: &[Tool] = &[
    Tool { name: "axme.send_intent", does: Does::SendIntent,
        description: "Send an intent: a unit of work that is delivered to its receiver until that has answered",
        takes: &[("intent_type*", TEXT), ("to_agent*", TEXT), ("payload*", "object"), ("correlation_id", TEXT), ("reply_to", TEXT),
            ("deadline_at", TEXT), ("max_delivery_attempts", "integer"), ("human_task", "object")] },
    Tool { name: "axme.get_intent", does: Does::GetIntent, description: "An intent: its status, its result or error, who has to act",
        takes: &[("intent_id*", TEXT)] },
    Tool { name: "axme.list_inbox", does: Does::ListInbox, description: "Threads of an inbox: questions to people, and completions",
        takes: &[("status", TEXT), ("limit", "integer")] },
    Tool { name: "axme.reply", does: Does::Reply, description: "Say something in a thread", takes: &[("thread_id*", TEXT), ("message*", TEXT)] },
    Tool { name: "axme.approve", does: Does::Approve, description: "Decide a question with yes; thread_id may be the intent's id",
        takes: &[("thread_id*", TEXT), ("comment", TEXT)] },
    Tool { name: "axme.reject", does: Does::Reject, description: "Decide a question with no; thread_id may be the intent's id",
        takes: &[("thread_id*", TEXT), ("comment", TEXT)] },
    Tool { name: "axme.list_dead_letters", does: Does::ListDeadLetters, description: "Intents that were given up, newest first, each with its reason",
        takes: &[("agent", TEXT), ("reason", TEXT), ("limit", "integer")] },
    Tool { name: "axme.replay", does: Does::Replay, description: "Replay a dead letter as a new intent, with another payload or receiver if given",
        takes: &[("intent_id*", TEXT), ("payload", "object"), ("to_agent", TEXT)] },
];

impl Tool {
    fn schema(&self) -> Value {
        let also = [("owner_agent", TEXT), ("idempotency_key", TEXT)];
        let all = self.takes.iter().copied().chain(also);
        let properties: Map<String, Value> = all
            .map(|(name, kind)| {
                (
                    name.trim_end_matches('*').to_owned(),
                    json!({ "type": kind }),
                )
            })
            .collect();
        let required: Vec<&str> = self
            .takes
            .iter()
            .filter_map(|(name, _)| name.strip_suffix('*'))
            .collect();
        json!({ "type": "object", "properties": properties, "required": required })
    }
}

/// The tools as `tools/list` shows them.
pub(super) fn list() -> Vec<Object> {
    TOOLS
        .iter()
        .map(|tool| {
            Object::new()
                .text("name", tool.name)
                .text("description", tool.description)
                .value("inputSchema", &tool.schema())
        })
        .collect()
}

/// `tools/call`.
pub(super) async fn call(api: &Api, call: &Call, params: &Value) -> Result<Object, Fault> {
    let name = params
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let tool = TOOLS.iter().find(|tool| tool.name == name).ok_or_else(|| {
        Fault::new(
            ARGUMENTS,
            format!("no tool {name:?}; hint: tools/list names them"),
        )
    })?;
    let mut arguments = match params.get("arguments") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(arguments)) => arguments.clone(),
        Some(_) => return Err(Fault::new(ARGUMENTS, "arguments must be an object")),
    };
    // Clients write down what they leave out.
    arguments.retain(|_, value| !value.is_null());
    check(tool, &arguments)?;
    let word = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    let beside = word(params.get("owner_agent").cloned());
    let owner = match (word(arguments.remove("owner_agent")), beside) {
        (Some(inside), Some(beside)) if inside != beside => {
            let message =
                format!("owner_agent is {inside:?} in the arguments and {beside:?} beside them");
            return Err(Fault::new(OWNER, message));
        }
        (inside, beside) => inside.or(beside),
    };
    let key = word(arguments.remove("idempotency_key"));
    let call = Prepared { call, owner, key };
    let shown = match &call.owner {
        Some(owner) => owner.clone(),
        None => call.call.caller.address.to_string(),
    };
    let Answer(data) = run(api, tool.does, &call, arguments).await?;
    let data = data.finish();
    let content = Object::new().text("type", "text").text("text", &data);
    Ok(Object::ok()
        .text("tool", tool.name)
        .text("status", "ok")
        .text("owner_agent", &shown)
        .raw("data", &data)
        .list("content", [content])
        .flag("isError", false))
}

fn check(tool: &Tool, arguments: &Map<String, Value>) -> Result<(), Fault> {
    let Ok(checker) = Checker::of(&Payload::of(&tool.schema())) else {
        return Ok(());
    };
    let faults = checker.faults(&Value::Object(arguments.clone()));
    if faults.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let message = format!("arguments of {}: {}", tool.name, told.join("; "));
    Err(Fault::new(ARGUMENTS, message))
}

/// Who calls, for whom, and under which idempotency key.
struct Prepared<'call> {
    call: &'call Call,
    owner: Option<String>,
    key: Option<String>,
}

impl Prepared<'_> {
    /// The call of a route by the same caller.
    fn of(
        &self,
        api: &Api,
        method: Method,
        path: String,
        mut query: Vec<(String, String)>,
    ) -> Call {
        query.extend(
            self.owner
                .clone()
                .map(|owner| ("owner_agent".to_owned(), owner)),
        );
        self.call
            .instead(api, method, path, query, self.key.as_deref())
    }
}

async fn run(
    api: &Api,
    does: Does,
    call: &Prepared<'_>,
    mut arguments: Map<String, Value>,
) -> Answered {
    let id = arguments
        .get("thread_id")
        .or_else(|| arguments.get("intent_id"));
    let id = id.and_then(Value::as_str).unwrap_or_default().to_owned();
    let state = State(api.clone());
    match does {
        Does::GetIntent | Does::ListInbox | Does::ListDeadLetters => {
            let path = match does {
                Does::GetIntent => format!("/v1/intents/{id}"),
                Does::ListInbox => "/v1/inbox".to_owned(),
                _ => "/v1/dead-letters".to_owned(),
            };
            let call = call.of(api, Method::GET, path, query(arguments));
            match does {
                Does::GetIntent => intents::show(state, call, Path(id)).await,
                Does::ListInbox => inbox::list(state, call).await,
                _ => dead_letters::list(state, call).await,
            }
        }
        Does::SendIntent | Does::Reply | Does::Approve | Does::Reject | Does::Replay => {
            let path = match does {
                Does::SendIntent => "/v1/intents".to_owned(),
                Does::Reply => format!("/v1/inbox/{id}/reply"),
                Does::Approve => format!("/v1/inbox/{id}/approve"),
                Does::Reject => format!("/v1/inbox/{id}/reject"),
                _ => format!("/v1/dead-letters/{id}/replay"),
            };
            arguments.remove("thread_id");
            arguments.remove("intent_id");
            let call = call.of(api, Method::POST, path, Vec::new());
            let body = Upload(Bytes::from(Value::Object(arguments).to_string()));
            match does {
                Does::SendIntent => submit::create(state, call, body).await,
                Does::Reply => inbox::reply(state, call, Path(id), body).await,
                Does::Approve => inbox::approve(state, call, Path(id), body).await,
                Does::Reject => inbox::reject(state, call, Path(id), body).await,
                _ => dead_letters::replay(state, call, Path(id), body).await,
            }
        }
    }
}

/// Arguments as the query of a route.
fn query(arguments: Map<String, Value>) -> Vec<(String, String)> {
    let word = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    arguments
        .into_iter()
        .map(|(key, value)| (key, word(value)))
        .collect()
}
