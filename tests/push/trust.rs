//! Certificates: receivers of an own authority, and receivers that want to know who calls.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use postroom::bindings::guard::{Guard, Policy as Egress};
use postroom::bindings::http::{Pusher, PusherConfig, TrustFiles};
use postroom::clock::ManualClock;
use postroom::domain::failure::ErrorClass;
use postroom::domain::status::Status;
use postroom::domain::time::Timestamp;

use crate::{House, Pushing, RESULT, answer};

fn pem(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/tls")
        .join(name)
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(pem(name)).unwrap()
}

/// A receiver with a certificate of the tests' authority, which wants one of its callers as well.
fn acceptor() -> TlsAcceptor {
    // The second test of a process finds it installed already.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    let mut roots = RootCertStore::empty();
    roots.add(certificate("caller.pem")).unwrap();
    let callers = WebPkiClientVerifier::builder(Arc::new(roots))
        .build()
        .unwrap();
    let config = ServerConfig::builder()
        .with_client_cert_verifier(callers)
        .with_single_cert(
            vec![certificate("cert.pem")],
            PrivateKeyDer::from_pem_file(pem("key.pem")).unwrap(),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn house(trust: TrustFiles) -> House {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/intent", listener.local_addr().unwrap());
    let pushing = Pushing {
        trust,
        ..Pushing::default()
    };
    House::pushing(listener, url, None, pushing).await
}

#[tokio::test]
async fn a_receiver_that_wants_a_certificate_sees_the_configured_one() {
    let acceptor = acceptor();
    let mut house = house(TrustFiles {
        authorities: Some(pem("authority.pem")),
        client: Some((pem("caller.pem"), pem("caller-key.pem"))),
    })
    .await;
    let id = house.send().await;
    let (stream, _) = house.listener.accept().await.unwrap();
    let stream = acceptor.accept(stream).await.unwrap();
    let shown = stream.get_ref().1.peer_certificates().unwrap().to_vec();
    assert_eq!(shown, [certificate("caller.pem")]);
    let request = answer(stream, RESULT).await;
    assert!(request.starts_with("POST /intent HTTP/1.1"), "{request}");
    house.until_status(id, Status::Completed).await;
}

#[tokio::test]
async fn a_caller_without_a_certificate_is_turned_away_and_the_attempt_says_so() {
    let acceptor = acceptor();
    let mut house = house(TrustFiles {
        authorities: Some(pem("authority.pem")),
        client: None,
    })
    .await;
    let id = house.send().await;
    let (stream, _) = house.listener.accept().await.unwrap();
    assert!(acceptor.accept(stream).await.is_err());
    let attempt = house.failed(id).await;
    assert_eq!(attempt.error_class, Some(ErrorClass::Tls), "{attempt:?}");
}

#[test]
fn a_file_that_is_missing_or_holds_something_else_is_named() {
    let made = |trust: TrustFiles| {
        let config = PusherConfig {
            connect_timeout: std::time::Duration::from_secs(1),
            timeout: std::time::Duration::from_secs(1),
            response_bytes_max: 1,
            guard: Arc::new(Guard::new(Egress::default())),
            user_agent: "Postroom/test".to_owned(),
            redact_keys: Vec::new(),
            trust,
        };
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1)));
        Pusher::new(config, clock).unwrap_err().to_string()
    };
    let of_authorities = |name: &str| {
        made(TrustFiles {
            authorities: Some(pem(name)),
            client: None,
        })
    };
    let of_client = |cert: &str, key: &str| {
        made(TrustFiles {
            authorities: None,
            client: Some((pem(cert), pem(key))),
        })
    };
    for (text, starts, names) in [
        (of_authorities("none.pem"), "read http.ca_cert ", "none.pem"),
        (
            of_authorities("key.pem"),
            "http.ca_cert ",
            "holds no certificate",
        ),
        (
            of_client("cert.pem", "none.pem"),
            "read http.client_key ",
            "none.pem",
        ),
        (
            of_client("key.pem", "key.pem"),
            "http.client_cert ",
            "holds no certificate",
        ),
        (
            of_client("cert.pem", "other.pem"),
            "use http.client_cert with http.client_key",
            "KeyMismatch",
        ),
    ] {
        assert!(text.starts_with(starts), "{text}");
        assert!(text.contains(names), "{text}");
    }
}
