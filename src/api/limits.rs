//! Upper bounds of the door: connections, streams of one key, requests of one key a minute.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::accept::Accept;
use http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::either::Either;

use crate::api::line::Kind;
use crate::api::tls::{Connection, Tls};
use crate::domain::ids::KeyId;
use crate::domain::time::Timestamp;
use crate::wire::errors::Problem;

/// Lets connections in as long as there is room, encrypts them where that is asked for, and has small
/// writes sent at once.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    pub(super) handle: Handle<SocketAddr>,
    pub(super) connections_max: usize,
    pub(super) tls: Option<Tls>,
    /// For the handshake.
    pub(super) wait: Duration,
}

/// A connection on its way in.
type Entering<S> = Pin<Box<dyn Future<Output = io::Result<(Connection, S)>> + Send>>;

impl<S: Send + 'static> Accept<TcpStream, S> for Gate {
    type Stream = Connection;
    type Service = S;
    type Future = Entering<S>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        // The connection that asks is counted already.
        if self.handle.connection_count() > self.connections_max {
            let max = self.connections_max;
            return Box::pin(ready(Err(io::Error::other(format!(
                "{max} connections are open, which is the limit (limits.connections_max)"
            )))));
        }
        let (tls, wait) = (self.tls.clone(), self.wait);
        Box::pin(async move {
            // A frame of a stream is small; held back until more comes, it would be late for nothing.
            stream.set_nodelay(true)?;
            let connection = match tls {
                Some(tls) => tls.accept(stream, wait).await?,
                None => Either::Left(stream),
            };
            Ok((connection, service))
        })
    }
}

/// What each key uses now.
#[derive(Debug, Clone, Default)]
pub(super) struct Usage {
    keys: Arc<Mutex<HashMap<KeyId, KeyUsage>>>,
}

#[derive(Debug, Default)]
struct KeyUsage {
    places: HashMap<Kind, Arc<Semaphore>>,
    minute: i64,
    requests: u32,
}

impl Usage {
    /// The places of a key's streams of one kind; the first call says how many there are.
    pub(super) fn places(&self, key: KeyId, kind: Kind, max: usize) -> Arc<Semaphore> {
        let mut keys = self.keys.lock();
        let used = keys.entry(key).or_default();
        let places = used.places.entry(kind);
        Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(max))))
    }

    /// Counts a request of a key; refuses it when this minute has seen `max`. Zero is no limit.
    pub(super) fn request(&self, key: KeyId, now: Timestamp, max: u32) -> Result<(), TooMany> {
        if max == 0 {
            return Ok(());
        }
        let (minute, second) = (
            now.as_seconds().div_euclid(60),
            now.as_seconds().rem_euclid(60),
        );
        let mut keys = self.keys.lock();
        let used = keys.entry(key).or_default();
        if used.minute != minute {
            used.minute = minute;
            used.requests = 0;
        }
        if used.requests >= max {
            return Err(TooMany {
                limit: max,
                reset_seconds: u32::try_from(60_i64.saturating_sub(second)).unwrap_or(60),
            });
        }
        used.requests = used.requests.saturating_add(1);
        Ok(())
    }
}

/// A key has sent as many requests as it may this minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany {
    pub(super) limit: u32,
    pub(super) reset_seconds: u32,
}

impl TooMany {
    pub(super) fn problem(self) -> Problem {
        let Self {
            limit,
            reset_seconds,
        } = self;
        Problem {
            retry_after_seconds: Some(reset_seconds),
            ..Problem::new(
                "rate_limit_exceeded",
                format!(
                    "this key may send {limit} requests a minute; the next one in {reset_seconds} s"
                ),
            )
            .with(serde_json::json!({ "limit": limit, "reset_seconds": reset_seconds }))
        }
    }
}

/// The headers that go with a refusal of this kind.
pub(super) fn rate_headers(headers: &mut HeaderMap, problem: &Problem) {
    let number = |key: &str| problem.details.get(key).and_then(serde_json::Value::as_u64);
    for (name, value) in [
        ("x-ratelimit-limit", number("limit")),
        ("x-ratelimit-remaining", Some(0)),
        ("x-ratelimit-reset", number("reset_seconds")),
    ] {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_so_many_streams_of_each_kind_and_a_closed_one_makes_room() {
        let usage = Usage::default();
        let stream = |key, kind| usage.places(KeyId(key), kind, 1).try_acquire_owned();
        let first = stream(1, Kind::Rows);
        assert!(first.is_ok());
        assert!(stream(1, Kind::Rows).is_err());
        assert!(stream(1, Kind::Events).is_ok());
        assert!(stream(2, Kind::Rows).is_ok());
        drop(first);
        assert!(stream(1, Kind::Rows).is_ok());
    }

    #[test]
    fn a_key_has_so_many_requests_a_minute() {
        let usage = Usage::default();
        let at = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000));
        assert_eq!(usage.request(KeyId(1), at(70), 2), Ok(()));
        assert_eq!(usage.request(KeyId(1), at(75), 2), Ok(()));
        let refused = usage.request(KeyId(1), at(80), 2).unwrap_err();
        assert_eq!((refused.limit, refused.reset_seconds), (2, 40));
        assert_eq!(refused.problem().retry_after_seconds, Some(40));
        assert_eq!(usage.request(KeyId(2), at(80), 2), Ok(()));
        assert_eq!(usage.request(KeyId(1), at(120), 2), Ok(()));
        for second in 0..100 {
            assert_eq!(usage.request(KeyId(3), at(second), 0), Ok(()));
        }
    }
}
