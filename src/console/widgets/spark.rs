//! Series as sparks and shares as bars, as text.

use crate::console::theme::glyphs::Glyphs;

/// The series as one line of at most `columns` cells, newest on the right. Where it is longer, buckets
/// are joined by their mean, so the window it shows stays the same. `most` is the top of the scale, the
/// series' own by default.
#[must_use]
pub fn spark(values: &[u64], columns: usize, most: Option<u64>, glyphs: &Glyphs) -> String {
    let values = joined(values, columns);
    let most = most
        .or_else(|| values.iter().copied().max())
        .unwrap_or(0)
        .max(1);
    values
        .iter()
        .filter_map(|value| glyphs.levels.get(level(*value, most, 7)))
        .copied()
        .collect()
}

/// A share of `most` as a bar of at most `columns` cells, to an eighth of a cell. What is not nothing
/// is at least a sliver.
#[must_use]
pub fn bar(value: u64, most: u64, columns: usize, glyphs: &Glyphs) -> String {
    let eighths = level(value, most.max(1), columns.saturating_mul(8));
    let eighths = if value > 0 && columns > 0 {
        eighths.max(1)
    } else {
        eighths
    };
    let full = glyphs.eighths.last().copied().unwrap_or_default();
    let mut text = full.repeat(eighths / 8);
    if let Some(part) = (eighths % 8)
        .checked_sub(1)
        .and_then(|part| glyphs.eighths.get(part))
    {
        text.push_str(part);
    }
    text
}

/// `value` of `most` on a scale from zero to `top`, rounded to the nearest and cut at the top.
fn level(value: u64, most: u64, top: usize) -> usize {
    let top = u128::try_from(top).unwrap_or(0);
    let most = u128::from(most.max(1));
    let level = (u128::from(value) * top + most / 2) / most;
    usize::try_from(level.min(top)).unwrap_or(0)
}

fn joined(values: &[u64], columns: usize) -> Vec<u64> {
    if values.len() <= columns {
        return values.to_vec();
    }
    let bucket = |index: usize| {
        let from = index * values.len() / columns;
        let to = (index + 1) * values.len() / columns;
        let part = values.get(from..to.max(from + 1)).unwrap_or_default();
        let sum: u128 = part.iter().copied().map(u128::from).sum();
        let count = u128::try_from(part.len()).unwrap_or(1).max(1);
        u64::try_from(sum.div_ceil(count)).unwrap_or(u64::MAX)
    };
    (0..columns).map(bucket).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::theme::glyphs::{ASCII, UNICODE};
    use super::*;

    #[test]
    fn a_spark_runs_from_the_lowest_to_the_highest_level() {
        assert_eq!(
            spark(&[0, 1, 2, 3, 4, 5, 6, 7], 8, None, &UNICODE),
            "▁▂▃▄▅▆▇█"
        );
        assert_eq!(spark(&[0, 0, 0], 8, None, &UNICODE), "▁▁▁");
        assert_eq!(spark(&[1, 9], 8, Some(3), &UNICODE), "▃█");
        assert_eq!(spark(&[0, 7], 8, None, &ASCII), "_#");
        assert_eq!(spark(&[], 8, None, &UNICODE), "");
    }

    #[test]
    fn a_long_series_keeps_its_window() {
        assert_eq!(spark(&[0, 0, 7, 7, 0, 0, 7, 7], 4, None, &UNICODE), "▁█▁█");
        assert_eq!(spark(&[1, 2, 3], 0, None, &UNICODE), "");
        assert_eq!(
            spark(&[1, 2, 3, 4, 5], 2, None, &UNICODE).chars().count(),
            2
        );
    }

    #[test]
    fn a_bar_ends_in_an_eighth_and_never_vanishes() {
        assert_eq!(bar(3_204, 3_204, 9, &UNICODE), "█████████");
        assert_eq!(bar(1_902, 3_204, 9, &UNICODE), "█████▍");
        assert_eq!(bar(1, 3_204, 9, &UNICODE), "▏");
        assert_eq!(bar(0, 3_204, 9, &UNICODE), "");
        assert_eq!(bar(5, 0, 3, &UNICODE), "███");
    }
}
