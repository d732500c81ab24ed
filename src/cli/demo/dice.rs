//! Chance, in the shapes that the demonstration needs.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Entropy;

/// Draws.
#[derive(Debug, Clone)]
pub(super) struct Dice(Arc<dyn Entropy>);

impl Dice {
    pub(super) fn new(entropy: &Arc<dyn Entropy>) -> Self {
        Self(Arc::clone(entropy))
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&self, low: u64, high: u64) -> u64 {
        let width = high.saturating_sub(low).saturating_add(1).max(1);
        low.saturating_add(self.0.u64() % width)
    }

    /// True that often in a hundred times.
    pub(super) fn percent(&self, chance: u64) -> bool {
        self.between(1, 100) <= chance
    }

    /// One of them.
    pub(super) fn pick<T: Copy + Default>(&self, things: &[T]) -> T {
        let count = u64::try_from(things.len()).unwrap_or(1).max(1);
        let at = usize::try_from(self.between(0, count - 1)).unwrap_or(0);
        things.get(at).copied().unwrap_or_default()
    }

    /// Around `mean`, from a third to five thirds of it.
    pub(super) fn around(&self, mean: Duration) -> Duration {
        let millis = u64::try_from(mean.as_millis()).unwrap_or(u64::MAX).max(3);
        Duration::from_millis(self.between(millis / 3, millis.saturating_mul(5) / 3))
    }

    /// An amount of money between two, in cents, shown with two decimals.
    pub(super) fn amount(&self, low: u64, high: u64) -> String {
        let cents = self.between(low.saturating_mul(100), high.saturating_mul(100));
        format!("{}.{:02}", cents / 100, cents % 100)
    }
}
