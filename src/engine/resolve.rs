//! Ends: the receiver's answer, and whoever ends an intent by a status.

use std::sync::Arc;

use crate::domain::attempt::AttemptReport;
use crate::domain::fact::{Actor, FactBody};
use crate::domain::failure::DeadReason;
use crate::domain::intent::IntentError;
use crate::domain::payload::{Entries, Payload};
use crate::domain::status::Status;
use crate::domain::task::is_negative;
use crate::engine::command::{Resolve, Resume};
use crate::engine::refusal::Refusal;
use crate::engine::{Draft, capped, dead_letters, inbox};

/// Keys of a resume body that steer and are no part of the result.
const CONTROL_KEYS: [&str; 8] = [
    "approve_current_step",
    "actor",
    "reason",
    "expected_policy_generation",
    "internal_scheduler",
    "attempt_id",
    "task_version",
    "hold_seconds",
];

/// Characters of an unknown action that the refusal repeats.
const ACTION_CHARS_MAX: usize = 64;

/// What a resume body means.
#[derive(Debug, PartialEq)]
enum Meaning {
    Complete(Entries),
    Fail { message: String, details: Entries },
    Progress,
}

pub(super) fn resume(draft: &mut Draft<'_>, resume: &Resume) -> Result<(), Refusal> {
    draft.must_be_open()?;
    must_be_generation(draft, resume.expected_generation)?;
    if let Some(given) = resume.attempt {
        let current = draft.intent.lease().map(|lease| lease.attempt);
        if current != Some(given) {
            return Err(Refusal::StaleAttempt { given, current });
        }
    }
    // An agent that was offered a question may say that it works on it; anything else decides it.
    let is_working = draft.intent.lease().is_some()
        && resume.body.get("action").is_some()
        && meaning(&resume.body)? == Meaning::Progress;
    if draft.intent.open_task().is_some() && !is_working {
        return inbox::decide_by_body(draft, &resume.body, &resume.by, resume.via);
    }
    let attempt = draft.intent.lease().map(|lease| lease.attempt);
    match meaning(&resume.body)? {
        Meaning::Complete(result) => {
            let result = result.payload();
            complete(draft, resume.actor.clone(), result, resume.report.clone());
        }
        Meaning::Fail { message, details } => {
            let details = (!details.is_empty()).then(|| details.payload());
            let error = agent_failed(&message, details);
            fail(
                draft,
                resume.actor.clone(),
                error,
                DeadReason::HandlerFailed,
                resume.report.clone(),
            );
        }
        Meaning::Progress => {
            let lease_until = attempt.map(|_| draft.ctx.now.after(draft.intent.ack_timeout));
            draft.say(
                resume.actor.clone(),
                FactBody::InProgress {
                    attempt,
                    lease_until,
                },
            );
        }
    }
    Ok(())
}

pub(super) fn resolve(draft: &mut Draft<'_>, resolve: &Resolve) -> Result<(), Refusal> {
    draft.must_be_open()?;
    must_be_generation(draft, resolve.expected_generation)?;
    let by = resolve.by.clone();
    match resolve.status {
        Status::Completed => {
            let result = resolve.result.clone().unwrap_or_else(Payload::empty);
            complete(draft, by, result, None);
        }
        Status::Failed => {
            let is_receiver = by == Actor::at(&draft.intent.to);
            let reason = if is_receiver {
                DeadReason::HandlerFailed
            } else {
                DeadReason::Operator
            };
            let error = given_error(resolve.error.as_ref(), resolve.reason.as_deref());
            fail(draft, by, error, reason, None);
        }
        Status::Canceled => {
            let attempt = draft.intent.lease().map(|lease| lease.attempt);
            let reason = resolve.reason.as_deref().map(capped);
            draft.say(by, FactBody::Canceled { attempt, reason });
        }
        other => return Err(Refusal::Terminal { status: other }),
    }
    Ok(())
}

/// Ends it with a result.
pub(super) fn complete(
    draft: &mut Draft<'_>,
    by: Actor,
    result: Payload,
    report: Option<Arc<AttemptReport>>,
) {
    let attempt = draft.intent.lease().map(|lease| lease.attempt);
    draft.say(
        by,
        FactBody::Completed {
            attempt,
            result,
            report,
        },
    );
}

/// Ends it with an error; it becomes a dead letter.
pub(super) fn fail(
    draft: &mut Draft<'_>,
    by: Actor,
    error: IntentError,
    reason: DeadReason,
    report: Option<Arc<AttemptReport>>,
) {
    let attempt = draft.intent.lease().map(|lease| lease.attempt);
    draft.say(
        by,
        FactBody::Failed {
            attempt,
            error,
            report,
        },
    );
    dead_letters::open(draft, reason);
}

pub(super) fn must_be_generation(draft: &Draft<'_>, expected: Option<u32>) -> Result<(), Refusal> {
    let current = draft.intent.policy_generation;
    match expected {
        Some(expected) if expected != current => Err(Refusal::StaleGeneration { current }),
        _ => Ok(()),
    }
}

/// The table of resume bodies: the first row that applies.
///
/// An action that is none of the table's words is refused, whatever stands beside it: the receiver meant
/// to say something, and we do not know what.
fn meaning(body: &Entries) -> Result<Meaning, Refusal> {
    let given = body.get("action").filter(|given| !given.is_null());
    let word = given.and_then(Payload::text);
    if let (Some(given), None) = (given, &word) {
        let action = given.as_str().chars().take(ACTION_CHARS_MAX).collect();
        return Err(Refusal::UnknownAction { action });
    }
    let action = word.map(|word| word.to_ascii_lowercase());
    let others = || {
        let mut others = body.clone();
        others.retain(|key| key != "action" && !is_control(key));
        others
    };
    match action.as_deref() {
        Some("complete" | "completed" | "success" | "done" | "ok" | "approve" | "approved") => {
            return Ok(Meaning::Complete(result_of(body)));
        }
        Some("fail" | "failed" | "error" | "reject" | "rejected") => {
            let message = said(body, "reason").or_else(|| said(body, "message"));
            return Ok(Meaning::Fail {
                message: message.unwrap_or_else(|| "the receiver reported a failure".to_owned()),
                details: others(),
            });
        }
        Some("progress" | "in_progress" | "heartbeat" | "ack" | "working") => {
            return Ok(Meaning::Progress);
        }
        Some(unknown) => {
            return Err(Refusal::UnknownAction {
                action: unknown.chars().take(ACTION_CHARS_MAX).collect(),
            });
        }
        None => {}
    }
    if let Some(outcome) = negative_outcome(body) {
        let message = said(body, "reason").unwrap_or_else(|| format!("outcome {outcome}"));
        let mut details = others();
        details.set("outcome", Payload::of(&outcome.into()));
        return Ok(Meaning::Fail { message, details });
    }
    if body.keys().any(|key| !is_control(key)) {
        return Ok(Meaning::Complete(result_of(body)));
    }
    Ok(Meaning::Progress)
}

fn said(body: &Entries, key: &str) -> Option<String> {
    body.text(key).filter(|text| !text.is_empty())
}

fn negative_outcome(body: &Entries) -> Option<String> {
    if let Some(outcome) = body.text("outcome") {
        let lower = outcome.to_ascii_lowercase();
        let is_no = is_negative(&lower)
            || ["fail", "reject"]
                .iter()
                .any(|start| lower.starts_with(start))
            || lower == "error";
        return is_no.then_some(outcome);
    }
    let approved = body.get("approved").map(Payload::as_str);
    (approved == Some("false")).then(|| "rejected".to_owned())
}

/// Every key but `action`, `result` and the control keys, overlaid by the object `result`.
fn result_of(body: &Entries) -> Entries {
    let mut result = body.clone();
    let inner = result.take("result").filter(|inner| !inner.is_null());
    result.retain(|key| key != "action" && (key == "reason" || !is_control(key)));
    if let Some(inner) = inner {
        match inner.entries() {
            Some(inner) => result.lay_over(inner),
            None => result.set("result", inner),
        }
    }
    result
}

fn is_control(key: &str) -> bool {
    CONTROL_KEYS.contains(&key)
}

fn agent_failed(message: &str, details: Option<Payload>) -> IntentError {
    IntentError {
        code: "agent_failed".to_owned(),
        message: capped(message),
        category: "internal".to_owned(),
        is_retryable: true,
        details,
    }
}

/// The error object of a resolve, filled up where the caller left something out.
fn given_error(error: Option<&Payload>, reason: Option<&str>) -> IntentError {
    let Some(mut object) = error.and_then(Payload::entries) else {
        return agent_failed(reason.unwrap_or("failed"), None);
    };
    let mut take = |key: &str| object.take(key).and_then(|value| value.text());
    let (code, message, category) = (take("code"), take("message"), take("category"));
    let details = (!object.is_empty()).then(|| object.payload());
    IntentError {
        code: code.unwrap_or_else(|| "agent_failed".to_owned()),
        message: capped(
            &message
                .or_else(|| reason.map(str::to_owned))
                .unwrap_or_default(),
        ),
        category: category.unwrap_or_else(|| "internal".to_owned()),
        is_retryable: true,
        details,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Entries {
        Payload::object(text).unwrap().entries().unwrap()
    }

    fn read(text: &str) -> Meaning {
        meaning(&body(text)).unwrap()
    }

    fn completes(text: &str, result: &str) {
        let Meaning::Complete(given) = read(text) else {
            panic!("{text} does not complete")
        };
        assert_eq!(given.payload().as_str(), result, "{text}");
    }

    #[test]
    fn every_row_of_the_resume_table_means_what_it_says() {
        completes(
            r#"{"action":"complete","order_id":"1","status":"captured","actor":"x"}"#,
            r#"{"order_id":"1","status":"captured"}"#,
        );
        completes(
            r#"{"action":"done","reason":"r","result":{"a":1},"a":2}"#,
            r#"{"reason":"r","a":1}"#,
        );
        completes(r#"{"anything":1}"#, r#"{"anything":1}"#);
        completes(
            r#"{"z":12345678901234567890123,"result":{"y":0.10,"a":1e2},"approved":"no","y":7}"#,
            r#"{"z":12345678901234567890123,"approved":"no","y":0.10,"a":1e2}"#,
        );
        completes(r#"{"result":[1.0],"a":1}"#, r#"{"a":1,"result":[1.0]}"#);
        completes(r#"{"outcome":"approved"}"#, r#"{"outcome":"approved"}"#);
        assert!(matches!(read(r#"{"action":"fail","reason":"no stock"}"#),
            Meaning::Fail { message, .. } if message == "no stock"));
        assert!(matches!(
            read(r#"{"outcome":"declined"}"#),
            Meaning::Fail { .. }
        ));
        assert!(matches!(
            read(r#"{"approved":false,"x":1}"#),
            Meaning::Fail { .. }
        ));
        for progress in [
            r#"{"action":"heartbeat","x":1}"#,
            "{}",
            r#"{"actor":"me","reason":"r"}"#,
        ] {
            assert_eq!(read(progress), Meaning::Progress, "{progress}");
        }
    }

    #[test]
    fn an_action_that_is_none_is_refused_whatever_stands_beside_it() {
        for (text, said) in [
            (r#"{"action":"dance"}"#, "dance"),
            (r#"{"action":"Compelte","order_id":"1"}"#, "compelte"),
            (r#"{"action":"","x":1}"#, ""),
            (r#"{"action":7}"#, "7"),
            (r#"{"action":"dance","result":{"a":1}}"#, "dance"),
        ] {
            let action = said.to_owned();
            assert_eq!(
                meaning(&body(text)),
                Err(Refusal::UnknownAction { action }),
                "{text}"
            );
        }
        completes(r#"{"action":null,"a":1}"#, r#"{"a":1}"#);
    }
}
