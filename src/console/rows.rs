//! Windows on lists: the rows of a few screens, and a cursor that belongs to a row, not to a line.
//!
//! A window never changes which row the cursor is on: rows may move under it, and the cursor goes
//! with its row. A row that leaves the list while the cursor is on it stays as a ghost, with the
//! reason as a word, until the cursor moves on.

mod kinds;
mod sifted;

use std::collections::BTreeSet;
use std::fmt::Debug;

/// Most rows that a window keeps; older ones are read again when the cursor gets there.
const ROWS_MAX: usize = 1_000;

/// A row of a list: it has a name that stays when its content changes.
pub(crate) trait Row: Clone + Debug {
    /// What names it.
    type Key: Clone + Ord + Debug;

    /// Its name.
    fn key(&self) -> Self::Key;

    /// Where it stands in a list that is sorted newest first: larger is nearer to the top.
    fn age_order(&self) -> (i64, u128);
}

/// A row that left the list while the cursor was on it.
#[derive(Debug, Clone)]
pub(crate) struct Ghost<T> {
    /// The row as it was last seen.
    pub(crate) row: T,
    /// The line it stands on.
    pub(crate) index: usize,
    /// Why it left, in a word or two.
    pub(crate) reason: String,
}

/// One line of a window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'window, T> {
    /// The row.
    pub(crate) row: &'window T,
    /// True for the row under the cursor.
    pub(crate) is_cursor: bool,
    /// True for a marked row.
    pub(crate) is_marked: bool,
    /// Why the row is only a ghost.
    pub(crate) ghost: Option<&'window str>,
}

/// Which way the cursor goes, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// So many lines down.
    Down(usize),
    /// So many lines up.
    Up(usize),
    /// To the first row.
    Top,
    /// To the last row that is loaded.
    Bottom,
}

/// The loaded rows of one list.
#[derive(Debug, Clone)]
pub(crate) struct Window<T: Row> {
    rows: Vec<T>,
    next: Option<String>,
    cursor: Option<T::Key>,
    ghost: Option<Ghost<T>>,
    marks: BTreeSet<T::Key>,
    /// Where a range of marks began, and what was marked before it.
    anchor: Option<(T::Key, BTreeSet<T::Key>)>,
    top: usize,
    height: usize,
    unseen: usize,
    is_loaded: bool,
    is_chosen: bool,
}

impl<T: Row> Default for Window<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            next: None,
            cursor: None,
            ghost: None,
            marks: BTreeSet::new(),
            anchor: None,
            top: 0,
            height: 10,
            unseen: 0,
            is_loaded: false,
            is_chosen: false,
        }
    }
}

impl<T: Row> Window<T> {
    /// Forgets the rows, because the filter is another one. The marks stay.
    pub(crate) fn reset(&mut self) {
        let marks = std::mem::take(&mut self.marks);
        let height = self.height;
        *self = Self {
            marks,
            height,
            ..Self::default()
        };
    }

    /// Takes a list that came whole: whatever is not in it has left.
    pub(crate) fn replace(&mut self, rows: Vec<T>, reason: impl Fn(&T) -> String) {
        self.is_loaded = true;
        self.next = None;
        self.install(rows, reason);
    }

    /// The same for a list whose order is what it is about: until the operator has chosen a row, the
    /// cursor stays on the first line, whatever row that is.
    pub(crate) fn rank(&mut self, rows: Vec<T>, reason: impl Fn(&T) -> String) {
        if !self.is_chosen {
            self.follow();
        }
        self.replace(rows, reason);
    }

    /// Takes the first page of a list that is sorted newest first.
    ///
    /// What the page covers is brought up to date. New rows come in at the top while the window
    /// follows and the cursor stays on the screen; otherwise they are only counted. Rows beyond the
    /// page stay as they are.
    pub(crate) fn absorb(
        &mut self,
        page: Vec<T>,
        next: Option<String>,
        is_following: bool,
        reason: impl Fn(&T) -> String,
    ) {
        let Some(newest) = self.rows.first().map(Row::age_order) else {
            self.is_loaded = true;
            self.next = next;
            self.install(page, reason);
            return;
        };
        let oldest_of_page = page.last().map(Row::age_order);
        let (fresh, known): (Vec<T>, Vec<T>) =
            page.into_iter().partition(|row| row.age_order() > newest);
        let is_whole = next.is_none();
        let overlaps = !known.is_empty() || is_whole;
        let line = self.cursor_line().unwrap_or(0);
        let has_room = line + fresh.len() < self.height && overlaps;
        let lets_in = is_following && self.top == 0 && (has_room || self.cursor.is_none());
        self.unseen = if lets_in { 0 } else { fresh.len() };
        let mut rows = if lets_in { fresh } else { Vec::new() };
        if overlaps {
            rows.extend(known);
            let tail = self.rows.iter().filter(|row| {
                !is_whole && oldest_of_page.is_none_or(|oldest| row.age_order() < oldest)
            });
            let loaded = rows.len();
            rows.extend(tail.cloned());
            if rows.len() == loaded {
                self.next = next;
            }
        } else if lets_in {
            self.next = next;
        } else {
            // All of the page is newer than the window: nothing in it is brought up to date.
            rows.clone_from(&self.rows);
        }
        rows.truncate(ROWS_MAX);
        self.install(rows, reason);
    }

    /// Takes the page after the last one.
    pub(crate) fn append(&mut self, page: Vec<T>, next: Option<String>) {
        let have: BTreeSet<T::Key> = self.rows.iter().map(Row::key).collect();
        self.rows
            .extend(page.into_iter().filter(|row| !have.contains(&row.key())));
        self.next = if self.rows.len() >= ROWS_MAX {
            None
        } else {
            next
        };
        self.settle();
    }

    fn install(&mut self, rows: Vec<T>, reason: impl Fn(&T) -> String) {
        let before = self.cursor_line();
        let was = self.cursor_row().cloned();
        let is_ghost = self.ghost.is_some();
        self.rows = rows;
        let is_there = self
            .cursor
            .as_ref()
            .is_some_and(|cursor| self.rows.iter().any(|row| row.key() == *cursor));
        if is_there {
            self.ghost = None;
        } else if let (Some(row), Some(index)) = (was, before) {
            let index = index.min(self.rows.len());
            let kept = if is_ghost { self.ghost.take() } else { None };
            self.ghost = Some(match kept {
                Some(ghost) => Ghost { index, ..ghost },
                None => Ghost {
                    reason: reason(&row),
                    row,
                    index,
                },
            });
        } else {
            self.cursor = self.rows.first().map(Row::key);
        }
        if let (Some(before), Some(now)) = (before, self.cursor_line())
            && self.top > 0
        {
            // Rows that came in above push the window down with them: nothing moves on the screen.
            self.top = (self.top + now).saturating_sub(before);
        }
        self.settle();
    }

    /// The rows as they are, without the ghost.
    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// The rows, to be changed in place.
    pub(crate) fn rows_mut(&mut self) -> &mut [T] {
        &mut self.rows
    }

    /// Lines of the window: its rows, and a ghost if there is one.
    pub(crate) fn len(&self) -> usize {
        self.rows.len() + usize::from(self.ghost.is_some())
    }

    /// True when there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True once an answer has come.
    pub(crate) const fn is_loaded(&self) -> bool {
        self.is_loaded
    }

    /// New rows that are not shown because the window is pinned.
    pub(crate) const fn unseen(&self) -> usize {
        self.unseen
    }

    /// Where the next page starts, if there is one.
    pub(crate) fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// The key of the row under the cursor.
    pub(crate) const fn cursor(&self) -> Option<&T::Key> {
        self.cursor.as_ref()
    }

    /// The row under the cursor, also when it is a ghost.
    pub(crate) fn cursor_row(&self) -> Option<&T> {
        if let Some(ghost) = &self.ghost {
            return Some(&ghost.row);
        }
        let cursor = self.cursor.as_ref()?;
        self.rows.iter().find(|row| row.key() == *cursor)
    }

    /// The row under the cursor, unless it has left the list; then the reason.
    pub(crate) fn live_row(&self) -> Result<&T, String> {
        match &self.ghost {
            Some(ghost) => Err(format!("this row has left the list: {}", ghost.reason)),
            None => self.cursor_row().ok_or_else(|| "no row here".to_owned()),
        }
    }

    /// The line that the cursor is on.
    pub(crate) fn cursor_line(&self) -> Option<usize> {
        match &self.ghost {
            Some(ghost) => Some(ghost.index),
            None => self.cursor_index(),
        }
    }

    fn cursor_index(&self) -> Option<usize> {
        let cursor = self.cursor.as_ref()?;
        self.rows.iter().position(|row| row.key() == *cursor)
    }

    /// The row on a line, counted with the ghost.
    pub(crate) fn row_at(&self, line: usize) -> Option<&T> {
        match &self.ghost {
            Some(ghost) if ghost.index == line => Some(&ghost.row),
            Some(ghost) if ghost.index < line => self.rows.get(line - 1),
            _ => self.rows.get(line),
        }
    }

    /// The lines from `top` on, at most `height`.
    pub(crate) fn lines(&self, height: usize) -> impl Iterator<Item = Line<'_, T>> {
        let top = self.top_for(height);
        (top..self.len().min(top.saturating_add(height))).filter_map(|line| {
            let row = self.row_at(line)?;
            let ghost = self.ghost.as_ref().filter(|ghost| ghost.index == line);
            Some(Line {
                row,
                is_cursor: match (&self.ghost, &self.cursor) {
                    (Some(_), _) => ghost.is_some(),
                    (None, Some(cursor)) => row.key() == *cursor,
                    (None, None) => false,
                },
                is_marked: ghost.is_none() && self.marks.contains(&row.key()),
                ghost: ghost.map(|ghost| ghost.reason.as_str()),
            })
        })
    }

    /// The first line when `height` lines are on the screen: the cursor is always among them.
    pub(crate) fn top_for(&self, height: usize) -> usize {
        let height = height.max(1);
        let line = self.cursor_line().unwrap_or(0);
        let last_top = self.len().saturating_sub(height);
        let top = self.top.min(last_top);
        if line < top {
            line
        } else if line >= top.saturating_add(height) {
            (line + 1).saturating_sub(height)
        } else {
            top
        }
    }

    /// Says how many lines are on the screen.
    pub(crate) fn set_height(&mut self, height: usize) {
        self.height = height.max(1);
        self.settle();
    }

    /// Lines of half a screen, at least one.
    pub(crate) fn half_page(&self) -> usize {
        (self.height / 2).max(1)
    }

    /// Lines of a screen, at least one.
    pub(crate) const fn page(&self) -> usize {
        self.height
    }

    fn settle(&mut self) {
        self.top = self.top_for(self.height);
    }

    /// The operator does something with the row under the cursor: it is theirs from now on.
    pub(crate) const fn choose(&mut self) {
        self.is_chosen = self.is_chosen || self.cursor.is_some();
    }

    /// Moves the cursor. A ghost is gone once the cursor moves on.
    pub(crate) fn go(&mut self, step: Move) {
        self.is_chosen = true;
        let Some(line) = self.cursor_line() else {
            self.cursor = self.rows.first().map(Row::key);
            self.settle();
            return;
        };
        let is_ghost = self.ghost.is_some();
        let last = self.rows.len().saturating_sub(1);
        let target = match step {
            // The line of a ghost is taken by the row after it once it is gone.
            Move::Down(lines) => line
                .saturating_add(lines)
                .saturating_sub(usize::from(is_ghost)),
            Move::Up(lines) => line.saturating_sub(lines),
            Move::Top => 0,
            Move::Bottom => last,
        };
        if self.rows.is_empty() {
            self.ghost = None;
            self.cursor = None;
            return;
        }
        self.go_to(target.min(last));
        if matches!(step, Move::Top) {
            self.top = 0;
        }
    }

    fn go_to(&mut self, index: usize) {
        self.ghost = None;
        self.cursor = self.rows.get(index).map(Row::key);
        self.stretch();
        self.settle();
    }

    /// Moves the cursor to the row on a line of the screen; says whether there is one.
    pub(crate) fn go_to_line(&mut self, line: usize) -> bool {
        let Some(key) = self.row_at(line).map(Row::key) else {
            return false;
        };
        self.go_to_key(&key)
    }

    /// Moves the cursor to a row by its key; says whether it is here.
    pub(crate) fn go_to_key(&mut self, key: &T::Key) -> bool {
        self.is_chosen = true;
        if self.cursor.as_ref() == Some(key) {
            return true;
        }
        match self.rows.iter().position(|row| row.key() == *key) {
            Some(index) => {
                self.go_to(index);
                true
            }
            None => false,
        }
    }

    /// Puts the cursor on a row that may not be here yet.
    pub(crate) fn await_key(&mut self, key: T::Key) {
        if !self.go_to_key(&key) {
            self.ghost = None;
            self.cursor = Some(key);
        }
    }

    /// Goes to the top and waits there for what comes: the newest row gets the cursor.
    pub(crate) fn follow(&mut self) {
        self.ghost = None;
        self.cursor = None;
        self.top = 0;
    }

    /// Marks the row under the cursor, or takes the mark away.
    pub(crate) fn toggle_mark(&mut self) {
        if let (None, Some(cursor)) = (&self.ghost, &self.cursor)
            && !self.marks.remove(cursor)
        {
            self.marks.insert(cursor.clone());
        }
    }

    /// Begins a range of marks at the cursor, or ends it. Says whether one has begun.
    pub(crate) fn toggle_range(&mut self) -> bool {
        self.anchor = match self.anchor.take() {
            Some(_) => None,
            None => self.cursor.clone().map(|key| (key, self.marks.clone())),
        };
        self.stretch();
        self.anchor.is_some()
    }

    /// Marks what lies between the beginning of the range and the cursor, and nothing else of it.
    fn stretch(&mut self) {
        let Some((anchor, before)) = &self.anchor else {
            return;
        };
        let line_of = |key: &T::Key| self.rows.iter().position(|row| row.key() == *key);
        let to = self.cursor.as_ref().and_then(line_of);
        let (Some(from), Some(to)) = (line_of(anchor), to) else {
            return;
        };
        let lines = self.rows.iter().take(from.max(to) + 1).skip(from.min(to));
        let mut marks = before.clone();
        marks.extend(lines.map(Row::key));
        self.marks = marks;
    }

    /// Marks every row that is loaded.
    pub(crate) fn mark_all(&mut self) {
        self.marks.extend(self.rows.iter().map(Row::key));
    }

    /// Takes all marks away.
    pub(crate) fn clear_marks(&mut self) {
        self.anchor = None;
        self.marks.clear();
    }

    /// How many rows are marked, here or outside the filter.
    pub(crate) fn marked(&self) -> usize {
        self.marks.len()
    }

    /// The marked rows that are here.
    pub(crate) fn marked_rows(&self) -> impl Iterator<Item = &T> {
        self.rows
            .iter()
            .filter(|row| self.marks.contains(&row.key()))
    }
}
