//! Connections of receivers: a live stream, a waiting poll, the pusher of one endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use tokio::sync::mpsc;

use crate::broker::Message;
use crate::domain::address::Address;
use crate::domain::agent::Binding;
use crate::domain::ids::{AttemptId, IntentId, SessionId};
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::domain::time::Timestamp;

/// What a connection wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSpec {
    /// Whose intents; nobody's in particular for [`SessionMode::Calls`].
    pub agent: Address,
    /// How they are handed over.
    pub binding: Binding,
    /// Most unfinished attempts at once.
    pub credit: u32,
    /// How long it goes on.
    pub mode: SessionMode,
}

impl SessionSpec {
    /// The one connection of the binding that calls agents: so many calls at once over all of them, and
    /// `start` to an endpoint of which nothing is known.
    #[must_use]
    pub fn calls(slots: u32, start: u32) -> Self {
        Self {
            agent: Address::trusted(""),
            binding: Binding::Http,
            credit: slots,
            mode: SessionMode::Calls { start },
        }
    }
}

/// How long a connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionMode {
    /// Until it closes; credit comes back as attempts end. `is_cold_start` also takes over what
    /// streams hold that live no longer.
    Standing {
        /// The receiver remembers nothing (`since=0`).
        is_cold_start: bool,
    },
    /// One hand-over of up to `credit` attempts, then nothing more.
    Once,
    /// Until it closes, for every agent that is called: the binding `http`. `credit` is how many calls run
    /// at once over all of them, `start` how many to an endpoint of which nothing is known.
    Calls {
        /// Calls at once to a new endpoint.
        start: u32,
    },
}

/// A place among the calls that may run at once: of all, and of those to one endpoint. Whoever makes the
/// call holds it; dropping it gives it back.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Slot(Arc<Places>);

#[derive(Debug)]
struct Places(Vec<Arc<AtomicU32>>);

impl PartialEq for Places {
    /// Places are alike as long as they are held.
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Places {}

impl Slot {
    /// Takes a place in each of these counts.
    pub(super) fn taken(counts: Vec<Arc<AtomicU32>>) -> Self {
        for count in &counts {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Self(Arc::new(Places(counts)))
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        for count in &self.0 {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// One attempt, ready to be written to its receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Handover {
    /// The intent after the attempt started.
    pub intent: Arc<Intent>,
    /// What it carries.
    pub payload: Payload,
    /// The fence.
    pub attempt: AttemptId,
    /// The row's number: the fence's, or of a reminder one that no fence has. Its `seq` in the mailbox is
    /// [`Handover::row_seq`].
    pub row: AttemptId,
    /// 1 for the first.
    pub number: u32,
    /// When it was started.
    pub started_at: Timestamp,
    /// When its lease ends.
    pub lease_until: Timestamp,
    /// The place of the call, for an agent that is called; held until the call is over.
    pub slot: Option<Slot>,
}

impl Handover {
    /// The mailbox cursor of this row: rises with every hand-over, in steps of two.
    #[must_use]
    pub const fn row_seq(&self) -> u64 {
        self.row.0.saturating_mul(2)
    }

    /// True when the receiver has it already and is only shown it again.
    #[must_use]
    pub fn is_reminder(&self) -> bool {
        self.row != self.attempt
    }
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing {
    /// True when it broke: everything unfinished is given back. When its window ended instead,
    /// leases go on: the receiver may be working.
    pub(super) is_broken: bool,
    /// Started, but never written to it: given back in any case.
    pub(super) unwritten: Vec<(AttemptId, IntentId)>,
}

/// Room in the channel of a connection with that much credit.
pub(super) fn places(credit: u32) -> usize {
    usize::try_from(credit).unwrap_or(usize::MAX).clamp(1, 4096)
}

/// A connection. Dropped without [`Session::end_window`], it counts as broken.
///
/// It holds a place in the commit queue from the start, so that its end is always heard.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    handovers: mpsc::Receiver<Handover>,
    closing: Option<mpsc::OwnedPermit<Message>>,
    held_places: Arc<AtomicUsize>,
}

impl Session {
    pub(super) fn new(
        id: SessionId,
        handovers: mpsc::Receiver<Handover>,
        closing: mpsc::OwnedPermit<Message>,
        held_places: Arc<AtomicUsize>,
    ) -> Self {
        held_places.fetch_add(1, Ordering::Relaxed);
        Self {
            id,
            handovers,
            closing: Some(closing),
            held_places,
        }
    }

    /// Its id, which the leases of its attempts carry.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// The next attempt. `None` when the broker wants this connection closed (stopping, agent deleted,
    /// or a [`SessionMode::Once`] that has had its hand-over). Cancel-safe.
    ///
    /// The caller writes it to the receiver; an attempt that it could not write is covered by
    /// dropping the session.
    pub async fn next(&mut self) -> Option<Handover> {
        self.handovers.recv().await
    }

    /// Another attempt, if one is there already.
    pub fn try_next(&mut self) -> Option<Handover> {
        self.handovers.try_recv().ok()
    }

    /// Ends the connection's window cleanly: leases of what was taken from [`Session::next`] go on.
    pub fn end_window(mut self) {
        self.close(false);
    }

    fn close(&mut self, is_broken: bool) {
        let Some(place) = self.closing.take() else {
            return;
        };
        self.held_places.fetch_sub(1, Ordering::Relaxed);
        self.handovers.close();
        let mut unwritten = Vec::new();
        while let Ok(handover) = self.handovers.try_recv() {
            if !handover.is_reminder() {
                unwritten.push((handover.attempt, handover.intent.id));
            }
        }
        let closing = Closing {
            is_broken,
            unwritten,
        };
        // The sender that comes back is one more handle of the queue; nobody needs it.
        drop(place.send(Message::Close(self.id, closing)));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close(true);
    }
}
