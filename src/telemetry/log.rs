//! Log lines: to a file or to stderr, and to the ring behind the log view.

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::clock::Clock;
use crate::domain::time::Timestamp;

/// Files kept besides the current one: a week of looking back.
const FILES_MAX: usize = 7;

/// Lines waiting for the disk or the pipe before further ones are dropped.
const WAITING_LINES_MAX: usize = 8192;

/// Characters of one line that the ring keeps.
const RING_LINE_CHARS_MAX: usize = 2000;

/// Where log lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// Files in this directory, a new one each day.
    Directory(PathBuf),
    /// Standard error, for `serve` under a service manager.
    Stderr,
}

/// Keeps the writing thread alive; dropping it writes what still waits.
#[derive(Debug)]
#[must_use = "log lines are lost once this is dropped"]
pub struct LogGuard {
    _worker: WorkerGuard,
}

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not one.
    #[error("log filter {filter:?}: {source}")]
    Filter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// The directory cannot be used.
    #[error("log directory {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: InitError,
    },
    /// Logging was started before.
    #[error("start logging a second time in one process")]
    AlreadyStarted,
}

/// Starts logging for the whole process.
///
/// # Errors
/// [`LogError`] names the filter or the directory.
pub fn start(
    filter: &str,
    target: &LogTarget,
    ring: &LogRing,
    clock: &Arc<dyn Clock>,
) -> Result<LogGuard, LogError> {
    let (subscriber, guard) = subscriber(filter, target, ring, clock)?;
    // The error carries nothing but that it is set already.
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_already| LogError::AlreadyStarted)?;
    Ok(guard)
}

fn subscriber(
    filter: &str,
    target: &LogTarget,
    ring: &LogRing,
    clock: &Arc<dyn Clock>,
) -> Result<(impl Subscriber + Send + Sync, LogGuard), LogError> {
    let directives = EnvFilter::builder().parse(filter);
    let directives = directives.map_err(|source| LogError::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    let (writer, worker) = match target {
        LogTarget::Directory(path) => {
            let appender = RollingFileAppender::builder()
                .rotation(Rotation::DAILY)
                .filename_prefix("postroom")
                .filename_suffix("log")
                .max_log_files(FILES_MAX)
                .build(path);
            non_blocking(appender.map_err(|source| LogError::Directory {
                path: path.clone(),
                source,
            })?)
        }
        LogTarget::Stderr => non_blocking(std::io::stderr()),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_timer(ClockTime(Arc::clone(clock)));
    let ring = RingLayer {
        ring: ring.clone(),
        clock: Arc::clone(clock),
    };
    let subscriber = tracing_subscriber::registry()
        .with(directives)
        .with(lines)
        .with(ring);
    Ok((subscriber, LogGuard { _worker: worker }))
}

fn non_blocking(writer: impl std::io::Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING_LINES_MAX)
        .lossy(true)
        .thread_name("log")
        .finish(writer)
}

struct ClockTime(Arc<dyn Clock>);

impl FormatTime for ClockTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", self.0.now())
    }
}

/// One line of the log view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Consecutive from 1, so that a reader sees what it missed.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// How grave.
    pub level: Level,
    /// The module it comes from.
    pub target: String,
    /// The message and its fields.
    pub text: String,
}

/// The newest lines, bounded. Clones share it.
#[derive(Debug, Clone)]
pub struct LogRing {
    shared: Arc<Mutex<Ring>>,
}

#[derive(Debug)]
struct Ring {
    lines: VecDeque<Arc<LogLine>>,
    lines_max: usize,
    written: u64,
}

impl LogRing {
    /// An empty ring for `lines_max` lines, at least one.
    #[must_use]
    pub fn new(lines_max: usize) -> Self {
        let ring = Ring {
            lines: VecDeque::new(),
            lines_max: lines_max.max(1),
            written: 0,
        };
        Self {
            shared: Arc::new(Mutex::new(ring)),
        }
    }

    /// The lines after `number` that are still there, oldest first, and the number of the newest.
    #[must_use]
    pub fn after(&self, number: u64) -> (Vec<Arc<LogLine>>, u64) {
        let ring = self.shared.lock();
        let lines = ring.lines.iter().filter(|line| line.number > number);
        (lines.cloned().collect(), ring.written)
    }

    fn push(&self, at: Timestamp, level: Level, target: &str, text: String) {
        let mut ring = self.shared.lock();
        ring.written = ring.written.saturating_add(1);
        let line = LogLine {
            number: ring.written,
            at,
            level,
            target: target.to_owned(),
            text,
        };
        if ring.lines.len() >= ring.lines_max {
            ring.lines.pop_front();
        }
        ring.lines.push_back(Arc::new(line));
    }
}

struct RingLayer {
    ring: LogRing,
    clock: Arc<dyn Clock>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for RingLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut text = LineText::default();
        event.record(&mut text);
        let metadata = event.metadata();
        self.ring.push(
            self.clock.now(),
            *metadata.level(),
            metadata.target(),
            text.finish(),
        );
    }
}

/// The message first, then `name=value` of each field.
#[derive(Debug, Default)]
struct LineText {
    message: String,
    fields: Vec<String>,
}

impl LineText {
    fn finish(self) -> String {
        let mut parts = vec![self.message];
        parts.extend(self.fields);
        let text = parts.join(" ");
        text.trim_start()
            .chars()
            .take(RING_LINE_CHARS_MAX)
            .collect()
    }
}

impl Visit for LineText {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.fields.push(format!("{}={value:?}", field.name()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn clock() -> Arc<dyn Clock> {
        Arc::new(ManualClock::at(Timestamp::from_millis(1_775_901_600_000)))
    }

    #[test]
    fn lines_reach_the_file_and_the_ring_with_the_time_of_the_clock() {
        let directory = tempfile::tempdir().unwrap();
        let target = LogTarget::Directory(directory.path().join("log"));
        let ring = LogRing::new(2);
        let (subscriber, guard) = subscriber("info", &target, &ring, &clock()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("first");
            tracing::debug!("filtered");
            tracing::warn!(attempt = 3, agent = "orders", "second");
            tracing::error!("third");
        });
        drop(guard);
        let (lines, newest) = ring.after(0);
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["second attempt=3 agent=\"orders\"", "third"]);
        assert_eq!((lines[0].number, newest), (2, 3));
        assert_eq!(lines[1].level, Level::ERROR);
        assert_eq!(ring.after(2).0.len(), 1);
        let file = std::fs::read_dir(directory.path().join("log"))
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.starts_with("2026-04-11T10:00:00.000Z  INFO"), "{text}");
    }

    #[test]
    fn a_wrong_filter_and_an_unusable_directory_are_named() {
        let ring = LogRing::new(1);
        let wrong = subscriber("postroom=loud", &LogTarget::Stderr, &ring, &clock());
        let message = wrong.err().unwrap().to_string();
        assert!(
            message.starts_with("log filter \"postroom=loud\": "),
            "{message}"
        );
        let target = LogTarget::Directory(PathBuf::from("/dev/null/log"));
        let wrong = subscriber("info", &target, &ring, &clock());
        let message = wrong.err().unwrap().to_string();
        assert!(
            message.starts_with("log directory /dev/null/log: "),
            "{message}"
        );
    }
}
