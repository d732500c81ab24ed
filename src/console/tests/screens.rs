//! What the desks look like. Snapshots are read before they are accepted.

use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::Bench;

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (40, 9)];

/// One snapshot for each size of what `keys` lead to.
fn shoot(name: &str, keys: &[KeyCode]) {
    for (width, height) in SIZES {
        let mut bench = Bench::at(width, height);
        for key in keys {
            bench.key(*key);
        }
        bench.pass(8_100);
        let text = bench.screen();
        assert_snapshot!(format!("{name}_{width}x{height}"), text);
    }
}

#[test]
fn the_overview() {
    shoot("overview", &[]);
}

#[test]
fn the_inbox() {
    shoot(
        "inbox",
        &[KeyCode::Char('2'), KeyCode::Char('j'), KeyCode::Char('j')],
    );
}

#[test]
fn the_intents() {
    shoot("intents", &[KeyCode::Char('3'), KeyCode::Char('j')]);
}

#[test]
fn the_attempts() {
    shoot("attempts", &[KeyCode::Char('4')]);
}

#[test]
fn the_dead_letters() {
    shoot("dead_letters", &[KeyCode::Char('5'), KeyCode::Enter]);
}

#[test]
fn the_agents() {
    shoot("agents", &[KeyCode::Char('6')]);
}

#[test]
fn one_intent() {
    shoot(
        "intent",
        &[KeyCode::Char('5'), KeyCode::Enter, KeyCode::Enter],
    );
}
