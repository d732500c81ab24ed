//! The tables of the README are what the code prints.
//!
//! Each stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. With `UPDATE_README=1` this
//! test writes them instead of comparing.

use std::path::Path;

/// The tables: name of the marker, and what the code prints.
fn tables() -> Vec<(&'static str, String)> {
    let keys = postroom::console::keymap::Keymap::default().markdown();
    vec![
        ("verbs", postroom::cli::arguments::table::readme_table()),
        ("keys", keys),
        ("parity", postroom::console::action::parity::readme_table()),
        ("config", postroom::config::readme_table()),
    ]
}

/// The text with the table between its markers; none when a marker is missing.
fn with_table(text: &str, name: &str, table: &str) -> Option<String> {
    let (begin, end) = (
        format!("<!-- {name}:begin -->\n"),
        format!("<!-- {name}:end -->"),
    );
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{table}{end}{after}"))
}

#[test]
fn the_readme_shows_what_the_code_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut expected = text.clone();
    for (name, table) in tables() {
        expected = with_table(&expected, name, &table)
            .unwrap_or_else(|| panic!("README.md has no markers <!-- {name}:begin --> and :end"));
    }
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    let differs = text
        .lines()
        .zip(expected.lines())
        .position(|(is, should)| is != should);
    let line = differs.unwrap_or_else(|| text.lines().count().min(expected.lines().count())) + 1;
    assert!(
        text == expected,
        "README.md:{line}: a table differs from the code; run UPDATE_README=1 cargo test --test tidy"
    );
}

#[test]
fn a_stale_table_is_noticed_and_replaced() {
    let text = "a\n<!-- keys:begin -->\nold\n<!-- keys:end -->\nb\n";
    let new = with_table(text, "keys", "new\n").unwrap();
    assert_eq!(new, "a\n<!-- keys:begin -->\nnew\n<!-- keys:end -->\nb\n");
    assert_eq!(with_table(text, "config", "new\n"), None);
}
