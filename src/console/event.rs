//! What can happen to the console: keys, pastes, the mouse, the window, the clock.

use crossterm::event::{KeyEvent, MouseEvent};

use crate::domain::time::Timestamp;

/// One thing that happened. `update` takes them one by one; a frame is drawn after all that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A key went down or repeats; releases are not forwarded.
    Key(KeyEvent),
    /// Text pasted in one piece. It is never a command and never stages anything.
    Paste(String),
    /// The mouse moved, clicked or scrolled; only when mouse reports are on.
    Mouse(MouseEvent),
    /// The window has a new size, in cells.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// The terminal window gained (`true`) or lost the focus.
    Focus(bool),
    /// The terminal told its background: red, green and blue.
    Background([u8; 3]),
    /// The clock: what time it is now.
    Tick(Timestamp),
    /// The terminal is gone (the session hung up); no key will come any more. Carries the reason.
    InputEnded(String),
}
