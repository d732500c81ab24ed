//! Rows as lines of a file: NDJSON, or CSV with a heading.
//!
//! The original text goes out: an export is for programs, and nothing of it reaches the terminal. A CSV cell
//! that a spreadsheet would run as a formula gets a quote in front.

use serde_json::{Map, Value, json};

use crate::desk::rows::jobs::{AuditRow, JobRow};
use crate::desk::rows::{AgentRow, AttemptRow, IntentRow, LetterGroupRow, LetterRow, TaskRow};
use crate::domain::failure::ErrorClass;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON object a line.
    Ndjson,
    /// A heading, then one row a line (RFC 4180).
    Csv,
}

impl Format {
    /// Every one.
    pub(crate) const ALL: [Self; 2] = [Self::Ndjson, Self::Csv];

    /// The word in the panel, and the end of the file's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    /// The one of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// What can be written: a row as named values, always the same names.
pub(crate) trait Exported {
    /// Its names and values.
    fn fields(&self) -> Value;
}

impl Exported for IntentRow {
    fn fields(&self) -> Value {
        json!({
            "intent_id": self.id.to_string(), "intent_type": self.intent_type,
            "from": self.from.to_string(), "to": self.to.to_string(),
            "status": self.status.name(), "state": self.state.name(),
            "attempts": self.attempts, "max_attempts": self.max_attempts,
            "created_at": self.created_at.to_string(), "updated_at": self.updated_at.to_string(),
            "deadline_at": self.deadline.map(|at| at.to_string()),
            "correlation_id": self.correlation_id,
            "replay_of": self.replay_of.map(|id| id.to_string()), "note": self.note,
        })
    }
}

impl Exported for AttemptRow {
    fn fields(&self) -> Value {
        json!({
            "attempt_id": self.id.to_string(), "intent_id": self.intent.to_string(),
            "number": self.number, "agent": self.agent.to_string(), "binding": self.binding.name(),
            "started_at": self.started_at.to_string(),
            "finished_at": self.finished_at.map(|at| at.to_string()),
            "outcome": self.outcome.name(),
            "error_class": self.error_class.map(ErrorClass::name),
            "http_status": self.http_status, "error": self.error,
            "next_attempt_at": self.next_attempt_at.map(|at| at.to_string()),
        })
    }
}

impl Exported for LetterRow {
    fn fields(&self) -> Value {
        json!({
            "intent_id": self.intent.to_string(), "intent_type": self.intent_type,
            "from": self.from.to_string(), "to": self.to.to_string(),
            "reason": self.reason.name(),
            "error_class": self.error_class.map(ErrorClass::name),
            "http_status": self.http_status, "message": self.message, "attempts": self.attempts,
            "dead_at": self.dead_at.to_string(), "fingerprint": self.fingerprint,
            "state": self.state.name(),
            "replayed_as": self.replayed_as.map(|id| id.to_string()),
            "replay_of": self.replay_of.map(|id| id.to_string()),
        })
    }
}

impl Exported for LetterGroupRow {
    fn fields(&self) -> Value {
        json!({
            "fingerprint": self.fingerprint, "count": self.count, "reason": self.reason.name(),
            "error_class": self.error_class.map(ErrorClass::name),
            "http_status": self.http_status, "intent_type": self.intent_type,
            "to": self.to.to_string(), "message": self.message,
            "first_at": self.first_at.to_string(), "last_at": self.last_at.to_string(),
        })
    }
}

impl Exported for AgentRow {
    fn fields(&self) -> Value {
        json!({
            "address": self.address.to_string(), "binding": self.binding.name(),
            "state": self.state.name(), "out_per_second": self.out_per_second,
            "error_percent": self.error_percent, "lag_ms": self.lag_ms,
            "listeners": self.listeners, "queued": self.queued, "leased": self.leased,
            "retrying": self.retrying, "held": self.held, "dead": self.dead,
            "callback_url": self.callback_url,
        })
    }
}

impl Exported for JobRow {
    fn fields(&self) -> Value {
        json!({
            "job_id": self.id.to_string(), "kind": self.kind.name(), "state": self.state.name(),
            "by": self.by, "reason": self.reason, "filter": self.filter.to_value(),
            "created_at": self.created_at.to_string(),
            "finished_at": self.finished_at.map(|at| at.to_string()),
            "selected": self.selected, "done": self.done, "succeeded": self.succeeded,
            "failed": self.failed, "skipped": self.skipped, "in_flight": self.in_flight,
            "stopped_because": self.stopped_because,
        })
    }
}

impl Exported for AuditRow {
    fn fields(&self) -> Value {
        json!({
            "event_id": self.id.to_string(), "at": self.at.to_string(), "actor": self.actor,
            "owner": self.owner, "key": self.key, "via": self.via, "action": self.action,
            "target": self.target, "reason": self.reason, "result": self.result,
            "details": self.details.as_ref().map(crate::domain::payload::Payload::to_value),
            "trace_id": self.trace_id,
        })
    }
}

impl Exported for TaskRow {
    fn fields(&self) -> Value {
        json!({
            "intent_id": self.intent.to_string(), "thread_id": self.thread.to_string(),
            "task_type": self.task_type, "title": self.title, "from": self.from.to_string(),
            "owner": self.owner.to_string(), "version": self.version,
            "opened_at": self.opened_at.to_string(),
            "due_at": self.due_at.map(|at| at.to_string()),
            "deadline_at": self.deadline.map(|at| at.to_string()),
            "is_open": self.is_open,
        })
    }
}

/// Lines that grow as pages come.
#[derive(Debug)]
pub(crate) struct Lines {
    format: Format,
    /// What is written so far.
    pub(crate) text: String,
    /// Rows in it.
    pub(crate) rows: u64,
}

impl Lines {
    /// Nothing yet.
    pub(crate) const fn new(format: Format) -> Self {
        Self {
            format,
            text: String::new(),
            rows: 0,
        }
    }

    /// One more row.
    pub(crate) fn push(&mut self, row: &impl Exported) {
        let fields = match row.fields() {
            Value::Object(fields) => fields,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        match self.format {
            Format::Ndjson => self.text.push_str(&Value::Object(fields).to_string()),
            Format::Csv => {
                if self.rows == 0 {
                    let names: Vec<String> = fields.keys().map(|name| cell(name)).collect();
                    self.text.push_str(&names.join(","));
                    self.text.push_str("\r\n");
                }
                let cells: Vec<String> = fields.values().map(value_cell).collect();
                self.text.push_str(&cells.join(","));
                self.text.push('\r');
            }
        }
        self.text.push('\n');
        self.rows += 1;
    }
}

fn value_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => cell(text),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => cell(&value.to_string()),
    }
}

/// A cell of RFC 4180; what a spreadsheet would run gets a quote in front.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair(&'static str, u32);

    impl Exported for Pair {
        fn fields(&self) -> Value {
            json!({ "name": self.0, "number": self.1 })
        }
    }

    fn text(format: Format) -> String {
        let mut lines = Lines::new(format);
        lines.push(&Pair("a, \"b\"\nc", 1));
        lines.push(&Pair("=HYPERLINK(1)", 2));
        assert_eq!(lines.rows, 2);
        lines.text
    }

    #[test]
    fn csv_has_a_heading_quotes_what_it_must_and_runs_nothing() {
        assert_eq!(
            text(Format::Csv),
            "name,number\r\n\"a, \"\"b\"\"\nc\",1\r\n'=HYPERLINK(1),2\r\n"
        );
    }

    #[test]
    fn ndjson_has_one_object_a_line() {
        let text = text(Format::Ndjson);
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[0]["name"], "a, \"b\"\nc");
        assert_eq!(lines[1]["number"], 2);
    }
}
