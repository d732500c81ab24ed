//! Answers and problems as HTTP responses.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::api::limits::rate_headers;
use crate::broker::request::BrokerError;
use crate::engine::refusal::Refusal;
use crate::store::error::StoreError;
use crate::wire::errors::Problem;
use crate::wire::json::Object;

/// A success: status 200 and an object.
#[derive(Debug, Clone)]
pub(super) struct Answer(pub(super) Object);

/// What handlers give.
pub(super) type Result<T = Answer, E = ApiError> = std::result::Result<T, E>;

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        json(StatusCode::OK, self.0.finish())
    }
}

/// A problem on its way out.
#[derive(Debug)]
pub(super) struct ApiError(pub(super) Box<Problem>);

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<BrokerError> for ApiError {
    fn from(error: BrokerError) -> Self {
        Self(Box::new(problem_of(&error)))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        problem(&self.0, false)
    }
}

/// The problem that a response tells.
#[derive(Debug, Clone)]
pub(super) struct Said(pub(super) Box<Problem>);

/// The response of a problem. `is_scenario` keeps `detail` a string.
pub(super) fn problem(problem: &Problem, is_scenario: bool) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, problem.body(is_scenario));
    if let Some(seconds) = problem.retry_after_seconds {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
        .extensions_mut()
        .insert(Said(Box::new(problem.clone())));
    if problem.code == "rate_limit_exceeded" {
        rate_headers(response.headers_mut(), problem);
    }
    response
}

pub(super) fn json(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// What the wire says to each way in which a request brings nothing.
pub(super) fn problem_of(error: &BrokerError) -> Problem {
    match error {
        BrokerError::Refused(refusal) => Problem::from(refusal),
        BrokerError::Denied(refusal) => {
            let code = refusal.code();
            Problem::new(code, refusal.to_string())
        }
        BrokerError::KeyConflict => Problem::new("idempotency_conflict", error.to_string()),
        BrokerError::Busy => Problem::new("busy", error.to_string()),
        BrokerError::Stopping => Problem::new("shutting_down", error.to_string()),
        BrokerError::Store(StoreError::BadCursor(_)) => {
            Problem::new("bad_cursor", format!("{error}; hint: start without one"))
        }
        BrokerError::StorageLow(room) => {
            Problem::new("storage_low", error.to_string()).with(json!({
                "reason": if room.is_full { "disk_full" } else { "disk_low" },
                "free_bytes": room.free_bytes,
                "low_bytes": room.low_bytes,
            }))
        }
        BrokerError::StorageFull | BrokerError::Store(StoreError::Full) => {
            Problem::new("not_ready", error.to_string()).with(json!({ "reason": "storage_full" }))
        }
        BrokerError::Store(StoreError::Slow { .. }) => Problem::new(
            "busy",
            format!("{error}; hint: narrow the filter or the page"),
        ),
        BrokerError::Store(fault) => {
            tracing::error!(error = %fault, "store fault");
            Problem::internal()
        }
    }
}

/// The same for a route whose things have a name of their own: an unknown intent is an unknown letter.
pub(super) fn named(error: BrokerError, not_found: &str) -> ApiError {
    match &error {
        BrokerError::Refused(Refusal::Unknown(_) | Refusal::NotDeadLetter(_)) => {
            Problem::new(not_found, error.to_string()).into()
        }
        _ => error.into(),
    }
}
