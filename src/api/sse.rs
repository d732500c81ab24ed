//! Event streams: frames as bytes, the window they are sent in, and its end.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use tokio::sync::watch;
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;

use crate::api::call::Call;
use crate::api::{Api, EarlyClose};
use crate::domain::address::Address;
use crate::domain::key::KeyHash;
use crate::wire::json::one_line;

/// How long a window stays open after its first rows for clients that read to the end first.
const EARLY_CLOSE_AFTER: Duration = Duration::from_millis(80);

/// Which stream a window is for: clients in Go read one to its end first, and the other as it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// Rows for a receiver.
    Rows,
    /// Events of one intent.
    Events,
}

/// A comment, sent into silence.
const KEEPALIVE: &str = ": keepalive\n\n";

/// One frame. `data` must be one line of JSON.
pub(super) fn frame(into: &mut String, id: impl std::fmt::Display, event: &str, data: &str) {
    use std::fmt::Write;
    let written = write!(
        into,
        "id: {id}\nevent: {event}\ndata: {}\n\n",
        one_line(data)
    );
    debug_assert!(written.is_ok(), "a String takes everything");
}

/// The frame that ends a window.
pub(super) fn farewell(key: &str, next: u64) -> String {
    format!("event: stream.timeout\ndata: {{\"ok\":true,\"{key}\":{next}}}\n\n")
}

/// The silence-breaking comment.
pub(super) fn keepalive() -> String {
    KEEPALIVE.to_owned()
}

/// Something that is sent piece by piece. `None` ends the response.
pub(super) trait Source: Send + 'static {
    /// The next piece.
    fn next(&mut self) -> impl Future<Output = Option<String>> + Send;
}

/// The response of a stream. When the client is gone the source is dropped.
pub(super) fn respond(source: impl Source) -> Response {
    let pieces = futures_util::stream::unfold(source, |mut source| async move {
        let piece = source.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(piece)), source))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// The time in which a stream is open, and everything that ends it.
#[derive(Debug)]
pub(super) struct Window {
    api: Api,
    key: KeyHash,
    /// At whose address it listens, if at anybody's: an agent that is killed hears nothing more.
    receiver: Option<Address>,
    changes: watch::Receiver<u64>,
    stop: CancellationToken,
    end: Pin<Box<Sleep>>,
    early: Option<Pin<Box<Sleep>>>,
    closes_early: bool,
    /// Over when nothing has been sent for as long as a comment is due.
    silence: Pin<Box<Sleep>>,
}

/// What a window has brought.
#[derive(Debug)]
pub(super) enum Turn<T> {
    /// Something from the source.
    Item(T),
    /// Silence for as long as a comment is due.
    Silence,
    /// The end of the window.
    End,
    /// The caller may not listen any more.
    Revoked,
}

impl Window {
    /// A window of `wait` that opens now.
    pub(super) fn open(api: &Api, call: &Call, wait: Duration, closes_early: bool) -> Self {
        Self {
            api: api.clone(),
            key: call.caller.hash,
            receiver: None,
            changes: api.inner.changes.clone(),
            stop: api.inner.stop.clone(),
            end: Box::pin(tokio::time::sleep(wait)),
            early: None,
            closes_early,
            silence: Box::pin(tokio::time::sleep(api.settings().keepalive)),
        }
    }

    /// The same window, at an agent's address.
    pub(super) fn at(mut self, receiver: &Address) -> Self {
        self.receiver = Some(receiver.clone());
        self
    }

    /// Whether this client reads to the end before it parses.
    ///
    /// The TypeScript client and some versions of the Go one say who they are. Go client 0.1.2 does not,
    /// and reads rows to the end all the same; whoever else listens by Go's own HTTP client and says
    /// nothing is asked to come back after each burst, and loses nothing by it.
    pub(super) fn closes_early(api: &Api, headers: &HeaderMap, stream: Stream) -> bool {
        match api.settings().early_close {
            EarlyClose::Always => true,
            EarlyClose::Never => false,
            EarlyClose::Auto => match text(headers, "x-axme-client") {
                Some(client) => {
                    client.starts_with("axme-sdk-typescript") || client.starts_with("axme-sdk-go")
                }
                None => stream == Stream::Rows && is_unnamed_go(headers),
            },
        }
    }

    /// Rows have been sent: silence begins anew, and from the first ones on an early end may be near.
    pub(super) fn has_sent(&mut self) {
        self.begin_silence();
        if self.closes_early && self.early.is_none() {
            self.early = Some(Box::pin(tokio::time::sleep(EARLY_CLOSE_AFTER)));
        }
    }

    fn begin_silence(&mut self) {
        self.silence = Box::pin(tokio::time::sleep(self.api.settings().keepalive));
    }

    /// Waits for `source`, which must be cancel-safe, for silence or for the end.
    pub(super) async fn turn<T>(&mut self, source: impl Future<Output = T>) -> Turn<T> {
        let early = async {
            match self.early.as_mut() {
                Some(early) => early.await,
                None => std::future::pending().await,
            }
        };
        // Sleeps, tokens and watches lose nothing when dropped; the window's own sleeps live on.
        let turn = tokio::select! {
            biased;
            () = self.stop.cancelled() => Turn::End,
            () = revoked(&self.api, &self.key, self.receiver.as_ref(), &mut self.changes) => {
                Turn::Revoked
            }
            () = early => Turn::End,
            () = self.end.as_mut() => Turn::End,
            item = source => Turn::Item(item),
            () = self.silence.as_mut() => Turn::Silence,
        };
        if !matches!(turn, Turn::Silence) {
            return turn;
        }
        self.begin_silence();
        if may_listen(&self.api, &self.key, self.receiver.as_ref()) {
            Turn::Silence
        } else {
            Turn::Revoked
        }
    }
}

/// True for a client in Go that does not say which.
pub(super) fn is_unnamed_go(headers: &HeaderMap) -> bool {
    !headers.contains_key("x-axme-client")
        && text(headers, "user-agent").is_some_and(|agent| agent.starts_with("Go-http-client/"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn may_listen(api: &Api, key: &KeyHash, receiver: Option<&Address>) -> bool {
    api.is_key_good(key) && receiver.is_none_or(|receiver| api.is_alive(receiver))
}

/// Completes when the key is no longer good, or the receiver was killed.
async fn revoked(
    api: &Api,
    key: &KeyHash,
    receiver: Option<&Address>,
    changes: &mut watch::Receiver<u64>,
) {
    loop {
        if changes.changed().await.is_err() {
            // The watcher is gone because the broker is; the stop token says so.
            std::future::pending::<()>().await;
        }
        if !may_listen(api, key, receiver) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_three_lines_with_one_space_after_each_colon_and_a_blank_one() {
        let mut text = String::new();
        frame(&mut text, 3, "intent.delivered", "{\"a\":\"x\u{2028}y\"}");
        assert_eq!(
            text,
            "id: 3\nevent: intent.delivered\ndata: {\"a\":\"x\\u2028y\"}\n\n"
        );
        assert_eq!(
            farewell("next_seq", 14),
            "event: stream.timeout\ndata: {\"ok\":true,\"next_seq\":14}\n\n"
        );
    }
}
