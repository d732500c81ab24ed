//! What operators are told: once when it begins, once when it is over, over restarts and all.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::broker::core::Core;
use crate::broker::request::{AdminCommand, NewAgent, NewSubscription, Request};
use crate::broker::session::{Handover, SessionSpec};
use crate::broker::vitals::RoomSettings;
use crate::broker::{AuditNote, Settings};
use crate::clock::{ManualClock, SeededEntropy};
use crate::domain::agent::Binding;
use crate::domain::attempt::AttemptReport;
use crate::domain::fact::{Actor, FeedEntry};
use crate::domain::failure::{ErrorClass, Failure};
use crate::domain::ids::{IntentId, ThreadId};
use crate::domain::payload::Payload;
use crate::domain::policy::Policy;
use crate::domain::status::Status;
use crate::domain::time::{Span, Timestamp};
use crate::engine::command::{Acknowledge, Command, Fail, Submit};
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::store::query::{FeedFilter, IntentFilter, PageRequest};

use super::{address, settings};

const ALL: PageRequest = PageRequest {
    limit: 1000,
    cursor: None,
};

/// The writer by hand, with one agent that is called, and somebody who is told of everything.
struct Yard {
    core: Option<Core>,
    clock: Arc<ManualClock>,
    entropy: Arc<SeededEntropy>,
    calls: mpsc::Receiver<Handover>,
    /// Calls to the agent that nobody has looked at.
    waiting: VecDeque<Handover>,
    next: u8,
}

fn numbers() -> Settings {
    let plain = settings(RoomSettings::default());
    Settings {
        policy: Policy {
            letters_per_hour_max: 3,
            ..plain.policy
        },
        ..plain
    }
}

fn note() -> AuditNote {
    let word = || "test".to_owned();
    AuditNote {
        actor: word(),
        key: None,
        via: word(),
        action: word(),
        target: word(),
        owner: None,
        reason: None,
        trace_id: None,
    }
}

impl Yard {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_775_901_600_000)));
        let mut yard = Self {
            core: None,
            clock,
            entropy: Arc::new(SeededEntropy::new(7)),
            calls: mpsc::channel(1).1,
            waiting: VecDeque::new(),
            next: 0,
        };
        yard.start(Box::new(MemoryStore::new()));
        let called = NewAgent {
            address: address("billing"),
            name: "billing".to_owned(),
            display_name: None,
            description: None,
            binding: Binding::Http,
            callback_url: Some("http://127.0.0.1:1/".to_owned()),
            ack_timeout: None,
            max_in_flight: None,
        };
        yard.administer(AdminCommand::Register(Box::new(called)));
        let everything = NewSubscription {
            owner: address("operator"),
            is_of_all: true,
            callback_url: "http://127.0.0.1:2/".to_owned(),
            event_types: vec!["agent.*".to_owned(), "dead_letter.*".to_owned()],
            is_active: true,
            description: None,
            secret: None,
            fresh_secret: "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=".to_owned(),
        };
        yard.administer(AdminCommand::Subscribe(Box::new(everything)));
        yard
    }

    fn start(&mut self, store: Box<dyn Store>) {
        let clock = Arc::<ManualClock>::clone(&self.clock);
        let entropy = Arc::<SeededEntropy>::clone(&self.entropy);
        let mut core = Core::start(store, numbers(), clock, entropy).unwrap();
        self.calls = core.open(SessionSpec::calls(8, 4)).unwrap().1;
        self.core = Some(core);
    }

    /// Everything but the store is lost.
    fn restart(&mut self) {
        self.pump();
        self.waiting.clear();
        let store = self.core.take().unwrap().into_store();
        self.start(store);
        self.core().tick().unwrap();
    }

    fn core(&mut self) -> &mut Core {
        self.core.as_mut().unwrap()
    }

    fn administer(&mut self, command: AdminCommand) {
        self.core().administer(command, note()).unwrap().unwrap();
    }

    fn run(&mut self, id: IntentId, command: Command) {
        let request = Request::plain(id, command);
        self.core().run(vec![request]).unwrap().remove(0).unwrap();
    }

    fn send(&mut self) {
        self.next += 1;
        let id = IntentId::new(1_775_901_600_000, [self.next; 10]);
        let submit = Submit::plain(
            id,
            ThreadId(id.0),
            "intent.order.process.v1",
            address("web"),
            address("billing"),
            Payload::empty(),
        );
        self.run(id, Command::Submit(Box::new(submit)));
    }

    /// Takes in every call. Those to the subscription are answered well.
    fn pump(&mut self) {
        let mut is_done = false;
        while !std::mem::replace(&mut is_done, true) {
            self.core().tick().unwrap();
            while let Ok(mut handover) = self.calls.try_recv() {
                drop(handover.slot.take());
                if handover.intent.to.is_webhook() {
                    self.well(&handover);
                    is_done = false;
                } else {
                    self.waiting.push_back(handover);
                }
            }
        }
    }

    /// The next call to the agent.
    fn call(&mut self) -> Option<Handover> {
        self.pump();
        self.waiting.pop_front()
    }

    fn well(&mut self, handover: &Handover) {
        let command = Command::Acknowledge(Acknowledge {
            attempt: Some(handover.attempt),
            by: Actor::Broker,
            report: Some(Arc::new(AttemptReport::default())),
        });
        self.run(handover.intent.id, command);
    }

    fn fail(&mut self, class: ErrorClass) {
        let handover = self.call().expect("a call");
        self.ill(&handover, class);
    }

    fn ill(&mut self, handover: &Handover, class: ErrorClass) {
        let command = Command::Fail(Fail {
            attempt: Some(handover.attempt),
            failure: Failure::new(class, "simulated"),
            delay: None,
            by: Actor::Broker,
            report: Some(Arc::new(AttemptReport::default())),
        });
        self.run(handover.intent.id, command);
    }

    fn pass(&mut self, seconds: i64) {
        self.clock.advance(Span::from_seconds(seconds));
        self.core().tick().unwrap();
    }

    /// How the notices of this type stand, oldest first.
    fn notices(&mut self, intent_type: &str) -> Vec<Status> {
        let filter = IntentFilter {
            intent_type: Some(intent_type.to_owned()),
            ..IntentFilter::default()
        };
        let mut reader = self.core().reader().unwrap();
        let found = reader.intents(&filter, &ALL).unwrap().items;
        found.iter().rev().map(|intent| intent.status).collect()
    }

    /// What subscriptions were told of this type, in order.
    fn told(&mut self, event_type: &str) -> Vec<Value> {
        self.pump();
        let mut reader = self.core().reader().unwrap();
        let filter = IntentFilter {
            intent_type: Some("webhook.event.v1".to_owned()),
            ..IntentFilter::default()
        };
        let found = reader.intents(&filter, &ALL).unwrap().items;
        let mut bodies = Vec::new();
        for intent in found.iter().rev() {
            let body = reader.payload(intent.id).unwrap().unwrap().to_value();
            if body["event_type"] == event_type {
                assert_eq!(intent.status, Status::Completed, "it was delivered");
                bodies.push(body["payload"].clone());
            }
        }
        bodies
    }

    fn feed(&mut self, kind: &str) -> usize {
        let mut reader = self.core().reader().unwrap();
        let (items, _) = reader.feed(&FeedFilter::default(), 10_000).unwrap();
        let of_it = items
            .iter()
            .filter(|item| matches!(&item.entry, FeedEntry::Notice(notice) if notice.kind == kind));
        of_it.count()
    }
}

#[test]
fn a_breaker_that_opens_is_told_once_until_it_is_closed_whatever_its_probes_and_restarts() {
    const OPEN: &str = "intent.endpoint.open.v1";
    let mut yard = Yard::new();
    for count in 1..=5 {
        assert_eq!(yard.notices(OPEN), [], "after {} failures", count - 1);
        yard.send();
        yard.fail(ErrorClass::Connect);
    }
    assert_eq!(yard.notices(OPEN), [Status::Waiting]);
    yard.restart();
    // The probe fails: the same episode.
    yard.send();
    yard.pass(31);
    yard.fail(ErrorClass::Connect);
    yard.restart();
    assert_eq!(yard.notices(OPEN), [Status::Waiting]);
    yard.pass(61);
    let probe = yard.call().expect("a probe");
    yard.well(&probe);
    assert_eq!(yard.notices(OPEN), [Status::Completed]);
    yard.restart();
    let told = yard.told("agent.breaker_changed");
    let states: Vec<_> = told.iter().map(|body| body["breaker"].clone()).collect();
    assert_eq!(states, [json!("open"), json!("closed")], "{told:?}");
    assert_eq!(told[0]["error_class"], "connect");
    assert_eq!(told[0]["agent"], "agent://local/default/billing");
    assert_eq!(told[0]["callback_url"], "http://127.0.0.1:1/");
    // Another episode is news again.
    for _ in 0..10 {
        yard.pass(5);
        yard.send();
        while let Some(handover) = yard.call() {
            yard.ill(&handover, ErrorClass::Timeout);
        }
    }
    assert_eq!(yard.notices(OPEN), [Status::Completed, Status::Waiting]);
    assert_eq!(yard.told("agent.breaker_changed").len(), 3);
}

#[test]
fn a_slow_call_that_ends_well_closes_the_breaker_and_what_is_parked_goes_at_once() {
    let mut yard = Yard::new();
    for _ in 0..12 {
        yard.send();
        let call = yard.call().expect("a call");
        yard.well(&call);
    }
    for _ in 0..6 {
        yard.send();
    }
    let slow = yard.call().expect("the slow call");
    for _ in 0..5 {
        yard.fail(ErrorClass::Connect);
    }
    yard.send();
    assert!(yard.call().is_none(), "the breaker is open");
    yard.well(&slow);
    assert!(yard.call().is_some(), "nobody waits for a closed breaker");
}

#[test]
fn dead_letters_over_the_limit_of_an_hour_are_told_once_until_they_are_few_again() {
    const RISING: &str = "intent.dead_letters.rising.v1";
    let mut yard = Yard::new();
    let die = |yard: &mut Yard| {
        yard.send();
        yard.fail(ErrorClass::Gone410);
    };
    for _ in 0..3 {
        die(&mut yard);
    }
    assert_eq!(yard.notices(RISING), [], "three are not over three");
    yard.restart();
    yard.pass(1200);
    die(&mut yard);
    assert_eq!(yard.notices(RISING), [Status::Waiting]);
    yard.restart();
    die(&mut yard);
    assert_eq!(yard.notices(RISING), [Status::Waiting]);
    assert_eq!(yard.feed("dead_letter.rising"), 1);
    yard.pass(2400);
    assert_eq!(yard.notices(RISING), [Status::Waiting], "two are over half");
    yard.pass(1260);
    yard.restart();
    assert_eq!(yard.notices(RISING), [Status::Completed]);
    assert_eq!(yard.feed("dead_letter.calm"), 1);
    let told = yard.told("dead_letter.rising");
    assert_eq!(told, [json!({ "last_hour": 4, "limit_per_hour": 3 })]);
    let told = yard.told("dead_letter.calm");
    assert_eq!(told, [json!({ "last_hour": 0, "limit_per_hour": 3 })]);
}
