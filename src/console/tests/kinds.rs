//! Every type of task: what its strip asks, what it hands in, and that it can be used at every size.

use crossterm::event::{KeyCode, KeyModifiers};
use serde_json::{Value, json};

use super::{Bench, fixtures};
use crate::console::model::strip::Draft;
use crate::desk::act::Act;
use crate::desk::rows::TaskRow;
use crate::domain::payload::Payload;
use crate::domain::time::Span;
use crate::engine::command::Choice;

/// A task of each type as a sender would ask it, with what it carries.
pub(super) fn case(kind: &str) -> (TaskRow, Value) {
    let titled = |title: &str| TaskRow {
        task_type: kind.to_owned(),
        title: title.to_owned(),
        ..fixtures::tasks().remove(1)
    };
    match kind {
        "review" => (
            titled("template change \"invoice-v4\""),
            json!({ "template": "invoice-v4", "diff": DIFF }),
        ),
        "clarification" => (
            titled("which ledger account for refund?"),
            json!({
                "question": "Which ledger account takes the refund of 89.00 EUR to Kerstin Blom?",
                "context": "Order ORD-4471 was paid by gift card; account 2420 was closed in May.",
                "choices": ["2421 gift cards", "3740 rounding", "ask finance"],
            }),
        ),
        "manual_action" => (
            titled("rotate the HSM key"),
            json!({ "steps": ["announce the window", "rotate the key in HSM 2", "check that signing works"] }),
        ),
        "confirmation" => (
            titled("delete 212 expired leases"),
            json!({ "consequence": "their intents are offered again", "leases": 212 }),
        ),
        "assignment" => (
            TaskRow {
                assignees: vec!["carol".to_owned()],
                ..titled("owner for the partner-export backlog")
            },
            json!({ "backlog": 188 }),
        ),
        "override" => (
            titled("raise the refund limit once"),
            json!({
                "rule": "refund-limit", "rule_text": "Refunds above 500 EUR need two people.",
                "from": "500 EUR", "to": "1,900 EUR", "touches": "order ORD-4471 alone",
            }),
        ),
        "form" => (
            TaskRow {
                form: Some(Payload::object(FORM).unwrap()),
                ..titled("missing customs data (6 fields)")
            },
            json!({ "shipment": "SH-2231" }),
        ),
        "triage" => (
            titled("where does this alarm belong?"),
            json!({ "alarm": "disk 91 %" }),
        ),
        _ => (
            titled("wire 48,000.00 EUR → NORDWIND AB"),
            fixtures::payload().to_value(),
        ),
    }
}

const DIFF: &str = "--- a/invoice-v4.hbs\n+++ b/invoice-v4.hbs\n@@ -1,3 +1,4 @@\n <h1>{{title}}</h1>\n\
    -<p>{{amount}}</p>\n+<p>{{amount}} {{currency}}</p>\n+<p>due {{due}}</p>\n <hr>\n@@ -20,2 +21,2 @@\n\
    -<small>v3</small>\n+<small>v4</small>\n </body>";

const FORM: &str = r#"{"type":"object","required":["vat_id","weight","country","fragile"],"properties":{
    "vat_id":{"type":"string","title":"VAT id","pattern":"^[A-Z]{2}[0-9]+$","description":"as SE5560"},
    "weight":{"type":"number","minimum":0.1,"maximum":30},
    "country":{"enum":["SE","NO","DK"]},
    "fragile":{"type":"boolean"},
    "ready":{"type":"string","format":"date"},
    "papers":{"type":"array","items":{"enum":["invoice","CMR","T1"]}}}}"#;

pub(super) const KINDS: [&str; 9] = [
    "approval",
    "review",
    "clarification",
    "manual_action",
    "confirmation",
    "assignment",
    "override",
    "form",
    "triage",
];

/// The inbox with one task of that type under the cursor.
pub(super) fn inbox(kind: &str, size: (u16, u16)) -> Bench {
    let mut bench = Bench::at(size.0, size.1);
    let (task, payload) = case(kind);
    bench.desk.script(|script| {
        script.tasks.insert(
            0,
            TaskRow {
                due_at: Some(fixtures::now()),
                ..task
            },
        );
        script.tasks.remove(2);
        script.payload = Payload::of(&payload);
    });
    bench.keys("2");
    bench.pass(2_500);
    bench.keys("gg");
    bench.pass(1_000);
    bench
}

fn opened(kind: &str, key: &str) -> Bench {
    let mut bench = inbox(kind, (120, 36));
    bench.keys(key);
    bench.pass(1_000);
    bench
}

/// What the only decision hands in: outcome, words, and the rest.
fn decided(bench: &Bench) -> (String, Option<String>, Value) {
    let acts = bench.acts();
    let [
        Act::Decide {
            choice: Choice::Outcome(outcome),
            comment,
            data,
            ..
        },
    ] = acts.as_slice()
    else {
        panic!("one decision, not {acts:?}");
    };
    let data = data.as_ref().map_or(Value::Null, Payload::to_value);
    (outcome.clone(), comment.clone(), data)
}

fn enter(bench: &mut Bench) {
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
}

#[test]
fn a_question_is_answered_in_words_or_with_alt_and_a_digit() {
    let mut bench = opened("clarification", "a");
    enter(&mut bench);
    assert_eq!(bench.acts(), []);
    assert!(
        bench.screen().contains("an answer is required"),
        "{}",
        bench.screen()
    );
    bench.elapsed_ms += 500;
    bench.press(KeyCode::Char('2'), KeyModifiers::ALT);
    bench.settle();
    bench.keys("!");
    enter(&mut bench);
    let answer = "3740 rounding!";
    let expected = (
        "provided".to_owned(),
        Some(answer.to_owned()),
        json!({ "answer": answer }),
    );
    assert_eq!(decided(&bench), expected);
    let mut bench = opened("clarification", "x");
    enter(&mut bench);
    assert_eq!(decided(&bench).0, "rejected", "a no needs no answer");
}

#[test]
fn steps_are_ticked_with_space_with_a_note_each_and_a_yes_needs_all_of_them() {
    let mut bench = opened("manual_action", "a");
    bench.keys(" ");
    bench.key(KeyCode::Tab);
    bench.keys(" serial 17");
    enter(&mut bench);
    assert_eq!(bench.acts(), []);
    assert!(
        bench
            .screen()
            .contains("check that signing works: not ticked yet"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Esc);
    assert!(
        bench.screen().contains("rotate the HSM key [2/3]"),
        "{}",
        bench.screen()
    );
    bench.keys("a");
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Tab);
    bench.keys(" ");
    enter(&mut bench);
    let (outcome, _, data) = decided(&bench);
    assert_eq!(outcome, "completed");
    assert_eq!(
        data["steps"][1],
        json!({"step": "rotate the key in HSM 2", "done": true, "note": "serial 17"})
    );
    assert_eq!(data["steps"][2]["done"], true);
    let mut bench = opened("manual_action", "x");
    enter(&mut bench);
    assert_eq!(decided(&bench).0, "failed");
}

#[test]
fn an_assignee_is_picked_among_people_with_what_they_have_open() {
    let mut bench = opened("assignment", "a");
    enter(&mut bench);
    assert_eq!(bench.acts(), []);
    let screen = bench.screen();
    assert!(
        screen.contains("say who takes it") && screen.contains("carol"),
        "{screen}"
    );
    assert!(screen.contains("nothing open"), "{screen}");
    bench.keys("zoe");
    enter(&mut bench);
    assert!(
        bench.screen().contains("nobody is called zoe"),
        "{}",
        bench.screen()
    );
    for _ in 0..3 {
        bench.key(KeyCode::Backspace);
    }
    bench.key(KeyCode::Down);
    enter(&mut bench);
    let (outcome, _, data) = decided(&bench);
    assert_eq!(outcome, "assigned");
    assert_eq!(
        data["assignee"], "agent://acme/prod/carol",
        "the named one stands first"
    );
}

#[test]
fn an_override_wants_a_comment_and_the_end_of_the_id_and_is_held_five_seconds_at_least() {
    let mut bench = opened("override", "a");
    bench.model.hello.as_mut().unwrap().hold_seconds = 0;
    let screen = bench.screen();
    assert!(screen.contains("500 EUR → 1,900 EUR"), "{screen}");
    assert!(
        screen.contains("Refunds above 500 EUR need two people."),
        "{screen}"
    );
    bench.keys("customer waits since March");
    enter(&mut bench);
    assert_eq!(bench.acts(), []);
    assert!(
        bench.screen().contains("last four characters"),
        "{}",
        bench.screen()
    );
    bench.keys("b56x");
    enter(&mut bench);
    assert_eq!(bench.acts(), []);
    bench.key(KeyCode::Backspace);
    bench.keys("0");
    enter(&mut bench);
    let acts = bench.acts();
    let [Act::Decide { hold, data, .. }] = acts.as_slice() else {
        panic!("one decision, not {acts:?}");
    };
    assert_eq!((*hold, data), (Span::from_seconds(5), &None));
}

#[test]
fn a_form_says_beside_the_field_what_is_wrong_and_hands_in_what_the_schema_wants() {
    let mut bench = opened("form", "a");
    bench.keys("5560");
    enter(&mut bench);
    assert_eq!(bench.acts(), []);
    let screen = bench.screen();
    let line = |name: &str| {
        let found = screen
            .lines()
            .find(|line| line.contains(name))
            .unwrap_or_default();
        found.to_owned()
    };
    assert!(line("VAT id").contains("does not match"), "{screen}");
    assert!(line("weight").contains("is required"), "{screen}");
    assert!(line("ready").contains("2026"), "the hint: {screen}");
    for _ in 0..4 {
        bench.key(KeyCode::Backspace);
    }
    bench.keys("SE5560");
    bench.key(KeyCode::Tab);
    bench.keys("31x");
    bench.key(KeyCode::Tab);
    bench.keys("n");
    bench.key(KeyCode::Tab);
    bench.keys("y");
    bench.key(KeyCode::Tab);
    bench.keys("2026-12-01");
    bench.key(KeyCode::Tab);
    bench.keys(" ");
    bench.key(KeyCode::Right);
    bench.keys(" ");
    enter(&mut bench);
    assert_eq!(bench.acts(), []);
    assert!(
        bench.screen().contains("greater than the maximum of 30"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Backspace);
    bench.key(KeyCode::Backspace);
    bench.keys("2.5");
    enter(&mut bench);
    let expected = json!({"vat_id": "SE5560", "weight": 2.5, "country": "NO", "fragile": true,
        "ready": "2026-12-01", "papers": ["invoice", "CMR"]});
    assert_eq!(decided(&bench), ("submitted".to_owned(), None, expected));
}

#[test]
fn a_no_begins_at_the_words_and_leaves_the_form_as_it_is() {
    let mut bench = opened("form", "x");
    bench.keys("no papers");
    enter(&mut bench);
    let said = Some("no papers".to_owned());
    assert_eq!(decided(&bench), ("rejected".to_owned(), said, Value::Null));
}

#[test]
fn a_review_is_walked_hunk_by_hunk_while_its_diff_has_the_focus() {
    let mut bench = opened("review", "a");
    bench.keys("}");
    let words = bench.model.strip.as_ref().unwrap().comment();
    assert_eq!(words.as_deref(), Some("}"), "in the comment it is a letter");
    bench.key(KeyCode::Backspace);
    bench.key(KeyCode::Tab);
    bench.keys("}}");
    assert!(
        bench.screen().contains("+<small>v4</small>"),
        "{}",
        bench.screen()
    );
    assert!(
        bench.screen().contains("+5 −2") || bench.screen().contains("+3 −2"),
        "{}",
        bench.screen()
    );
    bench.keys("q12");
    assert!(bench.model.strip.is_some(), "letters do nothing else there");
    enter(&mut bench);
    assert_eq!(decided(&bench), ("approved".to_owned(), None, Value::Null));
}

#[test]
fn an_unknown_type_takes_any_outcome_as_text() {
    let mut bench = opened("triage", "a");
    bench.key(KeyCode::Tab);
    for _ in 0.."approved".len() {
        bench.key(KeyCode::Backspace);
    }
    enter(&mut bench);
    assert_eq!(bench.acts(), []);
    bench.keys("storage team");
    enter(&mut bench);
    assert_eq!(decided(&bench).0, "storage team");
    let mut bench = opened("triage", "x");
    enter(&mut bench);
    assert_eq!(decided(&bench).0, "rejected");
}

#[test]
fn evidence_and_outcomes_of_its_own_are_honoured_for_every_type() {
    let mut bench = inbox("confirmation", (120, 36));
    bench.desk.script(|script| {
        script.tasks[0].is_evidence_required = true;
        script.tasks[0].outcomes = vec!["confirmed".to_owned(), "unclear".to_owned()];
    });
    bench.pass(6_000);
    bench.keys("x");
    assert!(bench.status().contains("x is off"), "{}", bench.status());
    bench.keys("a");
    enter(&mut bench);
    assert_eq!(bench.acts(), []);
    assert!(
        bench.screen().contains("evidence is required here"),
        "{}",
        bench.screen()
    );
    bench.keys("ticket 88");
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Tab);
    enter(&mut bench);
    let expected = ("unclear".to_owned(), None, json!({"evidence": "ticket 88"}));
    assert_eq!(decided(&bench), expected);
}

#[test]
fn a_draft_is_kept_a_moment_after_the_last_key_and_comes_back_whole() {
    let mut bench = opened("form", "a");
    bench.keys("SE55");
    let intent = bench.model.strip.as_ref().unwrap().intent;
    bench.elapsed_ms += 250;
    bench.input(crate::console::update::Input::Tick);
    assert_eq!(bench.model.drafts.get(&intent), None, "not while one types");
    bench.elapsed_ms += 60;
    bench.input(crate::console::update::Input::Tick);
    let draft = bench.model.drafts.get(&intent).cloned().unwrap();
    assert_eq!(
        draft,
        Draft([("form-vat_id".to_owned(), json!("SE55"))].into())
    );
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Tab);
    bench.keys("d");
    bench.key(KeyCode::Esc);
    bench.keys("a");
    let strip = bench.model.strip.as_ref().unwrap();
    assert_eq!(strip.entries[0].text(), "SE55");
    assert_eq!(strip.entries[2].value(), Ok(Some(json!("DK"))));
}

#[test]
fn every_type_shows_what_one_needs_to_act_at_every_size() {
    for kind in KINDS {
        for size in [(120, 36), (80, 24), (60, 16), (40, 9)] {
            let mut bench = inbox(kind, size);
            bench.keys("a");
            bench.pass(4_000);
            let screen = bench.screen();
            assert!(screen.contains("Enter"), "{kind} {size:?}:\n{screen}");
            let places = bench.model.strip.as_ref().unwrap().entries.len();
            for _ in 0..places {
                let strip = bench.model.strip.as_ref().unwrap();
                let label = strip.focused().map(|entry| entry.label.clone());
                let screen = bench.screen();
                let label = label.unwrap_or_default();
                let start: String = label.chars().take(6).collect();
                assert!(
                    screen.contains(&start),
                    "{label} of {kind} at {size:?}:\n{screen}"
                );
                bench.key(KeyCode::Tab);
            }
        }
    }
}
