//! Reading a create: what is asked for, in lenient spelling and strict values.

use serde_json::json;

use crate::domain::address::{Address, Home};
use crate::domain::excerpt::{SENTENCE_CHARS_MAX, excerpt};
use crate::domain::payload::Payload;
use crate::domain::task::{ReminderPlan, TaskSpec};
use crate::domain::time::{Span, Timestamp};
use crate::wire::body::{Body, Fields};
use crate::wire::errors::Problem;
use crate::wire::tasks;

/// What a create is read against.
#[derive(Debug, Clone)]
pub struct CreateRules<'home> {
    /// Names that complete a bare address.
    pub home: &'home Home,
    /// Most bytes of a payload as compact JSON.
    pub payload_bytes_max: usize,
    /// Whether `from_agent` is honoured.
    pub may_name_sender: bool,
}

/// A create, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Create {
    /// `intent.order.process.v1`.
    pub intent_type: String,
    /// Its receiver.
    pub to: Address,
    /// Its sender, when the caller may say.
    pub from: Option<Address>,
    /// What it carries.
    pub payload: Payload,
    /// A UUID.
    pub correlation_id: Option<String>,
    /// Whose inbox gets the completion.
    pub reply_to: Option<Address>,
    /// When it is too late.
    pub deadline: Option<Timestamp>,
    /// The same, from now.
    pub ttl: Option<Span>,
    /// The budget of attempts.
    pub max_attempts: Option<u32>,
    /// When to remind.
    pub reminders: ReminderPlan,
    /// What a person is asked.
    pub task: Option<Box<TaskSpec>>,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

/// Keys of a create; everything else becomes the payload when there is none.
const KNOWN: [&str; 19] = [
    "correlation_id",
    "deadline_at",
    "escalate_to",
    "from_agent",
    "human_task",
    "idempotency_key",
    "intent_type",
    "max_delivery_attempts",
    "max_reminders",
    "org_id",
    "owner_agent",
    "payload",
    "remind_after_seconds",
    "remind_interval_seconds",
    "reply_to",
    "to_agent",
    "trace_id",
    "ttl_seconds",
    "workspace_id",
];

/// The other spelling that one published client sends.
const CAMEL: [(&str, &str); 15] = [
    ("correlationId", "correlation_id"),
    ("deadlineAt", "deadline_at"),
    ("escalateTo", "escalate_to"),
    ("fromAgent", "from_agent"),
    ("humanTask", "human_task"),
    ("idempotencyKey", "idempotency_key"),
    ("intentType", "intent_type"),
    ("maxDeliveryAttempts", "max_delivery_attempts"),
    ("maxReminders", "max_reminders"),
    ("orgId", "org_id"),
    ("remindAfterSeconds", "remind_after_seconds"),
    ("remindIntervalSeconds", "remind_interval_seconds"),
    ("replyTo", "reply_to"),
    ("toAgent", "to_agent"),
    ("ttlSeconds", "ttl_seconds"),
];

/// Reads a create body.
///
/// # Errors
/// `schema_invalid`, `invalid_agent_address` or `payload_too_large`.
pub fn create(body: &mut Body<'_>, rules: &CreateRules<'_>) -> Result<Create, Problem> {
    for (camel, snake) in CAMEL {
        body.rename(camel, snake);
    }
    let mut warnings = Vec::new();
    let body = &*body;
    let mut fields = Fields::of(body);
    let intent_type = intent_type(&mut fields);
    // Blank is an address problem of its own, so only absence is a missing field.
    let to = if body.get("to_agent").is_some() {
        fields.address("to_agent", rules.home)
    } else {
        fields.wrong("to_agent", "field required", "missing");
        None
    };
    let from = if rules.may_name_sender {
        fields.address("from_agent", rules.home)
    } else {
        None
    };
    let reply_to = fields.address("reply_to", rules.home);
    let correlation_id = correlation(&mut fields);
    let (deadline, ttl) = deadline(&mut fields);
    let max_attempts = fields.count("max_delivery_attempts", 1, u32::MAX);
    let reminders = ReminderPlan {
        after: fields.seconds("remind_after_seconds", 1, i64::MAX / 1000),
        interval: fields.seconds("remind_interval_seconds", 1, i64::MAX / 1000),
        max: fields.count("max_reminders", 1, u32::MAX),
        escalate_to: fields.role("escalate_to", rules.home),
    };
    let payload = payload(body, &mut fields, rules.payload_bytes_max, &mut warnings);
    fields.done()?;
    let intent_type = intent_type.unwrap_or_default();
    let task = match body.get("human_task") {
        None => None,
        Some(value) => {
            let nested = Body::nested("human_task", value)?;
            Some(Box::new(tasks::spec(&nested, &intent_type)?))
        }
    };
    // `done` has reported their absence.
    let (Some(to), Some(payload)) = (to, payload) else {
        return Err(Problem::internal());
    };
    Ok(Create {
        intent_type,
        to,
        from,
        payload,
        correlation_id,
        reply_to,
        deadline,
        ttl,
        max_attempts,
        reminders,
        task,
        warnings,
    })
}

/// SHA-256 of what makes two creates the same: a client draws a new correlation id for an honest retry, the
/// key is the key, and a sender that is not honoured says nothing.
#[must_use]
pub fn fingerprint(body: &Body<'_>, may_name_sender: bool) -> [u8; 32] {
    let leaving_out = ["correlation_id", "idempotency_key", "from_agent"];
    let count = if may_name_sender { 2 } else { 3 };
    body.fingerprint(leaving_out.get(..count).unwrap_or(&leaving_out))
}

/// `^[a-z0-9_]+(\.[a-z0-9_]+)+\.v[0-9]+$`.
#[must_use]
pub fn is_intent_type(text: &str) -> bool {
    let Some((words, version)) = text.rsplit_once('.') else {
        return false;
    };
    let is_version = version.strip_prefix('v').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_version
        && words.contains('.')
        && words.split('.').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        })
}

fn intent_type(fields: &mut Fields<'_, '_>) -> Option<String> {
    let given = fields.required_text("intent_type", 255)?;
    if !is_intent_type(&given) {
        fields.wrong(
            "intent_type",
            format!(
                "{given:?} is not dotted lower-case words with a version, such as intent.order.process.v1"
            ),
            "string",
        );
    }
    Some(given)
}

fn correlation(fields: &mut Fields<'_, '_>) -> Option<String> {
    let text = fields.text("correlation_id", 64)?;
    match uuid::Uuid::try_parse(&text) {
        Ok(id) => Some(id.hyphenated().to_string()),
        Err(_other) => {
            fields.wrong("correlation_id", "must be a UUID", "uuid");
            None
        }
    }
}

/// Whether a deadline has passed is for the engine to say: a repeated create gets its first answer.
fn deadline(fields: &mut Fields<'_, '_>) -> (Option<Timestamp>, Option<Span>) {
    let deadline = fields.instant("deadline_at");
    let ttl = fields.seconds("ttl_seconds", 60, 604_800);
    if deadline.is_some() && ttl.is_some() {
        fields.wrong(
            "ttl_seconds",
            "give either ttl_seconds or deadline_at, not both",
            "value_error",
        );
    }
    (deadline, ttl)
}

fn payload(
    body: &Body<'_>,
    fields: &mut Fields<'_, '_>,
    bytes_max: usize,
    warnings: &mut Vec<String>,
) -> Option<Payload> {
    let payload = if body.get("payload").is_some() {
        fields.object("payload")?
    } else {
        let unknown: Vec<_> = body
            .iter()
            .filter(|(key, _)| KNOWN.binary_search(key).is_err())
            .collect();
        if !unknown.is_empty() {
            let names: Vec<_> = unknown.iter().map(|(key, _)| *key).collect();
            warnings.push(format!(
                "no payload given: the keys {} became the payload",
                excerpt(&names.join(", "), SENTENCE_CHARS_MAX)
            ));
        }
        let mut text = String::from("{");
        for (key, value) in unknown {
            if text.len() > 1 {
                text.push(',');
            }
            crate::wire::json::quote(&mut text, key);
            text.push(':');
            text.push_str(value.get());
        }
        text.push('}');
        Payload::object(&text).unwrap_or_else(|_impossible| Payload::empty())
    };
    if payload.len() > bytes_max {
        fields.refuse(
            Problem::new(
                "payload_too_large",
                format!(
                    "payload has {} bytes as compact JSON, at most {bytes_max} are allowed",
                    payload.len()
                ),
            )
            .with(json!({ "limit": bytes_max, "bytes": payload.len() })),
        );
    }
    Some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Create, Problem> {
        let home = Home::default();
        let rules = CreateRules {
            home: &home,
            payload_bytes_max: 40,
            may_name_sender: false,
        };
        create(&mut Body::parse(text.as_bytes())?, &rules)
    }

    fn code(text: &str) -> String {
        read(text).unwrap_err().code
    }

    #[test]
    fn the_table_of_known_keys_is_sorted_so_that_it_can_be_searched() {
        assert!(KNOWN.is_sorted());
    }

    #[test]
    fn a_create_in_either_spelling_reads_the_same_and_snake_case_wins() {
        let create = read(
            r#"{"intentType":"intent.order.process.v1","toAgent":"orders","to_agent":"billing","payload":{"b":1,"a":2}}"#,
        )
        .unwrap();
        assert_eq!(create.to.to_string(), "agent://local/default/billing");
        assert_eq!(create.payload.as_str(), r#"{"b":1,"a":2}"#);
        assert!(create.warnings.is_empty());
    }

    #[test]
    fn without_payload_the_unknown_keys_become_it_with_a_warning() {
        let create =
            read(r#"{"intent_type":"a.b.v1","to_agent":"o","order_id": "x","org_id":"y"}"#)
                .unwrap();
        assert_eq!(create.payload.as_str(), r#"{"order_id":"x"}"#);
        assert_eq!(create.warnings.len(), 1);
        let bare = read(r#"{"intent_type":"a.b.v1","to_agent":"o"}"#).unwrap();
        assert_eq!((bare.payload.as_str(), bare.warnings.len()), ("{}", 0));
    }

    #[test]
    fn every_kind_of_bad_create_has_its_code() {
        let with = |more: &str| format!(r#"{{"intent_type":"a.b.v1","to_agent":"o",{more}}}"#);
        assert_eq!(code("{}"), "schema_invalid");
        assert_eq!(
            code(r#"{"intent_type":"Order","to_agent":"o"}"#),
            "schema_invalid"
        );
        assert_eq!(
            code(r#"{"intent_type":"a.b.v1","to_agent":"a b"}"#),
            "invalid_agent_address"
        );
        for to in [
            "",
            "  ",
            "ops\\tlead",
            "ops\\u0007",
            "webhook://x",
            "a/b/c/d",
        ] {
            let to = format!(r#""escalate_to":"{to}""#);
            assert_eq!(code(&with(&to)), "invalid_agent_address", "{to}");
        }
        assert_eq!(code(&with(r#""payload":[1]"#)), "schema_invalid");
        assert_eq!(code(&with(r#""correlation_id":"7""#)), "schema_invalid");
        assert_eq!(
            code(&with(
                r#""deadline_at":"2030-01-01T00:00:00Z","ttl_seconds":60"#
            )),
            "schema_invalid"
        );
        assert_eq!(code(&with(r#""ttl_seconds":59"#)), "schema_invalid");
        assert_eq!(
            code(&with(r#""max_delivery_attempts":0"#)),
            "schema_invalid"
        );
        assert_eq!(code(&with(r#""human_task":7"#)), "schema_invalid");
        let large = format!(r#""payload":{{"a":"{}"}}"#, "x".repeat(40));
        assert_eq!(code(&with(&large)), "payload_too_large");
    }

    #[test]
    fn whom_it_is_escalated_to_is_kept_as_it_was_given() {
        let read = |to: &str| {
            read(&format!(
                r#"{{"intent_type":"a.b.v1","to_agent":"o","escalate_to":{to}}}"#
            ))
        };
        for to in ["lead", "on call", "agent://org/ws/lead", "anna@example.com"] {
            let create = read(&format!("\" {to} \"")).unwrap();
            assert_eq!(create.reminders.escalate_to.as_deref(), Some(to));
        }
        assert_eq!(read("null").unwrap().reminders.escalate_to, None);
    }

    #[test]
    fn a_fresh_correlation_id_does_not_make_another_request() {
        let print = |text: &str| fingerprint(&Body::parse(text.as_bytes()).unwrap(), false);
        let one = print(
            r#"{"intent_type":"a.b.v1","to_agent":"o","correlation_id":"0d3e0000-0000-4000-8000-000000000001","from_agent":"x"}"#,
        );
        let other = print(
            r#"{"correlation_id":"0d3e0000-0000-4000-8000-000000000002","to_agent":"o","intent_type":"a.b.v1"}"#,
        );
        assert_eq!(one, other);
    }

    #[test]
    fn intent_types_are_dotted_lower_case_words_with_a_version() {
        for good in ["intent.order.process.v1", "notify.message.v12", "a_1.b.v0"] {
            assert!(is_intent_type(good), "{good}");
        }
        for bad in [
            "", "order", "order.v1", "a.b", "a.b.v", "A.b.v1", "a..v1", "a.b.v1x",
        ] {
            assert!(!is_intent_type(bad), "{bad}");
        }
    }
}
