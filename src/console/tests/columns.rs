//! Choosing columns.

use crossterm::event::KeyCode;

use super::Bench;
use crate::console::memory::{self, Wanted};

/// The place of a column in the chooser, as it stands on the screen.
fn go_to(bench: &mut Bench, title: &str) {
    for _ in 0..20 {
        let screen = bench.screen();
        let is_here = screen
            .lines()
            .any(|line| line.contains("▶ [") && line.contains(&format!(" {title} ")));
        if is_here {
            return;
        }
        bench.keys("j");
    }
    panic!("{title} is not among the columns:\n{}", bench.screen());
}

#[test]
fn w_shows_and_hides_columns_at_once_and_they_are_remembered() {
    let mut bench = Bench::at(120, 36);
    bench.keys("6");
    let heading = |bench: &mut Bench| {
        let screen = bench.screen();
        let line = screen.lines().find(|line| line.contains("BINDING"));
        line.unwrap().to_owned()
    };
    assert!(!heading(&mut bench).contains("P95"));
    bench.keys("w");
    for title in ["LISTEN", "P95"] {
        go_to(&mut bench, title);
        bench.keys(" ");
    }
    bench.key(KeyCode::Esc);
    let now = heading(&mut bench);
    assert!(now.contains("P95") && !now.contains("LISTEN"), "{now}");
    let screen = bench.screen();
    let row = screen
        .lines()
        .find(|line| line.contains("▶ billing-webhook"));
    assert!(row.unwrap().contains("10.0s"), "{screen}");
    let text = memory::to_text(&memory::of(&bench.model));
    let mut other = Bench::at(120, 36);
    let wanted = Wanted {
        desk: true,
        theme: true,
    };
    memory::restore(&mut other.model, memory::read(&text).unwrap(), wanted);
    other.keys("6");
    assert_eq!(heading(&mut other), now);
}

#[test]
fn what_a_list_is_about_cannot_be_hidden() {
    let mut bench = Bench::at(80, 24);
    bench.keys("6w");
    bench.keys(" ");
    assert!(bench.status().contains("it stays"), "{}", bench.status());
    bench.key(KeyCode::Esc);
    assert!(bench.screen().contains("AGENT"));
}
