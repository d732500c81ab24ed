//! A screen that goes nowhere: what would be written is kept, to be measured or read back.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crossterm::style;
use parking_lot::Mutex;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::{FrameWriter, Options, Reach, Screen, TerminalError};

/// What was written since it was last taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// Takes it.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock())
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A screen of that size over what is kept.
pub(crate) fn screen(columns: u16, rows: u16) -> Result<(Screen<Written>, Written), TerminalError> {
    style::force_color_output(true);
    let written = Written::default();
    let is_open = Arc::new(AtomicBool::new(false));
    let writer = FrameWriter::new(written.clone(), Arc::clone(&is_open), Reach::Memory);
    let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
    let options = TerminalOptions { viewport };
    let terminal = Terminal::with_options(CrosstermBackend::new(writer), options)
        .map_err(|error| TerminalError::Refused("opened", error))?;
    let screen = Screen {
        terminal,
        is_open,
        is_stale: true,
        options: Options::default(),
    };
    Ok((screen, written))
}
