//! Two intents, or two attempts, side by side.

use crate::console::compare::{Comparison, Difference};
use crate::domain::ids::IntentId;

/// What an intent is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    /// A named intent, and what it is to this one: `its replay`.
    Intent(IntentId, &'static str),
    /// The newest one of the same type to the same agent that completed.
    LastSuccess,
    /// Another attempt of the open intent: this number with the one before it.
    Attempt(u32),
}

impl With {
    /// The words for the left side.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Intent(id, word) => format!("{word} {}", id.short()),
            Self::LastSuccess => "the last success".to_owned(),
            Self::Attempt(number) => format!("attempt {}", number.saturating_sub(1)),
        }
    }
}

/// What lies over the desk while comparing.
#[derive(Debug)]
pub(crate) struct Comparing {
    /// Which intent.
    pub(crate) intent: IntentId,
    /// What it can be compared with.
    pub(crate) choices: Vec<With>,
    /// The place of what it is compared with now.
    pub(crate) chosen: usize,
    /// What differs beside the payload: type, parties, ends.
    pub(crate) about: Vec<Difference>,
    /// What differs in the payload, once both were read.
    pub(crate) payload: Option<Comparison>,
    /// The words for the left side, once it is known.
    pub(crate) left: String,
    /// Why there is nothing to show.
    pub(crate) problem: Option<String>,
    /// The line under the cursor.
    pub(crate) line: usize,
}

impl Comparing {
    /// Nothing read yet.
    pub(crate) fn new(intent: IntentId, choices: Vec<With>) -> Self {
        let left = choices.first().map(|with| with.words());
        Self {
            intent,
            choices,
            chosen: 0,
            about: Vec::new(),
            payload: None,
            left: left.unwrap_or_default(),
            problem: None,
            line: 0,
        }
    }

    /// What it is compared with.
    pub(crate) fn with(&self) -> Option<With> {
        self.choices.get(self.chosen).copied()
    }

    /// Everything that differs, in the order of the lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Difference> {
        let payload = self.payload.iter().flat_map(|one| &one.differences);
        self.about.iter().chain(payload)
    }

    /// How many lines there are.
    pub(crate) fn count(&self) -> usize {
        self.lines().count()
    }
}
