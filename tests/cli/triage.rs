//! What goes wrong, by keys in a real terminal: letters that died, agents that misbehave.

use serde_json::{Value, json};

use crate::broker::Broker;
use crate::journeys::{at_a_letter, attached, outage, press_until, send, short};

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[test]
fn an_outage_is_triaged_by_its_group_and_replayed_to_the_end_of_the_job() {
    let broker = Broker::start();
    let letters = outage(&broker);
    let mut terminal = attached(&broker);
    terminal.press("5");
    terminal.await_text(&["[5 Dead letters", "exit code 9", "1 group "]);
    terminal.press("\r");
    let all: Vec<&str> = letters.iter().map(|id| short(id)).collect();
    terminal.await_text(&all);
    terminal.press("d");
    terminal.await_text(&["with the last success", "value is the same"]);
    terminal.press("\u{1b}");
    terminal.await_text(&["In group", "r replay"]);
    terminal.press("\u{1b}");
    terminal.await_text(&["┏━ Dead letters"]);
    terminal.press("R");
    terminal.await_text(&["all 4 of", "4 eligible", "[ Start replay ]"]);
    // The receiver is mended meanwhile; nothing has been sent yet.
    let _good = broker.keep_running(&["listen", "orders", "--echo"]);
    assert_eq!(broker.json(&["jobs", "list"])["jobs"], json!([]));
    terminal.press("\t");
    terminal.press("receiver mended");
    terminal.await_text(&["why       ▏receiver mended"]);
    press_until(&mut terminal, "\r", "R replay many");
    terminal.press("7");
    terminal.await_text(&["[7 Jobs", "receiver mended"]);
    let is_done = |text: &str| {
        let mut rows = text.lines().filter(|line| line.contains("receiver mended"));
        rows.any(|row| row.contains("done") && row.contains("4/4"))
    };
    assert!(
        terminal.await_screen(is_done, &mut |_| ()),
        "{}",
        terminal.text()
    );
    let jobs = broker.json(&["jobs", "list"]);
    assert_eq!(jobs["jobs"][0]["state"], "done", "{jobs}");
    assert_eq!(jobs["jobs"][0]["succeeded"], 4, "{jobs}");
    assert_eq!(broker.json(&["dead", "groups"])["groups"], json!([]));
    let replayed = broker.json(&["dead", "list", "--state", "replayed"]);
    for letter in &letters {
        let mut rows = replayed["dead_letters"].as_array().unwrap().iter();
        let row = rows.find(|row| row["intent_id"] == json!(letter)).unwrap();
        let replay = row["replayed_as"].as_str().unwrap();
        broker.until(&["intents", "show", replay, "--json"], |out| {
            read(out)["intent"]["status"] == "COMPLETED"
        });
    }
    terminal.press("5");
    terminal.await_text(&["[5 Dead letters", "0 groups"]);
    terminal.leave();
}

#[test]
fn a_letter_is_edited_and_replayed_as_it_was_written() {
    let broker = Broker::start();
    let (mut terminal, letter) = at_a_letter(&broker);
    terminal.press("e");
    terminal.await_text(&[&format!("Edit and replay {}", short(&letter)), "▏{"]);
    press_until(&mut terminal, "\u{13}", "nothing was changed");
    // What stands there goes; half of an object comes first.
    terminal.press("\u{7f}\u{7f}\u{7f}{\"fixed\":");
    terminal.await_text(&["{\"fixed\":"]);
    terminal.press("\u{13}");
    terminal.await_text(&["▏{\"fixed\":", "EOF"]);
    terminal.press("1}");
    terminal.await_text(&["{\"fixed\":1}"]);
    press_until(&mut terminal, "\u{13}", "edited replay of");
    let list = broker.until(&["intents", "list", "--json"], |out| {
        let list = read(out);
        let replay = |one: &Value| one["replay_of"] == json!(letter);
        list["intents"]
            .as_array()
            .is_some_and(|all| all.iter().any(replay))
    });
    let list = read(&list);
    let replay = |one: &&Value| one["replay_of"] == json!(letter);
    let mut all = list["intents"].as_array().unwrap().iter();
    let id = all.find(replay).unwrap()["intent_id"].as_str().unwrap();
    let made = broker.json(&["intents", "show", id]);
    assert_eq!(made["intent"]["payload"], json!({ "fixed": 1 }), "{made}");
    let original = broker.json(&["intents", "show", &letter]);
    assert_eq!(original["intent"]["payload"], json!({}), "{original}");
    terminal.leave();
}

#[test]
fn an_agent_that_misbehaves_is_paused_bounded_and_let_go_on() {
    let broker = Broker::start();
    let waiting = send(&broker, "orders", &[]);
    let mut terminal = attached(&broker);
    terminal.press(":");
    terminal.await_text(&["▏"]);
    terminal.press("agent orders");
    terminal.await_text(&["agent orders"]);
    terminal.press("\r");
    terminal.await_text(&["[6 Agents]", "› orders", "L rate limit"]);
    let agent = || broker.json(&["agents", "show", "orders"])["agent"].clone();
    terminal.press("P");
    terminal.await_text(&["accepted and kept", "why is required"]);
    terminal.press("it answers nothing");
    terminal.await_text(&["why      ▏it answers nothing"]);
    press_until(&mut terminal, "\r", "pause orders: done");
    assert_eq!(agent()["paused"], json!(true), "{}", agent());
    terminal.await_text(&["paused", "it answers nothing"]);
    // One that listens gets nothing while it is paused.
    let _good = broker.keep_running(&["listen", "orders", "--echo"]);
    terminal.press("L");
    terminal.await_text(&["at once  ▏0", "why is required"]);
    terminal.press("\u{7f}2");
    terminal.await_text(&["at once  ▏2"]);
    terminal.press("\tone at a time");
    terminal.await_text(&["why      ▏one at a time"]);
    press_until(&mut terminal, "\r", "limit orders: done");
    assert_eq!(agent()["max_in_flight"], json!(2), "{}", agent());
    let shown = broker.json(&["intents", "show", &waiting]);
    assert_ne!(shown["intent"]["status"], "COMPLETED", "{shown}");
    terminal.press("P");
    terminal.await_text(&["[ Resume ]", "why is required"]);
    terminal.press("it answers again");
    terminal.await_text(&["why      ▏it answers again"]);
    press_until(&mut terminal, "\r", "resume orders: done");
    assert_eq!(agent()["paused"], json!(false), "{}", agent());
    broker.until(&["intents", "show", &waiting, "--json"], |out| {
        read(out)["intent"]["status"] == "COMPLETED"
    });
    let audit = broker.json(&["audit"]).to_string();
    for why in ["it answers nothing", "one at a time", "it answers again"] {
        assert!(audit.contains(why), "{why}: {audit}");
    }
    terminal.leave();
}
