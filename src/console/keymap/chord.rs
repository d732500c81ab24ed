//! Reading and printing chords: `r`, `G`, `ctrl-d`, `shift-tab`, `g g`.

use std::fmt;

use crokey::{KeyCombination, KeyCombinationFormat, OneToThree};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// With one of these a letter is a command and its case says nothing; Shift alone only makes it big.
const COMMANDING: KeyModifiers = KeyModifiers::CONTROL
    .union(KeyModifiers::ALT)
    .union(KeyModifiers::SUPER);

/// One or more key combinations after each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Chord(Vec<KeyCombination>);

/// The text names no key; it holds the word that does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no key")]
pub struct UnknownKey(pub String);

impl Chord {
    /// Reads chords separated by spaces.
    pub fn parse(text: &str) -> Result<Self, UnknownKey> {
        let keys = text
            .split_whitespace()
            .map(parse_key)
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            Err(UnknownKey(text.to_owned()))
        } else {
            Ok(Self(keys))
        }
    }

    /// The keys, in the order they are pressed; never empty.
    #[must_use]
    pub fn keys(&self) -> &[KeyCombination] {
        &self.0
    }

    /// Whether no destructive or wide action may sit on it: it does not end in a plain upper-case
    /// letter. Ctrl edits, scrolls and leaves; Delete, Backspace, Space and Enter are typed in passing.
    #[must_use]
    pub fn is_banned_for_danger(&self) -> bool {
        let ends_well = self.0.last().is_some_and(|key| {
            matches!(key.codes, OneToThree::One(KeyCode::Char(letter)) if letter.is_uppercase())
                && !key
                    .modifiers
                    .intersects(KeyModifiers::CONTROL | KeyModifiers::SUPER)
        });
        !ends_well
    }

    /// The chord as the narrow hint line prints it: `^E` for `Ctrl-E`.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().replace("Ctrl-", "^")
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(&key_text(*key))?;
        }
        Ok(())
    }
}

fn parse_key(text: &str) -> Result<KeyCombination, UnknownKey> {
    let unknown = || UnknownKey(text.to_owned());
    let mut letters = text.chars();
    let key = match (letters.next(), letters.next()) {
        // Alone, case counts: `g` and `G` are two keys.
        (Some(letter), None) => KeyCombination::one_key(KeyCode::Char(letter), shift_of(letter)),
        _ => match text.to_ascii_lowercase().as_str() {
            "shift-tab" | "s-tab" => KeyCombination::one_key(KeyCode::BackTab, KeyModifiers::SHIFT),
            // As they are printed, alone or behind a modifier: `PgUp`, `Ctrl-PgDn`.
            lower if is_or_ends(lower, "pgup") || is_or_ends(lower, "pgdn") => {
                let whole = lower.replace("pgup", "pageup").replace("pgdn", "pagedown");
                crokey::parse(&whole).map_err(|_unparsed| unknown())?
            }
            // As it is printed behind another modifier: `Ctrl-S-Tab`.
            lower if lower.ends_with("-s-tab") => {
                let modifiers = lower.trim_end_matches("s-tab");
                crokey::parse(&format!("{modifiers}backtab")).map_err(|_unparsed| unknown())?
            }
            lower => crokey::parse(lower).map_err(|_unparsed| unknown())?,
        },
    };
    // Two keys at once cannot be told from two keys after each other on most terminals.
    if key.is_ansi_compatible() {
        Ok(normalised(key))
    } else {
        Err(unknown())
    }
}

fn is_or_ends(text: &str, name: &str) -> bool {
    text.strip_suffix(name)
        .is_some_and(|before| before.is_empty() || before.ends_with('-'))
}

fn shift_of(letter: char) -> KeyModifiers {
    if letter.is_uppercase() {
        KeyModifiers::SHIFT
    } else {
        KeyModifiers::NONE
    }
}

/// The key of a terminal event, in the one form chords are compared in.
#[must_use]
pub fn key_of(event: KeyEvent) -> KeyCombination {
    normalised(KeyCombination::one_key(event.code, event.modifiers))
}

/// Terminals disagree on Shift: an upper-case letter always carries it, any other character never does.
fn normalised(key: KeyCombination) -> KeyCombination {
    let OneToThree::One(code) = key.codes else {
        return key;
    };
    let mut modifiers = key.modifiers;
    let code = match code {
        KeyCode::Char('\r' | '\n') => KeyCode::Enter,
        KeyCode::Char(letter) => {
            let is_plain = !modifiers.intersects(COMMANDING);
            let letter = if is_plain && modifiers.contains(KeyModifiers::SHIFT) {
                upper_of(letter)
            } else if is_plain {
                letter
            } else {
                lower_of(letter)
            };
            if is_plain {
                modifiers.remove(KeyModifiers::SHIFT);
                modifiers |= shift_of(letter);
            }
            KeyCode::Char(letter)
        }
        KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        KeyCode::BackTab => {
            modifiers |= KeyModifiers::SHIFT;
            KeyCode::BackTab
        }
        other => other,
    };
    KeyCombination::one_key(code, modifiers)
}

fn upper_of(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => single,
        _ => letter,
    }
}

fn lower_of(letter: char) -> char {
    let mut lower = letter.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => letter,
    }
}

/// One key as it is printed: `r`, `G`, `Ctrl-D`, `S-Tab`, `PgDn`, `Space`.
#[must_use]
pub fn key_text(key: KeyCombination) -> String {
    let named = match key.codes {
        OneToThree::One(KeyCode::BackTab) => "S-Tab",
        OneToThree::One(KeyCode::PageUp) => "PgUp",
        OneToThree::One(KeyCode::PageDown) => "PgDn",
        OneToThree::One(KeyCode::Char('-')) => "-",
        OneToThree::One(KeyCode::Char(letter)) if letter != ' ' => {
            let has_modifier = key.modifiers.intersects(COMMANDING);
            let letter = if has_modifier {
                upper_of(letter)
            } else {
                letter
            };
            return format!("{}{letter}", modifiers_text(key.modifiers, has_modifier));
        }
        _ => return KeyCombinationFormat::default().to_string(key),
    };
    // The name of S-Tab says its Shift; the other names do not.
    let shows_shift = key.codes != OneToThree::One(KeyCode::BackTab);
    format!("{}{named}", modifiers_text(key.modifiers, shows_shift))
}

fn modifiers_text(modifiers: KeyModifiers, shows_shift: bool) -> String {
    let mut text = String::new();
    if modifiers.contains(KeyModifiers::CONTROL) {
        text.push_str("Ctrl-");
    }
    if modifiers.contains(KeyModifiers::ALT) {
        text.push_str("Alt-");
    }
    if shows_shift && modifiers.contains(KeyModifiers::SHIFT) {
        text.push_str("Shift-");
    }
    if modifiers.contains(KeyModifiers::SUPER) {
        text.push_str("Cmd-");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chord_prints_as_the_screen_shows_it_and_reads_back() {
        for (text, printed) in [
            ("r", "r"),
            ("G", "G"),
            ("g g", "g g"),
            ("ctrl-d", "Ctrl-D"),
            ("ctrl-D", "Ctrl-D"),
            ("shift-tab", "S-Tab"),
            ("ctrl-backtab", "Ctrl-S-Tab"),
            ("pagedown", "PgDn"),
            ("ctrl-pageup", "Ctrl-PgUp"),
            ("space", "Space"),
            ("- r", "- r"),
            ("esc", "Esc"),
            ("alt-1", "Alt-1"),
            ("shift-g", "G"),
            ("down", "Down"),
        ] {
            let chord = Chord::parse(text).unwrap();
            assert_eq!(chord.to_string(), printed);
            assert_eq!(Chord::parse(printed).unwrap(), chord, "{printed}");
        }
        for nonsense in ["", "ctrl-", "hyper-x", "a-b", "ctrl-nokey"] {
            assert!(Chord::parse(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn every_key_behind_any_modifiers_prints_as_a_chord_that_is_the_same_key() {
        let mut codes = vec![
            KeyCode::Backspace,
            KeyCode::Enter,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Delete,
            KeyCode::Insert,
            KeyCode::Esc,
        ];
        codes.extend((' '..='~').map(KeyCode::Char));
        codes.extend((1..=12).map(KeyCode::F));
        let modifiers = [
            KeyModifiers::CONTROL,
            KeyModifiers::ALT,
            KeyModifiers::SHIFT,
            KeyModifiers::SUPER,
        ];
        for code in codes {
            for set in 0..1 << modifiers.len() {
                let held = modifiers
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| set >> index & 1 == 1)
                    .map(|(_, modifier)| *modifier)
                    .collect();
                let key = key_of(KeyEvent::new(code, held));
                let printed = key_text(key);
                let read = Chord::parse(&printed);
                assert_eq!(read.as_ref().map(Chord::keys), Ok(&[key][..]), "{printed}");
            }
        }
    }

    #[test]
    fn terminals_that_disagree_on_shift_give_the_same_key() {
        let event = |code, modifiers| key_of(KeyEvent::new(code, modifiers));
        let shift = KeyModifiers::SHIFT;
        let none = KeyModifiers::NONE;
        assert_eq!(
            event(KeyCode::Char('G'), none),
            event(KeyCode::Char('G'), shift)
        );
        assert_eq!(
            event(KeyCode::Char('g'), shift),
            event(KeyCode::Char('G'), shift)
        );
        assert_eq!(
            event(KeyCode::Char('?'), shift),
            event(KeyCode::Char('?'), none)
        );
        assert_eq!(event(KeyCode::BackTab, none), event(KeyCode::Tab, shift));
        assert_eq!(
            event(KeyCode::Char('?'), none),
            *Chord::parse("?").unwrap().keys().first().unwrap()
        );
    }
}
