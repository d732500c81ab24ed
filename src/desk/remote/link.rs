//! One request and its answer: what the HTTP side has in common for every call.

use std::fmt::Display;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::desk::DeskError;
use crate::domain::address::Address;
use crate::domain::excerpt::{SENTENCE_CHARS_MAX, excerpt};

/// Most bytes of one answer. A page of 500 rows is far below it; more is a fault of the other side.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call may take, waiting for something to happen apart.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// The other side: where it is and how we present ourselves.
#[derive(Clone)]
pub(super) struct Link {
    client: reqwest::Client,
    base: Url,
    key: String,
    via: String,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Link")
            .field("base", &self.base.as_str())
            .field("via", &self.via)
            .finish_non_exhaustive()
    }
}

/// The error body of every answer from 400 on.
#[derive(Debug, Deserialize)]
struct ErrorBody {
    error: ErrorObject,
}

#[derive(Debug, Deserialize)]
struct ErrorObject {
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: serde_json::Value,
}

impl Link {
    pub(super) fn new(url: &str, key: &str, via: &str) -> Result<Self, DeskError> {
        let fault = |reason: String| DeskError::Unreachable {
            url: url.to_owned(),
            reason,
        };
        let spelled = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        let base = Url::parse(&spelled).map_err(|error| fault(error.to_string()))?;
        if base.cannot_be_a_base() || !matches!(base.scheme(), "http" | "https") {
            return Err(fault(
                "only http:// and https:// lead to a broker".to_owned(),
            ));
        }
        // Somebody in this process may have installed the same provider before.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("Postroom/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| fault(chain(&error)))?;
        Ok(Self {
            client,
            base,
            key: key.to_owned(),
            via: via.to_owned(),
        })
    }

    /// Where it is, without a slash at the end.
    pub(super) fn place(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Reads. A transport error is tried once more: the connection may have been idle for too long.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: Path) -> Result<T, DeskError> {
        self.get_waiting(path, Duration::ZERO).await
    }

    /// Reads something that may take `wait` longer to come.
    pub(super) async fn get_waiting<T: DeserializeOwned>(
        &self,
        path: Path,
        wait: Duration,
    ) -> Result<T, DeskError> {
        let url = path.on(&self.base);
        let timeout = CALL_TIMEOUT.saturating_add(wait);
        let request = || self.request(Method::GET, &url, timeout).send();
        let response = match request().await {
            Err(error) if is_worth_another_try(&error) => request().await,
            other => other,
        };
        self.answer(response).await
    }

    /// Acts. Tried again only when the request cannot have reached the other side.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: Path,
        body: &str,
        key: Option<&str>,
    ) -> Result<T, DeskError> {
        let url = path.on(&self.base);
        let request = || {
            let mut request = self
                .request(Method::POST, &url, CALL_TIMEOUT)
                .header("content-type", "application/json")
                .body(body.to_owned());
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            request.send()
        };
        let response = match request().await {
            Err(error) if error.is_connect() => request().await,
            other => other,
        };
        self.answer(response).await
    }

    fn request(&self, method: Method, url: &Url, timeout: Duration) -> RequestBuilder {
        self.client
            .request(method, url.clone())
            .timeout(timeout)
            .header("x-api-key", &self.key)
            .header("x-postroom-via", &self.via)
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        response: Result<Response, reqwest::Error>,
    ) -> Result<T, DeskError> {
        let mut response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.unreachable(&error))?
        {
            if bytes.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
                return Err(self.nonsense("its answer is larger than 64 MiB"));
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map_err(|error| self.nonsense(&error.to_string()));
        }
        if status.as_u16() == 401 {
            return Err(DeskError::Unauthorised {
                url: self.place().to_owned(),
            });
        }
        let Ok(ErrorBody { error }) = serde_json::from_slice::<ErrorBody>(&bytes) else {
            return Err(self.nonsense(&format!("it answered {status}")));
        };
        let message = excerpt(&error.message, SENTENCE_CHARS_MAX).into_owned();
        Err(match error.code.as_str() {
            "busy" | "shutting_down" => DeskError::Busy(message),
            "internal_error" => DeskError::Fault(message),
            _ => DeskError::Refused {
                code: error.code,
                message,
                details: error.details,
            },
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> DeskError {
        DeskError::Unreachable {
            url: self.place().to_owned(),
            reason: chain(error),
        }
    }

    /// The reason may repeat what was answered.
    fn nonsense(&self, reason: &str) -> DeskError {
        let reason = excerpt(reason, SENTENCE_CHARS_MAX);
        DeskError::Fault(format!(
            "understand the broker at {}: {reason}; hint: it may be another version, or no Postroom",
            self.place()
        ))
    }
}

/// A timeout is not: the other side had its time.
fn is_worth_another_try(error: &reqwest::Error) -> bool {
    !error.is_timeout() && (error.is_connect() || error.is_request())
}

/// The innermost reason, which is the one that says something: `Connection refused`.
fn chain(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// A route with its query, spelled when it is sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Path {
    segments: Vec<String>,
    query: Vec<(&'static str, String)>,
}

impl Path {
    /// A route of ours: `v1/intents`.
    pub(super) fn of(route: &str) -> Self {
        Self {
            segments: route.split('/').map(str::to_owned).collect(),
            query: Vec::new(),
        }
    }

    /// An agent: its address has slashes of its own.
    pub(super) fn to_agent(agent: &Address) -> Self {
        agent
            .key()
            .split('/')
            .fold(Self::of("v1/agents"), Self::then)
    }

    /// One more segment, whatever it contains.
    pub(super) fn then(mut self, segment: impl Display) -> Self {
        self.segments.push(segment.to_string());
        self
    }

    /// A query parameter.
    pub(super) fn with(mut self, key: &'static str, value: impl Display) -> Self {
        self.query.push((key, value.to_string()));
        self
    }

    /// A query parameter, if there is one.
    pub(super) fn maybe(self, key: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    fn on(&self, base: &Url) -> Url {
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&self.segments);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_spelled_under_the_base_with_everything_foreign_encoded() {
        let base = Url::parse("http://h:8100/room/").unwrap();
        let path = Path::of("v1/agents")
            .then("local")
            .then("a b/c?d")
            .with("since", "x&y")
            .maybe("cursor", None::<&str>);
        assert_eq!(
            path.on(&base).as_str(),
            "http://h:8100/room/v1/agents/local/a%20b%2Fc%3Fd?since=x%26y"
        );
    }

    #[test]
    fn what_is_no_address_of_a_broker_is_refused_and_a_bare_one_is_completed() {
        assert!(Link::new("file:///x", "k", "cli").is_err());
        assert!(Link::new("http://", "k", "cli").is_err());
        let link = Link::new("127.0.0.1:8100", "secret", "cli").unwrap();
        assert_eq!(link.place(), "http://127.0.0.1:8100");
        assert!(!format!("{link:?}").contains("secret"));
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_told_by_its_beginning() {
        let link = Link::new("127.0.0.1:8100", "secret", "cli").unwrap();
        let answer = format!("{{\"{}\": 1}}", "[".repeat(14_000));
        let error = serde_json::from_str::<Known>(&answer).unwrap_err();
        let told = link.nonsense(&error.to_string()).to_string();
        assert!(
            told.contains("unknown field `[[[") && told.len() < 2500,
            "{told}"
        );
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Known {}
}
