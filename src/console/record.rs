//! The record of a session, line by line: what the operator did, what the feed brought, what was answered.
//!
//! 1. Newline-delimited JSON. No control, bidi or zero-width character stands in it as itself: the file can be
//!    shown in any terminal.
//! 2. Nothing of a payload: words typed into a payload, a comment or a form are dots, a paste is its length, and
//!    of a fact only what the broker itself wrote stands there.
//! 3. Keys, sizes, ticks and frames of the feed can be given to `update` again in their order.
//!
//! Not here: the file (`run/recording.rs`).

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEventKind};
use serde_json::{Map, Value, json};

use crate::console::event::Event;
use crate::console::keymap::chord::{key_of, key_text};
use crate::console::model::Model;
use crate::console::model::overlay::Overlay;
use crate::console::sanitise;
use crate::console::task::{News, Reply, Task};
use crate::console::update::Input;
use crate::desk::rows::FeedRow;
use crate::desk::{DeskError, FeedPage};
use crate::domain::payload::Payload;
use crate::domain::status::Status;

/// The version of the lines.
const VERSION: u32 = 1;
/// What stands for a word that is not written down.
pub(crate) const MASK: &str = "•";

/// What of a fact the broker itself wrote.
const OPEN: &[&str] = &[
    "act",
    "at",
    "attempt",
    "attempt_id",
    "binding",
    "delivery_attempt",
    "due_at",
    "effective_at",
    "error_class",
    "fingerprint",
    "hold_id",
    "http_status",
    "job_id",
    "max_delivery_attempts",
    "next_attempt_at",
    "outcome",
    "replay_of",
    "replayed_as",
    "seq",
    "state",
    "status",
    "task_version",
    "version",
    "waiting_reason",
];

/// The first line: what the others are about.
pub(crate) fn head(model: &Model) -> String {
    let hello = model.hello.as_ref();
    let (width, height) = model.size;
    text(&json!({
        "format": "postroom-session",
        "version": VERSION,
        "at": model.at.wall.to_string(),
        "broker": hello.map(|hello| hello.version.clone()),
        "place": hello.map(|hello| hello.place.clone()),
        "identity": hello.map(|hello| hello.identity.to_string()),
        "desk": model.view.place.titles().0,
        "theme": model.theme,
        "size": [width, height],
    }))
}

/// What happened, before it changes the model; none for what is not written down.
pub(crate) fn input(model: &Model, input: &Input) -> Option<Value> {
    Some(match input {
        Input::Terminal(Event::Key(key)) => pressed(model, *key),
        Input::Terminal(Event::Paste(text)) => json!({ "paste": text.chars().count() }),
        Input::Terminal(Event::Mouse(mouse)) if mouse.kind == MouseEventKind::Moved => return None,
        Input::Terminal(Event::Mouse(mouse)) => json!({
            "mouse": format!("{:?}", mouse.kind), "column": mouse.column, "row": mouse.row,
        }),
        Input::Terminal(Event::Resize { width, height }) => json!({ "size": [width, height] }),
        Input::Terminal(Event::Focus(has_it)) => json!({ "focus": has_it }),
        Input::Terminal(Event::InputEnded(reason)) => json!({ "gone": reason }),
        Input::Tick => json!({ "tick": true }),
        Input::News(news) => told(model, news),
        Input::Terminal(Event::Background(_) | Event::Tick(_))
        | Input::Log(_)
        | Input::Edited(_)
        | Input::Drawn(_)
        | Input::Refused(_) => return None,
    })
}

/// What came of it: the action of a key, and what was asked of the broker.
pub(crate) fn outcome(model: &mut Model, tasks: &[Task]) -> Vec<(&'static str, Value)> {
    let mut parts = Vec::new();
    if let Some(action) = model.ran.take() {
        parts.push(("action", json!(action.spec().name)));
    }
    for task in tasks {
        if let Task::Act(ticket, _) | Task::Order(ticket, _) = task {
            let what = model.sent.get(ticket).map(|sent| sent.what.clone());
            parts.push(("asked", json!({ "ticket": ticket.0, "what": what })));
        }
    }
    parts
}

/// One line, without its end.
pub(crate) fn line(at_ms: u64, input: Value, outcome: Vec<(&'static str, Value)>) -> String {
    let mut whole = Map::new();
    whole.insert("ms".to_owned(), json!(at_ms));
    if let Value::Object(parts) = input {
        whole.extend(parts);
    }
    for (name, part) in outcome {
        whole.insert(name.to_owned(), part);
    }
    text(&Value::Object(whole))
}

fn text(value: &Value) -> String {
    sanitise::escape_json(&value.to_string())
}

/// A key by its name; a letter of something that is not to be written down is a dot.
fn pressed(model: &Model, key: KeyEvent) -> Value {
    let is_letter = matches!(key.code, KeyCode::Char(_))
        && !key
            .modifiers
            .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let name = if is_letter && writes_words(model) {
        MASK.to_owned()
    } else {
        key_text(key_of(key))
    };
    match key.kind {
        KeyEventKind::Repeat => json!({ "key": name, "repeat": true }),
        KeyEventKind::Press | KeyEventKind::Release => json!({ "key": name }),
    }
}

/// Whether letters go into a payload, a comment, a form or a reason.
fn writes_words(model: &Model) -> bool {
    match &model.overlay {
        Some(Overlay::Edit(_)) => true,
        Some(Overlay::Panel(panel)) => panel.is_typing(),
        Some(_) => false,
        None => model.strip.is_some(),
    }
}

fn told(model: &Model, news: &News) -> Value {
    match news {
        News::Feed(Ok(page)) => json!({ "feed": frame(page) }),
        News::Feed(Err(error)) => json!({ "feed": { "error": error.to_string() } }),
        News::Answer(query, result) => {
            let name = format!("{query:?}");
            let name = name
                .split(['(', ' ', '{'])
                .next()
                .unwrap_or_default()
                .to_lowercase();
            match result.as_ref() {
                Ok(reply) => json!({ "answer": name, "rows": rows(reply) }),
                Err(error) => json!({ "answer": name, "error": error.to_string() }),
            }
        }
        News::Done(ticket, result) => {
            let what = model.sent.get(ticket).map(|sent| sent.what.clone());
            let became = match result {
                Ok(done) if done.hold.is_some() => "held".to_owned(),
                Ok(_) => "done".to_owned(),
                Err(DeskError::Refused { code, .. }) => code.clone(),
                Err(error) => error.to_string(),
            };
            json!({ "done": { "ticket": ticket.0, "what": what, "result": became } })
        }
        News::Ordered(ticket, result) => {
            let became = match result.as_ref() {
                Ok(job) => job.id.to_string(),
                Err(error) => error.to_string(),
            };
            json!({ "done": { "ticket": ticket.0, "result": became } })
        }
        News::Exported(path, result) => json!({ "exported": path, "is_written": result.is_ok() }),
    }
}

/// A frame of the feed, whole but for what others wrote.
fn frame(page: &FeedPage) -> Value {
    let FeedPage {
        rows,
        skipped,
        next,
        head,
    } = page;
    let rows: Vec<Value> = rows.iter().map(row).collect();
    json!({ "next": next.0, "head": head.0, "skipped": skipped, "rows": rows })
}

fn row(row: &FeedRow) -> Value {
    let FeedRow {
        cursor,
        at,
        kind,
        intent,
        agent,
        status,
        actor,
        data,
    } = row;
    json!({
        "cursor": cursor.0,
        "at_ms": at.as_millis(),
        "kind": kind,
        "intent": intent.map(|id| id.to_string()),
        "agent": agent.as_ref().map(ToString::to_string),
        "status": status.map(Status::name),
        "actor": actor,
        "data": masked(data),
    })
}

/// What the broker wrote stands; of everything else only its name does.
fn masked(data: &Payload) -> Value {
    let Value::Object(parts) = data.to_value() else {
        return json!(MASK);
    };
    let parts = parts.into_iter().map(|(name, value)| {
        let is_open = OPEN.contains(&name.as_str()) && !value.is_object() && !value.is_array();
        (name, if is_open { value } else { json!(MASK) })
    });
    Value::Object(parts.collect())
}

/// How many rows an answer has.
const fn rows(reply: &Reply) -> usize {
    match reply {
        Reply::Held(rows) => rows.len(),
        Reply::Agents(rows) => rows.len(),
        Reply::Tasks(page) => page.items.len(),
        Reply::Intents(page) => page.items.len(),
        Reply::Family(rows) => rows.len(),
        Reply::Attempts(page) => page.items.len(),
        Reply::Groups(rows) => rows.len(),
        Reply::Letters(page) => page.items.len(),
        Reply::Jobs(page) => page.items.len(),
        Reply::Audit(page) => page.items.len(),
        Reply::Hello(_)
        | Reply::Overview(_)
        | Reply::Thread(_)
        | Reply::Pair(_)
        | Reply::Intent(_)
        | Reply::Agent(_)
        | Reply::Job(_)
        | Reply::Plan(_) => 1,
    }
}
