//! `:record`: the file of a session's record. It is begun and ended by hand, and ends by itself, with a word about
//! it, when the disk is full or the file is as large as it may get.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Shell, Weight};
use crate::clock::Mono;
use crate::console::format;
use crate::console::record;
use crate::console::task::{Moment, Task};
use crate::console::update::Input;
use crate::domain::time::Timestamp;

/// A file that grows line by line.
#[derive(Debug)]
pub(super) struct Recorder {
    file: File,
    path: PathBuf,
    since: Mono,
    lines: u64,
    bytes: u64,
    bytes_max: u64,
}

/// Why nothing more is written.
#[derive(Debug)]
enum Ended {
    /// It is as large as it may get.
    Large,
    /// The system says so.
    Failed(io::Error),
}

impl Recorder {
    /// Begins a file that is not there yet, for its owner alone.
    fn begin(folder: &Path, at: Moment, bytes_max: u64) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let path = folder.join(name(at.wall));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self::on(file, path, at.mono, bytes_max))
    }

    const fn on(file: File, path: PathBuf, since: Mono, bytes_max: u64) -> Self {
        Self {
            file,
            path,
            since,
            lines: 0,
            bytes: 0,
            bytes_max,
        }
    }

    /// Adds a line, whole or not at all.
    fn add(&mut self, line: &str) -> Result<(), Ended> {
        let whole = format!("{line}\n");
        let bytes = u64::try_from(whole.len()).unwrap_or(u64::MAX);
        let after = self.bytes.saturating_add(bytes);
        if after > self.bytes_max {
            return Err(Ended::Large);
        }
        if let Err(error) = self.file.write_all(whole.as_bytes()) {
            // Half a line would make the file unreadable at its end; taking it away needs no room.
            drop(self.file.set_len(self.bytes));
            return Err(Ended::Failed(error));
        }
        self.bytes = after;
        self.lines += 1;
        Ok(())
    }

    /// What is said when it ends.
    fn told(&self) -> String {
        let lines = format::count(self.lines);
        format!("{lines} lines in {}", self.path.display())
    }
}

/// `session-2026-11-30T09-41-07.123Z.ndjson`.
fn name(at: Timestamp) -> String {
    format!("session-{}.ndjson", at.to_string().replace(':', "-"))
}

impl Shell {
    /// Begins the record, or ends it.
    pub(super) fn record(&mut self) {
        if let Some(recorder) = self.recorder.take() {
            self.model.is_recorded = false;
            let text = format!("recording ended: {}", recorder.told());
            return self.model.say(Weight::Info, text);
        }
        let Some(folder) = self.options.recordings.clone() else {
            let text = "nothing is recorded: this console keeps no files";
            return self.model.say(Weight::Warn, text);
        };
        let bytes_max = self.options.record_bytes_max;
        let begun = Recorder::begin(&folder, self.now(), bytes_max);
        let head = record::head(&self.model);
        match begun {
            Ok(recorder) => {
                let path = recorder.path.display().to_string();
                self.recorder = Some(recorder);
                self.model.is_recorded = true;
                let text = format!("recording, payloads masked; :record ends it; into {path}");
                self.model.say(Weight::Info, text);
                self.write(&head);
            }
            Err(error) => {
                let text = format!("could not record in {}: {error}", folder.display());
                self.model.say(Weight::Error, text);
            }
        }
    }

    /// What is to be written of an input, before it changes the model.
    pub(super) fn note_before(&self, input: &Input) -> Option<Value> {
        self.recorder.as_ref()?;
        record::input(&self.model, input)
    }

    /// Writes it, with what came of it.
    pub(super) fn note_after(&mut self, at: Moment, noted: Option<Value>, tasks: &[Task]) {
        let outcome = record::outcome(&mut self.model, tasks);
        let Some(recorder) = &self.recorder else {
            return;
        };
        let at_ms = at.millis_since(recorder.since);
        if let Some(noted) = noted {
            let line = record::line(at_ms, noted, outcome);
            self.write(&line);
        }
    }

    fn write(&mut self, line: &str) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let Err(ended) = recorder.add(line) else {
            return;
        };
        let told = recorder.told();
        self.recorder = None;
        self.model.is_recorded = false;
        let text = match ended {
            Ended::Large => format!("recording ended, the file is as large as it may get: {told}"),
            Ended::Failed(error) => format!("recording ended, {error}: {told} are whole"),
        };
        self.model.say(Weight::Error, text);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn moment() -> Moment {
        Moment {
            wall: Timestamp::from_millis(1_764_495_667_123),
            mono: Mono::default(),
        }
    }

    #[test]
    fn a_record_is_for_its_owner_alone_and_never_written_over_another() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("recordings");
        let mut recorder = Recorder::begin(&folder, moment(), 1_000).unwrap();
        recorder.add("{}").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&recorder.path)), (0o700, 0o600));
        assert!(Recorder::begin(&folder, moment(), 1_000).is_err());
        assert_eq!(fs::read_to_string(&recorder.path).unwrap(), "{}\n");
    }

    #[test]
    fn a_full_disk_ends_the_record_and_is_named() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut recorder = Recorder::on(full, PathBuf::from("/dev/full"), Mono::default(), 1_000);
        let Err(Ended::Failed(error)) = recorder.add("{}") else {
            panic!("it was taken")
        };
        assert!(error.to_string().contains("No space left"), "{error}");
        assert_eq!(recorder.lines, 0);
    }

    #[test]
    fn a_record_ends_with_a_whole_line_before_it_is_too_large() {
        let directory = tempfile::tempdir().unwrap();
        let mut recorder = Recorder::begin(directory.path(), moment(), 10).unwrap();
        recorder.add("1234567").unwrap();
        assert!(matches!(recorder.add("89"), Err(Ended::Large)));
        assert_eq!(fs::read_to_string(&recorder.path).unwrap(), "1234567\n");
    }
}
