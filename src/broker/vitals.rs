//! How the broker itself does: room on disk, and whether the commit at work moves.
//!
//! The writer writes it, everybody reads it, and nobody waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::broker::request::BrokerError;
use crate::clock::{Clock, Mono};
use crate::engine::command::Command;

/// What room on disk the broker wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSettings {
    /// Free bytes below which new intents are refused; zero is never.
    pub low_bytes: u64,
    /// Pause between two looks.
    pub check_every: Duration,
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            low_bytes: 0,
            check_every: Duration::from_secs(5),
        }
    }
}

/// The room on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes that were free at the last look; none where nobody can tell.
    pub free_bytes: Option<u64>,
    /// Free bytes below which new intents are refused.
    pub low_bytes: u64,
    /// True while new intents are refused.
    pub is_low: bool,
    /// True while nothing can be written at all.
    pub is_full: bool,
}

/// The state of health. One for each broker.
#[derive(Debug)]
pub struct Vitals {
    clock: Arc<dyn Clock>,
    low_bytes: u64,
    /// [`UNKNOWN`] where nobody can tell.
    free_bytes: AtomicU64,
    is_low: AtomicBool,
    is_full: AtomicBool,
    /// When the commit at work began, in milliseconds and one more; zero while there is none.
    commit_began: AtomicU64,
}

const UNKNOWN: u64 = u64::MAX;

impl Vitals {
    pub(super) fn new(settings: &RoomSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            low_bytes: settings.low_bytes,
            free_bytes: AtomicU64::new(UNKNOWN),
            is_low: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
            commit_began: AtomicU64::new(0),
        }
    }

    /// The room on disk, as of the last look.
    #[must_use]
    pub fn room(&self) -> Room {
        let free = self.free_bytes.load(Ordering::Relaxed);
        let is_full = self.is_full.load(Ordering::Relaxed);
        Room {
            free_bytes: Some(free).filter(|free| *free != UNKNOWN),
            low_bytes: self.low_bytes,
            is_low: is_full || self.is_low.load(Ordering::Relaxed),
            is_full,
        }
    }

    /// For how long the commit at work has been at it.
    #[must_use]
    pub fn commit_at_work(&self) -> Duration {
        match self.commit_began.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            began => {
                let began = Mono::from_start(Duration::from_millis(began.saturating_sub(1)));
                self.clock.elapsed().since(began)
            }
        }
    }

    /// Takes in a look at the disk. What was low is fine again with an eighth more than what was too little,
    /// or it would be both by turns.
    pub(super) fn measured(&self, free: Option<u64>) {
        self.free_bytes
            .store(free.unwrap_or(UNKNOWN), Ordering::Relaxed);
        let was_low = self.is_low.load(Ordering::Relaxed);
        let wanted = if was_low {
            self.low_bytes.saturating_add(self.low_bytes / 8)
        } else {
            self.low_bytes
        };
        let is_low = free.is_some_and(|free| free < wanted);
        self.is_low.store(is_low, Ordering::Relaxed);
    }

    /// A commit found no room, or found some again.
    pub(super) fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::Relaxed);
    }

    pub(super) fn commit_begins(&self, at: Mono) {
        let began = at.as_millis().saturating_add(1);
        self.commit_began.store(began, Ordering::Relaxed);
    }

    pub(super) fn commit_ends(&self) {
        self.commit_began.store(0, Ordering::Relaxed);
    }

    /// The refusal of a new intent, while there is too little room.
    pub(super) fn refusal(&self) -> Option<BrokerError> {
        let room = self.room();
        room.is_low.then_some(BrokerError::StorageLow(room))
    }
}

/// True for what makes a new intent by itself.
pub(super) const fn is_admission(command: &Command) -> bool {
    matches!(command, Command::Submit(_) | Command::Replay(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::time::Timestamp;

    fn vitals() -> (Arc<ManualClock>, Vitals) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
        let settings = RoomSettings {
            low_bytes: 800,
            ..RoomSettings::default()
        };
        let vitals = Vitals::new(&settings, Arc::<ManualClock>::clone(&clock));
        (clock, vitals)
    }

    #[test]
    fn a_low_disk_is_fine_again_only_with_an_eighth_more() {
        let (_clock, vitals) = vitals();
        assert!(vitals.refusal().is_none(), "nobody has looked");
        for (free, is_low) in [
            (800, false),
            (799, true),
            (800, true),
            (899, true),
            (900, false),
            (801, false),
        ] {
            vitals.measured(Some(free));
            assert_eq!(vitals.room().is_low, is_low, "{free}");
            assert_eq!(vitals.room().free_bytes, Some(free));
        }
        vitals.set_full(true);
        assert!(vitals.room().is_low && vitals.room().is_full);
        vitals.set_full(false);
        assert!(!vitals.room().is_low);
        vitals.measured(None);
        assert_eq!(vitals.room().free_bytes, None);
    }

    #[test]
    fn a_commit_that_does_not_end_is_seen_from_outside() {
        let (clock, vitals) = vitals();
        assert_eq!(vitals.commit_at_work(), Duration::ZERO);
        vitals.commit_begins(clock.elapsed());
        clock.advance_by(Duration::from_secs(3));
        assert_eq!(vitals.commit_at_work(), Duration::from_secs(3));
        vitals.commit_ends();
        assert_eq!(vitals.commit_at_work(), Duration::ZERO);
    }
}
