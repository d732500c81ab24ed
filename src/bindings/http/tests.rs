//! Pushes to receivers that behave and misbehave, over real sockets on loopback.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::fixture::{Reply, answer};
use super::resolver::{Looking, Lookup};
use super::{Answer, PushResult, Pusher, PusherConfig, TrustFiles, fixture};
use crate::bindings::guard::{Guard, Policy};
use crate::bindings::signature::new_secret;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::agent::Secret;
use crate::domain::failure::{ErrorClass, Failure};
use crate::domain::payload::Payload;
use crate::domain::time::Span;

/// Long enough for loopback on a busy machine, when no timeout is expected.
const PATIENCE: Duration = Duration::from_secs(30);

/// Short, for tests in which it is to pass.
const HASTE: Duration = Duration::from_millis(150);

/// Names resolve to what the test says; to nothing at all without an answer.
#[derive(Debug)]
enum Names {
    Are(Vec<IpAddr>),
    AreUnknown,
    NeverCome,
}

impl Lookup for Names {
    fn lookup(&self, _host: &str) -> Looking {
        match self {
            Self::Are(addresses) => {
                let addresses = addresses.clone();
                Box::pin(async move { Ok(addresses) })
            }
            Self::AreUnknown => {
                Box::pin(async { Err(io::Error::new(io::ErrorKind::NotFound, "no such host")) })
            }
            Self::NeverCome => Box::pin(std::future::pending()),
        }
    }
}

fn config(timeout: Duration) -> PusherConfig {
    PusherConfig {
        connect_timeout: PATIENCE,
        timeout,
        response_bytes_max: 65_536,
        guard: Arc::new(Guard::new(Policy {
            is_private_allowed: true,
            ..Policy::default()
        })),
        user_agent: "Postroom/test".to_owned(),
        redact_keys: Vec::new(),
        trust: TrustFiles::default(),
    }
}

fn pusher_with(config: PusherConfig, names: Names) -> Pusher {
    Pusher::with_lookup(config, Arc::new(SystemClock::new()), Arc::new(names)).unwrap()
}

fn pusher(timeout: Duration) -> Pusher {
    pusher_with(config(timeout), Names::AreUnknown)
}

async fn post(pusher: &Pusher, url: &str) -> PushResult {
    let (intent, payload) = (fixture::intent(), Payload::object(r#"{"n":1.50}"#).unwrap());
    pusher.post(&fixture::push(url, &intent, &payload)).await
}

/// One push to a receiver that answers so.
async fn push_to(reply: Reply<'_>, timeout: Duration) -> (PushResult, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/intent", listener.local_addr().unwrap());
    let pusher = pusher(timeout);
    let receive = async {
        let (stream, _) = listener.accept().await.unwrap();
        answer(stream, reply).await
    };
    let (result, (request, _open, _)) = tokio::join!(post(&pusher, &url), receive);
    (result, request)
}

fn failure(result: &PushResult) -> &Failure {
    match &result.answer {
        Answer::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_plain_200_acknowledges_and_the_request_is_the_contracts() {
    let reply = "HTTP/1.1 200 OK\nContent-Length: 12\nX-Api-Key: k\n\n{\"ack\":true}";
    let (result, request) = push_to(Reply::Keep(reply), PATIENCE).await;
    assert_eq!(result.answer, Answer::Acknowledged);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    for line in [
        "post /intent http/1.1",
        "content-type: application/json",
        "user-agent: postroom/test",
        &format!("content-length: {}", body.len()),
        "x-axme-delivery-id: att_9",
    ] {
        assert!(head.lines().any(|given| given == line), "{line}\n{head}");
    }
    assert!(
        !head.contains("transfer-encoding") && !head.contains("accept-encoding"),
        "{head}"
    );
    assert_eq!(head.matches("content-length").count(), 1, "{head}");
    assert!(body.contains(r#""payload":{"n":1.50}"#), "{body}");

    let report = result.report;
    assert_eq!(report.http_status, Some(200));
    assert!(report.remote_addr.unwrap().starts_with("127.0.0.1:"));
    assert!(report.timing.connect_ms.is_some() && report.timing.first_byte_ms.is_some());
    assert!(report.timing.total_ms >= report.timing.first_byte_ms);
    let sent = report.request.unwrap();
    assert_eq!(
        (sent.line.as_str(), sent.body.as_str()),
        ("POST /intent", body)
    );
    let response = report.response.unwrap();
    assert_eq!(response.line, "HTTP/1.1 200 OK");
    assert_eq!(
        (response.body.as_str(), response.bytes),
        (r#"{"ack":true}"#, 12)
    );
    assert!(!response.is_truncated);
    assert!(
        response
            .headers
            .contains(&("x-api-key".to_owned(), "[redacted]".to_owned()))
    );
}

#[tokio::test]
async fn a_signed_push_is_accepted_by_a_verifier_we_did_not_write() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let text = new_secret(&[3; 32]);
    let secrets = [Secret {
        text: text.clone(),
        valid_until: None,
    }];
    let (intent, payload) = (fixture::intent(), Payload::object(r#"{"s":"ä"}"#).unwrap());
    let mut push = fixture::push(&url, &intent, &payload);
    push.secrets = &secrets;
    push.now = SystemClock::new().now();
    let pusher = pusher(PATIENCE);
    let receive = async {
        let (stream, _) = listener.accept().await.unwrap();
        answer(stream, Reply::Close("HTTP/1.1 204 No Content\n\n")).await
    };
    let (result, (request, ..)) = tokio::join!(pusher.post(&push), receive);
    assert_eq!(result.answer, Answer::Acknowledged);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut headers = ::http::HeaderMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        let name: ::http::HeaderName = name.parse().unwrap();
        headers.insert(name, value.parse().unwrap());
    }
    let verifier = standardwebhooks::Webhook::new(&text).unwrap();
    verifier.verify(body.as_bytes(), &headers).unwrap();
    assert!(
        headers
            .get("x-axme-signature")
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("sha256=")
    );
    let shown = result.report.request.unwrap().headers;
    assert!(shown.contains(&("webhook-signature".to_owned(), "[redacted]".to_owned())));
}

#[tokio::test]
async fn good_answers_without_a_length_and_with_a_result_are_understood() {
    for (reply, is_resumed) in [
        ("HTTP/1.1 204 No Content\n\n", false),
        ("HTTP/1.0 200 OK\n\n{\"result\":{\"order\":1}}", true),
        ("HTTP/1.0 200 OK\n\n", false),
        (
            "HTTP/1.1 200 OK\nContent-Length: 17\n\n{\"action\":\"fail\"}",
            true,
        ),
        (
            "HTTP/1.1 202 Accepted\nTransfer-Encoding: chunked\n\n2\n{}\n0\n\n",
            false,
        ),
        ("HTTP/1.1 200 OK\nContent-Length: 4\n\noops", false),
    ] {
        let (result, _) = push_to(Reply::Close(reply), PATIENCE).await;
        let resumed = matches!(result.answer, Answer::Resumed(_));
        assert_eq!(resumed, is_resumed, "{reply}");
        assert!(resumed || result.answer == Answer::Acknowledged, "{reply}");
    }
}

#[tokio::test]
async fn refusals_have_their_class_and_say_when_to_come_back() {
    for (status, class) in [
        ("408 Request Timeout", ErrorClass::HttpConflict),
        ("409 Conflict", ErrorClass::HttpConflict),
        ("425 Too Early", ErrorClass::HttpConflict),
        ("429 Too Many Requests", ErrorClass::Http429),
        ("500 Internal Server Error", ErrorClass::Http5xx),
        ("410 Gone", ErrorClass::Gone410),
        ("404 Not Found", ErrorClass::Http4xx),
    ] {
        for (value, seconds) in [
            ("7", Some(7)),
            ("Sat, 11 Apr 2026 10:00:30 GMT", Some(30)),
            ("whenever", None),
        ] {
            let reply =
                format!("HTTP/1.1 {status}\nRetry-After: {value}\nContent-Length: 4\n\nbusy");
            let (result, _) = push_to(Reply::Close(&reply), PATIENCE).await;
            let failure = failure(&result);
            assert_eq!(failure.class, class, "{status}");
            assert_eq!(failure.message, status);
            assert_eq!(
                failure.retry_after,
                seconds.map(Span::from_seconds),
                "{value}"
            );
            assert_eq!(result.report.response.unwrap().body, "busy");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_nobody_goes_there() {
    let there = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/", there.local_addr().unwrap());
    for target in [location.as_str(), "http://169.254.169.254/"] {
        let reply =
            format!("HTTP/1.1 301 Moved Permanently\nLocation: {target}\nContent-Length: 0\n\n");
        let (result, _) = push_to(Reply::Close(&reply), PATIENCE).await;
        let failure = failure(&result);
        assert_eq!(failure.class, ErrorClass::Http3xx);
        assert!(failure.message.contains(target), "{}", failure.message);
    }
    assert!(
        tokio::time::timeout(Duration::ZERO, there.accept())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_body_that_does_not_end_in_time_is_a_timeout_but_a_refusal_stands() {
    let good = "HTTP/1.1 200 OK\nContent-Length: 100\n\n{\"result\":";
    let (result, _) = push_to(Reply::Keep(good), HASTE).await;
    let failed = failure(&result);
    assert_eq!(failed.class, ErrorClass::Timeout);
    assert_eq!(failed.http_status, Some(200));
    assert!(
        failed.message.contains("150 ms") && failed.message.contains("body"),
        "{}",
        failed.message
    );
    let response = result.report.response.unwrap();
    assert_eq!(
        (response.body.as_str(), response.bytes),
        ("{\"result\":", 100)
    );
    assert!(response.is_truncated);

    let bad = "HTTP/1.1 503 Service Unavailable\nRetry-After: 9\nContent-Length: 100\n\nbusy";
    let (result, _) = push_to(Reply::Keep(bad), HASTE).await;
    let failed = failure(&result);
    assert_eq!(failed.class, ErrorClass::Http5xx);
    assert_eq!(failed.retry_after, Some(Span::from_seconds(9)));

    let (result, _) = push_to(Reply::Keep(""), HASTE).await;
    assert_eq!(failure(&result).class, ErrorClass::Timeout);
    assert_eq!(result.report.http_status, None);
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_reset() {
    for reply in [
        Reply::Reset("HTTP/1.1 200 OK\nContent-Length: 100\n\n{\"result\":"),
        Reply::Close("HTTP/1.1 200 OK\nContent-Length: 100\n\n{\"result\":"),
        Reply::Reset(""),
        Reply::Close(""),
        Reply::Close("SSH-2.0-OpenSSH_9.9\n"),
    ] {
        let (result, _) = push_to(reply, PATIENCE).await;
        let failure = failure(&result);
        assert_eq!(failure.class, ErrorClass::Reset, "{}", failure.message);
        assert!(
            failure.message.contains("127.0.0.1:"),
            "{}",
            failure.message
        );
    }
}

#[tokio::test]
async fn a_huge_body_acknowledges_and_is_not_read_to_its_end() {
    const BYTES: usize = 64 * 1024 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let pusher = pusher(PATIENCE);
    let head = format!("HTTP/1.1 200 OK\nContent-Length: {BYTES}\n\n");
    let receive = async {
        let (stream, _) = listener.accept().await.unwrap();
        answer(stream, Reply::Flood(&head, BYTES)).await
    };
    let (result, (_, _, is_all_sent)) = tokio::join!(post(&pusher, &url), receive);
    assert_eq!(result.answer, Answer::Acknowledged);
    assert!(!is_all_sent, "the sender read on to the end");
    assert!(result.report.is_body_too_large);
    let response = result.report.response.unwrap();
    assert!(response.is_truncated && response.body.len() <= 4096);
    assert_eq!(response.bytes, u64::try_from(BYTES).unwrap());
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
    for (bytes, is_resumed) in [(65_536, true), (65_537, false)] {
        // The part within the limit is JSON by itself and must not be taken for the whole.
        let json = r#"{"result":{}}"#;
        let body = format!("{json}{}", " ".repeat(bytes - json.len()));
        let reply = format!("HTTP/1.1 200 OK\nContent-Length: {bytes}\n\n{body}");
        let (result, _) = push_to(Reply::Keep(&reply), PATIENCE).await;
        assert_eq!(
            matches!(result.answer, Answer::Resumed(_)),
            is_resumed,
            "{bytes}"
        );
        assert_eq!(result.report.is_body_too_large, !is_resumed);
    }
}

#[tokio::test]
async fn addresses_that_are_refused_are_not_called_whether_literal_or_resolved() {
    let metadata: IpAddr = "169.254.169.254".parse().unwrap();
    let named = pusher_with(config(PATIENCE), Names::Are(vec![metadata]));
    for url in ["http://169.254.169.254/", "http://receiver.example/"] {
        let result = post(&named, url).await;
        let failure = failure(&result);
        assert_eq!(
            failure.class,
            ErrorClass::BlockedAddress,
            "{}",
            failure.message
        );
        assert!(
            failure.message.contains("169.254.169.254"),
            "{}",
            failure.message
        );
    }
    let mut closed = config(PATIENCE);
    closed.guard = Arc::new(Guard::new(Policy::default()));
    let loopback = pusher_with(closed, Names::Are(vec!["127.0.0.1".parse().unwrap()]));
    for url in [
        "http://127.0.0.1:1/",
        "http://[::1]:1/",
        "http://receiver.example:1/",
    ] {
        let result = post(&loopback, url).await;
        let failure = failure(&result);
        assert_eq!(
            failure.class,
            ErrorClass::BlockedAddress,
            "{}",
            failure.message
        );
        assert!(
            failure.message.contains("http.allow"),
            "{}",
            failure.message
        );
    }
}

#[tokio::test]
async fn of_several_addresses_only_those_that_pass_are_called() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let addresses = ["169.254.169.254", "127.0.0.1"].map(|text| text.parse().unwrap());
    let pusher = pusher_with(config(PATIENCE), Names::Are(addresses.to_vec()));
    let url = format!("http://receiver.example:{port}/a?token=t");
    let receive = async {
        let (stream, _) = listener.accept().await.unwrap();
        answer(
            stream,
            Reply::Keep("HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
        )
        .await
    };
    let (result, (request, ..)) = tokio::join!(post(&pusher, &url), receive);
    assert_eq!(result.answer, Answer::Acknowledged);
    assert!(request.starts_with("POST /a?token=t "), "{request}");
    assert_eq!(result.report.remote_addr, Some(format!("127.0.0.1:{port}")));
    assert!(result.report.timing.resolve_ms.is_some());
    assert_eq!(
        result.report.request.unwrap().line,
        "POST /a?token=[redacted]"
    );
}

#[tokio::test]
async fn a_second_push_uses_the_open_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let pusher = pusher(PATIENCE);
    let reply = "HTTP/1.1 200 OK\nContent-Length: 0\n\n";
    let receive = async {
        let (stream, _) = listener.accept().await.unwrap();
        let (_, stream, _) = answer(stream, Reply::Keep(reply)).await;
        answer(stream.unwrap(), Reply::Keep(reply)).await
    };
    let push_twice = async { (post(&pusher, &url).await, post(&pusher, &url).await) };
    let ((first, second), _open) = tokio::join!(push_twice, receive);
    assert!(first.report.timing.connect_ms.is_some());
    assert_eq!(second.answer, Answer::Acknowledged);
    assert_eq!(second.report.timing.connect_ms, None);
}

#[tokio::test]
async fn what_cannot_be_reached_says_at_which_step() {
    let result = post(&pusher(PATIENCE), "http://receiver.example/").await;
    assert_eq!(failure(&result).class, ErrorClass::Dns);
    assert!(failure(&result).message.contains("no such host"));

    let mut hasty = config(PATIENCE);
    hasty.connect_timeout = HASTE;
    let silent = pusher_with(hasty.clone(), Names::NeverCome);
    let result = post(&silent, "http://receiver.example/").await;
    assert_eq!(failure(&result).class, ErrorClass::Dns, "{result:?}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let result = post(
        &pusher_with(hasty, Names::AreUnknown),
        &format!("https://{address}/"),
    )
    .await;
    assert_eq!(failure(&result).class, ErrorClass::Connect, "{result:?}");

    drop(listener);
    let result = post(&pusher(PATIENCE), &format!("http://{address}/")).await;
    assert_eq!(failure(&result).class, ErrorClass::Connect, "{result:?}");
    assert!(failure(&result).message.contains("refused"), "{result:?}");
}

#[tokio::test]
async fn a_receiver_that_does_not_speak_tls_is_a_tls_failure() {
    for reply in ["HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let pusher = pusher(PATIENCE);
        let receive = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut hello = [0; 64];
            stream.read_exact(&mut hello).await.unwrap();
            stream.write_all(reply.as_bytes()).await.unwrap();
        };
        let (result, ()) = tokio::join!(post(&pusher, &url), receive);
        assert_eq!(
            failure(&result).class,
            ErrorClass::Tls,
            "{reply:?} {result:?}"
        );
    }
}

#[tokio::test]
async fn a_secret_that_cannot_sign_fails_before_anything_is_sent() {
    let (intent, payload) = (fixture::intent(), Payload::empty());
    let secrets = [Secret {
        text: "whsec_***".to_owned(),
        valid_until: None,
    }];
    let mut push = fixture::push("http://127.0.0.1:1/", &intent, &payload);
    push.secrets = &secrets;
    let result = pusher(PATIENCE).post(&push).await;
    assert_eq!(failure(&result).class, ErrorClass::BadSignatureConfig);
    assert_eq!(result.report.request, None);
}
