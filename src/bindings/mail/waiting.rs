//! What is still to be written, and how far the feed was read: the part that survives.

use serde::{Deserialize, Serialize};

use super::letter::{Kept, Letter};
use crate::domain::ids::Cursor;

/// The letters that the server has not taken.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// The last position of the feed that was looked at.
    pub(super) through: Cursor,
    letters: Vec<Waits>,
    next_key: u64,
}

#[derive(Debug)]
struct Waits {
    key: u64,
    letter: Letter,
    failures: u32,
    stage: Stage,
}

/// Where a letter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// May be sent.
    Ready,
    /// Waits out a pause.
    Resting,
    /// Is being given to the server.
    Sending,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    through: u64,
    waiting: Vec<Kept>,
}

impl Waiting {
    /// What an earlier process left.
    pub(super) fn read(text: &str) -> Option<Self> {
        let saved: Saved = serde_json::from_str(text).ok()?;
        let mut waiting = Self {
            through: Cursor(saved.through),
            ..Self::default()
        };
        for letter in saved.waiting.into_iter().filter_map(Letter::read) {
            waiting.add(letter);
        }
        Some(waiting)
    }

    pub(super) fn saved(&self) -> String {
        let saved = Saved {
            through: self.through.0,
            waiting: self.letters.iter().map(|one| one.letter.kept()).collect(),
        };
        serde_json::to_string(&saved).unwrap_or_default()
    }

    pub(super) const fn len(&self) -> usize {
        self.letters.len()
    }

    /// One more; it takes the place of an older one to the same person unless that is on its way.
    pub(super) fn add(&mut self, letter: Letter) {
        self.letters
            .retain(|one| one.stage == Stage::Sending || !letter.replaces(&one.letter));
        let key = self.next_key;
        self.next_key = self.next_key.saturating_add(1);
        self.letters.push(Waits {
            key,
            letter,
            failures: 0,
            stage: Stage::Ready,
        });
    }

    /// The next that may be sent, which is on its way then.
    pub(super) fn next(&mut self) -> Option<(u64, Letter)> {
        let ready = self
            .letters
            .iter_mut()
            .find(|one| one.stage == Stage::Ready)?;
        ready.stage = Stage::Sending;
        Some((ready.key, ready.letter.clone()))
    }

    /// It is settled.
    pub(super) fn remove(&mut self, key: u64) {
        self.letters.retain(|one| one.key != key);
    }

    /// It was not taken and rests. Answers how often that was; none when a newer one has its place.
    pub(super) fn rest(&mut self, key: u64) -> Option<u32> {
        let at = self.letters.iter().position(|one| one.key == key)?;
        let letter = self.letters.get(at)?.letter.clone();
        let is_outdone = self
            .letters
            .iter()
            .any(|one| one.key > key && one.letter.replaces(&letter));
        if is_outdone {
            self.letters.remove(at);
            return None;
        }
        let one = self.letters.get_mut(at)?;
        one.failures = one.failures.saturating_add(1);
        one.stage = Stage::Resting;
        Some(one.failures)
    }

    /// It has rested.
    pub(super) fn wake(&mut self, key: u64) {
        if let Some(one) = self.letters.iter_mut().find(|one| one.key == key) {
            one.stage = Stage::Ready;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{letter, person};
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_and_may_be_sent_at_once() {
        let mut waiting = Waiting {
            through: Cursor(17),
            ..Waiting::default()
        };
        waiting.add(letter(3, "finance"));
        waiting.add(letter(3, "lead"));
        let (key, _) = waiting.next().unwrap();
        assert_eq!(waiting.rest(key), Some(1));
        let mut again = Waiting::read(&waiting.saved()).unwrap();
        assert_eq!((again.through, again.len()), (Cursor(17), 2));
        assert_eq!(again.next().unwrap().1, letter(3, "finance"));
        assert_eq!(again.next().unwrap().1, letter(3, "lead"));
        assert!(Waiting::read("{").is_none());
    }

    #[test]
    fn a_newer_letter_of_a_task_takes_the_place_of_an_older_one() {
        let mut waiting = Waiting::default();
        waiting.add(letter(3, "finance"));
        waiting.add(letter(5, "finance"));
        waiting.add(letter(5, "lead"));
        assert_eq!(waiting.len(), 2);
        let (key, first) = waiting.next().unwrap();
        assert_eq!((first.seq, first.person), (5, person("finance")));
        // It is on its way while the next reminder comes; should it fail, the newer one is enough.
        waiting.add(letter(7, "finance"));
        assert_eq!(waiting.len(), 3);
        assert_eq!(waiting.rest(key), None);
        assert_eq!(waiting.len(), 2);
    }

    #[test]
    fn a_letter_that_rests_lets_others_go_first() {
        let mut waiting = Waiting::default();
        waiting.add(letter(3, "finance"));
        waiting.add(letter(3, "lead"));
        let (key, _) = waiting.next().unwrap();
        assert_eq!(waiting.rest(key), Some(1));
        let (other, _) = waiting.next().unwrap();
        waiting.remove(other);
        assert!(waiting.next().is_none());
        waiting.wake(key);
        assert_eq!(waiting.next().unwrap().0, key);
        assert_eq!(waiting.rest(key), Some(2));
    }
}
