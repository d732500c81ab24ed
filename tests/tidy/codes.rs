//! Every code of the error table is asked for by a test.

use std::collections::BTreeSet;
use std::path::Path;

use postroom::wire::errors::CODES;

/// Codes that no test can be answered with, and why.
const NEVER: &[(&str, &str)] = &[
    (
        "internal_error",
        "a fault of ours; whatever could cause it would be mended instead",
    ),
    (
        "not_yet",
        "what a timer is told that came too early; it stays in the broker",
    ),
    (
        "task_ambiguous",
        "a run is at one step at a time, so that it never asks two questions",
    ),
];

/// The text of every test, but this one.
fn tests(root: &Path) -> String {
    let mut text = String::new();
    let mut folders = vec![root.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is_source = path
                .extension()
                .is_some_and(|extension| extension == "rs" || extension == "py");
            if path.is_dir() {
                // What is fed there is answered with anything.
                folders.extend((!path.ends_with("fuzz")).then_some(path));
            } else if is_source && !path.ends_with("tidy/codes.rs") {
                text.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    text
}

#[test]
fn every_code_of_the_error_table_is_asked_for_by_a_test() {
    let tests = tests(Path::new(env!("CARGO_MANIFEST_DIR")));
    let codes: BTreeSet<&str> = CODES
        .iter()
        .flat_map(|(_, codes)| codes.iter().copied())
        .collect();
    assert!(codes.len() > 50, "{codes:?}");
    let is_asked = |code: &str| tests.contains(&format!("\"{code}\""));
    let excused: BTreeSet<&str> = NEVER.iter().map(|(code, _why)| *code).collect();
    let forgotten: Vec<&&str> = codes
        .difference(&excused)
        .filter(|code| !is_asked(code))
        .collect();
    assert!(forgotten.is_empty(), "no test asks for {forgotten:?}");
    let asked: Vec<&&str> = excused.iter().filter(|code| is_asked(code)).collect();
    assert!(asked.is_empty(), "excused, and asked for: {asked:?}");
    assert!(
        excused.is_subset(&codes),
        "excused, and no codes: {excused:?}"
    );
}
