//! The feed of everything committed: as a list, and as it happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use tokio::sync::broadcast;

use crate::api::Api;
use crate::api::answer::{Answer, Result};
use crate::api::call::Call;
use crate::api::line::{Kind, Line, News};
use crate::api::sse::{self, Source, Turn, Window};
use crate::broker::Broker;
use crate::broker::request::Published;
use crate::domain::fact::{FeedEntry, FeedItem};
use crate::domain::ids::Cursor;
use crate::store::query::FeedFilter;
use crate::wire::errors::Problem;
use crate::wire::feed;
use crate::wire::json::Object;

/// Items that a stream reads from the store at once.
const READ_AT_ONCE: u32 = 500;

fn filter(api: &Api, call: &Call, since: Cursor) -> Result<FeedFilter, Problem> {
    Ok(FeedFilter {
        since,
        types: call
            .query
            .names("types")
            .into_iter()
            .map(str::to_owned)
            .collect(),
        intent: call.query.parsed("intent_id")?,
        agent: call.query.address("agent", api)?,
    })
}

/// True when an item passes a filter.
fn passes(item: &FeedItem, filter: &FeedFilter) -> bool {
    let (intent, agent) = match &item.entry {
        FeedEntry::Intent { fact, agent, .. } => (Some(fact.intent), Some(agent)),
        FeedEntry::Notice(notice) => (None, notice.agent.as_ref()),
    };
    feed::is_of_types(item, &filter.types)
        && filter.intent.is_none_or(|wanted| intent == Some(wanted))
        && filter
            .agent
            .as_ref()
            .is_none_or(|wanted| agent == Some(wanted))
}

/// `GET /v1/events`.
pub(super) async fn list(State(api): State<Api>, call: Call) -> Result {
    call.caller.must_be_admin()?;
    let since = Cursor(call.query.number("since", 0)?);
    let filter = filter(&api, &call, since)?;
    let limit = call.query.limit(200, 1000)?;
    let wait = match call.query.get("wait_ms") {
        None => call.query.seconds("wait_seconds", 0, 60, 0)?,
        Some(_given) => Duration::from_millis(call.query.number("wait_ms", 0)?.min(60_000)),
    };
    // Subscribed before the store is read, so that nothing is missed in between.
    let mut bus = api.broker().subscribe();
    let mut found = read(api.broker(), filter.clone(), limit).await?;
    let is_empty = found.items.is_empty();
    if is_empty && !wait.is_zero() && wait_for_item(&api, &mut bus, &filter, wait).await {
        found = read(api.broker(), filter, limit).await?;
    }
    let Found {
        items,
        next,
        head,
        oldest,
    } = found;
    Ok(Answer(
        Object::ok()
            .list("events", items.iter().map(feed::item))
            .number("next_since", next.0.max(since.0))
            .number("oldest", oldest.0)
            .number("head", head.0),
    ))
}

async fn read(broker: &Broker, filter: FeedFilter, limit: u32) -> Result<Found> {
    let since = filter.since;
    let found = broker
        .read(move |reader| {
            let oldest = reader.oldest()?;
            let (items, next) = reader.feed(&filter, limit)?;
            Ok(Found {
                items,
                next,
                head: reader.head()?,
                oldest,
            })
        })
        .await?;
    // From the beginning means from the oldest; from a position that is gone means that something is missed.
    if since.0 > 0 && since.0.saturating_add(1) < found.oldest.0 {
        return Err(Problem::new(
            "cursor_expired",
            format!("the feed begins at {} by now", found.oldest),
        )
        .with(serde_json::json!({ "oldest": found.oldest.0 }))
        .into());
    }
    Ok(found)
}

/// A piece of the feed.
struct Found {
    items: Vec<FeedItem>,
    next: Cursor,
    head: Cursor,
    oldest: Cursor,
}

/// Waits until something passes the filter. False when the time was up first.
async fn wait_for_item(
    api: &Api,
    bus: &mut broadcast::Receiver<Arc<Published>>,
    filter: &FeedFilter,
    wait: Duration,
) -> bool {
    let something = async {
        loop {
            match bus.recv().await {
                Ok(published) => {
                    if published.items.iter().any(|item| passes(item, filter)) {
                        return true;
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => return true,
                Err(broadcast::error::RecvError::Closed) => return false,
            }
        }
    };
    // A broadcast's `recv` loses nothing when dropped.
    tokio::select! {
        () = api.inner.stop.cancelled() => false,
        () = tokio::time::sleep(wait) => false,
        has_come = something => has_come,
    }
}

/// `GET /v1/events/stream`.
pub(super) async fn stream(State(api): State<Api>, call: Call) -> Result<Response> {
    call.caller.must_be_admin()?;
    let wait = call.query.seconds("wait_seconds", 1, 300, 60)?;
    let bus = api.broker().subscribe();
    let since = match call.query.get("since") {
        Some(_given) => Cursor(call.query.number("since", 0)?),
        None => api.broker().read(|reader| reader.head()).await?,
    };
    let filter = filter(&api, &call, since)?;
    // A position that is gone is refused while that can still be said.
    read(api.broker(), filter.clone(), 0).await?;
    Ok(sse::respond(FeedStream {
        broker: api.broker().clone(),
        filter,
        waiting: VecDeque::new(),
        bus,
        is_behind: true,
        line: Line::of(&api, &call, Kind::Events),
        window: Window::open(&api, &call, wait, false),
        phase: Phase::Open,
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Closing,
    Closed,
}

struct FeedStream {
    broker: Broker,
    /// Its `since` is the last position examined.
    filter: FeedFilter,
    waiting: VecDeque<FeedItem>,
    bus: broadcast::Receiver<Arc<Published>>,
    /// True while the store has more than was examined.
    is_behind: bool,
    line: Line,
    window: Window,
    phase: Phase,
}

impl FeedStream {
    async fn read_store(&mut self) -> Result<()> {
        let found = read(&self.broker, self.filter.clone(), READ_AT_ONCE).await?;
        self.waiting.extend(found.items);
        self.filter.since = found.next.max(self.filter.since);
        self.is_behind = self.filter.since < found.head;
        Ok(())
    }

    /// Takes a commit: what was examined already is skipped, what comes too early is read.
    fn take_commit(&mut self, published: &Published) {
        for item in &published.items {
            if item.cursor <= self.filter.since {
                continue;
            }
            if item.cursor.0 > self.filter.since.0.saturating_add(1) {
                self.is_behind = true;
                return;
            }
            self.filter.since = item.cursor;
            if passes(item, &self.filter) {
                self.waiting.push_back(item.clone());
            }
        }
    }

    fn frames(&mut self) -> Option<String> {
        if self.waiting.is_empty() {
            return None;
        }
        let mut text = String::new();
        while let Some(item) = self.waiting.pop_front() {
            let json = feed::item(&item).finish();
            sse::frame(&mut text, item.cursor, feed::type_name(&item), &json);
        }
        self.window.has_sent();
        Some(text)
    }
}

impl Source for FeedStream {
    async fn next(&mut self) -> Option<String> {
        loop {
            match self.phase {
                Phase::Closed => return None,
                Phase::Closing => {
                    self.phase = Phase::Closed;
                    return Some(sse::farewell("next_since", self.filter.since.0));
                }
                Phase::Open => {}
            }
            if let Some(text) = self.frames() {
                return Some(text);
            }
            if self.is_behind {
                if self.read_store().await.is_err() {
                    self.phase = Phase::Closing;
                }
                continue;
            }
            match self.window.turn(self.line.news(&mut self.bus)).await {
                Turn::Item(News::Commit(published)) => self.take_commit(&published),
                Turn::Item(News::Look) => self.is_behind = true,
                Turn::Item(News::Over) | Turn::End | Turn::Revoked => self.phase = Phase::Closing,
                Turn::Silence => return Some(sse::keepalive()),
            }
        }
    }
}
