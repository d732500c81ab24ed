//! What the operator's hands did: acts on their way, keys that have begun, how fast they type.

use crokey::KeyCombination;
use crossterm::event::KeyCode;

use crate::clock::Mono;
use crate::console::keymap::Follow;
use crate::domain::ids::{HoldId, IntentId};
use crate::domain::time::Timestamp;

/// An act that was sent and not answered yet.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// On which intent.
    pub(crate) intent: Option<IntentId>,
    /// What it is, as it stands in messages: `approve 8fd03e1b`.
    pub(crate) what: String,
    /// What it will be called once it is held: `approved`.
    pub(crate) word: String,
    /// Acts that are taken back together have the same number.
    pub(crate) batch: u64,
    /// How often the cursor had been moved then.
    pub(crate) moves: u64,
    /// The hold it takes back.
    pub(crate) undoes: Option<HoldId>,
    /// The masked value that is shown once this is on record.
    pub(crate) reveals: Option<(IntentId, String)>,
}

/// A held act of this console, to be taken back with `u`.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    /// Its id.
    pub(crate) hold: HoldId,
    /// On which intent.
    pub(crate) intent: Option<IntentId>,
    /// The word for it.
    pub(crate) word: String,
    /// When it becomes final.
    pub(crate) effective_at: Timestamp,
    /// Acts that are taken back together have the same number.
    pub(crate) batch: u64,
    /// True until the desk has listed what is held once more.
    pub(crate) is_new: bool,
}

/// A key sequence that has begun.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pressed {
    /// The keys so far.
    pub(crate) keys: Vec<KeyCombination>,
    /// What may follow.
    pub(crate) follows: Vec<Follow>,
    /// Since when.
    pub(crate) since: Mono,
}

/// What was typed how fast: a burst of keys is a paste that the terminal did not mark.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Typing {
    /// When the last key came.
    pub(crate) last: Option<Mono>,
    /// Keys that followed each other faster than anybody types.
    pub(crate) burst: u32,
    /// When the last paste came.
    pub(crate) paste: Option<Mono>,
    /// When Ctrl-C was last pressed.
    pub(crate) close: Option<Mono>,
    /// The key that opened the strip, until another one goes down.
    pub(crate) opened_by: Option<KeyCode>,
}
