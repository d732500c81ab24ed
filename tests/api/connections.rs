//! Connections that are kept, byte by byte: an answer either leaves its connection fit for the next request, or
//! says that it ends here. Clients send head and body apart, so that a refusal may be ready before the body is.

use std::time::Duration;

use postroom::api::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, house, house_with};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection, and what of it was read too far.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    async fn open(house: &House) -> Self {
        let address = house.url.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            read: Vec::new(),
        }
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Head and body of the next answer; none where the connection ended instead.
    async fn answer(&mut self) -> Option<(String, String)> {
        loop {
            let text = String::from_utf8_lossy(&self.read).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |length| length.parse().unwrap());
                if let Some(body) = body.get(..length) {
                    self.read.drain(..head.len() + 4 + length);
                    return Some((head.to_owned(), body.to_owned()));
                }
            }
            if !self.more().await {
                assert_eq!(text, "", "the end is no part of an answer");
                return None;
            }
        }
    }

    /// False at the end.
    async fn more(&mut self) -> bool {
        let mut piece = [0; 4096];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut piece));
        // A reset is an end as well.
        let count = read.await.expect("something in time").unwrap_or(0);
        self.read.extend_from_slice(&piece[..count]);
        count > 0
    }
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

fn is_closing(head: &str) -> bool {
    head.lines().any(|line| line == "connection: close")
}

fn head(request: &str, fields: &str) -> Vec<u8> {
    format!("{request} HTTP/1.1\r\nhost: x\r\n{fields}\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_answered_the_next_request_of_the_connection_is_answered_too() {
    let house = house().await;
    let key = format!("x-api-key: {}\r\n", house.admin);
    let body = b"{\"payload\": {\"a\": 1}}";
    let length = format!("content-length: {}\r\n", body.len());
    let chunked = "transfer-encoding: chunked\r\n".to_owned();
    let chunks: &[u8] = b"5\r\n{\"a\":\r\n3\r\n 1}\r\n0\r\n\r\n";
    let mut connection = Connection::open(&house).await;
    // Each many times: whether an answer was ready before the body came was a matter of chance.
    for _ in 0..20 {
        for (request, key, wanted) in [
            ("POST /v1/intents", "", "401"),
            ("POST /v1/intents", "x-api-key: wrong\r\n", "401"),
            ("POST /v1/invites/create", key.as_str(), "501"),
            ("POST /v1/deliveries", key.as_str(), "501"),
            ("POST /v1/no-such-route", key.as_str(), "404"),
            ("PUT /v1/intents", key.as_str(), "405"),
            ("POST /v1/intents", key.as_str(), "422"),
            ("GET /v1/intents", key.as_str(), "200"),
            ("POST /v1/agents/orders/pause", key.as_str(), "404"),
            ("POST /decide/nothing", "", "404"),
            ("POST /mcp", "", "200"),
        ] {
            for (framing, body) in [(&length, body.as_slice()), (&chunked, chunks)] {
                let at = format!("{request} {framing}");
                connection
                    .write(&head(request, &format!("{key}{framing}")))
                    .await;
                // The broker has had the time of another whole exchange when the body comes.
                house.get("/health", "").await.ok();
                connection.write(body).await;
                let answer = connection.answer().await;
                let (head, _) = answer.unwrap_or_else(|| panic!("closed before {at}"));
                assert_eq!(status(&head), wanted, "{at}: {head}");
                assert!(!is_closing(&head), "{at}: {head}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_body_that_does_not_come_says_that_the_connection_ends() {
    let house = house_with(Settings {
        body_wait: Duration::from_millis(50),
        ..Settings::default()
    })
    .await;
    let key = format!("x-api-key: {}\r\n", house.admin);
    for (request, fields, wanted) in [
        (
            "POST /v1/intents",
            "content-length: 9\r\n".to_owned(),
            "401",
        ),
        (
            "POST /v1/intents",
            format!("{key}content-length: 9\r\n"),
            "400",
        ),
        (
            "POST /v1/invites",
            format!("{key}content-length: 9\r\n"),
            "501",
        ),
        (
            "POST /v1/invites",
            format!("{key}transfer-encoding: chunked\r\n"),
            "501",
        ),
        // More than is worth reading for an answer.
        (
            "POST /v1/nothing",
            format!("{key}content-length: 99999999\r\n"),
            "404",
        ),
    ] {
        let at = format!("{request} {fields}");
        let mut connection = Connection::open(&house).await;
        connection.write(&head(request, &fields)).await;
        let (head, _) = connection.answer().await.expect("an answer");
        assert_eq!(status(&head), wanted, "{at}: {head}");
        assert!(is_closing(&head), "{at}: {head}");
        assert_eq!(connection.answer().await, None, "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_to_be_asked_for_a_body_is_asked_or_answered_at_once() {
    let house = house().await;
    let fields = "content-length: 2\r\nexpect: 100-continue\r\n";
    let mut connection = Connection::open(&house).await;
    connection.write(&head("POST /v1/intents", fields)).await;
    let (head_of_no, _) = connection.answer().await.expect("an answer");
    assert_eq!(status(&head_of_no), "401", "{head_of_no}");
    assert!(is_closing(&head_of_no), "{head_of_no}");
    let fields = format!("x-api-key: {}\r\n{fields}", house.admin);
    let mut connection = Connection::open(&house).await;
    connection.write(&head("POST /v1/intents", &fields)).await;
    let (asked, _) = connection.answer().await.expect("an answer");
    assert_eq!(status(&asked), "100", "{asked}");
    connection.write(b"{}").await;
    let (refused, _) = connection.answer().await.expect("an answer");
    assert_eq!(status(&refused), "422", "{refused}");
    assert!(!is_closing(&refused), "{refused}");
}
