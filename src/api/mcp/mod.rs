//! `POST /mcp`: the Model Context Protocol over HTTP, for assistants that work with tools.
//!
//! 1. A tool does what its route does, by the route's own handler: the same rights, limits, idempotency, audit.
//! 2. A refusal is an answer of status 200 with a JSON-RPC error; only what is no JSON-RPC at all, such as
//!    too large a body, is refused as HTTP.
//!
//! Not here: sessions and streams of the protocol, which nothing needs: every answer is complete.

mod tools;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::api::Api;
use crate::api::answer::{self, ApiError};
use crate::api::call::{Call, Upload};
use crate::domain::json;
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// What this speaks; clients that ask for another version are answered with this one.
const PROTOCOL: &str = "2024-11-05";

/// Most requests of one batch.
const BATCH_MAX: usize = 50;

const PARSE: i32 = -32700;
const REQUEST: i32 = -32600;
const METHOD: i32 = -32601;
const ARGUMENTS: i32 = -32602;
const KEY: i32 = -32001;
const OWNER: i32 = -32002;
const NOT_ALLOWED: i32 = -32003;
const RATE: i32 = -32004;
const REFUSED: i32 = -32010;

/// A JSON-RPC error.
#[derive(Debug)]
struct Fault {
    code: i32,
    message: String,
    data: Option<Object>,
}

impl Fault {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    fn object(self) -> Object {
        Object::new()
            .number("code", self.code)
            .text("message", &self.message)
            .maybe_object("data", self.data)
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        let code = match (problem.status, problem.code.as_str()) {
            (401, _) => KEY,
            (_, "owner_mismatch") => OWNER,
            (403, _) => NOT_ALLOWED,
            (429, _) => RATE,
            (_, "schema_invalid" | "malformed_json") => ARGUMENTS,
            _ => REFUSED,
        };
        Self {
            code,
            message: problem.message.clone(),
            data: Some(problem.object()),
        }
    }
}

impl From<ApiError> for Fault {
    fn from(ApiError(problem): ApiError) -> Self {
        (*problem).into()
    }
}

/// `POST /mcp`.
pub(super) async fn serve(State(api): State<Api>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    // Some methods need no key, so a bad one is refused only where it matters.
    let call = Call::from_request_parts(&mut parts, &api).await;
    let call = call.map_err(|ApiError(problem)| *problem);
    let request = Request::from_parts(parts, body);
    let bytes = match Upload::from_request(request, &api).await {
        Ok(Upload(bytes)) => bytes,
        Err(error) => return error.into_response(),
    };
    let asked = match read(&bytes) {
        Ok(asked) => asked,
        Err(fault) => return reply(&envelope(&Value::Null, Err(fault)).finish()),
    };
    let Value::Array(batch) = asked else {
        return match one(&api, &call, &asked).await {
            Some(answer) => reply(&answer.finish()),
            None => nothing(),
        };
    };
    if batch.is_empty() || batch.len() > BATCH_MAX {
        let fault = Fault::new(REQUEST, format!("a batch has 1 to {BATCH_MAX} requests"));
        return reply(&envelope(&Value::Null, Err(fault)).finish());
    }
    let mut answers = Vec::new();
    for asked in &batch {
        if let Some(answer) = one(&api, &call, asked).await {
            answers.push(answer.finish());
        }
    }
    if answers.is_empty() {
        return nothing();
    }
    reply(&format!("[{}]", answers.join(",")))
}

/// The body as it was written: a number in it keeps its spelling.
fn read(bytes: &[u8]) -> Result<Value, Fault> {
    let broken = |fault: String| Fault::new(PARSE, format!("body {fault}"));
    let text =
        std::str::from_utf8(bytes).map_err(|error| broken(format!("is not UTF-8: {error}")))?;
    json::read(text).map_err(|fault| broken(format!("is not valid JSON: {fault}")))
}

fn reply(text: &str) -> Response {
    answer::json(StatusCode::OK, text.to_owned())
}

/// Nobody waits for an answer.
fn nothing() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::ACCEPTED;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

fn envelope(id: &Value, result: Result<Object, Fault>) -> Object {
    let object = Object::new().text("jsonrpc", "2.0").value("id", id);
    match result {
        Ok(result) => object.object("result", result),
        Err(fault) => object.object("error", fault.object()),
    }
}

/// The answer to one request; none to a notification.
async fn one(api: &Api, call: &Result<Call, Problem>, asked: &Value) -> Option<Object> {
    let is_version_2 = asked.get("jsonrpc").and_then(Value::as_str) == Some("2.0");
    let id = match asked.get("id") {
        // Notifications tell of the client's state, which is not kept here; so do answers.
        None if is_version_2 => return None,
        Some(id @ (Value::String(_) | Value::Number(_) | Value::Null)) => id,
        _ => &Value::Null,
    };
    if is_version_2 && asked.get("method").is_none() && asked.get("id").is_some_and(Value::is_null)
    {
        return None;
    }
    let method = asked.get("method").and_then(Value::as_str);
    let (true, Some(method)) = (is_version_2, method) else {
        let message = "not a JSON-RPC 2.0 request: it has jsonrpc, id and method";
        return Some(envelope(id, Err(Fault::new(REQUEST, message))));
    };
    let nothing = json!({});
    let params = asked.get("params").unwrap_or(&nothing);
    Some(envelope(id, run(api, call, method, params).await))
}

async fn run(
    api: &Api,
    call: &Result<Call, Problem>,
    method: &str,
    params: &Value,
) -> Result<Object, Fault> {
    match method {
        "initialize" => return Ok(introduction()),
        "ping" => return Ok(Object::new()),
        "tools/list" => return Ok(Object::new().list("tools", tools::list())),
        _ => {}
    }
    let call = call
        .as_ref()
        .map_err(|problem| Fault::from(problem.clone()))?;
    match method {
        "tools/call" => tools::call(api, call, params).await,
        "resources/list" => Ok(Object::new().list("resources", [])),
        "prompts/list" => Ok(Object::new().list("prompts", [])),
        _ => {
            let message = format!("no method {method:?}; hint: tools/list says what can be called");
            Err(Fault::new(METHOD, message))
        }
    }
}

fn introduction() -> Object {
    let server = Object::new()
        .text("name", "postroom")
        .text("version", env!("CARGO_PKG_VERSION"));
    Object::new()
        .text("protocolVersion", PROTOCOL)
        .value("capabilities", &json!({ "tools": {} }))
        .object("serverInfo", server)
}
