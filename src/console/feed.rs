//! The only part of the console that waits: it asks the desk, off the screen's thread, and brings
//! answers and committed facts back as news.
//!
//! The feed is one long poll after another from the last cursor. An error makes it wait, longer
//! each time, and the model says so in the header. Both channels are bounded: when the console does
//! not keep up, the feed waits here, and nothing else in the process does.

mod export;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio_util::sync::CancellationToken;

use crate::console::model::comparing::With;
use crate::console::task::{News, Order, Pair, Query, Reply, Task};
use crate::desk::rows::IntentRow;
use crate::desk::{Desk, DeskError, FeedPage};
use crate::domain::ids::{Cursor, IntentId};
use crate::domain::status::Status;
use crate::store::query::{AttemptFilter, IntentFilter, PageRequest};

/// How long one call of the feed may wait for something to happen. Short enough that the age of the
/// last frame, which the header shows, stays under a second while the link is well.
const POLL_MS: u64 = 850;

/// The pause after a page that brought something: more pages in a second than a screen shows frames are
/// read for nobody.
const PACE: Duration = Duration::from_millis(50);

/// The longest pause before the desk is asked again after an error.
const RETRY_MAX: Duration = Duration::from_secs(8);

/// The first pause after an error; it doubles.
const RETRY_FIRST: Duration = Duration::from_millis(500);

/// Rows of the attempts that go with an agent.
const AGENT_ATTEMPTS: u32 = 30;

/// Relatives that are read of each kind.
const FAMILY_MAX: u32 = 100;

/// Items that go with a job.
const JOB_ITEMS: u32 = 100;

/// The pause after `failures` failures in a row.
pub(crate) fn retry_pause(failures: u32) -> Duration {
    let doubled =
        RETRY_FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(8)));
    doubled.min(RETRY_MAX)
}

/// Runs until `stop`, or until the console no longer listens.
pub(crate) async fn run(
    desk: Arc<dyn Desk>,
    mut tasks: Receiver<Task>,
    news: Sender<News>,
    stop: CancellationToken,
) {
    let mut working = FuturesUnordered::new();
    let mut cursor: Option<Cursor> = None;
    let mut failures = 0_u32;
    // The first call only asks where the feed stands, so it must not wait for something to happen.
    let mut poll = std::pin::pin!(next_page(Arc::clone(&desk), cursor, Duration::ZERO, 0));
    loop {
        // Every branch may be dropped: `recv` and `next` are cancel-safe, `poll` is pinned outside
        // and goes on where it was.
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            task = tasks.recv() => match task {
                Some(task) => working.push(work(Arc::clone(&desk), task)),
                None => return,
            },
            Some(item) = working.next(), if !working.is_empty() => {
                if let Some(item) = item && news.send(item).await.is_err() {
                    return;
                }
            }
            page = &mut poll => {
                let (pause, wait_ms) = if let Ok(page) = &page {
                    failures = 0;
                    cursor = Some(page.next);
                    let is_quiet = page.rows.is_empty();
                    (if is_quiet { Duration::ZERO } else { PACE }, POLL_MS)
                } else {
                    failures = failures.saturating_add(1);
                    (retry_pause(failures), 0)
                };
                poll.set(next_page(Arc::clone(&desk), cursor, pause, wait_ms));
                if news.send(News::Feed(page)).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn next_page(
    desk: Arc<dyn Desk>,
    since: Option<Cursor>,
    pause: Duration,
    wait_ms: u64,
) -> Result<FeedPage, DeskError> {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    let wait_ms = since.map_or(0, |_| wait_ms);
    desk.feed(since, wait_ms).await
}

pub(super) async fn work(desk: Arc<dyn Desk>, task: Task) -> Option<News> {
    match task {
        Task::Read(query) => {
            let result = answer(desk.as_ref(), &query).await;
            Some(News::Answer(query, Box::new(result)))
        }
        Task::Act(ticket, act) => Some(News::Done(ticket, desk.act(*act).await)),
        Task::Order(ticket, order) => {
            let result = match order {
                Order::Start(job) => desk.start_job(*job).await,
                Order::Control(id, control) => desk.control_job(id, control).await,
            };
            Some(News::Ordered(ticket, Box::new(result)))
        }
        Task::Export(order) => {
            let result = export::export(desk.as_ref(), &order).await;
            Some(News::Exported(order.path, result))
        }
        Task::Copy(_)
        | Task::Edit(_)
        | Task::Redraw
        | Task::Record
        | Task::Suspend
        | Task::Return
        | Task::Bell
        | Task::Notify(_)
        | Task::Quit => None,
    }
}

async fn answer(desk: &dyn Desk, query: &Query) -> Result<Reply, DeskError> {
    Ok(match query.clone() {
        Query::Hello => Reply::Hello(Box::new(desk.hello().await?)),
        Query::Overview => Reply::Overview(Box::new(desk.overview().await?)),
        Query::Held => Reply::Held(desk.held().await?),
        Query::Agents => Reply::Agents(desk.agents().await?),
        Query::Tasks(filter, page) | Query::OpenTasks(filter, page) => {
            Reply::Tasks(desk.tasks(filter, page).await?)
        }
        Query::Thread(id) => Reply::Thread(Box::new(desk.thread(id).await?)),
        Query::Intents(filter, page) => Reply::Intents(desk.intents(filter, page).await?),
        Query::Intent(id) | Query::Source(id) => Reply::Intent(Box::new(desk.intent(id).await?)),
        Query::Family {
            origin,
            correlation,
            ..
        } => Reply::Family(family(desk, origin, correlation).await?),
        Query::Find(text) => {
            let filter = IntentFilter {
                text: Some(text),
                ..IntentFilter::default()
            };
            let page = PageRequest {
                limit: 10,
                cursor: None,
            };
            Reply::Intents(desk.intents(filter, page).await?)
        }
        Query::Attempts(filter, page) => Reply::Attempts(desk.attempts(filter, page).await?),
        Query::AgentAttempts(agent) => {
            let filter = AttemptFilter {
                agent: Some(agent),
                ..AttemptFilter::default()
            };
            let page = PageRequest {
                limit: AGENT_ATTEMPTS,
                cursor: None,
            };
            Reply::Attempts(desk.attempts(filter, page).await?)
        }
        Query::Agent(agent) => Reply::Agent(Box::new(desk.agent(agent).await?)),
        Query::Groups(filter) => Reply::Groups(desk.letter_groups(filter).await?),
        Query::Letters(filter, page) => Reply::Letters(desk.letters(filter, page).await?),
        Query::Jobs(page) => Reply::Jobs(desk.jobs(None, page).await?),
        Query::Job(id) => {
            let page = PageRequest {
                limit: JOB_ITEMS,
                cursor: None,
            };
            Reply::Job(Box::new(desk.job(id, page).await?))
        }
        Query::Pair(id, with) => Reply::Pair(Box::new(pair(desk, id, with).await?)),
        Query::Plan(job) => Reply::Plan(desk.plan_job(*job).await?),
        Query::Audit(filter, page) => Reply::Audit(desk.audit(filter, page).await?),
    })
}

/// Replays of one origin, and what else belongs to one correlation: steps of a run, answers.
async fn family(
    desk: &dyn Desk,
    origin: IntentId,
    correlation: String,
) -> Result<Vec<IntentRow>, DeskError> {
    let page = || PageRequest {
        limit: FAMILY_MAX,
        cursor: None,
    };
    let of_origin = IntentFilter {
        origin: Some(origin),
        ..IntentFilter::default()
    };
    let of_correlation = IntentFilter {
        correlation_id: Some(correlation),
        ..IntentFilter::default()
    };
    let mut rows = desk.intents(of_origin, page()).await?.items;
    for row in desk.intents(of_correlation, page()).await?.items {
        if rows.iter().all(|known| known.id != row.id) {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// An intent with what it is compared with.
async fn pair(desk: &dyn Desk, id: IntentId, with: With) -> Result<Pair, DeskError> {
    let this = desk.intent(id).await?;
    let other = match with {
        With::Intent(other, _) => Some(other),
        With::Attempt(_) => None,
        With::LastSuccess => {
            let filter = IntentFilter {
                statuses: vec![Status::Completed],
                intent_type: Some(this.row.intent_type.clone()),
                to: Some(this.row.to.clone()),
                ..IntentFilter::default()
            };
            let page = PageRequest {
                limit: 2,
                cursor: None,
            };
            let found = desk.intents(filter, page).await?.items;
            found.iter().map(|row| row.id).find(|found| *found != id)
        }
    };
    let other = match other {
        Some(other) => Some(desk.intent(other).await?),
        None => None,
    };
    Ok(Pair { this, other })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_after_errors_grows_and_ends_at_eight_seconds() {
        let pauses: Vec<u64> = (1..=7)
            .map(|failures| u64::try_from(retry_pause(failures).as_millis()).unwrap())
            .collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
    }
}
