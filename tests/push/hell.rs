//! Receivers from hell: each does its worst, the attempt says what it did, and we hold nothing of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use postroom::bindings::guard::Policy as Egress;
use postroom::bindings::http::resolver::{Looking, Lookup};
use postroom::domain::attempt::{Attempt, Outcome};
use postroom::domain::failure::ErrorClass;
use postroom::domain::ids::IntentId;
use postroom::domain::intent::{Delivery, Intent};
use postroom::domain::status::Status;
use postroom::domain::time::{Span, Timestamp};
use postroom::store::query::{AttemptFilter, PageRequest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::{House, Pushing, RESULT, answer};

/// The deadline of a call, where it is to pass.
const HASTE: Duration = Duration::from_millis(300);

/// More than the sockets between us hold, and far less than what is sent.
const HELD_MAX: usize = 64 << 20;

impl House {
    /// A house whose calls have little time.
    async fn hasty() -> Self {
        Self::with(Pushing {
            timeout: HASTE,
            ..Pushing::default()
        })
        .await
    }

    async fn with(pushing: Pushing) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/intent", listener.local_addr().unwrap());
        Self::pushing(listener, url, None, pushing).await
    }

    /// Takes the next call and reads its request.
    async fn accept(&self) -> TcpStream {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
        while !request.ends_with(b"\"replay_of\":null}") {
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "a whole request");
            request.extend_from_slice(&buffer[..count]);
        }
        stream
    }

    /// The attempts of an intent, the first one first.
    async fn attempts(&self, id: IntentId) -> Vec<Attempt> {
        let filter = AttemptFilter {
            intent: Some(id),
            ..AttemptFilter::default()
        };
        let page = PageRequest {
            limit: 10,
            cursor: None,
        };
        let read = self
            .broker
            .read(move |reader| reader.attempts(&filter, &page));
        let mut attempts = read.await.unwrap().items;
        attempts.reverse();
        attempts
    }

    async fn intent(&self, id: IntentId) -> Arc<Intent> {
        let read = self.broker.read(move |reader| reader.intent(id));
        read.await.unwrap().unwrap()
    }

    /// The one attempt of an intent, once it has failed.
    pub(super) async fn failed(&mut self, id: IntentId) -> Attempt {
        self.until(id, |intent| intent.last_failure.is_some()).await;
        let [attempt] = <[_; 1]>::try_from(self.attempts(id).await).unwrap();
        assert!(attempt.finished_at.is_some());
        attempt
    }
}

/// Writes until the other side has had enough; says how much it took.
async fn flood(stream: &mut TcpStream, chunk: &[u8], most: usize) -> usize {
    let mut written = 0;
    while written < most {
        match stream.write(chunk).await {
            Ok(count) if count > 0 => written += count,
            _ => break,
        }
    }
    written
}

#[tokio::test]
async fn a_response_that_drips_byte_by_byte_ends_with_the_deadline() {
    let mut house = House::hasty().await;
    let id = house.send().await;
    let mut stream = house.accept().await;
    let drip = async {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            .await
            .unwrap();
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        // Until the caller hangs up.
        while stream.write_all(b"x").await.is_ok() {
            pace.tick().await;
        }
    };
    let (attempt, ()) = tokio::join!(house.failed(id), drip);
    assert_eq!(attempt.outcome, Outcome::TimedOut);
    assert_eq!(attempt.error_class, Some(ErrorClass::Timeout));
    let report = attempt.report.unwrap();
    assert_eq!(report.http_status, Some(200));
    assert!(report.response.as_ref().unwrap().is_truncated);
}

#[tokio::test]
async fn a_head_that_drips_ends_with_the_deadline_too() {
    let mut house = House::hasty().await;
    let id = house.send().await;
    let mut stream = house.accept().await;
    let drip = async {
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        while stream.write_all(b"H").await.is_ok() {
            pace.tick().await;
        }
    };
    let (attempt, ()) = tokio::join!(house.failed(id), drip);
    assert!(
        matches!(
            attempt.error_class,
            Some(ErrorClass::Timeout | ErrorClass::Reset)
        ),
        "{attempt:?}"
    );
}

#[tokio::test]
async fn ten_gigabytes_acknowledge_and_are_not_taken() {
    let mut house = House::new(None).await;
    let id = house.send().await;
    let mut stream = house.accept().await;
    let pour = async {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")
            .await
            .unwrap();
        flood(&mut stream, &vec![b'x'; 65_536], 10 << 30).await
    };
    let (_, written) = tokio::join!(house.until_status(id, Status::Acknowledged), pour);
    assert!(written < HELD_MAX, "{written} bytes were taken");
    let [attempt] = <[_; 1]>::try_from(house.attempts(id).await).unwrap();
    let report = attempt.report.unwrap();
    assert!(report.is_body_too_large);
    let excerpt = report.response.as_ref().unwrap();
    assert!(excerpt.is_truncated && excerpt.body.len() <= 4096);
}

#[tokio::test]
async fn a_reset_in_the_middle_of_the_body_is_a_reset_with_its_status() {
    let mut house = House::new(None).await;
    let id = house.send().await;
    let mut stream = house.accept().await;
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"result\":")
        .await
        .unwrap();
    stream.set_zero_linger().unwrap();
    drop(stream);
    let attempt = house.failed(id).await;
    assert_eq!(attempt.outcome, Outcome::Failed);
    assert_eq!(attempt.error_class, Some(ErrorClass::Reset), "{attempt:?}");
}

#[tokio::test]
async fn a_mebibyte_of_headers_is_not_taken() {
    let mut house = House::new(None).await;
    let id = house.send().await;
    let mut stream = house.accept().await;
    let pour = async {
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        let line = format!("X-Filler: {}\r\n", "x".repeat(1000));
        flood(&mut stream, line.as_bytes(), HELD_MAX).await
    };
    let (attempt, written) = tokio::join!(house.failed(id), pour);
    assert_eq!(attempt.outcome, Outcome::Failed);
    assert_eq!(attempt.error_class, Some(ErrorClass::Reset), "{attempt:?}");
    assert!(written < HELD_MAX, "{written} bytes were taken");
}

#[tokio::test]
async fn a_result_over_http_1_0_without_a_length_counts() {
    let mut house = House::new(None).await;
    let id = house.send().await;
    house
        .receive("HTTP/1.0 200 OK\n\n{\"result\":{\"n\":2}}")
        .await;
    house.until_status(id, Status::Completed).await;
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_a_failure_and_nobody_goes_there() {
    let mut house = House::new(None).await;
    let inner = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let id = house.send().await;
    let place = inner.local_addr().unwrap();
    let reply = format!(
        "HTTP/1.1 301 Moved\nLocation: http://{place}/admin\nContent-Length: 0\nConnection: close\n\n"
    );
    house.receive(&reply).await;
    let attempt = house.failed(id).await;
    assert_eq!(attempt.error_class, Some(ErrorClass::Http3xx));
    let visit = tokio::time::timeout(Duration::ZERO, inner.accept()).await;
    assert!(visit.is_err(), "nobody went there");
}

/// A name that is harmless when it is looked up first, and ours after that.
#[derive(Debug, Default)]
struct Rebinding(AtomicUsize);

impl Lookup for Rebinding {
    fn lookup(&self, _host: &str) -> Looking {
        let address: IpAddr = if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
            [127, 0, 0, 2].into()
        } else {
            [127, 0, 0, 1].into()
        };
        Box::pin(async move { Ok(vec![address]) })
    }
}

#[tokio::test]
async fn a_name_that_changes_to_loopback_is_refused_and_loopback_hears_nothing() {
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // The same port on the address that must not be reached.
    let inner = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port)))
        .await
        .unwrap();
    let pushing = Pushing {
        egress: Egress {
            is_private_allowed: false,
            allow: vec!["127.0.0.2".parse().unwrap()],
            ..Egress::default()
        },
        lookup: Some(Arc::new(Rebinding::default())),
        ..Pushing::default()
    };
    let url = format!("http://receiver.example:{port}/intent");
    let mut house = House::pushing(listener, url, None, pushing).await;
    let first = house.send().await;
    // The connection is closed, so that the name is looked up again.
    house.receive(RESULT).await;
    house.until_status(first, Status::Completed).await;
    let second = house.send().await;
    let dead = house.until_status(second, Status::Failed).await;
    assert!(dead.is_open_dead_letter());
    let [attempt] = <[_; 1]>::try_from(house.attempts(second).await).unwrap();
    assert_eq!(attempt.error_class, Some(ErrorClass::BlockedAddress));
    let visit = tokio::time::timeout(Duration::ZERO, inner.accept()).await;
    assert!(visit.is_err(), "nobody went there");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_a_tls_failure() {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    // The second test of a process finds it installed already.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../tls/cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/key.pem")).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/intent", listener.local_addr().unwrap());
    let mut house = House::calling(listener, url, None).await;
    let id = house.send().await;
    let (stream, _) = house.listener.accept().await.unwrap();
    let mut stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    let shake = tokio::task::spawn_blocking(move || {
        let mut session = rustls::ServerConnection::new(config).unwrap();
        // It ends when the caller has seen the certificate.
        while session.is_handshaking() {
            if session.complete_io(&mut stream).is_err() {
                return false;
            }
        }
        let read = std::io::Read::read(&mut session.reader(), &mut [0; 16]);
        read.is_ok_and(|count| count > 0)
    });
    let attempt = house.failed(id).await;
    assert_eq!(attempt.error_class, Some(ErrorClass::Tls), "{attempt:?}");
    assert!(!shake.await.unwrap(), "not a byte of the request was sent");
}

/// When the next try is due, and until when the endpoint is held back.
async fn after_429(retry_after: &str) -> (Span, Option<Span>) {
    let mut house = House::new(None).await;
    let id = house.send().await;
    let now = house.now();
    let reply = format!(
        "HTTP/1.1 429 Too Many Requests\nRetry-After: {retry_after}\nContent-Length: 0\nConnection: close\n\n"
    );
    house.receive(&reply).await;
    let attempt = house.failed(id).await;
    assert_eq!(attempt.error_class, Some(ErrorClass::Http429));
    let intent = house.intent(id).await;
    let Delivery::BackingOff { until } = intent.delivery else {
        panic!("{:?}", intent.delivery);
    };
    let endpoint = house.broker.endpoints().of(&intent.to, now).unwrap();
    let held = endpoint.held_until.map(|held| held.since(now));
    (until.since(now), held)
}

impl House {
    fn now(&self) -> Timestamp {
        self.broker.clock().now()
    }
}

#[tokio::test]
async fn retry_after_moves_the_try_and_the_endpoint_and_nonsense_moves_nothing() {
    let seconds = Span::from_seconds;
    for (text, next, held) in [
        ("90", 90, Some(90)),
        ("Sat, 11 Apr 2026 10:02:00 GMT", 120, Some(120)),
        ("next week", 5, None),
        ("-1", 5, None),
        // Ten years, and more than a number holds.
        ("315360000", 3600, Some(3600)),
        ("99999999999999999999", 3600, Some(3600)),
    ] {
        let seen = after_429(text).await;
        assert_eq!(seen, (seconds(next), held.map(seconds)), "{text}");
    }
}

#[tokio::test]
async fn an_endpoint_that_flaps_gets_everything_in_the_end() {
    let house = House::new(None).await;
    let busy = "HTTP/1.1 503 Service Unavailable\nContent-Length: 0\nConnection: close\n\n";
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(house.send().await);
    }
    let mut calls = 0_u32;
    let mut open = ids.clone();
    // Budgets are three attempts: at most 36 calls, and every time somebody waits for one it comes.
    while !open.is_empty() {
        let call = tokio::time::timeout(Duration::from_millis(50), house.listener.accept()).await;
        if let Ok(Ok((stream, _))) = call {
            calls += 1;
            answer(
                stream,
                if calls.is_multiple_of(2) {
                    busy
                } else {
                    RESULT
                },
            )
            .await;
        } else {
            house.pass(Span::from_seconds(20)).await;
        }
        assert!(calls <= 36, "{calls} calls");
        let mut still = Vec::new();
        for id in open {
            if !house.intent(id).await.is_finished() {
                still.push(id);
            }
        }
        open = still;
    }
    for id in ids {
        let intent = house.intent(id).await;
        let attempts = house.attempts(id).await;
        assert_eq!(attempts.len(), usize::try_from(intent.attempts).unwrap());
        assert!(attempts.iter().all(|one| one.finished_at.is_some()));
    }
    let now = house.now();
    let agent = house.intent(house.send().await).await.to.clone();
    assert!(house.broker.endpoints().of(&agent, now).is_some());
}

#[tokio::test]
async fn a_receiver_that_takes_the_call_and_says_nothing_times_out() {
    let mut house = House::hasty().await;
    let id = house.send().await;
    let stream = house.accept().await;
    let attempt = house.failed(id).await;
    drop(stream);
    assert_eq!(attempt.outcome, Outcome::TimedOut);
    assert_eq!(attempt.error_class, Some(ErrorClass::Timeout));
    assert_eq!(attempt.report.unwrap().http_status, None);
}

#[tokio::test]
async fn a_body_behind_204_spoils_neither_this_answer_nor_the_next() {
    let mut house = House::new(None).await;
    let first = house.send().await;
    let mut stream = house.accept().await;
    stream
        .write_all(b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 500 No\r\n\r\nsurprise")
        .await
        .unwrap();
    house.until_status(first, Status::Acknowledged).await;
    let second = house.send().await;
    drop(stream);
    house.receive(RESULT).await;
    let done = house.until_status(second, Status::Completed).await;
    assert_eq!(done.attempts, 1);
}
