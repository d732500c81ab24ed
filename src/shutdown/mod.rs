//! Starting and stopping work: named task sets, the one request to stop, and the order of the end.
//!
//! Invariants:
//! 1. Every task and thread of the process belongs to a [`Tasks`] set and has a name; nothing else
//!    starts one.
//! 2. A panic in any of them runs the hook (the terminal is restored), is remembered as the
//!    [`Shutdown::fault`] and requests the stop of the whole process. It never limps on.
//! 3. A set stops on its own token, so that sets stop in order: doors, bindings, writer, store.
//! 4. Each step of stopping has a budget, and says what it left behind. A second signal skips all
//!    waiting; what was acknowledged is on disk already and what was in flight has its lease.
//!
//! Not here: which sets there are and how long they get (`app`, `config`). Tested at the end of
//! `order.rs` and `tasks.rs`.

mod order;
mod tasks;

pub use order::{StopOrder, StopReport, StopStep};
pub use tasks::Tasks;

use std::fmt;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// What is run with the message of a fault before anything else happens to the process.
pub type FaultHook = Arc<dyn Fn(&str) + Send + Sync>;

/// What SIGHUP, the end of a terminal session, means.
#[derive(Debug, Clone)]
pub enum Hangup {
    /// It asks for the stop like the other signals.
    Stops,
    /// Only what needs the terminal ends: this token is cancelled, the rest goes on.
    Leaves(CancellationToken),
}

/// The one request to stop. Clones share it.
#[derive(Clone)]
pub struct Shutdown {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Handle,
    requested: CancellationToken,
    hurried: CancellationToken,
    fault: OnceLock<String>,
    hook: Mutex<Option<FaultHook>>,
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Shutdown")
            .field("is_requested", &self.is_requested())
            .field("fault", &self.fault())
            .finish_non_exhaustive()
    }
}

impl Shutdown {
    /// Nothing requested yet; tasks will run on `runtime`.
    #[must_use]
    pub fn new(runtime: Handle) -> Self {
        let shared = Shared {
            runtime,
            requested: CancellationToken::new(),
            hurried: CancellationToken::new(),
            fault: OnceLock::new(),
            hook: Mutex::new(None),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Sets what a fault runs first, such as restoring the terminal. The last hook set counts.
    pub fn on_fault(&self, hook: FaultHook) {
        *self.shared.hook.lock() = Some(hook);
    }

    /// A new, empty set of tasks with a token of its own.
    #[must_use]
    pub fn tasks(&self, name: &'static str) -> Tasks {
        Tasks::new(name, self)
    }

    /// Asks the process to stop in order; asking again skips the waiting.
    pub fn request(&self) {
        if self.is_requested() {
            self.hurry();
        }
        self.shared.requested.cancel();
    }

    /// Skips all waiting of the stop steps, present and future.
    pub fn hurry(&self) {
        self.shared.hurried.cancel();
    }

    /// Stops the process because of a fault: hook, message, request. The first fault is kept.
    pub fn fail(&self, message: String) {
        tracing::error!(fault = message, "stopping");
        let hook = self.shared.hook.lock().clone();
        if let Some(hook) = hook {
            hook(&message);
        }
        // A second fault is usually the echo of the first; it is in the log.
        drop(self.shared.fault.set(message));
        self.shared.requested.cancel();
    }

    /// True once somebody asked for the stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.shared.requested.is_cancelled()
    }

    /// The fault that stopped the process, if one did.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.shared.fault.get().map(String::as_str)
    }

    /// Completes when somebody asks for the stop. Cancel-safe.
    pub async fn requested(&self) {
        self.shared.requested.cancelled().await;
    }

    /// The token behind [`Self::requested`], for code that wants a token.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.shared.requested.clone()
    }

    /// Watches SIGINT, SIGTERM and SIGHUP in `tasks`: the first requests the stop, the next hurry.
    /// `hangup` says whether SIGHUP is one of them.
    ///
    /// # Errors
    /// When the process may not install a handler.
    pub fn watch_signals(&self, tasks: &Tasks, hangup: Hangup) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let _context = self.shared.runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hung_up = signal(SignalKind::hangup())?;
        let shutdown = self.clone();
        let stop = tasks.token().clone();
        tasks.spawn("signals", async move {
            loop {
                // `recv` and `cancelled` are cancel-safe: dropping them loses no signal.
                let name = tokio::select! {
                    _ = interrupt.recv() => "SIGINT",
                    _ = terminate.recv() => "SIGTERM",
                    _ = hung_up.recv() => match &hangup {
                        Hangup::Stops => "SIGHUP",
                        Hangup::Leaves(token) => {
                            tracing::info!(signal = "SIGHUP", "the session is gone");
                            token.cancel();
                            continue;
                        }
                    },
                    () = stop.cancelled() => break,
                };
                tracing::info!(signal = name, "asked to stop");
                shutdown.request();
            }
        });
        Ok(())
    }
}
