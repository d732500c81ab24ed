//! A small pool of reader threads: blocking reads, off the runtime and off the writer.

use tokio::sync::{mpsc, oneshot};

use crate::broker::request::BrokerError;
use crate::shutdown::Tasks;
use crate::store::error::StoreError;
use crate::store::{Reader, Store};

/// Reads that may wait for a thread before callers have to wait too.
const WAITING_MAX: usize = 1024;

type Work = Box<dyn FnOnce(&mut dyn Reader) + Send>;

/// The pool. Every thread has its own connection and its own queue's end.
#[derive(Debug, Clone)]
pub struct Readers {
    queue: mpsc::Sender<Option<Work>>,
    threads: usize,
}

impl Readers {
    /// Starts `threads` reader threads; they end when the last handle is dropped.
    ///
    /// # Errors
    /// The store's fault.
    pub fn start(store: &dyn Store, threads: usize, tasks: &Tasks) -> Result<Self, StoreError> {
        let (queue, inbox) = mpsc::channel::<Option<Work>>(WAITING_MAX);
        let inbox = std::sync::Arc::new(parking_lot::Mutex::new(inbox));
        let threads = threads.max(1);
        for _ in 0..threads {
            let mut reader = store.reader()?;
            let inbox = std::sync::Arc::clone(&inbox);
            tasks
                .spawn_thread("reader", move || {
                    loop {
                        // Held while waiting: the threads take turns at the queue's end.
                        let work = inbox.lock().blocking_recv();
                        match work {
                            Some(Some(work)) => work(reader.as_mut()),
                            Some(None) | None => return,
                        }
                    }
                })
                .map_err(|error| StoreError::Fault {
                    operation: "start reader thread",
                    reason: error.to_string(),
                })?;
        }
        Ok(Self { queue, threads })
    }

    /// Runs `work` on one of the threads.
    ///
    /// # Errors
    /// The store's fault, or [`BrokerError::Stopping`].
    pub async fn run<T, F>(&self, work: F) -> Result<T, BrokerError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let boxed: Work = Box::new(move |reader| {
            // A caller that is gone no longer wants the answer.
            drop(reply.send(work(reader)));
        });
        self.queue
            .send(Some(boxed))
            .await
            .map_err(|_closed| BrokerError::Stopping)?;
        answer
            .await
            .map_err(|_gone| BrokerError::Stopping)?
            .map_err(BrokerError::Store)
    }

    /// Ends the threads once they have read what waits before this.
    pub async fn stop(&self) {
        for _ in 0..self.threads {
            if self.queue.send(None).await.is_err() {
                return;
            }
        }
    }
}
