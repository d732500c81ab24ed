//! Everything an operator can do, as data: one row per action.
//!
//! Dispatch, hint lines, help, palette and the key table of the README all come from these rows. The
//! rows stand in the submodules, by where they apply; chords are the defaults and `keymap` may change
//! them.

mod desks;
mod everywhere;
mod lists;
mod overlays;
pub mod parity;
pub mod place;

use self::place::Place;

/// Where an action applies. The innermost context answers a key first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// Everywhere.
    Global,
    /// Any list, on every desk.
    List,
    /// The overview desk.
    Overview,
    /// The inbox desk.
    Inbox,
    /// The list of intents.
    Intents,
    /// One intent: timeline, attempts, payload, headers, lineage, raw.
    Intent,
    /// The attempts desk.
    Attempts,
    /// The dead letters desk: groups and the letters in them.
    DeadLetters,
    /// The agents desk.
    Agents,
    /// The jobs desk.
    Jobs,
    /// The audit desk.
    Audit,
    /// The decision strip under a row of the inbox. A text field: letters are text.
    Strip,
    /// The diff in the strip of a review, while it has the focus. Letters move in it.
    Diff,
    /// A panel of options. Letters are text while one of its text fields has the focus.
    Panel,
    /// A text field of its own: palette, filter, search, editor. Letters are text.
    Field,
}

impl Context {
    /// Every context, outermost first.
    pub const ALL: [Self; 15] = [
        Self::Global,
        Self::List,
        Self::Overview,
        Self::Inbox,
        Self::Intents,
        Self::Intent,
        Self::Attempts,
        Self::DeadLetters,
        Self::Agents,
        Self::Jobs,
        Self::Audit,
        Self::Strip,
        Self::Diff,
        Self::Panel,
        Self::Field,
    ];

    /// The name in `keys.toml` and in the key table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::List => "list",
            Self::Overview => "overview",
            Self::Inbox => "inbox",
            Self::Intents => "intents",
            Self::Intent => "intent",
            Self::Attempts => "attempts",
            Self::DeadLetters => "dead-letters",
            Self::Agents => "agents",
            Self::Jobs => "jobs",
            Self::Audit => "audit",
            Self::Strip => "strip",
            Self::Diff => "diff",
            Self::Panel => "panel",
            Self::Field => "field",
        }
    }

    /// The context of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|context| context.name() == name)
    }

    /// The contexts that answer a key here, innermost first.
    #[must_use]
    pub const fn layers(self) -> &'static [Self] {
        match self {
            Self::Global => &[Self::Global],
            Self::List => &[Self::List, Self::Global],
            Self::Overview => &[Self::Overview, Self::List, Self::Global],
            Self::Inbox => &[Self::Inbox, Self::List, Self::Global],
            Self::Intents => &[Self::Intents, Self::List, Self::Global],
            Self::Intent => &[Self::Intent, Self::List, Self::Global],
            Self::Attempts => &[Self::Attempts, Self::List, Self::Global],
            Self::DeadLetters => &[Self::DeadLetters, Self::List, Self::Global],
            Self::Agents => &[Self::Agents, Self::List, Self::Global],
            Self::Jobs => &[Self::Jobs, Self::List, Self::Global],
            Self::Audit => &[Self::Audit, Self::List, Self::Global],
            Self::Strip => &[Self::Strip, Self::Global],
            Self::Diff => &[Self::Diff],
            Self::Panel => &[Self::Panel, Self::Global],
            Self::Field => &[Self::Field, Self::Global],
        }
    }

    /// Whether a text field always has the focus here.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Strip | Self::Field)
    }
}

/// What an action can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Danger {
    /// Nothing: it looks, moves or opens something.
    No,
    /// It acts, after a hold during which it can be taken back.
    Reversible,
    /// It acts on many at once or on a whole agent, and opens a panel first.
    Wide,
    /// It cannot be taken back, and opens a panel first.
    Destructive,
}

impl Danger {
    /// The word in help and in the key table; empty for what breaks nothing.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Reversible => "reversible",
            Self::Wide => "wide",
            Self::Destructive => "destructive",
        }
    }
}

/// What an action works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: it needs no row.
    Nothing,
    /// The row under the cursor.
    OneRow,
    /// The marked rows, or the scope the cursor is in.
    ManyRows,
}

/// One row of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The action itself.
    pub action: Action,
    /// Its name in `keys.toml` and in the palette, such as `intent.replay`.
    pub name: &'static str,
    /// What it does, as a sentence without its full stop.
    pub sentence: &'static str,
    /// Where it applies.
    pub contexts: &'static [Context],
    /// Default chords; a sequence is chords separated by a space.
    pub keys: &'static [&'static str],
    /// What it can break.
    pub danger: Danger,
    /// What it works on.
    pub takes: Takes,
    /// The words on the hint line; empty keeps it off the line.
    pub hint: &'static str,
    /// Place on the hint line, lowest first.
    pub rank: u8,
    /// The command-line words that do the same; empty if there are none.
    pub command: &'static str,
    /// Why this release does not offer it yet; such an action is listed, disabled, with this reason.
    pub later: Option<&'static str>,
}

impl Spec {
    const BASE: Self = Self {
        action: Action::Help,
        name: "",
        sentence: "",
        contexts: &[Context::Global],
        keys: &[],
        danger: Danger::No,
        takes: Takes::Nothing,
        hint: "",
        rank: u8::MAX,
        command: "",
        later: None,
    };

    /// Whether the action applies where `context` is the innermost one.
    #[must_use]
    pub fn applies_in(&self, context: Context) -> bool {
        context
            .layers()
            .iter()
            .any(|layer| self.contexts.contains(layer))
    }
}

/// Every row of the registry, in the order of the key table.
pub fn registry() -> impl Iterator<Item = &'static Spec> {
    [
        everywhere::ACTIONS,
        lists::ACTIONS,
        desks::ACTIONS,
        overlays::ACTIONS,
    ]
    .into_iter()
    .flatten()
}

/// The action of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Spec> {
    registry().find(|spec| spec.name == name)
}

/// What an operator can ask for. What each one means stands in its row of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "the sentence in the registry is the documentation of each action"
)]
pub enum Action {
    GoOverview,
    GoInbox,
    GoIntents,
    GoAttempts,
    GoDeadLetters,
    GoAgents,
    GoJobs,
    GoAudit,
    Palette,
    Filter,
    FilterClear,
    Help,
    Back,
    LastView,
    HistoryBack,
    HistoryForth,
    Crumbs,
    NextPane,
    PreviousPane,
    Pause,
    Follow,
    Undo,
    Held,
    YankId,
    YankKey,
    YankPayload,
    YankJson,
    YankError,
    YankTrace,
    YankCommand,
    Explain,
    Messages,
    Themes,
    Redraw,
    Record,
    Suspend,
    Detach,
    Quit,
    QuitAll,
    Close,
    MoveDown,
    MoveUp,
    MoveTop,
    MoveBottom,
    HalfPageDown,
    HalfPageUp,
    PageDown,
    PageUp,
    Mark,
    MarkRange,
    MarkClear,
    MarkAll,
    Sort,
    SortReverse,
    Columns,
    Open,
    Export,
    Approve,
    Reject,
    Reply,
    Delegate,
    Take,
    NextLane,
    NextUndecided,
    PreviousUndecided,
    ApproveMany,
    RejectMany,
    Replay,
    Compose,
    ReplayMany,
    CancelMany,
    DiscardMany,
    EditReplay,
    Diff,
    TakeGroup,
    OwnGroup,
    MuteGroup,
    GroupBy,
    SheetTimeline,
    SheetAttempts,
    SheetPayload,
    SheetHeaders,
    SheetLineage,
    SheetRaw,
    AsOfBack,
    AsOfForth,
    Axis,
    Fold,
    FoldAll,
    CopyPath,
    NextMatch,
    PreviousMatch,
    NextHunk,
    PreviousHunk,
    AgentPause,
    AgentKill,
    AgentLimit,
    AgentBreaker,
    JobPause,
    JobCancel,
    JobReplayFailed,
    StripStage,
    StripNextOutcome,
    StripPreviousOutcome,
    StripNewLine,
    StripEditor,
    StripAnswer,
    StripShowChange,
    StripClose,
    PanelPress,
    PanelNext,
    PanelPrevious,
    PanelSave,
    PanelCancel,
    PanelRate,
    PanelInFlight,
    PanelOrder,
    PanelCanary,
    PanelStop,
    PanelAttempts,
    PanelTo,
    PanelForce,
    PanelSkipped,
    PanelChoose,
    PanelScrollDown,
    PanelScrollUp,
    FieldAccept,
    FieldComplete,
    FieldPrevious,
    FieldNext,
    FieldSave,
    FieldNewLine,
    FieldEditor,
    FieldLeave,
}

impl Action {
    /// The action's row. Every action has one; a test reads this file and says which does not.
    #[must_use]
    pub fn spec(self) -> &'static Spec {
        const UNLISTED: Spec = Spec::BASE;
        registry()
            .find(|spec| spec.action == self)
            .unwrap_or(&UNLISTED)
    }

    /// The desk this action opens.
    #[must_use]
    pub fn place(self) -> Option<Place> {
        Place::ALL.into_iter().find(|place| place.action() == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_exactly_one_row() {
        let source = include_str!("action.rs");
        let body = source
            .split_once("pub enum Action {")
            .unwrap()
            .1
            .split_once('}')
            .unwrap()
            .0;
        for variant in body
            .split(',')
            .map(str::trim)
            .filter(|variant| !variant.is_empty())
        {
            let rows = registry()
                .filter(|spec| format!("{:?}", spec.action) == variant)
                .count();
            assert_eq!(rows, 1, "{variant} has {rows} rows in the registry");
        }
    }

    #[test]
    fn names_are_unique_and_every_row_says_what_it_does() {
        let mut names: Vec<_> = registry().map(|spec| spec.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for spec in registry() {
            assert!(spec.name.contains('.'), "{} names no room", spec.name);
            assert!(
                !spec.sentence.is_empty() && !spec.sentence.ends_with('.'),
                "{}",
                spec.name
            );
            assert!(!spec.contexts.is_empty(), "{}", spec.name);
        }
    }
}
