//! The one error body, and the table from codes to statuses.

use serde_json::{Value, json};

use crate::domain::address::BadAddress;
use crate::domain::excerpt::{SENTENCE_CHARS_MAX, excerpt};
use crate::domain::ids::BadId;
use crate::domain::task::Decision;
use crate::engine::refusal::Refusal;
use crate::wire::json::Object;

/// Why a request brought nothing, as the wire says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The code of the error table.
    pub code: String,
    /// A sentence for people that names the thing.
    pub message: String,
    /// More, an object.
    pub details: Value,
    /// Whole seconds after which trying again makes sense.
    pub retry_after_seconds: Option<u32>,
    /// What is wrong with which field, for `schema_invalid`.
    pub fields: Vec<FieldProblem>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Where: `body` or `query`, then the key.
    pub place: Vec<String>,
    /// What.
    pub message: String,
    /// `missing`, or the name of the expected type.
    pub kind: &'static str,
}

impl Problem {
    /// A problem with this code and sentence; the status is the code's.
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        let status = status_of(code);
        let message: String = message.into();
        Self {
            status,
            code: code.to_owned(),
            message: excerpt(&message, SENTENCE_CHARS_MAX).into_owned(),
            details: Value::Object(serde_json::Map::new()),
            retry_after_seconds: matches!(status, 429 | 503).then_some(1),
            fields: Vec::new(),
        }
    }

    /// The same with details, an object.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// `schema_invalid` for these fields.
    #[must_use]
    pub fn fields(fields: Vec<FieldProblem>) -> Self {
        let sentences: Vec<_> = fields
            .iter()
            .map(|field| match field.place.last() {
                Some(key) if field.place.len() > 1 => format!("{key}: {}", field.message),
                _ => field.message.clone(),
            })
            .collect();
        Self {
            fields,
            ..Self::new("schema_invalid", sentences.join("; "))
        }
    }

    /// `schema_invalid` for one key of `place` (`body` or `query`).
    #[must_use]
    pub fn field(place: &str, key: &str, message: impl Into<String>, kind: &'static str) -> Self {
        Self::fields(vec![FieldProblem {
            place: vec![place.to_owned(), key.to_owned()],
            message: message.into(),
            kind,
        }])
    }

    /// An address that is none.
    #[must_use]
    pub fn address(field: &str, error: &BadAddress) -> Self {
        Self::new("invalid_agent_address", format!("{field}: {error}"))
            .with(json!({ "field": field }))
    }

    /// A fault of ours: the sentence says that it is, the log says what.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            "internal_error",
            "the broker has a fault; its log names it by this response's X-Request-Id",
        )
    }

    /// The error object without its envelope, as batches carry it.
    #[must_use]
    pub fn object(&self) -> Object {
        let details = if self.fields.is_empty() {
            self.details.clone()
        } else {
            json!({ "fields": self.field_list() })
        };
        Object::new()
            .text("code", &self.code)
            .text("message", &self.message)
            .flag("retryable", matches!(self.status, 429 | 503 | 507))
            .value("details", &details)
    }

    /// The body. `is_scenario` keeps `detail` a string, which those clients read.
    #[must_use]
    pub fn body(&self, is_scenario: bool) -> String {
        let body = Object::new()
            .flag("ok", false)
            .object("error", self.object());
        if self.code == "schema_invalid" && !is_scenario {
            let list = if self.fields.is_empty() {
                json!([{ "loc": ["body"], "msg": self.message, "type": "value_error" }])
            } else {
                self.field_list()
            };
            body.value("detail", &list).finish()
        } else {
            body.text("detail", &self.message).finish()
        }
    }

    fn field_list(&self) -> Value {
        self.fields
            .iter()
            .map(|field| {
                let message = excerpt(&field.message, SENTENCE_CHARS_MAX);
                json!({ "loc": field.place, "msg": message, "type": field.kind })
            })
            .collect()
    }
}

/// Every code by the status that goes with it.
pub const CODES: &[(u16, &[&str])] = &[
    (400, &["malformed_json", "owner_mismatch", "bad_cursor"]),
    (
        401,
        &[
            "missing_platform_api_key",
            "invalid_platform_api_key",
            "token_expired",
        ],
    ),
    (403, &["forbidden", "policy_denied"]),
    (
        404,
        &[
            "not_found",
            "intent_not_found",
            "agent_not_found",
            "thread_not_found",
            "approval_not_found",
            "delivery_not_found",
            "dead_letter_not_found",
            "job_not_found",
            "hold_not_found",
            "schema_not_found",
            "subscription_not_found",
            "event_not_found",
            "account_not_found",
            "key_not_found",
        ],
    ),
    (405, &["method_not_allowed"]),
    (
        409,
        &[
            "idempotency_conflict",
            "intent_terminal",
            "already_decided",
            "task_version_stale",
            "task_not_pending",
            "task_ambiguous",
            "lease_not_held",
            "attempt_stale",
            "attempt_in_progress",
            "agent_paused",
            "not_replayable",
            "already_replayed",
            "dead_letter_closed",
            "job_finished",
            "hold_elapsed",
            "schema_incompatible",
            "address_taken",
            "stale_policy_generation",
        ],
    ),
    (410, &["cursor_expired"]),
    (413, &["payload_too_large"]),
    (
        422,
        &[
            "schema_invalid",
            "invalid_agent_address",
            "invalid_deadline",
            "payload_schema_mismatch",
            "bundle_invalid",
            "outcome_not_allowed",
            "comment_required",
            "evidence_required",
            "form_invalid",
            "callback_url_refused",
        ],
    ),
    (429, &["rate_limit_exceeded"]),
    (501, &["not_supported"]),
    (503, &["busy", "not_ready", "not_yet", "shutting_down"]),
    (507, &["storage_low"]),
    (500, &["internal_error"]),
];

/// The status that goes with a code. Unknown codes are faults.
#[must_use]
pub fn status_of(code: &str) -> u16 {
    let found = CODES.iter().find(|(_, codes)| codes.contains(&code));
    found.map_or(500, |(status, _)| *status)
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let details = match refusal {
            Refusal::Unknown(id) | Refusal::Exists(id) | Refusal::NotDeadLetter(id) => {
                json!({ "intent_id": id.to_string() })
            }
            Refusal::Terminal { status } => json!({ "status": status.name() }),
            Refusal::AlreadyDecided(decision) => decided(decision),
            Refusal::StaleVersion {
                seen,
                current,
                decision,
            } => json!({
                "seen": seen, "version": current,
                "decision": decision.as_deref().map(decided),
            }),
            Refusal::OutcomeNotAllowed { allowed, .. } => json!({ "allowed": allowed }),
            Refusal::FormInvalid(errors) => json!({ "errors": errors }),
            Refusal::StaleAttempt { given, current } => json!({
                "attempt_id": given.to_string(),
                "current_attempt_id": current.map(|id| id.to_string()),
            }),
            Refusal::AlreadyReplayed(id) => json!({ "replayed_as": id.to_string() }),
            Refusal::Discarded(reason) => json!({ "discard_reason": reason }),
            Refusal::StaleGeneration { current } => json!({ "policy_generation": current }),
            Refusal::ControlsTooLarge { limit, .. } => json!({ "limit": limit }),
            Refusal::NotYet { until } => json!({ "until": until.map(|at| at.to_string()) }),
            Refusal::DeadlinePast { deadline } => json!({ "deadline_at": deadline.to_string() }),
            Refusal::PolicyDenied {
                denial,
                from,
                to,
                killed,
            } => json!({
                "reason": denial.name(), "from_agent": from.to_string(),
                "to_agent": to.to_string(),
                "killed": killed.as_ref().map(ToString::to_string),
            }),
            Refusal::NoAgent(address) => json!({ "to_agent": address }),
            Refusal::UnknownAction { .. } => {
                return Self::field("body", "action", refusal.to_string(), "string");
            }
            Refusal::NoOpenTask
            | Refusal::CommentRequired
            | Refusal::EvidenceRequired
            | Refusal::NoLease
            | Refusal::AttemptInProgress
            | Refusal::NothingToRetry
            | Refusal::HoldElapsed
            | Refusal::NotReady => json!({}),
        };
        Self::new(refusal.code(), refusal.to_string()).with(details)
    }
}

impl From<BadId> for Problem {
    fn from(error: BadId) -> Self {
        Self::new("not_found", error.to_string())
    }
}

fn decided(decision: &Decision) -> Value {
    json!({
        "by": decision.by.to_string(),
        "via": decision.via.name(),
        "outcome": decision.outcome,
        "comment": decision.comment,
        "at": decision.at.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::status::Status;

    #[test]
    fn the_error_body_has_the_documented_shape_for_every_published_client() {
        let problem = Problem::new(
            "agent_not_found",
            "no agent at agent://local/default/billing",
        )
        .with(json!({ "to_agent": "agent://local/default/billing" }));
        assert_eq!(
            problem.body(false),
            "{\"ok\":false,\"error\":{\"code\":\"agent_not_found\",\"message\":\"no agent at agent://local/default/billing\",\
             \"retryable\":false,\"details\":{\"to_agent\":\"agent://local/default/billing\"}},\
             \"detail\":\"no agent at agent://local/default/billing\"}"
        );
    }

    #[test]
    fn a_schema_problem_lists_its_fields_in_detail_except_for_scenarios() {
        let problem = Problem::field("body", "to_agent", "field required", "missing");
        let body: Value = serde_json::from_str(&problem.body(false)).unwrap();
        assert_eq!(
            body["detail"],
            json!([{ "loc": ["body", "to_agent"], "msg": "field required", "type": "missing" }])
        );
        let body: Value = serde_json::from_str(&problem.body(true)).unwrap();
        assert_eq!(body["detail"], json!("to_agent: field required"));
    }

    #[test]
    fn a_refusal_keeps_its_code_and_says_more_in_details() {
        let problem = Problem::from(&Refusal::Terminal {
            status: Status::Completed,
        });
        assert_eq!(
            (problem.status, problem.code.as_str()),
            (409, "intent_terminal")
        );
        assert_eq!(problem.details, json!({ "status": "COMPLETED" }));
    }
}
