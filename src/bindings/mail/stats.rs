//! How the mails do, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start of the process.
#[derive(Debug, Default)]
pub struct MailStats {
    sent: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
    waiting: AtomicU64,
}

/// The counters at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MailView {
    /// Taken by the server.
    pub sent: u64,
    /// Tries that the server did not take.
    pub failed: u64,
    /// Mails that are not tried again: refused for good, or too late.
    pub given_up: u64,
    /// Mails that wait for the server.
    pub waiting: u64,
}

impl MailStats {
    /// The counters now.
    #[must_use]
    pub fn view(&self) -> MailView {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MailView {
            sent: read(&self.sent),
            failed: read(&self.failed),
            given_up: read(&self.given_up),
            waiting: read(&self.waiting),
        }
    }

    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn gave_up(&self) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn waits(&self, letters: usize) {
        let letters = u64::try_from(letters).unwrap_or(u64::MAX);
        self.waiting.store(letters, Ordering::Relaxed);
    }
}
