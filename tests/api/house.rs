//! A broker with a door, and somebody who speaks HTTP to it.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use postroom::api::{ApiParts, Settings, first_start, serve};
use postroom::broker::webhooks::Subject;
use postroom::broker::{self, Broker};
use postroom::clock::{Clock, ManualClock, SeededEntropy};
use postroom::domain::policy::Policy;
use postroom::domain::time::{Span, Timestamp};
use postroom::shutdown::{Shutdown, Tasks};
use postroom::store::memory::MemoryStore;
use postroom::wire::webhooks as words;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::document;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct House {
    pub(crate) broker: Broker,
    pub(crate) clock: Arc<ManualClock>,
    /// The admin key.
    pub(crate) admin: String,
    pub(crate) url: String,
    client: Client,
    doors: Tasks,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.text))
    }

    /// The body of a success.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        let body = self.json();
        assert_eq!(body["ok"], json!(true), "{}", self.text);
        body
    }

    /// The error object of a refusal with this status and code.
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        let body = self.json();
        assert_eq!(body["ok"], json!(false), "{}", self.text);
        assert_eq!(body["error"]["code"], json!(code), "{}", self.text);
        body["error"].clone()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn house() -> House {
    house_with(Settings::default()).await
}

pub(crate) async fn house_with(settings: Settings) -> House {
    // The second test of a process finds it installed already.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_775_901_600_000)));
    let shutdown = Shutdown::new(tokio::runtime::Handle::current());
    let broker_settings = broker::Settings {
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
        room: broker::vitals::RoomSettings::default(),
        fresh_ids: ("org-id".to_owned(), "workspace-id".to_owned()),
        webhook_words: |event| match event.subject {
            Subject::Intent { fact, intent } => {
                words::told(event.id, event.event_type, event.owner, fact, intent)
            }
            Subject::House(news) => words::news(event.id, event.owner, news),
        },
    };
    let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let broker = Broker::start(
        Box::new(MemoryStore::new()),
        broker_settings,
        shared,
        Arc::new(SeededEntropy::new(7)),
        &shutdown.tasks("broker"),
    )
    .await
    .unwrap();
    let admin = first_start(&broker).await.unwrap().unwrap().token;
    let doors = shutdown.tasks("doors");
    let address = serve(
        ApiParts {
            broker: broker.clone(),
            settings,
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
        },
        &doors,
    )
    .unwrap();
    let house = House {
        broker,
        clock,
        admin,
        url: format!("http://{address}"),
        client: Client::builder().no_proxy().build().unwrap(),
        doors,
    };
    document::remember(&house.get("/openapi.json", "").await.json());
    house
}

impl House {
    pub(crate) fn request(&self, method: &str, path: &str, key: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("{}{path}", self.url));
        if key.is_empty() {
            request
        } else {
            request.header("x-api-key", key)
        }
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Reply {
        let request = request.build().unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = tokio::time::timeout(PATIENCE, self.client.execute(request))
            .await
            .expect("an answer in time")
            .unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let reply = Reply {
            status,
            headers,
            text: response.text().await.unwrap(),
        };
        if method != Method::HEAD {
            let media = reply.header("content-type");
            document::check(method.as_str(), &path, status, media, &reply.text);
        }
        reply
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Reply {
        self.send(self.request("GET", path, key)).await
    }

    pub(crate) async fn patch(&self, path: &str, key: &str, body: Value) -> Reply {
        self.send(self.request("PATCH", path, key).body(body.to_string()))
            .await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: Value) -> Reply {
        self.send(self.request("POST", path, key).body(body.to_string()))
            .await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        key: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Reply {
        let request = headers.iter().fold(
            self.request("POST", path, key).body(body.to_string()),
            |request, (name, value)| request.header(*name, *value),
        );
        self.send(request).await
    }

    /// An account of that name, answered with its id.
    pub(crate) async fn account(&self, name: &str, more: Value) -> String {
        let mut body = json!({ "name": name });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let made = self
            .post("/v1/service-accounts", &self.admin, body)
            .await
            .ok();
        made["service_account"]["service_account_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A key of a role for an agent of that name.
    pub(crate) async fn key(&self, name: &str, role: &str) -> String {
        let account = self.account(name, json!({})).await;
        let path = format!("/v1/service-accounts/{account}/keys");
        let made = self
            .post(&path, &self.admin, json!({ "role": role }))
            .await
            .ok();
        made["api_key"].as_str().unwrap().to_owned()
    }

    /// An intent from `key` to an agent, answered with its id.
    pub(crate) async fn submit(&self, key: &str, to: &str, payload: Value) -> String {
        let body = json!({
            "intent_type": "intent.order.process.v1", "to_agent": to, "payload": payload,
        });
        let made = self.post("/v1/intents", key, body).await.ok();
        made["intent_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn intent(&self, id: &str) -> Value {
        let answer = self
            .get(&format!("/v1/intents/{id}"), &self.admin)
            .await
            .ok();
        answer["intent"].clone()
    }

    /// Names of the public events of an intent.
    pub(crate) async fn event_types(&self, id: &str) -> Vec<String> {
        let answer = self
            .get(&format!("/v1/intents/{id}/events"), &self.admin)
            .await;
        let body = answer.ok();
        let events = body["events"].as_array().unwrap();
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event["seq"], json!(index + 1), "{body}");
        }
        events
            .iter()
            .map(|event| event["event_type"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Claims what is there at a poll agent.
    pub(crate) async fn poll(&self, key: &str, agent: &str) -> Vec<Value> {
        let path = format!("/v1/agents/{agent}/intents?limit=100");
        let body = self.get(&path, key).await.ok();
        body["intents"].as_array().unwrap().clone()
    }

    /// Lets time pass and has the broker do what is due then.
    pub(crate) async fn pass(&self, seconds: i64) {
        self.clock.advance(Span::from_seconds(seconds));
        self.broker.tick().await.unwrap();
    }

    /// Waits until so many receivers are connected, over all bindings.
    pub(crate) async fn has_listeners(&self, count: u64) {
        let stats = self.broker.stats();
        while stats.snapshot().connections.iter().sum::<u64>() < count {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn stream(&self, path: &str, key: &str) -> Stream {
        self.stream_of(self.request("GET", path, key)).await
    }

    pub(crate) async fn stream_of(&self, request: RequestBuilder) -> Stream {
        let response = tokio::time::timeout(PATIENCE, request.send())
            .await
            .expect("an answer in time")
            .unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let chunks = response
            .bytes_stream()
            .map(|chunk| chunk.expect("a clean end of the body").to_vec());
        Stream {
            chunks: chunks.boxed(),
            text: String::new(),
        }
    }

    /// A set of tasks of the same process.
    pub(crate) fn tasks(&self, name: &'static str) -> Tasks {
        self.doors.shutdown().tasks(name)
    }

    /// Closes the door, as at the end of the process.
    pub(crate) async fn close(&self) {
        self.doors.stop();
        tokio::time::timeout(PATIENCE, self.doors.stopped())
            .await
            .expect("the door closes in time");
    }
}

/// The reading side of an event stream.
pub(crate) struct Stream {
    chunks: BoxStream<'static, Vec<u8>>,
    text: String,
}

/// One frame, or a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) raw: String,
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) data: String,
}

impl Frame {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

impl Stream {
    /// The next frame, comments included; none at the clean end of the body.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let raw = self.text.drain(..end + 2).collect::<String>();
                return Some(frame(raw.trim_end_matches('\n').to_owned()));
            }
            let chunk = tokio::time::timeout(PATIENCE, self.chunks.next())
                .await
                .expect("something on the stream in time");
            let Some(bytes) = chunk else {
                assert_eq!(self.text, "", "the body ends between frames");
                return None;
            };
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next frame that is no comment.
    pub(crate) async fn event(&mut self) -> Frame {
        loop {
            let frame = self.next().await.expect("the stream goes on");
            if !frame.raw.starts_with(':') {
                return frame;
            }
        }
    }

    /// Everything until the end.
    pub(crate) async fn rest(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }
}

fn frame(raw: String) -> Frame {
    let line = |name: &str| {
        raw.lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
            .unwrap_or_default()
            .to_owned()
    };
    Frame {
        id: line("id"),
        event: line("event"),
        data: line("data"),
        raw,
    }
}
