//! Deciding with the real console in a terminal: what the screen shows, and what the broker did.

use serde_json::{Value, json};

use crate::broker::Broker;
use crate::pty::Terminal;

/// Asks a person something; the intent's id.
fn ask(broker: &Broker, payload: &Value, task: &Value) -> String {
    let (payload, task) = (payload.to_string(), task.to_string());
    let words = [
        "send",
        "intent.ask.v1",
        "finance",
        "--payload",
        &payload,
        "--human-task",
        &task,
    ];
    let sent = broker.json(&words);
    sent["intent_id"].as_str().unwrap().to_owned()
}

fn intent(broker: &Broker, id: &str) -> Value {
    broker.json(&["intents", "show", id])["intent"].clone()
}

/// Waits until the hold of a decision is over.
fn ended(broker: &Broker, id: &str) -> Value {
    broker.until(&["intents", "show", id, "--json"], |text| {
        text.contains("\"COMPLETED\"") || text.contains("\"FAILED\"")
    });
    intent(broker, id)
}

pub(crate) fn short(id: &str) -> &str {
    id.get(id.len() - 8..).unwrap()
}

fn last_four(id: &str) -> &str {
    id.get(id.len() - 4..).unwrap()
}

/// The console on a running broker, with its inbox on the screen.
pub(crate) fn inbox(broker: &Broker, shown: &str) -> Terminal {
    let mut terminal = Terminal::open(broker.data(), &[]);
    terminal.await_text(&["1 Overview", "LIVE"]);
    terminal.press("2");
    terminal.await_text(&["[2 Inbox", shown, "Thread"]);
    terminal
}

const OPEN: &str = "Esc keep draft";

/// Presses Enter until the strip takes it: it asks for it again while it is newly open.
pub(crate) fn stage(terminal: &mut Terminal) {
    for _ in 0..100 {
        terminal.press("\r");
        let is_answered = |text: &str| text.contains("press Enter again") || !text.contains(OPEN);
        assert!(
            terminal.await_screen(is_answered, &mut |_| ()),
            "{}",
            terminal.text()
        );
        if !terminal.text().contains(OPEN) {
            return;
        }
        // To the next outcome and back: what was asked is gone, and so is some of the time.
        terminal.press("\t");
        let is_turned = |text: &str| !text.contains("press Enter again");
        assert!(
            terminal.await_screen(is_turned, &mut |_| ()),
            "{}",
            terminal.text()
        );
        let turned = terminal.text();
        terminal.press("\u{1b}[Z");
        assert!(
            terminal.await_screen(|text| text != turned, &mut |_| ()),
            "{}",
            terminal.text()
        );
    }
    panic!("Enter was never taken:\n{}", terminal.text());
}

#[test]
fn forty_mixed_tasks_are_approved_in_a_row() {
    let broker = Broker::start();
    let kinds = [
        "approval",
        "confirmation",
        "review",
        "clarification",
        "manual_action",
    ];
    let asked: Vec<(String, &str)> = (0..40)
        .map(|number| {
            let kind = kinds[number % kinds.len()];
            let task = json!({
                "title": format!("question {number}"), "task_type": kind,
                "required_comment": kind == "approval" && number % 2 == 0,
            });
            let payload = json!({"number": number, "choices": ["account 2421", "account 3740"]});
            (ask(&broker, &payload, &task), kind)
        })
        .collect();
    let mut terminal = inbox(&broker, "40 open");
    for _ in 0..asked.len() {
        terminal.press("a");
        terminal.await_text(&[OPEN, "effect"]);
        if terminal.text().contains("answer required") {
            terminal.await_text(&["1 account 2421"]);
            terminal.press("\u{1b}1");
            terminal.await_text(&["answer given", "account 2421"]);
        } else if terminal.text().contains("comment required") {
            terminal.press("checked");
            terminal.await_text(&["comment given"]);
        }
        stage(&mut terminal);
    }
    for (id, kind) in &asked {
        let intent = ended(&broker, id);
        assert_eq!(intent["status"], "COMPLETED", "{intent}");
        let decision = &intent["human_task"]["decision"];
        let yes = match *kind {
            "confirmation" => "confirmed",
            "clarification" => "provided",
            "manual_action" => "completed",
            _ => "approved",
        };
        assert_eq!(decision["outcome"], yes, "{intent}");
        if *kind == "clarification" {
            assert_eq!(intent["result"]["answer"], "account 2421", "{intent}");
        }
    }
    terminal.await_text(&["Inbox · 0 open"]);
}

#[test]
fn a_read_only_console_says_why_it_decides_nothing() {
    let broker = Broker::start();
    let id = ask(&broker, &json!({}), &json!({"title": "May it happen?"}));
    let mut terminal = Terminal::open(broker.data(), &["--read-only"]);
    terminal.await_text(&["1 Overview", "LIVE"]);
    terminal.press("2");
    terminal.await_text(&["[2 Inbox", "May it happen?", "ro "]);
    terminal.press("a");
    terminal.await_text(&["read-only: started with --read-only"]);
    terminal.press("\r\r");
    terminal.press("1");
    terminal.await_text(&["[1 Overview"]);
    assert_eq!(intent(&broker, &id)["status"], "WAITING");
}

#[test]
fn an_override_wants_its_comment_and_the_end_of_the_id() {
    let broker = Broker::start();
    let payload = json!({"rule": "refund limit", "rule_text": "Above 500 EUR two people.", "from": "500 EUR", "to": "1,900 EUR"});
    let id = ask(
        &broker,
        &payload,
        &json!({"title": "Once past the limit", "task_type": "override"}),
    );
    let mut terminal = inbox(&broker, "Once past the limit");
    terminal.press("a");
    terminal.await_text(&[
        "bypass refund limit?",
        "500 EUR → 1,900 EUR",
        "Above 500 EUR two people.",
    ]);
    terminal.press("\r");
    terminal.await_text(&["a comment is required here"]);
    terminal.press("waits since March");
    terminal.await_text(&["waits since March", "comment given"]);
    terminal.press("\r");
    terminal.await_text(&["type the last four characters of the id"]);
    terminal.press("zzzz");
    terminal.await_text(&["▏zzzz"]);
    terminal.press("\r");
    terminal.await_text(&[&format!("the id ends in {}", last_four(&id))]);
    assert_eq!(intent(&broker, &id)["status"], "WAITING");
    terminal.press("\u{7f}\u{7f}\u{7f}\u{7f}");
    terminal.press(last_four(&id));
    terminal.await_text(&[&format!("▏{}", last_four(&id))]);
    press_enter(&mut terminal);
    terminal.await_text(&["override_approved, held, not yet final"]);
    let intent = ended(&broker, &id);
    assert_eq!(
        intent["human_task"]["decision"]["outcome"],
        "override_approved"
    );
    assert_eq!(
        intent["human_task"]["decision"]["comment"],
        "waits since March"
    );
}

/// Enter in a strip that has been open for long; once more where it came too soon after other keys.
pub(crate) fn press_enter(terminal: &mut Terminal) {
    for _ in 0..20 {
        let before = terminal.text();
        terminal.press("\r");
        assert!(
            terminal.await_screen(|text| text != before, &mut |_| ()),
            "{before}"
        );
        let is_closed = |text: &str| !text.contains(OPEN) || text.contains("press Enter again");
        assert!(
            terminal.await_screen(is_closed, &mut |_| ()),
            "{}",
            terminal.text()
        );
        if !terminal.text().contains(OPEN) {
            return;
        }
    }
    panic!("Enter was never taken:\n{}", terminal.text());
}

#[test]
fn of_two_consoles_on_one_task_the_second_sees_who_was_first_and_keeps_the_words() {
    let broker = Broker::start();
    let task = json!({"title": "Wire 48,000 EUR?", "required_comment": true});
    let id = ask(&broker, &json!({"amount": 48_000}), &task);
    let mut first = inbox(&broker, "Wire 48,000 EUR?");
    let mut second = inbox(&broker, "Wire 48,000 EUR?");
    for (terminal, key, words) in [
        (&mut second, "a", "matches PO-7731"),
        (&mut first, "x", "duplicate"),
    ] {
        terminal.press(key);
        terminal.await_text(&[OPEN, short(&id), "comment required"]);
        terminal.press(words);
        terminal.await_text(&[words, "comment given"]);
    }
    stage(&mut first);
    first.await_text(&["rejected, held, not yet final"]);
    second.await_text(&["rejected · final in"]);
    let intent = ended(&broker, &id);
    assert_eq!(intent["status"], "FAILED");
    assert_eq!(intent["human_task"]["decision"]["comment"], "duplicate");
    second.await_text(&["rejected this", "\"duplicate\"", "matches PO-7731"]);
    second.press("\r");
    second.await_text(&["Esc keeps the words"]);
    second.press("\u{1b}");
    second.await_text(&["draft kept for"]);
    assert_eq!(
        self::intent(&broker, &id)["status"],
        "FAILED",
        "the no stands"
    );
    // It is written a moment after the last key.
    broker.until(&["status"], |_| {
        let kept = std::fs::read_to_string(broker.data().join("console.json")).unwrap();
        kept.contains("matches PO-7731")
    });
}

#[test]
fn a_form_is_mended_where_it_is_wrong_and_its_fields_reach_the_broker() {
    let broker = Broker::start();
    let schema = json!({"type": "object", "required": ["vat_id", "with_insurance"], "properties": {
        "vat_id": {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"}, "with_insurance": {"type": "boolean"}}});
    let task = json!({"title": "Missing VAT id", "task_type": "form", "form_schema": schema});
    let id = ask(&broker, &json!({}), &task);
    let mut terminal = inbox(&broker, "Missing VAT id");
    terminal.press("a");
    terminal.await_text(&["fill in", "vat_id *", " * ▏ yes   no"]);
    terminal.press("5560");
    terminal.await_text(&["▏5560"]);
    press_enter_for(&mut terminal, "does not match");
    assert!(
        terminal.text().contains("is required"),
        "{}",
        terminal.text()
    );
    assert_eq!(intent(&broker, &id)["status"], "WAITING");
    terminal.press("\u{7f}\u{7f}\u{7f}\u{7f}");
    terminal.press("SE5560");
    terminal.await_text(&["▏SE5560"]);
    terminal.press("\t");
    terminal.press("y");
    terminal.await_text(&["[yes]"]);
    press_enter(&mut terminal);
    terminal.await_text(&["submitted, held, not yet final"]);
    let intent = ended(&broker, &id);
    assert_eq!(intent["result"]["vat_id"], "SE5560", "{intent}");
    assert_eq!(intent["result"]["with_insurance"], true, "{intent}");
}

/// Enter until the strip says this.
fn press_enter_for(terminal: &mut Terminal, wanted: &str) {
    terminal.press("\r");
    terminal.await_text(&[wanted]);
}
