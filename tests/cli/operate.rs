//! An operator's verbs.

use serde_json::{Value, json};

use crate::broker::{Broker, program};

const TYPE: &str = "intent.refund.approve.v1";

fn ask(broker: &Broker, required_comment: bool) -> String {
    let task = json!({"title": "Refund €40", "task_type": "approval", "required_comment": required_comment});
    let sent = broker.json(&["send", TYPE, "finance", "--human-task", &task.to_string()]);
    sent["intent_id"].as_str().unwrap().to_owned()
}

fn status(broker: &Broker, id: &str) -> Value {
    broker.json(&["intents", "show", id])["intent"]["status"].clone()
}

#[test]
fn a_question_is_listed_and_answered() {
    let broker = Broker::start();
    let id = ask(&broker, true);
    let listed = broker.run(&["inbox", "list"]);
    assert!(
        listed.out.contains("Refund €40") && listed.out.contains("approved / rejected"),
        "{}",
        listed.out
    );
    let refused = broker.run(&["inbox", "approve", &id]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("hint: add --comment"),
        "{}",
        refused.err
    );
    let approved = broker.run(&["inbox", "approve", &id, "--comment", "fine"]);
    assert_eq!(approved.code, 0, "{}", approved.err);
    assert_eq!(status(&broker, &id), "COMPLETED");
}

#[test]
fn a_held_decision_can_be_taken_back() {
    let broker = Broker::start();
    let id = ask(&broker, false);
    let held = broker.json(&["inbox", "reject", &id, "--hold", "60"]);
    let hold = held["held"]["hold_id"]
        .as_str()
        .unwrap_or_else(|| panic!("{held}"));
    assert_eq!(broker.json(&["held"])["holds"].as_array().unwrap().len(), 1);
    assert_eq!(broker.run(&["undo", hold]).code, 0);
    assert_eq!(broker.json(&["held"])["holds"], json!([]));
    assert_eq!(status(&broker, &id), "WAITING");
}

#[test]
fn a_named_outcome_decides() {
    let broker = Broker::start();
    let id = ask(&broker, false);
    let wrong = broker.run(&["inbox", "decide", &id, "--outcome", "maybe"]);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert_eq!(
        broker
            .run(&["inbox", "decide", &id, "--outcome", "rejected"])
            .code,
        0
    );
    assert_eq!(status(&broker, &id), "FAILED");
}

#[test]
fn a_dead_letter_is_grouped_replayed_once_and_discarded() {
    let broker = Broker::start();
    let _listener = broker.keep_running(&["listen", "orders", "--exec", "exit 9"]);
    let send = [
        "send",
        "intent.order.process.v1",
        "orders",
        "--wait",
        "--json",
    ];
    let ended = broker.run(&send);
    assert_eq!(ended.code, 1);
    let ended: Value = serde_json::from_str(&ended.out).unwrap();
    let id = ended["intent"]["intent_id"].as_str().unwrap().to_owned();
    assert_eq!(broker.json(&["dead", "groups"])["groups"][0]["count"], 1);
    let replayed = broker.json(&["dead", "replay", &id, "--why", "receiver repaired"]);
    assert_eq!(replayed["intent"]["replay_of"], json!(id), "{replayed}");
    let again = broker.run(&["replay", &id]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("--force"), "{}", again.err);
    let new = replayed["intent"]["intent_id"].as_str().unwrap();
    let waited = broker.run(&["dead", "discard", &id, "--why", "done"]);
    assert_eq!(
        waited.code, 1,
        "a replayed letter was discarded: {waited:?} {new}"
    );
}

#[test]
fn intents_are_withdrawn_one_by_one_and_a_no_does_not_stop_the_rest() {
    let broker = Broker::start();
    let send = || {
        broker.json(&["send", "intent.order.process.v1", "nobody"])["intent_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (one, other) = (send(), send());
    let unknown = "018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d";
    let ended = broker.run(&["intents", "cancel", &one, unknown, &other, "--why", "test"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("intent_not_found"), "{}", ended.err);
    assert_eq!(
        (status(&broker, &one), status(&broker, &other)),
        (json!("CANCELED"), json!("CANCELED"))
    );
}

#[test]
fn agents_are_added_paused_resumed_and_get_secrets() {
    let broker = Broker::start();
    let added = broker.json(&[
        "agents",
        "add",
        "hooks",
        "--binding",
        "http",
        "--callback",
        "http://127.0.0.1:9/x",
    ]);
    assert_eq!(added["service_account"]["delivery_mode"], "http");
    assert_eq!(
        broker
            .run(&["agents", "pause", "hooks", "--why", "maintenance"])
            .code,
        0
    );
    assert_eq!(
        broker.json(&["agents", "show", "hooks"])["agent"]["paused"],
        true
    );
    assert!(broker.run(&["agents", "list"]).out.contains("paused"));
    assert_eq!(broker.run(&["agents", "resume", "hooks"]).code, 0);
    let standing = broker.run(&["agents", "list"]).out;
    assert!(standing.contains("closed 0/"), "{standing}");
    let secret = broker.run(&["agents", "secret", "hooks"]);
    assert!(secret.out.starts_with("whsec_"), "{secret:?}");
    assert_eq!(broker.run(&["agents", "show", "no-such-agent"]).code, 1);
}

#[test]
fn a_key_is_shown_once_works_and_is_revoked_at_once() {
    let broker = Broker::start();
    let made = broker.run(&["keys", "create", "orders", "--role", "agent"]);
    let token = made.out.trim_end().to_owned();
    assert!(token.starts_with("axme_sa_"), "{made:?}");
    let key = made
        .err
        .split_whitespace()
        .find(|word| word.starts_with("key_"))
        .unwrap()
        .to_owned();
    let with_key = |words: &[&str]| {
        let output = program(broker.data(), words)
            .env("POSTROOM_KEY", &token)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    assert_eq!(with_key(&["intents", "list"]).0, Some(0));
    assert_eq!(
        with_key(&["keys", "list"]).0,
        Some(1),
        "an agent's key listed keys"
    );
    let listed = broker.run(&["keys", "list"]);
    assert!(
        listed.out.contains("axme context set default"),
        "{}",
        listed.out
    );
    assert!(!listed.out.contains(&token), "a token was shown twice");
    assert_eq!(broker.run(&["keys", "revoke", &key]).code, 0);
    let (code, said) = with_key(&["intents", "list"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("POSTROOM_KEY"), "{said}");
}

#[test]
fn the_audit_log_says_who_did_what_through_the_command_line() {
    let broker = Broker::start();
    broker.json(&["agents", "add", "orders"]);
    broker.json(&["agents", "pause", "orders", "--why", "maintenance"]);
    let audited = broker.json(&["audit", "--action", "agent."]);
    let entry = &audited["events"][0];
    let seen = [&entry["action"], &entry["via"], &entry["reason"]];
    assert_eq!(seen, ["agent.pause", "cli", "maintenance"], "{audited}");
    assert!(broker.run(&["audit"]).out.contains("key.create"));
}

#[test]
fn the_doctor_finds_nothing_wrong_with_a_running_broker_and_something_without() {
    let broker = Broker::start();
    let well = broker.json(&["doctor"]);
    assert_eq!(well["ok"], true, "{well}");
    let data = tempfile::tempdir().unwrap();
    let alone = program(data.path(), &["doctor", "--listen", "127.0.0.1:1"])
        .output()
        .unwrap();
    assert_eq!(alone.status.code(), Some(1));
    let said = String::from_utf8(alone.stdout).unwrap();
    assert!(said.contains("fail") && said.contains("hint:"), "{said}");
}

#[test]
fn status_and_events_tell_what_happened() {
    let broker = Broker::start();
    ask(&broker, false);
    let overview = broker.json(&["status"]);
    assert_eq!(overview["intents"]["WAITING"], 1);
    assert!(broker.run(&["status"]).out.contains("inbox"));
    let events = broker.json(&["events", "--types", "intent.*"]);
    let types: Vec<&str> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert!(types.contains(&"intent.human_task_assigned"), "{types:?}");
}

#[test]
fn a_bulk_replay_is_looked_at_first_and_then_a_job_that_can_be_watched() {
    let broker = Broker::start();
    {
        let _listener = broker.keep_running(&["listen", "orders", "--exec", "exit 9"]);
        for _ in 0..3 {
            let send = ["send", "intent.a.v1", "orders", "--wait", "--json"];
            assert_eq!(broker.run(&send).code, 1);
        }
    }
    let select = ["replay", "--matching", "--agent", "orders"];
    let plan = broker.json(&select);
    assert_eq!(
        (&plan["dry_run"], &plan["selected"]),
        (&json!(true), &json!(3)),
        "{plan}"
    );
    let said = broker.run(&select).out;
    assert!(said.contains("--apply"), "{said}");
    let apply = [&select[..], &["--apply", "--rate", "0.1", "--why", "fixed"]].concat();
    let job = broker.json(&apply)["job"].clone();
    let id = job["job_id"].as_str().unwrap();
    let shown = broker.json(&["jobs", "show", id]);
    assert_eq!(shown["items"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(
        broker.json(&["jobs", "pause", id])["job"]["state"],
        "paused"
    );
    assert!(
        broker
            .run(&["jobs", "list"])
            .out
            .contains("an operator paused it")
    );
    assert_eq!(
        broker.json(&["jobs", "cancel", id])["job"]["state"],
        "canceled"
    );
    assert_eq!(broker.run(&["jobs", "resume", id]).code, 1);
    assert_eq!(
        broker.run(&["replay"]).code,
        2,
        "neither letters nor --matching"
    );
}

#[test]
fn a_backup_of_a_running_broker_is_whole_and_restored_it_sends_nothing_until_told() {
    let broker = Broker::start();
    {
        let _listener = broker.keep_running(&["listen", "orders", "--exec", "exit 9"]);
        let send = ["send", "intent.a.v1", "orders", "--wait", "--json"];
        assert_eq!(broker.run(&send).code, 1);
    }
    let waits = broker.json(&["send", "intent.a.v1", "orders"])["intent_id"].clone();
    assert!(broker.run(&["verify"]).out.contains("whole"));
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("copy.db");
    let file = file.to_str().unwrap();
    let made = broker.json(&["backup", file]);
    assert_eq!(made["intents"], json!(2), "{made}");
    assert_eq!(
        broker.run(&["backup", file]).code,
        1,
        "a backup is never written over"
    );
    assert_eq!(
        broker.run(&["restore", file]).code,
        1,
        "the directory is taken"
    );
    let data = tempfile::tempdir().unwrap();
    let restored = program(data.path(), &["restore", file]).output().unwrap();
    assert!(restored.status.success(), "{restored:?}");
    let verified = program(data.path(), &["verify"]).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    let other = Broker::start_in(data, &[]);
    let polled = other.json(&["agents", "show", "orders"]);
    assert_eq!(polled["agent"]["paused"], json!(true), "{polled}");
    assert_eq!(status(&other, waits.as_str().unwrap()), "DELIVERED");
    other.run(&["agents", "resume", "orders"]);
    let taken = other.run(&["poll", "orders", "--echo", "--once", "--json"]);
    assert!(taken.out.contains(waits.as_str().unwrap()), "{}", taken.out);
    // A copy that was damaged is neither verified nor restored.
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xAA);
    std::fs::write(file, bytes).unwrap();
    assert_eq!(broker.run(&["verify", file]).code, 1);
    let nowhere = tempfile::tempdir().unwrap();
    let refused = program(nowhere.path(), &["restore", file])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    assert!(!nowhere.path().join("postroom.db").exists());
}

#[test]
fn a_receiver_that_refuses_connections_is_shown_with_an_open_breaker_and_what_it_parks() {
    let broker = Broker::start();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", gone.local_addr().unwrap());
    drop(gone);
    let add = ["agents", "add", "gone", "--binding", "http", "--callback"];
    assert_eq!(broker.run(&[&add[..], &[&url]].concat()).code, 0);
    for _ in 0..12 {
        broker.json(&["send", "intent.order.process.v1", "gone"]);
    }
    let standing = broker.until(&["agents", "list"], |out| out.contains("open, probe in "));
    let line = standing.lines().find(|line| line.contains(&url)).unwrap();
    assert!(line.contains("http"), "{line}");
    let parked = &broker.json(&["agents", "show", "gone"])["agent"]["parked"];
    assert!(parked.as_u64() > Some(0), "{parked}");
}

#[test]
fn a_file_of_keys_is_checked_line_by_line() {
    let broker = Broker::start();
    let file = broker.data().join("my keys.toml");
    std::fs::write(
        &file,
        "[global]\n\"ctrl-p\" = \"palette.open\"\n\"ctrl-y\" = \"palette.opne\"\n[inbocks]\n\"A\" = false\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let checked = broker.run(&["keymap", "check", file]);
    assert_eq!(checked.code, 1, "{checked:?}");
    assert!(
        checked.out.contains("palette.opne") && checked.out.contains("palette.open"),
        "{}",
        checked.out
    );
    assert!(
        checked.out.contains("[inbocks] is no context"),
        "{}",
        checked.out
    );
    std::fs::write(file, "[global]\n\"ctrl-p\" = \"palette.open\"\n").unwrap();
    assert_eq!(
        broker.json(&["keymap", "check", file])["problems"],
        json!([])
    );
    assert_eq!(broker.run(&["keymap", "check", "/no/such/file"]).code, 2);
    let usual = broker.run(&["keymap", "check"]);
    assert_eq!(usual.code, 0, "{usual:?}");
    assert!(
        usual.out.contains("every key is as it comes"),
        "{}",
        usual.out
    );
}
