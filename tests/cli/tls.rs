//! Listening with TLS: the real program with a certificate, its clients, and those who do not fit.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use crate::broker::{Broker, Ended, program, signal};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/tls")
        .join(name)
}

fn setting(key: &str, name: &str) -> String {
    format!("{key}={}", file(name).display())
}

fn encrypted() -> Broker {
    let (cert, key) = (
        setting("tls.cert", "cert.pem"),
        setting("tls.key", "key.pem"),
    );
    let more = [
        "--set",
        &cert,
        "--set",
        &key,
        "--set",
        "limits.header_read_seconds=1",
    ];
    Broker::start_in(tempfile::tempdir().unwrap(), &more)
}

/// A verb of somebody who trusts this authority, or nobody of ours.
fn run(broker: &Broker, words: &[&str], trusts: bool) -> Ended {
    let mut command = program(broker.data(), words);
    let key = std::fs::read_to_string(broker.data().join("admin.key")).unwrap();
    command.env("POSTROOM_KEY", key.trim());
    if trusts {
        command.env("SSL_CERT_FILE", file("authority.pem"));
    }
    Ended::of(command.output().unwrap())
}

#[test]
fn whoever_trusts_the_certificate_works_as_ever_and_nobody_else_gets_in() {
    let broker = encrypted();
    assert!(
        broker.url.starts_with("https://127.0.0.1:"),
        "{}",
        broker.url
    );
    let status = run(&broker, &["status"], true);
    assert_eq!(status.code, 0, "{}", status.err);
    let intents = run(&broker, &["intents", "list"], true);
    assert_eq!(intents.code, 0, "{}", intents.err);
    let stranger = run(&broker, &["status"], false);
    assert_eq!(stranger.code, 3, "{}", stranger.err);
    assert!(stranger.err.contains("certificate"), "{}", stranger.err);
    let plain = broker.url.replace("https://", "http://");
    let plain = run(&broker, &["status", "--url", &plain], true);
    assert_eq!(plain.code, 3, "{}", plain.err);
    let (code, _, said, _) = broker.stop();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn somebody_who_connects_and_says_nothing_is_shown_out() {
    let broker = encrypted();
    let place = broker.url.trim_start_matches("https://");
    let mut stream = TcpStream::connect(place).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // Half of a greeting, and then nothing.
    stream.write_all(&[22, 3, 1]).unwrap();
    let read = stream.read(&mut [0; 64]);
    assert!(
        read.as_ref().is_ok_and(|count| *count == 0)
            || read
                .as_ref()
                .is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset),
        "{read:?}"
    );
    assert_eq!(run(&broker, &["status"], true).code, 0);
}

#[test]
fn a_certificate_that_cannot_be_used_ends_the_start_and_is_named() {
    let data = tempfile::tempdir().unwrap();
    for (cert, key, said) in [
        ("none.pem", "key.pem", "read tls.cert"),
        ("cert.pem", "other.pem", "use tls.cert with tls.key"),
    ] {
        let (cert, key) = (setting("tls.cert", cert), setting("tls.key", key));
        let words = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--set",
            &cert,
            "--set",
            &key,
        ];
        let ended = Ended::of(program(data.path(), &words).output().unwrap());
        assert_eq!(ended.code, 1, "{}", ended.err);
        assert!(ended.err.contains(said), "{}", ended.err);
    }
}

#[test]
fn listening_beyond_loopback_in_the_clear_warns_loudly_and_with_tls_does_not() {
    let said = |more: &[&str]| {
        let data = tempfile::tempdir().unwrap();
        let words = [&["serve", "--listen", "0.0.0.0:0"], more].concat();
        let mut child = program(data.path(), &words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        signal(&child, "TERM");
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        child.wait().unwrap();
        said
    };
    assert!(said(&[]).contains("without TLS"));
    let (cert, key) = (
        setting("tls.cert", "cert.pem"),
        setting("tls.key", "key.pem"),
    );
    let encrypted = said(&["--set", &cert, "--set", &key]);
    assert!(!encrypted.contains("without TLS"), "{encrypted}");
}
