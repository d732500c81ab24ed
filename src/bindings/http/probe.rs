//! Where the time of an exchange goes.
//!
//! The HTTP client resolves and connects behind our back, and its pool may let one call use the
//! connection that another one opened. So the call in progress carries a [`Probe`] in its task, and
//! whoever resolves or connects while it is polled writes there. A connection that comes from the
//! pool leaves both times empty, which is the truth.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tower::{Layer, Service};

use crate::clock::{Clock, Mono};

tokio::task_local! {
    static CURRENT: Probe;
}

/// The watch of one exchange. Cloning gives the same watch.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    clock: Arc<dyn Clock>,
    marks: Arc<Mutex<Marks>>,
}

/// What has begun and ended so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    pub(super) resolve_begun: Option<Mono>,
    pub(super) resolve_ended: Option<Mono>,
    pub(super) connect_begun: Option<Mono>,
    pub(super) connect_ended: Option<Mono>,
}

impl Marks {
    /// Milliseconds of name resolution.
    pub(super) fn resolve_ms(&self) -> Option<u32> {
        Some(millis(self.resolve_begun?, self.resolve_ended?))
    }

    /// Milliseconds of connecting, without the name resolution that is part of it.
    pub(super) fn connect_ms(&self) -> Option<u32> {
        let all = millis(self.connect_begun?, self.connect_ended?);
        Some(all.saturating_sub(self.resolve_ms().unwrap_or(0)))
    }

    /// The step that has begun and not ended, in words.
    pub(super) const fn phase(&self, is_answering: bool) -> &'static str {
        if is_answering {
            "while its body was read"
        } else if self.resolve_begun.is_some() && self.resolve_ended.is_none() {
            "while the name was resolved"
        } else if self.connect_begun.is_some() && self.connect_ended.is_none() {
            "while connecting"
        } else {
            "while waiting for it"
        }
    }
}

/// Whole milliseconds from one instant to a later one.
pub(super) fn millis(from: Mono, to: Mono) -> u32 {
    u32::try_from(to.since(from).as_millis()).unwrap_or(u32::MAX)
}

impl Probe {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            marks: Arc::default(),
        }
    }

    /// The watch of the exchange that is being polled, if one is.
    pub(super) fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs an exchange under this watch.
    pub(super) async fn watch<F: Future>(&self, exchange: F) -> F::Output {
        CURRENT.scope(self.clone(), exchange).await
    }

    pub(super) fn marks(&self) -> Marks {
        *self.marks.lock()
    }

    pub(super) fn resolve_begins(&self) {
        self.marks.lock().resolve_begun = Some(self.clock.elapsed());
    }

    pub(super) fn resolve_ends(&self) {
        self.marks.lock().resolve_ended = Some(self.clock.elapsed());
    }
}

/// Puts a stop watch around the client's connector.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimedLayer;

/// The client's connector with a stop watch around it: resolution, TCP and TLS together.
#[derive(Debug, Clone)]
pub(super) struct Timed<S>(S);

impl<S> Layer<S> for TimedLayer {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed(inner)
    }
}

impl<S, R> Service<R> for Timed<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let probe = Probe::current();
        if let Some(probe) = &probe {
            probe.marks.lock().connect_begun = Some(probe.clock.elapsed());
        }
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connected = connecting.await;
            if let Some(probe) = &probe
                && connected.is_ok()
            {
                probe.marks.lock().connect_ended = Some(probe.clock.elapsed());
            }
            connected
        })
    }
}
