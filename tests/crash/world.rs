//! Where actors stand: the broker of the moment, how to call it, and the ledger.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use crate::history::During;
use crate::ledger::Ledger;

/// What the broker itself says to the operator.
pub(crate) const NOTICES: [&str; 3] = [
    "intent.endpoint.gone.v1",
    "intent.endpoint.open.v1",
    "intent.dead_letters.rising.v1",
];

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What actors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Everything, with faults.
    Load,
    /// Nothing new, no faults: what is there is brought to its end.
    Drain,
    /// Nothing.
    Done,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) admin: String,
    pub(crate) sender: String,
    pub(crate) link: watch::Receiver<Option<String>>,
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) ledger: Mutex<Ledger>,
    /// For histories.
    pub(crate) began: tokio::time::Instant,
    /// Somebody was just told that a write is kept.
    pub(crate) kept: Notify,
}

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: Method,
    path: String,
    token: String,
    body: Option<String>,
    key: Option<String>,
}

impl Ask {
    pub(crate) fn get(token: &str, path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            token: token.to_owned(),
            body: None,
            key: None,
        }
    }

    pub(crate) fn post(token: &str, path: impl Into<String>, body: &Value) -> Self {
        Self {
            method: Method::POST,
            body: Some(body.to_string()),
            ..Self::get(token, path)
        }
    }

    /// The key under which it may be made again.
    pub(crate) fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// True when an earlier try of the same call had an unknown outcome.
    pub(crate) is_again: bool,
    /// From the first try to the answer.
    pub(crate) during: During,
}

impl Reply {
    pub(crate) fn is_ok(&self) -> bool {
        self.status == 200
    }

    pub(crate) fn code(&self) -> String {
        self.text("/error/code")
    }

    pub(crate) fn text(&self, pointer: &str) -> String {
        text(&self.body, pointer)
    }

    pub(crate) fn list(&self, pointer: &str) -> Vec<Value> {
        match self.body.pointer(pointer) {
            Some(Value::Array(items)) => items.clone(),
            _ => Vec::new(),
        }
    }
}

/// The text at a place, empty when there is none.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

impl World {
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    pub(crate) fn is_load(&self) -> bool {
        self.phase() == Phase::Load
    }

    pub(crate) fn is_done(&self) -> bool {
        self.phase() == Phase::Done
    }

    /// Microseconds since it all began.
    pub(crate) fn micros(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap()
    }

    pub(crate) async fn pause(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    /// The address of the broker of the moment.
    pub(crate) async fn up(&self) -> String {
        let mut link = self.link.clone();
        let found = link.wait_for(Option::is_some).await.unwrap();
        found.clone().unwrap()
    }

    /// Makes a call until its outcome is known: over and over, with the same key.
    pub(crate) async fn call(&self, ask: Ask) -> Reply {
        let mut is_again = false;
        let from = self.micros();
        loop {
            self.ledger().calls += 1;
            if let Some(reply) = self.once(&ask).await {
                let during = During {
                    from,
                    ..reply.during
                };
                return Reply {
                    is_again,
                    during,
                    ..reply
                };
            }
            is_again = true;
            self.ledger().unknown += 1;
            self.pause(2).await;
        }
    }

    /// Makes a call once. None when its outcome is not known.
    pub(crate) async fn once(&self, ask: &Ask) -> Option<Reply> {
        let base = self.up().await;
        let from = self.micros();
        let mut request = self
            .client
            .request(ask.method.clone(), format!("{base}{}", ask.path))
            .header("x-api-key", &ask.token)
            .timeout(PATIENCE);
        if let Some(key) = &ask.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = &ask.body {
            request = request.body(body.clone());
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return self.broken(ask, &error),
        };
        let status = response.status().as_u16();
        if status == 200 && ask.method == Method::POST {
            self.kept.notify_waiters();
        }
        let bytes = match response.bytes().await {
            Ok(bytes) => bytes,
            Err(error) => return self.broken(ask, &error),
        };
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            self.ledger()
                .wrong(format!("{} {}: not JSON: {error}", ask.method, ask.path));
            json!({})
        });
        match status {
            503 => None,
            500.. => {
                self.ledger()
                    .wrong(format!("{} {}: {status} {body}", ask.method, ask.path));
                None
            }
            _ => Some(Reply {
                status,
                body,
                is_again: false,
                during: During {
                    from,
                    to: self.micros(),
                },
            }),
        }
    }

    fn broken(&self, ask: &Ask, error: &reqwest::Error) -> Option<Reply> {
        if error.is_timeout() {
            let what = format!("no answer to {} {}", ask.method, ask.path);
            self.ledger().wrong(what);
        }
        None
    }
}

/// A world shared by all actors.
pub(crate) type Shared = Arc<World>;
