//! The tty: the only code that touches it.
//!
//! A [`Screen`] owns the terminal while it is open: raw mode, the alternate screen, bracketed paste,
//! focus reports and, if wanted, the mouse. [`restore`] gives it back and may be called from anywhere,
//! any number of times; the panic hook does so before it says anything. Each frame leaves in one write,
//! inside a synchronized update, so a terminal never shows half of one.

mod answers;
pub mod input;
pub mod job;
pub(crate) mod memory;
pub mod panic;

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, queue, style};
use parking_lot::Mutex;
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::{Frame, Terminal};

use crate::config::Notify;
use crate::console::sanitise;

/// Whether the terminal is in our hands. Process-wide: there is one tty.
static HELD: Mutex<bool> = Mutex::new(false);

/// How long giving the terminal back waits for a frame that is being written. A frame takes a
/// millisecond or so; longer means that nobody reads.
const LAST_FRAME_PATIENCE: Duration = Duration::from_millis(500);

/// The most bytes an OSC 52 copy may carry; more is cut off by common terminals.
pub const COPY_BYTES_MAX: usize = 74_994;

/// Why the terminal could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Input or output is not a terminal.
    #[error("{0} is not a terminal (hint: run `postroom serve` where there is none)")]
    NoTty(&'static str),
    /// The terminal refused.
    #[error("the terminal could not be {0}: {1}")]
    Refused(&'static str, #[source] io::Error),
    /// A copy is longer than terminals take.
    #[error("{0} bytes are more than a terminal's clipboard takes (at most {COPY_BYTES_MAX})")]
    CopyTooLong(usize),
}

/// What the screen asks of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Take clicks and the wheel. Selecting text then needs Shift.
    pub mouse: bool,
}

/// Collects what is drawn and hands it over in one write.
#[derive(Debug)]
pub struct FrameWriter<W: Write> {
    sink: W,
    pending: Vec<u8>,
    /// While it is set, a flush waits for the end of the frame.
    is_open: Arc<AtomicBool>,
    reach: Reach,
}

/// Whether what is written reaches the tty, and so must never be written once that is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Tty,
    Memory,
}

impl<W: Write> FrameWriter<W> {
    fn new(sink: W, is_open: Arc<AtomicBool>, reach: Reach) -> Self {
        Self {
            sink,
            pending: Vec::with_capacity(16 * 1024),
            is_open,
            reach,
        }
    }

    fn hand_over(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.pending)?;
        self.sink.flush()
    }
}

impl<W: Write> Write for FrameWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_open.load(Ordering::Relaxed) || self.pending.is_empty() {
            return Ok(());
        }
        let written = match self.reach {
            Reach::Tty => {
                // Held while writing: a panic elsewhere waits for the end of this frame, and no frame
                // is drawn over its message.
                let held = HELD.lock();
                if *held { self.hand_over() } else { Ok(()) }
            }
            Reach::Memory => self.hand_over(),
        };
        self.pending.clear();
        written
    }
}

/// The terminal, as long as the console has it; dropping it gives the terminal back.
#[derive(Debug)]
pub struct Screen<W: Write = Output> {
    terminal: Terminal<CrosstermBackend<FrameWriter<W>>>,
    is_open: Arc<AtomicBool>,
    is_stale: bool,
    options: Options,
}

impl Screen<Output> {
    /// Takes the terminal.
    ///
    /// Refuses when standard input or output is not one, naming which.
    pub fn open(options: Options) -> Result<Self, TerminalError> {
        if !io::stdin().is_terminal() {
            return Err(TerminalError::NoTty("standard input"));
        }
        if !io::stdout().is_terminal() {
            return Err(TerminalError::NoTty("standard output"));
        }
        let sink = output().map_err(|error| TerminalError::Refused("opened", error))?;
        take(options)?;
        let screen = Self::over(sink, options);
        if screen.is_err() {
            restore();
        }
        screen
    }

    /// Gives the terminal back for a while, for an editor or because the process steps aside. What
    /// reads keys must be paused first ([`input::Input::pause`]).
    pub fn suspend(&mut self) {
        self.is_stale = true;
        restore();
    }

    /// Writes a line where the screen was, while the terminal is not ours.
    pub fn leave_line(text: &str) {
        // Nobody is left to tell when this fails.
        if let Ok(mut sink) = output() {
            drop(sink.write_all(format!("{text}\n").as_bytes()));
        }
    }

    /// Takes the terminal again. The next frame draws everything.
    pub fn resume(&mut self) -> Result<(), TerminalError> {
        take(self.options)?;
        self.redraw();
        Ok(())
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        restore();
    }
}

impl<W: Write> Screen<W> {
    fn over(sink: W, options: Options) -> Result<Self, TerminalError> {
        // Attributes must survive NO_COLOR (the cursor row stays reversed), so the choice of the theme
        // handles it and this layer is told that colour is on.
        style::force_color_output(true);
        let is_open = Arc::new(AtomicBool::new(false));
        let backend =
            CrosstermBackend::new(FrameWriter::new(sink, Arc::clone(&is_open), Reach::Tty));
        let terminal =
            Terminal::new(backend).map_err(|error| TerminalError::Refused("opened", error))?;
        Ok(Self {
            terminal,
            is_open,
            is_stale: true,
            options,
        })
    }

    /// Draws one frame and sends it in one write. A panic in `draw` leaves the last frame standing.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Result<(), TerminalError> {
        let refused = |error| TerminalError::Refused("drawn on", error);
        self.is_open.store(true, Ordering::Relaxed);
        let is_stale = std::mem::replace(&mut self.is_stale, false);
        let drawn = queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)
            .and_then(|()| if is_stale { self.forget() } else { Ok(()) })
            .and_then(|()| self.terminal.draw(draw).map(drop))
            .and_then(|()| queue!(self.terminal.backend_mut(), EndSynchronizedUpdate));
        self.is_open.store(false, Ordering::Relaxed);
        drawn
            .and_then(|()| Write::flush(self.terminal.backend_mut()))
            .map_err(refused)
    }

    /// Makes the next frame draw everything, whatever is on the screen.
    pub fn redraw(&mut self) {
        self.is_stale = true;
    }

    /// Not `Terminal::clear`: that asks the terminal where its cursor is, and the input thread would
    /// take the answer.
    fn forget(&mut self) -> io::Result<()> {
        self.terminal.swap_buffers();
        self.terminal.backend_mut().clear()
    }

    /// Columns and rows.
    pub fn size(&self) -> Result<(u16, u16), TerminalError> {
        let size = self
            .terminal
            .size()
            .map_err(|error| TerminalError::Refused("measured", error))?;
        Ok((size.width, size.height))
    }

    /// Sends text to the terminal's clipboard (OSC 52), wrapped where tmux or screen stand between.
    /// Nobody can know whether it arrived.
    pub fn copy(&mut self, text: &str, between: Between) -> Result<(), TerminalError> {
        if text.len() > COPY_BYTES_MAX {
            return Err(TerminalError::CopyTooLong(text.len()));
        }
        self.send(&between.wrap(&clipboard(text)))
    }

    /// Asks the terminal for its background (OSC 11); the answer comes with the keys, or never.
    pub fn ask_background(&mut self) -> Result<(), TerminalError> {
        self.send("\x1b]11;?\x1b\\")
    }

    /// Rings the bell.
    pub fn bell(&mut self) -> Result<(), TerminalError> {
        self.send("\x07")
    }

    /// Tells something to somebody who looks elsewhere.
    pub fn notify(
        &mut self,
        text: &str,
        how: Notify,
        between: Between,
    ) -> Result<(), TerminalError> {
        match notice(text, how) {
            Some(sequence) if how == Notify::Bell => self.send(&sequence),
            Some(sequence) => self.send(&between.wrap(&sequence)),
            None => Ok(()),
        }
    }

    fn send(&mut self, sequence: &str) -> Result<(), TerminalError> {
        let backend = self.terminal.backend_mut();
        backend
            .write_all(sequence.as_bytes())
            .and_then(|()| Write::flush(backend))
            .map_err(|error| TerminalError::Refused("written to", error))
    }
}

/// The sequence that tells the terminal; none when it is not to be told.
fn notice(text: &str, how: Notify) -> Option<String> {
    // A semicolon would end the text of OSC 777.
    let text = sanitise::clean(text).replace(';', ",");
    match how {
        Notify::Bell => Some("\x07".to_owned()),
        Notify::Osc9 => Some(format!("\x1b]9;{text}\x07")),
        Notify::Osc777 => Some(format!("\x1b]777;notify;Postroom;{text}\x07")),
        Notify::Off => None,
    }
}

fn clipboard(text: &str) -> String {
    format!(
        "\x1b]52;c;{}\x07",
        base64::engine::general_purpose::STANDARD.encode(text)
    )
}

/// What stands between us and the terminal and wants sequences wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Nothing.
    Nothing,
    /// tmux.
    Tmux,
    /// GNU screen, which takes at most 768 bytes in one wrapped piece.
    Screen,
}

impl Between {
    /// What `TMUX` and `TERM` announce.
    #[must_use]
    pub fn announced(tmux: Option<&str>, term: Option<&str>) -> Self {
        if tmux.is_some_and(|value| !value.is_empty()) {
            Self::Tmux
        } else if term.is_some_and(|value| value.starts_with("screen")) {
            Self::Screen
        } else {
            Self::Nothing
        }
    }

    fn wrap(self, sequence: &str) -> String {
        match self {
            Self::Nothing => sequence.to_owned(),
            Self::Tmux => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
            Self::Screen => {
                let letters: Vec<char> = sequence.chars().collect();
                let wrap =
                    |piece: &[char]| format!("\x1bP{}\x1b\\", piece.iter().collect::<String>());
                letters.chunks(700).map(wrap).collect()
            }
        }
    }
}

/// Gives the terminal back: leaves the alternate screen, raw mode and every report, shows the cursor.
///
/// Idempotent, and callable from any thread at any time, also while a frame is being drawn.
pub fn restore() {
    // A thread that hangs in a write to a terminal nobody reads must not keep the process alive.
    match HELD.try_lock_for(LAST_FRAME_PATIENCE) {
        Some(mut held) => {
            if !std::mem::replace(&mut *held, false) {
                return;
            }
        }
        None => forget_unread(),
    }
    // Whatever fails here, the rest is still worth trying and there is nobody left to tell.
    if let Ok(mut sink) = output() {
        drop(sink.write_all(&leave_sequence()));
        drop(sink.flush());
    }
    drop(disable_raw_mode());
}

/// Throws away what was written and nobody has read, so that a write that waits for room goes on.
///
/// For the end alone: what is on the screen is no whole frame afterwards. Callable from any thread.
pub fn forget_unread() {
    use rustix::termios::{Action, QueueSelector, tcflow, tcflush};
    let output = io::stdout();
    // Who waits for room is not told of it by the first; starting what was stopped wakes it up.
    let made = tcflush(&output, QueueSelector::OFlush)
        .and_then(|()| tcflow(&output, Action::OOff))
        .and_then(|()| tcflow(&output, Action::OOn));
    if let Err(error) = made {
        tracing::debug!(%error, "no room could be made in the terminal");
    }
}

/// Writes the sequences of [`restore`] no matter who holds the terminal; for `postroom reset-tty`.
pub fn reset() {
    *HELD.lock() = true;
    restore();
}

fn take(options: Options) -> Result<(), TerminalError> {
    let refused = |error| TerminalError::Refused("taken", error);
    let mut held = HELD.lock();
    enable_raw_mode().map_err(refused)?;
    *held = true;
    drop(held);
    let taken = output().and_then(|mut sink| {
        sink.write_all(&enter_sequence(options))?;
        sink.flush()
    });
    taken.map_err(|error| {
        restore();
        refused(error)
    })
}

fn enter_sequence(options: Options) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    drop(queue!(
        bytes,
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange,
        cursor::Hide
    ));
    if options.mouse {
        drop(queue!(bytes, EnableMouseCapture));
    }
    bytes
}

fn leave_sequence() -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail. The update is ended first: a panic may have cut a frame in two.
    drop(queue!(
        bytes,
        EndSynchronizedUpdate,
        style::ResetColor,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show,
    ));
    bytes
}

/// Where frames go. A file of its own, because the standard library's output splits what is written at
/// line ends and holds a lock that a panicking thread would wait for.
#[cfg(unix)]
pub type Output = std::fs::File;
/// Where frames go.
#[cfg(not(unix))]
pub type Output = io::Stdout;

#[cfg(unix)]
fn output() -> io::Result<Output> {
    use std::os::fd::AsFd as _;
    Ok(std::fs::File::from(
        io::stdout().as_fd().try_clone_to_owned()?,
    ))
}

#[cfg(not(unix))]
fn output() -> io::Result<Output> {
    Ok(io::stdout())
}

#[cfg(test)]
mod tests;
