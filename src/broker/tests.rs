//! The writer, its slots and the bus, on the memory store, under a clock that stands still.

mod alarms;
mod keys;
mod listeners;
mod retention;
mod room;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::broker::request::{
    AdminCommand, AuditNote, BrokerError, NewAgent, Receipt, RememberKey, Request,
};
use crate::broker::session::{Session, SessionMode, SessionSpec};
use crate::broker::vitals::RoomSettings;
use crate::broker::{Broker, Settings};
use crate::clock::{Clock, ManualClock, SeededEntropy};
use crate::domain::address::{Address, Home};
use crate::domain::agent::Binding;
use crate::domain::fact::{Actor, FactBody, FeedEntry};
use crate::domain::ids::{AttemptId, IntentId};
use crate::domain::intent::Delivery;
use crate::domain::payload::Payload;
use crate::domain::policy::Policy;
use crate::domain::status::Status;
use crate::domain::time::{Span, Timestamp};
use crate::domain::via::Via;
use crate::engine::command::{Acknowledge, Command, Resume, Submit};
use crate::shutdown::Shutdown;
use crate::store::memory::MemoryStore;

struct House {
    broker: Broker,
    clock: Arc<ManualClock>,
}

fn address(name: &str) -> Address {
    Address::parse(name, &Home::default()).unwrap()
}

async fn house() -> House {
    house_on(MemoryStore::new(), RoomSettings::default()).await
}

fn settings(room: RoomSettings) -> Settings {
    Settings {
        policy: Policy {
            jitter_percent: 0,
            ..Policy::default()
        },
        queue_max: 1024,
        batch_commands_max: 4096,
        batch_bytes_max: 1 << 20,
        busy_wait: Duration::from_secs(5),
        bus_lag_max: 1024,
        readers: 2,
        room,
        fresh_ids: ("org".to_owned(), "ws".to_owned()),
        webhook_words: crate::broker::webhooks::plain_words,
    }
}

async fn house_on(store: MemoryStore, room: RoomSettings) -> House {
    house_of(store, settings(room)).await
}

async fn house_of(store: MemoryStore, settings: Settings) -> House {
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_775_901_600_000)));
    let shutdown = Shutdown::new(tokio::runtime::Handle::current());
    let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let entropy = Arc::new(SeededEntropy::new(7));
    let store = Box::new(store);
    let tasks = shutdown.tasks("broker");
    let broker = Broker::start(store, settings, shared, entropy, &tasks)
        .await
        .unwrap();
    House { broker, clock }
}

impl House {
    fn submit(&self, number: u32) -> Request {
        let id = self.broker.new_intent_id();
        let submit = Submit::plain(
            id,
            self.broker.new_thread_id(),
            "intent.order.process.v1",
            address("web"),
            address("orders"),
            Payload::of(&json!({ "number": number })),
        );
        Request::plain(id, Command::Submit(Box::new(submit)))
    }

    async fn send(&self, number: u32) -> IntentId {
        self.broker
            .run(self.submit(number))
            .await
            .unwrap()
            .intent
            .id
    }

    async fn listen(&self, credit: u32, is_cold_start: bool) -> Session {
        self.open(credit, SessionMode::Standing { is_cold_start })
            .await
    }

    async fn open(&self, credit: u32, mode: SessionMode) -> Session {
        let spec = SessionSpec {
            agent: address("orders"),
            binding: Binding::Stream,
            credit,
            mode,
        };
        self.broker.open_session(spec).await.unwrap()
    }

    async fn resume(
        &self,
        id: IntentId,
        attempt: Option<AttemptId>,
        body: Value,
    ) -> Result<Receipt, BrokerError> {
        let body = Payload::of(&body).entries().expect("an object");
        let by = address("orders");
        let resume = Resume {
            body,
            actor: Actor::at(&by),
            by,
            via: Via::Api,
            attempt,
            expected_generation: None,
            report: None,
        };
        self.broker
            .run(Request::plain(id, Command::Resume(Box::new(resume))))
            .await
    }

    async fn status(&self, id: IntentId) -> Status {
        let stored = self.broker.read(move |reader| reader.intent(id)).await;
        let stored = stored.unwrap().unwrap();
        // However it is asked for, the answer is the same.
        let lately = self
            .broker
            .intents(&[IntentId(uuid::Uuid::nil()), id])
            .await;
        assert_eq!(lately.unwrap(), [None, Some(Arc::clone(&stored))]);
        assert_eq!(
            self.broker.intent(id).await.unwrap(),
            Some(Arc::clone(&stored))
        );
        stored.status
    }

    fn note() -> AuditNote {
        AuditNote {
            actor: "ops".to_owned(),
            key: None,
            via: "api".to_owned(),
            action: "agent.pause".to_owned(),
            target: "orders".to_owned(),
            owner: None,
            reason: None,
            trace_id: None,
        }
    }
}

#[tokio::test]
async fn an_intent_goes_from_its_sender_through_a_listener_to_its_result() {
    let house = house().await;
    let mut bus = house.broker.subscribe();
    let mut session = house.listen(16, false).await;
    let id = house.send(1).await;
    let handover = session.next().await.unwrap();
    assert_eq!((handover.intent.id, handover.number), (id, 1));
    assert_eq!(handover.payload.as_str(), r#"{"number":1}"#);
    house
        .resume(id, Some(handover.attempt), json!({"ok": true}))
        .await
        .unwrap();
    assert_eq!(house.status(id).await, Status::Completed);

    // The bus hears after the caller: one more commit, and it has heard all.
    house.broker.tick().await.unwrap();
    let mut cursors = Vec::new();
    let mut types = Vec::new();
    while let Ok(published) = bus.try_recv() {
        for item in &published.items {
            cursors.push(item.cursor.0);
            if let FeedEntry::Intent { fact, .. } = &item.entry {
                types.push(fact.body.type_name());
            }
        }
    }
    let expected = [
        "created",
        "submitted",
        "delivered",
        "attempt_started",
        "completed",
    ];
    assert_eq!(types, expected.map(|name| format!("intent.{name}")));
    assert!(
        cursors.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{cursors:?}"
    );
}

#[tokio::test]
async fn what_was_sent_before_anybody_listened_is_handed_over_in_order_as_credit_comes_back() {
    let house = house().await;
    let mut sent = Vec::new();
    for number in 0..5 {
        sent.push(house.send(number).await);
    }
    let mut session = house.listen(2, false).await;
    let mut got = Vec::new();
    for _ in 0..5 {
        let handover = session.next().await.unwrap();
        got.push(handover.intent.id);
        house
            .resume(handover.intent.id, Some(handover.attempt), json!({"ok": 1}))
            .await
            .unwrap();
    }
    got.sort_unstable();
    sent.sort_unstable();
    assert_eq!(got, sent);
}

#[tokio::test]
async fn twenty_parallel_twins_make_one_intent_and_another_body_conflicts() {
    let house = house().await;
    let key = |fingerprint| {
        Some(RememberKey {
            scope: "s".to_owned(),
            key: "k".to_owned(),
            fingerprint,
        })
    };
    let twins: Vec<Request> = (0..20)
        .map(|number| Request {
            remember: key([1; 32]),
            ..house.submit(number)
        })
        .collect();
    let receipts = house.broker.run_all(twins).await.unwrap();
    let mut ids: Vec<IntentId> = receipts
        .into_iter()
        .map(|one| one.unwrap().intent.id)
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let other = Request {
        remember: key([2; 32]),
        ..house.submit(1)
    };
    assert_eq!(house.broker.run(other).await, Err(BrokerError::KeyConflict));
    let later = Request {
        remember: key([1; 32]),
        ..house.submit(1)
    };
    house.resume(ids[0], None, json!({"ok": 1})).await.unwrap();
    let again = house.broker.run(later).await.unwrap();
    assert!(again.is_repeat);
    assert_eq!(
        again.intent.status,
        Status::Delivered,
        "the answer is the first one's"
    );
}

#[tokio::test]
async fn a_lease_that_ends_is_retried_when_its_time_comes() {
    let house = house().await;
    let id = house.send(1).await;
    let mut session = house.listen(16, false).await;
    session.next().await.unwrap();
    house.clock.advance(Span::from_seconds(300));
    house.broker.tick().await.unwrap();
    house.clock.advance(Span::from_seconds(1));
    house.broker.tick().await.unwrap();
    let again = session.next().await.unwrap();
    assert_eq!((again.intent.id, again.number), (id, 2));
}

#[tokio::test]
async fn a_paused_agent_spends_nothing_and_goes_on_when_it_is_resumed() {
    let house = house().await;
    let new = NewAgent {
        address: address("orders"),
        name: "orders".to_owned(),
        display_name: None,
        description: None,
        binding: Binding::Stream,
        callback_url: None,
        ack_timeout: None,
        max_in_flight: None,
    };
    let run = |command| house.broker.administer(command, House::note());
    run(AdminCommand::Register(Box::new(new))).await.unwrap();
    let pause = AdminCommand::Pause {
        address: address("orders"),
        reason: "cutover".to_owned(),
    };
    run(pause).await.unwrap();
    let mut session = house.listen(16, true).await;
    let id = house.send(1).await;
    house.broker.tick().await.unwrap();
    assert!(session.try_next().is_none());
    let intent = house
        .broker
        .read(move |reader| reader.intent(id))
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(intent.delivery, Delivery::Ready { .. }));
    run(AdminCommand::Unpause {
        address: address("orders"),
    })
    .await
    .unwrap();
    assert_eq!(session.next().await.unwrap().number, 1);
}

#[tokio::test]
async fn a_stopped_broker_says_so() {
    let house = house().await;
    house.send(1).await;
    house.broker.stop().await;
    assert_eq!(
        house.broker.run(house.submit(2)).await,
        Err(BrokerError::Stopping)
    );
}

#[tokio::test]
async fn the_start_is_in_the_feed() {
    let house = house().await;
    let filter = crate::store::query::FeedFilter::default();
    let (items, _) = house
        .broker
        .read(move |reader| reader.feed(&filter, 10))
        .await
        .unwrap();
    assert!(
        matches!(&items[0].entry, FeedEntry::Notice(notice) if notice.kind == "broker.started")
    );
    assert!(!items.iter().any(|item| matches!(&item.entry,
        FeedEntry::Intent { fact, .. } if matches!(fact.body, FactBody::Offered))));
}

#[tokio::test]
async fn the_bus_and_the_store_tell_the_same_feed_of_one_commit() {
    let house = house().await;
    let mut bus = house.broker.subscribe();
    let mut session = house.listen(4, false).await;
    let id = house.send(1).await;
    let attempt = Some(session.next().await.unwrap().attempt);
    let answer = |action: &str| {
        let body = Payload::of(&json!({ "action": action }));
        let body = body.entries().expect("an object");
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
    };
    let by = Actor::Broker;
    let acknowledge = Command::Acknowledge(Acknowledge {
        attempt,
        by,
        report: None,
    });
    let commands = [answer("progress"), acknowledge, answer("complete")];
    let requests = commands.map(|command| Request::plain(id, command)).to_vec();
    for result in house.broker.run_all(requests).await.unwrap() {
        result.unwrap();
    }
    house.broker.tick().await.unwrap();
    let mut told = Vec::new();
    while let Ok(published) = bus.try_recv() {
        told.extend(published.items.clone());
    }
    let since = told.first().unwrap().cursor.0 - 1;
    let filter = crate::store::query::FeedFilter {
        since: crate::domain::ids::Cursor(since),
        ..crate::store::query::FeedFilter::default()
    };
    let read = house.broker.read(move |reader| reader.feed(&filter, 100));
    assert_eq!(read.await.unwrap().0, told);
}

#[tokio::test]
async fn an_intent_is_found_also_after_many_others() {
    let house = house().await;
    let first = house.send(0).await;
    let many = (1..6000).map(|number| house.submit(number)).collect();
    for answer in house.broker.run_all(many).await.unwrap() {
        answer.unwrap();
    }
    assert_eq!(house.status(first).await, Status::Delivered);
}
