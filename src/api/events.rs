//! Events of one intent: as a list, and as they happen.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use tokio::sync::broadcast;

use crate::api::answer::{Answer, Result};
use crate::api::call::Call;
use crate::api::line::{Kind, Line, News};
use crate::api::sse::{self, Source, Turn, Window};
use crate::api::{Api, intents};
use crate::broker::Broker;
use crate::broker::request::Published;
use crate::domain::fact::{Fact, FeedEntry};
use crate::domain::ids::IntentId;
use crate::wire::events::{Event, Teller};
use crate::wire::facts;
use crate::wire::json::Object;

/// `GET /v1/intents/{id}/events`.
pub(super) async fn list(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    let since = call.query.number("since", 0)?;
    let intent = intents::visible(&api, &call, &text).await?;
    let id = intent.id;
    let facts = api.broker().read(move |reader| reader.facts(id, 0)).await?;
    let mut list = String::from("[");
    for event in Teller::all(&facts)
        .iter()
        .filter(|event| u64::from(event.seq) > since)
    {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(&event.json);
    }
    list.push(']');
    Ok(Answer(Object::ok().raw("events", &list)))
}

/// `GET /v1/intents/{id}/facts`.
pub(super) async fn facts(State(api): State<Api>, call: Call, Path(text): Path<String>) -> Result {
    call.caller.must_be_admin()?;
    let id = intents::visible(&api, &call, &text).await?.id;
    let facts = api.broker().read(move |reader| reader.facts(id, 0)).await?;
    Ok(Answer(Object::ok().list("facts", facts::objects(&facts))))
}

/// `GET /v1/intents/{id}/events/stream`.
pub(super) async fn stream(
    State(api): State<Api>,
    call: Call,
    Path(text): Path<String>,
) -> Result<Response> {
    let given = call.query.number("since", 0)?;
    // The one reader whose `since` is the next number instead of the last.
    let is_inclusive = api.settings().is_watch_inclusive && sse::is_unnamed_go(&call.headers);
    let counts = if is_inclusive {
        Counts::Next
    } else {
        Counts::Last
    };
    let wait = call.query.seconds("wait_seconds", 1, 60, 15)?;
    // Subscribed before the store is read: what is committed in between comes twice, and is told once.
    let bus = api.broker().subscribe();
    let intent = intents::visible(&api, &call, &text).await?;
    let closes_early = Window::closes_early(&api, &call.headers, sse::Stream::Events);
    let mut events = EventStream {
        broker: api.broker().clone(),
        id: intent.id,
        since: counts.last_of(given),
        counts,
        teller: Teller::new(),
        waiting: VecDeque::new(),
        bus,
        line: Line::of(&api, &call, Kind::Events),
        window: Window::open(&api, &call, wait, closes_early),
        phase: Phase::Open,
    };
    events.read_store().await?;
    Ok(sse::respond(events))
}

/// What a reader means by `since`, and by the `next_seq` that it gives back as `since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// The last event it has.
    Last,
    /// The first one it wants.
    Next,
}

impl Counts {
    const fn last_of(self, given: u64) -> u64 {
        match self {
            Self::Last => given,
            Self::Next => given.saturating_sub(1),
        }
    }

    const fn said(self, last: u64) -> u64 {
        match self {
            Self::Last => last,
            Self::Next => last.saturating_add(1),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Closing,
    Closed,
}

struct EventStream {
    broker: Broker,
    id: IntentId,
    /// The last event sent, or what the reader has already.
    since: u64,
    counts: Counts,
    teller: Teller,
    waiting: VecDeque<Event>,
    bus: broadcast::Receiver<Arc<Published>>,
    line: Line,
    window: Window,
    phase: Phase,
}

impl EventStream {
    /// Takes what the store has beyond what was told.
    async fn read_store(&mut self) -> Result<()> {
        let (id, after) = (self.id, self.teller.fact_seq);
        let facts = self
            .broker
            .read(move |reader| reader.facts(id, after))
            .await?;
        for fact in &facts {
            self.take(fact);
        }
        Ok(())
    }

    fn take(&mut self, fact: &Fact) {
        if fact.seq <= self.teller.fact_seq {
            return;
        }
        if let Some(event) = self.teller.tell(fact)
            && u64::from(event.seq) > self.since
        {
            self.waiting.push_back(event);
        }
    }

    /// Takes a commit. False when facts before it are missing.
    fn take_commit(&mut self, published: &Published) -> bool {
        for item in &published.items {
            if let FeedEntry::Intent { fact, .. } = &item.entry
                && fact.intent == self.id
            {
                if fact.seq > self.teller.fact_seq.saturating_add(1) {
                    return false;
                }
                self.take(fact);
            }
        }
        true
    }

    fn frames(&mut self) -> Option<String> {
        if self.waiting.is_empty() {
            return None;
        }
        let mut text = String::new();
        while let Some(event) = self.waiting.pop_front() {
            sse::frame(&mut text, event.seq, event.event_type, &event.line);
            self.since = u64::from(event.seq);
            if event.status.is_terminal() {
                // Whoever asks for the last event once more would be answered at once, for ever.
                self.phase = match self.counts {
                    Counts::Last => Phase::Closed,
                    Counts::Next => Phase::Closing,
                };
            }
        }
        self.window.has_sent();
        Some(text)
    }
}

impl Source for EventStream {
    async fn next(&mut self) -> Option<String> {
        loop {
            match self.phase {
                Phase::Closed => return None,
                Phase::Closing => {
                    self.phase = Phase::Closed;
                    return Some(sse::farewell("next_seq", self.counts.said(self.since)));
                }
                Phase::Open => {}
            }
            if let Some(text) = self.frames() {
                return Some(text);
            }
            let news = self.line.news(&mut self.bus);
            let is_behind = match self.window.turn(news).await {
                Turn::Item(News::Commit(published)) => !self.take_commit(&published),
                Turn::Item(News::Look) => true,
                Turn::Item(News::Over) | Turn::End | Turn::Revoked => {
                    self.phase = Phase::Closing;
                    false
                }
                Turn::Silence => return Some(sse::keepalive()),
            };
            if is_behind && self.read_store().await.is_err() {
                // The reader comes back with what it has; nothing is lost by ending here.
                self.phase = Phase::Closing;
            }
        }
    }
}
