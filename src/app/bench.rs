//! `bench`: the broker and its ceiling on scratch directories, one row after another.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Runtime;

use super::house::{self, House};
use super::serve::{LOG_DIRECTORY, ground, runtime};
use super::{console, first};
use crate::cli::arguments::BenchArguments;
use crate::cli::bench::{self, CpuTime, Measured, Report, Row, Server, Target, Work, ceiling};
use crate::cli::failure::Failure;
use crate::cli::output::note;
use crate::cli::place::{KEY_FILE, read_line};
use crate::cli::{Context, place};
use crate::config::Config;
use crate::shutdown::Shutdown;

/// How often every row is measured: the fewest that have a middle and a spread.
const ROUNDS: u32 = 3;
/// The shortest run that says anything.
const RUN_MIN: Duration = Duration::from_millis(250);
/// What a second of a run writes at most: twice what two fast cores were seen to write.
const ROOM_BYTES_PER_SECOND: u64 = 256 * 1024 * 1024;
/// The type of a file system in memory, as statfs(2) has it.
const TMPFS: rustix::fs::FsWord = 0x0102_1994;
/// The threads of the load; what they take is not the server's.
const LOAD_THREADS: &str = "load";

/// What a measurement needs, whatever the configuration says: a door of its own on loopback without limits of
/// requests, and nothing that reaches the world.
const FIXED: [&str; 7] = [
    "listen=127.0.0.1:0",
    "tls.cert=",
    "tls.key=",
    "mail.host=",
    "mail.from=",
    "mail.page_url=",
    "limits.requests_per_minute=0",
];

/// A directory that is gone when this is dropped.
#[derive(Debug)]
struct Scratch {
    path: PathBuf,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            note(&format!(
                "could not remove {}: {error}",
                self.path.display()
            ));
        }
    }
}

/// What every run shares.
struct Yard {
    context: Context,
    shutdown: Shutdown,
    scratch: PathBuf,
    /// The length of one run.
    span: Duration,
    /// Threads of the load.
    load: Runtime,
}

pub(super) fn run(arguments: &BenchArguments, mut context: Context) -> Result<(), Failure> {
    let rows = bench::chosen(&arguments.only)?;
    let runs = u32::try_from(rows.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(ROUNDS);
    let span = Duration::from_secs(arguments.seconds) / runs.max(1);
    let span = span.max(RUN_MIN);
    if let Some(url) = place::left_by_broker(&context.config.data) {
        note(&format!(
            "the broker at {url} shares this machine: what it does meanwhile is in the numbers"
        ));
    }
    if cfg!(debug_assertions) {
        note("this is a debug build: its numbers say nothing of a release");
    }
    let beside = directory(arguments, &context.config);
    let mut global = context.global.clone();
    global.listen = None;
    global.set.extend(FIXED.map(str::to_owned));
    context.config = place::configuration(&global, &super::ConsoleFlags::default(), false)?;
    let free = room(&beside, &context.config, span)?;
    let scratch = scratch(&beside, &context)?;
    let server = runtime()?;
    let load = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name(LOAD_THREADS)
        .build()
        .map_err(|error| Failure::refused(format!("start the runtime of the load: {error}")))?;
    let about = json!({
        "ok": true,
        "version": env!("CARGO_PKG_VERSION"),
        "directory": beside.display().to_string(),
        "free_bytes": free,
        "cores": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "run_ms": u64::try_from(span.as_millis()).unwrap_or(u64::MAX),
    });
    let measured = server.block_on(async {
        let (_log, _ring) = console::log(&context, &scratch.path.join(LOG_DIRECTORY))?;
        let (shutdown, signals) = console::watched()?;
        let yard = Yard {
            context: context.clone(),
            shutdown,
            scratch: scratch.path.clone(),
            span,
            load,
        };
        let measured = yard.measure(&rows).await;
        yard.load.shutdown_background();
        signals.stop();
        measured
    });
    server.shutdown_background();
    measured?.print(about, &context.out)
}

/// Where the stores lie: the named directory, or beside the data directory, on the disk that counts.
fn directory(arguments: &BenchArguments, config: &Config) -> PathBuf {
    let named = arguments.dir.clone();
    let beside = config.data.ancestors().skip(1).find(|above| above.is_dir());
    named.unwrap_or_else(|| match beside {
        Some(above) if !above.as_os_str().is_empty() => above.to_owned(),
        _ => PathBuf::from("."),
    })
}

/// Free bytes of the directory's file system, when they are enough for one run.
fn room(directory: &Path, config: &Config, span: Duration) -> Result<u64, Failure> {
    let found = rustix::fs::statvfs(directory).map_err(|error| {
        let error = std::io::Error::from(error);
        Failure::refused(format!("look at {}: {error}", directory.display()))
            .hint("name a directory that exists with --dir")
    })?;
    let is_memory = rustix::fs::statfs(directory).is_ok_and(|found| found.f_type == TMPFS);
    if is_memory {
        note(&format!(
            "{} lies in memory, where a sync costs nothing: name a directory of a disk with --dir",
            directory.display()
        ));
    }
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let run = ROOM_BYTES_PER_SECOND.saturating_mul(millis) / 1000;
    let wanted = config.store.disk_low_bytes.saturating_add(run);
    if free < wanted {
        let mib = |bytes: u64| bytes / (1024 * 1024);
        return Err(Failure::refused(format!(
            "{} has {} MiB free, and a run of {millis} ms may take {} MiB",
            directory.display(),
            mib(free),
            mib(wanted)
        ))
        .hint("make room, name another directory with --dir, or give it fewer --seconds"));
    }
    Ok(free)
}

/// A new directory, so that nothing that is there already can be touched.
fn scratch(beside: &Path, context: &Context) -> Result<Scratch, Failure> {
    let name = format!("postroom-bench-{:08x}", context.entropy.u64() >> 32);
    let path = beside.join(name);
    std::fs::create_dir(&path).map_err(|error| {
        Failure::refused(format!("make {}: {error}", path.display()))
            .hint("name a directory that you may write to with --dir")
    })?;
    Ok(Scratch { path })
}

impl Yard {
    /// Every row once in each round, so that what the machine does meanwhile meets all of them.
    async fn measure(&self, rows: &[Row]) -> Result<Report, Failure> {
        let mut report = Report::default();
        for round in 1..=ROUNDS {
            for row in rows {
                let measured = self.one(row).await.map_err(|failure| named(row, failure))?;
                note(&format!("round {round}  {}", measured.told(row)));
                report.add(*row, measured);
            }
        }
        Ok(report)
    }

    /// One run in a directory of its own.
    async fn one(&self, row: &Row) -> Result<Measured, Failure> {
        let place = Scratch {
            path: self.scratch.join("run"),
        };
        first::directory(&place.path)?;
        match row.server {
            Server::Disk => {
                let (path, clock) = (place.path.clone(), Arc::clone(&self.context.clock));
                let (work, span) = (row.work, self.span);
                let append = move || {
                    let Work::Append { together } = work else {
                        return Err(Failure::refused("a disk can only append"));
                    };
                    bench::append(&path, together, span, clock.as_ref())
                };
                let run = tokio::task::spawn_blocking(append).await;
                let run = run.map_err(|error| Failure::refused(error.to_string()))??;
                Ok(Measured {
                    run,
                    cpu: CpuTime(None),
                })
            }
            Server::Ceiling => {
                let tasks = self.shutdown.tasks("ceiling");
                let address = ceiling::serve(&place.path, &tasks).await?;
                let measured = self.drive(row, Target::ceiling(address)).await;
                tasks.stop();
                tasks.stopped().await;
                measured
            }
            Server::Broker => {
                let mut context = self.context.clone();
                context.config.data.clone_from(&place.path);
                let lock = house::take(&place.path)?.ok_or_else(|| {
                    Failure::refused(format!("{} is taken", place.path.display()))
                })?;
                let house = House::start(ground(&context, &self.shutdown), lock).await?;
                let measured = match target(&house, &place.path) {
                    Ok(target) => self.drive(row, target).await,
                    Err(failure) => Err(failure),
                };
                // What is under way when the load ends is of no interest.
                let _report = house.stop().await;
                measured
            }
        }
    }

    /// Drives a server from the threads of the load.
    async fn drive(&self, row: &Row, target: Target) -> Result<Measured, Failure> {
        let clock = Arc::clone(&self.context.clock);
        let before = cpu_times();
        let driven = bench::drive(row.work, target, self.span, clock);
        let driven = self.load.spawn(driven);
        // The run ends with its task, and the task with the runtime of the load.
        let run = tokio::select! {
            run = driven => run.map_err(|error| Failure::refused(error.to_string()))??,
            () = self.shutdown.requested() => {
                return Err(Failure::refused("stopped before the end"));
            }
        };
        let used = match (before, cpu_times()) {
            (Some(before), Some(after)) => Some(between(&before, &after)),
            _ => None,
        };
        Ok(Measured {
            run,
            cpu: CpuTime(used),
        })
    }
}

fn target(house: &House, data: &Path) -> Result<Target, Failure> {
    let path = data.join(KEY_FILE);
    let key = read_line(&path)
        .ok_or_else(|| Failure::refused(format!("{} has no key", data.display())))?;
    let address = house.url.socket_addrs(|| None).ok();
    let address = address.and_then(|found| found.first().copied());
    let address =
        address.ok_or_else(|| Failure::refused(format!("no address in {}", house.url)))?;
    Ok(Target::broker(address, key))
}

/// The same failure, saying what was measured.
fn named(row: &Row, failure: Failure) -> Failure {
    let Some(said) = failure.said() else {
        return failure;
    };
    let named = Failure::refused(format!("measure {}: {}", row.name, said.message));
    match &said.hint {
        Some(hint) => named.hint(hint.clone()),
        None => named,
    }
}

/// Nanoseconds of CPU time of every thread of this process but those of the load, by thread; none where the system
/// does not tell.
fn cpu_times() -> Option<HashMap<OsString, u64>> {
    let mut times = HashMap::new();
    for task in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.trim_end() == LOAD_THREADS {
            continue;
        }
        // A thread may end between two looks.
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let first = text.split(' ').next();
        let used = first.and_then(|word| word.parse().ok()).unwrap_or(0);
        times.insert(task.file_name(), used);
    }
    Some(times)
}

/// What was used between two looks. A thread that has ended since, as idle ones do, takes back nothing of what
/// the others used.
fn between(before: &HashMap<OsString, u64>, after: &HashMap<OsString, u64>) -> Duration {
    let used = after.iter().map(|(thread, used)| {
        let earlier = before.get(thread).copied().unwrap_or(0);
        used.saturating_sub(earlier)
    });
    Duration::from_nanos(used.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_has_ended_takes_back_nothing_of_what_the_others_used() {
        let times = |all: &[(&str, u64)]| {
            let all = all
                .iter()
                .map(|(thread, used)| (OsString::from(thread), *used));
            all.collect::<HashMap<_, _>>()
        };
        let before = times(&[("1", 500), ("2", 9_000)]);
        let after = times(&[("1", 800), ("3", 40)]);
        assert_eq!(between(&before, &after), Duration::from_nanos(340));
    }
}
