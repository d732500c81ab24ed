//! Questions to people: the `human_task` object, in both directions, and lists of open tasks.

use crate::domain::intent::Intent;
use crate::domain::task::{Task, TaskSpec, TaskType};
use crate::engine::schema::Checker;
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// Reads a `human_task`. A missing title is `intent_type`.
///
/// # Errors
/// `schema_invalid` with every wrong field.
pub fn spec(body: &Body<'_>, intent_type: &str) -> Result<TaskSpec, Problem> {
    let mut fields = Fields::of(body);
    let title = fields.text("title", 255);
    let description = fields.text("description", 2000);
    let task_type = fields.text("task_type", 64);
    let allowed_outcomes = fields.texts("allowed_outcomes", 20, 64);
    let is_comment_required = fields.flag("required_comment");
    let assignees = fields.texts("assignees", 20, 383);
    let is_nobody = |name: &String| name.trim().is_empty() || name.chars().any(char::is_control);
    if assignees.iter().flatten().any(is_nobody) {
        let message = "names must not be blank or have control characters";
        fields.wrong("assignees", message, "string");
    }
    let is_evidence_required = fields.flag("evidence_required");
    let form_schema = fields.object("form_schema");
    if let Some(Err(bad)) = form_schema.as_ref().map(Checker::of) {
        fields.wrong("form_schema", bad.to_string(), "value_error");
    }
    let notify_email = fields.text("notify_email", 383);
    fields.done()?;
    Ok(TaskSpec {
        title: title
            .filter(|title| !title.trim().is_empty())
            .unwrap_or_else(|| intent_type.to_owned()),
        description,
        task_type: task_type.map_or(TaskType::Approval, |name| TaskType::from_name(&name)),
        allowed_outcomes: allowed_outcomes.unwrap_or_default(),
        is_comment_required,
        assignees: assignees.unwrap_or_default(),
        is_evidence_required,
        form_schema,
        notify_email,
    })
}

/// The question as the wire writes it, outcomes filled in.
#[must_use]
pub fn spec_object(spec: &TaskSpec) -> Object {
    let TaskSpec {
        title,
        description,
        task_type,
        allowed_outcomes: _,
        is_comment_required: _,
        assignees,
        is_evidence_required,
        form_schema,
        notify_email,
    } = spec;
    Object::new()
        .text("title", title)
        .maybe_text("description", description.as_deref())
        .text("task_type", task_type.name())
        .texts("allowed_outcomes", spec.outcomes())
        .flag("required_comment", spec.needs_comment())
        .flag("evidence_required", *is_evidence_required)
        .maybe_texts("assignees", assignees)
        .maybe_text("notify_email", notify_email.as_deref())
        .with(|object| match form_schema {
            Some(schema) => object.payload("form_schema", schema),
            None => object,
        })
}

/// A task with its version and, once there is one, its decision.
#[must_use]
pub fn task_object(task: &Task, intent: &Intent) -> Object {
    spec_object(&task.spec)
        .number("version", task.version)
        .shown("owner_agent", &task.owner)
        .shown("opened_at", task.opened_at)
        .maybe_texts(
            "delegates",
            &task
                .delegates
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
        )
        .maybe_text(
            "delegated_to",
            intent
                .handed_to
                .as_deref()
                .filter(|to| *to != task.owner.to_string()),
        )
        .maybe_number("max_reminders", intent.reminders.max)
        .maybe_text("escalate_to", intent.reminders.escalate_to.as_deref())
        .with(|object| match &task.decision {
            None => object,
            Some(decision) => object.object(
                "decision",
                Object::new()
                    .text("outcome", &decision.outcome)
                    .maybe_text("comment", decision.comment.as_deref())
                    .shown("by", &decision.by)
                    .text("via", decision.via.name())
                    .shown("at", decision.at)
                    .number("version", decision.version),
            ),
        })
}

/// An open task in `GET /v1/me/tasks`.
#[must_use]
pub fn open_task(intent: &Intent, task: &Task) -> Object {
    Object::new()
        .shown("intent_id", intent.id)
        .text("intent_type", &intent.intent_type)
        .text("status", intent.status.name())
        .shown("from_agent", &intent.from)
        .shown("assigned_at", task.opened_at)
        .shown_or_null("due_at", intent.task_due_at())
        .object("human_task", task_object(task, intent))
        .shown("thread_id", task.thread)
        .shown_or_null(
            "parent_intent_id",
            intent.step.as_ref().map(|step| step.run),
        )
        .text_or_null(
            "scenario_id",
            intent.step.as_ref().map(|step| step.scenario.as_str()),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_without_title_takes_the_type_and_shows_its_default_outcomes() {
        let body = Body::parse(b"{\"task_type\":\"review\",\"notify_email\":\"a@b.c\"}").unwrap();
        let spec = spec(&body, "intent.refund.v1").unwrap();
        assert_eq!(
            spec_object(&spec).finish(),
            "{\"title\":\"intent.refund.v1\",\"task_type\":\"review\",\
             \"allowed_outcomes\":[\"approved\",\"changes_requested\",\"rejected\"],\
             \"required_comment\":false,\"evidence_required\":false,\"notify_email\":\"a@b.c\"}"
        );
    }

    #[test]
    fn wrong_task_fields_are_named() {
        let body = Body::parse(b"{\"allowed_outcomes\":[],\"required_comment\":1}").unwrap();
        let problem = spec(&body, "x").unwrap_err();
        assert_eq!(problem.fields.len(), 2, "{problem:?}");
        for (name, is_taken) in [
            ("bob", true),
            ("team bob", true),
            (" ", false),
            ("b\\u0007", false),
        ] {
            let text = format!("{{\"assignees\":[\"ada\",\"{name}\"]}}");
            let body = Body::parse(text.as_bytes()).unwrap();
            assert_eq!(spec(&body, "x").is_ok(), is_taken, "{name}");
        }
    }
}
