//! The live tail of the desk: from the bus while it keeps up with it, from the store otherwise.
//!
//! Nobody reads a hundred thousand facts in a second, and what is made ready for a screen is paid by the
//! deliveries. So a page has the newest items, and of those before them only what somebody waits for: acts of
//! people and jobs. It says how many it leaves out; all of them are in the store.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::broker::Broker;
use crate::broker::request::Published;
use crate::desk::rows::FeedRow;
use crate::desk::{DeskError, FeedPage};
use crate::domain::fact::{FactBody, FeedEntry, FeedItem};
use crate::domain::ids::Cursor;
use crate::domain::payload::Payload;
use crate::store::Reader;
use crate::store::error::StoreError;
use crate::store::query::FeedFilter;
use crate::wire::events::fact_details;

/// Newest items in one answer, and the most of those before them that are told all the same.
const FEED_MAX: u32 = 500;
/// How far the tail may be behind before what is in between is left out.
const FEED_BEHIND_MAX: u64 = 5000;

/// Where the desk listens to the bus.
#[derive(Debug, Clone, Default)]
pub(super) struct Tap(Arc<Mutex<Option<Watch>>>);

/// Everything after `next` comes by `commits`.
#[derive(Debug)]
struct Watch {
    commits: Receiver<Arc<Published>>,
    next: Cursor,
}

/// What the bus has brought.
enum Brought {
    Commits(Vec<Arc<Published>>),
    Nothing,
    /// More than the bus keeps: the store knows.
    TooMuch,
}

impl Tap {
    /// What was committed after `since`; waits for so many milliseconds when there is nothing yet.
    pub(super) async fn feed(
        &self,
        broker: &Broker,
        since: Option<Cursor>,
        wait_ms: u64,
    ) -> Result<FeedPage, DeskError> {
        let mut place = self.0.lock().await;
        // Taken, so that a call which is given up leaves none behind that has lost something.
        let known = place.take().filter(|watch| Some(watch.next) == since);
        let mut watch = match known {
            Some(watch) => watch,
            None => match from_store(broker, since).await? {
                (Some(watch), page) if page.rows.is_empty() && wait_ms > 0 => watch,
                (watch, page) => {
                    *place = watch;
                    return Ok(page);
                }
            },
        };
        let page = match watch.bring(Duration::from_millis(wait_ms)).await {
            Brought::Commits(commits) => watch.page(&commits),
            Brought::Nothing => watch.page(&[]),
            Brought::TooMuch => {
                let (watch, page) = from_store(broker, since).await?;
                *place = watch;
                return Ok(page);
            }
        };
        *place = Some(watch);
        Ok(page)
    }
}

impl Watch {
    async fn bring(&mut self, wait: Duration) -> Brought {
        let mut commits = Vec::new();
        let first = tokio::time::timeout(wait, async {
            loop {
                match self.commits.recv().await {
                    // A commit without anything for the feed is no news.
                    Ok(published) if self.is_old(&published) => {}
                    other => return other,
                }
            }
        });
        match first.await {
            Ok(Ok(published)) => commits.push(published),
            Ok(Err(RecvError::Lagged(_))) => return Brought::TooMuch,
            Ok(Err(RecvError::Closed)) | Err(_) => return Brought::Nothing,
        }
        loop {
            match self.commits.try_recv() {
                Ok(published) => commits.push(published),
                Err(TryRecvError::Lagged(_)) => return Brought::TooMuch,
                Err(TryRecvError::Empty | TryRecvError::Closed) => {
                    return Brought::Commits(commits);
                }
            }
        }
    }

    fn is_old(&self, published: &Published) -> bool {
        published
            .items
            .last()
            .is_none_or(|item| item.cursor <= self.next)
    }

    fn page(&mut self, commits: &[Arc<Published>]) -> FeedPage {
        let since = self.next;
        let new = || {
            let items = commits.iter().flat_map(|published| &published.items);
            items.filter(|item| item.cursor > since)
        };
        let newest = usize::try_from(FEED_MAX).unwrap_or(usize::MAX);
        let before = new().count().saturating_sub(newest);
        let mut skipped = 0;
        let mut rows = Vec::new();
        for (index, item) in new().enumerate() {
            self.next = item.cursor;
            if index >= before || (is_awaited(item) && rows.len() < newest) {
                rows.push(feed_row(item.clone()));
            } else {
                skipped += 1;
            }
        }
        FeedPage {
            rows,
            skipped,
            next: self.next,
            head: self.next,
        }
    }
}

/// Acts of people, and what is not about an intent, such as jobs: rare, and somebody looks out for them.
const fn is_awaited(item: &FeedItem) -> bool {
    match &item.entry {
        FeedEntry::Intent { fact, .. } => matches!(fact.body, FactBody::TaskDecided(_)),
        FeedEntry::Notice(_) => true,
    }
}

/// A page of the store, and what goes on from there when it ends where the store does.
async fn from_store(
    broker: &Broker,
    since: Option<Cursor>,
) -> Result<(Option<Watch>, FeedPage), DeskError> {
    // Subscribed before the read: what is committed in between comes by the bus.
    let commits = broker.subscribe();
    let page = broker.read(move |reader| read(reader, since)).await?;
    let next = page.next;
    let watch = (next >= page.head).then_some(Watch { commits, next });
    Ok((watch, page))
}

fn read(reader: &mut dyn Reader, since: Option<Cursor>) -> Result<FeedPage, StoreError> {
    let head = reader.head()?;
    let asked = since.unwrap_or(head);
    let is_far_behind = head.0.saturating_sub(asked.0) > FEED_BEHIND_MAX;
    let from = if is_far_behind {
        Cursor(head.0.saturating_sub(u64::from(FEED_MAX)))
    } else {
        asked
    };
    let filter = FeedFilter {
        since: from,
        ..FeedFilter::default()
    };
    let (items, next) = reader.feed(&filter, FEED_MAX)?;
    let next = next.max(from);
    Ok(FeedPage {
        rows: items.into_iter().map(feed_row).collect(),
        skipped: from.0.saturating_sub(asked.0),
        next,
        head: head.max(next),
    })
}

fn feed_row(item: FeedItem) -> FeedRow {
    match item.entry {
        FeedEntry::Intent {
            fact,
            agent,
            status,
        } => FeedRow {
            cursor: item.cursor,
            at: fact.at,
            kind: fact.body.type_name().to_owned(),
            intent: Some(fact.intent),
            agent: Some(agent),
            status: Some(status),
            actor: fact.actor.name().to_owned(),
            data: Payload::trusted(fact_details(&fact.body).finish()),
        },
        FeedEntry::Notice(notice) => FeedRow {
            cursor: item.cursor,
            at: notice.at,
            kind: notice.kind,
            intent: None,
            agent: notice.agent,
            status: None,
            actor: notice.actor.name().to_owned(),
            data: notice.data,
        },
    }
}
