//! The writer and its store alone, beside the bare disk: `cargo bench --bench store`.
//!
//! One thread drives the real writer over the real file, one commit at a time, as many intents in flight as
//! the row says. Every row runs in each of three rounds on a fresh file; medians and the raw numbers are
//! printed. `cargo bench --bench store -- lifecycles` runs the rows whose names contain the word;
//! `BENCH_SECONDS` is the length of one run.
//!
//! `cargo bench --bench store -- growth` fills one file instead up to `BENCH_ROWS` intents (1,000,000 when
//! not said) and prints, at each power of ten, what a lifecycle costs then and how long each page takes.
//! The file lies in `TMPDIR`: name a directory of the disk that matters.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

mod growth;
mod yard;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use yard::Yard;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 3;

/// Intents in flight: so many move in one commit.
const FLIGHTS: [usize; 3] = [1, 64, 256];

/// Bytes of a payload.
const PAYLOAD_BYTES: usize = 1024;

/// What came of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) per_second: f64,
    /// Microseconds of this thread's CPU per piece.
    pub(crate) cpu: f64,
}

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    if wanted.iter().any(|word| word == "growth") {
        growth::measure();
        return;
    }
    let seconds = std::env::var("BENCH_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(3);
    let span = Duration::from_secs(seconds);
    let mut results: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for round in 1..=ROUNDS {
        for flight in FLIGHTS {
            for kind in ["fdatasync", "accepts", "accepts with key", "lifecycles"] {
                let name = format!("{kind} {flight}");
                if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
                    continue;
                }
                let run = one(kind, flight, span);
                println!(
                    "round {round} {name:<22} {:>8.0}/s {:>7.1} us CPU each",
                    run.per_second, run.cpu
                );
                results.entry(name).or_default().push(run);
            }
        }
    }
    table(&results);
}

fn one(kind: &str, flight: usize, span: Duration) -> Run {
    let directory = tempfile::tempdir().unwrap();
    if kind == "fdatasync" {
        let mut file = File::create(directory.path().join("log")).unwrap();
        let batch = vec![b'x'; flight * PAYLOAD_BYTES];
        return timed(span, || {
            file.write_all(&batch).unwrap();
            file.sync_data().unwrap();
            flight
        });
    }
    let mut yard = Yard::open(directory.path(), flight);
    match kind {
        "accepts" => timed(span, || yard.accept(flight, false).len()),
        "accepts with key" => timed(span, || yard.accept(flight, true).len()),
        _ => timed(span, || yard.lifecycle(flight)),
    }
}

/// Does pieces of work over and over.
pub(crate) fn timed(span: Duration, mut work: impl FnMut() -> usize) -> Run {
    let began = Instant::now();
    let before = cpu();
    let mut pieces = 0;
    while began.elapsed() < span {
        pieces += work();
    }
    let pieces = f64::from(u32::try_from(pieces.max(1)).unwrap());
    Run {
        per_second: pieces / began.elapsed().as_secs_f64(),
        cpu: cpu().saturating_sub(before).as_secs_f64() * 1e6 / pieces,
    }
}

/// CPU time of this thread.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn table(results: &BTreeMap<String, Vec<Run>>) {
    println!("\n| what | per second, median | of the bare disk | us CPU each | rounds |");
    println!("|---|---|---|---|---|");
    for (name, runs) in results {
        let rate = median(runs.iter().map(|run| run.per_second).collect());
        let flight = name.rsplit(' ').next().unwrap_or_default();
        let disk = results.get(&format!("fdatasync {flight}"));
        let disk = disk.map(|runs| median(runs.iter().map(|run| run.per_second).collect()));
        let ratio = disk.map_or_else(String::new, |disk| format!("{:.2}", rate / disk));
        let raw: Vec<String> = runs
            .iter()
            .map(|run| format!("{:.0}", run.per_second))
            .collect();
        let cpu = median(runs.iter().map(|run| run.cpu).collect());
        println!(
            "| {name} | {rate:.0} | {ratio} | {cpu:.1} | {} |",
            raw.join(", ")
        );
    }
}

pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}
