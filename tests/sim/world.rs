//! Senders, receivers, people and an operator, all drawn from one seed, around the real writer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use postroom::broker::Settings;
use postroom::broker::core::Core;
use postroom::broker::request::{
    AdminCommand, AgentPatch, AuditNote, BrokerError, NewAgent, Receipt, RememberKey, Request,
};
use postroom::broker::session::{Handover, SessionMode, SessionSpec, Slot};
use postroom::broker::vitals::RoomSettings;
use postroom::clock::{Clock, Entropy, ManualClock, SeededEntropy};
use postroom::domain::address::{Address, Home};
use postroom::domain::agent::Binding;
use postroom::domain::attempt::AttemptReport;
use postroom::domain::controls::RetryDelay;
use postroom::domain::fact::{Actor, FactBody};
use postroom::domain::failure::{ErrorClass, Failure};
use postroom::domain::ids::{AttemptId, IntentId, SessionId, ThreadId};
use postroom::domain::intent::Intent;
use postroom::domain::payload::Payload;
use postroom::domain::policy::{Policy, Retention};
use postroom::domain::status::Status;
use postroom::domain::task::ReminderPlan;
use postroom::domain::time::{Span, Timestamp};
use postroom::domain::via::Via;
use postroom::engine::command::{
    Acknowledge, Choice, Command, Control, Decide, Discard, Extend, Fail, Part, PayloadSource,
    Replay, Reply, Resolve, Resume, Start, Submit,
};
use postroom::store::error::StoreError;
use postroom::store::memory::MemoryStore;
use postroom::store::{Reader, Store};
use tokio::sync::mpsc;

use crate::checker::{Checker, kept_rate};
use crate::faults::{self, Fault, FaultyStore, Plan};
use crate::jobs;
use crate::runs;

/// Receivers and how they receive.
pub(crate) const AGENTS: [(&str, Binding); 6] = [
    ("orders", Binding::Stream),
    ("stock", Binding::Stream),
    ("ledger", Binding::Poll),
    ("billing", Binding::Http),
    ("finance", Binding::Inbox),
    ("timer", Binding::Internal),
];

/// Calls at once over all endpoints.
const CALLS_MAX: u32 = 3;

/// Short, so that stories live to see what is old removed.
pub(crate) const RETENTION: Retention = Retention {
    finished: Span::from_seconds(12 * 3600),
    dead_letters: Span::from_seconds(36 * 3600),
    audit: Span::from_seconds(36 * 3600),
    answers: Span::from_seconds(8 * 3600),
    jobs: Span::from_seconds(18 * 3600),
};

/// Chance that repeats itself for a seed.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = self.below(from.len());
        from.get(place)
    }
}

struct Connection {
    id: SessionId,
    handovers: mpsc::Receiver<Handover>,
}

/// An attempt that a receiver has in its hands, and may report on at any time, or never.
#[derive(Clone)]
struct Work {
    intent: IntentId,
    attempt: AttemptId,
    binding: Binding,
    /// The connection that it came over.
    session: SessionId,
    /// The place of a call that has not ended.
    slot: Option<Slot>,
}

pub(crate) struct World {
    pub(crate) rng: Rng,
    clock: Arc<ManualClock>,
    entropy: Arc<SeededEntropy>,
    plan: Arc<Plan>,
    core: Option<Core>,
    connections: Vec<Connection>,
    works: Vec<Work>,
    keys: BTreeMap<u64, (IntentId, Timestamp)>,
    /// True when calls have begun since the last look at their places.
    has_begun_calls: bool,
    pub(crate) checker: Checker,
    pub(crate) log: Vec<String>,
}

/// Free bytes below which the disk is low.
const LOW_BYTES: u64 = 1_000;

pub(crate) fn address(name: &str) -> Address {
    Address::parse(name, &Home::default()).expect("a plain name")
}

fn settings() -> Settings {
    Settings {
        policy: Policy {
            retention: RETENTION,
            ..Policy::default()
        },
        queue_max: 64,
        batch_commands_max: 64,
        batch_bytes_max: 1 << 20,
        busy_wait: Duration::from_secs(1),
        bus_lag_max: 16,
        readers: 1,
        room: RoomSettings {
            low_bytes: LOW_BYTES,
            ..RoomSettings::default()
        },
        fresh_ids: ("org".to_owned(), "ws".to_owned()),
        webhook_words: postroom::broker::webhooks::plain_words,
    }
}

pub(crate) fn note() -> AuditNote {
    AuditNote {
        actor: "sim".to_owned(),
        key: None,
        via: "api".to_owned(),
        action: "sim".to_owned(),
        target: "sim".to_owned(),
        owner: None,
        reason: None,
        trace_id: None,
    }
}

type Step = Result<(), String>;

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let plan = Arc::new(Plan::default());
        let inner: Box<dyn Store> = Box::new(MemoryStore::new());
        let mut world = Self {
            rng: Rng(seed),
            clock: Arc::new(ManualClock::at(Timestamp::from_millis(1_775_901_600_000))),
            entropy: Arc::new(SeededEntropy::new(seed)),
            plan: Arc::clone(&plan),
            core: None,
            connections: Vec::new(),
            works: Vec::new(),
            keys: BTreeMap::new(),
            has_begun_calls: false,
            checker: Checker::default(),
            log: Vec::new(),
        };
        world.start(Box::new(FaultyStore { inner, plan }));
        for (name, binding) in AGENTS {
            let new = NewAgent {
                address: address(name),
                name: name.to_owned(),
                display_name: None,
                description: None,
                binding,
                callback_url: (binding == Binding::Http).then(|| "http://127.0.0.1:1/".to_owned()),
                ack_timeout: None,
                max_in_flight: None,
            };
            let command = AdminCommand::Register(Box::new(new));
            world
                .core()
                .administer(command, note())
                .expect("no fault yet")
                .expect("a new agent");
        }
        world
    }

    fn start(&mut self, store: Box<dyn Store>) {
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        let entropy: Arc<dyn Entropy> = Arc::<SeededEntropy>::clone(&self.entropy);
        self.core = Some(Core::start(store, settings(), clock, entropy).expect("recovery"));
    }

    pub(crate) fn core(&mut self) -> &mut Core {
        self.core.as_mut().expect("started")
    }

    /// Everything but the store and what others hold in their hands is lost.
    fn crash(&mut self) -> Step {
        self.log.push("crash".to_owned());
        self.plan.next(Fault::None);
        self.plan.fill(0);
        // What became true before is judged by what was known before.
        self.check()?;
        self.connections.clear();
        for work in &mut self.works {
            work.slot = None;
        }
        self.has_begun_calls = false;
        let store = self.core.take().expect("started").into_store();
        self.start(store);
        self.see_rate(true)
    }

    /// Takes over the rate of the one endpoint that is called, as it is kept. Another one begins with all that
    /// a second brings, and so does the one of a broker that has just started.
    fn see_rate(&mut self, is_new: bool) -> Step {
        let rate = kept_rate(self.reader().as_mut())?;
        let now = self.clock.now();
        self.checker.limit_rate(rate, now, is_new);
        Ok(())
    }

    /// The clock of the machine is set a day ahead, in the middle of anything.
    fn jump(&mut self) -> Step {
        if self.rng.chance(1) && self.rng.chance(50) {
            // What is old by then may be removed at once, and must have been seen.
            self.check()?;
            self.clock
                .set(self.clock.now().after(Span::from_seconds(86_400)));
            self.log.push("jump".to_owned());
        }
        Ok(())
    }

    /// Runs to the end of the seed's story; the first violation ends it.
    pub(crate) fn run(&mut self, steps: usize) -> Step {
        for _ in 0..steps {
            self.step()?;
            self.check()?;
        }
        self.heal()?;
        self.check()?;
        let mut reader = self.reader();
        jobs::finish(reader.as_mut())?;
        self.checker.finish(reader.as_mut())
    }

    pub(crate) fn reader(&mut self) -> Box<dyn Reader> {
        self.core().reader().expect("a reader of memory")
    }

    fn check(&mut self) -> Step {
        let mut reader = self.reader();
        self.checker.now = self.clock.now();
        self.checker.look(reader.as_mut(), &mut self.log)?;
        runs::check(&self.checker.model)?;
        jobs::check(reader.as_mut(), &mut self.checker)
    }

    fn step(&mut self) -> Step {
        if self.rng.chance(4) {
            let fault = if self.rng.chance(50) {
                Fault::Lost
            } else {
                Fault::Untold
            };
            self.plan.next(fault);
        }
        self.jump()?;
        let action = self.rng.below(100);
        let result = match action {
            0..=14 => self.submit(),
            15 => self.storm(),
            16..=19 => self.answer_calls(),
            20..=27 => self.connect(),
            28..=33 => self.disconnect(),
            34..=59 => self.report(),
            60..=69 => self.decide(),
            70..=76 => self.operate(),
            77 => self.pause(),
            78 => self.change_endpoint(),
            79 => self.job(),
            80..=81 => return self.crash(),
            82 => self.fill_disk(),
            _ => self.pass_time(),
        };
        self.receive();
        match result {
            Ok(()) => self.check_calls(),
            Err(Broken::Store(error)) if error == faults::crash() => self.crash(),
            // Nobody planned that one.
            Err(Broken::Store(error)) => Err(format!("the store failed: {error}")),
            Err(Broken::Rule(violation)) => Err(violation),
        }
    }

    fn ask(&mut self, id: IntentId, command: Command) -> Result<Option<Receipt>, Broken> {
        self.jump().map_err(Broken::Rule)?;
        let request = Request::plain(id, command);
        Ok(self.core().run(vec![request])?.pop().and_then(Result::ok))
    }

    pub(crate) fn new_id(&mut self) -> IntentId {
        let mut bytes = [0; 10];
        self.entropy.fill(&mut bytes);
        IntentId::new(self.clock.now().as_millis(), bytes)
    }

    fn submit(&mut self) -> Result<(), Broken> {
        let (name, _) = *self.rng.pick(&AGENTS).expect("not empty");
        let key = self.rng.next() % 40;
        if self.rng.chance(12) {
            return self.submit_run(key);
        }
        self.submit_to(name, key)
    }

    /// The endpoint of an agent cannot be reached for a while, although much is sent there.
    fn storm(&mut self) -> Result<(), Broken> {
        self.open_calls()?;
        for _ in 0..6 {
            let key = 1000 + self.rng.next() % 100_000;
            self.submit_to("billing", key)?;
        }
        for _ in 0..8 {
            self.receive();
            let class = if self.rng.chance(80) {
                ErrorClass::Connect
            } else {
                ErrorClass::Http5xx
            };
            self.end_calls(Some(Failure::new(class, "simulated failure")).as_ref())?;
            let seconds = 1 + i64::try_from(self.rng.below(40)).unwrap_or(0);
            self.clock.advance(Span::from_seconds(seconds));
            self.core().tick()?;
        }
        Ok(())
    }

    /// Every call that runs is answered, at times with a request for patience.
    fn answer_calls(&mut self) -> Result<(), Broken> {
        if self.rng.chance(60) {
            return self.end_calls(None);
        }
        let seconds = i64::try_from(self.rng.below(300)).unwrap_or(0);
        let mut busy = Failure::new(ErrorClass::Http429, "simulated failure");
        busy.http_status = Some(429);
        busy.retry_after = Some(Span::from_seconds(seconds));
        self.end_calls(Some(&busy))
    }

    /// Calls end, each for itself: its place is free before the broker hears of it.
    fn end_calls(&mut self, failure: Option<&Failure>) -> Result<(), Broken> {
        for place in 0..self.works.len() {
            let Some(slot) = self.works[place].slot.take() else {
                continue;
            };
            drop(slot);
            let work = self.works[place].clone();
            let report = Some(Arc::new(AttemptReport::default()));
            let attempt = Some(work.attempt);
            let command = match failure {
                None => told(resume("complete", attempt)),
                Some(failure) => Command::Fail(Fail {
                    attempt,
                    failure: failure.clone(),
                    delay: None,
                    by: Actor::Broker,
                    report,
                }),
            };
            let is_known = self.is_there(work.intent);
            self.ask(work.intent, command)?;
            let is_full = self.core().vitals().room().is_full;
            if !is_known || is_full {
                // Nothing was heard: what this commit started, it might start.
                self.check().map_err(Broken::Rule)?;
            } else if let Some(span) = failure.and_then(|failure| failure.retry_after) {
                self.checker.patience(self.clock.now().after(span));
            }
        }
        Ok(())
    }

    /// False once retention has removed it. A call that outlives its intent is nobody's: real ones end in
    /// seconds.
    fn is_there(&mut self, id: IntentId) -> bool {
        let found = self.reader().intent(id);
        found.is_ok_and(|found| found.is_some())
    }

    fn open_calls(&mut self) -> Result<(), Broken> {
        let start = 1 + u32::try_from(self.rng.below(4)).unwrap_or(0);
        let (id, handovers) = self.core().open(SessionSpec::calls(CALLS_MAX, start))?;
        self.connections.push(Connection { id, handovers });
        Ok(())
    }

    /// What runs fits into its places, seen from the outside.
    fn check_calls(&mut self) -> Step {
        let running = self.works.iter().filter(|work| work.slot.is_some()).count();
        let running = u32::try_from(running).unwrap_or(u32::MAX);
        let now = self.clock.now();
        let billing = self.core().endpoints().of(&address("billing"), now);
        let (told, limit) = billing.map_or((0, 0), |view| (view.in_flight, view.limit));
        let registry = self.core().registry();
        let most = registry.agent(&address("billing"));
        let most = most.and_then(|agent| agent.max_in_flight);
        let limit = limit.min(most.unwrap_or(u32::MAX));
        if running > CALLS_MAX || running != told {
            return Err(format!(
                "I11 {running} calls run, {told} are told, {CALLS_MAX} may"
            ));
        }
        if std::mem::take(&mut self.has_begun_calls) && running > limit {
            return Err(format!("I11 {running} calls run at once, {limit} may"));
        }
        Ok(())
    }

    /// An intent with everything drawn that an intent may have.
    pub(crate) fn draw(&mut self, name: &str) -> Submit {
        let seconds = self.rng.below(400);
        let seconds = i64::try_from(seconds).unwrap_or(0);
        let thread = ThreadId(self.new_id().0);
        Submit {
            id: self.new_id(),
            thread,
            intent_type: "intent.sim.v1".to_owned(),
            correlation_id: "c".to_owned(),
            from: address("web"),
            to: address(name),
            reply_to: self.rng.chance(20).then(|| address("web")),
            trace_id: None,
            payload: PayloadSource::Given(Payload::of(&serde_json::json!({ "seconds": seconds }))),
            payload_bytes: 8,
            deadline: None,
            ttl: self
                .rng
                .chance(30)
                .then(|| Span::from_seconds(60 + seconds * 10)),
            max_attempts: self
                .rng
                .chance(50)
                .then(|| 1 + u32::try_from(seconds % 4).unwrap_or(0)),
            reminders: ReminderPlan {
                after: self.rng.chance(20).then(|| Span::from_seconds(30)),
                interval: None,
                max: Some(2),
                escalate_to: self
                    .rng
                    .pick(&[
                        None,
                        None,
                        Some("lead"),
                        Some("stock"),
                        Some("billing"),
                        Some("finance"),
                    ])
                    .and_then(|to| to.map(str::to_owned)),
            },
            task: None,
            replay: None,
            part: Part::Plain,
        }
    }

    fn submit_to(&mut self, name: &str, key: u64) -> Result<(), Broken> {
        let submit = self.draw(name);
        self.take_in(submit, key)
    }

    /// Sends it under a key, which may have been used before.
    pub(crate) fn take_in(&mut self, submit: Submit, key: u64) -> Result<(), Broken> {
        self.jump().map_err(Broken::Rule)?;
        let id = submit.id;
        let mut fingerprint = [0; 32];
        fingerprint[..8].copy_from_slice(&key.to_be_bytes());
        let remember = Some(RememberKey {
            scope: "sim".to_owned(),
            key: key.to_string(),
            fingerprint,
        });
        let command = Command::Submit(Box::new(submit));
        let request = Request {
            intent: id,
            command,
            remember,
            audit: None,
        };
        match self.core().run(vec![request])?.pop() {
            Some(Ok(receipt)) => {
                let told = receipt.intent.id;
                self.checker.acknowledged.insert(told);
                let now = self.clock.now();
                // A key is as old as its intent, also when the first answer was never heard.
                let born = receipt.intent.created_at;
                let (first, at) = *self.keys.entry(key).or_insert((told, born));
                if first != told && at.after(RETENTION.answers) <= now {
                    // The broker may have forgotten the key by now.
                    self.keys.insert(key, (told, now));
                } else if first != told {
                    let seen = format!("I5 key {key} gave {first}, then {told}");
                    return Err(Broken::Rule(seen));
                }
                Ok(())
            }
            // Also while there would be room again, but the broker has not tried yet.
            Some(Err(BrokerError::StorageLow(room))) if room.is_low => {
                self.log.push(format!("refused: {room:?}"));
                Ok(())
            }
            other => Err(Broken::Rule(format!(
                "a plain submit was refused: {other:?}"
            ))),
        }
    }

    fn connect(&mut self) -> Result<(), Broken> {
        let (name, binding) = *self.rng.pick(&AGENTS[..4]).expect("not empty");
        if binding == Binding::Http {
            return self.open_calls();
        }
        let mode = if binding == Binding::Poll {
            SessionMode::Once
        } else {
            let is_cold_start = binding == Binding::Stream && self.rng.chance(50);
            SessionMode::Standing { is_cold_start }
        };
        let credit = 1 + u32::try_from(self.rng.below(4)).unwrap_or(0);
        let spec = SessionSpec {
            agent: address(name),
            binding,
            credit,
            mode,
        };
        let (id, handovers) = self.core().open(spec)?;
        self.connections.push(Connection { id, handovers });
        Ok(())
    }

    /// Receivers take what was written to them.
    fn receive(&mut self) {
        for connection in &mut self.connections {
            while let Ok(handover) = connection.handovers.try_recv() {
                let lease = handover.intent.lease();
                self.has_begun_calls |= handover.slot.is_some();
                self.works.push(Work {
                    session: connection.id,
                    slot: handover.slot,
                    intent: handover.intent.id,
                    attempt: handover.attempt,
                    binding: lease.map_or(Binding::Stream, |lease| lease.binding),
                });
            }
        }
    }

    fn disconnect(&mut self) -> Result<(), Broken> {
        if self.connections.is_empty() {
            return Ok(());
        }
        let place = self.rng.below(self.connections.len());
        let mut connection = self.connections.swap_remove(place);
        // Whoever made the calls of a connection has gone with it.
        for work in &mut self.works {
            if work.session == connection.id {
                work.slot = None;
            }
        }
        if self.rng.chance(50) {
            self.core().break_off(connection.id)?;
        } else {
            let mut unwritten = Vec::new();
            connection.handovers.close();
            while let Ok(handover) = connection.handovers.try_recv() {
                unwritten.push((handover.attempt, handover.intent.id));
            }
            self.core().end_window(connection.id, unwritten)?;
        }
        Ok(())
    }

    /// A receiver says something about an attempt: the newest, an old one, one it reported before.
    fn report(&mut self) -> Result<(), Broken> {
        let place = self.rng.below(self.works.len());
        let Some(work) = self.works.get_mut(place) else {
            return Ok(());
        };
        // Mostly it is the call's own end; else the receiver says it by a call of its own.
        let ends_call = work.binding == Binding::Http && self.rng.chance(80);
        let had_slot = work.slot.is_some();
        if ends_call {
            work.slot = None;
        }
        let work = work.clone();
        let is_known = self.is_there(work.intent);
        let report = ends_call.then(|| Arc::new(AttemptReport::default()));
        let mut patience = None;
        let attempt = Some(work.attempt);
        let by = Actor::Party("receiver".to_owned());
        let failure = |class| Failure::new(class, "simulated failure 503");
        let retry_after = self.rng.chance(20).then(|| Span::from_seconds(7));
        let command = match self.rng.below(10) {
            0..=3 => resume("complete", attempt),
            4 => resume("fail", attempt),
            5 => resume("progress", attempt),
            6 => Command::Acknowledge(Acknowledge {
                attempt,
                by,
                report,
            }),
            7 => {
                let span = self.rng.chance(70).then(|| self.seconds(1, 1_200));
                Command::Extend(Extend { attempt, span, by })
            }
            _ => {
                let class = match (work.binding, self.rng.below(4)) {
                    (Binding::Http, 0) => ErrorClass::Timeout,
                    (Binding::Http, 1) => ErrorClass::Gone410,
                    (Binding::Http, 2) => ErrorClass::Http429,
                    (Binding::Http, _) => ErrorClass::Http5xx,
                    _ => ErrorClass::Nack,
                };
                let mut failure = failure(class);
                failure.retry_after = retry_after;
                if class == ErrorClass::Http429 {
                    failure.http_status = Some(429);
                    let is_heard = had_slot && ends_call && is_known;
                    patience = retry_after
                        .filter(|_| is_heard)
                        .map(|span| self.clock.now().after(span));
                }
                let may_say = work.binding.is_pull() && self.rng.chance(50);
                let delay = may_say.then(|| self.seconds(0, 400));
                if delay.is_some() {
                    failure.retry_after = None;
                }
                Command::Fail(Fail {
                    attempt,
                    failure,
                    delay,
                    by,
                    report,
                })
            }
        };
        let asked = asked_time(&command);
        let command = if ends_call { told(command) } else { command };
        let answer = self.ask(work.intent, command)?;
        // What could not be written down need not have been heard.
        let is_full = self.core().vitals().room().is_full;
        if let Some(until) = patience.filter(|_until| !is_full) {
            self.checker.patience(until);
        }
        let Some(receipt) = answer else {
            return Ok(());
        };
        for fact in &receipt.facts {
            if fact
                .body
                .attempt()
                .is_some_and(|named| named != work.attempt)
            {
                let seen = format!(
                    "I7 a report of {} moved {:?}",
                    work.attempt,
                    fact.body.attempt()
                );
                return Err(Broken::Rule(seen));
            }
            if let (Some(span), Some(until)) = (asked, told_time(&fact.body))
                && fact.at.after(span) != until
            {
                let seen = format!("{span:?} asked for at {}, got {until}", fact.at);
                return Err(Broken::Rule(seen));
            }
        }
        Ok(())
    }

    fn seconds(&mut self, least: i64, most: usize) -> Span {
        let more = i64::try_from(self.rng.below(most)).unwrap_or(0);
        Span::from_seconds(least + more)
    }

    pub(crate) fn some_intent(&mut self, wanted: impl Fn(&Intent) -> bool) -> Option<Intent> {
        let found: Vec<IntentId> = self
            .checker
            .model
            .values()
            .filter(|intent| wanted(intent))
            .map(|intent| intent.id)
            .collect();
        let id = *self.rng.pick(&found)?;
        self.checker.model.get(&id).cloned()
    }

    /// At times a hold: a short one, or one that outlasts retries, leases and reminders of its intent.
    fn hold(&mut self, percent: u64) -> Span {
        if !self.rng.chance(percent) {
            return Span::ZERO;
        }
        let most = if self.rng.chance(50) { 5 } else { 900 };
        Span::from_seconds(1 + i64::try_from(self.rng.below(most)).unwrap_or(0))
    }

    fn decide(&mut self) -> Result<(), Broken> {
        let Some(intent) = self.some_intent(|intent| intent.task.is_some()) else {
            return Ok(());
        };
        let by = address("alice");
        if let Some(hold) = intent.holds.first()
            && self.rng.chance(40)
        {
            let command = Command::CancelHold {
                hold: hold.id,
                by: Actor::at(&by),
            };
            self.ask(intent.id, command)?;
            return Ok(());
        }
        let hold = self.hold(50);
        let choice = if self.rng.chance(60) {
            Choice::Yes
        } else {
            Choice::No
        };
        let command = if self.rng.chance(90) {
            let version = self.rng.chance(50).then_some(1);
            let comment = None;
            Command::Decide(Box::new(Decide {
                choice,
                comment,
                data: None,
                version,
                hold,
                by,
                via: Via::Page,
            }))
        } else {
            Command::Reply(Reply {
                message: "which account?".to_owned(),
                by,
                via: Via::Mcp,
            })
        };
        // What is said to a run is meant for whom it asks.
        let run = intent.step.as_ref().map(|step| step.run);
        let id = run.filter(|_run| self.rng.chance(40)).unwrap_or(intent.id);
        self.ask(id, command)?;
        Ok(())
    }

    fn operate(&mut self) -> Result<(), Broken> {
        let by = address("ops");
        let actor = Actor::at(&by);
        let is_letter = self.rng.chance(60);
        let wanted = |intent: &Intent| intent.dead_letter.is_some() == is_letter;
        let Some(intent) = self.some_intent(wanted) else {
            return Ok(());
        };
        let hold = self.hold(50);
        let command = match (is_letter, self.rng.below(4)) {
            (true, 0) => Command::Discard(Discard {
                reason: "noise".to_owned(),
                hold,
                by,
            }),
            (true, _) => Command::Replay(Box::new(Replay {
                new_id: self.new_id(),
                new_thread: ThreadId(self.new_id().0),
                payload: self.rng.chance(20).then(Payload::empty),
                to: None,
                max_attempts: None,
                is_forced: self.rng.chance(10),
                reason: None,
                hold,
                by,
            })),
            (false, 0) => Command::RetryNow { by: actor },
            (false, 1) => Command::Resolve(Resolve {
                status: Status::Canceled,
                result: None,
                error: None,
                reason: None,
                by: actor,
                expected_generation: None,
            }),
            (false, 2) => Command::Control(Box::new(self.control(&intent, actor))),
            (false, _) => return self.start_again(),
        };
        self.ask(intent.id, command)?;
        Ok(())
    }

    /// What governs an intent is changed, at times by somebody who has not seen the last change.
    fn control(&mut self, intent: &Intent, by: Actor) -> Control {
        let mut span = || {
            let seconds = 1 + i64::try_from(self.rng.below(600)).unwrap_or(0);
            self.rng.chance(40).then(|| Span::from_seconds(seconds))
        };
        let (timeout, ttl, ack_timeout, retry_delay) = (span(), span(), span(), span());
        let tries = u32::try_from(self.rng.below(5)).unwrap_or(0);
        let patch = Payload::object(r#"{"simulated":true}"#).expect("an object");
        Control {
            controls: self.rng.chance(50).then(|| patch.clone()),
            envelope: self.rng.chance(50).then_some(patch),
            grants: None,
            timeout,
            ttl,
            expires_at: None,
            max_attempts: self.rng.chance(50).then_some(1 + tries),
            ack_timeout,
            retry_delay: self
                .rng
                .chance(50)
                .then(|| retry_delay.map_or(RetryDelay::Scheduled, RetryDelay::Fixed)),
            reason: None,
            by,
            expected_generation: self
                .rng
                .chance(50)
                .then_some(intent.policy_generation.saturating_sub(tries / 4)),
        }
    }

    /// An eager hand-over of what another has: the writer itself starts only what lies ready. A call starts
    /// only with a place in hand, which nobody has here.
    fn start_again(&mut self) -> Result<(), Broken> {
        let is_held = |intent: &Intent| intent.lease().is_some() && intent.binding != Binding::Http;
        let session = self.connections.first().map(|connection| connection.id);
        let (Some(session), Some(intent)) = (session, self.some_intent(is_held)) else {
            return Ok(());
        };
        let start = Start {
            session,
            binding: intent.binding,
            rows_before: 0,
        };
        self.ask(intent.id, Command::Start(start))?;
        Ok(())
    }

    fn pause(&mut self) -> Result<(), Broken> {
        let (name, _) = *self.rng.pick(&AGENTS[..4]).expect("not empty");
        let address = address(name);
        let command = if self.rng.chance(50) {
            AdminCommand::Pause {
                address,
                reason: "cutover".to_owned(),
            }
        } else {
            AdminCommand::Unpause { address }
        };
        drop(self.core().administer(command, note())?);
        Ok(())
    }

    /// An operator limits how fast, or how many at once, an endpoint is called.
    fn change_endpoint(&mut self) -> Result<(), Broken> {
        let patch = AgentPatch {
            rate_millihertz: Some(*self.rng.pick(&[0, 50, 300, 2_000]).expect("not empty")),
            max_in_flight: self
                .rng
                .chance(50)
                .then(|| 1 + u32::try_from(self.rng.below(4)).unwrap_or(0)),
            ..AgentPatch::default()
        };
        self.patch_endpoint(patch)
    }

    fn patch_endpoint(&mut self, patch: AgentPatch) -> Result<(), Broken> {
        let registry = self.core().registry();
        let agent = registry.agent(&address("billing"));
        let account = agent.and_then(|agent| agent.account).expect("registered");
        let command = AdminCommand::Update {
            account,
            patch: Box::new(patch),
        };
        drop(self.core().administer(command, note())?);
        self.see_rate(false).map_err(Broken::Rule)
    }

    /// The disk is low, full for a while, or has room again.
    fn fill_disk(&mut self) -> Result<(), Broken> {
        match self.rng.below(3) {
            0 => {
                let free = *self.rng.pick(&[LOW_BYTES / 2, LOW_BYTES * 2]).expect("two");
                self.core().measure(Some(free))?;
            }
            1 => self.plan.fill(0),
            _ => {
                let transactions = 1 + self.rng.below(8);
                self.log.push(format!("no room for {transactions}"));
                self.plan.fill(u32::try_from(transactions).unwrap_or(1));
            }
        }
        Ok(())
    }

    fn pass_time(&mut self) -> Result<(), Broken> {
        let seconds = match self.rng.below(20) {
            0 => 86_400,
            1 => 3_600,
            2..=6 => 60,
            _ => 1 + i64::try_from(self.rng.below(6)).unwrap_or(0),
        };
        self.clock.advance(Span::from_seconds(seconds));
        self.core().tick()?;
        Ok(())
    }

    /// No more faults, healthy receivers, decided people: everything must end.
    fn heal(&mut self) -> Step {
        self.plan.next(Fault::None);
        self.crash()?;
        self.core()
            .measure(Some(LOW_BYTES * 2))
            .map_err(|error| error.to_string())?;
        let unlimited = AgentPatch {
            rate_millihertz: Some(0),
            ..AgentPatch::default()
        };
        self.patch_endpoint(unlimited)
            .map_err(|broken| format!("{broken:?}"))?;
        for (name, _) in AGENTS {
            let command = AdminCommand::Unpause {
                address: address(name),
            };
            self.core()
                .administer(command, note())
                .map_err(|error| error.to_string())?
                .map_err(|refusal| refusal.to_string())?;
        }
        for (name, binding) in &AGENTS[..4] {
            let mode = SessionMode::Standing {
                is_cold_start: *binding == Binding::Stream,
            };
            let spec = if *binding == Binding::Http {
                SessionSpec::calls(CALLS_MAX, 4)
            } else {
                SessionSpec {
                    agent: address(name),
                    binding: *binding,
                    credit: 64,
                    mode,
                }
            };
            let (id, handovers) = self.core().open(spec).map_err(|error| error.to_string())?;
            self.connections.push(Connection { id, handovers });
        }
        for _ in 0..3_000 {
            if self
                .checker
                .model
                .values()
                .all(|intent| intent.is_finished() && intent.holds.is_empty())
                && !self.has_live_jobs()
            {
                break;
            }
            self.resume_jobs()?;
            self.works.clear();
            self.receive();
            self.check_calls()?;
            // What one end brings about at once is done at once: steps have deadlines.
            while self.settle_all()? {
                self.receive();
                self.check()?;
            }
            // As long as the writer would sleep.
            let most = self.clock.now().after(Span::from_seconds(120));
            let due = self.core().next_due().unwrap_or(most).min(most);
            let span = due.since(self.clock.now()).max(Span::from_seconds(1));
            self.clock.advance(span);
            self.core().tick().map_err(|error| error.to_string())?;
            self.check()?;
        }
        Ok(())
    }

    /// Everything that somebody has in hand, and every question, is answered well. False when there was none.
    fn settle_all(&mut self) -> Result<bool, String> {
        let works = std::mem::take(&mut self.works);
        let wanted = |intent: &&Intent| intent.open_task().is_some();
        let waiting = self.checker.model.values().filter(wanted);
        let waiting: Vec<IntentId> = waiting.map(|intent| intent.id).collect();
        let is_any = !works.is_empty() || !waiting.is_empty();
        for work in works {
            let mut command = resume("complete", Some(work.attempt));
            if work.binding == Binding::Http {
                command = told(command);
            }
            drop(work.slot);
            self.settle(work.intent, command)?;
        }
        for id in waiting {
            let by = address("alice");
            let (choice, hold) = (Choice::Yes, Span::ZERO);
            let decide = Decide {
                choice,
                comment: None,
                data: None,
                version: None,
                hold,
                by,
                via: Via::Api,
            };
            self.settle(id, Command::Decide(Box::new(decide)))?;
        }
        Ok(is_any)
    }

    fn settle(&mut self, id: IntentId, command: Command) -> Step {
        self.ask(id, command)
            .map(|_| ())
            .map_err(|broken| format!("{broken:?}"))
    }
}

/// Why a step did not go through.
#[derive(Debug)]
pub(crate) enum Broken {
    Store(StoreError),
    Rule(String),
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The time that a report asks for.
fn asked_time(command: &Command) -> Option<Span> {
    match command {
        Command::Extend(extend) => extend.span,
        Command::Fail(fail) => fail.delay,
        _ => None,
    }
}

/// Until when a fact says that something lasts.
fn told_time(body: &FactBody) -> Option<Timestamp> {
    match body {
        FactBody::LeaseExtended { lease_until, .. } => Some(*lease_until),
        FactBody::AttemptFailed { next_at, .. } => Some(*next_at),
        _ => None,
    }
}

/// The same, said by whoever made the call: with what it saw.
fn told(command: Command) -> Command {
    let report = Some(Arc::new(AttemptReport::default()));
    match command {
        Command::Resume(resume) => Command::Resume(Box::new(Resume { report, ..*resume })),
        other => other,
    }
}

fn resume(action: &str, attempt: Option<AttemptId>) -> Command {
    let mut body = serde_json::Map::new();
    body.insert(
        "action".to_owned(),
        serde_json::Value::String(action.to_owned()),
    );
    let by = address("orders");
    Command::Resume(Box::new(Resume {
        body,
        actor: Actor::at(&by),
        by,
        via: Via::Api,
        attempt,
        expected_generation: None,
        report: None,
    }))
}
