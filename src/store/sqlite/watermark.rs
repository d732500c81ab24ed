//! How far the feed had come when a commit was last known to be on the disk: sixteen bytes in a file beside the
//! store, written after each sync.
//!
//! A write-ahead log that is damaged is read up to the damage, and looks like one whose end was never written:
//! the file alone cannot tell a power cut from the loss of what was acknowledged. This file can, in one
//! direction. It is written after the sync of the commit it names, so it never names one that may be missing
//! for an honest reason; and not synced itself, so after a power cut it may name an older one, and then says
//! nothing. It survives the death of the process like everything that was written.
//!
//! Nothing depends on it: where it cannot be read or written, a loss is not noticed, and that is all.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::domain::ids::Cursor;
use crate::store::error::{Missing, StoreError};

use super::failure::Named as _;

/// What the file's name adds to that of the store.
const SUFFIX: &str = "-mark";

/// The file that belongs to a store.
#[must_use]
pub fn path_of(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(SUFFIX);
    PathBuf::from(name)
}

/// How far the store had come, as the file says; none when it says nothing.
#[must_use]
pub fn read(store: &Path) -> Option<Cursor> {
    let bytes = std::fs::read(path_of(store)).ok()?;
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    let (cursor, check) = bytes.split_at(8);
    let number = |half: &[u8]| half.try_into().map(u64::from_le_bytes).ok();
    let (cursor, check) = (number(cursor)?, number(check)?);
    (cursor == !check).then_some(Cursor(cursor))
}

/// What a store lacks that its file says was there.
///
/// # Errors
/// The fault that kept the store from being read.
pub fn missing(store: &Path) -> Result<Option<Missing>, StoreError> {
    // Before the store: a broker that runs meanwhile only adds to both.
    let Some(acknowledged) = read(store) else {
        return Ok(None);
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(store, flags).named("open store")?;
    let found = super::known::last_cursor(&connection)?;
    Ok(Missing::between(
        Cursor(super::columns::unsigned(found)),
        acknowledged,
    ))
}

/// The file, open once there was something to write.
#[derive(Debug)]
pub(super) struct Watermark {
    path: PathBuf,
    file: Option<File>,
}

impl Watermark {
    pub(super) fn beside(store: &Path) -> Self {
        Self {
            path: path_of(store),
            file: None,
        }
    }

    /// Notes that everything up to here is on the disk.
    pub(super) fn note(&mut self, cursor: Cursor) {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(false);
            self.file = options.open(&self.path).ok();
        }
        let mut bytes = [0; 16];
        let (left, right) = bytes.split_at_mut(8);
        left.copy_from_slice(&cursor.0.to_le_bytes());
        right.copy_from_slice(&(!cursor.0).to_le_bytes());
        // A commit that is kept does not fail because of this.
        let _unnoticed = self.file.as_ref().map(|file| file.write_all_at(&bytes, 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_and_half_a_note_is_none() {
        let scratch = tempfile::tempdir().unwrap();
        let store = scratch.path().join("postroom.db");
        assert_eq!(read(&store), None);
        let mut mark = Watermark::beside(&store);
        mark.note(Cursor(7));
        mark.note(Cursor(300));
        assert_eq!(read(&store), Some(Cursor(300)));
        let mut bytes = std::fs::read(path_of(&store)).unwrap();
        bytes[0] ^= 1;
        std::fs::write(path_of(&store), &bytes).unwrap();
        assert_eq!(read(&store), None);
        std::fs::write(path_of(&store), &bytes[..9]).unwrap();
        assert_eq!(read(&store), None);
    }

    #[test]
    fn a_place_where_nothing_can_be_written_is_no_fault() {
        let mut mark = Watermark::beside(Path::new("/nowhere/at/all/postroom.db"));
        mark.note(Cursor(7));
        assert_eq!(read(Path::new("/nowhere/at/all/postroom.db")), None);
    }
}
