//! Attempts as operators read them.

use crate::domain::attempt::{Attempt, Excerpt, Timing};
use crate::domain::failure::ErrorClass;
use crate::domain::time::Span;
use crate::wire::json::Object;

/// The attempt object.
#[must_use]
pub fn attempt(attempt: &Attempt, trace_id: Option<&str>) -> Object {
    let report = attempt.report.as_deref();
    Object::new()
        .shown("attempt_id", attempt.id)
        .shown("intent_id", attempt.intent)
        .number("number", attempt.number)
        .shown("agent", &attempt.agent)
        .text("binding", attempt.binding.name())
        .shown("started_at", attempt.started_at)
        .shown_or_null("finished_at", attempt.finished_at)
        .text("outcome", attempt.outcome.name())
        .text_or_null("error_class", attempt.error_class.map(ErrorClass::name))
        .number_or_null("http_status", report.and_then(|report| report.http_status))
        .text_or_null("error", attempt.error.as_deref())
        .number_or_null("latency_ms", attempt.latency().map(Span::as_millis))
        .shown_or_null("next_attempt_at", attempt.next_attempt_at)
        .text_or_null("trace_id", trace_id)
        .with(|object| match report {
            None => object,
            Some(report) => object
                .object("timing", timing(report.timing))
                .text_or_null("remote_addr", report.remote_addr.as_deref())
                .maybe_object("request", report.request.as_ref().map(excerpt))
                .maybe_object("response", report.response.as_ref().map(excerpt))
                .flag("body_too_large", report.is_body_too_large),
        })
}

fn timing(timing: Timing) -> Object {
    Object::new()
        .maybe_number("resolve_ms", timing.resolve_ms)
        .maybe_number("connect_ms", timing.connect_ms)
        .maybe_number("tls_ms", timing.tls_ms)
        .maybe_number("first_byte_ms", timing.first_byte_ms)
        .maybe_number("total_ms", timing.total_ms)
}

fn excerpt(excerpt: &Excerpt) -> Object {
    let headers = excerpt
        .headers
        .iter()
        .fold(Object::new(), |object, (name, value)| {
            object.foreign(name, value)
        });
    Object::new()
        .text("line", &excerpt.line)
        .object("headers", headers)
        .text("body", &excerpt.body)
        .number("bytes", excerpt.bytes)
        .flag("truncated", excerpt.is_truncated)
}
