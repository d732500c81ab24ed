//! Pages and single things over HTTP.

use std::time::Duration;

use serde::Deserialize;

use crate::desk::derive::due_lag_ms;
use crate::desk::parse::activity::ActivityBody;
use crate::desk::parse::intents::{Attempt, Fact, Intent};
use crate::desk::parse::letters::{Group, Letter};
use crate::desk::parse::numbers::{Agent, Item, OverviewBody, agent_rows};
use crate::desk::parse::retry::Retry;
use crate::desk::parse::threads::Thread;
use crate::desk::parse::{Held, address};
use crate::desk::rows::agents::AgentView;
use crate::desk::rows::{
    AgentRow, AttemptRow, HeldRow, Hello, IntentRow, IntentView, LetterGroupRow, LetterRow,
    Overview, TaskRow, ThreadView,
};
use crate::desk::{DeskError, FeedPage};
use crate::domain::address::Address;
use crate::domain::attempt::Outcome;
use crate::domain::failure::DeadReason;
use crate::domain::ids::{Cursor, IntentId, ThreadId};
use crate::domain::intent::Kind;
use crate::domain::status::{State, Status};
use crate::domain::time::{Span, Timestamp};
use crate::store::query::{
    AttemptFilter, IntentFilter, LetterFilter, LetterState, Page, PageRequest, ThreadFilter,
    ThreadKind,
};

use super::link::{Link, Path};

/// Attempts of one intent in its view; budgets are far below it.
const ATTEMPTS_MAX: u32 = 500;
/// Items of the feed in one answer.
const FEED_MAX: u32 = 500;
/// How far the tail may be behind before what is in between is left out.
const FEED_BEHIND_MAX: u64 = 5000;
/// Agents in one answer.
const AGENTS_MAX: u32 = 500;

#[derive(Debug, Deserialize)]
struct Health {
    #[serde(default)]
    version: String,
    #[serde(default)]
    storage: String,
}

#[derive(Debug, Deserialize)]
struct Me {
    #[serde(deserialize_with = "address")]
    address: Address,
    #[serde(default)]
    role: String,
    #[serde(default)]
    org: Option<String>,
    #[serde(default)]
    workspace: Option<String>,
    #[serde(default)]
    environment: String,
    #[serde(default)]
    protected: bool,
    #[serde(default)]
    retry: Retry,
    #[serde(default)]
    dead_letter_retention_seconds: i64,
}

pub(super) async fn hello(link: &Link, hold: Span) -> Result<Hello, DeskError> {
    let health: Health = link.get(Path::of("v1/health")).await?;
    let me: Me = link.get(Path::of("v1/me")).await?;
    let mut segments = me.address.key().split('/').map(str::to_owned);
    let (org, workspace) = (segments.next(), segments.next());
    Ok(Hello {
        version: health.version,
        storage: health.storage,
        environment: me.environment,
        may_write: me.role == "admin",
        place: link.place().to_owned(),
        org: me.org.or(org).unwrap_or_default(),
        workspace: me.workspace.or(workspace).unwrap_or_default(),
        hold_seconds: u32::try_from(hold.as_seconds()).unwrap_or(u32::MAX),
        is_protected: me.protected,
        retry: me.retry.rule(),
        letters_kept: Span::from_seconds(me.dead_letter_retention_seconds),
        identity: me.address,
    })
}

pub(super) async fn overview(link: &Link) -> Result<Overview, DeskError> {
    let (body, agents) = tokio::try_join!(
        link.get::<OverviewBody>(Path::of("v1/overview")),
        agents(link),
    )?;
    Ok(body.overview(due_lag_ms(&agents)))
}

/// The paging of every list.
pub(super) fn paged(path: Path, page: PageRequest) -> Path {
    path.with("limit", page.limit).maybe("cursor", page.cursor)
}

#[derive(Debug, Deserialize)]
struct Intents {
    intents: Vec<Intent>,
    #[serde(default)]
    next_cursor: Option<String>,
}

pub(super) async fn intents(
    link: &Link,
    filter: IntentFilter,
    page: PageRequest,
) -> Result<Page<IntentRow>, DeskError> {
    let IntentFilter {
        statuses,
        states,
        kinds,
        is_unfinished,
        to,
        from,
        party,
        intent_type,
        correlation_id,
        origin,
        since,
        until,
        text,
        contains,
    } = filter;
    let names = |names: Vec<&str>| (!names.is_empty()).then(|| names.join(","));
    let statuses = names(
        is_unfinished
            .then_some("pending")
            .into_iter()
            .chain(statuses.into_iter().map(Status::name))
            .collect(),
    );
    let states = names(states.into_iter().map(State::name).collect());
    let kinds = if kinds.is_empty() {
        "all".to_owned()
    } else {
        let words: Vec<_> = kinds.into_iter().map(Kind::name).collect();
        words.join(",")
    };
    let path = paged(Path::of("v1/intents"), page)
        .maybe("kind", Some(kinds))
        .maybe("status", statuses)
        .maybe("state", states)
        .maybe("to_agent", to)
        .maybe("from_agent", from)
        .maybe("party", party)
        .maybe("intent_type", intent_type)
        .maybe("correlation_id", correlation_id)
        .maybe("origin_id", origin)
        .maybe("since", since)
        .maybe("until", until)
        .maybe("q", text);
    let path = contains
        .into_iter()
        .fold(path, |path, text| path.with("contains", text));
    let answer: Intents = link.get(path).await?;
    Ok(Page {
        items: answer.intents.iter().map(Intent::row).collect(),
        next: answer.next_cursor,
    })
}

#[derive(Debug, Deserialize)]
struct OneIntent {
    intent: Intent,
}

#[derive(Debug, Deserialize)]
struct Facts {
    facts: Vec<Fact>,
}

#[derive(Debug, Deserialize)]
struct Attempts {
    attempts: Vec<Attempt>,
    #[serde(default)]
    next_cursor: Option<String>,
}

pub(super) async fn intent(link: &Link, id: IntentId) -> Result<IntentView, DeskError> {
    let of_intent = || Path::of("v1/intents").then(id);
    let attempts = Path::of("v1/attempts")
        .with("intent_id", id)
        .with("limit", ATTEMPTS_MAX);
    let (intent, facts, attempts) = tokio::try_join!(
        link.get::<OneIntent>(of_intent()),
        link.get::<Facts>(of_intent().then("facts")),
        link.get::<Attempts>(attempts),
    )?;
    let events = facts.facts.into_iter().map(Fact::row).collect();
    let mut attempts: Vec<AttemptRow> = attempts.attempts.into_iter().map(Attempt::row).collect();
    attempts.reverse();
    Ok(intent.intent.view(events, attempts))
}

pub(super) async fn attempts(
    link: &Link,
    filter: AttemptFilter,
    page: PageRequest,
) -> Result<Page<AttemptRow>, DeskError> {
    let AttemptFilter {
        intent,
        agent,
        binding,
        outcome,
        error_class,
        since,
    } = filter;
    let path = paged(Path::of("v1/attempts"), page)
        .maybe("intent_id", intent)
        .maybe("agent", agent)
        .maybe("binding", binding)
        .maybe("outcome", outcome.map(Outcome::name))
        .maybe("error_class", error_class)
        .maybe("since", since);
    let answer: Attempts = link.get(path).await?;
    Ok(Page {
        items: answer.attempts.into_iter().map(Attempt::row).collect(),
        next: answer.next_cursor,
    })
}

#[derive(Debug, Deserialize)]
struct Letters {
    dead_letters: Vec<Letter>,
    #[serde(default)]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

fn letter_path(filter: LetterFilter) -> Path {
    let LetterFilter {
        agent,
        intent_type,
        reason,
        error_class,
        since,
        until,
        fingerprint,
        state,
    } = filter;
    Path::of("v1/dead-letters")
        .maybe("agent", agent)
        .maybe("intent_type", intent_type)
        .maybe("reason", reason.map(DeadReason::name))
        .maybe("error_class", error_class)
        .maybe("since", since)
        .maybe("until", until)
        .maybe("fingerprint", fingerprint)
        .maybe("state", state.map(LetterState::name))
}

pub(super) async fn letters(
    link: &Link,
    filter: LetterFilter,
    page: PageRequest,
) -> Result<Page<LetterRow>, DeskError> {
    let answer: Letters = link.get(paged(letter_path(filter), page)).await?;
    Ok(Page {
        items: answer.dead_letters.into_iter().map(Letter::row).collect(),
        next: answer.next_cursor,
    })
}

pub(super) async fn letter_groups(
    link: &Link,
    filter: LetterFilter,
) -> Result<Vec<LetterGroupRow>, DeskError> {
    let path = letter_path(filter).with("group_by", "fingerprint");
    let answer: Groups = link.get(path).await?;
    Ok(answer.groups.into_iter().map(Group::row).collect())
}

#[derive(Debug, Deserialize)]
struct Threads {
    threads: Vec<Thread>,
    #[serde(default)]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OneThread {
    thread: Thread,
}

pub(super) async fn tasks(
    link: &Link,
    filter: ThreadFilter,
    page: PageRequest,
) -> Result<Page<TaskRow>, DeskError> {
    let ThreadFilter {
        owner,
        is_pending,
        kind,
        is_due_first,
    } = filter;
    let owner = owner.map_or_else(|| "*".to_owned(), |owner| owner.to_string());
    let status = is_pending.map(|is_pending| if is_pending { "pending" } else { "done" });
    let path = paged(Path::of("v1/inbox"), page)
        .with("owner_agent", owner)
        .maybe("status", status)
        .maybe("kind", kind.map(ThreadKind::name))
        .maybe("order", is_due_first.then_some("due"));
    let mut answer: Threads = link.get(path).await?;
    Ok(Page {
        items: answer.threads.iter_mut().map(Thread::row).collect(),
        next: answer.next_cursor,
    })
}

pub(super) async fn thread(link: &Link, id: ThreadId) -> Result<ThreadView, DeskError> {
    let answer: OneThread = link.get(Path::of("v1/inbox").then(id)).await?;
    Ok(answer.thread.view())
}

#[derive(Debug, Deserialize)]
struct Agents {
    agents: Vec<Agent>,
    /// Now, over there.
    #[serde(default, deserialize_with = "crate::desk::parse::maybe_shown")]
    at: Option<Timestamp>,
    #[serde(default)]
    next_cursor: Option<String>,
}

pub(super) async fn agents(link: &Link) -> Result<Vec<AgentRow>, DeskError> {
    let mut found = Vec::new();
    let mut at = None;
    let mut cursor = None;
    loop {
        let path = Path::of("v1/agents")
            .with("limit", AGENTS_MAX)
            .maybe("cursor", cursor);
        let answer: Agents = link.get(path).await?;
        at = answer.at.or(at);
        found.extend(answer.agents);
        cursor = answer.next_cursor;
        if cursor.is_none() {
            return Ok(agent_rows(found, at.unwrap_or_default()));
        }
    }
}

#[derive(Debug, Deserialize)]
struct OneActivity {
    activity: ActivityBody,
}

pub(super) async fn agent(link: &Link, address: &Address) -> Result<AgentView, DeskError> {
    let path = Path::to_agent(address).then("activity");
    let answer: OneActivity = link.get(path).await?;
    Ok(answer.activity.view())
}

#[derive(Debug, Deserialize)]
struct Holds {
    holds: Vec<Held>,
}

pub(super) async fn held(link: &Link) -> Result<Vec<HeldRow>, DeskError> {
    let answer: Holds = link.get(Path::of("v1/holds")).await?;
    let mut rows: Vec<HeldRow> = answer.holds.into_iter().map(Held::row).collect();
    rows.sort_by_key(|row| (row.effective_at, row.hold));
    Ok(rows)
}

#[derive(Debug, Deserialize)]
struct Feed {
    events: Vec<Item>,
    next_since: u64,
    #[serde(default)]
    head: u64,
}

#[derive(Debug, Deserialize)]
struct Head {
    cursor: u64,
}

pub(super) async fn feed(
    link: &Link,
    since: Option<Cursor>,
    wait_ms: u64,
) -> Result<FeedPage, DeskError> {
    let since = match since {
        Some(since) => since,
        None => Cursor(link.get::<Head>(Path::of("v1/overview")).await?.cursor),
    };
    let path = Path::of("v1/events")
        .with("since", since)
        .with("limit", FEED_MAX)
        .with("wait_seconds", wait_ms.div_ceil(1000).min(60))
        .with("wait_ms", wait_ms.min(60_000));
    let answer: Feed = link
        .get_waiting(path, Duration::from_millis(wait_ms))
        .await?;
    let next = Cursor(answer.next_since);
    let head = Cursor(answer.head).max(next);
    // Far behind: the newest are worth more than all.
    let from = Cursor(head.0.saturating_sub(FEED_BEHIND_MAX)).max(next);
    Ok(FeedPage {
        rows: answer.events.into_iter().map(Item::row).collect(),
        skipped: from.0.saturating_sub(next.0),
        next: from,
        head,
    })
}
