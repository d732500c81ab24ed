//! The screens there are, and the keys that lead to them.

use crossterm::event::KeyCode;

use serde_json::json;

use super::super::fake::FakeDesk;
use super::super::{Bench, fixtures, kinds};
use crate::console::update::Input;
use crate::desk::rows::{IntentRow, Overview};
use crate::domain::payload::Payload;
use crate::domain::status::Status;

/// A screen and the keys that lead to it; `\r` is Enter, `\t` Tab, `\u{7}` eight seconds, `\u{13}` Ctrl-S.
pub(in super::super) type Case = (&'static str, &'static str);

/// Time that passes between keys.
const WAIT: char = '\u{7}';

/// All of them that keys alone lead to.
pub(in super::super) const ALL: [&[Case]; 4] = [DESKS, INTENT, OVERLAYS, PANELS];

pub(super) const DESKS: &[Case] = &[
    ("overview", ""),
    ("overview_attention", "\t"),
    ("inbox", "2jj"),
    ("inbox_marked", "2 j v"),
    ("intents", "3j"),
    ("intents_marked", "3 j v"),
    ("intents_filtered", "3/state:dead \r"),
    ("intents_paused", "3p\u{7}"),
    ("attempts", "4"),
    ("dead_letters", "5"),
    ("dead_letters_group", "5\r"),
    ("dead_letters_by_agent", ":group agent\r"),
    ("dead_letters_by_hour", ":group hour\r"),
    ("agents", "6"),
    ("agents_attempts", "6\t"),
    ("jobs", "7"),
    ("jobs_items", "7\t"),
    ("audit", "8"),
];

pub(super) const INTENT: &[Case] = &[
    ("intent_timeline", "5\r\r"),
    ("intent_as_of", "5\r\r["),
    ("intent_attempts", "5\r\rga"),
    ("intent_payload", "5\r\rgp"),
    ("intent_search", "5\r\rgp/amount"),
    ("intent_headers", "5\r\rgh"),
    ("intent_lineage", "5\r\rgl"),
    ("intent_raw", "5\r\rgr"),
    ("intent_task", "2jj\r"),
];

pub(super) const OVERLAYS: &[Case] = &[
    ("help", "?"),
    ("palette", ":re"),
    ("filter_fields", "3/"),
    ("filter_values", "3/agent:b* state:"),
    ("filter_unknown", "3/colour:red"),
    ("held", "U"),
    ("messages", "3yi!"),
    ("explain", "6i"),
    ("themes", ":theme.choose\r"),
    ("columns", "6wjj"),
    ("crumbs", "5\r\r`"),
    ("sequence", "3y\u{7}"),
    ("edit", "5\re"),
];

pub(super) const PANELS: &[Case] = &[
    ("strip", "2jjamatches PO-7731, callback verified\u{7}"),
    ("strip_reply", "2jjc"),
    ("staged", "2ja\u{7}\r"),
    ("panel_replay", "5R\u{7}"),
    ("panel_discard", "5D\u{7}"),
    ("panel_mute", "5M"),
    ("panel_owner", "5@"),
    ("panel_retry", "3jr"),
    ("panel_cancel", "3jC"),
    ("panel_take_group", "5m"),
    ("panel_approve_many", "2 j A"),
    ("panel_reject_many", "2 j X"),
    ("panel_delegate", "2@"),
    ("panel_take", "2m"),
    ("panel_compose", "3+"),
    ("panel_export", "3E"),
    ("panel_pause", "6P"),
    ("panel_resume", "6jP"),
    ("panel_kill", "6K"),
    ("panel_limit", "6L"),
    ("panel_breaker", "6B"),
    ("panel_job_pause", "7P"),
    ("panel_job_cancel", "7C"),
    ("panel_job_replay", "7jR\u{7}"),
    ("panel_view", "3/state:dead \u{13}"),
    ("panel_quit", "q"),
];

/// Opens a screen at a size.
type Open = fn(u16, u16) -> Bench;

/// Those that something else leads to: the link, an empty broker.
pub(super) const STATES: &[(&str, Open)] = &[
    ("link_down", link_down),
    ("link_stale", link_stale),
    ("read_only", read_only),
    ("empty_overview", |width, height| empty(width, height, "")),
    ("empty_inbox", |width, height| empty(width, height, "2")),
    ("empty_intents", |width, height| empty(width, height, "3")),
    ("empty_attempts", |width, height| empty(width, height, "4")),
    ("empty_dead_letters", |width, height| {
        empty(width, height, "5")
    }),
    ("empty_agents", |width, height| empty(width, height, "6")),
    ("empty_jobs", |width, height| empty(width, height, "7")),
    ("empty_audit", |width, height| empty(width, height, "8")),
];

/// A letter beside the last of its type that was done, which was smaller and in another currency.
pub(super) fn compare(width: u16, height: u16) -> Bench {
    let mut bench = Bench::at(width, height);
    bench.desk.script(|script| {
        let mut other = script.view.clone();
        let of_its_type = |row: &&IntentRow| row.id.short() == "e07c41d8";
        other.row = script.intents.iter().find(of_its_type).unwrap().clone();
        other.row.status = Status::Completed;
        other.payload = Payload::of(&json!({
            "type": "invoice.paid", "amount": 4_000, "currency": "SEK", "lines": [{"sku": "A1"}],
            "api_key": "k-123", "approved": true,
        }));
        script.other = Some(other);
    });
    bench.pass(SEEN_AT_MS - bench.elapsed_ms - 360);
    walk(&mut bench, "5\rd");
    bench
}

fn link_down(width: u16, height: u16) -> Bench {
    let mut bench = Bench::at(width, height);
    bench.feed_error();
    bench.elapsed_ms += 100;
    bench.feed_error();
    bench
}

fn link_stale(width: u16, height: u16) -> Bench {
    let mut bench = Bench::at(width, height);
    bench.elapsed_ms += 12_000;
    bench.input(Input::Tick);
    bench
}

fn read_only(width: u16, height: u16) -> Bench {
    let mut bench = Bench::at(width, height);
    bench.model.settings.is_read_only = true;
    bench.keys("2a");
    bench
}

/// A broker with nothing in it.
fn empty(width: u16, height: u16, keys: &str) -> Bench {
    let desk = FakeDesk::new();
    desk.script(|script| {
        script.overview = Overview {
            at: fixtures::now(),
            ..Overview::default()
        };
        script.agents.clear();
        script.tasks.clear();
        script.intents.clear();
        script.attempts.clear();
        script.groups.clear();
        script.letters.clear();
        script.jobs.clear();
        script.audit.clear();
        script.held.clear();
    });
    let mut bench = Bench::with(desk, width, height);
    walk(&mut bench, keys);
    bench
}

/// When every screen is looked at, so that clocks and ages are the same on all of them.
const SEEN_AT_MS: u64 = 30_000;

/// A screen that keys lead to.
pub(super) fn at(width: u16, height: u16, keys: &str) -> Bench {
    let mut bench = Bench::at(width, height);
    let takes_ms: u64 = keys
        .chars()
        .map(|key| if key == WAIT { 8_100 } else { 120 })
        .sum();
    bench.pass(SEEN_AT_MS - bench.elapsed_ms - takes_ms);
    walk(&mut bench, keys);
    bench
}

/// The strip of a type of task.
pub(super) fn strip(width: u16, height: u16, kind: &str) -> Bench {
    let mut bench = kinds::inbox(kind, (width, height));
    bench.keys("a");
    bench.pass(SEEN_AT_MS - bench.elapsed_ms);
    bench
}

/// Types the keys of a case.
pub(in super::super) fn walk(bench: &mut Bench, keys: &str) {
    for letter in keys.chars() {
        match letter {
            '\r' => bench.key(KeyCode::Enter),
            '\t' => bench.key(KeyCode::Tab),
            WAIT => bench.pass(8_100),
            '\u{13}' => bench.ctrl('s'),
            letter => bench.keys(&letter.to_string()),
        }
    }
    bench.settle();
}

/// What a screen lies over: the one whose keys begin its own, else the desk it belongs to.
pub(super) fn below(name: &str, keys: &str) -> Option<Case> {
    let screens = || DESKS.iter().chain(INTENT).copied();
    let begins = screens()
        .filter(|(other, begin)| *other != name && !begin.is_empty() && keys.starts_with(begin))
        .max_by_key(|(_, begin)| begin.len());
    let is_desk = DESKS.iter().any(|(desk, _)| *desk == name);
    let same_desk = || {
        DESKS.iter().copied().find(|(other, begin)| {
            *other != name && !is_desk && begin.chars().next() == keys.chars().next()
        })
    };
    begins
        .or_else(same_desk)
        .or_else(|| (name != "overview").then_some(("overview", "")))
}
