//! Holds every answer that a test gets against `/openapi.json`: the status, the code of a refusal, and the
//! body, in which no key may stand that the document does not name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use postroom::domain::payload::Payload;
use postroom::engine::schema::Checker;
use serde_json::{Value, json};

use crate::house::house;

pub(crate) struct Document {
    pub(crate) json: Value,
    checkers: Mutex<HashMap<String, Arc<Checker>>>,
}

static DOCUMENT: OnceLock<Document> = OnceLock::new();

/// The document, once it was fetched. Every house fetches it before anything else.
pub(crate) fn remember(json: &Value) {
    DOCUMENT.get_or_init(|| Document {
        json: json.clone(),
        checkers: Mutex::default(),
    });
}

/// Fails when an answer is not as documented. Routes that are not documented are not supported.
pub(crate) fn check(method: &str, path: &str, status: u16, media: &str, body: &str) {
    let Some(document) = DOCUMENT.get() else {
        return;
    };
    let Some(operation) = document.operation(method, path) else {
        return;
    };
    let place = format!("{method} {path} -> {status}");
    let response = &operation["responses"][status.to_string()];
    assert!(response.is_object(), "{place} is not documented: {body}");
    if response.get("content").is_none() {
        assert_eq!(body, "", "{place}");
        return;
    }
    let media = media.split(';').next().unwrap_or_default();
    let content = &response["content"][media];
    assert!(content.is_object(), "{place}: {media} is not documented");
    if media != "application/json" {
        return;
    }
    let body: Value = serde_json::from_str(body).unwrap();
    if let Some(codes) = response["x-postroom-codes"].as_array() {
        let code = &body["error"]["code"];
        assert!(codes.contains(code), "{place}: {code} is not documented");
    }
    let faults = document.checker(&content["schema"]).faults(&body);
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{place}: {told:#?}\n{body:#}");
}

impl Document {
    /// The operation of a path: the template with the most letters of its own.
    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let paths = self.json["paths"].as_object()?;
        let fitting = paths.iter().filter(|(template, _)| fits(template, path));
        let (_, methods) = fitting.max_by_key(|(template, _)| own_letters(template))?;
        methods.get(method.to_ascii_lowercase())
    }

    fn checker(&self, schema: &Value) -> Arc<Checker> {
        let mut checkers = self.checkers.lock().unwrap();
        let known = checkers.entry(schema.to_string());
        let made = known.or_insert_with(|| {
            let mut whole = schema.clone();
            whole["components"] = self.json["components"].clone();
            close(&mut whole);
            Arc::new(Checker::of(&Payload::of(&whole)).unwrap())
        });
        Arc::clone(made)
    }
}

/// Letters that are not in braces.
fn own_letters(template: &str) -> usize {
    let outside = template
        .split('{')
        .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    outside.map(str::len).sum()
}

/// An address may have slashes, every other name is one word.
fn fits(template: &str, path: &str) -> bool {
    let Some((before, rest)) = template.split_once('{') else {
        return template == path;
    };
    let Some((name, after)) = rest.split_once('}') else {
        return false;
    };
    let Some(rest) = path.strip_prefix(before) else {
        return false;
    };
    let ends = rest
        .char_indices()
        .map(|(at, letter)| at + letter.len_utf8());
    ends.map(|end| rest.split_at(end))
        .any(|(word, rest)| (name == "address" || !word.contains('/')) && fits(after, rest))
}

/// Forbids every key that a shape does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object
                .get("properties")
                .is_some_and(|all| all.as_object().is_some_and(|all| !all.is_empty()))
            {
                object.entry("additionalProperties").or_insert(json!(false));
            }
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_one_and_marks_what_is_ours() {
    let house = house().await;
    let document = house.get("/openapi.json", "").await.json();
    assert_eq!(document["openapi"], json!("3.1.0"));
    let ours =
        |path: &str, method: &str| document["paths"][path][method]["x-postroom-extension"].clone();
    assert_eq!(ours("/v1/intents", "post"), json!(false));
    assert_eq!(ours("/v1/intents/batch", "post"), json!(true));
    assert_eq!(ours("/v1/dead-letters", "get"), json!(true));
}

#[test]
fn a_key_that_no_shape_names_is_found() {
    let mut schema = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    close(&mut schema);
    let checker = Checker::of(&Payload::of(&schema)).unwrap();
    assert!(checker.faults(&json!({ "a": "x" })).is_empty());
    assert_eq!(checker.faults(&json!({ "a": "x", "b": 1 })).len(), 1);
}

#[test]
fn a_template_fits_what_it_stands_for() {
    assert!(fits("/v1/intents/{id}/events", "/v1/intents/018f/events"));
    assert!(!fits("/v1/intents/{id}", "/v1/intents/018f/events"));
    assert!(fits(
        "/v1/agents/{address}/intents",
        "/v1/agents/a/b/c/intents"
    ));
    assert!(fits(
        "/v1/agents/{address}/intents/{id}/ack",
        "/v1/agents/a/b/c/intents/018f/ack"
    ));
    assert!(!fits("/v1/agents/{address}", "/v1/agents/"));
}
