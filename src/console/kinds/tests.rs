use serde_json::{Value, json};

use super::*;
use crate::domain::address::{Address, Home};
use crate::domain::ids::{IntentId, ThreadId};
use crate::domain::payload::Payload;
use crate::domain::time::Timestamp;
use crate::store::query::ThreadKind;

fn task(task_type: &str) -> TaskRow {
    let intent: IntentId = "019cdc44-7e86-7a07-8e41-6b2a8fd03e1b".parse().unwrap();
    let address = |name: &str| Address::parse(name, &Home::default()).unwrap();
    TaskRow {
        thread: ThreadId(intent.0),
        intent,
        kind: ThreadKind::Task,
        owner: address("finance"),
        from: address("payouts"),
        intent_type: "intent.ask.v1".to_owned(),
        title: "May it happen?".to_owned(),
        description: None,
        task_type: task_type.to_owned(),
        outcomes: Vec::new(),
        is_comment_required: false,
        is_evidence_required: false,
        form: None,
        assignees: Vec::new(),
        version: 1,
        is_open: true,
        opened_at: Timestamp::from_millis(0),
        due_at: None,
        is_overdue: false,
        deadline: None,
        reminded: 0,
        reminders_max: None,
        escalates_to: None,
        decision: None,
        held: None,
        delegated_to: None,
    }
}

fn brief<'a>(task: &'a TaskRow, payload: &'a Value) -> Brief<'a> {
    Brief {
        task,
        payload,
        people: &[],
    }
}

#[test]
fn a_form_keeps_the_order_of_its_schema_and_proposes_its_defaults() {
    let schema = r#"{"properties":{"zip":{"type":"string"},"age":{"type":"integer","default":7},
        "kind":{"oneOf":[{"const":1,"title":"one"},{"const":2,"title":"two"}],"default":2}}}"#;
    let task = TaskRow {
        form: Some(Payload::object(schema).unwrap()),
        ..task("form")
    };
    let entries = entries_of(&brief(&task, &Value::Null));
    let names: Vec<&str> = entries.iter().map(|entry| entry.label.as_str()).collect();
    assert_eq!(names, ["zip", "age", "kind", "comment"]);
    assert_eq!(entries[1].value(), Ok(Some(json!(7))));
    assert_eq!(entries[2].value(), Ok(Some(json!(2))));
}

#[test]
fn evidence_stands_behind_the_comment_and_goes_with_every_outcome() {
    let task = TaskRow {
        is_evidence_required: true,
        ..task("override")
    };
    let entries = entries_of(&brief(&task, &Value::Null));
    let keys: Vec<&Key> = entries.iter().map(|entry| &entry.key).collect();
    assert_eq!(keys, [&Key::Comment, &Key::Evidence, &Key::LastFour]);
    let faults = hand_in(&brief(&task, &Value::Null), &entries, "rejected").unwrap_err();
    let keys: Vec<_> = faults.into_iter().filter_map(|fault| fault.key).collect();
    assert_eq!(keys, [Key::Comment, Key::Evidence]);
}

#[test]
fn two_values_are_reviewed_leaf_by_leaf_and_two_texts_line_by_line() {
    let task = task("review");
    let lines = |payload: &Value| {
        let entries = entries_of(&brief(&task, payload));
        match entries.into_iter().nth(1).map(|entry| entry.input) {
            Some(crate::console::model::strip::entry::Input::Look(lines, _)) => lines,
            _ => Vec::new(),
        }
    };
    let values = json!({"before": {"limit": 5}, "after": {"limit": 9}});
    let found = lines(&values);
    assert!(
        found
            .iter()
            .any(|line| line.starts_with('-') && line.ends_with('5')),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|line| line.starts_with('+') && line.ends_with('9')),
        "{found:?}"
    );
    assert_eq!(lines(&json!({"before": "a", "after": "b"})), ["-a", "+b"]);
    assert!(lines(&json!({"limit": 5})).is_empty());
}

#[test]
fn what_a_payload_does_not_say_is_made_up_by_nobody() {
    for kind in [
        "approval",
        "confirmation",
        "clarification",
        "override",
        "manual_action",
    ] {
        let task = task(kind);
        for payload in [
            Value::Null,
            json!({}),
            json!({"steps": "x", "choices": 7, "rule": null}),
        ] {
            let brief = brief(&task, &payload);
            let title = of(kind).question(&brief, "approved");
            assert!(!title.is_empty());
            for fact in of(kind).facts(&brief) {
                assert!(!fact.text.trim().is_empty(), "{kind}: {fact:?}");
            }
        }
    }
}
