//! The operator's own editor, while the screen is given up for it.
//!
//! The text goes through a file that only its owner can read, and that is gone afterwards.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Keyboard, Screen, Shell, TerminalError};
use crate::console::terminal::job;
use crate::console::update::Input;

/// Most bytes that are taken back.
const TEXT_BYTES_MAX: u64 = 16 * 1024 * 1024;

impl Shell {
    /// Gives the screen up, waits for the editor, and comes back with what was written.
    pub(super) fn edit(
        &mut self,
        text: &str,
        screen: &mut Screen,
        keyboard: &Keyboard,
    ) -> Result<(), TerminalError> {
        keyboard.pause();
        screen.suspend();
        let edited = edit(&self.options.editor, text);
        self.come_back(screen, keyboard)?;
        self.take(self.now(), Input::Edited(edited), screen, keyboard)
    }
}

/// The text as the editor left it.
fn edit(editor: &str, text: &str) -> Result<String, String> {
    let scratch = Scratch::new(text).map_err(|error| format!("make a file to edit: {error}"))?;
    // As git does it: the editor may be a command with arguments of its own.
    let status = Command::new("sh")
        .arg("-c")
        .arg(format!("{editor} \"$@\""))
        .arg(editor)
        .arg(&scratch.0)
        .status()
        .map_err(|error| format!("start {editor}: {error}"))?;
    if !status.success() {
        return Err(format!("{editor} ended with {status}; nothing was changed"));
    }
    read(&scratch.0).map_err(|error| format!("read what {editor} wrote: {error}"))
}

fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > TEXT_BYTES_MAX {
        return Err(io::Error::other("the file is too large"));
    }
    let text = fs::read_to_string(path)?;
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// A file of our own that is gone when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(text: &str) -> io::Result<Self> {
        let name = format!("postroom-edit-{}.json", job::number());
        let path = std::env::temp_dir().join(name);
        // One that a killed console left behind is ours to replace; somebody else's cannot be removed.
        drop(fs::remove_file(&path));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nobody is left to tell when this fails.
        drop(fs::remove_file(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_editor_leaves_is_taken_and_the_file_is_gone_afterwards() {
        // Any order: both write the same file name, so they are one test.
        let written = edit("sh -c 'printf \" and more\" >> \"$0\"'", "words").unwrap();
        assert_eq!(written, "words\n and more");
        assert_eq!(edit("true", "as it was").unwrap(), "as it was");
        let failed = edit("false", "words").unwrap_err();
        assert!(failed.contains("nothing was changed"), "{failed}");
        let name = format!("postroom-edit-{}.json", job::number());
        assert!(!std::env::temp_dir().join(name).exists());
    }
}
