//! An attempt in full: where its time went, what was sent and got, and the rule that decided.

use crate::console::format;
use crate::console::panes::{attempts as tries, words};
use crate::console::theme::Role;
use crate::console::view::kit::{Span, fact, span};
use crate::desk::rows::{AttemptRow, IntentView, RetryRule};
use crate::domain::attempt::{AttemptReport, Excerpt, Outcome};
use crate::domain::failure::DeadReason;
use crate::domain::time::{Span as Time, Timestamp};

/// A body that stands beside the status it came with.
const SHORT_BODY_CHARS: usize = 32;

/// Everything that is known of an attempt, the most telling first.
pub(super) fn facts(
    attempt: &AttemptRow,
    intent: &IntentView,
    rule: Option<&RetryRule>,
    at: Timestamp,
) -> Vec<(String, Span)> {
    let report = attempt.report.as_deref();
    let trace = intent.trace_id.as_deref().map(short_trace);
    let trace = trace.map_or_else(String::new, |trace| format!("   trace {trace}"));
    let answer = report.and_then(|report| report.response.as_ref());
    let short_body = answer
        .map(|answer| answer.body.trim())
        .filter(|body| !body.is_empty() && body.chars().count() <= SHORT_BODY_CHARS);
    let body = short_body.map_or_else(String::new, |body| format!("   body: {body}"));
    let mut facts = vec![
        fact("what", format!("{}{body}{trace}", tries::exchange(attempt))),
        fact("time", time(attempt, rule, at)),
        fact("decided", decided(attempt, intent, rule)),
    ];
    if let Some(error) = attempt.error.as_ref().filter(|_| report.is_none()) {
        facts.insert(2, ("error".to_owned(), span(error.clone(), Role::Bad)));
    }
    facts.extend(answer.map(|answer| fact("got", got(answer))));
    if let Some(next) = next(attempt, intent, rule, at) {
        facts.push(fact("next", next));
    }
    if let Some(request) = report.and_then(|report| report.request.as_ref()) {
        facts.push(fact("sent", sent(request)));
    }
    if let Some(remote) = report.and_then(|report| report.remote_addr.clone()) {
        facts.push(fact("remote", remote));
    }
    facts.push(fact("attempt", attempt.id.to_string()));
    if let Some(letter) = &intent.letter {
        let group = words::group_label(&letter.fingerprint);
        facts.push(fact("group", format!("{group}; 5 shows those alike")));
    }
    facts
}

/// `4bf9…e1`.
fn short_trace(trace: &str) -> String {
    let head: String = trace.chars().take(4).collect();
    let tail: Vec<char> = trace.chars().rev().take(2).collect();
    let tail: String = tail.into_iter().rev().collect();
    format!("{head}…{tail}")
}

/// The latency by its parts, and what was allowed.
fn time(attempt: &AttemptRow, rule: Option<&RetryRule>, at: Timestamp) -> String {
    let mut parts = Vec::new();
    if let Some(report) = attempt.report.as_deref() {
        let timing = report.timing;
        for (name, part) in [
            ("dns", timing.resolve_ms),
            ("connect", timing.connect_ms),
            ("tls", timing.tls_ms),
            ("first byte", timing.first_byte_ms),
        ] {
            if let Some(part) = part {
                parts.push(format!("{name} {}", words::millis(Some(f64::from(part)))));
            }
        }
    }
    let ran = format::duration(words::ran(attempt, at));
    parts.push(if attempt.finished_at.is_some() {
        format!("total {ran}")
    } else {
        format!("running {ran}")
    });
    if let (true, Some(rule)) = (attempt.binding.is_pull(), rule) {
        parts.push(format!("(lease {})", format::age(rule.lease)));
    }
    parts.push(format!(
        "started {}",
        format::clock_millis(attempt.started_at)
    ));
    parts.join("   ")
}

fn header<'a>(excerpt: &'a Excerpt, name: &str) -> Option<&'a str> {
    let found = excerpt
        .headers
        .iter()
        .find(|(header, _)| header.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn sent(request: &Excerpt) -> String {
    let signed = request
        .headers
        .iter()
        .any(|(name, _)| name.to_ascii_lowercase().contains("signature"));
    let signed = if signed { "signed" } else { "not signed" };
    let key = header(request, "idempotency-key").or_else(|| header(request, "webhook-id"));
    let key = key.map_or_else(String::new, |key| format!(", webhook-id {key}"));
    format!("{}, {signed}{key}", format::bytes(request.bytes))
}

fn got(answer: &Excerpt) -> String {
    let kind = header(answer, "content-type").unwrap_or("no content-type");
    let size = format::bytes(answer.bytes);
    let body = answer.body.trim();
    let body = if body.is_empty() {
        "no body".to_owned()
    } else {
        format!("body: {body}")
    };
    format!("{body}   ({kind}, {size})")
}

fn retry_after(report: Option<&AttemptReport>) -> Option<&str> {
    let answer = report?.response.as_ref()?;
    header(answer, "retry-after")
}

/// The rule that chose retry, failure or dead letter.
fn decided(attempt: &AttemptRow, intent: &IntentView, rule: Option<&RetryRule>) -> String {
    let code = words::code(attempt);
    let budget = format!("{}/{}", attempt.number, intent.row.max_attempts);
    let asked = match retry_after(attempt.report.as_deref()) {
        Some(asked) => format!("Retry-After {asked}"),
        None if attempt.report.is_some() => "no Retry-After".to_owned(),
        None => String::new(),
    };
    let asked = if asked.is_empty() {
        asked
    } else {
        format!(", {asked}")
    };
    match (attempt.outcome, attempt.next_attempt_at) {
        (Outcome::InFlight, _) => {
            "still running; its lease or timeout ends it if nobody answers".to_owned()
        }
        (Outcome::Acknowledged, _) => "taken by the receiver; the result is to come".to_owned(),
        (Outcome::Completed, _) => "ended with the result".to_owned(),
        (Outcome::Withdrawn, _) => "the intent was canceled or timed out meanwhile".to_owned(),
        (Outcome::RejectedStale, _) => "its result came after it was superseded".to_owned(),
        (_, Some(_)) => {
            let wait = nominal(attempt, rule).map_or_else(String::new, |wait| {
                format!(
                    ", the schedule says {}{}",
                    format::age(wait),
                    jitter(attempt, rule)
                )
            });
            format!("{code} can be retried{asked}; attempts {budget}{wait}")
        }
        (_, None) => ended(&code, &asked, &budget, attempt, intent),
    }
}

fn ended(
    code: &str,
    asked: &str,
    budget: &str,
    attempt: &AttemptRow,
    intent: &IntentView,
) -> String {
    let is_last = intent
        .attempts
        .last()
        .is_some_and(|last| last.number == attempt.number);
    let end = match &intent.letter {
        Some(_) if is_last => format!("{}, dead letter", intent.row.status),
        _ => intent.row.status.to_string(),
    };
    let why = match intent.letter.as_ref().map(|letter| letter.reason) {
        Some(DeadReason::Attempts) => {
            format!("{code} can be retried{asked}; attempts spent {budget}")
        }
        Some(reason) => format!("{code}: {}", words::reason(reason.name())),
        None => format!("{code}: no further attempt"),
    };
    format!("{why} → {end}")
}

fn next(
    attempt: &AttemptRow,
    intent: &IntentView,
    rule: Option<&RetryRule>,
    at: Timestamp,
) -> Option<String> {
    let Some(next) = attempt.next_attempt_at else {
        return intent
            .letter
            .as_ref()
            .map(|_| "none; r replays it as a new intent".to_owned());
    };
    let left = if next > at {
        format!(" in {}", format::age(next.since(at)))
    } else {
        String::new()
    };
    let range = next_range(attempt, rule).map_or_else(String::new, |(from, to)| {
        format!(
            ", drawn from {} to {}",
            format::clock(from),
            format::clock(to)
        )
    });
    Some(format!(
        "attempt {} at {}{left}{range}",
        attempt.number + 1,
        format::clock(next)
    ))
}

/// How long the schedule makes the try after this one wait, before jitter.
fn nominal(attempt: &AttemptRow, rule: Option<&RetryRule>) -> Option<Time> {
    rule?.wait_after(attempt.binding, attempt.number)
}

/// ` ±20%`, where the wait was the schedule's.
pub(super) fn jitter(attempt: &AttemptRow, rule: Option<&RetryRule>) -> String {
    match (rule, next_range(attempt, rule)) {
        (Some(rule), Some(_)) if rule.jitter_percent > 0 => format!(" ±{}%", rule.jitter_percent),
        _ => String::new(),
    }
}

/// The earliest and the latest that the next try could have been given; none when a receiver asked for
/// another instant.
pub(super) fn next_range(
    attempt: &AttemptRow,
    rule: Option<&RetryRule>,
) -> Option<(Timestamp, Timestamp)> {
    let (next, ended) = (attempt.next_attempt_at?, attempt.finished_at?);
    let wait = nominal(attempt, rule)?.as_millis();
    let width = wait.saturating_mul(i64::from(rule?.jitter_percent)) / 100;
    let from = ended.after(Time::from_millis(wait.saturating_sub(width)));
    let to = ended.after(Time::from_millis(wait.saturating_add(width)));
    (from..=to).contains(&next).then_some((from, to))
}
