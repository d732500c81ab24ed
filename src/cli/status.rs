//! `status`: the numbers of the overview.

use serde_json::Value;

use super::Context;
use super::client::{Call, list, text};
use super::failure::Failure;
use super::intents::print_facts;
use crate::domain::status::Status;
use crate::domain::time::Span;

/// One line: its name, and pairs of where a number is and the words behind it.
type Line = (&'static str, &'static [(&'static str, &'static str)]);

const LINES: [Line; 4] = [
    (
        "ended",
        &[
            ("/intents/COMPLETED", "completed"),
            ("/intents/FAILED", "failed"),
            ("/intents/CANCELED", "canceled"),
            ("/intents/TIMED_OUT", "timed out"),
        ],
    ),
    (
        "per second",
        &[
            ("/rates/accepted_per_second", "accepted"),
            ("/rates/completed_per_second", "completed"),
            ("/rates/failed_per_second", "failed"),
        ],
    ),
    (
        "waiting",
        &[
            ("/dead_letters/open", "dead letters"),
            ("/inbox/pending", "for a person"),
            ("/oldest_waiting/age_seconds", "seconds the oldest"),
        ],
    ),
    (
        "agents",
        &[
            ("/agents/registered", "registered"),
            ("/agents/connected", "connected"),
            ("/agents/paused", "paused"),
        ],
    ),
];

/// One column of the table of bindings: its heading and its field.
const COLUMNS: [(&str, &str); 8] = [
    ("binding", "/binding"),
    ("ready", "/ready"),
    ("leased", "/leased"),
    ("retrying", "/backing_off"),
    ("held", "/held"),
    ("online", "/connections"),
    ("tries/s", "/attempts_per_second"),
    ("failures/s", "/failures_per_second"),
];

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let overview = client.call(Call::get("/v1/overview")).await?;
    context
        .out
        .either(&overview, |_out| print(&overview, client.base(), context))
}

fn print(overview: &Value, base: &str, context: &Context) -> Result<(), Failure> {
    let uptime = overview.pointer("/uptime_seconds").and_then(Value::as_i64);
    let broker = format!(
        "{base}  version {}  store {}  up {}",
        text(overview, "/version"),
        text(overview, "/store/kind"),
        super::when::length(Span::from_seconds(uptime.unwrap_or(0)))
    );
    let mut facts = vec![
        ("broker", broker),
        ("unfinished", unfinished(overview).to_string()),
    ];
    facts.extend(LINES.iter().map(|(name, numbers)| {
        let numbers = numbers
            .iter()
            .map(|(pointer, words)| format!("{} {words}", number(overview, pointer)));
        (*name, numbers.collect::<Vec<_>>().join("  "))
    }));
    print_facts(&context.out, &facts)?;
    context.out.line("")?;
    let rows = list(overview, "/bindings").iter().map(|binding| {
        let cells = COLUMNS.iter();
        cells.map(|(_, pointer)| number(binding, pointer)).collect()
    });
    let headings = COLUMNS.map(|(heading, _)| heading);
    context.out.table(&headings, rows.collect(), "")
}

fn unfinished(overview: &Value) -> u64 {
    let open = Status::ALL
        .into_iter()
        .filter(|status| !status.is_terminal());
    open.filter_map(|status| {
        overview
            .pointer(&format!("/intents/{}", status.name()))?
            .as_u64()
    })
    .sum()
}

/// A number with one decimal at most; a dash where there is none.
fn number(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::Number(number)) if number.is_f64() => {
            format!("{:.1}", number.as_f64().unwrap_or_default())
        }
        Some(_) => text(value, pointer),
    }
}
