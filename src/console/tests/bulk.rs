//! Deciding many tasks, and marks.

use crossterm::event::KeyCode;

use super::{Bench, fixtures};
use crate::console::model::overlay::Overlay;
use crate::desk::act::Act;
use crate::engine::command::Choice;

/// The inbox with every task marked.
fn marked(width: u16, height: u16) -> Bench {
    let mut bench = Bench::at(width, height);
    bench.keys("2j*");
    bench.pass(1_000);
    bench
}

#[test]
fn many_tasks_are_decided_at_their_versions_and_the_panel_names_what_it_leaves_out() {
    let mut bench = marked(120, 36);
    bench.keys("A");
    bench.pass(1_000);
    let screen = bench.screen();
    assert!(screen.contains("approved: 2 approvals"), "{screen}");
    assert!(screen.contains("acts on 2 of 7 marked"), "{screen}");
    assert!(screen.contains("1 override, another type"), "{screen}");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), [], "one of them wants a comment");
    bench.keys("batch of the morning");
    bench.key(KeyCode::Enter);
    let acts = bench.acts();
    let decided: Vec<_> = acts
        .iter()
        .map(|act| match act {
            Act::Decide {
                intent,
                choice: Choice::Outcome(outcome),
                comment,
                version,
                ..
            } => (
                intent.short(),
                outcome.as_str(),
                comment.as_deref(),
                *version,
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    let words = Some("batch of the morning");
    assert_eq!(
        decided,
        [
            ("3da8b560".to_owned(), "approved", words, Some(1)),
            ("8fd03e1b".to_owned(), "approved", words, Some(7)),
        ]
    );
    assert_eq!(bench.model.inbox.tasks.marked(), 0);
    bench.keys("u");
    let undone = bench
        .acts()
        .iter()
        .filter(|act| matches!(act, Act::Undo { .. }))
        .count();
    assert_eq!(undone, 2, "one u takes all of them back");
}

#[test]
fn without_marks_nothing_is_decided_in_bulk() {
    let mut bench = Bench::at(120, 36);
    bench.keys("2jA");
    assert!(bench.model.overlay.is_none());
    assert!(
        bench.status().contains("mark tasks first"),
        "{}",
        bench.status()
    );
}

#[test]
fn v_marks_a_range_that_follows_the_cursor_both_ways() {
    let mut bench = Bench::at(120, 36);
    bench.keys("2vjj");
    assert_eq!(bench.model.inbox.tasks.marked(), 3);
    bench.keys("k");
    assert_eq!(bench.model.inbox.tasks.marked(), 2);
    bench.keys("vjjj");
    assert_eq!(bench.model.inbox.tasks.marked(), 2, "v ended it");
    bench.keys("V");
    assert_eq!(bench.model.inbox.tasks.marked(), 0);
}

#[test]
fn more_than_25_are_acted_on_only_once_their_count_was_typed() {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| {
        script.letters = (0..30)
            .map(|number| fixtures::deliveries::letter(&format!("{number:08x}"), number))
            .collect();
        script.plan.as_mut().unwrap().selected = 30;
    });
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.pass(40_000);
    bench.keys("*D");
    bench.pass(1_000);
    bench.key(KeyCode::Tab);
    bench.keys("all duplicates");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), []);
    assert!(
        bench.screen().contains("type 30 to enable"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Tab);
    bench.keys("29");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), []);
    bench.key(KeyCode::Backspace);
    bench.key(KeyCode::Backspace);
    bench.keys("30");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts().len(), 30);
}

#[test]
fn the_smallest_screen_shows_the_field_that_is_typed_into() {
    let mut bench = marked(40, 9);
    bench.keys("A");
    bench.pass(1_000);
    bench.keys("fine by me");
    let screen = bench.screen();
    assert!(
        screen.contains("fine by me") && screen.contains("Stage them"),
        "{screen}"
    );
    assert!(matches!(bench.model.overlay, Some(Overlay::Panel(_))));
}

#[test]
fn in_a_protected_environment_two_are_as_many_as_thirty_and_their_count_is_typed() {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| script.hello.is_protected = true);
    bench.model.hello = None;
    bench.pass(1_500);
    bench.keys("2j*");
    bench.pass(1_000);
    bench.keys("A");
    bench.pass(1_000);
    bench.keys("batch of the morning");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), []);
    assert!(bench.screen().contains("type 2 to enable"));
    bench.key(KeyCode::Tab);
    bench.keys("2");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts().len(), 2);
}
