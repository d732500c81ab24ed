//! Starting, stopping, and what is left in the data directory.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::broker::{Broker, Ended, program};

#[test]
fn serve_prints_one_line_when_it_is_ready_and_stops_cleanly_on_term() {
    let broker = Broker::start();
    assert!(
        broker.url.starts_with("http://127.0.0.1:"),
        "{}",
        broker.url
    );
    let address = std::fs::read_to_string(broker.data().join("address")).unwrap();
    assert_eq!(address.trim_end(), broker.url);
    let (code, rest, said, data) = broker.stop();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(rest, "", "more than one line on standard output");
    assert!(said.contains("stopped; nothing left behind"), "{said}");
    assert!(
        !data.path().join("address").exists(),
        "the address outlived the broker"
    );
}

#[test]
fn the_first_start_makes_a_directory_and_a_key_for_the_owner_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let inner = scratch.path().join("deep/data");
    let mut words = vec!["serve", "--listen", "127.0.0.1:0"];
    words.extend(["--set", "shutdown.grace_seconds=1"]);
    let mut child = program(&inner, &words)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(child.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    assert_eq!(mode(&inner.join("admin.key")), 0o600);
    let key = std::fs::read_to_string(inner.join("admin.key")).unwrap();
    assert!(
        key.starts_with("axme_sa_sa_1_") && key.lines().count() == 1,
        "not one key"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_was_accepted_is_there_after_a_kill_and_the_key_still_opens() {
    let broker = Broker::start();
    let sent = broker.json(&[
        "send",
        "intent.order.process.v1",
        "nobody-yet",
        "-p",
        "{\"n\":1}",
    ]);
    let key = std::fs::read(broker.data().join("admin.key")).unwrap();
    let broker = Broker::start_in(broker.kill(), &[]);
    assert_eq!(std::fs::read(broker.data().join("admin.key")).unwrap(), key);
    let shown = broker.json(&["intents", "show", sent["intent_id"].as_str().unwrap()]);
    assert_eq!(shown["intent"]["status"], "DELIVERED");
    assert_eq!(shown["intent"]["payload"], serde_json::json!({"n": 1}));
}

#[test]
fn a_second_serve_on_the_same_directory_is_refused_and_told_where_the_first_is() {
    let broker = Broker::start();
    let second = broker.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, 1, "{second:?}");
    assert!(
        second.err.contains("another postroom owns") && second.err.contains(&broker.url),
        "{}",
        second.err
    );
}

#[test]
fn an_ephemeral_broker_forgets() {
    let broker = Broker::start_in(tempfile::tempdir().unwrap(), &["--ephemeral"]);
    broker.json(&["send", "intent.order.process.v1", "nobody-yet"]);
    let (code, _, said, data) = broker.stop();
    assert_eq!(code, Some(0), "{said}");
    let broker = Broker::start_in(data, &["--ephemeral"]);
    assert_eq!(
        broker.json(&["intents", "list"])["intents"],
        serde_json::json!([])
    );
}

#[test]
fn a_service_manager_is_told_when_requests_are_taken() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let words = ["serve", "--listen", "127.0.0.1:0"];
    let mut command = program(data.path(), &words);
    command
        .env("NOTIFY_SOCKET", &path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut said = [0; 64];
    let count = socket.recv(&mut said).unwrap();
    assert_eq!(&said[..count], b"READY=1");
    assert!(data.path().join("address").exists());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_configuration_is_printed_with_origins_or_as_json() {
    let data = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| Ended::of(program(data.path(), words).output().unwrap());
    let text = run(&["config", "--set", "stream.credit=7"]);
    assert!(
        text.out.contains("stream.credit = 7") && text.out.contains("# --set"),
        "{}",
        text.out
    );
    let json: serde_json::Value = serde_json::from_str(&run(&["config", "--json"]).out).unwrap();
    assert_eq!(json["stream"]["credit"], 16);
}

#[test]
fn a_broken_configuration_is_usage_and_every_problem_is_named() {
    let data = tempfile::tempdir().unwrap();
    let words = ["status", "--set", "nonsense=1", "--set", "listen=x"];
    let ended = Ended::of(program(data.path(), &words).output().unwrap());
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("nonsense") && ended.err.contains("listen"),
        "{}",
        ended.err
    );
    let words = ["config", "--template", "--set", "nonsense=1"];
    let ended = Ended::of(program(data.path(), &words).output().unwrap());
    assert_eq!(ended.code, 0, "the template must not need a configuration");
}

#[test]
fn a_taken_port_is_told_with_a_way_out() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let ended = Ended::of(
        program(data.path(), &["serve", "--listen", &taken])
            .output()
            .unwrap(),
    );
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains(&taken) && ended.err.contains("hint: choose another"),
        "{}",
        ended.err
    );
}
