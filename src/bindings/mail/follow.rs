//! Follows what is committed and writes to people about it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use sha2::{Digest, Sha256};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::letter::{self, Letter, holders};
use super::post::{Mail, NotTaken, Post};
use super::waiting::Waiting;
use super::words::{self, Occasion};
use super::{BadMail, Links, MailConfig, MailStats, Reach};
use crate::broker::Broker;
use crate::broker::request::{AdminCommand, AuditNote, BrokerError, Published};
use crate::domain::fact::{Fact, FeedEntry, FeedItem};
use crate::domain::ids::Cursor;
use crate::domain::intent::Intent;
use crate::shutdown::Tasks;
use crate::store::query::FeedFilter;

/// The text of the store that says what is still to be written.
const KEPT: &str = "mail";
/// Items of the feed that are read at once.
const READ_AT_ONCE: u32 = 200;
/// Positions after which it is written down how far the feed was read, though nothing was to be written.
const SAVED_EVERY: u64 = 4096;
/// How long to wait before a store that could not be read is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a mail that is on its way is waited for when the broker stops.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Starts writing to people. It ends with `tasks`; what is left is written after the next start.
///
/// # Errors
/// [`BadMail`] when the connection cannot be made ready.
pub fn start(
    broker: Broker,
    config: MailConfig,
    reach: &Reach,
    tasks: &Tasks,
) -> Result<(), BadMail> {
    let office = Office {
        post: Post::new(&config)?,
        links: Arc::clone(&reach.links),
        broker,
        config: Arc::new(config),
    };
    let follower = Follower {
        stats: Arc::clone(&reach.stats),
        office,
        waiting: Waiting::default(),
        saved: Cursor::default(),
        is_unsaved: false,
        is_behind: true,
        outages: 0,
        rests: FuturesUnordered::new(),
        sending: None,
    };
    // Subscribed here, so that what happens before the task has run for the first time is not missed.
    let bus = follower.office.broker.subscribe();
    tasks.spawn("mail", follower.run(bus, tasks.token().clone()));
    Ok(())
}

/// What became of a letter.
#[derive(Debug)]
enum Outcome {
    /// The server has it.
    Taken,
    /// Nobody needs it any more.
    Moot,
    /// Its link would decide nothing any more.
    Late,
    /// The server did not take it.
    NotTaken(NotTaken),
}

/// Where the feed ended before the first thing that was told since the start, if anything was.
fn before(bus: &mut broadcast::Receiver<Arc<Published>>) -> Option<Cursor> {
    let told = bus.try_recv().ok()?;
    let first = told.items.first()?;
    Some(Cursor(first.cursor.0.saturating_sub(1)))
}

struct Follower {
    office: Office,
    stats: Arc<MailStats>,
    waiting: Waiting,
    /// How far the feed was read when that was last written down.
    saved: Cursor,
    is_unsaved: bool,
    /// True while the store has more than was looked at.
    is_behind: bool,
    /// How often in a row the server was away.
    outages: u32,
    rests: FuturesUnordered<BoxFuture<'static, u64>>,
    sending: Option<BoxFuture<'static, (u64, Outcome)>>,
}

impl Follower {
    async fn run(mut self, mut bus: broadcast::Receiver<Arc<Published>>, stop: CancellationToken) {
        if !self.begin(&mut bus, &stop).await {
            return;
        }
        while !stop.is_cancelled() {
            let has_room = self.waiting.len() < self.office.config.waiting_max;
            if self.is_behind && has_room && !self.catch_up().await {
                // Cancel-safe: a token and a sleep keep nothing when dropped.
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(PAUSE) => continue,
                }
            }
            self.save().await;
            self.send_next();
            self.stats.waits(self.waiting.len());
            if self.is_behind && has_room {
                continue;
            }
            // Cancel-safe: a broadcast's `recv` and a set's `next` lose nothing when dropped, and what is
            // being sent stays where it is.
            tokio::select! {
                () = stop.cancelled() => break,
                published = bus.recv(), if has_room => match published {
                    Ok(published) => self.take(&published),
                    Err(broadcast::error::RecvError::Lagged(_)) => self.is_behind = true,
                    Err(broadcast::error::RecvError::Closed) => break,
                },
                Some(key) = self.rests.next(), if !self.rests.is_empty() => self.waiting.wake(key),
                (key, outcome) = on_its_way(&mut self.sending) => self.settle(key, &outcome),
            }
        }
        self.end().await;
    }

    /// Reads what an earlier process left; the first one begins with what happens since it was started. False
    /// when the broker stops.
    async fn begin(
        &mut self,
        bus: &mut broadcast::Receiver<Arc<Published>>,
        stop: &CancellationToken,
    ) -> bool {
        loop {
            let read = self
                .office
                .broker
                .read(|reader| Ok((reader.text(KEPT)?, reader.head()?)));
            match read.await {
                Ok((kept, head)) => {
                    let kept = kept.as_deref().and_then(Waiting::read);
                    self.is_unsaved = kept.is_none();
                    self.waiting = kept.unwrap_or_default();
                    if self.is_unsaved {
                        self.waiting.through = before(bus).map_or(head, |first| first.min(head));
                    }
                    self.saved = self.waiting.through;
                    return true;
                }
                Err(error) => tracing::warn!(%error, "mail could not be begun"),
            }
            tokio::select! {
                () = stop.cancelled() => return false,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Reads a piece of the feed. False when it could not.
    async fn catch_up(&mut self) -> bool {
        let filter = FeedFilter {
            since: self.waiting.through,
            types: letter::TYPES.map(str::to_owned).to_vec(),
            intent: None,
            agent: None,
        };
        let read = self.office.broker.read(move |reader| {
            let (items, next) = reader.feed(&filter, READ_AT_ONCE)?;
            let mut found = Vec::new();
            for item in items {
                if let FeedEntry::Intent { fact, .. } = item.entry
                    && letter::is_told(&fact.body)
                    && let Some(intent) = reader.intent(fact.intent)?
                {
                    found.push((fact, intent));
                }
            }
            Ok((found, next, reader.head()?))
        });
        match read.await {
            Ok((found, next, head)) => {
                for (fact, intent) in found {
                    self.note(&fact, &intent);
                }
                self.is_behind = next < head && next > self.waiting.through;
                self.advance(next);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "mail could not read what happened");
                false
            }
        }
    }

    /// Takes a commit over.
    fn take(&mut self, published: &Published) {
        if self.is_behind {
            return;
        }
        let is_new = |item: &&FeedItem| item.cursor > self.waiting.through;
        let told: Vec<&Fact> = published
            .items
            .iter()
            .filter(is_new)
            .filter_map(|item| match &item.entry {
                FeedEntry::Intent { fact, .. } => Some(fact),
                FeedEntry::Notice(_) => None,
            })
            .filter(|fact| letter::is_told(&fact.body))
            .collect();
        for fact in told {
            let moved = published.intents.iter().find(|one| one.id == fact.intent);
            if let Some(intent) = moved {
                self.note(fact, intent);
            }
        }
        if let Some(last) = published.items.last() {
            self.advance(last.cursor);
        }
    }

    fn advance(&mut self, through: Cursor) {
        self.waiting.through = self.waiting.through.max(through);
        let unsaved = self.waiting.through.0.saturating_sub(self.saved.0);
        self.is_unsaved |= unsaved >= SAVED_EVERY;
    }

    /// Everybody who is told of a fact and can be written to gets a letter.
    fn note(&mut self, fact: &Fact, intent: &Intent) {
        let contacts = &self.office.config.contacts;
        let mut mails = Vec::new();
        for person in letter::told(fact, intent, contacts.home()) {
            let Some(mail) = contacts.of(&person) else {
                continue;
            };
            if mails.contains(&mail) {
                continue;
            }
            mails.push(mail);
            self.waiting.add(Letter {
                intent: fact.intent,
                seq: fact.seq,
                person,
            });
            self.is_unsaved = true;
        }
    }

    /// Gives the next letter away, one at a time.
    fn send_next(&mut self) {
        if self.sending.is_some() {
            return;
        }
        if let Some((key, letter)) = self.waiting.next() {
            let office = self.office.clone();
            self.sending = Some(Box::pin(async move { (key, office.give(&letter).await) }));
        }
    }

    fn settle(&mut self, key: u64, outcome: &Outcome) {
        self.sending = None;
        self.is_unsaved = true;
        match outcome {
            Outcome::Taken => {
                self.outages = 0;
                self.stats.sent();
                self.waiting.remove(key);
            }
            Outcome::Moot => self.waiting.remove(key),
            Outcome::Late => {
                tracing::warn!("a mail was not taken before its link expired, and is given up");
                self.stats.gave_up();
                self.waiting.remove(key);
            }
            Outcome::NotTaken(NotTaken::Never(why)) => {
                tracing::warn!(why, "a mail was refused for good, and is given up");
                self.stats.failed();
                self.stats.gave_up();
                self.waiting.remove(key);
            }
            Outcome::NotTaken(NotTaken::NotNow(why)) => {
                self.stats.failed();
                if let Some(failures) = self.waiting.rest(key) {
                    tracing::warn!(why, failures, "a mail was not taken, and is tried again");
                    self.rest(key, failures);
                }
            }
            Outcome::NotTaken(NotTaken::Away(why)) => {
                self.stats.failed();
                self.outages = self.outages.saturating_add(1);
                tracing::warn!(
                    why,
                    waiting = self.waiting.len(),
                    "mail.host takes no mail, and is tried again"
                );
                // What is behind it would fare no better: all of it rests.
                let mut resting = self.waiting.rest(key).map(|_failures| key);
                while let Some(key) = resting.take() {
                    self.rest(key, self.outages);
                    resting = self
                        .waiting
                        .next()
                        .and_then(|(next, _)| self.waiting.rest(next).map(|_| next));
                }
            }
        }
    }

    /// Wakes a letter after a pause that doubles with each failure.
    fn rest(&mut self, key: u64, failures: u32) {
        let config = &self.office.config;
        let doubled = 1_i64 << failures.saturating_sub(1).min(30);
        let pause = config
            .retry_base
            .times(doubled)
            .min(config.retry_max)
            .to_std();
        self.rests.push(Box::pin(async move {
            tokio::time::sleep(pause).await;
            key
        }));
    }

    /// Writes down what is left, when that has changed. What cannot be written down now is so later.
    async fn save(&mut self) {
        if !self.is_unsaved {
            return;
        }
        let through = self.waiting.through;
        match self.office.keep(self.waiting.saved()).await {
            Ok(()) => {
                self.is_unsaved = false;
                self.saved = through;
            }
            Err(error) => tracing::warn!(%error, "what mail has still to write could not be kept"),
        }
    }

    /// Waits a little for the mail that is on its way, so that it is not sent twice.
    async fn end(mut self) {
        if let Some(sending) = self.sending.take()
            && let Ok((key, outcome)) = tokio::time::timeout(LAST_WAIT, sending).await
        {
            self.settle(key, &outcome);
        }
        self.is_unsaved |= self.waiting.through > self.saved;
        self.save().await;
    }
}

/// The end of what is being sent; never, while nothing is.
async fn on_its_way(sending: &mut Option<BoxFuture<'static, (u64, Outcome)>>) -> (u64, Outcome) {
    match sending {
        Some(sending) => sending.await,
        None => std::future::pending().await,
    }
}

/// What a letter is written and sent with.
#[derive(Clone)]
struct Office {
    broker: Broker,
    config: Arc<MailConfig>,
    links: Arc<Links>,
    post: Post,
}

impl Office {
    /// Writes a letter as things are now, and gives it to the server.
    async fn give(&self, letter: &Letter) -> Outcome {
        let (id, before) = (letter.intent, letter.seq.saturating_sub(1));
        let read = self.broker.read(move |reader| {
            let fact = reader.facts(id, before)?.into_iter().next();
            Ok((reader.intent(id)?, fact))
        });
        match read.await {
            Ok((Some(intent), Some(fact))) => match self.written(letter, &intent, &fact) {
                Ok(mail) => match self.post.send(&mail).await {
                    Ok(()) => Outcome::Taken,
                    Err(not_taken) => Outcome::NotTaken(not_taken),
                },
                Err(outcome) => outcome,
            },
            Ok(_gone) => Outcome::Moot,
            Err(error) => Outcome::NotTaken(NotTaken::NotNow(error.to_string())),
        }
    }

    fn written(&self, letter: &Letter, intent: &Intent, fact: &Fact) -> Result<Mail, Outcome> {
        let home = self.config.contacts.home();
        let task = intent.open_task().ok_or(Outcome::Moot)?;
        let to = self
            .config
            .contacts
            .of(&letter.person)
            .ok_or(Outcome::Moot)?;
        if !holders(intent, home).contains(&letter.person) {
            return Err(Outcome::Moot);
        }
        let now = self.broker.clock().now();
        let expires = self.links.expires(fact.at);
        let expires = intent
            .deadline
            .map_or(expires, |deadline| expires.min(deadline));
        if expires <= now {
            return Err(Outcome::Late);
        }
        let token = self.links.text(letter.intent, letter.seq, &letter.person);
        let link = format!("{}decide/{token}", self.config.page);
        let occasion = Occasion {
            fact,
            intent,
            task,
            person: &letter.person,
            link: &link,
            expires,
        };
        Ok(Mail {
            subject: words::subject(&occasion),
            text: words::body(&occasion),
            at: now,
            intent: letter.intent,
            id: mail_id(letter),
            to,
        })
    }

    async fn keep(&self, text: String) -> Result<(), BrokerError> {
        let note = AuditNote {
            actor: "postroom".to_owned(),
            key: None,
            via: "mail".to_owned(),
            action: "mail.keep".to_owned(),
            target: KEPT.to_owned(),
            owner: None,
            reason: None,
            trace_id: None,
        };
        let command = AdminCommand::Keep(KEPT, text);
        self.broker.administer(command, note).await.map(drop)
    }
}

/// The same for the same letter, another for another person's.
fn mail_id(letter: &Letter) -> String {
    let digest = Sha256::digest(letter.person.key().as_bytes());
    let person = digest
        .iter()
        .take(4)
        .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    format!("{}.{}.{person:08x}", letter.intent, letter.seq)
}
