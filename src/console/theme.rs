//! Colours and attributes by role, from TOML files.
//!
//! A theme is a palette, styles for the roles, and a parent it inherits from. A role that is missing
//! falls back to the parent, then to `text`. Whatever is wrong in a file is a warning and the rest of it
//! applies: a theme can never stop the console from starting.

pub mod depth;
pub mod glyphs;
mod read;

use ratatui::style::{Color, Modifier, Style};

use self::depth::Depth;

/// What a piece of the screen is, as far as its look goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Body text.
    Text,
    /// Times and labels.
    Dim,
    /// Titles and totals.
    Strong,
    /// Boxes.
    Border,
    /// The box that has the focus.
    Focus,
    /// Titles in boxes.
    Title,
    /// The current desk.
    Tab,
    /// Keys in hints.
    Key,
    /// Text fields.
    Input,
    /// The row under the cursor.
    Cursor,
    /// The sign of a marked row.
    Mark,
    /// A row that left the view.
    Ghost,
    /// Queued.
    Queued,
    /// In flight; a running job.
    Active,
    /// Retrying.
    Retry,
    /// Waiting for a person; the inbox.
    Human,
    /// Waiting for something else.
    Waiting,
    /// Completed, ok, added.
    Good,
    /// Failed, dead, removed.
    Bad,
    /// Paused, muted, killed.
    Off,
    /// A staged act in its hold.
    Held,
    /// Due soon; over the first limit.
    Warn,
    /// Overdue, stale, breaker open.
    Crit,
    /// Sparks, bars, waterfall.
    Fill,
    /// The background of bars.
    Rest,
}

impl Role {
    /// Every role, in the order of the documentation.
    pub const ALL: [Self; 25] = [
        Self::Text,
        Self::Dim,
        Self::Strong,
        Self::Border,
        Self::Focus,
        Self::Title,
        Self::Tab,
        Self::Key,
        Self::Input,
        Self::Cursor,
        Self::Mark,
        Self::Ghost,
        Self::Queued,
        Self::Active,
        Self::Retry,
        Self::Human,
        Self::Waiting,
        Self::Good,
        Self::Bad,
        Self::Off,
        Self::Held,
        Self::Warn,
        Self::Crit,
        Self::Fill,
        Self::Rest,
    ];

    /// The name in theme files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Dim => "text.dim",
            Self::Strong => "text.strong",
            Self::Border => "chrome.border",
            Self::Focus => "chrome.focus",
            Self::Title => "chrome.title",
            Self::Tab => "chrome.tab",
            Self::Key => "key",
            Self::Input => "input",
            Self::Cursor => "row.cursor",
            Self::Mark => "row.mark",
            Self::Ghost => "row.ghost",
            Self::Queued => "status.queued",
            Self::Active => "status.active",
            Self::Retry => "status.retry",
            Self::Human => "status.human",
            Self::Waiting => "status.waiting",
            Self::Good => "status.good",
            Self::Bad => "status.bad",
            Self::Off => "status.off",
            Self::Held => "held",
            Self::Warn => "alert.warn",
            Self::Crit => "alert.crit",
            Self::Fill => "bar.fill",
            Self::Rest => "bar.rest",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Names and texts of the themes in the binary.
const BUILT_IN: [(&str, &str); 5] = [
    ("terminal", include_str!("../../themes/terminal.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
    ("midnight", include_str!("../../themes/midnight.toml")),
    ("paper", include_str!("../../themes/paper.toml")),
    (
        "high-contrast",
        include_str!("../../themes/high-contrast.toml"),
    ),
];

/// The theme used when nothing else is asked for, and when what is asked for is not there.
pub const DEFAULT: &str = "terminal";

/// A theme ready to draw with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    name: String,
    styles: Vec<Style>,
}

impl Theme {
    /// The theme's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How a role looks, complete in itself: nothing shines through of what was drawn there before, save the
    /// background.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The background all of the screen is filled with, if the theme brings its own.
    #[must_use]
    pub fn background(&self) -> Option<Color> {
        self.style(Role::Text)
            .bg
            .filter(|color| *color != Color::Reset)
    }
}

impl Default for Theme {
    fn default() -> Self {
        Themes::built_in().load(DEFAULT, Depth::Ansi16).0
    }
}

/// All themes there are: those in the binary, and the operator's own over them.
#[derive(Debug, Clone)]
pub struct Themes {
    files: Vec<(String, String)>,
}

impl Default for Themes {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Themes {
    /// The five themes in the binary.
    #[must_use]
    pub fn built_in() -> Self {
        let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        Self {
            files: BUILT_IN.into_iter().map(owned).collect(),
        }
    }

    /// Adds a theme file, or replaces the one of that name.
    pub fn add(&mut self, name: &str, text: &str) {
        self.files.retain(|(known, _)| known != name);
        self.files.push((name.to_owned(), text.to_owned()));
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }

    /// The theme of that name, brought down to what the terminal can show, and what is wrong in it.
    #[must_use]
    pub fn load(&self, name: &str, depth: Depth) -> (Theme, Vec<String>) {
        let (mut styles, warnings) = read::styles(&self.files, name);
        for style in &mut styles {
            *style = depth::style(*style, depth);
            // What is drawn over something else must not keep its bold or underline.
            style.sub_modifier = Modifier::all().difference(style.add_modifier);
        }
        let is_known = self.names().any(|known| known == name);
        let name = if is_known { name } else { DEFAULT };
        (
            Theme {
                name: name.to_owned(),
                styles,
            },
            warnings,
        )
    }
}

/// Who decided on the theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// The `--theme` flag.
    Flag,
    /// The configuration.
    Config,
    /// `NO_COLOR` is set.
    NoColor,
    /// Nobody.
    Default,
}

/// The theme's name: the flag, then the configuration, then `NO_COLOR`, then `terminal`. The default in
/// the configuration counts as nobody's choice, so that `NO_COLOR` works without a file.
#[must_use]
pub fn choose<'a>(
    flag: Option<&'a str>,
    config: Option<&'a str>,
    no_color: Option<&str>,
) -> (&'a str, Chosen) {
    if let Some(name) = flag {
        (name, Chosen::Flag)
    } else if let Some(name) = config.filter(|name| *name != DEFAULT) {
        (name, Chosen::Config)
    } else if no_color.is_some_and(|value| !value.is_empty()) {
        ("mono", Chosen::NoColor)
    } else {
        (DEFAULT, Chosen::Default)
    }
}

/// The theme for `auto`: by the background that `COLORFGBG` announces, where it does.
#[must_use]
pub fn automatic(colorfgbg: Option<&str>) -> &'static str {
    let background = colorfgbg.and_then(|value| value.rsplit(';').next());
    match background.and_then(|index| index.parse::<u8>().ok()) {
        Some(7 | 15) => "paper",
        Some(0..=6 | 8) => "midnight",
        _ => DEFAULT,
    }
}

#[cfg(test)]
mod tests;
