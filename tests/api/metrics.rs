//! What scrapers read: every metric of the contract by name, type and labels, read by another reader than
//! the code that writes it.

use std::collections::{BTreeMap, BTreeSet};

use postroom::broker::session::SessionSpec;
use postroom::domain::failure::{ErrorClass, Failure};
use serde_json::json;

use crate::endpoints::fail;
use crate::house::{House, house};

/// Name, type, labels beside `le`.
const CONTRACT: &[(&str, &str, &[&str])] = &[
    ("build_info", "gauge", &["version"]),
    ("intents", "gauge", &["status"]),
    ("binding_depth", "gauge", &["binding", "state"]),
    ("dead_letters", "gauge", &[]),
    ("inbox_pending", "gauge", &[]),
    ("connections", "gauge", &[]),
    ("oldest_waiting_seconds", "gauge", &[]),
    ("due_lag_seconds", "gauge", &[]),
    ("breaker_open", "gauge", &["agent"]),
    ("commit_queue", "gauge", &[]),
    ("store_bytes", "gauge", &[]),
    ("intents_accepted_total", "counter", &[]),
    ("intents_finished_total", "counter", &["status"]),
    (
        "attempts_total",
        "counter",
        &["binding", "outcome", "error_class"],
    ),
    ("http_requests_total", "counter", &["route", "status"]),
    ("attempt_seconds", "histogram", &["binding"]),
    ("deliver_seconds", "histogram", &["binding"]),
    ("complete_seconds", "histogram", &[]),
    ("commit_seconds", "histogram", &[]),
    ("http_request_seconds", "histogram", &["route"]),
];

type Labels = BTreeMap<String, String>;

#[derive(Debug, Default)]
struct Family {
    kind: String,
    has_help: bool,
    /// The end of a sample's name behind the family's, its labels, its value.
    samples: Vec<(String, Labels, f64)>,
}

/// Reads a page by the words of the format's description; whatever is not in it is a fault.
fn read(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help has a text");
            assert!(!help.is_empty() && !families.contains_key(name), "{line}");
            name.clone_into(&mut current);
            families.entry(current.clone()).or_default().has_help = true;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, current, "a type follows its help: {line}");
            let family = families.get_mut(name).unwrap();
            assert!(
                family.kind.is_empty() && family.samples.is_empty(),
                "{line}"
            );
            kind.clone_into(&mut family.kind);
        } else {
            let (name, labels, value) = sample(line);
            let end = name.strip_prefix(current.as_str());
            let end = end.unwrap_or_else(|| panic!("{line} stands under {current}"));
            let family = families.get_mut(&current).unwrap();
            let ends: &[&str] = if family.kind == "histogram" {
                &["_bucket", "_sum", "_count"]
            } else {
                &[""]
            };
            assert!(ends.contains(&end), "{line} in a {}", family.kind);
            let is_twice = family
                .samples
                .iter()
                .any(|(e, l, _)| e == end && *l == labels);
            assert!(!is_twice, "{line} stands there twice");
            family.samples.push((end.to_owned(), labels, value));
        }
    }
    families
}

/// `name{label="value",...} number`.
fn sample(line: &str) -> (String, Labels, f64) {
    let is_of_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == ':';
    let (name, mut rest) = line.split_at(line.find(|sign| !is_of_name(sign)).unwrap());
    let mut labels = Labels::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            if let Some(behind) = rest.strip_prefix('}') {
                rest = behind;
                break;
            }
            let (label, more) = rest.split_once("=\"").expect("a label has a value");
            assert!(label.chars().all(is_of_name), "{line}");
            let mut value = String::new();
            let mut signs = more.char_indices();
            let end = loop {
                match signs.next().expect("a value ends") {
                    (at, '"') => break at,
                    (_, '\\') => value.push(match signs.next().unwrap().1 {
                        'n' => '\n',
                        sign @ ('\\' | '"') => sign,
                        other => panic!("\\{other} in {line}"),
                    }),
                    (_, sign) => value.push(sign),
                }
            };
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = more.split_at(end + 1).1;
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
    }
    let value = rest.strip_prefix(' ').expect("one space before the value");
    (name.to_owned(), labels, value.parse().unwrap())
}

impl Family {
    fn value(&self, end: &str, wanted: &[(&str, &str)]) -> Option<f64> {
        let wanted: Labels = wanted
            .iter()
            .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()))
            .collect();
        let found = self
            .samples
            .iter()
            .find(|(e, labels, _)| e == end && *labels == wanted);
        found.map(|(_, _, value)| *value)
    }

    /// Holds the buckets of each histogram against each other, its sum and its count.
    fn check_histogram(&self, name: &str) {
        let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for (end, labels, value) in &self.samples {
            if end == "_bucket" {
                let mut labels = labels.clone();
                let bound = labels.remove("le").expect("a bucket has its bound");
                let bound = bound.replace("+Inf", "inf").parse().unwrap();
                series.entry(labels).or_default().push((bound, *value));
            }
        }
        assert!(!series.is_empty(), "{name} has no series");
        for (labels, buckets) in series {
            let of: Vec<_> = labels
                .iter()
                .map(|(l, v)| (l.as_str(), v.as_str()))
                .collect();
            let count = self.value("_count", &of).expect("a count");
            let sum = self.value("_sum", &of).expect("a sum");
            assert!(
                buckets.is_sorted_by(|one, next| one.0 < next.0 && one.1 <= next.1),
                "{name} {labels:?}: {buckets:?}"
            );
            let last = buckets.last().unwrap();
            assert!(last.0.is_infinite(), "{name} {labels:?} has no +Inf");
            assert!(
                same(last.1, count),
                "{name} {labels:?}: {last:?} of {count}"
            );
            // What was counted took at least what the bucket before its own says.
            let mut least = 0.0;
            for pair in buckets.windows(2) {
                least += (pair[1].1 - pair[0].1) * pair[0].0;
            }
            assert!(sum >= least, "{name} {labels:?}: {sum} under {least}");
        }
    }
}

fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

/// A house in which something of everything has happened.
async fn lived_in() -> House {
    let house = house().await;
    let http = json!({ "delivery_mode": "http", "callback_url": "http://127.0.0.1:9/x" });
    house.account("billing", http).await;
    let mut calls = house
        .broker
        .open_session(SessionSpec::calls(8, 4))
        .await
        .unwrap();
    for _ in 0..5 {
        house.submit(&house.admin, "billing", json!({})).await;
        let handover = calls.next().await.unwrap();
        fail(
            &house,
            handover,
            Failure::new(ErrorClass::Connect, "refused"),
        )
        .await;
    }
    // The breaker is open: these are parked.
    for _ in 0..2 {
        house.submit(&house.admin, "billing", json!({})).await;
    }
    let id = house.submit(&house.admin, "orders", json!({})).await;
    house.pass(2).await;
    house.poll(&house.admin, "orders").await;
    house.pass(1).await;
    let path = format!("/v1/intents/{id}/resume");
    house
        .post(&path, &house.admin, json!({ "a": 1 }))
        .await
        .ok();
    house
}

async fn page(house: &House) -> BTreeMap<String, Family> {
    let reply = house.get("/metrics", &house.admin).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    read(&reply.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_the_contract_is_there_with_its_type_its_labels_and_a_help() {
    let house = lived_in().await;
    let page = page(&house).await;
    for (name, kind, labels) in CONTRACT {
        let family = page
            .get(&format!("postroom_{name}"))
            .unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(family.kind, *kind, "{name}");
        assert!(family.has_help, "{name}");
        assert!(!family.samples.is_empty(), "{name} has no sample");
        for (_, of_it, _) in &family.samples {
            let names: BTreeSet<&str> = of_it
                .keys()
                .map(String::as_str)
                .filter(|label| *label != "le")
                .collect();
            assert_eq!(names, labels.iter().copied().collect(), "{name}");
        }
    }
    for (name, family) in &page {
        assert!(name.starts_with("postroom_"), "{name}");
        assert_eq!(family.kind == "counter", name.ends_with("_total"), "{name}");
        if family.kind == "histogram" {
            family.check_histogram(name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_say_what_has_happened() {
    let house = lived_in().await;
    let page = page(&house).await;
    let value = |name: &str, end: &str, labels: &[(&str, &str)]| {
        let family = &page[&format!("postroom_{name}")];
        let value = family.value(end, labels);
        value.unwrap_or_else(|| panic!("no {name}{end} {labels:?} in {family:?}"))
    };
    let depth = |state| {
        value(
            "binding_depth",
            "",
            &[("binding", "http"), ("state", state)],
        )
    };
    let states = ["ready", "leased", "backing_off", "parked", "held"];
    for (state, count) in states.into_iter().zip([0.0, 0.0, 5.0, 2.0, 0.0]) {
        assert!(same(depth(state), count), "{state}: {}", depth(state));
    }
    let failed = [
        ("binding", "http"),
        ("outcome", "failed"),
        ("error_class", "connect"),
    ];
    assert!(same(value("attempts_total", "", &failed), 5.0));
    let open = [("agent", "local/default/billing")];
    assert!(same(value("breaker_open", "", &open), 1.0));
    for (binding, delivered) in [("http", 5.0), ("poll", 1.0), ("stream", 0.0)] {
        let label = [("binding", binding)];
        let count = value("deliver_seconds", "_count", &label);
        assert!(same(count, delivered), "{binding}: {count}");
        let count = value("attempt_seconds", "_count", &label);
        assert!(same(count, delivered), "{binding}: {count}");
    }
    // It waited for two seconds and was worked on for one.
    for (name, labels, took) in [
        ("deliver_seconds", &[("binding", "poll")][..], 2.0),
        ("attempt_seconds", &[("binding", "poll")], 1.0),
        ("complete_seconds", &[], 3.0),
    ] {
        assert!(same(value(name, "_sum", labels), took), "{name}");
        let bucket = |bound| [labels, &[("le", bound)]].concat();
        assert!(same(value(name, "_bucket", &bucket("0.5")), 0.0), "{name}");
        assert!(same(value(name, "_bucket", &bucket("5")), 1.0), "{name}");
    }
    assert!(value("commit_seconds", "_count", &[]) > 5.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_ask_for_cannot_add_labels_without_end() {
    let house = house().await;
    for number in 0..20 {
        for path in [
            format!("/v1/agents/agent-{number}"),
            format!("/v1/agents/agent-{number}/intents"),
            format!("/v1/agents/a/b/{number}/intents"),
            format!("/v1/agents/a/policy/entries/{number}"),
            format!("/v1/intents/{number}"),
            format!("/nowhere/{number}"),
            format!("/v1/{number}/\"quoted\"\\n"),
        ] {
            house.get(&path, &house.admin).await;
        }
    }
    let page = page(&house).await;
    let routes: BTreeMap<&str, f64> = page["postroom_http_request_seconds"]
        .samples
        .iter()
        .filter(|(end, _, _)| end == "_count")
        .map(|(_, labels, count)| (labels["route"].as_str(), *count))
        .collect();
    for (route, count) in [
        ("/v1/agents/{addr}", 20.0),
        ("/v1/agents/{addr}/intents", 40.0),
        ("/v1/agents/{addr}/policy/entries/{id}", 20.0),
        ("/v1/intents/{id}", 20.0),
        ("none", 40.0),
    ] {
        let counted = routes.get(route).copied().unwrap_or(0.0);
        assert!(same(counted, count), "{route}: {counted} in {routes:?}");
    }
    // And what made the house: its key and the document of the API.
    assert!(routes.len() <= 7, "{routes:?}");
}
