//! What an operator does in a day, by keys in a real terminal, and what the broker did because of it.

use portable_pty::CommandBuilder;
use serde_json::{Value, json};

use crate::broker::{Broker, PROGRAM};
use crate::pty::Terminal;

const TYPE: &str = "intent.order.process.v1";

fn attached(broker: &Broker) -> Terminal {
    let mut terminal = Terminal::open(broker.data(), &[]);
    terminal.await_text(&["[1 Overview]", "LIVE"]);
    terminal
}

/// Sends one and answers with its id.
fn send(broker: &Broker, to: &str, more: &[&str]) -> String {
    let sent = broker.json(&[&["send", TYPE, to], more].concat());
    sent["intent_id"].as_str().unwrap().to_owned()
}

/// The label that lists show: the last eight characters.
fn short(id: &str) -> &str {
    &id[id.len() - 8..]
}

fn shown(broker: &Broker, id: &str) -> Value {
    broker.json(&["intents", "show", id])["intent"].clone()
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
fn one_intent_is_found_by_the_end_of_its_id_by_a_filter_and_by_a_text_in_it() {
    let broker = Broker::start();
    for number in 0..6 {
        let payload = json!({ "note": format!("plain {number}") }).to_string();
        send(&broker, "orders", &["--payload", &payload]);
    }
    let needle = send(
        &broker,
        "ledger",
        &["--payload", r#"{"note":"the NEEDLE of all"}"#],
    );
    let mut terminal = attached(&broker);
    terminal.press(&format!(":intent {}", short(&needle)));
    terminal.await_text(&[&format!("find {}", short(&needle))]);
    terminal.press("\r");
    terminal.await_text(&[&format!("intent {}", short(&needle))]);
    terminal.press("\r");
    terminal.await_text(&[&needle, "ledger"]);
    terminal.press("3");
    terminal.press("/agent:led*\r");
    terminal.await_text(&["all 7 looked at", short(&needle)]);
    terminal.press("//");
    terminal.await_text(&["filter cleared"]);
    terminal.press("/needle\r");
    terminal.await_text(&["/ needle", "all 7 looked at", short(&needle)]);
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

#[test]
fn what_is_pasted_decides_nothing_marked_as_a_paste_or_not() {
    let broker = Broker::start();
    let task = json!({"title": "Refund 40", "task_type": "approval"}).to_string();
    let id = send(&broker, "finance", &["--human-task", &task]);
    let mut terminal = attached(&broker);
    terminal.press("2");
    terminal.await_text(&["[2 Inbox", "Refund 40"]);
    terminal.press("\u{1b}[200~aaaa\r\r\u{1b}[201~");
    terminal.await_text(&["a paste is never a command"]);
    terminal.press("aaaa\raaaa\r");
    terminal.await_text(&["press Enter again"]);
    assert_eq!(shown(&broker, &id)["status"], "WAITING");
    assert_eq!(broker.json(&["held"])["holds"], json!([]));
    terminal.press("\u{1b}");
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
fn an_agent_that_misbehaves_is_paused_bounded_and_let_go_on() {
    let broker = Broker::start();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", gone.local_addr().unwrap());
    drop(gone);
    let add = [
        "agents",
        "add",
        "gone",
        "--binding",
        "http",
        "--callback",
        &url,
    ];
    assert_eq!(broker.run(&add).code, 0);
    let first = send(&broker, "gone", &[]);
    let mut terminal = attached(&broker);
    terminal.press(":agent gone\r");
    terminal.await_text(&["[6 Agents]", "› gone"]);
    let agent = || broker.json(&["agents", "show", "gone"])["agent"].clone();
    terminal.press("P");
    terminal.await_text(&["accepted and kept", "why is required"]);
    terminal.press("it answers nothing");
    terminal.press_until("\r", &["pause gone: done"], "again");
    assert_eq!(agent()["paused"], json!(true), "{}", agent());
    terminal.await_text(&["it answers nothing"]);
    terminal.press("L");
    terminal.await_text(&["at once", "why is required"]);
    terminal.press("\u{7f}\u{7f}\u{7f}2\tone at a time");
    terminal.press_until("\r", &["limit gone: done"], "again");
    assert_eq!(agent()["max_in_flight"], json!(2), "{}", agent());
    terminal.press("P");
    terminal.await_text(&["Resume"]);
    terminal.press("it is back");
    terminal.press_until("\r", &["resume gone: done"], "again");
    assert_eq!(agent()["paused"], json!(false), "{}", agent());
    assert_ne!(shown(&broker, &first)["status"], "COMPLETED");
    terminal.leave();
}

/// Letters of one kind, after one of that type was done.
fn outage(broker: &Broker) -> Vec<String> {
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

#[test]
fn an_outage_is_triaged_by_its_group_and_replayed_to_its_end() {
    let broker = Broker::start();
    let letters = outage(&broker);
    let mut terminal = attached(&broker);
    terminal.press("5");
    terminal.await_text(&["[5 Dead letters", "exit code 9", short(&letters[0])]);
    terminal.press("d");
    terminal.await_text(&["last success", "COMPLETED", "FAILED"]);
    terminal.press("\u{1b}");
    terminal.await_text(&["In group"]);
    terminal.press("R");
    terminal.await_text(&["Replay 4 dead letters", "fresh budget"]);
    let _good = broker.keep_running(&["listen", "orders", "--echo"]);
    terminal.press("the receiver is repaired\t");
    terminal.press_until("\r", &["held"], "again");
    let left = broker.until(&["dead", "groups", "--json"], |out| {
        let groups: Value = serde_json::from_str(out).unwrap_or_default();
        groups["groups"] == json!([])
    });
    drop(left);
    for letter in &letters {
        let show = broker.json(&["dead", "list", "--state", "replayed"]);
        let of = |one: &&Value| one["intent_id"] == json!(letter);
        let row = show["dead_letters"].as_array().unwrap().iter().find(of);
        let replay = row.unwrap()["replayed_as"].as_str().unwrap().to_owned();
        broker.until(&["intents", "show", &replay, "--json"], |out| {
            let shown: Value = serde_json::from_str(out).unwrap_or_default();
            shown["intent"]["status"] == "COMPLETED"
        });
    }
    terminal.await_text(&["dead 0"]);
    terminal.leave();
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
fn a_letter_is_edited_and_replayed_as_it_was_written() {
    let broker = Broker::start();
    let letters = outage(&broker);
    let mut terminal = attached(&broker);
    terminal.press("5");
    terminal.await_text(&["[5 Dead letters", short(&letters[3])]);
    terminal.press("\r");
    terminal.await_text(&[&format!("▶  {}", short(&letters[3]))]);
    terminal.press("e");
    terminal.await_text(&["nothing is sent"]);
    // The last brace goes, a field comes.
    terminal.press("\u{7f}\"fixed\":1}");
    terminal.await_text(&["\"fixed\":1}"]);
    terminal.press_until("\u{13}", &["held"], "again");
    let list = broker.until(&["intents", "list", "--json"], |out| {
        let list: Value = serde_json::from_str(out).unwrap_or_default();
        let replay = |one: &Value| one["replay_of"] == json!(letters[3]);
        list["intents"]
            .as_array()
            .is_some_and(|all| all.iter().any(replay))
    });
    let list: Value = serde_json::from_str(&list).unwrap();
    let replay = |one: &&Value| one["replay_of"] == json!(letters[3]);
    let made = list["intents"]
        .as_array()
        .unwrap()
        .iter()
        .find(replay)
        .unwrap();
    let payload = shown(&broker, made["intent_id"].as_str().unwrap())["payload"].clone();
    assert_eq!(payload, json!({ "fixed": 1 }));
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
