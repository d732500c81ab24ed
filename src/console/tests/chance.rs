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
}

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
            Hand::Hold(key) => {
                for _ in 0..8 {
                    bench.elapsed_ms += 33;
                    bench.hold_down(*key);
                }
            }
        }
        bench.settle();
    }
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
            let is_harmless = matches!(
                act,
                Act::Replay { .. } | Act::RetryNow { .. } | Act::Undo { .. }
            );
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
