//! The demonstration without a console.

use crate::broker::{Ended, program};

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
    let mut command = program(scratch.path(), &words);
    command.env("TMPDIR", scratch.path());
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
