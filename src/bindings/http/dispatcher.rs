//! The far end of the binding: takes what is handed over for any agent that is called, and calls.
//!
//! How much is handed over, and when, is the broker's (`broker/push`): every attempt comes with the place
//! that its call holds.

use std::sync::Arc;
use std::time::Duration;

use super::call::call;
use super::pusher::Pusher;
use crate::broker::Broker;
use crate::broker::request::BrokerError;
use crate::broker::session::{Session, SessionSpec};
use crate::config::Config;
use crate::domain::agent::Secret;
use crate::shutdown::Tasks;

/// How long to wait before asking a busy broker again.
const PAUSE: Duration = Duration::from_millis(200);

/// What the dispatcher needs.
#[derive(Debug, Clone)]
pub struct DispatcherConfig {
    /// Calls in flight over all endpoints (`http.slots`).
    pub slots: u32,
    /// Calls in flight to one endpoint to begin with (`http.per_endpoint_max`).
    pub per_endpoint_start: u32,
    /// Signs for agents that have no secret of their own (`http.default_secret`).
    pub default_secret: Option<Secret>,
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
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).max(1);
        Self {
            slots: number(http.slots),
            per_endpoint_start: number(http.per_endpoint_max),
            default_secret,
        }
    }
}

/// What all calls share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) broker: Broker,
    pub(super) pusher: Pusher,
    pub(super) config: Arc<DispatcherConfig>,
}

/// Starts delivering to http agents. It ends with `tasks`: calls in flight are waited for, at most
/// as long as a call may take.
pub fn start(broker: Broker, pusher: Pusher, config: DispatcherConfig, tasks: &Tasks) {
    let shared = Shared {
        broker,
        pusher,
        config: Arc::new(config),
    };
    tasks.spawn("http dispatcher", run(shared, tasks.clone()));
}

async fn run(shared: Shared, tasks: Tasks) {
    let spec = SessionSpec::calls(shared.config.slots, shared.config.per_endpoint_start);
    let stop = tasks.token().clone();
    loop {
        match shared.broker.open_session(spec.clone()).await {
            Ok(session) => return serve(session, &shared, &tasks).await,
            Err(BrokerError::Busy) => {}
            Err(_stopping) => return,
        }
        // Cancel-safe: a token and a sleep keep nothing when dropped.
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Calls whatever is handed over until it is stopped. Calls in flight then go on by themselves; what was
/// handed over and not taken goes back.
async fn serve(mut session: Session, shared: &Shared, tasks: &Tasks) {
    let stop = tasks.token().clone();
    loop {
        // Cancel-safe: a hand-over that is not taken stays in the session, whose end gives it back.
        let handover = tokio::select! {
            () = stop.cancelled() => None,
            handover = session.next() => handover,
        };
        let Some(handover) = handover else { break };
        tasks.spawn("push", call(shared.clone(), handover));
    }
    session.end_window();
}
