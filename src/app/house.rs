//! A running broker: every room from the store to the doors, and their orderly end.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::first::{self, Operator};
use crate::api::tls::Tls;
use crate::api::{self, ApiParts};
use crate::bindings::guard::Guard;
use crate::bindings::http::{self, DispatcherConfig, Pusher, PusherConfig, Redactor};
use crate::bindings::mail::{self, Links, MailConfig, Reach};
use crate::broker::request::BrokerError;
use crate::broker::vitals::RoomSettings;
use crate::broker::webhooks::{Subject, WebhookEvent};
use crate::broker::{self, Broker};
use crate::cli::failure::Failure;
use crate::clock::{Clock, Entropy, Mono};
use crate::config::{Config, StoreKind};
use crate::shutdown::{Shutdown, StopOrder, StopReport, Tasks};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::memory::MemoryStore;
use crate::store::sqlite::recover::DirectoryLock;
use crate::store::sqlite::{self, SqliteStore, Ticks};
use crate::wire;

/// Commits that a subscriber of the bus may lag behind.
const BUS_LAG_MAX: usize = 4096;
/// The file of the store in the data directory.
pub(super) const STORE_FILE: &str = "postroom.db";
/// The least time a step of stopping gets.
const STEP_MIN: Duration = Duration::from_millis(200);

/// A running broker.
#[derive(Debug)]
pub(super) struct House {
    pub(super) broker: Broker,
    /// Where it is reached.
    pub(super) url: Url,
    pub(super) operator: Operator,
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    shutdown: Shutdown,
    doors: Tasks,
    bindings: Tasks,
    core: Tasks,
    lock: DirectoryLock,
}

/// What a house is built from.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) config: Arc<Config>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) shutdown: Shutdown,
}

/// Takes the data directory; none when another process has it.
pub(super) fn take(data: &Path) -> Result<Option<DirectoryLock>, Failure> {
    first::directory(data)?;
    match DirectoryLock::take(data) {
        Ok(lock) => Ok(Some(lock)),
        Err(StoreError::Taken { .. }) => Ok(None),
        Err(error) => Err(Failure::refused(error.to_string())),
    }
}

impl House {
    /// Starts every room from left to right.
    pub(super) async fn start(ground: Ground, lock: DirectoryLock) -> Result<Self, Failure> {
        let Ground {
            config,
            clock,
            entropy,
            shutdown,
        } = ground;
        for warning in config.warnings() {
            tracing::warn!("{warning}");
        }
        let tls = match (&config.tls.cert, &config.tls.key) {
            (Some(cert), Some(key)) => {
                Some(Tls::load(cert, key).map_err(|error| Failure::refused(error.to_string()))?)
            }
            _ => None,
        };
        let mail = MailConfig::of(&config).map_err(|error| Failure::usage(error.to_string()))?;
        let listener = listen(&config)?;
        let store = open_store(&config, &clock)?;
        let core = shutdown.tasks("broker");
        let settings = broker_settings(&config, entropy.as_ref());
        let reach = reach(&config, mail.as_ref(), entropy.as_ref())?;
        let broker = Broker::start(store, settings, Arc::clone(&clock), entropy, &core)
            .await
            .map_err(|error| unusable(&config, &error))?;
        let operator = first::operator(&broker, &config.data).await?;

        let bindings = shutdown.tasks("bindings");
        let guard = Guard::of(&config).map_err(|error| Failure::usage(error.to_string()))?;
        let pusher = PusherConfig::of(&config, Arc::new(guard));
        let pusher = Pusher::new(pusher, Arc::clone(&clock))
            .map_err(|error| Failure::refused(error.to_string()))?;
        let dispatch = DispatcherConfig::of(&config);
        http::start(broker.clone(), pusher, dispatch, &bindings);
        if let (Some(mail), Some(reach)) = (mail, &reach) {
            mail::start(broker.clone(), mail, reach, &bindings)
                .map_err(|error| Failure::usage(error.to_string()))?;
        }

        let doors = shutdown.tasks("doors");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let parts = ApiParts {
            broker: broker.clone(),
            settings: api::Settings {
                tls,
                reach,
                ..api_settings(&config)
            },
            listener,
        };
        let address = api::serve(parts, &doors)
            .map_err(|error| Failure::refused(format!("listen on {}: {error}", config.listen)))?;
        let url = format!("{scheme}://{address}");
        first::write_address(&config.data, &url)?;
        tracing::info!(%url, data = %config.data.display(), "ready");
        Ok(Self {
            url: crate::cli::place::parse_url(&url)?,
            broker,
            operator,
            config,
            clock,
            shutdown,
            doors,
            bindings,
            core,
            lock,
        })
    }

    /// Stops every room from right to left within `shutdown.grace_seconds`.
    pub(super) async fn stop(self) -> StopReport {
        let end = self
            .clock
            .elapsed()
            .after(self.config.shutdown_grace.to_std());
        let share = |parts: u32| {
            self.left(end)
                .checked_div(parts)
                .unwrap_or_default()
                .max(STEP_MIN)
        };
        let mut order = StopOrder::new(&self.shutdown, Arc::clone(&self.clock));
        order.tasks(&self.doors, share(3)).await;
        first::remove_address(&self.config.data);
        order.tasks(&self.bindings, share(2)).await;
        order.step("writer", share(1), self.broker.stop()).await;
        // The store closes with the writer's thread.
        order.tasks(&self.core, share(1)).await;
        drop(self.lock);
        order.finish()
    }

    fn left(&self, end: Mono) -> Duration {
        end.since(self.clock.elapsed())
    }
}

fn listen(config: &Config) -> Result<TcpListener, Failure> {
    let fault = |error: std::io::Error| {
        Failure::refused(format!("listen on {}: {error}", config.listen))
            .hint("choose another with --listen HOST:PORT; port 0 picks a free one")
    };
    let listener = TcpListener::bind(config.listen).map_err(fault)?;
    listener.set_nonblocking(true).map_err(fault)?;
    Ok(listener)
}

/// Links for people, when mail is on.
fn reach(
    config: &Config,
    mail: Option<&MailConfig>,
    entropy: &dyn Entropy,
) -> Result<Option<Reach>, Failure> {
    let Some(mail) = mail else {
        return Ok(None);
    };
    let key = first::link_key(&config.data, entropy)?;
    Ok(Some(Reach {
        links: Arc::new(Links::new(key, mail.lifetime)),
        stats: Arc::default(),
        masks: Arc::new(Redactor::new(&config.redact_keys)),
    }))
}

fn open_store(config: &Config, clock: &Arc<dyn Clock>) -> Result<Box<dyn Store>, Failure> {
    if config.store.kind == StoreKind::Memory {
        return Ok(Box::new(MemoryStore::new()));
    }
    let clock = Arc::clone(clock);
    let cache_kib = u32::try_from(config.store.cache_bytes / 1024).unwrap_or(u32::MAX);
    let settings = sqlite::Settings {
        writer_cache_kib: cache_kib,
        reader_cache_kib: cache_kib,
        ticks: Some(Ticks(Arc::new(move || clock.elapsed().as_millis()))),
        ..sqlite::Settings::default()
    };
    let store = SqliteStore::open(&config.data.join(STORE_FILE), settings)
        .map_err(|error| unusable(config, &BrokerError::Store(error)))?;
    Ok(Box::new(store))
}

/// The store cannot be used: which file, and what one can do.
fn unusable(config: &Config, error: &BrokerError) -> Failure {
    let file = config.data.join(STORE_FILE).display().to_string();
    let said = error.to_string();
    let is_named = config.store.kind == StoreKind::Memory || said.contains(&file);
    let failure = Failure::refused(if is_named {
        said
    } else {
        format!("open store {file}: {said}")
    });
    let hint = match error {
        BrokerError::Store(StoreError::TooNew { .. }) => return failure,
        BrokerError::Store(StoreError::Full) => {
            "make room on its disk and start again: nothing in it is lost"
        }
        _ => {
            "`postroom verify` says what is wrong with it; `postroom restore BACKUP` makes it anew \
             from a backup once the file is moved away"
        }
    };
    failure.hint(hint)
}

fn broker_settings(config: &Config, entropy: &dyn Entropy) -> broker::Settings {
    broker::Settings {
        policy: config.policy(),
        queue_max: config.limits.commit_queue,
        batch_commands_max: config.limits.batch_commands_max,
        batch_bytes_max: config.limits.batch_bytes_max,
        busy_wait: config.limits.busy_wait.to_std(),
        bus_lag_max: BUS_LAG_MAX,
        readers: config.store.readers,
        room: RoomSettings {
            low_bytes: config.store.disk_low_bytes,
            check_every: config.store.disk_check.to_std(),
        },
        fresh_ids: (fresh_uuid(entropy), fresh_uuid(entropy)),
        webhook_words: |event| {
            let WebhookEvent {
                id,
                event_type,
                owner,
                subject,
            } = *event;
            match subject {
                Subject::Intent { fact, intent } => {
                    wire::webhooks::told(id, event_type, owner, fact, intent)
                }
                Subject::House(news) => wire::webhooks::news(id, owner, news),
            }
        },
    }
}

fn fresh_uuid(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn api_settings(config: &Config) -> api::Settings {
    api::Settings {
        // The door's share of the time that stopping may take.
        grace: config
            .shutdown_grace
            .to_std()
            .checked_div(3)
            .unwrap_or_default(),
        ..api::Settings::of(config)
    }
}
