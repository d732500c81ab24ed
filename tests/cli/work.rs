//! Sending and receiving.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::broker::{Broker, Ended, program};

const TYPE: &str = "intent.order.process.v1";

#[test]
fn send_and_wait_against_an_echoing_listener_returns_the_result() {
    let broker = Broker::start();
    let listener = broker.keep_running(&["listen", "orders", "--echo"]);
    assert!(
        listener
            .first
            .contains("listening for agent://local/default/orders"),
        "{}",
        listener.first
    );
    let ended = broker.run(&[
        "send",
        TYPE,
        "orders",
        "-p",
        "{\"city\":\"Zürich\"}",
        "--wait",
    ]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(ended.out, "COMPLETED\n{\"city\":\"Zürich\"}\n");
}

#[test]
fn a_command_decides_by_its_exit_code() {
    let broker = Broker::start();
    let command = "read payload; case \"$payload\" in *bad*) echo no stock >&2; exit 3;; esac; echo \"{\\\"type\\\":\\\"$POSTROOM_INTENT_TYPE\\\"}\"";
    let _listener = broker.keep_running(&["listen", "orders", "--exec", command]);
    let good = broker.run(&["send", TYPE, "orders", "-p", "{\"n\":\"good\"}", "--wait"]);
    assert_eq!(
        (good.code, good.out.as_str()),
        (0, "COMPLETED\n{\"type\":\"intent.order.process.v1\"}\n")
    );
    let bad = broker.run(&["send", TYPE, "orders", "-p", "{\"n\":\"bad\"}", "--wait"]);
    assert_eq!(bad.code, 1, "{bad:?}");
    assert!(
        bad.out.starts_with("FAILED\n") && bad.out.contains("no stock"),
        "{}",
        bad.out
    );
    let letters = broker.json(&["dead", "list"]);
    assert_eq!(letters["dead_letters"][0]["reason"], "handler_failed");
}

#[test]
fn a_poll_answers_what_waits_and_ends() {
    let broker = Broker::start();
    let sent = broker.json(&["send", TYPE, "ledger", "-p", "{\"n\":7}"]);
    let polled = broker.run(&["poll", "ledger", "--echo", "--once", "--json"]);
    assert_eq!(polled.code, 0, "{}", polled.err);
    let row: Value = serde_json::from_str(&polled.out).unwrap();
    assert_eq!(
        (&row["intent_id"], &row["answer"]),
        (&sent["intent_id"], &json!("completed"))
    );
    let shown = broker.json(&["intents", "show", sent["intent_id"].as_str().unwrap()]);
    assert_eq!(shown["intent"]["status"], "COMPLETED");
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 1);
}

#[test]
fn numbers_come_back_as_they_were_written() {
    let broker = Broker::start();
    let written = r#"{"big":123456789012345678901234567890,"price":1.10,"tiny":1.50e-3}"#;
    let _listener = broker.keep_running(&["listen", "orders", "--echo"]);
    let ended = broker.run(&["send", TYPE, "orders", "-p", written, "--wait", "--json"]);
    assert!(ended.out.contains(written), "{}", ended.out);
    let list = broker.run(&["intents", "list", "--json"]);
    let list: Value = serde_json::from_str(&list.out).unwrap();
    let id = list["intents"][0]["intent_id"].as_str().unwrap().to_owned();
    let shown = broker.run(&["intents", "show", &id, "--json"]);
    assert!(shown.out.contains(written), "{}", shown.out);
    let shown = broker.run(&["intents", "show", &id]);
    assert!(shown.out.contains("1.10"), "{}", shown.out);
    let unfit = broker.run(&["send", TYPE, "orders", "-p", "{\"a\":1e400}"]);
    assert_eq!(unfit.code, 2, "{unfit:?}");
}

#[test]
fn an_intent_is_meant_by_the_end_or_the_beginning_of_its_id() {
    let broker = Broker::start();
    let send = || broker.json(&["send", TYPE, "orders"])["intent_id"].clone();
    let first = send().as_str().unwrap().to_owned();
    let (beginning, end) = (first.get(..6).unwrap(), first.get(28..).unwrap());
    let shown = broker.json(&["intents", "show", end]);
    assert_eq!(shown["intent"]["intent_id"], json!(first));
    let upper = end.to_uppercase();
    let explained = broker.json(&["explain", &upper]);
    assert_eq!(explained["intent_id"], json!(first));
    let _second = send();
    // Ids begin with the time: both do so.
    let both = broker.run(&["intents", "cancel", beginning]);
    assert_eq!(both.code, 1);
    assert!(
        both.err.contains(&first) && both.err.contains("several"),
        "{}",
        both.err
    );
    let canceled = broker.run(&["intents", "cancel", end]);
    assert_eq!(
        (canceled.code, canceled.out),
        (0, format!("{first}  canceled\n"))
    );
    for nobody in ["00000000", "ab", "nobody"] {
        let shown = broker.run(&["intents", "show", nobody]);
        assert_eq!(shown.code, 1);
        assert!(shown.err.contains("intent_not_found"), "{}", shown.err);
    }
}

#[test]
fn the_same_key_sends_once() {
    let broker = Broker::start();
    let words = ["send", TYPE, "orders", "--key", "k1", "-p", "{\"n\":1}"];
    let (first, second) = (broker.json(&words), broker.json(&words));
    assert_eq!(first["intent_id"], second["intent_id"]);
    let other = broker.run(&["send", TYPE, "orders", "--key", "k1", "-p", "{\"n\":2}"]);
    assert_eq!(other.code, 1);
    assert!(other.err.contains("idempotency_conflict"), "{}", other.err);
}

#[test]
fn what_is_no_payload_is_usage_and_nothing_is_sent() {
    let broker = Broker::start();
    for payload in ["[1]", "{", "@/no/such/file"] {
        let ended = broker.run(&["send", TYPE, "orders", "-p", payload]);
        assert_eq!(ended.code, 2, "{payload}: {ended:?}");
    }
    assert_eq!(broker.json(&["intents", "list"])["intents"], json!([]));
}

#[test]
fn no_broker_is_exit_code_three_and_no_arguments_are_two() {
    let data = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| Ended::of(program(data.path(), words).output().unwrap());
    let unreachable = run(&["send", TYPE, "orders"]);
    assert_eq!(unreachable.code, 3, "{unreachable:?}");
    assert!(unreachable.err.contains("hint:"), "{}", unreachable.err);
    assert_eq!(run(&["send"]).code, 2);
    assert_eq!(run(&["no-such-verb"]).code, 2);
    assert_eq!(run(&["--version"]).code, 0);
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let broker = Broker::start();
    for number in 0..5 {
        broker.json(&["send", TYPE, "orders", "-p", &format!("{{\"n\":{number}}}")]);
    }
    let mut child = program(broker.data(), &["events", "--follow", "--since", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(!line.is_empty());
    drop(out);
    broker.json(&["send", TYPE, "orders"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_manual_has_a_page_for_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let page = Ended::of(program(folder.path(), &["man"]).output().unwrap());
    assert_eq!(page.code, 0, "{}", page.err);
    assert!(page.out.contains(".TH postroom 1"), "{}", page.out);
    let pages = folder.path().join("man1");
    let words = ["man", "--out", pages.to_str().unwrap()];
    let written = Ended::of(program(folder.path(), &words).output().unwrap());
    assert_eq!(written.code, 0, "{}", written.err);
    for verb in [
        "send",
        "dead-discard",
        "agents-pause",
        "jobs-cancel",
        "scenarios-apply",
    ] {
        let text = std::fs::read_to_string(pages.join(format!("postroom-{verb}.1"))).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{verb}: {text}");
    }
}
