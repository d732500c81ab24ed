//! Answers of the terminal among the keys: its background, which it tells when asked (OSC 11).
//!
//! The library knows no such answer and gives it as keys: Alt-] and the letters of it. Those are held back
//! while they may still be an answer, and given out as the keys they are when they are none. An answer that
//! comes late is taken out all the same: it never becomes keys.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::console::event::Event;

/// What an answer begins with.
const BEGINNING: &str = "11;rgb:";
/// Letters of the longest answer: four digits for each colour.
const LETTERS_MAX: usize = BEGINNING.len() + 14;

/// What is held back.
#[derive(Debug, Default)]
pub(super) struct Answers {
    text: String,
    held: Vec<Event>,
}

impl Answers {
    /// Takes an event; answers with what is to be forwarded.
    pub(super) fn take(&mut self, event: Event) -> Vec<Event> {
        let Event::Key(key) = &event else {
            return self.release(Some(event));
        };
        if self.held.is_empty() {
            if is_beginning(*key) {
                self.held.push(event);
                return Vec::new();
            }
            return vec![event];
        }
        if is_end(*key) && self.text.len() > BEGINNING.len() {
            return match background(&self.text) {
                Some(background) => {
                    self.held.clear();
                    self.text.clear();
                    vec![background]
                }
                None => self.release(Some(event)),
            };
        }
        match key.code {
            KeyCode::Char(letter) if key.modifiers.is_empty() && self.may_follow(letter) => {
                self.text.push(letter);
                self.held.push(event);
                Vec::new()
            }
            _ => self.release(Some(event)),
        }
    }

    /// Whether keys are held back.
    pub(super) fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// Nothing more has come for a while: what is held back were keys.
    pub(super) fn give_up(&mut self) -> Vec<Event> {
        self.release(None)
    }

    fn release(&mut self, event: Option<Event>) -> Vec<Event> {
        self.text.clear();
        let mut all = std::mem::take(&mut self.held);
        all.extend(event);
        all
    }

    fn may_follow(&self, letter: char) -> bool {
        let at = self.text.len();
        match BEGINNING.chars().nth(at) {
            Some(expected) => letter == expected,
            None => at < LETTERS_MAX && (letter.is_ascii_hexdigit() || letter == '/'),
        }
    }
}

fn is_beginning(key: KeyEvent) -> bool {
    key.code == KeyCode::Char(']') && key.modifiers == KeyModifiers::ALT
}

/// BEL, or ESC and a backslash.
fn is_end(key: KeyEvent) -> bool {
    matches!(
        (key.code, key.modifiers),
        (KeyCode::Char('g'), KeyModifiers::CONTROL) | (KeyCode::Char('\\'), KeyModifiers::ALT)
    )
}

fn background(text: &str) -> Option<Event> {
    let colours = text.strip_prefix(BEGINNING)?;
    let mut parts = colours.split('/').map(|part| {
        let high = part.get(..2).or_else(|| part.get(..1))?;
        let value = u8::from_str_radix(high, 16).ok()?;
        // One digit stands for both.
        Some(if high.len() == 1 { value * 17 } else { value })
    });
    let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
    parts
        .next()
        .is_none()
        .then_some(Event::Background([red, green, blue]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: char, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(code), modifiers))
    }

    /// What the library makes of the bytes.
    fn keys(text: &str, end: Event) -> Vec<Event> {
        let mut keys = vec![key(']', KeyModifiers::ALT)];
        keys.extend(text.chars().map(|letter| key(letter, KeyModifiers::NONE)));
        keys.push(end);
        keys
    }

    fn forwarded(events: Vec<Event>) -> Vec<Event> {
        let mut answers = Answers::default();
        let mut all: Vec<Event> = events
            .into_iter()
            .flat_map(|event| answers.take(event))
            .collect();
        all.extend(answers.give_up());
        all
    }

    #[test]
    fn an_answer_is_one_event_whichever_way_it_ends() {
        let bell = key('g', KeyModifiers::CONTROL);
        let string_end = key('\\', KeyModifiers::ALT);
        for (text, rgb) in [
            ("11;rgb:ffff/ffff/f0f0", [255, 255, 240]),
            ("11;rgb:1e/1e/2e", [30, 30, 46]),
            ("11;rgb:f/0/8", [255, 0, 136]),
        ] {
            for end in [&bell, &string_end] {
                let events = keys(text, end.clone());
                assert_eq!(forwarded(events), [Event::Background(rgb)], "{text}");
            }
        }
    }

    #[test]
    fn keys_that_only_begin_like_an_answer_are_keys_in_their_order() {
        let bell = key('g', KeyModifiers::CONTROL);
        for text in [
            "",
            "1",
            "12;rgb:ff/ff/ff",
            "11;rgb:",
            "11;rgb:zz",
            "11;rgb:ff/ff",
        ] {
            let events = keys(text, bell.clone());
            assert_eq!(forwarded(events.clone()), events, "{text}");
        }
        let alone = vec![key(']', KeyModifiers::ALT)];
        assert_eq!(forwarded(alone.clone()), alone);
        let pasted = vec![
            key(']', KeyModifiers::ALT),
            Event::Paste("11;rgb:".to_owned()),
        ];
        assert_eq!(forwarded(pasted.clone()), pasted);
    }
}
