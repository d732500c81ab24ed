//! Lengths of time in few bytes: for windows that are kept by the dozen for each receiver.

use std::time::Duration;

/// Between one power of two and the next a length falls into one of 32 steps: told to within 1/32.
const STEP_BITS: u32 = 5;
const STEPS: u64 = 1 << STEP_BITS;

/// How often each length was measured, as far as there were different ones. Eight bytes each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lengths {
    /// By step, rising; none is zero.
    counts: Vec<(u16, u32)>,
}

impl Lengths {
    /// Measures one that took `length`.
    pub fn record(&mut self, length: Duration) {
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        self.add_at(step(micros), 1);
    }

    /// Takes in what was measured elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (step, count) in &other.counts {
            self.add_at(*step, *count);
        }
    }

    /// Forgets what was taken in before.
    pub fn subtract(&mut self, other: &Self) {
        for (step, count) in &other.counts {
            if let Ok(place) = self.counts.binary_search_by_key(step, |(step, _)| *step)
                && let Some((_, known)) = self.counts.get_mut(place)
            {
                *known = known.saturating_sub(*count);
            }
        }
        self.counts.retain(|(_, count)| *count > 0);
    }

    /// How many were measured.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum, (_, count)| sum.saturating_add(u64::from(*count)))
    }

    /// The length that `percent` in a hundred did not exceed, at most 1/32 too long; none when nothing was
    /// measured.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<Duration> {
        let wanted = self
            .count()
            .saturating_mul(percent.min(100))
            .div_ceil(100)
            .max(1);
        let mut seen = 0_u64;
        self.counts.iter().find_map(|(step, count)| {
            seen = seen.saturating_add(u64::from(*count));
            (seen >= wanted).then(|| Duration::from_micros(longest(*step)))
        })
    }

    fn add_at(&mut self, step: u16, count: u32) {
        match self.counts.binary_search_by_key(&step, |(step, _)| *step) {
            Ok(place) => {
                if let Some((_, known)) = self.counts.get_mut(place) {
                    *known = known.saturating_add(count);
                }
            }
            Err(place) => self.counts.insert(place, (step, count)),
        }
    }
}

/// The step that a length falls into.
fn step(micros: u64) -> u16 {
    let power = micros.max(STEPS).ilog2().saturating_sub(STEP_BITS);
    let within = micros >> power;
    let step = u64::from(power)
        .saturating_mul(STEPS)
        .saturating_add(within);
    u16::try_from(step).unwrap_or(u16::MAX)
}

/// The longest length of a step, in microseconds.
fn longest(step: u16) -> u64 {
    let step = u64::from(step);
    // Below two times `STEPS` each step is one microsecond.
    let power = (step / STEPS).saturating_sub(1);
    let within = step.saturating_sub(power.saturating_mul(STEPS));
    let next = u128::from(within).saturating_add(1) << power;
    u64::try_from(next.saturating_sub(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(lengths: impl IntoIterator<Item = u64>) -> Lengths {
        let mut all = Lengths::default();
        for length in lengths {
            all.record(Duration::from_millis(length));
        }
        all
    }

    #[test]
    fn a_percentile_is_the_length_or_at_most_a_thirty_second_more() {
        for micros in (0..200).chain([1_000, 61_999, 10_000_000, 3_600_000_000, u64::MAX]) {
            let mut one = Lengths::default();
            one.record(Duration::from_micros(micros));
            let told = u64::try_from(one.percentile(50).unwrap().as_micros()).unwrap();
            assert!(
                told >= micros && told - micros <= micros / 32,
                "{micros} became {told}"
            );
        }
        let near = |length: Option<Duration>, expected: u64| {
            let length = u64::try_from(length.unwrap().as_millis()).unwrap();
            assert!(
                length >= expected && length <= expected + expected / 32 + 1,
                "{length} is not {expected}"
            );
        };
        let all = millis(1..=1000);
        near(all.percentile(50), 500);
        near(all.percentile(95), 950);
        near(all.percentile(99), 990);
        near(all.percentile(100), 1000);
        assert_eq!(Lengths::default().percentile(50), None);
    }

    #[test]
    fn what_is_taken_out_again_leaves_nothing_behind() {
        let (old, new) = (millis([5, 5, 70]), millis([5, 900]));
        let mut sum = old.clone();
        sum.add(&new);
        assert_eq!(sum.count(), 5);
        sum.subtract(&old);
        assert_eq!(sum, new);
    }
}
