//! What the writer does while the disk is full.
//!
//! 1. A commit that found no room has not happened. Whoever waits for one of its commands is told so; what
//!    has to be done in any case (connections that came and went) is kept for a later one.
//! 2. The writer lives on: it tries again after a pause that grows, and goes on by itself once there is room.
//! 3. Before it tries again, what it knows beside the store is made to agree with the store: what
//!    connections hold, jobs, endpoints. Small numbers were copied before the commit and are put back.
//! 4. No attempt starts meanwhile, since none could be written down.

use tokio::sync::oneshot;

use crate::broker::Message;
use crate::broker::jobs::Jobs;
use crate::broker::payloads::PayloadCache;
use crate::broker::request::{AdminCommand, BrokerError};
use crate::broker::vitals::{Vitals, is_admission};
use crate::broker::writer::{Parts, Writer};
use crate::clock::Mono;
use crate::domain::ids::SessionId;
use crate::domain::job::JobKind;
use crate::domain::status::Status;
use crate::domain::time::Span;
use crate::store::error::StoreError;

/// The first pause; doubles with each try until [`PAUSE_MAX`].
const PAUSE_FIRST: Span = Span::from_millis(200);
/// The longest pause.
const PAUSE_MAX: Span = Span::from_seconds(5);
/// Leases that are looked at.
const LEASES_MAX: u32 = 1_000_000;

/// The writer without room.
pub(super) struct Full {
    since: Mono,
    retry_at: Mono,
    /// The next pause.
    pause: Span,
    /// What is done in any case, once there is room.
    kept: Vec<Message>,
    /// True until what is known beside the store agrees with it again.
    is_stale: bool,
}

/// Whether messages may be committed.
pub(super) enum Admitted {
    /// These, now.
    Now(Vec<Message>),
    /// None now. Who waits for the end is told by the caller.
    Later(Option<oneshot::Sender<()>>),
}

impl Writer {
    /// Takes in how much room there is, and lets messages through unless the disk is full and it is too
    /// early to try again.
    pub(super) fn admit(
        &mut self,
        parts: &mut Parts,
        messages: Vec<Message>,
    ) -> Result<Admitted, StoreError> {
        for message in &messages {
            if let Message::Room(free) = message {
                parts.vitals.measured(*free);
            }
        }
        let Some(full) = &mut self.full else {
            return Ok(Admitted::Now(messages));
        };
        let is_last = messages
            .iter()
            .any(|message| matches!(message, Message::Stop(_)));
        if parts.clock.elapsed() < full.retry_at && !is_last {
            let stop = full.keep(messages, &parts.vitals);
            return Ok(Admitted::Later(stop));
        }
        if full.is_stale {
            match self.agree(parts) {
                Ok(()) => {}
                Err(StoreError::Full) => {
                    return Ok(Admitted::Later(self.without_room(parts, messages)));
                }
                Err(fault) => return Err(fault),
            }
        }
        let mut all = self
            .full
            .as_mut()
            .map(|full| std::mem::take(&mut full.kept))
            .unwrap_or_default();
        all.extend(messages);
        Ok(Admitted::Now(all))
    }

    /// A commit found no room. Gives back who waits for the end.
    pub(super) fn without_room(
        &mut self,
        parts: &Parts,
        messages: Vec<Message>,
    ) -> Option<oneshot::Sender<()>> {
        let now = parts.clock.elapsed();
        parts.vitals.set_full(true);
        let full = self.full.get_or_insert_with(|| {
            tracing::error!("no space left on the disk: nothing can be written, trying again");
            Full {
                since: now,
                retry_at: now,
                pause: PAUSE_FIRST,
                kept: Vec::new(),
                is_stale: true,
            }
        });
        full.is_stale = true;
        full.retry_at = now.after(full.pause.to_std());
        parts
            .due
            .send_replace(Some(parts.clock.now().after(full.pause)));
        full.pause = full.pause.times(2).min(PAUSE_MAX);
        self.outbox.endpoints.undo_begun();
        // Those that came with it come again.
        for message in &messages {
            if let Message::Open(_spec, id, _sender) = message {
                drop(self.outbox.close(*id, parts.clock.now()));
            }
        }
        full.keep(messages, &parts.vitals)
    }

    /// After each commit, as a flood fills a disk faster than anybody looks at the clock.
    pub(super) fn look_at_room(&mut self, parts: &Parts) {
        // A store without a disk has no room to measure; a disk that does not say is told of by the lookout.
        if let Ok(Some(free)) = self.reader.free_bytes() {
            parts.vitals.measured(Some(free));
        }
    }

    /// A commit found room.
    pub(super) fn found_room(&mut self, parts: &Parts) {
        let Some(full) = self.full.take() else { return };
        parts.vitals.set_full(false);
        match self.reader.free_bytes() {
            Ok(free) => parts.vitals.measured(free),
            Err(error) => tracing::warn!(%error, "the room on disk is not known"),
        }
        let seconds = parts.clock.elapsed().since(full.since).as_secs();
        tracing::warn!(seconds, "there is room on the disk again: going on");
    }

    /// Makes what is known beside the store agree with it.
    fn agree(&mut self, parts: &mut Parts) -> Result<(), StoreError> {
        let mut leases = Vec::new();
        let mut broken: Vec<(SessionId, _, _)> = Vec::new();
        for intent in parts.store.begin()?.leased(None, LEASES_MAX)? {
            let Some(lease) = intent.lease() else {
                continue;
            };
            leases.push((lease.session, lease.attempt, intent.id));
            if intent.status == Status::Delivered {
                broken.push((lease.session, lease.attempt, intent.id));
            }
        }
        self.outbox.restore(&leases);
        let records = self.reader.endpoints()?;
        let endpoints = &mut self.outbox.endpoints;
        endpoints.restore(records, &parts.registry.load(), parts.clock.now());
        self.jobs = Jobs::read(self.reader.as_mut())?;
        self.payloads = PayloadCache::default();
        let Some(full) = &mut self.full else {
            return Ok(());
        };
        full.is_stale = false;
        for message in &mut full.kept {
            // A connection that the outbox has forgotten gives back what it holds in the store.
            if let Message::Close(id, closing) = message
                && closing.is_broken
                && !self.outbox.is_alive(*id)
            {
                let held = broken.iter().filter(|(session, ..)| session == id);
                closing
                    .unwritten
                    .extend(held.map(|(_, attempt, intent)| (*attempt, *intent)));
                closing.unwritten.sort_unstable();
                closing.unwritten.dedup();
            }
        }
        Ok(())
    }
}

impl Full {
    /// Tells whoever waits that it has not happened, and keeps the rest for later.
    fn keep(&mut self, messages: Vec<Message>, vitals: &Vitals) -> Option<oneshot::Sender<()>> {
        let refused = |is_new: bool| match vitals.refusal() {
            Some(low) if is_new => low,
            _ => BrokerError::StorageFull,
        };
        let mut stop = None;
        for message in messages {
            match message {
                Message::Run(requests) => {
                    for (request, reply) in requests {
                        drop(reply.send(Err(refused(is_admission(&request.command)))));
                    }
                }
                Message::Administer(command, _note, reply) => {
                    let is_new = matches!(
                        &command,
                        AdminCommand::StartJob(start) if start.job.kind == JobKind::Replay
                    );
                    drop(reply.send(Err(refused(is_new))));
                }
                Message::Close(id, _) if self.forget(id) => {}
                Message::Open(..) | Message::Close(..) => self.kept.push(message),
                Message::Tick(Some(done)) => drop(done.send(Err(BrokerError::StorageFull))),
                Message::Stop(done) => stop = Some(done),
                Message::Tick(None) | Message::Room(_) => {}
            }
        }
        stop
    }

    /// A connection that has gone before it could come. True when it was one.
    fn forget(&mut self, gone: SessionId) -> bool {
        let before = self.kept.len();
        self.kept
            .retain(|message| !matches!(message, Message::Open(_, id, _) if *id == gone));
        self.kept.len() < before
    }
}
