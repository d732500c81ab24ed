//! The writer thread: drains what is queued, commits once, and only then answers, publishes, hands out.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::broker::alarms::Alarms;
use crate::broker::batch::{Batch, Committed, Counters, DueRow, Start};
use crate::broker::full::{Admitted, Full};
use crate::broker::gather::gather;
use crate::broker::jobs::Jobs;
use crate::broker::mesh::{self, Mesh};
use crate::broker::outbox::Outbox;
use crate::broker::payloads::PayloadCache;
use crate::broker::push::view::Endpoints;
use crate::broker::recent::Recent;
use crate::broker::registry::Registry;
use crate::broker::request::{AdminReceipt, BrokerError, Published, Receipt};
use crate::broker::retention::Sweep;
use crate::broker::session::{Handover, SessionMode};
use crate::broker::stats::Stats;
use crate::broker::vitals::Vitals;
use crate::broker::{
    LAST_HOLD, Message, Settings, admin, alarms, audit, boot, jobs, push, retention, rounds,
};
use crate::clock::{Clock, Entropy, Mono};
use crate::domain::agent::Binding;
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
    pub(super) mesh: Arc<Mesh>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) settings: Settings,
}

pub(super) struct Writer {
    pub(super) reader: Box<dyn Reader>,
    pub(super) outbox: Outbox,
    pub(super) jobs: Jobs,
    pub(super) lasting: Lasting,
    pub(super) payloads: PayloadCache,
    next_due: Option<Timestamp>,
    /// What is done while there is no room to write.
    pub(super) full: Option<Full>,
}

/// What a commit changes in memory beside the transaction, small enough to be copied before it.
#[derive(Debug, Clone)]
pub(super) struct Lasting {
    alarms: Alarms,
    sweep: Sweep,
    counters: Counters,
    /// Attempts that were committed, but whose connection had gone before they could be written.
    returned: Vec<(AttemptId, IntentId)>,
}

/// Answers that wait for the commit, in the order of their messages.
#[derive(Default)]
struct Answers {
    receipts: Vec<Result<Receipt, BrokerError>>,
    admin: Vec<Result<AdminReceipt, BrokerError>>,
}

/// A commit that has happened.
struct Done {
    committed: Committed,
    answers: Answers,
    has_removed: bool,
    now: Timestamp,
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
        let file = parts.store.file().map_or_else(
            || "its memory".to_owned(),
            |file| file.display().to_string(),
        );
        shutdown.fail(format!(
            "the store in {file} failed ({error}); whatever was acknowledged is in it, whatever was not may be; \
             hint: look at the disk and the system's log, then start again"
        ));
    }
    writer.outbox.close_all();
}

impl Writer {
    /// Reads what is there and settles what was under way.
    pub(super) fn recover(parts: &mut Parts) -> Result<(Self, boot::Boot), StoreError> {
        let mut reader = parts.store.reader()?;
        parts.vitals.measured(reader.free_bytes()?);
        let policy = &parts.settings.policy;
        let alarms = Alarms::read(reader.as_mut(), policy, parts.clock.now())?;
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
            reader,
            outbox,
            lasting: Lasting {
                alarms,
                sweep: Sweep::default(),
                counters,
                returned: Vec::new(),
            },
            payloads: PayloadCache::default(),
            next_due: None,
            full: None,
        };
        Ok((writer, boot))
    }

    /// True when a commit is wanted although nothing is queued.
    pub(super) fn has_returned(&self) -> bool {
        self.full.is_none() && !self.lasting.returned.is_empty()
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
            gather(inbox, &mut batch, &parts.settings);
        }
    }

    /// One group commit. Answers with the sender to be told, when this was the last.
    ///
    /// Without room on the disk it has not happened: whoever waits is told so, and what has to be done in
    /// any case is done by a later one.
    pub(super) fn commit(
        &mut self,
        parts: &mut Parts,
        messages: Vec<Message>,
    ) -> Result<Option<oneshot::Sender<()>>, StoreError> {
        let messages = match self.admit(parts, messages)? {
            Admitted::Now(messages) => messages,
            Admitted::Later(stop) => return Ok(stop),
        };
        let began = parts.clock.elapsed();
        let before = self.lasting.clone();
        parts.vitals.commit_begins(began);
        let attempted = self.attempt(parts, &messages);
        parts.vitals.commit_ends();
        match attempted {
            Ok(done) => {
                self.found_room(parts);
                self.finish(parts, messages, done, began)
            }
            Err(StoreError::Full) => {
                self.lasting = before;
                Ok(self.without_room(parts, messages))
            }
            Err(fault) => Err(fault),
        }
    }

    fn attempt(&mut self, parts: &mut Parts, messages: &[Message]) -> Result<Done, StoreError> {
        let now = parts.clock.now();
        let Lasting {
            alarms,
            sweep,
            counters,
            returned,
        } = &mut self.lasting;
        let before = *counters;
        let mut answers = Answers::default();
        let mut batch = Batch::begin(Start {
            txn: parts.store.begin()?,
            reader: self.reader.as_mut(),
            outbox: &mut self.outbox,
            jobs: &mut self.jobs,
            counters,
            registry: parts.registry.load_full(),
            policy: &parts.settings.policy,
            vitals: parts.vitals.as_ref(),
            entropy: parts.entropy.as_ref(),
            words: parts.settings.webhook_words,
            now,
        });
        rounds::give_back(
            &mut batch,
            std::mem::take(returned),
            "its connection had gone",
        )?;
        load_all(&mut batch, messages)?;
        for message in messages {
            take(&mut batch, message, &mut answers, &mut self.payloads)?;
        }
        rounds::tick(&mut batch, self.next_due)?;
        rounds::take_over(&mut batch)?;
        let is_last = messages
            .iter()
            .any(|message| matches!(message, Message::Stop(_)));
        mesh::round(&mut batch, is_last)?;
        jobs::round(&mut batch)?;
        // Before calls begin: news for subscriptions are calls as well.
        push::episode::round(&mut batch)?;
        alarms::round(&mut batch, alarms)?;
        rounds::grant(&mut batch)?;
        push::grant(&mut batch)?;
        push::keep(&mut batch)?;
        let has_removed = retention::round(&mut batch, sweep)?;
        put_counters(&mut batch, before)?;
        Ok(Done {
            committed: batch.commit()?,
            answers,
            has_removed,
            now,
        })
    }

    /// What follows from a commit. From here on it is true.
    fn finish(
        &mut self,
        parts: &mut Parts,
        messages: Vec<Message>,
        done: Done,
        began: Mono,
    ) -> Result<Option<oneshot::Sender<()>>, StoreError> {
        let Done {
            committed,
            answers,
            has_removed,
            now,
        } = done;
        let Committed {
            published,
            last,
            next_due,
            registry,
            deliveries,
        } = committed;
        if let Some(registry) = registry {
            parts.registry.store(Arc::new(registry));
        }
        self.look_at_room(parts);
        let took = parts.clock.elapsed().since(began);
        parts.stats.observe(&published, took, &self.outbox);
        if has_removed {
            parts.recent.forget();
        }
        parts.recent.put(&published.intents);
        // Before the answers: who is told that it is done sees it done.
        parts.endpoints.put(self.outbox.endpoints.changed(now));
        let stop = answers.send(messages, last);
        self.hand_over(&deliveries, &published.intents, now)?;
        if !published.items.is_empty() {
            // Nobody listening is fine.
            drop(parts.bus.send(Arc::new(published)));
        }
        let of_jobs = self.jobs.next_due(now, parts.vitals.room().is_low);
        let next_due = next_due.into_iter().chain(of_jobs).min();
        self.next_due = next_due;
        let endpoints = &mut self.outbox.endpoints;
        let call = endpoints.next_due(&parts.registry.load(), now);
        let of_mesh = parts.mesh.next_change(now, &parts.settings.policy.mesh);
        let alone = self.outbox.listeners.next_due();
        let sweep = self.lasting.sweep.next_step();
        let due = [next_due, call, of_mesh, alone, sweep];
        let soonest = due.into_iter().flatten().min();
        parts.due.send_replace(soonest);
        Ok(stop)
    }

    /// Gives committed attempts to their connections.
    fn hand_over(
        &mut self,
        deliveries: &[DueRow],
        moved: &[Arc<Intent>],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !deliveries.is_empty() {
            let by_id: IdMap<&Arc<Intent>> =
                moved.iter().map(|intent| (intent.id, intent)).collect();
            for DueRow {
                intent: id,
                attempt,
                row,
            } in deliveries
            {
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
                    row: *row,
                    number: lease.number,
                    started_at: lease.started_at,
                    lease_until: lease.until,
                    slot: self.outbox.endpoints.take_slot(*attempt),
                };
                if handover.is_reminder() {
                    self.outbox.remind(&intent.to, lease.session, handover);
                } else if !self.outbox.send(lease.session, handover) {
                    self.lasting.returned.push((*attempt, *id));
                }
            }
        }
        self.outbox.end_spent(now);
        self.outbox.end_batch();
        Ok(())
    }
}

impl Answers {
    /// Answers whoever waits; gives back who waits for the end.
    fn send(self, messages: Vec<Message>, cursor: Cursor) -> Option<oneshot::Sender<()>> {
        let mut receipts = self.receipts.into_iter();
        let mut admin = self.admin.into_iter();
        let mut stop = None;
        for message in messages {
            match message {
                Message::Run(requests) => {
                    for ((_request, reply), mut result) in requests.into_iter().zip(&mut receipts) {
                        if let Ok(receipt) = &mut result {
                            receipt.cursor = cursor;
                        }
                        // A caller that has hung up finds the answer by its idempotency key.
                        drop(reply.send(result));
                    }
                }
                Message::Administer(_command, _note, reply) => {
                    if let Some(result) = admin.next() {
                        drop(reply.send(result));
                    }
                }
                Message::Tick(Some(done)) => {
                    drop(done.send(Ok(())));
                }
                Message::Stop(done) => stop = Some(done),
                Message::Tick(None) | Message::Open(..) | Message::Close(..) | Message::Room(_) => {
                }
            }
        }
        stop
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
    message: &Message,
    answers: &mut Answers,
    payloads: &mut PayloadCache,
) -> Result<(), StoreError> {
    match message {
        Message::Run(requests) => {
            for (request, _reply) in requests {
                let before = request
                    .audit
                    .as_ref()
                    .and_then(|_note| batch.intent(request.intent).cloned());
                let result = faultless(batch.request(request))?;
                push::observe(batch, request)?;
                if let (Ok(_), Command::Submit(submit)) = (&result, &request.command)
                    && let PayloadSource::Given(payload) = &submit.payload
                {
                    payloads.put(request.intent, payload.clone());
                }
                audit::of_request(batch, request, before.as_deref(), &result)?;
                answers.receipts.push(result);
            }
        }
        Message::Administer(command, note, _reply) => {
            let result = faultless(admin::run(batch, command, note))?;
            answers.admin.push(result);
        }
        Message::Open(spec, id, sender) => {
            batch.outbox.open(*id, spec.clone(), sender.clone());
            if let SessionMode::Calls { .. } = spec.mode {
                let hooks = batch.registry().hooks();
                for agent in batch.registry().agents().into_iter().chain(hooks) {
                    push::expect(batch, &agent);
                }
            }
            if let (Binding::Stream, SessionMode::Standing { is_cold_start }) =
                (spec.binding, spec.mode)
            {
                let policy = &batch.policy.listening;
                let listeners = &mut batch.outbox.listeners;
                listeners.come(&spec.agent, *id, is_cold_start, batch.now, policy);
            }
        }
        Message::Close(id, closing) => rounds::close(batch, *id, closing.clone())?,
        Message::Stop(_done) => batch.outbox.close_all(),
        // The room was taken in before, and what is due is done in any case.
        Message::Tick(_) | Message::Room(_) => {}
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
