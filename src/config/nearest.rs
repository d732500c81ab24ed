//! The key that was meant, for one that does not exist.

use super::entries::ENTRIES;

/// The known key nearest to `unknown`, when one is near enough to be meant.
#[must_use]
pub fn nearest(unknown: &str) -> Option<&'static str> {
    // Longer than all keys by half: nothing that was meant, and counting takes the product of both lengths.
    if unknown.len() > 100 {
        return None;
    }
    let unknown_name = unknown.rsplit('.').next().unwrap_or(unknown);
    let scored = ENTRIES.iter().map(|entry| {
        let whole = distance(unknown, entry.key);
        // The right name in the wrong section is one mistake, however long the section is.
        let name = distance(unknown_name, entry.name()).saturating_add(1);
        // So is a key that stops early, or stops without its unit.
        let start: String = entry.key.chars().take(unknown.chars().count()).collect();
        let start = distance(unknown, &start).saturating_add(1);
        (whole.min(name).min(start), entry.key)
    });
    let (score, key) = scored.min()?;
    (score <= unknown_name.len().div_ceil(3).max(2)).then_some(key)
}

/// How many letters must be added, removed or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (from_index, from_letter) in from.chars().enumerate() {
        let mut diagonal = from_index;
        let mut left = from_index.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, to_letter) in row.iter_mut().skip(1).zip(to.chars()) {
            let changed = diagonal.saturating_add(usize::from(from_letter != to_letter));
            diagonal = *cell;
            left = changed
                .min(diagonal.saturating_add(1))
                .min(left.saturating_add(1));
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_or_misplaced_key_finds_the_one_that_was_meant() {
        assert_eq!(
            nearest("limits.conections_max"),
            Some("limits.connections_max")
        );
        assert_eq!(nearest("listne"), Some("listen"));
        assert_eq!(nearest("limits.conections"), Some("limits.connections_max"));
        assert_eq!(nearest("http.timeout"), Some("http.timeout_seconds"));
        assert_eq!(nearest("connections_max"), Some("limits.connections_max"));
        assert_eq!(
            nearest("stream.timeout_seconds"),
            Some("http.timeout_seconds")
        );
        assert_eq!(nearest("colour.of.the.sky"), None);
    }
}
