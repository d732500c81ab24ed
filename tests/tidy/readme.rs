//! The tables of the README are what the code prints.
//!
//! So is the manual page, `postroom.1`. Each table stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. With `UPDATE_README=1` this
//! test writes them instead of comparing.

use std::fmt::Write as _;
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

/// The rows of a Markdown table, without its head.
fn rows(table: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let line = line.trim().trim_matches('|').replace("\\|", "\u{1}");
        let cells = line
            .split('|')
            .map(|cell| cell.trim().replace('\u{1}', "|").replace('`', ""));
        cells.collect()
    };
    table.lines().skip(2).map(cells).collect()
}

/// A text as roff takes it.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}

/// The manual page: the same tables in the language of man.
fn manual() -> String {
    let mut page = ".TH POSTROOM 1\n.SH NAME\npostroom \\- delivery of intents between services, and a console for it\n\
        .SH SYNOPSIS\n.B postroom\n[verb] [options]\n"
        .to_owned();
    for (name, heading) in [
        ("verbs", "VERBS"),
        ("keys", "KEYS"),
        ("config", "CONFIGURATION"),
    ] {
        let table = tables()
            .into_iter()
            .find(|(table, _)| *table == name)
            .unwrap()
            .1;
        writeln!(page, ".SH {heading}").unwrap();
        for row in rows(&table) {
            // Of a key: where it works, the key, the name of the action, what it does.
            let (term, words) = match name {
                "keys" => (
                    format!("{} ({})", row[1], row[0]),
                    format!("{} [{}]", row[3], row[2]),
                ),
                "config" => (format!("{} = {}", row[0], row[1]), row[2].clone()),
                _ => (row[0].clone(), row[1].clone()),
            };
            let (term, words) = (roff(&term), roff(&words));
            writeln!(page, ".TP\n.B {term}\n{words}").unwrap();
        }
    }
    page
}

#[test]
fn the_manual_page_shows_what_the_code_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("postroom.1");
    let page = manual();
    for spec in postroom::console::action::registry() {
        assert!(page.contains(&roff(spec.name)), "{}", spec.name);
    }
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, &page).unwrap();
        return;
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text == page,
        "postroom.1 differs from the code; run UPDATE_README=1 cargo test --test tidy"
    );
}

#[test]
fn a_stale_table_is_noticed_and_replaced() {
    let text = "a\n<!-- keys:begin -->\nold\n<!-- keys:end -->\nb\n";
    let new = with_table(text, "keys", "new\n").unwrap();
    assert_eq!(new, "a\n<!-- keys:begin -->\nnew\n<!-- keys:end -->\nb\n");
    assert_eq!(with_table(text, "config", "new\n"), None);
}
