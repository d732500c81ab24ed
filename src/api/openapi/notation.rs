//! A short notation for the shapes of objects, and its JSON Schema.
//!
//! Fields stand between commas: `name`, `name?` when it may be left out, `name: type`. A type is `string`
//! (when none is given), `int`, `int(1..500)`, `number`, `bool`, `true`, `any`, `object`, `time`, `uuid`,
//! `[type]`, `{type}` for an object with any keys, the words of an enumeration as `one/other`, or the name of
//! another shape, which begins with a capital. `type|null` may be null.

use serde_json::{Map, Value, json};

/// A field of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<'text> {
    pub(super) name: &'text str,
    pub(super) is_optional: bool,
    kind: &'text str,
}

impl Field<'_> {
    pub(super) fn schema(&self) -> Value {
        of_type(self.kind)
    }
}

/// The fields of a shape.
pub(super) fn fields(shape: &str) -> Vec<Field<'_>> {
    let parts = shape.split(',').map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, kind) = part.split_once(':').unwrap_or((part, "string"));
            let (name, is_optional) = match name.trim().strip_suffix('?') {
                Some(name) => (name, true),
                None => (name.trim(), false),
            };
            Field {
                name,
                is_optional,
                kind: kind.trim(),
            }
        })
        .collect()
}

/// The schema of an object of this shape.
pub(super) fn schema(shape: &str) -> Value {
    let fields = fields(shape);
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.name.to_owned(), field.schema()))
        .collect();
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| !field.is_optional)
        .map(|field| field.name)
        .collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if let (false, Some(object)) = (required.is_empty(), schema.as_object_mut()) {
        object.insert("required".to_owned(), json!(required));
    }
    schema
}

/// A reference to a shape by name.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn of_type(kind: &str) -> Value {
    if let Some(kind) = kind.strip_suffix("|null") {
        return json!({ "anyOf": [of_type(kind), { "type": "null" }] });
    }
    let inside = |open: char, close: char| kind.strip_prefix(open)?.strip_suffix(close);
    if let Some(item) = inside('[', ']') {
        return json!({ "type": "array", "items": of_type(item) });
    }
    if let Some(value) = inside('{', '}') {
        return json!({ "type": "object", "additionalProperties": of_type(value) });
    }
    if let Some(bounds) = kind
        .strip_prefix("int(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let bound = |text: &str| text.parse::<u64>().ok();
        let (min, max) = bounds.split_once("..").unwrap_or((bounds, ""));
        return match (bound(min), bound(max)) {
            (min, Some(max)) => json!({ "type": "integer", "minimum": min, "maximum": max }),
            (min, None) => json!({ "type": "integer", "minimum": min }),
        };
    }
    match kind {
        "int" => json!({ "type": "integer" }),
        "number" => json!({ "type": "number" }),
        "bool" => json!({ "type": "boolean" }),
        "true" => json!({ "type": "boolean", "const": true }),
        "any" => json!({}),
        "object" => json!({ "type": "object" }),
        "time" => json!({ "type": "string", "format": "date-time" }),
        "uuid" => json!({ "type": "string", "format": "uuid" }),
        _ if kind.starts_with(|letter: char| letter.is_ascii_uppercase()) => reference(kind),
        _ if kind.contains('/') => {
            json!({ "type": "string", "enum": kind.split('/').collect::<Vec<_>>() })
        }
        _ => json!({ "type": "string" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_reads_as_the_schema_it_stands_for() {
        let shape = "id: uuid, n?: int(1..9)|null, all: [Thing], by: {int}, kind: one/other, name";
        assert_eq!(
            schema(shape),
            json!({ "type": "object", "required": ["id", "all", "by", "kind", "name"], "properties": {
                "id": { "type": "string", "format": "uuid" },
                "n": { "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 9 }, { "type": "null" }] },
                "all": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" } },
                "by": { "type": "object", "additionalProperties": { "type": "integer" } },
                "kind": { "type": "string", "enum": ["one", "other"] },
                "name": { "type": "string" },
            } })
        );
        assert_eq!(schema(""), json!({ "type": "object", "properties": {} }));
    }
}
