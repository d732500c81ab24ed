//! What was measured, in words, as a table and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::load::Run;
use super::rows::{Row, Work};
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// CPU time of everything in the process but the load; none where the system does not tell.
#[derive(Debug, Clone, Copy)]
pub struct CpuTime(pub Option<Duration>);

/// One run of a row.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What came of it.
    pub run: Run,
    /// What the server took for the whole of it, its first fifth included.
    pub cpu: CpuTime,
}

impl Measured {
    /// Microseconds of CPU time for each piece.
    fn cpu_us_each(&self) -> Option<f64> {
        let pieces = u32::try_from(self.run.all.max(1)).unwrap_or(u32::MAX);
        Some(self.cpu.0?.as_secs_f64() * 1e6 / f64::from(pieces))
    }

    /// What is told as soon as it is measured.
    #[must_use]
    pub fn told(&self, row: &Row) -> String {
        if matches!(row.work, Work::Latency(_)) {
            let (half, most) = (quantile(&self.run, 50), quantile(&self.run, 99));
            return format!("{:<31} p50 {half:.2} ms, p99 {most:.2} ms", row.name);
        }
        format!("{:<31} {:>7.0}/s", row.name, self.run.per_second)
    }
}

/// Everything that was measured, by rows.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<(Row, Vec<Measured>)>,
}

impl Report {
    /// Takes in one run.
    pub fn add(&mut self, row: Row, measured: Measured) {
        match self.rows.iter_mut().find(|(known, _)| *known == row) {
            Some((_, runs)) => runs.push(measured),
            None => self.rows.push((row, vec![measured])),
        }
    }

    /// Writes the table, or with `--json` one object: `about` with the rows in it.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn print(&self, mut about: Value, out: &Output) -> Result<(), Failure> {
        if let Some(about) = about.as_object_mut() {
            let rows = self.rows.iter().map(|(row, runs)| self.row_json(row, runs));
            about.insert("rows".to_owned(), rows.collect());
        }
        out.either(&about, |out| {
            let rows = self.rows.iter().map(|(row, runs)| self.cells(row, runs));
            let headings = ["what", "median", "of its ceiling", "cpu each", "rounds"];
            out.table(&headings, rows.collect(), "nothing was measured")?;
            for line in LEGEND {
                out.line(line)?;
            }
            Ok(())
        })
    }

    fn cells(&self, row: &Row, runs: &[Measured]) -> Vec<String> {
        let is_latency = matches!(row.work, Work::Latency(_));
        let (middle, raw): (String, Vec<String>) = if is_latency {
            let told = |half: f64, most: f64| format!("{half:.2} / {most:.2}");
            let each = runs.iter().map(|one| {
                let run = &one.run;
                told(quantile(run, 50), quantile(run, 99))
            });
            let middle = told(latency(runs, 50), latency(runs, 99));
            (format!("{middle} ms"), each.collect())
        } else {
            let each = runs.iter().map(|one| format!("{:.0}", one.run.per_second));
            (format!("{:.0}/s", value(row, runs)), each.collect())
        };
        let ratio = self.of_ceiling(row, runs);
        let cpu = cpu(runs).filter(|_| !matches!(row.work, Work::Append { .. }));
        vec![
            row.name.to_owned(),
            middle,
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            cpu.map_or_else(String::new, |cpu| format!("{cpu:.0} us")),
            raw.join("  "),
        ]
    }

    fn row_json(&self, row: &Row, runs: &[Measured]) -> Value {
        let is_latency = matches!(row.work, Work::Latency(_));
        let rounds = runs.iter().map(|one| {
            if is_latency {
                json!({
                    "p50_ms": rounded(quantile(&one.run, 50)),
                    "p99_ms": rounded(quantile(&one.run, 99)),
                    "count": one.run.count,
                })
            } else {
                json!({ "per_second": rounded(one.run.per_second), "count": one.run.count })
            }
        });
        let mut told = json!({
            "row": row.name,
            "ceiling": row.ceiling,
            "of_ceiling": self.of_ceiling(row, runs).map(rounded),
            "rounds": rounds.collect::<Vec<_>>(),
        });
        if let Some(told) = told.as_object_mut() {
            let mut tell =
                |key: &str, value: f64| told.insert(key.to_owned(), rounded(value).into());
            if is_latency {
                tell("p50_ms", latency(runs, 50));
                tell("p99_ms", latency(runs, 99));
            } else {
                tell("per_second", value(row, runs));
            }
            if let Some(cpu) = cpu(runs).filter(|_| !matches!(row.work, Work::Append { .. })) {
                tell("cpu_us_each", cpu);
            }
        }
        told
    }

    /// The median over that of the ceiling; of latencies those in the middle.
    fn of_ceiling(&self, row: &Row, runs: &[Measured]) -> Option<f64> {
        let name = row.ceiling?;
        let (above, its_runs) = self.rows.iter().find(|(other, _)| other.name == name)?;
        Some(value(row, runs) / value(above, its_runs))
    }
}

/// What stands under the table.
const LEGEND: [&str; 4] = [
    "",
    "accepts: creates of 1 KiB that were answered, each on disk by then. cycles: from the create to the result.",
    "latency: from the write of a create to its arrival at 500 a second, p50 / p99.",
    "ceiling: a server that appends and syncs, and nothing else. cpu: of the server, without the load.",
];

fn value(row: &Row, runs: &[Measured]) -> f64 {
    if matches!(row.work, Work::Latency(_)) {
        return latency(runs, 50);
    }
    median(runs.iter().map(|one| one.run.per_second).collect())
}

fn latency(runs: &[Measured], percent: usize) -> f64 {
    median(runs.iter().map(|one| quantile(&one.run, percent)).collect())
}

fn cpu(runs: &[Measured]) -> Option<f64> {
    let each: Option<Vec<f64>> = runs.iter().map(Measured::cpu_us_each).collect();
    each.map(median)
}

fn quantile(run: &Run, percent: usize) -> f64 {
    let last = run.latencies.len().saturating_sub(1);
    let index = (run.latencies.len().saturating_mul(percent) / 100).min(last);
    run.latencies.get(index).copied().unwrap_or(f64::NAN)
}

/// The middle one; of an even count the greater of the two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Three digits behind the point are more than a measurement is worth.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::super::rows::ROWS;
    use super::*;

    fn measured(per_second: f64) -> Measured {
        Measured {
            run: Run {
                per_second,
                count: 400,
                all: 500,
                latencies: Vec::new(),
            },
            cpu: CpuTime(Some(Duration::from_millis(100))),
        }
    }

    #[test]
    fn a_row_tells_its_median_the_rounds_behind_it_and_the_share_of_its_ceiling() {
        let mut report = Report::default();
        let row = |name: &str| ROWS.into_iter().find(|row| row.name == name).unwrap();
        for per_second in [900.0, 1100.0, 1000.0] {
            report.add(row("ceiling cycles"), measured(per_second));
        }
        for per_second in [500.0, 400.0, 700.0] {
            report.add(row("cycles by poll"), measured(per_second));
        }
        let (poll, runs) = report.rows.last().unwrap();
        assert_eq!(
            report.cells(poll, runs),
            ["cycles by poll", "500/s", "0.50", "200 us", "500  400  700"]
        );
        let told = report.row_json(poll, runs);
        assert_eq!(told["of_ceiling"], 0.5);
        assert_eq!(told["rounds"][2]["per_second"], 700.0);
    }

    #[test]
    fn latencies_are_told_by_their_middle_and_their_tail() {
        let run = Run {
            latencies: (0..100).map(f64::from).collect(),
            ..Run::default()
        };
        assert!((quantile(&run, 50) - 50.0).abs() < f64::EPSILON);
        assert!((quantile(&run, 99) - 99.0).abs() < f64::EPSILON);
    }
}
