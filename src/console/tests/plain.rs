//! The screen for those who listen to it.

use crossterm::event::KeyCode;

use super::{Bench, text_of};

fn listening(width: u16, height: u16) -> Bench {
    let mut bench = Bench::at(width, height);
    bench.model.settings.is_plain = true;
    bench
}

/// Every key that leads somewhere, so that each desk, sheet, panel and overlay is seen.
const PLACES: [&str; 24] = [
    "1", "2", "2a", "2c", "3", "3:re", "3?", "3/age", "3!", "3U", "3i", "4", "5", "5R", "5D", "6",
    "6P", "6L", "7", "8", "2A", "3+", "q", "2m",
];

#[test]
fn no_box_bar_or_spinner_is_drawn_anywhere() {
    for (width, height) in [(120, 36), (80, 24), (60, 16), (40, 9)] {
        for keys in PLACES {
            let mut bench = listening(width, height);
            bench.keys(keys);
            let screen = bench.screen();
            let painted =
                |letter: &char| matches!(letter, '\u{2500}'..='\u{25FF}' | '\u{E000}'..='\u{F8FF}');
            let painted: String = screen.chars().filter(painted).collect();
            assert!(
                painted.is_empty(),
                "{keys} at {width}x{height}: {painted:?}\n{screen}"
            );
        }
    }
}

#[test]
fn the_terminals_cursor_stands_on_the_focused_row_and_follows_it() {
    for (width, height) in [(120, 36), (80, 24), (60, 16), (40, 9)] {
        let mut bench = listening(width, height);
        bench.keys("2");
        for _ in 0..3 {
            let buffer = bench.draw();
            let (x, y) = bench.model.drawn.cursor.expect("a cursor");
            let text = text_of(&buffer);
            let line = text.lines().nth(usize::from(y)).unwrap();
            let task = bench.model.inbox.tasks.cursor().unwrap().short();
            assert_eq!(x, 0);
            assert!(line.starts_with("selected: "), "{line}\n{text}");
            let said: String = text.lines().skip(y.into()).take(3).collect();
            assert!(said.contains(&task), "{task} at {width}x{height}: {said}");
            bench.keys("j");
        }
    }
}

#[test]
fn in_a_field_the_terminals_cursor_stands_where_one_types() {
    let mut bench = listening(80, 24);
    bench.keys("3/state:de");
    let text = text_of(&bench.draw());
    let (x, y) = bench.model.drawn.cursor.expect("a cursor");
    let line = text.lines().nth(usize::from(y)).unwrap();
    let before: String = line.chars().take(usize::from(x)).collect();
    assert!(before.ends_with("state:de"), "{before:?} {line:?}\n{text}");
}

#[test]
fn what_is_said_elsewhere_by_a_sign_is_said_by_a_word() {
    let mut bench = listening(80, 24);
    let screen = bench.screen();
    for words in ["link live", "read and write", "2 overdue", "Desk Overview"] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
    bench.keys("2");
    assert!(
        bench.screen().contains("overdue, override"),
        "{}",
        bench.screen()
    );
    bench.keys("3");
    bench.key(KeyCode::Char(' '));
    bench.keys("k");
    assert!(
        bench.screen().contains("selected, marked: "),
        "{}",
        bench.screen()
    );
}

#[test]
fn what_changes_is_appended_to_the_log_at_the_end() {
    let mut bench = listening(80, 24);
    bench.keys("3");
    bench.keys("yi");
    let screen = bench.screen();
    let log: Vec<&str> = screen
        .lines()
        .skip_while(|line| line.trim() != "Log")
        .collect();
    let last = log
        .iter()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap();
    assert!(
        last.contains("console: ") && last.contains("clipboard"),
        "{screen}"
    );
}
