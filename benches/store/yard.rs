//! The real writer over a real file, driven by hand, with the receivers of the benchmark.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postroom::broker::Settings;
use postroom::broker::core::Core;
use postroom::broker::request::{AdminCommand, AuditNote, NewAgent, RememberKey, Request};
use postroom::broker::session::{Handover, SessionMode, SessionSpec};
use postroom::clock::{Clock, Entropy as _, SystemClock, SystemEntropy};
use postroom::domain::address::{Address, Home};
use postroom::domain::agent::Binding;
use postroom::domain::fact::Actor;
use postroom::domain::failure::{ErrorClass, Failure};
use postroom::domain::ids::{IntentId, SessionId, ThreadId};
use postroom::domain::payload::Payload;
use postroom::domain::policy::Policy;
use postroom::domain::via::Via;
use postroom::engine::command::{Acknowledge, Command, Fail, Resume, Submit};
use postroom::store::sqlite::{self, SqliteStore};
use tokio::sync::mpsc;

use crate::PAYLOAD_BYTES;

/// Whose intents go through; the others' stay where they are.
const BUSY: &str = "orders";

/// What failures say. Other numbers would not make other groups.
const WAYS: [&str; 8] = [
    "no way",
    "no road",
    "no path",
    "no lane",
    "no track",
    "no trail",
    "no ford",
    "no bridge",
];

/// A file, its writer and a connected receiver.
pub(crate) struct Yard {
    pub(crate) core: Core,
    clock: Arc<dyn Clock>,
    entropy: SystemEntropy,
    payload: Payload,
    session: (SessionId, mpsc::Receiver<Handover>),
    keys: u64,
}

impl Yard {
    pub(crate) fn open(directory: &Path, flight: usize) -> Self {
        let store = SqliteStore::open(&directory.join("postroom.db"), sqlite::Settings::default());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let settings = Settings {
            policy: Policy::default(),
            queue_max: 4096,
            batch_commands_max: 4096,
            batch_bytes_max: 1 << 20,
            busy_wait: Duration::from_secs(1),
            bus_lag_max: 16,
            readers: 1,
            room: postroom::broker::vitals::RoomSettings::default(),
            fresh_ids: ("org".to_owned(), "workspace".to_owned()),
            webhook_words: postroom::broker::webhooks::plain_words,
        };
        let store = Box::new(store.unwrap());
        let entropy = Arc::new(SystemEntropy);
        let mut core = Core::start(store, settings, Arc::clone(&clock), entropy).unwrap();
        for (name, binding) in [
            (BUSY, Binding::Stream),
            ("asleep", Binding::Stream),
            ("boss", Binding::Inbox),
        ] {
            register(&mut core, name, binding);
        }
        let spec = SessionSpec {
            agent: address(BUSY),
            binding: Binding::Stream,
            credit: u32::try_from(flight).unwrap(),
            mode: SessionMode::Standing {
                is_cold_start: false,
            },
        };
        let session = core.open(spec).unwrap();
        let text = "x".repeat(PAYLOAD_BYTES - 16);
        Self {
            core,
            clock,
            entropy: SystemEntropy,
            payload: Payload::of(&serde_json::json!({ "text": text })),
            session,
            keys: 0,
        }
    }

    /// One commit of so many new intents that nobody takes.
    pub(crate) fn accept(&mut self, count: usize, with_key: bool) -> Vec<IntentId> {
        self.submit(count, "asleep", with_key)
    }

    /// So many intents from their creation to their result: accepted, started, acknowledged, completed, each
    /// step durable before the next.
    pub(crate) fn lifecycle(&mut self, count: usize) -> usize {
        let work = self.started(count);
        let acknowledge = |handover: &Handover| {
            let acknowledge = Acknowledge {
                attempt: Some(handover.attempt),
                by: Actor::Party(BUSY.to_owned()),
                report: None,
            };
            Request::plain(handover.intent.id, Command::Acknowledge(acknowledge))
        };
        self.run(work.iter().map(acknowledge).collect());
        let resume = |handover: &Handover| {
            let resume = Resume {
                body: Payload::trusted(r#"{"ok":true}"#).entries().unwrap(),
                by: address(BUSY),
                via: Via::Api,
                actor: Actor::Party(BUSY.to_owned()),
                attempt: Some(handover.attempt),
                expected_generation: None,
                report: None,
            };
            Request::plain(handover.intent.id, Command::Resume(Box::new(resume)))
        };
        self.run(work.iter().map(resume).collect());
        work.len()
    }

    /// So many intents that fail for good, in one of ten ways.
    pub(crate) fn dead(&mut self, count: usize) {
        let work = self.started(count);
        let fail = |(number, handover): (usize, &Handover)| {
            let fail = Fail {
                attempt: Some(handover.attempt),
                failure: Failure::new(ErrorClass::BlockedAddress, WAYS[number % WAYS.len()]),
                delay: None,
                by: Actor::Party(BUSY.to_owned()),
                report: None,
            };
            Request::plain(handover.intent.id, Command::Fail(fail))
        };
        self.run(work.iter().enumerate().map(fail).collect());
    }

    /// So many intents that wait for a person.
    pub(crate) fn ask(&mut self, count: usize) {
        self.submit(count, "boss", false);
    }

    fn started(&mut self, count: usize) -> Vec<Handover> {
        self.submit(count, BUSY, false);
        let mut work = Vec::with_capacity(count);
        while work.len() < count {
            match self.session.1.try_recv() {
                Ok(handover) => work.push(handover),
                Err(_nothing_yet) => self.core.tick().unwrap(),
            }
        }
        work
    }

    fn submit(&mut self, count: usize, to: &str, with_key: bool) -> Vec<IntentId> {
        let requests: Vec<Request> = (0..count).map(|_| self.request(to, with_key)).collect();
        let ids = requests.iter().map(|request| request.intent).collect();
        self.run(requests);
        ids
    }

    fn request(&mut self, to: &str, with_key: bool) -> Request {
        let id = IntentId(self.new_id());
        let submit = Submit {
            correlation_id: self.new_id().to_string(),
            ..Submit::plain(
                id,
                ThreadId(self.new_id()),
                "intent.order.process.v1",
                address("web"),
                address(to),
                self.payload.clone(),
            )
        };
        self.keys += 1;
        let remember = with_key.then(|| RememberKey {
            scope: "account POST /v1/intents".to_owned(),
            key: format!("{}-{}", self.keys, id.0),
            fingerprint: [7; 32],
        });
        Request {
            remember,
            ..Request::plain(id, Command::Submit(Box::new(submit)))
        }
    }

    fn run(&mut self, requests: Vec<Request>) {
        for answer in self.core.run(requests).unwrap() {
            answer.unwrap();
        }
        drop(self.core.published());
    }

    fn new_id(&self) -> uuid::Uuid {
        let mut chance = [0; 10];
        self.entropy.fill(&mut chance);
        let millis = self.clock.now().as_millis().unsigned_abs();
        uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid()
    }
}

pub(crate) fn address(name: &str) -> Address {
    Address::parse(name, &Home::default()).unwrap()
}

fn register(core: &mut Core, name: &str, binding: Binding) {
    let agent = NewAgent {
        address: address(name),
        name: name.to_owned(),
        display_name: None,
        description: None,
        binding,
        callback_url: None,
        ack_timeout: None,
        max_in_flight: None,
    };
    let note = AuditNote {
        actor: "bench".to_owned(),
        key: None,
        via: "api".to_owned(),
        action: "agent.register".to_owned(),
        target: name.to_owned(),
        owner: None,
        reason: None,
        trace_id: None,
    };
    let receipt = core.administer(AdminCommand::Register(Box::new(agent)), note);
    receipt.unwrap().unwrap();
}
