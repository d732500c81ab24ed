//! A lean client: one keep-alive connection, requests made before, answers looked at as little as needed, so
//! that the load takes little of the machine from what it measures.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cli::failure::Failure;

/// Bytes of an answer that are told when it is a refusal.
const EXCERPT: usize = 300;

/// One connection.
#[derive(Debug)]
pub(super) struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
}

/// A request as bytes.
pub(super) fn request(method: &str, path: &str, token: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "{method} {path} HTTP/1.1\r\nhost: bench\r\nx-api-key: {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The text behind `"key":"` up to the next quote: enough for ids.
pub(super) fn text_of<'body>(body: &'body [u8], key: &str) -> Option<&'body str> {
    let pattern = format!("\"{key}\":\"");
    let rest = body.get(find(body, pattern.as_bytes())?.saturating_add(pattern.len())..)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

/// Every text behind `"key":"`.
pub(super) fn texts_of(mut body: &[u8], key: &str) -> Vec<String> {
    let pattern = format!("\"{key}\":\"");
    let mut found = Vec::new();
    while let Some(text) = text_of(body, key) {
        found.push(text.to_owned());
        let at = find(body, pattern.as_bytes()).unwrap_or(body.len());
        body = body
            .get(at.saturating_add(pattern.len())..)
            .unwrap_or_default();
    }
    found
}

/// Where `pattern` begins in `body`.
pub(super) fn find(body: &[u8], pattern: &[u8]) -> Option<usize> {
    let first = *pattern.first()?;
    let mut from = 0_usize;
    loop {
        let next = body.get(from..)?.iter().position(|byte| *byte == first)?;
        let at = from.saturating_add(next);
        if body.get(at..)?.starts_with(pattern) {
            return Some(at);
        }
        from = at.saturating_add(1);
    }
}

fn broken(error: &std::io::Error) -> Failure {
    Failure::refused(format!("a connection of the load broke: {error}"))
}

fn unreadable(what: &str) -> Failure {
    Failure::refused(format!("the server answered {what} that is none"))
}

impl Line {
    pub(super) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let fault = |error| Failure::refused(format!("connect to {address}: {error}"));
        let stream = TcpStream::connect(address).await.map_err(fault)?;
        stream.set_nodelay(true).map_err(fault)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
            start: 0,
        })
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        if self.start > 0 && self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
        let read = self.stream.read_buf(&mut self.buffer).await;
        match read {
            Ok(0) => Err(Failure::refused("the server closed a connection")),
            Ok(_) => Ok(()),
            Err(error) => Err(broken(&error)),
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Takes so many bytes from the buffer, once they are there.
    async fn take(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(bytes) = self.rest().get(..count) {
                let bytes = bytes.to_vec();
                self.start = self.start.saturating_add(count);
                return Ok(bytes);
            }
            self.fill().await?;
        }
    }

    /// Reads a head: its status, and the length of the body when it is given.
    async fn head(&mut self) -> Result<(u16, Option<usize>), Failure> {
        loop {
            if let Some(end) = find(self.rest(), b"\r\n\r\n") {
                let head = self.take(end.saturating_add(4)).await?;
                let status = head
                    .get(9..12)
                    .and_then(|word| std::str::from_utf8(word).ok());
                let status = status.and_then(|word| word.parse().ok());
                let length = find(&head, b"content-length: ").map(|at| {
                    let rest = head.iter().skip(at.saturating_add(16));
                    let digits = rest.take_while(|byte| byte.is_ascii_digit());
                    digits.fold(0_usize, |sum, digit| {
                        let digit = usize::from(digit.saturating_sub(b'0'));
                        sum.saturating_mul(10).saturating_add(digit)
                    })
                });
                return Ok((status.ok_or_else(|| unreadable("a status"))?, length));
            }
            self.fill().await?;
        }
    }

    async fn write(&mut self, request: &[u8]) -> Result<(), Failure> {
        let written = self.stream.write_all(request).await;
        written.map_err(|error| broken(&error))
    }

    /// One request and its answer, which must be 200.
    pub(super) async fn call(&mut self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        self.write(request).await?;
        let (status, length) = self.head().await?;
        let body = self.take(length.unwrap_or(0)).await?;
        if status == 200 {
            return Ok(body);
        }
        let said = String::from_utf8_lossy(body.get(..EXCERPT).unwrap_or(&body)).into_owned();
        Err(Failure::refused(format!(
            "the server answered {status}: {said}"
        )))
    }

    /// Asks for an event stream.
    pub(super) async fn listen(mut self, request: &[u8]) -> Result<Events, Failure> {
        self.write(request).await?;
        let (status, _) = self.head().await?;
        if status != 200 {
            return Err(Failure::refused(format!(
                "the server answered {status} to a listener"
            )));
        }
        Ok(Events {
            line: self,
            text: Vec::new(),
        })
    }
}

/// The reading side of an event stream in chunks.
#[derive(Debug)]
pub(super) struct Events {
    line: Line,
    text: Vec<u8>,
}

impl Events {
    /// The `data` of the frames that came; none when the stream has ended.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, Failure> {
        loop {
            let chunk = self.chunk().await?;
            if chunk.is_empty() {
                return Ok(None);
            }
            self.text.extend_from_slice(&chunk);
            let mut frames = Vec::new();
            let mut rest = self.text.as_slice();
            while let Some(end) = find(rest, b"\n\n") {
                let (frame, behind) = rest.split_at(end);
                if let Some(at) = find(frame, b"data: ") {
                    frames.push(frame.iter().skip(at.saturating_add(6)).copied().collect());
                }
                rest = behind.get(2..).unwrap_or_default();
            }
            let read = self.text.len().saturating_sub(rest.len());
            self.text.drain(..read);
            if !frames.is_empty() {
                return Ok(Some(frames));
            }
        }
    }

    /// The next chunk; empty at the end.
    async fn chunk(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(end) = find(self.line.rest(), b"\r\n") {
                let head = self.line.take(end.saturating_add(2)).await?;
                let digits = head
                    .get(..end)
                    .and_then(|text| std::str::from_utf8(text).ok());
                let length = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok());
                let length = length.ok_or_else(|| unreadable("the length of a chunk"))?;
                let mut chunk = self.line.take(length.saturating_add(2)).await?;
                chunk.truncate(length);
                return Ok(chunk);
            }
            self.line.fill().await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_their_keys() {
        let body = br#"{"intents":[{"intent_id":"a","x":"y"},{"intent_id":"b"}]}"#;
        assert_eq!(text_of(body, "intent_id"), Some("a"));
        assert_eq!(texts_of(body, "intent_id"), ["a", "b"]);
        assert_eq!(text_of(body, "id"), None);
    }
}
