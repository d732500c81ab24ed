//! `d`: what differs between an intent and another one.

use crossterm::event::KeyCode;
use serde_json::json;

use super::{Bench, fixtures};
use crate::domain::payload::Payload;

/// A success of the same type whose payload differs in one value, one more key and a secret.
fn with_a_success(bench: &Bench) {
    bench.desk.script(|script| {
        let mut other = fixtures::deliveries::view();
        let success = script.intents.iter().map(|row| row.id);
        let success = success.into_iter().find(|id| *id != other.row.id).unwrap();
        script.view.payload = Payload::of(&json!({
            "amount": 120_050, "currency": "EUR", "api_key": "new", "note": "\u{202e}0001",
        }));
        other.row.id = success;
        other.payload = Payload::of(&json!({
            "amount": 99, "currency": "EUR", "api_key": "old", "region": "eu",
        }));
        for row in &mut script.intents {
            row.to = script.view.row.to.clone();
        }
        script.other = Some(other);
    });
}

#[test]
fn d_shows_what_differs_from_the_last_success_by_path_and_never_a_secret() {
    for (width, height) in [(120, 36), (80, 24), (60, 16), (40, 9)] {
        let mut bench = Bench::at(width, height);
        with_a_success(&bench);
        bench.keys("5");
        bench.key(KeyCode::Enter);
        bench.keys("d");
        let screen = bench.screen();
        assert!(screen.contains("Compare "), "{screen}");
        assert!(screen.contains("amount"), "{screen}");
        if width >= 80 {
            for words in ["120050", "99", "region", "(secret)", "1 value is the same"] {
                assert!(screen.contains(words), "{words}: {screen}");
            }
            assert!(!screen.contains("currency"), "{screen}");
        }
        assert!(!screen.contains('\u{202e}'), "{screen}");
        bench.keys("}}");
        bench.key(KeyCode::Esc);
        assert!(bench.model.overlay.is_none());
        assert_eq!(bench.acts(), []);
    }
}

#[test]
fn tab_compares_an_attempt_with_the_one_before_it() {
    let mut bench = Bench::at(120, 36);
    with_a_success(&bench);
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    bench.keys("d");
    bench.key(KeyCode::BackTab);
    let screen = bench.screen();
    assert!(screen.contains("with attempt "), "{screen}");
}

#[test]
fn e_on_a_row_reads_its_payload_and_opens_the_editor_only_where_the_operator_still_is() {
    let mut bench = Bench::at(120, 36);
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.keys("e");
    assert!(
        bench.screen().contains("Edit and replay"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Esc);
    // The answer comes after the cursor has moved on: nothing opens by itself.
    bench.press(KeyCode::Char('e'), crossterm::event::KeyModifiers::NONE);
    bench.press(KeyCode::Char('j'), crossterm::event::KeyModifiers::NONE);
    bench.settle();
    assert!(bench.model.overlay.is_none(), "{}", bench.screen());
}
