//! The HTTP door: routes, who may use them, and streams.
//!
//! 1. One request is one command, or one read: a client that vanishes has either acted or not.
//! 2. Every answer is a JSON object in the documented shape, errors and faults included; a stream
//!    ends cleanly whatever happens here.
//! 3. What is none of a caller's business does not exist for it.
//! 4. A key is looked up by its hash and can be revoked under a running stream.
//! 5. Overload never answers a receiver's stream with an error: it is held.
//!
//! Not here: how bodies look (`wire`), what may happen (`engine`), when it is true (`broker`).
//! Tested by `tests/api` over real connections, against a real broker.

mod accounts;
mod agents;
mod answer;
mod attempts;
mod audit;
mod auth;
mod call;
mod controls;
mod dead_letters;
mod deliveries;
mod events;
mod feed;
mod first_start;
mod health;
mod holds;
mod inbox;
mod intents;
mod jobs;
mod leases;
mod limits;
mod line;
mod mcp;
mod mesh;
mod metrics;
mod moves;
mod openapi;
mod overview;
mod page;
mod policy;
mod poll;
mod replies;
mod routes;
mod scenarios;
mod scheduler;
mod schemas;
mod sse;
mod stream;
mod submit;
mod tasks;
pub mod tls;
mod unread;
mod unsupported;
mod webhooks;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::api::limits::{Gate, Usage};
use crate::api::metrics::HttpCounters;
use crate::api::replies::Replies;
use crate::api::tls::Tls;
use crate::bindings::guard::{Guard, Policy};
use crate::bindings::mail::Reach;
use crate::broker::Broker;
use crate::config::{self, Config};
use crate::domain::address::Address;
use crate::domain::fact::FeedEntry;
use crate::domain::key::KeyHash;
use crate::shutdown::Tasks;

pub use crate::api::auth::{NewToken, hash_token, new_token};
pub use crate::api::first_start::first_start;
pub use crate::api::routes::router;

/// The numbers of the door. The defaults are the contract's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Most bytes of a request body.
    pub body_bytes_max: usize,
    /// Most bytes of a batch.
    pub batch_bytes_max: usize,
    /// Most bytes of a payload as compact JSON.
    pub payload_bytes_max: usize,
    /// Largest head of a request; up to one reading of the connection more is taken.
    pub head_bytes_max: usize,
    /// How long a request body may take to arrive.
    pub body_wait: Duration,
    /// How long a connection may wait between requests, and a request's head may take.
    pub idle_wait: Duration,
    /// How long the first request of a connection may take to arrive.
    pub first_request_wait: Duration,
    /// How long open requests may take once the door closes.
    pub grace: Duration,
    /// Most connections at once.
    pub connections_max: usize,
    /// Most streams of one key and kind that are served at once; further ones stand in line.
    pub streams_per_key_max: usize,
    /// How often a stream of events that stands in line looks for news.
    pub crowded_look: Duration,
    /// Most requests of one key in a minute; zero is no limit.
    pub requests_per_minute: u32,
    /// Unfinished rows of one stream when neither the agent nor the request says.
    pub stream_credit: u32,
    /// Silence on a stream after which a comment is sent.
    pub keepalive: Duration,
    /// When the window of a stream ends after the first rows.
    pub early_close: EarlyClose,
    /// Whether an intent's answer repeats seven keys at the top level.
    pub is_flat_intent: bool,
    /// Whether one reader's inclusive `since` is understood.
    pub is_watch_inclusive: bool,
    /// Whether only registered addresses can be sent to.
    pub is_strict: bool,
    /// Whether metrics need no key.
    pub is_metrics_public: bool,
    /// The label of the environment, for consoles; empty when there is none.
    pub environment: String,
    /// True when consoles ask for the count of every act on many.
    pub is_protected: bool,
    /// Which callback URLs an account may have.
    pub guard: Guard,
    /// How late the engine may be before the broker says that it is not ready.
    pub lag_max: Duration,
    /// What connections are encrypted with; none for plain HTTP.
    pub tls: Option<Tls>,
    /// Links to the page that decides, and how the mails with them do; none while mail is off.
    pub reach: Option<Reach>,
}

/// When the window of a stream ends after the first rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlyClose {
    /// For clients that read to the end before they parse.
    Auto,
    /// For everybody.
    Always,
    /// For nobody.
    Never,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_bytes_max: 1024 * 1024,
            head_bytes_max: 64 * 1024,
            batch_bytes_max: 8 * 1024 * 1024,
            payload_bytes_max: 128 * 1024,
            body_wait: Duration::from_secs(30),
            idle_wait: Duration::from_secs(75),
            first_request_wait: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            connections_max: 1024,
            streams_per_key_max: 64,
            crowded_look: Duration::from_secs(1),
            requests_per_minute: 0,
            stream_credit: 16,
            keepalive: Duration::from_secs(8),
            early_close: EarlyClose::Auto,
            is_flat_intent: true,
            is_watch_inclusive: true,
            is_strict: false,
            is_metrics_public: false,
            environment: String::new(),
            is_protected: false,
            guard: Guard::new(Policy {
                is_private_allowed: true,
                ..Policy::default()
            }),
            lag_max: Duration::from_secs(30),
            tls: None,
            reach: None,
        }
    }
}

impl Settings {
    /// The numbers of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            body_bytes_max: config.limits.body_bytes,
            payload_bytes_max: config.limits.payload_bytes,
            body_wait: config.limits.body_read.to_std(),
            head_bytes_max: config.limits.header_bytes,
            first_request_wait: config.limits.header_read.to_std(),
            grace: config.shutdown_grace.to_std(),
            connections_max: config.limits.connections_max,
            lag_max: config.limits.stall.to_std(),
            streams_per_key_max: config.limits.streams_per_key_max,
            crowded_look: config.limits.crowded_look.to_std(),
            idle_wait: config.limits.idle.to_std(),
            requests_per_minute: config.limits.requests_per_minute,
            stream_credit: config.stream.credit,
            keepalive: config.stream.keepalive.to_std(),
            early_close: match config.stream.early_close {
                config::EarlyClose::Auto => EarlyClose::Auto,
                config::EarlyClose::Always => EarlyClose::Always,
                config::EarlyClose::Never => EarlyClose::Never,
            },
            is_flat_intent: config.compat.is_intent_flat,
            is_watch_inclusive: config.compat.is_since_inclusive,
            is_strict: config.is_strict_about_addresses,
            is_metrics_public: config.is_metrics_public,
            environment: config.env.name.clone(),
            is_protected: config.env.is_protected,
            // Rules that cannot be read have ended the start before this.
            guard: Guard::of(config).unwrap_or_default(),
            ..Self::default()
        }
    }
}

/// What the door is built from.
#[derive(Debug)]
pub struct ApiParts {
    /// The broker behind it.
    pub broker: Broker,
    /// Its numbers.
    pub settings: Settings,
    /// Where it listens.
    pub listener: TcpListener,
}

/// What every handler holds. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    broker: Broker,
    settings: Settings,
    stop: CancellationToken,
    /// Changes when agents or keys do.
    changes: watch::Receiver<u64>,
    counters: HttpCounters,
    usage: Usage,
    replies: Replies,
}

impl Api {
    /// The state of a door. `tasks` is the set that streams end with.
    #[must_use]
    pub fn new(broker: Broker, settings: Settings, tasks: &Tasks) -> Self {
        let (sender, changes) = watch::channel(0);
        tasks.spawn(
            "key watch",
            watch_keys(broker.clone(), sender, tasks.token().clone()),
        );
        Self {
            inner: Arc::new(Inner {
                broker,
                settings,
                stop: tasks.token().clone(),
                changes,
                counters: HttpCounters::default(),
                usage: Usage::default(),
                replies: Replies::default(),
            }),
        }
    }

    fn broker(&self) -> &Broker {
        &self.inner.broker
    }

    fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    fn counters(&self) -> &HttpCounters {
        &self.inner.counters
    }

    fn is_stopping(&self) -> bool {
        self.inner.stop.is_cancelled()
    }

    /// True unless an agent with this address was killed.
    fn is_alive(&self, address: &Address) -> bool {
        self.broker()
            .registry()
            .agent(address)
            .is_none_or(|agent| agent.kill.is_none())
    }

    /// True while a key with this hash may be used.
    fn is_key_good(&self, hash: &KeyHash) -> bool {
        auth::caller(&self.inner.broker, hash).is_ok()
    }
}

/// Says that agents or keys changed, so that open streams look at theirs again.
async fn watch_keys(broker: Broker, changed: watch::Sender<u64>, stop: CancellationToken) {
    let mut bus = broker.subscribe();
    loop {
        // Cancel-safe: a broadcast's `recv` loses nothing when dropped.
        let is_change = tokio::select! {
            () = stop.cancelled() => return,
            published = bus.recv() => match published {
                Ok(published) => published.items.iter().any(|item| match &item.entry {
                    FeedEntry::Notice(notice) => {
                        notice.kind.starts_with("key.") || notice.kind.starts_with("agent.")
                    }
                    FeedEntry::Intent { .. } => false,
                }),
                Err(broadcast::error::RecvError::Lagged(_)) => true,
                Err(broadcast::error::RecvError::Closed) => return,
            },
        };
        if is_change {
            changed.send_modify(|generation| *generation = generation.wrapping_add(1));
        }
    }
}

/// Opens the door: answers with the bound address, serves until `tasks` stops.
///
/// # Errors
/// When the listener has no address.
pub fn serve(parts: ApiParts, tasks: &Tasks) -> std::io::Result<SocketAddr> {
    let ApiParts {
        broker,
        settings,
        listener,
    } = parts;
    let address = listener.local_addr()?;
    let grace = settings.grace;
    let (idle, first) = (settings.idle_wait, settings.first_request_wait);
    let head_bytes = settings.head_bytes_max;
    let (connections_max, tls) = (settings.connections_max, settings.tls.clone());
    let api = Api::new(broker, settings, tasks);
    let handle = axum_server::Handle::new();
    let closing = handle.clone();
    let stop = tasks.token().clone();
    tasks.spawn("door", async move {
        let gate = Gate {
            handle: handle.clone(),
            connections_max,
            tls,
            wait: first,
        };
        let mut server = match axum_server::from_tcp(listener) {
            Ok(server) => server
                .acceptor(gate)
                .handle(handle)
                .first_request_timeout(first),
            Err(error) => {
                tracing::error!(%error, "cannot listen");
                return;
            }
        };
        server
            .http_builder()
            .http1()
            .header_read_timeout(idle)
            .max_buf_size(head_bytes);
        let service = router(api).into_make_service();
        let served = server
            .http1_only()
            .accept_error_handler(|peer: Option<&SocketAddr>, error| {
                tracing::warn!(?peer, %error, "cannot accept a connection");
            })
            .serve(service)
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "door closed");
        }
    });
    tasks.spawn("door stop", async move {
        stop.cancelled().await;
        closing.graceful_shutdown(Some(grace));
    });
    Ok(address)
}
