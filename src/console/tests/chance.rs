//! Whatever keys and pastes come, nothing is decided or destroyed without a deliberate act.

use crossterm::event::{KeyCode, KeyModifiers};
use proptest::prelude::*;

use super::Bench;
use crate::console::event::Event;
use crate::console::update::Input;
use crate::desk::act::Act;

/// What somebody does at the keyboard.
#[derive(Debug, Clone)]
enum Hand {
    /// A letter, so many milliseconds after what came before.
    Letter(char, u64),
    /// Another key.
    Key(KeyCode, u64),
    /// Text in one piece.
    Paste(String),
    /// A key that is held down.
    Hold(KeyCode),
    /// A letter with Control.
    Control(char, u64),
    /// A digit with Alt.
    Answer(u32),
    /// The desk has something new.
    News,
}

/// How often and how fast a key that is held down comes again.
const REPEATS: u64 = 7;
const REPEAT_MS: u64 = 33;

fn hand() -> impl Strategy<Value = Hand> {
    let letter = prop::sample::select(
        "12345678jkxaArRDdCcPGg@mnvV*U/:?!-p f[]y"
            .chars()
            .collect::<Vec<_>>(),
    );
    let key = prop::sample::select(vec![
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Home,
        KeyCode::End,
    ]);
    prop_oneof![
        6 => (letter, 0_u64..900).prop_map(|(letter, after)| Hand::Letter(letter, after)),
        3 => (key, 0_u64..900).prop_map(|(key, after)| Hand::Key(key, after)),
        1 => "[aAxXrRDC\n ]{1,40}".prop_map(Hand::Paste),
        1 => prop_oneof![Just(KeyCode::Enter), Just(KeyCode::Char('r')), Just(KeyCode::Char('a'))]
            .prop_map(Hand::Hold),
    ]
}

fn play(bench: &mut Bench, hands: &[Hand]) {
    for hand in hands {
        match hand {
            Hand::Letter(letter, after) => {
                bench.elapsed_ms += after;
                bench.press(KeyCode::Char(*letter), KeyModifiers::NONE);
            }
            Hand::Key(key, after) => {
                bench.elapsed_ms += after;
                bench.press(*key, KeyModifiers::NONE);
            }
            Hand::Paste(text) => {
                bench.input(Input::Terminal(Event::Paste(text.clone())));
            }
            Hand::Control(letter, after) => {
                bench.elapsed_ms += after;
                bench.press(KeyCode::Char(*letter), KeyModifiers::CONTROL);
            }
            Hand::Answer(digit) => {
                let digit = char::from_digit(*digit, 10).unwrap_or('0');
                bench.press(KeyCode::Char(digit), KeyModifiers::ALT);
            }
            Hand::News => {
                bench.desk.script(|script| {
                    for task in &mut script.tasks {
                        task.version += 1;
                    }
                });
                bench.pass(6_000);
            }
            Hand::Hold(key) => {
                for _ in 0..=REPEATS {
                    bench.elapsed_ms += REPEAT_MS;
                    bench.hold_down(*key);
                }
            }
        }
        bench.settle();
    }
}

/// What a key may do at once.
fn is_harmless(act: &Act) -> bool {
    matches!(
        act,
        Act::Replay { .. } | Act::RetryNow { .. } | Act::Undo { .. }
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 25, ..ProptestConfig::default() })]

    /// Enter alone stages what a strip or a panel would do, and `r` alone replays, which can be taken
    /// back. So without a deliberate Enter nothing else may ever be sent.
    #[test]
    fn without_enter_nothing_is_decided_discarded_canceled_or_paused(
        hands in prop::collection::vec(hand(), 1..60),
    ) {
        let mut bench = Bench::at(80, 24);
        play(&mut bench, &hands);
        for act in bench.acts() {
            let is_harmless = is_harmless(&act);
            prop_assert!(is_harmless, "{act:?} after {hands:?}");
        }
    }

    /// Text that arrives as fast as a terminal sends it acts on nothing, Enter in it or not.
    #[test]
    fn a_flood_of_keys_does_nothing(text in "[a-zA-Z0-9 \n*/:@-]{5,80}", desk in 1_u8..9) {
        let mut bench = Bench::at(120, 36);
        bench.keys(&desk.to_string());
        bench.pass(2_000);
        for letter in text.chars() {
            bench.elapsed_ms += 1;
            let code = if letter == '\n' { KeyCode::Enter } else { KeyCode::Char(letter) };
            bench.press(code, KeyModifiers::NONE);
            bench.settle();
        }
        let acts = bench.acts();
        prop_assert!(acts.is_empty(), "{acts:?}");
    }
}

/// Keys of somebody who does press Enter, at any speed, in and outside of strips.
fn bold_hand() -> impl Strategy<Value = Hand> {
    prop_oneof![
        3 => hand(),
        2 => (0_u64..900).prop_map(|after| Hand::Key(KeyCode::Enter, after)),
        1 => (prop::sample::select(vec!['r', 'j', 'e', 'd', 'u']), 0_u64..900)
            .prop_map(|(letter, after)| Hand::Control(letter, after)),
        1 => (0_u32..10).prop_map(Hand::Answer),
        1 => Just(Hand::News),
    ]
}

/// A desk, or something open that one Enter would act on: by chance alone few stories come so far.
const BEGINNINGS: [&str; 14] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "2ja", "2jx", "2jja", "5R", "5D", "6P",
];

/// Whether a strip, a panel or an editor is open; only in these Enter means an act.
fn has_open(bench: &Bench) -> bool {
    bench.model.strip.is_some() || bench.model.overlay.is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Whatever decides, discards, cancels or steers does so at an Enter or a Ctrl-S that was pressed by
    /// itself, in something that had been open for the guard's time already.
    #[test]
    fn whatever_acts_was_asked_for_by_a_deliberate_key(
        start in prop::sample::select(BEGINNINGS.to_vec()),
        after in 0_u64..900,
        mut hands in prop::collection::vec(bold_hand(), 1..60),
    ) {
        // Where one Enter acts, it comes early often enough to matter.
        hands.insert(0, Hand::Key(KeyCode::Enter, after));
        let mut bench = Bench::at(80, 24);
        bench.keys(start);
        let mut opened_at = has_open(&bench).then_some(bench.elapsed_ms);
        for hand in &hands {
            let (was_open, before) = (has_open(&bench), bench.acts().len());
            play(&mut bench, std::slice::from_ref(hand));
            let acts = bench.acts();
            for act in acts.iter().skip(before) {
                let is_harmless = is_harmless(act);
                let is_enter = matches!(hand, Hand::Key(KeyCode::Enter, _));
                let was_long = opened_at.is_some_and(|at| bench.elapsed_ms - at >= 400);
                prop_assert!(
                    is_harmless || (is_enter && was_open && was_long),
                    "{act:?} by {hand:?}, open since {opened_at:?}, now {}", bench.elapsed_ms
                );
            }
            opened_at = match (was_open, has_open(&bench)) {
                (_, false) => None,
                (true, true) => opened_at,
                // The first press of a key that is held down opens, the others come after it.
                (false, true) if matches!(hand, Hand::Hold(_)) => {
                    Some(bench.elapsed_ms - REPEATS * REPEAT_MS)
                }
                (false, true) => Some(bench.elapsed_ms),
            };
        }
    }

    /// Rows come, go and change places; the cursor stays on its row until a key moves it.
    #[test]
    fn the_row_under_the_cursor_never_changes_without_a_move(
        down in 0_usize..7,
        changes in prop::collection::vec((0_u8..5, 0_usize..7), 1..12),
    ) {
        let mut bench = Bench::at(120, 36);
        bench.keys("2");
        for _ in 0..down {
            bench.keys("j");
        }
        let here = bench.model.inbox.tasks.cursor().copied();
        for (change, at) in changes {
            bench.desk.script(|script| {
                let tasks = &mut script.tasks;
                let at = at.min(tasks.len().saturating_sub(1));
                match change {
                    0 => tasks.reverse(),
                    1 if tasks.len() > 1 => drop(tasks.remove(at)),
                    2 => tasks.rotate_left(at),
                    3 => if let Some(task) = tasks.get_mut(at) {
                        task.version += 1;
                        task.due_at = None;
                    },
                    _ => if let Some(task) = tasks.first().cloned() {
                        let intent = super::fixtures::id(&format!("{:08x}", at + 77), 5);
                        tasks.retain(|task| task.intent != intent);
                        tasks.insert(0, crate::desk::rows::TaskRow { intent, ..task });
                    },
                }
            });
            bench.pass(6_000);
            prop_assert_eq!(bench.model.inbox.tasks.cursor().copied(), here);
        }
    }

    /// Until its instant `u` takes back what was staged; from then on it sends nothing.
    #[test]
    fn what_is_staged_can_be_taken_back_until_its_instant(after in 0_u64..10_000) {
        let mut bench = Bench::at(120, 36);
        bench.keys("2ja");
        let behind = 60_000_u64.saturating_sub(bench.elapsed_ms);
        bench.pass(behind);
        bench.press(KeyCode::Enter, KeyModifiers::NONE);
        bench.settle();
        let staged_at = bench.elapsed_ms;
        let effective_at = bench.model.staged.first().map(|staged| staged.effective_at);
        bench.elapsed_ms = staged_at + after;
        let is_final = effective_at.is_some_and(|at| at <= bench.moment().wall);
        if is_final {
            bench.desk.script(|script| script.held.clear());
        }
        bench.input(Input::Tick);
        bench.press(KeyCode::Char('u'), KeyModifiers::NONE);
        bench.settle();
        let has_undone = matches!(bench.acts().last(), Some(Act::Undo { .. }));
        prop_assert!(effective_at.is_some());
        prop_assert_eq!(has_undone, !is_final, "{} ms after", after);
    }
}
