//! Giving the terminal up for a while, and what else comes as a signal.
//!
//! Attached to a broker elsewhere, the console suspends like any program. With the broker in this
//! process nothing is stopped, for leases and timers would run out: the console steps aside, and the
//! process is what `postroom serve` would be until Enter.

use std::io;

use tokio::signal::unix::{self, SignalKind};

use super::{Input, Keyboard, Screen, Shell, TerminalError, Weight};
use crate::console::event::Event;
use crate::console::terminal::job;

/// A signal that is about the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGTSTP.
    Suspend,
    /// SIGCONT.
    Continued,
    /// SIGWINCH.
    Resized,
}

/// Those signals, watched.
pub(super) struct Signals {
    suspend: unix::Signal,
    continued: unix::Signal,
    resized: unix::Signal,
}

impl Signals {
    /// Watches them from now on; to be called within a runtime.
    ///
    /// # Errors
    /// When the process may not install a handler.
    pub(super) fn watch() -> io::Result<Self> {
        Ok(Self {
            suspend: unix::signal(SignalKind::from_raw(job::SUSPEND))?,
            continued: unix::signal(SignalKind::from_raw(job::CONTINUE))?,
            resized: unix::signal(SignalKind::window_change())?,
        })
    }

    /// The next of them. Cancel-safe.
    pub(super) async fn next(&mut self) -> Signal {
        // `recv` is cancel-safe.
        tokio::select! {
            _ = self.suspend.recv() => Signal::Suspend,
            _ = self.continued.recv() => Signal::Continued,
            _ = self.resized.recv() => Signal::Resized,
        }
    }
}

impl Shell {
    pub(super) fn obey(
        &mut self,
        signal: Signal,
        screen: &mut Screen,
        keyboard: &Keyboard,
    ) -> Result<(), TerminalError> {
        match signal {
            Signal::Suspend => self.suspend(screen, keyboard),
            Signal::Continued if self.model.is_aside && !self.is_suspended => Ok(()),
            // Also when somebody else stopped us: a shell may have changed the terminal meanwhile.
            Signal::Continued => {
                self.is_suspended = false;
                self.model.is_aside = false;
                self.model.reads.touch_all();
                self.come_back(screen, keyboard)
            }
            Signal::Resized if self.model.is_aside => Ok(()),
            Signal::Resized => {
                let (width, height) = screen.size()?;
                let resize = Input::Terminal(Event::Resize { width, height });
                self.take(self.now(), resize, screen, keyboard)
            }
        }
    }

    /// Ctrl-Z, SIGTSTP, or on purpose.
    pub(super) fn suspend(
        &mut self,
        screen: &mut Screen,
        keyboard: &Keyboard,
    ) -> Result<(), TerminalError> {
        if self.model.settings.is_embedded {
            self.step_aside(screen, keyboard);
            return Ok(());
        }
        if !job::has_shell() {
            let text = "no shell waits for this program, so nothing would bring it back; q quits";
            self.model.say(Weight::Warn, text);
            return Ok(());
        }
        keyboard.pause();
        screen.suspend();
        self.model.is_aside = true;
        // This thread may run on for a moment before the whole process stands, so the terminal is
        // taken again when SIGCONT is seen, not here.
        self.is_suspended = true;
        if let Err(error) = job::stop() {
            let text = format!("could not suspend: {error}");
            self.model.say(Weight::Warn, text);
            return self.obey(Signal::Continued, screen, keyboard);
        }
        Ok(())
    }

    fn step_aside(&mut self, screen: &mut Screen, keyboard: &Keyboard) {
        let line = format!("still delivering, pid {}; Enter returns", job::number());
        if !self.model.is_aside {
            keyboard.pause();
            screen.suspend();
            keyboard.set_aside(true);
            self.model.is_aside = true;
            keyboard.resume();
        }
        Screen::leave_line(&line);
    }

    /// Enter, while aside.
    pub(super) fn come_back(
        &mut self,
        screen: &mut Screen,
        keyboard: &Keyboard,
    ) -> Result<(), TerminalError> {
        keyboard.pause();
        keyboard.set_aside(false);
        screen.resume()?;
        keyboard.resume();
        let (width, height) = screen.size()?;
        self.model.size = (width, height);
        self.is_dirty = true;
        Ok(())
    }

    /// Warnings of the log are messages too.
    pub(super) fn look_at_log(
        &mut self,
        screen: &mut Screen,
        keyboard: &Keyboard,
    ) -> Result<(), TerminalError> {
        let (lines, newest) = self.options.log.after(self.log_seen);
        self.log_seen = newest;
        if lines.is_empty() {
            return Ok(());
        }
        self.take(self.now(), Input::Log(lines), screen, keyboard)
    }
}
