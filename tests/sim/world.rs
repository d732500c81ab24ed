//! The world of a seed: the real writer over a store that fails, and who does what next. Senders, receivers, calls,
//! people and the healing at the end have files of their own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use postroom::broker::Settings;
use postroom::broker::core::Core;
use postroom::broker::request::{AdminCommand, AuditNote, NewAgent, Receipt, Request};
use postroom::broker::vitals::RoomSettings;
use postroom::clock::{Clock, Entropy, ManualClock, SeededEntropy};
use postroom::domain::address::{Address, Home};
use postroom::domain::agent::Binding;
use postroom::domain::ids::IntentId;
use postroom::domain::policy::{Policy, Retention};
use postroom::domain::time::{Span, Timestamp};
use postroom::engine::command::Command;
use postroom::store::error::StoreError;
use postroom::store::memory::MemoryStore;
use postroom::store::{Reader, Store};

use crate::chance::Rng;
use crate::checker::Checker;
use crate::faults::{self, Fault, FaultyStore, Plan};
use crate::jobs;
use crate::receivers::{Connection, Work};
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

/// Short, so that stories live to see what is old removed.
pub(crate) const RETENTION: Retention = Retention {
    finished: Span::from_seconds(12 * 3600),
    dead_letters: Span::from_seconds(36 * 3600),
    audit: Span::from_seconds(36 * 3600),
    answers: Span::from_seconds(8 * 3600),
    jobs: Span::from_seconds(18 * 3600),
};

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) entropy: Arc<SeededEntropy>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) core: Option<Core>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) works: Vec<Work>,
    pub(crate) keys: BTreeMap<u64, (IntentId, Timestamp)>,
    /// True when calls have begun since the last look at their places.
    pub(crate) has_begun_calls: bool,
    pub(crate) checker: Checker,
    pub(crate) log: Vec<String>,
}

/// Free bytes below which the disk is low.
pub(crate) const LOW_BYTES: u64 = 1_000;

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

pub(crate) type Step = Result<(), String>;

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

    pub(crate) fn start(&mut self, store: Box<dyn Store>) {
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        let entropy: Arc<dyn Entropy> = Arc::<SeededEntropy>::clone(&self.entropy);
        self.core = Some(Core::start(store, settings(), clock, entropy).expect("recovery"));
    }

    pub(crate) fn core(&mut self) -> &mut Core {
        self.core.as_mut().expect("started")
    }

    /// Everything but the store and what others hold in their hands is lost.
    pub(crate) fn crash(&mut self) -> Step {
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

    /// The clock of the machine is set a day ahead, in the middle of anything.
    pub(crate) fn jump(&mut self) -> Step {
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

    pub(crate) fn check(&mut self) -> Step {
        let mut reader = self.reader();
        self.checker.now = self.clock.now();
        self.checker.look(reader.as_mut(), &mut self.log)?;
        runs::check(&self.checker.model)?;
        jobs::check(reader.as_mut(), &mut self.checker)
    }

    pub(crate) fn step(&mut self) -> Step {
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

    pub(crate) fn ask(
        &mut self,
        id: IntentId,
        command: Command,
    ) -> Result<Option<Receipt>, Broken> {
        self.jump().map_err(Broken::Rule)?;
        let request = Request::plain(id, command);
        Ok(self.core().run(vec![request])?.pop().and_then(Result::ok))
    }

    pub(crate) fn seconds(&mut self, least: i64, most: usize) -> Span {
        let more = i64::try_from(self.rng.below(most)).unwrap_or(0);
        Span::from_seconds(least + more)
    }

    /// The disk is low, full for a while, or has room again.
    pub(crate) fn fill_disk(&mut self) -> Result<(), Broken> {
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

    pub(crate) fn pass_time(&mut self) -> Result<(), Broken> {
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
