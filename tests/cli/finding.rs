//! Finding one intent among many, and reading what it was when, by keys in a real terminal.
//!
//! `FIND_INTENTS=1000000 cargo test --release --test cli finding` fills the store first.

use crate::broker::Broker;
use crate::export::many;
use crate::journeys::{at_a_letter, attached, send, short};

/// How many there are beside the one that is looked for.
fn count() -> usize {
    let text = std::env::var("FIND_INTENTS").unwrap_or_default();
    text.parse().unwrap_or(300)
}

/// Sends that many in batches.
fn fill(broker: &Broker, count: usize) {
    let mut left = count;
    while left > 0 {
        let batch = left.min(500);
        many(broker, batch);
        left -= batch;
    }
}

#[test]
fn one_of_many_is_found_by_its_end_by_a_filter_and_by_a_text() {
    let broker = Broker::start();
    let count = count();
    fill(&broker, count / 2);
    let needle = send(
        &broker,
        "ledger",
        &["--payload", r#"{"note":"the NEEDLE of all"}"#],
    );
    fill(&broker, count - count / 2);
    let mut terminal = attached(&broker);
    // By the end of its id.
    terminal.press(":");
    terminal.await_text(&["▏"]);
    terminal.press(short(&needle));
    terminal.await_text(&[&format!("find {}", short(&needle))]);
    terminal.press("\r");
    terminal.await_text(&[&format!("intent {}", short(&needle))]);
    terminal.press("\r");
    terminal.await_text(&[&needle, "Timeline", "NEEDLE"]);
    // By a filter that an index knows.
    terminal.press("3");
    terminal.await_text(&["[3 Intents]"]);
    terminal.press("/agent:ledger");
    terminal.await_text(&["▏agent:ledger"]);
    terminal.press("\r");
    terminal.await_text(&["Intents · 1 ", "/ agent:ledger", short(&needle)]);
    // By a text that only a search finds.
    terminal.press("//");
    terminal.await_text(&["filter cleared"]);
    terminal.press("/needle");
    terminal.await_text(&["▏needle"]);
    terminal.press("\r");
    terminal.await_text(&["/ needle", "looked at", short(&needle)]);
    terminal.press("\r");
    terminal.await_text(&[&needle, "Timeline"]);
    terminal.leave();
}

#[test]
fn an_intent_is_read_back_fact_by_fact_and_acts_are_about_now() {
    let broker = Broker::start();
    let (mut terminal, letter) = at_a_letter(&broker);
    terminal.press("\r");
    terminal.await_text(&[&letter, "FAILED, dead letter", "Timeline"]);
    terminal.press("p");
    terminal.await_text(&["PAUSED"]);
    terminal.press("[");
    terminal.await_text(&["AS OF", "acts act on now"]);
    while !terminal.text().contains("fact 1 of") {
        let before = terminal.text();
        terminal.press("[");
        let has_moved = |text: &str| text != before;
        assert!(terminal.await_screen(has_moved, &mut |_| ()), "{before}");
    }
    terminal.await_text(&["CREATED", "fact 1 of"]);
    // From the past one comes back to now, then out of it.
    terminal.press("\u{1b}");
    terminal.await_text(&["FAILED, dead letter", "r replay"]);
    let shown = broker.json(&["intents", "show", &letter]);
    assert_eq!(shown["intent"]["status"], "FAILED", "{shown}");
    terminal.press("p");
    terminal.leave();
}
