//! Forms: the strings of the command line made fit, and what a form leaves open closed.

use serde_json::{Map, Value};

use crate::domain::payload::Payload;
use crate::engine::schema::Checker;

/// A filled-in form with the outcome and the words in it, as a decision keeps it.
///
/// # Errors
/// What is wrong with it, each with a JSON pointer to it.
pub fn fill(
    schema: &Payload,
    outcome: &str,
    comment: Option<&str>,
    data: Option<&Payload>,
) -> Result<Payload, Vec<String>> {
    let declared = schema.to_value();
    let mut fields = match data.map(Payload::to_value) {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    fields.insert("outcome".to_owned(), Value::String(outcome.to_owned()));
    if let Some(comment) = comment {
        fields.insert("comment".to_owned(), Value::String(comment.to_owned()));
    }
    let wants_approved = declared.pointer("/properties/approved").is_some();
    if wants_approved && !fields.contains_key("approved") {
        fields.insert("approved".to_owned(), Value::Bool(true));
    }
    let fields = coerced(&declared, fields);
    let problems = problems(schema, &fields);
    if problems.is_empty() {
        Ok(Payload::of(&Value::Object(fields)))
    } else {
        Err(problems)
    }
}

/// What is handed in, as the schema wants it: `"true"`, `"false"` and numbers in strings become what they say.
fn coerced(schema: &Value, fields: Map<String, Value>) -> Map<String, Value> {
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

/// What is wrong with a value, each with a JSON pointer to it. A schema that is none lets nothing through.
fn problems(schema: &Payload, fields: &Map<String, Value>) -> Vec<String> {
    let checker = match Checker::of(schema) {
        Ok(checker) => checker,
        Err(bad) => return vec![format!("/: the form {bad}")],
    };
    let mut fields = fields.clone();
    let declared = schema.to_value();
    let is_declared =
        |key: &str| matches!(declared.get("properties"), Some(all) if all.get(key).is_some());
    if declared.get("additionalProperties").is_some() {
        // The outcome, the words with it and the evidence are asked for by the task; a closed form need not
        // name them.
        let is_the_tasks = |key: &str| matches!(key, "outcome" | "comment" | "evidence");
        fields.retain(|key, _| !is_the_tasks(key) || is_declared(key));
    }
    let faults = checker.faults(&Value::Object(fields));
    faults.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(fields: Value) -> Vec<String> {
        let schema = json!({ "type": "object", "required": ["amount", "reason"],
            "additionalProperties": false, "properties": {
            "amount": { "type": "integer", "minimum": 1, "maximum": 500 },
            "reason": { "type": "string", "enum": ["late", "damaged"] }, "paid": { "type": "boolean" } } });
        let Value::Object(fields) = fields else {
            panic!("not an object")
        };
        problems(&Payload::of(&schema), &coerced(&schema, fields))
    }

    #[test]
    fn strings_of_the_command_line_are_read_as_the_form_wants_them() {
        assert!(wrong(json!({ "amount": "12", "reason": "late", "paid": "true" })).is_empty());
        assert_eq!(wrong(json!({ "amount": "1.5", "reason": "late" })).len(), 1);
        assert_eq!(wrong(json!({ "amount": "x", "reason": "late" })).len(), 1);
    }

    #[test]
    fn every_problem_is_named_by_its_place() {
        let mut found = wrong(json!({ "amount": 501, "paid": 1 }));
        found.sort();
        assert_eq!(
            found,
            [
                "/amount: value is greater than the maximum of 500",
                "/paid: value is not of type \"boolean\"",
                "/reason: is required",
            ]
        );
    }

    #[test]
    fn a_closed_form_takes_what_the_task_asks_for_itself_and_nothing_else() {
        let filled = json!({ "amount": 1, "reason": "late", "outcome": "submitted", "comment": "ok", "evidence": "ticket 7" });
        assert!(wrong(filled).is_empty());
        assert_eq!(
            wrong(json!({ "amount": 1, "reason": "late", "more": 1 })).len(),
            1
        );
    }
}
