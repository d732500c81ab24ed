//! Registered schemas: reading one, showing one, and what a payload that does not fit is told.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::domain::address::Address;
use crate::domain::payload::Payload;
use crate::domain::schema::{Schema, SchemaMode, SchemaScope};
use crate::domain::time::Timestamp;
use crate::engine::schema::{Checker, Fault};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// Reads a schema and makes it ready.
///
/// # Errors
/// `schema_invalid` with every wrong field; a schema that is none is one.
pub fn schema(
    body: &Body<'_>,
    owner: &Address,
    now: Timestamp,
) -> Result<(Schema, Checker), Problem> {
    let mut fields = Fields::of(body);
    let semantic_type = fields.required_text("semantic_type", 255);
    if semantic_type
        .as_deref()
        .is_some_and(|name| !name.bytes().all(is_plain))
    {
        let message = "may have letters, digits, dots, dashes, underscores and colons only";
        fields.wrong("semantic_type", message, "string");
    }
    let reference = fields.text("schema_ref", 512);
    if body.get("schema_json").is_none() {
        fields.wrong("schema_json", "field required", "missing");
    }
    let json = fields.object("schema_json");
    let checker = json.as_ref().map(Checker::of);
    if let Some(Err(bad)) = &checker {
        fields.wrong("schema_json", bad.to_string(), "value_error");
    }
    let mode = one_of(
        &mut fields,
        ("compatibility_mode", SchemaMode::from_name),
        &SchemaMode::ALL.map(SchemaMode::name),
    );
    if body.get("compatibility_mode").is_none() {
        fields.wrong("compatibility_mode", "field required", "missing");
    }
    let scope = one_of(
        &mut fields,
        ("scope", SchemaScope::from_name),
        &SchemaScope::ALL.map(SchemaScope::name),
    );
    let is_active = fields.maybe_flag("active").unwrap_or(true);
    fields.done()?;
    // `done` has reported their absence.
    let (Some(semantic_type), Some(json), Some(Ok(checker)), Some(mode)) =
        (semantic_type, json, checker, mode)
    else {
        return Err(Problem::internal());
    };
    let schema = Schema {
        semantic_type,
        reference,
        hash: hash(&json),
        json,
        mode,
        scope: scope.unwrap_or(SchemaScope::Tenant),
        owner: owner.clone(),
        is_active,
        created_at: now,
        updated_at: now,
    };
    Ok((schema, checker))
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':')
}

fn one_of<T>(
    fields: &mut Fields<'_, '_>,
    (key, read): (&str, fn(&str) -> Option<T>),
    names: &[&str],
) -> Option<T> {
    let text = fields.text(key, 64)?;
    let found = read(&text);
    if found.is_none() {
        fields.wrong(key, format!("must be one of {}", names.join(", ")), "enum");
    }
    found
}

/// SHA-256 of the canonical form: keys sorted, no white space.
fn hash(json: &Payload) -> String {
    // Objects of this library keep their keys sorted.
    let digest = Sha256::digest(json.to_value().to_string().as_bytes());
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

/// A schema as the wire shows it; the JSON Schema itself only where one was asked for.
#[must_use]
pub fn object(schema: &Schema, is_whole: bool) -> Object {
    let Schema {
        semantic_type,
        reference,
        hash,
        json,
        mode,
        scope,
        owner,
        is_active,
        created_at,
        updated_at,
    } = schema;
    Object::new()
        .text("semantic_type", semantic_type)
        .text_or_null("schema_ref", reference.as_deref())
        .text("schema_hash", hash)
        .text("compatibility_mode", mode.name())
        .text("scope", scope.name())
        .shown("owner_agent", owner)
        .flag("active", *is_active)
        .shown("created_at", created_at)
        .shown("updated_at", updated_at)
        .with(|object| {
            if is_whole {
                object.payload("schema_json", json)
            } else {
                object
            }
        })
}

/// What a payload that does not fit comes to: a warning, or the refusal.
///
/// # Errors
/// `payload_schema_mismatch` with JSON pointers, unless the schema only warns.
pub fn mismatch(schema: &Schema, faults: &[Fault]) -> Result<String, Problem> {
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let message = format!(
        "payload does not fit the schema of {}: {}",
        schema.semantic_type,
        told.join("; ")
    );
    if schema.mode == SchemaMode::Warn {
        return Ok(message);
    }
    let errors: Vec<Value> = faults
        .iter()
        .map(|fault| {
            json!({ "pointer": fault.pointer, "keyword": fault.keyword, "message": fault.message })
        })
        .collect();
    Err(
        Problem::new("payload_schema_mismatch", message).with(json!({
            "semantic_type": schema.semantic_type, "schema_hash": schema.hash, "errors": errors,
        })),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Schema, Checker), Problem> {
        let owner = Address::trusted("local/default/operator");
        let body = Body::parse(text.as_bytes())?;
        schema(&body, &owner, Timestamp::from_millis(0))
    }

    #[test]
    fn the_hash_is_that_of_the_canonical_form() {
        let one = read(
            r#"{"semantic_type":"a.b.v1","compatibility_mode":"strict","schema_json":{ "type":"object", "required":["a"] }}"#,
        );
        let other = read(
            r#"{"semantic_type":"a.b.v1","compatibility_mode":"warn","schema_json":{"required":["a"],"type":"object"}}"#,
        );
        // printf '{"required":["a"],"type":"object"}' | sha256sum
        let expected = "adbf9998321db5c71a5ad58f9e2c5c602c6fcf454635e9e915559cad325a3b00";
        let (one, other) = (one.unwrap().0.hash, other.unwrap().0.hash);
        assert_eq!(one, other);
        assert_eq!(one, expected);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let problem = read(r#"{"schema_json":{"type":1},"compatibility_mode":"x","scope":"y"}"#);
        let problem = problem.unwrap_err();
        assert_eq!(problem.code, "schema_invalid");
        let named: Vec<_> = problem
            .fields
            .iter()
            .filter_map(|field| field.place.last().cloned())
            .collect();
        assert_eq!(
            named,
            [
                "semantic_type",
                "schema_json",
                "compatibility_mode",
                "scope"
            ]
        );
    }
}
