//! Deciding in place: the strip, the hold, taking back, and losing to somebody else.

use crossterm::event::{KeyCode, KeyModifiers};

use super::fake::decided_by_bob;
use super::{Bench, fixtures};
use crate::desk::act::Act;
use crate::domain::ids::HoldId;
use crate::domain::payload::Payload;
use crate::domain::time::Span;
use crate::engine::command::Choice;

/// The inbox with the strip open on the task at `down` lines from the top.
fn strip(down: usize) -> Bench {
    let mut bench = Bench::at(120, 36);
    bench.keys("2");
    for _ in 0..down {
        bench.keys("j");
    }
    bench.keys("a");
    bench.pass(1_000);
    bench
}

/// The bench moved to the minute in which the scripted desk's holds run.
fn at_the_hold(bench: &mut Bench) {
    let behind = 60_000_u64.saturating_sub(bench.elapsed_ms);
    bench.pass(behind);
}

#[test]
fn a_decision_names_outcome_comment_version_and_hold() {
    let mut bench = strip(2);
    bench.keys("matches PO-7731");
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    let acts = bench.acts();
    let [
        Act::Decide {
            intent,
            choice,
            comment,
            data,
            version,
            hold,
        },
    ] = acts.as_slice()
    else {
        panic!("one decision, not {acts:?}");
    };
    assert_eq!(intent.short(), "8fd03e1b");
    assert_eq!(*choice, Choice::Outcome("approved".to_owned()));
    assert_eq!(comment.as_deref(), Some("matches PO-7731"));
    assert_eq!(*data, None);
    assert_eq!(*version, Some(7));
    assert_eq!(*hold, Span::from_seconds(5));
}

#[test]
fn a_required_comment_is_asked_for_before_anything_is_sent() {
    let mut bench = strip(2);
    assert!(bench.screen().contains("comment required"));
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), []);
    assert!(bench.screen().contains("a comment is required here"));
    let mut bench = strip(0);
    assert!(
        bench.screen().contains("comment required"),
        "an override always needs one"
    );
}

#[test]
fn tab_goes_through_the_outcomes_and_x_begins_with_the_no() {
    let mut bench = strip(3);
    let outcome = |bench: &Bench| {
        let strip = bench.model.strip.as_ref().unwrap();
        strip.outcome().unwrap()
    };
    assert_eq!(outcome(&bench), "approved");
    bench.key(KeyCode::Tab);
    assert_eq!(outcome(&bench), "changes_requested");
    bench.key(KeyCode::Tab);
    assert_eq!(outcome(&bench), "rejected");
    bench.key(KeyCode::Tab);
    assert_eq!(outcome(&bench), "approved");
    bench.key(KeyCode::Esc);
    bench.keys("x");
    assert_eq!(outcome(&bench), "rejected");
}

#[test]
fn escape_keeps_the_words_and_the_next_strip_has_them() {
    let mut bench = strip(2);
    bench.keys("matches PO");
    bench.key(KeyCode::Esc);
    assert!(bench.model.strip.is_none());
    assert!(bench.status().contains("draft kept for 8fd03e1b"));
    bench.keys("x");
    let words = bench.model.strip.as_ref().unwrap().comment();
    assert_eq!(words.as_deref(), Some("matches PO"));
}

#[test]
fn what_is_held_counts_down_on_the_row_and_on_the_status_line_and_u_takes_it_back() {
    let mut bench = strip(1);
    at_the_hold(&mut bench);
    bench.key(KeyCode::Enter);
    assert!(
        bench
            .status()
            .contains("3da8b560 approved, held, not yet final"),
        "{}",
        bench.status()
    );
    assert!(bench.screen().contains("approved · final in 5s · u undo"));
    bench.pass(2_000);
    assert!(bench.status().contains("[3s]"), "{}", bench.status());
    assert!(bench.screen().contains("approved · final in 3s · u undo"));
    bench.keys("u");
    assert_eq!(bench.acts().last(), Some(&Act::Undo { hold: HoldId(1) }));
    assert!(bench.status().contains("taken back"), "{}", bench.status());
    assert!(!bench.status().contains("held, not yet final"));
}

#[test]
fn undo_after_the_hold_ended_sends_nothing_and_says_why() {
    let mut bench = strip(1);
    at_the_hold(&mut bench);
    bench.key(KeyCode::Enter);
    let sent = bench.acts().len();
    bench.desk.script(|script| {
        script.held.clear();
        script.tasks.remove(1);
    });
    bench.pass(9_000);
    bench.keys("u");
    assert_eq!(bench.acts().len(), sent);
    assert!(
        bench.status().contains("nothing is held"),
        "{}",
        bench.status()
    );
}

#[test]
fn the_cursor_goes_on_to_the_next_undecided_task_unless_it_was_moved() {
    let mut bench = strip(1);
    bench.key(KeyCode::Enter);
    let here = bench.model.inbox.tasks.cursor().unwrap().short();
    assert_eq!(here, "8fd03e1b");
    let mut bench = strip(1);
    bench.press(KeyCode::Enter, KeyModifiers::NONE);
    bench.model.moves += 1;
    bench.settle();
    let here = bench.model.inbox.tasks.cursor().unwrap().short();
    assert_eq!(here, "3da8b560");
}

#[test]
fn two_people_decide_one_task_and_the_second_sees_who_when_and_what_and_keeps_the_words() {
    let mut bench = strip(2);
    bench.keys("matches PO-7731");
    bench
        .desk
        .script(|script| script.refusal = Some(decided_by_bob()));
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    let screen = bench.screen();
    assert!(screen.contains("bob rejected this"), "{screen}");
    assert!(screen.contains("\"duplicate\""), "{screen}");
    assert!(screen.contains("matches PO-7731"), "{screen}");
    let sent = bench.acts().len();
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    assert_eq!(
        bench.acts().len(),
        sent,
        "a lost decision is not sent again"
    );
    bench.key(KeyCode::Esc);
    bench.keys("c");
    let words = bench.model.strip.as_ref().unwrap().comment();
    assert_eq!(words.as_deref(), Some("matches PO-7731"));
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    assert!(matches!(bench.acts().last(), Some(Act::Reply { .. })));
}

#[test]
fn a_task_that_changes_under_the_strip_turns_enter_off_until_the_change_was_shown() {
    let mut bench = strip(2);
    bench.keys("matches");
    bench.desk.script(|script| {
        let task = &mut script.tasks[2];
        task.version = 8;
        task.title = "wire 84,000.00 EUR → NORDWIND AB".to_owned();
        let before = script.payload.as_str().to_owned();
        script.payload = Payload::object(&before.replace("48,000.00", "84,000.00")).unwrap();
        let mut event = script.thread.last().cloned().unwrap();
        event.actor = "agent://acme/prod/bob".to_owned();
        event.event_type = "inbox.delegated".to_owned();
        event.text = Some("your turn".to_owned());
        script.thread.push(event);
    });
    bench.pass(6_000);
    let screen = bench.screen();
    let line = "changed by bob: amount 48,000.00 EUR → 84,000.00 EUR";
    assert!(screen.contains(line), "{screen}");
    assert!(
        screen.contains("Enter is off: Ctrl-R shows what changed"),
        "{screen}"
    );
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), []);
    bench.ctrl('r');
    let screen = bench.screen();
    assert!(screen.contains("bob: your turn"), "{screen}");
    assert!(screen.contains("wire 84,000.00 EUR"), "{screen}");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), [], "it was shown a moment ago");
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    assert!(matches!(
        bench.acts().as_slice(),
        [Act::Decide {
            version: Some(8),
            ..
        }]
    ));
}

#[test]
fn what_somebody_else_holds_is_shown_before_one_decides() {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| {
        let held = crate::desk::rows::HeldRow {
            hold: HoldId(9),
            intent: fixtures::id("8fd03e1b", 65),
            act: "rejected".to_owned(),
            by: "agent://acme/prod/bob".to_owned(),
            effective_at: fixtures::now().after(Span::from_seconds(30)),
        };
        script.held.push(held);
    });
    bench.keys("2jj");
    bench.pass(2_100);
    assert!(bench.screen().contains("rejected · final in"));
    assert!(
        bench.status().contains("rejected by bob, held"),
        "{}",
        bench.status()
    );
    bench.keys("a");
    assert!(bench.screen().contains("bob holds rejected on it already"));
}

#[test]
fn a_held_decision_that_came_second_is_told_who_was_first_and_when() {
    let mut bench = strip(1);
    bench.key(KeyCode::Enter);
    let held = bench.model.staged.first().cloned().unwrap();
    let intent = held.intent.unwrap();
    bench.pass(6_000);
    let fact = |kind: &str, actor: &str, data: serde_json::Value| crate::desk::rows::FeedRow {
        cursor: crate::domain::ids::Cursor(42),
        at: fixtures::now(),
        kind: kind.to_owned(),
        intent: Some(intent),
        agent: None,
        status: None,
        actor: actor.to_owned(),
        data: Payload::of(&data),
    };
    let bob = "agent://acme/prod/bob";
    let decided = fact(
        "inbox.task_decided",
        bob,
        serde_json::json!({"outcome": "rejected"}),
    );
    let hold = held.hold.to_string();
    let refused = serde_json::json!({"hold_id": hold, "refused": "already_decided"});
    bench.feed(vec![decided, fact("hold.elapsed", "alice", refused)]);
    bench.settle();
    let status = bench.status();
    assert!(
        status.contains("bob rejected 3da8b560 at 09:41:07; yours (approved)"),
        "{status}"
    );
}
