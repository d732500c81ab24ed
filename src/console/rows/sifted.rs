//! A window over what a scan has found so far, and over rows that are sifted as they come.

use super::{Row, Window};

impl<T: Row> Window<T> {
    /// True when so many rows are here that no more are taken.
    pub(crate) const fn is_full(&self) -> bool {
        self.rows.len() >= super::ROWS_MAX
    }

    /// True when the cursor is so near the end that the next page is wanted.
    pub(crate) fn wants_more(&self) -> bool {
        self.next.is_some()
            && self
                .cursor_line()
                .is_none_or(|line| line + self.height >= self.len())
    }

    /// Whether a row is marked.
    pub(crate) fn is_marked(&self, key: &T::Key) -> bool {
        self.marks.contains(key)
    }

    /// Takes the rows of the newest page that fit; `oldest` is where that page ends. Rows in its reach are
    /// brought up to date or leave, new ones come in at the top while the window follows. What was found
    /// beyond it stays, and so does where the next page starts.
    pub(crate) fn refresh(
        &mut self,
        fitting: Vec<T>,
        oldest: Option<(i64, u128)>,
        is_following: bool,
        reason: impl Fn(&T) -> String,
    ) {
        let newest = self.rows.first().map(Row::age_order);
        let (fresh, known): (Vec<T>, Vec<T>) = fitting
            .into_iter()
            .partition(|row| newest.is_none_or(|newest| row.age_order() > newest));
        let lets_in = newest.is_none() || (is_following && self.top == 0);
        self.unseen = if lets_in { 0 } else { fresh.len() };
        let mut rows = if lets_in { fresh } else { Vec::new() };
        rows.extend(known);
        let beyond = |row: &&T| oldest.is_none_or(|oldest| row.age_order() < oldest);
        rows.extend(self.rows.iter().filter(beyond).cloned());
        rows.truncate(super::ROWS_MAX);
        self.install(rows, reason);
    }

    /// A window that had no row gives the cursor to its first.
    pub(crate) fn begin(&mut self) {
        if self.cursor.is_none() && self.ghost.is_none() {
            self.cursor = self.rows.first().map(Row::key);
        }
        self.settle();
    }
}
