//! People and workflows: tasks, scenarios, and why something waits.

use serde_json::{Value, json};

use crate::broker::{Broker, Ended, program};

fn scenario(name: &str) -> String {
    format!("{}/tests/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR"))
}

/// An intent that asks finance; its id.
fn ask(broker: &Broker, task: &Value) -> String {
    let task = task.to_string();
    let words = ["send", "intent.refund.v1", "finance", "--human-task", &task];
    let sent = broker.json(&words);
    sent["intent_id"].as_str().unwrap().to_owned()
}

#[test]
fn tasks_are_listed_shown_discussed_handed_on_and_decided() {
    let broker = Broker::start();
    let nothing = broker.run(&["tasks", "list"]);
    assert_eq!(
        (nothing.code, nothing.out.as_str()),
        (0, "nothing waits for a person\n")
    );
    let task = json!({ "title": "Bypass the limit?", "task_type": "override" });
    let id = ask(&broker, &task);
    let listed = broker.run(&["tasks", "list"]);
    assert!(listed.out.starts_with("INTENT "), "{}", listed.out);
    for word in [
        &id,
        "finance",
        "override",
        "Bypass the limit?",
        "override_approved / rejected",
    ] {
        assert!(listed.out.contains(word), "{word}: {}", listed.out);
    }
    let said = broker.run(&["tasks", "reply", &id, "which one?"]);
    assert_eq!((said.code, said.out), (0, format!("{id}  replied\n")));
    let words = ["tasks", "delegate", &id, "--to", "bob", "--note", "yours"];
    assert_eq!(broker.run(&words).out, format!("{id}  handed to bob\n"));
    let bobs = broker.json(&["inbox", "list", "--owner", "bob"]);
    assert_eq!(bobs["threads"][0]["intent_id"], json!(id));
    let shown = broker.run(&["tasks", "show", &id]);
    for word in [
        "which one?",
        "inbox.delegated",
        "override_approved",
        "payload",
    ] {
        assert!(shown.out.contains(word), "{word}: {}", shown.out);
    }
    let decide = |more: &[&str]| {
        let words = ["tasks", "decide", &id, "--outcome"];
        let words: Vec<&str> = words.iter().chain(more).copied().collect();
        broker.run(&words)
    };
    let wrong = decide(&["maybe", "-c", "x"]);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.err.contains("allowed: "), "{}", wrong.err);
    let silent = decide(&["override_approved"]);
    assert_eq!(silent.code, 1);
    assert!(silent.err.contains("--comment"), "{}", silent.err);
    let stale = decide(&["rejected", "-c", "no", "--task-version", "1"]);
    assert_eq!(stale.code, 1);
    assert!(stale.err.contains("task_version_stale"), "{}", stale.err);
    assert_eq!(decide(&["rejected", "-c", "no", "--field", "x"]).code, 2);
    let held = decide(&["override_approved", "-c", "INC-1", "--hold", "60"]);
    assert!(held.out.contains("postroom undo hld_"), "{}", held.out);
    let (_, hold) = held.out.trim_end().rsplit_once(' ').unwrap();
    assert_eq!(broker.run(&["undo", hold]).code, 0);
    let done = decide(&["override_approved", "-c", "INC-1"]);
    assert_eq!(
        (done.code, done.out),
        (0, format!("{id}  override_approved\n"))
    );
    let again = decide(&["rejected", "-c", "no"]);
    assert!(again.err.contains("intent_terminal"), "{}", again.err);
    let gone = broker.run(&["tasks", "show", "no-such-task"]);
    assert_eq!(gone.code, 1, "{gone:?}");
}

#[test]
fn a_task_is_taken_and_decided_by_its_thread_with_a_form() {
    let broker = Broker::start();
    let schema =
        json!({ "required": ["amount"], "properties": { "amount": { "type": "integer" } } });
    let id = ask(
        &broker,
        &json!({ "task_type": "form", "form_schema": schema }),
    );
    let shown = broker.json(&["tasks", "show", &id]);
    let thread = shown["intent"]["thread_id"].as_str().unwrap();
    let taken = broker.run(&["inbox", "take", thread, "--as", "alice"]);
    assert_eq!((taken.code, taken.out), (0, format!("{thread}  taken\n")));
    let task = broker.json(&["tasks", "list", "--owner", "alice"]);
    let with = &task["tasks"][0]["human_task"]["delegated_to"];
    assert_eq!(*with, "agent://local/default/alice");
    let words = ["tasks", "decide", thread, "--outcome", "submitted"];
    let empty = broker.run(&words);
    assert!(empty.err.contains("/amount: is required"), "{}", empty.err);
    let more = [
        "--form",
        "{\"amount\":\"x\"}",
        "--field",
        "amount=12",
        "--json",
    ];
    let words: Vec<&str> = words.iter().chain(&more).copied().collect();
    let done = broker.run(&words);
    assert_eq!(done.code, 0, "{}", done.err);
    let answer: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(answer["intent"]["result"]["amount"], json!(12));
}

#[test]
fn a_form_is_shown_in_the_order_in_which_it_was_written() {
    let broker = Broker::start();
    // Neither the order of the alphabet nor its opposite.
    let form = r#"{"type":"object","properties":{"street":{"type":"string"},"zip":{"type":"string"},"city":{"type":"string"}}}"#;
    let task = format!(r#"{{"task_type":"form","form_schema":{form}}}"#);
    broker.json(&["send", "intent.x.v1", "desk", "--human-task", &task]);
    let bundle = broker.data().join("form.json");
    let text = format!(
        r#"{{"humans":[{{"role":"ops","contact":"ops"}}],"workflow":{{"steps":[{{"step_id":"ask","assigned_to":"ops","human_task":{task}}}]}},"intent":{{"type":"intent.y.v1","payload":{{}}}}}}"#
    );
    std::fs::write(&bundle, text).unwrap();
    broker.json(&["scenarios", "apply", bundle.to_str().unwrap()]);
    let kept = broker.run(&["tasks", "list", "--format", "ndjson"]);
    assert_eq!(kept.out.lines().count(), 2, "{kept:?}");
    for line in kept.out.lines() {
        assert!(line.contains(form), "{line}");
        let row: Value = serde_json::from_str(line).unwrap();
        let shown = broker.run(&["tasks", "show", row["intent_id"].as_str().unwrap()]);
        let fields = ["\"street\": {", "\"zip\": {", "\"city\": {"];
        let places = fields.map(|field| shown.out.find(field));
        assert!(places[0].is_some() && places.is_sorted(), "{shown:?}");
    }
}

#[test]
fn a_bundle_is_checked_and_its_run_is_followed_to_its_end() {
    let broker = Broker::start();
    let file = scenario("order-stream");
    let valid = broker.run(&["scenarios", "validate", &file]);
    assert_eq!((valid.code, valid.out.as_str()), (0, "valid\n"));
    let wrong = broker.data().join("wrong.json");
    std::fs::write(&wrong, "{\"agents\":[],\"colour\":1}").unwrap();
    let wrong = wrong.to_str().unwrap();
    let invalid = broker.run(&["scenarios", "validate", wrong]);
    assert_eq!(invalid.code, 1, "{invalid:?}");
    assert_eq!(
        invalid.out,
        "error: intent: field required\nwarning: colour: is not known and was left alone\n"
    );
    assert_eq!(broker.run(&["scenarios", "apply", wrong]).code, 1);
    assert_eq!(broker.run(&["scenarios", "apply", "/no/such/file"]).code, 2);
    let command = "cat; test $POSTROOM_ATTEMPT = 1";
    let _listener = broker.keep_running(&["listen", "order-processor", "--exec", command]);
    let ended = broker.run(&["scenarios", "apply", &file, "--watch"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let kinds: Vec<_> = ended
        .out
        .lines()
        .filter(|line| line.starts_with("   "))
        .map(|line| line.split_whitespace().nth(2).unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["created", "submitted", "delivered", "waiting", "completed"]
    );
    assert!(
        ended.out.contains("agent order-processor  made\n"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("with order-processor\n"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("\nCOMPLETED\n"), "{}", ended.out);
    let words = [
        "scenarios",
        "apply",
        &file,
        "--watch",
        "--json",
        "--key",
        "k",
    ];
    let lines: Vec<Value> = broker
        .run(&words)
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["scenario_id"], "orders.process.v1");
    assert_eq!(lines[5]["event_type"], "intent.completed");
    assert_eq!(lines[6]["intent"]["status"], "COMPLETED");
    let again = broker.run(&["scenarios", "apply", &file, "--key", "k"]);
    assert!(
        again.out.contains("the same run as before"),
        "{}",
        again.out
    );
}

#[test]
fn a_run_that_fails_while_it_is_watched_is_exit_code_one() {
    let broker = Broker::start();
    let command = "echo no stock >&2; exit 1";
    let _listener = broker.keep_running(&["listen", "order-processor", "--exec", command]);
    let ended = broker.run(&["scenarios", "apply", &scenario("order-stream"), "-w"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.out.contains("FAILED") && ended.out.contains("no stock"),
        "{}",
        ended.out
    );
}

#[test]
fn what_an_intent_waits_for_is_explained_with_what_can_be_done() {
    let broker = Broker::start();
    let explain = |id: &str| {
        let ended = broker.run(&["explain", id]);
        assert_eq!(ended.code, 0, "{}", ended.err);
        ended.out
    };
    let send = |to: &str| -> String {
        let sent = broker.json(&["send", "intent.x.v1", to, "--max-attempts", "1"]);
        sent["intent_id"].as_str().unwrap().to_owned()
    };
    let ready = send("orders");
    let told = explain(&ready);
    assert!(told.contains("Nobody listens at orders"), "{told}");
    assert!(told.contains("try: postroom listen orders"), "{told}");
    assert!(told.contains("0 of 1 attempts are used"), "{told}");
    broker.json(&["agents", "pause", "orders", "--why", "rebuilding"]);
    let parked = explain(&ready);
    assert!(
        parked.contains("agent_paused") && parked.contains("try: postroom agents resume orders"),
        "{parked}"
    );
    let task = json!({ "title": "Refund?" });
    let asked = explain(&ask(&broker, &task));
    assert!(
        asked.contains("A person has to answer, finance: \"Refund?\"."),
        "{asked}"
    );
    assert!(asked.contains("--outcome approved|rejected"), "{asked}");
    let applied = broker.json(&["scenarios", "apply", &scenario("order-stream")]);
    let run = explain(applied["intent_id"].as_str().unwrap());
    assert!(
        run.contains("is at step process") && run.contains("try: postroom explain "),
        "{run}"
    );
    let _listener = broker.keep_running(&["listen", "sick", "--exec", "echo broken >&2; exit 3"]);
    let words = ["send", "intent.x.v1", "sick", "--wait", "--json"];
    let dead: Value = serde_json::from_str(&broker.run(&words).out).unwrap();
    let dead = explain(dead["intent"]["intent_id"].as_str().unwrap());
    assert!(
        dead.contains("ended as FAILED") && dead.contains("broken"),
        "{dead}"
    );
    assert!(dead.contains("try: postroom replay "), "{dead}");
    let machine = broker.json(&["explain", &ready]);
    assert_eq!(machine["status"], "DELIVERED");
    assert!(machine["try"].is_array() && machine["says"].is_array());
    assert_eq!(broker.run(&["explain", "no-such-intent"]).code, 1);
    let nobody = tempfile::tempdir().unwrap();
    let words = ["explain", &ready];
    let away = Ended::of(program(nobody.path(), &words).output().unwrap());
    assert_eq!(away.code, 3, "{away:?}");
}
