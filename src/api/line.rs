//! Places of a key's open streams. A stream that finds none stands in line for one, first come, first served; until
//! then a stream of events looks for news from time to time, and a stream of an agent gets no rows.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, broadcast};

use crate::api::Api;
use crate::api::call::Call;
use crate::broker::request::Published;

/// Which streams of a key share places: those that are told of commits, and those that take work, so that neither
/// keeps out the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Events of an intent, or of everything.
    Events,
    /// Rows of an agent.
    Rows,
}

type Waiting = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

/// One stream's place, or its position in the line for one; free for the next when dropped.
pub(super) struct Line {
    places: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    waiting: Option<Waiting>,
    /// How often it looks for news without a place.
    look: Duration,
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Line")
            .field("has_place", &self.held.is_some())
            .finish_non_exhaustive()
    }
}

/// What comes to a stream of events.
#[derive(Debug)]
pub(super) enum News {
    /// What was committed.
    Commit(Arc<Published>),
    /// Perhaps something: the store knows.
    Look,
    /// Nothing will come any more.
    Over,
}

impl Line {
    /// The line that a call's stream stands in.
    pub(super) fn of(api: &Api, call: &Call, kind: Kind) -> Self {
        let settings = api.settings();
        let max = settings.streams_per_key_max;
        let places = api.inner.usage.places(call.caller.key, kind, max);
        let line = Self::new(places, settings.crowded_look);
        if line.held.is_none() {
            tracing::debug!(key = %call.caller.key, ?kind, max, "a key has more streams than places");
        }
        line
    }

    fn new(places: Arc<Semaphore>, look: Duration) -> Self {
        Self {
            held: Arc::clone(&places).try_acquire_owned().ok(),
            places,
            waiting: None,
            look,
        }
    }

    /// Waits for a place. Dropped before that, it keeps its position.
    pub(super) async fn place(&mut self) {
        if self.held.is_some() {
            return;
        }
        let places = &self.places;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(Arc::clone(places).acquire_owned()));
        match waiting.as_mut().await {
            Ok(place) => {
                self.held = Some(place);
                self.waiting = None;
            }
            // Places are never closed.
            Err(AcquireError { .. }) => std::future::pending().await,
        }
    }

    /// Waits for news: with a place for the next commit, without one for a place or the time to look. Loses
    /// nothing when dropped.
    pub(super) async fn news(&mut self, bus: &mut broadcast::Receiver<Arc<Published>>) -> News {
        if self.held.is_none() {
            let look = self.look;
            // A dropped `place` keeps its position, a dropped sleep is only begun anew.
            tokio::select! {
                () = self.place() => {}
                () = tokio::time::sleep(look) => {}
            }
            return News::Look;
        }
        match bus.recv().await {
            Ok(published) => News::Commit(published),
            Err(broadcast::error::RecvError::Lagged(_)) => News::Look,
            Err(broadcast::error::RecvError::Closed) => News::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> Vec<Line> {
        let places = Arc::new(Semaphore::new(1));
        (0..count)
            .map(|_| Line::new(Arc::clone(&places), Duration::from_millis(1)))
            .collect()
    }

    #[tokio::test]
    async fn the_one_that_has_waited_longest_gets_the_place_that_is_given_up() {
        let mut lines = lines(3);
        for line in &mut lines[1..] {
            // It looks once, is dropped, and keeps its position.
            let (sender, mut bus) = broadcast::channel(1);
            assert!(matches!(line.news(&mut bus).await, News::Look));
            assert!(line.held.is_none());
            drop(sender);
        }
        drop(lines.remove(0));
        let late = Line::new(Arc::clone(&lines[0].places), Duration::ZERO);
        assert!(late.held.is_none(), "those in line come first");
        lines[0].place().await;
        assert!(lines[0].held.is_some() && lines[1].held.is_none());
        drop(lines.remove(0));
        lines[0].place().await;
        assert!(lines[0].held.is_some());
    }

    #[tokio::test]
    async fn with_a_place_there_is_news_only_when_something_was_committed() {
        let mut lines = lines(2);
        let (sender, mut bus) = broadcast::channel(1);
        drop(sender);
        // The bus is gone: whoever has a place hears that, whoever has none looks.
        assert!(matches!(lines[0].news(&mut bus).await, News::Over));
        assert!(matches!(lines[1].news(&mut bus).await, News::Look));
    }
}
