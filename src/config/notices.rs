//! What the console tells without being asked, and how it reaches somebody who looks elsewhere.

use super::tree::Values;
use crate::domain::time::Span;

/// What the operator is told without having asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notices {
    /// How a terminal without the focus is told.
    pub how: Notify,
    /// Least time between two notices to such a terminal.
    pub pause: Span,
    /// Dead letters in an hour above which it is said; 0 for never.
    pub dead_letters_per_hour: u32,
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            how: Notify::Off,
            pause: Span::from_seconds(30),
            dead_letters_per_hour: 0,
        }
    }
}

/// How a terminal without the focus is told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notify {
    /// By its bell.
    #[default]
    Bell,
    /// By OSC 9, with words.
    Osc9,
    /// By OSC 777, with words.
    Osc777,
    /// Not at all.
    Off,
}

pub(super) fn notices(values: &mut Values<'_>) -> Notices {
    Notices {
        how: match values.text("console.notices").as_str() {
            "osc9" => Notify::Osc9,
            "osc777" => Notify::Osc777,
            "off" => Notify::Off,
            _ => Notify::Bell,
        },
        pause: values.span("console.notice_pause_seconds"),
        dead_letters_per_hour: values.number("console.dead_letters_per_hour"),
    }
}
