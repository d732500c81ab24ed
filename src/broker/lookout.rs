//! What looks at the world for the writer: the time, and the room on disk.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, Message};

/// How often a broker without work looks for what is old.
const LOOKED_EVERY: Duration = Duration::from_mins(1);

impl Broker {
    /// Wakes the writer when something is due. Sleeps at most a second at a time, so that a wall
    /// clock that jumps is noticed.
    pub(super) async fn keep_time(self, stop: CancellationToken) {
        let mut due = self.inner.due.clone();
        // A broker without work still looks for what is old every minute; a sweep then has its own due instants.
        let mut looked_at = self.inner.clock.elapsed();
        loop {
            let next = *due.borrow_and_update();
            let wait = next.map_or(Duration::from_secs(1), |instant| {
                instant
                    .since(self.inner.clock.now())
                    .to_std()
                    .min(Duration::from_secs(1))
            });
            // Cancel-safe: a watch, a sleep and a token keep nothing when dropped.
            tokio::select! {
                () = stop.cancelled() => return,
                changed = due.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(wait) => {
                    let elapsed = self.inner.clock.elapsed();
                    let is_time = elapsed.since(looked_at) >= LOOKED_EVERY;
                    if is_time {
                        looked_at = elapsed;
                    }
                    let is_due = next.is_some_and(|instant| instant <= self.inner.clock.now());
                    if (is_due || is_time)
                        && self.inner.queue.send(Message::Tick(None)).await.is_err()
                    {
                        return;
                    }
                }
            }
        }
    }

    /// Looks at the room on disk now and then, and tells the writer.
    pub(super) async fn watch_disk(self, stop: CancellationToken) {
        let pause = self.inner.settings.room.check_every;
        loop {
            // Cancel-safe: a sleep and a token keep nothing when dropped.
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            match self.read(|reader| reader.free_bytes()).await {
                // Memory has no disk.
                Ok(None) => return,
                Ok(free) => {
                    if self.inner.queue.send(Message::Room(free)).await.is_err() {
                        return;
                    }
                }
                Err(error) => tracing::warn!(%error, "the room on disk is not known"),
            }
        }
    }
}
