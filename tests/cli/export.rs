//! `--format`: whole lists for programs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::broker::Broker;

/// Intents from one request of many.
pub(crate) fn many(broker: &Broker, count: usize) {
    let one =
        json!({ "intent_type": "intent.order.process.v1", "to_agent": "orders", "payload": {} });
    let body = json!({ "intents": vec![one; count] });
    let key = std::fs::read_to_string(broker.data().join("admin.key")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answer = runtime.block_on(async {
        // The second test of a process finds it installed already.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("{}/v1/intents/batch", broker.url));
        let answer = request
            .header("x-api-key", key.trim())
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        answer.text().await.unwrap()
    });
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["accepted"], json!(count), "{answer}");
}

fn lines(broker: &Broker, words: &[&str]) -> Vec<String> {
    let ended = broker.run(words);
    assert_eq!(ended.code, 0, "{words:?}: {}", ended.err);
    assert_eq!(ended.err, "", "{words:?}: nothing is said beside the list");
    ended.out.lines().map(str::to_owned).collect()
}

#[test]
fn every_page_of_a_list_is_written() {
    let broker = Broker::start();
    many(&broker, 500);
    many(&broker, 300);
    many(&broker, 300);
    let rows = lines(&broker, &["intents", "list", "--format", "ndjson"]);
    let ids: BTreeSet<String> = rows
        .iter()
        .map(|row| serde_json::from_str::<Value>(row).unwrap()["intent_id"].to_string())
        .collect();
    assert_eq!((rows.len(), ids.len()), (1100, 1100));
    let table = lines(
        &broker,
        &["intents", "list", "--format", "csv", "--limit", "600"],
    );
    assert_eq!(table.len(), 601);
    assert!(
        table[0].starts_with("intent_id,status,intent_type,from_agent,to_agent,"),
        "{}",
        table[0]
    );
    let columns = table[0].split(',').count();
    assert!(table.iter().all(|row| row.split(',').count() == columns));
    // Three facts of each and more: the feed has more than one page too.
    let feed = lines(&broker, &["events", "--format", "ndjson"]);
    let mut cursors = feed.iter().map(|row| {
        serde_json::from_str::<Value>(row).unwrap()["cursor"]
            .as_u64()
            .unwrap()
    });
    assert!(feed.len() > 3300, "{}", feed.len());
    assert_eq!(cursors.next(), Some(1));
    assert!(
        cursors
            .zip(2..)
            .all(|(cursor, expected)| cursor == expected),
        "without a gap"
    );
    let none = lines(
        &broker,
        &[
            "intents",
            "list",
            "--filter",
            "agent:nobody",
            "--format",
            "csv",
        ],
    );
    assert_eq!(none.len(), 1, "a heading without rows");
}

#[test]
fn every_list_can_be_written_both_ways() {
    let broker = Broker::start();
    broker.json(&["send", "intent.order.process.v1", "orders"]);
    let task = json!({ "title": "Line one\nline, \"two\"" }).to_string();
    broker.json(&[
        "send",
        "intent.order.process.v1",
        "finance",
        "--human-task",
        &task,
    ]);
    for list in [
        "intents list",
        "attempts list",
        "inbox list",
        "tasks list",
        "dead list",
        "dead groups",
        "jobs list",
        "agents list",
        "keys list",
        "held",
        "events",
        "audit",
    ] {
        let words = |format: &'static str| {
            let words = list.split(' ').chain(["--format", format]);
            words.collect::<Vec<_>>()
        };
        for row in lines(&broker, &words("ndjson")) {
            assert!(
                serde_json::from_str::<Value>(&row).unwrap().is_object(),
                "{list}: {row}"
            );
        }
        let table = lines(&broker, &words("csv"));
        assert!(
            !table.is_empty() && table[0].contains(','),
            "{list}: {table:?}"
        );
    }
    let tasks = broker.run(&["tasks", "list", "--format", "csv"]).out;
    assert!(tasks.contains("\"Line one\nline, \"\"two\"\"\""), "{tasks}");
}

#[test]
fn a_format_that_is_none_and_two_at_once_are_wrong_usage() {
    let broker = Broker::start();
    let wrong = broker.run(&["intents", "list", "--format", "xml"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    let both = broker.run(&["intents", "list", "--format", "csv", "--json"]);
    assert_eq!((both.code, both.out.as_str()), (2, ""), "{both:?}");
    let term = broker.run(&["intents", "list", "--filter", "colour:red"]);
    assert_eq!(term.code, 2, "{term:?}");
    assert!(term.err.contains("hint: terms: status:"), "{}", term.err);
}

#[test]
fn a_filter_is_what_the_flags_are() {
    let broker = Broker::start();
    broker.json(&["send", "intent.order.process.v1", "orders"]);
    broker.json(&["send", "intent.order.process.v1", "ledger"]);
    let words = [
        "intents",
        "list",
        "--filter",
        "agent:ledger status:DELIVERED age<1h",
    ];
    let found = broker.json(&words);
    let found = found["intents"].as_array().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["to_agent"], "agent://local/default/ledger");
    assert_eq!(
        broker.json(&["intents", "list", "--filter", "age>1h"])["intents"],
        json!([])
    );
}
