//! What a broker takes of the machine over time: memory, open files, disk. None of it may grow with the time
//! that it has run or with what it has done.

use std::path::Path;

/// What a broker took at one instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) life: usize,
    /// Seconds since the soak began.
    pub(super) at: u64,
    pub(super) resident_kib: u64,
    pub(super) files: usize,
    pub(super) disk_kib: u64,
}

/// Looks at a process and its data directory; none when it has just gone.
pub(super) fn sample(life: usize, at: u64, process: u32, data: &Path) -> Option<Sample> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let resident = resident
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .ok()?;
    let files = std::fs::read_dir(format!("/proc/{process}/fd"))
        .ok()?
        .count();
    let sizes = std::fs::read_dir(data).ok()?.flatten();
    let sizes = sizes.filter_map(|entry| entry.metadata().ok().map(|found| found.len()));
    Some(Sample {
        life,
        at,
        resident_kib: resident,
        files,
        disk_kib: sizes.sum::<u64>() / 1024,
    })
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// Memory that may come on top of what it took before: caches fill as the store grows.
const MEMORY_SLACK_KIB: u64 = 24 * 1024;
/// Files that come and go with connections.
const FILES_SLACK: u64 = 24;

/// Whether the longest life took more in its last quarter than in its second, and what.
///
/// The first quarter fills caches and is not counted. A life with few samples says nothing.
pub(super) fn growth(samples: &[Sample], longest: usize) -> Vec<String> {
    let life: Vec<&Sample> = samples.iter().filter(|one| one.life == longest).collect();
    let quarter = life.len() / 4;
    if quarter < 3 {
        return Vec::new();
    }
    let (second, last) = (&life[quarter..2 * quarter], &life[3 * quarter..]);
    let resident = |of: &[&Sample]| median(of.iter().map(|one| one.resident_kib).collect());
    let files = |of: &[&Sample]| {
        median(
            of.iter()
                .map(|one| u64::try_from(one.files).unwrap())
                .collect(),
        )
    };
    let mut wrong = Vec::new();
    let (before, after) = (resident(second), resident(last));
    if after > before + before / 5 + MEMORY_SLACK_KIB {
        wrong.push(format!("memory grew from {before} KiB to {after} KiB"));
    }
    let (before, after) = (files(second), files(last));
    if after > before + FILES_SLACK {
        wrong.push(format!("open files grew from {before} to {after}"));
    }
    wrong
}

/// A line for each life: how long, and what it took at most and in the end.
pub(super) fn table(samples: &[Sample]) -> String {
    let mut lines = vec![
        "soak: | life | seconds | MiB in the middle | MiB in the end | files | MiB on disk |"
            .to_owned(),
    ];
    let lives = samples.last().map_or(0, |last| last.life);
    for life in 0..=lives {
        let of: Vec<&Sample> = samples.iter().filter(|one| one.life == life).collect();
        let (Some(first), Some(middle), Some(last)) = (of.first(), of.get(of.len() / 2), of.last())
        else {
            continue;
        };
        lines.push(format!(
            "soak: | {life} | {} | {} | {} | {} | {} |",
            last.at - first.at,
            middle.resident_kib / 1024,
            last.resident_kib / 1024,
            of.iter().map(|one| one.files).max().unwrap_or(0),
            last.disk_kib / 1024
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(resident_kib: impl Fn(u64) -> u64, files: impl Fn(u64) -> usize) -> Vec<Sample> {
        let sample = |at| Sample {
            life: 1,
            at,
            resident_kib: resident_kib(at),
            files: files(at),
            disk_kib: 0,
        };
        (0..40).map(sample).collect()
    }

    #[test]
    fn what_stays_in_bounds_is_no_growth_and_what_rises_is() {
        let level = life(|at| 60_000 + at % 7 * 1000, |_| 90);
        assert_eq!(growth(&level, 1), Vec::<String>::new());
        let leaks = life(|at| 60_000 + at * 4000, |_| 90);
        assert_eq!(growth(&leaks, 1).len(), 1);
        let opens = life(|_| 60_000, |at| 90 + usize::try_from(at).unwrap() * 2);
        assert_eq!(growth(&opens, 1).len(), 1);
    }
}
