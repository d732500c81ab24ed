//! One commit: the intents it touches, what happened to them, and what follows.

mod ends;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::broker::admission;
use crate::broker::groups::Marks;
use crate::broker::jobs::Jobs;
use crate::broker::late;
use crate::broker::outbox::Outbox;
use crate::broker::push;
use crate::broker::registry::Registry;
use crate::broker::request::{BrokerError, Published, Receipt, Request};
use crate::broker::vitals::{Vitals, is_admission};
use crate::broker::webhooks::{self, Announced, WebhookWords};
use crate::clock::Entropy;
use crate::domain::address::Address;
use crate::domain::agent::Agent;
use crate::domain::fact::{Fact, FactBody, FeedEntry, FeedItem, Notice};
use crate::domain::failure::DeadReason;
use crate::domain::ids::{AttemptId, Cursor, HoldId, IdMap, IntentId};
use crate::domain::intent::Intent;
use crate::domain::payload::Payload;
use crate::domain::policy::Policy;
use crate::domain::status::Status;
use crate::domain::time::Timestamp;
use crate::engine::command::{Command, PayloadSource};
use crate::engine::effect::{Effect, effects_of};
use crate::engine::evolve::evolve;
use crate::engine::refusal::Refusal;
use crate::engine::{Context, check, decide, workflow};
use crate::store::error::StoreError;
use crate::store::{Change, NewPayload, Reader, Txn, Write};

pub(super) use self::ends::{Committed, DueRow, Ran, Start};

/// Most commands that one command may cause in other intents.
const CAUSED_MAX: usize = 1000;

/// Ids that rise for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) attempt: u64,
    pub(super) hold: u64,
}

/// A commit in the making.
pub(super) struct Batch<'a> {
    pub(super) txn: Box<dyn Txn + 'a>,
    pub(super) reader: &'a mut dyn Reader,
    pub(super) outbox: &'a mut Outbox,
    pub(super) jobs: &'a mut Jobs,
    /// What is said of groups of dead letters, once this batch has looked.
    pub(super) marks: Option<Marks>,
    pub(super) counters: &'a mut Counters,
    pub(super) registry: Arc<Registry>,
    pub(super) changed_registry: Option<Registry>,
    pub(super) policy: &'a Policy,
    pub(super) vitals: &'a Vitals,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) now: Timestamp,
    entries: IdMap<Entry>,
    dirty: Vec<IntentId>,
    pub(super) words: WebhookWords,
    /// Events for webhook subscriptions that are not intents yet.
    pub(super) announced: Vec<Announced>,
    pub(super) told: HashMap<(String, String), Receipt>,
    /// When intents died that nobody had said no to.
    pub(super) letters: Vec<Timestamp>,
    /// What was put, in the order of the feed.
    feed: Vec<FeedEntry>,
    /// Hand-overs to be made after the commit.
    pub(super) deliveries: Vec<DueRow>,
}

#[derive(Debug, Default)]
struct Entry {
    /// As it is in the transaction.
    stored: Option<Arc<Intent>>,
    /// As it is by now.
    current: Option<Arc<Intent>>,
    facts: Vec<(Fact, Status)>,
    payload: Option<NewPayload>,
    /// The payload it was given in this batch, for the steps of its run.
    given: Option<Payload>,
}

impl<'a> Batch<'a> {
    pub(super) fn begin(start: Start<'a>) -> Self {
        let Start {
            txn,
            reader,
            outbox,
            jobs,
            counters,
            registry,
            policy,
            vitals,
            entropy,
            words,
            now,
        } = start;
        Self {
            txn,
            reader,
            outbox,
            jobs,
            marks: None,
            counters,
            registry,
            changed_registry: None,
            policy,
            vitals,
            entropy,
            now,
            entries: IdMap::default(),
            dirty: Vec::new(),
            words,
            announced: Vec::new(),
            told: HashMap::new(),
            letters: Vec::new(),
            feed: Vec::new(),
            deliveries: Vec::new(),
        }
    }

    /// Loads these intents at once.
    pub(super) fn load(&mut self, ids: &[IntentId]) -> Result<(), StoreError> {
        let missing: Vec<IntentId> = ids
            .iter()
            .copied()
            .filter(|id| !self.entries.contains_key(id))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found = self.txn.load(&missing)?;
        for (id, intent) in missing.into_iter().zip(found) {
            self.entries.entry(id).or_insert_with(|| Entry {
                stored: intent.clone(),
                current: intent,
                ..Entry::default()
            });
        }
        Ok(())
    }

    /// Takes an intent that the store has just given.
    pub(super) fn know(&mut self, intent: &Arc<Intent>) {
        self.entries.entry(intent.id).or_insert_with(|| Entry {
            stored: Some(Arc::clone(intent)),
            current: Some(Arc::clone(intent)),
            ..Entry::default()
        });
    }

    /// What has happened to an intent: what is committed, and what waits for the next flush.
    pub(super) fn facts(&mut self, id: IntentId) -> Result<Vec<Fact>, StoreError> {
        let mut facts = self.reader.facts(id, 0)?;
        if let Some(entry) = self.entries.get(&id) {
            facts.extend(entry.facts.iter().map(|(fact, _)| fact.clone()));
        }
        Ok(facts)
    }

    pub(super) fn intent(&self, id: IntentId) -> Option<&Arc<Intent>> {
        self.entries
            .get(&id)
            .and_then(|entry| entry.current.as_ref())
    }

    /// Runs a request, its idempotency key looked at first.
    pub(super) fn request(&mut self, request: &Request) -> Result<Receipt, BrokerError> {
        if let Some(key) = &request.remember
            && let Some(receipt) = self.repeated(key)?
        {
            return Ok(receipt);
        }
        if is_admission(&request.command)
            && let Some(low) = self.vitals.refusal()
        {
            return Err(low);
        }
        let ran = match self.command(request.intent, &request.command) {
            Ok(ran) => ran,
            Err(BrokerError::Refused(refusal)) => {
                late::write_down(self, request, &refusal)?;
                return Err(refusal.into());
            }
            Err(error) => return Err(error),
        };
        let receipt = Receipt {
            intent: ran.intent,
            facts: ran.facts,
            caused: ran.caused,
            cursor: Cursor::default(),
            is_repeat: false,
        };
        if let Some(key) = &request.remember {
            self.remember(key, &receipt)?;
        }
        Ok(receipt)
    }

    /// Runs a command and everything it causes in other intents.
    pub(super) fn command(&mut self, id: IntentId, command: &Command) -> Result<Ran, BrokerError> {
        admission::check(self, id, command)?;
        let (intent, facts, waiting) = self.step(id, command)?;
        let mut waiting = VecDeque::from(waiting);
        let mut caused = Vec::new();
        while let Some((other, command)) = waiting.pop_front() {
            if caused.len() >= CAUSED_MAX {
                break;
            }
            let (intent, _, more) = self.step(other, &command)?;
            caused.push(intent);
            waiting.extend(more);
        }
        webhooks::announce(self)?;
        // What it caused may have moved it on.
        let intent = self.intent(id).cloned().unwrap_or(intent);
        Ok(Ran {
            intent,
            facts,
            caused,
        })
    }

    #[expect(clippy::type_complexity, reason = "used by two callers")]
    pub(super) fn step(
        &mut self,
        id: IntentId,
        command: &Command,
    ) -> Result<(Arc<Intent>, Vec<Fact>, Vec<(IntentId, Command)>), BrokerError> {
        self.load(&[id])?;
        let before = self.intent(id).cloned();
        let agent = self.receiver(before.as_deref(), command)?;
        let escalation = before
            .as_deref()
            .and_then(|intent| admission::escalation(self, intent, command));
        let ctx = Context {
            now: self.now,
            entropy: self.entropy.u64(),
            policy: self.policy,
            agent: &agent,
            escalation: escalation.as_deref(),
            attempt: AttemptId(self.counters.attempt.saturating_add(1)),
            hold: HoldId(self.counters.hold.saturating_add(1)),
        };
        let decided = decide(id, before.as_deref(), command, &ctx)?;
        let mut state = before.as_deref().cloned();
        let mut with_status = Vec::with_capacity(decided.facts.len());
        for fact in &decided.facts {
            let earlier = state.clone();
            let after = evolve(state, fact).ok_or_else(|| StoreError::Corrupt {
                what: format!("intent {id}"),
                reason: "its facts do not start with its birth".to_owned(),
            })?;
            self.follow(earlier.as_ref(), fact, &after);
            webhooks::note(self, fact, &after);
            with_status.push((fact.clone(), after.status));
            state = Some(after);
        }
        let after = Arc::new(state.ok_or(Refusal::Unknown(id))?);
        if cfg!(debug_assertions) && !decided.facts.is_empty() {
            check::check_step(before.as_deref(), &decided.facts, &after).map_err(|violation| {
                StoreError::Corrupt {
                    what: format!("intent {id}"),
                    reason: violation.to_string(),
                }
            })?;
        }
        if !decided.facts.is_empty() {
            self.keep(id, &after, with_status, command)?;
        }
        Ok((after, decided.facts, decided.then))
    }

    /// Writes a step down for the next flush.
    fn keep(
        &mut self,
        id: IntentId,
        after: &Arc<Intent>,
        facts: Vec<(Fact, Status)>,
        command: &Command,
    ) -> Result<(), StoreError> {
        let payload = match command {
            Command::Submit(submit) => Some(self.new_payload(&submit.payload)?),
            _ => None,
        };
        let given = match &payload {
            Some(NewPayload::Given(given)) => Some(given.clone()),
            Some(NewPayload::SameAs(other)) if after.run.is_some() => Some(self.payload(*other)?),
            Some(NewPayload::SameAs(_)) | None => None,
        };
        let entry = self.entries.entry(id).or_default();
        if entry.facts.is_empty() {
            self.dirty.push(id);
        }
        if after.replay_of.is_some() {
            self.jobs.moved.push(id);
        }
        entry.current = Some(Arc::clone(after));
        entry.facts.extend(facts);
        if let Some(payload) = payload {
            entry.given = given;
            entry.payload = Some(payload);
        }
        Ok(())
    }

    fn new_payload(&mut self, source: &PayloadSource) -> Result<NewPayload, StoreError> {
        Ok(match source {
            PayloadSource::Given(payload) => NewPayload::Given(payload.clone()),
            PayloadSource::SameAs(other) => NewPayload::SameAs(*other),
            PayloadSource::OfRun { run, beside } => {
                let original = self.payload(*run)?;
                NewPayload::Given(workflow::child_payload(&original, beside))
            }
        })
    }

    /// What an intent carries, also when it has come with this batch.
    fn payload(&mut self, id: IntentId) -> Result<Payload, StoreError> {
        let known = self.entries.get(&id).and_then(|entry| entry.given.clone());
        Ok(match known {
            Some(payload) => payload,
            None => self.reader.payload(id)?.unwrap_or_else(Payload::empty),
        })
    }

    /// The receiver of an intent; its first use makes a mailbox.
    fn receiver(
        &mut self,
        before: Option<&Intent>,
        command: &Command,
    ) -> Result<Arc<Agent>, StoreError> {
        let address = match (before, command) {
            (Some(intent), _) => &intent.to,
            (None, Command::Submit(submit)) => &submit.to,
            (None, _) => {
                return Ok(Arc::new(Agent::mailbox(Address::trusted(""), self.now)));
            }
        };
        if let Some(agent) = self.registry().agent(address) {
            return Ok(Arc::clone(agent));
        }
        let agent = Arc::new(Agent::mailbox(address.clone(), self.now));
        self.txn.put(Write::Agent((*agent).clone()))?;
        self.registry_mut().put_agent(Arc::clone(&agent));
        Ok(agent)
    }

    pub(super) fn registry(&self) -> &Registry {
        self.changed_registry.as_ref().unwrap_or(&self.registry)
    }

    pub(super) fn registry_mut(&mut self) -> &mut Registry {
        self.changed_registry
            .get_or_insert_with(|| (*self.registry).clone())
    }

    fn follow(&mut self, before: Option<&Intent>, fact: &Fact, after: &Intent) {
        for effect in effects_of(before, fact, after) {
            match effect {
                Effect::Release { attempt, session } => self.outbox.release(session, attempt),
                Effect::Wake { agent } => {
                    self.outbox.wake(&agent, fact.intent);
                    push::wake(self, &agent, fact, after);
                }
                Effect::Deliver {
                    intent,
                    attempt,
                    session,
                } => {
                    self.counters.attempt = self.counters.attempt.max(attempt.0);
                    self.outbox.hold(session, attempt, intent);
                    self.deliveries.push(DueRow {
                        intent,
                        attempt,
                        row: attempt,
                    });
                }
                Effect::Remind { intent, attempt } => {
                    // A number that no fence has, so that the row is above all before it.
                    self.counters.attempt = self.counters.attempt.saturating_add(1);
                    self.deliveries.push(DueRow {
                        intent,
                        attempt,
                        row: AttemptId(self.counters.attempt),
                    });
                }
            }
        }
        match &fact.body {
            FactBody::HoldPlaced(hold) => {
                self.counters.hold = self.counters.hold.max(hold.id.0);
            }
            FactBody::DeadLetterOpened { reason, .. } if *reason != DeadReason::Rejected => {
                self.letters.push(fact.at);
            }
            _ => {}
        }
    }

    /// Puts what has happened so far into the transaction, so that its queries see it.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        for id in std::mem::take(&mut self.dirty) {
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            let Some(after) = entry.current.clone() else {
                continue;
            };
            let facts = std::mem::take(&mut entry.facts);
            let change = Change {
                before: entry.stored.replace(Arc::clone(&after)),
                after,
                facts: facts.iter().map(|(fact, _)| fact.clone()).collect(),
                payload: entry.payload.take(),
            };
            let receivers = change.receivers();
            self.txn.put(Write::Intent(change))?;
            for ((fact, status), agent) in facts.into_iter().zip(receivers) {
                self.feed.push(FeedEntry::Intent {
                    fact,
                    agent,
                    status,
                });
            }
        }
        Ok(())
    }

    /// Something happened that is no intent's fact.
    pub(super) fn notice(&mut self, notice: Notice) -> Result<(), StoreError> {
        self.flush()?;
        self.txn.put(Write::Notice(notice.clone()))?;
        self.feed.push(FeedEntry::Notice(notice));
        Ok(())
    }

    /// The intents that moved, as they are now.
    fn moved(&self) -> Vec<Arc<Intent>> {
        let mut seen = std::collections::HashSet::new();
        self.feed
            .iter()
            .filter_map(|entry| match entry {
                FeedEntry::Intent { fact, .. } => Some(fact.intent),
                FeedEntry::Notice(_) => None,
            })
            .filter(|id| seen.insert(*id))
            .filter_map(|id| self.intent(id).cloned())
            .collect()
    }

    /// Makes everything durable.
    pub(super) fn commit(mut self) -> Result<Committed, StoreError> {
        self.flush()?;
        let next_due = self.txn.next_due()?;
        let moved = self.moved();
        let Self {
            txn,
            changed_registry,
            feed,
            deliveries,
            ..
        } = self;
        let last = txn.commit()?;
        let length = u64::try_from(feed.len()).unwrap_or(0);
        let first = last.0.saturating_sub(length).saturating_add(1);
        let items = feed
            .into_iter()
            .zip(first..)
            .map(|(entry, cursor)| FeedItem {
                cursor: Cursor(cursor),
                entry,
            })
            .collect();
        let published = Published {
            items,
            intents: moved,
        };
        Ok(Committed {
            published,
            last,
            next_due,
            registry: changed_registry,
            deliveries,
        })
    }
}
