//! What lies over a desk: one at a time, opened by a key, closed by Esc.

use crate::clock::Mono;
use crate::console::action::{Action, Context};
use crate::console::model::columns::ListName;
use crate::console::model::comparing::Comparing;
use crate::console::model::panel::Panel;
use crate::console::regroup::GroupBy;
use crate::console::widgets::field::{Field, Lines};
use crate::domain::address::Address;
use crate::domain::ids::IntentId;
use crate::domain::payload::Payload;

/// A field with proposals below it: the palette and help.
#[derive(Debug)]
pub(crate) struct Picker {
    /// What is typed.
    pub(crate) field: Field,
    /// The proposal under the cursor.
    pub(crate) cursor: usize,
    /// Intents whose ids fit, as the desk found them, and for which text.
    pub(crate) found: Option<(String, Vec<(IntentId, String)>)>,
    /// Whether anything was typed since it opened.
    pub(crate) is_touched: bool,
    /// Why Enter did nothing.
    pub(crate) problem: Option<String>,
}

impl Picker {
    /// An empty field.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            field: Field::with_text(Lines::One, text),
            cursor: 0,
            found: None,
            is_touched: false,
            problem: None,
        }
    }

    /// What is typed.
    pub(crate) fn text(&self) -> String {
        self.field.text()
    }
}

/// The JSON of a replay that is being edited.
#[derive(Debug)]
pub(crate) struct EditReplay {
    /// Which dead letter.
    pub(crate) intent: IntentId,
    /// The payload as it was.
    pub(crate) before: Payload,
    /// The payload as it will be.
    pub(crate) editor: Field,
    /// Why it cannot be sent as it stands.
    pub(crate) problem: Option<String>,
    /// When it opened.
    pub(crate) opened: Mono,
}

/// What lies over a desk.
#[derive(Debug)]
pub(crate) enum Overlay {
    /// Every key that works here.
    Help(Picker),
    /// A verb, a desk, an id or a filter.
    Palette(Picker),
    /// The filter of the desk.
    Filter(Picker),
    /// What to search for in an intent.
    Search(Picker),
    /// A deed that asks first.
    Panel(Panel),
    /// Everything that is held; the place of the cursor.
    Held(usize),
    /// Messages; lines scrolled up.
    Messages(usize),
    /// Why something is as it is.
    Explain {
        /// About what.
        title: String,
        /// The sentences.
        lines: Vec<String>,
    },
    /// The themes, and the one that was there before.
    Themes {
        /// The place of the cursor.
        cursor: usize,
        /// What Esc goes back to.
        before: String,
    },
    /// The way to what is on the screen.
    Crumbs {
        /// The level in focus, the desk being the first.
        level: usize,
        /// The place of the cursor among what stands at it.
        cursor: usize,
    },
    /// The columns of a list.
    Columns {
        /// Which list.
        list: ListName,
        /// The place of the cursor.
        cursor: usize,
    },
    /// Two intents side by side.
    Compare(Box<Comparing>),
    /// A payload that is being edited for a replay.
    Edit(Box<EditReplay>),
}

impl Overlay {
    /// The context it answers keys in.
    pub(crate) const fn context(&self) -> Context {
        match self {
            Self::Help(_)
            | Self::Palette(_)
            | Self::Filter(_)
            | Self::Search(_)
            | Self::Edit(_) => Context::Field,
            Self::Panel(_) => Context::Panel,
            Self::Held(_)
            | Self::Messages(_)
            | Self::Explain { .. }
            | Self::Compare(_)
            | Self::Columns { .. }
            | Self::Crumbs { .. }
            | Self::Themes { .. } => Context::List,
        }
    }
}

/// What a proposal of the palette does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Run an action.
    Run(Action),
    /// Open an intent.
    Intent(IntentId),
    /// Look an id up.
    Find(String),
    /// Go to an agent.
    Agent(Address),
    /// Change the theme.
    Theme(String),
    /// Gather the dead letters by something else.
    Group(GroupBy),
    /// Set the filter of the dead letters, or of the intents.
    Filter(crate::console::action::place::Place, String),
}

/// One line of the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// What it does.
    pub(crate) choice: Choice,
    /// Its name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) sentence: String,
    /// The key that does the same.
    pub(crate) key: String,
    /// Why it is off, if it is.
    pub(crate) off: Option<String>,
}
