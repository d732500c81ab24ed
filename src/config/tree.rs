//! The typed tree, and how it is filled from checked values.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::Setting;
use super::header::{Header, header};
use super::mail::Mail;
use super::notices::Notices;
use super::sections::{console, http, limits, stream};
use super::value::{Secret, Value};
use crate::domain::time::Span;

/// Everything that can be set, once and for the whole process.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory that holds everything of this broker.
    pub data: PathBuf,
    /// Where the HTTP API listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Name of the one organisation.
    pub org: String,
    /// Name of the one workspace.
    pub workspace: String,
    /// Refuse intents to addresses without an account.
    pub is_strict_about_addresses: bool,
    /// Attempts of an intent that does not say.
    pub max_delivery_attempts: u32,
    /// How long a receiver may hold an attempt without a result.
    pub ack_timeout: Span,
    /// How long the console holds a decision or replay.
    pub undo_hold: Span,
    /// Encrypted listening.
    pub tls: Tls,
    /// Which environment this is.
    pub env: Environment,
    /// Deadline of an intent that has none; zero means none.
    pub default_ttl: Span,
    /// The stream binding.
    pub stream: Stream,
    /// Retries of the stream and poll bindings.
    pub retry: Retry,
    /// The http binding.
    pub http: Http,
    /// Forms that published clients rely on.
    pub compat: Compat,
    /// Upper bounds.
    pub limits: Limits,
    /// How long a repeated request gets the first answer.
    pub idempotency_retention: Span,
    /// How long what is finished stays.
    pub retention: Retention,
    /// Liveness of agents.
    pub mesh: Mesh,
    /// Dead letters within an hour beyond which the operator is told; zero is never.
    pub letters_per_hour_max: u32,
    /// Mail to people.
    pub mail: Mail,
    /// Serve `/metrics` without a key.
    pub is_metrics_public: bool,
    /// Names of fields that are masked, besides the usual names of secrets.
    pub redact_keys: Vec<String>,
    /// The memory that survives.
    pub store: Store,
    /// Time for work in flight when stopping.
    pub shutdown_grace: Span,
    /// The terminal console.
    pub console: Console,
    /// Limits of its header.
    pub header: Header,
    /// What is logged.
    pub log_filter: String,
    /// Each value as it was set, and where it came from.
    pub(super) settings: Vec<Setting>,
}

/// Encrypted listening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Certificate chain, PEM.
    pub cert: Option<PathBuf>,
    /// Private key, PEM.
    pub key: Option<PathBuf>,
}

/// Which environment this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Label in the console's header; empty for none.
    pub name: String,
    /// Acts on many ask for their count, however few they are.
    pub is_protected: bool,
}

/// Whose windows end 80 ms after their first rows or events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlyClose {
    /// For the clients that need it.
    Auto,
    /// For every client.
    Always,
    /// For none.
    Never,
}

/// The stream binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Unacknowledged intents per connection.
    pub credit: u32,
    /// Pause after which a silent stream gets a comment.
    pub keepalive: Span,
    /// Whose windows end after their first rows or events.
    pub early_close: EarlyClose,
    /// How long a listener from zero is the only one before it takes over what another left.
    pub alone: Span,
    /// How long nobody takes over anything after two were seen at once.
    pub company: Span,
}

/// Retries of the stream and poll bindings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Delay after the first failed attempt; doubles with each.
    pub base: Span,
    /// The longest delay.
    pub max: Span,
    /// Spread of every delay to either side, in percent; of all bindings.
    pub jitter_percent: u32,
}

/// The http binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Delays after attempt 1, 2, 3, ...; the last repeats. Never empty.
    pub retry_delays: Vec<Span>,
    /// The longest `Retry-After` that is obeyed.
    pub retry_after_max: Span,
    /// A plain 4xx ends the intent at once.
    pub is_4xx_permanent: bool,
    /// Time to connect.
    pub connect_timeout: Span,
    /// Time of the whole call.
    pub timeout: Span,
    /// How much of a response is read.
    pub response_bytes_max: usize,
    /// Hosts and networks that may be called although private.
    pub allow: Vec<String>,
    /// Hosts and networks that may not be called.
    pub deny: Vec<String>,
    /// Authorities that are trusted besides those of the system.
    pub ca_cert: Option<PathBuf>,
    /// Shown to receivers that ask for a certificate; both or neither.
    pub client_cert: Option<PathBuf>,
    /// Private key of `client_cert`.
    pub client_key: Option<PathBuf>,
    /// Signing secret of agents that have none.
    pub default_secret: Secret,
    /// Calls in flight over all endpoints.
    pub slots: usize,
    /// Calls in flight to one endpoint at the start.
    pub per_endpoint_max: usize,
}

/// Forms that published clients rely on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compat {
    /// Answer an intent's fields at the top as well.
    pub is_intent_flat: bool,
    /// `since` of an intent's events includes that number.
    pub is_since_inclusive: bool,
}

/// Upper bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest payload.
    pub payload_bytes: usize,
    /// Largest request body.
    pub body_bytes: usize,
    /// Results of a run's steps together, and what a step is given beside the payload.
    pub run_bytes: usize,
    /// What changes of controls and policy say of one intent.
    pub controls_bytes: usize,
    /// Requests per key and minute; 0 is off.
    pub requests_per_minute: u32,
    /// Open connections.
    pub connections_max: usize,
    /// Streams per key and kind that are served at once.
    pub streams_per_key_max: usize,
    /// How often a stream of events beyond that looks for news.
    pub crowded_look: Span,
    /// How long a kept connection may be without a request.
    pub idle: Span,
    /// Head of a request: what is larger by more than one reading is refused.
    pub header_bytes: usize,
    /// Time to send the head of a request.
    pub header_read: Span,
    /// Time to send the whole body.
    pub body_read: Span,
    /// Commands waiting for the writer.
    pub commit_queue: usize,
    /// Commands in one commit.
    pub batch_commands_max: usize,
    /// Bytes in one commit.
    pub batch_bytes_max: usize,
    /// How long a request waits for a place in the queue.
    pub busy_wait: Span,
    /// How long work may stand still before the broker says that it is not ready.
    pub stall: Span,
}

/// How long what is finished stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Finished intents.
    pub finished: Span,
    /// Dead letters.
    pub dead_letter: Span,
    /// Audit entries.
    pub audit: Span,
    /// Finished jobs.
    pub jobs: Span,
}

/// Liveness of agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mesh {
    /// Silence after which an agent is degraded.
    pub degraded: Span,
    /// Silence after which an agent is unreachable.
    pub unreachable: Span,
    /// Hold deliveries to unreachable agents.
    pub is_unreachable_held: bool,
}

/// Which memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// On disk.
    Sqlite,
    /// Dies with the process.
    Memory,
}

/// The memory that survives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Which one.
    pub kind: StoreKind,
    /// Read-only connections.
    pub readers: usize,
    /// Page cache of each connection.
    pub cache_bytes: usize,
    /// Free bytes below which new intents are refused.
    pub disk_low_bytes: u64,
    /// Pause between two looks at the free bytes.
    pub disk_check: Span,
}

/// Which signs the console draws with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// By the locale and the terminal.
    Auto,
    /// Lines, blocks and dots.
    Unicode,
    /// Plain signs.
    Ascii,
}

/// The terminal console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// Name of the theme.
    pub theme: String,
    /// Which signs.
    pub glyphs: Glyphs,
    /// Words for screen readers instead of boxes and bars.
    pub is_plain: bool,
    /// Clicks and wheel.
    pub is_mouse_on: bool,
    /// What is told without being asked.
    pub notices: Notices,
    /// Most bytes of the record of a session.
    pub record_bytes_max: u64,
}

/// Hands out checked values by key. The table and the tree are held together by a test: every key
/// is taken exactly once, with the type of its kind.
#[derive(Debug)]
pub(super) struct Values<'a> {
    values: BTreeMap<&'static str, &'a Value>,
    /// Keys that the tree asked for in vain; empty when table and tree agree.
    pub(super) missed: Vec<&'static str>,
}

impl<'a> Values<'a> {
    pub(super) fn new(settings: &'a [Setting]) -> Self {
        let values = settings
            .iter()
            .map(|setting| (setting.entry.key, &setting.value))
            .collect();
        Self {
            values,
            missed: Vec::new(),
        }
    }

    /// Keys that no field of the tree took.
    #[cfg(test)]
    pub(super) fn rest(&self) -> Vec<&'static str> {
        self.values.keys().copied().collect()
    }

    fn take<T>(&mut self, key: &'static str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let found = self.values.remove(key).and_then(read);
        if found.is_none() {
            self.missed.push(key);
        }
        found
    }

    pub(super) fn text(&mut self, key: &'static str) -> String {
        self.take(key, |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
        .unwrap_or_default()
    }

    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.take(key, |value| match value {
            Value::Path(path) => Some(path.clone()),
            _ => None,
        })
        .flatten()
    }

    fn address(&mut self, key: &'static str) -> SocketAddr {
        self.take(key, |value| match value {
            Value::Listen(address) => Some(*address),
            _ => None,
        })
        .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        self.take(key, |value| match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        })
        .unwrap_or_default()
    }

    /// A number or percentage; one that does not fit counts as missed.
    pub(super) fn number<T: TryFrom<u64> + Default>(&mut self, key: &'static str) -> T {
        self.take(key, |value| match value {
            Value::Number(number) => T::try_from(*number).ok(),
            Value::Percent(percent) => T::try_from(u64::from(*percent)).ok(),
            _ => None,
        })
        .unwrap_or_default()
    }

    pub(super) fn span(&mut self, key: &'static str) -> Span {
        self.take(key, |value| match value {
            Value::Time(span) => Some(*span),
            _ => None,
        })
        .unwrap_or_default()
    }

    pub(super) fn spans(&mut self, key: &'static str) -> Vec<Span> {
        self.take(key, |value| match value {
            Value::Times(spans) => Some(spans.clone()),
            _ => None,
        })
        .unwrap_or_default()
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Vec<String> {
        self.take(key, |value| match value {
            Value::Texts(texts) => Some(texts.clone()),
            _ => None,
        })
        .unwrap_or_default()
    }
}

impl Config {
    /// Fills the tree. `default_data` is used when no directory is set.
    pub(super) fn build(values: &mut Values<'_>, default_data: PathBuf) -> Self {
        Self {
            data: values.path("data").unwrap_or(default_data),
            listen: values.address("listen"),
            org: values.text("org"),
            workspace: values.text("workspace"),
            is_strict_about_addresses: values.flag("strict_addresses"),
            max_delivery_attempts: values.number("max_delivery_attempts"),
            ack_timeout: values.span("ack_timeout_seconds"),
            undo_hold: values.span("undo_hold_seconds"),
            tls: Tls {
                cert: values.path("tls.cert"),
                key: values.path("tls.key"),
            },
            env: Environment {
                name: values.text("env.name"),
                is_protected: values.flag("env.is_protected"),
            },
            default_ttl: values.span("intents.default_ttl_seconds"),
            stream: stream(values),
            retry: Retry {
                base: values.span("retry.stream_base_ms"),
                max: values.span("retry.stream_max_ms"),
                jitter_percent: values.number("retry.jitter"),
            },
            http: http(values),
            compat: Compat {
                is_intent_flat: values.flag("compat.flat_intent"),
                is_since_inclusive: values.flag("compat.watch_inclusive_since"),
            },
            limits: limits(values),
            idempotency_retention: values.span("idempotency.retention_hours"),
            retention: Retention {
                finished: values.span("retention.finished_days"),
                dead_letter: values.span("retention.dead_letter_days"),
                jobs: values.span("retention.job_days"),
                audit: values.span("retention.audit_days"),
            },
            letters_per_hour_max: values.number("dead_letters.alarm_per_hour"),
            mesh: Mesh {
                degraded: values.span("mesh.degraded_seconds"),
                unreachable: values.span("mesh.unreachable_seconds"),
                is_unreachable_held: values.flag("mesh.hold_unreachable"),
            },
            mail: Mail::read(values),
            is_metrics_public: values.flag("metrics.public"),
            redact_keys: values.texts("redact.keys"),
            store: Store {
                kind: match values.text("store.kind").as_str() {
                    "memory" => StoreKind::Memory,
                    _ => StoreKind::Sqlite,
                },
                readers: values.number("store.readers"),
                cache_bytes: values.number("store.cache_bytes"),
                disk_low_bytes: values.number("store.disk_low_bytes"),
                disk_check: values.span("store.disk_check_seconds"),
            },
            shutdown_grace: values.span("shutdown.grace_seconds"),
            console: console(values),
            header: header(values),
            log_filter: values.text("log.filter"),
            settings: Vec::new(),
        }
    }
}
