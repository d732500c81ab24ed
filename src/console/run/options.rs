//! What the console is started with.

use std::path::PathBuf;

use crate::config::{Header, Notices};
use crate::console::action::place::Place;
use crate::console::terminal::Between;
use crate::console::theme::depth::Depth;
use crate::console::theme::glyphs::Glyphs;
use crate::console::theme::{self, Themes};
use crate::telemetry::LogRing;

/// What the console is started with.
#[derive(Debug, Clone)]
pub struct ConsoleOptions {
    /// Acts are off, whatever the key may do.
    pub is_read_only: bool,
    /// The broker runs in this process, so quitting stops it and asks first.
    pub is_embedded: bool,
    /// Lines of words instead of boxes and bars, drawn once a second unless a key is pressed.
    pub is_plain: bool,
    /// Clicks and the wheel.
    pub mouse: bool,
    /// The theme's name; an unknown one becomes the default.
    pub theme: String,
    /// Whether the terminal is asked for its background, which chooses the theme.
    pub is_theme_automatic: bool,
    /// The desk to begin on.
    pub desk: Place,
    /// All themes there are.
    pub themes: Themes,
    /// How many colours the terminal has.
    pub depth: Depth,
    /// The signs it can show.
    pub glyphs: &'static Glyphs,
    /// What stands between us and the terminal's clipboard.
    pub between: Between,
    /// Text of the operator's keys file; empty when there is none.
    pub keys: String,
    /// The command of the operator's editor.
    pub editor: String,
    /// The file in which the console remembers what an operator set up; none to forget it.
    pub memory: Option<PathBuf>,
    /// The folder of records of sessions; none to keep none.
    pub recordings: Option<PathBuf>,
    /// Most bytes of one.
    pub record_bytes_max: u64,
    /// Whether the desk was asked for, so that the remembered one is not taken.
    pub is_desk_chosen: bool,
    /// Whether the theme was asked for, so that the remembered one is not taken.
    pub is_theme_chosen: bool,
    /// What is told without being asked.
    pub notices: Notices,
    /// Where the log is.
    pub log_path: Option<String>,
    /// The limits of the header.
    pub header: Header,
    /// The newest lines of the log.
    pub log: LogRing,
}

impl Default for ConsoleOptions {
    fn default() -> Self {
        Self {
            is_read_only: false,
            is_embedded: false,
            is_plain: false,
            mouse: true,
            theme: theme::DEFAULT.to_owned(),
            is_theme_automatic: false,
            desk: Place::Overview,
            themes: Themes::built_in(),
            depth: Depth::Ansi16,
            glyphs: &theme::glyphs::UNICODE,
            between: Between::Nothing,
            keys: String::new(),
            editor: "vi".to_owned(),
            memory: None,
            recordings: None,
            record_bytes_max: u64::MAX,
            is_desk_chosen: false,
            is_theme_chosen: false,
            notices: Notices::default(),
            log_path: None,
            header: Header::default(),
            log: LogRing::new(1),
        }
    }
}
