//! A lean client: one keep-alive connection, requests made before, answers looked at as little as needed.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
}

/// A request as bytes.
pub(crate) fn request(method: &str, path: &str, token: &str, body: &[u8]) -> Vec<u8> {
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
pub(crate) fn text_of<'body>(body: &'body [u8], key: &str) -> Option<&'body str> {
    let pattern = format!("\"{key}\":\"");
    let at = find(body, pattern.as_bytes())? + pattern.len();
    let rest = &body[at..];
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&rest[..end]).ok()
}

/// Every text behind `"key":"`.
pub(crate) fn texts_of(mut body: &[u8], key: &str) -> Vec<String> {
    let pattern = format!("\"{key}\":\"");
    let mut found = Vec::new();
    while let Some(at) = find(body, pattern.as_bytes()) {
        body = &body[at + pattern.len()..];
        let Some(end) = body.iter().position(|byte| *byte == b'"') else {
            break;
        };
        found.push(String::from_utf8_lossy(&body[..end]).into_owned());
    }
    found
}

pub(crate) fn find(body: &[u8], pattern: &[u8]) -> Option<usize> {
    let first = pattern[0];
    let mut from = 0;
    loop {
        let at = from + body[from..].iter().position(|byte| *byte == first)?;
        if body[at..].starts_with(pattern) {
            return Some(at);
        }
        from = at + 1;
    }
}

impl Line {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
            start: 0,
        }
    }

    async fn fill(&mut self) {
        if self.start > 0 && self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
        let count = self.stream.read_buf(&mut self.buffer).await.unwrap();
        assert!(count > 0, "the server closed a connection");
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Reads a head: its status, and the length of the body when it is given.
    async fn head(&mut self) -> (u16, Option<usize>) {
        loop {
            if let Some(end) = find(self.rest(), b"\r\n\r\n") {
                let head = &self.rest()[..end];
                let status = std::str::from_utf8(&head[9..12]).unwrap().parse().unwrap();
                let length = find(head, b"content-length: ").map(|at| {
                    let digits = head[at + 16..].iter().take_while(|b| b.is_ascii_digit());
                    digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'))
                });
                self.start += end + 4;
                return (status, length);
            }
            self.fill().await;
        }
    }

    /// One request and its answer, which must be 200.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Vec<u8> {
        let (status, body) = self.ask(request).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        body
    }

    /// One request and its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        self.stream.write_all(request).await.unwrap();
        let (status, length) = self.head().await;
        let length = length.unwrap_or(0);
        while self.rest().len() < length {
            self.fill().await;
        }
        let body = self.rest()[..length].to_vec();
        self.start += length;
        (status, body)
    }

    /// Asks for an event stream.
    pub(crate) async fn listen(mut self, request: &[u8]) -> Events {
        self.stream.write_all(request).await.unwrap();
        let (status, _) = self.head().await;
        assert_eq!(status, 200);
        Events {
            line: self,
            text: Vec::new(),
        }
    }
}

/// The reading side of an event stream in chunks.
#[derive(Debug)]
pub(crate) struct Events {
    line: Line,
    text: Vec<u8>,
}

impl Events {
    /// The `data` of the frames that came; none when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Vec<Vec<u8>>> {
        loop {
            let chunk = self.chunk().await?;
            self.text.extend_from_slice(&chunk);
            let mut frames = Vec::new();
            let mut from = 0;
            while let Some(end) = find(&self.text[from..], b"\n\n") {
                let frame = &self.text[from..from + end];
                if let Some(at) = find(frame, b"data: ") {
                    frames.push(frame[at + 6..].to_vec());
                }
                from += end + 2;
            }
            self.text.drain(..from);
            if !frames.is_empty() {
                return Some(frames);
            }
        }
    }

    async fn chunk(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = find(self.line.rest(), b"\r\n") {
                let digits = std::str::from_utf8(&self.line.rest()[..end]).unwrap();
                let length = usize::from_str_radix(digits, 16).unwrap();
                while self.line.rest().len() < end + 2 + length + 2 {
                    self.line.fill().await;
                }
                let chunk = self.line.rest()[end + 2..end + 2 + length].to_vec();
                self.line.start += end + 2 + length + 2;
                return (length > 0).then_some(chunk);
            }
            self.line.fill().await;
        }
    }
}
