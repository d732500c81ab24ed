//! How far a background scan has come.

/// Intents that are looked at in one page.
pub(crate) const PAGE: u32 = 200;
/// The least page; one that is refused even then ends the scan.
const PAGE_LEAST: u32 = 10;

/// A scan through a list by terms that no index knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Rows looked at.
    pub(crate) examined: u64,
    /// Rows there are, where that is known.
    pub(crate) total: Option<u64>,
    /// Rows of the next page.
    pub(crate) page: u32,
    /// Where it stands.
    pub(crate) stage: Stage,
}

/// Where a scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It goes on while somebody looks.
    Running,
    /// The operator stopped it.
    Stopped,
    /// Everything was looked at.
    Whole,
    /// As many rows were found as a window holds.
    Full,
    /// The broker refused even the least page.
    Failed,
}

impl Scan {
    /// Nothing looked at.
    pub(crate) const fn new(total: Option<u64>) -> Self {
        Self {
            examined: 0,
            total,
            page: PAGE,
            stage: Stage::Running,
        }
    }

    /// True while it goes on.
    pub(crate) fn is_running(&self) -> bool {
        self.stage == Stage::Running
    }

    /// A page was looked at.
    pub(crate) fn page_read(&mut self, rows: u32, is_last: bool, is_full: bool) {
        self.examined = self.examined.saturating_add(u64::from(rows));
        if !self.is_running() {
            return;
        }
        if is_last {
            self.examined = self.total.map_or(self.examined, |total| {
                // Rows that are gone were counted in the total, new ones were not.
                self.examined.min(total)
            });
            self.stage = Stage::Whole;
        } else if is_full {
            self.stage = Stage::Full;
        }
    }

    /// A page took too long: the next try is a smaller one.
    pub(crate) fn page_refused(&mut self) {
        if self.page == PAGE_LEAST {
            self.stage = Stage::Failed;
        }
        self.page = (self.page / 4).max(PAGE_LEAST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_counts_what_it_looked_at_and_ends_with_the_last_page() {
        let mut scan = Scan::new(Some(450));
        scan.page_read(200, false, false);
        scan.page_read(200, false, false);
        assert!(scan.is_running());
        scan.page_read(200, true, false);
        assert_eq!((scan.examined, scan.stage), (450, Stage::Whole));
    }

    #[test]
    fn pages_that_are_refused_grow_smaller_until_the_scan_gives_up() {
        let mut scan = Scan::new(None);
        scan.page_refused();
        assert_eq!(scan.page, 50);
        scan.page_refused();
        scan.page_refused();
        assert!(scan.is_running() || scan.page == PAGE_LEAST);
        scan.page_refused();
        assert_eq!(scan.stage, Stage::Failed);
    }
}
