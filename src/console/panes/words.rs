//! Words for what the broker says: states, codes, facts.

use serde_json::Value;

use crate::console::action::place::Place;
use crate::console::format;
use crate::console::model::Model;
use crate::console::theme::Role;
use crate::console::theme::glyphs::Glyphs;
use crate::console::update::sorting;
use crate::console::widgets::table::Cell;
use crate::desk::rows::jobs::JobRow;
use crate::desk::rows::{AgentState, AttemptRow, IntentRow, Overview};
use crate::domain::attempt::Outcome;
use crate::domain::failure::ErrorClass;
use crate::domain::status::{State, Status};
use crate::domain::time::{Span, Timestamp};

/// The role of a state.
pub(crate) const fn state_role(state: State) -> Role {
    match state {
        State::Queued => Role::Queued,
        State::InFlight => Role::Active,
        State::Retrying => Role::Retry,
        State::WaitingHuman => Role::Human,
        State::WaitingOther => Role::Waiting,
        State::Completed => Role::Good,
        State::Failed | State::DeadLetter => Role::Bad,
    }
}

/// The role of a status.
pub(crate) const fn status_role(status: Status) -> Role {
    match status {
        Status::Created | Status::Submitted | Status::Delivered => Role::Queued,
        Status::Acknowledged | Status::InProgress => Role::Active,
        Status::Waiting => Role::Waiting,
        Status::Completed => Role::Good,
        Status::Failed | Status::TimedOut => Role::Bad,
        Status::Canceled => Role::Off,
    }
}

/// The status of a row, with the state where that says more.
pub(crate) fn status_text(row: &IntentRow) -> String {
    match row.state {
        State::DeadLetter => format!("{}, dead", row.status),
        State::Retrying => "DELIVERED, retry".to_owned(),
        State::WaitingHuman => "WAITING, human".to_owned(),
        _ => row.status.name().to_owned(),
    }
}

/// The role of an agent's state.
pub(crate) const fn agent_role(state: AgentState) -> Role {
    match state {
        AgentState::Offline | AgentState::Degraded => Role::Bad,
        AgentState::Throttled => Role::Warn,
        AgentState::Paused | AgentState::Killed => Role::Off,
        AgentState::Ok => Role::Good,
    }
}

/// The role of an outcome.
pub(crate) const fn outcome_role(outcome: Outcome) -> Role {
    match outcome {
        Outcome::InFlight => Role::Active,
        Outcome::Acknowledged | Outcome::Completed => Role::Good,
        Outcome::Failed | Outcome::TimedOut | Outcome::Lost | Outcome::UnknownCrash => Role::Bad,
        Outcome::RejectedStale | Outcome::Withdrawn => Role::Off,
    }
}

/// The code of an attempt: its HTTP status, else the class of its failure, else how it ended.
pub(crate) fn code(attempt: &AttemptRow) -> String {
    let seen = attempt
        .report
        .as_ref()
        .and_then(|report| report.http_status);
    match (attempt.http_status.or(seen), attempt.error_class) {
        (Some(status), _) => status.to_string(),
        (None, Some(class)) => class.name().to_owned(),
        (None, None) => match attempt.outcome {
            Outcome::InFlight => "running".to_owned(),
            Outcome::Acknowledged | Outcome::Completed => "ok".to_owned(),
            other => other.name().to_owned(),
        },
    }
}

/// A job in a few words.
pub(crate) fn job_text(job: &JobRow) -> String {
    format!(
        "{} of {}, {}: {} done",
        job.kind.name(),
        counted(u64::from(job.selected), "intent"),
        job.state.name(),
        format::count(u64::from(job.done))
    )
}

/// A pace in intents a second: `10`, `0.5`.
pub(crate) fn pace(per_1000_seconds: u32) -> String {
    let (whole, part) = (per_1000_seconds / 1_000, per_1000_seconds % 1_000);
    if part == 0 {
        return whole.to_string();
    }
    let text = format!("{whole}.{part:03}");
    text.trim_end_matches('0').to_owned()
}

/// An object on one line: `agent orders   fingerprint 9c1e`.
pub(crate) fn flat(value: &Value) -> String {
    let Some(object) = value.as_object() else {
        return value.to_string();
    };
    let parts = object.iter().map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name} {text}"),
        None => format!("{name} {value}"),
    });
    let text = parts.collect::<Vec<_>>().join("   ");
    if text.is_empty() {
        "everything".to_owned()
    } else {
        text
    }
}

/// A note without the class of the failure before it: the sentence says it to people.
pub(crate) fn plain_note(note: &str) -> &str {
    match note.split_once(": ") {
        Some((class, rest)) if ErrorClass::from_name(class).is_some() => rest,
        _ => note,
    }
}

/// How long an attempt ran, or has been running.
pub(crate) fn ran(attempt: &AttemptRow, now: Timestamp) -> Span {
    attempt.finished_at.unwrap_or(now).since(attempt.started_at)
}

/// The role of the successful share.
pub(crate) const fn ok_role(percent: f64) -> Role {
    if percent >= 99.0 {
        Role::Good
    } else if percent >= 90.0 {
        Role::Warn
    } else {
        Role::Bad
    }
}

/// A rate: `182/s`, `0.4/s`, `0/s`.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second <= 0.0 {
        "0/s".to_owned()
    } else if per_second < 9.95 {
        format!("{per_second:.1}/s")
    } else {
        format!("{per_second:.0}/s")
    }
}

/// The same without its unit, for a column.
pub(crate) fn rate_cell(per_second: f64) -> String {
    let text = rate(per_second);
    text.strip_suffix("/s").unwrap_or(&text).to_owned()
}

/// An age given in milliseconds.
pub(crate) fn millis_age(millis: u64) -> String {
    format::age(Span::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)))
}

/// A duration in milliseconds that may be unknown.
pub(crate) fn millis(value: Option<f64>) -> String {
    match value {
        Some(millis) if millis < 10.0 => format!("{millis:.1}ms"),
        Some(millis) if millis < 1_000.0 => format!("{millis:.0}ms"),
        Some(millis) => format!("{:.1}s", millis / 1_000.0),
        None => "–".to_owned(),
    }
}

/// The label of a group of dead letters: the first four characters of its hash.
pub(crate) fn group_label(fingerprint: &str) -> String {
    let hash = fingerprint
        .rsplit([':', '-', '/'])
        .next()
        .unwrap_or(fingerprint);
    hash.chars().take(4).collect()
}

/// The last part of an actor's address.
pub(crate) fn actor(by: &str) -> &str {
    by.rsplit('/').next().unwrap_or(by)
}

/// A cell that is empty for nothing.
pub(crate) fn number_cell(number: u64) -> Cell {
    Cell::from(format::count(number))
}

/// The word for an event: its type without the room, spaces for underscores.
pub(crate) fn event_word(kind: &str) -> String {
    let word = kind.strip_prefix("intent.").unwrap_or(kind);
    match word {
        "human_task_assigned" => "task opened".to_owned(),
        "attempt_failed" => "retrying".to_owned(),
        "dead_letter.opened" => "dead letter".to_owned(),
        other => other.replace(['_', '.'], " "),
    }
}

/// The word for a fact in a timeline; facts of a task say what was done to it.
pub(crate) fn fact_word(kind: &str, data: &Value) -> String {
    let is_of_thread = kind == "inbox.thread_updated";
    let has = |name: &str| is_of_thread && data.get(name).is_some();
    let word = match kind {
        _ if has("message") => "replied",
        _ if has("delegated_to") => "delegated",
        _ if has("deleted_count") => "words emptied",
        _ if has("read_by") => "read",
        "inbox.task_decided" => "decided",
        "intent.attempt_failed" => "attempt failed",
        "intent.retried_now" => "retry hastened",
        "hold.placed" => "held",
        "hold.canceled" => "taken back",
        "hold.elapsed" => "hold over",
        "dead_letter.opened" => "dead letter",
        "dead_letter.replayed" => "replayed",
        "dead_letter.discarded" => "discarded",
        _ => return event_word(kind),
    };
    word.to_owned()
}

/// How an event looks.
pub(crate) fn event_role(kind: &str, status: Option<Status>) -> Role {
    let word = kind.strip_prefix("intent.").unwrap_or(kind);
    match word {
        "attempt_failed" => Role::Retry,
        "delivery_failed" | "dead_letter.opened" => Role::Bad,
        "attempt_started" | "acknowledged" | "in_progress" => Role::Active,
        "waiting" | "human_task_assigned" | "reminder" | "escalated" => Role::Human,
        _ => status
            .filter(|status| status.is_terminal())
            .map_or(Role::Text, status_role),
    }
}

/// What an event's particulars say, in one line.
pub(crate) fn event_text(kind: &str, data: &Value, now: Timestamp) -> String {
    let text = |name: &str| {
        data.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let number = |name: &str| data.get(name).and_then(Value::as_u64);
    let error = data.get("error");
    let message = error.and_then(|error| error.get("message").or(Some(error))?.as_str());
    let code = number("http_status").map(|status| status.to_string());
    let class = text("error_class").map(|class| class.replace('_', " "));
    let mut parts: Vec<String> = Vec::new();
    let message = message.or(text("message"));
    parts.extend(message.map(str::to_owned).or(code).or(class));
    let tries = number("delivery_attempt").or_else(|| number("attempt"));
    if let Some(attempt) = tries.filter(|attempt| *attempt > 0) {
        let most = number("max_attempts")
            .map(|most| format!("/{most}"))
            .unwrap_or_default();
        // That it failed is in its kind: the room is for what comes next.
        parts.push(format!("attempt {attempt}{most}"));
    }
    if let Some(next) = text("next_attempt_at").and_then(|at| at.parse::<Timestamp>().ok()) {
        let left = if next > now {
            format!(" (in {})", format::age(next.since(now)))
        } else {
            String::new()
        };
        parts.push(format!("next {}{left}", format::clock(next)));
    }
    // The outcome of an attempt is in its kind already; that of a task is news.
    let outcome = text("outcome").filter(|outcome| Outcome::from_name(outcome).is_none());
    let reason = text("reason").map(reason);
    let others = ["comment", "note", "waiting_reason"].map(text);
    let others = outcome
        .into_iter()
        .chain(reason)
        .chain(others.into_iter().flatten());
    parts.extend(others.map(|text| text.replace("WAITING_FOR_", "for ")));
    if let Some(title) = data.pointer("/human_task/title").and_then(Value::as_str) {
        parts.push(format!("\"{title}\""));
    }
    if let Some(result) = data.get("result").filter(|result| !result.is_null()) {
        parts.push(format!("result {result}"));
    }
    if let (true, Some(binding)) = (kind.ends_with("delivered"), text("binding")) {
        parts.push(format!("available at {binding}"));
    }
    if let (true, Some(binding)) = (kind.ends_with("attempt_started"), text("binding")) {
        parts.push(format!("over {binding}"));
    }
    // A replay that was not edited has the payload of its origin and brings none.
    if let Some(bytes) = number("payload_bytes").filter(|bytes| *bytes > 0) {
        parts.push(format::bytes(bytes));
    }
    parts.extend(deed(&text));
    parts.dedup();
    parts.join(", ")
}

/// What people did, where the particulars say so.
fn deed<'data>(text: &impl Fn(&str) -> Option<&'data str>) -> Vec<String> {
    let short = |id: &str| {
        id.chars()
            .skip(id.len().saturating_sub(8))
            .collect::<String>()
    };
    let mut parts = Vec::new();
    parts.extend(text("action").map(|action| format!("to {action}")));
    parts.extend(text("effective_at").and_then(|at| {
        let at = at.parse::<Timestamp>().ok()?;
        Some(format!("final {}", format::clock(at)))
    }));
    parts.extend(text("replayed_as").map(|id| format!("as {}", short(id))));
    parts.extend(text("delegated_to").map(|to| format!("to {}", actor(to))));
    parts.extend(text("refused").map(|code| format!("could not: {}", code.replace('_', " "))));
    parts.extend(text("fingerprint").map(|group| format!("group {}", group_label(group))));
    parts
}

/// A reason for a dead letter as a sentence; any other word as it is.
pub(crate) fn reason(reason: &str) -> &str {
    match reason {
        "attempts" => "the budget of attempts is used up",
        "permanent" => "the receiver said no retry can help",
        "ssrf_blocked" => "the address guard refused the target",
        "poison_crash" => "its last attempt ran when the broker died",
        "deadline" => "the deadline came before anybody acknowledged",
        "handler_failed" => "the receiver answered with a failure",
        "rejected" => "a person said no",
        "schema" => "the payload was refused at hand-over",
        "operator" => "an operator ended it",
        other => other,
    }
}

/// An intent's type without what every type has in common: `order.process.v1`.
pub(crate) fn type_text(intent_type: &str) -> &str {
    intent_type.strip_prefix("intent.").unwrap_or(intent_type)
}

/// Attempts that run now, and of how many slots where that is known.
pub(crate) fn slots(overview: &Overview) -> String {
    match overview.slots {
        0 => overview.attempts_running.to_string(),
        slots => format!("{}/{slots}", overview.attempts_running),
    }
}

/// The order of a desk's list, as it stands in its title: `count ▼`.
pub(crate) fn order(model: &Model, place: Place, glyphs: &Glyphs) -> String {
    let (word, goes_down) = sorting::words(model, place);
    let sign = if goes_down { glyphs.down } else { glyphs.up };
    format!("{word} {sign}")
}

/// `1 attempt`, `3 attempts`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", format::count(count))
}
