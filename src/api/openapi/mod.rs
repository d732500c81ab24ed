//! `GET /openapi.json`: the contract as an OpenAPI 3.1 document, made from one table of operations.
//!
//! 1. Every route and method of the router has its row, and no row is without a route.
//! 2. Every answer of the door fits its row: status, code of an error, and every key of a body.
//!
//! Both hold by test: `tests/api/roles.rs` asks the router what it allows, and `tests/api/house.rs` holds
//! each answer that any test gets against the document. Not here: what the routes do (their handlers).

mod notation;
mod operations;
mod shapes;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use self::operations::{Content, Operation};
use crate::api::answer;
use crate::wire::errors::status_of;

/// It never changes while the program runs.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// `GET /openapi.json`.
pub(super) async fn show() -> Response {
    answer::json(StatusCode::OK, DOCUMENT.clone())
}

fn document() -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations::all() {
        let path = paths.entry(operation.path).or_default();
        path.insert(operation.method.to_ascii_lowercase(), describe(operation));
    }
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Postroom",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Reliable delivery of intents between services and people",
            "description": "Compatible with the AXME HTTP API; what is marked x-postroom-extension is Postroom's own. \
                Unknown keys of bodies and queries are ignored. Any request may name a trace with X-Trace-Id.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "key": [] }, { "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": shapes::schemas(),
            "securitySchemes": {
                "key": { "type": "apiKey", "in": "header", "name": "x-api-key" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

fn describe(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": id(operation),
        "summary": operation.summary,
        "tags": [tag(operation)],
        "parameters": parameters(operation),
        "responses": responses(operation),
        "x-postroom-extension": operation.is_extension,
        "x-postroom-roles": operation.roles(),
    });
    let Some(object) = described.as_object_mut() else {
        return described;
    };
    if operation.is_open {
        object.insert("security".to_owned(), json!([]));
    }
    if operation.takes_body() {
        let schema = match operation.body {
            "" => json!({ "type": "object" }),
            shape => notation::schema(shape),
        };
        let media = match operation.content {
            Content::Page => "application/x-www-form-urlencoded",
            _ => "application/json",
        };
        let body = json!({ "required": false, "content": { media: { "schema": schema } } });
        object.insert("requestBody".to_owned(), body);
    }
    described
}

/// `get_v1_intents_id`.
fn id(operation: &Operation) -> String {
    let words = operation
        .path
        .split(|letter: char| !letter.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    std::iter::once(operation.method.to_ascii_lowercase())
        .chain(words.map(str::to_owned))
        .collect::<Vec<_>>()
        .join("_")
}

fn tag(operation: &Operation) -> &str {
    if matches!(operation.content, Content::Nothing) {
        return "not-supported";
    }
    let path = operation.path.strip_prefix("/v1/").unwrap_or("broker");
    path.split('/').next().unwrap_or(path)
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let in_path = operation.path.split('/').filter_map(|word| {
        let name = word.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }))
    });
    let in_query = notation::fields(operation.query).into_iter().map(|field| {
        json!({ "name": field.name, "in": "query", "required": false, "schema": field.schema() })
    });
    let mut all: Vec<Value> = in_path.chain(in_query).collect();
    if operation.is_repeatable() {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 255 });
        all.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false, "schema": schema,
            "description": "The same request under the same key is answered as the first time; nothing is done twice",
        }));
    }
    all
}

fn responses(operation: &Operation) -> Map<String, Value> {
    let mut all = Map::new();
    if let Some((status, content)) = success(operation) {
        all.insert(status.to_owned(), content);
    }
    if matches!(operation.content, Content::Rpc) {
        all.insert("202".to_owned(), json!({ "description": "A notification" }));
    }
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in operation.codes() {
        by_status.entry(status_of(code)).or_default().push(code);
    }
    for (status, codes) in by_status {
        let mut response = json!({
            "description": codes.join(", "),
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            "x-postroom-codes": codes,
        });
        let retry = json!({ "Retry-After": { "description": "whole seconds", "schema": { "type": "integer" } } });
        if let (429 | 503, Some(object)) = (status, response.as_object_mut()) {
            object.insert("headers".to_owned(), retry);
        }
        all.insert(status.to_string(), response);
    }
    for status in operation.page_refusals() {
        let response = all
            .entry(status.to_string())
            .or_insert_with(|| json!({ "description": "A page that says why", "content": {} }));
        if let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) {
            content.insert("text/html".to_owned(), page());
        }
    }
    all
}

fn page() -> Value {
    json!({ "schema": { "type": "string" } })
}

fn success(operation: &Operation) -> Option<(&'static str, Value)> {
    let (media, schema) = match operation.content {
        Content::Nothing => return None,
        Content::Object(shape) => {
            let shape = format!("ok: true, {shape}");
            ("application/json", notation::schema(&shape))
        }
        Content::Whole(name) => ("application/json", notation::reference(name)),
        Content::Stream => ("text/event-stream", notation::reference("Frame")),
        Content::Rpc => ("application/json", json!({})),
        Content::Page => ("text/html", json!({ "type": "string" })),
        Content::Text => ("text/plain", json!({ "type": "string" })),
    };
    let response = json!({ "description": "Done", "content": { media: { "schema": schema } } });
    Some(("200", response))
}
