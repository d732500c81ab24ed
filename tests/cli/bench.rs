//! The measurement: what it tells, what it leaves behind, and what it refuses.

use std::path::Path;

use serde_json::Value;

use crate::broker::{Broker, Ended, program};

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn bench(scratch: &Path, more: &[&str]) -> Ended {
    let dir = scratch.to_str().unwrap();
    let mut words = vec!["bench", "--seconds", "1", "--dir", dir];
    words.extend(more);
    let data = tempfile::tempdir().unwrap();
    let ended = Ended::of(program(data.path(), &words).output().unwrap());
    assert!(names(data.path()).is_empty());
    ended
}

#[test]
fn every_receiver_is_measured_beside_its_ceiling_and_nothing_is_left_behind() {
    let scratch = tempfile::tempdir().unwrap();
    let ended = bench(
        scratch.path(),
        &["--only", "cycles,latency by http", "--json"],
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    let rows = told["rows"].as_array().unwrap();
    let row_names: Vec<&str> = rows
        .iter()
        .map(|row| row["row"].as_str().unwrap())
        .collect();
    assert_eq!(
        row_names,
        [
            "ceiling cycles",
            "cycles by stream",
            "cycles by poll",
            "cycles by poll in batches",
            "cycles by http",
            "ceiling latency",
            "latency by http",
        ]
    );
    for row in rows {
        let rounds = row["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 3, "{row}");
        assert!(
            rounds.iter().all(|round| round["count"].as_u64() > Some(0)),
            "{row}"
        );
        assert_eq!(
            row["ceiling"].is_string(),
            row["of_ceiling"].as_f64() > Some(0.0),
            "{row}"
        );
    }
    assert!(names(scratch.path()).is_empty());
}

#[test]
fn a_row_brings_the_ceilings_above_it_down_to_the_disk() {
    let scratch = tempfile::tempdir().unwrap();
    let ended = bench(scratch.path(), &["--only", "accepts 1 in flight"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let rows: Vec<&str> = ended.out.lines().skip(1).take(3).collect();
    assert!(rows[0].starts_with("disk 1 per sync"), "{}", ended.out);
    assert!(
        rows[1].starts_with("ceiling accepts 1 in flight"),
        "{}",
        ended.out
    );
    assert!(rows[2].starts_with("accepts 1 in flight"), "{}", ended.out);
}

#[test]
fn a_running_brokers_directory_is_a_place_for_it_and_nothing_in_it_is_touched() {
    let broker = Broker::start();
    broker.json(&[
        "send",
        "intent.order.process.v1",
        "orders",
        "--payload",
        "{}",
    ]);
    let before = names(broker.data());
    let data = broker.data().to_str().unwrap().to_owned();
    let ended = broker.run(&[
        "bench",
        "--seconds",
        "1",
        "--dir",
        &data,
        "--only",
        "disk 1 per sync,accepts 1 in",
    ]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("shares this machine"), "{}", ended.err);
    assert_eq!(names(broker.data()), before);
    let listed = broker.json(&["intents", "list"]);
    assert_eq!(listed["intents"].as_array().unwrap().len(), 1, "{listed}");
}

#[test]
fn what_cannot_be_measured_is_refused_with_a_way_out() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    std::fs::write(&file, "").unwrap();
    let missing = scratch.path().join("missing");
    for (place, code, said) in [
        (missing.as_path(), 1, "No such file"),
        (file.as_path(), 1, "Not a directory"),
    ] {
        let ended = bench(place, &["--only", "disk"]);
        assert_eq!(ended.code, code, "{}", ended.err);
        assert!(
            ended.err.contains(said) && ended.err.contains("--dir"),
            "{}",
            ended.err
        );
    }
    let wide = ["--only", "disk", "--set", "store.disk_low_bytes=1024 GiB"];
    let ended = bench(scratch.path(), &wide);
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(
        ended.err.contains("MiB free") && ended.err.contains("hint:"),
        "{}",
        ended.err
    );
    let ended = bench(scratch.path(), &["--only", "acepts"]);
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(ended.err.contains("cycles by stream"), "{}", ended.err);
    let ended = bench(scratch.path(), &["--seconds", "0"]);
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert_eq!(names(scratch.path()), ["file"]);
}
