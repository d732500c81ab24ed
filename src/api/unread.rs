//! What of a request's body no handler has read.
//!
//! A connection is kept only where the next request begins. A refusal that needs no body (no key, no such route,
//! not supported) is ready before the body has come; answered then, the connection would be closed behind an
//! answer that does not say so, and a client would send its next request into it. So the rest is read and thrown
//! away first, within the bounds of any other body; what is not read by then closes the connection, and the answer
//! announces it (RFC 9112, 9.3 and 9.6).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use futures_util::StreamExt;
use http::{HeaderValue, header};
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;

/// Where the body of a request comes back to.
#[derive(Debug, Default)]
pub(super) struct Unread {
    place: Arc<Mutex<Option<Body>>>,
    /// The client sends its body only when it is told to, which an answer does not do.
    is_asked_for: bool,
}

impl Unread {
    /// Lends the body to whoever handles the request.
    pub(super) fn of(request: &mut Request) -> Self {
        let body = request.body_mut();
        if http_body::Body::is_end_stream(body) {
            return Self::default();
        }
        let place = Arc::new(Mutex::new(None));
        let lent = Lent {
            body: Some(std::mem::take(body)),
            place: Arc::clone(&place),
        };
        *body = Body::new(lent);
        Self {
            place,
            is_asked_for: request.headers().contains_key(header::EXPECT),
        }
    }

    /// Reads what is left, at most so many bytes for so long, or announces that the connection ends here.
    pub(super) async fn finish(self, response: &mut Response, bytes_max: usize, wait: Duration) {
        let Some(rest) = self.place.lock().take() else {
            return;
        };
        let is_read = !self.is_asked_for
            && tokio::time::timeout(wait, read(rest, bytes_max)).await == Ok(true);
        if !is_read {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
    }
}

/// True once the body has come to its end.
async fn read(rest: Body, bytes_max: usize) -> bool {
    let announced = http_body::Body::size_hint(&rest).lower();
    if usize::try_from(announced).map_or(true, |announced| announced > bytes_max) {
        return false;
    }
    let mut bytes = 0_usize;
    let mut pieces = rest.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else {
            return false;
        };
        bytes = bytes.saturating_add(piece.len());
        if bytes > bytes_max {
            return false;
        }
    }
    true
}

/// A body that comes back when it is dropped before its end.
struct Lent {
    /// None once it has ended.
    body: Option<Body>,
    place: Arc<Mutex<Option<Body>>>,
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body
            .as_ref()
            .is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let left = self.body.take();
        *self.place.lock() = left.filter(|body| !http_body::Body::is_end_stream(body));
    }
}
