//! The far end of the binding: one caller for each http agent, started and stopped as the registry
//! changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::endpoint::Endpoint;
use super::pusher::Pusher;
use crate::bindings::breaker::{Health, LIMIT_MAX};
use crate::broker::Broker;
use crate::broker::registry::Registry;
use crate::config::Config;
use crate::domain::address::Address;
use crate::domain::agent::{Agent, Binding, Secret};
use crate::shutdown::Tasks;

/// How often the registry is looked at when nothing else wakes the dispatcher.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the dispatcher needs.
#[derive(Debug, Clone)]
pub struct DispatcherConfig {
    /// Calls in flight over all endpoints (`http.slots`).
    pub slots: usize,
    /// Calls in flight to one endpoint to begin with (`http.per_endpoint_max`).
    pub per_endpoint_start: u32,
    /// Signs for agents that have no secret of their own (`http.default_secret`).
    pub default_secret: Option<Secret>,
    /// The longest `Retry-After` that holds an endpoint back (`http.retry_after_max_seconds`).
    pub retry_after_max: Duration,
}

impl DispatcherConfig {
    /// What the configuration says.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let http = &config.http;
        let default_secret = (!http.default_secret.is_empty()).then(|| Secret {
            text: http.default_secret.reveal().to_owned(),
            valid_until: None,
        });
        Self {
            slots: http.slots,
            per_endpoint_start: u32::try_from(http.per_endpoint_max).unwrap_or(LIMIT_MAX),
            default_secret,
            retry_after_max: http.retry_after_max.to_std(),
        }
    }
}

/// What all endpoints share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) broker: Broker,
    pub(super) pusher: Pusher,
    pub(super) slots: Arc<Semaphore>,
    pub(super) config: Arc<DispatcherConfig>,
    pub(super) tasks: Tasks,
}

/// Starts delivering to http agents. It ends with `tasks`: calls in flight are waited for, at most
/// as long as a call may take.
pub fn start(broker: Broker, pusher: Pusher, config: DispatcherConfig, tasks: &Tasks) {
    let shared = Shared {
        broker,
        pusher,
        slots: Arc::new(Semaphore::new(config.slots.max(1))),
        config: Arc::new(config),
        tasks: tasks.clone(),
    };
    tasks.spawn("http dispatcher", run(shared));
}

async fn run(shared: Shared) {
    let stop = shared.tasks.token().clone();
    let mut commits = shared.broker.subscribe();
    let mut seen: Option<Arc<Registry>> = None;
    let mut endpoints: HashMap<Address, CancellationToken> = HashMap::new();
    loop {
        let registry = shared.broker.registry();
        if seen
            .as_ref()
            .is_none_or(|seen| !Arc::ptr_eq(seen, &registry))
        {
            reconcile(&shared, &registry, &mut endpoints);
            seen = Some(registry);
        }
        // Cancel-safe: a receiver of the bus, a sleep and a token keep nothing when dropped.
        tokio::select! {
            () = stop.cancelled() => return,
            commit = commits.recv() => match commit {
                // Whatever was missed: only the registry as it is now counts.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Starts what is missing and stops what should not be.
fn reconcile(
    shared: &Shared,
    registry: &Registry,
    endpoints: &mut HashMap<Address, CancellationToken>,
) {
    endpoints.retain(|address, stop| {
        let is_wanted = registry
            .agent(address)
            .is_some_and(|agent| is_called(agent));
        if !is_wanted {
            stop.cancel();
        }
        is_wanted
    });
    for agent in registry.agents() {
        if is_called(&agent) && !endpoints.contains_key(&agent.address) {
            let stop = shared.tasks.token().child_token();
            endpoints.insert(agent.address.clone(), stop.clone());
            let health = Health::new(shared.config.per_endpoint_start);
            let endpoint = Endpoint::new(shared.clone(), agent.address.clone(), health, stop);
            shared.tasks.spawn("http endpoint", endpoint.run());
        }
    }
}

/// True for an agent that is to be called now. Paused ones are not: their intents wait.
fn is_called(agent: &Agent) -> bool {
    agent.binding == Binding::Http && agent.callback_url.is_some() && agent.is_open()
}
