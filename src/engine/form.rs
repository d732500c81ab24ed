//! Forms: the part of JSON Schema that a person's form needs, and the strings of the command line made fit.
//!
//! Checked: `type`, `required`, `properties`, `additionalProperties: false`, `items`, `enum`, `const`, `minimum`,
//! `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `minLength`, `maxLength`, `minItems`, `maxItems`. Every other
//! word of a schema is left alone.

use serde_json::{Map, Value};

/// Deepest nesting that is looked into.
const DEPTH_MAX: u32 = 32;

/// What is handed in, as the schema wants it: `"true"`, `"false"` and numbers in strings become what they say.
pub(super) fn coerced(schema: &Value, fields: Map<String, Value>) -> Map<String, Value> {
    let coerce = |(key, value): (String, Value)| {
        let wanted = schema.get("properties").and_then(|all| all.get(&key));
        let value = match (&value, wanted) {
            (Value::String(text), Some(wanted)) => read_as(wanted, text).unwrap_or(value),
            _ => value,
        };
        (key, value)
    };
    fields.into_iter().map(coerce).collect()
}

fn read_as(schema: &Value, text: &str) -> Option<Value> {
    if allows(schema, "string") {
        return None;
    }
    let value: Value = serde_json::from_str(text.trim()).ok()?;
    let is_wanted = (value.is_boolean() && allows(schema, "boolean"))
        || (value.is_number() && (allows(schema, "number") || allows(schema, "integer")));
    is_wanted.then_some(value)
}

/// True when the schema names the type.
fn allows(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(many)) => many.iter().any(|one| one == name),
        _ => false,
    }
}

/// What is wrong with a value, each with a JSON pointer to it.
pub(super) fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    check(schema, value, "", 0, &mut problems);
    problems
}

fn check(schema: &Value, value: &Value, at: &str, depth: u32, problems: &mut Vec<String>) {
    if depth > DEPTH_MAX {
        return;
    }
    let place = if at.is_empty() { "/" } else { at };
    let mut wrong = |what: String| problems.push(format!("{place}: {what}"));
    if let Some(wanted) = schema.get("type")
        && !is_of_type(schema, value)
    {
        wrong(format!("must be of type {wanted}"));
        return;
    }
    if let Some(Value::Array(allowed)) = schema.get("enum")
        && !allowed.contains(value)
    {
        wrong(format!("must be one of {}", Value::Array(allowed.clone())));
    }
    if let Some(fixed) = schema.get("const")
        && fixed != value
    {
        wrong(format!("must be {fixed}"));
    }
    for (word, is_broken) in bounds(value) {
        if let Some(bound) = schema.get(word).and_then(Value::as_f64)
            && is_broken(bound)
        {
            wrong(format!("breaks {word} {bound}"));
        }
    }
    match value {
        Value::Object(object) => check_object(schema, object, at, depth, problems),
        Value::Array(items) => {
            if let Some(each) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    let at = format!("{at}/{index}");
                    check(each, item, &at, depth.saturating_add(1), problems);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn check_object(
    schema: &Value,
    object: &Map<String, Value>,
    at: &str,
    depth: u32,
    problems: &mut Vec<String>,
) {
    let required = schema.get("required").and_then(Value::as_array);
    for key in required.into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(key) {
            problems.push(format!("{at}/{key}: is required"));
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (key, value) in object {
        // The outcome and the words with it are in every decision.
        let is_own = matches!(key.as_str(), "outcome" | "comment");
        match properties.and_then(|all| all.get(key)) {
            Some(wanted) => {
                let at = format!("{at}/{key}");
                check(wanted, value, &at, depth.saturating_add(1), problems);
            }
            None if is_closed && !(at.is_empty() && is_own) => {
                problems.push(format!("{at}/{key}: is not part of the form"));
            }
            None => {}
        }
    }
}

fn is_of_type(schema: &Value, value: &Value) -> bool {
    match value {
        Value::Null => allows(schema, "null"),
        Value::Bool(_) => allows(schema, "boolean"),
        Value::String(_) => allows(schema, "string"),
        Value::Array(_) => allows(schema, "array"),
        Value::Object(_) => allows(schema, "object"),
        Value::Number(number) => {
            let is_whole = number.as_f64().is_some_and(|number| number.fract() == 0.0);
            allows(schema, "number") || (is_whole && allows(schema, "integer"))
        }
    }
}

type Bound = (&'static str, Box<dyn Fn(f64) -> bool>);

/// The words that bound a value of this kind, each with when it is broken.
fn bounds(value: &Value) -> Vec<Bound> {
    let between = |low: &'static str, high: &'static str, size: f64| -> Vec<Bound> {
        vec![
            (low, Box::new(move |bound| size < bound)),
            (high, Box::new(move |bound| size > bound)),
        ]
    };
    let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    match value {
        Value::Number(number) => {
            let size = number.as_f64().unwrap_or(f64::NAN);
            let mut all = between("minimum", "maximum", size);
            all.push(("exclusiveMinimum", Box::new(move |bound| size <= bound)));
            all.push(("exclusiveMaximum", Box::new(move |bound| size >= bound)));
            all
        }
        Value::String(text) => between("minLength", "maxLength", count(text.chars().count())),
        Value::Array(items) => between("minItems", "maxItems", count(items.len())),
        Value::Null | Value::Bool(_) | Value::Object(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(fields: Value) -> Vec<String> {
        let schema = json!({ "type": "object", "required": ["amount", "reason"], "properties": {
            "amount": { "type": "integer", "minimum": 1, "maximum": 500 },
            "reason": { "type": "string", "enum": ["late", "damaged"] }, "paid": { "type": "boolean" } } });
        let Value::Object(fields) = fields else {
            panic!("not an object")
        };
        problems(&schema, &Value::Object(coerced(&schema, fields)))
    }

    #[test]
    fn strings_of_the_command_line_are_read_as_the_form_wants_them() {
        assert!(wrong(json!({ "amount": "12", "reason": "late", "paid": "true" })).is_empty());
        assert_eq!(wrong(json!({ "amount": "1.5", "reason": "late" })).len(), 1);
        assert_eq!(wrong(json!({ "amount": "x", "reason": "late" })).len(), 1);
    }

    #[test]
    fn every_problem_is_named_by_its_place() {
        assert_eq!(
            wrong(json!({ "amount": 501, "paid": 1 })),
            [
                "/reason: is required",
                "/amount: breaks maximum 500",
                "/paid: must be of type \"boolean\""
            ]
        );
        assert_eq!(
            wrong(json!({ "amount": 1, "reason": "why" })),
            ["/reason: must be one of [\"late\",\"damaged\"]"]
        );
    }
}
