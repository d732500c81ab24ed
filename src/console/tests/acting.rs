//! What acts besides deciding: editing, canceling, agents; and giving the screen up.

use std::sync::Arc;

use crossterm::event::KeyCode;
use tracing::Level;

use super::{Bench, fixtures};
use crate::console::action::place::Place;
use crate::console::task::Task;
use crate::console::update::Input;
use crate::desk::act::Act;
use crate::telemetry::LogLine;

/// The dead letter 91b4f6c3, open.
fn letter() -> Bench {
    let mut bench = Bench::at(120, 36);
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    bench.pass(1_000);
    assert!(bench.model.view.intent.is_some());
    bench
}

#[test]
fn e_edits_the_payload_of_a_dead_letter_and_ctrl_s_replays_it_changed() {
    let mut bench = letter();
    bench.keys("e");
    bench.pass(1_000);
    assert!(
        bench.screen().contains("Edit and replay 91b4f6c3"),
        "{}",
        bench.screen()
    );
    bench.ctrl('s');
    assert!(bench.screen().contains("nothing was changed"));
    bench.keys("x");
    bench.ctrl('s');
    assert_eq!(bench.acts(), [], "what is no JSON is not sent");
    bench.key(KeyCode::Backspace);
    // The first line is the brace that opens the object.
    for _ in 0..20 {
        bench.key(KeyCode::Up);
    }
    bench.key(KeyCode::End);
    bench.keys("\"checked\":true,");
    bench.ctrl('s');
    let acts = bench.acts();
    let [
        Act::Replay {
            intent,
            payload: Some(payload),
            is_forced: false,
            ..
        },
    ] = acts.as_slice()
    else {
        panic!("one edited replay, not {acts:?}: {}", bench.screen());
    };
    assert_eq!(intent.short(), "91b4f6c3");
    assert_eq!(payload.to_value()["checked"], true);
}

#[test]
fn leaving_the_editor_sends_nothing() {
    let mut bench = letter();
    bench.keys("e");
    bench.pass(1_000);
    bench.keys("{}");
    bench.key(KeyCode::Esc);
    assert!(bench.model.overlay.is_none());
    assert_eq!(bench.acts(), []);
}

#[test]
fn c_cancels_what_is_unfinished_among_the_marked_and_says_what_it_leaves_out() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3*C");
    bench.pass(1_000);
    let screen = bench.screen();
    assert!(
        screen.contains("acts on 2 of 5, the others have ended"),
        "{screen}"
    );
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), [], "a reason is asked for");
    bench.keys("sent twice");
    bench.key(KeyCode::Enter);
    let acts = bench.acts();
    let canceled: Vec<String> = acts
        .iter()
        .map(|act| match act {
            Act::Cancel { intent, reason } => {
                assert_eq!(reason.as_deref(), Some("sent twice"));
                intent.short()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(canceled, ["e07c41d8", "8fd03e1b"]);
}

#[test]
fn nothing_finished_is_canceled() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3C");
    assert!(bench.model.overlay.is_none());
    assert!(
        bench.status().contains("it has ended"),
        "{}",
        bench.status()
    );
}

#[test]
fn the_key_that_paused_an_agent_resumes_it_and_shows_who_paused_it_and_why() {
    let mut bench = Bench::at(120, 36);
    bench.keys("6");
    while bench.model.agents.rows.cursor().unwrap().name() != "partner-export" {
        bench.keys("j");
    }
    assert!(bench.screen().contains("P resume"), "{}", bench.screen());
    bench.keys("P");
    bench.pass(1_000);
    let screen = bench.screen();
    assert!(screen.contains("Resume partner-export"), "{screen}");
    assert!(
        screen.contains("\"cutover\"") && screen.contains("by bob"),
        "{screen}"
    );
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), [], "a reason is asked for first");
    bench.keys("cut over");
    bench.key(KeyCode::Enter);
    let (agent, reason) = (fixtures::address("partner-export"), "cut over".to_owned());
    assert_eq!(bench.acts(), [Act::Unpause { agent, reason }]);
}

#[test]
fn a_retry_is_hastened_through_a_panel_that_says_what_it_spends_and_asks_why() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3jr");
    let screen = bench.screen();
    for words in [
        "Retry e07c41d8 now",
        "attempt 3 of 6 starts",
        "due by itself in",
    ] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), [], "a reason is asked for first");
    bench.keys("vendor is back");
    bench.key(KeyCode::Enter);
    let acts = bench.acts();
    assert!(
        matches!(acts.as_slice(), [Act::RetryNow { reason, .. }] if reason == "vendor is back"),
        "{acts:?}"
    );
}

#[test]
fn hints_offer_what_the_row_under_the_cursor_allows_and_nothing_of_a_later_release() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3");
    let hints = |bench: &mut Bench| {
        let screen = bench.screen();
        let lines: Vec<&str> = screen.lines().collect();
        lines[lines.len() - 2..].concat()
    };
    let on_completed = hints(&mut bench);
    for absent in ["r replay", "R replay many", "D discard", "C cancel"] {
        assert!(!on_completed.contains(absent), "{absent} in {on_completed}");
    }
    bench.keys("j");
    assert!(hints(&mut bench).contains("r retry now"));
    bench.keys("jj");
    assert!(hints(&mut bench).contains("r replay"));
    bench.desk.script(|script| {
        script.jobs.clear();
        script.audit.clear();
    });
    for key in ["7", "8"] {
        bench.keys(key);
        let absent = hints(&mut bench);
        assert!(
            !absent.contains("P pause") && !absent.contains("Enter"),
            "{absent}"
        );
    }
}

#[test]
fn q_leaves_a_desk_reached_by_its_number_at_once() {
    let mut bench = Bench::at(120, 36);
    bench.model.settings.is_embedded = false;
    bench.keys("23456q");
    assert!(bench.model.is_ending, "at {:?}", bench.model.view.place);
}

#[test]
fn while_the_screen_is_given_up_only_enter_means_something() {
    let mut bench = Bench::at(120, 36);
    bench.ctrl('z');
    assert_eq!(bench.take(|task| *task == Task::Suspend), [Task::Suspend]);
    bench.model.is_aside = true;
    bench.keys("5Dq");
    assert_eq!(bench.model.view.place, Place::Overview);
    assert!(bench.model.overlay.is_none() && !bench.model.is_ending);
    bench.key(KeyCode::Enter);
    assert!(!bench.model.is_aside);
    assert_eq!(bench.take(|task| *task == Task::Return), [Task::Return]);
}

#[test]
fn the_message_log_shows_what_the_log_warns_of_and_an_error_is_said_at_once() {
    let mut bench = Bench::at(120, 36);
    let line = |number, level, text: &str| {
        Arc::new(LogLine {
            number,
            at: fixtures::now(),
            level,
            target: "postroom::broker::writer".to_owned(),
            text: text.to_owned(),
        })
    };
    bench.input(Input::Log(vec![
        line(1, Level::INFO, "all is well"),
        line(2, Level::WARN, "disk is slow"),
    ]));
    assert!(!bench.status().contains("disk is slow"));
    bench.keys("!");
    let screen = bench.screen();
    assert!(
        screen.contains("warn   broker::writer: disk is slow"),
        "{screen}"
    );
    assert!(!screen.contains("all is well"), "{screen}");
    bench.key(KeyCode::Esc);
    bench.input(Input::Log(vec![line(3, Level::ERROR, "disk is gone")]));
    assert!(bench.status().contains("broker::writer: disk is gone"));
}

#[test]
fn a_key_that_means_nothing_says_so_and_where_to_look() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3x");
    assert!(
        bench
            .status()
            .contains("x means nothing here; ? shows what does"),
        "{}",
        bench.status()
    );
    assert_eq!(bench.acts(), []);
}
