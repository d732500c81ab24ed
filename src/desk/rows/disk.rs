//! The room on disk, in one word.

/// The room on the broker's disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiskState {
    /// Enough.
    #[default]
    Fine,
    /// Too little: no new intents.
    Low,
    /// None: nothing can be written.
    Full,
}

impl DiskState {
    /// What two claims about it mean together.
    #[must_use]
    pub const fn of(is_low: bool, is_full: bool) -> Self {
        match (is_low, is_full) {
            (_, true) => Self::Full,
            (true, false) => Self::Low,
            (false, false) => Self::Fine,
        }
    }
}
