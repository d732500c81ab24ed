//! Typing meant for something else never decides, replays or discards.

use crossterm::event::{KeyCode, KeyModifiers};

use super::Bench;
use crate::console::event::Event;
use crate::console::model::overlay::Overlay;
use crate::console::update::Input;
use crate::desk::act::Act;

/// The inbox with the cursor on the task that needs no comment.
fn inbox() -> Bench {
    let mut bench = Bench::at(120, 36);
    bench.keys("2j");
    bench.pass(1_000);
    bench
}

#[test]
fn approve_and_an_early_enter_stage_nothing_and_ask_for_enter_again() {
    let mut bench = inbox();
    bench.press(KeyCode::Char('a'), KeyModifiers::NONE);
    bench.elapsed_ms += 100;
    bench.press(KeyCode::Enter, KeyModifiers::NONE);
    bench.settle();
    assert_eq!(bench.acts(), []);
    assert!(bench.screen().contains("press Enter again"));
    bench.elapsed_ms += 500;
    bench.press(KeyCode::Enter, KeyModifiers::NONE);
    bench.settle();
    assert!(matches!(bench.acts().as_slice(), [Act::Decide { .. }]));
}

#[test]
fn a_held_enter_never_stages() {
    let mut bench = inbox();
    bench.keys("a");
    bench.pass(1_000);
    for _ in 0..50 {
        bench.elapsed_ms += 40;
        bench.hold_down(KeyCode::Enter);
        bench.settle();
    }
    assert_eq!(bench.acts(), []);
}

#[test]
fn a_paste_is_text_in_the_strip_and_nothing_elsewhere() {
    let mut bench = inbox();
    bench.input(Input::Terminal(Event::Paste("aaaa\nDr\n".to_owned())));
    bench.settle();
    assert!(bench.model.strip.is_none());
    assert!(bench.status().contains("never a command"));
    bench.keys("a");
    bench.pass(1_000);
    bench.input(Input::Terminal(Event::Paste("fine\nby me\n".to_owned())));
    bench.settle();
    assert_eq!(bench.acts(), []);
    let strip = bench.model.strip.as_ref().unwrap();
    assert_eq!(strip.comment().as_deref(), Some("fine\nby me"));
}

#[test]
fn enter_right_after_a_paste_asks_for_enter_again() {
    let mut bench = inbox();
    bench.keys("a");
    bench.pass(1_000);
    bench.input(Input::Terminal(Event::Paste("fine".to_owned())));
    bench.elapsed_ms += 100;
    bench.press(KeyCode::Enter, KeyModifiers::NONE);
    bench.settle();
    assert_eq!(bench.acts(), []);
    assert!(
        bench
            .screen()
            .contains("a paste stages nothing: press Enter again")
    );
}

#[test]
fn a_paste_that_the_terminal_does_not_mark_decides_nothing() {
    let mut bench = inbox();
    // Keys that all come at once: first a letter that opens the strip, then text with Enter in it.
    for letter in "aaaa".chars() {
        bench.press(KeyCode::Char(letter), KeyModifiers::NONE);
    }
    bench.press(KeyCode::Enter, KeyModifiers::NONE);
    bench.settle();
    // And again into a strip that has been open for long.
    bench.pass(2_000);
    for letter in "looks fine".chars() {
        bench.press(KeyCode::Char(letter), KeyModifiers::NONE);
    }
    bench.press(KeyCode::Enter, KeyModifiers::NONE);
    bench.settle();
    assert_eq!(bench.acts(), []);
    assert!(bench.screen().contains("as fast as a paste"));
}

#[test]
fn r_right_after_entering_a_desk_replays_nothing() {
    let mut bench = Bench::at(120, 36);
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.elapsed_ms += 100;
    bench.press(KeyCode::Char('r'), KeyModifiers::NONE);
    bench.settle();
    assert_eq!(bench.acts(), []);
    assert!(bench.status().contains("press r again"));
    bench.elapsed_ms += 500;
    bench.press(KeyCode::Char('r'), KeyModifiers::NONE);
    bench.settle();
    assert!(matches!(bench.acts().as_slice(), [Act::Replay { .. }]));
}

#[test]
fn no_panel_starts_on_its_button_and_enter_without_a_reason_does_nothing() {
    let mut bench = Bench::at(120, 36);
    bench
        .desk
        .script(|script| script.plan.as_mut().unwrap().selected = 1);
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.pass(1_000);
    bench.keys("D");
    let Some(Overlay::Panel(panel)) = &bench.model.overlay else {
        panic!("D opens a panel");
    };
    assert!(!panel.is_on_button());
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), []);
    assert!(bench.screen().contains("a reason is required"));
    bench.key(KeyCode::Tab);
    bench.keys("duplicates of 9c1e");
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    let acts = bench.acts();
    let [Act::Discard { reason, .. }] = acts.as_slice() else {
        panic!("one letter is discarded, not {acts:?}");
    };
    assert_eq!(reason, "duplicates of 9c1e");
}

#[test]
fn scroll_keys_only_scroll_and_backspace_and_delete_do_nothing() {
    let mut bench = inbox();
    bench.ctrl('d');
    bench.ctrl('u');
    bench.key(KeyCode::Backspace);
    bench.key(KeyCode::Delete);
    assert_eq!(bench.acts(), []);
    assert!(bench.model.strip.is_none() && bench.model.overlay.is_none());
}

#[test]
fn a_stale_link_makes_the_console_read_only_and_says_so() {
    let mut bench = inbox();
    bench.feed_error();
    bench.press(KeyCode::Char('a'), KeyModifiers::NONE);
    assert!(bench.model.strip.is_none());
    assert!(bench.status().contains("read-only"), "{}", bench.status());
    assert!(bench.screen().contains("DOWN retry"));
    bench.feed(Vec::new());
    bench.settle();
    bench.keys("a");
    assert!(bench.model.strip.is_some());
}

#[test]
fn a_key_that_may_only_look_is_told_so() {
    let mut bench = inbox();
    bench.desk.script(|script| script.hello.may_write = false);
    bench.model.hello = None;
    bench.pass(1_500);
    bench.keys("a");
    assert!(bench.model.strip.is_none());
    assert!(bench.status().contains("may only look"));
    assert!(bench.screen().contains("ro alice"));
}

#[test]
fn a_key_that_opened_the_strip_and_is_held_on_writes_nothing_in_it() {
    let mut bench = inbox();
    bench.press(KeyCode::Char('a'), KeyModifiers::NONE);
    for _ in 0..20 {
        bench.elapsed_ms += 33;
        bench.hold_down(KeyCode::Char('a'));
    }
    let words = |bench: &Bench| bench.model.strip.as_ref().unwrap().comment();
    assert_eq!(words(&bench), None);
    bench.keys("ab");
    bench.hold_down(KeyCode::Char('b'));
    assert_eq!(
        words(&bench).as_deref(),
        Some("abb"),
        "a key of one's own repeats"
    );
}

#[test]
fn a_letter_in_a_panel_that_asks_nothing_leaves_the_panel_where_it_is() {
    let mut bench = Bench::at(120, 36);
    bench.keys("7");
    bench.pass(1_000);
    bench.keys("P");
    assert!(
        bench.screen().contains("Pause job_117"),
        "{}",
        bench.screen()
    );
    for letter in "is back 1:!/p".chars() {
        bench.keys(&letter.to_string());
        assert!(
            bench.screen().contains("Pause job_117"),
            "after {letter:?}:\n{}",
            bench.screen()
        );
    }
    assert!(bench.status().contains("Esc leaves the panel first"));
    assert_eq!(bench.acts(), []);
    bench.key(KeyCode::Esc);
    assert!(bench.model.overlay.is_none());
}
