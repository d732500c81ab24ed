//! The one writer and what hangs on a commit.
//!
//! [`Broker`] is the handle everybody else holds: cheap to clone, safe to drop at any moment.
//!
//! 1. Nothing is observable before its commit: no reply, no publication, no hand-over.
//! 2. A request that is in the queue runs, whether or not its caller still waits.
//! 3. An attempt starts only when a session has credit for it. No session, no credit: the intent stays
//!    ready and nothing is spent.
//! 4. Every queue is bounded. A full commit queue answers [`BrokerError::Busy`]; a lagging
//!    subscriber of the bus is told that it lagged and reads the store again.
//! 5. Readers never touch the writer.
//!
//! Not here: what may happen (`engine`), how it is kept (`store`), the five ways out (`bindings`).
//! Tested by the simulator (`tests/sim`) with the memory store, and by `tests/api` with sqlite.

pub mod core;
pub mod readers;
pub mod registry;
pub mod request;
pub mod select;
pub mod session;
pub mod stats;
pub mod vitals;

mod admin;
mod admission;
mod alarms;
mod audit;
mod batch;
mod boot;
mod full;
mod gather;
pub mod groups;
mod jobs;
mod late;
mod listeners;
mod lookout;
pub mod mesh;
mod notices;
mod outbox;
pub mod outcomes;
mod payloads;
pub mod push;
mod recent;
mod remember;
mod retention;
mod rounds;
mod schemas;
pub mod webhooks;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::broker::push::view::Endpoints;
use crate::broker::readers::Readers;
use crate::broker::recent::Recent;
use crate::broker::registry::Registry;
use crate::broker::request::{
    AdminCommand, AdminReceipt, AuditNote, BrokerError, Published, Receipt, Request,
};
use crate::broker::session::{Session, SessionSpec};
use crate::broker::stats::Stats;
use crate::broker::vitals::Vitals;
use crate::broker::webhooks::WebhookWords;
use crate::clock::{Clock, Entropy};
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::ids::{IntentId, KeyId, SessionId, ThreadId};
use crate::domain::intent::Intent;
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::shutdown::Tasks;
use crate::store::error::StoreError;
use crate::store::{Reader, Store};

/// The number of the store under which the last id of a hold is kept.
pub const LAST_HOLD: &str = "hold";

/// The numbers the broker runs by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the engine decides by.
    pub policy: Policy,
    /// Places in the commit queue.
    pub queue_max: usize,
    /// Most commands of one commit.
    pub batch_commands_max: usize,
    /// Most bytes of payloads in one commit, beside the command that goes over.
    pub batch_bytes_max: usize,
    /// How long a request waits for a place in the queue before it is answered `Busy`.
    pub busy_wait: Duration,
    /// Commits that a subscriber of the bus may lag behind before it is told to read the store.
    pub bus_lag_max: usize,
    /// Reader threads.
    pub readers: usize,
    /// Room on disk.
    pub room: vitals::RoomSettings,
    /// The UUID of the organisation, should the store have none yet.
    pub fresh_ids: (String, String),
    /// How events look to webhook subscriptions.
    pub webhook_words: WebhookWords,
}

/// The handle of a running broker.
#[derive(Clone)]
pub struct Broker {
    inner: Arc<Inner>,
}

struct Inner {
    queue: mpsc::Sender<Message>,
    bus: broadcast::Sender<Arc<Published>>,
    due: watch::Receiver<Option<Timestamp>>,
    registry: Arc<ArcSwap<Registry>>,
    readers: Readers,
    stats: Arc<Stats>,
    recent: Arc<Recent>,
    endpoints: Arc<Endpoints>,
    mesh: Arc<mesh::Mesh>,
    vitals: Arc<Vitals>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Settings,
    /// Places in the queue that connections hold for their end.
    held_places: Arc<AtomicUsize>,
    next_session: AtomicU64,
    next_key: AtomicU64,
    store_kind: &'static str,
}

/// What lies in the commit queue.
enum Message {
    /// Requests that are committed together, each with its own answer.
    Run(Vec<(Request, Reply<Receipt>)>),
    /// A command to agents and keys.
    Administer(AdminCommand, Box<AuditNote>, Reply<AdminReceipt>),
    /// A connection has come.
    Open(SessionSpec, SessionId, mpsc::Sender<session::Handover>),
    /// A connection has gone.
    Close(SessionId, session::Closing),
    /// Do what is due; answered when that is committed.
    Tick(Option<Reply<()>>),
    /// The free bytes of the disk, as they are now.
    Room(Option<u64>),
    /// Commit what lies before this, close all connections and end.
    Stop(oneshot::Sender<()>),
}

/// Where the answer goes. A caller that is gone is no fault.
type Reply<T> = oneshot::Sender<Result<T, BrokerError>>;

impl Broker {
    /// Starts the writer on its own thread, and the readers. Returns when the store has been recovered.
    ///
    /// # Errors
    /// The store's fault, in words that name it.
    pub async fn start(
        store: Box<dyn Store>,
        settings: Settings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        tasks: &Tasks,
    ) -> Result<Self, BrokerError> {
        let store_kind = store.kind();
        let readers = Readers::start(store.as_ref(), settings.readers, tasks)?;
        let (queue, inbox) = mpsc::channel(settings.queue_max);
        let (bus, _) = broadcast::channel(settings.bus_lag_max);
        let (due_sender, due) = watch::channel(None);
        let stats = Arc::new(Stats::new(Arc::clone(&clock)));
        let endpoints = Arc::new(Endpoints::default());
        let vitals = Arc::new(Vitals::new(&settings.room, Arc::clone(&clock)));
        let registry = Arc::new(ArcSwap::from_pointee(Registry::default()));
        let (mesh, recent): (Arc<mesh::Mesh>, Arc<Recent>) = Default::default();
        let (ready, recovered) = oneshot::channel();
        let writer = writer::Parts {
            store,
            bus: bus.clone(),
            due: due_sender,
            registry: Arc::clone(&registry),
            stats: Arc::clone(&stats),
            recent: Arc::clone(&recent),
            endpoints: Arc::clone(&endpoints),
            mesh: Arc::clone(&mesh),
            vitals: Arc::clone(&vitals),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            settings: settings.clone(),
        };
        let shutdown = tasks.shutdown().clone();
        tasks
            .spawn_thread("writer", move || {
                writer::run(writer, inbox, &shutdown, ready);
            })
            .map_err(|error| StoreError::Fault {
                operation: "start writer thread",
                reason: error.to_string(),
            })?;
        let boot = recovered.await.map_err(|_gone| BrokerError::Stopping)??;
        let broker = Self {
            inner: Arc::new(Inner {
                queue,
                bus,
                due,
                registry,
                readers,
                stats,
                recent,
                endpoints,
                mesh,
                vitals,
                clock,
                entropy,
                settings,
                held_places: Arc::default(),
                next_session: AtomicU64::new(boot.first_session),
                next_key: AtomicU64::new(boot.next_key),
                store_kind,
            }),
        };
        tasks.spawn("timer", broker.clone().keep_time(tasks.token().clone()));
        tasks.spawn(
            "disk watch",
            broker.clone().watch_disk(tasks.token().clone()),
        );
        Ok(broker)
    }

    /// Runs one request: answers when it is durable.
    ///
    /// # Errors
    /// [`BrokerError`]; after anything but a fault nothing has changed.
    pub async fn run(&self, request: Request) -> Result<Receipt, BrokerError> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Message::Run(vec![(request, reply)])).await?;
        answer.await.map_err(|_gone| BrokerError::Stopping)?
    }

    /// Runs many requests in one commit; they are independent of each other.
    ///
    /// # Errors
    /// [`BrokerError::Busy`] or [`BrokerError::Stopping`] for all; each has its own otherwise.
    pub async fn run_all(
        &self,
        requests: Vec<Request>,
    ) -> Result<Vec<Result<Receipt, BrokerError>>, BrokerError> {
        let (messages, answers): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .map(|request| {
                let (reply, answer) = oneshot::channel();
                ((request, reply), answer)
            })
            .unzip();
        self.enqueue(Message::Run(messages)).await?;
        let mut results = Vec::with_capacity(answers.len());
        for answer in answers {
            results.push(answer.await.map_err(|_gone| BrokerError::Stopping)?);
        }
        Ok(results)
    }

    /// Runs an operator's command to agents or keys.
    ///
    /// # Errors
    /// [`BrokerError`]; after anything but a fault nothing has changed.
    pub async fn administer(
        &self,
        command: AdminCommand,
        note: AuditNote,
    ) -> Result<AdminReceipt, BrokerError> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Message::Administer(command, Box::new(note), reply))
            .await?;
        answer.await.map_err(|_gone| BrokerError::Stopping)?
    }

    /// One intent as it is committed, without a wait when it moved lately.
    ///
    /// # Errors
    /// The store's fault, or [`BrokerError::Stopping`].
    pub async fn intent(&self, id: IntentId) -> Result<Option<Arc<Intent>>, BrokerError> {
        match self.inner.recent.get(id) {
            Some(intent) => Ok(Some(intent)),
            None => self.read(move |reader| reader.intent(id)).await,
        }
    }

    /// Many intents as they are committed, in the order of their ids.
    ///
    /// # Errors
    /// The store's fault, or [`BrokerError::Stopping`].
    pub async fn intents(&self, ids: &[IntentId]) -> Result<Vec<Option<Arc<Intent>>>, BrokerError> {
        let mut found: Vec<_> = ids.iter().map(|id| self.inner.recent.get(*id)).collect();
        let missing = |(id, found): (&IntentId, &Option<_>)| found.is_none().then_some(*id);
        let missing: Vec<IntentId> = ids.iter().zip(&found).filter_map(missing).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let read = move |reader: &mut dyn Reader| {
            let read = missing.iter().map(|id| reader.intent(*id));
            read.collect::<Result<Vec<_>, _>>()
        };
        let mut read = self.read(read).await?.into_iter();
        for place in found.iter_mut().filter(|place| place.is_none()) {
            *place = read.next().flatten();
        }
        Ok(found)
    }

    /// Reads committed state on a reader thread.
    ///
    /// # Errors
    /// The store's fault, or [`BrokerError::Stopping`].
    pub async fn read<T, F>(&self, work: F) -> Result<T, BrokerError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, StoreError> + Send + 'static,
    {
        self.inner.readers.run(work).await
    }

    /// Opens a connection of a receiver. It gets intents as far as its credit goes.
    ///
    /// # Errors
    /// [`BrokerError::Busy`] or [`BrokerError::Stopping`].
    pub async fn open_session(&self, spec: SessionSpec) -> Result<Session, BrokerError> {
        let id = SessionId(self.inner.next_session.fetch_add(1, Ordering::Relaxed));
        let (sender, receiver) = mpsc::channel(session::places(spec.credit));
        let reserved = self.inner.queue.clone().reserve_owned();
        let closing = tokio::time::timeout(self.inner.settings.busy_wait, reserved)
            .await
            .map_err(|_elapsed| BrokerError::Busy)?
            .map_err(|_closed| BrokerError::Stopping)?;
        self.enqueue(Message::Open(spec, id, sender)).await?;
        let held = Arc::clone(&self.inner.held_places);
        Ok(Session::new(id, receiver, closing, held))
    }

    /// Everything that is committed from now on, in order.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Published>> {
        self.inner.bus.subscribe()
    }

    /// Agents, accounts and keys as they are now.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        self.inner.registry.load_full()
    }

    /// Rates and latencies.
    #[must_use]
    pub fn stats(&self) -> &Arc<Stats> {
        &self.inner.stats
    }

    /// Endpoints of agents that are called, as they are now.
    #[must_use]
    pub fn endpoints(&self) -> &Arc<Endpoints> {
        &self.inner.endpoints
    }

    /// How the broker itself does.
    #[must_use]
    pub fn vitals(&self) -> &Arc<Vitals> {
        &self.inner.vitals
    }

    /// Why nothing is handed to this receiver now, if so: `agent_killed`, `agent_paused`,
    /// `agent_suspended`, `agent_unreachable`, `breaker_open`, `rate_limited`.
    #[must_use]
    pub fn parked(&self, agent: &Address) -> Option<&'static str> {
        let registry = self.registry();
        let agent = registry.agent(agent)?;
        if agent.kill.is_some() {
            Some("agent_killed")
        } else if agent.pause.is_some() {
            Some("agent_paused")
        } else if !agent.is_open() {
            Some("agent_suspended")
        } else if self.is_silent(agent) {
            Some("agent_unreachable")
        } else if agent.binding == Binding::Http && agent.callback_url.is_none() {
            Some("no_callback_url")
        } else if agent.binding == Binding::Http {
            let endpoint = self.endpoints().of(&agent.address, self.clock().now())?;
            endpoint.parked()
        } else {
            None
        }
    }

    /// The clock it runs by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// The randomness it draws from.
    #[must_use]
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.inner.entropy
    }

    /// The numbers it runs by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// `sqlite`, `memory`.
    #[must_use]
    pub fn store_kind(&self) -> &'static str {
        self.inner.store_kind
    }

    /// Requests that wait in the commit queue.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        self.inner
            .settings
            .queue_max
            .saturating_sub(self.inner.queue.capacity())
            .saturating_sub(self.inner.held_places.load(Ordering::Relaxed))
    }

    /// When the engine has to look at something next.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        *self.inner.due.borrow()
    }

    /// A fresh intent id, of now.
    #[must_use]
    pub fn new_intent_id(&self) -> IntentId {
        let mut bytes = [0; 10];
        self.inner.entropy.fill(&mut bytes);
        IntentId::new(self.inner.clock.now().as_millis(), bytes)
    }

    /// A fresh thread id.
    #[must_use]
    pub fn new_thread_id(&self) -> ThreadId {
        ThreadId(self.new_intent_id().0)
    }

    /// A fresh key id, never given out before.
    #[must_use]
    pub fn next_key_id(&self) -> KeyId {
        KeyId(self.inner.next_key.fetch_add(1, Ordering::Relaxed))
    }

    /// Does what is due now and answers when that is committed. The timer does this by itself;
    /// tests with a manual clock do it by hand.
    ///
    /// # Errors
    /// [`BrokerError::Busy`], [`BrokerError::StorageFull`] or [`BrokerError::Stopping`].
    pub async fn tick(&self) -> Result<(), BrokerError> {
        let (done, answer) = oneshot::channel();
        self.enqueue(Message::Tick(Some(done))).await?;
        answer.await.map_err(|_gone| BrokerError::Stopping)?
    }

    /// Commits what is queued, closes every session and ends the writer and the readers.
    /// Requests that come later are answered [`BrokerError::Stopping`].
    pub async fn stop(&self) {
        let (done, answer) = oneshot::channel();
        if self.inner.queue.send(Message::Stop(done)).await.is_ok() && answer.await.is_err() {
            tracing::warn!("writer ended before it could say that it had drained its queue");
        }
        self.inner.readers.stop().await;
    }

    async fn enqueue(&self, message: Message) -> Result<(), BrokerError> {
        let (queue, busy_wait) = (&self.inner.queue, self.inner.settings.busy_wait);
        match queue.send_timeout(message, busy_wait).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(BrokerError::Busy),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(BrokerError::Stopping),
        }
    }
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Broker")
            .field("store", &self.inner.store_kind)
            .finish_non_exhaustive()
    }
}
