//! The scenarios that ask a person, decided with the real console in a terminal: their agents are the command
//! line's listener, their events are those that the documents name.

use serde_json::{Value, json};

use crate::broker::Broker;
use crate::inbox::{inbox, press_enter, short, stage};
use crate::pty::Terminal;

/// Applies a scenario of `tests/scenarios` with other numbers; the run's id.
fn apply(broker: &Broker, name: &str, change: impl FnOnce(&mut Value)) -> String {
    let file = format!("{}/tests/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let mut bundle: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    change(&mut bundle);
    let file = broker.data().join("bundle.json");
    std::fs::write(&file, bundle.to_string()).unwrap();
    let applied = broker.json(&["scenarios", "apply", file.to_str().unwrap()]);
    applied["intent_id"].as_str().unwrap().to_owned()
}

/// The run once it is over.
fn over(broker: &Broker, run: &str) -> Value {
    let is_over = |text: &str| {
        let shown: Value = serde_json::from_str(text).unwrap();
        shown["intent"]["completed_at"].is_string()
    };
    let shown = broker.until(&["intents", "show", run, "--json"], is_over);
    serde_json::from_str(&shown).unwrap()
}

/// The events of a run, with who has to act after each that says so.
fn told(shown: &Value) -> Vec<String> {
    let events = shown["events"].as_array().unwrap().iter();
    events
        .map(|event| {
            let kind = event["event_type"].as_str().unwrap();
            let kind = kind.trim_start_matches("intent.");
            match kind {
                "waiting" | "escalated" => {
                    format!("{kind} {}", event["pending_with"]["name"].as_str().unwrap())
                }
                _ => kind.to_owned(),
            }
        })
        .collect()
}

/// Goes to what the run asks now: the last row, for what is decided stays in its place.
fn go_to(terminal: &mut Terminal, broker: &Broker, run: &str, step: &str) {
    let is_there = |text: &str| {
        let shown: Value = serde_json::from_str(text).unwrap();
        shown["intent"]["step_id"] == step && shown["intent"]["step_intent_id"].is_string()
    };
    let shown = broker.until(&["intents", "show", run, "--json"], is_there);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let id = shown["intent"]["step_intent_id"].as_str().unwrap();
    let short = short(id);
    terminal.await_text(&[&format!(" {short}  ")]);
    terminal.press("G");
    terminal.await_text(&[&format!("Task {short}")]);
}

/// Decides what is asked now, with the words that its strip wants.
fn decide(terminal: &mut Terminal, key: &str, words: &str) {
    terminal.press(key);
    terminal.await_text(&["Esc keep draft", "effect"]);
    if !words.is_empty() {
        terminal.press(words);
        terminal.await_text(&[words]);
    }
    stage(terminal);
}

fn quick(bundle: &mut Value) {
    let steps = bundle["workflow"]["steps"].as_array_mut().unwrap();
    for step in steps {
        if step["step_id"] == "cool_off" {
            step["runtime_config"]["seconds"] = json!(1);
        }
    }
}

#[test]
fn a_refund_is_rejected_clarified_and_filled_in_with_the_console() {
    let broker = Broker::start();
    let _payer = broker.keep_running(&["listen", "payouts", "--exec", "cat"]);
    let run = apply(&broker, "refund-branches", quick);
    let mut terminal = inbox(&broker, "Refund ORD-7731?");
    let go_to = |terminal: &mut Terminal, step| go_to(terminal, &broker, &run, step);
    go_to(&mut terminal, "assess");
    decide(&mut terminal, "x", "");
    go_to(&mut terminal, "clarify");
    decide(&mut terminal, "a", "photo attached");
    go_to(&mut terminal, "assess");
    terminal.press("a");
    terminal.await_text(&["fill in", "amount_minor *", "reason *"]);
    terminal.press("4990");
    terminal.await_text(&["▏4990"]);
    // Past the note; the bundle of this test is sorted by its keys.
    terminal.press("\t\td");
    terminal.await_text(&["[damaged]"]);
    press_enter(&mut terminal);
    let shown = over(&broker, &run);
    assert_eq!(shown["intent"]["status"], "COMPLETED", "{shown}");
    let steps = &shown["intent"]["result"]["steps"];
    assert_eq!(steps["assess"]["amount_minor"], 4990, "{steps}");
    assert_eq!(steps["assess"]["reason"], "damaged", "{steps}");
    assert_eq!(steps["clarify"]["outcome"], "provided", "{steps}");
    assert_eq!(
        told(&shown),
        [
            "created",
            "submitted",
            "delivered",
            "waiting support@example.test",
            "waiting support@example.test",
            "waiting support@example.test",
            "waiting agent_core",
            "waiting payouts",
            "completed",
        ]
    );
    let audit = broker.json(&["audit", "--limit", "50"]);
    let decided = audit["events"].as_array().unwrap().iter();
    let decided = decided.filter(|entry| entry["action"] == "task.decide");
    let ways: Vec<_> = decided.map(|entry| entry["via"].clone()).collect();
    assert_eq!(ways, ["console", "console", "console"], "{audit}");
}

/// A deployment that a person is asked about, reminded of at once, and escalated.
fn deployment(broker: &Broker) -> String {
    let _checker = broker.keep_running(&["listen", "readiness-checker", "--exec", "cat"]);
    let run = apply(broker, "deploy-approval", |bundle| {
        let signoff = &mut bundle["workflow"]["steps"][1];
        for (key, seconds) in [
            ("remind_after_seconds", 1),
            ("remind_interval_seconds", 1),
            ("max_reminders", 2),
        ] {
            signoff[key] = json!(seconds);
        }
    });
    broker.until(&["intents", "show", &run, "--json"], |text| {
        text.contains("ops@example.test")
    });
    run
}

#[test]
fn a_deployment_that_waited_over_a_death_and_was_escalated_is_decided_with_the_console() {
    const DEPLOY: &str = "Deploy api-gateway 3.2.1 to production?";
    for (key, end) in [("a", "COMPLETED"), ("x", "FAILED")] {
        let broker = Broker::start();
        let run = deployment(&broker);
        let broker = Broker::start_in(broker.kill(), &[]);
        broker.until(&["intents", "show", &run, "--json"], |text| {
            text.contains("lead@example.test")
        });
        let mut terminal = inbox(&broker, DEPLOY);
        let words = if key == "x" { "not on a Friday" } else { "" };
        go_to(&mut terminal, &broker, &run, "signoff");
        decide(&mut terminal, key, words);
        let shown = over(&broker, &run);
        assert_eq!(shown["intent"]["status"], end, "{shown}");
        let mut wanted = vec![
            "created",
            "submitted",
            "delivered",
            "waiting readiness-checker",
            "waiting ops@example.test",
            "escalated lead@example.test",
        ];
        if end == "COMPLETED" {
            wanted.extend(["waiting agent_core", "completed"]);
            let body = &shown["intent"]["result"]["steps"]["announce"]["body"];
            assert_eq!(*body, format!("Intent {run} approved."));
        } else {
            wanted.push("failed");
            let error = &shown["intent"]["error"];
            assert_eq!(error["code"], "rejected", "{error}");
            let words = error["message"].as_str().unwrap();
            assert!(words.contains("not on a Friday"), "{error}");
        }
        assert_eq!(told(&shown), wanted);
    }
}
