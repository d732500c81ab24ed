//! How well the feed comes: live, late, stale or down. The header never claims more than it knows.

use crate::clock::Mono;
use crate::console::feed::retry_pause;
use crate::domain::time::Span;

/// The feed answers at least every second; an age above this is a lag.
const LAG_MS: u64 = 2_500;
/// Above this the rows may be wrong, and acting on them is off.
const STALE_MS: u64 = 10_000;

/// What the header says about the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// The first answer has not come.
    Connecting,
    /// All is well; the age of the last frame.
    Live(Span),
    /// The last frame is late.
    Lag(Span),
    /// So late that what is shown may be wrong.
    Stale(Span),
    /// The broker cannot be reached; the time until the next try.
    Down(Span),
}

/// The link to the broker.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    started: Mono,
    last_frame: Option<Mono>,
    failed_at: Option<Mono>,
    failures: u32,
    error: Option<String>,
}

impl Link {
    /// Nothing heard yet.
    pub(crate) const fn new(now: Mono) -> Self {
        Self {
            started: now,
            last_frame: None,
            failed_at: None,
            failures: 0,
            error: None,
        }
    }

    /// The feed answered.
    pub(crate) fn heard(&mut self, now: Mono) {
        self.last_frame = Some(now);
        self.failed_at = None;
        self.failures = 0;
        self.error = None;
    }

    /// The feed failed.
    pub(crate) fn failed(&mut self, now: Mono, error: String) {
        self.failed_at = Some(now);
        self.failures = self.failures.saturating_add(1);
        self.error = Some(error);
    }

    /// True while the last call of the feed failed.
    pub(crate) const fn is_down(&self) -> bool {
        self.failed_at.is_some()
    }

    /// Why the last call failed.
    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Where it stands now.
    pub(crate) fn state(&self, now: Mono) -> LinkState {
        if let Some(failed_at) = self.failed_at {
            let pause = retry_pause(self.failures);
            return LinkState::Down(span(pause.saturating_sub(now.since(failed_at))));
        }
        let Some(last_frame) = self.last_frame else {
            return if age_ms(now, self.started) > STALE_MS {
                LinkState::Stale(span(now.since(self.started)))
            } else {
                LinkState::Connecting
            };
        };
        let age = span(now.since(last_frame));
        match age_ms(now, last_frame) {
            ..LAG_MS => LinkState::Live(age),
            LAG_MS..STALE_MS => LinkState::Lag(age),
            _ => LinkState::Stale(age),
        }
    }

    /// Why acting is off, if it is.
    pub(crate) fn blocks(&self, now: Mono) -> Option<String> {
        match self.state(now) {
            LinkState::Live(_) | LinkState::Lag(_) => None,
            LinkState::Connecting => Some("waiting for the broker's first answer".to_owned()),
            LinkState::Stale(_) => Some("the link is stale, the rows may be wrong".to_owned()),
            LinkState::Down(_) => Some("the broker cannot be reached".to_owned()),
        }
    }

    /// The age of the last frame.
    pub(crate) fn fresh(&self, now: Mono) -> Option<Span> {
        self.last_frame
            .map(|last_frame| span(now.since(last_frame)))
    }
}

fn age_ms(now: Mono, earlier: Mono) -> u64 {
    u64::try_from(now.since(earlier).as_millis()).unwrap_or(u64::MAX)
}

fn span(duration: std::time::Duration) -> Span {
    Span::from_millis(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(ms: u64) -> Mono {
        Mono::from_start(Duration::from_millis(ms))
    }

    #[test]
    fn the_link_grows_old_and_goes_down_and_comes_back() {
        let mut link = Link::new(at(0));
        assert_eq!(link.state(at(100)), LinkState::Connecting);
        assert!(link.blocks(at(100)).is_some());
        link.heard(at(1_000));
        assert_eq!(
            link.state(at(1_900)),
            LinkState::Live(Span::from_millis(900))
        );
        assert_eq!(link.blocks(at(1_900)), None);
        assert_eq!(
            link.state(at(4_100)),
            LinkState::Lag(Span::from_millis(3_100))
        );
        assert_eq!(
            link.state(at(13_000)),
            LinkState::Stale(Span::from_millis(12_000))
        );
        assert!(link.blocks(at(13_000)).is_some());
        link.failed(at(13_000), "gone".to_owned());
        link.failed(at(13_500), "gone".to_owned());
        assert_eq!(
            link.state(at(13_600)),
            LinkState::Down(Span::from_millis(900))
        );
        link.heard(at(15_000));
        assert_eq!(link.state(at(15_000)), LinkState::Live(Span::ZERO));
    }
}
