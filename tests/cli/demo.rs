//! The demonstration without a console.

use std::process::{Command, Stdio};

use crate::broker::{Ended, PROGRAM, program};

#[test]
fn a_demonstration_brings_traffic_of_every_kind_and_leaves_nothing_behind() {
    let scratch = tempfile::tempdir().unwrap();
    let words = [
        "demo",
        "--headless",
        "--seconds",
        "11",
        "--rate",
        "2",
        "--json",
    ];
    // Without --data, unlike the others.
    let mut command = Command::new(PROGRAM);
    command.args(words).env("TMPDIR", scratch.path());
    command.env("XDG_CONFIG_HOME", scratch.path().join("no-config"));
    command.stdin(Stdio::null());
    let ended = Ended::of(command.output().unwrap());
    assert_eq!(ended.code, 0, "{}", ended.err);
    let last = ended
        .out
        .lines()
        .last()
        .unwrap_or_else(|| panic!("{}", ended.err));
    let overview: serde_json::Value = serde_json::from_str(last).unwrap();
    let number = |pointer: &str| {
        overview
            .pointer(pointer)
            .and_then(serde_json::Value::as_u64)
            .unwrap()
    };
    assert!(number("/intents/COMPLETED") > 10, "{last}");
    assert!(number("/dead_letters/open") >= 1, "{last}");
    assert!(number("/inbox/pending") >= 3, "{last}");
    let left: Vec<_> = std::fs::read_dir(scratch.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_demonstration_plays_in_the_directory_it_is_given_and_keeps_out_of_one_that_is_in_use() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("stage");
    let play = || {
        let words = ["demo", "--headless", "--seconds", "1", "--json"];
        Ended::of(program(&place, &words).output().unwrap())
    };
    let ended = play();
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        ended.err.contains(&format!("kept {}", place.display())),
        "{}",
        ended.err
    );
    assert!(place.join("admin.key").exists());
    let again = play();
    assert_eq!(again.code, 1, "{}", again.err);
    assert!(again.err.contains("is not empty"), "{}", again.err);
    assert!(again.err.contains("without --data"), "{}", again.err);
}
