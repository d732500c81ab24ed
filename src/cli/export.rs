//! Whole lists for programs: every page, a row a line, as NDJSON or CSV.
//!
//! A file or a pipe gets the bytes of the broker; a terminal gets them made harmless.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::Context;
use super::arguments::{Format, Window};
use super::client::Call;
use super::failure::Failure;

/// Rows that are fetched at once: the most that every list gives.
const PAGE: u32 = 500;

/// What a list is called in an answer, and its columns: JSON pointers without their first slash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) rows: &'static str,
    pub(super) columns: &'static [&'static str],
}

/// Intents.
pub(super) const INTENTS: Table = Table {
    rows: "intents",
    columns: &[
        "intent_id",
        "status",
        "intent_type",
        "from_agent",
        "to_agent",
        "correlation_id",
        "created_at",
        "updated_at",
        "deadline_at",
        "delivery_attempt",
        "max_delivery_attempts",
        "delivery/state",
        "waiting_reason",
        "replay_of",
        "dead_letter/reason",
        "error/message",
    ],
};
/// Attempts.
pub(super) const ATTEMPTS: Table = Table {
    rows: "attempts",
    columns: &[
        "attempt_id",
        "intent_id",
        "agent",
        "number",
        "binding",
        "outcome",
        "error_class",
        "http_status",
        "latency_ms",
        "started_at",
        "finished_at",
        "next_attempt_at",
        "error",
    ],
};
/// Threads of inboxes.
pub(super) const THREADS: Table = Table {
    rows: "threads",
    columns: &[
        "thread_id",
        "intent_id",
        "status",
        "kind",
        "owner_agent",
        "from_agent",
        "subject",
        "intent_type",
        "human_task/task_type",
        "human_task/allowed_outcomes",
        "created_at",
        "updated_at",
    ],
};
/// Open tasks.
pub(super) const TASKS: Table = Table {
    rows: "tasks",
    columns: &[
        "intent_id",
        "thread_id",
        "intent_type",
        "from_agent",
        "assigned_at",
        "due_at",
        "human_task/title",
        "human_task/task_type",
        "human_task/allowed_outcomes",
        "parent_intent_id",
        "scenario_id",
    ],
};
/// Dead letters.
pub(super) const LETTERS: Table = Table {
    rows: "dead_letters",
    columns: &[
        "intent_id",
        "state",
        "intent_type",
        "from_agent",
        "to_agent",
        "reason",
        "error_class",
        "http_status",
        "attempts",
        "error/message",
        "fingerprint",
        "dead_at",
        "replay_of",
        "replayed_as",
        "discard_reason",
    ],
};
/// Groups of dead letters.
pub(super) const GROUPS: Table = Table {
    rows: "groups",
    columns: &[
        "fingerprint",
        "count",
        "to_agent",
        "intent_type",
        "reason",
        "error_class",
        "sample_message",
        "first_at",
        "last_at",
    ],
};
/// Jobs.
pub(super) const JOBS: Table = Table {
    rows: "jobs",
    columns: &[
        "job_id",
        "kind",
        "state",
        "selected",
        "done",
        "succeeded",
        "failed",
        "skipped",
        "by",
        "via",
        "reason",
        "stopped_because",
        "created_at",
        "finished_at",
    ],
};
/// Intents of a job.
pub(super) const ITEMS: Table = Table {
    rows: "items",
    columns: &["intent_id", "outcome", "code", "new_intent_id"],
};
/// Agents.
pub(super) const AGENTS: Table = Table {
    rows: "agents",
    columns: &[
        "address",
        "display_name",
        "delivery_mode",
        "status",
        "health_status",
        "connections",
        "ready",
        "leased",
        "backing_off",
        "held",
        "parked",
        "parked_reason",
        "dead_letters",
        "oldest_waiting_seconds",
        "callback_url",
        "last_seen_at",
    ],
};
/// Keys, without their tokens.
pub(super) const KEYS: Table = Table {
    rows: "keys",
    columns: &[
        "key_id",
        "address",
        "role",
        "status",
        "key_hint",
        "created_at",
        "expires_at",
        "revoked_at",
    ],
};
/// What is held.
pub(super) const HOLDS: Table = Table {
    rows: "holds",
    columns: &[
        "hold_id",
        "action",
        "subject",
        "by",
        "placed_at",
        "effective_at",
    ],
};
/// The feed.
pub(super) const FEED: Table = Table {
    rows: "events",
    columns: &[
        "cursor",
        "at",
        "type",
        "intent_id",
        "agent",
        "status",
        "actor",
        "data",
    ],
};
/// The audit log.
pub(super) const AUDIT: Table = Table {
    rows: "events",
    columns: &[
        "event_id",
        "at",
        "actor",
        "via",
        "action",
        "target",
        "owner_agent",
        "result",
        "reason",
        "details",
        "key_id",
        "trace_id",
    ],
};

/// Writes a list to its end, or as far as the window says. False when no format was asked for.
pub(super) async fn pages(
    context: &Context,
    window: &Window,
    table: Table,
    call: &Call,
) -> Result<bool, Failure> {
    let Some(format) = window.export.format else {
        return Ok(false);
    };
    let client = context.client()?;
    let mut writer = Writer::begin(context, format, table)?;
    let mut left = window.limit.unwrap_or(u32::MAX);
    let mut cursor = window.cursor.clone();
    while left > 0 {
        let page = call
            .clone()
            .with("limit", left.min(PAGE))
            .with_some("cursor", cursor.as_ref());
        let text = client.text(page).await?;
        let (rows, next) = read(&text, table.rows)?;
        left = left.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        writer.rows(&rows)?;
        match next.cursor {
            Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
            _ => break,
        }
    }
    Ok(true)
}

/// Writes a list that is all in one answer. False when no format was asked for.
pub(super) async fn one(
    context: &Context,
    format: Option<Format>,
    table: Table,
    call: Call,
) -> Result<bool, Failure> {
    let Some(format) = format else {
        return Ok(false);
    };
    let mut writer = Writer::begin(context, format, table)?;
    let text = context.client()?.text(call).await?;
    let (rows, _) = read(&text, table.rows)?;
    writer.rows(&rows)?;
    Ok(true)
}

/// Writes the feed from a position to its end as it is now.
pub(super) async fn feed(
    context: &Context,
    format: Format,
    since: u64,
    most: Option<u32>,
    call: impl Fn() -> Call,
) -> Result<(), Failure> {
    let client = context.client()?;
    let mut writer = Writer::begin(context, format, FEED)?;
    let (mut since, mut left) = (since, most.unwrap_or(u32::MAX));
    while left > 0 {
        let page = call().with("since", since).with("limit", left.min(PAGE));
        let text = client.text(page).await?;
        let (rows, next) = read(&text, FEED.rows)?;
        left = left.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        writer.rows(&rows)?;
        match next.since {
            Some(next) if next > since && next < next_head(&text) => since = next,
            _ => break,
        }
    }
    Ok(())
}

impl Window {
    /// The page for people.
    pub(super) fn first(&self, call: Call) -> Call {
        call.with("limit", self.page())
            .with_some("cursor", self.cursor.as_ref())
    }
}

/// Where a list goes on.
#[derive(Debug, Default)]
struct Next {
    cursor: Option<String>,
    since: Option<u64>,
}

fn next_head(text: &str) -> u64 {
    let answer: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    answer.get("head").and_then(Value::as_u64).unwrap_or(0)
}

/// The rows of an answer as they came, and where the next ones are.
fn read<'text>(text: &'text str, name: &str) -> Result<(Vec<&'text RawValue>, Next), Failure> {
    let unreadable = |error: serde_json::Error| {
        Failure::refused(format!("understand the list of the broker: {error}"))
    };
    let parts: BTreeMap<&str, &RawValue> = serde_json::from_str(text).map_err(unreadable)?;
    let part = |name: &str| parts.get(name).map(|raw| raw.get());
    let rows = match part(name) {
        Some(rows) => serde_json::from_str(rows).map_err(unreadable)?,
        None => Vec::new(),
    };
    let next = Next {
        cursor: part("next_cursor").and_then(|next| serde_json::from_str(next).ok()?),
        since: part("next_since").and_then(|next| serde_json::from_str(next).ok()),
    };
    Ok((rows, next))
}

/// Writes rows in a format.
#[derive(Debug)]
pub(super) struct Writer<'context> {
    context: &'context Context,
    format: Format,
    table: Table,
}

impl<'context> Writer<'context> {
    /// Writes the heading, where the format has one.
    pub(super) fn begin(
        context: &'context Context,
        format: Format,
        table: Table,
    ) -> Result<Self, Failure> {
        if context.out.is_json() {
            return Err(Failure::usage("--json and --format exclude each other")
                .hint("--format ndjson is JSON, a row a line"));
        }
        if format == Format::Csv {
            let names = table.columns.iter().map(|column| column.replace('/', "_"));
            context.out.line(names.collect::<Vec<_>>().join(","))?;
        }
        Ok(Self {
            context,
            format,
            table,
        })
    }

    /// Writes rows, all at once.
    pub(super) fn rows(&mut self, rows: &[&RawValue]) -> Result<(), Failure> {
        let lines: Vec<String> = rows.iter().map(|row| self.row(row.get())).collect();
        if lines.is_empty() {
            return Ok(());
        }
        self.context.out.line(lines.join("\n"))
    }

    /// Writes one row.
    pub(super) fn value(&mut self, row: &Value) -> Result<(), Failure> {
        self.context.out.line(self.row(&row.to_string()))
    }

    fn row(&self, raw: &str) -> String {
        match self.format {
            // What the broker writes has no line ends between its tokens.
            Format::Ndjson if !raw.contains(['\n', '\r']) => raw.to_owned(),
            Format::Ndjson => {
                let value: Value = serde_json::from_str(raw).unwrap_or(Value::Null);
                value.to_string()
            }
            Format::Csv => {
                let value: Value = serde_json::from_str(raw).unwrap_or(Value::Null);
                let cell = |column: &&str| cell(value.pointer(&format!("/{column}")));
                let cells: Vec<String> = self.table.columns.iter().map(cell).collect();
                cells.join(",")
            }
        }
    }
}

/// A cell: empty for what is not there, JSON for what is nested, in quotes where it must be.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
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
    use serde_json::json;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(cell(Some(&json!("plain"))), "plain");
        assert_eq!(cell(Some(&json!("a,\"b\"\nc"))), "\"a,\"\"b\"\"\nc\"");
        assert_eq!(cell(Some(&json!(["a", 1]))), "\"[\"\"a\"\",1]\"");
        assert_eq!(cell(Some(&Value::Null)) + &cell(None), "");
        assert_eq!(cell(Some(&json!(12.5))), "12.5");
    }

    #[test]
    fn rows_are_kept_as_they_came() {
        let text = r#"{"ok":true,"intents":[{"z":1,"a":1.50},{"b":18446744073709551616}],"next_cursor":"c"}"#;
        let (rows, next) = read(text, "intents").unwrap();
        assert_eq!(rows[0].get(), r#"{"z":1,"a":1.50}"#);
        assert_eq!(rows[1].get(), r#"{"b":18446744073709551616}"#);
        assert_eq!(next.cursor.as_deref(), Some("c"));
        let (rows, next) = read(r#"{"ok":true,"next_cursor":null}"#, "intents").unwrap();
        assert!(rows.is_empty() && next.cursor.is_none());
        assert!(read("[]", "intents").is_err());
    }
}
