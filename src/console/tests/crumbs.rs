//! The crumbs: siblings at every level of the way.

use crossterm::event::KeyCode;

use super::Bench;
use crate::console::action::place::Place;

fn shift_tab(bench: &mut Bench) {
    bench.key(KeyCode::BackTab);
}

#[test]
fn a_sibling_of_the_open_intent_takes_its_place_and_esc_leads_to_the_same_list() {
    let mut bench = Bench::at(120, 36);
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    let first = bench.model.view.intent.unwrap();
    bench.keys("`");
    let screen = bench.screen();
    assert!(
        screen.contains(&format!("Dead letters › 9c1e › [{}]", first.short())),
        "{screen}"
    );
    bench.keys("j");
    bench.key(KeyCode::Enter);
    let second = bench.model.view.intent.unwrap();
    assert_ne!(first, second);
    bench.key(KeyCode::Esc);
    assert_eq!(bench.model.view.intent, None);
    assert_eq!(bench.model.view.place, Place::DeadLetters);
    assert_eq!(bench.model.dead.letters.cursor(), Some(&second));
}

#[test]
fn an_outer_level_leads_to_another_group_or_desk() {
    let mut bench = Bench::at(120, 36);
    bench.keys("5");
    bench.key(KeyCode::Enter);
    bench.key(KeyCode::Enter);
    bench.keys("`");
    shift_tab(&mut bench);
    bench.keys("j");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.model.view.intent, None);
    let groups = bench.model.dead.groups.rows();
    let other = groups[1].fingerprint.clone();
    assert_eq!(bench.model.dead.groups.cursor(), Some(&other));
    assert_eq!(bench.model.pane(), 1);
    bench.keys("`");
    shift_tab(&mut bench);
    bench.keys("j");
    bench.key(KeyCode::Enter);
    assert_eq!(bench.model.view.place, Place::Agents);
    bench.keys("``");
    assert!(bench.model.overlay.is_none(), "the same key closes them");
}
