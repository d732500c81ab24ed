//! What an answer means.

use http::header::{HeaderMap, LOCATION, RETRY_AFTER};
use http::status::StatusCode;
use serde_json::Value;

use crate::domain::failure::{ErrorClass, Failure};
use crate::domain::json;
use crate::domain::payload::{Entries, Payload};
use crate::domain::time::{Span, Timestamp};

/// Characters of a redirect's target that a failure's sentence shows.
const LOCATION_CHARS_MAX: usize = 200;

/// What the receiver said.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It has taken the intent; the result is to come by resume.
    Acknowledged,
    /// It answered in the response: a body of resume, with an `action` or an object `result`.
    Resumed(Entries),
    /// The attempt failed.
    Failed(Failure),
}

/// Reads an answer whose body was read to its end or to our limit.
#[must_use]
pub fn classify(
    status: StatusCode,
    headers: &HeaderMap,
    body: Option<&[u8]>,
    now: Timestamp,
) -> Answer {
    if status.is_success() {
        return body
            .and_then(resumed)
            .map_or(Answer::Acknowledged, Answer::Resumed);
    }
    let class = match status.as_u16() {
        300..=399 => ErrorClass::Http3xx,
        408 | 409 | 425 => ErrorClass::HttpConflict,
        410 => ErrorClass::Gone410,
        429 => ErrorClass::Http429,
        400..=499 => ErrorClass::Http4xx,
        // An upgrade nobody asked for, and numbers beyond HTTP: the server is broken.
        _ => ErrorClass::Http5xx,
    };
    let mut message = status_line(status);
    if class == ErrorClass::Http3xx
        && let Some(location) = headers.get(LOCATION)
    {
        let target = String::from_utf8_lossy(location.as_bytes());
        let shown: String = target.chars().take(LOCATION_CHARS_MAX).collect();
        message = format!(
            "{message}: redirects are not followed; hint: set the callback URL to {shown} if it is meant"
        );
    }
    Answer::Failed(Failure {
        class,
        http_status: Some(status.as_u16()),
        message,
        retry_after: retry_after(headers, now),
    })
}

/// `503 Service Unavailable`, by the registered reason; the receiver's own words are not taken.
pub(super) fn status_line(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// The body of a resume: a JSON object with an `action` of the contract's rows 2 to 4, or with an
/// object `result`.
fn resumed(body: &[u8]) -> Option<Entries> {
    let text = std::str::from_utf8(body).ok()?;
    // What no reader of values takes is none of ours either.
    let Ok(Value::Object(read)) = json::read(text) else {
        return None;
    };
    let mut object = Payload::object(text).ok()?.entries()?;
    if object.text("action").is_some_and(|word| is_action(&word)) {
        return Some(object);
    }
    if !read.get("result").is_some_and(Value::is_object) {
        return None;
    }
    // Nobody could be told that the word means nothing, and the result says enough.
    let _word = object.take("action");
    Some(object)
}

fn is_action(word: &str) -> bool {
    matches!(
        word.to_ascii_lowercase().as_str(),
        "complete"
            | "completed"
            | "success"
            | "done"
            | "ok"
            | "approve"
            | "approved"
            | "fail"
            | "failed"
            | "error"
            | "reject"
            | "rejected"
            | "progress"
            | "in_progress"
            | "heartbeat"
            | "ack"
            | "working"
    )
}

/// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3); anything else counts as absent.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Span> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds mean a very long time.
        return Some(Span::from_seconds(text.parse().unwrap_or(i64::MAX)));
    }
    http_date(text).map(|date| date.since(now))
}

/// The three spellings of a date that RFC 9110, 5.6.7 asks recipients to accept.
fn http_date(text: &str) -> Option<Timestamp> {
    const FORMATS: [&str; 3] = [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ];
    FORMATS.into_iter().find_map(|format| {
        let date = jiff::civil::DateTime::strptime(format, text).ok()?;
        let instant = jiff::tz::Offset::UTC.to_timestamp(date).ok()?;
        Some(Timestamp::from_millis(instant.as_millisecond()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<&str>, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, value.parse().unwrap());
        }
        let now = "2026-04-11T10:00:00Z".parse().unwrap();
        classify(
            StatusCode::from_u16(status).unwrap(),
            &headers,
            Some(body.as_bytes()),
            now,
        )
    }

    fn failure(status: u16, retry_after: Option<&str>) -> Failure {
        match answer(status, retry_after, "") {
            Answer::Failed(failure) => failure,
            other => panic!("{status}: {other:?}"),
        }
    }

    #[test]
    fn every_status_has_the_contracts_class() {
        for (status, class) in [
            (300, ErrorClass::Http3xx),
            (304, ErrorClass::Http3xx),
            (400, ErrorClass::Http4xx),
            (404, ErrorClass::Http4xx),
            (408, ErrorClass::HttpConflict),
            (409, ErrorClass::HttpConflict),
            (425, ErrorClass::HttpConflict),
            (410, ErrorClass::Gone410),
            (429, ErrorClass::Http429),
            (499, ErrorClass::Http4xx),
            (500, ErrorClass::Http5xx),
            (503, ErrorClass::Http5xx),
            (599, ErrorClass::Http5xx),
            (999, ErrorClass::Http5xx),
        ] {
            let failure = failure(status, None);
            assert_eq!(failure.class, class, "{status}");
            assert_eq!(failure.http_status, Some(status));
            assert!(failure.message.contains(&status.to_string()));
        }
        assert_eq!(failure(503, None).message, "503 Service Unavailable");
    }

    #[test]
    fn a_good_answer_acknowledges_unless_it_says_what_became_of_it() {
        for body in [
            "",
            "ok",
            r#"{"ack":true}"#,
            r#"{"action":"dance"}"#,
            r#"{"action":1}"#,
            r#"{"result":7}"#,
            r#"[{"action":"done"}]"#,
            r#"{"result":{}"#,
        ] {
            for status in [200, 202, 204, 299] {
                assert_eq!(answer(status, None, body), Answer::Acknowledged, "{body}");
            }
        }
        for body in [
            r#"{"action":"Done","order":1}"#,
            r#"{"action":"rejected"}"#,
            r#"{"action":"working"}"#,
            r#"{"result":{"order":1}}"#,
            r#"{"action":"dance","result":{"order":1}}"#,
        ] {
            assert!(
                matches!(answer(200, None, body), Answer::Resumed(_)),
                "{body}"
            );
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_garbage_counts_as_absent() {
        for (value, expected_ms) in [
            ("120", Some(120_000)),
            (" 0 ", Some(0)),
            ("Sat, 11 Apr 2026 10:01:00 GMT", Some(60_000)),
            ("Saturday, 11-Apr-26 10:01:00 GMT", Some(60_000)),
            ("Sat Apr 11 10:01:00 2026", Some(60_000)),
            ("Sat, 11 Apr 2026 09:00:00 GMT", Some(0)),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let retry_after = failure(503, Some(value)).retry_after;
            assert_eq!(retry_after.map(Span::as_millis), expected_ms, "{value:?}");
        }
        assert!(failure(429, Some(&"9".repeat(40))).retry_after.is_some());
    }
}
