//! Whether what clients were told, and when, is what one broker that does one thing after another would have
//! told them.
//!
//! Each call has the instant at which it was first made and the one at which its answer came, on a clock that
//! only rises. An intent is a register that is written once, by its end: a call that ended it took effect
//! somewhere between its two instants, and no read, refusal or other end may contradict every such place. For
//! a register written once that place can be computed: it lies after the start of every read that found the
//! intent open, and before the answer of every read, write and refusal that knew of the end.
//!
//! Beside it: everything acknowledged has ended; no outcome was kept for an attempt after a later one was in
//! somebody's hands, and no two attempts of one intent lived at once; every reader of the feed got each item
//! once, in order, and what had been acknowledged before it asked.

use std::collections::BTreeMap;

/// From the first try of a call to its answer, in microseconds; [`NEVER`] when no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct During {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// No answer came, so the call may have taken effect at any time after it was made.
pub(crate) const NEVER: u64 = u64::MAX;

/// A call about the end of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Touch {
    /// It was to end the intent in this way. Several calls may have written the end that it has.
    Write { is_the_end: bool, is_kept: bool },
    /// It was refused because the intent had ended, or a list said that it had.
    TooLate,
    /// It looked: how the intent had ended, or that it had not.
    Read(Option<String>),
}

/// What is known of one intent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Register {
    pub(crate) touches: Vec<(During, Touch)>,
    /// When somebody was told that it is there.
    pub(crate) accepted: Option<During>,
    /// How it ended, as the last look says; none for one that has not, or is gone.
    pub(crate) end: Option<String>,
    /// The first item of the feed that is about it.
    pub(crate) cursor: Option<u64>,
}

/// An attempt in somebody's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handed {
    pub(crate) intent: String,
    pub(crate) number: u64,
    /// When it was seen, in microseconds.
    pub(crate) at: u64,
}

/// When an attempt began and was over, as the broker wrote it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) intent: String,
    pub(crate) number: u64,
    pub(crate) began: String,
    pub(crate) over: String,
}

/// One question for the feed: from where, what came, and where it ended then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FeedRead {
    pub(crate) during: During,
    pub(crate) since: u64,
    pub(crate) cursors: Vec<u64>,
    pub(crate) head: u64,
}

/// Everything that clients saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) registers: BTreeMap<String, Register>,
    /// By the attempt's id.
    pub(crate) handed: BTreeMap<String, Handed>,
    /// Outcomes and other calls of a receiver that named an attempt and were kept.
    pub(crate) fenced: Vec<(During, String)>,
    pub(crate) lives: Vec<Life>,
    pub(crate) feed: Vec<FeedRead>,
}

impl History {
    pub(crate) fn touch(&mut self, intent: &str, during: During, touch: Touch) {
        let register = self.registers.entry(intent.to_owned()).or_default();
        register.touches.push((during, touch));
    }

    /// Everything that no broker doing one thing after another can have said.
    pub(crate) fn violations(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (id, register) in &self.registers {
            wrong.extend(register.violations(id));
        }
        self.fences(&mut wrong);
        self.lives(&mut wrong);
        self.feed(&mut wrong);
        wrong
    }

    /// An outcome counts only for the attempt in hand: whoever has a later one may rely on it.
    fn fences(&self, wrong: &mut Vec<String>) {
        let mut later: BTreeMap<&str, Vec<&Handed>> = BTreeMap::new();
        for handed in self.handed.values() {
            later.entry(&handed.intent).or_default().push(handed);
        }
        for (during, attempt) in &self.fenced {
            let Some(handed) = self.handed.get(attempt) else {
                continue;
            };
            let others = later.get(handed.intent.as_str()).into_iter().flatten();
            for other in others.filter(|other| other.number > handed.number) {
                if other.at < during.from {
                    wrong.push(format!(
                        "history: a call for attempt {attempt} of {} was kept after attempt number {} was in other hands",
                        handed.intent, other.number
                    ));
                }
            }
        }
    }

    /// Instants are UTC with the same digits, so text is in their order.
    fn lives(&self, wrong: &mut Vec<String>) {
        let mut lives: Vec<&Life> = self.lives.iter().collect();
        lives.sort_by(|one, other| (&one.intent, one.number).cmp(&(&other.intent, other.number)));
        for pair in lives.windows(2) {
            if pair[0].intent == pair[1].intent && pair[0].over > pair[1].began {
                wrong.push(format!(
                    "history: attempts {} and {} of {} lived at once",
                    pair[0].number, pair[1].number, pair[0].intent
                ));
            }
        }
    }

    fn feed(&self, wrong: &mut Vec<String>) {
        for read in &self.feed {
            if !read
                .cursors
                .iter()
                .copied()
                .eq((read.since + 1..).take(read.cursors.len()))
            {
                wrong.push(format!(
                    "history: a reader of the feed after {} got {:?}",
                    read.since, read.cursors
                ));
            }
        }
        // The last item that must have been there: of intents, in the order of their answers.
        let answered = self
            .registers
            .iter()
            .filter_map(|(id, register)| Some((register.accepted?.to, register.cursor?, id)));
        let mut answered: Vec<_> = answered.collect();
        answered.sort_unstable();
        let mut reads: Vec<&FeedRead> = self.feed.iter().collect();
        reads.sort_by_key(|read| read.during.from);
        let mut answered = answered.into_iter().peekable();
        let mut must: Option<(u64, &String)> = None;
        for read in reads {
            while let Some((_, cursor, id)) = answered.next_if(|(at, ..)| *at < read.during.from) {
                must = must.max(Some((cursor, id)));
            }
            if let Some((cursor, id)) = must.filter(|(cursor, _)| *cursor > read.head) {
                wrong.push(format!(
                    "history: {id} was acknowledged at {cursor}, and then the feed ended at {}",
                    read.head
                ));
            }
        }
    }
}

impl Register {
    fn violations(&self, id: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.end.is_none() && self.accepted.is_some() {
            wrong.push(format!("history: {id} was acknowledged and has no end"));
        }
        for (_, touch) in &self.touches {
            match touch {
                Touch::Read(Some(end)) if Some(end) != self.end.as_ref() => {
                    wrong.push(format!(
                        "history: {id} was seen as {end}, and is {:?}",
                        self.end
                    ));
                }
                Touch::Write {
                    is_the_end: false,
                    is_kept: true,
                } => {
                    wrong.push(format!(
                        "history: {id} has another end than one that was kept"
                    ));
                }
                Touch::Read(_) | Touch::Write { .. } | Touch::TooLate => {}
            }
        }
        let is_write = |touch: &Touch| {
            matches!(
                touch,
                Touch::Write {
                    is_the_end: true,
                    ..
                }
            )
        };
        let writes = self.touches.iter().filter(|(_, touch)| is_write(touch));
        // Nobody who ended it: its time, its budget or a held command of somebody did.
        let written = writes.map(|(during, _)| during.from).min().unwrap_or(0);
        let open = self
            .touches
            .iter()
            .filter(|(_, touch)| *touch == Touch::Read(None));
        let open = open.map(|(during, _)| during.from).max().unwrap_or(0);
        let knew = self.touches.iter().filter(|(_, touch)| match touch {
            Touch::Read(end) => end.is_some(),
            Touch::Write {
                is_the_end,
                is_kept,
            } => *is_the_end && *is_kept,
            Touch::TooLate => true,
        });
        let known = knew.map(|(during, _)| during.to).min().unwrap_or(NEVER);
        if written.max(open) > known {
            wrong.push(format!(
                "history: {id} cannot have ended between {} and {known}: {:?}",
                written.max(open),
                self.touches
            ));
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn during(from: u64, to: u64) -> During {
        During { from, to }
    }

    const KEPT: Touch = Touch::Write {
        is_the_end: true,
        is_kept: true,
    };

    fn read(end: Option<&str>) -> Touch {
        Touch::Read(end.map(str::to_owned))
    }

    /// A history of one intent that ended as `done` between 20 and 30.
    fn good() -> History {
        let mut history = History::default();
        let register = history.registers.entry("i".to_owned()).or_default();
        register.accepted = Some(during(0, 10));
        register.end = Some("done".to_owned());
        register.cursor = Some(7);
        history.touch("i", during(12, 14), read(None));
        history.touch("i", during(20, 30), KEPT);
        // Both answers are right while the end is on its way.
        history.touch("i", during(21, 29), read(None));
        history.touch("i", during(22, 28), read(Some("done")));
        history.touch("i", during(31, 33), read(Some("done")));
        history.touch("i", during(25, 40), Touch::TooLate);
        for (attempt, number, at) in [("a1", 1, 11), ("a2", 2, 18)] {
            let intent = "i".to_owned();
            history
                .handed
                .insert(attempt.to_owned(), Handed { intent, number, at });
        }
        history.fenced.push((during(20, 30), "a2".to_owned()));
        history.fenced.push((during(17, 30), "a1".to_owned()));
        for (number, began, over) in [(1, "10.000", "12.000"), (2, "12.000", "30.000")] {
            let (began, over) = (began.to_owned(), over.to_owned());
            history.lives.push(Life {
                intent: "i".to_owned(),
                number,
                began,
                over,
            });
        }
        let feed = |from, since, cursors: &[u64], head| FeedRead {
            during: during(from, from + 1),
            since,
            cursors: cursors.to_vec(),
            head,
        };
        history.feed = vec![
            feed(5, 0, &[], 0),
            feed(11, 4, &[5, 6, 7], 7),
            feed(12, 7, &[], 9),
        ];
        history
    }

    fn only(history: &History, words: &str) {
        let wrong = history.violations();
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].contains(words), "{wrong:?}");
    }

    #[test]
    fn what_one_broker_can_have_said_is_right() {
        assert_eq!(good().violations(), Vec::<String>::new());
    }

    #[test]
    fn an_end_that_was_kept_and_then_not_seen_is_wrong() {
        let mut history = good();
        history.touch("i", during(31, 32), read(None));
        only(&history, "cannot have ended between 31 and 28");
    }

    #[test]
    fn an_end_that_was_seen_before_anybody_gave_it_is_wrong() {
        let mut history = good();
        history.touch("i", during(15, 19), read(Some("done")));
        only(&history, "cannot have ended between 21 and 19");
    }

    #[test]
    fn an_end_that_was_seen_and_then_not_is_wrong_although_its_writer_never_heard() {
        let mut history = History::default();
        history.touch(
            "i",
            during(1, NEVER),
            Touch::Write {
                is_the_end: true,
                is_kept: false,
            },
        );
        history.touch("i", during(5, 6), read(Some("done")));
        history.registers.entry("i".to_owned()).or_default().end = Some("done".to_owned());
        assert_eq!(history.violations(), Vec::<String>::new());
        history.touch("i", during(7, 8), read(None));
        only(&history, "cannot have ended between 7 and 6");
    }

    #[test]
    fn a_refusal_for_lateness_before_the_end_is_wrong() {
        let mut history = good();
        history.touch("i", during(15, 16), Touch::TooLate);
        only(&history, "cannot have ended");
    }

    #[test]
    fn another_end_than_the_one_that_was_kept_or_seen_is_wrong() {
        let mut history = good();
        let other = Touch::Write {
            is_the_end: false,
            is_kept: true,
        };
        history.touch("i", during(40, 41), other);
        only(&history, "another end than one that was kept");
        let mut history = good();
        history.touch("i", during(50, 51), read(Some("failed")));
        only(&history, "was seen as failed");
    }

    #[test]
    fn what_was_acknowledged_and_has_no_end_is_wrong() {
        let mut history = History::default();
        history
            .registers
            .entry("i".to_owned())
            .or_default()
            .accepted = Some(during(0, 1));
        only(&history, "was acknowledged and has no end");
    }

    #[test]
    fn an_outcome_that_is_kept_for_an_attempt_of_the_past_is_wrong() {
        let mut history = good();
        history.fenced.push((during(19, 25), "a1".to_owned()));
        only(&history, "a call for attempt a1 of i was kept");
    }

    #[test]
    fn two_attempts_at_once_are_wrong() {
        let mut history = good();
        "12.001".clone_into(&mut history.lives[0].over);
        only(&history, "attempts 1 and 2 of i lived at once");
    }

    #[test]
    fn a_feed_with_a_gap_or_a_double_is_wrong() {
        for cursors in [vec![5, 7], vec![5, 5, 6], vec![6]] {
            let mut history = good();
            history.feed[1].cursors = cursors;
            only(&history, "a reader of the feed after 4");
        }
    }

    #[test]
    fn a_feed_that_ends_before_what_was_acknowledged_is_wrong() {
        let mut history = good();
        history.feed[2].head = 6;
        only(&history, "acknowledged at 7, and then the feed ended at 6");
    }
}
