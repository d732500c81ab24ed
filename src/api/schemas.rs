//! Registered schemas, and holding payloads against them at the door.

use std::sync::Arc;

use axum::extract::{Path, State};

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::{Call, Upload};
use crate::broker::registry::Registered;
use crate::broker::request::{AdminCommand, RememberKey};
use crate::domain::payload::Payload;
use crate::wire::body::Body;
use crate::wire::errors::Problem;
use crate::wire::json::Object;
use crate::wire::schemas;

/// `POST /v1/schemas`: registers one, or replaces the one of its type.
pub(super) async fn upsert(State(api): State<Api>, call: Call, Upload(bytes): Upload) -> Result {
    call.caller.must_be_admin()?;
    let body = Body::parse(&bytes)?;
    let owner = call.owner(&api)?;
    let remember = call.remember(|| body.fingerprint(&[]))?;
    let (schema, checker) = schemas::schema(&body, &owner, api.broker().clock().now())?;
    let note = call.note("schema.upsert", &schema.semantic_type, None);
    let command = AdminCommand::PutSchema(Box::new(Registered {
        schema,
        checker: Arc::new(checker),
    }));
    let work = async {
        let receipt = api.broker().administer(command, note).await?;
        let registered = receipt.schema.ok_or_else(Problem::internal)?;
        let object = schemas::object(&registered.schema, false);
        Ok(Answer(Object::ok().object("schema", object)))
    };
    api.inner.replies.once(remember, work).await
}

/// `GET /v1/schemas/{semantic_type}`.
pub(super) async fn show(
    State(api): State<Api>,
    _call: Call,
    Path(semantic_type): Path<String>,
) -> Result {
    let registry = api.broker().registry();
    let registered = registry.schema(&semantic_type).ok_or_else(|| {
        let message = format!("no schema is registered for {semantic_type:?}");
        Problem::new("schema_not_found", message)
    })?;
    let object = schemas::object(&registered.schema, true);
    Ok(Answer(Object::ok().object("schema", object)))
}

/// Holds a payload against the schema of its type, if one is active. Answers with warnings.
///
/// # Errors
/// `payload_schema_mismatch`.
pub(super) fn check(
    api: &Api,
    intent_type: &str,
    payload: &Payload,
) -> Result<Vec<String>, Problem> {
    let registry = api.broker().registry();
    let Some(registered) = registry
        .schema(intent_type)
        .filter(|registered| registered.schema.is_active)
    else {
        return Ok(Vec::new());
    };
    let faults = registered.checker.faults(&payload.to_value());
    if faults.is_empty() {
        return Ok(Vec::new());
    }
    schemas::mismatch(&registered.schema, &faults).map(|warning| vec![warning])
}

/// The same for a request that may be a repeat: what was accepted under its key is answered again,
/// whatever schema has come since.
pub(super) async fn check_new(
    api: &Api,
    remember: Option<&RememberKey>,
    intent_type: &str,
    payload: &Payload,
) -> Result<Vec<String>> {
    let problem = match check(api, intent_type, payload) {
        Ok(warnings) => return Ok(warnings),
        Err(problem) => problem,
    };
    if let Some(key) = remember {
        let (scope, key) = (key.scope.clone(), key.key.clone());
        let known = api
            .broker()
            .read(move |reader| reader.remembered(&scope, &key))
            .await?;
        if known.is_some() {
            return Ok(Vec::new());
        }
    }
    Err(problem.into())
}
