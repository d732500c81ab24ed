//! The file of the console's memory: read once, written when something in it changed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::{Shell, Weight};
use crate::console::memory::{self, Wanted};

/// Most bytes of the file that are looked at.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

impl Shell {
    /// Puts back what was remembered. A file that makes no sense is as none.
    pub(super) fn remember(&mut self) {
        let Some(path) = &self.options.memory else {
            return;
        };
        let is_small = fs::metadata(path).is_ok_and(|file| file.len() <= BYTES_MAX);
        let text = if is_small {
            fs::read_to_string(path).ok()
        } else {
            None
        };
        if let Some(remembered) = text.as_deref().and_then(memory::read) {
            let wanted = Wanted {
                desk: !self.options.is_desk_chosen,
                theme: !self.options.is_theme_chosen,
            };
            memory::restore(&mut self.model, remembered, wanted);
        }
        self.remembered = memory::of(&self.model);
        let (theme, _) = self
            .options
            .themes
            .load(&self.model.theme, self.options.depth);
        self.theme = theme;
    }

    /// Writes what changed, if something did.
    pub(super) fn keep(&mut self) {
        if memory::of(&self.model) != self.remembered {
            self.keep_words();
        }
    }

    /// Writes what changed, and words that another console wrote over. Only when somebody has just typed or left
    /// them: two consoles at rest would else take turns.
    pub(super) fn keep_words(&mut self) {
        let Some(path) = &self.options.memory else {
            return;
        };
        let now = memory::of(&self.model);
        let there = fs::read_to_string(path).ok();
        let there = there.as_deref().and_then(memory::read);
        let has_ours = there
            .as_ref()
            .is_none_or(|there| memory::has_drafts(there, &now));
        if now == self.remembered && has_ours {
            return;
        }
        let whole = memory::beside(now.clone(), &self.remembered, there);
        if let Err(error) = write(path, &memory::to_text(&whole)) {
            let text = format!("could not write {}: {error}", path.display());
            self.model.say(Weight::Warn, text);
        }
        // Also when it failed: the next change tries again.
        self.remembered = now;
    }
}

/// Whole or not at all, and for its owner only: drafts stand in it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_file_is_written_whole_and_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("console.json");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
