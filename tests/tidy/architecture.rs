//! ARCHITECTURE.md names only files that are there.

use std::path::Path;

/// The words in backticks that name a file or a folder: below `src` or of the project.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|word| {
        let is_name = word
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "/_.".contains(letter));
        is_name && word.contains('/') && !word.starts_with('/')
    })
}

#[test]
fn every_place_that_the_architecture_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let named: Vec<&str> = paths(&text).collect();
    assert!(named.len() > 10, "{named:?}");
    let missing: Vec<&&str> = named
        .iter()
        .filter(|path| !root.join("src").join(path).exists() && !root.join(path).exists())
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md names what is not there: {missing:?}"
    );
}
