//! Task sets: everything that runs has a name, a set, and an end that is looked at.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Shutdown;

/// A named set of tasks and threads that stop together. Clones share it.
#[derive(Clone)]
pub struct Tasks {
    set: Arc<Set>,
}

struct Set {
    name: &'static str,
    shutdown: Shutdown,
    token: CancellationToken,
    tracker: TaskTracker,
    running: Mutex<BTreeMap<u64, &'static str>>,
    next_key: AtomicU64,
}

impl fmt::Debug for Tasks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tasks")
            .field("name", &self.set.name)
            .field("running", &self.running())
            .finish_non_exhaustive()
    }
}

/// Takes the name off the list when the task ends, whichever way it ends.
struct Listed {
    set: Arc<Set>,
    key: u64,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.set.running.lock().remove(&self.key);
    }
}

impl Tasks {
    pub(super) fn new(name: &'static str, shutdown: &Shutdown) -> Self {
        Self {
            set: Arc::new(Set {
                name,
                shutdown: shutdown.clone(),
                token: CancellationToken::new(),
                tracker: TaskTracker::new(),
                running: Mutex::new(BTreeMap::new()),
                next_key: AtomicU64::new(0),
            }),
        }
    }

    /// The name of the set.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.set.name
    }

    /// Cancelled when this set has to stop. Every task of the set waits for it.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.set.token
    }

    /// The process this set belongs to.
    #[must_use]
    pub fn shutdown(&self) -> &Shutdown {
        &self.set.shutdown
    }

    /// Runs `future` as a task called `name`. Can be called from any thread.
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listed = self.list(name);
        let task = async move {
            let result = AssertUnwindSafe(future).catch_unwind().await;
            listed.set.settle(name, result);
        };
        // The set's tracker keeps the task; its handle would only be a second way to hold it.
        drop(
            self.set
                .tracker
                .spawn_on(task, &self.set.shutdown.shared.runtime),
        );
    }

    /// Runs `work`, which may block, on the runtime's pool of blocking threads.
    pub fn spawn_blocking<F>(&self, name: &'static str, work: F)
    where
        F: FnOnce() + Send + 'static,
    {
        let listed = self.list(name);
        let task = move || {
            let result = catch_unwind(AssertUnwindSafe(work));
            listed.set.settle(name, result);
        };
        // As in `spawn`: the tracker keeps it.
        drop(
            self.set
                .tracker
                .spawn_blocking_on(task, &self.set.shutdown.shared.runtime),
        );
    }

    /// Runs `work` on a thread of its own called `name`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn_thread<F>(&self, name: &'static str, work: F) -> std::io::Result<()>
    where
        F: FnOnce() + Send + 'static,
    {
        let listed = self.list(name);
        let counted = self.set.tracker.token();
        let body = move || {
            let result = catch_unwind(AssertUnwindSafe(work));
            listed.set.settle(name, result);
            drop(counted);
        };
        // The thread is waited for through the tracker, so its handle may go.
        drop(
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(body)?,
        );
        Ok(())
    }

    /// What still runs: each name once, with how many run under it.
    #[must_use]
    pub fn running(&self) -> Vec<(&'static str, usize)> {
        let mut counts = BTreeMap::new();
        for name in self.set.running.lock().values() {
            *counts.entry(*name).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    /// Tells every task of the set to stop and takes no part in waiting for them.
    pub fn stop(&self) {
        self.set.token.cancel();
        self.set.tracker.close();
    }

    /// Completes when the set is stopped and empty. Cancel-safe.
    pub async fn stopped(&self) {
        self.set.tracker.wait().await;
    }

    fn list(&self, name: &'static str) -> Listed {
        let key = self.set.next_key.fetch_add(1, Ordering::Relaxed);
        self.set.running.lock().insert(key, name);
        Listed {
            set: Arc::clone(&self.set),
            key,
        }
    }
}

impl Set {
    fn settle(&self, name: &'static str, result: Result<(), Box<dyn Any + Send>>) {
        if let Err(panic) = result {
            let why = panic_message(panic.as_ref());
            self.shutdown
                .fail(format!("{} task {name:?} panicked: {why}", self.name));
        }
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "no message".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Handle;

    #[tokio::test]
    async fn a_panic_anywhere_runs_the_hook_then_asks_the_process_to_stop() {
        for way in ["task", "blocking", "thread"] {
            let shutdown = Shutdown::new(Handle::current());
            let seen = Arc::new(Mutex::new(Vec::new()));
            let hook_seen = Arc::clone(&seen);
            shutdown.on_fault(Arc::new(move |message| {
                hook_seen.lock().push(message.to_owned());
            }));
            let tasks = shutdown.tasks("bindings");
            match way {
                "task" => tasks.spawn("push", async { panic!("boom {}", 7) }),
                "blocking" => tasks.spawn_blocking("push", || panic!("boom 7")),
                _ => tasks.spawn_thread("push", || panic!("boom 7")).unwrap(),
            }
            shutdown.requested().await;
            let message = "bindings task \"push\" panicked: boom 7";
            assert_eq!(*seen.lock(), [message], "{way}");
            assert_eq!(shutdown.fault(), Some(message), "{way}");
        }
    }
}
