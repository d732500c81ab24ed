//! The public HTTP API from the outside: requests, refusals, event streams.

use std::pin::Pin;
use std::time::Duration;

use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures_util::{Stream, StreamExt};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use url::Url;

use super::failure::Failure;
use super::frames::{Cleaner, TooLarge};
use super::place::{KEY_VARIABLE, Place};
use crate::domain::payload::Payload;
use crate::wire::json::Object;

/// The time to connect. A broker is near or not there.
const CONNECT: Duration = Duration::from_secs(5);
/// The time between two pieces of an answer; event streams are kept alive every 8 s.
const SILENCE: Duration = Duration::from_secs(75);

/// A client of one broker with one key. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key_from: String,
}

/// A request to be sent.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Body>,
    headers: Vec<(HeaderName, String)>,
}

/// The body of a request: JSON. What is no [`Value`] keeps the order of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body(String);

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self(value.to_string())
    }
}

impl From<Object> for Body {
    fn from(object: Object) -> Self {
        Self(object.finish())
    }
}

impl From<Payload> for Body {
    fn from(payload: Payload) -> Self {
        Self(payload.as_str().to_owned())
    }
}

/// One frame of an event stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Its name, `intent.delivered`.
    pub event: String,
    /// Its position, when it has one.
    pub id: Option<u64>,
    /// Its content.
    pub data: Value,
}

/// The frames of a stream until it ends or breaks.
pub type Frames = Pin<Box<dyn Stream<Item = Result<Frame, Failure>> + Send>>;

/// The value of a query parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(String);

impl From<&str> for Query {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Query {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&String> for Query {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}

impl From<u64> for Query {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl From<u32> for Query {
    fn from(number: u32) -> Self {
        Self(number.to_string())
    }
}

impl Call {
    /// Reads something.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Does something.
    #[must_use]
    pub fn post(path: impl Into<String>, body: impl Into<Body>) -> Self {
        let mut call = Self::new(Method::POST, path);
        call.body = Some(body.into());
        call
    }

    /// Changes something.
    #[must_use]
    pub fn patch(path: impl Into<String>, body: impl Into<Body>) -> Self {
        let mut call = Self::new(Method::PATCH, path);
        call.body = Some(body.into());
        call
    }

    fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            body: None,
            headers: Vec::new(),
        }
    }

    /// The same with a query parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Query>) -> Self {
        self.query.push((name, value.into().0));
        self
    }

    /// The same with a query parameter, if there is a value for it.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Query>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The same with query parameters.
    #[must_use]
    pub fn with_all(self, pairs: Vec<(&'static str, String)>) -> Self {
        let pairs = pairs.into_iter();
        pairs.fold(self, |call, (name, value)| call.with(name, value))
    }

    /// The same with an idempotency key, if there is one.
    #[must_use]
    pub fn once(mut self, key: Option<&str>) -> Self {
        if let Some(key) = key {
            let name = HeaderName::from_static("idempotency-key");
            self.headers.push((name, key.to_owned()));
        }
        self
    }

    fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        url.set_path(&self.path);
        if !self.query.is_empty() {
            url.query_pairs_mut()
                .extend_pairs(self.query.iter().map(|(name, value)| (*name, value)));
        }
        url
    }
}

impl Client {
    /// A client for `place`.
    ///
    /// # Errors
    /// When there is no key, or it cannot be sent.
    pub fn new(place: &Place) -> Result<Self, Failure> {
        let Some(key) = &place.key else {
            return Err(no_key(place));
        };
        Self::with_key(&place.url, key, &place.key_from)
    }

    /// A client with a given key.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn with_key(base: &Url, key: &str, key_from: &str) -> Result<Self, Failure> {
        let unfit = |_error| Failure::usage(format!("the key from {key_from} is no key"));
        let mut value = HeaderValue::from_str(key).map_err(unfit)?;
        value.set_sensitive(true);
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(unfit)?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", value);
        headers.insert(AUTHORIZATION, bearer);
        headers.insert("x-postroom-via", HeaderValue::from_static("cli"));
        let builder = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("postroom/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .redirect(reqwest::redirect::Policy::none());
        let is_here = matches!(base.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let builder = if is_here { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| {
            Failure::refused(format!("make an HTTP client: {}", causes(&error)))
        })?;
        Ok(Self {
            http,
            base: base.clone(),
            key_from: key_from.to_owned(),
        })
    }

    /// Where it talks to.
    #[must_use]
    pub fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Sends a call and reads the answer.
    ///
    /// # Errors
    /// Unreachable, or the broker's no in its own words.
    pub async fn call(&self, call: Call) -> Result<Value, Failure> {
        let response = self.send(call).await?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| self.lost(&error))?;
        let body: Result<Value, _> = serde_json::from_slice(&bytes);
        match body {
            Ok(body) if status.is_success() => Ok(body),
            Ok(body) => Err(self.refusal(status, &body)),
            Err(_) if !status.is_success() => Err(self.refusal(status, &Value::Null)),
            Err(error) => Err(Failure::refused(format!(
                "understand the answer of {}: {error}",
                self.base()
            ))
            .hint("is this a postroom of another version?")),
        }
    }

    /// Sends a call and gives the answer as it came.
    ///
    /// # Errors
    /// Unreachable, or the broker's no in its own words.
    pub async fn text(&self, call: Call) -> Result<String, Failure> {
        let response = self.send(call).await?;
        let status = response.status();
        let text = response.text().await.map_err(|error| self.lost(&error))?;
        if status.is_success() {
            return Ok(text);
        }
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Err(self.refusal(status, &body))
    }

    /// Opens an event stream.
    ///
    /// # Errors
    /// Unreachable, or the broker's no in its own words.
    pub async fn stream(&self, call: Call) -> Result<Frames, Failure> {
        let response = self.send(call).await?;
        let status = response.status();
        if !status.is_success() {
            let bytes = response.bytes().await.map_err(|error| self.lost(&error))?;
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            return Err(self.refusal(status, &body));
        }
        let base = self.base().to_owned();
        let mut cleaner = Cleaner::default();
        let text = response.bytes_stream().map(move |bytes| {
            let bytes = bytes.map_err(Broken::Link)?;
            cleaner.take(&bytes).map_err(Broken::Event)
        });
        let frames = text.eventsource().map(move |event| {
            event.map(frame).map_err(|error| {
                let error: &dyn std::fmt::Display = match &error {
                    EventStreamError::Transport(broken) => broken,
                    EventStreamError::Utf8(_) | EventStreamError::Parser(_) => &error,
                };
                Failure::unreachable(format!("read the event stream of {base}: {error}"))
            })
        });
        Ok(Box::pin(frames))
    }

    async fn send(&self, call: Call) -> Result<reqwest::Response, Failure> {
        let mut request = self.http.request(call.method.clone(), call.url(&self.base));
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            request = request
                .header("content-type", "application/json")
                .body(body.0.clone());
        }
        request.send().await.map_err(|error| self.lost(&error))
    }

    fn lost(&self, error: &reqwest::Error) -> Failure {
        let failure = Failure::unreachable(format!(
            "reach broker at {}: {}",
            self.base(),
            causes(error)
        ));
        failure.hint("start one with postroom serve, or name another with --url")
    }

    fn refusal(&self, status: StatusCode, body: &Value) -> Failure {
        let message = body.pointer("/error/message").and_then(Value::as_str);
        let code = body.pointer("/error/code").and_then(Value::as_str);
        let said = match (message, code) {
            (Some(message), Some(code)) => format!("{message} ({code})"),
            _ => format!("broker at {} answered {status}", self.base()),
        };
        let failure = Failure::refused(said);
        match (status, code) {
            (StatusCode::UNAUTHORIZED, _) if self.key_from == KEY_VARIABLE => {
                failure.hint(format!("the key came from {KEY_VARIABLE}"))
            }
            (StatusCode::UNAUTHORIZED, _) => failure.hint(format!(
                "the key came from {}; {KEY_VARIABLE} would win over it",
                self.key_from
            )),
            (_, Some("hold_elapsed")) => failure.hint("it has taken effect"),
            (_, Some("intent_terminal")) => failure.hint("postroom explain ID says how it ended"),
            (_, Some("already_replayed")) => failure.hint("--force replays it once more"),
            (_, Some("comment_required")) => failure.hint("add --comment TEXT"),
            (_, Some("outcome_not_allowed")) => {
                let allowed = list(body, "/error/details/allowed");
                let allowed: Vec<String> = allowed.iter().map(|name| text(name, "")).collect();
                if allowed.is_empty() {
                    failure
                } else {
                    failure.hint(format!("allowed: {}", allowed.join(", ")))
                }
            }
            (StatusCode::SERVICE_UNAVAILABLE, _) => failure.hint("try again in a moment"),
            _ => failure,
        }
    }
}

/// Why an event stream ended before its end.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Link(reqwest::Error),
    #[error(transparent)]
    Event(TooLarge),
}

fn frame(event: Event) -> Frame {
    Frame {
        id: event.id.parse().ok(),
        data: serde_json::from_str(&event.data).unwrap_or(Value::Null),
        event: event.event,
    }
}

/// No key was found for a place.
#[must_use]
pub fn no_key(place: &Place) -> Failure {
    if place.key_from == "nowhere" {
        Failure::refused(format!("no key for broker at {}", place.url))
            .hint(format!("put it into {KEY_VARIABLE}"))
    } else {
        Failure::unreachable(format!(
            "no broker has been started here: {} does not exist",
            place.key_from
        ))
        .hint(format!(
            "start one with postroom serve, or set {KEY_VARIABLE} and --url"
        ))
    }
}

/// An error with everything beneath it in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// Text at a pointer; empty when there is none.
#[must_use]
pub fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The list at a pointer; empty when there is none.
#[must_use]
pub fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// An agent's address as a path segment: without its scheme, everything unusual encoded.
#[must_use]
pub fn address_in_path(address: &str) -> String {
    let bare = address.strip_prefix("agent://").unwrap_or(address);
    segment(bare.trim_matches('/')).replace("%2F", "/")
}

/// Text as one path segment.
#[must_use]
pub fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_carry_any_text() {
        let base = Url::parse("http://127.0.0.1:1").unwrap();
        let path = format!("/v1/agents/{}", address_in_path("agent://a/b/ü?x"));
        let call = Call::get(path)
            .with("q", "a b&c")
            .with_some("n", None::<u32>);
        assert_eq!(
            call.url(&base).as_str(),
            "http://127.0.0.1:1/v1/agents/a/b/%C3%BC%3Fx?q=a+b%26c"
        );
    }

    #[test]
    fn text_of_any_kind_becomes_a_cell() {
        let value = serde_json::json!({"a": {"b": 5}, "c": null, "d": "x"});
        assert_eq!(text(&value, "/a/b"), "5");
        assert_eq!(text(&value, "/c"), "");
        assert_eq!(text(&value, "/d"), "x");
    }
}
