//! Lanes of the inbox, what a task says of its time, and who has it.

use crossterm::event::KeyCode;

use super::{Bench, fixtures};
use crate::console::memory;
use crate::desk::rows::DecisionRow;

fn listed(bench: &Bench) -> Vec<String> {
    let rows = bench.model.inbox.tasks.rows();
    rows.iter().map(|task| task.intent.short()).collect()
}

/// The inbox with one task that bob has taken and one that is ours.
fn inbox() -> Bench {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| {
        script.tasks[1].delegated_to = Some("agent://acme/prod/bob".to_owned());
    });
    bench.keys("2");
    bench.pass(6_000);
    bench
}

#[test]
fn the_lanes_are_all_what_the_team_may_pick_up_and_mine() {
    let mut bench = inbox();
    assert_eq!(listed(&bench).len(), 7);
    bench.keys("l");
    assert!(bench.status().contains("lane team"), "{}", bench.status());
    let team = listed(&bench);
    assert!(
        !team.contains(&"3da8b560".to_owned()) && team.len() == 6,
        "{team:?}"
    );
    bench.keys("l");
    assert_eq!(listed(&bench), ["8fd03e1b"]);
    assert!(bench.screen().contains("lane mine"), "{}", bench.screen());
    bench.pass(6_000);
    assert_eq!(listed(&bench), ["8fd03e1b"], "also when it is read again");
    let kept = memory::to_text(&memory::of(&bench.model));
    bench.keys("l");
    assert_eq!(listed(&bench).len(), 7);
    let wanted = memory::Wanted {
        desk: false,
        theme: false,
    };
    memory::restore(&mut bench.model, memory::read(&kept).unwrap(), wanted);
    bench.pass(6_000);
    assert_eq!(listed(&bench), ["8fd03e1b"]);
}

#[test]
fn a_lane_keeps_the_cursor_on_its_task_where_the_task_is_in_it() {
    let mut bench = inbox();
    bench.keys("jj");
    bench.keys("ll");
    assert_eq!(
        bench.model.inbox.tasks.cursor().unwrap().short(),
        "8fd03e1b"
    );
}

#[test]
fn an_expiring_task_says_when_and_what_happens_then() {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| {
        script.tasks[2].reminders_max = Some(3);
        script.tasks[2].escalates_to = Some("finance-leads".to_owned());
    });
    bench.keys("2jj");
    bench.pass(6_000);
    let screen = bench.screen();
    assert!(
        screen.contains("then reminds 3×, then finance-leads"),
        "{screen}"
    );
    assert!(screen.contains("deadline 10:40 → TIMED_OUT"), "{screen}");
}

#[test]
fn a_decided_task_shows_who_when_what_and_why_ever_after() {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| {
        script.tasks[2].is_open = false;
        script.tasks[2].decision = Some(DecisionRow {
            outcome: "rejected".to_owned(),
            comment: Some("duplicate of NW-2230".to_owned()),
            by: "agent://acme/prod/bob".to_owned(),
            at: fixtures::now(),
            via: "page".to_owned(),
        });
    });
    bench.keys("2jj");
    bench.pass(6_000);
    let screen = bench.screen();
    for part in [
        "decided",
        "rejected by bob",
        "through page",
        "duplicate of NW-2230",
        "version 7",
    ] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    bench.key(KeyCode::Char('a'));
    assert!(
        bench.status().contains("decided already: bob rejected"),
        "{}",
        bench.status()
    );
}
