//! Addresses, intent types and scopes by number, so that rows and indices stay narrow.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::error::StoreError;

use super::failure::Named as _;

/// Names that the writer keeps at hand. Beyond that it starts over.
const KEPT_MAX: usize = 10_000;

const BY_TEXT: &str = "SELECT id FROM names WHERE text = ?1";

/// The numbers of names that were used lately.
#[derive(Debug, Default)]
pub(super) struct Names {
    kept: HashMap<Box<str>, i64>,
}

impl Names {
    /// The number of a name, if it has one.
    pub(super) fn find(
        &mut self,
        connection: &Connection,
        text: &str,
    ) -> Result<Option<i64>, StoreError> {
        if let Some(id) = self.kept.get(text) {
            return Ok(Some(*id));
        }
        let id = find(connection, text)?;
        if let Some(id) = id {
            self.keep(text, id);
        }
        Ok(id)
    }

    /// The number of a name, given out now if it has none.
    pub(super) fn number(
        &mut self,
        connection: &Connection,
        text: &str,
    ) -> Result<i64, StoreError> {
        if let Some(id) = self.find(connection, text)? {
            return Ok(id);
        }
        connection
            .prepare_cached("INSERT INTO names (text) VALUES (?1)")
            .named("insert name")?
            .execute(params![text])
            .named("insert name")?;
        let id = connection.last_insert_rowid();
        self.keep(text, id);
        Ok(id)
    }

    /// Forgets everything: a transaction in which numbers were given out was dropped.
    pub(super) fn forget_all(&mut self) {
        self.kept.clear();
    }

    fn keep(&mut self, text: &str, id: i64) {
        if self.kept.len() >= KEPT_MAX {
            self.kept.clear();
        }
        self.kept.insert(text.into(), id);
    }
}

/// The number of a name, if it has one, without a memory.
pub(super) fn find(connection: &Connection, text: &str) -> Result<Option<i64>, StoreError> {
    connection
        .prepare_cached(BY_TEXT)
        .named("read name")?
        .query_row(params![text], |row| row.get(0))
        .optional()
        .named("read name")
}
