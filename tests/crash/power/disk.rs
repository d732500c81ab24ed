//! What may lie on a disk after its power went, from the record of what was done to it.
//!
//! A sync of a file makes everything written before it last. Of what was written since, any sectors may be
//! there, in any combination, and cuts may have happened or not. That a file is there, or is not any more,
//! lasts with a sync of its directory only.

use std::path::Path;

use crate::dice::Dice;

/// What a disk writes as a whole. Databases must bear any part of a page.
const SECTOR: usize = 512;
/// The file, its write-ahead log, its journal. Number three is their directory.
const SUFFIXES: [&str; 3] = ["", "-wal", "-journal"];
const HEAD_BYTES: usize = 24;

/// One step of the record.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
    Sync,
    Unlink,
    Create,
}

/// A step, on which file, and where its entry in the record ends.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) file: usize,
    pub(crate) step: Step,
    pub(crate) end: u64,
}

/// Reads the record. An entry that is cut off at its end was never seen by anybody.
pub(crate) fn read(record: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut at = 0;
    while let Some(head) = record.get(at..at + HEAD_BYTES) {
        let number = |from: usize, bytes: usize| {
            let mut wide = [0; 8];
            wide[..bytes].copy_from_slice(&head[from..from + bytes]);
            usize::try_from(u64::from_le_bytes(wide)).unwrap()
        };
        let (kind, file, offset, length) =
            (number(0, 4), number(4, 4), number(8, 8), number(16, 8));
        at += HEAD_BYTES;
        let step = match kind {
            1 => {
                let Some(bytes) = record.get(at..at + length) else {
                    break;
                };
                at += length;
                let bytes = bytes.to_vec();
                Step::Write { at: offset, bytes }
            }
            2 => Step::Truncate(offset),
            3 => Step::Sync,
            4 => Step::Unlink,
            5 => Step::Create,
            other => panic!("the record is no record: kind {other} at {at}"),
        };
        let end = u64::try_from(at).unwrap();
        entries.push(Entry { file, step, end });
    }
    entries
}

/// Which of the steps since the last sync a cut leaves on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Luck {
    /// None of them.
    Nothing,
    /// All of them: the program was killed, not the disk.
    Everything,
    /// Any sectors of any of them.
    Torn,
}

/// What a name may stand for.
#[derive(Debug, Clone, Default)]
struct Content {
    /// What lasts.
    lasting: Vec<u8>,
    /// What was done since.
    since: Vec<Step>,
}

/// A name in the directory. Which content it stands for lasts with a sync of the directory only.
#[derive(Debug, Clone, Default)]
struct Name {
    contents: Vec<Content>,
    lasting: Option<usize>,
    since: Vec<Option<usize>>,
}

impl Name {
    fn now(&self) -> Option<usize> {
        self.since.last().copied().unwrap_or(self.lasting)
    }
}

/// The three files at one point of the record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    names: [Name; 3],
    is_liar: bool,
}

impl Disk {
    /// An empty disk; for the control, one that lies about syncs.
    pub(crate) fn new(is_liar: bool) -> Self {
        Self {
            is_liar,
            ..Self::default()
        }
    }

    pub(crate) fn follow(&mut self, entry: &Entry) {
        if self.is_liar && matches!(entry.step, Step::Sync) {
            return;
        }
        let Some(name) = self.names.get_mut(entry.file) else {
            for name in &mut self.names {
                name.lasting = name.now();
                name.since.clear();
            }
            return;
        };
        match &entry.step {
            Step::Create => {
                name.since.push(Some(name.contents.len()));
                name.contents.push(Content::default());
            }
            Step::Unlink => name.since.push(None),
            step => {
                let now = name.now().unwrap();
                let content = &mut name.contents[now];
                if matches!(step, Step::Sync) {
                    for step in std::mem::take(&mut content.since) {
                        apply(&mut content.lasting, &step);
                    }
                } else {
                    content.since.push(step.clone());
                }
            }
        }
    }

    /// Steps that no sync has made last yet.
    pub(crate) fn open_steps(&self) -> usize {
        let open = |name: &Name| {
            let contents = name.contents.iter().map(|content| content.since.len());
            name.since.len() + contents.sum::<usize>()
        };
        self.names.iter().map(open).sum()
    }

    /// Lays a disk down as it may be after a cut, at `path`.
    pub(crate) fn lay(&self, path: &Path, luck: Luck, dice: &Dice) {
        for (name, suffix) in self.names.iter().zip(SUFFIXES) {
            let stands_for = match luck {
                Luck::Nothing => name.lasting,
                Luck::Everything => name.now(),
                Luck::Torn => *dice.pick(&name.since).unwrap_or(&name.lasting),
            };
            let Some(content) = stands_for.and_then(|number| name.contents.get(number)) else {
                continue;
            };
            let mut file = path.as_os_str().to_owned();
            file.push(suffix);
            std::fs::write(&file, after(content, luck, dice)).unwrap();
        }
    }
}

fn after(content: &Content, luck: Luck, dice: &Dice) -> Vec<u8> {
    let mut bytes = content.lasting.clone();
    for step in &content.since {
        match (luck, step) {
            (Luck::Nothing, _) => {}
            (Luck::Torn, Step::Write { at, bytes: written }) => {
                for (number, sector) in written.chunks(SECTOR).enumerate() {
                    if dice.percent(50) {
                        let (at, sector) = (at + number * SECTOR, sector.to_vec());
                        apply(&mut bytes, &Step::Write { at, bytes: sector });
                    }
                }
            }
            (Luck::Torn, _) if dice.percent(50) => {}
            (_, step) => apply(&mut bytes, step),
        }
    }
    bytes
}

fn apply(content: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Truncate(length) => content.resize(*length, 0),
        Step::Write { at, bytes } => {
            let end = at + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*at..end].copy_from_slice(bytes);
        }
        Step::Sync | Step::Unlink | Step::Create => {}
    }
}
