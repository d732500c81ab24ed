//! Requests that are too large to be requests, byte by byte over real connections.

use std::time::Duration;

use postroom::api::Settings;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, house, house_with};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[expect(clippy::disallowed_methods, reason = "it is waited for before the end")]
/// Writes these bytes, whether or not they are all taken, and reads what comes back before they are.
async fn raw(house: &House, bytes: Vec<u8>) -> String {
    let address = house.url.strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let writing = tokio::spawn(async move {
        // Whoever has heard enough closes.
        let _cut = to.write_all(&bytes).await;
        to
    });
    let mut answer = Vec::new();
    let reading = async {
        let mut piece = [0; 4096];
        while !is_whole(&answer) {
            match from.read(&mut piece).await {
                Ok(count) if count > 0 => answer.extend_from_slice(&piece[..count]),
                _ => break,
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("an answer in time");
    writing.abort();
    String::from_utf8(answer).unwrap()
}

/// True once the head and as much as it announces have come.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| body.len() >= length.parse::<usize>().unwrap())
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_refused_by_its_status_and_the_others_go_on() {
    let house = house().await;
    let head =
        |line: &str, fields: String| format!("{line}\r\nhost: x\r\n{fields}\r\n").into_bytes();
    let health = "GET /health HTTP/1.1";
    let field = |bytes: usize| format!("x-long: {}\r\n", "a".repeat(bytes));
    let fields = |count: usize| {
        (0..count).fold(String::new(), |all, number| {
            all + &format!("x-{number}: a\r\n")
        })
    };
    let path = format!("GET /{} HTTP/1.1", "a".repeat(70_000));
    for (what, bytes, wanted) in [
        ("a field of 16 KiB", head(health, field(16 * 1024)), "200"),
        ("a field of 256 KiB", head(health, field(256 * 1024)), "431"),
        ("50 fields", head(health, fields(50)), "200"),
        ("200 fields", head(health, fields(200)), "431"),
        ("a path of 70 kB", head(&path, String::new()), "414"),
        ("no HTTP", b"\x16\x03\x01 hello\r\n\r\n".to_vec(), "400"),
    ] {
        let answer = raw(&house, bytes).await;
        assert_eq!(status(&answer), wanted, "{what}: {answer}");
        house.get("/health", "").await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_of_a_head_is_a_setting() {
    let wide = Settings {
        head_bytes_max: 1024 * 1024,
        ..Settings::default()
    };
    let narrow = Settings {
        head_bytes_max: 8 * 1024,
        ..Settings::default()
    };
    for (settings, wanted) in [(wide, "200"), (narrow, "431")] {
        let house = house_with(settings).await;
        let field = "a".repeat(256 * 1024);
        let head = format!("GET /health HTTP/1.1\r\nhost: x\r\nx-long: {field}\r\n\r\n");
        let answer = raw(&house, head.into_bytes()).await;
        assert_eq!(status(&answer), wanted, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_is_closed_when_it_has_been_idle_for_long() {
    let brief = Settings {
        idle_wait: Duration::from_millis(50),
        ..Settings::default()
    };
    let house = house_with(brief).await;
    let address = house.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let health = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(health).await.unwrap();
    let mut all = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all))
        .await
        .expect("it is closed in time")
        .unwrap();
    let answer = String::from_utf8(all).unwrap();
    assert!(is_whole(answer.as_bytes()), "{answer}");
    assert_eq!(status(&answer), "200", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_refused_while_it_comes() {
    let house = house().await;
    // Said to be 100 MB; far fewer are taken before the answer.
    let mut bytes = format!(
        "POST /v1/intents HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\ncontent-length: 100000000\r\n\r\n",
        house.admin
    )
    .into_bytes();
    bytes.resize(bytes.len() + 4 * 1024 * 1024 + 1, b' ');
    let answer = raw(&house, bytes).await;
    assert_eq!(status(&answer), "413", "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["error"]["code"], "payload_too_large", "{body}");
    assert_eq!(body["error"]["details"]["limit"], 1024 * 1024, "{body}");
    house.get("/health", "").await.ok();
}
