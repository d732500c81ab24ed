//! Forms: the strings of the command line made fit, and what a form leaves open closed.

use serde_json::Value;

use crate::domain::json;
use crate::domain::payload::{Entries, Payload};
use crate::domain::task::TaskSpec;
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
    let mut fields = data.and_then(Payload::entries).unwrap_or_default();
    fields.set("outcome", Payload::of(&outcome.into()));
    if let Some(comment) = comment {
        fields.set("comment", Payload::of(&comment.into()));
    }
    let wants_approved = declared.pointer("/properties/approved").is_some();
    if wants_approved && fields.get("approved").is_none() {
        fields.set("approved", Payload::of(&Value::Bool(true)));
    }
    coerce(&declared, &mut fields);
    let filled = fields.payload();
    let problems = problems(schema, &filled);
    if problems.is_empty() {
        Ok(filled)
    } else {
        Err(problems)
    }
}

/// True when the form of a task has a field of this name.
pub(super) fn asks_for(spec: &TaskSpec, name: &str) -> bool {
    let declared = spec.form_schema.as_ref().map(Payload::to_value);
    let fields = declared.as_ref().and_then(|form| form.get("properties"));
    fields.is_some_and(|fields| fields.get(name).is_some())
}

/// Makes what is handed in what the schema wants: `"true"`, `"false"` and numbers in strings become what they say.
fn coerce(schema: &Value, fields: &mut Entries) {
    for (key, value) in fields.iter_mut() {
        let wanted = schema.get("properties").and_then(|all| all.get(key));
        let read = wanted.and_then(|wanted| read_as(wanted, &value.text()?));
        if let Some(read) = read {
            *value = read;
        }
    }
}

fn read_as(schema: &Value, text: &str) -> Option<Payload> {
    if allows(schema, "string") {
        return None;
    }
    let value = json::read(text.trim()).ok()?;
    let is_wanted = (value.is_boolean() && allows(schema, "boolean"))
        || (value.is_number() && (allows(schema, "number") || allows(schema, "integer")));
    let spelled = is_wanted.then(|| Payload::any(text).ok());
    spelled.flatten()
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
fn problems(schema: &Payload, filled: &Payload) -> Vec<String> {
    let checker = match Checker::of(schema) {
        Ok(checker) => checker,
        Err(bad) => return vec![format!("/: the form {bad}")],
    };
    let Value::Object(mut fields) = filled.to_value() else {
        return vec!["/: is not an object".to_owned()];
    };
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

    fn wrong(fields: &Value) -> Vec<String> {
        let schema = json!({ "type": "object", "required": ["amount", "reason"],
            "additionalProperties": false, "properties": {
            "amount": { "type": "integer", "minimum": 1, "maximum": 500 },
            "reason": { "type": "string", "enum": ["late", "damaged"] }, "paid": { "type": "boolean" } } });
        let mut fields = Payload::of(fields).entries().unwrap();
        coerce(&schema, &mut fields);
        problems(&Payload::of(&schema), &fields.payload())
    }

    #[test]
    fn strings_of_the_command_line_are_read_as_the_form_wants_them() {
        assert!(wrong(&json!({ "amount": "12", "reason": "late", "paid": "true" })).is_empty());
        assert_eq!(
            wrong(&json!({ "amount": "1.5", "reason": "late" })).len(),
            1
        );
        assert_eq!(wrong(&json!({ "amount": "x", "reason": "late" })).len(), 1);
        // It would be a number that is null to whoever counts with it.
        let infinite = wrong(&json!({ "amount": "1e400", "reason": "late" }));
        assert_eq!(infinite.len(), 1, "{infinite:?}");
        assert!(infinite[0].contains("not of type"), "{infinite:?}");
    }

    #[test]
    fn numbers_stay_as_they_were_written_also_out_of_a_string() {
        let schema = json!({ "type": "object", "properties": { "sum": { "type": "number" } } });
        let data = Payload::any(r#"{"sum":" 0.10000000000000000001 ","raw":1.50e1}"#).unwrap();
        let filled = fill(&Payload::of(&schema), "submitted", None, Some(&data)).unwrap();
        assert_eq!(
            filled.as_str(),
            r#"{"sum":0.10000000000000000001,"raw":1.50e1,"outcome":"submitted"}"#
        );
    }

    #[test]
    fn every_problem_is_named_by_its_place() {
        let mut found = wrong(&json!({ "amount": 501, "paid": 1 }));
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
        assert!(wrong(&filled).is_empty());
        assert_eq!(
            wrong(&json!({ "amount": 1, "reason": "late", "more": 1 })).len(),
            1
        );
    }
}
