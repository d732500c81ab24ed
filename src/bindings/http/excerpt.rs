//! Excerpts of a request and its answer, for operators.

use http::header::HeaderMap;
use http::status::StatusCode;
use http::version::Version;
use url::Url;

use super::answer::status_line;
use super::message::Message;
use super::redact::Redactor;
use crate::domain::attempt::Excerpt;

/// Most bytes of a body that an excerpt keeps.
const BODY_BYTES_MAX: usize = 4096;

/// Most headers that an excerpt keeps, and bytes of each; a receiver may send hundreds.
const HEADERS_MAX: usize = 40;
const HEADER_BYTES_MAX: usize = 256;

/// Most bytes of a request's first line.
const LINE_BYTES_MAX: usize = 512;

/// The request as it goes out.
pub(super) fn of_request(url: &Url, message: &Message, redactor: &Redactor) -> Excerpt {
    let line = match url.query() {
        Some(query) => format!("POST {}?{}", url.path(), redactor.query(query)),
        None => format!("POST {}", url.path()),
    };
    let bytes = u64::try_from(message.body.len()).unwrap_or(u64::MAX);
    let (body, is_truncated) =
        redactor.body(&String::from_utf8_lossy(&message.body), BODY_BYTES_MAX);
    Excerpt {
        line: cut(line, LINE_BYTES_MAX),
        headers: headers(&message.headers, redactor),
        body,
        bytes,
        is_truncated,
    }
}

/// An answer as far as it was read.
#[derive(Debug)]
pub(super) struct Read<'a> {
    /// The status line's parts.
    pub(super) version: Version,
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    /// The part that was read.
    pub(super) body: &'a [u8],
    /// The length that the answer announced.
    pub(super) announced_bytes: Option<u64>,
    /// False when there is more than was read.
    pub(super) is_whole: bool,
}

/// The answer as it was read.
pub(super) fn of_response(read: &Read<'_>, redactor: &Redactor) -> Excerpt {
    let seen = u64::try_from(read.body.len()).unwrap_or(u64::MAX);
    let (body, is_cut) = redactor.body(&String::from_utf8_lossy(read.body), BODY_BYTES_MAX);
    Excerpt {
        line: format!("{:?} {}", read.version, status_line(read.status)),
        headers: headers(read.headers, redactor),
        body,
        bytes: read.announced_bytes.unwrap_or(0).max(seen),
        is_truncated: is_cut || !read.is_whole,
    }
}

fn headers(map: &HeaderMap, redactor: &Redactor) -> Vec<(String, String)> {
    map.iter()
        .take(HEADERS_MAX)
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let shown = redactor.header(name.as_str(), &value).to_owned();
            (name.as_str().to_owned(), cut(shown, HEADER_BYTES_MAX))
        })
        .collect()
}

fn cut(mut text: String, bytes_max: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes_max));
    text
}
