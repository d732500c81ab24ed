//! Groups of dead letters: whose they are, muted, resolved, grown again.

use crossterm::event::KeyCode;

use super::{Bench, fixtures};
use crate::console::model::overlay::Overlay;
use crate::desk::act::Act;
use crate::domain::group::{GroupChange, GroupStand, GroupState};

fn marked(bench: &Bench) -> Vec<GroupChange> {
    let acts = bench.acts();
    let changes = acts.into_iter().map(|act| match act {
        Act::MarkGroup { change, .. } => change,
        other => panic!("{other:?}"),
    });
    changes.collect()
}

/// The reason is what is left to be said.
fn because(bench: &mut Bench, why: &str) {
    bench.pass(1_000);
    bench.key(KeyCode::Enter);
    assert!(bench.model.overlay.is_some(), "a reason is asked for first");
    bench.keys(why);
    bench.key(KeyCode::Enter);
}

#[test]
fn m_takes_a_group_and_gives_it_back() {
    let mut bench = Bench::at(120, 36);
    bench.keys("5");
    assert!(bench.screen().contains("m take"), "{}", bench.screen());
    bench.keys("m");
    because(&mut bench, "on call");
    bench.desk.script(|script| {
        script.groups[0].state = GroupState::Said(GroupStand::Acknowledged);
        script.groups[0].owner = Some(fixtures::address("alice"));
    });
    bench.pass(11_000);
    let screen = bench.screen();
    assert!(
        screen.contains("ack") && screen.contains("m give back"),
        "{screen}"
    );
    bench.keys("m");
    because(&mut bench, "end of shift");
    let changes = marked(&bench);
    assert_eq!(changes[0].owner, Some(Some(fixtures::address("alice"))));
    assert_eq!(changes[0].stand, Some(GroupStand::Acknowledged));
    assert_eq!(
        (changes[1].owner.clone(), changes[1].stand),
        (Some(None), Some(GroupStand::New))
    );
}

#[test]
fn a_muted_group_stays_in_its_list_and_leaves_what_needs_attention() {
    let mut bench = Bench::at(120, 36);
    assert!(bench.screen().contains("group 9c1e"), "{}", bench.screen());
    bench.keys("5M");
    bench.pass(1_000);
    bench.keys("known, INC-2291");
    bench.key(KeyCode::Enter);
    assert_eq!(marked(&bench)[0].stand, Some(GroupStand::Muted));
    bench.desk.script(|script| {
        for group in &mut script.groups {
            group.state = GroupState::Said(GroupStand::Muted);
        }
    });
    bench.pass(11_000);
    assert!(bench.screen().contains("muted"));
    bench.keys("1");
    bench.pass(11_000);
    assert!(!bench.screen().contains("group 9c1e"), "{}", bench.screen());
}

#[test]
fn the_panel_of_an_owner_says_state_owner_and_note_at_once() {
    let mut bench = Bench::at(80, 24);
    bench.keys("5@");
    bench.pass(1_000);
    bench.keys("   ");
    bench.key(KeyCode::Tab);
    bench.keys("bob");
    bench.key(KeyCode::Tab);
    bench.keys("vendor says fixed");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.acts(), [], "a reason is asked for first");
    bench.key(KeyCode::Tab);
    bench.keys("handed over");
    bench.key(KeyCode::Enter);
    let acts = bench.acts();
    assert!(
        matches!(&acts[0], Act::MarkGroup { reason: Some(why), .. } if why == "handed over"),
        "{acts:?}"
    );
    assert_eq!(
        marked(&bench),
        [GroupChange {
            stand: Some(GroupStand::Resolved),
            owner: Some(Some(fixtures::address("bob"))),
            note: Some(Some("vendor says fixed".to_owned())),
        }]
    );
}

#[test]
fn a_group_that_grew_after_it_was_resolved_says_so() {
    let mut bench = Bench::at(120, 36);
    bench.desk.script(|script| {
        script.groups[0].state = GroupState::Regressed;
        script.groups[0].note = Some("fixed in 2.1".to_owned());
        script.groups[0].marked = Some(("agent://acme/prod/bob".to_owned(), fixtures::now()));
    });
    bench.keys("5");
    bench.pass(11_000);
    let screen = bench.screen();
    assert!(screen.contains("regressed"), "{screen}");
    assert!(
        screen.contains("said by bob") && screen.contains("in 2.1"),
        "{screen}"
    );
    assert!(screen.contains("next removed for its age in"), "{screen}");
}

/// Types a line into the palette and takes the first proposal.
fn palette(bench: &mut Bench, line: &str) {
    bench.keys(":");
    bench.keys(line);
    bench.key(KeyCode::Enter);
}

#[test]
fn letters_are_grouped_by_agent_from_anywhere_and_back_by_their_error() {
    let mut bench = Bench::at(120, 36);
    let by_error = fixtures::deliveries::groups();
    palette(&mut bench, "group agent");
    let screen = bench.screen();
    assert!(screen.contains("by agent"), "{screen}");
    assert!(screen.contains("[5 Dead letters"), "{screen}");
    let sum: u64 = by_error.iter().map(|group| group.count).sum();
    let shown: u64 = bench
        .model
        .dead
        .groups
        .rows()
        .iter()
        .map(|row| row.count)
        .sum();
    assert_eq!(shown, sum);
    assert!(screen.contains("every open letter to"), "{screen}");
    bench.key(KeyCode::Enter);
    assert!(
        bench.screen().contains("› billing-webhook"),
        "{}",
        bench.screen()
    );
    bench.key(KeyCode::Esc);
    // Whose it is, is said of one error.
    bench.keys("m");
    assert!(
        bench.status().contains(":group error"),
        "{}",
        bench.status()
    );
    palette(&mut bench, "group error");
    assert_eq!(bench.model.dead.groups.rows().len(), by_error.len());
    assert!(!bench.screen().contains("by agent"));
}

#[test]
fn what_needs_attention_is_told_by_error_however_letters_are_grouped() {
    let mut bench = Bench::at(120, 36);
    palette(&mut bench, "group hour");
    assert!(bench.screen().contains("by hour"), "{}", bench.screen());
    bench.keys("1");
    bench.pass(11_000);
    assert!(bench.screen().contains("group 9c1e"), "{}", bench.screen());
}

#[test]
fn a_job_over_a_gathered_group_takes_what_it_stands_for() {
    let mut bench = Bench::at(120, 36);
    palette(&mut bench, "group agent");
    bench.keys("R");
    let screen = bench.screen();
    assert!(screen.contains("all 1,247 of billing-webhook"), "{screen}");
    let Some(Overlay::Panel(panel)) = &bench.model.overlay else {
        panic!("no panel: {screen}")
    };
    let selection = &panel.scopes[0];
    assert_eq!(selection.agent, Some(fixtures::address("billing-webhook")));
    assert_eq!(selection.fingerprint, None);
}
