//! What an operator does in a day, by keys in a real terminal, and what the broker did because of it.

use portable_pty::CommandBuilder;
use serde_json::{Value, json};

use crate::broker::{Broker, PROGRAM};
use crate::pty::Terminal;

pub(crate) const TYPE: &str = "intent.order.process.v1";

pub(crate) fn attached(broker: &Broker) -> Terminal {
    let mut terminal = Terminal::open(broker.data(), &[]);
    terminal.await_text(&["[1 Overview]", "LIVE"]);
    terminal
}

/// Sends one and answers with its id.
pub(crate) fn send(broker: &Broker, to: &str, more: &[&str]) -> String {
    let sent = broker.json(&[&["send", TYPE, to], more].concat());
    sent["intent_id"].as_str().unwrap().to_owned()
}

/// The label that lists show: the last eight characters.
pub(crate) fn short(id: &str) -> &str {
    id.get(id.len() - 8..).unwrap()
}

#[test]
fn pausing_keeps_the_rows_and_going_on_shows_everything_that_came_meanwhile() {
    let broker = Broker::start();
    let first = send(&broker, "orders", &[]);
    let mut terminal = attached(&broker);
    terminal.press("3");
    terminal.await_text(&["[3 Intents]", short(&first)]);
    terminal.press("p");
    terminal.await_text(&["PAUSED"]);
    let later: Vec<String> = (0..5).map(|_| send(&broker, "orders", &[])).collect();
    terminal.await_text(&["changes meanwhile"]);
    let text = terminal.text();
    assert!(later.iter().all(|id| !text.contains(short(id))), "{text}");
    terminal.press("p");
    let all: Vec<&str> = later.iter().map(|id| short(id)).collect();
    terminal.await_text(&all);
    terminal.leave();
}

#[test]
fn a_terminal_that_hangs_up_ends_an_attached_console_and_nothing_else() {
    let broker = Broker::start();
    let terminal = attached(&broker);
    terminal.signal("HUP");
    let (_, left) = terminal.end();
    assert!(!left.contains("panicked"), "{left}");
    assert_eq!(broker.json(&["status"])["ok"], true);
}

#[test]
fn a_console_whose_terminal_nobody_reads_stops_when_it_is_told_to() {
    let data = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(data.path(), &["--listen", "127.0.0.1:0"]);
    terminal.await_text(&["1 Overview", "LIVE"]);
    terminal.hang();
    // A frame that finds no room.
    terminal.resize(30, 100);
    terminal.signal("TERM");
    assert_eq!(terminal.exit_code(), 0);
}

/// The clock of the header.
fn clock(text: &str) -> Option<String> {
    let header = text.lines().next()?;
    let end = header.match_indices('Z').map(|(at, _)| at).find(|at| {
        let time = header.get(at.saturating_sub(8)..*at);
        time.is_some_and(|time| time.matches(':').count() == 2)
    })?;
    Some(header.get(end - 8..end)?.to_owned())
}

/// Presses a key that acts, until the screen shows what it leads to. One that comes too soon after something
/// opened is asked for again; by the next second of the header's clock it may come.
pub(crate) fn press_until(terminal: &mut Terminal, key: &str, wanted: &str) {
    for _ in 0..10 {
        terminal.press(key);
        let is_answered = |text: &str| text.contains(wanted) || text.contains("again");
        let is_there = terminal.await_screen(is_answered, &mut |_| ());
        assert!(is_there, "{wanted:?} did not come:\n{}", terminal.text());
        let before = clock(&terminal.text());
        let has_passed = |text: &str| text.contains(wanted) || clock(text) != before;
        assert!(terminal.await_screen(has_passed, &mut |_| ()));
        if terminal.text().contains(wanted) {
            return;
        }
    }
    panic!("{wanted:?} did not come:\n{}", terminal.text());
}

/// Letters of one kind, after one of that type was done.
pub(crate) fn outage(broker: &Broker) -> Vec<String> {
    {
        let _good = broker.keep_running(&["listen", "orders", "--echo"]);
        let done = broker.run(&["send", TYPE, "orders", "--wait"]);
        assert_eq!(done.code, 0, "{}", done.err);
    }
    let _bad = broker.keep_running(&["listen", "orders", "--exec", "exit 9"]);
    let letters: Vec<String> = (0..4).map(|_| send(broker, "orders", &[])).collect();
    broker.until(&["dead", "groups", "--json"], |out| {
        let groups: Value = serde_json::from_str(out).unwrap_or_default();
        groups["groups"][0]["count"] == 4
    });
    letters
}

/// A console with the cursor on the newest letter of an outage, and that letter.
pub(crate) fn at_a_letter(broker: &Broker) -> (Terminal, String) {
    let letter = outage(broker).pop().unwrap();
    let mut terminal = attached(broker);
    terminal.press("5");
    terminal.await_text(&["[5 Dead letters", "exit code 9"]);
    terminal.press("\r");
    terminal.await_text(&[&format!("▶  {}", short(&letter)), "r replay"]);
    (terminal, letter)
}

#[test]
fn a_job_that_somebody_else_ordered_is_watched_to_its_end() {
    let broker = Broker::start();
    outage(&broker);
    let _good = broker.keep_running(&["listen", "orders", "--echo"]);
    let mut terminal = attached(&broker);
    terminal.press("7");
    terminal.await_text(&["[7 Jobs"]);
    let order = [
        "replay",
        "--matching",
        "--agent",
        "orders",
        "--apply",
        "--why",
        "fixed",
    ];
    broker.json(&order);
    terminal.await_text(&["replay", "fixed", "done"]);
    terminal.await_text(&["4"]);
    assert_eq!(broker.json(&["dead", "groups"])["groups"], json!([]));
    terminal.leave();
}

#[test]
fn the_console_is_run_by_a_person_who_listens() {
    let broker = Broker::start();
    let id = send(&broker, "orders", &[]);
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["--a11y", "--data"]);
    command.arg(broker.data());
    let mut terminal = Terminal::sized(broker.data(), command, 24, 80);
    terminal.await_text(&["link live", "Desk Overview", "Log"]);
    terminal.press("3");
    terminal.await_text(&["Desk Intents", &format!("selected: {}", short(&id))]);
    let (row, _) = terminal.screen().cursor_position();
    let text = terminal.text();
    let line = text.lines().nth(usize::from(row)).unwrap();
    assert!(line.starts_with("selected: "), "{line}\n{text}");
    assert!(!terminal.screen().hide_cursor());
    terminal.leave();
}

#[test]
fn a_storm_of_sizes_leaves_a_screen_that_fits_the_last_one() {
    let broker = Broker::start();
    send(&broker, "orders", &[]);
    let mut terminal = attached(&broker);
    for round in 0..40_u16 {
        terminal.resize(1 + round * 7 % 61, 1 + round * 13 % 211);
        terminal.press(if round % 2 == 0 { "3" } else { "1" });
    }
    terminal.resize(30, 110);
    terminal.press("3");
    terminal.await_text(&["[3 Intents]", "order.process"]);
    terminal.leave();
}
