//! `:record` in a real terminal, with text of others that would be a command to one.

use serde_json::Value;

use crate::broker::Broker;
use crate::journeys::{attached, send, short};

#[test]
fn a_session_is_recorded_where_it_says_with_nothing_that_a_terminal_would_obey() {
    let broker = Broker::start();
    let mut terminal = attached(&broker);
    terminal.press(":record");
    terminal.await_text(&["screen.record"]);
    terminal.press("\r");
    terminal.await_text(&["payloads masked", ":record ends it", "REC"]);
    let hostile = "{\"note\":\"\\u001b]0;owned\\u0007\\u202e\",\"iban\":\"SE4550000000\"}";
    let id = send(&broker, "orders", &["--payload", hostile]);
    terminal.press("3");
    terminal.await_text(&["[3 Intents]", short(&id)]);
    terminal.press("\r");
    terminal.await_text(&[&id, "Timeline"]);
    terminal.press(":record");
    terminal.await_text(&["screen.record"]);
    terminal.press("\r");
    terminal.await_text(&["recording ended", "lines in"]);
    terminal.leave();
    let folder = broker.data().join("recordings");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    let is_plain = |one: char| one == '\n' || !one.is_control() && one != '\u{202e}';
    assert!(text.chars().all(is_plain), "{text:?}");
    assert!(!text.contains("SE4550000000"), "{text}");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["format"], "postroom-session");
    assert!(lines.iter().any(|line| line["action"] == "desk.intents"));
    assert!(lines.iter().any(|line| line["action"] == "list.open"));
    let facts = lines
        .iter()
        .filter_map(|line| line["feed"]["rows"].as_array());
    assert!(facts.flatten().any(|row| row["intent"] == id.as_str()));
}
