//! Each rule is shown to fail: a rule that cannot fail keeps nothing in order.

use crate::rules::check;
use crate::source::Source;

fn complaints(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> = files
        .iter()
        .map(|(path, raw)| Source::new(path, raw))
        .collect();
    check(&sources)
}

/// The file gives exactly one complaint, at that line, with that text in it.
fn fails(path: &str, raw: &str, line: usize, text: &str) {
    let found = complaints(&[(path, raw)]);
    let start = format!("{path}:{line}: ");
    let is_it = found.len() == 1 && found[0].starts_with(&start) && found[0].contains(text);
    assert!(
        is_it,
        "wanted one at line {line} with {text:?}, got {found:#?}"
    );
}

fn passes(path: &str, raw: &str) {
    assert_eq!(
        complaints(&[(path, raw)]),
        Vec::<String>::new(),
        "{path}: {raw}"
    );
}

#[test]
fn an_import_against_the_table_fails() {
    fails(
        "src/engine/retry.rs",
        "\nuse crate::clock::Clock;",
        2,
        "may not import `clock::Clock`",
    );
    fails(
        "src/desk/local.rs",
        "use crate::store::memory::Memory;",
        1,
        "may not import `store::memory`",
    );
    fails(
        "src/console/mod.rs",
        "//! Console.\nfn a() { crate::broker::b(); }",
        2,
        "broker",
    );
    fails(
        "src/attic/mod.rs",
        "//! Attic.",
        1,
        "not in the import table",
    );
    passes(
        "src/desk/local.rs",
        "use crate::{store::query::Page, domain::{ids, time}, desk::Desk};",
    );
}

#[test]
fn a_circle_between_rooms_fails_and_names_its_imports() {
    let found = complaints(&[
        ("src/engine/mod.rs", "//! E.\nuse crate::store::a;"),
        ("src/store/mod.rs", "//! S.\nuse crate::engine::b;"),
    ]);
    let circle = found.iter().find(|complaint| complaint.contains("circle"));
    let circle = circle.unwrap_or_else(|| panic!("{found:#?}"));
    assert!(
        circle.contains("engine (src/engine/mod.rs:2) -> store (src/store/mod.rs:2) -> engine")
    );
}

#[test]
fn a_re_export_of_another_room_fails() {
    fails(
        "src/api/mod.rs",
        "//! A.\npub use crate::domain::ids;",
        2,
        "pub use",
    );
    fails(
        "src/api/mod.rs",
        "//! A.\npub(crate) use crate::domain::ids;",
        2,
        "pub use",
    );
    passes(
        "src/api/mod.rs",
        "//! A.\npub use crate::api::sse;\nuse crate::domain::ids;",
    );
}

#[test]
fn time_chance_tasks_and_terminal_fail_outside_their_home() {
    for (code, text) in [
        ("SystemTime::now();", "Clock"),
        ("Instant::now();", "Clock"),
        ("jiff::Timestamp::now();", "Clock"),
        ("rand::random();", "Entropy"),
        ("mpsc::unbounded_channel();", "bounded"),
        ("thread::sleep(d);", "wait for"),
        ("tokio::spawn(f);", "Tasks"),
        ("println!();", "tracing"),
        ("eprintln!();", "tracing"),
        ("x.unwrap();", "return an error"),
        ("panic!();", "return an error"),
        ("todo!();", "finish it"),
        ("dbg!(x);", "finish it"),
        ("std::process::exit(1);", "exit code"),
        ("rusqlite::open();", "Store"),
        ("reqwest::get();", "call out"),
        ("enable_raw_mode();", "terminal.rs"),
    ] {
        let path = if code.contains("raw_mode") {
            "src/console/x.rs"
        } else {
            "src/broker/x.rs"
        };
        fails(path, &format!("fn a() {{\n    {code}\n}}"), 2, text);
        passes(path, &format!("// {code}\nfn a() {{ b(\"{code}\") }}"));
    }
    fails(
        "src/broker/x.rs",
        "#[allow(dead_code)]\nfn a() {}",
        1,
        "#[expect(",
    );
    passes("src/clock.rs", "fn a() { Instant::now(); rand::random(); }");
    passes("src/cli/send.rs", "fn a() { println!(); }");
    passes(
        "src/broker/x.rs",
        "#[cfg(test)]\nmod tests { fn a() { x.unwrap(); panic!(); } }",
    );
    fails(
        "src/broker/x.rs",
        "#[cfg(test)]\nmod tests { fn a() { Instant::now(); } }",
        2,
        "Clock",
    );
}

#[test]
fn purity_fails_where_it_is_promised() {
    fails("src/engine/retry.rs", "use std::fs;", 1, "engine is pure");
    fails("src/domain/ids.rs", "use tracing::info;", 1, "vocabulary");
    fails("src/store/memory.rs", "async fn a() {}", 1, "synchronous");
    fails("src/console/panes/inbox.rs", "use std::fs;", 1, "Task");
    fails(
        "src/console/widgets/table.rs",
        "use crate::domain::ids;",
        1,
        "shapes",
    );
    passes("src/domain/time.rs", "use std::time::Duration;");
}

#[test]
fn an_expect_needs_its_invariant() {
    fails(
        "src/broker/x.rs",
        "fn a() {\n  x.expect(\"it is there\");\n}",
        2,
        "invariant",
    );
    passes(
        "src/broker/x.rs",
        "fn a() { x.expect(\n  \"invariant: checked above\"); }",
    );
    passes(
        "src/broker/x/tests.rs",
        "fn a() { x.expect(\"anything\"); }",
    );
}

#[test]
fn marks_and_bare_doors_fail() {
    fails("src/broker/x.rs", "// a\n// FIXME: b", 2, "FIXME");
    fails("src/broker/mod.rs", "use a;", 1, "//!");
}

#[test]
fn long_files_and_long_functions_fail() {
    passes("src/broker/x.rs", &"a;\n".repeat(500));
    fails("src/broker/x.rs", &"a;\n".repeat(501), 1, "501 lines");
    let function = |lines: usize| format!("\nfn long() {{\n{}}}\n", "  a;\n".repeat(lines - 2));
    passes("src/broker/x.rs", &function(70));
    fails("src/broker/x.rs", &function(71), 2, "`long` has 71 lines");
    passes(
        "src/broker/x.rs",
        &format!("#[cfg(test)]\nmod tests {{{}}}", function(71)),
    );
}
