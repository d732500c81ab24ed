//! Handing tasks on, sending intents, and the operator's own editor.

use crossterm::event::KeyCode;

use super::{Bench, fixtures};
use crate::console::task::Task;
use crate::console::update::Input;
use crate::desk::act::Act;

#[test]
fn m_takes_a_task_at_the_version_seen_and_gives_a_taken_one_back() {
    let mut bench = Bench::at(120, 36);
    bench.keys("2");
    bench.pass(1_000);
    let task = bench.model.inbox.tasks.cursor_row().unwrap().clone();
    bench.keys("m");
    let screen = bench.screen();
    assert!(
        screen.contains("Take ") && screen.contains("another version"),
        "{screen}"
    );
    bench.hold_down(KeyCode::Enter);
    assert_eq!(
        bench.acts(),
        [],
        "the key alone takes nothing, nor does a held Enter"
    );
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), [], "nor Enter in an empty field");
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Enter);
    let take = Act::Delegate {
        intent: task.intent,
        to: None,
        note: None,
        version: Some(task.version),
    };
    assert_eq!(bench.acts(), std::slice::from_ref(&take));
    let me = bench.model.identity().unwrap().key().to_owned();
    bench.desk.script(|script| {
        for row in &mut script.tasks {
            if row.intent == task.intent {
                row.delegated_to = Some(me.clone());
            }
        }
    });
    bench.pass(6_000);
    assert!(bench.screen().contains("m give back"), "{}", bench.screen());
    bench.keys("m");
    bench.pass(1_000);
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Enter);
    let back = Act::Delegate {
        intent: task.intent,
        to: Some(task.owner),
        note: None,
        version: Some(task.version),
    };
    assert_eq!(bench.acts(), [take, back]);
}

#[test]
fn a_task_is_handed_on_to_a_name_that_tab_completes() {
    let mut bench = Bench::at(120, 36);
    bench.keys("2@");
    let screen = bench.screen();
    assert!(screen.contains("Hand on "), "{screen}");
    bench.keys("ledg");
    assert!(
        bench.screen().contains("known    ledger"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Tab);
    bench.keys("your account");
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    let acts = bench.acts();
    let [Act::Delegate { to, note, .. }] = acts.as_slice() else {
        panic!("one task handed on, not {acts:?}: {}", bench.screen());
    };
    assert_eq!(*to, Some(fixtures::address("ledger")));
    assert_eq!(note.as_deref(), Some("your account"));
}

#[test]
fn an_intent_is_sent_from_the_button_alone_and_only_with_a_payload_that_is_an_object() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3+");
    bench.keys("ledger");
    bench.key(KeyCode::Tab);
    bench.keys("ledger.post.v1");
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Backspace);
    bench.pass(1_000);
    for _ in 0..3 {
        bench.key(KeyCode::Tab);
    }
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), [], "{}", bench.screen());
    for _ in 0..3 {
        bench.key(KeyCode::BackTab);
    }
    bench.keys("\"amount\":1}");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), [], "Enter in a field sends nothing");
    let screen = bench.screen();
    assert!(
        screen.contains("postroom send ledger ledger.post.v1"),
        "{screen}"
    );
    for _ in 0..3 {
        bench.key(KeyCode::Tab);
    }
    bench.key(KeyCode::Enter);
    let acts = bench.acts();
    let [Act::Send(new)] = acts.as_slice() else {
        panic!("one intent sent, not {acts:?}: {}", bench.screen());
    };
    assert_eq!(new.intent_type, "intent.ledger.post.v1");
    assert_eq!(new.to, "ledger");
    assert_eq!(new.payload.as_str(), "{\"amount\":1}");
}

#[test]
fn what_the_editor_leaves_stands_in_the_strip_and_stages_nothing() {
    let mut bench = Bench::at(120, 36);
    bench.keys("2jja");
    bench.keys("mat");
    bench.pass(1_000);
    bench.ctrl('e');
    let asked = bench.take(|task| matches!(task, Task::Edit(_)));
    assert_eq!(asked, [Task::Edit("mat".to_owned())]);
    bench.input(Input::Edited(Ok("matches PO-7731".to_owned())));
    bench.key(KeyCode::Enter);
    assert_eq!(
        bench.acts(),
        [],
        "the Enter that closed the editor stages nothing"
    );
    assert!(
        bench.screen().contains("matches PO-7731"),
        "{}",
        bench.screen()
    );
    bench.pass(1_000);
    bench.input(Input::Edited(Err(
        "vi ended with 1; nothing was changed".to_owned()
    )));
    assert!(
        bench.screen().contains("nothing was changed"),
        "{}",
        bench.screen()
    );
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts().len(), 1, "{}", bench.screen());
}
