//! The writer thread: drains what is queued, commits once, and only then answers, publishes, hands out.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::broker::batch::{Batch, Committed, Counters, Start};
use crate::broker::jobs::Jobs;
use crate::broker::outbox::Outbox;
use crate::broker::payloads::PayloadCache;
use crate::broker::push::view::Endpoints;
use crate::broker::recent::Recent;
use crate::broker::registry::Registry;
use crate::broker::request::{AdminReceipt, BrokerError, Published, Receipt};
use crate::broker::retention::Sweep;
use crate::broker::session::{Handover, SessionMode};
use crate::broker::stats::Stats;
use crate::broker::{
    LAST_HOLD, Message, Reply, Settings, admin, audit, boot, jobs, push, retention, rounds,
};
use crate::clock::{Clock, Entropy};
use crate::domain::ids::{AttemptId, Cursor, IdMap, IntentId};
use crate::domain::intent::Intent;
use crate::domain::time::Timestamp;
use crate::engine::command::{Command, PayloadSource};
use crate::shutdown::Shutdown;
use crate::store::error::StoreError;
use crate::store::{Reader, Store, Write};

/// Everything the thread owns.
pub(super) struct Parts {
    pub(super) store: Box<dyn Store>,
    pub(super) bus: broadcast::Sender<Arc<Published>>,
    pub(super) due: watch::Sender<Option<Timestamp>>,
    pub(super) registry: Arc<ArcSwap<Registry>>,
    pub(super) stats: Arc<Stats>,
    pub(super) recent: Arc<Recent>,
    pub(super) endpoints: Arc<Endpoints>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) settings: Settings,
}

pub(super) struct Writer {
    reader: Box<dyn Reader>,
    outbox: Outbox,
    jobs: Jobs,
    sweep: Sweep,
    counters: Counters,
    payloads: PayloadCache,
    next_due: Option<Timestamp>,
    /// Attempts that were committed, but whose connection had gone before they could be written.
    returned: Vec<(AttemptId, IntentId)>,
}

/// Answers that wait for the commit.
#[derive(Default)]
struct Answers {
    receipts: Vec<(Reply<Receipt>, Result<Receipt, BrokerError>)>,
    admin: Vec<(Reply<AdminReceipt>, Result<AdminReceipt, BrokerError>)>,
    ticks: Vec<oneshot::Sender<()>>,
    stop: Option<oneshot::Sender<()>>,
}

/// Runs until it is told to stop, the last handle is gone, or the store fails.
pub(super) fn run(
    mut parts: Parts,
    mut inbox: mpsc::Receiver<Message>,
    shutdown: &Shutdown,
    ready: oneshot::Sender<Result<boot::Boot, BrokerError>>,
) {
    let (mut writer, boot) = match Writer::recover(&mut parts) {
        Ok(recovered) => recovered,
        Err(error) => {
            // The caller of `Broker::start` gets it; there is nobody else yet.
            drop(ready.send(Err(error.into())));
            return;
        }
    };
    if ready.send(Ok(boot)).is_err() {
        return;
    }
    if let Err(error) = writer.serve(&mut parts, &mut inbox) {
        tracing::error!(%error, "the store failed: stopping, nothing unacknowledged is pretended");
        shutdown.fail(format!("the store failed: {error}"));
    }
    writer.outbox.close_all();
}

impl Writer {
    /// Reads what is there and settles what was under way.
    pub(super) fn recover(parts: &mut Parts) -> Result<(Self, boot::Boot), StoreError> {
        let reader = parts.store.reader()?;
        let boot::Recovered {
            boot,
            reader,
            jobs,
            counters,
            mut outbox,
        } = boot::recover(parts, reader)?;
        let known = outbox.endpoints.changed(parts.clock.now());
        parts.endpoints.put(known);
        let writer = Self {
            jobs,
            sweep: Sweep::default(),
            reader,
            outbox,
            counters,
            payloads: PayloadCache::default(),
            next_due: None,
            returned: Vec::new(),
        };
        Ok((writer, boot))
    }

    /// True when a commit is wanted although nothing is queued.
    pub(super) const fn has_returned(&self) -> bool {
        !self.returned.is_empty()
    }

    fn serve(
        &mut self,
        parts: &mut Parts,
        inbox: &mut mpsc::Receiver<Message>,
    ) -> Result<(), StoreError> {
        // What was due while we were away.
        let mut batch = vec![Message::Tick(None)];
        loop {
            let stop = self.commit(parts, std::mem::take(&mut batch))?;
            if let Some(done) = stop {
                inbox.close();
                // Who asked us to stop may have given up waiting.
                let _gone = done.send(());
                return Ok(());
            }
            if !self.has_returned() {
                match inbox.blocking_recv() {
                    Some(message) => batch.push(message),
                    None => return Ok(()),
                }
            }
            let mut commands = batch.len();
            while commands < parts.settings.batch_commands_max {
                let Ok(message) = inbox.try_recv() else {
                    break;
                };
                commands += match &message {
                    Message::Run(requests) => requests.len(),
                    _ => 1,
                };
                batch.push(message);
            }
        }
    }

    /// One group commit. Answers with the sender to be told, when this was the last.
    pub(super) fn commit(
        &mut self,
        parts: &mut Parts,
        messages: Vec<Message>,
    ) -> Result<Option<oneshot::Sender<()>>, StoreError> {
        let began = parts.clock.elapsed();
        let now = parts.clock.now();
        let before = self.counters;
        let returned = std::mem::take(&mut self.returned);
        let mut answers = Answers::default();
        let mut batch = Batch::begin(Start {
            txn: parts.store.begin()?,
            reader: self.reader.as_mut(),
            outbox: &mut self.outbox,
            jobs: &mut self.jobs,
            counters: &mut self.counters,
            registry: parts.registry.load_full(),
            policy: &parts.settings.policy,
            entropy: parts.entropy.as_ref(),
            now,
        });
        rounds::give_back(&mut batch, returned, "its connection had gone")?;
        load_all(&mut batch, &messages)?;
        for message in messages {
            take(&mut batch, message, &mut answers, &mut self.payloads)?;
        }
        rounds::tick(&mut batch, self.next_due)?;
        jobs::round(&mut batch)?;
        rounds::grant(&mut batch)?;
        push::grant(&mut batch)?;
        push::keep(&mut batch)?;
        let has_removed = retention::round(&mut batch, &mut self.sweep)?;
        put_counters(&mut batch, before)?;
        let Committed {
            published,
            last,
            next_due,
            registry,
            deliveries,
        } = batch.commit()?;

        // From here on it is true.
        if let Some(registry) = registry {
            parts.registry.store(Arc::new(registry));
        }
        let took = parts.clock.elapsed().since(began);
        parts.stats.set_sweeping(self.sweep.is_under_way());
        parts.stats.observe(&published, took, &self.outbox);
        if has_removed {
            parts.recent.forget();
        }
        parts.recent.put(&published.intents);
        // Before the answers: who is told that it is done sees it done.
        parts.endpoints.put(self.outbox.endpoints.changed(now));
        answers.send(last);
        self.hand_over(&deliveries, &published.intents)?;
        if !published.items.is_empty() {
            // Nobody listening is fine.
            drop(parts.bus.send(Arc::new(published)));
        }
        let of_jobs = self.jobs.next_due(now);
        let next_due = next_due.into_iter().chain(of_jobs).min();
        self.next_due = next_due;
        let endpoints = &mut self.outbox.endpoints;
        let call = endpoints.next_due(&parts.registry.load(), now);
        let soonest = next_due.into_iter().chain(call).min();
        parts.due.send_replace(soonest);
        Ok(answers.stop)
    }

    /// Gives committed attempts to their connections.
    fn hand_over(
        &mut self,
        deliveries: &[(IntentId, AttemptId)],
        moved: &[Arc<Intent>],
    ) -> Result<(), StoreError> {
        if !deliveries.is_empty() {
            let by_id: IdMap<&Arc<Intent>> =
                moved.iter().map(|intent| (intent.id, intent)).collect();
            for (id, attempt) in deliveries {
                let Some(intent) = by_id.get(id) else {
                    continue;
                };
                // The same batch may have ended the attempt again.
                let Some(lease) = intent.lease().filter(|lease| lease.attempt == *attempt) else {
                    continue;
                };
                let payload = match self.payloads.take(*id) {
                    Some(payload) => payload,
                    None => self
                        .reader
                        .payload(*id)?
                        .unwrap_or_else(crate::domain::payload::Payload::empty),
                };
                let handover = Handover {
                    intent: Arc::clone(intent),
                    payload,
                    attempt: *attempt,
                    number: lease.number,
                    started_at: lease.started_at,
                    lease_until: lease.until,
                    slot: self.outbox.endpoints.take_slot(*attempt),
                };
                if !self.outbox.send(lease.session, handover) {
                    self.returned.push((*attempt, *id));
                }
            }
        }
        self.outbox.end_spent();
        self.outbox.end_batch();
        Ok(())
    }
}

impl Answers {
    fn send(&mut self, cursor: Cursor) {
        for (reply, mut result) in self.receipts.drain(..) {
            if let Ok(receipt) = &mut result {
                receipt.cursor = cursor;
            }
            // A caller that has hung up finds the answer by its idempotency key.
            drop(reply.send(result));
        }
        for (reply, result) in self.admin.drain(..) {
            drop(reply.send(result));
        }
        for done in self.ticks.drain(..) {
            let _gone = done.send(());
        }
    }
}

/// Keeps the ids that were given out, so that none is given out again after a crash.
fn put_counters(batch: &mut Batch<'_>, before: Counters) -> Result<(), StoreError> {
    let Counters { attempt, hold } = *batch.counters;
    if attempt != before.attempt {
        batch.txn.put(Write::Number(boot::ATTEMPT, attempt))?;
    }
    if hold != before.hold {
        batch.txn.put(Write::Number(LAST_HOLD, hold))?;
    }
    Ok(())
}

/// Loads every intent the messages name, with one query.
fn load_all(batch: &mut Batch<'_>, messages: &[Message]) -> Result<(), StoreError> {
    let mut ids = Vec::new();
    for message in messages {
        if let Message::Run(requests) = message {
            for (request, _) in requests {
                // A new id is random: it is not there.
                if !matches!(request.command, Command::Submit(_)) {
                    ids.push(request.intent);
                }
            }
        }
    }
    batch.load(&ids)
}

fn take(
    batch: &mut Batch<'_>,
    message: Message,
    answers: &mut Answers,
    payloads: &mut PayloadCache,
) -> Result<(), StoreError> {
    match message {
        Message::Run(requests) => {
            for (request, reply) in requests {
                let before = request
                    .audit
                    .as_ref()
                    .and_then(|_note| batch.intent(request.intent).cloned());
                let result = faultless(batch.request(&request))?;
                push::observe(batch, &request)?;
                if let (Ok(_), Command::Submit(submit)) = (&result, &request.command)
                    && let PayloadSource::Given(payload) = &submit.payload
                {
                    payloads.put(request.intent, payload.clone());
                }
                audit::of_request(batch, &request, before.as_deref(), &result)?;
                answers.receipts.push((reply, result));
            }
        }
        Message::Administer(command, note, reply) => {
            let result = faultless(admin::run(batch, &command, &note))?;
            answers.admin.push((reply, result));
        }
        Message::Open(spec, id, sender) => {
            let agent = spec.agent.clone();
            let mode = spec.mode;
            batch.outbox.open(id, spec, sender);
            if let SessionMode::Calls { .. } = mode {
                for agent in batch.registry().agents() {
                    push::expect(batch, &agent);
                }
            }
            if mode
                == (SessionMode::Standing {
                    is_cold_start: true,
                })
            {
                rounds::take_over(batch, &agent)?;
            }
        }
        Message::Close(id, closing) => rounds::close(batch, id, closing)?,
        Message::Tick(done) => answers.ticks.extend(done),
        Message::Stop(done) => {
            batch.outbox.close_all();
            answers.stop = Some(done);
        }
    }
    Ok(())
}

/// A refusal is an answer for one caller; a fault of the store stops everything.
pub(super) fn faultless<T>(
    result: Result<T, BrokerError>,
) -> Result<Result<T, BrokerError>, StoreError> {
    match result {
        Err(BrokerError::Store(fault)) => Err(fault),
        other => Ok(other),
    }
}
