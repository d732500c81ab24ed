//! The writer without its thread and its queue: one call, one commit. For the simulator and benchmarks,
//! which need the real thing step by step.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::broker::push::view::Endpoints;
use crate::broker::registry::Registry;
use crate::broker::request::{
    AdminCommand, AdminReceipt, AuditNote, BrokerError, Published, Receipt, Request,
};
use crate::broker::session::{Closing, Handover, SessionSpec, places};
use crate::broker::stats::Stats;
use crate::broker::vitals::Vitals;
use crate::broker::writer::{Parts, Writer};
use crate::broker::{Message, Settings};
use crate::clock::{Clock, Entropy};
use crate::domain::ids::{AttemptId, IntentId, SessionId};
use crate::domain::time::Timestamp;
use crate::store::error::StoreError;
use crate::store::{Reader, Store};

/// The writer, driven by hand.
#[expect(
    missing_debug_implementations,
    reason = "holds a store, which has nothing to show"
)]
pub struct Core {
    parts: Parts,
    writer: Writer,
    next_session: u64,
    bus: broadcast::Receiver<Arc<Published>>,
    due: watch::Receiver<Option<Timestamp>>,
}

impl Core {
    /// Recovers the store and is ready for the first command.
    ///
    /// # Errors
    /// The store's fault.
    pub fn start(
        store: Box<dyn Store>,
        settings: Settings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StoreError> {
        let (bus, receiver) = broadcast::channel(settings.bus_lag_max);
        let (due, due_receiver) = watch::channel(None);
        let mut parts = Parts {
            store,
            bus,
            due,
            registry: Arc::new(ArcSwap::from_pointee(Registry::default())),
            stats: Arc::new(Stats::new(Arc::clone(&clock))),
            recent: Arc::default(),
            endpoints: Arc::new(Endpoints::default()),
            mesh: Arc::default(),
            vitals: Arc::new(Vitals::new(&settings.room, Arc::clone(&clock))),
            clock,
            entropy,
            settings,
        };
        let (writer, boot) = Writer::recover(&mut parts)?;
        Ok(Self {
            parts,
            writer,
            next_session: boot.first_session,
            bus: receiver,
            due: due_receiver,
        })
    }

    /// One commit of these requests.
    ///
    /// # Errors
    /// The store's fault: what was asked may or may not have happened.
    pub fn run(
        &mut self,
        requests: Vec<Request>,
    ) -> Result<Vec<Result<Receipt, BrokerError>>, StoreError> {
        let (messages, answers): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .map(|request| {
                let (reply, answer) = oneshot::channel();
                ((request, reply), answer)
            })
            .unzip();
        self.commit(vec![Message::Run(messages)])?;
        Ok(answers
            .into_iter()
            .map(|mut answer| answer.try_recv().unwrap_or(Err(BrokerError::Stopping)))
            .collect())
    }

    /// One commit of an operator's command.
    ///
    /// # Errors
    /// The store's fault.
    pub fn administer(
        &mut self,
        command: AdminCommand,
        note: AuditNote,
    ) -> Result<Result<AdminReceipt, BrokerError>, StoreError> {
        let (reply, mut answer) = oneshot::channel();
        self.commit(vec![Message::Administer(command, Box::new(note), reply)])?;
        Ok(answer.try_recv().unwrap_or(Err(BrokerError::Stopping)))
    }

    /// A connection comes.
    ///
    /// # Errors
    /// The store's fault.
    pub fn open(
        &mut self,
        spec: SessionSpec,
    ) -> Result<(SessionId, mpsc::Receiver<Handover>), StoreError> {
        let id = SessionId(self.next_session);
        self.next_session = self.next_session.saturating_add(1);
        let (sender, receiver) = mpsc::channel(places(spec.credit));
        self.commit(vec![Message::Open(spec, id, sender)])?;
        Ok((id, receiver))
    }

    /// A connection breaks.
    ///
    /// # Errors
    /// The store's fault.
    pub fn break_off(&mut self, id: SessionId) -> Result<(), StoreError> {
        let closing = Closing {
            is_broken: true,
            unwritten: Vec::new(),
        };
        self.commit(vec![Message::Close(id, closing)])
    }

    /// A connection's window ends; these attempts were never written to it.
    ///
    /// # Errors
    /// The store's fault.
    pub fn end_window(
        &mut self,
        id: SessionId,
        unwritten: Vec<(AttemptId, IntentId)>,
    ) -> Result<(), StoreError> {
        let closing = Closing {
            is_broken: false,
            unwritten,
        };
        self.commit(vec![Message::Close(id, closing)])
    }

    /// Does what is due.
    ///
    /// # Errors
    /// The store's fault.
    pub fn tick(&mut self) -> Result<(), StoreError> {
        self.commit(vec![Message::Tick(None)])
    }

    /// Somebody has looked at the disk: so many bytes are free.
    ///
    /// # Errors
    /// The store's fault.
    pub fn measure(&mut self, free: Option<u64>) -> Result<(), StoreError> {
        self.commit(vec![Message::Room(free)])
    }

    /// How the broker itself does.
    #[must_use]
    pub fn vitals(&self) -> &Vitals {
        &self.parts.vitals
    }

    /// When something is due next.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        *self.due.borrow()
    }

    /// What was committed since the last call, in order.
    pub fn published(&mut self) -> Vec<Arc<Published>> {
        let mut all = Vec::new();
        while let Ok(published) = self.bus.try_recv() {
            all.push(published);
        }
        all
    }

    /// Agents and keys as they are now.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        self.parts.registry.load_full()
    }

    /// Endpoints of agents that are called, as they are now.
    #[must_use]
    pub fn endpoints(&self) -> &Arc<Endpoints> {
        &self.parts.endpoints
    }

    /// A reader of what is committed.
    ///
    /// # Errors
    /// The store's fault.
    pub fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.parts.store.reader()
    }

    /// Everything but the store is lost, as in a crash.
    #[must_use]
    pub fn into_store(self) -> Box<dyn Store> {
        self.parts.store
    }

    fn commit(&mut self, messages: Vec<Message>) -> Result<(), StoreError> {
        drop(self.writer.commit(&mut self.parts, messages)?);
        while self.writer.has_returned() {
            drop(self.writer.commit(&mut self.parts, Vec::new())?);
        }
        Ok(())
    }
}
