//! From an accepted intent to its outcome: broker, dispatcher and a receiver on loopback.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod hell;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use postroom::bindings::guard::{Guard, Policy as Egress};
use postroom::bindings::http::resolver::Lookup;
use postroom::bindings::http::{DispatcherConfig, Pusher, PusherConfig, TrustFiles, start};
use postroom::broker::request::{AdminCommand, AuditNote, NewAgent, Published, Request};
use postroom::broker::{Broker, Settings};
use postroom::clock::{Clock, ManualClock, SeededEntropy};
use postroom::domain::address::{Address, Home};
use postroom::domain::agent::Binding;
use postroom::domain::failure::{DeadReason, ErrorClass};
use postroom::domain::ids::IntentId;
use postroom::domain::intent::Intent;
use postroom::domain::payload::Payload;
use postroom::domain::policy::Policy;
use postroom::domain::status::Status;
use postroom::domain::time::{Span, Timestamp};
use postroom::engine::command::{Command, Submit};
use postroom::shutdown::{Shutdown, Tasks};
use postroom::store::memory::MemoryStore;
use postroom::store::query::{AttemptFilter, PageRequest};

const ACK: &str = "HTTP/1.1 202 Accepted\nContent-Length: 0\nConnection: close\n\n";
const RESULT: &str = "HTTP/1.1 200 OK\nConnection: close\n\n{\"result\":{\"n\":1}}";

fn address(name: &str) -> Address {
    Address::parse(name, &Home::default()).unwrap()
}

/// Reads one request, answers it and closes the connection. Gives the request back.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, reply: &str) -> String {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    let text = loop {
        let count = stream.read(&mut buffer).await.unwrap();
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        // Every body of ours ends with this key, null for what is no replay.
        if count == 0 || text.ends_with("\"replay_of\":null}") {
            break text;
        }
    };
    let reply = reply.replace('\n', "\r\n");
    stream.write_all(reply.as_bytes()).await.unwrap();
    // Over TLS an end without a word would be a reset.
    stream.shutdown().await.unwrap();
    text
}

/// A broker with one http agent, `orders`, and its receiver.
struct House {
    broker: Broker,
    clock: Arc<ManualClock>,
    commits: broadcast::Receiver<Arc<Published>>,
    listener: TcpListener,
    bindings: Tasks,
}

fn note() -> AuditNote {
    AuditNote {
        actor: "test".to_owned(),
        key: None,
        via: "api".to_owned(),
        action: "agent.test".to_owned(),
        target: "orders".to_owned(),
        owner: None,
        reason: None,
        trace_id: None,
    }
}

/// How pushes are made, for receivers that misbehave.
struct Pushing {
    timeout: Duration,
    egress: Egress,
    lookup: Option<Arc<dyn Lookup>>,
    trust: TrustFiles,
}

impl Default for Pushing {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            egress: Egress {
                is_private_allowed: true,
                ..Egress::default()
            },
            lookup: None,
            trust: TrustFiles::default(),
        }
    }
}

impl House {
    async fn new(max_in_flight: Option<u32>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/intent", listener.local_addr().unwrap());
        Self::calling(listener, url, max_in_flight).await
    }

    async fn calling(listener: TcpListener, url: String, max_in_flight: Option<u32>) -> Self {
        Self::pushing(listener, url, max_in_flight, Pushing::default()).await
    }

    async fn pushing(
        listener: TcpListener,
        url: String,
        max_in_flight: Option<u32>,
        pushing: Pushing,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_775_901_600_000)));
        let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let shutdown = Shutdown::new(tokio::runtime::Handle::current());
        let settings = Settings {
            policy: Policy {
                jitter_percent: 0,
                ..Policy::default()
            },
            queue_max: 1024,
            batch_commands_max: 4096,
            batch_bytes_max: 1 << 20,
            busy_wait: Duration::from_secs(5),
            bus_lag_max: 1024,
            readers: 1,
            room: postroom::broker::vitals::RoomSettings::default(),
            fresh_ids: ("org".to_owned(), "ws".to_owned()),
            webhook_words: postroom::broker::webhooks::plain_words,
        };
        let broker = Broker::start(
            Box::new(MemoryStore::new()),
            settings,
            Arc::clone(&shared),
            Arc::new(SeededEntropy::new(7)),
            &shutdown.tasks("broker"),
        )
        .await
        .unwrap();
        let agent = NewAgent {
            address: address("orders"),
            name: "orders".to_owned(),
            display_name: None,
            description: None,
            binding: Binding::Http,
            callback_url: Some(url),
            ack_timeout: None,
            max_in_flight,
        };
        let register = AdminCommand::Register(Box::new(agent));
        broker.administer(register, note()).await.unwrap();
        let commits = broker.subscribe();
        let pusher = PusherConfig {
            connect_timeout: pushing.timeout,
            timeout: pushing.timeout,
            response_bytes_max: 65_536,
            guard: Arc::new(Guard::new(pushing.egress)),
            user_agent: "Postroom/test".to_owned(),
            redact_keys: Vec::new(),
            trust: pushing.trust,
        };
        let dispatcher = DispatcherConfig {
            slots: 8,
            per_endpoint_start: 4,
            default_secret: None,
        };
        let bindings = shutdown.tasks("bindings");
        let pusher = match pushing.lookup {
            Some(lookup) => Pusher::with_lookup(pusher, shared, lookup),
            None => Pusher::new(pusher, shared),
        };
        let pusher = pusher.unwrap();
        start(broker.clone(), pusher, dispatcher, &bindings);
        Self {
            broker,
            clock,
            commits,
            listener,
            bindings,
        }
    }

    async fn send(&self) -> IntentId {
        let id = self.broker.new_intent_id();
        let submit = Submit::plain(
            id,
            self.broker.new_thread_id(),
            "intent.order.process.v1",
            address("web"),
            address("orders"),
            Payload::of(&json!({ "n": 1 })),
        );
        let request = Request::plain(id, Command::Submit(Box::new(submit)));
        self.broker.run(request).await.unwrap();
        id
    }

    async fn administer(&self, command: AdminCommand) {
        self.broker.administer(command, note()).await.unwrap();
    }

    /// Takes the next call, whichever intent it is about, and answers it.
    async fn receive(&self, reply: &str) -> String {
        let (stream, _) = self.listener.accept().await.unwrap();
        answer(stream, reply).await
    }

    /// The first state of the intent, among those committed from now on, that is as wanted.
    async fn until(&mut self, id: IntentId, is_wanted: impl Fn(&Intent) -> bool) -> Arc<Intent> {
        loop {
            let commit = self.commits.recv().await.unwrap();
            let found = commit.intents.iter().find(|intent| intent.id == id);
            if let Some(intent) = found.filter(|intent| is_wanted(intent)) {
                return Arc::clone(intent);
            }
        }
    }

    async fn until_status(&mut self, id: IntentId, status: Status) -> Arc<Intent> {
        self.until(id, |intent| intent.status == status).await
    }

    /// Moves time and lets the broker and the endpoint notice.
    async fn pass(&self, span: Span) {
        self.clock.advance(span);
        self.broker.tick().await.unwrap();
    }

    /// True when nobody is calling.
    async fn is_quiet(&self) -> bool {
        let call = self.listener.accept();
        tokio::time::timeout(Duration::ZERO, call).await.is_err()
    }
}

#[tokio::test]
async fn an_answer_acknowledges_and_a_result_in_it_completes() {
    let mut house = House::new(None).await;
    let first = house.send().await;
    let request = house.receive(ACK).await;
    assert!(
        request.contains(&format!(r#""intent_id":"{first}""#)),
        "{request}"
    );
    let acknowledged = house.until_status(first, Status::Acknowledged).await;
    assert_eq!(acknowledged.attempts, 1);

    let second = house.send().await;
    house.receive(RESULT).await;
    house.until_status(second, Status::Completed).await;
    let filter = AttemptFilter {
        intent: Some(second),
        ..AttemptFilter::default()
    };
    let page = PageRequest {
        limit: 10,
        cursor: None,
    };
    let attempts = house
        .broker
        .read(move |reader| reader.attempts(&filter, &page))
        .await
        .unwrap();
    let [attempt] = <[_; 1]>::try_from(attempts.items).unwrap();
    let report = attempt.report.unwrap();
    assert_eq!(report.http_status, Some(200));
    assert!(report.request.is_some() && report.response.is_some());
}

#[tokio::test]
async fn an_acknowledged_intent_that_waits_for_its_result_takes_no_room() {
    let mut house = House::new(Some(1)).await;
    let (first, second) = (house.send().await, house.send().await);
    for id in [first, second] {
        house.receive(ACK).await;
        house.until_status(id, Status::Acknowledged).await;
    }
}

#[tokio::test]
async fn no_more_posts_run_at_once_than_the_agent_allows() {
    let mut house = House::new(Some(1)).await;
    let (first, second) = (house.send().await, house.send().await);
    let (stream, _) = house.listener.accept().await.unwrap();
    let started = |intent: &Intent| intent.lease().is_some();
    house.until(first, started).await;
    // The broker has had time to hand over the second one, and did not.
    house.broker.tick().await.unwrap();
    let waiting = house.broker.read(move |reader| reader.intent(second)).await;
    assert_eq!(waiting.unwrap().unwrap().attempts, 0);
    assert!(house.is_quiet().await);
    answer(stream, RESULT).await;
    house.until_status(first, Status::Completed).await;
    house.receive(RESULT).await;
    house.until_status(second, Status::Completed).await;
}

#[tokio::test]
async fn a_503_with_retry_after_holds_the_whole_endpoint_back_and_spends_nothing() {
    let mut house = House::new(None).await;
    let first = house.send().await;
    let busy = "HTTP/1.1 503 Service Unavailable\nRetry-After: 60\nConnection: close\n\nbusy";
    house.receive(busy).await;
    let failed = house
        .until(first, |intent| intent.last_failure.is_some())
        .await;
    assert_eq!(
        failed.last_failure.as_ref().unwrap().class,
        ErrorClass::Http5xx
    );

    let second = house.send().await;
    house.pass(Span::from_seconds(59)).await;
    assert!(house.is_quiet().await);
    let waiting = house.broker.read(move |reader| reader.intent(second)).await;
    assert_eq!(waiting.unwrap().unwrap().attempts, 0);

    house.pass(Span::from_seconds(1)).await;
    for _ in 0..2 {
        house.receive(RESULT).await;
    }
    for id in [first, second] {
        let read = house.broker.read(move |reader| reader.intent(id)).await;
        if read.unwrap().unwrap().status != Status::Completed {
            house.until_status(id, Status::Completed).await;
        }
    }
}

#[tokio::test]
async fn a_paused_agent_is_not_called_until_it_goes_on() {
    let mut house = House::new(None).await;
    house
        .administer(AdminCommand::Pause {
            address: address("orders"),
            reason: "release".to_owned(),
        })
        .await;
    let id = house.send().await;
    house.broker.tick().await.unwrap();
    assert!(house.is_quiet().await);
    house
        .administer(AdminCommand::Unpause {
            address: address("orders"),
        })
        .await;
    house.receive(RESULT).await;
    let intent = house.until_status(id, Status::Completed).await;
    assert_eq!(intent.attempts, 1);
}

#[tokio::test]
async fn a_refused_address_makes_a_dead_letter_without_a_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = "http://169.254.169.254/latest".to_owned();
    let mut house = House::calling(listener, url, None).await;
    let id = house.send().await;
    let intent = house.until_status(id, Status::Failed).await;
    let letter = intent.dead_letter.as_ref().unwrap();
    assert_eq!(letter.reason, DeadReason::SsrfBlocked);
}

#[tokio::test]
async fn stopping_waits_for_the_call_in_flight_and_its_outcome_is_kept() {
    let mut house = House::new(None).await;
    let id = house.send().await;
    let (stream, _) = house.listener.accept().await.unwrap();
    house.bindings.stop();
    answer(stream, RESULT).await;
    house.bindings.stopped().await;
    house.until_status(id, Status::Completed).await;
    assert_eq!(house.bindings.running(), []);
}
